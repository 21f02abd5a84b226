/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * `buddylab step SCRIPT|-`: run a script of allocator operations by hand and
 * print what it prints. docs/step.md is the reference of the language.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cli/cmd_step.h"
#include "replay/step.h"

#define EXIT_USAGE 2
#define EXIT_RUNTIME 3

static const char usage[] =
	"usage: buddylab step SCRIPT|-\n"
	"\n"
	"Run a script of page allocator operations, one a line, and print the\n"
	"lists it asks for. - reads the script from standard input.\n"
	"\n"
	"  --help  show this\n"
	"\n"
	"Example:\n"
	"  printf 'zone Normal 0 8192\\nboot 1024 2048\\n"
	"alloc M 3 buddy\\nlists\\n' | buddylab step -\n";

static int usage_error(const char *what, const char *word)
{
	fprintf(stderr, "buddylab step: error: %s%s%s\n%s", what,
		word ? ": " : "", word ? word : "", usage);
	return EXIT_USAGE;
}

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
	const char *script = NULL;
	int i;

	for (i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--help") == 0) {
			fputs(usage, stdout);
			return 0;
		}
		if (argv[i][0] == '-' && argv[i][1] != '\0')
			return usage_error("unknown option", argv[i]);
		if (script)
			return usage_error("one script only", argv[i]);
		script = argv[i];
	}
	if (!script)
		return usage_error("no script", NULL);
	if (strcmp(script, "-") == 0)
		return exit_code(step_run(stdin, "<stdin>", stdout, &d));
	return run_file(script);
}
