/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Per-CPU page lists: allocation from them. Models rmqueue_pcplist, 5.3 to
 * 6.18, and the bulk allocator alloc_pages_bulk of 5.13 on.
 *
 * Left out: contention for the pcp lock. A request that finds it taken goes
 * past the list (ALLOC_REQ_BUDDY says so); which one does cannot be predicted.
 */
#include "alloc/pcp.h"

bool pcp_allowed_order(const struct alloc *a, unsigned int order)
{
	return pcp_order_allowed(a, order);
}

/* Models __rmqueue_pcplist. */
static pfn_t pcp_take(struct alloc *a, struct zone *z,
		      struct per_cpu_pages *pcp, unsigned int order,
		      enum migratetype mt, unsigned int alloc_flags)
{
	const unsigned int pindex = order_to_pindex(a, order, mt);

	if (list_empty(&pcp->lists[pindex])) {
		pcp_refill(a, z, pcp, order, mt, alloc_flags);
		if (list_empty(&pcp->lists[pindex]))
			return PFN_NONE;
	}
	return pcp_take_head(a, pcp, pindex, order);
}

pfn_t pcp_alloc(struct alloc *a, struct zone *z, unsigned int cpu,
		unsigned int order, enum migratetype mt,
		unsigned int alloc_flags)
{
	struct per_cpu_pages *pcp = &z->pcp[cpu];

	pcp_note_alloc(a, pcp);
	return pcp_take(a, z, pcp, order, mt, alloc_flags);
}

/* Flags of a bulk request: no kswapd, no NOFRAGMENT. */
static unsigned int bulk_flags(enum migratetype mt)
{
	return AF_WMARK_LOW | (mt == MIGRATE_MOVABLE ? AF_CMA : 0);
}

pfn_t alloc_pcp_take(struct alloc *a, unsigned int zone, unsigned int cpu,
		     unsigned int order, enum migratetype mt)
{
	struct zone *z = zone_at(a, zone);
	pfn_t pfn;

	CHECK_LT(zone, a->nr_zones);
	CHECK_LT(cpu, a->nr_cpus);
	CHECK_LT((unsigned int)mt, MIGRATE_PCPTYPES);
	CHECK(pcp_order_allowed(a, order));
	pfn = pcp_take(a, z, &z->pcp[cpu], order, mt, bulk_flags(mt));
	if (pfn != PFN_NONE)
		alloc_count_cpu(a, z, cpu, pfn, order);
	return pfn;
}

/* The zone that a bulk request is served from; NULL sends it the long way. */
static struct zone *bulk_zone(struct alloc *a, const struct alloc_context *ac,
			      unsigned int alloc_flags, unsigned int nr)
{
	for (unsigned int i = 0; i < ac->zl->nr; i++) {
		struct zone *z = zone_at(a, ac->zl->zones[i]);

		if (z->type > ac->highest)
			continue;
		if (a->nr_nodes > 1 && z->node != ac->preferred->node)
			return NULL;
		if (zone_watermark_fast(a, z, 0,
					zone_wmark(z, AF_WMARK_LOW) + nr,
					ac->preferred->type, alloc_flags,
					ac->gfp))
			return z;
	}
	return NULL;
}

static unsigned int bulk_from_pcp(struct alloc *a,
				  const struct alloc_context *ac, pfn_t *out,
				  unsigned int nr)
{
	const unsigned int flags = bulk_flags(ac->mt);
	struct zone *z = bulk_zone(a, ac, flags, nr);
	unsigned int got = 0;

	if (z == NULL)
		return 0;
	for (; got < nr; got++) {
		out[got] = pcp_take(a, z, &z->pcp[ac->cpu], 0, ac->mt, flags);
		if (out[got] == PFN_NONE)
			break;
		alloc_count_cpu(a, z, ac->cpu, out[got], 0);
	}
	return got;
}

/*
 * A bulk allocation leaves free_factor and free_count alone and fires no
 * mm_page_alloc. What it cannot serve is left to one ordinary first attempt;
 * 0 means that even this failed and the caller wants alloc_pages(). Releases
 * without it allocate page by page.
 */
unsigned int alloc_pages_bulk(struct alloc *a, struct alloc_request *req,
			      pfn_t *out, unsigned int nr)
{
	struct alloc_request one = *req;
	struct alloc_context ac;
	unsigned int got = 0;

	CHECK_EQ(req->order, 0);
	if (nr == 0 || !alloc_context_init(a, &ac, req))
		return 0;
	if (a->prof.pcp_bulk && nr > 1 && !a->pcp_disabled &&
	    !ac.bypass_pcp) {
		got = bulk_from_pcp(a, &ac, out, nr);
		nr = got > 0 ? got : 1;
	}
	one.flags |= ALLOC_REQ_NO_SLOWPATH;
	for (; got < nr; got++) {
		const struct alloc_result res = alloc_pages(a, &one);

		if (res.status != ALLOC_OK)
			break;
		out[got] = res.pfn;
	}
	return got;
}
