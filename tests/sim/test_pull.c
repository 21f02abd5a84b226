/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whole cells with a host that is short: it pulls, allocations wait for what
 * is with it and for nothing else, and what waits is accounted.
 */
#include "sim/machine.h"
#include "tests/sim/cell.h"

static void set(const struct option_table *t, void *base, const char *name,
		const char *value)
{
	const struct option_desc *o = option_find(t, name);
	char why[128];

	assert_non_null(o);
	if (option_parse(o, value, base, why, sizeof(why)))
		fail_msg("%s: %s", name, why);
}

/* memhog, then page faults by four tasks, on a host of 300 MiB. */
static void setup(struct cell *c, const struct reporter_ops *ops,
		  const char *options, const char *pull_below)
{
	cell_setup(c, ops, 1);
	c->cfg.guest.kernel = 1;
	if (options)
		set(&ops->options, c->reporter_options, "order", options);
	set(&mock_hypervisor.options, c->hypervisor_options, "memory", "300M");
	set(&mock_hypervisor.options, c->hypervisor_options, "base", "0");
	set(&host_option_table, &c->cfg.host, "pull_below", pull_below);
	add_phase(c, "fill", &memhog_workload, 1, UNTIL_TASKS);
	c->phases[0].opt.size = (struct option_share){ 9000, true };
	add_phase(c, "use", &page_fault1_workload, 4, UNTIL_DURATION);
	c->phases[1].opt.duration = 2 * NSEC_PER_SEC;
	c->cfg.check_every = 3000;
}

static struct sim *run(struct cell *c, const struct reporter_ops *ops,
		       const char *options, const char *pull_below,
		       const struct price_list *prices)
{
	setup(c, ops, options, pull_below);
	if (prices)
		c->prices = *prices;
	return cell_run(c);
}

static void test_pull__a_short_host_gets_its_memory(void **state)
{
	/* After memhog less than 100 MiB of 300 is free on the host: it pulls,
	 * and has more at the end than without the design. */
	struct cell c;
	struct sim *s = run(&c, &pull_bitmap_reporter, "9", "100M", NULL);
	const struct sim_result *r = sim_result(s);
	const uint64_t with = r->samples[r->nr_samples - 1].host_free_pages;

	(void)state;
	assert_true(counter(r, "reporter.requests") > 0);
	assert_true(counter(r, "reporter.pages") > 0);
	sim_destroy(s);
	cell_destroy(&c);
	s = run(&c, &none_reporter, NULL, "100M", NULL);
	r = sim_result(s);
	printf("host free: %llu MiB with pulls, %llu without\n",
	       (unsigned long long)with / 256, (unsigned long long)
	       r->samples[r->nr_samples - 1].host_free_pages / 256);
	assert_true(with > r->samples[r->nr_samples - 1].host_free_pages +
		    bytes_to_pages(50 * MIB));
	sim_destroy(s);
	cell_destroy(&c);
}

/* The guest uses 225 MiB and lets go of them; then a process of the host wants
 * 120 of 340. */
static struct sim *run_process(struct cell *c, const struct reporter_ops *ops,
			       uint64_t flush_ps)
{
	setup(c, ops, NULL, "50M");
	set(&mock_hypervisor.options, c->hypervisor_options, "memory", "340M");
	set(&mock_hypervisor.options, c->hypervisor_options, "swap", "1G");
	set(&host_option_table, &c->cfg.host, "swap_bandwidth", "500M");
	c->prices.p[PRICE_TLB_FLUSH_VCPU].ps_1 = flush_ps;
	c->prices.p[PRICE_TLB_FLUSH_VCPU].ps_n = flush_ps;
	c->cfg.nr_phases = 1;
	free(c->workload_options[1]);
	add_phase(c, "process", &memhog_workload, 1, UNTIL_TASKS);
	c->phases[1].opt.native = true;
	c->phases[1].opt.size.value = 120 * MIB;
	return cell_run(c);
}

static void test_pull__a_process_makes_the_host_short(void **state)
{
	/* What a pull brings in time need not be swapped out. */
	static const struct {
		const struct reporter_ops *design;
		bool swaps;
	} rows[] = {
		{ &none_reporter, true },
		{ &pull_bitmap_reporter, false },
	};

	(void)state;
	for (unsigned int i = 0; i < ARRAY_SIZE(rows); i++) {
		struct cell c;
		struct sim *s = run_process(&c, rows[i].design, 0);

		printf("%s: %llu pages swapped out\n", rows[i].design->name,
		       (unsigned long long)counter(sim_result(s),
						   "host.pswpout"));
		assert_int_equal(counter(sim_result(s), "host.pswpout") > 0,
				 rows[i].swaps);
		sim_destroy(s);
		cell_destroy(&c);
	}
}

static void test_pull__no_interrupt_of_a_process(void **state)
{
	/* The process is in no guest mode: discards of what the guest had send
	 * it no interrupt, whatever one costs. */
	static const uint64_t flush_ps[] = { 0, NSEC_PER_MSEC * 1000 };
	uint64_t ns[2];

	(void)state;
	for (unsigned int i = 0; i < 2; i++) {
		struct cell c;
		struct sim *s = run_process(&c, &pull_bitmap_reporter,
					    flush_ps[i]);
		const struct sim_result *r = sim_result(s);

		assert_true(counter(r, "host.tlb_flush_rounds") > 0);
		ns[i] = r->phases[1].end - r->phases[1].start;
		sim_destroy(s);
		cell_destroy(&c);
	}
	ASSERT_U64("ns of the process", ns[1], ns[0]);
}

static void test_pull__allocations_wait_for_the_host(void **state)
{
	/* A host that takes a millisecond to answer stalls faults; results are
	 * repeatable all the same. */
	struct price_list slow;
	char digest[2][DIGEST_HEX_SIZE];
	uint64_t stalls = 0, ns = 0;

	(void)state;
	price_list_default(&slow);
	slow.p[PRICE_COMPLETION].ps_1 = NSEC_PER_MSEC * 1000;
	slow.p[PRICE_COMPLETION].ps_n = NSEC_PER_MSEC * 1000;
	for (unsigned int i = 0; i < 2; i++) {
		struct cell c;
		struct sim *s = run(&c, &pull_bitmap_reporter, "0", "250M",
				    &slow);
		const struct sim_result *r = sim_result(s);

		memcpy(digest[i], r->digest, sizeof(digest[i]));
		stalls = counter(r, "guest.alloc_stalls");
		ns = counter(r, "guest.alloc_stall_ns");
		sim_destroy(s);
		cell_destroy(&c);
	}
	printf("%llu stalls, %llu ns\n", (unsigned long long)stalls,
	       (unsigned long long)ns);
	assert_true(stalls > 0);
	assert_true(ns > 0);
	assert_string_equal(digest[0], digest[1]);
}

static void test_pull__no_pull_no_trace(void **state)
{
	/* A host that never asks, and a bitmap that costs no time: event for
	 * event the cell without the design, and nothing stalls. */
	const struct reporter_ops *const designs[] = {
		&none_reporter, &pull_bitmap_reporter,
	};
	char digest[2][DIGEST_HEX_SIZE];
	struct price_list prices;

	(void)state;
	price_list_default(&prices);
	prices.p[PRICE_DESIGN_LOCAL].ps_1 = 0;
	prices.p[PRICE_DESIGN_LOCAL].ps_n = 0;
	prices.p[PRICE_DESIGN_SHARED].ps_1 = 0;
	prices.p[PRICE_DESIGN_SHARED].ps_n = 0;
	for (unsigned int i = 0; i < 2; i++) {
		struct cell c;
		struct sim *s = run(&c, designs[i], NULL, "0", &prices);

		memcpy(digest[i], sim_result(s)->digest, sizeof(digest[i]));
		ASSERT_U64("stalls", s->guests[0].alloc_stalls, 0);
		sim_destroy(s);
		cell_destroy(&c);
	}
	assert_string_equal(digest[0], digest[1]);
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(test_pull__a_short_host_gets_its_memory),
	cmocka_unit_test(test_pull__a_process_makes_the_host_short),
	cmocka_unit_test(test_pull__no_interrupt_of_a_process),
	cmocka_unit_test(test_pull__allocations_wait_for_the_host),
	cmocka_unit_test(test_pull__no_pull_no_trace),
};

TEST_MAIN(cases)
