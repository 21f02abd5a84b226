/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Bulk allocation: from which list the pages come, and where it ends. */
#include "tests/alloc/pcp_fixture.h"
#include "tests/test.h"

#define MOST 64

static struct alloc_request request(gfp_t gfp)
{
	return (struct alloc_request){ .gfp = gfp, .node = -1, .zone = -1 };
}

/* Node 0: DMA32 [0,4096), Normal [4096,8192); node 1: Normal [8192,12288). */
static struct alloc *three_zones(const char *kernel, unsigned int nr_nodes)
{
	const struct alloc_zone_config zones[] = {
		{ .type = ZONE_DMA32, .start = 0, .end = 4096 },
		{ .type = ZONE_NORMAL, .start = 4096, .end = 8192 },
		{ .type = ZONE_NORMAL, .start = 8192, .end = 12288,
		  .node = 1 },
	};
	const struct alloc_config config = {
		.profile = alloc_profile_find(kernel), .nr_cpus = 1,
		.nr_nodes = nr_nodes, .zones = zones,
		.nr_zones = nr_nodes + 1, .pageblock_order = 9,
		.watermark_boost_factor = UINT32_MAX,
	};
	struct alloc *a = fixture_create_config(&config);

	for (unsigned int zone = 0; zone < config.nr_zones; zone++)
		alloc_set_pcp(a, zone, 0, 8, 64, 64, 0);
	return a;
}

static void test_bulk__as_many_as_there_are(void **state)
{
	/* Six pages, five wanted: had. The last one is on the CPU's list, and
	 * stays there: the zone has no free page, which is asked first. */
	(void)state;
	for (const char *const *k = fixture_kernels; *k; k++) {
		struct alloc *a = pcp_guest(*k, 4, 64);
		struct alloc_request req = request(GFP_HIGHUSER_MOVABLE);
		pfn_t out[MOST];

		for (pfn_t pfn = 1024; pfn < 1036; pfn += 2)
			alloc_free_buddy(a, pfn, 0);
		ASSERT_U64(*k, alloc_pages_bulk(a, &req, out, 0), 0);
		ASSERT_U64(*k, alloc_pages_bulk(a, &req, out, 5), 5);
		ASSERT_U64(*k, alloc_pages_bulk(a, &req, out, 10), 0);
		ASSERT_U64(*k, alloc_free_pages(a), 0);
		alloc_drain_all(a);
		ASSERT_U64(*k, alloc_free_pages(a), 1);
		fixture_assert_valid(*k, a);
		alloc_destroy(a);
	}
}

static void test_bulk__ends_where_the_lists_do(void **state)
{
	/* Four movable pages and 20 on highatomic lists, of eight wanted: until
	 * 6.12 only what is reserved by count is unusable, which is none, and
	 * the bulk begins, and ends after four; else it is one page. */
	static const struct {
		const char *kernels;
		unsigned int got;
	} rows[] = { { K53_TO_61, 4 }, { K612, 1 } };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows) * 7; i++) {
		const char *kernel = fixture_kernels[i % 7];
		struct alloc_request req = request(GFP_HIGHUSER_MOVABLE);
		pfn_t out[MOST];
		struct alloc *a;

		if (!kernel_in(kernel, rows[i / 7].kernels))
			continue;
		a = pcp_guest(kernel, 1, 64);
		alloc_set_pageblock_type(a, 2048, MIGRATE_HIGHATOMIC);
		alloc_free_buddy(a, 2048, 4);
		alloc_free_buddy(a, 2064, 2);
		for (pfn_t pfn = 1024; pfn < 1032; pfn += 2)
			alloc_free_buddy(a, pfn, 0);
		ASSERT_U64(kernel, alloc_pages_bulk(a, &req, out, 8),
			   rows[i / 7].got);
		fixture_assert_valid(kernel, a);
		alloc_destroy(a);
	}
}

static void test_bulk__no_pages_above_the_watermark(void **state)
{
	/* 40 free pages, low mark 30: bulk wants to leave 30 behind what it
	 * takes; eight pages can be had so, eleven only one by one. */
	static const struct {
		const char *kernels;
		unsigned int wanted, got;
	} rows[] = {
		/* Before 5.13 a bulk is so many single requests: down to 30. */
		{ K5, 8, 8 }, { K5, 11, 10 }, { K6, 8, 8 }, { K6, 11, 1 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows) * 7; i++) {
		const char *kernel = fixture_kernels[i % 7];
		struct alloc_request req = request(GFP_HIGHUSER_MOVABLE);
		pfn_t out[MOST];
		struct alloc *a;

		if (!kernel_in(kernel, rows[i / 7].kernels))
			continue;
		a = pcp_guest(kernel, 1, 64);
		for (pfn_t pfn = 1024; pfn < 1104; pfn += 2)
			alloc_free_buddy(a, pfn, 0);
		alloc_set_watermarks(a, 0, 0, 30, 35);
		ASSERT_U64(kernel,
			   alloc_pages_bulk(a, &req, out, rows[i / 7].wanted),
			   rows[i / 7].got);
		fixture_assert_valid(kernel, a);
		alloc_destroy(a);
	}
}

static void test_bulk__stays_on_its_node(void **state)
{
	/* Rather one page of another zone or node than many: the zones above
	 * what the request may use do not count, remote ones end the search. */
	static const struct {
		const char *name;
		gfp_t gfp;
		pfn_t free_at;     /* 16 pages */
		unsigned int got;  /* of 8 */
	} rows[] = {
		{ "its own zone", GFP_KERNEL, 4096, 8 },
		{ "a lower zone", GFP_KERNEL, 1024, 8 },
		{ "only below 4 GiB", GFP_KERNEL | GFP_BIT_DMA32, 1024, 8 },
		{ "not below 4 GiB", GFP_KERNEL | GFP_BIT_DMA32, 4096, 0 },
		{ "another node", GFP_KERNEL, 8192, 1 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct alloc *a = three_zones("6.1", 2);
		struct alloc_request req = request(rows[i].gfp);
		pfn_t out[MOST];
		unsigned int got;

		alloc_set_pageblock_type(a, rows[i].free_at,
					 MIGRATE_UNMOVABLE);
		alloc_free_buddy(a, rows[i].free_at, 4);
		got = alloc_pages_bulk(a, &req, out, 8);
		ASSERT_U64(rows[i].name, got, rows[i].got);
		for (unsigned int n = 0; n < got; n++)
			assert_in_range(out[n], rows[i].free_at,
					rows[i].free_at + 15);
		fixture_assert_valid(rows[i].name, a);
		alloc_destroy(a);
	}
}

static void test_bulk__past_the_pcp(void **state)
{
	/* A request that bypasses the lists gets single pages of the buddy. */
	struct alloc *a = pcp_guest("6.1", 4, 64);
	struct alloc_request req = request(GFP_HIGHUSER_MOVABLE);
	struct alloc_pcp_info info;
	pfn_t out[MOST];

	(void)state;
	alloc_free_buddy(a, 1024, 4);
	req.flags = ALLOC_REQ_BUDDY;
	ASSERT_U64("buddy", alloc_pages_bulk(a, &req, out, 3), 3);
	for (pfn_t n = 0; n < 3; n++)
		ASSERT_U64("buddy", out[n], 1024 + n);
	alloc_pcp_info(a, 0, 0, &info);
	ASSERT_U64("pcp", info.count, 0);
	alloc_destroy(a);
}

static void test_bulk__leaves_the_factors_alone(void **state)
{
	/* Eight pages of one call are not eight calls: free_factor halves with
	 * each request that is no bulk. */
	struct alloc *a = pcp_guest("6.1", 4, 64);
	struct alloc_request req = request(GFP_HIGHUSER_MOVABLE);
	struct alloc_pcp_info info;
	pfn_t out[MOST];

	(void)state;
	alloc_set_pcp(a, 0, 0, 4, 64, 64, 4);
	alloc_free_buddy(a, 1024, 5);
	ASSERT_U64("bulk", alloc_pages_bulk(a, &req, out, 8), 8);
	alloc_pcp_info(a, 0, 0, &info);
	ASSERT_U64("after a bulk", info.free_factor, 4);
	ASSERT_U64("one", alloc_pages_bulk(a, &req, out, 1), 1);
	alloc_pcp_info(a, 0, 0, &info);
	ASSERT_U64("after one", info.free_factor, 2);
	alloc_destroy(a);
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(test_bulk__as_many_as_there_are),
	cmocka_unit_test(test_bulk__ends_where_the_lists_do),
	cmocka_unit_test(test_bulk__no_pages_above_the_watermark),
	cmocka_unit_test(test_bulk__stays_on_its_node),
	cmocka_unit_test(test_bulk__past_the_pcp),
	cmocka_unit_test(test_bulk__leaves_the_factors_alone),
};

TEST_MAIN(cases)
