/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * `buddylab tune`: the points of an experiment that no other beats, found with a
 * part of its cells. docs/tune.md is the reference.
 */
#ifndef BENCH_TUNE_H
#define BENCH_TUNE_H

#include <stdio.h>

#include "bench/columns_internal.h"
#include "bench/experiment.h"
#include "bench/figure.h"
#include "bench/runner.h"
#include "bench/table.h"
#include "bench/tune_search.h"

#define TUNE_MAX_REQUIRED 8

/* "[PHASE:]NAME:max" */
struct tune_objective {
	const char *text;         /* "[PHASE:]NAME" */
	bool smaller;             /* is better */
	struct column_word word;
	char label[160];          /* "resident, max" */
};

/* "[PHASE:]NAME=N", or with <= or >= */
struct tune_requirement {
	const char *text;         /* "[PHASE:]NAME" */
	bool least, most;         /* N is; both: it is N exactly */
	double bound;
	struct column_word word;
};

struct tune_goal {
	struct tune_objective objectives[TUNE_MAX_OBJECTIVES];
	unsigned int nr_objectives;
	struct tune_requirement required[TUNE_MAX_REQUIRED];
	unsigned int nr_required;
	struct arena arena;       /* its strings */
};

/* 0, or -EINVAL or -ENOMEM with a sentence. */
int tune_goal_add(struct tune_goal *g, const char *text, char *why,
		  size_t why_size);
int tune_goal_require(struct tune_goal *g, const char *text, char *why,
		      size_t why_size);
/* Names against what there is; after the experiment is known. */
int tune_goal_check(struct tune_goal *g, const struct experiment *e, char *why,
		    size_t why_size);

/* A search with everything that belongs to it. */
struct tune {
	const struct experiment *e;
	const struct tune_goal *goal;
	struct runner_options runner;     /* `wanted` and `only` are ours */
	struct tune_rules rules;
	/* Which axes may be searched: a key of each, NULL-ended. */
	const char *const *keys;

	struct tune_space space;
	struct tune_search search;
	struct arena arena;
	bool *wanted;                     /* by plan index */
	size_t nr_kept;                   /* cells that had a result */
	size_t nr_failed, nr_cells;       /* cells; of the whole grid */
	size_t nr_grid_points;            /* that differ */
	char why[4400];
};

/*
 * Make the space of the experiment's cells: 0; -EINVAL with a sentence in why if
 * it cannot be searched; -ENOMEM.
 */
int tune_open(struct tune *t);
/* 0; -EINTR; -ENODATA if no cell has a value; another -errno; why says it. */
int tune_run(struct tune *t);
void tune_close(struct tune *t);

/* The front. 0 or -errno. */
int tune_print(const struct tune *t, enum report_format format, FILE *out);
/* DIR/figures/front.svg of the first two objectives. 0 or -errno, said. */
int tune_draw(const struct tune *t, enum figure_terminal terminal,
	      enum figure_backend backend, FILE *out, FILE *messages);

/* Cells that belong to a point: e->cells[tune_cell(t, point, seed)]. */
size_t tune_cell(const struct tune *t, size_t point, unsigned int seed);

#endif
