/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The slow path as a machine that can be left and re-entered. Models
 * __alloc_pages_slowpath with its helpers (gfp_to_alloc_flags,
 * __alloc_pages_direct_reclaim, __alloc_pages_direct_compact,
 * should_reclaim_retry, should_compact_retry, __alloc_pages_may_oom), 5.3 to
 * 6.18. Compaction, reclaim and the OOM killer belong to the caller: they are
 * asked for by ALLOC_AGAIN with a reason, and answered in req->progress.
 *
 *   START --low mark failed: wake kswapd, retry at min--> page
 *     |  high order, may reclaim                    otherwise
 *     +-------------------> AGAIN(COMPACT) --retry-->+
 *                                                    v
 *     +---------------------------------------->  LOOP: retry
 *     |                                              | may reclaim
 *     |                                              v
 *     |                         AGAIN(RECLAIM) --retry, drain, retry
 *     |                                              | high order
 *     |                                              v
 *     |                              AGAIN(COMPACT) --retry
 *     |        progress, or rounds left              |
 *     +<---------------------------------------------+
 *     |        progress                              v
 *     +<----------------------------  AGAIN(OOM) --none--> FAIL
 *
 * The state between two calls is req->slow.stage: which question is open.
 *
 * Left out: cpuset and zonelist changes, RT tasks, PSI, and the estimate of how
 * many pages could be reclaimed at all; a request goes for its 16 rounds
 * without progress even if the kernel would see that they are futile. See
 * docs/fidelity.md.
 */
#include "alloc/walk.h"

#define MAX_RECLAIM_RETRIES 16

enum slow_stage {
	SLOW_NONE,            /* the slow path was not entered */
	SLOW_FIRST_COMPACT,   /* answers to come: the first, async compaction */
	SLOW_RECLAIM,
	SLOW_COMPACT,
	SLOW_OOM,
};
/* Beside the stage: defrag_mode has given up on keeping pageblocks pure. */
#define SLOW_MAY_FRAGMENT 0x80u
#define SLOW_STAGE_MASK 0x7fu

/* One entry of the slow path; nothing of it survives an ALLOC_AGAIN. */
struct slow {
	struct alloc *a;
	struct alloc_request *req;
	const struct alloc_context *ac;
	unsigned int flags;
	pfn_t pfn;
};

/* What a step of the machine wants next. */
enum slow_next {
	NEXT_LOOP,            /* from the top of the loop */
	NEXT_DECIDE,          /* is another round worth it? */
	NEXT_DONE,            /* s->pfn is the answer, PFN_NONE = failure */
	NEXT_ASK,             /* return ALLOC_AGAIN for req->slow.stage */
};

static bool may_reclaim(const struct slow *s)
{
	return s->ac->gfp & GFP_BIT_DIRECT_RECLAIM;
}

static bool costly(const struct slow *s)
{
	return s->ac->order > PAGE_ALLOC_COSTLY_ORDER;
}

/* Rights that come from the request not being able to wait. */
static unsigned int nonblock_flags(const struct alloc *a,
				   const struct alloc_context *ac)
{
	unsigned int flags = 0;

	if (ac->gfp & GFP_BIT_NOMEMALLOC)
		return 0;
	if (a->prof.rights == RIGHTS_HARDER)
		return ac->gfp & GFP_BIT_ATOMIC ? AF_NON_BLOCK : 0;
	if (ac->gfp & GFP_BIT_DIRECT_RECLAIM)
		return 0;
	flags = AF_NON_BLOCK;
	if (ac->order > 0 && (!a->prof.highatomic_needs_reserve ||
			      (ac->gfp & GFP_BIT_HIGH)))
		flags |= AF_HIGHATOMIC;
	return flags;
}

/* Models gfp_to_alloc_flags. */
static unsigned int slow_flags(const struct slow *s)
{
	const struct alloc_context *ac = s->ac;
	unsigned int flags = AF_WMARK_MIN | nonblock_flags(s->a, ac);

	if (ac->gfp & GFP_BIT_HIGH)
		flags |= AF_MIN_RESERVE;
	if (ac->gfp & GFP_BIT_KSWAPD_RECLAIM)
		flags |= AF_KSWAPD;
	if (ac->mt == MIGRATE_MOVABLE)
		flags |= AF_CMA;
	if (s->a->defrag_mode && !(s->req->slow.stage & SLOW_MAY_FRAGMENT))
		flags |= AF_NOFRAGMENT;
	return flags;
}

/* Models __gfp_pfmemalloc_flags: rights of those who free memory. */
static unsigned int reserve_access(const struct slow *s)
{
	const gfp_t gfp = s->ac->gfp;

	if (gfp & GFP_BIT_NOMEMALLOC)
		return 0;
	if ((gfp & GFP_BIT_MEMALLOC) || (s->req->flags & ALLOC_REQ_MEMALLOC))
		return AF_NO_WATERMARKS;
	return s->req->flags & ALLOC_REQ_OOM_VICTIM ? AF_OOM : 0;
}

/* Flags inside the loop: rights replace all but kswapd and CMA. */
static unsigned int loop_flags(const struct slow *s)
{
	const unsigned int rights = reserve_access(s);
	const unsigned int flags = slow_flags(s);

	if (rights == 0)
		return flags;
	return rights | (flags & (AF_KSWAPD | AF_CMA));
}

static bool try_zones(struct slow *s)
{
	s->pfn = get_page_from_freelist(s->a, s->ac, s->flags);
	return s->pfn != PFN_NONE;
}

/* Models wake_all_kswapds: each node of the zonelist once. */
static void wake_all_kswapds(struct slow *s)
{
	unsigned int order = s->ac->order;
	uint32_t seen = 0;

	if (!(s->flags & AF_KSWAPD))
		return;
	if (s->a->defrag_mode && order < s->a->pageblock_order)
		order = s->a->pageblock_order;
	for (unsigned int i = 0; i < s->ac->zl->nr; i++) {
		const struct zone *z = zone_at(s->a, s->ac->zl->zones[i]);

		if (z->type > s->ac->highest || (seen >> z->node & 1))
			continue;
		seen |= 1u << z->node;
		wake_kswapd(s->a, z->node, order, s->ac->highest, s->ac->gfp);
	}
}

static enum slow_next ask(struct slow *s, enum slow_stage stage)
{
	s->req->slow.stage = (uint8_t)((s->req->slow.stage & SLOW_MAY_FRAGMENT) |
				       stage);
	s->req->progress = 0;
	return NEXT_ASK;
}

/* Before the loop: a cheap compaction often saves a high order. */
static bool compacts_first(const struct slow *s)
{
	if (!may_reclaim(s) || s->ac->order == 0 || reserve_access(s) != 0)
		return false;
	return costly(s) || s->ac->mt != MIGRATE_MOVABLE;
}

static enum slow_next slow_start(struct slow *s)
{
	s->flags = slow_flags(s);
	wake_all_kswapds(s);
	if (try_zones(s))
		return NEXT_DONE;
	return compacts_first(s) ? ask(s, SLOW_FIRST_COMPACT) : NEXT_LOOP;
}

static enum slow_next after_first_compact(struct slow *s)
{
	s->flags = slow_flags(s);
	s->req->slow.compact_deferred = s->req->progress == 0;
	if (s->req->progress != 0 && try_zones(s))
		return NEXT_DONE;
	/* A huge page is not worth reclaim if compaction did not even run. */
	if (costly(s) && (s->ac->gfp & GFP_BIT_NORETRY) &&
	    (s->req->slow.compact_deferred ||
	     (s->a->prof.thisnode_thp_no_reclaim &&
	      (s->ac->gfp & GFP_BIT_THISNODE))))
		return NEXT_DONE;
	return NEXT_LOOP;
}

/* Top of the loop, up to direct reclaim. */
static enum slow_next slow_loop(struct slow *s)
{
	s->flags = loop_flags(s);
	wake_all_kswapds(s);
	if (try_zones(s))
		return NEXT_DONE;
	if (!may_reclaim(s) || (s->req->flags & ALLOC_REQ_MEMALLOC))
		return NEXT_DONE;
	s->a->cnt.allocstall[s->ac->highest]++;
	return ask(s, SLOW_RECLAIM);
}

/*
 * What was reclaimed may sit on per-CPU lists or in the highatomic reserve:
 * get it from there once.
 */
static bool try_zones_and_drain(struct slow *s)
{
	if (try_zones(s))
		return true;
	unreserve_highatomic(s->a, s->ac->zl, s->ac->highest, s->ac->mt,
			     false);
	alloc_drain_all(s->a);
	return try_zones(s);
}

static enum slow_next after_reclaim(struct slow *s)
{
	s->flags = loop_flags(s);
	s->req->slow.progressed = s->req->progress != 0;
	if (s->req->slow.progressed && try_zones_and_drain(s))
		return NEXT_DONE;
	return s->ac->order > 0 ? ask(s, SLOW_COMPACT) : NEXT_DECIDE;
}

static enum slow_next after_compact(struct slow *s)
{
	s->flags = loop_flags(s);
	s->req->slow.compact_deferred = s->req->progress == 0;
	if (s->req->progress != 0 && try_zones(s))
		return NEXT_DONE;
	return NEXT_DECIDE;
}

/* Is a block of the wanted order there, though below the watermark? */
static bool some_zone_has_block(const struct slow *s)
{
	for (unsigned int i = 0; i < s->ac->zl->nr; i++) {
		const struct zone *z = zone_at(s->a, s->ac->zl->zones[i]);

		if (z->type <= s->ac->highest &&
		    zone_has_block(s->a, z, s->ac->order, s->flags))
			return true;
	}
	return false;
}

/*
 * Models should_reclaim_retry and should_compact_retry: progress starts the
 * count of futile rounds anew, unless a high order is wanted that reclaim does
 * not bring closer; then compaction has 16 rounds, too.
 */
static bool should_retry(struct slow *s)
{
	const bool progress = s->req->slow.progressed;

	if (progress && !costly(s) &&
	    (s->ac->order == 0 || some_zone_has_block(s)))
		s->req->slow.no_progress_loops = 0;
	else if (s->req->slow.no_progress_loops <= MAX_RECLAIM_RETRIES)
		s->req->slow.no_progress_loops++;
	if (s->req->slow.no_progress_loops <= MAX_RECLAIM_RETRIES)
		return true;
	return unreserve_highatomic(s->a, s->ac->zl, s->ac->highest,
				    s->ac->mt, true);
}

/* May the OOM killer be called for this request? */
static bool may_oom(const struct slow *s)
{
	const gfp_t gfp = s->ac->gfp;

	if (costly(s) || s->ac->highest < ZONE_NORMAL)
		return false;
	return !(gfp & (GFP_BIT_RETRY_MAYFAIL | GFP_BIT_THISNODE));
}

static enum slow_next slow_give_up(struct slow *s)
{
	s->pfn = PFN_NONE;
	if (!(s->ac->gfp & GFP_BIT_NOFAIL))
		return NEXT_DONE;
	/* It must not fail: go round for ever, with more and more rights. */
	s->flags = AF_WMARK_MIN | (s->a->prof.rights == RIGHTS_HARDER ?
				   AF_NON_BLOCK : AF_MIN_RESERVE);
	return try_zones(s) ? NEXT_DONE : NEXT_LOOP;
}

static enum slow_next slow_decide(struct slow *s)
{
	const gfp_t gfp = s->ac->gfp;

	s->flags = loop_flags(s);
	if (gfp & GFP_BIT_NORETRY)
		return slow_give_up(s);
	if (costly(s) && !(gfp & GFP_BIT_RETRY_MAYFAIL))
		return slow_give_up(s);
	if (should_retry(s))
		return NEXT_LOOP;
	if (s->flags & AF_NOFRAGMENT) {
		s->req->slow.stage |= SLOW_MAY_FRAGMENT;
		return NEXT_LOOP;
	}
	/* Somebody may have freed much in the meantime. */
	s->flags = AF_WMARK_HIGH;
	if (try_zones(s))
		return NEXT_DONE;
	return may_oom(s) ? ask(s, SLOW_OOM) : slow_give_up(s);
}

static enum slow_next after_oom(struct slow *s)
{
	if (s->req->progress == 0)
		return slow_give_up(s);
	if (s->ac->gfp & GFP_BIT_NOFAIL) {
		s->flags = AF_NO_WATERMARKS;
		if (try_zones(s))
			return NEXT_DONE;
	}
	/* A victim that finds nothing must not kill for ever. */
	if (s->req->flags & ALLOC_REQ_OOM_VICTIM)
		return slow_give_up(s);
	s->req->slow.no_progress_loops = 0;
	return NEXT_LOOP;
}

static enum slow_next slow_enter(struct slow *s)
{
	switch (s->req->slow.stage & SLOW_STAGE_MASK) {
	case SLOW_FIRST_COMPACT:
		return after_first_compact(s);
	case SLOW_RECLAIM:
		return after_reclaim(s);
	case SLOW_COMPACT:
		return after_compact(s);
	case SLOW_OOM:
		return after_oom(s);
	default:
		return slow_start(s);
	}
}

bool alloc_wants_async_compact(const struct alloc_request *req)
{
	/* A costly order that does not insist never gets more than that. */
	return (req->slow.stage & SLOW_STAGE_MASK) == SLOW_FIRST_COMPACT ||
	       (req->order > PAGE_ALLOC_COSTLY_ORDER &&
		(req->gfp & GFP_BIT_NORETRY));
}

static enum alloc_reason stage_reason(unsigned int stage)
{
	switch (stage & SLOW_STAGE_MASK) {
	case SLOW_RECLAIM:
		return ALLOC_REASON_RECLAIM;
	case SLOW_OOM:
		return ALLOC_REASON_OOM;
	default:
		return ALLOC_REASON_COMPACT;
	}
}

struct alloc_result alloc_slowpath(struct alloc *a, struct alloc_request *req,
				   const struct alloc_context *ac)
{
	struct alloc_result res = { .pfn = PFN_NONE };
	struct slow s = { .a = a, .req = req, .ac = ac, .pfn = PFN_NONE };
	enum slow_next next = slow_enter(&s);

	while (next != NEXT_DONE && next != NEXT_ASK) {
		if (next == NEXT_LOOP)
			next = slow_loop(&s);
		else
			next = slow_decide(&s);
	}
	if (next == NEXT_ASK) {
		res.status = ALLOC_AGAIN;
		res.reason = stage_reason(req->slow.stage);
		return res;
	}
	req->slow.stage = SLOW_NONE;
	req->slow.no_progress_loops = 0;
	res.pfn = s.pfn;
	res.status = s.pfn != PFN_NONE ? ALLOC_OK : ALLOC_FAIL;
	return res;
}

/* Not even __GFP_NOFAIL is kept: without a guest nothing would ever change. */
struct alloc_result alloc_pages_nowait(struct alloc *a,
				       struct alloc_request *req)
{
	const gfp_t gfp = req->gfp;
	struct alloc_result res;

	req->gfp &= ~GFP_BIT_NOFAIL;
	do {
		res = alloc_pages(a, req);
		req->progress = 0;
	} while (res.status == ALLOC_AGAIN);
	req->gfp = gfp;
	return res;
}
