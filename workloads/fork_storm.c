/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Short processes one after the other, as a shell script or a configure run
 * makes them: fork, exec, exit. Follows no program line by line; the sizes are
 * those of a small dynamically linked one (true, sh -c), and are options.
 *
 *     fork   a new address space; the child's copies of written pages (its
 *            stack and data) until it execs
 *     exec   that address space goes, a new one comes; text is read from the
 *            page cache, data is copied on write, stack and heap are zeroed
 *     exit   and back to fork
 *
 * Each exit is an iteration. Tasks run beside each other, as parents do that
 * wait for their child.
 *
 * Simplified: pages that fork copies are copied from the cache of a file, not
 * from the parent; a page table that fork would copy is built by the faults.
 * Left out: what fork and exec allocate besides user pages and page tables
 * (task, kernel stack, files, slab), and the time they take for that.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "workloads/workload.h"

enum fork_stage {
	FORK_MAP, FORK_COPY, FORK_EXEC,
	EXEC_MAP_IMAGE, EXEC_TEXT, EXEC_DATA, EXEC_MAP_ANON, EXEC_ANON,
	EXEC_EXIT,
};

struct fork_storm_state {
	enum fork_stage *stages;
};

struct fork_storm_options {
	uint64_t copied, text, data, anon;
};

#define OFFSET(member) offsetof(struct fork_storm_options, member)
static const struct option_desc fork_storm_descs[] = {
	{ .name = "copied", .type = OPTION_SIZE, .offset = OFFSET(copied),
	  .min = PAGE_SIZE, .max = UINT64_C(1) << 30, .def = "64K",
	  .unit = "bytes",
	  .help = "Written between fork and exec: copies of the parent's." },
	{ .name = "text", .type = OPTION_SIZE, .offset = OFFSET(text),
	  .min = PAGE_SIZE, .max = UINT64_C(1) << 30, .def = "1M",
	  .unit = "bytes",
	  .help = "Program and libraries that are read." },
	{ .name = "data", .type = OPTION_SIZE, .offset = OFFSET(data),
	  .min = PAGE_SIZE, .max = UINT64_C(1) << 30, .def = "128K",
	  .unit = "bytes",
	  .help = "Of their data, what is written." },
	{ .name = "anon", .type = OPTION_SIZE, .offset = OFFSET(anon),
	  .min = PAGE_SIZE, .max = UINT64_C(1) << 30, .def = "256K",
	  .unit = "bytes",
	  .help = "Stack and heap." },
	{ .name = NULL },
};

static int fork_storm_prepare(struct workload *w, char *why, size_t why_size)
{
	const struct fork_storm_options *o = w->options;
	struct fork_storm_state *s = w->state;

	if ((o->copied | o->text | o->data | o->anon) % PAGE_SIZE ||
	    o->copied > o->text + o->data) {
		snprintf(why, why_size, "fork_storm: sizes have to be "
			 "multiples of 4K, and copied no more than text and "
			 "data together");
		return -EINVAL;
	}
	s->stages = calloc(w->ctx.nr_tasks, sizeof(*s->stages));
	if (!s->stages) {
		snprintf(why, why_size, "out of memory");
		return -ENOMEM;
	}
	return 0;
}

static bool fork_storm_next(struct workload *w, unsigned int task,
			    struct workload_op *op)
{
	const struct fork_storm_options *o = w->options;
	struct fork_storm_state *s = w->state;
	enum fork_stage *stage = &s->stages[task];

	*op = (struct workload_op){ .kind = WORKLOAD_TOUCH };
	switch (*stage) {
	case FORK_MAP:
	case EXEC_MAP_IMAGE:
		op->kind = WORKLOAD_MMAP;
		op->flags = WORKLOAD_MAP_FILE;
		op->len = o->text + o->data;
		break;
	case FORK_COPY:
		op->len = o->copied;
		break;
	case FORK_EXEC:
		op->kind = WORKLOAD_EXEC;
		break;
	case EXEC_TEXT:
		op->flags = WORKLOAD_TOUCH_READ;
		op->len = o->text;
		break;
	case EXEC_DATA:
		op->offset = o->text;
		op->len = o->data;
		break;
	case EXEC_MAP_ANON:
		op->kind = WORKLOAD_MMAP;
		op->slot = 1;
		op->len = o->anon;
		break;
	case EXEC_ANON:
		op->slot = 1;
		op->len = o->anon;
		break;
	case EXEC_EXIT:
		op->kind = WORKLOAD_EXEC;
		op->flags = WORKLOAD_COUNTED;
		*stage = FORK_MAP;
		return true;
	}
	++*stage;
	return true;
}

static void fork_storm_cleanup(struct workload *w)
{
	struct fork_storm_state *s = w->state;

	free(s->stages);
	s->stages = NULL;
}

const struct workload_ops fork_storm_workload = {
	.name = "fork_storm",
	.summary = "fork, exec and exit of short processes; endless",
	.endless = true,
	.options = { fork_storm_descs, sizeof(struct fork_storm_options) },
	.state_size = sizeof(struct fork_storm_state),
	.prepare = fork_storm_prepare,
	.next = fork_storm_next,
	.cleanup = fork_storm_cleanup,
};
