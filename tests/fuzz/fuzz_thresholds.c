/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Threshold files; the rules of one that was read make sense, and are used. */
#include <errno.h>

#include "bench/thresholds.h"
#include "include/check.h"
#include "tests/fuzz/fuzz.h"

#define LARGEST_INPUT 65536

static const char *const names[] = {
	"digest", "virtual_ns", "host.zeroed_pages", "metric.iterations_per_s",
	WALL_SECONDS, "", "[x]*\\",
};

static void use(const struct thresholds *t)
{
	for (size_t i = 0; i < t->nr; i++) {
		const struct threshold *r = &t->t[i];

		CHECK(r->pattern && r->limit >= 0 && r->min_effect >= 0);
		CHECK(r->kind == STATS_EXACT || (r->alpha > 0 && r->alpha < 1));
	}
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const struct threshold *r = thresholds_find(t, names[i]);

		CHECK(r);
		/* What does not move is fine under any rule. */
		CHECK(threshold_allows(r, 5, 5));
		threshold_allows(r, 0, 5);
		threshold_allows(r, 5, 0);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct thresholds t;
	struct diag d = { 0 };
	struct fuzz_file f;
	int err;

	if (size > LARGEST_INPUT)
		return 0;
	fuzz_file_open(&f, data, size);
	err = thresholds_read(&t, f.path, &d);
	CHECK(!err == !d.nr_errors || err == -ENOMEM);
	if (!err)
		use(&t);
	thresholds_free(&t);
	fuzz_file_close(&f);
	return 0;
}
