/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What every command that works on an experiment file takes. */
#ifndef CLI_EXP_ARGS_H
#define CLI_EXP_ARGS_H

#include "bench/bench.h"
#include "cli/args.h"
#include "cli/plugin.h"

/* The first entries of the command's option table, in this order. */
#define EXP_OPTIONS                                                           \
	{ "output", 'o', "DIR", "folder of results (default out/NAME)" },     \
	{ "set", 0, "KEY=VALUE", "section.key or phase.NAME.key; repeatable" },\
	{ "seeds", 0, "A..B", "seeds instead of the file's" },                \
	{ "only", 0, "VARIANT[,..]", "leave the other variants out" },       \
	PLUGIN_OPTION,                                                        \
	{ "large", 0, NULL, "more cells than 100000, or more memory than "    \
			    "there is" }

enum { EXP_OUTPUT, EXP_SET, EXP_SEEDS, EXP_ONLY, EXP_PLUGIN, EXP_LARGE,
       EXP_NR_OPTIONS };

#define EXP_MAX_SETS 256

struct exp_args {
	struct args args;
	struct experiment_request req;
	struct plugins plugins;
	const char *sets[EXP_MAX_SETS];
	char dir[STORE_PATH_SIZE];   /* results */
};

/*
 * The next option of the command's own, as args_next(); those above are taken
 * here. ARGS_END after the one word, the experiment file, was found.
 */
void exp_args_init(struct exp_args *a, const struct args_command *command,
		   int argc, char **argv);
int exp_args_next(struct exp_args *a);

/* Exit code for args_next()'s ARGS_BAD or ARGS_HELP. */
int exp_args_exit(int result);

/* Load the experiment; 0 or the exit code, messages on stderr. */
int exp_args_load(struct exp_args *a, struct experiment *e);

/*
 * Before cells are run here: 0, or the exit code after a message that one of
 * them (only: that one) may take more memory than this machine has.
 */
int exp_args_allow(const struct exp_args *a, const struct experiment *e,
		   const struct cell *only);

/*
 * Has the cell a result in a->dir? 1, 0, or -errno after a message: one that is
 * there and cannot be read is not a missing one.
 */
int exp_args_stored(const struct exp_args *a, const struct cell *c);

/*
 * As exp_args_allow() for so many cells at a time, if the user has chosen; else
 * *jobs becomes what fits.
 */
int exp_args_jobs(const struct exp_args *a, const struct experiment *e,
		  unsigned int *jobs, bool chosen);

/*
 * "buddylab run-cell EXP -o DIR --set ..." with what was asked for, quoted for
 * a shell; NULL without memory. The caller frees it.
 */
char *exp_args_repeat(const struct exp_args *a, const char *command);

/* A word, quoted for a shell where it needs that. The same of the result. */
char *exp_args_quote(const char *word);

/* A whole number >= 1 up to max, or a message and 0. */
unsigned int exp_args_count(const struct exp_args *a, const char *option,
			    unsigned int max);

#endif
