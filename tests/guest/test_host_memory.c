/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The simulator's own memory runs out while the guest works: each request fails
 * once. What fails says so, leaves the guest as it has to be, and can be asked
 * for again; at the end nothing is missing.
 */
#include <errno.h>

#include "guest/internal.h"
#include "tests/guest/rig.h"
#include "tests/starve.h"

#define ANON UINT64_C(0x100000000)
#define CACHED UINT64_C(0x8200000000) /* behind another PGD entry */
#define FIXED GUEST_MAP_FIXED

/* A life of one program. */
static const struct guest_op life[] = {
	{ .kind = GUEST_MMAP, .addr = ANON, .len = 8 * MIB,
	  .flags = FIXED | GUEST_MAP_HUGEPAGE },
	{ .kind = GUEST_MMAP, .addr = CACHED, .len = 4 * MIB,
	  .flags = FIXED | GUEST_MAP_FILE },
	{ .kind = GUEST_TOUCH, .addr = CACHED, .len = 3 * MIB },
	{ .kind = GUEST_TOUCH, .addr = ANON, .len = 4 * MIB },
	{ .kind = GUEST_MADV_THP, .addr = ANON + 5 * MIB, .len = MIB,
	  .flags = GUEST_MAP_NOHUGEPAGE },
	{ .kind = GUEST_TOUCH, .addr = ANON + 4 * MIB, .len = 4 * MIB },
	{ .kind = GUEST_MUNMAP, .addr = ANON + 7 * MIB, .len = 64 * KIB },
	{ .kind = GUEST_COMPACT_MEMORY },
	{ .kind = GUEST_KSWAPD, .flags = 9, .len = ZONE_NORMAL },
	{ .kind = GUEST_KCOMPACTD, .flags = 9, .len = ZONE_NORMAL },
	{ .kind = GUEST_EXIT },
};

static struct rig *open_rig(struct rig *r, struct guest_config *cfg)
{
	const struct rig_options o = {
		.kernel = "6.1", .mib = 64, .thp = THP_MADVISE,
		.defrag = THP_DEFRAG_MADVISE, .compaction = true,
		.reclaim = true,
	};

	rig_open(r, &o);
	/* What the rig itself notes costs memory, too. */
	alloc_set_hooks(r->alloc, &(struct alloc_hooks){ 0 });
	*cfg = r->guest->cfg;
	guest_destroy(r->guest);
	return r;
}

static enum guest_status run(struct rig *r, const struct guest_op *what)
{
	struct guest_op op = *what;
	struct guest_work work = { 0 };
	enum guest_status status;

	do {
		status = guest_run(r->guest, &op, 0, 1000, &work);
		r->touches.nr = 0;
	} while (status == GUEST_MORE);
	return status;
}

/* It failed because memory did, and nothing is wrong for that. */
static void assert_harmless(struct rig *r, const char *what, bool before)
{
	if (before || !starved())
		fail_msg("%s fails, but not for want of memory", what);
	rig_assert_valid(r);
}

static void run_again_if_it_must(struct rig *r, const struct guest_op *op)
{
	const bool before = starved();
	const enum guest_status status = run(r, op);

	if (status == GUEST_DONE)
		return;
	ASSERT_U64("status", status, GUEST_NOMEM);
	assert_harmless(r, "an operation", before);
	ASSERT_U64("second try", run(r, op), GUEST_DONE);
}

static int mm_or_again(struct rig *r)
{
	const bool before = starved();
	const int mm = guest_mm_create(r->guest, 0);

	r->touches.nr = 0;
	if (mm >= 0)
		return mm;
	assert_int_equal(mm, -ENOMEM);
	assert_harmless(r, "a new address space", before);
	return guest_mm_create(r->guest, 0);
}

static int file_or_again(struct rig *r)
{
	const bool before = starved();
	const int file = guest_file_create_on_disk(r->guest, 4 * MIB);

	if (file >= 0)
		return file;
	assert_int_equal(file, -ENOMEM);
	assert_harmless(r, "a new file", before);
	return guest_file_create_on_disk(r->guest, 4 * MIB);
}

static void create_or_again(struct rig *r, const struct guest_config *cfg)
{
	const int err = guest_create(&r->guest, cfg);

	if (err == 0)
		return;
	assert_int_equal(err, -ENOMEM);
	assert_true(starved());
	assert_null(r->guest);
	assert_int_equal(guest_create(&r->guest, cfg), 0);
}

/* Whether the nth request was there to fail. */
static bool live(unsigned long nth)
{
	struct guest_config cfg;
	struct rig r;
	uint64_t free;
	bool failed;

	open_rig(&r, &cfg);
	free = rig_free_pages(&r);
	starve_nth(nth);
	create_or_again(&r, &cfg);
	assert_int_equal(mm_or_again(&r), 0);
	assert_int_equal(file_or_again(&r), 0);
	for (unsigned int i = 0; i < sizeof(life) / sizeof(life[0]); i++)
		run_again_if_it_must(&r, &life[i]);
	failed = starved();
	starve_nth(0);
	guest_file_destroy(r.guest, 0, 0);
	ASSERT_U64("free pages", rig_free_pages(&r), free);
	rig_close(&r);
	return failed;
}

/* Every request of a whole life fails once. */
static void test_host_memory__what_fails_can_be_asked_for_again(void **state)
{
	unsigned long nth = 1;

	(void)state;
	while (live(nth))
		nth++;
	/* The guest's own, tables, mappings, helpers: all of them came by. */
	assert_in_range(nth, 20, 200);
}

/*
 * A fault maps a huge page under the end of an MADV_DONTNEED that is under way,
 * where there was none when it began: what was unmapped is freed, the rest
 * stays, and the run is marked as one that lacked memory.
 */
static void test_host_memory__a_huge_page_under_a_running_unmap(void **state)
{
	struct guest_op op = { .kind = GUEST_MADV_DONTNEED, .addr = ANON + MIB,
			       .len = 2 * MIB };
	const struct guest_op again = op;
	struct guest_work work = { 0 };
	struct guest_config cfg;
	struct guest_gauges now;
	struct rig r;
	uint64_t free;

	(void)state;
	open_rig(&r, &cfg);
	free = rig_free_pages(&r);
	assert_int_equal(guest_create(&r.guest, &cfg), 0);
	assert_int_equal(guest_mm_create(r.guest, 0), 0);
	ASSERT_U64("status", run(&r, &life[0]), GUEST_DONE);
	rig_touch(&r, 0, ANON, PAGE_SIZE);
	ASSERT_U64("status", guest_run(r.guest, &op, 0, 10, &work), GUEST_MORE);
	rig_touch(&r, 0, ANON + 2 * MIB, PAGE_SIZE);
	guest_gauges(r.guest, &now);
	ASSERT_U64("huge pages", now.anon_thp, 1);
	starve_nth(1);
	ASSERT_U64("status", run(&r, &op), GUEST_NOMEM);
	assert_true(starved());
	starve_nth(0);
	assert_true(guest_host_is_short(r.guest));
	rig_assert_valid(&r);
	guest_gauges(r.guest, &now);
	ASSERT_U64("pages", now.anon_pages, 256 + HPAGE_PMD_NR);
	ASSERT_U64("huge pages", now.anon_thp, 1);
	ASSERT_U64("status", run(&r, &again), GUEST_DONE);
	guest_gauges(r.guest, &now);
	ASSERT_U64("pages", now.anon_pages, 512);
	rig_exit(&r, 0);
	ASSERT_U64("free pages", rig_free_pages(&r), free);
	rig_close(&r);
}

/*
 * A hole makes one mapping two, and their table may have to grow at either end
 * of it: after the second try the hole is there, and a page on both sides.
 */
static void test_host_memory__a_hole_needs_room(void **state)
{
	(void)state;
	for (uint64_t nr = 1; nr < 40; nr++) {
		struct guest_op map = { .kind = GUEST_MMAP, .flags = FIXED,
					.len = 3 * PAGE_SIZE };
		struct guest_op hole = { .kind = GUEST_MUNMAP,
					 .addr = ANON + MIB + PAGE_SIZE,
					 .len = PAGE_SIZE };
		struct guest_config cfg;
		struct guest_gauges now;
		struct rig r;

		open_rig(&r, &cfg);
		assert_int_equal(guest_create(&r.guest, &cfg), 0);
		assert_int_equal(guest_mm_create(r.guest, 0), 0);
		for (uint64_t i = 1; i <= nr; i++) {
			map.addr = ANON + i * MIB;
			ASSERT_U64("map", run(&r, &map), GUEST_DONE);
		}
		rig_touch(&r, 0, ANON + MIB, 3 * PAGE_SIZE);
		starve_nth(1);
		ASSERT_U64("hole", run(&r, &hole), GUEST_NOMEM);
		assert_true(starved());
		starve_nth(0);
		rig_assert_valid(&r);
		ASSERT_U64("hole", run(&r, &hole), GUEST_DONE);
		guest_gauges(r.guest, &now);
		ASSERT_U64("pages", now.anon_pages, 2);
		rig_exit(&r, 0);
		rig_close(&r);
	}
}

/* Without a helper the request waits for nothing: its task is to be asked. */
static void test_host_memory__a_request_goes_without_help(void **state)
{
	(void)state;
	for (unsigned long nth = 1; nth <= 2; nth++) {
		const struct rig_options o = {
			.kernel = "6.1", .mib = 32, .thp = THP_NEVER,
			.compaction = true,
		};
		struct guest_op op = {
			.kind = GUEST_ALLOC, .flags = HPAGE_PMD_ORDER,
			.len = GFP_TRANSHUGE,
		};
		struct guest_work work = { 0 };
		struct rig r;

		rig_open(&r, &o);
		while (alloc_page_fast(r.alloc, 0, HPAGE_PMD_ORDER,
				       GFP_KERNEL) != PFN_NONE)
			r.nr_events = 0;
		starve_nth(nth);
		ASSERT_U64("status", guest_run(r.guest, &op, 0, 1, &work),
			   GUEST_WAIT);
		assert_true(starved());
		ASSERT_U64("helper", op.helper, 0);
		ASSERT_U64("reason", work.reason, ALLOC_REASON_COMPACT);
		starve_nth(0);
		rig_close(&r);
	}
}

/* A kernel thread that has no room for its work is woken again some day. */
static void test_host_memory__kernel_threads_do_nothing_then(void **state)
{
	static const enum guest_op_kind kinds[] = {
		GUEST_KSWAPD, GUEST_KCOMPACTD, GUEST_COMPACT_MEMORY,
	};

	(void)state;
	for (unsigned int i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		const struct guest_op op = { .kind = kinds[i], .flags = 9,
					     .len = ZONE_NORMAL };
		struct guest_config cfg;
		struct rig r;

		open_rig(&r, &cfg);
		assert_int_equal(guest_create(&r.guest, &cfg), 0);
		starve_nth(1);
		ASSERT_U64(test_row(i), run(&r, &op), GUEST_NOMEM);
		assert_true(starved());
		ASSERT_U64(test_row(i), run(&r, &op), GUEST_DONE);
		rig_close(&r);
	}
}

/* No gigantic page then, and it is counted as not had. */
static void test_host_memory__a_range_is_not_had(void **state)
{
	struct guest_op op = { .kind = GUEST_RANGE, .len = 8 * MIB };
	struct guest_config cfg;
	struct rig r;

	(void)state;
	open_rig(&r, &cfg);
	assert_int_equal(guest_create(&r.guest, &cfg), 0);
	starve_nth(1);
	ASSERT_U64("status", run(&r, &op), GUEST_DONE);
	assert_true(starved());
	ASSERT_U64("failed", guest_counters(r.guest)->range_fail, 1);
	ASSERT_U64("status", run(&r, &op), GUEST_DONE);
	ASSERT_U64("had", guest_counters(r.guest)->range_success, 1);
	rig_close(&r);
}

/* A walk that could not be made is no walk that found nothing. */
static void test_host_memory__a_check_that_cannot_run_says_so(void **state)
{
	struct guest_config cfg;
	struct rig r;

	(void)state;
	open_rig(&r, &cfg);
	assert_int_equal(guest_create(&r.guest, &cfg), 0);
	for (unsigned long nth = 1; nth <= 2; nth++) {
		starve_nth(nth);
		assert_string_equal(guest_check(r.guest),
				    "no host memory for the check");
	}
	starve_nth(0);
	rig_close(&r);
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(test_host_memory__what_fails_can_be_asked_for_again),
	cmocka_unit_test(test_host_memory__a_huge_page_under_a_running_unmap),
	cmocka_unit_test(test_host_memory__a_hole_needs_room),
	cmocka_unit_test(test_host_memory__a_request_goes_without_help),
	cmocka_unit_test(test_host_memory__kernel_threads_do_nothing_then),
	cmocka_unit_test(test_host_memory__a_range_is_not_had),
	cmocka_unit_test(test_host_memory__a_check_that_cannot_run_says_so),
};

TEST_MAIN(cases)
