/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How far a value may move before the gate calls it a regression. Without a
 * file nothing may move at all. docs/ci.md is the reference.
 *
 *     [thresholds]                      # short: name = how far it may move
 *     digest = ignore
 *     metric.virtual_s = 1%             # of the baseline's value
 *     reporter.list_visits = 100        # absolute
 *
 *     [default]                         # of names that nothing else matches
 *     kind = exact
 *
 *     [metric host.*]                   # as file names are matched
 *     kind = seeded                     # over the seeds, not cell by cell
 *     better = lower
 *     max_regress = 2%
 *     alpha = 0.01
 *
 * Of several that match, the last one counts.
 */
#ifndef BENCH_THRESHOLDS_H
#define BENCH_THRESHOLDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bench/arena.h"
#include "bench/stats.h"
#include "include/diag.h"

/* The one value that is timed; nobody compares it unless a rule asks for it. */
#define WALL_SECONDS "wall.seconds"

enum threshold_better { BETTER_NEITHER, BETTER_LOWER, BETTER_HIGHER };

struct threshold {
	const char *pattern;
	bool ignore;
	enum stats_kind kind;
	enum threshold_better better;
	double limit;           /* of the change; if better, of one for worse */
	bool is_percent;        /* ... of the baseline's value */
	double min_effect;      /* absolute; what is less is no change */
	double alpha;           /* seeded and timed: largest p that counts */
	uint64_t min_samples;   /* seeded and timed, on each side */
};

struct thresholds {
	struct arena arena;
	const struct threshold *t;   /* [0] is the default */
	size_t nr;
};

/* 0, -EINVAL with messages in d, -ENOMEM. thresholds_free() in any case. */
int thresholds_read(struct thresholds *t, const char *path, struct diag *d);
void thresholds_free(struct thresholds *t);
/* The rule for the value called `name`; t may be NULL. Never NULL. */
const struct threshold *thresholds_find(const struct thresholds *t,
					const char *name);
/* Is a move from `was` to `is` none, for the better, or small enough? */
bool threshold_allows(const struct threshold *t, double was, double is);

struct option_table;
/* Keys of [default] and [metric PATTERN]. */
extern const struct option_table threshold_options;

#endif
