/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Results as text and back, where memory runs out meanwhile. */
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench/cell_json.h"
#include "bench/json_memory.h"
#include "tests/starve.h"
#include "tests/test.h"

/* Long keys: the text outgrows its room at one of them sooner or later. */
static json_t *make_object(void)
{
	json_t *o = json_object();
	char key[96];

	for (int i = 0; i < 200; i++) {
		snprintf(key, sizeof(key), "%0*d", 7 + i % 80, i);
		json_object_set_new(o, key, json_integer(i));
	}
	return o;
}

struct job {
	const json_t *o;
	const char *text;
};

typedef bool (*attempt_fn)(const struct job *job);

/* Nothing, if a request failed, else the right text. */
static bool print_right(const struct job *job)
{
	char *text = cell_text(job->o);
	const bool right = starved() ? !text :
				       text && !strcmp(text, job->text);

	free(text);
	return right;
}

static bool parse_right(const struct job *job)
{
	json_t *o = json_memory_load(job->text, strlen(job->text),
				     JSON_REJECT_DUPLICATES, NULL);
	const bool right = starved() ? !o : o && json_equal(o, job->o);

	json_decref(o);
	return right;
}

/* In a process of its own: what failed once is remembered. */
static void try(attempt_fn attempt, const struct job *job, unsigned long nth,
		bool *more)
{
	int status;
	const pid_t pid = fork();

	if (!pid) {
		starve_nth(nth);
		_exit(!attempt(job) ? 2 :
		      starved() != json_memory_failed() ? 3 : starved());
	}
	assert_true(pid > 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (!WIFEXITED(status) || WEXITSTATUS(status) > 1)
		fail_msg("request %lu: status %d", nth, status);
	*more = WEXITSTATUS(status) == 1;
}

static void try_all(attempt_fn attempt)
{
	struct job job;
	unsigned long nth = 0;
	bool more = true;

	json_memory_watch();
	job.o = make_object();
	job.text = cell_text(job.o);
	assert_non_null(job.text);
	while (more)
		try(attempt, &job, ++nth, &more);
	assert_in_range(nth, 5, 10000);
	free((void *)(uintptr_t)job.text);
	json_decref((json_t *)(uintptr_t)job.o);
}

static void test_cell_text__without_memory_there_is_none(void **state)
{
	/* Scenario: each request for memory fails in turn. */
	(void)state;
	try_all(print_right);
}

static void test_cell_text__without_memory_it_is_not_read(void **state)
{
	/* Scenario: the same, where jansson would write beyond its room. */
	(void)state;
	try_all(parse_right);
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(test_cell_text__without_memory_there_is_none),
	cmocka_unit_test(test_cell_text__without_memory_it_is_not_read),
};

TEST_MAIN(cases)
