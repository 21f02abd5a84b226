/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `buddylab replay`: options, streams and exit codes, called as main() does. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/registry.h"
#include "include/types.h"
#include "tests/test.h"
#include "tests/trace/files.h"

#define MAX_ARGS 16
#define RUN TEST_DATA_DIR "/traces/page_fault1-thp/"
#define GOOD RUN "req.txt.zst --snapshot " RUN "before.snap.zst"

/* What the command may name; the hosts and workloads are not linked. */
static const struct reporter_ops *const reporters[] = {
	&none_reporter,
	&page_reporting_reporter,
	NULL,
};

const struct sim_registry registry = { reporters, NULL, NULL, NULL };

struct output {
	int code;
	char out[8192], err[4096];
};

static void read_back(FILE *f, char *text, size_t size)
{
	size_t n;

	rewind(f);
	n = fread(text, 1, size - 1, f);
	text[n] = '\0';
	fclose(f);
}

/* Point one standard stream at a file; returns a copy of what it was. */
static int redirect(FILE *stream, int fd, FILE *to)
{
	int saved;

	fflush(stream);
	saved = dup(fd);
	assert_true(saved >= 0);
	assert_int_equal(dup2(fileno(to), fd), fd);
	return saved;
}

static void restore(FILE *stream, int fd, int saved)
{
	fflush(stream);
	assert_int_equal(dup2(saved, fd), fd);
	close(saved);
}

/* Words separated by single blanks; the first is the command's name. */
static void run(const char *words, struct output *o)
{
	FILE *out = tmpfile(), *err = tmpfile();
	char text[1024], *argv[MAX_ARGS + 1] = { text };
	int argc = 1, saved_out, saved_err;

	assert_non_null(out);
	assert_non_null(err);
	assert_true(snprintf(text, sizeof(text), "replay %s", words) <
		    (int)sizeof(text));
	for (char *p = strchr(text, ' '); p && p[1]; p = strchr(p, ' ')) {
		assert_true(argc < MAX_ARGS);
		*p++ = '\0';
		argv[argc++] = p;
	}
	saved_out = redirect(stdout, STDOUT_FILENO, out);
	saved_err = redirect(stderr, STDERR_FILENO, err);
	o->code = cmd_replay(argc, argv);
	restore(stdout, STDOUT_FILENO, saved_out);
	restore(stderr, STDERR_FILENO, saved_err);
	read_back(out, o->out, sizeof(o->out));
	read_back(err, o->err, sizeof(o->err));
}

struct row {
	const char *words;
	int code;
	const char *out, *err;
};

static void check_rows(const struct row *rows, size_t nr)
{
	for (size_t i = 0; i < nr; i++) {
		struct output o;

		run(rows[i].words, &o);
		if (o.code != rows[i].code)
			fail_msg("%s: exit %d, expected %d\n%s%s",
				 rows[i].words, o.code, rows[i].code, o.out,
				 o.err);
		if (!strstr(o.out, rows[i].out) || !strstr(o.err, rows[i].err))
			fail_msg("%s:\n%s%s", rows[i].words, o.out, o.err);
		/* Results on one stream, messages on the other. */
		assert_int_equal(o.code >= 2, o.out[0] == '\0');
		assert_int_equal(o.code >= 2, o.err[0] != '\0');
	}
}

static void test_cmd_replay__exit_codes(void **state)
{
	/* 0 equal, 1 different, 2 usage, 3 a file; with what is said. */
	static const struct row rows[] = {
		{ GOOD, 0, "predicted 2641 (100.000 %)", "" },
		{ GOOD " --expect " RUN "after.snap.zst", 0,
		  "lists       22, differing 0", "" },
		{ GOOD " --expect " RUN "before.snap.zst", 1, "differs from",
		  "" },
		{ GOOD " --kernel 6.1", 0, " on kernel 6.1\n", "" },
		{ RUN "trace.blt --assume boot --kernel 5.7", 1,
		  " on kernel 5.7, which stands on worked examples only\n", "" },
		{ GOOD " --kernel 5.7", 3, "",
		  "per-CPU lists that kernel 5.7 has not" },
		{ GOOD " --hints=all --mode assisted", 0, "T 420", "" },
		{ GOOD " --limit 10", 0, "events      10", "" },
		{ GOOD " --reporter none", 0, "reports     0", "" },
		{ "--help", 0, "usage: buddylab replay FILE", "" },
		{ "", 2, "", "no trace is named" },
		{ RUN "req.txt.zst", 2, "", "--snapshot is missing" },
		{ GOOD " more", 2, "", "one trace only" },
		{ GOOD " --snap x", 2, "",
		  "unknown option --snap" },
		{ GOOD " --expec=x", 2, "", "did you mean --expect?" },
		{ GOOD " --limit", 2, "", "" },
		{ GOOD " --limit 0", 2, "", "limit is \"0\"" },
		{ GOOD " --mode guess", 2, "",
		  "allowed are predict and assisted" },
		{ GOOD " --format xml", 2, "", "allowed are text and json" },
		{ GOOD " --hints T,X", 2, "", "unknown hint \"X\"" },
		{ GOOD " --kernel 6.11", 2, "", "unknown kernel '6.11'" },
		{ GOOD " --reporter page_report", 2, "",
		  "unknown reporter 'page_report'" },
		{ "nowhere --snapshot " RUN "before.snap.zst", 3, "",
		  "nowhere: error: cannot open: No such file or directory" },
		{ RUN "req.txt.zst --snapshot nowhere", 3, "",
		  "nowhere: error: cannot open" },
		{ RUN "before.snap.zst --snapshot " RUN "before.snap.zst", 3,
		  "", "before.snap.zst:1: error: no line tells the format" },
	};

	(void)state;
	check_rows(rows, ARRAY_SIZE(rows));
}

static void test_cmd_replay__start_and_end_states(void **state)
{
	/* Tracepoints, states that nobody recorded, and /proc at the end. */
	static const struct row rows[] = {
		{ GOOD " --proc " RUN "procstats.txt.zst", 0,
		  "proc cells  118, differing 0", "" },
		{ GOOD " --proc nowhere", 3, "", "nowhere: error: cannot open" },
		{ RUN "trace.blt --snapshot " RUN "before.snap.zst --expect "
		  RUN "after.snap.zst --mode assisted", 1,
		  "predicted 2636 (99.962 %)", "" },
		{ RUN "trace.blt --assume " RUN "procstats.txt.zst", 1,
		  "assumed     the free counts of ", "" },
		/* The rules are those of the kernel that the trace names. */
		{ TEST_DATA_DIR "/formats/bpftrace.txt --assume boot", 1,
		  " on kernel 6.18, which stands", "" },
		{ TEST_DATA_DIR "/formats/bpftrace.txt --assume " RUN
		  "procstats.txt.zst", 1, " on kernel 6.18, which stands", "" },
		{ TEST_DATA_DIR "/formats/bpftrace.txt --kernel 6.1 --assume "
		  "boot", 1, " on kernel 6.1\n", "" },
		{ RUN "trace.blt --assume boot --memory 512M --cpus 2", 1,
		  "assumed     a guest that has just booted", "" },
		{ RUN "trace.blt --assume boot --memory 1", 2, "",
		  "cannot boot the guest" },
		{ RUN "trace.blt --assume boot --cpus x", 2, "",
		  "cpus is \"x\"" },
		{ RUN "trace.blt --assume nowhere", 3, "",
		  "nowhere: error: cannot open" },
		{ GOOD " --assume boot", 2, "", "one start state only" },
		{ GOOD " --cpus 2", 2, "", "go with --assume boot" },
	};

	(void)state;
	check_rows(rows, ARRAY_SIZE(rows));
}

static void test_cmd_replay__json_is_one_object(void **state)
{
	/* The documented command line, and its wall time. */
	struct output o;
	json_t *root;

	(void)state;
	run(GOOD " --expect " RUN "after.snap.zst --format json", &o);
	assert_int_equal(o.code, 0);
	root = json_loads(o.out, 0, NULL);
	assert_non_null(root);
	assert_int_equal(json_integer_value(json_object_get(root,
							    "allocations")),
			 2641);
	assert_string_equal(json_string_value(json_object_get(root, "kernel")),
			    "6.1");
	assert_true(json_is_true(json_object_get(root, "confirmed")));
	assert_int_equal(json_integer_value(json_object_get(root, "predicted")),
			 2641);
	assert_int_equal(json_integer_value(json_object_get(root, "lists")),
			 22);
	assert_true(json_real_value(json_object_get(root, "wall_s")) > 0);
	json_decref(root);
}

static void test_cmd_replay__truncated_traces_are_refused(void **state)
{
	/* A zstd frame without its end: exit 3, with the byte. */
	char path[TEST_PATH_MAX], words[512];
	struct output o;

	(void)state;
	file_write_zstd(path, "F 0 0 5\nF 0 0 7\nF 0 0 9\n", 4);
	snprintf(words, sizeof(words), "%s --snapshot " RUN "before.snap.zst",
		 path);
	run(words, &o);
	assert_int_equal(o.code, 3);
	assert_true(strstr(o.err, "cut short: the file ends at byte") != NULL);
	file_remove(path);
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(test_cmd_replay__exit_codes),
	cmocka_unit_test(test_cmd_replay__start_and_end_states),
	cmocka_unit_test(test_cmd_replay__json_is_one_object),
	cmocka_unit_test(test_cmd_replay__truncated_traces_are_refused),
};

TEST_MAIN(cases)
