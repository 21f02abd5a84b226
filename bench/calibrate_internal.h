/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Shared by the files that measure this host. Each measurement ends as a
 * *fact*: a median of many samples with its spread, under a name and a number
 * of processes. Prices are made of facts (calibrate_prices.c), and of nothing
 * else. Short steps are timed by the clock; long ones by the CPU time of the
 * process, in which other programs on the machine do not count.
 */
#ifndef BENCH_CALIBRATE_INTERNAL_H
#define BENCH_CALIBRATE_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "bench/calibrate.h"

#define CALIBRATE_MAX_FACTS 192
#define CALIBRATE_MAX_GAPS 32

struct fact {
	char name[32];             /* "clear_2m_cold", "discard_order3" */
	unsigned int procs;        /* that did the same at the same time */
	double ns;                 /* median */
	double spread;             /* half of what 80 % of the samples cover,
				    * as a share of the median */
	unsigned int samples;
};

/* What could not be measured, and why. */
struct gap {
	char name[32], why[96];
};

/* A run of `buddylab calibrate`. */
struct calibration {
	uint64_t memory;           /* bytes to be touched beside the next */
	uint64_t cold_bytes;       /* more than the caches hold */
	char *cold;                /* mapped by huge pages, written */
	uint64_t slice_ns;         /* for one loop */
	uint64_t deadline_ns;      /* no measurement begins after it */
	unsigned int procs;        /* the most at a time */
	struct fact facts[CALIBRATE_MAX_FACTS];
	unsigned int nr_facts;
	struct gap gaps[CALIBRATE_MAX_GAPS];
	unsigned int nr_gaps;
	char machine[96];
};

/* ---- facts; calibrate_facts.c ---- */

/* Median and spread of n > 0 samples, which are sorted in place. */
void fact_add(struct calibration *c, const char *name, unsigned int procs,
	      double *ns, size_t n);
/* 80 % of the samples lie further apart than twice their median: no price is
 * made of it. */
#define FACT_TOO_WIDE 1.0
/* NULL: not measured. */
const struct fact *fact_find(const struct calibration *c, const char *name,
			     unsigned int procs);
__attribute__((format(printf, 3, 4)))
void gap_add(struct calibration *c, const char *name, const char *fmt, ...);

/* The deadline has passed: a gap, and the measurement is not begun. */
bool time_is_over(struct calibration *c, const char *name);

uint64_t calibrate_now_ns(void);
uint64_t calibrate_cpu_ns(void);
/* Anonymous memory aligned to 2 MiB; advice MADV_HUGEPAGE or not. NULL: no. */
void *calibrate_map(size_t size, bool huge);
void calibrate_unmap(void *p, size_t size);
/* Store zeros the way the kernel clears a page. */
void calibrate_clear(void *p, size_t size);
/* Does this host back an advised mapping with huge pages? */
bool calibrate_huge_pages(void);
/* 1, 2, 4 ... and the most; 0 after the last. */
unsigned int calibrate_next_procs(const struct calibration *c, unsigned int n);

/* ---- measurements; each 0 or -errno, what a host cannot do is a gap ---- */

typedef int (*measure_fn)(struct calibration *c);

int measure_loops(struct calibration *c);        /* calibrate_loops.c */
/* One second of page_fault1 or 2: ns per page, faulted and unmapped. */
int calibrate_page_faults(bool file, unsigned int procs, double *ns);
int measure_clears(struct calibration *c);       /* calibrate_clear.c */
int measure_discards(struct calibration *c);     /* calibrate_discard.c */
int measure_cold(struct calibration *c);         /* calibrate_cold.c */
int measure_touches(struct calibration *c);      /* calibrate_micro.c */
int measure_lock(struct calibration *c);
int measure_syscall(struct calibration *c);
int measure_collapse(struct calibration *c);     /* calibrate_kernel.c */
int measure_page_cache(struct calibration *c);

/* ---- the same in several processes at a time; calibrate_procs.c ---- */

/* Samples of one process, in memory that all of them share. */
#define CALIBRATE_PROC_SAMPLES 128
#define CALIBRATE_PROC_KINDS 4
struct proc_samples {
	double ns[CALIBRATE_PROC_KINDS][CALIBRATE_PROC_SAMPLES];
	unsigned int nr[CALIBRATE_PROC_KINDS];
	int error;
};

static inline void add_sample(struct proc_samples *r, unsigned int kind,
			      double ns)
{
	r->ns[kind][r->nr[kind]++] = ns;
}

/*
 * In a child that stays on its CPU. `proc_ready` has to be called once, when all is
 * prepared: it returns when all processes are that far.
 */
struct proc_start {
	unsigned int ready;        /* processes that wait for the others */
	unsigned int nr;
};
void proc_ready(struct proc_start *s);
/* So many will not come: let the others go on. */
void proc_missing(struct proc_start *s, unsigned int nr);
/* The n-th CPU that this thread may run on. */
void calibrate_stay_on_cpu(unsigned int n);
typedef int (*proc_fn)(struct proc_start *start, const struct calibration *c,
		       const void *arg, unsigned int procs,
		       struct proc_samples *out);
/*
 * All samples of kind k of all processes go to facts `names[k]`; NULL ends the
 * names. 0 or -errno.
 */
int calibrate_procs(struct calibration *c, unsigned int procs, proc_fn fn,
		    const void *arg, const char *const *names);

/* ---- results; calibrate_prices.c, calibrate_print.c ---- */

void calibrate_prices(const struct calibration *c, struct price_list *l);
/* Share of a huge page's 512 iterations that a clear takes; 0: not known. */
double calibrate_zero_share(const struct calibration *c, const char *clear,
			    unsigned int procs);
void calibrate_print(const struct calibration *c, const struct price_list *l,
		     FILE *out);
int calibrate_print_json(const struct calibration *c,
			 const struct price_list *l, FILE *out);

#endif
