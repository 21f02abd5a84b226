/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One number a cell, and figures of such numbers: memory held over time as an
 * integral, what it costs in throughput, throughput over tasks, and histograms.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "bench/figure_internal.h"
#include "bench/grid.h"
#include "bench/store.h"

#define GIB_PAGES 262144.0
#define TEXT_BAR 34

/* ---- numbers ---- */

/* A figure without a run that is there would be another figure. */
static void note_unread(struct figure *f, const struct result_cell *c, int err)
{
	char path[FIGURE_PATH_SIZE];

	if (err == -ENODATA || f->unread)
		return;
	f->unread = err;
	results_series_path(f->r, c, path, sizeof(path));
	if (err != -EBADMSG)
		fprintf(f->messages, "error: %s: cannot be read: %s\n", path,
			strerror(-err));
}

/* GiB x minutes that the host held, over the whole run; false: no series. */
static bool footprint_of(struct figure *f, const struct result_cell *c,
			 double *out)
{
	struct series s;
	double sum = 0;
	int err = series_read(f, c, &s);

	if (err) {
		note_unread(f, c, err);
		return false;
	}
	for (size_t i = 1; i < s.nr; i++)
		sum += (double)(s.rows[i].at_ns - s.rows[i - 1].at_ns) / 6e10 *
		       (double)(s.rows[i].host_rss_pages +
				s.rows[i - 1].host_rss_pages) / 2 / GIB_PAGES;
	series_free(&s);
	*out = sum;
	return s.nr > 1;
}

static bool rate_of(struct figure *f, const struct result_cell *c, double *out)
{
	(void)f;
	return result_metric(&c->values, "iterations_per_s", out) && *out > 0;
}

typedef bool (*number_fn)(struct figure *f, const struct result_cell *c,
			  double *out);

/* Over the seeds; false if any of them lacks it. */
static bool tally_slot(struct figure *f, const struct group_slot *s,
		       number_fn number, struct tally *t)
{
	double v;

	*t = (struct tally){ 0 };
	for (size_t i = 0; i < s->nr; i++) {
		if (!number(f, s->cells[i], &v))
			return false;
		tally_add(t, v);
	}
	return t->nr;
}

/* "page_fault1, tasks 16" */
static const char *where_text(struct figure *f, const struct group_row *row,
			      size_t group)
{
	const char *text = f->g.groups[group];

	for (size_t i = 0; i < f->g.nr_axes && text; i++)
		text = arena_printf(&f->a, "%s%s%s %s", text,
				    *text ? ", " : "", f->g.axis_labels[i],
				    row->axes[i]);
	return text ? text : "";
}

/* ---- footprint ---- */

/*
 * The bars in their order: workload by workload, and in each point by point, so
 * that all variants of a point stand together.
 */
struct held {
	const struct group_row *row;
	const char *where;
	struct tally t;
};

static void add_points(struct figure *f, const struct group_row *ref,
		      const struct group_row *const *refs, size_t group,
		      struct held *out, size_t *nr)
{
	for (size_t r = 0; r < f->g.nr_rows; r++) {
		struct held *h = &out[*nr];

		h->row = &f->g.rows[r];
		if (refs[r] == ref && tally_slot(f, &h->row->slots[group],
						 footprint_of, &h->t)) {
			h->where = where_text(f, h->row, group);
			(*nr)++;
		}
	}
}

static int all_held(struct figure *f, struct held **out, size_t *nr)
{
	const struct group_row **refs = arena_array(&f->a, f->g.nr_rows + 1,
						    sizeof(*refs));

	*nr = 0;
	*out = arena_array(&f->a, f->g.nr_rows * f->g.nr_groups + 1,
			   sizeof(**out));
	if (!refs || !*out)
		return -ENOMEM;
	for (size_t r = 0; r < f->g.nr_rows; r++)
		refs[r] = grouping_reference(&f->g, &f->g.rows[r]);
	for (size_t i = 0; i < f->g.nr_groups; i++)
		for (size_t r = 0; r < f->g.nr_rows; r++)
			if (refs[r] == &f->g.rows[r])
				add_points(f, refs[r], refs, i, *out, nr);
	return f->unread;
}

static void print_bar(struct figure *f, const char *name, double value,
		      double most)
{
	const int n = most > 0 ? (int)(value / most * TEXT_BAR + 0.5) : 0;
	char line[128];

	snprintf(line, sizeof(line), "%.24s", name);
	fprintf(f->out, "  %-24s %10.2f ", line, value);
	for (int i = 0; i < n; i++)
		fputc('#', f->out);
	fputc('\n', f->out);
}

static void print_footprint(struct figure *f, const struct held *h, size_t nr)
{
	double most = 0;

	for (size_t i = 0; i < nr; i++)
		if (tally_mean(&h[i].t) > most)
			most = tally_mean(&h[i].t);
	fputs("  GiB x minutes that the host held\n", f->out);
	for (size_t i = 0; i < nr; i++) {
		if (*h[i].where && (!i || strcmp(h[i].where, h[i - 1].where)))
			print_wrapped(h[i].where, 2, FIGURE_TEXT_COLUMNS,
				      true, f->out);
		print_bar(f, h[i].row->variant, tally_mean(&h[i].t), most);
	}
	fputc('\n', f->out);
}

/* Names in two lines where there is room for them side by side. */
#define WIDE_BARS 8

/* Lines "label, mean, low, high"; the labels are ticks, too. */
static int write_footprint(struct figure *f, const struct held *h, size_t nr,
			   const char **ticks)
{
	const char *gap = nr > WIDE_BARS ? ", " : "\n";
	struct store_file out;
	int err = figure_data_open(f, "footprint", &out), closed;

	if (err)
		return err;
	fputs("label,gib_minutes,low,high\n", out.out);
	for (size_t i = 0; i < nr; i++) {
		const char *variant = h[i].row->variant, *where = h[i].where;
		const char *name = arena_printf(&f->a, "%s%s%s", variant,
						*where ? ", " : "", where);

		ticks[i] = arena_printf(&f->a, "%s%s%s", variant,
					*where ? gap : "", where);
		if (!ticks[i] || !name)
			err = -ENOMEM;
		figure_data_word(out.out, name ? name : "");
		fprintf(out.out, ",%.6f,%.6f,%.6f\n", tally_mean(&h[i].t),
			h[i].t.min, h[i].t.max);
	}
	closed = figure_data_close(f, &out);
	return err ? err : closed;
}

static int begin(struct figure *f, struct script *s, const char *name,
		 const char *what)
{
	const char *text = arena_printf(&f->a, "%s\n%s, n = %zu%s",
					f->r->cells[0].experiment, what,
					f->g.nr_seeds, f->g.nr_seeds == 1 ?
					"" : " seeds");
	int err = text ? script_begin(s, f, name) : -ENOMEM;

	if (err)
		return err;
	script_heading(s, text);
	script_text(s, "data", arena_printf(&f->a, "./%s.csv", name));
	return 0;
}

int figure_footprint(struct figure *f)
{
	struct script script;
	const char **ticks;
	struct held *h;
	size_t nr;
	int err = all_held(f, &h, &nr);

	if (err || !nr)
		return err ? err : -ENODATA;
	if (f->terminal == FIGURE_DUMB) {
		print_footprint(f, h, nr);
		return 0;
	}
	ticks = arena_array(&f->a, nr, sizeof(*ticks));
	err = ticks ? write_footprint(f, h, nr, ticks) : -ENOMEM;
	if (!err)
		err = begin(f, &script, "footprint",
			    "Memory held by the host, integral over time");
	if (err)
		return err;
	script_ticks(&script, ticks, nr);
	script_number(&script, "nr", (double)nr);
	return script_run(&script, "footprint");
}

/* ---- trade-off ---- */

struct trade {
	const char *label;
	const char *shown;          /* names of all that lie here, or "" */
	double footprint, change;
	bool front;                 /* nothing is better in both */
};

static void find_front(struct trade *t, size_t nr)
{
	for (size_t i = 0; i < nr; i++) {
		t[i].front = true;
		for (size_t k = 0; k < nr; k++)
			if (t[k].footprint <= t[i].footprint &&
			    t[k].change >= t[i].change &&
			    (t[k].footprint < t[i].footprint ||
			     t[k].change > t[i].change))
				t[i].front = false;
	}
}

static int by_footprint(const void *a, const void *b)
{
	const struct trade *x = a, *y = b;

	return (x->footprint > y->footprint) - (x->footprint < y->footprint);
}

/* Every variant at one point of the experiment. */
static size_t trades_at(struct figure *f, const struct group_row *ref,
			size_t group, struct trade *out)
{
	struct tally base, rate, held;
	size_t nr = 0;

	if (!tally_slot(f, &ref->slots[group], rate_of, &base))
		return 0;
	for (size_t r = 0; r < f->g.nr_rows; r++) {
		const struct group_row *row = &f->g.rows[r];

		if (grouping_reference(&f->g, row) != ref ||
		    !tally_slot(f, &row->slots[group], rate_of, &rate) ||
		    !tally_slot(f, &row->slots[group], footprint_of, &held))
			continue;
		out[nr++] = (struct trade){
			.label = row->variant, .footprint = tally_mean(&held),
			.change = (tally_mean(&rate) / tally_mean(&base) -
				   1) * 100 };
	}
	find_front(out, nr);
	qsort(out, nr, sizeof(*out), by_footprint);
	return nr;
}

static bool on_top(const struct trade *a, const struct trade *b,
		   double width, double height)
{
	return fabs(a->footprint - b->footprint) <= width / 50 &&
	       fabs(a->change - b->change) <= height / 50;
}

/* Points that lie on one another share a label, at the first of them. */
static int name_points(struct figure *f, struct trade *t, size_t nr)
{
	const double width = t[nr - 1].footprint - t[0].footprint;
	double low = t[0].change, high = low;

	for (size_t i = 0; i < nr; i++) {
		low = fmin(low, t[i].change);
		high = fmax(high, t[i].change);
		t[i].shown = t[i].label;
	}
	for (size_t i = 0; i < nr; i++)
		for (size_t k = i + 1; *t[i].shown && k < nr; k++) {
			if (!*t[k].shown ||
			    !on_top(&t[i], &t[k], width, high - low))
				continue;
			t[i].shown = arena_printf(&f->a, "%s, %s", t[i].shown,
						  t[k].label);
			if (!t[i].shown)
				return -ENOMEM;
			t[k].shown = "";
		}
	return 0;
}

static void print_trades(struct figure *f, const struct trade *t, size_t nr,
			 const char *where)
{
	char name[64];

	fprintf(f->out, "  GiB x min  change  variant (* on the front%s%.24s)"
		"\n", *where ? "; " : "", where);
	for (size_t i = 0; i < nr; i++) {
		snprintf(name, sizeof(name), "%.40s", t[i].label);
		fprintf(f->out, "  %9.2f %+7.2f%% %c %s\n", t[i].footprint,
			t[i].change, t[i].front ? '*' : ' ', name);
	}
	fputc('\n', f->out);
}

static int draw_trades(struct figure *f, struct trade *t, size_t nr,
		       const char *where)
{
	char name[FIGURE_NAME_SIZE];
	struct store_file out;
	struct script script;
	int err;

	figure_file_name(name, sizeof(name), "tradeoff",
			 *where ? where : NULL);
	err = name_points(f, t, nr);
	if (!err)
		err = figure_data_open(f, name, &out);
	if (err)
		return err;
	fputs("footprint_gib_min,change_percent,front,label,shown\n",
	      out.out);
	for (size_t i = 0; i < nr; i++) {
		fprintf(out.out, "%.6f,%.6f,%d,", t[i].footprint, t[i].change,
			t[i].front);
		figure_data_word(out.out, t[i].label);
		fputc(',', out.out);
		figure_data_word(out.out, t[i].shown);
		fputc('\n', out.out);
	}
	err = figure_data_close(f, &out);
	if (!err)
		err = begin(f, &script, name, *where ? where :
			    "Memory against throughput");
	if (err)
		return err;
	script_text(&script, "subject",
		    arena_printf(&f->a, "throughput against %s [%%]",
				 f->g.variants[0]));
	return script_run(&script, "tradeoff");
}

int figure_tradeoff(struct figure *f)
{
	struct trade *t = arena_array(&f->a, f->g.nr_rows + 1, sizeof(*t));
	size_t drawn = 0, nr;
	int err = t ? 0 : -ENOMEM;

	for (size_t i = 0; i < f->g.nr_groups; i++)
		for (size_t r = 0; r < f->g.nr_rows && !err; r++) {
			const struct group_row *row = &f->g.rows[r];
			const char *where = where_text(f, row, i);

			if (grouping_reference(&f->g, row) != row)
				continue;
			nr = trades_at(f, row, i, t);
			err = f->unread;
			if (err || nr < 2)
				continue;
			drawn++;
			if (f->terminal == FIGURE_DUMB)
				print_trades(f, t, nr, where);
			else
				err = draw_trades(f, t, nr, where);
		}
	return err || drawn ? err : -ENODATA;
}
