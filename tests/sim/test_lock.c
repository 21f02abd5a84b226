/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Zone locks in virtual time. */
#include <stdlib.h>

#include "sim/machine.h"
#include "tests/test.h"

static void test_lock__waiters_queue_up(void **state)
{
	/* Holds of 100 ns asked for at 0, 10, 20 and, much later, 1000. */
	static const struct { sim_ns_t at, wait; } rows[] = {
		{ 0, 0 }, { 10, 90 }, { 20, 180 }, { 1000, 0 },
	};
	struct sim_guest *g = calloc(1, sizeof(*g));
	unsigned int i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(rows); i++)
		ASSERT_U64(test_row(i), zone_locks_hold(g, 1, rows[i].at, 100000, 1),
			   rows[i].wait);
	assert_int_equal(g->locks[0].acquisitions, 4);
	assert_int_equal(g->locks[0].contended, 2);
	assert_int_equal(g->locks[0].wait_ns, 270);
	assert_int_equal(g->locks[0].hold_ns, 400);
	assert_int_equal(g->locks[0].max_hold_ns, 100);
	free(g);
}

static void test_lock__zones_do_not_disturb_each_other(void **state)
{
	/* Zone 3 is held; zone 5 is free at once. Two zones share a hold. */
	struct sim_guest *g = calloc(1, sizeof(*g));

	(void)state;
	assert_int_equal(zone_locks_hold(g, 1 << 3, 0, 1000000, 1), 0);
	assert_int_equal(zone_locks_hold(g, 1 << 5, 0, 1000000, 1), 0);
	assert_int_equal(zone_locks_hold(g, (1 << 3) | (1 << 6), 500, 200000, 2),
			 500);
	assert_int_equal(g->locks[3].free_at, 1100);
	assert_int_equal(g->locks[6].free_at, 1100);
	free(g);
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(test_lock__waiters_queue_up),
	cmocka_unit_test(test_lock__zones_do_not_disturb_each_other),
};

TEST_MAIN(cases)
