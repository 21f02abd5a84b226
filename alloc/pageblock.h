/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What fallback and isolation need to know about one pageblock. */
#ifndef ALLOC_PAGEBLOCK_H
#define ALLOC_PAGEBLOCK_H

#include "alloc/internal.h"

struct pageblock_census {
	uint32_t free;    /* pages of free blocks that start in it */
	uint32_t movable; /* allocated pages on the LRU or with movable ops */
};

static inline uint32_t pageblock_nr_pages(const struct alloc *a)
{
	return order_nr_pages(a->pageblock_order);
}

/* Is the whole pageblock of pfn inside the zone? */
bool pageblock_inside_zone(const struct alloc *a, const struct zone *z,
			   pfn_t pfn);
/* Count without moving. The pageblock is inside the zone. */
void count_pageblock(struct alloc *a, struct zone *z, pfn_t pfn,
		     struct pageblock_census *census);
/* Move every free block to mt's lists and count on the way. */
void move_pageblock(struct alloc *a, struct zone *z, pfn_t pfn,
		    enum migratetype mt, struct pageblock_census *census);
/* Models change_pageblock_range: every pageblock of one block. */
void change_pageblock_range(struct alloc *a, pfn_t pfn, unsigned int order,
			    enum migratetype mt);
/* Store a type whatever the state of mobility grouping. */
void store_pageblock_mt(struct alloc *a, pfn_t pfn, enum migratetype mt);

#endif
