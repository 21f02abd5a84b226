/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The loop of will-it-scale's page_fault tests, which run until they are
 * stopped: one iteration counted is one page written, as in the original.
 */
#include "workloads/page_fault.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

int page_fault_prepare(struct workload *w, uint64_t size, uint32_t map_flags,
		       char *why, size_t why_size)
{
	struct page_fault_state *s = w->state;

	if (!size || size % PAGE_SIZE) {
		snprintf(why, why_size, "%s: size is %llu bytes, it has to be "
			 "a multiple of 4K", w->ops->name,
			 (unsigned long long)size);
		return -EINVAL;
	}
	s->stages = calloc(w->ctx.nr_tasks, sizeof(*s->stages));
	if (!s->stages) {
		snprintf(why, why_size, "out of memory");
		return -ENOMEM;
	}
	s->len = size;
	s->map_flags = map_flags;
	return 0;
}

bool page_fault_next(struct workload *w, unsigned int task,
		     struct workload_op *op)
{
	struct page_fault_state *s = w->state;
	enum page_fault_stage *stage = &s->stages[task];

	*op = (struct workload_op){ .len = s->len };
	switch (*stage) {
	case PAGE_FAULT_MAP:
		op->kind = WORKLOAD_MMAP;
		op->flags = s->map_flags;
		*stage = PAGE_FAULT_TOUCH;
		break;
	case PAGE_FAULT_TOUCH:
		op->kind = WORKLOAD_TOUCH;
		op->flags = WORKLOAD_COUNTED;
		*stage = PAGE_FAULT_UNMAP;
		break;
	case PAGE_FAULT_UNMAP:
		op->kind = WORKLOAD_MUNMAP;
		*stage = PAGE_FAULT_MAP;
		break;
	}
	return true;
}

void page_fault_cleanup(struct workload *w)
{
	struct page_fault_state *s = w->state;

	free(s->stages);
	s->stages = NULL;
}
