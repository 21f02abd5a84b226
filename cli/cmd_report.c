/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `buddylab report`: the tables of a folder of results. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "bench/bench.h"
#include "cli/args.h"
#include "cli/commands.h"

static const struct args_option options[] = {
	{ "format", 0, "F", "table (default), md, csv, json or cover: text of "
	  "75 columns for a mail" },
	{ NULL, 0, NULL, NULL },
};

static const struct args_command command = {
	.name = "report",
	.synopsis = "DIR [--format F]",
	.text = "Print tables of the results in DIR (or of a .jsonl file): "
		"throughput against\n"
		"the first variant, work of the host, memory at the end of "
		"each phase.\n",
	.options = options,
	.example = "  buddylab report out/free-page-reporting --format cover\n",
};

static int report(const char *path, enum report_format format)
{
	struct diag d = { .out = stderr };
	struct results r;
	int err = results_read(&r, path, &d);

	if (!err) {
		err = report_print(&r, format, stdout);
		if (err == -ENODATA)
			fprintf(stderr, "buddylab report: error: %s holds no "
				"cells; run the experiment first\n", r.path);
		else if (err)
			fprintf(stderr, "buddylab report: error: %s\n",
				strerror(-err));
	}
	results_free(&r);
	return err ? EXIT_RUNTIME : EXIT_FINE;
}

int cmd_report(int argc, char **argv)
{
	enum report_format format = REPORT_TABLE;
	struct args a;
	int opt;

	args_init(&a, &command, argc, argv);
	while ((opt = args_next(&a)) >= 0)
		if (report_format_parse(a.value, &format))
			return args_error(&a, "unknown format '%s'; table, "
					  "md, csv, json and cover are known",
					  a.value);
	if (opt != ARGS_END)
		return opt == ARGS_HELP ? EXIT_FINE : EXIT_USAGE;
	if (a.nr_words != 1)
		return args_error(&a, "expects one folder of results");
	return report(a.words[0], format);
}
