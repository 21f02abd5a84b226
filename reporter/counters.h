/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What designs count. reporter.h includes it. */
#ifndef REPORTER_COUNTERS_H
#define REPORTER_COUNTERS_H

#include "include/types.h"

/*
 * Counted by the designs; units are blocks or calls unless said otherwise.
 * Blocks and pages count when report(), send() or call() accepts them, whatever
 * the acknowledgement says later. docs/counters.md defines each.
 */
struct reporter_counters {
	uint64_t requests;        /* transitions to "work wanted" */
	uint64_t passes;          /* process() runs that looked at lists */
	uint64_t report_calls;    /* report() calls accepted */
	uint64_t report_errors;   /* refused, or acknowledged with an error */
	uint64_t blocks[NR_PAGE_ORDERS]; /* blocks reported, by order */
	uint64_t pages;           /* 4 KiB pages reported */
	uint64_t list_visits;     /* loop iterations over free lists */
	uint64_t lists_visited;   /* non-empty lists walked */
	uint64_t skipped_marked;  /* visits that only skipped a marked block */
	uint64_t isolate_refused; /* watermark refused an isolation */
	uint64_t gate_skips;      /* zones skipped by the watermark gate */
	uint64_t budget_stops;    /* lists left because the budget was spent */
	uint64_t rotations;
	uint64_t putback_merged;  /* drained blocks that merged: not marked */
	uint64_t longest_hold;    /* list nodes touched in one lock hold, max */
	uint64_t marked_pages;    /* pages of blocks marked as reported */
	uint64_t refault_pages;   /* pages of blocks that lost the mark */
	uint64_t factor_stops;    /* zones left at the reporting factor */

	/* A design that knows what reads as zeroes. */
	uint64_t zeroed_pages;    /* pages reported that the host zeroed */
	uint64_t putbacks;        /* blocks that it put back */
	uint64_t marks_carried;   /* blocks marked again without a report */

	/* A design that knows the future. */
	uint64_t kept_warm;       /* blocks left, as they are used soon */
	uint64_t misjudged;       /* blocks used when that was not foretold */

	uint64_t stale_bits;      /* bits of a map that meant nothing */

	/* Designs that learn of every free. */
	uint64_t captured;        /* frees remembered */
	uint64_t captures_lost;   /* frees that found no room */
	uint64_t captures_stale;  /* remembered, but not free when looked at */
	uint64_t captures_doubled; /* of a block that was remembered already */
	uint64_t captures_cut;    /* not looked at to the end for want of room */

	/* Pages that a design holds by allocation. */
	uint64_t balloon_inflate; /* pages given to the host */
	uint64_t balloon_deflate; /* pages taken back */
	uint64_t balloon_target; /* pages wanted in the balloon, now */
	uint64_t balloon_migrate; /* pages exchanged for compaction */
	uint64_t balloon_alloc_failures; /* allocations refused */
	uint64_t hint_sent;       /* pages of blocks hinted */
	uint64_t hint_polled;     /* blocks freed again: the queue was full */
	uint64_t hint_shrunk;     /* pages given back to a shrinker */
};

#endif
