/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A whole range of memory for one owner: a gigantic page, or memory that goes
 * offline. Models alloc_contig_pages and alloc_contig_range, and offline_pages,
 * with start_isolate_page_range, has_unmovable_pages, do_migrate_range,
 * test_pages_isolated and undo_isolate_page_range, 5.7 to 6.18.
 *
 *     next range --none--> failed
 *       |
 *       v
 *     unmovable? --yes--> next range
 *       |no
 *       v
 *     isolate: types, free blocks; then migrate, page by page
 *       |                 \--one does not move--> undo, next range
 *       v
 *     all there? --no, blocks are with the host--> a gigantic page: undo, next
 *       |                                          offline: ask again
 *       v
 *     done: a gigantic page is given back at once, offline memory is not
 *
 * A block that a reporter has isolated is no buddy and has no reference: it
 * passes for movable, and is missed only at the end. Gigantic pages are looked
 * for from the bottom, memory to go offline from the top.
 *
 * Simplified: free blocks are taken off their lists when the range is isolated
 * instead of being moved to isolated lists; huge pages in the range do not
 * move; a page has one chance to move (the kernel: five for a gigantic page,
 * offline goes on until a signal). Left out: reclaim of clean cache instead of
 * moving it, and the notifiers of hot-unplug.
 */
#include <stdlib.h>

#include "guest/compact.h"
#include "include/bitmap.h"

#define STEP_PAGES 32u

enum range_stage { NEXT_RANGE, MIGRATE, ALL_THERE };

enum { RANGE_START, RANGE_TRIED };

static pfn_t range_pages(const struct run *r)
{
	return (pfn_t)(r->op->len >> PAGE_SHIFT);
}

static bool held(const struct guest *g, pfn_t pfn)
{
	return bitmap_test(g->range_held, pfn);
}

static void take_free(struct guest *g, pfn_t pfn, pfn_t end)
{
	while (pfn < end) {
		unsigned int order;

		if (!alloc_is_free_head(g->alloc, pfn)) {
			pfn++;
			continue;
		}
		order = alloc_block_order(g->alloc, pfn);
		alloc_isolate_raw(g->alloc, pfn);
		for (uint32_t i = 0; i < order_nr_pages(order); i++)
			bitmap_set(g->range_held, pfn + i);
		pfn += order_nr_pages(order);
	}
}

static void set_types(struct guest *g, pfn_t pfn, pfn_t end,
		      enum migratetype mt)
{
	const pfn_t step = order_nr_pages(alloc_pageblock_order(g->alloc));

	for (; pfn < end; pfn += step)
		alloc_set_pageblock_type(g->alloc, pfn, mt);
}

/* Models undo_isolate_page_range; what is held goes back to the lists. */
static void give_back(struct run *r, pfn_t start, pfn_t end)
{
	struct guest *g = r->g;

	take_free(g, start, end);
	set_types(g, start, end, MIGRATE_MOVABLE);
	for (pfn_t pfn = start; pfn < end; pfn++) {
		unsigned int order = MAX_PAGE_ORDER;

		if (!held(g, pfn))
			continue;
		while (!pfn_aligned(pfn, order) ||
		       bitmap_count_range(g->range_held, pfn,
					  order_nr_pages(order)) !=
		       order_nr_pages(order))
			order--;
		for (uint32_t i = 0; i < order_nr_pages(order); i++)
			bitmap_clear(g->range_held, pfn + i);
		alloc_free_buddy(g->alloc, pfn, order);
		pfn += order_nr_pages(order) - 1;
	}
}

/* Models has_unmovable_pages. */
static bool has_unmovable(struct run *r, pfn_t pfn, pfn_t end)
{
	struct guest *g = r->g;

	while (pfn < end) {
		struct owner o;

		r->work->compact_scanned++;
		if (alloc_is_free_head(g->alloc, pfn)) {
			pfn += order_nr_pages(alloc_block_order(g->alloc, pfn));
			continue;
		}
		if (alloc_test_lru(g->alloc, pfn)) {
			rmap_find(g, pfn, &o);
			if (o.kind == OWNER_NONE)
				return true;
		} else if (held(g, pfn) || !g->cfg.with_host ||
			   !g->cfg.with_host(g->cfg.ctx, pfn, pfn + 1)) {
			return true;
		}
		pfn++;
	}
	return false;
}

static bool one_zone(const struct guest *g, pfn_t start, pfn_t end)
{
	struct alloc_zone_info z;

	for (unsigned int i = 0; i < alloc_nr_zones(g->alloc); i++) {
		alloc_zone_info(g->alloc, i, &z);
		if (z.start <= start && end <= z.end)
			return true;
	}
	return false;
}

/* False: there is no other. */
static bool next_range(struct run *r)
{
	const pfn_t nr = range_pages(r), last = alloc_end_pfn(r->g->alloc) / nr;
	uint64_t *tried = &r->op->scratch[RANGE_TRIED];
	pfn_t start;

	do {
		if (*tried >= last)
			return false;
		start = (pfn_t)(r->op->flags & GUEST_RANGE_OFFLINE ?
				last - 1 - *tried : *tried) * nr;
		(*tried)++;
	} while (!one_zone(r->g, start, start + nr));
	r->op->scratch[RANGE_START] = start;
	return true;
}

static void begin_range(struct run *r)
{
	const pfn_t start = (pfn_t)r->op->scratch[RANGE_START];
	const pfn_t end = start + range_pages(r);
	struct guest *g = r->g;

	for (unsigned int cpu = 0; cpu < g->cfg.nr_cpus; cpu++)
		lru_add_drain(g, cpu, r->work);
	alloc_drain_all(g->alloc);
	g->counters.range_tried++;
	if (has_unmovable(r, start, end)) {
		g->counters.range_unmovable++;
		return;
	}
	take_free(g, start, end);
	set_types(g, start, end, MIGRATE_ISOLATE);
	r->op->cursor = start;
	r->op->stage = MIGRATE;
}

static void undo_range(struct run *r)
{
	const pfn_t start = (pfn_t)r->op->scratch[RANGE_START];

	give_back(r, start, start + range_pages(r));
	r->op->stage = NEXT_RANGE;
}

/* One page to somewhere else; it is held from then on. */
static bool empty_page(struct run *r, pfn_t pfn)
{
	struct alloc_request rq = {
		.cpu = (uint16_t)r->cpu, .node = -1, .zone = -1,
		.gfp = (GFP_HIGHUSER_MOVABLE | GFP_BIT_NOWARN) &
		       ~GFP_BIT_DIRECT_RECLAIM,
	};
	const struct alloc_result to = alloc_pages(r->g->alloc, &rq);

	if (to.status != ALLOC_OK)
		return false;
	if (!migrate_page_to(r, pfn, to.pfn)) {
		alloc_free(r->g->alloc, r->cpu, to.pfn, 0);
		return false;
	}
	bitmap_set(r->g->range_held, pfn);
	return true;
}

/* Some pages of the range; false: one of them stays. */
static bool empty_some(struct run *r)
{
	const pfn_t end = (pfn_t)r->op->scratch[RANGE_START] + range_pages(r);
	pfn_t pfn = (pfn_t)r->op->cursor;

	for (uint32_t n = 0; pfn < end && n < STEP_PAGES; n++, pfn++)
		if (alloc_test_lru(r->g->alloc, pfn) && !empty_page(r, pfn))
			return false;
	r->op->cursor = pfn;
	if (pfn == end)
		r->op->stage = ALL_THERE;
	return true;
}

/* Models test_pages_isolated and what its callers make of it. */
static enum guest_status all_there(struct run *r)
{
	const pfn_t start = (pfn_t)r->op->scratch[RANGE_START];
	const pfn_t nr = range_pages(r);
	struct guest *g = r->g;
	const bool offline = r->op->flags & GUEST_RANGE_OFFLINE;

	alloc_drain_all(g->alloc);
	take_free(g, start, start + nr);
	if (bitmap_count_range(g->range_held, start, nr) == nr) {
		if (!offline)
			give_back(r, start, start + nr);
		g->counters.range_success++;
		return GUEST_DONE;
	}
	if (!g->cfg.with_host ||
	    !g->cfg.with_host(g->cfg.ctx, start, start + nr)) {
		undo_range(r);
		g->counters.range_unmovable++;
		return GUEST_MORE;
	}
	g->counters.range_with_host++;
	if (offline)
		return GUEST_WAIT;
	undo_range(r);
	return GUEST_MORE;
}

static bool range_init(struct guest *g)
{
	if (!g->range_held)
		g->range_held = host_memory(g, calloc(
				BITMAP_WORDS(alloc_end_pfn(g->alloc)),
				sizeof(*g->range_held)));
	return g->range_held;
}

enum guest_status range_run(struct run *r)
{
	if (!r->g->cfg.compaction || !range_init(r->g)) {
		r->g->counters.range_fail++;
		return GUEST_DONE;
	}
	while (r->budget && touch_room(r->g->cfg.touches, 2 * STEP_PAGES)) {
		enum guest_status status = GUEST_MORE;

		r->budget--;
		if (r->op->stage == ALL_THERE) {
			status = all_there(r);
		} else if (r->op->stage == MIGRATE) {
			if (!empty_some(r)) {
				undo_range(r);
				r->g->counters.range_unmovable++;
			}
		} else if (next_range(r)) {
			begin_range(r);
		} else {
			r->g->counters.range_fail++;
			return GUEST_DONE;
		}
		if (status != GUEST_MORE)
			return status;
	}
	return GUEST_MORE;
}
