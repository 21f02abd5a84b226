/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Runs: what is shared, kept, repeated, and what a failure or an interruption
 * leaves. Beside the registered workloads there are three that misbehave.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench/bench.h"
#include "bench/version.h"
#include "cli/registry.h"
#include "tests/bench/scratch.h"
#include "tests/test.h"

#define TEXT_OF_(x) #x
#define TEXT_OF(x) TEXT_OF_(x)

static const struct option_desc no_options[] = { { .name = NULL } };

static int crash_prepare(struct workload *w, char *why, size_t why_size)
{
	(void)w;
	(void)why;
	(void)why_size;
	abort();
}

static int fail_prepare(struct workload *w, char *why, size_t why_size)
{
	(void)w;
	snprintf(why, why_size, "it never works");
	return -EIO;
}

/* Leaves a byte in the file `ran`, one per time that the phase is run. */
static int mark_prepare(struct workload *w, char *why, size_t why_size)
{
	const int fd = open("ran", O_WRONLY | O_APPEND | O_CREAT, 0666);

	(void)w;
	(void)why;
	(void)why_size;
	if (fd < 0 || write(fd, "x", 1) != 1)
		return -EIO;
	close(fd);
	return 0;
}

static bool nothing_next(struct workload *w, unsigned int task,
			 struct workload_op *op)
{
	(void)w;
	(void)task;
	(void)op;
	return false;
}

#define WORKLOAD(id, function)                                                \
	static const struct workload_ops id##_workload = {                    \
		.name = #id, .summary = "test", .prepare = function,          \
		.options = { no_options, 0 }, .next = nothing_next,           \
	}

WORKLOAD(crash, crash_prepare);
WORKLOAD(fail, fail_prepare);
WORKLOAD(mark, mark_prepare);

static const struct workload_ops *const workloads[] = {
	&memhog_workload, &page_fault1_workload, &page_fault2_workload,
	&crash_workload, &fail_workload, &mark_workload, NULL
};

static struct experiment *load(struct scratch *s, const char *text)
{
	const struct sim_registry reg = { registry.reporters,
					  registry.hypervisors, workloads,
					  NULL };
	/* The experiment keeps the pointer. */
	struct sim_registry *kept = malloc(sizeof(*kept));
	struct experiment_request req = { .path = "t.ini", .registry = kept };
	struct experiment *e = calloc(1, sizeof(*e));

	assert_non_null(e);
	assert_non_null(kept);
	*kept = reg;
	scratch_write("t.ini", text);
	if (experiment_load(e, &req, &s->diag))
		fail_msg("%s", scratch_text(s));
	return e;
}

static void release(struct experiment *e)
{
	free((void *)(uintptr_t)e->schema.registry);
	experiment_free(e);
	free(e);
}

static struct runner_outcome run(struct scratch *s, const struct experiment *e,
				 const char *dir, unsigned int jobs)
{
	const struct runner_options opt = {
		.dir = dir, .jobs = jobs, .messages = s->messages,
		.repeat = "REPEAT",
	};
	struct runner_outcome out;
	char why[256];

	assert_int_equal(store_open(dir, why, sizeof(why)), 0);
	assert_int_equal(runner_run(e, &opt, &out), 0);
	return out;
}

#define GUEST "[guest]\nmemory = 64M\nbase = 1M\n"
#define FILL "[phase fill]\nworkload = memhog\nsize = 10%\n"

static long size_of(const char *path)
{
	FILE *f = fopen(path, "r");
	long n;

	if (!f)
		return 0;
	fseek(f, 0, SEEK_END);
	n = ftell(f);
	fclose(f);
	return n;
}

static void test_runner__shares_what_cells_have_in_common(void **state)
{
	/*
	 * Scenario: two variants, three seeds, four cells each that part in
	 * the last of three phases; the middle one has two values.
	 *
	 *     boot - mark - tasks=1 - 1, 2
	 *                 - tasks=2 - 1, 2
	 */
	struct scratch *s = *state;
	struct experiment *e = load(s, GUEST "[experiment]\nseeds = 1..3\n"
		"[phase a]\nworkload = mark\n"
		"[phase b]\nworkload = mark\ntasks = 1,2\n"
		"[phase c]\nworkload = memhog\nsize = 1%\ntasks = 1,2\n"
		"[variant x]\n[variant y]\nreporter.design = page_reporting\n");
	struct runner_outcome out;

	for (unsigned int jobs = 1; jobs <= 4; jobs++) {
		char dir[16];

		snprintf(dir, sizeof(dir), "out%u", jobs);
		remove("ran");
		out = run(s, e, dir, jobs);
		ASSERT_U64(test_row(jobs), out.nr_cells, 24);
		ASSERT_U64(test_row(jobs), out.nr_done, 24);
		ASSERT_U64(test_row(jobs), out.nr_failed, 0);
		/* Six groups: `a` once, `b` once per value. */
		ASSERT_U64(test_row(jobs), size_of("ran"), 6 * (1 + 2));
	}
	assert_string_equal(scratch_text(s), "");
	release(e);
}

/* cells.jsonl without `wall`, as one text. The caller frees it. */
static char *collected(const struct experiment *e, const char *dir,
		       size_t expected_missing)
{
	char path[256], why[256], *text = NULL;
	size_t missing, size;
	FILE *out = open_memstream(&text, &size), *f;
	json_t *o;

	assert_int_equal(collect_cells(e, dir, 1, &missing, why, sizeof(why)),
			 0);
	assert_int_equal(missing, expected_missing);
	store_list_path(dir, path, sizeof(path));
	f = fopen(path, "r");
	assert_non_null(f);
	while ((o = json_loadf(f, JSON_DISABLE_EOF_CHECK, NULL))) {
		assert_int_equal(json_object_del(o, "wall"), 0);
		assert_int_equal(cell_print(o, out), 0);
		json_decref(o);
	}
	fclose(f);
	fclose(out);
	return text;
}

static void test_runner__any_number_of_jobs_gives_the_same_bytes(void **state)
{
	/* Scenario: one, two and five processes. */
	struct scratch *s = *state;
	struct experiment *e = load(s, GUEST FILL "[phase b]\n"
		"workload = page_fault1,page_fault2\ntasks = 1..2\n"
		"duration = 20ms\nwarmup = 1ms\n"
		"[reporter]\ndesign = none,page_reporting\n");
	char *first, *other;

	run(s, e, "out1", 1);
	first = collected(e, "out1", 0);
	assert_non_null(strstr(first, "\"phase.b.workload\":\"page_fault2\""));
	run(s, e, "out2", 2);
	other = collected(e, "out2", 0);
	assert_string_equal(first, other);
	free(other);
	run(s, e, "out5", 5);
	other = collected(e, "out5", 0);
	assert_string_equal(first, other);
	free(other);
	free(first);
	release(e);
}

static void replace_in(const char *path, const char *from, const char *to)
{
	char text[65536];
	FILE *f = fopen(path, "r");
	char *at;
	size_t n;

	assert_non_null(f);
	n = fread(text, 1, sizeof(text) - 1, f);
	fclose(f);
	text[n] = '\0';
	at = strstr(text, from);
	assert_non_null(at);
	assert_int_equal(strlen(from), strlen(to));
	memcpy(at, to, strlen(to));
	scratch_write(path, text);
}

static void test_runner__keeps_valid_results_only(void **state)
{
	/*
	 * Scenario: eight seeds are run; then one result is lost, one cut
	 * short, one of another model version, one without its series, one of
	 * another cell. The other three are kept.
	 */
	struct scratch *s = *state;
	struct experiment *e = load(s, GUEST "[experiment]\nseeds = 1..8\n"
				    FILL);
	struct runner_outcome out = run(s, e, "out", 2);
	char path[256];
	char *before, *after;

	assert_int_equal(out.nr_done, 8);
	before = collected(e, "out", 0);
	store_cell_path("out", e->cells[0].id, path, sizeof(path));
	assert_int_equal(remove(path), 0);
	store_cell_path("out", e->cells[1].id, path, sizeof(path));
	assert_int_equal(truncate(path, 100), 0);
	store_cell_path("out", e->cells[2].id, path, sizeof(path));
	replace_in(path, "\"model_version\":" TEXT_OF(MODEL_VERSION),
		   "\"model_version\":0");
	store_series_path("out", e->cells[3].id, path, sizeof(path));
	assert_int_equal(remove(path), 0);
	store_cell_path("out", e->cells[4].id, path, sizeof(path));
	replace_in(path, e->cells[4].id, e->cells[5].id);
	out = run(s, e, "out", 2);
	assert_int_equal(out.nr_cells, 8);
	assert_int_equal(out.nr_kept, 3);
	assert_int_equal(out.nr_done, 5);
	after = collected(e, "out", 0);
	assert_string_equal(before, after);
	out = run(s, e, "out", 2);
	assert_int_equal(out.nr_kept, 8);
	free(before);
	free(after);
	release(e);
}

static void test_runner__equal_cells_are_run_once(void **state)
{
	/* Scenario: two variants under which nothing differs. */
	struct scratch *s = *state;
	struct experiment *e = load(s, GUEST "[phase a]\nworkload = mark\n"
				    "[variant x]\n[variant y]\n");
	struct runner_outcome out = run(s, e, "out", 2);
	char *text;

	assert_int_equal(out.nr_cells, 1);
	assert_int_equal(size_of("ran"), 1);
	text = collected(e, "out", 0);
	assert_non_null(strstr(text, "\"variant\":\"x\""));
	assert_non_null(strstr(text, "\"variant\":\"y\""));
	free(text);
	release(e);
}

static void test_runner__stored_results_take_new_names(void **state)
{
	/* Scenario: title, variant and phase are renamed after a run. */
	struct scratch *s = *state;
	struct experiment *e = load(s, GUEST "[phase a]\nworkload = mark\n");
	char *text;

	run(s, e, "out", 1);
	release(e);
	e = load(s, GUEST "[experiment]\ntitle = New\n[phase b]\n"
		 "workload = mark\n[variant v]\n");
	assert_int_equal(run(s, e, "out", 1).nr_kept, 1);
	text = collected(e, "out", 0);
	assert_non_null(strstr(text, "\"experiment\":\"New\""));
	assert_non_null(strstr(text, "\"variant\":\"v\""));
	assert_non_null(strstr(text, "\"name\":\"b\""));
	assert_non_null(strstr(text, "\"phase.b.workload\":\"mark\""));
	assert_null(strstr(text, "phase.a."));
	free(text);
	release(e);
}

static void test_runner__a_failed_cell_leaves_the_others(void **state)
{
	/*
	 * Scenario: cells that end well, with an error, and in a crash; the
	 * crash is in a phase of its own and in a shared one.
	 */
	struct scratch *s = *state;
	struct experiment *e = load(s, GUEST FILL
		"[phase b]\nworkload = memhog,fail,crash\nsize = 1%\n"
		"[phase c]\nworkload = memhog\nsize = 1%\ntasks = 1,2\n");
	struct runner_outcome out = run(s, e, "out", 2);
	const char *text = scratch_text(s);
	char line[512];

	assert_int_equal(out.nr_done, 2);
	assert_int_equal(out.nr_failed, 4);
	assert_false(out.interrupted);
	snprintf(line, sizeof(line), "error: cell %s (variant default, "
		 "phase.b.workload=fail, phase.c.tasks=1, seed 1): it never "
		 "works\n  to repeat: REPEAT --cell %s\n", e->cells[2].id,
		 e->cells[2].id);
	assert_non_null(strstr(text, line));
	snprintf(line, sizeof(line), "error: cell %s (variant default, "
		 "phase.b.workload=crash, phase.c.tasks=2, seed 1): killed by "
		 "signal 6 (Aborted)\n", e->cells[5].id);
	assert_non_null(strstr(text, line));
	free(collected(e, "out", 4));
	/* What is missing is tried again, the rest is kept. */
	out = run(s, e, "out", 2);
	assert_int_equal(out.nr_kept, 2);
	assert_int_equal(out.nr_failed, 4);
	release(e);
}

static void test_runner__a_crash_at_the_start_fails_the_group(void **state)
{
	/* Scenario: the very first phase crashes, for one of two variants. */
	struct scratch *s = *state;
	struct experiment *e = load(s, GUEST "[experiment]\nseeds = 1..2\n"
		"[phase a]\nworkload = mark\n"
		"[phase b]\nworkload = mark\ntasks = 1,2\n"
		"[variant x]\n[variant y]\nphase.a.workload = crash\n");
	struct runner_outcome out = run(s, e, "out", 3);

	assert_int_equal(out.nr_done, 4);
	assert_int_equal(out.nr_failed, 4);
	release(e);
}

static void test_runner__write_errors_are_reported(void **state)
{
	/* Scenario: the folder of cells is gone when a result is written. */
	struct scratch *s = *state;
	struct experiment *e = load(s, GUEST FILL);
	const struct runner_options opt = { .dir = "gone", .jobs = 1,
					    .messages = s->messages };
	struct runner_outcome out;

	assert_int_equal(runner_run(e, &opt, &out), 0);
	assert_int_equal(out.nr_failed, 1);
	assert_non_null(strstr(scratch_text(s), "cannot write: No such file"));
	release(e);
}

/* In a child: run and say by exit status whether it was interrupted. */
static int run_in_child(struct scratch *s, const struct experiment *e)
{
	const struct runner_options opt = { .dir = "out", .jobs = 2,
					    .messages = s->messages };
	struct runner_outcome out;
	char why[256];

	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (store_open("out", why, sizeof(why)) || runner_run(e, &opt, &out))
		return 1;
	return out.interrupted && !out.nr_failed ? 42 : 2;
}

static void wait_for_file(const char *path)
{
	for (int i = 0; i < 1000 && access(path, F_OK); i++)
		usleep(20000);
	assert_int_equal(access(path, F_OK), 0);
}

static void test_runner__an_interrupted_run_can_be_resumed(void **state)
{
	/*
	 * Scenario: a short cell and endless ones; SIGTERM to the root once
	 * the short one has its result.
	 */
	struct scratch *s = *state;
	struct experiment *e = load(s, "[guest]\nmemory = 512M\n[phase a]\n"
		"workload = page_fault1\nduration = 1ms,1000m,1001m\n");
	char path[256];
	int status;
	pid_t pid;

	store_cell_path("out", e->cells[0].id, path, sizeof(path));
	pid = fork();
	if (!pid)
		_exit(run_in_child(s, e));
	assert_true(pid > 0);
	wait_for_file(path);
	assert_int_equal(kill(pid, SIGTERM), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 42);
	assert_true(cell_is_stored(&e->cells[0], "out"));
	assert_false(cell_is_stored(&e->cells[1], "out"));
	/* Nothing half-written is left: the cell alone, and its series. */
	assert_int_equal(system("test $(ls -A out/cells | wc -l) = 1"), 0);
	assert_int_equal(system("test $(ls -A out/series | wc -l) = 1"), 0);
	release(e);
}

#define CASE(name)                                                            \
	cmocka_unit_test_setup_teardown(name, scratch_setup, scratch_teardown)

static const struct CMUnitTest cases[] = {
	CASE(test_runner__shares_what_cells_have_in_common),
	CASE(test_runner__any_number_of_jobs_gives_the_same_bytes),
	CASE(test_runner__keeps_valid_results_only),
	CASE(test_runner__equal_cells_are_run_once),
	CASE(test_runner__stored_results_take_new_names),
	CASE(test_runner__a_failed_cell_leaves_the_others),
	CASE(test_runner__a_crash_at_the_start_fails_the_group),
	CASE(test_runner__write_errors_are_reported),
	CASE(test_runner__an_interrupted_run_can_be_resumed),
};

TEST_MAIN(cases)
