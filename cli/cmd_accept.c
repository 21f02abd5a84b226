/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `buddylab accept NEW --baseline BASE`: results become the baseline. */
#include <sys/stat.h>

#include "cli/args.h"
#include "cli/commands.h"
#include "cli/pair.h"

enum { BASELINE, FORMAT };

static const struct args_option options[] = {
	[BASELINE] = { "baseline", 0, "BASE", "folder or .jsonl file to "
		       "replace" },
	[FORMAT] = { "format", 0, "text|json", "default text" },
	{ NULL, 0, NULL, NULL },
};

const struct args_command command_accept = {
	.name = "accept",
	.synopsis = "NEW --baseline BASE [--format F]",
	.text = "Replace the baseline by the results in NEW and print what "
		"moved, for the message\n"
		"of the commit that changes it. The file is replaced as a "
		"whole or not at all.\n",
	.options = options,
	.example = "  buddylab accept out/quick --baseline "
		   "bench/baselines/quick.jsonl\n",
};

static void baseline_path(const char *base, char *out, size_t size)
{
	struct stat st;

	if (!stat(base, &st) && S_ISDIR(st.st_mode))
		store_list_path(base, out, size);
	else
		snprintf(out, size, "%s", base);
}

static int replace(const struct pair *p, const char *base, bool json)
{
	char path[STORE_PATH_SIZE], why[4400] = "";
	int err;

	if (!p->new.nr_cells) {
		fprintf(stderr, "buddylab accept: error: %s holds no cells\n",
			p->new.path);
		return EXIT_RUNTIME;
	}
	/*
	 * What moved comes first: once the baseline is replaced, nothing can
	 * tell it any more.
	 */
	err = json ? compare_print_commit_json(&p->comparison, stdout) :
		     compare_print_commit(&p->comparison, stdout);
	if (!pair_printed("accept", err))
		return EXIT_RUNTIME;
	baseline_path(base, path, sizeof(path));
	if (baseline_write(&p->new, path, why, sizeof(why))) {
		fprintf(stderr, "buddylab accept: error: %s\n", why);
		return EXIT_RUNTIME;
	}
	return EXIT_FINE;
}

int cmd_accept(int argc, char **argv)
{
	const char *base = NULL;
	struct args a;
	struct pair p;
	bool json = false;
	int opt, code;

	args_init(&a, &command_accept, argc, argv);
	while ((opt = args_next(&a)) >= 0)
		if (opt == BASELINE)
			base = a.value;
		else
			json = a.choice == 1;
	if (opt != ARGS_END)
		return opt == ARGS_HELP ? EXIT_FINE : EXIT_USAGE;
	if (a.nr_words != 1)
		return args_error(&a, "expects one folder of results");
	if (!base)
		return args_error(&a, "--baseline is missing");
	code = pair_load(&p, base, a.words[0], NULL, true);
	if (!code)
		code = replace(&p, base, json);
	pair_free(&p);
	return code;
}
