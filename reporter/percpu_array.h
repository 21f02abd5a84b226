/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Private to the percpu_array design: percpu_array.c remembers frees and has
 * the states, percpu_array_scan.c looks at what was remembered and returns
 * what the host has seen, percpu_array_check.c has the promises.
 */
#ifndef REPORTER_PERCPU_ARRAY_H
#define REPORTER_PERCPU_ARRAY_H

#include "reporter/reporter.h"

enum percpu_array_variant {
	ARRAY_V8,             /* February 2019, as its mail describes it */
	ARRAY_V8_SNAPSHOT,    /* ... as the author's tree had it */
	ARRAY_V9,             /* March 2019 */
};

struct percpu_array_options {
	unsigned int variant; /* enum percpu_array_variant */
	unsigned int order;   /* 0 = the variant's, n = order n - 1 */
	uint64_t capacity;    /* entries of the array of a CPU */
	uint64_t threshold;   /* entries that start the work; 0 = variant's */
	uint64_t wake_ns;     /* from waking a thread until it runs */
};

enum array_state {
	ARRAY_CAPTURE,        /* remembering frees */
	ARRAY_WAKING,         /* the CPU's thread is about to run */
	ARRAY_WITH_HOST,      /* it waits for the host */
};

struct captured_block {
	pfn_t pfn;
	uint8_t order, zone;
};

struct array_cpu {
	enum array_state state;
	unsigned int nr;           /* entries in captured */
	unsigned int nr_isolated;  /* blocks in isolated, with the host */
	bool compacted;            /* no two entries are of the same block */
	struct captured_block *captured;
	struct page_report *isolated;
};

struct percpu_array {
	unsigned int order;        /* smallest order remembered */
	unsigned int capacity, threshold;
	bool registered;           /* between start() and stop() */
	unsigned int nr_cpus;
	uint64_t frees;            /* that the design was told of */
	uint32_t touches;          /* list nodes touched in this hold */
	struct array_cpu *cpus;
	struct captured_block *captured; /* of all CPUs, one after the other */
	struct page_report *isolated;
	/* Scratch of one compaction: PFNs + 1, hashed; 0 = empty. */
	pfn_t *seen;
	unsigned int nr_seen;      /* slots, a power of two */
};

static inline const struct percpu_array_options *
percpu_array_options(const struct reporter *r)
{
	return r->options;
}

/*
 * percpu_array_scan.c. compact: what is worth keeping of a CPU's array; scan:
 * isolate what of it is free; put_back: give isolated blocks to the guest.
 */
void percpu_array_compact(struct reporter *r, unsigned int cpu);
void percpu_array_scan(struct reporter *r, unsigned int cpu);
void percpu_array_put_back(struct reporter *r, unsigned int cpu);

/* percpu_array_check.c */
const char *percpu_array_check(const struct reporter *r);

#endif
