/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hinted_boundary on two zones: turns, errors, and the end of the device. */
#include "reporter/hinted_boundary.h"
#include "tests/alloc/fixture.h"
#include "tests/reporter/rig.h"
#include "tests/test.h"

#define HINTING &hinted_boundary_reporter

static const struct hinted_boundary *state_of(const struct rig *rig)
{
	return rig->env.reporter.state;
}

static void finish(struct rig *rig)
{
	struct alloc *a = rig->a;

	rig_stop(rig);
	alloc_destroy(a);
}

/* Two zones with three blocks each. */
static struct alloc *two_zones(void)
{
	static const struct alloc_zone_config zones[] = {
		{ .type = ZONE_DMA32, .start = 0, .end = 8192 },
		{ .type = ZONE_NORMAL, .start = 8192, .end = 16384 },
	};
	const struct alloc_config config = {
		.profile = alloc_profile_find("5.3"), .nr_cpus = 1,
		.nr_nodes = 1, .zones = zones, .nr_zones = 2,
		.pageblock_order = 9, .pcp_disabled = true,
	};
	struct alloc *a = fixture_create_config(&config);

	for (pfn_t pfn = 0; pfn < 3072; pfn += 1024) {
		fixture_put(a, pfn, 10);
		fixture_put(a, 8192 + pfn, 10);
	}
	return a;
}

static void test_hinted_boundary__round_robin(void **state)
{
	/* Zones in turn; one that is requested while it waits is done, too. */
	struct alloc *a = two_zones();
	struct rig *rig = rig_start(a, HINTING, "capacity=2 threshold=1", NULL);

	(void)state;
	ASSERT_U64("start", rig_counters(rig)->requests, 2);
	sync_env_process(&rig->env);
	sync_env_ack(&rig->env, 0);
	sync_env_ack(&rig->env, 0);
	ASSERT_U64("second zone", state_of(rig)->active, 1);
	fixture_put(a, 4096, 10);
	assert_true(state_of(rig)->zones[0].requested);
	assert_false(rig->env.scheduled);
	rig_run(rig);
	rig_assert_reports("both", rig, "{0,1024} {2048} "
			   "{8192,9216} {10240} {4096}");
	ASSERT_U64("one run", rig_counters(rig)->passes, 1);
	ASSERT_U64("requests", rig_counters(rig)->requests, 3);
	finish(rig);
}

static void test_hinted_boundary__errors_leave_the_zone(void **state)
{
	/* The first zone's batch fails: unmarked, unrequested; the second not. */
	static const struct {
		const char *name;
		struct sync_env_config cfg;
		uint64_t calls;
	} rows[] = {
		{ "refused", { .refuse_every = 3 }, 2 },
		{ "failed", { .fail_every = 3 }, 3 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct alloc *a = two_zones();
		struct rig *rig = rig_start(a, HINTING, "capacity=2",
					    &rows[i].cfg);
		const struct reporter_counters *c = rig_counters(rig);

		ASSERT_U64(rows[i].name, rig_run(rig), 1);
		ASSERT_U64(rows[i].name, c->report_errors, 1);
		ASSERT_U64(rows[i].name, c->report_calls, rows[i].calls);
		fixture_assert_lists(rows[i].name, a, 0,
				     "o10/M[2048h 1024h 0h]");
		fixture_assert_lists(rows[i].name, a, 1,
				     "o10/M[10240 8192 9216]");
		assert_true(rig->env.reporter.ops->idle(&rig->env.reporter));
		finish(rig);
	}
}

static void test_hinted_boundary__stop(void **state)
{
	/* Armed: requests are dropped. Running: the work is finished. */
	struct alloc *a = two_zones();
	struct rig *rig = rig_start(a, HINTING, "capacity=2", NULL);
	const struct reporter_ops *ops = rig->env.reporter.ops;

	(void)state;
	ops->stop(&rig->env.reporter);
	rig_assert_valid(rig);
	assert_true(ops->idle(&rig->env.reporter));
	assert_false(rig->env.scheduled);
	rig_stop(rig);
	rig = rig_start(a, HINTING, "capacity=2", NULL);
	sync_env_process(&rig->env);
	ops->stop(&rig->env.reporter);
	rig_assert_valid(rig);
	while (sync_env_ack(&rig->env, 0))
		rig_assert_valid(rig);
	ASSERT_U64("all", rig_counters(rig)->blocks[10], 6);
	assert_true(ops->idle(&rig->env.reporter));
	finish(rig);
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(test_hinted_boundary__round_robin),
	cmocka_unit_test(test_hinted_boundary__errors_leave_the_zone),
	cmocka_unit_test(test_hinted_boundary__stop),
};

TEST_MAIN(cases)
