/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `buddylab plot`: figures of a folder of results. */
#include <errno.h>
#include <string.h>

#include "bench/bench.h"
#include "cli/args.h"
#include "cli/commands.h"

enum { BACKEND, TERMINAL, FIGURE };

static const struct args_option options[] = {
	[BACKEND] = { "backend", 0, "gnuplot|matplotlib", "of pictures; default gnuplot" },
	[TERMINAL] = { "terminal", 0, "dumb|svg|png", "default dumb: text on "
		       "standard output; svg, png: files in DIR/figures" },
	[FIGURE] = { "figure", 0, "FIGURE", "only this one; `buddylab list "
		     "figures`" },
	{ NULL, 0, NULL, NULL },
};

const struct args_command command_plot = {
	.name = "plot",
	.synopsis = "DIR [options]",
	.text = "Draw figures of the results in DIR: memory of guest and host "
		"over time, and\n"
		"throughput against the first variant. Pictures lie in "
		"DIR/figures, each with\n"
		"its script and the exact numbers as CSV.\n",
	.options = options,
	.example = "  buddylab plot out/free-page-reporting --terminal svg\n",
};

static int plot(const char *path, const struct figure_request *req)
{
	struct diag d = { .out = stderr };
	struct results r;
	int code = EXIT_RUNTIME, err;

	if (!results_read(&r, path, &d)) {
		err = figure_plot(&r, req, stdout, stderr);
		/* The name is the only thing that it may find invalid. */
		if (err == -EINVAL && req->name)
			code = EXIT_USAGE;
		else if (!err)
			code = EXIT_FINE;
	}
	results_free(&r);
	return code;
}

static void take_option(const struct args *a, int opt,
			struct figure_request *req)
{
	switch (opt) {
	case BACKEND:
		req->backend = (enum figure_backend)a->choice;
		break;
	case TERMINAL:
		req->terminal = (enum figure_terminal)a->choice;
		break;
	default:
		req->name = a->value;
	}
}

int cmd_plot(int argc, char **argv)
{
	struct figure_request req = { .terminal = FIGURE_DUMB };
	struct args a;
	int opt;

	args_init(&a, &command_plot, argc, argv);
	while ((opt = args_next(&a)) >= 0)
		take_option(&a, opt, &req);
	if (opt != ARGS_END)
		return opt == ARGS_HELP ? EXIT_FINE : EXIT_USAGE;
	if (a.nr_words != 1)
		return args_error(&a, "expects one folder of results");
	if (req.backend == FIGURE_MATPLOTLIB && req.terminal == FIGURE_DUMB)
		return args_error(&a, "matplotlib draws pictures: say "
				  "--terminal svg or png");
	return plot(a.words[0], &req);
}
