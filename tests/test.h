/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What every test program shares: the includes that cmocka.h wants before it,
 * main() with a name filter, and assertions that print 64-bit values whole.
 *
 *     test_buddy                   runs all cases
 *     test_buddy '*merge*'         runs those whose names match
 */
#ifndef TESTS_TEST_H
#define TESTS_TEST_H

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

/* main() of a program whose cases are the array `cases`. */
#define TEST_MAIN(cases)                                                      \
	int main(int argc, char **argv)                                       \
	{                                                                     \
		if (argc > 1)                                                 \
			cmocka_set_test_filter(argv[1]);                      \
		/* CMocka counts failures; 77 of them are not a skip. */      \
		return cmocka_run_group_tests(cases, NULL, NULL) ? 1 : 0;     \
	}

/* Number of a table's row as text for ASSERT_U64; valid until the next call. */
static inline const char *test_row(unsigned int i)
{
	static _Thread_local char text[16];

	snprintf(text, sizeof(text), "row %u", i);
	return text;
}

/* Equal as uint64_t; the message names the row of a table and both values. */
#define ASSERT_U64(row, actual, expected)                                     \
	do {                                                                  \
		const uint64_t actual_ = (uint64_t)(actual);                  \
		const uint64_t expected_ = (uint64_t)(expected);              \
		if (actual_ != expected_)                                     \
			fail_msg("%s: " #actual " is %" PRIu64                \
				 ", expected %" PRIu64, (row), actual_,       \
				 expected_);                                  \
	} while (0)

#endif
