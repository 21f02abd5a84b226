/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Remembering the pages that a bulk allocation must have taken
 * (alloc_pages_bulk has no tracepoint).
 */
#include "include/bitmap.h"
#include "replay/stock.h"

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
