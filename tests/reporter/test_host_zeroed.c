/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is known to be zero: through answers, splits, merges and use; flushes;
 * and that broken promises are noticed.
 */
#include <errno.h>
#include <string.h>

#include "reporter/page_reporting.h"
#include "tests/alloc/fixture.h"
#include "tests/reporter/rig.h"
#include "tests/reporter/world.h"
#include "tests/test.h"

/* A guest of a few blocks, all of which may be reported. */
#define UNCHECKED "watermark_gate=off isolate_check=off"

/* Every block but those of region 6. */
static bool zeroes(void *ctx, const struct page_report *e)
{
	(void)ctx;
	return pfn_region(e->pfn) != 6;
}

static struct rig *start(struct alloc *a, const char *options)
{
	const struct sync_env_config cfg = { .zeroes = zeroes };

	return rig_start(a, &host_zeroed_reporter, options, &cfg);
}

static size_t known(const struct rig *rig, pfn_t pfn, unsigned int order)
{
	return bitmap_count_range(rig->env.env.known_zero, pfn,
				  order_nr_pages(order));
}

static void finish(struct rig *rig)
{
	struct alloc *a = rig->a;

	rig_stop(rig);
	alloc_destroy(a);
}

static void test_host_zeroed__the_answer_says_which(void **state)
{
	/* Blocks at regions 2, 4, 6; the host does not zero the last. */
	struct alloc *a = fixture_create("6.1", 0, 65536);
	struct rig *rig;

	(void)state;
	for (pfn_t pfn = 1024; pfn <= 3072; pfn += 1024)
		fixture_put(a, pfn, 9);
	rig = start(a, UNCHECKED);
	ASSERT_U64("before", known(rig, 1024, 9), 0);
	rig_run(rig);
	ASSERT_U64("region 2", known(rig, 1024, 9), 512);
	ASSERT_U64("region 4", known(rig, 2048, 9), 512);
	ASSERT_U64("region 6", known(rig, 3072, 9), 0);
	ASSERT_U64("marked", alloc_block_marks(a, 3072), BLOCK_REPORTED);
	ASSERT_U64("zeroed", rig_counters(rig)->zeroed_pages, 1024);
	finish(rig);
}

static void test_host_zeroed__split_use_and_merge(void **state)
{
	/* A page is taken out of a known block and freed again: halves stay
	 * known while it is out, the merged block is not known. */
	struct alloc *a = fixture_create("6.1", 0, 65536);
	struct rig *rig;

	(void)state;
	fixture_put(a, 1024, 9);
	rig = start(a, UNCHECKED);
	rig_run(rig);
	ASSERT_U64("page", fixture_take(a, MIGRATE_MOVABLE, 0, 0), 1024);
	ASSERT_U64("page and rest", known(rig, 1024, 9), 512);
	rig_assert_valid(rig);
	alloc_free_buddy(a, 1024, 0);
	ASSERT_U64("merged", known(rig, 1024, 9), 0);
	ASSERT_U64("mark", alloc_block_marks(a, 1024), 0);
	rig_run(rig);
	ASSERT_U64("reported again", known(rig, 1024, 9), 512);
	ASSERT_U64("reports", rig_counters(rig)->report_calls, 2);
	finish(rig);
}

static void test_host_zeroed__both_halves(void **state)
{
	/* The second of two buddies is reported when the first is known: the
	 * block of order 10 that they merge into is known, and marked without
	 * another report. */
	struct alloc *a = fixture_create("6.1", 0, 65536);
	struct rig *rig;

	(void)state;
	fixture_put(a, 2048, 9);
	rig = start(a, UNCHECKED);
	rig_run(rig);
	/* Out of sight of the design, so that its buddy stays in flight. */
	fixture_put(a, 4096, 9);
	sync_env_process(&rig->env);
	fixture_put(a, 4608, 9);
	rig_run(rig);
	ASSERT_U64("known", known(rig, 4096, 10), 1024);
	ASSERT_U64("order", alloc_block_order(a, 4096), 10);
	ASSERT_U64("mark", alloc_block_marks(a, 4096), BLOCK_REPORTED);
	rig_assert_valid(rig);
	/* One half used: the other is known, but its mark is gone. */
	ASSERT_U64("half", fixture_take(a, MIGRATE_MOVABLE, 9, 0), 2048);
	ASSERT_U64("half", fixture_take(a, MIGRATE_MOVABLE, 9, 0), 4096);
	ASSERT_U64("other", known(rig, 4608, 9), 512);
	ASSERT_U64("mark", alloc_block_marks(a, 4608), 0);
	alloc_free_buddy(a, 2048, 9);
	rig_run(rig);
	ASSERT_U64("mark", alloc_block_marks(a, 4608), BLOCK_REPORTED);
	ASSERT_U64("carried", rig_counters(rig)->marks_carried, 1);
	finish(rig);
}

static void test_host_zeroed__flush(void **state)
{
	/* 2,000 blocks take passes of two seconds each; a flush takes no time,
	 * and one of so many pages leaves the rest for later. */
	const struct host_command all = { .kind = HOST_WANTS_FLUSH };
	const struct host_command some = { .kind = HOST_WANTS_FLUSH,
					   .pages = 100 * 1024 };
	const struct host_command pull = { .kind = HOST_WANTS_PAGES };
	struct alloc *a = fixture_create("6.1", 0, 2000 * 1024);
	struct rig *rig;

	(void)state;
	for (pfn_t pfn = 0; pfn < 2000 * 1024; pfn += 1024)
		fixture_put(a, pfn, 10);
	rig = start(a, UNCHECKED);
	assert_int_equal(sync_env_host_request(&rig->env, &pull), -EOPNOTSUPP);
	assert_int_equal(sync_env_host_request(&rig->env, &some), 0);
	sync_env_advance(&rig->env, NSEC_PER_SEC);
	assert_in_range(rig_counters(rig)->pages, 100 * 1024, 300 * 1024);
	assert_int_equal(sync_env_host_request(&rig->env, &all), 0);
	sync_env_advance(&rig->env, NSEC_PER_SEC);
	ASSERT_U64("all", rig_counters(rig)->pages, 2000 * 1024);
	rig_assert_valid(rig);
	finish(rig);
}

static void assert_noticed(const struct rig *rig, const char *expected)
{
	const char *broken = host_zeroed_reporter.check(&rig->env.reporter);

	if (!broken || !strstr(broken, expected))
		fail_msg("check() says \"%s\", expected \"%s\"",
			 broken ? broken : "(nothing)", expected);
}

static void test_host_zeroed__check_notices(void **state)
{
	/* One bit too many. */
	struct alloc *a = fixture_create("6.1", 0, 65536);
	struct page_reporting *s;
	int64_t budget;
	struct rig *rig;

	(void)state;
	for (pfn_t pfn = 1024; pfn <= 8192; pfn += 1024)
		fixture_put(a, pfn, 9);
	rig = start(a, "capacity=4 " UNCHECKED);
	s = rig->env.reporter.state;
	sync_env_process(&rig->env);
	rig_assert_valid(rig);
	bitmap_set(rig->env.env.known_zero,
		   alloc_list_first(a, 0, 9, MIGRATE_MOVABLE) + 7);
	assert_noticed(rig, "a part of");
	bitmap_clear_range(rig->env.env.known_zero, 0, 65536);
	bitmap_set(rig->env.env.known_zero,
		   rig->env.batches[rig->env.first_batch].rq.entries[0].pfn);
	assert_noticed(rig, "before the host");
	/* What it shares with page_reporting. */
	budget = s->budget;
	s->budget = -2;
	assert_noticed(rig, "more reports than allowed");
	s->budget = budget;
	bitmap_clear_range(rig->env.env.known_zero, 0, 65536);
	rig_run(rig);
	finish(rig);
}

static void test_host_zeroed__random_guest_finds_faults(void **state)
{
	/* Frees that nobody hears of; a host that lies; and without a fault
	 * there are pages that are known to be zero when they are used. */
	(void)state;
	for (unsigned int fault = 0; fault < 3; fault++) {
		const struct world_config cfg = {
			.ops = &host_zeroed_reporter,
			.options = "capacity=4 delay=100ms", .kernel = "6.1",
			.seed = 1, .ack_latency_ns = 10 * NSEC_PER_MSEC,
		};
		struct world *w = world_create(&cfg);
		unsigned int events = 0;

		if (fault == 1)
			w->hooks.free_capture = NULL;
		if (fault == 2)
			w->env.cfg.watch.report = NULL;
		alloc_set_hooks(w->a, &w->hooks);
		while (events < 1200 && world_step(w))
			events++;
		if (!fault) {
			assert_string_equal(w->broken, "");
			assert_true(w->known > 0);
			assert_true(world_finish(w));
			world_destroy(w);
			continue;
		}
		if (!strstr(w->broken, "known to be zero") &&
		    !strstr(w->broken, "used since"))
			fail_msg("fault %u: found \"%s\"", fault, w->broken);
		world_abandon(w);
	}
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(test_host_zeroed__the_answer_says_which),
	cmocka_unit_test(test_host_zeroed__split_use_and_merge),
	cmocka_unit_test(test_host_zeroed__both_halves),
	cmocka_unit_test(test_host_zeroed__flush),
	cmocka_unit_test(test_host_zeroed__check_notices),
	cmocka_unit_test(test_host_zeroed__random_guest_finds_faults),
};

TEST_MAIN(cases)
