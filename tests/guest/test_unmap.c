/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The order in which munmap, MADV_DONTNEED and exit give pages back. */
#include <string.h>

#include "tests/guest/rig.h"

static void assert_stream(const char *row, struct rig *r, const char *expected)
{
	const char *got = rig_stream(r);

	if (strcmp(got, expected))
		fail_msg("%s: stream is \"%s\", expected \"%s\"", row, got,
			 expected);
}

static bool frees_forward(const char *kernel)
{
	return alloc_profile_find(kernel)->gather_order == GATHER_FORWARD;
}

static uint64_t begin(struct rig *r, const char *kernel, uint32_t mib,
		      uint32_t *mm)
{
	const struct rig_options o = { .kernel = kernel, .mib = mib,
				       .thp = THP_MADVISE, .aligned = true,
				       .defrag = THP_DEFRAG_MADVISE };

	rig_open(r, &o);
	*mm = rig_mm(r, 0);
	/* A neighbour above and one below keep the PUD and the PMD page. */
	rig_touch(r, *mm, rig_mmap(r, *mm, PAGE_SIZE, 0), PAGE_SIZE);
	return 0;
}

/* Touch n pages of a fresh aligned mapping; their PFNs in address order. */
static uint64_t touch_pages(struct rig *r, uint32_t mm, uint64_t len, size_t n,
			    pfn_t *pfns)
{
	const uint64_t addr = rig_mmap(r, mm, len, 0);

	rig_forget(r);
	rig_touch(r, mm, addr, pages_to_bytes(n));
	for (size_t i = 0; i < n && pfns; i++)
		pfns[i] = rig_event_pfn(r, 'p', i);
	rig_forget(r);
	return addr;
}

/* n <= 7 pages p1..pn: the pcp list begins p1..pn up to 6.8, else pn..p1. */
static void test_unmap__few_pages_come_to_the_pcp_in_order(void **state)
{
	(void)state;
	for (int k = 0; rig_kernels[k]; k++) {
		for (size_t n = 1; n <= 6; n++) {
			struct rig r;
			pfn_t pfns[8], pfn;
			uint64_t addr;
			uint32_t mm;

			begin(&r, rig_kernels[k], 64, &mm);
			addr = touch_pages(&r, mm, 2 * MIB, n, pfns);
			rig_dontneed(&r, mm, addr, 2 * MIB);
			pfn = alloc_pcp_first(r.alloc, 0, 0, MIGRATE_MOVABLE);
			for (size_t i = 0; i < n; i++) {
				ASSERT_U64(rig_kernels[k], pfn,
					   frees_forward(rig_kernels[k]) ?
						   pfns[n - 1 - i] : pfns[i]);
				pfn = alloc_list_next(r.alloc, pfn);
			}
			rig_close(&r);
		}
	}
}

/* Tables follow the pages into the same arrays. */
static void test_unmap__tables_after_pages(void **state)
{
	(void)state;
	for (int k = 0; rig_kernels[k]; k++) {
		struct rig r;
		uint64_t addr;
		uint32_t mm;

		begin(&r, rig_kernels[k], 64, &mm);
		addr = touch_pages(&r, mm, 2 * MIB, 5, NULL);
		rig_munmap(&r, mm, addr, 2 * MIB);
		assert_stream(rig_kernels[k], &r,
			      frees_forward(rig_kernels[k]) ? "P5 T1" :
							      "T1 P5");
		rig_close(&r);
	}
}

/* 128 MiB of small pages: three full cycles and a rest, 19 gather pages. */
static void test_unmap__gather_cycles(void **state)
{
	(void)state;
	for (int k = 0; rig_kernels[k]; k++) {
		const struct alloc_profile *p =
			alloc_profile_find(rig_kernels[k]);
		const size_t cycle = p->gather_stack + 19u * p->gather_heap;
		const struct guest_counters *c;
		size_t seen = 0, run = 0;
		struct rig r;
		uint64_t addr;
		uint32_t mm;

		begin(&r, rig_kernels[k], 256, &mm);
		addr = touch_pages(&r, mm, 128 * MIB, 32768, NULL);
		rig_munmap(&r, mm, addr, 128 * MIB);
		c = guest_counters(r.guest);
		ASSERT_U64("cycle", cycle,
			   frees_forward(rig_kernels[k]) ? 9678 : 9698);
		ASSERT_U64("gather pages", c->gather_pages, 19);
		ASSERT_U64("flushes", c->gather_flushes, 4);
		ASSERT_U64("allocated", rig_count(&r, 't'), 19);
		ASSERT_U64("pages", rig_count(&r, 'P'), 32768);
		ASSERT_U64("tables", rig_count(&r, 'T'), 64 + 19);
		/* The gather pages come first and go last, oldest first. */
		for (size_t i = 0; i < 19; i++) {
			ASSERT_U64("first", r.events[i].what, 't');
			ASSERT_U64("last", r.events[r.nr_events - 19 + i].pfn,
				   r.events[i].pfn);
		}
		for (size_t i = 19; i < 19 + 3 * cycle; i++)
			seen += r.events[i].what == 'P';
		ASSERT_U64("only pages in full cycles", seen, 3 * cycle);
		for (size_t i = 19 + 3 * cycle; i < r.nr_events; i++)
			run += r.events[i].what == 'P';
		ASSERT_U64("rest", run, 32768 - 3 * cycle);
		rig_close(&r);
	}
}

/* Inside an array: reverse up to 6.8, groups of 31 forward after it. */
static void test_unmap__order_inside_arrays(void **state)
{
	(void)state;
	for (int k = 0; rig_kernels[k]; k++) {
		const struct alloc_profile *p =
			alloc_profile_find(rig_kernels[k]);
		const bool forward = frees_forward(rig_kernels[k]);
		size_t from = 0, at = 0;
		pfn_t pfns[1200];
		struct rig r;
		uint64_t addr;
		uint32_t mm;

		begin(&r, rig_kernels[k], 64, &mm);
		addr = touch_pages(&r, mm, 6 * MIB, 1200, pfns);
		rig_dontneed(&r, mm, addr, 6 * MIB);
		while (from < 1200) {
			size_t nr = from ? p->gather_heap : p->gather_stack;

			if (nr > 1200 - from)
				nr = 1200 - from;
			for (size_t i = 0; i < nr; i++)
				ASSERT_U64(rig_kernels[k],
					   rig_event_pfn(&r, 'P', at++),
					   pfns[from + (forward ? i :
							nr - 1 - i)]);
			from += nr;
		}
		rig_close(&r);
	}
}

/* Huge pages: deposits at once (last one first), huge pages in order. */
static void test_unmap__huge_pages(void **state)
{
	(void)state;
	for (int k = 0; rig_kernels[k]; k++) {
		const size_t stack =
			alloc_profile_find(rig_kernels[k])->gather_stack;
		struct rig r;
		pfn_t tables[64];
		uint64_t addr;
		uint32_t mm;
		char expected[64];

		begin(&r, rig_kernels[k], 256, &mm);
		addr = rig_mmap(&r, mm, 128 * MIB, GUEST_MAP_HUGEPAGE);
		rig_forget(&r);
		rig_touch(&r, mm, addr, 128 * MIB);
		ASSERT_U64("thp", r.work.faults_thp, 64);
		for (size_t i = 0; i < 64; i++)
			tables[i] = rig_event_pfn(&r, 't', i);
		rig_forget(&r);
		rig_munmap(&r, mm, addr, 128 * MIB);
		snprintf(expected, sizeof(expected), "T%zu t1 T%zu H64 T1",
			 stack, 64 - stack);
		assert_stream(rig_kernels[k], &r, expected);
		ASSERT_U64("last deposit first", rig_event_pfn(&r, 'T', 0),
			   tables[63]);
		for (size_t i = 1; i < 64; i++)
			ASSERT_U64("then oldest first",
				   rig_event_pfn(&r, 'T', i), tables[i - 1]);
		ASSERT_U64("zapped", r.work.zapped_thp, 64);
		rig_close(&r);
	}
}

/* Huge and small pages in one array. */
static void test_unmap__huge_pages_before_small_ones(void **state)
{
	(void)state;
	for (int k = 0; rig_kernels[k]; k++) {
		struct rig_options o = { .kernel = rig_kernels[k], .mib = 64,
					 .thp = THP_ALWAYS };
		struct rig r;
		uint64_t addr;
		uint32_t mm;

		rig_open(&r, &o);
		mm = rig_mm(&r, 0);
		addr = rig_mmap(&r, mm, 6 * MIB, 0);
		/* One small page, two huge ones, one small page. */
		rig_touch(&r, mm, addr, 4 * MIB + 2 * PAGE_SIZE);
		rig_forget(&r);
		rig_dontneed(&r, mm, addr, 6 * MIB);
		assert_stream(o.kernel, &r, frees_forward(o.kernel) ?
			      "T2 P1 H2 P1" : "T2 H2 P2");
		rig_close(&r);
	}
}

/* MADV_DONTNEED page by page: each page at once, tables stay. */
static void test_unmap__punch_holes(void **state)
{
	struct rig r;
	pfn_t pfns[64];
	uint64_t addr;
	uint32_t mm;

	(void)state;
	begin(&r, "6.1", 64, &mm);
	addr = touch_pages(&r, mm, 2 * MIB, 64, pfns);
	for (size_t i = 0; i < 64; i += 2) {
		rig_dontneed(&r, mm, addr + pages_to_bytes(i), PAGE_SIZE);
		ASSERT_U64("freed", rig_event_pfn(&r, 'P', i / 2), pfns[i]);
		ASSERT_U64("head", alloc_pcp_first(r.alloc, 0, 0,
						   MIGRATE_MOVABLE), pfns[i]);
	}
	assert_stream("holes", &r, "P32");
	rig_assert_valid(&r);
	rig_close(&r);
}

/* A part of a huge page: the mapping is split, the page goes with the rest. */
static void test_unmap__part_of_a_huge_page(void **state)
{
	(void)state;
	for (int k = 0; rig_kernels[k]; k++) {
		struct guest_gauges gauges;
		struct rig r;
		uint64_t addr;
		uint32_t mm;

		begin(&r, rig_kernels[k], 64, &mm);
		addr = rig_mmap(&r, mm, 2 * MIB, GUEST_MAP_HUGEPAGE);
		rig_touch(&r, mm, addr, 2 * MIB);
		rig_forget(&r);
		rig_dontneed(&r, mm, addr, 4 * PAGE_SIZE);
		assert_stream(rig_kernels[k], &r, "");
		guest_gauges(r.guest, &gauges);
		ASSERT_U64("anon", gauges.anon_pages, 508 + 1);
		ASSERT_U64("thp", gauges.anon_thp, 0);
		rig_assert_valid(&r);
		rig_touch(&r, mm, addr, PAGE_SIZE);
		assert_stream(rig_kernels[k], &r, "p1");
		rig_assert_valid(&r);
		rig_munmap(&r, mm, addr, MIB);
		rig_assert_valid(&r);
		ASSERT_U64("still there", rig_count(&r, 'H'), 0);
		rig_munmap(&r, mm, addr + MIB, MIB);
		ASSERT_U64("gone", rig_count(&r, 'H'), 1);
		rig_exit(&r, mm);
		ASSERT_U64("free", rig_free_pages(&r), r.free_at_start);
		rig_close(&r);
	}
}

/* Alone in its address space, a mapping takes PMD and PUD page along. */
static void test_unmap__tables_that_nobody_needs(void **state)
{
	static const struct {
		const char *name;
		uint64_t neighbour;   /* bytes mapped above, 0 = none */
		uint64_t gap;         /* between the two */
		const char *stream;
	} rows[] = {
		{ "alone", 0, 0, "T3 P2" },
		{ "neighbour in the PMD range", PAGE_SIZE, 0, "P2" },
		{ "neighbour in the PUD range", PAGE_SIZE, 4 * MIB, "T1 P2" },
		{ "neighbour in the PGD range", PAGE_SIZE, 2048 * MIB,
		  "T2 P2" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct rig_options o = { .kernel = "6.1", .mib = 64,
					 .thp = THP_NEVER };
		struct rig r;
		uint64_t addr;
		uint32_t mm;

		rig_open(&r, &o);
		mm = rig_mm(&r, 0);
		if (rows[i].neighbour)
			rig_mmap(&r, mm, rows[i].neighbour, 0);
		addr = rig_mmap(&r, mm, 2 * PAGE_SIZE + rows[i].gap, 0);
		if (rows[i].gap)
			rig_munmap(&r, mm, addr + 2 * PAGE_SIZE, rows[i].gap);
		rig_touch(&r, mm, addr, 2 * PAGE_SIZE);
		rig_forget(&r);
		rig_munmap(&r, mm, addr, 2 * PAGE_SIZE);
		assert_stream(rows[i].name, &r, rows[i].stream);
		rig_assert_valid(&r);
		rig_close(&r);
	}
}

/* Exit frees everything; the PGD goes last. */
static void test_unmap__exit_frees_everything(void **state)
{
	(void)state;
	for (int k = 0; rig_kernels[k]; k++) {
		struct guest_gauges gauges;
		struct rig r;
		pfn_t pgd;
		uint32_t mm;

		begin(&r, rig_kernels[k], 256, &mm);
		pgd = rig_event_pfn(&r, 't', 0);
		rig_touch(&r, mm, rig_mmap(&r, mm, 3 * MIB, 0), 3 * MIB);
		rig_touch(&r, mm, rig_mmap(&r, mm, 64 * MIB,
					   GUEST_MAP_HUGEPAGE), 64 * MIB);
		rig_assert_valid(&r);
		rig_exit(&r, mm);
		ASSERT_U64("pgd", r.events[r.nr_events - 1].pfn, pgd);
		ASSERT_U64("free", rig_free_pages(&r), r.free_at_start);
		guest_gauges(r.guest, &gauges);
		ASSERT_U64("anon", gauges.anon_pages, 0);
		ASSERT_U64("tables", gauges.table_pages, 0);
		rig_close(&r);
	}
}

static void assert_same(const struct rig *r, const struct rig_event *events,
			size_t nr)
{
	ASSERT_U64("events", r->nr_events, nr);
	for (size_t i = 0; i < nr; i++) {
		ASSERT_U64("what", r->events[i].what, events[i].what);
		ASSERT_U64("pfn", r->events[i].pfn, events[i].pfn);
	}
}

/* The result does not depend on the budget of a call. */
static void test_unmap__budget_does_not_matter(void **state)
{
	(void)state;
	for (int k = 0; rig_kernels[k]; k++) {
		struct rig_event *first = NULL;
		size_t nr = 0;
		const uint32_t budgets[] = { UINT32_MAX, 1, 7, 16 };

		for (size_t i = 0; i < ARRAY_SIZE(budgets); i++) {
			struct rig r;
			uint64_t addr;
			uint32_t mm;

			begin(&r, rig_kernels[k], 128, &mm);
			r.budget = budgets[i];
			addr = touch_pages(&r, mm, 48 * MIB, 12000, NULL);
			rig_munmap(&r, mm, addr, 48 * MIB);
			addr = rig_mmap(&r, mm, 32 * MIB, GUEST_MAP_HUGEPAGE);
			rig_touch(&r, mm, addr, 32 * MIB);
			rig_exit(&r, mm);
			if (i) {
				assert_same(&r, first, nr);
			} else {
				nr = r.nr_events;
				first = test_malloc(nr * sizeof(*first));
				memcpy(first, r.events, nr * sizeof(*first));
			}
			rig_close(&r);
		}
		test_free(first);
	}
}

/* The same range is handed out again. */
static void test_unmap__range_is_reused(void **state)
{
	struct rig r;
	uint64_t first, again;
	uint32_t mm;

	(void)state;
	begin(&r, "6.1", 64, &mm);
	first = rig_mmap(&r, mm, 8 * MIB, 0);
	rig_munmap(&r, mm, first, 8 * MIB);
	again = rig_mmap(&r, mm, 8 * MIB, 0);
	ASSERT_U64("addr", again, first);
	rig_munmap(&r, mm, again + 2 * MIB, 2 * MIB);
	ASSERT_U64("hole", rig_mmap(&r, mm, 2 * MIB, GUEST_MAP_UNALIGNED),
		   again + 2 * MIB);
	rig_close(&r);
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(
		test_unmap__few_pages_come_to_the_pcp_in_order),
	cmocka_unit_test(test_unmap__tables_after_pages),
	cmocka_unit_test(test_unmap__gather_cycles),
	cmocka_unit_test(test_unmap__order_inside_arrays),
	cmocka_unit_test(test_unmap__huge_pages),
	cmocka_unit_test(test_unmap__huge_pages_before_small_ones),
	cmocka_unit_test(test_unmap__punch_holes),
	cmocka_unit_test(test_unmap__part_of_a_huge_page),
	cmocka_unit_test(test_unmap__tables_that_nobody_needs),
	cmocka_unit_test(test_unmap__exit_frees_everything),
	cmocka_unit_test(test_unmap__budget_does_not_matter),
	cmocka_unit_test(test_unmap__range_is_reused),
};

TEST_MAIN(cases)
