/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Traces as the tools really printed them (tests/data/formats), told apart by
 * their content, counted, and the same whichever way they were printed.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tests/test.h"
#include "tests/trace/files.h"
#include "tests/trace/import.h"

#define FORMATS TEST_DATA_DIR "/formats/"

static void read_sample(struct imported *im, const char *name)
{
	char path[512];

	snprintf(path, sizeof(path), FORMATS "%s", name);
	import_file(im, path, NULL);
	if (im->wrong || im->end)
		fail_msg("%s: %s", name, im->diag.last);
}

static void test_source__samples_are_told_apart_and_counted(void **state)
{
	/* Every event of every sample is read; losses are found. */
	static const struct {
		const char *name;
		enum trace_format format;
		uint64_t events, lost, markers, by_kind[4];
		uint32_t nr_cpus;
	} rows[] = {
#define ROW(f, s, n, l, m, c, ...) \
	{ s, TRACE_FORMAT_##f, n, l, m, { __VA_ARGS__ }, c }
		/* alloc, free, zone locked, drain */
		ROW(PERF, "perf-default.txt", 99, 0, 0, 2, 62, 20, 0, 0),
		ROW(PERF, "perf-ns.txt", 99, 0, 0, 2, 62, 20, 0, 0),
		ROW(PERF, "perf-fields.txt", 99, 0, 0, 2, 62, 20, 0, 0),
		ROW(PERF, "perf-allcpus.txt", 277, 0, 0, 2, 93, 97, 0, 0),
		ROW(PERF, "perf-lost.txt", 400, 2412, 2, 2, 380, 18, 0, 0),
		ROW(PERF, "perf-drain.txt", 262, 0, 0, 2, 78, 44, 63, 34),
		ROW(PERF, "perf-extfrag.txt", 81, 0, 0, 2, 0, 0, 80, 0),
		ROW(FTRACE, "ftrace.txt", 155, 0, 0, 2, 91, 35, 0, 0),
		ROW(FTRACE, "ftrace-tgid.txt", 274, 0, 0, 2, 87, 33, 126, 0),
		ROW(FTRACE, "ftrace-noirq.txt", 241, 0, 0, 2, 84, 116, 0, 0),
		ROW(FTRACE, "ftrace-overrun.txt", 280, 2840, 1, 2, 21, 131, 0,
		    0),
		ROW(FTRACE, "ftrace-pipe-lost.txt", 500, 2669, 1, 2, 9, 239, 0,
		    0),
		ROW(FTRACE, "ftrace-drain.txt", 282, 0, 0, 1, 78, 3, 63, 121),
		ROW(FTRACE, "ftrace-extfrag.txt", 81, 0, 0, 2, 0, 0, 80, 0),
		ROW(FTRACE, "trace-cmd.txt", 136, 0, 0, 2, 71, 35, 0, 0),
		ROW(FTRACE, "trace-cmd-ns.txt", 136, 0, 0, 2, 71, 35, 0, 0),
		ROW(FTRACE, "trace-cmd-latency.txt", 136, 0, 0, 2, 71, 35, 0,
		    0),
		ROW(FTRACE, "trace-cmd-lost.txt", 488, 5708, 1, 2, 3, 245, 0,
		    0),
		ROW(FTRACE, "trace-cmd-instance.txt", 120, 0, 0, 1, 74, 28, 0,
		    0),
		ROW(BPFTRACE, "bpftrace.txt", 132, 0, 0, 1, 67, 35, 0, 0),
		ROW(BPFTRACE, "bpftrace-lost.txt", 418, 1358, 3, 2, 295, 57,
		    38, 0),
		ROW(BPFTRACE, "bpftrace-drain.txt", 282, 0, 0, 2, 98, 0, 63,
		    121),
#undef ROW
	};
	static struct imported im;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const char *name = rows[i].name;
		const struct trace_stats *st = &im.stats;

		read_sample(&im, name);
		assert_string_equal(trace_format_name(im.format),
				    trace_format_name(rows[i].format));
		ASSERT_U64(name, st->events, rows[i].events);
		ASSERT_U64(name, st->lost, rows[i].lost);
		ASSERT_U64(name, st->lost_markers, rows[i].markers);
		ASSERT_U64(name, st->nr_cpus, rows[i].nr_cpus);
		ASSERT_U64(name, st->by_kind[TRACE_ALLOC], rows[i].by_kind[0]);
		ASSERT_U64(name, st->by_kind[TRACE_FREE], rows[i].by_kind[1]);
		ASSERT_U64(name, st->by_kind[TRACE_ZONE_LOCKED],
			   rows[i].by_kind[2]);
		ASSERT_U64(name, st->by_kind[TRACE_PCPU_DRAIN],
			   rows[i].by_kind[3]);
		ASSERT_U64(name, st->unknown_gfp, 0);
		ASSERT_U64(name, st->failed_allocs, 0);
		ASSERT_U64(name, st->other_lines, 0);
	}
}

/* Cut every time to microseconds: "NAME/PID CPU NS000 ...". */
static void cut_times(char *text)
{
	for (char *line = text; *line; line = strchr(line, '\n') + 1) {
		char *slash = line, *next;

		while ((next = strchr(slash + 1, '/')) != NULL &&
		       next < strchr(line, '\n'))
			slash = next;
		next = strchr(strchr(slash, ' ') + 1, ' ') + 1;
		next += strcspn(next, " ");
		memcpy(next - 3, "000", 3);
	}
}

static void test_source__one_recording_printed_in_many_ways(void **state)
{
	/* The same events come out, but for the digits that were cut. */
	static const struct {
		const char *a, *b;
	} rows[] = {
		{ "perf-default.txt", "perf-fields.txt" },
		{ "perf-default.txt", "perf-ns.txt" },
		{ "trace-cmd.txt", "trace-cmd-ns.txt" },
	};
	static struct imported a, b;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		read_sample(&a, rows[i].a);
		read_sample(&b, rows[i].b);
		/* trace-cmd rounds where perf cuts; the pages decide. */
		cut_times(a.text);
		cut_times(b.text);
		if (i < 2)
			assert_string_equal(a.text, b.text);
		ASSERT_U64(rows[i].a, a.stats.end_pfn, b.stats.end_pfn);
		ASSERT_U64(rows[i].a, a.stats.nr_tasks, b.stats.nr_tasks);
		ASSERT_U64(rows[i].a, a.stats.events, b.stats.events);
	}
}

static void test_source__names_that_are_hard_to_read(void **state)
{
	/* Blanks, brackets and colons in names, in each of the formats. */
	static const char *const rows[] = {
		"perf-default.txt", "perf-fields.txt", "ftrace.txt",
		"ftrace-tgid.txt", "ftrace-noirq.txt", "trace-cmd.txt",
		"trace-cmd-instance.txt", "bpftrace.txt",
	};
	static struct imported im;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		read_sample(&im, rows[i]);
		if (!strstr(im.text, "\nmy prog 1/") &&
		    strncmp(im.text, "my prog 1/", 10))
			fail_msg("%s: no task \"my prog 1\"", rows[i]);
		if (!strstr(im.text, "\nkid-2 [x] 3: y/"))
			fail_msg("%s: no task \"kid-2 [x] 3: y\"", rows[i]);
	}
}

/* Has this build libtracecmd? */
static bool can_read_dat(void)
{
	struct diag d = { 0 };
	struct trace_source *s;
	const int err = trace_open(&s, FORMATS "trace.dat", NULL, &d);

	trace_close(s);
	if (err && err != -EOPNOTSUPP)
		fail_msg("%s", d.last);
	return !err;
}

static void test_source__trace_dat_equals_its_report(void **state)
{
	/* What trace-cmd prints of the file is what is read from it; the
	 * report of the second has microseconds. */
	static struct imported dat, text;

	(void)state;
	if (!can_read_dat())
		skip();
	read_sample(&dat, "trace.dat");
	read_sample(&text, "trace-cmd-ns.txt");
	assert_string_equal(dat.text, text.text);
	assert_string_equal(trace_format_name(dat.format), "trace.dat");
	read_sample(&dat, "trace-lost.dat");
	read_sample(&text, "trace-cmd-lost.txt");
	ASSERT_U64("lost", dat.stats.lost, text.stats.lost);
	ASSERT_U64("lost", dat.stats.lost_markers, text.stats.lost_markers);
	ASSERT_U64("lost", dat.stats.events, text.stats.events);
	ASSERT_U64("lost", dat.stats.end_pfn, text.stats.end_pfn);
}

static void test_source__a_damaged_trace_dat_is_refused(void **state)
{
	/* Cut in its headers, and nothing but the magic. */
	static const size_t sizes[] = { 10, 11, 64, 3000 };
	static uint8_t data[4096];
	FILE *f = fopen(FORMATS "trace.dat", "r");

	(void)state;
	assert_non_null(f);
	assert_int_equal(fread(data, 1, sizeof(data), f), sizeof(data));
	fclose(f);
	if (!can_read_dat())
		skip();
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		struct diag d = { 0 };
		char path[TEST_PATH_MAX];
		struct trace_source *s;

		file_write(path, data, sizes[i]);
		assert_int_equal(trace_open(&s, path, NULL, &d), -EBADMSG);
		assert_null(s);
		assert_int_equal(d.nr_errors, 1);
		file_remove(path);
	}
}

static void test_source__a_trace_dat_that_breaks_its_library(void **state)
{
	/* One byte of an event's description: libtraceevent 1.7.1 dies of it,
	 * this process does not. Another release may read the file. */
	static uint8_t data[1 << 18];
	FILE *f = fopen(FORMATS "trace.dat", "r");
	char path[TEST_PATH_MAX];
	struct trace_source *s;
	struct diag d = { 0 };
	size_t size;
	int err;

	(void)state;
	assert_non_null(f);
	size = fread(data, 1, sizeof(data), f);
	fclose(f);
	if (!can_read_dat())
		skip();
	assert_true(size > 69440 && data[69439] == 0146);
	data[69439] = 044;
	file_write(path, data, size);
	err = trace_open(&s, path, NULL, &d);
	assert_true(!err || err == -EBADMSG);
	assert_int_equal(d.nr_errors, err ? 1 : 0);
	trace_close(s);
	file_remove(path);
}

static void test_source__what_decides_the_format(void **state)
{
	/* The first line that any format knows, whatever stands before. */
	static const struct {
		const char *text;
		enum trace_format format;
		const char *kernel;
	} rows[] = {
		{ "A 0 0 0xcc0 0 12\n", TRACE_FORMAT_REQUEST, "" },
		{ "# note\n\nT tail 12\nF 0 0 12\n", TRACE_FORMAT_REQUEST,
		  "" },
		{ "# buddylab bpftrace 1 kernel=6.1\n", TRACE_FORMAT_BPFTRACE,
		  "6.1" },
		{ "Attaching 7 probes...\n# buddylab bpftrace 1 "
		  "kernel=6.18.44\n",
		  TRACE_FORMAT_BPFTRACE, "6.18" },
		{ "# buddylab bpftrace 1 kernel=6.2.1\n", TRACE_FORMAT_BPFTRACE,
		  "" },
		{ "5 0 7 F 16 1 x\n", TRACE_FORMAT_BPFTRACE, "" },
		{ "# ========\n# os release : 5.10.0-28-amd64\n# arch : "
		  "x86_64\n"
		  "x 9 [000] 1.0: f: a\n", TRACE_FORMAT_PERF, "5.10" },
		{ "# os release : 6.12.0\nx 9 [000] 1.0: f: a\n",
		  TRACE_FORMAT_PERF, "6.12.0" },
		{ "# os release : 6.12.0-rc7-amd64\nx 9 [000] 1.0: f: a\n",
		  TRACE_FORMAT_PERF, "6.12.0" },
		{ "# os release : 6.12.48+deb13-amd64\nx 9 [000] 1.0: f: a\n",
		  TRACE_FORMAT_PERF, "6.12" },
		{ "x-9 [000] d.. 1.0: f: a\n", TRACE_FORMAT_RECORDER, "" },
		{ "x-9 [000] d..1 1.0: f: a\n", TRACE_FORMAT_FTRACE, "" },
		{ "x-9 [000] 1.0: f: a\n", TRACE_FORMAT_FTRACE, "" },
		{ "cpus=4\n", TRACE_FORMAT_FTRACE, "" },
	};
	static struct imported im;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		import_text(&im, rows[i].text, NULL);
		if (im.format != rows[i].format)
			fail_msg("row %zu: %s", i,
				 trace_format_name(im.format));
		assert_string_equal(im.kernel, rows[i].kernel);
	}
}

static void test_source__no_format_is_an_error(void **state)
{
	/* Nothing, something else, and a last line that is cut. */
	static const struct {
		const char *text;
		int err;
		const char *message;
	} rows[] = {
		{ "", -EINVAL, ":1: error: the file is empty" },
		{ "hello\nworld\n", -EINVAL,
		  ":1: error: no line tells the format; known are request "
		  "streams, .blt, trace.dat, and text of perf script, "
		  "ftrace, trace-cmd report, bpftrace and the recorder" },
		{ "x 9 [000] 1.0: f: a", -EINVAL, NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct diag d = { 0 };
		char path[TEST_PATH_MAX];
		struct trace_source *s;

		file_write_text(path, rows[i].text);
		assert_int_equal(trace_open(&s, path, NULL, &d), rows[i].err);
		assert_null(s);
		assert_int_equal(d.nr_errors, 1);
		if (rows[i].message)
			assert_string_equal(file_message(d.last, path),
					    rows[i].message);
		file_remove(path);
	}
}

static void test_source__raw_masks_have_the_bits_of_a_release(void **state)
{
	/* 0x800000 is __GFP_NOLOCKDEP in 5.7 and __GFP_ZEROTAGS in 6.1; what
	 * is asked for goes before what the file says. */
	static const char line[] = "# buddylab bpftrace 1 kernel=5.7\n"
				   "5 0 7 A 16 0 0 0x800cc0 x\n";
	const struct trace_options o = { .kernel = "6.1" };
	static struct imported im;

	(void)state;
	import_text(&im, line, NULL);
	assert_string_equal(im.text, "x/7 0 5 A 16 0 0 0x8000cc0\n");
	import_text(&im, line, &o);
	assert_string_equal(im.text, "x/7 0 5 A 16 0 0 0x800cc0\n");
	assert_int_equal(im.stats.unknown_gfp, 0);
	import_text(&im, "5 0 7 A 16 0 0 0x80000cc0 x\n"
		    "6 0 7 A 17 0 0 0x80000cc0 x\n", NULL);
	assert_int_equal(im.stats.unknown_gfp, 2);
}

static void test_source__statistics(void **state)
{
	/* What is counted beside the events, rule by rule. */
	static struct imported im;

	(void)state;
	import_text(&im,
		    "# tracer: nop\n"
		    "# entries-in-buffer/entries-written: 5/12   #P:4\n"
		    "a-1 [000] ..... 2.0: mm_page_alloc: pfn=0x200 order=9 "
		  "migratetype=1 gfp_flags=GFP_TRANSHUGE|__GFP_NEW\n"
		    "a-1 [000] ..... 3.0: mm_page_alloc: page=(null) pfn=0 "
		  "order=9 migratetype=1 gfp_flags=GFP_TRANSHUGE|__GFP_NEW\n"
		    "CPU:3 [LOST EVENTS]\n"
		    "b-1 [003] ..... 1.5: mm_page_free: pfn=0x10 order=0\n"
		    "b-1 [003] ..... 1.6: sched_switch: x\n"
		    "a-1 [000] ..... 4.0: mm_page_free_batched: pfn=0x10 "
		  "order=0\n",
		    NULL);
	ASSERT_U64("", im.stats.lines, 8);
	ASSERT_U64("", im.stats.events, 6);
	ASSERT_U64("", im.stats.lost, 7);
	ASSERT_U64("", im.stats.lost_markers, 2);
	ASSERT_U64("", im.stats.failed_allocs, 1);
	ASSERT_U64("", im.stats.other_lines, 1);
	ASSERT_U64("", im.stats.backwards, 1);
	ASSERT_U64("", im.stats.unknown_gfp, 2);
	ASSERT_U64("", im.stats.first_ns, UINT64_C(1500000000));
	ASSERT_U64("", im.stats.last_ns, UINT64_C(4000000000));
	ASSERT_U64("", im.stats.nr_cpus, 4);
	ASSERT_U64("", im.stats.nr_tasks, 3);
	ASSERT_U64("", im.stats.end_pfn, 0x400);
}

static void test_source__tasks_beyond_the_table_are_not_told_apart(void **state)
{
	/* One more task than there is room for: one warning, and number 0. */
	const unsigned int nr = 262144;
	size_t size = (size_t)nr * 48, used = 0;
	char *text = malloc(size), path[TEST_PATH_MAX];
	struct trace_source *s;
	struct trace_event e;
	struct diag d = { 0 };

	(void)state;
	assert_non_null(text);
	for (unsigned int i = 1; i <= nr + 1; i++)
		used += (size_t)snprintf(text + used, size - used,
					 "5 0 %u F 16 1 x\n", i);
	file_write(path, text, used);
	free(text);
	assert_int_equal(trace_open(&s, path, NULL, &d), 0);
	for (unsigned int i = 1; i < nr; i++) {
		assert_int_equal(trace_next(s, &e), 1);
		assert_int_equal(e.task, i);
	}
	assert_string_equal(d.last, "");
	assert_int_equal(trace_next(s, &e), 1);
	assert_int_equal(e.task, 0);
	assert_non_null(strstr(d.last, "more than 262143 tasks"));
	assert_int_equal(trace_source_task(s, 77)->pid, 77);
	assert_int_equal(trace_next(s, &e), 1);
	assert_int_equal(d.nr_errors, 0);
	trace_close(s);
	file_remove(path);
}

static void test_source__zstd_is_undone(void **state)
{
	/* Compressed text is the same trace; cut short, it is damaged. */
	static const char text[] = "x 9 [000] 1.0: kmem:mm_page_free: pfn=16 "
	  "order=1\n"
				   "y 8 [001] 2.0: kmem:mm_page_free: pfn=8 "
				  "order=0\n";
	static struct imported im, again;
	struct diag d = { 0 };
	struct trace_source *s;
	char path[TEST_PATH_MAX];

	(void)state;
	import_text(&im, text, NULL);
	file_write_zstd(path, text, 0);
	import_file(&again, path, NULL);
	assert_string_equal(im.text, again.text);
	file_remove(path);
	file_write_zstd(path, text, 2);
	assert_int_equal(trace_open(&s, path, NULL, &d), -EBADMSG);
	assert_int_equal(d.nr_errors, 1);
	file_remove(path);
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(test_source__samples_are_told_apart_and_counted),
	cmocka_unit_test(test_source__one_recording_printed_in_many_ways),
	cmocka_unit_test(test_source__names_that_are_hard_to_read),
	cmocka_unit_test(test_source__trace_dat_equals_its_report),
	cmocka_unit_test(test_source__a_damaged_trace_dat_is_refused),
	cmocka_unit_test(test_source__a_trace_dat_that_breaks_its_library),
	cmocka_unit_test(test_source__what_decides_the_format),
	cmocka_unit_test(test_source__no_format_is_an_error),
	cmocka_unit_test(test_source__raw_masks_have_the_bits_of_a_release),
	cmocka_unit_test(test_source__statistics),
	cmocka_unit_test(test_source__tasks_beyond_the_table_are_not_told_apart),
	cmocka_unit_test(test_source__zstd_is_undone),
};

TEST_MAIN(cases)
