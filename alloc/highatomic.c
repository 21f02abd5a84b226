/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Pageblocks kept for high-order atomic requests. Models
 * reserve_highatomic_pageblock and unreserve_highatomic_pageblock, 5.3 to 6.18.
 */
#include "alloc/lists.h"
#include "alloc/pageblock.h"
#include "alloc/walk.h"

/* Pages that may be reserved in a zone; 0 = never. */
static uint64_t reserve_limit(const struct alloc *a, const struct zone *z)
{
	const uint64_t percent = z->managed / 100;
	const uint64_t unit = pageblock_nr_pages(a);

	if (a->prof.highatomic_limit == HIGHATOMIC_PERCENT_PLUS)
		return percent + unit;
	if (percent < unit)
		return 0;
	return (percent + unit - 1) / unit * unit;
}

void reserve_highatomic(struct alloc *a, struct zone *z, pfn_t pfn,
			unsigned int order)
{
	const bool exact =
		a->prof.highatomic_limit == HIGHATOMIC_PERCENT_ROUND;
	uint64_t size = pageblock_nr_pages(a);

	if (z->nr_reserved_highatomic >= reserve_limit(a, z))
		return;
	note_lock(a, z);
	if (pageblock_mt(a, pfn) >= MIGRATE_PCPTYPES)
		return;
	if (exact && order >= a->pageblock_order) {
		change_pageblock_range(a, pfn, order, MIGRATE_HIGHATOMIC);
		size = order_nr_pages(order);
	} else {
		if (exact && !pageblock_inside_zone(a, z, pfn))
			return;
		set_pageblock_mt(a, pfn, MIGRATE_HIGHATOMIC);
		move_freepages_block(a, z, pfn, MIGRATE_HIGHATOMIC);
	}
	z->nr_reserved_highatomic += size;
	zone_limits_changed(a, z);
}

/* Give the pageblock of one free H block to mt; did anything move? */
static bool unreserve_block(struct alloc *a, struct zone *z, pfn_t pfn,
			    unsigned int order, enum migratetype mt)
{
	const bool exact =
		a->prof.highatomic_limit == HIGHATOMIC_PERCENT_ROUND;
	uint64_t size = pageblock_nr_pages(a);

	if (exact && size < order_nr_pages(order))
		size = order_nr_pages(order);
	/* The block may be a leftover of a pageblock given back before. */
	if (pageblock_mt(a, pfn) == MIGRATE_HIGHATOMIC) {
		if (size > z->nr_reserved_highatomic)
			size = z->nr_reserved_highatomic;
		z->nr_reserved_highatomic -= size;
		zone_limits_changed(a, z);
	}
	if (exact && order >= a->pageblock_order) {
		move_to_free_list(a, z, pfn, order, mt);
		change_pageblock_range(a, pfn, order, mt);
		return true;
	}
	if (exact && !pageblock_inside_zone(a, z, pfn))
		return false;
	set_pageblock_mt(a, pfn, mt);
	return move_freepages_block(a, z, pfn, mt) != 0;
}

static bool unreserve_zone(struct alloc *a, struct zone *z,
			   enum migratetype mt)
{
	note_lock(a, z);
	for (unsigned int order = 0; order <= MAX_PAGE_ORDER; order++) {
		const struct page_list *list =
			&z->free_area[order].free_list[MIGRATE_HIGHATOMIC];

		if (list_empty(list))
			continue;
		if (unreserve_block(a, z, list_first(a, list, order), order, mt))
			return true;
	}
	return false;
}

bool unreserve_highatomic(struct alloc *a, const struct zonelist *zl,
			  unsigned int highest, enum migratetype mt, bool force)
{
	for (unsigned int i = 0; i < zl->nr; i++) {
		struct zone *z = zone_at(a, zl->zones[i]);

		if (z->type > highest)
			continue;
		/* One block stays unless the OOM killer is next. */
		if (!force && z->nr_reserved_highatomic <= pageblock_nr_pages(a))
			continue;
		if (unreserve_zone(a, z, mt))
			return true;
	}
	return false;
}

bool alloc_unreserve_highatomic(struct alloc *a, unsigned int cpu, gfp_t gfp)
{
	const struct alloc_request req = {
		.gfp = gfp,
		.cpu = (uint16_t)cpu,
		.node = -1,
		.zone = -1,
	};
	struct alloc_context ac;

	return alloc_context_init(a, &ac, &req) &&
	       unreserve_highatomic(a, ac.zl, ac.highest, ac.mt, false);
}
