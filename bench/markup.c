/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Escaping for JUnit files and the HTML report. */
#include "bench/markup.h"

static const char *entity(char c)
{
	switch (c) {
	case '&':
		return "&amp;";
	case '<':
		return "&lt;";
	case '>':
		return "&gt;";
	case '"':
		return "&quot;";
	default:
		return NULL;
	}
}

void markup_text(const char *text, FILE *out)
{
	for (; *text; text++) {
		const char *escaped = entity(*text);

		if (escaped)
			fputs(escaped, out);
		else if (*text == '\n' || *text == '\t')
			fputc(*text, out);
		else
			fputc((unsigned char)*text < ' ' ? '?' : *text, out);
	}
}
