/* SPDX-License-Identifier: GPL-2.0-or-later */
/* page_reporting, the RFC of May 2019 and per_free where their limits lie. */
#include "reporter/hinted_boundary.h"
#include "reporter/page_reporting.h"
#include "tests/alloc/fixture.h"
#include "tests/reporter/rig.h"
#include "tests/test.h"

#define U MIGRATE_UNMOVABLE
#define M MIGRATE_MOVABLE
#define END 8192
#define NO_CHECKS "watermark_gate=off isolate_check=off budget=0 "

static void finish(struct rig *rig)
{
	struct alloc *a = rig->a;

	rig_stop(rig);
	alloc_destroy(a);
}

static struct rig *begin(struct alloc *a, const char *options)
{
	return rig_start(a, &page_reporting_reporter, options, NULL);
}

static void test_page_reporting_edges__larger_pageblocks(void **state)
{
	/* pageblock order 10 is the smallest that is reported. */
	struct alloc *a = fixture_create_profile(alloc_profile_find("6.1"), 0,
						 END, 10);
	struct rig *rig;

	(void)state;
	fixture_put(a, 1024, 9);
	fixture_put(a, 4096, 10);
	rig = begin(a, NO_CHECKS);
	rig_run(rig);
	rig_assert_reports("order 10", rig, "{4096}");
	finish(rig);
}

static void test_page_reporting_edges__zones_of_one_pass(void **state)
{
	/* Two zones with something to report: one pass. */
	static const struct alloc_zone_config zones[] = {
		{ .type = ZONE_DMA32, .start = 0, .end = 4096 },
		{ .type = ZONE_NORMAL, .start = 4096, .end = END },
	};
	const struct alloc_config config = {
		.profile = alloc_profile_find("6.1"), .nr_cpus = 1,
		.nr_nodes = 1, .zones = zones, .nr_zones = 2,
		.pageblock_order = 9, .pcp_disabled = true,
		.watermark_boost_factor = UINT32_MAX,
	};
	struct alloc *a = fixture_create_config(&config);
	struct rig *rig;

	(void)state;
	fixture_put(a, 1024, 9);
	fixture_put(a, 5120, 9);
	rig = begin(a, NO_CHECKS);
	ASSERT_U64("ran", rig_run(rig), 1);
	rig_assert_reports("both", rig, "{1024} {5120}");
	ASSERT_U64("passes", rig_counters(rig)->passes, 1);
	finish(rig);
}

static void test_page_reporting_edges__no_memory_for_the_array(void **state)
{
	/* Every first of two passes gets none, and does nothing. */
	const struct sync_env_config cfg = { .kmalloc_fail_every = 1 };
	struct alloc *a = fixture_create("6.1", 0, END);
	struct rig *rig;

	(void)state;
	fixture_put(a, 1024, 9);
	rig = rig_start(a, &page_reporting_reporter, NO_CHECKS, &cfg);
	rig_run(rig);
	rig_assert_reports("none", rig, "");
	ASSERT_U64("asked", rig->env.kmallocs, 1);
	finish(rig);
}

static void test_page_reporting_edges__a_share_that_is_reached(void **state)
{
	/* 25 % of 8192 pages are four blocks, not five. */
	struct alloc *a = fixture_create("6.1", 0, END);
	struct rig *rig;

	(void)state;
	for (pfn_t pfn = 1024; pfn < 7168; pfn += 1024)
		fixture_put(a, pfn, 9);
	rig = begin(a, NO_CHECKS "factor=25");
	rig_run(rig);
	ASSERT_U64("pages", rig_counters(rig)->marked_pages, 2048);
	finish(rig);
}

static void test_page_reporting_edges__arrays_that_shrink(void **state)
{
	/* Four blocks of order 9 are free, as many as a full array. */
	static const struct {
		uint64_t low, boost;
		uint64_t calls;
	} rows[] = { { 0, 0, 1 }, { 1, 0, 2 }, { 0, 1, 2 } };

	(void)state;
	for (unsigned int i = 0; i < ARRAY_SIZE(rows); i++) {
		struct alloc *a = fixture_create("6.1", 0, END);
		struct rig *rig;

		for (pfn_t pfn = 1024; pfn <= 4096; pfn += 1024)
			fixture_put(a, pfn, 9);
		alloc_set_watermarks(a, 0, 0, rows[i].low, 0);
		alloc_set_boost(a, 0, rows[i].boost);
		rig = begin(a, NO_CHECKS "capacity=4 scale_capacity=on");
		rig_run(rig);
		ASSERT_U64(test_row(i), rig_counters(rig)->pages, 2048);
		ASSERT_U64(test_row(i), rig_counters(rig)->report_calls,
			   rows[i].calls);
		finish(rig);
	}
}

static void test_page_reporting_edges__a_walk_visits_its_own_list(void **state)
{
	/* All are marked: two of M and one of U are three visits. */
	struct alloc *a = fixture_create("6.1", 0, END);
	struct rig *rig;
	uint64_t before;

	(void)state;
	alloc_set_pageblock_type(a, 5120, U);
	fixture_put(a, 1024, 9);
	fixture_put(a, 3072, 9);
	fixture_put(a, 5120, 9);
	rig = begin(a, NO_CHECKS);
	rig_run(rig);
	ASSERT_U64("marked", rig_counters(rig)->marked_pages, 1536);
	before = rig_counters(rig)->list_visits;
	sync_env_start(&rig->env);
	rig_run(rig);
	ASSERT_U64("visits", rig_counters(rig)->list_visits - before, 3);
	finish(rig);
}

static void test_page_reporting_edges__rfc_goes_on_below_its_threshold(
	void **state)
{
	/* One list an order and batch; a batch's worth that is left is taken. */
	struct alloc *a = fixture_create("5.3", 0, 16384);
	struct rig *rig;

	(void)state;
	for (pfn_t pfn = 7168; pfn <= 9216; pfn += 1024)
		alloc_set_pageblock_type(a, pfn, U);
	alloc_set_pageblock_type(a, 5120, MIGRATE_RECLAIMABLE);
	rig = rig_start(a, &hinted_boundary_reporter,
			"variant=may2019 capacity=3", NULL);
	for (pfn_t pfn = 3072; pfn <= 4096; pfn += 1024)
		fixture_put(a, pfn, 9);
	for (pfn_t pfn = 5120; pfn <= 5120; pfn += 1024)
		fixture_put(a, pfn, 9);
	for (pfn_t pfn = 7168; pfn <= 9216; pfn += 1024)
		fixture_put(a, pfn, 9);
	rig_run(rig);
	ASSERT_U64("all", rig_counters(rig)->blocks[9], 6);
	finish(rig);
}

static void test_page_reporting_edges__rfc_waits_after_an_error(void **state)
{
	/* The host failed: nothing more until the next free. */
	const struct sync_env_config cfg = { .fail_every = 1 };
	struct alloc *a = fixture_create("5.3", 0, 16384);
	struct rig *rig = rig_start(a, &hinted_boundary_reporter,
				    "variant=may2019 capacity=1", &cfg);

	(void)state;
	for (pfn_t pfn = 1024; pfn <= 2048; pfn += 1024)
		fixture_put(a, pfn, 9);
	rig_run(rig);
	ASSERT_U64("calls", rig_counters(rig)->report_calls, 1);
	fixture_put(a, 3072, 9);
	rig_run(rig);
	ASSERT_U64("calls", rig_counters(rig)->report_calls, 2);
	finish(rig);
}

static void test_page_reporting_edges__rfc_tail_is_the_tail(void **state)
{
	/* What others put at the tail goes behind the hinted blocks. */
	struct alloc *a = fixture_create("5.3", 0, 16384);
	struct rig *rig = rig_start(a, &hinted_boundary_reporter,
				    "variant=may2019 capacity=1", NULL);

	(void)state;
	for (pfn_t pfn = 1024; pfn <= 2048; pfn += 1024)
		fixture_put(a, pfn, 9);
	rig_run(rig);
	ASSERT_U64("hinted", rig_counters(rig)->blocks[9], 2);
	free_one_page(a, zone_at(a, 0), 4096, 9, M, FPI_TO_TAIL);
	ASSERT_U64("last", alloc_list_last(a, 0, 9, M), 4096);
	finish(rig);
}

static void test_page_reporting_edges__a_call_for_each_rest(void **state)
{
	/* per_free at rest: the free itself is not hinted as well. */
	struct alloc *a = fixture_create("5.3", 0, END);
	struct rig *rig = rig_start(a, &per_free_reporter, "", NULL);

	(void)state;
	alloc_free(a, 0, 1024, 9);
	rig_assert_reports("one", rig, "{1024}");
	finish(rig);
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(test_page_reporting_edges__larger_pageblocks),
	cmocka_unit_test(test_page_reporting_edges__zones_of_one_pass),
	cmocka_unit_test(test_page_reporting_edges__no_memory_for_the_array),
	cmocka_unit_test(test_page_reporting_edges__a_share_that_is_reached),
	cmocka_unit_test(test_page_reporting_edges__arrays_that_shrink),
	cmocka_unit_test(test_page_reporting_edges__a_walk_visits_its_own_list),
	cmocka_unit_test(
		test_page_reporting_edges__rfc_goes_on_below_its_threshold),
	cmocka_unit_test(test_page_reporting_edges__rfc_waits_after_an_error),
	cmocka_unit_test(test_page_reporting_edges__rfc_tail_is_the_tail),
	cmocka_unit_test(test_page_reporting_edges__a_call_for_each_rest),
};

TEST_MAIN(cases)
