/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Streams of calls: what becomes of trace events, the alignment against a
 * plain table of all prefixes, and which page a free is compared by.
 */
#include <stdlib.h>
#include <string.h>

#include "alloc/alloc.h"
#include "include/rng.h"
#include "replay/stream_internal.h"
#include "tests/test.h"

static void test_stream__classes_by_order_type_and_gfp(void **state)
{
	static const struct {
		unsigned int order, mt;
		uint32_t gfp;
		enum stream_class cls;
	} rows[] = {
		{ 9, MIGRATE_MOVABLE, 0x1c24ca, STREAM_HUGE },
		{ 9, MIGRATE_MOVABLE, 0x3d24ca, STREAM_HUGE },
		{ 0, MIGRATE_MOVABLE, 0x100dca, STREAM_ANON },
		{ 0, MIGRATE_MOVABLE, 0x140dca, STREAM_ANON },
		{ 0, MIGRATE_MOVABLE, 0x140cca, STREAM_COPY },
		{ 0, MIGRATE_MOVABLE, 0x152cca, STREAM_CACHE },
		{ 0, MIGRATE_MOVABLE, 0x101cca, STREAM_CACHE },
		{ 0, MIGRATE_UNMOVABLE, 0x400dc0, STREAM_TABLE },
		{ 1, MIGRATE_UNMOVABLE, 0x440dc0, STREAM_TABLE },
		{ 2, MIGRATE_UNMOVABLE, 0x400dc0, STREAM_KERNEL },
		{ 0, MIGRATE_UNMOVABLE, 0x2800, STREAM_GATHER },
		{ 0, MIGRATE_UNMOVABLE, 0x12cc0, STREAM_SLAB },
		{ 0, MIGRATE_RECLAIMABLE, 0x12cd0, STREAM_MOVABLE },
		{ 0, MIGRATE_MOVABLE, 0xcca, STREAM_MOVABLE },
		{ 0, MIGRATE_UNMOVABLE, 0xcc0, STREAM_KERNEL },
	};

	(void)state;
	for (unsigned int i = 0; i < ARRAY_SIZE(rows); i++)
		ASSERT_U64(test_row(i), stream_classify(rows[i].order,
							rows[i].mt,
							rows[i].gfp),
			   rows[i].cls);
}

static void put(struct stream *s, uint8_t kind, pfn_t pfn, uint32_t gfp,
		bool mine)
{
	const struct trace_event e = {
		.kind = kind,
		.u.kmem = { .pfn = pfn, .gfp = gfp,
			    .mt = gfp & GFP_BIT_MOVABLE ? MIGRATE_MOVABLE :
							  MIGRATE_UNMOVABLE },
	};

	assert_int_equal(stream_put(s, &e, mine), 0);
}

static void got(struct stream *s, pfn_t pfn)
{
	put(s, TRACE_ALLOC, pfn, GFP_ANON_FAULT, true);
}

static void table(struct stream *s, pfn_t pfn)
{
	put(s, TRACE_ALLOC, pfn, GFP_PAGE_TABLE, true);
}

static void gone(struct stream *s, pfn_t pfn)
{
	put(s, TRACE_FREE, pfn, 0, true);
}

/* A page is known by its last allocation, whoever made it. */
static void test_stream__frees_name_their_allocation(void **state)
{
	struct stream s;

	(void)state;
	assert_int_equal(stream_init(&s), 0);
	got(&s, 7);                                        /* 0 */
	put(&s, TRACE_ALLOC, 8, GFP_PAGE_TABLE, false);
	gone(&s, 8);                                       /* 1: elsewhere */
	gone(&s, 9);                                       /* 2: before */
	put(&s, TRACE_FREE_BATCHED, 7, 0, true);
	gone(&s, 7);                                       /* 3: of 0 */
	got(&s, 7);                                        /* 4 */
	put(&s, TRACE_FREE, 7, 0, false);
	gone(&s, 7);                                       /* 5: not ours now */
	put(&s, TRACE_ALLOC, PFN_NONE, GFP_ANON_FAULT, true); /* 6 */
	ASSERT_U64("calls", s.nr, 7);
	ASSERT_U64("free of 0", s.calls[3].other, 0);
	ASSERT_U64("class", s.calls[3].cls, STREAM_ANON);
	ASSERT_U64("freed by", s.calls[0].other, 3);
	ASSERT_U64("another's", s.calls[1].cls, STREAM_ELSEWHERE);
	ASSERT_U64("from before", s.calls[2].other, STREAM_NONE);
	ASSERT_U64("taken", s.calls[4].other, STREAM_NONE);
	ASSERT_U64("gone", s.calls[5].cls, STREAM_ELSEWHERE);
	assert_true(s.calls[6].failed);
	ASSERT_U64("by another", s.freed_elsewhere, 1);
	ASSERT_U64("batched", s.batched, 1);
	stream_free(&s);
}

/* Pages of many numbers: the table of pages grows and finds all of them. */
static void test_stream__many_pages(void **state)
{
	enum { NR = 50000 };
	struct stream s;

	(void)state;
	assert_int_equal(stream_init(&s), 0);
	for (uint32_t i = 0; i < NR; i++)
		got(&s, i * 513);
	for (uint32_t i = 0; i < NR; i++)
		gone(&s, i * 513);
	for (uint32_t i = 0; i < NR; i++)
		ASSERT_U64("of", s.calls[NR + i].other, i);
	stream_free(&s);
}

#define SMALL 60

/* Length of a longest common subsequence, the plain way. */
static uint32_t plain_lcs(const uint16_t *a, uint32_t nr_a, const uint16_t *b,
			  uint32_t nr_b)
{
	uint32_t len[SMALL + 1][SMALL + 1] = { { 0 } };

	for (uint32_t i = 1; i <= nr_a; i++)
		for (uint32_t j = 1; j <= nr_b; j++) {
			const uint32_t up = len[i - 1][j], left = len[i][j - 1];

			len[i][j] = a[i - 1] == b[j - 1] ?
					    len[i - 1][j - 1] + 1 :
					    up > left ? up : left;
		}
	return len[nr_a][nr_b];
}

static uint32_t count_mates(const uint16_t *a, uint32_t nr_a,
			    const uint16_t *b, const uint32_t *mate)
{
	uint32_t nr = 0, next = 0;

	for (uint32_t i = 0; i < nr_a; i++) {
		if (mate[i] == STREAM_NONE)
			continue;
		assert_true(mate[i] >= next);
		ASSERT_U64("token", a[i], b[mate[i]]);
		next = mate[i] + 1;
		nr++;
	}
	return nr;
}

static void test_stream__alignment_is_a_longest_one(void **state)
{
	uint16_t a[SMALL], b[SMALL];
	uint32_t mate[SMALL];
	struct rng rng;

	(void)state;
	rng_init(&rng, 1, "streams", 0);
	for (unsigned int n = 0; n < 4000; n++) {
		const uint32_t nr_a = (uint32_t)rng_below(&rng, SMALL + 1);
		const uint32_t nr_b = (uint32_t)rng_below(&rng, SMALL + 1);
		const uint32_t kinds = 1 + (uint32_t)rng_below(&rng, 6);
		bool exact;

		for (uint32_t i = 0; i < SMALL; i++) {
			a[i] = (uint16_t)rng_below(&rng, kinds);
			b[i] = (uint16_t)rng_below(&rng, kinds);
		}
		assert_int_equal(stream_align(a, nr_a, b, nr_b, mate, &exact),
				 0);
		assert_true(exact);
		ASSERT_U64(test_row(n), count_mates(a, nr_a, b, mate),
			   plain_lcs(a, nr_a, b, nr_b));
	}
}

/* Too different for the search: it ends, says so, and is still in order. */
static void test_stream__alignment_is_cut_short(void **state)
{
	enum { NR = 20000 };
	uint16_t *a = calloc(NR, sizeof(*a)), *b = calloc(NR, sizeof(*b));
	uint32_t *mate = calloc(NR, sizeof(*mate));
	struct rng rng;
	bool exact;

	(void)state;
	assert_true(a && b && mate);
	rng_init(&rng, 2, "streams", 0);
	for (uint32_t i = 0; i < NR; i++) {
		a[i] = (uint16_t)rng_below(&rng, 50);
		b[i] = (uint16_t)rng_below(&rng, 50);
	}
	assert_int_equal(stream_align(a, NR, b, NR, mate, &exact), 0);
	assert_false(exact);
	assert_true(count_mates(a, NR, b, mate) > NR / 50);
	free(a);
	free(b);
	free(mate);
}

/* Pages 0 to nr - 1 written, with `extra` of the program's own in front. */
static void write_pages(struct stream *s, uint32_t nr, uint32_t extra)
{
	assert_int_equal(stream_init(s), 0);
	for (uint32_t i = 0; i < extra; i++)
		got(s, 1000 + i);
	table(s, 2000);
	for (uint32_t i = 0; i < nr; i++)
		got(s, i);
}

static void end_pages(struct stream *s)
{
	put(s, TRACE_ALLOC, 2001, GFP_GATHER, true);
}

static void test_diff__equal_streams(void **state)
{
	struct stream a, b;
	struct stream_diff d;

	(void)state;
	write_pages(&a, 20, 0);
	write_pages(&b, 20, 0);
	assert_int_equal(stream_diff(&d, &a, &b), 0);
	ASSERT_U64("matched", d.matched, 21);
	ASSERT_U64("similarity", stream_similarity(&d, false), 1000000);
	ASSERT_U64("all", stream_similarity(&d, true), 1000000);
	assert_true(d.exact);
	stream_diff_free(&d);
	stream_free(&a);
	stream_free(&b);
}

/* Same calls, same pages, but one side frees from the last page on. */
static void test_diff__order_of_frees_counts(void **state)
{
	struct stream a, b;
	struct stream_diff d;

	(void)state;
	write_pages(&a, 20, 0);
	write_pages(&b, 20, 0);
	for (pfn_t i = 0; i < 20; i++) {
		gone(&a, i);
		gone(&b, 19 - i);
	}
	assert_int_equal(stream_diff(&d, &a, &b), 0);
	/* Of 20 frees in opposite orders one can be matched. */
	ASSERT_U64("matched", d.matched_all, 22);
	ASSERT_U64("moved", d.moved, 19);
	ASSERT_U64("all", stream_similarity(&d, true), 2 * 22 * 1000000 / 82);
	stream_diff_free(&d);
	stream_free(&a);
	stream_free(&b);
}

/* Pages that one side has in front do not spoil which page is which. */
static void test_diff__surplus_comes_first(void **state)
{
	struct stream a, b;
	struct stream_diff d;

	(void)state;
	write_pages(&a, 20, 3);
	write_pages(&b, 20, 0);
	for (pfn_t i = 0; i < 20; i++) {
		gone(&a, i);
		gone(&b, i);
	}
	assert_int_equal(stream_diff(&d, &a, &b), 0);
	ASSERT_U64("matched", d.matched, 41);
	ASSERT_U64("moved", d.moved, 0);
	/* The three are in front of the window. */
	ASSERT_U64("first", d.first, 3);
	ASSERT_U64("similarity", stream_similarity(&d, false), 1000000);
	ASSERT_U64("all", stream_similarity(&d, true),
		   2 * 41 * UINT64_C(1000000) / 85);
	stream_diff_free(&d);
	stream_free(&a);
	stream_free(&b);
}

static void test_diff__empty_streams(void **state)
{
	struct stream a, b;
	struct stream_diff d;

	(void)state;
	assert_int_equal(stream_init(&a), 0);
	write_pages(&b, 20, 0);
	assert_int_equal(stream_diff(&d, &a, &b), 0);
	ASSERT_U64("nothing", stream_similarity(&d, true), 0);
	stream_diff_free(&d);
	assert_int_equal(stream_diff(&d, &a, &a), 0);
	ASSERT_U64("both", stream_similarity(&d, true), 1000000);
	stream_diff_free(&d);
	stream_free(&a);
	stream_free(&b);
}

/* Where mappings end in their range: 88 pages behind the last table. */
static void test_shift__by_the_last_range(void **state)
{
	struct stream a, b;

	(void)state;
	write_pages(&a, 512, 0);
	table(&a, 3000);
	for (pfn_t i = 0; i < 88; i++)
		got(&a, 4000 + i);
	end_pages(&a);
	write_pages(&b, 600, 0);
	end_pages(&b);
	ASSERT_U64("same", stream_range_shift(&a, &b), 0);
	table(&b, 5000);
	for (pfn_t i = 0; i < 700; i++)
		got(&b, 6000 + i);
	end_pages(&b);
	for (pfn_t i = 0; i < 3; i++) {
		for (pfn_t k = 0; k < 700; k++)
			got(&b, 8000 + k);
		end_pages(&b);
	}
	/* Most of these end 188 pages behind a table: 100 too far up. */
	ASSERT_U64("shift", stream_range_shift(&a, &b), 512 - 100);
	stream_free(&b);
	write_pages(&b, 100, 0);
	ASSERT_U64("too short to tell", stream_range_shift(&a, &b), 0);
	stream_free(&a);
	stream_free(&b);
}

static void test_lines__repeats_and_causes(void **state)
{
	struct stream a, b;
	struct stream_diff d;
	struct stream_lines l;
	char text[320];

	(void)state;
	write_pages(&a, 20, 0);
	put(&a, TRACE_ALLOC, 5000, 0x12cc0, true);
	write_pages(&b, 20, 0);
	for (pfn_t i = 0; i < 3; i++) {
		table(&b, 6000 + i);
		got(&b, 7000 + i);
	}
	assert_int_equal(stream_diff(&d, &a, &b), 0);
	assert_int_equal(stream_lines_build(&l, &d), 0);
	ASSERT_U64("lines", l.nr, 4);
	stream_line_format(&d, &l.lines[1], text, sizeof(text));
	assert_string_equal(text, "20 x alloc o0 M anonymous page");
	stream_line_format(&d, &l.lines[2], text, sizeof(text));
	assert_string_equal(text, "alloc o0 U slab page");
	ASSERT_U64("side", l.lines[2].side, SIDE_RECORDED);
	ASSERT_U64("cause", l.lines[2].cause, CAUSE_SLAB);
	stream_line_format(&d, &l.lines[3], text, sizeof(text));
	assert_string_equal(text, "3 x (alloc o0 U page table, alloc o0 M "
			    "anonymous page)");
	ASSERT_U64("side", l.lines[3].side, SIDE_OURS);
	stream_lines_free(&l);
	stream_diff_free(&d);
	stream_free(&a);
	stream_free(&b);
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(test_stream__classes_by_order_type_and_gfp),
	cmocka_unit_test(test_stream__frees_name_their_allocation),
	cmocka_unit_test(test_stream__many_pages),
	cmocka_unit_test(test_stream__alignment_is_a_longest_one),
	cmocka_unit_test(test_stream__alignment_is_cut_short),
	cmocka_unit_test(test_diff__equal_streams),
	cmocka_unit_test(test_diff__order_of_frees_counts),
	cmocka_unit_test(test_diff__surplus_comes_first),
	cmocka_unit_test(test_diff__empty_streams),
	cmocka_unit_test(test_shift__by_the_last_range),
	cmocka_unit_test(test_lines__repeats_and_causes),
};

TEST_MAIN(cases)
