/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Virtual time: a queue of events ordered by (time, sequence). The sequence is
 * the order of scheduling, so ties are defined and a run is reproducible.
 *
 * The queue has two halves. Most events are the next steps of busy vCPUs, which
 * take about the same time each, so that a new one belongs near the end: they
 * wait in a sorted list, the lane. Everything else waits in a heap.
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
 * A place in the lane. Belongs to whoever schedules fn(ctx, 0) again and again
 * and never twice at a time; set fn and ctx once, leave the rest to the engine.
 */
struct engine_slot {
	sim_ns_t at;
	uint64_t seq;
	struct engine_slot *prev, *next;
	event_fn fn;
	void *ctx;
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
	/* Ends of the lane: before all times and after all times. */
	struct engine_slot lane_head, lane_tail;
};

int engine_init(struct engine *e); /* 0 or -ENOMEM */
void engine_destroy(struct engine *e);

/* Schedule fn(ctx, arg) at absolute time `at` (not before now). The returned
 * sequence names the event for engine_cancel(). */
uint64_t engine_at(struct engine *e, sim_ns_t at, event_fn fn, void *ctx,
		   uint64_t arg);
/* The same for the owner of a slot; cannot be cancelled. */
void engine_soon(struct engine *e, struct engine_slot *slot, sim_ns_t at);
/* Forget an event of engine_at(); true if it was still waiting. O(n), for rare
 * use. */
bool engine_cancel(struct engine *e, uint64_t seq);
#define ENGINE_ARITY 4

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

/* Time of the next event, or UINT64_MAX. */
static inline sim_ns_t engine_next(const struct engine *e)
{
	const sim_ns_t heap = engine_heap_next(e);
	const sim_ns_t lane = e->lane_head.next->at;

	return lane < heap ? lane : heap;
}

/* Run the next event. False if there is none. */
bool engine_step(struct engine *e);

#endif
