/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A folder of a test's own, files in it, and messages as text. */
#ifndef TESTS_BENCH_SCRATCH_H
#define TESTS_BENCH_SCRATCH_H

#include <stdio.h>

#include "include/diag.h"

struct scratch {
	char dir[64];      /* current while the test runs */
	char before[4096]; /* where we were */
	FILE *messages;
	char *text;        /* of the messages so far, see scratch_text() */
	size_t size;
	struct diag diag;
};

/* CMocka fixtures: *state is the struct scratch, the folder the current one. */
int scratch_setup(void **state);
int scratch_teardown(void **state);

void scratch_write(const char *path, const char *text);
void scratch_write_bytes(const char *path, const void *data, size_t size);
/* Messages since the start or the last call. */
const char *scratch_text(struct scratch *s);

#endif
