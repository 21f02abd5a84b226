/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Figures and options for a page of HTML. */
#include "bench/html_parts.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "bench/figure.h"

#define MAX_PICTURES 200

/* ---- figures ---- */

/* "out/x/figures/memory-enabled.svg" to "memory-enabled" */
static const char *picture_name(const char *path, struct arena *a)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;
	const char *dot = strrchr(name, '.');

	return arena_strndup(a, name, dot ? (size_t)(dot - name) :
					    strlen(name));
}

/* Names of folders may hold line breaks. */
static int read_paths(struct page *p, FILE *f, struct arena *a)
{
	struct page_picture *all = arena_array(a, MAX_PICTURES, sizeof(*all));
	char *path = NULL;
	size_t room = 0;
	int err = all ? 0 : -ENOMEM;

	p->pictures = all;
	while (!err && p->nr_pictures < MAX_PICTURES &&
	       getdelim(&path, &room, '\0', f) > 0) {
		struct page_picture *to = &all[p->nr_pictures++];

		to->path = arena_strdup(a, path);
		to->name = to->path ? picture_name(to->path, a) : NULL;
		err = to->name ? 0 : -ENOMEM;
	}
	if (!err && p->nr_pictures < MAX_PICTURES && !feof(f))
		err = ferror(f) ? -EIO : -ENOMEM;
	free(path);
	return err;
}

/*
 * A page without pictures is better than none where there is nothing to draw,
 * or nothing to draw with, or where the folder is somebody else's. ECHILD:
 * what draws failed; EBADMSG: a series is damaged.
 */
static bool may_go_without(int err)
{
	return err == -ENODATA || err == -ENOENT || err == -ECHILD ||
	       err == -EBADMSG || err == -EACCES || err == -EPERM || err == -EROFS;
}

static int add_pictures(struct page *p, const struct results *r,
			struct arena *a)
{
	const struct figure_request req = { .terminal = FIGURE_SVG,
					    .zero_ended = true };
	FILE *paths = tmpfile();
	int err;

	if (!paths)
		return -errno;
	err = figure_plot(r, &req, paths, stderr);
	if (!err && (fflush(paths) || fseek(paths, 0, SEEK_SET)))
		err = errno == ENOENT ? -EIO : -errno;
	else if (!err)
		err = read_paths(p, paths, a);
	else if (may_go_without(err))
		err = 0;
	fclose(paths);
	return err;
}

/* ---- options ---- */

static bool is_new(const struct result_cell *const *cells, size_t nr,
		   const char *name, const char *value)
{
	for (size_t i = 0; i < nr; i++) {
		const char *had = result_option(cells[i], name);

		if (had && !strcmp(had, value))
			return false;
	}
	return true;
}

/* The values that a variant's cells have, in order, with commas. */
static const char *variant_values(const struct results *r, const char *variant,
				  const char *name, struct arena *a)
{
	const struct result_cell **seen =
		arena_array(a, r->nr_cells, sizeof(*seen));
	const char *text = "";
	size_t nr = 0;

	for (size_t i = 0; seen && text && i < r->nr_cells; i++) {
		const struct result_cell *c = &r->cells[i];
		const char *value = result_option(c, name);

		if (strcmp(c->variant, variant) != 0 || !value)
			continue;
		if (is_new(seen, nr, name, value))
			text = arena_printf(a, "%s%s%s", text, nr ? "," : "",
					    value);
		seen[nr++] = c;
	}
	return seen && text ? (nr ? text : "-") : NULL;
}

static bool variant_is_first(const struct results *r, size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (!strcmp(r->cells[k].variant, r->cells[i].variant))
			return false;
	return true;
}

/* One text if all variants agree, else "variant: values; variant: values". */
static const char *option_values(const struct results *r, const char *name,
				 struct arena *a)
{
	const char *all = "", *first = NULL;
	bool same = true;

	for (size_t i = 0; i < r->nr_cells && all; i++) {
		const char *variant = r->cells[i].variant, *values;

		if (!variant_is_first(r, i))
			continue;
		values = variant_values(r, variant, name, a);
		if (!values)
			return NULL;
		same = same && (!first || !strcmp(first, values));
		all = arena_printf(a, "%s%s%s: %s", all, first ? "; " : "",
				   variant, values);
		first = first ? first : values;
	}
	return same ? first : all;
}

static int by_name(const void *a, const void *b)
{
	const struct page_option *x = a, *y = b;

	return strcmp(x->name, y->name);
}

static int add_options(struct page *p, const struct results *r,
		       struct arena *a)
{
	struct page_option *all;
	size_t max = 0, nr = 0;

	for (size_t i = 0; i < r->nr_cells; i++)
		max += variant_is_first(r, i) ? r->cells[i].nr_options : 0;
	all = arena_array(a, max + 1, sizeof(*all));
	if (!all)
		return -ENOMEM;
	for (size_t i = 0; i < r->nr_cells; i++)
		for (size_t k = 0; variant_is_first(r, i) &&
				   k < r->cells[i].nr_options; k++)
			all[nr++].name = r->cells[i].options[k].name;
	qsort(all, nr, sizeof(*all), by_name);
	for (size_t i = 0; i < nr; i++) {
		if (i && !strcmp(all[i].name, all[i - 1].name))
			continue;
		all[p->nr_options].name = all[i].name;
		all[p->nr_options].value = option_values(r, all[i].name, a);
		if (!all[p->nr_options++].value)
			return -ENOMEM;
	}
	p->options = all;
	return 0;
}

int page_add_html(struct page *p, const struct results *r, struct arena *a)
{
	int err = add_pictures(p, r, a);

	if (!err && !p->nr_pictures)
		p->intro[PAGE_MAX_LINES - 1] = "There are no figures: gnuplot "
			"was not there when this page was made, or the results "
			"have no series.";
	return err ? err : add_options(p, r, a);
}
