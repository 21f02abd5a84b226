/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The dispatcher: the table of commands, help and version. */
#include "cli/commands.h"

#include <stdio.h>
#include <string.h>

#include "bench/bench.h"
#include "cli/args.h"
#include "include/diag.h"
#include "include/plain.h"
#include "include/types.h"

const struct command commands[] = {
	{ cmd_run, &command_run,
	  "run the cells of an experiment, print the table" },
	{ cmd_plan, &command_plan,
	  "list the cells, or commands for another engine" },
	{ cmd_run_cell, &command_run_cell, "run one cell" },
	{ cmd_status, &command_status, "which cells have a result" },
	{ cmd_collect, &command_collect,
	  "assemble the results of finished cells" },
	{ cmd_tune, &command_tune,
	  "the options that no others beat, by a search" },
	{ cmd_report, &command_report, "tables of results" },
	{ cmd_plot, &command_plot, "figures of results" },
	{ cmd_compare, &command_compare,
	  "what moved between two sets of results" },
	{ cmd_check, &command_check, "the gate: results against a baseline" },
	{ cmd_accept, &command_accept, "make results the baseline" },
	{ cmd_reproduce, &command_reproduce,
	  "published results against prediction, with verdicts" },
	{ cmd_calibrate, &command_calibrate,
	  "prices, measured here or solved" },
	{ cmd_conformance, &command_conformance,
	  "the mock host against real memory, here" },
	{ cmd_bench, &command_bench, "how fast this program is, here" },
	{ cmd_step, &command_step, "the allocator by hand" },
	{ cmd_import, &command_import,
	  "a recorded trace of any format as .blt" },
	{ cmd_info, &command_info, "what a trace holds" },
	{ cmd_export, &command_export, "a trace as text, or for a viewer" },
	{ cmd_record, &command_record,
	  "run a program, record its use of memory" },
	{ cmd_replay, &command_replay, "a recorded kernel against its twin" },
	{ cmd_stream_diff, &command_stream_diff,
	  "a recorded program's calls against a workload's" },
	{ cmd_swarm, &command_swarm, "random machines with all checks on" },
	{ cmd_kernel_reporter, &command_kernel_reporter,
	  "a file of your kernel tree as a reporter" },
	{ cmd_list, &command_list,
	  "designs, hosts, workloads, kernels, rules, options" },
	{ cmd_completion, &command_completion,
	  "completion of commands and keys, for bash or zsh" },
	{ NULL, NULL, NULL },
};

static void print_help(FILE *out)
{
	const struct command *c;

	fputs("usage: buddylab COMMAND [options]\n"
	      "\n"
	      "Offline experiments on how a guest kernel tells its hypervisor "
	      "which memory\n"
	      "is free.\n"
	      "\n", out);
	for (c = commands; c->run; c++)
		fprintf(out, "  %-17s%s\n", c->args->name, c->summary);
	fputs("\n"
	      "  help CMD, CMD --help   a command's options\n"
	      "  --version              the version\n"
	      "\n"
	      "Exit status: 0 fine; 1 regression or failed expectation; 2 usage "
	      "or\n"
	      "experiment file; 3 runtime failure; 4 not comparable; 77 skipped; "
	      "130\n"
	      "interrupted.\n", out);
}

static const struct command *find_command(const char *name)
{
	const struct command *c;

	for (c = commands; c->run; c++)
		if (!strcmp(c->args->name, name))
			return c;
	return NULL;
}

static int unknown_command(const char *name)
{
	const char *names[ARRAY_SIZE(commands) + 4];
	const char *near;
	size_t i;

	for (i = 0; commands[i].run; i++)
		names[i] = commands[i].args->name;
	names[i++] = "help";
	names[i++] = "--help";
	names[i++] = "--version";
	names[i] = NULL;
	near = diag_nearest(name, names);
	fputs("buddylab: error: unknown command '", stderr);
	plain_put(name, stderr);
	fprintf(stderr, "'%s%s%s; see buddylab --help\n",
		near ? "; did you mean '" : "", near ? near : "",
		near ? "'?" : "");
	return EXIT_USAGE;
}

/* `help CMD` is `CMD --help`. */
static int help(int argc, char **argv)
{
	const struct command *c;
	char option[] = "--help";
	char *args[] = { NULL, option, NULL };

	if (argc < 2) {
		print_help(stdout);
		return EXIT_FINE;
	}
	c = find_command(argv[1]);
	if (!c)
		return unknown_command(argv[1]);
	args[0] = argv[1];
	return c->run(2, args);
}

static int dispatch(int argc, char **argv)
{
	const struct command *c;

	if (argc < 2) {
		print_help(stderr);
		return EXIT_USAGE;
	}
	if (!strcmp(argv[1], "--version")) {
		puts("buddylab " BUDDYLAB_VERSION);
		return EXIT_FINE;
	}
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "help"))
		return help(argc - 1, argv + 1);
	c = find_command(argv[1]);
	return c ? c->run(argc - 1, argv + 1) : unknown_command(argv[1]);
}

int buddylab_main(int argc, char **argv)
{
	int code;

	json_memory_watch();
	code = dispatch(argc, argv);
	/* Neither is one that lacks what there was no memory for. */
	if (json_memory_failed() && code != EXIT_RUNTIME) {
		fputs("buddylab: error: out of memory: what was printed is "
		      "not whole\n", stderr);
		code = EXIT_RUNTIME;
	}

	/* A result that did not arrive is no result. */
	if (fflush(stdout) || ferror(stdout)) {
		perror("buddylab: error: standard output");
		return code ? code : EXIT_RUNTIME;
	}
	return code;
}
