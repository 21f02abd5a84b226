/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * D: a pageset is drained. The record has the CPU that drains; whose pages it
 * drains is told by the number of pages there. If several pagesets have as
 * many, it is told by what drains there are (6.1): drain_all_pages goes from
 * CPU to CPU and on each from zone to zone, both ascending, while compaction
 * drains its own CPU's pageset of its zone, and no other.
 *
 * A full drain is that of a direct reclaimer that found nothing in spite of
 * progress. Just before, it gave back a block of the highatomic reserve, which
 * no record tells (__alloc_pages_direct_reclaim, 6.1).
 */
#include "replay/internal.h"

static bool count_matches(const struct replay *r, const struct req_record *rec,
			  unsigned int cpu)
{
	struct alloc_pcp_info info;

	alloc_pcp_info(r->alloc, twin_zone(r, rec), cpu, &info);
	return info.count == rec->count;
}

/* The first pageset from this CPU on that has the record's count, or -1. */
static int first_match(const struct replay *r, const struct req_record *rec,
		       unsigned int cpu)
{
	for (; cpu < alloc_nr_cpus(r->alloc); cpu++)
		if (count_matches(r, rec, cpu))
			return (int)cpu;
	return -1;
}

/* Where a full drain that has come to d's pageset goes on, or -1. */
static int next_match(const struct replay *r, const struct req_record *rec,
		      const struct drainer *d)
{
	const unsigned int zone = twin_zone(r, rec);
	const bool same_cpu = zone > d->zone || (zone == d->zone && !d->whole);

	if (!d->running)
		return -1;
	return first_match(r, rec, same_cpu ? d->cpu : d->cpu + 1u);
}

/* A drain that is followed by another one of the same CPU is a full one. */
static bool begins_full_drain(const struct replay *r,
			      const struct req_record *rec)
{
	const struct req_record *next = ahead_peek(r);

	return next && next->kind == REQ_D && next->cpu == rec->cpu;
}

static bool has_reserve(const struct replay *r)
{
	struct alloc_zone_info info;

	for (unsigned int i = 0; i < alloc_nr_zones(r->alloc); i++) {
		alloc_zone_info(r->alloc, i, &info);
		if (info.reserved_highatomic >
		    order_nr_pages(alloc_pageblock_order(r->alloc)))
			return true;
	}
	return false;
}

/* The request that reclaims is the next of this CPU that may. */
static void give_back_reserve(struct replay *r, const struct req_record *rec)
{
	const struct req_record *request;

	if (r->drainers[rec->cpu].running || !has_reserve(r) ||
	    !begins_full_drain(r, rec))
		return;
	request = ahead_reclaimer(r, rec->cpu);
	if (request)
		alloc_unreserve_highatomic(r->alloc, rec->cpu, request->gfp);
}

static int drained_cpu(const struct replay *r, const struct req_record *rec)
{
	struct alloc_pcp_info info;
	int cpu;

	alloc_pcp_info(r->alloc, twin_zone(r, rec), rec->cpu, &info);
	if (rec->pindex >= info.nr_lists)
		return -1;
	cpu = next_match(r, rec, &r->drainers[rec->cpu]);
	if (cpu >= 0)
		return cpu;
	if (!begins_full_drain(r, rec) && count_matches(r, rec, rec->cpu))
		return rec->cpu;
	return first_match(r, rec, 0);
}

void drain_is_over(struct replay *r, unsigned int cpu)
{
	r->drainers[cpu].running = false;
}

void apply_drain(struct replay *r, const struct req_record *rec,
		 struct replay_step *step)
{
	const int cpu = drained_cpu(r, rec);

	give_back_reserve(r, rec);
	capture_arm(r, rec);
	if (cpu < 0) {
		step_skip(r, REPLAY_NO_PAGESET);
	} else {
		alloc_drain_pageset(r->alloc, twin_zone(r, rec),
				    (unsigned int)cpu, rec->nr_pages,
				    rec->pindex);
		r->drainers[rec->cpu] = (struct drainer){
			.cpu = (uint16_t)cpu,
			.zone = (uint8_t)twin_zone(r, rec),
			.running = true,
			.whole = rec->nr_pages >= rec->count,
		};
		step->applied = true;
	}
	capture_collect(r);
	hints_age(r);
}
