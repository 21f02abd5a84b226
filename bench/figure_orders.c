/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Free memory by the order of its blocks over time, one picture a variant: what
 * /proc/buddyinfo shows, as a history.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bench/figure_internal.h"
#include "bench/store.h"
#include "include/types.h"

#define GIB_PAGES 262144.0

static bool has_orders(const struct series *s)
{
	for (size_t i = 0; i < s->nr; i++)
		for (unsigned int o = 0; o < NR_PAGE_ORDERS; o++)
			if (s->rows[i].free_blocks[o])
				return true;
	return false;
}

static double gib_of(const struct series_row *row, unsigned int first,
		     unsigned int last)
{
	double pages = 0;

	for (unsigned int o = first; o <= last; o++)
		pages += (double)(row->free_blocks[o] << o);
	return pages / GIB_PAGES;
}

static int write_orders(struct figure *f, const struct series *s,
			const char *name)
{
	char path[FIGURE_PATH_SIZE], why[4400] = "";
	struct store_file out;
	int err;

	snprintf(path, sizeof(path), "%.3900s/%s", f->dir, name);
	err = store_create_own(&out, path, why, sizeof(why));
	if (!err) {
		fputs("time_s", out.out);
		for (unsigned int o = 0; o < NR_PAGE_ORDERS; o++)
			fprintf(out.out, ",order%u_gib", o);
		fputc('\n', out.out);
		for (size_t i = 0; i < s->nr; i++) {
			fprintf(out.out, "%.9f",
				(double)s->rows[i].at_ns / 1e9);
			for (unsigned int o = 0; o < NR_PAGE_ORDERS; o++)
				fprintf(out.out, ",%.6f",
					gib_of(&s->rows[i], o, o));
			fputc('\n', out.out);
		}
		err = store_commit(&out, why, sizeof(why));
	}
	if (err)
		fprintf(f->messages, "error: %s\n", why);
	return err;
}

/* Twelve rows of time are enough for a mail. */
static void print_orders(struct figure *f, const struct series *s,
			 const char *text)
{
	figure_text_heading(f, text);
	fputs("  free GiB by order of its blocks\n"
	      "  seconds     0..3      4..6      7..8         9        10\n",
	      f->out);
	for (size_t k = 0; k < 12; k++) {
		const struct series_row *row = &s->rows[(s->nr - 1) * k / 11];

		fprintf(f->out, "  %7.1f %8.3f  %8.3f  %8.3f  %8.3f  %8.3f\n",
			(double)row->at_ns / 1e9, gib_of(row, 0, 3),
			gib_of(row, 4, 6), gib_of(row, 7, 8),
			gib_of(row, 9, 9), gib_of(row, 10, 10));
	}
	fputc('\n', f->out);
}

static int draw_orders(struct figure *f, const struct series *s,
		       const char *variant, const char *text)
{
	char name[FIGURE_NAME_SIZE], data[FIGURE_NAME_SIZE + 8];
	struct script script;
	int err;

	figure_file_name(name, sizeof(name), "orders", variant);
	snprintf(data, sizeof(data), "./%s.csv", name);
	err = write_orders(f, s, data);
	if (!err)
		err = script_begin(&script, f, name);
	if (err)
		return err;
	script_heading(&script, text);
	script_text(&script, "data", data);
	script_phases(&script, s->cell);
	return script_run(&script, "orders");
}

static int orders_of(struct figure *f, const char *variant)
{
	const struct result_cell *c = series_cell(f, variant);
	const char *text;
	struct series s;
	int err = c ? series_read(f, c, &s) : -ENODATA;

	if (err)
		return err;
	text = arena_printf(&f->a, "%s\n%s, free memory (%s)", c->experiment,
			    variant, series_caption(f, c));
	if (!text)
		err = -ENOMEM;
	else if (!has_orders(&s))
		err = -ENODATA;
	else if (f->terminal == FIGURE_DUMB)
		print_orders(f, &s, text);
	else
		err = draw_orders(f, &s, variant, text);
	series_free(&s);
	return err;
}

int figure_orders(struct figure *f)
{
	size_t drawn = 0;
	int err = 0;

	for (size_t i = 0; i < f->g.nr_variants && !err; i++) {
		err = orders_of(f, f->g.variants[i]);
		drawn += !err;
		if (err == -ENODATA)
			err = 0;
	}
	return err || drawn ? err : -ENODATA;
}
