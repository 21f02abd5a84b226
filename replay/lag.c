/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The free counter that watermark tests read. Each CPU keeps what it added to a
 * zone's NR_FREE_PAGES to itself until that is more than the stat threshold
 * (mod_zone_state, 6.1), so the zone's counter lags behind the pages there are.
 * The snapshot has what each CPU kept and its threshold; from there on it
 * follows from who did what: a refill, a block taken or isolated counts at
 * once, frees count one by one.
 *
 * Deviation: a CPU that idles, and the vmstat worker once a second, hand over
 * what they kept, which no record tells. In flushes of pages of several orders
 * all pages count as order 0. See docs/fidelity.md.
 */
#include <errno.h>
#include <stdlib.h>

#include "replay/internal.h"

static struct kept *kept_by(const struct replay *r, unsigned int zone,
			    unsigned int cpu)
{
	return &r->kept[zone * r->before->nr_cpus + cpu];
}

int lag_init(struct replay *r)
{
	const struct snapshot *s = r->before;

	r->kept = calloc((size_t)s->nr_zones * s->nr_cpus, sizeof(*r->kept));
	if (!r->kept)
		return -ENOMEM;
	for (unsigned int i = 0; i < s->nr_zones; i++) {
		r->zone_free[i] = alloc_zone_free_pages(r->alloc, i);
		for (unsigned int c = 0; c < s->nr_cpus; c++) {
			const struct snap_pageset *ps = &s->zones[i].pagesets[c];
			struct kept *k = kept_by(r, i, c);

			k->pages = ps->stat_diff;
			k->threshold = (int32_t)ps->stat_threshold;
			r->lag[i] += k->pages;
			r->follow_lag |= k->threshold > 0;
		}
		alloc_set_free_lag(r->alloc, i, r->lag[i]);
	}
	return 0;
}

void lag_destroy(struct replay *r)
{
	free(r->kept);
}

/* What a CPU that kept `pages` keeps after n more, one at a time. */
static int32_t kept_after_pages(int32_t pages, int32_t threshold, int64_t n)
{
	if (pages + n <= threshold)
		return (int32_t)(pages + n);
	n -= threshold - pages + 1;
	return (int32_t)(n % (threshold + 1));
}

static int32_t kept_after(const struct kept *k, int64_t delta, bool pages)
{
	int64_t sum = k->pages + delta;

	if (pages && delta > 0)
		return kept_after_pages(k->pages, k->threshold, delta);
	return sum > k->threshold || -sum > k->threshold ? 0 : (int32_t)sum;
}

/* A flush or a drain counts page by page, all else as a whole. */
static bool counts_pages(const struct req_record *rec, int64_t delta)
{
	switch (rec->kind) {
	case REQ_F:
	case REQ_FB:
	case REQ_C:
		return delta != order_nr_pages(rec->order);
	case REQ_D:
		return true;
	default:
		return false;
	}
}

void lag_follow(struct replay *r, const struct req_record *rec)
{
	for (unsigned int i = 0; i < r->before->nr_zones; i++) {
		const uint64_t now = alloc_zone_free_pages(r->alloc, i);
		const int64_t delta = (int64_t)(now - r->zone_free[i]);
		struct kept *k;
		int32_t after;

		if (!delta)
			continue;
		r->zone_free[i] = now;
		k = kept_by(r, i, rec->cpu);
		after = kept_after(k, delta, counts_pages(rec, delta));
		r->lag[i] += after - k->pages;
		k->pages = after;
		alloc_set_free_lag(r->alloc, i, r->lag[i]);
	}
}

/*
 * Could a zone's counter be above a mark that it would be below with the lag?
 * alloc_page_fast() looks at the pages there are. More is said than is true:
 * the highest mark, all reserves.
 */
bool lag_matters(const struct replay *r)
{
	struct alloc_zone_info info;

	for (unsigned int i = 0; i < r->before->nr_zones; i++) {
		uint64_t reserve = 0;

		if (r->lag[i] <= 0)
			continue;
		alloc_zone_info(r->alloc, i, &info);
		for (unsigned int j = 0; j < MAX_NR_ZONES; j++)
			if (info.lowmem_reserve[j] > reserve)
				reserve = info.lowmem_reserve[j];
		if (info.free <= info.wmark_high + info.boost + reserve +
				 2 * info.reserved_highatomic +
				 (uint64_t)r->lag[i])
			return true;
	}
	return false;
}

static void hand_over(struct replay *r, unsigned int zone)
{
	for (unsigned int c = 0; c < r->before->nr_cpus; c++)
		kept_by(r, zone, c)->pages = 0;
	r->lag[zone] = 0;
	alloc_set_free_lag(r->alloc, zone, 0);
}

void lag_refuted(struct replay *r, unsigned int zone, unsigned int order,
		 unsigned int highest)
{
	struct alloc_zone_info info;

	if (r->lag[zone] <= 0)
		return;
	alloc_zone_info(r->alloc, zone, &info);
	if (alloc_watermark_ok(r->alloc, zone, order,
			       info.wmark_low + info.boost, highest))
		return;
	alloc_set_free_lag(r->alloc, zone, 0);
	if (alloc_watermark_ok(r->alloc, zone, order,
			       info.wmark_low + info.boost, highest))
		hand_over(r, zone);
	else
		alloc_set_free_lag(r->alloc, zone, r->lag[zone]);
}
