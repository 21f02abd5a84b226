/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Time until a share of the unused memory is reclaimed (reclaim.h). The
 * resident set falls only where the host discards, so it is looked at there
 * and nowhere else; that is exact and costs other paths nothing. What the host
 * takes by itself, under pressure, is seen at the next discard.
 */
#include "sim/machine.h"

const unsigned int reclaim_shares[RECLAIM_NR_SHARES] = { 50, 90, 99 };

static uint64_t resident_pages(const struct sim *s)
{
	uint64_t sum = 0;

	for (unsigned int i = 0; i < s->nr_guests; i++) {
		struct hv_gauges hv;

		if (!guest_runs(&s->guests[i]))
			continue;
		host_gauges(&s->guests[i], &hv);
		sum += hv.rss_pages;
	}
	return sum;
}

/* What the design has isolated is free, too. */
static uint64_t used_pages(const struct sim *s)
{
	struct alloc_zone_info z;
	uint64_t sum = 0;

	for (unsigned int i = 0; i < s->nr_guests; i++) {
		const struct alloc *a = s->guests[i].alloc;

		if (!guest_runs(&s->guests[i]))
			continue;
		for (unsigned int n = 0; n < alloc_nr_zones(a); n++) {
			alloc_zone_info(a, n, &z);
			sum += z.managed - z.free - z.pcp;
		}
		sum -= s->guests[i].dev.isolated_pages;
	}
	return sum;
}

void reclaim_before_discard(struct sim *s)
{
	const uint64_t now = resident_pages(s);

	guests_note_peak(s);
	if (now > s->reclaim.peak)
		s->reclaim.peak = now;
}

/* Shares that are reached by now. */
static void take_shares(struct sim *s)
{
	struct reclaim *r = &s->reclaim;
	uint64_t now;

	if (!r->wanted || r->reached == RECLAIM_NR_SHARES)
		return;
	now = resident_pages(s);
	while (r->reached < RECLAIM_NR_SHARES && now <= r->goal[r->reached])
		r->at[r->reached++] = s->engine.now;
}

void reclaim_after_discard(struct sim *s)
{
	struct reclaim *r = &s->reclaim;

	if (!r->any)
		r->first = s->engine.now;
	r->any = true;
	take_shares(s);
}

void reclaim_begin(struct sim *s)
{
	struct reclaim *r = &s->reclaim;
	const uint64_t used = used_pages(s);
	uint64_t unused;

	reclaim_before_discard(s);
	unused = r->peak > used ? r->peak - used : 0;
	r->wanted = unused > 0;
	r->any = false;
	r->reached = 0;
	for (unsigned int i = 0; i < RECLAIM_NR_SHARES; i++)
		r->goal[i] = r->peak - unused * reclaim_shares[i] / 100;
	take_shares(s);
}
