/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every worked example of tests/data/step on every kernel it names, each a
 * case of its own: `test_step_examples 'X15*'` runs one.
 */
#include <glob.h>
#include <stdlib.h>
#include <string.h>

#include "tests/step/examples.h"
#include "tests/test.h"

struct example_case {
	const struct example *example;
	const char *kernel;
};

static void run_example(void **state)
{
	const struct example_case *c = *state;

	if (!example_check(c->example, c->kernel))
		fail_msg("%s on %s", c->example->name, c->kernel);
}

static bool read_examples(struct example_set *set)
{
	glob_t files;
	bool good = true;
	size_t i;

	if (glob(TEST_DATA_DIR "/step/*.step", 0, NULL, &files))
		return false;
	for (i = 0; i < files.gl_pathc && good; i++)
		good = example_set_read(set, files.gl_pathv[i]);
	globfree(&files);
	return good;
}

static size_t nr_runs(const struct example_set *set)
{
	size_t nr = 0, i, k;

	for (i = 0; i < set->nr; i++)
		for (k = 0; set->examples[i].kernels[k]; k++)
			nr++;
	return nr;
}

static void name_case(struct CMUnitTest *test, struct example_case *c)
{
	char name[128];

	snprintf(name, sizeof(name), "%s on %s", c->example->name, c->kernel);
	*test = (struct CMUnitTest){
		.name = strdup(name), .test_func = run_example,
		.initial_state = c,
	};
}

int main(int argc, char **argv)
{
	struct example_set set = { .nr = 0 };
	struct CMUnitTest *tests;
	struct example_case *cases;
	size_t nr = 0, i, k;
	int failed;

	if (!read_examples(&set))
		return 1;
	tests = calloc(nr_runs(&set) + 1, sizeof(*tests));
	cases = calloc(nr_runs(&set) + 1, sizeof(*cases));
	if (!tests || !cases || set.nr == 0)
		return 1;
	for (i = 0; i < set.nr; i++)
		for (k = 0; set.examples[i].kernels[k]; k++) {
			cases[nr] = (struct example_case){
				&set.examples[i], set.examples[i].kernels[k]
			};
			name_case(&tests[nr], &cases[nr]);
			nr++;
		}
	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	failed = _cmocka_run_group_tests("worked examples", tests, nr, NULL,
					 NULL);
	for (i = 0; i < nr; i++)
		free((void *)(uintptr_t)tests[i].name);
	free(tests);
	free(cases);
	example_set_destroy(&set);
	return failed ? 1 : 0;
}
