/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lines of the text formats, ordinary and odd, one at a time. */
#include <string.h>

#include "tests/test.h"
#include "tests/trace/import.h"
#include "tests/trace/files.h"

struct line_row {
	const char *line;
	const char *event;   /* as tests/trace/import.h prints it; "" = none */
};

#define PERF_REST "kmem:mm_page_free: page=0x10 pfn=0x10 order=1"

static void run_rows(const struct line_row *rows, size_t nr,
		     enum trace_format format)
{
	const struct trace_options o = { .format = format };
	char text[1024], expected[512];
	struct imported im;

	for (size_t i = 0; i < nr; i++) {
		snprintf(text, sizeof(text), "%s\n", rows[i].line);
		snprintf(expected, sizeof(expected), "%s%s", rows[i].event,
			 rows[i].event[0] ? "\n" : "");
		import_text(&im, text, &o);
		if (im.wrong || strcmp(im.text, expected))
			fail_msg("row %zu: %s\ngives: %s%s", i, rows[i].line,
				 im.text, im.diag.last);
	}
}

static void test_import__perf_script(void **state)
{
	/* Names with blanks, brackets, colons; every form of time and pid. */
	static const struct line_row rows[] = {
		{ "    perf  6142 [001] 12005.903811: " PERF_REST,
		  "perf/6142 1 12005903811000 F 16 1" },
		{ "perf  6142 [001] 12005.903811752: " PERF_REST,
		  "perf/6142 1 12005903811752 F 16 1" },
		{ "my prog 1  6142/6143 [000] 0.000001: " PERF_REST,
		  "my prog 1/6143 0 1000 F 16 1" },
		{ "kid-2 [x] 3: y 77 [010] 1.0: " PERF_REST,
		  "kid-2 [x] 3: y/77 10 1000000000 F 16 1" },
		{ "a 1 [002] 1.5: 2 3 [003] 4.5: " PERF_REST, "" },
		{ "a 1 [2] b 3 [003] 4.5: " PERF_REST,
		  "a 1 [2] b/3 3 4500000000 F 16 1" },
		{ "swapper 0 [000] 1.000000: " PERF_REST,
		  "swapper/0 0 1000000000 F 16 1" },
		{ ":-1 9 [000] 1.0: " PERF_REST, ":-1/9 0 1000000000 F 16 1" },
		{ " :-1  -1 [000] 1.0: " PERF_REST, "/0 0 1000000000 F 16 1" },
		{ "x 9 [000] 1.000000: 1 " PERF_REST,
		  "x/9 0 1000000000 F 16 1" },
		{ "x 9 [000] 1.0: mm_page_free: order=1 new=(a,b) pfn=16",
		  "x/9 0 1000000000 F 16 1" },
		{ "x 9 [000] 1.0: kmem:mm_page_alloc: page=(nil) pfn=0x0 "
		  "order=9 migratetype=1 gfp_flags=GFP_TRANSHUGE",
		  "x/9 0 1000000000 A none 9 1 0x1c24ca" },
		{ "x 9 [000] 1.0: kmem:mm_page_alloc: page=          (null) "
		  "pfn=18446744073709551615 order=9 migratetype=1 "
		  "gfp_flags=none",
		  "x/9 0 1000000000 A none 9 1 0x0" },
		{ "x 9 [000] 1.0: kmem:mm_page_alloc: pfn=-1 order=0 "
		  "migratetype=0 gfp_flags=0xcc0",
		  "x/9 0 1000000000 A none 0 0 0xcc0" },
		{ "x 9 [000] 1.0: kmem:mm_page_alloc: pfn=0xffffffffffffffff "
		  "order=0 migratetype=0 gfp_flags=3264",
		  "x/9 0 1000000000 A none 0 0 0xcc0" },
		{ "x 9 [000] 1.0: kmem:mm_page_free_batched: page=0x7 pfn=7 "
		  "order=0",
		  "x/9 0 1000000000 B 7 0" },
		{ "x 9 [000] 1.0: kmem:mm_page_alloc_zone_locked: page=0x8 "
		  "pfn=0x8 order=3 migratetype=3 percpu_refill=1",
		  "x/9 0 1000000000 Z 8 3 3 1" },
		{ "x 9 [000] 1.0: kmem:mm_page_alloc_zone_locked: page=(nil) "
		  "pfn=0 order=0 migratetype=0 percpu_refill=1",
		  "x/9 0 1000000000 Z none 0 0 1" },
		{ "x 9 [000] 1.0: kmem:mm_page_pcpu_drain: page=0x400 "
		  "pfn=0x400 order=10 migratetype=5",
		  "x/9 0 1000000000 D 1024 10 5" },
		{ "x 9 [000] 1.0: kmem:mm_page_alloc_extfrag: page=0x430000 "
		  "pfn=0x430001 alloc_order=0 fallback_order=10 "
		  "pageblock_order=9 alloc_migratetype=0 "
		  "fallback_migratetype=1 fragmenting=10 change_ownership=1",
		  "x/9 0 1000000000 X 4390913 0 10 0 1 1" },
		{ "x 9 [000] 1.0: kmem:mm_page_alloc_new: pfn=1", "" },
		{ "x 9 [000] 1.0: sched:sched_switch: prev_comm=a [1] 2.0: b",
		  "" },
		{ "swapper 0 [001] 9.25: PERF_RECORD_LOST lost 123",
		  "/0 1 0 lost 123" },
		{ "x 9 [001] 9.25: PERF_RECORD_LOST_SAMPLES lost 5",
		  "/0 1 0 lost 5" },
		{ "Processed 100 events and lost 3 chunks!", "/0 0 0 lost 0" },
		{ "Warning:", "" },
		{ "", "" },
		{ "\tffffffff81234567 get_page+0x12 ([kernel.kallsyms])", "" },
		{ "# ========", "" },
	};

	(void)state;
	run_rows(rows, ARRAY_SIZE(rows), TRACE_FORMAT_PERF);
}

#define FREE_REST "mm_page_free: page=00000000aa pfn=0x10 order=1"

static void test_import__ftrace_and_trace_cmd(void **state)
{
	/* Flags of 0, 3, 4, 5 and 6 columns, tgid, instances, losses. */
	static const struct line_row rows[] = {
		{ "    mal_bench-9373    [001] .....  1302.836217: " FREE_REST,
		  "mal_bench/9373 1 1302836217000 F 16 1" },
		{ "touch-10168 [000] d..3.  1302.940436: " FREE_REST,
		  "touch/10168 0 1302940436000 F 16 1" },
		{ "touch-10168 [000] d..3  1302.940436: " FREE_REST,
		  "touch/10168 0 1302940436000 F 16 1" },
		{ "init-1 [000] d.. 0.000867: mm_page_free: pfn=0x10 order=1",
		  "init/1 0 867000 F 16 1" },
		{ "bash-77 (   77) [002] ..... 5.000001: " FREE_REST,
		  "bash/77 2 5000001000 F 16 1" },
		{ "bash-77 (-------) [002] ..... 5.000001: " FREE_REST,
		  "bash/77 2 5000001000 F 16 1" },
		{ "<idle>-0 [002] d.h.. 5.000001: " FREE_REST,
		  "<idle>/0 2 5000001000 F 16 1" },
		{ "<...>-812 [002] ..... 5.000001: " FREE_REST,
		  "/812 2 5000001000 F 16 1" },
		{ "kid-2 [x] 3: y-78 [000] ..... 1.0: " FREE_REST,
		  "kid-2 [x] 3: y/78 0 1000000000 F 16 1" },
		{ "kworker/u4:2-ev-33 [000] 1.0: " FREE_REST,
		  "kworker/u4:2-ev/33 0 1000000000 F 16 1" },
		{ "    tmux: server-12 [000] 1.0: " FREE_REST,
		  "tmux: server/12 0 1000000000 F 16 1" },
		{ "eco:              cc1-13729 [000]  1363.488159: "
		  "mm_page_free:         page=0x10 pfn=0x10 order=1",
		  "cc1/13729 0 1363488159000 F 16 1" },
		{ "my prog -6433    1...1. 12012.598895: " FREE_REST,
		  "my prog /6433 1 12012598895000 F 16 1" },
		{ "a-1 [000] 123456: " FREE_REST, "a/1 0 123456 F 16 1" },
		{ "a-1 [000] ..... 1.0: sched_switch: prev=[0] x ==> y", "" },
		{ "a-1 [000] ..... 1.0: __alloc_pages <-alloc", "" },
		{ "CPU:1 [LOST 123 EVENTS]", "/0 1 0 lost 123" },
		{ "CPU:0 [LOST EVENTS]", "/0 0 0 lost 0" },
		{ "CPU:3 [5708 EVENTS DROPPED]", "/0 3 0 lost 5708" },
		{ "CPU:3 [EVENTS DROPPED]", "/0 3 0 lost 0" },
		{ "cpus=2", "" },
		{ "CPU 1 is empty", "" },
		{ "# tracer: nop", "" },
		{ "# entries-in-buffer/entries-written: 279/3119   #P:2",
		  "/0 0 0 lost 2840" },
		{ "# entries-in-buffer/entries-written: 155/155   #P:2", "" },
	};

	(void)state;
	run_rows(rows, ARRAY_SIZE(rows), TRACE_FORMAT_FTRACE);
}

static void test_import__bpftrace(void **state)
{
	/* Each kind; the name is the rest of the line. */
	static const struct line_row rows[] = {
		{ "1303795153387 1 42 A 16 0 1 0x140dca my prog",
		  "my prog/42 1 1303795153387 A 16 0 1 0x140dca" },
		{ "5 1 42 A 18446744073709551615 0 1 0x140dca x",
		  "x/42 1 5 A none 0 1 0x140dca" },
		{ "5 1 42 A -1 0 1 0x140dca x", "x/42 1 5 A none 0 1 "
		  "0x140dca" },
		{ "5 1 42 A 0 0 1 3264 x", "x/42 1 5 A none 0 1 0xcc0" },
		{ "5 0 0 F 0x10 1 swapper/0", "swapper/0/0 0 5 F 16 1" },
		{ "5 0 7 B 9 a b  c", "a b  c/7 0 5 B 9 0" },
		{ "5 0 7 Z 16 0 0 1 a", "a/7 0 5 Z 16 0 0 1" },
		{ "5 0 7 D 16 2 1 a", "a/7 0 5 D 16 2 1" },
		{ "5 0 7 X 17 0 9 0 1 1 a", "a/7 0 5 X 17 0 9 0 1 1" },
		{ "5 0 7 F 16 1", "/7 0 5 F 16 1" },
		{ "Lost 17 events", "/0 0 0 lost 17" },
		{ "Attaching 7 probes...", "" },
		{ "# a comment", "" },
		{ "", "" },
	};

	(void)state;
	run_rows(rows, ARRAY_SIZE(rows), TRACE_FORMAT_BPFTRACE);
}

struct bad_row {
	enum trace_format format;
	const char *line;
	const char *message;   /* behind the name of the file */
};

static void run_bad_row(const struct bad_row *row)
{
	const struct trace_options o = { .format = row->format };
	char path[TEST_PATH_MAX], text[512];
	struct imported im;

	snprintf(text, sizeof(text), "\n%s\n", row->line);
	file_write_text(path, text);
	import_file(&im, path, &o);
	if (im.wrong != 1 || im.end || im.stats.events ||
	    strcmp(file_message(im.diag.last, path), row->message))
		fail_msg("%s\ngives: %u wrong, %d, %s", row->line, im.wrong,
			 im.end, file_message(im.diag.last, path));
	file_remove(path);
}

#define P "x 9 [000] 1.0: kmem:"

static void test_import__mistakes_name_line_and_column(void **state)
{
	static const struct bad_row rows[] = {
		{ TRACE_FORMAT_PERF, "x 9 [000",
		  ":2:1: error: \"x 9 [000\" is no event; COMM TID [CPU] "
		  "SEC.FRACTION: EVENT: ... is expected" },
		{ TRACE_FORMAT_PERF, "x 9 1.0: kmem:mm_page_free: pfn=1",
		  ":2:1: error: \"x 9 1.0: kmem:mm_page_free: pfn=1\" is no "
		  "event; COMM TID [CPU] SEC.FRACTION: EVENT: ... is "
		  "expected" },
		{ TRACE_FORMAT_PERF, "x 9 [1024] 1.0: kmem:mm_page_free: "
		  "pfn=1 order=0",
		  ":2:6: error: the CPU is 1024; allowed is a number from 0 "
		  "to 1023" },
		{ TRACE_FORMAT_PERF, P "mm_page_free: pfn=0x10",
		  ":2:43: error: order= is missing" },
		{ TRACE_FORMAT_PERF, P "mm_page_free: pfn=0x1g order=0",
		  ":2:39: error: pfn is \"0x1g\"; allowed is a number "
		  "(decimal or 0x...)" },
		{ TRACE_FORMAT_PERF, P "mm_page_free: pfn= order=0",
		  ":2:39: error: pfn is \"\"; allowed is a number (decimal "
		  "or 0x...)" },
		{ TRACE_FORMAT_PERF, P "mm_page_free: pfn=1073741824 order=0",
		  ":2:39: error: PFN is 1073741824; allowed is a number from "
		  "0 to 1073741823" },
		{ TRACE_FORMAT_PERF, P "mm_page_free: pfn=-1 order=0",
		  ":2:39: error: PFN is 18446744073709551615; allowed is a "
		  "number from 0 to 1073741823" },
		{ TRACE_FORMAT_PERF, P "mm_page_free: pfn=4 order=11",
		  ":2:47: error: order is \"11\"; allowed is a number from 0 "
		  "to 10" },
		{ TRACE_FORMAT_PERF, P "mm_page_free: pfn=5 order=1",
		  ":2:47: error: PFN 0x5 is not a multiple of 2, the size of "
		  "a block of order 1" },
		{ TRACE_FORMAT_PERF, P "mm_page_free: pfn=4 order=1 pfn=4",
		  ":2:53: error: pfn stands here twice" },
		{ TRACE_FORMAT_PERF,
		  P "mm_page_pcpu_drain: pfn=4 order=0 migratetype=6",
		  ":2:67: error: migratetype is \"6\"; allowed is a number "
		  "from 0 to 5" },
		{ TRACE_FORMAT_FTRACE, "cut-1 [000] ....",
		  ":2:1: error: \"cut-1 [000] ....\" is no event; COMM-PID "
		  "[CPU] FLAGS SEC.USEC: EVENT: ... is expected" },
		{ TRACE_FORMAT_FTRACE, "a-1 [000] .... 1.0000000001: f: x",
		  ":2:1: error: \"a-1 [000] .... 1.0000000001: f: x\" is no "
		  "event; COMM-PID [CPU] FLAGS SEC.USEC: EVENT: ... is "
		  "expected" },
		{ TRACE_FORMAT_BPFTRACE, "5 0 7 Q 1 2 3",
		  ":2:7: error: \"Q 1 2 3\" is no kind; A F B Z D and X are "
		  "allowed" },
		{ TRACE_FORMAT_BPFTRACE, "5 0 7 F 16",
		  ":2:11: error: the line ends where the order is expected" },
		{ TRACE_FORMAT_BPFTRACE, "5 1024 7 F 16 1",
		  ":2:3: error: the CPU is \"1024\"; allowed is a number "
		  "(decimal or 0x...) from 0 to 1023" },
		{ TRACE_FORMAT_BPFTRACE, "5 0 7 F sixteen 1 x",
		  ":2:9: error: the PFN is \"sixteen\"; allowed is a number "
		  "(decimal or 0x...) from 0 to 18446744073709551615" },
		{ TRACE_FORMAT_BPFTRACE, "hello",
		  ":2:1: error: \"hello\" is no event; NS CPU PID KIND ... "
		  "is expected" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		run_bad_row(&rows[i]);
}

static void test_import__a_wrong_line_is_no_end(void **state)
{
	/* Both mistakes are reported, and what is around them is read. */
	struct imported im;

	(void)state;
	import_text(&im, "x 9 [000] 1.0: " PERF_REST "\nbroken\n"
		    "x 9 [000] 2.0: kmem:mm_page_free: pfn=1\n"
		    "x 9 [000] 3.0: " PERF_REST "\n", NULL);
	assert_string_equal(im.text, "x/9 0 1000000000 F 16 1\n"
			    "x/9 0 3000000000 F 16 1\n");
	assert_int_equal(im.wrong, 2);
	assert_int_equal(im.diag.nr_errors, 2);
	assert_int_equal(im.end, 0);
	assert_int_equal(im.stats.lines, 4);
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(test_import__perf_script),
	cmocka_unit_test(test_import__ftrace_and_trace_cmd),
	cmocka_unit_test(test_import__bpftrace),
	cmocka_unit_test(test_import__mistakes_name_line_and_column),
	cmocka_unit_test(test_import__a_wrong_line_is_no_end),
};

TEST_MAIN(cases)
