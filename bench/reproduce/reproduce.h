/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * `buddylab reproduce`: published results against prediction, claim by claim.
 * docs/reproduce.md
 */
#ifndef BENCH_REPRODUCE_REPRODUCE_H
#define BENCH_REPRODUCE_REPRODUCE_H

#include "bench/figure.h"
#include "bench/reproduce/score.h"

struct reproduce_request {
	const char *data;        /* folder with predictions/ and published/ */
	const char *const *names;/* claims; NULL-ended */
	enum reproduce_format format;
	struct predict_request predict;
	/* A picture of each claim, DIR/NAME/figure.svg; FIGURE_DUMB: none. */
	enum figure_terminal terminal;
	enum figure_backend backend;
};

/* Names of the claims in a data folder, sorted, NULL-ended; of the arena. 0,
 * -ENOENT with a message, or another -errno. */
int reproduce_list(const char *data, struct arena *a, const char ***names,
		   struct diag *d);

/*
 * Print every claim; its figure's data goes to DIR/NAME/figure.csv. 0 or as
 * predict(); *misses counts what was judged and is a miss.
 */
int reproduce_run(const struct reproduce_request *req, FILE *out,
		  size_t *misses, struct diag *d);

#endif
