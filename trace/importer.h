/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the readers of text formats share: the state of an open source and the
 * pieces of a line. Only the importers of trace/ include this.
 */
#ifndef TRACE_IMPORTER_H
#define TRACE_IMPORTER_H

#include <string.h>

#include "trace/fields.h"
#include "trace/gfp.h"
#include "trace/scan.h"
#include "trace/source.h"
#include "trace/tasks.h"

/* Masks as text, read before: a trace has few different ones. */
#define GFP_CACHE_SLOTS 128u
#define GFP_CACHE_BYTES 112u

struct gfp_cache_slot {
	uint32_t mask;
	bool unknown;
	uint8_t len;                /* 0 = empty */
	char text[GFP_CACHE_BYTES];
};

/* The task of the line before: most lines have the same again. */
struct task_memo {
	uint32_t pid, task;
	size_t len;
	char comm[TASK_COMM_BYTES];
};

struct blt_reader;
struct dat_reader;

struct trace_source {
	const char *path;
	struct diag *diag;
	enum trace_format format;
	int error;                  /* final result once negative */
	/* Release whose bits raw masks have; NULL = 6.1. */
	const char *release;
	char file_release[64];      /* as the file says; "" = it does not */
	bool warned;                /* that the task table is full */
	struct trace_stats stats;
	struct task_table tasks;
	struct task_memo memo;
	struct gfp_cache_slot gfp_cache[GFP_CACHE_SLOTS];
	struct fields f;            /* the line being read */
	uint64_t last_ns;
	struct line_reader *reader; /* text, also under `req` */
	struct req_stream *req;     /* REQUEST */
	struct blt_reader *blt;     /* BLT */
	struct dat_reader *dat;     /* TRACE_DAT */
};

/* What stands before the fields of an event, in any text format. */
struct event_head {
	const char *comm;
	size_t comm_len;
	const char *cpu_text;       /* for messages */
	uint64_t ns;
	uint32_t pid;
	uint32_t cpu;
	const char *flags;          /* column of the context; NULL = none */
	size_t flags_len;
	const char *event;          /* what follows the time */
};

/*
 * The next "[digits]" from *at on, which may be the CPU: the place of its
 * bracket, and *at behind it; NULL if there is none.
 */
static inline const char *next_cpu(const char **at, struct event_head *h)
{
	const char *p = *at;

	while ((p = strchr(p, '[')) != NULL) {
		const char *bracket = p++;
		uint64_t cpu;
		const char *end = scan_decimal(p, &cpu);

		if (!end || *end != ']' || cpu > INT32_MAX)
			continue;
		h->cpu = (uint32_t)cpu;
		h->cpu_text = p;
		*at = end + 1;
		return bracket;
	}
	return NULL;
}

/*
 * One line, by format: 1 and an event, 0 if it holds none (counted, if that is
 * the rule), or -EINVAL after a message, or -ENOMEM.
 */
int perf_line(struct trace_source *s, struct trace_event *out);
int ftrace_line(struct trace_source *s, struct trace_event *out);
int bpftrace_line(struct trace_source *s, struct trace_event *out);

/* The format by the first bytes, read ahead of `reader`; AUTO after a message
 * if there is none. Fills file_release in passing. */
int source_detect(struct trace_source *s, enum trace_format *out);
/* Is this line surely of that format? No messages. */
bool perf_detect(const char *text);
/* FTRACE or RECORDER, or AUTO for no. */
enum trace_format ftrace_detect(const char *text);
bool bpftrace_detect(const char *text);
bool request_detect(const char *text);

/* "NAME: key=value..." behind the head. */
int kmem_event(struct trace_source *s, const struct event_head *h,
	       struct trace_event *out);
/* One number of any format, checked for its range. */
pfn_t kmem_pfn(struct trace_source *s, uint64_t value, bool may_fail);
/* Time, task, CPU and line of an event whose rest is read. 1, -EINVAL or
 * -ENOMEM. */
int event_finish(struct trace_source *s, const struct event_head *h,
		 struct trace_event *out);
/* Does a block of this order begin at this page? Message if not. */
void event_check_block(struct trace_source *s, const struct trace_event *e);
/* `events` lost on `cpu`, 0 = an unknown number. Returns 1. */
int lost_event(struct trace_source *s, uint32_t cpu, uint64_t events,
	       struct trace_event *out);
/* Mask from the text of a line, through the cache; counts unknown ones. */
uint32_t gfp_text(struct trace_source *s, const char *text, size_t len);

/* Profile of this name among the releases that the project has, or NULL. */
const char *release_profile(const char *release);

/* trace.dat; without the library, opening is -EOPNOTSUPP. */
int dat_open(struct dat_reader **out, struct trace_source *s);
int dat_next(struct dat_reader *r, struct trace_event *out);
void dat_close(struct dat_reader *r);

#endif
