/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * page_reporting over time: what a request, a free, an allocation, an error or
 * the end of the device does while the timer runs or the host has a batch.
 */
#include <errno.h>

#include "reporter/page_reporting.h"
#include "tests/alloc/fixture.h"
#include "tests/reporter/rig.h"
#include "tests/test.h"

#define REPORTING &page_reporting_reporter
#define SECOND NSEC_PER_SEC

static enum page_reporting_state state_of(const struct rig *rig)
{
	const struct page_reporting *s = rig->env.reporter.state;

	return s->state;
}

/*
 * Free `nr` blocks of order 9 whose buddies stay allocated, and a smaller one:
 * with nothing else free the last block could not be isolated.
 */
static struct alloc *guest_with(const char *kernel, unsigned int nr)
{
	struct alloc *a = fixture_create(kernel, 0, 65536);

	fixture_put(a, 256, 8);
	for (unsigned int i = 0; i < nr; i++)
		fixture_put(a, 1024 * (i + 1), 9);
	return a;
}

static void finish(struct rig *rig)
{
	struct alloc *a = rig->a;

	rig_stop(rig);
	alloc_destroy(a);
}

static void test_page_reporting__a_request_waits_two_seconds(void **state)
{
	/* Start, and each free after it, ask for one pass 2 s after the first. */
	struct alloc *a = guest_with("6.1", 40);
	struct rig *rig = rig_start(a, REPORTING, "", NULL);
	const struct reporter_counters *c = rig_counters(rig);

	(void)state;
	sync_env_advance(&rig->env, 1 * SECOND);
	fixture_put(a, 60000 / 1024 * 1024, 9);
	sync_env_advance(&rig->env, 1 * SECOND - 1);
	ASSERT_U64("early", c->passes, 0);
	assert_int_equal(state_of(rig), PAGE_REPORTING_REQUESTED);
	sync_env_advance(&rig->env, 1);
	ASSERT_U64("in time", c->passes, 1);
	ASSERT_U64("in time", c->requests, 1);
	ASSERT_U64("in time", c->blocks[9], 41);
	assert_int_equal(state_of(rig), PAGE_REPORTING_IDLE);
	sync_env_advance(&rig->env, 100 * SECOND);
	ASSERT_U64("idle", c->passes, 1);
	finish(rig);
}

static void test_page_reporting__frees_in_a_pass_ask_for_one_more(void **state)
{
	/*
	 * The host takes 3 s. Frees meanwhile only raise the flag; the next
	 * pass is 2 s after the end of this one.
	 */
	const struct sync_env_config slow = { .ack_latency_ns = 3 * SECOND };
	struct alloc *a = guest_with("6.1", 40);
	struct rig *rig = rig_start(a, REPORTING, "capacity=8", &slow);
	const struct reporter_counters *c = rig_counters(rig);

	(void)state;
	sync_env_advance(&rig->env, 2 * SECOND);
	assert_int_equal(state_of(rig), PAGE_REPORTING_ACTIVE);
	fixture_put(a, 50 * 1024, 9);
	fixture_put(a, 51 * 1024, 9);
	assert_int_equal(state_of(rig), PAGE_REPORTING_REQUESTED);
	assert_false(rig->env.scheduled);
	ASSERT_U64("asked once", c->requests, 2);
	rig_assert_valid(rig);
	/* Two reports on the list (budget 1), 3 s each. */
	sync_env_advance(&rig->env, 6 * SECOND);
	ASSERT_U64("calls", c->report_calls, 2);
	assert_true(rig->env.scheduled);
	ASSERT_U64("next pass", rig->env.scheduled_ns, 10 * SECOND);
	finish(rig);
}

static void test_page_reporting__batch_is_off_the_lists(void **state)
{
	/* What the host has cannot be allocated; the list head is unreported. */
	struct alloc *a = guest_with("5.7", 4);
	struct rig *rig = rig_start(a, REPORTING, "capacity=2", NULL);

	(void)state;
	assert_true(sync_env_process(&rig->env));
	rig_assert_reports("in flight", rig, "{3072,4096}");
	fixture_assert_lists("in flight", a, 0, "o8/M[256] o9/M[2048 1024]");
	rig_assert_valid(rig);
	ASSERT_U64("allocation", fixture_take(a, MIGRATE_MOVABLE, 9, 0), 2048);
	/* The walk begins again at the head: the block is not missed. */
	assert_true(sync_env_ack(&rig->env, 0));
	rig_assert_reports("leftover", rig, "{1024}");
	assert_true(sync_env_ack(&rig->env, 0));
	fixture_assert_lists("done", a, 0, "o8/M[256] o9/M[1024r 4096r 3072r]");
	finish(rig);
}

static void test_page_reporting__buddy_freed_in_flight(void **state)
{
	/* The drained block merges: unmarked, and reported later as order 10. */
	struct alloc *a = guest_with("6.1", 3);
	struct rig *rig = rig_start(a, REPORTING, "capacity=2", NULL);

	(void)state;
	sync_env_process(&rig->env);
	rig_assert_reports("in flight", rig, "{2048,3072}");
	fixture_put(a, 3584, 9);
	sync_env_run_pass(&rig->env);
	ASSERT_U64("merged", rig_counters(rig)->putback_merged, 1);
	/* Order 9 went on: 1024; order 10 is the merged block. */
	rig_assert_reports("goes on", rig, "{3072,1024}");
	fixture_assert_lists("done", a, 0, "o8/M[256] o9/M[2048r 1024r] o10/M[3072r]");
	rig_run(rig);
	finish(rig);
}

static void test_page_reporting__type_changed_in_flight(void **state)
{
	/* The block goes back to the list of what its pageblock is now. */
	struct alloc *a = guest_with("6.1", 1);
	struct rig *rig =
		rig_start(a, REPORTING, "watermark_gate=off", NULL);

	(void)state;
	sync_env_process(&rig->env);
	alloc_set_pageblock_type(a, 1024, MIGRATE_UNMOVABLE);
	sync_env_ack(&rig->env, 0);
	fixture_assert_lists("retyped", a, 0, "o8/M[256] o9/U[1024r]");
	finish(rig);
}

/* How a batch of two comes to fail. */
enum failure { REFUSED_FULL, REFUSED_LEFTOVER, FAILED_FULL, FAILED_LEFTOVER };

static void run_failure(enum failure how)
{
	const bool full = how == REFUSED_FULL || how == FAILED_FULL;
	const bool refused = how == REFUSED_FULL || how == REFUSED_LEFTOVER;
	const struct sync_env_config cfg = {
		.refuse_every = refused ? 1 : 0, .fail_every = refused ? 0 : 1,
	};
	struct alloc *a = guest_with("6.1", full ? 3 : 2);
	struct rig *rig = rig_start(a, REPORTING, full ?
				    "watermark_gate=off capacity=2" :
				    "watermark_gate=off capacity=4", &cfg);
	const struct reporter_counters *c = rig_counters(rig);

	sync_env_run_pass(&rig->env);
	ASSERT_U64("errors", c->report_errors, 1);
	ASSERT_U64("calls", c->report_calls, refused ? 0 : 1);
	ASSERT_U64("blocks", c->blocks[9], refused ? 0 : 2);
	/* All are back, unmarked, and nobody tries again. */
	fixture_assert_lists("failed", a, 0, full ?
			     "o8/M[256] o9/M[1024 2048 3072]" : "o8/M[256] o9/M[1024 2048]");
	assert_int_equal(state_of(rig), PAGE_REPORTING_IDLE);
	assert_false(sync_env_run_pass(&rig->env));
	/* The next free is the next chance. */
	rig->env.cfg.refuse_every = 0;
	rig->env.cfg.fail_every = 0;
	fixture_put(a, 8192, 9);
	rig_run(rig);
	ASSERT_U64("retried", c->blocks[9],
		   (full ? 4 : 3) + (refused ? 0 : 2));
	finish(rig);
}

static void test_page_reporting__errors_end_the_pass(void **state)
{
	/* Full or partial batch, refused at once or failed later. */
	(void)state;
	run_failure(REFUSED_FULL);
	run_failure(REFUSED_LEFTOVER);
	run_failure(FAILED_FULL);
	run_failure(FAILED_LEFTOVER);
}

static void test_page_reporting__request_survives_an_error(void **state)
{
	/* A free while a batch is out that will fail: the pass it asked for. */
	struct alloc *a = guest_with("6.1", 40);
	struct rig *rig = rig_start(a, REPORTING, "", NULL);

	(void)state;
	sync_env_process(&rig->env);
	fixture_put(a, 50 * 1024, 9);
	sync_env_ack(&rig->env, -EIO);
	rig_assert_valid(rig);
	assert_int_equal(state_of(rig), PAGE_REPORTING_REQUESTED);
	assert_true(rig->env.scheduled);
	rig_run(rig);
	ASSERT_U64("all", rig_counters(rig)->blocks[9], 32 + 41);
	finish(rig);
}

static void test_page_reporting__an_error_ends_later_zones_too(void **state)
{
	/* Two zones; the first report fails, the second zone is not reached. */
	static const struct alloc_zone_config zones[] = {
		{ .type = ZONE_DMA32, .start = 0, .end = 8192 },
		{ .type = ZONE_NORMAL, .start = 8192, .end = 16384 },
	};
	const struct alloc_config config = {
		.profile = alloc_profile_find("6.1"), .nr_cpus = 1,
		.nr_nodes = 1, .zones = zones, .nr_zones = 2,
		.pageblock_order = 9, .pcp_disabled = true,
	};
	struct alloc *a = fixture_create_config(&config);
	struct rig *rig;

	(void)state;
	fixture_put(a, 256, 8);
	fixture_put(a, 1024, 9);
	fixture_put(a, 8192, 8);
	fixture_put(a, 9216, 9);
	rig = rig_start(a, REPORTING, "watermark_gate=off", NULL);
	sync_env_process(&rig->env);
	sync_env_ack(&rig->env, -EIO);
	rig_assert_reports("first zone", rig, "{1024}");
	assert_int_equal(state_of(rig), PAGE_REPORTING_IDLE);
	/* And without an error: one partial batch per zone. */
	sync_env_start(&rig->env);
	rig_run(rig);
	rig_assert_reports("both", rig, "{1024} {9216}");
	finish(rig);
}

static void test_page_reporting__stop_lets_the_pass_end(void **state)
{
	/* Stopped with a batch out: the list is finished, then nothing more. */
	struct alloc *a = guest_with("6.1", 40);
	struct rig *rig = rig_start(a, REPORTING, "capacity=16", NULL);
	const struct reporter_counters *c = rig_counters(rig);

	(void)state;
	sync_env_process(&rig->env);
	rig->env.reporter.ops->stop(&rig->env.reporter);
	fixture_put(a, 50 * 1024, 9);
	rig_assert_valid(rig);
	while (sync_env_ack(&rig->env, 0))
		rig_assert_valid(rig);
	/* Budget 1: two calls; the list then asked for more, in vain. */
	ASSERT_U64("calls", c->report_calls, 2);
	assert_int_equal(state_of(rig), PAGE_REPORTING_IDLE);
	assert_false(rig->env.scheduled);
	fixture_put(a, 52 * 1024, 9);
	assert_int_equal(state_of(rig), PAGE_REPORTING_IDLE);
	finish(rig);
}

static void test_page_reporting__stop_before_the_pass(void **state)
{
	/* Stopped while armed: the timer is gone, nothing was isolated. */
	struct alloc *a = guest_with("6.1", 40);
	struct rig *rig = rig_start(a, REPORTING, "", NULL);

	(void)state;
	rig->env.reporter.ops->stop(&rig->env.reporter);
	assert_false(rig->env.scheduled);
	assert_int_equal(state_of(rig), PAGE_REPORTING_IDLE);
	ASSERT_U64("isolated", alloc_counters(a)->isolated, 0);
	finish(rig);
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(test_page_reporting__a_request_waits_two_seconds),
	cmocka_unit_test(test_page_reporting__frees_in_a_pass_ask_for_one_more),
	cmocka_unit_test(test_page_reporting__batch_is_off_the_lists),
	cmocka_unit_test(test_page_reporting__buddy_freed_in_flight),
	cmocka_unit_test(test_page_reporting__type_changed_in_flight),
	cmocka_unit_test(test_page_reporting__errors_end_the_pass),
	cmocka_unit_test(test_page_reporting__request_survives_an_error),
	cmocka_unit_test(test_page_reporting__an_error_ends_later_zones_too),
	cmocka_unit_test(test_page_reporting__stop_lets_the_pass_end),
	cmocka_unit_test(test_page_reporting__stop_before_the_pass),
};

TEST_MAIN(cases)
