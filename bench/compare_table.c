/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A comparison as tables: means before and after, and counters that moved. */
#include <errno.h>
#include <string.h>

#include "bench/command.h"
#include "bench/compare_internal.h"
#include "bench/grid.h"
#include "bench/grouping.h"

#define GIB ((double)(1 << 30))

/* The last three are of several seeds. */
enum { BEFORE, AFTER, CHANGE, CHANCE, LOW, HIGH, NR_COLUMNS };
#define NR_COLUMNS_ALONE (CHANGE + 1)

#define CHANGE_COLUMN \
	{ .label = "change", .name = "change", .unit = "%", .suffix = "%", \
	  .decimals = 2, .sign = true }

/* Of the U test over the seeds, and the interval of the change of the mean. */
#define SEEDS_COLUMNS \
	[CHANCE] = { .label = "p", .name = "p", .unit = "", .suffix = "", \
		     .decimals = 3 }, \
	[LOW] = { .label = "from", .name = "change_from", .unit = "%", \
		  .suffix = "%", .decimals = 2, .sign = true, \
		  .wide_only = true }, \
	[HIGH] = { .label = "to", .name = "change_to", .unit = "%", \
		   .suffix = "%", .decimals = 2, .sign = true, \
		   .wide_only = true }

static const struct grid_column rate_columns[NR_COLUMNS] = {
	[BEFORE] = { .label = "before", .name = "iterations_per_s_before",
		     .unit = "1/s", .suffix = "" },
	[AFTER] = { .label = "after", .name = "iterations_per_s_after",
		    .unit = "1/s", .suffix = "" },
	[CHANGE] = CHANGE_COLUMN,
	SEEDS_COLUMNS,
};

static const struct grid_column resident_columns[NR_COLUMNS] = {
	[BEFORE] = { .label = "before", .name = "host_rss_end_before",
		     .unit = "GiB", .suffix = "", .decimals = 2 },
	[AFTER] = { .label = "after", .name = "host_rss_end_after",
		    .unit = "GiB", .suffix = "", .decimals = 2 },
	[CHANGE] = CHANGE_COLUMN,
	SEEDS_COLUMNS,
};

enum { SUM_BEFORE, SUM_AFTER, SUM_CHANGE, SUM_CELLS, NR_SUM_COLUMNS };

static const struct grid_column sum_columns[NR_SUM_COLUMNS] = {
	[SUM_BEFORE] = { .label = "before", .name = "sum_before", .unit = "",
			 .suffix = "" },
	[SUM_AFTER] = { .label = "after", .name = "sum_after", .unit = "",
			.suffix = "" },
	[SUM_CHANGE] = CHANGE_COLUMN,
	[SUM_CELLS] = { .label = "cells", .name = "cells", .unit = "",
			.suffix = "" },
};

struct compare_report {
	const struct comparison *c;
	struct arena a;
	struct grouping g;
	struct grid tables[3];
	size_t nr_tables;
};

static struct grid_value number(double v)
{
	return (struct grid_value){ true, v, v, v };
}

static struct grid_value tally_value(const struct tally *t)
{
	return (struct grid_value){ t->nr > 0, tally_mean(t), t->min, t->max };
}

static void set_change(struct grid_value *v)
{
	if (v[BEFORE].present && v[AFTER].present && v[BEFORE].mean > 0)
		v[CHANGE] = number((v[AFTER].mean / v[BEFORE].mean - 1.0) *
				   100.0);
}

/* The other side of a cell of NEW, or NULL. */
static const struct result_cell *base_of(const struct comparison *c,
					 const struct result_cell *new)
{
	/* Pairs stand in the order of NEW. */
	return c->pairs[new - c->new->cells].base;
}

static bool metric_of(const struct result_cell *c, const char *name,
		      double *out)
{
	return c && result_metric(&c->values, name, out);
}

/* What several seeds say about the change: is it chance, and how much is it? */
static void set_seeds(const struct stats_sample *before,
		      const struct stats_sample *after, struct grid_value *v)
{
	struct stats_interval i;
	struct stats_test t;

	if (before->nr < 2 || after->nr < 2)
		return;
	if (!stats_mann_whitney(before, after, &t))
		v[CHANCE] = number(t.p);
	if (!stats_change_interval(before, after, STATS_MEAN, NULL, &i)) {
		v[LOW] = number(i.low);
		v[HIGH] = number(i.high);
	}
}

static int slot_values(struct compare_report *r, const struct group_slot *s,
		       const char *metric, double unit, struct grid_value *v)
{
	double *was = arena_array(&r->a, s->nr + 1, sizeof(*was));
	double *is = arena_array(&r->a, s->nr + 1, sizeof(*is));
	struct stats_sample b = { .v = was }, n = { .v = is };
	struct tally before = { 0 }, after = { 0 };

	if (!was || !is)
		return -ENOMEM;
	for (size_t i = 0; i < s->nr; i++) {
		if (metric_of(base_of(r->c, s->cells[i]), metric, &was[b.nr])) {
			was[b.nr] /= unit;
			tally_add(&before, was[b.nr++]);
		}
		if (metric_of(s->cells[i], metric, &is[n.nr])) {
			is[n.nr] /= unit;
			tally_add(&after, is[n.nr++]);
		}
	}
	v[BEFORE] = tally_value(&before);
	v[AFTER] = tally_value(&after);
	set_change(v);
	if (r->g.nr_seeds > 1)
		set_seeds(&b, &n, v);
	return 0;
}

static int add_keys(struct compare_report *r, struct grid *t)
{
	const struct grouping *g = &r->g;

	t->nr_keys = g->nr_axes + 1;
	t->keys = arena_array(&r->a, t->nr_keys, sizeof(*t->keys));
	t->key_names = arena_array(&r->a, t->nr_keys, sizeof(*t->key_names));
	if (!t->keys || !t->key_names)
		return -ENOMEM;
	t->keys[0] = t->key_names[0] = "variant";
	for (size_t k = 0; k < g->nr_axes; k++) {
		t->keys[k + 1] = g->axis_labels[k];
		t->key_names[k + 1] = g->axes[k];
	}
	return 0;
}

/* Of after over before, over all numbers of the table; NULL if there is one. */
static const char *mean_ratio(struct compare_report *r, const struct grid *t)
{
	const size_t nr = t->nr_rows * t->nr_groups;
	double *ratios = arena_array(&r->a, nr + 1, sizeof(*ratios)), mean;
	struct stats_sample s = { .v = ratios };

	for (size_t i = 0; i < nr && ratios; i++) {
		const struct grid_value *v = &t->rows[i / t->nr_groups].values[
			i % t->nr_groups * t->nr_columns];

		if (v[BEFORE].present && v[AFTER].present &&
		    v[BEFORE].mean > 0)
			ratios[s.nr++] = v[AFTER].mean / v[BEFORE].mean;
	}
	if (!ratios || s.nr < 2 || stats_geometric_mean(&s, &mean))
		return NULL;
	return arena_printf(&r->a, "Geometric mean of after over before: %.4f",
			    mean);
}

/* One row per variant and axes, as in a report. */
static int add_metric_table(struct compare_report *r, const struct grid *head,
			    const char *metric, double unit)
{
	const struct grouping *g = &r->g;
	struct grid *t = &r->tables[r->nr_tables];
	int err;

	*t = *head;
	t->groups = g->groups;
	t->nr_groups = g->nr_groups;
	t->nr_columns = g->nr_seeds > 1 ? NR_COLUMNS : NR_COLUMNS_ALONE;
	err = add_keys(r, t);
	t->rows = arena_array(&r->a, g->nr_rows + 1, sizeof(*t->rows));
	if (err || !t->rows)
		return -ENOMEM;
	for (size_t i = 0; i < g->nr_rows; i++) {
		struct grid_row *row = &t->rows[t->nr_rows++];

		row->keys = arena_array(&r->a, t->nr_keys, sizeof(*row->keys));
		row->values = arena_array(&r->a, t->nr_groups * t->nr_columns,
					  sizeof(*row->values));
		if (!row->keys || !row->values)
			return -ENOMEM;
		row->keys[0] = g->rows[i].variant;
		for (size_t k = 1; k < t->nr_keys; k++)
			row->keys[k] = g->rows[i].axes[k - 1];
		for (size_t k = 0; k < g->nr_groups && !err; k++)
			err = slot_values(r, &g->rows[i].slots[k], metric,
					  unit,
					  &row->values[k * t->nr_columns]);
	}
	t->note = mean_ratio(r, t);
	r->nr_tables++;
	return err;
}

static int add_sum(struct compare_report *r, struct grid *t,
		   const struct moved_counter *m)
{
	struct grid_row *row = &t->rows[t->nr_rows++];

	row->keys = arena_array(&r->a, 1, sizeof(*row->keys));
	row->values = arena_array(&r->a, NR_SUM_COLUMNS, sizeof(*row->values));
	if (!row->keys || !row->values)
		return -ENOMEM;
	row->keys[0] = m->name;
	row->values[SUM_BEFORE] = number(m->was);
	row->values[SUM_AFTER] = number(m->is);
	set_change(row->values);
	row->values[SUM_CELLS] = number((double)m->nr_cells);
	return 0;
}

static int add_sums(struct compare_report *r)
{
	static const char *const no_group[] = { "" };
	struct grid *t = &r->tables[r->nr_tables];
	const struct moved_counter *m;
	size_t nr, i;
	int err = compare_moved_counters(r->c, &r->a, &m, &nr);

	if (err || !nr)
		return err;
	*t = (struct grid){
		.name = "counters",
		.title = "Counters that moved, summed over the cells in which "
			 "they did",
		.nr_keys = 1, .groups = no_group, .nr_groups = 1,
		.columns = sum_columns, .nr_columns = NR_SUM_COLUMNS,
	};
	t->keys = arena_array(&r->a, 1, sizeof(*t->keys));
	t->rows = arena_array(&r->a, nr, sizeof(*t->rows));
	if (!t->keys || !t->rows)
		return -ENOMEM;
	t->key_names = t->keys;
	t->keys[0] = "counter";
	for (i = 0; i < nr && !err; i++)
		err = add_sum(r, t, &m[i]);
	r->nr_tables++;
	return err;
}

static int build(struct compare_report *r)
{
	const struct grid rate = {
		.name = "throughput",
		.title = "Iterations per second, higher is better",
		.columns = rate_columns,
	}, resident = {
		.name = "resident",
		.title = "Resident on the host at the end in GiB, lower is "
			 "better",
		.columns = resident_columns,
	};
	int err = grouping_make(&r->g, r->c->new, &r->a);

	if (!err)
		err = add_metric_table(r, &rate, "iterations_per_s", 1.0);
	if (!err)
		err = add_metric_table(r, &resident, "host_rss_end_bytes",
				       GIB);
	return err ? err : add_sums(r);
}

static int fill_page(struct compare_report *r, enum report_format f,
		     struct page *p)
{
	/* Of one seed; of several; and with columns that a mail leaves out. */
	static const char *const notes[] = {
		"", " p is of the Mann-Whitney test.",
		(" p is of the Mann-Whitney test; from and to bound the change "
		 "with 95 % confidence."),
	};
	const struct comparison *c = r->c;

	p->title = c->new->nr_cells ? c->new->cells[0].experiment : "";
	p->intro[0] = arena_printf(
		&r->a, "Cells: %zu moved, %zu equal, %zu missing, %zu not in "
		"the baseline.", c->nr_moved, c->nr_equal, c->nr_missing,
		c->nr_extra);
	p->intro[1] = arena_printf(
		&r->a, "Means over n = %s.%s", counted(&r->a, r->g.nr_seeds,
		"seed"), notes[r->g.nr_seeds > 1 ? 1 + (f != REPORT_COVER) :
						   0]);
	p->warning = compare_model_text(c, &r->a);
	p->repeat[0] = command_text(c->new, "run", &r->a);
	p->facts[0] = (struct page_fact){ "verdict",
					   compare_verdict_names[c->verdict] };
	p->tables = r->tables;
	p->nr_tables = r->nr_tables;
	return p->intro[0] && p->intro[1] && p->repeat[0] ? 0 : -ENOMEM;
}

/* The tables, and all that check --format json says. */
static int print_json(const struct comparison *c, const struct page *p,
		      FILE *out)
{
	json_t *o = page_json(p);

	return o ? compare_add_json(c, o, out) : -ENOMEM;
}

int compare_print_table(const struct comparison *c, enum report_format f,
			FILE *out)
{
	struct compare_report r = { .c = c };
	struct page p = { 0 };
	int err = build(&r);

	if (!err)
		err = fill_page(&r, f, &p);
	if (!err && f != REPORT_JSON)
		err = page_print(&p, f, out);
	else if (!err)
		err = print_json(c, &p, out);
	arena_free(&r.a);
	return err;
}
