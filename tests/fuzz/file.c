/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Bytes as a file without a name, so that fuzzing leaves nothing behind. */
#define _GNU_SOURCE
#include "tests/fuzz/fuzz.h"

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

FILE *fuzz_sink(void)
{
	FILE *out = fopen("/dev/null", "w");

	CHECK(out);
	return out;
}
