/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The event queue: order, ties, cancelling. */
#include "include/rng.h"
#include "sim/engine.h"
#include "tests/test.h"

struct log {
	struct engine *e;
	uint64_t args[4096];
	sim_ns_t at[4096];
	unsigned int nr;
};

static void note(void *ctx, uint64_t arg)
{
	struct log *l = ctx;

	l->args[l->nr] = arg;
	l->at[l->nr++] = l->e->now;
}

static void test_engine__runs_by_time(void **state)
{
	/* Three events, scheduled out of order. */
	struct engine e;
	struct log l = { .e = &e };

	(void)state;
	assert_int_equal(engine_init(&e), 0);
	engine_at(&e, 30, note, &l, 3);
	engine_at(&e, 10, note, &l, 1);
	engine_at(&e, 20, note, &l, 2);
	while (engine_step(&e))
		;
	assert_int_equal(l.nr, 3);
	assert_int_equal(l.args[0], 1);
	assert_int_equal(l.args[1], 2);
	assert_int_equal(l.args[2], 3);
	assert_int_equal(e.now, 30);
	engine_destroy(&e);
}

static void test_engine__ties_run_in_order_of_scheduling(void **state)
{
	/* A thousand events at the same instant. */
	struct engine e;
	struct log l = { .e = &e };
	unsigned int i;

	(void)state;
	assert_int_equal(engine_init(&e), 0);
	for (i = 0; i < 1000; i++)
		engine_at(&e, 5, note, &l, i);
	while (engine_step(&e))
		;
	for (i = 0; i < 1000; i++)
		assert_int_equal(l.args[i], i);
	engine_destroy(&e);
}

static void test_engine__cancel_removes_exactly_one(void **state)
{
	/* Random times; every third event is cancelled. */
	struct engine e;
	struct log l = { .e = &e };
	uint64_t seq[300];
	struct rng r;
	unsigned int i;

	(void)state;
	rng_init(&r, 7, "engine", 0);
	assert_int_equal(engine_init(&e), 0);
	for (i = 0; i < 300; i++)
		seq[i] = engine_at(&e, rng_below(&r, 1000), note, &l, i);
	for (i = 0; i < 300; i += 3) {
		assert_true(engine_cancel(&e, seq[i]));
		assert_false(engine_cancel(&e, seq[i]));
	}
	while (engine_step(&e))
		;
	assert_int_equal(l.nr, 200);
	for (i = 0; i < l.nr; i++) {
		assert_true(l.args[i] % 3 != 0);
		assert_true(i == 0 || l.at[i - 1] <= l.at[i]);
	}
	engine_destroy(&e);
}

static void again(void *ctx, uint64_t arg)
{
	struct log *l = ctx;

	note(ctx, arg);
	if (arg < 50)
		engine_at(l->e, l->e->now + 7, again, ctx, arg + 1);
}

static void test_engine__events_schedule_events(void **state)
{
	/* A chain of events, each asking for the next. */
	struct engine e;
	struct log l = { .e = &e };

	(void)state;
	assert_int_equal(engine_init(&e), 0);
	engine_at(&e, 0, again, &l, 0);
	while (engine_step(&e))
		;
	assert_int_equal(l.nr, 51);
	assert_int_equal(e.now, 50 * 7);
	assert_int_equal(e.nr_run, 51);
	engine_destroy(&e);
}

struct vcpu_log {
	struct log *log;
	struct engine_slot slot;
	sim_ns_t again;       /* ask for this time when it runs; 0 = do not */
};

static void vcpu_runs(void *ctx, uint64_t arg)
{
	struct vcpu_log *v = ctx;
	const sim_ns_t at = v->again;

	note(v->log, v->slot.rank);
	v->again = 0;
	if (at)
		engine_soon(v->log->e, &v->slot, at);
	(void)arg;
}

static void vcpus_init(struct engine *e, struct log *l, struct vcpu_log *v,
		       uint32_t nr)
{
	uint32_t i;

	for (i = 0; i < nr; i++) {
		v[i] = (struct vcpu_log){ .log = l };
		assert_int_equal(engine_slot_init(e, &v[i].slot, i, vcpu_runs,
						  &v[i]), 0);
	}
}

static void test_engine__timers_first_then_ranks(void **state)
{
	/* Nine vCPUs and two timers at one time, asked for backwards. */
	struct engine e;
	struct log l = { .e = &e };
	struct vcpu_log v[9];
	unsigned int i;

	(void)state;
	assert_int_equal(engine_init(&e), 0);
	vcpus_init(&e, &l, v, 9);
	for (i = 9; i-- > 0;)
		engine_soon(&e, &v[i].slot, 50);
	engine_at(&e, 50, note, &l, 101);
	engine_at(&e, 50, note, &l, 102);
	v[3].again = 50;
	assert_true(engine_timer_is_next(&e));
	while (engine_step(&e))
		;
	assert_int_equal(l.nr, 12);
	assert_int_equal(l.args[0], 101);
	assert_int_equal(l.args[1], 102);
	for (i = 0; i < 4; i++)
		assert_int_equal(l.args[2 + i], i);
	/* Number 3 asked again for the same time: it comes before number 4. */
	assert_int_equal(l.args[6], 3);
	assert_int_equal(l.args[11], 8);
	engine_destroy(&e);
}

static void test_engine__a_vcpu_can_change_its_time(void **state)
{
	/* Random times, each changed at random: they run by (time, rank). */
	struct engine e;
	struct log l = { .e = &e };
	struct vcpu_log v[40];
	struct rng r;
	unsigned int i;

	(void)state;
	rng_init(&r, 1, "slots", 0);
	assert_int_equal(engine_init(&e), 0);
	vcpus_init(&e, &l, v, 40);
	for (i = 0; i < 400; i++)
		engine_soon(&e, &v[rng_below(&r, 40)].slot,
			    rng_below(&r, 16));
	while (engine_step(&e))
		;
	assert_int_equal(l.nr, 40);
	for (i = 1; i < l.nr; i++)
		assert_true(l.at[i - 1] < l.at[i] ||
			    (l.at[i - 1] == l.at[i] &&
			     l.args[i - 1] < l.args[i]));
	engine_destroy(&e);
}

static void goes_on(void *ctx, uint64_t arg)
{
	struct vcpu_log *v = ctx;

	(void)arg;
	/* Number 2 runs at 10; number 1 or a timer is due at 20. */
	v->log->nr = 1;
	assert_true(engine_goes_on(v->log->e, &v->slot, 19));
	assert_false(engine_goes_on(v->log->e, &v->slot, 20));
	engine_soon(v->log->e, &v->slot, 10);
}

static void test_engine__goes_on_until_another_is_due(void **state)
{
	/* Before a vCPU of a lower number, then before a timer. */
	struct engine e;
	struct log l = { .e = &e };
	struct vcpu_log v[4];

	(void)state;
	assert_int_equal(engine_init(&e), 0);
	vcpus_init(&e, &l, v, 4);
	v[2].slot.fn = goes_on;
	engine_soon(&e, &v[2].slot, 10);
	engine_soon(&e, &v[1].slot, 20);
	assert_true(engine_step(&e));
	assert_int_equal(l.nr, 1);
	engine_soon(&e, &v[1].slot, 50);
	engine_at(&e, 20, note, &l, 0);
	assert_true(engine_step(&e));
	engine_destroy(&e);
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(test_engine__runs_by_time),
	cmocka_unit_test(test_engine__ties_run_in_order_of_scheduling),
	cmocka_unit_test(test_engine__cancel_removes_exactly_one),
	cmocka_unit_test(test_engine__events_schedule_events),
	cmocka_unit_test(test_engine__timers_first_then_ranks),
	cmocka_unit_test(test_engine__a_vcpu_can_change_its_time),
	cmocka_unit_test(test_engine__goes_on_until_another_is_due),
};

TEST_MAIN(cases)
