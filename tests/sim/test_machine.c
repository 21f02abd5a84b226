/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whole cells: guests, host and reporter together in virtual time. */
#include "tests/sim/cell.h"

/* memhog of 80 %, then idle until nothing is left to report. */
static void cell_init(struct cell *c, const struct reporter_ops *reporter,
		      uint64_t seed)
{
	cell_setup(c, reporter, seed);
	add_phase(c, "fill", &memhog_workload, 1, UNTIL_TASKS);
	c->phases[0].opt.size = (struct option_share){ 8000, true };
	add_phase(c, "idle", &idle_workload, 1, UNTIL_REPORTER_IDLE);
	c->phases[1].opt.duration = 60 * NSEC_PER_SEC;
}

static void test_machine__reporting_returns_memory(void **state)
{
	/* memhog touches 80 %; with reporting the host gets nearly all back. */
	struct cell with, without;
	struct sim *a, *b;
	const struct sim_result *ra, *rb;

	(void)state;
	cell_init(&with, &page_reporting_reporter, 1);
	cell_init(&without, &none_reporter, 1);
	with.cfg.check_every = without.cfg.check_every = 5000;
	a = cell_run(&with);
	b = cell_run(&without);
	ra = sim_result(a);
	rb = sim_result(b);
	assert_true(counter(ra, "reporter.pages") > 20000);
	assert_int_equal(counter(rb, "reporter.pages"), 0);
	assert_true(ra->samples[ra->nr_samples - 1].host_rss_pages * 3 <
		    rb->samples[rb->nr_samples - 1].host_rss_pages);
	assert_int_equal(counter(ra, "guest.oom_kill"), 0);
	assert_int_equal(counter(ra, "host.host_oom"), 0);
	sim_destroy(a);
	sim_destroy(b);
	cell_destroy(&with);
	cell_destroy(&without);
}

static void measure_phase(struct cell *c, const struct workload_ops *w,
			  unsigned int tasks)
{
	add_phase(c, "measure", w, tasks, UNTIL_TASKS);
	c->phases[c->cfg.nr_phases - 1].opt.thp = true;
	c->phases[c->cfg.nr_phases - 1].opt.warmup = 120 * NSEC_PER_MSEC;
	c->phases[c->cfg.nr_phases - 1].opt.duration = 400 * NSEC_PER_MSEC;
}

static void run_measured(uint64_t seed, unsigned int tasks,
			 char digest[DIGEST_HEX_SIZE], double *rate)
{
	struct cell c;
	struct sim *s;
	const struct sim_result *r;

	cell_init(&c, &page_reporting_reporter, seed);
	measure_phase(&c, &page_fault1_workload, tasks);
	/* Small enough for the guest: the default mapping is 128 MiB. */
	c.cfg.guest.memory = 1024 * MIB;
	s = cell_run(&c);
	r = sim_result(s);
	memcpy(digest, r->digest, DIGEST_HEX_SIZE);
	*rate = r->metrics[0].value;
	assert_string_equal(r->metrics[0].name, "iterations_per_s");
	sim_destroy(s);
	cell_destroy(&c);
}

static void test_machine__same_seed_same_digest(void **state)
{
	/* Two runs in one process agree; another seed does not. */
	char a[DIGEST_HEX_SIZE], b[DIGEST_HEX_SIZE], other[DIGEST_HEX_SIZE];
	double ra, rb, ro;

	(void)state;
	run_measured(1, 4, a, &ra);
	run_measured(1, 4, b, &rb);
	run_measured(2, 4, other, &ro);
	assert_string_equal(a, b);
	assert_true(ra == rb);
	assert_string_not_equal(a, other);
}

static void test_machine__tasks_share_the_work(void **state)
{
	/* Prices that do not depend on the load: 4 tasks, about 4 times as fast. */
	char d[DIGEST_HEX_SIZE];
	double one, four;

	(void)state;
	run_measured(3, 1, d, &one);
	run_measured(3, 4, d, &four);
	assert_true(one > 0);
	assert_true(four > 3.2 * one);
	assert_true(four < 4.2 * one);
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(test_machine__reporting_returns_memory),
	cmocka_unit_test(test_machine__same_seed_same_digest),
	cmocka_unit_test(test_machine__tasks_share_the_work),
};

TEST_MAIN(cases)
