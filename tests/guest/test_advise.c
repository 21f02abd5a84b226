/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Mappings at an address of the program's choice, and what madvise says of them. */
#include <string.h>

#include "tests/guest/rig.h"

#define AT (UINT64_C(1) << 40)
#define HUGE_SIZE (2 * MIB)

static void open_always(struct rig *r, uint32_t *mm)
{
	const struct rig_options o = { .kernel = "6.1", .mib = 64,
				       .thp = THP_ALWAYS,
				       .defrag = THP_DEFRAG_MADVISE };

	rig_open(r, &o);
	*mm = rig_mm(r, 0);
}

/* Neither allocates nor touches anything. */
static enum guest_status run(struct rig *r, struct guest_op *op)
{
	struct guest_work work = { 0 };

	return guest_run(r->guest, op, 0, 1, &work);
}

static enum guest_status map_at(struct rig *r, uint32_t mm, uint64_t addr,
				uint64_t len, uint32_t flags)
{
	struct guest_op op = { .kind = GUEST_MMAP, .mm = mm, .addr = addr,
			       .len = len, .flags = flags | GUEST_MAP_FIXED };
	const enum guest_status status = run(r, &op);

	if (status == GUEST_DONE)
		ASSERT_U64("address", op.addr, addr);
	return status;
}

static void advise(struct rig *r, uint32_t mm, enum guest_op_kind kind,
		   uint64_t addr, uint64_t len, uint32_t flags)
{
	struct guest_op op = { .kind = kind, .mm = mm, .addr = addr,
			       .len = len, .flags = flags };

	ASSERT_U64("advise", run(r, &op), GUEST_DONE);
}

/* A place that is taken, even in part, or that no program has, is refused. */
static void test_advise__a_fixed_mapping_needs_its_place(void **state)
{
	static const struct {
		uint64_t addr, len;
		enum guest_status status;
	} rows[] = {
		{ AT, 4 * MIB, GUEST_DONE },
		{ AT, PAGE_SIZE, GUEST_NOMEM },
		{ AT - PAGE_SIZE, 2 * PAGE_SIZE, GUEST_NOMEM },
		{ AT + 4 * MIB - PAGE_SIZE, 2 * PAGE_SIZE, GUEST_NOMEM },
		{ AT + 4 * MIB, PAGE_SIZE, GUEST_DONE },
		{ AT - PAGE_SIZE, PAGE_SIZE, GUEST_DONE },
		{ 0, PAGE_SIZE, GUEST_NOMEM },
		{ UINT64_C(0x7fffffffe000), 2 * PAGE_SIZE, GUEST_NOMEM },
		{ UINT64_C(0x7fffffffe000), PAGE_SIZE, GUEST_DONE },
	};
	struct rig r;
	uint32_t mm;

	(void)state;
	open_always(&r, &mm);
	for (unsigned int i = 0; i < ARRAY_SIZE(rows); i++)
		ASSERT_U64(test_row(i),
			   map_at(&r, mm, rows[i].addr, rows[i].len, 0),
			   rows[i].status);
	rig_touch(&r, mm, AT - PAGE_SIZE, 4 * MIB + 2 * PAGE_SIZE);
	rig_close(&r);
}

/* Huge pages where they are wanted, small ones where they are not. */
static void test_advise__thp_advice_is_for_a_part(void **state)
{
	struct rig r;
	uint32_t mm;

	(void)state;
	open_always(&r, &mm);
	ASSERT_U64("map", map_at(&r, mm, AT, 8 * MIB, 0), GUEST_DONE);
	advise(&r, mm, GUEST_MADV_THP, AT + HUGE_SIZE, HUGE_SIZE,
	       GUEST_MAP_NOHUGEPAGE);
	rig_forget(&r);
	rig_touch(&r, mm, AT, 8 * MIB);
	ASSERT_U64("huge", rig_count(&r, 'h'), 3);
	ASSERT_U64("small", rig_count(&r, 'p'), HPAGE_PMD_NR);
	/* MADV_DONTNEED would leave the page table, and with it no room. */
	rig_munmap(&r, mm, AT, 8 * MIB);
	ASSERT_U64("map", map_at(&r, mm, AT, 8 * MIB, 0), GUEST_DONE);
	advise(&r, mm, GUEST_MADV_THP, AT, 8 * MIB, GUEST_MAP_HUGEPAGE);
	rig_forget(&r);
	rig_touch(&r, mm, AT, 8 * MIB);
	ASSERT_U64("all huge", rig_count(&r, 'h'), 4);
	rig_close(&r);
}

/* MADV_FREE is a call, and takes nothing. */
static void test_advise__free_leaves_the_pages(void **state)
{
	struct guest_gauges before, after;
	struct rig r;
	uint32_t mm;

	(void)state;
	open_always(&r, &mm);
	ASSERT_U64("map", map_at(&r, mm, AT, MIB, 0), GUEST_DONE);
	rig_touch(&r, mm, AT, MIB);
	guest_gauges(r.guest, &before);
	advise(&r, mm, GUEST_MADV_FREE, AT, MIB, 0);
	guest_gauges(r.guest, &after);
	ASSERT_U64("pages", after.anon_pages, before.anon_pages);
	rig_close(&r);
}

#define MAX_MAP_COUNT 65530u

/* Every second one cannot merge with the one before. */
static enum guest_status map_nth(struct rig *r, uint32_t mm, uint64_t i)
{
	return map_at(r, mm, AT + i * 4 * PAGE_SIZE, 4 * PAGE_SIZE,
		      i % 2 ? GUEST_MAP_HUGEPAGE : 0);
}

/*
 * As with vm.max_map_count: mmap goes one above it, splits and holes only up to
 * it, and what frees a VMA, or cuts at one end, always works.
 */
static void test_advise__mappings_are_limited(void **state)
{
	const uint64_t last = AT + MAX_MAP_COUNT * 4 * PAGE_SIZE;
	struct guest_op cut = { .kind = GUEST_MUNMAP, .len = PAGE_SIZE };
	struct guest_op thp = { .kind = GUEST_MADV_THP, .len = PAGE_SIZE,
				.addr = AT, .flags = GUEST_MAP_HUGEPAGE };
	struct rig r;

	(void)state;
	open_always(&r, &cut.mm);
	thp.mm = cut.mm;
	for (uint64_t i = 0; i <= MAX_MAP_COUNT; i++)
		ASSERT_U64("map", map_nth(&r, cut.mm, i), GUEST_DONE);
	ASSERT_U64("one more", map_nth(&r, cut.mm, MAX_MAP_COUNT + 1),
		   GUEST_NOMEM);
	/* It would merge with the last one; the kernel does not look. */
	ASSERT_U64("would merge", map_at(&r, cut.mm, last + 4 * PAGE_SIZE,
					 PAGE_SIZE, 0), GUEST_NOMEM);
	/* Nothing is there: nothing has to be split. */
	rig_munmap(&r, cut.mm, last + 64 * PAGE_SIZE, PAGE_SIZE);
	rig_munmap(&r, cut.mm, last, 4 * PAGE_SIZE);
	ASSERT_U64("at the limit: split", run(&r, &thp), GUEST_NOMEM);
	cut.addr = AT + PAGE_SIZE;
	ASSERT_U64("hole", run(&r, &cut), GUEST_NOMEM);
	rig_munmap(&r, cut.mm, AT, PAGE_SIZE);
	rig_munmap(&r, cut.mm, AT + 3 * PAGE_SIZE, PAGE_SIZE);
	rig_munmap(&r, cut.mm, AT + 7 * PAGE_SIZE, 2 * PAGE_SIZE);
	/* One fewer, and each of them works once. */
	rig_munmap(&r, cut.mm, AT + 12 * PAGE_SIZE, 4 * PAGE_SIZE);
	rig_munmap(&r, cut.mm, AT + 17 * PAGE_SIZE, PAGE_SIZE);
	cut.addr = AT + 21 * PAGE_SIZE;
	ASSERT_U64("hole again", run(&r, &cut), GUEST_NOMEM);
	rig_close(&r);
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(test_advise__a_fixed_mapping_needs_its_place),
	cmocka_unit_test(test_advise__thp_advice_is_for_a_part),
	cmocka_unit_test(test_advise__free_leaves_the_pages),
	cmocka_unit_test(test_advise__mappings_are_limited),
};

TEST_MAIN(cases)
