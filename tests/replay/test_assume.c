/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Start states that nobody recorded, and the end state beside recorded /proc
 * files.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "replay/replay.h"
#include "sim/sim.h"
#include "tests/test.h"
#include "tests/trace/files.h"

#define PROC                                                                  \
	"@@@ before buddyinfo\n"                                              \
	"Node 0, zone   Normal      1      0      1      0      0      0"    \
	"      0      0      0      1      2 \n"                              \
	"@@@ before pagetypeinfo\nPage block order: 9\n\n"                    \
	"Free pages count per migrate type at order       0 \n"               \
	"Node    0, zone   Normal, type    Unmovable      1      0      1 "   \
	"     0      0      0      0      0      0      0      0 \n"          \
	"Node    0, zone   Normal, type      Movable      0      0      0 "   \
	"     0      0      0      0      0      0      1      2 \n"          \
	"\nNumber of blocks type     Unmovable      Movable \n"               \
	"Node 0, zone   Normal            2           14 \n"
#define ZONE                                                                  \
	"@@@ before zoneinfo\nNode 0, zone   Normal\n  pages free     2565\n" \
	"        min      10\n        low      20\n        high     30\n"     \
	"        spanned  8192\n        present  8192\n"                      \
	"        managed  8000\n        protection: (0, 0, 0, 5)\n"           \
	"  pagesets\n    cpu: 0\n              count: 9\n"                    \
	"              high:  42\n              batch: 7\n"                   \
	"  start_pfn:           0\n"
#define ALLOC(pfn, order)                                                     \
	"t-1 [000] d.. 0.000001: mm_page_alloc: pfn=" pfn " order=" order     \
	" migratetype=0 gfp_flags=0xcc0\n"
#define MOVABLE(pfn)                                                          \
	"t-1 [000] d.. 0.000001: mm_page_alloc: pfn=" pfn " order=0"          \
	" migratetype=1 gfp_flags=0x100cca\n"
#define FREE(pfn)                                                             \
	"t-1 [000] d.. 0.000001: mm_page_free: pfn=" pfn " order=0\n"

static int run(const char *proc, const char *trace, struct replay_result *r,
	       struct diag *d)
{
	char counts[TEST_PATH_MAX], stream[TEST_PATH_MAX];
	struct replay_options o = { .free_counts = counts, .stream = stream };
	int err;

	file_write_text(counts, proc);
	file_write_text(stream, trace);
	err = replay_run(&o, d, r);
	file_remove(counts);
	file_remove(stream);
	return err;
}

static void test_assume__free_counts_are_the_recorded_ones(void **state)
{
	/*
	 * Movable: order 10 at 7168 and 6144, order 9 below at 5632.
	 * Unmovable, in the two lowest pageblocks: 1020 (order 2) and 1019,
	 * which the refill takes first.
	 */
	struct replay_result r = { 0 };
	struct diag d = { 0 };

	(void)state;
	if (run(PROC ZONE, ALLOC("0x3fb", "0") ALLOC("0x3fc", "0"), &r, &d))
		fail_msg("%s", d.last);
	ASSERT_U64("predicted", r.predicted, 2);
	assert_true(r.assumed.present);
	ASSERT_U64("unplaced", r.assumed.unplaced, 0);
	assert_non_null(strstr(r.assumed.text, "9 pages of theirs in use"));
}

static void test_assume__pages_freed_first_were_in_use(void **state)
{
	/* 1019 is freed before it was handed out: the next lower is free. */
	struct replay_result r = { 0 };
	struct diag d = { 0 };

	(void)state;
	if (run(PROC ZONE, FREE("0x3fb") ALLOC("0x3fb", "0"), &r, &d))
		fail_msg("%s", d.last);
	ASSERT_U64("predicted", r.predicted, 1);
	ASSERT_U64("in use", r.assumed.preallocated, 1);
	ASSERT_U64("orphans", r.stock.counts[STOCK_ORPHANS], 1);
}

static void test_assume__wrong_proc_files_are_refused(void **state)
{
	/* Each with what is said about it. */
	static const struct {
		const char *proc, *message;
	} rows[] = {
		{ "", "holds no line \"@@@ before NAME\"" },
		{ "@@@ after buddyinfo\n", "holds no line" },
		{ PROC, "no zoneinfo" },
		{ "@@@ before buddyinfo\nNode zero\n",
		  ":2:1: error: not a line of a /proc file" },
		{ ZONE "Node 1, zone   Normal\n  spanned 5\n", "several nodes" },
		{ ZONE "Node 0, zone      DMA\n  spanned 5\n", "out of order" },
		{ "@@@ before zoneinfo\nNode 0, zone   Normal\n"
		  "  spanned 5\n  present 6\n", "impossible size" },
		{ "@@@ before buddyinfo\nNode 0, zone Normal 900000000\n"
		  "@@@ before zoneinfo\nNode 0, zone Normal\n"
		  "  spanned 1000000000\n  present 1000000000\n"
		  "  managed 1000000000\n  cpu: 0\n",
		  "more than 33554432 free blocks" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct replay_result r = { 0 };
		struct diag d = { 0 };

		ASSERT_U64(rows[i].message,
			   -run(rows[i].proc, FREE("0x1"), &r, &d), EINVAL);
		if (!strstr(d.last, rows[i].message))
			fail_msg("%s: %s", rows[i].message, d.last);
	}
}

static void test_assume__more_free_pages_than_places_are_told(void **state)
{
	/* Two order-10 blocks of a zone of one and a half. */
	static const char proc[] =
		"@@@ before buddyinfo\nNode 0, zone Normal 0 0 0 0 0 0 0 0 0 0 2\n"
		"@@@ before zoneinfo\nNode 0, zone Normal\n  spanned 1536\n"
		"  present 1536\n  managed 1536\n  cpu: 0\n";
	struct replay_result r = { 0 };
	struct diag d = { 0 };

	(void)state;
	if (run(proc, FREE("0x5f0"), &r, &d))
		fail_msg("%s", d.last);
	ASSERT_U64("unplaced", r.assumed.unplaced, 1024);
}

static void test_assume__a_booted_guest(void **state)
{
	/*
	 * Free memory begins behind the kernel's image at 12288; 12289 is in
	 * use, so its neighbour is a block of one page, the smallest fit.
	 */
	char stream[TEST_PATH_MAX], why[128] = "";
	struct replay_options o = { .stream = stream };
	struct replay_result r = { 0 };
	struct diag d = { 0 };
	struct alloc *booted;

	(void)state;
	assert_int_equal(sim_boot_alloc(&booted, "6.1", "256M", 2, why,
					sizeof(why)), 0);
	o.booted = booted;
	file_write_text(stream, FREE("0x3001") MOVABLE("0x3001")
			MOVABLE("0x3000"));
	if (replay_run(&o, &d, &r))
		fail_msg("%s", d.last);
	ASSERT_U64("allocations", r.allocations, 2);
	ASSERT_U64("in use", r.assumed.preallocated, 1);
	ASSERT_U64("predicted", r.predicted, 2);
	assert_non_null(strstr(r.assumed.text, "has just booted"));
	file_remove(stream);
	alloc_destroy(booted);
	assert_int_equal(sim_boot_alloc(&booted, "6.1", "1M", 2, why,
					sizeof(why)), -EINVAL);
	assert_int_equal(sim_boot_alloc(&booted, "6.1", "1G", 0, why,
					sizeof(why)), -EINVAL);
}

static void test_assume__standard_input_cannot_be_read_twice(void **state)
{
	struct replay_options o = { .stream = "-", .free_counts = "x" };
	struct replay_result r = { 0 };
	struct diag d = { 0 };

	(void)state;
	assert_int_equal(replay_run(&o, &d, &r), -EINVAL);
	assert_non_null(strstr(d.last, "read twice"));
}

#define RUN TEST_DATA_DIR "/traces/fork-exec-storm-4cpu/"

static void test_assume__proc_of_the_end_state(void **state)
{
	/* Every number of a recorded run, and of its start by mistake. */
	struct replay_options o = { .stream = RUN "req.txt.zst",
				    .before = RUN "before.snap.zst",
				    .proc = RUN "procstats.txt.zst" };
	struct replay_result r = { 0 };
	struct diag d = { 0 };

	(void)state;
	assert_int_equal(replay_run(&o, &d, &r), 0);
	assert_true(r.proc.compared);
	ASSERT_U64("cells", r.proc.cells, 118);
	ASSERT_U64("differing", r.proc.differing, 0);
	assert_true(replay_exact(&r));
	o.limit = 1000;
	assert_int_equal(replay_run(&o, &d, &r), 0);
	assert_true(r.proc.differing > 0);
	assert_non_null(strstr(r.proc.first, "buddyinfo, zone DMA32: column"));
	assert_false(replay_exact(&r));
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(test_assume__free_counts_are_the_recorded_ones),
	cmocka_unit_test(test_assume__pages_freed_first_were_in_use),
	cmocka_unit_test(test_assume__wrong_proc_files_are_refused),
	cmocka_unit_test(test_assume__more_free_pages_than_places_are_told),
	cmocka_unit_test(test_assume__a_booted_guest),
	cmocka_unit_test(test_assume__standard_input_cannot_be_read_twice),
	cmocka_unit_test(test_assume__proc_of_the_end_state),
};

TEST_MAIN(cases)
