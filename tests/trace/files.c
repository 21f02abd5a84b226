/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Temporary input files in a folder of this process, which goes away with it:
 * a test that fails does not come to file_remove().
 */
#define _GNU_SOURCE
#include <errno.h>
#include <ftw.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

#include "tests/test.h"
#include "tests/trace/files.h"

#define FOLDER_MAX 40

static void folder_name(char out[FOLDER_MAX])
{
	snprintf(out, FOLDER_MAX, "/tmp/buddylab-test-%ld", (long)getpid());
}

static int remove_one(const char *path, const struct stat *st, int type,
		      struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static void remove_folder(void)
{
	char folder[FOLDER_MAX];

	folder_name(folder);
	nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

void file_write(char path[TEST_PATH_MAX], const void *data, size_t size)
{
	char folder[FOLDER_MAX];
	int fd;

	folder_name(folder);
	if (!mkdir(folder, 0700))
		assert_int_equal(atexit(remove_folder), 0);
	else
		assert_int_equal(errno, EEXIST);
	snprintf(path, TEST_PATH_MAX, "%s/input-XXXXXX", folder);
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
