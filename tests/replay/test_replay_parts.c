/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Parts of a replay on their own: the list of hints, the map of names. */
#include <errno.h>

#include "replay/internal.h"
#include "tests/test.h"

static void test_replay_parts__hints_are_named_in_full(void **state)
{
	/* What --hints takes, and what it says of the rest. */
	static const struct {
		const char *text;
		int error;
		unsigned int hints;
	} rows[] = {
		{ "none", 0, 0 },
		{ "all", 0, REPLAY_HINTS_ALL },
		{ "T", 0, REPLAY_HINT_COIN },
		{ "zone,M", 0, REPLAY_HINT_ZONE | REPLAY_HINT_LRU },
		{ "", EINVAL, 0 },
		{ "T,", EINVAL, 0 },
		{ "t", EINVAL, 0 },
		{ "T,all", EINVAL, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		unsigned int hints = 0;
		char why[128] = "";

		ASSERT_U64(rows[i].text,
			   -replay_parse_hints(rows[i].text, &hints, why,
					       sizeof(why)), rows[i].error);
		ASSERT_U64(rows[i].text, hints, rows[i].hints);
		assert_int_equal(why[0] != '\0', rows[i].error != 0);
	}
}

static void test_replay_parts__names_follow_blocks_in_parts(void **state)
{
	/* A block of order 2 bound, one page freed, the rest still known. */
	struct names n;

	(void)state;
	assert_int_equal(names_init(&n, 64), 0);
	assert_int_equal(names_find(&n, 8, 3), 8);
	names_mark_free(&n, 8, 2);
	assert_int_equal(names_find(&n, 8, 2), PFN_NONE);
	names_bind(&n, 8, 32, 2);
	assert_int_equal(names_find(&n, 8, 2), 32);
	assert_int_equal(names_find(&n, 10, 1), 34);
	/* Half old, half bound elsewhere: no block of the twin. */
	assert_int_equal(names_find(&n, 8, 3), PFN_NONE);
	names_drop(&n, 9, 0);
	assert_int_equal(names_find(&n, 9, 0), PFN_NONE);
	assert_int_equal(names_last(&n, 9), 33);
	assert_int_equal(names_find(&n, 8, 2), PFN_NONE);
	assert_int_equal(names_find(&n, 10, 1), 34);
	assert_int_equal(names_find(&n, 63, 0), 63);
	assert_int_equal(names_find(&n, 64, 0), PFN_NONE);
	names_destroy(&n);
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(test_replay_parts__hints_are_named_in_full),
	cmocka_unit_test(test_replay_parts__names_follow_blocks_in_parts),
};

TEST_MAIN(cases)
