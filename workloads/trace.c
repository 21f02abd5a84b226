/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * trace: the allocator operations of a recorded run, in recorded order. The
 * first task yields them all, since each record names its CPU; others have
 * nothing to do. The stream is read through once before it starts, so that a
 * broken file is an error message and not a short run.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "trace/request.h"
#include "workloads/workload.h"

struct trace_state {
	struct req_stream *stream;
	struct req_record record;
	struct diag diag;
	uint64_t nr;
};

static const struct option_desc trace_descs[] = {
	{ .name = "file", .type = OPTION_STRING,
	  .offset = offsetof(struct trace_workload_options, file), .def = "",
	  .unit = "path",
	  .help = "Recorded request stream, plain or zstd." },
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
	{ .name = NULL },
};

/* 0 if every record of the file can be read, else the reason in why. */
static int trace_scan(struct workload *w, char *why, size_t why_size)
{
	const struct trace_workload_options *o = w->options;
	struct trace_state *s = w->state;
	struct req_stream *stream;
	struct req_record rec;
	int ret = req_open(&stream, o->file, NULL, &s->diag);

	if (!ret) {
		do {
			ret = req_next(stream, &rec);
		} while (ret == 1);
		req_close(stream);
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
			 "recorded request stream");
		return -EINVAL;
	}
	ret = trace_scan(w, why, why_size);
	if (ret)
		return ret;
	ret = req_open(&s->stream, o->file, NULL, &s->diag);
	if (ret)
		snprintf(why, why_size, "%s", s->diag.last);
	return ret;
}

static bool trace_next(struct workload *w, unsigned int task,
		       struct workload_op *op)
{
	struct trace_state *s = w->state;

	if (task != 0 || req_next(s->stream, &s->record) != 1)
		return false;
	*op = (struct workload_op){
		.kind = WORKLOAD_RECORD,
		.record = &s->record,
		.record_nr = s->nr++,
	};
	return true;
}

static void trace_cleanup(struct workload *w)
{
	struct trace_state *s = w->state;

	req_close(s->stream);
	s->stream = NULL;
}

const struct workload_ops trace_workload = {
	.name = "trace",
	.summary = "allocator operations of a recorded run, in their order",
	.options = { trace_descs, sizeof(struct trace_workload_options) },
	.state_size = sizeof(struct trace_state),
	.prepare = trace_prepare,
	.next = trace_next,
	.cleanup = trace_cleanup,
};
