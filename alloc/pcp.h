/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The per-CPU list operations that sit on the hot path. Private to the per-CPU
 * lists and to the allocation and free entry points.
 */
#ifndef ALLOC_PCP_H
#define ALLOC_PCP_H

#include "alloc/lists.h"
#include "alloc/walk.h"

/* The one order above PAGE_ALLOC_COSTLY_ORDER that has per-CPU lists. */
static inline unsigned int pcp_large_order(const struct alloc *a)
{
	return a->prof.pcp_thp_pmd_order ? HPAGE_PMD_ORDER :
					   a->pageblock_order;
}

static inline bool pcp_order_allowed(const struct alloc *a, unsigned int order)
{
	if (order == 0)
		return true;
	if (a->prof.pcp_orders == PCP_ORDER_0)
		return false;
	return order <= PAGE_ALLOC_COSTLY_ORDER || order == pcp_large_order(a);
}

/* Models order_to_pindex. */
static inline unsigned int order_to_pindex(const struct alloc *a,
					   unsigned int order,
					   enum migratetype mt)
{
	if (__builtin_expect(order > PAGE_ALLOC_COSTLY_ORDER, 0))
		return PCP_THP_PINDEX +
		       (mt == MIGRATE_MOVABLE &&
			a->prof.pcp_orders == PCP_COSTLY_THP_TWO);
	return MIGRATE_PCPTYPES * order + (unsigned int)mt;
}

static inline unsigned int pcp_nr_lists(const struct alloc *a)
{
	switch (a->prof.pcp_orders) {
	case PCP_ORDER_0:
		return MIGRATE_PCPTYPES;
	case PCP_COSTLY_THP_ONE:
		return PCP_THP_PINDEX + 1;
	default:
		return NR_PCP_LISTS;
	}
}

static inline unsigned int pindex_to_order(const struct alloc *a,
					   unsigned int pindex)
{
	return pindex < PCP_THP_PINDEX ? pindex / MIGRATE_PCPTYPES :
					 pcp_large_order(a);
}

/* The cached type stays. */
static inline void pcp_rec_set(struct page_rec *rec, unsigned int order,
			       unsigned int pindex)
{
	rec->state = PAGE_PCP;
	rec->order = (uint8_t)order;
	rec->list = (uint8_t)pindex;
}

/* Take the head of a list that is not empty. */
static inline pfn_t pcp_take_head(struct alloc *a, struct per_cpu_pages *pcp,
				  unsigned int pindex, unsigned int order)
{
	struct page_list *list = &pcp->lists[pindex];
	const pfn_t pfn = list_take_first(a, list, order);

	rec_clear(rec_of(a, pfn, order));
	pcp->count -= order_nr_pages(order);
	a->work->pcp_ops++;
	return pfn;
}

/*
 * Take the head of a list of order 0 if nothing but this chunk changes, else
 * PFN_NONE: 12 times out of 13 another block follows in its chunk.
 */
static inline pfn_t pcp_pop_plain(struct alloc *a, struct per_cpu_pages *pcp,
				  unsigned int mt)
{
	struct page_list *list = &pcp->lists[mt];
	const uint32_t place = list->head;
	uint32_t *words = a->words;
	uint32_t *count;
	pfn_t pfn;

	if (__builtin_expect(place == LINK_NONE, 0))
		return PFN_NONE;
	count = &words[chunk_of(place) + CHUNK_COUNT];
	if (__builtin_expect(*count == 1, 0) ||
	    __builtin_expect(words[place + 1] == PFN_NONE, 0))
		return PFN_NONE;
	pfn = words[place];
	words[place] = PFN_NONE;
	(*count)--;
	list->head = place + 1;
	rec_clear(&a->pages[pfn]);
	pcp->count--;
	pcp->bare_allocs++;
	return pfn;
}

/* Put a page in front of a list whose first chunk has room; false if not. */
static inline bool pcp_push_plain(struct alloc *a, struct per_cpu_pages *pcp,
				  pfn_t pfn)
{
	struct page_list *list = &pcp->lists[MIGRATE_MOVABLE];
	uint32_t place = list->head;
	uint32_t *words = a->words;

	if (__builtin_expect(place == LINK_NONE, 0) ||
	    __builtin_expect(place % CHUNK_WORDS == CHUNK_FIRST, 0))
		return false;
	place--;
	break_region(a, pfn);
	list->head = place;
	words[place] = pfn;
	words[chunk_of(place) + CHUNK_COUNT]++;
	a->pages[pfn].place = place;
	a->pages[pfn].tag = rec_tag(PAGE_PCP, 0, MIGRATE_MOVABLE,
				    MIGRATE_MOVABLE);
	pcp->count++;
	pcp->bare_frees++;
	return true;
}

/* May the CPUs' lists of this zone serve order-0 requests at sight? */
static inline bool pcp_hit_allowed(const struct zone *z, unsigned int highest)
{
	return z->free_pages > z->hit_limit[highest];
}

/*
 * The zone that order-0 requests of a node go to as long as nothing is out of
 * the ordinary; NULL if they always go the long way. Events and the rules for
 * several nodes are for the ordinary way.
 */
static inline struct zone *pcp_hit_zone(const struct alloc *a,
					unsigned int node, gfp_t gfp)
{
	if (__builtin_expect(a->plain_alloc && !(gfp & GFP_BIT_THISNODE), 1))
		return a->preferred[node][gfp_highest_zone(gfp)];
	return NULL;
}

/* refill.c: models rmqueue_bulk, with the number of blocks of the profile. */
void pcp_refill(struct alloc *a, struct zone *z, struct per_cpu_pages *pcp,
		unsigned int order, enum migratetype mt,
		unsigned int alloc_flags);

/* An allocation has come to this pageset: let the flush size shrink again. */
static inline void pcp_note_alloc(const struct alloc *a,
				  struct per_cpu_pages *pcp)
{
	if (__builtin_expect(a->prof.pcp_flush == PCP_FLUSH_FACTOR, 1))
		pcp->free_factor >>= 1;
	else if (a->prof.pcp_flush == PCP_FLUSH_COUNT)
		pcp->free_count >>= 1;
}

/* Out of line: flush what the profile flushes after this free. */
void pcp_flush_if_high(struct alloc *a, struct zone *z, unsigned int cpu,
		       unsigned int order, unsigned int pindex);

/* Can the free that made the count what it is need no flush at all? */
static inline bool pcp_surely_below_high(const struct alloc *a,
					 const struct zone *z,
					 const struct per_cpu_pages *pcp,
					 unsigned int order)
{
	switch (a->prof.pcp_flush) {
	case PCP_FLUSH_BATCH:
		return pcp->count < pcp->high;
	case PCP_FLUSH_FACTOR:
		return pcp->count < pcp->high && !z->reclaim_active &&
		       (order == 0 || order > PAGE_ALLOC_COSTLY_ORDER ||
			pcp->free_factor == 0);
	default:
		return false;
	}
}

/*
 * Frees of order 0 after which the pageset has to be looked at: those that can
 * be committed at once, the last of them looking.
 */
static inline unsigned int pcp_plain_room(const struct alloc *a,
					  const struct zone *z,
					  const struct per_cpu_pages *pcp)
{
	if (a->prof.pcp_flush == PCP_FLUSH_COUNT || pcp->count >= pcp->high ||
	    (a->prof.pcp_flush == PCP_FLUSH_FACTOR && z->reclaim_active))
		return 1;
	return pcp->high - pcp->count;
}

/*
 * pcp_commit() for nr single movable pages, no more than pcp_plain_room(). As
 * each goes to the head, their places run down.
 */
static inline void pcp_commit_run(struct alloc *a, struct zone *z,
				  unsigned int cpu, const pfn_t *pfns,
				  unsigned int nr)
{
	struct per_cpu_pages *pcp = &z->pcp[cpu];
	struct page_list *list = &pcp->lists[MIGRATE_MOVABLE];
	const uint32_t tag = rec_tag(PAGE_PCP, 0, MIGRATE_MOVABLE,
				     MIGRATE_MOVABLE);
	uint32_t region = LINK_NONE;

	for (unsigned int i = 0; i < nr;) {
		uint32_t place = chunk_head_room(a, list);
		uint32_t row = place % CHUNK_WORDS - CHUNK_FIRST + 1;

		if (row > nr - i)
			row = nr - i;
		a->words[chunk_of(place) + CHUNK_COUNT] += row;
		list->head = place + 1 - row;
		for (; row > 0; row--, place--, i++) {
			const pfn_t pfn = pfns[i];

			if (__builtin_expect(pfn_region(pfn) != region, 0)) {
				break_region(a, pfn);
				region = pfn_region(pfn);
			}
			a->words[place] = pfn;
			a->pages[pfn].place = place;
			a->pages[pfn].tag = tag;
		}
	}
	pcp->count += nr;
	a->work->pcp_ops += nr;
	if (!pcp_surely_below_high(a, z, pcp, 0))
		pcp_flush_if_high(a, z, cpu, 0, MIGRATE_MOVABLE);
}

/*
 * Models free_unref_page_commit: `mt` is the type the free was prepared with,
 * below MIGRATE_ISOLATE. Highatomic and CMA pages go with the movable ones and
 * find their way back when they are flushed. Inlined, since with a constant
 * order half of it goes away.
 */
static inline __attribute__((always_inline))
void pcp_commit(struct alloc *a, struct zone *z, unsigned int cpu, pfn_t pfn,
		unsigned int order, enum migratetype mt)
{
	struct per_cpu_pages *pcp = &z->pcp[cpu];
	struct page_rec *rec = rec_of(a, pfn, order);
	const enum migratetype list_mt =
		mt < MIGRATE_PCPTYPES ? mt : MIGRATE_MOVABLE;
	const unsigned int pindex = order_to_pindex(a, order, list_mt);

	list_add_head(a, &pcp->lists[pindex], pfn, order);
	rec->tag = rec_tag(PAGE_PCP, order, pindex, (unsigned int)mt);
	pcp->count += order_nr_pages(order);
	a->work->pcp_ops++;
	if (!pcp_surely_below_high(a, z, pcp, order))
		pcp_flush_if_high(a, z, cpu, order, pindex);
}

#endif
