/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Quantities over seeds, and the interval of each. Two things make a prediction
 * uncertain that a run can show: the seed, of which there are a few, and prices
 * that are not known well. The interval is the root of the sum of the squares of
 * both; what the model leaves out is in neither.
 */
#include "bench/reproduce/predict.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "sim/walk.h"

/* Student's t, two-sided 95 %, by degrees of freedom; 1.96 far out. */
static double t_95(size_t df)
{
	static const double t[] = {
		12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306,
		2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131, 2.120,
		2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064,
		2.060, 2.056, 2.052, 2.048, 2.045, 2.042,
	};

	return df <= ARRAY_SIZE(t) ? t[df - 1] : 2.0;
}

static int by_value(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* Linear between the two values around it, as most programs have it. */
static double quantile(const double *sorted, size_t nr, double q)
{
	const double at = q * (double)(nr - 1);
	const size_t i = (size_t)at;

	if (i + 1 >= nr)
		return sorted[nr - 1];
	return sorted[i] + (at - (double)i) * (sorted[i + 1] - sorted[i]);
}

static void summarize(struct predicted *p, double *v, size_t nr)
{
	double sum = 0, squares = 0;

	for (size_t i = 0; i < nr; i++)
		sum += v[i];
	p->nr_seeds = nr;
	p->mean = sum / (double)nr;
	for (size_t i = 0; i < nr; i++)
		squares += (v[i] - p->mean) * (v[i] - p->mean);
	qsort(v, nr, sizeof(*v), by_value);
	p->min = v[0];
	p->max = v[nr - 1];
	p->median = quantile(v, nr, 0.5);
	p->q1 = quantile(v, nr, 0.25);
	p->q3 = quantile(v, nr, 0.75);
	if (nr > 1) {
		p->sd = sqrt(squares / (double)(nr - 1));
		p->seed_half = t_95(nr - 1) * p->sd / sqrt((double)nr);
	}
}

static void exact(struct predicted *p, double value)
{
	p->mean = p->min = p->max = p->median = p->q1 = p->q3 = value;
}

static void set_interval(const struct claim *c, struct predicted *p)
{
	double down = p->seed_half * p->seed_half, up = down;

	for (size_t i = 0; p->prices && i < c->nr_prices; i++) {
		const struct predicted_price *r = &p->prices[i];
		const double low = fmin(0, fmin(r->at_low, r->at_high));
		const double high = fmax(0, fmax(r->at_low, r->at_high));

		down += low * low;
		up += high * high;
	}
	p->low = p->mean - sqrt(down);
	p->high = p->mean + sqrt(up);
}

static int fill(struct claim *c, const struct results *r,
		struct prediction *out, struct diag *d)
{
	double *values = arena_array(&c->arena, PREDICT_MAX_SEEDS,
				     sizeof(*values));
	int bad = 0, nr;

	if (!values)
		return -ENOMEM;
	for (size_t i = 0; i < c->nr_quantities; i++) {
		const struct quantity *q = &c->quantities[i];
		struct predicted *p = &out->p[i];

		p->quantity = q;
		if (q->walk_guest) {
			exact(p, q->walk_host ?
			      walk_refs(q->walk_guest, q->walk_host) :
			      walk_refs_native(q->walk_guest));
			continue;
		}
		nr = predict_values(c, q, r, values, d);
		if (nr > 0)
			summarize(p, values, (size_t)nr);
		else
			bad = nr;
	}
	return bad;
}

static bool wants_budget(const struct claim *c)
{
	for (size_t i = 0; i < c->nr_quantities; i++)
		if (c->quantities[i].o.interval)
			return c->nr_prices;
	return false;
}

int predict(struct claim *c, const struct predict_request *req,
	    struct prediction *out, struct diag *d)
{
	struct predict_run run = { .only = c->only, .seeds = req->seeds };
	struct results r = { 0 };
	int err = 0;

	*out = (struct prediction){ .claim = c, .seeds = req->seeds };
	out->p = arena_array(&c->arena, c->nr_quantities, sizeof(*out->p));
	run.dir = arena_printf(&c->arena, "%s/%s", req->dir, c->name);
	if (!out->p || !run.dir)
		return -ENOMEM;
	if (c->experiment)
		err = predict_cells(c, req, &run, &r, d);
	if (!err)
		err = fill(c, &r, out, d);
	if (!err && req->budget && wants_budget(c))
		err = predict_prices(c, req, &r, out, d);
	for (size_t i = 0; i < c->nr_quantities && !err; i++)
		set_interval(c, &out->p[i]);
	results_free(&r);
	return err;
}
