/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Options that take one of several words, and that the words are the enums'. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "bench/bench.h"
#include "cli/args.h"
#include "cli/commands.h"
#include "trace/source.h"

static const struct args_option options[] = {
	{ "colour", 'c', "red|green|blue", "of the sky" },
	{ "file", 0, "boot|FILE", "a word of capitals is a placeholder" },
	{ NULL, 0, NULL, NULL },
};

static const struct args_command command = {
	.name = "test", .synopsis = "", .text = "", .options = options,
};

/* Parse one option; the result of args_next(). */
static int parse(struct args *a, const char *one, const char *two)
{
	static char words[3][40];
	static char *argv[4];
	int argc = 0;

	snprintf(words[argc], sizeof(words[0]), "test");
	snprintf(words[++argc], sizeof(words[0]), "%s", one);
	if (two)
		snprintf(words[++argc], sizeof(words[0]), "%s", two);
	for (int i = 0; i <= argc; i++)
		argv[i] = words[i];
	argv[argc + 1] = NULL;
	args_init(a, &command, argc + 1, argv);
	return args_next(a);
}

static void test_args__a_word_is_found_by_its_place(void **state)
{
	/* Every spelling of an option gives the index of its word. */
	static const struct {
		const char *one, *two;
		int choice;
	} rows[] = {
		{ "--colour=red", NULL, 0 },
		{ "--colour", "blue", 2 },
		{ "-c", "green", 1 },
		{ "-cgreen", NULL, 1 },
	};
	struct args a;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		assert_int_equal(parse(&a, rows[i].one, rows[i].two), 0);
		assert_int_equal(a.choice, rows[i].choice);
	}
}

static void test_args__another_word_is_refused(void **state)
{
	/* Beginnings, capitals and nothing at all are no words of the list. */
	static const char *const wrong[] = { "re", "Red", "red|green", "" };
	struct args a;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
		assert_int_equal(parse(&a, "--colour", wrong[i]), ARGS_BAD);
}

static void test_args__a_placeholder_takes_anything(void **state)
{
	/* boot|FILE has a word in capitals: any file is meant. */
	struct args a;

	(void)state;
	assert_int_equal(parse(&a, "--file", "a.txt"), 1);
	assert_string_equal(a.value, "a.txt");
}

static const char *value_of(const struct args_command *c, const char *option)
{
	for (const struct args_option *o = c->options; o->name; o++)
		if (!strcmp(o->name, option))
			return o->value;
	fail_msg("%s has no --%s", c->name, option);
	return NULL;
}

static void test_args__words_are_the_names_of_the_enums(void **state)
{
	/* A command takes the index for the enum's value. */
	static const struct {
		const struct args_command *command;
		const char *option;
		const char *const *names;
		bool all;                /* or the first ones only */
	} rows[] = {
		{ &command_report, "format", report_format_names, true },
		{ &command_report, "layout", cover_layout_names, true },
		{ &command_compare, "format", report_format_names, false },
		{ &command_plot, "terminal", figure_terminal_names, true },
		{ &command_plot, "backend", figure_backend_names, true },
		{ &command_reproduce, "backend", figure_backend_names, true },
	};
	struct args_words w;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		size_t n;

		assert_true(args_words(value_of(rows[i].command,
						rows[i].option), &w));
		for (n = 0; w.name[n]; n++)
			assert_string_equal(w.name[n], rows[i].names[n]);
		if (rows[i].all)
			assert_null(rows[i].names[n]);
	}
	assert_true(args_words(value_of(&command_import, "format"), &w));
	for (int i = 0; i < TRACE_NR_FORMATS; i++)
		assert_int_equal(trace_format_find(w.name[i]), i);
	assert_null(w.name[TRACE_NR_FORMATS]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_args__a_word_is_found_by_its_place),
		cmocka_unit_test(test_args__another_word_is_refused),
		cmocka_unit_test(test_args__a_placeholder_takes_anything),
		cmocka_unit_test(test_args__words_are_the_names_of_the_enums),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
