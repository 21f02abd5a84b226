/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Bytes as a file without a name, so that fuzzing leaves nothing behind. */
#define _GNU_SOURCE
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "include/check.h"

void fuzz_file_open(struct fuzz_file *f, const uint8_t *data, size_t size)
{
	f->fd = memfd_create("fuzz", MFD_CLOEXEC);
	CHECK(f->fd >= 0);
	CHECK_EQ(write(f->fd, data, size), size);
	snprintf(f->path, sizeof(f->path), "/proc/self/fd/%d", f->fd);
}

void fuzz_file_close(struct fuzz_file *f)
{
	close(f->fd);
}

void fuzz_temporary(char path[FUZZ_PATH_SIZE])
{
	int fd;

	snprintf(path, FUZZ_PATH_SIZE, "%s/buddylab-fuzz-XXXXXX",
		 access("/dev/shm", W_OK) ? "/tmp" : "/dev/shm");
	fd = mkstemp(path);
	CHECK(fd >= 0);
	close(fd);
}

FILE *fuzz_sink(void)
{
	FILE *out = fopen("/dev/null", "w");

	CHECK(out);
	return out;
}
