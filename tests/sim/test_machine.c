/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whole cells: guests, host and reporter together in virtual time. */
#include <stdlib.h>
#include <string.h>

#include "sim/sim.h"
#include "tests/test.h"

#define MIB (UINT64_C(1) << 20)

struct cell {
	struct sim_config cfg;
	struct price_list prices;
	struct sim_phase_config phases[4];
	void *reporter_options, *hypervisor_options, *workload_options[4];
};

static void *defaults(const struct option_table *t)
{
	void *base = calloc(1, t->size ? t->size : 1);

	if (t->descs)
		option_defaults(t, base);
	return base;
}

static void add_phase(struct cell *c, const char *name,
		      const struct workload_ops *w, unsigned int tasks,
		      unsigned int until)
{
	const unsigned int i = c->cfg.nr_phases++;
	struct sim_phase_config *p = &c->phases[i];

	option_defaults(&phase_option_table, &p->opt);
	snprintf(p->name, sizeof(p->name), "%s", name);
	c->workload_options[i] = defaults(&w->options);
	p->workload = w;
	p->workload_options = c->workload_options[i];
	p->opt.tasks = tasks;
	p->opt.until = until;
}

/* A 256 MiB guest: memhog of 80 %, then idle until nothing is left to report. */
static void cell_init(struct cell *c, const struct reporter_ops *reporter,
		      uint64_t seed)
{
	memset(c, 0, sizeof(*c));
	price_list_default(&c->prices);
	option_defaults(&guest_option_table, &c->cfg.guest);
	option_defaults(&host_option_table, &c->cfg.host);
	c->cfg.guest.memory = 256 * MIB;
	c->cfg.guest.base = 16 * MIB;
	strcpy(c->cfg.guest.topology, "core:4 pu:1");
	c->reporter_options = defaults(&reporter->options);
	c->hypervisor_options = defaults(&mock_hypervisor.options);
	c->cfg.hypervisor = &mock_hypervisor;
	c->cfg.hypervisor_options = c->hypervisor_options;
	c->cfg.reporter = reporter;
	c->cfg.reporter_options = c->reporter_options;
	c->cfg.reporter_enabled = true;
	c->cfg.phases = c->phases;
	c->cfg.seed = seed;
	c->cfg.prices = &c->prices;
	c->cfg.sample_ns = 100 * NSEC_PER_MSEC;
	add_phase(c, "fill", &memhog_workload, 1, UNTIL_TASKS);
	c->phases[0].opt.size = (struct option_share){ 8000, true };
	add_phase(c, "idle", &idle_workload, 1, UNTIL_REPORTER_IDLE);
	c->phases[1].opt.duration = 60 * NSEC_PER_SEC;
}

static void cell_destroy(struct cell *c)
{
	unsigned int i;

	free(c->reporter_options);
	free(c->hypervisor_options);
	for (i = 0; i < ARRAY_SIZE(c->workload_options); i++)
		free(c->workload_options[i]);
}

static struct sim *cell_run(struct cell *c)
{
	char why[256] = "";
	struct sim *s;
	unsigned int i;

	if (sim_create(&s, &c->cfg, why, sizeof(why)))
		fail_msg("sim_create: %s", why);
	for (i = 0; i < c->cfg.nr_phases; i++)
		if (sim_run_phase(s, i, NULL, why, sizeof(why)))
			fail_msg("phase %u: %s", i, why);
	return s;
}

static uint64_t counter(const struct sim_result *r, const char *name)
{
	unsigned int i;

	for (i = 0; i < r->nr_counters; i++)
		if (!strcmp(r->counters[i].name, name))
			return r->counters[i].value;
	fail_msg("no counter %s", name);
	return 0;
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
	c->phases[c->cfg.nr_phases - 1].opt.warmup = 20 * NSEC_PER_MSEC;
	c->phases[c->cfg.nr_phases - 1].opt.duration = 50 * NSEC_PER_MSEC;
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
