/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From a prediction file to numbers: runs the experiment, reads the quantities
 * from its cells, and for those that ask for an interval runs their cells again
 * with each price at the ends of its range. Never sees a published value.
 */
#ifndef BENCH_REPRODUCE_PREDICT_H
#define BENCH_REPRODUCE_PREDICT_H

#include "bench/reproduce/claim.h"

struct predicted_price {
	double at_low, at_high;  /* what the quantity moves by, at each end */
};

struct predicted {
	const struct quantity *quantity;
	size_t nr_seeds;         /* 0: exact, no seeds are involved */
	double mean, sd, min, max, median, q1, q3; /* over seeds */
	double seed_half;        /* half of the 95 % interval of the mean */
	struct predicted_price *prices;       /* [claim.nr_prices], or NULL */
	double low, high;        /* of seeds and prices together */
};

struct prediction {
	const struct claim *claim;
	struct predicted *p;     /* [claim.nr_quantities] */
	const char *seeds;       /* that were run, or NULL */
};

struct predict_request {
	const struct sim_registry *registry;
	const char *dir;         /* results and tried prices lie in dir/NAME */
	const char *seeds;       /* instead of the experiment's, or NULL */
	unsigned int jobs;
	bool budget;             /* run with changed prices */
	bool progress;
	FILE *messages;
};

/*
 * Strings and arrays live in the claim's arena. 0; -EINVAL with messages in d;
 * -EINTR; -EIO: cells failed, which was said on `messages`; -ENOMEM.
 */
int predict(struct claim *c, const struct predict_request *req,
	    struct prediction *out, struct diag *d);

/* ---- between predict.c, predict_cells.c and predict_prices.c ---- */

/* One run of the experiment: which cells, at which prices, and where. */
struct predict_run {
	const char *dir;
	const char *only, *seeds;
	const char *const *sets;
	size_t nr_sets;
};

/* Run what has no result yet and read all. 0 or -errno, as predict(). */
int predict_cells(const struct claim *c, const struct predict_request *req,
		  const struct predict_run *run, struct results *r,
		  struct diag *d);

#define PREDICT_MAX_SEEDS 1000

/*
 * The quantity of each seed that has it, in order of the seeds. Their number;
 * -EINVAL with a message if there is none, or several cells of one seed.
 */
int predict_values(const struct claim *c, const struct quantity *q,
		   const struct results *r, double values[PREDICT_MAX_SEEDS],
		   struct diag *d);

/* Price budgets of all quantities that ask for one; 0 or -errno. */
int predict_prices(struct claim *c, const struct predict_request *req,
		   const struct results *base, struct prediction *out,
		   struct diag *d);

#endif
