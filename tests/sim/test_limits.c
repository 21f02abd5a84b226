/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Cells that ask for the impossible, and cells that end in the middle. */
#include "reporter/hinted_boundary.h"
#include "reporter/page_reporting.h"
#include "sim/machine.h"
#include "tests/sim/cell.h"

/* The first reason why the cell does not run to its end. */
static void expect_refusal(const struct cell *c, const char *reason)
{
	char why[400] = "nothing is wrong";
	struct sim *s;

	if (!sim_create(&s, &c->cfg, why, sizeof(why))) {
		assert_int_not_equal(sim_run_phase(s, 0, NULL, why,
						   sizeof(why)), 0);
		sim_destroy(s);
	}
	if (!strstr(why, reason))
		fail_msg("'%s' is not in '%s'", reason, why);
}

static void test_limits__base_must_fit_into_memory(void **state)
{
	/* A kernel of 250 MiB and then of 1 GiB in a guest of 256 MiB. */
	static const uint64_t rows[] = { 250 * MIB, 1024 * MIB };
	struct cell c;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		cell_setup(&c, &none_reporter, 1);
		c.cfg.guest.base = rows[i];
		add_phase(&c, "idle", &idle_workload, 1, UNTIL_REPORTER_IDLE);
		expect_refusal(&c, "the guest's memory (268435456 bytes) has "
			       "no room for its base");
		cell_destroy(&c);
	}
}

static void test_limits__a_trace_needs_its_files(void **state)
{
	/* workload = trace and nothing else. */
	struct cell c;

	(void)state;
	cell_setup(&c, &none_reporter, 1);
	add_phase(&c, "trace", &trace_workload, 1, UNTIL_TASKS);
	expect_refusal(&c, "workload trace needs 'file = ' and 'before = '");
	cell_destroy(&c);
}

static void test_limits__samples_do_not_eat_the_memory(void **state)
{
	/* One sample a nanosecond. */
	struct cell c;

	(void)state;
	cell_setup(&c, &none_reporter, 1);
	c.cfg.sample_ns = 1;
	add_phase(&c, "idle", &idle_workload, 1, UNTIL_TASKS);
	c.phases[0].opt.duration = 10 * NSEC_PER_SEC;
	expect_refusal(&c, "more than 1000000 samples");
	cell_destroy(&c);
}

/* Huge pages come and go; passes of one block report them without a pause. */
static void busy_setup(struct cell *c, const struct reporter_ops *design,
		       uint64_t duration)
{
	static const char *const keys[][2] = {
		{ "delay", "0s" }, { "capacity", "1" }, { "threshold", "1" },
	};
	const struct option_desc *o;
	char why[200];

	cell_setup(c, design, 1);
	for (size_t k = 0; k < ARRAY_SIZE(keys); k++) {
		o = option_find(&design->options, keys[k][0]);
		if (o)
			assert_int_equal(option_parse(o, keys[k][1],
						      c->reporter_options, why,
						      sizeof(why)), 0);
	}
	add_phase(c, "run", &page_fault1_workload, 2, UNTIL_TASKS);
	c->phases[0].opt.thp = true;
	c->phases[0].opt.duration = duration;
}

static void test_limits__a_run_may_end_while_the_host_has_blocks(void **state)
{
	/* 40 lengths of a run; at the end of some a block is with the host. */
	unsigned int in_flight[2] = { 0 };
	struct cell c;
	struct sim *s;

	(void)state;
	for (unsigned int i = 0; i < 80; i++) {
		const bool hinted = i % 2;

		busy_setup(&c, hinted ? &hinted_boundary_reporter :
			   &page_reporting_reporter,
			   (120 + i) * NSEC_PER_MSEC);
		s = cell_run(&c);
		in_flight[hinted] += hinted ?
			((struct hinted_boundary *)
			 s->guests[0].dev.r.state)->running :
			((struct page_reporting *)
			 s->guests[0].dev.r.state)->running;
		sim_destroy(s);
		cell_destroy(&c);
	}
	ASSERT_U64("page_reporting", in_flight[0] > 0, 1);
	ASSERT_U64("hinted_boundary", in_flight[1] > 0, 1);
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(test_limits__base_must_fit_into_memory),
	cmocka_unit_test(test_limits__a_trace_needs_its_files),
	cmocka_unit_test(test_limits__samples_do_not_eat_the_memory),
	cmocka_unit_test(
		test_limits__a_run_may_end_while_the_host_has_blocks),
};

TEST_MAIN(cases)
