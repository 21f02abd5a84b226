/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Text of results inside XML and HTML. */
#ifndef BENCH_MARKUP_H
#define BENCH_MARKUP_H

#include <stdio.h>

/*
 * As content or as an attribute in double quotes. XML 1.0 has no control
 * characters, escaped or not: all but newline and tab become '?'.
 */
void markup_text(const char *text, FILE *out);

#endif
