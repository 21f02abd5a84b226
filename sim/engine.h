/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Virtual time: what is due next, of timers and of vCPUs. What happens at the
 * same time happens in a fixed order: timers before vCPUs, timers in the order
 * in which they were set, vCPUs in that of their numbers. So the order of two
 * vCPUs does not depend on when either of them asked to run, and one that has
 * run ahead of the others (sim/ahead.c) has not changed it.
 *
 * Timers wait in a heap. A vCPU asks for one time after the other: it has a
 * slot of its own, and a tournament among the slots says whose turn it is.
 */
#ifndef SIM_ENGINE_H
#define SIM_ENGINE_H

#include "include/types.h"

/* Runs at its time; `arg` is what was given to engine_at(). */
typedef void (*event_fn)(void *ctx, uint64_t arg);

struct event {
	sim_ns_t at;
	uint64_t seq;
	event_fn fn;
	void *ctx;
	uint64_t arg;
};

/*
 * The place of a vCPU. Set fn, ctx and rank once (the ranks of an engine rise
 * from one slot to the next), leave the rest to the engine.
 */
struct engine_slot {
	uint32_t rank;
	uint32_t leaf;
	bool asked;           /* since it began to run */
	event_fn fn;
	void *ctx;
};

#define ENGINE_IDLE UINT64_MAX

/* A match's winner; of two with the same time the one on the left. */
struct engine_due {
	sim_ns_t at;          /* ENGINE_IDLE: has not asked */
	struct engine_slot *slot;
};

struct engine {
	sim_ns_t now;          /* time of the event that runs */
	uint64_t next_seq;
	uint64_t nr_run;
	struct event *heap;    /* owned, 4-ary */
	uint32_t nr, capacity;
	/*
	 * While an event runs its place at the top is kept: what it schedules
	 * first takes the place, which saves a removal and an insertion.
	 */
	bool hole;
	/*
	 * Owned; the slots are not. Leaves from nr_leaves (a power of two) on in
	 * the order of ranks, above each pair its winner, at 1 the first of all.
	 */
	struct engine_due *tree;
	uint32_t nr_slots, nr_leaves;
};

int engine_init(struct engine *e); /* 0 or -ENOMEM */
void engine_destroy(struct engine *e);

/* Schedule fn(ctx, arg) at absolute time `at` (not before now). The returned
 * sequence names the event for engine_cancel(). */
uint64_t engine_at(struct engine *e, sim_ns_t at, event_fn fn, void *ctx,
		   uint64_t arg);
/* A vCPU, before its first engine_soon(). 0 or -ENOMEM. */
int engine_slot_init(struct engine *e, struct engine_slot *slot, uint32_t rank,
		     event_fn fn, void *ctx);
/*
 * Run fn(ctx, 0) of the slot at `at`, and not at the time asked for before. A
 * slot that runs keeps its place until it returns: unless it has asked anew by
 * then, it is idle.
 */
void engine_soon(struct engine *e, struct engine_slot *slot, sim_ns_t at);
/* The slot has nothing to do until it asks again. */
void engine_idle(struct engine *e, struct engine_slot *slot);
/* Forget an event of engine_at(); true if it was still waiting. O(n), for rare
 * use. */
bool engine_cancel(struct engine *e, uint64_t seq);
#define ENGINE_ARITY 4

/* Time of the next timer, or UINT64_MAX. */
static inline sim_ns_t engine_heap_next(const struct engine *e)
{
	sim_ns_t next = UINT64_MAX;
	uint32_t i;

	if (!e->hole)
		return e->nr ? e->heap[0].at : UINT64_MAX;
	for (i = 1; i <= ENGINE_ARITY && i < e->nr; i++)
		if (e->heap[i].at < next)
			next = e->heap[i].at;
	return next;
}

/* The time that a slot has asked for, or ENGINE_IDLE. */
static inline sim_ns_t engine_slot_at(const struct engine *e,
				      const struct engine_slot *slot)
{
	return e->tree[e->nr_leaves + slot->leaf].at;
}

/* Is a timer what engine_step() would run next? */
static inline bool engine_timer_is_next(const struct engine *e)
{
	return e->nr && e->heap[0].at <= e->tree[1].at;
}

/*
 * Would the vCPU that runs be the next to run if it asked for `at`? Then it may
 * as well go on.
 */
static inline bool engine_goes_on(const struct engine *e,
				  const struct engine_slot *slot, sim_ns_t at)
{
	uint32_t i = e->nr_leaves + slot->leaf;

	if (engine_heap_next(e) <= at)
		return false;
	/* From the right of a pair, the one on the left wins a tie. */
	for (; i > 1; i /= 2)
		if (e->tree[i ^ 1].at < at + (i & 1))
			return false;
	return true;
}

/* Run the next event. False if there is none. */
bool engine_step(struct engine *e);

#endif
