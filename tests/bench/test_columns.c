/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The table that an experiment asks for: its words, its rows, its numbers. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bench/columns.h"
#include "bench/table.h"
#include "tests/bench/results_fixture.h"
#include "tests/test.h"

static const struct fixture_cell cells[] = {
	{ "none", "page_fault1", 0, 1, 1000, 2, 0, 0, 0, 0 },
	{ "none", "page_fault2", 0, 1, 500, 2, 0, 0, 0, 0 },
	{ "enabled", "page_fault1", 0, 1, 990, 1, 1280, 0, 0, 0 },
	{ "enabled", "page_fault2", 0, 1, 400, 1, 640, 0, 0, 0 },
};

static char *print_columns(const char *columns, enum report_format format,
			   int *err)
{
	struct fixture f;
	struct results r;
	char why[400] = "";
	FILE *out = tmpfile();

	assert_non_null(out);
	fixture_make(&f, cells, ARRAY_SIZE(cells));
	fixture_read(&f, &r);
	*err = report_columns(&r, &(struct report_request){
			      .columns = columns, .format = format }, out, why,
			      sizeof(why));
	if (*err)
		fputs(why, out);
	results_free(&r);
	fixture_remove(&f);
	return fixture_text(out);
}

static void assert_has(const char *text, const char *part)
{
	if (!strstr(text, part))
		fail_msg("no\n%s\nin\n%s", part, text);
}

static void test_columns__rows_by_workload_then_variant(void **state)
{
	/* A ratio is to the first variant of the same workload. */
	int err;
	char *text = print_columns("throughput ratio refaults", REPORT_MD,
				   &err);

	(void)state;
	assert_int_equal(err, 0);
	assert_has(text,
"| variant | workload | iterations/s | ratio | refaults |\n"
"|---|---:|---:|---:|---:|\n"
"| none | page_fault1 | 1000 | 1.0000 | 0 |\n"
"| enabled | page_fault1 | 990 | 0.9900 | 1280 |\n"
"| none | page_fault2 | 500 | 1.0000 | 0 |\n"
"| enabled | page_fault2 | 400 | 0.8000 | 640 |\n");
	free(text);
}

static void test_columns__counters_and_phases_can_be_asked_for(void **state)
{
	/* The same column of two phases; a counter under its own name. */
	int err;
	char *text = print_columns("measure:seconds,"
				   "host.ept_violation_zero_2m",
				   REPORT_CSV, &err);

	(void)state;
	assert_int_equal(err, 0);
	assert_has(text, ",host.ept_violation_zero_2m,,1280,1280,1280\n");
	free(text);
}

static void test_columns__unknown_words_are_named(void **state)
{
	static const struct { const char *columns, *why; } rows[] = {
		{ "refualts", "did you mean 'refaults'?" },
		{ "ratio reporter.pagse", "did you mean 'reporter.pages'?" },
		{ "fil:resident", "'fil' is not a phase" },
		{ "a b c d e", "'a' is neither" },
	};

	(void)state;
	for (unsigned int i = 0; i < ARRAY_SIZE(rows); i++) {
		int err;
		char *text = print_columns(rows[i].columns, REPORT_TABLE,
					   &err);

		assert_int_equal(err, -EINVAL);
		assert_has(text, rows[i].why);
		free(text);
	}
}

static void test_columns__bounds_of_the_text(void **state)
{
	/* 32 columns are possible, 33 and endless words are not. */
	static const char *const phases[] = { NULL };
	char text[33 * 6 + 1], why[400];
	char word[300];

	(void)state;
	for (unsigned int i = 0; i < 33; i++)
		snprintf(text + i * 6, 7, "ratio ");
	text[32 * 6] = '\0';
	assert_int_equal(columns_check(text, phases, why, sizeof(why)), 0);
	text[32 * 6] = 'r';
	assert_int_equal(columns_check(text, phases, why, sizeof(why)),
			 -EINVAL);
	memset(word, 'x', sizeof(word));
	word[sizeof(word) - 1] = '\0';
	assert_int_equal(columns_check(word, phases, why, sizeof(why)),
			 -EINVAL);
}

static void test_columns__every_one_says_what_it_is(void **state)
{
	/* The list ends, names are unique, and all are accepted. */
	static const char *const phases[] = { NULL };
	char why[400];
	size_t i, k;

	(void)state;
	for (i = 0; columns_list(i)->name; i++) {
		assert_true(columns_list(i)->help[0]);
		assert_int_equal(columns_check(columns_list(i)->name, phases,
					       why, sizeof(why)), 0);
		for (k = 0; k < i; k++)
			assert_string_not_equal(columns_list(i)->name,
						columns_list(k)->name);
	}
	assert_true(i > 20);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_columns__rows_by_workload_then_variant),
	cmocka_unit_test(test_columns__counters_and_phases_can_be_asked_for),
	cmocka_unit_test(test_columns__unknown_words_are_named),
	cmocka_unit_test(test_columns__bounds_of_the_text),
	cmocka_unit_test(test_columns__every_one_says_what_it_is),
};

TEST_MAIN(tests)
