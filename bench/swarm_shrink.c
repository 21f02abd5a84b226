/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Delta debugging of a cell's text, after Zeller and Hildebrandt, "Simplifying
 * and Isolating Failure-Inducing Input" (IEEE TSE 28:2, 2002): whole sections
 * go first, then runs of lines, half as long each time, then values become
 * smaller; from the beginning again as long as anything went.
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
	const struct swarm_options *o;
	const char *why;
	struct swarm_text *best, *trial;
	char *printed;
	unsigned int runs, limit;
	int err;
};

/* The words, with # for every number: values and places may move. */
static void normalise(const char *why, char out[SWARM_WHY_SIZE])
{
	const char *broken = strstr(why, "invariant broken: ");
	size_t n = 0;

	/* Which injection was on does not matter. */
	if (broken)
		why = broken;
	while (*why && n < SWARM_WHY_SIZE - 1) {
		if (!isdigit((unsigned char)*why)) {
			out[n++] = *why++;
			continue;
		}
		out[n++] = '#';
		while (isxdigit((unsigned char)*why) || *why == 'x')
			why++;
	}
	out[n] = '\0';
}

bool swarm_same_failure(const char *why, const char *other)
{
	char a[SWARM_WHY_SIZE], b[SWARM_WHY_SIZE];
	const char *is_check = strstr(why, "CHECK failed: ");

	/* Which digest it is does not matter, nor which counter differs. */
	if (!strncmp(why, "run-ahead: ", 11) &&
	    !strncmp(other, "run-ahead: ", 11))
		return true;
	normalise(why, a);
	normalise(other, b);
	/* Both values of a comparison are as they come. */
	if (is_check && strstr(why, "left = ") && strstr(other, "left = ")) {
		a[strcspn(a, ";")] = '\0';
		b[strcspn(b, ";")] = '\0';
	}
	return !strcmp(a, b);
}

/* Run the trial; if it fails like the original, it is the best there is. */
static bool try_it(struct shrinker *s)
{
	struct swarm_outcome out = { 0 };
	uint64_t cell;

	if (s->err || s->runs >= s->limit)
		return false;
	if (!swarm_text_print(s->trial, s->printed,
			      SWARM_MAX_LINES * SWARM_LINE_SIZE))
		return false;
	s->runs++;
	s->err = swarm_pool_start(s->pool, 0, s->printed);
	if (!s->err)
		s->err = swarm_pool_wait(s->pool, &cell, &out);
	if (s->err || out.verdict != SWARM_VIOLATION ||
	    !swarm_same_failure(out.why, s->why))
		return false;
	*s->best = *s->trial;
	return true;
}

/* Lines that were taken out are gone for good. */
static void compact(struct swarm_text *t)
{
	unsigned int i, n = 0;

	for (i = 0; i < t->nr; i++)
		if (t->line[i][0] && t->line[i][0] != '#') {
			if (n != i)
				memcpy(t->line[n], t->line[i],
				       SWARM_LINE_SIZE);
			n++;
		}
	t->nr = n;
}

/* Without lines [from, from + len); a header goes only if asked. */
static bool without(struct shrinker *s, unsigned int from, unsigned int len,
		    bool headers)
{
	unsigned int i, gone = 0;

	*s->trial = *s->best;
	for (i = from; i < from + len && i < s->trial->nr; i++) {
		if (s->trial->line[i][0] == '[' && !headers)
			continue;
		s->trial->line[i][0] = '\0';
		gone++;
	}
	if (!gone)
		return false;
	compact(s->trial);
	return try_it(s);
}

static unsigned int section_end(const struct swarm_text *t, unsigned int i)
{
	for (i++; i < t->nr && t->line[i][0] != '['; i++)
		;
	return i;
}

/* From the end on: what comes late often refers to what is before. */
static bool drop_sections(struct shrinker *s)
{
	bool any = false;
	unsigned int i = s->best->nr;

	while (i-- > 0)
		if (s->best->line[i][0] == '[' &&
		    without(s, i, section_end(s->best, i) - i, true))
			any = true;
	return any;
}

static bool drop_lines(struct shrinker *s)
{
	unsigned int len, from;
	bool any = false;

	for (len = s->best->nr / 2; len; len /= 2) {
		from = 0;
		while (from < s->best->nr)
			if (without(s, from, len, false))
				any = true;
			else
				from += len;
	}
	return any;
}

static bool try_value(struct shrinker *s, unsigned int i, const char *value)
{
	const char *line = s->best->line[i];
	const int key = (int)strcspn(line, "=");

	if (!line[key] || !strcmp(line + key + 2, value))
		return false;
	*s->trial = *s->best;
	snprintf(s->trial->line[i], SWARM_LINE_SIZE, "%.*s= %s", key, line,
		 value);
	return try_it(s);
}

/* A number with its unit: half of it, as long as that will do. */
static bool halve(struct shrinker *s, unsigned int i)
{
	char value[64];
	bool any = false;
	uint64_t n;

	for (;;) {
		const char *at = strchr(s->best->line[i], '=');
		char *unit;

		if (!at || !isdigit((unsigned char)at[2]))
			return any;
		n = strtoull(at + 2, &unit, 10);
		/* 1.5G, 0x and lists stay. */
		if (strcspn(unit, "., ") < strlen(unit) || n < 2)
			return any;
		snprintf(value, sizeof(value), "%" PRIu64 "%.8s", n / 2, unit);
		if (!try_value(s, i, value))
			return any;
		any = true;
	}
}

/* Simple values for anything; what a key does not take is refused at once. */
static bool simplify(struct shrinker *s, unsigned int i)
{
	static const char *const words[] = { "0", "1", "off", "none", "mock",
					     "memhog", "core:1 pu:1", "6.1" };
	const char *at = strchr(s->best->line[i], '=');
	const char *nr = at ? at + 2 : "";
	size_t k;

	if (!at)
		return false;
	for (k = 0; k < sizeof(words) / sizeof(words[0]); k++) {
		const bool number = words[k][1] == '\0';

		if (number != !!isdigit((unsigned char)*nr))
			continue;
		if (!strcmp(nr, words[k]))
			return false;
		if (try_value(s, i, words[k]))
			return true;
	}
	return false;
}

static bool smaller_values(struct shrinker *s)
{
	bool any = false;
	unsigned int i;

	for (i = 0; i < s->best->nr; i++) {
		if (s->best->line[i][0] == '[')
			continue;
		if (simplify(s, i))
			any = true;
		if (halve(s, i))
			any = true;
	}
	return any;
}

int swarm_shrink(struct swarm_pool *p, const struct swarm_options *o,
		 struct swarm_text *t, const char *why, unsigned int runs,
		 struct swarm_shrunk *out)
{
	struct shrinker s = { .pool = p, .o = o, .why = why, .best = t,
			      .limit = runs };
	bool again;

	*out = (struct swarm_shrunk){ .lines_before = swarm_text_lines(t) };
	s.trial = malloc(sizeof(*s.trial));
	s.printed = malloc(SWARM_MAX_LINES * SWARM_LINE_SIZE);
	if (!s.trial || !s.printed)
		s.err = -ENOMEM;
	compact(t);
	do {
		again = drop_sections(&s);
		again |= drop_lines(&s);
		again |= smaller_values(&s);
	} while (again && !s.err && s.runs < s.limit);
	out->runs = s.runs;
	out->lines = swarm_text_lines(t);
	out->complete = !again && !s.err && s.runs < s.limit;
	free(s.printed);
	free(s.trial);
	return s.err;
}
