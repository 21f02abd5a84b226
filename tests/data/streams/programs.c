/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the recordings beside this file ran, under the name that it is called
 * by: the memory accesses of the well-known programs and nothing else.
 *
 *     page_fault1 MIB LOOPS [thp]     page_fault2 MIB LOOPS FOLDER
 *     memhog MIB                      usemem MIB (--punch-holes)
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAGE 4096ul
#define MEMHOG_STEP (10ul << 20)

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static char *map(size_t len, int fd)
{
	const int flags = MAP_PRIVATE | (fd < 0 ? MAP_ANONYMOUS : 0);
	char *p = mmap(NULL, len, PROT_READ | PROT_WRITE, flags, fd, 0);

	if (p == MAP_FAILED)
		die("mmap");
	return p;
}

static void page_fault(size_t len, int loops, int fd, int thp)
{
	while (loops--) {
		char *p = map(len, fd);

		if (thp && madvise(p, len, MADV_HUGEPAGE))
			die("madvise");
		for (size_t i = 0; i < len; i += PAGE)
			p[i] = 1;
		if (munmap(p, len))
			die("munmap");
	}
}

static int sparse_file(const char *folder, size_t len)
{
	char path[256];
	int fd;

	snprintf(path, sizeof(path), "%s/XXXXXX", folder);
	fd = mkstemp(path);
	if (fd < 0 || ftruncate(fd, (off_t)len) || unlink(path))
		die(folder);
	return fd;
}

static void memhog(size_t len)
{
	char *p = map(len, -1);

	for (size_t i = 0; i < len; i += MEMHOG_STEP)
		memset(p + i, 0xff, len - i < MEMHOG_STEP ? len - i :
							    MEMHOG_STEP);
}

static void usemem(size_t len)
{
	char *p = map(len, -1);
	size_t i;

	for (i = 0; i < len; i += PAGE)
		p[i] = 1;
	for (i = 0; i + 2 * PAGE <= len; i += 2 * PAGE)
		if (madvise(p + i, PAGE, MADV_DONTNEED))
			die("madvise");
}

int main(int argc, char **argv)
{
	const char *slash = strrchr(argv[0], '/');
	const char *name = slash ? slash + 1 : argv[0];
	const size_t len = argc > 1 ? strtoul(argv[1], NULL, 10) << 20 : 0;
	const int loops = argc > 2 ? atoi(argv[2]) : 1;

	if (!len)
		return 2;
	if (!strcmp(name, "page_fault1"))
		page_fault(len, loops, -1, argc > 3);
	else if (!strcmp(name, "page_fault2") && argc > 3)
		page_fault(len, loops, sparse_file(argv[3], len), 0);
	else if (!strcmp(name, "memhog"))
		memhog(len);
	else if (!strcmp(name, "usemem"))
		usemem(len);
	else
		return 2;
	return 0;
}
