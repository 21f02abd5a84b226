/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A reporter is a design that tells the host which guest pages are free. One
 * file per design; adding one takes that file, a line in CMakeLists.txt and a
 * line in cli/registry.c (docs/writing-a-reporter.md).
 *
 * Order of calls:
 *   init -> { free_notify* | process | drain }* -> stop -> drain* -> destroy
 * process() runs when a delay asked for with env->schedule() has passed, or
 * at start. report() hands isolated blocks to the host and returns at once;
 * the host's acknowledgement arrives later as exactly one drain() with the
 * same entries. Between the two the entries belong to the host: they are on no
 * list, and allocation goes on meanwhile. process(), drain() and start() are
 * entered without any zone lock, and report() is called without one.
 *
 * Hooks (free_notify, block_unmark, tail_position) run under the zone lock:
 * they may change the reporter's own state and call env->schedule, no more.
 */
#ifndef REPORTER_REPORTER_H
#define REPORTER_REPORTER_H

#include "alloc/alloc.h"
#include "include/option.h"
#include "include/types.h"

#define REPORTER_MAX_CAPACITY 1024

struct page_report {
	pfn_t pfn;            /* first page of the block */
	uint8_t order;        /* block is 2^order pages */
	uint8_t migratetype;  /* of the list it came from */
	uint8_t zone;
};

/*
 * The reporter's only way to the guest and the host. Owned by the caller,
 * outlives the reporter. `view` is for reading (lists, zones, marks); every
 * change goes through the calls, which count and price it.
 */
struct reporter_env {
	void *ctx;
	const struct alloc *view;

	/*
	 * Zone lock. unlock() says how many list nodes the hold touched: looked
	 * at, put back or rotated. isolate() and putback() also show in the
	 * allocator's own work record; price one of the two.
	 */
	void (*lock)(void *ctx, unsigned int zone);
	void (*unlock)(void *ctx, unsigned int zone, uint32_t list_touches);

	/* Under the zone lock: as the calls of the same name in alloc.h. */
	bool (*isolate)(void *ctx, pfn_t pfn);
	void (*isolate_raw)(void *ctx, pfn_t pfn);
	void (*putback)(void *ctx, pfn_t pfn, unsigned int order,
			enum migratetype mt);
	void (*putback_tail)(void *ctx, pfn_t pfn, unsigned int order,
			     enum migratetype mt);
	void (*set_mark)(void *ctx, pfn_t pfn, enum block_mark m);
	void (*rotate_to_front)(void *ctx, pfn_t pfn);

	/*
	 * Give nr blocks (1..capacity) to the host; entries stay valid and
	 * untouched until drain(). 0, or -errno: refused, no drain() follows.
	 */
	int (*report)(void *ctx, struct page_report *entries, unsigned int nr);
	/* Ask for process() after delay_ns; replaces an earlier request. */
	void (*schedule)(void *ctx, sim_ns_t delay_ns);
	/* Forget the request. */
	void (*cancel)(void *ctx);
};

/*
 * Counted by the designs; units are blocks or calls unless said otherwise.
 * Blocks and pages count when report() accepts them, whatever the
 * acknowledgement says later.
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
};

struct reporter {
	const struct reporter_ops *ops;
	const struct reporter_env *env;
	const void *options;      /* ops->options.size bytes */
	struct reporter_counters counters;
	void *state;              /* ops->state_size bytes, zeroed before init */
};

struct reporter_ops {
	const char *name;         /* experiment spelling, unique */
	const char *summary;
	struct option_table options;
	size_t state_size;
	/* 0, or -errno (bad combination of options; memory) with a reason. */
	int (*init)(struct reporter *r, char *why, size_t why_size);
	/*
	 * Start: the device appears; usually schedules the first process().
	 * Called again, it asks for another pass.
	 */
	void (*start)(struct reporter *r);
	void (*process)(struct reporter *r);
	void (*drain)(struct reporter *r, struct page_report *entries,
		      unsigned int nr, int err);
	/*
	 * The device goes away, process() will not be called again. Work that
	 * is under way may go on, as the kernel waits for a running work item:
	 * drain() may still report(). After the last drain() nothing is
	 * isolated.
	 */
	void (*stop)(struct reporter *r);
	/* True if nothing is pending, in flight or scheduled. */
	bool (*idle)(const struct reporter *r);
	/* Every promise of the design; NULL or a description. */
	const char *(*check)(const struct reporter *r);
	/* Last; a run may end while entries are with the host. */
	void (*destroy)(struct reporter *r);

	/* Hooks into the allocator; NULL = not wanted. See alloc_hooks. */
	unsigned int (*notify_order)(const struct reporter *r);
	void (*free_notify)(struct reporter *r, unsigned int zone, pfn_t pfn,
			    unsigned int order);
	bool unmark_on_move;
	void (*block_unmark)(struct reporter *r, unsigned int zone, pfn_t pfn,
			     unsigned int order, enum migratetype mt,
			     enum unmark_reason why);
	pfn_t (*tail_position)(struct reporter *r, unsigned int zone,
			       unsigned int order, enum migratetype mt);
	/* Wants env->next_use(): cells take a first pass without reporting. */
	bool needs_future;
	/*
	 * Position of the design's boundary on a list, for `step`'s `lists`:
	 * true and *pfn (PFN_NONE = at the end) while one exists.
	 */
	bool (*boundary)(const struct reporter *r, unsigned int zone,
			 unsigned int order, enum migratetype mt, pfn_t *pfn);
};

extern const struct reporter_ops none_reporter;
extern const struct reporter_ops page_reporting_reporter;
extern const struct reporter_ops hinted_boundary_reporter;
extern const struct reporter_ops skeleton_reporter;

/*
 * Fill the reporter's part of *h (reporter_ctx and the hooks that the design
 * wants; NULL for the others); the rest of *h is left alone.
 */
void reporter_fill_hooks(struct reporter *r, struct alloc_hooks *h);

#endif
