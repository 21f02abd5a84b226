/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Options of the jemalloc workload; only workloads/ includes it. */
#ifndef WORKLOADS_JEMALLOC_OPTIONS_H
#define WORKLOADS_JEMALLOC_OPTIONS_H

#include "workloads/workload.h"

enum size_dist { SIZES_LOG_UNIFORM, SIZES_UNIFORM, SIZES_TWO };
enum lifetimes { LIVES_RANDOM, LIVES_FIFO, LIVES_LIFO, LIVES_GENERATIONS };

struct jemalloc_options {
	unsigned int sizes, lifetimes;
	uint64_t min_size, max_size;
	uint64_t written, replace, low, waves, purge_every;
	sim_ns_t idle, think, dirty_decay, muzzy_decay;
	bool decay, background, retain;
};

extern const struct option_desc jemalloc_descs[];

/* As jemalloc has it: -1 = never. */
int64_t jemalloc_decay_ms(const struct jemalloc_options *o, sim_ns_t ns);
/* 0, or -EINVAL with a reason in why. */
int jemalloc_check_options(const struct jemalloc_options *o, char *why,
			   size_t why_size);

#endif
