/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Accesses of a whole machine by the sizes of both page tables' leaves, and
 * khugepaged of the host in virtual time. */
#include "sim/machine.h"
#include "tests/sim/cell.h"

#define TASK_PAGES 16384u /* 64 MiB, what the task writes */

static const struct row {
	const char *what, *guest_thp, *host_thp, *backing;
	const char *counter;     /* what all of it is counted as */
	uint64_t refs;           /* of all of it */
} rows[] = {
	{ "small on small", "off", "never", "4K", "guest.accessed_4k_on_4k",
	  24 * TASK_PAGES },
	{ "small on huge", "off", "always", "4K", "guest.accessed_4k_on_2m",
	  19 * TASK_PAGES },
	{ "small on 1 GiB", "off", "never", "1G", "guest.accessed_4k_on_1g",
	  14 * TASK_PAGES },
	{ "huge on small", "on", "never", "4K", "guest.accessed_2m_on_4k",
	  19 * TASK_PAGES },
	{ "huge on huge", "on", "always", "4K", "guest.accessed_2m_on_2m",
	  15 * TASK_PAGES / 512 },
	{ "huge on huge of hugetlbfs", "on", "never", "2M",
	  "guest.accessed_2m_on_2m", 15 * TASK_PAGES / 512 },
	{ "huge on 1 GiB", "on", "never", "1G", "guest.accessed_2m_on_1g",
	  11 * TASK_PAGES / 512 },
};

static void set(const struct option_table *t, void *base, const char *name,
		const char *value)
{
	char why[256];

	if (option_parse(option_find(t, name), value, base, why, sizeof(why)))
		fail_msg("%s = %s: %s", name, value, why);
}

static void setup(struct cell *c, const struct row *row)
{
	struct phase_options *o;

	cell_setup(c, &none_reporter, 1);
	set(&host_option_table, &c->cfg.host, "backing", row->backing);
	set(&mock_hypervisor.options, c->hypervisor_options, "thp",
	    row->host_thp);
	add_phase(c, "fill", &memhog_workload, 1, UNTIL_TASKS);
	o = &c->phases[0].opt;
	set(&phase_option_table, o, "size", "64M");
	set(&phase_option_table, o, "thp", row->guest_thp);
}

static uint64_t phase_counter(const struct sim_result *r, const char *name)
{
	const struct sim_phase_result *p = &r->phases[0];

	for (unsigned int i = 0; i < p->nr_counters; i++)
		if (!strcmp(p->counters[i].name, name))
			return p->counters[i].value;
	fail_msg("no counter %s", name);
	return 0;
}

static void test_walk_count__one_miss_for_each_page(void **state)
{
	/* A task writes 64 MiB once; nothing else is of that size. */
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct row *row = &rows[i];
		const struct sim_result *r;
		struct cell c;
		struct sim *s;

		setup(&c, row);
		s = cell_run(&c);
		r = sim_result(s);
		ASSERT_U64(row->what, phase_counter(r, row->counter) /
			   TASK_PAGES, 1);
		/* The kernel's own small pages come on top. */
		assert_true(phase_counter(r, "guest.walk_refs") >= row->refs);
		assert_true(phase_counter(r, "guest.walk_refs") <
			    row->refs + 24 * 64);
		sim_destroy(s);
		cell_destroy(&c);
	}
}

static void test_walk_count__a_price_takes_time(void **state)
{
	/* One nanosecond for each reference, against none. */
	static const uint64_t prices[] = { 0, 1000 };
	uint64_t ns[2] = { 0 }, refs[2] = { 0 };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct cell c;
		struct sim *s;

		setup(&c, &rows[1]);
		c.prices.p[PRICE_GUEST_WALK_REF].ps_1 = prices[i];
		c.prices.p[PRICE_GUEST_WALK_REF].ps_n = prices[i];
		s = cell_run(&c);
		ns[i] = sim_result(s)->virtual_ns;
		refs[i] = counter(sim_result(s), "guest.walk_refs");
		sim_destroy(s);
		cell_destroy(&c);
	}
	ASSERT_U64("references", refs[0], refs[1]);
	assert_true(ns[1] - ns[0] >= refs[1] / 10 * 9);
	assert_true(ns[1] - ns[0] <= refs[1] + refs[1] / 10);
}

static void test_host_threads__khugepaged_backs_a_balloon(void **state)
{
	/* A balloon takes every other page of 128 MiB from a host from 5.8 on
	 * that scans all of the guest each second; and without khugepaged. */
	static const struct {
		const char *khugepaged;
		uint64_t reinflated;
	} cases[] = { { "off", 0 }, { "on", 12288 } };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct sim_result *r;
		struct cell c;
		struct sim *s;
		void *o;

		setup(&c, &rows[1]);
		o = c.hypervisor_options;
		set(&mock_hypervisor.options, o, "khugepaged",
		    cases[i].khugepaged);
		set(&mock_hypervisor.options, o, "khugepaged_scan_sleep", "1s");
		set(&mock_hypervisor.options, o, "khugepaged_pages_to_scan",
		    "65536");
		set(&mock_hypervisor.options, o, "khugepaged_pte_mapped", "on");
		free(c.reporter_options);
		c.cfg.reporter = &balloon_reporter;
		c.reporter_options = defaults(&balloon_reporter.options);
		c.cfg.reporter_options = c.reporter_options;
		set(&balloon_reporter.options, c.reporter_options, "target",
		    "62M");
		set(&balloon_reporter.options, c.reporter_options, "target_at",
		    "1s");
		add_phase(&c, "holes", &usemem_workload, 1, UNTIL_TASKS);
		set(&phase_option_table, &c.phases[1].opt, "size", "128M");
		set(&usemem_workload.options, c.workload_options[1],
		    "punch_holes", "on");
		set(&usemem_workload.options, c.workload_options[1], "sleep",
		    "1000s");
		c.phases[1].opt.duration = 8 * NSEC_PER_SEC;
		c.cfg.check_every = 1000;
		s = cell_run(&c);
		r = sim_result(s);
		assert_true(counter(r, "host.reinflated_pages") >=
			    cases[i].reinflated);
		assert_true(counter(r, "host.khugepaged_collapsed") * 512 ==
			    counter(r, "host.khugepaged_copied_pages") +
				    counter(r, "host.reinflated_pages"));
		assert_true(!cases[i].reinflated ==
			    !counter(r, "host.khugepaged_scanned"));
		sim_destroy(s);
		cell_destroy(&c);
	}
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(test_walk_count__one_miss_for_each_page),
	cmocka_unit_test(test_walk_count__a_price_takes_time),
	cmocka_unit_test(test_host_threads__khugepaged_backs_a_balloon),
};

TEST_MAIN(cases)
