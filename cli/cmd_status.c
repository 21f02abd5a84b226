/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `buddylab status EXP.ini`: which cells have a result. */
#include "cli/commands.h"
#include "cli/exp_args.h"
#include "cli/json.h"

enum { MISSING = EXP_NR_OPTIONS, FORMAT };

static const struct args_option options[] = {
	EXP_OPTIONS,
	{ "missing", 0, NULL, "list the cells without a result" },
	{ "format", 0, "text|json", "default text" },
	{ NULL, 0, NULL, NULL },
};

const struct args_command command_status = {
	.name = "status",
	.synopsis = "EXP.ini [options]",
	.text = "Say how many cells of the plan have a valid result in DIR.\n",
	.options = options,
	.example = NULL,
};

static int print_status(const struct exp_args *a, const struct experiment *e,
			bool list)
{
	size_t i, done = 0;
	char text[300];

	for (i = 0; i < e->nr_cells; i++) {
		const int stored = exp_args_stored(a, &e->cells[i]);

		if (stored < 0)
			return EXIT_RUNTIME;
		if (stored) {
			done++;
			continue;
		}
		cell_describe(&e->cells[i], text, sizeof(text));
		if (list)
			printf("%s  %s\n", e->cells[i].id, text);
	}
	printf("%s: %zu of %zu cells have a result\n", a->dir, done,
	       e->nr_cells);
	return EXIT_FINE;
}

static int print_status_json(const struct exp_args *a,
			     const struct experiment *e)
{
	json_t *missing = json_array(), *o;
	size_t nr = 0;

	for (size_t i = 0; i < e->nr_cells; i++) {
		const int stored = exp_args_stored(a, &e->cells[i]);

		if (stored < 0) {
			json_decref(missing);
			return EXIT_RUNTIME;
		}
		if (stored)
			continue;
		json_array_append_new(missing, exp_cell_json(&e->cells[i]));
		nr++;
	}
	if (json_array_size(missing) != nr) {
		json_decref(missing);
		return print_json_document("status", NULL);
	}
	o = json_pack("{s:s, s:I, s:I, s:o}", "dir", a->dir,
		      "cells", (json_int_t)e->nr_cells,
		      "done", (json_int_t)(e->nr_cells - nr),
		      "missing", missing);
	return print_json_document("status", o);
}

int cmd_status(int argc, char **argv)
{
	struct exp_args a;
	struct experiment e;
	bool list = false, json = false;
	int option, code;

	exp_args_init(&a, &command_status, argc, argv);
	while ((option = exp_args_next(&a)) >= 0)
		if (option == MISSING)
			list = true;
		else
			json = a.args.choice == 1;
	if (option != ARGS_END)
		return exp_args_exit(option);
	code = exp_args_load(&a, &e);
	if (code)
		return code;
	if (json)
		code = print_status_json(&a, &e);
	else
		code = print_status(&a, &e, list);
	experiment_free(&e);
	return code;
}
