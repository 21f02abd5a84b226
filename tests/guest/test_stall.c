/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A page that was taken while the host still has it: the one who took it waits,
 * keeps it, and gets no other; whoever is killed meanwhile gives it back.
 */
#include <string.h>

#include "guest/internal.h"
#include "tests/guest/rig.h"

#define AT UINT64_C(0x100000000)

/* The host has every block of this order while `waiting`. */
struct slow_host {
	bool waiting;
	unsigned int order;
	pfn_t seen;           /* the block that was asked about last */
};

static bool host_has(void *ctx, unsigned int zone, pfn_t pfn,
		     unsigned int order, unsigned int cpu)
{
	struct slow_host *h = ctx;

	(void)zone;
	(void)cpu;
	if (!h->waiting || order != h->order)
		return false;
	h->seen = pfn;
	return true;
}

static void open_slow(struct rig *r, struct slow_host *h, unsigned int order)
{
	const struct rig_options o = {
		.kernel = "6.1", .mib = 64, .thp = THP_MADVISE,
		.defrag = THP_DEFRAG_MADVISE, .stall = host_has, .ctx = h,
	};

	*h = (struct slow_host){ .order = order };
	rig_open(r, &o);
}

static enum guest_status run(struct rig *r, struct guest_op *op)
{
	struct guest_work work = { 0 };
	enum guest_status status;

	do {
		status = guest_run(r->guest, op, 0, 1, &work);
		r->touches.nr = 0;
	} while (status == GUEST_MORE);
	if (status == GUEST_WAIT)
		ASSERT_U64("reason", work.reason, ALLOC_REASON_STALL);
	return status;
}

static void map(struct rig *r, uint32_t mm, uint32_t flags)
{
	struct guest_op op = { .kind = GUEST_MMAP, .mm = mm, .addr = AT,
			       .len = 64 * MIB,
			       .flags = GUEST_MAP_FIXED | flags };

	rig_op(r, &op, 0);
}

/* Who waits for what: an anonymous page, a table of it, a huge page. */
static const struct {
	uint32_t map;
	bool table_is_there;
	unsigned int order;
} faults[] = {
	{ 0, true, 0 },
	{ 0, false, 0 },
	{ GUEST_MAP_HUGEPAGE, true, HPAGE_PMD_ORDER },
};

static struct guest_op fault_begin(struct rig *r, struct slow_host *h,
				   unsigned int row)
{
	struct guest_op op = { .kind = GUEST_TOUCH, .addr = AT + 2 * MIB,
			       .len = PAGE_SIZE };

	open_slow(r, h, faults[row].order);
	ASSERT_U64(test_row(row), rig_mm(r, 0), 0);
	map(r, 0, faults[row].map);
	if (faults[row].table_is_there)
		rig_touch(r, 0, faults[row].map ? AT : AT + 3 * MIB,
			  PAGE_SIZE);
	h->waiting = true;
	return op;
}

/* It asks as often as it is run, and ends with the page that it waited for. */
static void test_stall__a_fault_keeps_the_page_that_it_waits_for(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
		struct slow_host h;
		struct rig r;
		struct guest_op op = fault_begin(&r, &h, i);
		uint64_t free;
		pfn_t first;

		ASSERT_U64(test_row(i), run(&r, &op), GUEST_WAIT);
		first = h.seen;
		free = rig_free_pages(&r);
		ASSERT_U64(test_row(i), run(&r, &op), GUEST_WAIT);
		ASSERT_U64(test_row(i), h.seen, first);
		ASSERT_U64(test_row(i), rig_free_pages(&r), free);
		rig_assert_valid(&r);
		h.waiting = false;
		ASSERT_U64(test_row(i), run(&r, &op), GUEST_DONE);
		assert_true(alloc_block_is_allocated(r.alloc, first,
						     faults[i].order));
		rig_exit(&r, 0);
		ASSERT_U64(test_row(i), rig_free_pages(&r), r.free_at_start);
		rig_close(&r);
	}
}

static void test_stall__exit_gives_the_page_back(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
		struct slow_host h;
		struct rig r;
		struct guest_op op = fault_begin(&r, &h, i);

		ASSERT_U64(test_row(i), run(&r, &op), GUEST_WAIT);
		h.waiting = false;
		guest_op_cancel(r.guest, &op, 0);
		rig_exit(&r, 0);
		ASSERT_U64(test_row(i), rig_free_pages(&r), r.free_at_start);
		rig_close(&r);
	}
}

/* One address space notes four; the fifth fault fails and holds nothing. */
static void test_stall__more_than_an_address_space_can_note(void **state)
{
	struct guest_op ops[HELD_MAX + 1] = { 0 };
	struct slow_host h;
	struct rig r;
	uint64_t free = 0;

	(void)state;
	open_slow(&r, &h, 0);
	ASSERT_U64("address space", rig_mm(&r, 0), 0);
	map(&r, 0, 0);
	rig_touch(&r, 0, AT + MIB, PAGE_SIZE);
	h.waiting = true;
	for (unsigned int i = 0; i <= HELD_MAX; i++) {
		ops[i] = (struct guest_op){ .kind = GUEST_TOUCH,
					    .addr = AT + i * PAGE_SIZE,
					    .len = PAGE_SIZE };
		free = rig_free_pages(&r);
		ASSERT_U64(test_row(i), run(&r, &ops[i]),
			   i < HELD_MAX ? GUEST_WAIT : GUEST_NOMEM);
	}
	ASSERT_U64("free", rig_free_pages(&r), free);
	h.waiting = false;
	/* In any order, each with its own. */
	for (unsigned int i = HELD_MAX; i-- > 0;)
		ASSERT_U64(test_row(i), run(&r, &ops[i]), GUEST_DONE);
	rig_exit(&r, 0);
	ASSERT_U64("free", rig_free_pages(&r), r.free_at_start);
	rig_close(&r);
}

/* A driver belongs to no address space that could note its page. */
static void test_stall__a_driver_waits_too(void **state)
{
	(void)state;
	for (unsigned int killed = 0; killed < 2; killed++) {
		struct guest_op op = { .kind = GUEST_ALLOC, .len = GFP_KERNEL,
				       .flags = HPAGE_PMD_ORDER };
		struct slow_host h;
		struct rig r;

		open_slow(&r, &h, HPAGE_PMD_ORDER);
		h.waiting = true;
		ASSERT_U64("status", run(&r, &op), GUEST_WAIT);
		ASSERT_U64("taken", r.free_at_start - rig_free_pages(&r), HPAGE_PMD_NR);
		h.waiting = false;
		if (killed) {
			guest_op_cancel(r.guest, &op, 0);
		} else {
			ASSERT_U64("status", run(&r, &op), GUEST_DONE);
			ASSERT_U64("page", op.addr, h.seen);
			alloc_free(r.alloc, 0, (pfn_t)op.addr, HPAGE_PMD_ORDER);
		}
		ASSERT_U64("free", rig_free_pages(&r), r.free_at_start);
		rig_close(&r);
	}
}

/* So does khugepaged, which collapses into the page it has waited for. */
static void test_stall__khugepaged_waits_too(void **state)
{
	(void)state;
	for (unsigned int killed = 0; killed < 2; killed++) {
		struct guest_op op = { .kind = GUEST_KHUGEPAGED, .len = 4096 };
		struct guest_gauges g;
		struct slow_host h;
		struct rig r;
		uint64_t free;

		open_slow(&r, &h, HPAGE_PMD_ORDER);
		ASSERT_U64("address space", rig_mm(&r, 0), 0);
		map(&r, 0, GUEST_MAP_HUGEPAGE);
		/* A read first: the range has a table, so no huge fault. */
		rig_read(&r, 0, AT, PAGE_SIZE);
		rig_touch(&r, 0, AT, MIB);
		free = rig_free_pages(&r);
		h.waiting = true;
		ASSERT_U64("status", run(&r, &op), GUEST_WAIT);
		ASSERT_U64("taken", free - rig_free_pages(&r), HPAGE_PMD_NR);
		h.waiting = false;
		if (killed)
			guest_op_cancel(r.guest, &op, 0);
		else
			ASSERT_U64("status", run(&r, &op), GUEST_DONE);
		guest_gauges(r.guest, &g);
		ASSERT_U64("huge", g.anon_thp, killed ? 0 : 1);
		rig_exit(&r, 0);
		ASSERT_U64("free", rig_free_pages(&r), r.free_at_start);
		rig_close(&r);
	}
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(test_stall__a_fault_keeps_the_page_that_it_waits_for),
	cmocka_unit_test(test_stall__exit_gives_the_page_back),
	cmocka_unit_test(test_stall__more_than_an_address_space_can_note),
	cmocka_unit_test(test_stall__a_driver_waits_too),
	cmocka_unit_test(test_stall__khugepaged_waits_too),
};

TEST_MAIN(cases)
