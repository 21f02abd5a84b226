/* SPDX-License-Identifier: GPL-2.0-or-later */
/* khugepaged makes huge pages, the deferred split takes them apart. */
#include "tests/guest/rig.h"

static void open_rig(struct rig *r, const char *kernel, enum thp_enabled thp)
{
	const struct rig_options o = { .kernel = kernel, .mib = 48,
				       .thp = thp, .aligned = true,
				       .reclaim = true, .compaction = true };

	rig_open(r, &o);
}

static struct guest_gauges gauges(const struct rig *r)
{
	struct guest_gauges g;

	guest_gauges(r->guest, &g);
	return g;
}

static void scan(struct rig *r, uint64_t pages, struct guest_op *op)
{
	*op = (struct guest_op){ .kind = GUEST_KHUGEPAGED, .len = pages };
	r->budget = 1;
	rig_op(r, op, 0);
	r->budget = UINT32_MAX;
	rig_assert_valid(r);
}

static void test_khugepaged__collapses_a_punched_range(void **state)
{
	/*
	 * 4 MiB of small pages, a quarter of them given back: two ranges of 384
	 * pages are copied, 256 holes are cleared.
	 */
	(void)state;
	for (int k = 0; rig_kernels[k]; k++) {
		const struct guest_counters *c;
		struct guest_op op;
		struct rig r;
		uint64_t addr;
		uint32_t mm;

		open_rig(&r, rig_kernels[k], THP_ALWAYS);
		c = guest_counters(r.guest);
		mm = rig_mm(&r, 0);
		addr = rig_mmap(&r, mm, 4 * MIB, 0);
		/* A read first: the range has a table, so no huge fault. */
		rig_read(&r, mm, addr, PAGE_SIZE);
		rig_read(&r, mm, addr + 2 * MIB, PAGE_SIZE);
		rig_touch(&r, mm, addr, 4 * MIB);
		ASSERT_U64("small", gauges(&r).anon_thp, 0);
		for (uint64_t at = 0; at < 4 * MIB; at += 4 * PAGE_SIZE)
			rig_dontneed(&r, mm, addr + at, PAGE_SIZE);
		ASSERT_U64("anon", gauges(&r).anon_pages, 768);
		r.work.migrated_pages = 0;
		scan(&r, 4096, &op);
		ASSERT_U64(rig_kernels[k], c->thp_collapse_alloc, 2);
		ASSERT_U64("copied", r.work.migrated_pages, 768);
		ASSERT_U64("thp", gauges(&r).anon_thp, 2);
		ASSERT_U64("anon", gauges(&r).anon_pages, 1024);
		ASSERT_U64("had a page", op.addr, 0);
		rig_exit(&r, mm);
		ASSERT_U64("free", rig_free_pages(&r), r.free_at_start);
		rig_close(&r);
	}
}

static void test_khugepaged__scans_so_many_pages_and_goes_on(void **state)
{
	/* Two ranges, one in a call of 512 pages. */
	const struct guest_counters *c;
	struct guest_op op;
	struct rig r;
	uint64_t addr;
	uint32_t mm;

	(void)state;
	open_rig(&r, "6.1", THP_ALWAYS);
	c = guest_counters(r.guest);
	mm = rig_mm(&r, 0);
	addr = rig_mmap(&r, mm, 4 * MIB, 0);
	rig_read(&r, mm, addr, PAGE_SIZE);
	rig_read(&r, mm, addr + 2 * MIB, PAGE_SIZE);
	rig_touch(&r, mm, addr, 4 * MIB);
	scan(&r, 512, &op);
	ASSERT_U64("first", c->thp_collapse_alloc, 1);
	scan(&r, 512, &op);
	ASSERT_U64("second", c->thp_collapse_alloc, 2);
	rig_exit(&r, mm);
	rig_close(&r);
}

static void test_khugepaged__leaves_what_did_not_ask(void **state)
{
	/* enabled=madvise: only the mapping with MADV_HUGEPAGE. */
	const struct guest_counters *c;
	struct guest_op op;
	struct rig r;
	uint64_t addr;
	uint32_t mm;

	(void)state;
	open_rig(&r, "6.1", THP_MADVISE);
	c = guest_counters(r.guest);
	mm = rig_mm(&r, 0);
	rig_touch(&r, mm, rig_mmap(&r, mm, 2 * MIB, 0), 2 * MIB);
	addr = rig_mmap(&r, mm, 2 * MIB, GUEST_MAP_HUGEPAGE);
	rig_read(&r, mm, addr, PAGE_SIZE);
	rig_touch(&r, mm, addr, 2 * MIB);
	scan(&r, 4096, &op);
	ASSERT_U64("collapsed", c->thp_collapse_alloc, 1);
	rig_exit(&r, mm);
	rig_close(&r);
}

static void test_deferred_split__frees_the_holes_under_pressure(void **state)
{
	/*
	 * Every other page of 20 huge pages is given back, which frees nothing;
	 * a task that needs the memory gets it.
	 */
	(void)state;
	for (int k = 0; rig_kernels[k]; k++) {
		const struct guest_counters *c;
		struct rig r;
		uint64_t addr;
		uint32_t mm;

		open_rig(&r, rig_kernels[k], THP_MADVISE);
		c = guest_counters(r.guest);
		mm = rig_mm(&r, 0);
		addr = rig_mmap(&r, mm, 40 * MIB, GUEST_MAP_HUGEPAGE);
		rig_touch(&r, mm, addr, 40 * MIB);
		ASSERT_U64("thp", gauges(&r).anon_thp, 20);
		for (uint64_t at = 0; at < 40 * MIB; at += 2 * PAGE_SIZE)
			rig_dontneed(&r, mm, addr + at, PAGE_SIZE);
		ASSERT_U64("queued", c->thp_deferred_split_page, 20);
		ASSERT_U64("split", c->thp_split_page, 0);
		rig_assert_valid(&r);
		rig_touch(&r, mm, rig_mmap(&r, mm, 16 * MIB, 0), 16 * MIB);
		ASSERT_U64(rig_kernels[k], c->thp_split_page, 20);
		rig_assert_valid(&r);
		rig_exit(&r, mm);
		ASSERT_U64("free", rig_free_pages(&r), r.free_at_start);
		rig_close(&r);
	}
}

static void test_deferred_split__last_piece_leaves_the_queue(void **state)
{
	/* All pieces go one by one: the page is freed whole, not split. */
	const struct guest_counters *c;
	struct rig r;
	uint64_t addr;
	uint32_t mm;

	(void)state;
	open_rig(&r, "6.1", THP_MADVISE);
	c = guest_counters(r.guest);
	mm = rig_mm(&r, 0);
	addr = rig_mmap(&r, mm, 2 * MIB, GUEST_MAP_HUGEPAGE);
	rig_touch(&r, mm, addr, 2 * MIB);
	for (uint64_t at = 0; at < 2 * MIB; at += PAGE_SIZE) {
		rig_dontneed(&r, mm, addr + at, PAGE_SIZE);
		rig_assert_valid(&r);
	}
	ASSERT_U64("queued once", c->thp_deferred_split_page, 1);
	ASSERT_U64("split", c->thp_split_page, 0);
	rig_exit(&r, mm);
	ASSERT_U64("free", rig_free_pages(&r), r.free_at_start);
	rig_close(&r);
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(test_khugepaged__collapses_a_punched_range),
	cmocka_unit_test(test_khugepaged__scans_so_many_pages_and_goes_on),
	cmocka_unit_test(test_khugepaged__leaves_what_did_not_ask),
	cmocka_unit_test(test_deferred_split__frees_the_holes_under_pressure),
	cmocka_unit_test(test_deferred_split__last_piece_leaves_the_queue),
};

int main(void)
{
	return cmocka_run_group_tests(cases, NULL, NULL) ? 1 : 0;
}
