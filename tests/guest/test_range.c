/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Gigantic pages and memory that goes offline: what moves out of the way, what
 * cannot, and what a block does that a host has meanwhile.
 */
#include "tests/guest/rig.h"

#define RANGE (8 * MIB)
#define NOTHING PFN_NONE

static bool covers(void *ctx, pfn_t from, pfn_t to)
{
	const pfn_t *block = ctx;

	return *block != NOTHING && *block < to && from < *block + 1024;
}

static struct rig_options options(const char *kernel, pfn_t *block)
{
	return (struct rig_options){ .kernel = kernel, .mib = 48,
				     .thp = THP_NEVER, .compaction = true,
				     .with_host = covers, .ctx = block };
}

static enum guest_status ask(struct rig *r, struct guest_op *op)
{
	enum guest_status status;

	do {
		status = guest_run(r->guest, op, 0, 4, &r->work);
		r->touches.nr = 0;
		rig_assert_valid(r);
	} while (status == GUEST_MORE);
	return status;
}

/* Half of all pages are used, one by one. */
static uint32_t punched(struct rig *r)
{
	const uint32_t mm = rig_mm(r, 0);
	const uint64_t addr = rig_mmap(r, mm, 44 * MIB, 0);

	rig_touch(r, mm, addr, 44 * MIB);
	for (uint64_t at = 0; at < 44 * MIB; at += 2 * PAGE_SIZE)
		rig_dontneed(r, mm, addr + at, PAGE_SIZE);
	return mm;
}

static void test_range__pages_move_out_of_the_way(void **state)
{
	/* A gigantic page in a punched guest, in every release; all comes back. */
	(void)state;
	for (int k = 0; rig_kernels[k]; k++) {
		pfn_t block = NOTHING;
		struct rig_options o = options(rig_kernels[k], &block);
		struct guest_op op = { .kind = GUEST_RANGE, .len = RANGE };
		const struct guest_counters *c;
		struct rig r;
		uint32_t mm;

		rig_open(&r, &o);
		c = guest_counters(r.guest);
		mm = punched(&r);
		assert_int_equal(ask(&r, &op), GUEST_DONE);
		ASSERT_U64(o.kernel, c->range_success, 1);
		ASSERT_U64(o.kernel, c->range_with_host, 0);
		assert_true(c->pgmigrate_success >= 512);
		rig_exit(&r, mm);
		ASSERT_U64(o.kernel, rig_free_pages(&r), r.free_at_start);
		rig_close(&r);
	}
}

static void test_range__a_page_that_stays_is_another_range(void **state)
{
	/* One page of each range cannot move: none is had, nothing is lost. */
	pfn_t block = NOTHING, kept[16];
	struct rig_options o = options("6.1", &block);
	struct guest_op op = { .kind = GUEST_RANGE, .len = RANGE };
	const struct guest_counters *c;
	unsigned int nr = 0;
	struct rig r;

	(void)state;
	rig_open(&r, &o);
	c = guest_counters(r.guest);
	for (pfn_t pfn = 2048; pfn < alloc_end_pfn(r.alloc); pfn += 2048)
		if (alloc_take_off_buddy(r.alloc, pfn + 77, 0))
			kept[nr++] = pfn + 77;
	assert_int_equal(ask(&r, &op), GUEST_DONE);
	ASSERT_U64("success", c->range_success, 0);
	ASSERT_U64("fail", c->range_fail, 1);
	ASSERT_U64("tried", c->range_tried, c->range_unmovable);
	assert_true(c->range_tried >= 4);
	while (nr)
		alloc_free_buddy(r.alloc, kept[--nr], 0);
	ASSERT_U64("free", rig_free_pages(&r), r.free_at_start);
	rig_close(&r);
}

/* A block of 4 MiB in the first range that is looked at. */
static pfn_t report_one(struct rig *r, pfn_t from)
{
	pfn_t pfn = from;

	while (!alloc_is_free_head(r->alloc, pfn) ||
	       alloc_block_order(r->alloc, pfn) != MAX_PAGE_ORDER)
		pfn += 1024;
	alloc_isolate_raw(r->alloc, pfn);
	return pfn;
}

static void test_range__blocks_of_the_host(void **state)
{
	/*
	 * A gigantic page is had elsewhere while the host has a block; memory
	 * that goes offline waits for it, and is gone then.
	 */
	(void)state;
	for (uint32_t offline = 0; offline <= 1; offline++) {
		pfn_t block = NOTHING;
		struct rig_options o = options("6.1", &block);
		struct guest_op op = { .kind = GUEST_RANGE, .len = RANGE,
				       .flags = offline };
		const struct guest_counters *c;
		struct rig r;

		rig_open(&r, &o);
		c = guest_counters(r.guest);
		block = report_one(&r, offline ?
				   alloc_end_pfn(r.alloc) / 2048 * 2048 - 2048 :
				   2048);
		assert_int_equal(ask(&r, &op),
				 offline ? GUEST_WAIT : GUEST_DONE);
		ASSERT_U64("with host", c->range_with_host, 1);
		ASSERT_U64("success", c->range_success, !offline);
		alloc_putback(r.alloc, block, MAX_PAGE_ORDER,
			      alloc_pageblock_type(r.alloc, block));
		block = NOTHING;
		if (offline)
			assert_int_equal(ask(&r, &op), GUEST_DONE);
		ASSERT_U64("success", c->range_success, 1);
		ASSERT_U64("free", rig_free_pages(&r), r.free_at_start -
			   offline * bytes_to_pages(RANGE));
		rig_close(&r);
	}
}

/* Huge pages do not move: a range with one is not looked at further. */
static void test_range__a_huge_page_is_in_the_way(void **state)
{
	pfn_t block = NOTHING;
	struct rig_options o = options("6.1", &block);
	struct guest_op op = { .kind = GUEST_RANGE, .len = RANGE };
	const struct guest_counters *c;
	struct rig r;
	uint32_t mm;

	(void)state;
	o.thp = THP_ALWAYS;
	o.aligned = true;
	rig_open(&r, &o);
	c = guest_counters(r.guest);
	mm = rig_mm(&r, 0);
	rig_touch(&r, mm, rig_mmap(&r, mm, 44 * MIB, 0), 44 * MIB);
	ASSERT_U64("huge", c->thp_fault_alloc, 22);
	assert_int_equal(ask(&r, &op), GUEST_DONE);
	ASSERT_U64("fail", c->range_fail, 1);
	ASSERT_U64("tried", c->range_tried, c->range_unmovable);
	ASSERT_U64("moved", c->pgmigrate_success, 0);
	rig_exit(&r, mm);
	ASSERT_U64("free", rig_free_pages(&r), r.free_at_start);
	rig_close(&r);
}

/* What is offline already is passed over. */
static void test_range__memory_goes_offline_twice(void **state)
{
	pfn_t block = NOTHING;
	struct rig_options o = options("6.1", &block);
	const struct guest_counters *c;
	struct rig r;

	(void)state;
	rig_open(&r, &o);
	c = guest_counters(r.guest);
	for (unsigned int i = 1; i <= 2; i++) {
		struct guest_op op = { .kind = GUEST_RANGE, .len = RANGE,
				       .flags = GUEST_RANGE_OFFLINE };

		assert_int_equal(ask(&r, &op), GUEST_DONE);
		ASSERT_U64(test_row(i), c->range_success, i);
		ASSERT_U64(test_row(i), c->range_unmovable, i - 1);
		ASSERT_U64(test_row(i), rig_free_pages(&r),
			   r.free_at_start - i * bytes_to_pages(RANGE));
	}
	rig_close(&r);
}

/* One page is free outside: one page moves, the range is given up. */
static void test_range__one_page_to_move_to(void **state)
{
	pfn_t block = NOTHING;
	struct rig_options o = options("6.1", &block);
	struct guest_op op = { .kind = GUEST_RANGE, .len = RANGE };
	const struct guest_counters *c;
	uint64_t taken = 0;
	struct rig r;
	uint32_t mm;

	(void)state;
	rig_open(&r, &o);
	c = guest_counters(r.guest);
	mm = rig_mm(&r, 0);
	rig_touch(&r, mm, rig_mmap(&r, mm, 40 * MIB, 0), 40 * MIB);
	alloc_drain_all(r.alloc);
	while (alloc_page_fast(r.alloc, 0, 0, GFP_HIGHUSER_MOVABLE) != PFN_NONE)
		taken++;
	ASSERT_U64("left", rig_free_pages(&r), 1);
	assert_int_equal(ask(&r, &op), GUEST_DONE);
	ASSERT_U64("fail", c->range_fail, 1);
	ASSERT_U64("tried", c->range_tried, c->range_unmovable);
	ASSERT_U64("moved", c->pgmigrate_success, c->range_tried);
	ASSERT_U64("left", rig_free_pages(&r), 1);
	rig_exit(&r, mm);
	ASSERT_U64("free", rig_free_pages(&r) + taken, r.free_at_start);
	rig_close(&r);
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(test_range__pages_move_out_of_the_way),
	cmocka_unit_test(test_range__a_page_that_stays_is_another_range),
	cmocka_unit_test(test_range__blocks_of_the_host),
	cmocka_unit_test(test_range__a_huge_page_is_in_the_way),
	cmocka_unit_test(test_range__memory_goes_offline_twice),
	cmocka_unit_test(test_range__one_page_to_move_to),
};

TEST_MAIN(cases)
