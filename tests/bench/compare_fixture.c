/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the tests of comparison and gate share. */
#include "tests/bench/compare_fixture.h"

#include <string.h>
#include <unistd.h>

#include "tests/test.h"

void compare_start(struct both *b, const struct fixture_cell *base,
		   size_t nr_base, const struct fixture_cell *new,
		   size_t nr_new, const struct thresholds *t)
{
	fixture_make(&b->base_dir, base, nr_base);
	fixture_make(&b->new_dir, new, nr_new);
	fixture_read(&b->base_dir, &b->base);
	fixture_read(&b->new_dir, &b->new);
	assert_int_equal(compare_make(&b->c, &b->base, &b->new, t, NULL), 0);
}

void compare_end(struct both *b)
{
	compare_free(&b->c);
	results_free(&b->base);
	results_free(&b->new);
	fixture_remove(&b->base_dir);
	fixture_remove(&b->new_dir);
}

char *text_of(const struct comparison *c,
	      int (*print)(const struct comparison *c, FILE *out))
{
	FILE *out = tmpfile();

	assert_non_null(out);
	assert_int_equal(print(c, out), 0);
	return fixture_text(out);
}

void assert_has(const char *text, const char *part)
{
	if (!strstr(text, part))
		fail_msg("not\n%s\nin\n%s", part, text);
}

void write_thresholds(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

void read_rules(struct thresholds *t, const char *text)
{
	static const char path[] = "compare_rules.ini";
	struct diag d = { .out = stderr };

	write_thresholds(path, text);
	assert_int_equal(thresholds_read(t, path, &d), 0);
	unlink(path);
}
