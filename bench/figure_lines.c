/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Figures of lines: throughput over the number of tasks, and how long locks were
 * held and how large batches were, as shares of all holds and batches.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bench/figure_internal.h"
#include "include/option.h"

#define MAX_POINTS 64

/* A picture: a line for each variant, a point for each label. */
struct lines {
	const char *name, *heading, *xlabel, *ylabel;
	const char *labels[MAX_POINTS];
	size_t nr_points;
	const char **variants;
	double (*y)[MAX_POINTS];    /* negative: there is none */
	size_t nr_lines;
	bool logarithmic;           /* shares of which most are tiny */
};

/* ---- drawing ---- */

static int write_lines(struct figure *f, const struct lines *l)
{
	struct store_file out;
	int err = figure_data_open(f, l->name, &out);

	if (err)
		return err;
	fputs("point", out.out);
	for (size_t i = 0; i < l->nr_lines; i++) {
		fputc(',', out.out);
		figure_data_word(out.out, l->variants[i]);
	}
	for (size_t p = 0; p < l->nr_points; p++) {
		fputc('\n', out.out);
		figure_data_word(out.out, l->labels[p]);
		for (size_t i = 0; i < l->nr_lines; i++)
			if (l->y[i][p] >= 0)
				fprintf(out.out, ",%.6f", l->y[i][p]);
			else
				fputc(',', out.out);
	}
	fputc('\n', out.out);
	return figure_data_close(f, &out);
}

static void print_lines(struct figure *f, const struct lines *l)
{
	figure_text_heading(f, l->heading);
	fprintf(f->out, "  %s by %s\n", l->ylabel, l->xlabel);
	for (size_t i = 0; i < l->nr_lines; i++) {
		fprintf(f->out, "  %.60s\n", l->variants[i]);
		for (size_t p = 0; p < l->nr_points; p++)
			if (l->y[i][p] >= 0)
				fprintf(f->out, "    %-12s %14.2f\n",
					l->labels[p], l->y[i][p]);
	}
	fputc('\n', f->out);
}

/* A variant without a single point is left out. */
static void drop_empty(struct lines *l)
{
	size_t nr = 0;

	for (size_t i = 0; i < l->nr_lines; i++) {
		bool any = false;

		for (size_t p = 0; p < l->nr_points; p++)
			any |= l->y[i][p] >= 0;
		if (!any)
			continue;
		l->variants[nr] = l->variants[i];
		memmove(l->y[nr++], l->y[i], sizeof(*l->y));
	}
	l->nr_lines = nr;
}

static int draw_lines(struct figure *f, struct lines *l)
{
	struct script script;
	int err;

	drop_empty(l);
	if (f->terminal == FIGURE_DUMB) {
		print_lines(f, l);
		return 0;
	}
	err = write_lines(f, l);
	if (!err)
		err = script_begin(&script, f, l->name);
	if (err)
		return err;
	script_heading(&script, l->heading);
	script_text(&script, "data", arena_printf(&f->a, "./%s.csv",
						  l->name));
	script_text(&script, "across", l->xlabel);
	script_text(&script, "upward", l->ylabel);
	script_number(&script, "nr", (double)l->nr_lines);
	script_number(&script, "logarithmic", l->logarithmic);
	script_ticks(&script, l->labels, l->nr_points);
	return script_run(&script, "lines");
}

static int lines_init(struct figure *f, struct lines *l)
{
	l->nr_lines = f->g.nr_variants;
	l->variants = arena_array(&f->a, l->nr_lines, sizeof(*l->variants));
	l->y = arena_array(&f->a, l->nr_lines, sizeof(*l->y));
	if (!l->variants || !l->y || !l->heading)
		return -ENOMEM;
	memcpy(l->variants, f->g.variants,
	       l->nr_lines * sizeof(*l->variants));
	for (size_t i = 0; i < l->nr_lines; i++)
		for (size_t p = 0; p < MAX_POINTS; p++)
			l->y[i][p] = -1;
	return 0;
}

static size_t variant_number(const struct figure *f, const char *name)
{
	size_t i = 0;

	while (strcmp(f->g.variants[i], name) != 0)
		i++;
	return i;
}

/* ---- scaling ---- */

/* The axis that is a number of tasks; nr_axes if there is none. */
static size_t task_axis(const struct figure *f)
{
	size_t i = 0;

	while (i < f->g.nr_axes && strcmp(f->g.axis_labels[i], "tasks") != 0)
		i++;
	return i;
}

static size_t point_of(struct lines *l, const char *label)
{
	size_t p = 0;

	while (p < l->nr_points && strcmp(l->labels[p], label) != 0)
		p++;
	if (p == l->nr_points && p < MAX_POINTS)
		l->labels[l->nr_points++] = label;
	return p;
}

/* Of rows that differ in nothing but variant and tasks, the first ones. */
static bool same_but_tasks(const struct figure *f, const struct group_row *row,
			   size_t axis)
{
	for (size_t i = 0; i < f->g.nr_axes; i++)
		if (i != axis && strcmp(row->axes[i], f->g.rows[0].axes[i]))
			return false;
	return true;
}

static bool mean_rate(const struct group_slot *s, double *out)
{
	struct tally t = { 0 };
	double v;

	for (size_t i = 0; i < s->nr; i++)
		if (result_metric(&s->cells[i]->values, "iterations_per_s", &v))
			tally_add(&t, v);
	*out = tally_mean(&t);
	return t.nr && t.sum > 0;
}

static int scaling_of(struct figure *f, size_t group, size_t axis)
{
	char name[FIGURE_NAME_SIZE];
	struct lines l = { .name = name, .xlabel = "tasks",
			   .ylabel = "million iterations per second" };
	double v;
	int err;

	figure_file_name(name, sizeof(name), "scaling",
			 *f->g.groups[group] ? f->g.groups[group] : NULL);
	l.heading = arena_printf(&f->a, "%s\nThroughput%s%s",
				 f->r->cells[0].experiment,
				 *f->g.groups[group] ? " of " : "",
				 f->g.groups[group]);
	err = lines_init(f, &l);
	for (size_t r = 0; r < f->g.nr_rows && !err; r++) {
		const struct group_row *row = &f->g.rows[r];
		size_t p;

		if (!same_but_tasks(f, row, axis) ||
		    !mean_rate(&row->slots[group], &v))
			continue;
		p = point_of(&l, row->axes[axis]);
		if (p < MAX_POINTS)
			l.y[variant_number(f, row->variant)][p] = v / 1e6;
	}
	if (err)
		return err;
	return l.nr_points > 1 ? draw_lines(f, &l) : -ENODATA;
}

int figure_scaling(struct figure *f)
{
	const size_t axis = task_axis(f);
	size_t drawn = 0;
	int err = 0;

	if (axis == f->g.nr_axes)
		return -ENODATA;
	for (size_t i = 0; i < f->g.nr_groups && !err; i++) {
		err = scaling_of(f, i, axis);
		drawn += !err;
		if (err == -ENODATA)
			err = 0;
	}
	return err || drawn ? err : -ENODATA;
}

/* ---- histograms ---- */

struct bucket {
	const char *counter, *label;
};

/* Shares in percent of the cell that stands for each variant. */
static int histogram(struct figure *f, struct lines *l,
		     const struct bucket *buckets)
{
	bool any = false;
	uint64_t n;
	int err;

	l->heading = arena_printf(&f->a, "%s\n%s", f->r->cells[0].experiment,
				  l->heading);
	err = lines_init(f, l);
	for (; buckets[l->nr_points].counter; l->nr_points++)
		l->labels[l->nr_points] = buckets[l->nr_points].label;
	for (size_t i = 0; i < l->nr_lines && !err; i++) {
		const struct result_cell *c = series_cell(f, l->variants[i]);
		double sum = 0;

		for (size_t p = 0; c && p < l->nr_points; p++)
			if (result_counter(&c->values, buckets[p].counter, &n))
				sum += l->y[i][p] = (double)n;
		for (size_t p = 0; p < l->nr_points; p++)
			l->y[i][p] = sum > 0 ? l->y[i][p] * 100 / sum : -1;
		any |= sum > 0;
	}
	return err ? err : any ? draw_lines(f, l) : -ENODATA;
}

int figure_holds(struct figure *f)
{
	static const struct bucket buckets[] = {
		{ "lock.holds_to_250ns", "0.25 us" },
		{ "lock.holds_to_1us", "1 us" },
		{ "lock.holds_to_4us", "4 us" },
		{ "lock.holds_to_16us", "16 us" },
		{ "lock.holds_to_64us", "64 us" },
		{ "lock.holds_to_256us", "256 us" },
		{ "lock.holds_longer", "longer" }, { NULL, NULL }
	};
	struct lines l = { .name = "holds", .xlabel = "held up to",
			   .ylabel = "holds of zone locks [%]",
			   .heading = "How long zone locks are held",
			   .logarithmic = true };

	return histogram(f, &l, buckets);
}

int figure_batches(struct figure *f)
{
	static const struct bucket buckets[] = {
		{ "reporter.batches_1", "1" },
		{ "reporter.batches_2_3", "2-3" },
		{ "reporter.batches_4_7", "4-7" },
		{ "reporter.batches_8_15", "8-15" },
		{ "reporter.batches_16_31", "16-31" },
		{ "reporter.batches_32_63", "32-63" },
		{ "reporter.batches_64_up", "more" }, { NULL, NULL }
	};
	struct lines l = { .name = "batches", .xlabel = "blocks in a batch",
			   .ylabel = "batches [%]",
			   .heading = "How many blocks a request holds" };

	return histogram(f, &l, buckets);
}
