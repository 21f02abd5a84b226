/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The digest is XXH3-128 in its canonical spelling, however it is fed. */
#include <string.h>

#include "include/digest.h"
#include "tests/test.h"

#define EMPTY_XXH3_128 "99aa06d3014798d86001c324468d497f"

static uint64_t word_of(size_t i)
{
	return i * UINT64_C(0x9e3779b97f4a7c15);
}

static void test_digest__empty_input_is_the_published_value(void **state)
{
	/* XXH3-128 of nothing, streamed and at once. */
	char hex[DIGEST_HEX_SIZE];
	struct digest d;

	(void)state;
	assert_int_equal(digest_init(&d), 0);
	digest_hex(&d, hex);
	assert_string_equal(hex, EMPTY_XXH3_128);
	digest_destroy(&d);
	digest_bytes_hex("", 0, hex);
	assert_string_equal(hex, EMPTY_XXH3_128);
}

static void test_digest__words_are_little_endian_bytes(void **state)
{
	/* 0, 1, ... words around the buffer size against the bytes at once. */
	static const size_t counts[] = {
		1, 2, DIGEST_BUFFER_WORDS - 1, DIGEST_BUFFER_WORDS,
		DIGEST_BUFFER_WORDS + 1, 3 * DIGEST_BUFFER_WORDS + 7,
	};
	static unsigned char bytes[8 * 4 * DIGEST_BUFFER_WORDS];

	(void)state;
	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		char streamed[DIGEST_HEX_SIZE], once[DIGEST_HEX_SIZE];
		struct digest d;

		assert_int_equal(digest_init(&d), 0);
		for (size_t w = 0; w < counts[i]; w++) {
			digest_u64(&d, word_of(w));
			for (unsigned int b = 0; b < 8; b++)
				bytes[8 * w + b] =
					(unsigned char)(word_of(w) >> (8 * b));
		}
		digest_hex(&d, streamed);
		digest_bytes_hex(bytes, 8 * counts[i], once);
		assert_string_equal(streamed, once);
		ASSERT_U64("nr_words", d.nr_words, counts[i]);
		digest_destroy(&d);
	}
}

static void test_digest__reading_does_not_disturb(void **state)
{
	/* Asking for the digest in the middle changes nothing at the end. */
	char middle[DIGEST_HEX_SIZE], asked[DIGEST_HEX_SIZE];
	char plain[DIGEST_HEX_SIZE];
	struct digest a, b;

	(void)state;
	assert_int_equal(digest_init(&a), 0);
	assert_int_equal(digest_init(&b), 0);
	for (size_t w = 0; w < 1000; w++) {
		digest_u64(&a, word_of(w));
		digest_u64(&b, word_of(w));
		if (w % 300 == 10)
			digest_hex(&a, middle);
	}
	digest_hex(&a, asked);
	digest_hex(&b, plain);
	assert_string_equal(asked, plain);
	assert_string_not_equal(middle, plain);
	digest_destroy(&a);
	digest_destroy(&b);
}

static void test_digest__order_matters(void **state)
{
	/* The same two words the other way round are another stream. */
	char ab[DIGEST_HEX_SIZE], ba[DIGEST_HEX_SIZE];
	struct digest d;

	(void)state;
	assert_int_equal(digest_init(&d), 0);
	digest_u64(&d, 1);
	digest_u64(&d, 2);
	digest_hex(&d, ab);
	digest_destroy(&d);
	assert_int_equal(digest_init(&d), 0);
	digest_u64(&d, 2);
	digest_u64(&d, 1);
	digest_hex(&d, ba);
	digest_destroy(&d);
	assert_string_not_equal(ab, ba);
}

static void test_digest__destroy_accepts_zeroes(void **state)
{
	/* A struct that never saw digest_init() may be destroyed. */
	struct digest d;

	(void)state;
	memset(&d, 0, sizeof(d));
	digest_destroy(&d);
	assert_null(d.state);
}

static void test_digest__join_tells_streams_apart(void **state)
{
	/* The same words, cut into two streams at different places. */
	char hex[4][DIGEST_HEX_SIZE];
	unsigned int cut, i;

	(void)state;
	for (cut = 0; cut < 4; cut++) {
		struct digest all, part[2];

		assert_int_equal(digest_init(&all), 0);
		assert_int_equal(digest_init(&part[0]), 0);
		assert_int_equal(digest_init(&part[1]), 0);
		for (i = 0; i < 3; i++)
			digest_u64(&part[i >= cut], i);
		digest_join(&all, &part[0]);
		digest_join(&all, &part[1]);
		digest_hex(&all, hex[cut]);
		for (i = 0; i < cut; i++)
			assert_string_not_equal(hex[i], hex[cut]);
		digest_destroy(&all);
		digest_destroy(&part[0]);
		digest_destroy(&part[1]);
	}
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(test_digest__empty_input_is_the_published_value),
	cmocka_unit_test(test_digest__words_are_little_endian_bytes),
	cmocka_unit_test(test_digest__reading_does_not_disturb),
	cmocka_unit_test(test_digest__order_matters),
	cmocka_unit_test(test_digest__destroy_accepts_zeroes),
	cmocka_unit_test(test_digest__join_tells_streams_apart),
};

TEST_MAIN(cases)
