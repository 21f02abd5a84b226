/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Accesses of a guest: what an EPT violation makes of a region. It follows
 * KVM's fault handling and, where no page is present, the anonymous faults of
 * the host, __handle_mm_fault() and do_huge_pmd_anonymous_page() of 5.6: a huge
 * page only where there is no page table yet; once there is one, even an empty
 * one, small pages only.
 *
 * Deviation: reading a page that is not backed allocates one, where Linux maps
 * the shared zero page; see docs/fidelity.md. Left out: userfaultfd,
 * write tracking.
 */
#include <errno.h>

#include "hypervisor/mock.h"
#include "include/check.h"

/* The VMA allows huge pages and the region lies whole inside it. */
static bool huge_allowed(const struct region_ref *r)
{
	return region_pages(r->guest, r->region) == HPAGE_PMD_NR &&
	       vma_thp_allowed(r->host->opt);
}

/*
 * A huge page for a fault, and the charge for it. With `defrag` at its default,
 * only a region that was advised reclaims for one. What reclaim drops can be a
 * huge page, so room comes before the limit.
 */
static bool huge_available(const struct region_ref *r)
{
	struct mock_host *h = r->host;
	const bool advised = h->opt->madv_hugepage;

	if (host_room(h) < HPAGE_PMD_NR &&
	    !(advised && host_make_room(h, HPAGE_PMD_NR, false, r->ev)))
		return false;
	if (h->huge_held >= h->huge_limit)
		return false;
	if (memcg_room(h, r->guest) >= HPAGE_PMD_NR ||
	    (advised && memcg_make_room(r, HPAGE_PMD_NR, false)))
		return true;
	r->ev->thp_fault_fallback_charge++;
	return false;
}

/* First fault of a region: leaves it HUGE, or SMALL and still empty. */
static void fault_region(const struct region_ref *r, uint32_t first)
{
	if (!huge_allowed(r)) {
		region_set_small(r);
		return;
	}
	if (!huge_available(r)) {
		r->ev->thp_fault_fallback++;
		region_set_small(r);
		return;
	}
	region_set_huge(r);
	r->ev->thp_fault_alloc++;
	if (r->guest->logging) {
		huge_set_small_leaves(r, first / 64, UINT64_C(1) << first % 64);
		r->ev->ept_violation[HV_VIOLATION_ZERO][HV_LEVEL_4K]++;
		return;
	}
	huge_set_ept(r);
	r->ev->ept_violation[HV_VIOLATION_ZERO][HV_LEVEL_2M]++;
}

/* A huge page is there; one write anywhere in it makes all of it not lazy. */
static void access_huge(const struct region_ref *r, bool write)
{
	const unsigned int state = r->guest->state[r->region];
	const bool reuse = write && (state & REGION_LAZY);

	if (!(state & REGION_EPT))
		r->ev->ept_violation[reuse ? HV_VIOLATION_LAZY :
					     HV_VIOLATION_REMAP][HV_LEVEL_2M]++;
	if (reuse) {
		r->ev->lazy_reused_pages += HPAGE_PMD_NR;
		huge_clear_lazy(r);
	}
	huge_set_ept(r);
	huge_clear_old(r);
	mock_lru_access_huge(r);
}

static void note_written(const struct region_ref *r, uint32_t first,
			 uint32_t nr, bool write)
{
	if (write)
		huge_set_written(r, first, nr);
}

/* While writes are logged, a huge page is mapped by small leaves. */
static void access_huge_logged(const struct region_ref *r, uint32_t first,
			       uint32_t nr, bool write)
{
	uint64_t (*violation)[NR_HV_LEVELS] = r->ev->ept_violation;
	const uint64_t *leaves = r->guest->log_ept[r->region];
	const bool reuse = write && (r->guest->state[r->region] & REGION_LAZY);
	const bool lazy = reuse && !(leaves[first / 64] >> first % 64 & 1);

	if (reuse) {
		r->ev->lazy_reused_pages += HPAGE_PMD_NR;
		huge_clear_lazy(r);
	}
	for (uint32_t w = first / 64; w * 64 < first + nr; w++) {
		const uint64_t bits = page_mask(w, first, nr);

		violation[HV_VIOLATION_REMAP][HV_LEVEL_4K] +=
			nr_bits(bits & ~leaves[w]);
		huge_set_small_leaves(r, w, bits);
		if (write)
			dirty_mark(r, w, bits);
	}
	/* Only the first of them found the page lazy. */
	violation[HV_VIOLATION_REMAP][HV_LEVEL_4K] -= lazy;
	violation[HV_VIOLATION_LAZY][HV_LEVEL_4K] += lazy;
	huge_clear_old(r);
	mock_lru_access_huge(r);
}

/* In the order of their addresses, which is the order of the list. */
static void new_pages(const struct region_ref *r, uint32_t w, uint64_t swapped,
		      uint64_t missing)
{
	uint64_t bits = swapped | missing;

	if (!swapped) {
		small_add_pages(r, w, missing);
		return;
	}
	for (; bits; bits &= bits - 1) {
		if (swapped & bits & -bits)
			swap_in(r, w, bits & -bits);
		else
			small_add_pages(r, w, bits & -bits);
	}
}

/* Pages of word w; the host has a free page for each that is missing. */
static void access_pages(const struct region_ref *r, uint32_t w, uint64_t bits,
			 bool write)
{
	const struct small_region *s = small_get(r);
	uint64_t (*violation)[NR_HV_LEVELS] = r->ev->ept_violation;
	const uint64_t swapped = bits & s->swapped[w];
	const uint64_t missing = bits & ~(s->present[w] | swapped);
	const uint64_t lazy = write ? bits & s->lazy[w] : 0;
	const uint64_t unmapped = bits & s->present[w] & ~s->ept[w];

	violation[HV_VIOLATION_ZERO][HV_LEVEL_4K] += nr_bits(missing);
	violation[HV_VIOLATION_SWAP_IN][HV_LEVEL_4K] += nr_bits(swapped);
	violation[HV_VIOLATION_LAZY][HV_LEVEL_4K] += nr_bits(unmapped & lazy);
	violation[HV_VIOLATION_REMAP][HV_LEVEL_4K] += nr_bits(unmapped & ~lazy);
	r->ev->lazy_reused_pages += nr_bits(lazy);
	if (swapped | missing)
		new_pages(r, w, swapped, missing);
	if (lazy)
		small_clear_lazy(r, w, lazy);
	small_clear_old(r, w, bits);
	if (write && r->guest->logging)
		dirty_mark(r, w, bits);
	small_set_ept(r, w, bits);
	mock_lru_access_pages(r, w, bits);
}

/* Pages that can be had without reclaim, by the host and by the guest. */
static bool pages_available(const struct region_ref *r, uint32_t nr)
{
	return host_room(r->host) >= nr && memcg_room(r->host, r->guest) >= nr;
}

/* The host's memory first, then the charge, as in do_anonymous_page(). */
static int make_room_for_page(const struct region_ref *r)
{
	if (!host_make_room(r->host, 1, true, r->ev)) {
		r->ev->host_oom++;
		return -ENOMEM;
	}
	if (!memcg_make_room(r, 1, true)) {
		r->ev->memcg_oom++;
		return -EDQUOT;
	}
	return 0;
}

/*
 * Under pressure one page at a time: making room for one may take away a lazy
 * page of this very word, even the region's record.
 */
static int access_word(const struct region_ref *r, uint32_t w, uint64_t bits,
		       bool write)
{
	int err;

	if (pages_available(r, nr_bits(bits))) {
		access_pages(r, w, bits, write);
		return 0;
	}
	for (; bits; bits &= bits - 1) {
		const uint64_t bit = bits & -bits;

		if (!(small_of(r->guest, r->region)->present[w] & bit)) {
			err = make_room_for_page(r);
			if (err)
				return err;
		}
		access_pages(r, w, bit, write);
	}
	return 0;
}

static int access_region(const struct region_ref *r, uint32_t first,
			 uint32_t nr, bool write)
{
	const bool logging = r->guest->logging;
	int err = 0;

	if (region_state(r->guest, r->region) == REGION_HUGE && !logging) {
		access_huge(r, write);
		note_written(r, first, nr, write);
		return 0;
	}
	if (region_state(r->guest, r->region) == REGION_NONE)
		fault_region(r, first);
	if (region_state(r->guest, r->region) == REGION_HUGE) {
		if (logging)
			access_huge_logged(r, first, nr, write);
		note_written(r, first, nr, write);
		return 0;
	}
	for (uint32_t w = first / 64; !err && w * 64 < first + nr; w++)
		err = access_word(r, w, page_mask(w, first, nr), write);
	return err;
}

int mock_access(struct hypervisor *hv, uint32_t guest, pfn_t pfn,
		unsigned int order, enum hv_access kind, struct hv_events *ev)
{
	struct region_ref r = { .host = hv->state,
				.guest = mock_guest(hv, guest),
				.guest_id = guest, .ev = ev };
	const bool write = kind != HV_ACCESS_READ;
	uint32_t left = order_nr_pages(order);
	int err = 0;

	CHECK_LE(order, MAX_PAGE_ORDER);
	CHECK(pfn_aligned(pfn, order));
	CHECK_LE((uint64_t)pfn + left, r.guest->nr_pages);
	if (r.guest->hugetlb_order)
		return hugetlb_access(r.host, r.guest, pfn, left, ev);
	while (!err && left) {
		const uint32_t first = pfn & (HPAGE_PMD_NR - 1);
		const uint32_t nr = left < HPAGE_PMD_NR ? left : HPAGE_PMD_NR;

		r.region = pfn_region(pfn);
		err = access_region(&r, first, nr, write);
		pfn += nr;
		left -= nr;
	}
	if (host_free_pages(r.host) < r.host->low_pages)
		host_wake_reclaim(r.host);
	return err;
}

enum hv_level mock_level(const struct hypervisor *hv, uint32_t guest, pfn_t pfn)
{
	const struct mock_guest *g = mock_guest(hv, guest);

	if (g->hugetlb_order == HV_ORDER_1G)
		return HV_LEVEL_1G;
	if (g->hugetlb_order)
		return HV_LEVEL_2M;
	return region_state(g, pfn_region(pfn)) == REGION_HUGE && !g->logging ?
		       HV_LEVEL_2M : HV_LEVEL_4K;
}

static bool page_backed(const struct mock_guest *g, pfn_t pfn)
{
	const uint32_t region = pfn_region(pfn);

	if (g->hugetlb_order)
		return bitmap_test(g->regions, region);
	if (region_state(g, region) == REGION_HUGE)
		return true;
	return bitmap_test(small_of(g, region)->present,
			   pfn & (HPAGE_PMD_NR - 1));
}

uint32_t mock_backed(const struct hypervisor *hv, uint32_t guest, pfn_t pfn,
		     unsigned int order)
{
	const struct mock_guest *g = mock_guest(hv, guest);
	const pfn_t end = pfn + order_nr_pages(order);
	uint32_t nr = 0;

	for (; pfn < end && pfn < g->nr_pages; pfn++)
		nr += page_backed(g, pfn);
	return nr;
}
