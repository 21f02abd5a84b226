/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `buddylab calibrate`: prices measured here, or solved. docs/prices.md */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench/bench.h"
#include "cli/args.h"
#include "cli/commands.h"
#include "cli/registry.h"

enum { SOLVE, TARGET, ZERO_SHARE, JOBS };

static const struct args_option options[] = {
	[SOLVE] = { "solve", 0, "EXP.ini", "solve prices so that the first "
		    "variant of EXP.ini equals the target" },
	[TARGET] = { "target", 0, "FILE", "published baseline rows" },
	[ZERO_SHARE] = { "zero-share", 0, "Z", "share of a huge fault that is "
			 "clearing, 0 to 1, as measured" },
	[JOBS] = { "jobs", 'j', "N", "cells at a time (default: one per CPU)" },
	{ NULL, 0, NULL, NULL },
};

static const struct args_command command = {
	.name = "calibrate",
	.synopsis = "[--solve EXP.ini --target FILE --zero-share Z]",
	.text = "Print a price file. Alone: measure this host, half a minute, "
		"no privilege; exit\n"
		"status 77 if it gives no huge pages. With --solve: run the "
		"baseline of an\n"
		"experiment until it reproduces published baseline rows.\n",
	.options = options,
	.example = "  buddylab calibrate > prices.ini\n"
		   "  buddylab calibrate --solve "
		   "bench/experiments/free-page-reporting.ini \\\n"
		   "      --target bench/prices/e5-2630v3.target --zero-share "
		   "0.3\n",
};

/* "0.31"; -1 if it is not a share. */
static double parse_share(const char *text)
{
	const size_t digits = strspn(text, "0123456789");
	size_t end = digits;
	double v;

	if (text[end] == '.')
		end += 1 + strspn(text + end + 1, "0123456789");
	if (!digits || end > 20 || text[end])
		return -1;
	v = strtod(text, NULL);
	return v <= 1 ? v : -1;
}

static unsigned int parse_jobs(const char *text)
{
	uint64_t n;

	return parse_u64(text, &n) || n > 1024 ? 0 : (unsigned int)n;
}

static int exit_code(int err)
{
	switch (err) {
	case 0:
		return EXIT_FINE;
	case -EINVAL:
		return EXIT_USAGE;
	case -EINTR:
		return EXIT_INTERRUPTED;
	case -ENOTSUP:
		return EXIT_SKIPPED;
	default:
		return EXIT_RUNTIME;
	}
}

static int solve(struct calibrate_request *req)
{
	struct diag d = { .out = stderr };
	int err;

	req->registry = &registry;
	req->messages = stderr;
	err = calibrate_solve(req, stdout, &d);
	if (err && err != -EINVAL && err != -EINTR && err != -ERANGE)
		fprintf(stderr, "buddylab calibrate: error: %s\n",
			strerror(-err));
	return exit_code(err);
}

static int take_option(struct args *a, int opt, struct calibrate_request *req)
{
	switch (opt) {
	case SOLVE:
		req->experiment = a->value;
		return 0;
	case TARGET:
		req->target = a->value;
		return 0;
	case ZERO_SHARE:
		req->zero_share = parse_share(a->value);
		if (req->zero_share < 0)
			return args_error(a, "--zero-share wants a number "
					  "from 0 to 1");
		return 0;
	default:
		req->jobs = parse_jobs(a->value);
		return req->jobs ? 0 : args_error(a, "--jobs wants 1 to 1024");
	}
}

int cmd_calibrate(int argc, char **argv)
{
	const long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	struct calibrate_request req = {
		.zero_share = -1,
		.jobs = cpus > 0 && cpus <= 1024 ? (unsigned int)cpus : 1,
	};
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
	if (a.nr_words)
		return args_error(&a, "'%s' is not expected", a.words[0]);
	if (!req.experiment && !req.target && req.zero_share < 0)
		return exit_code(calibrate_measure(stdout, stderr));
	if (!req.experiment || !req.target || req.zero_share < 0)
		return args_error(&a, "--solve, --target and --zero-share "
				  "belong together");
	return solve(&req);
}
