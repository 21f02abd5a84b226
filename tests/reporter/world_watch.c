/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the design does, seen from outside and held against the books. */
#include <string.h>

#include "tests/reporter/world_parts.h"
#include "tests/test.h"

void world_broken(struct world *w, const char *what)
{
	if (w->broken[0])
		return;
	snprintf(w->broken, sizeof(w->broken),
		 "%s (%s) on %s, seed %" PRIu64 ", event %u: %s",
		 w->cfg.ops->name, w->cfg.options, w->cfg.kernel, w->cfg.seed,
		 w->events, what);
}

void world_hand_over(struct world *w, pfn_t pfn, unsigned int order,
		     enum page_owner from, enum page_owner to,
		     const char *what)
{
	for (uint32_t i = 0; i < order_nr_pages(order); i++) {
		if (w->owner[pfn + i] != from)
			world_broken(w, what);
		w->owner[pfn + i] = (uint8_t)to;
	}
}

void world_note(struct world *w, unsigned int what, pfn_t pfn,
		unsigned int order)
{
	digest_u64(&w->digest, (uint64_t)pfn << 16 | order << 8 | what);
}

static void see_isolate(void *ctx, pfn_t pfn, unsigned int order,
			enum migratetype mt)
{
	struct world *w = ctx;

	(void)mt;
	world_note(w, 1, pfn, order);
	w->accepted[pfn] = 0;
	world_hand_over(w, pfn, order, PAGE_GUEST_FREE, PAGE_REPORTER,
			"isolated what is not free");
}

static void see_putback(void *ctx, pfn_t pfn, unsigned int order,
			enum migratetype mt)
{
	struct world *w = ctx;

	world_note(w, 2, pfn, order << 4 | mt);
	world_hand_over(w, pfn, order, PAGE_REPORTER, PAGE_GUEST_FREE,
			"put back what it does not have");
}

/*
 * Blocks of report() and of a sent REPORT are isolated; the others stay with
 * the allocator, and nobody may use them.
 */
static void see_request(void *ctx, const struct host_request *rq)
{
	struct world *w = ctx;

	w->in_place = rq->kind == REQUEST_ANSWER || rq->hypercall;
	for (unsigned int i = 0; i < rq->nr; i++)
		world_note(w, 6 + (unsigned int)rq->kind, rq->entries[i].pfn,
		     rq->entries[i].order);
}

static void see_report(void *ctx, const struct page_report *entries,
		       unsigned int nr)
{
	struct world *w = ctx;
	const enum page_owner owner = w->in_place ? PAGE_GUEST_FREE :
						    PAGE_REPORTER;

	w->in_place = false;
	w->reports++;
	w->blocks += nr;
	for (unsigned int i = 0; i < nr; i++) {
		const struct page_report *e = &entries[i];

		world_note(w, 3, e->pfn, e->order);
		w->pages += order_nr_pages(e->order);
		w->accepted[e->pfn] = (uint8_t)(e->order + 1);
		memset(w->dirty + e->pfn, 0, order_nr_pages(e->order));
		if (alloc_zone_of(w->a, e->pfn) != e->zone)
			world_broken(w, "an entry names the wrong zone");
		world_hand_over(w, e->pfn, e->order, owner, owner,
				"reported what it does not have");
	}
}

/* Only blocks that the host took, whole, and from a good acknowledgement. */
static bool all_clean(const struct world *w, pfn_t pfn, unsigned int order)
{
	for (uint32_t i = 0; i < order_nr_pages(order); i++)
		if (w->dirty[pfn + i])
			return false;
	return true;
}

static void see_mark(void *ctx, pfn_t pfn, enum block_mark m)
{
	struct world *w = ctx;
	const unsigned int fail_every = w->env.cfg.fail_every;

	world_note(w, 4, pfn, m);
	w->marks++;
	if (!alloc_is_free_head(w->a, pfn)) {
		world_broken(w, "marked what heads no free block");
		return;
	}
	/* Parts of what the host took may be marked again. */
	if (w->cfg.ops->knows_zero) {
		if (!all_clean(w, pfn, alloc_block_order(w->a, pfn)))
			world_broken(w, "marked what was used since");
		return;
	}
	if (w->accepted[pfn] != alloc_block_order(w->a, pfn) + 1)
		world_broken(w, "marked what the host did not take");
	if (fail_every && w->env.acks % fail_every == 0)
		world_broken(w, "marked after a failed acknowledgement");
}

static void see_allocate(void *ctx, pfn_t pfn, unsigned int order)
{
	world_note(ctx, 12, pfn, order);
	world_hand_over(ctx, pfn, order, PAGE_GUEST_FREE, PAGE_BALLOON,
			"the design was given what is not free");
}

static void see_free(void *ctx, pfn_t pfn, unsigned int order)
{
	world_note(ctx, 13, pfn, order);
	world_hand_over(ctx, pfn, order, PAGE_BALLOON, PAGE_GUEST_FREE,
			"the design freed what it does not have");
}

struct sync_env_watch world_watch(struct world *w)
{
	return (struct sync_env_watch){
		.ctx = w, .report = see_report, .isolate = see_isolate,
		.putback = see_putback, .mark = see_mark,
		.request = see_request, .allocate = see_allocate,
		.free = see_free,
	};
}
