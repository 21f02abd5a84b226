/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How far a value may move before the gate calls it a regression. Without a
 * file nothing may move at all.
 *
 *     [thresholds]
 *     digest = ignore
 *     metric.iterations_per_s = 1%      # of the baseline's value
 *     reporter.list_visits = 100        # absolute
 *     host.* = 5%                       # as file names are matched
 *
 * Of several that match, the last one counts.
 */
#ifndef BENCH_THRESHOLDS_H
#define BENCH_THRESHOLDS_H

#include <stdbool.h>
#include <stddef.h>

#include "bench/arena.h"
#include "include/diag.h"

struct threshold {
	const char *pattern;
	bool ignore, is_percent;
	double limit;
};

struct thresholds {
	struct arena arena;
	const struct threshold *t;
	size_t nr;
};

/* 0, -EINVAL with messages in d, -ENOMEM. thresholds_free() in any case. */
int thresholds_read(struct thresholds *t, const char *path, struct diag *d);
void thresholds_free(struct thresholds *t);
/* May the value called `name` move from `was` to `is`? NULL: never. */
bool thresholds_allow(const struct thresholds *t, const char *name,
		      double was, double is);

#endif
