/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A table before it has a shape: keys, groups of columns, numbers. Each output
 * format is one function over it. A group is as wide as its columns, so a
 * narrow page takes the groups one after another.
 */
#ifndef BENCH_GRID_H
#define BENCH_GRID_H

#include <jansson.h>
#include <stdio.h>

#include "bench/arena.h"
#include "bench/table.h"

struct grid_value {
	bool present;
	double mean, min, max;      /* over the cells it stands for */
};

struct grid_column {
	const char *label;          /* "iterations/s" */
	const char *name;           /* in data: "iterations_per_s" */
	const char *unit;           /* "1/s" */
	const char *suffix;         /* printed behind the number, "%" */
	int decimals;
	bool sign;                  /* print + too */
	bool range;                 /* print min..max where they differ */
	bool wide_only;             /* left out of a cover letter */
};

struct grid_row {
	const char **keys;          /* [nr_keys] */
	struct grid_value *values;  /* [nr_groups * nr_columns] */
};

struct grid {
	const char *name;           /* in data: "throughput" */
	const char *title;          /* with the direction of better */
	const char *note;           /* under the title, or NULL */
	const char **keys;          /* labels: "variant", "tasks" */
	const char **key_names;     /* in data: "phase.measure.tasks" */
	size_t nr_keys;
	const char *const *groups;  /* labels; "" prints no heading */
	size_t nr_groups;
	const struct grid_column *columns;
	size_t nr_columns;
	struct grid_row *rows;
	size_t nr_rows;
};

/* Something said about the tables as a whole, in data. */
struct page_fact {
	const char *name, *value;
};

#define PAGE_MAX_LINES 6

/* A figure that was drawn as SVG; path NULL: it could not be. */
struct page_picture {
	const char *name, *path;
};

/* An option with its value, or with those of each variant. */
struct page_option {
	const char *name, *value;
};

/* Tables and what stands around them. Unused entries are NULL. */
struct page {
	const char *title;
	const char *intro[PAGE_MAX_LINES];
	const char *warning;                 /* or NULL */
	const char *repeat[PAGE_MAX_LINES];  /* commands, for a cover letter */
	struct page_fact facts[PAGE_MAX_LINES];
	const struct grid *tables;
	size_t nr_tables;
	/* HTML only. */
	const struct page_picture *pictures;
	size_t nr_pictures;
	const struct page_option *options;
	size_t nr_options;
	/* Cover letter only: instead of the tables. 0 or -errno. */
	int (*body)(const void *ctx, FILE *out);
	const void *body_ctx;
};

#define COVER_COLUMNS 75

/* The number as the column prints it; "-" if there is none. */
void grid_text(const struct grid_column *c, const struct grid_value *v,
	       char *out, size_t out_size);

/*
 * Aligned text with at most `columns` characters a line (0 = no limit).
 * 0 or -ENOMEM.
 */
int grid_print_text(const struct grid *g, size_t columns, FILE *out);
/* A text in Markdown: no column ends in it, and no HTML begins. */
void grid_md_text(const char *text, FILE *out);
void grid_print_md(const struct grid *g, FILE *out);
/* One number a line. `keys` are the key columns of all tables. */
void grid_print_csv(const struct grid *g, const char *const *keys,
		    size_t nr_keys, FILE *out);
int page_print_json(const struct page *p, FILE *out);
/* The same as an object; NULL if there is no memory. */
json_t *page_json(const struct page *p);
/* 0, -ENOMEM, or -errno of a picture. */
int page_print_html(const struct page *p, FILE *out);
/* Any of the formats. 0, -ENOMEM or -EIO. */
int page_print(const struct page *p, enum report_format format, FILE *out);

/*
 * Text in lines of at most `columns`, later ones indented by `indent`. With
 * `ascii`, all but printable ASCII is shown as '?'.
 */
void print_wrapped(const char *text, size_t indent, size_t columns,
		   bool ascii, FILE *out);

#endif
