/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Statistics over seeds and over repeated runs. Every value that is compared is
 * of one of three kinds:
 *
 *     exact    a count of one seeded run: the same on every machine, so any
 *              difference is a difference, and no test is made
 *     seeded   a value over seeds: a distribution, which is compared as one
 *     timed    host time: a distribution, too, that other load disturbs
 *
 * All results are reproducible: a bootstrap draws from include/rng.h with a
 * fixed seed. Own code, checked against scipy by a test: GSL is GPL-3 or later
 * and has neither the rank test nor the bootstrap.
 */
#ifndef BENCH_STATS_H
#define BENCH_STATS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum stats_kind { STATS_EXACT, STATS_SEEDED, STATS_TIMED };

/* Spelling of each kind, NULL-ended. */
extern const char *const stats_kind_names[];

struct stats_sample {
	const double *v;        /* finite, in any order */
	size_t nr;
};

struct stats_summary {
	size_t nr;
	double mean, median, min, max;
	double sd;              /* of the sample, n - 1; 0 if n is 1 */
	/*
	 * Distance of the smallest and of the largest value from the mean, in
	 * percent of the mean, and the greater of the two: the "dev" of the
	 * tables in cover letters of free page reporting. 0 if the mean is 0.
	 */
	double dev_min, dev_max, dev;
};

enum stats_center { STATS_MEAN, STATS_MEDIAN };

struct stats_interval {
	double low, high;
};

/* How an interval is made; {0} is 95 % from 10,000 resamples, seed 1. */
struct stats_bootstrap {
	double level;           /* share inside, above 0 and below 1 */
	unsigned int resamples;
	uint64_t seed;
};

struct stats_test {
	double statistic;       /* t of NEW - BASE, or U of NEW */
	double df;              /* Welch */
	double p;               /* two-sided */
	bool exact;             /* Mann-Whitney: not the approximation */
};

/* Samples up to this size on both sides are tested exactly. */
#define STATS_EXACT_MAX 20

/*
 * All of these: 0; -EINVAL if a sample is too small or holds what is no number;
 * -ENOMEM.
 */

/* At least one value. */
int stats_summarize(const struct stats_sample *s, struct stats_summary *out);

/* Percentile interval of the mean or the median; at least two values. */
int stats_interval(const struct stats_sample *s, enum stats_center center,
		   const struct stats_bootstrap *how,
		   struct stats_interval *out);
/* The same of the change from BASE to NEW in percent; BASE not around 0. */
int stats_change_interval(const struct stats_sample *base,
			  const struct stats_sample *new,
			  enum stats_center center,
			  const struct stats_bootstrap *how,
			  struct stats_interval *out);

/*
 * Welch's t test of equal means; at least two values each. Without any spread
 * p is 1 if the means are equal and 0 if they are not.
 */
int stats_welch(const struct stats_sample *base,
		const struct stats_sample *new, struct stats_test *out);

/*
 * Mann-Whitney U test; at least one value each. Exact by counting all ways in
 * which the ranks could be dealt, ties included, if both samples have at most
 * STATS_EXACT_MAX values: p is twice the smaller tail, at most 1. Else the
 * normal approximation with corrections for ties and continuity.
 */
int stats_mann_whitney(const struct stats_sample *base,
		       const struct stats_sample *new,
		       struct stats_test *out);

/*
 * How much: Cliff's delta is P(new > base) - P(new < base), from -1 to 1;
 * Hedges' g the difference of the means in pooled standard deviations,
 * corrected for small samples (at least two values each; -EINVAL if nothing
 * varies and the means differ).
 */
int stats_cliffs_delta(const struct stats_sample *base,
		       const struct stats_sample *new, double *out);
int stats_hedges_g(const struct stats_sample *base,
		   const struct stats_sample *new, double *out);

/* Of values above 0. */
int stats_geometric_mean(const struct stats_sample *s, double *out);
int stats_harmonic_mean(const struct stats_sample *s, double *out);

/* Smallest two-sided p that n against m values can give in the U test. */
double stats_smallest_p(size_t n, size_t m);

#endif
