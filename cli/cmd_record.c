/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * `buddylab record -- PROGRAM ARGS`: run a program, record what it and its
 * children do to their memory as .blt, for `workload = trace`. docs/record.md
 * is the reference.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli/args.h"
#include "cli/commands.h"
#include "include/option.h"
#include "record/record.h"

#define MIN_SAMPLE_NS (100 * NSEC_PER_USEC)
#define MAX_SAMPLE_NS (3600 * NSEC_PER_SEC)
/* As a shell: not found, and found but not to be run. */
#define EXIT_NOT_FOUND 127
#define EXIT_CANNOT_RUN 126
#define EXIT_SIGNAL 128

enum { OUTPUT, SAMPLE, RANDOM, QUIET };

static const struct args_option options[] = {
	[OUTPUT] = { "output", 'o', "T.blt", "write this file; default: the "
		     "program's name with .blt, here" },
	[SAMPLE] = { "sample", 0, "TIME", "look for touched pages so often; "
		     "default: 10ms" },
	[RANDOM] = { "random-addresses", 0, NULL, "leave address space "
		     "randomisation on" },
	[QUIET] = { "quiet", 'q', NULL, "no summary" },
	{ NULL, 0, NULL, NULL },
};

const struct args_command command_record = {
	.name = "record",
	.synopsis = "[options] -- PROGRAM [ARGS]",
	.text = "Run PROGRAM and record what it and its children do to their "
		"memory: mappings,\n"
		"madvise, the break, exits, and which pages they touch. The "
		"file is a workload:\n"
		"`workload = trace`, `file = T.blt`, `tasks =` as many as the "
		"summary says. The\n"
		"program keeps its input, output and signals. Exit status: "
		"the program's, 128 and\n"
		"the number of the signal that ended it, 127 or 126 if it "
		"cannot be run; 2 usage;\n"
		"3 there is no recording.\n",
	.options = options,
	.example = "  buddylab record -o sort.blt -- sort -o sorted.txt "
		   "big.txt\n",
};

struct request {
	struct args args;
	struct record_options o;
	char output[300];
	bool quiet;
};

static int take_sample(struct request *q)
{
	if (parse_time(q->args.value, &q->o.sample_ns) ||
	    q->o.sample_ns < MIN_SAMPLE_NS || q->o.sample_ns > MAX_SAMPLE_NS)
		return args_error(&q->args, "'%s' is no time from 100us to 60m",
				  q->args.value);
	return 0;
}

static int take_options(struct request *q)
{
	int option;

	while ((option = args_next(&q->args)) >= 0) {
		int code = 0;

		if (option == OUTPUT)
			q->o.output = q->args.value;
		else if (option == SAMPLE)
			code = take_sample(q);
		else if (option == RANDOM)
			q->o.random_addresses = true;
		else
			q->quiet = true;
		if (code)
			return code;
	}
	if (option != ARGS_END)
		return option == ARGS_HELP ? -1 : EXIT_USAGE;
	if (!q->args.nr_words)
		return args_error(&q->args, "no program is named, after --");
	q->o.argv = q->args.words;
	return 0;
}

static void name_output(struct request *q)
{
	const char *slash = strrchr(q->o.argv[0], '/');
	const char *name = slash ? slash + 1 : q->o.argv[0];

	snprintf(q->output, sizeof(q->output), "%.255s.blt",
		 *name ? name : "program");
	q->o.output = q->output;
}

static void print_summary(const struct request *q,
			  const struct record_counts *c)
{
	fprintf(stderr, "%s: %" PRIu64 " events of %" PRIu64 " address spaces "
		"in %" PRIu64 ".%03" PRIu64 " s: %" PRIu64 " map, %" PRIu64
		" unmap, %" PRIu64 " touch (%" PRIu64 " MiB), %" PRIu64
		" dontneed, %" PRIu64 " free, %" PRIu64 " fork\n",
		q->o.output, c->events, c->processes, c->ns / NSEC_PER_SEC,
		c->ns / NSEC_PER_MSEC % 1000, c->ops[TRACE_MEM_MAP],
		c->ops[TRACE_MEM_UNMAP], c->ops[TRACE_MEM_TOUCH],
		pages_to_bytes(c->touched_pages) >> 20,
		c->ops[TRACE_MEM_DONTNEED], c->ops[TRACE_MEM_FREE],
		c->ops[TRACE_MEM_FORK]);
	fprintf(stderr, "replay it with 'workload = trace', 'file = %s', "
		"'tasks = %" PRIu64 "'\n", q->o.output, c->lanes);
}

static void print_warnings(const struct record_counts *c)
{
	if (c->unsampled)
		fprintf(stderr, "buddylab record: warning: %" PRIu64
			" mappings of more than 64 GiB are recorded without "
			"touches\n", c->unsampled);
	if (c->blind)
		fprintf(stderr, "buddylab record: warning: the pages of %"
			PRIu64 " processes could not be seen: their memory is "
			"recorded without touches\n", c->blind);
	if (c->foreign)
		fprintf(stderr, "buddylab record: warning: %" PRIu64
			" programs for another processor were not recorded\n",
			c->foreign);
}

static int not_started(const struct request *q, int err)
{
	fprintf(stderr, "buddylab record: error: cannot run '%s': %s\n",
		q->o.argv[0], strerror(err));
	return err == ENOENT ? EXIT_NOT_FOUND : EXIT_CANNOT_RUN;
}

int cmd_record(int argc, char **argv)
{
	struct request q = { .o.sample_ns = 10 * NSEC_PER_MSEC };
	struct diag d = { .out = stderr };
	struct record_result r;
	int code, err;

	args_init(&q.args, &command_record, argc, argv);
	code = take_options(&q);
	if (code)
		return code < 0 ? EXIT_FINE : code;
	if (!q.o.output)
		name_output(&q);
	err = record_run(&q.o, &r, &d);
	if (err) {
		if (!d.nr_errors)
			fprintf(stderr, "buddylab record: error: %s\n",
				strerror(-err));
		return EXIT_RUNTIME;
	}
	if (r.end == RECORD_NOT_STARTED)
		return not_started(&q, r.code);
	if (!q.quiet)
		print_summary(&q, &r.counts);
	print_warnings(&r.counts);
	return r.end == RECORD_KILLED ? EXIT_SIGNAL + r.code : r.code;
}
