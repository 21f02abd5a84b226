/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sizes of per-CPU lists: batch and high, refill ramps, flush amounts. */
#include <string.h>

#include "tests/alloc/pcp_fixture.h"
#include "tests/test.h"

static struct alloc_pcp_info info_of(const struct alloc *a)
{
	struct alloc_pcp_info info;

	alloc_pcp_info(a, 0, 0, &info);
	return info;
}

/* ---- sizes ---- */

static void test_pcp_flush__batch_by_zone_size(void **state)
{
	/* Managed pages in, batch out; high of 5.x follows the raw batch. */
	static const struct {
		uint64_t managed;
		uint32_t raw_batch;
	} rows[] = {
		{ 1, 0 }, { 3840, 0 }, { 8191, 0 }, { 8192, 1 }, { 16384, 3 },
		{ 32768, 7 }, { 65536, 15 }, { 131072, 31 }, { 262144, 63 },
		{ 16777216, 63 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		for (const char *const *k = fixture_kernels; *k; k++) {
			const uint32_t raw = rows[i].raw_batch;
			struct alloc *a = pcp_guest(*k, 1, 0);
			struct alloc_pcp_info info;

			alloc_set_managed(a, 0, rows[i].managed);
			alloc_setup_pcp(a);
			info = info_of(a);
			ASSERT_U64(*k, info.batch, raw ? raw : 1);
			if (kernel_in(*k, K5))
				ASSERT_U64(*k, info.high, 6 * raw);
			else
				ASSERT_U64(*k, info.high_min, 4 * info.batch);
			alloc_destroy(a);
		}
	}
}

static void test_pcp_flush__high_by_watermark_and_cpus(void **state)
{
	/* The low mark, boost included, shared by the CPUs of the node. */
	static const struct {
		unsigned int nr_cpus;
		uint64_t managed, low, boost;
		uint32_t high_min, high_max;
	} rows[] = {
		{ 4, 765000, 2276, 0, 569, 23906 },
		{ 4, 765000, 15780, 0, 3945, 23906 },
		{ 16, 15700000, 31807, 0, 1987, 122656 },
		{ 1, 250843, 13866, 0, 13866, 31355 },
		{ 1, 250843, 13866, 512, 14378, 31355 },
		{ 1, 3840, 212, 0, 212, 480 },
		{ 64, 765000, 2276, 0, 252, 1494 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		for (const char *const *k = fixture_kernels; *k; k++) {
			const struct alloc_zone_config zone = {
				.type = ZONE_NORMAL, .end = 8192,
			};
			const struct alloc_config config = {
				.profile = alloc_profile_find(*k),
				.nr_cpus = rows[i].nr_cpus, .nr_nodes = 1,
				.zones = &zone, .nr_zones = 1,
				.pageblock_order = 9,
			};
			struct alloc *a = fixture_create_config(&config);
			struct alloc_pcp_info info;

			alloc_set_managed(a, 0, rows[i].managed);
			alloc_set_watermarks(a, 0, 0, rows[i].low, 0);
			alloc_set_boost(a, 0, rows[i].boost);
			alloc_setup_pcp(a);
			info = info_of(a);
			if (!kernel_in(*k, K5))
				ASSERT_U64(*k, info.high_min,
					   rows[i].high_min);
			if (kernel_in(*k, "6.1"))
				ASSERT_U64(*k, info.high, rows[i].high_min);
			if (kernel_in(*k, K612))
				ASSERT_U64(*k, info.high_max,
					   rows[i].high_max);
			alloc_destroy(a);
		}
	}
}

static void test_pcp_flush__sizes_when_watermarks_move(void **state)
{
	/* 5.3 keeps the sizes of early boot, 5.7 looks at managed pages again,
	 * 6.1 on follows the watermarks. */
	(void)state;
	for (const char *const *k = fixture_kernels; *k; k++) {
		struct alloc *a = pcp_guest(*k, 1, 0);
		struct alloc_pcp_info info;

		alloc_set_managed(a, 0, 8192);
		alloc_setup_pcp(a);
		alloc_set_managed(a, 0, 262144);
		alloc_setup_watermarks(a, 40000);
		info = info_of(a);
		if (kernel_in(*k, "5.3"))
			ASSERT_U64(*k, info.high, 6);
		else if (kernel_in(*k, K5))
			ASSERT_U64(*k, info.high, 378);
		else
			ASSERT_U64(*k, info.high_min, 12500 / 2);
		alloc_destroy(a);
	}
}

/* ---- refills ---- */

struct move {
	unsigned int at;   /* which call */
	uint32_t pages;
};

static void test_pcp_flush__refill_sequence(void **state)
{
	/* 1000 order-0 allocations: when is the list refilled, by how much,
	 * and how high may it grow then? */
	static const struct {
		const char *kernels;
		uint32_t high_max;
		struct move moves[4];
		uint32_t highs[4];
	} rows[] = {
		{ K53_TO_61, 378,
		  { { 1, 63 }, { 64, 63 }, { 127, 63 }, { 190, 63 } },
		  { 378, 378, 378, 378 } },
		{ K612, 2000,
		  { { 1, 63 }, { 64, 126 }, { 190, 252 }, { 442, 504 } },
		  { 441, 567, 819, 1323 } },
		{ K612, 378,
		  { { 1, 63 }, { 64, 126 }, { 190, 252 }, { 442, 315 } },
		  { 378, 378, 378, 378 } },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows) * 7; i++) {
		const char *kernel = fixture_kernels[i % 7];
		const struct alloc_counters *cnt;
		uint64_t refilled = 0;
		unsigned int seen = 0;
		struct alloc *a;

		if (!kernel_in(kernel, rows[i / 7].kernels))
			continue;
		a = pcp_guest_profile(alloc_profile_find(kernel), 63, 378,
				      rows[i / 7].high_max);
		cnt = alloc_counters(a);
		alloc_boot_range(a, 0, 8192);
		for (unsigned int n = 1; n <= 1000 && seen < 4; n++) {
			alloc_page_fast(a, 0, 0, GFP_HIGHUSER_MOVABLE);
			if (cnt->pcp_refill_pages == refilled)
				continue;
			ASSERT_U64(kernel, n, rows[i / 7].moves[seen].at);
			ASSERT_U64(kernel, cnt->pcp_refill_pages - refilled,
				   rows[i / 7].moves[seen].pages);
			ASSERT_U64(kernel, info_of(a).high,
				   rows[i / 7].highs[seen]);
			refilled = cnt->pcp_refill_pages;
			seen++;
		}
		ASSERT_U64(kernel, seen, 4);
		fixture_assert_valid(kernel, a);
		alloc_destroy(a);
	}
}

static void test_pcp_flush__refill_by_order(void **state)
{
	/* 6.1: batch >> order, at least two; a batch of one stays one. */
	static const struct {
		uint32_t batch, blocks[5]; /* orders 0 1 2 3 9 */
	} rows[] = {
		{ 63, { 63, 31, 15, 7, 2 } },
		{ 7, { 7, 3, 2, 2, 2 } },
		{ 1, { 1, 1, 1, 1, 1 } },
	};
	static const unsigned int orders[] = { 0, 1, 2, 3, 9 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		for (size_t j = 0; j < ARRAY_SIZE(orders); j++) {
			struct alloc *a = pcp_guest("6.1", rows[i].batch, 378);

			alloc_boot_range(a, 0, 8192);
			alloc_page_fast(a, 0, orders[j], GFP_KERNEL);
			ASSERT_U64("6.1", alloc_counters(a)->pcp_refill_pages,
				   rows[i].blocks[j] << orders[j]);
			/* One hold of the lock for all of them. */
			ASSERT_U64("6.1",
				   alloc_counters(a)->zone_lock_acquisitions -
				   alloc_counters(a)->pcp_refills, 8);
			alloc_destroy(a);
		}
	}
}

/* ---- flushes ---- */

#define MAX_MOVES 12

static void test_pcp_flush__flush_sequence(void **state)
{
	/* 1000 order-0 allocations, then 1000 frees, counted from 0; batch 63,
	 * high 378. */
	static const struct {
		const char *kernels;
		struct move moves[MAX_MOVES];
	} rows[] = {
		{ K5, { { 369, 63 }, { 432, 63 }, { 495, 63 }, { 558, 63 },
			{ 621, 63 }, { 684, 63 }, { 747, 63 }, { 810, 63 },
			{ 873, 63 }, { 936, 63 }, { 999, 63 } } },
		{ "6.1", { { 369, 63 }, { 432, 126 }, { 558, 252 },
			   { 810, 315 } } },
		{ K612, { { 306, 307 }, { 613, 315 }, { 928, 315 } } },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows) * 7; i++) {
		const char *kernel = fixture_kernels[i % 7];
		const struct move *next = rows[i / 7].moves;
		const struct alloc_counters *cnt;
		uint64_t flushed = 0;
		pfn_t pfns[1000];
		struct alloc *a;

		if (!kernel_in(kernel, rows[i / 7].kernels))
			continue;
		a = pcp_guest(kernel, 63, 378);
		cnt = alloc_counters(a);
		alloc_boot_range(a, 0, 8192);
		for (unsigned int n = 0; n < 1000; n++)
			pfns[n] = alloc_page_fast(a, 0, 0, GFP_KERNEL);
		for (unsigned int n = 0; n < 1000; n++) {
			alloc_free(a, 0, pfns[n], 0);
			if (cnt->pcp_flush_pages == flushed)
				continue;
			ASSERT_U64(kernel, n, next->at);
			ASSERT_U64(kernel, cnt->pcp_flush_pages - flushed,
				   next->pages);
			flushed = cnt->pcp_flush_pages;
			next++;
		}
		ASSERT_U64(kernel, next->at, 0);
		fixture_assert_valid(kernel, a);
		alloc_destroy(a);
	}
}

/* Free `nr` pages, every other one from pfn on, and tell how many left. */
static uint64_t free_some(struct alloc *a, pfn_t pfn, unsigned int nr,
			  unsigned int order)
{
	const uint64_t before = alloc_counters(a)->pcp_flush_pages;

	for (unsigned int i = 0; i < nr; i++)
		alloc_free(a, 0, pfn + 2 * i * order_nr_pages(order), order);
	return alloc_counters(a)->pcp_flush_pages - before;
}

static void test_pcp_flush__free_factor_switches(void **state)
{
	/* The cap of 6.1.y at 5, and allocations that halve the amount. */
	struct alloc_profile capped = *alloc_profile_find("6.1");
	struct alloc_profile uncapped = capped;
	struct alloc *a;

	(void)state;
	uncapped.pcp_factor_capped = false;
	a = pcp_guest_profile(&capped, 2, 1000, 1000);
	free_some(a, 0, 3000, 0);
	ASSERT_U64("capped", info_of(a).free_factor, 5);
	alloc_destroy(a);

	a = pcp_guest_profile(&uncapped, 2, 1000, 1000);
	free_some(a, 0, 3000, 0);
	ASSERT_U64("uncapped", info_of(a).free_factor, 9);
	alloc_page_fast(a, 0, 0, type_gfp(MIGRATE_MOVABLE));
	ASSERT_U64("halved", info_of(a).free_factor, 4);
	alloc_destroy(a);
}

static void test_pcp_flush__high_orders_flush_everything(void **state)
{
	/* 6.1: once flushing has begun, a free of order 1 to 3 empties all. */
	struct alloc *a = pcp_guest("6.1", 7, 42);

	(void)state;
	ASSERT_U64("first", free_some(a, 0, 42, 0), 7);
	ASSERT_U64("factor", info_of(a).free_factor, 1);
	/* Order 9 is not meant: 14 pages, which one block covers. */
	ASSERT_U64("order 9", free_some(a, 4096, 1, 9), 512);
	ASSERT_U64("factor", info_of(a).free_factor, 2);
	ASSERT_U64("order 3", free_some(a, 2048, 1, 3), 35 + 8);
	ASSERT_U64("empty", info_of(a).count, 0);
	alloc_destroy(a);
}

static void test_pcp_flush__reclaim_lowers_the_limit(void **state)
{
	/* 6.1 on: at 4 * batch while kswapd works in the zone. */
	(void)state;
	for (const char *const *k = fixture_kernels; *k; k++) {
		struct alloc *a = pcp_guest(*k, 7, 420);

		alloc_set_reclaim_active(a, 0, true);
		if (kernel_in(*k, K5)) {
			ASSERT_U64(*k, free_some(a, 0, 419, 0), 0);
		} else {
			ASSERT_U64(*k, free_some(a, 0, 27, 0), 0);
			assert_true(free_some(a, 1024, 1, 0) >= 7);
		}
		alloc_destroy(a);
	}
}

static void test_pcp_flush__below_high_keeps_lists_short(void **state)
{
	/* 6.12: no growth and an early flush while the zone is below its high
	 * mark; the flush that lifts it above clears the flag. */
	struct alloc *a = pcp_guest_profile(alloc_profile_find("6.12"), 63,
					    378, 2000);
	struct zone *z = zone_at(a, 0);

	(void)state;
	alloc_boot_range(a, 0, 2048);
	alloc_set_watermarks(a, 0, 10, 20, 3000);
	alloc_page_fast(a, 0, 0, GFP_KERNEL);
	assert_true(z->below_high);
	ASSERT_U64("no growth", info_of(a).high, 378);
	/* 62 pages are there; at 378 the list flushes as 5.x would. */
	ASSERT_U64("not yet", free_some(a, 4096, 315, 0), 0);
	assert_true(free_some(a, 4096 + 700, 1, 0) > 0);
	assert_true(z->below_high);
	alloc_set_watermarks(a, 0, 10, 20, 100);
	free_some(a, 5500, 400, 0);
	assert_false(z->below_high);
	fixture_assert_valid("6.12", a);
	alloc_destroy(a);
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(test_pcp_flush__batch_by_zone_size),
	cmocka_unit_test(test_pcp_flush__high_by_watermark_and_cpus),
	cmocka_unit_test(test_pcp_flush__sizes_when_watermarks_move),
	cmocka_unit_test(test_pcp_flush__refill_sequence),
	cmocka_unit_test(test_pcp_flush__refill_by_order),
	cmocka_unit_test(test_pcp_flush__flush_sequence),
	cmocka_unit_test(test_pcp_flush__free_factor_switches),
	cmocka_unit_test(test_pcp_flush__high_orders_flush_everything),
	cmocka_unit_test(test_pcp_flush__reclaim_lowers_the_limit),
	cmocka_unit_test(test_pcp_flush__below_high_keeps_lists_short),
};

TEST_MAIN(cases)
