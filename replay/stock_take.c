/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Taking pages off the twin's lists, wherever they are, and remembering those
 * that a bulk allocation must have taken (alloc_pages_bulk has no tracepoint).
 */
#include "include/bitmap.h"
#include "replay/stock.h"

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

uint32_t stock_take_out(struct replay *r, pfn_t pfn, unsigned int order,
			unsigned int cpu)
{
	const pfn_t end = pfn + order_nr_pages(order);
	uint32_t taken = 0;

	for (pfn_t p = pfn; p < end;) {
		pfn_t head = p;
		unsigned int high = 0;
		const enum alloc_page_state state =
			alloc_page_lookup(r->alloc, p, &head, &high);

		if (state == ALLOC_PAGE_USED) {
			p++;
			continue;
		}
		take_listed(r->alloc, state, head, high, pfn, order, cpu);
		if (high >= order)
			return order_nr_pages(order);
		taken += order_nr_pages(high);
		p = head + order_nr_pages(high);
	}
	return taken;
}

void stock_take_bulk(struct replay *r, unsigned int zone, unsigned int cpu,
		     unsigned int pindex, pfn_t stop)
{
	enum migratetype mt;
	unsigned int order;
	pfn_t pfn;

	alloc_pindex_decode(r->alloc, pindex, &order, &mt);
	while ((pfn = alloc_pcp_first(r->alloc, zone, cpu, pindex)) != stop &&
	       pfn != PFN_NONE) {
		alloc_pcp_remove(r->alloc, cpu, pfn);
		bitmap_set_range(r->stock->bulk, pfn, order_nr_pages(order));
		names_bind(&r->names, pfn, pfn, order);
		stock_count(r, STOCK_BULK, order_nr_pages(order));
	}
}

uint32_t stock_forget_bulk(struct replay *r, pfn_t pfn, unsigned int order)
{
	const uint32_t nr = (uint32_t)bitmap_count_range(r->stock->bulk, pfn,
							 order_nr_pages(order));

	if (nr)
		bitmap_clear_range(r->stock->bulk, pfn, order_nr_pages(order));
	return nr;
}
