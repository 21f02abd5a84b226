/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Syntax of one line. A # or ; starts a comment at the start of a line or
 * after a blank, so that a value may contain both: "core:8#2" is a value.
 */
#include "bench/ini.h"

#include <stdbool.h>
#include <string.h>

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

__attribute__((format(printf, 4, 5)))
static void bad_line(struct ini_line *out, const char *text, const char *at,
		     const char *fmt, ...)
{
	va_list args;

	out->kind = INI_BAD;
	out->column = (unsigned int)(at - text) + 1;
	va_start(args, fmt);
	vsnprintf(out->why, sizeof(out->why), fmt, args);
	va_end(args);
}

/* End the text at `end`, without the blanks before it. */
static void cut(char *start, char *end)
{
	while (end > start && is_blank(end[-1]))
		end--;
	*end = '\0';
}

static void strip_comment(char *text)
{
	for (char *s = text; *s; s++) {
		if ((*s == '#' || *s == ';') &&
		    (s == text || is_blank(s[-1]))) {
			*s = '\0';
			break;
		}
	}
	cut(text, text + strlen(text));
}

/* ASCII's, and U+0080 to U+009F, of which the second byte is found. */
static const char *find_control(const char *text)
{
	for (; *text; text++) {
		if ((unsigned char)*text < ' ' && *text != '\t')
			return text;
		if (*text == 0x7f)
			return text;
		if (*text == '\xc2' && ((unsigned char)text[1] & 0xe0) == 0x80)
			return text + 1;
	}
	return NULL;
}

static void parse_header(char *text, char *s, struct ini_line *out)
{
	char *end = strchr(s, ']'), *name;

	out->column = (unsigned int)(s - text) + 1;
	if (!end) {
		bad_line(out, text, s, "section header is not closed by ']'");
		return;
	}
	if (end[1]) {
		for (end++; is_blank(*end); end++)
			;
		bad_line(out, text, end, "'%.40s' behind the section header; "
			 "nothing may follow ']'", end);
		return;
	}
	for (s++; is_blank(*s); s++)
		;
	cut(s, end);
	if (!*s) {
		bad_line(out, text, s, "section header without a name");
		return;
	}
	name = s + strcspn(s, " \t");
	out->kind = INI_HEADER;
	out->first = s;
	out->second = "";
	if (*name) {
		*name++ = '\0';
		while (is_blank(*name))
			name++;
		out->second = name;
	}
	out->second_column = (unsigned int)(out->second == name ?
					    name - text : s - text) + 1;
}

static void parse_pair(char *text, char *s, struct ini_line *out)
{
	char *equals = strchr(s, '='), *value, *blank;

	if (!equals) {
		bad_line(out, text, s, "expected 'key = value' or '[section]'");
		return;
	}
	if (equals == s) {
		bad_line(out, text, s, "'=' without a key before it");
		return;
	}
	value = equals + 1;
	cut(s, equals);
	blank = s + strcspn(s, " \t");
	if (*blank) {
		bad_line(out, text, blank, "blank in the key '%.40s'", s);
		return;
	}
	while (is_blank(*value))
		value++;
	out->kind = INI_PAIR;
	out->first = s;
	out->second = value;
	out->column = (unsigned int)(s - text) + 1;
	out->second_column = (unsigned int)(value - text) + 1;
}

void ini_parse_line(char *text, struct ini_line *out)
{
	const char *control;
	char *s = text;

	*out = (struct ini_line){ .kind = INI_BLANK };
	control = find_control(text);
	if (control) {
		bad_line(out, text, control, "control character 0x%02x",
			 (unsigned char)*control);
		return;
	}
	strip_comment(text);
	while (is_blank(*s))
		s++;
	if (*s == '[')
		parse_header(text, s, out);
	else if (*s)
		parse_pair(text, s, out);
}
