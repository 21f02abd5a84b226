/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `buddylab run EXP.ini`: all cells, then the table. docs/experiment-file.md */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/exp_args.h"
#include "include/cpus.h"

enum { RUN_JOBS = EXP_NR_OPTIONS, RUN_FORMAT, RUN_CHECK, RUN_STEPS,
       RUN_BIND };

static const struct args_option options[] = {
	EXP_OPTIONS,
	{ "jobs", 'j', "N", "cells at a time (default: one per CPU, if memory allows)" },
	{ "format", 0, "table|cover|md|csv|json|jsonl|none", "default table" },
	{ "check-every", 0, "N", "test all invariants every N events" },
	{ "step-by-step", 0, NULL, "no run-ahead: slower, the same results" },
	{ "bind", 0, NULL, "each cell at a time on a core of its own" },
	{ NULL, 0, NULL, NULL },
};

const struct args_command command_run = {
	.name = "run",
	.synopsis = "EXP.ini [options]",
	.text = "Run the cells of an experiment that have no result yet, write\n"
		"DIR/cells.jsonl, and print the table. An interrupted run keeps\n"
		"what is finished; the same command goes on from there.\n",
	.options = options,
	.example = "  buddylab run bench/experiments/quick.ini -o out/quick "
		   "--set guest.shuffle=on\n",
};

struct run_command {
	struct exp_args exp;
	struct runner_options runner;
	bool jobs_chosen;              /* by -j; the default is what fits */
	const char *format;
};

static int take_option(struct run_command *c, int option)
{
	switch (option) {
	case RUN_JOBS:
		c->runner.jobs = exp_args_count(&c->exp, "jobs", 1024);
		c->jobs_chosen = true;
		return c->runner.jobs ? 0 : EXIT_USAGE;
	case RUN_FORMAT:
		c->format = c->exp.args.value;
		return 0;
	case RUN_BIND:
		c->runner.bind = true;
		return 0;
	case RUN_STEPS:
		c->runner.step_by_step = true;
		return 0;
	default:
		c->runner.check_every = exp_args_count(&c->exp, "check-every",
						       UINT32_MAX);
		return c->runner.check_every ? 0 : EXIT_USAGE;
	}
}

/* Lines of cells.jsonl as they are. */
static int print_lines(const char *dir)
{
	char path[STORE_PATH_SIZE], buf[8192];
	size_t n;
	FILE *f;

	store_list_path(dir, path, sizeof(path));
	f = fopen(path, "r");
	if (!f) {
		perror(path);
		return EXIT_RUNTIME;
	}
	while ((n = fread(buf, 1, sizeof(buf), f)) > 0)
		fwrite(buf, 1, n, stdout);
	n = (size_t)ferror(f);
	fclose(f);
	return n ? EXIT_RUNTIME : 0;
}

static int print_table(const char *dir, enum report_format format)
{
	struct diag d = { .out = stderr };
	struct results r;
	int code = EXIT_RUNTIME;

	if (!results_read(&r, dir, &d) &&
	    (!r.nr_cells || !report_print(&r, format, stdout)))
		code = EXIT_FINE;
	results_free(&r);
	return code;
}

static int print_result(const struct run_command *c)
{
	enum report_format format;

	if (!strcmp(c->format, "none"))
		return EXIT_FINE;
	if (report_format_parse(c->format, &format))
		return print_lines(c->exp.dir);
	return print_table(c->exp.dir, format);
}

static int interrupted(const struct run_command *c,
		       const struct runner_outcome *o)
{
	char *again = exp_args_repeat(&c->exp, "run");

	fprintf(stderr, "interrupted: %zu of %zu cells have a result; to go "
		"on: %s\n", o->nr_kept + o->nr_done, o->nr_cells,
		again ? again : "run the same command");
	free(again);
	return EXIT_INTERRUPTED;
}

static int finish(const struct run_command *c, const struct experiment *e,
		  const struct runner_outcome *o)
{
	char why[4400];
	size_t missing;

	if (o->interrupted)
		return interrupted(c, o);
	if (collect_cells(e, c->exp.dir, c->runner.jobs, &missing, why,
			  sizeof(why))) {
		fprintf(stderr, "buddylab run: error: %s\n", why);
		return EXIT_RUNTIME;
	}
	if (o->nr_kept)
		fprintf(stderr, "%zu of %zu cells had a result already\n",
			o->nr_kept, o->nr_cells);
	if (print_result(c))
		return EXIT_RUNTIME;
	if (!missing)
		return EXIT_FINE;
	if (!o->nr_failed) {
		fprintf(stderr, "buddylab run: error: %zu results of %zu are "
			"gone from %s again; is somebody else at work there? "
			"The same command makes them once more\n", missing,
			e->nr_cells, c->exp.dir);
		return EXIT_RUNTIME;
	}
	fprintf(stderr, "buddylab run: error: %zu of %zu cells failed; the "
		"others are kept in %s\n", o->nr_failed, o->nr_cells,
		c->exp.dir);
	if (o->nr_skipped == o->nr_failed)
		return EXIT_SKIPPED;
	return o->nr_unmet == o->nr_failed ? EXIT_REGRESSION : EXIT_RUNTIME;
}

/* Tables and differences say how to repeat what they show. */
static int keep_command(const struct run_command *c)
{
	char *text = exp_args_repeat(&c->exp, "run");
	char why[4400] = "out of memory";
	int err = text ? command_save(c->exp.dir, text, why, sizeof(why)) : -1;

	free(text);
	if (err)
		fprintf(stderr, "buddylab run: error: %s\n", why);
	return err;
}

static int run(struct run_command *c)
{
	struct runner_outcome outcome;
	struct experiment e;
	char why[4400];
	char *repeat;
	int code = exp_args_load(&c->exp, &e);

	if (code)
		return code;
	code = exp_args_allow(&c->exp, &e, NULL);
	if (!code)
		code = exp_args_jobs(&c->exp, &e, &c->runner.jobs,
				     c->jobs_chosen);
	if (code) {
		experiment_free(&e);
		return code;
	}
	if (store_open(c->exp.dir, why, sizeof(why))) {
		fprintf(stderr, "buddylab run: error: %s\n", why);
		experiment_free(&e);
		return EXIT_RUNTIME;
	}
	if (keep_command(c)) {
		experiment_free(&e);
		return EXIT_RUNTIME;
	}
	repeat = exp_args_repeat(&c->exp, "run-cell");
	c->runner.dir = c->exp.dir;
	c->runner.messages = stderr;
	c->runner.progress = isatty(STDERR_FILENO);
	c->runner.repeat = repeat;
	code = runner_run(&e, &c->runner, &outcome);
	if (code) {
		fprintf(stderr, "buddylab run: error: cannot start workers: "
			"%s\n", strerror(-code));
		code = EXIT_RUNTIME;
	} else {
		code = finish(c, &e, &outcome);
	}
	free(repeat);
	experiment_free(&e);
	return code;
}

int cmd_run(int argc, char **argv)
{
	struct run_command c = { .format = "table" };
	int option;

	c.runner.jobs = usable_cpus();
	exp_args_init(&c.exp, &command_run, argc, argv);
	while ((option = exp_args_next(&c.exp)) >= 0)
		if (take_option(&c, option))
			return EXIT_USAGE;
	return option == ARGS_END ? run(&c) : exp_args_exit(option);
}
