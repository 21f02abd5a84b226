/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Zeroed arrays from the operating system, committed page by page at the first
 * write. calloc() would do the same for big arrays, but leaves host huge pages
 * on, and one touched record would commit 2 MiB.
 */
#include "include/sparse.h"

#include <errno.h>
#include <stdint.h>
#include <sys/mman.h>

#include "include/check.h"

/* Bytes to map, at least one; 0 if nr * size does not fit. */
static size_t sparse_bytes(size_t nr, size_t size)
{
	size_t bytes;

	if (__builtin_mul_overflow(nr, size, &bytes) || bytes > PTRDIFF_MAX)
		return 0;
	return bytes ? bytes : 1;
}

void *sparse_alloc(size_t nr, size_t size)
{
	const size_t bytes = sparse_bytes(nr, size);
	void *p;

	if (!bytes) {
		errno = ENOMEM;
		return NULL;
	}
	p = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (p == MAP_FAILED)
		return NULL;
	/* Fails only where the host has no huge pages, which is as good. */
	(void)madvise(p, bytes, MADV_NOHUGEPAGE);
	return p;
}

void sparse_prefer_huge(void *p, size_t nr, size_t size)
{
	/* Fails only where the host has no huge pages. */
	if (p)
		(void)madvise(p, sparse_bytes(nr, size), MADV_HUGEPAGE);
}

void sparse_free(void *p, size_t nr, size_t size)
{
	if (!p)
		return;
	CHECK(munmap(p, sparse_bytes(nr, size)) == 0);
}
