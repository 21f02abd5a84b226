/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * largepages3, the program whose times were posted with transparent huge pages
 * (Linux 2.6.38): 3 GiB are allocated, written from end to end three times, and
 * then stored to once in every 4 KiB, twice. Each of the five passes is a lap,
 * so that its time is a result of its own.
 *
 * How the buffer lies decides how many faults are huge. A mapping that starts
 * anywhere else than on 2 MiB has two ends that no huge page covers; and
 * malloc() maps a page more than was asked for, writes its own 16 bytes in
 * front, and so takes the first fault before the first pass.
 *
 * Left out: page faults of the program's own text and stack.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "workloads/share.h"

enum buffer_kind { BUFFER_ALIGNED, BUFFER_UNALIGNED, BUFFER_MALLOC };

#define NR_FILLS 3
#define NR_PASSES 5

enum { STEP_MAP, STEP_HEADER, STEP_PASSES, STEP_EXIT = STEP_PASSES + NR_PASSES, STEP_END };

struct largepages3_task {
	uint64_t len;             /* that the program writes */
	unsigned int step;
};

struct largepages3_state {
	struct largepages3_task *tasks;
};

struct largepages3_options {
	unsigned int buffer;      /* enum buffer_kind */
};

static const char *const buffer_names[] = {
	"aligned", "unaligned", "malloc", NULL
};

static const struct option_desc largepages3_descs[] = {
	{ .name = "buffer", .type = OPTION_NAME,
	  .offset = offsetof(struct largepages3_options, buffer),
	  .names = buffer_names, .def = "aligned", .unit = "",
	  .help = "Where it starts: on 2 MiB if mappings can be aligned; never "
		  "there; behind malloc's 16 bytes of such a mapping, which is "
		  "a page longer." },
	{ .name = NULL },
};

static int largepages3_prepare(struct workload *w, char *why, size_t why_size)
{
	struct largepages3_state *s = w->state;
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

static void largepages3_map(const struct workload *w,
			    const struct largepages3_options *o,
			    const struct largepages3_task *t,
			    struct workload_op *op)
{
	*op = (struct workload_op){ .kind = WORKLOAD_MMAP, .len = t->len };
	if (w->ctx.thp)
		op->flags |= WORKLOAD_MAP_HUGEPAGE;
	if (o->buffer != BUFFER_ALIGNED)
		op->flags |= WORKLOAD_MAP_UNALIGNED;
	if (o->buffer == BUFFER_MALLOC)
		op->len += PAGE_SIZE;
}

/* A fill that starts behind malloc's header ends in the page more. */
static void largepages3_pass(const struct largepages3_options *o,
			     const struct largepages3_task *t,
			     struct workload_op *op)
{
	const bool fill = t->step - STEP_PASSES < NR_FILLS;

	*op = (struct workload_op){
		.kind = WORKLOAD_TOUCH,
		.flags = WORKLOAD_COUNTED | WORKLOAD_LAP,
		.len = t->len,
	};
	if (!fill)
		return;
	op->flags |= WORKLOAD_TOUCH_FILL;
	if (o->buffer == BUFFER_MALLOC)
		op->len += PAGE_SIZE;
}

static bool largepages3_next(struct workload *w, unsigned int task,
			     struct workload_op *op)
{
	const struct largepages3_options *o = w->options;
	struct largepages3_state *s = w->state;
	struct largepages3_task *t = &s->tasks[task];

	if (t->step == STEP_HEADER && o->buffer != BUFFER_MALLOC)
		t->step++;
	if (t->step == STEP_MAP)
		largepages3_map(w, o, t, op);
	else if (t->step == STEP_HEADER)
		*op = (struct workload_op){ .kind = WORKLOAD_TOUCH,
					    .len = PAGE_SIZE };
	else if (t->step < STEP_EXIT)
		largepages3_pass(o, t, op);
	else if (t->step == STEP_EXIT)
		*op = (struct workload_op){ .kind = WORKLOAD_EXIT };
	else
		return false;
	t->step++;
	return true;
}

static void largepages3_cleanup(struct workload *w)
{
	struct largepages3_state *s = w->state;

	free(s->tasks);
	s->tasks = NULL;
}

const struct workload_ops largepages3_workload = {
	.name = "largepages3",
	.summary = "write memory three times, store to each page twice, exit",
	.options = { largepages3_descs, sizeof(struct largepages3_options) },
	.state_size = sizeof(struct largepages3_state),
	.needs_size = true,
	.anon_only = true,
	.prepare = largepages3_prepare,
	.next = largepages3_next,
	.cleanup = largepages3_cleanup,
};
