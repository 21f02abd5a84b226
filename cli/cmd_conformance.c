/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * `buddylab conformance`: the mock host against real memory of this machine,
 * step by step. docs/live-host.md is the reference.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

#include "cli/args.h"
#include "cli/commands.h"
#include "hypervisor/conformance.h"

enum { OPT_STREAMS, OPT_STEPS, OPT_SEED, OPT_CASE, OPT_MEMORY, OPT_RETRIES,
       OPT_FORMAT };

static const struct args_option options[] = {
	[OPT_STREAMS] = { "streams", 0, "N", "random streams (default 100)" },
	[OPT_STEPS] = { "steps", 0, "N", "of each stream (default 200)" },
	[OPT_SEED] = { "seed", 0, "S", "of the streams (default 1)" },
	[OPT_CASE] = { "case", 0, "PATTERN", "no other case, for instance "
		       "'punch-*' or stream-17" },
	[OPT_MEMORY] = { "memory", 0, "SIZE",
			 "real memory of a case (default 128M; 64M to 1G)" },
	[OPT_RETRIES] = { "retries", 0, "N", "more runs of a case that differs "
			  "(default 2)" },
	[OPT_FORMAT] = { "format", 0, "text|json", "default text" },
	{ NULL, 0, NULL, NULL },
};

const struct args_command command_conformance = {
	.name = "conformance",
	.synopsis = "[--streams N] [--seed S] [--format json]",
	.text = "Do the same to the mock host and to real memory of this "
		"machine, and compare after\n"
		"each step: resident pages, huge mappings, faults, splits and "
		"all other counts.\n"
		"No privilege. Exit status: 0 all agree; 1 a mismatch; 77 this "
		"machine cannot.\n",
	.options = options,
	.example = "  buddylab conformance\n"
		   "  buddylab conformance --seed 7 --case stream-17\n",
};

struct conformance_command {
	struct args args;
	struct conformance_request rq;
	struct utsname host;
	bool json;
	json_t *cases;           /* with json */
};

static const char *release_of(const struct conformance_command *c)
{
	return c->host.release;
}

/* ---- output ---- */

static void print_case(const struct conformance_result *r)
{
	printf("%-22s %9" PRIu64 " %9" PRIu64 " %8" PRIu64 " %7" PRIu64
	       " %8" PRIu64 "  %s\n", r->name, r->steps, r->faults,
	       r->huge_faults, r->splits, r->discards,
	       r->mismatches ? "MISMATCH" : r->repeats ? "ok, repeated" : "ok");
	if (r->first[0])
		printf("  %s%s\n", r->mismatches ? "" : "not again: ",
		       r->first);
	if (r->mismatches)
		printf("  model: %s\n  real:  %s\n", r->model_options,
		       r->real_options);
	fflush(stdout);
}

static json_t *case_json(const struct conformance_result *r)
{
	return json_pack("{ss sI sI sI ss ss ss sI sI sI sI sI}",
		"name", r->name, "steps", (json_int_t)r->steps,
		"mismatches", (json_int_t)r->mismatches,
		"repeats", (json_int_t)r->repeats, "first", r->first,
		"model_options", r->model_options,
		"real_options", r->real_options,
		"faults", (json_int_t)r->faults,
		"huge_faults", (json_int_t)r->huge_faults,
		"splits", (json_int_t)r->splits,
		"discards", (json_int_t)r->discards,
		"stray_faults", (json_int_t)r->stray_faults);
}

static void case_done(void *ctx, const struct conformance_result *r)
{
	struct conformance_command *c = ctx;

	if (c->json)
		json_array_append_new(c->cases, case_json(r));
	else
		print_case(r);
}

static void print_head(const struct conformance_command *c)
{
	printf("mock against real memory, Linux %s, seed %" PRIu64 "\n\n",
	       release_of(c), c->rq.seed);
	printf("%-22s %9s %9s %8s %7s %8s\n", "case", "steps", "faults",
	       "huge", "splits", "discards");
}

static void print_total(const struct conformance_command *c,
			const struct conformance_total *t)
{
	printf("\n%" PRIu64 " cases, %" PRIu64 " steps compared, %" PRIu64
	       " mismatches; %" PRIu64 " repeated, %" PRIu64 " stray faults\n",
	       t->cases, t->steps, t->mismatches, t->repeats,
	       t->stray_faults);
	printf("this kernel: free_empty_tables = %s\n",
	       t->frees_tables ? "on" : "off");
	if (t->mismatches)
		printf("to repeat one: buddylab conformance --seed %" PRIu64
		       " --memory %" PRIu64 "M --case NAME\n", c->rq.seed,
		       pages_to_bytes(c->rq.nr_pages) >> 20);
}

static int print_json(struct conformance_command *c,
		      const struct conformance_total *t)
{
	json_t *o = json_pack("{ss ss sI sI sI sI sI sI sb so}",
		"kernel", release_of(c), "machine", c->host.machine,
		"seed", (json_int_t)c->rq.seed,
		"cases_compared", (json_int_t)t->cases,
		"steps", (json_int_t)t->steps,
		"mismatches", (json_int_t)t->mismatches,
		"repeats", (json_int_t)t->repeats,
		"stray_faults", (json_int_t)t->stray_faults,
		"free_empty_tables", t->frees_tables, "cases", c->cases);
	int err = !o || json_dumpf(o, stdout, JSON_INDENT(1) | JSON_SORT_KEYS);

	if (!err)
		putchar('\n');
	json_decref(o);
	return err ? EXIT_RUNTIME : 0;
}

/* ---- the run ---- */

/* Marks of MADV_FREE wait in batches per CPU: stay on one. */
static void stay_on_cpu(void)
{
	const int cpu = sched_getcpu();
	cpu_set_t set;

	if (cpu < 0)
		return;
	CPU_ZERO(&set);
	CPU_SET((unsigned int)cpu, &set);
	/* If it cannot, single cases may have to be repeated. */
	(void)sched_setaffinity(0, sizeof(set), &set);
}

static int failed(int err, const char *why)
{
	switch (err) {
	case -ENOTSUP:
		fprintf(stderr, "buddylab conformance: skipped: %s\n", why);
		return EXIT_SKIPPED;
	case -ENOENT:
	case -E2BIG:
		fprintf(stderr, "buddylab conformance: error: %s\n", why);
		return EXIT_USAGE;
	default:
		fprintf(stderr, "buddylab conformance: error: %s\n",
			why[0] ? why : strerror(-err));
		return EXIT_RUNTIME;
	}
}

static int run(struct conformance_command *c)
{
	struct conformance_total total;
	char why[320] = "";
	int err;

	if (uname(&c->host))
		return failed(-errno, "");
	c->rq.model = &mock_hypervisor;
	c->rq.real = &live_hypervisor;
	c->rq.done = case_done;
	c->rq.ctx = c;
	stay_on_cpu();
	if (c->json)
		c->cases = json_array();
	else
		print_head(c);
	err = conformance_run(&c->rq, &total, why, sizeof(why));
	if (err) {
		json_decref(c->cases);
		return failed(err, why);
	}
	if (!c->json)
		print_total(c, &total);
	else if (print_json(c, &total))
		return EXIT_RUNTIME;
	return total.mismatches ? EXIT_REGRESSION : EXIT_FINE;
}

/* ---- options ---- */

static int take_number(struct conformance_command *c, const char *name,
		       uint64_t max, uint64_t *out)
{
	if (!parse_u64(c->args.value, out) && *out <= max)
		return 0;
	return args_error(&c->args, "--%s wants a number from 0 to %" PRIu64,
			  name, max);
}

static int take_memory(struct conformance_command *c)
{
	const uint64_t step = UINT64_C(8) << 20;
	uint64_t bytes;

	if (parse_size(c->args.value, &bytes) || bytes < (UINT64_C(64) << 20) ||
	    bytes > (UINT64_C(1) << 30))
		return args_error(&c->args, "--memory wants 64M to 1G");
	c->rq.nr_pages = (pfn_t)bytes_to_pages(bytes / step * step);
	return 0;
}

static int take_option(void *ctx, int option)
{
	struct conformance_command *c = ctx;
	uint64_t nr = 0;
	int code;

	switch (option) {
	case OPT_STREAMS:
		code = take_number(c, "streams", 100000, &nr);
		c->rq.streams = (unsigned int)nr;
		return code;
	case OPT_STEPS:
		code = take_number(c, "steps", 1000000, &nr);
		c->rq.steps = (unsigned int)nr;
		return code;
	case OPT_SEED:
		return take_number(c, "seed", UINT32_MAX, &c->rq.seed);
	case OPT_CASE:
		c->rq.only = c->args.value;
		return 0;
	case OPT_MEMORY:
		return take_memory(c);
	case OPT_RETRIES:
		code = take_number(c, "retries", 100, &nr);
		c->rq.retries = (unsigned int)nr;
		return code;
	default:
		c->json = c->args.choice == 1;
		return 0;
	}
}

int cmd_conformance(int argc, char **argv)
{
	struct conformance_command c = {
		.rq = { .nr_pages = 32768, .streams = 100, .steps = 200,
			.seed = 1, .retries = 2 },
	};
	int option, code;

	args_init(&c.args, &command_conformance, argc, argv);
	while ((option = args_next(&c.args)) >= 0) {
		code = take_option(&c, option);
		if (code)
			return code;
	}
	if (option != ARGS_END)
		return option == ARGS_HELP ? EXIT_FINE : EXIT_USAGE;
	if (c.args.nr_words)
		return args_error(&c.args, "'%s' is not expected",
				  c.args.words[0]);
	return run(&c);
}
