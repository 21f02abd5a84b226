/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Statistics: values that can be counted by hand, and samples to refuse. */
#include <errno.h>
#include <math.h>
#include <string.h>

#include "bench/stats.h"
#include "tests/test.h"

#define SAMPLE(...)                                                          \
	((struct stats_sample){ (const double[]){ __VA_ARGS__ },              \
		sizeof((const double[]){ __VA_ARGS__ }) / sizeof(double) })

static void assert_near(const char *what, double actual, double expected)
{
	if (!(fabs(actual - expected) <= 1e-12 * (1 + fabs(expected))))
		fail_msg("%s is %.17g, expected %.17g", what, actual,
			 expected);
}

static void test_stats__one_sample_is_described(void **state)
{
	/* dev is what the published tables print: the larger of two sides. */
	const struct stats_sample s = SAMPLE(8, 10, 11, 11);
	struct stats_summary o;
	double mean;

	(void)state;
	assert_int_equal(stats_summarize(&s, &o), 0);
	assert_near("mean", o.mean, 10);
	assert_near("median", o.median, 10.5);
	assert_near("sd", o.sd, sqrt(2));
	assert_near("dev_min", o.dev_min, 20);
	assert_near("dev_max", o.dev_max, 10);
	assert_near("dev", o.dev, 20);
	assert_int_equal(stats_geometric_mean(&SAMPLE(1, 4, 16), &mean), 0);
	assert_near("geometric", mean, 4);
	assert_int_equal(stats_harmonic_mean(&SAMPLE(2, 6), &mean), 0);
	assert_near("harmonic", mean, 3);
}

static void test_stats__equal_values_have_no_spread(void **state)
{
	/* Ten times 0.1 is not 1.0, and still nothing varies. */
	const struct stats_sample s = SAMPLE(0.1, 0.1, 0.1, 0.1, 0.1, 0.1,
					     0.1, 0.1, 0.1, 0.1);
	struct stats_interval i;
	struct stats_summary o;
	struct stats_test t;

	(void)state;
	assert_int_equal(stats_summarize(&s, &o), 0);
	assert_true(o.mean <= 0.1 && o.mean >= 0.1);
	assert_near("sd", o.sd, 0);
	assert_near("dev", o.dev, 0);
	assert_int_equal(stats_interval(&s, STATS_MEAN, NULL, &i), 0);
	assert_true(i.low <= 0.1 && i.high >= 0.1 && i.low >= i.high);
	assert_int_equal(stats_welch(&s, &s, &t), 0);
	assert_near("p", t.p, 1);
	assert_int_equal(stats_welch(&s, &SAMPLE(2, 2), &t), 0);
	assert_near("p", t.p, 0);
	assert_int_equal(stats_mann_whitney(&s, &s, &t), 0);
	assert_near("p", t.p, 1);
}

static void test_stats__rank_test_counts_deals(void **state)
{
	/* Separated samples: two of C(n + m, n) deals are as extreme. */
	static const struct {
		size_t n, m;
		double p;
	} rows[] = {
		{ 1, 1, 1 }, { 2, 2, 2.0 / 6 }, { 4, 4, 2.0 / 70 },
		{ 5, 5, 2.0 / 252 }, { 6, 6, 2.0 / 924 }, { 3, 7, 2.0 / 120 },
		{ 20, 20, 2.0 / 137846528820.0 },
	};
	double v[40];

	(void)state;
	for (size_t i = 0; i < 40; i++)
		v[i] = (double)i;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct stats_sample a = { v, rows[i].n };
		const struct stats_sample b = { v + rows[i].n, rows[i].m };
		struct stats_test t;
		double delta;

		assert_int_equal(stats_mann_whitney(&a, &b, &t), 0);
		assert_true(t.exact);
		assert_near("p", t.p, rows[i].p);
		assert_near("u", t.statistic, (double)(rows[i].n * rows[i].m));
		assert_near("least", stats_smallest_p(a.nr, b.nr), rows[i].p);
		assert_int_equal(stats_cliffs_delta(&a, &b, &delta), 0);
		assert_near("delta", delta, 1);
		assert_int_equal(stats_mann_whitney(&b, &a, &t), 0);
		assert_near("u", t.statistic, 0);
		assert_near("p", t.p, rows[i].p);
	}
}

static void test_stats__rank_test_shares_ranks_of_ties(void **state)
{
	/* {1,2} against {2,3}: of 6 deals, ranks 1 and 2.5 come up twice. */
	struct stats_test t;
	double delta;

	(void)state;
	assert_int_equal(stats_mann_whitney(&SAMPLE(1, 2), &SAMPLE(2, 3), &t),
			 0);
	assert_near("u", t.statistic, 3.5);
	assert_near("p", t.p, 2 * 2.0 / 6);
	assert_int_equal(stats_cliffs_delta(&SAMPLE(1, 2), &SAMPLE(2, 3),
					    &delta), 0);
	assert_near("delta", delta, 0.75);
}

static void test_stats__welch_of_a_textbook_case(void **state)
{
	/* With 1 and 1 degrees the distribution is Cauchy's: p by arctan. */
	struct stats_test t;

	(void)state;
	assert_int_equal(stats_welch(&SAMPLE(0, 0), &SAMPLE(0, 2), &t), 0);
	assert_near("t", t.statistic, 1);
	assert_near("df", t.df, 1);
	assert_near("p", t.p, 0.5);
}

static void test_stats__intervals_are_repeatable(void **state)
{
	/* The same seed gives the same interval, another one a near one. */
	const struct stats_sample s = SAMPLE(1, 2, 4, 8, 16, 32, 64, 128);
	const struct stats_bootstrap other = { .seed = 7 };
	struct stats_interval a, b, c, change;

	(void)state;
	assert_int_equal(stats_interval(&s, STATS_MEAN, NULL, &a), 0);
	assert_int_equal(stats_interval(&s, STATS_MEAN, NULL, &b), 0);
	assert_int_equal(stats_interval(&s, STATS_MEAN, &other, &c), 0);
	assert_memory_equal(&a, &b, sizeof(a));
	assert_true(memcmp(&a, &c, sizeof(a)) != 0);
	assert_true(fabs(a.low - c.low) < 1 && fabs(a.high - c.high) < 3);
	assert_true(a.low > 1 && a.low < 31.875 && a.high > 31.875);
	assert_int_equal(stats_change_interval(&s, &s, STATS_MEAN, NULL,
					       &change), 0);
	assert_true(change.low < 0 && change.high > 0);
}

static void test_stats__unusable_samples_are_refused(void **state)
{
	/* Too few values, or what is no number: never a made-up result. */
	const struct stats_sample none = { NULL, 0 }, one = SAMPLE(1),
				  two = SAMPLE(1, 2), nan = SAMPLE(1, NAN);
	struct stats_interval i;
	struct stats_summary o;
	struct stats_test t;
	double d;

	(void)state;
	assert_int_equal(stats_summarize(&none, &o), -EINVAL);
	assert_int_equal(stats_summarize(&nan, &o), -EINVAL);
	assert_int_equal(stats_summarize(&one, &o), 0);
	assert_int_equal(stats_welch(&one, &two, &t), -EINVAL);
	assert_int_equal(stats_welch(&two, &nan, &t), -EINVAL);
	assert_int_equal(stats_mann_whitney(&none, &two, &t), -EINVAL);
	assert_int_equal(stats_mann_whitney(&two, &nan, &t), -EINVAL);
	assert_int_equal(stats_cliffs_delta(&none, &one, &d), -EINVAL);
	assert_int_equal(stats_hedges_g(&two, &one, &d), -EINVAL);
	assert_int_equal(stats_hedges_g(&SAMPLE(1, 1), &SAMPLE(2, 2), &d),
			 -EINVAL);
	assert_int_equal(stats_interval(&one, STATS_MEAN, NULL, &i), -EINVAL);
	assert_int_equal(stats_change_interval(&SAMPLE(0, 0), &two, STATS_MEAN,
					       NULL, &i), -EINVAL);
	assert_int_equal(stats_geometric_mean(&SAMPLE(1, 0), &d), -EINVAL);
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(test_stats__one_sample_is_described),
	cmocka_unit_test(test_stats__equal_values_have_no_spread),
	cmocka_unit_test(test_stats__rank_test_counts_deals),
	cmocka_unit_test(test_stats__rank_test_shares_ranks_of_ties),
	cmocka_unit_test(test_stats__welch_of_a_textbook_case),
	cmocka_unit_test(test_stats__intervals_are_repeatable),
	cmocka_unit_test(test_stats__unusable_samples_are_refused),
};

TEST_MAIN(cases)
