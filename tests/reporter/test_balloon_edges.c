/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The balloon and free page hints at their edges: units, rights, repetitions. */
#include "reporter/balloon.h"
#include "tests/alloc/fixture.h"
#include "tests/reporter/rig.h"
#include "tests/test.h"

#define LATENCY (10 * NSEC_PER_MSEC)

/* Requests that the host has accepted, by kind. */
struct asked {
	unsigned int nr[NR_REQUEST_KINDS];
};

static void keep_request(void *ctx, const struct host_request *rq)
{
	struct asked *asked = ctx;

	asked->nr[rq->kind]++;
}

static void ignore_report(void *ctx, const struct page_report *entries,
			  unsigned int nr)
{
	(void)ctx;
	(void)entries;
	(void)nr;
}

/* `blocks` of 2^order pages are free, from pfn 1024 on and far apart. */
static struct rig *begin(struct asked *asked, const struct reporter_ops *ops,
			 const char *options, unsigned int order,
			 unsigned int blocks)
{
	const struct sync_env_config cfg = {
		.watch = { .ctx = asked, .request = keep_request,
			   .report = ignore_report },
		.ack_latency_ns = LATENCY,
		.host = { .thp_order = 9 },
	};
	struct alloc *a = fixture_create("5.3", 0, 262144);

	*asked = (struct asked){ .nr = { 0 } };
	for (pfn_t n = blocks; n; n--)
		fixture_put(a, 1024 + (n << order) * 2, order);
	return rig_start(a, ops, options, &cfg);
}

static void finish(struct rig *rig)
{
	struct alloc *a = rig->a;

	rig_stop(rig);
	alloc_destroy(a);
}

static const struct balloon *state_of(const struct rig *rig)
{
	return rig->env.reporter.state;
}

static void set_target(struct rig *rig, uint64_t pages)
{
	sync_env_set_target(&rig->env, pages);
	rig_run(rig);
}

static void test_balloon_edges__what_it_asks_the_allocator_for(void **state)
{
	/* No reserves for anybody; large units wake kswapd and fail. */
	static const struct {
		const char *options;
		gfp_t wanted, unwanted;
	} rows[] = {
		{ "", GFP_BIT_NOMEMALLOC | GFP_BIT_NORETRY | GFP_BIT_NOWARN |
		  GFP_BIT_DIRECT_RECLAIM | GFP_BIT_MOVABLE, GFP_BIT_MEMALLOC },
		{ "movable=off", GFP_BIT_NOMEMALLOC | GFP_BIT_NORETRY,
		  GFP_BIT_MOVABLE },
		{ "unit_order=9", GFP_BIT_NOMEMALLOC | GFP_BIT_RETRY_MAYFAIL |
		  GFP_BIT_KSWAPD_RECLAIM,
		  GFP_BIT_DIRECT_RECLAIM | GFP_BIT_MOVABLE },
		{ "unit_order=9 direct_compaction=on",
		  GFP_BIT_NOMEMALLOC | GFP_BIT_DIRECT_RECLAIM,
		  GFP_BIT_NORETRY },
	};
	struct asked asked;

	(void)state;
	for (unsigned int i = 0; i < ARRAY_SIZE(rows); i++) {
		struct rig *rig = begin(&asked, &balloon_reporter,
					rows[i].options, 10, 2);
		gfp_t gfp;

		set_target(rig, 512);
		gfp = state_of(rig)->request.gfp;
		ASSERT_U64(test_row(i), gfp & rows[i].wanted, rows[i].wanted);
		ASSERT_U64(test_row(i), gfp & rows[i].unwanted, 0);
		finish(rig);
	}
}

static void test_balloon_edges__smaller_blocks_where_there_are_no_others(
	void **state)
{
	/* Order 9 is asked for, order 3 is there: with fallback it will do. */
	static const struct {
		const char *options;
		uint64_t pages;
	} rows[] = {
		{ "unit_order=9 fallback=on", 512 }, { "unit_order=9", 0 },
	};
	struct asked asked;

	(void)state;
	for (unsigned int i = 0; i < ARRAY_SIZE(rows); i++) {
		struct rig *rig = begin(&asked, &balloon_reporter,
					rows[i].options, 3, 64);

		sync_env_set_target(&rig->env, 512);
		sync_env_advance(&rig->env, NSEC_PER_SEC);
		ASSERT_U64(test_row(i), state_of(rig)->pages.nr,
			   rows[i].pages);
		finish(rig);
	}
}

static void test_balloon_edges__a_unit_is_not_broken(void **state)
{
	/* 324 pages too many: less than a unit of 512, which stays. */
	struct asked asked;
	struct rig *rig = begin(&asked, &balloon_reporter,
				"unit_order=9 fallback=on", 10, 2);

	(void)state;
	set_target(rig, 1024);
	ASSERT_U64("in", state_of(rig)->pages.nr, 1024);
	sync_env_set_target(&rig->env, 700);
	sync_env_advance(&rig->env, NSEC_PER_SEC);
	ASSERT_U64("kept", state_of(rig)->pages.nr, 1024);
	ASSERT_U64("asked", asked.nr[REQUEST_DEFLATE], 0);
	set_target(rig, 512);
	ASSERT_U64("out", state_of(rig)->pages.nr, 512);
	finish(rig);
}

static void test_balloon_edges__a_rest_below_a_unit_is_not_taken(void **state)
{
	/* Pages of split units went to an OOM: 768 are missing, one unit fits. */
	struct asked asked;
	struct rig *rig = begin(&asked, &balloon_reporter,
				"unit_order=9 movable=on oom_pages=768 "
				"batch=1000 deflate_on_oom=notifier", 10, 4);

	(void)state;
	set_target(rig, 1024);
	ASSERT_U64("oom", sync_env_oom_notify(&rig->env), 768);
	set_target(rig, 1024);
	ASSERT_U64("in", state_of(rig)->pages.nr, 256 + 512);
	finish(rig);
}

static void test_balloon_edges__an_oom_gets_a_unit(void **state)
{
	/* 256 pages are asked for, a unit of 512 is the least there is. */
	struct asked asked;
	struct rig *rig = begin(&asked, &balloon_reporter,
				"unit_order=9 deflate_on_oom=notifier", 10, 2);

	(void)state;
	set_target(rig, 1024);
	ASSERT_U64("oom", sync_env_oom_notify(&rig->env), 512);
	ASSERT_U64("left", state_of(rig)->pages.nr, 512);
	finish(rig);
}

static void test_balloon_edges__the_shrinker_goes_on(void **state)
{
	/* More than a batch is wanted: as many batches as that takes. */
	struct asked asked;
	struct rig *rig = begin(&asked, &balloon_reporter,
				"deflate_on_oom=shrinker batch=100", 10, 2);

	(void)state;
	set_target(rig, 1000);
	ASSERT_U64("freed", balloon_reporter.shrink(&rig->env.reporter, 250),
		   250);
	ASSERT_U64("left", state_of(rig)->pages.nr, 750);
	ASSERT_U64("requests", asked.nr[REQUEST_DEFLATE], 3);
	finish(rig);
}

static void test_balloon_edges__asked_again_for_the_same(void **state)
{
	/* The target is met: nothing is queued. */
	struct asked asked;
	struct rig *rig = begin(&asked, &balloon_reporter, "", 10, 2);

	(void)state;
	set_target(rig, 100);
	sync_env_set_target(&rig->env, 100);
	ASSERT_U64("state", state_of(rig)->state, BALLOON_IDLE);
	ASSERT_U64("passes", rig_run(rig), 0);
	finish(rig);
}

static void test_balloon_edges__one_buffer_for_statistics(void **state)
{
	/* The host asks twice before it has read the first. */
	const struct host_command c = { .kind = HOST_WANTS_STATS };
	struct asked asked;
	struct rig *rig = begin(&asked, &balloon_reporter, "", 10, 2);

	(void)state;
	ASSERT_U64("first", sync_env_host_request(&rig->env, &c), 0);
	ASSERT_U64("second", sync_env_host_request(&rig->env, &c), 0);
	ASSERT_U64("buffers", asked.nr[REQUEST_STATS], 1);
	sync_env_advance(&rig->env, NSEC_PER_SEC);
	ASSERT_U64("third", sync_env_host_request(&rig->env, &c), 0);
	ASSERT_U64("buffers", asked.nr[REQUEST_STATS], 2);
	sync_env_advance(&rig->env, NSEC_PER_SEC);
	finish(rig);
}

static void test_balloon_edges__hints_disturb_nobody(void **state)
{
	/* All there is, until there is no more; kswapd sleeps through it. */
	struct host_command c = { .kind = HOST_HINT_START, .id = 7 };
	struct asked asked;
	struct rig *rig = begin(&asked, &free_page_hint_reporter, "rounds=0",
				10, 3);

	(void)state;
	ASSERT_U64("start", sync_env_host_request(&rig->env, &c), 0);
	sync_env_advance(&rig->env, NSEC_PER_SEC);
	ASSERT_U64("hinted", rig_counters(rig)->hint_sent, 3 * 1024);
	ASSERT_U64("kswapd", alloc_counters(rig->a)->kswapd_wakes, 0);
	ASSERT_U64("runs", rig_counters(rig)->requests, 1);
	/* The same number again is no new run. */
	ASSERT_U64("again", sync_env_host_request(&rig->env, &c), 0);
	sync_env_advance(&rig->env, NSEC_PER_SEC);
	ASSERT_U64("runs", rig_counters(rig)->requests, 1);
	c.id = 8;
	ASSERT_U64("next", sync_env_host_request(&rig->env, &c), 0);
	sync_env_advance(&rig->env, NSEC_PER_SEC);
	ASSERT_U64("runs", rig_counters(rig)->requests, 2);
	finish(rig);
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(test_balloon_edges__what_it_asks_the_allocator_for),
	cmocka_unit_test(
		test_balloon_edges__smaller_blocks_where_there_are_no_others),
	cmocka_unit_test(test_balloon_edges__a_unit_is_not_broken),
	cmocka_unit_test(test_balloon_edges__a_rest_below_a_unit_is_not_taken),
	cmocka_unit_test(test_balloon_edges__an_oom_gets_a_unit),
	cmocka_unit_test(test_balloon_edges__the_shrinker_goes_on),
	cmocka_unit_test(test_balloon_edges__asked_again_for_the_same),
	cmocka_unit_test(test_balloon_edges__one_buffer_for_statistics),
	cmocka_unit_test(test_balloon_edges__hints_disturb_nobody),
};

TEST_MAIN(cases)
