/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `buddylab report`: the tables of a folder of results. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "bench/bench.h"
#include "cli/args.h"
#include "cli/commands.h"

static const struct args_option options[] = {
	{ "format", 0, "table|md|csv|json|cover|html|openmetrics",
	  "default table; cover: text of 75 columns for a mail; html: one "
	  "file with figures" },
	{ "columns", 0, "COLUMNS", "one table with these columns; `buddylab list "
	  "columns`" },
	{ "layout", 0, "tables|mmtests|benchstat|lkp",
	  "of a cover letter; default tables" },
	{ NULL, 0, NULL, NULL },
};

const struct args_command command_report = {
	.name = "report",
	.synopsis = "DIR [--format F] [--columns LIST] [--layout L]",
	.text = "Print tables of the results in DIR (or of a .jsonl file): "
		"throughput against\n"
		"the first variant, work of the host, memory at the end of "
		"each phase; or the table that the experiment, or --columns, "
		"asks for.\n",
	.options = options,
	.example = "  buddylab report out/free-page-reporting --format cover\n"
		   "  buddylab report out/free-page-reporting --format html "
		   "> report.html\n",
};

enum { REPORT_OPT_FORMAT, REPORT_OPT_COLUMNS, REPORT_OPT_LAYOUT };

static int report(const char *path, const struct report_request *req)
{
	char why[400];
	struct diag d = { .out = stderr };
	struct results r;
	bool bad_columns = false;
	int err = results_read(&r, path, &d);

	if (!err) {
		err = report_columns(&r, req, stdout, why, sizeof(why));
		bad_columns = err == -EINVAL;
		if (err == -ENODATA)
			fprintf(stderr, "buddylab report: error: %s holds no "
				"cells; run the experiment first\n", r.path);
		else if (bad_columns)
			fprintf(stderr, "buddylab report: error: %s: %s\n",
				req->layout ? "--layout" : "--columns", why);
		else if (err)
			fprintf(stderr, "buddylab report: error: %s\n",
				strerror(json_memory_failed() ? ENOMEM : -err));
	}
	results_free(&r);
	return bad_columns ? EXIT_USAGE : err ? EXIT_RUNTIME : EXIT_FINE;
}

static void take_option(const struct args *a, int opt,
			struct report_request *req)
{
	switch (opt) {
	case REPORT_OPT_COLUMNS:
		req->columns = a->value;
		break;
	case REPORT_OPT_LAYOUT:
		/* Only a cover letter has one. */
		req->format = REPORT_COVER;
		req->layout = (enum cover_layout)a->choice;
		break;
	default:
		req->format = (enum report_format)a->choice;
	}
}

int cmd_report(int argc, char **argv)
{
	struct report_request req = { .format = REPORT_TABLE };
	struct args a;
	int opt;

	args_init(&a, &command_report, argc, argv);
	while ((opt = args_next(&a)) >= 0)
		take_option(&a, opt, &req);
	if (opt != ARGS_END)
		return opt == ARGS_HELP ? EXIT_FINE : EXIT_USAGE;
	if (a.nr_words != 1)
		return args_error(&a, "expects one folder of results");
	return report(a.words[0], &req);
}
