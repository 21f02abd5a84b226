/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Lines of a text file, plain or zstd-compressed, read as a stream with
 * bounded memory. Which of the two it is, is told from the first bytes, not
 * from the name. Several zstd frames in a row are one text; skippable frames
 * are passed over.
 */
#ifndef TRACE_LINE_READER_H
#define TRACE_LINE_READER_H

#include <stddef.h>

#include "include/diag.h"

/* A longer line is an error: no record comes near it. */
#define LINE_MAX_BYTES 4096u
/* No more text than this can be looked at ahead. */
#define LINE_READER_PEEK (64u * 1024)

struct line {
	const char *text;    /* without the newline, NUL-terminated */
	size_t len;
	unsigned int number; /* counts from 1 */
};

struct line_reader;

/*
 * 0, or a negative errno after one message on `d`. `path` must outlive the
 * reader; messages name it. "-" reads standard input.
 */
int line_reader_open(struct line_reader **out, const char *path,
		     struct diag *d);
/* NULL is accepted. */
void line_reader_close(struct line_reader *r);
/*
 * 1 and the next line (valid until the next call), 0 at the end of the file,
 * or a negative errno after a message: -EIO (the file cannot be read),
 * -EBADMSG (cut short or damaged), -EINVAL (not text). Errors are final: each
 * further call returns the same one without a message.
 */
int line_reader_next(struct line_reader *r, struct line *out);
/*
 * The text that comes next, without taking it: at least `want` bytes unless it
 * ends before (up to LINE_READER_PEEK). Valid until the next call. 0 or a
 * negative errno after a message.
 */
int line_reader_peek(struct line_reader *r, size_t want, const char **text,
		     size_t *len);

#endif
