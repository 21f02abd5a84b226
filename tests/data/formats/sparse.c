/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the samples with fallbacks recorded: one byte in each of NR huge-page
 * ranges, so that each needs a page table of its own, until the unmovable free
 * blocks are used up.
 */
#include <stdlib.h>
#include <sys/mman.h>

int main(int argc, char **argv)
{
	size_t nr = argc > 1 ? strtoul(argv[1], NULL, 10) : 0;
	char *p = mmap(NULL, nr << 21, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (p == MAP_FAILED)
		return 1;
	for (size_t i = 0; i < nr; i++)
		p[i << 21] = 1;
	return 0;
}
