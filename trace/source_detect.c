/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which format a file has, from its first lines, and which release it names.
 * The formats differ in the shape of their lines; the first line that any of
 * them knows decides. Leaves out binary formats: trace_open() tells those from
 * the first bytes.
 */
#include <errno.h>
#include <string.h>

#include "trace/importer.h"
#include "trace/scan.h"

static const char *const format_names[] = {
	[TRACE_FORMAT_AUTO] = "auto",
	[TRACE_FORMAT_REQUEST] = "request",
	[TRACE_FORMAT_BLT] = "blt",
	[TRACE_FORMAT_PERF] = "perf",
	[TRACE_FORMAT_FTRACE] = "ftrace",
	[TRACE_FORMAT_BPFTRACE] = "bpftrace",
	[TRACE_FORMAT_RECORDER] = "recorder",
	[TRACE_FORMAT_TRACE_DAT] = "trace.dat",
};

_Static_assert(ARRAY_SIZE(format_names) == TRACE_NR_FORMATS, "all have names");

const char *trace_format_name(enum trace_format f)
{
	return (unsigned int)f < TRACE_NR_FORMATS ? format_names[f] : NULL;
}

int trace_format_find(const char *name)
{
	for (int i = 0; i < TRACE_NR_FORMATS; i++)
		if (!strcmp(format_names[i], name))
			return i;
	return -1;
}

/* A release that the project has a profile of, by its first two numbers. */
const char *release_profile(const char *release)
{
	static const char *const profiles[] = {
		"5.3", "5.7", "5.10", "6.1", "6.12", "6.18",
	};

	/* "6.12.0-rc7" too: what came later is in the stable releases. */
	if (!strncmp(release, "6.12.0", 6) && !scan_is_digit(release[6]))
		return "6.12.0";
	for (size_t i = 0; i < ARRAY_SIZE(profiles); i++) {
		const size_t len = strlen(profiles[i]);

		if (!strncmp(release, profiles[i], len) &&
		    !scan_is_digit(release[len]))
			return profiles[i];
	}
	return NULL;
}

/*
 * "# os release : 6.1.0-18-amd64" of perf script --header, and "kernel=6.1" of
 * the bpftrace script.
 */
static void read_comment(struct trace_source *s, const char *text)
{
	const char *p = NULL;
	size_t len;

	if (!strncmp(text, "# os release : ", 15))
		p = text + 15;
	else if (!strncmp(text, "# buddylab bpftrace ", 20))
		p = strstr(text, " kernel=");
	if (!p)
		return;
	if (*p == ' ')
		p += strlen(" kernel=");
	len = (size_t)(scan_word(p) - p);
	word_copy((struct word){ p, len }, s->file_release,
		  sizeof(s->file_release));
}

bool request_detect(const char *text)
{
	const char *p = scan_word(text);
	const size_t len = (size_t)(p - text);

	for (unsigned int i = 0; i < REQ_NR_KINDS; i++) {
		const char *name = req_kind_name((enum req_kind)i);

		if (strlen(name) != len || memcmp(name, text, len))
			continue;
		p = scan_blanks(p);
		return scan_is_digit(*p) || !strncmp(p, "head", 4) ||
		       !strncmp(p, "tail", 4);
	}
	return false;
}

static enum trace_format detect_line(const char *text)
{
	if (bpftrace_detect(text))
		return TRACE_FORMAT_BPFTRACE;
	if (request_detect(text))
		return TRACE_FORMAT_REQUEST;
	if (perf_detect(text))
		return TRACE_FORMAT_PERF;
	return ftrace_detect(text);
}

/* The whole lines of what was read ahead. */
static enum trace_format detect_text(struct trace_source *s, const char *text,
				     size_t len)
{
	enum trace_format found = TRACE_FORMAT_AUTO;
	const char *end = text + len, *nl;
	char line[LINE_MAX_BYTES + 1];

	for (; found == TRACE_FORMAT_AUTO; text = nl + 1) {
		nl = memchr(text, '\n', (size_t)(end - text));
		if (!nl || nl - text > LINE_MAX_BYTES)
			break;
		memcpy(line, text, (size_t)(nl - text));
		line[nl - text] = '\0';
		if (line[0] == '#')
			read_comment(s, line);
		found = detect_line(line);
	}
	return found;
}

static int not_known(struct trace_source *s, size_t len)
{
	diag_error(s->diag, (struct diag_place){ .file = s->path, .line = 1 },
		   len ? "no line tells the format; known are request streams, "
			 ".blt, trace.dat, and text of perf script, ftrace, "
			 "trace-cmd report, bpftrace and the recorder" :
			 "the file is empty");
	return -EINVAL;
}

int source_detect(struct trace_source *s, enum trace_format *out)
{
	const bool told = *out != TRACE_FORMAT_AUTO;
	enum trace_format found = TRACE_FORMAT_AUTO;
	size_t want = 1, len = 0;
	const char *text;
	int err;

	for (; want <= LINE_READER_PEEK; want = len + 1) {
		err = line_reader_peek(s->reader, want, &text, &len);
		if (err)
			return err == -EINVAL ? -EBADMSG : err;
		found = detect_text(s, text, len);
		if (found != TRACE_FORMAT_AUTO || len < want)
			break;
	}
	if (told)
		return 0;
	*out = found;
	return found == TRACE_FORMAT_AUTO ? not_known(s, len) : 0;
}
