/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Temporary input files in the current folder. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zstd.h>

#include "tests/test.h"
#include "tests/trace/files.h"

void file_write(char path[TEST_PATH_MAX], const void *data, size_t size)
{
	int fd;

	snprintf(path, TEST_PATH_MAX, "input-XXXXXX");
	fd = mkstemp(path);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, data, size), size);
	assert_int_equal(close(fd), 0);
}

void file_write_text(char path[TEST_PATH_MAX], const char *text)
{
	file_write(path, text, strlen(text));
}

void file_write_zstd(char path[TEST_PATH_MAX], const char *text, size_t cut)
{
	const size_t room = ZSTD_compressBound(strlen(text));
	void *data = malloc(room);
	size_t size;

	assert_non_null(data);
	size = ZSTD_compress(data, room, text, strlen(text), 3);
	assert_false(ZSTD_isError(size));
	assert_true(size > cut);
	file_write(path, data, size - cut);
	free(data);
}

void file_remove(const char *path)
{
	assert_int_equal(unlink(path), 0);
}

const char *file_message(const char *text, const char *path)
{
	const size_t len = strlen(path);

	return strncmp(text, path, len) == 0 ? text + len : text;
}
