/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Switches of a profile that all releases have alike, one off at a time: what
 * the rule is worth, in the smallest guest that shows it.
 */
#include "tests/alloc/pcp_fixture.h"
#include "tests/test.h"

static uint32_t pcp_count(const struct alloc *a)
{
	struct alloc_pcp_info info;

	alloc_pcp_info(a, 0, 0, &info);
	return info.count;
}

/* Single pages, none beside another, freed by CPU 0. */
static void free_pages(struct alloc *a, pfn_t start, unsigned int nr)
{
	for (unsigned int i = 0; i < nr; i++)
		alloc_free(a, 0, start + 2 * i, 0);
}

static void test_switches__limit_under_reclaim(void **state)
{
	/* Batch 4, high 64: while the zone is reclaimed, 16 are enough. */
	(void)state;
	for (const char *const *k = fixture_kernels; *k; k++) {
		struct alloc_profile p = *alloc_profile_find(*k);

		if (p.pcp_flush == PCP_FLUSH_BATCH)
			continue;
		for (unsigned int on = 0; on < 2; on++) {
			struct alloc *a;

			p.pcp_reclaim_limit = on;
			a = pcp_guest_profile(&p, 4, 64, 64);
			alloc_set_reclaim_active(a, 0, true);
			free_pages(a, 1024, 40);
			if (on)
				assert_in_range(pcp_count(a), 1, 16);
			else
				ASSERT_U64(*k, pcp_count(a), 40);
			fixture_assert_valid(*k, a);
			alloc_destroy(a);
		}
	}
}

static void test_switches__flushes_are_clamped(void **state)
{
	/* Batch 4, high 8, and one free after another: with the bounds a flush
	 * takes 4 pages; without, as many as were freed lately. */
	static const struct {
		const char *kernels;
		bool clamped;
		uint32_t left; /* of 8 */
	} rows[] = {
		{ K6, true, 4 }, { "6.1", false, 4 }, { K612, false, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows) * 7; i++) {
		const char *kernel = fixture_kernels[i % 7];
		struct alloc_profile p = *alloc_profile_find(kernel);
		struct alloc *a;

		if (!kernel_in(kernel, rows[i / 7].kernels))
			continue;
		p.pcp_flush_clamped = rows[i / 7].clamped;
		a = pcp_guest_profile(&p, 4, 8, 8);
		free_pages(a, 1024, 8);
		ASSERT_U64(kernel, pcp_count(a), rows[i / 7].left);
		fixture_assert_valid(kernel, a);
		alloc_destroy(a);
	}
}

static void test_switches__high_orders_flush_all(void **state)
{
	/* CPU 0 frees 40 pages and then blocks of order 2: the second of them
	 * empties the list, if the rule is on. */
	(void)state;
	for (const char *const *k = fixture_kernels; *k; k++) {
		struct alloc_profile p = *alloc_profile_find(*k);
		uint32_t left[2];

		if (p.pcp_orders == PCP_ORDER_0)
			continue;
		for (unsigned int on = 0; on < 2; on++) {
			struct alloc *a;

			p.pcp_free_high = on;
			a = pcp_guest_profile(&p, 4, 24, 24);
			free_pages(a, 1024, 30);
			alloc_free(a, 0, 2048, 2);
			alloc_free(a, 0, 2056, 2);
			left[on] = pcp_count(a);
			fixture_assert_valid(*k, a);
			alloc_destroy(a);
		}
		if (left[1] >= left[0])
			fail_msg("%s: %u pages left, %u without the rule", *k,
				 left[1], left[0]);
	}
}

static void test_switches__a_claim_needs_half_a_pageblock(void **state)
{
	/* One free block of order 5 in a pageblock of pages in use: too little
	 * to claim it, unless nobody counts, or types do not matter. */
	static const struct {
		const char *name;
		bool threshold;
		enum migratetype then;
	} rows[] = {
		{ "counted", true, MIGRATE_UNMOVABLE },
		{ "not counted", false, MIGRATE_RECLAIMABLE },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows) * 7; i++) {
		const char *kernel = fixture_kernels[i % 7];
		struct alloc_profile p = *alloc_profile_find(kernel);
		struct alloc *a;

		p.claim_threshold = rows[i / 7].threshold;
		a = fixture_create_profile(&p, 0, 8192, 9);
		alloc_set_pageblock_type(a, 1024, MIGRATE_UNMOVABLE);
		alloc_free_buddy(a, 1024, 5);
		ASSERT_U64(kernel, fixture_take(a, MIGRATE_RECLAIMABLE, 5, 0),
			   1024);
		ASSERT_U64(kernel, alloc_pageblock_type(a, 1024),
			   rows[i / 7].then);
		fixture_assert_valid(kernel, a);
		alloc_destroy(a);
	}
}

static void test_switches__without_grouping_any_block_is_claimed(void **state)
{
	/* A small guest keeps no types apart: a page of an M block is U's, and
	 * its pageblock with it. */
	(void)state;
	for (const char *const *k = fixture_kernels; *k; k++) {
		struct alloc *a = fixture_create(*k, 0, 8192);

		alloc_free_buddy(a, 1024, 2);
		alloc_set_grouping(a, false);
		ASSERT_U64(*k, alloc_buddy(a, 0, 0, MIGRATE_MOVABLE, false),
			   1024);
		ASSERT_U64(*k, alloc_pageblock_type(a, 1024),
			   MIGRATE_UNMOVABLE);
		fixture_assert_lists(*k, a, 0, "o0/U[1025] o1/U[1026]");
		alloc_destroy(a);
	}
}

static void test_switches__no_fallback_for_reserved_types(void **state)
{
	/* Whoever asks for a reserved type gets that or nothing. */
	(void)state;
	for (const char *const *k = fixture_kernels; *k; k++) {
		struct alloc *a = fixture_create(*k, 0, 8192);

		alloc_free_buddy(a, 1024, 9);
		ASSERT_U64(*k, alloc_buddy(a, 0, 0, MIGRATE_HIGHATOMIC, false),
			   PFN_NONE);
		alloc_set_pageblock_type(a, 2048, MIGRATE_HIGHATOMIC);
		alloc_free_buddy(a, 2048, 0);
		ASSERT_U64(*k, alloc_buddy(a, 0, 0, MIGRATE_HIGHATOMIC, false),
			   2048);
		fixture_assert_lists(*k, a, 0, "o9/M[1024]");
		alloc_destroy(a);
	}
}

static void test_switches__boosts(void **state)
{
	/* A steal below pageblock order raises the marks by a pageblock, if
	 * vm.watermark_boost_factor is not 0 and the rule is there. */
	static const struct {
		const char *name;
		uint32_t factor;
		bool rule, raised;
	} rows[] = {
		{ "default", UINT32_MAX, true, true },
		{ "15000", 15000, true, true },
		{ "turned off", 0, true, false },
		{ "no such rule", UINT32_MAX, false, false },
	};
	const struct alloc_zone_config zone = {
		.type = ZONE_NORMAL, .end = 8192,
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows) * 7; i++) {
		struct alloc_profile p =
			*alloc_profile_find(fixture_kernels[i % 7]);
		const struct alloc_config config = {
			.profile = &p, .nr_cpus = 1, .nr_nodes = 1,
			.zones = &zone, .nr_zones = 1, .pageblock_order = 9,
			.pcp_disabled = true,
			.watermark_boost_factor = rows[i / 7].factor,
		};
		struct alloc_zone_info info;
		struct alloc *a;

		p.boost_watermark = rows[i / 7].rule;
		a = fixture_create_config(&config);
		alloc_set_watermarks(a, 0, 100, 200, 4000);
		alloc_free_buddy(a, 1024, 2);
		ASSERT_U64(p.name, fixture_take(a, MIGRATE_UNMOVABLE, 0, 0),
			   1024);
		alloc_zone_info(a, 0, &info);
		ASSERT_U64(rows[i / 7].name, info.boost != 0,
			   rows[i / 7].raised);
		alloc_destroy(a);
	}
}

static void test_switches__smallest_guests(void **state)
{
	/* A Movable zone keeps between 32 and 128 pages, a zone without pages
	 * reserves nothing, and what is below the high marks is nobody's. */
	static const struct {
		const char *kernels;
		uint64_t managed, min;
	} rows[] = {
		{ "5.10 6.1", 100, 32 }, { "5.10 6.1", 50 * 1024, 50 },
		{ "5.10 6.1", 1000 * 1024, 128 },
	};
	const struct alloc_zone_config zones[] = {
		{ .type = ZONE_DMA32, .end = 4096 },
		{ .type = ZONE_MOVABLE, .start = 4096, .end = 4096 + 1048576 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows) * 7; i++) {
		const char *kernel = fixture_kernels[i % 7];
		const struct alloc_config config = {
			.profile = alloc_profile_find(kernel), .nr_cpus = 1,
			.nr_nodes = 1, .zones = zones, .nr_zones = 2,
			.pageblock_order = 9, .watermark_boost_factor = 0,
		};
		struct alloc_zone_info info;
		struct alloc *a;

		if (!config.profile->movable_min_capped)
			continue;
		a = fixture_create_config(&config);
		alloc_set_managed(a, 0, 0);
		alloc_set_managed(a, 1, rows[i / 7].managed);
		alloc_setup_watermarks(a, 0);
		alloc_raise_min_free_for_thp(a);
		ASSERT_U64(kernel, alloc_min_free_kbytes(a), 128);
		alloc_zone_info(a, 1, &info);
		ASSERT_U64(kernel, info.wmark_min, rows[i / 7].min);
		alloc_zone_info(a, 0, &info);
		ASSERT_U64(kernel, info.lowmem_reserve[ZONE_MOVABLE], 0);
		ASSERT_U64(kernel, info.wmark_min, 0);
		alloc_destroy(a);
	}
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(test_switches__limit_under_reclaim),
	cmocka_unit_test(test_switches__flushes_are_clamped),
	cmocka_unit_test(test_switches__high_orders_flush_all),
	cmocka_unit_test(test_switches__a_claim_needs_half_a_pageblock),
	cmocka_unit_test(test_switches__without_grouping_any_block_is_claimed),
	cmocka_unit_test(test_switches__no_fallback_for_reserved_types),
	cmocka_unit_test(test_switches__boosts),
	cmocka_unit_test(test_switches__smallest_guests),
};

TEST_MAIN(cases)
