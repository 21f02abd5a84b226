/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The rows of `buddylab bench`, by file; each table ends with a NULL name. */
#ifndef CLI_BENCH_ROWS_H
#define CLI_BENCH_ROWS_H

#include "alloc/alloc.h"
#include "bench/bench.h"

extern const struct selfbench_row bench_alloc_rows[];  /* bench_alloc.c */
extern const struct selfbench_row bench_replay_rows[]; /* bench_replay.c */
extern const struct selfbench_row bench_cell_rows[];   /* bench_cells.c */
extern const struct selfbench_row bench_peer_rows[];   /* bench_peers.c */

/* Guest of most rows on the allocator alone. */
#define BENCH_KERNEL "6.1"

/* Records that come before the one at hand: far enough to hide memory. */
#define BENCH_LOOK_AHEAD 24u

#endif
