/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Spelling of messages, their limit, and the guess at what was meant. */
#include <stdlib.h>
#include <string.h>

#include "include/diag.h"
#include "tests/test.h"

static void test_diag__place_is_spelled_as_far_as_known(void **state)
{
	/* A message starts with file, line and column, where there are any. */
	static const struct {
		struct diag_place at;
		const char *expected;
	} rows[] = {
		{ { "a.ini", 3, 7 }, "a.ini:3:7: error: bad 5" },
		{ { "a.ini", 3, 0 }, "a.ini:3: error: bad 5" },
		{ { "a.ini", 0, 0 }, "a.ini: error: bad 5" },
		{ { NULL, 0, 0 }, "error: bad 5" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct diag d = { 0 };

		diag_error(&d, rows[i].at, "bad %d", 5);
		assert_string_equal(d.last, rows[i].expected);
		ASSERT_U64(rows[i].expected, d.nr_errors, 1);
	}
}

static void test_diag__warnings_are_not_errors(void **state)
{
	/* A warning is printed but does not count. */
	struct diag d = { 0 };

	(void)state;
	diag_warning(&d, (struct diag_place){ "a.ini", 1, 1 }, "odd");
	assert_string_equal(d.last, "a.ini:1:1: warning: odd");
	ASSERT_U64("errors", d.nr_errors, 0);
}

static void test_diag__prints_no_control_characters(void **state)
{
	/* Escapes in a name and in a message, and a name of 600 letters. */
	const struct diag_place at = { "a\033[2J", 1, 2 };
	struct diag d = { 0 };
	char name[601] = "", *text = NULL;
	size_t size = 0;

	(void)state;
	memset(name, 'n', sizeof(name) - 1);
	d.out = open_memstream(&text, &size);
	assert_non_null(d.out);
	diag_error(&d, at, "'%s'", "\033[31m\n.\177");
	diag_error(&d, (struct diag_place){ .file = name }, "what is wrong");
	fclose(d.out);
	assert_memory_equal(text, "a?[2J:1:2: error: '?[31m?.?'\n", 29);
	assert_non_null(strstr(text, "n: error: what is wrong\n"));
	free(text);
}

static void test_diag__output_stops_at_the_limit(void **state)
{
	/* Ten errors with a limit of two: two lines, then one that says so. */
	const struct diag_place at = { "a.ini", 1, 1 };
	struct diag d = { .max_errors = 2 };
	char *text = NULL;
	size_t size = 0;

	(void)state;
	d.out = open_memstream(&text, &size);
	assert_non_null(d.out);
	for (int i = 0; i < 10; i++)
		diag_error(&d, at, "number %d", i);
	diag_warning(&d, at, "late");
	fclose(d.out);
	assert_string_equal(text, "a.ini:1:1: error: number 0\n"
				  "a.ini:1:1: error: number 1\n"
				  "more than 2 errors; the rest is not shown\n");
	ASSERT_U64("errors", d.nr_errors, 10);
	free(text);
}

static void test_diag__long_messages_are_cut(void **state)
{
	/* A message longer than the buffer is cut, and ends in a NUL. */
	char file[600], word[600];
	struct diag d = { 0 };

	(void)state;
	memset(word, 'x', sizeof(word) - 1);
	word[sizeof(word) - 1] = '\0';
	diag_error(&d, (struct diag_place){ "a.ini", 1, 1 }, "%s", word);
	ASSERT_U64("text", strlen(d.last), sizeof(d.last) - 1);
	memcpy(file, word, sizeof(file));
	diag_error(&d, (struct diag_place){ file, 1, 1 }, "%s", word);
	ASSERT_U64("file", strlen(d.last), sizeof(d.last) - 1);
}

static void test_diag__nearest_finds_slips_only(void **state)
{
	/* Typing slips find their word; other words find nothing. */
	static const char *const names[] = {
		"memory", "guest_mem", "cpus", "topology", "shuffle",
		"duration", NULL,
	};
	static const struct {
		const char *word, *expected;
	} rows[] = {
		{ "memory", "memory" },
		{ "memry", "memory" },      /* left out */
		{ "memoryy", "memory" },    /* doubled */
		{ "mempry", "memory" },     /* wrong key */
		{ "mmeory", "memory" },     /* swapped */
		{ "gest_mem", "guest_mem" },
		{ "cpu", "cpus" },
		{ "topolgoy", "topology" },
		{ "durration", "duration" },
		{ "elephant", NULL },
		{ "x", NULL },
		{ "", NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *found = diag_nearest(rows[i].word, names);

		if (!found != !rows[i].expected ||
		    (found && strcmp(found, rows[i].expected)))
			fail_msg("'%s': found %s, expected %s", rows[i].word,
				 found ? found : "nothing",
				 rows[i].expected ? rows[i].expected :
						    "nothing");
	}
}

static void test_diag__nearest_takes_the_first_of_equals(void **state)
{
	/* Two names at the same distance: the table's order decides. */
	static const char *const names[] = { "page_fault1", "page_fault2",
					     NULL };

	(void)state;
	assert_string_equal(diag_nearest("page_fault3", names), "page_fault1");
}

static void test_diag__nearest_survives_long_words(void **state)
{
	/* Words and names longer than the table of distances are skipped. */
	char word[200];
	const char *names[] = { word, "memory", NULL };

	(void)state;
	memset(word, 'm', sizeof(word) - 1);
	word[sizeof(word) - 1] = '\0';
	assert_null(diag_nearest(word, names));
	assert_string_equal(diag_nearest("memoy", names), "memory");
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(test_diag__place_is_spelled_as_far_as_known),
	cmocka_unit_test(test_diag__warnings_are_not_errors),
	cmocka_unit_test(test_diag__prints_no_control_characters),
	cmocka_unit_test(test_diag__output_stops_at_the_limit),
	cmocka_unit_test(test_diag__long_messages_are_cut),
	cmocka_unit_test(test_diag__nearest_finds_slips_only),
	cmocka_unit_test(test_diag__nearest_takes_the_first_of_equals),
	cmocka_unit_test(test_diag__nearest_survives_long_words),
};

TEST_MAIN(cases)
