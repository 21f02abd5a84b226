/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Output files: the whole of the new one, or all of the old one. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "include/types.h"
#include "tests/test.h"
#include "tests/trace/files.h"
#include "trace/out_file.h"

#define CONTENT 64

static void expect_content(const char *path, const char *want)
{
	char text[CONTENT] = { 0 };
	FILE *f = fopen(path, "r");

	assert_non_null(f);
	assert_int_equal(fread(text, 1, sizeof(text) - 1, f), strlen(want));
	fclose(f);
	assert_string_equal(text, want);
}

/* The name that a writer of `path` uses first. */
static void temporary(const char *path, int number, char out[CONTENT])
{
	const char *slash = strrchr(path, '/');

	assert_non_null(slash);
	snprintf(out, CONTENT, "%.*s/.%.20s.%d.tmp", (int)(slash - path), path,
		 slash + 1, number);
}

static void test_out_file__a_commit_replaces(void **state)
{
	/* The old content until then, the new one after. */
	char path[TEST_PATH_MAX], beside[CONTENT];
	struct diag d = { 0 };
	struct out_file f;

	(void)state;
	file_write_text(path, "earlier");
	temporary(path, 0, beside);
	assert_int_equal(out_file_create(&f, path, &d), 0);
	assert_true(fputs("later", f.out) >= 0);
	assert_int_equal(fflush(f.out), 0);
	expect_content(path, "earlier");
	expect_content(beside, "later");
	assert_int_equal(out_file_commit(&f, &d), 0);
	expect_content(path, "later");
	assert_int_equal(access(beside, F_OK), -1);
	out_file_discard(&f);
	expect_content(path, "later");
	file_remove(path);
}

static void test_out_file__discarding_leaves_the_earlier_file(void **state)
{
	/* Nothing lies beside it either. */
	char path[TEST_PATH_MAX], beside[CONTENT];
	struct diag d = { 0 };
	struct out_file f;

	(void)state;
	file_write_text(path, "earlier");
	temporary(path, 0, beside);
	assert_int_equal(out_file_create(&f, path, &d), 0);
	assert_int_equal(access(beside, F_OK), 0);
	out_file_discard(&f);
	assert_int_equal(access(beside, F_OK), -1);
	expect_content(path, "earlier");
	file_remove(path);
}

static void test_out_file__two_writers_have_two_names(void **state)
{
	/* What a killed writer left behind is in nobody's way. */
	char path[TEST_PATH_MAX], first[CONTENT], second[CONTENT];
	struct diag d = { 0 };
	struct out_file a, b;

	(void)state;
	file_write_text(path, "earlier");
	temporary(path, 0, first);
	temporary(path, 1, second);
	assert_int_equal(out_file_create(&a, path, &d), 0);
	assert_int_equal(out_file_create(&b, path, &d), 0);
	assert_int_equal(access(first, F_OK), 0);
	assert_int_equal(access(second, F_OK), 0);
	fputs("b", b.out);
	assert_int_equal(out_file_commit(&b, &d), 0);
	fputs("a", a.out);
	assert_int_equal(out_file_commit(&a, &d), 0);
	expect_content(path, "a");
	file_remove(path);
}

static void test_out_file__a_link_stays_a_link(void **state)
{
	/* The file behind it is replaced. */
	char path[TEST_PATH_MAX], link[TEST_PATH_MAX + 8];
	struct diag d = { 0 };
	struct out_file f;
	struct stat st;

	(void)state;
	file_write_text(path, "earlier");
	snprintf(link, sizeof(link), "%s.link", path);
	assert_int_equal(symlink(path, link), 0);
	assert_int_equal(out_file_create(&f, link, &d), 0);
	fputs("later", f.out);
	assert_int_equal(out_file_commit(&f, &d), 0);
	assert_int_equal(lstat(link, &st), 0);
	assert_true(S_ISLNK(st.st_mode));
	expect_content(path, "later");
	file_remove(link);
	file_remove(path);
}

static void test_out_file__no_file_in_place_of_a_device(void **state)
{
	/* Devices, folders and names in folders that do not exist. */
	static const struct {
		const char *path;
		int err;
	} rows[] = {
		{ "/dev/null", -EINVAL }, { ".", -EISDIR },
		{ "no/such", -ENOENT },
	};
	struct diag d = { 0 };
	struct out_file f;

	(void)state;
	for (unsigned int i = 0; i < ARRAY_SIZE(rows); i++) {
		ASSERT_U64(rows[i].path, out_file_create(&f, rows[i].path, &d),
			   rows[i].err);
		assert_non_null(strstr(d.last, "cannot write"));
		out_file_discard(&f);
	}
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(test_out_file__a_commit_replaces),
	cmocka_unit_test(test_out_file__discarding_leaves_the_earlier_file),
	cmocka_unit_test(test_out_file__two_writers_have_two_names),
	cmocka_unit_test(test_out_file__a_link_stays_a_link),
	cmocka_unit_test(test_out_file__no_file_in_place_of_a_device),
};

TEST_MAIN(cases)
