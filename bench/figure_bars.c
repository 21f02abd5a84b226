/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Throughput against the reference variant, as bars. A dumb terminal of gnuplot
 * draws outlines only, so text has bars of its own:
 *
 *       enabled            -0.32 %          ##|
 *       enabled+shuffle    -1.28 %   #########|
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bench/figure_internal.h"
#include "bench/store.h"

#define BAR_COLUMNS 34
#define NAME_COLUMNS 26

/* Change of one variant at one point, in percent. */
struct bar {
	bool present;
	double mean, low, high;
};

static bool rate_of(const struct group_slot *s, struct tally *t)
{
	double v;

	*t = (struct tally){ 0 };
	for (size_t i = 0; i < s->nr; i++)
		if (result_metric(&s->cells[i]->values, "iterations_per_s",
				  &v))
			tally_add(t, v);
	return t->nr && t->sum > 0;
}

static double percent(double value, double base)
{
	return (value / base - 1.0) * 100.0;
}

static struct bar bar_of(const struct group_slot *ref,
			 const struct group_slot *s)
{
	struct tally base, t;
	double mean;

	if (!rate_of(ref, &base) || !rate_of(s, &t))
		return (struct bar){ false, 0, 0, 0 };
	mean = tally_mean(&base);
	return (struct bar){ true, percent(tally_mean(&t), mean),
			     percent(t.min, mean), percent(t.max, mean) };
}

/* The row of a variant with the axes of a row of the reference. */
static const struct group_row *row_like(const struct grouping *g,
					const struct group_row *ref,
					const char *variant)
{
	size_t i, k;

	for (i = 0; i < g->nr_rows; i++) {
		if (strcmp(g->rows[i].variant, variant) != 0)
			continue;
		for (k = 0; k < g->nr_axes; k++)
			if (strcmp(g->rows[i].axes[k], ref->axes[k]) != 0)
				break;
		if (k == g->nr_axes)
			return &g->rows[i];
	}
	return NULL;
}

static struct bar bar_at(const struct grouping *g, const struct group_row *ref,
			 size_t group, const char *variant)
{
	const struct group_row *row = row_like(g, ref, variant);

	if (!row)
		return (struct bar){ false, 0, 0, 0 };
	return bar_of(&ref->slots[group], &row->slots[group]);
}

/* "page_fault1, tasks 16" */
static const char *point_name(struct figure *f, const struct group_row *row,
			      size_t group, const char *between)
{
	const char *text = f->g.groups[group];

	for (size_t i = 0; i < f->g.nr_axes && text; i++)
		text = arena_printf(&f->a, "%s%s%s %s", text,
				    *text ? between : "", f->g.axis_labels[i],
				    row->axes[i]);
	return text && *text ? text : "all";
}

/* Every point of the experiment: rows of the reference, by workload. */
typedef int (*point_fn)(struct figure *f, const struct group_row *ref,
			size_t group, void *ctx);

static int each_point(struct figure *f, point_fn fn, void *ctx)
{
	const struct grouping *g = &f->g;
	int err = 0;

	for (size_t k = 0; k < g->nr_groups && !err; k++)
		for (size_t i = 0; i < g->nr_rows && !err; i++)
			if (!strcmp(g->rows[i].variant, g->variants[0]))
				err = fn(f, &g->rows[i], k, ctx);
	return err;
}

/* ---- text ---- */

static double size_of(double v)
{
	return v < 0 ? -v : v;
}

/* Columns to the left of the axis, to its right, and their worth. */
struct scale {
	double low, high;
	size_t left, right;
};

static int widen(struct figure *f, const struct group_row *ref, size_t group,
		 void *ctx)
{
	struct scale *s = ctx;

	for (size_t v = 1; v < f->g.nr_variants; v++) {
		const struct bar b = bar_at(&f->g, ref, group,
					    f->g.variants[v]);

		if (b.present && b.mean < s->low)
			s->low = b.mean;
		if (b.present && b.mean > s->high)
			s->high = b.mean;
	}
	return 0;
}

static void scale_finish(struct scale *s)
{
	const double span = s->high - s->low;

	if (span <= 0)
		return;
	s->left = (size_t)(-s->low / span * BAR_COLUMNS + 0.5);
	s->right = BAR_COLUMNS - s->left;
}

static size_t bar_length(const struct scale *s, double value)
{
	const double span = s->high - s->low;

	return span > 0 ? (size_t)(size_of(value) / span * BAR_COLUMNS + 0.5) :
			  0;
}

/* What is printed as zero has no sign. */
static double without_sign(double v)
{
	return v > -0.005 && v < 0.005 ? 0.0 : v;
}

static void print_bar(FILE *out, const struct scale *s, const char *name,
		      const struct bar *b)
{
	const size_t len = bar_length(s, b->mean);
	const size_t blanks = b->mean < 0 && len < s->left ? s->left - len :
			      b->mean < 0 ? 0 : s->left;

	fprintf(out, "  %-*.*s %+7.2f %% ", NAME_COLUMNS, NAME_COLUMNS, name,
		without_sign(b->mean));
	for (size_t i = 0; i < blanks; i++)
		fputc(' ', out);
	if (b->mean < 0)
		for (size_t i = 0; i < len && i < s->left; i++)
			fputc('#', out);
	fputc('|', out);
	if (b->mean > 0)
		for (size_t i = 0; i < len && i < s->right; i++)
			fputc('#', out);
	fputc('\n', out);
}

static int print_point(struct figure *f, const struct group_row *ref,
		       size_t group, void *ctx)
{
	const char *name = point_name(f, ref, group, ", ");

	fprintf(f->out, "\n%s\n", name);
	for (size_t v = 1; v < f->g.nr_variants; v++) {
		const struct bar b = bar_at(&f->g, ref, group,
					    f->g.variants[v]);

		if (b.present)
			print_bar(f->out, ctx, f->g.variants[v], &b);
		else
			fprintf(f->out, "  %-*.*s       -\n", NAME_COLUMNS,
				NAME_COLUMNS, f->g.variants[v]);
	}
	return 0;
}

/* Through the same rules as what gnuplot prints. */
static int print_text(struct figure *f)
{
	FILE *out = f->out;
	char *text = NULL;
	size_t len = 0;
	struct scale s = { 0 };
	int err;

	f->out = open_memstream(&text, &len);
	if (!f->out) {
		f->out = out;
		return -ENOMEM;
	}
	fprintf(f->out, "Iterations per second against %s, higher is better, "
		"mean of n = %zu\n", f->g.variants[0], f->g.nr_seeds);
	each_point(f, widen, &s);
	scale_finish(&s);
	err = each_point(f, print_point, &s);
	if (fclose(f->out) && !err)
		err = -ENOMEM;
	f->out = out;
	if (!err) {
		figure_clean_text(text, len, out);
		fputc('\n', out);
	}
	free(text);
	return err;
}

/* ---- gnuplot ---- */

static int write_point(struct figure *f, const struct group_row *ref,
		       size_t group, void *ctx)
{
	FILE *out = ctx;

	figure_data_word(out, point_name(f, ref, group, ", "));
	for (size_t v = 1; v < f->g.nr_variants; v++) {
		const struct bar b = bar_at(&f->g, ref, group,
					    f->g.variants[v]);

		if (b.present)
			fprintf(out, ",%.6f,%.6f,%.6f", b.mean, b.low,
				b.high);
		else
			fputs(",,,", out);
	}
	fputc('\n', out);
	return 0;
}

static int write_data(struct figure *f)
{
	struct store_file file;
	int err = figure_data_open(f, "throughput", &file);

	if (err)
		return err;
	fputs("point", file.out);
	for (size_t v = 1; v < f->g.nr_variants; v++) {
		fputc(',', file.out);
		figure_data_word(file.out, f->g.variants[v]);
		fputs(",low,high", file.out);
	}
	fputc('\n', file.out);
	each_point(f, write_point, file.out);
	return figure_data_close(f, &file);
}

struct ticks {
	const char **labels;
	size_t nr;
};

static int put_tick(struct figure *f, const struct group_row *ref,
		    size_t group, void *ctx)
{
	struct ticks *t = ctx;

	t->labels[t->nr++] = point_name(f, ref, group, "\n");
	return 0;
}

static int count_point(struct figure *f, const struct group_row *ref,
		       size_t group, void *ctx)
{
	size_t *nr = ctx;

	for (size_t v = 1; v < f->g.nr_variants; v++)
		*nr += bar_at(&f->g, ref, group, f->g.variants[v]).present;
	return 0;
}

int figure_throughput(struct figure *f)
{
	const char *text;
	struct ticks ticks = { 0 };
	struct script script;
	size_t nr = 0;
	int err;

	each_point(f, count_point, &nr);
	if (!nr)
		return -ENODATA;
	if (f->terminal == FIGURE_DUMB)
		return print_text(f);
	ticks.labels = arena_array(&f->a, f->g.nr_rows * f->g.nr_groups + 1,
				   sizeof(*ticks.labels));
	err = ticks.labels ? write_data(f) : -ENOMEM;
	if (!err)
		err = script_begin(&script, f, "throughput");
	if (err)
		return err;
	text = arena_printf(&f->a, "%s\nIterations per second, n = %zu%s",
			    f->r->cells[0].experiment, f->g.nr_seeds,
			    f->g.nr_seeds == 1 ? "" : " seeds");
	script_heading(&script, text ? text : "");
	text = arena_printf(&f->a, "change against %s [%%]",
			    f->g.variants[0]);
	script_text(&script, "subject", text ? text : "");
	script_text(&script, "data", "./throughput.csv");
	script_number(&script, "nr", (double)(f->g.nr_variants - 1));
	each_point(f, put_tick, &ticks);
	script_ticks(&script, ticks.labels, ticks.nr);
	return script_run(&script, "throughput");
}

/* ---- text for a mail ---- */

static bool is_blank_line(const char *line, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (line[i] != ' ' && line[i] != '\f' && line[i] != '\r' &&
		    line[i] != '\t')
			return false;
	return true;
}

static void print_clean(const char *line, size_t len, FILE *out)
{
	char text[FIGURE_TEXT_COLUMNS + 1];
	size_t n = 0;

	for (size_t i = 0; i < len && n < FIGURE_TEXT_COLUMNS; i++) {
		const unsigned char c = (unsigned char)line[i];

		if (c == '\f' || c == '\r' || (c & 0xc0) == 0x80)
			continue;
		text[n++] = c == '\t' ? ' ' : c < ' ' || c > '~' ? '?' :
			    (char)c;
	}
	while (n && text[n - 1] == ' ')
		n--;
	fwrite(text, 1, n, out);
	fputc('\n', out);
}

void figure_clean_text(const char *text, size_t len, FILE *out)
{
	size_t blank = 0;
	bool begun = false;

	while (len) {
		const char *end = memchr(text, '\n', len);
		const size_t n = end ? (size_t)(end - text) : len;

		if (is_blank_line(text, n)) {
			blank++;
		} else {
			for (; begun && blank; blank--)
				fputc('\n', out);
			blank = 0;
			begun = true;
			print_clean(text, n, out);
		}
		text += n + (end ? 1 : 0);
		len -= n + (end ? 1 : 0);
	}
}
