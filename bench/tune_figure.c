/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The front of the first two objectives as a picture; plots/front.gp. */
#include <errno.h>
#include <math.h>
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

/* So near in the picture, a label would be on top of another. */
#define TOO_NEAR 0.03
#define MAX_NAMES 4

/* What is drawn, and how far it reaches. */
struct drawing {
	const struct tune *t;
	struct arena *a;
	FILE *out;
	double low[2], high[2];
	bool *put, *named;      /* by point: has its line; is in a label */
	size_t nr;              /* lines */
};

static bool is_drawn(const struct tune_search *s, size_t point)
{
	return s->points[point].nr && s->points[point].state != TUNE_OUT;
}

static int drawing_init(struct drawing *d, const struct tune *t,
			struct arena *a)
{
	const struct tune_search *s = &t->search;
	const size_t all = s->space->nr_points;

	*d = (struct drawing){ .t = t, .a = a,
			       .low = { INFINITY, INFINITY },
			       .high = { -INFINITY, -INFINITY },
			       .put = arena_array(a, all, sizeof(bool)),
			       .named = arena_array(a, all, sizeof(bool)) };
	for (size_t i = 0; i < all; i++)
		for (unsigned int k = 0; k < 2 && is_drawn(s, i); k++) {
			d->low[k] = fmin(d->low[k], tune_mean(s, i, k));
			d->high[k] = fmax(d->high[k], tune_mean(s, i, k));
		}
	return d->put && d->named ? 0 : -ENOMEM;
}

static bool is_near(const struct drawing *d, size_t a, size_t b)
{
	for (unsigned int k = 0; k < 2; k++)
		if (fabs(tune_mean(&d->t->search, a, k) -
			 tune_mean(&d->t->search, b, k)) >
		    TOO_NEAR * (d->high[k] - d->low[k]))
			return false;
	return true;
}

/* Of the front, one label for points that are nearly at one place. */
static const char *shared_label(struct drawing *d, size_t point)
{
	const struct tune_search *s = &d->t->search;
	const char *text = "", *name;
	unsigned int nr = 0;

	if (d->named[point])
		return "";
	for (size_t i = 0; i < s->space->nr_points && text; i++) {
		if (!s->points[i].front || d->named[i] || !is_drawn(s, i) ||
		    !is_near(d, point, i))
			continue;
		d->named[i] = true;
		if (++nr > MAX_NAMES)
			continue;
		name = nr == MAX_NAMES ? "..." : label_of(d->t, i, d->a);
		text = name ? arena_printf(d->a, "%s%s%s", text,
					   nr > 1 ? " / " : "", name) : NULL;
	}
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

static int put_row(struct drawing *d, size_t point)
{
	const struct tune_search *s = &d->t->search;
	const bool front = s->points[point].front;
	const char *name = label_of(d->t, point, d->a);
	const char *label = front ? shared_label(d, point) : "";
	FILE *out = d->out;

	if (!name || !label)
		return -ENOMEM;
	figure_data_word(out, name);
	fprintf(out, ",%d", front);
	for (unsigned int k = 0; k < 2; k++) {
		const double half = tune_margin(s, point, k);
		double mean = tune_mean(s, point, k);

		mean = s->space->smaller[k] ? -mean : mean;
		fprintf(out, ",%.12g,%.12g,%.12g", mean, mean - half,
			mean + half);
	}
	fprintf(out, ",%u,", s->points[point].nr);
	figure_data_word(out, label);
	fputc('\n', out);
	d->put[point] = true;
	d->nr++;
	return 0;
}

/* In order of the first objective, so that a line can join the front. */
static int put_rows(struct drawing *d, bool front)
{
	const struct tune_search *s = &d->t->search;
	const size_t all = s->space->nr_points;
	int err = 0;

	while (!err) {
		size_t best = all;

		for (size_t i = 0; i < all; i++)
			if (is_drawn(s, i) && !d->put[i] &&
			    s->points[i].front == front &&
			    (best == all ||
			     tune_mean(s, i, 0) > tune_mean(s, best, 0)))
				best = i;
		if (best == all)
			break;
		err = put_row(d, best);
	}
	return err;
}

static int write_data(const struct tune *t, const char *dir, size_t *nr,
		      struct arena *a, char *why, size_t why_size)
{
	char path[STORE_PATH_SIZE];
	struct store_file f;
	struct drawing d;
	int err;

	snprintf(path, sizeof(path), "%.4000s/front.csv", dir);
	err = store_create_own(&f, path, why, why_size);
	if (err)
		return err;
	fputs("point,front,x,x_low,x_high,y,y_low,y_high,seeds,label\n",
	      f.out);
	err = drawing_init(&d, t, a);
	d.out = f.out;
	if (!err)
		err = put_rows(&d, true);
	if (!err)
		err = put_rows(&d, false);
	*nr = d.nr;
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
