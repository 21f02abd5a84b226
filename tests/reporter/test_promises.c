/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Promises about time and order, which check() cannot see in a state: books
 * kept beside page_reporting and hinted_boundary on the random guest. Each is
 * kept by the design as it is, and broken by one that is changed.
 */
#include <string.h>

#include "reporter/hinted_boundary.h"
#include "reporter/page_reporting.h"
#include "reporter/sync_env_calls.h"
#include "tests/reporter/designs.h"
#include "tests/reporter/world.h"
#include "tests/test.h"

#define NR_EVENTS 1200
#define NO_LIST UINT32_MAX

/* What page_reporting has by default, and the rows below may change. */
#define DELAY_NS (2 * NSEC_PER_SEC)
#define BUDGET 16

/* Behind the state of the design. */
struct books {
	const char *broken;
	sim_ns_t rest_until;     /* no pass begins before */
	int zone;                /* whose gate this pass was through */
	uint32_t list;           /* whose reports are counted */
	uint64_t calls, most;
	bool in_putback;
	bool notifies;           /* a putback that tells the design */
	uint64_t passes, zones, lists, putbacks, requests; /* looked at */
	uint64_t threshold;
};

static struct books *books_of(const struct reporter *r)
{
	return (struct books *)(void *)((char *)r->state + r->ops->state_size -
					sizeof(struct books));
}

static const char *books_check(const struct reporter *r)
{
	return books_of(r)->broken;
}

static void books_break(struct books *b, bool broken, const char *how)
{
	if (broken && !b->broken)
		b->broken = how;
}

static uint64_t div_round_up(uint64_t n, uint64_t by)
{
	return (n + by - 1) / by;
}

/* ---- page_reporting ---- */

static void note_end(const struct reporter *r)
{
	const struct page_reporting *s = r->state;
	const struct sync_env *e = r->env->ctx;

	if (!s->running)
		books_of(r)->rest_until = e->now_ns + DELAY_NS;
}

/* Passes are a delay apart, from the end of one to the begin of the next. */
static void watched_process(struct reporter *r)
{
	const struct sync_env *e = r->env->ctx;
	struct books *b = books_of(r);

	books_break(b, e->now_ns < b->rest_until, "a pass too early");
	b->passes++;
	b->zone = -1;
	b->list = NO_LIST;
	page_reporting_reporter.process(r);
	note_end(r);
}

static void watched_drain(struct reporter *r, struct page_report *entries,
			  unsigned int nr, int err)
{
	page_reporting_reporter.drain(r, entries, nr, err);
	note_end(r);
}

/* The first block that a pass takes of a zone: is there enough of it? */
static bool watched_isolate(void *ctx, pfn_t pfn)
{
	const struct sync_env *e = ctx;
	const struct page_reporting *s = e->reporter.state;
	const int zone = alloc_zone_of(e->alloc, pfn);
	struct books *b = books_of(&e->reporter);
	struct alloc_zone_info z;

	if (zone != b->zone) {
		alloc_zone_info(e->alloc, (unsigned int)zone, &z);
		books_break(b, z.free <= z.wmark_low + z.boost +
			    ((uint64_t)s->capacity << s->order),
			    "a block of a zone below the gate");
		b->zone = zone;
		b->zones++;
	}
	return sync_env_calls.isolate(ctx, pfn);
}

/*
 * Reports while a list is walked, against a sixteenth of it. The blocks of its
 * order that are in the first array may have been on it.
 */
static int watched_report(void *ctx, struct page_report *entries,
			  unsigned int nr)
{
	const struct sync_env *e = ctx;
	const struct page_reporting *s = e->reporter.state;
	struct books *b = books_of(&e->reporter);
	const uint32_t list = (s->zone << 16) | (s->list_order << 8) | s->mt;
	/* Past the last order nothing is walked any more. */
	const uint64_t free = s->list_order < NR_PAGE_ORDERS ?
		alloc_nr_free(e->alloc, s->zone, s->list_order) : 0;

	if (!s->leftover && list != b->list) {
		b->list = list;
		b->lists++;
		b->calls = 0;
		b->most = 1 + div_round_up(free + nr,
					   (uint64_t)s->capacity * BUDGET);
	}
	if (!s->leftover)
		books_break(b, ++b->calls > b->most,
			    "more reports of a list than its budget");
	return sync_env_calls.report(ctx, entries, nr);
}

static void watched_notify(struct reporter *r, unsigned int zone, pfn_t pfn,
			   unsigned int order)
{
	struct books *b = books_of(r);

	books_break(b, b->in_putback, "a putback that notifies its design");
	page_reporting_reporter.free_notify(r, zone, pfn, order);
}

static void watched_putback(void *ctx, pfn_t pfn, unsigned int order,
			    enum migratetype mt)
{
	struct sync_env *e = ctx;
	struct books *b = books_of(&e->reporter);

	b->in_putback = true;
	b->putbacks++;
	sync_env_calls.putback(ctx, pfn, order, mt);
	if (b->notifies)
		e->reporter.ops->free_notify(&e->reporter, (unsigned int)
					     alloc_zone_of(e->alloc, pfn),
					     pfn, order);
	b->in_putback = false;
}

/* ---- hinted_boundary ---- */

static uint64_t raw_blocks(const struct alloc *a, unsigned int zone,
			   unsigned int order)
{
	uint64_t nr = 0;

	for (int mt = 0; mt < MIGRATE_TYPES; mt++) {
		pfn_t pfn = alloc_list_first(a, zone, order, mt);

		for (; pfn != PFN_NONE; pfn = alloc_list_next(a, pfn))
			nr += !(alloc_block_marks(a, pfn) & BLOCK_HINTED);
	}
	return nr;
}

/* A free makes a zone request only if enough of its order is not hinted. */
static void watched_hint_notify(struct reporter *r, unsigned int zone,
				pfn_t pfn, unsigned int order)
{
	const struct hinted_boundary *s = r->state;
	const bool was = s->zones[zone].requested;
	struct books *b = books_of(r);

	hinted_boundary_reporter.free_notify(r, zone, pfn, order);
	if (was || !s->zones[zone].requested)
		return;
	b->requests++;
	books_break(b, raw_blocks(r->env->view, zone, order) < b->threshold,
		    "a request below the threshold");
}

/* ---- the random guest ---- */

static const struct row {
	const char *design, *options, *kernel;
	uint64_t threshold;
	bool notifies;
	const char *found;       /* NULL: all promises are kept */
} rows[] = {
	{ "page_reporting", "capacity=4", "5.7", 0, false, NULL },
	{ "page_reporting", "capacity=4", "6.12", 0, false, NULL },
	{ "page_reporting", "capacity=2 rotation=off", "6.1", 0, false, NULL },
	{ "page_reporting", "capacity=3 order=3", "5.7", 0, false, NULL },
	{ "page_reporting", "capacity=4 delay=1s", "5.7", 0, false,
	  "too early" },
	{ "page_reporting", "capacity=1 budget=0", "5.7", 0, false, "budget" },
	{ "page_reporting", "capacity=16 watermark_gate=off", "5.7", 0, false,
	  "gate" },
	{ "page_reporting", "capacity=4", "5.7", 0, true, "notifies" },
	{ "hinted_boundary", "capacity=4 threshold=3", "5.3", 3, false, NULL },
	{ "hinted_boundary", "variant=v10 capacity=4 threshold=3", "5.7", 3,
	  false, NULL },
	{ "hinted_boundary", "variant=may2019 capacity=2", "5.3", 4, false,
	  NULL },
	{ "hinted_boundary", "capacity=4 threshold=2", "5.3", 3, false,
	  "threshold" },
	{ "hinted_boundary", "variant=may2019 capacity=1", "5.3", 4, false,
	  "threshold" },
};

static void watch_page_reporting(struct reporter_ops *ops, struct world *w)
{
	if (!w) {
		*ops = page_reporting_reporter;
		ops->process = watched_process;
		ops->drain = watched_drain;
		ops->free_notify = watched_notify;
		return;
	}
	w->env.env.isolate = watched_isolate;
	w->env.env.report = watched_report;
	w->env.env.putback = watched_putback;
}

/* What was broken; the books of a guest that was busy otherwise. */
static const char *run(const struct row *row, struct books *out)
{
	const bool hints = !strcmp(row->design, "hinted_boundary");
	struct reporter_ops ops = hinted_boundary_reporter;
	const struct world_config cfg = {
		.ops = &ops, .options = row->options, .kernel = row->kernel,
		.seed = 5, .ack_latency_ns = 300 * NSEC_PER_MSEC,
		.fail_every = 7,
	};
	struct world *w;

	ops.free_notify = watched_hint_notify;
	if (!hints)
		watch_page_reporting(&ops, NULL);
	ops.check = books_check;
	ops.state_size += sizeof(struct books);
	w = world_create(&cfg);
	if (!hints)
		watch_page_reporting(&ops, w);
	books_of(&w->env.reporter)->threshold = row->threshold;
	books_of(&w->env.reporter)->notifies = row->notifies;
	for (unsigned int i = 0; i < NR_EVENTS && world_step(w); i++)
		;
	*out = *books_of(&w->env.reporter);
	if (w->broken[0] && !out->broken)
		fail_msg("%s", w->broken);
	world_abandon(w);
	return out->broken;
}

static void test_promises__kept_and_broken(void **state)
{
	/* Each row until a promise is broken, or for all events. */
	(void)state;
	for (unsigned int i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct row *row = &rows[i];
		struct books b;
		const char *broken = run(row, &b);

		if (!row->found != !broken ||
		    (broken && !strstr(broken, row->found)))
			fail_msg("%s (%s) on %s: %s", row->design,
				 row->options, row->kernel,
				 broken ? broken : "nothing was found");
		if (broken)
			continue;
		printf("%s (%s): %llu passes, %llu zones, %llu lists, %llu "
		       "putbacks, %llu requests\n", row->design, row->options,
		       (unsigned long long)b.passes,
		       (unsigned long long)b.zones,
		       (unsigned long long)b.lists,
		       (unsigned long long)b.putbacks,
		       (unsigned long long)b.requests);
		if (row->threshold)
			assert_true(b.requests > 3);
		else
			assert_true(b.passes > 10 && b.zones > 10 &&
				    b.lists > 3 && b.putbacks > 100);
	}
}

static void test_promises__times_are_bounded(void **state)
{
	/* No option of any design takes it beyond the end of time. */
	struct design designs[MAX_DESIGNS];
	const size_t nr = all_designs(designs);

	(void)state;
	for (size_t d = 0; d < nr; d++) {
		const struct option_desc *o = designs[d].ops->options.descs;

		for (; o && o->name; o++)
			if (o->type == OPTION_TIME &&
			    (!o->max || o->max > 24 * 3600 * NSEC_PER_SEC))
				fail_msg("%s of %s has no end", o->name,
					 designs[d].ops->name);
	}
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(test_promises__kept_and_broken),
	cmocka_unit_test(test_promises__times_are_bounded),
};

TEST_MAIN(cases)
