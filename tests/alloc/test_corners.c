/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Borders of what can be asked: blocks across the ends of zones, requests that
 * no zone can serve, configured ratios, several pages of a list at once.
 */
#include <string.h>

#include "include/rng.h"
#include "tests/alloc/pcp_fixture.h"
#include "tests/test.h"

static void test_corners__a_compactor_gets_what_it_may_have(void **state)
{
	/* A movable block smaller than a pageblock is for movable requests
	 * only, from 6.9 on; nothing of another zone, of CMA or isolated. */
	static const struct {
		const char *name, *kernels;
		enum migratetype type, wanted;
		unsigned int order, zone;
		bool captured;
	} rows[] = {
		{ "movable for movable", K612, MIGRATE_MOVABLE,
		  MIGRATE_MOVABLE, 3, 0, true },
		{ "movable for movable", K53_TO_61, MIGRATE_MOVABLE,
		  MIGRATE_MOVABLE, 3, 0, false },
		{ "movable for unmovable", EVERY, MIGRATE_MOVABLE,
		  MIGRATE_UNMOVABLE, 3, 0, false },
		{ "unmovable", EVERY, MIGRATE_UNMOVABLE, MIGRATE_UNMOVABLE, 3,
		  0, true },
		{ "a whole pageblock", EVERY, MIGRATE_MOVABLE,
		  MIGRATE_UNMOVABLE, 9, 0, true },
		{ "of another zone", EVERY, MIGRATE_MOVABLE, MIGRATE_MOVABLE,
		  9, 1, false },
		{ "CMA", EVERY, MIGRATE_CMA, MIGRATE_MOVABLE, 9, 0, false },
		{ "isolated", EVERY, MIGRATE_ISOLATE, MIGRATE_MOVABLE, 9, 0,
		  false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows) * 7; i++) {
		const char *kernel = fixture_kernels[i % 7];
		struct alloc *a;

		if (!kernel_in(kernel, rows[i / 7].kernels))
			continue;
		a = fixture_create(kernel, 0, 4096);
		alloc_set_pageblock_type(a, 1024, rows[i / 7].type);
		alloc_capture_any(a, rows[i / 7].zone, rows[i / 7].order,
				  rows[i / 7].wanted);
		fixture_put(a, 1024, rows[i / 7].order);
		if (rows[i / 7].captured != (alloc_capture_collect(a) == 1024))
			fail_msg("%s, %s", rows[i / 7].name, kernel);
		ASSERT_U64(rows[i / 7].name, alloc_is_free_head(a, 1024),
			   !rows[i / 7].captured);
		fixture_assert_valid(rows[i / 7].name, a);
		alloc_destroy(a);
	}
}

static void test_corners__no_zone_can_serve_it(void **state)
{
	/* A page below 4 GiB of a guest that has none. */
	struct alloc *a = fixture_create("6.1", 0, 4096);
	const gfp_t gfp = GFP_KERNEL | GFP_BIT_DMA32;
	struct alloc_request req = { .gfp = gfp, .node = -1, .zone = -1 };
	struct alloc_reach reach;
	pfn_t out[4];

	(void)state;
	fixture_put(a, 1024, 9);
	assert_int_equal(alloc_pages_nowait(a, &req).status, ALLOC_FAIL);
	assert_false(alloc_reach(a, 0, 0, gfp, &reach));
	assert_false(alloc_unreserve_highatomic(a, 0, gfp));
	assert_int_equal(alloc_pages_bulk(a, &req, out, 4), 0);
	assert_true(alloc_reach(a, 0, 0, GFP_KERNEL, &reach));
	assert_int_equal(reach.nr, 1);
	fixture_assert_lists("untouched", a, 0, "o9/M[1024]");
	alloc_destroy(a);
}

/* What the hooks of a reporter were told last, and how often. */
struct told {
	unsigned int marked, rotated, captured;
	pfn_t pfn;
};

static void note_marked(void *ctx, unsigned int zone, pfn_t pfn,
			unsigned int order, enum migratetype mt)
{
	struct told *t = ctx;

	(void)zone;
	(void)order;
	(void)mt;
	t->marked++;
	t->pfn = pfn;
}

static void note_rotated(void *ctx, unsigned int zone, unsigned int order,
			 enum migratetype mt)
{
	struct told *t = ctx;

	assert_int_equal(zone, 0);
	assert_int_equal(mt, MIGRATE_MOVABLE);
	t->rotated += order;
}

static void note_captured(void *ctx, unsigned int zone, pfn_t pfn,
			  unsigned int order, unsigned int cpu)
{
	struct told *t = ctx;

	(void)zone;
	(void)order;
	(void)cpu;
	t->captured++;
	t->pfn = pfn;
}

static bool stalls_1024(void *ctx, unsigned int zone, pfn_t pfn,
			unsigned int order, unsigned int cpu)
{
	(void)ctx;
	(void)zone;
	(void)order;
	(void)cpu;
	return pfn == 1024;
}

static void test_corners__parts_of_a_split_block_keep_marks(void **state)
{
	/* A reported block of order 4 at 1024: whatever is taken out of it, by
	 * request, by a steal, or from its midst, the rest stays reported. */
	static const struct {
		const char *name;
		enum migratetype wanted;
		pfn_t pfn;       /* taken off there, PFN_NONE: by request */
		const char *lists;
		unsigned int parts;
	} rows[] = {
		{ "request", MIGRATE_MOVABLE, PFN_NONE,
		  "o1/M[1026r] o2/M[1028r] o3/M[1032r]", 3 },
		{ "midst", MIGRATE_MOVABLE, 1028,
		  "o1/M[1030r] o2/M[1024r] o3/M[1032r]", 3 },
		{ "front", MIGRATE_MOVABLE, 1024,
		  "o1/M[1026r] o2/M[1028r] o3/M[1032r]", 3 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct told told = { 0 };
		const struct alloc_hooks hooks = {
			.reporter_ctx = &told, .block_marked = note_marked,
			.marks_kept_on_split = BLOCK_REPORTED,
		};
		struct alloc *a = fixture_create("6.1", 0, 4096);

		alloc_set_hooks(a, &hooks);
		fixture_put(a, 1024, 4);
		alloc_block_set_mark(a, 1024, BLOCK_REPORTED);
		if (rows[i].pfn == PFN_NONE)
			ASSERT_U64(rows[i].name, fixture_take(a,
				   rows[i].wanted, 1, 0), 1024);
		else
			assert_true(alloc_take_off_buddy(a, rows[i].pfn, 1));
		fixture_assert_lists(rows[i].name, a, 0, rows[i].lists);
		ASSERT_U64(rows[i].name, told.marked, rows[i].parts);
		alloc_destroy(a);
	}
}

static void test_corners__a_stolen_part_leaves_marks(void **state)
{
	/* 6.12: one page of a movable block for U; the rest stays M and
	 * reported, and nobody needs to be told. */
	const struct alloc_hooks hooks = {
		.marks_kept_on_split = BLOCK_REPORTED,
	};
	struct alloc *a = fixture_create("6.12", 0, 4096);

	(void)state;
	alloc_set_hooks(a, &hooks);
	fixture_put(a, 1024, 1);
	alloc_block_set_mark(a, 1024, BLOCK_REPORTED);
	ASSERT_U64("U", fixture_take(a, MIGRATE_UNMOVABLE, 0, 0), 1024);
	ASSERT_U64("marks", alloc_block_marks(a, 1025), BLOCK_REPORTED);
	alloc_destroy(a);
}

static void test_corners__hooks_of_a_reporter(void **state)
{
	/* Rotations of large enough blocks, though nothing else of them is
	 * asked for; frees of any, stalls of one. */
	struct told told = { 0 };
	const struct alloc_hooks hooks = {
		.reporter_ctx = &told, .list_rotated = note_rotated,
		.free_capture = note_captured, .alloc_stall = stalls_1024,
		.notify_order = 4,
	};
	struct alloc *a = fixture_create("6.1", 0, 4096);

	(void)state;
	assert_false(alloc_stalled(a, 0, 1024, 0));
	alloc_set_hooks(a, &hooks);
	fixture_put(a, 1024, 4);
	fixture_put(a, 2048, 4);
	fixture_put(a, 1050, 0);
	fixture_put(a, 1052, 0);
	alloc_list_rotate_to_front(a, 1050);
	ASSERT_U64("order 0", told.rotated, 0);
	alloc_list_rotate_to_back(a, 1024);
	ASSERT_U64("order 4", told.rotated, 4);
	alloc_free(a, 0, 3000, 0);
	ASSERT_U64("captured", told.captured, 1);
	ASSERT_U64("captured", told.pfn, 3000);
	assert_true(alloc_stalled(a, 0, 1024, 0));
	assert_false(alloc_stalled(a, 0, 1025, 0));
	alloc_destroy(a);
}

static void test_corners__what_is_an_allocated_block(void **state)
{
	/* Zones [1, 1544) and [2048, 4000), with a hole; 1024 and the second
	 * half of [2048, 3072) are free. */
	static const struct {
		pfn_t pfn;
		unsigned int order;
		bool allocated;
	} rows[] = {
		{ 1536, 3, true }, { 1536, 4, false }, { 1600, 0, false },
		{ 2048, 9, true }, { 2048, 10, false }, { 2560, 0, false },
		{ 2049, 1, false }, { 4000, 0, false }, { 3999, 0, true },
		{ 8192, 0, false }, { 1024, 0, false }, { 512, 9, true },
		{ 1026, 0, true }, { 1024, 4, false },
	};
	const struct alloc_zone_config zones[] = {
		{ .type = ZONE_DMA, .start = 1, .end = 1544 },
		{ .type = ZONE_DMA32, .start = 2048, .end = 4000 },
	};
	const struct alloc_config config = {
		.profile = alloc_profile_find("6.1"), .nr_cpus = 1,
		.nr_nodes = 1, .zones = zones, .nr_zones = 2,
		.pageblock_order = 9, .pcp_disabled = true,
	};
	struct alloc *a = fixture_create_config(&config);

	(void)state;
	fixture_put(a, 1024, 0);
	fixture_put(a, 2560, 9);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		ASSERT_U64(test_row((unsigned int)i),
			   alloc_block_is_allocated(a, rows[i].pfn,
						    rows[i].order),
			   rows[i].allocated);
	assert_false(alloc_is_free_head(a, 8192));
	alloc_destroy(a);
}

static void test_corners__recorded_buddies_stay_apart(void **state)
{
	/* A kernel may have left two free buddies unmerged: loaded so, they
	 * are valid, and merge with the next free beside them. */
	struct alloc *a = fixture_create("6.1", 0, 4096);

	(void)state;
	alloc_load_free(a, 0, 9, MIGRATE_MOVABLE, 1024, 0);
	alloc_load_free(a, 0, 9, MIGRATE_MOVABLE, 1536, 0);
	alloc_load_free(a, 0, 8, MIGRATE_MOVABLE, 2048, 0);
	alloc_load_free(a, 0, 7, MIGRATE_MOVABLE, 2304, 0);
	fixture_assert_lists("loaded", a, 0, "o7/M[2304] o8/M[2048] "
			     "o9/M[1024 1536]");
	alloc_destroy(a);
}

static void test_corners__configured_ratios(void **state)
{
	/* 768 MiB of DMA32 below 1 GiB of Normal: by default a 256th of what
	 * is above is kept, and marks are 1/1000 apart. */
	static const struct {
		const char *name;
		uint32_t ratio[MAX_NR_ZONES], scale;
		uint64_t reserve, gap;
	} rows[] = {
		{ "defaults", { 0 }, 0, 1024, 196 },
		{ "ratio 64", { 256, 64, 32 }, 0, 4096, 196 },
		{ "no reserve", { 256, 0, 32 }, 0, 0, 196 },
		{ "marks 1/100 apart", { 0 }, 100, 1024, 1966 },
	};
	const struct alloc_zone_config zones[] = {
		{ .type = ZONE_DMA32, .end = 196608 },
		{ .type = ZONE_NORMAL, .start = 196608, .end = 458752 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct alloc_config config = {
			.profile = alloc_profile_find("6.1"), .nr_cpus = 1,
			.nr_nodes = 1, .zones = zones, .nr_zones = 2,
			.pageblock_order = 9,
			.watermark_scale_factor = rows[i].scale,
		};
		struct alloc_zone_info info;
		struct alloc *a;

		memcpy(config.lowmem_reserve_ratio, rows[i].ratio,
		       sizeof(rows[i].ratio));
		a = fixture_create_config(&config);
		alloc_setup_watermarks(a, 1024);
		alloc_zone_info(a, 0, &info);
		ASSERT_U64(rows[i].name, info.lowmem_reserve[ZONE_NORMAL],
			   rows[i].reserve);
		ASSERT_U64(rows[i].name, info.wmark_low - info.wmark_min,
			   rows[i].gap);
		ASSERT_U64(rows[i].name, info.wmark_high - info.wmark_low,
			   rows[i].gap);
		alloc_destroy(a);
	}
}

static void test_corners__names_of_releases(void **state)
{
	/* What a machine calls its kernel, and what the profile stands on. */
	static const struct {
		const char *release, *profile; /* NULL: none */
	} rows[] = {
		{ "6.1.0-28-amd64", "6.1" }, { "5.10.0", "5.10" },
		{ "6.1", "6.1" }, { "4.19.0", NULL },
		{ "a release with a very long name, as somebody's build", NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct alloc_profile *p =
			alloc_profile_of_release(rows[i].release);

		if (!rows[i].profile)
			assert_null(p);
		else
			assert_string_equal(p->name, rows[i].profile);
	}
	for (const char *const *k = fixture_kernels; *k; k++) {
		const struct alloc_profile *p = alloc_profile_find(*k);

		assert_string_equal(alloc_profile_standing(p), p->confirmed ?
				    "recorded runs" : "worked examples only");
	}
}

/* Two guests alike, of two nodes: one takes pages one by one, one in runs. */
struct twins {
	struct alloc *a[2];
	struct digest all[2], cpu[2][2];
};

static void make_twin(struct twins *t, unsigned int i, const char *kernel,
		      bool watched)
{
	static const uint8_t cpu_node[] = { 0, 1 };
	const struct alloc_zone_config zones[] = {
		{ .type = ZONE_NORMAL, .end = 8192 },
		{ .type = ZONE_NORMAL, .start = 8192, .end = 16384,
		  .node = 1 },
	};
	const struct alloc_config config = {
		.profile = alloc_profile_find(kernel), .nr_cpus = 2,
		.nr_nodes = 2, .zones = zones, .nr_zones = 2,
		.cpu_node = cpu_node, .pageblock_order = 9,
	};
	const struct alloc_hooks hooks = {
		.digest = &t->all[i], .cpu_digests = t->cpu[i],
	};

	t->a[i] = fixture_create_config(&config);
	alloc_boot_range(t->a[i], 0, 16384);
	for (unsigned int zone = 0; zone < 2; zone++)
		for (unsigned int cpu = 0; cpu < 2; cpu++)
			alloc_set_pcp(t->a[i], zone, cpu, 31, 400, 400, 0);
	if (watched)
		alloc_set_hooks(t->a[i], &hooks);
}

/* The same pages, freed and taken in an order that leaves holes. */
static void disorder(struct alloc *a, unsigned int cpu)
{
	struct rng rng;
	pfn_t held[200];

	rng_init(&rng, 1, "disorder", cpu);
	for (unsigned int i = 0; i < 200; i++)
		held[i] = alloc_page_fast(a, cpu, 0, GFP_HIGHUSER_MOVABLE);
	for (unsigned int i = 0; i < 200; i++) {
		const unsigned int j = rng_below(&rng, 200);

		if (held[j] == PFN_NONE)
			continue;
		alloc_free(a, cpu, held[j], 0);
		held[j] = rng_below(&rng, 3) ? PFN_NONE :
			  alloc_page_fast(a, cpu, 0, GFP_HIGHUSER_MOVABLE);
	}
	/* Pages out of the midst, as a recorded kernel takes them. */
	for (unsigned int i = 0; i < 200; i++) {
		pfn_t head;
		unsigned int order;

		if (alloc_page_lookup(a, cpu * 8192 + 8191 - 3 * i, &head,
				      &order) == ALLOC_PAGE_PCP && order == 0)
			alloc_pcp_remove(a, cpu, head);
	}
}

static void compare_twins(const char *row, const struct twins *t,
			  unsigned int cpu)
{
	struct alloc_pcp_info one, run;

	alloc_pcp_info(t->a[0], cpu, cpu, &one);
	alloc_pcp_info(t->a[1], cpu, cpu, &run);
	ASSERT_U64(row, run.count, one.count);
	ASSERT_U64(row, run.high, one.high);
	ASSERT_U64(row, run.free_factor, one.free_factor);
	ASSERT_U64(row, run.alloc_factor, one.alloc_factor);
	ASSERT_U64(row, run.free_count, one.free_count);
	assert_memory_equal(alloc_counters(t->a[0]), alloc_counters(t->a[1]),
			    sizeof(struct alloc_counters));
	assert_memory_equal(&t->all[0], &t->all[1], sizeof(t->all[0]));
	assert_memory_equal(t->cpu[0], t->cpu[1], sizeof(t->cpu[0]));
	fixture_assert_valid(row, t->a[1]);
}

static void test_corners__a_run_is_so_many_pages(void **state)
{
	/* Looked at and taken at once, or one by one: the same pages, counts,
	 * factors and digests; nothing is seen where the zone is too full. */
	(void)state;
	for (unsigned int i = 0; i < 7 * 2 * 2; i++) {
		const char *kernel = fixture_kernels[i % 7];
		const unsigned int cpu = i / 7 % 2;
		struct twins t;
		pfn_t out[90];
		unsigned int n;

		memset(&t, 0, sizeof(t));
		for (unsigned int k = 0; k < 2; k++) {
			make_twin(&t, k, kernel, i / 14);
			disorder(t.a[k], cpu);
		}
		assert_true(alloc_run_allowed(t.a[1], GFP_HIGHUSER_MOVABLE));
		for (unsigned int nr = 1; nr < 40; nr += 6) {
			n = alloc_run_look(t.a[1], cpu, GFP_HIGHUSER_MOVABLE,
					   out, nr);
			alloc_run_take(t.a[1], cpu, GFP_HIGHUSER_MOVABLE, out,
				       n);
			for (unsigned int k = 0; k < n; k++)
				ASSERT_U64(kernel, out[k],
					   alloc_page_fast(t.a[0], cpu, 0,
						GFP_HIGHUSER_MOVABLE));
			compare_twins(kernel, &t, cpu);
		}
		alloc_set_watermarks(t.a[1], cpu, 9000, 9100, 9200);
		assert_false(alloc_run_allowed(t.a[1], GFP_HIGHUSER_MOVABLE));
		ASSERT_U64(kernel, alloc_run_look(t.a[1], cpu,
						  GFP_HIGHUSER_MOVABLE, out,
						  5), 0);
		alloc_destroy(t.a[0]);
		alloc_destroy(t.a[1]);
	}
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(test_corners__a_compactor_gets_what_it_may_have),
	cmocka_unit_test(test_corners__no_zone_can_serve_it),
	cmocka_unit_test(test_corners__parts_of_a_split_block_keep_marks),
	cmocka_unit_test(test_corners__a_stolen_part_leaves_marks),
	cmocka_unit_test(test_corners__hooks_of_a_reporter),
	cmocka_unit_test(test_corners__what_is_an_allocated_block),
	cmocka_unit_test(test_corners__recorded_buddies_stay_apart),
	cmocka_unit_test(test_corners__configured_ratios),
	cmocka_unit_test(test_corners__names_of_releases),
	cmocka_unit_test(test_corners__a_run_is_so_many_pages),
};

TEST_MAIN(cases)
