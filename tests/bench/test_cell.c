/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Ids of cells: what is in them, what is not, and how they are made. */
#include <stdlib.h>
#include <string.h>

#include "bench/experiment.h"
#include "cli/registry.h"
#include "tests/bench/scratch.h"
#include "tests/test.h"

/* The first cell of an experiment given as text. */
static struct experiment *load(struct scratch *s, const char *path,
			       const char *text)
{
	struct experiment_request req = { .path = path,
					  .registry = &registry };
	struct experiment *e = calloc(1, sizeof(*e));

	assert_non_null(e);
	scratch_write(path, text);
	if (experiment_load(e, &req, &s->diag))
		fail_msg("%s", scratch_text(s));
	return e;
}

static void release(struct experiment *e)
{
	experiment_free(e);
	free(e);
}

static void first_id(struct scratch *s, const char *text,
		     char out[DIGEST_HEX_SIZE])
{
	struct experiment *e = load(s, "t.ini", text);

	memcpy(out, e->cells[0].id, DIGEST_HEX_SIZE);
	release(e);
}

#define PHASE "[phase p]\nworkload = memhog\nsize = 10%\n"
#define BASE "[guest]\nmemory = 1G\n" PHASE

static const char *const same[] = {
	/* Spelling, order, comments, names, defaults that are written out. */
	"[phase p]\nsize = 10%\nworkload = memhog\n[guest]\nmemory = 1G\n",
	"[guest]\nmemory = 1024M\n[phase p]\nworkload = memhog\nsize=10.0%\n",
	"# c\n" BASE "[experiment]\ntitle = T\nseeds = 1\n",
	"[guest]\nmemory = 1G\n[phase q]\nworkload = memhog\nsize = 10%\n",
	BASE "[variant v]\n",
	BASE "[variant v]\nguest.memory = 1073741824\n",
	BASE "[reporter]\ndesign = none\n[host]\nguests = 1\n",
	BASE "[experiment]\nsample = 0.1s\n",
	/* Keys of a design that is not the chosen one. */
	BASE "[reporter]\ndesign = none,page_reporting\ncapacity = 4\n",
	/* All CPUs of the topology, by number or not. */
	PHASE "[guest]\nmemory = 1G\ncpus = 1\ntopology = core:1 pu:1\n",
};

static const char *const different[] = {
	"[guest]\nmemory = 2G\n[phase p]\nworkload = memhog\nsize = 10%\n",
	"[guest]\nmemory = 1G\n[phase p]\nworkload = memhog\nsize = 10.01%\n",
	"[guest]\nmemory = 1G\n[phase p]\nworkload = page_fault1\nsize = 10%\n",
	BASE "tasks = 2\n",
	BASE "[phase q]\nworkload = memhog\nsize = 10%\n",
	BASE "[experiment]\nseeds = 2\n",
	BASE "[experiment]\nsample = 0s\n",
	BASE "[reporter]\ndesign = page_reporting\n",
	BASE "[reporter]\nenabled = off\n",
	BASE "[host]\nhypervisor = null\n",
	BASE "[host]\nthp = never\n",
	BASE "[host]\nguests = 2\n",
	PHASE "[guest]\nmemory = 1G\ntopology = core:2 pu:1\n",
};

static void test_cell__id_depends_on_effective_values_only(void **state)
{
	/* Scenario: texts that mean the same, and texts that do not. */
	struct scratch *s = *state;
	char base[DIGEST_HEX_SIZE], id[ARRAY_SIZE(different)][DIGEST_HEX_SIZE];
	size_t i, j;

	first_id(s, BASE, base);
	for (i = 0; i < ARRAY_SIZE(same); i++) {
		first_id(s, same[i], id[0]);
		if (strcmp(id[0], base) != 0)
			fail_msg("row %zu has another id", i);
	}
	for (i = 0; i < ARRAY_SIZE(different); i++) {
		first_id(s, different[i], id[i]);
		if (!strcmp(id[i], base))
			fail_msg("row %zu has the same id", i);
		for (j = 0; j < i; j++)
			assert_string_not_equal(id[i], id[j]);
	}
}

static void test_cell__id_is_the_digest_of_sorted_lines(void **state)
{
	/* Scenario: the documented lines, hashed here once more. */
	struct scratch *s = *state;
	struct experiment *e = load(s, "t.ini", BASE "tasks = 3\n"
				    "[experiment]\nseeds = 12\n");
	const struct cell *c = &e->cells[0];
	char text[8192], hex[DIGEST_HEX_SIZE];
	const char *line = c->body->lines, *next;

	assert_non_null(strstr(line, "experiment.sample=100000000ns\n"));
	assert_non_null(strstr(line, "\nguest.memory=1073741824\n"));
	assert_non_null(strstr(line, "\nguest.kernel=6.1\n"));
	assert_non_null(strstr(line, "\nphase.1.tasks=3\n"));
	assert_non_null(strstr(line, "\nphase.1.size=10%\n"));
	assert_non_null(strstr(line, "\nreporter.enabled=on\n"));
	for (; (next = strchr(line, '\n')) && next[1]; line = next + 1)
		if (strncmp(line, next + 1, strcspn(next + 1, "\n")) > 0)
			fail_msg("not sorted at '%.40s'", line);
	snprintf(text, sizeof(text), "%sseed=12\n", c->body->lines);
	digest_bytes_hex(text, strlen(text), hex);
	assert_string_equal(hex, c->id);
	assert_int_equal(strspn(c->id, "0123456789abcdef"), 32);
	release(e);
}

static void test_cell__file_stands_for_its_content(void **state)
{
	/*
	 * Scenario: the same trace under two names, and one byte more; the
	 * name is relative to the file in which it is written.
	 */
	struct scratch *s = *state;
	const char *text = "[phase p]\nworkload = trace\nfile = a\n"
			   "before = b\n";
	char id[3][DIGEST_HEX_SIZE];
	struct experiment *e;
	const struct trace_workload_options *o;

	assert_int_equal(system("mkdir d"), 0);
	scratch_write("d/a", "x");
	scratch_write("d/b", "");
	e = load(s, "d/t.ini", text);
	memcpy(id[0], e->cells[0].id, DIGEST_HEX_SIZE);
	o = e->cells[0].body->phases[0].workload_options;
	assert_string_equal(o->file, "d/a");
	assert_string_equal(e->cells[0].body->paths[0].written, "a");
	release(e);
	scratch_write("d/c", "x");
	e = load(s, "t.ini", "[phase p]\nworkload = trace\nfile = d/c\n"
		 "before = d/b\n");
	memcpy(id[1], e->cells[0].id, DIGEST_HEX_SIZE);
	release(e);
	scratch_write("d/a", "xy");
	e = load(s, "d/t.ini", text);
	memcpy(id[2], e->cells[0].id, DIGEST_HEX_SIZE);
	release(e);
	assert_string_equal(id[0], id[1]);
	assert_string_not_equal(id[0], id[2]);
}

static void test_cell__keys_say_what_is_shared(void **state)
{
	/* Scenario: an axis in the second phase; the first one is shared. */
	struct scratch *s = *state;
	struct experiment *e = load(s, "t.ini", BASE "[phase q]\n"
		"workload = page_fault1\nduration = 1s\ntasks = 1,2\n");
	const struct cell_body *a = e->cells[0].body, *b = e->cells[1].body;

	assert_int_equal(e->nr_cells, 2);
	assert_string_equal(a->base_key, b->base_key);
	assert_string_equal(a->phase_keys[0], b->phase_keys[0]);
	assert_string_not_equal(a->phase_keys[1], b->phase_keys[1]);
	release(e);
}

static void test_cell__a_trace_decides_how_a_run_starts(void **state)
{
	/* Scenario: an axis of two workloads, one of which reads files. */
	struct scratch *s = *state;
	struct experiment *e;

	scratch_write("a", "x");
	e = load(s, "t.ini", BASE "[phase q]\nworkload = memhog,trace\n"
		 "file = a\nsize = 1%\n");
	assert_int_equal(e->nr_cells, 2);
	assert_string_not_equal(e->cells[0].body->base_key,
				e->cells[1].body->base_key);
	release(e);
}

static void test_cell__who_knows_the_future_shares_no_phases(void **state)
{
	/* Scenario: the axis of above for a design with a first pass. */
	struct scratch *s = *state;
	struct experiment *e = load(s, "t.ini", "[reporter]\ndesign = ideal\n"
		BASE "[phase q]\nworkload = page_fault1\nduration = 1s\n"
		"tasks = 1,2\n");

	assert_int_equal(e->nr_cells, 2);
	assert_string_not_equal(e->cells[0].body->base_key,
				e->cells[1].body->base_key);
	release(e);
}

#define CASE(name)                                                            \
	cmocka_unit_test_setup_teardown(name, scratch_setup, scratch_teardown)

static const struct CMUnitTest cases[] = {
	CASE(test_cell__id_depends_on_effective_values_only),
	CASE(test_cell__id_is_the_digest_of_sorted_lines),
	CASE(test_cell__file_stands_for_its_content),
	CASE(test_cell__keys_say_what_is_shared),
	CASE(test_cell__a_trace_decides_how_a_run_starts),
	CASE(test_cell__who_knows_the_future_shares_no_phases),
};

TEST_MAIN(cases)
