/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Predictions and published values: what is judged how, what the readers refuse,
 * and that a prediction does not know what was published.
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "bench/bench.h"
#include "cli/registry.h"
#include "tests/bench/scratch.h"
#include "tests/test.h"

#define MAX_TEXT 20000

/* A guest of 512 MiB: a second of page faults, with and without reporting. */
static const char experiment[] =
	"[experiment]\ntitle = small\nseeds = 1..2\n"
	"[guest]\nkernel = 5.7\nmemory = 512M\n"
	"topology = core:2 pu:1\n"
	"[host]\nmemory = 8G\n"
	"[phase fill]\nworkload = memhog\nsize = 80%\n"
	"[phase measure]\nworkload = page_fault1\ntasks = 1,2\n"
	"duration = 100ms\nthp = off\n"
	"[variant base]\nreporter.design = none\n"
	"[variant reporting]\nreporter.design = page_reporting\n";

static const char prediction[] =
	"[prediction]\ntitle = t\nexperiment = ../exp.ini\n"
	"[price zero_2m]\nlow = 50%\nhigh = 200%\nreason = guess\n"
	"[quantity change]\nvariant = reporting\nagainst = base\n"
	"where = tasks=2\nas = change\ninterval = on\n"
	"[quantity rate]\nvariant = base\nwhere = tasks=2\n"
	"[quantity walk]\nwalk = 4 3\n";

#define PUBLISHED(value, judge)                                               \
	"[published]\nsource = s\ncalibrated = c\n"                           \
	"[row walk]\nvalue = " value "\njudge = " judge "\n"

static void write_claim(const char *predicted, const char *published)
{
	mkdir("predictions", 0777);
	mkdir("published", 0777);
	scratch_write("exp.ini", experiment);
	scratch_write("predictions/x.ini", predicted);
	scratch_write("published/x.ini", published);
}

/* The text of a run without changed prices; the caller frees it. */
static char *reproduce(struct scratch *s, bool budget, int *err,
		       size_t *misses)
{
	static const char *const names[] = { "x", NULL };
	const struct reproduce_request req = {
		.data = ".", .names = names, .format = REPRODUCE_JSON,
		.predict = { .registry = &registry, .dir = "out", .jobs = 1,
			     .budget = budget, .messages = s->messages } };
	char *text = calloc(1, MAX_TEXT);
	FILE *out = fopen("printed", "w+");

	assert_non_null(text);
	assert_non_null(out);
	*err = reproduce_run(&req, out, misses, &s->diag);
	rewind(out);
	assert_true(fread(text, 1, MAX_TEXT - 1, out) < MAX_TEXT - 1);
	fclose(out);
	return text;
}

static void test_reproduce__each_way_to_judge_hits_and_misses(void **state)
{
	/* The walk of 4 and 3 levels has 19 references. */
	static const struct {
		const char *published;
		size_t misses;
	} rows[] = {
		{ PUBLISHED("19", "exact"), 0 },
		{ PUBLISHED("20", "exact"), 1 },
		{ PUBLISHED("20", "band 1"), 0 },
		{ PUBLISHED("20.5", "band 1"), 1 },
		{ PUBLISHED("20", "band 5%"), 0 },
		{ PUBLISHED("20", "band 4.9%"), 1 },
		{ PUBLISHED("0", "range 19 20"), 0 },
		{ PUBLISHED("0", "range 19.5 20"), 1 },
		{ PUBLISHED("19", "interval"), 0 },
		{ PUBLISHED("19.01", "interval"), 1 },
		{ PUBLISHED("1", "shown"), 0 },
		{ PUBLISHED("1", "calibrated"), 0 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		size_t misses = 99;
		char *text;
		int err;

		write_claim("[prediction]\ntitle = t\n"
			    "[quantity walk]\nwalk = 4 3\n",
			    rows[i].published);
		text = reproduce(*state, false, &err, &misses);
		assert_int_equal(err, 0);
		assert_int_equal(misses, rows[i].misses);
		free(text);
	}
}

static void test_reproduce__order_is_right_only_if_strict(void **state)
{
	/* 24 > 19; the other way round, and equal, are misses. */
	static const struct {
		const char *rows;
		size_t misses;
	} cases[] = {
		{ "big > small", 0 }, { "small > big", 1 },
		{ "big > big", 1 },
	};
	char published[300];
	size_t misses;
	int err;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		snprintf(published, sizeof(published), "[published]\n"
			 "source = s\ncalibrated = c\n"
			 "[order o]\nrows = %s\n", cases[i].rows);
		write_claim("[prediction]\ntitle = t\n"
			    "[quantity small]\nwalk = 4 3\n"
			    "[quantity big]\nwalk = 4 4\n", published);
		free(reproduce(*state, false, &err, &misses));
		assert_int_equal(err, 0);
		assert_int_equal(misses, cases[i].misses);
	}
}

static void test_reproduce__prediction_does_not_know_what_is_published(
	void **state)
{
	/* The same prediction beside two different published values. */
	static const char *const values[] = { "1", "-77.7" };
	char published[300], *text[2], *found[2];
	size_t misses;
	int err;

	for (size_t i = 0; i < 2; i++) {
		snprintf(published, sizeof(published), "[published]\n"
			 "source = s\ncalibrated = c\n"
			 "[row change]\nvalue = %s\njudge = interval\n"
			 "[row rate]\n", values[i]);
		write_claim(prediction, published);
		text[i] = reproduce(*state, true, &err, &misses);
		assert_int_equal(err, 0);
		assert_int_equal(misses, 1);
		found[i] = strstr(text[i], "\"predicted\"");
		assert_non_null(found[i]);
	}
	/* "predicted" and "prices" stand before "published". */
	assert_memory_equal(found[0], found[1],
			    (size_t)(strstr(found[0], "\"published\"") -
				     found[0]));
	assert_non_null(strstr(text[0], "\"zero_2m\""));
	free(text[0]);
	free(text[1]);
}

static double json_number(const char *text, const char *key)
{
	const char *at = strstr(text, key);

	assert_non_null(at);
	return strtod(strchr(at, ':') + 1, NULL);
}

static void test_reproduce__interval_holds_seeds_and_prices(void **state)
{
	/* Clearing costs the double: throughput with reporting falls. */
	double mean, low, high, half, at_low, at_high;
	size_t misses;
	char *text;
	int err;

	write_claim(prediction, "[published]\nsource = s\ncalibrated = c\n"
		    "[row change]\n");
	text = reproduce(*state, true, &err, &misses);
	assert_int_equal(err, 0);
	mean = json_number(text, "\"predicted\"");
	low = json_number(text, "\"low\"");
	high = json_number(text, "\"high\"");
	half = json_number(text, "\"seed_half\"");
	at_low = json_number(text, "\"at_low\"");
	at_high = json_number(text, "\"at_high\"");
	assert_true(mean - low >= half);
	assert_true(fabs(mean - low - hypot(half, fmin(0, fmin(at_low,
							       at_high)))) <
		    1e-6);
	assert_true(fabs(high - mean - hypot(half, fmax(0, fmax(at_low,
								at_high)))) <
		    1e-6);
	free(text);
}

static void test_reproduce__models_are_beaten_only_by_the_nearer(void **state)
{
	/* 24 and 19 predicted; published near to them, and far. */
	static const struct {
		const char *first, *second;
		size_t misses;
	} rows[] = {
		{ "24", "19", 0 },
		/* Two misses, and the constant 500 is nearer. */
		{ "500", "500", 3 },
	};
	char published[400];
	size_t misses;
	int err;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		snprintf(published, sizeof(published), "[published]\n"
			 "source = s\ncalibrated = c\n"
			 "[row big]\nvalue = %s\njudge = interval\n"
			 "[row small]\nvalue = %s\njudge = interval\n",
			 rows[i].first, rows[i].second);
		write_claim("[prediction]\ntitle = t\n"
			    "[quantity small]\nwalk = 4 3\n"
			    "[quantity big]\nwalk = 4 4\n", published);
		free(reproduce(*state, false, &err, &misses));
		assert_int_equal(err, 0);
		assert_int_equal(misses, rows[i].misses);
	}
}

#define GOOD "[prediction]\ntitle = t\n[quantity walk]\nwalk = 4 3\n"
#define HEAD "[published]\nsource = s\ncalibrated = c\n"

static void test_reproduce__mistakes_are_named(void **state)
{
	/* One file each, with a part of its message. */
	static const struct {
		const char *predicted, *published, *message;
	} rows[] = {
		{ "[quantity a]\nwalk = 4 3\n", HEAD, "title" },
		{ "[prediction]\ntitle = t\n", HEAD, "predicts nothing" },
		{ GOOD "[prize x]\n", HEAD, "unknown section [prize]" },
		{ GOOD "[quantity walk]\nwalk = 4 4\n", HEAD,
		  "already opened" },
		{ GOOD "[quantity b]\nwalk = 9 9\n", HEAD, "walk = 9 9" },
		{ GOOD "[quantity b]\nmetrik = a\n", HEAD,
		  "did you mean 'metric'?" },
		{ GOOD "[quantity b]\nvariant = v\n", HEAD, "no experiment" },
		{ GOOD "[quantity b]\nwalk = 4 4\nas = change\n", HEAD,
		  "'against' belongs" },
		{ GOOD "[quantity b]\nwalk = 4 4\nwhere = x\n", HEAD,
		  "key=value" },
		{ GOOD "[quantity b]\nwalk = 4 4\ndivide = 0\n", HEAD,
		  "divide = 0" },
		{ GOOD "[price nothing]\nlow = 1%\nhigh = 2%\nreason = r\n",
		  HEAD, "unknown price 'nothing'" },
		{ GOOD "[price lock]\nlow = 3%\nhigh = 2%\nreason = r\n",
		  HEAD, "at least low" },
		{ GOOD "[price lock]\nlow = 3\nhigh = 9%\nreason = r\n",
		  HEAD, "'3' is not a part" },
		{ GOOD, "[published]\nsource = s\n", "calibrated" },
		{ GOOD, HEAD "[row walk]\njudge = exact\n", "does not give" },
		{ GOOD, HEAD "[row walk]\nvalue = 1\njudge = band\n",
		  "judge = band" },
		{ GOOD, HEAD "[row walk]\nvalue = nan\n", "not a number" },
		{ GOOD, HEAD "[row other]\nvalue = 1\n", "no quantity" },
		{ GOOD, HEAD "[order o]\nrows = walk > x\n", "quantity 'x'" },
		{ GOOD, HEAD "[order o]\nrow = walk\n", "one key" },
	};
	struct scratch *s = *state;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const char *said;
		size_t misses;
		int err;

		scratch_text(s);
		write_claim(rows[i].predicted, rows[i].published);
		free(reproduce(s, false, &err, &misses));
		said = scratch_text(s);
		assert_int_equal(err, -EINVAL);
		if (!strstr(said, rows[i].message))
			print_message("%s\n", said);
		assert_non_null(strstr(said, rows[i].message));
	}
}

static void test_reproduce__cells_must_be_one_and_have_the_metric(void **state)
{
	/* Two numbers of tasks fit; no such counter; no such variant. */
	static const struct {
		const char *quantity, *message;
	} rows[] = {
		{ "variant = base\n", "several cells fit" },
		{ "variant = base\nwhere = tasks=2\nmetric = nothing\n",
		  "has nothing" },
		{ "variant = other\nwhere = tasks=2\n", "no cell of variant" },
	};
	struct scratch *s = *state;
	char text[500];

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		size_t misses;
		int err;

		snprintf(text, sizeof(text), "[prediction]\ntitle = t\n"
			 "experiment = ../exp.ini\n[quantity walk]\n%s",
			 rows[i].quantity);
		scratch_text(s);
		write_claim(text, PUBLISHED("1", "shown"));
		free(reproduce(s, false, &err, &misses));
		assert_int_equal(err, -EINVAL);
		assert_non_null(strstr(scratch_text(s), rows[i].message));
	}
}

#define TEST(name)                                                            \
	cmocka_unit_test_setup_teardown(name, scratch_setup, scratch_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_reproduce__each_way_to_judge_hits_and_misses),
		TEST(test_reproduce__order_is_right_only_if_strict),
		TEST(test_reproduce__prediction_does_not_know_what_is_published),
		TEST(test_reproduce__interval_holds_seeds_and_prices),
		TEST(test_reproduce__models_are_beaten_only_by_the_nearer),
		TEST(test_reproduce__mistakes_are_named),
		TEST(test_reproduce__cells_must_be_one_and_have_the_metric),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
