/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the samples beside this file recorded: a few faults, one huge page, an
 * unmap and a child, under task names that are awkward to parse.
 */
#define _GNU_SOURCE
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define HUGE (2ul << 20)

static void touch(char *p, size_t len)
{
	for (size_t i = 0; i < len; i += 4096)
		p[i] = 1;
}

static char *map(size_t len)
{
	char *p = mmap(NULL, len, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		exit(1);
	return p;
}

int main(int argc, char **argv)
{
	char *small, *big;

	prctl(PR_SET_NAME, argc > 1 ? argv[1] : "my prog 1");
	small = map(16 * 4096);
	touch(small, 16 * 4096);
	big = map(2 * HUGE);
	big = (char *)(((uintptr_t)big + HUGE - 1) & ~(HUGE - 1));
	madvise(big, HUGE, MADV_HUGEPAGE);
	touch(big, HUGE);
	madvise(big, HUGE, MADV_DONTNEED);
	munmap(small, 16 * 4096);
	if (fork() == 0) {
		prctl(PR_SET_NAME, "kid-2 [x] 3: y");
		touch(map(8 * 4096), 8 * 4096);
		_exit(0);
	}
	wait(NULL);
	return 0;
}
