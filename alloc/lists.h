/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Ordered lists of free blocks, for the buddy and the per-CPU lists. Hides
 * where a block's record and its place in the list live: below order 9 in the
 * sparse page table and in chunks (alloc/chunks.h), from order 9 on in the
 * dense region table, linked. All blocks of one list have one order; callers
 * deal in PFNs.
 *
 * These functions touch places and links only. State, order and type of a
 * record belong to the caller, as do all counts.
 */
#ifndef ALLOC_LISTS_H
#define ALLOC_LISTS_H

#include "alloc/chunks.h"
#include "alloc/internal.h"

_Static_assert(LINK_NONE == PFN_NONE, "an end of a list is no page");
_Static_assert(sizeof(struct page_rec) == 8, "hot record");

/* Value of a PAGE_NONE region's `order`: its page records are in use. */
#define REGION_BROKEN 1

/* Is the list one of linked regions? */
static inline bool order_is_large(unsigned int order)
{
	return order >= HPAGE_PMD_ORDER;
}

/* LINK_NONE becomes PFN_NONE. */
static inline pfn_t region_pfn(uint32_t region)
{
	return region == LINK_NONE ? PFN_NONE : region << HPAGE_PMD_ORDER;
}

static inline pfn_t place_pfn(const struct alloc *a, uint32_t place)
{
	return place == LINK_NONE ? PFN_NONE : a->words[place];
}

/* Record of the block of `order` at pfn, whatever its state. */
static inline struct page_rec *rec_of(const struct alloc *a, pfn_t pfn,
				      unsigned int order)
{
	return order_is_large(order) ? &a->regions[pfn_region(pfn)] :
				       &a->pages[pfn];
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

static inline pfn_t list_first(const struct alloc *a,
			       const struct page_list *list,
			       unsigned int order)
{
	return order_is_large(order) ? region_pfn(list->head) :
				       place_pfn(a, list->head);
}

/*
 * The block `ahead` places behind the first, if it is known without a search;
 * PFN_NONE otherwise. For prefetching.
 */
static inline pfn_t list_peek(const struct alloc *a,
			      const struct page_list *list, unsigned int order,
			      uint32_t ahead)
{
	const uint32_t place = list->head;

	if (order_is_large(order) || place == LINK_NONE ||
	    place % CHUNK_WORDS + ahead >= CHUNK_WORDS)
		return PFN_NONE;
	return a->words[place + ahead];
}

static inline pfn_t list_last(const struct alloc *a,
			      const struct page_list *list, unsigned int order)
{
	return order_is_large(order) ? region_pfn(list->tail) :
				       place_pfn(a, list->tail);
}

static inline pfn_t list_next(const struct alloc *a, pfn_t pfn,
			      unsigned int order)
{
	if (order_is_large(order))
		return region_pfn(a->links[pfn_region(pfn)].next);
	return place_pfn(a, chunk_next(a, a->pages[pfn].place));
}

static inline pfn_t list_prev(const struct alloc *a, pfn_t pfn,
			      unsigned int order)
{
	if (order_is_large(order))
		return region_pfn(a->links[pfn_region(pfn)].prev);
	return place_pfn(a, chunk_prev(a, a->pages[pfn].place));
}

/* Link a region between two neighbours, either of which may be LINK_NONE. */
static inline void link_region(struct alloc *a, struct page_list *list,
			       uint32_t prev, uint32_t node, uint32_t next)
{
	struct region_links *tab = a->links;

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

static inline void unlink_region(struct alloc *a, struct page_list *list,
				 uint32_t node)
{
	struct region_links *tab = a->links;

	if (tab[node].prev == LINK_NONE)
		list->head = tab[node].next;
	else
		tab[tab[node].prev].next = tab[node].next;
	if (tab[node].next == LINK_NONE)
		list->tail = tab[node].prev;
	else
		tab[tab[node].next].prev = tab[node].prev;
}

/* Page records of this region are in use from now on. */
static inline void break_region(struct alloc *a, pfn_t pfn)
{
	a->regions[pfn_region(pfn)].order = REGION_BROKEN;
}

static inline void list_add_head(struct alloc *a, struct page_list *list,
				 pfn_t pfn, unsigned int order)
{
	if (order_is_large(order)) {
		link_region(a, list, LINK_NONE, pfn_region(pfn), list->head);
	} else {
		break_region(a, pfn);
		chunk_add_head(a, list, pfn);
	}
}

static inline void list_add_tail(struct alloc *a, struct page_list *list,
				 pfn_t pfn, unsigned int order)
{
	if (order_is_large(order)) {
		link_region(a, list, list->tail, pfn_region(pfn), LINK_NONE);
	} else {
		break_region(a, pfn);
		chunk_add_tail(a, list, pfn);
	}
}

/* `pos` is a block of this list; PFN_NONE is the tail. */
static inline void list_insert_before(struct alloc *a, struct page_list *list,
				      pfn_t pos, pfn_t pfn, unsigned int order)
{
	if (pos == PFN_NONE) {
		list_add_tail(a, list, pfn, order);
	} else if (order_is_large(order)) {
		link_region(a, list, a->links[pfn_region(pos)].prev,
			    pfn_region(pfn), pfn_region(pos));
	} else {
		break_region(a, pfn);
		chunk_insert_before(a, list, pos, pfn);
	}
}

static inline void list_del(struct alloc *a, struct page_list *list, pfn_t pfn,
			    unsigned int order)
{
	if (order_is_large(order))
		unlink_region(a, list, pfn_region(pfn));
	else
		chunk_del(a, list, a->pages[pfn].place);
}

/* Take the first block of a list that is not empty. */
static inline pfn_t list_take_first(struct alloc *a, struct page_list *list,
				    unsigned int order)
{
	const pfn_t pfn = list_first(a, list, order);

	if (order_is_large(order))
		unlink_region(a, list, list->head);
	else
		chunk_del(a, list, list->head);
	return pfn;
}

/* Join the ends and cut before `node`: what moving a sentinel does. */
static inline void cut_regions_before(struct alloc *a, struct page_list *list,
				      uint32_t node)
{
	struct region_links *tab = a->links;
	const uint32_t last = tab[node].prev;

	if (last == LINK_NONE)
		return;
	tab[list->tail].next = list->head;
	tab[list->head].prev = list->tail;
	list->head = node;
	list->tail = last;
	tab[node].prev = LINK_NONE;
	tab[last].next = LINK_NONE;
}

/* The list starts at pfn, its order around the ring unchanged. */
static inline void list_rotate_to_front(struct alloc *a,
					struct page_list *list, pfn_t pfn,
					unsigned int order)
{
	if (order_is_large(order))
		cut_regions_before(a, list, pfn_region(pfn));
	else
		chunk_rotate_to_front(a, list, pfn);
}

/* The list ends with pfn. */
static inline void list_rotate_to_back(struct alloc *a, struct page_list *list,
				       pfn_t pfn, unsigned int order)
{
	const pfn_t next = list_next(a, pfn, order);

	if (next != PFN_NONE)
		list_rotate_to_front(a, list, next, order);
}

#endif
