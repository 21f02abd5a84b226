/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Assisted mode: after a miss the observed page is taken out of wherever the
 * twin has it, and the twin's own answer goes back to the buddy lists, so that
 * both own the same pages again. List order around the two stays the twin's:
 * what follows is measured from a state that is near the kernel's, not equal.
 */
#include "replay/internal.h"

/* CPU whose pageset of `zone` holds the block, or -1. */
static int holding_cpu(const struct alloc *a, unsigned int zone, pfn_t block)
{
	struct alloc_pcp_info info;

	for (unsigned int c = 0; c < alloc_nr_cpus(a); c++) {
		alloc_pcp_info(a, zone, c, &info);
		for (unsigned int i = 0; i < info.nr_lists; i++)
			for (pfn_t p = alloc_pcp_first(a, zone, c, i);
			     p != PFN_NONE; p = alloc_list_next(a, p))
				if (p == block)
					return (int)c;
	}
	return -1;
}

/* Pages of a pcp list can only be reached by draining it. */
static void drain_holder(struct alloc *a, pfn_t block)
{
	const unsigned int zone = (unsigned int)alloc_zone_of(a, block);
	const int cpu = holding_cpu(a, zone, block);
	struct alloc_pcp_info info;

	if (cpu < 0)
		return;
	alloc_pcp_info(a, zone, (unsigned int)cpu, &info);
	alloc_drain_pageset(a, zone, (unsigned int)cpu, info.count, 0);
}

/* Cut [pfn, order) out of the free block at `head`; the rest stays free. */
static void cut_out(struct alloc *a, pfn_t head, unsigned int head_order,
		    pfn_t pfn, unsigned int order)
{
	alloc_isolate_raw(a, head);
	while (head_order > order) {
		const pfn_t upper = head + order_nr_pages(--head_order);

		if (pfn >= upper) {
			alloc_free_buddy(a, head, head_order);
			head = upper;
		} else {
			alloc_free_buddy(a, upper, head_order);
		}
	}
}

bool assist_force(struct replay *r, const struct req_record *rec,
		  pfn_t expected, pfn_t got)
{
	struct alloc *a = r->alloc;
	unsigned int order = 0;
	pfn_t head = PFN_NONE;

	if (expected == PFN_NONE ||
	    alloc_page_lookup(a, expected, &head, &order) == ALLOC_PAGE_USED)
		return false;
	if (got != PFN_NONE)
		alloc_free_buddy(a, got, rec->order);
	if (alloc_page_lookup(a, expected, &head, &order) == ALLOC_PAGE_PCP)
		drain_holder(a, head);
	if (alloc_page_lookup(a, expected, &head, &order) != ALLOC_PAGE_BUDDY ||
	    order < rec->order)
		return false;
	cut_out(a, head, order, expected, rec->order);
	return true;
}
