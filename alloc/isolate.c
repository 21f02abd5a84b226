/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Taking free blocks off the lists and putting them back, for reporting and
 * compaction: models __isolate_free_page and __putback_isolated_page (5.7 to
 * 6.18), and the raw removal of the boundary designs of 2019 (Duyck's "mm /
 * virtio: Provide support for page hinting", v2).
 *
 * The zone lock is the caller's: it isolates and puts back in batches, and
 * takes the lock once for each.
 */
#include "alloc/lists.h"
#include "alloc/pageblock.h"

/* Order of the free block headed by pfn; there must be one. */
static unsigned int free_order(const struct alloc *a, pfn_t pfn)
{
	const struct page_rec *rec = head_rec(a, pfn);

	CHECK_MSG(rec && rec->state == PAGE_BUDDY,
		  "pfn %u heads no free block", pfn);
	return rec->order;
}

/*
 * What reporting does to a large block makes its pageblocks movable, unless
 * their type is one that does not mix. 6.7 on moves what else is free there,
 * too, and cannot if the zone cuts the pageblock.
 */
static void make_movable(struct alloc *a, struct zone *z, pfn_t pfn,
			 unsigned int order)
{
	const pfn_t end = pfn + order_nr_pages(order);

	for (; pfn < end; pfn += pageblock_nr_pages(a)) {
		if (pageblock_mt(a, pfn) >= MIGRATE_PCPTYPES)
			continue;
		if (a->prof.isolate_moves_pageblock) {
			if (!pageblock_inside_zone(a, z, pfn))
				continue;
			move_freepages_block(a, z, pfn, MIGRATE_MOVABLE);
		}
		set_pageblock_mt(a, pfn, MIGRATE_MOVABLE);
	}
}

static void take_off(struct alloc *a, struct zone *z, pfn_t pfn,
		     unsigned int order)
{
	const enum migratetype mt =
		(enum migratetype)rec_of(a, pfn, order)->list;

	del_from_free_list(a, z, pfn, order, UNMARK_ISOLATE);
	account_free_pages(a, z, -(int64_t)order_nr_pages(order), mt);
	a->cnt.isolated++;
}

bool alloc_isolate(struct alloc *a, pfn_t pfn)
{
	const unsigned int order = free_order(a, pfn);
	struct zone *z = pfn_zone(a, pfn);
	const uint64_t mark = z->wmark[0] + order_nr_pages(order);

	if (pageblock_mt(a, pfn) != MIGRATE_ISOLATE &&
	    !zone_watermark_ok(a, z, 0, mark, 0, AF_CMA)) {
		a->cnt.isolate_refused++;
		return false;
	}
	alloc_isolate_allowed(a, pfn);
	return true;
}

void alloc_isolate_allowed(struct alloc *a, pfn_t pfn)
{
	const unsigned int order = free_order(a, pfn);
	struct zone *z = pfn_zone(a, pfn);

	take_off(a, z, pfn, order);
	if (order + 1 >= a->pageblock_order)
		make_movable(a, z, pfn, order);
}

void alloc_isolate_raw(struct alloc *a, pfn_t pfn)
{
	const unsigned int order = free_order(a, pfn);

	take_off(a, pfn_zone(a, pfn), pfn, order);
}

void alloc_putback(struct alloc *a, pfn_t pfn, unsigned int order,
		   enum migratetype mt)
{
	const unsigned int fpi = a->prof.putback_to_tail ? FPI_TO_TAIL : 0;

	a->cnt.putbacks++;
	free_one_page(a, pfn_zone(a, pfn), pfn, order, mt,
		      FPI_SKIP_NOTIFY | fpi);
}

void alloc_putback_tail(struct alloc *a, pfn_t pfn, unsigned int order,
			enum migratetype mt)
{
	a->cnt.putbacks++;
	free_one_page(a, pfn_zone(a, pfn), pfn, order, mt,
		      FPI_SKIP_NOTIFY | FPI_TO_TAIL);
}
