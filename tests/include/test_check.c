/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A failing CHECK aborts with the values; each case dies in a child. */
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "include/check.h"
#include "tests/test.h"

static void die_plain(void)
{
	CHECK(1 + 1 == 3);
}

static void die_message(void)
{
	CHECK_MSG(false, "order %d of zone %s", 11, "Normal");
}

static void die_values(void)
{
	const unsigned int order = 12, max = 10;

	CHECK_LE(order, max);
}

static void die_context(void)
{
	check_set_context("seed 7, 120 ns");
	CHECK_EQ(UINT64_MAX, 0);
}

static void die_context_cleared(void)
{
	check_set_context("seed 7, 120 ns");
	check_set_context(NULL);
	CHECK_LT(2, 2);
}

static const struct death {
	const char *name;
	void (*run)(void);
	const char *says[3]; /* all of it is in the message */
	const char *not;     /* this is not, NULL = anything may be */
} deaths[] = {
	{ "plain", die_plain, { "CHECK failed: 1 + 1 == 3" }, "while:" },
	{ "message", die_message, { "order 11 of zone Normal" }, "while:" },
	{ "values", die_values, { "order <= max", "left = 12", "right = 10" },
	  "while:" },
	{ "context", die_context,
	  { "left = 18446744073709551615", "(0xffffffffffffffff)",
	    "while: seed 7, 120 ns" }, NULL },
	{ "context cleared", die_context_cleared, { "2 < 2" }, "while:" },
};

/* stderr of a child that runs `run`, and its wait status. */
static int run_in_child(void (*run)(void), char *out, size_t size)
{
	size_t len = 0;
	ssize_t n;
	int fds[2], status;
	pid_t pid;

	assert_int_equal(pipe(fds), 0);
	fflush(NULL);
	pid = fork();
	assert_true(pid >= 0);
	if (!pid) {
		const struct rlimit no_core = { 0, 0 };

		setrlimit(RLIMIT_CORE, &no_core);
		dup2(fds[1], STDERR_FILENO);
		signal(SIGABRT, SIG_DFL);
		run();
		_exit(0);
	}
	close(fds[1]);
	while ((n = read(fds[0], out + len, size - 1 - len)) > 0)
		len += (size_t)n;
	out[len] = '\0';
	close(fds[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static void test_check__failure_prints_values_and_aborts(void **state)
{
	/* Each broken invariant ends by SIGABRT and says what it saw. */
	(void)state;
	for (size_t i = 0; i < sizeof(deaths) / sizeof(deaths[0]); i++) {
		const struct death *d = &deaths[i];
		char out[4096];
		const int status = run_in_child(d->run, out, sizeof(out));

		if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGABRT)
			fail_msg("%s: status %#x", d->name, status);
		if (!strstr(out, "test_check.c:"))
			fail_msg("%s: no place in: %s", d->name, out);
		for (size_t j = 0; j < 3 && d->says[j]; j++)
			if (!strstr(out, d->says[j]))
				fail_msg("%s: no '%s' in: %s", d->name,
					 d->says[j], out);
		if (d->not && strstr(out, d->not))
			fail_msg("%s: '%s' in: %s", d->name, d->not, out);
	}
}

static void pass_all(void)
{
	unsigned int evaluated = 0;

	CHECK(true);
	CHECK_MSG(true, "never %s", "printed");
	CHECK_EQ(++evaluated, 1);
	CHECK_LE(evaluated, 1);
	CHECK_LT(evaluated, 2);
}

static void test_check__true_conditions_are_silent(void **state)
{
	/* Invariants that hold print nothing and evaluate operands once. */
	char out[4096];

	(void)state;
	assert_int_equal(run_in_child(pass_all, out, sizeof(out)), 0);
	assert_string_equal(out, "");
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(test_check__failure_prints_values_and_aborts),
	cmocka_unit_test(test_check__true_conditions_are_silent),
};

TEST_MAIN(cases)
