/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The reporter's side of kernel/bridge.h, as its parts see it: kernel/plugin.c
 * is the design, kernel/bridge.c what the kernel's side calls.
 */
#ifndef KERNEL_PLUGIN_H
#define KERNEL_PLUGIN_H

#include <stddef.h>
#include <ucontext.h>

#include "kernel/bridge.h"
#include "reporter/reporter.h"

/* What the file has allocated, so that it goes with the guest. */
struct heap {
	struct heap *next, **link;
	max_align_t bytes[];
};

struct kernel_state {
	struct reporter *r;
	unsigned char *image;
	void *memory, *stack;
	size_t memory_bytes;
	ucontext_t outside, work;
	struct heap *heap;
	bool started, armed;
	bool working;              /* between the work's begin and its end */
	bool waiting;              /* ... in a report */
	bool counted;              /* this pass, in counters.passes */
	bool answered;             /* the next lock is for a drain */
	bool again;                /* due while it ran: begins when it ends */
	unsigned int order;
	unsigned int zone;
	uint32_t touches;
	int err;
	unsigned int nr;
	struct page_report entries[REPORTER_MAX_CAPACITY];
};

/* For whom code of the kernel runs; NULL: none does. */
extern struct kernel_state *current;

void heap_free(struct heap *h);

#endif
