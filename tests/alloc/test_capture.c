/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a compactor that waits for a block may take on its way to the lists. */
#include "tests/alloc/fixture.h"
#include "tests/test.h"

#define U MIGRATE_UNMOVABLE
#define M MIGRATE_MOVABLE
#define R MIGRATE_RECLAIMABLE

/* One block is freed in the second zone while a compactor waits. */
struct row {
	const char *kernel;
	unsigned int zone, order;    /* waited for */
	enum migratetype wanted, type; /* of the request, of the pageblock */
	unsigned int pageblock_order;
	bool taken;
};

static const struct row rows[] = {
	/* Small blocks: not out of a movable pageblock, ... */
	{ "6.1", 1, 3, U, U, 9, true },
	{ "6.1", 1, 3, U, R, 9, true },
	{ "6.1", 1, 3, U, M, 9, false },
	{ "6.1", 1, 8, M, M, 9, false },
	{ "5.3", 1, 3, M, M, 9, false },
	/* ... but from 6.9 on for a movable request. */
	{ "6.12.0", 1, 3, M, M, 9, true },
	{ "6.12", 1, 3, M, M, 9, true },
	{ "6.18", 1, 8, M, M, 9, true },
	{ "6.18", 1, 3, U, M, 9, false },
	{ "6.18", 1, 3, R, M, 9, false },
	/* A whole pageblock pollutes nothing. */
	{ "6.1", 1, 9, U, M, 9, true },
	{ "6.18", 1, 9, R, M, 9, true },
	{ "6.1", 1, 9, U, M, 10, false },
	/* There is no look for the largest order: nothing merges there. */
	{ "6.1", 1, 10, U, M, 10, false },
	/* CMA and isolated blocks are somebody else's. */
	{ "6.1", 1, 9, M, MIGRATE_CMA, 9, false },
	{ "6.1", 1, 9, M, MIGRATE_ISOLATE, 9, false },
	{ "6.18", 1, 3, U, MIGRATE_ISOLATE, 9, false },
	{ "6.1", 1, 9, U, MIGRATE_HIGHATOMIC, 9, true },
	/* Compaction works on one zone. */
	{ "6.1", 0, 3, U, U, 9, false },
	{ "6.18", 0, 9, M, M, 9, false },
};

static struct alloc *two_zones(const struct row *r)
{
	const struct alloc_zone_config zones[] = {
		{ .type = ZONE_DMA32, .start = 0, .end = 4096 },
		{ .type = ZONE_NORMAL, .start = 4096, .end = 8192 },
	};
	const struct alloc_config config = {
		.profile = alloc_profile_find(r->kernel),
		.nr_cpus = 1, .nr_nodes = 1,
		.zones = zones, .nr_zones = 2,
		.pageblock_order = r->pageblock_order,
		.pcp_disabled = true, .cma = true, .isolation = true,
		.watermark_boost_factor = UINT32_MAX,
	};

	return fixture_create_config(&config);
}

static void test_capture__which_blocks_a_compactor_takes(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct row *r = &rows[i];
		struct alloc *a = two_zones(r);
		const bool counted = !r->taken && r->type != MIGRATE_ISOLATE;

		alloc_set_pageblock_type(a, 5120, r->type);
		alloc_capture_any(a, r->zone, r->order, r->wanted);
		fixture_put(a, 5120, r->order);
		ASSERT_U64(test_row(i), alloc_capture_collect(a),
			   r->taken ? 5120 : PFN_NONE);
		ASSERT_U64(test_row(i), alloc_is_free_head(a, 5120), !r->taken);
		ASSERT_U64(test_row(i), alloc_free_pages(a),
			   counted ? order_nr_pages(r->order) : 0);
		fixture_assert_valid(test_row(i), a);
		alloc_destroy(a);
	}
}

static void test_capture__one_block_is_enough(void **state)
{
	/* The first of two is taken, the second goes on its list. */
	static const struct row r = { "6.1", 1, 3, U, U, 9, true };
	struct alloc *a = two_zones(&r);

	(void)state;
	alloc_set_pageblock_type(a, 5120, U);
	alloc_capture_any(a, 1, 3, U);
	fixture_put(a, 5120, 3);
	fixture_put(a, 5248, 3);
	fixture_assert_lists("second", a, 1, "o3/U[5248]");
	ASSERT_U64("first", alloc_capture_collect(a), 5120);
	alloc_destroy(a);
}

static void test_capture__a_larger_block_is_left(void **state)
{
	/* Order 3 is waited for, order 4 comes. */
	static const struct row r = { "6.1", 1, 3, U, U, 9, true };
	struct alloc *a = two_zones(&r);

	(void)state;
	alloc_set_pageblock_type(a, 5120, U);
	alloc_capture_any(a, 1, 3, U);
	fixture_put(a, 5120, 4);
	fixture_assert_lists("larger", a, 1, "o4/U[5120]");
	ASSERT_U64("none", alloc_capture_collect(a), PFN_NONE);
	alloc_destroy(a);
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(test_capture__which_blocks_a_compactor_takes),
	cmocka_unit_test(test_capture__one_block_is_enough),
	cmocka_unit_test(test_capture__a_larger_block_is_left),
};

TEST_MAIN(cases)
