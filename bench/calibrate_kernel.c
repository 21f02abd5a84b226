/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Work of the kernel that an unprivileged process can ask for: collapsing small
 * pages into a huge one, which unmaps, copies and frees 512 of them, and
 * dropping clean pages of the page cache. A kernel or a file system that does
 * not do it leaves a gap.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "bench/calibrate_internal.h"
#include "include/guard.h"
#include "include/types.h"

#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25   /* Linux 6.1 */
#endif

#define COLLAPSES 32

/* Collapses that were done, their times in ns, and why others were not. */
static size_t collapse_all(char *p, size_t nr, double *ns, int *why)
{
	size_t done = 0;

	for (size_t i = 0; i < nr; i++) {
		const uint64_t t0 = calibrate_now_ns();

		/* One in a few hundred fails on a busy machine. */
		if (madvise(p + i * HPAGE_PMD_SIZE, HPAGE_PMD_SIZE,
			    MADV_COLLAPSE))
			*why = errno;
		else
			ns[done++] = (double)(calibrate_now_ns() - t0);
	}
	return done;
}

/*
 * Time of each collapse of a region of small pages. Twice: the huge pages of
 * the second round are those of the first, and in use by then.
 */
int measure_collapse(struct calibration *c)
{
	const size_t most = c->memory / HPAGE_PMD_SIZE / 2;
	const size_t nr = most < COLLAPSES ? most : COLLAPSES;
	const size_t size = nr * HPAGE_PMD_SIZE;
	double ns[COLLAPSES];
	size_t done = 0;
	int why = 0;

	for (unsigned int round = 0; round < 2; round++) {
		char *p = calibrate_map(size, false);

		if (!p)
			return -ENOMEM;
		memset(p, 1, size);
		(void)madvise(p, size, MADV_HUGEPAGE);
		done = collapse_all(p, nr, ns, &why);
		calibrate_unmap(p, size);
	}
	if (done)
		fact_add(c, "collapse_2m", 1, ns, done);
	else
		gap_add(c, "collapse_2m", "MADV_COLLAPSE: %s", strerror(why));
	return 0;
}

#define CACHE_BYTES ((size_t)16 << 20)
#define CACHE_STEP ((size_t)256 << 10)

/* How many pages of the file are in the page cache; -errno. */
static int64_t cached_pages(int fd)
{
	unsigned char in_core[CACHE_BYTES / PAGE_SIZE];
	void *p = mmap(NULL, CACHE_BYTES, PROT_READ, MAP_SHARED, fd, 0);
	int64_t nr = 0;

	if (p == MAP_FAILED)
		return -errno;
	if (mincore(p, CACHE_BYTES, in_core))
		nr = -errno;
	munmap(p, CACHE_BYTES);
	for (size_t i = 0; nr >= 0 && i < sizeof(in_core); i++)
		nr += in_core[i] & 1;
	return nr;
}

static int fill_file(int fd)
{
	char *page = calloc(1, CACHE_STEP);
	int err = page ? 0 : -ENOMEM;

	for (size_t at = 0; at < CACHE_BYTES && !err; at += CACHE_STEP)
		if (pwrite(fd, page, CACHE_STEP, (off_t)at) !=
		    (ssize_t)CACHE_STEP)
			err = errno ? -errno : -EIO;
	free(page);
	return err ? err : fdatasync(fd) ? -errno : 0;
}

/* Clean pages dropped one stretch after the other; ns per page. */
static void drop_pages(struct calibration *c, int fd)
{
	const int64_t before = cached_pages(fd);
	double ns[CACHE_BYTES / CACHE_STEP];

	for (size_t i = 0; i < ARRAY_SIZE(ns); i++) {
		const uint64_t t0 = calibrate_now_ns();

		(void)posix_fadvise(fd, (off_t)(i * CACHE_STEP), CACHE_STEP,
				    POSIX_FADV_DONTNEED);
		ns[i] = (double)(calibrate_now_ns() - t0) /
			(double)(CACHE_STEP / PAGE_SIZE);
	}
	/* A file system in memory keeps them. */
	if (before <= 0 || cached_pages(fd) > before / 8)
		gap_add(c, "page_cache_drop", "files of %s stay in memory",
			guard_parent());
	else
		fact_add(c, "page_cache_drop", 1, ns, ARRAY_SIZE(ns));
}

int measure_page_cache(struct calibration *c)
{
	const int fd = guard_unnamed(guard_parent());
	int err;

	if (fd < 0) {
		gap_add(c, "page_cache_drop", "%s: %s", guard_parent(),
			strerror(-fd));
		return 0;
	}
	err = fill_file(fd);
	if (err)
		gap_add(c, "page_cache_drop", "%s: %s", guard_parent(),
			strerror(-err));
	else
		drop_pages(c, fd);
	close(fd);
	return 0;
}
