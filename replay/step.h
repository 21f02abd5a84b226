/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Step scripts: the allocator by hand. One command per line builds a small
 * guest, frees and allocates blocks and prints the free lists, so that a rule
 * of the allocator can be looked at without an experiment around it.
 * docs/step.md is the reference of the language.
 */
#ifndef REPLAY_STEP_H
#define REPLAY_STEP_H

#include <stdint.h>
#include <stdio.h>

#include "include/diag.h"

/* A script cannot ask for more than this; going over is an error message. */
#define STEP_MAX_SCRIPT_BYTES (64u << 20)
#define STEP_MAX_PFN (1u << 28)          /* 1 TiB of guest memory */
#define STEP_MAX_REPEAT 1000000u         /* N of one `repeat N COMMAND` */
#define STEP_MAX_COMMANDS 10000000u      /* commands run, repeats included */
#define STEP_MAX_WALKED (UINT64_C(1) << 34) /* pages that `lists` and others
					     * look at, repeats included */

/*
 * Read the whole script, report every mistake in it, then run it and print
 * what its commands print. `name` is what messages call the input.
 * 0; -EINVAL if the script is wrong (syntax, or an impossible operation such
 * as a double free: d has the message and the place); -ENOMEM; -EIO.
 */
int step_run(FILE *in, const char *name, FILE *out, struct diag *d);

/*
 * The lines that were run, as text: a line is here before it runs, so that it
 * can be read if it ends the process (in memory that is shared with another).
 */
struct step_log {
	char *text;
	size_t size, len;
	uint64_t operations;      /* calls of the allocator */
};

/* Room that so many drawn operations take at most. */
size_t step_log_size(unsigned int nr_ops);

/*
 * A random script, drawn and run line by line: script `number` of `seed`, with
 * `check` on and `settle` as its end. It depends on these alone. 0; -EINVAL: no
 * such guest; -ENOMEM. What does not hold ends the process with a CHECK.
 */
int step_draw(uint64_t seed, uint64_t number, unsigned int nr_ops,
	      struct step_log *log, FILE *out, struct diag *d);

/*
 * Run the lines of a text that can run where they stand; the others are left
 * out, and not in the log: it is a script that step_run() takes.
 */
int step_run_some(const char *text, struct step_log *log, FILE *out,
		  struct diag *d);

#endif
