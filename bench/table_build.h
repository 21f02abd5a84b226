/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which numbers go into which table. */
#ifndef BENCH_TABLE_BUILD_H
#define BENCH_TABLE_BUILD_H

#include "bench/grid.h"
#include "bench/grouping.h"

/* Each 0 or -ENOMEM; nr_rows is 0 if the results have nothing to show. */
int table_throughput(struct grid *t, const struct grouping *g,
		     struct arena *a);
int table_memory(struct grid *t, const struct grouping *g, struct arena *a);
int table_footprint(struct grid *t, const struct grouping *g,
		    struct arena *a);

#endif
