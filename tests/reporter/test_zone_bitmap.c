/* SPDX-License-Identifier: GPL-2.0-or-later */
/* zone_bitmap and per_free, rule by rule. */
#include "reporter/zone_bitmap.h"
#include "tests/alloc/fixture.h"
#include "tests/reporter/rig.h"
#include "tests/test.h"

/* Freed before: without it the last block could not be isolated. */
#define SPARE 31744

static struct rig *start(struct alloc *a, const char *options)
{
	fixture_put(a, SPARE, 10);
	return rig_start(a, &zone_bitmap_reporter, options, NULL);
}

static void finish(struct rig *rig)
{
	struct alloc *a = rig->a;

	rig_stop(rig);
	alloc_destroy(a);
}

static const struct zone_bitmap *state_of(const struct rig *rig)
{
	return rig->env.reporter.state;
}

static void put(struct rig *rig, pfn_t pfn, unsigned int order)
{
	fixture_put(rig->a, pfn, order);
	rig_assert_valid(rig);
}

static void test_zone_bitmap__threshold(void **state)
{
	/* 16 bits by default; the worker looks in order of address. */
	struct alloc *a = fixture_create("5.3", 0, 65536);
	struct rig *rig = start(a, "");

	(void)state;
	for (unsigned int i = 16; i > 1; i--)
		put(rig, 1024 * i, 9);
	ASSERT_U64("not yet", rig_run(rig), 0);
	put(rig, 1024, 9);
	ASSERT_U64("requested", state_of(rig)->refcount, 1);
	rig_run(rig);
	ASSERT_U64("time", rig->env.now_ns, 0);
	rig_assert_reports("all", rig,
			   "{1024,2048,3072,4096,5120,6144,7168,8192,9216,"
			   "10240,11264,12288,13312,14336,15360,16384}");
	ASSERT_U64("bits", state_of(rig)->areas[0].free_bits, 0);
	/* Putting them back has set none. */
	ASSERT_U64("rest", rig_run(rig), 0);
	finish(rig);
}

static void test_zone_bitmap__remainder_goes_as_well(void **state)
{
	/* Batches of two; five bits are set when the worker comes. */
	struct alloc *a = fixture_create("5.3", 0, 65536);
	struct rig *rig = start(a, "capacity=2 threshold=4");

	(void)state;
	for (unsigned int i = 1; i <= 5; i++)
		put(rig, 1024 * i, 9);
	rig_run(rig);
	rig_assert_reports("batches", rig, "{1024,2048} {3072,4096} {5120}");
	finish(rig);
}

static void test_zone_bitmap__one_bit_for_a_large_block(void **state)
{
	/*
	 * A block of order 10 sets the bit of its first half. When that half is
	 * in use again, the other one is forgotten.
	 */
	struct alloc *a = fixture_create("5.3", 0, 65536);
	struct rig *rig = start(a, "threshold=2");

	(void)state;
	put(rig, 2048, 10);
	ASSERT_U64("one", state_of(rig)->areas[0].free_bits, 1);
	ASSERT_U64("half", fixture_take(a, MIGRATE_MOVABLE, 9, 0), 2048);
	put(rig, 8192, 10);
	rig_run(rig);
	rig_assert_reports("whole", rig, "{8192}");
	ASSERT_U64("stale", rig_counters(rig)->captures_stale, 1);
	fixture_assert_lists("after", a, 0, "o9/M[2560] o10/M[8192 31744]");
	finish(rig);
}

static void test_zone_bitmap__bits_of_used_blocks(void **state)
{
	/* Cleared with the others, or kept until the block is free again. */
	static const struct {
		const char *options;
		uint64_t left;
		unsigned int visits;
	} rows[] = {
		{ "threshold=2", 0, 4 },
		{ "threshold=2 clear=if_free", 1, 5 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct alloc *a = fixture_create("5.3", 0, 65536);
		struct rig *rig = start(a, rows[i].options);

		put(rig, 1024, 9);
		fixture_take(a, MIGRATE_MOVABLE, 9, 0);
		put(rig, 3072, 9);
		rig_run(rig);
		ASSERT_U64(rows[i].options, state_of(rig)->areas[0].free_bits,
			   rows[i].left);
		put(rig, 5120, 9);
		put(rig, 7168, 9);
		rig_run(rig);
		ASSERT_U64(rows[i].options, rig_counters(rig)->list_visits,
			   rows[i].visits);
		ASSERT_U64("reported", rig_counters(rig)->blocks[9], 3);
		finish(rig);
	}
}

static void test_zone_bitmap__isolated_pageblock(void **state)
{
	/* Somebody else isolates the pageblock: its block is not taken. */
	struct alloc *a = fixture_create("5.3", 0, 65536);
	struct rig *rig = start(a, "threshold=2");

	(void)state;
	put(rig, 1024, 9);
	alloc_set_pageblock_type(a, 1024, MIGRATE_ISOLATE);
	put(rig, 3072, 9);
	rig_run(rig);
	rig_assert_reports("one", rig, "{3072}");
	alloc_set_pageblock_type(a, 1024, MIGRATE_MOVABLE);
	finish(rig);
}

/* Two nodes with one Normal zone each. */
static struct alloc *two_nodes(void)
{
	static const struct alloc_zone_config zones[] = {
		{ .node = 0, .type = ZONE_NORMAL, .start = 0, .end = 16384 },
		{ .node = 1, .type = ZONE_NORMAL, .start = 16384,
		  .end = 32768 },
	};
	static const uint8_t node[] = { 0 };
	const struct alloc_config cfg = {
		.profile = alloc_profile_find("5.3"), .nr_cpus = 1,
		.nr_nodes = 2, .cpu_node = node, .zones = zones,
		.nr_zones = ARRAY_SIZE(zones), .pageblock_order = 9,
		.pcp_disabled = true, .watermark_boost_factor = UINT32_MAX,
	};

	return fixture_create_config(&cfg);
}

static void test_zone_bitmap__zones_of_a_kind(void **state)
{
	/* v11 counts the bits of both nodes together, v12 apart. */
	static const struct {
		const char *options, *reports;
		unsigned int areas;
	} rows[] = {
		{ "variant=v11 threshold=4", "{1024,3072,17408,19456}", 1 },
		{ "variant=v12 threshold=4", "", 2 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct alloc *a = two_nodes();
		struct rig *rig;

		fixture_put(a, 8192, 10);
		rig = start(a, rows[i].options);
		ASSERT_U64(rows[i].options, state_of(rig)->nr_areas,
			   rows[i].areas);
		put(rig, 17408, 9);
		put(rig, 1024, 9);
		put(rig, 19456, 9);
		put(rig, 3072, 9);
		rig_run(rig);
		rig_assert_reports(rows[i].options, rig, rows[i].reports);
		finish(rig);
	}
}

static void test_zone_bitmap__frees_while_the_host_works(void **state)
{
	/*
	 * A free in front of the cursor is found by the scan that is under
	 * way, one behind it by the next.
	 */
	const struct sync_env_config cfg = { .ack_latency_ns = NSEC_PER_SEC };
	struct alloc *a = fixture_create("5.3", 0, 65536);
	struct rig *rig;

	(void)state;
	fixture_put(a, SPARE, 10);
	rig = rig_start(a, &zone_bitmap_reporter, "threshold=2 capacity=2",
			&cfg);
	put(rig, 5120, 9);
	put(rig, 7168, 9);
	sync_env_advance(&rig->env, 0);
	put(rig, 1024, 9);
	put(rig, 9216, 9);
	ASSERT_U64("one request", rig_counters(rig)->requests, 1);
	sync_env_advance(&rig->env, 5 * NSEC_PER_SEC);
	rig_assert_reports("scan", rig, "{5120,7168} {9216}");
	ASSERT_U64("left", state_of(rig)->areas[0].free_bits, 1);
	put(rig, 11264, 9);
	sync_env_advance(&rig->env, 5 * NSEC_PER_SEC);
	rig_assert_reports("next", rig, "{1024,11264}");
	finish(rig);
}

static void test_per_free__at_rest(void **state)
{
	/* What a free has merged to, if it is large enough; at once. */
	struct alloc *a = fixture_create("5.3", 0, 65536);
	struct rig *rig = rig_start(a, &per_free_reporter, "", NULL);

	(void)state;
	put(rig, 0, 8);
	rig_assert_reports("small", rig, "");
	put(rig, 256, 8);
	rig_assert_reports("merged", rig, "{0}");
	put(rig, 512, 9);
	rig_assert_reports("larger", rig, "{0}");
	put(rig, 4096, 10);
	rig_assert_reports("whole", rig, "{4096}");
	ASSERT_U64("order 9", rig_counters(rig)->blocks[9], 1);
	ASSERT_U64("order 10", rig_counters(rig)->blocks[10], 2);
	finish(rig);
}

static void test_per_free__at_free(void **state)
{
	/* Before the lists see it: what merges is not hinted. */
	struct alloc *a = fixture_create("5.3", 0, 65536);
	struct rig *rig = rig_start(a, &per_free_reporter,
				    "at=free order=8", NULL);

	(void)state;
	alloc_free(a, 0, 0, 7);
	alloc_free(a, 0, 128, 7);
	alloc_free(a, 0, 512, 8);
	alloc_free(a, 0, 1024, 9);
	rig_assert_reports("calls", rig, "{512} {1024}");
	finish(rig);
}

static void test_per_free__refused_calls(void **state)
{
	/* Every second call is refused: counted, and not as a report. */
	const struct sync_env_config cfg = { .refuse_every = 2 };
	struct alloc *a = fixture_create("5.3", 0, 65536);
	struct rig *rig = rig_start(a, &per_free_reporter, "", &cfg);

	(void)state;
	for (unsigned int i = 0; i < 4; i++)
		put(rig, 2048 * i, 9);
	ASSERT_U64("made", rig_counters(rig)->report_calls, 2);
	ASSERT_U64("refused", rig_counters(rig)->report_errors, 2);
	finish(rig);
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(test_zone_bitmap__threshold),
	cmocka_unit_test(test_zone_bitmap__remainder_goes_as_well),
	cmocka_unit_test(test_zone_bitmap__one_bit_for_a_large_block),
	cmocka_unit_test(test_zone_bitmap__bits_of_used_blocks),
	cmocka_unit_test(test_zone_bitmap__isolated_pageblock),
	cmocka_unit_test(test_zone_bitmap__zones_of_a_kind),
	cmocka_unit_test(test_zone_bitmap__frees_while_the_host_works),
	cmocka_unit_test(test_per_free__at_rest),
	cmocka_unit_test(test_per_free__at_free),
	cmocka_unit_test(test_per_free__refused_calls),
};

TEST_MAIN(cases)
