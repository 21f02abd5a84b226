/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A result as a file: JSON object and series. docs/results.md is the reference. */
#ifndef BENCH_CELL_JSON_H
#define BENCH_CELL_JSON_H

#include <jansson.h>

#include "bench/experiment.h"

/* Host time of one cell; never compared exactly. */
struct cell_wall {
	double seconds;        /* of its own phases */
	double shared_seconds; /* of what it shares with other cells */
	bool is_real;          /* the host has real memory: */
	struct hv_real real;
	const char *host;      /* the machine; NULL = not asked */
	char cpus[64];         /* that it was bound to; may be empty */
};

/* Write DIR/series/ID.csv and then DIR/cells/ID.json. 0 or -errno. */
int cell_write(const struct experiment *e, const struct cell *c,
	       const struct sim_result *r, const struct cell_wall *wall,
	       const char *dir, char *why, size_t why_size);

/*
 * The stored result of a cell under the names of this experiment; the caller
 * owns it. 0, -ENOENT if there is none that is whole and of this model version,
 * or -errno if that cannot be told.
 */
int cell_read(const struct experiment *e, const struct cell *c,
	      const char *dir, json_t **out);
/* 1, 0, or -errno if it cannot be told. */
int cell_is_stored(const struct cell *c, const char *dir);

/* One line without its newline, sorted keys; the caller frees it. NULL without
 * memory. */
char *cell_text(const json_t *o);
/* The same with a newline. 0 or -errno. */
int cell_print(const json_t *o, FILE *out);

#endif
