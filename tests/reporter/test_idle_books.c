/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A guest that falls silent: with designs that report as page_reporting.c does
 * (5.7), what is free and not reported in zones that pass the gate becomes less
 * from pass to pass, until nothing is left; then the design rests. As long as
 * the host takes what it is given and no watermark keeps a block back.
 */
#include <stdlib.h>
#include <string.h>

#include "reporter/page_reporting.h"
#include "tests/reporter/designs.h"
#include "tests/reporter/world.h"
#include "tests/test.h"

#define NR_EVENTS 1200
#define MAX_PASSES 10000

static const char *const kernels[] = { "5.7", "6.1", "6.12", "6.18" };

static uint64_t unmarked_in(const struct world *w, unsigned int zone,
			    unsigned int min_order)
{
	uint64_t nr = 0;

	for (unsigned int i = min_order * MIGRATE_TYPES;
	     i < NR_PAGE_ORDERS * MIGRATE_TYPES; i++) {
		pfn_t pfn = alloc_list_first(w->a, zone, i / MIGRATE_TYPES,
					     i % MIGRATE_TYPES);

		for (; pfn != PFN_NONE; pfn = alloc_list_next(w->a, pfn))
			nr += !alloc_block_marks(w->a, pfn);
	}
	return nr;
}

/* Models the test of page_reporting_process_zone. */
static bool passes_gate(const struct world *w, unsigned int zone)
{
	const struct page_reporting *s = w->env.reporter.state;
	struct alloc_zone_info z;

	if (!page_reporting_options(&w->env.reporter)->watermark_gate)
		return true;
	alloc_zone_info(w->a, zone, &z);
	return z.free > z.wmark_low + z.boost +
			((uint64_t)s->capacity << s->order);
}

/* One pass after the other. Zones in which nothing was left, or -1: one was
 * kept back. */
static int watch_passes(struct world *w, const char *row)
{
	const struct page_reporting *s = w->env.reporter.state;
	const uint64_t *refused = &w->env.reporter.counters.isolate_refused;
	uint64_t before[ALLOC_MAX_ZONES], refused_before = *refused;
	const unsigned int nr = alloc_nr_zones(w->a);
	unsigned int passes = 0;
	int done = 0;

	for (unsigned int z = 0; z < nr; z++)
		before[z] = unmarked_in(w, z, s->order);
	while (sync_env_run_pass(&w->env)) {
		assert_true(++passes < MAX_PASSES);
		assert_null(sync_env_check(&w->env));
		if (*refused != refused_before)
			return -1;
		for (unsigned int z = 0; z < nr; z++) {
			const uint64_t now = unmarked_in(w, z, s->order);

			if (now > before[z])
				fail_msg("%s: more is left than before", row);
			before[z] = now;
		}
	}
	for (unsigned int z = 0; z < nr; z++) {
		if (!passes_gate(w, z))
			continue;
		if (before[z])
			fail_msg("%s: zone %u is left with %" PRIu64 " blocks",
				 row, z, before[z]);
		done++;
	}
	assert_int_equal(s->state, PAGE_REPORTING_IDLE);
	assert_true(w->env.reporter.ops->idle(&w->env.reporter));
	assert_false(w->env.scheduled);
	return done;
}

/* It may be told to leave a part of every zone as it is. */
static bool reports_all(const struct design *d, const struct world *w)
{
	return !strstr(d->options, "factor") &&
	       page_reporting_allowance(&w->env.reporter, 0) == UINT64_MAX;
}

static int run(const struct design *d, const char *kernel, uint64_t seed)
{
	const struct world_config cfg = {
		.ops = d->ops, .options = d->options, .kernel = kernel,
		.seed = seed, .ack_latency_ns = 20 * NSEC_PER_MSEC,
	};
	struct world *w = world_create(&cfg);
	int done = -1;
	char row[256];

	if (!w)
		return -1;
	snprintf(row, sizeof(row), "%s (%s) on %s", d->ops->name, d->options,
		 kernel);
	if (reports_all(d, w)) {
		world_run(w, NR_EVENTS);
		world_release(w, 60);
		/* What the split of a marked block left asks for nothing. */
		sync_env_start(&w->env);
		done = watch_passes(w, row);
	}
	if (!world_finish(w))
		fail_msg("%s", w->broken);
	world_destroy(w);
	return done;
}

static void test_idle_books__nothing_is_left(void **state)
{
	/* Every design of this kind, every kernel: down to nothing, and then
	 * at rest. */
	struct design designs[MAX_DESIGNS];
	const size_t nr = all_designs(designs);
	unsigned int zones = 0, rows = 0;

	(void)state;
	for (size_t d = 0; d < nr; d++) {
		if (designs[d].ops != &page_reporting_reporter &&
		    designs[d].ops != &host_zeroed_reporter)
			continue;
		for (size_t k = 0; k < ARRAY_SIZE(kernels); k++) {
			const int done = run(&designs[d], kernels[k], 11 + k);

			zones += done > 0 ? (unsigned int)done : 0;
			rows++;
		}
	}
	printf("%u zones in %u rows\n", zones, rows);
	assert_true(zones > rows);
}

/* One pass is enough for it, whatever is left. */
static void give_up(struct reporter *r)
{
	struct page_reporting *s = r->state;

	if (s->running || s->state != PAGE_REPORTING_REQUESTED)
		return;
	s->state = PAGE_REPORTING_IDLE;
	s->armed = false;
	r->env->cancel(r->env->ctx);
}

static void content_process(struct reporter *r)
{
	page_reporting_reporter.process(r);
	give_up(r);
}

static void content_drain(struct reporter *r, struct page_report *entries,
			  unsigned int nr, int err)
{
	page_reporting_reporter.drain(r, entries, nr, err);
	give_up(r);
}

static void test_idle_books__notices(void **state)
{
	/* A design that never makes a second pass leaves something. */
	struct reporter_ops ops = page_reporting_reporter;
	const struct world_config cfg = {
		.ops = &ops, .kernel = "6.1", .seed = 11,
		.options = "capacity=1 watermark_gate=off",
	};
	struct world *w;
	uint64_t left = 0;

	(void)state;
	ops.process = content_process;
	ops.drain = content_drain;
	w = world_create(&cfg);
	world_release(w, 0);
	sync_env_run_until_idle(&w->env, MAX_PASSES);
	for (unsigned int z = 0; z < alloc_nr_zones(w->a); z++)
		left += unmarked_in(w, z, 9);
	assert_true(left > 0);
	world_abandon(w);
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(test_idle_books__nothing_is_left),
	cmocka_unit_test(test_idle_books__notices),
};

TEST_MAIN(cases)
