/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where things end: an address space without room, files that outlive their
 * names, a touch buffer that is full, work that is given up, drivers' pages.
 */
#include <errno.h>

#include "guest/internal.h"
#include "tests/guest/rig.h"

#define AT UINT64_C(0x100000000)

static void open_rig(struct rig *r, bool compaction, bool reclaim,
		     bool aligned)
{
	const struct rig_options o = {
		.kernel = "6.12", .mib = 64, .thp = THP_MADVISE,
		.defrag = THP_DEFRAG_ALWAYS, .aligned = aligned,
		.compaction = compaction, .reclaim = reclaim,
	};

	rig_open(r, &o);
	ASSERT_U64("address space", rig_mm(r, 0), 0);
}

static void map_at(struct rig *r, uint64_t addr, uint64_t len, uint32_t flags,
		   uint32_t file)
{
	struct guest_op op = { .kind = GUEST_MMAP, .addr = addr, .len = len,
			       .file = file,
			       .flags = GUEST_MAP_FIXED | flags };

	rig_op(r, &op, 0);
}

static enum guest_status once(struct rig *r, struct guest_op *op)
{
	struct guest_work work = { 0 };

	return guest_run(r->guest, op, 0, 1000, &work);
}

/* The whole space below the base fits, a page more does not. */
static void test_edges__an_address_space_without_room(void **state)
{
	const uint64_t all = MMAP_BASE - MMAP_MIN;
	const struct {
		bool aligned;
		uint64_t len;
		enum guest_status status;
	} rows[] = {
		{ false, all, GUEST_DONE },
		{ false, all + PAGE_SIZE, GUEST_NOMEM },
		{ false, TASK_SIZE, GUEST_NOMEM },
		/* No room to align it: then it is not aligned. */
		{ true, all, GUEST_DONE },
		{ true, all + PAGE_SIZE, GUEST_NOMEM },
	};

	(void)state;
	for (unsigned int i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct guest_op op = { .kind = GUEST_MMAP,
				       .len = rows[i].len };
		struct guest_op more = { .kind = GUEST_MMAP,
					 .len = PAGE_SIZE };
		struct rig r;

		open_rig(&r, false, false, rows[i].aligned);
		ASSERT_U64(test_row(i), once(&r, &op), rows[i].status);
		if (rows[i].status == GUEST_DONE)
			ASSERT_U64(test_row(i), op.addr, MMAP_MIN);
		ASSERT_U64(test_row(i), once(&r, &more),
			   rows[i].status == GUEST_DONE ? GUEST_NOMEM :
							  GUEST_DONE);
		rig_close(&r);
	}
}

static uint64_t file_pages(const struct rig *r)
{
	struct guest_gauges g;

	guest_gauges(r->guest, &g);
	return g.file_pages;
}

/* As with unlink(): the pages go with the last mapping, not with the name. */
static void test_edges__a_file_lives_until_its_last_mapping_goes(void **state)
{
	struct guest_op drop = { .kind = GUEST_DROP_CACHES };
	struct rig r;

	(void)state;
	open_rig(&r, false, false, false);
	assert_int_equal(guest_file_create(r.guest, MIB), 0);
	assert_int_equal(guest_file_create(r.guest, MIB), 1);
	for (unsigned int i = 0; i < 2; i++)
		map_at(&r, AT + i * MIB, MIB, GUEST_MAP_FILE, i);
	rig_read(&r, 0, AT, 2 * MIB);
	ASSERT_U64("cached", file_pages(&r), 512);
	guest_file_destroy(r.guest, 0, 0);
	ASSERT_U64("mapped", file_pages(&r), 512);
	rig_munmap(&r, 0, AT, MIB / 2);
	ASSERT_U64("half mapped", file_pages(&r), 512);
	rig_munmap(&r, 0, AT + MIB / 2, MIB / 2);
	ASSERT_U64("gone", file_pages(&r), 256);
	/* Of files that are gone there is nothing to drop; nor what is mapped. */
	rig_op(&r, &drop, 0);
	ASSERT_U64("dropped", file_pages(&r), 256);
	assert_int_equal(guest_file_create(r.guest, MIB), 0);
	rig_munmap(&r, 0, AT + MIB, MIB);
	guest_file_destroy(r.guest, 1, 0);
	ASSERT_U64("gone", file_pages(&r), 0);
	rig_close(&r);
}

/* kswapd takes pages that are on a disk, too, and no others. */
static void test_edges__only_files_on_disk_are_reclaimed(void **state)
{
	struct guest_op op = { .kind = GUEST_KSWAPD, .len = ZONE_NORMAL };
	struct rig r;

	(void)state;
	open_rig(&r, false, true, false);
	assert_int_equal(guest_file_create(r.guest, 8 * MIB), 0);
	assert_int_equal(guest_file_create(r.guest, 8 * MIB), 1);
	assert_int_equal(guest_file_create_on_disk(r.guest, 8 * MIB), 2);
	for (unsigned int i = 0; i < 3; i++)
		map_at(&r, AT + i * 8 * MIB, 8 * MIB, GUEST_MAP_FILE, i);
	rig_read(&r, 0, AT + 8 * MIB, 16 * MIB);
	rig_munmap(&r, 0, AT, 24 * MIB);
	guest_file_destroy(r.guest, 0, 0);
	ASSERT_U64("cached", file_pages(&r), 4096);
	alloc_set_watermarks(r.alloc, 0, 16000, 16100, 16200);
	rig_op(&r, &op, 0);
	/* But for those that still wait in an LRU batch. */
	assert_in_range(file_pages(&r), 2048, 2048 + LRU_BATCH_MAX);
	assert_true(guest_counters(r.guest)->pgsteal_kswapd >= 2048 - 64);
	rig_close(&r);
}

/* Nothing is done that could not be told. */
static void test_edges__a_full_touch_buffer_stops_everything(void **state)
{
	static const struct guest_op ops[] = {
		{ .kind = GUEST_TOUCH, .addr = AT + MIB, .len = MIB },
		{ .kind = GUEST_MUNMAP, .addr = AT, .len = MIB },
		{ .kind = GUEST_EXIT },
		{ .kind = GUEST_KHUGEPAGED, .len = 512 },
		{ .kind = GUEST_COMPACT_MEMORY },
		{ .kind = GUEST_RANGE, .len = 8 * MIB },
	};

	(void)state;
	for (unsigned int i = 0; i < sizeof(ops) / sizeof(ops[0]); i++) {
		struct guest_op op = ops[i];
		uint64_t free;
		struct rig r;

		open_rig(&r, true, true, false);
		map_at(&r, AT, 2 * MIB, 0, 0);
		rig_touch(&r, 0, AT, MIB);
		free = rig_free_pages(&r);
		while (touch_room(&r.touches, 1))
			touch_add(&r.touches, RIG_START, 0, TOUCH_READ);
		for (unsigned int k = 0; k < 3; k++)
			ASSERT_U64(test_row(i), once(&r, &op), GUEST_MORE);
		ASSERT_U64(test_row(i), rig_free_pages(&r), free);
		r.touches.nr = 0;
		rig_op(&r, &op, 0);
		rig_close(&r);
	}
}

/* A run may end while tasks are at work; what they gather is the guest's. */
static void test_edges__the_guest_goes_in_mid_unmap(void **state)
{
	struct guest_op op = { .kind = GUEST_MUNMAP, .addr = AT,
			       .len = 8 * MIB - 64 * KIB };
	struct guest_work work = { 0 };
	struct rig r;

	(void)state;
	open_rig(&r, true, false, false);
	map_at(&r, AT, 8 * MIB, 0, 0);
	rig_touch(&r, 0, AT, 4 * MIB);
	map_at(&r, AT + 8 * MIB, 2 * MIB, GUEST_MAP_HUGEPAGE, 0);
	rig_touch(&r, 0, AT + 8 * MIB, PAGE_SIZE);
	op.len = 9 * MIB; /* the end cuts the huge page */
	ASSERT_U64("status", guest_run(r.guest, &op, 0, 700, &work),
		   GUEST_MORE);
	assert_true(work.zapped_pages > 0);
	/* LeakSanitizer sees what this forgets. */
	rig_abandon(&r);
}

/* khugepaged is stopped with the huge page in its hand. */
static void test_edges__khugepaged_gives_its_page_back(void **state)
{
	struct guest_op op = { .kind = GUEST_KHUGEPAGED, .len = 4096 };
	struct guest_work work = { 0 };
	struct rig r;
	uint64_t free;

	(void)state;
	open_rig(&r, true, false, false);
	map_at(&r, AT, 2 * MIB, GUEST_MAP_HUGEPAGE, 0);
	rig_read(&r, 0, AT, PAGE_SIZE);
	rig_touch(&r, 0, AT, MIB);
	free = rig_free_pages(&r);
	while (rig_free_pages(&r) == free)
		ASSERT_U64("status", guest_run(r.guest, &op, 0, 1, &work),
			   GUEST_MORE);
	ASSERT_U64("taken", free - rig_free_pages(&r), HPAGE_PMD_NR);
	guest_op_cancel(r.guest, &op, 0);
	ASSERT_U64("free", rig_free_pages(&r), free);
	rig_close(&r);
}

/* A guest helps itself only with what it is built with. */
static void test_edges__no_help_that_is_not_there(void **state)
{
	static const struct {
		bool compaction, reclaim;
		unsigned int order;
		enum alloc_reason reason;
	} rows[] = {
		{ false, true, HPAGE_PMD_ORDER, ALLOC_REASON_COMPACT },
		{ true, false, 0, ALLOC_REASON_RECLAIM },
		{ false, false, 0, ALLOC_REASON_RECLAIM },
	};

	(void)state;
	for (unsigned int i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct guest_op op = {
			.kind = GUEST_ALLOC, .flags = rows[i].order,
			.len = rows[i].order ? GFP_TRANSHUGE : GFP_KERNEL,
		};
		struct guest_work work = { 0 };
		struct rig r;

		open_rig(&r, rows[i].compaction, rows[i].reclaim, false);
		while (alloc_page_fast(r.alloc, 0, rows[i].order,
				       GFP_KERNEL) != PFN_NONE)
			r.nr_events = 0;
		ASSERT_U64(test_row(i),
			   guest_run(r.guest, &op, 0, 1, &work), GUEST_WAIT);
		ASSERT_U64(test_row(i), work.reason, rows[i].reason);
		ASSERT_U64(test_row(i), op.helper, 0);
		rig_close(&r);
	}
}

static int migrate_not_now(void *ctx, unsigned int cpu, pfn_t from, pfn_t to)
{
	(void)cpu;
	(void)from;
	(void)to;
	++*(unsigned int *)ctx;
	return -EAGAIN;
}

/*
 * A driver's page counts as movable. If the driver cannot move it, or not now,
 * it stays where it is, and so does its range.
 */
static void test_edges__a_drivers_page_that_does_not_move(void **state)
{
	(void)state;
	for (unsigned int asked = 0; asked < 2; asked++) {
		unsigned int calls = 0;
		const struct rig_options o = {
			.kernel = "6.12", .mib = 16, .thp = THP_NEVER,
			.compaction = true, .ctx = &calls,
			.migrate = asked ? migrate_not_now : NULL,
		};
		struct guest_op op = { .kind = GUEST_RANGE, .len = 8 * MIB };
		const struct guest_counters *c;
		static const pfn_t start = 2048, end = 4096;
		pfn_t others[4096], pfn;
		unsigned int nr = 0;
		struct rig r;
		uint64_t free;

		rig_open(&r, &o);
		c = guest_counters(r.guest);
		/* One page in the only range of 8 MiB, and nothing else. */
		for (;;) {
			pfn = alloc_page_fast(r.alloc, 0, 0,
					      GFP_HIGHUSER_MOVABLE);
			assert_true(pfn != PFN_NONE);
			if (pfn >= start && pfn < end)
				break;
			others[nr++] = pfn;
		}
		while (nr)
			alloc_free(r.alloc, 0, others[--nr], 0);
		guest_movable_add(r.guest, pfn);
		free = rig_free_pages(&r);
		rig_op(&r, &op, 0);
		ASSERT_U64(test_row(asked), c->range_tried, 1);
		ASSERT_U64(test_row(asked), c->range_success, 0);
		ASSERT_U64(test_row(asked), c->range_unmovable, 1);
		ASSERT_U64(test_row(asked), calls, asked);
		ASSERT_U64(test_row(asked), rig_free_pages(&r), free);
		assert_true(alloc_test_lru(r.alloc, pfn));
		guest_movable_del(r.guest, pfn);
		assert_false(alloc_test_lru(r.alloc, pfn));
		alloc_free(r.alloc, 0, pfn, 0);
		/* Nobody is in the way any more. */
		op = (struct guest_op){ .kind = GUEST_RANGE, .len = 8 * MIB };
		rig_op(&r, &op, 0);
		ASSERT_U64(test_row(asked), c->range_success, 1);
		rig_close(&r);
	}
}

/* Without compaction nobody moves it; the mark is there all the same. */
static void test_edges__a_drivers_page_without_compaction(void **state)
{
	struct guest_op op = { .kind = GUEST_RANGE, .len = 8 * MIB };
	struct rig r;
	pfn_t pfn;

	(void)state;
	open_rig(&r, false, true, false);
	pfn = alloc_page_fast(r.alloc, 0, 0, GFP_HIGHUSER_MOVABLE);
	guest_movable_add(r.guest, pfn);
	assert_true(alloc_test_lru(r.alloc, pfn));
	rig_op(&r, &op, 0);
	ASSERT_U64("failed", guest_counters(r.guest)->range_fail, 1);
	guest_movable_del(r.guest, pfn);
	assert_false(alloc_test_lru(r.alloc, pfn));
	rig_close(&r);
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(test_edges__an_address_space_without_room),
	cmocka_unit_test(test_edges__a_file_lives_until_its_last_mapping_goes),
	cmocka_unit_test(test_edges__only_files_on_disk_are_reclaimed),
	cmocka_unit_test(test_edges__a_full_touch_buffer_stops_everything),
	cmocka_unit_test(test_edges__the_guest_goes_in_mid_unmap),
	cmocka_unit_test(test_edges__khugepaged_gives_its_page_back),
	cmocka_unit_test(test_edges__no_help_that_is_not_there),
	cmocka_unit_test(test_edges__a_drivers_page_that_does_not_move),
	cmocka_unit_test(test_edges__a_drivers_page_without_compaction),
};

TEST_MAIN(cases)
