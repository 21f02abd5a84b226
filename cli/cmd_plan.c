/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * `buddylab plan EXP.ini`: the cells, or commands that run them elsewhere. The
 * commands of all formats are the same run-cell; only what surrounds them
 * differs.
 */
#include <stdlib.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/exp_args.h"
#include "cli/json.h"

enum { PLAN_FORMAT = EXP_NR_OPTIONS };

static const struct args_option options[] = {
	EXP_OPTIONS,
	{ "format", 0, "list|make|parallel|slurm|json", "default list" },
	{ NULL, 0, NULL, NULL },
};

const struct args_command command_plan = {
	.name = "plan",
	.synopsis = "EXP.ini [options]",
	.text = "List the cells of an experiment in plan order, or print what\n"
		"another engine needs to run them: a makefile, a list of "
		"commands for\nGNU parallel, or a Slurm job array.\n",
	.options = options,
	.example = "  buddylab plan exp.ini --format parallel | parallel\n"
		   "  buddylab plan exp.ini --format make | make -f - -j 8\n"
		   "  buddylab plan exp.ini --format slurm | sbatch\n",
};

static void print_list(const struct experiment *e)
{
	char text[300];
	size_t i;

	for (i = 0; i < e->nr_cells; i++) {
		cell_describe(&e->cells[i], text, sizeof(text));
		printf("%s  %s\n", e->cells[i].id, text);
	}
}

static int print_json(const struct experiment *e)
{
	json_t *list = json_array();

	for (size_t i = 0; i < e->nr_cells; i++)
		json_array_append_new(list, exp_cell_json(&e->cells[i]));
	if (json_array_size(list) != e->nr_cells) {
		json_decref(list);
		list = NULL;
	}
	return print_json_document("plan", list);
}

static void print_parallel(const struct experiment *e, const char *run)
{
	size_t i;

	for (i = 0; i < e->nr_cells; i++)
		if (!e->cells[i].repeated)
			printf("%s --cell %s\n", run, e->cells[i].id);
}

/* `$` is make's; everything else is quoted for the shell already. */
static void put_recipe(const char *text)
{
	for (; *text; text++)
		printf(*text == '$' ? "$$" : "%c", *text);
}

static void print_make(const struct experiment *e, const char *run,
		       const char *collect)
{
	size_t i;

	printf(".PHONY: all cells\nall: cells\n\t");
	put_recipe(collect);
	printf("\ncells:");
	for (i = 0; i < e->nr_cells; i++)
		if (!e->cells[i].repeated)
			printf(" \\\n\tcell-%s", e->cells[i].id);
	printf("\n");
	for (i = 0; i < e->nr_cells; i++) {
		if (e->cells[i].repeated)
			continue;
		printf(".PHONY: cell-%s\ncell-%s:\n\t", e->cells[i].id,
		       e->cells[i].id);
		put_recipe(run);
		printf(" --cell %s\n", e->cells[i].id);
	}
}

/* A job array; the collecting step is a job of its own. */
static void print_slurm(const struct experiment *e, const char *run,
			const char *collect)
{
	size_t i, nr = 0;

	for (i = 0; i < e->nr_cells; i++)
		nr += !e->cells[i].repeated;
	printf("#!/bin/sh\n#SBATCH --job-name=buddylab\n#SBATCH --array=0-%zu\n"
	       "# When all have ended (--dependency=afterany:JOB):\n"
	       "#   %s\nset -- \\\n", nr - 1, collect);
	for (i = 0; i < e->nr_cells; i++)
		if (!e->cells[i].repeated)
			printf("\t%s \\\n", e->cells[i].id);
	printf("\nshift \"$SLURM_ARRAY_TASK_ID\"\nexec %s --cell \"$1\"\n",
	       run);
}

/* Formats that are read line by line: what is behind a break would be run. */
static bool is_script(const char *format)
{
	return !strcmp(format, "parallel") || !strcmp(format, "make") ||
	       !strcmp(format, "slurm");
}

static int print_plan(const struct exp_args *a, const struct experiment *e,
		      const char *format)
{
	char *run = exp_args_repeat(a, "run-cell");
	char *collect = exp_args_repeat(a, "collect");
	int code = run && collect ? EXIT_FINE : EXIT_RUNTIME;

	if (code)
		fprintf(stderr, "buddylab plan: error: out of memory\n");
	else if (is_script(format) && strpbrk(collect, "\n\r"))
		code = args_error(&a->args, "a name with a line break is two "
				  "lines in what --format %s prints; rename "
				  "it", format);
	else if (!strcmp(format, "list"))
		print_list(e);
	else if (!strcmp(format, "json"))
		code = print_json(e);
	else if (!strcmp(format, "parallel"))
		print_parallel(e, run);
	else if (!strcmp(format, "make"))
		print_make(e, run, collect);
	else
		print_slurm(e, run, collect);
	free(run);
	free(collect);
	return code;
}

int cmd_plan(int argc, char **argv)
{
	const char *format = "list";
	struct exp_args a;
	struct experiment e;
	int option, code;

	exp_args_init(&a, &command_plan, argc, argv);
	while ((option = exp_args_next(&a)) >= 0)
		format = a.args.value;
	if (option != ARGS_END)
		return exp_args_exit(option);
	code = exp_args_load(&a, &e);
	if (code)
		return code;
	code = print_plan(&a, &e, format);
	experiment_free(&e);
	return code;
}
