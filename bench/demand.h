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
/* The most that so many cells at a time may take together. */
uint64_t demand_of_jobs(const struct experiment *e, unsigned int jobs);
/* The most cells at a time, up to `jobs` and at least one, that fit. */
unsigned int demand_jobs_that_fit(const struct experiment *e,
				  unsigned int jobs, uint64_t bytes);
/* What one process may have: that of all, or its own limit. */
uint64_t demand_available(void);
/* What all may have: the machine's memory, or the control group's limit. */
uint64_t demand_available_to_all(void);

#endif
