/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Virtual time: a queue of events ordered by (time, sequence). The sequence is
 * the order of scheduling, so ties are defined and a run is reproducible.
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
};

int engine_init(struct engine *e); /* 0 or -ENOMEM */
void engine_destroy(struct engine *e);

/* Schedule fn(ctx, arg) at absolute time `at` (not before now). The returned
 * sequence names the event for engine_cancel(). */
uint64_t engine_at(struct engine *e, sim_ns_t at, event_fn fn, void *ctx,
		   uint64_t arg);
/* Forget an event; true if it was still waiting. O(n), for rare use. */
bool engine_cancel(struct engine *e, uint64_t seq);
#define ENGINE_ARITY 4

/* Time of the next event, or UINT64_MAX. */
static inline sim_ns_t engine_next(const struct engine *e)
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
/* Run the next event. False if there is none. */
bool engine_step(struct engine *e);

#endif
