/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * idle: tasks that sleep, for good, and touch nothing. A phase of it ends by
 * its duration or when the reporter is idle.
 */
#include "workloads/workload.h"

struct idle_options {
	uint64_t tick;
};

static const struct option_desc idle_descs[] = {
	{ .name = "tick", .type = OPTION_TIME,
	  .offset = offsetof(struct idle_options, tick), .min = 1,
	  .max = 24 * 3600 * NSEC_PER_SEC, .def = "100ms", .unit = "ns",
	  .help = "Length of one sleep; the end of a phase is seen between "
		  "two of them." },
	{ .name = NULL },
};

static int idle_prepare(struct workload *w, char *why, size_t why_size)
{
	(void)w;
	(void)why;
	(void)why_size;
	return 0;
}

static bool idle_next(struct workload *w, unsigned int task,
		      struct workload_op *op)
{
	const struct idle_options *o = w->options;

	(void)task;
	*op = (struct workload_op){ .kind = WORKLOAD_SLEEP, .ns = o->tick };
	return true;
}

static void idle_cleanup(struct workload *w)
{
	(void)w;
}

const struct workload_ops idle_workload = {
	.name = "idle",
	.summary = "sleep; endless",
	.endless = true,
	.options = { idle_descs, sizeof(struct idle_options) },
	.anon_only = true,
	.prepare = idle_prepare,
	.next = idle_next,
	.cleanup = idle_cleanup,
};
