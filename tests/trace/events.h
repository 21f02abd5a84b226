/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Events for tests of what stores them: one of each sort, and random ones. */
#ifndef TESTS_TRACE_EVENTS_H
#define TESTS_TRACE_EVENTS_H

#include "include/rng.h"
#include "trace/event.h"

#define EVENTS_NR_SORTS (REQ_NR_KINDS + TRACE_NR_KINDS - 1)

/*
 * An event of sort 0 to EVENTS_NR_SORTS - 1 with fields by chance; those that
 * the sort does not have are zero. `tasks` bounds the number of the task.
 */
void event_random(struct rng *r, unsigned int sort, uint32_t tasks,
		  struct trace_event *out);
/* The text of all fields, for messages and comparison. */
void event_text(const struct trace_event *e, char *out, size_t size);

#endif
