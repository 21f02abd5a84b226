/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The loops of will-it-scale's page_fault1 and page_fault2 on the real kernel,
 * with the parts of an iteration timed apart: 128 MiB are mapped, one byte of
 * every 4 KiB page is written, all is unmapped, again and again for a slice of
 * the time. An iteration is a page.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "bench/calibrate_internal.h"
#include "include/guard.h"
#include "include/types.h"

#define LOOP_BYTES ((size_t)128 << 20)

enum loop_kind {
	LOOP_PAGE_FAULT1,        /* private anonymous, 4 KiB */
	LOOP_PAGE_FAULT1_THP,    /* with MADV_HUGEPAGE */
	LOOP_PAGE_FAULT2,        /* private mapping of a file */
	LOOP_READ_FAULT,         /* zero page */
	NR_LOOP_KINDS
};

/* The kinds of a process's samples. */
enum { TOUCH_NS, UNMAP_NS };

static const char *const loop_facts[NR_LOOP_KINDS][3] = {
	{ "page_fault1", "page_fault1_unmap", NULL },
	{ "page_fault1_thp", "page_fault1_thp_unmap", NULL },
	{ "page_fault2", "page_fault2_unmap", NULL },
	{ "read_fault", "read_fault_unmap", NULL },
};

static uint64_t faults_so_far(void)
{
	struct rusage u;

	getrusage(RUSAGE_SELF, &u);
	return (uint64_t)u.ru_minflt + (uint64_t)u.ru_majflt;
}

static int make_file(size_t size)
{
	const int fd = guard_unnamed(guard_parent());

	if (fd < 0)
		return fd;
	if (ftruncate(fd, (off_t)size)) {
		const int err = -errno;

		close(fd);
		return err;
	}
	return fd;
}

/* Several processes together keep within what may be used. */
static size_t loop_bytes(const struct calibration *c, unsigned int procs)
{
	const size_t share = c->memory / procs & ~(HPAGE_PMD_SIZE - 1);

	if (!share)
		return HPAGE_PMD_SIZE;
	return share < LOOP_BYTES ? share : LOOP_BYTES;
}

static char *loop_map(enum loop_kind kind, int fd, size_t size)
{
	char *p;

	if (kind != LOOP_PAGE_FAULT2)
		return calibrate_map(size, kind == LOOP_PAGE_FAULT1_THP);
	p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	return p == MAP_FAILED ? NULL : p;
}

static void loop_touch(enum loop_kind kind, char *p, size_t size)
{
	for (size_t at = 0; at < size; at += PAGE_SIZE)
		if (kind == LOOP_READ_FAULT)
			(void)*(volatile char *)(p + at);
		else
			*(volatile char *)(p + at) = 1;
}

/* One pass over a fresh mapping is a sample of each kind. */
static int loop_once(enum loop_kind kind, int fd, size_t size,
		     struct proc_samples *r)
{
	const double pages = (double)(size / PAGE_SIZE);
	char *p = loop_map(kind, fd, size);
	uint64_t t0, t1;

	if (!p)
		return -ENOMEM;
	t0 = calibrate_cpu_ns();
	loop_touch(kind, p, size);
	t1 = calibrate_cpu_ns();
	calibrate_unmap(p, size);
	add_sample(r, UNMAP_NS, (double)(calibrate_cpu_ns() - t1) / pages);
	add_sample(r, TOUCH_NS, (double)(t1 - t0) / pages);
	return 0;
}

/* The first pass warms page cache and page tables. */
static int loop_proc(struct proc_start *start, const struct calibration *c,
		     const void *arg, unsigned int procs,
		     struct proc_samples *out)
{
	const enum loop_kind kind = *(const enum loop_kind *)arg;
	const size_t size = loop_bytes(c, procs);
	int fd = kind == LOOP_PAGE_FAULT2 ? make_file(size) : -1, err = 0;
	uint64_t end;

	if (kind == LOOP_PAGE_FAULT2 && fd < 0)
		err = fd;
	if (!err)
		err = loop_once(kind, fd, size, out);
	memset(out->nr, 0, sizeof(out->nr));
	proc_ready(start);
	end = calibrate_now_ns() + c->slice_ns;
	while (!err && out->nr[TOUCH_NS] < CALIBRATE_PROC_SAMPLES &&
	       (!out->nr[TOUCH_NS] || calibrate_now_ns() < end))
		err = loop_once(kind, fd, size, out);
	return err;
}

static int loop_kind_facts(struct calibration *c, enum loop_kind kind,
			   unsigned int procs)
{
	if (time_is_over(c, loop_facts[kind][0]))
		return 0;
	return calibrate_procs(c, procs, loop_proc, &kind, loop_facts[kind]);
}

int measure_loops(struct calibration *c)
{
	int err = 0;

	for (int i = 0; i < NR_LOOP_KINDS && !err; i++)
		err = loop_kind_facts(c, (enum loop_kind)i, 1);
	for (int i = 0; i < NR_LOOP_KINDS && !err && c->procs > 1; i++)
		err = loop_kind_facts(c, (enum loop_kind)i, c->procs);
	return err;
}

bool calibrate_huge_pages(void)
{
	const size_t size = 8 * HPAGE_PMD_SIZE;
	char *p = calibrate_map(size, true);
	const uint64_t before = faults_so_far();
	uint64_t nr;

	if (!p)
		return false;
	loop_touch(LOOP_PAGE_FAULT1_THP, p, size);
	nr = faults_so_far() - before;
	calibrate_unmap(p, size);
	/* One of the eight may be had in small pages only. */
	return nr < size / PAGE_SIZE / 4;
}

int calibrate_page_faults(bool file, unsigned int procs, double *ns)
{
	const enum loop_kind kind = file ? LOOP_PAGE_FAULT2 : LOOP_PAGE_FAULT1;
	struct calibration *c = calloc(1, sizeof(*c));
	int err = c && procs ? 0 : -EINVAL;

	if (!err) {
		c->memory = LOOP_BYTES * procs;
		c->slice_ns = NSEC_PER_SEC;
		c->procs = procs;
		err = calibrate_procs(c, procs, loop_proc, &kind,
				      loop_facts[kind]);
	}
	if (!err)
		*ns = fact_find(c, loop_facts[kind][TOUCH_NS], procs)->ns +
		      fact_find(c, loop_facts[kind][UNMAP_NS], procs)->ns;
	free(c);
	return err;
}
