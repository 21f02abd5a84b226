/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A comparison for people, and for the message of a commit. What is left out
 * for length is counted; nothing disappears.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "bench/compare_internal.h"
#include "bench/grid.h"

#define MAX_VALUES 8    /* of one cell, for people */
#define MAX_CELLS 20
#define LINE 512

/* ---- for people ---- */

struct lister {
	FILE *out;
	const char *indent;
	size_t nr, max;
	bool allowed;            /* list those inside their threshold */
};

static void list_difference(void *ctx, const struct difference *d)
{
	struct lister *l = ctx;
	char text[LINE];

	if (d->allowed != l->allowed || l->nr++ >= l->max)
		return;
	difference_text(d, text, sizeof(text));
	fprintf(l->out, "%s%s\n", l->indent, text);
}

static void print_moved(const struct comparison *c,
			const struct compare_pair *p, struct arena *a,
			FILE *out)
{
	struct lister l = { .out = out, .indent = "    ", .max = MAX_VALUES };

	fprintf(out, "  %s: %s moved\n", compare_cell_name(p->new, a),
		counted(a, p->nr_moved, "value"));
	compare_visit_telling(c, p, list_difference, &l);
	if (l.nr > l.max)
		fprintf(out, "    ... and %zu more\n", l.nr - l.max);
	fprintf(out, "    to repeat: %s\n", compare_repeat_text(c, p, a));
}

static void print_lacking(const struct comparison *c,
			  const struct compare_pair *p, struct arena *a,
			  FILE *out)
{
	const struct result_cell *cell = p->new ? p->new : p->base;
	const char *why = compare_missing_text(c, p, a);

	fprintf(out, "  %s: only in %s (cell %s)\n", compare_cell_name(cell, a),
		p->new ? c->new->path : c->base->path, cell->id);
	if (*why)
		fprintf(out, "    %s\n", why);
}

static void print_pairs(const struct comparison *c, bool lacking, FILE *out)
{
	struct arena a = { 0 };
	size_t nr = 0;

	for (size_t i = 0; i < c->nr_pairs; i++) {
		const struct compare_pair *p = &c->pairs[i];
		const bool lacks = !p->base || !p->new;

		if (lacks != lacking || (!lacks && !p->nr_moved) ||
		    nr++ >= MAX_CELLS)
			continue;
		if (lacks)
			print_lacking(c, p, &a, out);
		else
			print_moved(c, p, &a, out);
	}
	if (nr > MAX_CELLS)
		fprintf(out, "  ... and %zu more cells\n", nr - MAX_CELLS);
	arena_free(&a);
}

static size_t allowed_values(const struct comparison *c)
{
	size_t sum = 0;

	for (size_t i = 0; i < c->nr_pairs; i++)
		sum += c->pairs[i].nr_allowed;
	return sum;
}

/* The values of a point stand together, under its name. */
static void print_seeds(const struct comparison *c, bool unknown, FILE *out)
{
	const struct result_cell *point = NULL;
	struct arena a = { 0 };
	size_t nr = 0;

	for (size_t i = 0; i < c->nr_seeds; i++) {
		const struct seeds_value *v = &c->seeds[i];

		if (v->verdict == SEEDS_FINE ||
		    (v->verdict != SEEDS_MOVED) != unknown ||
		    nr++ >= MAX_CELLS)
			continue;
		if (v->cell != point)
			fprintf(out, "  %s\n    to repeat: %s\n",
				seeds_point_name(v, &a),
				seeds_repeat_text(c, v, &a));
		point = v->cell;
		fprintf(out, "    %s\n", seeds_text(v, &a));
	}
	if (nr > MAX_CELLS)
		fprintf(out, "  ... and %zu more\n", nr - MAX_CELLS);
	arena_free(&a);
}

static void print_over_seeds(const struct comparison *c, FILE *out)
{
	struct arena a = { 0 };

	if (c->nr_seeds_unknown) {
		fprintf(out, "not comparable over the seeds: %s\n",
			counted(&a, c->nr_seeds_unknown, "value"));
		print_seeds(c, true, out);
	}
	if (c->nr_seeds_moved) {
		fprintf(out, "moved over the seeds: %zu of %s\n",
			c->nr_seeds_moved, counted(&a, c->nr_seeds, "value"));
		print_seeds(c, false, out);
	}
	if (c->nr_seeds)
		fprintf(out, "compared over the seeds: %s\n",
			counted(&a, c->nr_seeds, "value"));
	arena_free(&a);
}

int compare_print(const struct comparison *c, FILE *out)
{
	struct arena a = { 0 };
	const char *model = compare_model_text(c, &a);
	const size_t allowed = allowed_values(c);

	if (model)
		fprintf(out, "note: %s\n", model);
	if (c->nr_rebuilt)
		fprintf(out, "note: the plugin is another build in %s\n",
			counted(&a, c->nr_rebuilt, "cell"));
	if (c->nr_grown)
		fprintf(out, "note: one side lacks options, at their default "
			"in the other, in %s\n",
			counted(&a, c->nr_grown, "cell"));
	if (c->nr_missing || c->nr_extra || !c->nr_pairs) {
		fprintf(out, "not comparable: %s missing, %zu not in the "
			"baseline\n", counted(&a, c->nr_missing, "cell"),
			c->nr_extra);
		print_pairs(c, true, out);
	}
	if (c->nr_moved) {
		fprintf(out, "moved: %zu of %s\n", c->nr_moved,
			counted(&a, c->nr_moved + c->nr_equal, "cell"));
		print_pairs(c, false, out);
	}
	print_over_seeds(c, out);
	if (c->nr_equal)
		fprintf(out, "equal: %s\n", counted(&a, c->nr_equal, "cell"));
	if (allowed)
		fprintf(out, "inside their thresholds: %s that moved\n",
			counted(&a, allowed, "value"));
	arena_free(&a);
	return compare_finished(out);
}

/* ---- a commit message ---- */

/* Of the first pair that is of two settings: mostly they all say the same. */
static void commit_settings(const struct comparison *c, struct arena *a,
			    FILE *out)
{
	const char *text;

	for (size_t i = 0; i < c->nr_pairs; i++) {
		const struct compare_pair *p = &c->pairs[i];

		if (!p->base || !p->new || !strcmp(p->base->id, p->new->id))
			continue;
		text = compare_settings_text(p->base, p->new, a);
		text = arena_printf(a, "%s of %s%s.", counted(a, c->nr_rebuilt +
				    c->nr_grown + c->nr_resettled, "cell"), *text ?
				    "other settings: " : "another id", text);
		if (text)
			print_wrapped(text, 0, COVER_COLUMNS, true, out);
		return;
	}
}

static void commit_cells(const struct comparison *c, struct arena *a, FILE *out)
{
	fprintf(out, "Cells: %zu moved, %zu unchanged, %zu added, %zu "
		"removed.\n", c->nr_moved, c->nr_equal, c->nr_extra,
		c->nr_missing);
	commit_settings(c, a, out);
}

int compare_print_commit(const struct comparison *c, FILE *out)
{
	struct arena a = { 0 };
	const char *model = compare_model_text(c, &a);
	const struct moved_counter *m;
	size_t nr;
	int err = compare_moved_counters(c, &a, &m, &nr);

	if (!err) {
		commit_cells(c, &a, out);
		if (model)
			fprintf(out, "%c%s.\n", model[0] - 'a' + 'A',
				model + 1);
		if (nr)
			fprintf(out, "\nCounters, summed over the cells in "
				"which they moved:\n\n");
	}
	for (size_t i = 0; i < nr && !err; i++)
		fprintf(out, "  %s: %.0f -> %.0f (%+.2f %%, %zu cells)\n",
			m[i].name, m[i].was, m[i].is, m[i].was > 0 ?
			(m[i].is - m[i].was) * 100.0 / m[i].was : 100.0,
			m[i].nr_cells);
	arena_free(&a);
	return err ? err : compare_finished(out);
}
