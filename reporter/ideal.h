/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Private to the ideal design and its tests. */
#ifndef REPORTER_IDEAL_H
#define REPORTER_IDEAL_H

#include "reporter/reporter.h"

/* Freed blocks remembered; with more, all lists are looked at instead. */
#define IDEAL_QUEUE 4096

struct ideal_options {
	unsigned int order;   /* 0 = pageblock_order, n = n + 8 */
	uint64_t payback_ns;
	uint64_t capacity;    /* blocks per report */
	uint64_t delay_ns;
};

enum ideal_state { IDEAL_IDLE, IDEAL_WAITING, IDEAL_WITH_HOST };

/* Where a block with the host was, and what was known of it. */
struct ideal_place {
	pfn_t before;         /* its successor on the list; PFN_NONE: none */
	uint8_t pageblock_mt; /* type of its pageblock then */
	sim_ns_t next_use;    /* from the decision on */
};

struct ideal {
	enum ideal_state state;
	unsigned int order;
	unsigned int capacity;
	bool started;         /* between start() and stop() */
	bool rescan;          /* look at all lists, not at the queue */
	bool more;            /* candidates came while the host worked */
	unsigned int nr;      /* blocks with the host */
	pfn_t put_before;     /* in a putback: where it goes */
	unsigned int put_order;
	unsigned int nr_queue;
	pfn_t queue[IDEAL_QUEUE];
	uint64_t *misjudged;  /* bit per region: used before it was foretold */
	size_t misjudged_words;
	struct page_report sg[REPORTER_MAX_CAPACITY];
	struct ideal_place place[REPORTER_MAX_CAPACITY];
};

#endif
