/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Results made up for tests: cells.jsonl in a folder that is removed again. */
#ifndef TESTS_BENCH_RESULTS_FIXTURE_H
#define TESTS_BENCH_RESULTS_FIXTURE_H

#include <stdint.h>
#include <stdio.h>

#include "bench/results.h"

/* One cell with two phases, "fill" and "measure" of 5 s. */
struct fixture_cell {
	const char *variant;
	const char *workload;   /* axis phase.measure.workload; NULL = none */
	unsigned int tasks;     /* axis phase.measure.tasks; 0 = none */
	uint64_t seed;
	double rate;            /* iterations_per_s */
	unsigned int rss_gib;   /* resident at the end of measuring */
	unsigned int refaults;  /* in the measured window */
	unsigned int id;        /* 0: from the place in the array */
	unsigned int digest;
	unsigned int model;     /* 0 stands for 1 */
};

struct fixture {
	char dir[64];
	char path[96];          /* of cells.jsonl */
};

void fixture_make(struct fixture *f, const struct fixture_cell *cells,
		  size_t nr);
void fixture_read(const struct fixture *f, struct results *r);
/* Everything in the folder goes. */
void fixture_remove(const struct fixture *f);

/* Whole text of a stream that was written, NUL-terminated; free() it. */
char *fixture_text(FILE *f);
/* The rules of a mail: ASCII, 75 columns, no tab, no blank at a line's end. */
void assert_mail_text(const char *text);

#endif
