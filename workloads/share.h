/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How several tasks share the size of a phase; only workloads/ includes it. */
#ifndef WORKLOADS_SHARE_H
#define WORKLOADS_SHARE_H

#include "workloads/workload.h"

/* 0 if there is a page for each task, else -EINVAL with a reason. */
int share_check(const struct workload *w, char *why, size_t why_size);
/* Bytes of the task: whole pages, the first tasks have what is left over. */
uint64_t share_of_task(const struct workload *w, unsigned int task);

#endif
