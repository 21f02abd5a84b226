/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Watermarks, lowmem reserves, the watermark test and the boost. */
#include <string.h>

#include "alloc/walk.h"
#include "tests/alloc/fixture.h"
#include "tests/test.h"

#define K5X "5.3 5.7"
#define K53_TO_61 "5.3 5.7 5.10 6.1"
#define K57_ON "5.7 5.10 6.1 6.12.0 6.12 6.18"
#define K612 "6.12.0 6.12 6.18"
#define EVERY "5.3 5.7 5.10 6.1 6.12.0 6.12 6.18"
#define NOT_612_0 "5.3 5.7 5.10 6.1 6.12 6.18"

/* Is `name` one of the words of `list`? */
static bool named(const char *list, const char *name)
{
	const size_t len = strlen(name);

	for (const char *p = list; (p = strstr(p, name)) != NULL; p += len) {
		if ((p == list || p[-1] == ' ') &&
		    (p[len] == ' ' || p[len] == '\0'))
			return true;
	}
	return false;
}

/* Zones of one node by managed pages; 0 leaves the zone out. */
static struct alloc *create_guest(const char *kernel, const uint64_t *managed,
				  unsigned int nr_cpus)
{
	static const pfn_t starts[] = { 1, 4096, 1048576, 20000000 };
	static const pfn_t ends[] = { 4096, 1048576, 20000000, 21000000 };
	struct alloc_zone_config zones[4] = { 0 };
	struct alloc_config config = {
		.profile = alloc_profile_find(kernel),
		.nr_cpus = nr_cpus,
		.nr_nodes = 1,
		.zones = zones,
		.pageblock_order = 9,
		.watermark_boost_factor = UINT32_MAX,
	};
	struct alloc *a;

	for (unsigned int type = 0; type < 4; type++) {
		struct alloc_zone_config *z = &zones[config.nr_zones];

		if (managed[type] == 0)
			continue;
		z->type = (enum zone_type)type;
		z->start = starts[type];
		z->end = ends[type];
		config.nr_zones++;
	}
	a = fixture_create_config(&config);
	for (unsigned int type = 0, i = 0; type < 4; type++) {
		if (managed[type] != 0)
			alloc_set_managed(a, i++, managed[type]);
	}
	return a;
}

#define MAX_ZONES 4
#define NO_RESERVES { 0 }

static const struct setup_row {
	const char *name, *kernels;
	uint64_t managed[MAX_ZONES];
	bool thp;
	uint32_t min_free_kbytes;
	unsigned int zone;        /* type */
	uint64_t min, low, high;  /* 0: not checked */
	uint64_t reserve[MAX_NR_ZONES];
} setup_rows[] = {
#define GUEST_4G { 3840, 765000, 255000 }
	{ "4 GiB, DMA", NOT_612_0, GUEST_4G, false, 8094, ZONE_DMA,
	  7, 10, 13, { 0, 2988, 3984, 3984, 3984 } },
	{ "4 GiB, DMA", "6.12.0", GUEST_4G, false, 8094, ZONE_DMA,
	  7, 10, 13, { 0, 2988, 3984, 0, 0 } },
	{ "4 GiB, DMA32", NOT_612_0, GUEST_4G, false, 8094, ZONE_DMA32,
	  1511, 2276, 3041, { 0, 0, 996, 996, 996 } },
	{ "4 GiB, DMA32", "6.12.0", GUEST_4G, false, 8094, ZONE_DMA32,
	  1511, 2276, 3041, { 0, 0, 996, 0, 0 } },
	{ "4 GiB, Normal", EVERY, GUEST_4G, false, 8094, ZONE_NORMAL,
	  503, 758, 1013, NO_RESERVES },
	{ "4 GiB THP, DMA", NOT_612_0, GUEST_4G, true, 67584, ZONE_DMA,
	  63, 78, 93, { 0, 2988, 3984, 3984, 3984 } },
	{ "4 GiB THP, DMA32", NOT_612_0, GUEST_4G, true, 67584, ZONE_DMA32,
	  12624, 15780, 18936, { 0, 0, 996, 996, 996 } },
	{ "4 GiB THP, Normal", EVERY, GUEST_4G, true, 67584, ZONE_NORMAL,
	  4208, 5260, 6312, NO_RESERVES },
#define GUEST_1G { 3840, 250000 }
	{ "1 GiB, DMA32", EVERY, GUEST_1G, false, 4030, ZONE_DMA32,
	  991, 1241, 1491, NO_RESERVES },
	{ "1 GiB THP, DMA", NOT_612_0, GUEST_1G, true, 45056, ZONE_DMA,
	  170, 212, 254, { 0, 976, 976, 976, 976 } },
	{ "1 GiB THP, DMA32", EVERY, GUEST_1G, true, 45056, ZONE_DMA32,
	  11093, 13866, 16639, NO_RESERVES },
#define GUEST_64G { 3840, 765000, 15700000 }
	{ "64 GiB", EVERY, GUEST_64G, false, 32465, ZONE_DMA,
	  0, 0, 0, NO_RESERVES },
	{ "64 GiB THP, Normal", EVERY, GUEST_64G, true, 67584, ZONE_NORMAL,
	  16107, 31807, 47507, NO_RESERVES },
	{ "64 GiB THP, DMA32", NOT_612_0, GUEST_64G, true, 67584, ZONE_DMA32,
	  784, 1549, 2314, { 0, 0, 61328, 61328, 61328 } },
#define GUEST_MOVABLE { 3840, 765000, 55000, 200000 }
	{ "Movable zone, Normal", K53_TO_61, GUEST_MOVABLE, false, 7261,
	  ZONE_NORMAL, 97, 152, 207, { 0, 0, 0, 6250, 6250 } },
	{ "Movable zone, Normal", "6.12 6.18", GUEST_MOVABLE, false, 7261,
	  ZONE_NORMAL, 121, 176, 231, { 0, 0, 0, 6250, 6250 } },
	{ "Movable zone, Normal", "6.12.0", GUEST_MOVABLE, false, 7261,
	  ZONE_NORMAL, 121, 176, 231, { 0, 0, 0, 6250, 0 } },
	{ "Movable zone, Movable", K53_TO_61, GUEST_MOVABLE, false, 7261,
	  ZONE_MOVABLE, 354, 554, 754, NO_RESERVES },
	{ "Movable zone, Movable", K612, GUEST_MOVABLE, false, 7261,
	  ZONE_MOVABLE, 128, 328, 528, NO_RESERVES },
#define GUEST_16T { 3840, 765000, 4000000000 }
	{ "upper bound", "5.3", GUEST_16T, false, 65536, ZONE_DMA,
	  0, 0, 0, NO_RESERVES },
	{ "upper bound", K57_ON, GUEST_16T, false, 262144, ZONE_DMA,
	  0, 0, 0, NO_RESERVES },
#define GUEST_TINY { 0, 200 }
	{ "lower bound", EVERY, GUEST_TINY, false, 128, ZONE_DMA32,
	  32, 40, 48, NO_RESERVES },
};

static void check_setup(const struct setup_row *row, const char *kernel)
{
	struct alloc *a = create_guest(kernel, row->managed, 1);
	struct alloc_zone_info info;
	char name[128];

	snprintf(name, sizeof(name), "%s, %s", row->name, kernel);
	alloc_setup_watermarks(a, 0);
	if (row->thp)
		alloc_raise_min_free_for_thp(a);
	ASSERT_U64(name, alloc_min_free_kbytes(a), row->min_free_kbytes);
	for (unsigned int i = 0; i < alloc_nr_zones(a); i++) {
		alloc_zone_info(a, i, &info);
		if (info.type != (enum zone_type)row->zone || row->high == 0)
			continue;
		ASSERT_U64(name, info.wmark_min, row->min);
		ASSERT_U64(name, info.wmark_low, row->low);
		ASSERT_U64(name, info.wmark_high, row->high);
		for (unsigned int j = 0; j < MAX_NR_ZONES; j++)
			ASSERT_U64(name, info.lowmem_reserve[j],
				   row->reserve[j]);
	}
	alloc_destroy(a);
}

static void test_watermark__worked_numbers(void **state)
{
	/* Managed pages in, watermarks and reserves out, per release. */
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(setup_rows); i++) {
		for (const char *const *k = fixture_kernels; *k; k++) {
			if (named(setup_rows[i].kernels, *k))
				check_setup(&setup_rows[i], *k);
		}
	}
}

static void test_watermark__user_value_and_thp(void **state)
{
	/* A value by hand stands; khugepaged still raises it, and once only. */
	static const uint64_t managed[MAX_ZONES] = GUEST_4G;
	struct alloc *a = create_guest("6.1", managed, 1);

	(void)state;
	alloc_setup_watermarks(a, 20000);
	ASSERT_U64("by hand", alloc_min_free_kbytes(a), 20000);
	alloc_raise_min_free_for_thp(a);
	ASSERT_U64("raised", alloc_min_free_kbytes(a), 67584);
	alloc_setup_watermarks(a, 0);
	ASSERT_U64("reapplied", alloc_min_free_kbytes(a), 67584);
	alloc_setup_watermarks(a, 100000);
	ASSERT_U64("larger", alloc_min_free_kbytes(a), 100000);
	alloc_destroy(a);

	a = create_guest("5.7", managed, 1);
	alloc_raise_min_free_for_thp(a);
	alloc_setup_watermarks(a, 0);
	/* Less than 8094, as the high marks are raised already. */
	ASSERT_U64("5.7 forgets", alloc_min_free_kbytes(a), 7993);
	alloc_destroy(a);
}

static void test_watermark__boost_and_recomputation(void **state)
{
	/* Up to 5.7 a boost that stands when marks are computed stays in low
	 * and high; later it is cleared first. */
	static const uint64_t managed[MAX_ZONES] = GUEST_1G;
	struct alloc_zone_info info;

	(void)state;
	for (const char *const *k = fixture_kernels; *k; k++) {
		const uint64_t kept = named(K5X, *k) ? 512 : 0;
		struct alloc *a = create_guest(*k, managed, 1);

		alloc_set_boost(a, 1, 512);
		alloc_setup_watermarks(a, 4030);
		alloc_zone_info(a, 1, &info);
		ASSERT_U64(*k, info.wmark_min, 991);
		ASSERT_U64(*k, info.wmark_low, 1241 + kept);
		ASSERT_U64(*k, info.wmark_high, 1491 + kept);
		ASSERT_U64(*k, info.boost, 0);
		alloc_destroy(a);
	}
}

/* One zone with 1000 order-0 pages free; mark 800. */
static const struct ok_row {
	const char *name, *kernels;
	unsigned int order, flags;
	uint64_t highatomic_reserved, highatomic_free, cma;
	uint64_t mark;
	uint64_t reserve;
	bool ok;
} ok_rows[] = {
	{ "strictly above", EVERY, 0, 0, 0, 0, 0, 999, 0, true },
	{ "equal is not enough", EVERY, 0, 0, 0, 0, 0, 1000, 0, false },
	{ "reserve counts", EVERY, 0, 0, 0, 0, 0, 800, 199, true },
	{ "reserve counts, one less", EVERY, 0, 0, 0, 0, 0, 800, 200, false },
	{ "no block of the order", EVERY, 1, 0, 0, 0, 0, 10, 0, false },
	{ "more unusable than free", EVERY, 10, 0, 0, 0, 0, 0, 0, false },
	{ "reserved pages do not count", K53_TO_61, 0, 0, 200, 0, 0, 800, 0,
	  false },
	{ "only free reserved pages", K612, 0, 0, 200, 0, 0, 800, 0, true },
	{ "free reserved pages", K612, 0, 0, 0, 200, 0, 800, 0, false },
	{ "OOM uses the reserve", EVERY, 0, AF_OOM, 200, 200, 0, 999, 0,
	  true },
	{ "min reserve: 5.10 has no right to H", "5.3 5.7 5.10", 0,
	  AF_MIN_RESERVE, 990, 0, 0, 20, 0, false },
	{ "min reserve: 6.1 has", "6.1", 0, AF_MIN_RESERVE, 990, 0, 0, 20, 0,
	  true },
	{ "CMA pages are not for all", EVERY, 0, 0, 0, 0, 500, 500, 0,
	  false },
	{ "CMA pages with the flag", EVERY, 0, AF_CMA, 0, 0, 500, 500, 0,
	  true },
	{ "HIGH halves", EVERY, 0, AF_MIN_RESERVE, 0, 0, 0, 1998, 0, true },
	{ "HIGH halves, not more", EVERY, 0, AF_MIN_RESERVE, 0, 0, 0, 2000, 0,
	  false },
	/* HARDER is a quarter by itself; NON_BLOCK only with MIN_RESERVE. */
	{ "non-blocking alone", "5.3 5.7 5.10", 0, AF_NON_BLOCK, 0, 0, 0,
	  1332, 0, true },
	{ "non-blocking alone", "6.1 6.12.0 6.12 6.18", 0, AF_NON_BLOCK, 0, 0,
	  0, 1332, 0, false },
	{ "both", EVERY, 0, AF_NON_BLOCK | AF_MIN_RESERVE, 0, 0, 0, 2664, 0,
	  true },
	{ "both, not more", EVERY, 0, AF_NON_BLOCK | AF_MIN_RESERVE, 0, 0, 0,
	  2668, 0, false },
	/* 5.x: OOM instead of HARDER; 6.1: on top. */
	{ "OOM and the rest", EVERY, 0, AF_OOM | AF_MIN_RESERVE, 0, 0, 0, 3996,
	  0, true },
	{ "OOM and harder", "5.3 5.7 5.10", 0, AF_OOM | AF_NON_BLOCK, 0, 0, 0,
	  1998, 0, true },
	{ "everything", "6.1 6.12 6.18", 0,
	  AF_OOM | AF_NON_BLOCK | AF_MIN_RESERVE, 0, 0, 0, 5328, 0, true },
};

static void test_watermark__test_and_rights(void **state)
{
	/* zone_watermark_ok against one zone of 1000 free pages. */
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(ok_rows); i++) {
		const struct ok_row *row = &ok_rows[i];

		for (const char *const *k = fixture_kernels; *k; k++) {
			struct alloc *a = fixture_create(*k, 0, 8192);
			struct zone *z = zone_at(a, 0);

			for (pfn_t pfn = 0; pfn < 2000; pfn += 2)
				fixture_put(a, pfn, 0);
			z->nr_reserved_highatomic = row->highatomic_reserved;
			z->nr_free_highatomic = row->highatomic_free;
			z->nr_free_cma = row->cma;
			z->lowmem_reserve[ZONE_MOVABLE] = row->reserve;
			if (named(row->kernels, *k))
				ASSERT_U64(row->name,
					   zone_watermark_ok(a, z, row->order,
							     row->mark,
							     ZONE_MOVABLE,
							     row->flags),
					   row->ok);
			alloc_destroy(a);
		}
	}
}

static void test_watermark__high_orders_need_a_usable_block(void **state)
{
	/* One order-4 block, on the list of each type in turn. */
	static const struct {
		enum migratetype mt;
		unsigned int flags;
		bool ok_old, ok_new; /* HARDER rules, MIN_RESERVE rules */
	} rows[] = {
		{ MIGRATE_UNMOVABLE, 0, true, true },
		{ MIGRATE_MOVABLE, 0, true, true },
		{ MIGRATE_RECLAIMABLE, 0, true, true },
		{ MIGRATE_CMA, 0, false, false },
		{ MIGRATE_CMA, AF_CMA, true, true },
		{ MIGRATE_HIGHATOMIC, 0, false, false },
		{ MIGRATE_HIGHATOMIC, AF_NON_BLOCK, true, false },
		{ MIGRATE_HIGHATOMIC, AF_HIGHATOMIC, false, true },
		{ MIGRATE_HIGHATOMIC, AF_OOM, true, true },
		{ MIGRATE_ISOLATE, AF_OOM | AF_CMA, false, false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		for (const char *const *k = fixture_kernels; *k; k++) {
			struct alloc *a = fixture_create(*k, 0, 8192);
			const bool old = named("5.3 5.7 5.10", *k);
			struct zone *z = zone_at(a, 0);

			alloc_set_pageblock_type(a, 1024, rows[i].mt);
			fixture_put(a, 1024, 4);
			for (unsigned int order = 3; order <= 5; order++) {
				const bool ok = old ? rows[i].ok_old :
						      rows[i].ok_new;

				/* A free count that never is the reason. */
				z->free_pages = 4000;
				ASSERT_U64(*k, zone_watermark_ok(a, z, order,
					   0, 0, rows[i].flags),
					   ok && order <= 4);
			}
			alloc_destroy(a);
		}
	}
}

static void test_watermark__fast_test(void **state)
{
	/* Order 0: 5.3 and 5.7 do not subtract the highatomic reserve, and
	 * atomic requests of 5.9 on are spared the boost at the min mark. */
	static const struct {
		const char *name, *kernels;
		uint64_t reserved, boost;
		unsigned int flags;
		gfp_t gfp;
		bool ok;
	} rows[] = {
		{ "reserve ignored", K5X, 300, 0, AF_WMARK_LOW, 0, true },
		{ "reserve counted", "5.10 6.1", 300, 0, AF_WMARK_LOW, 0,
		  false },
		{ "boost holds", EVERY, 0, 500, AF_WMARK_MIN, GFP_KERNEL,
		  false },
		{ "atomic, never retested", K5X, 0, 5000,
		  AF_WMARK_MIN | AF_MIN_RESERVE, GFP_ATOMIC, false },
		{ "atomic, retested", "5.10 6.1", 0, 5000,
		  AF_WMARK_MIN | AF_MIN_RESERVE, GFP_ATOMIC, true },
		{ "flag, retested", K612, 0, 5000,
		  AF_WMARK_MIN | AF_MIN_RESERVE, 0, true },
		{ "not at the low mark", EVERY, 0, 5000,
		  AF_WMARK_LOW | AF_MIN_RESERVE, GFP_ATOMIC, false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		for (const char *const *k = fixture_kernels; *k; k++) {
			struct alloc *a = fixture_create(*k, 0, 8192);
			struct zone *z = zone_at(a, 0);

			for (pfn_t pfn = 0; pfn < 2000; pfn += 2)
				fixture_put(a, pfn, 0);
			alloc_set_watermarks(a, 0, 800, 800, 900);
			alloc_set_highatomic_reserved(a, 0, rows[i].reserved);
			alloc_set_boost(a, 0, rows[i].boost);
			if (named(rows[i].kernels, *k))
				ASSERT_U64(rows[i].name,
					   zone_watermark_fast(a, z, 0,
						zone_wmark(z, 0), 0,
						rows[i].flags, rows[i].gfp),
					   rows[i].ok);
			alloc_destroy(a);
		}
	}
}

static void test_watermark__boost_steps(void **state)
{
	/* high 1000: 512, 1024, 1500 and no further; the flag by release. */
	(void)state;
	for (const char *const *k = fixture_kernels; *k; k++) {
		static const uint64_t steps[] = { 512, 1024, 1500, 1500 };
		struct alloc *a = fixture_create(*k, 0, 8192);
		struct zone *z = zone_at(a, 0);

		/* No high mark yet: 5.x flags the zone, though. */
		boost_watermark(a, z, AF_KSWAPD);
		ASSERT_U64(*k, z->boost, 0);
		ASSERT_U64(*k, z->boosted, named("5.3 5.7 5.10", *k));
		z->boosted = false;
		alloc_set_watermarks(a, 0, 0, 0, 1000);
		boost_watermark(a, z, 0);
		ASSERT_U64(*k, z->boosted, false);
		z->boost = 0;
		for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
			boost_watermark(a, z, AF_KSWAPD);
			ASSERT_U64(*k, z->boost, steps[i]);
			ASSERT_U64(*k, z->boosted, true);
		}
		/* A zone of less than four pageblocks; 5.3 does not care. */
		alloc_set_managed(a, 0, 2047);
		z->boost = 0;
		boost_watermark(a, z, AF_KSWAPD);
		ASSERT_U64(*k, z->boost, named("5.3", *k) ? 512 : 0);
		a->watermark_boost_factor = 0;
		alloc_set_managed(a, 0, 8192);
		z->boost = 0;
		boost_watermark(a, z, AF_KSWAPD);
		ASSERT_U64(*k, z->boost, 0);
		alloc_destroy(a);
	}
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(test_watermark__worked_numbers),
	cmocka_unit_test(test_watermark__user_value_and_thp),
	cmocka_unit_test(test_watermark__boost_and_recomputation),
	cmocka_unit_test(test_watermark__test_and_rights),
	cmocka_unit_test(test_watermark__high_orders_need_a_usable_block),
	cmocka_unit_test(test_watermark__fast_test),
	cmocka_unit_test(test_watermark__boost_steps),
};

TEST_MAIN(cases)
