/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Zone locks in virtual time. A lock is a queue spinlock: whoever asks while
 * it is held waits until the holder and all earlier waiters are through. As
 * callers come in time order, one "free at" per lock describes the queue.
 */
#include "sim/machine.h"

sim_ns_t lock_hold(struct zone_lock *l, sim_ns_t at, sim_ns_t hold)
{
	const sim_ns_t start = l->free_at > at ? l->free_at : at;

	l->acquisitions++;
	if (start > at) {
		l->contended++;
		l->wait_ns += start - at;
	}
	l->hold_ns += hold;
	if (hold > l->max_hold_ns)
		l->max_hold_ns = hold;
	l->free_at = start + hold;
	return start - at;
}

sim_ns_t zone_locks_hold(struct sim_guest *g, uint64_t zones, sim_ns_t at,
			 uint64_t hold_ps)
{
	sim_ns_t wait = 0, hold = hold_ps / 1000;

	/* Seldom more than one; then each is held for its share in turn. */
	if (zones & (zones - 1))
		hold /= (unsigned int)__builtin_popcountll(zones);
	while (zones) {
		unsigned int z = (unsigned int)__builtin_ctzll(zones);

		zones &= zones - 1;
		wait += lock_hold(&g->locks[z], at + wait, hold);
	}
	return wait;
}
