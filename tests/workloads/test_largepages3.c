/* SPDX-License-Identifier: GPL-2.0-or-later */
/* largepages3: its operations from start to end, for each place of the buffer. */
#include <stdlib.h>

#include "tests/test.h"
#include "workloads/workload.h"

#define MIB (UINT64_C(1) << 20)
#define SIZE (64 * MIB)
#define PASS (WORKLOAD_COUNTED | WORKLOAD_LAP)
#define FILL (PASS | WORKLOAD_TOUCH_FILL)
#define MAX_OPS 10

static const struct {
	const char *buffer;
	bool thp;
	unsigned int nr;
	struct workload_op want[MAX_OPS];
} rows[] = {
	{ "aligned", false, 7, {
		{ .kind = WORKLOAD_MMAP, .len = SIZE },
		{ .kind = WORKLOAD_TOUCH, .flags = FILL, .len = SIZE },
		{ .kind = WORKLOAD_TOUCH, .flags = FILL, .len = SIZE },
		{ .kind = WORKLOAD_TOUCH, .flags = FILL, .len = SIZE },
		{ .kind = WORKLOAD_TOUCH, .flags = PASS, .len = SIZE },
		{ .kind = WORKLOAD_TOUCH, .flags = PASS, .len = SIZE },
		{ .kind = WORKLOAD_EXIT } } },
	{ "unaligned", true, 7, {
		{ .kind = WORKLOAD_MMAP, .len = SIZE,
		  .flags = WORKLOAD_MAP_HUGEPAGE | WORKLOAD_MAP_UNALIGNED },
		{ .kind = WORKLOAD_TOUCH, .flags = FILL, .len = SIZE },
		{ .kind = WORKLOAD_TOUCH, .flags = FILL, .len = SIZE },
		{ .kind = WORKLOAD_TOUCH, .flags = FILL, .len = SIZE },
		{ .kind = WORKLOAD_TOUCH, .flags = PASS, .len = SIZE },
		{ .kind = WORKLOAD_TOUCH, .flags = PASS, .len = SIZE },
		{ .kind = WORKLOAD_EXIT } } },
	/* The header comes first, and what is written ends 16 bytes later. */
	{ "malloc", false, 8, {
		{ .kind = WORKLOAD_MMAP, .len = SIZE + PAGE_SIZE,
		  .flags = WORKLOAD_MAP_UNALIGNED },
		{ .kind = WORKLOAD_TOUCH, .len = PAGE_SIZE },
		{ .kind = WORKLOAD_TOUCH, .flags = FILL,
		  .len = SIZE + PAGE_SIZE },
		{ .kind = WORKLOAD_TOUCH, .flags = FILL,
		  .len = SIZE + PAGE_SIZE },
		{ .kind = WORKLOAD_TOUCH, .flags = FILL,
		  .len = SIZE + PAGE_SIZE },
		{ .kind = WORKLOAD_TOUCH, .flags = PASS, .len = SIZE },
		{ .kind = WORKLOAD_TOUCH, .flags = PASS, .len = SIZE },
		{ .kind = WORKLOAD_EXIT } } },
};

static void open_workload(struct workload *w, const char *buffer, bool thp)
{
	const struct workload_ops *ops = &largepages3_workload;
	void *options = calloc(1, ops->options.size);
	char why[256] = "";

	assert_non_null(options);
	option_defaults(&ops->options, options);
	assert_int_equal(option_parse(option_find(&ops->options, "buffer"),
				      buffer, options, why, sizeof(why)), 0);
	*w = (struct workload){ .ops = ops, .options = options,
				.ctx = { .nr_tasks = 1, .size = SIZE,
					 .thp = thp },
				.state = calloc(1, ops->state_size) };
	assert_non_null(w->state);
	assert_int_equal(ops->prepare(w, why, sizeof(why)), 0);
}

static void close_workload(struct workload *w)
{
	w->ops->cleanup(w);
	free(w->state);
	free((void *)(uintptr_t)w->options);
}

static void test_largepages3__operations(void **state)
{
	/* Map, three fills, two rounds of stores, exit, and no more. */
	(void)state;
	for (unsigned int i = 0; i < ARRAY_SIZE(rows); i++) {
		struct workload_op op;
		struct workload w;

		open_workload(&w, rows[i].buffer, rows[i].thp);
		for (unsigned int n = 0; n < rows[i].nr; n++) {
			const struct workload_op *want = &rows[i].want[n];
			char row[40];

			snprintf(row, sizeof(row), "%s, operation %u",
				 rows[i].buffer, n);
			assert_true(w.ops->next(&w, 0, &op));
			ASSERT_U64(row, op.kind, want->kind);
			ASSERT_U64(row, op.flags, want->flags);
			ASSERT_U64(row, op.len, want->len);
			ASSERT_U64(row, op.offset, 0);
		}
		assert_false(w.ops->next(&w, 0, &op));
		close_workload(&w);
	}
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(test_largepages3__operations),
};

TEST_MAIN(cases)
