/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Private to the zone_bitmap design: zone_bitmap.c has bits, requests and
 * promises, zone_bitmap_scan.c the work on one bitmap.
 */
#ifndef REPORTER_ZONE_BITMAP_H
#define REPORTER_ZONE_BITMAP_H

#include "reporter/reporter.h"

enum zone_bitmap_variant {
	BITMAP_V11,           /* July 2019: one bitmap per kind of zone */
	BITMAP_V12,           /* August 2019: one per zone */
};

enum zone_bitmap_clear {
	CLEAR_ALWAYS,         /* a bit that was looked at is cleared */
	CLEAR_IF_FREE,        /* only if its block was free */
};

struct zone_bitmap_options {
	unsigned int variant; /* enum zone_bitmap_variant */
	unsigned int order;   /* 0 = pageblock_order, n = order n - 1 */
	uint64_t capacity;    /* blocks per batch */
	uint64_t threshold;   /* bits that start the work */
	unsigned int clear;   /* enum zone_bitmap_clear */
};

/* One bit per 2^order pages from base on. */
struct bitmap_area {
	pfn_t base, end;
	uint32_t nr_bits;
	uint64_t free_bits;   /* bits that are set */
	bool requested;       /* ZONE_REPORT_REQUESTED */
	uint64_t *bits;
};

struct zone_bitmap {
	unsigned int order;
	unsigned int capacity;
	bool registered;      /* between start() and stop() */
	bool armed;           /* process() is scheduled */
	bool running;         /* the worker waits for the host */
	unsigned int refcount; /* areas with requested set */
	unsigned int nr_areas;
	uint8_t area_of[ALLOC_MAX_ZONES];
	struct bitmap_area areas[ALLOC_MAX_ZONES];
	unsigned int area;    /* where the worker is on its round */
	uint32_t cursor;      /* next bit to look at */
	uint32_t touches;     /* list nodes touched in this hold */
	unsigned int nr;      /* blocks collected, or with the host */
	struct page_report sg[REPORTER_MAX_CAPACITY];
};

static inline const struct zone_bitmap_options *
zone_bitmap_options(const struct reporter *r)
{
	return r->options;
}

/* zone_bitmap.c: the area is out of work. */
void zone_bitmap_clear_request(struct zone_bitmap *s, unsigned int area);

/*
 * zone_bitmap_scan.c: look at the bits of s->area from s->cursor on. True if
 * a batch is with the host, and resume() has to be called with its answer.
 */
bool zone_bitmap_scan(struct reporter *r);
bool zone_bitmap_resume(struct reporter *r);

#endif
