/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One block comes back to the buddy: the body of __free_one_page, 5.3 to 6.18,
 * with each release's differences as switches of the profile. Inlined into the
 * few loops that free blocks (buddy.c, free_group.c); private to these.
 */
#ifndef ALLOC_MERGE_H
#define ALLOC_MERGE_H

#include "alloc/free_list.h"

/* A shuffled list is one of blocks of at least this order (SHUFFLE_ORDER). */
#define SHUFFLE_ORDER MAX_PAGE_ORDER

/* buddy.c: what is rare of a merge. */

/* May a block of type mt merge with the whole pageblocks at `buddy`? */
bool may_merge_pageblocks(const struct alloc *a, const struct zone *z,
			  pfn_t buddy, enum migratetype mt);
/* 6.7 on: lists and pageblocks agree, so the buddy takes on our type. */
void retype_merged(struct alloc *a, pfn_t buddy, unsigned int order,
		   enum migratetype mt);
void emit_merge(struct alloc *a, pfn_t pfn, unsigned int order,
		enum migratetype mt);
/* Models compaction_capture: true if the block goes to the compactor. */
bool capture_block(struct alloc *a, struct zone *z, pfn_t pfn,
		   unsigned int order, enum migratetype mt);

/* Where "the tail" is: a reporter may keep blocks of its own behind it. */
static inline pfn_t tail_position(struct alloc *a, const struct zone *z,
				  unsigned int order, enum migratetype mt)
{
	if (likely(order < a->hooks.notify_order) || !a->hooks.tail_position)
		return PFN_NONE;
	return a->hooks.tail_position(a->hooks.reporter_ctx, z->idx, order,
				      mt);
}

static inline __attribute__((always_inline))
void add_block_tail(struct alloc *a, struct zone *z, pfn_t pfn,
		    unsigned int order, enum migratetype mt)
{
	struct free_area *area = &z->free_area[order];

	list_insert_before(a, &area->free_list[mt],
			   tail_position(a, z, order, mt), pfn, order);
	set_free_head(a, pfn, order, mt);
	area->nr_free++;
}

static inline bool is_buddy(const struct page_rec *rec, unsigned int order)
{
	return rec->state == PAGE_BUDDY && rec->order == order;
}

/* Take a free buddy off whatever list it is on; its pages become mt's. */
static inline __attribute__((always_inline))
void absorb(struct alloc *a, struct zone *z, pfn_t buddy, unsigned int order,
	    enum migratetype mt)
{
	const enum migratetype old =
		(enum migratetype)rec_of(a, buddy, order)->list;

	if (unlikely(old != mt)) {
		const int64_t nr = order_nr_pages(order);

		account_free_pages(a, z, -nr, old);
		account_free_pages(a, z, nr, mt);
	}
	del_block(a, z, buddy, order, UNMARK_MERGE);
}

/*
 * The next larger merge is likely soon if the pair above ours waits for us
 * alone: then our block goes to the tail, to be left in peace (6.1:
 * buddy_merge_likely). Never for the two largest orders.
 */
static inline bool buddy_merge_likely(const struct alloc *a,
				      const struct zone *z, pfn_t pfn,
				      unsigned int order)
{
	pfn_t higher;

	if (order >= MAX_PAGE_ORDER - 1)
		return false;
	higher = (pfn & ~order_nr_pages(order)) ^ order_nr_pages(order + 1);
	return is_buddy(rec_of(a, higher, order + 1), order + 1) &&
	       zone_spans_pfn(z, higher) && a->prof.merge_likely_to_tail;
}

static inline bool goes_to_tail(struct alloc *a, const struct zone *z,
				pfn_t freed, pfn_t pfn, unsigned int order,
				unsigned int fpi)
{
	if (fpi & FPI_TO_TAIL)
		return true;
	if (order >= SHUFFLE_ORDER && a->shuffle)
		return shuffle_pick_tail(a, freed);
	return buddy_merge_likely(a, z, pfn, order);
}

/* What frees have done; written down once, at the end. */
struct merge_sum {
	uint32_t merges;
	uint32_t inserts;
};

static inline void note_merges(struct alloc *a, const struct merge_sum *sum)
{
	note_touches(a, sum->merges + sum->inserts);
	a->work->merges += sum->merges;
	a->cnt.buddy_merges += sum->merges;
}

/* One merge: *pfn becomes the block of order + 1. False: the buddy stays. */
static inline __attribute__((always_inline))
bool merge_once(struct alloc *a, struct zone *z, pfn_t *pfn,
		unsigned int order, enum migratetype mt)
{
	const pfn_t buddy = *pfn ^ order_nr_pages(order);

	if (!is_buddy(rec_of(a, buddy, order), order) ||
	    unlikely(!zone_spans_pfn(z, buddy)))
		return false;
	if (unlikely(order >= a->pageblock_order) &&
	    !may_merge_pageblocks(a, z, buddy, mt))
		return false;
	absorb(a, z, buddy, order, mt);
	if (unlikely(order >= a->pageblock_order))
		retype_merged(a, buddy, order, mt);
	*pfn &= buddy;
	if (unlikely(a->hooks.event != NULL))
		emit_merge(a, *pfn, order + 1, mt);
	return true;
}

static inline bool captured(struct alloc *a, struct zone *z, pfn_t pfn,
			    unsigned int order, enum migratetype mt)
{
	return unlikely(order == a->capture_order) &&
	       capture_block(a, z, pfn, order, mt);
}

/* Insert what the merges made of the page `freed`. */
static inline __attribute__((always_inline))
void add_merged(struct alloc *a, struct zone *z, pfn_t freed, pfn_t pfn,
		unsigned int order, enum migratetype mt, unsigned int fpi)
{
	if (goes_to_tail(a, z, freed, pfn, order, fpi))
		add_block_tail(a, z, pfn, order, mt);
	else
		add_block_head(a, z, pfn, order, mt);
	if (unlikely(order >= a->hooks.notify_order) &&
	    !(fpi & FPI_SKIP_NOTIFY) && a->hooks.free_notify)
		a->hooks.free_notify(a->hooks.reporter_ctx, z->idx, pfn,
				     order);
}

/*
 * The merges below order 9 where nobody listens or waits for a block, inside a
 * region that is all one zone's: what is left of merge_once() then. Returns
 * the order; *pfn becomes the block.
 */
static inline unsigned int merge_pages(struct alloc *a, struct zone *z,
				       pfn_t *pfn, unsigned int order,
				       enum migratetype mt)
{
	while (order < HPAGE_PMD_ORDER) {
		const pfn_t buddy = *pfn ^ order_nr_pages(order);
		struct page_rec *rec = &a->pages[buddy];
		struct free_area *area = &z->free_area[order];

		if (!is_buddy(rec, order))
			break;
		if (unlikely(rec->tag != rec_tag(PAGE_BUDDY, order,
						 (unsigned int)mt, 0))) {
			absorb(a, z, buddy, order, mt);
		} else {
			chunk_del(a, &area->free_list[mt], rec->place);
			area->nr_free--;
			rec_clear(rec);
		}
		*pfn &= buddy;
		order++;
	}
	return order;
}

/* Does nobody listen to merges below order 9, or wait for what they make? */
static inline bool nobody_watches(const struct alloc *a)
{
	return a->hooks.event == NULL && a->capture_order == CAPTURE_EMPTY;
}

/* May merges below order 9 go by merge_pages()? Pageblocks are no smaller. */
static inline bool merges_quietly(const struct alloc *a, pfn_t pfn)
{
	return nobody_watches(a) &&
	       a->region_zone[pfn_region(pfn)] < REGION_MIXED;
}

/* The rest of __free_one_page(), once the pages are counted as free. */
static inline __attribute__((always_inline))
void merge_and_add(struct alloc *a, struct zone *z, pfn_t freed, pfn_t pfn,
		   unsigned int order, enum migratetype mt, unsigned int fpi,
		   bool quiet, struct merge_sum *sum)
{
	const unsigned int from = order;
	bool taken = false;

	if (likely(quiet))
		order = merge_pages(a, z, &pfn, order, mt);
	else while (order < HPAGE_PMD_ORDER) {
		taken = captured(a, z, pfn, order, mt);
		if (taken || !merge_once(a, z, &pfn, order, mt))
			break;
		order++;
	}
	while (order >= HPAGE_PMD_ORDER && order < MAX_PAGE_ORDER) {
		taken = captured(a, z, pfn, order, mt);
		if (taken || !merge_once(a, z, &pfn, order, mt))
			break;
		order++;
	}
	sum->merges += order - from;
	if (unlikely(taken))
		return;
	sum->inserts++;
	if (likely(order < HPAGE_PMD_ORDER))
		add_merged(a, z, freed, pfn, order, mt, fpi);
	else
		add_merged(a, z, freed, pfn, order, mt, fpi);
}

#endif
