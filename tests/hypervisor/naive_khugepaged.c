/* SPDX-License-Identifier: GPL-2.0-or-later */
/* khugepaged of the naive host; written from docs/host-model.md. */
#include "tests/hypervisor/naive_internal.h"

static bool suitable(const struct naive_host *h, const struct naive_region *r)
{
	uint32_t none = 0, young = 0, huge = 0, swapped = 0;

	if (!r->table)
		return false;
	for (uint32_t i = 0; i < HPAGE_PMD_NR; i++) {
		const struct naive_page *p = &r->page[i];

		none += !p->present && !p->swapped;
		swapped += p->swapped;
		huge += p->thp;
		young += p->present && !p->old && (p->ept || !p->lazy);
	}
	if (swapped > h->config.max_swap || (swapped && young < 256))
		return false;
	return none <= h->config.max_none && young &&
	       (!huge || h->config.pte_mapped);
}

static void collapse(struct naive_host *h, struct naive_region *r,
		     struct hv_events *ev)
{
	for (uint32_t i = 0; i < HPAGE_PMD_NR; i++) {
		struct naive_page *p = &r->page[i];

		ev->ept_zap[HV_LEVEL_4K] += p->ept;
		if (p->present) {
			ev->khugepaged_copied_pages++;
		} else {
			ev->reinflated_pages++;
			ev->zeroed_pages++;
		}
		*p = (struct naive_page){ .present = true, .thp = true,
					  .written = p->present };
	}
	r->table = false;
	r->pmd = r->thp_exists = true;
	if (h->config.shrink)
		r->new_since = ++h->clock;
	naive_renew(h, r, 0);
	ev->khugepaged_collapsed++;
	ev->tlb_flush_rounds++;
	naive_restamp(h, r, ev);
}

static bool read_all(struct naive_host *h, struct naive_region *r,
		     struct hv_events *ev)
{
	const int guest = (int)h->scan_guest;

	for (uint32_t w = 0; w < HPAGE_PMD_NR; w += 64) {
		uint32_t nr = 0;

		for (uint32_t i = w; i < w + 64; i++)
			nr += r->page[i].swapped;
		if (nr && (naive_room(h, -1, h->config.min_pages) <
			   HPAGE_PMD_NR + nr ||
			   naive_room(h, guest, 0) < HPAGE_PMD_NR + nr))
			return false;
		for (uint32_t i = w; i < w + 64; i++) {
			if (!naive_drop_swapped(h, &r->page[i]))
				continue;
			r->page[i].present = true;
			naive_renew(h, r, i);
			ev->pswpin++;
		}
	}
	return true;
}

/* One region; *failed: no huge page for it. True: it was worth a try. */
static bool look(struct naive_host *h, struct naive_region *r, bool *failed,
		 struct hv_events *ev)
{
	ev->khugepaged_scanned += HPAGE_PMD_NR;
	if (!suitable(h, r))
		return false;
	*failed = !naive_make_room(h, -1, HPAGE_PMD_NR, false, ev) ||
		  naive_huge_pages(h) >= h->config.huge_limit;
	ev->thp_collapse_alloc += !*failed;
	ev->thp_collapse_alloc_failed += *failed;
	if (*failed || !naive_make_room(h, (int)h->scan_guest, HPAGE_PMD_NR,
					false, ev))
		return true;
	if (suitable(h, r) && read_all(h, r, ev))
		collapse(h, r, ev);
	return true;
}

/* A guest costs a page, a region 512, and a try begins with the guest again. */
static void walk(struct naive_host *h, bool *failed, struct hv_events *ev)
{
	uint64_t cost = 1;

	while (!h->hugetlb[h->scan_guest] &&
	       (h->scan_region + 1) * HPAGE_PMD_NR <=
	       h->nr_pages[h->scan_guest]) {
		struct naive_region *r =
			&h->region[h->scan_guest][h->scan_region];

		if (cost >= h->scan_left)
			goto out;
		h->scan_region++;
		cost += HPAGE_PMD_NR;
		if (look(h, r, failed, ev))
			goto out;
	}
	h->scan_region = 0;
	if (++h->scan_guest == NAIVE_GUESTS) {
		h->scanning = false;
		ev->khugepaged_full_scans++;
	}
out:
	h->scan_left -= cost < h->scan_left ? cost : h->scan_left;
}

enum naive_sleep naive_khugepaged(struct naive_host *h, struct hv_events *ev)
{
	const bool second = h->waited;
	bool failed = false;

	if (!h->config.khugepaged || !h->config.thp)
		return NAIVE_SLEEP_NEVER;
	h->waited = false;
	if (!second) {
		h->scan_left = h->config.scan;
		h->scan_rounds = 0;
	}
	while (h->scan_left && !failed) {
		if (!h->scanning) {
			if (++h->scan_rounds == 2)
				break;
			h->scanning = true;
			h->scan_guest = h->scan_region = 0;
		}
		walk(h, &failed, ev);
	}
	h->waited = failed && h->scan_left && !second;
	return h->waited ? NAIVE_SLEEP_ALLOC : NAIVE_SLEEP_SCAN;
}
