/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between columns.c, what a column is, and columns_table.c, the table. */
#ifndef BENCH_COLUMNS_INTERNAL_H
#define BENCH_COLUMNS_INTERNAL_H

#include "bench/columns.h"

#define PAGE_MAX_ORDERS 11
#define COLUMN_MAX_SOURCES (2 * PAGE_MAX_ORDERS)

enum column_kind {
	COLUMN_METRIC,     /* of[0] */
	COLUMN_RATIO,      /* of[0], over that of the reference variant */
	COLUMN_SUM,        /* counters of[] */
	COLUMN_QUOTIENT,   /* counters of[] over counters by[] */
	COLUMN_FIRST,      /* index of the first counter that is not 0 */
};

struct column {
	struct column_desc desc;
	enum column_kind kind;
	const char *of[COLUMN_MAX_SOURCES + 1]; /* NULL-ended */
	const char *by[3];                      /* the same */
	double scale;      /* divides */
	struct grid_column shown;
	bool of_run;       /* of the whole run unless a phase is named */
};

enum column_scope { SCOPE_RUN, SCOPE_MEASURED, SCOPE_PHASE };

/* One word of `columns`. */
struct column_word {
	enum column_scope scope;
	char phase[64];
	char name[64];
	struct column column;
};

extern const struct column columns[];

#define COLUMNS_MAX 32
/* Of all columns, for the nearest spelling. */
#define COLUMNS_LISTED 64

/* A text of columns taken apart, and how each is headed. */
struct column_words {
	struct column_word w[COLUMNS_MAX];
	struct grid_column shown[COLUMNS_MAX];
	size_t nr;
};

/* Of a text that columns_check() found right. 0 or -ENOMEM. */
int columns_words(const char *text, struct column_words *all, struct arena *a);

/* Which way is good: 1 up, -1 down, 0 neither. */
int column_better(const struct column_word *w);

/* The number of one cell, false if it has none. */
bool column_number(const struct column_word *w, const struct result_cell *c,
		   double *out);

#endif
