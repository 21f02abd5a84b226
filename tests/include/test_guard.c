/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What processes that were stopped leave: nothing, or what the next removes. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "include/guard.h"
#include "include/types.h"
#include "include/whole.h"
#include "tests/test.h"

static bool is_there(const char *path)
{
	return !access(path, F_OK);
}

static void make_file(const char *path)
{
	const int fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0666);

	assert_true(fd >= 0);
	close(fd);
}

/* A child does `what`, says so and waits; it is then ended by `sig`. */
static int end_child(void (*what)(void), int sig)
{
	int ready[2], status;
	char byte;
	pid_t pid;

	assert_int_equal(pipe(ready), 0);
	pid = fork();
	if (!pid) {
		guard_install();
		what();
		if (write(ready[1], "", 1) == 1)
			for (;;)
				pause();
		_exit(1);
	}
	assert_true(pid > 0);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	close(ready[1]);
	assert_int_equal(kill(pid, sig), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	return WTERMSIG(status);
}

static void write_half(void)
{
	struct whole_file f;

	if (whole_create(&f, "result"))
		_exit(1);
	fputs("half", f.out);
	fflush(f.out);
}

static void test_guard__signals_take_files_along(void **state)
{
	/* Every signal that ends a process; it still ends by it. */
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP, SIGPIPE,
				       SIGQUIT, SIGXCPU };

	(void)state;
	for (unsigned int i = 0; i < ARRAY_SIZE(signals); i++) {
		ASSERT_U64(test_row(i), end_child(write_half, signals[i]),
			   signals[i]);
		assert_false(is_there(".result.0.tmp"));
		assert_false(is_there("result"));
	}
}

static void test_guard__an_ignored_signal_stays_ignored(void **state)
{
	/* As nohup starts a program. */
	struct sigaction before, after;

	(void)state;
	signal(SIGHUP, SIG_IGN);
	sigaction(SIGINT, NULL, &before);
	guard_install();
	sigaction(SIGHUP, NULL, &after);
	assert_true(after.sa_handler == SIG_IGN);
	signal(SIGHUP, SIG_DFL);
	sigaction(SIGINT, &before, NULL);
}

static void test_guard__the_next_writer_removes_what_a_killed_one_left(
	void **state)
{
	/* SIGKILL, then the same file once more. */
	struct whole_file f;

	(void)state;
	assert_int_equal(end_child(write_half, SIGKILL), SIGKILL);
	assert_true(is_there(".result.0.tmp"));
	assert_int_equal(whole_create(&f, "result"), 0);
	assert_string_equal(f.temporary, ".result.0.tmp");
	fputs("all", f.out);
	assert_int_equal(whole_commit(&f), 0);
	assert_false(is_there(".result.0.tmp"));
	assert_true(is_there("result"));
	unlink("result");
}

/* A stream that notes whether the name was there when it was closed. */
struct witness {
	const char *name;
	bool was_there;
};

static int look_at_close(void *ctx)
{
	struct witness *w = ctx;

	w->was_there = is_there(w->name);
	return 0;
}

static void test_whole__a_file_is_removed_while_it_is_locked(void **state)
{
	/* Once it is closed, the name may be that of the next writer. */
	const cookie_io_functions_t calls = { .close = look_at_close };
	struct witness w = { .was_there = true };
	struct whole_file f;
	FILE *locked;

	(void)state;
	assert_int_equal(whole_create(&f, "given-up"), 0);
	w.name = ".given-up.0.tmp";
	assert_true(is_there(w.name));
	locked = f.out;
	f.out = fopencookie(&w, "w", calls);
	assert_non_null(f.out);
	whole_discard(&f);
	assert_false(w.was_there);
	fclose(locked);
}

static void test_guard__a_sweep_leaves_the_living_alone(void **state)
{
	/* One writer at work, one killed, and files of other programs. */
	static const char *const others[] = { ".x.tmp", ".0.tmp", "x.0.tmp",
					      ".x.1", ".x.1a.tmp" };
	struct whole_file f;

	(void)state;
	assert_int_equal(whole_create(&f, "live"), 0);
	make_file(".dead.0.tmp");
	make_file(".dead.17.tmp");
	for (unsigned int i = 0; i < ARRAY_SIZE(others); i++)
		make_file(others[i]);
	assert_int_equal(symlink("nowhere", ".link.0.tmp"), 0);
	guard_sweep(".");
	assert_true(is_there(f.temporary));
	assert_false(is_there(".dead.0.tmp"));
	assert_false(is_there(".dead.17.tmp"));
	for (unsigned int i = 0; i < ARRAY_SIZE(others); i++) {
		assert_true(is_there(others[i]));
		unlink(others[i]);
	}
	assert_int_equal(unlink(".link.0.tmp"), 0);
	assert_int_equal(whole_commit(&f), 0);
	unlink("live");
}

static void test_guard__a_forked_child_owns_nothing(void **state)
{
	/* Its end by a signal is none of its parent's file. */
	struct whole_file f;
	int status;
	pid_t pid;

	(void)state;
	assert_int_equal(whole_create(&f, "mine"), 0);
	pid = fork();
	if (!pid) {
		guard_install();
		raise(SIGTERM);
		_exit(1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	assert_true(is_there(f.temporary));
	whole_discard(&f);
	assert_false(is_there(".mine.0.tmp"));
}

static void make_full_folder(void)
{
	char path[128], deep[160];

	if (guard_folder(".", path, sizeof(path)))
		_exit(1);
	snprintf(deep, sizeof(deep), "%s/a", path);
	mkdir(deep, 0777);
	snprintf(deep, sizeof(deep), "%s/a/b", path);
	mkdir(deep, 0777);
	snprintf(deep, sizeof(deep), "%s/a/b/c", path);
	close(open(deep, O_WRONLY | O_CREAT, 0666));
	snprintf(deep, sizeof(deep), "%s/link", path);
	if (symlink("../kept", deep))
		_exit(1);
}

/* How many entries of the current folder are temporary folders. */
static int nr_folders(void)
{
	FILE *f = popen("ls -d buddylab-tmp-* 2>/dev/null | wc -l", "r");
	int n = -1;

	assert_non_null(f);
	assert_int_equal(fscanf(f, "%d", &n), 1);
	pclose(f);
	return n;
}

static void test_guard__folders_go_with_all_that_is_in_them(void **state)
{
	/* By a signal; after SIGKILL by the next who needs one; not what a
	 * link in them leads to. */
	char path[128];

	(void)state;
	make_file("kept");
	assert_int_equal(end_child(make_full_folder, SIGTERM), SIGTERM);
	assert_int_equal(nr_folders(), 0);
	assert_int_equal(end_child(make_full_folder, SIGKILL), SIGKILL);
	assert_int_equal(nr_folders(), 1);
	assert_int_equal(guard_folder(".", path, sizeof(path)), 0);
	assert_int_equal(nr_folders(), 1);
	assert_int_equal(end_child(make_full_folder, SIGINT), SIGINT);
	assert_true(is_there(path));
	guard_remove_folder(path);
	assert_int_equal(nr_folders(), 0);
	assert_true(is_there("kept"));
	unlink("kept");
}

static void start_sleeper(void)
{
	const pid_t pid = guard_fork();
	FILE *f;

	if (!pid)
		for (;;)
			pause();
	f = fopen("sleeper", "w");
	if (f) {
		fprintf(f, "%d\n", (int)pid);
		fclose(f);
	}
}

static void test_guard__children_end_first(void **state)
{
	/* By then a process has ended, and its child before it. */
	static const int signals[] = { SIGTERM, SIGINT };

	(void)state;
	for (unsigned int i = 0; i < ARRAY_SIZE(signals); i++) {
		int pid = 0;
		FILE *f;

		end_child(start_sleeper, signals[i]);
		f = fopen("sleeper", "r");
		assert_non_null(f);
		assert_int_equal(fscanf(f, "%d", &pid), 1);
		fclose(f);
		assert_int_equal(kill(pid, 0), -1);
		assert_int_equal(errno, ESRCH);
		unlink("sleeper");
	}
}

static void test_guard__wait_says_how_it_ended(void **state)
{
	/* An exit status, and a number that is nobody's. */
	int status = 0;
	pid_t pid;

	(void)state;
	pid = guard_fork();
	if (!pid)
		_exit(7);
	assert_int_equal(guard_wait(pid, &status), 0);
	assert_int_equal(WEXITSTATUS(status), 7);
	assert_int_equal(guard_wait(pid, &status), -ECHILD);
}

static void test_whole__the_longest_name_has_a_temporary_one(void **state)
{
	/* 255 bytes; two that differ in the last one only. */
	char one[256], two[256];
	struct whole_file a, b;

	(void)state;
	memset(one, 'n', 255);
	one[255] = '\0';
	memcpy(two, one, sizeof(two));
	two[254] = 'm';
	assert_int_equal(whole_create(&a, one), 0);
	assert_int_equal(whole_create(&b, two), 0);
	assert_string_not_equal(a.temporary, b.temporary);
	assert_int_equal(whole_commit(&a), 0);
	assert_int_equal(whole_commit(&b), 0);
	assert_int_equal(unlink(one), 0);
	assert_int_equal(unlink(two), 0);
}

static void test_guard__a_file_without_a_name(void **state)
{
	/* It can be written and read, and the folder stays empty. */
	char byte = 0;
	int fd;

	(void)state;
	fd = guard_unnamed(".");
	assert_true(fd >= 0);
	assert_int_equal(write(fd, "x", 1), 1);
	assert_int_equal(pread(fd, &byte, 1, 0), 1);
	assert_int_equal(byte, 'x');
	assert_int_equal(nr_folders(), 0);
	close(fd);
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(test_guard__signals_take_files_along),
	cmocka_unit_test(test_guard__an_ignored_signal_stays_ignored),
	cmocka_unit_test(
		test_guard__the_next_writer_removes_what_a_killed_one_left),
	cmocka_unit_test(test_whole__a_file_is_removed_while_it_is_locked),
	cmocka_unit_test(test_guard__a_sweep_leaves_the_living_alone),
	cmocka_unit_test(test_guard__a_forked_child_owns_nothing),
	cmocka_unit_test(test_guard__folders_go_with_all_that_is_in_them),
	cmocka_unit_test(test_guard__children_end_first),
	cmocka_unit_test(test_guard__wait_says_how_it_ended),
	cmocka_unit_test(test_whole__the_longest_name_has_a_temporary_one),
	cmocka_unit_test(test_guard__a_file_without_a_name),
};

int main(int argc, char **argv)
{
	char dir[] = "/tmp/buddylab-guard-XXXXXX";
	int failed;

	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	if (!mkdtemp(dir) || chdir(dir))
		return 1;
	failed = cmocka_run_group_tests(cases, NULL, NULL);
	if (chdir("/") || rmdir(dir))
		fprintf(stderr, "something is left in %s\n", dir);
	return failed ? 1 : 0;
}
