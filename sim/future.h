/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * When every 2 MiB region of a guest is used, over a whole run: what a first
 * pass of a cell without reporting leaves for a design that is allowed to know
 * the future.
 */
#ifndef SIM_FUTURE_H
#define SIM_FUTURE_H

#include "include/types.h"

#define FUTURE_NEVER UINT64_MAX

/* Uses closer together than the record's grain are one time of use. */
struct busy_time {
	sim_ns_t from, to;
};

struct busy_log {
	struct busy_time *v;      /* ascending, apart by more than the grain */
	uint32_t nr, capacity;
};

struct future {
	unsigned int nr_guests;
	uint32_t nr_regions;      /* of each guest */
	struct busy_log *logs;    /* [nr_guests * nr_regions] */
	sim_ns_t grain;
	uint64_t nr, limit;       /* times of use in all logs */
	/* Begin and end of the phases, for a run whose phases take longer. */
	unsigned int nr_phases;
	struct busy_time *phases;
	bool failed;              /* no memory for all of it */
};

int future_init(struct future *f, unsigned int nr_guests, pfn_t nr_pages,
		unsigned int nr_phases); /* 0 or -ENOMEM */
/* Accepts a zeroed struct. */
void future_destroy(struct future *f);
/* A guest uses the block now, no earlier than what was noted before. */
void future_note(struct future *f, unsigned int guest, pfn_t pfn,
		 unsigned int order, sim_ns_t now);
/*
 * From `at` of the recorded run on: time until any page of the block is used,
 * 0 if that is now, FUTURE_NEVER.
 */
sim_ns_t future_next_use(const struct future *f, unsigned int guest, pfn_t pfn,
			 unsigned int order, sim_ns_t at);
/*
 * The recorded time that corresponds to a place in a phase: as far from its
 * start, or its end if the recorded phase was shorter.
 */
sim_ns_t future_time(const struct future *f, unsigned int phase,
		     sim_ns_t since_start);

#endif
