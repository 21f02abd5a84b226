/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How memory reaches the lists: memblock hand-over and deferred init. */
#include "tests/alloc/fixture.h"
#include "tests/test.h"

static const struct boot_row {
	const char *kernels[8];
	pfn_t zone_end, start, end;
	const char *lists;
} boot_rows[] = {
	{ { "5.3", "5.7" }, 8192, 4, 8192,
	  "o2/M[4] o3/M[8] o4/M[16] o5/M[32] o6/M[64] o7/M[128] o8/M[256] "
	  "o9/M[512] o10/M[7168 6144 5120 4096 3072 2048 1024]" },
	{ { "5.10", "6.1", "6.12.0", "6.12", "6.18" }, 8192, 4, 8192,
	  "o2/M[4] o3/M[8] o4/M[16] o5/M[32] o6/M[64] o7/M[128] o8/M[256] "
	  "o9/M[512] o10/M[1024 2048 3072 4096 5120 6144 7168]" },
	{ { "5.3", "5.7" }, 8192, 4, 5000,
	  "o2/M[4] o3/M[4992 8] o4/M[16] o5/M[32] o6/M[64] o7/M[128 4864] "
	  "o8/M[256 4608] o9/M[4096 512] o10/M[3072 2048 1024]" },
	{ { "6.1", "6.12.0", "6.12", "6.18" }, 8192, 4, 5000,
	  "o2/M[4] o3/M[8 4992] o4/M[16] o5/M[32] o6/M[64] o7/M[128 4864] "
	  "o8/M[256 4608] o9/M[512 4096] o10/M[1024 2048 3072]" },
	{ { "5.3", "5.7", "5.10", "6.1", "6.12.0", "6.12", "6.18" }, 3000,
	  1024, 3000,
	  "o3/M[2992] o4/M[2976] o5/M[2944] o7/M[2816] o8/M[2560] o9/M[2048] "
	  "o10/M[1024]" },
};

static void test_boot__ranges_are_cut_greedily(void **state)
{
	/* One range each; the end of insertion depends on the release. */
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(boot_rows); i++) {
		const struct boot_row *row = &boot_rows[i];

		for (unsigned int k = 0; k < 8 && row->kernels[k]; k++) {
			struct alloc *a = fixture_create(row->kernels[k], 0,
							 row->zone_end);

			alloc_set_managed(a, 0, 0);
			alloc_boot_range(a, row->start, row->end);
			fixture_assert_lists(row->kernels[k], a, 0,
					     row->lists);
			ASSERT_U64("managed", zone_at(a, 0)->managed,
				   row->end - row->start);
			ASSERT_U64("free", alloc_free_pages(a),
				   row->end - row->start);
			alloc_destroy(a);
		}
	}
}

static void test_boot__first_allocations_come_from_the_release_s_end(void **s)
{
	/* The top of memory before 5.10, the bottom since. */
	static const struct {
		const char *kernel;
		pfn_t first;
		const char *lists;
	} firsts[] = {
		{ "5.7", 2048,
		  "o0/M[2051] o2/M[2052] o3/M[2056] o4/M[2064] o5/M[2080] "
		  "o6/M[2112] o7/M[2176] o8/M[2304] o9/M[2560] o10/M[1024]" },
		{ "6.1", 1024,
		  "o0/M[1027] o2/M[1028] o3/M[1032] o4/M[1040] o5/M[1056] "
		  "o6/M[1088] o7/M[1152] o8/M[1280] o9/M[1536] o10/M[2048]" },
	};

	(void)s;
	for (size_t i = 0; i < ARRAY_SIZE(firsts); i++) {
		struct alloc *a = fixture_create(firsts[i].kernel, 0, 4096);

		alloc_boot_range(a, 1024, 3072);
		for (pfn_t n = 0; n < 3; n++)
			ASSERT_U64(firsts[i].kernel,
				   fixture_take(a, MIGRATE_MOVABLE, 0, 0),
				   firsts[i].first + n);
		fixture_assert_lists(firsts[i].kernel, a, 0, firsts[i].lists);
		alloc_destroy(a);
	}
}

static void test_boot__order_9_out_of_a_ragged_zone(void **state)
{
	/* Three order-9 blocks can be had from [1024, 3000). */
	(void)state;
	for (const char *const *k = fixture_kernels; *k; k++) {
		struct alloc *a = fixture_create(*k, 0, 3000);
		const pfn_t expected[] = { 2048, 1024, 1536, PFN_NONE };

		alloc_boot_range(a, 1024, 3000);
		for (size_t i = 0; i < ARRAY_SIZE(expected); i++)
			ASSERT_U64(*k, fixture_take(a, MIGRATE_MOVABLE, 9, 0),
				   expected[i]);
		alloc_destroy(a);
	}
}

static void test_boot__ranges_merge_across_cuts(void **state)
{
	/* Two ranges that touch leave what one would have. */
	struct alloc *a = fixture_create("6.1", 0, 4096);

	(void)state;
	alloc_boot_range(a, 1024, 1500);
	alloc_boot_range(a, 1500, 2048);
	fixture_assert_lists("merged", a, 0, "o10/M[1024]");
	alloc_destroy(a);
}

static void test_boot__ranges_are_split_at_zone_borders(void **state)
{
	/* One memblock range over DMA and DMA32; the border is at 1000. */
	const struct alloc_zone_config zones[] = {
		{ .type = ZONE_DMA, .start = 1, .end = 1000 },
		{ .type = ZONE_DMA32, .start = 1000, .end = 2048 },
	};
	const struct alloc_config config = {
		.profile = alloc_profile_find("6.1"), .nr_cpus = 1,
		.nr_nodes = 1, .zones = zones, .nr_zones = 2,
		.pageblock_order = 9,
	};
	struct alloc *a = fixture_create_config(&config);

	(void)state;
	alloc_boot_range(a, 992, 1008);
	fixture_assert_lists("DMA", a, 0, "o3/M[992]");
	fixture_assert_lists("DMA32", a, 1, "o3/M[1000]");
	alloc_boot_range(a, 0, 2);
	fixture_assert_lists("page 0 is in no zone", a, 0, "o0/M[1] o3/M[992]");
	alloc_destroy(a);
}

static void test_boot__deferred_pages_come_by_pageblock(void **state)
{
	/* [1636, 4126): ragged ends by the page, pageblocks whole. */
	struct alloc *a = fixture_create("6.1", 0, 8192);

	(void)state;
	alloc_set_pageblock_type(a, 2048, MIGRATE_UNMOVABLE);
	alloc_deferred_range(a, 1636, 4126);
	fixture_assert_lists("deferred", a, 0,
			     "o1/M[4124] o2/M[1636 4120] o3/M[1640 4112] "
			     "o4/M[1648 4096] o7/M[1664] o8/M[1792] "
			     "o10/M[2048 3072]");
	ASSERT_U64("type", alloc_pageblock_type(a, 2048), MIGRATE_MOVABLE);
	alloc_destroy(a);
}

static void test_boot__early_releases_send_deferred_pages_through_the_pcp(
	void **state)
{
	/* 5.7 after pageset set-up: single pages stay on CPU 0's list. */
	const struct alloc_zone_config zone = {
		.type = ZONE_NORMAL, .end = 65536,
	};
	struct alloc_config config = {
		.nr_cpus = 1, .nr_nodes = 1, .zones = &zone, .nr_zones = 1,
		.pageblock_order = 9,
	};
	const struct {
		const char *kernel;
		uint64_t pcp;
	} rows[] = { { "5.7", 10 }, { "6.1", 0 } };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct alloc_zone_info info;
		struct alloc *a;

		config.profile = alloc_profile_find(rows[i].kernel);
		a = fixture_create_config(&config);
		alloc_setup_pcp(a);
		alloc_deferred_range(a, 1014, 1536);
		alloc_zone_info(a, 0, &info);
		ASSERT_U64(rows[i].kernel, info.pcp, rows[i].pcp);
		ASSERT_U64(rows[i].kernel, info.free + info.pcp, 522);
		fixture_assert_valid(rows[i].kernel, a);
		alloc_destroy(a);
	}
}

static void test_boot__a_terabyte_commits_little(void **state)
{
	/* 2^28 pages of whole blocks need no page records at all. */
	const pfn_t end = 1u << 28;
	struct alloc *a = fixture_create("6.1", 0, end);
	uint64_t booted;

	(void)state;
	alloc_boot_range(a, 1024, end);
	ASSERT_U64("free", alloc_free_pages(a), end - 1024);
	fixture_assert_valid("booted", a);
	booted = alloc_metadata_bytes(a);
	/* 12 bytes a region, zone and type bytes, and nothing per page. */
	assert_true(booted < (end >> 9) * 20);
	(void)fixture_take(a, MIGRATE_MOVABLE, 0, 0);
	fixture_assert_valid("one page taken", a);
	assert_true(alloc_metadata_bytes(a) - booted <= 3 * 4096);
	alloc_destroy(a);
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(test_boot__ranges_are_cut_greedily),
	cmocka_unit_test(
		test_boot__first_allocations_come_from_the_release_s_end),
	cmocka_unit_test(test_boot__order_9_out_of_a_ragged_zone),
	cmocka_unit_test(test_boot__ranges_merge_across_cuts),
	cmocka_unit_test(test_boot__ranges_are_split_at_zone_borders),
	cmocka_unit_test(test_boot__deferred_pages_come_by_pageblock),
	cmocka_unit_test(
		test_boot__early_releases_send_deferred_pages_through_the_pcp),
	cmocka_unit_test(test_boot__a_terabyte_commits_little),
};

TEST_MAIN(cases)
