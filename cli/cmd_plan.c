/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * `buddylab plan EXP.ini`: the cells, or commands that run them elsewhere. The
 * commands of all formats are the same run-cell; only what surrounds them
 * differs.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/exp_args.h"
#include "cli/json.h"
#include "cli/plan_scripts.h"

enum { PLAN_FORMAT = EXP_NR_OPTIONS, PLAN_MISSING, PLAN_CHUNK };

/* The words of --format. */
enum { FORMAT_LIST, FORMAT_JSON, FORMAT_COMMANDS };

struct plan_request {
	int format;
	const char *name;        /* of the format */
	bool missing;
	unsigned int chunk;
};

static const struct args_option options[] = {
	EXP_OPTIONS,
	{ "format", 0, "list|json|commands|make|parallel|slurm", "default list" },
	{ "missing", 0, NULL, "leave out cells that have a result" },
	{ "chunk", 0, "N", "slurm: cells a task; default: as many as make 100 "
	  "tasks or less" },
	{ NULL, 0, NULL, NULL },
};

const struct args_command command_plan = {
	.name = "plan",
	.synopsis = "EXP.ini [options]",
	.text = "List the cells of an experiment in plan order, or print what\n"
		"another engine needs to run them: commands, one a line; a "
		"makefile; or a shell\nscript that calls GNU parallel or "
		"submits a Slurm job array, and takes their\noptions. All of "
		"them may be run again, and do what has no result yet.\n",
	.options = options,
	.example = "  buddylab plan exp.ini --format make | make -f - -j 8\n"
		   "  buddylab plan exp.ini --format parallel >sweep.sh\n"
		   "  sh sweep.sh -S 8/one,8/two\n"
		   "  buddylab plan exp.ini --format slurm --chunk 20 | sh -s -- "
		   "--partition=long\n",
};

/* 1: the cell belongs into the plan; 0; or -errno after a message. */
static int is_wanted(const struct exp_args *a, const struct cell *c,
		     bool missing)
{
	const int stored = missing ? exp_args_stored(a, c) : 0;

	return stored < 0 ? stored : !stored;
}

static int print_list(const struct exp_args *a, const struct experiment *e,
		      bool missing)
{
	char text[300];

	for (size_t i = 0; i < e->nr_cells; i++) {
		const int wanted = is_wanted(a, &e->cells[i], missing);

		if (wanted < 0)
			return EXIT_RUNTIME;
		if (!wanted)
			continue;
		cell_describe(&e->cells[i], text, sizeof(text));
		printf("%s  %s\n", e->cells[i].id, text);
	}
	return EXIT_FINE;
}

static int print_json(const struct exp_args *a, const struct experiment *e,
		      bool missing)
{
	json_t *list = json_array();
	size_t nr = 0;

	for (size_t i = 0; i < e->nr_cells; i++) {
		const int wanted = is_wanted(a, &e->cells[i], missing);

		if (wanted < 0) {
			json_decref(list);
			return EXIT_RUNTIME;
		}
		if (!wanted)
			continue;
		json_array_append_new(list, exp_cell_json(&e->cells[i]));
		nr++;
	}
	if (json_array_size(list) != nr) {
		json_decref(list);
		list = NULL;
	}
	return print_json_document("plan", list);
}

/* Cells that have to be run, each once: to *ids, allocated. 0 or -errno. */
static int cells_to_run(const struct exp_args *a, const struct experiment *e,
			bool missing, const char ***ids, size_t *nr)
{
	int wanted = 0;

	*nr = 0;
	*ids = malloc((e->nr_cells + 1) * sizeof(**ids));
	if (!*ids)
		return -ENOMEM;
	for (size_t i = 0; wanted >= 0 && i < e->nr_cells; i++) {
		if (e->cells[i].repeated)
			continue;
		wanted = is_wanted(a, &e->cells[i], missing);
		if (wanted > 0)
			(*ids)[(*nr)++] = e->cells[i].id;
	}
	return wanted < 0 ? wanted : 0;
}

typedef void (*plan_fn)(const struct plan *p);

/*
 * {#} is a number to GNU parallel, and {= =} a program in Perl; {} is nothing,
 * as the script has another word for it.
 */
static bool is_replaced(const char *words)
{
	const char *at = words;

	while ((at = strchr(at, '{')))
		if (*++at != '}')
			return true;
	return strstr(words, "@CELL@");
}

/* What would not arrive as one word: 0, or 2 after a message. */
static int check_words(const struct exp_args *a, const char *words,
		       const struct plan_request *rq, plan_fn print)
{
	/* Engines read line by line: what is behind a break would be run. */
	if (strpbrk(words, "\n\r"))
		return args_error(&a->args, "a name with a line break is two "
				  "lines in what --format %s prints; rename "
				  "it", rq->name);
	if (print == plan_parallel && is_replaced(words))
		return args_error(&a->args, "GNU parallel would replace part "
				  "of a name: what is in braces, or '@CELL@'; "
				  "rename it, or use another --format");
	return 0;
}

static int print_script(const struct exp_args *a, const struct experiment *e,
			const struct plan_request *rq, plan_fn print)
{
	char *run = exp_args_repeat(a, "run-cell");
	char *collect = exp_args_repeat(a, "collect");
	char *dir = exp_args_quote(a->dir);
	struct plan p = { dir, run, collect, NULL, 0, rq->chunk };
	int code = EXIT_FINE, err = -ENOMEM;

	if (run && collect && dir)
		code = check_words(a, collect, rq, print);
	if (run && collect && dir && !code)
		err = cells_to_run(a, e, rq->missing, &p.ids, &p.nr);
	if (!err)
		print(&p);
	else if (!code)
		code = EXIT_RUNTIME;
	if (err == -ENOMEM && code == EXIT_RUNTIME)
		fprintf(stderr, "buddylab plan: error: out of memory\n");
	free(p.ids);
	free(dir);
	free(collect);
	free(run);
	return code;
}

static int print_plan(const struct exp_args *a, const struct experiment *e,
		      const struct plan_request *rq)
{
	/* In the order of --format, behind list and json. */
	static const plan_fn scripts[] = {
		plan_commands, plan_make, plan_parallel, plan_slurm,
	};

	if (rq->format == FORMAT_LIST)
		return print_list(a, e, rq->missing);
	if (rq->format == FORMAT_JSON)
		return print_json(a, e, rq->missing);
	return print_script(a, e, rq, scripts[rq->format - FORMAT_COMMANDS]);
}

static int take_option(struct exp_args *a, int option, struct plan_request *rq)
{
	switch (option) {
	case PLAN_FORMAT:
		rq->format = a->args.choice;
		rq->name = a->args.value;
		return 0;
	case PLAN_MISSING:
		rq->missing = true;
		return 0;
	default:
		rq->chunk = exp_args_count(a, "chunk", 100000);
		return rq->chunk ? 0 : EXIT_USAGE;
	}
}

int cmd_plan(int argc, char **argv)
{
	struct plan_request rq = { FORMAT_LIST, "list", false, 0 };
	struct exp_args a;
	struct experiment e;
	int option, code;

	exp_args_init(&a, &command_plan, argc, argv);
	while ((option = exp_args_next(&a)) >= 0)
		if (take_option(&a, option, &rq))
			return EXIT_USAGE;
	if (option != ARGS_END)
		return exp_args_exit(option);
	if (rq.chunk && strcmp(rq.name, "slurm") != 0)
		return args_error(&a.args, "--chunk is for --format slurm");
	code = exp_args_load(&a, &e);
	if (code)
		return code;
	code = print_plan(&a, &e, &rq);
	experiment_free(&e);
	return code;
}
