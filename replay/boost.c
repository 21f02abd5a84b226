/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * When kswapd gives back a watermark boost (balance_pgdat, 6.1): a boost that
 * a steal raised makes zones fail their marks until kswapd, which it woke, has
 * worked it off. A stream may say so (G). One that does not leaves traces of
 * it: reclaim that is over (W), an allocation from a zone that fails with the
 * boost and passes without it, or that kswapd had time enough. It has no time
 * if it has given up, having failed too often; a boost that was there when the
 * snapshot was taken speaks for that, since boosts are short otherwise.
 *
 * Deviation: that time is counted in operations, see docs/fidelity.md.
 */
#include "replay/internal.h"

/* Operations of all CPUs until kswapd, once woken, has worked off a boost. */
#define BOOST_LIFE 256

static void give_back_all(struct replay *r)
{
	for (unsigned int i = 0; i < alloc_nr_zones(r->alloc); i++)
		alloc_set_boost(r->alloc, i, 0);
	r->boosted = false;
	r->kswapd_woken = false;
}

void boost_start(struct replay *r)
{
	struct alloc_zone_info info;

	for (unsigned int i = 0; i < alloc_nr_zones(r->alloc); i++) {
		alloc_zone_info(r->alloc, i, &info);
		r->boosted |= info.boost > 0;
	}
	r->boost_lasts = r->boosted;
}

void boost_watch(struct replay *r)
{
	const struct alloc_counters *c = alloc_rare_counters(r->alloc);

	if (c->watermark_boosts != r->nr_boosts) {
		r->nr_boosts = c->watermark_boosts;
		r->boosted_at = r->nr_operations;
		r->boosted = true;
	}
	if (!r->boosted || r->boost_recorded || r->boost_lasts)
		return;
	/* Bulk requests boost and wake nobody. */
	if (c->kswapd_wakes != r->nr_wakes && !r->kswapd_woken) {
		r->woken_at = r->nr_operations;
		r->kswapd_woken = true;
	}
	r->nr_wakes = c->kswapd_wakes;
	if (r->kswapd_woken && r->nr_operations - r->woken_at > BOOST_LIFE)
		give_back_all(r);
}

void boost_reclaim(struct replay *r, bool active)
{
	if (active) {
		r->reclaim_at = r->nr_operations;
		return;
	}
	/* A boost that is younger than the pass is for the next one. */
	if (r->boosted && !r->boost_recorded && r->boosted_at <= r->reclaim_at)
		give_back_all(r);
}

void boost_given_back(struct replay *r, const struct req_record *rec)
{
	const unsigned int zone = twin_zone(r, rec);
	struct alloc_zone_info info;

	r->boost_recorded = true;
	alloc_zone_info(r->alloc, zone, &info);
	alloc_set_boost(r->alloc, zone, info.boost > rec->nr_pages ?
					info.boost - rec->nr_pages : 0);
}

void boost_refuted(struct replay *r, unsigned int zone, unsigned int order,
		   unsigned int highest)
{
	struct alloc_zone_info info;

	if (!r->boosted || r->boost_recorded)
		return;
	alloc_zone_info(r->alloc, zone, &info);
	if (info.boost == 0 ||
	    alloc_watermark_ok(r->alloc, zone, order,
			       info.wmark_low + info.boost, highest) ||
	    !alloc_watermark_ok(r->alloc, zone, order, info.wmark_low, highest))
		return;
	give_back_all(r);
}
