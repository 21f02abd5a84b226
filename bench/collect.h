/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Assembling the results of single cells. */
#ifndef BENCH_COLLECT_H
#define BENCH_COLLECT_H

#include "bench/experiment.h"

/*
 * Write dir/cells.jsonl: one line per cell of the plan that has a result, in
 * plan order. *missing counts the cells that have none. Up to `jobs` processes
 * read; the file does not depend on how many. 0 or -errno.
 */
int collect_cells(const struct experiment *e, const char *dir,
		  unsigned int jobs, size_t *missing, char *why,
		  size_t why_size);

#endif
