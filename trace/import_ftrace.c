/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The lines of tracefs' `trace` file and of `trace-cmd report`, and those of
 * the recorder that the reference traces were made with:
 *
 *   [INSTANCE:  ]COMM-PID [(TGID)] [CPU] [FLAGS] SEC.USEC: EVENT: key=value...
 *
 * COMM is anything, so the line is read from its first "[digits]" outwards.
 * `trace-cmd report -l` cuts COMM at eight bytes and joins CPU and flags:
 *
 *   COMM-PID CPUFLAGS SEC.USEC: EVENT: key=value...
 *
 * Follows print_trace_line and the print_*_header functions of
 * kernel/trace/trace.c (5.3 to 6.18) and trace-cmd 2.9 to 3.3. Leaves out the
 * latency format of tracefs, whose times are relative, and function graphs.
 */
#include <errno.h>
#include <string.h>

#include "trace/importer.h"
#include "trace/scan.h"

#define RECORDER_FLAGS 3u

/* "TIME:" behind an optional word of flags. */
static bool read_tail(const char *p, struct event_head *h)
{
	const char *end;

	h->flags = NULL;
	h->flags_len = 0;
	p = scan_blanks(p);
	end = scan_time(p, &h->ns);
	if (!end || *end != ':') {
		h->flags = p;
		p = scan_word(p);
		h->flags_len = (size_t)(p - h->flags);
		p = scan_blanks(p);
		end = scan_time(p, &h->ns);
	}
	if (!end || *end != ':')
		return false;
	h->event = scan_blanks(end + 1);
	return true;
}

/* "INSTANCE:" of trace-cmd, told from a name like "tmux: server" by the two
 * blanks at least that its columns leave. */
static const char *skip_instance(const char *p, const char *end)
{
	for (const char *c = p; c + 2 < end; c++)
		if (c[0] == ':' && scan_is_blank(c[1]) && scan_is_blank(c[2]))
			return scan_blanks(c + 1);
	return p;
}

/* "COMM-PID" and perhaps "(TGID)" before the bracket. */
static bool read_task(const char *start, const char *bracket,
		      struct event_head *h)
{
	const char *p = bracket, *digits;
	uint64_t pid;

	while (p > start && scan_is_blank(p[-1]))
		p--;
	if (p > start && p[-1] == ')') {
		while (p > start && *p != '(')
			p--;
		while (p > start && scan_is_blank(p[-1]))
			p--;
	}
	for (digits = p; digits > start && scan_is_digit(digits[-1]); digits--)
		;
	if (digits == p || digits == start || digits[-1] != '-' ||
	    !scan_decimal(digits, &pid) || pid > INT32_MAX)
		return false;
	h->pid = (uint32_t)pid;
	start = skip_instance(scan_blanks(start), digits - 1);
	h->comm = start;
	h->comm_len = (size_t)(digits - 1 - start);
	if (h->comm_len == 5 && !memcmp(start, "<...>", 5))
		h->comm_len = 0;    /* the name was forgotten */
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

/* "CPUFLAGS TIME:" behind the PID, as trace-cmd report -l prints it. */
static bool read_latency(const char *text, struct event_head *h)
{
	const char *p = text, *end;
	uint64_t cpu;

	while ((p = strchr(p, '-')) != NULL) {
		uint64_t pid;

		end = scan_decimal(++p, &pid);
		if (!end || !scan_is_blank(*end))
			continue;
		h->cpu_text = scan_blanks(end);
		end = scan_decimal(h->cpu_text, &cpu);
		if (!end || !*end || scan_is_blank(*end) || cpu > INT32_MAX)
			continue;
		h->cpu = (uint32_t)cpu;
		if (read_tail(end, h) && h->flags &&
		    read_task(text, h->cpu_text, h))
			return true;
	}
	return false;
}

static bool read_any_head(const char *text, struct event_head *h)
{
	return read_head(text, h) || read_latency(text, h);
}

static bool begins(const char *text, const char *with)
{
	return !strncmp(text, with, strlen(with));
}

/*
 * "CPU:0 [LOST 123 EVENTS]" (tracefs), "CPU:0 [123 EVENTS DROPPED]"
 * (trace-cmd), both also without a number. 1, or 0 if it is none of them.
 */
static int lost_line(struct trace_source *s, struct trace_event *out)
{
	const char *p = strstr(s->f.line.text, "CPU:");
	uint64_t cpu, n = 0;
	const char *end;

	end = p ? scan_decimal(p + 4, &cpu) : NULL;
	if (!end || !begins(end, " [") || cpu >= TRACE_MAX_CPUS)
		return 0;
	p = begins(end, " [LOST ") ? end + 7 : end + 2;
	end = scan_decimal(p, &n);
	if (end)
		p = scan_blanks(end);
	if (!begins(p, "EVENTS]") && !begins(p, "EVENTS DROPPED]"))
		return 0;
	return lost_event(s, (uint32_t)cpu, n, out);
}

/* "# entries-in-buffer/entries-written: 12/34": what was overwritten. */
static int comment_line(struct trace_source *s, struct trace_event *out)
{
	static const char what[] = "# entries-in-buffer/entries-written: ";
	const char *p = s->f.line.text;
	uint64_t kept, written;

	if (!begins(p, what))
		return 0;
	p = scan_decimal(p + strlen(what), &kept);
	if (!p || *p != '/' || !scan_decimal(p + 1, &written) ||
	    written <= kept)
		return 0;
	return lost_event(s, 0, written - kept, out);
}

/* What trace-cmd and tracefs print around the events. */
static bool is_frame(const char *p)
{
	static const char *const lines[] = {
		"cpus=", "version = ", "CPU ", "trace-cmd ",
	};

	if (!*p)
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++)
		if (begins(p, lines[i]))
			return true;
	return false;
}

static int odd_line(struct trace_source *s, struct trace_event *out)
{
	const char *p = scan_blanks(s->f.line.text);
	int ret;

	if (*p == '#')
		return comment_line(s, out);
	ret = lost_line(s, out);
	if (ret)
		return ret;
	if (is_frame(p))
		return 0;
	s->f.last = p;
	fields_error(&s->f, "\"%.40s\" is no event; COMM-PID [CPU] FLAGS "
		     "SEC.USEC: EVENT: ... is expected", p);
	return -EINVAL;
}

int ftrace_line(struct trace_source *s, struct trace_event *out)
{
	struct event_head h;

	if (s->f.line.text[0] != '#' && read_any_head(s->f.line.text, &h))
		return kmem_event(s, &h, out);
	return odd_line(s, out);
}

enum trace_format ftrace_detect(const char *text)
{
	struct event_head h;

	if (begins(text, "# tracer:") || begins(text, "cpus="))
		return TRACE_FORMAT_FTRACE;
	if (text[0] == '#' || !read_any_head(text, &h))
		return TRACE_FORMAT_AUTO;
	return h.flags_len == RECORDER_FLAGS ? TRACE_FORMAT_RECORDER :
					       TRACE_FORMAT_FTRACE;
}
