/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which zone serves, at the edges: pages on a CPU's list while their zone is
 * just at its mark, and zones that are left rather than mixed.
 */
#include "tests/alloc/pcp_fixture.h"
#include "tests/test.h"

#define U MIGRATE_UNMOVABLE
#define M MIGRATE_MOVABLE
#define NORMAL 1 /* index of the upper zone */

static struct alloc *zones_of(const char *kernel, enum zone_type lower,
			      enum zone_type upper)
{
	const struct alloc_zone_config zones[] = {
		{ .type = lower, .start = 0, .end = 4096 },
		{ .type = upper, .start = 4096, .end = 12288 },
	};
	const struct alloc_config config = {
		.profile = alloc_profile_find(kernel),
		.nr_cpus = 1, .nr_nodes = 1, .zones = zones, .nr_zones = 2,
		.pageblock_order = 9, .cma = true, .isolation = true,
		.watermark_boost_factor = UINT32_MAX,
	};
	struct alloc *a = fixture_create_config(&config);

	for (unsigned int zone = 0; zone < 2; zone++)
		alloc_set_pcp(a, zone, 0, 7, 42, 42, 0);
	return a;
}

/* DMA32 and Normal, both with free blocks; Normal has 2048 pages. */
static struct alloc *guest(const char *kernel)
{
	struct alloc *a = zones_of(kernel, ZONE_DMA32, ZONE_NORMAL);

	alloc_free_buddy(a, 0, 10);
	alloc_free_buddy(a, 4096, 10);
	alloc_free_buddy(a, 6144, 10);
	return a;
}

static bool from_normal(struct alloc *a, unsigned int order)
{
	const pfn_t pfn = alloc_page_fast(a, 0, order, GFP_HIGHUSER_MOVABLE);

	assert_int_not_equal(pfn, PFN_NONE);
	return pfn >= 4096;
}

enum limit { BY_LOW, BY_RESERVE };

static void set_limit(struct alloc *a, enum limit by, uint64_t pages)
{
	for (unsigned int j = 0; by == BY_RESERVE && j < MAX_NR_ZONES; j++)
		alloc_set_reserve(a, NORMAL, j, pages);
	if (by == BY_LOW)
		alloc_set_watermarks(a, NORMAL, 0, pages, pages);
}

static void test_zone_choice__pages_of_a_zone_at_its_limit(void **state)
{
	/* Its list holds pages; they are not for everyone any more. */
	(void)state;
	for (const char *const *k = fixture_kernels; *k; k++)
		for (unsigned int i = 0; i < 8; i++) {
			const enum limit by = i & 1 ? BY_LOW : BY_RESERVE;
			const bool warm = i & 2, enough = i & 4;
			struct alloc *a = guest(*k);
			uint64_t free;

			/* The refill; warm: the way is known by now. */
			assert_true(from_normal(a, 0));
			if (warm)
				assert_true(from_normal(a, 0));
			free = alloc_zone_free_pages(a, NORMAL);
			set_limit(a, by, enough ? free - 1 : free);
			ASSERT_U64(*k, from_normal(a, 0), enough);
			fixture_assert_valid(*k, a);
			alloc_destroy(a);
		}
}

static void test_zone_choice__a_block_counts_against_the_mark(void **state)
{
	/* Order o: free - (2^o - 1) pages must be above low. */
	static const unsigned int orders[] = { 1, 3, 4, 9 };

	(void)state;
	for (const char *const *k = fixture_kernels; *k; k++)
		for (unsigned int i = 0; i < 2 * ARRAY_SIZE(orders); i++) {
			const unsigned int order = orders[i / 2];
			const bool enough = i & 1;
			struct alloc *a = guest(*k);

			set_limit(a, BY_LOW, 2048 - order_nr_pages(order) +
				  !enough);
			ASSERT_U64(*k, from_normal(a, order), enough);
			alloc_destroy(a);
		}
}

static void test_zone_choice__a_boosted_zone_is_no_short_way(void **state)
{
	/* The mark of the zone, without a boost: kswapd is woken all the same. */
	(void)state;
	for (const char *const *k = fixture_kernels; *k; k++) {
		struct alloc *a = guest(*k);
		struct zone *z = zone_at(a, NORMAL);

		assert_true(from_normal(a, 0));
		assert_true(from_normal(a, 0));
		z->boosted = true;
		zone_limits_changed(a, z);
		assert_true(from_normal(a, 0));
		ASSERT_U64(*k, alloc_counters(a)->kswapd_wakes, 1);
		ASSERT_U64(*k, z->boosted, false);
		alloc_destroy(a);
	}
}

static void test_zone_choice__allocations_shrink_the_flush(void **state)
{
	/* free_factor of 6.1, free_count of later releases: halved by each. */
	(void)state;
	for (const char *const *k = fixture_kernels; *k; k++) {
		const struct alloc_pcp_state was = { .high = 42,
						     .free_count = 64 };
		struct alloc *a = guest(*k);
		struct alloc_pcp_info info;

		assert_true(from_normal(a, 0));
		alloc_set_pcp(a, NORMAL, 0, 7, 42, 42, 4);
		alloc_set_pcp_state(a, NORMAL, 0, &was);
		for (unsigned int n = 0; n < 2; n++)
			assert_true(from_normal(a, 0));
		alloc_pcp_info(a, NORMAL, 0, &info);
		if (kernel_in(*k, "6.1"))
			ASSERT_U64(*k, info.free_factor, 1);
		if (kernel_in(*k, K612))
			ASSERT_U64(*k, info.free_count, 16);
		alloc_destroy(a);
	}
}

static void test_zone_choice__cma_first_while_it_is_most(void **state)
{
	/*
	 * A refill, and an order that no CPU's list keeps. 5.10 on uses CMA
	 * while more than half of what is free is CMA, older releases when
	 * nothing else is left.
	 */
	static const struct {
		unsigned int blocks; /* of order 10, besides two of CMA */
		const char *first;
	} rows[] = { { 1, "5.10 " K6 }, { 2, "" }, { 3, "" } };

	(void)state;
	for (const char *const *k = fixture_kernels; *k; k++)
		for (unsigned int i = 0; i < 2 * ARRAY_SIZE(rows); i++) {
			struct alloc *a = zones_of(*k, ZONE_DMA32, ZONE_NORMAL);
			pfn_t pfn;

			for (pfn_t p = 10240; p < 12288; p += 512)
				alloc_set_pageblock_type(a, p, MIGRATE_CMA);
			alloc_free_buddy(a, 10240, 10);
			alloc_free_buddy(a, 11264, 10);
			for (pfn_t n = 0; n < rows[i / 2].blocks; n++)
				alloc_free_buddy(a, 4096 + n * 2048, 10);
			pfn = alloc_page_fast(a, 0, i & 1 ? 4 : 0,
					      GFP_HIGHUSER_MOVABLE);
			ASSERT_U64(*k, pfn >= 10240,
				   kernel_in(*k, rows[i / 2].first));
			alloc_destroy(a);
		}
}

/* A lower zone with a movable block, and a U block in the upper one. */
static void assert_stays(const char *row, struct alloc *a, bool stays)
{
	struct alloc_request req = {
		.gfp = GFP_HIGHUSER_MOVABLE, .node = -1, .zone = -1,
		.flags = ALLOC_REQ_NO_SLOWPATH,
	};

	alloc_free_buddy(a, 1024, 3);
	alloc_set_pageblock_type(a, 5120, U);
	alloc_free_buddy(a, 5120, 8);
	ASSERT_U64(row, alloc_pages(a, &req).pfn >= 4096, stays);
	alloc_destroy(a);
}

static void test_zone_choice__zones_that_are_left_for_purity(void **state)
{
	(void)state;
	for (const char *const *k = fixture_kernels; *k; k++) {
		struct alloc *a;

		/* Normal is left, for any zone below on a single node. */
		assert_stays(*k, zones_of(*k, ZONE_DMA32, ZONE_NORMAL), false);
		assert_stays(*k, zones_of(*k, ZONE_DMA, ZONE_NORMAL), false);
		/* Movable is not, ... */
		assert_stays(*k, zones_of(*k, ZONE_NORMAL, ZONE_MOVABLE), true);
		if (!alloc_profile_find(*k)->defrag_mode)
			continue;
		/* ... unless defrag_mode says so. */
		a = zones_of(*k, ZONE_NORMAL, ZONE_MOVABLE);
		alloc_set_defrag_mode(a, true);
		assert_stays(*k, a, false);
	}
}

static void test_zone_choice__a_node_without_dma32_is_mixed(void **state)
{
	/* Node 1 has DMA and Normal: nowhere to go, as Linux sees it. */
	static const struct alloc_zone_config zones[] = {
		{ .type = ZONE_DMA32, .start = 0, .end = 512, .node = 0 },
		{ .type = ZONE_DMA, .start = 512, .end = 4096, .node = 1 },
		{ .type = ZONE_NORMAL, .start = 4096, .end = 12288, .node = 1 },
	};
	static const uint8_t cpu_node[] = { 1 };

	(void)state;
	for (const char *const *k = fixture_kernels; *k; k++) {
		const struct alloc_config config = {
			.profile = alloc_profile_find(*k),
			.nr_cpus = 1, .nr_nodes = 2, .cpu_node = cpu_node,
			.zones = zones, .nr_zones = 3, .pageblock_order = 9,
			.cma = true, .isolation = true,
			.watermark_boost_factor = UINT32_MAX,
		};

		assert_stays(*k, fixture_create_config(&config), true);
	}
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(test_zone_choice__pages_of_a_zone_at_its_limit),
	cmocka_unit_test(test_zone_choice__a_block_counts_against_the_mark),
	cmocka_unit_test(test_zone_choice__a_boosted_zone_is_no_short_way),
	cmocka_unit_test(test_zone_choice__allocations_shrink_the_flush),
	cmocka_unit_test(test_zone_choice__cma_first_while_it_is_most),
	cmocka_unit_test(test_zone_choice__zones_that_are_left_for_purity),
	cmocka_unit_test(test_zone_choice__a_node_without_dma32_is_mixed),
};

TEST_MAIN(cases)
