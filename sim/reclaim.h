/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How much of what the guests do not use left the host, and how fast.
 *
 * At the start of a phase, what can be reclaimed is what the host ever had
 * resident less what the guests have in use now. A share of it is reclaimed
 * when as much has gone from the largest resident size. Memory that a design
 * gave back while it was freed, before the phase, counts: it took no time.
 */
#ifndef SIM_RECLAIM_H
#define SIM_RECLAIM_H

#include "include/types.h"

#define RECLAIM_NR_SHARES 3

struct sim;

struct reclaim {
	uint64_t peak;                     /* pages, of the run so far */
	uint64_t peak_at_close;            /* of the measured window */
	uint64_t goal[RECLAIM_NR_SHARES];  /* resident pages, falling */
	sim_ns_t at[RECLAIM_NR_SHARES];    /* when they were reached */
	unsigned int reached;              /* how many of them */
	bool wanted;                       /* there was something to reclaim */
	bool any;                          /* something was discarded */
	sim_ns_t first;                    /* when that was, in this phase */
};

/* In percent, ascending. */
extern const unsigned int reclaim_shares[RECLAIM_NR_SHARES];

/* At the start of a phase, around every service that discards, at its end. */
void reclaim_begin(struct sim *s);
void reclaim_before_discard(struct sim *s);
void reclaim_after_discard(struct sim *s);

#endif
