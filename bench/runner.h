/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Runs the cells of an experiment in worker processes. Cells that have a valid
 * result are kept, so that an interrupted run goes on where it was.
 */
#ifndef BENCH_RUNNER_H
#define BENCH_RUNNER_H

#include "bench/experiment.h"

struct runner_options {
	const char *dir;          /* where results go; store_open() was fine */
	unsigned int jobs;        /* processes that compute at a time, >= 1 */
	const struct cell *only;  /* run no other cell; NULL = all */
	const bool *wanted;       /* by plan index; NULL = all */
	uint64_t check_every;     /* check every invariant each N events */
	bool step_by_step;        /* vCPUs do not run ahead of each other */
	bool bind;                /* workers stay on cores of their own */
	bool progress;            /* draw a line on `messages` */
	FILE *messages;           /* failures; NULL = nowhere */
	const char *repeat;       /* command that repeats a cell, without ID */
};

/* Cells by what became of them; equal cells count once. */
struct runner_outcome {
	size_t nr_cells;
	size_t nr_kept;           /* had a valid result before */
	size_t nr_done, nr_failed;
	size_t nr_unmet;          /* of the failed: an expectation was not met */
	size_t nr_skipped;        /* of the failed: this machine cannot */
	bool interrupted;
};

/* 0 if it could work at all, even if cells failed; -errno. */
int runner_run(const struct experiment *e, const struct runner_options *opt,
	       struct runner_outcome *out);

#endif
