/* SPDX-License-Identifier: GPL-2.0-or-later */
/* References of a page-table walk by the levels of guest and host. */
#include "sim/walk.h"
#include "tests/test.h"

static void test_walk__published_weights(void **state)
{
	/* 24, 19 and 15 as posted with transparent huge pages; the fourth row
	 * and those of other depths follow from the same walk. */
	static const struct { unsigned int guest, host, refs; } rows[] = {
		{ WALK_LEVELS_4K, WALK_LEVELS_4K, 24 },
		{ WALK_LEVELS_4K, WALK_LEVELS_2M, 19 },
		{ WALK_LEVELS_2M, WALK_LEVELS_4K, 19 },
		{ WALK_LEVELS_2M, WALK_LEVELS_2M, 15 },
		{ WALK_LEVELS_2M, WALK_LEVELS_1G, 11 },
		{ WALK_LEVELS_4K + WALK_LEVELS_LA57,
		  WALK_LEVELS_4K + WALK_LEVELS_LA57, 35 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		ASSERT_U64(test_row((unsigned int)i),
			   walk_refs(rows[i].guest, rows[i].host),
			   rows[i].refs);
}

/* One step after the other, as the processor goes. */
static unsigned int walked(unsigned int guest, unsigned int host)
{
	unsigned int refs = 0;

	for (unsigned int g = 0; g < guest; g++) {
		for (unsigned int h = 0; h < host; h++)
			refs++;      /* where is the guest's entry? */
		refs++;              /* the entry */
	}
	for (unsigned int h = 0; h < host; h++)
		refs++;              /* where is the page? */
	return refs;
}

static void test_walk__equals_a_walk_step_by_step(void **state)
{
	/* The formula against the steps it sums up, for up to five levels. */
	(void)state;
	for (unsigned int g = 0; g <= 5; g++)
		for (unsigned int h = 0; h <= 5; h++)
			ASSERT_U64(test_row(g * 10 + h), walk_refs(g, h),
				   walked(g, h));
}

static void test_walk__native_has_one_dimension(void **state)
{
	/* A process of the host: its table alone, and the same as a guest
	 * whose addresses need no translation. */
	(void)state;
	ASSERT_U64("4K", walk_refs_native(WALK_LEVELS_4K), 4);
	ASSERT_U64("2M", walk_refs_native(WALK_LEVELS_2M), 3);
	for (unsigned int l = 0; l <= 5; l++)
		ASSERT_U64(test_row(l), walk_refs(l, 0), walk_refs_native(l));
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(test_walk__published_weights),
	cmocka_unit_test(test_walk__equals_a_walk_step_by_step),
	cmocka_unit_test(test_walk__native_has_one_dimension),
};

TEST_MAIN(cases)
