/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Failing calls; see faults.h. The linker puts them in front of the real ones. */
#include "tests/hypervisor/faults.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static struct faults now;

unsigned int faults_set(const struct faults *f)
{
	const unsigned int seen = now.seen;

	now = f ? *f : (struct faults){ 0 };
	return seen;
}

static bool fails(const char *call)
{
	if (!now.call || strcmp(now.call, call) || ++now.seen != now.at)
		return false;
	errno = now.error;
	return true;
}

static const struct fault_file *find_file(const char *path)
{
	for (size_t i = 0; i < 2; i++) {
		if (now.files[i].path && !strcmp(path, now.files[i].path))
			return &now.files[i];
	}
	return NULL;
}

/* What each stands for, and what stands for it. */
#define WRAP(type, name, params, args, failed)                                \
	type __real_##name params;                                            \
	type __wrap_##name params;                                            \
	type __wrap_##name params                                             \
	{                                                                     \
		return fails(#name) ? (failed) : __real_##name args;          \
	}

WRAP(void *, mmap, (void *p, size_t n, int prot, int flags, int fd, off_t at),
     (p, n, prot, flags, fd, at), MAP_FAILED)
WRAP(void *, malloc, (size_t n), (n), NULL)
WRAP(int, madvise, (void *p, size_t n, int advice), (p, n, advice), -1)
WRAP(int, memfd_create, (const char *name, unsigned int flags), (name, flags),
     -1)
WRAP(int, ftruncate, (int fd, off_t n), (fd, n), -1)
WRAP(long, sysconf, (int name), (name), 65536)
WRAP(int, ioctl, (int fd, unsigned long what, void *arg), (fd, what, arg), -1)

/* Are huge pages disabled? "prctl": yes; "prctl_is_off": no, in any case. */
int __real_prctl(int what, unsigned long a, unsigned long b, unsigned long c,
		 unsigned long d);
int __wrap_prctl(int what, unsigned long a, unsigned long b, unsigned long c,
		 unsigned long d);
int __wrap_prctl(int what, unsigned long a, unsigned long b, unsigned long c,
		 unsigned long d)
{
	if (fails("prctl"))
		return 1;
	if (now.call && !strcmp(now.call, "prctl_is_off"))
		return 0;
	return __real_prctl(what, a, b, c, d);
}

void *__real_calloc(size_t nr, size_t size);
void *__wrap_calloc(size_t nr, size_t size);
void *__wrap_calloc(size_t nr, size_t size)
{
	return fails("malloc") ? NULL : __real_calloc(nr, size);
}

FILE *__real_fopen(const char *path, const char *mode);
FILE *__wrap_fopen(const char *path, const char *mode);
FILE *__wrap_fopen(const char *path, const char *mode)
{
	const struct fault_file *f = find_file(path);

	if (!f)
		return __real_fopen(path, mode);
	errno = ENOENT;
	return f->text ? fmemopen((void *)(uintptr_t)f->text, strlen(f->text),
				  "r") : NULL;
}

int __real_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...)
{
	const struct fault_file *f = find_file(path);
	int fd;

	if (!f)
		return __real_open(path, flags);
	errno = ENOENT;
	if (!f->text)
		return -1;
	fd = __real_memfd_create("file", 0);
	if (fd < 0 || write(fd, f->text, strlen(f->text)) < 0 ||
	    lseek(fd, 0, SEEK_SET) < 0)
		return -1;
	return fd;
}
