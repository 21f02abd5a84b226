/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Worked examples as data: step scripts with their expected output, for one or
 * several kernels each. tests/data/step/1-boot.step explains the format.
 */
#ifndef TESTS_STEP_EXAMPLES_H
#define TESTS_STEP_EXAMPLES_H

#include <stdbool.h>
#include <stddef.h>

#define EXAMPLE_MAX_KERNELS 8

struct example_line {
	char *text;
	unsigned int number;      /* in the file */
};

struct example {
	const char *path;         /* owned by the set */
	char *name, *title;
	unsigned int number;      /* line of `case` */
	const char *kernels[EXAMPLE_MAX_KERNELS + 1];
	struct example_line *lines;
	size_t nr_lines, max_lines;
};

struct example_set {
	struct example *examples;
	size_t nr, max;
	char **paths;
	size_t nr_paths;
};

/* One example made ready for one kernel. */
struct example_run {
	char *script;
	size_t script_size;
	struct example_line *expected;
	size_t nr_expected, max_expected;
};

/* Read a file into the set. A mistake in the file is printed; then false. */
bool example_set_read(struct example_set *set, const char *path);
void example_set_destroy(struct example_set *set);

/* Choose and expand the lines for `kernel`. False after a message. */
bool example_prepare(const struct example *ex, const char *kernel,
		     struct example_run *run);
void example_run_destroy(struct example_run *run);

/*
 * Run through the interpreter and compare all output. On a difference prints
 * both outputs side by side and returns false.
 */
bool example_check(const struct example *ex, const char *kernel);

#endif
