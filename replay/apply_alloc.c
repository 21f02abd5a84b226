/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A, AB, AK and B: the twin is asked for a page as the kernel was, and has to
 * come to the same PFN. What reclaim and compaction did inside a slow path
 * stands in the stream as records of its own, in front of the allocation, so
 * the twin never waits for either: a request that the kernel satisfied and
 * that fails at the MIN watermark is asked again as a task that reclaims
 * would be, without watermarks.
 */
#include "replay/internal.h"

static struct alloc_request make_request(const struct req_record *rec,
					 uint32_t flags, int zone)
{
	return (struct alloc_request){
		.gfp = rec->gfp,
		.order = rec->order,
		.cpu = rec->cpu,
		.node = -1,
		.flags = flags,
		.zone = (int16_t)zone,
	};
}

/* Models gfp_zone, 6.1: the highest zone that the mask allows. */
static enum zone_type highest_zone(gfp_t gfp)
{
	if (gfp & GFP_BIT_DMA)
		return ZONE_DMA;
	if (gfp & GFP_BIT_DMA32)
		return ZONE_DMA32;
	if ((gfp & GFP_BIT_HIGHMEM) && (gfp & GFP_BIT_MOVABLE))
		return ZONE_MOVABLE;
	return ZONE_NORMAL;
}

/* First zone of the walk that passes the LOW mark, or -1. */
static int likely_zone(const struct replay *r, const struct req_record *rec)
{
	const enum zone_type highest = highest_zone(rec->gfp);
	struct alloc_zone_info info;

	for (unsigned int i = alloc_nr_zones(r->alloc); i-- > 0;) {
		alloc_zone_info(r->alloc, i, &info);
		if (info.type <= highest &&
		    alloc_watermark_ok(r->alloc, i, rec->order,
				       info.wmark_low + info.boost, highest))
			return (int)i;
	}
	return -1;
}

/*
 * Zone that the allocation is to come from, or -1 for the twin's choice. The
 * kernel's free counter lags behind by what its CPUs have not added up, so
 * that near a watermark it may have walked on, or not.
 */
static int hinted_zone(struct replay *r, const struct req_record *rec)
{
	int zone;

	if (!(r->opt.hints & REPLAY_HINT_ZONE) || rec->pfn == PFN_NONE)
		return -1;
	zone = alloc_zone_of(r->alloc, rec->pfn);
	if (zone < 0)
		return -1;
	boost_refuted(r, (unsigned int)zone, rec->order,
		      highest_zone(rec->gfp));
	lag_refuted(r, (unsigned int)zone, rec->order, highest_zone(rec->gfp));
	return zone == likely_zone(r, rec) ? -1 : zone;
}

static pfn_t serve_request(struct replay *r, const struct req_record *rec,
			   int zone, uint32_t tried)
{
	const uint32_t flags = rec->kind == REQ_AB ? ALLOC_REQ_BUDDY : 0;
	struct alloc_request req = make_request(rec, flags | tried, zone);
	struct alloc_result res = alloc_pages(r->alloc, &req);

	if (res.status == ALLOC_OK)
		return res.pfn;
	if (rec->pfn == PFN_NONE)
		return PFN_NONE;
	req = make_request(rec, flags | ALLOC_REQ_MEMALLOC, zone);
	/* Who may not use the reserves was above the mark, by its counter. */
	req.gfp &= ~GFP_BIT_NOMEMALLOC;
	res = alloc_pages(r->alloc, &req);
	return res.status == ALLOC_OK ? res.pfn : PFN_NONE;
}

/* A list that the profile does not have serves nobody. */
static pfn_t serve_bulk(struct replay *r, const struct req_record *rec)
{
	const enum migratetype mt = twin_type(r->before, rec->mt);

	if (twin_pindex(r->alloc, rec->order, mt) < 0)
		return PFN_NONE;
	return alloc_pcp_take(r->alloc, twin_zone(r, rec), rec->cpu, rec->order,
			      mt);
}

pfn_t serve(struct replay *r, const struct req_record *rec)
{
	pfn_t pfn = PFN_NONE;
	int zone;

	if (rec->kind == REQ_B)
		return serve_bulk(r, rec);
	if (rec->kind == REQ_AK)
		pfn = capture_take(r, rec->cpu, rec->order);
	if (pfn != PFN_NONE)
		return pfn;
	zone = hinted_zone(r, rec);
	if (zone >= 0)
		r->res.hints_used[2]++;
	return serve_request(r, rec, zone, 0);
}

pfn_t serve_after_first(struct replay *r, const struct req_record *rec)
{
	return serve_request(r, rec, -1, ALLOC_REQ_TRIED);
}

static enum replay_cause classify(const struct replay *r, pfn_t expected,
				  pfn_t got)
{
	if (got == PFN_NONE)
		return REPLAY_NO_PAGE;
	if (expected == PFN_NONE)
		return REPLAY_NOT_FAILED;
	if (alloc_zone_of(r->alloc, expected) != alloc_zone_of(r->alloc, got))
		return REPLAY_OTHER_ZONE;
	return REPLAY_OTHER_PAGE;
}

enum replay_cause count_miss(struct replay *r, const struct req_record *rec,
			     pfn_t got)
{
	const enum replay_cause cause = classify(r, rec->pfn, got);

	if (!r->res.first_miss.event)
		explain_miss(r, rec, rec->pfn, got, cause);
	r->res.misses[cause]++;
	if (rec->pfn != PFN_NONE)
		r->res.missed_at[place_of(r, rec)]++;
	return cause;
}

/* The page that the record is answered with after a miss. */
static pfn_t settle_miss(struct replay *r, const struct req_record *rec,
			 pfn_t got)
{
	const enum replay_cause cause = count_miss(r, rec, got);

	if (r->opt.mode == REPLAY_ASSISTED &&
	    assist_force(r, rec, rec->pfn, got)) {
		r->res.forced++;
		return rec->pfn;
	}
	/* Nobody will free what the kernel never had. */
	if (cause == REPLAY_NOT_FAILED) {
		alloc_free(r->alloc, rec->cpu, got, rec->order);
		return PFN_NONE;
	}
	return got;
}

void mark_lru(struct replay *r, const struct req_record *rec, pfn_t pfn)
{
	alloc_set_lru(r->alloc, pfn, order_nr_pages(rec->order),
		      rec->kind != REQ_B && is_lru_gfp(rec->gfp));
}

void finish_alloc(struct replay *r, const struct req_record *rec, pfn_t got,
		  struct replay_step *step)
{
	drain_is_over(r, rec->cpu);
	hints_age(r);
	r->res.allocations++;
	step->applied = true;
	step->miss = got != rec->pfn;
	if (!step->miss)
		r->res.predicted++;
	else
		got = settle_miss(r, rec, got);
	step->pfn = got;
	if (rec->pfn != PFN_NONE && got != PFN_NONE)
		names_bind(&r->names, rec->pfn, got, rec->order);
	else if (rec->pfn != PFN_NONE)
		names_drop(&r->names, rec->pfn, rec->order);
	if (got != PFN_NONE)
		mark_lru(r, rec, got);
}

void apply_alloc(struct replay *r, const struct req_record *rec,
		 struct replay_step *step)
{
	finish_alloc(r, rec, serve(r, rec), step);
}
