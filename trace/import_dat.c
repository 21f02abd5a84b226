/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * trace.dat of trace-cmd, through libtracecmd: the events of all CPUs and all
 * buffer instances, merged by time. Fields are read by name. GFP masks go
 * through the names in the file's own description of the event, so no release
 * need be known. Leaves out guest and host files that belong together.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <trace-cmd.h>
#include <unistd.h>

#include "include/guard.h"
#include "trace/importer.h"

#define MAX_BUFFERS 64
#define GFP_SLOTS 64u

enum dat_field {
	DAT_PFN, DAT_ORDER, DAT_GFP, DAT_MT, DAT_REFILL, DAT_ALLOC_ORDER,
	DAT_FALLBACK_ORDER, DAT_ALLOC_MT, DAT_FALLBACK_MT, DAT_CHANGE,
	DAT_NR_FIELDS,
};

static const char *const field_names[DAT_NR_FIELDS] = {
	[DAT_PFN] = "pfn", [DAT_ORDER] = "order", [DAT_GFP] = "gfp_flags",
	[DAT_MT] = "migratetype", [DAT_REFILL] = "percpu_refill",
	[DAT_ALLOC_ORDER] = "alloc_order",
	[DAT_FALLBACK_ORDER] = "fallback_order",
	[DAT_ALLOC_MT] = "alloc_migratetype",
	[DAT_FALLBACK_MT] = "fallback_migratetype",
	[DAT_CHANGE] = "change_ownership",
};

#define BIT(field) (1u << (field))

static const struct {
	const char *name;
	enum trace_kind kind;
	unsigned int needs;
} dat_kinds[] = {
	{ "mm_page_alloc", TRACE_ALLOC,
	  BIT(DAT_PFN) | BIT(DAT_ORDER) | BIT(DAT_GFP) | BIT(DAT_MT) },
	{ "mm_page_free", TRACE_FREE, BIT(DAT_PFN) | BIT(DAT_ORDER) },
	{ "mm_page_free_batched", TRACE_FREE_BATCHED, BIT(DAT_PFN) },
	{ "mm_page_alloc_zone_locked", TRACE_ZONE_LOCKED,
	  BIT(DAT_PFN) | BIT(DAT_ORDER) | BIT(DAT_MT) },
	{ "mm_page_pcpu_drain", TRACE_PCPU_DRAIN,
	  BIT(DAT_PFN) | BIT(DAT_ORDER) | BIT(DAT_MT) },
	{ "mm_page_alloc_extfrag", TRACE_EXTFRAG,
	  BIT(DAT_PFN) | BIT(DAT_ALLOC_ORDER) | BIT(DAT_FALLBACK_ORDER) |
	  BIT(DAT_ALLOC_MT) | BIT(DAT_FALLBACK_MT) | BIT(DAT_CHANGE) },
};

#define NR_KINDS ARRAY_SIZE(dat_kinds)

struct dat_event {
	struct tep_event *event;    /* NULL: not in this file */
	struct tep_format_field *fields[DAT_NR_FIELDS];
};

/* The records of one CPU in one buffer; the next one is in hand. */
struct dat_stream {
	struct tracecmd_input *input;
	int cpu;
	unsigned int number;        /* decides between equal times */
	struct tep_record *next;
};

struct dat_reader {
	struct trace_source *s;
	struct tracecmd_input *file;
	struct tep_handle *tep;
	struct tracecmd_input *instances[MAX_BUFFERS];
	int nr_instances;
	struct dat_event events[NR_KINDS];
	struct dat_stream *heap;    /* earliest first */
	unsigned int nr_streams;
	bool told_lost;             /* of the first record */
	struct {
		bool used, unknown;
		uint64_t raw;
		uint32_t mask;
	} gfp[GFP_SLOTS];
	char place[2];              /* so that messages have no column */
};

static int fail(struct trace_source *s, int err, const char *why)
{
	diag_error(s->diag, (struct diag_place){ .file = s->path }, "%s", why);
	return err;
}

static bool earlier(const struct dat_stream *a, const struct dat_stream *b)
{
	return a->next->ts != b->next->ts ? a->next->ts < b->next->ts :
					    a->number < b->number;
}

static void sink(struct dat_reader *r, unsigned int i)
{
	for (;;) {
		unsigned int least = i;

		for (unsigned int c = 2 * i + 1; c <= 2 * i + 2; c++)
			if (c < r->nr_streams &&
			    earlier(&r->heap[c], &r->heap[least]))
				least = c;
		if (least == i)
			return;

		const struct dat_stream moved = r->heap[i];

		r->heap[i] = r->heap[least];
		r->heap[least] = moved;
		i = least;
	}
}

static void add_streams(struct dat_reader *r, struct tracecmd_input *input,
			int nr_cpus)
{
	for (int cpu = 0; cpu < nr_cpus; cpu++) {
		struct dat_stream *st = &r->heap[r->nr_streams];

		*st = (struct dat_stream){
			.input = input,
			.cpu = cpu,
			.number = r->nr_streams,
			.next = tracecmd_read_cpu_first(input, cpu),
		};
		if (st->next)
			r->nr_streams++;
	}
}

static int open_streams(struct dat_reader *r)
{
	int nr_cpus = tep_get_cpus(r->tep);
	int nr = tracecmd_buffer_instances(r->file);

	if (nr_cpus < 1 || nr_cpus > (int)TRACE_MAX_CPUS || nr < 0 ||
	    nr > MAX_BUFFERS)
		return fail(r->s, -EBADMSG, "more CPUs or buffer instances "
			    "than can be; is the file damaged?");
	r->heap = calloc((size_t)nr_cpus * (size_t)(nr + 1), sizeof(*r->heap));
	if (!r->heap)
		return fail(r->s, -ENOMEM, "out of memory");
	add_streams(r, r->file, nr_cpus);
	for (int i = 0; i < nr; i++) {
		struct tracecmd_input *input =
			tracecmd_buffer_instance_handle(r->file, i);

		if (!input)
			return fail(r->s, -EBADMSG,
				    "a buffer instance cannot be read");
		r->instances[r->nr_instances++] = input;
		add_streams(r, input, nr_cpus);
	}
	for (unsigned int i = r->nr_streams / 2; i-- > 0;)
		sink(r, i);
	return 0;
}

static int find_events(struct dat_reader *r)
{
	bool any = false;

	for (size_t i = 0; i < NR_KINDS; i++) {
		struct dat_event *e = &r->events[i];

		e->event = tep_find_event_by_name(r->tep, "kmem",
						  dat_kinds[i].name);
		for (int f = 0; e->event && f < DAT_NR_FIELDS; f++) {
			e->fields[f] = tep_find_field(e->event, field_names[f]);
			if (!e->fields[f] && dat_kinds[i].needs & BIT(f))
				return fail(r->s, -EBADMSG, "an event "
					    "kmem:mm_page_* lacks a field");
		}
		any |= e->event != NULL;
	}
	return any ? 0 : fail(r->s, -EBADMSG,
			      "the file describes no kmem:mm_page_* event");
}

static int open_file(struct dat_reader *r)
{
	struct trace_source *s = r->s;
	int err;

	s->f.line.text = s->f.at = r->place + 1;
	tracecmd_set_loglevel(TEP_LOG_NONE);
	tep_set_loglevel(TEP_LOG_NONE);
	/* Its plugins are shared objects that nobody has named. */
	r->file = tracecmd_open(s->path, TRACECMD_FL_LOAD_NO_PLUGINS);
	if (!r->file)
		return fail(s, -EBADMSG, "libtracecmd cannot read this file; "
			    "it is damaged, cut short or newer than the "
			    "library");
	r->tep = tracecmd_get_tep(r->file);
	err = find_events(r);
	return err ? err : open_streams(r);
}

static int open_reader(struct dat_reader **out, struct trace_source *s)
{
	struct dat_reader *r = calloc(1, sizeof(*r));

	*out = r;
	if (!r)
		return fail(s, -ENOMEM, "out of memory");
	r->s = s;
	return open_file(r);
}

/* All of the file, for nothing but to see whether the library survives it. */
static void try_file(struct trace_source *s)
{
	const struct rlimit no_core = { 0, 0 };
	struct dat_reader *r;
	struct trace_event e;
	int ret;

	/* Whoever called us may catch what ends this process. */
	signal(SIGSEGV, SIG_DFL);
	signal(SIGABRT, SIG_DFL);
	signal(SIGBUS, SIG_DFL);
	setrlimit(RLIMIT_CORE, &no_core);
	s->diag->out = NULL;
	if (!open_reader(&r, s))
		do {
			ret = dat_next(r, &e);
		} while (ret == 1 || ret == -EINVAL);
	_exit(0);
}

/*
 * The library trusts what it reads: with one byte of an event's description
 * wrong, libtraceevent 1.7.1 recurses until its stack is gone. A process of
 * its own reads the file before this one does.
 */
static int check_file(struct trace_source *s)
{
	int status = 1;
	pid_t pid;

	pid = guard_fork();
	if (pid < 0)
		return fail(s, -errno, "cannot start a process");
	if (!pid)
		try_file(s);
	guard_wait(pid, &status);
	if (WIFEXITED(status) && !WEXITSTATUS(status))
		return 0;
	return fail(s, -EBADMSG, "libtracecmd fails on this file; it is "
		    "damaged");
}

int dat_open(struct dat_reader **out, struct trace_source *s)
{
	int err;

	*out = NULL;
	if (!strcmp(s->path, "-"))
		return fail(s, -ESPIPE, "trace.dat is not read from standard "
			    "input; name the file");
	err = check_file(s);
	return err ? err : open_reader(out, s);
}

void dat_close(struct dat_reader *r)
{
	if (!r)
		return;
	for (unsigned int i = 0; i < r->nr_streams; i++)
		tracecmd_free_record(r->heap[i].next);
	free(r->heap);
	for (int i = 0; i < r->nr_instances; i++)
		tracecmd_close(r->instances[i]);
	if (r->file)
		tracecmd_close(r->file);
	free(r);
}

/* The mask as the file's own description of the event spells it. */
static uint32_t print_gfp(struct dat_reader *r, struct tep_record *record,
			  uint64_t raw, struct gfp_rest *rest)
{
	uint32_t mask = gfp_from_raw(raw, r->s->release, rest);
	const char *p, *end;
	struct trace_seq seq;

	trace_seq_init(&seq);
	tep_print_event(r->tep, &seq, record, "%s", TEP_PRINT_INFO);
	trace_seq_terminate(&seq);
	p = seq.state == TRACE_SEQ__GOOD && !strstr(seq.buffer, "FAILED") ?
	    strstr(seq.buffer, "gfp_flags=") : NULL;
	if (p) {
		p += strlen("gfp_flags=");
		end = p + strcspn(p, " \t\n");
		mask = gfp_parse(p, (size_t)(end - p), r->s->release, rest);
	}
	trace_seq_destroy(&seq);
	return mask;
}

static uint32_t read_gfp(struct dat_reader *r, struct tep_record *record,
			 uint64_t raw)
{
	const uint64_t hash = raw * UINT64_C(0x9e3779b97f4a7c15);
	const unsigned int i = (unsigned int)(hash >> 32) % GFP_SLOTS;

	if (!r->gfp[i].used || r->gfp[i].raw != raw) {
		struct gfp_rest rest;

		r->gfp[i].mask = print_gfp(r, record, raw, &rest);
		r->gfp[i].unknown = rest.unknown;
		r->gfp[i].raw = raw;
		r->gfp[i].used = true;
	}
	r->s->stats.unknown_gfp += r->gfp[i].unknown;
	return r->gfp[i].mask;
}

/* A field, 0 if the event has none of this name. */
static uint64_t number(struct dat_reader *r, const struct dat_event *e,
		       struct tep_record *record, enum dat_field field,
		       uint64_t max)
{
	struct tep_format_field *f = e->fields[field];
	unsigned long long v = 0;

	if (!f)
		return 0;
	/* The library trusts the record to be as long as it should. */
	if (f->offset < 0 || f->size < 0 ||
	    f->offset + f->size > record->size ||
	    tep_read_number_field(f, record->data, &v)) {
		fields_error(&r->s->f, "%s cannot be read",
			     field_names[field]);
		return 0;
	}
	if (v > max)
		fields_error(&r->s->f, "%s is %llu; allowed is a number from "
			     "0 to %llu", field_names[field], v,
			     (unsigned long long)max);
	return v <= max ? v : 0;
}

static void read_event(struct dat_reader *r, const struct dat_event *e,
		       struct tep_record *record, struct trace_event *out)
{
	const bool extfrag = out->kind == TRACE_EXTFRAG;
	struct trace_kmem *k = &out->u.kmem;

	k->pfn = kmem_pfn(r->s, number(r, e, record, DAT_PFN, UINT64_MAX),
			  out->kind == TRACE_ALLOC ||
			  out->kind == TRACE_ZONE_LOCKED);
	k->order = (uint8_t)number(r, e, record, extfrag ? DAT_ALLOC_ORDER :
				   DAT_ORDER, MAX_PAGE_ORDER);
	k->mt = (uint8_t)number(r, e, record, extfrag ? DAT_ALLOC_MT : DAT_MT,
				TRACE_MAX_TYPES - 1);
	k->fallback_order = (uint8_t)number(r, e, record, DAT_FALLBACK_ORDER,
					    MAX_PAGE_ORDER);
	k->fallback_mt = (uint8_t)number(r, e, record, DAT_FALLBACK_MT,
					 TRACE_MAX_TYPES - 1);
	k->change_ownership = number(r, e, record, DAT_CHANGE, 1) != 0;
	k->refill = number(r, e, record, DAT_REFILL, 1) != 0;
	/* 5.x stores no percpu_refill, and prints this in its place. */
	if (out->kind == TRACE_ZONE_LOCKED && !e->fields[DAT_REFILL])
		k->refill = k->order == 0;
	if (e->fields[DAT_GFP])
		k->gfp = read_gfp(r, record, number(r, e, record, DAT_GFP,
						    UINT64_MAX));
}

/* 1, 0 for an event of others, or -EINVAL. */
static int take_record(struct dat_reader *r, const struct dat_stream *st,
		       struct trace_event *out)
{
	const int type = tep_data_type(r->tep, st->next);
	struct trace_source *s = r->s;
	struct event_head h = { .ns = st->next->ts, .cpu_text = s->f.line.text };
	size_t i;

	for (i = 0; i < NR_KINDS; i++)
		if (r->events[i].event && r->events[i].event->id == type)
			break;
	if (i == NR_KINDS) {
		s->stats.other_lines++;
		return 0;
	}
	h.pid = (uint32_t)tep_data_pid(r->tep, st->next);
	h.cpu = (uint32_t)st->cpu;
	h.comm = tep_data_comm_from_pid(r->tep, (int)h.pid);
	if (!h.comm || !strcmp(h.comm, "<...>"))
		h.comm = "";
	h.comm_len = strlen(h.comm);
	out->u.kmem = (struct trace_kmem){ .pfn = 0 };
	out->kind = (uint8_t)dat_kinds[i].kind;
	read_event(r, &r->events[i], st->next, out);
	event_check_block(s, out);
	return s->f.bad ? -EINVAL : event_finish(s, &h, out);
}

/* Records that the ring buffer dropped before this one. */
static bool lost_before(struct dat_reader *r, const struct dat_stream *st,
			struct trace_event *out)
{
	const long long missed = st->next->missed_events;

	if (!missed || r->told_lost)
		return false;
	r->told_lost = true;
	lost_event(r->s, (uint32_t)st->cpu, missed > 0 ? (uint64_t)missed : 0,
		   out);
	return true;
}

static void advance(struct dat_reader *r)
{
	struct dat_stream *st = &r->heap[0];

	tracecmd_free_record(st->next);
	st->next = tracecmd_read_data(st->input, st->cpu);
	if (!st->next)
		*st = r->heap[--r->nr_streams];
	r->told_lost = false;
	sink(r, 0);
}

int dat_next(struct dat_reader *r, struct trace_event *out)
{
	struct trace_source *s = r->s;
	int ret;

	while (r->nr_streams) {
		s->f.line.number = (unsigned int)s->stats.lines + 1;
		s->f.last = r->place;
		s->f.bad = false;
		if (lost_before(r, &r->heap[0], out))
			return 1;
		s->stats.lines++;
		ret = take_record(r, &r->heap[0], out);
		advance(r);
		if (ret)
			return ret;
	}
	return 0;
}
