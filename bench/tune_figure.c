/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The front of the first two objectives as a picture; plots/front.gp. */
#include <errno.h>
#include <string.h>

#include "bench/figure_internal.h"
#include "bench/tune.h"

/* "4, 50ms, 8", behind the variant where there are several. */
static const char *label_of(const struct tune *t, size_t point,
			    struct arena *a)
{
	const struct cell *c = &t->e->cells[tune_cell(t, point, 0)];
	const char *text = t->space.nr_families > 1 || !c->nr_axes ?
			   c->variant : "";

	for (unsigned int k = 0; k < c->nr_axes && text; k++)
		text = arena_printf(a, "%s%s%s", text, *text ? ", " : "",
				    c->axes[k].value);
	return text;
}

static const char *objective_label(const struct tune *t, unsigned int k,
				   struct arena *a)
{
	const struct tune_objective *o = &t->goal->objectives[k];
	const char *unit = o->word.column.shown.unit;
	const bool has_unit = unit && *unit;

	return arena_printf(a, "%s%s%s%s, %s is better", o->text,
			    has_unit ? " [" : "", has_unit ? unit : "",
			    has_unit ? "]" : "", o->smaller ? "less" : "more");
}

static int put_row(const struct tune *t, size_t point, FILE *out,
		   struct arena *a)
{
	const struct tune_search *s = &t->search;
	const char *label = label_of(t, point, a);

	if (!label)
		return -ENOMEM;
	figure_data_word(out, label);
	fprintf(out, ",%d", s->points[point].front);
	for (unsigned int k = 0; k < 2; k++) {
		const double half = tune_margin(s, point, k);
		double mean = tune_mean(s, point, k);

		mean = s->space->smaller[k] ? -mean : mean;
		fprintf(out, ",%.12g,%.12g,%.12g", mean, mean - half,
			mean + half);
	}
	fprintf(out, ",%u\n", s->points[point].nr);
	return 0;
}

/* In order of the first objective, so that a line can join the front. */
static int put_rows(const struct tune *t, bool front, FILE *out, size_t *nr,
		    struct arena *a)
{
	const struct tune_search *s = &t->search;
	const size_t all = s->space->nr_points;
	bool *put = arena_array(a, all, sizeof(*put));
	int err = put ? 0 : -ENOMEM;

	while (!err) {
		size_t best = all;

		for (size_t i = 0; i < all; i++)
			if (s->points[i].nr && !put[i] &&
			    s->points[i].state != TUNE_OUT &&
			    s->points[i].front == front &&
			    (best == all ||
			     tune_mean(s, i, 0) > tune_mean(s, best, 0)))
				best = i;
		if (best == all)
			break;
		put[best] = true;
		err = put_row(t, best, out, a);
		++*nr;
	}
	return err;
}

static int write_data(const struct tune *t, const char *dir, size_t *nr,
		      struct arena *a, char *why, size_t why_size)
{
	char path[STORE_PATH_SIZE];
	struct store_file f;
	int err;

	snprintf(path, sizeof(path), "%.4000s/front.csv", dir);
	err = store_create_own(&f, path, why, why_size);
	if (err)
		return err;
	fputs("point,front,x,x_low,x_high,y,y_low,y_high,seeds\n", f.out);
	err = put_rows(t, true, f.out, nr, a);
	if (!err)
		err = put_rows(t, false, f.out, nr, a);
	if (!err)
		return store_commit(&f, why, why_size);
	snprintf(why, why_size, "out of memory");
	store_discard(&f);
	return err;
}

int tune_draw(const struct tune *t, enum figure_terminal terminal,
	      enum figure_backend backend, FILE *out, FILE *messages)
{
	struct figure_of_data d = { .name = "front", .plot = "front",
				    .terminal = terminal, .backend = backend };
	struct arena a = { 0 };
	char dir[STORE_PATH_SIZE], why[4400] = "out of memory";
	int err;

	snprintf(dir, sizeof(dir), "%.4000s/figures", t->runner.dir);
	d.dir = dir;
	d.heading = t->e->title;
	d.across = objective_label(t, 0, &a);
	d.up = objective_label(t, 1, &a);
	err = d.across && d.up ? 0 : -ENOMEM;
	if (!err)
		err = store_make_folders(dir, why, sizeof(why));
	if (!err)
		err = write_data(t, dir, &d.nr, &a, why, sizeof(why));
	if (err)
		fprintf(messages, "error: figure front: %s\n", why);
	else
		err = figure_draw_data(&d, out, messages);
	arena_free(&a);
	return err;
}
