/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Cover letters in the layouts of mmtests, benchstat and the test robot. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bench/table.h"
#include "tests/bench/results_fixture.h"
#include "tests/test.h"

/* Five seeds: throughput falls by a tenth, refaults come in. */
static const struct fixture_cell five[] = {
	{ "base", "page_fault1", 16, 1, 1000, 4, 0, 0, 0, 0 },
	{ "base", "page_fault1", 16, 2, 1002, 4, 0, 0, 0, 0 },
	{ "base", "page_fault1", 16, 3, 998, 4, 0, 0, 0, 0 },
	{ "base", "page_fault1", 16, 4, 1001, 4, 0, 0, 0, 0 },
	{ "base", "page_fault1", 16, 5, 999, 4, 0, 0, 0, 0 },
	{ "patched", "page_fault1", 16, 1, 900, 2, 10, 0, 0, 0 },
	{ "patched", "page_fault1", 16, 2, 902, 2, 10, 0, 0, 0 },
	{ "patched", "page_fault1", 16, 3, 898, 2, 10, 0, 0, 0 },
	{ "patched", "page_fault1", 16, 4, 901, 2, 10, 0, 0, 0 },
	{ "patched", "page_fault1", 16, 5, 899, 2, 10, 0, 0, 0 },
};

static char *print(const struct fixture_cell *cells, size_t nr,
		   const char *columns, enum cover_layout layout, int *err)
{
	const struct report_request req = { .columns = columns,
					    .format = REPORT_COVER,
					    .layout = layout };
	struct fixture f;
	struct results r;
	char why[400] = "";
	FILE *out = tmpfile();

	assert_non_null(out);
	fixture_make(&f, cells, nr);
	fixture_read(&f, &r);
	*err = report_columns(&r, &req, out, why, sizeof(why));
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

static void test_cover__benchstat_shows_delta_and_p(void **state)
{
	/* All of five against all of five: p = 2 / 252. */
	int err;
	char *text = print(five, ARRAY_SIZE(five), "throughput refaults",
			   COVER_BENCHSTAT, &err);

	(void)state;
	assert_int_equal(err, 0);
	assert_has(text, "page_fault1, tasks 16; base: base, new: patched\n");
	assert_has(text,
"  iterations/s +             1000 +-  0%        900 +-  0%   -10.00%  0.008\n"
"  refaults -                    0 +-  0%         10 +-  0%       new  0.008\n");
	assert_has(text, "less is.\nUnits: refaults violations.\n");
	assert_has(text, "'throughput refaults'");
	assert_has(text, "benchstat\n");
	assert_mail_text(text);
	free(text);
}

static void test_cover__no_difference_is_a_tilde_if_seeds_suffice(void **state)
{
	/* The same five values on both sides; and two seeds, too few to say. */
	static const struct fixture_cell two[] = {
		{ "base", "page_fault1", 0, 1, 1000, 4, 0, 0, 0, 0 },
		{ "base", "page_fault1", 0, 2, 1000, 4, 0, 0, 0, 0 },
		{ "patched", "page_fault1", 0, 1, 900, 4, 0, 0, 0, 0 },
		{ "patched", "page_fault1", 0, 2, 900, 4, 0, 0, 0, 0 },
	};
	struct fixture_cell same[ARRAY_SIZE(five)];
	char *text;
	int err;

	(void)state;
	memcpy(same, five, sizeof(same));
	for (size_t i = 5; i < ARRAY_SIZE(same); i++)
		same[i].rate = five[i - 5].rate;
	text = print(same, ARRAY_SIZE(same), "throughput", COVER_BENCHSTAT,
		     &err);
	assert_has(text, "1000 +-  0%       1000 +-  0%         ~  1.000\n");
	free(text);
	text = print(two, ARRAY_SIZE(two), "throughput", COVER_BENCHSTAT, &err);
	assert_has(text, "With n = 2 no difference can be significant");
	assert_has(text, "-10.00%  0.333\n");
	assert_mail_text(text);
	free(text);
}

static void test_cover__mmtests_prints_gains_as_positive(void **state)
{
	/* Fewer refaults are a gain, less throughput is none. */
	struct fixture_cell cells[ARRAY_SIZE(five)];
	char *text;
	int err;

	(void)state;
	memcpy(cells, five, sizeof(cells));
	for (size_t i = 0; i < 5; i++)
		cells[i].refaults = 20;
	text = print(cells, ARRAY_SIZE(cells), "throughput refaults",
		     COVER_MMTESTS, &err);
	assert_int_equal(err, 0);
	assert_has(text,
"  Hmean     iterations/s +           1000 (   0.00%)        900 * -10.00%*\n"
"  Amean     refaults -                 20 (   0.00%)         10 *  50.00%*\n");
	assert_has(text,
"  CoeffVar  iterations/s +           0.16                  0.18\n");
	assert_mail_text(text);
	free(text);
}

static void test_cover__lkp_has_change_in_the_middle(void **state)
{
	/* A spread of 0.2 % is not worth a column. */
	int err;
	char *text = print(five, ARRAY_SIZE(five), "throughput", COVER_LKP,
			   &err);

	(void)state;
	assert_int_equal(err, 0);
	assert_has(text,
"       1000           -10.0%         900         iterations/s +\n");
	assert_mail_text(text);
	free(text);
}

static void test_cover__long_names_stay_within_a_mail(void **state)
{
	/* A raw counter, and a variant of 200 characters. */
	static const enum cover_layout layouts[] = {
		COVER_BENCHSTAT, COVER_MMTESTS, COVER_LKP
	};
	struct fixture_cell cells[ARRAY_SIZE(five)];
	char name[201];

	(void)state;
	memset(name, 'x', 200);
	name[200] = '\0';
	memcpy(cells, five, sizeof(cells));
	for (size_t i = 5; i < ARRAY_SIZE(cells); i++)
		cells[i].variant = name;
	for (size_t i = 0; i < ARRAY_SIZE(layouts); i++) {
		int err;
		char *text = print(cells, ARRAY_SIZE(cells),
				   "throughput measure:"
				   "host.ept_violation_zero_2m",
				   layouts[i], &err);

		assert_int_equal(err, 0);
		assert_has(text, "host.ept_violation_zero_2m");
		assert_mail_text(text);
		free(text);
	}
}

static void test_cover__one_variant_cannot_be_compared(void **state)
{
	/* The first five cells only. */
	int err;
	char *text = print(five, 5, "throughput", COVER_LKP, &err);

	(void)state;
	assert_int_equal(err, -EINVAL);
	assert_has(text, "layout lkp compares variants");
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cover__benchstat_shows_delta_and_p),
		cmocka_unit_test(test_cover__no_difference_is_a_tilde_if_seeds_suffice),
		cmocka_unit_test(test_cover__mmtests_prints_gains_as_positive),
		cmocka_unit_test(test_cover__lkp_has_change_in_the_middle),
		cmocka_unit_test(test_cover__long_names_stay_within_a_mail),
		cmocka_unit_test(test_cover__one_variant_cannot_be_compared),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
