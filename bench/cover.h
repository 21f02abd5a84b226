/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The body of a cover letter in the layouts that readers of linux-mm know:
 * every variant against the first, over seeds, with a test of the difference.
 */
#ifndef BENCH_COVER_H
#define BENCH_COVER_H

#include "bench/grouping.h"
#include "bench/table.h"

/* More than this are not looked at. */
#define COVER_MAX_SEEDS 100
#define COVER_ALPHA 0.05

/* One number of one variant at one point of the experiment. */
struct cover_side {
	double v[COVER_MAX_SEEDS];
	size_t nr;
	double mean, hmean;        /* hmean: harmonic, of rates only */
	double dev;                /* standard deviation, % of the mean */
};

/* One line: a metric of two variants. */
struct cover_line {
	const struct grid_column *column;
	int better;                /* 1 up, -1 down, 0 nobody can say */
	bool is_rate;
	struct cover_side base, new;
	double change;             /* % of the base's mean */
	bool has_change;           /* the base's mean is not 0 */
	double p;                  /* Mann-Whitney, two-sided; -1: no test */
	double welch_p;            /* the same of Welch's t */
};

struct cover_block {
	const char *where;         /* "page_fault1, tasks 16" */
	const char *base, *new;    /* variants */
	struct cover_line *lines;
	size_t nr;
};

struct cover {
	struct cover_block *blocks;
	size_t nr_blocks;
	size_t nr_seeds;
	bool may_tell;             /* enough seeds for a difference to show */
	enum cover_layout layout;
	const char *units;         /* a line, or "" */
};

/* text: columns, NULL = some. In the arena. 0; -ENODATA: no second variant;
 * -ENOMEM. */
int cover_build(struct cover *c, const struct grouping *g, const char *text,
		enum cover_layout layout, struct arena *a);

/* As body of a page: ctx is the struct cover. */
int cover_print(const void *ctx, FILE *out);

#endif
