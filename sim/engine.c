/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The event queue: two 4-ary heaps, because a wide node costs fewer misses. */
#include "sim/engine.h"

#include <errno.h>
#include <stdlib.h>

#include "include/check.h"

#define ENGINE_FIRST_CAPACITY 256
#define ARITY ENGINE_ARITY

static bool event_before(const struct event *a, const struct event *b)
{
	return a->at < b->at || (a->at == b->at && a->seq < b->seq);
}

int engine_init(struct engine *e)
{
	*e = (struct engine){ .capacity = ENGINE_FIRST_CAPACITY };
	e->heap = calloc(e->capacity, sizeof(*e->heap));
	return e->heap ? 0 : -ENOMEM;
}

void engine_destroy(struct engine *e)
{
	free(e->heap);
	free(e->slots);
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

int engine_slot_init(struct engine *e, struct engine_slot *slot, uint32_t rank,
		     event_fn fn, void *ctx)
{
	const uint32_t capacity = e->slots_capacity + 1;
	struct engine_due *slots = realloc(e->slots,
					   capacity * sizeof(*e->slots));

	if (!slots)
		return -ENOMEM;
	e->slots = slots;
	e->slots_capacity = capacity;
	*slot = (struct engine_slot){ .rank = rank, .pos = SLOT_IDLE, .fn = fn,
				      .ctx = ctx };
	return 0;
}

static inline void due_put(struct engine *e, struct engine_due due,
			   uint32_t pos)
{
	e->slots[pos] = due;
	due.slot->pos = pos;
}

static void due_up(struct engine *e, struct engine_due due, uint32_t i)
{
	while (i > 0) {
		const uint32_t parent = (i - 1) / ARITY;

		if (!due_before(&due, &e->slots[parent]))
			break;
		due_put(e, e->slots[parent], i);
		i = parent;
	}
	due_put(e, due, i);
}

static void due_down(struct engine *e, struct engine_due due, uint32_t i)
{
	for (;;) {
		const uint32_t first = i * ARITY + 1;
		uint32_t best = first, c;

		if (first >= e->nr_slots)
			break;
		for (c = first + 1; c < first + ARITY && c < e->nr_slots; c++)
			if (due_before(&e->slots[c], &e->slots[best]))
				best = c;
		if (!due_before(&e->slots[best], &due))
			break;
		due_put(e, e->slots[best], i);
		i = best;
	}
	due_put(e, due, i);
}

/* Into the place at pos, which is free or has an older time of the slot. */
static void due_settle(struct engine *e, struct engine_due due, uint32_t pos)
{
	if (pos > 0 && due_before(&due, &e->slots[(pos - 1) / ARITY]))
		due_up(e, due, pos);
	else
		due_down(e, due, pos);
}

void engine_soon(struct engine *e, struct engine_slot *slot, sim_ns_t at)
{
	const struct engine_due due = { at, slot->rank, slot };

	CHECK_LE(e->now, at);
	if (slot->pos == SLOT_IDLE) {
		CHECK_LT(e->nr_slots, e->slots_capacity);
		slot->pos = e->nr_slots++;
	}
	slot->asked = true;
	due_settle(e, due, slot->pos);
}

static void slot_remove(struct engine *e, struct engine_slot *slot)
{
	const struct engine_due last = e->slots[--e->nr_slots];
	const uint32_t pos = slot->pos;

	slot->pos = SLOT_IDLE;
	if (last.slot != slot)
		due_settle(e, last, pos);
}

static void slot_step(struct engine *e)
{
	struct engine_slot *slot = e->slots[0].slot;

	e->now = e->slots[0].at;
	e->nr_run++;
	slot->asked = false;
	slot->fn(slot->ctx, 0);
	if (!slot->asked)
		slot_remove(e, slot);
}

bool engine_step(struct engine *e)
{
	struct event ev;

	if (!engine_timer_is_next(e)) {
		if (!e->nr_slots)
			return false;
		slot_step(e);
		return true;
	}
	ev = e->heap[0];
	e->hole = true;
	e->now = ev.at;
	e->nr_run++;
	ev.fn(ev.ctx, ev.arg);
	if (e->hole)
		close_hole(e);
	return true;
}
