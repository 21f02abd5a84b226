/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Blocks of other types for a request that its own lists cannot serve: models
 * find_suitable_fallback and steal_suitable_fallback (5.3 to 6.1), the 6.12
 * form that leaves remainders with their owner, and the claim and steal stages
 * of 6.15 (also in 6.12.y).
 *
 * The difference that matters: up to 6.1 a stolen block changes lists first
 * and is then found by the ordinary search; later releases take the page out
 * of the block at once.
 */
#include "alloc/fallback.h"
#include "alloc/lists.h"
#include "alloc/pageblock.h"

#define NR_FALLBACKS 2

static const uint8_t fallbacks[MIGRATE_PCPTYPES][NR_FALLBACKS] = {
	[MIGRATE_UNMOVABLE] = { MIGRATE_RECLAIMABLE, MIGRATE_MOVABLE },
	[MIGRATE_MOVABLE] = { MIGRATE_RECLAIMABLE, MIGRATE_UNMOVABLE },
	[MIGRATE_RECLAIMABLE] = { MIGRATE_UNMOVABLE, MIGRATE_MOVABLE },
};

/* A foreign block that may serve a request. */
struct candidate {
	pfn_t pfn;
	unsigned int order;
	enum migratetype mt; /* list it is on */
	bool claimable;      /* with its whole pageblock */
};

/* Models can_steal_fallback. */
static bool can_claim(const struct alloc *a, unsigned int order,
		      enum migratetype mt)
{
	return order >= a->pageblock_order / 2 || mt != MIGRATE_MOVABLE ||
	       !a->grouping;
}

static unsigned int preferred_type(const struct alloc *a, enum migratetype mt,
				   unsigned int i)
{
	return fallbacks[mt][a->prof.fallback_prefers_alike ?
			     i : NR_FALLBACKS - 1 - i];
}

/* Models find_suitable_fallback: head of the first preferred list. */
static bool find_suitable_fallback(const struct alloc *a, const struct zone *z,
				   unsigned int order, enum migratetype mt,
				   struct candidate *c)
{
	const struct free_area *area = &z->free_area[order];

	if (!area->nr_free || mt >= MIGRATE_PCPTYPES)
		return false;
	for (unsigned int i = 0; i < NR_FALLBACKS; i++) {
		const unsigned int other = preferred_type(a, mt, i);
		const struct page_list *list = &area->free_list[other];

		if (list_empty(list))
			continue;
		c->pfn = list_first(a, list, order);
		c->order = order;
		c->mt = (enum migratetype)other;
		c->claimable = can_claim(a, order, mt);
		return true;
	}
	return false;
}

static bool find_smallest(const struct alloc *a, const struct zone *z,
			  const struct rmqueue_req *req, struct candidate *c)
{
	for (unsigned int o = req->order; o < NR_PAGE_ORDERS; o++)
		if (find_suitable_fallback(a, z, o, req->mt, c))
			return true;
	return false;
}

/* Requests that must not mix pageblocks look at whole ones only. */
static unsigned int search_bound(const struct alloc *a,
				 const struct rmqueue_req *req)
{
	if (!(req->flags & AF_NOFRAGMENT))
		return req->order;
	if (req->order >= a->pageblock_order &&
	    !a->prof.nofragment_bound_always)
		return req->order;
	return a->pageblock_order;
}

static void note_extfrag(struct alloc *a, const struct rmqueue_req *req,
			 const struct candidate *c, pfn_t pfn)
{
	const bool changed = pageblock_mt(a, pfn) == req->mt;
	const struct alloc_event ev = {
		.kind = ALLOC_EVENT_EXTFRAG,
		.pfn = pfn,
		.order = (uint8_t)req->order,
		.migratetype = (uint8_t)req->mt,
		.fallback_order = (uint8_t)c->order,
		.fallback_type = (uint8_t)c->mt,
		.change_ownership = changed,
	};

	a->cnt.extfrag++;
	a->cnt.extfrag_changed += changed;
	emit_event(a, &ev);
}

/* Models page_del_and_expand: the request's pages come out of this block, the
 * rest goes to the lists of `rest`. */
static pfn_t take_out_of(struct alloc *a, struct zone *z,
			 const struct rmqueue_req *req,
			 const struct candidate *c,
			 enum migratetype rest)
{
	const int64_t nr = order_nr_pages(c->order);
	const int64_t wanted = order_nr_pages(req->order);

	del_from_free_list(a, z, c->pfn, c->order, UNMARK_ALLOC);
	account_free_pages(a, z, -nr, c->mt);
	expand(a, z, c->pfn, req->order, c->order, rest);
	if (a->split_marks)
		keep_split_marks(a, z, c->pfn, c->order, c->pfn,
				 c->pfn + order_nr_pages(req->order));
	account_free_pages(a, z, nr - wanted, rest);
	rec_of(a, c->pfn, req->order)->aux = (uint8_t)rest;
	return c->pfn;
}

/*
 * Is enough of the pageblock free or compatible to make it ours? Pages that
 * are neither free nor movable are taken for U or R: compatible with a U or R
 * request if the pageblock was movable.
 */
static bool enough_alike(const struct alloc *a, enum migratetype mt,
			 enum migratetype old,
			 const struct pageblock_census *census)
{
	const uint32_t all = pageblock_nr_pages(a);
	uint32_t alike = 0;

	if (!census->free)
		return false;
	if (mt == MIGRATE_MOVABLE)
		alike = census->movable;
	else if (old == MIGRATE_MOVABLE &&
		 all > census->free + census->movable)
		alike = all - census->free - census->movable;
	if (!a->prof.claim_threshold)
		return true;
	return census->free + alike >= all / 2 || !a->grouping;
}

/*
 * Below pageblock order: try to make the block's pageblock ours. True if the
 * requested type's lists now have something of it.
 */
static bool claim_pageblock(struct alloc *a, struct zone *z,
			    const struct rmqueue_req *req,
			    const struct candidate *c)
{
	const enum migratetype old = pageblock_mt(a, c->pfn);
	struct pageblock_census census;

	if (a->prof.steal_moves_below_threshold) {
		move_pageblock(a, z, c->pfn, req->mt, &census);
		if (enough_alike(a, req->mt, old, &census))
			set_pageblock_mt(a, c->pfn, req->mt);
		return census.free > 0;
	}
	if (!pageblock_inside_zone(a, z, c->pfn))
		return false;
	count_pageblock(a, z, c->pfn, &census);
	if (!enough_alike(a, req->mt, old, &census))
		return false;
	move_freepages_block(a, z, c->pfn, req->mt);
	set_pageblock_mt(a, c->pfn, req->mt);
	return true;
}

/* The block alone, however large; NONE if a retry has to look for it. */
static pfn_t take_single(struct alloc *a, struct zone *z,
			 const struct rmqueue_req *req,
			 const struct candidate *c,
			 enum migratetype rest)
{
	if (a->prof.steal_remainder_to_owner && c->order >= req->order)
		return take_out_of(a, z, req, c, rest);
	move_to_free_list(a, z, c->pfn, c->order, req->mt);
	return PFN_NONE;
}

/* Models steal_suitable_fallback; PFN_NONE: the lists of req->mt have it. */
static pfn_t steal_suitable_fallback(struct alloc *a, struct zone *z,
				     const struct rmqueue_req *req,
				     const struct candidate *c)
{
	/* A leftover of a reservation that was given back meanwhile. */
	if (pageblock_mt(a, c->pfn) == MIGRATE_HIGHATOMIC)
		return take_single(a, z, req, c, c->mt);
	if (c->order >= a->pageblock_order) {
		change_pageblock_range(a, c->pfn, c->order, req->mt);
		return take_single(a, z, req, c, req->mt);
	}
	boost_watermark(a, z, req->flags);
	if (c->claimable && claim_pageblock(a, z, req, c))
		return PFN_NONE;
	return take_single(a, z, req, c, c->mt);
}

/* Models try_to_claim_block (6.15): PFN_NONE if the claim fails. */
static pfn_t try_to_claim_block(struct alloc *a, struct zone *z,
				const struct rmqueue_req *req,
				const struct candidate *c)
{
	if (c->order >= a->pageblock_order && c->order >= req->order) {
		change_pageblock_range(a, c->pfn, c->order, req->mt);
		return take_out_of(a, z, req, c, req->mt);
	}
	boost_watermark(a, z, req->flags);
	if (!claim_pageblock(a, z, req, c))
		return PFN_NONE;
	return rmqueue_smallest(a, z, req->order, req->mt);
}

/* One search, largest first; a movable request that would split a pageblock
 * anyway takes the smallest block instead. */
static bool find_largest(const struct alloc *a, const struct zone *z,
			 const struct rmqueue_req *req, struct candidate *c)
{
	const unsigned int bound = search_bound(a, req);

	for (unsigned int o = NR_PAGE_ORDERS; o-- > bound;) {
		if (!find_suitable_fallback(a, z, o, req->mt, c))
			continue;
		if (!c->claimable && o > req->order)
			return find_smallest(a, z, req, c);
		return true;
	}
	return false;
}

/*
 * Models __rmqueue_fallback up to 6.12.0. It can succeed without a page for an
 * order-10 request whose search went down to order 9: hence the loop.
 */
pfn_t rmqueue_fallback(struct alloc *a, struct zone *z,
			      const struct rmqueue_req *req)
{
	struct candidate c;
	pfn_t pfn = PFN_NONE;

	while (pfn == PFN_NONE && find_largest(a, z, req, &c)) {
		pfn = steal_suitable_fallback(a, z, req, &c);
		if (!a->prof.extfrag_after)
			note_extfrag(a, req, &c, c.pfn);
		if (pfn == PFN_NONE)
			pfn = rmqueue_smallest(a, z, req->order, req->mt);
		if (a->prof.extfrag_after && pfn != PFN_NONE)
			note_extfrag(a, req, &c, pfn);
	}
	return pfn;
}

/* Models __rmqueue_claim (6.15): largest to smallest, until one succeeds. */
pfn_t rmqueue_claim(struct alloc *a, struct zone *z,
			   const struct rmqueue_req *req)
{
	const unsigned int bound = search_bound(a, req);
	struct candidate c;
	pfn_t pfn;

	for (unsigned int o = NR_PAGE_ORDERS; o-- > bound;) {
		if (!find_suitable_fallback(a, z, o, req->mt, &c))
			continue;
		if (!c.claimable)
			break;
		pfn = try_to_claim_block(a, z, req, &c);
		if (pfn == PFN_NONE)
			continue;
		note_extfrag(a, req, &c, a->prof.extfrag_after ? pfn : c.pfn);
		return pfn;
	}
	return PFN_NONE;
}

/* Models __rmqueue_steal (6.15): the smallest foreign block that serves. */
pfn_t rmqueue_steal(struct alloc *a, struct zone *z,
			   const struct rmqueue_req *req)
{
	struct candidate c;
	pfn_t pfn;

	if ((req->flags & AF_NOFRAGMENT) || !find_smallest(a, z, req, &c))
		return PFN_NONE;
	pfn = take_single(a, z, req, &c, c.mt);
	if (pfn == PFN_NONE)
		pfn = rmqueue_smallest(a, z, req->order, req->mt);
	note_extfrag(a, req, &c, a->prof.extfrag_after ? pfn : c.pfn);
	return pfn;
}
