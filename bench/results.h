/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Results read back: cells.jsonl, one cell per line, as structs. docs/results.md
 * defines the fields. Tables, comparison, the gate and figures start from here.
 */
#ifndef BENCH_RESULTS_H
#define BENCH_RESULTS_H

#include <stdbool.h>
#include <stdint.h>

#include "bench/arena.h"
#include "include/diag.h"
#include "include/digest.h"
#include "include/types.h"

/* A longer line is refused, and so is a longer file of one cell. */
#define MAX_RESULT_LINE ((size_t)16 << 20)

/* A word of `options` or `axes`, canonical spelling. */
struct result_text {
	const char *name, *value;
};

struct result_counter {
	const char *name;
	uint64_t value;
};

struct result_metric {
	const char *name;
	double value;
};

/* Counters and metrics, each sorted by name. */
struct result_values {
	const struct result_counter *counters;
	size_t nr_counters;
	const struct result_metric *metrics;
	size_t nr_metrics;
};

struct result_phase {
	const char *name;
	sim_ns_t start, end;    /* virtual */
	sim_ns_t measured_ns;
	uint64_t iterations;
	struct result_values values;
};

struct result_cell {
	uint64_t schema, model_version;
	const char *id;         /* 32 hex digits */
	const char *experiment; /* title */
	const char *variant;
	uint64_t seed;
	const char *digest;
	sim_ns_t virtual_ns;
	const struct result_text *axes;    /* sorted by name */
	size_t nr_axes;
	const struct result_text *options; /* sorted by name */
	size_t nr_options;
	struct result_values values;       /* of the whole run */
	const struct result_phase *phases;
	size_t nr_phases;
	double wall_s;          /* host time of the cell; 0 if not recorded */
	unsigned int line;      /* in the file it came from */
};

struct results {
	struct arena arena;
	char *path;             /* of the file that was read */
	char *dir;              /* folder that series/ is in */
	struct result_cell *cells; /* in plan order */
	size_t nr_cells;
};

/*
 * Read `path`: a .jsonl file, or a folder with cells.jsonl in it. 0; -ENOENT,
 * -EPROTO if it is of another schema, -EINVAL, -ENOMEM or another -errno, with
 * all messages in d. Accepts and
 * leaves a struct that results_free() takes.
 */
int results_read(struct results *r, const char *path, struct diag *d);
void results_free(struct results *r);

/* Path of the cell's samples: DIR/series/ID.csv. */
void results_series_path(const struct results *r, const struct result_cell *c,
			 char *out, size_t out_size);

/* By name; false or NULL if it is not there. */
bool result_counter(const struct result_values *v, const char *name,
		    uint64_t *out);
bool result_metric(const struct result_values *v, const char *name,
		   double *out);
const char *result_option(const struct result_cell *c, const char *name);
const char *result_axis(const struct result_cell *c, const char *name);
const struct result_phase *result_phase(const struct result_cell *c,
					const char *name);

#endif
