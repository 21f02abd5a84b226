/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Field reader shared by the parsers of trace/; see trace/fields.h. */
#include "trace/fields.h"

#include <string.h>

void fields_error(struct fields *f, const char *fmt, ...)
{
	char text[384];
	va_list ap;

	if (f->bad)
		return;
	f->bad = true;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	diag_error(f->diag,
		   (struct diag_place){
			   .file = f->file,
			   .line = f->line.number,
			   .column = (unsigned int)(f->last - f->line.text) + 1,
		   },
		   "%s", text);
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static void skip_blanks(struct fields *f)
{
	while (is_blank(*f->at))
		f->at++;
}

struct word fields_word(struct fields *f, const char *what)
{
	const char *start;

	if (f->bad)
		return (struct word){ "", 0 };
	skip_blanks(f);
	start = f->last = f->at;
	while (*f->at && !is_blank(*f->at))
		f->at++;
	if (f->at == start)
		fields_error(f, "the line ends where %s is expected", what);
	return (struct word){ start, (size_t)(f->at - start) };
}

bool fields_at_end(struct fields *f)
{
	skip_blanks(f);
	return *f->at == '\0';
}

void fields_end(struct fields *f)
{
	if (f->bad || fields_at_end(f))
		return;
	f->last = f->at;
	fields_error(f, "more fields than this record has: \"%.40s\"", f->at);
}

const char *word_copy(struct word w, char *out, size_t size)
{
	const size_t n = w.len < size - 1 ? w.len : size - 1;

	memcpy(out, w.text, n);
	out[n] = '\0';
	return out;
}

static int digit_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* false unless all of [p, end) are digits and the value fits. */
static bool parse_digits(const char *p, const char *end, unsigned int base,
			 uint64_t *out)
{
	uint64_t v = 0;

	if (p == end)
		return false;
	for (; p < end; p++) {
		const int d = digit_value(*p);

		if (d < 0 || (unsigned int)d >= base ||
		    __builtin_mul_overflow(v, base, &v) ||
		    __builtin_add_overflow(v, (unsigned int)d, &v))
			return false;
	}
	*out = v;
	return true;
}

uint64_t fields_parse(struct fields *f, struct word w, const char *what,
		      uint64_t max, bool hex)
{
	const bool is_hex = hex && w.len > 2 && w.text[0] == '0' &&
			    w.text[1] == 'x';
	const char *p = w.text + (is_hex ? 2 : 0);
	uint64_t v = 0;
	char copy[48];

	if (f->bad)
		return 0;
	if (parse_digits(p, w.text + w.len, is_hex ? 16 : 10, &v) && v <= max)
		return v;
	fields_error(f, "%s is \"%s\"; allowed is a %s from 0 to %llu", what,
		     word_copy(w, copy, sizeof(copy)),
		     hex ? "number (decimal or 0x...)" : "decimal number",
		     (unsigned long long)max);
	return 0;
}

uint64_t fields_number(struct fields *f, const char *what, uint64_t max,
		       bool hex)
{
	return fields_parse(f, fields_word(f, what), what, max, hex);
}

struct word fields_keyed(struct fields *f, const char *key)
{
	const size_t len = strlen(key);
	struct word w = fields_word(f, key);
	char copy[48];

	if (f->bad)
		return w;
	if (w.len <= len || memcmp(w.text, key, len) || w.text[len] != '=') {
		fields_error(f, "\"%s\" found; %s=VALUE is expected",
			     word_copy(w, copy, sizeof(copy)), key);
		return (struct word){ "", 0 };
	}
	return (struct word){ w.text + len + 1, w.len - len - 1 };
}

uint64_t fields_keyed_number(struct fields *f, const char *key, uint64_t max)
{
	return fields_parse(f, fields_keyed(f, key), key, max, false);
}
