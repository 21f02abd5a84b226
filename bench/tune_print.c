/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The front as a table. A row is a point: its keys, each objective with its mean
 * and interval over seeds, how many seeds that are, how many points of the
 * front might beat it with other seeds, how many it beats, how many are the same.
 */
#include <errno.h>
#include <string.h>

#include "bench/grid.h"
#include "bench/tune.h"

enum { COUNT_SEEDS, COUNT_OPEN, COUNT_BEATS, COUNT_SAME, NR_COUNTS };

static const struct grid_column count_columns[NR_COUNTS] = {
	[COUNT_SEEDS] = { .label = "seeds", .name = "seeds", .unit = "",
			  .suffix = "" },
	[COUNT_OPEN] = { .label = "open", .name = "open", .unit = "points",
			 .suffix = "" },
	[COUNT_BEATS] = { .label = "beats", .name = "beats", .unit = "points",
			  .suffix = "" },
	[COUNT_SAME] = { .label = "same", .name = "same", .unit = "points",
			 .suffix = "" },
};

/* While it is made. */
struct front {
	const struct tune *t;
	struct arena *a;
	struct grid g;
	bool text;              /* an interval has a column of its own */
	unsigned int per;       /* columns of an objective */
};

static const struct cell *cell_of(const struct tune *t, size_t point)
{
	return &t->e->cells[tune_cell(t, point, 0)];
}

/* Of all variants, in order of appearance. */
static int make_keys(struct front *f)
{
	const struct tune_space *space = &f->t->space;
	struct grid *g = &f->g;
	size_t most = 1, i;

	for (i = 0; i < space->nr_families; i++)
		most += space->families[i].nr_dims;
	g->keys = arena_array(f->a, most, sizeof(*g->keys));
	g->key_names = arena_array(f->a, most, sizeof(*g->key_names));
	if (!g->keys || !g->key_names)
		return -ENOMEM;
	g->keys[0] = g->key_names[0] = "variant";
	g->nr_keys = 1;
	for (i = 0; i < space->nr_families; i++) {
		const struct cell *c = cell_of(f->t, space->families[i].first);

		for (unsigned int k = 0; k < c->nr_axes; k++) {
			size_t n = 1;

			while (n < g->nr_keys &&
			       strcmp(g->key_names[n], c->axes[k].name))
				n++;
			if (n < g->nr_keys)
				continue;
			g->keys[n] = strrchr(c->axes[k].name, '.') + 1;
			g->key_names[n] = c->axes[k].name;
			g->nr_keys++;
		}
	}
	return 0;
}

static int make_columns(struct front *f)
{
	const struct tune_goal *goal = f->t->goal;
	struct grid_column *c;

	f->g.nr_columns = goal->nr_objectives * f->per + NR_COUNTS;
	c = arena_array(f->a, f->g.nr_columns, sizeof(*c));
	if (!c)
		return -ENOMEM;
	f->g.columns = c;
	for (unsigned int k = 0; k < goal->nr_objectives; k++) {
		const struct tune_objective *o = &goal->objectives[k];
		const struct grid_column *shown = &o->word.column.shown;

		*c = (struct grid_column){
			.label = o->label, .name = o->text,
			.unit = shown->unit ? shown->unit : "", .suffix = "",
			/* A byte is a byte, and a GiB has hundredths. */
			.decimals = o->word.column.scale > 1 ||
				    shown->decimals ? shown->decimals + 1 : 0,
		};
		c++;
		if (f->per == 1)
			continue;
		*c = c[-1];
		c->label = arena_printf(f->a, "%.12g %% interval",
					f->t->rules.level * 100);
		c->range = true;
		if (!c->label)
			return -ENOMEM;
		c++;
	}
	memcpy(c, count_columns, sizeof(count_columns));
	return 0;
}

static struct grid_value count(size_t nr)
{
	const double v = (double)nr;

	return (struct grid_value){ true, v, v, v };
}

static void fill_counts(const struct tune_search *s, size_t point,
			struct grid_value *out)
{
	size_t n[NR_COUNTS] = { [COUNT_SEEDS] = s->points[point].nr };

	for (size_t i = 0; i < s->space->nr_points; i++) {
		const struct tune_point *p = &s->points[i];
		struct tune_against a;

		if (i == point || !p->nr || p->state == TUNE_OUT)
			continue;
		a = tune_compare(s, point, i);
		n[COUNT_SAME] += a.equal;
		n[COUNT_BEATS] += a.beats;
		n[COUNT_OPEN] += p->front && !a.surely_unbeaten;
	}
	for (unsigned int k = 0; k < NR_COUNTS; k++)
		out[k] = count(n[k]);
}

static int fill_row(struct front *f, size_t point, struct grid_row *row)
{
	const struct tune_search *s = &f->t->search;
	const struct cell *c = cell_of(f->t, point);
	struct grid_value *v = arena_array(f->a, f->g.nr_columns, sizeof(*v));

	row->keys = arena_array(f->a, f->g.nr_keys, sizeof(*row->keys));
	row->values = v;
	if (!v || !row->keys)
		return -ENOMEM;
	row->keys[0] = c->variant;
	for (size_t n = 1; n < f->g.nr_keys; n++) {
		row->keys[n] = "";
		for (unsigned int k = 0; k < c->nr_axes; k++)
			if (!strcmp(c->axes[k].name, f->g.key_names[n]))
				row->keys[n] = c->axes[k].value;
	}
	for (unsigned int k = 0; k < s->space->nr_objectives; k++) {
		const double half = tune_margin(s, point, k);
		double mean = tune_mean(s, point, k);

		mean = s->space->smaller[k] ? -mean : mean;
		for (unsigned int i = 0; i < f->per; i++)
			*v++ = (struct grid_value){ true, mean, mean - half,
						    mean + half };
	}
	fill_counts(s, point, v);
	return 0;
}

/* Rows from the best in the first objective to the worst. */
static int fill_rows(struct front *f)
{
	const struct tune_search *s = &f->t->search;
	struct grid *g = &f->g;
	double last = 0;
	int err = 0;

	for (size_t i = 0; i < s->space->nr_points; i++)
		g->nr_rows += s->points[i].front;
	g->rows = arena_array(f->a, g->nr_rows + 1, sizeof(*g->rows));
	if (!g->rows)
		return -ENOMEM;
	for (size_t n = 0, at = 0; n < g->nr_rows && !err; n++) {
		size_t best = s->space->nr_points;

		for (size_t i = 0; i < s->space->nr_points; i++) {
			const double mean = tune_mean(s, i, 0);

			/* Behind the last row, and before all others. */
			if (s->points[i].front &&
			    (!n || mean < last || (!(mean > last) && i > at)) &&
			    (best == s->space->nr_points ||
			     mean > tune_mean(s, best, 0)))
				best = i;
		}
		at = best;
		last = tune_mean(s, at, 0);
		err = fill_row(f, at, &g->rows[n]);
	}
	return err;
}

/* What the search cost, and what it leaves open. */
static int describe(const struct tune *t, struct page *p, struct arena *a)
{
	const struct tune_search *s = &t->search;
	size_t n[TUNE_OUT + 1] = { 0 }, tried = 0, out[TUNE_FAILED + 1] = { 0 };

	for (size_t i = 0; i < s->space->nr_points; i++) {
		n[s->points[i].state]++;
		tried += s->points[i].state != TUNE_UNTRIED;
		out[s->points[i].verdict] += s->points[i].state == TUNE_OUT;
	}
	p->intro[0] = arena_printf(a, "%llu of %zu cells (%.1f %%), %zu of %zu "
		"points with up to %u seeds%s", (unsigned long long)s->used,
		t->nr_cells, 100 * (double)s->used / (double)t->nr_cells, tried,
		t->nr_grid_points, s->space->nr_seeds,
		s->rules.everything ? "; the whole grid" :
		s->decided ? "" : "; the budget ended the search");
	p->intro[1] = arena_printf(a, "%zu points dropped as beaten with %.12g "
		"%% confidence, %zu as the same as another, %zu for a "
		"requirement, %zu without a value, %zu failed",
		n[TUNE_DOMINATED], t->rules.level * 100, n[TUNE_SAME],
		out[TUNE_UNMET], out[TUNE_NO_VALUE], out[TUNE_FAILED]);
	p->facts[0] = (struct page_fact){ "cells", arena_printf(a, "%llu",
				(unsigned long long)s->used) };
	p->facts[1] = (struct page_fact){ "grid_cells",
				arena_printf(a, "%zu", t->nr_cells) };
	p->facts[2] = (struct page_fact){ "points_tried",
				arena_printf(a, "%zu", tried) };
	p->facts[3] = (struct page_fact){ "grid_points",
				arena_printf(a, "%zu", t->nr_grid_points) };
	p->facts[4] = (struct page_fact){ "decided",
				s->decided ? "yes" : "no" };
	p->facts[5] = (struct page_fact){ "level",
				arena_printf(a, "%.12g", t->rules.level) };
	for (unsigned int i = 0; i < 6; i++)
		if (!p->facts[i].value)
			return -ENOMEM;
	return p->intro[0] && p->intro[1] ? 0 : -ENOMEM;
}

int tune_print(const struct tune *t, enum report_format format, FILE *out)
{
	static const char *const no_groups[] = { "" };
	struct arena a = { 0 };
	struct front f = { .t = t, .a = &a,
			   .text = format == REPORT_TABLE ||
				   format == REPORT_MD };
	struct page p = { .title = t->e->title, .tables = &f.g,
			  .nr_tables = 1 };
	int err;

	f.per = f.text ? 2 : 1;
	f.g = (struct grid){
		.name = "front", .title = "Points that no other beats",
		.note = "open: points of this table that might beat it with "
			"other seeds; beats: points tried whose means it "
			"beats; same: points with equal numbers",
		.groups = no_groups, .nr_groups = 1,
	};
	err = make_keys(&f);
	if (!err)
		err = make_columns(&f);
	if (!err)
		err = fill_rows(&f);
	if (!err)
		err = describe(t, &p, &a);
	if (!err)
		err = page_print(&p, format, out);
	arena_free(&a);
	return err;
}
