/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Names and meanings of the events, in one table, and their sum. Where the
 * event is one that Linux counts in /proc/vmstat, the name is the kernel's.
 */
#include "hypervisor/hypervisor.h"

#include "include/check.h"
#include "include/touch.h"

/* A touch is passed on as it is. */
_Static_assert((int)HV_ACCESS_ZERO == (int)TOUCH_ZERO &&
	       (int)HV_ACCESS_READ == (int)TOUCH_READ &&
	       (int)HV_ACCESS_WRITE == (int)TOUCH_WRITE &&
	       (int)HV_ACCESS_TABLE == (int)TOUCH_TABLE,
	       "enum hv_access and enum touch_kind agree");
_Static_assert(sizeof(struct hv_events) % sizeof(uint64_t) == 0,
	       "struct hv_events is an array of uint64_t");

/* Index of a member of struct hv_events, seen as an array. */
#define AT(member) \
	[offsetof(struct hv_events, member) / sizeof(uint64_t)]

#define VIOLATION(class, name, what)                                      \
	AT(ept_violation[class][HV_LEVEL_4K]) = {                         \
		"ept_violation_" name "_4k", "violations",                \
		"EPT violations ending in a 4 KiB leaf: " what },         \
	AT(ept_violation[class][HV_LEVEL_2M]) = {                         \
		"ept_violation_" name "_2m", "violations",                \
		"EPT violations ending in a 2 MiB leaf: " what },         \
	AT(ept_violation[class][HV_LEVEL_1G]) = {                         \
		"ept_violation_" name "_1g", "violations",                \
		"EPT violations ending in a 1 GiB leaf: " what }

#define DISCARD(order)                                                    \
	AT(discards[HV_DONTNEED][order]) = {                              \
		"discard_dontneed_order" #order, "blocks",                \
		"Blocks of order " #order " discarded by MADV_DONTNEED" },\
	AT(discards[HV_FREE][order]) = {                                  \
		"discard_free_order" #order, "blocks",                    \
		"Blocks of order " #order " discarded by MADV_FREE" }

#define SPLITS(cause, name, what)                                         \
	AT(thp_split_pmd_by[cause]) = { "thp_split_pmd_" name, "regions", \
		"Of thp_split_pmd: " what },                              \
	AT(thp_split_page_by[cause]) = { "thp_split_page_" name, "regions",\
		"Of thp_split_page: " what }

static const struct hv_event_desc descs[NR_HV_EVENTS] = {
	VIOLATION(HV_VIOLATION_ZERO, "zero", "page allocated and cleared"),
	VIOLATION(HV_VIOLATION_LAZY, "lazy", "lazy-free page written again"),
	VIOLATION(HV_VIOLATION_REMAP, "remap", "present page mapped again"),
	VIOLATION(HV_VIOLATION_SWAP_IN, "swap_in", "page read from swap"),
	AT(zeroed_pages) = { "zeroed_pages", "pages", "Cleared by the host" },
	AT(thp_fault_alloc) = { "thp_fault_alloc", "regions",
		"Host faults that were given a huge page" },
	AT(thp_fault_fallback) = { "thp_fault_fallback", "regions",
		"Host faults that wanted a huge page and got a small one" },
	AT(thp_fault_fallback_charge) = { "thp_fault_fallback_charge",
		"regions", "Of these, those that the guest's limit forbade" },
	AT(thp_split_pmd) = { "thp_split_pmd", "regions",
		"Huge mappings of the host split into small ones" },
	AT(thp_split_page) = { "thp_split_page", "regions",
		"Huge pages of the host split into small ones" },
	SPLITS(HV_SPLIT_DISCARD, "discard", "MADV_DONTNEED of a part"),
	SPLITS(HV_SPLIT_SWAP_OUT, "swap_out", "swapped out"),
	SPLITS(HV_SPLIT_LAZY_FREE, "lazy_free",
	       "MADV_FREE of a part, or lazy pages dropped"),
	SPLITS(HV_SPLIT_RECLAIM, "reclaim",
	       "the deferred split queue worked off"),
	AT(thp_deferred_split_page) = { "thp_deferred_split_page", "regions",
		"Huge pages of the host queued because they are partly "
		"unmapped" },
	DISCARD(0), DISCARD(1), DISCARD(2), DISCARD(3), DISCARD(4), DISCARD(5),
	DISCARD(6), DISCARD(7), DISCARD(8), DISCARD(9), DISCARD(10),
	AT(discard_ignored) = { "discard_ignored", "blocks",
		"Blocks acknowledged without a discard" },
	AT(discard_partial) = { "discard_partial", "blocks",
		"Of these, parts of a page of the backing" },
	AT(discard_calls) = { "discard_calls", "calls",
		"madvise calls made for discards" },
	AT(discard_backed_pages) = { "discard_backed_pages", "pages",
		"Pages of discarded blocks that the host had" },
	AT(discard_swapped_pages) = { "discard_swapped_pages", "pages",
		"Pages of discarded blocks that the host had in swap: slots "
		"freed without I/O" },
	AT(discard_unbacked_pages) = { "discard_unbacked_pages", "pages",
		"Pages of discarded blocks that the host had not" },
	AT(zap_pmd) = { "zap_pmd", "regions",
		"Huge host mappings removed by MADV_DONTNEED" },
	AT(zap_pte) = { "zap_pte", "pages",
		"Small host mappings removed by MADV_DONTNEED" },
	AT(ept_zap[HV_LEVEL_4K]) = { "ept_zap_4k", "leaves",
		"4 KiB leaves removed from the EPT" },
	AT(ept_zap[HV_LEVEL_2M]) = { "ept_zap_2m", "leaves",
		"2 MiB leaves removed from the EPT" },
	AT(ept_zap[HV_LEVEL_1G]) = { "ept_zap_1g", "leaves",
		"1 GiB leaves removed from the EPT" },
	AT(tlb_flush_rounds) = { "tlb_flush_rounds", "rounds",
		"Remote TLB flushes, each to every running vCPU" },
	AT(rss_reclaimed_pages) = { "rss_reclaimed_pages", "pages",
		"Pages that left the resident set" },
	AT(phys_reclaimed_pages) = { "phys_reclaimed_pages", "pages",
		"Pages that became free host memory" },
	AT(pglazyfree) = { "pglazyfree", "pages",
		"Pages marked lazy-free by MADV_FREE" },
	AT(pglazyfreed) = { "pglazyfreed", "pages",
		"Lazy-free pages dropped under pressure" },
	AT(lazy_reused_pages) = { "lazy_reused_pages", "pages",
		"Lazy-free pages that the guest wrote before they were "
		"dropped" },
	AT(thp_underused_split_page) = { "thp_underused_split_page", "regions",
		"Of the huge pages split in reclaim, those mostly of zeroes" },
	AT(dirty_logged_pages) = { "dirty_logged_pages", "pages",
		"First writes to a page since the dirty log was read" },
	AT(hugetlb_alloc) = { "hugetlb_alloc", "huge pages",
		"Pages of hugetlbfs taken from the pool and cleared" },
	AT(hugetlb_free) = { "hugetlb_free", "huge pages",
		"Pages of hugetlbfs that a discard gave back to the pool" },
	AT(thp_collapse_alloc) = { "thp_collapse_alloc", "regions",
		"Huge pages that the host's khugepaged got to collapse into" },
	AT(thp_collapse_alloc_failed) = { "thp_collapse_alloc_failed", "calls",
		"Huge pages that it did not get" },
	AT(khugepaged_collapsed) = { "khugepaged_collapsed", "regions",
		"Regions that it made huge" },
	AT(khugepaged_scanned) = { "khugepaged_scanned", "pages",
		"Pages of guest memory that it passed" },
	AT(khugepaged_full_scans) = { "khugepaged_full_scans", "scans",
		"Times that it came to the end of the last guest" },
	AT(khugepaged_copied_pages) = { "khugepaged_copied_pages", "pages",
		"Small pages that it copied into a huge one" },
	AT(reinflated_pages) = { "reinflated_pages", "pages",
		"Pages that had no memory before it made their region huge" },
	AT(pressure) = { "pressure", "allocations",
		"Host allocations that had to reclaim memory first" },
	AT(allocstall) = { "allocstall", "allocations",
		"Of these, those for which the host had too little free" },
	AT(memcg_max) = { "memcg_max", "allocations",
		"Of these, those whose guest was at its own limit" },
	AT(pgscan[HV_DIRECT]) = { "pgscan_direct", "pages",
		"Looked at by reclaim in an allocation" },
	AT(pgscan[HV_KSWAPD]) = { "pgscan_kswapd", "pages",
		"Looked at by background reclaim" },
	AT(pgsteal[HV_DIRECT]) = { "pgsteal_direct", "pages",
		"Taken by reclaim in an allocation" },
	AT(pgsteal[HV_KSWAPD]) = { "pgsteal_kswapd", "pages",
		"Taken by background reclaim" },
	AT(cache_dropped_pages) = { "cache_dropped_pages", "pages",
		"Of the host's own page cache, dropped by reclaim" },
	AT(pswpout) = { "pswpout", "pages", "Written to swap" },
	AT(pswpin) = { "pswpin", "pages", "Read from swap" },
	AT(thp_swpout) = { "thp_swpout", "regions",
		"Huge pages swapped out as a whole" },
	AT(thp_swpout_fallback) = { "thp_swpout_fallback", "regions",
		"Huge pages split for swap, as no cluster of slots was free" },
	AT(host_oom) = { "host_oom", "accesses",
		"Guest accesses that failed for want of host memory" },
	AT(memcg_oom) = { "memcg_oom", "accesses",
		"Guest accesses that failed at the guest's own limit" },
};

const struct hv_event_desc *hv_event_desc(size_t i)
{
	CHECK_LT(i, NR_HV_EVENTS);
	return &descs[i];
}

void hv_events_add(struct hv_events *to, const struct hv_events *from)
{
	uint64_t *t = (uint64_t *)to;
	const uint64_t *f = (const uint64_t *)from;

	for (size_t i = 0; i < NR_HV_EVENTS; i++)
		t[i] += f[i];
}

_Static_assert(sizeof(struct hv_real) % sizeof(uint64_t) == 0,
	       "struct hv_real is an array of uint64_t");

#define REAL(member) \
	[offsetof(struct hv_real, member) / sizeof(uint64_t)] = #member

const char *hv_real_name(size_t i)
{
	static const char *const names[NR_HV_REAL] = {
		REAL(minor_faults), REAL(rss_pages), REAL(anon_huge_regions),
		REAL(lazy_pages), REAL(stray_faults),
		REAL(background_collapses), REAL(background_splits),
		REAL(background_lazy_drops), REAL(background_swap_outs),
		REAL(fallbacks),
	};

	CHECK_LT(i, NR_HV_REAL);
	return names[i];
}
