/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which cells belong together. Cells come in plan order, so the row of a cell
 * is nearly always the last one that was looked at.
 */
#include "bench/grouping.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Most distinct words of one kind: variants, axes, workloads. */
#define MAX_WORDS 4096

struct words {
	const char **w;
	size_t nr, capacity;
};

static bool ends_with(const char *text, const char *end)
{
	const size_t a = strlen(text), b = strlen(end);

	return a >= b && !strcmp(text + a - b, end);
}

static int words_init(struct words *w, struct arena *a)
{
	w->nr = 0;
	w->capacity = MAX_WORDS;
	w->w = arena_array(a, w->capacity, sizeof(*w->w));
	return w->w ? 0 : -ENOMEM;
}

static size_t words_index(const struct words *w, const char *text)
{
	size_t i;

	for (i = 0; i < w->nr; i++)
		if (!strcmp(w->w[i], text))
			break;
	return i;
}

static int words_add(struct words *w, const char *text)
{
	if (words_index(w, text) < w->nr)
		return 0;
	if (w->nr == w->capacity)
		return -ENOMEM;
	w->w[w->nr++] = text;
	return 0;
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int by_number(const void *a, const void *b)
{
	const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static const char *last_part(const char *name)
{
	const char *dot = strrchr(name, '.');

	return dot ? dot + 1 : name;
}

/* "tasks" for "phase.measure.tasks", unless another axis ends in it too. */
static void make_labels(struct grouping *g)
{
	size_t i, k;

	for (i = 0; i < g->nr_axes; i++) {
		g->axis_labels[i] = last_part(g->axes[i]);
		for (k = 0; k < g->nr_axes; k++)
			if (k != i && !strcmp(last_part(g->axes[k]),
					      g->axis_labels[i]))
				g->axis_labels[i] = g->axes[i];
	}
}

/* All axes but the one over workloads; of several, that of the last phase. */
static int find_axes(struct grouping *g, const struct results *r,
		     struct arena *a)
{
	struct words all;
	size_t i, k;
	int err = words_init(&all, a);

	for (i = 0; i < r->nr_cells && !err; i++)
		for (k = 0; k < r->cells[i].nr_axes && !err; k++)
			err = words_add(&all, r->cells[i].axes[k].name);
	if (err)
		return err;
	qsort(all.w, all.nr, sizeof(*all.w), by_text);
	g->axes = arena_array(a, all.nr + 1, sizeof(*g->axes));
	g->axis_labels = arena_array(a, all.nr + 1, sizeof(*g->axis_labels));
	if (!g->axes || !g->axis_labels)
		return -ENOMEM;
	for (i = 0; i < all.nr; i++)
		if (ends_with(all.w[i], ".workload"))
			g->group_axis = all.w[i];
	for (i = 0; i < all.nr; i++)
		if (all.w[i] != g->group_axis)
			g->axes[g->nr_axes++] = all.w[i];
	make_labels(g);
	return 0;
}

static const char *axis_value(const struct result_cell *c, const char *name)
{
	const char *value = name ? result_axis(c, name) : NULL;

	return value ? value : "";
}

static int find_words(struct grouping *g, const struct results *r,
		      struct arena *a)
{
	struct words groups, variants;
	size_t i;
	int err = words_init(&groups, a);

	if (!err)
		err = words_init(&variants, a);
	for (i = 0; i < r->nr_cells && !err; i++) {
		const struct result_cell *c = &r->cells[i];

		err = words_add(&groups, axis_value(c, g->group_axis));
		if (!err)
			err = words_add(&variants, c->variant);
	}
	if (err)
		return err;
	g->groups = groups.w;
	g->nr_groups = groups.nr;
	g->variants = variants.w;
	g->nr_variants = variants.nr;
	return 0;
}

static int find_seeds(struct grouping *g, const struct results *r,
		      struct arena *a)
{
	uint64_t *all = arena_array(a, r->nr_cells + 1, sizeof(*all));
	size_t i;

	if (!all)
		return -ENOMEM;
	for (i = 0; i < r->nr_cells; i++)
		all[i] = r->cells[i].seed;
	qsort(all, r->nr_cells, sizeof(*all), by_number);
	g->seeds = all;
	for (i = 0; i < r->nr_cells; i++)
		if (!g->nr_seeds || all[i] != all[g->nr_seeds - 1])
			all[g->nr_seeds++] = all[i];
	return 0;
}

static bool same_axes(const struct grouping *g, const char *const *values,
		      const struct result_cell *c)
{
	for (size_t i = 0; i < g->nr_axes; i++)
		if (strcmp(values[i], axis_value(c, g->axes[i])) != 0)
			return false;
	return true;
}

static struct group_row *find_row(const struct grouping *g,
				  const struct result_cell *c)
{
	size_t i = g->nr_rows;

	while (i-- > 0)
		if (!strcmp(g->rows[i].variant, c->variant) &&
		    same_axes(g, g->rows[i].axes, c))
			return &g->rows[i];
	return NULL;
}

static struct group_row *add_row(struct grouping *g,
				 const struct result_cell *c, struct arena *a)
{
	struct group_row *row = &g->rows[g->nr_rows];

	row->variant = c->variant;
	row->axes = arena_array(a, g->nr_axes + 1, sizeof(*row->axes));
	row->slots = arena_array(a, g->nr_groups, sizeof(*row->slots));
	if (!row->axes || !row->slots)
		return NULL;
	for (size_t i = 0; i < g->nr_axes; i++)
		row->axes[i] = axis_value(c, g->axes[i]);
	g->nr_rows++;
	return row;
}

static struct group_slot *slot_of(struct grouping *g,
				  const struct result_cell *c,
				  struct group_row *row)
{
	const char *value = axis_value(c, g->group_axis);

	for (size_t i = 0; i < g->nr_groups; i++)
		if (!strcmp(g->groups[i], value))
			return &row->slots[i];
	return NULL;
}

/* A variant may hold at most one cell per point and seed: plan order. */
static int place_cells(struct grouping *g, const struct results *r,
		       struct arena *a)
{
	size_t i;

	g->rows = arena_array(a, r->nr_cells + 1, sizeof(*g->rows));
	if (!g->rows)
		return -ENOMEM;
	for (i = 0; i < r->nr_cells; i++) {
		const struct result_cell *c = &r->cells[i];
		struct group_row *row = find_row(g, c);
		struct group_slot *slot;

		if (!row)
			row = add_row(g, c, a);
		if (!row)
			return -ENOMEM;
		slot = slot_of(g, c, row);
		if (!slot->cells)
			slot->cells = arena_array(a, g->nr_seeds,
						  sizeof(*slot->cells));
		if (!slot->cells)
			return -ENOMEM;
		if (slot->nr < g->nr_seeds)
			slot->cells[slot->nr++] = c;
	}
	return 0;
}

int grouping_make(struct grouping *g, const struct results *r, struct arena *a)
{
	int err;

	*g = (struct grouping){ 0 };
	err = find_axes(g, r, a);
	if (!err)
		err = find_words(g, r, a);
	if (!err)
		err = find_seeds(g, r, a);
	if (!err)
		err = place_cells(g, r, a);
	return err;
}

const struct group_row *grouping_reference(const struct grouping *g,
					   const struct group_row *row)
{
	size_t i, k;

	for (i = 0; i < g->nr_rows; i++) {
		if (strcmp(g->rows[i].variant, g->variants[0]) != 0)
			continue;
		for (k = 0; k < g->nr_axes; k++)
			if (strcmp(g->rows[i].axes[k], row->axes[k]) != 0)
				break;
		if (k == g->nr_axes)
			return &g->rows[i];
	}
	return NULL;
}

void tally_add(struct tally *t, double value)
{
	if (!t->nr || value < t->min)
		t->min = value;
	if (!t->nr || value > t->max)
		t->max = value;
	t->sum += value;
	t->nr++;
}

double tally_mean(const struct tally *t)
{
	return t->nr ? t->sum / (double)t->nr : 0.0;
}

const struct result_phase *cell_measured_phase(const struct result_cell *c)
{
	return c->nr_phases ? &c->phases[c->nr_phases - 1] : NULL;
}
