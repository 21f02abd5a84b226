/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Values over seeds, the rules for them, and what GitHub is told. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/bench/compare_fixture.h"
#include "tests/test.h"

static const struct fixture_cell cells[] = {
	{ "baseline", "page_fault1", 1, 1, 1000000, 32, 0, 0, 0, 0 },
	{ "baseline", "page_fault1", 16, 1, 8000000, 32, 0, 0, 0, 0 },
};
#define NR ARRAY_SIZE(cells)

#define MAX_SEEDS 12

/* One point with nr seeds; rates from 1000 in steps of 1, times `factor`. */
static size_t make_seeds(struct fixture_cell *out, size_t nr, double factor)
{
	for (size_t i = 0; i < nr; i++)
		out[i] = (struct fixture_cell){
			.variant = "enabled", .workload = "page_fault1",
			.tasks = 16, .seed = i + 1, .rss_gib = 2,
			.rate = (1000.0 + (double)i) * factor,
		};
	return nr;
}

static void test_compare__seeds_are_judged_by_all_conditions(void **state)
{
	/* Worse, by more than allowed, more than the least, and no chance. */
	static const struct {
		const char *rule;
		size_t nr;
		double factor;
		enum compare_verdict expected;
	} rows[] = {
		{ "better = higher\n", 5, 0.9, COMPARE_MOVED },
		{ "better = lower\n", 5, 0.9, COMPARE_EQUAL },
		{ "", 5, 0.9, COMPARE_MOVED },
		{ "", 5, 1.1, COMPARE_MOVED },
		{ "better = higher\nmax_regress = 11%\n", 5, 0.9,
		  COMPARE_EQUAL },
		{ "better = higher\nmax_regress = 9%\n", 5, 0.9,
		  COMPARE_MOVED },
		{ "max_change = 200\n", 5, 0.9, COMPARE_EQUAL },
		{ "min_effect = 101\n", 5, 0.9, COMPARE_EQUAL },
		{ "min_effect = 99\n", 5, 0.9, COMPARE_MOVED },
		/* Ranks overlap: 1 of 1000 is a shift by one seed's step. */
		{ "", 8, 1.001, COMPARE_EQUAL },
		/* Four a side give 0.029 at best, five 0.008. */
		{ "", 4, 0.9, COMPARE_MOVED },
		{ "alpha = 0.01\n", 4, 0.9, COMPARE_NOT_COMPARABLE },
		{ "alpha = 0.01\n", 5, 0.9, COMPARE_MOVED },
		{ "min_samples = 6\n", 5, 0.9, COMPARE_NOT_COMPARABLE },
		{ "", 1, 0.9, COMPARE_NOT_COMPARABLE },
		{ "", 1, 1.0, COMPARE_EQUAL },
	};
	struct fixture_cell was[MAX_SEEDS], is[MAX_SEEDS];
	char text[256];

	(void)state;
	for (unsigned int i = 0; i < ARRAY_SIZE(rows); i++) {
		const size_t nr = make_seeds(was, rows[i].nr, 1.0);
		struct thresholds t;
		struct both b;

		make_seeds(is, nr, rows[i].factor);
		snprintf(text, sizeof(text), "[metric metric.iter*]\n"
			 "kind = seeded\n%s", rows[i].rule);
		read_rules(&t, text);
		compare_start(&b, was, nr, is, nr, &t);
		ASSERT_U64(test_row(i), b.c.verdict, rows[i].expected);
		/* Nothing of it is compared cell by cell as well. */
		ASSERT_U64(test_row(i), b.c.nr_equal, nr);
		compare_end(&b);
		thresholds_free(&t);
	}
}

static void test_compare__exact_values_have_a_better_direction_too(void **s)
{
	/* 1280 refaults to 1270 and back: each cell by itself. */
	static const struct {
		const char *rule;
		enum compare_verdict less, more;
	} rows[] = {
		{ "", COMPARE_MOVED, COMPARE_MOVED },
		{ "better = lower\n", COMPARE_EQUAL, COMPARE_MOVED },
		{ "better = higher\n", COMPARE_MOVED, COMPARE_EQUAL },
		{ "better = lower\nmax_regress = 1%\n", COMPARE_EQUAL,
		  COMPARE_EQUAL },
		{ "max_change = 0.5%\n", COMPARE_MOVED, COMPARE_MOVED },
		{ "max_change = 1%\n", COMPARE_EQUAL, COMPARE_EQUAL },
		{ "min_effect = 1000000\n", COMPARE_EQUAL, COMPARE_EQUAL },
	};
	struct fixture_cell few[1] = { cells[0] }, many[1] = { cells[0] };
	char text[256];

	(void)s;
	few[0].refaults = 1270;
	many[0].refaults = 1280;
	for (unsigned int i = 0; i < ARRAY_SIZE(rows); i++) {
		struct thresholds t;
		struct both b;

		snprintf(text, sizeof(text), "[metric *]\n%s", rows[i].rule);
		read_rules(&t, text);
		compare_start(&b, many, 1, few, 1, &t);
		ASSERT_U64(test_row(i), b.c.verdict, rows[i].less);
		compare_end(&b);
		compare_start(&b, few, 1, many, 1, &t);
		ASSERT_U64(test_row(i), b.c.verdict, rows[i].more);
		compare_end(&b);
		thresholds_free(&t);
	}
}

static void test_compare__seeds_are_told_in_every_format(void **state)
{
	/* Five seeds, a tenth slower; host time is equal and asked for. */
	struct fixture_cell was[MAX_SEEDS], is[MAX_SEEDS];
	const size_t nr = make_seeds(was, 5, 1.0);
	struct thresholds t;
	struct both b;
	char *text;

	(void)state;
	make_seeds(is, nr, 0.9);
	read_rules(&t, "[metric metric.iterations_per_s]\nkind = seeded\n"
		   "better = higher\nmax_regress = 2%\n"
		   "[metric wall.seconds]\nkind = timed\n");
	compare_start(&b, was, nr, is, nr, &t);
	text = text_of(&b.c, compare_print);
	assert_has(text, "moved over the seeds: 1 of 2 values\n"
		   "  variant enabled, phase.measure.tasks=16, "
		   "phase.measure.workload=page_fault1, 5 seeds\n"
		   "    to repeat: buddylab run EXP.ini -o again --only "
		   "enabled\n"
		   "    metric.iterations_per_s median 1002 -> 901.8 (-10.00 "
		   "%), p 0.00794, Cliff's delta -1.00; allowed is 2 %, p "
		   "below 0.05 counts\n");
	free(text);
	text = text_of(&b.c, compare_print_tap);
	assert_has(text, "1..6\n");
	assert_has(text, "\nnot ok 6 - variant enabled, ");
	free(text);
	text = text_of(&b.c, compare_print_junit);
	assert_has(text, "tests=\"6\" failures=\"1\" errors=\"0\"");
	free(text);
	text = text_of(&b.c, compare_print_json);
	assert_has(text, "\"verdict\": \"moved\"");
	assert_has(text, "\"cliffs_delta\": -1.0");
	free(text);
	compare_end(&b);
	thresholds_free(&t);
}

static void test_compare__time_that_was_not_kept_is_not_comparable(void **s)
{
	/* A baseline has no host time: asking for it is no pass. */
	struct thresholds t;
	struct fixture f;
	struct results r;
	struct both b;
	char why[256] = "", *text;

	(void)s;
	fixture_make(&f, cells, NR);
	fixture_read(&f, &r);
	assert_int_equal(baseline_write(&r, "test_compare_base.jsonl", why,
					sizeof(why)), 0);
	results_free(&r);
	fixture_remove(&f);
	read_rules(&t, "[metric wall.seconds]\nkind = timed\n");
	compare_start(&b, cells, NR, cells, NR, &t);
	assert_int_equal(b.c.verdict, COMPARE_EQUAL);
	compare_free(&b.c);
	results_free(&b.base);
	assert_int_equal(results_read(&b.base, "test_compare_base.jsonl",
				      &(struct diag){ .out = stderr }), 0);
	assert_int_equal(compare_make(&b.c, &b.base, &b.new, &t, NULL), 0);
	assert_int_equal(b.c.verdict, COMPARE_NOT_COMPARABLE);
	text = text_of(&b.c, compare_print);
	assert_has(text, "wall.seconds: 0 cells have it in the baseline, 1 in "
		   "the new results\n");
	free(text);
	compare_end(&b);
	thresholds_free(&t);
	unlink("test_compare_base.jsonl");
}

static void test_compare__rules_that_make_no_sense_are_refused(void **state)
{
	/* One mistake a row, named in the message. */
	static const struct {
		const char *text, *says;
	} rows[] = {
		{ "[metric x]\nkin = exact\n",
		  "unknown key 'kin' in [metric x]; did you mean 'kind'?" },
		{ "[metric x]\nkind = often\n", "kind: 'often'" },
		{ "[metric x]\nmax_regress = 2%\n",
		  "max_regress: which direction is worse?" },
		{ "[metric x]\nbetter = lower\nmax_change = 2%\n",
		  "max_change: with 'better' the key is max_regress" },
		{ "[metric x]\nkind = seeded\nalpha = 1\n",
		  "alpha: above 0 and below 1" },
		{ "[metric x]\nmin_effect = 2%\n",
		  "min_effect: '2%' is not a number" },
		{ "[metric x]\nmax_change = lots\n",
		  "max_change: 'lots' is not a number, nor one with %" },
		{ "[metric host.*]\nkind = timed\n",
		  "nothing that is timed is called 'host.*'" },
		{ "[default]\nkind = timed\n", "nothing that is timed" },
		{ "[metric]\nkind = exact\n", "unknown section [metric]" },
		{ "[metric x]\nmin_samples = 0\n", "min_samples: '0'" },
	};
	static const char path[] = "test_compare_rules.ini";

	(void)state;
	for (unsigned int i = 0; i < ARRAY_SIZE(rows); i++) {
		struct diag d = { .out = NULL };
		struct thresholds t;

		write_thresholds(path, rows[i].text);
		ASSERT_U64(test_row(i), thresholds_read(&t, path, &d),
			   -EINVAL);
		ASSERT_U64(test_row(i), d.nr_errors, 1);
		assert_has(d.last, rows[i].says);
		thresholds_free(&t);
	}
	unlink(path);
}

static void test_compare__the_default_is_the_base_of_all_rules(void **state)
{
	/* Wherever it stands; a rule changes what it names and no more. */
	const struct threshold *rule;
	struct thresholds t;

	(void)state;
	read_rules(&t, "[metric host.*]\nbetter = lower\n"
		   "[thresholds]\nhost.zeroed_pages = 5\n"
		   "[default]\nkind = seeded\nalpha = 0.01\n"
		   "max_regress = 3%\nbetter = higher\n");
	rule = thresholds_find(&t, "anything");
	assert_int_equal(rule->kind, STATS_SEEDED);
	assert_int_equal(rule->better, BETTER_HIGHER);
	rule = thresholds_find(&t, "host.thp_split_pmd");
	assert_int_equal(rule->kind, STATS_SEEDED);
	assert_int_equal(rule->better, BETTER_LOWER);
	assert_true(rule->alpha < 0.02 && rule->limit > 2.9);
	/* The short form is of exact values. */
	rule = thresholds_find(&t, "host.zeroed_pages");
	assert_int_equal(rule->kind, STATS_EXACT);
	assert_true(threshold_allows(rule, 10, 15));
	assert_false(threshold_allows(rule, 10, 16));
	thresholds_free(&t);
}

/* ---- GitHub ---- */

static void test_compare__notes_are_escaped_and_few(void **state)
{
	/* Twelve cells moved: ten notes, the last one counts the others. */
	struct fixture_cell was[MAX_SEEDS], is[MAX_SEEDS];
	const size_t nr = make_seeds(was, 12, 1.0);
	unsigned int lines = 0;
	struct both b;
	char *text;

	(void)state;
	was[0].variant = "a:b,c%d";
	make_seeds(is, nr, 1.0);
	is[0].variant = was[0].variant;
	for (size_t i = 0; i < nr; i++)
		is[i].digest = 3;
	compare_start(&b, was, nr, is, nr, NULL);
	text = text_of(&b.c, compare_print_annotations);
	assert_has(text, "::error file=");
	assert_has(text, "cells.jsonl,line=1,title=variant a%3Ab%2Cc%25d%2C ");
	assert_has(text, "::digest 00000000000000000000000000000000 -> "
		   "00000000000000000000000000000003%0Ato repeat: buddylab");
	assert_has(text, "\n::error title=buddylab check::3 more notes\n");
	for (const char *s = text; *s; s++)
		lines += *s == '\n';
	assert_int_equal(lines, 10);
	free(text);
	text = text_of(&b.c, compare_print_summary);
	assert_has(text, "## buddylab check: moved\n");
	assert_has(text, "0 equal, 12 moved, 0 missing, 0 not in the "
		   "baseline.\n");
	free(text);
	compare_end(&b);
}

static const struct CMUnitTest cases_of_seeds[] = {
	cmocka_unit_test(test_compare__seeds_are_judged_by_all_conditions),
	cmocka_unit_test(
		test_compare__exact_values_have_a_better_direction_too),
	cmocka_unit_test(test_compare__seeds_are_told_in_every_format),
	cmocka_unit_test(test_compare__time_that_was_not_kept_is_not_comparable),
	cmocka_unit_test(test_compare__rules_that_make_no_sense_are_refused),
	cmocka_unit_test(test_compare__the_default_is_the_base_of_all_rules),
	cmocka_unit_test(test_compare__notes_are_escaped_and_few),
};

TEST_MAIN(cases_of_seeds)
