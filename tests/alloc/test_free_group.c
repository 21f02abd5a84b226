/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Many single pages given back at once leave what single frees leave. */
#include <string.h>

#include "tests/alloc/fixture.h"
#include "tests/test.h"

#define U MIGRATE_UNMOVABLE
#define M MIGRATE_MOVABLE
#define MOST 600
#define ZONES_MEET 2600 /* inside a region, and inside a block of order 3 */

/* What the hooks were told, and the counts while they were. */
struct told {
	uint64_t said[512];
	unsigned int nr;
};

static void tell(struct told *t, uint64_t what)
{
	if (t->nr < ARRAY_SIZE(t->said))
		t->said[t->nr] = what;
	t->nr++;
}

struct guest {
	struct alloc *a;
	struct told told;
	struct alloc_work work;
};

static int coin(void *ctx, pfn_t freed)
{
	struct guest *g = ctx;

	tell(&g->told, freed);
	return (int)(freed & 1);
}

static void notify(void *ctx, unsigned int zone, pfn_t pfn, unsigned int order)
{
	struct guest *g = ctx;

	(void)zone;
	tell(&g->told, (uint64_t)order << 32 | pfn);
	tell(&g->told, alloc_free_pages(g->a));
}

/* Some order-0 pages: [first, first + nr), ascending or descending. */
struct run {
	pfn_t first;
	unsigned int nr;
	bool descending;
	enum migratetype mt;
	unsigned int every; /* n-th page is unmovable; 0: none */
};

static const struct run runs[] = {
	{ 1024, 64, false, M, 0 }, { 1024, 64, true, M, 0 },
	{ 1027, 61, false, M, 0 }, { 1027, 61, true, M, 0 },
	{ 1000, 100, false, M, 0 }, { 1000, 100, true, M, 0 },
	{ 1024, 512, false, M, 0 }, { 1024, 512, true, M, 0 },
	/* Over the end of a zone inside a region, from both sides. */
	{ 2530, 70, false, M, 0 }, { 2530, 70, true, M, 0 },
	{ 2600, 70, false, M, 0 }, { 2600, 70, true, M, 0 },
	/* Types that change on the way. */
	{ 1024, 64, false, M, 5 }, { 1024, 64, true, M, 7 },
	{ 1026, 40, true, U, 0 }, { 3584, 64, false, M, 2 },
	{ 3584, 512, false, M, 0 }, { 3584, 512, true, M, 0 },
};

static void start(struct guest *g, const char *kernel, unsigned int order)
{
	static const struct alloc_zone_config zones[] = {
		{ .type = ZONE_DMA32, .start = 0, .end = ZONES_MEET },
		{ .type = ZONE_NORMAL, .start = ZONES_MEET, .end = 8192 },
	};
	const struct alloc_config config = {
		.profile = alloc_profile_find(kernel),
		.nr_cpus = 1, .nr_nodes = 1, .zones = zones, .nr_zones = 2,
		.pageblock_order = 9, .pcp_disabled = true, .cma = true,
		.isolation = true, .watermark_boost_factor = UINT32_MAX,
	};
	const struct alloc_hooks hooks = {
		.reporter_ctx = g, .ctx = g, .shuffle_coin = coin,
		.notify_order = order,
		.free_notify = order < NR_PAGE_ORDERS ? notify : NULL,
	};

	memset(g, 0, sizeof(*g));
	g->a = fixture_create_config(&config);
	alloc_set_hooks(g->a, &hooks);
	alloc_set_work(g->a, &g->work);
	alloc_set_shuffle(g->a, true);
	/* Beyond the border a buddy is free, and so are halves of pairs. */
	fixture_put(g->a, ZONES_MEET, 3);
	fixture_put(g->a, 1536, 9);
	fixture_put(g->a, 3072, 9);
	g->told.nr = 0;
}

static unsigned int pages_of(const struct run *r, pfn_t *pfn, uint8_t *mt)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < r->nr; i++) {
		const pfn_t page = r->first +
				   (r->descending ? r->nr - 1 - i : i);

		/* Those are free, see start(). */
		if (page >= ZONES_MEET && page < ZONES_MEET + 8)
			continue;
		pfn[n] = page;
		mt[n++] = (uint8_t)(r->every && i % r->every == 0 ? U : r->mt);
	}
	return n;
}

static void assert_same(const char *row, const struct guest *one,
			const struct guest *other)
{
	const struct alloc *a = one->a, *b = other->a;

	ASSERT_U64(row, one->told.nr, other->told.nr);
	assert_memory_equal(one->told.said, other->told.said,
			    sizeof(one->told.said));
	ASSERT_U64(row, one->work.merges, other->work.merges);
	ASSERT_U64(row, one->work.list_touches, other->work.list_touches);
	for (unsigned int i = 0; i < 2 * NR_PAGE_ORDERS * MIGRATE_TYPES; i++) {
		const unsigned int zone = i & 1;
		const unsigned int order = i / 2 / MIGRATE_TYPES;
		const enum migratetype mt = i / 2 % MIGRATE_TYPES;
		pfn_t p = alloc_list_first(a, zone, order, mt);
		pfn_t q = alloc_list_first(b, zone, order, mt);

		for (; p == q && p != PFN_NONE;
		     p = alloc_list_next(a, p), q = alloc_list_next(b, q))
			;
		ASSERT_U64(row, p, q);
		ASSERT_U64(row, alloc_zone_free_pages(a, zone),
			   alloc_zone_free_pages(b, zone));
	}
	fixture_assert_valid(row, a);
}

static void test_free_group__leaves_what_single_frees_leave(void **state)
{
	/* Nobody listens, or a reporter does from some order on. */
	static const unsigned int orders[] = { NR_PAGE_ORDERS, 10, 9, 8, 3, 0 };
	static struct guest group, single;
	pfn_t pfn[MOST];
	uint8_t mt[MOST];
	char row[64];

	(void)state;
	for (unsigned int i = 0; i < ARRAY_SIZE(runs); i++)
		for (unsigned int k = 0; fixture_kernels[k]; k++)
			for (unsigned int o = 0; o < ARRAY_SIZE(orders); o++) {
				const unsigned int nr = pages_of(&runs[i], pfn,
								 mt);
				struct zone *z;

				snprintf(row, sizeof(row), "run %u, %s, from "
					 "order %u", i, fixture_kernels[k],
					 orders[o]);
				start(&group, fixture_kernels[k], orders[o]);
				start(&single, fixture_kernels[k], orders[o]);
				z = pfn_zone(group.a, pfn[0]);
				free_page_group(group.a, z, pfn, mt, nr);
				z = pfn_zone(single.a, pfn[0]);
				for (unsigned int n = 0; n < nr; n++)
					free_one_page(single.a, z, pfn[n], 0,
						      mt[n], 0);
				assert_same(row, &group, &single);
				alloc_destroy(group.a);
				alloc_destroy(single.a);
			}
}

static void test_free_group__a_compactor_gets_its_block(void **state)
{
	/* Order 3 out of 64 neighbours: the group is freed page by page. */
	static struct guest g;
	pfn_t pfn[MOST];
	uint8_t mt[MOST];
	const unsigned int nr = pages_of(&(struct run){ 1024, 64, false, U, 0 },
					 pfn, mt);

	(void)state;
	start(&g, "6.1", NR_PAGE_ORDERS);
	alloc_set_pageblock_type(g.a, 1024, U);
	alloc_capture_any(g.a, 0, 3, U);
	free_page_group(g.a, zone_at(g.a, 0), pfn, mt, nr);
	ASSERT_U64("captured", alloc_capture_collect(g.a), 1024);
	ASSERT_U64("left", alloc_is_free_head(g.a, 1024), false);
	alloc_destroy(g.a);
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(test_free_group__leaves_what_single_frees_leave),
	cmocka_unit_test(test_free_group__a_compactor_gets_its_block),
};

TEST_MAIN(cases)
