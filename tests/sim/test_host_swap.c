/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Guests that are larger than their host: what swapping costs in virtual time,
 * and how much of it was in vain. */
#include <errno.h>

#include "sim/machine.h"
#include "tests/sim/cell.h"

static void set_option(const struct option_table *t, void *base,
		       const char *name, const char *value)
{
	char why[256];

	if (option_parse(option_find(t, name), value, base, why, sizeof(why)))
		fail_msg("%s = %s: %s", name, value, why);
}

struct row {
	const char *name;
	const struct reporter_ops *reporter;
	const char *host[8][2]; /* options of the hypervisor */
	const char *bandwidth;
	uint64_t swap_in_us;    /* price; 0 = the built-in one */
};

static void set_up(struct cell *c, const struct row *r)
{
	cell_setup(c, r->reporter, 1);
	c->cfg.check_every = 5000;
	c->cfg.guest.memory = 128 * MIB;
	set_option(&mock_hypervisor.options, c->hypervisor_options, "memory",
		   "72M");
	set_option(&mock_hypervisor.options, c->hypervisor_options, "base",
		   "0");
	set_option(&mock_hypervisor.options, c->hypervisor_options, "swap",
		   "200M");
	for (size_t i = 0; r->host[i][0]; i++)
		set_option(&mock_hypervisor.options, c->hypervisor_options,
			   r->host[i][0], r->host[i][1]);
	set_option(&host_option_table, &c->cfg.host, "swap_bandwidth",
		   r->bandwidth ? r->bandwidth : "0");
	if (r->swap_in_us)
		c->prices.p[PRICE_SWAP_IN_4K].ps_1 =
			c->prices.p[PRICE_SWAP_IN_4K].ps_n =
				r->swap_in_us * 1000000;
	add_phase(c, "first", &memhog_workload, 1, UNTIL_TASKS);
	add_phase(c, "settle", &idle_workload, 1, UNTIL_DURATION);
	add_phase(c, "second", &memhog_workload, 1, UNTIL_TASKS);
	c->phases[1].opt.duration = 10 * NSEC_PER_SEC;
	set_option(&phase_option_table, &c->phases[0].opt, "size", "95%");
	set_option(&phase_option_table, &c->phases[2].opt, "size", "40%");
}

struct outcome {
	uint64_t out, in, dead, out_free, direct, kswapd, wait_ns, virtual_ns;
	uint64_t second_ns, most_swapped;
};

static void run(const struct row *r, struct outcome *o)
{
	const struct sim_result *res;
	struct cell c;
	struct sim *s;

	set_up(&c, r);
	s = cell_run(&c);
	res = sim_result(s);
	*o = (struct outcome){
		.out = counter(res, "host.pswpout"),
		.in = counter(res, "host.pswpin"),
		.dead = counter(res, "host.swap_in_dead"),
		.out_free = counter(res, "host.swap_out_of_guest_free_pages"),
		.direct = counter(res, "host.allocstall"),
		.kswapd = counter(res, "host.pgsteal_kswapd"),
		.wait_ns = counter(res, "host.swap_wait_ns"),
		.virtual_ns = res->virtual_ns,
		.second_ns = res->phases[2].end - res->phases[2].start,
	};
	for (unsigned int i = 0; i < res->nr_samples; i++)
		if (res->samples[i].host_swapped_pages > o->most_swapped)
			o->most_swapped = res->samples[i].host_swapped_pages;
	print_message("%s: out %" PRIu64 " (free %" PRIu64 ") in %" PRIu64
		      " (dead %" PRIu64 ") stalls %" PRIu64 " kswapd %" PRIu64
		      "\n", r->name, o->out, o->out_free, o->in, o->dead,
		      o->direct, o->kswapd);
	sim_destroy(s);
	cell_destroy(&c);
}

static void test_host_swap__free_pages_of_the_guest_are_swapped(void **state)
{
	/* What memhog let go of is written to swap, and read to be cleared. */
	static const struct row row = { .name = "none",
					.reporter = &none_reporter };
	struct outcome o;

	(void)state;
	run(&row, &o);
	assert_true(o.out > 1000);
	assert_true(o.out_free > 0 && o.out_free < o.out);
	assert_true(o.dead > 0 && o.dead <= o.in);
	assert_true(o.most_swapped > 0 && o.most_swapped <= o.out);
	assert_int_equal(o.kswapd, 0);
	assert_true(o.direct > 0);
}

static void test_host_swap__a_reporter_saves_it(void **state)
{
	/* With reports in between nothing that is free is left to be swapped. */
	static const struct row none = { .name = "none",
					 .reporter = &none_reporter };
	static const struct row with = { .name = "page_reporting",
				.reporter = &page_reporting_reporter };
	struct outcome a, b;

	(void)state;
	run(&none, &a);
	run(&with, &b);
	assert_true(b.out < a.out);
	assert_true(b.in < a.in / 2);
	assert_true(b.dead < a.dead);
	assert_true(b.out_free < a.out_free);
	assert_true(b.second_ns < a.second_ns);
}

static void test_host_swap__a_slow_device_takes_its_time(void **state)
{
	/* 10 MiB a second: all that goes in or out passes it one by one. */
	static const struct row fast = { .name = "no limit",
					 .reporter = &none_reporter };
	static const struct row slow = { .name = "10M",
					 .reporter = &none_reporter,
					 .bandwidth = "10M" };
	struct outcome a, b;

	(void)state;
	run(&fast, &a);
	run(&slow, &b);
	ASSERT_U64("out", a.out, b.out);
	ASSERT_U64("in", a.in, b.in);
	ASSERT_U64("no wait", a.wait_ns, 0);
	/* One task waits for each of its transfers, to the nanosecond. */
	assert_in_range(b.wait_ns, (b.out + b.in) * 4096 * 1000 / 10486,
			(b.out + b.in) * 4096 * 1000 / 10485 * 1000);
	assert_true(b.virtual_ns >= a.virtual_ns + b.wait_ns - b.out - b.in);
}

static void test_host_swap__a_read_has_its_price(void **state)
{
	/* A read that costs 1 ms more makes each of them 1 ms later. */
	static const struct row cheap = { .name = "1us",
					  .reporter = &none_reporter,
					  .swap_in_us = 1 };
	static const struct row dear = { .name = "1001us",
					 .reporter = &none_reporter,
					 .swap_in_us = 1001 };
	struct outcome a, b;

	(void)state;
	run(&cheap, &a);
	run(&dear, &b);
	ASSERT_U64("reads", a.in, b.in);
	ASSERT_U64("time", b.virtual_ns - a.virtual_ns, a.in * 1000000);
}

static void test_host_swap__background_reclaim_spares_the_tasks(void **state)
{
	/* kswapd keeps a distance: fewer allocations have to reclaim. */
	static const struct row direct = { .name = "direct",
					   .reporter = &none_reporter,
					   .bandwidth = "1G" };
	static const struct row marks = {
		.name = "marks", .reporter = &none_reporter,
		.host = { { "watermark_min", "1M" }, { "watermark_low", "4M" },
			  { "watermark_high", "8M" } },
		.bandwidth = "1G",
	};
	struct outcome a, b;

	(void)state;
	run(&direct, &a);
	run(&marks, &b);
	assert_true(b.kswapd > 0);
	assert_true(b.direct < a.direct);
}

static void test_host_swap__a_guest_at_its_limit_swaps_alone(void **state)
{
	/* 60 MiB of a host of 1 GiB: its own pages go, nobody else is asked. */
	static const struct row row = {
		.name = "memcg_limit", .reporter = &none_reporter,
		.host = { { "memory", "1G" }, { "memcg_limit", "60M" } },
	};
	struct outcome o;

	(void)state;
	run(&row, &o);
	assert_true(o.out > 1000);
	ASSERT_U64("the host has enough", o.direct, 0);
	assert_true(o.dead > 0);
}

static void test_host_swap__full_swap_ends_in_failure(void **state)
{
	/* 10 MiB of swap are not enough, and nobody else can be killed. */
	static const struct row row = {
		.name = "full", .reporter = &none_reporter,
		.host = { { "swap", "10M" } },
	};
	char why[256] = "";
	struct cell c;
	struct sim *s;

	(void)state;
	set_up(&c, &row);
	assert_int_equal(sim_create(&s, &c.cfg, why, sizeof(why)), 0);
	assert_int_equal(sim_run_phase(s, 0, NULL, why, sizeof(why)), -ENOMEM);
	assert_non_null(strstr(why, "the host is out of memory"));
	ASSERT_U64("swap is full", counter(sim_result(s), "host.pswpout"),
		   2560);
	sim_destroy(s);
	cell_destroy(&c);
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(test_host_swap__a_guest_at_its_limit_swaps_alone),
	cmocka_unit_test(test_host_swap__full_swap_ends_in_failure),
	cmocka_unit_test(test_host_swap__free_pages_of_the_guest_are_swapped),
	cmocka_unit_test(test_host_swap__a_reporter_saves_it),
	cmocka_unit_test(test_host_swap__a_slow_device_takes_its_time),
	cmocka_unit_test(test_host_swap__a_read_has_its_price),
	cmocka_unit_test(test_host_swap__background_reclaim_spares_the_tasks),
};

TEST_MAIN(cases)
