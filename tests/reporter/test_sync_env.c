/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The environment without a machine: its clock, its host, and the hooks. */
#include <errno.h>

#include "tests/alloc/fixture.h"
#include "tests/reporter/designs.h"
#include "tests/reporter/rig.h"
#include "tests/test.h"

static void test_sync_env__tables_are_complete(void **state)
{
	/* Every design: a name, a summary, usable defaults, all calls. */
	const struct reporter_ops *const *all = registry.reporters;

	(void)state;
	for (size_t i = 0; all[i]; i++) {
		const struct reporter_ops *ops = all[i];

		assert_true(ops->name && ops->name[0]);
		assert_true(ops->summary && ops->summary[0]);
		assert_non_null(ops->options.descs);
		assert_true(ops->init && ops->start && ops->process);
		assert_true(ops->drain && ops->stop && ops->idle);
		assert_true(ops->check && ops->destroy);
		/* Hooks are called from notify_order on. */
		if (ops->free_notify || ops->tail_position)
			assert_non_null(ops->notify_order);
		for (const struct option_desc *o = ops->options.descs;
		     o->name; o++)
			assert_true(o->def && o->help && o->unit);
		for (size_t j = 0; j < i; j++)
			assert_string_not_equal(all[j]->name, ops->name);
	}
}

static void kswapd_wake(void *ctx, unsigned int node, unsigned int order,
			unsigned int highest, gfp_t gfp)
{
	(void)ctx;
	(void)highest;
	(void)gfp;
	(void)node;
	(void)order;
}

static void test_sync_env__hooks_leave_the_rest_alone(void **state)
{
	/* The reporter's five members are set, those of the caller kept. */
	struct alloc *a = fixture_create("6.1", 0, 8192);
	struct sync_env_config cfg = { .ops = &hinted_boundary_reporter };
	struct alloc_hooks h = { .ctx = a, .kswapd_wake = kswapd_wake };
	struct sync_env e;
	char why[64];

	(void)state;
	assert_int_equal(sync_env_init(&e, a, &cfg, why, sizeof(why)), 0);
	sync_env_hooks(&e, &h);
	assert_ptr_equal(h.ctx, a);
	assert_true(h.kswapd_wake == kswapd_wake);
	assert_ptr_equal(h.reporter_ctx, &e.reporter);
	ASSERT_U64("order", h.notify_order, 9);
	assert_true(h.free_notify && h.block_unmark && h.tail_position);
	assert_true(h.unmark_on_move);
	sync_env_destroy(&e);
	/* A design without hooks takes them all off. */
	cfg.ops = &none_reporter;
	assert_int_equal(sync_env_init(&e, a, &cfg, why, sizeof(why)), 0);
	sync_env_hooks(&e, &h);
	ASSERT_U64("never", h.notify_order, NR_PAGE_ORDERS);
	assert_false(h.free_notify || h.block_unmark || h.tail_position);
	assert_false(h.unmark_on_move);
	assert_true(h.kswapd_wake == kswapd_wake);
	sync_env_destroy(&e);
	alloc_destroy(a);
}

static struct rig *rig_with(const struct sync_env_config *cfg)
{
	struct alloc *a = fixture_create("6.1", 0, 65536);

	fixture_put(a, 256, 8);
	for (pfn_t pfn = 1024; pfn <= 40960; pfn += 1024)
		fixture_put(a, pfn, 9);
	return rig_start(a, &page_reporting_reporter, "capacity=10 budget=0",
			 cfg);
}

static void finish(struct rig *rig)
{
	struct alloc *a = rig->a;

	rig_stop(rig);
	alloc_destroy(a);
}

static void test_sync_env__latency(void **state)
{
	/* Four batches, each acknowledged 300 ms after it was sent. */
	const struct sync_env_config cfg = {
		.ack_latency_ns = 300 * NSEC_PER_MSEC,
	};
	struct rig *rig = rig_with(&cfg);

	(void)state;
	sync_env_advance(&rig->env, 2 * NSEC_PER_SEC);
	ASSERT_U64("sent", rig->env.reports, 1);
	sync_env_advance(&rig->env, 300 * NSEC_PER_MSEC - 1);
	ASSERT_U64("not yet", rig->env.acks, 0);
	sync_env_advance(&rig->env, 1);
	ASSERT_U64("now", rig->env.acks, 1);
	ASSERT_U64("next", rig->env.reports, 2);
	/* run_pass jumps: to the end of the pass that is under way. */
	assert_true(sync_env_run_pass(&rig->env));
	ASSERT_U64("all", rig->env.acks, 4);
	ASSERT_U64("clock", rig->env.now_ns, 3200 * NSEC_PER_MSEC);
	assert_false(sync_env_run_pass(&rig->env));
	finish(rig);
}

static void test_sync_env__faults(void **state)
{
	/* The third report is refused; the second acknowledgement fails. */
	const struct sync_env_config refuse = { .refuse_every = 3 };
	const struct sync_env_config fail = { .fail_every = 2 };
	struct rig *rig = rig_with(&refuse);

	(void)state;
	rig_run(rig);
	ASSERT_U64("asked", rig->env.reports, 3);
	ASSERT_U64("accepted", rig_counters(rig)->report_calls, 2);
	ASSERT_U64("errors", rig_counters(rig)->report_errors, 1);
	finish(rig);
	rig = rig_with(&fail);
	rig_run(rig);
	ASSERT_U64("accepted", rig_counters(rig)->report_calls, 2);
	ASSERT_U64("errors", rig_counters(rig)->report_errors, 1);
	finish(rig);
}

static void test_sync_env__by_hand(void **state)
{
	/* process() once; each acknowledgement sends the next batch. */
	struct rig *rig = rig_with(NULL);

	(void)state;
	assert_false(sync_env_ack(&rig->env, 0));
	assert_true(sync_env_process(&rig->env));
	assert_false(sync_env_process(&rig->env));
	for (unsigned int i = 1; i <= 4; i++) {
		ASSERT_U64("sent", rig->env.reports, i);
		ASSERT_U64("in flight", rig->env.out_pages, 5120);
		assert_true(sync_env_ack(&rig->env, 0));
		rig_assert_valid(rig);
	}
	assert_false(sync_env_ack(&rig->env, 0));
	ASSERT_U64("back", rig->env.out_pages, 0);
	ASSERT_U64("largest", rig->env.max_in_flight, 10);
	finish(rig);
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(test_sync_env__tables_are_complete),
	cmocka_unit_test(test_sync_env__hooks_leave_the_rest_alone),
	cmocka_unit_test(test_sync_env__latency),
	cmocka_unit_test(test_sync_env__faults),
	cmocka_unit_test(test_sync_env__by_hand),
};

TEST_MAIN(cases)
