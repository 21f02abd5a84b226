/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Designs at their edges: defaults, refusals, types that change, odd zones. */
#include <string.h>

#include "reporter/hinted_boundary.h"
#include "reporter/percpu_array.h"
#include "reporter/zone_bitmap.h"
#include "tests/alloc/fixture.h"
#include "tests/reporter/rig.h"
#include "tests/test.h"

#define U MIGRATE_UNMOVABLE
#define M MIGRATE_MOVABLE
#define I MIGRATE_ISOLATE
#define SPARE 31744 /* free before, so that others may be isolated */
#define END 65536

/* What was reported, and how often a zone lock was released. */
struct seen {
	struct rig *rig;
	struct alloc *a;
	char text[1024];
	size_t used;
	unsigned int holds;
};

static void keep_report(void *ctx, const struct page_report *entries,
			unsigned int nr)
{
	struct seen *s = ctx;

	for (unsigned int i = 0; i < nr && s->used < sizeof(s->text) - 32; i++)
		s->used += (size_t)snprintf(s->text + s->used, 32, "%s%u.%u",
					    i ? "," : s->used ? " " : "",
					    entries[i].pfn, entries[i].order);
}

static void count_hold(void *ctx, unsigned int zone, uint32_t touches)
{
	struct seen *s = ctx;

	(void)zone;
	(void)touches;
	s->holds++;
}

static void start(struct seen *s, struct alloc *a,
		  const struct reporter_ops *ops, const char *options,
		  unsigned int kmalloc_fail_every)
{
	const struct sync_env_config cfg = {
		.watch = { .ctx = s, .report = keep_report,
			   .unlock = count_hold },
		.kmalloc_fail_every = kmalloc_fail_every,
	};

	*s = (struct seen){ .a = a };
	s->rig = rig_start(a, ops, options, &cfg);
}

static void begin(struct seen *s, const struct reporter_ops *ops,
		  const char *options)
{
	struct alloc *a = fixture_create("5.3", 0, END);

	fixture_put(a, SPARE, 10);
	/* Too small for any of them, so that the watermark is content. */
	for (pfn_t n = 0; n < 4; n++)
		fixture_put(a, 40960 + 1024 * n, 8);
	start(s, a, ops, options, 0);
}

static void expect(const char *row, struct seen *s, const char *text)
{
	if (strcmp(s->text, text) != 0)
		fail_msg("%s: reports are %s, expected %s", row, s->text, text);
	s->used = 0;
	s->text[0] = '\0';
	rig_assert_valid(s->rig);
}

static void finish(struct seen *s)
{
	rig_stop(s->rig);
	alloc_destroy(s->a);
}

static void test_designs_edges__a_bitmap_of_a_zone_that_begins_anywhere(
	void **state)
{
	/* The zone begins inside a block; bits are blocks all the same. */
	struct alloc *a = fixture_create("5.3", 256, END);
	struct seen s;

	(void)state;
	fixture_put(a, SPARE, 10);
	start(&s, a, &zone_bitmap_reporter, "threshold=2", 0);
	fixture_put(a, 1024, 9);
	fixture_put(a, 3072, 9);
	rig_run(s.rig);
	expect("reports", &s, "1024.9,3072.9");
	finish(&s);
}

static void test_designs_edges__bits_side_by_side(void **state)
{
	/* Neighbours that are no buddies: both are looked at, one hold each,
	 * and one for both when they go back. */
	struct seen s;

	(void)state;
	begin(&s, &zone_bitmap_reporter, "threshold=2");
	fixture_put(s.a, 1536, 9);
	fixture_put(s.a, 2048, 9);
	rig_run(s.rig);
	expect("reports", &s, "1536.9,2048.9");
	ASSERT_U64("holds", s.holds, 3);
	finish(&s);
}

static void test_designs_edges__a_bit_that_the_watermark_keeps(void **state)
{
	/* Refused is not stale, and its bit is gone. */
	struct seen s;

	(void)state;
	begin(&s, &zone_bitmap_reporter, "threshold=2 clear=if_free");
	alloc_set_watermarks(s.a, 0, 10000, 10000, 10000);
	fixture_put(s.a, 1536, 9);
	fixture_put(s.a, 2048, 9);
	rig_run(s.rig);
	expect("reports", &s, "");
	ASSERT_U64("refused", rig_counters(s.rig)->isolate_refused, 2);
	ASSERT_U64("stale", rig_counters(s.rig)->captures_stale, 0);
	ASSERT_U64("bits", ((const struct zone_bitmap *)
			    s.rig->env.reporter.state)->areas[0].free_bits, 0);
	finish(&s);
}

static void test_designs_edges__blocks_return_to_their_pageblocks(void **state)
{
	/* Isolation makes the pageblock movable: it does not go back to U. */
	static const struct {
		const struct reporter_ops *ops;
		const char *options;
	} rows[] = {
		{ &zone_bitmap_reporter, "threshold=1" },
		{ &percpu_array_reporter, "variant=v9 order=9 threshold=1" },
		{ &hinted_boundary_reporter, "variant=v10 threshold=1" },
	};

	(void)state;
	for (unsigned int i = 0; i < ARRAY_SIZE(rows); i++) {
		struct seen s;

		begin(&s, rows[i].ops, rows[i].options);
		rig_run(s.rig);
		s.used = 0;
		alloc_set_pageblock_type(s.a, 1024, U);
		fixture_put(s.a, 1024, 9);
		rig_run(s.rig);
		ASSERT_U64(test_row(i), alloc_block_type(s.a, 1024), M);
		ASSERT_U64(test_row(i), rig_counters(s.rig)->blocks[9], 1);
		finish(&s);
	}
}

static const struct array_cpu *cpu0(const struct seen *s)
{
	const struct percpu_array *p = s->rig->env.reporter.state;

	return &p->cpus[0];
}

static void test_designs_edges__defaults_of_the_arrays(void **state)
{
	/* v8: all orders, a full array. v9: order 10, 16 entries. */
	static const struct {
		const char *options;
		unsigned int order, frees;
		bool woken;
		uint64_t captured;
	} rows[] = {
		{ "capacity=40", 0, 39, false, 39 },
		{ "capacity=40", 0, 40, true, 40 },
		{ "capacity=40 order=3", 2, 10, false, 0 },
		{ "capacity=40 order=3", 3, 10, false, 10 },
		{ "capacity=40 variant=v9", 10, 15, false, 15 },
		{ "capacity=40 variant=v9", 10, 16, true, 16 },
	};

	(void)state;
	for (unsigned int i = 0; i < ARRAY_SIZE(rows); i++) {
		struct seen s;

		begin(&s, &percpu_array_reporter, rows[i].options);
		for (pfn_t n = 0; n < rows[i].frees; n++)
			alloc_free(s.a, 0, n * (rows[i].order == 10 ? 2048 : 64),
				   rows[i].order);
		ASSERT_U64(test_row(i), rig_counters(s.rig)->captured,
			   rows[i].captured);
		ASSERT_U64(test_row(i), cpu0(&s)->state == ARRAY_WAKING,
			   rows[i].woken);
		rig_run(s.rig);
		finish(&s);
	}
}

static void test_designs_edges__an_entry_is_as_large_as_it_became(void **state)
{
	/*
	 * Four pages merge and are one entry; its first page is used again
	 * before the thread comes. The tree left an entry alone that headed a
	 * block, and looks at one page.
	 */
	static const struct {
		const char *options, *reports;
	} rows[] = {
		{ "capacity=4 threshold=2 wake_latency=1ms", "101.0,102.1" },
		{ "capacity=4 threshold=2 wake_latency=1ms variant=v8-snapshot",
		  "300.0" },
	};

	(void)state;
	for (unsigned int i = 0; i < ARRAY_SIZE(rows); i++) {
		struct seen s;

		begin(&s, &percpu_array_reporter, rows[i].options);
		/* Free before the device could hear of it. */
		alloc_set_hooks(s.a, NULL);
		for (pfn_t pfn = 101; pfn < 104; pfn++)
			fixture_put(s.a, pfn, 0);
		alloc_set_hooks(s.a, &s.rig->hooks);
		alloc_free(s.a, 0, 100, 0);
		alloc_free(s.a, 0, 300, 0);
		ASSERT_U64(rows[i].options, cpu0(&s)->state, ARRAY_WAKING);
		assert_true(alloc_take_off_buddy(s.a, 100, 0));
		if (i == 0)
			assert_true(alloc_take_off_buddy(s.a, 300, 0));
		rig_run(s.rig);
		expect(rows[i].options, &s, rows[i].reports);
		finish(&s);
	}
}

static void test_designs_edges__v8_drops_the_lock_for_every_page(void **state)
{
	/* Eight pages, the fourth is used again: 0..1, 2, 3, 4..7. */
	struct seen s;

	(void)state;
	begin(&s, &percpu_array_reporter,
	      "capacity=4 threshold=1 wake_latency=1ms");
	alloc_free(s.a, 0, 800, 3);
	assert_true(alloc_take_off_buddy(s.a, 803, 0));
	s.holds = 0;
	rig_run(s.rig);
	expect("parts", &s, "800.1,802.0,804.2");
	/* Four of the scan, three of the return. */
	ASSERT_U64("holds", s.holds, 7);
	finish(&s);
}

static void test_designs_edges__v9_takes_no_smaller_block(void **state)
{
	/* Half of the entry is in use when the thread comes. */
	struct seen s;

	(void)state;
	begin(&s, &percpu_array_reporter,
	      "variant=v9 threshold=1 wake_latency=1ms");
	alloc_free(s.a, 0, 2048, 10);
	assert_true(alloc_take_off_buddy(s.a, 2560, 9));
	rig_run(s.rig);
	expect("half", &s, "");
	ASSERT_U64("stale", rig_counters(s.rig)->captures_stale, 1);
	finish(&s);
}

static void test_designs_edges__isolated_lists(void **state)
{
	/* v2 hints them, v10 and the RFC do not. */
	static const struct {
		const char *options, *reports;
	} rows[] = {
		{ "threshold=1", "1024.9,3072.9" },
		{ "threshold=1 variant=v10", "1024.9" },
		{ "variant=may2019 capacity=1", "1024.9" },
	};

	(void)state;
	for (unsigned int i = 0; i < ARRAY_SIZE(rows); i++) {
		struct seen s;

		begin(&s, &hinted_boundary_reporter, rows[i].options);
		rig_run(s.rig);
		alloc_set_pageblock_type(s.a, 3072, I);
		fixture_put(s.a, 3072, 9);
		fixture_put(s.a, 1024, 9);
		rig_run(s.rig);
		/* v2 takes the isolated list, of the highest type, first. */
		assert_int_equal(strstr(s.text, "3072.9") != NULL, i == 0);
		assert_non_null(strstr(s.text, "1024.9"));
		finish(&s);
	}
}

static void test_designs_edges__hinted_pages_are_counted(void **state)
{
	/* Two blocks come to rest; one is used again. */
	static const char *const variants[] = {
		"threshold=1", "threshold=1 variant=v10",
		"variant=may2019 capacity=1",
	};

	(void)state;
	for (unsigned int i = 0; i < ARRAY_SIZE(variants); i++) {
		struct seen s;

		begin(&s, &hinted_boundary_reporter, variants[i]);
		fixture_put(s.a, 1024, 9);
		fixture_put(s.a, 4096, 10);
		rig_run(s.rig);
		ASSERT_U64(variants[i], rig_counters(s.rig)->marked_pages,
			   rig_counters(s.rig)->pages);
		assert_int_not_equal(rig_counters(s.rig)->pages, 0);
		finish(&s);
	}
}

static void test_designs_edges__the_gate_is_at_the_low_mark(void **state)
{
	/* 2048 pages are free, a batch is 512: low + boost must be below 1536. */
	static const struct {
		uint64_t min, low, boost;
		bool open;
	} rows[] = {
		{ 0, 1535, 0, true }, { 0, 1536, 0, false },
		{ 1000, 1100, 435, true }, { 1000, 1100, 436, false },
	};

	(void)state;
	for (unsigned int i = 0; i < ARRAY_SIZE(rows); i++) {
		struct alloc *a = fixture_create("5.3", 0, END);
		struct seen s;

		fixture_put(a, 1024, 10);
		fixture_put(a, 4096, 10);
		alloc_set_watermarks(a, 0, rows[i].min, rows[i].low, 3000);
		alloc_set_boost(a, 0, rows[i].boost);
		start(&s, a, &hinted_boundary_reporter,
		      "variant=v2 watermark_gate=on capacity=1 threshold=1", 0);
		rig_run(s.rig);
		ASSERT_U64(test_row(i), rig_counters(s.rig)->gate_skips > 0,
			   !rows[i].open);
		ASSERT_U64(test_row(i), s.text[0] != '\0', rows[i].open);
		finish(&s);
	}
}

static void test_designs_edges__who_needs_memory_for_a_pass(void **state)
{
	/* There is none: v10 has its counts elsewhere. */
	struct alloc *a = fixture_create("5.3", 0, END);
	struct seen s;

	(void)state;
	fixture_put(a, 1024, 10);
	fixture_put(a, 4096, 9);
	start(&s, a, &hinted_boundary_reporter, "variant=v10 threshold=1", 1);
	rig_run(s.rig);
	expect("v10", &s, "1024.10");
	ASSERT_U64("asked", s.rig->env.kmallocs, 0);
	finish(&s);
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(
		test_designs_edges__a_bitmap_of_a_zone_that_begins_anywhere),
	cmocka_unit_test(test_designs_edges__bits_side_by_side),
	cmocka_unit_test(test_designs_edges__a_bit_that_the_watermark_keeps),
	cmocka_unit_test(test_designs_edges__blocks_return_to_their_pageblocks),
	cmocka_unit_test(test_designs_edges__defaults_of_the_arrays),
	cmocka_unit_test(test_designs_edges__an_entry_is_as_large_as_it_became),
	cmocka_unit_test(test_designs_edges__v8_drops_the_lock_for_every_page),
	cmocka_unit_test(test_designs_edges__v9_takes_no_smaller_block),
	cmocka_unit_test(test_designs_edges__isolated_lists),
	cmocka_unit_test(test_designs_edges__hinted_pages_are_counted),
	cmocka_unit_test(test_designs_edges__the_gate_is_at_the_low_mark),
	cmocka_unit_test(test_designs_edges__who_needs_memory_for_a_pass),
};

TEST_MAIN(cases)
