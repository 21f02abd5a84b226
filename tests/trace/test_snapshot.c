/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Snapshots: what is kept of a good one, and what is said of a bad one. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tests/test.h"
#include "tests/trace/files.h"
#include "trace/snapshot.h"

#define HEADER "snap before t=0.5 cpus=2 tsc_khz=1 pageblock_order=9\n"
#define ZONE0 "zone 0 DMA start_pfn=1 max_order=11 migratetypes=4\n" \
	      "zval 0 spanned 4095\n"
#define ZONE1 "zone 1 DMA32 start_pfn=4096 max_order=11 migratetypes=4\n" \
	      "zval 1 spanned 8192\n"

static int read_text(const char *text, struct snapshot **s, struct diag *d,
		     char path[TEST_PATH_MAX])
{
	int err;

	file_write_text(path, text);
	err = snapshot_read(s, path, d);
	file_remove(path);
	return err;
}

static void test_snapshot__keeps_lists_in_order(void **state)
{
	/* Two lists whose lines alternate, with a reported block, and a pcp. */
	static const char text[] =
		"# oracle snapshot v1\n" HEADER ZONE0 ZONE1
		"zval 1 present 8000\nzval 1 managed 7000\n"
		"zval 1 wmark_min 1\nzval 1 wmark_low 2\nzval 1 wmark_high 3\n"
		"zval 1 watermark_boost 512\nzval 1 flags 2\n"
		"zval 1 nr_reserved_highatomic 512\n"
		"zval 1 lowmem_reserve[3] 77\nzval 1 pageset_high 42\n"
		"zval 1 pageset_batch 7\nzval 1 percpu_drift_mark 0\n"
		"zval 1 nr_free[9] 1\n"
		"free 1 0 0 4100\nfree 1 9 1 5120 R\nfree 1 0 0 4098\n"
		"pcphdr 1 cpu=1 count=9 high=40 batch=6 free_factor=2 "
		"stat_diff=-3 stat_threshold=8\n"
		"pcp 1 1 9 6144 mt=0\npcp 1 1 0 4103 mt=2\n"
		"pb 1 4096 2\npb 1 4608 1 S\n"
		"run 1 7000 10 4\nrun 1 7010 5 3\nrun 1 7020 2 6\n"
		"end\n";
	struct diag d = { 0 };
	struct snapshot *s;
	char path[TEST_PATH_MAX];
	const struct snap_zone *z;
	const struct snap_pageset *ps;

	(void)state;
	if (read_text(text, &s, &d, path))
		fail_msg("%s", d.last);
	assert_false(s->after);
	assert_int_equal(s->nr_zones, 2);
	assert_int_equal(s->zones[0].end, 4096);
	assert_int_equal(s->zones[0].managed, 4095);
	z = &s->zones[1];
	assert_int_equal(snapshot_end_pfn(s), 12288);
	assert_int_equal(snapshot_zone_index(s, 1), 1);
	assert_int_equal(snapshot_zone_index(s, 2), -1);
	assert_int_equal(z->present, 8000);
	assert_int_equal(z->managed, 7000);
	assert_int_equal(z->wmark_low, 2);
	assert_int_equal(z->boost, 512);
	assert_int_equal(z->flags, 2);
	assert_int_equal(z->reserved_highatomic, 512);
	assert_int_equal(z->lowmem_reserve[3], 77);
	assert_int_equal(z->free[0][0].nr, 2);
	assert_int_equal(s->free_blocks[z->free[0][0].first].pfn, 4100);
	assert_int_equal(s->free_blocks[z->free[0][0].first + 1].pfn, 4098);
	assert_int_equal(z->free[9][1].nr, 1);
	assert_true(s->free_blocks[z->free[9][1].first].reported);
	/* No pcphdr: the zone's own sizes. */
	assert_int_equal(z->pagesets[0].high, 42);
	assert_int_equal(z->pagesets[0].batch, 7);
	ps = &z->pagesets[1];
	assert_int_equal(ps->free_factor, 2);
	assert_int_equal(ps->lists[9].nr, 1);
	assert_int_equal(s->pcp_blocks[ps->lists[9].first].order, 3);
	assert_int_equal(s->pcp_blocks[ps->lists[0].first].mt, 2);
	assert_int_equal(s->nr_pageblocks, 2);
	assert_true(s->pageblocks[1].skip);
	assert_int_equal(s->nr_movable, 2);
	assert_int_equal(s->movable[1].pfn, 7020);
	snapshot_free(s);
}

static void test_snapshot__mistakes_name_line_and_column(void **state)
{
	/* One wrong line after a good header and two zones. */
	static const struct {
		const char *line, *message;
	} rows[] = {
		{ "fre 1 0 0 4100", ":6:1: error: unknown record \"fre\"; did you mean \"free\"?" },
		{ "free 2 0 0 4100", "zone 2 has no zone record above" },
		{ "free 1 11 0 4100", ":6:8: error: the order is \"11\"" },
		{ "free 1 0 4 4100", ":6:10: error: the migratetype is \"4\"" },
		{ "free 1 1 0 4101", "PFN 4101 is not a multiple of 2" },
		{ "free 1 0 0 4095",
		  "block 4095 of order 0 is outside zone DMA32, PFNs 4096 to 12287" },
		{ "free 1 10 0 12288", "is outside zone DMA32" },
		{ "free 1 0 0 4100 X", ":6:17: error: only R (reported) may follow" },
		{ "free 1 0 0 4100\nfree 1 1 1 4100",
		  ":7:12: error: block 4100 of order 1 overlaps" },
		{ "pcp 1 2 0 4100 mt=0", ":6:7: error: the CPU is \"2\"" },
		{ "pcp 1 0 14 4100 mt=0", "the list index is \"14\"" },
		{ "pcp 1 0 0 4100 t=0", "\"t=0\" found; mt=VALUE is expected" },
		{ "pcphdr 1 cpu=2 count=0 high=1 batch=1 free_factor=0", "cpu is \"2\"" },
		{ "zval 1 spaned 5",
		  "unknown field \"spaned\" of a zone; did you mean \"spanned\"?" },
		{ "zval 1 nr_free[11] 5", "nr_free is \"11\"" },
		{ "zval 1 spanned 99999999999", "spanned is" },
		{ "zval 1 spanned 1073741824", "zone DMA32 would end beyond PFN 1073741823" },
		{ "zone 1 DMA32 start_pfn=1 max_order=11 migratetypes=4", "zone 1 after zone 1" },
		{ "zone 2 Norml start_pfn=12288 max_order=11 migratetypes=4",
		  "zone 2 is called \"Norml\"; it is Normal" },
		{ "zone 2 Normal start_pfn=12288 max_order=10 migratetypes=4",
		  "max_order must be 11" },
		{ "pb 1 4097 1", "PFN 4097 does not start a pageblock" },
		{ "pb 1 12288 1", "PFN 12288 does not start a pageblock of zone DMA32" },
		{ "run 1 4096 8193 4", "the run is outside zone DMA32" },
		{ "run 1 4096 1 10", "the state is \"10\"" },
		{ "snap after t=0 cpus=1 tsc_khz=1 pageblock_order=9", "a second snap record" },
		{ "zval 1 spanned 16", "a second spanned for zone DMA32" },
		{ "zone 2 Normal start_pfn=12288 max_order=11 migratetypes=6",
		  "migratetypes is 6, and 4 in the zone before" },
		{ "zval 1 nr_free[0] 3",
		  "zone DMA32: nr_free[0] is 3, but its lists have 0 blocks" },
		{ "zval 1 nr_free_pages_exact 3",
		  "nr_free_pages_exact is 3, but its lists have 0 pages" },
		{ "zval 1 managed 9000", "managed <= present <= spanned does not hold" },
		{ "pcphdr 1 cpu=0 count=5 high=1 batch=1 free_factor=0",
		  "the pageset of CPU 0 has count 5, but its lists have 0 pages" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct diag d = { 0 };
		struct snapshot *s;
		char path[TEST_PATH_MAX], text[512];

		snprintf(text, sizeof(text), HEADER ZONE0 ZONE1 "%s\nend\n",
			 rows[i].line);
		ASSERT_U64(rows[i].line, -read_text(text, &s, &d, path),
			   EINVAL);
		assert_null(s);
		if (!strstr(d.last, rows[i].message))
			fail_msg("%s: %s", rows[i].line, d.last);
		ASSERT_U64(rows[i].line, d.nr_errors, 1);
	}
}

static void test_snapshot__headers_are_checked(void **state)
{
	/* Without a good header nothing after it can be judged. */
	static const struct {
		const char *text, *message;
	} rows[] = {
		{ "free 1 0 0 1\nend\n", ":1:1: error: a snapshot starts with a snap record" },
		{ "snap now t=0 cpus=1 tsc_khz=1 pageblock_order=9\nend\n",
		  "snapshot is \"now\"; allowed are before and after" },
		{ "snap before t=0 cpus=0 tsc_khz=1 pageblock_order=9\nend\n", "cpus is 0" },
		{ "snap before t=0 cpus=4000000000 tsc_khz=1 pageblock_order=9\nend\n",
		  "cpus is \"4000000000\"; allowed is a decimal number from 0 to 1024" },
		{ "snap before t=0 cpus=1 tsc_khz=1 pageblock_order=8\nend\n",
		  "pageblock_order is 8; allowed are 9 and 10" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct diag d = { 0 };
		struct snapshot *s;
		char path[TEST_PATH_MAX];

		ASSERT_U64(rows[i].text,
			   -read_text(rows[i].text, &s, &d, path), EINVAL);
		if (!strstr(d.last, rows[i].message))
			fail_msg("%s: %s", rows[i].text, d.last);
	}
}

static void test_snapshot__every_mistake_is_reported(void **state)
{
	/* Three wrong lines give three messages. */
	struct diag d = { 0 };
	struct snapshot *s;
	char path[TEST_PATH_MAX];

	(void)state;
	assert_int_equal(read_text(HEADER ZONE1 "free 1 0 0 1\nxyz\n"
				   "free 1 0 0 4100\npcp 1 0 0 4100 mt=0\nend\n",
				   &s, &d, path), -EINVAL);
	assert_int_equal(d.nr_errors, 3);
}

static void test_snapshot__a_cut_file_is_not_a_snapshot(void **state)
{
	/* The end record is missing, or the zstd frame is cut. */
	static const char text[] = HEADER ZONE1 "free 1 0 0 4100\n";
	struct diag d = { 0 };
	struct snapshot *s;
	char path[TEST_PATH_MAX];

	(void)state;
	assert_int_equal(read_text(text, &s, &d, path), -EBADMSG);
	assert_string_equal(file_message(d.last, path),
			    ":4: error: cut short: the end record is missing");
	file_write_zstd(path, text, 5);
	assert_int_equal(snapshot_read(&s, path, &d), -EBADMSG);
	if (!strstr(d.last, "inside a zstd frame"))
		fail_msg("%s", d.last);
	file_remove(path);
}

static void test_snapshot__a_small_file_cannot_ask_for_much(void **state)
{
	/* The largest zone, 1024 CPUs: metadata of a few lines, read at once. */
	static const char text[] =
		"snap before t=0 cpus=1024 tsc_khz=1 pageblock_order=9\n"
		"zone 0 DMA start_pfn=0 max_order=11 migratetypes=4\n"
		"zval 0 spanned 1073741824\n"
		"free 0 10 1 1073740800\nend\n";
	struct diag d = { 0 };
	struct snapshot *s;
	char path[TEST_PATH_MAX];

	(void)state;
	if (read_text(text, &s, &d, path))
		fail_msg("%s", d.last);
	assert_int_equal(snapshot_end_pfn(s), TRACE_MAX_PFN);
	assert_int_equal(s->nr_free_blocks, 1);
	snapshot_free(s);
}

static void test_snapshot__recorded_files_are_read(void **state)
{
	/* A recorded 1 GiB guest with four CPUs. */
	struct diag d = { 0 };
	struct snapshot *s;

	(void)state;
	if (snapshot_read(&s, TEST_DATA_DIR
			  "/traces/fork-exec-storm-4cpu/before.snap.zst", &d))
		fail_msg("%s", d.last);
	assert_int_equal(s->nr_cpus, 4);
	assert_int_equal(s->nr_zones, 2);
	assert_string_equal(s->zones[1].name, "DMA32");
	assert_int_equal(s->zones[1].managed, 250693);
	assert_int_equal(s->nr_free_blocks, 257);
	assert_int_equal(s->nr_pcp_blocks, 1685);
	assert_int_equal(s->nr_pageblocks, 512);
	assert_int_equal(s->zones[1].pagesets[2].count, 229);
	snapshot_free(s);
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(test_snapshot__keeps_lists_in_order),
	cmocka_unit_test(test_snapshot__mistakes_name_line_and_column),
	cmocka_unit_test(test_snapshot__headers_are_checked),
	cmocka_unit_test(test_snapshot__every_mistake_is_reported),
	cmocka_unit_test(test_snapshot__a_cut_file_is_not_a_snapshot),
	cmocka_unit_test(test_snapshot__a_small_file_cannot_ask_for_much),
	cmocka_unit_test(test_snapshot__recorded_files_are_read),
};

TEST_MAIN(cases)
