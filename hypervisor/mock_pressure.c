/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the host does when an allocation finds no free page: first drop
 * lazy-free pages (shrink_page_list() and try_to_unmap_one(), 5.6), then split
 * partly unmapped huge pages (deferred_split_scan(), 5.6), both oldest first and
 * only as far as the allocation needs. If that is not enough, it fails.
 *
 * Left out: watermarks and background reclaim, the host's own page cache (it
 * is part of `base`), swap, limits per guest, and the killing of a guest, which
 * is for the caller to decide. A later stage of reclaim is one more loop of
 * host_make_room().
 *
 * Deviation: lazy pages are dropped a region at a time, in the order in which
 * the regions were first marked, where Linux walks batches of 32 pages of its
 * inactive list; see docs/fidelity.md.
 */
#include "hypervisor/mock.h"

/*
 * Before 6.11 reclaim split the mapping of a lazy huge page and so left a page
 * table behind; since then it unmaps the page as a whole.
 */
static void drop_lazy_huge(const struct region_ref *r)
{
	r->ev->pglazyfreed += HPAGE_PMD_NR;
	huge_unmap(r);
	if (r->host->opt->lazy_drop == LAZY_DROP_SPLIT) {
		count_split_pmd(r->ev, HV_SPLIT_LAZY_FREE);
		region_set_small(r);
	}
}

/* A huge page can be dropped if none of its pages was written again. */
static bool thp_is_lazy(const struct small_region *s)
{
	for (uint32_t w = 0; w < PAGE_WORDS; w++) {
		if (s->thp[w] & ~s->lazy[w])
			return false;
	}
	return true;
}

static void drop_lazy_small(const struct region_ref *r)
{
	const struct small_region *s = small_of(r->guest, r->region);
	const bool keep_thp = !thp_is_lazy(s);

	for (uint32_t w = 0; w < PAGE_WORDS; w++) {
		const uint64_t kept = keep_thp ? s->lazy[w] & s->thp[w] : 0;
		const uint64_t drop = s->lazy[w] & ~kept;

		small_zap_ept(r, w, kept);
		small_clear_lazy(r, w, kept);
		r->ev->pglazyfreed += nr_bits(drop);
		small_unmap(r, w, drop);
	}
	small_put_if_empty(r);
}

static void drop_lazy_region(const struct region_ref *r)
{
	if (region_state(r->guest, r->region) == REGION_HUGE)
		drop_lazy_huge(r);
	else
		drop_lazy_small(r);
	r->ev->tlb_flush_rounds++;
}

bool host_make_room(struct mock_host *h, uint64_t nr_pages,
		    struct hv_events *ev)
{
	struct region_ref r = { .ev = ev };

	if (host_free_pages(h) >= nr_pages)
		return true;
	ev->pressure++;
	while (host_free_pages(h) < nr_pages &&
	       queue_first(h, HV_ALL_GUESTS, QUEUE_LAZY, &r))
		drop_lazy_region(&r);
	while (host_free_pages(h) < nr_pages &&
	       queue_first(h, HV_ALL_GUESTS, QUEUE_DEFERRED, &r)) {
		split_huge_page(&r, HV_SPLIT_RECLAIM);
		ev->tlb_flush_rounds++;
	}
	return host_free_pages(h) >= nr_pages;
}
