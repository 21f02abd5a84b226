/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The error budget: what a quantity moves by when one price is at the low or at
 * the high end of what it may be, all else as it was, the same seed. Only the
 * cells of quantities that ask for an interval are run, with the first seed.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "bench/reproduce/predict.h"
#include "bench/store.h"

struct budget {
	struct claim *c;
	const struct predict_request *req;
	struct prediction *out;
	struct diag *d;
	struct price_list prices;    /* of the experiment */
	const char *seed;
	const char *only;
	const char *sets[MAX_WHERE + 1];
	size_t nr_sets;
	double *base;                /* [nr_quantities], with that seed */
	double *values;              /* room for predict_values() */
};

static bool is_named(const char *list, const char *name)
{
	const size_t len = strlen(name);

	for (const char *p = list; (p = strstr(p, name)); p += len)
		if ((p == list || p[-1] == ',') &&
		    (!p[len] || p[len] == ','))
			return true;
	return false;
}

static int add_variant(struct budget *b, const char *name)
{
	if (!*name || (b->only && is_named(b->only, name)))
		return 0;
	b->only = arena_printf(&b->c->arena, "%s%s%s", b->only ? b->only : "",
			       b->only ? "," : "", name);
	return b->only ? 0 : -ENOMEM;
}

static bool all_want(const struct claim *c, const struct result_text *t)
{
	for (size_t i = 0; i < c->nr_quantities; i++) {
		const struct quantity *q = &c->quantities[i];
		bool has = !q->o.interval;

		for (size_t k = 0; k < q->nr_where && !has; k++)
			has = !strcmp(q->where[k].name, t->name) &&
			      !strcmp(q->where[k].value, t->value);
		if (!has)
			return false;
	}
	return true;
}

/* What every one of them asks for need not be run otherwise. */
static int add_sets(struct budget *b, const struct quantity *q,
		    const char *phase)
{
	for (size_t i = 0; i < q->nr_where; i++) {
		const struct result_text *t = &q->where[i];

		if (!all_want(b->c, t))
			continue;
		b->sets[b->nr_sets] = strchr(t->name, '.') ?
			arena_printf(&b->c->arena, "%s=%s", t->name,
				     t->value) :
			arena_printf(&b->c->arena, "phase.%s.%s=%s", phase,
				     t->name, t->value);
		if (!b->sets[b->nr_sets++])
			return -ENOMEM;
	}
	return 0;
}

static int choose_cells(struct budget *b, const struct results *r)
{
	const struct result_cell *cell = &r->cells[0];
	const char *phase = cell->nr_phases ?
			    cell->phases[cell->nr_phases - 1].name : "";
	bool first = true;
	int err = 0;

	b->seed = arena_printf(&b->c->arena, "%" PRIu64, cell->seed);
	for (size_t i = 0; i < b->c->nr_quantities && !err; i++) {
		const struct quantity *q = &b->c->quantities[i];

		if (!q->o.interval)
			continue;
		err = add_variant(b, q->o.variant);
		if (!err)
			err = add_variant(b, q->o.against);
		if (!err && first)
			err = add_sets(b, q, phase);
		first = false;
	}
	return b->seed ? err : -ENOMEM;
}

/* The prices that the experiment's cells were run with. */
static int read_prices(struct budget *b, const struct results *r)
{
	const char *file = result_option(&r->cells[0], "host.prices");
	const char *path = file && *file ?
		path_from(&b->c->arena,
			  path_dir(&b->c->arena, b->c->experiment), file) :
		NULL;

	price_list_default(&b->prices);
	return path ? price_list_read(&b->prices, path, b->d) : 0;
}

static uint64_t scaled(uint64_t ps, double by)
{
	return (uint64_t)((double)ps * by + 0.5);
}

static int write_prices(struct budget *b, const struct price_range *p,
			double by, const char *path)
{
	struct price_list l = b->prices;
	char why[4400] = "";
	struct store_file f;
	int err;

	l.p[p->price].ps_1 = scaled(l.p[p->price].ps_1, by);
	l.p[p->price].ps_n = scaled(l.p[p->price].ps_n, by);
	err = store_create(&f, path, why, sizeof(why));
	if (!err) {
		price_list_print(&l, f.out);
		err = store_commit(&f, why, sizeof(why));
	}
	if (err)
		fprintf(b->req->messages, "error: %s\n", why);
	return err;
}

/* Values of all quantities that want an interval, at the prices of a file. */
static int run_at(struct budget *b, const char *dir, const char *prices,
		  double *values)
{
	const char *sets[MAX_WHERE + 1];
	struct predict_run run = { .dir = dir, .only = b->only,
				   .seeds = b->seed, .sets = sets,
				   .nr_sets = b->nr_sets };
	struct results r = { 0 };
	int err, nr;

	memcpy(sets, b->sets, sizeof(sets));
	if (prices) {
		sets[run.nr_sets] = arena_printf(&b->c->arena,
						 "host.prices=%s", prices);
		if (!sets[run.nr_sets++])
			return -ENOMEM;
	}
	err = predict_cells(b->c, b->req, &run, &r, b->d);
	for (size_t i = 0; i < b->c->nr_quantities && !err; i++) {
		if (!b->c->quantities[i].o.interval)
			continue;
		nr = predict_values(b->c, &b->c->quantities[i], &r, b->values,
				    b->d);
		values[i] = nr > 0 ? b->values[0] : 0;
		err = nr < 0 ? nr : 0;
	}
	results_free(&r);
	return err;
}

static int run_end(struct budget *b, const struct price_range *p, double by,
		   const char *end, double *values)
{
	struct arena *a = &b->c->arena;
	const char *name = price_name(p->price);
	const char *dir = arena_printf(a, "%s/%s/prices/%s-%s", b->req->dir,
				       b->c->name, name, end);
	const char *file = dir ? arena_printf(a, "%s/prices.ini", dir) : NULL;
	char why[4400];
	int err;

	if (!file)
		return -ENOMEM;
	if (store_open(dir, why, sizeof(why))) {
		fprintf(b->req->messages, "error: %s\n", why);
		return -EIO;
	}
	err = write_prices(b, p, by, file);
	/* A folder named on the command line is relative to where we are. */
	if (!err)
		err = run_at(b, dir, file, values);
	for (size_t i = 0; i < b->c->nr_quantities; i++)
		values[i] -= b->base[i];
	return err;
}

static int run_price(struct budget *b, size_t nr)
{
	const struct price_range *p = &b->c->prices[nr];
	double *low, *high;
	int err;

	low = arena_array(&b->c->arena, b->c->nr_quantities, sizeof(*low));
	high = arena_array(&b->c->arena, b->c->nr_quantities, sizeof(*high));
	if (!low || !high)
		return -ENOMEM;
	err = run_end(b, p, p->low, "low", low);
	if (!err)
		err = run_end(b, p, p->high, "high", high);
	for (size_t i = 0; i < b->c->nr_quantities && !err; i++) {
		struct predicted_price *to = b->out->p[i].prices;

		if (to)
			to[nr] = (struct predicted_price){ low[i], high[i] };
	}
	return err;
}

static int make_room(struct budget *b)
{
	struct arena *a = &b->c->arena;

	b->base = arena_array(a, b->c->nr_quantities, sizeof(*b->base));
	b->values = arena_array(a, PREDICT_MAX_SEEDS, sizeof(*b->values));
	if (!b->base || !b->values)
		return -ENOMEM;
	for (size_t i = 0; i < b->c->nr_quantities; i++) {
		if (!b->c->quantities[i].o.interval)
			continue;
		b->out->p[i].prices = arena_array(a, b->c->nr_prices,
						  sizeof(struct predicted_price));
		if (!b->out->p[i].prices)
			return -ENOMEM;
	}
	return 0;
}

int predict_prices(struct claim *c, const struct predict_request *req,
		   const struct results *base, struct prediction *out,
		   struct diag *d)
{
	struct budget b = { .c = c, .req = req, .out = out, .d = d };
	const char *dir = arena_printf(&c->arena, "%s/%s/prices/as-they-are",
				       req->dir, c->name);
	int err = dir ? make_room(&b) : -ENOMEM;

	if (!err)
		err = choose_cells(&b, base);
	if (!err)
		err = read_prices(&b, base);
	if (!err)
		err = run_at(&b, dir, NULL, b.base);
	for (size_t i = 0; i < c->nr_prices && !err; i++)
		err = run_price(&b, i);
	return err;
}
