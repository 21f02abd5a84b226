/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * `buddylab step SCRIPT|-`: run a script of allocator operations by hand and
 * print what it prints. docs/step.md is the reference of the language.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cli/commands.h"
#include "replay/step.h"

const struct args_command command_step = {
	.name = "step",
	.synopsis = "SCRIPT|-",
	.text = "Run a script of page allocator operations, one a line, and "
		"print the\n"
		"lists it asks for. - reads the script from standard input.\n",
	.example = "  printf 'zone Normal 0 8192\\nboot 1024 2048\\n"
		   "alloc M 3 buddy\\nlists\\n' | buddylab step -\n",
};

static int exit_code(int err)
{
	switch (err) {
	case 0:
		return 0;
	case -EINVAL:
		return EXIT_USAGE;
	default:
		return EXIT_RUNTIME;
	}
}

static int run_file(const char *path)
{
	struct diag d = { .out = stderr };
	FILE *in = fopen(path, "r");
	int err;

	if (!in) {
		diag_error(&d, (struct diag_place){ path, 0, 0 },
			   "cannot be opened: %s", strerror(errno));
		return EXIT_USAGE;
	}
	err = step_run(in, path, stdout, &d);
	fclose(in);
	return exit_code(err);
}

int cmd_step(int argc, char **argv)
{
	struct diag d = { .out = stderr };
	struct args a;
	int option;

	args_init(&a, &command_step, argc, argv);
	option = args_next(&a);
	if (option != ARGS_END)
		return option == ARGS_HELP ? EXIT_FINE : EXIT_USAGE;
	if (a.nr_words != 1)
		return args_error(&a, a.nr_words ? "one script only" :
				  "no script is named");
	if (strcmp(a.words[0], "-") == 0)
		return exit_code(step_run(stdin, "<stdin>", stdout, &d));
	return run_file(a.words[0]);
}
