/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hinted_boundary as posted in September and November 2019: variant = v10. */
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

static void test_hinted_boundary_v10__trapped_blocks_are_found(void **state)
{
	/*
	 * H = hinted, . = not: a list that is H . H . H from head to tail. v2
	 * gives it up, v10 walks past the marks and finds both.
	 */
	static const struct {
		const char *options, *reports, *lists;
		unsigned int visits;
	} rows[] = {
		{ "capacity=4", "",
		  "o9/M[5120h 4096 3072h 2048 1024h]", 2 },
		{ "capacity=4 variant=v10", "{2048,4096}",
		  "o9/M[4096h 2048h 5120h 3072h 1024h]", 5 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct alloc *a = fixture_create("5.3", 0, 8192);
		struct rig *rig;

		for (pfn_t pfn = 1024; pfn <= 5120; pfn += 1024)
			fixture_put(a, pfn, 9);
		for (pfn_t pfn = 1024; pfn <= 5120; pfn += 2048)
			alloc_block_set_mark(a, pfn, BLOCK_HINTED);
		rig = start(a, rows[i].options);
		rig_run(rig);
		rig_assert_reports(rows[i].options, rig, rows[i].reports);
		fixture_assert_lists(rows[i].options, a, 0, rows[i].lists);
		ASSERT_U64(rows[i].options, rig_counters(rig)->list_visits,
			   rows[i].visits);
		finish(rig);
	}
}

static void test_hinted_boundary_v10__isolates_as_compaction(void **state)
{
	/* A U block's pageblock becomes M; isolate and CMA are left alone. */
	struct alloc *a = fixture_create("5.3", 0, 16384);
	struct rig *rig;

	(void)state;
	alloc_set_pageblock_type(a, 1024, MIGRATE_UNMOVABLE);
	alloc_set_pageblock_type(a, 4096, MIGRATE_CMA);
	fixture_put(a, 1024, 9);
	fixture_put(a, 2048, 9);
	fixture_put(a, 4096, 9);
	rig = start(a, "capacity=4 variant=v10");
	rig_run(rig);
	rig_assert_reports("order", rig, "{2048,1024}");
	fixture_assert_lists("after", a, 0, "o9/M[1024h 2048h] o9/C[4096]");
	finish(rig);
}

static void test_hinted_boundary_v10__refusal_ends_the_list(void **state)
{
	/* Five blocks, min allows two to leave: the walk ends, unmarked rest. */
	struct alloc *a = fixture_create("5.3", 0, 8192);
	struct rig *rig;

	(void)state;
	for (pfn_t pfn = 1024; pfn <= 5120; pfn += 1024)
		fixture_put(a, pfn, 9);
	alloc_set_watermarks(a, 0, 1024, 1024, 1024);
	rig = start(a, "capacity=4 variant=v10");
	rig_run(rig);
	rig_assert_reports("refused", rig, "{1024,2048}");
	ASSERT_U64("refusals", rig_counters(rig)->isolate_refused, 1);
	fixture_assert_lists("after", a, 0,
			     "o9/M[5120 4096 3072 2048h 1024h]");
	finish(rig);
}

static void test_hinted_boundary_v10__gate(void **state)
{
	/* low + (4 << 9) = 2148 pages: five blocks pass, four do not. */
	static const struct {
		unsigned int blocks, reported;
	} rows[] = { { 4, 0 }, { 5, 5 } };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct alloc *a = fixture_create("5.3", 0, 16384);
		struct rig *rig;

		for (unsigned int j = 0; j < rows[i].blocks; j++)
			fixture_put(a, 1024 * j, 9);
		alloc_set_watermarks(a, 0, 0, 100, 100);
		rig = start(a, "capacity=4 variant=v10 watermark_gate=on");
		rig_run(rig);
		ASSERT_U64("blocks", rig_counters(rig)->blocks[9],
			   rows[i].reported);
		ASSERT_U64("gate", rig_counters(rig)->gate_skips,
			   rows[i].reported ? 0 : 1);
		finish(rig);
	}
}

static void test_hinted_boundary_v10__rotation_resets(void **state)
{
	/*
	 * Compaction rotates the list while a batch is out: the boundary goes
	 * back to the end, and the walk passes the marks once more.
	 */
	const struct sync_env_config cfg = { .ack_latency_ns = NSEC_PER_SEC };
	struct alloc *a = fixture_create("5.3", 0, 16384);
	const struct hinted_boundary *s;
	struct rig *rig;

	(void)state;
	fixture_put(a, 8192, 10);
	for (pfn_t pfn = 1024; pfn <= 6144; pfn += 1024)
		fixture_put(a, pfn, 9);
	rig = rig_start(a, &hinted_boundary_reporter,
			"variant=v10 capacity=2 order=9", &cfg);
	s = rig->env.reporter.state;
	sync_env_process(&rig->env);
	sync_env_ack(&rig->env, 0);
	sync_env_ack(&rig->env, 0);
	assert_int_not_equal(s->boundary[9][MIGRATE_MOVABLE], PFN_NONE);
	alloc_list_rotate_to_front(a, s->boundary[9][MIGRATE_MOVABLE]);
	ASSERT_U64("reset", s->boundary[9][MIGRATE_MOVABLE], PFN_NONE);
	rig_assert_valid(rig);
	while (sync_env_ack(&rig->env, 0))
		rig_assert_valid(rig);
	rig_assert_reports("all", rig, "{8192,1024} {2048,3072} {4096,5120}"
			   " {6144}");
	finish(rig);
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(
		test_hinted_boundary_v10__trapped_blocks_are_found),
	cmocka_unit_test(test_hinted_boundary_v10__isolates_as_compaction),
	cmocka_unit_test(test_hinted_boundary_v10__refusal_ends_the_list),
	cmocka_unit_test(test_hinted_boundary_v10__gate),
	cmocka_unit_test(test_hinted_boundary_v10__rotation_resets),
};

TEST_MAIN(cases)
