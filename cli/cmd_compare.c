/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `buddylab compare BASE NEW`: what moved between two sets of results. */
#include "cli/args.h"
#include "cli/commands.h"
#include "cli/pair.h"

static const struct args_option options[] = {
	{ "format", 0, "table|md|csv|json|cover",
	  "tables of before and after; default: what moved, by cell" },
	{ NULL, 0, NULL, NULL },
};

const struct args_command command_compare = {
	.name = "compare",
	.synopsis = "BASE NEW [--format F]",
	.text = "Compare all counters and digests of two folders of results "
		"(or .jsonl files)\n"
		"exactly, cell by cell. Exit status: 0 equal, 1 something "
		"moved, 4 they do not\n"
		"hold the same cells.\n",
	.options = options,
	.example = "  buddylab compare out/before out/after --format cover\n",
};

static int compare(const char *base, const char *new, const char *format_name,
		   enum report_format format)
{
	struct pair p;
	int err, code = pair_load(&p, base, new, NULL, false);

	if (!code) {
		code = pair_exit(&p);
		err = format_name ?
			compare_print_table(&p.comparison, format, stdout) :
			compare_print(&p.comparison, stdout);
		if (!pair_printed("compare", err))
			code = EXIT_RUNTIME;
	}
	pair_free(&p);
	return code;
}

int cmd_compare(int argc, char **argv)
{
	enum report_format format = REPORT_TABLE;
	const char *format_name = NULL;
	struct args a;
	int opt;

	args_init(&a, &command_compare, argc, argv);
	while ((opt = args_next(&a)) >= 0) {
		format_name = a.value;
		format = (enum report_format)a.choice;
	}
	if (opt != ARGS_END)
		return opt == ARGS_HELP ? EXIT_FINE : EXIT_USAGE;
	if (a.nr_words != 2)
		return args_error(&a, "expects two folders of results");
	return compare(a.words[0], a.words[1], format_name, format);
}
