/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The harness of `buddylab bench` on rows that are made up here: samples and
 * their spread, verdicts, what becomes of rows that fail, ratios, and both
 * kinds of output.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "bench/selfbench.h"
#include "include/types.h"
#include "tests/test.h"

/* What happened in the row's process; shared with it. */
struct seen {
	unsigned int setups, runs, teardowns, samples;
};

static struct seen *seen_new(void)
{
	struct seen *s = mmap(NULL, sizeof(*s), PROT_READ | PROT_WRITE,
			      MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	assert_true(s != MAP_FAILED);
	return s;
}

static int setup_seen(const struct selfbench_row *row, unsigned int samples,
		      void **ctx, char *why, size_t why_size)
{
	struct seen *s = (struct seen *)(uintptr_t)row->arg;

	(void)why;
	(void)why_size;
	s->setups++;
	s->samples = samples;
	*ctx = s;
	return 0;
}

static void teardown_seen(void *ctx)
{
	((struct seen *)ctx)->teardowns++;
}

/* 100, 90, 80 ...: run number n takes that. */
static int run_seen(const struct selfbench_row *row, void *ctx,
		    struct selfbench_sample *out, char *why, size_t why_size)
{
	struct seen *s = ctx;

	(void)row;
	(void)why;
	(void)why_size;
	*out = (struct selfbench_sample){
		.value = 100 - 10.0 * s->runs, .cpu_ns = 1000000 * s->runs,
		.wall_ns = 2000000 * s->runs,
	};
	s->runs++;
	return 0;
}

static struct selfbench_row seen_row(struct seen *s)
{
	return (struct selfbench_row){
		.name = "seen", .what = "a row of the test", .unit = "ns",
		.setup = setup_seen, .run = run_seen,
		.teardown = teardown_seen, .arg = s,
	};
}

/* The first run warms up; of the others min, median and max are kept. */
static void test_selfbench__spread_is_of_the_samples(void **state)
{
	static const struct {
		unsigned int repeat;
		double min, median, max;
	} table[] = {
		{ 1, 90, 90, 90 },
		{ 2, 80, 85, 90 },
		{ 3, 70, 80, 90 },
		{ 4, 60, 75, 90 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		struct seen *s = seen_new();
		const struct selfbench_row row = seen_row(s);
		struct selfbench_result r;

		assert_int_equal(selfbench_run(&row, table[i].repeat, &r), 0);
		assert_int_equal(r.status, SELFBENCH_DONE);
		assert_int_equal(r.nr, table[i].repeat);
		assert_int_equal(s->runs, table[i].repeat + 1);
		assert_int_equal(s->samples, table[i].repeat + 1);
		assert_int_equal(s->setups, 1);
		assert_int_equal(s->teardowns, 1);
		assert_true(r.samples[0].value == 90);
		assert_true(r.value.min == table[i].min);
		assert_true(r.value.median == table[i].median);
		assert_true(r.value.max == table[i].max);
		assert_true(r.cpu_s.min == 0.001);
		assert_true(r.wall_s.min == 0.002);
		munmap(s, sizeof(*s));
	}
}

/* Slow rows run three times at most and do not warm up; others 99 times. */
static void test_selfbench__limits_of_repeat(void **state)
{
	static const struct {
		bool slow;
		unsigned int repeat, nr, runs;
	} table[] = {
		{ true, 1, 1, 1 }, { true, 3, 3, 3 }, { true, 50, 3, 3 },
		{ false, 99, 99, 100 }, { false, 100, 99, 100 },
		{ false, 5000, 99, 100 },
	};

	(void)state;
	for (unsigned int i = 0; i < ARRAY_SIZE(table); i++) {
		struct seen *s = seen_new();
		struct selfbench_row row = seen_row(s);
		struct selfbench_result r;

		row.slow = table[i].slow;
		assert_int_equal(selfbench_run(&row, table[i].repeat, &r), 0);
		ASSERT_U64(test_row(i), r.nr, table[i].nr);
		ASSERT_U64(test_row(i), s->runs, table[i].runs);
		ASSERT_U64(test_row(i), s->samples, table[i].runs);
		munmap(s, sizeof(*s));
	}
}

/* ---- rows that go wrong ---- */

static int run_fails(const struct selfbench_row *row, void *ctx,
		     struct selfbench_sample *out, char *why, size_t why_size)
{
	(void)ctx;
	(void)out;
	if (row->arg)
		snprintf(why, why_size, "%s", (const char *)row->arg);
	return -ENOSPC;
}

static int run_no_peer(const struct selfbench_row *row, void *ctx,
		       struct selfbench_sample *out, char *why,
		       size_t why_size)
{
	(void)row;
	(void)ctx;
	(void)out;
	snprintf(why, why_size, "nothing there");
	return SELFBENCH_NO_PEER;
}

static int run_infinite(const struct selfbench_row *row, void *ctx,
			struct selfbench_sample *out, char *why,
			size_t why_size)
{
	(void)row;
	(void)ctx;
	(void)why;
	(void)why_size;
	*out = (struct selfbench_sample){ .value = INFINITY };
	return 0;
}

static int run_dies(const struct selfbench_row *row, void *ctx,
		    struct selfbench_sample *out, char *why, size_t why_size)
{
	(void)row;
	(void)ctx;
	(void)out;
	(void)why;
	(void)why_size;
	return kill(getpid(), SIGKILL);
}

static int run_exits(const struct selfbench_row *row, void *ctx,
		     struct selfbench_sample *out, char *why, size_t why_size)
{
	(void)row;
	(void)ctx;
	(void)out;
	(void)why;
	(void)why_size;
	_exit(0);
}

/* A row that cannot be measured says why, and takes nobody with it. */
static void test_selfbench__failures_have_a_reason(void **state)
{
	static const struct {
		int (*run)(const struct selfbench_row *, void *,
			   struct selfbench_sample *, char *, size_t);
		const char *arg, *why;
		enum selfbench_status status;
	} table[] = {
		{ run_fails, "no room", "no room", SELFBENCH_FAILED },
		{ run_fails, NULL, "No space left", SELFBENCH_FAILED },
		{ run_no_peer, NULL, "nothing there", SELFBENCH_SKIPPED },
		{ run_infinite, NULL, "no finite figure", SELFBENCH_FAILED },
		{ run_dies, NULL, "killed by signal 9", SELFBENCH_FAILED },
		{ run_exits, NULL, "without a result", SELFBENCH_FAILED },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		const struct selfbench_row row = {
			.name = "bad", .unit = "ns", .run = table[i].run,
			.arg = table[i].arg, .goal = 1, .floor = 2,
		};
		struct selfbench_result r;

		assert_int_equal(selfbench_run(&row, 3, &r), 0);
		assert_int_equal(r.status, table[i].status);
		assert_non_null(strstr(r.why, table[i].why));
		assert_int_equal(r.nr, 0);
		assert_string_equal(selfbench_verdict(&r), "-");
	}
}

/* ---- judging ---- */

/* Rates have to be at least, times at most, what the targets say. */
static void test_selfbench__verdicts(void **state)
{
	static const struct {
		bool higher;
		double goal, floor, median;
		const char *verdict;
	} table[] = {
		{ true, 60, 30, 61, "met" }, { true, 60, 30, 60, "met" },
		{ true, 60, 30, 59.9, "floor" }, { true, 60, 30, 30, "floor" },
		{ true, 60, 30, 29.9, "missed" }, { true, 60, 30, 0, "missed" },
		{ false, 3, 6, 2, "met" }, { false, 3, 6, 3, "met" },
		{ false, 3, 6, 3.1, "floor" }, { false, 3, 6, 6, "floor" },
		{ false, 3, 6, 6.1, "missed" },
		{ true, 0, 0, 5, "-" }, { false, 0, 0, 5, "-" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		const struct selfbench_row row = {
			.higher = table[i].higher, .goal = table[i].goal,
			.floor = table[i].floor,
		};
		const struct selfbench_result r = {
			.row = &row, .status = SELFBENCH_DONE,
			.value.median = table[i].median,
		};

		assert_string_equal(selfbench_verdict(&r), table[i].verdict);
	}
}

static void test_selfbench__rates_of_nothing_are_zero(void **state)
{
	const struct selfbench_timer none = { 0 }, some = { .cpu_ns = 2000 };

	(void)state;
	assert_true(selfbench_millions_per_s(&none, 5) == 0);
	assert_true(selfbench_millions_per_s(&some, 1000) == 500);
	assert_true(selfbench_ns_per(&some, 0) == 0);
	assert_true(selfbench_ns_per(&some, 1000) == 2);
}

/* A timer that is started twice adds up. */
static void test_selfbench__timer_adds(void **state)
{
	struct selfbench_timer t = { 0 };
	volatile uint64_t sum = 0;
	uint64_t first;

	(void)state;
	selfbench_start(&t);
	for (unsigned int i = 0; i < 100000; i++)
		sum += i;
	selfbench_stop(&t);
	first = t.cpu_ns;
	assert_true(first > 0 && t.wall_ns > 0);
	selfbench_start(&t);
	for (unsigned int i = 0; i < 100000; i++)
		sum += i;
	selfbench_stop(&t);
	assert_true(t.cpu_ns > first);
	assert_true(sum > 0);
}

/* ---- reports ---- */

static const struct selfbench_row fast_row = {
	.name = "fast", .what = "goes \"fast\"", .unit = "M/s", .higher = true,
	.goal = 10, .floor = 5,
};
static const struct selfbench_row slow_row = {
	.name = "slow", .what = "does not", .unit = "ns",
};
static const struct selfbench_row gone_row = {
	.name = "gone", .what = "is not there", .unit = "ns", .goal = 1,
	.floor = 2,
};

static const struct selfbench_ratio ratios[] = {
	{ "fast_over_slow", "fast", "slow", "fast over slow", 0 },
	{ "slow_over_fast", "slow", "fast", "slow over fast", 1 },
	{ "fast_over_gone", "fast", "gone", "fast over gone", 1 },
	{ "fast_over_none", "fast", "none", "fast over none", 1 },
};

static const struct selfbench_machine machine = {
	.cpu = "A \"quoted\" CPU", .kernel = "Linux", .compiler = "GNU",
	.build = "Release", .caches = "L1d 32K", .packages = 1, .cores = 2,
	.pus = 4, .nodes = 1, .memory = UINT64_C(8) << 30, .load = 0.5,
};

static void make_report(struct selfbench_report *r,
			struct selfbench_result *results,
			const struct selfbench_machine *m)
{
	memset(results, 0, 3 * sizeof(*results));
	results[0] = (struct selfbench_result){
		.row = &fast_row, .nr = 2, .value = { 6, 8, 10 },
		.samples = { { .value = 6 }, { .value = 10 } },
	};
	results[1] = (struct selfbench_result){
		.row = &slow_row, .nr = 1, .value = { 4, 4, 4 },
	};
	results[2] = (struct selfbench_result){
		.row = &gone_row, .status = SELFBENCH_SKIPPED,
		.why = "no \xff library",
	};
	*r = (struct selfbench_report){
		.machine = m, .results = results, .nr = 3, .ratios = ratios,
		.nr_ratios = ARRAY_SIZE(ratios), .repeat = 2,
	};
}

/* Only rows that have a value make a ratio. */
static void test_selfbench__ratios(void **state)
{
	struct selfbench_result results[3];
	struct selfbench_report r;
	double v;

	(void)state;
	make_report(&r, results, &machine);
	assert_true(selfbench_ratio(&r, &ratios[0], &v));
	assert_true(v == 2);
	assert_null(selfbench_ratio_verdict(&ratios[0], v));
	assert_true(selfbench_ratio(&r, &ratios[1], &v));
	assert_true(v == 0.5);
	assert_string_equal(selfbench_ratio_verdict(&ratios[1], v), "met");
	assert_string_equal(selfbench_ratio_verdict(&ratios[1], 1.01),
			    "missed");
	assert_false(selfbench_ratio(&r, &ratios[2], &v));
	assert_false(selfbench_ratio(&r, &ratios[3], &v));
	results[1].value.median = 0;
	assert_false(selfbench_ratio(&r, &ratios[0], &v));
}

static void test_selfbench__text(void **state)
{
	struct selfbench_result results[3];
	struct selfbench_report r;
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	(void)state;
	assert_non_null(out);
	make_report(&r, results, &machine);
	selfbench_print_text(&r, out);
	fclose(out);
	assert_non_null(strstr(text, "1 packages, 2 cores, 4 CPUs, 1 nodes, "
			       "8192 MiB\n"));
	assert_non_null(strstr(text, "\nfast                              6"
			       "          8         10  M/s                >=10"
			       "      >=5 floor "));
	assert_non_null(strstr(text, "\ngone: skipped: no "));
	assert_non_null(strstr(text, "\nfast over slow: 2.00\n"));
	assert_non_null(strstr(text, "\nslow over fast: 0.50 (goal <=1: met)\n"));
	assert_null(strstr(text, "over gone"));
	free(text);
}

static json_t *print_and_load(const struct selfbench_report *r)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	json_error_t why;
	json_t *top;

	assert_non_null(out);
	assert_int_equal(selfbench_print_json(r, out), 0);
	fclose(out);
	top = json_loads(text, JSON_REJECT_DUPLICATES, &why);
	assert_non_null(top);
	free(text);
	return top;
}

static const char *text_of(json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	assert_non_null(s);
	return s;
}

static double number_of(json_t *o, const char *key)
{
	json_t *v = json_object_get(o, key);

	assert_true(json_is_number(v));
	return json_number_value(v);
}

static void check_rows(json_t *rows)
{
	json_t *fast = json_array_get(rows, 0), *slow = json_array_get(rows, 1);
	json_t *gone = json_array_get(rows, 2);
	json_t *value = json_object_get(fast, "value");

	assert_int_equal(json_array_size(rows), 3);
	assert_string_equal(text_of(fast, "what"), "goes \"fast\"");
	assert_string_equal(text_of(fast, "better"), "higher");
	assert_string_equal(text_of(fast, "status"), "done");
	assert_string_equal(text_of(fast, "verdict"), "floor");
	assert_true(number_of(fast, "goal") == 10);
	assert_true(number_of(fast, "floor") == 5);
	assert_true(number_of(value, "min") == 6);
	assert_true(number_of(value, "median") == 8);
	assert_true(number_of(value, "max") == 10);
	assert_int_equal(json_array_size(json_object_get(fast, "samples")), 2);
	assert_null(json_object_get(slow, "verdict"));
	assert_null(json_object_get(slow, "goal"));
	assert_string_equal(text_of(gone, "status"), "skipped");
	assert_string_equal(text_of(gone, "verdict"), "-");
	assert_string_equal(text_of(gone, "reason"), "(not UTF-8)");
	assert_null(json_object_get(gone, "value"));
}

static void test_selfbench__json(void **state)
{
	struct selfbench_result results[3];
	struct selfbench_report r;
	json_t *top, *m, *list;

	(void)state;
	make_report(&r, results, &machine);
	top = print_and_load(&r);
	assert_true(number_of(top, "schema") == 1);
	assert_true(number_of(top, "repeat") == 2);
	m = json_object_get(top, "machine");
	assert_string_equal(text_of(m, "cpu"), "A \"quoted\" CPU");
	assert_true(number_of(m, "cpus") == 4);
	assert_true(number_of(m, "memory_bytes") == 8.0 * (1 << 30));
	assert_true(json_is_true(json_object_get(m, "this_system")));
	check_rows(json_object_get(top, "rows"));
	list = json_object_get(top, "ratios");
	assert_int_equal(json_array_size(list), 2);
	assert_string_equal(text_of(json_array_get(list, 1), "verdict"), "met");
	assert_true(number_of(json_array_get(list, 1), "goal") == 1);
	assert_null(json_object_get(json_array_get(list, 0), "verdict"));
	json_decref(top);
}

/* A CPU whose firmware names it in no known character set is still described. */
static void test_selfbench__json_of_a_name_in_no_charset(void **state)
{
	struct selfbench_machine odd = machine;
	struct selfbench_result results[3];
	struct selfbench_report r;
	json_t *top;

	(void)state;
	snprintf(odd.cpu, sizeof(odd.cpu), "CPU \xe9\x80");
	make_report(&r, results, &odd);
	top = print_and_load(&r);
	assert_string_equal(text_of(json_object_get(top, "machine"), "cpu"),
			    "(not UTF-8)");
	json_decref(top);
}

/* No space left: the report is not said to be there. */
static void test_selfbench__json_that_cannot_be_written(void **state)
{
	struct selfbench_result results[3];
	struct selfbench_report r;
	FILE *out = fopen("/dev/full", "w");

	(void)state;
	if (!out)
		skip();
	setvbuf(out, NULL, _IONBF, 0);
	make_report(&r, results, &machine);
	assert_int_equal(selfbench_print_json(&r, out), -EIO);
	fclose(out);
}

/* This machine has a CPU and memory, whatever it is, also without sysfs. */
static void test_selfbench__machine(void **state)
{
	struct selfbench_machine m;

	(void)state;
	selfbench_machine(&m, "cc", "Debug");
	assert_true(m.pus >= 1 && m.memory > 0);
	assert_string_equal(m.compiler, "cc");
	assert_string_equal(m.build, "Debug");
	assert_true(m.cpu[0] && m.kernel[0]);
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(test_selfbench__spread_is_of_the_samples),
	cmocka_unit_test(test_selfbench__limits_of_repeat),
	cmocka_unit_test(test_selfbench__failures_have_a_reason),
	cmocka_unit_test(test_selfbench__verdicts),
	cmocka_unit_test(test_selfbench__rates_of_nothing_are_zero),
	cmocka_unit_test(test_selfbench__timer_adds),
	cmocka_unit_test(test_selfbench__ratios),
	cmocka_unit_test(test_selfbench__text),
	cmocka_unit_test(test_selfbench__json),
	cmocka_unit_test(test_selfbench__json_of_a_name_in_no_charset),
	cmocka_unit_test(test_selfbench__json_that_cannot_be_written),
	cmocka_unit_test(test_selfbench__machine),
};

TEST_MAIN(cases)
