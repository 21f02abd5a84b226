/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tables of results: what is in them, their shape, and the rules of a mail. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bench/table.h"
#include "tests/bench/results_fixture.h"
#include "tests/test.h"

/* 2 variants x 2 workloads x 2 tasks x 2 seeds, as an experiment plans them. */
static const struct fixture_cell published[] = {
	{ "baseline", "page_fault1", 1, 1, 1000000, 32, 0, 0, 0, 0 },
	{ "baseline", "page_fault1", 1, 2, 1002000, 32, 0, 0, 0, 0 },
	{ "baseline", "page_fault1", 16, 1, 8000000, 32, 0, 0, 0, 0 },
	{ "baseline", "page_fault1", 16, 2, 8000000, 32, 0, 0, 0, 0 },
	{ "baseline", "page_fault2", 1, 1, 360000, 32, 0, 0, 0, 0 },
	{ "baseline", "page_fault2", 1, 2, 360000, 32, 0, 0, 0, 0 },
	{ "baseline", "page_fault2", 16, 1, 3200000, 32, 0, 0, 0, 0 },
	{ "baseline", "page_fault2", 16, 2, 3200000, 32, 0, 0, 0, 0 },
	{ "enabled", "page_fault1", 1, 1, 1001000, 2, 1280, 0, 0, 0 },
	{ "enabled", "page_fault1", 1, 2, 1001000, 2, 1280, 0, 0, 0 },
	{ "enabled", "page_fault1", 16, 1, 7900000, 2, 1280, 0, 0, 0 },
	{ "enabled", "page_fault1", 16, 2, 7980000, 2, 1280, 0, 0, 0 },
	{ "enabled", "page_fault2", 1, 1, 358200, 2, 640, 0, 0, 0 },
	{ "enabled", "page_fault2", 1, 2, 358200, 2, 640, 0, 0, 0 },
	{ "enabled", "page_fault2", 16, 1, 3136000, 4, 640, 0, 0, 0 },
	{ "enabled", "page_fault2", 16, 2, 3136000, 4, 640, 0, 0, 0 },
};

static char *print_cells(const struct fixture_cell *cells, size_t nr,
			 enum report_format format)
{
	struct fixture f;
	struct results r;
	FILE *out = tmpfile();

	assert_non_null(out);
	fixture_make(&f, cells, nr);
	fixture_read(&f, &r);
	/* The folder's name is random; a mail says how to repeat it. */
	snprintf(r.dir, strlen(r.dir) + 1, "out");
	assert_int_equal(report_print(&r, format, out), 0);
	results_free(&r);
	fixture_remove(&f);
	return fixture_text(out);
}

static void assert_has(const char *text, const char *line)
{
	if (!strstr(text, line))
		fail_msg("no line\n%s\nin\n%s", line, text);
}

static void test_table__cover_is_a_golden_text(void **state)
{
	/* Workloads beside each other, task counts below each other. */
	static const char expected[] =
"Made up\n"
"guest 32 GiB, vCPUs 16\n"
"Mean of n = 2 seeds (1..2); dev: largest distance of a seed from the mean;\n"
"reference: baseline. Simulated in virtual time (model 1): exact for a given\n"
"seed.\n"
"\n"
"Iterations per second, higher is better\n"
"\n"
"                         page_fault1                   page_fault2\n"
"variant   tasks  iterations/s    dev  change   iterations/s    dev  change\n"
"baseline      1       1001000  0.10%       -         360000  0.00%       -\n"
"             16       8000000  0.00%       -        3200000  0.00%       -\n"
"enabled       1       1001000  0.00%  +0.00%         358200  0.00%  -0.50%\n"
"             16       7940000  0.50%  -0.75%        3136000  0.00%  -2.00%\n"
"\n"
"Host, lower is better\n"
"(resident: GiB at the end of the measured phase, lazily freed memory\n"
"included; reports: calls in the whole run; refaults/s, zeroed/s: blocks and\n"
"MiB that the host had to give again and to clear, per measured second)\n"
"\n"
"                               page_fault1\n"
"variant   tasks  resident  reports  refaults/s  zeroed/s\n"
"baseline      1     32.00        0         0.0       0.0\n"
"             16     32.00        0         0.0       0.0\n"
"enabled       1      2.00    20480       256.0     512.0\n"
"             16      2.00    20480       256.0     512.0\n"
"\n"
"                               page_fault2\n"
"variant   tasks  resident  reports  refaults/s  zeroed/s\n"
"baseline      1     32.00        0         0.0       0.0\n"
"             16     32.00        0         0.0       0.0\n"
"enabled       1      2.00    10240       128.0     256.0\n"
"             16      4.00    10240       128.0     256.0\n"
"\n"
"Memory at the end of each phase in GiB: free in the guest, resident on the\n"
"host\n"
"(a..b: from the smallest to the largest value of the variant's cells)\n"
"\n"
"                  fill                  measure\n"
"variant   guest free  resident   guest free    resident\n"
"baseline       30.00     32.00        30.00       32.00\n"
"enabled        30.00     32.00        30.00  2.00..4.00\n"
"\n"
"To repeat:\n"
"\n"
"  buddylab run EXP.ini -o DIR\n"
"  buddylab report out --format cover\n";
	char *text = print_cells(published, ARRAY_SIZE(published),
				 REPORT_COVER);

	(void)state;
	assert_string_equal(text, expected);
	assert_mail_text(text);
	free(text);
}

static void test_table__long_names_stand_above_their_rows(void **state)
{
	/* Names as in the published table: too long to stand beside. */
	struct fixture_cell cells[ARRAY_SIZE(published)];
	char *text;

	(void)state;
	memcpy(cells, published, sizeof(cells));
	for (size_t i = 8; i < ARRAY_SIZE(cells); i++)
		cells[i].variant = "enabled+shuffle+madv_free";
	text = print_cells(cells, ARRAY_SIZE(cells), REPORT_COVER);
	assert_mail_text(text);
	assert_has(text, "\n  tasks  iterations/s    dev  change   "
		   "iterations/s    dev  change\n"
		   "baseline\n"
		   "      1       1001000  0.10%       -         360000  0.00%"
		   "       -\n");
	assert_has(text, "\nenabled+shuffle+madv_free\n"
		   "      1       1001000");
	free(text);
}

static void test_table__no_name_breaks_the_rules_of_a_mail(void **state)
{
	/* A word longer than the page, letters beyond ASCII, a tab. */
	static const char *const names[] = {
		"a-variant-with-a-name-that-is-longer-than-any-page-of-a-mail-"
		"could-be-and-has-no-blank-where-it-could-be-broken",
		"gr\xc3\xb6\xc3\x9f" "er", "with  two  blanks  and  then  "
		"with  two  blanks  and  then  with  two  blanks  and  more ",
		"\\ttab",
	};
	struct fixture_cell cells[ARRAY_SIZE(published)];

	(void)state;
	for (size_t n = 0; n < ARRAY_SIZE(names); n++) {
		char *text;

		memcpy(cells, published, sizeof(cells));
		for (size_t i = 8; i < ARRAY_SIZE(cells); i++)
			cells[i].variant = names[n];
		text = print_cells(cells, ARRAY_SIZE(cells), REPORT_COVER);
		assert_mail_text(text);
		free(text);
	}
}

static void test_table__wide_table_shows_the_ratio(void **state)
{
	/* A terminal has room for all columns of both workloads. */
	char *text = print_cells(published, ARRAY_SIZE(published),
				 REPORT_TABLE);

	(void)state;
	assert_has(text, "\nvariant   tasks  iterations/s    dev   ratio  "
		   "change   iterations/s    dev   ratio  change\n");
	assert_has(text, "\n             16       7940000  0.50%  0.9925  "
		   "-0.75%        3136000  0.00%  0.9800  -2.00%\n");
	free(text);
}

static void test_table__markdown_escapes_and_aligns(void **state)
{
	/* A bar in a name must not end its cell. */
	const struct fixture_cell cells[] = {
		{ "a|b", NULL, 0, 1, 100, 1, 0, 0, 0, 0 },
	};
	char *text = print_cells(cells, 1, REPORT_MD);

	(void)state;
	assert_has(text, "\n| variant | iterations/s | dev | ratio | change "
		   "|\n|---|---:|---:|---:|---:|\n"
		   "| a\\|b | 100 | 0.00% | 1.0000 | - |\n");
	free(text);
}

static void test_table__csv_has_one_number_a_line(void **state)
{
	/* All keys on every line, with minimum and maximum over the seeds. */
	char *text = print_cells(published, ARRAY_SIZE(published), REPORT_CSV);

	(void)state;
	assert_has(text, "table,variant,phase.measure.tasks,group,metric,unit,"
		   "mean,min,max\n"
		   "throughput,baseline,1,page_fault1,iterations_per_s,1/s,"
		   "1001000,1000000,1002000\n");
	assert_has(text, "\nthroughput,enabled,16,page_fault2,change,%,-2,-2,"
		   "-2\n");
	assert_has(text, "\nfootprint,enabled,,measure,host_rss_end,GiB,2.5,"
		   "2,4\n");
	assert_null(strstr(text, "throughput,baseline,1,page_fault1,change"));
	free(text);
}

static void test_table__json_names_keys_and_units(void **state)
{
	/* A number that is not there is null, not 0. */
	char *text = print_cells(published, ARRAY_SIZE(published),
				 REPORT_JSON);

	(void)state;
	assert_has(text, "\"title\": \"Made up\"");
	assert_has(text, "\"change\": null");
	assert_has(text, "\"phase.measure.tasks\": \"16\"");
	assert_has(text, "\"iterations_per_s\": \"1/s\"");
	free(text);
}

static void test_table__missing_cells_are_named(void **state)
{
	/* One seed of one point is not there: said, and its mean is right. */
	char *text = print_cells(published + 1, ARRAY_SIZE(published) - 1,
				 REPORT_COVER);

	(void)state;
	assert_has(text, "\nIncomplete: 1 of 16 cells are missing; means are "
		   "over those that are there\n");
	assert_has(text, "\nbaseline      1       1002000  0.00%");
	assert_mail_text(text);
	free(text);
}

static void test_table__nothing_counted_shows_memory_only(void **state)
{
	/* An experiment about memory has no iterations and no axes. */
	const struct fixture_cell cells[] = {
		{ "off", NULL, 0, 7, 0, 32, 0, 0, 0, 0 },
		{ "on", NULL, 0, 7, 0, 1, 10, 0, 0, 0 },
	};
	char *text = print_cells(cells, 2, REPORT_COVER);

	(void)state;
	assert_null(strstr(text, "Iterations per second"));
	assert_has(text, "Mean of n = 1 (seed 7)");
	assert_has(text, "\nvariant  resident  reports  refaults/s  zeroed/s\n"
		   "off         32.00        0         0.0       0.0\n"
		   "on           1.00      160         2.0       4.0\n");
	free(text);
}

static void test_table__no_cells_is_an_error(void **state)
{
	/* An interrupted run may have left an empty list. */
	struct fixture f;
	struct results r;

	(void)state;
	fixture_make(&f, NULL, 0);
	fixture_read(&f, &r);
	assert_int_equal(report_print(&r, REPORT_TABLE, stdout), -ENODATA);
	results_free(&r);
	fixture_remove(&f);
}

static void test_table__formats_are_spelled_in_full(void **state)
{
	/* Every name parses to itself, others do not. */
	enum report_format f;

	(void)state;
	for (int i = 0; report_format_names[i]; i++) {
		assert_int_equal(report_format_parse(report_format_names[i],
						     &f), 0);
		assert_int_equal(f, i);
	}
	assert_int_equal(report_format_parse("cov", &f), -EINVAL);
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(test_table__cover_is_a_golden_text),
	cmocka_unit_test(test_table__long_names_stand_above_their_rows),
	cmocka_unit_test(test_table__no_name_breaks_the_rules_of_a_mail),
	cmocka_unit_test(test_table__wide_table_shows_the_ratio),
	cmocka_unit_test(test_table__markdown_escapes_and_aligns),
	cmocka_unit_test(test_table__csv_has_one_number_a_line),
	cmocka_unit_test(test_table__json_names_keys_and_units),
	cmocka_unit_test(test_table__missing_cells_are_named),
	cmocka_unit_test(test_table__nothing_counted_shows_memory_only),
	cmocka_unit_test(test_table__no_cells_is_an_error),
	cmocka_unit_test(test_table__formats_are_spelled_in_full),
};

TEST_MAIN(cases)
