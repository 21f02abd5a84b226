/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A comparison for scripts: what the other formats say, with nothing left out,
 * as one JSON object. docs/ci.md names its fields. Setting a value that there
 * was no memory for is an error that `bad` remembers.
 */
#include <errno.h>
#include <jansson.h>
#include <string.h>

#include "bench/compare_internal.h"

#define JSON_STYLE (JSON_INDENT(1) | JSON_REAL_PRECISION(15))

struct writer {
	const struct comparison *c;
	struct arena a;
	bool bad;
};

static void set(struct writer *w, json_t *o, const char *key, json_t *value)
{
	w->bad |= json_object_set_new(o, key, value) != 0;
}

static void set_text(struct writer *w, json_t *o, const char *key,
		     const char *text)
{
	set(w, o, key, text ? json_string(text) : json_null());
}

static void set_count(struct writer *w, json_t *o, const char *key,
		      uint64_t value)
{
	set(w, o, key, json_integer((json_int_t)value));
}

/* JSON has no infinity; nothing that is finite comes out as one. */
static void set_number(struct writer *w, json_t *o, const char *key,
		       double value)
{
	json_t *number = json_real(value);

	set(w, o, key, number ? number : json_null());
}

static void add(struct writer *w, json_t *list, json_t *o)
{
	w->bad |= json_array_append_new(list, o) != 0;
}

static json_t *axes_json(struct writer *w, const struct result_cell *c)
{
	json_t *o = json_object();

	for (size_t i = 0; i < c->nr_axes; i++)
		set_text(w, o, c->axes[i].name, c->axes[i].value);
	return o;
}

/* ---- cell by cell ---- */

struct values {
	struct writer *w;
	json_t *list;
};

static void add_difference(void *ctx, const struct difference *d)
{
	const struct values *v = ctx;
	struct writer *w = v->w;
	json_t *o;

	if (d->over_seeds)
		return;
	o = json_object();
	set_text(w, o, "phase", d->phase);
	if (d->kind == DIFF_METRIC)
		set_text(w, o, "name", arena_printf(&w->a, "metric.%s",
						    d->name));
	else
		set_text(w, o, "name", d->name);
	switch (d->kind) {
	case DIFF_TEXT:
		set_text(w, o, "was", d->text_was);
		set_text(w, o, "is", d->text_is);
		break;
	case DIFF_COUNT:
		set_count(w, o, "was", d->was);
		set_count(w, o, "is", d->is);
		break;
	case DIFF_METRIC:
		set_number(w, o, "was", d->metric_was);
		set_number(w, o, "is", d->metric_is);
		break;
	}
	set(w, o, "allowed", json_boolean(d->allowed));
	add(w, v->list, o);
}

static const char *status_of(const struct compare_pair *p)
{
	if (!p->base)
		return "extra";
	if (!p->new)
		return "missing";
	return p->nr_moved ? "moved" : "equal";
}

static json_t *pair_json(struct writer *w, const struct compare_pair *p)
{
	const struct result_cell *cell = p->new ? p->new : p->base;
	struct values v = { w, json_array() };
	json_t *o = json_object();

	set_text(w, o, "cell", cell->id);
	set_text(w, o, "status", status_of(p));
	set_text(w, o, "experiment", cell->experiment);
	set_text(w, o, "variant", cell->variant);
	set(w, o, "axes", axes_json(w, cell));
	set_count(w, o, "seed", cell->seed);
	set_text(w, o, "repeat", compare_repeat_text(w->c, p, &w->a));
	if (!p->base || !p->new)
		set_text(w, o, "reason", compare_missing_text(w->c, p, &w->a));
	compare_visit(w->c, p, add_difference, &v);
	set(w, o, "values", v.list);
	return o;
}

/* Cells that are not simply equal. */
static json_t *differences_json(struct writer *w)
{
	json_t *list = json_array();

	for (size_t i = 0; i < w->c->nr_pairs; i++) {
		const struct compare_pair *p = &w->c->pairs[i];

		if (!p->base || !p->new || p->nr_moved || p->nr_allowed)
			add(w, list, pair_json(w, p));
	}
	return list;
}

/* ---- over seeds ---- */

/* null if err says that the samples are too small for it. */
static json_t *interval_json(const struct stats_interval *i, int err)
{
	return err ? json_null() : json_pack("[f, f]", i->low, i->high);
}

static json_t *summary_json(struct writer *w, const struct stats_sample *sample,
			    const struct stats_summary *s)
{
	json_t *o = json_object();
	struct stats_interval i;
	int err = stats_interval(sample, STATS_MEDIAN, NULL, &i);

	set_count(w, o, "n", sample->nr);
	set_number(w, o, "mean", s->mean);
	set_number(w, o, "sd", s->sd);
	set_number(w, o, "dev_percent", s->dev);
	set_number(w, o, "median", s->median);
	set(w, o, "median_interval", interval_json(&i, err));
	set_number(w, o, "min", s->min);
	set_number(w, o, "max", s->max);
	return o;
}

/* How sure, and how much. */
static void set_tests(struct writer *w, json_t *o, const struct seeds_value *v)
{
	struct stats_interval i;
	struct stats_test welch;
	double g;
	int err = stats_change_interval(&v->base, &v->new, STATS_MEDIAN, NULL,
					&i);

	set(w, o, "change_interval", interval_json(&i, err));
	set_number(w, o, "p", v->test.p);
	set(w, o, "p_exact", json_boolean(v->test.exact));
	set_number(w, o, "cliffs_delta", v->delta);
	set(w, o, "welch_p", stats_welch(&v->base, &v->new, &welch) ?
	    json_null() : json_real(welch.p));
	set(w, o, "hedges_g", stats_hedges_g(&v->base, &v->new, &g) ?
	    json_null() : json_real(g));
}

static json_t *seeds_json(struct writer *w, const struct seeds_value *v)
{
	static const char *const verdicts[] = {
		[SEEDS_FINE] = "fine", [SEEDS_MOVED] = "moved",
		[SEEDS_TOO_FEW] = "too few", [SEEDS_LACKING] = "lacking",
	};
	json_t *o = json_object();
	double change;

	set_text(w, o, "variant", v->cell->variant);
	set(w, o, "axes", axes_json(w, v->cell));
	set_text(w, o, "phase", v->phase);
	set_text(w, o, "name", v->name);
	set_text(w, o, "kind", stats_kind_names[v->rule->kind]);
	set_text(w, o, "verdict", verdicts[v->verdict]);
	set(w, o, "base", summary_json(w, &v->base, &v->was));
	set(w, o, "new", summary_json(w, &v->new, &v->is));
	if (v->verdict == SEEDS_LACKING)
		return o;
	set(w, o, "change_percent", seeds_change(v, &change) ?
	    json_real(change) : json_null());
	set_tests(w, o, v);
	if (v->verdict != SEEDS_FINE)
		set_text(w, o, "repeat", seeds_repeat_text(w->c, v, &w->a));
	return o;
}

/* ---- all of it ---- */

static json_t *cells_json(struct writer *w)
{
	json_t *o = json_object();

	set_count(w, o, "equal", w->c->nr_equal);
	set_count(w, o, "moved", w->c->nr_moved);
	set_count(w, o, "missing", w->c->nr_missing);
	set_count(w, o, "extra", w->c->nr_extra);
	set_count(w, o, "rebuilt", w->c->nr_rebuilt);
	set_count(w, o, "grown", w->c->nr_grown);
	set_count(w, o, "resettled", w->c->nr_resettled);
	return o;
}

static void fill(struct writer *w, json_t *o)
{
	const char *model = compare_model_text(w->c, &w->a);
	json_t *seeds = json_array();

	set_text(w, o, "verdict", compare_verdict_names[w->c->verdict]);
	set_text(w, o, "base", w->c->base->path);
	set_text(w, o, "new", w->c->new->path);
	if (model)
		set_text(w, o, "warning", model);
	set(w, o, "cells", cells_json(w));
	set(w, o, "differences", differences_json(w));
	for (size_t i = 0; i < w->c->nr_seeds; i++)
		add(w, seeds, seeds_json(w, &w->c->seeds[i]));
	set(w, o, "over_seeds", seeds);
}

/* Prints and gives back. */
static int print(struct writer *w, json_t *o, FILE *out)
{
	int err = !o || w->bad ? -ENOMEM : 0;

	if (!err && json_dumpf(o, out, JSON_STYLE))
		err = -EIO;
	fputc('\n', out);
	json_decref(o);
	arena_free(&w->a);
	return err ? err : compare_finished(out);
}

int compare_add_json(const struct comparison *c, json_t *o, FILE *out)
{
	struct writer w = { .c = c };

	fill(&w, o);
	return print(&w, o, out);
}

int compare_print_json(const struct comparison *c, FILE *out)
{
	return compare_add_json(c, json_object(), out);
}

int compare_print_commit_json(const struct comparison *c, FILE *out)
{
	struct writer w = { .c = c };
	json_t *o = json_object(), *counters = json_array();
	const struct moved_counter *m;
	size_t nr = 0;

	w.bad |= compare_moved_counters(c, &w.a, &m, &nr) != 0;
	set(&w, o, "cells", cells_json(&w));
	for (size_t i = 0; i < nr; i++)
		add(&w, counters, json_pack("{s:s, s:f, s:f, s:I}", "name",
					    m[i].name, "was", m[i].was, "is",
					    m[i].is, "cells",
					    (json_int_t)m[i].nr_cells));
	set(&w, o, "counters", counters);
	return print(&w, o, out);
}
