/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Replay of the kernel's own tracepoints: each rule of docs/replay.md on a
 * trace of a few lines, and its counter.
 */
#include <stdlib.h>
#include <string.h>

#include "replay/replay.h"
#include "tests/test.h"
#include "tests/trace/files.h"

/* Two CPUs; 1027 and 1029 on CPU 0's movable list; free blocks of U. */
#define GUEST                                                                 \
	"snap before t=0 cpus=2 tsc_khz=1 pageblock_order=9\n"                \
	"zone 2 Normal start_pfn=0 max_order=11 migratetypes=4\n"             \
	"zval 2 spanned 8192\n"                                               \
	"pcphdr 2 cpu=0 count=2 high=3 batch=1 free_factor=0\n"               \
	"pcphdr 2 cpu=1 count=0 high=42 batch=7 free_factor=0\n"              \
	"pcp 2 0 1 1027 mt=1\npcp 2 0 1 1029 mt=1\n"                          \
	"free 2 0 1 5000\nfree 2 3 0 4096\nfree 2 4 0 4128\n"                 \
	"pb 2 4096 0\nend\n"

#define LINE(cpu) "task-1 [00" cpu "] d.. 0.000001: "
#define ALLOC(cpu, pfn, order, mt, gfp)                                       \
	LINE(cpu) "mm_page_alloc: pfn=" pfn " order=" order                   \
		  " migratetype=" mt " gfp_flags=" gfp "\n"
#define MOVABLE(cpu, pfn) ALLOC(cpu, pfn, "0", "1", "0x100cca")
#define KERNEL(cpu, pfn, order) ALLOC(cpu, pfn, order, "0", "0xcc0")
#define FREE(cpu, pfn) LINE(cpu) "mm_page_free: pfn=" pfn " order=0\n"
#define BATCHED(cpu, pfn)                                                     \
	LINE(cpu) "mm_page_free_batched: pfn=" pfn " order=0\n"
#define LOCKED(cpu, pfn, order, mt, refill)                                   \
	LINE(cpu) "mm_page_alloc_zone_locked: pfn=" pfn " order=" order       \
		  " migratetype=" mt " percpu_refill=" refill "\n"
#define DRAIN(cpu, pfn)                                                       \
	LINE(cpu) "mm_page_pcpu_drain: pfn=" pfn " order=0 migratetype=1\n"

static struct replay_result run_on(const char *kernel, const char *trace,
				   enum replay_mode mode)
{
	char before[TEST_PATH_MAX], stream[TEST_PATH_MAX];
	struct replay_options o = { .before = before, .stream = stream,
				    .mode = mode, .kernel = kernel };
	struct replay_result r = { 0 };
	struct diag d = { 0 };

	file_write_text(before, GUEST);
	file_write_text(stream, trace);
	if (replay_run(&o, &d, &r))
		fail_msg("%s\n%s", d.last, trace);
	file_remove(before);
	file_remove(stream);
	assert_true(r.stock.present);
	return r;
}

static struct replay_result run(const char *trace, enum replay_mode mode)
{
	return run_on("6.1", trace, mode);
}

struct want {
	enum replay_stock_count count;
	uint64_t value;
};

/* What a trace comes to, in one mode. */
struct row {
	const char *name, *trace;
	enum replay_mode mode;
	uint64_t allocations, predicted;
	struct want wants[6]; /* up to the first value of 0 */
};

static void check_rows(const struct row *rows, size_t nr)
{
	for (size_t i = 0; i < nr; i++) {
		const struct row *row = &rows[i];
		const struct replay_result r = run(row->trace, row->mode);

		ASSERT_U64(row->name, r.allocations, row->allocations);
		ASSERT_U64(row->name, r.predicted, row->predicted);
		for (size_t k = 0; k < ARRAY_SIZE(row->wants) &&
		     row->wants[k].value; k++) {
			const struct want *w = &row->wants[k];
			char what[96];

			snprintf(what, sizeof(what), "%s: %s", row->name,
				 replay_stock_name(w->count));
			ASSERT_U64(what, r.stock.counts[w->count], w->value);
		}
	}
}

#define P REPLAY_PREDICT
#define A REPLAY_ASSISTED

static void test_stock__frees_act_as_their_events_say(void **state)
{
	/* The next allocation shows which page came to the list last. */
	static const struct row rows[] = {
		{ "single frees in the order of the events",
		  FREE("0", "0x64") FREE("1", "0x65") MOVABLE("1", "0x65"), P,
		  1, 1, { { STOCK_FREES, 2 }, { STOCK_ORPHANS, 2 } } },
		{ "a batch in the order of its commits",
		  FREE("1", "0x64") FREE("1", "0x65") FREE("1", "0x66")
		  BATCHED("1", "0x66") BATCHED("1", "0x65") BATCHED("1", "0x64")
		  MOVABLE("1", "0x64") MOVABLE("1", "0x65"), P, 2, 2,
		  { { STOCK_PREPARED, 3 }, { STOCK_COMMITTED, 3 },
		    { STOCK_ORPHANS, 3 } } },
		{ "a free of another page may stand between",
		  FREE("1", "0x64") FREE("1", "0x70") BATCHED("1", "0x64")
		  MOVABLE("1", "0x64") MOVABLE("1", "0x70"), P, 2, 2,
		  { { STOCK_PREPARED, 1 }, { STOCK_FREES, 1 } } },
		{ "a commit whose prepare is older than the trace",
		  BATCHED("1", "0x64") MOVABLE("1", "0x64"), P, 1, 1,
		  { { STOCK_LONE_COMMITS, 1 } } },
		{ "handed out again in between: two frees",
		  FREE("1", "0x64") MOVABLE("1", "0x64") BATCHED("1", "0x64")
		  MOVABLE("1", "0x64"), P, 2, 2,
		  { { STOCK_FREES, 1 }, { STOCK_LONE_COMMITS, 1 } } },
	};

	(void)state;
	check_rows(rows, ARRAY_SIZE(rows));
}

static void test_stock__what_a_trace_cannot_show_is_counted(void **state)
{
	/* One row for each counter of odd events. */
	static const struct row rows[] = {
		{ "failed as the twin does", KERNEL("1", "0x0", "10"), P, 1, 1,
		  { { STOCK_FAILED, 1 } } },
		{ "failed alone", MOVABLE("0", "0x0"), P, 1, 0,
		  { { STOCK_FAILED, 1 } } },
		{ "the mask says movable",
		  ALLOC("0", "0x403", "0", "0", "0x100cca"), P, 1, 1,
		  { { STOCK_TYPE_DIFFERS, 1 } } },
		{ "no such CPU, no such page",
		  MOVABLE("7", "0x403") MOVABLE("0", "0x9000")
		  FREE("0", "0x2000") MOVABLE("0", "0x403"), P, 1, 1,
		  { { STOCK_FOREIGN, 3 } } },
		{ "a free page is freed", FREE("1", "0x1388"), P, 0, 0,
		  { { STOCK_UNSEEN_ALLOCS, 1 } } },
		{ "the same, set right",
		  FREE("1", "0x1388") MOVABLE("1", "0x1388"), A, 1, 1,
		  { { STOCK_UNSEEN_ALLOCS, 1 } } },
		{ "a page in use is handed out",
		  MOVABLE("0", "0x64") MOVABLE("0", "0x403"), A, 2, 1,
		  { { STOCK_UNSEEN_FREES, 1 } } },
		{ "an event of others, and one that came late",
		  "t-1 [000] d.. 0.000009: mm_vmscan_kswapd_sleep: nid=0\n"
		  "t-1 [000] d.. 0.000002: mm_page_free: pfn=0x64 order=0\n"
		  "t-1 [000] d.. 0.000001: mm_page_free: pfn=0x65 order=0\n",
		  P, 0, 0, { { STOCK_OTHER_LINES, 1 },
			     { STOCK_BACKWARDS, 1 } } },
		{ "lost", "# tracer: nop\n"
		  " task-1 [000] d..1 1.000001: mm_page_free: page=0 pfn=0x64 order=0\n"
		  "CPU:0 [LOST 5 EVENTS]\n"
		  " task-1 [000] d..1 1.000002: mm_page_free: page=0 pfn=0x65 order=0\n",
		  P, 0, 0, { { STOCK_LOST, 5 }, { STOCK_LOST_MARKERS, 1 } } },
	};

	(void)state;
	check_rows(rows, ARRAY_SIZE(rows));
}

static void test_stock__bulk_allocation_is_inferred(void **state)
{
	/* 1029 comes before 1027: the latter was taken without a trace. */
	static const struct row rows[] = {
		{ "predicted only what is seen",
		  MOVABLE("0", "0x405") MOVABLE("0", "0x403"), P, 2, 0,
		  { { 0, 0 } } },
		{ "confirmed by its free",
		  MOVABLE("0", "0x405") FREE("1", "0x403")
		  MOVABLE("1", "0x403"), A, 2, 1,
		  { { STOCK_BULK, 1 }, { STOCK_BULK_CONFIRMED, 1 } } },
		{ "refuted by its allocation",
		  MOVABLE("0", "0x405") MOVABLE("0", "0x403"), A, 2, 0,
		  { { STOCK_BULK, 1 }, { STOCK_BULK_REFUTED, 1 } } },
		{ "a refill shows that the list was empty",
		  LOCKED("0", "0x1388", "0", "1", "1")
		  LOCKED("0", "0x1000", "0", "1", "1")
		  MOVABLE("0", "0x1388") MOVABLE("0", "0x1000"), A, 2, 2,
		  { { STOCK_BULK, 2 } } },
	};

	(void)state;
	check_rows(rows, ARRAY_SIZE(rows));
}

static void test_stock__refills_and_choices_are_followed(void **state)
{
	/* Page by page, and foreseen where the twin's rules say the same. */
	static const struct {
		const char *name, *trace;
		uint64_t predicted, foreseen;
	} rows[] = {
		{ "smallest fit, lowest page first",
		  LOCKED("1", "0x1000", "0", "0", "1")
		  LOCKED("1", "0x1001", "0", "0", "1")
		  KERNEL("1", "0x1000", "0") KERNEL("1", "0x1001", "0"), 2, 2 },
		{ "another page of the block",
		  LOCKED("1", "0x1004", "0", "0", "1")
		  LOCKED("1", "0x1000", "0", "0", "1")
		  KERNEL("1", "0x1004", "0") KERNEL("1", "0x1000", "0"), 2, 0 },
		{ "past the pcp", LOCKED("1", "0x1020", "4", "0", "0")
		  KERNEL("1", "0x1020", "4"), 1, 1 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct replay_result r = run(rows[i].trace, A);
		const struct replay_stock_internal *in =
			&r.stock.internal[STOCK_ZONE_LOCKED];

		ASSERT_U64(rows[i].name, r.predicted, rows[i].predicted);
		ASSERT_U64(rows[i].name, in->predicted, rows[i].foreseen);
	}
}

static void test_stock__drains_are_followed(void **state)
{
	/* High is 3: the third page flushes one, the oldest, 1029. */
	static const struct {
		const char *name, *trace;
		uint64_t foreseen, late, unseen;
	} rows[] = {
		{ "as the twin would", FREE("0", "0x64") DRAIN("0", "0x405"),
		  1, 0, 0 },
		{ "another page", FREE("0", "0x64") DRAIN("0", "0x403"),
		  0, 0, 0 },
		{ "nothing was to be flushed", DRAIN("0", "0x405"), 0, 0, 0 },
		{ "a page in use", DRAIN("0", "0x77"), 0, 0, 1 },
		{ "late", FREE("0", "0x64") FREE("0", "0x66")
		  DRAIN("0", "0x405"), 1, 1, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct replay_result r = run(rows[i].trace, A);
		const struct replay_stock_internal *in =
			&r.stock.internal[STOCK_PCPU_DRAIN];

		assert_true(in->followed);
		ASSERT_U64(rows[i].name, in->kernel, 1);
		ASSERT_U64(rows[i].name, in->predicted, rows[i].foreseen);
		ASSERT_U64(rows[i].name, r.stock.counts[STOCK_LATE_FLUSHES],
			   rows[i].late);
		ASSERT_U64(rows[i].name, r.stock.counts[STOCK_UNSEEN_FREES],
			   rows[i].unseen);
	}
}

static void test_stock__extfrag_sets_the_pageblock(void **state)
{
	/* The kernel counted other movable pages and claimed the block. */
	static const char trace[] =
		LINE("1") "mm_page_alloc_extfrag: pfn=0x1388 alloc_order=0 "
		"fallback_order=0 pageblock_order=9 alloc_migratetype=2 "
		"fallback_migratetype=1 fragmenting=1 change_ownership=1\n"
		LOCKED("1", "0x1388", "0", "2", "1");
	struct replay_result r;

	(void)state;
	r = run(trace, A);
	ASSERT_U64("types", r.stock.counts[STOCK_PAGEBLOCKS], 1);
	ASSERT_U64("events", r.stock.internal[STOCK_EXTFRAG].kernel, 1);
}

static void test_stock__misses_say_where_the_page_was(void **state)
{
	/* Each place once. */
	static const struct {
		const char *trace;
		enum replay_place place;
	} rows[] = {
		{ MOVABLE("0", "0x405"), REPLAY_AT_SAME_LIST },
		{ KERNEL("0", "0x403", "0"), REPLAY_AT_OTHER_LIST },
		{ MOVABLE("1", "0x403"), REPLAY_AT_OTHER_CPU },
		{ KERNEL("1", "0x1007", "0"), REPLAY_AT_BUDDY },
		{ MOVABLE("0", "0x64"), REPLAY_AT_OLDER },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct replay_result r = run(rows[i].trace, P);

		for (unsigned int p = 0; p < REPLAY_NR_PLACES; p++)
			ASSERT_U64(replay_place_name((enum replay_place)p),
				   r.missed_at[p], p == rows[i].place);
		ASSERT_U64("event", r.first_miss.event, 1);
	}
}

static void test_stock__predict_counts_the_twins_own_events(void **state)
{
	/* A refill of CPU 1: 7 blocks, the trace shows one of them. */
	struct replay_result r;

	(void)state;
	r = run(LOCKED("1", "0x1000", "0", "0", "1")
		KERNEL("1", "0x1000", "0"), P);
	ASSERT_U64("predicted", r.predicted, 1);
	ASSERT_U64("kernel", r.stock.internal[STOCK_ZONE_LOCKED].kernel, 1);
	ASSERT_U64("twin", r.stock.internal[STOCK_ZONE_LOCKED].twin, 7);
}

static void test_stock__events_mean_what_the_release_says(void **state)
{
	/* 5.7 tells of failed choices; from 6.12 on a steal is an extfrag. */
	static const char failed[] =
		LINE("1") "mm_page_alloc_zone_locked: pfn=0x0 order=9 "
		"migratetype=0 percpu_refill=0\n" KERNEL("1", "0x0", "9")
		LOCKED("1", "0x1000", "0", "0", "1")
		KERNEL("1", "0x1000", "0");
	static const char stolen[] =
		LINE("1") "mm_page_alloc_extfrag: pfn=0x1020 alloc_order=0 "
		"fallback_order=4 pageblock_order=9 alloc_migratetype=2 "
		"fallback_migratetype=0 fragmenting=1 change_ownership=1\n"
		LOCKED("1", "0x1021", "0", "2", "1")
		ALLOC("1", "0x1020", "0", "2", "0xcd0");
	struct replay_result r;

	(void)state;
	r = run_on("5.7", failed, A);
	ASSERT_U64("choices", r.stock.counts[STOCK_FAILED_CHOICES], 1);
	ASSERT_U64("predicted", r.predicted, 2);
	r = run_on("6.18", stolen, A);
	ASSERT_U64("predicted", r.predicted, 1);
	ASSERT_U64("extfrag", r.stock.internal[STOCK_EXTFRAG].kernel, 1);
}

static void test_stock__a_flush_may_take_turns(void **state)
{
	/* 5.7 takes from list after list: the tail of any is foreseen. */
	struct replay_result r;

	(void)state;
	r = run_on("5.7", FREE("0", "0x64") DRAIN("0", "0x405"), A);
	ASSERT_U64("foreseen", r.stock.internal[STOCK_PCPU_DRAIN].predicted,
		   1);
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(test_stock__frees_act_as_their_events_say),
	cmocka_unit_test(test_stock__what_a_trace_cannot_show_is_counted),
	cmocka_unit_test(test_stock__bulk_allocation_is_inferred),
	cmocka_unit_test(test_stock__refills_and_choices_are_followed),
	cmocka_unit_test(test_stock__drains_are_followed),
	cmocka_unit_test(test_stock__extfrag_sets_the_pageblock),
	cmocka_unit_test(test_stock__misses_say_where_the_page_was),
	cmocka_unit_test(test_stock__predict_counts_the_twins_own_events),
	cmocka_unit_test(test_stock__events_mean_what_the_release_says),
	cmocka_unit_test(test_stock__a_flush_may_take_turns),
};

TEST_MAIN(cases)
