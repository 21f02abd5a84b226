/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One point against another. They have seeds in common, and a seed moves both:
 * what counts is the difference within a seed, and its mean is known as well as
 * Student's t says. To be beaten with confidence a point must be worse in every
 * objective with confidence (or exactly equal in it), so that the claim as a
 * whole is no weaker than its weakest part, and needs no correction for their
 * number.
 */
#include <math.h>

#include "bench/stats_internal.h"
#include "bench/tune_search.h"

double tune_critical(double level, unsigned int df)
{
	double low = 0, high = 1;

	while (stats_student_tails(high, df) / 2 > 1 - level && high < 1e9)
		high *= 2;
	for (unsigned int i = 0; i < 100; i++) {
		const double mid = (low + high) / 2;

		if (stats_student_tails(mid, df) / 2 > 1 - level)
			low = mid;
		else
			high = mid;
	}
	return high;
}

static double value_at(const struct tune_search *s, size_t point,
		       unsigned int seed, unsigned int objective)
{
	return s->points[point].value[seed * s->space->nr_objectives +
				      objective];
}

/* a - b in one objective. */
struct difference {
	bool equal;              /* for every seed */
	double mean;
	double margin;           /* of what another seed would show */
	double margin_all;       /* of the mean over all seeds of the experiment */
};

static struct difference difference_of(const struct tune_search *s, size_t a,
				       size_t b, unsigned int k,
				       unsigned int nr)
{
	struct difference d = { .equal = true };
	double squares = 0;
	unsigned int i;

	for (i = 0; i < nr; i++) {
		const double x = value_at(s, a, i, k) - value_at(s, b, i, k);

		d.equal &= !(x < 0 || x > 0);
		d.mean += x / nr;
	}
	for (i = 0; i < nr; i++) {
		const double x = value_at(s, a, i, k) - value_at(s, b, i, k);

		squares += (x - d.mean) * (x - d.mean);
	}
	if (d.equal)
		d.mean = 0;
	d.margin = nr < 2 ? HUGE_VAL :
		   s->critical[nr] * sqrt(squares / (nr - 1) / nr);
	/* Of the seeds that make up that mean, some are known already. */
	d.margin_all = nr < 2 ? HUGE_VAL : d.margin *
		       sqrt(1 - (double)nr / s->space->nr_seeds);
	return d;
}

struct tune_against tune_compare(const struct tune_search *s, size_t a,
				 size_t b)
{
	const unsigned int na = s->points[a].nr, nb = s->points[b].nr;
	struct tune_against out = { .nr = na < nb ? na : nb, .equal = true,
				    .beats = true, .surely_beats = true };
	bool better = false, surely_better = false, surely_better_all = false;

	for (unsigned int k = 0; k < s->space->nr_objectives; k++) {
		const struct difference d = difference_of(s, a, b, k, out.nr);

		out.equal &= d.equal;
		out.beats &= d.mean >= 0;
		better |= d.mean > 0;
		out.surely_beats &= d.equal || d.mean > d.margin_all;
		surely_better |= !d.equal && d.mean > d.margin;
		surely_better_all |= !d.equal && d.mean > d.margin_all;
	}
	out.beats &= better;
	/* A single seed is equal or not, and says nothing about others. */
	out.surely_beats &= surely_better_all && out.nr > 1;
	out.surely_unbeaten = out.nr > 1 && (surely_better || out.equal);
	return out;
}

double tune_mean(const struct tune_search *s, size_t point,
		 unsigned int objective)
{
	const unsigned int nr = s->points[point].nr;
	double sum = 0;

	for (unsigned int i = 0; i < nr; i++)
		sum += value_at(s, point, i, objective);
	return nr ? sum / nr : 0;
}

/*
 * Mean of the front for one seed. A seed moves all points, and what it does to
 * all of them tells none from another: it is taken out before the spread is.
 */
static double seed_mean(const struct tune_search *s, unsigned int seed,
			unsigned int objective, size_t *nr)
{
	double sum = 0;

	*nr = 0;
	for (size_t i = 0; i < s->space->nr_points; i++)
		if (s->points[i].front && s->points[i].nr > seed) {
			sum += value_at(s, i, seed, objective);
			++*nr;
		}
	return *nr > 1 ? sum / (double)*nr : 0;
}

double tune_margin(const struct tune_search *s, size_t point,
		   unsigned int objective)
{
	const unsigned int nr = s->points[point].nr;
	const double two_sided = (1 + s->rules.level) / 2;
	double sum = 0, squares = 0, widen = 1;
	size_t others;

	if (nr < 2)
		return 0;
	for (unsigned int i = 0; i < nr; i++) {
		const double x = value_at(s, point, i, objective) -
				 seed_mean(s, i, objective, &others);

		sum += x;
		squares += x * x;
		/* The point is part of the mean that is taken from it. */
		if (others > 1 && s->points[point].front)
			widen = (double)others / (double)(others - 1);
	}
	squares -= sum * sum / nr;
	if (squares < 0)
		squares = 0;
	return tune_critical(two_sided, nr - 1) *
	       sqrt(widen * squares / (nr - 1) / nr);
}
