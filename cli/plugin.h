/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * --reporter-plugin FILE: designs from shared objects beside those that are
 * compiled in. A file is loaded only if the command line names it; experiment
 * files may come from anywhere, and can only choose among what is loaded.
 */
#ifndef CLI_PLUGIN_H
#define CLI_PLUGIN_H

#include "cli/args.h"
#include "include/digest.h"
#include "sim/sim.h"

#define PLUGIN_MAX 8
#define PLUGIN_MAX_REPORTERS 64
#define PLUGIN_OPTION                                                         \
	{ "reporter-plugin", 0, "FILE", "a design of your own; repeatable" }

/* Zeroed, then plugins_init(); stays where it is while `registry` is used. */
struct plugins {
	struct sim_registry registry;  /* compiled in, then loaded */
	const struct reporter_ops *reporters[PLUGIN_MAX_REPORTERS + 1];
	const char *digests[PLUGIN_MAX_REPORTERS + 1];
	unsigned int nr_reporters;
	const char *paths[PLUGIN_MAX]; /* as the command line has them */
	char digest[PLUGIN_MAX][DIGEST_HEX_SIZE];
	unsigned int nr;
};

void plugins_init(struct plugins *p);
/* Load the file that is an option's value. 0, or 2 with a message. */
int plugins_take(struct plugins *p, const struct args *a);
/* The design called `name`, or NULL after a message. */
const struct reporter_ops *plugins_find(const struct plugins *p,
					const struct args *a,
					const char *name);

#endif
