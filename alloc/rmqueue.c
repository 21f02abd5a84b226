/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Choosing a block: models __rmqueue, 5.3 to 6.18. The requested type's own
 * lists come first, then CMA, then other types. From 6.15 on (and 6.12.y) the
 * blocks of one per-CPU refill share their way through these stages.
 */
#include "alloc/fallback.h"

static pfn_t rmqueue_cma(struct alloc *a, struct zone *z,
			 const struct rmqueue_req *req)
{
	if (!z->nr_free_cma)
		return PFN_NONE;
	return rmqueue_smallest(a, z, req->order, MIGRATE_CMA);
}

/* Releases with the half rule go by ALLOC_CMA, older ones by the type. */
static bool cma_allowed(const struct alloc *a, const struct rmqueue_req *req)
{
	if (a->prof.cma_half_rule)
		return req->flags & AF_CMA;
	return req->mt == MIGRATE_MOVABLE;
}

/* The half rule of 5.8 on: use up CMA before it is all that is left. */
static bool cma_has_most(const struct alloc *a, const struct zone *z,
			 unsigned int alloc_flags)
{
	return z->nr_free_cma > z->free_pages / 2 && a->prof.cma_half_rule &&
	       (alloc_flags & AF_CMA);
}

/* Each stage that succeeds is where the next block of a refill starts. */
static pfn_t rmqueue_staged(struct alloc *a, struct zone *z,
			    const struct rmqueue_req *req,
			    enum rmqueue_mode *mode)
{
	pfn_t pfn = PFN_NONE;

	if (*mode == RMQUEUE_NORMAL)
		pfn = rmqueue_smallest(a, z, req->order, req->mt);
	if (pfn == PFN_NONE && *mode <= RMQUEUE_CMA && cma_allowed(a, req)) {
		pfn = rmqueue_cma(a, z, req);
		if (pfn != PFN_NONE)
			*mode = RMQUEUE_CMA;
	}
	if (pfn == PFN_NONE && *mode <= RMQUEUE_CLAIM) {
		pfn = rmqueue_claim(a, z, req);
		if (pfn != PFN_NONE)
			*mode = RMQUEUE_NORMAL;
	}
	if (pfn == PFN_NONE) {
		pfn = rmqueue_steal(a, z, req);
		if (pfn != PFN_NONE)
			*mode = RMQUEUE_STEAL;
	}
	return pfn;
}

static pfn_t rmqueue_plain(struct alloc *a, struct zone *z,
			   const struct rmqueue_req *req)
{
	pfn_t pfn = rmqueue_smallest(a, z, req->order, req->mt);

	if (pfn == PFN_NONE && cma_allowed(a, req))
		pfn = rmqueue_cma(a, z, req);
	if (pfn == PFN_NONE)
		pfn = rmqueue_fallback(a, z, req);
	return pfn;
}

/* Older releases trace the choice as a whole, with the requested type. */
static void emit_choice(struct alloc *a, const struct rmqueue_req *req,
			pfn_t pfn)
{
	const struct alloc_event ev = {
		.kind = ALLOC_EVENT_ZONE_LOCKED,
		.pfn = pfn,
		.order = (uint8_t)req->order,
		.migratetype = (uint8_t)req->mt,
		.percpu_refill = req->order == 0,
	};

	if (a->prof.zone_locked_list_type)
		return;
	if (pfn != PFN_NONE || a->prof.zone_locked_on_failure)
		emit_event(a, &ev);
}

static __attribute__((noinline))
pfn_t rmqueue_long_way(struct alloc *a, struct zone *z,
		       const struct rmqueue_req *req, enum rmqueue_mode *mode)
{
	pfn_t pfn = PFN_NONE;

	if (cma_has_most(a, z, req->flags))
		pfn = rmqueue_cma(a, z, req);
	if (pfn != PFN_NONE)
		return pfn;
	if (a->prof.fallback_search == FALLBACK_CLAIM_STEAL)
		return rmqueue_staged(a, z, req, mode);
	return rmqueue_plain(a, z, req);
}

pfn_t rmqueue_block(struct alloc *a, struct zone *z, unsigned int order,
		    enum migratetype mt, unsigned int alloc_flags,
		    enum rmqueue_mode *mode)
{
	const struct rmqueue_req req = { order, mt, alloc_flags };
	pfn_t pfn = PFN_NONE;

	/* Every release looks here first; one that finds nothing looks twice. */
	if (likely(!cma_has_most(a, z, alloc_flags)) &&
	    likely(*mode == RMQUEUE_NORMAL))
		pfn = rmqueue_smallest(a, z, order, mt);
	if (unlikely(pfn == PFN_NONE))
		pfn = rmqueue_long_way(a, z, &req, mode);
	if (__builtin_expect(a->hooks.event != NULL, 0))
		emit_choice(a, &req, pfn);
	return pfn;
}
