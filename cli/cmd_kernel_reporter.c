/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * `buddylab kernel-reporter --tree DIR -o FILE`: a file of a kernel tree as a
 * plugin. The work is the compiler's, called by the script that is installed
 * beside this program; this finds the script. docs/kernel-reporter.md is the
 * reference.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/args.h"
#include "cli/commands.h"

#define SCRIPT "share/buddylab/buddylab-kernel-reporter"

enum { OPT_TREE, OPT_OUTPUT, OPT_NAME, OPT_SHIM, OPT_CC, OPT_KEEP };

static const struct args_option options[] = {
	[OPT_TREE] = { "tree", 0, "DIR",
		       "kernel tree; only read, needs no configuration" },
	[OPT_OUTPUT] = { "output", 'o', "FILE",
			 "the plugin to write (default kernel.so)" },
	[OPT_NAME] = { "name", 0, "NAME",
		       "the design's name in experiments (default kernel)" },
	[OPT_SHIM] = { "shim", 0, "DIR",
		       "another copy of the headers and of kernel/" },
	[OPT_CC] = { "cc", 0, "CC", "compiler, with options if need be (default "
		     "$CC, or cc)" },
	[OPT_KEEP] = { "keep", 0, "DIR",
		       "leave what is compiled there, to look at" },
	{ NULL, 0, NULL, NULL },
};

const struct args_command command_kernel_reporter = {
	.name = "kernel-reporter",
	.synopsis = "--tree DIR [-o FILE] [options]",
	.text = "Compile mm/page_reporting.c of a kernel tree, as it is or "
		"patched, into a design\n"
		"for --reporter-plugin. Exit status: 0 it is written; 2 "
		"usage, or no such tree;\n"
		"3 it does not compile, with advice on what is missing.\n",
	.options = options,
	.example = "  buddylab kernel-reporter --tree linux -o mine.so\n"
		   "  buddylab run exp.ini --reporter-plugin ./mine.so\n",
};

/* PREFIX/share beside PREFIX/bin, where this program is. 0 or -errno. */
static int find_script(char path[PATH_MAX])
{
	const ssize_t nr = readlink("/proc/self/exe", path, PATH_MAX - 1);
	char *slash;
	size_t room;

	if (nr < 0)
		return -errno;
	path[nr] = '\0';
	for (int i = 0; i < 2; i++) {
		slash = strrchr(path, '/');
		if (!slash)
			return -ENOENT;
		*slash = '\0';
	}
	room = PATH_MAX - strlen(path);
	if (snprintf(path + strlen(path), room, "/" SCRIPT) >= (int)room)
		return -ENAMETOOLONG;
	return access(path, X_OK) ? -errno : 0;
}

/* The script's spelling of each option. */
static const char *const spelled[] = {
	[OPT_TREE] = "--tree", [OPT_OUTPUT] = "-o", [OPT_NAME] = "--name",
	[OPT_SHIM] = "--shim", [OPT_CC] = "--cc", [OPT_KEEP] = "--keep",
};

static void run_script(char *path, const char *const values[])
{
	const char *argv[2 * (OPT_KEEP + 1) + 2] = { path };
	unsigned int nr = 1;

	for (unsigned int i = 0; i <= OPT_KEEP; i++) {
		if (!values[i])
			continue;
		argv[nr++] = spelled[i];
		argv[nr++] = values[i];
	}
	execv(path, (char *const *)argv);
}

int cmd_kernel_reporter(int argc, char **argv)
{
	const char *values[OPT_KEEP + 1] = { NULL };
	char path[PATH_MAX];
	struct args args;
	int option, err;

	args_init(&args, &command_kernel_reporter, argc, argv);
	while ((option = args_next(&args)) >= 0)
		values[option] = args.value;
	if (option == ARGS_HELP)
		return EXIT_FINE;
	if (option == ARGS_BAD)
		return EXIT_USAGE;
	if (args.nr_words)
		return args_error(&args, "what is \"%s\"?", args.words[0]);
	if (!values[OPT_TREE])
		return args_error(&args, "--tree DIR is missing");
	err = find_script(path);
	if (!err) {
		run_script(path, values);
		err = -errno;
	}
	fprintf(stderr, "buddylab kernel-reporter: error: %s: %s; it is "
		"installed with this program\n", path, strerror(-err));
	return EXIT_RUNTIME;
}
