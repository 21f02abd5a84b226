/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Costs of single steps on this host: clearing, discarding, cold list nodes.
 * All of it in this process, without privilege.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "bench/calibrate_internal.h"
#include "include/rng.h"
#include "include/types.h"

#define LINE 64
#define ROUNDS 7
#define CHASE_STEPS 2000000

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

static int by_value(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

double calibrate_median(double *v, size_t n)
{
	qsort(v, n, sizeof(*v), by_value);
	return v[n / 2];
}

/* ---- clearing ---- */

/* Region after region: when one comes again, the others have pushed it out. */
int measure_clear(struct clear_cost *out)
{
	const size_t nr = CALIBRATE_COLD_BYTES / HPAGE_PMD_SIZE;
	double *cold = calloc(2 * nr, sizeof(*cold)), *again = cold + nr;
	char *p = calibrate_map(CALIBRATE_COLD_BYTES, true);
	size_t i;

	if (!p || !cold) {
		free(cold);
		if (p)
			calibrate_unmap(p, CALIBRATE_COLD_BYTES);
		return -ENOMEM;
	}
	memset(p, 1, CALIBRATE_COLD_BYTES);
	for (i = 0; i < nr; i++) {
		char *region = p + i * HPAGE_PMD_SIZE;
		uint64_t t0 = calibrate_now_ns(), t1, t2;

		calibrate_clear(region, HPAGE_PMD_SIZE);
		t1 = calibrate_now_ns();
		calibrate_clear(region, HPAGE_PMD_SIZE);
		t2 = calibrate_now_ns();
		cold[i] = (double)(t1 - t0);
		again[i] = (double)(t2 - t1);
	}
	out->cold = calibrate_median(cold, nr);
	out->again = calibrate_median(again, nr);
	free(cold);
	calibrate_unmap(p, CALIBRATE_COLD_BYTES);
	return 0;
}

/* ---- discarding ---- */

/* Median time of madvise() over all blocks of `order` in a filled mapping. */
static int discard_blocks(unsigned int order, bool huge, double *out)
{
	const size_t block = PAGE_SIZE << order, size = (size_t)64 << 20;
	const size_t nr = size / block;
	double *ns = calloc(nr, sizeof(*ns));
	char *p = calibrate_map(size, huge);
	int err = ns && p ? 0 : -ENOMEM;

	if (!err)
		memset(p, 1, size);
	for (size_t i = 0; i < nr && !err; i++) {
		const uint64_t t0 = calibrate_now_ns();

		if (madvise(p + i * block, block, MADV_DONTNEED))
			err = -errno;
		ns[i] = (double)(calibrate_now_ns() - t0);
	}
	if (!err)
		*out = calibrate_median(ns, nr);
	free(ns);
	if (p)
		calibrate_unmap(p, size);
	return err;
}

int measure_discard(struct discard_cost *out)
{
	int err = discard_blocks(0, false, &out->order0);

	if (!err)
		err = discard_blocks(8, false, &out->order8);
	if (!err)
		err = discard_blocks(HPAGE_PMD_ORDER, true, &out->order9);
	if (!err)
		err = discard_blocks(MAX_PAGE_ORDER, true, &out->order10);
	return err;
}

/* ---- cold list nodes ---- */

/* One cycle through all lines, in random order (Sattolo). */
static void make_cycle(uint32_t *next, char *p, size_t nr)
{
	struct rng r;
	size_t i;

	rng_init(&r, 1, "chase", 0);
	for (i = 0; i < nr; i++)
		next[i] = (uint32_t)i;
	for (i = nr - 1; i > 0; i--) {
		const uint32_t k = rng_below(&r, (uint32_t)i);
		const uint32_t t = next[i];

		next[i] = next[k];
		next[k] = t;
	}
	for (i = 0; i < nr; i++)
		memcpy(p + i * LINE, &next[i], sizeof(next[i]));
}

int measure_cold_node(double *out)
{
	const size_t nr = CALIBRATE_COLD_BYTES / LINE;
	char *p = calibrate_map(CALIBRATE_COLD_BYTES, true);
	uint32_t *next = malloc(nr * sizeof(*next)), at = 0;
	uint64_t t0;

	if (!p || !next) {
		free(next);
		if (p)
			calibrate_unmap(p, CALIBRATE_COLD_BYTES);
		return -ENOMEM;
	}
	make_cycle(next, p, nr);
	free(next);
	t0 = calibrate_cpu_ns();
	for (size_t i = 0; i < CHASE_STEPS; i++)
		at = *(volatile uint32_t *)(void *)(p + (size_t)at * LINE);
	*out = (double)(calibrate_cpu_ns() - t0) / CHASE_STEPS;
	__asm__ volatile("" : : "r"(at));
	calibrate_unmap(p, CALIBRATE_COLD_BYTES);
	return 0;
}

/* ---- small steps ---- */

int measure_touch(double *out)
{
	const size_t size = (size_t)128 << 20;
	char *p = calibrate_map(size, true);
	double ns[ROUNDS];

	if (!p)
		return -ENOMEM;
	memset(p, 1, size);
	for (size_t i = 0; i < ROUNDS; i++) {
		const uint64_t t0 = calibrate_cpu_ns();

		for (size_t at = 0; at < size; at += PAGE_SIZE)
			*(volatile char *)(p + at) = 1;
		ns[i] = (double)(calibrate_cpu_ns() - t0) /
			(double)(size / PAGE_SIZE);
	}
	*out = calibrate_median(ns, ROUNDS);
	calibrate_unmap(p, size);
	return 0;
}

double measure_lock(void)
{
	const int nr = 10000000;
	const uint64_t t0 = calibrate_cpu_ns();
	int lock = 0;

	for (int i = 0; i < nr; i++) {
		while (__atomic_exchange_n(&lock, 1, __ATOMIC_ACQUIRE))
			;
		__atomic_store_n(&lock, 0, __ATOMIC_RELEASE);
	}
	return (double)(calibrate_cpu_ns() - t0) / nr;
}

int measure_syscall(double *out)
{
	const size_t size = (size_t)128 << 20;
	const int nr = 20000;
	const uint64_t t0 = calibrate_cpu_ns();

	for (int i = 0; i < nr; i++) {
		void *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
			       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		if (p == MAP_FAILED)
			return -errno;
		munmap(p, size);
	}
	*out = (double)(calibrate_cpu_ns() - t0) / nr / 2;
	return 0;
}
