/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a discard does in each state of a region, by each kind of advice. */
#include "tests/hypervisor/host.h"

#define NR_PAGES 2100 /* four whole regions and 52 pages */

static const struct host_case dontneed[] = {
	{ .name = "nothing there",
	  .options = "", .script = "d 0 9; d 1024 10; d 7 0",
	  .events = "discard_dontneed_order9=1 discard_dontneed_order10=1 "
		    "discard_dontneed_order0=1 discard_calls=3 "
		    "discard_unbacked_pages=1537",
	  .gauges = "rss_pages=0 small_regions=0" },
	{ .name = "whole huge region",
	  .options = "", .before = "w 0 10", .script = "d 512 9",
	  .events = "discard_dontneed_order9=1 discard_calls=1 zap_pmd=1 "
		    "discard_backed_pages=512 ept_zap_2m=1 tlb_flush_rounds=1 "
		    "rss_reclaimed_pages=512 phys_reclaimed_pages=512",
	  .gauges = "rss_pages=512 anon_huge_regions=1 small_regions=0" },
	{ .name = "one call for two regions",
	  .options = "", .before = "w 0 10", .script = "d 0 10",
	  .events = "discard_dontneed_order10=1 discard_calls=1 zap_pmd=2 "
		    "discard_backed_pages=1024 ept_zap_2m=2 "
		    "tlb_flush_rounds=1 rss_reclaimed_pages=1024 "
		    "phys_reclaimed_pages=1024",
	  .gauges = "rss_pages=0 ept_2m_leaves=0" },
	{ .name = "part of a huge region leaves the memory held",
	  .options = "", .before = "w 0 9", .script = "d 128 7",
	  .events = "discard_dontneed_order7=1 discard_calls=1 "
		    "thp_split_pmd=1 thp_deferred_split_page=1 ept_zap_2m=1 "
		    "zap_pte=128 discard_backed_pages=128 tlb_flush_rounds=1 "
		    "rss_reclaimed_pages=128",
	  .gauges = "rss_pages=384 anon_huge_regions=0 small_regions=1 "
		    "partial_thps=1 partial_unmapped_pages=128" },
	{ .name = "the last part frees it",
	  .options = "", .before = "w 0 9; d 0 8; d 256 7",
	  .script = "d 384 7",
	  .events = "discard_dontneed_order7=1 discard_calls=1 zap_pte=128 "
		    "discard_backed_pages=128 tlb_flush_rounds=1 "
		    "rss_reclaimed_pages=128 phys_reclaimed_pages=512",
	  .gauges = "rss_pages=0 partial_thps=0 partial_unmapped_pages=0 "
		    "small_regions=1" },
	{ .name = "so does a whole discard of the partial region",
	  .options = "", .before = "w 0 9; d 0 0", .script = "d 0 9",
	  .events = "discard_dontneed_order9=1 discard_calls=1 zap_pte=511 "
		    "discard_backed_pages=511 discard_unbacked_pages=1 "
		    "tlb_flush_rounds=1 rss_reclaimed_pages=511 "
		    "phys_reclaimed_pages=512",
	  .gauges = "rss_pages=0 partial_thps=0 small_regions=1" },
	{ .name = "512 separate calls: one split, 512 flushes, table stays",
	  .options = "", .before = "w 0 9", .script = "d 0 0 512 1",
	  .events = "discard_dontneed_order0=512 discard_calls=512 "
		    "thp_split_pmd=1 thp_deferred_split_page=1 ept_zap_2m=1 "
		    "zap_pte=512 discard_backed_pages=512 "
		    "tlb_flush_rounds=512 rss_reclaimed_pages=512 "
		    "phys_reclaimed_pages=512",
	  .gauges = "rss_pages=0 small_regions=1" },
	{ .name = "the same by a VMM that loops over a huge block",
	  .options = "discard_granularity=page", .before = "w 0 9",
	  .script = "d 0 9",
	  .events = "discard_dontneed_order9=1 discard_calls=512 "
		    "thp_split_pmd=1 thp_deferred_split_page=1 ept_zap_2m=1 "
		    "zap_pte=512 discard_backed_pages=512 "
		    "tlb_flush_rounds=512 rss_reclaimed_pages=512 "
		    "phys_reclaimed_pages=512",
	  .gauges = "rss_pages=0 small_regions=1" },
	{ .name = "small pages: the table stays",
	  .options = "thp=never", .before = "w 0 9", .script = "d 0 9; d 0 9",
	  .events = "discard_dontneed_order9=2 discard_calls=2 zap_pte=512 "
		    "ept_zap_4k=512 discard_backed_pages=512 "
		    "discard_unbacked_pages=512 tlb_flush_rounds=1 "
		    "rss_reclaimed_pages=512 phys_reclaimed_pages=512",
	  .gauges = "rss_pages=0 small_regions=1" },
	{ .name = "small pages: a newer host frees the table of a whole region",
	  .options = "thp=never free_empty_tables=on", .before = "w 0 10",
	  .script = "d 0 9; d 512 8; d 768 8",
	  .events = "discard_dontneed_order9=1 discard_dontneed_order8=2 "
		    "discard_calls=3 zap_pte=1024 ept_zap_4k=1024 "
		    "discard_backed_pages=1024 tlb_flush_rounds=3 "
		    "rss_reclaimed_pages=1024 phys_reclaimed_pages=1024",
	  .gauges = "rss_pages=0 small_regions=1" },
	{ .name = "refaulted pages of a partial region are free at once",
	  .options = "", .before = "w 0 9; d 0 1; w 0 1", .script = "d 0 2",
	  .events = "discard_dontneed_order2=1 discard_calls=1 zap_pte=4 "
		    "ept_zap_4k=2 discard_backed_pages=4 tlb_flush_rounds=1 "
		    "rss_reclaimed_pages=4 phys_reclaimed_pages=2",
	  .gauges = "rss_pages=508 partial_unmapped_pages=4" },
	{ .name = "a lazy huge page is discarded like any other",
	  .options = "discard=free", .before = "w 0 9; d 0 9",
	  .script = "b 0 9",
	  .events = "discard_dontneed_order9=1 discard_calls=1 zap_pmd=1 "
		    "discard_backed_pages=512 tlb_flush_rounds=1 "
		    "rss_reclaimed_pages=512 phys_reclaimed_pages=512",
	  .gauges = "rss_pages=0 lazy_pages=0" },
	{ .name = "splitting it leaves the rest lazy",
	  .options = "discard=free", .before = "w 0 9; d 0 9",
	  .script = "b 0 0",
	  .events = "discard_dontneed_order0=1 discard_calls=1 "
		    "thp_split_pmd=1 thp_deferred_split_page=1 zap_pte=1 "
		    "discard_backed_pages=1 tlb_flush_rounds=1 "
		    "rss_reclaimed_pages=1",
	  .gauges = "rss_pages=511 lazy_pages=511 partial_thps=1" },
};

static void test_mock_discard__dontneed(void **state)
{
	/* MADV_DONTNEED: reports by default, the balloon always. */
	(void)state;
	host_run_cases(dontneed, ARRAY_SIZE(dontneed), NR_PAGES);
}

static const struct host_case lazy[] = {
	{ .name = "nothing there",
	  .options = "discard=free", .script = "d 0 9",
	  .events = "discard_free_order9=1 discard_calls=1 "
		    "discard_unbacked_pages=512",
	  .gauges = "lazy_pages=0" },
	{ .name = "whole huge region, and again",
	  .options = "discard=free", .before = "w 0 9", .script = "d 0 9; d 0 9",
	  .events = "discard_free_order9=2 discard_calls=2 pglazyfree=512 "
		    "ept_zap_2m=1 discard_backed_pages=1024 "
		    "tlb_flush_rounds=1",
	  .gauges = "rss_pages=512 lazy_pages=512 anon_huge_regions=1" },
	{ .name = "read in between: mapped, unmapped again, still lazy",
	  .options = "discard=free", .before = "w 0 9; d 0 9; r 0 0",
	  .script = "d 0 9",
	  .events = "discard_free_order9=1 discard_calls=1 ept_zap_2m=1 "
		    "discard_backed_pages=512 tlb_flush_rounds=1",
	  .gauges = "lazy_pages=512" },
	{ .name = "part of a huge region splits the page itself",
	  .options = "discard=free", .before = "w 0 9", .script = "d 0 7",
	  .events = "discard_free_order7=1 discard_calls=1 thp_split_pmd=1 "
		    "thp_split_page=1 pglazyfree=128 ept_zap_2m=1 "
		    "discard_backed_pages=128 tlb_flush_rounds=1",
	  .gauges = "rss_pages=512 lazy_pages=128 anon_huge_regions=0 "
		    "partial_thps=0" },
	{ .name = "part of a partial huge page frees what is unmapped of it",
	  .options = "discard=free", .before = "w 0 9; b 0 8; w 0 0; w 256 1",
	  .script = "d 256 0",
	  .events = "discard_free_order0=1 discard_calls=1 thp_split_page=1 "
		    "pglazyfree=1 ept_zap_4k=2 discard_backed_pages=1 "
		    "tlb_flush_rounds=1 phys_reclaimed_pages=256",
	  .gauges = "rss_pages=257 lazy_pages=1 partial_thps=0 "
		    "partial_unmapped_pages=0 ept_4k_leaves=1" },
	{ .name = "split of a lazy huge page: stays lazy",
	  .options = "discard=free", .before = "w 0 9; d 0 9; b 0 3",
	  .script = "d 64 6",
	  .events = "discard_free_order6=1 discard_calls=1 thp_split_page=1 "
		    "discard_backed_pages=64 tlb_flush_rounds=1 "
		    "phys_reclaimed_pages=8",
	  .gauges = "rss_pages=504 lazy_pages=504 partial_thps=0" },
	/* As on 6.18, by LazyFree of smaps (`buddylab conformance`). */
	{ .name = "the same, of which a part was written: none stays lazy",
	  .options = "discard=free", .before = "w 0 9; d 0 9; b 0 3; w 16 3",
	  .script = "d 64 6",
	  .events = "discard_free_order6=1 discard_calls=1 thp_split_page=1 "
		    "pglazyfree=64 ept_zap_4k=8 discard_backed_pages=64 "
		    "tlb_flush_rounds=1 phys_reclaimed_pages=8",
	  .gauges = "rss_pages=504 lazy_pages=64 partial_thps=0" },
	{ .name = "beside a partial huge page: left as it is",
	  .options = "discard=free", .before = "w 0 9; b 0 8; w 0 0",
	  .script = "d 0 8",
	  .events = "discard_free_order8=1 discard_calls=1 pglazyfree=1 "
		    "ept_zap_4k=1 discard_backed_pages=1 "
		    "discard_unbacked_pages=255 tlb_flush_rounds=1",
	  .gauges = "lazy_pages=1 partial_thps=1" },
	{ .name = "small pages",
	  .options = "discard=free thp=never", .before = "w 0 9",
	  .script = "d 0 8; d 0 9",
	  .events = "discard_free_order8=1 discard_free_order9=1 "
		    "discard_calls=2 pglazyfree=512 ept_zap_4k=512 "
		    "discard_backed_pages=768 tlb_flush_rounds=2",
	  .gauges = "rss_pages=512 lazy_pages=512" },
	{ .name = "page by page",
	  .options = "discard=free discard_granularity=page",
	  .before = "w 0 9", .script = "d 0 9",
	  .events = "discard_free_order9=1 discard_calls=512 "
		    "thp_split_pmd=1 thp_split_page=1 pglazyfree=512 "
		    "ept_zap_2m=1 discard_backed_pages=512 "
		    "tlb_flush_rounds=512",
	  .gauges = "rss_pages=512 lazy_pages=512 anon_huge_regions=0" },
};

static void test_mock_discard__free(void **state)
{
	/* MADV_FREE of reported blocks. */
	(void)state;
	host_run_cases(lazy, ARRAY_SIZE(lazy), NR_PAGES);
}

static const struct host_case ignored[] = {
	{ .name = "inhibited",
	  .options = "inhibit=on", .before = "w 0 9", .script = "d 0 9; b 0 0",
	  .events = "discard_ignored=2", .gauges = "rss_pages=512" },
	{ .name = "across the end of guest memory",
	  .options = "", .before = "w 2048 5", .script = "d 2048 9; d 3072 10",
	  .events = "discard_ignored=2", .gauges = "rss_pages=32" },
};

static void test_mock_discard__ignored(void **state)
{
	/* The guest gets its acknowledgement, the host keeps the memory. */
	(void)state;
	host_run_cases(ignored, ARRAY_SIZE(ignored), NR_PAGES);
}

static void test_mock_discard__says_when_zeroes_are_sure(void **state)
{
	/* True for MADV_DONTNEED only, whoever asks. */
	static const struct {
		const char *name, *options, *script;
		bool zeroed;
	} rows[] = {
		{ "dontneed", "", "d 0 9", true },
		{ "free", "discard=free", "d 0 9", false },
		{ "free, balloon", "discard=free", "b 0 9", true },
		{ "inhibited", "inhibit=on", "d 0 9", false },
		{ "outside", "", "d 2048 9", false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct host h;

		host_boot(&h, rows[i].name, &mock_hypervisor, rows[i].options,
			  NR_PAGES);
		host_run(&h, rows[i].name, rows[i].script, true);
		ASSERT_U64(rows[i].name, h.zeroed, rows[i].zeroed);
		host_close(&h);
	}
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(test_mock_discard__dontneed),
	cmocka_unit_test(test_mock_discard__free),
	cmocka_unit_test(test_mock_discard__ignored),
	cmocka_unit_test(test_mock_discard__says_when_zeroes_are_sure),
};

TEST_MAIN(cases)
