/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hinted_boundary as posted in May 2019: variant = may2019. */
#include "reporter/hinted_boundary.h"
#include "tests/alloc/fixture.h"
#include "tests/reporter/rig.h"
#include "tests/test.h"

static struct rig *start(struct alloc *a, const char *options)
{
	return rig_start(a, &hinted_boundary_reporter, options, NULL);
}

static void finish(struct rig *rig)
{
	struct alloc *a = rig->a;

	rig_stop(rig);
	alloc_destroy(a);
}

static void test_hinted_boundary_may__one_list_at_a_time(void **state)
{
	/*
	 * Two batches' worth of raw blocks start it, at once. The first batch
	 * comes from the tail; then the other types are tried, which resets the
	 * membrane, and the rest is taken from the head.
	 */
	struct alloc *a = fixture_create("5.3", 0, 16384);
	struct rig *rig = start(a, "variant=may2019 capacity=2");

	(void)state;
	for (pfn_t pfn = 1024; pfn <= 3072; pfn += 1024)
		fixture_put(a, pfn, 9);
	ASSERT_U64("not yet", rig_run(rig), 0);
	fixture_put(a, 4096, 9);
	ASSERT_U64("one", rig_run(rig), 1);
	ASSERT_U64("time", rig->env.now_ns, 0);
	rig_assert_reports("order", rig, "{1024,2048} {4096,3072}");
	fixture_assert_lists("after", a, 0,
			     "o9/M[2048h 1024h 3072h 4096h]");
	finish(rig);
}

static void test_hinted_boundary_may__types_share_a_membrane(void **state)
{
	/*
	 * A batch takes blocks of one type of each order, the next of another;
	 * fewer than a batch wait for more.
	 */
	struct alloc *a = fixture_create("5.3", 0, 16384);
	struct rig *rig;

	(void)state;
	alloc_set_pageblock_type(a, 1024, MIGRATE_UNMOVABLE);
	alloc_set_pageblock_type(a, 2048, MIGRATE_UNMOVABLE);
	rig = start(a, "variant=may2019 capacity=3");
	for (pfn_t pfn = 1024; pfn <= 6144; pfn += 1024)
		fixture_put(a, pfn, 9);
	rig_run(rig);
	rig_assert_reports("order", rig, "{3072,4096,5120} {1024,2048}");
	fixture_assert_lists("after", a, 0, "o9/U[2048h 1024h] "
			     "o9/M[6144 5120h 4096h 3072h]");
	finish(rig);
}

static void test_hinted_boundary_may__parts_stay_hinted(void **state)
{
	/* 1 MiB is taken from a hinted block of 4 MiB; v2 forgets the rest. */
	static const struct {
		const char *options, *lists;
		unsigned int parts;
	} rows[] = {
		{ "variant=may2019 capacity=1",
		  "o8/M[2304h] o9/M[2560h] o10/M[4096h]", 1 },
		{ "threshold=1", "o8/M[2304] o9/M[2560] o10/M[4096h]", 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct alloc *a = fixture_create("5.3", 0, 16384);
		struct rig *rig = start(a, rows[i].options);
		const struct hinted_boundary *s = rig->env.reporter.state;

		fixture_put(a, 2048, 10);
		fixture_put(a, 4096, 10);
		rig_run(rig);
		if (alloc_list_first(a, 0, 10, MIGRATE_MOVABLE) != 2048)
			alloc_list_rotate_to_front(a, 2048);
		ASSERT_U64("taken", fixture_take(a, MIGRATE_MOVABLE, 8, 0),
			   2048);
		rig_assert_valid(rig);
		fixture_assert_lists(rows[i].options, a, 0, rows[i].lists);
		for (unsigned int o = 8; o <= 9; o++)
			ASSERT_U64(rows[i].options,
				   s->zones[0].hinted_count[o],
				   rows[i].parts);
		finish(rig);
	}
}

static void test_hinted_boundary_may__trapped_blocks(void **state)
{
	/* Two raw blocks between hinted ones: looked for, then given up. */
	struct alloc *a = fixture_create("5.3", 0, 16384);
	struct rig *rig;

	(void)state;
	for (pfn_t pfn = 1024; pfn <= 4096; pfn += 1024)
		fixture_put(a, pfn, 9);
	alloc_block_set_mark(a, 1024, BLOCK_HINTED);
	alloc_block_set_mark(a, 4096, BLOCK_HINTED);
	rig = start(a, "variant=may2019 capacity=1");
	fixture_put(a, 5120, 9);
	ASSERT_U64("once", rig_run(rig), 1);
	rig_assert_reports("head", rig, "{5120}");
	ASSERT_U64("raw", hinted_boundary_raw(&rig->env.reporter, 0, 9), 2);
	finish(rig);
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(test_hinted_boundary_may__one_list_at_a_time),
	cmocka_unit_test(test_hinted_boundary_may__types_share_a_membrane),
	cmocka_unit_test(test_hinted_boundary_may__parts_stay_hinted),
	cmocka_unit_test(test_hinted_boundary_may__trapped_blocks),
};

TEST_MAIN(cases)
