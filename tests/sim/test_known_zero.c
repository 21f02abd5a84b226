/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whole cells of a guest that does not clear what the host has zeroed. */
#include "sim/machine.h"
#include "tests/sim/cell.h"

static struct sim *run(struct cell *c, const struct reporter_ops *ops, bool thp,
		       const char *discard)
{
	const struct option_desc *o = option_find(&mock_hypervisor.options,
						  "discard");
	char why[128];

	cell_setup(c, ops, 1);
	c->cfg.guest.kernel = 1;
	assert_int_equal(option_parse(o, discard, c->hypervisor_options, why,
				      sizeof(why)), 0);
	add_phase(c, "fill", &memhog_workload, 1, UNTIL_TASKS);
	c->phases[0].opt.size = (struct option_share){ 9000, true };
	add_phase(c, "settle", &idle_workload, 1, UNTIL_REPORTER_IDLE);
	c->phases[1].opt.duration = 60 * NSEC_PER_SEC;
	add_phase(c, "use", &memhog_workload, 1, UNTIL_TASKS);
	c->phases[2].opt.thp = thp;
	c->phases[2].opt.size = (struct option_share){ 5000, true };
	c->cfg.check_every = 3000;
	return cell_run(c);
}

static void test_known_zero__is_not_cleared_again(void **state)
{
	/* Half of the memory is used once more after all was reported: with
	 * huge pages and small ones, hosts that zero and that do not. */
	static const struct {
		const struct reporter_ops *ops;
		bool thp;
		const char *discard;
		bool skips;
	} rows[] = {
		{ &host_zeroed_reporter, true, "dontneed", true },
		{ &host_zeroed_reporter, false, "dontneed", true },
		{ &host_zeroed_reporter, true, "free", false },
		{ &page_reporting_reporter, true, "dontneed", false },
	};
	uint64_t ns[ARRAY_SIZE(rows)], cleared[ARRAY_SIZE(rows)];

	(void)state;
	for (unsigned int i = 0; i < ARRAY_SIZE(rows); i++) {
		struct cell c;
		struct sim *s = run(&c, rows[i].ops, rows[i].thp,
				    rows[i].discard);
		const struct sim_result *r = sim_result(s);
		const uint64_t skipped = counter(r,
						 "guest.pages_zero_skipped");

		cleared[i] = counter(r, "guest.pages_zeroed");
		ns[i] = r->phases[2].end - r->phases[2].start;
		printf("%s: %llu skipped, %llu cleared, %llu us\n",
		       rows[i].ops->name, (unsigned long long)skipped,
		       (unsigned long long)cleared[i],
		       (unsigned long long)ns[i] / 1000);
		ASSERT_U64(test_row(i), skipped > 0, rows[i].skips);
		sim_destroy(s);
		cell_destroy(&c);
	}
	/* The same pages are used, and that takes less time. */
	assert_true(cleared[0] < cleared[3]);
	assert_true(ns[0] < ns[3]);
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(test_known_zero__is_not_cleared_again),
};

TEST_MAIN(cases)
