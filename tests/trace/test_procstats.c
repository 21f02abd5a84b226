/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reading recorded /proc files: which lines count, and for what. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tests/test.h"
#include "tests/trace/files.h"
#include "trace/procstats.h"

#define RUN TEST_DATA_DIR "/traces/fork-exec-storm-4cpu/procstats.txt.zst"

static void test_procstats__a_recorded_file(void **state)
{
	/* Two populated zones of five, four CPUs. */
	struct procstats *p;
	struct diag d = { 0 };
	struct proc_row like = { .table = PROC_TYPES, .zone = "DMA32",
				 .type = "Movable" };

	(void)state;
	if (procstats_read(&p, RUN, "before", &d))
		fail_msg("%s", d.last);
	ASSERT_U64("rows", p->nr_rows, 2 + 8 + 2);
	ASSERT_U64("zones", p->nr_zones, 2);
	ASSERT_U64("order", p->pageblock_order, 9);
	assert_string_equal(p->zones[1].name, "DMA32");
	ASSERT_U64("managed", p->zones[1].managed, 250693);
	ASSERT_U64("low", p->zones[1].low, 13866);
	ASSERT_U64("start", p->zones[1].start, 4096);
	ASSERT_U64("spanned", p->zones[1].spanned, 258013);
	ASSERT_U64("reserve", p->zones[0].protection[1], 974);
	ASSERT_U64("CPUs", p->zones[1].nr_cpus, 4);
	ASSERT_U64("count", p->zones[1].pagesets[0].count, 1174);
	ASSERT_U64("high", p->zones[1].pagesets[3].high, 3466);
	ASSERT_U64("batch", p->zones[1].pagesets[3].batch, 63);
	assert_non_null(procstats_find(p, &like));
	ASSERT_U64("columns", procstats_find(p, &like)->nr, 11);
	like.node = 1;
	assert_null(procstats_find(p, &like));
	procstats_free(p);
}

static void test_procstats__lines_of_all_kinds(void **state)
{
	/* Capped counts, page_owner's part, files of other names. */
	static const char text[] =
		"@@@ before vmstat\nnr_free_pages 5\n"
		"@@@ after buddyinfo\nNode 0, zone Normal 1\n"
		"@@@ before pagetypeinfo\n"
		"Page block order: 10\nPages per block:  1024\n\n"
		"Free pages count per migrate type at order 0 1\n"
		"Node    0, zone   Normal, type  Movable >100000 7 \n"
		"Number of mixed blocks    Unmovable\n"
		"Node 0, zone   Normal   3 \n";
	char path[TEST_PATH_MAX];
	struct procstats *p;
	struct diag d = { 0 };

	(void)state;
	file_write_text(path, text);
	if (procstats_read(&p, path, "before", &d))
		fail_msg("%s", d.last);
	ASSERT_U64("rows", p->nr_rows, 1);
	ASSERT_U64("capped", p->rows[0].values[0], 100000);
	ASSERT_U64("behind it", p->rows[0].values[1], 7);
	ASSERT_U64("order", p->pageblock_order, 10);
	ASSERT_U64("line", p->rows[0].line, 10);
	procstats_free(p);
	file_remove(path);
}

static void test_procstats__wrong_lines_are_told(void **state)
{
	/* Every one, and the section goes on behind it. */
	static const char text[] =
		"@@@ before buddyinfo\nNode 0, zone Normal\n"
		"Node 0, zone Normal 1 2 x\nnode 0\nNode 0, zone Normal 1 \n";
	char path[TEST_PATH_MAX];
	struct procstats *p;
	struct diag d = { 0 };

	(void)state;
	file_write_text(path, text);
	assert_int_equal(procstats_read(&p, path, "before", &d), -EINVAL);
	ASSERT_U64("errors", d.nr_errors, 3);
	assert_null(p);
	file_remove(path);
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(test_procstats__a_recorded_file),
	cmocka_unit_test(test_procstats__lines_of_all_kinds),
	cmocka_unit_test(test_procstats__wrong_lines_are_told),
};

TEST_MAIN(cases)
