/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The mock against a real host. The numbers were read on Linux 6.18 from
 * getrusage(), /proc/self/smaps and /proc/vmstat of a process that touched and
 * advised 1 GiB of private anonymous memory, aligned to 2 MiB (single strays of
 * the runs left out); docs/host-model.md has the table. A process's minor fault
 * is a violation that clears here; remapping has no counterpart, as the process
 * has no second page table. The rows about memfd, mprotect and MADV_COLLAPSE
 * concern things that the mock leaves out.
 */
#include "tests/hypervisor/host.h"

#define GIB_PAGES 262144

static const struct real_row {
	const char *name, *options, *before, *script;
	uint64_t minor_faults, rss_mib, anon_huge_mib;
	uint64_t thp_fault_alloc, thp_split_pmd, thp_deferred_split_page;
	uint64_t thp_split_page, pglazyfree;
} rows[] = {
	{ .name = "touch 1 GiB, MADV_NOHUGEPAGE",
	  .options = "thp=madvise madv_hugepage=off",
	  .script = "w 0 10 256 1024",
	  .minor_faults = 262144, .rss_mib = 1024 },
	{ .name = "touch 1 GiB, MADV_HUGEPAGE",
	  .options = "thp=madvise", .script = "w 0 10 256 1024",
	  .minor_faults = 512, .rss_mib = 1024, .anon_huge_mib = 1024,
	  .thp_fault_alloc = 512 },
	{ .name = "touch again",
	  .options = "thp=madvise", .before = "w 0 10 256 1024",
	  .script = "w 0 10 256 1024",
	  .rss_mib = 1024, .anon_huge_mib = 1024 },
	{ .name = "DONTNEED every other 4 KiB",
	  .options = "thp=madvise", .before = "w 0 10 256 1024",
	  .script = "d 0 0 131072 2",
	  .rss_mib = 512, .thp_split_pmd = 512,
	  .thp_deferred_split_page = 512 },
	{ .name = "touch all again: stays split",
	  .options = "thp=madvise",
	  .before = "w 0 10 256 1024; d 0 0 131072 2",
	  .script = "w 0 10 256 1024",
	  .minor_faults = 131072, .rss_mib = 1024 },
	{ .name = "DONTNEED one 4 KiB of every 2 MiB",
	  .options = "thp=madvise", .before = "w 0 10 256 1024",
	  .script = "d 0 0 512 512",
	  .rss_mib = 1022, .thp_split_pmd = 512,
	  .thp_deferred_split_page = 512 },
	{ .name = "refault those",
	  .options = "thp=madvise",
	  .before = "w 0 10 256 1024; d 0 0 512 512",
	  .script = "w 0 0 512 512",
	  .minor_faults = 512, .rss_mib = 1024 },
	{ .name = "DONTNEED every other 2 MiB: no split",
	  .options = "thp=madvise", .before = "w 0 10 256 1024",
	  .script = "d 0 9 256 1024",
	  .rss_mib = 512, .anon_huge_mib = 512 },
	{ .name = "touch all again: huge again",
	  .options = "thp=madvise",
	  .before = "w 0 10 256 1024; d 0 9 256 1024",
	  .script = "w 0 10 256 1024",
	  .minor_faults = 256, .rss_mib = 1024, .anon_huge_mib = 1024,
	  .thp_fault_alloc = 256 },
	{ .name = "MADV_FREE of everything",
	  .options = "thp=madvise discard=free", .before = "w 0 10 256 1024",
	  .script = "d 0 10 256 1024",
	  .rss_mib = 1024, .anon_huge_mib = 1024, .pglazyfree = 262144 },
	{ .name = "touch again: lazy mark cleared",
	  .options = "thp=madvise discard=free",
	  .before = "w 0 10 256 1024; d 0 10 256 1024",
	  .script = "w 0 10 256 1024",
	  .rss_mib = 1024, .anon_huge_mib = 1024 },
	{ .name = "MADV_FREE every other 4 KiB",
	  .options = "thp=madvise discard=free", .before = "w 0 10 256 1024",
	  .script = "d 0 0 131072 2",
	  .rss_mib = 1024, .thp_split_pmd = 512, .thp_split_page = 512,
	  .pglazyfree = 131072 },
};

static void compare(const struct real_row *row, const struct host *h)
{
	uint64_t faults = h->ev.ept_violation[HV_VIOLATION_ZERO][HV_LEVEL_4K] +
			  h->ev.ept_violation[HV_VIOLATION_ZERO][HV_LEVEL_2M];
	struct hv_gauges g;

	h->hv.ops->gauges(&h->hv, h->guest, &g);
	ASSERT_U64(row->name, faults, row->minor_faults);
	ASSERT_U64(row->name, pages_to_kib(g.rss_pages), row->rss_mib << 10);
	ASSERT_U64(row->name, g.anon_huge_regions * 2, row->anon_huge_mib);
	ASSERT_U64(row->name, h->ev.thp_fault_alloc, row->thp_fault_alloc);
	ASSERT_U64(row->name, h->ev.thp_split_pmd, row->thp_split_pmd);
	ASSERT_U64(row->name, h->ev.thp_deferred_split_page,
		   row->thp_deferred_split_page);
	ASSERT_U64(row->name, h->ev.thp_split_page, row->thp_split_page);
	ASSERT_U64(row->name, h->ev.pglazyfree, row->pglazyfree);
}

static void test_mock_real_host__counts_of_one_gib(void **state)
{
	/* Each row of the table on a fresh host. */
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct host h;

		host_boot(&h, rows[i].name, &mock_hypervisor, rows[i].options,
			  GIB_PAGES);
		if (rows[i].before)
			host_run(&h, rows[i].name, rows[i].before, false);
		host_run(&h, rows[i].name, rows[i].script, false);
		compare(&rows[i], &h);
		host_close(&h);
	}
}

static void test_mock_real_host__punched_memory_is_not_free(void **state)
{
	/* After DONTNEED of every other page the resident set is half, free
	 * memory has not grown, and 512 huge pages are partially mapped;
	 * dropping the rest frees all of it. */
	struct host h;

	(void)state;
	host_boot(&h, "punch", &mock_hypervisor, "memory=2G base=0",
		  GIB_PAGES);
	host_run(&h, "fill", "w 0 10 256 1024", false);
	host_expect_gauges(&h, "fill", "host_free_pages=262144");
	host_run(&h, "punch", "d 0 0 131072 2", false);
	host_expect_gauges(&h, "punch", "rss_pages=131072 partial_thps=512 "
					"host_free_pages=262144");
	ASSERT_U64("rss", h.ev.rss_reclaimed_pages, GIB_PAGES / 2);
	ASSERT_U64("phys", h.ev.phys_reclaimed_pages, 0);
	host_run(&h, "drop", "d 0 10 256 1024", false);
	host_expect_gauges(&h, "drop", "rss_pages=0 partial_thps=0 "
				       "host_free_pages=524288");
	ASSERT_U64("phys", h.ev.phys_reclaimed_pages, GIB_PAGES);
	host_close(&h);
}

static void test_mock_real_host__cliff_at_order_9(void **state)
{
	/* 512 MiB, every other block of one order reported and touched again:
	 * 65,536 faults up to order 8, then 128. */
	static const struct {
		unsigned int order;
		uint64_t refaults;
	} orders[] = {
		{ 0, 65536 }, { 2, 65536 }, { 4, 65536 }, { 6, 65536 },
		{ 8, 65536 }, { 9, 128 }, { 10, 128 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(orders); i++) {
		const uint32_t nr = order_nr_pages(orders[i].order);
		char name[32], script[64];
		struct host h;

		snprintf(name, sizeof(name), "order %u", orders[i].order);
		snprintf(script, sizeof(script), "d 0 %u %u %u",
			 orders[i].order, GIB_PAGES / 4 / nr, 2 * nr);
		host_boot(&h, name, &mock_hypervisor, "", GIB_PAGES / 2);
		host_run(&h, name, "w 0 10 128 1024", false);
		host_run(&h, name, script, false);
		host_run(&h, name, "w 0 10 128 1024", false);
		ASSERT_U64(name, h.ev.ept_violation[HV_VIOLATION_ZERO]
						   [HV_LEVEL_4K] +
					 h.ev.thp_fault_alloc,
			   orders[i].refaults);
		ASSERT_U64(name, h.ev.zeroed_pages, 65536);
		host_close(&h);
	}
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(test_mock_real_host__counts_of_one_gib),
	cmocka_unit_test(test_mock_real_host__punched_memory_is_not_free),
	cmocka_unit_test(test_mock_real_host__cliff_at_order_9),
};

TEST_MAIN(cases)
