/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Experiment files: messages, axes, variants, settings of the command line. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bench/experiment.h"
#include "cli/registry.h"
#include "tests/bench/scratch.h"
#include "tests/test.h"

static int load(struct scratch *s, struct experiment *e, const char *text,
		const char *set)
{
	struct experiment_request req = {
		.path = "t.ini", .registry = &registry, .sets = &set,
		.nr_sets = set ? 1 : 0,
	};

	if (text)
		scratch_write("t.ini", text);
	return experiment_load(e, &req, &s->diag);
}

#define PHASE "[phase p]\nworkload = memhog\nsize = 10%\n"

struct bad_row {
	const char *text, *set, *messages;
};

static const struct bad_row bad_rows[] = {
	{ "[gest]\n" PHASE, NULL,
	  "t.ini:1:1: error: unknown section [gest]; did you mean [guest]? "
	  "allowed are experiment, guest, host, reporter, phase NAME, event "
	  "NAME, inject NAME, variant NAME\n" },
	{ "[guest x]\n" PHASE, NULL,
	  "t.ini:1:1: error: section [guest] takes no name, but 'x' stands "
	  "there\n" },
	{ "[phase]\n", NULL,
	  "t.ini:1:1: error: section [phase] needs a name: [phase NAME]\n" },
	{ "[phase a.b]\n", NULL,
	  "t.ini:1:1: error: 'a.b' is not a name; allowed are letters, digits "
	  "and any of _-\n" },
	{ "[guest]\n", NULL,
	  "t.ini: error: no [phase NAME]; at least one is needed\n" },
	{ "[phase p]\n", NULL, "t.ini:1:1: error: [phase p] has no "
	  "'workload'\n" },
	{ PHASE "[guest]\nmemroy = 1G\n", NULL,
	  "t.ini:5:1: error: unknown key 'memroy' in [guest]; did you mean "
	  "'memory'?\n" },
	{ PHASE "[guest]\nmemory = 1X\n", NULL,
	  "t.ini:5:10: error: memory: '1X' is not a size; allowed is a number "
	  "of bytes, or with K, M, G or T behind it\n" },
	{ PHASE "warmup = 5\n", NULL,
	  "t.ini:4:10: error: warmup: '5' is not a time; allowed is a number "
	  "with its unit, one of ns, us, ms, s, m\n" },
	{ PHASE "tasks = 1,2,x\n", NULL,
	  "t.ini:4:13: error: tasks: 'x' is not a plain number\n" },
	{ PHASE "tasks = 1,,2\n", NULL,
	  "t.ini:4:11: error: '1,,2' is a list with an empty place\n" },
	{ PHASE "tasks = 4..2\n", NULL,
	  "t.ini:4:9: error: '4..2' is not a range: it ends before it "
	  "begins\n" },
	{ PHASE "warmup = 1s..2ms\n", NULL,
	  "t.ini:4:10: error: '1s..2ms' is not a range: both ends need the "
	  "same unit\n" },
	{ PHASE "tasks = 1..2000\n", NULL,
	  "t.ini:4:9: error: '1..2000' makes an axis of more than 1000 "
	  "values\n" },
	{ PHASE "[experiment]\nsample = 1s,2s\n", NULL,
	  "t.ini:5:1: error: 'sample' is one value; it makes no axis\n" },
	/* A key of a design that no cell has, and one that no design has. */
	{ PHASE "[reporter]\ncapacity = 3\n", NULL,
	  "t.ini:5:1: error: 'capacity' is a key of design page_reporting, "
	  "but [reporter] has design none\n" },
	{ PHASE "[reporter]\ndesign = none,page_reporting\ncapacty = 3\n", NULL,
	  "t.ini:6:1: error: unknown key 'capacty' in [reporter]; did you "
	  "mean 'capacity'?\n" },
	{ PHASE "[variant a]\nreporter.design = page_reporting\n"
	  "[variant b]\nreporter.capacity = 3\n", NULL,
	  "t.ini:7:1: error: 'capacity' is a key of design page_reporting, "
	  "but [reporter] has design none\n" },
	{ PHASE "[variant a]\nphase.q.tasks = 3\n", NULL,
	  "t.ini:5:1: error: there is no [phase q]\n" },
	{ PHASE "[variant a]\ntasks = 3\n", NULL,
	  "t.ini:5:1: error: 'tasks' is not of the form section.key or "
	  "phase.NAME.key\n" },
	{ PHASE "[variant a]\nhots.thp = never\n", NULL,
	  "t.ini:5:1: error: unknown section 'hots'; did you mean 'host'?\n" },
	{ PHASE "[variant a]\nexperiment.seeds = 3\n", NULL,
	  "t.ini:5:1: error: a variant cannot change [experiment]\n" },
	{ PHASE, "guest.memroy=1G",
	  "--set guest.memroy=1G: error: unknown key 'memroy' in [guest]; did "
	  "you mean 'memory'?\n" },
	{ PHASE, "memory", "--set memory: error: '=' is missing; write "
	  "section.key=value\n" },
	{ PHASE "[guest]\ntopology = banana\n", NULL,
	  "t.ini:5:12: error: topology: cannot build topology 'banana': "
	  "'banana' is no kind of object that hwloc knows; write e.g. "
	  "'pack:1 core:8 pu:2', file:HOST.xml, or this\n" },
	{ PHASE "[guest]\ncpus = 3\ntopology = core:2 pu:1\n", NULL,
	  "t.ini:6:12: error: topology '[NUMANode] Core:2 PU:1' has 2 "
	  "processing units, but cpus = 3; at most 1024 are possible\n" },
	{ PHASE "[host]\nprices = no.ini\n", NULL,
	  "t.ini:5:10: error: prices: cannot read 'no.ini': No such file or "
	  "directory\n" },
	/* The end of what a number holds; JSON has no room for the last bit. */
	{ PHASE "[experiment]\nseeds = 18446744073709551614"
	  "..18446744073709551615\n", NULL,
	  "t.ini:5:9: error: seeds: '18446744073709551614' is out of range; "
	  "allowed are 0 to 9223372036854775807\n"
	  "t.ini:5:9: error: seeds: '18446744073709551615' is out of range; "
	  "allowed are 0 to 9223372036854775807\n" },
	{ PHASE, "variant.a=1",
	  "--set variant.a=1: error: unknown section 'variant'\n" },
	{ PHASE "[host]\nprices = /dev/zero\n", NULL,
	  "t.ini:5:10: error: prices: cannot read '/dev/zero': not a regular "
	  "file\n" },
	/* Set by every variant, so nobody uses it: checked all the same. */
	{ PHASE "[guest]\nshuffle = maybe\n[variant a]\nguest.shuffle = on\n",
	  NULL, "t.ini:5:11: error: shuffle: 'maybe' is neither on nor off\n" },
};

static void test_experiment__names_each_mistake(void **state)
{
	/* Scenario: one mistake a row, with the message as golden text. */
	struct scratch *s = *state;

	for (unsigned int i = 0; i < sizeof(bad_rows) / sizeof(*bad_rows);
	     i++) {
		struct experiment *e = calloc(1, sizeof(*e));

		assert_non_null(e);
		assert_int_equal(load(s, e, bad_rows[i].text, bad_rows[i].set),
				 -EINVAL);
		assert_string_equal(scratch_text(s), bad_rows[i].messages);
		experiment_free(e);
		free(e);
	}
}

static void test_experiment__reports_every_mistake(void **state)
{
	/* Scenario: mistakes of form, of keys and of values in one file. */
	struct scratch *s = *state;
	struct experiment *e = calloc(1, sizeof(*e));

	assert_non_null(e);
	assert_int_equal(load(s, e, "[guest]\nmemory = x\nshufle = on\nno\n"
			      PHASE "tasks = many\n", NULL), -EINVAL);
	assert_string_equal(scratch_text(s),
		"t.ini:4:1: error: expected 'key = value' or '[section]'\n"
		"t.ini:2:10: error: memory: 'x' is not a size; allowed is a "
		"number of bytes, or with K, M, G or T behind it\n"
		"t.ini:8:9: error: tasks: 'many' is not a plain number\n"
		"t.ini:3:1: error: unknown key 'shufle' in [guest]; did you "
		"mean 'shuffle'?\n");
	experiment_free(e);
	free(e);
}

static void test_experiment__missing_trace_is_a_runtime_failure(void **state)
{
	/* Scenario: both files of a trace are missing; both are named. */
	struct scratch *s = *state;
	struct experiment *e = calloc(1, sizeof(*e));

	assert_non_null(e);
	assert_int_equal(load(s, e, "[phase p]\nworkload = trace\n"
			      "file = a.txt\nbefore = b.snap\n", NULL), -EIO);
	assert_string_equal(scratch_text(s),
		"t.ini:3:8: error: file: cannot read 'a.txt': No such file or "
		"directory\n"
		"t.ini:4:10: error: before: cannot read 'b.snap': No such file "
		"or directory\n");
	experiment_free(e);
	free(e);
}

struct plan_row {
	const char *text, *set, *cells;
};

static const struct plan_row plan_rows[] = {
	{ PHASE, NULL, "variant default, seed 1\n" },
	{ PHASE "[experiment]\nseeds = 7\n", NULL, "variant default, seed 7\n" },
	{ PHASE "[experiment]\nseeds = 1..2,9\n", NULL,
	  "variant default, seed 1\nvariant default, seed 2\n"
	  "variant default, seed 9\n" },
	/* Order of appearance, the last axis fastest, then seeds. */
	{ "[experiment]\nseeds = 1,2\n" PHASE "tasks = 1,16\n"
	  "[host]\nthp = always,never\n", NULL,
	  "variant default, phase.p.tasks=1, host.thp=always, seed 1\n"
	  "variant default, phase.p.tasks=1, host.thp=always, seed 2\n"
	  "variant default, phase.p.tasks=1, host.thp=never, seed 1\n"
	  "variant default, phase.p.tasks=1, host.thp=never, seed 2\n"
	  "variant default, phase.p.tasks=16, host.thp=always, seed 1\n"
	  "variant default, phase.p.tasks=16, host.thp=always, seed 2\n"
	  "variant default, phase.p.tasks=16, host.thp=never, seed 1\n"
	  "variant default, phase.p.tasks=16, host.thp=never, seed 2\n" },
	/* Ranges keep the unit; switches are words too. */
	{ PHASE "[guest]\nmemory = 1G..2G\nshuffle = on,off\n", NULL,
	  "variant default, guest.memory=1G, guest.shuffle=on, seed 1\n"
	  "variant default, guest.memory=1G, guest.shuffle=off, seed 1\n"
	  "variant default, guest.memory=2G, guest.shuffle=on, seed 1\n"
	  "variant default, guest.memory=2G, guest.shuffle=off, seed 1\n" },
	/* A variant's value takes the axis away; its list is one of its own. */
	{ PHASE "tasks = 1,2\n[variant a]\n[variant b]\nphase.p.tasks = 3\n"
	  "[variant c]\nguest.cpus = 1,1\n", NULL,
	  "variant a, phase.p.tasks=1, seed 1\n"
	  "variant a, phase.p.tasks=2, seed 1\n"
	  "variant b, seed 1\n"
	  "variant c, phase.p.tasks=1, guest.cpus=1, seed 1\n"
	  "variant c, phase.p.tasks=1, guest.cpus=1, seed 1\n"
	  "variant c, phase.p.tasks=2, guest.cpus=1, seed 1\n"
	  "variant c, phase.p.tasks=2, guest.cpus=1, seed 1\n" },
	/* The command line wins over both. */
	{ PHASE "tasks = 1,2\n[variant a]\nphase.p.tasks = 3\n",
	  "phase.p.tasks=4", "variant a, seed 1\n" },
	{ PHASE "tasks = 1,2\n", "phase.p.tasks=4,5",
	  "variant default, phase.p.tasks=4, seed 1\n"
	  "variant default, phase.p.tasks=5, seed 1\n" },
	{ PHASE, "experiment.seeds=3..4",
	  "variant default, seed 3\nvariant default, seed 4\n" },
	/* A key that only some members of an axis have is no mistake. */
	{ PHASE "[reporter]\ndesign = none,page_reporting\ncapacity = 8\n",
	  NULL, "variant default, reporter.design=none, seed 1\n"
	  "variant default, reporter.design=page_reporting, seed 1\n" },
	{ "[phase p]\nworkload = page_fault1,page_fault2\nduration = 1s\n",
	  NULL, "variant default, phase.p.workload=page_fault1, seed 1\n"
	  "variant default, phase.p.workload=page_fault2, seed 1\n" },
};

static void describe(const struct experiment *e, char *out, size_t size)
{
	size_t n = 0;

	out[0] = '\0';
	for (size_t i = 0; i < e->nr_cells && n < size; i++) {
		char text[300];

		assert_int_equal(e->cells[i].index, i);
		cell_describe(&e->cells[i], text, sizeof(text));
		n += (size_t)snprintf(out + n, size - n, "%s\n", text);
	}
}

static void test_experiment__plans_cells_in_order(void **state)
{
	/* Scenario: variants, axes and seeds; the list of cells. */
	struct scratch *s = *state;

	for (unsigned int i = 0; i < sizeof(plan_rows) / sizeof(*plan_rows);
	     i++) {
		struct experiment *e = calloc(1, sizeof(*e));
		char text[4096];
		int ret;

		assert_non_null(e);
		ret = load(s, e, plan_rows[i].text, plan_rows[i].set);
		assert_string_equal(scratch_text(s), "");
		ASSERT_U64(test_row(i), ret, 0);
		describe(e, text, sizeof(text));
		assert_string_equal(text, plan_rows[i].cells);
		experiment_free(e);
		free(e);
	}
}

static void test_experiment__only_and_seeds_select(void **state)
{
	/* Scenario: two of three variants, other seeds; a name that is none. */
	struct scratch *s = *state;
	struct experiment_request req = {
		.path = "t.ini", .registry = &registry, .seeds = "8",
		.only = "c,a",
	};
	struct experiment *e = calloc(1, sizeof(*e));
	char text[256];

	assert_non_null(e);
	scratch_write("t.ini", PHASE "[variant a]\n[variant b]\n[variant c]\n");
	assert_int_equal(experiment_load(e, &req, &s->diag), 0);
	describe(e, text, sizeof(text));
	assert_string_equal(text, "variant a, seed 8\nvariant c, seed 8\n");
	/* They differ in nothing that counts. */
	assert_string_equal(e->cells[0].id, e->cells[1].id);
	assert_false(e->cells[0].repeated);
	assert_true(e->cells[1].repeated);
	experiment_free(e);
	req.only = "a,bb";
	assert_int_equal(experiment_load(e, &req, &s->diag), -EINVAL);
	assert_string_equal(scratch_text(s),
			    "--only: error: there is no variant 'bb'; did "
			    "you mean 'b'?\n");
	experiment_free(e);
	free(e);
}

#define CASE(name)                                                            \
	cmocka_unit_test_setup_teardown(name, scratch_setup, scratch_teardown)

static const struct CMUnitTest cases[] = {
	CASE(test_experiment__names_each_mistake),
	CASE(test_experiment__reports_every_mistake),
	CASE(test_experiment__missing_trace_is_a_runtime_failure),
	CASE(test_experiment__plans_cells_in_order),
	CASE(test_experiment__only_and_seeds_select),
};

TEST_MAIN(cases)
