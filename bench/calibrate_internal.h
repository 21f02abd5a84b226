/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Shared by the files that measure this host. Short steps are timed by the
 * clock and their median is taken; long ones by the CPU time of the thread, in
 * which other programs on the machine do not count.
 */
#ifndef BENCH_CALIBRATE_INTERNAL_H
#define BENCH_CALIBRATE_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Large enough that no cache keeps it until it is used again. */
#define CALIBRATE_COLD_BYTES ((size_t)384 << 20)

uint64_t calibrate_now_ns(void);
uint64_t calibrate_cpu_ns(void);
/* Anonymous memory aligned to 2 MiB; advice MADV_HUGEPAGE or not. NULL: no. */
void *calibrate_map(size_t size, bool huge);
void calibrate_unmap(void *p, size_t size);
/* Store zeros the way the kernel clears a page. */
void calibrate_clear(void *p, size_t size);
/* Median of n values, which are sorted in place. */
double calibrate_median(double *v, size_t n);

/* ---- single costs, in nanoseconds; each 0 or -errno; calibrate_micro.c ---- */

struct clear_cost {
	double cold, again;      /* 2 MiB */
};

struct discard_cost {
	double order0, order8;   /* of memory mapped by 4 KiB pages */
	double order9, order10;  /* of memory mapped by huge pages */
};

int measure_clear(struct clear_cost *out);
/* MADV_DONTNEED of one block of memory that is there. */
int measure_discard(struct discard_cost *out);
/* Pointer chase through memory that is in no cache. */
int measure_cold_node(double *out);
/* One store per mapped 4 KiB page; a lock without anybody else. */
int measure_touch(double *out);
double measure_lock(void);
/* mmap and munmap of memory that was not touched, per call. */
int measure_syscall(double *out);

/* ---- loops of will-it-scale, in processes; calibrate_procs.c ---- */

enum loop_kind {
	LOOP_PAGE_FAULT1,        /* private anonymous, 4 KiB */
	LOOP_PAGE_FAULT1_THP,    /* with MADV_HUGEPAGE */
	LOOP_PAGE_FAULT2,        /* private mapping of a file */
	LOOP_READ_FAULT,         /* zero page */
	LOOP_CLEAR,              /* no fault: 2 MiB cleared over and over */
	NR_LOOP_KINDS
};

/* Mean over the processes. */
struct loop_cost {
	double iteration_ns;     /* touch and unmap, per 4 KiB */
	double touch_ns;         /* of it without mmap and munmap */
	double unmap_ns;
	double faults;           /* per iteration */
};

/* 0, or -errno if a process failed. */
int measure_loop(enum loop_kind kind, unsigned int nr_procs,
		 struct loop_cost *out);

#endif
