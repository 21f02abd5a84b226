/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The event queue: a 4-ary heap, because a wide node costs fewer misses, and a
 * sorted list for what comes in nearly sorted.
 */
#include "sim/engine.h"

#include <errno.h>
#include <stdlib.h>

#include "include/check.h"

#define ENGINE_FIRST_CAPACITY 256
#define ARITY ENGINE_ARITY
/* A slot that would have to pass more than these goes through the heap. */
#define LANE_REACH 32

static bool event_before(const struct event *a, const struct event *b)
{
	return a->at < b->at || (a->at == b->at && a->seq < b->seq);
}

int engine_init(struct engine *e)
{
	*e = (struct engine){ .capacity = ENGINE_FIRST_CAPACITY };
	e->lane_tail.at = UINT64_MAX;
	e->lane_tail.prev = &e->lane_head;
	e->lane_head.next = &e->lane_tail;
	e->heap = calloc(e->capacity, sizeof(*e->heap));
	return e->heap ? 0 : -ENOMEM;
}

void engine_destroy(struct engine *e)
{
	free(e->heap);
	*e = (struct engine){ 0 };
}

static void sift_up(struct engine *e, uint32_t i)
{
	const struct event ev = e->heap[i];

	while (i > 0) {
		uint32_t parent = (i - 1) / ARITY;

		if (!event_before(&ev, &e->heap[parent]))
			break;
		e->heap[i] = e->heap[parent];
		i = parent;
	}
	e->heap[i] = ev;
}

static void sift_down(struct engine *e, uint32_t i)
{
	const struct event ev = e->heap[i];

	for (;;) {
		uint32_t first = i * ARITY + 1, best = first, c;

		if (first >= e->nr)
			break;
		for (c = first + 1; c < first + ARITY && c < e->nr; c++)
			if (event_before(&e->heap[c], &e->heap[best]))
				best = c;
		if (!event_before(&e->heap[best], &ev))
			break;
		e->heap[i] = e->heap[best];
		i = best;
	}
	e->heap[i] = ev;
}

static void engine_grow(struct engine *e)
{
	const uint32_t capacity = e->capacity * 2;
	struct event *heap = realloc(e->heap, capacity * sizeof(*heap));

	/* The number of waiting events is bounded by vCPUs and devices. */
	CHECK_MSG(heap, "no memory for %u events", capacity);
	e->heap = heap;
	e->capacity = capacity;
}

uint64_t engine_at(struct engine *e, sim_ns_t at, event_fn fn, void *ctx,
		   uint64_t arg)
{
	const struct event ev = { .at = at, .seq = e->next_seq++, .fn = fn,
				  .ctx = ctx, .arg = arg };

	CHECK_LE(e->now, at);
	if (e->hole) {
		e->hole = false;
		e->heap[0] = ev;
		sift_down(e, 0);
		return ev.seq;
	}
	if (e->nr == e->capacity)
		engine_grow(e);
	e->heap[e->nr] = ev;
	sift_up(e, e->nr++);
	return ev.seq;
}

/* What is new has the highest sequence: it goes behind others of its time. */
void engine_soon(struct engine *e, struct engine_slot *slot, sim_ns_t at)
{
	struct engine_slot *after = e->lane_tail.prev;
	unsigned int passed = 0;

	while (after->at > at) {
		if (++passed > LANE_REACH) {
			engine_at(e, at, slot->fn, slot->ctx, 0);
			return;
		}
		after = after->prev;
	}
	CHECK_LE(e->now, at);
	slot->at = at;
	slot->seq = e->next_seq++;
	slot->prev = after;
	slot->next = after->next;
	after->next->prev = slot;
	after->next = slot;
}

static void remove_at(struct engine *e, uint32_t i)
{
	e->nr--;
	if (i == e->nr)
		return;
	e->heap[i] = e->heap[e->nr];
	sift_up(e, i);
	sift_down(e, i);
}

/* The event that ran scheduled nothing: close its place. */
static void close_hole(struct engine *e)
{
	e->hole = false;
	remove_at(e, 0);
}

bool engine_cancel(struct engine *e, uint64_t seq)
{
	uint32_t i;

	if (e->hole)
		close_hole(e);
	for (i = 0; i < e->nr; i++) {
		if (e->heap[i].seq == seq) {
			remove_at(e, i);
			return true;
		}
	}
	return false;
}

static bool lane_is_next(const struct engine *e)
{
	const struct engine_slot *slot = e->lane_head.next;

	if (!e->nr || slot->at != e->heap[0].at)
		return slot->at < UINT64_MAX &&
		       (!e->nr || slot->at < e->heap[0].at);
	return slot->seq < e->heap[0].seq;
}

static void lane_step(struct engine *e)
{
	struct engine_slot *slot = e->lane_head.next;

	e->lane_head.next = slot->next;
	slot->next->prev = &e->lane_head;
	e->now = slot->at;
	e->nr_run++;
	slot->fn(slot->ctx, 0);
}

bool engine_step(struct engine *e)
{
	struct event ev;

	if (lane_is_next(e)) {
		lane_step(e);
		return true;
	}
	if (!e->nr)
		return false;
	ev = e->heap[0];
	e->hole = true;
	e->now = ev.at;
	e->nr_run++;
	ev.fn(ev.ctx, ev.arg);
	if (e->hole)
		close_hole(e);
	return true;
}
