/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Text that others wrote, for a terminal: control characters of ASCII and of
 * Unicode (U+0080 to U+009F, where U+009B begins a sequence as ESC [ does) and
 * bytes that are no UTF-8 must not reach it, for they move the cursor, change
 * colours or answer for the user.
 */
#ifndef INCLUDE_PLAIN_H
#define INCLUDE_PLAIN_H

#include <stddef.h>
#include <stdio.h>

/* Bytes of the character at text; 0 if it must not be shown as it is. */
size_t plain_length(const char *text);

/* Each character that must not be shown becomes a question mark. */
void plain_put(const char *text, FILE *out);

/* As plain_put(), cut off behind a whole character, and closed by NUL. */
void plain_copy(char *out, size_t size, const char *text);

#endif
