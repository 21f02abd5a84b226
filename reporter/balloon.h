/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Private to the balloon design: balloon.c is the state machine and the calls
 * of the reporter, balloon_step.c inflates and deflates, balloon_pages.c keeps
 * the pages, balloon_check.c the promises.
 */
#ifndef REPORTER_BALLOON_H
#define REPORTER_BALLOON_H

#include "reporter/balloon_pages.h"
#include "reporter/reporter.h"

enum balloon_state {
	BALLOON_IDLE,
	BALLOON_QUEUED,    /* the size work is to run */
	BALLOON_SLEEPING,  /* an allocation failed; pages may be pending */
	BALLOON_INFLATING, /* with the host; the balloon's lock is held */
	BALLOON_DEFLATING, /* with the host; the balloon's lock is held */
};

enum balloon_work { WORK_SIZE, WORK_TARGET, WORK_STATS };

enum balloon_movable { MOVABLE_AUTO, MOVABLE_ON, MOVABLE_OFF };
enum balloon_queue { QUEUE_PFN, QUEUE_RANGE };
enum balloon_oom { OOM_OFF, OOM_NOTIFIER, OOM_SHRINKER, OOM_RELEASE };

struct balloon_options {
	uint64_t target;          /* bytes that the host asks for first */
	uint64_t target_at_ns;    /* ... when */
	unsigned int unit_order;  /* 0..10, or 11 = the host's huge page */
	uint64_t batch;           /* units of one request */
	bool fallback;            /* smaller blocks if there are none */
	unsigned int movable;     /* enum balloon_movable */
	bool direct_compaction;
	unsigned int queue;       /* enum balloon_queue */
	unsigned int oom;         /* enum balloon_oom */
	uint64_t oom_pages;       /* of one notification */
	uint64_t retry_ns;
	uint64_t stats_ns;        /* the host asks so often; 0 = never */
};

#define UNIT_ORDER_HOST NR_PAGE_ORDERS

struct balloon {
	enum balloon_state state;
	bool started;
	bool waits_for_target;        /* of the option */
	bool movable, shrinker, notifier;
	uint64_t target;              /* 4 KiB pages */
	uint64_t actual;              /* pages, as the host was last told */
	struct balloon_pages pages;
	bool in_request;              /* an allocation asks to be repeated */
	struct alloc_request request;
	unsigned int order;           /* blocks of this step */
	bool oom_waits;               /* somebody waits for the lock */
	bool stats_busy;
	struct reporter_guest_stats stats;
	uint64_t managed;             /* at start(), balloon pages included */

	/* Pages of the step: taken and not yet with the host, or with it. */
	unsigned int nr;
	struct page_report batch[REPORTER_MAX_CAPACITY];
	/* Of a call that waits for the host: OOM, migration. */
	struct page_report now[REPORTER_MAX_CAPACITY];
};

static inline const struct balloon_options *
balloon_options(const struct reporter *r)
{
	return r->options;
}

/* balloon_step.c */
unsigned int balloon_unit_order(const struct reporter *r);
/* One step towards the target; models update_balloon_size_func. */
void balloon_size_func(struct reporter *r);
/* The host has it; the step is over. */
void balloon_step_done(struct reporter *r, enum request_kind kind);
/*
 * Take up to nr_pages out of the balloon and wait for the host; how many
 * pages were freed. Models leak_balloon.
 */
uint64_t balloon_leak_now(struct reporter *r, uint64_t nr_pages);
/* The device has gone: everything back, one request after the other. */
void balloon_leak_all(struct reporter *r);
/* The pages that are taken, and the host has not heard of, go back. */
void balloon_drop_batch(struct reporter *r);
/* A page enters or leaves the guest's managed memory. */
void balloon_adjust_managed(struct reporter *r, pfn_t pfn, unsigned int order,
			    bool enters);

/* balloon_check.c */
const char *balloon_check(const struct reporter *r);
uint64_t balloon_managed_pages(const struct reporter *r);

#endif
