/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One arena of a real jemalloc whose memory is a window of a task's addresses:
 * what jemalloc asks of the kernel becomes operations of the task. Only
 * workloads/ includes it.
 */
#ifndef WORKLOADS_JEMALLOC_ARENA_H
#define WORKLOADS_JEMALLOC_ARENA_H

#include "workloads/workload.h"

struct jemalloc_arena;

struct jemalloc_config {
	uint64_t window;       /* bytes of addresses */
	bool retain;           /* keep what it has mapped, as by default */
	/* -1 = never, 0 = at once; the arena's clock moves in steps of
	 * jemalloc_quantum(). */
	int64_t dirty_decay_ms, muzzy_decay_ms;
	uint32_t map_flags;    /* of its mappings: WORKLOAD_MAP_HUGEPAGE */
};

/*
 * By how much the clock has to move at once, in ns, so that what decays does
 * not depend on anything but the clock; 0 = nothing decays with time;
 * UINT64_MAX = there is no such step.
 */
uint64_t jemalloc_quantum(int64_t dirty_decay_ms, int64_t muzzy_decay_ms);

/* 0, or -errno with a reason in why. */
int jemalloc_arena_create(struct jemalloc_arena **out,
			  const struct jemalloc_config *cfg, char *why,
			  size_t why_size);
/* Accepts NULL. The task's memory is not given back by operations. */
void jemalloc_arena_destroy(struct jemalloc_arena *a);

/* Guest address of `size` bytes, or 0: no memory. */
uint64_t jemalloc_arena_alloc(struct jemalloc_arena *a, uint64_t size);
void jemalloc_arena_dealloc(struct jemalloc_arena *a, uint64_t addr);
/* The time is now so much later; unused pages of that age go. */
void jemalloc_arena_decay(struct jemalloc_arena *a, uint64_t ns);
/* All unused pages go. */
void jemalloc_arena_purge(struct jemalloc_arena *a);

/* The next operation that jemalloc wants; false: there is none. */
bool jemalloc_arena_pop(struct jemalloc_arena *a, struct workload_op *op);
/* The host had no memory for an operation: the arena is of no use. */
bool jemalloc_arena_broken(const struct jemalloc_arena *a);

/* Calls of the hooks so far. */
struct jemalloc_calls {
	uint64_t alloc, dalloc, purge_lazy, purge_forced, split, merge;
};
void jemalloc_arena_calls(const struct jemalloc_arena *a,
			  struct jemalloc_calls *out);

#endif
