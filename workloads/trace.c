/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * trace: a recorded run. The allocator operations of a kernel, in recorded
 * order: the first task yields them all, since each record names its CPU;
 * others have nothing to do. Or what programs did to their memory, which is
 * workloads/program.c's. The stream is read through once before it starts, so
 * that a broken file is an error message and not a short run.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "trace/source.h"
#include "workloads/program.h"
#include "workloads/workload.h"

struct trace_state {
	struct program *program;  /* or NULL, and what follows */
	struct trace_source *source;
	struct trace_event event;
	struct diag diag;
	uint64_t nr;
};

static const char *const pace_names[] = { "recorded", "none", NULL };

static const struct option_desc trace_descs[] = {
	{ .name = "file", .type = OPTION_STRING,
	  .offset = offsetof(struct trace_workload_options, file), .def = "",
	  .unit = "path",
	  .help = "Recorded request stream, plain or zstd, or a .blt made of "
		  "one; or a .blt of buddylab record." },
	{ .name = "before", .type = OPTION_STRING,
	  .offset = offsetof(struct trace_workload_options, before), .def = "",
	  .unit = "path",
	  .help = "Snapshot taken when the recording began; the guest starts "
		  "from it." },
	{ .name = "after", .type = OPTION_STRING,
	  .offset = offsetof(struct trace_workload_options, after), .def = "",
	  .unit = "path",
	  .help = "Snapshot taken at its end, to compare with; may be left "
		  "out." },
	{ .name = "resident", .type = OPTION_SIZE,
	  .offset = offsetof(struct trace_workload_options, resident),
	  .def = "0",
	  .unit = "bytes",
	  .help = "Host-resident memory when the recording began, as the host "
		  "saw it." },
	{ .name = "pace", .type = OPTION_NAME,
	  .offset = offsetof(struct trace_workload_options, pace),
	  .names = pace_names, .def = "recorded", .unit = "",
	  .help = "Recorded programs: each operation not before its recorded "
		  "time, or as soon as the guest is ready." },
	{ .name = NULL },
};

static int open_file(struct workload *w, struct trace_source **out)
{
	const struct trace_workload_options *o = w->options;
	struct trace_state *s = w->state;

	return trace_open(out, o->file, NULL, &s->diag);
}

/*
 * 0 if every event of the file can be read, 1 if it is of programs, else the
 * reason in why.
 */
static int scan_file(struct workload *w, char *why, size_t why_size)
{
	const struct trace_workload_options *o = w->options;
	struct trace_state *s = w->state;
	struct trace_event ev = { .kind = TRACE_REQUEST };
	struct trace_source *source;
	int ret = open_file(w, &source);

	if (!ret) {
		do {
			ret = trace_next(source, &ev);
		} while (ret == 1 && ev.kind == TRACE_REQUEST);
		trace_close(source);
	}
	if (ret == 1 && ev.kind == TRACE_MEM)
		return 1;
	if (ret == 1) {
		/* What a kernel's events leave out has to be guessed. */
		snprintf(why, why_size, "%.200s holds events of a stock kernel, "
			 "neither a request stream nor a program's; 'buddylab "
			 "replay' reads it", o->file);
		return -EINVAL;
	}
	if (ret)
		snprintf(why, why_size, "%s", s->diag.last);
	return ret;
}

static int trace_prepare(struct workload *w, char *why, size_t why_size)
{
	const struct trace_workload_options *o = w->options;
	struct trace_state *s = w->state;
	int ret;

	if (!o->file[0]) {
		snprintf(why, why_size, "workload trace needs 'file = ', a "
			 "recorded request stream or program");
		return -EINVAL;
	}
	ret = scan_file(w, why, why_size);
	if (ret == 1)
		return program_open(&s->program, w, why, why_size);
	if (ret)
		return ret;
	ret = open_file(w, &s->source);
	if (ret)
		snprintf(why, why_size, "%s", s->diag.last);
	return ret;
}

static bool next_record(struct workload *w, unsigned int task,
			struct workload_op *op)
{
	struct trace_state *s = w->state;
	int ret;

	if (s->program)
		return program_next(s->program, w, task, op);
	ret = task ? 0 : trace_next(s->source, &s->event);
	if (ret < 0) {
		w->error = ret;
		w->why = s->diag.last[0] ? s->diag.last : NULL;
	}
	if (ret != 1)
		return false;
	*op = (struct workload_op){
		.kind = WORKLOAD_RECORD,
		.record = &s->event.u.req,
		.record_nr = s->nr++,
	};
	return true;
}

static void trace_cleanup(struct workload *w)
{
	struct trace_state *s = w->state;

	program_close(s->program);
	s->program = NULL;
	if (s->source)
		trace_close(s->source);
	s->source = NULL;
}

const struct workload_ops trace_workload = {
	.name = "trace",
	.summary = "a recorded run: a kernel's allocator, or programs",
	.options = { trace_descs, sizeof(struct trace_workload_options) },
	.state_size = sizeof(struct trace_state),
	.prepare = trace_prepare,
	.next = next_record,
	.cleanup = trace_cleanup,
};
