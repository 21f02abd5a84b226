/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Dirty logging: leaves of 4 KiB while it is on, huge ones again after it. */
#include "tests/hypervisor/host.h"

#define NR_PAGES 4096 /* eight regions */

static const struct host_case cases_of_logging[] = {
	{ .name = "huge leaves go when it begins",
	  .options = "memory=64M base=0", .before = "w 0 10",
	  .script = "l 0 0", .events = "ept_zap_2m=2 tlb_flush_rounds=1",
	  .gauges = "ept_2m_leaves=0 anon_huge_regions=2 rss_pages=1024" },
	{ .name = "each page is mapped by itself, and logged if written",
	  .options = "memory=64M base=0", .before = "w 0 9; l 0 0",
	  .script = "w 0 2; r 4 0; w 0 2; w 4 0",
	  .events = "ept_violation_remap_4k=5 dirty_logged_pages=5",
	  .gauges = "ept_4k_leaves=5 ept_2m_leaves=0 anon_huge_regions=1" },
	{ .name = "a huge fault clears 512 pages and maps one",
	  .options = "memory=64M base=0", .before = "l 0 0",
	  .script = "w 9 0; r 10 0",
	  .events = "thp_fault_alloc=1 zeroed_pages=512 "
		    "ept_violation_zero_4k=1 ept_violation_remap_4k=1 "
		    "dirty_logged_pages=1",
	  .gauges = "ept_4k_leaves=2 anon_huge_regions=1" },
	{ .name = "reading the log clears it and leaves the mappings",
	  .options = "memory=64M base=0", .before = "w 0 9; l 0 0; w 0 2",
	  .script = "l 0 0; w 0 0",
	  .events = "tlb_flush_rounds=1 dirty_logged_pages=1",
	  .gauges = "ept_4k_leaves=4" },
	{ .name = "small pages keep their leaves",
	  .options = "memory=64M base=0 thp=never", .before = "w 0 3",
	  .script = "l 0 0; w 0 0; r 1 0; l 0 0",
	  .events = "dirty_logged_pages=1 tlb_flush_rounds=1",
	  .gauges = "ept_4k_leaves=8" },
	{ .name = "at its end the small leaves of a huge page go",
	  .options = "memory=64M base=0", .before = "w 0 9; l 0 0; w 0 2",
	  .script = "e 0 0; w 100 0",
	  .events = "ept_zap_4k=4 tlb_flush_rounds=1 ept_violation_remap_2m=1",
	  .gauges = "ept_4k_leaves=0 ept_2m_leaves=1" },
	{ .name = "a part is discarded meanwhile",
	  .options = "memory=64M base=0", .before = "w 0 9; l 0 0; w 0 4",
	  .script = "b 0 1; w 0 0; e 0 0",
	  .events = "discard_dontneed_order1=1 discard_calls=1 "
		    "discard_backed_pages=2 zap_pte=2 rss_reclaimed_pages=2 "
		    "thp_split_pmd=1 thp_split_pmd_discard=1 "
		    "thp_deferred_split_page=1 "
		    "ept_zap_4k=16 tlb_flush_rounds=2 "
		    "ept_violation_zero_4k=1 zeroed_pages=1",
	  .gauges = "ept_4k_leaves=1 small_regions=1" },
	{ .name = "a lazy huge page is written",
	  .options = "memory=64M base=0 discard=free",
	  .before = "w 0 9; l 0 0; d 0 9", .script = "w 0 1",
	  .events = "ept_violation_lazy_4k=1 ept_violation_remap_4k=1 "
		    "lazy_reused_pages=512 dirty_logged_pages=2",
	  .gauges = "lazy_pages=0 ept_4k_leaves=2" },
	{ .name = "khugepaged makes a huge page, which stays in small leaves",
	  .options = "memory=64M base=0",
	  .before = "w 0 9; b 0 0 512 1; w 0 9; l 0 0",
	  .script = "k 0 0; w 0 0",
	  .events = "thp_collapse_alloc=1 khugepaged_collapsed=1 "
		    "khugepaged_scanned=4096 khugepaged_full_scans=1 "
		    "khugepaged_copied_pages=512 ept_zap_4k=512 "
		    "tlb_flush_rounds=1 ept_violation_remap_4k=1 "
		    "dirty_logged_pages=1",
	  .gauges = "ept_4k_leaves=1 ept_2m_leaves=0 anon_huge_regions=1" },
	{ .name = "its end without a begin",
	  .options = "memory=64M base=0", .before = "w 0 9", .script = "e 0 0",
	  .events = "", .gauges = "ept_2m_leaves=1" },
};

static void test_dirty_log__small_leaves_while_it_is_on(void **state)
{
	/* Huge and small pages, discards and khugepaged meanwhile. */
	(void)state;
	host_run_cases(cases_of_logging, ARRAY_SIZE(cases_of_logging),
		       NR_PAGES);
}

static void test_dirty_log__counts_each_page_once(void **state)
{
	/* Rounds of a migration: what was written since the one before. */
	static const struct {
		const char *script;
		uint64_t logged;
	} rounds[] = {
		{ "w 0 10; l 0 0", 0 },
		{ "w 0 3; w 0 3; r 100 0; l 0 0", 8 },
		{ "l 0 0", 0 },
		{ "z 5 0; t 6 0; w 2000 0; e 0 0", 3 },
		{ "w 0 10; l 0 0", 0 },
	};
	struct host h;

	(void)state;
	host_boot(&h, "rounds", &mock_hypervisor, "memory=64M base=0",
		  NR_PAGES);
	for (size_t i = 0; i < ARRAY_SIZE(rounds); i++) {
		host_run(&h, rounds[i].script, rounds[i].script, true);
		ASSERT_U64(rounds[i].script, h.logged, rounds[i].logged);
	}
	host_close(&h);
}

static void test_dirty_log__not_of_hugetlbfs(void **state)
{
	/* Nothing is logged, nothing changes. */
	struct host h;

	(void)state;
	host_open(&h, "pool", &mock_hypervisor, "memory=64M base=0");
	assert_int_equal(h.hv.ops->guest_add_hugetlb(&h.hv, 1024, 9), 0);
	host_run(&h, "pool", "w 0 9; l 0 0; w 0 0", true);
	ASSERT_U64("written", h.ev.dirty_logged_pages, 0);
	ASSERT_U64("zapped", h.ev.ept_zap[HV_LEVEL_2M], 0);
	host_close(&h);
}

int main(void)
{
	static const struct CMUnitTest cases[] = {
		cmocka_unit_test(test_dirty_log__small_leaves_while_it_is_on),
		cmocka_unit_test(test_dirty_log__counts_each_page_once),
		cmocka_unit_test(test_dirty_log__not_of_hugetlbfs),
	};

	return cmocka_run_group_tests(cases, NULL, NULL);
}
