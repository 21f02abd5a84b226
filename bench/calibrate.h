/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where prices come from: measured on the machine at hand, or solved so that
 * the simulated baseline of an experiment equals a published one. Rows that an
 * experiment is to predict are never looked at. docs/prices.md
 */
#ifndef BENCH_CALIBRATE_H
#define BENCH_CALIBRATE_H

#include <stdio.h>

#include "include/diag.h"
#include "sim/sim.h"

/* ---- measured ---- */

/*
 * Measure and print a price file, with what was measured as comments. Needs no
 * privilege, about 600 MiB and half a minute. 0; -ENOTSUP: the host gives no
 * huge pages, nothing is printed; -errno. A sentence goes to `messages`.
 */
int calibrate_measure(FILE *out, FILE *messages);

/* ---- solved ---- */

/*
 * The target file holds published baseline rows:
 *
 *     [target]
 *     page_fault1@16 = 8827457.25 | source
 */
struct calibrate_request {
	const char *experiment;    /* its first variant is the baseline */
	const char *target;
	const struct sim_registry *registry;
	double zero_share;         /* of a huge fault spent clearing, 0..1 */
	unsigned int jobs;
	FILE *messages;            /* progress */
};

/*
 * Print the solved price file. 0; -EINVAL: wrong experiment or target, with
 * messages in d; -ERANGE: no price above zero reproduces a row; -EINTR; -errno.
 */
int calibrate_solve(const struct calibrate_request *req, FILE *out,
		    struct diag *d);

/* One row of a target file. */
struct target_row {
	const char *workload;
	unsigned int tasks;
	double rate;               /* iterations per second, all tasks */
	const char *source;
};

struct arena;
/* 0, -EINVAL with messages in d, -ENOMEM. */
int target_read(const char *path, struct arena *a, struct target_row **rows,
		size_t *nr, struct diag *d);

#endif
