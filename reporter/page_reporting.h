/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Private to the page_reporting design: page_reporting.c is the state machine,
 * page_reporting_cycle.c walks one free list.
 */
#ifndef REPORTER_PAGE_REPORTING_H
#define REPORTER_PAGE_REPORTING_H

#include "include/bitmap.h"
#include "reporter/reporter.h"

enum page_reporting_state {
	PAGE_REPORTING_IDLE,
	PAGE_REPORTING_REQUESTED,
	PAGE_REPORTING_ACTIVE,
};

enum page_reporting_placement {
	PLACEMENT_PROFILE, /* what the kernel's putback does */
	PLACEMENT_HEAD,
	PLACEMENT_TAIL,
};

struct page_reporting_options {
	unsigned int order;     /* 0 = pageblock_order, n = order n - 1 */
	unsigned int placement; /* enum page_reporting_placement */
	uint64_t capacity;      /* slots of the scatter array, blocks */
	uint64_t delay_ns;      /* from a request to its pass */
	uint64_t budget;        /* share of a list per pass, 1/n; 0 = all */
	bool watermark_gate;
	bool isolate_check;
	bool rotation;
	bool scale_capacity;    /* smaller arrays where little is free */
	uint64_t factor;        /* percent of a zone that may be marked */
};

/* How far the cycle on a list came. */
enum cycle_result {
	CYCLE_DONE,  /* the list is left, array slots may be filled */
	CYCLE_WAIT,  /* a full array is with the host; drain() goes on */
	CYCLE_ERROR, /* the host refused; the array is empty again */
};

struct page_reporting {
	enum page_reporting_state state;
	unsigned int order;     /* smallest order reported */
	unsigned int capacity;
	bool registered;        /* between start() and stop() */
	bool armed;             /* process() is scheduled */
	bool old_marks;         /* an earlier device marked smaller orders */

	/* Where the running pass stands. */
	bool running;           /* the array is with the host */
	bool leftover;          /* ... as a partial batch of all there was */
	bool counted;           /* this pass is in counters.passes */
	bool placing_head;      /* inside a putback that goes to the head */
	bool factor_reached;    /* the zone has its share of marks */
	unsigned int shrink_order; /* arrays shrink from here on, this zone */
	unsigned int zone, list_order;
	enum migratetype mt;
	int64_t budget;         /* calls left on this list, from budget to -1 */
	unsigned int limit;     /* slots that this order may use */
	unsigned int offset;    /* slots left: [offset, limit) are filled */
	uint32_t touches;       /* list nodes touched in this hold of the lock */
	uint64_t marked[ALLOC_MAX_ZONES]; /* pages marked as reported */
	/* Blocks marked, by order: what a walk needs not look for. */
	uint32_t nr_marked[ALLOC_MAX_ZONES][NR_PAGE_ORDERS];
	/* host_zeroed only: the answer says what reads as zeroes. */
	uint64_t *known_zero;   /* bit per page, or NULL */
	const uint64_t *zeroed; /* of the batch that is drained: bit per entry */
	struct page_report sg[REPORTER_MAX_CAPACITY];
};

static inline const struct page_reporting_options *
page_reporting_options(const struct reporter *r)
{
	return r->options;
}

/* page_reporting.c: the options, which host_zeroed has too. */
extern const struct option_desc page_reporting_descs[];
/* "more work wanted" while a pass runs. */
void page_reporting_want_more(struct reporter *r);
/*
 * Pages of the zone that may be marked: its share by the reporting factor, or
 * UINT64_MAX.
 */
uint64_t page_reporting_allowance(const struct reporter *r, unsigned int zone);

/* page_reporting_check.c: count the marks that are there already. */
void page_reporting_take_over(struct reporter *r);
/* Every promise on top of page_reporting.c. */
const char *page_reporting_check(const struct reporter *r);

/* page_reporting_cycle.c */
enum cycle_result page_reporting_cycle_begin(struct reporter *r);
/* The host is done with the full array: put it back, go on with the list. */
enum cycle_result page_reporting_cycle_resume(struct reporter *r, int err);
/* Hand the filled part of the array to the host. */
int page_reporting_send(struct reporter *r);
void page_reporting_lock(struct reporter *r);
void page_reporting_unlock(struct reporter *r);
/* host_zeroed.c: a block that is not known as a whole is not known. */
void page_reporting_settle_zero(struct reporter *r, pfn_t pfn);
/* Put the filled part of the array back; it is empty afterwards. */
void page_reporting_drain(struct reporter *r, int err);

#endif
