/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sets of addresses against a bitmap, and of more ranges than one array could
 * be moved for.
 */
#include <stdio.h>

#include "include/rng.h"
#include "tests/test.h"
#include "trace/ranges.h"

#define SPACE 4096u
#define STEPS 20000u
#define MANY 1000000u

static void compare(const struct addr_ranges *s, const bool *model)
{
	const struct addr_range *r = ranges_first(s, 0);
	size_t nr = 0;

	for (uint64_t at = 0; at < SPACE;) {
		uint64_t end = at;

		while (end < SPACE && model[end])
			end++;
		if (end > at) {
			assert_non_null(r);
			ASSERT_U64("start", r->start, at);
			ASSERT_U64("end", r->end, end);
			r = ranges_first(s, r->end);
			nr++;
		}
		at = end + 1;
	}
	assert_null(r);
	ASSERT_U64("ranges", s->nr, nr);
}

/* Highest free stretch of len, one address at a time. */
static uint64_t slow_gap(const bool *model, uint64_t len)
{
	for (uint64_t at = SPACE - len; at > 0; at--) {
		uint64_t n = 0;

		while (n < len && !model[at + n])
			n++;
		if (n == len)
			return at;
	}
	return 0;
}

/* Short steps keep many ranges, so that chunks split, empty and join. */
static void test_ranges__agree_with_a_bitmap(void **state)
{
	static bool model[SPACE];
	struct addr_ranges s = { 0 };
	struct rng rng;

	(void)state;
	rng_init(&rng, 10, "ranges", 0);
	for (unsigned int i = 0; i < STEPS; i++) {
		const uint64_t len = rng_below(&rng, i % 100 ? 4 : 1500);
		const uint64_t at = rng_below(&rng, (uint32_t)(SPACE - len));
		const bool in = rng_below(&rng, 2);

		assert_int_equal(in ? ranges_add(&s, at, at + len) :
				      ranges_del(&s, at, at + len), 0);
		for (uint64_t a = at; a < at + len; a++)
			model[a] = in;
		assert_int_equal(ranges_cover(&s, 17, 19),
				 model[17] && model[18]);
		assert_int_equal(ranges_overlap(&s, 17, 19),
				 model[17] || model[18]);
		if (i % 16)
			continue;
		compare(&s, model);
		ASSERT_U64("gap", ranges_gap(&s, 0, SPACE, 5, 1),
			   slow_gap(model, 5));
	}
	ranges_free(&s);
}

/* In one array this moves 8 TB and takes a quarter of an hour. */
static void test_ranges__a_million_take_no_time(void **state)
{
	struct addr_ranges s = { 0 };
	uint64_t i;

	(void)state;
	for (i = MANY; i-- > 0;)
		assert_int_equal(ranges_add(&s, 2 * i, 2 * i + 1), 0);
	ASSERT_U64("apart", s.nr, MANY);
	for (i = 0; i < MANY / 2; i++)
		assert_int_equal(ranges_del(&s, 2 * i, 2 * i + 1), 0);
	ASSERT_U64("half", s.nr, MANY / 2);
	assert_int_equal(ranges_add(&s, 0, 2 * MANY), 0);
	ASSERT_U64("joined", s.nr, 1);
	ranges_free(&s);
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(test_ranges__agree_with_a_bitmap),
	cmocka_unit_test(test_ranges__a_million_take_no_time),
};

TEST_MAIN(cases)
