/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Watermarks at their limits: one page more or less, one right more or less. */
#include "alloc/walk.h"
#include "tests/alloc/fixture.h"
#include "tests/test.h"

#define M MIGRATE_MOVABLE

struct ask {
	const char *kernel;
	unsigned int order, flags;
	gfp_t gfp;
	uint64_t mark, boost;
	uint64_t reserved, lag; /* highatomic pages; behind the counter */
	bool ok;
};

/* 128 pages are free, in blocks of order 5. */
static const struct ask asks[] = {
	{ "6.1", 0, 0, 0, 127, 0, 0, 0, true },
	{ "6.1", 0, 0, 0, 128, 0, 0, 0, false },
	{ "6.1", 2, 0, 0, 124, 0, 0, 0, true },
	{ "6.1", 2, 0, 0, 125, 0, 0, 0, false },
	/* The counter that tests read may lag. */
	{ "6.1", 0, 0, 0, 117, 0, 0, 10, true },
	{ "6.1", 0, 0, 0, 118, 0, 0, 10, false },
	{ "6.1", 0, 0, 0, 0, 0, 0, 200, false },
	/* Who may use the highatomic reserve. */
	{ "5.7", 1, 0, 0, 20, 0, 100, 0, true },
	{ "5.7", 1, 0, 0, 30, 0, 100, 0, false },
	{ "5.7", 1, AF_OOM, 0, 120, 0, 100, 0, true },
	{ "5.7", 1, AF_NON_BLOCK, 0, 120, 0, 100, 0, true },
	{ "5.7", 1, AF_MIN_RESERVE, 0, 120, 0, 100, 0, false },
	{ "6.1", 1, AF_OOM, 0, 120, 0, 100, 0, true },
	{ "6.1", 1, AF_NON_BLOCK, 0, 120, 0, 100, 0, true },
	{ "6.1", 1, AF_MIN_RESERVE, 0, 120, 0, 100, 0, true },
	/* Up to 6.0 OOM comes instead of HARDER, after HIGH. */
	{ "5.7", 0, AF_OOM | AF_NON_BLOCK, 0, 255, 0, 0, 0, false },
	{ "5.7", 0, AF_OOM | AF_NON_BLOCK, 0, 254, 0, 0, 0, true },
	{ "5.7", 0, AF_NON_BLOCK, 0, 170, 0, 0, 0, false },
	{ "5.7", 0, AF_NON_BLOCK, 0, 169, 0, 0, 0, true },
	{ "5.7", 0, AF_MIN_RESERVE | AF_NON_BLOCK, 0, 340, 0, 0, 0, false },
	{ "5.7", 0, AF_MIN_RESERVE | AF_NON_BLOCK, 0, 338, 0, 0, 0, true },
	/* From 6.1.y on NON_BLOCK helps only with MIN_RESERVE. */
	{ "6.1", 0, AF_NON_BLOCK, 0, 128, 0, 0, 0, false },
	{ "6.1", 0, AF_MIN_RESERVE, 0, 254, 0, 0, 0, true },
	{ "6.1", 0, AF_MIN_RESERVE, 0, 255, 0, 0, 0, false },
	{ "6.1", 0, AF_MIN_RESERVE | AF_NON_BLOCK, 0, 338, 0, 0, 0, true },
	{ "6.1", 0, AF_OOM | AF_MIN_RESERVE, 0, 508, 0, 0, 0, true },
	{ "6.1", 0, AF_OOM | AF_MIN_RESERVE, 0, 512, 0, 0, 0, false },
	/* A boost does not starve atomic requests, of order 0 and at min. */
	{ "5.7", 0, 0, GFP_ATOMIC, 100, 100, 0, 0, false },
	{ "6.1", 0, 0, GFP_ATOMIC, 100, 100, 0, 0, true },
	{ "6.1", 0, 0, GFP_KERNEL, 100, 100, 0, 0, false },
	{ "6.1", 0, AF_WMARK_LOW, GFP_ATOMIC, 100, 100, 0, 0, false },
	{ "6.1", 1, 0, GFP_ATOMIC, 100, 100, 0, 0, false },
	{ "6.12", 0, AF_MIN_RESERVE, GFP_KERNEL, 200, 100, 0, 0, true },
	{ "6.12", 0, 0, GFP_ATOMIC, 100, 100, 0, 0, false },
	{ "6.12", 1, AF_MIN_RESERVE, GFP_KERNEL, 200, 100, 0, 0, false },
};

static void test_watermark_edges__rights_and_limits(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < ARRAY_SIZE(asks); i++) {
		const struct ask *q = &asks[i];
		struct alloc *a = fixture_create(q->kernel, 0, 8192);
		struct zone *z = zone_at(a, 0);

		for (pfn_t pfn = 0; pfn < 256; pfn += 64)
			fixture_put(a, pfn, 5);
		alloc_set_watermarks(a, 0, q->mark, 0, 0);
		alloc_set_boost(a, 0, q->boost);
		alloc_set_highatomic_reserved(a, 0, q->reserved);
		alloc_set_free_lag(a, 0, (int32_t)q->lag);
		ASSERT_U64(test_row(i),
			   zone_watermark_fast(a, z, q->order,
					       q->mark + q->boost, 0, q->flags,
					       q->gfp), q->ok);
		alloc_destroy(a);
	}
}

/* A boost by a small steal: of zones by their size, up to 150 % of high. */
static void test_watermark_edges__boost(void **state)
{
	static const struct {
		const char *kernel;
		uint64_t managed, high, boosted;
	} rows[] = {
		{ "6.1", 2048, 1000, 512 }, { "6.1", 2047, 1000, 0 },
		{ "5.3", 2047, 1000, 512 }, { "6.1", 8192, 0, 0 },
		{ "6.1", 8192, 100, 512 }, { "6.1", 8192, 1, 512 },
	};

	(void)state;
	for (unsigned int i = 0; i < ARRAY_SIZE(rows); i++) {
		struct alloc *a = fixture_create(rows[i].kernel, 0, 8192);
		struct zone *z = zone_at(a, 0);

		alloc_set_managed(a, 0, rows[i].managed);
		alloc_set_watermarks(a, 0, 10, 20, rows[i].high);
		boost_watermark(a, z, AF_KSWAPD);
		ASSERT_U64(test_row(i), z->boost, rows[i].boosted);
		alloc_destroy(a);
	}
}

/* Zones DMA32, Normal and Movable with so many managed pages. */
static struct alloc *machine(const char *kernel, const uint64_t *managed)
{
	static const struct alloc_zone_config zones[] = {
		{ .type = ZONE_DMA32, .start = 0, .end = 4096 },
		{ .type = ZONE_NORMAL, .start = 4096, .end = 8192 },
		{ .type = ZONE_MOVABLE, .start = 8192, .end = 12288 },
	};
	const struct alloc_config config = {
		.profile = alloc_profile_find(kernel),
		.nr_cpus = 1, .nr_nodes = 1, .zones = zones, .nr_zones = 3,
		.pageblock_order = 9, .pcp_disabled = true,
		.watermark_boost_factor = UINT32_MAX,
	};
	struct alloc *a = fixture_create_config(&config);

	for (unsigned int i = 0; i < 3; i++)
		alloc_set_managed(a, i, managed[i]);
	return a;
}

static void test_watermark_edges__min_free_kbytes(void **state)
{
	static const struct {
		const char *kernel;
		uint64_t managed[3];
		uint32_t plain, thp;
	} rows[] = {
		/* sqrt(16 * 4 * 65536) = 2048; 11 pageblocks a zone, 5 % of what is above high. */
		{ "6.1", { 0, 65536, 0 }, 2048, 12952 },
		{ "6.1", { 32768, 32768, 65536 }, 2048, 13028 },
		{ "6.1", { 0, 1 << 20, 0 }, 8192, 22528 },
		{ "6.1", { 1 << 19, 1 << 19, 0 }, 8192, 45056 },
		/* Up to 5.3 not more than 64 MiB. */
		{ "5.3", { 0, 1 << 27, 0 }, 65536, 65536 },
		{ "5.7", { 0, 1 << 27, 0 }, 92681, 92681 },
		{ "6.1", { 0, UINT64_C(1) << 32, 0 }, 262144, 262144 },
		{ "6.1", { 0, 200, 0 }, 128, 128 },
	};

	(void)state;
	for (unsigned int i = 0; i < ARRAY_SIZE(rows); i++) {
		struct alloc *a = machine(rows[i].kernel, rows[i].managed);

		alloc_setup_watermarks(a, 0);
		ASSERT_U64(test_row(i), alloc_min_free_kbytes(a),
			   rows[i].plain);
		alloc_raise_min_free_for_thp(a);
		ASSERT_U64(test_row(i), alloc_min_free_kbytes(a), rows[i].thp);
		alloc_destroy(a);
	}
}

static void test_watermark_edges__movable(void **state)
{
	/* min_free_kbytes = 65536, all but DMA32 100,000 pages. */
	static const struct {
		const char *kernel;
		uint64_t movable, min, low;
	} rows[] = {
		/* A share of both zones; from 6.12 on capped, the gap is not. */
		{ "6.1", 100000, 8192, 10240 },
		{ "6.12", 100000, 97, 97 + 4096 },
		{ "6.12", 50000, 48, 48 + 2048 },
		{ "6.18", 10000, 32, 32 + 409 },
		{ "6.18", 200000, 128, 128 + 8192 },
	};

	(void)state;
	for (unsigned int i = 0; i < ARRAY_SIZE(rows); i++) {
		const uint64_t managed[] = { 0, 100000, rows[i].movable };
		struct alloc *a = machine(rows[i].kernel, managed);
		struct alloc_zone_info info;

		alloc_setup_watermarks(a, 65536);
		alloc_zone_info(a, 2, &info);
		ASSERT_U64(test_row(i), info.wmark_min, rows[i].min);
		ASSERT_U64(test_row(i), info.wmark_low, rows[i].low);
		/* DMA32 is empty: nothing to protect. */
		alloc_zone_info(a, 0, &info);
		ASSERT_U64(test_row(i), info.lowmem_reserve[ZONE_NORMAL], 0);
		alloc_zone_info(a, 1, &info);
		ASSERT_U64(test_row(i), info.lowmem_reserve[ZONE_MOVABLE],
			   rows[i].movable / 32);
		alloc_destroy(a);
	}
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(test_watermark_edges__rights_and_limits),
	cmocka_unit_test(test_watermark_edges__boost),
	cmocka_unit_test(test_watermark_edges__min_free_kbytes),
	cmocka_unit_test(test_watermark_edges__movable),
};

TEST_MAIN(cases)
