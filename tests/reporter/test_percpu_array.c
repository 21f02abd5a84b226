/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * percpu_array, rule by rule: what is remembered, what compaction keeps, what
 * the scan finds, and what is lost meanwhile.
 */
#include <stdlib.h>

#include "reporter/percpu_array.h"
#include "tests/alloc/fixture.h"
#include "tests/reporter/rig.h"
#include "tests/test.h"

/* Freed before: without it the last block could not be isolated. */
#define SPARE 6144

static struct rig *start(struct alloc *a, const char *options)
{
	fixture_put(a, SPARE, 10);
	return rig_start(a, &percpu_array_reporter, options, NULL);
}

static void finish(struct rig *rig)
{
	struct alloc *a = rig->a;

	rig_stop(rig);
	alloc_destroy(a);
}

static const struct array_cpu *cpu0(const struct rig *rig)
{
	const struct percpu_array *s = rig->env.reporter.state;

	return &s->cpus[0];
}

static void free_at(struct rig *rig, pfn_t pfn, unsigned int order)
{
	alloc_free(rig->a, 0, pfn, order);
	rig_assert_valid(rig);
}

static void test_percpu_array__full_array_is_reported(void **state)
{
	/* Four single pages far apart fill the array; the next is lost. */
	static const char *const options[] = {
		"capacity=4", "capacity=4 variant=v8-snapshot",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(options); i++) {
		struct alloc *a = fixture_create("5.3", 0, 8192);
		struct rig *rig = start(a, options[i]);

		for (pfn_t pfn = 1; pfn <= 5; pfn++)
			free_at(rig, 100 * pfn, 0);
		ASSERT_U64("woken", cpu0(rig)->state, ARRAY_WAKING);
		ASSERT_U64("lost", rig_counters(rig)->captures_lost, 1);
		sync_env_run_pass(&rig->env);
		rig_assert_reports(options[i], rig, "{100,200,300,400}");
		/* Both indices are 0 again. */
		ASSERT_U64("state", cpu0(rig)->state, ARRAY_CAPTURE);
		ASSERT_U64("empty", cpu0(rig)->nr, 0);
		fixture_assert_lists("back", a, 0,
				     "o0/M[400 300 200 100 500] o10/M[6144]");
		finish(rig);
	}
}

static void test_percpu_array__compaction(void **state)
{
	/*
	 * 100 and 101 merge, 200 is allocated again, 300 is free: what is left
	 * when the array of four is compacted, and when it is scanned. Page 300
	 * is the newest and not in the buddy yet.
	 */
	static const struct {
		const char *options;
		unsigned int kept;
	} rows[] = {
		{ "capacity=4", 2 },
		{ "capacity=4 variant=v8-snapshot", 3 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct alloc *a = fixture_create("5.3", 0, 8192);
		struct rig *rig = start(a, rows[i].options);

		free_at(rig, 200, 0);
		ASSERT_U64("taken", fixture_take(a, MIGRATE_MOVABLE, 0, 0),
			   200);
		free_at(rig, 100, 0);
		free_at(rig, 101, 0);
		free_at(rig, 300, 0);
		ASSERT_U64(rows[i].options, cpu0(rig)->nr, rows[i].kept);
		ASSERT_U64("doubled", rig_counters(rig)->captures_doubled, 1);
		ASSERT_U64("stale", rig_counters(rig)->captures_stale,
			   rows[i].kept == 2);
		ASSERT_U64("state", cpu0(rig)->state, ARRAY_CAPTURE);
		free_at(rig, 400, 0);
		if (rows[i].kept == 2) {
			/* One more is needed. */
			ASSERT_U64("state", cpu0(rig)->state, ARRAY_CAPTURE);
			free_at(rig, 500, 0);
		}
		ASSERT_U64("woken", cpu0(rig)->state, ARRAY_WAKING);
		sync_env_run_pass(&rig->env);
		rig_assert_reports(rows[i].options, rig, rows[i].kept == 2 ?
				   "{100,300,400,500}" : "{100,300,400}");
		finish(rig);
	}
}

static void test_percpu_array__pages_are_looked_at_one_by_one(void **state)
{
	/*
	 * A block of eight pages is split while the thread is on its way: the
	 * scan takes the lock for each page in use and each free block, and
	 * stops when the other array is full.
	 */
	static const struct {
		const char *options, *reports;
		unsigned int visits, cut;
	} rows[] = {
		/* 1000 used, then 1001, 1002, 1004; 2000. */
		{ "capacity=4 threshold=2", "{1001,1002,1004,2000}", 5, 0 },
		{ "capacity=2", "{1001,1002}", 3, 2 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct alloc *a = fixture_create("5.3", 0, 8192);
		struct rig *rig = start(a, rows[i].options);

		free_at(rig, 1000, 3);
		free_at(rig, 2000, 0);
		ASSERT_U64("woken", cpu0(rig)->state, ARRAY_WAKING);
		ASSERT_U64("2000", fixture_take(a, MIGRATE_MOVABLE, 0, 0),
			   2000);
		ASSERT_U64("1000", fixture_take(a, MIGRATE_MOVABLE, 0, 0),
			   1000);
		fixture_put(a, 2000, 0);
		sync_env_run_pass(&rig->env);
		rig_assert_reports(rows[i].options, rig, rows[i].reports);
		ASSERT_U64(rows[i].options, rig_counters(rig)->list_visits,
			   rows[i].visits);
		ASSERT_U64(rows[i].options, rig_counters(rig)->captures_cut,
			   rows[i].cut);
		finish(rig);
	}
}

static void test_percpu_array__reused_block_is_skipped_whole(void **state)
{
	/* A huge page that is in use again costs one look, not 512. */
	struct alloc *a = fixture_create("5.3", 0, 8192);
	struct rig *rig = start(a, "capacity=2 variant=v8-snapshot");

	(void)state;
	free_at(rig, 1024, 9);
	ASSERT_U64("taken", fixture_take(a, MIGRATE_MOVABLE, 9, 0), 1024);
	free_at(rig, 3072, 9);
	sync_env_run_pass(&rig->env);
	rig_assert_reports("scan", rig, "{3072}");
	ASSERT_U64("visits", rig_counters(rig)->list_visits, 2);
	ASSERT_U64("stale", rig_counters(rig)->captures_stale, 1);
	finish(rig);
}

static void test_percpu_array__watermark(void **state)
{
	/* One page may go, the others are left where they are. */
	struct alloc *a = fixture_create("5.3", 0, 8192);
	struct rig *rig = start(a, "capacity=3");

	(void)state;
	alloc_set_watermarks(a, 0, 1025, 1025, 1025);
	free_at(rig, 100, 0);
	free_at(rig, 200, 0);
	free_at(rig, 300, 0);
	sync_env_run_pass(&rig->env);
	rig_assert_reports("refused", rig, "{100}");
	ASSERT_U64("refused", rig_counters(rig)->isolate_refused, 2);
	finish(rig);
}

static void test_percpu_array__v9(void **state)
{
	/*
	 * Blocks of order 10 as they come to rest, from two on; the array is
	 * empty before the host is asked, so that frees go on being remembered.
	 */
	struct alloc *a = fixture_create("5.3", 0, 65536);
	struct rig *rig = start(a, "variant=v9 threshold=2 capacity=3");

	(void)state;
	free_at(rig, 2048, 9);
	free_at(rig, 2560, 9);          /* merges to order 10 */
	ASSERT_U64("one", cpu0(rig)->nr, 1);
	free_at(rig, 4096, 10);
	ASSERT_U64("woken", cpu0(rig)->state, ARRAY_WAKING);
	ASSERT_U64("4096", fixture_take(a, MIGRATE_MOVABLE, 10, 0), 4096);
	fixture_put(a, 8192, 10);       /* the rig's CPU is number 0 */
	/* The world stands still until the reply is given by hand. */
	sync_env_advance(&rig->env, 0);
	rig_assert_reports("two", rig, "{2048,8192}");
	ASSERT_U64("stale", rig_counters(rig)->captures_stale, 1);
	ASSERT_U64("visits", rig_counters(rig)->list_visits, 3);
	ASSERT_U64("hold", rig_counters(rig)->longest_hold, 3);
	finish(rig);
}

static void test_percpu_array__v9_remembers_while_the_host_works(void **state)
{
	/* An answer after 1 s: two frees meanwhile wake the thread again. */
	const struct sync_env_config cfg = { .ack_latency_ns = NSEC_PER_SEC };
	struct alloc *a = fixture_create("5.3", 0, 65536);
	struct rig *rig;

	(void)state;
	fixture_put(a, SPARE, 10);
	rig = rig_start(a, &percpu_array_reporter,
			"variant=v9 threshold=2 capacity=2", &cfg);
	free_at(rig, 2048, 10);
	free_at(rig, 4096, 10);
	sync_env_advance(&rig->env, 0);
	ASSERT_U64("out", cpu0(rig)->state, ARRAY_WITH_HOST);
	free_at(rig, 10240, 10);
	free_at(rig, 14336, 10);
	free_at(rig, 18432, 10);
	ASSERT_U64("lost", rig_counters(rig)->captures_lost, 1);
	sync_env_advance(&rig->env, NSEC_PER_SEC);
	ASSERT_U64("again", cpu0(rig)->state, ARRAY_WITH_HOST);
	sync_env_advance(&rig->env, NSEC_PER_SEC);
	rig_assert_reports("both", rig, "{2048,4096} {10240,14336}");
	finish(rig);
}

static void test_percpu_array__no_memory_for_the_list(void **state)
{
	/* v9 allocates for each run: without, what was remembered is gone. */
	const struct sync_env_config cfg = { .kmalloc_fail_every = 1 };
	struct alloc *a = fixture_create("5.3", 0, 65536);
	struct rig *rig = rig_start(a, &percpu_array_reporter,
				    "variant=v9 threshold=2", &cfg);

	(void)state;
	free_at(rig, 2048, 10);
	free_at(rig, 6144, 10);
	rig_run(rig);
	rig_assert_reports("nothing", rig, "");
	ASSERT_U64("cut", rig_counters(rig)->captures_cut, 2);
	ASSERT_U64("empty", cpu0(rig)->nr, 0);
	finish(rig);
}

static void test_percpu_array__options_that_do_not_fit(void **state)
{
	/* A threshold above the capacity would never be reached. */
	struct alloc *a = fixture_create("5.3", 0, 8192);
	void *options = rig_options(&percpu_array_reporter,
				    "capacity=4 threshold=5");
	const struct sync_env_config cfg = {
		.ops = &percpu_array_reporter, .options = options,
	};
	struct sync_env e;
	char why[128];

	(void)state;
	assert_int_not_equal(sync_env_init(&e, a, &cfg, why, sizeof(why)), 0);
	assert_string_equal(why, "threshold 5 is more than fits: capacity "
			    "is 4");
	free(options);
	alloc_destroy(a);
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(test_percpu_array__full_array_is_reported),
	cmocka_unit_test(test_percpu_array__compaction),
	cmocka_unit_test(test_percpu_array__pages_are_looked_at_one_by_one),
	cmocka_unit_test(test_percpu_array__reused_block_is_skipped_whole),
	cmocka_unit_test(test_percpu_array__watermark),
	cmocka_unit_test(test_percpu_array__v9),
	cmocka_unit_test(
		test_percpu_array__v9_remembers_while_the_host_works),
	cmocka_unit_test(test_percpu_array__no_memory_for_the_list),
	cmocka_unit_test(test_percpu_array__options_that_do_not_fit),
};

TEST_MAIN(cases)
