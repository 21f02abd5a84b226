/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A guest's clear of what the host has just cleared: only its price differs,
 * and only where the host did clear.
 */
#include "tests/sim/cell.h"

#define GUEST_REGIONS 32u

/* Virtual time of one task that fills 64 MiB, twice over. */
static sim_ns_t run(bool guest_thp, const char *host_thp, uint64_t cold_ps,
		    uint64_t again_ps, uint64_t *zeroed)
{
	const enum price_id cold = guest_thp ? PRICE_GUEST_ZERO_2M :
					       PRICE_GUEST_ZERO_4K;
	const enum price_id again = guest_thp ? PRICE_GUEST_REZERO_2M :
						PRICE_GUEST_REZERO_4K;
	char why[128];
	struct cell c;
	struct sim *s;
	sim_ns_t ns;

	cell_setup(&c, &none_reporter, 1);
	assert_int_equal(option_parse(option_find(&mock_hypervisor.options,
						  "thp"), host_thp,
				      c.hypervisor_options, why, sizeof(why)),
			 0);
	c.prices.p[cold].ps_1 = c.prices.p[cold].ps_n = cold_ps;
	c.prices.p[again].ps_1 = c.prices.p[again].ps_n = again_ps;
	for (unsigned int i = 0; i < 2; i++) {
		add_phase(&c, i ? "again" : "first", &memhog_workload, 1,
			  UNTIL_TASKS);
		c.phases[i].opt.thp = guest_thp;
		c.phases[i].opt.size = (struct option_share){
			.value = GUEST_REGIONS * HPAGE_PMD_SIZE };
	}
	s = cell_run(&c);
	*zeroed = counter(sim_result(s), "host.zeroed_pages");
	ns = sim_result(s)->virtual_ns;
	sim_destroy(s);
	cell_destroy(&c);
	return ns;
}

static void test_rezero__is_paid_where_the_host_cleared(void **state)
{
	/*
	 * Huge pages in guest and host: every region of the first fill that the
	 * host had to back costs 60 us less if the second clear takes 30 of 90.
	 */
	uint64_t n[2];
	const sim_ns_t as_cold = run(true, "always", 90000000, 90000000, &n[0]);
	const sim_ns_t cheap = run(true, "always", 90000000, 30000000, &n[1]);
	const uint64_t saved = (as_cold - cheap) / 60000;

	(void)state;
	ASSERT_U64("the same pages", n[1], n[0]);
	ASSERT_U64("whole regions", as_cold - cheap, saved * 60000);
	assert_true(saved >= GUEST_REGIONS - 2 && saved <= GUEST_REGIONS);
}

static void test_rezero__small_pages_of_the_host(void **state)
{
	/* The guest faults small pages, the host backs them one by one: each
	 * is cleared twice in a row, 200 ns cheaper the second time. */
	uint64_t n;
	const sim_ns_t as_cold = run(false, "never", 300000, 300000, &n);
	const sim_ns_t cheap = run(false, "never", 300000, 100000, &n);
	const uint64_t saved = (as_cold - cheap) / 200;

	(void)state;
	/* No more than the host has cleared in all; page tables count not. */
	assert_true(saved > GUEST_REGIONS * HPAGE_PMD_NR * 9 / 10);
	assert_true(saved <= n);
}

static void test_rezero__is_never_dearer(void **state)
{
	/* A second clear that is said to take longer than a cold one is taken
	 * as cold. */
	uint64_t n;

	(void)state;
	ASSERT_U64("time", run(true, "always", 90000000, 990000000, &n),
		   run(true, "always", 90000000, 90000000, &n));
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(test_rezero__is_paid_where_the_host_cleared),
	cmocka_unit_test(test_rezero__small_pages_of_the_host),
	cmocka_unit_test(test_rezero__is_never_dearer),
};

TEST_MAIN(cases)
