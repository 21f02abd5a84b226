/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One sample described: centre, spread and the two functions that the tests
 * need. Sums are taken in two passes, so that values that are large and close
 * together keep their digits.
 */
#include "bench/stats_internal.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

const char *const stats_kind_names[] = { "exact", "seeded", "timed", NULL };

bool stats_usable(const struct stats_sample *s, size_t least)
{
	if (s->nr < least)
		return false;
	for (size_t i = 0; i < s->nr; i++)
		if (!isfinite(s->v[i]))
			return false;
	return true;
}

static int by_value(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

double *stats_sorted(const struct stats_sample *s)
{
	double *v = calloc(s->nr ? s->nr : 1, sizeof(*v));

	if (!v)
		return NULL;
	memcpy(v, s->v, s->nr * sizeof(*v));
	qsort(v, s->nr, sizeof(*v), by_value);
	return v;
}

double stats_mean_of(const struct stats_sample *s)
{
	const double nr = (double)s->nr;
	double sum = 0, rest = 0;

	for (size_t i = 0; i < s->nr; i++)
		sum += s->v[i] / nr;
	for (size_t i = 0; i < s->nr; i++)
		rest += s->v[i] - sum;
	return sum + rest / nr;
}

double stats_root_squares(const struct stats_sample *s, double mean)
{
	double sum = 0, rest = 0, scale = 0;

	for (size_t i = 0; i < s->nr; i++)
		scale = fmax(scale, fabs(s->v[i] - mean));
	if (!(scale > 0))
		return 0;
	for (size_t i = 0; i < s->nr; i++) {
		const double d = (s->v[i] - mean) / scale;

		sum += d * d;
		rest += d;
	}
	sum -= rest * rest / (double)s->nr;
	return sum > 0 ? scale * sqrt(sum) : 0;
}

static void set_deviations(struct stats_summary *out)
{
	const double mean = fabs(out->mean);

	if (!(mean > 0))
		return;
	out->dev_min = (out->mean - out->min) / mean * 100.0;
	out->dev_max = (out->max - out->mean) / mean * 100.0;
	out->dev = fmax(out->dev_min, out->dev_max);
}

int stats_summarize(const struct stats_sample *s, struct stats_summary *out)
{
	double *v;

	*out = (struct stats_summary){ .nr = s->nr };
	if (!stats_usable(s, 1))
		return -EINVAL;
	v = stats_sorted(s);
	if (!v)
		return -ENOMEM;
	out->min = v[0];
	out->max = v[s->nr - 1];
	out->median = v[(s->nr - 1) / 2] / 2 + v[s->nr / 2] / 2;
	free(v);
	/* Rounding may carry the mean of equal values past them. */
	out->mean = fmin(fmax(stats_mean_of(s), out->min), out->max);
	if (s->nr > 1 && out->max > out->min)
		out->sd = stats_root_squares(s, out->mean) /
			  sqrt((double)(s->nr - 1));
	set_deviations(out);
	return 0;
}

static bool all_positive(const struct stats_sample *s)
{
	for (size_t i = 0; i < s->nr; i++)
		if (!(s->v[i] > 0))
			return false;
	return stats_usable(s, 1);
}

int stats_geometric_mean(const struct stats_sample *s, double *out)
{
	double sum = 0;

	if (!all_positive(s))
		return -EINVAL;
	for (size_t i = 0; i < s->nr; i++)
		sum += log(s->v[i]) / (double)s->nr;
	*out = exp(sum);
	return 0;
}

int stats_harmonic_mean(const struct stats_sample *s, double *out)
{
	double sum = 0;

	if (!all_positive(s))
		return -EINVAL;
	for (size_t i = 0; i < s->nr; i++)
		sum += 1 / s->v[i];
	*out = (double)s->nr / sum;
	return 0;
}

/* ---- special functions ---- */

#define BETA_STEPS 100000
#define BETA_DIGITS 1e-16
#define BETA_TINY 1e-300

static double not_zero(double x)
{
	return fabs(x) < BETA_TINY ? BETA_TINY : x;
}

/*
 * The continued fraction of the incomplete beta function, evaluated forwards as
 * a product of quotients of its convergents. The m-th pair of coefficients is
 *
 *     d(2m)   =  m (b - m) x / ((a + 2m - 1) (a + 2m))
 *     d(2m+1) = -(a + m) (a + b + m) x / ((a + 2m) (a + 2m + 1))
 */
static double beta_fraction(double a, double b, double x)
{
	double above = 1, below = 1 / not_zero(1 - (a + b) * x / (a + 1));
	double value = below;

	for (int m = 1; m < BETA_STEPS; m++) {
		const double k = a + 2.0 * m;
		const double even = m * (b - m) * x / ((k - 1) * k);
		const double odd = -(a + m) * (a + b + m) * x / (k * (k + 1));
		double step;

		below = 1 / not_zero(1 + even * below);
		above = not_zero(1 + even / above);
		value *= above * below;
		below = 1 / not_zero(1 + odd * below);
		above = not_zero(1 + odd / above);
		step = above * below;
		value *= step;
		if (fabs(step - 1) < BETA_DIGITS)
			break;
	}
	return value;
}

double stats_beta(double a, double b, double x)
{
	int sign;
	double front;

	if (!(x > 0))
		return 0;
	if (!(x < 1))
		return 1;
	front = exp(lgamma_r(a + b, &sign) - lgamma_r(a, &sign) -
		    lgamma_r(b, &sign) + a * log(x) + b * log1p(-x));
	/* Each side has the half where its fraction converges fast. */
	if (x < (a + 1) / (a + b + 2))
		return front * beta_fraction(a, b, x) / a;
	return 1 - front * beta_fraction(b, a, 1 - x) / b;
}

double stats_student_tails(double t, double df)
{
	const double square = t * t;

	if (isinf(square))
		return 0;
	return stats_beta(df / 2, 0.5, df / (df + square));
}
