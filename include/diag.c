/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Messages about bad input and the search for the name that was meant.
 *
 * The spelling `file:line:column: error: ...` is the one that editors and CI
 * annotations know. A sink goes on after an error, so that one run of the
 * program shows every mistake of a file.
 */
#include "include/diag.h"

#include <string.h>

#include "include/plain.h"

#define DIAG_DEFAULT_MAX 50
#define DIAG_TEXT_SIZE 1024

static unsigned int diag_max(const struct diag *d)
{
	return d->max_errors ? d->max_errors : DIAG_DEFAULT_MAX;
}

/* `file:line:column: ` of what is known of the place; returns its length. */
static size_t format_place(char *out, size_t size, struct diag_place at)
{
	int len;

	if (!at.file)
		len = snprintf(out, size, "%s", "");
	else if (!at.line)
		len = snprintf(out, size, "%s: ", at.file);
	else if (!at.column)
		len = snprintf(out, size, "%s:%u: ", at.file, at.line);
	else
		len = snprintf(out, size, "%s:%u:%u: ", at.file, at.line,
			       at.column);
	if (len < 0)
		return 0;
	return (size_t)len < size ? (size_t)len : size - 1;
}

/* The place in full, however long the name of the file is. */
static void print(FILE *out, struct diag_place at, const char *severity,
		  const char *text)
{
	if (at.file)
		plain_put(at.file, out);
	if (at.file && at.line)
		fprintf(out, ":%u", at.line);
	if (at.file && at.line && at.column)
		fprintf(out, ":%u", at.column);
	fprintf(out, "%s%s: ", at.file ? ": " : "", severity);
	plain_put(text, out);
	fputc('\n', out);
}

__attribute__((format(printf, 4, 0)))
static void emit(struct diag *d, struct diag_place at, const char *severity,
		 const char *fmt, va_list args)
{
	char text[DIAG_TEXT_SIZE];
	size_t len = format_place(d->last, sizeof(d->last), at);

	va_list again;
	int n = snprintf(d->last + len, sizeof(d->last) - len, "%s: ",
			 severity);

	va_copy(again, args);
	vsnprintf(text, sizeof(text), fmt, again);
	va_end(again);
	if (n > 0)
		len += (size_t)n;
	if (len < sizeof(d->last))
		vsnprintf(d->last + len, sizeof(d->last) - len, fmt, args);
	if (d->out && d->nr_errors <= diag_max(d))
		print(d->out, at, severity, text);
}

void diag_error(struct diag *d, struct diag_place at, const char *fmt, ...)
{
	const unsigned int max = diag_max(d);
	va_list args;

	d->nr_errors++;
	va_start(args, fmt);
	emit(d, at, "error", fmt, args);
	va_end(args);
	if (d->out && d->nr_errors == max + 1)
		fprintf(d->out, "more than %u errors; the rest is not shown\n",
			max);
}

void diag_warning(struct diag *d, struct diag_place at, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	emit(d, at, "warning", fmt, args);
	va_end(args);
}

#define NEAREST_MAX_LEN 64

static unsigned int min3(unsigned int a, unsigned int b, unsigned int c)
{
	const unsigned int ab = a < b ? a : b;

	return ab < c ? ab : c;
}

/*
 * Edits that turn a into b: insert, delete, replace, or swap two neighbours,
 * the four slips of a keyboard. Both are at most NEAREST_MAX_LEN long.
 */
static unsigned int edit_distance(const char *a, size_t la, const char *b,
				  size_t lb)
{
	/* Rows i - 2, i - 1 and i of the table, reused in turn. */
	unsigned int rows[3][NEAREST_MAX_LEN + 1];

	for (size_t j = 0; j <= lb; j++)
		rows[0][j] = (unsigned int)j;
	for (size_t i = 1; i <= la; i++) {
		unsigned int *row = rows[i % 3];
		const unsigned int *prev = rows[(i + 2) % 3];
		const unsigned int *prev2 = rows[(i + 1) % 3];

		row[0] = (unsigned int)i;
		for (size_t j = 1; j <= lb; j++) {
			row[j] = min3(prev[j] + 1, row[j - 1] + 1,
				      prev[j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] &&
			    a[i - 2] == b[j - 1] && prev2[j - 2] + 1 < row[j])
				row[j] = prev2[j - 2] + 1;
		}
	}
	return rows[la % 3][lb];
}

const char *diag_nearest(const char *word, const char *const *names)
{
	const size_t len = strlen(word);
	/* A third of the word may be wrong; more is a different word. */
	unsigned int best = (unsigned int)(len + 2) / 3 + 1;
	const char *found = NULL;

	if (len < 2 || len > NEAREST_MAX_LEN)
		return NULL;
	for (; *names; names++) {
		const size_t name_len = strlen(*names);
		unsigned int distance;

		if (name_len > NEAREST_MAX_LEN)
			continue;
		distance = edit_distance(word, len, *names, name_len);
		if (distance < best) {
			best = distance;
			found = *names;
		}
	}
	return found;
}
