/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `buddylab calibrate`: prices measured here, or solved. docs/prices.md */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bench/bench.h"
#include "cli/args.h"
#include "cli/commands.h"
#include "cli/registry.h"
#include "include/cpus.h"
#include "include/option.h"

enum {
	SOLVE, TARGET, ZERO_SHARE, REZERO_SHARE, JOBS,
	OUTPUT, FORMAT, MEMORY, TIME, PROCS,
};

static const struct args_option options[] = {
	[SOLVE] = { "solve", 0, "EXP.ini", "solve prices so that the first "
		    "variant of EXP.ini equals the target" },
	[TARGET] = { "target", 0, "FILE", "published baseline rows" },
	[ZERO_SHARE] = { "zero-share", 0, "Z", "share of a huge fault that is "
			 "clearing, 0 to 1, as measured" },
	[REZERO_SHARE] = { "rezero-share", 0, "Z", "the same of what was just "
			   "cleared (default: as --zero-share)" },
	[JOBS] = { "jobs", 'j', "N", "cells at a time (default: one per CPU)" },
	[OUTPUT] = { "output", 'o', "FILE", "write there, whole or not at all" },
	[FORMAT] = { "format", 0, "prices|json", "default prices" },
	[MEMORY] = { "memory", 0, "SIZE", "touch so much at a time at the most "
		     "(default: 1G)" },
	[TIME] = { "time", 0, "T", "take so long (default: 30s)" },
	[PROCS] = { "procs", 0, "N", "processes at a time at the most "
		    "(default: one per CPU)" },
	{ NULL, 0, NULL, NULL },
};

const struct args_command command_calibrate = {
	.name = "calibrate",
	.synopsis = "[options | --solve EXP.ini --target FILE --zero-share Z]",
	.text = "Print a price file. Alone: measure this host, without "
		"privilege; exit status 77\n"
		"if it gives no huge pages or has too little memory. What "
		"cannot be measured keeps\n"
		"its built-in price, and is named. With --solve: run the "
		"baseline of an experiment\n"
		"until it reproduces published baseline rows.\n",
	.options = options,
	.example = "  buddylab calibrate -o prices.ini\n"
		   "  buddylab calibrate --time 2m --format json\n"
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

/* Options of both kinds, and whether any of each was given. */
struct calibrate_args {
	struct calibrate_request solve;
	struct calibrate_measure_request measure;
	bool solves, measures;
};

static int take_solve(struct args *a, int opt, struct calibrate_request *req)
{
	switch (opt) {
	case SOLVE:
		req->experiment = a->value;
		return 0;
	case TARGET:
		req->target = a->value;
		return 0;
	case REZERO_SHARE:
		req->rezero_share = parse_share(a->value);
		return req->rezero_share >= 0 ? 0 :
		       args_error(a, "--rezero-share wants a number from 0 "
				  "to 1");
	default:
		req->zero_share = parse_share(a->value);
		return req->zero_share >= 0 ? 0 :
		       args_error(a, "--zero-share wants a number from 0 to "
				  "1");
	}
}

static int take_measure(struct args *a, int opt,
			struct calibrate_measure_request *req)
{
	switch (opt) {
	case OUTPUT:
		req->path = a->value;
		return 0;
	case FORMAT:
		req->json = a->choice == 1;
		return 0;
	case MEMORY:
		return !parse_size(a->value, &req->memory) &&
		       req->memory >= CALIBRATE_MIN_MEMORY ? 0 :
		       args_error(a, "--memory wants a size of 64M or more");
	case TIME:
		return !parse_time(a->value, &req->time_ns) &&
		       req->time_ns >= CALIBRATE_MIN_NS &&
		       req->time_ns <= CALIBRATE_MAX_NS ? 0 :
		       args_error(a, "--time wants a time from 1s to 60m");
	default:
		req->procs = parse_jobs(a->value);
		return req->procs ? 0 :
		       args_error(a, "--procs wants 1 to 1024");
	}
}

static int take_option(struct args *a, int opt, struct calibrate_args *c)
{
	if (opt == JOBS) {
		c->solve.jobs = parse_jobs(a->value);
		return c->solve.jobs ? 0 :
		       args_error(a, "--jobs wants 1 to 1024");
	}
	if (opt <= REZERO_SHARE) {
		c->solves = true;
		return take_solve(a, opt, &c->solve);
	}
	c->measures = true;
	return take_measure(a, opt, &c->measure);
}

static int calibrate(struct args *a, struct calibrate_args *c)
{
	const struct calibrate_request *s = &c->solve;

	if (!c->solves)
		return exit_code(calibrate_measure(&c->measure));
	if (c->measures)
		return args_error(a, "--solve runs an experiment; --output, "
				  "--format, --memory, --time and --procs are "
				  "for measuring");
	if (!s->experiment || !s->target || s->zero_share < 0)
		return args_error(a, "--solve, --target and --zero-share "
				  "belong together");
	return solve(&c->solve);
}

int cmd_calibrate(int argc, char **argv)
{
	const unsigned int cpus = usable_cpus();
	struct calibrate_args c = {
		.solve = { .zero_share = -1, .rezero_share = -1,
			   .jobs = cpus },
		.measure = { .memory = UINT64_C(1) << 30, .procs = cpus,
			     .time_ns = 30 * NSEC_PER_SEC, .out = stdout,
			     .messages = stderr },
	};
	struct args a;
	int opt, code;

	args_init(&a, &command_calibrate, argc, argv);
	while ((opt = args_next(&a)) >= 0) {
		code = take_option(&a, opt, &c);
		if (code)
			return code;
	}
	if (opt != ARGS_END)
		return opt == ARGS_HELP ? EXIT_FINE : EXIT_USAGE;
	if (a.nr_words)
		return args_error(&a, "'%s' is not expected", a.words[0]);
	return calibrate(&a, &c);
}
