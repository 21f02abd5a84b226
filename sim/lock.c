/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Zone locks in virtual time. A lock is a queue spinlock: whoever asks while
 * it is held waits until the holder and all earlier waiters are through. As
 * callers come in time order, one "free at" per lock describes the queue.
 *
 * A step that takes a lock several times in a row (a batch of frees) holds it
 * once for the sum; its longest single hold is taken to be the mean of these.
 */
#include "sim/machine.h"

/* Up to 250 ns, 1, 4, 16, 64, 256 us, and longer. */
static unsigned int bucket_of(sim_ns_t hold)
{
	unsigned int i = 0;

	for (sim_ns_t limit = 250; i < LOCK_NR_BUCKETS - 1 && hold > limit; i++)
		limit *= 4;
	return i;
}

static sim_ns_t lock_holds(struct zone_lock *l, sim_ns_t at, sim_ns_t hold,
			   uint64_t nr)
{
	const sim_ns_t start = l->free_at > at ? l->free_at : at;

	l->acquisitions++;
	if (start > at) {
		l->contended++;
		l->wait_ns += start - at;
	}
	l->hold_ns += hold;
	l->holds[bucket_of(hold / nr)]++;
	if (hold / nr > l->max_hold_ns)
		l->max_hold_ns = hold / nr;
	l->free_at = start + hold;
	return start - at;
}

sim_ns_t lock_hold(struct zone_lock *l, sim_ns_t at, sim_ns_t hold)
{
	return lock_holds(l, at, hold, 1);
}

sim_ns_t zone_locks_hold(struct sim_guest *g, uint64_t zones, sim_ns_t at,
			 uint64_t hold_ps, uint64_t nr)
{
	sim_ns_t wait = 0, hold = hold_ps / 1000;

	nr = nr ? nr : 1;

	/* Seldom more than one; then each is held for its share in turn. */
	if (zones & (zones - 1)) {
		const unsigned int n =
			(unsigned int)__builtin_popcountll(zones);

		hold /= n;
		nr = nr > n ? nr / n : 1;
	}
	while (zones) {
		unsigned int z = (unsigned int)__builtin_ctzll(zones);

		zones &= zones - 1;
		wait += lock_holds(&g->locks[z], at + wait, hold, nr);
	}
	return wait;
}
