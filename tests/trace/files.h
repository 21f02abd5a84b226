/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Small input files for tests of parsers, written and removed by the test. */
#ifndef TESTS_TRACE_FILES_H
#define TESTS_TRACE_FILES_H

#include <stddef.h>

#define TEST_PATH_MAX 64

/* Write `size` bytes to a new file; its name goes to `path`. */
void file_write(char path[TEST_PATH_MAX], const void *data, size_t size);
void file_write_text(char path[TEST_PATH_MAX], const char *text);
/* The same as one zstd frame; `cut` bytes are left out at its end. */
void file_write_zstd(char path[TEST_PATH_MAX], const char *text, size_t cut);
void file_remove(const char *path);
/* Text without the file's name in front: messages name temporary files. */
const char *file_message(const char *text, const char *path);

#endif
