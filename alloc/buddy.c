/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Merging, splitting and the free lists: models __free_one_page, expand,
 * __rmqueue_smallest and the free-list helpers of mm/page_alloc.c, 5.3 to
 * 6.18, with each release's differences as switches of the profile.
 *
 * Left out: guard pages, the page checks of debug kernels.
 *
 * Counts are kept by the list a block is on, never by its pageblock: up to
 * 6.1 the two may disagree, and NR_FREE_PAGES must equal the list walks.
 */
#include "alloc/merge.h"

/* The types whose pages are counted apart, or not at all. */
void account_special_pages(const struct alloc *a, struct zone *z, int64_t nr,
			   enum migratetype mt)
{
	if (mt == MIGRATE_ISOLATE)
		return;
	z->free_pages += (uint64_t)nr;
	if (mt == MIGRATE_HIGHATOMIC)
		z->nr_free_highatomic += (uint64_t)nr;
	if (mt == MIGRATE_CMA)
		z->nr_free_cma += (uint64_t)nr;
	zone_limits_changed(a, z);
}

/* A marked block is about to leave its list, or to change it. */
__attribute__((noinline, cold))
void drop_marks(struct alloc *a, struct zone *z, pfn_t pfn,
		unsigned int order, enum unmark_reason why)
{
	struct page_rec *rec = rec_of(a, pfn, order);

	if (why == UNMARK_ALLOC) {
		a->cnt.cold_allocs[order]++;
		a->split_marks = (uint8_t)(rec->aux &
					   a->hooks.marks_kept_on_split);
	}
	if (a->hooks.block_unmark)
		a->hooks.block_unmark(a->hooks.reporter_ctx, z->idx, pfn,
				      order, (enum migratetype)rec->list, why);
	rec->aux = 0;
}

void del_from_free_list(struct alloc *a, struct zone *z, pfn_t pfn,
			unsigned int order, enum unmark_reason why)
{
	note_touches(a, 1);
	del_block(a, z, pfn, order, why);
}

void add_to_free_list(struct alloc *a, struct zone *z, pfn_t pfn,
		      unsigned int order, enum migratetype mt, bool tail)
{
	note_touches(a, 1);
	if (tail)
		add_block_tail(a, z, pfn, order, mt);
	else
		add_block_head(a, z, pfn, order, mt);
}

/* Models move_to_free_list: marks survive unless the reporter forbids it. */
void move_to_free_list(struct alloc *a, struct zone *z, pfn_t pfn,
		       unsigned int order, enum migratetype mt)
{
	struct page_rec *rec = rec_of(a, pfn, order);
	const enum migratetype old = (enum migratetype)rec->list;
	uint8_t marks;

	if (unlikely(rec->aux) && a->hooks.unmark_on_move)
		drop_marks(a, z, pfn, order, UNMARK_MOVE);
	marks = rec->aux;
	rec->aux = 0;
	del_block(a, z, pfn, order, UNMARK_MOVE);
	account_free_pages(a, z, -(int64_t)order_nr_pages(order), old);
	add_to_free_list(a, z, pfn, order, mt, a->prof.move_to_tail);
	account_free_pages(a, z, order_nr_pages(order), mt);
	rec->aux = marks;
}

static bool mergeable_type(enum migratetype mt)
{
	return mt < MIGRATE_PCPTYPES;
}

/* May a block of type mt merge with the whole pageblocks at `buddy`? */
bool may_merge_pageblocks(const struct alloc *a, const struct zone *z,
			  pfn_t buddy, enum migratetype mt)
{
	const enum migratetype other = pageblock_mt(a, buddy);

	if (other == mt)
		return true;
	if (a->prof.merge_any_foreign)
		return mergeable_type(mt) && mergeable_type(other);
	if (!z->nr_isolate_pageblock)
		return true;
	return mt != MIGRATE_ISOLATE && other != MIGRATE_ISOLATE;
}

/* 6.7 on: lists and pageblocks agree, so the buddy takes on our type. */
void retype_merged(struct alloc *a, pfn_t buddy, unsigned int order,
		   enum migratetype mt)
{
	const uint32_t step = order_nr_pages(a->pageblock_order);
	uint32_t nr = order_nr_pages(order);

	if (a->prof.merge_retype == MERGE_RETYPE_NONE ||
	    pageblock_mt(a, buddy) == mt)
		return;
	if (a->prof.merge_retype == MERGE_RETYPE_BUDDY)
		nr = step;
	for (uint32_t off = 0; off < nr; off += step)
		set_pageblock_mt(a, buddy + off, mt);
}

void emit_merge(struct alloc *a, pfn_t pfn, unsigned int order,
		enum migratetype mt)
{
	const struct alloc_event ev = {
		.kind = ALLOC_EVENT_MERGE,
		.pfn = pfn,
		.order = (uint8_t)order,
		.migratetype = (uint8_t)mt,
	};

	emit_event(a, &ev);
}

void alloc_capture_arm(struct alloc *a, pfn_t pfn, unsigned int order)
{
	CHECK_LE(order, MAX_PAGE_ORDER);
	a->capture_pfn = pfn;
	a->capture_order = (uint8_t)order;
	a->captured = false;
}

void alloc_capture_any(struct alloc *a, unsigned int zone, unsigned int order,
		       enum migratetype wanted)
{
	alloc_capture_arm(a, PFN_NONE, order);
	a->capture_zone = (uint8_t)zone;
	a->capture_wanted = wanted;
}

/*
 * A block smaller than a pageblock is not taken out of a movable one, which it
 * would pollute; from 6.9 on unless the request is movable itself.
 */
static bool may_capture(const struct alloc *a, const struct zone *z,
			unsigned int order, enum migratetype mt)
{
	if (z->idx != a->capture_zone || mt == MIGRATE_CMA ||
	    mt == MIGRATE_ISOLATE)
		return false;
	if (order >= a->pageblock_order || mt != MIGRATE_MOVABLE)
		return true;
	return a->prof.compact_any_order && a->capture_wanted == mt;
}

pfn_t alloc_capture_collect(struct alloc *a)
{
	const pfn_t pfn = a->captured ? a->capture_pfn : PFN_NONE;

	a->capture_order = CAPTURE_EMPTY;
	a->captured = false;
	return pfn;
}

/* Models compaction_capture: true if the block goes to the compactor. */
__attribute__((noinline, cold))
bool capture_block(struct alloc *a, struct zone *z, pfn_t pfn,
		   unsigned int order, enum migratetype mt)
{
	if (a->captured)
		return false;
	if (a->capture_pfn == PFN_NONE && may_capture(a, z, order, mt))
		a->capture_pfn = pfn;
	if (a->capture_pfn != pfn)
		return false;
	a->captured = true;
	account_free_pages(a, z, -(int64_t)order_nr_pages(order), mt);
	rec_of(a, pfn, order)->aux = (uint8_t)mt;
	return true;
}

void free_one_page(struct alloc *a, struct zone *z, pfn_t pfn,
		   unsigned int order, enum migratetype mt, unsigned int fpi)
{
	struct merge_sum sum = { 0, 0 };

	CHECK_MSG(rec_of(a, pfn, order)->state == PAGE_NONE,
		  "free of pfn %u order %u, which is free", pfn, order);
	account_free_pages(a, z, order_nr_pages(order), mt);
	merge_and_add(a, z, pfn, pfn, order, mt, fpi, merges_quietly(a, pfn),
		      &sum);
	note_merges(a, &sum);
}

/* free_one_page() with what is known of a single page left out. */
static void free_single(struct alloc *a, struct zone *z, pfn_t pfn,
			enum migratetype mt, unsigned int fpi)
{
	struct merge_sum sum = { 0, 0 };

	if (unlikely(!merges_quietly(a, pfn))) {
		free_one_page(a, z, pfn, 0, mt, fpi);
		return;
	}
	CHECK_MSG(a->pages[pfn].state == PAGE_NONE,
		  "free of pfn %u order 0, which is free", pfn);
	account_free_pages(a, z, 1, mt);
	merge_and_add(a, z, pfn, pfn, 0, mt, fpi, true, &sum);
	note_merges(a, &sum);
}

/* Models free_one_page with split_large_buddy (6.12). */
void free_to_buddy(struct alloc *a, struct zone *z, pfn_t pfn,
		   unsigned int order, unsigned int fpi)
{
	const unsigned int piece =
		a->prof.free_by_pageblock && order > a->pageblock_order ?
		a->pageblock_order : order;
	const pfn_t end = pfn + order_nr_pages(order);

	note_lock(a, z);
	if (order == 0) {
		free_single(a, z, pfn, pageblock_mt(a, pfn), fpi);
		return;
	}
	for (; pfn < end; pfn += order_nr_pages(piece))
		free_one_page(a, z, pfn, piece, pageblock_mt(a, pfn), fpi);
}

void expand(struct alloc *a, struct zone *z, pfn_t pfn, unsigned int low,
	    unsigned int high, enum migratetype mt)
{
	const unsigned int splits = high - low;

	while (high > low && high > HPAGE_PMD_ORDER) {
		high--;
		add_block_head(a, z, pfn + order_nr_pages(high), high, mt);
	}
	while (high > low) {
		high--;
		add_block_head(a, z, pfn + order_nr_pages(high), high, mt);
	}
	note_touches(a, splits);
	a->work->splits += splits;
	a->cnt.buddy_splits += splits;
}

__attribute__((noinline, cold))
static void emit_zone_locked(struct alloc *a, pfn_t pfn, unsigned int order,
			     enum migratetype mt)
{
	const struct alloc_event ev = {
		.kind = ALLOC_EVENT_ZONE_LOCKED,
		.pfn = pfn,
		.order = (uint8_t)order,
		.migratetype = (uint8_t)mt,
		.percpu_refill = pcp_allowed_order(a, order) &&
				 mt < MIGRATE_PCPTYPES,
	};

	emit_event(a, &ev);
}

/* Take the first block of a list that is not empty, the rest of it goes back. */
static inline __attribute__((always_inline))
pfn_t take_first(struct alloc *a, struct zone *z, unsigned int order,
		 unsigned int high, enum migratetype mt)
{
	const struct page_list *list = &z->free_area[high].free_list[mt];
	const pfn_t pfn = list_first(a, list, high);

	note_touches(a, 1);
	prefetch_next(a, list, high);
	del_block(a, z, pfn, high, UNMARK_ALLOC);
	if (high > order)
		expand(a, z, pfn, order, high, mt);
	if (unlikely(a->split_marks))
		keep_split_marks(a, z, pfn, high, pfn,
				 pfn + order_nr_pages(order));
	rec_of(a, pfn, order)->aux = (uint8_t)mt;
	account_free_pages(a, z, -(int64_t)order_nr_pages(order), mt);
	if (unlikely(a->hooks.event != NULL) && a->prof.zone_locked_list_type)
		emit_zone_locked(a, pfn, order, mt);
	return pfn;
}

pfn_t rmqueue_smallest(struct alloc *a, struct zone *z, unsigned int order,
		       enum migratetype mt)
{
	unsigned int high = order;

	for (; high < HPAGE_PMD_ORDER; high++)
		if (!list_empty(&z->free_area[high].free_list[mt]))
			return take_first(a, z, order, high, mt);
	for (; high < NR_PAGE_ORDERS; high++)
		if (!list_empty(&z->free_area[high].free_list[mt]))
			return take_first(a, z, order, high, mt);
	return PFN_NONE;
}
