/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Ranges of bitmaps against the same work done bit by bit. */
#include <string.h>

#include "include/bitmap.h"
#include "tests/test.h"

#define NR_BITS 320

/* Ranges that start, end and lie on and around word boundaries. */
static const struct range {
	const char *name;
	size_t start, nr;
} ranges[] = {
	{ "nothing at 0", 0, 0 },
	{ "nothing inside a word", 70, 0 },
	{ "nothing at the end", NR_BITS, 0 },
	{ "one bit at 0", 0, 1 },
	{ "last bit of a word", 63, 1 },
	{ "first bit of a word", 64, 1 },
	{ "last bit of all", NR_BITS - 1, 1 },
	{ "inside one word", 70, 20 },
	{ "one whole word", 64, 64 },
	{ "across one boundary", 60, 10 },
	{ "up to a boundary", 10, 54 },
	{ "from a boundary", 128, 10 },
	{ "several words, ragged", 5, 290 },
	{ "everything", 0, NR_BITS },
};

static void test_bitmap__ranges_equal_single_bits(void **state)
{
	/* Set each range in an empty map and clear it in a full one. */
	(void)state;
	for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++) {
		const struct range *r = &ranges[i];
		uint64_t set[BITMAP_WORDS(NR_BITS) + 1] = { 0 };
		uint64_t cleared[BITMAP_WORDS(NR_BITS) + 1];
		uint64_t expected[BITMAP_WORDS(NR_BITS) + 1] = { 0 };

		memset(cleared, 0xff, sizeof(cleared));
		for (size_t bit = r->start; bit < r->start + r->nr; bit++)
			bitmap_set(expected, bit);
		bitmap_set_range(set, r->start, r->nr);
		bitmap_clear_range(cleared, r->start, r->nr);
		for (size_t w = 0; w <= BITMAP_WORDS(NR_BITS); w++) {
			ASSERT_U64(r->name, set[w], expected[w]);
			ASSERT_U64(r->name, cleared[w], ~expected[w]);
		}
	}
}

static void test_bitmap__count_sees_only_its_range(void **state)
{
	/* Every third bit is set; count each range against a loop. */
	uint64_t map[BITMAP_WORDS(NR_BITS)] = { 0 };

	(void)state;
	for (size_t bit = 0; bit < NR_BITS; bit += 3)
		bitmap_set(map, bit);
	for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++) {
		const struct range *r = &ranges[i];
		size_t expected = 0;

		for (size_t bit = r->start; bit < r->start + r->nr; bit++)
			expected += bitmap_test(map, bit);
		ASSERT_U64(r->name, bitmap_count_range(map, r->start, r->nr),
			   expected);
	}
}

static void test_bitmap__clear_leaves_neighbours(void **state)
{
	/* Clearing one bit of a full word keeps the other 63. */
	uint64_t map[1] = { UINT64_MAX };

	(void)state;
	bitmap_clear(map, 17);
	assert_false(bitmap_test(map, 17));
	ASSERT_U64("neighbours", bitmap_count_range(map, 0, 64), 63);
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(test_bitmap__ranges_equal_single_bits),
	cmocka_unit_test(test_bitmap__count_sees_only_its_range),
	cmocka_unit_test(test_bitmap__clear_leaves_neighbours),
};

TEST_MAIN(cases)
