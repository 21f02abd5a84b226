/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The watermark test and the watermark boost: may this zone serve this request,
 * and how much harder should kswapd work after pageblocks were mixed. Models
 * zone_watermark_ok, zone_watermark_fast and boost_watermark of 5.3 to 6.18.
 *
 * The free page count is exact. The kernel reads a counter that lags by up to
 * the stat threshold of every CPU, and sums the CPUs only near a mark; who
 * knows by how much says so (free_lag). See docs/fidelity.md.
 */
#include "alloc/internal.h"
#include "alloc/walk.h"

/* Flags that let a request count the highatomic reserve as its own. */
static unsigned int reserve_flags(const struct alloc *a)
{
	if (a->prof.rights == RIGHTS_HARDER)
		return AF_NON_BLOCK | AF_OOM;
	return AF_NON_BLOCK | AF_MIN_RESERVE | AF_HIGHATOMIC | AF_OOM;
}

/* Free pages that this request could not use even if they are there. */
static uint64_t unusable_free(const struct alloc *a, const struct zone *z,
			      unsigned int order, unsigned int alloc_flags)
{
	uint64_t unusable = order_nr_pages(order) - 1;

	if (!(alloc_flags & reserve_flags(a))) {
		if (a->prof.highatomic_free_only)
			unusable += z->nr_free_highatomic;
		else
			unusable += z->nr_reserved_highatomic;
	}
	if (!(alloc_flags & AF_CMA))
		unusable += z->nr_free_cma;
	return unusable;
}

static uint64_t min_after_rights(const struct alloc *a, uint64_t min,
				 unsigned int alloc_flags)
{
	if (a->prof.rights == RIGHTS_HARDER) {
		if (alloc_flags & AF_MIN_RESERVE)
			min -= min / 2;
		if (alloc_flags & AF_OOM)
			min -= min / 2;
		else if (alloc_flags & AF_NON_BLOCK)
			min -= min / 4;
		return min;
	}
	if (alloc_flags & AF_MIN_RESERVE) {
		min -= min / 2;
		if (alloc_flags & AF_NON_BLOCK)
			min -= min / 4;
	}
	if (alloc_flags & AF_OOM)
		min -= min / 2;
	return min;
}

bool zone_has_block(const struct alloc *a, const struct zone *z,
		    unsigned int order, unsigned int alloc_flags)
{
	const unsigned int high_rights =
		a->prof.rights == RIGHTS_HARDER ? AF_NON_BLOCK | AF_OOM :
						  AF_HIGHATOMIC | AF_OOM;

	for (unsigned int o = order; o <= MAX_PAGE_ORDER; o++) {
		const struct free_area *area = &z->free_area[o];

		if (area->nr_free == 0)
			continue;
		for (unsigned int mt = 0; mt < MIGRATE_PCPTYPES; mt++) {
			if (area->free_list[mt].head != LINK_NONE)
				return true;
		}
		if ((alloc_flags & AF_CMA) &&
		    area->free_list[MIGRATE_CMA].head != LINK_NONE)
			return true;
		if ((alloc_flags & high_rights) &&
		    area->free_list[MIGRATE_HIGHATOMIC].head != LINK_NONE)
			return true;
	}
	return false;
}

/* The global counter is never below 0, as those who read it see to. */
static uint64_t counted_free(const struct zone *z)
{
	const int64_t free = (int64_t)z->free_pages - z->free_lag;

	return free > 0 ? (uint64_t)free : 0;
}

bool zone_watermark_ok(const struct alloc *a, const struct zone *z,
		       unsigned int order, uint64_t mark, unsigned int j,
		       unsigned int alloc_flags)
{
	const uint64_t unusable = unusable_free(a, z, order, alloc_flags);
	const uint64_t min = min_after_rights(a, mark, alloc_flags);

	/* Written as a sum, since free - unusable may be negative. */
	if (counted_free(z) <= min + z->lowmem_reserve[j] + unusable)
		return false;
	return order == 0 || zone_has_block(a, z, order, alloc_flags);
}

static bool retests_raw_min(const struct alloc *a, const struct zone *z,
			    unsigned int alloc_flags, gfp_t gfp)
{
	if (z->boost == 0 || (alloc_flags & AF_WMARK_MASK) != AF_WMARK_MIN)
		return false;
	switch (a->prof.boost_retest) {
	case BOOST_RETEST_ATOMIC:
		return gfp & GFP_BIT_ATOMIC;
	case BOOST_RETEST_MIN_RESERVE:
		return alloc_flags & AF_MIN_RESERVE;
	default:
		return false;
	}
}

bool zone_watermark_fast(const struct alloc *a, const struct zone *z,
			 unsigned int order, uint64_t mark, unsigned int j,
			 unsigned int alloc_flags, gfp_t gfp)
{
	if (order == 0) {
		uint64_t unusable = 0;

		if (a->prof.highatomic_fast_path)
			unusable = unusable_free(a, z, 0, alloc_flags);
		else if (!(alloc_flags & AF_CMA))
			unusable = z->nr_free_cma;
		if (counted_free(z) > mark + z->lowmem_reserve[j] + unusable)
			return true;
	}
	if (zone_watermark_ok(a, z, order, mark, j, alloc_flags))
		return true;
	/* A boost is meant to wake kswapd, not to starve atomic requests. */
	if (order == 0 && retests_raw_min(a, z, alloc_flags, gfp))
		return zone_watermark_ok(a, z, 0, z->wmark[AF_WMARK_MIN], j,
					 alloc_flags);
	return false;
}

bool alloc_watermark_ok(const struct alloc *a, unsigned int zone,
			unsigned int order, uint64_t mark, unsigned int j)
{
	CHECK_LT(zone, a->nr_zones);
	CHECK_LT(j, MAX_NR_ZONES);
	return zone_watermark_ok(a, zone_at(a, zone), order, mark, j, AF_CMA);
}

static bool raise_boost(const struct alloc *a, struct zone *z)
{
	const uint64_t pageblock_nr = order_nr_pages(a->pageblock_order);
	const uint64_t factor = a->watermark_boost_factor;
	uint64_t max_boost;

	if (factor == 0 || !a->prof.boost_watermark)
		return false;
	/* A boost of a small zone could take most of it. */
	if (a->prof.boost_small_zone_test && pageblock_nr * 4 > z->managed)
		return false;
	/* high is 0 before the watermark initcall. */
	max_boost = z->wmark[AF_WMARK_HIGH] * factor / 10000;
	if (max_boost == 0)
		return false;
	if (max_boost < pageblock_nr)
		max_boost = pageblock_nr;
	z->boost += pageblock_nr;
	if (z->boost > max_boost)
		z->boost = max_boost;
	return true;
}

void boost_watermark(struct alloc *a, struct zone *z, unsigned int alloc_flags)
{
	const bool raised = raise_boost(a, z);

	if (raised)
		a->cnt.watermark_boosts++;
	if ((alloc_flags & AF_KSWAPD) &&
	    (raised || !a->prof.boost_flag_only_if_boosted))
		z->boosted = true;
	zone_limits_changed(a, z);
}

/* No zone has as many pages, not even if those of a block are added. */
#define NEVER_HIT (UINT64_MAX / 2)

/* At worst too high: then the ordinary way decides. */
uint64_t zone_hit_limit(const struct alloc *a, const struct zone *z,
			unsigned int highest)
{
	const unsigned int j = a->prof.reserve_uses_highest_allowed ?
				       highest : z->type;
	const unsigned int mark = a->prof.below_high_flag && !z->below_high ?
					  AF_WMARK_HIGH : AF_WMARK_LOW;
	const uint64_t lag = z->free_lag > 0 ? (uint64_t)z->free_lag : 0;

	if (z->boosted)
		return NEVER_HIT;
	return zone_wmark(z, mark) + z->lowmem_reserve[j] +
	       z->nr_reserved_highatomic + z->nr_free_highatomic +
	       z->nr_free_cma + lag;
}

void zone_limits_changed(const struct alloc *a, struct zone *z)
{
	for (unsigned int j = 0; j < MAX_NR_ZONES; j++)
		z->hit_limit[j] = zone_hit_limit(a, z, j);
}
