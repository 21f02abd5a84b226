/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The lines of `perf script`, as its defaults print them and with --ns, -F
 * comm,pid,tid,cpu,time,event,trace, --header and --show-lost-events:
 *
 *   COMM TID|PID/TID [CPU] SEC.FRACTION: [PERIOD] [kmem:]EVENT: key=value...
 *
 * COMM is anything, so the line is read from its first "[digits]" outwards.
 * Call chains are passed over. Leaves out lines without a CPU: the allocator's
 * per-CPU lists make a trace without it worthless.
 */
#include <errno.h>
#include <string.h>

#include "trace/importer.h"
#include "trace/scan.h"

/*
 * A task that is being released has no number any more: perf_event_pid() says
 * -1, and perf prints ":-1    -1", which is nobody's name.
 */
static bool nobody(const char *start, const char *end, struct event_head *h)
{
	start = scan_blanks(start);
	if (end - start < 3 || memcmp(start, ":-1", 3) ||
	    memcmp(end - 2, "-1", 2))
		return false;
	h->pid = 0;
	h->comm = start;
	h->comm_len = 0;
	return true;
}

static bool read_task(const char *start, const char *bracket,
		      struct event_head *h)
{
	const char *p = bracket, *digits;
	uint64_t pid;

	while (p > start && scan_is_blank(p[-1]))
		p--;
	if (p > start && p[-1] == '1' && nobody(start, p, h))
		return true;
	for (digits = p; digits > start && scan_is_digit(digits[-1]); digits--)
		;
	if (digits == p || !scan_decimal(digits, &pid) || pid > INT32_MAX)
		return false;
	/* PID/TID: the thread is the task. */
	if (digits > start && digits[-1] == '/')
		for (digits--; digits > start && scan_is_digit(digits[-1]);
		     digits--)
			;
	if (digits > start && !scan_is_blank(digits[-1]))
		return false;
	h->pid = (uint32_t)pid;
	start = scan_blanks(start);
	while (digits > start && scan_is_blank(digits[-1]))
		digits--;
	h->comm = start;
	h->comm_len = digits > start ? (size_t)(digits - start) : 0;
	return true;
}

/* "TIME:", an optional period, then the event. */
static bool read_tail(const char *p, struct event_head *h)
{
	uint64_t period;

	p = scan_blanks(p);
	p = scan_time(p, &h->ns);
	if (!p || *p != ':')
		return false;
	h->event = p = scan_blanks(p + 1);
	p = scan_decimal(p, &period);
	if (p && scan_is_blank(*p))
		h->event = scan_blanks(p);
	return true;
}

static bool read_head(const char *text, struct event_head *h)
{
	const char *behind = text, *bracket;

	while ((bracket = next_cpu(&behind, h)) != NULL)
		if (read_tail(behind, h) && read_task(text, bracket, h))
			return true;
	return false;
}

/* "PERF_RECORD_LOST lost 123", "PERF_RECORD_LOST_SAMPLES lost 123". */
static int lost_record(struct trace_source *s, const struct event_head *h,
		       struct trace_event *out)
{
	const char *p = strstr(h->event, " lost ");
	uint64_t n;

	if (strncmp(h->event, "PERF_RECORD_LOST", 16))
		return -1;
	if (!p || !scan_decimal(p + 6, &n) || h->cpu >= TRACE_MAX_CPUS)
		n = 0;
	return lost_event(s, h->cpu < TRACE_MAX_CPUS ? h->cpu : 0, n, out);
}

/* "ffffffff81234567 name+0x12 (where)" of a call chain. */
static bool is_call(const char *p)
{
	const char *start = p, *end = p + strlen(p);

	while (scan_hex_digit(*p) >= 0)
		p++;
	return p - start >= 4 && scan_is_blank(*p) && end[-1] == ')';
}

/* What perf says of itself when its messages go the same way. */
static int odd_line(struct trace_source *s, struct trace_event *out)
{
	const char *p = scan_blanks(s->f.line.text);

	if (!*p || *p == '#' || is_call(p))
		return 0;
	if (!strncmp(p, "Processed ", 10) && strstr(p, " lost "))
		return lost_event(s, 0, 0, out);
	if (!strncmp(p, "Warning:", 8) || !strncmp(p, "Check IO/CPU", 12))
		return 0;
	s->f.last = p;
	fields_error(&s->f, "\"%.40s\" is no event; COMM TID [CPU] "
		     "SEC.FRACTION: EVENT: ... is expected", p);
	return -EINVAL;
}

int perf_line(struct trace_source *s, struct trace_event *out)
{
	struct event_head h;
	int ret;

	if (s->f.line.text[0] == '#' || !read_head(s->f.line.text, &h))
		return odd_line(s, out);
	if (h.event[0] == 'P') {
		ret = lost_record(s, &h, out);
		if (ret >= 0)
			return ret;
	}
	return kmem_event(s, &h, out);
}

bool perf_detect(const char *text)
{
	struct event_head h;

	return text[0] != '#' && read_head(text, &h);
}
