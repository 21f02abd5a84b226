/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * jemalloc: programs that allocate and free objects, each from an arena of a
 * real jemalloc 5.3 (workloads/jemalloc_arena.c says what of it is real). A
 * program's life is a number of waves: its objects grow to the task's share of
 * the phase's size, some are replaced by others, they shrink to a part, and it
 * sleeps. jemalloc decides which pages serve an object and which are given
 * back, and when, by the virtual clock.
 *
 * What jemalloc does not tell is what the program writes: the pages of every
 * new object, or a share of them from its start, one write each.
 *
 * Left out: several threads in one process (a task is a process with one
 * arena), the thread caches, realloc, and what the allocator's own records
 * take.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "include/minmax.h"
#include "include/rng.h"
#include "workloads/jemalloc_arena.h"
#include "workloads/jemalloc_options.h"
#include "workloads/share.h"

/* Work between two operations is slept in pieces of this length. */
#define THINK_AT_ONCE (50 * NSEC_PER_USEC)
/* Address space in shares of the task's size, and the least of it. */
#define WINDOW_SHARES 16
#define MIN_WINDOW (UINT64_C(64) << 30)
#define WINDOW_UNIT (UINT64_C(2) << 20)
/* Largest object that shares its pages (SC_SMALL_MAXCLASS). */
#define SMALL_MAX 14336u
/* With generations: the young ones are this part, and of so many go so many. */
#define YOUNG_PART 8
#define YOUNG_OF 10
#define YOUNG_GO 9

enum stage { STAGE_GROW, STAGE_REPLACE, STAGE_SHRINK, STAGE_IDLE, STAGE_OVER };

struct object {
	uint64_t addr, size;
};

struct program {
	struct jemalloc_arena *arena;
	struct rng rng;
	enum stage stage;
	uint64_t target, live;      /* bytes */
	uint64_t to_replace, waves_left, since_purge;
	struct workload_op touch;   /* to follow what jemalloc asks for */
	sim_ns_t thought, asleep_until;
	bool clock_runs;
	sim_ns_t began;             /* when the clock started */
	uint64_t quanta;            /* of the clock, so far */
	/* Oldest first, about: a free one's place is taken by the youngest. */
	struct object *objects;
	size_t first, end, capacity;
	bool broken;           /* the host is out of memory */
};

struct jemalloc_state {
	struct program *programs;
	uint64_t quantum;
};

/* ---- objects ---- */

static uint64_t uniform(struct rng *r, uint64_t low, uint64_t high)
{
	return low + rng_next(r) % (high - low + 1);
}

static unsigned int log2_of(uint64_t v)
{
	return 63 - (unsigned int)__builtin_clzll(v);
}

static uint64_t draw_size(struct rng *r, const struct jemalloc_options *o)
{
	unsigned int lg;
	uint64_t low, high;

	if (o->sizes == SIZES_TWO)
		return rng_below(r, 100) ? o->min_size : o->max_size;
	if (o->sizes == SIZES_UNIFORM)
		return uniform(r, o->min_size, o->max_size);
	lg = (unsigned int)uniform(r, log2_of(o->min_size),
				   log2_of(o->max_size));
	low = max_u64(UINT64_C(1) << lg, o->min_size);
	high = min_u64((UINT64_C(2) << lg) - 1, o->max_size);
	return uniform(r, low, high);
}

static size_t nr_objects(const struct program *p)
{
	return p->end - p->first;
}

/* Index of the object that is freed next. */
static size_t draw_victim(struct program *p, const struct jemalloc_options *o)
{
	const size_t nr = nr_objects(p);
	const size_t young = nr / YOUNG_PART + 1;

	switch (o->lifetimes) {
	case LIVES_FIFO:
		return p->first;
	case LIVES_LIFO:
		return p->end - 1;
	case LIVES_GENERATIONS:
		if (rng_below(&p->rng, YOUNG_OF) < YOUNG_GO)
			return p->end - 1 - rng_next(&p->rng) % young;
		break;
	default:
		break;
	}
	return p->first + rng_next(&p->rng) % nr;
}

static void free_object(struct program *p, const struct jemalloc_options *o)
{
	const size_t i = draw_victim(p, o);

	p->live -= p->objects[i].size;
	jemalloc_arena_dealloc(p->arena, p->objects[i].addr);
	if (i == p->first)
		p->first++;
	else
		p->objects[i] = p->objects[--p->end];
	p->thought += o->think;
}

/* Room for one more; false: the host is out of memory. */
static bool room_for_object(struct program *p)
{
	const size_t nr = nr_objects(p);
	struct object *objects;

	if (p->end < p->capacity)
		return true;
	if (p->first > p->capacity / 2) {
		memmove(p->objects, p->objects + p->first,
			nr * sizeof(*p->objects));
		p->first = 0;
		p->end = nr;
		return true;
	}
	objects = realloc(p->objects, (p->capacity * 2 + 64) *
				      sizeof(*objects));
	if (!objects)
		return false;
	p->objects = objects;
	p->capacity = p->capacity * 2 + 64;
	return true;
}

/*
 * The pages of the object. Those with pages of their own begin at a random line
 * of the first one (cache_oblivious); where they end in a page more, it is not
 * touched, so that runs are alike.
 */
static void touch_object(const struct object *obj, uint64_t percent,
			 struct workload_op *op)
{
	const uint64_t start = obj->addr & ~(uint64_t)(PAGE_SIZE - 1);
	const uint64_t in_page = obj->size <= SMALL_MAX ? obj->addr - start : 0;
	const uint64_t written = max_u64(obj->size / 100 * percent +
					 obj->size % 100 * percent / 100, 1);

	*op = (struct workload_op){
		.kind = WORKLOAD_TOUCH,
		.flags = WORKLOAD_AT | WORKLOAD_COUNTED,
		.offset = start,
		.len = (in_page + written + PAGE_SIZE - 1) &
		       ~(uint64_t)(PAGE_SIZE - 1),
	};
}

/* False: there is no memory, the program is over. */
static bool new_object(struct program *p, const struct jemalloc_options *o,
		       struct workload_op *touch)
{
	struct object obj = { .size = draw_size(&p->rng, o) };

	if (!room_for_object(p)) {
		p->broken = true;
		return false;
	}
	obj.addr = jemalloc_arena_alloc(p->arena, obj.size);
	if (!obj.addr)
		return false;
	p->objects[p->end++] = obj;
	p->live += obj.size;
	p->thought += o->think;
	touch_object(&obj, o->written, touch);
	return true;
}

/* ---- time ---- */

/* Pages whose time has come go. */
static void run_clock(struct jemalloc_state *s, struct program *p, sim_ns_t now)
{
	uint64_t quanta;

	if (!s->quantum)
		return;
	if (!p->clock_runs) {
		p->clock_runs = true;
		p->began = now;
	}
	quanta = (now - p->began) / s->quantum;
	if (quanta <= p->quanta)
		return;
	jemalloc_arena_decay(p->arena, (quanta - p->quanta) * s->quantum);
	p->quanta = quanta;
}

static void sleep_for(struct workload_op *op, sim_ns_t ns)
{
	*op = (struct workload_op){ .kind = WORKLOAD_SLEEP, .ns = ns };
}

/* Asleep, with a background thread that wakes up for the arena. */
static void sleep_on(const struct jemalloc_state *s, struct program *p,
		     bool background, sim_ns_t now, struct workload_op *op)
{
	sim_ns_t until = p->asleep_until;

	if (background && s->quantum)
		until = min_u64(until, p->began + (p->quanta + 1) * s->quantum);
	sleep_for(op, until - now);
}

/* ---- the program ---- */

static void next_wave(struct program *p)
{
	p->stage = --p->waves_left ? STAGE_GROW : STAGE_OVER;
}

/* One step; true if it is an operation of the task. */
static bool step(struct jemalloc_state *s, struct program *p,
		 const struct jemalloc_options *o, sim_ns_t now,
		 struct workload_op *op)
{
	switch (p->stage) {
	case STAGE_GROW:
		if (p->live < p->target) {
			if (new_object(p, o, op))
				return true;
			p->stage = STAGE_OVER;
			return false;
		}
		p->to_replace = nr_objects(p) * o->replace / 100;
		p->stage = STAGE_REPLACE;
		return false;
	case STAGE_REPLACE:
		if (p->to_replace-- == 0) {
			p->stage = STAGE_SHRINK;
			return false;
		}
		while (p->live > p->target && nr_objects(p) > 1)
			free_object(p, o);
		if (new_object(p, o, op))
			return true;
		p->stage = STAGE_OVER;
		return false;
	case STAGE_SHRINK:
		if (nr_objects(p) && p->live > p->target / 100 * o->low) {
			free_object(p, o);
			return false;
		}
		p->asleep_until = now + o->idle;
		p->stage = STAGE_IDLE;
		return false;
	case STAGE_IDLE:
		if (now >= p->asleep_until) {
			next_wave(p);
			return false;
		}
		sleep_on(s, p, o->background, now, op);
		return true;
	case STAGE_OVER:
		break;
	}
	op->kind = WORKLOAD_EXIT;
	return true;
}

static void purge_if_due(struct program *p, const struct jemalloc_options *o)
{
	if (!o->purge_every || ++p->since_purge < o->purge_every)
		return;
	p->since_purge = 0;
	jemalloc_arena_purge(p->arena);
}

static bool jemalloc_next(struct workload *w, unsigned int task,
			  struct workload_op *op)
{
	const struct jemalloc_options *o = w->options;
	struct jemalloc_state *s = w->state;
	struct program *p = &s->programs[task];
	const sim_ns_t now = op->ns;

	if (!p->arena)
		return false;
	for (;;) {
		if (p->broken || jemalloc_arena_broken(p->arena)) {
			p->stage = STAGE_OVER;
			w->error = -ENOMEM;
		}
		if (jemalloc_arena_pop(p->arena, op))
			return true;
		if (p->touch.len) {
			*op = p->touch;
			p->touch.len = 0;
			return true;
		}
		if (p->thought >= THINK_AT_ONCE) {
			sleep_for(op, p->thought);
			p->thought = 0;
			return true;
		}
		*op = (struct workload_op){ 0 };
		if (p->stage != STAGE_IDLE || o->background ||
		    now >= p->asleep_until)
			run_clock(s, p, now);
		if (!step(s, p, o, now, op))
			continue;
		purge_if_due(p, o);
		if (op->kind == WORKLOAD_EXIT) {
			jemalloc_arena_destroy(p->arena);
			p->arena = NULL;
			return true;
		}
		if (op->kind != WORKLOAD_TOUCH)
			return true;
		/* jemalloc maps what the program then touches. */
		p->touch = *op;
	}
}

/* ---- set-up ---- */

static int program_init(struct workload *w, unsigned int task, char *why,
			size_t why_size)
{
	const struct jemalloc_options *o = w->options;
	struct jemalloc_state *s = w->state;
	struct program *p = &s->programs[task];
	struct jemalloc_config cfg = {
		.retain = o->retain,
		.dirty_decay_ms = jemalloc_decay_ms(o, o->dirty_decay),
		.muzzy_decay_ms = jemalloc_decay_ms(o, o->muzzy_decay),
		.map_flags = w->ctx.thp ? WORKLOAD_MAP_HUGEPAGE : 0,
	};

	p->target = share_of_task(w, task);
	p->waves_left = o->waves;
	cfg.window = max_u64(MIN_WINDOW, p->target * WINDOW_SHARES +
					 o->max_size * WINDOW_SHARES);
	cfg.window &= ~(WINDOW_UNIT - 1);
	if (cfg.window > WORKLOAD_AT_END / 2) {
		snprintf(why, why_size, "workload jemalloc: programs of %llu "
			 "bytes with objects of up to %llu need more address "
			 "space than there is; use more tasks or smaller "
			 "objects", (unsigned long long)p->target,
			 (unsigned long long)o->max_size);
		return -EINVAL;
	}
	rng_init(&p->rng, w->ctx.seed, "jemalloc", task);
	return jemalloc_arena_create(&p->arena, &cfg, why, why_size);
}

static void jemalloc_cleanup(struct workload *w)
{
	struct jemalloc_state *s = w->state;

	for (unsigned int i = 0; s->programs && i < w->ctx.nr_tasks; i++) {
		jemalloc_arena_destroy(s->programs[i].arena);
		free(s->programs[i].objects);
	}
	free(s->programs);
	s->programs = NULL;
}

static int jemalloc_prepare(struct workload *w, char *why, size_t why_size)
{
	const struct jemalloc_options *o = w->options;
	struct jemalloc_state *s = w->state;
	int err = share_check(w, why, why_size);

	if (!err)
		err = jemalloc_check_options(o, why, why_size);
	if (err)
		return err;
	s->quantum = jemalloc_quantum(jemalloc_decay_ms(o, o->dirty_decay),
				      jemalloc_decay_ms(o, o->muzzy_decay));
	s->programs = calloc(w->ctx.nr_tasks, sizeof(*s->programs));
	if (!s->programs) {
		snprintf(why, why_size, "out of memory for %u programs",
			 w->ctx.nr_tasks);
		return -ENOMEM;
	}
	for (unsigned int i = 0; !err && i < w->ctx.nr_tasks; i++)
		err = program_init(w, i, why, why_size);
	if (err)
		jemalloc_cleanup(w);
	return err;
}

const struct workload_ops jemalloc_workload = {
	.name = "jemalloc",
	.summary = "objects of several sizes and lifetimes from a real "
		   "jemalloc",
	.options = { jemalloc_descs, sizeof(struct jemalloc_options) },
	.state_size = sizeof(struct jemalloc_state),
	.needs_size = true,
	.prepare = jemalloc_prepare,
	.next = jemalloc_next,
	.cleanup = jemalloc_cleanup,
};
