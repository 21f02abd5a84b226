/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The record of a first pass: what it answers, and that its size is bounded. */
#include "include/rng.h"
#include "sim/machine.h"
#include "tests/sim/cell.h"

#define MS NSEC_PER_MSEC

static void test_future__time_to_the_next_use(void **state)
{
	/* Region 2 is used at 100..130 and 500 ms, region 3 at 200 ms. */
	static const struct {
		sim_ns_t at;
		pfn_t pfn;
		unsigned int order;
		sim_ns_t next;
	} rows[] = {
		{ 0, 1024, 9, 100 * MS },
		{ 99 * MS, 1025, 0, MS },
		{ 100 * MS, 1024, 9, 0 },
		{ 129 * MS, 1024, 9, 0 },
		{ 130 * MS, 1024, 9, 370 * MS },
		{ 500 * MS, 1024, 9, FUTURE_NEVER },
		{ 130 * MS, 1536, 9, 70 * MS },
		{ 130 * MS, 1024, 10, 70 * MS },
		{ 0, 0, 10, FUTURE_NEVER },
	};
	struct future f;

	(void)state;
	assert_int_equal(future_init(&f, 2, 4096, 0), 0);
	for (sim_ns_t t = 100; t <= 130; t += 5)
		future_note(&f, 1, 1024 + (pfn_t)t, 0, t * MS);
	future_note(&f, 1, 1536, 9, 200 * MS);
	future_note(&f, 1, 1024, 9, 500 * MS);
	for (unsigned int i = 0; i < ARRAY_SIZE(rows); i++) {
		ASSERT_U64(test_row(i),
			   future_next_use(&f, 1, rows[i].pfn, rows[i].order,
					   rows[i].at), rows[i].next);
		/* The other guest does nothing. */
		ASSERT_U64(test_row(i),
			   future_next_use(&f, 0, rows[i].pfn, rows[i].order,
					   rows[i].at), FUTURE_NEVER);
	}
	future_destroy(&f);
}

static void test_future__places_in_phases(void **state)
{
	/* A phase that takes longer than it did stands still at its end. */
	struct future f;

	(void)state;
	assert_int_equal(future_init(&f, 1, 4096, 2), 0);
	f.phases[0] = (struct busy_time){ 0, 10 * MS };
	f.phases[1] = (struct busy_time){ 10 * MS, 90 * MS };
	ASSERT_U64("begin", future_time(&f, 0, 0), 0);
	ASSERT_U64("inside", future_time(&f, 0, 4 * MS), 4 * MS);
	ASSERT_U64("longer", future_time(&f, 0, 40 * MS), 10 * MS);
	ASSERT_U64("second", future_time(&f, 1, 5 * MS), 15 * MS);
	future_destroy(&f);
}

static void test_future__coarser_with_the_same_answers(void **state)
{
	/* Twenty times too many times of use: whether a region rests for more
	 * than the grain is answered as by a record without a limit. */
	struct future f, exact;
	struct rng rng;
	sim_ns_t now = 0;

	(void)state;
	rng_init(&rng, 3, "future", 0);
	assert_int_equal(future_init(&f, 1, 4096, 0), 0);
	assert_int_equal(future_init(&exact, 1, 4096, 0), 0);
	f.limit = 500;
	for (unsigned int i = 0; i < 10000; i++) {
		const pfn_t pfn = rng_below(&rng, 4096);

		now += rng_below(&rng, 40 * MS);
		future_note(&f, 0, pfn, 0, now);
		future_note(&exact, 0, pfn, 0, now);
		assert_true(f.nr <= f.limit);
	}
	assert_true(f.grain > exact.grain);
	for (sim_ns_t at = 0; at < now; at += 77 * MS)
		for (pfn_t pfn = 0; pfn < 4096; pfn += HPAGE_PMD_NR) {
			const sim_ns_t a = future_next_use(&f, 0, pfn, 9, at);
			const sim_ns_t b = future_next_use(&exact, 0, pfn, 9,
							   at);

			ASSERT_U64("rests", a > f.grain, b > f.grain);
		}
	future_destroy(&exact);
	future_destroy(&f);
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(test_future__time_to_the_next_use),
	cmocka_unit_test(test_future__places_in_phases),
	cmocka_unit_test(test_future__coarser_with_the_same_answers),
};

TEST_MAIN(cases)
