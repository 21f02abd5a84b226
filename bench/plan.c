/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The cells in plan order: variants as written, axes in order of appearance
 * with the last fastest, then seeds.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/columns.h"
#include "bench/experiment.h"

/* Where planning stands in one variant. */
struct planner {
	struct experiment *e;
	struct diag *d;
	const struct experiment_variant *v;
	unsigned int *choice;     /* item of merged[i] */
	const uint64_t *seeds;
	unsigned int nr_seeds;
	struct build_cache *cache;
};

static bool is_axis(const struct setting *s)
{
	return s->nr_items > 1 && s->kind != SECTION_EXPERIMENT;
}

static int plan_error(struct planner *p, const char *what)
{
	diag_error(p->d, (struct diag_place){ .file = p->e->path }, "%s", what);
	return -EINVAL;
}

/* Cells of all selected variants; UINT64_MAX if they cannot be counted. */
static uint64_t count_cells(const struct experiment *e, unsigned int nr_seeds)
{
	const struct experiment_variant *v;
	uint64_t sum = 0, n;
	unsigned int i;

	for (v = e->variants; v; v = v->next) {
		n = v->selected ? nr_seeds : 0;
		for (i = 0; i < v->nr_merged; i++)
			if (is_axis(v->merged[i]) &&
			    __builtin_mul_overflow(n, v->merged[i]->nr_items,
						   &n))
				return UINT64_MAX;
		if (__builtin_add_overflow(sum, n, &sum))
			return UINT64_MAX;
	}
	return sum;
}

static int check_count(struct planner *p, uint64_t nr)
{
	const unsigned int most = p->e->large ? EXPERIMENT_MOST_CELLS :
						EXPERIMENT_MAX_CELLS;
	char text[160], count[40] = "more cells than can be counted";

	if (nr <= most)
		return 0;
	if (nr != UINT64_MAX)
		snprintf(count, sizeof(count), "%" PRIu64 " cells", nr);
	snprintf(text, sizeof(text), "makes %s; at most %u are allowed%s",
		 count, most, p->e->large ? "" : ", or with --large 1000000");
	return plan_error(p, text);
}

static const char *axis_name(struct experiment *e, const struct setting *s)
{
	char section[96];

	return arena_printf(&e->arena, "%s.%s",
			    experiment_section(e, s->kind, s->phase, section,
					       sizeof(section)), s->key);
}

static int collect_axes(struct planner *p, struct cell *c)
{
	struct cell_axis *axes;
	unsigned int i;

	axes = arena_array(&p->e->arena, p->v->nr_merged + 1, sizeof(*axes));
	if (!axes)
		return -ENOMEM;
	for (i = 0; i < p->v->nr_merged; i++) {
		const struct setting *s = p->v->merged[i];

		if (!is_axis(s))
			continue;
		axes[c->nr_axes].name = axis_name(p->e, s);
		axes[c->nr_axes].value = s->items[p->choice[i]].text;
		if (!axes[c->nr_axes++].name)
			return -ENOMEM;
	}
	c->axes = axes;
	return 0;
}

/* The cells of one choice: one per seed. */
static int add_cells(struct planner *p)
{
	const struct cell_build build = { p->e, p->v, p->choice, p->d,
					  &p->cache };
	struct cell proto = { .variant = p->v->name };
	struct experiment *e = p->e;
	struct cell_body *body;
	unsigned int i;
	int err = cell_build(&build, &body);

	if (!err)
		err = collect_axes(p, &proto);
	proto.body = body;
	for (i = 0; i < p->nr_seeds && !err; i++) {
		struct cell *c = &e->cells[e->nr_cells];

		*c = proto;
		c->seed = p->seeds[i];
		c->index = e->nr_cells++;
		err = cell_finish(c);
	}
	return err;
}

/* The next choice, the last axis fastest; false after the last one. */
static bool next_choice(struct planner *p)
{
	unsigned int i = p->v->nr_merged;

	while (i-- > 0) {
		if (!is_axis(p->v->merged[i]))
			continue;
		if (++p->choice[i] < p->v->merged[i]->nr_items)
			return true;
		p->choice[i] = 0;
	}
	return false;
}

static int plan_variant(struct planner *p, const struct experiment_variant *v)
{
	int err;

	p->v = v;
	p->choice = calloc(v->nr_merged + 1, sizeof(*p->choice));
	if (!p->choice)
		return -ENOMEM;
	do {
		err = add_cells(p);
	} while (!err && next_choice(p));
	free(p->choice);
	return err;
}

static struct setting *find_experiment_key(const struct experiment *e,
						 const char *key)
{
	const struct setting like = { .kind = SECTION_EXPERIMENT, .key = key };

	return setting_find(&e->base, &like);
}

static int read_seeds(struct planner *p)
{
	const struct setting *s = find_experiment_key(p->e, "seeds");
	uint64_t *seeds;
	unsigned int i;

	p->nr_seeds = s ? s->nr_items : 1;
	seeds = arena_array(&p->e->arena, p->nr_seeds, sizeof(*seeds));
	if (!seeds)
		return -ENOMEM;
	seeds[0] = 1;
	for (i = 0; s && i < s->nr_items; i++)
		if (parse_u64(s->items[i].text, &seeds[i]))
			return -EINVAL;
	p->seeds = seeds;
	return 0;
}

/* Without a title, the name of the file. */
static int set_title(struct experiment *e)
{
	const struct setting *s = find_experiment_key(e, "title");
	const char *slash = strrchr(e->path, '/');

	if (s && s->value[0])
		e->title = s->value;
	else
		e->title = slash ? slash + 1 : e->path;
	return 0;
}

/* What the table shows; it has no influence on what is run. */
static int set_columns(struct planner *p)
{
	struct experiment *e = p->e;
	struct setting *s = find_experiment_key(e, "columns");
	const char *phases[EXPERIMENT_MAX_PHASES + 1] = { 0 };
	char why[400];
	int err;

	if (!s || !s->value[0])
		return 0;
	for (unsigned int i = 0; i < e->nr_phases; i++)
		phases[i] = e->phases[i].name;
	err = columns_check(s->value, phases, why, sizeof(why));
	if (err == -EINVAL)
		setting_item_error(s, &e->ini, p->d, 0, "columns: %s", why);
	else if (!err)
		e->columns = s->value;
	return err;
}

static int by_id(const void *a, const void *b)
{
	const struct cell *x = *(struct cell *const *)a;
	const struct cell *y = *(struct cell *const *)b;
	const int order = strcmp(x->id, y->id);

	return order ? order : x->index < y->index ? -1 : x->index > y->index;
}

/* Variants that differ in nothing that counts are one piece of work. */
static int mark_repeated(struct experiment *e)
{
	struct cell **sorted = calloc(e->nr_cells + 1, sizeof(*sorted));
	size_t i;

	if (!sorted)
		return -ENOMEM;
	for (i = 0; i < e->nr_cells; i++)
		sorted[i] = &e->cells[i];
	qsort(sorted, e->nr_cells, sizeof(*sorted), by_id);
	for (i = 1; i < e->nr_cells; i++)
		sorted[i]->repeated = !strcmp(sorted[i - 1]->id,
					      sorted[i]->id);
	free(sorted);
	return 0;
}

int experiment_plan(struct experiment *e, struct diag *d)
{
	struct planner p = { .e = e, .d = d };
	const struct experiment_variant *v;
	uint64_t nr;
	int err = set_title(e);

	if (!err)
		err = set_columns(&p);
	if (!err)
		err = read_seeds(&p);
	if (err)
		return err;
	nr = count_cells(e, p.nr_seeds);
	err = check_count(&p, nr);
	if (err)
		return err;
	e->cells = arena_array(&e->arena, nr, sizeof(*e->cells));
	if (!e->cells)
		return -ENOMEM;
	for (v = e->variants; v && !err; v = v->next)
		if (v->selected)
			err = plan_variant(&p, v);
	return err ? err : mark_repeated(e);
}
