/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A trace of any format as one pulled stream of events. The format is told
 * from the content, never from the name; zstd is undone on the way.
 */
#ifndef TRACE_SOURCE_H
#define TRACE_SOURCE_H

#include "include/diag.h"
#include "trace/event.h"

enum trace_format {
	TRACE_FORMAT_AUTO,
	TRACE_FORMAT_REQUEST,   /* request stream, docs/replay.md */
	TRACE_FORMAT_BLT,       /* our own, docs/trace-formats.md */
	TRACE_FORMAT_PERF,      /* text of perf script */
	TRACE_FORMAT_FTRACE,    /* tracefs `trace`, and trace-cmd report */
	TRACE_FORMAT_BPFTRACE,  /* lines of the script that ships */
	TRACE_FORMAT_RECORDER,  /* COMM-PID [CPU] dhk SEC.USEC: EVENT: ... */
	TRACE_FORMAT_TRACE_DAT, /* binary of trace-cmd, through libtracecmd */
	TRACE_NR_FORMATS,
};

struct trace_options {
	enum trace_format format;
	/* Profile whose gfp bits raw masks have; NULL = 6.1 or what the file
	 * says. Names need no profile. */
	const char *kernel;
	struct req_limits limits; /* request streams; all 0 = of the format */
};

/* Counted by the reader; docs/trace-formats.md states the rule for each. */
struct trace_stats {
	uint64_t lines;            /* or records of a binary file */
	uint64_t events;
	uint64_t by_kind[TRACE_NR_KINDS];
	uint64_t requests[REQ_NR_KINDS];
	uint64_t lost;             /* events that the recorder says it lost */
	uint64_t lost_markers;
	uint64_t failed_allocs;    /* allocations with no page */
	uint64_t other_lines;      /* events that are not the allocator's */
	uint64_t backwards;        /* time stamps that went back */
	uint64_t unknown_gfp;      /* masks with names or bits not known */
	uint64_t first_ns, last_ns;
	uint32_t nr_cpus;          /* highest CPU seen + 1 */
	uint32_t nr_tasks;         /* of the task table, with number 0 */
	pfn_t end_pfn;             /* highest page seen + 1 */
};

struct trace_task {
	uint32_t pid;
	const char *comm;          /* "" = not known */
};

struct trace_source;

/* 0, or a negative errno after messages on `d`. `path` and `d` must outlive
 * the source; "-" is standard input (not for TRACE_DAT). -EOPNOTSUPP: this
 * build cannot read the format. */
int trace_open(struct trace_source **out, const char *path,
	       const struct trace_options *o, struct diag *d);
void trace_close(struct trace_source *s);
/* 1 and the next event; 0 at the end; -EINVAL: this line is wrong and was
 * reported, calling on reads the next one; any other negative errno: nothing
 * more can be read. */
int trace_next(struct trace_source *s, struct trace_event *out);

enum trace_format trace_source_format(const struct trace_source *s);
/* Profile that the file names, or NULL. */
const char *trace_source_kernel(const struct trace_source *s);
/* So far; complete once trace_next() returned 0. */
const struct trace_stats *trace_source_stats(const struct trace_source *s);
/* Valid for the numbers of events handed out; lives as long as the source. */
const struct trace_task *trace_source_task(const struct trace_source *s,
					   uint32_t task);

struct blt_reader;

/* The reader of a .blt, for who takes its records in another way than
 * trace_next(); NULL for other formats. */
struct blt_reader *trace_source_blt(struct trace_source *s);

/* "perf", "ftrace", ...; NULL-ended list of the names; -1 = no such name. */
const char *trace_format_name(enum trace_format f);
int trace_format_find(const char *name);

#endif
