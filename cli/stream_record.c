/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The recorded side of a comparison: which task of a trace is meant, and its
 * calls. The trace is read twice, first to see who is in it, so that memory
 * holds the calls of one task only.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cli/args.h"
#include "cli/stream_diff.h"
#include "include/option.h"
#include "trace/source.h"

/* One entry of the trace's task table. */
struct candidate {
	char name[STREAM_TASK_SIZE]; /* COMM-PID */
	char comm[STREAM_TASK_SIZE];
	uint32_t pid;
	uint64_t calls;
	bool chosen;
};

struct candidates {
	struct candidate *c;         /* by task number; 0 is nobody */
	uint32_t nr;
};

static struct diag_place in_file(const char *path)
{
	return (struct diag_place){ .file = path };
}

static int out_of_memory(const char *path, struct diag *d)
{
	diag_error(d, in_file(path), "out of memory");
	return EXIT_RUNTIME;
}

static bool is_call(const struct trace_event *e)
{
	return e->kind == TRACE_ALLOC || e->kind == TRACE_FREE;
}

/* Calls of the task; new tasks get an entry. False without memory. */
static bool count_call(struct candidates *all, const struct trace_source *s,
		       uint32_t task)
{
	const struct trace_task *t;
	struct candidate *c;

	if (task >= all->nr) {
		c = realloc(all->c, (task + (size_t)1) * 2 * sizeof(*c));
		if (!c)
			return false;
		memset(&c[all->nr], 0,
		       ((task + (size_t)1) * 2 - all->nr) * sizeof(*c));
		all->c = c;
		all->nr = (task + 1) * 2;
	}
	c = &all->c[task];
	t = trace_source_task(s, task);
	if (task && !c->calls && t) {
		snprintf(c->name, sizeof(c->name), "%s-%" PRIu32, t->comm,
			 t->pid);
		snprintf(c->comm, sizeof(c->comm), "%s", t->comm);
		c->pid = t->pid;
	}
	c->calls++;
	return true;
}

typedef int (*event_fn)(void *ctx, const struct trace_source *s,
			const struct trace_event *e);

/* Every event of the file; 0 or the exit code. */
static int read_trace(const char *path, const char *kernel, struct diag *d,
		      event_fn fn, void *ctx, char named[16])
{
	const struct trace_options o = { .kernel = kernel };
	struct trace_source *s;
	struct trace_event e;
	bool broken = false;
	int ret;

	if (trace_open(&s, path, &o, d))
		return EXIT_RUNTIME;
	while ((ret = trace_next(s, &e)) != 0) {
		if (ret == -EINVAL) {
			broken = true;
			continue;
		}
		if (ret == 1)
			ret = fn(ctx, s, &e);
		if (ret)
			break;
	}
	if (trace_source_kernel(s))
		snprintf(named, 16, "%s", trace_source_kernel(s));
	trace_close(s);
	return ret || broken ? EXIT_RUNTIME : 0;
}

struct survey {
	struct candidates all;
	uint64_t nr;
	const char *path;
	struct diag *d;
};

static int survey_event(void *ctx, const struct trace_source *s,
			const struct trace_event *e)
{
	struct survey *v = ctx;

	if (!is_call(e))
		return 0;
	v->nr++;
	return count_call(&v->all, s, e->task) ? 0 :
						 out_of_memory(v->path, v->d);
}

static bool is_meant(const struct candidate *c, const char *task)
{
	uint64_t pid;

	if (!c->calls || !c->name[0])
		return false;
	return !strcmp(task, c->name) || !strcmp(task, c->comm) ||
	       (!parse_u64(task, &pid) && pid == c->pid);
}

static struct candidate *busiest(const struct candidates *all)
{
	struct candidate *best = NULL;

	for (uint32_t i = 1; i < all->nr; i++)
		if (all->c[i].name[0] && all->c[i].pid &&
		    (!best || all->c[i].calls > best->calls))
			best = &all->c[i];
	return best;
}

static int nobody(const struct survey *v, const char *task)
{
	const struct candidate *best = busiest(&v->all);

	if (!v->nr)
		diag_error(v->d, in_file(v->path), "no mm_page_alloc and no "
			   "mm_page_free in it");
	else if (!task)
		diag_error(v->d, in_file(v->path), "the trace does not say "
			   "which task made a call");
	else
		diag_error(v->d, in_file(v->path), "no calls of a task '%s'; "
			   "most are of '%s'", task, best ? best->name : "?");
	return v->nr && task ? EXIT_USAGE : EXIT_RUNTIME;
}

/* Mark who is meant: one process, under all the names it had. */
static int choose(struct survey *v, const char *task, char *name, size_t size)
{
	const struct candidate *first = NULL;

	if (!task) {
		struct candidate *best = busiest(&v->all);

		if (best)
			best->chosen = true;
		first = best;
	}
	for (uint32_t i = 1; task && i < v->all.nr; i++) {
		struct candidate *c = &v->all.c[i];

		c->chosen = is_meant(c, task);
		if (!c->chosen)
			continue;
		if (first && c->pid != first->pid) {
			diag_error(v->d, in_file(v->path), "several tasks are "
				   "called '%s', '%s' and '%s' among them; "
				   "say which", task, first->name, c->name);
			return EXIT_USAGE;
		}
		first = c;
	}
	if (!first)
		return nobody(v, task);
	snprintf(name, size, "%s", first->name);
	return 0;
}

struct collect {
	struct stream_record *r;
	struct survey *v;
};

static int collect_event(void *ctx, const struct trace_source *s,
			 const struct trace_event *e)
{
	struct collect *c = ctx;
	const bool mine = e->task < c->v->all.nr &&
			  c->v->all.c[e->task].chosen;
	const int ret = stream_put(&c->r->stream, e, mine);

	(void)s;
	if (ret == -EFBIG)
		diag_error(c->v->d, in_file(c->v->path), "more than %u calls "
			   "of one task", STREAM_MAX_CALLS);
	else if (ret)
		out_of_memory(c->v->path, c->v->d);
	return ret;
}

int stream_record_load(struct stream_record *r, const char *path,
		       const char *task, const char *kernel, struct diag *d)
{
	struct survey v = { .path = path, .d = d };
	struct collect c = { r, &v };
	int code;

	*r = (struct stream_record){ .kernel = "" };
	if (stream_init(&r->stream))
		return out_of_memory(path, d);
	code = read_trace(path, kernel, d, survey_event, &v, r->kernel);
	if (!code)
		code = choose(&v, task, r->task, sizeof(r->task));
	if (!code)
		code = read_trace(path, kernel, d, collect_event, &c,
				  r->kernel);
	free(v.all.c);
	return code;
}

void stream_record_free(struct stream_record *r)
{
	stream_free(&r->stream);
}
