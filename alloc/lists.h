/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Ordered lists of free blocks, for the buddy and the per-CPU lists. Hides
 * where a block's record lives: in the dense region table for order >= 9, in
 * the sparse per-page table below. All blocks of one list have one order, so
 * links are region numbers or PFNs throughout; callers deal in PFNs.
 *
 * These functions touch links only. State, order and type of a record belong
 * to the caller, as do all counts.
 */
#ifndef ALLOC_LISTS_H
#define ALLOC_LISTS_H

#include "alloc/internal.h"

_Static_assert(LINK_NONE == PFN_NONE, "an end of a list is no page");
_Static_assert(sizeof(struct page_rec) == 12, "hot record");

/* Value of a PAGE_NONE region's `order`: its page records are in use. */
#define REGION_BROKEN 1

static inline struct page_rec *link_table(const struct alloc *a,
					  unsigned int order)
{
	return order >= HPAGE_PMD_ORDER ? a->regions : a->pages;
}

static inline uint32_t pfn_link(pfn_t pfn, unsigned int order)
{
	return order >= HPAGE_PMD_ORDER ? pfn_region(pfn) : pfn;
}

/* LINK_NONE becomes PFN_NONE. */
static inline pfn_t link_pfn(uint32_t link, unsigned int order)
{
	if (order < HPAGE_PMD_ORDER || link == LINK_NONE)
		return link;
	return link << HPAGE_PMD_ORDER;
}

/* Record of the block of `order` at pfn, whatever its state. */
static inline struct page_rec *rec_of(const struct alloc *a, pfn_t pfn,
				      unsigned int order)
{
	return &link_table(a, order)[pfn_link(pfn, order)];
}

/*
 * May page records of this region say anything? False as long as the region
 * is, or is part of, one block of order >= 9: its page records are then not
 * even read, so that they are never committed.
 */
static inline bool region_broken(const struct alloc *a, uint32_t region)
{
	const struct page_rec *r = &a->regions[region];

	return r->state == PAGE_NONE && r->order == REGION_BROKEN;
}

/*
 * Record of the block on a buddy or pcp list that pfn heads, NULL if it heads
 * none. Slower than rec_of(), which is for those who know the order.
 */
static inline struct page_rec *head_rec(const struct alloc *a, pfn_t pfn)
{
	struct page_rec *region = &a->regions[pfn_region(pfn)];

	if (region->state != PAGE_NONE)
		return pfn_aligned(pfn, HPAGE_PMD_ORDER) ? region : NULL;
	if (region->order != REGION_BROKEN)
		return NULL;
	return a->pages[pfn].state != PAGE_NONE ? &a->pages[pfn] : NULL;
}

static inline void list_init(struct page_list *list)
{
	list->head = LINK_NONE;
	list->tail = LINK_NONE;
}

static inline bool list_empty(const struct page_list *list)
{
	return list->head == LINK_NONE;
}

static inline pfn_t list_first(const struct page_list *list,
			       unsigned int order)
{
	return link_pfn(list->head, order);
}

static inline pfn_t list_last(const struct page_list *list, unsigned int order)
{
	return link_pfn(list->tail, order);
}

static inline pfn_t list_next(const struct alloc *a, pfn_t pfn,
			      unsigned int order)
{
	return link_pfn(rec_of(a, pfn, order)->next, order);
}

static inline pfn_t list_prev(const struct alloc *a, pfn_t pfn,
			      unsigned int order)
{
	return link_pfn(rec_of(a, pfn, order)->prev, order);
}

/* Link a node between two neighbours, either of which may be LINK_NONE. */
static inline void list_link(struct alloc *a, struct page_list *list,
			     uint32_t prev, uint32_t node, uint32_t next,
			     unsigned int order)
{
	struct page_rec *tab = link_table(a, order);

	if (order < HPAGE_PMD_ORDER)
		a->regions[pfn_region(node)].order = REGION_BROKEN;
	tab[node].prev = prev;
	tab[node].next = next;
	if (prev == LINK_NONE)
		list->head = node;
	else
		tab[prev].next = node;
	if (next == LINK_NONE)
		list->tail = node;
	else
		tab[next].prev = node;
}

static inline void list_add_head(struct alloc *a, struct page_list *list,
				 pfn_t pfn, unsigned int order)
{
	list_link(a, list, LINK_NONE, pfn_link(pfn, order), list->head, order);
}

static inline void list_add_tail(struct alloc *a, struct page_list *list,
				 pfn_t pfn, unsigned int order)
{
	list_link(a, list, list->tail, pfn_link(pfn, order), LINK_NONE, order);
}

/* `pos` is a block of this list; PFN_NONE is the tail. */
static inline void list_insert_before(struct alloc *a, struct page_list *list,
				      pfn_t pos, pfn_t pfn, unsigned int order)
{
	uint32_t next;

	if (pos == PFN_NONE) {
		list_add_tail(a, list, pfn, order);
		return;
	}
	next = pfn_link(pos, order);
	list_link(a, list, link_table(a, order)[next].prev,
		  pfn_link(pfn, order), next, order);
}

static inline void list_del(struct alloc *a, struct page_list *list, pfn_t pfn,
			    unsigned int order)
{
	struct page_rec *tab = link_table(a, order);
	const struct page_rec *node = &tab[pfn_link(pfn, order)];

	if (node->prev == LINK_NONE)
		list->head = node->next;
	else
		tab[node->prev].next = node->next;
	if (node->next == LINK_NONE)
		list->tail = node->prev;
	else
		tab[node->next].prev = node->prev;
}

/* Join the ends and cut before `node`: what moving a sentinel does. */
static inline void list_cut_before(struct page_rec *tab,
				   struct page_list *list, uint32_t node)
{
	const uint32_t last = tab[node].prev;

	tab[list->tail].next = list->head;
	tab[list->head].prev = list->tail;
	list->head = node;
	list->tail = last;
	tab[node].prev = LINK_NONE;
	tab[last].next = LINK_NONE;
}

/* O(1): the list starts at pfn, its order around the ring unchanged. */
static inline void list_rotate_to_front(struct alloc *a,
					struct page_list *list, pfn_t pfn,
					unsigned int order)
{
	const uint32_t node = pfn_link(pfn, order);

	if (list->head != node)
		list_cut_before(link_table(a, order), list, node);
}

/* O(1): the list ends with pfn. */
static inline void list_rotate_to_back(struct alloc *a, struct page_list *list,
				       pfn_t pfn, unsigned int order)
{
	struct page_rec *tab = link_table(a, order);
	const uint32_t node = pfn_link(pfn, order);

	if (list->tail != node)
		list_cut_before(tab, list, tab[node].next);
}

#endif
