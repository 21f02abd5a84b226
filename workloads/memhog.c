/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * memhog: one anonymous mapping, written from its start in steps of 10 MiB,
 * then exit, as the memhog of numactl does with its default policy. Several
 * tasks share the size; each maps its part.
 *
 * Left out: the dot that memhog prints after each step.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "workloads/share.h"

#define MEMHOG_STEP (UINT64_C(10) << 20)

enum memhog_stage { MEMHOG_MAP, MEMHOG_TOUCH, MEMHOG_EXITED };

struct memhog_task {
	enum memhog_stage stage;
	uint64_t len, offset;
};

struct memhog_state {
	struct memhog_task *tasks;
};

/* No options: the size comes with the phase. */
struct memhog_options {
	char nothing;
};

static const struct option_desc memhog_descs[] = {
	{ .name = NULL },
};

static int memhog_prepare(struct workload *w, char *why, size_t why_size)
{
	struct memhog_state *s = w->state;
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

static bool memhog_next(struct workload *w, unsigned int task,
			struct workload_op *op)
{
	struct memhog_state *s = w->state;
	struct memhog_task *t = &s->tasks[task];
	const uint64_t left = t->len - t->offset;

	switch (t->stage) {
	case MEMHOG_MAP:
		*op = (struct workload_op){
			.kind = WORKLOAD_MMAP,
			.flags = w->ctx.thp ? WORKLOAD_MAP_HUGEPAGE : 0,
			.len = t->len,
		};
		t->stage = MEMHOG_TOUCH;
		return true;
	case MEMHOG_TOUCH:
		if (!left) {
			*op = (struct workload_op){ .kind = WORKLOAD_EXIT };
			t->stage = MEMHOG_EXITED;
			return true;
		}
		*op = (struct workload_op){
			.kind = WORKLOAD_TOUCH,
			.flags = WORKLOAD_COUNTED,
			.offset = t->offset,
			.len = left < MEMHOG_STEP ? left : MEMHOG_STEP,
		};
		t->offset += op->len;
		return true;
	case MEMHOG_EXITED:
		break;
	}
	return false;
}

static void memhog_cleanup(struct workload *w)
{
	struct memhog_state *s = w->state;

	free(s->tasks);
	s->tasks = NULL;
}

const struct workload_ops memhog_workload = {
	.name = "memhog",
	.summary = "write one mapping from end to end, then exit",
	.options = { memhog_descs, sizeof(struct memhog_options) },
	.state_size = sizeof(struct memhog_state),
	.needs_size = true,
	.anon_only = true,
	.prepare = memhog_prepare,
	.next = memhog_next,
	.cleanup = memhog_cleanup,
};
