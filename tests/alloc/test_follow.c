/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Single blocks, moved as a recorded kernel moved them. */
#include "tests/alloc/pcp_fixture.h"
#include "tests/test.h"

#define U MIGRATE_UNMOVABLE
#define M MIGRATE_MOVABLE

static void test_follow__a_page_leaves_the_middle_of_a_block(void **state)
{
	/* Parts stay free, on the same lists, in front. */
	static const struct {
		pfn_t pfn;
		unsigned int order;
		bool ok;
		const char *lists;
	} rows[] = {
		{ 1024, 3, true, "" },
		{ 1024, 0, true, "o0/M[1025] o1/M[1026] o2/M[1028]" },
		{ 1029, 0, true, "o0/M[1028] o1/M[1030] o2/M[1024]" },
		{ 1030, 1, true, "o1/M[1028] o2/M[1024]" },
		{ 1029, 1, false, "o3/M[1024]" },
		{ 1024, 4, false, "o3/M[1024]" },
		{ 1032, 0, false, "o3/M[1024]" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct alloc *a = fixture_create("6.1", 0, 8192);

		fixture_put(a, 1024, 3);
		/* The list decides, not the pageblock. */
		alloc_set_pageblock_type(a, 1024, U);
		assert_int_equal(alloc_take_off_buddy(a, rows[i].pfn,
						      rows[i].order),
				 rows[i].ok);
		fixture_assert_lists("taken", a, 0, rows[i].lists);
		alloc_destroy(a);
	}
}

/* CPU 0 has 1030 1028 1026 on its movable list, CPU 1 has 1040. */
static struct alloc *guest(void)
{
	struct alloc *a = pcp_guest("6.1", 7, 42);

	alloc_free(a, 0, 1026, 0);
	alloc_free(a, 0, 1028, 0);
	alloc_free(a, 0, 1030, 0);
	alloc_free(a, 1, 1040, 0);
	return a;
}

static void test_follow__the_owner_of_a_pcp_page(void **state)
{
	/* Wherever it is on its list, whatever the guess. */
	static const struct {
		pfn_t pfn;
		unsigned int cpu;
	} rows[] = { { 1030, 0 }, { 1028, 0 }, { 1026, 0 }, { 1040, 1 } };
	struct alloc *a = guest();
	unsigned int pindex;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		for (unsigned int guess = 0; guess < 3; guess++) {
			pindex = 99;
			ASSERT_U64("cpu",
				   alloc_pcp_owner(a, rows[i].pfn, guess,
						   &pindex),
				   rows[i].cpu);
			ASSERT_U64("list", pindex, M);
		}
	alloc_destroy(a);
}

static void test_follow__pcp_pages_move_one_by_one(void **state)
{
	/* Out of the middle, back in front, and to the buddy. */
	struct alloc *a = guest();

	(void)state;
	alloc_pcp_remove(a, 0, 1028);
	pcp_assert("removed", a, 0, "o0/M{1030 1026} count=2");
	alloc_pcp_push(a, 0, M, 1028, M);
	pcp_assert("pushed", a, 0, "o0/M{1028 1030 1026} count=3");
	alloc_pcp_flush_block(a, 0, 1030);
	pcp_assert("flushed", a, 0, "o0/M{1028 1026} count=2");
	fixture_assert_lists("flushed", a, 0, "o0/M[1030]");
	alloc_destroy(a);
}

static void test_follow__a_flush_uses_the_cached_type(void **state)
{
	/* Up to 6.1; from 6.7 on the pageblock is read again. */
	static const char *const kernels[] = { "6.1", "6.12" };
	static const char *const lists[] = { "o0/M[1026]", "o0/U[1026]" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(kernels); i++) {
		struct alloc *a = pcp_guest(kernels[i], 7, 42);

		alloc_free(a, 0, 1026, 0);
		alloc_set_pageblock_type(a, 1026, U);
		alloc_pcp_flush_block(a, 0, 1026);
		fixture_assert_lists(kernels[i], a, 0, lists[i]);
		alloc_destroy(a);
	}
}

struct seen {
	unsigned int flushes, refills;
	uint32_t nr;
	unsigned int pindex;
};

static bool saw_flush(void *ctx, unsigned int zone, unsigned int cpu,
		      uint32_t nr_pages, unsigned int pindex)
{
	struct seen *s = ctx;

	(void)zone;
	(void)cpu;
	s->flushes++;
	s->nr = nr_pages;
	s->pindex = pindex;
	return true;
}

static bool saw_refill(void *ctx, unsigned int zone, unsigned int cpu,
		       unsigned int order, enum migratetype mt)
{
	struct seen *s = ctx;

	(void)zone;
	(void)cpu;
	(void)order;
	(void)mt;
	s->refills++;
	return true;
}

static void test_follow__hooks_stand_in_for_flush_and_refill(void **state)
{
	/* High is 2: the second free would flush one page of the list. */
	struct seen s = { 0 };
	const struct alloc_hooks hooks = { .ctx = &s,
					   .notify_order = NR_PAGE_ORDERS,
					   .pcp_flush = saw_flush,
					   .pcp_refill = saw_refill };
	struct alloc *a = pcp_guest("6.1", 1, 2);

	(void)state;
	alloc_set_hooks(a, &hooks);
	alloc_free(a, 0, 1026, 0);
	alloc_free(a, 0, 1028, 0);
	ASSERT_U64("flushes", s.flushes, 1);
	ASSERT_U64("pages", s.nr, 1);
	ASSERT_U64("list", s.pindex, M);
	pcp_assert("not flushed", a, 0, "o0/M{1028 1026} count=2");
	fixture_put(a, 2048, 3);
	ASSERT_U64("no page", alloc_pcp_take(a, 0, 1, 0, M), PFN_NONE);
	ASSERT_U64("refills", s.refills, 1);
	fixture_assert_lists("not refilled", a, 0, "o3/M[2048]");
	alloc_destroy(a);
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(test_follow__a_page_leaves_the_middle_of_a_block),
	cmocka_unit_test(test_follow__the_owner_of_a_pcp_page),
	cmocka_unit_test(test_follow__pcp_pages_move_one_by_one),
	cmocka_unit_test(test_follow__a_flush_uses_the_cached_type),
	cmocka_unit_test(test_follow__hooks_stand_in_for_flush_and_refill),
};

TEST_MAIN(cases)
