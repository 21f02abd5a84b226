/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Times and sizes in words: the largest unit without a rest, and none lost. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "include/option.h"
#include "include/spell.h"
#include "include/types.h"
#include "tests/test.h"

static void test_spell__time_takes_the_largest_unit_without_rest(void **state)
{
	/* And the parser reads each of them as the same number. */
	static const struct {
		uint64_t ns;
		const char *text;
	} rows[] = {
		{ 0, "0ns" }, { 1, "1ns" }, { 999, "999ns" }, { 1000, "1us" },
		{ 1001, "1001ns" }, { 1000000, "1ms" }, { 250000000, "250ms" },
		{ 1000000000, "1s" }, { 59000000000, "59s" },
		{ 60000000000, "1m" }, { 90000000000, "90s" },
		{ 86400000000000, "1440m" },
		{ UINT64_MAX, "18446744073709551615ns" },
	};

	(void)state;
	for (unsigned int i = 0; i < ARRAY_SIZE(rows); i++) {
		char text[SPELL_SIZE];
		uint64_t ns = 0;

		spell_time(rows[i].ns, text);
		assert_string_equal(text, rows[i].text);
		assert_int_equal(parse_time(text, &ns), 0);
		ASSERT_U64(test_row(i), ns, rows[i].ns);
	}
}

static void test_spell__size_takes_the_largest_unit_without_rest(void **state)
{
	/* What is no multiple of 1K is in bytes. */
	static const struct {
		uint64_t bytes;
		const char *text;
	} rows[] = {
		{ 0, "0" }, { 1, "1 bytes" }, { 1023, "1023 bytes" },
		{ 1024, "1K" }, { 1025, "1025 bytes" }, { 1536 << 10, "1536K" },
		{ 16 << 20, "16M" }, { 3ull << 30, "3G" }, { 8ull << 40, "8T" },
		{ 1ull << 60, "1048576T" },
		{ UINT64_MAX, "18446744073709551615 bytes" },
	};

	(void)state;
	for (unsigned int i = 0; i < ARRAY_SIZE(rows); i++) {
		char text[SPELL_SIZE];

		spell_size(rows[i].bytes, text);
		assert_string_equal(text, rows[i].text);
	}
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(
		test_spell__time_takes_the_largest_unit_without_rest),
	cmocka_unit_test(
		test_spell__size_takes_the_largest_unit_without_rest),
};

TEST_MAIN(cases)
