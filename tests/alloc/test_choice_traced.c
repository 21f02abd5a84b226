/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is told of a choice: tracepoints, counters, and marks that go. */
#include "alloc/lists.h"
#include "tests/alloc/fixture.h"
#include "tests/test.h"

#define U MIGRATE_UNMOVABLE
#define M MIGRATE_MOVABLE
#define H MIGRATE_HIGHATOMIC

struct last {
	struct alloc_event ev; /* of the kind that is looked for */
	enum alloc_event_kind kind;
	unsigned int nr;
};

static void note(void *ctx, const struct alloc_event *ev)
{
	struct last *l = ctx;

	if (ev->kind != l->kind)
		return;
	l->ev = *ev;
	l->nr++;
}

static void listen(struct alloc *a, struct last *l)
{
	const struct alloc_hooks hooks = { .ctx = l, .event = note };

	alloc_set_hooks(a, &hooks);
}

static void test_choice_traced__which_blocks_are_refills(void **state)
{
	/* zone_locked from 6.1 on: orders and types that per-CPU lists hold. */
	static const struct {
		enum migratetype mt;
		unsigned int order;
		bool refill;
	} rows[] = {
		{ M, 0, true }, { U, 3, true }, { M, 4, false }, { M, 9, true },
		{ H, 0, false }, { H, 3, false }, { MIGRATE_CMA, 0, false },
	};

	(void)state;
	for (unsigned int i = 0; i < ARRAY_SIZE(rows); i++) {
		struct alloc *a = fixture_create("6.1", 0, 8192);
		struct last l = { .kind = ALLOC_EVENT_ZONE_LOCKED };

		alloc_set_pageblock_type(a, 1024, rows[i].mt);
		fixture_put(a, 1024, 9);
		listen(a, &l);
		ASSERT_U64(test_row(i),
			   rmqueue_smallest(a, zone_at(a, 0), rows[i].order,
					    rows[i].mt), 1024);
		ASSERT_U64(test_row(i), l.nr, 1);
		ASSERT_U64(test_row(i), l.ev.percpu_refill, rows[i].refill);
		ASSERT_U64(test_row(i), l.ev.migratetype, rows[i].mt);
		alloc_destroy(a);
	}
}

static void test_choice_traced__a_steal_that_claims_nothing(void **state)
{
	/* One page of a pageblock in use is free: movable pages are no U's. */
	(void)state;
	for (const char *const *k = fixture_kernels; *k; k++)
		for (unsigned int lru = 0; lru < 2; lru++) {
			struct alloc *a = fixture_create(*k, 0, 8192);
			struct last l = { .kind = ALLOC_EVENT_EXTFRAG };

			if (lru)
				alloc_set_lru(a, 1024, 512, true);
			alloc_set_lru(a, 1030, 1, false);
			fixture_put(a, 1030, 0);
			listen(a, &l);
			ASSERT_U64(*k, fixture_take(a, U, 0, 0), 1030);
			ASSERT_U64(*k, l.nr, 1);
			ASSERT_U64(*k, l.ev.change_ownership, !lru);
			ASSERT_U64(*k, alloc_counters(a)->extfrag, 1);
			ASSERT_U64(*k, alloc_counters(a)->extfrag_changed,
				   !lru);
			alloc_destroy(a);
		}
}

static void test_choice_traced__extfrag_names_what_was_taken(void **state)
{
	/* A pageblock is claimed for its block of order 8; a page serves. */
	(void)state;
	for (const char *const *k = fixture_kernels; *k; k++) {
		struct alloc *a = fixture_create(*k, 0, 8192);
		struct last l = { .kind = ALLOC_EVENT_EXTFRAG };

		fixture_put(a, 1024, 8);
		fixture_put(a, 1500, 0);
		listen(a, &l);
		ASSERT_U64(*k, fixture_take(a, U, 0, 0), 1500);
		ASSERT_U64(*k, l.ev.pfn, alloc_profile_of(a)->extfrag_after ?
			   1500 : 1024);
		ASSERT_U64(*k, l.ev.fallback_order, 8);
		alloc_destroy(a);
	}
}

static void test_choice_traced__a_cut_pageblock_is_not_reserved(void **state)
{
	/* The zone begins in pageblock 8; 6.12 on reserves whole ones only. */
	(void)state;
	for (const char *const *k = fixture_kernels; *k; k++) {
		struct alloc *a = fixture_create(*k, 4352, 12288);
		const bool whole = alloc_profile_of(a)->highatomic_limit ==
				   HIGHATOMIC_PERCENT_ROUND;
		struct alloc_zone_info info;

		alloc_set_managed(a, 0, 200000);
		reserve_highatomic(a, zone_at(a, 0), 4360, 3);
		ASSERT_U64(*k, alloc_pageblock_type(a, 4360), whole ? M : H);
		reserve_highatomic(a, zone_at(a, 0), 6144, 3);
		ASSERT_U64(*k, alloc_pageblock_type(a, 6144), H);
		alloc_zone_info(a, 0, &info);
		ASSERT_U64(*k, info.reserved_highatomic, whole ? 512 : 1024);
		alloc_destroy(a);
	}
}

static void test_choice_traced__who_takes_a_marked_block(void **state)
{
	/* Only an allocation of it is a cold one. */
	struct alloc *a = fixture_create("6.1", 0, 8192);

	(void)state;
	for (pfn_t pfn = 1024; pfn <= 4096; pfn += 1024) {
		fixture_put(a, pfn, 9);
		alloc_block_set_mark(a, pfn, BLOCK_REPORTED);
	}
	alloc_isolate_raw(a, 1024);
	assert_true(alloc_isolate(a, 2048));
	ASSERT_U64("isolated", alloc_counters(a)->cold_allocs[9], 0);
	fixture_put(a, 3584, 9);
	ASSERT_U64("merged", alloc_counters(a)->cold_allocs[9], 0);
	ASSERT_U64("taken", fixture_take(a, M, 9, 0), 4096);
	ASSERT_U64("allocated", alloc_counters(a)->cold_allocs[9], 1);
	alloc_destroy(a);
}

static void test_choice_traced__isolated_pageblocks_ask_no_watermark(
	void **state)
{
	/* Somebody has them already: nothing is missing that was not before. */
	struct alloc *a = fixture_create("6.1", 0, 8192);

	(void)state;
	alloc_set_pageblock_type(a, 1024, MIGRATE_ISOLATE);
	fixture_put(a, 1024, 9);
	fixture_put(a, 4096, 9);
	alloc_set_watermarks(a, 0, 10000, 10000, 10000);
	assert_false(alloc_isolate(a, 4096));
	assert_true(alloc_isolate(a, 1024));
	ASSERT_U64("refused", alloc_counters(a)->isolate_refused, 1);
	alloc_destroy(a);
}

static void test_choice_traced__cma_before_other_types(void **state)
{
	/* Little of what is free is CMA; a movable request takes it first. */
	(void)state;
	for (const char *const *k = fixture_kernels; *k; k++) {
		struct alloc *a = fixture_create(*k, 0, 8192);

		alloc_set_pageblock_type(a, 1024, MIGRATE_CMA);
		fixture_put(a, 1024, 9);
		alloc_set_pageblock_type(a, 4096, U);
		alloc_set_pageblock_type(a, 4608, U);
		fixture_put(a, 4096, 10);
		ASSERT_U64(*k, fixture_take(a, M, 4, AF_CMA), 1024);
		ASSERT_U64(*k, alloc_counters(a)->extfrag, 0);
		alloc_destroy(a);
	}
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(test_choice_traced__which_blocks_are_refills),
	cmocka_unit_test(test_choice_traced__a_steal_that_claims_nothing),
	cmocka_unit_test(test_choice_traced__extfrag_names_what_was_taken),
	cmocka_unit_test(test_choice_traced__a_cut_pageblock_is_not_reserved),
	cmocka_unit_test(test_choice_traced__who_takes_a_marked_block),
	cmocka_unit_test(
		test_choice_traced__isolated_pageblocks_ask_no_watermark),
	cmocka_unit_test(test_choice_traced__cma_before_other_types),
};

TEST_MAIN(cases)
