/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Books beside a design that has a target; see balloon_books.h. */
#include <string.h>

#include "tests/alloc/fixture.h"
#include "tests/reporter/balloon_books.h"
#include "tests/test.h"

#define FREE_BLOCKS 20  /* of order 10, from FIRST on */
#define FIRST 1024
#define THP_ORDER 9

static void books_break(struct books *b, bool broken, const char *how)
{
	if (broken && !b->broken[0])
		snprintf(b->broken, sizeof(b->broken), "%s", how);
}

/* A request has `batch` entries at most, and each page changes hands. */
static void see_request(void *ctx, const struct host_request *rq)
{
	const bool inflate = rq->kind == REQUEST_INFLATE;
	struct books *b = ctx;

	if (!inflate && rq->kind != REQUEST_DEFLATE)
		return;
	memmove(b->seen + 1, b->seen, sizeof(b->seen) - sizeof(b->seen[0]));
	b->seen[0].kind = rq->kind;
	b->seen[0].nr = rq->nr;
	b->seen[0].pfn = rq->entries[0].pfn;
	books_break(b, rq->nr > b->batch || rq->nr > REPORTER_MAX_CAPACITY,
		    "a request is larger than its batch");
	for (unsigned int i = 0; i < rq->nr; i++) {
		const struct page_report *e = &rq->entries[i];
		const uint32_t nr = order_nr_pages(e->order);
		const size_t had = bitmap_count_range(b->told, e->pfn, nr);

		books_break(b, had != (inflate ? 0 : nr),
			    "the host is told of a page twice, or never was");
		if (inflate)
			bitmap_set_range(b->told, e->pfn, nr);
		else
			bitmap_clear_range(b->told, e->pfn, nr);
		*(inflate ? &b->inflated : &b->deflated) += nr;
	}
	*(inflate ? &b->nr_inflate : &b->nr_deflate) += 1;
}

/* Not of its pages: those are allocated. */
static void see_report(void *ctx, const struct page_report *entries,
		       unsigned int nr)
{
	(void)entries;
	books_break(ctx, nr > 0, "free pages are reported");
}

/* Number of an option, 0 if the design has none of that name. */
static uint64_t option_of(const struct design *d, const void *options,
			  const char *name)
{
	const struct option_desc *o = option_find(&d->ops->options, name);
	const void *at;

	if (!o)
		return 0;
	at = (const char *)options + o->offset;
	if (o->type == OPTION_BOOL)
		return *(const bool *)at;
	if (o->type == OPTION_NAME)
		return *(const unsigned int *)at;
	return *(const uint64_t *)at;
}

static bool oom_is(const struct design *d, const void *options,
		   const char *what)
{
	const struct option_desc *o = option_find(&d->ops->options,
						  "deflate_on_oom");

	return o && !strcmp(o->names[option_of(d, options, "deflate_on_oom")],
			    what);
}

void books_begin(struct books *b, const struct design *d)
{
	const struct sync_env_config cfg = {
		.watch = { .ctx = b, .request = see_request,
			   .report = see_report },
		.ack_latency_ns = NSEC_PER_MSEC,
		.host = { .thp_order = THP_ORDER },
	};
	struct alloc *a = fixture_create("6.1", 0, NR_PAGES);
	unsigned int order;

	*b = (struct books){ 0 };
	for (unsigned int i = FREE_BLOCKS; i--;)
		fixture_put(a, FIRST + 1024 * i, 10);
	b->batch = REPORTER_MAX_CAPACITY;
	b->rig = rig_start(a, d->ops, d->options, &cfg);
	order = (unsigned int)option_of(d, b->rig->options, "unit_order");
	b->unit = order_nr_pages(order < NR_PAGE_ORDERS ? order : THP_ORDER);
	b->batch = (unsigned int)option_of(d, b->rig->options, "batch");
	b->fallback = option_of(d, b->rig->options, "fallback");
	b->oom_pages = option_of(d, b->rig->options, "oom_pages");
	b->notifier = oom_is(d, b->rig->options, "notifier") ||
		      oom_is(d, b->rig->options, "release");
	sync_env_advance(&b->rig->env, 5 * NSEC_PER_SEC);
	sync_env_set_target(&b->rig->env, 0);
	sync_env_advance(&b->rig->env, 5 * NSEC_PER_SEC);
	ASSERT_U64(d->options, b->rig->env.own_pages, 0);
	b->nr_inflate = b->nr_deflate = 0;
	b->inflated = b->deflated = 0;
}

void books_finish(struct books *b)
{
	struct alloc *a = b->rig->a;

	if (b->broken[0])
		fail_msg("%s", b->broken);
	rig_stop(b->rig);
	alloc_destroy(a);
}

void books_inflate(struct books *b, uint64_t target)
{
	sync_env_set_target(&b->rig->env, target);
	sync_env_advance(&b->rig->env, 20 * NSEC_PER_SEC);
	rig_assert_valid(b->rig);
}
