/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * `buddylab info TRACE`: what a trace of any format holds. Reads all of it, so
 * that a damaged file is noticed here. docs/trace-formats.md is the reference.
 */
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/args.h"
#include "cli/commands.h"
#include "include/option.h"
#include "include/plain.h"
#include "trace/blt.h"
#include "trace/export.h"

enum { OPT_FORMAT, OPT_TASKS };

static const struct args_option options[] = {
	[OPT_FORMAT] = { "format", 0, "text|json", "default text" },
	[OPT_TASKS] = { "tasks", 0, "N",
			"show the N busiest tasks (default 10)" },
	{ NULL, 0, NULL, NULL },
};

const struct args_command command_info = {
	.name = "info",
	.synopsis = "TRACE [--format text|json]",
	.text = "Say what a trace holds: .blt, or any other format that "
		"`import` reads. All of it\n"
		"is read, and its digest checked. Exit status: 0 it is "
		"whole; 2 usage; 3 it is\n"
		"damaged, or a line of it is wrong.\n",
	.options = options,
	.example = "  buddylab info t.blt\n",
};

struct busy {
	uint64_t events;
	uint32_t task;
};

struct info_command {
	struct args args;
	const char *path;
	uint64_t show;
	bool json;
	struct trace_source *source;
	struct diag diag;
	struct busy *tasks;        /* by number, then by events */
	uint32_t nr_tasks;
	struct blt_sizes sizes;    /* frames 0: no .blt */
	char digest[DIGEST_HEX_SIZE];
	enum trace_format imported_from;
	/* Of programs: operations, and pages touched. */
	uint64_t mem_ops[TRACE_MEM_NR_OPS], touched_pages;
};

static int parse_option(void *ctx, int option)
{
	struct info_command *c = ctx;

	if (option == OPT_FORMAT) {
		c->json = c->args.choice == 1;
		return 0;
	}
	if (!parse_u64(c->args.value, &c->show))
		return 0;
	return args_error(&c->args, "tasks is \"%s\"; allowed is a number",
			  c->args.value);
}

static int count_task(struct info_command *c, uint32_t task)
{
	if (task >= c->nr_tasks) {
		const uint32_t nr = (task + 1) * 2;
		struct busy *more = realloc(c->tasks, nr * sizeof(*more));

		if (!more)
			return -ENOMEM;
		for (uint32_t i = c->nr_tasks; i < nr; i++)
			more[i] = (struct busy){ .task = i };
		c->tasks = more;
		c->nr_tasks = nr;
	}
	c->tasks[task].events++;
	return 0;
}

static void count_mem(struct info_command *c, const struct trace_event *e)
{
	if (e->kind != TRACE_MEM || e->u.mem.op >= TRACE_MEM_NR_OPS)
		return;
	c->mem_ops[e->u.mem.op]++;
	if (e->u.mem.op == TRACE_MEM_TOUCH)
		c->touched_pages += bytes_to_pages(e->u.mem.len);
}

static int compare_busy(const void *a, const void *b)
{
	const struct busy *x = a, *y = b;

	if (x->events != y->events)
		return x->events < y->events ? 1 : -1;
	return x->task < y->task ? -1 : x->task > y->task;
}

/* 0, or a negative errno after messages. */
static int read_events(struct info_command *c)
{
	struct trace_event e;
	bool wrong = false;
	int ret;

	while ((ret = trace_next(c->source, &e)) == 1 || ret == -EINVAL) {
		wrong |= ret == -EINVAL;
		if (ret == 1 && count_task(c, e.task)) {
			fputs("buddylab info: error: out of memory\n", stderr);
			return -ENOMEM;
		}
		if (ret == 1)
			count_mem(c, &e);
	}
	if (c->nr_tasks)
		qsort(c->tasks, c->nr_tasks, sizeof(*c->tasks), compare_busy);
	return ret ? ret : wrong ? -EINVAL : 0;
}

/*
 * What only a .blt has. Its tables were read once already; that they cannot be
 * read again is an error, not a trace without a digest.
 */
static int read_blt(struct info_command *c)
{
	struct blt_reader *r;
	int err;

	c->imported_from = trace_source_format(c->source);
	if (c->imported_from != TRACE_FORMAT_BLT)
		return 0;
	err = blt_open(&r, c->path, &c->diag);
	if (err)
		return err;
	blt_reader_sizes(r, &c->sizes);
	memcpy(c->digest, blt_reader_digest(r), sizeof(c->digest));
	c->imported_from = blt_reader_info(r)->source;
	blt_close(r);
	return 0;
}

static void row(const char *name, uint64_t n)
{
	if (n)
		printf("  %-26s %12" PRIu64 "\n", name, n);
}

static void print_mem(const struct info_command *c)
{
	for (unsigned int i = 0; i < TRACE_MEM_NR_OPS; i++) {
		char name[32];

		snprintf(name, sizeof(name), "  %s",
			 trace_mem_name((enum trace_mem_op)i));
		row(name, c->mem_ops[i]);
	}
	row("  pages touched", c->touched_pages);
}

static void print_kinds(const struct info_command *c,
			const struct trace_stats *s)
{
	printf("events                       %12" PRIu64 "\n", s->events);
	for (unsigned int i = 0; i < TRACE_NR_KINDS; i++)
		row(trace_kind_name((enum trace_kind)i), s->by_kind[i]);
	for (unsigned int i = 0; i < REQ_NR_KINDS; i++) {
		char name[32];

		snprintf(name, sizeof(name), "  %s",
			 req_kind_name((enum req_kind)i));
		row(name, s->requests[i]);
	}
	print_mem(c);
	printf("not events\n");
	row("lines", s->lines);
	row("lost events", s->lost);
	row("places of loss", s->lost_markers);
	row("failed allocations", s->failed_allocs);
	row("events of others", s->other_lines);
	row("times that went back", s->backwards);
	row("masks not known", s->unknown_gfp);
}

static void print_time(uint64_t first, uint64_t last)
{
	const uint64_t span = last - first;

	if (!last) {
		puts("time      no clock");
		return;
	}
	printf("time      %" PRIu64 ".%09" PRIu64 " s to %" PRIu64 ".%09"
	       PRIu64 " s: %" PRIu64 ".%09" PRIu64 " s\n",
	       first / NSEC_PER_SEC, first % NSEC_PER_SEC, last / NSEC_PER_SEC,
	       last % NSEC_PER_SEC, span / NSEC_PER_SEC, span % NSEC_PER_SEC);
}

static void print_tasks(const struct info_command *c,
			const struct trace_stats *s)
{
	printf("tasks     %u\n", s->nr_tasks ? s->nr_tasks - 1 : 0);
	for (uint32_t i = 0; i < c->nr_tasks && i < c->show; i++) {
		const struct trace_task *t =
			trace_source_task(c->source, c->tasks[i].task);

		char name[32];

		if (!c->tasks[i].events || !c->tasks[i].task)
			continue;
		plain_copy(name, sizeof(name),
			   t->comm[0] ? t->comm : "(not known)");
		printf("  %-16s %9u %12" PRIu64 "\n", name, t->pid,
		       c->tasks[i].events);
	}
}

static void print_text(const struct info_command *c)
{
	const struct trace_stats *s = trace_source_stats(c->source);
	const char *kernel = trace_source_kernel(c->source);

	printf("file      %s\n", c->path);
	printf("format    %s", trace_format_name(trace_source_format(c->source)));
	if (c->digest[0])
		printf(", from %s", trace_format_name(c->imported_from));
	printf("\nkernel    %s\n", kernel ? kernel : "not known");
	print_time(s->first_ns, s->last_ns);
	printf("CPUs      %u\n", s->nr_cpus);
	if (s->end_pfn)
		printf("pages     below %u\n", s->end_pfn);
	if (c->digest[0])
		printf("digest    %s\n"
		       "size      %" PRIu64 " bytes; records %" PRIu64
		       " in %" PRIu64 " frames, %" PRIu64 " decoded\n",
		       c->digest, c->sizes.file, c->sizes.stored,
		       c->sizes.frames, c->sizes.decoded);
	print_kinds(c, s);
	print_tasks(c, s);
}

/* JSON readers have 63 bits; a file may claim any number. */
static json_int_t json_count(uint64_t n)
{
	return n > INT64_MAX ? INT64_MAX : (json_int_t)n;
}

static json_t *kinds_json(const struct trace_stats *s)
{
	json_t *o = json_object();

	for (unsigned int i = 0; i < TRACE_NR_KINDS; i++)
		json_object_set_new(o, trace_kind_name((enum trace_kind)i),
				    json_integer((json_int_t)s->by_kind[i]));
	return o;
}

static json_t *mem_json(const struct info_command *c)
{
	json_t *o = json_object();

	for (unsigned int i = 0; i < TRACE_MEM_NR_OPS; i++)
		json_object_set_new(o, trace_mem_name((enum trace_mem_op)i),
				    json_integer((json_int_t)c->mem_ops[i]));
	json_object_set_new(o, "touched_pages",
			    json_integer(json_count(c->touched_pages)));
	return o;
}

static json_t *requests_json(const struct trace_stats *s)
{
	json_t *o = json_object();

	for (unsigned int i = 0; i < REQ_NR_KINDS; i++)
		json_object_set_new(o, req_kind_name((enum req_kind)i),
				    json_integer((json_int_t)s->requests[i]));
	return o;
}

/* A name may be any bytes, JSON may not. */
static json_t *name_json(const char *name)
{
	json_t *o = json_string(name);
	char ascii[256];
	size_t i;

	if (o)
		return o;
	for (i = 0; name[i] && i < sizeof(ascii) - 1; i++)
		ascii[i] = name[i] & 0x80 ? '?' : name[i];
	ascii[i] = '\0';
	return json_string(ascii);
}

static json_t *tasks_json(const struct info_command *c)
{
	json_t *list = json_array();

	for (uint32_t i = 0; i < c->nr_tasks && i < c->show; i++) {
		const struct trace_task *t =
			trace_source_task(c->source, c->tasks[i].task);

		if (!c->tasks[i].events || !c->tasks[i].task)
			continue;
		json_array_append_new(list,
			json_pack("{s:o, s:I, s:I}", "comm",
				  name_json(t->comm), "pid",
				  (json_int_t)t->pid, "events",
				  (json_int_t)c->tasks[i].events));
	}
	return list;
}

static json_t *blt_json(const struct info_command *c)
{
	if (!c->digest[0])
		return json_null();
	return json_pack("{s:s, s:s, s:I, s:I, s:I, s:I}", "source",
			 trace_format_name(c->imported_from), "digest",
			 c->digest, "bytes", (json_int_t)c->sizes.file,
			 "frames", (json_int_t)c->sizes.frames, "stored",
			 (json_int_t)c->sizes.stored, "decoded",
			 (json_int_t)c->sizes.decoded);
}

static json_t *counts_json(const struct trace_stats *s)
{
	return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I}",
			 "lines", (json_int_t)s->lines,
			 "lost", json_count(s->lost),
			 "lost_markers", (json_int_t)s->lost_markers,
			 "failed_allocs", (json_int_t)s->failed_allocs,
			 "other_lines", (json_int_t)s->other_lines,
			 "backwards", (json_int_t)s->backwards,
			 "unknown_gfp", (json_int_t)s->unknown_gfp);
}

static int print_json(const struct info_command *c)
{
	const struct trace_stats *s = trace_source_stats(c->source);
	json_t *o = json_pack("{s:o, s:s, s:s?, s:I, s:I, s:I, s:i, s:i, s:I,"
			      " s:o, s:o, s:o, s:o, s:o, s:o}",
			      "file", name_json(c->path), "format",
			      trace_format_name(trace_source_format(c->source)),
			      "kernel", trace_source_kernel(c->source),
			      "events", (json_int_t)s->events,
			      "first_ns", json_count(s->first_ns),
			      "last_ns", json_count(s->last_ns),
			      "cpus", (int)s->nr_cpus,
			      "tasks", s->nr_tasks ? (int)s->nr_tasks - 1 : 0,
			      "end_pfn", (json_int_t)s->end_pfn,
			      "by_kind", kinds_json(s),
			      "requests", requests_json(s),
			      "memory", mem_json(c),
			      "counts", counts_json(s),
			      "blt", blt_json(c), "busiest", tasks_json(c));
	int err;

	if (!o) {
		fputs("buddylab info: error: out of memory\n", stderr);
		return -ENOMEM;
	}
	err = json_dumpf(o, stdout, JSON_INDENT(2)) ? -EIO : 0;
	/* Of standard output main() speaks. */
	if (err && !ferror(stdout))
		fputs("buddylab info: error: out of memory\n", stderr);
	putchar('\n');
	json_decref(o);
	return err;
}

int cmd_info(int argc, char **argv)
{
	struct info_command c = { .show = 10, .diag = { .out = stderr } };
	int code, err;

	args_init(&c.args, &command_info, argc, argv);
	code = args_one_word(&c.args, parse_option, &c, "trace", &c.path);
	if (code != ARGS_END)
		return code;
	if (trace_open(&c.source, c.path, NULL, &c.diag))
		return EXIT_RUNTIME;
	err = read_events(&c);
	if (!err)
		err = read_blt(&c);
	if (!err && c.json)
		err = print_json(&c);
	else if (!err)
		print_text(&c);
	trace_close(c.source);
	free(c.tasks);
	return err ? EXIT_RUNTIME : EXIT_FINE;
}
