/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A comparison for test harnesses: TAP version 13, and JUnit XML as CI systems
 * read it. A test is a cell, or a point if values are compared over its seeds.
 * Nothing is left out for length.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "bench/compare_internal.h"
#include "bench/markup.h"

#define LINE 512

/* The values over seeds from `from` on that are of the same point: their end. */
static size_t point_end(const struct comparison *c, size_t from)
{
	size_t end = from;

	while (end < c->nr_seeds && c->seeds[end].cell == c->seeds[from].cell)
		end++;
	return end;
}

/* Tests over seeds, and how many of them are not comparable or have failed. */
static size_t count_points(const struct comparison *c, size_t *unknown,
			   size_t *moved)
{
	size_t nr = 0;

	*unknown = *moved = 0;
	for (size_t i = 0, end; i < c->nr_seeds; i = end, nr++) {
		bool bad = false, odd = false;

		end = point_end(c, i);
		for (size_t k = i; k < end; k++) {
			bad |= c->seeds[k].verdict == SEEDS_MOVED;
			odd |= c->seeds[k].verdict > SEEDS_MOVED;
		}
		*unknown += odd;
		*moved += bad && !odd;
	}
	return nr;
}

static bool point_is_fine(const struct comparison *c, size_t from, size_t end)
{
	for (; from < end; from++)
		if (c->seeds[from].verdict != SEEDS_FINE)
			return false;
	return true;
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

static void tap_difference(void *ctx, const struct difference *d)
{
	FILE *out = ctx;
	char text[LINE];

	if (d->allowed)
		return;
	difference_text(d, text, sizeof(text));
	fprintf(out, "# %s\n", text);
}

static void tap_pair(const struct comparison *c, const struct compare_pair *p,
		     size_t nr, struct arena *a, FILE *out)
{
	const struct result_cell *cell = p->new ? p->new : p->base;
	const bool ok = p->base && p->new && !p->nr_moved;

	fprintf(out, "%sok %zu - ", ok ? "" : "not ", nr);
	tap_text(compare_cell_name(cell, a), out);
	fputc('\n', out);
	if (ok)
		return;
	if (p->base && p->new)
		compare_visit(c, p, tap_difference, out);
	else
		fprintf(out, "# not comparable: only in %s; %s\n",
			p->new ? c->new->path : c->base->path,
			compare_missing_text(c, p, a));
	fprintf(out, "# to repeat: %s\n", compare_repeat_text(c, p, a));
}

static void tap_point(const struct comparison *c, size_t from, size_t end,
		      size_t nr, struct arena *a, FILE *out)
{
	const struct seeds_value *v = &c->seeds[from];

	fprintf(out, "%sok %zu - ", point_is_fine(c, from, end) ? "" : "not ",
		nr);
	tap_text(seeds_point_name(v, a), out);
	fprintf(out, ": %s over the seeds\n", counted(a, end - from, "value"));
	for (; from < end; from++)
		if (c->seeds[from].verdict != SEEDS_FINE)
			fprintf(out, "# %s\n# to repeat: %s\n",
				seeds_text(&c->seeds[from], a),
				seeds_repeat_text(c, v, a));
}

int compare_print_tap(const struct comparison *c, FILE *out)
{
	struct arena a = { 0 };
	const char *model = compare_model_text(c, &a);
	size_t unknown, moved, nr = c->nr_pairs;

	/* A gate that compared nothing has not passed. */
	fprintf(out, "TAP version 13\n1..%zu\n",
		nr ? nr + count_points(c, &unknown, &moved) : 1);
	if (!nr)
		fputs("not ok 1 - there are no cells to compare\n", out);
	if (model)
		fprintf(out, "# %s\n", model);
	for (size_t i = 0; i < c->nr_pairs; i++)
		tap_pair(c, &c->pairs[i], i + 1, &a, out);
	for (size_t i = 0, end; i < c->nr_seeds; i = end) {
		end = point_end(c, i);
		tap_point(c, i, end, ++nr, &a, out);
	}
	arena_free(&a);
	return compare_finished(out);
}

/* ---- JUnit ---- */

static void xml_attribute(const char *name, const char *value, FILE *out)
{
	fprintf(out, " %s=\"", name);
	markup_text(value, out);
	fputc('"', out);
}

static void junit_difference(void *ctx, const struct difference *d)
{
	FILE *out = ctx;
	char text[LINE];

	if (d->allowed)
		return;
	difference_text(d, text, sizeof(text));
	markup_text(text, out);
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
		arena_printf(a, "%s moved", counted(a, p->nr_moved, "value"));

	fprintf(out, "   <%s", tag);
	xml_attribute("message", message ? message : "", out);
	fputc('>', out);
	if (lacks)
		markup_text(compare_missing_text(c, p, a), out);
	compare_visit(c, p, junit_difference, out);
	markup_text("\nto repeat: ", out);
	markup_text(compare_repeat_text(c, p, a), out);
	fprintf(out, "</%s>\n", tag);
}

/*
 * Of a cell that one side lacks the id as well: the other side may have another
 * one for the same variant, axes and seed.
 */
static const char *junit_name(const struct compare_pair *p, struct arena *a)
{
	const struct result_cell *cell = p->new ? p->new : p->base;
	const char *name = compare_cell_name(cell, a), *longer = NULL;

	if (!p->base || !p->new)
		longer = arena_printf(a, "%s (%s)", name, cell->id);
	return longer ? longer : name;
}

static void junit_pair(const struct comparison *c,
		       const struct compare_pair *p, struct arena *a,
		       FILE *out)
{
	const struct result_cell *cell = p->new ? p->new : p->base;

	fputs("  <testcase", out);
	xml_attribute("classname", cell->experiment, out);
	xml_attribute("name", junit_name(p, a), out);
	if (p->base && p->new && !p->nr_moved) {
		fputs("/>\n", out);
		return;
	}
	fputs(">\n", out);
	junit_failure(c, p, a, out);
	fputs("  </testcase>\n", out);
}

static void junit_point(const struct comparison *c, size_t from, size_t end,
			struct arena *a, FILE *out)
{
	const struct seeds_value *v = &c->seeds[from];
	bool unknown = false;
	size_t nr = 0;

	for (size_t i = from; i < end; i++) {
		unknown |= c->seeds[i].verdict > SEEDS_MOVED;
		nr += c->seeds[i].verdict != SEEDS_FINE;
	}
	fputs("  <testcase", out);
	xml_attribute("classname", v->cell->experiment, out);
	xml_attribute("name", seeds_point_name(v, a), out);
	if (!nr) {
		fputs("/>\n", out);
		return;
	}
	fprintf(out, ">\n   <%s", unknown ? "error" : "failure");
	xml_attribute("message", unknown ? "values cannot be judged" :
		      "values moved over the seeds", out);
	fputc('>', out);
	for (; from < end; from++)
		if (c->seeds[from].verdict != SEEDS_FINE) {
			markup_text(seeds_text(&c->seeds[from], a), out);
			fputc('\n', out);
		}
	markup_text("\nto repeat: ", out);
	markup_text(seeds_repeat_text(c, v, a), out);
	fprintf(out, "</%s>\n  </testcase>\n", unknown ? "error" : "failure");
}

/* What all of it was, as one test, if there is nothing to compare. */
static void junit_nothing(FILE *out)
{
	fputs("  <testcase classname=\"buddylab check\" name=\"cells\">\n"
	      "   <error message=\"there are no cells to compare\"/>\n"
	      "  </testcase>\n", out);
}

int compare_print_junit(const struct comparison *c, FILE *out)
{
	struct arena a = { 0 };
	size_t unknown, moved, nr = count_points(c, &unknown, &moved);
	const bool nothing = !c->nr_pairs;

	fprintf(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
		"<testsuites>\n <testsuite name=\"buddylab check\" tests=\"%zu\""
		" failures=\"%zu\" errors=\"%zu\">\n",
		c->nr_pairs + nr + nothing, c->nr_moved + moved,
		c->nr_missing + c->nr_extra + unknown + nothing);
	if (nothing)
		junit_nothing(out);
	for (size_t i = 0; i < c->nr_pairs; i++)
		junit_pair(c, &c->pairs[i], &a, out);
	for (size_t i = 0, end; i < c->nr_seeds; i = end) {
		end = point_end(c, i);
		junit_point(c, i, end, &a, out);
	}
	fputs(" </testsuite>\n</testsuites>\n", out);
	arena_free(&a);
	return compare_finished(out);
}
