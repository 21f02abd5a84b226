/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Pageblocks reserved for high-order atomic requests. */
#include "alloc/walk.h"
#include "tests/alloc/pcp_fixture.h"
#include "tests/test.h"

static struct alloc_request atomic(unsigned int order)
{
	return (struct alloc_request){
		.gfp = GFP_ATOMIC | GFP_BIT_HIGH | GFP_BIT_ATOMIC,
		.order = (uint8_t)order,
		.node = -1,
		.zone = -1,
		.flags = ALLOC_REQ_HIGHATOMIC | ALLOC_REQ_NO_SLOWPATH,
	};
}

/* Zone [0, 8192) that pretends to be larger, so that 6.12 reserves, too. */
static struct alloc *big_guest(const char *kernel)
{
	struct alloc *a = pcp_guest(kernel, 1, 0);

	alloc_set_managed(a, 0, 60000);
	return a;
}

static void test_highatomic__reserve_and_use(void **state)
{
	/* The first request takes an ordinary page and reserves its pageblock;
	 * the next one is served from there, others are not. */
	(void)state;
	for (const char *const *k = fixture_kernels; *k; k++) {
		struct alloc_request req = atomic(4);
		struct alloc *a = big_guest(*k);

		alloc_set_pageblock_type(a, 1024, MIGRATE_UNMOVABLE);
		alloc_free_buddy(a, 1024, 7);
		alloc_free_buddy(a, 2048, 8);
		/* Reserved pages count as used up to 6.1, so have more. */
		alloc_free_buddy(a, 4096, 10);
		ASSERT_U64(*k, alloc_pages(a, &req).pfn, 1024);
		fixture_assert_lists(*k, a, 0, "o4/H[1040] o5/H[1056] "
				     "o6/H[1088] o8/M[2048] o10/M[4096]");
		ASSERT_U64(*k, a->zones[0].nr_reserved_highatomic, 512);
		ASSERT_U64(*k, a->zones[0].nr_free_highatomic, 112);
		ASSERT_U64(*k, alloc_pages(a, &req).pfn, 1040);
		ASSERT_U64(*k, a->zones[0].nr_reserved_highatomic, 512);
		req.flags &= ~ALLOC_REQ_HIGHATOMIC;
		req.gfp = GFP_HIGHUSER_MOVABLE;
		ASSERT_U64(*k, alloc_pages(a, &req).pfn, 2048);
		/* Freed pages return to the H lists. */
		alloc_free(a, 0, 1024, 4);
		alloc_free(a, 0, 1040, 4);
		assert_int_equal(alloc_list_first(a, 0, 7, MIGRATE_HIGHATOMIC),
				 1024);
		fixture_assert_valid(*k, a);
		alloc_destroy(a);
	}
}

static void test_highatomic__limit(void **state)
{
	/* managed/100 + 512, or from 6.12 on rounded up, none if it is small. */
	static const struct {
		const char *kernels;
		uint64_t managed;
		unsigned int blocks; /* reserved after five requests */
	} rows[] = {
		{ K53_TO_61, 8192, 2 },
		{ K53_TO_61, 51200, 2 },
		{ K53_TO_61, 51300, 3 },
		{ K612, 8192, 0 },
		{ K612, 51199, 0 },
		{ K612, 51200, 1 },
		{ K612, 51300, 2 },
		{ K612, 102400, 2 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows) * 7; i++) {
		const char *kernel = fixture_kernels[i % 7];
		struct alloc_request req = atomic(8);
		struct alloc *a;

		if (!kernel_in(kernel, rows[i / 7].kernels))
			continue;
		a = pcp_guest(kernel, 1, 0);
		alloc_set_managed(a, 0, rows[i / 7].managed);
		alloc_set_pageblock_type(a, 7000, MIGRATE_UNMOVABLE);
		alloc_free_buddy(a, 7168, 10);
		for (pfn_t pfn = 1024; pfn < 6 * 1024; pfn += 1024) {
			alloc_set_pageblock_type(a, pfn, MIGRATE_UNMOVABLE);
			alloc_free_buddy(a, pfn, 8);
			alloc_pages(a, &req);
		}
		ASSERT_U64(kernel, a->zones[0].nr_reserved_highatomic,
			   rows[i / 7].blocks * 512u);
		alloc_destroy(a);
	}
}

static void test_highatomic__large_orders(void **state)
{
	/* Order 10: one pageblock counted up to 6.1, both from 6.12 on. */
	(void)state;
	for (const char *const *k = fixture_kernels; *k; k++) {
		const bool both = kernel_in(*k, K612);
		struct alloc_request req = atomic(10);
		struct alloc *a = big_guest(*k);

		alloc_free_buddy(a, 1024, 10);
		alloc_free_buddy(a, 4096, 10);
		alloc_pages(a, &req);
		ASSERT_U64(*k, a->zones[0].nr_reserved_highatomic,
			   both ? 1024 : 512);
		alloc_destroy(a);
	}
}

static void test_highatomic__unreserve(void **state)
{
	/* Not forced: one pageblock stays. Forced: the lowest order first, to
	 * the type of whoever asks. */
	(void)state;
	for (const char *const *k = fixture_kernels; *k; k++) {
		struct alloc *a = big_guest(*k);
		const struct zonelist *zl = &a->fallback[0];

		alloc_set_pageblock_type(a, 1024, MIGRATE_HIGHATOMIC);
		alloc_set_pageblock_type(a, 2048, MIGRATE_HIGHATOMIC);
		alloc_free_buddy(a, 1024, 5);
		alloc_free_buddy(a, 2048, 3);
		alloc_free_buddy(a, 2064, 4);
		alloc_set_highatomic_reserved(a, 0, 1024);
		assert_true(unreserve_highatomic(a, zl, ZONE_NORMAL,
						 MIGRATE_MOVABLE, false));
		fixture_assert_lists(*k, a, 0,
				     "o3/M[2048] o4/M[2064] o5/H[1024]");
		ASSERT_U64(*k, a->zones[0].nr_reserved_highatomic, 512);
		ASSERT_U64(*k, alloc_pageblock_type(a, 2048), MIGRATE_MOVABLE);
		assert_false(unreserve_highatomic(a, zl, ZONE_NORMAL,
						  MIGRATE_UNMOVABLE, false));
		assert_false(unreserve_highatomic(a, zl, ZONE_DMA32,
						  MIGRATE_UNMOVABLE, true));
		assert_true(unreserve_highatomic(a, zl, ZONE_NORMAL,
						 MIGRATE_UNMOVABLE, true));
		fixture_assert_lists(*k, a, 0,
				     "o3/M[2048] o4/M[2064] o5/U[1024]");
		ASSERT_U64(*k, a->zones[0].nr_reserved_highatomic, 0);
		ASSERT_U64(*k, a->zones[0].nr_free_highatomic, 0);
		assert_false(unreserve_highatomic(a, zl, ZONE_NORMAL,
						  MIGRATE_UNMOVABLE, true));
		alloc_destroy(a);
	}
}

static void test_highatomic__last_resort(void **state)
{
	/* Order 0 that cannot wait, and nothing but H left: 6.1 on. */
	(void)state;
	for (const char *const *k = fixture_kernels; *k; k++) {
		struct alloc_request req = atomic(0);
		struct alloc *a = big_guest(*k);

		alloc_set_pageblock_type(a, 1024, MIGRATE_HIGHATOMIC);
		alloc_free_buddy(a, 1024, 5);
		ASSERT_U64(*k, alloc_pages(a, &req).pfn,
			   kernel_in(*k, K6) ? 1024 : PFN_NONE);
		fixture_assert_valid(*k, a);
		alloc_destroy(a);
	}
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(test_highatomic__reserve_and_use),
	cmocka_unit_test(test_highatomic__limit),
	cmocka_unit_test(test_highatomic__large_orders),
	cmocka_unit_test(test_highatomic__unreserve),
	cmocka_unit_test(test_highatomic__last_resort),
};

TEST_MAIN(cases)
