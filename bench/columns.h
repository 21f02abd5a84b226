/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A table that the experiment itself asks for: `columns` of [experiment] names
 * what is shown of each row, from derived columns and from counters.
 *
 *     columns = settle:reclaimed,t50 ratio guest.thp_fault_fallback
 *
 * A word is [PHASE:]NAME, or several of one phase with commas in between.
 * Without a phase, a column is of the measured phase or of the whole run, as
 * its description says; `run:` asks for the whole run.
 */
#ifndef BENCH_COLUMNS_H
#define BENCH_COLUMNS_H

#include "bench/grid.h"
#include "bench/grouping.h"

struct column_desc {
	const char *name;           /* NULL ends the table */
	const char *help;
};

/* For `buddylab list columns`. */
const struct column_desc *columns_list(size_t i);

/*
 * Is every word of the text a column, and its phase one of `phases` (NULL-
 * ended)? 0; -EINVAL with a sentence in why.
 */
int columns_check(const char *text, const char *const *phases, char *why,
		  size_t why_size);

/* The table. 0 or -ENOMEM; nr_rows is 0 if the text names no columns. */
int table_columns(struct grid *t, const char *text, const struct grouping *g,
		  struct arena *a);

#endif
