/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The space that is searched: the cells of the experiment. Each variant is a
 * family of points, its axes are the keys, and the seeds of a point are cells
 * beside each other in the plan. Points of the same id are one: a variant whose
 * design has not got a key is the same for all of its values.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bench/tune.h"

size_t tune_cell(const struct tune *t, size_t point, unsigned int seed)
{
	return point * t->space.nr_seeds + seed;
}

static const struct cell *cell_of(const struct tune *t, size_t point)
{
	return &t->e->cells[tune_cell(t, point, 0)];
}

static bool is_searched(const struct tune *t, const char *axis)
{
	for (size_t i = 0; t->keys[i]; i++)
		if (!strcmp(t->keys[i], axis))
			return true;
	return !t->keys[0] && !strncmp(axis, "reporter.", 9);
}

/* An axis that is a circumstance, not a choice: whoever searches names it. */
static int check_axes(struct tune *t)
{
	bool any = t->e->variants && t->e->variants->next;

	for (size_t i = 0; i < t->space.nr_points; i++) {
		const struct cell *c = cell_of(t, i);

		for (unsigned int k = 0; k < c->nr_axes; k++) {
			const char *name = c->axes[k].name;

			any = true;
			if (is_searched(t, name))
				continue;
			snprintf(t->why, sizeof(t->why), "%s has several "
				 "values, and is not searched: name it with "
				 "--vary, or fix it with --set %s=%s", name,
				 name, c->axes[k].value);
			return -EINVAL;
		}
		if (c->nr_axes > TUNE_MAX_DIMS) {
			snprintf(t->why, sizeof(t->why), "%u keys vary; at "
				 "most %d can be searched", c->nr_axes,
				 TUNE_MAX_DIMS);
			return -EINVAL;
		}
	}
	if (any)
		return 0;
	snprintf(t->why, sizeof(t->why), "there is nothing to choose: name "
		 "keys with --vary, as --vary reporter.order=0,4,9; `buddylab "
		 "list options` has the keys of each design");
	return -EINVAL;
}

/* How many points from one value of the axis to the next; 0: there is none. */
static size_t stride_of(const struct tune *t, const struct tune_family *f,
			unsigned int axis)
{
	const char *value = cell_of(t, f->first)->axes[axis].value;

	for (size_t i = 1; i < f->nr; i++)
		if (strcmp(cell_of(t, f->first + i)->axes[axis].value, value))
			return i;
	return 0;
}

/* The last axis is the fastest: each is as long as the next one's steps. */
static int measure_family(struct tune *t, struct tune_family *f)
{
	size_t outer = f->nr, all = 1;

	f->nr_dims = cell_of(t, f->first)->nr_axes;
	for (unsigned int k = 0; k < f->nr_dims; k++) {
		size_t stride = stride_of(t, f, k);

		if (!stride)
			stride = outer;
		f->size[k] = (unsigned int)(outer / stride);
		outer = stride;
		all *= f->size[k];
	}
	if (all == f->nr)
		return 0;
	snprintf(t->why, sizeof(t->why), "a key of variant %s has the same "
		 "value twice", cell_of(t, f->first)->variant);
	return -EINVAL;
}

static int make_families(struct tune *t)
{
	struct tune_family *families = NULL, *f = NULL;
	size_t nr = 0;
	int err = 0;

	for (const struct experiment_variant *v = t->e->variants; v;
	     v = v->next)
		nr += v->selected;
	families = arena_array(&t->arena, nr, sizeof(*families));
	if (!families)
		return -ENOMEM;
	for (size_t i = 0; i < t->space.nr_points; i++) {
		const char *variant = cell_of(t, i)->variant;

		if (!f || strcmp(variant, cell_of(t, f->first)->variant)) {
			f = &families[t->space.nr_families++];
			f->first = i;
		}
		f->nr++;
	}
	for (size_t i = 0; i < t->space.nr_families && !err; i++)
		err = measure_family(t, &families[i]);
	t->space.families = families;
	return err;
}

static int by_id(const void *a, const void *b, void *ctx)
{
	const size_t x = *(const size_t *)a, y = *(const size_t *)b;
	const int order = strcmp(cell_of(ctx, x)->id, cell_of(ctx, y)->id);

	return order ? order : x < y ? -1 : x > y;
}

/* The first point of each id stands for the others. */
static int find_equals(struct tune *t)
{
	const size_t nr = t->space.nr_points;
	size_t *sorted = calloc(nr, sizeof(*sorted));
	size_t *stand_in = arena_array(&t->arena, nr, sizeof(*stand_in));
	size_t first = 0;

	if (!sorted || !stand_in) {
		free(sorted);
		return -ENOMEM;
	}
	for (size_t i = 0; i < nr; i++)
		sorted[i] = i;
	qsort_r(sorted, nr, sizeof(*sorted), by_id, t);
	for (size_t i = 0; i < nr; i++) {
		if (!i || strcmp(cell_of(t, sorted[i])->id,
				 cell_of(t, first)->id)) {
			first = sorted[i];
			t->nr_grid_points++;
		}
		stand_in[sorted[i]] = first;
	}
	free(sorted);
	t->space.stand_in = stand_in;
	return 0;
}

/* Cells of one body stand beside each other, one for each seed. */
static unsigned int count_seeds(const struct experiment *e)
{
	unsigned int nr = 0;

	while (nr < e->nr_cells && e->cells[nr].body == e->cells[0].body)
		nr++;
	return nr;
}

static int check_rules(struct tune *t)
{
	const uint64_t least = tune_least_budget(&t->space);

	t->nr_cells = t->nr_grid_points * t->space.nr_seeds;
	if (t->rules.everything || t->rules.budget >= least)
		return 0;
	snprintf(t->why, sizeof(t->why), "a budget of %llu cells is too small: "
		 "a point of each variant and its seeds are %llu",
		 (unsigned long long)t->rules.budget,
		 (unsigned long long)least);
	return -EINVAL;
}

int tune_open(struct tune *t)
{
	const struct tune_goal *g = t->goal;
	int err;

	t->space = (struct tune_space){
		.nr_seeds = count_seeds(t->e),
		.nr_objectives = g->nr_objectives,
	};
	t->space.nr_points = t->e->nr_cells / t->space.nr_seeds;
	for (unsigned int k = 0; k < g->nr_objectives; k++)
		t->space.smaller[k] = g->objectives[k].smaller;
	t->wanted = arena_array(&t->arena, t->e->nr_cells, sizeof(bool));
	if (!t->wanted)
		return -ENOMEM;
	err = check_axes(t);
	if (!err)
		err = make_families(t);
	if (!err)
		err = find_equals(t);
	return err ? err : check_rules(t);
}

void tune_close(struct tune *t)
{
	if (t->search.space)
		tune_search_free(&t->search);
	arena_free(&t->arena);
}
