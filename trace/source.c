/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A trace of any format as one stream: opening by content, one switch per
 * event, and the statistics that all formats share. Memory is the reader's
 * buffers and the task table, whatever the size of the file.
 */
#define _GNU_SOURCE
#include "trace/source.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "trace/blt.h"
#include "trace/importer.h"

#define DAT_MAGIC "\x17\x08\x44tracing"

/*
 * AUTO for text. What cannot be read twice (a pipe) is text, and is not opened
 * here: closing a named pipe again would end its writer.
 */
static enum trace_format binary_format(const char *path)
{
	char head[BLT_DETECT_BYTES] = { 0 };
	const bool named = strcmp(path, "-") != 0;
	struct stat st;
	ssize_t n;
	int fd;

	if ((named ? stat(path, &st) : fstat(STDIN_FILENO, &st)) ||
	    !S_ISREG(st.st_mode))
		return TRACE_FORMAT_AUTO;
	fd = named ? open(path, O_RDONLY | O_CLOEXEC) : STDIN_FILENO;
	if (fd < 0)
		return TRACE_FORMAT_AUTO; /* the reader says why */
	n = pread(fd, head, sizeof(head), 0);
	if (named)
		close(fd);
	if (n > 0 && blt_detect(head, (size_t)n))
		return TRACE_FORMAT_BLT;
	if (n >= (ssize_t)strlen(DAT_MAGIC) &&
	    !memcmp(head, DAT_MAGIC, strlen(DAT_MAGIC)))
		return TRACE_FORMAT_TRACE_DAT;
	return TRACE_FORMAT_AUTO;
}

static int open_text(struct trace_source *s, const struct trace_options *o)
{
	int err = line_reader_open(&s->reader, s->path, s->diag);

	if (!err)
		err = source_detect(s, &s->format);
	if (!err && s->format == TRACE_FORMAT_REQUEST) {
		err = req_open_reader(&s->req, s->reader, s->path, &o->limits,
				      s->diag);
		if (!err)
			s->reader = NULL;
	}
	return err;
}

static int open_format(struct trace_source *s, const struct trace_options *o)
{
	int err;

	s->format = o->format;
	if (s->format == TRACE_FORMAT_AUTO)
		s->format = binary_format(s->path);
	if (s->format == TRACE_FORMAT_BLT) {
		err = blt_open(&s->blt, s->path, s->diag);
		if (!err)
			blt_set_limits(s->blt, &o->limits);
	} else if (s->format == TRACE_FORMAT_TRACE_DAT) {
		err = dat_open(&s->dat, s);
	} else {
		err = open_text(s, o);
	}
	s->release = o->kernel ? o->kernel :
		     s->file_release[0] ? s->file_release : NULL;
	return err;
}

int trace_open(struct trace_source **out, const char *path,
	       const struct trace_options *o, struct diag *d)
{
	static const struct trace_options none;
	struct trace_source *s = calloc(1, sizeof(*s));
	int err = s ? tasks_init(&s->tasks) : -ENOMEM;

	*out = NULL;
	if (err) {
		diag_error(d, (struct diag_place){ .file = path },
			   "out of memory");
		trace_close(s);
		return err;
	}
	s->path = s->f.file = path;
	s->diag = s->f.diag = d;
	err = open_format(s, o ? o : &none);
	if (err) {
		trace_close(s);
		return err;
	}
	s->stats.nr_tasks = 1;
	*out = s;
	return 0;
}

void trace_close(struct trace_source *s)
{
	if (!s)
		return;
	req_close(s->req);
	blt_close(s->blt);
	line_reader_close(s->reader);
	dat_close(s->dat);
	tasks_destroy(&s->tasks);
	free(s);
}

static void count_page(struct trace_stats *st, pfn_t pfn, unsigned int order)
{
	if (pfn != PFN_NONE && pfn + order_nr_pages(order) > st->end_pfn)
		st->end_pfn = pfn + order_nr_pages(order);
}

static void count_kind(struct trace_stats *st, const struct trace_event *e)
{
	switch (e->kind) {
	case TRACE_REQUEST:
		st->requests[e->u.req.kind]++;
		st->failed_allocs += e->u.req.pfn == PFN_NONE;
		count_page(st, e->u.req.pfn, e->u.req.order);
		break;
	case TRACE_LOST:
		st->lost_markers++;
		if (__builtin_add_overflow(st->lost, e->u.lost, &st->lost))
			st->lost = UINT64_MAX;
		break;
	case TRACE_MEM:
		break;
	default:
		st->failed_allocs += e->kind == TRACE_ALLOC &&
				     e->u.kmem.pfn == PFN_NONE;
		count_page(st, e->u.kmem.pfn, e->u.kmem.order);
	}
}

/* A loss has no time of its own. */
static void count_time(struct trace_source *s, const struct trace_event *e)
{
	struct trace_stats *st = &s->stats;

	if (!e->ns || e->kind == TRACE_LOST)
		return;
	st->backwards += e->ns < s->last_ns;
	s->last_ns = e->ns;
	if (!st->first_ns || e->ns < st->first_ns)
		st->first_ns = e->ns;
	if (e->ns > st->last_ns)
		st->last_ns = e->ns;
}

static void count_event(struct trace_source *s, const struct trace_event *e)
{
	struct trace_stats *st = &s->stats;

	st->events++;
	st->by_kind[e->kind]++;
	count_time(s, e);
	if (e->cpu >= st->nr_cpus)
		st->nr_cpus = e->cpu + 1u;
	st->nr_tasks = s->tasks.nr;
	count_kind(st, e);
}

static int next_request(struct trace_source *s, struct trace_event *out)
{
	const int ret = req_next(s->req, &out->u.req);

	s->stats.lines = req_line(s->req);
	if (ret != 1)
		return ret;
	out->ns = 0;
	out->task = 0;
	out->line = req_line(s->req);
	out->cpu = out->u.req.cpu;
	out->kind = TRACE_REQUEST;
	return 1;
}

static int parse_line(struct trace_source *s, struct trace_event *out)
{
	switch (s->format) {
	case TRACE_FORMAT_PERF:
		return perf_line(s, out);
	case TRACE_FORMAT_BPFTRACE:
		return bpftrace_line(s, out);
	default:
		return ftrace_line(s, out);
	}
}

static int next_text(struct trace_source *s, struct trace_event *out)
{
	struct line line;
	int ret;

	while ((ret = line_reader_next(s->reader, &line)) == 1) {
		s->stats.lines++;
		fields_start(&s->f, &line);
		ret = parse_line(s, out);
		if (ret)
			return ret;
	}
	/* -EINVAL from here means "go on"; a reader that failed cannot. */
	return ret == -EINVAL ? -EBADMSG : ret;
}

int trace_next(struct trace_source *s, struct trace_event *out)
{
	int ret;

	if (s->blt)         /* which has counted them before */
		return blt_next(s->blt, out);
	if (s->error)
		return s->error;
	if (s->req)
		ret = next_request(s, out);
	else if (s->dat)
		ret = dat_next(s->dat, out);
	else
		ret = next_text(s, out);
	if (ret == 1)
		count_event(s, out);
	else if (ret < 0 && ret != -EINVAL)
		s->error = ret;
	return ret;
}

enum trace_format trace_source_format(const struct trace_source *s)
{
	return s->format;
}

const char *trace_source_kernel(const struct trace_source *s)
{
	if (s->blt)
		return blt_reader_info(s->blt)->kernel;
	return s->file_release[0] ? release_profile(s->file_release) : NULL;
}

const struct trace_stats *trace_source_stats(const struct trace_source *s)
{
	return s->blt ? blt_reader_stats(s->blt) : &s->stats;
}

const struct trace_task *trace_source_task(const struct trace_source *s,
					   uint32_t task)
{
	return s->blt ? blt_reader_task(s->blt, task) :
			tasks_get(&s->tasks, task);
}

struct blt_reader *trace_source_blt(struct trace_source *s)
{
	return s->blt;
}
