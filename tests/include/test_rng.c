/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Streams are the published generator, repeatable and independent. */
#include <string.h>

#include "include/rng.h"
#include "tests/test.h"

static void test_rng__generator_gives_the_published_sequence(void **state)
{
	/* xoshiro256** from the state 1, 2, 3, 4. */
	static const uint64_t expected[] = {
		UINT64_C(11520), 0, UINT64_C(1509978240),
		UINT64_C(1215971899390074240), UINT64_C(1216172134540287360),
		UINT64_C(607988272756665600),
	};
	struct rng r = { { 1, 2, 3, 4 } };

	(void)state;
	for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++)
		ASSERT_U64("word", rng_next(&r), expected[i]);
}

static void test_rng__stream_depends_on_all_of_its_key(void **state)
{
	/* Same key, same words; any part changed, other words. */
	static const struct {
		uint64_t root;
		const char *name;
		uint64_t index;
	} keys[] = {
		{ 1, "shuffle", 0 }, { 2, "shuffle", 0 }, { 1, "shuffle", 1 },
		{ 1, "shuffl", 0 },  { 1, "", 0 },        { 0, "shuffle", 1 },
		{ 1, "arrival", 0 },
	};
	const size_t nr = sizeof(keys) / sizeof(keys[0]);
	struct rng streams[sizeof(keys) / sizeof(keys[0])];

	(void)state;
	for (size_t i = 0; i < nr; i++) {
		struct rng again;

		rng_init(&streams[i], keys[i].root, keys[i].name,
			 keys[i].index);
		rng_init(&again, keys[i].root, keys[i].name, keys[i].index);
		assert_memory_equal(&again, &streams[i], sizeof(again));
		for (size_t j = 0; j < i; j++)
			assert_memory_not_equal(&streams[i], &streams[j],
						sizeof(streams[i]));
	}
}

static void test_rng__streams_never_change(void **state)
{
	/* First words of one stream, so that results of old seeds stay. */
	static const uint64_t expected[] = {
		UINT64_C(4085855876960655734), UINT64_C(15221502835070195713),
		UINT64_C(11685586515199100056), UINT64_C(10528453117221603253),
	};
	struct rng r;

	(void)state;
	rng_init(&r, 1, "shuffle", 0);
	for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++)
		ASSERT_U64("word", rng_next(&r), expected[i]);
}

static void test_rng__below_covers_its_range_evenly(void **state)
{
	/* 120,000 draws below 12: each value 10,000 times, within 5 %. */
	unsigned int seen[12] = { 0 };
	struct rng r;

	(void)state;
	rng_init(&r, 42, "test", 0);
	for (unsigned int i = 0; i < 120000; i++) {
		const uint32_t value = rng_below(&r, 12);

		assert_true(value < 12);
		seen[value]++;
	}
	for (unsigned int v = 0; v < 12; v++)
		if (seen[v] < 9500 || seen[v] > 10500)
			fail_msg("%u came %u times", v, seen[v]);
}

static void test_rng__below_one_is_zero(void **state)
{
	/* The smallest range has one member. */
	struct rng r;

	(void)state;
	rng_init(&r, 7, "test", 3);
	for (unsigned int i = 0; i < 100; i++)
		ASSERT_U64("below 1", rng_below(&r, 1), 0);
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(test_rng__generator_gives_the_published_sequence),
	cmocka_unit_test(test_rng__stream_depends_on_all_of_its_key),
	cmocka_unit_test(test_rng__streams_never_change),
	cmocka_unit_test(test_rng__below_covers_its_range_evenly),
	cmocka_unit_test(test_rng__below_one_is_zero),
};

TEST_MAIN(cases)
