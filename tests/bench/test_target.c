/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Target files: published rows, and every mistake in them. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "bench/arena.h"
#include "bench/calibrate.h"
#include "tests/test.h"

static const char path[] = "test_target.target";

static int read_text(const char *text, struct arena *a,
		     struct target_row **rows, size_t *nr, struct diag *d)
{
	FILE *f = fopen(path, "w");
	int err;

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
	err = target_read(path, a, rows, nr, d);
	unlink(path);
	return err;
}

static void test_target__rows_have_rate_tasks_and_source(void **state)
{
	/* Two rows of one table. */
	struct arena a = { 0 };
	struct diag d = { .out = stderr };
	struct target_row *rows;
	size_t nr;

	(void)state;
	assert_int_equal(read_text("# rows\n[target]\n"
				   "page_fault1@1 = 1012402.50 | table 1\n"
				   "page_fault2@16 = 3282347 | the same\n",
				   &a, &rows, &nr, &d), 0);
	assert_int_equal(nr, 2);
	assert_string_equal(rows[0].workload, "page_fault1");
	assert_int_equal(rows[0].tasks, 1);
	assert_true(rows[0].rate > 1012402.49 && rows[0].rate < 1012402.51);
	assert_string_equal(rows[0].source, "table 1");
	assert_int_equal(rows[1].tasks, 16);
	assert_string_equal(rows[1].source, "the same");
	arena_free(&a);
}

static void test_target__mistakes_are_named(void **state)
{
	/* One file each, with the beginning of its message. */
	static const struct {
		const char *text, *message;
	} rows[] = {
		{ "[target]\n", "holds no rows" },
		{ "[prices]\na@1 = 1 | s\n", "unknown section [prices]" },
		{ "[target]\npage_fault1 = 1 | s\n", "'page_fault1' is not" },
		{ "[target]\npage_fault1@0 = 1 | s\n", "is not a row" },
		{ "[target]\npage_fault1@x = 1 | s\n", "is not a row" },
		{ "[target]\npage_fault1@1 = 1\n", "has no '| source'" },
		{ "[target]\npage_fault1@1 = 1 |\n", "has no '| source'" },
		{ "[target]\npage_fault1@1 = 0 | s\n", "'0' is not a rate" },
		{ "[target]\npage_fault1@1 = 0x10 | s\n", "is not a rate" },
		{ "[target]\npage_fault1@1 = inf | s\n", "is not a rate" },
		{ "[target]\npage_fault1@1 = 1e9 | s\n", "is not a rate" },
		{ "[target]\npage_fault1@1 = -1 | s\n", "is not a rate" },
	};

	(void)state;
	for (unsigned int i = 0; i < ARRAY_SIZE(rows); i++) {
		struct arena a = { 0 };
		struct diag d = { .out = NULL };
		struct target_row *r;
		size_t nr;

		ASSERT_U64(test_row(i), read_text(rows[i].text, &a, &r, &nr,
						  &d), -EINVAL);
		if (!strstr(d.last, rows[i].message))
			fail_msg("row %u: %s", i, d.last);
		arena_free(&a);
	}
}

static void test_target__missing_file_is_an_error(void **state)
{
	/* Nothing is solved from nothing. */
	struct arena a = { 0 };
	struct diag d = { .out = NULL };
	struct target_row *rows;
	size_t nr;

	(void)state;
	assert_int_equal(target_read("no-such.target", &a, &rows, &nr, &d),
			 -EINVAL);
	assert_int_equal(d.nr_errors, 1);
	arena_free(&a);
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(test_target__rows_have_rate_tasks_and_source),
	cmocka_unit_test(test_target__mistakes_are_named),
	cmocka_unit_test(test_target__missing_file_is_an_error),
};

TEST_MAIN(cases)
