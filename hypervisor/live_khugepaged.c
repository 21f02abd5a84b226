/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * `khugepaged = on` of the live host: a khugepaged in virtual time, which goes
 * through guest memory as khugepaged_do_scan() of 5.6 does and leaves the
 * collapse itself to the kernel, by MADV_COLLAPSE (Linux 6.1). The kernel's own
 * thread keeps host time, and would act in the middle of nothing.
 *
 * Which regions are worth it is decided here, from what was measured:
 * MADV_COLLAPSE itself minds neither holes nor age.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <sys/mman.h>

#include "hypervisor/live.h"

#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25
#endif

/* It fails while a page is held for a moment, on its way between LRU lists. */
#define ATTEMPTS 8

/* hpage_collapse_scan_pmd(): is there anything to win? */
static bool worth_collapse(const struct live_ref *r)
{
	const struct live_options *opt = r->host->opt;
	const struct live_region *s = region_of(r);
	const uint32_t present = set_nr(&s->is.present);
	struct page_set old = set_minus(&s->lazy, &s->ept);
	const struct page_set young = set_minus(&s->is.present, &old);

	return !s->is.huge && present &&
	       HPAGE_PMD_NR - present <= opt->khugepaged_max_ptes_none &&
	       !set_nr(&s->is.swapped) && set_nr(&young) &&
	       (!set_nr(&s->thp) || opt->khugepaged_pte_mapped);
}

static bool collapse(const struct live_ref *r)
{
	char *p = page_address(r->guest, r->region << HPAGE_PMD_ORDER);
	int err = -1;

	kernel_allow_huge(r->host, r->guest, r->region, true);
	for (int i = 0; err && i < ATTEMPTS; i++)
		err = madvise(p, HPAGE_PMD_SIZE, MADV_COLLAPSE);
	kernel_allow_huge(r->host, r->guest, r->region, false);
	if (err)
		r->ev->thp_collapse_alloc_failed++;
	else
		region_collapsed(r);
	return !err;
}

static void next_guest(struct live_host *h, struct hv_events *ev)
{
	struct live_khugepaged *k = &h->khugepaged;

	k->region = 0;
	while (++k->guest < HV_MAX_GUESTS)
		if (h->guests[k->guest].nr_pages)
			return;
	k->scanning = false;
	ev->khugepaged_full_scans++;
}

void live_khugepaged_exit(struct live_host *h, uint32_t guest)
{
	struct hv_events unused = { 0 };

	if (h->khugepaged.scanning && h->khugepaged.guest == guest)
		next_guest(h, &unused);
}

static bool begin_round(struct live_host *h)
{
	struct live_khugepaged *k = &h->khugepaged;

	k->region = 0;
	for (k->guest = 0; k->guest < HV_MAX_GUESTS; k->guest++)
		if (h->guests[k->guest].nr_pages)
			break;
	k->scanning = k->guest < HV_MAX_GUESTS;
	return k->scanning;
}

/* khugepaged_scan_mm_slot(), 5.6: up to the first region that it takes. */
static uint64_t scan_guest(struct live_host *h, uint64_t pages,
			   struct hv_events *ev, bool *failed)
{
	struct live_khugepaged *k = &h->khugepaged;
	struct live_ref r = { .host = h, .guest = &h->guests[k->guest],
			      .ev = ev };
	const uint32_t end = r.guest->nr_pages >> HPAGE_PMD_ORDER;
	uint64_t progress = 1;

	while (k->region < end) {
		if (progress >= pages)
			return progress;
		r.region = k->region++;
		region_refresh(&r);
		progress += HPAGE_PMD_NR;
		ev->khugepaged_scanned += HPAGE_PMD_NR;
		if (!worth_collapse(&r))
			continue;
		*failed = !collapse(&r);
		return progress;
	}
	next_guest(h, ev);
	return progress;
}

uint64_t live_khugepaged(struct hypervisor *hv, struct hv_events *ev)
{
	struct live_host *h = hv->state;
	uint64_t left = h->opt->khugepaged_pages_to_scan;
	unsigned int rounds = 0;
	bool failed = false;

	if (h->opt->khugepaged != LIVE_KHUGEPAGED_ON || !h->wants_huge)
		return HV_NEVER;
	while (left && !failed) {
		uint64_t progress;

		if (!h->khugepaged.scanning &&
		    (++rounds == 2 || !begin_round(h)))
			break;
		progress = scan_guest(h, left, ev, &failed);
		left -= progress < left ? progress : left;
	}
	return failed ? h->opt->khugepaged_alloc_sleep :
			h->opt->khugepaged_scan_sleep;
}
