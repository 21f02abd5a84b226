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

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(test_engine__runs_by_time),
	cmocka_unit_test(test_engine__ties_run_in_order_of_scheduling),
	cmocka_unit_test(test_engine__cancel_removes_exactly_one),
	cmocka_unit_test(test_engine__events_schedule_events),
};

TEST_MAIN(cases)
