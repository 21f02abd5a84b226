/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Random operations on the allocator and on the naive model at once. An
 * operation names what it works on by random numbers that are resolved against
 * the state it meets, so that any part of a list of operations is a list of
 * operations: that is what makes a failing one shrinkable.
 */
#ifndef TESTS_MODEL_DIFFERENTIAL_H
#define TESTS_MODEL_DIFFERENTIAL_H

#include <stdio.h>

#include "alloc/alloc.h"
#include "include/rng.h"
#include "tests/model/naive_alloc.h"

enum op_kind {
	OP_ALLOC, OP_ALLOC_BUDDY, OP_ALLOC_BULK, OP_FREE, OP_PUT, OP_FREE_LIST,
	OP_SPLIT, OP_DRAIN_CPU, OP_DRAIN_ALL, OP_DRAIN_PAGESET, OP_ISOLATE,
	OP_ISOLATE_RAW, OP_PUTBACK, OP_PUTBACK_TAIL, OP_PAGEBLOCK, OP_LRU,
	OP_WATERMARK, OP_RESERVE, OP_BOOST, OP_RECLAIM, OP_TICK, OP_ROTATE,
	OP_MARK, OP_GROUPING, OP_SHUFFLE, OP_PCP, OP_ALLOC_MANY, OP_PUT_MANY,
	OP_RUN, OP_GATHER, OP_GATHER_LIST, OP_PCP_TAKE, OP_PCP_MOVE,
	OP_PCP_PUSH, OP_PCP_STATE, OP_OFF_BUDDY, OP_UNRESERVE, OP_CAPTURE,
	OP_COLLECT, OP_BELOW_HIGH, OP_LAG, OP_SHUFFLE_ZONE, OP_CLEAR_LRU,
	NR_OP_KINDS
};

struct op {
	uint8_t kind;             /* enum op_kind */
	uint8_t cpu, type, order;
	uint32_t flags;
	uint32_t pick, nr;        /* random, resolved when applied */
};

/* Kind of guest; see world.c. */
#define NR_LAYOUTS 5

struct block {
	uint32_t pfn;
	int order;
};

struct world {
	enum naive_kernel kernel;
	const char *kernel_name;
	unsigned int layout;
	uint32_t scale;           /* times the 16 MiB of the layout */
	uint32_t pages;
	uint32_t managed;         /* so many times the pages there are */
	uint32_t batch, high, high_max; /* of all pagesets at first */
	bool shuffle, big_cache;
	bool events;              /* the allocator keeps its own digest */
	struct alloc *a;
	struct naive *m;
	struct block live[NAIVE_PAGES];     /* allocated */
	int nr_live;
	uint32_t live_pages;
	struct block isolated[NAIVE_PAGES];
	int nr_isolated;
	uint64_t words_drawn;     /* by the allocator */
	bool looked_around;       /* so said the allocator */
	struct digest own;        /* the allocator's, if `events` */
	struct digest got, want;  /* PFNs handed out, in order */
	FILE *script;             /* write a step script here, or NULL */
	char why[400];            /* the difference, empty if none */
};

/* ---- world.c ---- */

const char *naive_kernel_name(enum naive_kernel k);
/* -1 if there is none of that name. */
int naive_kernel_find(const char *name);
/*
 * A guest in both, chosen by seed: of 16 MiB, if large of up to 128 MiB and
 * with larger pagesets, too. 0 or -ENOMEM.
 */
int world_create(struct world *w, enum naive_kernel kernel, uint64_t seed,
		 bool large);
void world_destroy(struct world *w);
/* The guest as the first lines of a step script. */
void world_print_setup(const struct world *w, FILE *out);
/* Name of zone type t, as scripts spell it. */
const char *world_zone_name(unsigned int type);

/* ---- ops.c ---- */

/* What operations tend to do for a while; each a share of 256 but the type. */
struct mood {
	unsigned int fill;        /* of memory, to be allocated by and by */
	unsigned int single;      /* of requests, for order 0 */
	bool large;               /* most requests are for order 7 to 10 */
	uint8_t type;             /* asked for by half of the requests */
};

/* Bring *mood up to date for operation i of an episode. */
void mood_update(struct mood *mood, const struct world *w, uint64_t seed,
		 unsigned int i);
struct op op_random(struct rng *r, const struct world *w,
		    const struct mood *mood);
/* Apply to both; false, with w->why, if they answer differently. */
bool op_apply(struct world *w, const struct op *op);

/* ---- compare.c ---- */

/* Counts only, and alloc_check(). */
bool world_compare_counts(struct world *w);
/* Every list in order, marks, pageblock types. */
bool world_compare_lists(struct world *w);

#endif
