/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Dirty logging of a guest's memory, as a migration uses it: what
 * kvm_mmu_slot_remove_write_access(), KVM_GET_DIRTY_LOG and
 * kvm_mmu_zap_collapsible_sptes() of 5.6 do to the EPT. While it is on, only
 * leaves of 4 KiB are made, also where the host's page is huge; a page is
 * logged at its first write since the log was last read. The processor notes
 * writes by itself (PML), so that a page with a leaf makes no exit for that.
 * When it ends, the small leaves of huge pages go, and the next access makes a
 * huge one again.
 *
 * Simplified: a huge leaf goes when logging begins; in 5.6 it is write-protected
 * and goes with the first write to its 2 MiB. Left out: clearing the log in
 * parts, the eager splitting of 5.18, memory of hugetlbfs.
 */
#include "hypervisor/mock.h"

/* Pages of word w that are written, from now on accessible without a call. */
void dirty_mark(const struct region_ref *r, uint32_t w, uint64_t bits)
{
	uint64_t *dirty = r->guest->dirty[r->region];

	r->ev->dirty_logged_pages += nr_bits(bits & ~dirty[w]);
	dirty[w] |= bits;
}

/* Forget the region's log; true if there was one. */
static bool clear_region(const struct region_ref *r, uint64_t *nr)
{
	uint64_t *dirty = r->guest->dirty[r->region];
	const uint64_t before = *nr;

	for (uint32_t w = 0; w < PAGE_WORDS; w++) {
		*nr += nr_bits(dirty[w]);
		if (dirty[w])
			dirty[w] = 0;
	}
	if (r->guest->slots[r->region])
		small_sync_all(r);
	return *nr != before;
}

/* Each leaf of a huge page is of the wrong size now. */
static bool zap_huge(const struct region_ref *r)
{
	const bool mapped = region_state(r->guest, r->region) == REGION_HUGE &&
			    (r->guest->state[r->region] & REGION_EPT);

	if (mapped)
		huge_zap_ept(r);
	return mapped;
}

uint64_t mock_dirty_log(struct hypervisor *hv, uint32_t guest, bool on,
			struct hv_events *ev)
{
	struct region_ref r = { .host = hv->state,
				.guest = mock_guest(hv, guest),
				.guest_id = guest, .ev = ev };
	const bool changes = r.guest->logging != on;
	bool flush = false;
	uint64_t nr = 0;

	if (r.guest->hugetlb_order || (!on && !changes))
		return 0;
	for (r.region = 0; changes && r.region < r.guest->nr_regions;
	     r.region++)
		flush |= zap_huge(&r);
	r.guest->logging = on;
	for (r.region = 0; r.region < r.guest->nr_regions; r.region++)
		flush |= clear_region(&r, &nr);
	ev->tlb_flush_rounds += flush;
	return nr;
}
