/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The dispatcher: the table of commands, help and version. */
#include "cli/commands.h"

#include <stdio.h>
#include <string.h>

#include "cli/args.h"
#include "cli/cmd_replay.h"
#include "cli/cmd_step.h"
#include "include/diag.h"
#include "include/types.h"

struct command {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *summary;
};

static const struct command commands[] = {
	{ "run", cmd_run, "run the cells of an experiment, print the table" },
	{ "plan", cmd_plan, "list the cells, or commands for another engine" },
	{ "run-cell", cmd_run_cell, "run one cell" },
	{ "status", cmd_status, "which cells have a result" },
	{ "collect", cmd_collect, "assemble the results of finished cells" },
	{ "report", cmd_report, "tables of results" },
	{ "plot", cmd_plot, "figures of results" },
	{ "compare", cmd_compare, "what moved between two sets of results" },
	{ "check", cmd_check, "the gate: results against a baseline" },
	{ "accept", cmd_accept, "make results the baseline" },
	{ "reproduce", cmd_reproduce,
	  "published results against prediction, with verdicts" },
	{ "calibrate", cmd_calibrate, "prices, measured here or solved" },
	{ "conformance", cmd_conformance,
	  "the mock host against real memory, here" },
	{ "bench", cmd_bench, "how fast this program is, here" },
	{ "step", cmd_step, "the allocator by hand" },
	{ "import", cmd_import, "a recorded trace of any format as .blt" },
	{ "info", cmd_info, "what a trace holds" },
	{ "export", cmd_export, "a trace as text, or for a viewer" },
	{ "record", cmd_record, "run a program, record its use of memory" },
	{ "replay", cmd_replay, "a recorded kernel against its twin" },
	{ "stream-diff", cmd_stream_diff,
	  "a recorded program's calls against a workload's" },
	{ "kernel-reporter", cmd_kernel_reporter,
	  "a file of your kernel tree as a reporter" },
	{ "list", cmd_list, "designs, hosts, workloads, kernels, rules, options" },
};

static void print_help(FILE *out)
{
	fputs("usage: buddylab COMMAND [options]\n"
	      "\n"
	      "Offline experiments on how a guest kernel tells its hypervisor "
	      "which memory\n"
	      "is free.\n"
	      "\n", out);
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		fprintf(out, "  %-17s%s\n", commands[i].name,
			commands[i].summary);
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
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		if (!strcmp(commands[i].name, name))
			return &commands[i];
	return NULL;
}

static int unknown_command(const char *name)
{
	const char *names[ARRAY_SIZE(commands) + 4];
	const char *near;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(commands); i++)
		names[i] = commands[i].name;
	names[i++] = "help";
	names[i++] = "--help";
	names[i++] = "--version";
	names[i] = NULL;
	near = diag_nearest(name, names);
	fprintf(stderr, "buddylab: error: unknown command '%s'%s%s%s; see "
		"buddylab --help\n", name, near ? "; did you mean '" : "",
		near ? near : "", near ? "'?" : "");
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
	int code = dispatch(argc, argv);

	/* A result that did not arrive is no result. */
	if (fflush(stdout) || ferror(stdout)) {
		perror("buddylab: error: standard output");
		return code ? code : EXIT_RUNTIME;
	}
	return code;
}
