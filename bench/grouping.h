/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Cells sorted for tables and figures: rows by variant and axes, columns by
 * workload, and in each slot the seeds of one point of the experiment.
 */
#ifndef BENCH_GROUPING_H
#define BENCH_GROUPING_H

#include "bench/results.h"

struct group_slot {
	const struct result_cell **cells;   /* one per seed */
	size_t nr;
};

struct group_row {
	const char *variant;
	const char **axes;                  /* [nr_axes] values */
	struct group_slot *slots;           /* [nr_groups] */
};

struct grouping {
	const char **axes;                  /* full names, sorted; not the */
	const char **axis_labels;           /* workload axis */
	size_t nr_axes;
	const char *group_axis;             /* "phase.measure.workload", NULL */
	const char **groups;                /* its values; one "" if NULL */
	size_t nr_groups;
	const char **variants;              /* in order of appearance */
	size_t nr_variants;
	struct group_row *rows;             /* in plan order */
	size_t nr_rows;
	uint64_t *seeds;                    /* sorted */
	size_t nr_seeds;
};

/* Mean, and the smallest and largest value, over the cells of a slot. */
struct tally {
	size_t nr;
	double sum, min, max;
};

/* Strings and tables live in `a`. 0 or -ENOMEM. */
int grouping_make(struct grouping *g, const struct results *r,
		  struct arena *a);
/* The row of the reference variant with the axes of `row`, or NULL. */
const struct group_row *grouping_reference(const struct grouping *g,
					   const struct group_row *row);

void tally_add(struct tally *t, double value);
double tally_mean(const struct tally *t);

/* The phase that a cell measures: its last one, NULL if it has none. */
const struct result_phase *cell_measured_phase(const struct result_cell *c);

#endif
