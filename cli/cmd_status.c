/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `buddylab status EXP.ini`: which cells have a result. */
#include "cli/commands.h"
#include "cli/exp_args.h"

static const struct args_option options[] = {
	EXP_OPTIONS,
	{ "missing", 0, NULL, "list the cells without a result" },
	{ NULL, 0, NULL, NULL },
};

static const struct args_command command = {
	.name = "status",
	.synopsis = "EXP.ini [options]",
	.text = "Say how many cells of the plan have a valid result in DIR.\n",
	.options = options,
	.example = NULL,
};

static void print_status(const struct experiment *e, const char *dir,
			 bool list)
{
	size_t i, done = 0;
	char text[300];

	for (i = 0; i < e->nr_cells; i++) {
		if (cell_is_stored(e, &e->cells[i], dir)) {
			done++;
			continue;
		}
		cell_describe(&e->cells[i], text, sizeof(text));
		if (list)
			printf("%s  %s\n", e->cells[i].id, text);
	}
	printf("%s: %zu of %zu cells have a result\n", dir, done, e->nr_cells);
}

int cmd_status(int argc, char **argv)
{
	struct exp_args a;
	struct experiment e;
	bool list = false;
	int option, code;

	exp_args_init(&a, &command, argc, argv);
	while ((option = exp_args_next(&a)) >= 0)
		list = true;
	if (option != ARGS_END)
		return exp_args_exit(option);
	code = exp_args_load(&a, &e);
	if (code)
		return code;
	print_status(&e, a.dir, list);
	experiment_free(&e);
	return EXIT_FINE;
}
