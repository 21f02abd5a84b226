/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What an access costs in each state of a region. */
#include <errno.h>

#include "tests/hypervisor/host.h"

#define NR_PAGES 2100 /* four whole regions and 52 pages */

static const struct host_case first_touches[] = {
	{ .name = "one page makes the whole region huge",
	  .options = "", .script = "w 700 0",
	  .events = "ept_violation_zero_2m=1 thp_fault_alloc=1 "
		    "zeroed_pages=512",
	  .gauges = "rss_pages=512 anon_huge_regions=1 small_regions=0 "
		    "ept_2m_leaves=1" },
	{ .name = "reading is no cheaper than writing",
	  .options = "", .script = "r 0 0; t 512 0; z 1024 3",
	  .events = "ept_violation_zero_2m=3 thp_fault_alloc=3 "
		    "zeroed_pages=1536",
	  .gauges = "rss_pages=1536 anon_huge_regions=3" },
	{ .name = "an order-10 block is two regions",
	  .options = "", .script = "z 1024 10",
	  .events = "ept_violation_zero_2m=2 thp_fault_alloc=2 "
		    "zeroed_pages=1024",
	  .gauges = "rss_pages=1024 anon_huge_regions=2" },
	{ .name = "without THP each page is a fault",
	  .options = "thp=never", .script = "w 0 9; w 600 2",
	  .events = "ept_violation_zero_4k=516 zeroed_pages=516",
	  .gauges = "rss_pages=516 small_regions=2 ept_4k_leaves=516 "
		    "anon_huge_regions=0" },
	{ .name = "madvise needs advice: given",
	  .options = "thp=madvise", .script = "w 0 0",
	  .events = "ept_violation_zero_2m=1 thp_fault_alloc=1 "
		    "zeroed_pages=512",
	  .gauges = "anon_huge_regions=1" },
	{ .name = "madvise needs advice: not given",
	  .options = "thp=madvise madv_hugepage=off", .script = "w 0 0",
	  .events = "ept_violation_zero_4k=1 zeroed_pages=1",
	  .gauges = "anon_huge_regions=0 rss_pages=1" },
	{ .name = "the incomplete last region takes small pages, not a fallback",
	  .options = "", .script = "w 2048 5; w 2099 0",
	  .events = "ept_violation_zero_4k=33 zeroed_pages=33",
	  .gauges = "anon_huge_regions=0 small_regions=1" },
	{ .name = "a fragmented host falls back once per region",
	  .options = "huge_pages=2M", .script = "w 0 9; w 512 9; w 1024 0",
	  .events = "ept_violation_zero_2m=1 ept_violation_zero_4k=513 "
		    "thp_fault_alloc=1 thp_fault_fallback=2 zeroed_pages=1025",
	  .gauges = "anon_huge_regions=1 small_regions=2" },
	{ .name = "huge_pages as a share of what guests may have",
	  .options = "memory=10M base=2M huge_pages=50%",
	  .script = "w 0 0; w 512 0; w 1024 0",
	  .events = "ept_violation_zero_2m=2 ept_violation_zero_4k=1 "
		    "thp_fault_alloc=2 thp_fault_fallback=1 zeroed_pages=1025",
	  .gauges = "anon_huge_regions=2 host_base_pages=512 "
		    "host_total_pages=2560 host_free_pages=1023" },
};

static void test_mock_fault__first_touch(void **state)
{
	/* Accesses to regions in NONE, under each option that matters. */
	(void)state;
	host_run_cases(first_touches, ARRAY_SIZE(first_touches), NR_PAGES);
}

static const struct host_case repeated[] = {
	{ .name = "mapped pages cost nothing, huge",
	  .options = "", .before = "w 0 0", .script = "w 0 9; r 5 0; z 8 3",
	  .events = "", .gauges = "rss_pages=512" },
	{ .name = "mapped pages cost nothing, small",
	  .options = "thp=never", .before = "w 0 9",
	  .script = "w 0 9; r 5 0; z 8 3", .events = "",
	  .gauges = "rss_pages=512" },
	{ .name = "an emptied page table forbids huge pages",
	  .options = "", .before = "w 0 0; d 0 0 512 1", .script = "w 0 9",
	  .events = "ept_violation_zero_4k=512 zeroed_pages=512",
	  .gauges = "rss_pages=512 anon_huge_regions=0 small_regions=1" },
	{ .name = "a region discarded whole is huge again",
	  .options = "", .before = "w 0 0; d 0 9", .script = "w 3 0",
	  .events = "ept_violation_zero_2m=1 thp_fault_alloc=1 "
		    "zeroed_pages=512",
	  .gauges = "rss_pages=512 anon_huge_regions=1" },
	{ .name = "an emptied page table that was freed allows them",
	  .options = "free_empty_tables=on",
	  .before = "w 0 0; d 0 0 512 1; d 0 9", .script = "w 0 9",
	  .events = "ept_violation_zero_2m=1 thp_fault_alloc=1 "
		    "zeroed_pages=512",
	  .gauges = "anon_huge_regions=1 small_regions=0" },
	{ .name = "pages by twos, only the missing ones fault",
	  .options = "thp=never", .before = "w 0 0 256 2", .script = "w 0 9",
	  .events = "ept_violation_zero_4k=256 zeroed_pages=256",
	  .gauges = "rss_pages=512" },
	{ .name = "survivors of a split are mapped again, not cleared",
	  .options = "", .before = "w 0 0; d 7 0", .script = "w 0 9; w 0 9",
	  .events = "ept_violation_zero_4k=1 ept_violation_remap_4k=511 "
		    "zeroed_pages=1",
	  .gauges = "rss_pages=512 ept_4k_leaves=512 ept_2m_leaves=0 "
		    "partial_thps=1 partial_unmapped_pages=1" },
};

static void test_mock_fault__later_touches(void **state)
{
	/* Accesses to regions that were HUGE or SMALL before. */
	(void)state;
	host_run_cases(repeated, ARRAY_SIZE(repeated), NR_PAGES);
}

static const struct host_case lazy_touches[] = {
	{ .name = "one write takes a huge page back whole",
	  .options = "discard=free", .before = "w 0 0; d 0 9",
	  .script = "w 100 0",
	  .events = "ept_violation_lazy_2m=1 lazy_reused_pages=512",
	  .gauges = "lazy_pages=0 rss_pages=512 anon_huge_regions=1" },
	{ .name = "a read maps it and leaves it lazy",
	  .options = "discard=free", .before = "w 0 0; d 0 9",
	  .script = "r 100 0; r 0 9",
	  .events = "ept_violation_remap_2m=1",
	  .gauges = "lazy_pages=512 ept_2m_leaves=1" },
	{ .name = "a write after a read needs no exit",
	  .options = "discard=free", .before = "w 0 0; d 0 9; r 0 0",
	  .script = "w 0 0", .events = "lazy_reused_pages=512",
	  .gauges = "lazy_pages=0 ept_2m_leaves=1" },
	{ .name = "small lazy pages come back one by one",
	  .options = "discard=free thp=never", .before = "w 0 9; d 0 9",
	  .script = "w 0 1; r 2 1; w 2 0",
	  .events = "ept_violation_lazy_4k=2 ept_violation_remap_4k=2 "
		    "lazy_reused_pages=3",
	  .gauges = "lazy_pages=509 rss_pages=512 ept_4k_leaves=4" },
};

static void test_mock_fault__lazy_pages(void **state)
{
	/* Accesses to pages that are lazy-free and still there. */
	(void)state;
	host_run_cases(lazy_touches, ARRAY_SIZE(lazy_touches), NR_PAGES);
}

static void test_mock_fault__mapped_bits_follow_the_region(void **state)
{
	/* The caller's bitmap says when an access needs no call. */
	static const struct {
		const char *script;
		pfn_t pfn;
		unsigned int order;
		bool mapped;
	} rows[] = {
		{ "r 0 0", 0, 9, true },
		{ "d 0 9", 0, 0, false },
		{ "r 3 0", 3, 0, false }, /* lazy: a write changes it */
		{ "w 3 0", 511, 0, true },
		{ "r 0 0", 0, 10, false },
		{ "w 512 9", 0, 10, true },
		{ "b 64 0", 0, 0, false }, /* split: leaf gone */
		{ "w 0 6", 0, 6, true },
		{ "w 66 1", 66, 1, true },
		{ "r 0 0", 64, 2, false },
		{ "r 0 0", 0, 7, false },
		{ "r 0 0", 512, 9, true },
		{ "d 0 5", 32, 5, false }, /* page split: all leaves gone */
		{ "w 0 6", 0, 6, true },
	};
	const struct hv_guest_map *map;
	struct host h;

	(void)state;
	host_boot(&h, "mapped bits", &mock_hypervisor, "discard=free",
		  NR_PAGES);
	map = h.hv.ops->guest_map(&h.hv, h.guest);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		host_run(&h, rows[i].script, rows[i].script, true);
		ASSERT_U64(rows[i].script,
			   hv_block_mapped(map, rows[i].pfn, rows[i].order),
			   rows[i].mapped);
	}
	host_close(&h);
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(test_mock_fault__first_touch),
	cmocka_unit_test(test_mock_fault__later_touches),
	cmocka_unit_test(test_mock_fault__lazy_pages),
	cmocka_unit_test(test_mock_fault__mapped_bits_follow_the_region),
};

TEST_MAIN(cases)
