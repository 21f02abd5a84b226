/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Hosts for tests, driven by short scripts and judged by named counters.
 *
 * A script is a list of commands, separated by `;`:
 *     w PFN ORDER [COUNT STEP]   guest writes the block, COUNT times, each
 *                                STEP pages further on
 *     r, z, t                    as w: reads, clears, page-table page
 *     d, b                       as w: block reported, block in the balloon
 *     l, e                       as w: dirty logging begins or the log is read;
 *                                logging ends (PFN, ORDER unused)
 *     k                          as w: khugepaged wakes up (PFN, ORDER unused)
 * An expectation is a list of NAME=VALUE, separated by spaces, where NAME is
 * an event or a member of struct hv_gauges.
 */
#ifndef TESTS_HYPERVISOR_HOST_H
#define TESTS_HYPERVISOR_HOST_H

#include "hypervisor/hypervisor.h"
#include "tests/test.h"

struct host {
	struct hypervisor hv;
	void *options;       /* owned */
	uint32_t guest;      /* the guest that scripts drive */
	struct hv_events ev; /* of the last script */
	int err;             /* of the first access that failed in it, else 0 */
	bool zeroed;         /* answer of its last discard */
	uint64_t logged;     /* answers of its dirty_log() */
	uint64_t sleep;      /* answer of its last wake-up of khugepaged */
};

/*
 * A host with the defaults and the options `key=value key=value` given; no
 * guest yet. `row` names the case in messages.
 */
void host_open(struct host *h, const char *row,
	       const struct hypervisor_ops *ops, const char *options);
void host_close(struct host *h);
/* The same before init(), which may refuse. */
void host_make(struct host *h, const char *row,
	       const struct hypervisor_ops *ops, const char *options);
/* False, and why, if this machine cannot be such a host (-ENOTSUP). */
bool host_possible(const struct hypervisor_ops *ops, const char *options,
		   char *why, size_t why_size);

/* host_open() and one guest of nr_pages. */
void host_boot(struct host *h, const char *row,
	       const struct hypervisor_ops *ops, const char *options,
	       pfn_t nr_pages);

/* Start from no events, run, and check() after each command and repetition
 * (with `checked`) or at the end. */
void host_run(struct host *h, const char *row, const char *script,
	      bool checked);

/* Events of the last script: those named have their value, all others 0. */
void host_expect_events(const struct host *h, const char *row,
			const char *expected);
/* Gauges of the guest and the host: those named have their value. */
void host_expect_gauges(const struct host *h, const char *row,
			const char *expected);

/* A table of cases: options, preparation, script, what it must cost. */
struct host_case {
	const char *name, *options;
	const char *before;  /* its events do not count; NULL = nothing */
	const char *script;
	const char *events;
	const char *gauges;  /* afterwards */
	int err;             /* expected of an access, 0 = none fails */
};

/* Each case on a new mock with a guest of nr_pages. */
void host_run_cases(const struct host_case *cases, size_t nr, pfn_t nr_pages);

#endif
