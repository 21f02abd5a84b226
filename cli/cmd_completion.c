/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `buddylab completion bash|zsh`: the script on standard output. */
#include <string.h>

#include "cli/commands.h"
#include "cli/completion.h"
#include "include/diag.h"

const struct args_command command_completion = {
	.name = "completion",
	.synopsis = "bash|zsh",
	.text = "Print what makes the shell complete commands, options, their "
		"values and keys of\n"
		"experiments. `cmake --install` puts it where the shells look "
		"for it.\n",
	.example = "  . <(buddylab completion bash)\n",
};

int cmd_completion(int argc, char **argv)
{
	static const char *const shells[] = { "bash", "zsh", NULL };
	const char *near;
	struct args a;
	int option, err;

	args_init(&a, &command_completion, argc, argv);
	option = args_next(&a);
	if (option != ARGS_END)
		return option == ARGS_HELP ? EXIT_FINE : EXIT_USAGE;
	if (a.nr_words != 1)
		return args_error(&a, "wants the shell: bash or zsh");
	if (!strcmp(a.words[0], "bash")) {
		err = completion_bash(stdout);
	} else if (!strcmp(a.words[0], "zsh")) {
		err = completion_zsh(stdout);
	} else {
		near = diag_nearest(a.words[0], shells);
		return args_error(&a, "unknown shell '%s'%s%s%s; bash and zsh "
				  "are known", a.words[0],
				  near ? "; did you mean '" : "",
				  near ? near : "", near ? "'?" : "");
	}
	if (!err)
		return EXIT_FINE;
	fputs("buddylab completion: error: out of memory\n", stderr);
	return EXIT_RUNTIME;
}
