/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The harness of `buddylab bench`: rows that are measured one after the other,
 * each in a process of its own, so that no row sees the memory of another.
 * What is measured is the caller's; targets are data of the row.
 */
#ifndef BENCH_SELFBENCH_H
#define BENCH_SELFBENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define SELFBENCH_MAX_REPEAT 99u
#define SELFBENCH_NO_PEER 77   /* run() and setup(): nothing to measure here */

/* CPU time of this process, and of the calling thread alone, and wall time
 * between start and stop. */
struct selfbench_timer {
	uint64_t cpu_from, thread_from, wall_from;
	uint64_t cpu_ns, thread_ns, wall_ns;
};

void selfbench_start(struct selfbench_timer *t);
void selfbench_stop(struct selfbench_timer *t);

struct selfbench_sample {
	double value;          /* in the row's unit */
	uint64_t cpu_ns, wall_ns;
};

/* What of units and times is the value. */
double selfbench_millions_per_s(const struct selfbench_timer *t,
				uint64_t units);
/* Of two threads that work side by side: by the CPU time of the busier one. */
double selfbench_pipelined_millions_per_s(const struct selfbench_timer *t,
					  uint64_t units);
double selfbench_ns_per(const struct selfbench_timer *t, uint64_t units);

struct selfbench_row {
	const char *name;      /* "order0-pair" */
	const char *what;      /* for people */
	const char *unit;
	bool higher;           /* is better */
	bool slow;             /* no warm-up, three samples at most */
	bool named_only;       /* runs only if asked for by name */
	double goal, floor;    /* 0 = no target */
	/*
	 * Build what every sample needs in *ctx; `samples` are to come, warm-up
	 * included. May be NULL. 0, SELFBENCH_NO_PEER or -errno, with a reason.
	 */
	int (*setup)(const struct selfbench_row *row, unsigned int samples,
		     void **ctx, char *why, size_t why_size);
	int (*run)(const struct selfbench_row *row, void *ctx,
		   struct selfbench_sample *out, char *why, size_t why_size);
	void (*teardown)(void *ctx);
	const void *arg;       /* for setup and run */
};

enum selfbench_status { SELFBENCH_DONE, SELFBENCH_SKIPPED, SELFBENCH_FAILED };

struct selfbench_spread {
	double min, median, max;
};

struct selfbench_result {
	const struct selfbench_row *row;
	enum selfbench_status status;
	char why[256];         /* not done */
	unsigned int nr;       /* samples */
	struct selfbench_sample samples[SELFBENCH_MAX_REPEAT];
	struct selfbench_spread value, cpu_s, wall_s;
};

/* Measure one row. 0, or -errno if no process could be made for it. */
int selfbench_run(const struct selfbench_row *row, unsigned int repeat,
		  struct selfbench_result *out);
/* "met", "floor", "missed"; "-" without target or value. */
const char *selfbench_verdict(const struct selfbench_result *r);

/* ---- the machine and the program ---- */

struct selfbench_machine {
	char cpu[128], kernel[128], compiler[128], build[64];
	char caches[128];      /* "L1d 32K, L2 1M, L3 32M" */
	unsigned int packages, cores, pus, nodes;
	uint64_t memory;       /* bytes */
	double load;           /* 1-minute load average when asked */
	bool assumed;          /* the topology is not this machine's */
};

void selfbench_machine(struct selfbench_machine *m, const char *compiler,
		       const char *build);
/* The machine alone, in one line, as timed results name it. */
void selfbench_machine_line(char *out, size_t out_size);

/* ---- output ---- */

/* One value over another, worth a line of its own. */
struct selfbench_ratio {
	const char *name, *of, *over;   /* rows */
	const char *what;
	double goal;                    /* at most; 0 = none */
};

struct selfbench_report {
	const struct selfbench_machine *machine;
	const struct selfbench_result *results;
	size_t nr;
	const struct selfbench_ratio *ratios;
	size_t nr_ratios;
	unsigned int repeat;
};

void selfbench_print_text(const struct selfbench_report *r, FILE *out);
/* 0 or -ENOMEM or -EIO. */
int selfbench_print_json(const struct selfbench_report *r, FILE *out);
/* False: one of the two rows has no value. */
bool selfbench_ratio(const struct selfbench_report *r,
		     const struct selfbench_ratio *ratio, double *out);
/* "met", "missed"; NULL without a goal. */
const char *selfbench_ratio_verdict(const struct selfbench_ratio *ratio,
				    double value);

/* ---- the same loops on the kernel that this program runs on ---- */

/*
 * page_fault1 (or 2) in processes pinned to CPUs: pages a second, all of them.
 * 0 or -errno.
 */
int selfbench_kernel_faults(bool file, unsigned int procs, double *per_s,
			    double *cpu_ns_per_fault);

#endif
