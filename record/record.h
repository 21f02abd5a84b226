/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Record what a program and its children do to their anonymous memory, as the
 * kernel sees it: docs/record.md says what is known and how exactly.
 */
#ifndef RECORD_RECORD_H
#define RECORD_RECORD_H

#include <stdbool.h>
#include <stdint.h>

#include "include/diag.h"
#include "trace/event.h"

struct record_options {
	const char *output;      /* .blt, written when the program has ended */
	char **argv;             /* NULL-ended; argv[0] is looked up in PATH */
	uint64_t sample_ns;      /* how often to look for touched pages */
	bool random_addresses;   /* leave address space randomisation on */
};

struct record_counts {
	uint64_t events;
	uint64_t ops[TRACE_MEM_NR_OPS];
	uint64_t touched_pages;
	uint64_t processes;      /* address spaces */
	uint64_t lanes;          /* most of them at a time */
	uint64_t alive;          /* now */
	uint64_t blind;          /* of which no pages can be seen */
	uint64_t stops;          /* how often the program was halted */
	uint64_t samples;
	uint64_t unsampled;      /* mappings too large to look at */
	uint64_t foreign;        /* processes of another word size */
	uint64_t ns;             /* from start to end */
};

enum record_end {
	RECORD_EXITED,           /* the program did, with .code */
	RECORD_KILLED,           /* by signal .code */
	RECORD_NOT_STARTED,      /* .code = errno of execvp */
};

struct record_result {
	enum record_end end;
	int code;
	struct record_counts counts;
};

/*
 * Run the program to its end. 0 and a complete file; or a negative errno after
 * a message, then there is no file; the program has run to its end even so,
 * unless it was not started. -EPERM: programs may not be traced here.
 */
int record_run(const struct record_options *o, struct record_result *r,
	       struct diag *d);

#endif
