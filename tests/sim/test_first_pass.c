/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whole cells of the design that knows the future: it wastes less than one
 * that does not, and its first pass leaves no trace.
 */
#include <errno.h>

#include "sim/machine.h"
#include "tests/sim/cell.h"

static void fill_and_use(struct cell *c, const struct reporter_ops *reporter,
			 unsigned int tasks)
{
	cell_setup(c, reporter, 1);
	c->cfg.guest.kernel = 1;
	add_phase(c, "fill", &memhog_workload, 1, UNTIL_TASKS);
	c->phases[0].opt.size = (struct option_share){ 9000, true };
	add_phase(c, "settle", &idle_workload, 1, UNTIL_REPORTER_IDLE);
	c->phases[1].opt.duration = 60 * NSEC_PER_SEC;
	add_phase(c, "use", &page_fault1_workload, tasks, UNTIL_DURATION);
	c->phases[2].opt.thp = true;
	c->phases[2].opt.duration = 10 * NSEC_PER_SEC;
}

static void test_first_pass__wastes_less(void **state)
{
	/* After the same use page_fault1 runs on memory that stayed; the rest
	 * of the guest is given back all the same. */
	const struct reporter_ops *const designs[] = {
		&page_reporting_reporter, &ideal_reporter,
	};
	uint64_t wasted[2], refaults[2], rss[2];

	(void)state;
	for (unsigned int i = 0; i < 2; i++) {
		const struct sim_result *r;
		struct cell c;
		struct sim *s;

		fill_and_use(&c, designs[i], 1);
		s = cell_run(&c);
		r = sim_result(s);
		wasted[i] = counter(r, "reporter.wasted");
		refaults[i] = counter(r, "host.ept_violation_zero_2m");
		rss[i] = r->samples[r->nr_samples - 1].host_rss_pages;
		printf("%s: wasted %llu of %llu, refaults %llu, rss %llu\n",
		       designs[i]->name, (unsigned long long)wasted[i],
		       (unsigned long long)counter(r, "reporter.discards"),
		       (unsigned long long)refaults[i],
		       (unsigned long long)rss[i]);
		sim_destroy(s);
		cell_destroy(&c);
	}
	assert_true(wasted[0] > 0);
	assert_true(wasted[1] * 10 < wasted[0]);
	assert_true(refaults[1] < refaults[0]);
	/* What page_fault1 holds on to is the price. */
	assert_true(rss[1] < bytes_to_pages(200 * MIB));
}

static void test_first_pass__is_the_unreported_cell(void **state)
{
	/* With a pay-back time that nothing reaches, the second pass is the
	 * cell without reporter, event for event; and runs are repeatable. */
	char digest[3][DIGEST_HEX_SIZE];

	(void)state;
	for (unsigned int i = 0; i < 3; i++) {
		struct cell c;
		struct sim *s;
		const struct option_desc *o;
		char why[128];

		fill_and_use(&c, i ? &ideal_reporter : &none_reporter, 1);
		c.cfg.nr_phases = 1;
		if (i) {
			o = option_find(&ideal_reporter.options, "delay");
			assert_int_equal(option_parse(o, "86400s",
						      c.reporter_options, why,
						      sizeof(why)), 0);
		}
		s = cell_run(&c);
		memcpy(digest[i], sim_result(s)->digest, sizeof(digest[i]));
		sim_destroy(s);
		cell_destroy(&c);
	}
	assert_string_equal(digest[0], digest[1]);
	assert_string_equal(digest[1], digest[2]);
}

static void test_first_pass__host_too_small(void **state)
{
	/* Without reporting the guests do not fit: the error says which pass. */
	char why[256] = "";
	struct cell c;
	struct sim *s;
	const struct option_desc *o;

	(void)state;
	fill_and_use(&c, &ideal_reporter, 1);
	o = option_find(&mock_hypervisor.options, "memory");
	assert_int_equal(option_parse(o, "128M", c.hypervisor_options, why,
				      sizeof(why)), 0);
	o = option_find(&mock_hypervisor.options, "base");
	assert_int_equal(option_parse(o, "0", c.hypervisor_options, why,
				      sizeof(why)), 0);
	if (sim_create(&s, &c.cfg, why, sizeof(why)))
		fail_msg("%s", why);
	assert_int_equal(sim_run_phase(s, 0, NULL, why, sizeof(why)), -ENOMEM);
	assert_non_null(strstr(why, "first pass of design ideal"));
	sim_destroy(s);
	cell_destroy(&c);
}

static void test_first_pass__tasks_that_compete(void **state)
{
	/* Four tasks get each other's blocks, otherwise than in the first pass:
	 * what was misjudged once is left alone, so little is wasted. */
	const struct sim_result *r;
	struct cell c;
	struct sim *s;

	(void)state;
	fill_and_use(&c, &ideal_reporter, 4);
	c.cfg.guest.memory = 1024 * MIB;
	s = cell_run(&c);
	r = sim_result(s);
	assert_true(counter(r, "reporter.discards") > 50);
	assert_true(counter(r, "reporter.wasted") * 3 <
		    counter(r, "reporter.discards"));
	sim_destroy(s);
	cell_destroy(&c);
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(test_first_pass__wastes_less),
	cmocka_unit_test(test_first_pass__is_the_unreported_cell),
	cmocka_unit_test(test_first_pass__host_too_small),
	cmocka_unit_test(test_first_pass__tasks_that_compete),
};

TEST_MAIN(cases)
