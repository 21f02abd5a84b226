/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The keys of workload = jemalloc, and which of their values fit together. */
#include "workloads/jemalloc_options.h"

#include <errno.h>
#include <stdio.h>

#include "workloads/jemalloc_arena.h"

#define MAX_OBJECT (UINT64_C(1) << 40)

static const char *const size_names[] = { "log_uniform", "uniform", "two",
					  NULL };
static const char *const life_names[] = { "random", "fifo", "lifo",
					  "generations", NULL };

#define OPT(field) .offset = offsetof(struct jemalloc_options, field)

const struct option_desc jemalloc_descs[] = {
	{ .name = "sizes", .type = OPTION_NAME, OPT(sizes),
	  .names = size_names, .def = "log_uniform", .unit = "",
	  .help = "How sizes spread from min_size to max_size: every power of "
		  "two as often, every size as often, or these two, the larger "
		  "one once in a hundred." },
	{ .name = "min_size", .type = OPTION_SIZE, OPT(min_size), .min = 1,
	  .max = MAX_OBJECT, .def = "16", .unit = "bytes",
	  .help = "Smallest object." },
	{ .name = "max_size", .type = OPTION_SIZE, OPT(max_size), .min = 1,
	  .max = MAX_OBJECT, .def = "1M", .unit = "bytes",
	  .help = "Largest object." },
	{ .name = "lifetimes", .type = OPTION_NAME, OPT(lifetimes),
	  .names = life_names, .def = "generations", .unit = "",
	  .help = "Which object is freed: any (so lifetimes are exponential), "
		  "the oldest, the youngest, or nine times out of ten one of "
		  "the youngest eighth." },
	{ .name = "written", .type = OPTION_UINT, OPT(written), .min = 1,
	  .max = 100, .def = "100", .unit = "%",
	  .help = "Part of a new object that is written, at least a page." },
	{ .name = "replace", .type = OPTION_UINT, OPT(replace), .max = 1000000,
	  .def = "100", .unit = "%",
	  .help = "Objects freed and allocated at the top of a wave, of those "
		  "that live." },
	{ .name = "low", .type = OPTION_UINT, OPT(low), .max = 100,
	  .def = "25", .unit = "%",
	  .help = "What is left of the objects at the end of a wave." },
	{ .name = "idle", .type = OPTION_TIME, OPT(idle),
	  .max = UINT64_C(86400) * NSEC_PER_SEC, .def = "1s", .unit = "time",
	  .help = "Sleep at the end of a wave." },
	{ .name = "waves", .type = OPTION_UINT, OPT(waves), .min = 1,
	  .max = UINT32_MAX, .def = "3", .unit = "",
	  .help = "Waves before the program exits." },
	{ .name = "think", .type = OPTION_TIME, OPT(think),
	  .max = NSEC_PER_SEC, .def = "500ns", .unit = "time",
	  .help = "Work of the program for each object allocated or freed." },
	{ .name = "decay", .type = OPTION_BOOL, OPT(decay), .def = "on",
	  .unit = "",
	  .help = "Unused pages are given back with time; off: only by "
		  "purge_every." },
	{ .name = "dirty_decay", .type = OPTION_TIME, OPT(dirty_decay),
	  .max = UINT64_C(86400) * NSEC_PER_SEC, .def = "10s", .unit = "time",
	  .help = "jemalloc's dirty_decay_ms: pages leave the dirty state in "
		  "this time; 0: at once." },
	{ .name = "muzzy_decay", .type = OPTION_TIME, OPT(muzzy_decay),
	  .max = UINT64_C(86400) * NSEC_PER_SEC, .def = "0s", .unit = "time",
	  .help = "muzzy_decay_ms: with more than 0, dirty pages are given "
		  "back by MADV_FREE, and by MADV_DONTNEED after this time." },
	{ .name = "background", .type = OPTION_BOOL, OPT(background),
	  .def = "off", .unit = "",
	  .help = "Pages decay while the program sleeps too "
		  "(background_thread)." },
	{ .name = "retain", .type = OPTION_BOOL, OPT(retain), .def = "on",
	  .unit = "",
	  .help = "Addresses are never unmapped, jemalloc's default on "
		  "Linux." },
	{ .name = "purge_every", .type = OPTION_UINT, OPT(purge_every),
	  .def = "0", .unit = "",
	  .help = "Give back all unused pages after so many objects; "
		  "0: never." },
	{ .name = NULL },
};

int64_t jemalloc_decay_ms(const struct jemalloc_options *o, sim_ns_t ns)
{
	return o->decay ? (int64_t)(ns / NSEC_PER_MSEC) : -1;
}

int jemalloc_check_options(const struct jemalloc_options *o, char *why,
			   size_t why_size)
{
	const int64_t dirty = jemalloc_decay_ms(o, o->dirty_decay);
	const int64_t muzzy = jemalloc_decay_ms(o, o->muzzy_decay);

	if (o->max_size < o->min_size) {
		snprintf(why, why_size, "workload jemalloc: max_size = %llu is "
			 "less than min_size = %llu",
			 (unsigned long long)o->max_size,
			 (unsigned long long)o->min_size);
		return -EINVAL;
	}
	if (o->dirty_decay % NSEC_PER_MSEC || o->muzzy_decay % NSEC_PER_MSEC) {
		snprintf(why, why_size, "workload jemalloc: dirty_decay and "
			 "muzzy_decay are whole milliseconds");
		return -EINVAL;
	}
	if (jemalloc_quantum(dirty, muzzy) == UINT64_MAX) {
		snprintf(why, why_size, "workload jemalloc: of dirty_decay and "
			 "muzzy_decay, one has to be a multiple of the other "
			 "or 0, so that one clock serves both");
		return -EINVAL;
	}
	return 0;
}
