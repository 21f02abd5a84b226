/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Two hosts given the same accesses and discards, and compared after each: all
 * events, all gauges, and, where one of them is real memory, what its kernel
 * says. `buddylab conformance` holds the mock against the live host with it;
 * docs/live-host.md describes the cases.
 */
#ifndef HYPERVISOR_CONFORMANCE_H
#define HYPERVISOR_CONFORMANCE_H

#include "hypervisor/hypervisor.h"

struct conformance_result {
	const char *name;
	const char *model_options, *real_options; /* "key=value key=value" */
	uint64_t steps;          /* blocks accessed or discarded, compared */
	uint64_t mismatches;     /* 1 = a step differed; the case ends there */
	unsigned int repeats;    /* until it agreed, see `retries` */
	char first[320];         /* step and what differed, perhaps in a run
				  * before the last; "" = nothing */
	/* Of the model, sums over all steps. */
	uint64_t faults, huge_faults, splits, discards;
	uint64_t stray_faults;   /* of the real host */
};

struct conformance_request {
	const struct hypervisor_ops *model, *real;
	pfn_t nr_pages;          /* of a guest; a multiple of 4 MiB, at least 32 */
	unsigned int streams;    /* random ones */
	unsigned int steps;      /* of each */
	uint64_t seed;
	const char *only;        /* cases whose names match; NULL = all */
	/* A case that differs is run so many times more: what the kernel does
	 * on its own (khugepaged, a huge page that was not to be had) does not
	 * come back, a wrong model does. */
	unsigned int retries;
	void (*done)(void *ctx, const struct conformance_result *r);
	void *ctx;
};

struct conformance_total {
	uint64_t cases, steps, mismatches, repeats, stray_faults;
	/* Seen on the real host, and given to the model. */
	bool frees_tables;       /* DONTNEED of 2 MiB frees the page table */
};

/* 0; -ENOTSUP: not on this machine; -ENOENT: no case called `only`; -errno.
 * A sentence is in why. */
int conformance_run(const struct conformance_request *rq,
		    struct conformance_total *out, char *why, size_t why_size);

#endif
