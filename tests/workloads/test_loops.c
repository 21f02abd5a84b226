/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * brk1, malloc1, fork_storm and file_read: the operations of one iteration, in
 * their order, and what of them counts.
 */
#include <stdlib.h>
#include <string.h>

#include "tests/test.h"
#include "workloads/workload.h"

#define KIB UINT64_C(1024)
#define MIB (KIB << 10)

struct rig {
	struct workload w;
	void *options;
};

static void rig_open(struct rig *r, const struct workload_ops *ops,
		     uint64_t size)
{
	char why[256] = "";

	r->options = calloc(1, ops->options.size);
	assert_non_null(r->options);
	option_defaults(&ops->options, r->options);
	r->w = (struct workload){
		.ops = ops, .ctx = { .nr_tasks = 1, .size = size, .seed = 1 },
		.options = r->options, .state = calloc(1, ops->state_size),
	};
	assert_non_null(r->w.state);
	if (ops->prepare(&r->w, why, sizeof(why)))
		fail_msg("%s: %s", ops->name, why);
}

static void rig_close(struct rig *r)
{
	r->w.ops->cleanup(&r->w);
	free(r->w.state);
	free(r->options);
}

static const struct {
	const struct workload_ops *ops;
	unsigned int nr;
	struct workload_op want[10];
} loops[] = {
	/* Two calls of brk() are two iterations, and no page is touched. */
	{ &brk1_workload, 2, {
		{ .kind = WORKLOAD_MMAP, .flags = WORKLOAD_COUNTED,
		  .len = PAGE_SIZE },
		{ .kind = WORKLOAD_MUNMAP, .flags = WORKLOAD_COUNTED,
		  .len = PAGE_SIZE } } },
	/* The chunk's header is all that is written. */
	{ &malloc1_workload, 3, {
		{ .kind = WORKLOAD_MMAP, .len = 128 * MIB + PAGE_SIZE },
		{ .kind = WORKLOAD_TOUCH, .len = PAGE_SIZE },
		{ .kind = WORKLOAD_MUNMAP, .flags = WORKLOAD_COUNTED,
		  .len = 128 * MIB + PAGE_SIZE } } },
	/* fork, exec, exit. */
	{ &fork_storm_workload, 9, {
		{ .kind = WORKLOAD_MMAP, .flags = WORKLOAD_MAP_FILE,
		  .len = MIB + 128 * KIB },
		{ .kind = WORKLOAD_TOUCH, .len = 64 * KIB },
		{ .kind = WORKLOAD_EXEC },
		{ .kind = WORKLOAD_MMAP, .flags = WORKLOAD_MAP_FILE,
		  .len = MIB + 128 * KIB },
		{ .kind = WORKLOAD_TOUCH, .flags = WORKLOAD_TOUCH_READ,
		  .len = MIB },
		{ .kind = WORKLOAD_TOUCH, .offset = MIB, .len = 128 * KIB },
		{ .kind = WORKLOAD_MMAP, .slot = 1, .len = 256 * KIB },
		{ .kind = WORKLOAD_TOUCH, .slot = 1, .len = 256 * KIB },
		{ .kind = WORKLOAD_EXEC, .flags = WORKLOAD_COUNTED } } },
};

static void test_loops__one_iteration(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(loops); i++) {
		const char *name = loops[i].ops->name;
		struct workload_op op;
		struct rig r;

		rig_open(&r, loops[i].ops, 0);
		for (unsigned int n = 0; n < 3 * loops[i].nr; n++) {
			const struct workload_op *want =
				&loops[i].want[n % loops[i].nr];

			assert_true(r.w.ops->next(&r.w, 0, &op));
			ASSERT_U64(name, op.kind, want->kind);
			ASSERT_U64(name, op.flags, want->flags);
			ASSERT_U64(name, op.slot, want->slot);
			ASSERT_U64(name, op.offset, want->offset);
			ASSERT_U64(name, op.len, want->len);
		}
		rig_close(&r);
	}
}

/* In order: every page once, and what was read is dropped from the mapping. */
static void test_file_read__in_order(void **state)
{
	const uint64_t len = MIB + 12 * KIB;
	struct workload_op op, drop;
	uint64_t at = 0;
	struct rig r;

	(void)state;
	rig_open(&r, &file_read_workload, len);
	assert_true(r.w.ops->next(&r.w, 0, &op));
	ASSERT_U64("map", op.kind, WORKLOAD_MMAP);
	ASSERT_U64("map", op.len, len);
	while (at < len) {
		assert_true(r.w.ops->next(&r.w, 0, &op));
		assert_true(r.w.ops->next(&r.w, 0, &drop));
		ASSERT_U64("flags", op.flags,
			   WORKLOAD_TOUCH_READ | WORKLOAD_COUNTED);
		ASSERT_U64("offset", op.offset, at);
		ASSERT_U64("drop", drop.kind, WORKLOAD_MADV_DONTNEED);
		ASSERT_U64("drop", drop.offset, op.offset);
		ASSERT_U64("drop", drop.len, op.len);
		at += op.len;
	}
	ASSERT_U64("end", at, len);
	assert_true(r.w.ops->next(&r.w, 0, &op));
	ASSERT_U64("exit", op.kind, WORKLOAD_EXIT);
	assert_false(r.w.ops->next(&r.w, 0, &op));
	rig_close(&r);
}

/* At random: as much, of chunks all over the file; the seed decides which. */
static void test_file_read__at_random(void **state)
{
	const struct option_desc *o =
		option_find(&file_read_workload.options, "pattern");
	uint64_t first[2], sum = 0, moved = 0, last = 0;
	char why[128];

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct workload_op op;
		struct rig r;

		rig_open(&r, &file_read_workload, 64 * MIB);
		assert_int_equal(option_parse(o, "random", r.options, why,
					      sizeof(why)), 0);
		r.w.ops->next(&r.w, 0, &op);
		r.w.ops->next(&r.w, 0, &op);
		first[i] = op.offset;
		for (sum = 0; op.kind != WORKLOAD_EXIT;
		     r.w.ops->next(&r.w, 0, &op)) {
			if (op.kind != WORKLOAD_TOUCH)
				continue;
			sum += op.len;
			moved += op.offset != last + 128 * KIB;
			last = op.offset;
		}
		rig_close(&r);
	}
	ASSERT_U64("repeatable", first[0], first[1]);
	ASSERT_U64("read", sum, 64 * MIB);
	assert_true(moved > 500);
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(test_loops__one_iteration),
	cmocka_unit_test(test_file_read__in_order),
	cmocka_unit_test(test_file_read__at_random),
};

TEST_MAIN(cases)
