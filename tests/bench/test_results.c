/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Results read back, what is wrong with broken ones, and the progress line. */
#include <errno.h>
#include <string.h>

#include "bench/progress.h"
#include "bench/results.h"
#include "tests/bench/scratch.h"
#include "tests/test.h"

#define LINE(extra)                                                           \
	"{\"axes\":{\"phase.m.tasks\":\"16\",\"guest.cpus\":\"2\"},"         \
	"\"counters\":{\"host.b\":9007199254740993,\"alloc.a\":1},"          \
	"\"digest\":\"d\",\"experiment\":\"E\",\"id\":\"i\","                \
	"\"metrics\":{\"x\":0.5},\"model_version\":1,\"options\":"           \
	"{\"guest.memory\":\"1\"},\"phases\":[{\"name\":\"m\","              \
	"\"start_ns\":1,\"end_ns\":2,\"measured_ns\":3,\"iterations\":4,"    \
	"\"counters\":{\"c\":5},\"metrics\":{}}],\"schema\":1,\"seed\":7,"   \
	"\"variant\":\"v\",\"virtual_ns\":8,\"wall\":{\"seconds\":1.5}"      \
	extra "}\n"

static void test_results__fields_come_back(void **state)
{
	/* Scenario: a folder with two lines, one with a field from later. */
	struct scratch *s = *state;
	struct results r;
	const struct result_cell *c;
	const struct result_phase *p;
	uint64_t n = 0;
	double x = 0;
	char path[64];

	scratch_write("cells.jsonl", LINE("") "\n" LINE(",\"later\":[]"));
	assert_int_equal(results_read(&r, ".", &s->diag), 0);
	assert_int_equal(r.nr_cells, 2);
	c = &r.cells[1];
	assert_int_equal(c->line, 3);
	assert_int_equal(c->seed, 7);
	assert_string_equal(c->variant, "v");
	assert_string_equal(result_axis(c, "phase.m.tasks"), "16");
	assert_null(result_axis(c, "phase.m.task"));
	assert_string_equal(result_option(c, "guest.memory"), "1");
	/* More than a double holds. */
	assert_true(result_counter(&c->values, "host.b", &n));
	ASSERT_U64("host.b", n, UINT64_C(9007199254740993));
	assert_false(result_counter(&c->values, "host.c", &n));
	assert_true(result_metric(&c->values, "x", &x));
	assert_true(x == 0.5);
	p = result_phase(c, "m");
	assert_non_null(p);
	assert_int_equal(p->iterations, 4);
	assert_null(result_phase(c, "n"));
	results_series_path(&r, c, path, sizeof(path));
	assert_string_equal(path, "./series/i.csv");
	results_free(&r);
}

struct bad_row {
	const char *text, *message;
	int err;
};

static void test_results__say_what_is_wrong(void **state)
{
	/* Scenario: a line that is cut, of another kind, of another version. */
	static const struct bad_row rows[] = {
		{ "{\"axes\":{\n", "t.jsonl:1:9: error: not a JSON object",
		  -EINVAL },
		{ "[]\n", "t.jsonl:1: error: 'schema' is missing or is not a "
		  "count\n", -EINVAL },
		{ "{\"schema\":2}\n", "t.jsonl:1: error: schema 2 is not known; "
		  "this program reads 1\n", -EPROTO },
		{ LINE("") "{\"schema\":1,\"id\":3}\n",
		  "t.jsonl:2: error: 'id' is missing or is not a string\n",
		  -EINVAL },
		{ "{\"schema\":1,\"schema\":1}\n", "t.jsonl:1:", -EINVAL },
	};
	struct scratch *s = *state;
	struct results r;

	for (unsigned int i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		const char *text;

		scratch_write("t.jsonl", rows[i].text);
		assert_int_equal(results_read(&r, "t.jsonl", &s->diag),
				 rows[i].err);
		text = scratch_text(s);
		if (!strstr(text, rows[i].message))
			fail_msg("row %u: %s", i, text);
		results_free(&r);
	}
	assert_int_equal(results_read(&r, "no.jsonl", &s->diag), -ENOENT);
	assert_string_equal(scratch_text(s), "no.jsonl: error: cannot be "
			    "opened: No such file or directory\n");
	results_free(&r);
}

struct progress_row {
	size_t done, total;
	uint64_t elapsed_ns;
	const char *text;
};

static void test_progress__text(void **state)
{
	/* Scenario: before the first cell, at a rate, slower than one a s. */
	static const struct progress_row rows[] = {
		{ 0, 72, 5000000000, "0/72 cells" },
		{ 12, 72, 4000000000, "12/72 cells, 3.00/s, 0:20 left" },
		{ 1, 200, 2000000000, "1/200 cells, 0.50/s, 6:38 left" },
		{ 72, 72, 8000000000, "72/72 cells, 9.00/s, 0:00 left" },
	};
	char text[120];

	(void)state;
	for (unsigned int i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		progress_text(rows[i].done, rows[i].total, rows[i].elapsed_ns,
			      text, sizeof(text));
		assert_string_equal(text, rows[i].text);
	}
}

#define CASE(name)                                                            \
	cmocka_unit_test_setup_teardown(name, scratch_setup, scratch_teardown)

static const struct CMUnitTest cases[] = {
	CASE(test_results__fields_come_back),
	CASE(test_results__say_what_is_wrong),
	CASE(test_progress__text),
};

TEST_MAIN(cases)
