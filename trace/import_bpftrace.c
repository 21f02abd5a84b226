/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The compact lines of the bpftrace script that ships, one letter a kind:
 *
 *   # buddylab bpftrace 1 kernel=6.1
 *   NS CPU PID A PFN ORDER MT GFP COMM              mm_page_alloc
 *   NS CPU PID F PFN ORDER COMM                     mm_page_free
 *   NS CPU PID B PFN COMM                           mm_page_free_batched
 *   NS CPU PID Z PFN ORDER MT REFILL COMM           mm_page_alloc_zone_locked
 *   NS CPU PID D PFN ORDER MT COMM                  mm_page_pcpu_drain
 *   NS CPU PID X PFN ORDER FALLBACK_ORDER MT FALLBACK_MT CHANGE COMM
 *                                                   mm_page_alloc_extfrag
 *
 * Numbers are decimal, or hexadecimal behind 0x; COMM is the rest of the line.
 * The buffers of the CPUs are printed one after the other, so the times go
 * back; docs/trace-formats.md says what to do about it.
 */
#include <errno.h>
#include <string.h>

#include "trace/importer.h"
#include "trace/scan.h"

/* One letter per field, in the order of the line. */
static const struct {
	char letter;
	enum trace_kind kind;
	const char *fields;
} kinds[] = {
	{ 'A', TRACE_ALLOC, "pomg" },
	{ 'F', TRACE_FREE, "po" },
	{ 'B', TRACE_FREE_BATCHED, "p" },
	{ 'Z', TRACE_ZONE_LOCKED, "pomr" },
	{ 'D', TRACE_PCPU_DRAIN, "pom" },
	{ 'X', TRACE_EXTFRAG, "poOmMc" },
};

static int find_kind(const char *p)
{
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (p[0] == kinds[i].letter && (!p[1] || scan_is_blank(p[1])))
			return (int)i;
	return -1;
}

/* The next number, as fields_number() but for speed. */
static uint64_t number(struct trace_source *s, const char *what, uint64_t max)
{
	struct fields *f = &s->f;
	const char *p = scan_blanks(f->at), *end;
	uint64_t v;

	if (f->bad)
		return 0;
	end = scan_number(p, &v);
	if (!end || (*end && !scan_is_blank(*end)) || v > max)
		return fields_number(f, what, max, true);
	f->last = p;
	f->at = end;
	return v;
}

static pfn_t read_pfn(struct trace_source *s, bool may_fail)
{
	const char *p = scan_blanks(s->f.at);

	if (may_fail && !strncmp(p, "-1", 2) && scan_is_blank(p[2])) {
		s->f.at = p + 2;
		return PFN_NONE;
	}
	return kmem_pfn(s, number(s, "the PFN", UINT64_MAX), may_fail);
}

static void read_field(struct trace_source *s, char field,
		       struct trace_event *out)
{
	struct trace_kmem *k = &out->u.kmem;
	struct gfp_rest rest;

	switch (field) {
	case 'p':
		k->pfn = read_pfn(s, out->kind == TRACE_ALLOC ||
				     out->kind == TRACE_ZONE_LOCKED);
		break;
	case 'o':
		k->order = (uint8_t)number(s, "the order", MAX_PAGE_ORDER);
		break;
	case 'O':
		k->fallback_order = (uint8_t)
			number(s, "the fallback order", MAX_PAGE_ORDER);
		break;
	case 'm':
		k->mt = (uint8_t)number(s, "the migratetype",
					TRACE_MAX_TYPES - 1);
		break;
	case 'M':
		k->fallback_mt = (uint8_t)
			number(s, "the fallback migratetype",
			       TRACE_MAX_TYPES - 1);
		break;
	case 'g':
		k->gfp = gfp_from_raw(number(s, "the GFP mask", UINT64_MAX),
				      s->release, &rest);
		s->stats.unknown_gfp += rest.unknown;
		break;
	case 'r':
		k->refill = number(s, "percpu_refill", 1) != 0;
		break;
	case 'c':
		k->change_ownership = number(s, "change_ownership", 1) != 0;
		break;
	}
}

/* "Lost 123 events", and "Attaching 6 probes..." before the first line. */
static int odd_line(struct trace_source *s, struct trace_event *out)
{
	const char *p = scan_blanks(s->f.line.text);
	uint64_t n;

	if (!*p || *p == '#' || !strncmp(p, "Attaching ", 10) ||
	    !strncmp(p, "Attached ", 9))
		return 0;
	if (!strncmp(p, "Lost ", 5) && scan_decimal(p + 5, &n))
		return lost_event(s, 0, n, out);
	s->f.last = p;
	fields_error(&s->f, "\"%.40s\" is no event; NS CPU PID KIND ... is "
		     "expected", p);
	return -EINVAL;
}

static int read_event(struct trace_source *s, const struct event_head *head,
		      int which, struct trace_event *out)
{
	struct event_head h = *head;
	const char *p;

	out->kind = (uint8_t)kinds[which].kind;
	out->u.kmem = (struct trace_kmem){ .pfn = 0 };
	for (p = kinds[which].fields; *p && !s->f.bad; p++)
		read_field(s, *p, out);
	if (s->f.bad)
		return -EINVAL;
	event_check_block(s, out);
	h.comm = scan_blanks(s->f.at);
	h.comm_len = strlen(h.comm);
	if (s->f.bad)
		return -EINVAL;
	return event_finish(s, &h, out);
}

int bpftrace_line(struct trace_source *s, struct trace_event *out)
{
	struct fields *f = &s->f;
	struct event_head h = { .ns = 0 };
	const char *p = scan_blanks(f->line.text);
	int which;

	if (!scan_is_digit(*p))
		return odd_line(s, out);
	h.ns = number(s, "the time", UINT64_MAX);
	h.cpu = (uint32_t)number(s, "the CPU", TRACE_MAX_CPUS - 1);
	h.cpu_text = f->last;
	h.pid = (uint32_t)number(s, "the PID", INT32_MAX);
	if (f->bad)
		return -EINVAL;
	f->last = p = scan_blanks(f->at);
	which = find_kind(p);
	if (which < 0) {
		fields_error(f, "\"%.8s\" is no kind; A F B Z D and X are allowed",
			     p);
		return -EINVAL;
	}
	f->at = p + 1;
	return read_event(s, &h, which, out);
}

bool bpftrace_detect(const char *text)
{
	const char *p = text;
	uint64_t v;

	if (!strncmp(p, "# buddylab bpftrace ", 20))
		return true;
	for (int i = 0; i < 3; i++) {
		p = scan_decimal(p, &v);
		if (!p || !scan_is_blank(*p))
			return false;
		p = scan_blanks(p);
	}
	return find_kind(p) >= 0;
}
