/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * khugepaged of the host: khugepaged_do_scan(), khugepaged_scan_mm_slot(),
 * khugepaged_scan_pmd() and collapse_huge_page() of 5.6. A wake-up passes
 * pages_to_scan pages of guest memory, guest after guest, and makes huge what
 * is mapped by small pages: present pages are copied, holes are cleared. With
 * max_ptes_none at its default, 511, this backs again what a guest has given
 * back, as long as one page of the region is left.
 *
 * A page is young, to the kernel, from its fault on until reclaim ages it or
 * MADV_FREE makes it old; an access makes it young again. In the model: present,
 * not aged, and mapped in the EPT if it is lazy-free (an access would have
 * mapped it). Up to max_ptes_swap pages are read back from swap, if half of the
 * region is young.
 *
 * A page that is there as a part of a huge page stops a scan, as in 5.6; from
 * 5.8 on it is copied like any other (khugepaged_pte_mapped).
 *
 * Left out: pages that are shared (max_ptes_shared: guest memory is not), on
 * another node, locked or pinned; the time that the thread takes.
 */
#include "hypervisor/mock.h"

/* khugepaged_scan_pmd(), 5.6: is there anything to win? */
static bool worth_collapse(const struct region_ref *r)
{
	const struct mock_options *opt = r->host->opt;
	const struct small_region *s;
	uint32_t young = 0;

	if (region_state(r->guest, r->region) != REGION_SMALL ||
	    !r->guest->slots[r->region])
		return false;
	s = small_of(r->guest, r->region);
	if (HPAGE_PMD_NR - s->nr_present - s->nr_swapped >
	    opt->khugepaged_max_ptes_none)
		return false;
	if (s->nr_swapped > opt->khugepaged_max_ptes_swap)
		return false;
	if (s->nr_thp && !opt->khugepaged_pte_mapped)
		return false;
	for (uint32_t w = 0; w < PAGE_WORDS; w++)
		young += nr_bits(s->present[w] & ~s->old[w] &
				 (~s->lazy[w] | s->ept[w]));
	return young && (!s->nr_swapped || young >= HPAGE_PMD_NR / 2);
}

/* With `defrag` of khugepaged at its default the allocation may reclaim. */
static bool khugepaged_alloc_page(const struct region_ref *r)
{
	struct mock_host *h = r->host;

	if (host_make_room(h, HPAGE_PMD_NR, false, r->ev) &&
	    h->huge_held < h->huge_limit) {
		r->ev->thp_collapse_alloc++;
		return true;
	}
	r->ev->thp_collapse_alloc_failed++;
	return false;
}

/* __collapse_huge_page_swapin(), 5.6; without memory it gives up. */
static bool swap_in_all(const struct region_ref *r)
{
	const struct small_region *s = small_of(r->guest, r->region);

	for (uint32_t w = 0; s->nr_swapped && w < PAGE_WORDS; w++) {
		const uint32_t nr = nr_bits(s->swapped[w]);

		if (host_room(r->host) < HPAGE_PMD_NR + nr ||
		    memcg_room(r->host, r->guest) < HPAGE_PMD_NR + nr)
			return false;
		if (nr)
			swap_in(r, w, s->swapped[w]);
	}
	return true;
}

/* False: no huge page. What was reclaimed for it may be of this region. */
static bool collapse_huge_page(const struct region_ref *r)
{
	if (!khugepaged_alloc_page(r))
		return false;
	if (!memcg_make_room(r, HPAGE_PMD_NR, false))
		return true;
	if (worth_collapse(r) && swap_in_all(r))
		collapse_region(r);
	return true;
}

/* The guest after the one that was scanned to its end, or the end of a round. */
static void next_guest(struct mock_host *h, struct hv_events *ev)
{
	struct mock_khugepaged *k = &h->khugepaged;

	k->region = 0;
	while (++k->guest < HV_MAX_GUESTS)
		if (h->guests[k->guest].nr_pages)
			return;
	k->scanning = false;
	ev->khugepaged_full_scans++;
}

/* khugepaged_exit(), 5.6: the scan does not go on in a guest that is gone. */
void khugepaged_exit(struct mock_host *h, uint32_t guest)
{
	struct hv_events unused = { 0 };

	if (h->khugepaged.scanning && h->khugepaged.guest == guest)
		next_guest(h, &unused);
}

/* A new round begins with the first guest; false if there is none. */
static bool begin_round(struct mock_host *h)
{
	struct mock_khugepaged *k = &h->khugepaged;

	k->region = 0;
	for (k->guest = 0; k->guest < HV_MAX_GUESTS; k->guest++)
		if (h->guests[k->guest].nr_pages)
			break;
	k->scanning = k->guest < HV_MAX_GUESTS;
	return k->scanning;
}

/*
 * khugepaged_scan_mm_slot(), 5.6: at most `pages` of one guest, up to the first
 * that it tries to collapse. Returns what that counts for; *failed: there was no
 * huge page.
 */
static uint64_t scan_guest(struct mock_host *h, uint64_t pages,
			   struct hv_events *ev, bool *failed)
{
	struct mock_khugepaged *k = &h->khugepaged;
	struct region_ref r = { .host = h, .guest = &h->guests[k->guest],
				.guest_id = k->guest, .ev = ev };
	const uint32_t end = r.guest->hugetlb_order ? 0 :
			     r.guest->nr_pages >> HPAGE_PMD_ORDER;
	uint64_t progress = 1; /* for the guest itself */

	while (k->region < end && vma_thp_allowed(h->opt)) {
		if (progress >= pages)
			return progress;
		r.region = k->region++;
		progress += HPAGE_PMD_NR;
		ev->khugepaged_scanned += HPAGE_PMD_NR;
		if (!worth_collapse(&r))
			continue;
		*failed = !collapse_huge_page(&r);
		return progress;
	}
	next_guest(h, ev);
	return progress;
}

/* khugepaged_do_scan(), 5.6. True: it sleeps for a huge page and goes on. */
static bool do_scan(struct mock_host *h, struct hv_events *ev)
{
	struct mock_khugepaged *k = &h->khugepaged;
	bool may_wait = !k->resumes, failed = false;
	uint64_t progress;

	if (!k->resumes) {
		k->left = h->opt->khugepaged_pages_to_scan;
		k->rounds = 0;
	}
	k->resumes = false;
	while (k->left) {
		if (failed) {
			k->resumes = may_wait;
			return may_wait;
		}
		if (!k->scanning && (++k->rounds == 2 || !begin_round(h)))
			return false;
		progress = scan_guest(h, k->left, ev, &failed);
		k->left -= progress < k->left ? progress : k->left;
	}
	return false;
}

uint64_t mock_khugepaged(struct hypervisor *hv, struct hv_events *ev)
{
	struct mock_host *h = hv->state;
	const struct mock_options *opt = h->opt;

	if (!opt->khugepaged || opt->thp == HOST_THP_NEVER)
		return HV_NEVER;
	return do_scan(h, ev) ? opt->khugepaged_alloc_sleep :
				opt->khugepaged_scan_sleep;
}
