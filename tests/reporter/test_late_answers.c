/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What happens between a question and its answer: frees, allocations, errors,
 * a device that comes back; and the borders that an answer keeps.
 */
#include <errno.h>

#include "reporter/ideal.h"
#include "reporter/pull_bitmap.h"
#include "tests/alloc/fixture.h"
#include "tests/reporter/rig.h"
#include "tests/test.h"

#define U MIGRATE_UNMOVABLE
#define M MIGRATE_MOVABLE

/* Zones [0, 1536) and [1536, 8192), which meet inside a block; 2 CPUs. */
static struct alloc *guest(void)
{
	static const struct alloc_zone_config zones[] = {
		{ .type = ZONE_DMA32, .start = 0, .end = 1536 },
		{ .type = ZONE_NORMAL, .start = 1536, .end = 8192 },
	};
	const struct alloc_config config = {
		.profile = alloc_profile_find("6.1"), .nr_cpus = 2,
		.nr_nodes = 1, .zones = zones, .nr_zones = 2,
		.pageblock_order = 9, .pcp_disabled = true, .cma = true,
		.isolation = true, .watermark_boost_factor = UINT32_MAX,
	};

	return fixture_create_config(&config);
}

static void finish(struct rig *rig)
{
	struct alloc *a = rig->a;

	rig_stop(rig);
	alloc_destroy(a);
}

static void ask(struct rig *rig, uint64_t pages)
{
	const struct host_command c = { .kind = HOST_WANTS_PAGES,
					.pages = pages };

	assert_int_equal(sync_env_host_request(&rig->env, &c), 0);
	rig_assert_valid(rig);
}

static const struct pull_bitmap *maps_of(const struct rig *rig)
{
	return rig->env.reporter.state;
}

static void test_late_answers__no_block_spans_zones(void **state)
{
	/* 1024 aligned pages are free, half of them each zone's. */
	struct alloc *a = guest();
	struct rig *rig;

	(void)state;
	fixture_put(a, 1024, 9);
	fixture_put(a, 1536, 9);
	rig = rig_start(a, &pull_bitmap_reporter, "", NULL);
	ask(rig, 1024);
	rig_assert_reports("border", rig, "{1024,1536}");
	while (sync_env_ack(&rig->env, 0))
		rig_assert_valid(rig);
	finish(rig);
}

static void test_late_answers__a_run_is_of_one_cpu(void **state)
{
	/* Neighbours that two CPUs have freed are in two maps. */
	struct alloc *a = guest();
	struct rig *rig = rig_start(a, &pull_bitmap_reporter,
				    "variant=per_cpu", NULL);

	(void)state;
	alloc_free(a, 0, 1024, 0);
	alloc_free(a, 1, 1025, 0);
	ask(rig, 2);
	rig_assert_reports("maps", rig, "{1024,1025}");
	ASSERT_U64("map 1", bitmap_test(maps_of(rig)->maps[1], 1025), 0);
	while (sync_env_ack(&rig->env, 0))
		rig_assert_valid(rig);
	ASSERT_U64("map 0", bitmap_test(maps_of(rig)->maps[0], 1024), 1);
	ASSERT_U64("map 1", bitmap_test(maps_of(rig)->maps[1], 1025), 1);
	finish(rig);
}

static void test_late_answers__an_error_ends_a_pull(void **state)
{
	/* One page an answer; the first one fails. */
	struct alloc *a = guest();
	struct rig *rig;

	(void)state;
	fixture_put(a, 1024, 0);
	fixture_put(a, 2048, 0);
	rig = rig_start(a, &pull_bitmap_reporter, "capacity=1", NULL);
	ask(rig, 2);
	assert_true(sync_env_ack(&rig->env, -EIO));
	assert_false(sync_env_ack(&rig->env, 0));
	rig_assert_reports("one", rig, "{1024}");
	ASSERT_U64("errors", rig_counters(rig)->report_errors, 1);
	finish(rig);
}

static void test_late_answers__a_page_that_was_taken_has_no_bit(void **state)
{
	/* Allocated while the host has it: not offered after the answer. */
	struct alloc *a = guest();
	struct rig *rig;

	(void)state;
	fixture_put(a, 1024, 0);
	rig = rig_start(a, &pull_bitmap_reporter, "", NULL);
	ask(rig, 1);
	ASSERT_U64("page", fixture_take(a, M, 0, 0), 1024);
	assert_true(alloc_stalled(a, 0, 1024, 0));
	assert_true(sync_env_ack(&rig->env, 0));
	ASSERT_U64("bit", bitmap_test(maps_of(rig)->maps[0], 1024), 0);
	ASSERT_U64("taken", bitmap_test(maps_of(rig)->taken, 1024), 0);
	finish(rig);
}

static void test_late_answers__a_device_that_comes_back(void **state)
{
	/*
	 * It went while the host had 1024; 2048 was used meanwhile, 3072 was
	 * freed. Bits are those of what is free now, and not with the host.
	 */
	struct alloc *a = guest();
	const struct reporter_ops *ops = &pull_bitmap_reporter;
	const struct pull_bitmap *s;
	struct rig *rig;

	(void)state;
	fixture_put(a, 1024, 0);
	fixture_put(a, 2048, 0);
	rig = rig_start(a, ops, "capacity=1", NULL);
	s = maps_of(rig);
	ask(rig, 1);
	ops->stop(&rig->env.reporter);
	assert_true(alloc_take_off_buddy(a, 2048, 0));
	alloc_free(a, 0, 3072, 0);
	ops->start(&rig->env.reporter);
	ASSERT_U64("in flight", bitmap_test(s->maps[0], 1024), 0);
	ASSERT_U64("used", bitmap_test(s->maps[0], 2048), 0);
	ASSERT_U64("freed", bitmap_test(s->maps[0], 3072), 1);
	rig_assert_valid(rig);
	while (sync_env_ack(&rig->env, 0))
		rig_assert_valid(rig);
	ASSERT_U64("back", bitmap_test(s->maps[0], 1024), 1);
	finish(rig);
}

static bool zeroes(void *ctx, const struct page_report *e)
{
	(void)ctx;
	(void)e;
	return true;
}

static void test_late_answers__small_blocks_ask_for_nothing(void **state)
{
	/* host_zeroed hears of every merge, and acts on large blocks. */
	const struct sync_env_config cfg = { .zeroes = zeroes };
	struct alloc *a = guest();
	struct rig *rig = rig_start(a, &host_zeroed_reporter, "", &cfg);
	uint64_t before;

	(void)state;
	rig_run(rig);
	before = rig_counters(rig)->requests;
	for (pfn_t pfn = 2048; pfn < 2048 + 256; pfn += 8)
		fixture_put(a, pfn, 3);
	ASSERT_U64("requests", rig_counters(rig)->requests, before);
	fixture_put(a, 2304, 8);
	ASSERT_U64("requests", rig_counters(rig)->requests, before + 1);
	rig_run(rig);
	finish(rig);
}

static sim_ns_t never(void *ctx, pfn_t pfn, unsigned int order)
{
	(void)ctx;
	(void)pfn;
	(void)order;
	return UINT64_MAX;
}

static void ignore(void *ctx, const struct page_report *entries,
		   unsigned int nr)
{
	(void)ctx;
	(void)entries;
	(void)nr;
}

static struct rig *foresee(struct alloc *a)
{
	const struct sync_env_config cfg = {
		.watch = { .report = ignore }, .next_use = never,
		.ack_latency_ns = NSEC_PER_SEC,
	};

	return rig_start(a, &ideal_reporter, "", &cfg);
}

static void test_late_answers__a_block_that_was_retyped(void **state)
{
	/* It goes to the list of what its pageblock has become. */
	struct alloc *a = guest();
	struct rig *rig;

	(void)state;
	fixture_put(a, 2048, 9);
	rig = foresee(a);
	sync_env_advance(&rig->env, 500 * NSEC_PER_MSEC);
	ASSERT_U64("with the host", alloc_is_free_head(a, 2048), 0);
	alloc_set_pageblock_type(a, 2048, U);
	sync_env_advance(&rig->env, 5 * NSEC_PER_SEC);
	ASSERT_U64("type", alloc_block_type(a, 2048), U);
	finish(rig);
}

static void test_late_answers__a_free_meanwhile_is_decided_on(void **state)
{
	/* The answer comes, and nothing else happens any more. */
	struct alloc *a = guest();
	struct rig *rig;

	(void)state;
	fixture_put(a, 2048, 9);
	rig = foresee(a);
	sync_env_advance(&rig->env, 500 * NSEC_PER_MSEC);
	fixture_put(a, 4096, 9);
	sync_env_advance(&rig->env, 10 * NSEC_PER_SEC);
	ASSERT_U64("blocks", rig_counters(rig)->blocks[9], 2);
	ASSERT_U64("marked", alloc_block_marks(a, 4096), BLOCK_REPORTED);
	finish(rig);
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(test_late_answers__no_block_spans_zones),
	cmocka_unit_test(test_late_answers__a_run_is_of_one_cpu),
	cmocka_unit_test(test_late_answers__an_error_ends_a_pull),
	cmocka_unit_test(test_late_answers__a_page_that_was_taken_has_no_bit),
	cmocka_unit_test(test_late_answers__a_device_that_comes_back),
	cmocka_unit_test(test_late_answers__small_blocks_ask_for_nothing),
	cmocka_unit_test(test_late_answers__a_block_that_was_retyped),
	cmocka_unit_test(test_late_answers__a_free_meanwhile_is_decided_on),
};

TEST_MAIN(cases)
