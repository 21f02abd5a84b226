/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * `buddylab run-cell EXP.ini --cell ID -o DIR`: the unit of work for make, GNU
 * parallel, Slurm or anything else. Does nothing if the result is there.
 */
#include <stdlib.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/exp_args.h"

enum { CELL_ID = EXP_NR_OPTIONS, CELL_CHECK, CELL_STEPS };

static const struct args_option options[] = {
	EXP_OPTIONS,
	{ "cell", 0, "ID", "32 hex digits, as `plan` lists them" },
	{ "check-every", 0, "N", "test all invariants every N events" },
	{ "step-by-step", 0, NULL, "no run-ahead: slower, the same results" },
	{ NULL, 0, NULL, NULL },
};

const struct args_command command_run_cell = {
	.name = "run-cell",
	.synopsis = "EXP.ini --cell ID -o DIR [options]",
	.text = "Run one cell and write DIR/cells/ID.json, unless a valid "
		"result is there.\n",
	.options = options,
	.example = "  buddylab plan quick.ini | head -1\n"
		   "  buddylab run-cell quick.ini --cell ID -o out/quick\n",
};

static int run_one(struct exp_args *a, struct experiment *e,
		   struct runner_options *opt)
{
	struct runner_outcome outcome;
	char why[4400];
	int err;

	if (store_open(a->dir, why, sizeof(why))) {
		fprintf(stderr, "buddylab run-cell: error: %s\n", why);
		return EXIT_RUNTIME;
	}
	opt->dir = a->dir;
	opt->jobs = 1;
	opt->messages = stderr;
	err = runner_run(e, opt, &outcome);
	if (err) {
		fprintf(stderr, "buddylab run-cell: error: cannot start a "
			"worker: %s\n", strerror(-err));
		return EXIT_RUNTIME;
	}
	if (outcome.interrupted)
		return EXIT_INTERRUPTED;
	if (outcome.nr_unmet)
		return EXIT_REGRESSION;
	if (outcome.nr_skipped)
		return EXIT_SKIPPED;
	return outcome.nr_failed ? EXIT_RUNTIME : EXIT_FINE;
}

static int run(struct exp_args *a, struct runner_options *opt, const char *id)
{
	struct experiment e;
	int code;

	if (!id)
		return args_error(&a->args, "--cell is missing");
	code = exp_args_load(a, &e);
	if (code)
		return code;
	opt->only = experiment_cell(&e, id);
	if (opt->only)
		code = exp_args_allow(a, &e, opt->only);
	if (opt->only && !code)
		code = run_one(a, &e, opt);
	else if (!opt->only)
		code = args_error(&a->args, "the experiment has no cell '%s'; "
				  "buddylab plan lists them", id);
	experiment_free(&e);
	return code;
}

int cmd_run_cell(int argc, char **argv)
{
	struct runner_options opt = { 0 };
	const char *id = NULL;
	struct exp_args a;
	int option;

	exp_args_init(&a, &command_run_cell, argc, argv);
	while ((option = exp_args_next(&a)) >= 0) {
		if (option == CELL_ID) {
			id = a.args.value;
			continue;
		}
		if (option == CELL_STEPS) {
			opt.step_by_step = true;
			continue;
		}
		opt.check_every = exp_args_count(&a, "check-every",
						 UINT32_MAX);
		if (!opt.check_every)
			return EXIT_USAGE;
	}
	return option == ARGS_END ? run(&a, &opt, id) : exp_args_exit(option);
}
