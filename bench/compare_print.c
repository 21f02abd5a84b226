/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A comparison for people, for TAP and for JUnit. What is left out for length
 * is counted; nothing disappears.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "bench/compare_internal.h"

#define MAX_VALUES 8    /* of one cell, for people */
#define MAX_CELLS 20
#define LINE 512

static int finished(FILE *out)
{
	return fflush(out) || ferror(out) ? -EIO : 0;
}

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

	fprintf(out, "  %s: %zu values moved\n", compare_cell_name(p->new, a),
		p->nr_moved);
	compare_visit(c, p, list_difference, &l);
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

int compare_print(const struct comparison *c, FILE *out)
{
	struct arena a = { 0 };
	const char *model = compare_model_text(c, &a);
	const size_t allowed = allowed_values(c);

	if (model)
		fprintf(out, "note: %s\n", model);
	if (c->nr_missing || c->nr_extra || !c->nr_pairs) {
		fprintf(out, "not comparable: %zu cells are missing, %zu are "
			"not in the baseline\n", c->nr_missing, c->nr_extra);
		print_pairs(c, true, out);
	}
	if (c->nr_moved) {
		fprintf(out, "moved: %zu of %zu cells\n", c->nr_moved,
			c->nr_moved + c->nr_equal);
		print_pairs(c, false, out);
	}
	if (c->nr_equal)
		fprintf(out, "equal: %zu cells\n", c->nr_equal);
	if (allowed)
		fprintf(out, "inside their thresholds: %zu values that "
			"moved\n", allowed);
	arena_free(&a);
	return finished(out);
}

/* ---- TAP ---- */

/* A # would start a directive. */
static void tap_text(const char *text, FILE *out)
{
	for (; *text; text++) {
		if (*text == '#' || *text == '\\')
			fputc('\\', out);
		fputc(*text, out);
	}
}

static void tap_pair(const struct comparison *c, const struct compare_pair *p,
		     size_t nr, struct arena *a, FILE *out)
{
	struct lister l = { .out = out, .indent = "# ", .max = SIZE_MAX };
	const struct result_cell *cell = p->new ? p->new : p->base;
	const bool ok = p->base && p->new && !p->nr_moved;

	fprintf(out, "%sok %zu - ", ok ? "" : "not ", nr);
	tap_text(compare_cell_name(cell, a), out);
	fputc('\n', out);
	if (ok)
		return;
	if (p->base && p->new)
		compare_visit(c, p, list_difference, &l);
	else
		fprintf(out, "# not comparable: only in %s; %s\n",
			p->new ? c->new->path : c->base->path,
			compare_missing_text(c, p, a));
	fprintf(out, "# to repeat: %s\n", compare_repeat_text(c, p, a));
}

int compare_print_tap(const struct comparison *c, FILE *out)
{
	struct arena a = { 0 };
	const char *model = compare_model_text(c, &a);

	fprintf(out, "TAP version 13\n1..%zu\n", c->nr_pairs);
	if (model)
		fprintf(out, "# %s\n", model);
	for (size_t i = 0; i < c->nr_pairs; i++)
		tap_pair(c, &c->pairs[i], i + 1, &a, out);
	arena_free(&a);
	return finished(out);
}

/* ---- JUnit ---- */

/* XML 1.0 has no control characters, escaped or not. */
static void xml_text(const char *text, FILE *out)
{
	for (; *text; text++)
		switch (*text) {
		case '&':
			fputs("&amp;", out);
			break;
		case '<':
			fputs("&lt;", out);
			break;
		case '>':
			fputs("&gt;", out);
			break;
		case '"':
			fputs("&quot;", out);
			break;
		case '\n':
		case '\t':
			fputc(*text, out);
			break;
		default:
			fputc((unsigned char)*text < ' ' ? '?' : *text, out);
		}
}

static void xml_attribute(const char *name, const char *value, FILE *out)
{
	fprintf(out, " %s=\"", name);
	xml_text(value, out);
	fputc('"', out);
}

static void junit_difference(void *ctx, const struct difference *d)
{
	FILE *out = ctx;
	char text[LINE];

	if (d->allowed)
		return;
	difference_text(d, text, sizeof(text));
	xml_text(text, out);
	fputc('\n', out);
}

static void junit_failure(const struct comparison *c,
			  const struct compare_pair *p, struct arena *a,
			  FILE *out)
{
	const bool lacks = !p->base || !p->new;
	const char *tag = lacks ? "error" : "failure";
	const char *message = lacks ?
		arena_printf(a, "not comparable: only in %s",
			     p->new ? c->new->path : c->base->path) :
		arena_printf(a, "%zu values moved", p->nr_moved);

	fprintf(out, "   <%s", tag);
	xml_attribute("message", message ? message : "", out);
	fputc('>', out);
	if (lacks)
		xml_text(compare_missing_text(c, p, a), out);
	compare_visit(c, p, junit_difference, out);
	xml_text("\nto repeat: ", out);
	xml_text(compare_repeat_text(c, p, a), out);
	fprintf(out, "</%s>\n", tag);
}

static void junit_pair(const struct comparison *c,
		       const struct compare_pair *p, struct arena *a,
		       FILE *out)
{
	const struct result_cell *cell = p->new ? p->new : p->base;

	fputs("  <testcase", out);
	xml_attribute("classname", cell->experiment, out);
	xml_attribute("name", compare_cell_name(cell, a), out);
	if (p->base && p->new && !p->nr_moved) {
		fputs("/>\n", out);
		return;
	}
	fputs(">\n", out);
	junit_failure(c, p, a, out);
	fputs("  </testcase>\n", out);
}

int compare_print_junit(const struct comparison *c, FILE *out)
{
	struct arena a = { 0 };

	fprintf(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
		"<testsuites>\n <testsuite name=\"buddylab check\" tests=\"%zu\""
		" failures=\"%zu\" errors=\"%zu\">\n", c->nr_pairs,
		c->nr_moved, c->nr_missing + c->nr_extra);
	for (size_t i = 0; i < c->nr_pairs; i++)
		junit_pair(c, &c->pairs[i], &a, out);
	fputs(" </testsuite>\n</testsuites>\n", out);
	arena_free(&a);
	return finished(out);
}

/* ---- a commit message ---- */

static void commit_cells(const struct comparison *c, FILE *out)
{
	fprintf(out, "Cells: %zu moved, %zu unchanged, %zu added, %zu "
		"removed.\n", c->nr_moved, c->nr_equal, c->nr_extra,
		c->nr_missing);
}

int compare_print_commit(const struct comparison *c, FILE *out)
{
	struct arena a = { 0 };
	const char *model = compare_model_text(c, &a);
	const struct moved_counter *m;
	size_t nr;
	int err = compare_moved_counters(c, &a, &m, &nr);

	if (!err) {
		commit_cells(c, out);
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
	return err ? err : finished(out);
}
