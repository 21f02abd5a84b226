/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The short ways of an allocation: what __alloc_pages comes to, 5.3 to 6.18,
 * when the preferred zone is well above its marks and the CPU's list is not
 * empty. Whatever is not certain at sight goes to page_alloc.c; counts and
 * digest are the same on both ways.
 */
#include "alloc/pcp.h"

/*
 * The whole of an allocation if nothing is out of the ordinary: the preferred
 * zone is above its low mark and the CPU's list is not empty. PFN_NONE leaves
 * everything as it was.
 */
static inline __attribute__((always_inline))
pfn_t alloc_pcp_hit(struct alloc *a, struct zone *z, unsigned int cpu,
		    unsigned int order, enum migratetype mt)
{
	struct per_cpu_pages *pcp = &z->pcp[cpu];
	const unsigned int pindex = order_to_pindex(a, order, mt);
	pfn_t pfn;

	if (unlikely(list_empty(&pcp->lists[pindex])))
		return PFN_NONE;
	pcp_note_alloc(a, pcp);
	pfn = pcp_take_head(a, pcp, pindex, order);
	alloc_count_cpu(a, z, cpu, pfn, order);
	return pfn;
}

/*
 * Orders that no CPU's list keeps: what rmqueue comes to if the type has the
 * largest of blocks, out of which any order can be cut.
 */
static __attribute__((noinline))
pfn_t alloc_buddy_hit(struct alloc *a, struct zone *z, unsigned int order,
		      enum migratetype mt)
{
	pfn_t pfn;

	if (unlikely(z->nr_free_cma != 0) ||
	    list_empty(&z->free_area[MAX_PAGE_ORDER].free_list[mt]))
		return PFN_NONE;
	note_lock(a, z);
	pfn = rmqueue_smallest(a, z, order, mt);
	alloc_count(a, z, pfn, order);
	return pfn;
}

/*
 * The short way for higher orders, whose watermark test wants to see a block
 * that is large enough, too. Free blocks of the largest order are the usual
 * proof.
 */
static inline __attribute__((always_inline))
pfn_t alloc_high(struct alloc *a, unsigned int cpu, unsigned int order,
		 gfp_t gfp)
{
	const unsigned int node = a->nr_nodes == 1 ? 0 : a->cpu_node[cpu];
	struct zone *z = pcp_hit_zone(a, node, gfp);
	pfn_t pfn = PFN_NONE;

	if (likely(z != NULL) &&
	    z->free_pages > z->hit_limit[gfp_highest_zone(gfp)] +
				    order_nr_pages(order) &&
	    !list_empty(&z->free_area[MAX_PAGE_ORDER]
				.free_list[MIGRATE_MOVABLE]))
		pfn = pcp_order_allowed(a, order) ?
			      alloc_pcp_hit(a, z, cpu, order, gfp_mt(a, gfp)) :
			      alloc_buddy_hit(a, z, order, gfp_mt(a, gfp));
	if (likely(pfn != PFN_NONE))
		return pfn;
	return alloc_first_attempt(a, cpu, order, gfp);
}

static __attribute__((noinline))
pfn_t alloc_high_any(struct alloc *a, unsigned int cpu, unsigned int order,
		     gfp_t gfp)
{
	if (order == HPAGE_PMD_ORDER)
		return alloc_high(a, cpu, HPAGE_PMD_ORDER, gfp);
	return alloc_high(a, cpu, order, gfp);
}

/* Let the next request of this kind take the bare way. */
static void remember_bare(struct alloc *a, struct zone *z, gfp_t gfp)
{
	if (!a->bare || a->nr_nodes > 1)
		return;
	a->bare_gfp = gfp;
	a->bare_mt = gfp_mt(a, gfp);
	a->bare_zone = z;
	a->bare_limit = &z->hit_limit[gfp_highest_zone(gfp)];
}

static __attribute__((noinline))
pfn_t alloc_page_hooked(struct alloc *a, unsigned int cpu, gfp_t gfp)
{
	const unsigned int node = a->nr_nodes == 1 ? 0 : a->cpu_node[cpu];
	struct zone *z = pcp_hit_zone(a, node, gfp);
	pfn_t pfn = PFN_NONE;

	if (likely(z && pcp_hit_allowed(z, gfp_highest_zone(gfp)))) {
		remember_bare(a, z, gfp);
		pfn = alloc_pcp_hit(a, z, cpu, 0, gfp_mt(a, gfp));
	}
	if (likely(pfn != PFN_NONE))
		return pfn;
	return alloc_first_attempt(a, cpu, 0, gfp);
}

/*
 * Nothing in here is called before it is certain that the page comes from
 * elsewhere, so that the usual case needs no stack.
 */
pfn_t alloc_page_fast(struct alloc *a, unsigned int cpu, unsigned int order,
		      gfp_t gfp)
{
	if (unlikely(order != 0))
		return alloc_high_any(a, cpu, order, gfp);
	if (likely(gfp == a->bare_gfp)) {
		struct zone *z = a->bare_zone;
		struct per_cpu_pages *pcp = &z->pcp[cpu];
		pfn_t pfn;

		if (likely(z->free_pages > *a->bare_limit)) {
			pfn = pcp_pop_plain(a, pcp, a->bare_mt);
			if (likely(pfn != PFN_NONE)) {
				if (pcp->free_factor | pcp->free_count)
					pcp_note_alloc(a, pcp);
				return pfn;
			}
		}
	}
	return alloc_page_hooked(a, cpu, gfp);
}
