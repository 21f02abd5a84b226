/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Text that is safe to show. No locale is asked: what is shown is the same for
 * everyone. Leaves out: characters that turn the direction of writing.
 */
#include "include/plain.h"

#include <string.h>

/* Bytes that a character with this first byte has; 0 if there is none. */
static size_t sequence_length(unsigned char first)
{
	if (first < 0x80)
		return 1;
	if (first >= 0xc2 && first <= 0xdf)
		return 2;
	if (first >= 0xe0 && first <= 0xef)
		return 3;
	return first >= 0xf0 && first <= 0xf4 ? 4 : 0;
}

/* Is the second byte in the range that the first one leaves to it? */
static int second_fits(unsigned char first, unsigned char second)
{
	switch (first) {
	case 0xe0:
		return second >= 0xa0;
	case 0xed:
		return second <= 0x9f;
	case 0xf0:
		return second >= 0x90;
	case 0xf4:
		return second <= 0x8f;
	case 0xc2:
		return second >= 0xa0;
	default:
		return 1;
	}
}

size_t plain_length(const char *text)
{
	const unsigned char first = (unsigned char)text[0];
	const size_t len = sequence_length(first);

	if (len == 1)
		return first >= ' ' && first != 0x7f;
	for (size_t i = 1; i < len; i++)
		if (((unsigned char)text[i] & 0xc0) != 0x80)
			return 0;
	return len && second_fits(first, (unsigned char)text[1]) ? len : 0;
}

/* Bytes that one question mark stands for. */
static size_t bad_length(const char *text)
{
	return (unsigned char)text[0] == 0xc2 &&
	       ((unsigned char)text[1] & 0xc0) == 0x80 ? 2 : 1;
}

void plain_put(const char *text, FILE *out)
{
	while (*text) {
		const size_t len = plain_length(text);

		if (len)
			fwrite(text, 1, len, out);
		else
			fputc('?', out);
		text += len ? len : bad_length(text);
	}
}

void plain_copy(char *out, size_t size, const char *text)
{
	size_t at = 0;

	while (*text) {
		const size_t len = plain_length(text);

		if (at + (len ? len : 1) >= size)
			break;
		if (len)
			memcpy(out + at, text, len);
		else
			out[at] = '?';
		at += len ? len : 1;
		text += len ? len : bad_length(text);
	}
	if (size)
		out[at] = '\0';
}
