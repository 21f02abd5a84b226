/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Messages about bad input, spelled as compilers do:
 *     file:line:column: error: what; what is allowed
 * A sink collects all of them, so that a user sees every mistake at once.
 */
#ifndef INCLUDE_DIAG_H
#define INCLUDE_DIAG_H

#include <stdarg.h>
#include <stdio.h>

struct diag {
	FILE *out;              /* where messages go; NULL keeps only counts */
	unsigned int nr_errors; /* errors so far */
	unsigned int max_errors;/* print no more than this; 0 = 50 */
	char last[512];         /* text of the last message, for tests */
};

/* A place in a file. line and column count from 1; 0 = not known, omitted. */
struct diag_place {
	const char *file;
	unsigned int line, column;
};

__attribute__((format(printf, 3, 4)))
void diag_error(struct diag *d, struct diag_place at, const char *fmt, ...);
__attribute__((format(printf, 3, 4)))
void diag_warning(struct diag *d, struct diag_place at, const char *fmt, ...);

/*
 * The name of `names` (NULL-terminated) nearest to `word` by edit distance, or
 * NULL if nothing is near enough to be a slip of the keyboard.
 */
const char *diag_nearest(const char *word, const char *const *names);

#endif
