/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a replay does when twin and kernel part: misses, names, skips, forced
 * pages, messages, and the spelling of results.
 */
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "replay/replay.h"
#include "tests/test.h"
#include "tests/trace/files.h"

#define HEAD                                                                  \
	"snap before t=0 cpus=2 tsc_khz=1 pageblock_order=9\n"                \
	"zone 2 Normal start_pfn=0 max_order=11 migratetypes=4\n"             \
	"zval 2 spanned 8192\n"
#define TWO_PAGES                                                             \
	HEAD "pcphdr 2 cpu=0 count=2 high=42 batch=7 free_factor=0\n"         \
	"pcphdr 2 cpu=1 count=0 high=42 batch=7 free_factor=0\n"              \
	"pcp 2 0 1 1027 mt=1\npcp 2 0 1 1029 mt=1\nfree 2 0 1 5000\nend\n"

struct guest {
	char before[TEST_PATH_MAX], stream[TEST_PATH_MAX];
	struct replay_options o;
	struct diag d;
};

static void guest_write(struct guest *g, const char *before, const char *stream)
{
	memset(g, 0, sizeof(*g));
	file_write_text(g->before, before);
	file_write_text(g->stream, stream);
	g->o.before = g->before;
	g->o.stream = g->stream;
}

static void guest_remove(struct guest *g)
{
	file_remove(g->before);
	file_remove(g->stream);
}

static struct replay_result guest_run(struct guest *g)
{
	struct replay_result r = { 0 };

	if (replay_run(&g->o, &g->d, &r))
		fail_msg("%s", g->d.last);
	return r;
}

static void test_replay__a_miss_translates_what_follows(void **state)
{
	/* The kernel took 1029, the twin 1027: 1029 is its name for 1027. */
	static const pfn_t expected[] = { 1027, 1029, 1027, 1029 };
	struct replay_step step;
	struct req_record rec;
	struct replay_result res;
	struct replay *r;
	struct guest g;

	(void)state;
	guest_write(&g, TWO_PAGES,
		    "A 0 0 0x100cca 1 1029\nA 0 0 0x100cca 1 1027\n"
		    "F 0 0 1029\nF 0 0 1027\n");
	assert_int_equal(replay_open(&r, &g.o, &g.d), 0);
	for (size_t i = 0; i < ARRAY_SIZE(expected); i++) {
		assert_int_equal(replay_next(r, &rec), 1);
		replay_apply(r, &rec, &step);
		ASSERT_U64("page", step.pfn, expected[i]);
		assert_true(step.applied);
		assert_int_equal(step.miss, i < 2);
	}
	assert_int_equal(replay_next(r, &rec), 0);
	replay_finish(r, &res);
	ASSERT_U64("misses", res.misses[REPLAY_OTHER_PAGE], 2);
	ASSERT_U64("event", res.first_miss.event, 1);
	assert_false(res.compared);
	replay_close(r);
	guest_remove(&g);
}

static void test_replay__the_first_miss_is_explained(void **state)
{
	/* Where the expected page is, for each place it can be in. */
	static const struct {
		const char *stream, *reason, *lists;
		unsigned int event;
		enum replay_cause cause;
	} rows[] = {
		{ "A 0 0 0x100cca 1 1029\n",
		  "page 1029 is in block 1029, number 1 on the pcp list o0/M of CPU 0",
		  "cpu0 o0/M{1029} count=1 high=42", 1, REPLAY_OTHER_PAGE },
		{ "A 0 0 0x100cca 1 5000\n",
		  "page 5000 is in the free block 5000, number 1 on Normal o0/M",
		  "o0/M[5000]", 1, REPLAY_OTHER_PAGE },
		{ "A 0 0 0x100cca 1 77\n", "page 77 is allocated", "", 1,
		  REPLAY_OTHER_PAGE },
		{ "# comment\nA 0 0 0x100cca 1 1029\nA 0 0 0x100cca 1 -\n",
		  "page 1029 is in block", "", 2, REPLAY_OTHER_PAGE },
		{ "A 0 0 0x100cca 1 -\n", "the kernel failed this request", "",
		  1, REPLAY_NOT_FAILED },
		{ "A 0 9 0x100cca 1 512\n", "page 512 is allocated",
		  "o0/M[5000]", 1, REPLAY_NO_PAGE },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct replay_result r;
		struct guest g;

		guest_write(&g, TWO_PAGES, rows[i].stream);
		r = guest_run(&g);
		ASSERT_U64(rows[i].stream, r.first_miss.event, rows[i].event);
		ASSERT_U64(rows[i].stream, r.first_miss.cause, rows[i].cause);
		if (!strstr(r.first_miss.reason, rows[i].reason))
			fail_msg("%s: %s", rows[i].stream, r.first_miss.reason);
		if (i < 2 && !strstr(r.first_miss.lists, rows[i].lists))
			fail_msg("%s: %s", rows[i].stream, r.first_miss.lists);
		assert_false(replay_exact(&r));
		guest_remove(&g);
	}
}

static void test_replay__a_page_given_away_is_told(void **state)
{
	/* The second miss would find its page under another name. */
	struct replay_result r;
	struct guest g;

	(void)state;
	guest_write(&g, TWO_PAGES,
		    "A 0 0 0x100cca 1 1027\nF 0 0 1027\n"
		    "A 1 0 0x100cca 1 1027\n");
	r = guest_run(&g);
	ASSERT_U64("event", r.first_miss.event, 3);
	ASSERT_U64("predicted", r.predicted, 1);
	guest_remove(&g);
}

static void test_replay__records_of_unknown_pages_are_skipped(void **state)
{
	/* Counted by kind, and the twin stays whole. */
	static const struct {
		const char *stream;
		enum replay_skip skip;
	} rows[] = {
		{ "F 0 0 5000\n", REPLAY_NEVER_HANDED_OUT },
		{ "FB 0 0 1027\n", REPLAY_NEVER_HANDED_OUT },
		{ "F 0 0 77\nF 0 0 77\n", REPLAY_NEVER_HANDED_OUT },
		{ "P 0 0 5000\nC 0 0 5000\n", REPLAY_NEVER_HANDED_OUT },
		{ "R 0 2 9 1 1024\n", REPLAY_NEVER_HANDED_OUT },
		{ "I 0 2 9 1 1024\n", REPLAY_NOT_FREE },
		{ "TF 0 2 0 1 5001\n", REPLAY_NOT_FREE },
		{ "TB 0 2 1 1 5000\n", REPLAY_NOT_FREE },
		{ "D 0 2 1 0 17\n", REPLAY_NO_PAGESET },
		{ "K 0 2 1 1 76 77\nFB 0 0 99\nFB 0 0 101\n",
		  REPLAY_NOT_CAPTURED },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct replay_result r;
		struct guest g;

		guest_write(&g, TWO_PAGES, rows[i].stream);
		r = guest_run(&g);
		for (unsigned int s = 0; s < REPLAY_NR_SKIPS; s++)
			ASSERT_U64(rows[i].stream, r.skipped[s],
				   s == rows[i].skip);
		ASSERT_U64(rows[i].stream, r.allocations, 0);
		guest_remove(&g);
	}
}

static void test_replay__pages_older_than_the_snapshot_name_themselves(
	void **state)
{
	/* A block of order 3 that nobody in the stream allocated. */
	struct replay_result r;
	struct guest g;

	(void)state;
	guest_write(&g, TWO_PAGES,
		    "FB 0 3 2048\nFB 0 3 2056\nA 1 4 0x100cca 1 2048\n");
	r = guest_run(&g);
	assert_true(replay_exact(&r));
	guest_remove(&g);
}

static void test_replay__assisted_takes_the_observed_page(void **state)
{
	/* Out of a larger block, off a pcp list: then all goes on equal. */
	static const char stream[] =
		"A 0 0 0x100cca 1 2053\n"  /* inside the free block 2048 */
		"F 0 0 2053\n"
		"A 0 0 0x100cca 1 2053\n"  /* last in, first out */
		"A 1 0 0x100cca 1 1029\n"; /* on the list of CPU 0 */
	struct replay_result r;
	struct guest g;

	(void)state;
	guest_write(&g, HEAD
		    "pcphdr 2 cpu=0 count=2 high=42 batch=7 free_factor=0\n"
		    "pcphdr 2 cpu=1 count=0 high=42 batch=7 free_factor=0\n"
		    "pcp 2 0 1 1027 mt=1\npcp 2 0 1 1029 mt=1\n"
		    "free 2 3 1 2048\nend\n", stream);
	g.o.mode = REPLAY_ASSISTED;
	r = guest_run(&g);
	ASSERT_U64("forced", r.forced, 2);
	ASSERT_U64("predicted", r.predicted, 1);
	guest_remove(&g);
}

static void test_replay__assisted_leaves_a_block_in_use(void **state)
{
	/* The twin has page 2050 in use: it cannot give all of 2048 away. */
	static const char stream[] =
		"A 0 0 0x100cca 1 2050\n"
		"A 1 3 0x100cca 1 2048\n" /* answered with 4096 */
		"F 1 3 2048\n";
	struct replay_result r;
	struct guest g;

	(void)state;
	guest_write(&g, HEAD
		    "pcphdr 2 cpu=0 count=0 high=42 batch=7 free_factor=0\n"
		    "pcphdr 2 cpu=1 count=0 high=42 batch=7 free_factor=0\n"
		    "free 2 3 1 1024\nfree 2 3 1 2048\nfree 2 3 1 4096\n"
		    "end\n", stream);
	g.o.mode = REPLAY_ASSISTED;
	r = guest_run(&g);
	ASSERT_U64("missed", r.misses[REPLAY_OTHER_PAGE], 2);
	ASSERT_U64("forced", r.forced, 1);
	for (unsigned int s = 0; s < REPLAY_NR_SKIPS; s++)
		ASSERT_U64("skipped", r.skipped[s], 0);
	guest_remove(&g);
}

static void test_replay__limit_stops_the_stream(void **state)
{
	/* Two of four records. */
	struct replay_result r;
	struct guest g;

	(void)state;
	guest_write(&g, TWO_PAGES,
		    "F 0 0 10\nF 0 0 12\nF 0 0 14\nF 0 0 16\n");
	g.o.limit = 2;
	r = guest_run(&g);
	ASSERT_U64("events", r.events, 2);
	guest_remove(&g);
}

static void test_replay__bad_input_is_an_error_not_a_result(void **state)
{
	/* Each with the errno that tells usage from broken files. */
	static const struct {
		const char *row, *before, *stream, *kernel, *message;
		int error;
		unsigned int errors;
	} rows[] = {
		{ "kernel", TWO_PAGES, "F 0 0 5\n", "6.2",
		  "unknown kernel \"6.2\"", EINVAL, 1 },
		{ "two lines", TWO_PAGES, "F 0 0 x\nF 0 0 5\nF 9 0 5\n", NULL,
		  ":3:3: error: the CPU is \"9\"", EINVAL, 2 },
		{ "zone", TWO_PAGES, "W 1 1\n", NULL,
		  "zone 1 is not in the snapshot", EINVAL, 1 },
		{ "cut", TWO_PAGES, "F 0 0 1\nF 0 0 5", NULL, "cut short",
		  EBADMSG, 1 },
		{ "snapshot", HEAD, "", NULL, "the end record is missing",
		  EBADMSG, 1 },
		{ "lists", HEAD "pcp 2 0 13 1024 mt=1\nend\n", "F 0 0 5\n",
		  "5.7", "per-CPU lists that kernel 5.7 has not", EINVAL, 1 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct replay_result r;
		struct guest g;

		guest_write(&g, rows[i].before, rows[i].stream);
		g.o.kernel = rows[i].kernel;
		ASSERT_U64(rows[i].row, -replay_run(&g.o, &g.d, &r),
			   rows[i].error);
		if (!strstr(g.d.last, rows[i].message))
			fail_msg("%s: %s", rows[i].row, g.d.last);
		ASSERT_U64(rows[i].row, g.d.nr_errors, rows[i].errors);
		guest_remove(&g);
	}
}

static void test_replay__after_has_to_be_of_the_same_guest(void **state)
{
	/* A snapshot with another number of CPUs. */
	struct replay_result r;
	struct guest g;
	char after[TEST_PATH_MAX];

	(void)state;
	guest_write(&g, TWO_PAGES, "");
	file_write_text(after,
			"snap after t=0 cpus=1 tsc_khz=1 pageblock_order=9\n"
			"zone 2 Normal start_pfn=0 max_order=11 migratetypes=4\n"
			"zval 2 spanned 8192\nend\n");
	g.o.after = after;
	assert_int_equal(replay_run(&g.o, &g.d, &r), -EINVAL);
	if (!strstr(g.d.last, "not of the guest of"))
		fail_msg("%s", g.d.last);
	file_remove(after);
	guest_remove(&g);
}

static void test_replay__shuffle_needs_its_coins(void **state)
{
	/* Without them the first order-10 block of the tail is missed. */
	const struct replay_options o = {
		.stream = TEST_DATA_DIR
			"/traces/page_fault1-thp-shuffle/req.txt.zst",
		.before = TEST_DATA_DIR
			"/traces/page_fault1-thp-shuffle/before.snap.zst",
		.after = TEST_DATA_DIR
			"/traces/page_fault1-thp-shuffle/after.snap.zst",
	};
	struct replay_result r = { 0 };
	struct diag d = { 0 };

	(void)state;
	assert_int_equal(replay_run(&o, &d, &r), 0);
	ASSERT_U64("event", r.first_miss.event, 350);
	ASSERT_U64("expected", r.first_miss.expected, 222208);
	ASSERT_U64("cause", r.first_miss.cause, REPLAY_OTHER_PAGE);
	assert_true(r.lists_differing > 0);
	assert_true(strstr(r.first_list, "DMA32 o10/M differs") != NULL);
	assert_false(replay_exact(&r));
	/* With the kernel's pages forced, so many placements were guessed. */
	{
		struct replay_options assisted = o;
		struct replay_result f = { 0 };

		assisted.mode = REPLAY_ASSISTED;
		assert_int_equal(replay_run(&assisted, &d, &f), 0);
		ASSERT_U64("misses", f.allocations - f.predicted, 756);
		ASSERT_U64("forced", f.forced, 756);
	}
}

static void test_replay__zone_hint_overrules_a_close_watermark(void **state)
{
	/* Eight pages are not above a low mark of eight: the twin goes on to
	 * DMA32, where a kernel whose counter lagged stayed in Normal. */
	static const char before[] =
		"snap before t=0 cpus=1 tsc_khz=1 pageblock_order=9\n"
		"zone 1 DMA32 start_pfn=0 max_order=11 migratetypes=4\n"
		"zval 1 spanned 4096\n"
		"pcphdr 1 cpu=0 count=0 high=4 batch=1 free_factor=0\n"
		"free 1 9 1 1024\n"
		"zone 2 Normal start_pfn=4096 max_order=11 migratetypes=4\n"
		"zval 2 spanned 4096\nzval 2 wmark_low 8\n"
		"pcphdr 2 cpu=0 count=0 high=4 batch=1 free_factor=0\n"
		"free 2 3 1 5000\nend\n";
	static const struct {
		unsigned int hints;
		uint64_t used, other_zone;
	} rows[] = {
		{ 0, 0, 1 },
		{ REPLAY_HINT_ZONE, 1, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct replay_result r;
		struct guest g;

		guest_write(&g, before, "A 0 0 0x100cca 1 5000\n");
		g.o.hints = rows[i].hints;
		r = guest_run(&g);
		ASSERT_U64("used", r.hints_used[2], rows[i].used);
		ASSERT_U64("other zone", r.misses[REPLAY_OTHER_ZONE],
			   rows[i].other_zone);
		ASSERT_U64("predicted", r.predicted, 1 - rows[i].other_zone);
		guest_remove(&g);
	}
}

static void test_replay__satisfied_requests_pass_the_min_mark(void **state)
{
	/* What the kernel gave below MIN, a reclaiming task asked for; what it
	 * refused there, the twin refuses, too. */
	static const char before[] =
		HEAD "zval 2 wmark_min 100\nzval 2 wmark_low 200\n"
		"pcphdr 2 cpu=0 count=0 high=4 batch=1 free_factor=0\n"
		"free 2 3 1 2048\nend\n";
	struct replay_result r;
	struct guest g;

	(void)state;
	guest_write(&g, before,
		    "A 0 0 0x100cca 1 -\nA 0 0 0x800 0 -\n"
		    "A 0 0 0x100cca 1 2048\nA 0 1 0xcc0 0 2050\n");
	r = guest_run(&g);
	if (!replay_exact(&r))
		fail_msg("event %u: expected %u, got %u; %s",
			 r.first_miss.event, r.first_miss.expected,
			 r.first_miss.got, r.first_miss.reason);
	guest_remove(&g);
}

static json_t *print_and_load(const struct replay_result *r)
{
	char text[8192];
	FILE *out = fmemopen(text, sizeof(text), "w");
	json_t *o;

	assert_non_null(out);
	assert_int_equal(replay_print_json(r, out), 0);
	fclose(out);
	o = json_loads(text, 0, NULL);
	assert_non_null(o);
	return o;
}

static void test_replay__json_has_the_documented_keys(void **state)
{
	/* A run with a miss and without AFTER, then an empty equal one. */
	static const char *const numbers[] = {
		"events", "allocations", "predicted", "reports",
		"reports_matched", "forced",
	};
	struct replay_result r;
	struct guest g;
	json_t *o, *miss;

	(void)state;
	guest_write(&g, TWO_PAGES, "A 0 0 0x100cca 1 1029\nF 0 0 5000\n");
	r = guest_run(&g);
	r.wall_ns = 1500000000;
	o = print_and_load(&r);
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
		assert_true(json_is_integer(json_object_get(o, numbers[i])));
	miss = json_object_get(o, "first_miss");
	assert_int_equal(json_integer_value(json_object_get(miss, "event")), 1);
	assert_int_equal(json_integer_value(json_object_get(miss, "expected")),
			 1029);
	assert_int_equal(json_integer_value(json_object_get(miss, "got")),
			 1027);
	assert_true(json_is_string(json_object_get(miss, "reason")));
	assert_int_equal(json_integer_value(json_object_get(
		json_object_get(o, "misses"), "other_page")), 1);
	assert_int_equal(json_integer_value(json_object_get(
		json_object_get(o, "skipped"), "never_handed_out")), 1);
	assert_int_equal(json_object_size(json_object_get(o, "hints_used")),
			 0);
	assert_true(json_is_null(json_object_get(o, "lists")));
	assert_true(json_is_null(json_object_get(o, "lists_differing")));
	assert_true(json_is_null(json_object_get(o, "pageblocks_differing")));
	assert_true(json_real_value(json_object_get(o, "wall_s")) == 1.5);
	json_decref(o);
	memset(&r, 0, sizeof(r));
	r.compared = true;
	r.lists = 3;
	o = print_and_load(&r);
	assert_true(json_is_null(json_object_get(o, "first_miss")));
	assert_int_equal(json_integer_value(json_object_get(o, "lists")), 3);
	json_decref(o);
	guest_remove(&g);
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(test_replay__a_miss_translates_what_follows),
	cmocka_unit_test(test_replay__the_first_miss_is_explained),
	cmocka_unit_test(test_replay__a_page_given_away_is_told),
	cmocka_unit_test(test_replay__records_of_unknown_pages_are_skipped),
	cmocka_unit_test(
		test_replay__pages_older_than_the_snapshot_name_themselves),
	cmocka_unit_test(test_replay__assisted_takes_the_observed_page),
		cmocka_unit_test(test_replay__assisted_leaves_a_block_in_use),
	cmocka_unit_test(test_replay__limit_stops_the_stream),
	cmocka_unit_test(test_replay__bad_input_is_an_error_not_a_result),
	cmocka_unit_test(test_replay__after_has_to_be_of_the_same_guest),
	cmocka_unit_test(test_replay__shuffle_needs_its_coins),
	cmocka_unit_test(
		test_replay__zone_hint_overrules_a_close_watermark),
	cmocka_unit_test(test_replay__satisfied_requests_pass_the_min_mark),
	cmocka_unit_test(test_replay__json_has_the_documented_keys),
};

TEST_MAIN(cases)
