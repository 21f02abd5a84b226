/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Running cells that start alike: what they share is computed once, and a
 * process is forked where they part.
 */
#ifndef BENCH_RUN_CELL_H
#define BENCH_RUN_CELL_H

#include "bench/experiment.h"
#include "bench/pool.h"

/* What all processes of a run have in common. */
struct run {
	const struct experiment *e;
	const char *dir;
	struct pool_budget budget;
	const char *host;          /* this machine, for timed results */
	int report_fd;             /* where struct run_report go; -1 = none */
	uint64_t check_every;
	bool step_by_step;
	const volatile sig_atomic_t *stop;
};

/* One message to the root; small enough to be written at once. */
struct run_report {
	size_t cell;               /* index in plan order */
	bool done;
	bool unmet;                /* !done: it ran, but an expectation failed */
	bool skipped;              /* !done: this machine cannot run it */
	char why[400];             /* !done: what went wrong */
};

/* What sim/ is called with; it borrows from e and c. */
void cell_config(const struct experiment *e, const struct cell *c,
		 struct sim_config *out);

/*
 * Run cells that have the same base and seed, in this process and in forks of
 * it, and report on each. 0; -EINTR if stopped.
 */
int run_cells(const struct run *run, const struct cell *const *cells,
	      size_t nr);

/* Report failure of all of them, for instance of a group whose process died. */
void run_report_failed(const struct run *run, const struct cell *const *cells,
		       size_t nr, const char *why);
/* "killed by signal 6 (Aborted)" */
void run_describe_status(int status, char *out, size_t out_size);

#endif
