/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The text of a result, where memory runs out while it is made. */
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

/* In a process of its own: what failed once is remembered. */
static int text_of(const json_t *o, const char *whole, unsigned long nth,
		   bool *more)
{
	int status;
	const pid_t pid = fork();

	if (!pid) {
		char *text;
		bool right;

		starve_nth(nth);
		text = cell_text(o);
		right = starved() ? !text : text && !strcmp(text, whole);
		_exit(!right ? 2 : starved());
	}
	assert_true(pid > 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	*more = WEXITSTATUS(status) == 1;
	return WEXITSTATUS(status) == 2;
}

static void test_cell_text__without_memory_there_is_none(void **state)
{
	/* Scenario: each request for memory fails in turn. */
	json_t *o;
	char *whole;
	unsigned long nth = 0;
	bool more = true;

	(void)state;
	json_memory_watch();
	o = make_object();
	whole = cell_text(o);
	assert_non_null(whole);
	while (more)
		if (text_of(o, whole, ++nth, &more))
			fail_msg("request %lu", nth);
	assert_in_range(nth, 5, 10000);
	free(whole);
	json_decref(o);
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(test_cell_text__without_memory_there_is_none),
};

TEST_MAIN(cases)
