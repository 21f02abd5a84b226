/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Samples over virtual time: which cell, read them, write them as plotted. */
#define _GNU_SOURCE
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "bench/figure_internal.h"
#include "bench/store.h"
#include "include/option.h"

#define MAX_FIELDS 2048
#define MAX_ROWS 10000000
#define PAGES_PER_GIB 262144.0

/* Fields of struct series_row by their names in the file. */
static const struct {
	const char *name;
	size_t offset;
} fields[] = {
	{ "at_ns", offsetof(struct series_row, at_ns) },
	{ "guest_free_pages", offsetof(struct series_row, guest_free_pages) },
	{ "guest_used_pages", offsetof(struct series_row, guest_used_pages) },
	{ "host_rss_pages", offsetof(struct series_row, host_rss_pages) },
#define ORDER(o) \
	{ "free_order" #o, offsetof(struct series_row, free_blocks[o]) }
	ORDER(0), ORDER(1), ORDER(2), ORDER(3), ORDER(4), ORDER(5), ORDER(6),
	ORDER(7), ORDER(8), ORDER(9), ORDER(10),
};

/* The first of these must be in every file. */
#define NR_REQUIRED 4


struct reader {
	struct figure *f;
	struct diag d;
	struct diag_place at;
	int column[MAX_FIELDS];  /* field of each column, -1 = not used */
	size_t nr_columns;
};

static int field_named(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
		if (!strcmp(fields[i].name, name))
			return (int)i;
	return -1;
}

static int read_header(struct reader *r, char *line)
{
	size_t found = 0;
	char *word;

	while ((word = strsep(&line, ",")) && r->nr_columns < MAX_FIELDS) {
		const int field = field_named(word);

		r->column[r->nr_columns++] = field;
		found += field >= 0 && field < NR_REQUIRED;
	}
	if (found == NR_REQUIRED)
		return 0;
	diag_error(&r->d, r->at, "the first line does not name at_ns, "
		   "guest_free_pages, guest_used_pages and host_rss_pages");
	return -EBADMSG;
}

static int read_row(struct reader *r, char *line, struct series_row *row)
{
	size_t i = 0;
	char *word;

	*row = (struct series_row){ 0 };
	while ((word = strsep(&line, ",")) && i < r->nr_columns) {
		const int field = r->column[i++];

		if (field < 0)
			continue;
		if (parse_u64(word, (uint64_t *)((char *)row +
						 fields[field].offset))) {
			diag_error(&r->d, r->at, "'%.40s' is not a count",
				   word);
			return -EBADMSG;
		}
	}
	if (i == r->nr_columns && !word)
		return 0;
	diag_error(&r->d, r->at, "a line needs %zu numbers", r->nr_columns);
	return -EBADMSG;
}

static int grow(struct series *s, size_t *capacity)
{
	struct series_row *rows;

	if (s->nr < *capacity)
		return 0;
	*capacity = *capacity * 2 + 256;
	rows = *capacity > MAX_ROWS ? NULL :
	       realloc(s->rows, *capacity * sizeof(*rows));
	if (!rows)
		return -ENOMEM;
	s->rows = rows;
	return 0;
}

static int read_rows(struct reader *r, FILE *in, struct series *s)
{
	size_t size = 0, capacity = 0;
	char *line = NULL;
	int err = 0;

	while (!err && getline(&line, &size, in) >= 0) {
		r->at.line++;
		line[strcspn(line, "\r\n")] = '\0';
		if (r->at.line == 1) {
			err = read_header(r, line);
			continue;
		}
		err = grow(s, &capacity);
		if (!err)
			err = read_row(r, line, &s->rows[s->nr]);
		s->nr += !err;
	}
	free(line);
	return err;
}

int series_read(struct figure *f, const struct result_cell *c,
		struct series *out)
{
	struct reader r = { .f = f, .d = { .out = f->messages } };
	char path[FIGURE_PATH_SIZE];
	FILE *in;
	int err;

	*out = (struct series){ .cell = c };
	results_series_path(f->r, c, path, sizeof(path));
	r.at.file = path;
	in = fopen(path, "re");
	if (!in)
		return errno == ENOENT ? -ENODATA : -errno;
	err = read_rows(&r, in, out);
	if (!err && ferror(in))
		err = -EIO;
	fclose(in);
	if (!err && !out->nr)
		err = -ENODATA;
	if (err) {
		free(out->rows);
		out->rows = NULL;
	}
	return err;
}

int series_write(struct figure *f, const struct series *s)
{
	char path[FIGURE_PATH_SIZE], why[4400] = "";
	struct store_file file;
	int err;

	snprintf(path, sizeof(path), "%.3900s/%s", f->dir, s->file);
	err = store_create(&file, path, why, sizeof(why));
	if (!err) {
		fputs("time_s,guest_free_gib,guest_used_gib,"
		      "host_resident_gib\n", file.out);
		for (size_t i = 0; i < s->nr; i++)
			fprintf(file.out, "%.9f,%.6f,%.6f,%.6f\n",
				(double)s->rows[i].at_ns / 1e9,
				(double)s->rows[i].guest_free_pages /
					PAGES_PER_GIB,
				(double)s->rows[i].guest_used_pages /
					PAGES_PER_GIB,
				(double)s->rows[i].host_rss_pages /
					PAGES_PER_GIB);
		err = store_commit(&file, why, sizeof(why));
	}
	if (err)
		fprintf(f->messages, "error: %s\n", why);
	return err;
}

const struct result_cell *series_cell(const struct figure *f,
				      const char *variant)
{
	const struct result_cell *found = NULL;

	for (size_t i = 0; i < f->g.nr_rows; i++)
		if (!strcmp(f->g.rows[i].variant, variant) &&
		    f->g.rows[i].slots[0].nr)
			found = f->g.rows[i].slots[0].cells[0];
	return found;
}

const char *series_caption(struct figure *f, const struct result_cell *c)
{
	const struct grouping *g = &f->g;
	const char *text = g->group_axis ? result_axis(c, g->group_axis) : "";

	for (size_t i = 0; i < g->nr_axes && text; i++) {
		const char *value = result_axis(c, g->axes[i]);

		text = arena_printf(&f->a, "%s%s%s %s", text,
				    *text ? ", " : "", g->axis_labels[i],
				    value ? value : "");
	}
	if (text)
		text = arena_printf(&f->a, "%s%sseed %" PRIu64, text,
				    *text ? ", " : "", c->seed);
	return text ? text : "";
}

void figure_file_name(char *out, size_t size, const char *name,
		      const char *variant)
{
	size_t i;

	snprintf(out, size, "%s%s%s", name, variant ? "-" : "",
		 variant ? variant : "");
	for (i = strlen(name); out[i]; i++)
		if (!isalnum((unsigned char)out[i]) && !strchr("+-_.", out[i]))
			out[i] = '_';
}
