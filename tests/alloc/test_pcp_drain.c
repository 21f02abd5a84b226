/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Drains of per-CPU lists, and what the vmstat worker does to them. */
#include "tests/alloc/pcp_fixture.h"
#include "tests/test.h"

static uint32_t count_of(const struct alloc *a, unsigned int zone,
			 unsigned int cpu)
{
	struct alloc_pcp_info info;

	alloc_pcp_info(a, zone, cpu, &info);
	return info.count;
}

static void free_every_other(struct alloc *a, unsigned int cpu, pfn_t pfn,
			     unsigned int nr)
{
	for (unsigned int i = 0; i < nr; i++)
		alloc_free(a, cpu, pfn + 2 * i, 0);
}

static void test_pcp_drain__one_hold_or_pieces(void **state)
{
	/* 1000 pages: at once up to 5.10, then 7 << 5 at a time. */
	(void)state;
	for (const char *const *k = fixture_kernels; *k; k++) {
		struct alloc *a = pcp_guest(*k, 7, 2000);
		struct alloc_work work = { 0 };

		free_every_other(a, 0, 0, 1000);
		ASSERT_U64(*k, count_of(a, 0, 0), 1000);
		alloc_set_work(a, &work);
		alloc_drain_cpu(a, 0);
		ASSERT_U64(*k, count_of(a, 0, 0), 0);
		ASSERT_U64(*k, work.lock_acquisitions,
			   kernel_in(*k, K5) ? 1 : 5);
		ASSERT_U64(*k, work.zones_locked, 1);
		ASSERT_U64(*k, work.buddy_pages, 1000);
		ASSERT_U64(*k, alloc_free_pages(a), 1000);
		/* Nothing there: nobody takes the lock. */
		alloc_drain_all(a);
		ASSERT_U64(*k, work.lock_acquisitions,
			   kernel_in(*k, K5) ? 1 : 5);
		fixture_assert_valid(*k, a);
		alloc_destroy(a);
	}
}

static void test_pcp_drain__one_cpu_or_all(void **state)
{
	/* A CPU's drain leaves the lists of the others alone. */
	(void)state;
	for (const char *const *k = fixture_kernels; *k; k++) {
		struct alloc *a = pcp_guest(*k, 7, 2000);

		free_every_other(a, 0, 0, 10);
		free_every_other(a, 1, 1024, 20);
		alloc_drain_cpu(a, 0);
		ASSERT_U64(*k, count_of(a, 0, 0), 0);
		ASSERT_U64(*k, count_of(a, 0, 1), 20);
		alloc_drain_all(a);
		ASSERT_U64(*k, count_of(a, 0, 1), 0);
		fixture_assert_valid(*k, a);
		alloc_destroy(a);
	}
}

static void test_pcp_drain__part_of_a_pageset(void **state)
{
	/* So many pages from this list on, as a recorded drain says. */
	static const struct {
		const char *name;
		uint32_t nr;
		unsigned int pindex;
		const char *left;
	} rows[] = {
		{ "one page of U", 1, 0,
		  "o0/U{2} o0/M{1026 1024} o0/R{2050 2048} count=5" },
		{ "goes on behind M", 3, 1,
		  "o0/U{2 0} o0/R{2050} count=3" },
		{ "starts over", 3, 2, "o0/U{2} o0/M{1026 1024} count=3" },
		{ "no more than there is", 100, 5, "count=0" },
		{ "none", 0, 0,
		  "o0/U{2 0} o0/M{1026 1024} o0/R{2050 2048} count=6" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct alloc *a = pcp_guest("6.1", 63, 378);

		pcp_run(rows[i].name, a, "type 0 U; type 2048 R;"
			"f 0 0; f 2 0; f 1024 0; f 1026 0; f 2048 0; f 2050 0");
		alloc_drain_pageset(a, 0, 0, rows[i].nr, rows[i].pindex);
		pcp_assert(rows[i].name, a, 0, rows[i].left);
		fixture_assert_valid(rows[i].name, a);
		alloc_destroy(a);
	}
}

static void test_pcp_drain__decay_goes_batch_by_batch(void **state)
{
	/*
	 * 160 pages in blocks of 8, and 60 too many. Seven and seven and so on:
	 * each of the nine pieces takes a block, where 60 at once take eight.
	 */
	static const struct {
		const char *kernel;
		uint32_t left, locks;
	} rows[] = {
		{ "6.12.0", 96, 1 },
		{ "6.12", 88, 9 },
		{ "6.18", 96, 1 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct alloc *a = pcp_guest(rows[i].kernel, 7, 100);
		struct alloc_work work = { 0 };

		for (pfn_t pfn = 0; pfn < 20 * 16; pfn += 16)
			alloc_load_pcp(a, 0, 0, 10, pfn, MIGRATE_MOVABLE);
		alloc_set_work(a, &work);
		alloc_vmstat_tick(a, 0);
		ASSERT_U64(rows[i].kernel, count_of(a, 0, 0), rows[i].left);
		ASSERT_U64(rows[i].kernel, work.lock_acquisitions,
			   rows[i].locks);
		alloc_vmstat_tick(a, 0);
		ASSERT_U64("at rest", count_of(a, 0, 0), rows[i].left);
		fixture_assert_valid(rows[i].kernel, a);
		alloc_destroy(a);
	}
}

static void test_pcp_drain__high_decays(void **state)
{
	/* From 6.7 on an eighth of high a second, and the pages above it. */
	static const struct {
		uint32_t high, count;
	} ticks[] = {
		{ 1158, 900 }, { 1014, 900 }, { 888, 888 }, { 777, 777 },
	};
	struct alloc *a = pcp_guest_profile(alloc_profile_find("6.12"), 63, 378,
					    2000);
	struct alloc_pcp_info info;

	(void)state;
	alloc_boot_range(a, 4096, 8192);
	for (unsigned int n = 0; n < 442; n++)
		alloc_page_fast(a, 0, 0, GFP_HIGHUSER_MOVABLE);
	alloc_pcp_info(a, 0, 0, &info);
	ASSERT_U64("ramp", info.high, 1323);
	free_every_other(a, 0, 0, 900 - info.count);
	for (size_t i = 0; i < ARRAY_SIZE(ticks); i++) {
		alloc_vmstat_tick(a, 0);
		alloc_pcp_info(a, 0, 0, &info);
		ASSERT_U64("tick", info.high, ticks[i].high);
		ASSERT_U64("tick", info.count, ticks[i].count);
	}
	for (unsigned int i = 0; i < 20; i++)
		alloc_vmstat_tick(a, 0);
	alloc_pcp_info(a, 0, 0, &info);
	ASSERT_U64("floor", info.high, 378);
	ASSERT_U64("floor", info.count, 378);
	fixture_assert_valid("6.12", a);
	alloc_destroy(a);

	a = pcp_guest("6.1", 63, 378);
	free_every_other(a, 0, 0, 300);
	for (unsigned int i = 0; i < 20; i++)
		alloc_vmstat_tick(a, 0);
	ASSERT_U64("6.1 keeps local pages", count_of(a, 0, 0), 300);
	alloc_destroy(a);
}

static void test_pcp_drain__a_step_is_bounded(void **state)
{
	/* Decay stops at count - (batch << 5), for the sake of latency. */
	struct alloc *a = pcp_guest_profile(alloc_profile_find("6.12"), 1, 8,
					    2000);
	struct alloc_pcp_info info;

	(void)state;
	zone_at(a, 0)->pcp[0].high = 2000;
	free_every_other(a, 0, 0, 1900);
	alloc_vmstat_tick(a, 0);
	alloc_pcp_info(a, 0, 0, &info);
	ASSERT_U64("high", info.high, 1868);
	ASSERT_U64("count", info.count, 1868);
	alloc_destroy(a);
}

static void test_pcp_drain__remote_pages_go_home(void **state)
{
	/* Pages of another node's zone: after three idle ticks, by batches. */
	static const uint8_t cpu_node[] = { 0, 1 };
	const struct alloc_zone_config zones[] = {
		{ .node = 0, .type = ZONE_NORMAL, .start = 0, .end = 4096 },
		{ .node = 1, .type = ZONE_NORMAL, .start = 4096, .end = 8192 },
	};
	struct alloc_config config = {
		.nr_cpus = 2, .nr_nodes = 2, .cpu_node = cpu_node,
		.zones = zones, .nr_zones = 2, .pageblock_order = 9,
	};

	(void)state;
	for (const char *const *k = fixture_kernels; *k; k++) {
		struct alloc *a;

		config.profile = alloc_profile_find(*k);
		a = fixture_create_config(&config);
		for (unsigned int i = 0; i < 4; i++)
			alloc_set_pcp(a, i / 2, i % 2, 7, 42, 42, 0);
		alloc_boot_range(a, 0, 8192);
		/* CPU 0 takes a page of node 1, then is idle. */
		alloc_pcp_take(a, 1, 0, 0, MIGRATE_MOVABLE);
		alloc_pcp_take(a, 0, 0, 0, MIGRATE_MOVABLE);
		ASSERT_U64(*k, count_of(a, 1, 0), 6);
		alloc_vmstat_tick(a, 0);
		alloc_vmstat_tick(a, 0);
		ASSERT_U64(*k, count_of(a, 1, 0), 6);
		alloc_vmstat_tick(a, 0);
		ASSERT_U64(*k, count_of(a, 1, 0), 0);
		ASSERT_U64(*k, count_of(a, 0, 0), 6);
		fixture_assert_valid(*k, a);
		alloc_destroy(a);
	}
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(test_pcp_drain__one_hold_or_pieces),
	cmocka_unit_test(test_pcp_drain__one_cpu_or_all),
	cmocka_unit_test(test_pcp_drain__part_of_a_pageset),
	cmocka_unit_test(test_pcp_drain__decay_goes_batch_by_batch),
	cmocka_unit_test(test_pcp_drain__high_decays),
	cmocka_unit_test(test_pcp_drain__a_step_is_bounded),
	cmocka_unit_test(test_pcp_drain__remote_pages_go_home),
};

TEST_MAIN(cases)
