/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Three layouts, each within 75 columns whatever names are in it: variants stand
 * in a line of their own above their block and are called base and new in it.
 */
#include <math.h>
#include <string.h>

#include "bench/cover.h"
#include "bench/grid.h"
#include "bench/stats.h"

#define TEXT 48

static void number(const struct cover_line *l, double v, char *out)
{
	grid_text(&(struct grid_column){ .suffix = l->column->suffix ?
					 l->column->suffix : "",
					 .decimals = l->column->decimals },
		  &(struct grid_value){ true, v, v, v }, out, TEXT);
}

/* "iterations/s +": the sign says which way is good. */
static void label(const struct cover_line *l, char *out)
{
	snprintf(out, TEXT, "%.36s%s", l->column->label,
		 l->better > 0 ? " +" : l->better < 0 ? " -" : "");
}

static void print_head(const struct cover_block *b, FILE *out)
{
	char text[700];

	fputc('\n', out);
	snprintf(text, sizeof(text), "%.200s%sbase: %.200s, new: %.200s",
		 b->where, *b->where ? "; " : "", b->base, b->new);
	print_wrapped(text, 2, COVER_COLUMNS, true, out);
}

/* ---- one metric a line, as benchstat prints it ---- */

static void delta(const struct cover_line *l, bool may_tell, char *out)
{
	if (may_tell && l->p >= COVER_ALPHA)
		snprintf(out, TEXT, "~");
	else if (l->has_change)
		snprintf(out, TEXT, "%+.2f%%", l->change);
	else
		snprintf(out, TEXT, "new");
}

/* A name that is too long for its column gets a line of its own. */
static void place_name(char *name, size_t width, FILE *out)
{
	if (strlen(name) <= width)
		return;
	fprintf(out, "  %s\n", name);
	*name = '\0';
}

static void print_benchstat_line(const struct cover_line *l, bool may_tell,
				 FILE *out)
{
	char name[TEXT], base[TEXT], new[TEXT], d[TEXT], p[TEXT];

	label(l, name);
	number(l, l->base.mean, base);
	number(l, l->new.mean, new);
	delta(l, may_tell, d);
	place_name(name, 20, out);
	if (l->p < 0)
		snprintf(p, sizeof(p), "-");
	else
		snprintf(p, sizeof(p), "%.3f", l->p);
	fprintf(out, "  %-20s %10s +-%3.0f%% %10s +-%3.0f%% %9s %6s\n", name,
		base, fmin(l->base.dev, 999), new, fmin(l->new.dev, 999), d,
		p);
}

static void print_benchstat(const struct cover_block *b, bool may_tell,
			    FILE *out)
{
	print_head(b, out);
	fprintf(out, "  %-20s %10s        %10s        %9s %6s\n", "metric",
		"base", "new", "delta", "p");
	for (size_t i = 0; i < b->nr; i++)
		print_benchstat_line(&b->lines[i], may_tell, out);
}

/* ---- as mmtests prints it: gains are positive, rates have another mean ---- */

static double gain(const struct cover_line *l)
{
	const double change = l->is_rate && l->base.hmean > 0 ?
		(l->new.hmean / l->base.hmean - 1.0) * 100.0 : l->change;

	if (change > -0.005 && change < 0.005)
		return 0;
	return l->better < 0 ? -change : change;
}

static void print_mmtests_line(const struct cover_line *l, FILE *out)
{
	const bool sure = l->welch_p >= 0 && l->welch_p < COVER_ALPHA;
	char name[TEXT], base[TEXT], new[TEXT], change[TEXT];

	label(l, name);
	number(l, l->base.hmean, base);
	number(l, l->new.hmean, new);
	if (l->has_change)
		snprintf(change, sizeof(change), "%c%7.2f%%%c",
			 sure ? '*' : '(', gain(l), sure ? '*' : ')');
	else
		snprintf(change, sizeof(change), "(     new)");
	place_name(name, 18, out);
	fprintf(out, "  %-9s %-18s %10s (   0.00%%) %10s %s\n",
		l->is_rate ? "Hmean" : "Amean", name, base, new, change);
}

static void print_mmtests_dev(const struct cover_line *l, FILE *out)
{
	char name[TEXT];

	label(l, name);
	place_name(name, 18, out);
	fprintf(out, "  CoeffVar  %-18s %10.2f            %10.2f\n", name,
		l->base.dev, l->new.dev);
}

static void print_mmtests(const struct cover_block *b, FILE *out)
{
	print_head(b, out);
	fprintf(out, "  %-28s %10s            %10s\n", "", "base", "new");
	for (size_t i = 0; i < b->nr; i++)
		print_mmtests_line(&b->lines[i], out);
	for (size_t i = 0; i < b->nr; i++)
		print_mmtests_dev(&b->lines[i], out);
}

/* ---- as the kernel test robot prints it ---- */

static void lkp_value(const struct cover_line *l, const struct cover_side *s,
		      char *out)
{
	char text[TEXT], dev[TEXT] = "";

	number(l, s->mean, text);
	if (s->dev >= 0.5)
		snprintf(dev, sizeof(dev), "+-%3.0f%%", fmin(s->dev, 999));
	snprintf(out, 2 * TEXT, "%11s %-6s", text, dev);
}

static void print_lkp_line(const struct cover_line *l, FILE *out)
{
	char base[2 * TEXT], new[2 * TEXT], change[TEXT], name[TEXT];
	char line[7 * TEXT];
	size_t len;

	lkp_value(l, &l->base, base);
	lkp_value(l, &l->new, new);
	label(l, name);
	if (l->has_change)
		snprintf(change, sizeof(change), "%+.1f%%", l->change);
	else
		snprintf(change, sizeof(change), "new");
	snprintf(line, sizeof(line), "%s %9s %s  %s", base, change, new, name);
	len = strlen(line);
	while (len && line[len - 1] == ' ')
		line[--len] = '\0';
	fprintf(out, "%s\n", line);
}

static void print_lkp(const struct cover_block *b, FILE *out)
{
	print_head(b, out);
	fputs("               base                          new\n"
	      "------------------ ----------------------------\n"
	      "           %stddev   %change           %stddev\n"
	      "               \\        |                 \\\n", out);
	for (size_t i = 0; i < b->nr; i++)
		print_lkp_line(&b->lines[i], out);
}

/* ---- all ---- */

static void print_legend(const struct cover *c, FILE *out)
{
	static const char *const legends[] = {
		[COVER_TABLES] = "",
		[COVER_BENCHSTAT] = "+- is the standard deviation over seeds; "
			"p is of the Mann-Whitney test, ~ stands for no "
			"difference at 0.05.",
		[COVER_MMTESTS] = "A gain is positive, whichever way is "
			"better; *...* is significant at 0.05 by Welch's t "
			"test, (...) is not.",
		[COVER_LKP] = "",
	};
	const double least = stats_smallest_p(c->nr_seeds, c->nr_seeds);
	char text[400];

	fputc('\n', out);
	snprintf(text, sizeof(text), "%s%sBehind a name, + means that more is "
		 "better, - that less is.", legends[c->layout],
		 *legends[c->layout] ? " " : "");
	print_wrapped(text, 0, COVER_COLUMNS, true, out);
	if (*c->units)
		print_wrapped(c->units, 0, COVER_COLUMNS, true, out);
	if (c->layout == COVER_BENCHSTAT && !c->may_tell) {
		snprintf(text, sizeof(text), "With n = %zu no difference can "
			 "be significant (smallest p: %.3f): run more seeds.",
			 c->nr_seeds, least);
		print_wrapped(text, 0, COVER_COLUMNS, true, out);
	}
}

int cover_print(const void *ctx, FILE *out)
{
	const struct cover *c = ctx;

	print_legend(c, out);
	for (size_t i = 0; i < c->nr_blocks; i++)
		switch (c->layout) {
		case COVER_MMTESTS:
			print_mmtests(&c->blocks[i], out);
			break;
		case COVER_LKP:
			print_lkp(&c->blocks[i], out);
			break;
		default:
			print_benchstat(&c->blocks[i], c->may_tell, out);
			break;
		}
	return 0;
}
