/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One step of a scanner of compaction at a time: which pageblocks it looks at,
 * where it stops, what is remembered. A pageblock of a driver's pages is what
 * the migrate scanner finds, one of which half is free what the free scanner
 * does.
 */
#include "guest/compact.h"
#include "tests/guest/rig.h"

struct scan {
	struct rig r;
	struct compact_control cc;
	struct guest_op op;
	struct guest_work work;
	struct run run;
	pfn_t block;   /* an allocated pageblock */
};

static void begin(struct scan *s, const char *kernel)
{
	const struct rig_options o = { .kernel = kernel, .mib = 16,
				       .thp = THP_NEVER, .compaction = true };

	*s = (struct scan){ .cc = { .order = HPAGE_PMD_ORDER, .direct = true,
				    .mt = MIGRATE_MOVABLE,
				    .captured = PFN_NONE } };
	rig_open(&s->r, &o);
	/* Not the zone's first one. */
	for (unsigned int i = 0; i < 2; i++)
		s->block = alloc_page_fast(s->r.alloc, 0, HPAGE_PMD_ORDER,
					   GFP_HIGHUSER_MOVABLE);
	ASSERT_U64("pageblock", s->block, RIG_START + HPAGE_PMD_NR);
	s->cc.migrate_pfn = s->block;
	s->cc.free_pfn = s->block + HPAGE_PMD_NR;
	s->run = (struct run){ .g = s->r.guest, .op = &s->op, .work = &s->work,
			       .budget = UINT32_MAX };
}

/* All pages but those marked in `stays` can be moved. */
static void drivers_pages(struct scan *s, uint64_t stays)
{
	for (unsigned int i = 0; i < HPAGE_PMD_NR; i++)
		if (i >= 64 || !(stays >> i & 1))
			guest_movable_add(s->r.guest, s->block + i);
}

static void end(struct scan *s)
{
	rig_abandon(&s->r);
}

/* suitable_migration_source: only who compacts at once is choosy. */
static void test_scan__sources_are_of_the_requests_kind(void **state)
{
	static const struct {
		enum compact_mode mode;
		bool direct;
		enum migratetype wanted, block;
		bool scanned;
	} rows[] = {
		{ COMPACT_ASYNC, true, MIGRATE_MOVABLE, MIGRATE_MOVABLE, true },
		{ COMPACT_ASYNC, true, MIGRATE_MOVABLE, MIGRATE_CMA, true },
		{ COMPACT_ASYNC, true, MIGRATE_MOVABLE, MIGRATE_UNMOVABLE,
		  false },
		{ COMPACT_ASYNC, true, MIGRATE_MOVABLE, MIGRATE_RECLAIMABLE,
		  false },
		{ COMPACT_ASYNC, true, MIGRATE_UNMOVABLE, MIGRATE_UNMOVABLE,
		  true },
		{ COMPACT_ASYNC, true, MIGRATE_UNMOVABLE, MIGRATE_MOVABLE,
		  false },
		{ COMPACT_ASYNC, true, MIGRATE_RECLAIMABLE, MIGRATE_CMA,
		  false },
		{ COMPACT_ASYNC, false, MIGRATE_MOVABLE, MIGRATE_UNMOVABLE,
		  true },
		{ COMPACT_SYNC_LIGHT, true, MIGRATE_MOVABLE, MIGRATE_UNMOVABLE,
		  true },
		{ COMPACT_SYNC_LIGHT, false, MIGRATE_UNMOVABLE, MIGRATE_CMA,
		  true },
	};

	(void)state;
	for (unsigned int i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct scan s;

		begin(&s, "6.1");
		drivers_pages(&s, 0);
		alloc_set_pageblock_type(s.r.alloc, s.block, rows[i].block);
		s.cc.mode = rows[i].mode;
		s.cc.direct = rows[i].direct;
		s.cc.mt = rows[i].wanted;
		ASSERT_U64(test_row(i), isolate_migratepages(&s.run, &s.cc),
			   rows[i].scanned);
		ASSERT_U64(test_row(i), s.cc.nr_migrate,
			   rows[i].scanned ? COMPACT_CLUSTER : 0);
		ASSERT_U64(test_row(i), s.cc.migrate_pfn - s.block,
			   rows[i].scanned ? COMPACT_CLUSTER : HPAGE_PMD_NR);
		/* What is not looked at is not looked at next time, either. */
		ASSERT_U64(test_row(i),
			   s.r.guest->mem->zones[0]
				   .cached_migrate[COMPACT_ASYNC] ==
				   s.block + HPAGE_PMD_NR,
			   !rows[i].scanned);
		end(&s);
	}
}

/*
 * skip_on_failure: who compacts at once for itself wants one block of its order,
 * and is content with it. Others fill their list.
 */
static void test_scan__one_block_of_the_order_is_enough(void **state)
{
	static const struct {
		enum compact_mode mode;
		bool direct;
		uint64_t stays;
		uint32_t nr, first, next;
	} rows[] = {
		{ COMPACT_ASYNC, true, 0, 8, 0, 8 },
		{ COMPACT_ASYNC, true, 0x8, 8, 8, 16 },
		{ COMPACT_ASYNC, true, 0x8001, 8, 16, 24 },
		{ COMPACT_ASYNC, false, 0, 32, 0, 32 },
		{ COMPACT_ASYNC, false, 0x8, 32, 0, 33 },
		{ COMPACT_SYNC_LIGHT, true, 0x8, 32, 0, 33 },
	};

	(void)state;
	for (unsigned int i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct scan s;

		begin(&s, "6.1");
		drivers_pages(&s, rows[i].stays);
		s.cc.order = 3;
		s.cc.mode = rows[i].mode;
		s.cc.direct = rows[i].direct;
		assert_true(isolate_migratepages(&s.run, &s.cc));
		ASSERT_U64(test_row(i), s.cc.nr_migrate, rows[i].nr);
		ASSERT_U64(test_row(i), s.cc.migrate[0] - s.block,
			   rows[i].first);
		ASSERT_U64(test_row(i), s.cc.migrate_pfn - s.block,
			   rows[i].next);
		end(&s);
	}
}

/* update_cached_migrate: positions go up only, the later one when it waits. */
static void test_scan__a_vain_pageblock_is_remembered(void **state)
{
	static const struct {
		enum compact_mode mode;
		int before[2], after[2]; /* pageblocks from this one on */
	} rows[] = {
		{ COMPACT_ASYNC, { 0, 0 }, { 1, 0 } },
		{ COMPACT_ASYNC, { 2, 0 }, { 2, 0 } },
		{ COMPACT_SYNC_LIGHT, { 0, 0 }, { 1, 1 } },
		{ COMPACT_SYNC_LIGHT, { 2, 0 }, { 2, 1 } },
		{ COMPACT_SYNC_LIGHT, { 2, 2 }, { 2, 2 } },
	};

	(void)state;
	for (unsigned int i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct compact_zone *cz;
		struct scan s;

		begin(&s, "6.1");
		cz = &s.r.guest->mem->zones[0];
		s.cc.mode = rows[i].mode;
		for (unsigned int k = 0; k < 2; k++)
			cz->cached_migrate[k] = s.block + HPAGE_PMD_NR *
						(pfn_t)rows[i].before[k];
		assert_false(isolate_migratepages(&s.run, &s.cc));
		for (unsigned int k = 0; k < 2; k++)
			ASSERT_U64(test_row(i), cz->cached_migrate[k],
				   s.block + HPAGE_PMD_NR *
					     (pfn_t)rows[i].after[k]);
		assert_true(compaction_skipped(s.r.guest, s.block));
		end(&s);
	}
}

/* isolation_suitable is asked where a pageblock or the zone begins. */
static void test_scan__skip_bits_count_at_the_start(void **state)
{
	static const struct {
		uint32_t from, zone;
		bool skip, scanned;
	} rows[] = {
		{ 0, 0, false, true },
		{ 0, 0, true, false },
		{ 64, 0, true, true },
		{ 64, 64, false, true },
		{ 64, 64, true, false },
		{ 65, 64, true, true },
	};

	(void)state;
	for (unsigned int i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct scan s;

		begin(&s, "6.1");
		drivers_pages(&s, 0);
		s.r.guest->mem->zones[0].start = s.block + rows[i].zone;
		s.cc.migrate_pfn += rows[i].from;
		if (rows[i].skip)
			compaction_set_skip(s.r.guest, s.block);
		ASSERT_U64(test_row(i), isolate_migratepages(&s.run, &s.cc),
			   rows[i].scanned);
		end(&s);
	}
}

/* Every other page of the pageblock becomes free; only it is searched. */
static void half_free(struct scan *s, enum migratetype mt)
{
	alloc_set_pageblock_type(s->r.alloc, s->block, mt);
	for (unsigned int i = 1; i < HPAGE_PMD_NR; i += 2)
		alloc_free(s->r.alloc, 0, s->block + i, 0);
	alloc_drain_all(s->r.alloc);
	s->cc.order = 0; /* no short cut over the lists */
	s->cc.mode = COMPACT_SYNC_LIGHT;
	s->cc.nr_migrate = COMPACT_CLUSTER;
	s->cc.migrate_pfn = s->block - 1;
	s->cc.free_pfn = s->block;
}

/* suitable_migration_target: movable pageblocks, and those of CMA. */
static void test_scan__targets_are_movable(void **state)
{
	static const struct {
		enum migratetype mt;
		bool taken;
	} rows[] = {
		{ MIGRATE_MOVABLE, true }, { MIGRATE_CMA, true },
		{ MIGRATE_UNMOVABLE, false }, { MIGRATE_RECLAIMABLE, false },
	};

	(void)state;
	for (unsigned int i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct scan s;
		pfn_t pfn;

		begin(&s, "6.1");
		half_free(&s, rows[i].mt);
		pfn = compaction_alloc(&s.run, &s.cc);
		ASSERT_U64(test_row(i), pfn != PFN_NONE, rows[i].taken);
		if (rows[i].taken) {
			ASSERT_U64(test_row(i), s.cc.nr_free,
				   COMPACT_CLUSTER - 1);
			/* The next search goes on behind what was taken. */
			ASSERT_U64(test_row(i), s.cc.free_pfn - s.block,
				   2 * COMPACT_CLUSTER);
		}
		end(&s);
	}
}

/* __isolate_free_page: nothing that the low watermark cannot spare. */
static void test_scan__the_watermark_ends_the_search(void **state)
{
	(void)state;
	for (unsigned int low = 0; low < 2; low++) {
		struct scan s;
		pfn_t pfn;

		begin(&s, "6.1");
		half_free(&s, MIGRATE_MOVABLE);
		if (low)
			alloc_set_watermarks(s.r.alloc, 0, 4096, 4096, 4096);
		pfn = compaction_alloc(&s.run, &s.cc);
		ASSERT_U64(test_row(low), pfn == PFN_NONE, low);
		/* It stays at the block that it did not get. */
		if (low)
			ASSERT_U64(test_row(low), s.cc.free_pfn, s.block + 1);
		ASSERT_U64(test_row(low), s.r.guest->counters.compact_isolated,
			   low ? 0 : COMPACT_CLUSTER);
		end(&s);
	}
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(test_scan__sources_are_of_the_requests_kind),
	cmocka_unit_test(test_scan__one_block_of_the_order_is_enough),
	cmocka_unit_test(test_scan__a_vain_pageblock_is_remembered),
	cmocka_unit_test(test_scan__skip_bits_count_at_the_start),
	cmocka_unit_test(test_scan__targets_are_movable),
	cmocka_unit_test(test_scan__the_watermark_ends_the_search),
};

TEST_MAIN(cases)
