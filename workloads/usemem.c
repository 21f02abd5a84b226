/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * usemem of vm-scalability: one anonymous mapping for each task, written from
 * end to end; with --punch-holes every other page is then dropped, one madvise
 * each, from the first page on; after a sleep, exit. Several tasks share the
 * size, as the scripts of vm-scalability divide it. Without holes this is its
 * case-anon-w-seq.
 *
 * Left out: other access patterns (random, read-only, strides), repetition,
 * files, mlock, and what usemem prints.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "workloads/share.h"

#define HOLE_STRIDE (2 * PAGE_SIZE)

enum usemem_stage {
	USEMEM_MAP,
	USEMEM_TOUCH,
	USEMEM_PUNCH,
	USEMEM_SLEEP,
	USEMEM_EXIT,
	USEMEM_EXITED,
};

struct usemem_task {
	enum usemem_stage stage;
	uint64_t len, offset;
};

struct usemem_state {
	struct usemem_task *tasks;
};

struct usemem_options {
	bool punch_holes;
	sim_ns_t sleep;
};

static const struct option_desc usemem_descs[] = {
	{ .name = "punch_holes", .type = OPTION_BOOL,
	  .offset = offsetof(struct usemem_options, punch_holes),
	  .def = "off", .unit = "",
	  .help = "When all is written, drop every other page, each with its "
		  "own madvise." },
	{ .name = "sleep", .type = OPTION_TIME,
	  .offset = offsetof(struct usemem_options, sleep),
	  .max = UINT64_C(86400) * NSEC_PER_SEC, .def = "0s", .unit = "time",
	  .help = "Keep the memory for so long before the exit." },
	{ .name = NULL },
};

static int usemem_prepare(struct workload *w, char *why, size_t why_size)
{
	struct usemem_state *s = w->state;
	const unsigned int nr = w->ctx.nr_tasks;
	int err = share_check(w, why, why_size);

	if (err)
		return err;
	s->tasks = calloc(nr, sizeof(*s->tasks));
	if (!s->tasks) {
		snprintf(why, why_size, "out of memory");
		return -ENOMEM;
	}
	for (unsigned int i = 0; i < nr; i++)
		s->tasks[i].len = share_of_task(w, i);
	return 0;
}

/* The stage after this one that has something to do. */
static enum usemem_stage usemem_after(const struct usemem_options *o,
				      const struct usemem_task *t,
				      enum usemem_stage stage)
{
	stage++;
	if (stage == USEMEM_PUNCH && (!o->punch_holes || t->len < HOLE_STRIDE))
		stage++;
	if (stage == USEMEM_SLEEP && !o->sleep)
		stage++;
	return stage;
}

static void usemem_punch(const struct usemem_options *o, struct usemem_task *t,
			 struct workload_op *op)
{
	*op = (struct workload_op){ .kind = WORKLOAD_MADV_DONTNEED,
				    .offset = t->offset, .len = PAGE_SIZE };
	t->offset += HOLE_STRIDE;
	/* A last page without a second one is kept. */
	if (t->offset + HOLE_STRIDE > t->len)
		t->stage = usemem_after(o, t, USEMEM_PUNCH);
}

static bool usemem_next(struct workload *w, unsigned int task,
			struct workload_op *op)
{
	const struct usemem_options *o = w->options;
	struct usemem_state *s = w->state;
	struct usemem_task *t = &s->tasks[task];

	*op = (struct workload_op){ .len = t->len };
	switch (t->stage) {
	case USEMEM_MAP:
		op->kind = WORKLOAD_MMAP;
		op->flags = w->ctx.thp ? WORKLOAD_MAP_HUGEPAGE : 0;
		break;
	case USEMEM_TOUCH:
		op->kind = WORKLOAD_TOUCH;
		op->flags = WORKLOAD_COUNTED;
		break;
	case USEMEM_PUNCH:
		usemem_punch(o, t, op);
		return true;
	case USEMEM_SLEEP:
		*op = (struct workload_op){ .kind = WORKLOAD_SLEEP,
					    .ns = o->sleep };
		break;
	case USEMEM_EXIT:
		*op = (struct workload_op){ .kind = WORKLOAD_EXIT };
		break;
	case USEMEM_EXITED:
		return false;
	}
	t->stage = usemem_after(o, t, t->stage);
	return true;
}

static void usemem_cleanup(struct workload *w)
{
	struct usemem_state *s = w->state;

	free(s->tasks);
	s->tasks = NULL;
}

const struct workload_ops usemem_workload = {
	.name = "usemem",
	.summary = "write one mapping, drop every other page if asked, exit",
	.options = { usemem_descs, sizeof(struct usemem_options) },
	.state_size = sizeof(struct usemem_state),
	.needs_size = true,
	.anon_only = true,
	.prepare = usemem_prepare,
	.next = usemem_next,
	.cleanup = usemem_cleanup,
};
