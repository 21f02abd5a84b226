/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What recorded programs do to their memory; only workloads/ includes it. */
#ifndef WORKLOADS_PROGRAM_H
#define WORKLOADS_PROGRAM_H

#include "include/diag.h"
#include "workloads/workload.h"

struct program;

/*
 * The recording of `w`'s options for ctx.nr_tasks tasks, all of it checked: 0,
 * or -errno with a reason in why.
 */
int program_open(struct program **out, const struct workload *w, char *why,
		 size_t why_size);
/* Accepts NULL. */
void program_close(struct program *p);
/* As workload_ops.next(). */
bool program_next(struct program *p, struct workload *w, unsigned int task,
		  struct workload_op *op);

#endif
