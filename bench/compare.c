/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Matching cells and finding the values that moved. Lists of counters and
 * metrics are sorted by name, so both sides are walked like a merge.
 */
#include "bench/compare_internal.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* Derived values are compared to the digits that a file holds. */
#define METRIC_TOLERANCE 1e-12
#define PLUGIN_OPTION "reporter.plugin"

struct visit {
	const struct thresholds *t;
	const char *phase;
	difference_fn fn;
	void *ctx;
};

static void emit(const struct visit *v, struct difference *d)
{
	const struct threshold *rule;
	char name[160];
	double was = (double)d->was, is = (double)d->is;

	snprintf(name, sizeof(name), "%s%s",
		 d->kind == DIFF_METRIC ? "metric." : "", d->name);
	if (d->kind == DIFF_METRIC) {
		was = d->metric_was;
		is = d->metric_is;
	} else if (d->kind == DIFF_TEXT) {
		is = was + 1;
	}
	d->phase = v->phase;
	rule = thresholds_find(v->t, name);
	d->over_seeds = !rule->ignore && rule->kind != STATS_EXACT;
	d->allowed = d->over_seeds || threshold_allows(rule, was, is);
	v->fn(v->ctx, d);
}

static void count_moved(const struct visit *v, const char *name, uint64_t was,
			uint64_t is)
{
	struct difference d = { .kind = DIFF_COUNT, .name = name, .was = was,
				.is = is };

	if (was != is)
		emit(v, &d);
}

static bool metrics_differ(double a, double b)
{
	const double diff = a > b ? a - b : b - a;
	const double size = (a < 0 ? -a : a) + (b < 0 ? -b : b);

	return diff > size * METRIC_TOLERANCE;
}

static void metric_moved(const struct visit *v, const char *name, double was,
			 double is)
{
	struct difference d = { .kind = DIFF_METRIC, .name = name,
				.metric_was = was, .metric_is = is };

	if (metrics_differ(was, is))
		emit(v, &d);
}

/* <0: a comes first or b has ended; 0: same name. */
static int merge_order(const char *a, const char *b)
{
	if (!a)
		return 1;
	return b ? strcmp(a, b) : -1;
}

static void visit_counters(const struct visit *v, const struct result_values *a,
			   const struct result_values *b)
{
	size_t i = 0, k = 0;

	while (i < a->nr_counters || k < b->nr_counters) {
		const struct result_counter *x = i < a->nr_counters ?
			&a->counters[i] : NULL;
		const struct result_counter *y = k < b->nr_counters ?
			&b->counters[k] : NULL;
		const int order = merge_order(x ? x->name : NULL,
					      y ? y->name : NULL);

		count_moved(v, order <= 0 ? x->name : y->name,
			    order <= 0 ? x->value : 0,
			    order >= 0 ? y->value : 0);
		i += order <= 0;
		k += order >= 0;
	}
}

static void visit_metrics(const struct visit *v, const struct result_values *a,
			  const struct result_values *b)
{
	size_t i = 0, k = 0;

	while (i < a->nr_metrics || k < b->nr_metrics) {
		const struct result_metric *x = i < a->nr_metrics ?
			&a->metrics[i] : NULL;
		const struct result_metric *y = k < b->nr_metrics ?
			&b->metrics[k] : NULL;
		const int order = merge_order(x ? x->name : NULL,
					      y ? y->name : NULL);

		metric_moved(v, order <= 0 ? x->name : y->name,
			     order <= 0 ? x->value : 0.0,
			     order >= 0 ? y->value : 0.0);
		i += order <= 0;
		k += order >= 0;
	}
}

static void visit_phase(struct visit *v, const struct result_phase *a,
			const struct result_phase *b)
{
	v->phase = b->name;
	count_moved(v, "start_ns", a->start, b->start);
	count_moved(v, "end_ns", a->end, b->end);
	count_moved(v, "measured_ns", a->measured_ns, b->measured_ns);
	count_moved(v, "iterations", a->iterations, b->iterations);
	visit_counters(v, &a->values, &b->values);
	visit_metrics(v, &a->values, &b->values);
	v->phase = NULL;
}

/* Whole run first: the digest says whether anything happened differently. */
void compare_visit(const struct comparison *c, const struct compare_pair *p,
		   difference_fn fn, void *ctx)
{
	struct visit v = { .t = c->thresholds, .fn = fn, .ctx = ctx };
	const struct result_cell *a = p->base, *b = p->new;
	size_t i;

	if (!a || !b)
		return;
	if (strcmp(a->digest, b->digest) != 0)
		emit(&v, &(struct difference){ .kind = DIFF_TEXT,
			.name = "digest", .text_was = a->digest,
			.text_is = b->digest });
	count_moved(&v, "virtual_ns", a->virtual_ns, b->virtual_ns);
	visit_counters(&v, &a->values, &b->values);
	visit_metrics(&v, &a->values, &b->values);
	count_moved(&v, "phases", a->nr_phases, b->nr_phases);
	for (i = 0; i < a->nr_phases && i < b->nr_phases; i++)
		visit_phase(&v, &a->phases[i], &b->phases[i]);
}

/* ---- matching ---- */

static int by_id(const void *a, const void *b)
{
	return strcmp((*(const struct result_cell *const *)a)->id,
		      (*(const struct result_cell *const *)b)->id);
}

/* Cells sorted by id. */
static const struct result_cell **sorted_cells(const struct results *r,
					       struct arena *a)
{
	const struct result_cell **all = arena_array(a, r->nr_cells + 1,
						     sizeof(*all));

	if (!all)
		return NULL;
	for (size_t i = 0; i < r->nr_cells; i++)
		all[i] = &r->cells[i];
	qsort(all, r->nr_cells, sizeof(*all), by_id);
	return all;
}

static const struct result_cell *find_cell(const struct result_cell **sorted,
					   size_t nr,
					   const struct result_cell *like)
{
	const struct result_cell **found =
		nr ? bsearch(&like, sorted, nr, sizeof(*sorted), by_id) : NULL;

	return found ? *found : NULL;
}

static void count_difference(void *ctx, const struct difference *d)
{
	struct compare_pair *p = ctx;

	if (!d->allowed)
		p->nr_moved++;
	else if (!d->over_seeds)
		p->nr_allowed++;
}

static void add_pair(struct comparison *c, const struct result_cell *base,
		     const struct result_cell *new)
{
	struct compare_pair *p = &c->pairs[c->nr_pairs++];

	*p = (struct compare_pair){ .base = base, .new = new };
	compare_visit(c, p, count_difference, p);
	if (!base)
		c->nr_extra++;
	else if (!new)
		c->nr_missing++;
	else if (p->nr_moved)
		c->nr_moved++;
	else
		c->nr_equal++;
}

/* Options that say who computed or shows a cell, and not what it is. */
static bool is_who(const char *name)
{
	return !strcmp(name, PLUGIN_OPTION) ||
	       !strcmp(name, "experiment.columns");
}

static size_t skip_who(const struct result_cell *c, size_t i)
{
	while (i < c->nr_options && is_who(c->options[i].name))
		i++;
	return i;
}

/* Who of the two has an option that the other lacks: <0 a, >0 b, 0 neither. */
static int option_order(const struct result_cell *a, size_t i,
			const struct result_cell *b, size_t k)
{
	return merge_order(i < a->nr_options ? a->options[i].name : NULL,
			   k < b->nr_options ? b->options[k].name : NULL);
}

/* *grown counts options that one side lacks and the other has at its default. */
static bool same_options(const struct comparison *c,
			 const struct result_cell *a,
			 const struct result_cell *b, size_t *grown)
{
	size_t i = skip_who(a, 0), k = skip_who(b, 0);

	while (i < a->nr_options || k < b->nr_options) {
		const int order = option_order(a, i, b, k);
		const struct result_cell *has = order < 0 ? a : b;
		const struct result_text *o = order < 0 ? &a->options[i] :
							  &b->options[k];

		if (order && !compare_is_default(c->registry, has, o))
			return false;
		if (!order && strcmp(a->options[i].value, o->value) != 0)
			return false;
		*grown += order != 0;
		i = order <= 0 ? skip_who(a, i + 1) : i;
		k = order >= 0 ? skip_who(b, k + 1) : k;
	}
	return true;
}

/*
 * Is it the same cell, though its id is another? The digest of a plugin is part
 * of the id, so that results of two builds are not taken for one another when
 * they are stored, and two builds are just what a gate compares; and so is every
 * option, those that only one of two versions knows, too.
 */
static bool is_same_cell(const struct comparison *c,
			 const struct result_cell *a,
			 const struct result_cell *b, size_t *grown)
{
	const bool plugin = result_option(a, PLUGIN_OPTION);

	*grown = 0;
	return a->seed == b->seed &&
	       plugin == (result_option(b, PLUGIN_OPTION) != NULL) &&
	       same_options(c, a, b, grown) && (plugin || *grown);
}

/* The partner of a cell whose id the baseline has not got, or NULL. */
static const struct result_cell *other_cell(struct comparison *c, bool *taken,
					    const struct result_cell *like)
{
	for (size_t i = 0; i < c->base->nr_cells; i++) {
		const struct result_cell *cell = &c->base->cells[i];
		size_t grown;
		bool same;

		if (taken[i])
			continue;
		same = is_same_cell(c, cell, like, &grown);
		if (!same && !(c->by_point && cell->seed == like->seed &&
			       compare_same_point(cell, like)))
			continue;
		taken[i] = true;
		c->nr_grown += same && grown;
		c->nr_rebuilt += same && !grown;
		c->nr_resettled += !same;
		return cell;
	}
	return NULL;
}

static int match_cells(struct comparison *c, const struct result_cell **base,
		       const struct result_cell **new)
{
	const struct results *b = c->base, *n = c->new;
	bool *taken = arena_array(&c->arena, b->nr_cells + 1, sizeof(*taken));
	size_t i;

	if (!taken)
		return -ENOMEM;
	for (i = 0; i < b->nr_cells; i++)
		taken[i] = find_cell(new, n->nr_cells, &b->cells[i]);
	for (i = 0; i < n->nr_cells; i++) {
		const struct result_cell *cell =
			find_cell(base, b->nr_cells, &n->cells[i]);

		if (!cell)
			cell = other_cell(c, taken, &n->cells[i]);
		add_pair(c, cell, &n->cells[i]);
	}
	for (i = 0; i < b->nr_cells; i++)
		if (!taken[i])
			add_pair(c, &b->cells[i], NULL);
	return 0;
}

static int make(struct comparison *c)
{
	const struct result_cell **b = sorted_cells(c->base, &c->arena);
	const struct result_cell **n = sorted_cells(c->new, &c->arena);

	c->pairs = arena_array(&c->arena, c->base->nr_cells +
			       c->new->nr_cells + 1, sizeof(*c->pairs));
	if (!b || !n || !c->pairs || match_cells(c, b, n) ||
	    compare_over_seeds(c))
		return -ENOMEM;
	c->verdict = c->nr_moved || c->nr_seeds_moved ? COMPARE_MOVED :
							COMPARE_EQUAL;
	if (c->nr_missing || c->nr_extra || !c->nr_pairs || c->nr_seeds_unknown)
		c->verdict = COMPARE_NOT_COMPARABLE;
	return 0;
}

int compare_make(struct comparison *c, const struct results *base,
		 const struct results *new, const struct thresholds *t,
		 const struct sim_registry *registry)
{
	*c = (struct comparison){ .base = base, .new = new, .thresholds = t,
				  .registry = registry };
	return make(c);
}

int compare_make_by_point(struct comparison *c, const struct results *base,
			  const struct results *new)
{
	*c = (struct comparison){ .base = base, .new = new, .by_point = true };
	return make(c);
}

void compare_free(struct comparison *c)
{
	arena_free(&c->arena);
	*c = (struct comparison){ 0 };
}
