/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lines of plain and compressed files, and what is said of broken ones. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "tests/test.h"
#include "tests/trace/files.h"
#include "trace/line_reader.h"

/* All lines joined by '|', and the final return value. */
static int read_all(const char *path, struct diag *d, char *out, size_t size)
{
	struct line_reader *r;
	struct line line;
	size_t used = 0;
	int ret = line_reader_open(&r, path, d);

	out[0] = '\0';
	if (ret)
		return ret;
	while ((ret = line_reader_next(r, &line)) == 1) {
		used += (size_t)snprintf(out + used, size - used, "%u:%s|",
					 line.number, line.text);
		assert_true(used < size);
		assert_int_equal(strlen(line.text), line.len);
	}
	/* The end, or the error, is final and silent. */
	{
		const unsigned int errors = d->nr_errors;

		assert_int_equal(line_reader_next(r, &line), ret);
		assert_int_equal(d->nr_errors, errors);
	}
	line_reader_close(r);
	return ret;
}

static void test_line_reader__plain_and_compressed_read_alike(void **state)
{
	/* The same text, plain, as one frame, and as two frames. */
	static const struct {
		const char *text, *expected;
	} rows[] = {
		{ "", "" },
		{ "\n", "1:|" },
		{ "a\nb c\n\nd\n", "1:a|2:b c|3:|4:d|" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct diag d = { 0 };
		char path[TEST_PATH_MAX], out[256];

		file_write_text(path, rows[i].text);
		ASSERT_U64(rows[i].text, read_all(path, &d, out, sizeof(out)),
			   0);
		assert_string_equal(out, rows[i].expected);
		file_remove(path);
		file_write_zstd(path, rows[i].text, 0);
		ASSERT_U64(rows[i].text, read_all(path, &d, out, sizeof(out)),
			   0);
		assert_string_equal(out, rows[i].expected);
		file_remove(path);
		ASSERT_U64(rows[i].text, d.nr_errors, 0);
	}
}

static void test_line_reader__frames_in_a_row_are_one_text(void **state)
{
	/* A line may begin in one frame and end in the next. */
	unsigned char data[512];
	size_t n;
	struct diag d = { 0 };
	char path[TEST_PATH_MAX], out[64];
	static const unsigned char skippable[] = { 0x50, 0x2a, 0x4d, 0x18,
						   3, 0, 0, 0, 'x', 'y', 'z' };

	(void)state;
	memcpy(data, skippable, sizeof(skippable));
	n = sizeof(skippable);
	n += ZSTD_compress(data + n, sizeof(data) - n, "one\ntw", 6, 3);
	n += ZSTD_compress(data + n, sizeof(data) - n, "o\nthree\n", 8, 3);
	file_write(path, data, n);
	assert_int_equal(read_all(path, &d, out, sizeof(out)), 0);
	assert_string_equal(out, "1:one|2:two|3:three|");
	file_remove(path);
}

static void test_line_reader__long_texts_pass_the_buffers(void **state)
{
	/* More than both buffers, with lines across their borders. */
	const unsigned int nr = 60000;
	char *text = malloc((size_t)nr * 16), path[TEST_PATH_MAX];
	struct line_reader *r;
	struct line line;
	struct diag d = { 0 };
	size_t used = 0;

	(void)state;
	assert_non_null(text);
	for (unsigned int i = 0; i < nr; i++)
		used += (size_t)snprintf(text + used, 16, "line %u\n", i);
	for (int compressed = 0; compressed < 2; compressed++) {
		if (compressed)
			file_write_zstd(path, text, 0);
		else
			file_write_text(path, text);
		assert_int_equal(line_reader_open(&r, path, &d), 0);
		for (unsigned int i = 0; i < nr; i++) {
			char expected[16];

			snprintf(expected, sizeof(expected), "line %u", i);
			assert_int_equal(line_reader_next(r, &line), 1);
			assert_string_equal(line.text, expected);
		}
		assert_int_equal(line_reader_next(r, &line), 0);
		line_reader_close(r);
		file_remove(path);
	}
	free(text);
}

static void test_line_reader__broken_files_are_told_apart(void **state)
{
	/* Cut short, damaged, and not text: each with its own message. */
	static const struct {
		const char *row;
		const char *data;
		size_t size;
		int error;
		const char *message;
	} rows[] = {
		{ "no newline", "a\nb", 3, -EBADMSG,
		  ":2: error: cut short: the last line does not end with a newline" },
		{ "NUL", "a\nb\0c\n", 6, -EINVAL,
		  ":2: error: line contains a NUL byte; this is not a text file" },
		{ "bad frame", "\x28\xb5\x2f\xfd\xff\xff\xff\xff\xff\xff"
			       "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff",
		  22, -EBADMSG, ": error: damaged zstd data near byte" },
		{ "magic only", "\x28\xb5\x2f\xfd", 4, -EBADMSG,
		  ": error: cut short: the file ends at byte 4, inside a zstd frame" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct diag d = { 0 };
		char path[TEST_PATH_MAX], out[64];
		int ret;

		file_write(path, rows[i].data, rows[i].size);
		ret = read_all(path, &d, out, sizeof(out));
		ASSERT_U64(rows[i].row, -ret, -rows[i].error);
		if (!strstr(file_message(d.last, path), rows[i].message))
			fail_msg("%s: %s", rows[i].row, d.last);
		ASSERT_U64(rows[i].row, d.nr_errors, 1);
		file_remove(path);
	}
}

static void test_line_reader__truncated_zstd_at_every_length(void **state)
{
	/* No length but the whole one reads without an error. */
	static const char text[] = "first line\nsecond line\nthird line\n";
	char path[TEST_PATH_MAX], out[128];
	const size_t room = 128;
	unsigned char data[128];
	const size_t size = ZSTD_compress(data, room, text, strlen(text), 3);

	(void)state;
	assert_false(ZSTD_isError(size));
	for (size_t len = 1; len < size; len++) {
		struct diag d = { 0 };
		char place[32];

		file_write(path, data, len);
		assert_int_equal(read_all(path, &d, out, sizeof(out)),
				 -EBADMSG);
		ASSERT_U64("errors", d.nr_errors, 1);
		snprintf(place, sizeof(place), "byte %zu", len);
		if (len >= 4 && !strstr(d.last, place))
			fail_msg("length %zu: %s", len, d.last);
		file_remove(path);
	}
}

static void test_line_reader__too_long_a_line_is_refused(void **state)
{
	/* One byte more than allowed, with and without an end in sight. */
	char *text = malloc(300000), path[TEST_PATH_MAX], out[16];

	(void)state;
	assert_non_null(text);
	for (int endless = 0; endless < 2; endless++) {
		const size_t len = endless ? 299998 : LINE_MAX_BYTES + 1;
		struct diag d = { 0 };

		memset(text, 'x', len);
		memcpy(text + len, "\n", 2);
		file_write_zstd(path, text, 0);
		assert_int_equal(read_all(path, &d, out, sizeof(out)), -EINVAL);
		assert_string_equal(file_message(d.last, path),
				    ":1: error: line is too long; at most 4096 bytes are allowed");
		file_remove(path);
	}
	free(text);
}

static void test_line_reader__a_missing_file_is_named(void **state)
{
	/* The message has the path and the system's reason. */
	struct diag d = { 0 };
	struct line_reader *r;

	(void)state;
	assert_int_equal(line_reader_open(&r, "no-such-file", &d), -ENOENT);
	assert_null(r);
	assert_string_equal(d.last, "no-such-file: error: cannot open: No such file or directory");
}

static void test_line_reader__lines_of_a_serial_console(void **state)
{
	/* A carriage return before the newline is dropped, one of several. */
	char path[TEST_PATH_MAX], out[64];
	struct diag d = { 0 };

	(void)state;
	file_write_text(path, "A 0\r\n\r\nx\r\r\nlast\n");
	assert_int_equal(read_all(path, &d, out, sizeof(out)), 0);
	assert_string_equal(out, "1:A 0|2:|3:x\r|4:last|");
	file_remove(path);
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(test_line_reader__lines_of_a_serial_console),
	cmocka_unit_test(test_line_reader__plain_and_compressed_read_alike),
	cmocka_unit_test(test_line_reader__frames_in_a_row_are_one_text),
	cmocka_unit_test(test_line_reader__long_texts_pass_the_buffers),
	cmocka_unit_test(test_line_reader__broken_files_are_told_apart),
	cmocka_unit_test(test_line_reader__truncated_zstd_at_every_length),
	cmocka_unit_test(test_line_reader__too_long_a_line_is_refused),
	cmocka_unit_test(test_line_reader__a_missing_file_is_named),
};

TEST_MAIN(cases)
