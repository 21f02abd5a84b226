/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A real jemalloc on simulated memory: what it asks for, when pages decay, and
 * that nothing but the options, the seed and the clock decides it.
 */
#include <stdlib.h>
#include <string.h>

#include "include/digest.h"
#include "tests/test.h"
#include "trace/ranges.h"
#include "workloads/jemalloc_arena.h"
#include "workloads/workload.h"

#define MIB (UINT64_C(1) << 20)
#define NR_KINDS (WORKLOAD_RECORD + 1)
#define MAX_OPS 2000000u

struct setting {
	const char *name, *value;
};

#define SETTINGS 6

/* One program and what its operations were. */
struct rig {
	struct workload w;
	void *options;
	sim_ns_t now;
	bool over;
	uint64_t count[NR_KINDS];
	uint64_t bytes[NR_KINDS];
	struct digest digest;
};

static int rig_try(struct rig *r, const struct setting *set, char *why,
		   size_t why_size)
{
	const struct workload_ops *ops = &jemalloc_workload;

	memset(r, 0, sizeof(*r));
	r->options = calloc(1, ops->options.size);
	assert_non_null(r->options);
	option_defaults(&ops->options, r->options);
	for (; set && set->name; set++) {
		const struct option_desc *o = option_find(&ops->options,
							  set->name);

		assert_non_null(o);
		if (option_parse(o, set->value, r->options, why, why_size))
			fail_msg("%s = %s: %s", set->name, set->value, why);
	}
	r->w = (struct workload){
		.ops = ops,
		.ctx = { .nr_tasks = 1, .size = 32 * MIB, .seed = 1 },
		.options = r->options,
		.state = calloc(1, ops->state_size),
	};
	assert_non_null(r->w.state);
	assert_int_equal(digest_init(&r->digest), 0);
	return ops->prepare(&r->w, why, why_size);
}

static void rig_open(struct rig *r, const struct setting *set)
{
	char why[300] = "";

	if (rig_try(r, set, why, sizeof(why)))
		fail_msg("%s", why);
}

static void rig_close(struct rig *r)
{
	r->w.ops->cleanup(&r->w);
	digest_destroy(&r->digest);
	free(r->w.state);
	free(r->options);
}

/* One operation; it takes a microsecond, or as long as it sleeps. */
static void rig_step(struct rig *r)
{
	struct workload_op op = { .ns = r->now };

	if (r->over || !r->w.ops->next(&r->w, 0, &op)) {
		r->over = true;
		return;
	}
	r->count[op.kind]++;
	r->bytes[op.kind] += op.len;
	r->now += op.kind == WORKLOAD_SLEEP ? op.ns : 1000;
	digest_u64(&r->digest, op.kind | (uint64_t)op.flags << 32);
	digest_u64(&r->digest, op.offset);
	digest_u64(&r->digest, op.len);
	digest_u64(&r->digest, op.ns);
}

static void rig_run(struct rig *r)
{
	for (unsigned int n = 0; n < MAX_OPS && !r->over; n++)
		rig_step(r);
	assert_true(r->over);
}

/* What the hooks ask for under each setting, and what they never do. */
static void test_jemalloc__hooks_become_operations(void **state)
{
	static const struct {
		const char *name;
		struct setting set[SETTINGS];
		bool dontneed, lazy, unmap;
	} rows[] = {
		{ "no decay", { { "decay", "off" } }, false, false, false },
		{ "purges", { { "decay", "off" }, { "purge_every", "1000" } },
		  true, false, false },
		{ "dirty only", { { "dirty_decay", "100ms" } }, true, false,
		  false },
		{ "at once", { { "dirty_decay", "0s" } }, true, false, false },
		{ "muzzy", { { "dirty_decay", "100ms" },
			     { "muzzy_decay", "200ms" } }, true, true, false },
		{ "not retained", { { "dirty_decay", "100ms" },
				    { "retain", "off" } }, false, false,
		  true },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct rig r;

		rig_open(&r, rows[i].set);
		rig_run(&r);
		assert_true(r.count[WORKLOAD_MMAP] > 0);
		assert_true(r.bytes[WORKLOAD_TOUCH] >= 32 * MIB);
		ASSERT_U64(rows[i].name, r.count[WORKLOAD_EXIT], 1);
		ASSERT_U64(rows[i].name, r.count[WORKLOAD_MADV_DONTNEED] > 0,
			   rows[i].dontneed);
		ASSERT_U64(rows[i].name, r.count[WORKLOAD_MADV_FREE] > 0,
			   rows[i].lazy);
		ASSERT_U64(rows[i].name, r.count[WORKLOAD_MUNMAP] > 0,
			   rows[i].unmap);
		rig_close(&r);
	}
}

/* Nothing goes before its time; in the end everything has gone. */
static void test_jemalloc__pages_decay_by_the_virtual_clock(void **state)
{
	const struct jemalloc_config cfg = {
		.window = 1024 * MIB, .retain = true,
		.dirty_decay_ms = 1000,
	};
	const uint64_t quantum = jemalloc_quantum(1000, 0);
	struct jemalloc_arena *a;
	struct workload_op op;
	uint64_t given = 0, early = 0, addr[64];
	char why[256] = "";

	(void)state;
	ASSERT_U64("a hundredth", quantum, 10 * NSEC_PER_MSEC);
	if (jemalloc_arena_create(&a, &cfg, why, sizeof(why)))
		fail_msg("%s", why);
	for (unsigned int i = 0; i < ARRAY_SIZE(addr); i++) {
		addr[i] = jemalloc_arena_alloc(a, MIB);
		assert_true(addr[i] > 0);
	}
	/* Every other one: a free extent of 8 MiB or more would go at once. */
	for (unsigned int i = 0; i < ARRAY_SIZE(addr); i += 2)
		jemalloc_arena_dealloc(a, addr[i]);
	while (jemalloc_arena_pop(a, &op))
		assert_int_not_equal(op.kind, WORKLOAD_MADV_DONTNEED);
	for (unsigned int n = 0; n < 110; n++) {
		jemalloc_arena_decay(a, quantum);
		while (jemalloc_arena_pop(a, &op)) {
			assert_int_equal(op.kind, WORKLOAD_MADV_DONTNEED);
			given += op.len;
		}
		if (n == 10)
			early = given;
	}
	assert_in_range(early, 0, 2 * MIB);
	assert_in_range(given, 32 * MIB, 33 * MIB);
	jemalloc_arena_destroy(a);
}

/* Two programs in turns, and each of them alone: the same operations. */
static void test_jemalloc__machines_do_not_disturb_each_other(void **state)
{
	static const struct setting set[] = {
		{ "dirty_decay", "50ms" }, { "muzzy_decay", "100ms" },
		{ "background", "on" }, { NULL, NULL },
	};
	char want[DIGEST_HEX_SIZE], got[DIGEST_HEX_SIZE];
	struct rig alone, a, b;

	(void)state;
	rig_open(&alone, set);
	rig_run(&alone);
	digest_hex(&alone.digest, want);
	rig_close(&alone);

	rig_open(&a, set);
	rig_open(&b, set);
	for (unsigned int n = 0; n < MAX_OPS && !(a.over && b.over); n++) {
		rig_step(&a);
		rig_step(&b);
		rig_step(&b);
	}
	digest_hex(&a.digest, got);
	assert_string_equal(got, want);
	digest_hex(&b.digest, got);
	assert_string_equal(got, want);
	rig_close(&a);
	rig_close(&b);
}

static void test_jemalloc__wrong_options_are_named(void **state)
{
	static const struct {
		struct setting set[SETTINGS];
		const char *word;
	} rows[] = {
		{ { { "min_size", "64K" }, { "max_size", "4K" } },
		  "max_size = 4096" },
		{ { { "dirty_decay", "1500us" } }, "whole milliseconds" },
		{ { { "dirty_decay", "3s" }, { "muzzy_decay", "2s" } },
		  "multiple of the other" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char why[300] = "";
		struct rig r;

		assert_true(rig_try(&r, rows[i].set, why, sizeof(why)) < 0);
		if (!strstr(why, rows[i].word))
			fail_msg("'%s' is not in '%s'", rows[i].word, why);
		rig_close(&r);
	}
}

static void test_ranges__gaps_are_found_from_the_top(void **state)
{
	struct addr_ranges s = { 0 };

	(void)state;
	ASSERT_U64("empty", ranges_gap(&s, 0x1000, 0x9000, 0x1000, 1), 0x8000);
	assert_int_equal(ranges_add(&s, 0x8000, 0x9000), 0);
	assert_int_equal(ranges_add(&s, 0x5000, 0x6000), 0);
	ASSERT_U64("one page", ranges_gap(&s, 0x1000, 0x9000, 0x1000, 1),
		   0x7000);
	ASSERT_U64("aligned", ranges_gap(&s, 0x1000, 0x9000, 0x2000, 0x4000),
		   0x0);
	ASSERT_U64("four", ranges_gap(&s, 0x1000, 0x9000, 0x4000, 1), 0x1000);
	ASSERT_U64("five", ranges_gap(&s, 0x1000, 0x9000, 0x5000, 1), 0);
	assert_int_equal(ranges_add(&s, 0x6000, 0x8000), 0);
	ASSERT_U64("joined", s.nr, 1);
	assert_int_equal(ranges_del(&s, 0x6000, 0x7000), 0);
	ASSERT_U64("cut", s.nr, 2);
	assert_true(ranges_cover(&s, 0x7000, 0x9000));
	assert_false(ranges_overlap(&s, 0x6000, 0x7000));
	assert_false(ranges_cover(&s, 0x5000, 0x7000));
	ranges_free(&s);
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(test_jemalloc__hooks_become_operations),
	cmocka_unit_test(test_jemalloc__pages_decay_by_the_virtual_clock),
	cmocka_unit_test(test_jemalloc__machines_do_not_disturb_each_other),
	cmocka_unit_test(test_jemalloc__wrong_options_are_named),
	cmocka_unit_test(test_ranges__gaps_are_found_from_the_top),
};

TEST_MAIN(cases)
