/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The size of a phase, divided among its tasks. */
#include "workloads/share.h"

#include <errno.h>
#include <stdio.h>

int share_check(const struct workload *w, char *why, size_t why_size)
{
	if (bytes_to_pages(w->ctx.size) >= w->ctx.nr_tasks)
		return 0;
	snprintf(why, why_size, "%s of %u tasks needs a page for each, size "
		 "is %llu bytes", w->ops->name, w->ctx.nr_tasks,
		 (unsigned long long)w->ctx.size);
	return -EINVAL;
}

uint64_t share_of_task(const struct workload *w, unsigned int task)
{
	const uint64_t pages = bytes_to_pages(w->ctx.size);
	const uint64_t nr = w->ctx.nr_tasks;

	return pages_to_bytes(pages / nr + (task < pages % nr));
}
