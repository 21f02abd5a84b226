/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What serves a request when its own lists cannot. */
#include <string.h>

#include "alloc/lists.h"
#include "alloc/pageblock.h"
#include "tests/alloc/fixture.h"
#include "tests/test.h"

/* Bits in the order of fixture_kernels[]. */
#define K53 0x01u
#define K57 0x02u
#define K510 0x04u
#define K61 0x08u
#define K6120 0x10u
#define K612 0x20u
#define K618 0x40u
#define K5X (K53 | K57)
#define OLD (K5X | K510 | K61)        /* stolen blocks change lists first */
#define CLAIM_STEAL (K612 | K618)
#define NEW (K6120 | CLAIM_STEAL)     /* remainders stay with their owner */
#define ALL (OLD | NEW)

#define U MIGRATE_UNMOVABLE
#define M MIGRATE_MOVABLE
#define R MIGRATE_RECLAIMABLE
#define H MIGRATE_HIGHATOMIC
#define NOFRAG AF_NOFRAGMENT

struct put {
	pfn_t pfn;
	unsigned int order;
	enum migratetype mt; /* type its pageblock gets first */
};

struct take {
	enum migratetype mt;
	unsigned int order, flags;
	pfn_t pfn;
};

static const struct row {
	const char *name;
	unsigned int kernels;
	struct put puts[6];
	unsigned int nr_puts;
	struct take takes[3];
	unsigned int nr_takes;
	const char *lists;
	const char *types; /* of pageblocks 2, 3, 4 */
	uint64_t boost;
	uint64_t high;     /* raw high watermark */
	bool lru;          /* block 2 is on the LRU where allocated */
} rows[] = {
#define REST_OF_1024 "o0/U[1025] o1/U[1026] o2/U[1028] o3/U[1032] "           \
	"o4/U[1040] o5/U[1056] o6/U[1088] o7/U[1152] o8/U[1280]"
	{ "order 10 is taken whole", ALL, { { 1024, 10, M } }, 1,
	  { { U, 0, 0, 1024 } }, 1, REST_OF_1024 " o9/U[1536]", "UUM", 0, 0,
	  0 },
	{ "order 9 is taken whole", ALL, { { 1024, 9, M } }, 1,
	  { { U, 0, 0, 1024 } }, 1, REST_OF_1024, "UMM", 0, 0, 0 },

	/* 289 free pages of block 2: over the threshold by themselves. */
#define CLAIMED { { 1024, 7, M }, { 1280, 7, M }, { 1472, 5, M },             \
		{ 1216, 0, M } }, 4
	{ "claimed, then the smallest fit", K5X, CLAIMED,
	  { { U, 0, 0, 1216 } }, 1, "o5/U[1472] o7/U[1280 1024]", "UMM", 512,
	  100, 0 },
	{ "claimed, then the smallest fit", ALL & ~K5X, CLAIMED,
	  { { U, 0, 0, 1216 } }, 1, "o5/U[1472] o7/U[1024 1280]", "UMM", 512,
	  100, 0 },

	/* 41 free pages, all others on the LRU: the threshold is missed. */
#define MISSED { { 1472, 5, M }, { 1280, 3, M }, { 1216, 0, M } }, 3
	{ "below the threshold", OLD, MISSED, { { U, 0, 0, 1216 } }, 1,
	  "o3/U[1280] o5/U[1472]", "MMM", 512, 10000, 1 },
	{ "below the threshold", K6120, MISSED, { { U, 0, 0, 1472 } }, 1,
	  "o0/M[1473 1216] o1/M[1474] o2/M[1476] o3/M[1480 1280] o4/M[1488]",
	  "MMM", 512, 10000, 1 },
	{ "below the threshold", CLAIM_STEAL, MISSED, { { U, 0, 0, 1216 } }, 1,
	  "o3/M[1280] o5/M[1472]", "MMM", 1536, 10000, 1 },
	{ "below, three requests", OLD, MISSED,
	  { { U, 0, 0, 1216 }, { U, 0, 0, 1280 }, { U, 1, 0, 1282 } }, 3,
	  "o0/U[1281] o2/U[1284] o5/U[1472]", "MMM", 512, 10000, 1 },
	{ "below, three requests", K6120, MISSED,
	  { { U, 0, 0, 1472 }, { U, 0, 0, 1488 }, { U, 1, 0, 1496 } }, 3,
	  "o0/M[1489 1473 1216] o1/M[1498 1490 1474] o2/M[1500 1492 1476] "
	  "o3/M[1480 1280]", "MMM", 1536, 10000, 1 },
	{ "below, three requests", CLAIM_STEAL, MISSED,
	  { { U, 0, 0, 1216 }, { U, 0, 0, 1280 }, { U, 1, 0, 1282 } }, 3,
	  "o0/M[1281] o2/M[1284] o5/M[1472]", "MMM", 4096, 10000, 1 },
	{ "alike pages count", ALL, MISSED, { { U, 0, 0, 1216 } }, 1,
	  "o3/U[1280] o5/U[1472]", "UMM", 512, 100, 0 },

	{ "movable takes the smallest", OLD,
	  { { 1040, 2, R }, { 1536, 1, U } }, 2, { { M, 0, 0, 1536 } }, 1,
	  "o0/M[1537] o2/R[1040]", "RUM", 0, 0, 0 },
	{ "movable takes the smallest", NEW,
	  { { 1040, 2, R }, { 1536, 1, U } }, 2, { { M, 0, 0, 1536 } }, 1,
	  "o0/U[1537] o2/R[1040]", "RUM", 0, 0, 0 },
	{ "movable prefers R", OLD, { { 1024, 5, R }, { 1536, 5, U } }, 2,
	  { { M, 5, 0, 1024 } }, 1, "o5/U[1536]", "RUM", 0, 0, 0 },
	{ "movable prefers R", NEW, { { 1024, 5, R }, { 1536, 5, U } }, 2,
	  { { M, 5, 0, 1024 } }, 1, "o5/U[1536]", "RUM", 0, 0, 0 },
	{ "reclaimable prefers U", ALL, { { 1024, 5, M }, { 1536, 5, U } }, 2,
	  { { R, 5, 0, 1536 } }, 1, "o5/M[1024]", "MUM", 0, 0, 0 },

	/* Where a moved pageblock's blocks go: 304 free pages. */
#define FOURS { { 1024, 4, M }, { 1056, 4, M }, { 1088, 4, M },               \
		{ 1280, 8, M } }, 4
	{ "moved to the head", K5X, FOURS, { { U, 4, 0, 1088 } }, 1,
	  "o4/U[1056 1024] o8/U[1280]", "UMM", 0, 0, 0 },
	{ "moved to the tail", ALL & ~K5X, FOURS, { { U, 4, 0, 1024 } }, 1,
	  "o4/U[1056 1088] o8/U[1280]", "UMM", 0, 0, 0 },

	{ "nofragment refuses small blocks", ALL, { { 1024, 8, M } }, 1,
	  { { U, 0, NOFRAG, PFN_NONE } }, 1, "o8/M[1024]", "MMM", 0, 0, 0 },
	{ "nofragment takes pageblocks", ALL,
	  { { 1024, 8, M }, { 2048, 9, M } }, 2, { { U, 9, NOFRAG, 2048 } }, 1,
	  "o8/M[1024]", "MMU", 0, 0, 0 },
	{ "a failing order-10 request converts", OLD & ~K61,
	  { { 1024, 9, M }, { 2048, 9, M } }, 2,
	  { { U, 10, NOFRAG, PFN_NONE } }, 1, NULL, "UMU", 0, 0, 0 },
	{ "a failing order-10 request changes nothing", K61 | NEW,
	  { { 1024, 9, M }, { 2048, 9, M } }, 2,
	  { { U, 10, NOFRAG, PFN_NONE } }, 1, "o9/M[2048 1024]", "MMM", 0, 0,
	  0 },

	/* One request, candidates in three pageblocks on the LRU. */
	{ "boost is capped", ALL,
	  { { 1024, 5, M }, { 1536, 5, M }, { 2048, 5, M } }, 3,
	  { { U, 5, 0, 2048 }, { U, 5, 0, 1536 }, { U, 5, 0, 1024 } }, 3, "",
	  "UUU", 1500, 1000, 0 },
	{ "H and C are no fallback", ALL,
	  { { 1024, 5, H }, { 1536, 5, MIGRATE_CMA } }, 2,
	  { { U, 0, 0, PFN_NONE }, { R, 0, 0, PFN_NONE } }, 2,
	  "o5/H[1024] o5/C[1536]", "HCM", 0, 0, 0 },
};

static struct alloc *create_row(const struct row *row, const char *kernel)
{
	struct alloc *a = fixture_create(kernel, 0, 16384);

	alloc_set_watermarks(a, 0, 0, 0, row->high);
	for (unsigned int i = 0; i < row->nr_puts; i++) {
		const struct put *put = &row->puts[i];

		alloc_set_pageblock_type(a, put->pfn, put->mt);
		fixture_put(a, put->pfn, put->order);
	}
	if (row->lru)
		alloc_set_lru(a, 1024, 512, true);
	return a;
}

static void assert_row(const struct row *row, const char *kernel)
{
	struct alloc *a = create_row(row, kernel);
	char name[80];

	snprintf(name, sizeof(name), "%s, %s", kernel, row->name);
	for (unsigned int i = 0; i < row->nr_takes; i++) {
		const struct take *t = &row->takes[i];

		ASSERT_U64(name, fixture_take(a, t->mt, t->order, t->flags),
			   t->pfn);
	}
	if (row->lists)
		fixture_assert_lists(name, a, 0, row->lists);
	for (pfn_t block = 2; block < 5; block++)
		ASSERT_U64(name,
			   "UMRHCI"[alloc_pageblock_type(a, block * 512)],
			   row->types[block - 2]);
	ASSERT_U64(name, zone_at(a, 0)->boost, row->boost);
	alloc_destroy(a);
}

static void test_fallback__blocks_types_and_boost(void **state)
{
	/* Each row in each profile that it names. */
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		for (unsigned int k = 0; fixture_kernels[k]; k++)
			if (rows[i].kernels & (1u << k))
				assert_row(&rows[i], fixture_kernels[k]);
}

static void test_fallback__grouping_off_takes_anything(void **state)
{
	/* Four free pages in 512 are enough, and every type becomes U. */
	(void)state;
	for (const char *const *k = fixture_kernels; *k; k++) {
		struct alloc *a = fixture_create(*k, 0, 4096);

		fixture_put(a, 1024, 2);
		alloc_set_grouping(a, false);
		ASSERT_U64(*k, fixture_take(a, U, 0, 0), 1024);
		fixture_assert_lists(*k, a, 0, "o0/U[1025] o1/U[1026]");
		ASSERT_U64(*k, alloc_pageblock_type(a, 1024), U);
		alloc_destroy(a);
	}
}

static void test_fallback__pageblock_order_10(void **state)
{
	/* Thresholds scale: 512 of 1024 claim, order 5 is the claimable one. */
	(void)state;
	for (unsigned int k = 0; fixture_kernels[k]; k++) {
		const char *kernel = fixture_kernels[k];
		struct alloc *a = fixture_create_profile(
			alloc_profile_find(kernel), 0, 4096, 10);

		fixture_put(a, 1024, 9);
		ASSERT_U64(kernel, fixture_take(a, U, 9, 0), 1024);
		ASSERT_U64(kernel, alloc_pageblock_type(a, 1024), U);
		alloc_set_pageblock_type(a, 2048, R);
		fixture_put(a, 1024, 4);
		fixture_put(a, 2048, 3);
		ASSERT_U64(kernel, fixture_take(a, M, 0, 0), 2048);
		fixture_assert_lists(kernel, a, 0, (OLD >> k) & 1 ?
				     "o0/M[2049] o1/M[2050] o2/M[2052] "
				     "o4/U[1024]" :
				     "o0/R[2049] o1/R[2050] o2/R[2052] "
				     "o4/U[1024]");
		alloc_destroy(a);
	}
}

static void test_fallback__zone_edges_stop_the_whole_block_move(void **state)
{
	/*
	 * Pageblock 2 is cut by the zone's end, or by its start: nothing but
	 * the block itself is taken. Cut by the start, releases up to 6.1 walk
	 * from the block on, and may retype what is left of the pageblock.
	 */
#define MOVED "o0/U[1473] o0/M[1300] o1/U[1474] o2/U[1476] o3/U[1480] "       \
	"o3/M[1280]"
#define STAYED "o0/M[1473 1300] o1/M[1474] o2/M[1476] o3/M[1480 1280]"
	static const struct {
		const char *kernel;
		pfn_t start, end;
		const char *lists;
		char type;
	} edges[] = {
		{ "5.7", 0, 1500, MOVED, 'M' },
		{ "6.1", 0, 1500, MOVED, 'M' },
		{ "6.12.0", 0, 1500, STAYED, 'M' },
		{ "5.3", 1250, 2048, MOVED, 'U' },
		{ "6.1", 1250, 2048, MOVED, 'U' },
		{ "6.12.0", 1250, 2048, STAYED, 'M' },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(edges); i++) {
		const char *kernel = edges[i].kernel;
		struct alloc *a = fixture_create(kernel, edges[i].start,
						 edges[i].end);

		fixture_put(a, 1472, 4);
		fixture_put(a, 1280, 3);
		fixture_put(a, 1300, 0);
		ASSERT_U64(kernel, fixture_take(a, U, 0, 0), 1472);
		fixture_assert_lists(kernel, a, 0, edges[i].lists);
		ASSERT_U64(kernel,
			   "UMRHCI"[alloc_pageblock_type(a, 1472)],
			   edges[i].type);
		alloc_destroy(a);
	}
}

static void test_fallback__cma_rules(void **state)
{
	/* CMA serves movable requests: last up to 5.7, first above half. */
	static const struct {
		const char *kernel;
		unsigned int flags;
		pfn_t first, second;
	} cma[] = {
		{ "5.7", 0, 2048, 1024 },
		{ "5.10", AF_CMA, 1024, 2048 },
		{ "5.10", 0, 2048, PFN_NONE },
		{ "6.1", AF_CMA, 1024, 2048 },
		{ "6.12", AF_CMA, 1024, 2048 },
		{ "6.18", 0, 2048, PFN_NONE },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cma); i++) {
		struct alloc *a = fixture_create(cma[i].kernel, 0, 4096);

		alloc_set_pageblock_type(a, 1024, MIGRATE_CMA);
		fixture_put(a, 1024, 9);
		fixture_put(a, 2048, 8);
		ASSERT_U64(cma[i].kernel, zone_at(a, 0)->nr_free_cma, 512);
		ASSERT_U64(cma[i].kernel,
			   fixture_take(a, M, 8, cma[i].flags), cma[i].first);
		fixture_assert_valid(cma[i].kernel, a);
		if (cma[i].first == 1024)
			ASSERT_U64(cma[i].kernel, fixture_take(a, M, 8, 0),
				   2048);
		else
			ASSERT_U64(cma[i].kernel,
				   fixture_take(a, M, 9, cma[i].flags),
				   cma[i].second);
		alloc_destroy(a);
	}
}

static void test_fallback__refill_remembers_the_steal_stage(void **state)
{
	/*
	 * After a steal the batch goes on stealing, although the first page
	 * freed a smaller own block meanwhile; a fresh request finds that one.
	 */
	struct alloc *a = fixture_create("6.12", 0, 4096);
	enum rmqueue_mode mode = RMQUEUE_NORMAL;
	struct zone *z = zone_at(a, 0);

	(void)state;
	alloc_set_lru(a, 1024, 512, true);
	fixture_put(a, 1024, 3);
	ASSERT_U64("first", rmqueue_block(a, z, 0, U, 0, &mode), 1024);
	ASSERT_U64("mode", mode, RMQUEUE_STEAL);
	alloc_set_pageblock_type(a, 2048, U);
	fixture_put(a, 2048, 0);
	ASSERT_U64("same batch", rmqueue_block(a, z, 0, U, 0, &mode), 1025);
	mode = RMQUEUE_NORMAL;
	ASSERT_U64("next batch", rmqueue_block(a, z, 0, U, 0, &mode), 2048);
	ASSERT_U64("mode", mode, RMQUEUE_NORMAL);
	alloc_destroy(a);
}

static int movable_is_zero(void *ctx, unsigned int zone, pfn_t pageblock)
{
	*(pfn_t *)ctx = pageblock;
	return zone == 0 ? 0 : -1;
}

static void test_fallback__movable_count_can_be_hinted(void **state)
{
	/* The LRU says 471, the hint says 0: then 471 pages are alike. */
	pfn_t asked = PFN_NONE;
	const struct alloc_hooks hooks = {
		.ctx = &asked, .movable_count = movable_is_zero,
	};
	struct alloc *a = fixture_create("6.1", 0, 4096);

	(void)state;
	alloc_set_lru(a, 1024, 512, true);
	fixture_put(a, 1472, 5);
	fixture_put(a, 1280, 3);
	alloc_set_hooks(a, &hooks);
	ASSERT_U64("pfn", fixture_take(a, U, 3, 0), 1280);
	ASSERT_U64("asked about", asked, 1024);
	ASSERT_U64("type", alloc_pageblock_type(a, 1024), U);
	alloc_destroy(a);
}

static void lru_at_last(void *ctx)
{
	struct alloc **a = ctx;

	alloc_set_lru(*a, 1024, 512, true);
}

static void test_fallback__look_around_comes_before_the_count(void **state)
{
	/*
	 * A movable request claims a block of a U pageblock if its other pages
	 * are movable. They are on the LRU only from the hook on.
	 */
	for (unsigned int late = 0; late < 2; late++) {
		struct alloc *a = fixture_create("6.1", 0, 4096);
		const struct alloc_hooks hooks = {
			.ctx = &a, .look_around = late ? lru_at_last : NULL,
		};

		alloc_set_pageblock_type(a, 1024, U);
		fixture_put(a, 1472, 5);
		alloc_set_hooks(a, &hooks);
		ASSERT_U64("pfn", fixture_take(a, M, 0, 0), 1472);
		ASSERT_U64("type", alloc_pageblock_type(a, 1024),
			   late ? M : U);
		alloc_destroy(a);
	}
	(void)state;
}

static void test_fallback__free_and_pcp_pages_are_not_movable(void **state)
{
	/* LRU marks left on pages that are free do not count. */
	struct alloc *a = fixture_create("6.1", 0, 4096);
	struct pageblock_census census;

	(void)state;
	alloc_set_lru(a, 1024, 512, true);
	count_pageblock(a, zone_at(a, 0), 1024, &census);
	ASSERT_U64("unbroken", census.movable, 512);
	fixture_put(a, 1472, 5);
	alloc_load_pcp(a, 0, 0, MIGRATE_MOVABLE, 1024, MIGRATE_MOVABLE);
	count_pageblock(a, zone_at(a, 0), 1500, &census);
	ASSERT_U64("free", census.free, 32);
	ASSERT_U64("movable", census.movable, 512 - 32 - 1);
	fixture_put(a, 2048, 10);
	alloc_set_lru(a, 2048, 1024, true);
	count_pageblock(a, zone_at(a, 0), 2560, &census);
	ASSERT_U64("tail of a free block", census.movable, 0);
	alloc_destroy(a);
}

struct trace {
	char text[512];
	size_t used;
};

static void on_event(void *ctx, const struct alloc_event *ev)
{
	struct trace *t = ctx;
	int n = 0;

	if (ev->kind == ALLOC_EVENT_EXTFRAG)
		n = snprintf(t->text + t->used, sizeof(t->text) - t->used,
			     "extfrag %d o%u %u<-%u o%u %d;", (int)ev->pfn,
			     ev->order, ev->migratetype, ev->fallback_type,
			     ev->fallback_order, ev->change_ownership);
	if (ev->kind == ALLOC_EVENT_ZONE_LOCKED)
		n = snprintf(t->text + t->used, sizeof(t->text) - t->used,
			     "locked %d o%u %u %d;", (int)ev->pfn, ev->order,
			     ev->migratetype, ev->percpu_refill);
	assert_true(n >= 0 && t->used + (size_t)n < sizeof(t->text));
	t->used += (size_t)n;
}

static void test_fallback__events_of_each_release(void **state)
{
	/* U from a movable order-10 block, U again, then a failing order 9. */
	static const struct {
		const char *kernel, *text;
	} traces[] = {
		{ "5.7", "extfrag 1024 o0 0<-1 o10 1;locked 1024 o0 0 1;"
			 "locked 1026 o1 0 0;locked -1 o10 0 0;" },
		{ "6.1", "extfrag 1024 o0 0<-1 o10 1;locked 1024 o0 0 1;"
			 "locked 1026 o1 0 1;" },
		{ "6.12.0", "extfrag 1024 o0 0<-1 o10 1;locked 1026 o1 0 1;" },
		{ "6.12", "extfrag 1024 o0 0<-1 o10 1;locked 1026 o1 0 1;" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(traces); i++) {
		struct alloc *a = fixture_create(traces[i].kernel, 0, 4096);
		struct trace t = { 0 };
		const struct alloc_hooks hooks = {
			.ctx = &t, .event = on_event,
		};

		fixture_put(a, 1024, 10);
		alloc_set_hooks(a, &hooks);
		(void)fixture_take(a, U, 0, 0);
		(void)fixture_take(a, U, 1, 0);
		(void)fixture_take(a, U, 10, 0);
		assert_string_equal(t.text, traces[i].text);
		ASSERT_U64("extfrag", a->cnt.extfrag, 1);
		ASSERT_U64("changed", a->cnt.extfrag_changed, 1);
		alloc_destroy(a);
	}
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(test_fallback__blocks_types_and_boost),
	cmocka_unit_test(test_fallback__grouping_off_takes_anything),
	cmocka_unit_test(test_fallback__pageblock_order_10),
	cmocka_unit_test(test_fallback__zone_edges_stop_the_whole_block_move),
	cmocka_unit_test(test_fallback__cma_rules),
	cmocka_unit_test(test_fallback__refill_remembers_the_steal_stage),
	cmocka_unit_test(test_fallback__movable_count_can_be_hinted),
	cmocka_unit_test(test_fallback__look_around_comes_before_the_count),
	cmocka_unit_test(test_fallback__free_and_pcp_pages_are_not_movable),
	cmocka_unit_test(test_fallback__events_of_each_release),
};

TEST_MAIN(cases)
