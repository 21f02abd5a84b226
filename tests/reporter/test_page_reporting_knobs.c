/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The options of page_reporting that stem from the series of 2021: reporting
 * factor, smaller arrays where little is free, and what is reported now.
 */
#include "reporter/page_reporting.h"
#include "tests/alloc/fixture.h"
#include "tests/reporter/rig.h"
#include "tests/test.h"

static struct rig *start(struct alloc *a, const char *options)
{
	return rig_start(a, &page_reporting_reporter, options, NULL);
}

static void finish(struct rig *rig)
{
	struct alloc *a = rig->a;

	rig_stop(rig);
	alloc_destroy(a);
}

/* `nr` blocks of the order whose buddies stay allocated, from pfn on. */
static void put_blocks(struct alloc *a, pfn_t pfn, unsigned int order,
		       unsigned int nr)
{
	for (unsigned int i = 0; i < nr; i++)
		fixture_put(a, pfn + 2048 * i, order);
}

static uint64_t marked_now(const struct rig *rig)
{
	const struct reporter_counters *c = rig_counters(rig);

	return c->marked_pages - c->refault_pages;
}

static void test_page_reporting_knobs__scaled_arrays(void **state)
{
	/*
	 * 5 blocks of order 9 and 5 of order 10, 7680 pages. An array of 4
	 * shrinks from the order on of which 4 blocks are more than is free
	 * above low; the order before is then reported by itself.
	 */
	static const struct {
		const char *options;
		uint64_t low;
		const char *reports;
	} rows[] = {
		{ "capacity=4", 4000,
		  "{6144,4096,2048,0} {22528,20480,18432,8192}"
		  " {26624,24576}" },
		/* 7680 free above low: 4 << 10 fits, nothing changes. */
		{ "capacity=4 scale_capacity=on", 0,
		  "{6144,4096,2048,0} {22528,20480,18432,8192}"
		  " {26624,24576}" },
		/* 3680 above low: order 10 has arrays of 2. */
		{ "capacity=4 scale_capacity=on", 4000,
		  "{6144,4096,2048,0} {8192} {20480,18432} {24576,22528}"
		  " {26624}" },
		/*
		 * 1680 above low: order 9 has 2, order 10 one at a time, and
		 * the budget is two reports for each list and pass.
		 */
		{ "capacity=4 scale_capacity=on watermark_gate=off", 6000,
		  "{2048,0} {6144,4096} {18432} {20480} {8192} {22528}"
		  " {24576} {26624}" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct alloc *a = fixture_create("5.7", 0, 65536);
		struct rig *rig;

		/* Head first in the lists: put in descending order. */
		for (unsigned int j = 5; j-- > 0;) {
			fixture_put(a, 2048 * j, 9);
			fixture_put(a, 18432 + 2048 * j, 10);
		}
		alloc_set_watermarks(a, 0, 0, rows[i].low, rows[i].low);
		rig = start(a, rows[i].options);
		while (sync_env_run_pass(&rig->env))
			rig_assert_valid(rig);
		rig_assert_reports(rows[i].options, rig, rows[i].reports);
		ASSERT_U64(rows[i].options, marked_now(rig), 7680);
		finish(rig);
	}
}

static void test_page_reporting_knobs__factor(void **state)
{
	/* A zone of 65536 pages, 24 free blocks of order 9. */
	static const struct {
		const char *options;
		uint64_t marked;  /* at rest, pages */
		bool stopped;
	} rows[] = {
		{ "capacity=4", 24 * 512, false },
		{ "capacity=4 factor=100", 24 * 512, false },
		{ "capacity=4 factor=0", 0, true },
		/* 655 pages: the second block reaches them. */
		{ "capacity=4 factor=1", 2 * 512, true },
		/* 6553 pages: the thirteenth does. */
		{ "capacity=4 factor=10", 13 * 512, true },
		{ "capacity=4 factor=10 rotation=off", 13 * 512, true },
		{ "capacity=4 factor=30", 24 * 512, false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct alloc *a = fixture_create("6.1", 0, 65536);
		struct rig *rig;

		alloc_set_managed(a, 0, 65536);
		put_blocks(a, 0, 9, 24);
		rig = start(a, rows[i].options);
		rig_run(rig);
		ASSERT_U64(rows[i].options, marked_now(rig), rows[i].marked);
		assert_true((rig_counters(rig)->factor_stops > 0) ==
			    rows[i].stopped);
		finish(rig);
	}
}

static void test_page_reporting_knobs__factor_refills(void **state)
{
	/* What is allocated leaves its share to others. */
	struct alloc *a = fixture_create("6.1", 0, 65536);
	struct rig *rig;
	pfn_t pfn;

	(void)state;
	alloc_set_managed(a, 0, 65536);
	put_blocks(a, 0, 9, 24);
	rig = start(a, "capacity=4 factor=10 rotation=off");
	rig_run(rig);
	ASSERT_U64("full", marked_now(rig), 13 * 512);
	do
		pfn = fixture_take(a, MIGRATE_MOVABLE, 9, 0);
	while (marked_now(rig) == 13 * 512);
	ASSERT_U64("one taken", marked_now(rig), 12 * 512);
	ASSERT_U64("refault", rig_counters(rig)->refault_pages, 512);
	fixture_put(a, pfn, 9);
	rig_run(rig);
	ASSERT_U64("full again", marked_now(rig), 13 * 512);
	finish(rig);
}

static void test_page_reporting_knobs__second_device_counts_anew(void **state)
{
	/* Marks outlive the device; the next one knows how many there are. */
	struct alloc *a = fixture_create("6.1", 0, 65536);
	struct page_reporting *s;
	struct rig *rig;

	(void)state;
	alloc_set_managed(a, 0, 65536);
	put_blocks(a, 0, 9, 24);
	rig = start(a, "capacity=4 factor=10");
	rig_run(rig);
	rig_stop(rig);
	rig = start(a, "capacity=4 factor=20");
	s = rig->env.reporter.state;
	ASSERT_U64("taken over", s->marked[0], 13 * 512);
	rig_run(rig);
	ASSERT_U64("topped up", s->marked[0], 24 * 512);
	finish(rig);
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(test_page_reporting_knobs__scaled_arrays),
	cmocka_unit_test(test_page_reporting_knobs__factor),
	cmocka_unit_test(test_page_reporting_knobs__factor_refills),
	cmocka_unit_test(test_page_reporting_knobs__second_device_counts_anew),
};

TEST_MAIN(cases)
