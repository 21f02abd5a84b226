/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the samples with lost events recorded: MIB of memory touched and
 * unmapped ROUNDS times, faster than a small buffer is read.
 */
#define _GNU_SOURCE
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>

int main(int argc, char **argv)
{
	size_t len = argc > 1 ? strtoul(argv[1], NULL, 10) << 20 : 0;
	unsigned long rounds = argc > 2 ? strtoul(argv[2], NULL, 10) : 0;

	prctl(PR_SET_NAME, "load gen");
	while (len && rounds--) {
		char *p = mmap(NULL, len, PROT_READ | PROT_WRITE,
			       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		if (p == MAP_FAILED)
			return 1;
		for (size_t i = 0; i < len; i += 4096)
			p[i] = 1;
		munmap(p, len);
	}
	return 0;
}
