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

struct calibrate_measure_request {
	uint64_t memory;           /* bytes to touch at a time, at the most */
	uint64_t time_ns;          /* nothing is begun after it */
	unsigned int procs;        /* the most at the same time */
	bool json;
	const char *path;          /* of the result; NULL: to `out` */
	FILE *out, *messages;
};

#define CALIBRATE_MIN_MEMORY (UINT64_C(64) << 20)
#define CALIBRATE_MIN_NS NSEC_PER_SEC
#define CALIBRATE_MAX_NS (3600 * NSEC_PER_SEC)

/*
 * Measure and print a price file, with what was measured as comments, or all
 * of it as JSON. Needs no privilege. What this host cannot do or had no time
 * for is said and keeps its built-in price. 0; -ENOTSUP: no huge pages, or too
 * little memory, and nothing is printed; -errno. A sentence goes to `messages`.
 */
int calibrate_measure(const struct calibrate_measure_request *req);

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
	double rezero_share;       /* the same if just cleared; < 0: as above */
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
