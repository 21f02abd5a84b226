/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Two samples compared: Welch's t, the U test of Mann and Whitney, and effect
 * sizes. The exact U test counts, for every sum of ranks, in how many ways one
 * sample could have drawn it. Ranks of ties are shared and doubled here, so
 * that they are integers, and the count is as exact with ties as without.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "bench/stats_internal.h"

/* Of two samples of STATS_EXACT_MAX: the largest sum of doubled ranks. */
#define MAX_SUM (2 * STATS_EXACT_MAX * (2 * STATS_EXACT_MAX + 1))

/*
 * NEW's mean less BASE's, taken as distances from one of the values: means that
 * are large and close together would leave few digits of their difference.
 */
static double mean_change(const struct stats_sample *base,
			  const struct stats_sample *new)
{
	const double origin = base->v[0];
	double was = 0, is = 0;

	for (size_t i = 0; i < base->nr; i++)
		was += (base->v[i] - origin) / (double)base->nr;
	for (size_t i = 0; i < new->nr; i++)
		is += (new->v[i] - origin) / (double)new->nr;
	return is - was;
}

/* Nothing varies: the means are equal or they are not. */
static void set_flat(struct stats_test *out, double change, double df)
{
	out->df = df;
	out->p = change > 0 || change < 0 ? 0 : 1;
	out->statistic = change > 0 ? INFINITY : change < 0 ? -INFINITY : 0;
}

int stats_welch(const struct stats_sample *base,
		const struct stats_sample *new, struct stats_test *out)
{
	const double n = (double)base->nr, m = (double)new->nr;
	struct stats_summary a, b;
	double va, vb, scale, sum;

	*out = (struct stats_test){ 0 };
	if (!stats_usable(base, 2) || !stats_usable(new, 2))
		return -EINVAL;
	if (stats_summarize(base, &a) || stats_summarize(new, &b))
		return -ENOMEM;
	scale = fmax(a.sd, b.sd);
	if (!(scale > 0)) {
		set_flat(out, mean_change(base, new), n + m - 2);
		return 0;
	}
	/* Of the order of 1, so that no square is beyond a double. */
	va = a.sd / scale * (a.sd / scale) / n;
	vb = b.sd / scale * (b.sd / scale) / m;
	sum = va + vb;
	out->statistic = mean_change(base, new) / scale / sqrt(sum);
	out->df = sum * sum / (va * va / (n - 1) + vb * vb / (m - 1));
	out->p = stats_student_tails(out->statistic, out->df);
	return 0;
}

/* ---- ranks ---- */

struct ranked {
	double value;
	bool is_new;
};

struct ranks {
	struct ranked *all;        /* sorted */
	unsigned int *doubled;     /* rank of each, times two */
	size_t nr;
	double sum_new;            /* of the doubled ranks */
	double ties;               /* sum of t^3 - t */
};

static int by_ranked_value(const void *a, const void *b)
{
	const double x = ((const struct ranked *)a)->value;
	const double y = ((const struct ranked *)b)->value;

	return (x > y) - (x < y);
}

static void ranks_free(struct ranks *r)
{
	free(r->all);
	free(r->doubled);
}

static void share_ranks(struct ranks *r)
{
	size_t i, k, end;

	for (i = 0; i < r->nr; i = end) {
		double t;

		end = i + 1;
		while (end < r->nr && !(r->all[end].value > r->all[i].value))
			end++;
		t = (double)(end - i);
		r->ties += t * t * t - t;
		for (k = i; k < end; k++) {
			/* Ranks i + 1 to end: twice their mean. */
			r->doubled[k] = (unsigned int)(i + 1 + end);
			if (r->all[k].is_new)
				r->sum_new += r->doubled[k];
		}
	}
}

static int ranks_make(struct ranks *r, const struct stats_sample *base,
		      const struct stats_sample *new)
{
	*r = (struct ranks){ .nr = base->nr + new->nr };
	if (!stats_usable(base, 1) || !stats_usable(new, 1))
		return -EINVAL;
	r->all = calloc(r->nr, sizeof(*r->all));
	r->doubled = calloc(r->nr, sizeof(*r->doubled));
	if (!r->all || !r->doubled) {
		ranks_free(r);
		return -ENOMEM;
	}
	for (size_t i = 0; i < base->nr; i++)
		r->all[i].value = base->v[i];
	for (size_t i = 0; i < new->nr; i++)
		r->all[base->nr + i] = (struct ranked){ new->v[i], true };
	qsort(r->all, r->nr, sizeof(*r->all), by_ranked_value);
	share_ranks(r);
	return 0;
}

/*
 * ways[k * width + s] = number of sets of k ranks whose sum is s. Whole numbers
 * below 2^53, of at most C(40, 20) sets: exact.
 */
static void count_ways(const struct ranks *r, double *ways, size_t nr_new,
		       size_t width)
{
	ways[0] = 1;
	for (size_t i = 0; i < r->nr; i++) {
		const size_t rank = r->doubled[i];

		for (size_t k = nr_new; k > 0; k--)
			for (size_t s = rank; s < width; s++)
				ways[k * width + s] +=
					ways[(k - 1) * width + s - rank];
	}
}

static int exact_p(const struct ranks *r, size_t nr_new, double *p)
{
	const size_t width = MAX_SUM + 1;
	const size_t sum = (size_t)r->sum_new;
	double *ways = calloc((nr_new + 1) * width, sizeof(*ways));
	double low = 0, high = 0, all = 0;

	if (!ways)
		return -ENOMEM;
	count_ways(r, ways, nr_new, width);
	for (size_t s = 0; s < width; s++) {
		const double n = ways[nr_new * width + s];

		all += n;
		low += s <= sum ? n : 0;
		high += s >= sum ? n : 0;
	}
	*p = fmin(1, 2 * fmin(low, high) / all);
	free(ways);
	return 0;
}

static double normal_p(const struct ranks *r, double n, double m, double u)
{
	const double nr = (double)r->nr;
	const double variance = n * m / 12 *
				(nr + 1 - r->ties / (nr * (nr - 1)));
	const double distance = fabs(u - n * m / 2) - 0.5;

	if (!(variance > 0) || !(distance > 0))
		return 1;
	return erfc(distance / sqrt(2 * variance));
}

int stats_mann_whitney(const struct stats_sample *base,
		       const struct stats_sample *new,
		       struct stats_test *out)
{
	const double n = (double)base->nr, m = (double)new->nr;
	struct ranks r;
	int err = ranks_make(&r, base, new);

	*out = (struct stats_test){ 0 };
	if (err)
		return err;
	out->statistic = (r.sum_new - m * (m + 1)) / 2;
	out->exact = base->nr <= STATS_EXACT_MAX && new->nr <= STATS_EXACT_MAX;
	if (out->exact)
		err = exact_p(&r, new->nr, &out->p);
	else
		out->p = normal_p(&r, n, m, out->statistic);
	ranks_free(&r);
	return err;
}

double stats_smallest_p(size_t n, size_t m)
{
	double p = 2;

	/* One of C(n + m, n) ways, and its mirror image. */
	for (size_t i = 1; i <= n; i++)
		p *= (double)i / (double)(m + i);
	return fmin(1, p);
}

int stats_cliffs_delta(const struct stats_sample *base,
		       const struct stats_sample *new, double *out)
{
	const double n = (double)base->nr, m = (double)new->nr;
	struct ranks r;
	int err = ranks_make(&r, base, new);

	if (err)
		return err;
	*out = (r.sum_new - m * (m + 1)) / (n * m) - 1;
	ranks_free(&r);
	return 0;
}

int stats_hedges_g(const struct stats_sample *base,
		   const struct stats_sample *new, double *out)
{
	const double df = (double)base->nr + (double)new->nr - 2;
	struct stats_summary a, b;
	double pooled, d;
	int sign;

	if (!stats_usable(base, 2) || !stats_usable(new, 2))
		return -EINVAL;
	if (stats_summarize(base, &a) || stats_summarize(new, &b))
		return -ENOMEM;
	d = mean_change(base, new);
	pooled = hypot(sqrt((double)(base->nr - 1) / df) * a.sd,
		       sqrt((double)(new->nr - 1) / df) * b.sd);
	if (!(pooled > 0) && (d > 0 || d < 0))
		return -EINVAL;
	*out = 0;
	if (pooled > 0)
		*out = d / pooled * exp(lgamma_r(df / 2, &sign) -
					lgamma_r((df - 1) / 2, &sign)) /
		       sqrt(df / 2);
	return 0;
}
