/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files of results appear whole or not at all, and errors name the file. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bench/store.h"
#include "tests/bench/scratch.h"
#include "tests/test.h"

static void read_back(const char *path, char *out, size_t size)
{
	FILE *f = fopen(path, "r");
	size_t n;

	assert_non_null(f);
	n = fread(out, 1, size - 1, f);
	out[n] = '\0';
	fclose(f);
}

/* Number of entries of a folder but . and .. */
static int count_files(const char *dir)
{
	char command[128], text[32];
	FILE *f;

	snprintf(command, sizeof(command), "ls -A %s | wc -l", dir);
	f = popen(command, "r");
	assert_non_null(f);
	assert_non_null(fgets(text, sizeof(text), f));
	pclose(f);
	return (int)strtol(text, NULL, 10);
}

static void test_store__commit_replaces_the_whole_file(void **state)
{
	/* Scenario: a file, a second one under construction, then committed. */
	struct store_file f;
	char why[256], text[64];

	(void)state;
	assert_int_equal(store_open("a/b", why, sizeof(why)), 0);
	scratch_write("a/b/cells/x.json", "old");
	assert_int_equal(store_create(&f, "a/b/cells/x.json", why, 256), 0);
	fputs("new", f.out);
	fflush(f.out);
	read_back("a/b/cells/x.json", text, sizeof(text));
	assert_string_equal(text, "old");
	assert_int_equal(store_commit(&f, why, sizeof(why)), 0);
	read_back("a/b/cells/x.json", text, sizeof(text));
	assert_string_equal(text, "new");
	assert_int_equal(count_files("a/b/cells"), 1);
}

static void test_store__discard_leaves_nothing(void **state)
{
	/* Scenario: a file under construction is given up. */
	struct store_file f;
	char why[256];

	(void)state;
	assert_int_equal(store_open("d", why, sizeof(why)), 0);
	assert_int_equal(store_create(&f, "d/cells/x.json", why, 256), 0);
	fputs("new", f.out);
	store_discard(&f);
	assert_int_equal(count_files("d/cells"), 0);
}

struct open_row {
	const char *dir, *why;
	int ret;
};

static void test_store__open_says_what_is_wrong(void **state)
{
	/* Scenario: folders that cannot be made; /proc takes no files. */
	static const struct open_row rows[] = {
		{ "", ": cannot create folder: No such file or directory",
		  -ENOENT },
		{ "file/x", "file: cannot create folder: File exists",
		  -EEXIST },
		{ "/proc/self/x",
		  "/proc/self/x: cannot create folder: No such file or directory",
		  -ENOENT },
	};
	char why[256];

	(void)state;
	scratch_write("file", "x");
	for (unsigned int i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		const int ret = store_open(rows[i].dir, why, sizeof(why));

		/* mkdir() of a file's child says ENOTDIR only further down. */
		if (ret != rows[i].ret && ret != -ENOTDIR)
			fail_msg("row %u: %d, %s", i, ret, why);
		if (ret == rows[i].ret)
			assert_string_equal(why, rows[i].why);
	}
}

static void test_store__full_disk_keeps_the_old_file(void **state)
{
	/*
	 * Scenario: no file may grow beyond 4 KiB, which fails as a full disk
	 * does; the file that was there stays.
	 */
	const struct rlimit small = { 4096, RLIM_INFINITY };
	struct rlimit before;
	struct store_file f;
	char why[256], text[64];

	(void)state;
	assert_int_equal(store_open("d", why, sizeof(why)), 0);
	scratch_write("d/cells.jsonl", "old");
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(store_create(&f, "d/cells.jsonl", why, 256), 0);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	for (int i = 0; i < 2000; i++)
		fputs("0123456789", f.out);
	assert_int_equal(store_commit(&f, why, sizeof(why)), -EFBIG);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	assert_string_equal(why, "d/cells.jsonl: cannot write: File too large");
	read_back("d/cells.jsonl", text, sizeof(text));
	assert_string_equal(text, "old");
	assert_int_equal(count_files("d"), 3);
}

static void test_store__no_device_is_replaced(void **state)
{
	/* Scenario: links to a device, and to a file; a pipe. */
	struct store_file f;
	char why[256], text[64];
	struct stat st;

	(void)state;
	assert_int_equal(symlink("/dev/full", "device"), 0);
	assert_int_equal(store_create(&f, "device", why, 256), -EINVAL);
	assert_string_equal(why, "device: cannot write: not a regular file");
	assert_int_equal(mkfifo("pipe", 0600), 0);
	assert_int_equal(store_create(&f, "pipe", why, 256), -EINVAL);
	assert_int_equal(store_create(&f, ".", why, 256), -EISDIR);

	scratch_write("file", "old");
	assert_int_equal(symlink("file", "link"), 0);
	assert_int_equal(store_create(&f, "link", why, 256), 0);
	fputs("new", f.out);
	assert_int_equal(store_commit(&f, why, sizeof(why)), 0);
	read_back("file", text, sizeof(text));
	assert_string_equal(text, "new");
	assert_int_equal(lstat("link", &st), 0);
	assert_true(S_ISLNK(st.st_mode));
	assert_int_equal(count_files("."), 4);
}

static void test_store__a_link_in_a_folder_of_results_is_replaced(void **state)
{
	/*
	 * Scenario: whoever made the folder left links to a file of ours, at
	 * the place of a result and at that of its temporary file.
	 */
	struct store_file f;
	char why[256], text[64], temporary[64];
	struct stat st;

	(void)state;
	scratch_write("ours", "old");
	assert_int_equal(symlink("ours", "result"), 0);
	for (int i = 0; i < 3; i++) {
		snprintf(temporary, sizeof(temporary), ".result.%d.tmp", i);
		assert_int_equal(symlink("ours", temporary), 0);
	}
	assert_int_equal(store_create_own(&f, "result", why, 256), 0);
	fputs("new", f.out);
	assert_int_equal(store_commit(&f, why, sizeof(why)), 0);
	read_back("ours", text, sizeof(text));
	assert_string_equal(text, "old");
	read_back("result", text, sizeof(text));
	assert_string_equal(text, "new");
	assert_int_equal(lstat("result", &st), 0);
	assert_true(S_ISREG(st.st_mode));
}

#define CASE(name)                                                            \
	cmocka_unit_test_setup_teardown(name, scratch_setup, scratch_teardown)

static const struct CMUnitTest cases[] = {
	CASE(test_store__commit_replaces_the_whole_file),
	CASE(test_store__discard_leaves_nothing),
	CASE(test_store__open_says_what_is_wrong),
	CASE(test_store__full_disk_keeps_the_old_file),
	CASE(test_store__no_device_is_replaced),
	CASE(test_store__a_link_in_a_folder_of_results_is_replaced),
};

TEST_MAIN(cases)
