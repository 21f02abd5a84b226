/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reclaim of page cache: directly, and by kswapd. */
#include "guest/compact.h"
#include "tests/guest/rig.h"

static void open_rig(struct rig *r, bool reclaim)
{
	const struct rig_options o = { .kernel = "6.1", .mib = 48,
				       .thp = THP_NEVER, .reclaim = reclaim,
				       .compaction = reclaim };

	rig_open(r, &o);
	alloc_setup_watermarks(r->alloc, 0);
}

/* 24 MiB of a file are cached, no page of it is mapped any more. */
static int cached_file(struct rig *r, bool on_disk)
{
	const int file = on_disk ?
		guest_file_create_on_disk(r->guest, 24 * MIB) :
		guest_file_create(r->guest, 24 * MIB);
	const uint32_t mm = rig_mm(r, 0);

	assert_true(file >= 0);
	rig_read(r, mm, rig_mmap_file(r, mm, (uint32_t)file, 24 * MIB),
		 24 * MIB);
	rig_exit(r, mm);
	return file;
}

static void test_reclaim__direct_frees_page_cache(void **state)
{
	/* Anonymous memory takes the place of a file's pages. */
	const struct guest_counters *c;
	struct guest_gauges gauges;
	struct rig r;
	uint32_t mm;
	int file;

	(void)state;
	open_rig(&r, true);
	c = guest_counters(r.guest);
	file = cached_file(&r, true);
	mm = rig_mm(&r, 0);
	rig_touch(&r, mm, rig_mmap(&r, mm, 36 * MIB, 0), 36 * MIB);
	guest_gauges(r.guest, &gauges);
	assert_true(gauges.file_pages < bytes_to_pages(24 * MIB));
	assert_true(c->pgsteal_direct > 0);
	ASSERT_U64("stolen pages left the cache", c->pgsteal_direct,
		   bytes_to_pages(24 * MIB) - gauges.file_pages);
	assert_true(c->pgscan_direct >= c->pgsteal_direct);
	rig_assert_valid(&r);
	rig_exit(&r, mm);
	guest_file_destroy(r.guest, (uint32_t)file, 0);
	ASSERT_U64("free", rig_free_pages(&r), r.free_at_start);
	rig_close(&r);
}

static void test_reclaim__memory_file_stays(void **state)
{
	/* There is no swap for it: reclaim finds nothing. */
	struct guest_op op = { .kind = GUEST_TOUCH, .len = 36 * MIB };
	const struct guest_counters *c;
	enum guest_status status;
	struct rig r;
	int file;

	(void)state;
	open_rig(&r, true);
	c = guest_counters(r.guest);
	file = cached_file(&r, false);
	op.mm = rig_mm(&r, 0);
	op.addr = rig_mmap(&r, op.mm, 36 * MIB, 0);
	do {
		status = guest_run(r.guest, &op, 0, 100, &r.work);
		r.touches.nr = 0;
	} while (status == GUEST_MORE);
	assert_int_equal(status, GUEST_WAIT);
	assert_int_equal(r.work.reason, ALLOC_REASON_OOM);
	ASSERT_U64("nothing", c->pgsteal_direct, 0);
	assert_true(c->reclaim_rounds >= 16);
	rig_exit(&r, op.mm);
	guest_file_destroy(r.guest, (uint32_t)file, 0);
	rig_close(&r);
}

static void test_kswapd__reclaims_to_the_high_watermark(void **state)
{
	/* Woken below the low mark; it stops when the zone is above high. */
	const struct guest_counters *c;
	struct guest_op op = { .kind = GUEST_KSWAPD, .len = ZONE_NORMAL };
	struct alloc_zone_info z;
	enum guest_status status;
	struct rig r;
	uint32_t mm;
	uint64_t addr;
	int file;

	(void)state;
	open_rig(&r, true);
	c = guest_counters(r.guest);
	file = cached_file(&r, true);
	mm = rig_mm(&r, 0);
	alloc_zone_info(r.alloc, 0, &z);
	addr = rig_mmap(&r, mm, 36 * MIB, 0);
	for (uint64_t at = 0; z.free >= z.wmark_low + z.boost;
	     at += PAGE_SIZE) {
		rig_touch(&r, mm, addr + at, PAGE_SIZE);
		alloc_zone_info(r.alloc, 0, &z);
	}
	do {
		status = guest_run(r.guest, &op, 0, 3, &r.work);
		rig_assert_valid(&r);
	} while (status == GUEST_MORE);
	assert_int_equal(status, GUEST_DONE);
	alloc_zone_info(r.alloc, 0, &z);
	assert_true(z.free > z.wmark_high);
	assert_true(z.free < z.wmark_high + 1200);
	ASSERT_U64("boost", z.boost, 0);
	assert_true(c->pgsteal_kswapd > 0);
	ASSERT_U64("direct", c->pgscan_direct, 0);
	rig_exit(&r, mm);
	guest_file_destroy(r.guest, (uint32_t)file, 0);
	rig_close(&r);
}

static void test_kswapd__takes_off_the_boost_and_asks_for_kcompactd(void **state)
{
	/* Nothing to reclaim: the boost goes all the same. */
	struct guest_op op = { .kind = GUEST_KSWAPD, .len = ZONE_NORMAL };
	struct alloc_zone_info z;
	struct rig r;

	(void)state;
	open_rig(&r, true);
	alloc_set_boost(r.alloc, 0, 512);
	assert_int_equal(guest_run(r.guest, &op, 0, 100, &r.work), GUEST_DONE);
	alloc_zone_info(r.alloc, 0, &z);
	ASSERT_U64("boost", z.boost, 0);
	ASSERT_U64("order", op.addr, 9);
	rig_close(&r);
}

/* balance_pgdat takes off what it found, not what came since. */
static void test_kswapd__a_boost_that_changes_meanwhile(void **state)
{
	static const struct {
		uint64_t meanwhile, after;
	} rows[] = { { 512, 0 }, { 100, 0 }, { 0, 0 }, { 700, 188 } };

	(void)state;
	for (unsigned int i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct guest_op op = { .kind = GUEST_KSWAPD,
				       .len = ZONE_NORMAL };
		struct alloc_zone_info z;
		struct rig r;
		int file;

		open_rig(&r, true);
		file = cached_file(&r, true);
		alloc_set_boost(r.alloc, 0, 512);
		ASSERT_U64(test_row(i),
			   guest_run(r.guest, &op, 0, 1, &r.work), GUEST_MORE);
		alloc_set_boost(r.alloc, 0, rows[i].meanwhile);
		rig_op(&r, &op, 0);
		alloc_zone_info(r.alloc, 0, &z);
		ASSERT_U64(test_row(i), z.boost, rows[i].after);
		guest_file_destroy(r.guest, (uint32_t)file, 0);
		rig_close(&r);
	}
}

/* kswapd_shrink_node: with compact_gap() pages the rest is for compaction. */
static void test_kswapd__drops_its_order_when_there_is_enough(void **state)
{
	const uint64_t enough = UINT64_C(2) << HPAGE_PMD_ORDER;
	struct guest_op op = { .kind = GUEST_KSWAPD, .len = ZONE_NORMAL,
			       .flags = HPAGE_PMD_ORDER };
	bool seen[2] = { false, false };
	enum guest_status status;
	struct rig r;
	int file;

	(void)state;
	open_rig(&r, true);
	file = cached_file(&r, true);
	/* More than there is: it never has enough to sleep. */
	alloc_set_watermarks(r.alloc, 0, 20000, 20000, 20000);
	do {
		status = guest_run(r.guest, &op, 0, 1, &r.work);
		if (op.helper && guest_counters(r.guest)->pageoutrun == 1) {
			const struct helper *h = helper_of(r.guest, &op);
			const bool dropped = h->reclaimed >= enough;

			ASSERT_U64("order", h->order,
				   dropped ? 0 : HPAGE_PMD_ORDER);
			seen[dropped] = true;
		}
	} while (status == GUEST_MORE);
	ASSERT_U64("status", status, GUEST_DONE);
	assert_true(seen[0] && seen[1]);
	/* kcompactd is asked for what was wanted at first. */
	ASSERT_U64("order", op.addr, HPAGE_PMD_ORDER);
	guest_file_destroy(r.guest, (uint32_t)file, 0);
	rig_close(&r);
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(test_reclaim__direct_frees_page_cache),
	cmocka_unit_test(test_reclaim__memory_file_stays),
	cmocka_unit_test(test_kswapd__reclaims_to_the_high_watermark),
	cmocka_unit_test(
		test_kswapd__takes_off_the_boost_and_asks_for_kcompactd),
	cmocka_unit_test(test_kswapd__a_boost_that_changes_meanwhile),
	cmocka_unit_test(test_kswapd__drops_its_order_when_there_is_enough),
};

int main(void)
{
	return cmocka_run_group_tests(cases, NULL, NULL) ? 1 : 0;
}
