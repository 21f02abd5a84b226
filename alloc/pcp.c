/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Per-CPU page lists: allocation from them and their refill. Models
 * rmqueue_pcplist, rmqueue_bulk and nr_pcp_alloc, 5.3 to 6.18, and the bulk
 * allocator alloc_pages_bulk of 5.13 on.
 *
 * Left out: contention for the pcp lock. A request that finds it taken goes
 * past the list (ALLOC_REQ_BUDDY says so); which one does cannot be predicted.
 */
#include "alloc/pcp.h"

bool pcp_allowed_order(const struct alloc *a, unsigned int order)
{
	return pcp_order_allowed(a, order);
}

static uint32_t clamp_u32(uint32_t value, uint32_t low, uint32_t high)
{
	if (value < low)
		value = low;
	return value > high ? high : value;
}

/* Blocks of one refill; more than one is scaled down with the order. */
static uint32_t scale_refill(uint32_t batch, unsigned int order)
{
	if (batch <= 1)
		return batch;
	return batch >> order > 2 ? batch >> order : 2;
}

/* Models nr_pcp_alloc: allocations without frees double the refill. */
static uint32_t ramped_refill(const struct zone *z, struct per_cpu_pages *pcp,
			      unsigned int order)
{
	const uint32_t base = pcp->batch;
	uint32_t high = clamp_u32(pcp->high, pcp->high_min, pcp->high_max);
	uint32_t batch = base;
	int64_t room;

	pcp->high = high;
	if (high < base)
		return 1;
	if (order == 0)
		batch <<= pcp->alloc_factor;
	/* A higher high now saves a trip to the zone later. */
	if (pcp->high_min != pcp->high_max && !z->below_high) {
		high = high + batch < pcp->high_max ? high + batch :
						      pcp->high_max;
		pcp->high = high;
	}
	if (order == 0) {
		room = (int64_t)high - pcp->count - base;
		if (room < base)
			room = base;
		if (batch <= room && pcp->alloc_factor < PCP_BATCH_SCALE_MAX)
			pcp->alloc_factor++;
		if (batch > room)
			batch = (uint32_t)room;
	}
	return scale_refill(batch, order);
}

static uint32_t refill_blocks(const struct alloc *a, const struct zone *z,
			      struct per_cpu_pages *pcp, unsigned int order)
{
	switch (a->prof.pcp_refill) {
	case PCP_REFILL_BATCH:
		return pcp->batch;
	case PCP_REFILL_SHIFTED:
		return scale_refill(pcp->batch, order);
	default:
		return ramped_refill(z, pcp, order);
	}
}

/*
 * Models rmqueue_bulk. Blocks go to the tail, so that they come out again in
 * the order in which the buddy gave them: ascending inside a split block.
 */
static void pcp_refill(struct alloc *a, struct zone *z,
		       struct per_cpu_pages *pcp, unsigned int order,
		       enum migratetype mt, unsigned int alloc_flags)
{
	const unsigned int pindex = order_to_pindex(a, order, mt);
	const uint32_t wanted = refill_blocks(a, z, pcp, order);
	enum rmqueue_mode mode = RMQUEUE_NORMAL;
	uint32_t got = 0;

	if (__builtin_expect(a->hooks.pcp_refill != NULL, 0) &&
	    a->hooks.pcp_refill(a->hooks.ctx, z->idx,
				(unsigned int)(pcp - z->pcp), order, mt))
		return;
	note_lock(a, z);
	for (; got < wanted; got++) {
		const pfn_t pfn = rmqueue_block(a, z, order, mt, alloc_flags,
						&mode);

		if (pfn == PFN_NONE)
			break;
		list_add_tail(a, &pcp->lists[pindex], pfn, order);
		pcp_rec_set(rec_of(a, pfn, order), order, pindex);
	}
	pcp->count += got << order;
	pcp->stat_changed = true;
	a->cnt.pcp_refills++;
	a->cnt.pcp_refill_pages += got << order;
	a->work->buddy_pages += got << order;
	a->work->pcp_ops += got;
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
		alloc_count(a, z, pfn, order);
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
		alloc_count(a, z, out[got], 0);
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
