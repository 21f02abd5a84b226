/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Runs of random operations: an episode is one guest and a few thousand
 * operations on it. Each runs in a process of its own, so that a CHECK that
 * fails in the allocator is an answer, not the end of the test.
 */
#ifndef TESTS_MODEL_EPISODE_H
#define TESTS_MODEL_EPISODE_H

#include "tests/model/differential.h"

struct episode {
	enum naive_kernel kernel;
	uint64_t seed;            /* of this episode */
	unsigned int nr_ops;
	bool large;               /* kind of guest, see world_create() */
	/*
	 * Every answer is compared; state after so many operations only. 1:
	 * counts and alloc_check() each time, lists now and then.
	 */
	unsigned int every;
};

struct outcome {
	bool failed;
	unsigned int op;          /* index of the operation that failed */
	char why[500];
	/* Of the page frame numbers handed out. */
	char got[DIGEST_HEX_SIZE], want[DIGEST_HEX_SIZE];
};

/* Run it with operations drawn from its seed. */
struct outcome episode_run(const struct episode *e);
/*
 * Draw the first `nr` operations of an episode, as episode_run() does, into
 * ops; in this process. Returns how many could be applied.
 */
unsigned int episode_draw(const struct episode *e, struct op *ops,
			  unsigned int nr);
/* Run given operations on the episode's guest; a step script goes to `out`
 * if it is not NULL. */
struct outcome episode_replay(const struct episode *e, const struct op *ops,
			      unsigned int nr, FILE *out);
/*
 * Take out operations as long as the rest still fails; *nr is the new count.
 * Spends at most `budget` operations.
 */
struct outcome episode_shrink(const struct episode *e, struct op *ops,
			      unsigned int *nr, uint64_t budget);

#endif
