/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * `buddylab swarm`: random machines, random work, all checks on. What fails is
 * made small, written to a file, and the command that repeats it is printed.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/exp_args.h"
#include "cli/swarm_print.h"
#include "cli/swarm_step.h"
#include "include/types.h"

#define MAX_TIME_NS (365 * 24 * 3600 * NSEC_PER_SEC)

enum { SWARM_SEED, SWARM_CELLS, SWARM_CELL, SWARM_JOBS, SWARM_BUDGET,
       SWARM_EVENTS, SWARM_CHECK, SWARM_LIMIT, SWARM_SHRINK, SWARM_TRACE,
       SWARM_STEP, SWARM_OPS, SWARM_OUTPUT, SWARM_PLUGIN, SWARM_FORMAT,
       SWARM_PRINT, SWARM_VERBOSE };

static const struct args_option options[] = {
	{ "seed", 0, "S", "of the swarm (default 1)" },
	{ "cells", 0, "N", "how many (default 100, with --budget no limit)" },
	{ "cell", 0, "K", "only cell K, counted from 0" },
	{ "jobs", 'j', "J", "cells that run at a time (default 1)" },
	{ "budget", 0, "TIME", "begin no cell after so long, e.g. 60s" },
	{ "events", 0, "N", "at most so many events and injections a cell "
	  "(default 3)" },
	{ "check-every", 0, "N", "engine events from one full walk to the next "
	  "(default 5000)" },
	{ "limit", 0, "TIME", "processor time of a cell (default 60s)" },
	{ "shrink", 0, "N", "runs to make a failure smaller (default 1500)" },
	{ "trace", 0, "FILE", "a recorded program for workload = trace; "
	  "repeatable" },
	{ "step", 0, NULL, "random step scripts instead: the allocator alone" },
	{ "ops", 0, "N", "operations of a step script (default 3000)" },
	{ "output", 'o', "DIR", "folder of small files (default out/swarm)" },
	PLUGIN_OPTION,
	{ "format", 0, "text|json", "default text" },
	{ "print", 0, NULL, "print the text of the cell, run nothing" },
	{ "verbose", 0, NULL, "a line for every cell" },
	{ NULL, 0, NULL, NULL },
};

const struct args_command command_swarm = {
	.name = "swarm",
	.synopsis = "[EXP.ini] [options]",
	.text = "Draw random machines, hosts, designs, workloads and injections, "
		"run each in a\nprocess of its own with all checks on, and make "
		"what fails smaller. With a file,\nrun that experiment of one "
		"cell in the same way. With --step cells are random\nscripts "
		"for the allocator alone.\n",
	.options = options,
	.example = "  buddylab swarm --seed 1 --cells 200\n"
		   "  buddylab swarm --seed 1 --cell 17 --print\n"
		   "  buddylab swarm out/swarm/seed-1-cell-17.ini\n"
		   "  buddylab swarm --step --seed 1 --cells 200\n",
};

static int no_memory(void)
{
	fputs("buddylab swarm: error: out of memory\n", stderr);
	return EXIT_RUNTIME;
}

static int take_number(struct swarm_args *a, uint64_t min, uint64_t max,
		       uint64_t *out)
{
	if (!parse_u64(a->args.value, out) && *out >= min && *out <= max)
		return 0;
	return args_error(&a->args, "'%s' is not a number from %" PRIu64
			  " to %" PRIu64, a->args.value, min, max);
}

static int take_time(struct swarm_args *a, double *seconds)
{
	uint64_t ns;

	if (parse_time(a->args.value, &ns) || ns < NSEC_PER_SEC ||
	    ns > MAX_TIME_NS)
		return args_error(&a->args, "'%s' is not a time from a second "
				  "to a year; write 60s or 5m",
				  a->args.value);
	*seconds = (double)ns / 1e9;
	return 0;
}

static int take_small(struct swarm_args *a, uint64_t min, uint64_t max,
		      unsigned int *out)
{
	uint64_t n = 0;
	const int err = take_number(a, min, max, &n);

	*out = (unsigned int)n;
	return err;
}

static int take_trace(struct swarm_args *a)
{
	if (a->o.nr_traces == SWARM_MAX_TRACES)
		return args_error(&a->args, "more than %d --trace",
				  SWARM_MAX_TRACES);
	if (strlen(a->args.value) >= OPTION_STRING_SIZE ||
	    strpbrk(a->args.value, "\n,;# "))
		return args_error(&a->args, "the name of a trace has less than "
				  "%d characters, no blank and none of ',;#'",
				  OPTION_STRING_SIZE);
	a->o.traces[a->o.nr_traces++] = a->args.value;
	return 0;
}

static int take_option(struct swarm_args *a, int option)
{
	double seconds = 0;
	int err;

	switch (option) {
	case SWARM_SEED:
		return take_number(a, 0, INT64_MAX, &a->o.seed);
	case SWARM_CELLS:
		a->cells_given = true;
		return take_number(a, 1, UINT32_MAX, &a->c.nr);
	case SWARM_CELL:
		a->one_cell = true;
		return take_number(a, 0, INT64_MAX, &a->c.first);
	case SWARM_JOBS:
		return take_small(a, 1, 256, &a->c.jobs);
	case SWARM_BUDGET:
		return take_time(a, &a->c.budget_s);
	case SWARM_EVENTS:
		a->machine_given = true;
		return take_small(a, 0, SIM_MAX_EVENTS / 2, &a->o.max_events);
	case SWARM_CHECK:
		a->machine_given = true;
		return take_number(a, 1, UINT32_MAX, &a->o.check_every);
	case SWARM_LIMIT:
		err = take_time(a, &seconds);
		a->o.limit_s = (unsigned int)seconds;
		return err;
	case SWARM_SHRINK:
		return take_small(a, 1, 1000000, &a->c.shrink_runs);
	case SWARM_TRACE:
		return take_trace(a);
	case SWARM_STEP:
		a->step = true;
		return 0;
	case SWARM_OPS:
		a->ops_given = true;
		return take_small(a, 1, 1000000, &a->o.nr_ops);
	case SWARM_OUTPUT:
		a->c.dir = a->args.value;
		return a->c.dir[0] && strlen(a->c.dir) < 3000 ? 0 :
		       args_error(&a->args, "--output wants a folder of less "
				  "than 3000 characters");
	case SWARM_PLUGIN:
		return plugins_take(&a->plugins, &a->args);
	case SWARM_FORMAT:
		a->json = a->args.choice == 1;
		return 0;
	case SWARM_PRINT:
		a->print = true;
		return 0;
	default:
		a->verbose = true;
		return 0;
	}
}

static int print_step(const struct swarm_args *a)
{
	const int err = swarm_step_print(&a->o, a->c.first);

	if (!err)
		return EXIT_FINE;
	if (err == -EINTR)
		return EXIT_INTERRUPTED;
	fprintf(stderr, "buddylab swarm: error: %s\n", strerror(-err));
	return EXIT_RUNTIME;
}

static int print_cell(const struct swarm_args *a)
{
	struct swarm_text *t;
	unsigned int i;

	if (a->step)
		return print_step(a);
	t = malloc(sizeof(*t));
	if (!t)
		return no_memory();
	swarm_draw(&a->o, a->c.first, t);
	for (i = 0; i < t->nr; i++)
		puts(t->line[i]);
	free(t);
	return EXIT_FINE;
}

static int run(struct swarm_args *a)
{
	struct swarm_summary *s = malloc(sizeof(*s));
	int err, code = EXIT_FINE;
	char why[4400];

	if (!s)
		return no_memory();
	err = swarm_campaign_run(&a->c, s, why, sizeof(why));
	if (err)
		fprintf(stderr, "buddylab swarm: error: %s\n", why);
	if (a->json)
		code = swarm_print_json(a, s);
	else
		swarm_print(a, s);
	if (err)
		code = EXIT_RUNTIME;
	else if (s->interrupted)
		code = EXIT_INTERRUPTED;
	else if (s->verdicts[SWARM_VIOLATION])
		code = EXIT_REGRESSION;
	free(s);
	return code;
}

/* An experiment of one cell; what the reader refuses is an error here. */
static int run_file(struct swarm_args *a)
{
	const struct experiment_request req = {
		.path = a->path, .registry = a->o.registry,
	};
	struct swarm_text *t = malloc(sizeof(*t));
	char *text = malloc(SWARM_MAX_LINES * SWARM_LINE_SIZE);
	struct diag d = { .out = stderr };
	struct experiment e;
	int err, code = EXIT_USAGE;

	if (!t || !text) {
		free(t);
		free(text);
		return no_memory();
	}
	err = experiment_load(&e, &req, &d);
	if (err) {
		if (err == -ENOMEM)
			no_memory();
		code = err == -EINVAL ? EXIT_USAGE : EXIT_RUNTIME;
	} else if (e.nr_cells != 1) {
		args_error(&a->args, "%s has %zu cells; one is wanted", a->path,
			   e.nr_cells);
	} else if (swarm_text_of_cell(t, &e, &e.cells[0]) ||
		   !swarm_text_print(t, text,
				     SWARM_MAX_LINES * SWARM_LINE_SIZE)) {
		args_error(&a->args, "%s has too many values", a->path);
	} else {
		/* Names in it are relative to where it is. */
		a->o.path = a->path;
		a->c.text = text;
		a->c.nr = 1;
		a->c.dir = NULL;
		code = run(a);
	}
	experiment_free(&e);
	free(text);
	free(t);
	return code;
}

/* --step draws nothing of what these say. */
static int start_step(struct swarm_args *a)
{
	if (a->args.nr_words)
		return args_error(&a->args, "--step draws its scripts; run '%s' "
				  "with buddylab step", a->args.words[0]);
	if (a->o.nr_traces || a->plugins.nr || a->machine_given)
		return args_error(&a->args, "--step is the allocator alone: no "
				  "--trace, --reporter-plugin, --events or "
				  "--check-every");
	swarm_step_scripts(&a->scripts, a->o.nr_ops);
	a->o.scripts = &a->scripts;
	return 0;
}

static int start(struct swarm_args *a)
{
	if (a->ops_given && !a->step)
		return args_error(&a->args, "--ops is for --step");
	if (a->step && start_step(a))
		return EXIT_USAGE;
	if (a->args.nr_words > 1)
		return args_error(&a->args, "one experiment file only; '%s' is "
				  "one more", a->args.words[1]);
	if (a->one_cell && a->cells_given)
		return args_error(&a->args, "--cell is one cell, --cells are "
				  "several; one of them");
	if (a->print && !a->one_cell)
		return args_error(&a->args, "--print wants --cell K");
	if (a->print)
		return print_cell(a);
	if (a->args.nr_words) {
		a->path = a->args.words[0];
		return run_file(a);
	}
	if (a->one_cell)
		a->c.nr = 1;
	else if (!a->cells_given)
		a->c.nr = a->c.budget_s > 0 ? UINT64_MAX : 100;
	return run(a);
}

int cmd_swarm(int argc, char **argv)
{
	struct swarm_args *a = calloc(1, sizeof(*a));
	int option, code = 0;

	if (!a)
		return no_memory();
	args_init(&a->args, &command_swarm, argc, argv);
	plugins_init(&a->plugins);
	a->o = (struct swarm_options){
		.registry = &a->plugins.registry,
		.max_events = SWARM_EVENTS_DEFAULT,
		.check_every = SWARM_CHECK_DEFAULT, .limit_s = SWARM_LIMIT_S,
		.seed = 1,
		.nr_ops = 3000,
	};
	a->c = (struct swarm_campaign){
		.o = &a->o, .jobs = 1, .shrink_runs = 1500, .dir = "out/swarm",
		.cell_over = swarm_print_over, .ctx = a,
	};
	while (!code && (option = args_next(&a->args)) >= 0)
		code = take_option(a, option);
	if (!code)
		code = option == ARGS_END ? start(a) :
		       option == ARGS_HELP ? EXIT_FINE : EXIT_USAGE;
	free(a);
	return code;
}
