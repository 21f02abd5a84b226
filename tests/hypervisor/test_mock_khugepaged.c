/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The host's khugepaged: what it makes huge, what it leaves, and what comes
 * back by it that a guest had given away. */
#include <errno.h>

#include "tests/hypervisor/host.h"

#define NR_PAGES 4096 /* eight regions: what one wake-up passes */

/* Region 0 with a page table and no page; its pages come back one by one. */
#define EMPTY "w 0 9; b 0 0 512 1"
#define SMALL EMPTY "; w 0 9"
#define SCANNED "khugepaged_scanned=4096 khugepaged_full_scans=1 "
#define COLLAPSED "thp_collapse_alloc=1 khugepaged_collapsed=1 " \
		  "tlb_flush_rounds=1 "

/* Memory for two regions; of the first, 32 pages had to go to swap. */
#define SWAP "memory=4M base=0 swap=4M lru=strict "
#define OUT SMALL "; w 512 9; w 1024 0 20 1"

static const struct host_case cases_of_collapse[] = {
	{ .name = "small pages are copied into a huge one",
	  .options = "memory=64M base=0", .before = SMALL, .script = "k 0 0",
	  .events = SCANNED COLLAPSED "khugepaged_copied_pages=512 "
		    "ept_zap_4k=512",
	  .gauges = "anon_huge_regions=1 small_regions=0 rss_pages=512 "
		    "ept_4k_leaves=0 ept_2m_leaves=0 host_free_pages=15872" },
	{ .name = "the next access maps it by one leaf",
	  .options = "memory=64M base=0", .before = SMALL "; k 0 0",
	  .script = "r 7 0; w 8 0", .events = "ept_violation_remap_2m=1",
	  .gauges = "ept_2m_leaves=1" },
	{ .name = "one page is enough to back the holes of a region",
	  .options = "memory=64M base=0", .before = EMPTY "; w 5 0",
	  .script = "k 0 0",
	  .events = SCANNED COLLAPSED "khugepaged_copied_pages=1 "
		    "reinflated_pages=511 zeroed_pages=511 ept_zap_4k=1",
	  .gauges = "rss_pages=512 anon_huge_regions=1" },
	{ .name = "no page at all is not",
	  .options = "memory=64M base=0", .before = EMPTY, .script = "k 0 0",
	  .events = SCANNED, .gauges = "rss_pages=0 small_regions=1" },
	{ .name = "nor a region without page table",
	  .options = "memory=64M base=0 free_empty_tables=on",
	  .before = EMPTY "; b 0 9", .script = "k 0 0", .events = SCANNED,
	  .gauges = "rss_pages=0 small_regions=0" },
	{ .name = "a reported hole is backed again",
	  .options = "memory=64M base=0", .before = SMALL "; d 256 8",
	  .script = "k 0 0",
	  .events = SCANNED COLLAPSED "khugepaged_copied_pages=256 "
		    "reinflated_pages=256 zeroed_pages=256 ept_zap_4k=256",
	  .gauges = "rss_pages=512" },
	{ .name = "more holes than allowed",
	  .options = "memory=64M base=0 khugepaged_max_ptes_none=255",
	  .before = SMALL "; b 256 8", .script = "k 0 0", .events = SCANNED,
	  .gauges = "rss_pages=256" },
	{ .name = "as many holes as allowed",
	  .options = "memory=64M base=0 khugepaged_max_ptes_none=256",
	  .before = SMALL "; b 256 8", .script = "k 0 0",
	  .events = SCANNED COLLAPSED "khugepaged_copied_pages=256 "
		    "reinflated_pages=256 zeroed_pages=256 ept_zap_4k=256",
	  .gauges = "rss_pages=512" },
	{ .name = "with none allowed a balloon's page stays away",
	  .options = "memory=64M base=0 khugepaged_max_ptes_none=0",
	  .before = SMALL "; b 9 0", .script = "k 0 0", .events = SCANNED,
	  .gauges = "rss_pages=511" },
	{ .name = "with none allowed a whole region is collapsed",
	  .options = "memory=64M base=0 khugepaged_max_ptes_none=0",
	  .before = SMALL, .script = "k 0 0",
	  .events = SCANNED COLLAPSED "khugepaged_copied_pages=512 "
		    "ept_zap_4k=512",
	  .gauges = "rss_pages=512" },
	{ .name = "what is left of a huge page is passed over",
	  .options = "memory=64M base=0", .before = "w 0 9; b 0 8",
	  .script = "k 0 0", .events = SCANNED,
	  .gauges = "partial_thps=1 rss_pages=256 anon_huge_regions=0" },
	{ .name = "from 5.8 on it is copied, and the old huge page is free",
	  .options = "memory=64M base=0 khugepaged_pte_mapped=on",
	  .before = "w 0 9; b 0 8; w 256 4", .script = "k 0 0",
	  .events = SCANNED COLLAPSED "khugepaged_copied_pages=256 "
		    "reinflated_pages=256 zeroed_pages=256 ept_zap_4k=16",
	  .gauges = "partial_thps=0 partial_unmapped_pages=0 rss_pages=512 "
		    "anon_huge_regions=1 host_free_pages=15872" },
	{ .name = "lazy pages that nobody has touched are old",
	  .options = "memory=64M base=0 discard=free",
	  .before = SMALL "; d 0 9", .script = "k 0 0", .events = SCANNED,
	  .gauges = "lazy_pages=512 small_regions=1" },
	{ .name = "one that was read is young, and none is lazy afterwards",
	  .options = "memory=64M base=0 discard=free",
	  .before = SMALL "; d 0 9; r 3 0", .script = "k 0 0",
	  .events = SCANNED COLLAPSED "khugepaged_copied_pages=512 "
		    "ept_zap_4k=1",
	  .gauges = "lazy_pages=0 anon_huge_regions=1" },
	{ .name = "no huge page exists",
	  .options = "memory=64M base=0 huge_pages=2M",
	  .before = SMALL "; w 512 9", .script = "k 0 0",
	  .events = "khugepaged_scanned=512 thp_collapse_alloc_failed=1",
	  .gauges = "rss_pages=1024 anon_huge_regions=1" },
	{ .name = "no memory is left for the copy",
	  .options = "memory=4M base=0 thp=madvise", .before = SMALL "; w 512 0",
	  .script = "k 0 0",
	  .events = "khugepaged_scanned=512 thp_collapse_alloc_failed=1 "
		    "pressure=1 allocstall=1",
	  .gauges = "rss_pages=1024 small_regions=1" },
	{ .name = "lazy pages of others go for it",
	  .options = "memory=4M base=0 discard=free",
	  .before = SMALL "; w 512 9; d 512 9", .script = "k 0 0",
	  .events = SCANNED "thp_collapse_alloc=1 khugepaged_collapsed=1 "
			    "tlb_flush_rounds=2 khugepaged_copied_pages=512 "
			    "ept_zap_4k=512 pressure=1 allocstall=1 "
			    "pglazyfreed=512 pgscan_direct=512 "
			    "pgsteal_direct=512 thp_split_pmd=1 "
			    "rss_reclaimed_pages=512 phys_reclaimed_pages=512",
	  .gauges = "rss_pages=512 host_free_pages=512" },
	{ .name = "its own lazy pages go, and nothing is left to collapse",
	  .options = "memory=2M base=0 discard=free thp=madvise",
	  .before = SMALL "; d 0 9; r 3 0", .script = "k 0 0",
	  .events = SCANNED "thp_collapse_alloc=1 tlb_flush_rounds=1 "
			    "ept_zap_4k=1 pressure=1 allocstall=1 "
			    "pglazyfreed=512 pgscan_direct=512 "
			    "pgsteal_direct=512 rss_reclaimed_pages=512 "
			    "phys_reclaimed_pages=512",
	  .gauges = "rss_pages=0 small_regions=1" },
	/* Region 0 with 32 pages in swap; 512 + 32 are free, or 20 fewer. */
	{ .name = "pages in swap are read back for it",
	  .options = SWAP, .before = OUT "; b 512 9; b 1024 0 20 1",
	  .script = "k 0 0",
	  .events = SCANNED COLLAPSED "khugepaged_copied_pages=512 "
		    "ept_zap_4k=480 pswpin=32",
	  .gauges = "rss_pages=512 swapped_pages=0 anon_huge_regions=1" },
	{ .name = "not if there is room for the copy only",
	  .options = SWAP "khugepaged_max_ptes_none=100",
	  .before = OUT "; b 512 9", .script = "k 0 0",
	  .events = SCANNED "thp_collapse_alloc=1",
	  .gauges = "rss_pages=500 swapped_pages=32 anon_huge_regions=0" },
	{ .name = "nor more of them than allowed",
	  .options = SWAP "khugepaged_max_ptes_swap=31",
	  .before = OUT "; b 512 9; b 1024 0 20 1", .script = "k 0 0",
	  .events = SCANNED, .gauges = "rss_pages=480 swapped_pages=32" },
	{ .name = "nor if most of the region is there no more",
	  .options = SWAP "khugepaged_max_ptes_swap=511",
	  .before = SMALL "; w 512 9; w 1024 0 300 1; b 512 9; b 1024 0 300 1",
	  .script = "k 0 0", .events = SCANNED,
	  .gauges = "rss_pages=192 swapped_pages=320" },
	{ .name = "a guest at its limit has no room for the copy",
	  .options = "memory=64M base=0 memcg_limit=3M", .before = SMALL,
	  .script = "k 0 0",
	  .events = SCANNED "thp_collapse_alloc=1 pressure=1 memcg_max=1",
	  .gauges = "rss_pages=512 small_regions=1" },
	{ .name = "a VMM that does not advise is passed over",
	  .options = "memory=64M base=0 thp=madvise madv_hugepage=off",
	  .before = "w 0 9", .script = "k 0 0",
	  .events = "khugepaged_full_scans=1", .gauges = "rss_pages=512" },
	{ .name = "it is off",
	  .options = "memory=64M base=0 khugepaged=off", .before = SMALL,
	  .script = "k 0 0", .events = "", .gauges = "rss_pages=512" },
};

static void test_khugepaged__collapses_what_it_may(void **state)
{
	/* A guest of eight regions, of which one or two are in use. */
	(void)state;
	host_run_cases(cases_of_collapse, ARRAY_SIZE(cases_of_collapse),
		       NR_PAGES);
}

#define UNDERUSED "memory=4M base=0 shrink_underused=on "

static const struct host_case cases_of_shrinking[] = {
	{ .name = "pages of zeroes go under pressure",
	  .options = UNDERUSED "khugepaged_max_ptes_none=255",
	  .before = "w 7 0; r 8 2; w 512 9", .script = "w 1024 8; r 7 0",
	  .events = "pressure=1 allocstall=1 thp_fault_fallback=1 "
		    "thp_split_pmd=1 "
		    "thp_split_pmd_reclaim=1 thp_split_page=1 "
		    "thp_split_page_reclaim=1 thp_underused_split_page=1 "
		    "ept_zap_2m=1 tlb_flush_rounds=1 rss_reclaimed_pages=511 "
		    "phys_reclaimed_pages=511 ept_violation_zero_4k=256 "
		    "zeroed_pages=256 ept_violation_remap_4k=1",
	  .gauges = "rss_pages=769 anon_huge_regions=1" },
	{ .name = "not if collapses may fill any number of holes",
	  .options = UNDERUSED, .before = "w 7 0; w 512 9",
	  .script = "w 1024 0",
	  .events = "pressure=2 allocstall=2 thp_fault_fallback=1 "
		    "host_oom=1",
	  .gauges = "rss_pages=1024 anon_huge_regions=2", .err = -ENOMEM },
	{ .name = "nor what is written enough, page by page",
	  .options = UNDERUSED "khugepaged_max_ptes_none=255",
	  .before = "w 0 0 257 1; w 512 9",
	  .script = "w 1024 0",
	  .events = "pressure=2 allocstall=2 thp_fault_fallback=1 "
		    "host_oom=1",
	  .gauges = "rss_pages=1024 anon_huge_regions=2", .err = -ENOMEM },
	{ .name = "one page less is too few",
	  .options = UNDERUSED "khugepaged_max_ptes_none=255",
	  .before = "w 0 0 256 1; w 512 9",
	  .script = "w 1024 0",
	  .events = "pressure=1 allocstall=1 thp_fault_fallback=1 "
		    "thp_split_pmd=1 "
		    "thp_split_pmd_reclaim=1 thp_split_page=1 "
		    "thp_split_page_reclaim=1 thp_underused_split_page=1 "
		    "ept_zap_2m=1 tlb_flush_rounds=1 rss_reclaimed_pages=256 "
		    "phys_reclaimed_pages=256 ept_violation_zero_4k=1 "
		    "zeroed_pages=1",
	  .gauges = "rss_pages=769 anon_huge_regions=1" },
	{ .name = "what a collapse filled is zeroes",
	  .options = UNDERUSED "khugepaged_max_ptes_none=300",
	  .before = EMPTY "; w 0 8; k 0 0; w 512 9", .script = "w 1024 0",
	  .events = "pressure=2 allocstall=2 thp_fault_fallback=1 host_oom=1",
	  .gauges = "rss_pages=1024 anon_huge_regions=2", .err = -ENOMEM },
	{ .name = "it is off",
	  .options = "memory=4M base=0 khugepaged_max_ptes_none=0",
	  .before = "w 7 0; w 512 9", .script = "w 1024 0",
	  .events = "pressure=2 allocstall=2 thp_fault_fallback=1 host_oom=1",
	  .gauges = "rss_pages=1024 anon_huge_regions=2", .err = -ENOMEM },
};

static void test_khugepaged__underused_pages_shrink(void **state)
{
	/* Two huge pages fill the host; a third region wants memory. */
	(void)state;
	host_run_cases(cases_of_shrinking, ARRAY_SIZE(cases_of_shrinking),
		       NR_PAGES);
}

static void test_khugepaged__passes_a_few_regions_each_time(void **state)
{
	/* Three regions of small pages, of which a wake-up passes two. */
	static const struct {
		const char *events;
	} wakes[] = {
		{ "thp_collapse_alloc=2 khugepaged_collapsed=2 "
		  "khugepaged_scanned=1024 khugepaged_copied_pages=1024 "
		  "ept_zap_4k=1024 tlb_flush_rounds=2" },
		{ "thp_collapse_alloc=1 khugepaged_collapsed=1 "
		  "khugepaged_scanned=1024 khugepaged_copied_pages=512 "
		  "ept_zap_4k=512 tlb_flush_rounds=1" },
		{ "khugepaged_scanned=1024" },
		{ "khugepaged_scanned=1024 khugepaged_full_scans=1" },
		{ "khugepaged_scanned=1024" },
	};
	struct host h;

	(void)state;
	host_boot(&h, "rounds", &mock_hypervisor,
		  "memory=64M base=0 khugepaged_pages_to_scan=1024", NR_PAGES);
	host_run(&h, "rounds", "w 0 10; w 1024 9; b 0 0 1536 1; w 0 10; "
		 "w 1024 9", false);
	for (size_t i = 0; i < ARRAY_SIZE(wakes); i++) {
		host_run(&h, "rounds", "k 0 0", true);
		host_expect_events(&h, "rounds", wakes[i].events);
		ASSERT_U64("sleep", h.sleep, 10 * NSEC_PER_SEC);
	}
	host_close(&h);
}

static void test_khugepaged__sleeps_longer_without_huge_pages(void **state)
{
	/* The first failure of a wake-up is waited out, the second ends it. */
	struct host h;

	(void)state;
	host_boot(&h, "failure", &mock_hypervisor,
		  "memory=64M base=0 huge_pages=2M "
		  "khugepaged_alloc_sleep=3s khugepaged_scan_sleep=2s",
		  NR_PAGES);
	host_run(&h, "failure", "w 0 9; b 0 0 512 1; w 0 9; w 512 9; w 1024 9",
		 false);
	host_run(&h, "failure", "k 0 0", true);
	host_expect_events(&h, "failure", "khugepaged_scanned=512 "
			   "thp_collapse_alloc_failed=1");
	ASSERT_U64("first failure", h.sleep, 3 * NSEC_PER_SEC);
	host_run(&h, "failure", "k 0 0", true);
	host_expect_events(&h, "failure", "khugepaged_scanned=1024 "
			   "thp_collapse_alloc_failed=1");
	ASSERT_U64("second failure", h.sleep, 2 * NSEC_PER_SEC);
	host_run(&h, "failure", "b 512 9; k 0 0", true);
	/* To the end, and on from the first region. */
	ASSERT_U64("it goes on", h.ev.khugepaged_scanned, 8 * HPAGE_PMD_NR);
	ASSERT_U64("full scan", h.ev.khugepaged_full_scans, 1);
	ASSERT_U64("collapsed", h.ev.khugepaged_collapsed, 1);
	host_close(&h);
}

static void test_khugepaged__never_runs(void **state)
{
	/* Switched off, or without huge pages. */
	static const char *const rows[] = { "khugepaged=off", "thp=never" };
	struct host h;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		host_boot(&h, rows[i], &mock_hypervisor, rows[i], NR_PAGES);
		host_run(&h, rows[i], "k 0 0", true);
		ASSERT_U64(rows[i], h.sleep, HV_NEVER);
		host_close(&h);
	}
}

static void test_khugepaged__goes_round_the_guests(void **state)
{
	/* Two guests; the one that it stands in goes, and another comes. */
	struct host h;

	(void)state;
	host_boot(&h, "guests", &mock_hypervisor, "memory=64M base=0 "
		  "khugepaged_pages_to_scan=512", 2 * HPAGE_PMD_NR);
	assert_int_equal(h.hv.ops->guest_add(&h.hv, 2 * HPAGE_PMD_NR), 1);
	host_run(&h, "guests", "k 0 0", true);
	host_expect_events(&h, "guests", "khugepaged_scanned=512");
	h.hv.ops->guest_remove(&h.hv, 0);
	assert_int_equal(h.hv.ops->guest_add(&h.hv, 5 * HPAGE_PMD_NR), 0);
	/* Guest 1 has two regions, and then it is guest 0 again. */
	host_run(&h, "guests", "k 0 0 5 0", true);
	host_expect_events(&h, "guests",
			   "khugepaged_scanned=2560 khugepaged_full_scans=1");
	host_close(&h);
}

int main(void)
{
	static const struct CMUnitTest cases[] = {
		cmocka_unit_test(test_khugepaged__collapses_what_it_may),
		cmocka_unit_test(
			test_khugepaged__passes_a_few_regions_each_time),
		cmocka_unit_test(
			test_khugepaged__sleeps_longer_without_huge_pages),
		cmocka_unit_test(test_khugepaged__never_runs),
		cmocka_unit_test(test_khugepaged__underused_pages_shrink),
		cmocka_unit_test(test_khugepaged__goes_round_the_guests),
	};

	return cmocka_run_group_tests(cases, NULL, NULL);
}
