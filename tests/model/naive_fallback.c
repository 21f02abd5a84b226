/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Naive choice of a block in one zone: smallest fit, CMA, then other types'
 * blocks, claimed or stolen as the release does (__rmqueue and what it calls).
 */
#include "tests/model/naive_alloc.h"

/* Who may take from whom, best first. */
static const int preference[3][2] = {
	[NU] = { NR, NM }, [NM] = { NR, NU }, [NR] = { NU, NM },
};

/* Type of the list to take from at this order, or -1. */
static int suitable(const struct naive_zone *z, int order, int type)
{
	int i;

	for (i = 0; i < 2; i++)
		if (z->free[order][preference[type][i]].nr)
			return preference[type][i];
	return -1;
}

static bool claimable(const struct naive *m, int order, int type)
{
	return order >= NAIVE_PB_ORDER / 2 || type != NM || !m->grouping;
}

static void boost(struct naive *m, struct naive_zone *z)
{
	int64_t max = z->wmark[2] * 15000 / 10000;

	if (max == 0 || (m->kernel > K53 && 4 * 512 > z->managed))
		return;
	if (max < 512)
		max = 512;
	z->boost = z->boost + 512 < max ? z->boost + 512 : max;
}

/* Allocated pages of the pageblock that suit the requested type. */
static int alike(int type, int old, int nr_free, int nr_movable)
{
	if (type == NM)
		return nr_movable;
	return old == NM ? NAIVE_PB - nr_free - nr_movable : 0;
}

static void claim_large(struct naive *m, uint32_t pfn, int order, int type)
{
	uint32_t p;

	for (p = pfn; p < pfn + (1u << order); p += NAIVE_PB)
		naive_set_type(m, p, type);
}

/* ---- up to 6.1: move blocks to the requester's lists, then start over ---- */

static void steal(struct naive *m, struct naive_zone *z, int order, int from,
		  int type)
{
	uint32_t pfn = z->free[order][from].head;
	uint32_t start = pfn / NAIVE_PB * NAIVE_PB, end = start + NAIVE_PB;
	int old = m->pageblock[pfn / NAIVE_PB], f = 0, v = 0;

	if (old != NH && order >= NAIVE_PB_ORDER)
		claim_large(m, pfn, order, type);
	if (old != NH && order < NAIVE_PB_ORDER) {
		boost(m, z);
		if (claimable(m, order, type) && end <= z->end) {
			if (start < z->start)
				start = pfn;
			naive_count(m, z, start, end, &f, &v);
			naive_move_pageblock(m, z, start, end, type);
			if (f + alike(type, old, f, v) >= NAIVE_PB / 2 ||
			    !m->grouping)
				naive_set_type(m, pfn, type);
			return;
		}
	}
	naive_move_block(m, z, pfn, type);
}

static bool fallback_old(struct naive *m, struct naive_zone *z, int order,
			 int type, int bound)
{
	int o, from;

	for (o = 10; o >= bound; o--) {
		from = suitable(z, o, type);
		if (from < 0)
			continue;
		if (!claimable(m, o, type) && type == NM && o > order)
			break;
		steal(m, z, o, from, type);
		return true;
	}
	if (o < bound)
		return false;
	for (o = order; o < NAIVE_ORDERS; o++) {
		from = suitable(z, o, type);
		if (from >= 0) {
			steal(m, z, o, from, type);
			return true;
		}
	}
	return false;
}

/* ---- 6.12 on: claim a pageblock or split one foreign block ---- */

/* NAIVE_NONE if the pageblock was not claimed. */
static uint32_t try_claim(struct naive *m, struct naive_zone *z, int o,
			  int order, int from, int type)
{
	uint32_t pfn = z->free[o][from].head;
	uint32_t start = pfn / NAIVE_PB * NAIVE_PB, end = start + NAIVE_PB;
	int old = m->pageblock[pfn / NAIVE_PB], f, v;

	/* A leftover of a reserve; 6.15 stopped looking for that. */
	if (m->kernel == K612_0 && old == NH)
		return NAIVE_NONE;
	if (o >= NAIVE_PB_ORDER) {
		naive_take_free(m, z, pfn);
		claim_large(m, pfn, o, type);
		return naive_split(m, z, pfn, o, order, type);
	}
	boost(m, z);
	if (!claimable(m, o, type) || start < z->start || end > z->end)
		return NAIVE_NONE;
	naive_count(m, z, start, end, &f, &v);
	if (f + alike(type, old, f, v) < NAIVE_PB / 2 && m->grouping)
		return NAIVE_NONE;
	naive_move_pageblock(m, z, start, end, type);
	naive_set_type(m, pfn, type);
	return naive_smallest(m, z, order, type);
}

static uint32_t split_foreign(struct naive *m, struct naive_zone *z, int o,
			      int order, int from)
{
	uint32_t pfn = z->free[o][from].head;

	naive_take_free(m, z, pfn);
	return naive_split(m, z, pfn, o, order, from);
}

static uint32_t fallback_6_12_0(struct naive *m, struct naive_zone *z,
				int order, int type, int bound)
{
	int o, from = -1;
	uint32_t pfn;

	for (o = 10; o >= bound; o--) {
		from = suitable(z, o, type);
		if (from >= 0)
			break;
	}
	if (o < bound)
		return NAIVE_NONE;
	if (!claimable(m, o, type) && type == NM && o > order)
		for (o = order; (from = suitable(z, o, type)) < 0; )
			o++;
	pfn = try_claim(m, z, o, order, from, type);
	if (pfn != NAIVE_NONE)
		return pfn;
	return split_foreign(m, z, o, order, from);
}

static uint32_t claim_stage(struct naive *m, struct naive_zone *z, int order,
			    int type, int bound)
{
	int o, from;
	uint32_t pfn;

	for (o = 10; o >= bound; o--) {
		from = suitable(z, o, type);
		if (from < 0)
			continue;
		if (!claimable(m, o, type))
			return NAIVE_NONE;
		pfn = try_claim(m, z, o, order, from, type);
		if (pfn != NAIVE_NONE)
			return pfn;
	}
	return NAIVE_NONE;
}

static uint32_t steal_stage(struct naive *m, struct naive_zone *z, int order,
			    int type)
{
	int o, from;

	for (o = order; o < NAIVE_ORDERS; o++) {
		from = suitable(z, o, type);
		if (from >= 0)
			return split_foreign(m, z, o, order, from);
	}
	return NAIVE_NONE;
}

/* Steps 1 and 2 are the caller's for kernels that start over. */
static uint32_t by_stages(struct naive *m, struct naive_zone *z, int order,
			  int type, int bound, bool nofragment,
			  enum naive_mode *mode)
{
	uint32_t pfn = NAIVE_NONE;

	if (*mode == MODE_NORMAL)
		pfn = naive_smallest(m, z, order, type);
	if (pfn == NAIVE_NONE && *mode <= MODE_CMA && type == NM) {
		pfn = naive_smallest(m, z, order, NC);
		if (pfn != NAIVE_NONE)
			*mode = MODE_CMA;
	}
	if (pfn == NAIVE_NONE && *mode <= MODE_CLAIM) {
		pfn = claim_stage(m, z, order, type, bound);
		if (pfn != NAIVE_NONE)
			*mode = MODE_NORMAL;
	}
	if (pfn == NAIVE_NONE && !nofragment) {
		pfn = steal_stage(m, z, order, type);
		if (pfn != NAIVE_NONE)
			*mode = MODE_STEAL;
	}
	return pfn;
}

uint32_t naive_rmqueue(struct naive *m, struct naive_zone *z, int order,
		       int type, bool nofragment, enum naive_mode *mode)
{
	int bound = order;
	uint32_t pfn;

	if (nofragment && (order < NAIVE_PB_ORDER || m->kernel < K61))
		bound = NAIVE_PB_ORDER;
	if (m->kernel >= K510 && type == NM &&
	    z->free_pages[NC] > naive_free_pages(z) / 2) {
		pfn = naive_smallest(m, z, order, NC);
		if (pfn != NAIVE_NONE)
			return pfn;
	}
	if (m->kernel >= K612)
		return by_stages(m, z, order, type, bound, nofragment, mode);
	for (;;) {
		pfn = naive_smallest(m, z, order, type);
		if (pfn == NAIVE_NONE && type == NM)
			pfn = naive_smallest(m, z, order, NC);
		if (pfn != NAIVE_NONE)
			return pfn;
		if (m->kernel == K612_0)
			return fallback_6_12_0(m, z, order, type, bound);
		if (!fallback_old(m, z, order, type, bound))
			return NAIVE_NONE;
	}
}
