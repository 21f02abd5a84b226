/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which pages each kind of fault allocates, in which order, and what it touches. */
#include <string.h>

#include "tests/guest/rig.h"

static const struct rig_options small = { .kernel = "6.1", .mib = 64 };

static void open_madvise(struct rig *r, const char *kernel)
{
	struct rig_options o = small;

	o.kernel = kernel;
	o.thp = THP_MADVISE;
	o.defrag = THP_DEFRAG_MADVISE;
	o.aligned = true;
	rig_open(r, &o);
}

static void assert_stream(const char *row, struct rig *r, const char *expected)
{
	const char *got = rig_stream(r);

	if (strcmp(got, expected))
		fail_msg("%s: stream is \"%s\", expected \"%s\"", row, got,
			 expected);
}

static void assert_touch(const struct rig *r, size_t nth, enum touch_kind kind,
			 unsigned int order, pfn_t pfn)
{
	assert_true(nth < r->nr_log);
	ASSERT_U64("kind", r->log[nth].kind, kind);
	ASSERT_U64("order", r->log[nth].order, order);
	ASSERT_U64("pfn", r->log[nth].pfn, pfn);
}

/* First write of a mapping: PUD, PMD and PTE page, then the page, cleared. */
static void test_fault__anonymous_write_allocates_tables_first(void **state)
{
	struct rig r;

	(void)state;
	for (int i = 0; rig_kernels[i]; i++) {
		uint64_t addr;
		uint32_t mm;

		open_madvise(&r, rig_kernels[i]);
		mm = rig_mm(&r, 0);
		assert_stream(rig_kernels[i], &r, "t1");
		addr = rig_mmap(&r, mm, 4 * MIB, 0);
		rig_forget(&r);
		rig_touch(&r, mm, addr, 3 * PAGE_SIZE);
		assert_stream(rig_kernels[i], &r, "t3 p3");
		assert_touch(&r, 0, TOUCH_TABLE, 0, rig_event_pfn(&r, 't', 0));
		assert_touch(&r, 2, TOUCH_TABLE, 0, rig_event_pfn(&r, 't', 2));
		assert_touch(&r, 3, TOUCH_ZERO, 0, rig_event_pfn(&r, 'p', 0));
		ASSERT_U64("faults", r.work.faults_anon, 3);
		ASSERT_U64("tables", r.work.table_pages, 3);
		ASSERT_U64("touched", r.work.touched_pages, 3);
		ASSERT_U64("zeroed", r.work.zeroed_pages, 3);
		rig_exit(&r, mm);
		rig_close(&r);
	}
}

/* A page that is there costs no fault: data is written or read. */
static void test_fault__present_page_is_only_accessed(void **state)
{
	struct rig r;
	uint32_t mm;
	uint64_t addr;
	pfn_t pfn;

	(void)state;
	open_madvise(&r, "6.1");
	mm = rig_mm(&r, 0);
	addr = rig_mmap(&r, mm, 4 * MIB, 0);
	rig_touch(&r, mm, addr, PAGE_SIZE);
	pfn = rig_event_pfn(&r, 'p', 0);
	rig_forget(&r);
	rig_touch(&r, mm, addr, PAGE_SIZE);
	rig_read(&r, mm, addr, PAGE_SIZE);
	assert_stream("present", &r, "");
	ASSERT_U64("touches", r.nr_log, 2);
	assert_touch(&r, 0, TOUCH_WRITE, 0, pfn);
	assert_touch(&r, 1, TOUCH_READ, 0, pfn);
	ASSERT_U64("faults", r.work.faults_anon, 0);
	ASSERT_U64("touched", r.work.touched_pages, 2);
	rig_close(&r);
}

/* A read maps the zero page: only tables. The write that follows pays. */
static void test_fault__read_allocates_tables_only(void **state)
{
	struct rig r;
	uint32_t mm;
	uint64_t addr;

	(void)state;
	open_madvise(&r, "6.1");
	mm = rig_mm(&r, 0);
	addr = rig_mmap(&r, mm, 4 * MIB, GUEST_MAP_HUGEPAGE);
	rig_forget(&r);
	rig_read(&r, mm, addr, 4 * PAGE_SIZE);
	assert_stream("read", &r, "t3");
	ASSERT_U64("read", r.work.faults_read, 4);
	rig_assert_valid(&r);
	rig_forget(&r);
	rig_touch(&r, mm, addr, 4 * PAGE_SIZE);
	assert_stream("write", &r, "p4");
	rig_assert_valid(&r);
	rig_forget(&r);
	rig_munmap(&r, mm, addr, 4 * MIB);
	assert_stream("munmap", &r, "T3 P4");
	rig_close(&r);
}

/* Huge fault: the huge page first, then the PTE page that is deposited. */
static void test_fault__huge_page_then_deposited_table(void **state)
{
	struct rig r;

	(void)state;
	for (int i = 0; rig_kernels[i]; i++) {
		struct guest_gauges gauges;
		uint64_t addr;
		uint32_t mm;

		open_madvise(&r, rig_kernels[i]);
		mm = rig_mm(&r, 0);
		addr = rig_mmap(&r, mm, 4 * MIB, GUEST_MAP_HUGEPAGE);
		assert_true(addr % HPAGE_PMD_SIZE == 0);
		rig_forget(&r);
		rig_touch(&r, mm, addr, 4 * MIB);
		assert_stream(rig_kernels[i], &r, "t2 h1 t1 h1 t1");
		assert_touch(&r, 2, TOUCH_TABLE, 0, rig_event_pfn(&r, 't', 2));
		assert_touch(&r, 3, TOUCH_ZERO, 9, rig_event_pfn(&r, 'h', 0));
		ASSERT_U64("thp", r.work.faults_thp, 2);
		ASSERT_U64("zeroed", r.work.zeroed_pages, 1024);
		ASSERT_U64("touched", r.work.touched_pages, 1024);
		guest_gauges(r.guest, &gauges);
		ASSERT_U64("anon", gauges.anon_pages, 1024);
		ASSERT_U64("huge", gauges.anon_thp, 2);
		ASSERT_U64("batched", gauges.lru_batched, 0);
		ASSERT_U64("tables", gauges.table_pages, 5);
		rig_close(&r);
	}
}

/* enabled and defrag decide whether a huge page is asked for. */
static void test_fault__thp_knobs(void **state)
{
	static const struct {
		enum thp_enabled enabled;
		bool madvised;
		const char *stream;
	} rows[] = {
		{ THP_ALWAYS, false, "t2 h1 t1" },
		{ THP_ALWAYS, true, "t2 h1 t1" },
		{ THP_MADVISE, false, "t3 p512" },
		{ THP_MADVISE, true, "t2 h1 t1" },
		{ THP_NEVER, true, "t3 p512" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct rig_options o = small;
		struct rig r;
		uint32_t mm;
		uint64_t addr;

		o.thp = rows[i].enabled;
		o.aligned = true;
		rig_open(&r, &o);
		mm = rig_mm(&r, 0);
		addr = rig_mmap(&r, mm, 2 * MIB, rows[i].madvised ?
				GUEST_MAP_HUGEPAGE : 0);
		rig_forget(&r);
		rig_touch(&r, mm, addr, 2 * MIB);
		assert_stream(rows[i].stream, &r, rows[i].stream);
		rig_close(&r);
	}
}

/* Not aligned: small pages at both ends, huge ones between. */
static void test_fault__unaligned_mapping_has_small_ends(void **state)
{
	struct rig_options o = small;
	struct rig r;
	uint32_t mm;
	uint64_t addr;

	(void)state;
	o.thp = THP_ALWAYS;
	rig_open(&r, &o);
	mm = rig_mm(&r, 0);
	addr = rig_mmap(&r, mm, 8 * MIB, 0);
	ASSERT_U64("addr", addr, UINT64_C(0x7ffff7fff000) - 8 * MIB);
	rig_forget(&r);
	rig_touch(&r, mm, addr, 8 * MIB);
	/* 2 MiB - 4 KiB above the last boundary, one page below the first. */
	assert_stream("unaligned", &r, "t3 p1 h1 t1 h1 t1 h1 t2 p511");
	rig_munmap(&r, mm, addr, 8 * MIB);
	rig_exit(&r, mm);
	ASSERT_U64("free", rig_free_pages(&r), r.free_at_start);
	rig_close(&r);
}

/* No huge page to be had: the same fault takes small ones. */
static void test_fault__falls_back_to_small_pages(void **state)
{
	struct rig_options o = { .kernel = "6.1", .mib = 64,
				 .thp = THP_ALWAYS,
				 .defrag = THP_DEFRAG_NEVER,
				 .aligned = true };
	struct rig r;
	uint64_t addr;
	uint32_t mm;

	(void)state;
	rig_open(&r, &o);
	mm = rig_mm(&r, 0);
	/* Every pageblock loses a page, so no order-9 block is left. */
	for (pfn_t pfn = RIG_START; pfn < alloc_end_pfn(r.alloc);) {
		pfn_t head = pfn;
		unsigned int order = 0;

		if (alloc_page_lookup(r.alloc, pfn, &head, &order) ==
		    ALLOC_PAGE_BUDDY && order >= HPAGE_PMD_ORDER) {
			const pfn_t end = head + order_nr_pages(order);

			alloc_isolate_raw(r.alloc, head);
			for (pfn = head + 1; pfn < end; pfn++)
				if (pfn % HPAGE_PMD_NR)
					alloc_free_buddy(r.alloc, pfn, 0);
			pfn = end;
		} else {
			pfn = head + order_nr_pages(order);
		}
	}
	addr = rig_mmap(&r, mm, 2 * MIB, 0);
	rig_forget(&r);
	rig_touch(&r, mm, addr, 2 * MIB);
	assert_stream("fallback", &r, "t3 p512");
	ASSERT_U64("fallback", r.work.thp_fallback, 1);
	ASSERT_U64("counter", guest_counters(r.guest)->thp_fault_fallback, 1);
	ASSERT_U64("anon", r.work.faults_anon, 512);
	rig_close(&r);
}

/*
 * Write to a private file mapping: the copy, then the PTE page, then the page
 * of the file; with the file cached only the copy.
 */
static void test_fault__copy_of_a_file_page(void **state)
{
	struct rig r;

	(void)state;
	for (int i = 0; rig_kernels[i]; i++) {
		uint64_t addr;
		uint32_t mm;
		int file;

		open_madvise(&r, rig_kernels[i]);
		mm = rig_mm(&r, 0);
		file = guest_file_create(r.guest, 4 * MIB);
		assert_true(file >= 0);
		addr = rig_mmap_file(&r, mm, (uint32_t)file, 4 * MIB);
		rig_forget(&r);
		/* The first page is the last one of its PMD range. */
		rig_touch(&r, mm, addr + PAGE_SIZE, 2 * PAGE_SIZE);
		assert_stream(rig_kernels[i], &r, "t2 p1 t1 p3");
		/* Page of the file cleared and read, copy written. */
		assert_touch(&r, 3, TOUCH_ZERO, 0, rig_event_pfn(&r, 'p', 1));
		assert_touch(&r, 4, TOUCH_READ, 0, rig_event_pfn(&r, 'p', 1));
		assert_touch(&r, 5, TOUCH_WRITE, 0, rig_event_pfn(&r, 'p', 0));
		ASSERT_U64("cow", r.work.faults_cow, 2);
		ASSERT_U64("copied", r.work.copied_pages, 2);
		rig_forget(&r);
		rig_munmap(&r, mm, addr, 4 * MIB);
		addr = rig_mmap_file(&r, mm, (uint32_t)file, 4 * MIB);
		rig_forget(&r);
		rig_touch(&r, mm, addr + PAGE_SIZE, 3 * PAGE_SIZE);
		assert_stream("again", &r, "t2 p1 t1 p3");
		rig_exit(&r, mm);
		guest_file_destroy(r.guest, (uint32_t)file, 0);
		ASSERT_U64("free", rig_free_pages(&r), r.free_at_start);
		rig_close(&r);
	}
}

/* Read first, then write: the cached page is mapped, then copied. */
static void test_fault__write_after_read_of_a_file(void **state)
{
	struct rig r;
	uint64_t addr;
	uint32_t mm;
	int file;

	(void)state;
	open_madvise(&r, "6.1");
	mm = rig_mm(&r, 0);
	file = guest_file_create(r.guest, MIB);
	addr = rig_mmap_file(&r, mm, (uint32_t)file, MIB);
	rig_forget(&r);
	rig_read(&r, mm, addr, 4 * PAGE_SIZE);
	assert_stream("read", &r, "t3 p4");
	rig_assert_valid(&r);
	rig_forget(&r);
	rig_touch(&r, mm, addr, 2 * PAGE_SIZE);
	assert_stream("write", &r, "p2");
	ASSERT_U64("cow", r.work.faults_cow, 2);
	rig_assert_valid(&r);
	rig_forget(&r);
	rig_munmap(&r, mm, addr, MIB);
	assert_stream("munmap", &r, "T3 P2");
	guest_file_destroy(r.guest, (uint32_t)file, 0);
	rig_exit(&r, mm);
	ASSERT_U64("free", rig_free_pages(&r), r.free_at_start);
	rig_close(&r);
}

/* Out of memory: the fault waits, is taken up again, and fails in the end. */
static void test_fault__waits_and_fails(void **state)
{
	struct rig r;
	struct guest_op op = { .kind = GUEST_TOUCH };
	enum guest_status status;
	unsigned int waits = 0;

	(void)state;
	open_madvise(&r, "6.1");
	op.mm = rig_mm(&r, 0);
	op.len = 128 * MIB;
	op.addr = rig_mmap(&r, op.mm, op.len, 0);
	do {
		status = guest_run(r.guest, &op, 0, 1000, &r.work);
		r.touches.nr = 0;
		waits += status == GUEST_WAIT;
		if (status == GUEST_WAIT)
			assert_true(r.work.reason != ALLOC_REASON_NONE);
	} while (status == GUEST_MORE || (status == GUEST_WAIT && waits < 99));
	ASSERT_U64("status", status, GUEST_NOMEM);
	assert_true(waits > 1);
	rig_assert_valid(&r);
	rig_exit(&r, op.mm);
	ASSERT_U64("free", rig_free_pages(&r), r.free_at_start);
	rig_close(&r);
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(
		test_fault__anonymous_write_allocates_tables_first),
	cmocka_unit_test(test_fault__present_page_is_only_accessed),
	cmocka_unit_test(test_fault__read_allocates_tables_only),
	cmocka_unit_test(test_fault__huge_page_then_deposited_table),
	cmocka_unit_test(test_fault__thp_knobs),
	cmocka_unit_test(test_fault__unaligned_mapping_has_small_ends),
	cmocka_unit_test(test_fault__falls_back_to_small_pages),
	cmocka_unit_test(test_fault__copy_of_a_file_page),
	cmocka_unit_test(test_fault__write_after_read_of_a_file),
	cmocka_unit_test(test_fault__waits_and_fails),
};

TEST_MAIN(cases)
