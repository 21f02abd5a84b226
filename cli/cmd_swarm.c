/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * `buddylab swarm`: random machines, random work, all checks on. What fails is
 * made small, written to a file, and the command that repeats it is printed.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/exp_args.h"
#include "cli/json.h"
#include "cli/plugin.h"
#include "cli/swarm_step.h"
#include "include/plain.h"
#include "include/types.h"

#define DEFAULT_LIMIT_S 60
#define MAX_TIME_NS (365 * 24 * 3600 * NSEC_PER_SEC)

enum { SWARM_SEED, SWARM_CELLS, SWARM_CELL, SWARM_JOBS, SWARM_BUDGET,
       SWARM_EVENTS, SWARM_CHECK, SWARM_LIMIT, SWARM_SHRINK, SWARM_TRACE,
       SWARM_STEP, SWARM_OPS, SWARM_OUTPUT, SWARM_PLUGIN, SWARM_FORMAT,
       SWARM_PRINT, SWARM_VERBOSE };

static const struct args_option options[] = {
	{ "seed", 0, "S", "of the swarm (default 1)" },
	{ "cells", 0, "N", "how many (default 100, with --budget no limit)" },
	{ "cell", 0, "K", "only cell K, counted from 0" },
	{ "jobs", 'j', "J", "cells that run at a time (default 1)" },
	{ "budget", 0, "TIME", "begin no cell after so long, e.g. 60s" },
	{ "events", 0, "N", "at most so many events and injections a cell "
	  "(default 3)" },
	{ "check-every", 0, "N", "engine events from one full walk to the next "
	  "(default 5000)" },
	{ "limit", 0, "TIME", "processor time of a cell (default 60s)" },
	{ "shrink", 0, "N", "runs to make a failure smaller (default 1500)" },
	{ "trace", 0, "FILE", "a recorded program for workload = trace; "
	  "repeatable" },
	{ "step", 0, NULL, "random step scripts instead: the allocator alone" },
	{ "ops", 0, "N", "operations of a step script (default 3000)" },
	{ "output", 'o', "DIR", "folder of small files (default out/swarm)" },
	PLUGIN_OPTION,
	{ "format", 0, "text|json", "default text" },
	{ "print", 0, NULL, "print the text of the cell, run nothing" },
	{ "verbose", 0, NULL, "a line for every cell" },
	{ NULL, 0, NULL, NULL },
};

const struct args_command command_swarm = {
	.name = "swarm",
	.synopsis = "[EXP.ini] [options]",
	.text = "Draw random machines, hosts, designs, workloads and injections, "
		"run each in a\nprocess of its own with all checks on, and make "
		"what fails smaller. With a file,\nrun that experiment of one "
		"cell in the same way. With --step cells are random\nscripts "
		"for the allocator alone.\n",
	.options = options,
	.example = "  buddylab swarm --seed 1 --cells 200\n"
		   "  buddylab swarm --seed 1 --cell 17 --print\n"
		   "  buddylab swarm out/swarm/seed-1-cell-17.ini\n"
		   "  buddylab swarm --step --seed 1 --cells 200\n",
};

static const char *const verdict_names[] = {
	"passed", "ended", "refused", "violation"
};

struct swarm_args {
	struct args args;
	struct plugins plugins;
	struct swarm_options o;
	struct swarm_campaign c;
	struct swarm_scripts scripts;
	bool one_cell, cells_given, step, ops_given, json, print, verbose;
	bool machine_given;
	const char *path;
};

static int no_memory(void)
{
	fputs("buddylab swarm: error: out of memory\n", stderr);
	return EXIT_RUNTIME;
}

static int take_number(struct swarm_args *a, uint64_t min, uint64_t max,
		       uint64_t *out)
{
	if (!parse_u64(a->args.value, out) && *out >= min && *out <= max)
		return 0;
	return args_error(&a->args, "'%s' is not a number from %" PRIu64
			  " to %" PRIu64, a->args.value, min, max);
}

static int take_time(struct swarm_args *a, double *seconds)
{
	uint64_t ns;

	if (parse_time(a->args.value, &ns) || ns < NSEC_PER_SEC ||
	    ns > MAX_TIME_NS)
		return args_error(&a->args, "'%s' is not a time from a second "
				  "to a year; write 60s or 5m",
				  a->args.value);
	*seconds = (double)ns / 1e9;
	return 0;
}

static int take_small(struct swarm_args *a, uint64_t min, uint64_t max,
		      unsigned int *out)
{
	uint64_t n = 0;
	const int err = take_number(a, min, max, &n);

	*out = (unsigned int)n;
	return err;
}

static int take_trace(struct swarm_args *a)
{
	if (a->o.nr_traces == SWARM_MAX_TRACES)
		return args_error(&a->args, "more than %d --trace",
				  SWARM_MAX_TRACES);
	if (strlen(a->args.value) >= OPTION_STRING_SIZE ||
	    strpbrk(a->args.value, "\n,;# "))
		return args_error(&a->args, "the name of a trace has less than "
				  "%d characters, no blank and none of ',;#'",
				  OPTION_STRING_SIZE);
	a->o.traces[a->o.nr_traces++] = a->args.value;
	return 0;
}

static int take_option(struct swarm_args *a, int option)
{
	double seconds = 0;
	int err;

	switch (option) {
	case SWARM_SEED:
		return take_number(a, 0, INT64_MAX, &a->o.seed);
	case SWARM_CELLS:
		a->cells_given = true;
		return take_number(a, 1, UINT32_MAX, &a->c.nr);
	case SWARM_CELL:
		a->one_cell = true;
		return take_number(a, 0, INT64_MAX, &a->c.first);
	case SWARM_JOBS:
		return take_small(a, 1, 256, &a->c.jobs);
	case SWARM_BUDGET:
		return take_time(a, &a->c.budget_s);
	case SWARM_EVENTS:
		a->machine_given = true;
		return take_small(a, 0, SIM_MAX_EVENTS / 2, &a->o.max_events);
	case SWARM_CHECK:
		a->machine_given = true;
		return take_number(a, 1, UINT32_MAX, &a->o.check_every);
	case SWARM_LIMIT:
		err = take_time(a, &seconds);
		a->o.limit_s = (unsigned int)seconds;
		return err;
	case SWARM_SHRINK:
		return take_small(a, 1, 1000000, &a->c.shrink_runs);
	case SWARM_TRACE:
		return take_trace(a);
	case SWARM_STEP:
		a->step = true;
		return 0;
	case SWARM_OPS:
		a->ops_given = true;
		return take_small(a, 1, 1000000, &a->o.nr_ops);
	case SWARM_OUTPUT:
		a->c.dir = a->args.value;
		return a->c.dir[0] && strlen(a->c.dir) < 3000 ? 0 :
		       args_error(&a->args, "--output wants a folder of less "
				  "than 3000 characters");
	case SWARM_PLUGIN:
		return plugins_take(&a->plugins, &a->args);
	case SWARM_FORMAT:
		a->json = a->args.choice == 1;
		return 0;
	case SWARM_PRINT:
		a->print = true;
		return 0;
	default:
		a->verbose = true;
		return 0;
	}
}

static int print_step(const struct swarm_args *a)
{
	const int err = swarm_step_print(&a->o, a->c.first);

	if (!err)
		return EXIT_FINE;
	if (err == -EINTR)
		return EXIT_INTERRUPTED;
	fprintf(stderr, "buddylab swarm: error: %s\n", strerror(-err));
	return EXIT_RUNTIME;
}

static int print_cell(const struct swarm_args *a)
{
	struct swarm_text *t;
	unsigned int i;

	if (a->step)
		return print_step(a);
	t = malloc(sizeof(*t));
	if (!t)
		return no_memory();
	swarm_draw(&a->o, a->c.first, t);
	for (i = 0; i < t->nr; i++)
		puts(t->line[i]);
	free(t);
	return EXIT_FINE;
}

static void print_over(void *ctx, uint64_t cell, const struct swarm_outcome *o)
{
	const struct swarm_args *a = ctx;

	if (!a->verbose)
		return;
	fprintf(stderr, "cell %" PRIu64 ": %s%s%s\n", cell,
		verdict_names[o->verdict], o->why[0] ? ": " : "", o->why);
}

/* An option with a name that a shell reads as one word. */
static void print_word(const char *option, const char *word)
{
	char *quoted = exp_args_quote(word);

	printf("%s %s", option, quoted ? quoted : word);
	free(quoted);
}

static void print_plugins(const struct swarm_args *a)
{
	for (unsigned int i = 0; i < a->plugins.nr; i++)
		print_word(" --reporter-plugin", a->plugins.paths[i]);
	putchar('\n');
}

static void print_repeat(const struct swarm_args *a, uint64_t cell)
{
	unsigned int i;

	printf("  to repeat: buddylab swarm %s--seed %" PRIu64 " --cell %"
	       PRIu64, a->step ? "--step " : "", a->o.seed, cell);
	if (a->ops_given)
		printf(" --ops %u", a->o.nr_ops);
	if (a->o.max_events != 3)
		printf(" --events %u", a->o.max_events);
	if (a->o.check_every != 5000)
		printf(" --check-every %" PRIu64, a->o.check_every);
	if (a->o.limit_s != DEFAULT_LIMIT_S)
		printf(" --limit %us", a->o.limit_s);
	for (i = 0; i < a->o.nr_traces; i++)
		print_word(" --trace", a->o.traces[i]);
	print_plugins(a);
}

static void print_small(const struct swarm_args *a,
			const struct swarm_failure *f)
{
	printf("  %u of %u lines are left after %u runs%s: %s\n",
	       f->shrunk.lines, f->shrunk.lines_before, f->shrunk.runs,
	       f->shrunk.complete ? "" : ", and there may be less", f->path);
	if (a->step) {
		print_word("  the same: buddylab step", f->path);
		putchar('\n');
		return;
	}
	if (strstr(f->why, "allocator: ") || strstr(f->why, "alloc/"))
		puts("  no step script: it takes the machine; those of the "
		     "allocator alone are drawn by --step");
	print_word("  the same: buddylab swarm", f->path);
	print_plugins(a);
}

static void print_failures(const struct swarm_args *a,
			   const struct swarm_summary *s)
{
	unsigned int i;

	for (i = 0; i < s->nr_failures; i++) {
		const struct swarm_failure *f = &s->failures[i];

		if (a->path)
			printf("%s: ", a->path);
		else
			printf("cell %" PRIu64 ": ", f->cell);
		/* A plugin may have written it. */
		plain_put(f->why, stdout);
		putchar('\n');
		if (f->like)
			printf("  like cell %" PRIu64 "\n", f->like->cell);
		if (!a->path)
			print_repeat(a, f->cell);
		if (f->path[0])
			print_small(a, f);
	}
	if (s->nr_failures < s->verdicts[SWARM_VIOLATION])
		printf("... and %" PRIu64 " more\n",
		       s->verdicts[SWARM_VIOLATION] - s->nr_failures);
}

static void print_summary(const struct swarm_args *a,
			  const struct swarm_summary *s)
{
	const uint64_t operations = s->alloc_calls + s->host_events;

	print_failures(a, s);
	printf("%s%" PRIu64 " cells: %" PRIu64 " passed, %" PRIu64
	       " ended with a message, %" PRIu64 " refused, %" PRIu64
	       " violations\n", s->interrupted ? "interrupted after " : "",
	       s->cells, s->verdicts[SWARM_PASSED], s->verdicts[SWARM_ENDED],
	       s->verdicts[SWARM_REFUSED], s->verdicts[SWARM_VIOLATION]);
	printf("%" PRIu64 " operations: %" PRIu64 " calls of the allocator, %"
	       PRIu64 " events of the host; in %.1f s\n", operations,
	       s->alloc_calls, s->host_events, s->wall_s);
}

static json_t *failure_json(const struct swarm_failure *f)
{
	json_t *o = json_pack("{s:I, s:s}", "cell", (json_int_t)f->cell, "why",
			      f->why);

	if (f->like)
		json_object_set_new(o, "like",
				    json_integer((json_int_t)f->like->cell));
	if (f->path[0]) {
		json_object_set_new(o, "file", json_string(f->path));
		json_object_set_new(o, "lines",
				    json_integer(f->shrunk.lines));
		json_object_set_new(o, "lines_before",
				    json_integer(f->shrunk.lines_before));
		json_object_set_new(o, "runs", json_integer(f->shrunk.runs));
		json_object_set_new(o, "complete",
				    json_boolean(f->shrunk.complete));
	}
	return o;
}

static int print_json(const struct swarm_args *a, const struct swarm_summary *s)
{
	json_t *failures = json_array();
	unsigned int i;

	for (i = 0; i < s->nr_failures; i++)
		json_array_append_new(failures, failure_json(&s->failures[i]));
	return print_json_document("swarm", json_pack(
		"{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:f, s:b, s:o}",
		"seed", (json_int_t)a->o.seed,
		"cells", (json_int_t)s->cells,
		"passed", (json_int_t)s->verdicts[SWARM_PASSED],
		"ended", (json_int_t)s->verdicts[SWARM_ENDED],
		"refused", (json_int_t)s->verdicts[SWARM_REFUSED],
		"violations", (json_int_t)s->verdicts[SWARM_VIOLATION],
		"allocator_calls", (json_int_t)s->alloc_calls,
		"host_events", (json_int_t)s->host_events,
		"engine_events", (json_int_t)s->engine_events,
		"wall_s", s->wall_s, "interrupted", s->interrupted,
		"failures", failures));
}

static int run(struct swarm_args *a)
{
	struct swarm_summary *s = malloc(sizeof(*s));
	int err, code = EXIT_FINE;
	char why[4400];

	if (!s)
		return no_memory();
	err = swarm_campaign_run(&a->c, s, why, sizeof(why));
	if (err)
		fprintf(stderr, "buddylab swarm: error: %s\n", why);
	if (a->json)
		code = print_json(a, s);
	else
		print_summary(a, s);
	if (err)
		code = EXIT_RUNTIME;
	else if (s->interrupted)
		code = EXIT_INTERRUPTED;
	else if (s->verdicts[SWARM_VIOLATION])
		code = EXIT_REGRESSION;
	free(s);
	return code;
}

/* An experiment of one cell; what the reader refuses is an error here. */
static int run_file(struct swarm_args *a)
{
	const struct experiment_request req = {
		.path = a->path, .registry = a->o.registry,
	};
	struct swarm_text *t = malloc(sizeof(*t));
	char *text = malloc(SWARM_MAX_LINES * SWARM_LINE_SIZE);
	struct diag d = { .out = stderr };
	struct experiment e;
	int err, code = EXIT_USAGE;

	if (!t || !text) {
		free(t);
		free(text);
		return no_memory();
	}
	err = experiment_load(&e, &req, &d);
	if (err) {
		if (err == -ENOMEM)
			no_memory();
		code = err == -EINVAL ? EXIT_USAGE : EXIT_RUNTIME;
	} else if (e.nr_cells != 1) {
		args_error(&a->args, "%s has %zu cells; one is wanted", a->path,
			   e.nr_cells);
	} else if (swarm_text_of_cell(t, &e, &e.cells[0]) ||
		   !swarm_text_print(t, text,
				     SWARM_MAX_LINES * SWARM_LINE_SIZE)) {
		args_error(&a->args, "%s has too many values", a->path);
	} else {
		/* Names in it are relative to where it is. */
		a->o.path = a->path;
		a->c.text = text;
		a->c.nr = 1;
		a->c.dir = NULL;
		code = run(a);
	}
	experiment_free(&e);
	free(text);
	free(t);
	return code;
}

/* --step draws nothing of what these say. */
static int start_step(struct swarm_args *a)
{
	if (a->args.nr_words)
		return args_error(&a->args, "--step draws its scripts; run '%s' "
				  "with buddylab step", a->args.words[0]);
	if (a->o.nr_traces || a->plugins.nr || a->machine_given)
		return args_error(&a->args, "--step is the allocator alone: no "
				  "--trace, --reporter-plugin, --events or "
				  "--check-every");
	swarm_step_scripts(&a->scripts, a->o.nr_ops);
	a->o.scripts = &a->scripts;
	return 0;
}

static int start(struct swarm_args *a)
{
	if (a->ops_given && !a->step)
		return args_error(&a->args, "--ops is for --step");
	if (a->step && start_step(a))
		return EXIT_USAGE;
	if (a->args.nr_words > 1)
		return args_error(&a->args, "one experiment file only; '%s' is "
				  "one more", a->args.words[1]);
	if (a->one_cell && a->cells_given)
		return args_error(&a->args, "--cell is one cell, --cells are "
				  "several; one of them");
	if (a->print && !a->one_cell)
		return args_error(&a->args, "--print wants --cell K");
	if (a->print)
		return print_cell(a);
	if (a->args.nr_words) {
		a->path = a->args.words[0];
		return run_file(a);
	}
	if (a->one_cell)
		a->c.nr = 1;
	else if (!a->cells_given)
		a->c.nr = a->c.budget_s > 0 ? UINT64_MAX : 100;
	return run(a);
}

int cmd_swarm(int argc, char **argv)
{
	struct swarm_args *a = calloc(1, sizeof(*a));
	int option, code = 0;

	if (!a)
		return no_memory();
	args_init(&a->args, &command_swarm, argc, argv);
	plugins_init(&a->plugins);
	a->o = (struct swarm_options){
		.registry = &a->plugins.registry, .max_events = 3,
		.check_every = 5000, .limit_s = DEFAULT_LIMIT_S, .seed = 1,
		.nr_ops = 3000,
	};
	a->c = (struct swarm_campaign){
		.o = &a->o, .jobs = 1, .shrink_runs = 1500, .dir = "out/swarm",
		.cell_over = print_over, .ctx = a,
	};
	while (!code && (option = args_next(&a->args)) >= 0)
		code = take_option(a, option);
	if (!code)
		code = option == ARGS_END ? start(a) :
		       option == ARGS_HELP ? EXIT_FINE : EXIT_USAGE;
	free(a);
	return code;
}
