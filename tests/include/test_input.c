/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lines up to a bound, and files that would make a reader wait. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "include/input.h"
#include "include/types.h"
#include "tests/test.h"

static void test_input__lines_end_at_the_bound(void **state)
{
	static const char text[] = "one\n\nfour\nlonger than ten\nno end";
	static const struct {
		ssize_t len;
		const char *text;
	} rows[] = {
		{ 4, "one\n" }, { 1, "\n" }, { 5, "four\n" },
		{ 11, "longer than" }, { 5, " ten\n" }, { 6, "no end" },
		{ 0, "" }, { 0, "" },
	};
	FILE *in = fmemopen((void *)(uintptr_t)text, strlen(text), "r");
	char *line = NULL;
	size_t room = 0;

	(void)state;
	assert_non_null(in);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		assert_int_equal(input_line(&line, &room, 10, in),
				 rows[i].len);
		assert_string_equal(line, rows[i].text);
	}
	free(line);
	fclose(in);
}

static void test_input__a_line_is_as_long_as_it_is(void **state)
{
	const size_t len = 100000;
	char *text = malloc(len + 1), *line = NULL;
	size_t room = 0;
	FILE *in;

	(void)state;
	assert_non_null(text);
	memset(text, 'x', len);
	text[len] = '\0';
	in = fmemopen(text, len, "r");
	assert_non_null(in);
	assert_int_equal(input_line(&line, &room, len, in), (ssize_t)len);
	assert_string_equal(line, text);
	free(line);
	free(text);
	fclose(in);
}

static void test_input__only_files_of_a_size_are_opened(void **state)
{
	char dir[] = "input-XXXXXX", name[64];
	FILE *f;
	int fd;

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(name, sizeof(name), "%s/x", dir);
	assert_int_equal(input_open(name, 0), -ENOENT);
	/* Nobody will ever write into it. */
	assert_int_equal(mkfifo(name, 0600), 0);
	assert_int_equal(input_open(name, 0), -ENODEV);
	unlink(name);
	assert_int_equal(input_open("/dev/zero", 0), -ENODEV);
	assert_int_equal(input_open(dir, 0), -EISDIR);
	f = fopen(name, "w");
	assert_non_null(f);
	assert_int_equal(fwrite("12345", 1, 5, f), 5);
	fclose(f);
	assert_int_equal(input_open(name, 4), -EFBIG);
	assert_null(input_stream(name, 4));
	assert_int_equal(errno, EFBIG);
	fd = input_open(name, 5);
	assert_true(fd >= 0);
	close(fd);
	unlink(name);
	rmdir(dir);
	assert_string_equal(input_error(ENODEV), "not a regular file");
	assert_string_equal(input_error(ENOENT), strerror(ENOENT));
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(test_input__lines_end_at_the_bound),
	cmocka_unit_test(test_input__a_line_is_as_long_as_it_is),
	cmocka_unit_test(test_input__only_files_of_a_size_are_opened),
};

TEST_MAIN(cases)
