/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A host whose memory is full: what it takes back, in which order, and when
 * it fails. */
#include <errno.h>

#include "tests/hypervisor/host.h"

#define NR_PAGES 4096 /* eight regions */

static const struct host_case cases_of_pressure[] = {
	{ .name = "a lazy huge page is dropped, its table stays",
	  .options = "memory=4M base=0 discard=free",
	  .before = "w 0 9; w 512 9; d 0 9", .script = "w 1024 0",
	  .events = "pressure=1 allocstall=1 pglazyfreed=512 "
		    "pgscan_direct=512 pgsteal_direct=512 thp_split_pmd=1 "
		    "rss_reclaimed_pages=512 phys_reclaimed_pages=512 "
		    "tlb_flush_rounds=1 thp_fault_alloc=1 "
		    "ept_violation_zero_2m=1 zeroed_pages=512",
	  .gauges = "rss_pages=1024 lazy_pages=0 small_regions=1 "
		    "host_free_pages=0" },
	{ .name = "on a newer host it is dropped as a whole",
	  .options = "memory=4M base=0 discard=free lazy_drop=whole",
	  .before = "w 0 9; w 512 9; d 0 9; r 0 0", .script = "w 1024 0",
	  .events = "pressure=1 allocstall=1 pglazyfreed=512 "
		    "pgscan_direct=512 pgsteal_direct=512 ept_zap_2m=1 "
		    "rss_reclaimed_pages=512 phys_reclaimed_pages=512 "
		    "tlb_flush_rounds=1 thp_fault_alloc=1 "
		    "ept_violation_zero_2m=1 zeroed_pages=512",
	  .gauges = "rss_pages=1024 small_regions=0" },
	{ .name = "the oldest lazy region goes first, and no more than needed",
	  .options = "memory=6M base=0 discard=free lazy_drop=whole",
	  .before = "w 0 9 3 512; d 512 9; d 0 9; w 512 0; d 512 9",
	  .script = "w 1536 0; w 0 0",
	  .events = "pressure=2 allocstall=2 pglazyfreed=1024 "
		    "pgscan_direct=1024 pgsteal_direct=1024 "
		    "rss_reclaimed_pages=1024 phys_reclaimed_pages=1024 "
		    "tlb_flush_rounds=2 thp_fault_alloc=2 "
		    "ept_violation_zero_2m=2 zeroed_pages=1024",
	  .gauges = "lazy_pages=0 rss_pages=1536" },
	{ .name = "after the lazy pages the partial huge pages are split",
	  .options = "memory=6M base=0 thp=madvise discard=free",
	  .before = "w 0 9 3 512; b 0 8; b 512 8; d 1024 9",
	  .script = "w 0 8; w 512 8; w 1024 9",
	  .events = "pressure=3 allocstall=3 pglazyfreed=512 "
		    "pgscan_direct=512 pgsteal_direct=512 thp_split_pmd=1 "
		    "rss_reclaimed_pages=512 phys_reclaimed_pages=1024 "
		    "tlb_flush_rounds=3 thp_split_page=2 "
		    "ept_violation_zero_4k=1024 zeroed_pages=1024",
	  .gauges = "rss_pages=1536 host_free_pages=0" },
	{ .name = "deferred split frees what is unmapped, the rest is remapped",
	  .options = "memory=4M base=0 madv_hugepage=off",
	  .before = "w 0 9 2 512; d 0 8; w 256 3", .script = "w 1024 0; w 256 8",
	  .events = "pressure=1 allocstall=1 thp_fault_fallback=1 "
		    "thp_split_page=1 phys_reclaimed_pages=256 "
		    "tlb_flush_rounds=1 ept_zap_4k=8 ept_violation_zero_4k=1 "
		    "zeroed_pages=1 ept_violation_remap_4k=256",
	  .gauges = "partial_thps=0 partial_unmapped_pages=0 rss_pages=769 "
		    "host_free_pages=255" },
	{ .name = "without advice nothing is reclaimed for a huge page",
	  .options = "memory=3M base=0 discard=free madv_hugepage=off",
	  .before = "w 0 9; d 0 9", .script = "w 512 7",
	  .events = "thp_fault_fallback=1 ept_violation_zero_4k=128 "
		    "zeroed_pages=128",
	  .gauges = "lazy_pages=512 rss_pages=640" },
	{ .name = "a written part saves all of a split lazy huge page",
	  .options = "memory=4M base=0 discard=free madv_hugepage=off",
	  .before = "w 0 9 2 512; d 0 9; b 0 8; w 256 0; r 257 0",
	  .script = "w 1024 0",
	  .events = "pressure=1 allocstall=1 thp_fault_fallback=1 "
		    "ept_zap_4k=2 tlb_flush_rounds=2 thp_split_page=1 "
		    "phys_reclaimed_pages=256 ept_violation_zero_4k=1 "
		    "zeroed_pages=1 pgscan_direct=255",
	  .gauges = "lazy_pages=0 rss_pages=769" },
	{ .name = "a split lazy huge page that nobody wrote goes at once",
	  .options = "memory=4M base=0 discard=free madv_hugepage=off",
	  .before = "w 0 9 2 512; d 0 9; b 0 8", .script = "w 1024 0",
	  .events = "pressure=1 allocstall=1 thp_fault_fallback=1 "
		    "pglazyfreed=256 pgscan_direct=256 pgsteal_direct=256 "
		    "rss_reclaimed_pages=256 phys_reclaimed_pages=512 "
		    "tlb_flush_rounds=1 ept_violation_zero_4k=1 "
		    "zeroed_pages=1",
	  .gauges = "lazy_pages=0 partial_thps=0 rss_pages=513" },
	{ .name = "a block's own lazy pages can go while it is touched",
	  .options = "memory=2M base=0 thp=never discard=free",
	  .before = "w 0 8; d 128 7; w 512 8", .script = "w 64 0; w 256 8",
	  .events = "pressure=2 allocstall=2 pglazyfreed=128 "
		    "pgscan_direct=128 pgsteal_direct=128 "
		    "rss_reclaimed_pages=128 phys_reclaimed_pages=128 "
		    "tlb_flush_rounds=1 ept_violation_zero_4k=128 "
		    "zeroed_pages=128 host_oom=1",
	  .err = -ENOMEM, .gauges = "rss_pages=512 host_free_pages=0" },
	{ .name = "full and nothing to take back: failure",
	  .options = "memory=4M base=2M", .before = "w 0 9",
	  .script = "w 512 0; w 0 9; w 513 0",
	  .events = "pressure=3 allocstall=3 thp_fault_fallback=1 host_oom=2",
	  .err = -ENOMEM, .gauges = "rss_pages=512 host_free_pages=0" },
};

static void test_mock_pressure__full_host(void **state)
{
	/* Small hosts, an allocation too many, all of its consequences. */
	(void)state;
	host_run_cases(cases_of_pressure, ARRAY_SIZE(cases_of_pressure),
		       NR_PAGES);
}

static void test_mock_pressure__discard_ends_a_failure(void **state)
{
	/* What failed works as soon as a guest gave something back. */
	struct host h;

	(void)state;
	host_boot(&h, "discard", &mock_hypervisor, "memory=2M base=0",
		  NR_PAGES);
	host_run(&h, "fill", "w 0 9; w 512 0", true);
	ASSERT_U64("full", (uint64_t)-h.err, ENOMEM);
	host_run(&h, "again", "d 0 9; w 512 0", true);
	ASSERT_U64("room", (uint64_t)-h.err, 0);
	host_close(&h);
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(test_mock_pressure__full_host),
	cmocka_unit_test(test_mock_pressure__discard_ends_a_failure),
};

TEST_MAIN(cases)
