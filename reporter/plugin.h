/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A design in a shared object of its own, for `--reporter-plugin FILE`. Its
 * file ends with
 *
 *     BUDDYLAB_REPORTER_PLUGIN(mine_reporter);
 *
 * which exports the one symbol that the program looks for. Everything that the
 * plugin calls (alloc_list_first() and so on) it finds in the program; it is
 * linked with nothing. docs/writing-a-reporter.md goes through it.
 */
#ifndef REPORTER_PLUGIN_H
#define REPORTER_PLUGIN_H

#include "reporter/reporter.h"

/*
 * Raised whenever a plugin has to be built again: a member of a struct, a
 * meaning or an enumerator of these headers has changed.
 */
#define BUDDYLAB_REPORTER_ABI 1

/* What was forgotten above still shows in most cases. */
#define BUDDYLAB_REPORTER_LAYOUT                                              \
	((uint64_t)sizeof(struct reporter_ops) |                              \
	 (uint64_t)sizeof(struct reporter_env) << 12 |                        \
	 (uint64_t)sizeof(struct reporter_counters) << 24 |                   \
	 (uint64_t)sizeof(struct host_request) << 36 |                        \
	 (uint64_t)sizeof(struct option_desc) << 46 |                         \
	 (uint64_t)sizeof(struct alloc_hooks) << 54)

/* The first member stays what and where it is in every ABI. */
struct buddylab_reporter_plugin {
	uint32_t abi;
	uint32_t reserved;             /* 0 */
	uint64_t layout;
	const struct reporter_ops *ops;
};

#define BUDDYLAB_REPORTER_SYMBOL "buddylab_reporter_plugin"

#define BUDDYLAB_REPORTER_PLUGIN(design)                                      \
	extern const struct buddylab_reporter_plugin buddylab_reporter_plugin; \
	__attribute__((visibility("default")))                                \
	const struct buddylab_reporter_plugin buddylab_reporter_plugin = {    \
		.abi = BUDDYLAB_REPORTER_ABI,                                 \
		.layout = BUDDYLAB_REPORTER_LAYOUT,                           \
		.ops = &(design),                                             \
	}

#endif
