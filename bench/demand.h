/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What an experiment may ask of this machine, before it does; docs/limits.md. */
#ifndef BENCH_DEMAND_H
#define BENCH_DEMAND_H

#include "bench/experiment.h"

/*
 * Bytes that a simulated guest page may take when every page has been used by
 * itself: the allocator's record, the guest's and the host's.
 */
#define DEMAND_BYTES_PER_PAGE 24u

/* The most that the cell may take. */
uint64_t demand_of_cell(const struct cell *c);
/* The cell that may take most; NULL if there are none. */
const struct cell *demand_largest(const struct experiment *e);
/* What this process may have: the machine's memory, or its own limit. */
uint64_t demand_available(void);

#endif
