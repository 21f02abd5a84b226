/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Blocks go on and off the free lists: what merging, splitting and refills have
 * in common. Private to alloc/; counts of pages and touches are the caller's.
 */
#ifndef ALLOC_FREE_LIST_H
#define ALLOC_FREE_LIST_H

#include "alloc/lists.h"

/* How far ahead of a refill records are loaded; measured, not critical. */
#define PREFETCH_AHEAD 4

/* buddy.c: a marked block is about to leave its list, or to change it. */
void drop_marks(struct alloc *a, struct zone *z, pfn_t pfn,
		unsigned int order, enum unmark_reason why);

/*
 * Inlined where the order is known to be small or large: the choice between
 * the two tables of records is then made once.
 */
static inline __attribute__((always_inline))
void del_block(struct alloc *a, struct zone *z, pfn_t pfn, unsigned int order,
	       enum unmark_reason why)
{
	struct page_rec *rec = rec_of(a, pfn, order);
	struct free_area *area = &z->free_area[order];

	if (unlikely(rec->aux))
		drop_marks(a, z, pfn, order, why);
	list_del(a, &area->free_list[rec->list], pfn, order);
	area->nr_free--;
	rec_clear(rec);
}

static inline void set_free_head(struct alloc *a, pfn_t pfn,
				 unsigned int order, enum migratetype mt)
{
	rec_of(a, pfn, order)->tag = rec_tag(PAGE_BUDDY, order,
					     (unsigned int)mt, 0);
}

static inline __attribute__((always_inline))
void add_block_head(struct alloc *a, struct zone *z, pfn_t pfn,
		    unsigned int order, enum migratetype mt)
{
	struct free_area *area = &z->free_area[order];

	list_add_head(a, &area->free_list[mt], pfn, order);
	set_free_head(a, pfn, order, mt);
	area->nr_free++;
}

/* A refill comes back for the next blocks of this list: load their records. */
static inline __attribute__((always_inline))
void prefetch_next(const struct alloc *a, const struct page_list *list,
		   unsigned int order)
{
	const pfn_t pfn = list_peek(a, list, order, PREFETCH_AHEAD);

	if (pfn != PFN_NONE)
		__builtin_prefetch(rec_of(a, pfn, order), 1);
}

#endif
