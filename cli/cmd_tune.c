/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `buddylab tune EXP.ini`: options that no others beat; docs/tune.md. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/exp_args.h"
#include "include/cpus.h"

enum { TUNE_VARY = EXP_NR_OPTIONS, TUNE_OBJECTIVE, TUNE_REQUIRE, TUNE_BUDGET,
       TUNE_CONFIDENCE, TUNE_SEARCH_SEED, TUNE_EXHAUSTIVE, TUNE_JOBS,
       TUNE_FORMAT, TUNE_TERMINAL, TUNE_BACKEND };

static const struct args_option options[] = {
	EXP_OPTIONS,
	{ "vary", 0, "KEY=VALUES", "a key and what it may be, in its order: "
	  "reporter.order=0,4,9; repeatable" },
	{ "objective", 0, "NAME:max|NAME:min", "a column, counter or metric, "
	  "[PHASE:]NAME; repeatable, up to 4" },
	{ "require", 0, "NAME=N", "drop points of which a cell does not meet "
	  "it; also <= and >=; repeatable" },
	{ "budget", 0, "N", "cells at most (default: as many as the grid has)" },
	{ "confidence", 0, "P", "with which a point is dropped, in percent "
	  "(default 95)" },
	{ "search-seed", 0, "S", "of the choices of the search (default 1)" },
	{ "exhaustive", 0, NULL, "no search: every cell of the grid" },
	{ "jobs", 'j', "N", "cells at a time (default: one per CPU)" },
	{ "format", 0, "table|md|csv|json", "default table" },
	{ "terminal", 0, "svg|png|none", "of the figure of the first two "
	  "objectives (default svg)" },
	{ "backend", 0, "gnuplot|matplotlib", "default gnuplot" },
	{ NULL, 0, NULL, NULL },
};

const struct args_command command_tune = {
	.name = "tune",
	.synopsis = "EXP.ini --objective NAME:max|min [options]",
	.text = "Search the values of keys for the points that no other point "
		"beats in all\nobjectives, run as few cells as that takes, print "
		"these points and draw them.\nCells are kept as `run` keeps "
		"them: the same command goes on where it was.\n",
	.options = options,
	.example = "  buddylab tune bench/experiments/tune.ini -o out/tune \\\n"
		   "    --vary reporter.order=0,4,6,9 "
		   "--vary reporter.delay=50ms,200ms,500ms,2s \\\n"
		   "    --objective measure:throughput:max "
		   "--objective settle:reclaimed:max\n",
};

struct tune_command {
	struct exp_args exp;
	struct tune tune;
	struct tune_goal goal;
	const char *keys[TUNE_MAX_DIMS + 1];
	char key_text[TUNE_MAX_DIMS][OPTION_STRING_SIZE];
	unsigned int nr_keys;
	bool budget_given, draw;
	enum report_format format;
	enum figure_terminal terminal;
	enum figure_backend backend;
};

/* A list of --vary is one of --set whose key is remembered. */
static int take_vary(struct tune_command *c)
{
	const char *text = c->exp.args.value;
	const size_t len = strcspn(text, "=");

	if (c->nr_keys == TUNE_MAX_DIMS || c->exp.req.nr_sets == EXP_MAX_SETS)
		return args_error(&c->exp.args, "more than %d --vary",
				  TUNE_MAX_DIMS);
	if (!text[len] || !len || len >= OPTION_STRING_SIZE)
		return args_error(&c->exp.args, "--vary wants KEY=VALUES, as "
				  "reporter.order=0,4,9; not '%s'", text);
	memcpy(c->key_text[c->nr_keys], text, len);
	c->keys[c->nr_keys] = c->key_text[c->nr_keys];
	c->nr_keys++;
	c->exp.sets[c->exp.req.nr_sets++] = text;
	return 0;
}

static int take_confidence(struct tune_command *c)
{
	char *end;
	const double level = strtod(c->exp.args.value, &end) / 100;

	if (end == c->exp.args.value || *end || !(level > 0.5) ||
	    !(level < 1))
		return args_error(&c->exp.args, "--confidence wants a "
				  "percentage above 50 and below 100, not '%s'",
				  c->exp.args.value);
	c->tune.rules.level = level;
	return 0;
}

static int take_goal(struct tune_command *c, int option)
{
	char why[400] = "out of memory";
	const char *text = c->exp.args.value;

	if (option == TUNE_OBJECTIVE ?
	    !tune_goal_add(&c->goal, text, why, sizeof(why)) :
	    !tune_goal_require(&c->goal, text, why, sizeof(why)))
		return 0;
	return args_error(&c->exp.args, "%s", why);
}

static int take_option(struct tune_command *c, int option)
{
	static const enum report_format formats[] = {
		REPORT_TABLE, REPORT_MD, REPORT_CSV, REPORT_JSON
	};

	switch (option) {
	case TUNE_VARY:
		return take_vary(c);
	case TUNE_OBJECTIVE:
	case TUNE_REQUIRE:
		return take_goal(c, option);
	case TUNE_BUDGET:
		c->budget_given = true;
		c->tune.rules.budget = exp_args_count(&c->exp, "budget",
						      EXPERIMENT_MOST_CELLS);
		return c->tune.rules.budget ? 0 : EXIT_USAGE;
	case TUNE_CONFIDENCE:
		return take_confidence(c);
	case TUNE_SEARCH_SEED:
		if (!parse_u64(c->exp.args.value, &c->tune.rules.seed))
			return 0;
		return args_error(&c->exp.args, "--search-seed wants a number, "
				  "not '%s'", c->exp.args.value);
	case TUNE_EXHAUSTIVE:
		c->tune.rules.everything = true;
		return 0;
	case TUNE_JOBS:
		c->tune.runner.jobs = exp_args_count(&c->exp, "jobs", 1024);
		return c->tune.runner.jobs ? 0 : EXIT_USAGE;
	case TUNE_FORMAT:
		c->format = formats[c->exp.args.choice];
		return 0;
	case TUNE_BACKEND:
		c->backend = (enum figure_backend)c->exp.args.choice;
		return 0;
	default:
		c->draw = c->exp.args.choice < 2;
		c->terminal = c->exp.args.choice ? FIGURE_PNG : FIGURE_SVG;
		return 0;
	}
}

/* What was found goes where `report` and `plot` find it, too. */
static int finish(struct tune_command *c, const struct experiment *e)
{
	char why[4400];
	size_t missing;
	int err;

	if (c->tune.nr_kept)
		fprintf(stderr, "%zu cells had a result already\n",
			c->tune.nr_kept);
	if (collect_cells(e, c->exp.dir, c->tune.runner.jobs, &missing, why,
			  sizeof(why))) {
		fprintf(stderr, "buddylab tune: error: %s\n", why);
		return EXIT_RUNTIME;
	}
	err = tune_print(&c->tune, c->format, stdout);
	if (err) {
		fprintf(stderr, "buddylab tune: error: the table cannot be "
			"printed: %s\n", strerror(-err));
		return EXIT_RUNTIME;
	}
	/* Without gnuplot there is a table, and a message. */
	if (c->draw && c->goal.nr_objectives > 1)
		err = tune_draw(&c->tune, c->terminal, c->backend, stderr,
				stderr);
	if (!c->tune.nr_failed)
		return err && err != -ENOENT ? EXIT_RUNTIME : EXIT_FINE;
	fprintf(stderr, "buddylab tune: error: %zu cells failed; their points "
		"are left out\n", c->tune.nr_failed);
	return EXIT_RUNTIME;
}

static int search(struct tune_command *c, const struct experiment *e)
{
	char *repeat = exp_args_repeat(&c->exp, "run-cell");
	int err;

	c->tune.runner.dir = c->exp.dir;
	c->tune.runner.messages = stderr;
	c->tune.runner.progress = isatty(STDERR_FILENO);
	c->tune.runner.repeat = repeat;
	err = tune_run(&c->tune);
	free(repeat);
	if (!err)
		return finish(c, e);
	if (err == -EINTR) {
		fprintf(stderr, "interrupted: the cells that are finished are "
			"kept in %s; the same command goes on\n", c->exp.dir);
		return EXIT_INTERRUPTED;
	}
	fprintf(stderr, "buddylab tune: error: %s\n", c->tune.why);
	return EXIT_RUNTIME;
}

/* Everything that can be wrong is said before a cell is run. */
static int check(struct tune_command *c, const struct experiment *e)
{
	char why[4400] = "out of memory";
	int err = tune_goal_check(&c->goal, e, why, sizeof(why));

	if (err)
		return args_error(&c->exp.args, "%s", why);
	c->tune.e = e;
	c->tune.goal = &c->goal;
	c->tune.keys = c->keys;
	if (!c->budget_given)
		c->tune.rules.budget = e->nr_cells;
	err = tune_open(&c->tune);
	if (err)
		return args_error(&c->exp.args, "%s", err == -ENOMEM ?
				  "out of memory" : c->tune.why);
	return exp_args_allow(&c->exp, e, NULL);
}

static int run(struct tune_command *c)
{
	struct experiment e;
	char why[4400];
	int code;

	if (!c->goal.nr_objectives)
		return args_error(&c->exp.args, "no objective is named; write "
				  "--objective reclaimed:max");
	code = exp_args_load(&c->exp, &e);
	if (code)
		return code;
	code = check(c, &e);
	if (!code && store_open(c->exp.dir, why, sizeof(why))) {
		fprintf(stderr, "buddylab tune: error: %s\n", why);
		code = EXIT_RUNTIME;
	}
	if (!code)
		code = search(c, &e);
	tune_close(&c->tune);
	experiment_free(&e);
	return code;
}

int cmd_tune(int argc, char **argv)
{
	struct tune_command *c = calloc(1, sizeof(*c));
	int option, code = 0;

	if (!c) {
		fputs("buddylab tune: error: out of memory\n", stderr);
		return EXIT_RUNTIME;
	}
	c->draw = true;
	c->terminal = FIGURE_SVG;
	c->tune.rules.level = 0.95;
	c->tune.rules.seed = 1;
	c->tune.runner.jobs = usable_cpus();
	exp_args_init(&c->exp, &command_tune, argc, argv);
	while (!code && (option = exp_args_next(&c->exp)) >= 0)
		code = take_option(c, option);
	if (!code)
		code = option == ARGS_END ? run(c) : exp_args_exit(option);
	arena_free(&c->goal.arena);
	free(c);
	return code;
}
