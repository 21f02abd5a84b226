/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The event queue. Timers: a 4-ary heap, because a wide node costs fewer
 * misses. vCPUs: a tournament tree; a new time of one of them is played up to
 * the root, without a branch that could be guessed wrong.
 */
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

/* The winner of the pair below i. */
static inline void play(struct engine_due *tree, uint32_t i)
{
	tree[i] = tree[2 * i + (tree[2 * i + 1].at < tree[2 * i].at)];
}

static int tree_grow(struct engine *e, uint32_t nr_leaves)
{
	struct engine_due *tree = calloc(2 * (size_t)nr_leaves, sizeof(*tree));
	uint32_t i;

	if (!tree)
		return -ENOMEM;
	for (i = 0; i < 2 * nr_leaves; i++)
		tree[i].at = ENGINE_IDLE;
	for (i = 0; i < e->nr_slots; i++)
		tree[nr_leaves + i] = e->tree[e->nr_leaves + i];
	for (i = nr_leaves - 1; i > 0; i--)
		play(tree, i);
	free(e->tree);
	e->tree = tree;
	e->nr_leaves = nr_leaves;
	return 0;
}

static inline void slot_set(struct engine *e, const struct engine_slot *slot,
			    sim_ns_t at)
{
	uint32_t i = e->nr_leaves + slot->leaf;

	e->tree[i].at = at;
	while ((i /= 2) > 0)
		play(e->tree, i);
}

int engine_init(struct engine *e)
{
	*e = (struct engine){ .capacity = ENGINE_FIRST_CAPACITY };
	e->heap = calloc(e->capacity, sizeof(*e->heap));
	if (!e->heap || tree_grow(e, 1)) {
		engine_destroy(e);
		return -ENOMEM;
	}
	return 0;
}

void engine_destroy(struct engine *e)
{
	free(e->heap);
	free(e->tree);
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
	const uint32_t leaf = e->nr_slots;

	if (leaf == e->nr_leaves && tree_grow(e, 2 * leaf))
		return -ENOMEM;
	CHECK(!leaf || e->tree[e->nr_leaves + leaf - 1].slot->rank < rank);
	*slot = (struct engine_slot){ .rank = rank, .leaf = leaf, .fn = fn,
				      .ctx = ctx };
	e->tree[e->nr_leaves + leaf].slot = slot;
	e->nr_slots++;
	return 0;
}

void engine_soon(struct engine *e, struct engine_slot *slot, sim_ns_t at)
{
	CHECK_LE(e->now, at);
	CHECK_LT(at, ENGINE_IDLE);
	slot->asked = true;
	slot_set(e, slot, at);
}

void engine_idle(struct engine *e, struct engine_slot *slot)
{
	slot->asked = false;
	slot_set(e, slot, ENGINE_IDLE);
}

static void slot_step(struct engine *e)
{
	struct engine_slot *slot = e->tree[1].slot;

	e->now = e->tree[1].at;
	e->nr_run++;
	slot->asked = false;
	slot->fn(slot->ctx, 0);
	if (!slot->asked)
		slot_set(e, slot, ENGINE_IDLE);
}

bool engine_step(struct engine *e)
{
	struct event ev;

	if (!engine_timer_is_next(e)) {
		if (e->tree[1].at == ENGINE_IDLE)
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
