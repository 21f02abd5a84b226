/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `buddylab reproduce`: published results against prediction. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench/bench.h"
#include "cli/args.h"
#include "cli/commands.h"
#include "cli/registry.h"
#include "include/cpus.h"

enum { LIST, OUTPUT, JOBS, SEEDS, NO_BUDGET, FORMAT, FIGURE, BACKEND,
       DATA };

static const struct args_option options[] = {
	[LIST] = { "list", 0, NULL, "name the claims and what each is" },
	[OUTPUT] = { "output", 'o', "DIR", "folder of results (default "
		     "out/reproduce)" },
	[JOBS] = { "jobs", 'j', "N", "cells at a time (default: one per CPU)" },
	[SEEDS] = { "seeds", 0, "A..B", "seeds instead of the experiments'" },
	[NO_BUDGET] = { "no-budget", 0, NULL, "do not run with changed prices: "
			"intervals are of seeds only" },
	[FORMAT] = { "format", 0, "table|md|json|summary",
		     "default table; summary: all claims in one Markdown table" },
	[FIGURE] = { "figure", 0, "svg|png", "draw DIR/NAME/figure.svg of each "
		     "claim" },
	[BACKEND] = { "backend", 0, "gnuplot|matplotlib", "of figures; default "
		      "gnuplot" },
	[DATA] = { "data", 0, "DIR", "folder with predictions/ and published/ "
		   "(default bench, or what is installed)" },
	{ NULL, 0, NULL, NULL },
};

const struct args_command command_reproduce = {
	.name = "reproduce",
	.synopsis = "[NAME...] [options]",
	.text = "Predict published results and print both, with an interval and "
		"a verdict for\n"
		"each. Alone: all claims. Cells that have a result are kept, so "
		"that the same\n"
		"command goes on where it was stopped. Exit status 1 if "
		"anything was missed.\n",
	.options = options,
	.example = "  buddylab reproduce v17 ablations\n",
};

struct reproduce_command {
	struct args args;
	struct reproduce_request req;
	bool list;
};

static int take_jobs(struct reproduce_command *c)
{
	uint64_t n;

	if (parse_u64(c->args.value, &n) || !n || n > 1024)
		return args_error(&c->args, "--jobs wants 1 to 1024");
	c->req.predict.jobs = (unsigned int)n;
	return 0;
}

static int take_option(struct reproduce_command *c, int option)
{
	switch (option) {
	case LIST:
		c->list = true;
		return 0;
	case OUTPUT:
		c->req.predict.dir = c->args.value;
		return 0;
	case JOBS:
		return take_jobs(c);
	case SEEDS:
		c->req.predict.seeds = c->args.value;
		return 0;
	case NO_BUDGET:
		c->req.predict.budget = false;
		return 0;
	case FORMAT:
		c->req.format = (enum reproduce_format)c->args.choice;
		return 0;
	case FIGURE:
		c->req.terminal = c->args.choice ? FIGURE_PNG : FIGURE_SVG;
		return 0;
	case BACKEND:
		c->req.backend = (enum figure_backend)c->args.choice;
		return 0;
	default:
		c->req.data = c->args.value;
		return 0;
	}
}

static int exit_code(int err, size_t misses)
{
	switch (err) {
	case 0:
		return misses ? EXIT_REGRESSION : EXIT_FINE;
	case -EINVAL:
	case -ENOENT:
		return EXIT_USAGE;
	case -EINTR:
		fputs("interrupted: the same command goes on from here\n",
		      stderr);
		return EXIT_INTERRUPTED;
	case -ENOMEM:
		fputs("buddylab reproduce: error: out of memory\n", stderr);
		return EXIT_RUNTIME;
	default:
		return EXIT_RUNTIME;
	}
}

/* The words that were given, or all; each must be one of the folder's. */
static int choose(struct reproduce_command *c, const char *const *all)
{
	if (!c->args.nr_words) {
		c->req.names = all;
		return 0;
	}
	for (int i = 0; i < c->args.nr_words; i++) {
		size_t k = 0;

		while (all[k] && strcmp(all[k], c->args.words[i]) != 0)
			k++;
		if (!all[k]) {
			const char *near = diag_nearest(c->args.words[i], all);

			return args_error(&c->args, "no claim is called '%s'"
					  "%s%s%s; --list names them",
					  c->args.words[i],
					  near ? "; did you mean '" : "",
					  near ? near : "", near ? "'?" : "");
		}
	}
	/* The words end with argv's NULL. */
	c->req.names = (const char *const *)c->args.words;
	return 0;
}

static int list(const struct reproduce_command *c, const char *const *all)
{
	struct diag d = { .out = stderr };
	int err = 0;

	for (size_t i = 0; all[i] && !err; i++) {
		struct claim claim;

		err = claim_read(&claim, c->req.data, all[i], &d);
		if (!err)
			printf("%-14s %s\n", all[i], claim.title);
		claim_free(&claim);
	}
	return exit_code(err, 0);
}

/* In a source tree its bench/, else what was installed beside the program. */
static const char *find_data(char *path, size_t size)
{
	char program[3000];
	const ssize_t len = readlink("/proc/self/exe", program,
				     sizeof(program) - 1);

	if (!access("bench/predictions", F_OK) || len <= 0)
		return "bench";
	program[len] = '\0';
	for (int i = 0; i < 2; i++)
		if (strrchr(program, '/'))
			*strrchr(program, '/') = '\0';
	snprintf(path, size, "%s/share/buddylab/predictions", program);
	if (access(path, F_OK))
		return "bench";
	snprintf(path, size, "%s/share/buddylab", program);
	return path;
}

static int reproduce(struct reproduce_command *c)
{
	struct diag d = { .out = stderr };
	struct arena a = { 0 };
	const char **all;
	size_t misses = 0;
	int code, err = reproduce_list(c->req.data, &a, &all, &d);

	if (err) {
		code = exit_code(err, 0);
	} else if (c->list) {
		code = list(c, all);
	} else {
		code = choose(c, all);
		if (!code) {
			err = reproduce_run(&c->req, stdout, &misses, &d);
			code = exit_code(err, misses);
		}
	}
	arena_free(&a);
	return code;
}

int cmd_reproduce(int argc, char **argv)
{
	char data[3100];
	struct reproduce_command c = {
		.req = { .data = find_data(data, sizeof(data)),
			 .predict = { .registry = &registry,
				      .dir = "out/reproduce",
				      .jobs = usable_cpus(), .budget = true,
				      .progress = isatty(STDERR_FILENO),
				      .messages = stderr } },
	};
	int option, code;

	args_init(&c.args, &command_reproduce, argc, argv);
	while ((option = args_next(&c.args)) >= 0) {
		code = take_option(&c, option);
		if (code)
			return code;
	}
	if (option != ARGS_END)
		return option == ARGS_HELP ? EXIT_FINE : EXIT_USAGE;
	return reproduce(&c);
}
