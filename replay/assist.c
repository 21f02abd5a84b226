/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Assisted mode: after a miss the observed page is taken out of wherever the
 * twin has it, and the twin's own answer goes back to the buddy lists, so that
 * both own the same pages again. List order around the two stays the twin's:
 * what follows is measured from a state that is near the kernel's, not equal.
 */
#include "replay/internal.h"

/* Parts of an allocated block [head, high) beside [pfn, low) are freed. */
static void free_rest(struct alloc *a, pfn_t head, unsigned int high,
		      pfn_t pfn, unsigned int low)
{
	while (high > low) {
		const pfn_t upper = head + order_nr_pages(--high);

		if (pfn >= upper) {
			alloc_free_buddy(a, head, high);
			head = upper;
		} else {
			alloc_free_buddy(a, upper, high);
		}
	}
}

/* The part of a listed block that lies in [pfn, order) leaves its list. */
static void take_listed(struct alloc *a, enum alloc_page_state state,
			pfn_t head, unsigned int high, pfn_t pfn,
			unsigned int order, unsigned int cpu)
{
	const unsigned int low = high < order ? high : order;
	const pfn_t wanted = high < order ? head : pfn;
	unsigned int pindex;

	if (state == ALLOC_PAGE_BUDDY) {
		alloc_take_off_buddy(a, wanted, low);
		return;
	}
	alloc_pcp_remove(a, alloc_pcp_owner(a, head, cpu, &pindex), head);
	free_rest(a, head, high, wanted, low);
}

uint32_t take_out(struct alloc *a, pfn_t pfn, unsigned int order,
		  unsigned int cpu)
{
	const pfn_t end = pfn + order_nr_pages(order);
	uint32_t taken = 0;

	for (pfn_t p = pfn; p < end;) {
		pfn_t head = p;
		unsigned int high = 0;
		const enum alloc_page_state state =
			alloc_page_lookup(a, p, &head, &high);

		if (state == ALLOC_PAGE_USED) {
			p++;
			continue;
		}
		take_listed(a, state, head, high, pfn, order, cpu);
		if (high >= order)
			return order_nr_pages(order);
		taken += order_nr_pages(high);
		p = head + order_nr_pages(high);
	}
	return taken;
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
	alloc_page_lookup(a, expected, &head, &order);
	if (order >= rec->order) {
		take_out(a, expected, rec->order, rec->cpu);
		return true;
	}
	/* The twin has parts of it in use: it keeps its own answer. */
	if (got != PFN_NONE)
		alloc_take_off_buddy(a, got, rec->order);
	return false;
}
