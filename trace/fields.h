/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fields of one line, separated by blanks, with the column of each for
 * messages. Only trace/ includes this. After the first error in a line every
 * further call returns zero and stays silent, so a parser reads all fields and
 * looks at `bad` once.
 */
#ifndef TRACE_FIELDS_H
#define TRACE_FIELDS_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>

#include "include/types.h"
#include "trace/line_reader.h"

struct fields {
	const char *file;
	struct diag *diag;
	struct line line;
	const char *at;   /* next byte to read */
	const char *last; /* start of the field read last */
	bool bad;
};

struct word {
	const char *text;
	size_t len;
};

static inline void fields_start(struct fields *f, const struct line *line)
{
	f->line = *line;
	f->at = f->last = line->text;
	f->bad = false;
}

/* Message at the field read last; marks the line bad. */
__attribute__((format(printf, 2, 3), cold))
void fields_error(struct fields *f, const char *fmt, ...);
/* Next word; `what` names the field if it is missing. */
struct word fields_word(struct fields *f, const char *what);
bool fields_at_end(struct fields *f);
/* Error if anything is left. */
void fields_end(struct fields *f);
/* Decimal (or 0x hexadecimal if `hex`) number in [0, max]. */
uint64_t fields_number(struct fields *f, const char *what, uint64_t max,
		       bool hex);
/* The number in a word that was already read, or in part of one. */
uint64_t fields_parse(struct fields *f, struct word w, const char *what,
		      uint64_t max, bool hex);
/* "key=value": the value, with the key checked. */
struct word fields_keyed(struct fields *f, const char *key);
uint64_t fields_keyed_number(struct fields *f, const char *key, uint64_t max);

static inline bool word_is(struct word w, const char *text)
{
	return __builtin_strlen(text) == w.len &&
	       __builtin_memcmp(w.text, text, w.len) == 0;
}

/* A NUL-terminated copy, cut if too long, for messages and diag_nearest(). */
const char *word_copy(struct word w, char *out, size_t size);

#endif
