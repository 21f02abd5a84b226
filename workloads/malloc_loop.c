/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * brk1 and malloc1 of will-it-scale: address space is taken and given back,
 * again and again, and hardly any of it is touched.
 *
 * brk1: the break grows by a page and shrinks by a page; each of the two calls
 * is an iteration, and nothing is written. The heap is a mapping here, so one
 * of its own comes and goes where the kernel moves the end of one.
 *
 * malloc1: malloc() of 128 MiB and free(). That is above glibc's largest
 * M_MMAP_THRESHOLD, so each is mmap() of a page more for the header of the
 * chunk, a write of that header, and munmap(); one iteration. What free() reads
 * is in the page that was written.
 *
 * Left out: the time spent in the C library.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "workloads/workload.h"

enum loop_stage { LOOP_MAP, LOOP_TOUCH, LOOP_UNMAP };

struct loop_state {
	enum loop_stage *stages; /* per task: what comes next */
	uint64_t len;            /* of the mapping */
	uint64_t touched;        /* of it, from its start */
	uint32_t map_flags, unmap_flags;
};

static int loop_prepare(struct workload *w, uint64_t len, uint64_t touched,
			char *why, size_t why_size)
{
	struct loop_state *s = w->state;

	if (!len || len % PAGE_SIZE) {
		snprintf(why, why_size, "%s: size is %llu bytes, it has to be "
			 "a multiple of 4K", w->ops->name,
			 (unsigned long long)len);
		return -EINVAL;
	}
	s->stages = calloc(w->ctx.nr_tasks, sizeof(*s->stages));
	if (!s->stages) {
		snprintf(why, why_size, "out of memory");
		return -ENOMEM;
	}
	s->len = len;
	s->touched = touched;
	s->unmap_flags = WORKLOAD_COUNTED;
	return 0;
}

static bool loop_next(struct workload *w, unsigned int task,
		      struct workload_op *op)
{
	struct loop_state *s = w->state;
	enum loop_stage *stage = &s->stages[task];

	*op = (struct workload_op){ .len = s->len };
	switch (*stage) {
	case LOOP_MAP:
		op->kind = WORKLOAD_MMAP;
		op->flags = s->map_flags;
		*stage = s->touched ? LOOP_TOUCH : LOOP_UNMAP;
		break;
	case LOOP_TOUCH:
		op->kind = WORKLOAD_TOUCH;
		op->len = s->touched;
		*stage = LOOP_UNMAP;
		break;
	case LOOP_UNMAP:
		op->kind = WORKLOAD_MUNMAP;
		op->flags = s->unmap_flags;
		*stage = LOOP_MAP;
		break;
	}
	return true;
}

static void loop_cleanup(struct workload *w)
{
	struct loop_state *s = w->state;

	free(s->stages);
	s->stages = NULL;
}

struct brk1_options {
	uint64_t step;
};

static const struct option_desc brk1_descs[] = {
	{ .name = "step", .type = OPTION_SIZE,
	  .offset = offsetof(struct brk1_options, step), .min = PAGE_SIZE,
	  .def = "4K", .unit = "bytes",
	  .help = "By how much the break moves." },
	{ .name = NULL },
};

static int brk1_prepare(struct workload *w, char *why, size_t why_size)
{
	const struct brk1_options *o = w->options;
	struct loop_state *s = w->state;

	s->map_flags = WORKLOAD_COUNTED;
	return loop_prepare(w, o->step, 0, why, why_size);
}

const struct workload_ops brk1_workload = {
	.name = "brk1",
	.summary = "grow and shrink the heap by a page; endless",
	.endless = true,
	.options = { brk1_descs, sizeof(struct brk1_options) },
	.state_size = sizeof(struct loop_state),
	.anon_only = true,
	.prepare = brk1_prepare,
	.next = loop_next,
	.cleanup = loop_cleanup,
};

struct malloc1_options {
	uint64_t malloc_size;
};

static const struct option_desc malloc1_descs[] = {
	{ .name = "malloc_size", .type = OPTION_SIZE,
	  .offset = offsetof(struct malloc1_options, malloc_size),
	  .min = UINT64_C(32) << 20, .def = "128M", .unit = "bytes",
	  .help = "What is allocated; glibc maps it if it is 32M or more." },
	{ .name = NULL },
};

static int malloc1_prepare(struct workload *w, char *why, size_t why_size)
{
	const struct malloc1_options *o = w->options;
	struct loop_state *s = w->state;

	if (w->ctx.thp)
		s->map_flags = WORKLOAD_MAP_HUGEPAGE;
	/* The chunk's header is in front of what the caller gets. */
	return loop_prepare(w, o->malloc_size + PAGE_SIZE, PAGE_SIZE, why,
			    why_size);
}

const struct workload_ops malloc1_workload = {
	.name = "malloc1",
	.summary = "malloc and free a large block; endless",
	.endless = true,
	.options = { malloc1_descs, sizeof(struct malloc1_options) },
	.state_size = sizeof(struct loop_state),
	.anon_only = true,
	.prepare = malloc1_prepare,
	.next = loop_next,
	.cleanup = loop_cleanup,
};
