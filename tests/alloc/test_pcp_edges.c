/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Per-CPU lists at their edges: refills, drains, sizes, nodes and marks. */
#include "tests/alloc/pcp_fixture.h"
#include "tests/test.h"

#define U MIGRATE_UNMOVABLE
#define M MIGRATE_MOVABLE

/* Zone Normal [0, 8192) on node 0 and [8192, 16384) on node 1; CPU n is n's. */
static struct alloc *two_nodes(const char *kernel)
{
	static const struct alloc_zone_config zones[] = {
		{ .type = ZONE_NORMAL, .start = 0, .end = 8192 },
		{ .type = ZONE_NORMAL, .start = 8192, .end = 16384,
		  .node = 1 },
	};
	static const uint8_t cpu_node[] = { 0, 1 };
	const struct alloc_config config = {
		.profile = alloc_profile_find(kernel),
		.nr_cpus = 2, .nr_nodes = 2, .cpu_node = cpu_node,
		.zones = zones, .nr_zones = 2, .pageblock_order = 9,
		.isolation = true, .watermark_boost_factor = UINT32_MAX,
	};
	struct alloc *a = fixture_create_config(&config);

	for (unsigned int i = 0; i < 4; i++)
		alloc_set_pcp(a, i & 1, i / 2, 7, 42, 42, 0);
	return a;
}

static uint32_t held(const struct alloc *a, unsigned int zone,
		     unsigned int cpu)
{
	struct alloc_pcp_info info;

	alloc_pcp_info(a, zone, cpu, &info);
	return info.count;
}

static void test_pcp_edges__splits_of_a_refill(void **state)
{
	/* Seven of eight pages: all seven splits of the block were made. */
	(void)state;
	for (const char *const *k = fixture_kernels; *k; k++) {
		struct alloc *a = pcp_guest(*k, 7, 42);
		struct alloc_work work = { 0 };

		alloc_free_buddy(a, 1024, 3);
		alloc_set_work(a, &work);
		ASSERT_U64(*k, alloc_pcp_take(a, 0, 0, 0, M), 1024);
		ASSERT_U64(*k, work.splits, 7);
		ASSERT_U64(*k, alloc_counters(a)->buddy_splits, 7);
		ASSERT_U64(*k, work.list_touches, 14);
		fixture_assert_lists(*k, a, 0, "o0/M[1031]");
		alloc_destroy(a);
	}
}

static void test_pcp_edges__a_refill_out_of_a_marked_block(void **state)
{
	/* A cold allocation; the rest keeps what the design wants kept. */
	static const struct {
		unsigned int order;
		uint8_t kept;
		const char *lists;
	} rows[] = {
		{ 4, BLOCK_HINTED, "o0/M[1031h] o3/M[1032h]" },
		{ 4, 0, "o0/M[1031] o3/M[1032]" },
		{ 9, BLOCK_HINTED, "o0/M[1031h] o3/M[1032h] o4/M[1040h] "
		  "o5/M[1056h] o6/M[1088h] o7/M[1152h] o8/M[1280h]" },
	};

	(void)state;
	for (unsigned int i = 0; i < ARRAY_SIZE(rows); i++) {
		struct alloc *a = pcp_guest("6.1", 7, 42);
		const struct alloc_hooks hooks = {
			.marks_kept_on_split = rows[i].kept,
		};

		alloc_set_hooks(a, &hooks);
		alloc_free_buddy(a, 1024, rows[i].order);
		alloc_block_set_mark(a, 1024, BLOCK_HINTED);
		ASSERT_U64(test_row(i), alloc_pcp_take(a, 0, 0, 0, M), 1024);
		ASSERT_U64(test_row(i),
			   alloc_counters(a)->cold_allocs[rows[i].order], 1);
		fixture_assert_lists(test_row(i), a, 0, rows[i].lists);
		alloc_destroy(a);
	}
}

static void test_pcp_edges__marks_on_both_sides_of_a_page(void **state)
{
	/* A page out of the middle of a block of order 3. */
	const struct alloc_hooks hooks = { .marks_kept_on_split = BLOCK_HINTED };
	struct alloc *a = pcp_guest("6.1", 7, 42);

	(void)state;
	alloc_set_hooks(a, &hooks);
	alloc_free_buddy(a, 1024, 3);
	alloc_block_set_mark(a, 1024, BLOCK_HINTED);
	assert_true(alloc_take_off_buddy(a, 1026, 0));
	fixture_assert_lists("middle", a, 0,
			     "o0/M[1027h] o1/M[1024h] o2/M[1028h]");
	alloc_destroy(a);
}

static void test_pcp_edges__a_refill_that_steals_tries_to_claim_once(void **state)
{
	/* 16 free pages among movable ones in use: too few for a claim. */
	static const char *const kernels[] = { "6.12", "6.18" };

	(void)state;
	for (unsigned int i = 0; i < ARRAY_SIZE(kernels); i++) {
		struct alloc *a = pcp_guest(kernels[i], 7, 42);

		alloc_set_lru(a, 1024, 512, true);
		alloc_set_lru(a, 1056, 16, false);
		alloc_free_buddy(a, 1056, 4);
		alloc_set_watermarks(a, 0, 0, 0, 10000);
		ASSERT_U64(kernels[i], alloc_pcp_take(a, 0, 0, 0, U), 1056);
		ASSERT_U64(kernels[i], held(a, 0, 0), 6);
		ASSERT_U64(kernels[i], alloc_counters(a)->watermark_boosts, 1);
		alloc_destroy(a);
	}
}

static void test_pcp_edges__a_list_shorter_than_a_batch(void **state)
{
	/* high below batch: 6.7 on refills a page at a time. */
	(void)state;
	for (const char *const *k = fixture_kernels; *k; k++) {
		struct alloc *a = pcp_guest(*k, 7, 3);

		alloc_free_buddy(a, 1024, 6);
		ASSERT_U64(*k, alloc_pcp_take(a, 0, 0, 0, M), 1024);
		ASSERT_U64(*k, held(a, 0, 0), kernel_in(*k, K612) ? 0 : 6);
		alloc_destroy(a);
	}
}

static void test_pcp_edges__large_blocks_where_pageblocks_are_larger(void **state)
{
	/* pageblock order 10: up to 6.1 that is the large order, then 9. */
	static const struct {
		const char *kernel;
		uint32_t after_9, after_10;
	} rows[] = {
		{ "5.10", 0, 0 }, { "6.1", 0, 1024 },
		{ "6.12.0", 512, 512 }, { "6.12", 512, 512 },
		{ "6.18", 512, 512 },
	};

	(void)state;
	for (unsigned int i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct alloc_zone_config zone = {
			.type = ZONE_NORMAL, .end = 8192,
		};
		const struct alloc_config config = {
			.profile = alloc_profile_find(rows[i].kernel),
			.nr_cpus = 1, .nr_nodes = 1, .zones = &zone,
			.nr_zones = 1, .pageblock_order = 10,
			.watermark_boost_factor = UINT32_MAX,
		};
		struct alloc *a = fixture_create_config(&config);

		alloc_set_pcp(a, 0, 0, 600, 6000, 6000, 0);
		alloc_free(a, 0, 1024, 9);
		ASSERT_U64(rows[i].kernel, held(a, 0, 0), rows[i].after_9);
		alloc_free(a, 0, 2048, 10);
		ASSERT_U64(rows[i].kernel, held(a, 0, 0), rows[i].after_10);
		alloc_destroy(a);
	}
}

static void test_pcp_edges__bulk_stays_on_its_node(void **state)
{
	/* Node 0 has nothing: one page from node 1 by the ordinary way. */
	struct alloc *a = two_nodes("6.1");
	struct alloc_request req = { .gfp = GFP_HIGHUSER_MOVABLE, .node = -1,
				     .zone = -1 };
	pfn_t out[8];

	(void)state;
	alloc_free_buddy(a, 9216, 6);
	ASSERT_U64("pages", alloc_pages_bulk(a, &req, out, 8), 1);
	ASSERT_U64("page", out[0], 9216);
	alloc_destroy(a);
}

static void test_pcp_edges__bulk_counts_itself(void **state)
{
	/* 64 pages are free: enough for one above low, or for eight. */
	static const struct {
		uint64_t low;
		unsigned int got;
	} rows[] = { { 55, 8 }, { 56, 1 }, { 63, 1 }, { 64, 0 } };

	(void)state;
	for (unsigned int i = 0; i < ARRAY_SIZE(rows); i++) {
		struct alloc *a = pcp_guest("6.1", 7, 42);
		struct alloc_request req = { .gfp = GFP_HIGHUSER_MOVABLE,
					     .node = -1, .zone = -1 };
		pfn_t out[8];

		alloc_free_buddy(a, 1024, 6);
		alloc_set_watermarks(a, 0, 0, rows[i].low, 100);
		ASSERT_U64(test_row(i), alloc_pages_bulk(a, &req, out, 8),
			   rows[i].got);
		alloc_destroy(a);
	}
}

static void test_pcp_edges__remote_pages_that_are_used_stay(void **state)
{
	/* Three idle ticks; a flush in between starts the count anew. */
	static const struct {
		unsigned int flush_at, gone_at;
	} rows[] = { { 0, 3 }, { 1, 4 }, { 2, 5 } };

	(void)state;
	for (unsigned int i = 0; i < ARRAY_SIZE(rows); i++) {
		struct alloc *a = two_nodes("6.1");
		uint32_t nr;

		alloc_free_buddy(a, 9216, 6);
		assert_int_not_equal(alloc_pcp_take(a, 1, 0, 0, M), PFN_NONE);
		for (unsigned int tick = 1; tick <= rows[i].gone_at; tick++) {
			nr = held(a, 1, 0);
			alloc_vmstat_tick(a, 0);
			ASSERT_U64(test_row(i), held(a, 1, 0) < nr,
				   tick == rows[i].gone_at);
			if (tick == rows[i].flush_at)
				alloc_drain_pageset(a, 1, 0, 1, 1);
		}
		alloc_destroy(a);
	}
}

struct order_of_events {
	unsigned int frees, drains;
	bool mixed;
};

static void note(void *ctx, const struct alloc_event *ev)
{
	struct order_of_events *o = ctx;

	if (ev->kind == ALLOC_EVENT_PAGE_FREE) {
		o->frees++;
		o->mixed |= o->drains != 0;
	}
	o->drains += ev->kind == ALLOC_EVENT_PCPU_DRAIN;
}

static void test_pcp_edges__frees_of_a_list_come_before_its_flush(void **state)
{
	/* Ten pages, and room for five: all are prepared before one goes. */
	(void)state;
	for (const char *const *k = fixture_kernels; *k; k++) {
		struct alloc *a = pcp_guest(*k, 2, 5);
		struct order_of_events o = { 0 };
		const struct alloc_hooks hooks = { .ctx = &o, .event = note };
		pfn_t pfns[10];

		for (pfn_t i = 0; i < 10; i++)
			pfns[i] = 1024 + 2 * i;
		alloc_set_hooks(a, &hooks);
		alloc_free_list(a, 0, pfns, 10);
		ASSERT_U64(*k, o.frees, 10);
		assert_true(o.drains > 0);
		assert_false(o.mixed);
		alloc_destroy(a);
	}
}

static void test_pcp_edges__frees_of_a_list_by_type(void **state)
{
	/* Every second page is of an unmovable pageblock. */
	(void)state;
	for (const char *const *k = fixture_kernels; *k; k++) {
		struct alloc *a = pcp_guest(*k, 7, 42);
		pfn_t pfns[6];

		alloc_set_pageblock_type(a, 2048, U);
		for (pfn_t i = 0; i < 6; i++)
			pfns[i] = (i & 1 ? 2048 : 1024) + i;
		alloc_free_list(a, 0, pfns, 6);
		pcp_assert(*k, a, 0, "o0/U{2053 2051 2049} "
			   "o0/M{1028 1026 1024} count=6");
		alloc_destroy(a);
	}
}

static void test_pcp_edges__sizes(void **state)
{
	static const struct {
		uint64_t managed;
		uint32_t batch;
	} batches[] = {
		{ 1024, 1 }, { 8192, 1 }, { 12288, 3 }, { 24576, 7 },
		{ 49152, 15 }, { 262144, 63 }, { 1 << 20, 63 },
	};
	static const uint32_t slices[] = { 21, 22 };
	struct alloc_pcp_state floating = { .high = 40 };
	struct alloc_pcp_info info;
	struct alloc *a;

	(void)state;
	for (unsigned int i = 0; i < ARRAY_SIZE(batches); i++) {
		a = pcp_guest("6.1", 7, 42);
		alloc_set_managed(a, 0, batches[i].managed);
		alloc_setup_pcp(a);
		alloc_pcp_info(a, 0, 0, &info);
		ASSERT_U64(test_row(i), info.batch, batches[i].batch);
		alloc_destroy(a);
	}
	/* The share of the cache must be more than three batches. */
	a = pcp_guest("6.12", 7, 42);
	alloc_setup_cacheinfo(a, slices);
	alloc_pcp_info(a, 0, 0, &info);
	ASSERT_U64("21", info.big_cache, false);
	alloc_pcp_info(a, 0, 1, &info);
	ASSERT_U64("22", info.big_cache, true);
	/* A high that floats is not touched when the limits move. */
	alloc_set_pcp_state(a, 0, 0, &floating);
	alloc_setup_watermarks(a, 0);
	alloc_pcp_info(a, 0, 0, &info);
	ASSERT_U64("floating", info.high, 40);
	alloc_destroy(a);
}

static void test_pcp_edges__a_run_is_as_many_allocations(void **state)
{
	/* free_factor is halved by each of three. */
	struct alloc *a = pcp_guest("6.1", 7, 42);
	struct alloc_pcp_info info;
	pfn_t pfns[3];

	(void)state;
	alloc_free_buddy(a, 1024, 6);
	assert_int_not_equal(alloc_pcp_take(a, 0, 0, 0, M), PFN_NONE);
	zone_at(a, 0)->pcp[0].free_factor = 4;
	ASSERT_U64("look", alloc_run_look(a, 0, GFP_HIGHUSER_MOVABLE, pfns, 3),
		   3);
	alloc_run_take(a, 0, GFP_HIGHUSER_MOVABLE, pfns, 3);
	alloc_pcp_info(a, 0, 0, &info);
	ASSERT_U64("factor", info.free_factor, 0);
	alloc_destroy(a);
}

static void test_pcp_edges__deferred_memory_comes_by_the_pageblock(void **state)
{
	/* Each is a free of its own, although two merge. */
	(void)state;
	for (const char *const *k = fixture_kernels; *k; k++) {
		struct alloc *a = pcp_guest(*k, 7, 42);
		struct alloc_work work = { 0 };

		alloc_set_work(a, &work);
		alloc_deferred_range(a, 0, 2048);
		ASSERT_U64(*k, work.lock_acquisitions, 4);
		ASSERT_U64(*k, work.merges, 2);
		alloc_destroy(a);
	}
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(test_pcp_edges__splits_of_a_refill),
	cmocka_unit_test(test_pcp_edges__a_refill_out_of_a_marked_block),
	cmocka_unit_test(test_pcp_edges__marks_on_both_sides_of_a_page),
	cmocka_unit_test(
		test_pcp_edges__a_refill_that_steals_tries_to_claim_once),
	cmocka_unit_test(test_pcp_edges__a_list_shorter_than_a_batch),
	cmocka_unit_test(
		test_pcp_edges__large_blocks_where_pageblocks_are_larger),
	cmocka_unit_test(test_pcp_edges__bulk_stays_on_its_node),
	cmocka_unit_test(test_pcp_edges__bulk_counts_itself),
	cmocka_unit_test(test_pcp_edges__remote_pages_that_are_used_stay),
	cmocka_unit_test(test_pcp_edges__frees_of_a_list_come_before_its_flush),
	cmocka_unit_test(test_pcp_edges__frees_of_a_list_by_type),
	cmocka_unit_test(test_pcp_edges__sizes),
	cmocka_unit_test(test_pcp_edges__a_run_is_as_many_allocations),
	cmocka_unit_test(
		test_pcp_edges__deferred_memory_comes_by_the_pageblock),
};

TEST_MAIN(cases)
