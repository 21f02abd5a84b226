/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Between the files of the world: world.c (its life and its books),
 * world_watch.c (what the design does) and world_events.c (what happens to it).
 */
#ifndef TESTS_REPORTER_WORLD_PARTS_H
#define TESTS_REPORTER_WORLD_PARTS_H

#include "tests/reporter/world.h"

#define WORLD_NR_CPUS 2

/* Keep what went wrong, if it is the first thing. */
void world_broken(struct world *w, const char *what);
/* Every page of the block changes hands. */
void world_hand_over(struct world *w, pfn_t pfn, unsigned int order,
		     enum page_owner from, enum page_owner to,
		     const char *what);
/* Part of the digest by which two runs are compared. */
void world_note(struct world *w, unsigned int what, pfn_t pfn,
		unsigned int order);
struct sync_env_watch world_watch(struct world *w);

void world_random_event(struct world *w);
/* Allocations that had to wait ask again. */
void world_ask_parked(struct world *w);
/* Compaction isolates some free block, or puts it back. */
void world_hold(struct world *w);
void world_free_one(struct world *w, unsigned int i);

#endif
