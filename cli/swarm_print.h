/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What `buddylab swarm` was asked for, and how it says what it found. */
#ifndef CLI_SWARM_PRINT_H
#define CLI_SWARM_PRINT_H

#include "bench/bench.h"
#include "cli/args.h"
#include "cli/plugin.h"

/* What a command that repeats a cell need not say. */
#define SWARM_LIMIT_S 60
#define SWARM_EVENTS_DEFAULT 3
#define SWARM_CHECK_DEFAULT 5000

struct swarm_args {
	struct args args;
	struct plugins plugins;
	struct swarm_options o;
	struct swarm_campaign c;
	struct swarm_scripts scripts;
	bool one_cell, cells_given, step, ops_given, json, print, verbose;
	bool machine_given;
	const char *path;
};

/* swarm_campaign.cell_over; ctx is the struct swarm_args. */
void swarm_print_over(void *ctx, uint64_t cell, const struct swarm_outcome *o);
/* Failures with the commands that repeat them, and the totals. */
void swarm_print(const struct swarm_args *a, const struct swarm_summary *s);
/* The same as a document of JSON; the exit code. */
int swarm_print_json(const struct swarm_args *a,
		     const struct swarm_summary *s);

#endif
