/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Machines on a host whose memory runs out: they end, and say so. */
#include <errno.h>
#include <string.h>

#include "tests/sim/cell.h"
#include "tests/starve.h"

/* Of a machine whose requests for memory fail from the nth on: 0 or -errno. */
static int run_short(const struct cell *c, unsigned long nth, bool for_good)
{
	char why[256] = "";
	struct sim *s = NULL;
	int err;

	if (for_good)
		starve_from(nth);
	else
		starve_nth(nth);
	err = sim_create(&s, &c->cfg, why, sizeof(why));
	if (!err)
		err = sim_run_phase(s, 0, NULL, why, sizeof(why));
	if (err && !strstr(why, "memory"))
		fail_msg("request %lu: %s", nth, why);
	/* What it gives back it may have to ask for room first. */
	if (s)
		sim_destroy(s);
	return err;
}

static void run_out(bool for_good, unsigned long step)
{
	struct cell c;
	unsigned long nth = 1, failed = 0;
	int err;

	cell_setup(&c, &page_reporting_reporter, 1);
	c.cfg.guest.memory = 64 * MIB;
	c.cfg.guest.base = MIB;
	add_phase(&c, "measure", &page_fault1_workload, 2, UNTIL_DURATION);
	c.phases[0].opt.duration = 5 * NSEC_PER_MSEC;
	do {
		err = run_short(&c, nth, for_good);
		/* Failed, or nobody asked so often. */
		assert_int_equal(err, starved() ? -ENOMEM : 0);
		failed += err != 0;
		nth += step;
	} while (starved());
	starve_nth(0);
	assert_in_range(failed, 20 / step, 100000);
	cell_destroy(&c);
}

static void test_short_host__one_request_fails(void **state)
{
	/* Scenario: each request for memory in turn; the others are served. */
	(void)state;
	run_out(false, 1);
}

static void test_short_host__memory_that_is_out_for_good_ends_the_phase(
		void **state)
{
	/*
	 * Scenario: an munmap that cannot be done takes no time, so a task that
	 * tries it again and again never comes to the end of its window.
	 */
	(void)state;
	run_out(true, 1);
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(test_short_host__one_request_fails),
	cmocka_unit_test(
		test_short_host__memory_that_is_out_for_good_ends_the_phase),
};

TEST_MAIN(cases)
