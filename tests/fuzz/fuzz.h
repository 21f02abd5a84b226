/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Readers of other people's files, called with bytes. A target is one file
 * that defines LLVMFuzzerTestOneInput(); corpus.c runs it on what is kept in
 * corpus/, and libFuzzer on what it can think of (option BUDDYLAB_FUZZ).
 */
#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define FUZZ_PATH_SIZE 64

/* The target: 0 always. Whatever the bytes are, it comes back. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A file that holds these bytes while `fd` is open, for a reader of paths. */
struct fuzz_file {
	int fd;
	char path[FUZZ_PATH_SIZE];
};

void fuzz_file_open(struct fuzz_file *f, const uint8_t *data, size_t size);
void fuzz_file_close(struct fuzz_file *f);

/* The name of a new file in memory, if there is such a place; to be removed. */
void fuzz_temporary(char path[FUZZ_PATH_SIZE]);

/* Takes all output and keeps none. */
FILE *fuzz_sink(void);

#endif
