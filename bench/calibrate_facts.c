/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Facts, and what every measurement needs: clocks, memory, clearing. */
#define _GNU_SOURCE
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "bench/calibrate_internal.h"
#include "include/check.h"
#include "include/types.h"

static int by_value(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

void fact_add(struct calibration *c, const char *name, unsigned int procs,
	      double *ns, size_t n)
{
	struct fact *f = &c->facts[c->nr_facts];

	CHECK_LT(c->nr_facts, CALIBRATE_MAX_FACTS);
	CHECK(n > 0);
	qsort(ns, n, sizeof(*ns), by_value);
	*f = (struct fact){ .procs = procs, .ns = ns[n / 2],
			    .samples = (unsigned int)n };
	snprintf(f->name, sizeof(f->name), "%s", name);
	if (f->ns > 0)
		f->spread = (ns[n - 1 - n / 10] - ns[n / 10]) / 2 / f->ns;
	c->nr_facts++;
}

const struct fact *fact_find(const struct calibration *c, const char *name,
			     unsigned int procs)
{
	for (unsigned int i = 0; i < c->nr_facts; i++)
		if (c->facts[i].procs == procs &&
		    !strcmp(c->facts[i].name, name))
			return &c->facts[i];
	return NULL;
}

void gap_add(struct calibration *c, const char *name, const char *fmt, ...)
{
	struct gap *g = &c->gaps[c->nr_gaps];
	va_list ap;

	CHECK_LT(c->nr_gaps, CALIBRATE_MAX_GAPS);
	snprintf(g->name, sizeof(g->name), "%s", name);
	va_start(ap, fmt);
	vsnprintf(g->why, sizeof(g->why), fmt, ap);
	va_end(ap);
	c->nr_gaps++;
}

bool time_is_over(struct calibration *c, const char *name)
{
	if (calibrate_now_ns() <= c->deadline_ns)
		return false;
	gap_add(c, name, "the time was over");
	return true;
}

uint64_t calibrate_now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * NSEC_PER_SEC + (uint64_t)t.tv_nsec;
}

uint64_t calibrate_cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (uint64_t)t.tv_sec * NSEC_PER_SEC + (uint64_t)t.tv_nsec;
}

void *calibrate_map(size_t size, bool huge)
{
	const size_t all = size + HPAGE_PMD_SIZE;
	char *p = mmap(NULL, all, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	size_t before;

	if (p == MAP_FAILED)
		return NULL;
	before = (HPAGE_PMD_SIZE - (uintptr_t)p % HPAGE_PMD_SIZE) %
		 HPAGE_PMD_SIZE;
	if (before)
		munmap(p, before);
	munmap(p + before + size, all - size - before);
	/* Without huge pages the numbers say so; nothing to handle here. */
	(void)madvise(p + before, size, huge ? MADV_HUGEPAGE :
					       MADV_NOHUGEPAGE);
	return p + before;
}

void calibrate_unmap(void *p, size_t size)
{
	if (p)
		munmap(p, size);
}

void calibrate_clear(void *p, size_t size)
{
#if defined(__x86_64__)
	__asm__ volatile("rep stosb" : "+D"(p), "+c"(size) : "a"(0) :
			 "memory");
#else
	memset(p, 0, size);
	__asm__ volatile("" : : "r"(p) : "memory");
#endif
}

unsigned int calibrate_next_procs(const struct calibration *c, unsigned int n)
{
	if (!n)
		return 1;
	if (n == c->procs)
		return 0;
	return n * 2 < c->procs ? n * 2 : c->procs;
}
