/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Chrome trace event JSON, which ui.perfetto.dev and chrome://tracing open
 * (the "Trace Event Format" document). Counter tracks are sampled: one row per
 * sample at most, so the file grows with the time that was recorded and not
 * with the events. What happens at a moment (a steal, a drain, a report, a
 * loss) is one instant per sample and sort with the number of them, on the
 * track of the task that did the first. Numbers are integers throughout.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "trace/export.h"

enum instant {
	EXTFRAG, CLAIM, DRAIN, REPORT, ISOLATE, FAILED, LOST, NR_INSTANTS,
};

static const char *const instant_names[NR_INSTANTS] = {
	[EXTFRAG] = "fallback to another type",
	[CLAIM] = "pageblock claimed",
	[DRAIN] = "pcp drain",
	[REPORT] = "reported to the hypervisor",
	[ISOLATE] = "free block isolated",
	[FAILED] = "allocation failed",
	[LOST] = "events lost",
};

struct happened {
	uint64_t count;  /* events, or blocks, or what was lost */
	uint64_t pages;
	uint64_t ns;     /* of the first */
	uint32_t task;
};

struct perfetto {
	struct trace_source *source;
	FILE *out;
	uint64_t sample_ns;
	bool clocked, begun;
	bool rows;               /* something was printed before */
	uint64_t number;         /* events so far */
	uint64_t now, next;      /* of the sample at hand */
	uint64_t allocs, frees;  /* in it, events */
	uint64_t refills, drains;
	struct happened happened[NR_INSTANTS];
	struct export_pages pages;
	struct export_pages shown; /* numbers of the rows printed last */
	uint8_t *named;          /* bit per task: its name is printed */
	uint32_t nr_named;
};

/* JSON wants UTF-8 and quotes; a name may be any bytes. */
static void put_string(FILE *out, const char *text)
{
	putc('"', out);
	for (; *text; text++) {
		const unsigned char c = (unsigned char)*text;

		if (c == '"' || c == '\\')
			fprintf(out, "\\%c", c);
		else if (c < 0x20 || c >= 0x7f)
			fprintf(out, "\\u%04x", c);
		else
			putc(c, out);
	}
	putc('"', out);
}

static void begin_row(struct perfetto *p)
{
	fputs(p->rows ? ",\n" : "\n", p->out);
	p->rows = true;
}

/* Microseconds with three decimals. */
static void put_time(struct perfetto *p, uint64_t ns)
{
	fprintf(p->out, "\"ts\":%" PRIu64 ".%03" PRIu64, ns / NSEC_PER_USEC,
		ns % NSEC_PER_USEC);
}

static void put_metadata(struct perfetto *p, const char *what, uint32_t pid,
			 const char *name)
{
	begin_row(p);
	fprintf(p->out, "{\"ph\":\"M\",\"name\":\"%s\",\"pid\":%u,\"tid\":%u,"
		"\"args\":{\"name\":", what, pid, pid);
	put_string(p->out, name);
	fputs("}}", p->out);
}

static int name_task(struct perfetto *p, uint32_t number,
		     const struct trace_task *t)
{
	const uint32_t byte = number / 8;

	if (byte >= p->nr_named) {
		const uint32_t nr = (byte + 1) * 2;
		uint8_t *more = realloc(p->named, nr);

		if (!more)
			return -ENOMEM;
		memset(more + p->nr_named, 0, nr - p->nr_named);
		p->named = more;
		p->nr_named = nr;
	}
	if (p->named[byte] >> number % 8 & 1)
		return 0;
	p->named[byte] |= (uint8_t)(1u << number % 8);
	put_metadata(p, "thread_name", t->pid, t->comm[0] ? t->comm :
		     "(name not known)");
	return 0;
}

static int put_instant(struct perfetto *p, enum instant i)
{
	struct happened *h = &p->happened[i];
	const struct trace_task *t = trace_source_task(p->source, h->task);
	const uint32_t pid = t ? t->pid : 0;
	int err;

	if (!h->count)
		return 0;
	err = t ? name_task(p, h->task, t) : 0;
	if (err)
		return err;
	begin_row(p);
	fprintf(p->out, "{\"ph\":\"i\",\"s\":\"t\",\"pid\":%u,\"tid\":%u,",
		pid, pid);
	put_time(p, h->ns);
	fprintf(p->out, ",\"name\":\"%s\",\"args\":{\"count\":%" PRIu64,
		instant_names[i], h->count);
	if (h->pages)
		fprintf(p->out, ",\"pages\":%" PRIu64, h->pages);
	fputs("}}", p->out);
	memset(h, 0, sizeof(*h));
	return 0;
}

static void begin_counter(struct perfetto *p, const char *name)
{
	begin_row(p);
	fputs("{\"ph\":\"C\",\"pid\":0,", p->out);
	put_time(p, p->now);
	fprintf(p->out, ",\"name\":\"%s\",\"args\":{", name);
}

static void put_orders(struct perfetto *p)
{
	if (!memcmp(p->shown.by_order, p->pages.by_order,
		    sizeof(p->pages.by_order)))
		return;
	memcpy(p->shown.by_order, p->pages.by_order,
	       sizeof(p->pages.by_order));
	begin_counter(p, "pages allocated minus freed, by order");
	for (unsigned int i = 0; i < NR_PAGE_ORDERS; i++)
		fprintf(p->out, "%s\"%u\":%" PRId64, i ? "," : "", i,
			p->pages.by_order[i]);
	fputs("}}", p->out);
}

static void put_types(struct perfetto *p)
{
	static const char *const names[TRACE_MAX_TYPES + 1] = {
		"unmovable", "movable", "reclaimable", "highatomic", "type 4",
		"type 5", "older than the trace",
	};

	if (!memcmp(p->shown.by_type, p->pages.by_type,
		    sizeof(p->pages.by_type)))
		return;
	memcpy(p->shown.by_type, p->pages.by_type, sizeof(p->pages.by_type));
	begin_counter(p, "pages allocated minus freed, by type");
	for (unsigned int i = 0; i <= TRACE_MAX_TYPES; i++)
		fprintf(p->out, "%s\"%s\":%" PRId64, i ? "," : "", names[i],
			p->pages.by_type[i]);
	fputs("}}", p->out);
}

static void put_rates(struct perfetto *p)
{
	begin_counter(p, "events per sample");
	fprintf(p->out, "\"allocations\":%" PRIu64 ",\"frees\":%" PRIu64
		",\"pcp refills\":%" PRIu64 ",\"pcp drains\":%" PRIu64 "}}",
		p->allocs, p->frees, p->refills, p->drains);
	p->allocs = p->frees = p->refills = p->drains = 0;
}

static int put_sample(struct perfetto *p)
{
	int err = 0;

	for (int i = 0; i < NR_INSTANTS && !err; i++)
		err = put_instant(p, (enum instant)i);
	put_orders(p);
	put_types(p);
	put_rates(p);
	return err;
}

static void happen(struct perfetto *p, enum instant i,
		   const struct trace_event *e, uint64_t count, uint64_t pages)
{
	struct happened *h = &p->happened[i];

	if (!h->count) {
		h->ns = p->now;
		h->task = e->task;
	}
	/* Readers of JSON have 63 bits; a file may claim any loss. */
	if (count > INT64_MAX - h->count)
		count = INT64_MAX - h->count;
	h->count += count;
	h->pages += pages;
}

static void take_request(struct perfetto *p, const struct trace_event *e)
{
	const struct req_record *r = &e->u.req;

	if (r->kind <= REQ_B)
		p->allocs++;
	if (r->kind <= REQ_B && r->pfn == PFN_NONE)
		happen(p, FAILED, e, 1, order_nr_pages(r->order));
	if (r->kind == REQ_F || r->kind == REQ_FB || r->kind == REQ_C)
		p->frees++;
	if (r->kind == REQ_D) {
		p->drains++;
		happen(p, DRAIN, e, 1, r->nr_pages);
	}
	if (r->kind == REQ_M)
		happen(p, EXTFRAG, e, 1, r->moved);
	if (r->kind == REQ_I)
		happen(p, ISOLATE, e, 1, order_nr_pages(r->order));
	if (r->kind == REQ_Q)
		happen(p, REPORT, e, 1, order_nr_pages(r->order));
}

static void take_event(struct perfetto *p, const struct trace_event *e)
{
	const struct trace_kmem *k = &e->u.kmem;

	export_pages_event(&p->pages, e);
	switch (e->kind) {
	case TRACE_REQUEST:
		take_request(p, e);
		break;
	case TRACE_ALLOC:
		p->allocs++;
		if (k->pfn == PFN_NONE)
			happen(p, FAILED, e, 1, order_nr_pages(k->order));
		break;
	case TRACE_FREE:
		p->frees++;
		break;
	case TRACE_ZONE_LOCKED:
		p->refills += k->refill;
		break;
	case TRACE_PCPU_DRAIN:
		p->drains++;
		happen(p, DRAIN, e, 1, order_nr_pages(k->order));
		break;
	case TRACE_EXTFRAG:
		happen(p, k->change_ownership ? CLAIM : EXTFRAG, e, 1,
		       order_nr_pages(k->fallback_order));
		break;
	case TRACE_LOST:
		/* An unknown number is one at least. */
		happen(p, LOST, e, e->u.lost ? e->u.lost : 1, 0);
		break;
	}
}

/* The first event tells whether there is a clock. */
static void begin(struct perfetto *p, const struct trace_event *e)
{
	const char *kernel = trace_source_kernel(p->source);

	p->begun = true;
	p->clocked = e && (e->ns || (e->kind != TRACE_REQUEST &&
				     e->kind != TRACE_MEM));
	fputs("{\"displayTimeUnit\":\"ns\",\"otherData\":{\"producer\":"
	      "\"buddylab export\",\"source\":", p->out);
	put_string(p->out, trace_format_name(trace_source_format(p->source)));
	fputs(",\"kernel\":", p->out);
	put_string(p->out, kernel ? kernel : "not known");
	fprintf(p->out, ",\"clock\":\"%s\",\"sample_ns\":%" PRIu64
		"},\n\"traceEvents\":[", p->clocked ? "of the recorder" :
		"none: the event's number, as microseconds", p->sample_ns);
	put_metadata(p, "process_name", 0, "page allocator");
}

static int add_event(struct perfetto *p, const struct trace_event *e)
{
	uint64_t ns;
	int err = 0;

	if (!p->begun)
		begin(p, e);
	p->number++;
	ns = p->clocked ? e->ns : p->number * NSEC_PER_USEC;
	if (p->number == 1 || ns >= p->next) {
		err = p->number == 1 ? 0 : put_sample(p);
		p->next = ns - ns % p->sample_ns;
		if (__builtin_add_overflow(p->next, p->sample_ns, &p->next))
			p->next = UINT64_MAX;
	}
	/* Clocks of CPUs differ a little; a track never goes back. */
	if (ns > p->now)
		p->now = ns;
	take_event(p, e);
	return err;
}

static int export_events(struct perfetto *p)
{
	struct trace_event e;
	bool wrong = false;
	int ret, err;

	while ((ret = trace_next(p->source, &e)) == 1 || ret == -EINVAL) {
		wrong |= ret == -EINVAL;
		err = wrong ? 0 : add_event(p, &e);
		if (err)
			return err;
		if (ferror(p->out))
			return -EIO;
	}
	if (ret || wrong)
		return ret ? ret : -EINVAL;
	if (!p->begun)
		begin(p, NULL);
	err = p->number ? put_sample(p) : 0;
	fputs("\n]}\n", p->out);
	return err;
}

int trace_export_perfetto(struct trace_source *s, const char *name,
			  uint64_t sample_ns, FILE *out, struct diag *d)
{
	struct perfetto p = { .source = s, .out = out,
			      .sample_ns = sample_ns };
	int err = export_pages_init(&p.pages);

	if (!err)
		err = export_events(&p);
	export_pages_destroy(&p.pages);
	free(p.named);
	if (err == -ENOMEM)
		diag_error(d, (struct diag_place){ .file = name },
			   "out of memory");
	return err;
}
