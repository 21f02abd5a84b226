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
#include "include/input.h"
#include "include/option.h"

#define MAX_COLUMNS 2048
#define MAX_LINE 65536
#define MAX_ROWS 10000000
#define PAGES_PER_GIB 262144.0

/* Fields of struct series_row by their names in the file. */
static const struct {
	const char *name;
	size_t offset;
	bool needed;
} fields[] = {
	{ "at_ns", offsetof(struct series_row, at_ns), true },
	{ "guest_free_pages", offsetof(struct series_row, guest_free_pages),
	  true },
	{ "guest_used_pages", offsetof(struct series_row, guest_used_pages),
	  true },
	{ "host_rss_pages", offsetof(struct series_row, host_rss_pages),
	  true },
	{ "host_free_pages", offsetof(struct series_row, host_free_pages),
	  false },
	{ "host_anon_huge_pages",
	  offsetof(struct series_row, host_anon_huge_pages), false },
	{ "balloon_pages", offsetof(struct series_row, balloon_pages), false },
	{ "balloon_target_pages",
	  offsetof(struct series_row, balloon_target_pages), false },
#define ORDER(o) \
	{ "free_order" #o, offsetof(struct series_row, free_blocks[o]), false }
	ORDER(0), ORDER(1), ORDER(2), ORDER(3), ORDER(4), ORDER(5), ORDER(6),
	ORDER(7), ORDER(8), ORDER(9), ORDER(10),
#undef ORDER
};

/* What a column of the file is: a field, a guest's resident pages, neither. */
enum { COLUMN_NONE = -1, COLUMN_GUEST = 1000 };

struct reader {
	struct figure *f;
	struct diag d;
	struct diag_place at;
	int column[MAX_COLUMNS];
	size_t nr_columns;
	unsigned int nr_guests;
};

/* "guest12_rss_pages": the columns of guests are in their order. */
static bool is_guest_rss(const char *name, unsigned int nr)
{
	char want[48];

	snprintf(want, sizeof(want), "guest%u_rss_pages", nr);
	return nr <= SERIES_MAX_GUESTS && !strcmp(name, want);
}

static int column_named(struct reader *r, const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
		if (!strcmp(fields[i].name, name))
			return (int)i;
	if (is_guest_rss(name, r->nr_guests + 1))
		return COLUMN_GUEST + (int)r->nr_guests++;
	return COLUMN_NONE;
}

static int read_header(struct reader *r, char *line)
{
	bool found[ARRAY_SIZE(fields)] = { false };
	bool all = true;
	char *word;

	while ((word = strsep(&line, ",")) && r->nr_columns < MAX_COLUMNS) {
		const int column = column_named(r, word);

		r->column[r->nr_columns++] = column;
		if (column >= 0 && column < COLUMN_GUEST)
			found[column] = true;
	}
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
		all &= found[i] || !fields[i].needed;
	if (all)
		return 0;
	diag_error(&r->d, r->at, "the first line does not name at_ns, "
		   "guest_free_pages, guest_used_pages and host_rss_pages");
	return -EBADMSG;
}

/* Where the number of this column goes; NULL: nowhere. */
static uint64_t *target_of(const struct reader *r, size_t i, struct series *s)
{
	const int column = r->column[i];

	if (column == COLUMN_NONE)
		return NULL;
	if (column >= COLUMN_GUEST)
		return &s->guest_rss[s->nr * r->nr_guests +
				     (size_t)(column - COLUMN_GUEST)];
	return (uint64_t *)((char *)&s->rows[s->nr] + fields[column].offset);
}

static int read_row(struct reader *r, char *line, struct series *s)
{
	size_t i = 0;
	char *word;

	s->rows[s->nr] = (struct series_row){ 0 };
	while ((word = strsep(&line, ",")) && i < r->nr_columns) {
		uint64_t *to = target_of(r, i++, s);

		if (to && parse_u64(word, to)) {
			diag_error(&r->d, r->at, "'%.40s' is not a count",
				   word);
			return -EBADMSG;
		}
	}
	if (i != r->nr_columns || word) {
		diag_error(&r->d, r->at, "a line needs %zu numbers",
			   r->nr_columns);
		return -EBADMSG;
	}
	for (unsigned int g = s->nr_seen; g < r->nr_guests; g++)
		if (s->guest_rss[s->nr * r->nr_guests + g])
			s->nr_seen = g + 1;
	s->has_balloon |= s->rows[s->nr].balloon_pages ||
			  s->rows[s->nr].balloon_target_pages;
	return 0;
}

static int grow(const struct reader *r, struct series *s, size_t *capacity)
{
	struct series_row *rows;
	uint64_t *guests;

	if (s->nr < *capacity)
		return 0;
	*capacity = *capacity * 2 + 256;
	rows = *capacity > MAX_ROWS ? NULL :
	       realloc(s->rows, *capacity * sizeof(*rows));
	if (!rows)
		return -ENOMEM;
	s->rows = rows;
	if (!r->nr_guests)
		return 0;
	guests = realloc(s->guest_rss, *capacity * r->nr_guests *
			 sizeof(*guests));
	if (!guests)
		return -ENOMEM;
	s->guest_rss = guests;
	return 0;
}

static int read_rows(struct reader *r, FILE *in, struct series *s)
{
	size_t size = 0, capacity = 0;
	char *line = NULL;
	ssize_t len;
	int err = 0;

	while (!err && (len = input_line(&line, &size, MAX_LINE, in)) != 0) {
		if (len < 0) {
			err = -ENOMEM;
			break;
		}
		r->at.line++;
		if (len > MAX_LINE) {
			diag_error(&r->d, r->at, "line is longer than %d bytes",
				   MAX_LINE);
			err = -EBADMSG;
			break;
		}
		line[strcspn(line, "\r\n")] = '\0';
		if (r->at.line == 1) {
			err = read_header(r, line);
			continue;
		}
		err = grow(r, s, &capacity);
		if (!err)
			err = read_row(r, line, s);
		s->nr += !err;
	}
	free(line);
	return err;
}

void series_free(struct series *s)
{
	free(s->rows);
	free(s->guest_rss);
	s->rows = NULL;
	s->guest_rss = NULL;
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
	in = input_stream(path, 0);
	if (!in)
		return errno == ENOENT ? -ENODATA : -errno;
	err = read_rows(&r, in, out);
	if (!err && ferror(in))
		err = -EIO;
	fclose(in);
	if (!err && !out->nr)
		err = -ENODATA;
	out->nr_guests = r.nr_guests;
	if (err)
		series_free(out);
	return err;
}

static void put_gib(uint64_t pages, FILE *out)
{
	fprintf(out, ",%.6f", (double)pages / PAGES_PER_GIB);
}

/* Guests lie on top of each other: each column is a sum. */
static void write_row(const struct series *s, size_t i, FILE *out)
{
	const struct series_row *row = &s->rows[i];
	uint64_t sum = 0;

	fprintf(out, "%.9f", (double)row->at_ns / 1e9);
	put_gib(row->guest_free_pages, out);
	put_gib(row->guest_used_pages, out);
	put_gib(row->host_rss_pages, out);
	put_gib(row->host_free_pages, out);
	put_gib(row->host_anon_huge_pages, out);
	put_gib(row->balloon_pages, out);
	put_gib(row->balloon_target_pages, out);
	for (unsigned int g = 0; g < s->nr_guests; g++) {
		sum += s->guest_rss[i * s->nr_guests + g];
		put_gib(sum, out);
	}
	fputc('\n', out);
}

int series_write(struct figure *f, const struct series *s)
{
	char path[FIGURE_PATH_SIZE], why[4400] = "";
	struct store_file file;
	int err;

	snprintf(path, sizeof(path), "%.3900s/%s", f->dir, s->file);
	err = store_create_own(&file, path, why, sizeof(why));
	if (!err) {
		fputs("time_s,guest_free_gib,guest_used_gib,"
		      "host_resident_gib,host_free_gib,host_huge_gib,"
		      "balloon_gib,balloon_target_gib", file.out);
		for (unsigned int g = 1; g <= s->nr_guests; g++)
			fprintf(file.out, ",guests_1_to_%u_resident_gib", g);
		fputc('\n', file.out);
		for (size_t i = 0; i < s->nr; i++)
			write_row(s, i, file.out);
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
