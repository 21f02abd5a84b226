/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cells.jsonl from the results of single cells, read by one process or more. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bench/bench.h"
#include "cli/registry.h"
#include "tests/bench/scratch.h"
#include "tests/test.h"

#define NR_CELLS 100

/* A hundred cells with results in `out`. */
static struct experiment *run_cells_of(struct scratch *s)
{
	static const char text[] =
		"[experiment]\nseeds = 1..50\n"
		"[guest]\nmemory = 64M\nbase = 1M\n"
		"[phase a]\nworkload = page_fault1\ntasks = 1,2\n"
		"duration = 10us\n";
	struct experiment_request req = { .path = "t.ini",
					  .registry = &registry };
	const struct runner_options opt = { .dir = "out", .jobs = 2,
					    .messages = s->messages };
	struct experiment *e = calloc(1, sizeof(*e));
	struct runner_outcome out;
	char why[256] = "";

	assert_non_null(e);
	scratch_write("t.ini", text);
	if (experiment_load(e, &req, &s->diag))
		fail_msg("%s", scratch_text(s));
	assert_int_equal(e->nr_cells, NR_CELLS);
	assert_int_equal(store_open("out", why, sizeof(why)), 0);
	assert_int_equal(runner_run(e, &opt, &out), 0);
	if (out.nr_done != NR_CELLS)
		fail_msg("%s", scratch_text(s));
	return e;
}

static void release(struct experiment *e)
{
	experiment_free(e);
	free(e);
}

static void collect_to(const struct experiment *e, unsigned int jobs,
		       const char *keep, size_t expected_missing)
{
	char why[4400] = "", command[128];
	size_t missing;

	if (collect_cells(e, "out", jobs, &missing, why, sizeof(why)))
		fail_msg("%s", why);
	assert_int_equal(missing, expected_missing);
	snprintf(command, sizeof(command), "cp out/cells.jsonl %s", keep);
	assert_int_equal(system(command), 0);
}

static void test_collect__any_number_of_readers_gives_the_same_bytes(
		void **state)
{
	/* Scenario: one, two, three readers, and more than can be of use. */
	static const unsigned int jobs[] = { 2, 3, 1024 };
	struct experiment *e = run_cells_of(*state);
	size_t i;

	collect_to(e, 1, "first", 0);
	assert_int_equal(system("test $(wc -l <first) = 100"), 0);
	for (i = 0; i < sizeof(jobs) / sizeof(jobs[0]); i++) {
		collect_to(e, jobs[i], "other", 0);
		assert_int_equal(system("cmp first other"), 0);
	}
	release(e);
}

static void test_collect__missing_and_damaged_cells_are_left_out(void **state)
{
	/* Scenario: one result is gone, one is half of what it was. */
	struct experiment *e = run_cells_of(*state);
	char path[STORE_PATH_SIZE];

	store_cell_path("out", e->cells[7].id, path, sizeof(path));
	assert_int_equal(unlink(path), 0);
	store_cell_path("out", e->cells[8].id, path, sizeof(path));
	assert_int_equal(truncate(path, 1000), 0);
	collect_to(e, 1, "first", 2);
	collect_to(e, 2, "other", 2);
	assert_int_equal(system("cmp first other"), 0);
	assert_int_equal(system("test $(wc -l <other) = 98"), 0);
	release(e);
}

static void test_collect__a_cell_that_cannot_be_read_keeps_the_old_list(
		void **state)
{
	/* Scenario: a result whose path loops, and a list of before. */
	struct experiment *e = run_cells_of(*state);
	char path[STORE_PATH_SIZE], why[4400];
	size_t missing;

	collect_to(e, 2, "first", 0);
	store_cell_path("out", e->cells[70].id, path, sizeof(path));
	assert_int_equal(unlink(path), 0);
	assert_int_equal(symlink("itself", "out/cells/itself"), 0);
	assert_int_equal(symlink("itself", path), 0);
	for (unsigned int jobs = 1; jobs <= 3; jobs++) {
		assert_int_equal(collect_cells(e, "out", jobs, &missing, why,
					       sizeof(why)), -ELOOP);
		assert_non_null(strstr(why, path));
		assert_non_null(strstr(why, "cannot read"));
		assert_int_equal(system("cmp out/cells.jsonl first"), 0);
	}
	assert_int_equal(system("test $(ls -A out | wc -l) = 3"), 0);
	release(e);
}

#define CASE(name)                                                            \
	cmocka_unit_test_setup_teardown(name, scratch_setup, scratch_teardown)

static const struct CMUnitTest cases[] = {
	CASE(test_collect__any_number_of_readers_gives_the_same_bytes),
	CASE(test_collect__missing_and_damaged_cells_are_left_out),
	CASE(test_collect__a_cell_that_cannot_be_read_keeps_the_old_list),
};

TEST_MAIN(cases)
