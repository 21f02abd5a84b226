/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Comparison and gate: planted differences are found and named exactly. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/bench/compare_fixture.h"
#include "tests/test.h"

static const struct fixture_cell cells[] = {
	{ "baseline", "page_fault1", 1, 1, 1000000, 32, 0, 0, 0, 0 },
	{ "baseline", "page_fault1", 16, 1, 8000000, 32, 0, 0, 0, 0 },
	{ "enabled", "page_fault1", 1, 1, 1001000, 2, 1280, 0, 0, 0 },
	{ "enabled", "page_fault1", 16, 1, 7900000, 2, 1280, 0, 0, 0 },
};
#define NR ARRAY_SIZE(cells)

static void test_compare__equal_results_are_equal(void **state)
{
	/* Host time differs between any two runs and is not compared. */
	struct both b;
	char *text;

	(void)state;
	compare_start(&b, cells, NR, cells, NR, NULL);
	assert_int_equal(b.c.verdict, COMPARE_EQUAL);
	text = text_of(&b.c, compare_print);
	assert_string_equal(text, "equal: 4 cells\n");
	free(text);
	compare_end(&b);
}

static void test_compare__a_moved_value_is_named_with_its_cell(void **state)
{
	/* One more refault in one cell: counters of run and phases move. */
	struct fixture_cell moved[NR];
	struct both b;
	char *text;

	(void)state;
	memcpy(moved, cells, sizeof(cells));
	moved[2].refaults++;
	moved[2].digest = 77;
	compare_start(&b, cells, NR, moved, NR, NULL);
	assert_int_equal(b.c.verdict, COMPARE_MOVED);
	assert_int_equal(b.c.nr_moved, 1);
	assert_int_equal(b.c.nr_equal, 3);
	text = text_of(&b.c, compare_print);
	assert_has(text, "moved: 1 of 4 cells\n"
		   "  variant enabled, phase.measure.tasks=1, "
		   "phase.measure.workload=page_fault1, seed 1: 7 values "
		   "moved\n"
		   "    digest 00000000000000000000000000000000 -> "
		   "00000000000000000000000000000077\n"
		   "    reporter.report_calls 20480 -> 20496 (+0.08 %)\n"
		   "    host.ept_violation_zero_2m 1280 -> 1281 (+0.08 %)\n"
		   "    phase fill: host.ept_violation_zero_2m 1280 -> 1281");
	assert_has(text, "to repeat: buddylab run-cell EXP.ini -o again --cell "
		   "00000000000000000000000000000003\n");
	assert_has(text, "equal: 3 cells\n");
	free(text);
	compare_end(&b);
}

static void test_compare__digest_alone_is_a_difference(void **state)
{
	/* Same counters in another order of events. */
	struct fixture_cell moved[NR];
	struct both b;

	(void)state;
	memcpy(moved, cells, sizeof(cells));
	moved[0].digest = 5;
	compare_start(&b, cells, NR, moved, NR, NULL);
	assert_int_equal(b.c.verdict, COMPARE_MOVED);
	compare_end(&b);
}

static void test_compare__missing_and_extra_cells_are_not_comparable(void **s)
{
	/* One cell has another id: lacking on both sides, never dropped. */
	struct fixture_cell other[NR];
	struct both b;
	char *text;

	(void)s;
	memcpy(other, cells, sizeof(cells));
	other[1].id = 99;
	compare_start(&b, cells, NR, other, NR, NULL);
	assert_int_equal(b.c.verdict, COMPARE_NOT_COMPARABLE);
	assert_int_equal(b.c.nr_missing, 1);
	assert_int_equal(b.c.nr_extra, 1);
	text = text_of(&b.c, compare_print);
	assert_has(text, "not comparable: 1 cell missing, 1 not in the "
		   "baseline\n");
	assert_has(text, "(cell 00000000000000000000000000000063)\n");
	assert_has(text, "(cell 00000000000000000000000000000002)\n");
	assert_has(text, "equal: 3 cells\n");
	free(text);
	compare_end(&b);
}

static void test_compare__accepting_goes_by_names(void **state)
{
	/* Settings gave all cells other ids; one value moved besides. */
	struct fixture_cell other[NR];
	struct both b;
	char *text;

	(void)state;
	memcpy(other, cells, sizeof(cells));
	for (unsigned int i = 0; i < NR; i++)
		other[i].id = 90 + i;
	other[2].refaults++;
	compare_start(&b, cells, NR, other, NR, NULL);
	assert_int_equal(b.c.nr_missing, NR);
	compare_free(&b.c);
	assert_int_equal(compare_make_by_point(&b.c, &b.base, &b.new), 0);
	assert_int_equal(b.c.nr_missing + b.c.nr_extra, 0);
	assert_int_equal(b.c.nr_resettled, NR);
	text = text_of(&b.c, compare_print_commit);
	assert_has(text, "Cells: 1 moved, 3 unchanged, 0 added, 0 removed.\n"
		   "4 cells of another id.\n");
	assert_has(text, "  host.ept_violation_zero_2m: 1280 -> 1281 (");
	free(text);
	compare_end(&b);
}

static void test_compare__nothing_is_not_equal_to_nothing(void **state)
{
	/* A gate that compares no cell must not pass. */
	struct both b;

	(void)state;
	compare_start(&b, cells, 0, cells, 0, NULL);
	assert_int_equal(b.c.verdict, COMPARE_NOT_COMPARABLE);
	compare_end(&b);
	compare_start(&b, cells, NR, cells, 0, NULL);
	assert_int_equal(b.c.verdict, COMPARE_NOT_COMPARABLE);
	assert_int_equal(b.c.nr_missing, NR);
	compare_end(&b);
}

static void test_compare__other_model_version_is_said(void **state)
{
	/* Cells keep their ids over versions, so they are compared. */
	struct fixture_cell newer[NR];
	struct both b;
	char *text;

	(void)state;
	memcpy(newer, cells, sizeof(cells));
	for (size_t i = 0; i < NR; i++)
		newer[i].model = 2;
	compare_start(&b, cells, NR, newer, NR, NULL);
	assert_int_equal(b.c.verdict, COMPARE_EQUAL);
	text = text_of(&b.c, compare_print);
	assert_has(text, "note: the baseline is of model version 1, the new "
		   "cells are of 2");
	free(text);
	compare_end(&b);
}

static void test_compare__many_values_are_counted(void **state)
{
	/* What is not listed for people is in the machine formats. */
	struct fixture_cell moved[NR];
	struct both b;
	char *text;

	(void)state;
	memcpy(moved, cells, sizeof(cells));
	moved[3].refaults *= 2;
	moved[3].rate = 1;
	moved[3].rss_gib = 9;
	moved[3].digest = 8;
	compare_start(&b, cells, NR, moved, NR, NULL);
	text = text_of(&b.c, compare_print);
	assert_has(text, "9 values moved\n");
	assert_has(text, "    ... and 1 more\n");
	free(text);
	text = text_of(&b.c, compare_print_tap);
	assert_has(text, "TAP version 13\n1..4\nok 1 - variant baseline, ");
	assert_has(text, "\nnot ok 4 - variant enabled, ");
	assert_has(text, "\n# phase measure: metric.host_rss_end_bytes "
		   "2147483648 -> 9663676416 (+350.00 %)\n");
	free(text);
	compare_end(&b);
}

static void test_compare__junit_is_escaped(void **state)
{
	/* Names go into attributes. */
	struct fixture_cell odd[NR], moved[NR];
	struct both b;
	char *text;

	(void)state;
	memcpy(odd, cells, sizeof(cells));
	odd[0].variant = "a<b&c";
	memcpy(moved, odd, sizeof(odd));
	moved[0].refaults = 3;
	compare_start(&b, odd, NR, moved, NR, NULL);
	text = text_of(&b.c, compare_print_junit);
	assert_has(text, "<testsuite name=\"buddylab check\" tests=\"4\" "
		   "failures=\"1\" errors=\"0\">");
	assert_has(text, "name=\"variant a&lt;b&amp;c, ");
	assert_has(text, "<failure message=\"6 values moved\">"
		   "host.ept_violation_zero_2m 0 -&gt; 3\n");
	assert_null(strstr(text, "a<b"));
	free(text);
	compare_end(&b);
}

static void test_compare__commit_text_sums_counters(void **state)
{
	/* For the message of the commit that accepts. */
	struct fixture_cell moved[NR];
	struct both b;
	char *text;

	(void)state;
	memcpy(moved, cells, sizeof(cells));
	moved[2].refaults += 10;
	moved[3].refaults += 20;
	compare_start(&b, cells, NR, moved, NR, NULL);
	text = text_of(&b.c, compare_print_commit);
	assert_has(text, "Cells: 2 moved, 2 unchanged, 0 added, 0 removed.\n");
	assert_has(text, "  host.ept_violation_zero_2m: 2560 -> 2590 (+1.17 "
		   "%, 2 cells)\n");
	free(text);
	compare_end(&b);
}

/* ---- thresholds ---- */

static void test_compare__thresholds_allow_and_refuse(void **state)
{
	/* 1280 -> 1290 is 0.78 %, report calls go by 160. */
	static const struct {
		const char *text;
		enum compare_verdict expected;
	} rows[] = {
		{ "digest = 0\n", COMPARE_MOVED },
		{ "* = ignore\n", COMPARE_EQUAL },
		{ "* = 1%\n", COMPARE_EQUAL },
		{ "* = 0.5%\n", COMPARE_MOVED },
		{ "host.* = 5120\nreporter.report_calls = 160\n",
		  COMPARE_EQUAL },
		{ "host.* = 5120\nreporter.report_calls = 159\n",
		  COMPARE_MOVED },
		{ "* = ignore\nreporter.* = 0\n", COMPARE_MOVED },
		{ "reporter.* = 0\n* = ignore\n", COMPARE_EQUAL },
	};
	static const char path[] = "test_compare_thresholds.ini";
	struct fixture_cell moved[NR];
	struct diag d = { .out = stderr };

	(void)state;
	memcpy(moved, cells, sizeof(cells));
	moved[2].refaults += 10;
	for (unsigned int i = 0; i < ARRAY_SIZE(rows); i++) {
		char text[256];
		struct thresholds t;
		struct both b;

		snprintf(text, sizeof(text), "[thresholds]\n%s",
			 rows[i].text);
		write_thresholds(path, text);
		assert_int_equal(thresholds_read(&t, path, &d), 0);
		compare_start(&b, cells, NR, moved, NR, &t);
		ASSERT_U64(test_row(i), b.c.verdict, rows[i].expected);
		compare_end(&b);
		thresholds_free(&t);
	}
	unlink(path);
}

static void test_compare__bad_thresholds_are_all_reported(void **state)
{
	/* Three mistakes, three messages with their places. */
	static const char path[] = "test_compare_thresholds.ini";
	struct diag d = { .out = NULL };
	struct thresholds t;

	(void)state;
	write_thresholds(path, "[thresholds]\na = 5 %\nb = lots\n[other]\n"
			 "c = 1\n");
	assert_int_equal(thresholds_read(&t, path, &d), -EINVAL);
	assert_int_equal(d.nr_errors, 3);
	thresholds_free(&t);
	unlink(path);
}

/* ---- the baseline ---- */

static void test_compare__baseline_holds_what_is_compared(void **state)
{
	/* Written, read again: equal, without host time and zeros. */
	struct fixture f;
	struct results r;
	struct both b;
	char why[256] = "", line[4096];
	FILE *in;

	(void)state;
	fixture_make(&f, cells, NR);
	fixture_read(&f, &r);
	assert_int_equal(baseline_write(&r, "test_compare_base.jsonl", why,
					sizeof(why)), 0);
	in = fopen("test_compare_base.jsonl", "r");
	assert_non_null(in);
	assert_non_null(fgets(line, sizeof(line), in));
	fclose(in);
	assert_null(strstr(line, "wall"));
	assert_null(strstr(line, "ept_violation"));
	assert_non_null(strstr(line, "\"guest.pgfault\":100"));
	results_free(&r);
	compare_start(&b, cells, NR, cells, NR, NULL);
	compare_free(&b.c);
	results_free(&b.base);
	assert_int_equal(results_read(&b.base, "test_compare_base.jsonl",
				      &(struct diag){ .out = stderr }), 0);
	assert_int_equal(compare_make(&b.c, &b.base, &b.new, NULL, NULL), 0);
	assert_int_equal(b.c.verdict, COMPARE_EQUAL);
	compare_end(&b);
	fixture_remove(&f);
	unlink("test_compare_base.jsonl");
}

static void test_compare__baseline_survives_a_failed_write(void **state)
{
	/* No such folder: an error, and nothing is left behind. */
	struct fixture f;
	struct results r;
	char why[256] = "";

	(void)state;
	fixture_make(&f, cells, NR);
	fixture_read(&f, &r);
	assert_true(baseline_write(&r, "no-such-folder/base.jsonl", why,
				   sizeof(why)) < 0);
	assert_non_null(strstr(why, "no-such-folder"));
	results_free(&r);
	fixture_remove(&f);
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(test_compare__equal_results_are_equal),
	cmocka_unit_test(test_compare__a_moved_value_is_named_with_its_cell),
	cmocka_unit_test(test_compare__digest_alone_is_a_difference),
	cmocka_unit_test(
		test_compare__missing_and_extra_cells_are_not_comparable),
	cmocka_unit_test(test_compare__accepting_goes_by_names),
	cmocka_unit_test(test_compare__nothing_is_not_equal_to_nothing),
	cmocka_unit_test(test_compare__other_model_version_is_said),
	cmocka_unit_test(test_compare__many_values_are_counted),
	cmocka_unit_test(test_compare__junit_is_escaped),
	cmocka_unit_test(test_compare__commit_text_sums_counters),
	cmocka_unit_test(test_compare__thresholds_allow_and_refuse),
	cmocka_unit_test(test_compare__bad_thresholds_are_all_reported),
	cmocka_unit_test(test_compare__baseline_holds_what_is_compared),
	cmocka_unit_test(test_compare__baseline_survives_a_failed_write),
};

TEST_MAIN(cases)
