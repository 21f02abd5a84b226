/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Private to the hinted_boundary design: hinted_boundary.c has requests and
 * hooks, hinted_boundary_cycle.c the work on one zone, hinted_boundary_check.c
 * the promises.
 */
#ifndef REPORTER_HINTED_BOUNDARY_H
#define REPORTER_HINTED_BOUNDARY_H

#include "reporter/reporter.h"

enum hinted_boundary_variant {
	BOUNDARY_V2,          /* July 2019 */
	BOUNDARY_V10,         /* September 2019 */
	BOUNDARY_MAY,         /* May 2019, before there were boundaries */
};

struct hinted_boundary_options {
	unsigned int variant; /* enum hinted_boundary_variant */
	unsigned int order;   /* 0 = pageblock_order, n = order n - 1 */
	uint64_t capacity;    /* blocks per batch */
	uint64_t delay_ns;    /* from the first request to the work */
	uint64_t threshold;   /* unhinted blocks of an order that request */
	bool watermark_gate;  /* leave zones that a full batch would empty */
	unsigned int counts;  /* enum hinted_counts */
};

/* Where hinted_count lies. */
enum hinted_counts { COUNTS_APART, COUNTS_FREE_AREA };

struct hinted_zone {
	bool requested;       /* ZONE_PAGE_HINTING_REQUESTED */
	uint64_t hinted_count[NR_PAGE_ORDERS]; /* blocks marked HINTED */
};

#define NO_ZONE (-1)

/* May 2019: where the hinted blocks of an order begin, on one list of it. */
struct hinted_membrane {
	pfn_t pfn;            /* first hinted block; PFN_NONE: end of list */
	uint8_t mt;           /* the list; its type was worked on last */
};

struct hinted_boundary {
	unsigned int order;   /* smallest order hinted */
	unsigned int capacity;
	bool registered;      /* between start() and stop() */
	bool armed;           /* process() is scheduled */
	bool running;         /* the worker waits for the host */
	bool old_marks;       /* an earlier device hinted smaller orders */
	unsigned int refcount; /* zones with requested set */
	unsigned int zone;    /* where the worker is on its round */
	int active;           /* zone with valid boundaries, or NO_ZONE */
	uint32_t touches;     /* list nodes touched in this hold */
	unsigned int nr;      /* blocks with the host */
	struct hinted_zone zones[ALLOC_MAX_ZONES];
	struct hinted_membrane membranes[ALLOC_MAX_ZONES][NR_PAGE_ORDERS];
	bool decanting;       /* inside a putback in front of the membrane */
	/*
	 * First block of the hinted tail of each list of the active zone;
	 * PFN_NONE: the end of the list, nothing is behind it.
	 */
	pfn_t boundary[NR_PAGE_ORDERS][MIGRATE_TYPES];
	/* Given up with both ends hinted: the tail may hide unhinted ones. */
	bool gave_up[NR_PAGE_ORDERS][MIGRATE_TYPES];
	struct page_report sg[REPORTER_MAX_CAPACITY];
};

static inline const struct hinted_boundary_options *
hinted_boundary_options(const struct reporter *r)
{
	return r->options;
}

static inline bool is_may(const struct reporter *r)
{
	return hinted_boundary_options(r)->variant == BOUNDARY_MAY;
}

/*
 * In the free area the count of the largest order shares a line with the zone
 * lock: a change takes it from the CPUs that wait for the lock.
 */
static inline void hinted_count_changes(const struct reporter *r,
					unsigned int order)
{
	if (order == MAX_PAGE_ORDER &&
	    hinted_boundary_options(r)->counts == COUNTS_FREE_AREA)
		r->env->charge(r->env->ctx, COST_SHARED, 1);
}

static inline bool is_hinted(const struct alloc *a, pfn_t pfn)
{
	return alloc_block_marks(a, pfn) & BLOCK_HINTED;
}

/* hinted_boundary.c: blocks of an order that are not hinted. */
uint64_t hinted_boundary_raw(const struct reporter *r, unsigned int zone,
			     unsigned int order);
/* The zone is out of work, or has to be left alone. */
void hinted_boundary_clear_request(struct hinted_boundary *s,
				   unsigned int zone);

/*
 * hinted_boundary_cycle.c: fill, react, drain, idle on one zone. True if a
 * batch is with the host, and resume() has to be called with its answer.
 */
bool hinted_boundary_cycle_begin(struct reporter *r, unsigned int zone);
bool hinted_boundary_cycle_resume(struct reporter *r, int err);

/*
 * hinted_boundary_may.c: the same for all requested zones together. False if
 * nothing is with the host: the work is done.
 */
bool hinted_boundary_may_cycle(struct reporter *r);
bool hinted_boundary_may_resume(struct reporter *r, int err);

/*
 * hinted_boundary_check.c: count the marks that are there already; and every
 * promise on top of hinted_boundary.c.
 */
void hinted_boundary_take_over(struct reporter *r);
const char *hinted_boundary_check(const struct reporter *r);

#endif
