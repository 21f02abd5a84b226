/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A reporter on a small guest for tests: options are written as in an
 * experiment ("capacity=2 rotation=off"), reports are kept as text, and every
 * helper checks the design and the allocator afterwards.
 */
#ifndef TESTS_REPORTER_RIG_H
#define TESTS_REPORTER_RIG_H

#include "reporter/sync_env.h"

#define RIG_TEXT_SIZE 65536

struct rig {
	struct alloc *a;
	struct sync_env env;
	struct alloc_hooks hooks;
	void *options;
	size_t used;               /* of text */
	char text[RIG_TEXT_SIZE];  /* "{pfn,pfn} {pfn}", one per report */
};

/* Fill *options (ops->options.size bytes, to be freed) from words. */
void *rig_options(const struct reporter_ops *ops, const char *words);
/*
 * Attach `ops` to the guest and start it; the guest stays the caller's. Faults
 * and latency are taken from *cfg if not NULL.
 */
struct rig *rig_start(struct alloc *a, const struct reporter_ops *ops,
		      const char *options, const struct sync_env_config *cfg);
/* Stop, detach and free all but the guest. */
void rig_stop(struct rig *rig);
/* Run to idle, checking after every pass. Returns the number of passes. */
unsigned int rig_run(struct rig *rig);
/* The design's promises and every invariant of the allocator hold. */
void rig_assert_valid(const struct rig *rig);
/* The reports since the last call are these. */
void rig_assert_reports(const char *row, struct rig *rig,
			const char *expected);
const struct reporter_counters *rig_counters(const struct rig *rig);

#endif
