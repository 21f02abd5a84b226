/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * `buddylab import FILE -o T.blt`: a trace of any format as .blt, once, so that
 * everything after it reads one format fast. docs/trace-formats.md is the
 * reference.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/args.h"
#include "cli/commands.h"
#include "trace/blt.h"
#include "trace/export.h"

enum { OUTPUT, FORMAT, KERNEL };

static const struct args_option options[] = {
	[OUTPUT] = { "output", 'o', "T.blt", "write this file (required)" },
	[FORMAT] = { "format", 0,
		     "auto|request|blt|perf|ftrace|bpftrace|recorder|trace.dat",
		     "default auto: told from the content" },
	[KERNEL] = { "kernel", 0, "PROFILE", "release of the recorded kernel: "
		     "the bits of raw masks; default: what the file says, "
		     "or 6.1" },
	{ NULL, 0, NULL, NULL },
};

const struct args_command command_import = {
	.name = "import",
	.synopsis = "FILE -o T.blt [options]",
	.text = "Read a recorded trace and store it as .blt. FILE is text of "
		"perf script, of\n"
		"tracefs, of trace-cmd report, of the bpftrace script or of "
		"the recorder, plain or\n"
		"zstd-compressed, - for standard input; or a trace.dat; or a "
		"request stream. What\n"
		"was lost, failed or not known is counted and printed. Exit "
		"status: 0 imported;\n"
		"2 usage; 3 a line is wrong or a file cannot be read or "
		"written: there is no T.blt.\n",
	.options = options,
	.example = "  perf script --ns | buddylab import - -o T.blt\n",
};

struct import {
	struct args args;
	const char *path, *output;
	struct trace_options source_options;
	struct trace_source *source;
	struct blt_writer *writer;
	struct diag diag;
	uint32_t *tasks;        /* number in the file, by that of the source */
	uint32_t nr_tasks, room;
};

/* Tasks are numbered as they are met, so only new ones are looked up. */
static int map_task(struct import *im, uint32_t task)
{
	while (task >= im->nr_tasks) {
		const struct trace_task *t =
			trace_source_task(im->source, im->nr_tasks);
		int err;

		if (im->nr_tasks == im->room) {
			const uint32_t room = im->room ? im->room * 2 : 1024;
			uint32_t *more = realloc(im->tasks,
						 room * sizeof(*more));

			if (!more)
				return -ENOMEM;
			im->tasks = more;
			im->room = room;
		}
		err = blt_task(im->writer, t, &im->tasks[im->nr_tasks]);
		if (err)
			return err;
		im->nr_tasks++;
	}
	return 0;
}

/* 0, or a negative errno: -EINVAL after lines that are wrong. */
static int copy_events(struct import *im)
{
	struct trace_event e;
	bool wrong = false;
	int ret, err = 0;

	while ((ret = trace_next(im->source, &e)) == 1 || ret == -EINVAL) {
		wrong |= ret == -EINVAL;
		if (wrong)
			continue; /* to report every line, not for the file */
		err = e.task < im->nr_tasks ? 0 : map_task(im, e.task);
		if (!err) {
			e.task = im->tasks[e.task];
			err = blt_put(im->writer, &e);
		}
		if (err)
			return err;
	}
	return ret ? ret : wrong ? -EINVAL : 0;
}

static void print_count(const char *name, uint64_t n)
{
	if (n)
		printf("  %-28s %" PRIu64 "\n", name, n);
}

static void print_result(const struct import *im)
{
	const struct trace_stats *s = trace_source_stats(im->source);
	const char *kernel = trace_source_kernel(im->source);

	printf("%s: %s, %" PRIu64 " events of %" PRIu64 " lines, CPUs: %u, "
	       "tasks: %u, kernel: %s\n", im->output,
	       trace_format_name(trace_source_format(im->source)), s->events,
	       s->lines, s->nr_cpus, s->nr_tasks - 1,
	       kernel ? kernel : "not named");
	for (unsigned int i = 0; i < TRACE_NR_KINDS; i++)
		if (i != TRACE_LOST)
			print_count(trace_kind_name((enum trace_kind)i),
				    s->by_kind[i]);
	print_count("other events, left out", s->other_lines);
	print_count("failed allocations", s->failed_allocs);
	print_count("masks not known in full", s->unknown_gfp);
}

/* What makes the trace worth less than its size. */
static void warn(struct import *im)
{
	const struct trace_stats *s = trace_source_stats(im->source);
	const struct diag_place at = { .file = im->path };

	if (!s->events)
		diag_warning(&im->diag, at, "no event of the page allocator");
	if (s->lost_markers)
		diag_warning(&im->diag, at, "the recorder lost events in %"
			     PRIu64 " places, %" PRIu64 " or more; give it a "
			     "larger buffer", s->lost_markers, s->lost);
	if (s->backwards)
		diag_warning(&im->diag, at, "time goes back %" PRIu64
			     " times; the order of a replay is that of the "
			     "lines: sort them by time first", s->backwards);
}

static int write_file(struct import *im)
{
	const char *named = im->source_options.kernel;
	struct blt_info info = {
		.kernel = named ? named : trace_source_kernel(im->source),
		.source = trace_source_format(im->source),
	};
	int err;

	err = blt_create(&im->writer, im->output, &info, &im->diag);
	if (err)
		return err;
	err = map_task(im, 0);
	if (!err)
		err = copy_events(im);
	if (err) {
		blt_abort(im->writer);
		return err;
	}
	return blt_commit(im->writer, trace_source_stats(im->source));
}

static int import(struct import *im)
{
	int err;

	im->diag.out = stderr;
	err = trace_open(&im->source, im->path, &im->source_options,
			 &im->diag);
	if (err)
		return EXIT_RUNTIME;
	err = write_file(im);
	if (!err) {
		warn(im);
		print_result(im);
	} else if (err == -ENOMEM && !im->diag.nr_errors) {
		fputs("buddylab import: error: out of memory\n", stderr);
	}
	trace_close(im->source);
	free(im->tasks);
	return err ? EXIT_RUNTIME : EXIT_FINE;
}

static int take_option(void *ctx, int opt)
{
	struct import *im = ctx;

	switch (opt) {
	case OUTPUT:
		im->output = im->args.value;
		return 0;
	case FORMAT:
		im->source_options.format =
			(enum trace_format)im->args.choice;
		return 0;
	default:
		im->source_options.kernel = im->args.value;
		return args_kernel(&im->args);
	}
}

/* Would the result take the place of the only copy of the recording? */
static bool same_file(const char *one, const char *two)
{
	struct stat a, b;

	return !stat(one, &a) && !stat(two, &b) && a.st_dev == b.st_dev &&
	       a.st_ino == b.st_ino;
}

int cmd_import(int argc, char **argv)
{
	struct import im = { .output = NULL };
	int code;

	args_init(&im.args, &command_import, argc, argv);
	code = args_one_word(&im.args, take_option, &im, "trace", &im.path);
	if (code != ARGS_END)
		return code;
	if (!im.output)
		return args_error(&im.args, "-o T.blt is missing");
	if (same_file(im.path, im.output))
		return args_error(&im.args, "-o names the trace itself, which "
				  "would be replaced; take another name");
	return import(&im);
}
