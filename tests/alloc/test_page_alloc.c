/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From a request to a page: the zone walk, and what it tells the outside. */
#include <string.h>

#include "tests/alloc/pcp_fixture.h"
#include "tests/test.h"

#define NONE PFN_NONE

/* DMA32 [0,4096), Normal [4096,8192) or up to 6144 with Movable behind. */
static struct alloc *two_zones(const char *kernel, bool movable)
{
	const struct alloc_zone_config zones[] = {
		{ .type = ZONE_DMA32, .start = 0, .end = 4096 },
		{ .type = ZONE_NORMAL, .start = 4096,
		  .end = movable ? 6144 : 8192 },
		{ .type = ZONE_MOVABLE, .start = 6144, .end = 8192 },
	};
	const struct alloc_config config = {
		.profile = alloc_profile_find(kernel),
		.nr_cpus = 1,
		.nr_nodes = 1,
		.zones = zones,
		.nr_zones = movable ? 3 : 2,
		.pageblock_order = 9,
		.isolation = true,
		.watermark_boost_factor = UINT32_MAX,
	};
	struct alloc *a = fixture_create_config(&config);

	for (unsigned int zone = 0; zone < config.nr_zones; zone++)
		alloc_set_pcp(a, zone, 0, 1, 0, 0, 0);
	return a;
}

static struct alloc_request request(enum migratetype mt, unsigned int order)
{
	return (struct alloc_request){
		.gfp = type_gfp(mt),
		.order = (uint8_t)order,
		.node = -1,
		.zone = -1,
		.flags = ALLOC_REQ_NO_SLOWPATH,
	};
}

static pfn_t take(struct alloc *a, enum migratetype mt)
{
	struct alloc_request req = request(mt, 0);

	return alloc_pages(a, &req).pfn;
}

static void test_page_alloc__fragmentation_is_avoided(void **state)
{
	/* U order 0, Normal above DMA32: rather DMA32 than a foreign block. */
	(void)state;
	for (const char *const *k = fixture_kernels; *k; k++) {
		struct alloc *a = two_zones(*k, false);

		/* Both would have to steal: Normal, the preferred one, does. */
		alloc_free_buddy(a, 1024, 8);
		alloc_free_buddy(a, 4096, 8);
		ASSERT_U64(*k, take(a, MIGRATE_UNMOVABLE), 4096);
		fixture_assert_valid(*k, a);
		alloc_destroy(a);

		/* A U page in DMA32 comes first, */
		a = two_zones(*k, false);
		alloc_free_buddy(a, 1024, 8);
		alloc_free_buddy(a, 4096, 8);
		alloc_set_pageblock_type(a, 2048, MIGRATE_UNMOVABLE);
		alloc_free_buddy(a, 2048, 0);
		ASSERT_U64(*k, take(a, MIGRATE_UNMOVABLE), 2048);
		alloc_free(a, 0, 2048, 0);
		/* but not below DMA32's low watermark. */
		alloc_set_watermarks(a, 0, 0, 300, 400);
		ASSERT_U64(*k, take(a, MIGRATE_UNMOVABLE), 4096);
		fixture_assert_valid(*k, a);
		alloc_destroy(a);
	}
}

static void test_page_alloc__watermark_sends_to_the_next_zone(void **state)
{
	/* 100 free pages are not above a low mark of 100; 101 are. */
	(void)state;
	for (const char *const *k = fixture_kernels; *k; k++) {
		struct alloc *a = two_zones(*k, false);

		alloc_set_watermarks(a, 1, 0, 100, 200);
		for (pfn_t pfn = 4200; pfn < 4400; pfn += 2)
			alloc_free_buddy(a, pfn, 0);
		alloc_free_buddy(a, 1024, 9);
		ASSERT_U64(*k, take(a, MIGRATE_MOVABLE), 1024);
		alloc_free_buddy(a, 5000, 0);
		ASSERT_U64(*k, take(a, MIGRATE_MOVABLE), 5000);
		fixture_assert_valid(*k, a);
		alloc_destroy(a);
	}
}

static void test_page_alloc__lowmem_reserve_holds(void **state)
{
	/* Normal is empty, DMA32 has 512 pages and keeps 512, then 511. */
	(void)state;
	for (const char *const *k = fixture_kernels; *k; k++) {
		const bool old = kernel_in(*k, "5.3 5.7");
		const unsigned int j = old ? ZONE_NORMAL : ZONE_MOVABLE;
		struct alloc *a = two_zones(*k, false);

		alloc_free_buddy(a, 1024, 9);
		alloc_set_reserve(a, 0, j, 512);
		ASSERT_U64(*k, take(a, MIGRATE_MOVABLE), NONE);
		alloc_set_reserve(a, 0, j, 511);
		ASSERT_U64(*k, take(a, MIGRATE_MOVABLE), 1024);
		alloc_destroy(a);
	}
}

static void test_page_alloc__zone_by_gfp(void **state)
{
	/* Movable pages from zone Movable, kernel pages from Normal. */
	static const struct {
		const char *kernels;
		pfn_t movable, kernel, dma32;
	} rows[] = {
		{ "5.3 5.7", 7168, 5120, 3072 },
		{ "5.10 " K6, 6144, 4096, 1024 },
	};

	(void)state;
	for (const char *const *k = fixture_kernels; *k; k++) {
		const unsigned int i = kernel_in(*k, "5.3 5.7") ? 0 : 1;
		struct alloc_request req = request(MIGRATE_UNMOVABLE, 0);
		struct alloc *a = two_zones(*k, true);

		alloc_boot_range(a, 1024, 8192);
		ASSERT_U64(*k, take(a, MIGRATE_MOVABLE), rows[i].movable);
		ASSERT_U64(*k, take(a, MIGRATE_UNMOVABLE), rows[i].kernel);
		req.gfp |= GFP_BIT_DMA32;
		ASSERT_U64(*k, alloc_pages(a, &req).pfn, rows[i].dma32);
		req.gfp = GFP_KERNEL;
		req.zone = 0;
		req.order = 4;
		ASSERT_U64(*k, alloc_pages(a, &req).zone, 0);
		fixture_assert_valid(*k, a);
		alloc_destroy(a);
	}
}

/* Two nodes: 0 with DMA32 and Normal, 1 with Normal; one CPU each. */
static struct alloc *two_nodes(const char *kernel)
{
	static const uint8_t cpu_node[] = { 0, 1 };
	const struct alloc_zone_config zones[] = {
		{ .node = 0, .type = ZONE_DMA32, .start = 0, .end = 4096 },
		{ .node = 0, .type = ZONE_NORMAL, .start = 4096, .end = 8192 },
		{ .node = 1, .type = ZONE_NORMAL, .start = 8192, .end = 12288 },
	};
	const struct alloc_config config = {
		.profile = alloc_profile_find(kernel),
		.nr_cpus = 2, .nr_nodes = 2, .cpu_node = cpu_node,
		.zones = zones, .nr_zones = 3, .pageblock_order = 9,
	};
	struct alloc *a = fixture_create_config(&config);

	for (unsigned int i = 0; i < 6; i++)
		alloc_set_pcp(a, i / 2, i % 2, 1, 0, 0, 0);
	return a;
}

static void test_page_alloc__nodes(void **state)
{
	/* Local memory first, even at the price of a foreign block; THISNODE
	 * never leaves the node. */
	(void)state;
	for (const char *const *k = fixture_kernels; *k; k++) {
		struct alloc_request req = request(MIGRATE_UNMOVABLE, 0);
		struct alloc *a = two_nodes(*k);

		alloc_free_buddy(a, 4096, 8);
		alloc_set_pageblock_type(a, 9216, MIGRATE_UNMOVABLE);
		alloc_free_buddy(a, 9216, 8);
		ASSERT_U64(*k, alloc_pages(a, &req).pfn, 4096);
		req.cpu = 1;
		ASSERT_U64(*k, alloc_pages(a, &req).pfn, 9216);
		req.node = 0;
		ASSERT_U64(*k, alloc_pages(a, &req).zone, 1);
		req.node = 1;
		req.order = 8;
		ASSERT_U64(*k, alloc_pages(a, &req).pfn, NONE);
		alloc_free_buddy(a, 6144, 8);
		req.gfp |= GFP_BIT_THISNODE;
		ASSERT_U64(*k, alloc_pages(a, &req).pfn, NONE);
		req.gfp &= ~GFP_BIT_THISNODE;
		ASSERT_U64(*k, alloc_pages(a, &req).pfn, 6144);
		fixture_assert_valid(*k, a);
		alloc_destroy(a);
	}
}

static void test_page_alloc__nodes_where_kswapd_works_come_last(void **state)
{
	/* 6.18 skips them in the first pass; older releases do not. */
	(void)state;
	for (const char *const *k = fixture_kernels; *k; k++) {
		struct alloc_request req = request(MIGRATE_MOVABLE, 0);
		struct alloc *a = two_nodes(*k);

		alloc_free_buddy(a, 4096, 8);
		alloc_free_buddy(a, 9216, 8);
		alloc_set_reclaim_active(a, 1, true);
		ASSERT_U64(*k, alloc_pages(a, &req).zone,
			   kernel_in(*k, "6.18") ? 2 : 1);
		alloc_set_reclaim_active(a, 2, true);
		ASSERT_U64(*k, alloc_pages(a, &req).zone, 1);
		alloc_destroy(a);
	}
}

static void test_page_alloc__bypass_and_bulk(void **state)
{
	/* ALLOC_REQ_BUDDY leaves the list alone. Bulk takes from the list
	 * without touching free_factor, where the release has it. */
	(void)state;
	for (const char *const *k = fixture_kernels; *k; k++) {
		struct alloc_request req = request(MIGRATE_MOVABLE, 0);
		struct alloc *a = pcp_guest(*k, 7, 42);
		struct alloc_pcp_info info;
		pfn_t pfns[16];

		pcp_run(*k, a, "boot 1024 2048; a M 0 1024");
		req.flags |= ALLOC_REQ_BUDDY;
		ASSERT_U64(*k, alloc_pages(a, &req).pfn, 1031);
		req.flags &= ~ALLOC_REQ_BUDDY;
		alloc_set_pcp(a, 0, 0, 7, 42, 42, 4);
		ASSERT_U64(*k, alloc_pages_bulk(a, &req, pfns, 8), 8);
		for (unsigned int i = 0; i < 6; i++)
			ASSERT_U64(*k, pfns[i], 1025 + i);
		ASSERT_U64(*k, pfns[6], 1032);
		ASSERT_U64(*k, pfns[7], 1033);
		alloc_pcp_info(a, 0, 0, &info);
		if (kernel_in(*k, "6.1"))
			ASSERT_U64(*k, info.free_factor, 4);
		/* One page is an ordinary allocation. */
		ASSERT_U64(*k, alloc_pages_bulk(a, &req, pfns, 1), 1);
		alloc_pcp_info(a, 0, 0, &info);
		if (kernel_in(*k, "6.1"))
			ASSERT_U64(*k, info.free_factor, 2);
		fixture_assert_valid(*k, a);
		alloc_destroy(a);
	}
}

/* ---- what the outside hears ---- */

struct heard {
	char text[512];
	size_t used;
	unsigned int wakes;
};

static void hear(void *ctx, const struct alloc_event *ev)
{
	static const char *const names[] = {
		"alloc", "free", "locked", "extfrag", "drain", "merge",
	};
	struct heard *h = ctx;

	h->used += (size_t)snprintf(h->text + h->used,
				    sizeof(h->text) - h->used, "%s %d/%u ",
				    names[ev->kind], (int)ev->pfn, ev->order);
	assert_true(h->used < sizeof(h->text));
}

static void wake(void *ctx, unsigned int node, unsigned int order,
			unsigned int highest, gfp_t gfp)
{
	struct heard *h = ctx;

	(void)highest;
	(void)gfp;
	(void)node;
	(void)order;
	h->wakes++;
}

static void test_page_alloc__events(void **state)
{
	/* mm_page_alloc after, mm_page_free before; batched frees first all
	 * prepare; bulk is silent; a failed request says so. */
	struct heard h = { .used = 0 };
	const struct alloc_hooks hooks = { .ctx = &h, .event = hear };
	struct alloc *a = pcp_guest("6.1", 2, 3);
	struct alloc_request req = request(MIGRATE_MOVABLE, 0);
	static const pfn_t list[] = { 1024, 1025 };
	pfn_t pfns[2];

	(void)state;
	alloc_free_buddy(a, 1024, 2);
	alloc_free_buddy(a, 2048, 3);
	alloc_set_hooks(a, &hooks);
	pcp_run("6.1", a, "a M 0 1024; a M 0 1025");
	assert_string_equal(h.text, "locked 1024/0 locked 1025/0 "
			    "alloc 1024/0 alloc 1025/0 ");
	h = (struct heard){ .used = 0 };
	ASSERT_U64("bulk", alloc_pages_bulk(a, &req, pfns, 2), 2);
	assert_string_equal(h.text, "locked 1026/0 locked 1027/0 ");
	h = (struct heard){ .used = 0 };
	alloc_free_list(a, 0, list, 2);
	pcp_run("6.1", a, "f 1026 0");
	assert_string_equal(h.text, "free 1024/0 free 1025/0 free 1026/0 "
			    "drain 1024/0 ");
	h = (struct heard){ .used = 0 };
	req.order = 6;
	alloc_pages(a, &req);
	assert_string_equal(h.text, "alloc -1/6 ");
	ASSERT_U64("failures", alloc_counters(a)->alloc_failures, 1);
	alloc_destroy(a);
}

static void test_page_alloc__boosted_zone_wakes_kswapd(void **state)
{
	/* A steal below pageblock order boosts; the next request wakes. */
	(void)state;
	for (const char *const *k = fixture_kernels; *k; k++) {
		struct heard h = { .used = 0 };
		const struct alloc_hooks hooks = {
			.ctx = &h, .kswapd_wake = wake,
		};
		struct alloc *a = pcp_guest(*k, 1, 0);
		struct alloc_request req = request(MIGRATE_UNMOVABLE, 4);

		alloc_set_hooks(a, &hooks);
		alloc_set_watermarks(a, 0, 0, 0, 1000);
		alloc_free_buddy(a, 1024, 8);
		alloc_free_buddy(a, 2048, 10);
		a->zones[0].boosted = true;
		req.gfp = 0;
		ASSERT_U64(*k, alloc_pages(a, &req).status, ALLOC_OK);
		/* From 6.12 on only a request that may wake kswapd does. */
		ASSERT_U64(*k, h.wakes, kernel_in(*k, K612) ? 0 : 1);
		ASSERT_U64(*k, a->zones[0].boosted, kernel_in(*k, K612));
		req.gfp = GFP_KERNEL;
		a->zones[0].boosted = true;
		ASSERT_U64(*k, alloc_pages(a, &req).status, ALLOC_OK);
		ASSERT_U64(*k, h.wakes, kernel_in(*k, K612) ? 1 : 2);
		ASSERT_U64(*k, a->zones[0].boosted, false);
		alloc_destroy(a);
	}
}

static void test_page_alloc__fast_and_slow_way_agree(void **state)
{
	/* alloc_page_fast() is alloc_pages(): same pages, counts, digest. */
	(void)state;
	for (const char *const *k = fixture_kernels; *k; k++) {
		char hex[2][DIGEST_HEX_SIZE];
		uint64_t locks[2];

		for (unsigned int way = 0; way < 2; way++) {
			struct alloc *a = pcp_guest(*k, 7, 42);
			struct digest digest;
			struct alloc_hooks hooks = { .digest = &digest };
			struct alloc_work work = { 0 };
			pfn_t pfn = 0;

			assert_int_equal(digest_init(&digest), 0);
			alloc_boot_range(a, 0, 8192);
			alloc_set_watermarks(a, 0, 10, 20, 7000);
			alloc_set_hooks(a, &hooks);
			alloc_set_work(a, &work);
			for (unsigned int n = 0; n < 3000; n++) {
				const enum migratetype mt = n % 3;
				const unsigned int order = n % 7 ? 0 : n % 5;
				struct alloc_request req = request(mt, order);

				pfn = way ? alloc_pages(a, &req).pfn :
					    alloc_page_fast(a, 0, order,
							    type_gfp(mt));
				if (n % 4 == 0)
					alloc_free(a, 0, pfn, order);
			}
			fixture_assert_valid(*k, a);
			digest_hex(&digest, hex[way]);
			locks[way] = work.lock_acquisitions;
			digest_destroy(&digest);
			alloc_destroy(a);
		}
		assert_string_equal(hex[0], hex[1]);
		ASSERT_U64(*k, locks[0], locks[1]);
	}
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(test_page_alloc__fragmentation_is_avoided),
	cmocka_unit_test(test_page_alloc__watermark_sends_to_the_next_zone),
	cmocka_unit_test(test_page_alloc__lowmem_reserve_holds),
	cmocka_unit_test(test_page_alloc__zone_by_gfp),
	cmocka_unit_test(test_page_alloc__nodes),
	cmocka_unit_test(
		test_page_alloc__nodes_where_kswapd_works_come_last),
	cmocka_unit_test(test_page_alloc__bypass_and_bulk),
	cmocka_unit_test(test_page_alloc__events),
	cmocka_unit_test(test_page_alloc__boosted_zone_wakes_kswapd),
	cmocka_unit_test(test_page_alloc__fast_and_slow_way_agree),
};

TEST_MAIN(cases)
