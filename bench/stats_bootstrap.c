/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Percentile intervals: the sample is drawn from itself many times, and the
 * middle part of what comes out is the interval. A draw is a number of times
 * for each value of the sorted sample, so a median needs no sorting.
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "bench/stats_internal.h"
#include "include/rng.h"

#define DEFAULT_LEVEL 0.95
#define DEFAULT_RESAMPLES 10000
#define DEFAULT_SEED 1

/* A sample to draw from. */
struct urn {
	double *v;              /* sorted */
	uint32_t *times;        /* how often each was drawn */
	size_t nr;
};

static void urn_free(struct urn *u)
{
	free(u->v);
	free(u->times);
}

static int urn_make(struct urn *u, const struct stats_sample *s)
{
	*u = (struct urn){ .nr = s->nr };
	if (!stats_usable(s, 2) || s->nr > UINT32_MAX)
		return -EINVAL;
	u->v = stats_sorted(s);
	u->times = calloc(s->nr, sizeof(*u->times));
	if (u->v && u->times)
		return 0;
	urn_free(u);
	return -ENOMEM;
}

/* The n-th smallest of those drawn, from 0. */
static double drawn_at(const struct urn *u, size_t n)
{
	size_t i = 0;

	while (n >= u->times[i])
		n -= u->times[i++];
	return u->v[i];
}

static double draw(struct urn *u, enum stats_center center, struct rng *rng)
{
	double sum = 0;

	for (size_t i = 0; i < u->nr; i++)
		u->times[i] = 0;
	for (size_t i = 0; i < u->nr; i++)
		u->times[rng_below(rng, (uint32_t)u->nr)]++;
	if (center == STATS_MEDIAN)
		return drawn_at(u, (u->nr - 1) / 2) / 2 +
		       drawn_at(u, u->nr / 2) / 2;
	for (size_t i = 0; i < u->nr; i++)
		sum += u->v[i] * u->times[i];
	/* Rounding may carry the mean of equal values past them. */
	return fmin(fmax(sum / (double)u->nr, u->v[0]), u->v[u->nr - 1]);
}

/* Between the neighbours in proportion, as numpy and R do by default. */
static double quantile(const double *sorted, size_t nr, double share)
{
	const double at = share * (double)(nr - 1);
	const size_t i = (size_t)at;

	if (i + 1 >= nr)
		return sorted[nr - 1];
	return sorted[i] + (at - (double)i) * (sorted[i + 1] - sorted[i]);
}

static int set_interval(double *drawn, unsigned int nr, double level,
			struct stats_interval *out)
{
	const struct stats_sample s = { drawn, nr };
	double *sorted;

	if (!stats_usable(&s, 1))
		return -EINVAL;
	sorted = stats_sorted(&s);
	if (!sorted)
		return -ENOMEM;
	out->low = quantile(sorted, nr, (1 - level) / 2);
	out->high = quantile(sorted, nr, (1 + level) / 2);
	free(sorted);
	return 0;
}

/* base is NULL for the centre of `new` alone. */
static int bootstrap(struct urn *base, struct urn *new,
		     enum stats_center center,
		     const struct stats_bootstrap *how,
		     struct stats_interval *out)
{
	const double level = how && how->level > 0 ? how->level :
						     DEFAULT_LEVEL;
	const unsigned int nr = how && how->resamples ? how->resamples :
							DEFAULT_RESAMPLES;
	double *drawn = calloc(nr, sizeof(*drawn));
	struct rng rng;
	int err;

	if (!drawn)
		return -ENOMEM;
	rng_init(&rng, how && how->seed ? how->seed : DEFAULT_SEED,
		 "bootstrap", 0);
	for (unsigned int i = 0; i < nr; i++) {
		const double was = base ? draw(base, center, &rng) : 0;
		const double is = draw(new, center, &rng);

		drawn[i] = base ? (is / was - 1) * 100.0 : is;
	}
	err = level < 1 ? set_interval(drawn, nr, level, out) : -EINVAL;
	free(drawn);
	return err;
}

int stats_interval(const struct stats_sample *s, enum stats_center center,
		   const struct stats_bootstrap *how,
		   struct stats_interval *out)
{
	struct urn u;
	int err = urn_make(&u, s);

	if (err)
		return err;
	err = bootstrap(NULL, &u, center, how, out);
	urn_free(&u);
	return err;
}

int stats_change_interval(const struct stats_sample *base,
			  const struct stats_sample *new,
			  enum stats_center center,
			  const struct stats_bootstrap *how,
			  struct stats_interval *out)
{
	struct urn b, n;
	int err = urn_make(&b, base);

	if (err)
		return err;
	err = urn_make(&n, new);
	if (!err) {
		err = bootstrap(&b, &n, center, how, out);
		urn_free(&n);
	}
	urn_free(&b);
	return err;
}
