/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Laps: operations whose time a workload wants to know, as programs print the
 * time of their passes. A lap lasts from the begin of the operation to the time
 * at which its task goes on: what the task waits for its CPU is part of it, as
 * in a program that reads the clock.
 */
#include "sim/machine.h"

void laps_next(struct sim *s, struct task *t, sim_ns_t now)
{
	if (t->op_lap && t->nr_laps < WORKLOAD_MAX_LAPS) {
		s->laps[t->nr_laps].ns += now - t->lap_began;
		s->laps[t->nr_laps].nr++;
		t->nr_laps++;
	}
	t->op_lap = false;
	t->lap_began = now;
}

bool laps_mean(const struct sim *s, unsigned int i, sim_ns_t *ns)
{
	if (!s->laps[i].nr)
		return false;
	*ns = s->laps[i].ns / s->laps[i].nr;
	return true;
}
