/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Two made-up sets of results, compared, and what is printed of that. */
#ifndef TESTS_BENCH_COMPARE_FIXTURE_H
#define TESTS_BENCH_COMPARE_FIXTURE_H

#include "bench/compare.h"
#include "tests/bench/results_fixture.h"

struct both {
	struct fixture base_dir, new_dir;
	struct results base, new;
	struct comparison c;
};

/* compare_end() gives everything back. t may be NULL. */
void compare_start(struct both *b, const struct fixture_cell *base,
		   size_t nr_base, const struct fixture_cell *new,
		   size_t nr_new, const struct thresholds *t);
void compare_end(struct both *b);

/* What `print` prints; free() it. */
char *text_of(const struct comparison *c,
	      int (*print)(const struct comparison *c, FILE *out));
void assert_has(const char *text, const char *part);

void write_thresholds(const char *path, const char *text);
/* Of a file with this text; thresholds_free() it. */
void read_rules(struct thresholds *t, const char *text);

#endif
