/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Swap of the host: what goes, what comes back, where huge pages end up, and
 * when it is full; page cache, marks and background reclaim. */
#include <errno.h>
#include <string.h>

#include "tests/hypervisor/host.h"

#define NR_PAGES 4096 /* eight regions */

/* 4 KiB pages only: a host of 512 pages, 64 slots. */
#define SMALL "memory=2M base=0 thp=never "

static const struct host_case cases_of_swap[] = {
	{ .name = "a page too many: 32 go, the oldest first",
	  .options = SMALL "swap=256K lru=strict",
	  .before = "w 0 9; w 0 5", .script = "w 512 0; r 0 5; r 64 5",
	  .events = "pressure=1 allocstall=1 pgscan_direct=32 "
		    "pgsteal_direct=32 pswpout=32 rss_reclaimed_pages=32 "
		    "phys_reclaimed_pages=32 ept_zap_4k=32 "
		    "tlb_flush_rounds=32 ept_violation_zero_4k=1 "
		    "zeroed_pages=1",
	  .gauges = "rss_pages=481 swapped_pages=32 host_free_pages=31 "
		    "host_swap_free_pages=32" },
	{ .name = "an access brings it back and frees its slot",
	  .options = SMALL "swap=256K lru=strict",
	  .before = "w 0 9; w 512 0", .script = "r 3 0",
	  .events = "pswpin=1 ept_violation_swap_in_4k=1",
	  .gauges = "rss_pages=482 swapped_pages=31 host_free_pages=30 "
		    "host_swap_free_pages=33" },
	{ .name = "accessed bits: all were accessed, then the first 32 go",
	  .options = SMALL "swap=256K",
	  .before = "w 0 9", .script = "w 512 0",
	  .events = "pressure=1 allocstall=1 pgscan_direct=544 "
		    "pgsteal_direct=32 pswpout=32 rss_reclaimed_pages=32 "
		    "phys_reclaimed_pages=32 ept_zap_4k=32 "
		    "tlb_flush_rounds=544 ept_violation_zero_4k=1 "
		    "zeroed_pages=1",
	  .gauges = "rss_pages=481 swapped_pages=32" },
	{ .name = "a page that is accessed again gets another round",
	  .options = SMALL "swap=256K",
	  .before = "w 0 9; w 512 0; r 32 5", .script = "w 544 5; r 32 5",
	  .events = "pressure=1 allocstall=1 pgscan_direct=64 "
		    "pgsteal_direct=32 pswpout=32 rss_reclaimed_pages=32 "
		    "phys_reclaimed_pages=32 ept_zap_4k=32 "
		    "tlb_flush_rounds=64 ept_violation_zero_4k=32 "
		    "zeroed_pages=32",
	  .gauges = "swapped_pages=64 host_swap_free_pages=0" },
	{ .name = "a discard frees slots without I/O",
	  .options = SMALL "swap=256K lru=strict",
	  .before = "w 0 9; w 512 0", .script = "d 0 6; w 0 5",
	  .events = "discard_dontneed_order6=1 discard_calls=1 "
		    "discard_swapped_pages=32 discard_backed_pages=32 "
		    "zap_pte=32 ept_zap_4k=32 tlb_flush_rounds=1 "
		    "rss_reclaimed_pages=32 phys_reclaimed_pages=32 "
		    "ept_violation_zero_4k=32 zeroed_pages=32",
	  .gauges = "swapped_pages=0 host_swap_free_pages=64" },
	{ .name = "so does MADV_FREE",
	  .options = SMALL "swap=256K lru=strict discard=free",
	  .before = "w 0 9; w 512 0", .script = "d 0 5",
	  .events = "discard_free_order5=1 discard_calls=1 "
		    "discard_swapped_pages=32",
	  .gauges = "swapped_pages=0 lazy_pages=0" },
	{ .name = "swap is full: what is left is failure",
	  .options = SMALL "swap=128K lru=strict",
	  .before = "w 0 9; w 512 5", .script = "w 544 0",
	  .events = "pressure=1 allocstall=1 host_oom=1",
	  .err = -ENOMEM,
	  .gauges = "swapped_pages=32 host_swap_free_pages=0 "
		    "host_free_pages=0" },
	{ .name = "a huge page is split, and all of it goes",
	  .options = "memory=4M base=0 swap=4M lru=strict",
	  .before = "w 0 9 2 512", .script = "w 1024 0",
	  .events = "pressure=2 allocstall=2 thp_fault_fallback=1 "
		    "pgscan_direct=512 pgsteal_direct=512 pswpout=512 "
		    "thp_split_pmd=1 thp_split_pmd_swap_out=1 "
		    "thp_split_page=1 thp_split_page_swap_out=1 "
		    "ept_zap_2m=1 tlb_flush_rounds=1 rss_reclaimed_pages=512 "
		    "phys_reclaimed_pages=512 ept_violation_zero_4k=1 "
		    "zeroed_pages=1",
	  .gauges = "rss_pages=513 swapped_pages=512 anon_huge_regions=1 "
		    "small_regions=2" },
	{ .name = "of a huge page as much as there are slots for",
	  .options = "memory=4M base=0 swap=1M lru=strict",
	  .before = "w 0 9 2 512", .script = "w 1024 0; r 400 0",
	  .events = "pressure=2 allocstall=2 thp_fault_fallback=1 "
		    "pgscan_direct=512 pgsteal_direct=256 pswpout=256 "
		    "thp_split_pmd=1 thp_split_page=1 ept_zap_2m=1 "
		    "tlb_flush_rounds=1 rss_reclaimed_pages=256 "
		    "phys_reclaimed_pages=256 ept_violation_zero_4k=1 "
		    "zeroed_pages=1 ept_violation_remap_4k=1",
	  .gauges = "rss_pages=769 swapped_pages=256" },
	{ .name = "with thp_swap it goes whole, its mapping is split",
	  .options = "memory=4M base=0 swap=4M lru=strict thp_swap=on",
	  .before = "w 0 9 2 512", .script = "w 1024 0; w 0 9",
	  .events = "pressure=3 allocstall=3 thp_fault_fallback=1 "
		    "pgscan_direct=1024 pgsteal_direct=1024 pswpout=1024 "
		    "thp_swpout=2 thp_split_pmd=2 thp_split_pmd_swap_out=2 "
		    "ept_zap_2m=2 tlb_flush_rounds=2 "
		    "rss_reclaimed_pages=1024 phys_reclaimed_pages=1024 "
		    "ept_violation_zero_4k=1 zeroed_pages=1 pswpin=512 "
		    "ept_violation_swap_in_4k=512",
	  .gauges = "rss_pages=513 swapped_pages=512 anon_huge_regions=0 "
		    "small_regions=3" },
	{ .name = "without 512 free slots in a row it is split after all",
	  .options = "memory=4M base=0 swap=3M lru=strict thp_swap=on",
	  .before = "w 0 9 2 512; w 1024 9",
	  .script = "w 1536 0",
	  .events = "pressure=2 allocstall=2 thp_fault_fallback=1 "
		    "pgscan_direct=512 pgsteal_direct=256 pswpout=256 "
		    "thp_swpout_fallback=1 thp_split_pmd=1 thp_split_page=1 "
		    "thp_split_pmd_swap_out=1 thp_split_page_swap_out=1 "
		    "ept_zap_2m=1 tlb_flush_rounds=1 rss_reclaimed_pages=256 "
		    "phys_reclaimed_pages=256 ept_violation_zero_4k=1 "
		    "zeroed_pages=1",
	  .gauges = "swapped_pages=768 host_swap_free_pages=0" },
	{ .name = "the host's page cache goes first",
	  .options = SMALL "swap=256K lru=strict cache=1M",
	  .before = "w 0 8", .script = "w 256 0; w 257 0",
	  .events = "pressure=1 allocstall=1 pgscan_direct=32 "
		    "pgsteal_direct=32 cache_dropped_pages=32 "
		    "ept_violation_zero_4k=2 zeroed_pages=2",
	  .gauges = "host_cache_pages=224 host_free_pages=30 "
		    "swapped_pages=0" },
	{ .name = "then lazy pages, then partial huge pages, then swap",
	  .options = "memory=6M base=0 discard=free swap=1M lru=strict "
		     "lazy_drop=whole madv_hugepage=off",
	  .before = "w 0 9 3 512; d 0 9; b 512 8",
	  .script = "w 512 8; w 1536 8; w 1792 8; w 2048 0",
	  .events = "pressure=3 allocstall=3 thp_fault_fallback=2 "
		    "pglazyfreed=512 thp_split_page=1 pgscan_direct=544 "
		    "pgsteal_direct=544 pswpout=32 rss_reclaimed_pages=544 "
		    "phys_reclaimed_pages=800 tlb_flush_rounds=2 "
		    "ept_violation_zero_4k=769 zeroed_pages=769",
	  .gauges = "swapped_pages=32 lazy_pages=0 partial_thps=0" },
	{ .name = "a huge page is not swapped for",
	  .options = "memory=4M base=0 swap=4M lru=strict",
	  .before = "w 0 9 2 512", .script = "w 1024 9",
	  .events = "pressure=2 allocstall=2 thp_fault_fallback=1 "
		    "pgscan_direct=512 pgsteal_direct=512 pswpout=512 "
		    "thp_split_pmd=1 thp_split_page=1 ept_zap_2m=1 "
		    "tlb_flush_rounds=1 rss_reclaimed_pages=512 "
		    "phys_reclaimed_pages=512 ept_violation_zero_4k=512 "
		    "zeroed_pages=512",
	  .gauges = "anon_huge_regions=1 swapped_pages=512" },
	{ .name = "a mark that an allocation may not pass",
	  .options = SMALL "swap=256K lru=strict watermark_min=256K "
		     "watermark_low=256K watermark_high=512K",
	  .before = "w 0 8; w 256 7; w 384 6", .script = "w 448 0",
	  .events = "pressure=1 allocstall=1 pgscan_direct=32 "
		    "pgsteal_direct=32 pswpout=32 rss_reclaimed_pages=32 "
		    "phys_reclaimed_pages=32 ept_zap_4k=32 "
		    "tlb_flush_rounds=32 ept_violation_zero_4k=1 "
		    "zeroed_pages=1",
	  .gauges = "host_free_pages=95 rss_pages=417" },
};

static void test_mock_swap__reclaim_and_return(void **state)
{
	/* Small hosts, an allocation too many, all of its consequences. */
	(void)state;
	host_run_cases(cases_of_swap, ARRAY_SIZE(cases_of_swap), NR_PAGES);
}

/* 1 MiB may be charged; the host has more. */
#define LIMITED "memory=64M base=0 memcg_limit=1M "

static const struct host_case cases_of_limits[] = {
	{ .name = "a huge page does not fit under the limit",
	  .options = LIMITED, .script = "w 0 0",
	  .events = "pressure=1 memcg_max=1 thp_fault_fallback=1 "
		    "thp_fault_fallback_charge=1 ept_violation_zero_4k=1 "
		    "zeroed_pages=1",
	  .gauges = "rss_pages=1" },
	{ .name = "nothing to give back: failure at the limit",
	  .options = LIMITED "thp=never", .before = "w 0 8",
	  .script = "w 256 0; w 0 8",
	  .events = "pressure=1 memcg_max=1 memcg_oom=1",
	  .err = -EDQUOT, .gauges = "rss_pages=256" },
	{ .name = "its own pages are swapped out, though the host has room",
	  .options = LIMITED "thp=never swap=1M lru=strict",
	  .before = "w 0 8", .script = "w 256 0",
	  .events = "pressure=1 memcg_max=1 pgscan_direct=32 "
		    "pgsteal_direct=32 pswpout=32 rss_reclaimed_pages=32 "
		    "phys_reclaimed_pages=32 ept_zap_4k=32 "
		    "tlb_flush_rounds=32 ept_violation_zero_4k=1 "
		    "zeroed_pages=1",
	  .gauges = "rss_pages=225 swapped_pages=32" },
	{ .name = "the host's page cache is no help",
	  .options = LIMITED "thp=never cache=1M", .before = "w 0 8",
	  .script = "w 256 0",
	  .events = "pressure=1 memcg_max=1 memcg_oom=1", .err = -EDQUOT,
	  .gauges = "host_cache_pages=256" },
	{ .name = "lazy pages make room for a huge page",
	  .options = "memory=64M base=0 memcg_limit=3M discard=free "
		     "lazy_drop=whole",
	  .before = "w 0 9; d 0 9", .script = "w 512 0",
	  .events = "pressure=1 memcg_max=1 pglazyfreed=512 "
		    "pgscan_direct=512 pgsteal_direct=512 "
		    "rss_reclaimed_pages=512 phys_reclaimed_pages=512 "
		    "tlb_flush_rounds=1 thp_fault_alloc=1 "
		    "ept_violation_zero_2m=1 zeroed_pages=512",
	  .gauges = "rss_pages=512 anon_huge_regions=1" },
	{ .name = "not without the VMM's advice",
	  .options = "memory=64M base=0 memcg_limit=3M discard=free "
		     "madv_hugepage=off",
	  .before = "w 0 9; d 0 9", .script = "w 512 0",
	  .events = "thp_fault_fallback=1 thp_fault_fallback_charge=1 "
		    "ept_violation_zero_4k=1 zeroed_pages=1",
	  .gauges = "rss_pages=513 lazy_pages=512" },
	{ .name = "what is held of a partial huge page is charged",
	  .options = "memory=64M base=0 memcg_limit=2M", .before =
		     "w 0 9; d 0 8", .script = "w 0 8",
	  .events = "pressure=1 memcg_max=1 thp_split_page=1 "
		    "phys_reclaimed_pages=256 tlb_flush_rounds=1 "
		    "ept_violation_zero_4k=256 zeroed_pages=256",
	  .gauges = "rss_pages=512 partial_thps=0" },
};

static void test_mock_swap__limit_of_a_guest(void **state)
{
	/* A guest at its own limit, on a host with plenty. */
	(void)state;
	host_run_cases(cases_of_limits, ARRAY_SIZE(cases_of_limits), NR_PAGES);
}

static uint32_t add(struct host *h)
{
	const int id = h->hv.ops->guest_add(&h->hv, NR_PAGES);

	assert_true(id >= 0);
	return (uint32_t)id;
}

static void test_mock_swap__oldest_of_all_guests(void **state)
{
	/* Strict: whoever asks, the page that was used least recently goes. */
	struct host h;

	(void)state;
	host_open(&h, "two", &mock_hypervisor, SMALL "swap=1M lru=strict");
	add(&h);
	add(&h);
	host_run(&h, "first", "w 0 8", true);
	h.guest = 1;
	host_run(&h, "second", "w 0 8; w 256 0", true);
	host_expect_gauges(&h, "second", "rss_pages=257 swapped_pages=0");
	h.guest = 0;
	host_expect_gauges(&h, "first", "rss_pages=224 swapped_pages=32");
	/* What it touches now is young: the other one pays. */
	host_run(&h, "again", "w 64 6; w 128 7; w 512 6", true);
	host_expect_gauges(&h, "first", "swapped_pages=64");
	h.guest = HV_ALL_GUESTS;
	host_expect_gauges(&h, "all", "swapped_pages=96");
	host_close(&h);
}

static void test_mock_swap__guests_take_turns(void **state)
{
	/* Sampled: both lose pages, 32 in each turn. */
	struct host h;

	(void)state;
	host_open(&h, "two", &mock_hypervisor, SMALL "swap=1M");
	add(&h);
	add(&h);
	host_run(&h, "first", "w 0 8", true);
	h.guest = 1;
	host_run(&h, "second", "w 0 8; w 256 6; w 320 6", true);
	host_expect_gauges(&h, "second", "swapped_pages=64");
	h.guest = 0;
	host_expect_gauges(&h, "first", "swapped_pages=64");
	host_close(&h);
}

static void test_mock_swap__a_guest_that_is_gone_leaves_no_slot(void **state)
{
	/* Killed with pages in swap: all slots are free again. */
	struct host h;

	(void)state;
	host_open(&h, "gone", &mock_hypervisor, SMALL "swap=1M");
	add(&h);
	host_run(&h, "fill", "w 0 9; w 512 7", true);
	host_expect_gauges(&h, "fill", "host_swap_free_pages=128");
	h.hv.ops->guest_remove(&h.hv, 0);
	assert_null(h.hv.ops->check(&h.hv));
	add(&h);
	host_expect_gauges(&h, "new", "host_swap_free_pages=256 rss_pages=0 "
			   "swapped_pages=0");
	host_close(&h);
}

/* What a caller is told. */
struct heard {
	struct hv_env env;
	uint64_t pages, wakes;
	pfn_t last;
	uint32_t guest;
};

static void hear_swapped_out(void *ctx, uint32_t guest, pfn_t first,
			     uint64_t mask)
{
	struct heard *h = ctx;

	assert_int_equal(first % 64, 0);
	for (; mask; mask &= mask - 1) {
		h->last = first + (pfn_t)__builtin_ctzll(mask);
		h->pages++;
	}
	h->guest = guest;
}

static void hear_wake(void *ctx)
{
	((struct heard *)ctx)->wakes++;
}

/* host_open() has no environment: a host with one, from its options. */
static void open_heard(struct host *h, struct heard *heard, const char *options)
{
	char why[256];

	host_open(h, options, &mock_hypervisor, options);
	h->hv.ops->destroy(&h->hv);
	memset(h->hv.state, 0, h->hv.ops->state_size);
	*heard = (struct heard){
		.env = { .ctx = heard, .swapped_out = hear_swapped_out,
			 .wake_reclaim = hear_wake },
	};
	h->hv.env = &heard->env;
	assert_int_equal(h->hv.ops->init(&h->hv, why, sizeof(why)), 0);
	add(h);
}

static void test_mock_swap__callers_hear_of_each_page(void **state)
{
	/* One by one, split, or whole: each page that goes is told once. */
	static const char *const rows[] = {
		SMALL "swap=2M lru=strict", "memory=2M base=0 swap=2M",
		"memory=2M base=0 swap=2M thp_swap=on",
		"memory=2M base=0 swap=1M thp_swap=on",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct heard heard;
		struct host h;

		open_heard(&h, &heard, rows[i]);
		host_run(&h, rows[i], "w 0 9; w 512 0", true);
		ASSERT_U64(rows[i], heard.pages, i ? (i == 3 ? 256 : 512) : 32);
		ASSERT_U64(rows[i], heard.last, heard.pages - 1);
		ASSERT_U64(rows[i], heard.guest, 0);
		host_close(&h);
	}
}

static void test_mock_swap__background_reclaim(void **state)
{
	/* Below the low mark it is asked for, once; it goes up to the high. */
	struct hv_events ev = { 0 };
	struct heard heard;
	struct host h;

	(void)state;
	open_heard(&h, &heard, "memory=8M base=0 thp=never swap=8M "
		   "watermark_low=1M watermark_high=4M");
	host_run(&h, "above", "w 0 9 3 512; w 1536 8", true);
	ASSERT_U64("at the mark", heard.wakes, 0);
	host_run(&h, "below", "w 1792 0; w 1793 0", true);
	ASSERT_U64("below it", heard.wakes, 1);
	host_expect_events(&h, "below",
			   "ept_violation_zero_4k=2 zeroed_pages=2");
	assert_true(h.hv.ops->reclaim(&h.hv, &ev));
	host_expect_gauges(&h, "one turn", "host_free_pages=766");
	assert_false(h.hv.ops->reclaim(&h.hv, &ev));
	host_expect_gauges(&h, "two turns", "host_free_pages=1024");
	ASSERT_U64("kswapd", ev.pgsteal[HV_KSWAPD], 770);
	ASSERT_U64("direct", ev.pgsteal[HV_DIRECT], 0);
	ASSERT_U64("no stall", ev.pressure, 0);
	assert_false(h.hv.ops->reclaim(&h.hv, &ev));
	assert_null(h.hv.ops->check(&h.hv));
	host_run(&h, "below again", "w 0 9 3 512; w 1536 8; w 2048 9", true);
	ASSERT_U64("asked again", heard.wakes, 2);
	host_close(&h);
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(test_mock_swap__reclaim_and_return),
	cmocka_unit_test(test_mock_swap__limit_of_a_guest),
	cmocka_unit_test(test_mock_swap__oldest_of_all_guests),
	cmocka_unit_test(test_mock_swap__guests_take_turns),
	cmocka_unit_test(test_mock_swap__a_guest_that_is_gone_leaves_no_slot),
	cmocka_unit_test(test_mock_swap__callers_hear_of_each_page),
	cmocka_unit_test(test_mock_swap__background_reclaim),
};

TEST_MAIN(cases)
