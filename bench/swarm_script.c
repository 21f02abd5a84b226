/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Delta debugging of a script, after Zeller and Hildebrandt (swarm_shrink.c):
 * runs of lines, half as long each time, then words from the ends of lines,
 * then numbers. A trial leaves out what cannot run any more, so what remains of
 * it is what its log says: a script without a mistake that ends where it fails.
 */
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/swarm.h"

struct shrinker {
	struct swarm_pool *pool;
	const char *why;
	char *best, *trial;       /* of `size` bytes */
	size_t size;
	unsigned int runs, limit;
	int err;
};

static unsigned int count_lines(const char *text)
{
	unsigned int n = 0;

	for (; *text; text++)
		n += *text == '\n';
	return n;
}

/* Begin of line i, or the end. */
static char *line_at(char *text, unsigned int i)
{
	for (; i && *text; text++)
		i -= *text == '\n';
	return text;
}

/* Run the trial; what ran of it is the best if it fails like the original. */
static bool try_it(struct shrinker *s)
{
	struct swarm_outcome out = { 0 };
	const char *ran;
	uint64_t cell;

	if (s->err || s->runs >= s->limit)
		return false;
	s->runs++;
	s->err = swarm_pool_start(s->pool, 0, s->trial);
	if (!s->err)
		s->err = swarm_pool_wait(s->pool, &cell, &out);
	if (s->err || out.verdict != SWARM_VIOLATION ||
	    !swarm_same_failure(out.why, s->why))
		return false;
	ran = swarm_pool_log(s->pool);
	/* No progress: other words for the same. */
	if (!strcmp(ran, s->best))
		return false;
	snprintf(s->best, s->size, "%s", ran);
	return true;
}

/* The best without the bytes [from, to), with `value` there. */
static bool try_without(struct shrinker *s, const char *from, const char *to,
			const char *value)
{
	snprintf(s->trial, s->size, "%.*s%s%s", (int)(from - s->best), s->best,
		 value, to);
	return try_it(s);
}

static bool drop_lines(struct shrinker *s)
{
	unsigned int len, from;
	bool any = false;

	for (len = count_lines(s->best); len; len /= 2)
		for (from = 0; from < count_lines(s->best);) {
			const char *at = line_at(s->best, from);

			if (try_without(s, at, line_at(s->best, from + len),
					""))
				any = true;
			else
				from += len;
			if (s->err || s->runs >= s->limit)
				return any;
		}
	return any;
}

/* Options stand at the ends of lines. */
static bool drop_words(struct shrinker *s)
{
	bool any = false;
	unsigned int i;

	for (i = 0; i < count_lines(s->best); i++)
		for (;;) {
			char *at = line_at(s->best, i);
			char *end = at + strcspn(at, "\n"), *word = end;

			while (word > at && *word != ' ')
				word--;
			if (word == at || !try_without(s, word, end, ""))
				break;
			any = true;
		}
	return any;
}

static bool try_number(struct shrinker *s, char *at, uint64_t n)
{
	const char *end = at + strspn(at, "0123456789");
	char value[24];

	snprintf(value, sizeof(value), "%" PRIu64, n);
	return try_without(s, at, end, value);
}

/* Smaller ones to try: half may not be aligned as a page frame has to be. */
static bool smaller_once(struct shrinker *s, size_t offset)
{
	const uint64_t n = strtoull(s->best + offset, NULL, 10);
	const uint64_t tries[] = {
		0, n / 2, n / 2 & ~UINT64_C(15), n / 2 & ~UINT64_C(1023),
		n - n / 4, n <= 8 ? n - 1 : n,
	};
	unsigned int i, k;

	for (i = 0; n && i < sizeof(tries) / sizeof(tries[0]); i++) {
		for (k = 0; k < i && tries[k] != tries[i]; k++)
			;
		if (k == i && tries[i] < n &&
		    try_number(s, s->best + offset, tries[i]))
			return true;
	}
	return false;
}

static bool smaller_number(struct shrinker *s, size_t offset)
{
	bool any = false;

	/* What ran may have become shorter than that. */
	while (offset < strlen(s->best) &&
	       isdigit((unsigned char)s->best[offset]) &&
	       smaller_once(s, offset))
		any = true;
	return any;
}

static bool smaller_numbers(struct shrinker *s)
{
	bool any = false;
	size_t i;

	for (i = 1; i < strlen(s->best); i++) {
		const char before = s->best[i - 1];

		if (isdigit((unsigned char)s->best[i]) &&
		    (before == ' ' || before == '=') &&
		    smaller_number(s, i))
			any = true;
	}
	return any;
}

int swarm_script_shrink(struct swarm_pool *p, uint64_t cell, const char *why,
			unsigned int runs, char **text,
			struct swarm_shrunk *out)
{
	struct shrinker s = { .pool = p, .why = why, .limit = runs };
	struct swarm_outcome first;
	bool again = true;

	*text = NULL;
	*out = (struct swarm_shrunk){ 0 };
	s.err = swarm_pool_start(p, cell, NULL);
	if (!s.err)
		s.err = swarm_pool_wait(p, &cell, &first);
	if (s.err)
		return s.err;
	s.size = strlen(swarm_pool_log(p)) + 64;
	s.best = malloc(s.size);
	s.trial = malloc(s.size);
	if (!s.best || !s.trial) {
		free(s.best);
		free(s.trial);
		return -ENOMEM;
	}
	snprintf(s.best, s.size, "%s", swarm_pool_log(p));
	out->lines_before = count_lines(s.best);
	while (again && !s.err && s.runs < s.limit) {
		again = drop_lines(&s);
		again |= drop_words(&s);
		again |= smaller_numbers(&s);
	}
	out->runs = s.runs;
	out->lines = count_lines(s.best);
	out->complete = !again && !s.err && s.runs < s.limit;
	free(s.trial);
	*text = s.best;
	return s.err;
}
