/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `buddylab collect EXP.ini -o DIR`: cells.jsonl from what is finished. */
#include "cli/commands.h"
#include "cli/exp_args.h"
#include "include/cpus.h"

static const struct args_option options[] = {
	EXP_OPTIONS,
	{ "jobs", 'j', "N", "processes that read (default: one per CPU)" },
	{ NULL, 0, NULL, NULL },
};

const struct args_command command_collect = {
	.name = "collect",
	.synopsis = "EXP.ini [options]",
	.text = "Write DIR/cells.jsonl from DIR/cells/, in plan order. Exit "
		"status 3 if\ncells are missing; those that are there are "
		"collected all the same.\n",
	.options = options,
	.example = NULL,
};

static int collect(const struct exp_args *a, const struct experiment *e,
		   unsigned int jobs)
{
	char why[4400];
	size_t missing;

	if (collect_cells(e, a->dir, jobs, &missing, why, sizeof(why))) {
		fprintf(stderr, "buddylab collect: error: %s\n", why);
		return EXIT_RUNTIME;
	}
	fprintf(stderr, "%s/cells.jsonl: %zu of %zu cells\n", a->dir,
		e->nr_cells - missing, e->nr_cells);
	return missing ? EXIT_RUNTIME : EXIT_FINE;
}

int cmd_collect(int argc, char **argv)
{
	struct exp_args a;
	struct experiment e;
	unsigned int jobs = usable_cpus();
	int option, code;

	exp_args_init(&a, &command_collect, argc, argv);
	while ((option = exp_args_next(&a)) >= 0) {
		jobs = exp_args_count(&a, "jobs", 1024);
		if (!jobs)
			return EXIT_USAGE;
	}
	if (option != ARGS_END)
		return exp_args_exit(option);
	code = exp_args_load(&a, &e);
	if (code)
		return code;
	code = collect(&a, &e, jobs);
	experiment_free(&e);
	return code;
}
