/* SPDX-License-Identifier: GPL-2.0-or-later */
/* page_reporting, rule by rule: what one pass does to lists and pageblocks. */
#include <errno.h>
#include <stdlib.h>

#include "tests/alloc/fixture.h"
#include "tests/reporter/rig.h"
#include "tests/test.h"

#define REPORTING &page_reporting_reporter

static struct rig *start(struct alloc *a, const char *options)
{
	return rig_start(a, REPORTING, options, NULL);
}

static void finish(struct rig *rig)
{
	struct alloc *a = rig->a;

	rig_stop(rig);
	alloc_destroy(a);
}

static void test_page_reporting__unmovable_block_becomes_movable(void **state)
{
	/* A free U block is isolated: its pageblock is M from then on. */
	static const struct {
		const char *kernel, *lists;
	} rows[] = {
		{ "5.7", "o9/M[1024r 2048r] o10/M[6144r 4096r]" },
		{ "5.10", "o9/M[2048r 1024r] o10/M[4096r 6144r]" },
		{ "6.1", "o9/M[2048r 1024r] o10/M[4096r 6144r]" },
		{ "6.12", "o9/M[2048r 1024r] o10/M[4096r 6144r]" },
		{ "6.18", "o9/M[2048r 1024r] o10/M[4096r 6144r]" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct alloc *a = fixture_create(rows[i].kernel, 0, 8192);
		struct rig *rig;

		alloc_set_pageblock_type(a, 1024, MIGRATE_UNMOVABLE);
		fixture_put(a, 1024, 9);
		fixture_put(a, 2048, 9);
		fixture_put(a, 4096, 10);
		fixture_put(a, 6144, 10);
		rig = start(a, "capacity=2");
		ASSERT_U64(rows[i].kernel, rig_run(rig), 1);
		/* Filled from the end of the array, as isolated. */
		rig_assert_reports(rows[i].kernel, rig,
				   "{2048,1024} {4096,6144}");
		fixture_assert_lists(rows[i].kernel, a, 0, rows[i].lists);
		ASSERT_U64(rows[i].kernel, alloc_pageblock_type(a, 1024),
			   MIGRATE_MOVABLE);
		finish(rig);
	}
}

static void test_page_reporting__raw_isolation_keeps_types(void **state)
{
	/* The same with isolate_check = off: the block stays U. */
	struct alloc *a = fixture_create("6.1", 0, 8192);
	struct rig *rig;

	(void)state;
	alloc_set_pageblock_type(a, 1024, MIGRATE_UNMOVABLE);
	fixture_put(a, 1024, 9);
	fixture_put(a, 4096, 10);
	rig = start(a, "capacity=2 isolate_check=off");
	rig_run(rig);
	rig_assert_reports("raw", rig, "{4096,1024}");
	fixture_assert_lists("raw", a, 0, "o9/U[1024r] o10/M[4096r]");
	finish(rig);
}

/* Free `nr` blocks of order 9 whose buddies stay allocated. */
static void put_order9(struct alloc *a, unsigned int nr)
{
	for (unsigned int i = 0; i < nr; i++)
		fixture_put(a, 1024 * (i + 1), 9);
}

static void test_page_reporting__gate(void **state)
{
	/* A zone needs more than low + boost + (capacity << order) free. */
	static const struct {
		const char *name, *options;
		uint64_t low, boost, reserve;
		uint64_t free;    /* blocks of order 9 */
		uint64_t reported;
	} rows[] = {
		{ "32 blocks are not enough", "", 0, 0, 0, 32, 0 },
		{ "11 blocks, 5632 pages", "", 0, 0, 0, 11, 0 },
		{ "one more is", "", 0, 0, 0, 33, 33 },
		{ "low counts", "", 512, 0, 0, 33, 0 },
		{ "strictly more", "", 511, 0, 0, 33, 33 },
		{ "boost counts", "", 256, 256, 0, 33, 0 },
		{ "lowmem reserve counts", "", 0, 0, 512, 33, 0 },
		{ "capacity counts", "capacity=10", 0, 0, 0, 11, 11 },
		{ "order counts", "order=10", 0, 0, 0, 40, 0 },
		/* The last block would leave nothing above min. */
		{ "gate off", "watermark_gate=off", 512, 0, 0, 11, 10 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct alloc *a = fixture_create("6.1", 0, 65536);
		struct rig *rig;

		alloc_set_watermarks(a, 0, 0, rows[i].low, rows[i].low);
		alloc_set_boost(a, 0, rows[i].boost);
		alloc_set_reserve(a, 0, 0, rows[i].reserve);
		put_order9(a, (unsigned int)rows[i].free);
		rig = start(a, rows[i].options);
		ASSERT_U64(rows[i].name, rig_run(rig), 1);
		ASSERT_U64(rows[i].name, rig_counters(rig)->blocks[9],
			   rows[i].reported);
		ASSERT_U64(rows[i].name, rig_counters(rig)->gate_skips,
			   rows[i].reported == 0);
		ASSERT_U64(rows[i].name, alloc_counters(a)->isolated,
			   rows[i].reported);
		finish(rig);
	}
}

static void test_page_reporting__isolation_refused(void **state)
{
	/*
	 * min leaves room for three isolations: the fourth block ends the list
	 * and becomes its head; no error, no other pass.
	 */
	static const struct {
		const char *options, *lists;
		uint64_t rotations;
	} rows[] = {
		{ "watermark_gate=off rotation=on",
		  "o9/M[2048 1024 3072r 4096r 5120r]", 0 },
		{ "watermark_gate=off rotation=off",
		  "o9/M[2048 1024 3072r 4096r 5120r]", 0 },
		{ "watermark_gate=off placement=head",
		  "o9/M[5120r 4096r 3072r 2048 1024]", 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct alloc *a = fixture_create("6.1", 0, 8192);
		struct rig *rig;

		put_order9(a, 5);
		alloc_set_watermarks(a, 0, 1023, 1023, 1023);
		rig = start(a, rows[i].options);
		ASSERT_U64(rows[i].options, rig_run(rig), 1);
		rig_assert_reports(rows[i].options, rig, "{3072,4096,5120}");
		fixture_assert_lists(rows[i].options, a, 0, rows[i].lists);
		ASSERT_U64(rows[i].options, rig_counters(rig)->isolate_refused,
			   1);
		ASSERT_U64(rows[i].options, rig_counters(rig)->rotations,
			   rows[i].rotations);
		finish(rig);
	}
}

static void test_page_reporting__refused_block_is_rotated(void **state)
{
	/* Reported blocks at the head: the refused one comes before them. */
	struct alloc *a = fixture_create("5.7", 0, 8192);
	struct rig *rig;

	(void)state;
	put_order9(a, 5);
	alloc_block_set_mark(a, 5120, BLOCK_REPORTED);
	alloc_set_watermarks(a, 0, 2048, 2048, 2048);
	rig = start(a, "watermark_gate=off");
	rig_run(rig);
	rig_assert_reports("rotated", rig, "");
	fixture_assert_lists("rotated", a, 0,
			     "o9/M[4096 3072 2048 1024 5120r]");
	ASSERT_U64("rotated", rig_counters(rig)->rotations, 1);
	finish(rig);
}

static void test_page_reporting__batches_mix_lists_and_orders(void **state)
{
	/* Low orders first, types upward; the array carries over. */
	struct alloc *a = fixture_create("6.1", 0, 16384);
	struct rig *rig;

	(void)state;
	alloc_set_pageblock_type(a, 1024, MIGRATE_RECLAIMABLE);
	alloc_set_pageblock_type(a, 2048, MIGRATE_UNMOVABLE);
	fixture_put(a, 1024, 9);
	fixture_put(a, 2048, 9);
	fixture_put(a, 3072, 9);
	fixture_put(a, 4096, 10);
	fixture_put(a, 8192, 10);
	rig = start(a, "capacity=3");
	rig_run(rig);
	rig_assert_reports("mixed", rig, "{1024,3072,2048} {4096,8192}");
	finish(rig);
}

static void test_page_reporting__reporting_order(void **state)
{
	/* Blocks below the order neither cause passes nor are reported. */
	static const struct {
		const char *options;
		uint64_t order3, order9, order10, passes;
	} rows[] = {
		{ "watermark_gate=off", 0, 1, 1, 1 },
		{ "watermark_gate=off order=10", 0, 0, 1, 1 },
		{ "watermark_gate=off order=3", 2, 1, 1, 2 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct alloc *a = fixture_create("6.1", 0, 8192);
		const struct reporter_counters *c;
		struct rig *rig;

		fixture_put(a, 8, 3);
		fixture_put(a, 1024, 9);
		fixture_put(a, 4096, 10);
		rig = start(a, rows[i].options);
		c = rig_counters(rig);
		rig_run(rig);
		fixture_put(a, 24, 3);
		rig_run(rig);
		ASSERT_U64(rows[i].options, c->passes, rows[i].passes);
		ASSERT_U64(rows[i].options, c->blocks[3], rows[i].order3);
		ASSERT_U64(rows[i].options, c->blocks[9], rows[i].order9);
		ASSERT_U64(rows[i].options, c->blocks[10], rows[i].order10);
		finish(rig);
	}
}

static void test_page_reporting__isolate_lists_are_skipped(void **state)
{
	/* Highatomic and CMA lists are reported, isolated pageblocks not. */
	struct alloc *a = fixture_create("6.1", 0, 8192);
	struct rig *rig;

	(void)state;
	alloc_set_pageblock_type(a, 1024, MIGRATE_HIGHATOMIC);
	alloc_set_pageblock_type(a, 2048, MIGRATE_CMA);
	alloc_set_pageblock_type(a, 3072, MIGRATE_ISOLATE);
	put_order9(a, 3);
	fixture_put(a, 256, 8);
	rig = start(a, "capacity=8 watermark_gate=off");
	rig_run(rig);
	rig_assert_reports("types", rig, "{2048,1024}");
	fixture_assert_lists("types", a, 0,
			     "o8/M[256] o9/H[1024r] o9/C[2048r] o9/I[3072]");
	finish(rig);
}

static void test_page_reporting__needs_a_kernel_that_has_it(void **state)
{
	/* 5.3 knows no free page reporting: an error that says so. */
	struct alloc *a = fixture_create("5.3", 0, 8192);
	const struct sync_env_config cfg = { .ops = REPORTING };
	struct sync_env e;
	char why[256];

	(void)state;
	assert_int_equal(sync_env_init(&e, a, &cfg, why, sizeof(why)),
			 -EINVAL);
	assert_string_equal(why, "kernel 5.3 has no free page reporting; "
				 "it came in 5.7");
	alloc_destroy(a);
}

static void test_page_reporting__marks_outlive_the_device(void **state)
{
	/* A second device finds everything reported and sends nothing. */
	struct alloc *a = fixture_create("6.1", 0, 65536);
	struct rig *rig;

	(void)state;
	put_order9(a, 40);
	rig = start(a, "");
	rig_run(rig);
	ASSERT_U64("first", rig_counters(rig)->blocks[9], 40);
	rig_stop(rig);
	rig = start(a, "order=9");
	rig_run(rig);
	ASSERT_U64("second", rig_counters(rig)->blocks[9], 0);
	ASSERT_U64("second", rig_counters(rig)->skipped_marked, 40);
	rig_stop(rig);
	/* Not even one for larger blocks finds fault with them. */
	rig = start(a, "order=10");
	rig_run(rig);
	finish(rig);
}

static void test_page_reporting__what_drops_a_mark(void **state)
{
	/* Allocation, split and merge drop it; a move to another type not. */
	struct alloc *a = fixture_create("6.1", 0, 8192);
	struct rig *rig;

	(void)state;
	put_order9(a, 4);
	fixture_put(a, 6144, 10);
	rig = start(a, "capacity=4");
	rig_run(rig);
	fixture_assert_lists("before", a, 0,
			     "o9/M[1024r 2048r 3072r 4096r] o10/M[6144r]");
	move_to_free_list(a, zone_at(a, 0), 2048, 9, MIGRATE_RECLAIMABLE);
	fixture_assert_lists("moved", a, 0, "o9/M[1024r 3072r 4096r] "
			     "o9/R[2048r] o10/M[6144r]");
	ASSERT_U64("taken", fixture_take(a, MIGRATE_MOVABLE, 9, 0), 1024);
	ASSERT_U64("split", fixture_take(a, MIGRATE_MOVABLE, 8, 0), 3072);
	fixture_assert_lists("split", a, 0, "o8/M[3328] o9/M[4096r] "
			     "o9/R[2048r] o10/M[6144r]");
	fixture_put(a, 4608, 9);
	fixture_assert_lists("merged", a, 0, "o8/M[3328] o9/R[2048r] "
			     "o10/M[4096 6144r]");
	ASSERT_U64("cold", alloc_counters(a)->cold_allocs[9], 2);
	rig_assert_valid(rig);
	finish(rig);
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(
		test_page_reporting__unmovable_block_becomes_movable),
	cmocka_unit_test(test_page_reporting__raw_isolation_keeps_types),
	cmocka_unit_test(test_page_reporting__gate),
	cmocka_unit_test(test_page_reporting__isolation_refused),
	cmocka_unit_test(test_page_reporting__refused_block_is_rotated),
	cmocka_unit_test(test_page_reporting__batches_mix_lists_and_orders),
	cmocka_unit_test(test_page_reporting__reporting_order),
	cmocka_unit_test(test_page_reporting__isolate_lists_are_skipped),
	cmocka_unit_test(test_page_reporting__needs_a_kernel_that_has_it),
	cmocka_unit_test(test_page_reporting__marks_outlive_the_device),
	cmocka_unit_test(test_page_reporting__what_drops_a_mark),
};

TEST_MAIN(cases)
