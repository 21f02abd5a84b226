/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The search of `tune` on spaces whose front is known, without a simulation:
 * what it finds, with how many cells, and what it does at the end of a budget.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <math.h>
#include <string.h>

#include "bench/tune_search.h"
#include "include/rng.h"
#include "include/types.h"

#define SIDE 12
#define SEEDS 5

/* A bowl with two bottoms in 2 dimensions, noise, and a count of what was run. */
struct bowl {
	double noise;
	bool flat;               /* everything is equal */
	size_t cells;
	unsigned int asked[SIDE * SIDE][SEEDS];
	size_t fails;            /* this point fails; SIZE_MAX: none */
};

static double noise_of(size_t point, unsigned int seed)
{
	struct rng rng;

	rng_init(&rng, point * 100 + seed, "noise", 0);
	return (double)rng_below(&rng, 2001) / 1000 - 1;
}

/*
 * Near (2, 3) the first objective is best, near (8, 3) the second: between them
 * is the front, all points with y = 3 and x from 2 to 8.
 */
static int measure_bowl(void *ctx, struct tune_ask *asks, size_t nr)
{
	struct bowl *b = ctx;

	for (size_t i = 0; i < nr; i++) {
		struct tune_ask *a = &asks[i];
		const double x = (double)(a->point / SIDE);
		const double y = (double)(a->point % SIDE);
		/* What a seed does to all of them must not matter. */
		const double common = 100.0 * a->seed;
		const double e = b->noise * noise_of(a->point, a->seed);

		b->cells++;
		b->asked[a->point][a->seed]++;
		a->verdict = a->point == b->fails ? TUNE_FAILED :
						    TUNE_MEASURED;
		a->value[0] = common - (x - 2) * (x - 2) - (y - 3) * (y - 3) +
			      e;
		a->value[1] = common + (x - 8) * (x - 8) + (y - 3) * (y - 3) +
			      e;
		if (b->flat)
			a->value[0] = a->value[1] = common;
	}
	return 0;
}

static const struct tune_family square = {
	.nr = SIDE * SIDE, .nr_dims = 2, .size = { SIDE, SIDE },
};

static const struct tune_space bowl_space = {
	.families = &square, .nr_families = 1, .nr_points = SIDE * SIDE,
	.nr_seeds = SEEDS, .nr_objectives = 2, .smaller = { false, true },
};

static void search(struct tune_search *s, struct bowl *b, uint64_t budget,
		   uint64_t seed)
{
	const struct tune_rules rules = { .budget = budget, .seed = seed,
					  .level = 0.95 };

	assert_int_equal(tune_search_init(s, &bowl_space, &rules, measure_bowl,
					  b), 0);
	assert_int_equal(tune_search_run(s), 0);
	assert_int_equal(s->used, b->cells);
	for (size_t i = 0; i < SIDE * SIDE; i++)
		for (unsigned int k = 0; k < SEEDS; k++)
			assert_in_range(b->asked[i][k], 0, 1);
}

static bool is_best(size_t point)
{
	return point % SIDE == 3 && point / SIDE >= 2 && point / SIDE <= 8;
}

/* A known front is found whole, whatever the choices of the search. */
static void test_tune__finds_the_front_with_fewer_cells(void **state)
{
	struct tune_search s;

	(void)state;
	for (uint64_t seed = 1; seed <= 10; seed++) {
		struct bowl b = { .noise = 0.2, .fails = SIZE_MAX };

		search(&s, &b, SIDE * SIDE * SEEDS, seed);
		assert_true(s.decided);
		assert_true(s.used < SIDE * SIDE * SEEDS * 4 / 10);
		for (size_t i = 0; i < SIDE * SIDE; i++) {
			assert_int_equal(s.points[i].front, is_best(i));
			if (s.points[i].front)
				assert_int_equal(s.points[i].nr, SEEDS);
		}
		tune_search_free(&s);
	}
}

/* The same seed asks for the same cells, in the same number. */
static void test_tune__repeats_itself(void **state)
{
	static struct bowl one, two;
	struct tune_search s;

	(void)state;
	one = two = (struct bowl){ .noise = 3, .fails = SIZE_MAX };
	search(&s, &one, 300, 7);
	tune_search_free(&s);
	search(&s, &two, 300, 7);
	tune_search_free(&s);
	assert_memory_equal(&one, &two, sizeof(one));
}

/* A budget is never exceeded, and the front gets what is left of it. */
static void test_tune__keeps_the_budget(void **state)
{
	static const uint64_t budgets[] = { SEEDS, 17, 40, 90, 200 };
	struct tune_search s;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(budgets); i++) {
		struct bowl b = { .noise = 3, .fails = SIZE_MAX };
		bool any = false;

		search(&s, &b, budgets[i], 3);
		assert_true(s.used <= budgets[i]);
		for (size_t p = 0; p < SIDE * SIDE; p++)
			any |= s.points[p].front;
		assert_true(any);
		if (budgets[i] < 90)
			assert_false(s.decided);
		tune_search_free(&s);
	}
}

/* The whole grid: every cell once, the same front. */
static void test_tune__everything_is_the_grid(void **state)
{
	const struct tune_rules rules = { .level = 0.95, .everything = true };
	struct bowl b = { .noise = 0.2, .fails = SIZE_MAX };
	struct tune_search s;

	(void)state;
	assert_int_equal(tune_search_init(&s, &bowl_space, &rules,
					  measure_bowl, &b), 0);
	assert_int_equal(tune_search_run(&s), 0);
	assert_int_equal(b.cells, SIDE * SIDE * SEEDS);
	for (size_t i = 0; i < SIDE * SIDE; i++)
		assert_int_equal(s.points[i].front, is_best(i));
	tune_search_free(&s);
}

/* Points with the same numbers are one row, and cost three seeds each. */
static void test_tune__equal_points_are_one(void **state)
{
	struct bowl b = { .flat = true, .fails = SIZE_MAX };
	struct tune_search s;
	size_t front = 0;

	(void)state;
	search(&s, &b, SIDE * SIDE * SEEDS, 1);
	for (size_t i = 0; i < SIDE * SIDE; i++) {
		front += s.points[i].front;
		if (s.points[i].state == TUNE_SAME)
			assert_int_equal(s.points[i].nr, TUNE_SAME_SEEDS);
	}
	assert_int_equal(front, 1);
	tune_search_free(&s);
}

/* A point that fails is left out, and the others are found all the same. */
static void test_tune__failed_point_is_left_out(void **state)
{
	struct bowl b = { .noise = 0.2, .fails = 5 * SIDE + 3 };
	struct tune_search s;

	(void)state;
	search(&s, &b, SIDE * SIDE * SEEDS, 1);
	assert_int_equal(s.points[5 * SIDE + 3].state, TUNE_OUT);
	assert_int_equal(s.points[5 * SIDE + 3].verdict, TUNE_FAILED);
	for (size_t i = 0; i < SIDE * SIDE; i++)
		if (is_best(i) && i != b.fails)
			assert_true(s.points[i].front);
	tune_search_free(&s);
}

/* Less than the seeds of one point is no budget. */
static void test_tune__refuses_a_small_budget(void **state)
{
	const struct tune_rules rules = { .budget = SEEDS - 1, .level = 0.95 };
	struct tune_search s;

	(void)state;
	assert_int_equal(tune_least_budget(&bowl_space), SEEDS);
	assert_int_equal(tune_search_init(&s, &bowl_space, &rules,
					  measure_bowl, NULL), -EINVAL);
	tune_search_free(&s);
}

/* Student's quantiles, from any table of them. */
static void test_tune__critical_values(void **state)
{
	static const struct { double level; unsigned int df; double t; } of[] = {
		{ 0.95, 1, 6.3138 }, { 0.95, 4, 2.1318 }, { 0.975, 4, 2.7764 },
		{ 0.9, 2, 1.8856 }, { 0.995, 9, 3.2498 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(of); i++)
		assert_true(fabs(tune_critical(of[i].level, of[i].df) -
				 of[i].t) < 1e-4);
}

/* Four seeds: nothing else may be called confident than what t says. */
static void test_tune__compares_within_seeds(void **state)
{
	double a[] = { 1, 11, 21, 31 }, b[] = { 0, 10.5, 19.5, 30 };
	double c[] = { 3, 9, 19.5, 31 };
	struct tune_point points[] = {
		{ .state = TUNE_ALIVE, .nr = 4, .value = a },
		{ .state = TUNE_ALIVE, .nr = 4, .value = b },
		{ .state = TUNE_ALIVE, .nr = 3, .value = c },
	};
	double critical[] = { 0, 0, 6.3138, 2.9200, 2.3534, 2.1318 };
	const struct tune_space space = { .nr_seeds = 5, .nr_objectives = 1 };
	const struct tune_search s = { .space = &space, .points = points,
				       .critical = critical };
	struct tune_against x = tune_compare(&s, 0, 1);

	(void)state;
	assert_true(x.nr == 4 && x.beats && x.surely_beats &&
		    x.surely_unbeaten);
	/* A mean that is better, and may be by chance. */
	x = tune_compare(&s, 0, 2);
	assert_true(x.nr == 3 && x.beats && !x.surely_beats &&
		    !x.surely_unbeaten);
	x = tune_compare(&s, 2, 0);
	assert_false(x.beats);
	x = tune_compare(&s, 1, 1);
	assert_true(x.equal && !x.beats && !x.surely_beats &&
		    x.surely_unbeaten);
	/* One seed says nothing about others. */
	points[1].nr = 1;
	x = tune_compare(&s, 0, 1);
	assert_true(x.beats && !x.surely_beats && !x.surely_unbeaten);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tune__finds_the_front_with_fewer_cells),
		cmocka_unit_test(test_tune__repeats_itself),
		cmocka_unit_test(test_tune__keeps_the_budget),
		cmocka_unit_test(test_tune__everything_is_the_grid),
		cmocka_unit_test(test_tune__equal_points_are_one),
		cmocka_unit_test(test_tune__failed_point_is_left_out),
		cmocka_unit_test(test_tune__refuses_a_small_budget),
		cmocka_unit_test(test_tune__critical_values),
		cmocka_unit_test(test_tune__compares_within_seeds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
