/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The slow path: what is asked of the caller, in which order, and the end. */
#include <string.h>

#include "tests/alloc/pcp_fixture.h"
#include "tests/test.h"

#define GFP_NOFAIL_KERNEL (GFP_KERNEL | GFP_BIT_NOFAIL)
#define GFP_MAYFAIL (GFP_KERNEL | GFP_BIT_RETRY_MAYFAIL)
#define GFP_NOWAIT (GFP_BIT_KSWAPD_RECLAIM)
#define GFP_THP_NORETRY (GFP_TRANSHUGE | GFP_BIT_NORETRY)

static struct alloc_request request(gfp_t gfp, unsigned int order)
{
	return (struct alloc_request){
		.gfp = gfp, .order = (uint8_t)order, .node = -1, .zone = -1,
	};
}

/* Questions until the end, answered with `progress`; C, R, O, then . or +. */
static void converse(struct alloc *a, struct alloc_request *req,
		     uint64_t progress, unsigned int max, char *out)
{
	for (unsigned int n = 0; n < max; n++) {
		const struct alloc_result res = alloc_pages(a, req);

		if (res.status != ALLOC_AGAIN) {
			assert_int_equal(res.reason, ALLOC_REASON_NONE);
			*out++ = res.status == ALLOC_OK ? '+' : '.';
			break;
		}
		assert_int_equal(res.pfn, PFN_NONE);
		*out++ = "?CRO"[res.reason];
		req->progress = progress;
	}
	*out = '\0';
}

#define R16 "RRRRRRRRRRRRRRRR"
#define RC4 "RCRCRCRC"
#define RC16 RC4 RC4 RC4 RC4

static void test_slowpath__questions(void **state)
{
	/* An empty guest, and a caller who never gets anywhere, or always
	 * says so without freeing anything. */
	static const struct {
		const char *name, *kernels;
		gfp_t gfp;
		unsigned int order, flags;
		uint64_t progress;
		const char *asked;
	} rows[] = {
		{ "cannot wait", EVERY, GFP_NOWAIT, 0, 0, 0, "." },
		{ "frees memory itself", EVERY, GFP_KERNEL, 0,
		  ALLOC_REQ_MEMALLOC, 0, "." },
		{ "order 0", EVERY, GFP_KERNEL, 0, 0, 0, R16 "RO." },
		{ "order 2", EVERY, GFP_KERNEL, 2, 0, 0, "C" RC16 "RCO." },
		{ "order 2, movable", EVERY, GFP_HIGHUSER_MOVABLE, 2, 0, 0,
		  RC16 "RCO." },
		/* Progress that yields no block: compaction has 16 rounds. */
		{ "order 2, futile progress", EVERY, GFP_KERNEL, 2, 0, 32,
		  "C" RC16 "RCO" RC4 },
		{ "no OOM below Normal", EVERY, GFP_KERNEL | GFP_BIT_DMA32, 0,
		  0, 0, "." },
		{ "may fail", EVERY, GFP_MAYFAIL, 0, 0, 0, R16 "R." },
		{ "no retry", EVERY, GFP_KERNEL | GFP_BIT_NORETRY, 0, 0, 0,
		  "R." },
		{ "costly", EVERY, GFP_KERNEL, 4, 0, 0, "CRC." },
		{ "costly, may fail", EVERY, GFP_MAYFAIL, 4, 0, 0,
		  "C" RC16 "RC." },
		{ "huge, compaction skipped", EVERY, GFP_THP_NORETRY, 9, 0, 0,
		  "C." },
		{ "huge, compaction failed", EVERY, GFP_THP_NORETRY, 9, 0, 1,
		  "CRC." },
		{ "huge on one node", "6.1 6.12",
		  GFP_THP_NORETRY | GFP_BIT_THISNODE, 9, 0, 1, "C." },
		{ "huge on one node", "5.3 5.7 5.10 6.12.0 6.18",
		  GFP_THP_NORETRY | GFP_BIT_THISNODE, 9, 0, 1, "CRC." },
		{ "OOM victim", EVERY, GFP_KERNEL, 0, ALLOC_REQ_OOM_VICTIM, 0,
		  R16 "RO." },
		{ "must not fail", EVERY, GFP_NOFAIL_KERNEL, 0, 0, 0,
		  R16 "RORO" },
		/* Progress of order 0 is believed each time; only a killed
		 * process makes room, and then its victim gives up. */
		{ "futile progress", EVERY, GFP_KERNEL, 0, 0, 32,
		  R16 R16 R16 },
		{ "not on this node alone", EVERY,
		  GFP_KERNEL | GFP_BIT_THISNODE, 0, 0, 0, R16 "R." },
	};
	char asked[64];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows) * 7; i++) {
		const char *kernel = fixture_kernels[i % 7];
		struct alloc_request req =
			request(rows[i / 7].gfp, rows[i / 7].order);
		const char *expected = rows[i / 7].asked;
		struct alloc *a;

		if (!kernel_in(kernel, rows[i / 7].kernels))
			continue;
		a = pcp_guest(kernel, 7, 42);
		req.flags = rows[i / 7].flags;
		converse(a, &req, rows[i / 7].progress,
			 (unsigned int)strlen(expected), asked);
		if (strcmp(asked, expected) != 0)
			fail_msg("%s, %s: asked %s, expected %s",
				 rows[i / 7].name, kernel, asked, expected);
		alloc_destroy(a);
	}
}

static void test_slowpath__after_the_oom_killer(void **state)
{
	/* Somebody was killed: another 16 rounds. The victim itself gives up,
	 * unless it must not fail; such a request takes what is below the
	 * marks first, and may dig deeper at the end of each round. */
	static const struct {
		const char *name;
		gfp_t gfp;
		unsigned int flags;
		pfn_t nr_free;  /* below the marks */
		uint64_t killed;
		const char *asked;
	} rows[] = {
		{ "killed", GFP_KERNEL, 0, 0, 1, R16 "ROR" },
		{ "nobody to kill", GFP_KERNEL, 0, 0, 0, R16 "RO." },
		{ "victim", GFP_KERNEL, ALLOC_REQ_OOM_VICTIM, 0, 1,
		  R16 "RO." },
		{ "must not fail, killed", GFP_NOFAIL_KERNEL, 0, 5, 1,
		  R16 "RO+" },
		{ "must not fail, killed in vain", GFP_NOFAIL_KERNEL, 0, 0, 1,
		  R16 "ROR" },
		{ "must not fail, nobody to kill", GFP_NOFAIL_KERNEL, 0, 80, 0,
		  R16 "RO+" },
		{ "must not fail, and too few", GFP_NOFAIL_KERNEL, 0, 5, 0,
		  R16 "ROR" },
	};
	char asked[64];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows) * 7; i++) {
		const char *kernel = fixture_kernels[i % 7];
		struct alloc_request req = request(rows[i / 7].gfp, 0);
		const size_t n = strlen(rows[i / 7].asked);
		struct alloc *a = pcp_guest(kernel, 7, 42);

		alloc_set_watermarks(a, 0, 100, 120, 140);
		for (pfn_t pfn = 0; pfn < rows[i / 7].nr_free; pfn++)
			alloc_free_buddy(a, 1024 + 2 * pfn, 0);
		req.flags = rows[i / 7].flags;
		converse(a, &req, 0, 18, asked);
		req.progress = rows[i / 7].killed;
		if (asked[17] == 'O')
			converse(a, &req, 0, (unsigned int)n - 18, asked + 18);
		if (strcmp(asked, rows[i / 7].asked) != 0)
			fail_msg("%s, %s: asked %s, expected %s",
				 rows[i / 7].name, kernel, asked,
				 rows[i / 7].asked);
		alloc_destroy(a);
	}
}

static void test_slowpath__only_the_first_compaction_is_cheap(void **state)
{
	/* A costly order that does not insist never gets a better one. */
	static const struct {
		const char *name;
		gfp_t gfp;
		unsigned int order;
		bool cheap[2];
	} rows[] = {
		{ "order 2", GFP_KERNEL, 2, { true, false } },
		{ "order 4", GFP_KERNEL, 4, { true, false } },
		{ "order 9, no retry", GFP_THP_NORETRY, 9, { true, true } },
		{ "order 2, no retry", GFP_KERNEL | GFP_BIT_NORETRY, 2,
		  { true, false } },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct alloc_request req =
			request(rows[i].gfp, rows[i].order);
		struct alloc *a = pcp_guest("6.1", 7, 42);
		unsigned int nr = 0;

		while (nr < 2) {
			const struct alloc_result res = alloc_pages(a, &req);

			if (res.reason == ALLOC_REASON_COMPACT)
				ASSERT_U64(rows[i].name,
					   alloc_wants_async_compact(&req),
					   rows[i].cheap[nr++]);
			assert_int_equal(res.status, ALLOC_AGAIN);
			req.progress = 1;
		}
		alloc_destroy(a);
	}
}

static void test_slowpath__pages_on_the_way(void **state)
{
	/* Whoever frees pages in answer to a question ends it. */
	static const struct {
		const char *name;
		unsigned int order;
		enum alloc_reason answer;
	} rows[] = {
		{ "reclaim, order 0", 0, ALLOC_REASON_RECLAIM },
		{ "reclaim, order 2", 2, ALLOC_REASON_RECLAIM },
		{ "compaction", 2, ALLOC_REASON_COMPACT },
		{ "OOM killer", 0, ALLOC_REASON_OOM },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows) * 7; i++) {
		const char *kernel = fixture_kernels[i % 7];
		struct alloc *a = pcp_guest(kernel, 7, 42);
		struct alloc_request req =
			request(GFP_KERNEL, rows[i / 7].order);
		struct alloc_result res = alloc_pages(a, &req);

		while (res.status == ALLOC_AGAIN) {
			req.progress = 0;
			if (res.reason == rows[i / 7].answer) {
				alloc_free_buddy(a, 1024, 3);
				req.progress = 8;
			}
			res = alloc_pages(a, &req);
		}
		ASSERT_U64(rows[i / 7].name, res.status, ALLOC_OK);
		ASSERT_U64(rows[i / 7].name, res.pfn, 1024);
		ASSERT_U64(rows[i / 7].name, req.slow.stage, 0);
		fixture_assert_valid(kernel, a);
		alloc_destroy(a);
	}
}

static void test_slowpath__reserves_by_right(void **state)
{
	/* 1000 free pages; from which min mark on is a request turned away? */
	static const struct {
		const char *name, *kernels;
		gfp_t gfp;
		unsigned int flags;
		uint64_t enough, too_much;
	} rows[] = {
		{ "ordinary", EVERY, GFP_NOWAIT | GFP_BIT_NOMEMALLOC, 0, 990,
		  1000 },
		{ "HIGH", EVERY, GFP_KERNEL | GFP_BIT_HIGH, 0, 1990, 2010 },
		{ "atomic, three eighths", EVERY, GFP_ATOMIC, 0, 2640, 2700 },
		/* 6.1: a request that cannot wait has no right by itself. */
		{ "NOWAIT", EVERY, GFP_NOWAIT, 0, 990, 1000 },
		{ "OOM victim", EVERY, GFP_KERNEL, ALLOC_REQ_OOM_VICTIM, 1990,
		  2010 },
		{ "frees memory", EVERY, GFP_KERNEL, ALLOC_REQ_MEMALLOC,
		  1000000, 0 },
		{ "may use all", EVERY, GFP_KERNEL | GFP_BIT_MEMALLOC, 0,
		  1000000, 0 },
		{ "must not", EVERY, GFP_KERNEL | GFP_BIT_NOMEMALLOC,
		  ALLOC_REQ_MEMALLOC, 990, 1000 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows) * 7; i++) {
		const char *kernel = fixture_kernels[i % 7];
		struct alloc *a = pcp_guest(kernel, 1, 0);
		struct alloc_request req = request(rows[i / 7].gfp, 0);

		req.flags = rows[i / 7].flags;
		for (pfn_t pfn = 0; pfn < 2000; pfn += 2)
			alloc_free_buddy(a, pfn, 0);
		alloc_set_watermarks(a, 0, rows[i / 7].enough, 2000000,
				     2000000);
		ASSERT_U64(rows[i / 7].name, alloc_pages(a, &req).status,
			   ALLOC_OK);
		alloc_free_buddy(a, 4000, 0);
		alloc_set_watermarks(a, 0, rows[i / 7].too_much, 2000000,
				     2000000);
		if (rows[i / 7].too_much != 0)
			assert_int_not_equal(alloc_pages(a, &req).status,
					     ALLOC_OK);
		alloc_destroy(a);
	}
}

struct wakes {
	unsigned int nr, order;
};

static void note_wake(void *ctx, unsigned int node, unsigned int order,
			unsigned int highest, gfp_t gfp)
{
	struct wakes *w = ctx;

	(void)highest;
	(void)gfp;
	assert_int_equal(node, 0);
	w->nr++;
	w->order = order;
}

static void test_slowpath__kswapd(void **state)
{
	/* Woken on entry and in each round, unless the request forbids it;
	 * stalls count for the highest zone that each request allows. */
	struct wakes w = { 0 };
	const struct alloc_hooks hooks = { .ctx = &w, .kswapd_wake = note_wake };
	struct alloc *a = pcp_guest("6.1", 7, 42);
	struct alloc_request req = request(GFP_KERNEL, 2);

	(void)state;
	alloc_set_hooks(a, &hooks);
	alloc_pages(a, &req);
	ASSERT_U64("entry", w.nr, 1);
	ASSERT_U64("entry", w.order, 2);
	alloc_pages(a, &req);
	ASSERT_U64("round", w.nr, 2);
	req = request(GFP_BIT_IO | GFP_BIT_FS | GFP_BIT_DIRECT_RECLAIM, 0);
	alloc_pages(a, &req);
	ASSERT_U64("forbidden", w.nr, 2);
	ASSERT_U64("counted", alloc_counters(a)->kswapd_wakes, 2);
	ASSERT_U64("stalls", alloc_counters(a)->allocstall[ZONE_NORMAL], 2);
	req = request(GFP_ANON_FAULT, 0);
	alloc_pages(a, &req);
	ASSERT_U64("movable", alloc_counters(a)->allocstall[ZONE_MOVABLE], 1);
	ASSERT_U64("stalls", alloc_counters(a)->allocstall[ZONE_NORMAL], 2);
	alloc_destroy(a);
}

static void test_slowpath__drain_and_unreserve(void **state)
{
	/* What reclaim freed went to another CPU's list, or to H. */
	(void)state;
	for (const char *const *k = fixture_kernels; *k; k++) {
		struct alloc *a = pcp_guest(*k, 7, 42);
		struct alloc_request req = request(GFP_HIGHUSER_MOVABLE, 0);

		ASSERT_U64(*k, alloc_pages(a, &req).reason,
			   ALLOC_REASON_RECLAIM);
		alloc_free(a, 1, 1024, 0);
		req.progress = 1;
		ASSERT_U64(*k, alloc_pages(a, &req).pfn, 1024);
		fixture_assert_valid(*k, a);

		req = request(GFP_HIGHUSER_MOVABLE, 0);
		alloc_set_pageblock_type(a, 2048, MIGRATE_HIGHATOMIC);
		alloc_set_pageblock_type(a, 2560, MIGRATE_HIGHATOMIC);
		alloc_set_highatomic_reserved(a, 0, 1024);
		alloc_free_buddy(a, 2048, 10);
		ASSERT_U64(*k, alloc_pages(a, &req).reason,
			   ALLOC_REASON_RECLAIM);
		req.progress = 1;
		ASSERT_U64(*k, alloc_pages(a, &req).pfn, 2048);
		ASSERT_U64(*k, alloc_pageblock_type(a, 2048),
			   MIGRATE_MOVABLE);
		alloc_destroy(a);
	}
}

static void test_slowpath__nowait_policy(void **state)
{
	/* Without a guest kernel nothing is ever freed: even NOFAIL fails. */
	struct alloc *a = pcp_guest("6.1", 7, 42);
	struct alloc_request req = request(GFP_NOFAIL_KERNEL, 0);

	(void)state;
	ASSERT_U64("empty", alloc_pages_nowait(a, &req).status, ALLOC_FAIL);
	ASSERT_U64("gfp kept", req.gfp, GFP_NOFAIL_KERNEL);
	ASSERT_U64("counted once", alloc_counters(a)->alloc_failures, 1);
	alloc_free_buddy(a, 1024, 0);
	ASSERT_U64("one page", alloc_pages_nowait(a, &req).pfn, 1024);
	alloc_destroy(a);
}

static void test_slowpath__defrag_mode(void **state)
{
	/* 6.18: pageblocks stay pure until reclaim and compaction gave up. */
	struct wakes w = { 0 };
	const struct alloc_hooks hooks = { .ctx = &w, .kswapd_wake = note_wake };
	struct alloc *a = pcp_guest("6.18", 1, 0);
	struct alloc_request req = request(GFP_KERNEL, 0);
	char asked[64];

	(void)state;
	alloc_set_defrag_mode(a, true);
	alloc_set_hooks(a, &hooks);
	alloc_free_buddy(a, 1024, 8);
	converse(a, &req, 0, 60, asked);
	assert_string_equal(asked, R16 "R+");
	ASSERT_U64("a whole pageblock is wanted", w.order, 9);
	fixture_assert_valid("6.18", a);
	alloc_destroy(a);
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(test_slowpath__questions),
	cmocka_unit_test(test_slowpath__after_the_oom_killer),
	cmocka_unit_test(test_slowpath__only_the_first_compaction_is_cheap),
	cmocka_unit_test(test_slowpath__pages_on_the_way),
	cmocka_unit_test(test_slowpath__reserves_by_right),
	cmocka_unit_test(test_slowpath__kswapd),
	cmocka_unit_test(test_slowpath__drain_and_unreserve),
	cmocka_unit_test(test_slowpath__nowait_policy),
	cmocka_unit_test(test_slowpath__defrag_mode),
};

TEST_MAIN(cases)
