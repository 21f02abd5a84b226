/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Values that are a distribution: those that a threshold calls seeded or timed.
 * The cells of one point, which differ in the seed alone, are the two samples.
 * A value has moved if all of this holds: in the direction that is worse, by
 * more than is allowed, by more than the smallest effect, and the rank test
 * does not take it for chance. Whatever cannot be judged is said, not passed.
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "bench/compare_internal.h"

#define METRIC "metric."

/* Pairs of cells of one point. */
struct point {
	const struct compare_pair **pairs;
	size_t nr;
};

struct names {
	const char **w;
	size_t nr, capacity;
	bool no_memory;
};

bool compare_same_point(const struct result_cell *a,
			const struct result_cell *b)
{
	if (a->nr_axes != b->nr_axes || strcmp(a->variant, b->variant) != 0)
		return false;
	for (size_t i = 0; i < a->nr_axes; i++)
		if (strcmp(a->axes[i].name, b->axes[i].name) != 0 ||
		    strcmp(a->axes[i].value, b->axes[i].value) != 0)
			return false;
	return true;
}

/* ---- which values ---- */

static bool wanted(const struct comparison *c, const char *name)
{
	const struct threshold *t = thresholds_find(c->thresholds, name);

	return !t->ignore && t->kind != STATS_EXACT;
}

static void add_name(struct comparison *c, struct names *n, const char *name)
{
	const size_t capacity = n->capacity * 2 + 256;
	const char **w;

	if (!wanted(c, name))
		return;
	if (n->nr == n->capacity) {
		w = arena_array(&c->arena, capacity, sizeof(*w));
		if (w && n->nr)
			memcpy(w, n->w, n->nr * sizeof(*w));
		n->no_memory |= !w;
		n->w = w ? w : n->w;
		n->capacity = w ? capacity : n->capacity;
	}
	if (!n->no_memory)
		n->w[n->nr++] = name;
}

static void add_values(struct comparison *c, struct names *n,
		       const struct result_values *v)
{
	for (size_t i = 0; i < v->nr_counters; i++)
		add_name(c, n, v->counters[i].name);
	for (size_t i = 0; i < v->nr_metrics; i++) {
		const char *name = arena_printf(&c->arena, METRIC "%s",
						v->metrics[i].name);

		n->no_memory |= !name;
		if (name)
			add_name(c, n, name);
	}
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void sort_names(struct names *n)
{
	size_t kept = 0;

	if (n->nr)
		qsort(n->w, n->nr, sizeof(*n->w), by_name);
	for (size_t i = 0; i < n->nr; i++)
		if (!kept || strcmp(n->w[kept - 1], n->w[i]) != 0)
			n->w[kept++] = n->w[i];
	n->nr = kept;
}

/* Of the phase, or of the whole run if it is NULL. */
static void find_names(struct comparison *c, const struct point *p,
		       const char *phase, struct names *n)
{
	n->nr = 0;
	for (size_t i = 0; i < p->nr; i++) {
		const struct result_cell *const both[] = { p->pairs[i]->base,
							   p->pairs[i]->new };

		for (size_t k = 0; k < 2; k++) {
			const struct result_phase *at = phase ?
				result_phase(both[k], phase) : NULL;

			if (at)
				add_values(c, n, &at->values);
			else if (!phase)
				add_values(c, n, &both[k]->values);
		}
	}
	if (!phase) {
		add_name(c, n, "virtual_ns");
		add_name(c, n, WALL_SECONDS);
	} else {
		add_name(c, n, "iterations");
	}
	sort_names(n);
}

static bool number_of(const struct result_cell *c, const char *phase,
		      const char *name, double *out)
{
	const struct result_phase *p = phase ? result_phase(c, phase) : NULL;
	const struct result_values *v = p ? &p->values : &c->values;
	uint64_t n = 0;

	if (phase && !p)
		return false;
	if (!strncmp(name, METRIC, strlen(METRIC)))
		return result_metric(v, name + strlen(METRIC), out);
	if (!strcmp(name, WALL_SECONDS)) {
		*out = c->wall_s;
		return c->wall_s > 0;
	}
	if (p && !strcmp(name, "iterations"))
		n = p->iterations;
	else if (!p && !strcmp(name, "virtual_ns"))
		n = c->virtual_ns;
	else
		/* One that is not there is 0, as in all of a comparison. */
		result_counter(v, name, &n);
	*out = (double)n;
	return true;
}

/* ---- the verdict ---- */

static bool same_values(const struct seeds_value *v)
{
	for (size_t i = 0; i < v->base.nr; i++)
		if (v->base.v[i] < v->new.v[i] || v->base.v[i] > v->new.v[i])
			return false;
	return true;
}

static enum seeds_verdict judge(const struct seeds_value *v)
{
	const struct threshold *t = v->rule;

	if (same_values(v))
		return SEEDS_FINE;
	if (v->base.nr < t->min_samples || v->new.nr < t->min_samples ||
	    stats_smallest_p(v->base.nr, v->new.nr) >= t->alpha)
		return SEEDS_TOO_FEW;
	if (threshold_allows(t, v->was.median, v->is.median))
		return SEEDS_FINE;
	return v->test.p < t->alpha ? SEEDS_MOVED : SEEDS_FINE;
}

/* 1: no cell has it; 0 or -ENOMEM. */
static int take_samples(struct comparison *c, const struct point *p,
			struct seeds_value *v, bool *lacking)
{
	double *was = arena_array(&c->arena, p->nr, sizeof(*was));
	double *is = arena_array(&c->arena, p->nr, sizeof(*is));

	if (!was || !is)
		return -ENOMEM;
	*lacking = false;
	for (size_t i = 0; i < p->nr; i++) {
		const struct compare_pair *q = p->pairs[i];
		const bool had = number_of(q->base, v->phase, v->name,
					   &was[v->base.nr]);
		const bool has = number_of(q->new, v->phase, v->name,
					   &is[v->new.nr]);

		v->base.nr += had;
		v->new.nr += has;
		/* Neither is fine for a metric, never for a rule's only one. */
		*lacking |= had != has ||
			    (!had && !strcmp(v->name, WALL_SECONDS));
	}
	v->base.v = was;
	v->new.v = is;
	return !v->base.nr && !v->new.nr && !*lacking;
}

static int add_value(struct comparison *c, const struct point *p,
		     const char *phase, const char *name)
{
	struct seeds_value *v = &c->seeds[c->nr_seeds];
	bool lacking;
	int err;

	*v = (struct seeds_value){
		.cell = p->pairs[0]->new, .phase = phase, .name = name,
		.rule = thresholds_find(c->thresholds, name),
	};
	err = take_samples(c, p, v, &lacking);
	if (err)
		return err < 0 ? err : 0;
	c->nr_seeds++;
	if (lacking) {
		v->verdict = SEEDS_LACKING;
		c->nr_seeds_unknown++;
		return 0;
	}
	if (stats_summarize(&v->base, &v->was) ||
	    stats_summarize(&v->new, &v->is) ||
	    stats_mann_whitney(&v->base, &v->new, &v->test) ||
	    stats_cliffs_delta(&v->base, &v->new, &v->delta))
		return -ENOMEM;
	v->verdict = judge(v);
	c->nr_seeds_moved += v->verdict == SEEDS_MOVED;
	c->nr_seeds_unknown += v->verdict == SEEDS_TOO_FEW;
	return 0;
}

/* Room for nr more values. */
static int grow(struct comparison *c, size_t nr, size_t *capacity)
{
	struct seeds_value *v;

	if (c->nr_seeds + nr <= *capacity)
		return 0;
	*capacity = 2 * *capacity + nr;
	v = arena_array(&c->arena, *capacity, sizeof(*v));
	if (!v)
		return -ENOMEM;
	if (c->nr_seeds)
		memcpy(v, c->seeds, c->nr_seeds * sizeof(*v));
	c->seeds = v;
	return 0;
}

static int add_point(struct comparison *c, const struct point *p,
		     struct names *n, size_t *capacity)
{
	const struct result_cell *cell = p->pairs[0]->new;
	int err = 0;

	for (size_t k = 0; k <= cell->nr_phases && !err; k++) {
		const char *phase = k ? cell->phases[k - 1].name : NULL;

		find_names(c, p, phase, n);
		err = n->no_memory ? -ENOMEM : grow(c, n->nr, capacity);
		for (size_t i = 0; i < n->nr && !err; i++)
			err = add_value(c, p, phase, n->w[i]);
	}
	return err;
}

/* ---- points ---- */

static size_t find_point(const struct point *all, size_t nr,
			 const struct result_cell *like)
{
	size_t i = nr;

	while (i-- > 0)
		if (compare_same_point(all[i].pairs[0]->new, like))
			return i;
	return nr;
}

/* pairs[] of each point so far holds the first alone, to know it by. */
static size_t number_points(const struct comparison *c, struct point *all,
			    const struct compare_pair **first, size_t *of)
{
	size_t nr = 0;

	for (size_t i = 0; i < c->nr_pairs; i++) {
		const struct compare_pair *pair = &c->pairs[i];

		if (!pair->base || !pair->new)
			continue;
		of[i] = find_point(all, nr, pair->new);
		if (of[i] == nr) {
			first[nr] = pair;
			all[nr].pairs = &first[nr];
			nr++;
		}
		all[of[i]].nr++;
	}
	return nr;
}

static int make_points(struct comparison *c, struct point **out, size_t *nr)
{
	struct arena *a = &c->arena;
	struct point *all = arena_array(a, c->nr_pairs + 1, sizeof(*all));
	size_t *of = arena_array(a, c->nr_pairs + 1, sizeof(*of)), i;
	const struct compare_pair **first, **next;

	first = arena_array(a, c->nr_pairs + 1, sizeof(*first));
	next = arena_array(a, c->nr_pairs + 1, sizeof(*next));
	if (!all || !of || !first || !next)
		return -ENOMEM;
	*nr = number_points(c, all, first, of);
	*out = all;
	for (i = 0; i < *nr; i++) {
		all[i].pairs = next;
		next += all[i].nr;
		all[i].nr = 0;
	}
	for (i = 0; i < c->nr_pairs; i++)
		if (c->pairs[i].base && c->pairs[i].new)
			all[of[i]].pairs[all[of[i]].nr++] = &c->pairs[i];
	return 0;
}

static bool has_distributions(const struct thresholds *t)
{
	for (size_t i = 0; t && i < t->nr; i++)
		if (!t->t[i].ignore && t->t[i].kind != STATS_EXACT)
			return true;
	return false;
}

int compare_over_seeds(struct comparison *c)
{
	struct names n = { 0 };
	struct point *points;
	size_t nr, capacity = 0;
	int err;

	if (!has_distributions(c->thresholds))
		return 0;
	err = make_points(c, &points, &nr);
	for (size_t i = 0; i < nr && !err; i++)
		err = add_point(c, &points[i], &n, &capacity);
	return err;
}
