/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Step scripts, lexical part: words, numbers and messages with their place.
 */
#include <inttypes.h>
#include <string.h>

#include "replay/step_internal.h"

#define WORD_COPY_SIZE 64

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\f' || c == '\v';
}

struct step_word step_next_word(struct step_parser *p)
{
	struct step_word w = { 0 };

	while (p->pos < p->end && is_blank(*p->pos))
		p->pos++;
	if (p->pos < p->end && *p->pos == '#')
		p->pos = p->end;
	w.text = p->pos;
	w.column = (unsigned int)(p->pos - p->start) + 1;
	while (p->pos < p->end && !is_blank(*p->pos) && *p->pos != '#')
		p->pos++;
	w.len = (size_t)(p->pos - w.text);
	return w;
}

bool step_word_is(struct step_word w, const char *text)
{
	return strlen(text) == w.len && memcmp(w.text, text, w.len) == 0;
}

static int digit_value(char c, unsigned int base)
{
	int v = -1;

	if (c >= '0' && c <= '9')
		v = c - '0';
	else if (c >= 'a' && c <= 'f')
		v = c - 'a' + 10;
	else if (c >= 'A' && c <= 'F')
		v = c - 'A' + 10;
	return v < (int)base ? v : -1;
}

bool step_word_number(struct step_word w, uint64_t max, uint64_t *out)
{
	unsigned int base = 10;
	uint64_t n = 0;
	size_t i = 0;

	if (w.len > 2 && w.text[0] == '0' &&
	    (w.text[1] == 'x' || w.text[1] == 'X')) {
		base = 16;
		i = 2;
	}
	if (i == w.len)
		return false;
	for (; i < w.len; i++) {
		int v = digit_value(w.text[i], base);

		if (v < 0 || n > (UINT64_MAX - (unsigned int)v) / base)
			return false;
		n = n * base + (unsigned int)v;
	}
	if (n > max)
		return false;
	*out = n;
	return true;
}

void step_parse_error(struct step_parser *p, unsigned int column,
		      const char *fmt, ...)
{
	struct diag_place at = { p->file, p->line, column };
	char text[400];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	diag_error(p->diag, at, "%s", text);
	p->failed = true;
}

/* Printable, NUL-terminated copy for a message. */
static void word_copy(struct step_word w, char *out, size_t size)
{
	size_t i, len = w.len < size - 1 ? w.len : size - 1;

	for (i = 0; i < len; i++) {
		unsigned char c = (unsigned char)w.text[i];

		out[i] = (c < 0x20 || c == 0x7f) ? '?' : (char)c;
	}
	out[len] = '\0';
}

void step_unknown_word(struct step_parser *p, struct step_word w,
		       const char *what, const char *const *names)
{
	char word[WORD_COPY_SIZE], allowed[300] = "";
	const char *near;
	size_t used = 0;

	word_copy(w, word, sizeof(word));
	near = diag_nearest(word, names);
	for (; *names && used < sizeof(allowed); names++)
		used += (size_t)snprintf(allowed + used, sizeof(allowed) - used,
					 "%s%s", used ? ", " : "", *names);
	if (near)
		step_parse_error(p, w.column,
				 "unknown %s '%s', did you mean '%s'? "
				 "allowed: %s", what, word, near, allowed);
	else
		step_parse_error(p, w.column, "unknown %s '%s', allowed: %s",
				 what, word, allowed);
}
