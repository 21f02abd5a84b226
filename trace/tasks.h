/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tasks of a trace, numbered as they are met. Number 0 is "not known". The
 * table has a bound: tasks beyond it are number 0 too. Only trace/ includes
 * this.
 */
#ifndef TRACE_TASKS_H
#define TRACE_TASKS_H

#include <stddef.h>

#include "include/types.h"
#include "trace/source.h"

#define TASKS_CHUNK 4096u
#define TASKS_CHUNKS 64u
/* With number 0. 262,144 tasks take 12 MiB. */
#define TASKS_MAX (TASKS_CHUNK * TASKS_CHUNKS)
/* As the kernel: TASK_COMM_LEN with the NUL. A longer name is cut. */
#define TASK_COMM_BYTES 16u

struct task_slot {
	struct trace_task task;
	char comm[TASK_COMM_BYTES];
};

struct task_table {
	uint32_t nr;               /* with number 0; 0 = not set up */
	bool full;                 /* a task was refused */
	uint32_t nr_buckets;       /* a power of two */
	uint32_t *buckets;         /* number of the task, 0 = empty */
	struct task_slot *chunks[TASKS_CHUNKS]; /* slots never move */
};

/* 0 or -ENOMEM. tasks_destroy() accepts a zeroed struct. */
int tasks_init(struct task_table *t);
void tasks_destroy(struct task_table *t);
/* The number of this task; 0 or -ENOMEM. */
int tasks_find(struct task_table *t, uint32_t pid, const char *comm,
	       size_t len, uint32_t *out);
/* NULL if there is no such number. */
const struct trace_task *tasks_get(const struct task_table *t, uint32_t task);

#endif
