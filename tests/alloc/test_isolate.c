/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Blocks that leave the lists for a reporter, and come back. */
#include "tests/alloc/fixture.h"
#include "tests/test.h"

#define U MIGRATE_UNMOVABLE
#define M MIGRATE_MOVABLE

static void test_isolate__leaves_min_and_the_block_itself(void **state)
{
	/* 1536 free, order 9: refused while free <= min + 512 + reserve. */
	static const struct {
		uint64_t min, reserve;
		bool ok;
	} marks[] = {
		{ 0, 0, true }, { 1023, 0, true }, { 1024, 0, false },
		{ 1000, 23, true }, { 1000, 24, false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(marks); i++) {
		struct alloc *a = fixture_create("6.1", 0, 8192);

		fixture_put(a, 1024, 10);
		fixture_put(a, 2048, 9);
		alloc_set_watermarks(a, 0, marks[i].min, 0, 0);
		alloc_set_reserve(a, 0, 0, marks[i].reserve);
		/* Boost does not count: the raw mark is read. */
		alloc_set_boost(a, 0, 5000);
		assert_int_equal(alloc_isolate(a, 2048), marks[i].ok);
		fixture_assert_lists("isolated", a, 0, marks[i].ok ?
				     "o10/M[1024]" : "o9/M[2048] o10/M[1024]");
		ASSERT_U64("free", alloc_free_pages(a),
			   marks[i].ok ? 1024 : 1536);
		ASSERT_U64("isolated", alloc_counters(a)->isolated,
			   marks[i].ok);
		ASSERT_U64("refused", alloc_counters(a)->isolate_refused,
			   !marks[i].ok);
		alloc_destroy(a);
	}
}

static void test_isolate__large_blocks_become_movable(void **state)
{
	/* U pageblocks 2, 3; order 9 and 8 retype, order 7 and H do not. */
	static const struct {
		unsigned int order;
		enum migratetype type, after;
	} rows[] = {
		{ 9, U, M }, { 8, U, M }, { 7, U, U },
		{ 9, MIGRATE_RECLAIMABLE, M },
		{ 9, MIGRATE_HIGHATOMIC, MIGRATE_HIGHATOMIC },
		{ 9, MIGRATE_CMA, MIGRATE_CMA },
		{ 9, MIGRATE_ISOLATE, MIGRATE_ISOLATE },
	};

	(void)state;
	for (const char *const *k = fixture_kernels; *k; k++) {
		for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
			struct alloc *a = fixture_create(*k, 0, 8192);

			fixture_put(a, 4096, 10);
			alloc_set_pageblock_type(a, 1024, rows[i].type);
			fixture_put(a, 1024, rows[i].order);
			assert_true(alloc_isolate(a, 1024));
			ASSERT_U64(*k, alloc_pageblock_type(a, 1024),
				   rows[i].after);
			fixture_assert_lists(*k, a, 0, "o10/M[4096]");
			alloc_destroy(a);
		}
	}
}

static void test_isolate__order_10_retypes_both_pageblocks(void **state)
{
	/* A block over a U and an R pageblock. */
	struct alloc *a = fixture_create("6.1", 0, 8192);

	(void)state;
	fixture_put(a, 4096, 10);
	alloc_set_pageblock_type(a, 1024, U);
	alloc_set_pageblock_type(a, 1536, MIGRATE_RECLAIMABLE);
	fixture_put(a, 1024, 10);
	assert_true(alloc_isolate(a, 1024));
	ASSERT_U64("first", alloc_pageblock_type(a, 1024), M);
	ASSERT_U64("second", alloc_pageblock_type(a, 1536), M);
	alloc_destroy(a);
}

static void test_isolate__later_releases_move_the_rest_along(void **state)
{
	/* The other blocks of the U pageblock become M from 6.12 on. */
	static const struct {
		const char *kernel, *lists;
	} rows[] = {
		{ "5.7", "o3/U[1296 1280] o10/M[4096]" },
		{ "6.1", "o3/U[1296 1280] o10/M[4096]" },
		{ "6.12.0", "o3/M[1280 1296] o10/M[4096]" },
		{ "6.12", "o3/M[1280 1296] o10/M[4096]" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct alloc *a = fixture_create(rows[i].kernel, 0, 8192);

		fixture_put(a, 4096, 10);
		alloc_set_pageblock_type(a, 1024, U);
		fixture_put(a, 1024, 8);
		fixture_put(a, 1280, 3);
		fixture_put(a, 1296, 3);
		assert_true(alloc_isolate(a, 1024));
		fixture_assert_lists(rows[i].kernel, a, 0, rows[i].lists);
		alloc_destroy(a);
	}
}

static void test_isolate__putback_goes_where_the_release_puts_it(void **state)
{
	/* Head up to 5.9, tail since; merging as for any free. */
	static const struct {
		const char *kernel, *lists;
	} rows[] = {
		{ "5.7", "o9/M[1024 2048 3072]" },
		{ "5.10", "o9/M[2048 3072 1024]" },
		{ "6.1", "o9/M[2048 3072 1024]" },
		{ "6.12", "o9/M[2048 3072 1024]" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct alloc *a = fixture_create(rows[i].kernel, 0, 8192);

		fixture_put(a, 3072, 9);
		fixture_put(a, 2048, 9);
		fixture_put(a, 1024, 9);
		assert_true(alloc_isolate(a, 1024));
		alloc_putback(a, 1024, 9, M);
		fixture_assert_lists(rows[i].kernel, a, 0, rows[i].lists);
		assert_true(alloc_isolate(a, 3072));
		fixture_put(a, 3584, 9);
		alloc_putback(a, 3072, 9, M);
		ASSERT_U64(rows[i].kernel, alloc_block_order(a, 3072), 10);
		ASSERT_U64("putbacks", alloc_counters(a)->putbacks, 2);
		alloc_destroy(a);
	}
}

static void never_notified(void *ctx, unsigned int zone, pfn_t pfn,
			   unsigned int order)
{
	(void)ctx;
	fail_msg("notified of zone %u pfn %u order %u", zone, pfn, order);
}

static void test_isolate__the_2019_drain_is_a_silent_tail_insertion(void **s)
{
	/* Raw removal tests nothing and retypes nothing, on any profile. */
	const struct alloc_hooks hooks = {
		.notify_order = 9, .free_notify = never_notified,
	};
	struct alloc *a = fixture_create("5.3", 0, 8192);

	(void)s;
	alloc_set_pageblock_type(a, 1024, U);
	fixture_put(a, 1024, 9);
	fixture_put(a, 2048, 9);
	alloc_set_hooks(a, &hooks);
	alloc_set_watermarks(a, 0, 100000, 100000, 100000);
	alloc_isolate_raw(a, 1024);
	ASSERT_U64("type", alloc_pageblock_type(a, 1024), U);
	ASSERT_U64("free", alloc_free_pages(a), 512);
	alloc_putback_tail(a, 1024, 9, M);
	fixture_assert_lists("tail", a, 0, "o9/M[2048 1024]");
	alloc_putback(a, 3072, 9, M);
	fixture_assert_lists("head", a, 0, "o9/M[3072 2048 1024]");
	alloc_destroy(a);
}

static void test_isolate__reporting_makes_a_block_movable(void **state)
{
	/* A U block and an M block, reported one by one and marked. */
	static const struct {
		const char *kernel, *lists;
	} rows[] = {
		{ "5.7", "o9/M[1024r 2048r]" },
		{ "6.1", "o9/M[2048r 1024r]" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct alloc *a = fixture_create(rows[i].kernel, 0, 8192);

		alloc_set_pageblock_type(a, 1024, U);
		fixture_put(a, 1024, 9);
		fixture_put(a, 2048, 9);
		assert_true(alloc_isolate(a, 1024));
		/* Nothing else is free above the block's own size. */
		assert_false(alloc_isolate(a, 2048));
		fixture_put(a, 4096, 10);
		assert_true(alloc_isolate(a, 2048));
		alloc_putback(a, 2048, 9, alloc_pageblock_type(a, 2048));
		alloc_block_set_mark(a, 2048, BLOCK_REPORTED);
		alloc_putback(a, 1024, 9, alloc_pageblock_type(a, 1024));
		alloc_block_set_mark(a, 1024, BLOCK_REPORTED);
		alloc_isolate_raw(a, 4096);
		fixture_assert_lists(rows[i].kernel, a, 0, rows[i].lists);
		alloc_destroy(a);
	}
}

static void test_isolate__rotation_keeps_the_ring(void **state)
{
	/* Front and back, with marks and counts untouched. */
	struct alloc *a = fixture_create("6.1", 0, 8192);

	(void)state;
	alloc_boot_range(a, 1024, 5120);
	alloc_list_rotate_to_front(a, 3072);
	fixture_assert_lists("front", a, 0, "o10/M[3072 4096 1024 2048]");
	alloc_list_rotate_to_back(a, 3072);
	fixture_assert_lists("back", a, 0, "o10/M[4096 1024 2048 3072]");
	ASSERT_U64("prev", alloc_list_prev(a, 1024), 4096);
	ASSERT_U64("last", alloc_list_last(a, 0, 10, M), 3072);
	alloc_destroy(a);
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(test_isolate__leaves_min_and_the_block_itself),
	cmocka_unit_test(test_isolate__large_blocks_become_movable),
	cmocka_unit_test(test_isolate__order_10_retypes_both_pageblocks),
	cmocka_unit_test(test_isolate__later_releases_move_the_rest_along),
	cmocka_unit_test(test_isolate__putback_goes_where_the_release_puts_it),
	cmocka_unit_test(
		test_isolate__the_2019_drain_is_a_silent_tail_insertion),
	cmocka_unit_test(test_isolate__reporting_makes_a_block_movable),
	cmocka_unit_test(test_isolate__rotation_keeps_the_ring),
};

TEST_MAIN(cases)
