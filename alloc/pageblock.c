/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Pageblocks: their types, and walks over the blocks inside one. Models
 * set_pageblock_migratetype, change_pageblock_range, move_freepages and
 * move_freepages_block (5.3 to 6.1), and prep_move_freepages_block (6.12).
 *
 * Left out: the isolate bit beside the type (6.18); what an un-isolated
 * pageblock becomes is said by whoever sets it, as before that release.
 */
#include "alloc/lists.h"
#include "alloc/pageblock.h"
#include "alloc/walk.h"

/* The zones of a pageblock learn of types that restrict merging. */
static void note_special_type(struct alloc *a, pfn_t pfn, enum migratetype old,
			      enum migratetype mt)
{
	const pfn_t start = pfn_align_down(pfn, a->pageblock_order);
	const pfn_t end = start + pageblock_nr_pages(a);

	for (unsigned int i = 0; i < a->nr_zones; i++) {
		struct zone *z = &a->zones[i];

		if (z->end <= start || z->start >= end)
			continue;
		z->unmerged_ok = true;
		if (old == MIGRATE_ISOLATE && mt != MIGRATE_ISOLATE)
			z->nr_isolate_pageblock--;
		if (old != MIGRATE_ISOLATE && mt == MIGRATE_ISOLATE)
			z->nr_isolate_pageblock++;
	}
}

void store_pageblock_mt(struct alloc *a, pfn_t pfn, enum migratetype mt)
{
	const enum migratetype old = pageblock_mt(a, pfn);

	if (old >= MIGRATE_PCPTYPES || mt >= MIGRATE_PCPTYPES)
		note_special_type(a, pfn, old, mt);
	a->pageblock_mt[pfn >> a->pageblock_order] = (uint8_t)mt;
}

void set_pageblock_mt(struct alloc *a, pfn_t pfn, enum migratetype mt)
{
	if (!a->grouping && mt < MIGRATE_PCPTYPES)
		mt = MIGRATE_UNMOVABLE;
	store_pageblock_mt(a, pfn, mt);
}

void change_pageblock_range(struct alloc *a, pfn_t pfn, unsigned int order,
			    enum migratetype mt)
{
	const pfn_t end = pfn + order_nr_pages(order);

	for (; pfn < end; pfn += pageblock_nr_pages(a))
		set_pageblock_mt(a, pfn, mt);
}

bool pageblock_inside_zone(const struct alloc *a, const struct zone *z,
			   pfn_t pfn)
{
	const pfn_t start = pfn_align_down(pfn, a->pageblock_order);

	return zone_spans_pfn(z, start) &&
	       zone_spans_pfn(z, start + pageblock_nr_pages(a) - 1);
}

/* MIGRATE_TYPES stands for counting without moving. */
struct walk {
	struct alloc *a;
	struct zone *z;
	enum migratetype mt;
	struct pageblock_census *census;
};

/* A block on a buddy or pcp list; returns the page behind it. */
static pfn_t walk_block(const struct walk *w, const struct page_rec *rec,
			pfn_t pfn)
{
	const unsigned int order = rec->order;

	if (rec->state == PAGE_BUDDY) {
		w->census->free += order_nr_pages(order);
		if (w->mt != MIGRATE_TYPES)
			move_to_free_list(w->a, w->z, pfn, order, w->mt);
	}
	return pfn + order_nr_pages(order);
}

static void walk_pages(const struct walk *w, pfn_t pfn, pfn_t end)
{
	const struct alloc *a = w->a;

	while (pfn < end) {
		const struct page_rec *rec = &a->pages[pfn];

		if (rec->state != PAGE_NONE) {
			pfn = walk_block(w, rec, pfn);
			continue;
		}
		w->census->movable += bitmap_test(a->lru, pfn);
		pfn++;
	}
}

/* Is this region the upper half of a block on a list? */
static bool region_is_tail(const struct alloc *a, uint32_t region)
{
	const struct page_rec *head = &a->regions[region & ~1u];

	return (region & 1) && head->state != PAGE_NONE &&
	       head->order == MAX_PAGE_ORDER;
}

static void walk_range(const struct walk *w, pfn_t pfn, pfn_t end)
{
	const struct alloc *a = w->a;

	while (pfn < end) {
		const uint32_t region = pfn_region(pfn);
		pfn_t stop = (region + 1) << HPAGE_PMD_ORDER;

		if (stop > end)
			stop = end;
		if (a->regions[region].state != PAGE_NONE) {
			pfn = walk_block(w, &a->regions[region], pfn);
			continue;
		}
		if (region_broken(a, region))
			walk_pages(w, pfn, stop);
		else if (!region_is_tail(a, region))
			w->census->movable += (uint32_t)
				bitmap_count_range(a->lru, pfn, stop - pfn);
		pfn = stop;
	}
}

static void ask_movable_count(struct alloc *a, const struct zone *z,
			      pfn_t pageblock, struct pageblock_census *census)
{
	int count;

	if (!a->hooks.movable_count)
		return;
	count = a->hooks.movable_count(a->hooks.ctx, z->idx, pageblock);
	if (count >= 0)
		census->movable = (uint32_t)count;
}

void count_pageblock(struct alloc *a, struct zone *z, pfn_t pfn,
		     struct pageblock_census *census)
{
	const pfn_t start = pfn_align_down(pfn, a->pageblock_order);
	const struct walk w = { a, z, MIGRATE_TYPES, census };

	look_around(a);
	*census = (struct pageblock_census){ 0 };
	walk_range(&w, start, start + pageblock_nr_pages(a));
	ask_movable_count(a, z, start, census);
}

/*
 * A pageblock that the zone's end cuts is left alone. One that its start cuts
 * is walked from pfn by releases that move as they count, and left alone by
 * those that count first.
 */
static void move_blocks(const struct walk *w, pfn_t pfn)
{
	const pfn_t start = pfn_align_down(pfn, w->a->pageblock_order);
	const pfn_t end = start + pageblock_nr_pages(w->a);

	if (!zone_spans_pfn(w->z, end - 1))
		return;
	if (zone_spans_pfn(w->z, start))
		walk_range(w, start, end);
	else if (w->a->prof.steal_moves_below_threshold)
		walk_range(w, pfn, end);
}

void move_pageblock(struct alloc *a, struct zone *z, pfn_t pfn,
		    enum migratetype mt, struct pageblock_census *census)
{
	const struct walk w = { a, z, mt, census };

	look_around(a);
	*census = (struct pageblock_census){ 0 };
	move_blocks(&w, pfn);
	if (!census->free)
		return;
	ask_movable_count(a, z, pfn_align_down(pfn, a->pageblock_order),
			  census);
}

uint32_t move_freepages_block(struct alloc *a, struct zone *z, pfn_t pfn,
			      enum migratetype mt)
{
	struct pageblock_census census = { 0 };
	const struct walk w = { a, z, mt, &census };

	move_blocks(&w, pfn);
	return census.free;
}
