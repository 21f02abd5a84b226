/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Costs of single steps of a program on this host: stores to memory that is
 * mapped, a lock, a system call.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "bench/calibrate_internal.h"
#include "include/types.h"

#define ROUNDS 15
#define TOUCH_BYTES ((size_t)128 << 20)

/* ---- mapped memory ---- */

static double store_pass(char *p, size_t size)
{
	const uint64_t t0 = calibrate_cpu_ns();

	for (size_t at = 0; at < size; at += PAGE_SIZE)
		*(volatile char *)(p + at) = 1;
	return (double)(calibrate_cpu_ns() - t0) / (double)(size / PAGE_SIZE);
}

static double fill_pass(char *p, size_t size)
{
	const uint64_t t0 = calibrate_cpu_ns();

	memset(p, 1, size);
	__asm__ volatile("" : : "r"(p) : "memory");
	return (double)(calibrate_cpu_ns() - t0) / (double)(size / PAGE_SIZE);
}

static int measure_mapped(struct calibration *c, bool huge, const char *store,
			  const char *fill)
{
	const size_t half = c->memory / 2 & ~(HPAGE_PMD_SIZE - 1);
	const size_t size = half < TOUCH_BYTES ? half : TOUCH_BYTES;
	char *p = calibrate_map(size, huge);
	double stores[ROUNDS], fills[ROUNDS];

	if (!p)
		return -ENOMEM;
	memset(p, 1, size);
	for (size_t i = 0; i < ROUNDS; i++) {
		stores[i] = store_pass(p, size);
		fills[i] = fill_pass(p, size);
	}
	fact_add(c, store, 1, stores, ROUNDS);
	fact_add(c, fill, 1, fills, ROUNDS);
	calibrate_unmap(p, size);
	return 0;
}

int measure_touches(struct calibration *c)
{
	const int err = measure_mapped(c, true, "store_huge", "fill_huge");

	return err ? err :
		     measure_mapped(c, false, "store_small", "fill_small");
}

/* ---- locks and calls ---- */

#define LOCKS 500000
#define CALLS 2000

int measure_lock(struct calibration *c)
{
	double ns[ROUNDS];
	int lock = 0;

	for (size_t i = 0; i < ROUNDS; i++) {
		const uint64_t t0 = calibrate_cpu_ns();

		for (int n = 0; n < LOCKS; n++) {
			while (__atomic_exchange_n(&lock, 1, __ATOMIC_ACQUIRE))
				;
			__atomic_store_n(&lock, 0, __ATOMIC_RELEASE);
		}
		ns[i] = (double)(calibrate_cpu_ns() - t0) / LOCKS;
	}
	fact_add(c, "lock", 1, ns, ROUNDS);
	return 0;
}

/* mmap and munmap of memory that is not touched, per call. */
int measure_syscall(struct calibration *c)
{
	double ns[ROUNDS];

	for (size_t i = 0; i < ROUNDS; i++) {
		const uint64_t t0 = calibrate_cpu_ns();

		for (int n = 0; n < CALLS / 2; n++) {
			void *p = mmap(NULL, TOUCH_BYTES,
				       PROT_READ | PROT_WRITE,
				       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

			if (p == MAP_FAILED)
				return -errno;
			munmap(p, TOUCH_BYTES);
		}
		ns[i] = (double)(calibrate_cpu_ns() - t0) / CALLS;
	}
	fact_add(c, "syscall", 1, ns, ROUNDS);
	return 0;
}
