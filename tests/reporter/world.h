/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A busy guest with a reporter, for the contract tests: random allocations,
 * frees, drains, foreign isolations and type changes, while time passes and
 * the host is late, refuses or fails. It keeps its own books of every page, so
 * that a design is judged by what it did and not by what it believes.
 */
#ifndef TESTS_REPORTER_WORLD_H
#define TESTS_REPORTER_WORLD_H

#include "include/rng.h"
#include "reporter/sync_env.h"

struct world_config {
	const struct reporter_ops *ops;
	const char *options;
	const char *kernel;
	uint64_t seed;
	bool shuffle;
	sim_ns_t ack_latency_ns;
	unsigned int fail_every, refuse_every;
	unsigned int stop_after;   /* events until ops->stop(); 0 = never */
};

#define WORLD_PAGES 24576
#define WORLD_MAX_BLOCKS 4096
#define WORLD_MAX_PARKED 8

enum page_owner {
	PAGE_GUEST_FREE,
	PAGE_GUEST_USED,
	PAGE_REPORTER,  /* isolated */
	PAGE_HELD,
	PAGE_BALLOON,   /* allocated by the design */
	PAGE_PARKED,    /* allocated, but the host still has a part of it */
	NR_PAGE_OWNERS,
};

struct world {
	struct world_config cfg;
	struct alloc *a;
	struct sync_env env;
	struct alloc_hooks hooks;
	void *options;
	struct rng rng;
	struct digest digest;

	struct { pfn_t pfn; uint8_t order; } used[WORLD_MAX_BLOCKS];
	unsigned int nr_used;
	struct { pfn_t pfn; uint8_t order; } parked[WORLD_MAX_PARKED];
	unsigned int nr_parked;
	pfn_t held;                /* isolated by somebody else; PFN_NONE */
	unsigned int held_order;
	bool stopped;
	bool in_place;             /* the next report is not of isolated blocks */
	unsigned int events;

	uint8_t owner[WORLD_PAGES];      /* enum page_owner */
	/* Order + 1 of a block that the host accepted; 0 = none. */
	uint8_t accepted[WORLD_PAGES];
	uint8_t dirty[WORLD_PAGES];      /* written since the host took it */
	uint64_t known;            /* pages handed out as known to be zero */
	uint64_t reports, blocks, pages, marks; /* as seen from outside */
	char broken[512];          /* the first thing that went wrong */
};

/* NULL if the design does not run on this kernel. */
struct world *world_create(const struct world_config *cfg);
/* One random event, checked. False: w->broken says what is wrong. */
bool world_step(struct world *w);
/* Free all but `keep` blocks of the guest. */
void world_release(struct world *w, unsigned int keep);
/* Allocate up to nr blocks for programs, and free every other one of these. */
void world_perforate(struct world *w, unsigned int order, unsigned int nr);
/* Stop the reporter, give everything back, and look for what is missing. */
bool world_finish(struct world *w);
/* The above for worlds that must be right: NR events, or the test fails. */
void world_run(struct world *w, unsigned int nr_events);
void world_destroy(struct world *w);
/* The same for a world that is too broken to be asked. */
void world_abandon(struct world *w);
/* Free blocks of at least `order` without a mark. */
uint64_t world_unmarked(const struct world *w, unsigned int order);

#endif
