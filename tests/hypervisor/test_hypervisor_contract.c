/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What every back end promises to its callers, whatever it models. Each row of
 * `hosts` is one back end with options; every case runs over all of them.
 */
#include <errno.h>
#include <string.h>

#include "tests/hypervisor/host.h"

#define NR_PAGES 2148 /* four whole regions and 100 pages */

static const struct {
	const char *name;
	const struct hypervisor_ops *ops;
	const char *options;
} hosts[] = {
	{ "null", &null_hypervisor, "" },
	{ "mock", &mock_hypervisor, "" },
	{ "mock, no THP", &mock_hypervisor, "thp=never" },
	{ "mock, MADV_FREE", &mock_hypervisor, "discard=free" },
	{ "mock, page by page", &mock_hypervisor, "discard_granularity=page" },
	{ "mock, inhibited", &mock_hypervisor, "inhibit=on" },
	{ "mock, small", &mock_hypervisor, "memory=9M base=0" },
	{ "mock, swap", &mock_hypervisor, "memory=9M base=0 swap=64M" },
	{ "mock, strict LRU", &mock_hypervisor,
	  "memory=9M base=0 swap=64M lru=strict" },
	{ "mock, limit", &mock_hypervisor, "memcg_limit=9M" },
	{ "live", &live_hypervisor, "" },
	{ "live, no THP", &live_hypervisor, "thp=never" },
	{ "live, MADV_FREE", &live_hypervisor, "discard=free" },
	{ "live, page by page", &live_hypervisor, "discard_granularity=page" },
	{ "live, memory file", &live_hypervisor, "thp=never memory_file=memfd" },
	{ "live, inhibited", &live_hypervisor, "inhibit=on" },
};

/* The next host from row i on that this machine can be, with a guest. */
static size_t next_host(size_t i, struct host *h)
{
	char why[256];

	while (i < ARRAY_SIZE(hosts) &&
	       !host_possible(hosts[i].ops, hosts[i].options, why,
			      sizeof(why))) {
		print_message("%s: skipped: %s\n", hosts[i].name, why);
		i++;
	}
	if (i < ARRAY_SIZE(hosts))
		host_boot(h, hosts[i].name, hosts[i].ops, hosts[i].options,
			  NR_PAGES);
	return i;
}

#define FOR_EACH_HOST(i, h)                                                   \
	for (size_t i = next_host(0, h); i < ARRAY_SIZE(hosts);               \
	     host_close(h), i = next_host(i + 1, h))

static struct hv_gauges gauges_of(const struct host *h)
{
	struct hv_gauges g;

	h->hv.ops->gauges(&h->hv, h->guest, &g);
	return g;
}

static void test_hypervisor__table_is_complete(void **state)
{
	/* Names, options with defaults that parse, and every call. */
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(hosts); i++) {
		const struct hypervisor_ops *ops = hosts[i].ops;

		assert_non_null(ops->name);
		assert_non_null(ops->summary);
		assert_non_null(ops->options.descs);
		assert_non_null(ops->init);
		assert_non_null(ops->guest_add);
		assert_non_null(ops->guest_remove);
		assert_non_null(ops->guest_map);
		assert_non_null(ops->access);
		assert_non_null(ops->discard);
		assert_non_null(ops->gauges);
		assert_non_null(ops->check);
		assert_non_null(ops->destroy);
	}
}

static void test_hypervisor__destroy_accepts_zeroed_state(void **state)
{
	/* A caller that fails before init() cleans up all the same. */
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(hosts); i++) {
		struct hypervisor hv = { .ops = hosts[i].ops };

		hv.state = test_calloc(1, hv.ops->state_size);
		hv.ops->destroy(&hv);
		test_free(hv.state);
	}
}

static void test_hypervisor__guests_are_numbered_from_zero(void **state)
{
	/* Smallest free id; no guest without pages, none above the limit. */
	struct host h;

	(void)state;
	FOR_EACH_HOST(i, &h) {
		const struct hypervisor_ops *ops = h.hv.ops;

		ASSERT_U64(hosts[i].name, h.guest, 0);
		assert_int_equal(ops->guest_add(&h.hv, 0), -EINVAL);
		for (int id = 1; id < HV_MAX_GUESTS; id++)
			assert_int_equal(ops->guest_add(&h.hv, 600), id);
		assert_int_equal(ops->guest_add(&h.hv, 600), -ENOSPC);
		ops->guest_remove(&h.hv, 77);
		assert_int_equal(ops->guest_add(&h.hv, 1), 77);
		assert_null(ops->check(&h.hv));
	}
}

static void test_hypervisor__second_access_is_free(void **state)
{
	/* Whatever was touched can be touched again at no cost. */
	static const char script[] =
		"w 0 9; r 600 0; z 1024 3; t 2147 0; r 2048 5; w 1536 2";
	struct host h;

	(void)state;
	FOR_EACH_HOST(i, &h) {
		host_run(&h, hosts[i].name, script, true);
		assert_int_equal(h.err, 0);
		host_run(&h, hosts[i].name, script, true);
		host_expect_events(&h, hosts[i].name, "");
	}
}

static void test_hypervisor__mapped_blocks_cost_nothing(void **state)
{
	/* If the bitmap says so, a call adds no event and changes no gauge. */
	static const char prepare[] = "w 0 9; w 512 0; w 1024 6; r 2048 5; "
				      "d 0 4; b 512 3; d 1024 2; r 8 0";
	struct host h;

	(void)state;
	FOR_EACH_HOST(i, &h) {
		const struct hv_guest_map *map =
			h.hv.ops->guest_map(&h.hv, h.guest);
		struct hv_gauges before, after;

		ASSERT_U64(hosts[i].name, map->nr_pages, NR_PAGES);
		host_run(&h, hosts[i].name, prepare, true);
		before = gauges_of(&h);
		memset(&h.ev, 0, sizeof(h.ev));
		for (pfn_t pfn = 0; pfn < NR_PAGES; pfn++) {
			if (!hv_block_mapped(map, pfn, 0))
				continue;
			assert_int_equal(h.hv.ops->access(&h.hv, h.guest, pfn,
							  0, HV_ACCESS_WRITE,
							  &h.ev), 0);
		}
		host_expect_events(&h, hosts[i].name, "");
		after = gauges_of(&h);
		assert_memory_equal(&before, &after, sizeof(before));
	}
}

static void test_hypervisor__written_blocks_are_mapped(void **state)
{
	/* After a write of a block the bitmap has it, up to order 6; but a
	 * host that wants to hear of each access shows none. */
	struct host h;

	(void)state;
	FOR_EACH_HOST(i, &h) {
		const struct hv_guest_map *map =
			h.hv.ops->guest_map(&h.hv, h.guest);

		for (unsigned int order = 0; order <= 6; order++) {
			const pfn_t pfn = 1024 + (1u << order);
			char script[64];

			snprintf(script, sizeof(script), "w %u %u", pfn, order);
			host_run(&h, hosts[i].name, script, true);
			assert_int_equal(hv_block_mapped(map, pfn, order),
					 !strstr(hosts[i].options, "strict"));
		}
	}
}

static void test_hypervisor__discarded_zeroes_refault(void **state)
{
	/* A discard that promises zeroes takes the pages away; the next
	 * access of each clears at least that page. */
	struct host h;

	(void)state;
	FOR_EACH_HOST(i, &h) {
		const struct hv_guest_map *map =
			h.hv.ops->guest_map(&h.hv, h.guest);

		host_run(&h, hosts[i].name, "w 0 9; d 16 4", true);
		if (!h.zeroed)
			continue;
		assert_false(hv_block_mapped(map, 16, 0));
		host_run(&h, hosts[i].name, "w 16 0 16 1", true);
		ASSERT_U64(hosts[i].name, h.ev.zeroed_pages, 16);
	}
}

static void test_hypervisor__pages_are_accounted_for(void **state)
{
	/* Over any history: resident = resident at the start + cleared - gone
	 * from the resident set, and the same for host memory; every violation
	 * that clears is a page or a huge page cleared. */
	static const char *const scripts[] = {
		"w 0 9; w 512 0; z 1024 9; w 2048 5", "d 0 4; b 600 0; d 1024 9",
		"r 0 0; w 3 0; w 1024 0; w 600 0", "b 0 8; b 256 8; d 1024 10",
		"w 0 9; w 512 9; w 1024 9; w 1536 9", "d 0 0 512 1; b 512 9",
		"d 1024 10; w 1024 9; w 1536 9; w 0 9",
	};
	struct host h;

	(void)state;
	FOR_EACH_HOST(i, &h) {
		struct hv_gauges g = gauges_of(&h);
		const uint64_t rss = g.rss_pages;
		const uint64_t free = g.host_free_pages;
		struct hv_events sum = { 0 };

		for (size_t s = 0; s < ARRAY_SIZE(scripts); s++) {
			uint64_t (*const v)[NR_HV_LEVELS] = sum.ept_violation;

			host_run(&h, hosts[i].name, scripts[s], true);
			hv_events_add(&sum, &h.ev);
			g = gauges_of(&h);
			ASSERT_U64(hosts[i].name, g.rss_pages,
				   rss + sum.zeroed_pages -
					   sum.rss_reclaimed_pages);
			ASSERT_U64(hosts[i].name, g.host_free_pages,
				   free - sum.zeroed_pages +
					   sum.phys_reclaimed_pages);
			ASSERT_U64(hosts[i].name, sum.zeroed_pages,
				   v[HV_VIOLATION_ZERO][HV_LEVEL_4K] +
					   HPAGE_PMD_NR * sum.thp_fault_alloc);
			assert_true(g.lazy_pages <= g.rss_pages);
		}
	}
}

static void test_hypervisor__every_discard_is_counted_once(void **state)
{
	/* Blocks discarded + blocks ignored = blocks asked for. */
	struct host h;

	(void)state;
	FOR_EACH_HOST(i, &h) {
		uint64_t blocks = 0;

		host_run(&h, hosts[i].name,
			 "w 0 9; d 0 9; d 0 10; b 3 0 5 1; d 2048 6; d 2048 9",
			 true);
		for (unsigned int order = 0; order < NR_PAGE_ORDERS; order++)
			blocks += h.ev.discards[HV_DONTNEED][order] +
				  h.ev.discards[HV_FREE][order];
		ASSERT_U64(hosts[i].name, blocks + h.ev.discard_ignored, 9);
	}
}

static void test_hypervisor__events_are_added_not_set(void **state)
{
	/* What the caller's struct held before stays in the sum. */
	struct host h;

	(void)state;
	FOR_EACH_HOST(i, &h) {
		struct hv_events ev;

		host_run(&h, hosts[i].name, "", true);
		for (size_t e = 0; e < NR_HV_EVENTS; e++)
			((uint64_t *)&ev)[e] = 1000;
		h.hv.ops->access(&h.hv, h.guest, 0, 9, HV_ACCESS_WRITE, &ev);
		h.hv.ops->discard(&h.hv, h.guest, 0, 9, HV_ORIGIN_REPORT, &ev);
		for (size_t e = 0; e < NR_HV_EVENTS; e++)
			assert_true(((uint64_t *)&ev)[e] >= 1000);
	}
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(test_hypervisor__table_is_complete),
	cmocka_unit_test(test_hypervisor__destroy_accepts_zeroed_state),
	cmocka_unit_test(test_hypervisor__guests_are_numbered_from_zero),
	cmocka_unit_test(test_hypervisor__second_access_is_free),
	cmocka_unit_test(test_hypervisor__mapped_blocks_cost_nothing),
	cmocka_unit_test(test_hypervisor__written_blocks_are_mapped),
	cmocka_unit_test(test_hypervisor__discarded_zeroes_refault),
	cmocka_unit_test(test_hypervisor__pages_are_accounted_for),
	cmocka_unit_test(test_hypervisor__every_discard_is_counted_once),
	cmocka_unit_test(test_hypervisor__events_are_added_not_set),
};

TEST_MAIN(cases)
