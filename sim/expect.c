/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What an injection has to bring about: words, separated by blanks.
 *
 *     blocked !none_lost reporter.captures_lost>0
 *
 * A word stands for something that was seen in the run (inject_check.c), `!`
 * for its contrary, and a counter is compared with a number: what it has
 * counted since the injection began, in all guests.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/inject.h"

/* In the order of enum expect_word. */
static const char *const words[] = {
	"bounded", "none_lost", "unmarked", "no_retry", "not_discarded",
	"footprint_kept", "footprint_rises", "footprint_falls",
	"cold_but_backed", "no_refaults", "blocked", "guest_runs", "not_idle",
	"stall_is_wait", "list_left", "pass_ends", "spins", "not_in_flight",
	"merge_unmarked", "type_followed", "one_more_pass", "one_pass", "again",
	"marks_kept", "marks_honoured", "retry_pause", "removed_is_left", NULL
};
_Static_assert(ARRAY_SIZE(words) == NR_EXPECT_WORDS + 1, "words");

const char *expect_word_name(enum expect_word word)
{
	return words[word];
}

struct expect_row {
	enum inject_kind kind;
	const char *design;      /* NULL = all others */
	const char *text;
};

/* What the sources, and the promises of the designs, say. */
static const struct expect_row rows[] = {
	{ INJECT_REPORT_ERROR, "page_reporting",
	  "none_lost unmarked no_retry reporter.report_errors>0" },
	{ INJECT_REPORT_ERROR, "hinted_boundary",
	  "none_lost unmarked reporter.report_errors>0" },
	{ INJECT_REPORT_ERROR, NULL, "none_lost" },
	{ INJECT_HOST_REJECTS, "page_reporting",
	  "none_lost unmarked no_retry reporter.report_errors>0" },
	{ INJECT_HOST_REJECTS, "hinted_boundary",
	  "none_lost unmarked reporter.report_errors>0" },
	{ INJECT_HOST_REJECTS, NULL, "none_lost" },
	{ INJECT_HOST_IGNORES, "page_reporting",
	  "not_discarded footprint_kept cold_but_backed no_refaults" },
	{ INJECT_HOST_IGNORES, "hinted_boundary",
	  "not_discarded footprint_kept cold_but_backed no_refaults" },
	{ INJECT_HOST_IGNORES, NULL, "not_discarded footprint_kept" },
	{ INJECT_VFIO, NULL, "not_discarded footprint_kept no_refaults" },
	{ INJECT_POISON, NULL, "not_discarded" },
	{ INJECT_HOST_SLOW, "pull_bitmap", "stall_is_wait guest_runs" },
	{ INJECT_HOST_SLOW, "percpu_array",
	  "bounded guest_runs reporter.captures_lost>0" },
	{ INJECT_HOST_SLOW, NULL, "bounded guest_runs" },
	{ INJECT_HOST_HANGS, "page_reporting",
	  "blocked bounded guest_runs not_idle" },
	{ INJECT_HOST_HANGS, "hinted_boundary",
	  "blocked bounded guest_runs not_idle" },
	{ INJECT_HOST_HANGS, "balloon", "blocked guest_runs not_idle" },
	{ INJECT_HOST_HANGS, NULL, "guest_runs not_idle" },
	{ INJECT_ALLOC_FAILS, "page_reporting", "pass_ends none_lost" },
	{ INJECT_ALLOC_FAILS, "hinted_boundary", "spins none_lost" },
	{ INJECT_ALLOC_FAILS, "percpu_array", "none_lost" },
	{ INJECT_ISOLATE_REFUSED, "page_reporting",
	  "list_left none_lost reporter.report_errors=0" },
	{ INJECT_ISOLATE_REFUSED, "hinted_boundary",
	  "none_lost reporter.report_errors=0" },
	{ INJECT_ISOLATE_REFUSED, NULL, "none_lost" },
	{ INJECT_ALLOC_RACE, NULL, "not_in_flight none_lost" },
	{ INJECT_BUDDY_RACE, NULL, "merge_unmarked none_lost" },
	{ INJECT_TYPE_RACE, NULL, "type_followed none_lost" },
	{ INJECT_FREE_STORM, "page_reporting",
	  "one_more_pass one_pass none_lost" },
	{ INJECT_FREE_STORM, NULL, "none_lost" },
	{ INJECT_MIGRATE_RACE, NULL, "again" },
	{ INJECT_UNREGISTER, "page_reporting",
	  "marks_kept marks_honoured none_lost" },
	{ INJECT_UNREGISTER, NULL, "none_lost" },
	{ INJECT_CLOCK_JUMP, NULL, "one_pass none_lost" },
	{ INJECT_OOM_INFLATE, "balloon",
	  "retry_pause reporter.balloon_alloc_failures>0" },
	{ INJECT_HOST_KHUGEPAGED, NULL, "footprint_rises" },
	{ INJECT_HOST_PRESSURE, NULL, "guest_runs" },
	{ INJECT_HOT_REMOVE, NULL, "removed_is_left none_lost" },
};

const char *expect_default(enum inject_kind kind, const char *design)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(rows); i++)
		if (rows[i].kind == kind &&
		    (!rows[i].design || !strcmp(rows[i].design, design)))
			return rows[i].text;
	return "";
}

static bool parse_compare(const char *at, enum compare *how, size_t *len)
{
	static const struct {
		const char *text;
		enum compare how;
	} signs[] = {
		{ "<=", LESS_EQUAL }, { ">=", GREATER_EQUAL },
		{ "!=", NOT_EQUAL }, { "<", LESS }, { ">", GREATER },
		{ "=", EQUAL },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(signs); i++) {
		*len = strlen(signs[i].text);
		*how = signs[i].how;
		if (!strncmp(at, signs[i].text, *len))
			return true;
	}
	return false;
}

static int find_counter(const char *name, unsigned int *out, char *why,
			size_t why_size)
{
	struct sim_counter_desc *t = calloc(SIM_MAX_COUNTERS + 1, sizeof(*t));
	const char *names[SIM_MAX_COUNTERS + 1] = { 0 };
	const char *near;
	unsigned int i;
	int err = -EINVAL;

	if (!t) {
		snprintf(why, why_size, "out of memory");
		return -ENOMEM;
	}
	sim_counter_table(t);
	for (i = 0; t[i].name[0] && err; i++) {
		names[i] = t[i].name;
		if (!strcmp(t[i].name, name)) {
			*out = i;
			err = 0;
		}
	}
	near = err ? diag_nearest(name, names) : NULL;
	if (err)
		snprintf(why, why_size, "there is no counter '%s'%s%s%s; "
			 "buddylab list counters has them all", name,
			 near ? "; did you mean '" : "", near ? near : "",
			 near ? "'" : "");
	free(t);
	return err;
}

static int parse_counter(struct expect_item *item, const char *word, size_t at,
			 char *why, size_t why_size)
{
	char name[96];
	size_t len;

	snprintf(name, sizeof(name), "%.*s", (int)at, word);
	item->is_counter = true;
	if (!parse_compare(word + at, &item->how, &len) ||
	    parse_u64(word + at + len, &item->number)) {
		snprintf(why, why_size, "'%s' compares nothing; write "
			 "counter>=number, with <, <=, =, !=, >= or >", word);
		return -EINVAL;
	}
	return find_counter(name, &item->counter, why, why_size);
}

static int parse_word(struct expect_item *item, const char *word, char *why,
		      size_t why_size)
{
	size_t name = strcspn(word + (word[0] == '!'), "<>=");
	const char *near;
	unsigned int i;

	*item = (struct expect_item){ .negated = word[0] == '!' };
	snprintf(item->text, sizeof(item->text), "%s", word);
	word += item->negated;
	if (word[name]) {
		/* The name of `counter!=number` ends before its mark. */
		if (name > 0 && word[name - 1] == '!')
			name--;
		return parse_counter(item, word, name, why, why_size);
	}
	for (i = 0; words[i]; i++)
		if (!strcmp(words[i], word)) {
			item->word = (enum expect_word)i;
			return 0;
		}
	near = diag_nearest(word, words);
	snprintf(why, why_size, "'%s' is nothing that can be expected%s%s%s",
		 word, near ? "; did you mean '" : "; allowed are words and "
		 "counter>=number, see the manual of experiment files",
		 near ? near : "", near ? "'?" : "");
	return -EINVAL;
}

int expect_parse(struct expectation *e, const char *text, char *why,
		 size_t why_size)
{
	char word[96];
	size_t len;
	int err;

	e->nr = 0;
	for (text += strspn(text, " \t"); *text;
	     text += len, text += strspn(text, " \t")) {
		len = strcspn(text, " \t");
		if (e->nr == EXPECT_MAX_WORDS || len >= sizeof(word)) {
			snprintf(why, why_size, "too long: at most %d words of "
				 "%zu letters", EXPECT_MAX_WORDS,
				 sizeof(word) - 1);
			return -EINVAL;
		}
		snprintf(word, sizeof(word), "%.*s", (int)len, text);
		err = parse_word(&e->items[e->nr], word, why, why_size);
		if (err)
			return err;
		e->nr++;
	}
	return 0;
}
