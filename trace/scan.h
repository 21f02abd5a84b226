/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Byte scanners of the importers: each takes a place in a NUL-terminated line
 * and returns the first byte behind what it read, or NULL if that is not what
 * stands there. Only trace/ includes this.
 */
#ifndef TRACE_SCAN_H
#define TRACE_SCAN_H

#include "include/types.h"

static inline bool scan_is_digit(char c)
{
	return (unsigned char)(c - '0') < 10;
}

static inline bool scan_is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static inline const char *scan_blanks(const char *p)
{
	while (scan_is_blank(*p))
		p++;
	return p;
}

/* To the blank or the end behind a word. */
static inline const char *scan_word(const char *p)
{
	while (*p && !scan_is_blank(*p))
		p++;
	return p;
}

/* Decimal digits; NULL if there is none or the number has more than 64 bits. */
static inline const char *scan_decimal(const char *p, uint64_t *out)
{
	const char *start = p;
	uint64_t v = 0;

	while (scan_is_digit(*p)) {
		const unsigned int digit = (unsigned int)(*p++ - '0');

		/* Nineteen digits always fit. */
		if (p - start > 19 &&
		    (__builtin_mul_overflow(v, 10, &v) ||
		     __builtin_add_overflow(v, digit, &v)))
			return NULL;
		if (p - start <= 19)
			v = v * 10 + digit;
	}
	*out = v;
	return p == start ? NULL : p;
}

static inline int scan_hex_digit(char c)
{
	if (scan_is_digit(c))
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Decimal, or hexadecimal behind 0x. */
static inline const char *scan_number(const char *p, uint64_t *out)
{
	const char *start;
	uint64_t v = 0;
	int digit;

	if (p[0] != '0' || p[1] != 'x')
		return scan_decimal(p, out);
	start = p += 2;
	while ((digit = scan_hex_digit(*p)) >= 0) {
		if (v >> 60)
			return NULL;
		v = v << 4 | (unsigned int)digit;
		p++;
	}
	*out = v;
	return p == start ? NULL : p;
}

/*
 * SEC.FRACTION with one to nine digits behind the point, as nanoseconds; a
 * clock that counts (no point) as it is.
 */
static inline const char *scan_time(const char *p, uint64_t *ns)
{
	static const uint32_t unit[] = {
		0, 100000000, 10000000, 1000000, 100000, 10000, 1000, 100, 10,
		1,
	};
	const char *start;
	uint64_t sec;
	uint32_t fraction = 0;

	p = scan_decimal(p, &sec);
	if (!p || *p != '.') {
		*ns = p ? sec : 0;
		return p;
	}
	start = ++p;
	while (scan_is_digit(*p) && p - start < 9)
		fraction = fraction * 10 + (uint32_t)(*p++ - '0');
	if (p == start || scan_is_digit(*p) ||
	    __builtin_mul_overflow(sec, NSEC_PER_SEC, &sec) ||
	    __builtin_add_overflow(sec, (uint64_t)fraction * unit[p - start],
				   ns))
		return NULL;
	return p;
}

#endif
