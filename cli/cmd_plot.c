/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `buddylab plot`: figures of a folder of results. */
#include <errno.h>
#include <string.h>

#include "bench/bench.h"
#include "cli/args.h"
#include "cli/commands.h"

enum { BACKEND, TERMINAL, FIGURE };

static const struct args_option options[] = {
	[BACKEND] = { "backend", 0, "B", "gnuplot (default) or matplotlib, for pictures" },
	[TERMINAL] = { "terminal", 0, "T", "dumb (default): text on standard "
		       "output; svg, png: files in DIR/figures" },
	[FIGURE] = { "figure", 0, "NAME", "only this one; `buddylab list "
		     "figures`" },
	{ NULL, 0, NULL, NULL },
};

static const struct args_command command = {
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

static int parse_terminal(const char *text, enum figure_terminal *out)
{
	for (int i = 0; figure_terminal_names[i]; i++)
		if (!strcmp(text, figure_terminal_names[i])) {
			*out = (enum figure_terminal)i;
			return 0;
		}
	return -EINVAL;
}

static int parse_backend(struct args *a, struct figure_request *req)
{
	for (int i = 0; figure_backend_names[i]; i++)
		if (!strcmp(a->value, figure_backend_names[i])) {
			req->backend = (enum figure_backend)i;
			return 0;
		}
	return args_error(a, "unknown backend '%s'; gnuplot and matplotlib "
			  "are known", a->value);
}

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

static int take_option(struct args *a, int opt, struct figure_request *req)
{
	switch (opt) {
	case BACKEND:
		return parse_backend(a, req);
	case TERMINAL:
		if (parse_terminal(a->value, &req->terminal))
			return args_error(a, "unknown terminal '%s'; dumb, "
					  "svg and png are known", a->value);
		return 0;
	default:
		req->name = a->value;
		return 0;
	}
}

int cmd_plot(int argc, char **argv)
{
	struct figure_request req = { .terminal = FIGURE_DUMB };
	struct args a;
	int opt, code;

	args_init(&a, &command, argc, argv);
	while ((opt = args_next(&a)) >= 0) {
		code = take_option(&a, opt, &req);
		if (code)
			return code;
	}
	if (opt != ARGS_END)
		return opt == ARGS_HELP ? EXIT_FINE : EXIT_USAGE;
	if (a.nr_words != 1)
		return args_error(&a, "expects one folder of results");
	if (req.backend == FIGURE_MATPLOTLIB && req.terminal == FIGURE_DUMB)
		return args_error(&a, "matplotlib draws pictures: say "
				  "--terminal svg or png");
	return plot(a.words[0], &req);
}
