/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Allocation: from gfp flags to a zone, and from a zone to a block. Models
 * __alloc_pages with its first attempt, get_page_from_freelist, rmqueue and
 * alloc_flags_nofragment, 5.3 to 6.18.
 *
 * Left out: cpusets, memory policies, the dirty limit of a node for pages that
 * will be written, node_reclaim_mode (off by default), and growing a zone
 * whose struct pages are not initialised yet.
 */
#include "alloc/pcp.h"

bool alloc_context_init(const struct alloc *a, struct alloc_context *ac,
			const struct alloc_request *req)
{
	const unsigned int node = req->node >= 0 ? (unsigned int)req->node :
						   a->cpu_node[req->cpu];
	const gfp_t both = GFP_BIT_MOVABLE | GFP_BIT_RECLAIMABLE;

	CHECK_LT(req->cpu, a->nr_cpus);
	CHECK_LT(node, a->nr_nodes);
	CHECK_LE(req->order, MAX_PAGE_ORDER);
	CHECK((req->gfp & both) != both);
	ac->zl = req->gfp & GFP_BIT_THISNODE ? &a->local[node] :
					       &a->fallback[node];
	ac->gfp = req->gfp;
	ac->order = req->order;
	ac->cpu = req->cpu;
	ac->mt = gfp_mt(a, req->gfp);
	ac->highest = gfp_highest_zone(req->gfp);
	ac->only_zone = req->zone;
	ac->bypass_pcp = req->flags & ALLOC_REQ_BUDDY;
	ac->preferred = first_zone(a, ac->zl, ac->highest);
	if (ac->preferred == NULL)
		return false;
	ac->reserve_j = a->prof.reserve_uses_highest_allowed ?
				ac->highest : ac->preferred->type;
	return true;
}

void wake_kswapd(struct alloc *a, unsigned int node, unsigned int order,
		 unsigned int highest, gfp_t gfp)
{
	a->cnt.kswapd_wakes++;
	if (a->hooks.kswapd_wake)
		a->hooks.kswapd_wake(a->hooks.ctx, node, order, highest, gfp);
}

void alloc_set_defrag_mode(struct alloc *a, bool on)
{
	CHECK(!on || a->prof.defrag_mode);
	a->defrag_mode = on;
}

static bool node_has_zone(const struct alloc *a, unsigned int node,
			  unsigned int type)
{
	for (unsigned int i = 0; i < a->nr_zones; i++) {
		const struct zone *z = zone_at(a, i);

		if (z->node == node && z->type == type)
			return true;
	}
	return false;
}

/*
 * Models alloc_flags_nofragment: rather take pages of DMA32 than mix types in
 * Normal, where huge pages are wanted. Only if there is a DMA32 to go to.
 */
static unsigned int nofragment_flag(const struct alloc *a,
				    const struct alloc_context *ac)
{
	if (a->defrag_mode)
		return AF_NOFRAGMENT;
	if (ac->preferred->type != ZONE_NORMAL)
		return 0;
	if (a->nr_nodes > 1 &&
	    !node_has_zone(a, ac->preferred->node, ZONE_DMA32))
		return 0;
	return AF_NOFRAGMENT;
}

/* What step's `highatomic` stands for: a GFP_ATOMIC request's rights at once. */
static unsigned int highatomic_flags(const struct alloc *a, unsigned int order)
{
	unsigned int flags = AF_NON_BLOCK | AF_MIN_RESERVE;

	if (a->prof.rights == RIGHTS_MIN_RESERVE && order > 0)
		flags |= AF_HIGHATOMIC;
	return flags;
}

static unsigned int first_attempt_flags(const struct alloc *a,
					const struct alloc_context *ac,
					unsigned int req_flags)
{
	unsigned int flags = AF_WMARK_LOW | nofragment_flag(a, ac);

	if (ac->gfp & GFP_BIT_KSWAPD_RECLAIM)
		flags |= AF_KSWAPD;
	if (ac->mt == MIGRATE_MOVABLE)
		flags |= AF_CMA;
	if (unlikely(req_flags & ALLOC_REQ_HIGHATOMIC))
		flags |= highatomic_flags(a, ac->order);
	if (unlikely(req_flags & ALLOC_REQ_NOFRAGMENT))
		flags |= AF_NOFRAGMENT;
	return flags;
}

/* Rights to the highatomic lists before all others. */
static bool highatomic_first(const struct alloc *a, unsigned int order,
			     unsigned int alloc_flags)
{
	if (a->prof.rights == RIGHTS_HARDER)
		return order > 0 && (alloc_flags & AF_NON_BLOCK);
	return alloc_flags & AF_HIGHATOMIC;
}

/* Releases that name the request, not the list, in zone_locked. */
static void emit_highatomic_taken(struct alloc *a, pfn_t pfn,
				  const struct alloc_context *ac)
{
	const struct alloc_event ev = {
		.kind = ALLOC_EVENT_ZONE_LOCKED,
		.pfn = pfn,
		.order = (uint8_t)ac->order,
		.migratetype = (uint8_t)ac->mt,
		.percpu_refill = ac->order == 0,
	};

	if (!a->prof.zone_locked_list_type)
		emit_event(a, &ev);
}

/* Models rmqueue_buddy; up to 5.10 the tail of rmqueue. */
static pfn_t rmqueue_buddy(struct alloc *a, struct zone *z,
			   const struct alloc_context *ac,
			   unsigned int alloc_flags)
{
	enum rmqueue_mode mode = RMQUEUE_NORMAL;
	pfn_t pfn;

	note_lock(a, z);
	if (highatomic_first(a, ac->order, alloc_flags)) {
		pfn = rmqueue_smallest(a, z, ac->order, MIGRATE_HIGHATOMIC);
		if (pfn != PFN_NONE) {
			emit_highatomic_taken(a, pfn, ac);
			alloc_count(a, z, pfn, ac->order);
			return pfn;
		}
	}
	pfn = rmqueue_block(a, z, ac->order, ac->mt, alloc_flags, &mode);
	if (pfn == PFN_NONE && a->prof.highatomic_last_resort &&
	    (alloc_flags & (AF_OOM | AF_NON_BLOCK)))
		pfn = rmqueue_smallest(a, z, ac->order, MIGRATE_HIGHATOMIC);
	if (pfn != PFN_NONE)
		alloc_count(a, z, pfn, ac->order);
	return pfn;
}

/* May this request use the per-CPU lists at all? */
static bool wants_pcp(const struct alloc *a, const struct alloc_context *ac,
		      unsigned int alloc_flags)
{
	if (a->pcp_disabled || ac->bypass_pcp ||
	    !pcp_order_allowed(a, ac->order))
		return false;
	/* The movable list holds CMA pages, which not every request may get. */
	return !(a->prof.pcp_cma_bypass && a->cma &&
		 ac->mt == MIGRATE_MOVABLE && !(alloc_flags & AF_CMA));
}

static void wake_if_boosted(struct alloc *a, struct zone *z,
			    unsigned int alloc_flags)
{
	if (a->prof.boost_wake_needs_kswapd && !(alloc_flags & AF_KSWAPD))
		return;
	z->boosted = false;
	zone_limits_changed(a, z);
	wake_kswapd(a, z->node, 0, z->type, 0);
}

/* Models rmqueue. */
static pfn_t rmqueue(struct alloc *a, struct zone *z,
		     const struct alloc_context *ac, unsigned int alloc_flags)
{
	pfn_t pfn = PFN_NONE;

	if (wants_pcp(a, ac, alloc_flags)) {
		pfn = pcp_alloc(a, z, ac->cpu, ac->order, ac->mt, alloc_flags);
		if (pfn != PFN_NONE)
			alloc_count_cpu(a, z, ac->cpu, pfn, ac->order);
		if (pfn == PFN_NONE && a->prof.pcp_falls_to_buddy)
			pfn = rmqueue_buddy(a, z, ac, alloc_flags);
	} else {
		pfn = rmqueue_buddy(a, z, ac, alloc_flags);
	}
	if (unlikely(z->boosted))
		wake_if_boosted(a, z, alloc_flags);
	return pfn;
}

/* Steps 4 and 5 of the walk: does the watermark let this zone serve? */
static bool zone_admits(struct alloc *a, struct zone *z,
			const struct alloc_context *ac,
			unsigned int alloc_flags)
{
	/*
	 * The per-CPU lists grow only while the zone is above its high mark;
	 * who finds it below says so.
	 */
	if (a->prof.below_high_flag && !z->below_high) {
		if (zone_watermark_fast(a, z, ac->order,
					zone_wmark(z, AF_WMARK_HIGH),
					ac->reserve_j, alloc_flags, ac->gfp))
			return true;
		z->below_high = !a->below_high_given;
		zone_limits_changed(a, z);
	}
	if (alloc_flags & AF_NO_WATERMARKS)
		return true;
	return zone_watermark_fast(a, z, ac->order,
				   zone_wmark(z, alloc_flags & AF_WMARK_MASK),
				   ac->reserve_j, alloc_flags, ac->gfp);
}

static bool gets_highatomic(const struct alloc *a, unsigned int order,
			    unsigned int alloc_flags)
{
	return order > 0 && highatomic_first(a, order, alloc_flags);
}

static pfn_t take_from_zone(struct alloc *a, struct zone *z,
			    const struct alloc_context *ac,
			    unsigned int alloc_flags)
{
	const pfn_t pfn = rmqueue(a, z, ac, alloc_flags);

	if (pfn == PFN_NONE)
		return PFN_NONE;
	if (unlikely(gets_highatomic(a, ac->order, alloc_flags)))
		reserve_highatomic(a, z, pfn, ac->order);
	return pfn;
}

/*
 * The walk's view of kswapd: the kernel asks whether the thread sleeps, we ask
 * whether it reclaims. Deviation: see docs/fidelity.md.
 */
static bool kswapd_awake(const struct alloc *a, unsigned int node)
{
	for (unsigned int i = 0; i < a->nr_zones; i++) {
		const struct zone *z = zone_at(a, i);

		if (z->node == node && z->reclaim_active)
			return true;
	}
	return false;
}

enum walk_end { WALK_FOUND, WALK_NOTHING, WALK_LEFT_NODE, WALK_SKIPPED };

/* One pass over the zonelist. */
static enum walk_end walk_zones(struct alloc *a, const struct alloc_context *ac,
				unsigned int alloc_flags, bool skip_awake,
				pfn_t *pfn)
{
	const bool stay = (alloc_flags & AF_NOFRAGMENT) && a->nr_nodes > 1 &&
			  !a->defrag_mode;
	enum walk_end end = WALK_NOTHING;

	for (unsigned int i = 0; i < ac->zl->nr; i++) {
		struct zone *z = zone_at(a, ac->zl->zones[i]);

		if (z->type > ac->highest ||
		    (ac->only_zone >= 0 && z->idx != ac->only_zone))
			continue;
		/* Remote memory costs more than fragmentation does. */
		if (stay && z->node != ac->preferred->node)
			return WALK_LEFT_NODE;
		if (skip_awake && kswapd_awake(a, z->node)) {
			end = WALK_SKIPPED;
			continue;
		}
		if (!zone_admits(a, z, ac, alloc_flags))
			continue;
		*pfn = take_from_zone(a, z, ac, alloc_flags);
		if (*pfn != PFN_NONE)
			return WALK_FOUND;
	}
	return end;
}

pfn_t get_page_from_freelist(struct alloc *a, const struct alloc_context *ac,
			     unsigned int alloc_flags)
{
	bool skip_awake = a->prof.awake_nodes_last && a->nr_nodes > 1;
	pfn_t pfn = PFN_NONE;

	for (;;) {
		switch (walk_zones(a, ac, alloc_flags, skip_awake, &pfn)) {
		case WALK_FOUND:
			return pfn;
		case WALK_LEFT_NODE:
			break;
		case WALK_SKIPPED:
			skip_awake = false;
			continue;
		case WALK_NOTHING:
			if (!(alloc_flags & AF_NOFRAGMENT) || a->defrag_mode)
				return PFN_NONE;
			break;
		}
		alloc_flags &= ~AF_NOFRAGMENT;
	}
}

pfn_t alloc_buddy(struct alloc *a, unsigned int zone, unsigned int order,
		  enum migratetype mt, bool nofragment)
{
	unsigned int flags = AF_KSWAPD | (nofragment ? AF_NOFRAGMENT : 0);
	enum rmqueue_mode mode = RMQUEUE_NORMAL;
	struct zone *z = zone_at(a, zone);
	pfn_t pfn;

	CHECK_LT(zone, a->nr_zones);
	CHECK_LE(order, MAX_PAGE_ORDER);
	if (!a->grouping)
		mt = MIGRATE_UNMOVABLE;
	if (mt == MIGRATE_MOVABLE)
		flags |= AF_CMA;
	note_lock(a, z);
	pfn = rmqueue_block(a, z, order, mt, flags, &mode);
	if (pfn != PFN_NONE)
		alloc_count(a, z, pfn, order);
	return pfn;
}

static void emit_page_alloc(struct alloc *a, const struct alloc_context *ac,
			    pfn_t pfn)
{
	const struct alloc_event ev = {
		.kind = ALLOC_EVENT_PAGE_ALLOC,
		.pfn = pfn,
		.order = (uint8_t)ac->order,
		.migratetype = (uint8_t)ac->mt,
		.gfp = ac->gfp,
	};

	emit_event(a, &ev);
}

static struct alloc_result finish(struct alloc *a,
				  const struct alloc_context *ac,
				  struct alloc_result res)
{
	if (res.status == ALLOC_OK)
		res.zone = pfn_zone(a, res.pfn)->idx;
	else
		a->cnt.alloc_failures++;
	emit_page_alloc(a, ac, res.pfn);
	return res;
}

struct alloc_result alloc_pages(struct alloc *a, struct alloc_request *req)
{
	struct alloc_result res = { .status = ALLOC_FAIL, .pfn = PFN_NONE };
	struct alloc_context ac;

	if (!alloc_context_init(a, &ac, req)) {
		a->cnt.alloc_failures++;
		return res;
	}
	if (req->slow.stage == 0) {
		if (!(req->flags & ALLOC_REQ_TRIED))
			res.pfn = get_page_from_freelist(
				a, &ac,
				first_attempt_flags(a, &ac, req->flags));
		if (res.pfn != PFN_NONE)
			res.status = ALLOC_OK;
		if (res.pfn != PFN_NONE ||
		    (req->flags & ALLOC_REQ_NO_SLOWPATH))
			return finish(a, &ac, res);
	}
	res = alloc_slowpath(a, req, &ac);
	return res.status == ALLOC_AGAIN ? res : finish(a, &ac, res);
}

pfn_t alloc_first_attempt(struct alloc *a, unsigned int cpu,
			  unsigned int order, gfp_t gfp)
{
	const struct alloc_request req = {
		.gfp = gfp,
		.order = (uint8_t)order,
		.cpu = (uint16_t)cpu,
		.node = -1,
		.zone = -1,
	};
	struct alloc_context ac;
	pfn_t pfn;

	if (!alloc_context_init(a, &ac, &req))
		return PFN_NONE;
	pfn = get_page_from_freelist(a, &ac, first_attempt_flags(a, &ac, 0));
	if (pfn != PFN_NONE)
		emit_page_alloc(a, &ac, pfn);
	return pfn;
}
