/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Discards: what QEMU's balloon device makes of a reported block, and what
 * madvise() makes of that (5.6): MADV_DONTNEED by zap_pmd_range(), MADV_FREE by
 * madvise_free_huge_pmd() and madvise_free_pte_range(). The two treat a part of
 * a huge page differently: DONTNEED splits the mapping at once and the page
 * when memory is short; FREE splits the page itself, at once.
 *
 * One madvise call is one MMU notifier round and at most one remote TLB flush.
 * Left out: shared and file memory but for hugetlbfs, and the flush that
 * __split_huge_pmd() makes on its own.
 */
#include "hypervisor/mock.h"
#include "include/check.h"

/* What one madvise call found in a region. */
struct found {
	uint32_t backed; /* pages of the range that were present */
	uint32_t swapped; /* or in swap */
	bool flush;      /* a mapping was changed */
};

/* Present pages of the word's part of a range. */
static uint64_t present_in(const struct region_ref *r, uint32_t w,
			   uint32_t first, uint32_t nr)
{
	return small_of(r->guest, r->region)->present[w] &
	       page_mask(w, first, nr);
}

/* zap_pte_range(), 5.6: the page table stays, unless the host is newer. */
static struct found dontneed_small(const struct region_ref *r, uint32_t first,
				   uint32_t nr)
{
	struct found f = { 0 };

	for (uint32_t w = first / 64; w * 64 < first + nr; w++) {
		const uint64_t bits = present_in(r, w, first, nr);

		f.swapped += swap_forget(r, w, page_mask(w, first, nr));
		if (!bits)
			continue;
		f.backed += nr_bits(bits);
		small_unmap(r, w, bits);
	}
	r->ev->zap_pte += f.backed;
	f.flush = f.backed;
	small_put_if_empty(r);
	if (nr == HPAGE_PMD_NR && r->host->opt->free_empty_tables)
		region_set_none(r);
	return f;
}

static struct found dontneed_region(const struct region_ref *r, uint32_t first,
				    uint32_t nr)
{
	switch (region_state(r->guest, r->region)) {
	case REGION_NONE:
		break;
	case REGION_HUGE:
		if (nr == HPAGE_PMD_NR) {
			r->ev->zap_pmd++;
			huge_unmap(r);
			return (struct found){ .backed = nr, .flush = true };
		}
		split_region_pmd(r, HV_SPLIT_DISCARD);
		return dontneed_small(r, first, nr);
	case REGION_SMALL:
		return dontneed_small(r, first, nr);
	}
	return (struct found){ 0 };
}

static bool touches_thp(const struct region_ref *r, uint32_t first, uint32_t nr)
{
	const struct small_region *s = small_of(r->guest, r->region);

	if (!s->nr_thp)
		return false;
	for (uint32_t w = first / 64; w * 64 < first + nr; w++) {
		if (s->thp[w] & page_mask(w, first, nr))
			return true;
	}
	return false;
}

/* madvise_free_pte_range(), 5.6: a huge page in the way is split first. */
static struct found free_small(const struct region_ref *r, uint32_t first,
			       uint32_t nr)
{
	const struct small_region *s = small_of(r->guest, r->region);
	struct found f = { 0 };

	if (touches_thp(r, first, nr)) {
		split_huge_page(r, HV_SPLIT_LAZY_FREE);
		f.flush = true;
	}
	for (uint32_t w = first / 64; w * 64 < first + nr; w++) {
		const uint64_t bits = present_in(r, w, first, nr);
		const uint64_t fresh = bits & ~s->lazy[w];

		f.swapped += swap_forget(r, w, page_mask(w, first, nr));
		if (!bits)
			continue;
		f.backed += nr_bits(bits);
		f.flush |= fresh || (bits & s->ept[w]);
		r->ev->pglazyfree += nr_bits(fresh);
		small_zap_ept(r, w, bits);
		small_set_lazy(r, w, fresh);
	}
	small_put_if_empty(r);
	return f;
}

/* madvise_free_huge_pmd(), 5.6, for a range that covers the whole region. */
static struct found free_huge(const struct region_ref *r)
{
	const unsigned int state = r->guest->state[r->region];
	const bool fresh = !(state & REGION_LAZY);

	if (fresh) {
		r->ev->pglazyfree += HPAGE_PMD_NR;
		huge_set_lazy(r);
	}
	huge_zap_ept(r);
	return (struct found){ .backed = HPAGE_PMD_NR,
			       .flush = fresh || (state & REGION_EPT) };
}

static struct found free_region(const struct region_ref *r, uint32_t first,
				uint32_t nr)
{
	switch (region_state(r->guest, r->region)) {
	case REGION_NONE:
		break;
	case REGION_HUGE:
		if (nr == HPAGE_PMD_NR)
			return free_huge(r);
		split_region_pmd(r, HV_SPLIT_LAZY_FREE);
		return free_small(r, first, nr);
	case REGION_SMALL:
		return free_small(r, first, nr);
	}
	return (struct found){ 0 };
}

/* One madvise call for nr pages from pfn. */
static void madvise_range(struct region_ref *r, enum hv_advice advice,
			  pfn_t pfn, uint32_t nr)
{
	bool flush = false;

	r->ev->discard_calls++;
	while (nr) {
		const uint32_t first = pfn & (HPAGE_PMD_NR - 1);
		const uint32_t n = nr < HPAGE_PMD_NR ? nr : HPAGE_PMD_NR;
		struct found f;

		r->region = pfn_region(pfn);
		f = advice == HV_DONTNEED ? dontneed_region(r, first, n) :
					    free_region(r, first, n);
		r->ev->discard_backed_pages += f.backed;
		r->ev->discard_swapped_pages += f.swapped;
		r->ev->discard_unbacked_pages += n - f.backed - f.swapped;
		flush |= f.flush;
		pfn += n;
		nr -= n;
	}
	r->ev->tlb_flush_rounds += flush;
}

bool mock_discard(struct hypervisor *hv, uint32_t guest, pfn_t pfn,
		  unsigned int order, enum hv_origin origin,
		  struct hv_events *ev)
{
	struct region_ref r = { .host = hv->state,
				.guest = mock_guest(hv, guest),
				.guest_id = guest, .ev = ev };
	const struct mock_options *opt = r.host->opt;
	const enum hv_advice advice = origin == HV_ORIGIN_BALLOON ?
					      HV_DONTNEED :
					      (enum hv_advice)opt->discard;
	const uint32_t nr = order_nr_pages(order);
	const uint32_t step = opt->granularity == DISCARD_PER_4K ? 1 : nr;

	CHECK_LE(order, MAX_PAGE_ORDER);
	CHECK(pfn_aligned(pfn, order));
	if (opt->inhibit || (uint64_t)pfn + nr > r.guest->nr_pages) {
		ev->discard_ignored++;
		return false;
	}
	if (r.guest->hugetlb_order)
		return hugetlb_discard(r.host, r.guest, pfn, order, ev);
	ev->discards[advice][order]++;
	for (uint32_t at = 0; at < nr; at += step)
		madvise_range(&r, advice, pfn + at, step);
	return advice == HV_DONTNEED;
}
