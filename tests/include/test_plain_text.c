/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Text for a terminal: what is shown, what becomes a question mark. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "include/diag.h"
#include "include/plain.h"

static const struct row { const char *text, *shown; } rows[] = {
	{ "", "" },
	{ "page_reporting+shuffle", "page_reporting+shuffle" },
	{ "\033[2J\007\177", "?[2J??" },
	{ "a\tb\nc\r", "a?b?c?" },
	/* U+009B, by which some terminals begin a sequence; U+0080. */
	{ "x\302\23331m\302\200", "x?31m?" },
	{ "\302\240\303\244\342\202\254\360\237\230\200",
	  "\302\240\303\244\342\202\254\360\237\230\200" },
	/* Alone, too long a spelling, half a pair, past the last, cut off. */
	{ "\233" "31m", "?31m" },
	{ "\300\233", "??" },
	{ "\340\202\233", "???" },
	{ "\360\200\202\233", "????" },
	{ "\355\240\200", "???" },
	{ "\364\220\200\200", "????" },
	{ "\342\202", "??" },
	{ "\302", "?" },
	{ "\377\376", "??" },
};

static void test_plain__no_control_character_is_shown(void **state)
{
	/* Scenario: each of the rows, as a stream and as a copy. */
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char *text = NULL, copy[64];
		size_t len = 0;
		FILE *out = open_memstream(&text, &len);

		assert_non_null(out);
		plain_put(rows[i].text, out);
		assert_int_equal(fclose(out), 0);
		if (strcmp(text, rows[i].shown))
			fail_msg("row %zu: '%s'", i, text);
		plain_copy(copy, sizeof(copy), rows[i].text);
		assert_string_equal(copy, rows[i].shown);
		free(text);
	}
}

static void test_plain__a_copy_ends_with_a_whole_character(void **state)
{
	/* Scenario: room for one, two, three and four bytes. */
	static const char *const want[] = { "", "a", "a", "a\303\244" };
	char copy[8];

	(void)state;
	for (size_t room = 1; room <= 4; room++) {
		memset(copy, 'x', sizeof(copy));
		plain_copy(copy, room, "a\303\244b");
		assert_string_equal(copy, want[room - 1]);
		assert_int_equal(copy[room], 'x');
	}
	plain_copy(copy, 0, "a");
}

static void test_diag__no_control_character_of_a_file_is_shown(void **state)
{
	/* Scenario: name and content begin sequences, the second with C1. */
	char *text = NULL;
	size_t len = 0;
	struct diag d = { .out = open_memstream(&text, &len) };

	(void)state;
	assert_non_null(d.out);
	diag_error(&d, (struct diag_place){ "\033c\302\2332J", 3, 4 },
		   "unknown '%s'", "\302\233" "31m\233");
	assert_int_equal(fclose(d.out), 0);
	assert_string_equal(text, "?c?2J:3:4: error: unknown '?31m?'\n");
	free(text);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plain__no_control_character_is_shown),
		cmocka_unit_test(
			test_plain__a_copy_ends_with_a_whole_character),
		cmocka_unit_test(
			test_diag__no_control_character_of_a_file_is_shown),
	};

	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
