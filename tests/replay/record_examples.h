/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Worked examples of record kinds, of one zone of 8192 pages (Normal, ID 2),
 * with two CPUs, watermarks of 0 and every pageblock movable.
 */
#ifndef TESTS_REPLAY_RECORD_EXAMPLES_H
#define TESTS_REPLAY_RECORD_EXAMPLES_H

#include "replay/replay.h"

#define PCP(cpu, count, high, batch, factor)                                  \
	"pcphdr 2 cpu=" #cpu " count=" #count " high=" #high " batch=" #batch \
	" free_factor=" #factor "\n"
#define BOTH_PCP PCP(0, 0, 42, 7, 0) PCP(1, 0, 42, 7, 0)

struct example {
	const char *name;
	const char *before, *stream, *after; /* bodies of the snapshots */
	const char *control;                 /* stream that must differ */
	unsigned int hints, control_hints;
};

#define NR_RECORD_EXAMPLES 37
extern const struct example record_examples[NR_RECORD_EXAMPLES];

#endif
