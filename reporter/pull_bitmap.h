/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Private to the pull_bitmap design: pull_bitmap.c answers the host,
 * pull_bitmap_map.c keeps the bitmaps, pull_bitmap_check.c tests the promises.
 */
#ifndef REPORTER_PULL_BITMAP_H
#define REPORTER_PULL_BITMAP_H

#include "include/bitmap.h"
#include "reporter/reporter.h"

enum pull_variant { PULL_GLOBAL, PULL_PER_CPU };
enum pull_clear { CLEAR_ATOMIC, CLEAR_LAZY };
enum pull_cursor { CURSOR_RESUME, CURSOR_RESTART };

struct pull_bitmap_options {
	unsigned int variant;      /* enum pull_variant */
	unsigned int remote_clear; /* enum pull_clear; per CPU only */
	unsigned int cursor;       /* enum pull_cursor */
	uint64_t order;            /* runs are trimmed to such blocks */
	uint64_t capacity;         /* blocks per answer */
};

struct pull_bitmap {
	bool started;          /* between start() and stop() */
	bool lazy;             /* allocations leave the bits alone */
	pfn_t nr_pages;
	unsigned int nr_maps;  /* 1, or one for each CPU */
	uint64_t **maps;       /* bit: free, and not with the host */
	uint16_t *owner;       /* map that a page was freed to; per CPU only */
	uint64_t *flight;      /* bit: with the host */
	uint64_t *taken;       /* bit: with the host, and allocated meanwhile */

	/* The command under way. */
	uint32_t id;
	uint64_t wanted;       /* pages still to be handed over */
	uint64_t left;         /* map positions that its round has to go */
	unsigned int map;      /* where the round stands */
	pfn_t cursor;

	/* The answer that the host has; nr 0: none. */
	unsigned int nr;
	uint64_t sent, acknowledged; /* pages, of all answers */
	struct page_report sg[REPORTER_MAX_CAPACITY];
};

static inline const struct pull_bitmap_options *
pull_options(const struct reporter *r)
{
	return r->options;
}

/* pull_bitmap_map.c: 0 or -ENOMEM */
int pull_maps_create(struct reporter *r);
void pull_maps_destroy(struct reporter *r);
/* Every free page has its bit, and nothing else has. */
void pull_maps_fill(struct reporter *r);
/* Hooks of allocation and free. */
bool pull_alloc_stall(struct reporter *r, unsigned int zone, pfn_t pfn,
		      unsigned int order, unsigned int cpu);
void pull_free_capture(struct reporter *r, unsigned int zone, pfn_t pfn,
		       unsigned int order, unsigned int cpu);
/* get_hints: fill sg with what the round comes to next; 0 = it is over. */
unsigned int pull_get_hints(struct reporter *r);
/* put_hints: the pages of sg are not with the host any more. */
void pull_put_hints(struct reporter *r);

/* pull_bitmap_check.c */
const char *pull_bitmap_check(const struct reporter *r);

#endif
