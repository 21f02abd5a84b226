/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Compaction and migration: what moves, where it goes, what is counted.
 */
#include <stdlib.h>

#include "guest/compact.h"
#include "tests/guest/rig.h"

#define NR_KERNELS 7

static struct rig_options options(const char *kernel)
{
	return (struct rig_options){ .kernel = kernel, .mib = 48,
				     .thp = THP_MADVISE, .aligned = true,
				     .compaction = true, .reclaim = true };
}

/* Every other page of `len` bytes is given back: nothing can merge. */
static uint64_t punched(struct rig *r, uint32_t mm, uint64_t len)
{
	const uint64_t addr = rig_mmap(r, mm, len, 0);

	rig_touch(r, mm, addr, len);
	for (uint64_t at = 0; at < len; at += 2 * PAGE_SIZE)
		rig_dontneed(r, mm, addr + at, PAGE_SIZE);
	alloc_drain_all(r->alloc);
	return addr;
}

static enum guest_status thread_run(struct rig *r, enum guest_op_kind kind,
				    unsigned int order, struct guest_op *op)
{
	enum guest_status status;

	*op = (struct guest_op){ .kind = kind, .flags = order,
				 .len = ZONE_NORMAL };
	do {
		status = guest_run(r->guest, op, 0, 1, &r->work);
		r->touches.nr = 0;
		rig_assert_valid(r);
	} while (status == GUEST_MORE);
	return status;
}

static void test_compact__kcompactd_makes_huge_blocks(void **state)
{
	/* Half of every pageblock is used: a third of them can be emptied. */
	(void)state;
	for (int k = 0; k < NR_KERNELS; k++) {
		struct rig_options o = options(rig_kernels[k]);
		const struct guest_counters *c;
		struct guest_op op;
		struct rig r;
		uint32_t mm;

		rig_open(&r, &o);
		c = guest_counters(r.guest);
		mm = rig_mm(&r, 0);
		punched(&r, mm, 46 * MIB);
		ASSERT_U64(o.kernel, alloc_nr_free(r.alloc, 0, 9) +
				     alloc_nr_free(r.alloc, 0, 10), 0);
		assert_int_equal(thread_run(&r, GUEST_KCOMPACTD, 9, &op),
				 GUEST_DONE);
		alloc_drain_all(r.alloc);
		if (alloc_nr_free(r.alloc, 0, 9) +
		    alloc_nr_free(r.alloc, 0, 10) == 0)
			fail_msg("%s: no huge block, %llu migrated",
				 o.kernel, (unsigned long long)
				 c->pgmigrate_success);
		assert_true(c->pgmigrate_success >= 100);
		ASSERT_U64(o.kernel, c->pages_copied, c->pgmigrate_success);
		ASSERT_U64(o.kernel, r.work.migrated_pages,
			   c->pgmigrate_success);
		ASSERT_U64(o.kernel, c->kcompactd_wake, 1);
		rig_exit(&r, mm);
		ASSERT_U64(o.kernel, rig_free_pages(&r), r.free_at_start);
		rig_close(&r);
	}
}

static void test_compact__direct_serves_a_huge_fault(void **state)
{
	/* MADV_HUGEPAGE with defrag=madvise: the fault compacts for itself. */
	(void)state;
	for (int k = 0; k < NR_KERNELS; k++) {
		struct rig_options o = options(rig_kernels[k]);
		const struct guest_counters *c;
		struct rig r;
		uint64_t huge;
		uint32_t mm;

		rig_open(&r, &o);
		c = guest_counters(r.guest);
		mm = rig_mm(&r, 0);
		punched(&r, mm, 46 * MIB);
		huge = rig_mmap(&r, mm, 4 * MIB, GUEST_MAP_HUGEPAGE);
		r.budget = 1;
		rig_touch(&r, mm, huge, 4 * MIB);
		ASSERT_U64(o.kernel, c->thp_fault_alloc, 2);
		assert_true(c->compact_stall >= 1);
		assert_true(c->compact_success >= 1);
		ASSERT_U64(o.kernel, c->compact_stall,
			   c->compact_success + c->compact_fail);
		rig_assert_valid(&r);
		rig_exit(&r, mm);
		ASSERT_U64(o.kernel, rig_free_pages(&r), r.free_at_start);
		rig_close(&r);
	}
}

static void test_compact__off_waits_for_the_caller(void **state)
{
	/* Without compaction the request for a huge page comes back. */
	struct rig_options o = options("6.1");
	struct guest_op op;
	struct rig r;
	uint32_t mm;

	(void)state;
	o.compaction = o.reclaim = false;
	rig_open(&r, &o);
	mm = rig_mm(&r, 0);
	punched(&r, mm, 46 * MIB);
	op = (struct guest_op){ .kind = GUEST_TOUCH, .mm = mm,
				.addr = rig_mmap(&r, mm, 2 * MIB,
						 GUEST_MAP_HUGEPAGE),
				.len = 2 * MIB };
	assert_int_equal(guest_run(r.guest, &op, 0, 1, &r.work), GUEST_WAIT);
	assert_int_equal(r.work.reason, ALLOC_REASON_COMPACT);
	r.touches.nr = 0;
	rig_exit(&r, mm);
	rig_close(&r);
}

static void test_compact__cached_and_mapped_file_pages_move(void **state)
{
	/* The page cache and every PTE that maps it follow the page. */
	struct rig_options o = options("6.1");
	const struct guest_counters *c;
	struct guest_op op;
	struct rig r;
	uint32_t mm;
	int file;

	(void)state;
	rig_open(&r, &o);
	c = guest_counters(r.guest);
	mm = rig_mm(&r, 0);
	file = guest_file_create(r.guest, 8 * MIB);
	assert_true(file >= 0);
	rig_read(&r, mm, rig_mmap_file(&r, mm, (uint32_t)file, 8 * MIB),
		 8 * MIB);
	punched(&r, mm, 37 * MIB);
	assert_int_equal(thread_run(&r, GUEST_KCOMPACTD, 10, &op), GUEST_DONE);
	assert_true(c->pgmigrate_success > 0);
	rig_exit(&r, mm);
	guest_file_destroy(r.guest, (uint32_t)file, 0);
	ASSERT_U64("free", rig_free_pages(&r), r.free_at_start);
	rig_close(&r);
}

struct driver {
	pfn_t page[4096];
	unsigned int nr, moved, busy;
};

static int driver_migrate(void *ctx, unsigned int cpu, pfn_t from, pfn_t to)
{
	struct driver *d = ctx;

	(void)cpu;
	if (d->busy) {
		d->busy--;
		return -11;
	}
	for (unsigned int i = 0; i < d->nr; i++)
		if (d->page[i] == from) {
			d->page[i] = to;
			d->moved++;
			return 0;
		}
	fail_msg("page %u is not the driver's", from);
	return -11;
}

static pfn_t driver_page(struct rig *r)
{
	struct alloc_request req = { .gfp = GFP_HIGHUSER_MOVABLE, .node = -1,
				     .zone = -1 };
	const struct alloc_result res = alloc_pages_nowait(r->alloc, &req);

	assert_int_equal(res.status, ALLOC_OK);
	return res.pfn;
}

static void test_compact__driver_pages_move_by_its_callback(void **state)
{
	/* Every other page belongs to a driver, which is busy at first. */
	struct rig_options o = options("6.1");
	struct driver *d = calloc(1, sizeof(*d));
	const struct guest_counters *c;
	struct guest_op op;
	struct rig r;

	(void)state;
	assert_non_null(d);
	o.mib = 16;
	o.migrate = driver_migrate;
	o.ctx = d;
	rig_open(&r, &o);
	c = guest_counters(r.guest);
	for (unsigned int i = 0; i < 3600; i++)
		d->page[d->nr++] = driver_page(&r);
	for (unsigned int i = 0, n = 0; i < d->nr; i++) {
		if (d->page[i] % 2)
			alloc_free(r.alloc, 0, d->page[i], 0);
		else
			d->page[n++] = d->page[i];
		if (i + 1 == d->nr) {
			d->nr = n;
			break;
		}
	}
	for (unsigned int i = 0; i < d->nr; i++)
		guest_movable_add(r.guest, d->page[i]);
	alloc_drain_all(r.alloc);
	d->busy = 5;
	assert_int_equal(thread_run(&r, GUEST_KCOMPACTD, 10, &op), GUEST_DONE);
	assert_true(d->moved > 0);
	ASSERT_U64("moved", c->pgmigrate_success, d->moved);
	ASSERT_U64("busy", c->pgmigrate_fail, 5);
	for (unsigned int i = 0; i < d->nr; i++) {
		assert_true(alloc_test_lru(r.alloc, d->page[i]));
		guest_movable_del(r.guest, d->page[i]);
		alloc_free(r.alloc, 0, d->page[i], 0);
	}
	ASSERT_U64("free", rig_free_pages(&r), r.free_at_start);
	rig_close(&r);
	free(d);
}

static void test_compact__cancel_gives_everything_back(void **state)
{
	/* A task is killed in the midst of its direct compaction. */
	struct rig_options o = options("6.1");
	struct guest_op op;
	struct rig r;
	uint32_t mm;

	(void)state;
	rig_open(&r, &o);
	mm = rig_mm(&r, 0);
	punched(&r, mm, 46 * MIB);
	op = (struct guest_op){ .kind = GUEST_TOUCH, .mm = mm,
				.addr = rig_mmap(&r, mm, 2 * MIB,
						 GUEST_MAP_HUGEPAGE),
				.len = 2 * MIB };
	rig_touch(&r, mm, rig_mmap(&r, mm, 2 * MIB, 0), 1 * MIB);
	for (int i = 0; i < 4; i++)
		assert_int_equal(guest_run(r.guest, &op, 0, 1, &r.work),
				 GUEST_MORE);
	assert_true(op.helper != 0);
	guest_op_cancel(r.guest, &op, 0);
	r.touches.nr = 0;
	rig_exit(&r, mm);
	ASSERT_U64("free", rig_free_pages(&r), r.free_at_start);
	rig_close(&r);
}

static bool captured(const struct rig *r, const struct guest_op *op)
{
	return op->helper && helper_of(r->guest, op)->answered &&
	       helper_of(r->guest, op)->captured != PFN_NONE;
}

static void test_compact__a_request_that_changes_meanwhile(void **state)
{
	/*
	 * A fault has compacted for a huge page when another thread gives up huge
	 * pages there: the block goes back, also if nothing else is free.
	 */
	(void)state;
	for (unsigned int full = 0; full < 2; full++) {
		struct rig_options o = options("6.1");
		struct guest_op op = { .kind = GUEST_TOUCH, .len = PAGE_SIZE };
		struct guest_op advice = { .kind = GUEST_MADV_THP,
					   .len = 2 * MIB,
					   .flags = GUEST_MAP_NOHUGEPAGE };
		const struct guest_counters *c;
		uint64_t taken = 0;
		struct rig r;

		o.reclaim = false;
		rig_open(&r, &o);
		c = guest_counters(r.guest);
		op.mm = advice.mm = rig_mm(&r, 0);
		punched(&r, op.mm, 46 * MIB);
		op.addr = advice.addr = rig_mmap(&r, op.mm, 2 * MIB,
						 GUEST_MAP_HUGEPAGE);
		while (!captured(&r, &op)) {
			ASSERT_U64(test_row(full),
				   guest_run(r.guest, &op, 0, 1, &r.work),
				   GUEST_MORE);
			r.touches.nr = 0;
		}
		rig_op(&r, &advice, 0);
		while (full && alloc_page_fast(r.alloc, 0, 0,
					       GFP_HIGHUSER_MOVABLE) !=
				       PFN_NONE)
			taken++;
		rig_op(&r, &op, 0);
		ASSERT_U64(test_row(full), op.helper, 0);
		ASSERT_U64(test_row(full), c->thp_fault_alloc, 0);
		ASSERT_U64(test_row(full), c->compact_success, 0);
		rig_exit(&r, op.mm);
		ASSERT_U64(test_row(full), rig_free_pages(&r) + taken,
			   r.free_at_start);
		rig_close(&r);
	}
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(test_compact__kcompactd_makes_huge_blocks),
	cmocka_unit_test(test_compact__direct_serves_a_huge_fault),
	cmocka_unit_test(test_compact__off_waits_for_the_caller),
	cmocka_unit_test(test_compact__cached_and_mapped_file_pages_move),
	cmocka_unit_test(test_compact__driver_pages_move_by_its_callback),
	cmocka_unit_test(test_compact__cancel_gives_everything_back),
	cmocka_unit_test(test_compact__a_request_that_changes_meanwhile),
};

int main(void)
{
	return cmocka_run_group_tests(cases, NULL, NULL) ? 1 : 0;
}
