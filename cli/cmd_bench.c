/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `buddylab bench`: how fast this program is, here. docs/performance.md */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench/bench.h"
#include "cli/args.h"
#include "cli/bench_rows.h"
#include "cli/commands.h"
#include "include/guard.h"
#include "include/option.h"
#include "include/types.h"

/* glibc keeps less thread-local room for libraries that come late than
 * jemalloc asks for; it reads this when a program starts. */
#define TUNABLES "GLIBC_TUNABLES"
#define MORE_TLS "glibc.rtld.optional_static_tls=16384"
#define MAX_ROWS 40
#define MAIN_EXPERIMENT "bench/experiments/free-page-reporting.ini"

enum { FORMAT, OUTPUT, REPEAT, LIST };

static const struct args_option options[] = {
	[FORMAT] = { "format", 0, "text|json", "default text" },
	[OUTPUT] = { "output", 'o', "FILE", "write there instead of standard "
		     "output" },
	[REPEAT] = { "repeat", 0, "N", "samples of a row, 1 to 99 (default 5)" },
	[LIST] = { "list", 0, NULL, "name the rows, measure nothing" },
	{ NULL, 0, NULL, NULL },
};

const struct args_command command_bench = {
	.name = "bench",
	.synopsis = "[NAME...] [options]",
	.text = "Measure the simulator itself, and beside it allocators and "
		"the kernel that a user\n"
		"could run instead. Rows that need what is not installed are "
		"skipped. Exit status 3\n"
		"if a row fails; a missed target is no failure.\n",
	.options = options,
	.example = "  buddylab bench\n"
		   "  buddylab bench order0-pair jemalloc-pair --repeat 9\n"
		   "  buddylab bench --format json -o bench.json\n",
};

/* ---- the experiment as a user runs it ---- */

static int run_experiment(const struct selfbench_row *row, void *ctx,
			  struct selfbench_sample *out, char *why,
			  size_t why_size)
{
	struct selfbench_timer t = { 0 };
	int status = -1, err;
	char dir[PATH_MAX];
	pid_t pid;

	(void)row;
	(void)ctx;
	if (access(MAIN_EXPERIMENT, R_OK)) {
		snprintf(why, why_size, "no " MAIN_EXPERIMENT " here; start in "
			 "the source tree");
		return SELFBENCH_NO_PEER;
	}
	err = guard_folder(guard_parent(), dir, sizeof(dir));
	if (err)
		return err;
	selfbench_start(&t);
	pid = guard_fork();
	if (!pid) {
		if (!freopen("/dev/null", "w", stdout))
			_exit(EXIT_RUNTIME);
		execl("/proc/self/exe", "buddylab", "run", MAIN_EXPERIMENT,
		      "-o", dir, (char *)NULL);
		_exit(EXIT_RUNTIME);
	}
	if (pid > 0)
		err = guard_wait(pid, &status);
	selfbench_stop(&t);
	guard_remove_folder(dir);
	if (err || status) {
		snprintf(why, why_size, "the run of " MAIN_EXPERIMENT
			 " failed");
		return -EIO;
	}
	*out = (struct selfbench_sample){ (double)t.wall_ns / 1e9, t.cpu_ns,
					  t.wall_ns };
	return 0;
}

static const struct selfbench_row own_rows[] = {
	{ .name = "main-experiment", .what = "all cells of " MAIN_EXPERIMENT
	  ", on all CPUs, wall time; only by name", .unit = "s", .goal = 20,
	  .floor = 60, .slow = true, .named_only = true,
	  .run = run_experiment },
	{ .name = NULL },
};

static const struct selfbench_ratio ratios[] = {
	{ .name = "order0_over_jemalloc", .of = "order0-pair",
	  .over = "jemalloc-pair", .goal = 1,
	  .what = "order-0 pair over jemalloc's 4 KiB pair, time" },
	{ .name = "fault1_over_kernel", .of = "fault1",
	  .over = "kernel-fault1", .what = "simulated-to-real ratio of "
	  "page_fault1, this kernel with one process" },
	{ .name = "fault1_over_kernel_2", .of = "fault1",
	  .over = "kernel-fault1-2", .what = "simulated-to-real ratio of "
	  "page_fault1, this kernel with two processes" },
	{ .name = "fault2_over_kernel", .of = "fault2",
	  .over = "kernel-fault2", .what = "simulated-to-real ratio of "
	  "page_fault2, this kernel with one process" },
	{ .name = "fault2_over_kernel_2", .of = "fault2",
	  .over = "kernel-fault2-2", .what = "simulated-to-real ratio of "
	  "page_fault2, this kernel with two processes" },
};

/* ---- which rows ---- */

struct request {
	const struct selfbench_row *rows[MAX_ROWS];
	size_t nr;
	const char *output;
	unsigned int repeat;
	bool json, list;
};

static void add_table(struct request *q, const struct selfbench_row *rows)
{
	for (; rows->name && q->nr < MAX_ROWS; rows++)
		q->rows[q->nr++] = rows;
}

static bool is_named(const struct selfbench_row *row, const struct args *a)
{
	for (int i = 0; i < a->nr_words; i++)
		if (!strcmp(a->words[i], row->name))
			return true;
	return !a->nr_words && !row->named_only;
}

/* A word that names no row is an error. */
static int check_words(const struct request *q, const struct args *a)
{
	const char *names[MAX_ROWS + 1];
	const char *near;
	size_t k;

	for (k = 0; k < q->nr; k++)
		names[k] = q->rows[k]->name;
	names[k] = NULL;
	for (int i = 0; i < a->nr_words; i++) {
		for (k = 0; k < q->nr; k++)
			if (!strcmp(a->words[i], names[k]))
				break;
		if (k < q->nr)
			continue;
		near = diag_nearest(a->words[i], names);
		return args_error(a, "no row '%s'%s%s%s; --list names them",
				  a->words[i], near ? "; did you mean '" : "",
				  near ? near : "", near ? "'?" : "");
	}
	return 0;
}

static int choose(struct request *q, const struct args *a)
{
	size_t kept = 0;
	int code;

	add_table(q, bench_replay_rows);
	add_table(q, bench_alloc_rows);
	add_table(q, bench_cell_rows);
	add_table(q, bench_peer_rows);
	add_table(q, own_rows);
	code = check_words(q, a);
	if (code)
		return code;
	for (size_t i = 0; i < q->nr; i++)
		if (q->list || is_named(q->rows[i], a))
			q->rows[kept++] = q->rows[i];
	q->nr = kept;
	return 0;
}

static void list_rows(const struct request *q)
{
	for (size_t i = 0; i < q->nr; i++)
		printf("%-18s %-12s %s\n", q->rows[i]->name, q->rows[i]->unit,
		       q->rows[i]->what);
}

/* ---- measuring and printing ---- */

static int print_report(const struct selfbench_report *r, bool json, FILE *out)
{
	if (json)
		return selfbench_print_json(r, out);
	selfbench_print_text(r, out);
	return 0;
}

static int deliver(const struct selfbench_report *r, const struct request *q)
{
	struct store_file f;
	char why[400];
	int err;

	if (!q->output) {
		err = print_report(r, q->json, stdout);
		if (err)
			fprintf(stderr, "buddylab bench: error: %s\n",
				strerror(-err));
		return err ? EXIT_RUNTIME : EXIT_FINE;
	}
	err = store_create(&f, q->output, why, sizeof(why));
	if (!err) {
		err = print_report(r, q->json, f.out);
		if (err) {
			store_discard(&f);
			snprintf(why, sizeof(why), "%s: %s", q->output,
				 strerror(-err));
		} else {
			err = store_commit(&f, why, sizeof(why));
		}
	}
	if (err)
		fprintf(stderr, "buddylab bench: error: %s\n", why);
	return err ? EXIT_RUNTIME : EXIT_FINE;
}

static int measure_rows(const struct request *q,
			struct selfbench_result *results, bool *failed)
{
	for (size_t i = 0; i < q->nr; i++) {
		int err;

		if (isatty(STDERR_FILENO))
			fprintf(stderr, "%s ...\n", q->rows[i]->name);
		err = selfbench_run(q->rows[i], q->repeat, &results[i]);
		if (err)
			return err;
		if (results[i].status != SELFBENCH_FAILED)
			continue;
		*failed = true;
		fprintf(stderr, "buddylab bench: error: %s: %s\n",
			q->rows[i]->name, results[i].why);
	}
	return 0;
}

static int measure(const struct request *q)
{
	struct selfbench_result *results = calloc(q->nr + 1, sizeof(*results));
	struct selfbench_machine machine;
	const struct selfbench_report report = {
		.machine = &machine, .results = results, .nr = q->nr,
		.ratios = ratios, .nr_ratios = ARRAY_SIZE(ratios),
		.repeat = q->repeat,
	};
	bool failed = false;
	int err, code;

	if (!results) {
		fputs("buddylab bench: error: out of memory\n", stderr);
		return EXIT_RUNTIME;
	}
	selfbench_machine(&machine, BUDDYLAB_COMPILER, BUDDYLAB_BUILD);
	err = measure_rows(q, results, &failed);
	if (err)
		fprintf(stderr, "buddylab bench: error: cannot start a "
			"process: %s\n", strerror(-err));
	code = err ? EXIT_RUNTIME : deliver(&report, q);
	free(results);
	return code ? code : failed ? EXIT_RUNTIME : EXIT_FINE;
}

static int take_option(struct args *a, int opt, struct request *q)
{
	uint64_t n;

	switch (opt) {
	case FORMAT:
		q->json = a->choice == 1;
		return 0;
	case OUTPUT:
		q->output = a->value;
		return 0;
	case REPEAT:
		if (parse_u64(a->value, &n) || !n || n > SELFBENCH_MAX_REPEAT)
			return args_error(a, "--repeat wants 1 to %u",
					  SELFBENCH_MAX_REPEAT);
		q->repeat = (unsigned int)n;
		return 0;
	default:
		q->list = true;
		return 0;
	}
}

/* Start again with room for jemalloc; without it that row is skipped. */
static void start_again(int argc, char **argv)
{
	char program[] = "buddylab";
	char **all;

	if (getenv(TUNABLES) || setenv(TUNABLES, MORE_TLS, 1))
		return;
	all = calloc((size_t)argc + 2, sizeof(*all));
	if (!all)
		return;
	all[0] = program;
	memcpy(all + 1, argv, (size_t)argc * sizeof(*all));
	execv("/proc/self/exe", all);
	free(all);
}

int cmd_bench(int argc, char **argv)
{
	struct request q = { .repeat = 5 };
	struct args a;
	int opt, code;

	args_init(&a, &command_bench, argc, argv);
	while ((opt = args_next(&a)) >= 0) {
		code = take_option(&a, opt, &q);
		if (code)
			return code;
	}
	if (opt != ARGS_END)
		return opt == ARGS_HELP ? EXIT_FINE : EXIT_USAGE;
	code = choose(&q, &a);
	if (code)
		return code;
	if (q.list) {
		list_rows(&q);
		return EXIT_FINE;
	}
	start_again(argc, argv);
	return measure(&q);
}
