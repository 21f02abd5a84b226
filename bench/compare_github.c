/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A comparison for GitHub Actions: workflow commands that put a note beside the
 * line of the baseline that holds the cell, and a page in Markdown for the
 * summary of the step. GitHub shows ten notes of a step, so there are never
 * more, and the last one says how many are left out.
 */
#include <string.h>

#include "bench/compare_internal.h"

#define MAX_NOTES 10
#define MAX_VALUES 8       /* of a cell */
#define MAX_ROWS 200       /* of the page, which may have 1 MiB */
#define LINE 512

/* ---- notes ---- */

/* A percent sign begins an escape; in a property two more end it. */
static void note_text(const char *text, bool property, FILE *out)
{
	for (; *text; text++)
		if (strchr("%\r\n", *text) ||
		    (property && strchr(":,", *text)))
			fprintf(out, "%%%02X", (unsigned int)*text);
		else
			fputc(*text, out);
}

static void print_note(const struct result_cell *at, const char *path,
		       const char *title, const char *text, FILE *out)
{
	fputs("::error ", out);
	if (at) {
		fputs("file=", out);
		note_text(path, true, out);
		fprintf(out, ",line=%u,", at->line);
	}
	fputs("title=", out);
	note_text(title, true, out);
	fputs("::", out);
	note_text(text, false, out);
	fputc('\n', out);
}

struct gather {
	struct arena *a;
	const char *text;
	size_t nr;
};

static void gather_difference(void *ctx, const struct difference *d)
{
	struct gather *g = ctx;
	char text[LINE];

	if (d->allowed || g->nr++ >= MAX_VALUES || !g->text)
		return;
	difference_text(d, text, sizeof(text));
	g->text = arena_printf(g->a, "%s%s\n", g->text, text);
}

/* What is wrong with a cell, a line each. */
static const char *pair_text(const struct comparison *c,
			     const struct compare_pair *p, struct arena *a)
{
	struct gather g = { .a = a, .text = "" };

	if (!p->base || !p->new)
		g.text = arena_printf(a, "only in %s; %s\n", p->new ?
				      c->new->path : c->base->path,
				      compare_missing_text(c, p, a));
	compare_visit_telling(c, p, gather_difference, &g);
	if (g.nr > MAX_VALUES && g.text)
		g.text = arena_printf(a, "%s... and %zu more\n", g.text,
				      g.nr - MAX_VALUES);
	if (g.text)
		g.text = arena_printf(a, "%sto repeat: %s", g.text,
				      compare_repeat_text(c, p, a));
	return g.text ? g.text : "";
}

static bool is_wrong(const struct compare_pair *p)
{
	return !p->base || !p->new || p->nr_moved;
}

static size_t count_wrong(const struct comparison *c)
{
	return c->nr_moved + c->nr_missing + c->nr_extra + c->nr_seeds_moved +
	       c->nr_seeds_unknown;
}

int compare_print_annotations(const struct comparison *c, FILE *out)
{
	const size_t wrong = count_wrong(c);
	const size_t most = wrong > MAX_NOTES ? MAX_NOTES - 1 : MAX_NOTES;
	struct arena a = { 0 };
	size_t nr = 0, i;

	for (i = 0; i < c->nr_pairs && nr < most; i++) {
		const struct compare_pair *p = &c->pairs[i];

		if (!is_wrong(p))
			continue;
		nr++;
		print_note(p->base, c->base->path,
			   compare_cell_name(p->new ? p->new : p->base, &a),
			   pair_text(c, p, &a), out);
	}
	for (i = 0; i < c->nr_seeds && nr < most; i++) {
		const struct seeds_value *v = &c->seeds[i];

		if (v->verdict == SEEDS_FINE)
			continue;
		nr++;
		print_note(NULL, "", seeds_point_name(v, &a),
			   seeds_text(v, &a), out);
	}
	if (wrong > nr)
		print_note(NULL, "", "buddylab check",
			   counted(&a, wrong - nr, "more note"), out);
	if (!c->nr_pairs)
		print_note(NULL, "", "buddylab check",
			   "there are no cells to compare", out);
	arena_free(&a);
	return compare_finished(out);
}

/* ---- the page ---- */

/* Inside a cell of a table: no bar, no break, no tag. */
static void cell_text(const char *text, FILE *out)
{
	for (; *text; text++)
		switch (*text) {
		case '|':
			fputs("\\|", out);
			break;
		case '<':
			fputs("&lt;", out);
			break;
		case '\n':
			fputs("<br>", out);
			break;
		default:
			fputc(*text, out);
		}
}

static void print_row(const char *name, const char *text, FILE *out)
{
	fputs("| ", out);
	cell_text(name, out);
	fputs(" | ", out);
	cell_text(text, out);
	fputs(" |\n", out);
}

static void print_rows(const struct comparison *c, FILE *out)
{
	struct arena a = { 0 };
	size_t nr = 0;

	fputs("\n| cell | what |\n|---|---|\n", out);
	for (size_t i = 0; i < c->nr_pairs; i++) {
		const struct compare_pair *p = &c->pairs[i];

		if (is_wrong(p) && nr++ < MAX_ROWS)
			print_row(compare_cell_name(p->new ? p->new : p->base,
						    &a),
				  pair_text(c, p, &a), out);
	}
	for (size_t i = 0; i < c->nr_seeds; i++)
		if (c->seeds[i].verdict != SEEDS_FINE && nr++ < MAX_ROWS)
			print_row(seeds_point_name(&c->seeds[i], &a),
				  seeds_text(&c->seeds[i], &a), out);
	if (nr > MAX_ROWS)
		fprintf(out, "\n... and %zu more.\n", nr - MAX_ROWS);
	arena_free(&a);
}

int compare_print_summary(const struct comparison *c, FILE *out)
{
	struct arena a = { 0 };
	const char *model = compare_model_text(c, &a);

	fprintf(out, "## buddylab check: %s\n\n",
		compare_verdict_names[c->verdict]);
	if (c->new->nr_cells) {
		cell_text(c->new->cells[0].experiment, out);
		fputs(": ", out);
	}
	fprintf(out, "%zu equal, %zu moved, %zu missing, %zu not in the "
		"baseline.\n", c->nr_equal, c->nr_moved, c->nr_missing,
		c->nr_extra);
	if (c->nr_seeds)
		fprintf(out, "Over the seeds: %s, %zu moved, %zu cannot be "
			"judged.\n", counted(&a, c->nr_seeds, "value"),
			c->nr_seeds_moved, c->nr_seeds_unknown);
	if (model)
		fprintf(out, "\n**%s**\n", model);
	if (count_wrong(c))
		print_rows(c, out);
	arena_free(&a);
	return compare_finished(out);
}
