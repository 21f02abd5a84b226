/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The slow path at its edges: who goes round again, who may kill, which rights
 * lead to which lists. Guests are small, and nearly all of them is in use.
 */
#include <string.h>

#include "alloc/walk.h"
#include "tests/alloc/pcp_fixture.h"
#include "tests/test.h"

#define GFP_MAYFAIL (GFP_KERNEL | GFP_BIT_RETRY_MAYFAIL)
#define GFP_NOWAIT (GFP_BIT_KSWAPD_RECLAIM)
#define GFP_THP_NORETRY (GFP_TRANSHUGE | GFP_BIT_NORETRY)
#define R16 "RRRRRRRRRRRRRRRR"
#define RC4 "RCRCRCRC"
#define RC16 RC4 RC4 RC4 RC4

/* DMA32 [0, 4096), Normal [4096, 12288), 2 CPUs, CMA possible. */
static struct alloc *guest(const char *kernel)
{
	static const struct alloc_zone_config zones[] = {
		{ .type = ZONE_DMA32, .start = 0, .end = 4096 },
		{ .type = ZONE_NORMAL, .start = 4096, .end = 12288 },
	};
	const struct alloc_config config = {
		.profile = alloc_profile_find(kernel),
		.nr_cpus = 2, .nr_nodes = 1, .zones = zones, .nr_zones = 2,
		.pageblock_order = 9, .cma = true, .isolation = true,
		.watermark_boost_factor = UINT32_MAX,
	};
	struct alloc *a = fixture_create_config(&config);

	for (unsigned int i = 0; i < 4; i++)
		alloc_set_pcp(a, i & 1, i / 2, 7, 42, 42, 0);
	return a;
}

/* What is free, and what the caller does at the last question. */
struct scene {
	const char *name, *kernels;
	gfp_t gfp;
	unsigned int order, flags;
	const char *free;      /* program for pcp_run() */
	uint64_t min, low, high; /* of Normal */
	uint64_t progress[128]; /* by 'C', 'R', 'O' */
	unsigned int late;     /* question at which `later` is run; 0: none */
	const char *later;
	const char *asked;
	pfn_t pfn;             /* PFN_NONE: whatever */
};

#define NO { 0 }
#define SOME { ['C'] = 1, ['R'] = 1 }
#define KILLS { ['O'] = 1 }

static const struct scene scenes[] = {
	/* Order 3 is not costly. */
	{ "order 3", EVERY, GFP_KERNEL, 3, 0, "", 0, 0, 0, NO, 0, "",
	  "C" RC16 "RCO.", PFN_NONE },
	/* Killing brings no memory below Normal, nor on this node alone. */
	{ "DMA32", EVERY, GFP_KERNEL | GFP_BIT_DMA32, 0, 0, "", 0, 0, 0, NO, 0,
	  "", R16 "R.", PFN_NONE },
	{ "one node", EVERY, GFP_KERNEL | GFP_BIT_THISNODE, 0, 0, "", 0, 0, 0,
	  NO, 0, "", R16 "R.", PFN_NONE },
	/* A huge page whose compaction did not run is not looked for again. */
	{ "no progress, huge", EVERY, GFP_THP_NORETRY, 9, 0, "", 0, 0, 0, NO, 1,
	  "put 4608 9", "C.", PFN_NONE },
	/* Costly orders have 16 rounds, whatever reclaim says. */
	{ "costly, may fail, progress", EVERY, GFP_MAYFAIL, 4, 0, "put 5120 4",
	  1000, 1000, 1000, SOME, 0, "", "C" RC16 "RC.", PFN_NONE },
	{ "order 2 that is there, progress", EVERY, GFP_KERNEL, 2, 0,
	  "put 5120 4", 1000, 1000, 1000, SOME, 0, "", "C" RC16 RC16,
	  PFN_NONE },
	/* What other CPUs hold is looked for after progress only. */
	{ "on another CPU", EVERY, GFP_HIGHUSER_MOVABLE, 0, 0,
	  "cpu 1; f 5120 0; cpu 0", 0, 0, 0, NO, 0, "", R16 "RO.", PFN_NONE },
	/* Reclaim leaves the last reserved pageblock, the end does not. */
	{ "last reserve, progress", EVERY, GFP_KERNEL, 0, 0,
	  "type 5120 H; put 5120 9", 0, 0, 0, SOME, 0, "", "RRRRR", PFN_NONE },
	{ "last reserve, no progress", EVERY, GFP_KERNEL, 0, 0,
	  "type 5120 H; put 5120 9", 0, 0, 0, NO, 0, "", R16 "R+", 5120 },
	/* Before a kill the high mark is asked, in case somebody has freed. */
	{ "freed, below high", EVERY, GFP_KERNEL, 0, 0, "", 0, 10, 100, NO, 17,
	  "put 5120 5", R16 "RO.", PFN_NONE },
	{ "freed, above high", EVERY, GFP_KERNEL, 0, 0, "", 0, 10, 20, NO, 17,
	  "put 5120 5", R16 "R+", 5120 },
	/* After a kill: again from the start, but a victim dies. */
	{ "kill", EVERY, GFP_KERNEL, 0, 0, "", 0, 0, 0, KILLS, 0, "",
	  R16 "RO" R16 "RO", PFN_NONE },
	{ "victim", EVERY, GFP_KERNEL, 0, ALLOC_REQ_OOM_VICTIM, "", 0, 0, 0,
	  KILLS, 0, "", R16 "RO.", PFN_NONE },
	{ "kill, must not fail", EVERY, GFP_KERNEL | GFP_BIT_NOFAIL, 0, 0,
	  "put 5120 2", 1000, 1000, 1000, KILLS, 0, "", R16 "RO+", 5120 },
	{ "no victim, must not fail", EVERY, GFP_KERNEL | GFP_BIT_NOFAIL, 0, 0,
	  "put 5120 6", 80, 80, 80, NO, 0, "", R16 "RO+", 5120 },
	/* Who has a right to what is below min: half, and then a quarter. */
	{ "atomic", EVERY, GFP_ATOMIC, 0, 0, "put 5120 6", 160, 500, 500, NO, 0,
	  "", "+", 5120 },
	{ "atomic, no reserves", EVERY, GFP_ATOMIC | GFP_BIT_NOMEMALLOC, 0, 0,
	  "put 5120 6", 160, 500, 500, NO, 0, "", ".", PFN_NONE },
	{ "HIGH, cannot wait", K6, GFP_NOWAIT | GFP_BIT_HIGH, 0, 0,
	  "put 5120 6", 160, 500, 500, NO, 0, "", "+", 5120 },
	{ "HIGH, cannot wait", K5, GFP_NOWAIT | GFP_BIT_HIGH, 0, 0,
	  "put 5120 6", 160, 500, 500, NO, 0, "", ".", PFN_NONE },
	/* Highatomic lists first: orders above 0 that are HIGH as well. */
	{ "order 0, past the CPU's lists", EVERY, GFP_ATOMIC, 0,
	  ALLOC_REQ_BUDDY, "type 5120 H; put 5120 9; type 6144 U; put 6144 5", 0,
	  5000, 5000, NO, 0, "", "+", 6144 },
	{ "order 4", EVERY, GFP_ATOMIC, 4, 0,
	  "type 5120 H; put 5120 9; type 6144 U; put 6144 5", 0, 5000, 5000, NO,
	  0, "", "+", 5120 },
	{ "order 4, not HIGH", K5 " 6.1 6.12 6.18", GFP_NOWAIT, 4, 0,
	  "type 5120 H; put 5120 9; type 6144 U; put 6144 5", 0, 5000, 5000, NO,
	  0, "", "+", 6144 },
	{ "order 4, not HIGH", "6.12.0", GFP_NOWAIT, 4, 0,
	  "type 5120 H; put 5120 9; type 6144 U; put 6144 5", 0, 5000, 5000, NO,
	  0, "", "+", 5120 },
	/* And last, from 6.1 on. */
	{ "order 0, H alone", K6, GFP_ATOMIC, 0, ALLOC_REQ_BUDDY,
	  "type 5120 H; put 5120 9", 0, 5000, 5000, NO, 0, "", "+", 5120 },
	{ "order 0, H alone", K5, GFP_ATOMIC, 0, ALLOC_REQ_BUDDY,
	  "type 5120 H; put 5120 9", 0, 5000, 5000, NO, 0, "", ".", PFN_NONE },
	/* Who frees memory keeps CMA, and no other right. */
	{ "frees memory, atomic", K6, GFP_ATOMIC, 4, ALLOC_REQ_MEMALLOC,
	  "type 5120 H; put 5120 9; type 6144 U; put 6144 5", 90000, 90000, 90000,
	  NO, 0, "", "+", 6144 },
	{ "frees memory, CMA", EVERY, GFP_HIGHUSER_MOVABLE, 0,
	  ALLOC_REQ_MEMALLOC, "type 5120 C; put 5120 9", 90000, 90000, 90000,
	  NO, 0, "", "+", 5120 },
};

static void play(const struct scene *s, const char *kernel)
{
	struct alloc_request req = {
		.gfp = s->gfp, .order = (uint8_t)s->order, .node = -1,
		.zone = -1, .flags = (uint8_t)s->flags,
	};
	struct alloc *a = guest(kernel);
	char row[96], asked[96] = "";
	unsigned int n = 0;

	snprintf(row, sizeof(row), "%s, %s", s->name, kernel);
	pcp_run(row, a, s->free);
	if (strstr(s->free, " H;"))
		alloc_set_highatomic_reserved(a, 1, 512);
	alloc_set_watermarks(a, 1, s->min, s->low, s->high);
	while (n < strlen(s->asked)) {
		const struct alloc_result res = alloc_pages(a, &req);

		if (res.status != ALLOC_AGAIN) {
			asked[n++] = res.status == ALLOC_OK ? '+' : '.';
			if (s->pfn != PFN_NONE)
				ASSERT_U64(row, res.pfn, s->pfn);
			break;
		}
		asked[n++] = "?CRO"[res.reason];
		req.progress = s->progress[(unsigned char)asked[n - 1]];
		if (n == s->late)
			pcp_run(row, a, s->later);
	}
	if (strcmp(asked, s->asked) != 0)
		fail_msg("%s: asked %s, expected %s", row, asked, s->asked);
	fixture_assert_valid(row, a);
	alloc_destroy(a);
}

static void test_slowpath_edges__scenes(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(scenes); i++)
		for (const char *const *k = fixture_kernels; *k; k++)
			if (kernel_in(*k, scenes[i].kernels))
				play(&scenes[i], *k);
}

static void test_slowpath_edges__kswapd_is_woken_once_a_node(void **state)
{
	/* Two zones, one node: on entry, and in each round. */
	struct alloc *a = guest("6.1");
	struct alloc_request req = {
		.gfp = GFP_KERNEL, .order = 2, .node = -1, .zone = -1,
	};

	(void)state;
	alloc_pages(a, &req);
	ASSERT_U64("entry", alloc_counters(a)->kswapd_wakes, 1);
	/* The answer is no, and a block has come: the next round finds it. */
	pcp_run("late", a, "put 5120 9");
	ASSERT_U64("found", alloc_pages(a, &req).status, ALLOC_OK);
	ASSERT_U64("round", alloc_counters(a)->kswapd_wakes, 2);
	alloc_destroy(a);
}

static void test_slowpath_edges__how_hard_to_compact(void **state)
{
	static const struct {
		gfp_t gfp;
		unsigned int order;
		bool light_first, light_later;
	} rows[] = {
		{ GFP_KERNEL, 2, true, false },
		{ GFP_KERNEL | GFP_BIT_NORETRY, 2, true, false },
		{ GFP_MAYFAIL, 9, true, false },
		{ GFP_THP_NORETRY, 9, true, true },
	};

	(void)state;
	for (unsigned int i = 0; i < ARRAY_SIZE(rows); i++) {
		struct alloc *a = guest("6.1");
		struct alloc_request req = {
			.gfp = rows[i].gfp, .order = (uint8_t)rows[i].order,
			.node = -1, .zone = -1,
		};

		ASSERT_U64(test_row(i), alloc_pages(a, &req).reason,
			   ALLOC_REASON_COMPACT);
		ASSERT_U64(test_row(i), alloc_wants_async_compact(&req),
			   rows[i].light_first);
		req.progress = 1;
		ASSERT_U64(test_row(i), alloc_pages(a, &req).reason,
			   ALLOC_REASON_RECLAIM);
		alloc_pages(a, &req);
		ASSERT_U64(test_row(i), alloc_wants_async_compact(&req),
			   rows[i].light_later);
		alloc_destroy(a);
	}
}

static void test_slowpath_edges__movable_without_cma_rights(void **state)
{
	/* At the high mark CMA is not allowed: 5.10 and 6.1 pass the lists by. */
	(void)state;
	for (const char *const *k = fixture_kernels; *k; k++) {
		struct alloc_request req = {
			.gfp = GFP_HIGHUSER_MOVABLE, .node = -1, .zone = -1,
		};
		struct alloc *a = guest(*k);
		struct alloc_pcp_info info;

		for (unsigned int n = 0; n < 17; n++)
			ASSERT_U64(*k, alloc_pages(a, &req).reason,
				   ALLOC_REASON_RECLAIM);
		pcp_run(*k, a, "put 5120 5");
		ASSERT_U64(*k, alloc_pages(a, &req).pfn, 5120);
		alloc_pcp_info(a, 1, 0, &info);
		ASSERT_U64(*k, info.count, kernel_in(*k, "5.10 6.1") ? 0 : 6);
		alloc_destroy(a);
	}
}

static void test_slowpath_edges__an_empty_list_tries_the_buddy(void **state)
{
	/*
	 * One lock for the refill, from 6.1 on one more for the buddy; and
	 * again, as fragmentation is avoided at first.
	 */
	(void)state;
	for (const char *const *k = fixture_kernels; *k; k++) {
		struct alloc_request req = {
			.gfp = GFP_KERNEL | GFP_BIT_THISNODE, .node = -1,
			.zone = 1, .flags = ALLOC_REQ_NO_SLOWPATH,
		};
		struct alloc *a = guest(*k);
		struct alloc_work work = { 0 };

		/* Reserved: the watermark sees it, the request cannot. */
		pcp_run(*k, a, "type 5120 H; put 5120 9");
		alloc_set_work(a, &work);
		zone_at(a, 1)->nr_free_highatomic = 0;
		zone_limits_changed(a, zone_at(a, 1));
		ASSERT_U64(*k, alloc_pages(a, &req).pfn, PFN_NONE);
		ASSERT_U64(*k, work.lock_acquisitions,
			   kernel_in(*k, K5) ? 2 : 4);
		alloc_destroy(a);
	}
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(test_slowpath_edges__scenes),
	cmocka_unit_test(test_slowpath_edges__kswapd_is_woken_once_a_node),
	cmocka_unit_test(test_slowpath_edges__how_hard_to_compact),
	cmocka_unit_test(test_slowpath_edges__movable_without_cma_rights),
	cmocka_unit_test(test_slowpath_edges__an_empty_list_tries_the_buddy),
};

TEST_MAIN(cases)
