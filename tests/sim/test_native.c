/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Processes of the host: what they fault, what they give back, and that no
 * guest has to do with it.
 */
#include <errno.h>

#include "tests/sim/native_cell.h"

#define REGION_PAGES 512u

static void test_native__faults_by_place_of_the_buffer(void **state)
{
	/*
	 * 3 GiB. Huge pages cover what lies between two boundaries of 2 MiB;
	 * malloc's mapping is a page longer.
	 */
	static const struct {
		const char *thp, *buffer;
		uint64_t huge, small;
	} rows[] = {
		{ "always", "aligned", 1536, 0 },
		{ "always", "unaligned", 1535, 512 },
		{ "always", "malloc", 1535, 513 },
		{ "never", "aligned", 0, 786432 },
		{ "never", "malloc", 0, 786433 },
	};

	(void)state;
	for (unsigned int i = 0; i < ARRAY_SIZE(rows); i++) {
		const char *row = test_row(i);
		const struct sim_result *r;
		struct cell c;
		struct sim *s;

		native_setup(&c, &largepages3_workload, 3072 * MIB,
			     rows[i].thp);
		c.cfg.check_every = 0;
		set(&largepages3_workload.options, c.workload_options[0],
		    "buffer", rows[i].buffer);
		s = cell_run(&c);
		r = sim_result(s);
		ASSERT_U64(row, phase_counter(r, "host.native_pgfault_huge"),
			   rows[i].huge);
		ASSERT_U64(row, phase_counter(r, "host.native_pgfault"),
			   rows[i].huge + rows[i].small);
		ASSERT_U64(row, phase_counter(r, "host.thp_fault_alloc"),
			   rows[i].huge);
		ASSERT_U64(row, phase_counter(r, "host.zeroed_pages"),
			   rows[i].huge * REGION_PAGES + rows[i].small);
		sim_destroy(s);
		cell_destroy(&c);
	}
}

static void test_native__hugetlbfs(void **state)
{
	/*
	 * 3 GiB of hugetlbfs: a fault for each page, all of it cleared, five
	 * passes with a walk of three levels, or two, for each; mappings are
	 * whole pages long and aligned, whatever was asked for.
	 */
	static const struct {
		unsigned int backing; /* index of its names */
		const char *buffer;
		uint64_t faults, pages, refs;
	} rows[] = {
		{ 2, "aligned", 1536, 786432, 5 * 1536 * 3 },
		{ 2, "unaligned", 1536, 786432, 5 * 1536 * 3 },
		{ 3, "aligned", 3, 786432, 5 * 3 * 2 },
		/* The header's page; three fills reach into a page more. */
		{ 2, "malloc", 1537, 786944,
		  (1 + 3 * 1537 + 2 * 1536) * 3 },
	};

	(void)state;
	for (unsigned int i = 0; i < ARRAY_SIZE(rows); i++) {
		const char *row = test_row(i);
		const struct sim_result *r;
		struct cell c;
		struct sim *s;

		native_setup(&c, &largepages3_workload, 3072 * MIB, "never");
		c.cfg.check_every = 10000;
		c.cfg.host.backing = rows[i].backing;
		set(&largepages3_workload.options, c.workload_options[0],
		    "buffer", rows[i].buffer);
		s = cell_run(&c);
		r = sim_result(s);
		ASSERT_U64(row, phase_counter(r, "host.native_pgfault"),
			   rows[i].faults);
		ASSERT_U64(row, phase_counter(r, "host.native_pgfault_huge"),
			   rows[i].faults);
		ASSERT_U64(row, phase_counter(r, "host.hugetlb_alloc"),
			   rows[i].faults);
		ASSERT_U64(row, phase_counter(r, "host.thp_fault_alloc"), 0);
		ASSERT_U64(row, phase_counter(r, "host.zeroed_pages"),
			   rows[i].pages);
		ASSERT_U64(row, phase_counter(r, "host.native_walk_refs"),
			   rows[i].refs);
		sim_destroy(s);
		cell_destroy(&c);
	}
}

static void test_native__where_it_starts_is_all_the_same(void **state)
{
	/* Other seeds, other places: the ends make 512 pages together. */
	(void)state;
	for (unsigned int seed = 1; seed <= 20; seed++) {
		const struct sim_result *r;
		struct cell c;
		struct sim *s;

		native_setup(&c, &largepages3_workload, 16 * MIB, "always");
		c.cfg.seed = seed;
		set(&largepages3_workload.options, c.workload_options[0],
		    "buffer", "unaligned");
		s = cell_run(&c);
		r = sim_result(s);
		ASSERT_U64(test_row(seed),
			   phase_counter(r, "host.native_pgfault_huge"), 7);
		ASSERT_U64(test_row(seed),
			   phase_counter(r, "host.native_pgfault"), 7 + 512);
		sim_destroy(s);
		cell_destroy(&c);
	}
}

static void test_native__estimates_walks_by_mapping(void **state)
{
	/* Five passes over 16 MiB: 4 references for each of the 4,096 pages, or
	 * 3 for each of the 8 regions. */
	static const struct { const char *thp; uint64_t misses, refs; } rows[] = {
		{ "never", 5 * 4096, 5 * 4096 * 4 },
		{ "always", 5 * 8, 5 * 8 * 3 },
	};

	(void)state;
	for (unsigned int i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct sim_result *r;
		struct cell c;
		struct sim *s;

		native_setup(&c, &largepages3_workload, 16 * MIB, rows[i].thp);
		s = cell_run(&c);
		r = sim_result(s);
		/* Small pages fault one by one: each is come to once. */
		ASSERT_U64(test_row(i),
			   phase_counter(r, "host.native_tlb_misses"),
			   rows[i].misses);
		ASSERT_U64(test_row(i),
			   phase_counter(r, "host.native_walk_refs"),
			   rows[i].refs);
		sim_destroy(s);
		cell_destroy(&c);
	}
}

static void test_native__is_no_guests_business(void **state)
{
	/* Two guests, two processes: nothing of either guest moves, nothing is
	 * in an EPT, and what the processes had is free again in the end. */
	static const char *const still[] = {
		"guest.pgfault", "guest.pages_zeroed", "alloc.pgalloc_normal",
		"host.ept_violation_zero_4k", "host.ept_violation_zero_2m",
		"host.ept_zap_2m", "guest.oom_kill",
	};
	const struct sim_result *r;
	struct cell c;
	struct sim *s;

	(void)state;
	native_setup(&c, &memhog_workload, 64 * MIB, "always");
	c.cfg.host.guests = 2;
	c.phases[0].opt.tasks = 2;
	s = cell_run(&c);
	r = sim_result(s);
	for (size_t i = 0; i < ARRAY_SIZE(still); i++)
		ASSERT_U64(still[i], phase_counter(r, still[i]), 0);
	ASSERT_U64("pages", phase_counter(r, "host.zeroed_pages"), 64 * 256);
	ASSERT_U64("iterations", r->phases[0].iterations, 64 * 256);
	assert_true(phase_metric(r, "host_rss_end_bytes") ==
		    phase_metric(r, "host_rss_close_bytes"));
	sim_destroy(s);
	cell_destroy(&c);
}

static void test_native__memory_is_seen_while_it_is_held(void **state)
{
	/* 64 MiB held for a second: samples show them, huge, and then not. */
	const struct sim_result *r;
	uint64_t least = UINT64_MAX, most = 0, most_huge = 0;
	struct cell c;
	struct sim *s;

	(void)state;
	native_setup(&c, &usemem_workload, 64 * MIB, "always");
	set(&usemem_workload.options, c.workload_options[0], "sleep", "1s");
	s = cell_run(&c);
	r = sim_result(s);
	for (unsigned int i = 0; i < r->nr_samples; i++) {
		const struct sim_sample *at = &r->samples[i];

		least = at->host_rss_pages < least ? at->host_rss_pages : least;
		if (at->host_rss_pages > most) {
			most = at->host_rss_pages;
			most_huge = at->host_anon_huge_pages;
		}
	}
	ASSERT_U64("resident", most - least, 64 * 256);
	assert_true(most_huge >= 64 * 256);
	ASSERT_U64("in the end",
		   r->samples[r->nr_samples - 1].host_rss_pages, least);
	sim_destroy(s);
	cell_destroy(&c);
}

static void test_native__holes_are_calls_of_one_page(void **state)
{
	/* 64 MiB of huge pages, every other page dropped: 32 mappings split,
	 * half of the pages leave, one call each. */
	const struct sim_result *r;
	struct cell c;
	struct sim *s;

	(void)state;
	native_setup(&c, &usemem_workload, 64 * MIB, "always");
	set(&usemem_workload.options, c.workload_options[0], "punch_holes",
	    "on");
	s = cell_run(&c);
	r = sim_result(s);
	ASSERT_U64("calls", phase_counter(r, "host.discard_calls"), 64 * 128);
	ASSERT_U64("pages", phase_counter(r, "host.rss_reclaimed_pages"),
		   64 * 128);
	ASSERT_U64("splits", phase_counter(r, "host.thp_split_pmd"), 32);
	sim_destroy(s);
	cell_destroy(&c);
}

static void test_native__laps_are_the_passes(void **state)
{
	/* Five passes; small pages make each of them slower, the first one
	 * most; the second and the third do the same. */
	double laps[2][5];

	(void)state;
	for (unsigned int i = 0; i < 2; i++) {
		static const char *const names[] = {
			"lap_1_s", "lap_2_s", "lap_3_s", "lap_4_s", "lap_5_s"
		};
		const struct sim_result *r;
		struct cell c;
		struct sim *s;

		native_setup(&c, &largepages3_workload, 64 * MIB,
			     i ? "never" : "always");
		s = cell_run(&c);
		r = sim_result(s);
		for (unsigned int n = 0; n < 5; n++)
			laps[i][n] = phase_metric(r, names[n]);
		assert_true(phase_metric(r, "lap_6_s") < 0);
		sim_destroy(s);
		cell_destroy(&c);
		assert_true(laps[i][0] > laps[i][1]);
		assert_true(laps[i][1] == laps[i][2]);
		assert_true(laps[i][1] > laps[i][3]);
		assert_true(laps[i][3] == laps[i][4]);
	}
	for (unsigned int n = 0; n < 5; n++)
		assert_true(laps[1][n] > laps[0][n]);
}

static void test_native__passes_over_mapped_memory_in_a_guest(void **state)
{
	/* 64 MiB in a guest, small pages and huge ones: what is mapped on both
	 * sides is paid by the page and by nothing else. */
	(void)state;
	for (unsigned int i = 0; i < 2; i++) {
		const struct sim_result *r;
		struct cell c;
		struct sim *s;
		double fill, store;

		native_setup(&c, &largepages3_workload, 64 * MIB, "always");
		c.phases[0].opt.native = false;
		c.phases[0].opt.thp = i;
		fill = (double)c.prices.p[PRICE_FILL_4K].ps_1 * 64 * 256 / 1e12;
		store = (double)c.prices.p[PRICE_TOUCH].ps_1 * 64 * 256 / 1e12;
		s = cell_run(&c);
		r = sim_result(s);
		assert_true(phase_metric(r, "lap_1_s") > fill * 1.5);
		assert_true(phase_metric(r, "lap_2_s") - fill < 1e-8);
		assert_true(fill - phase_metric(r, "lap_3_s") < 1e-8);
		assert_true(phase_metric(r, "lap_4_s") - store < 1e-8);
		assert_true(store - phase_metric(r, "lap_5_s") < 1e-8);
		ASSERT_U64(test_row(i), phase_counter(r, "guest.pgfault"),
			   i ? 32 : 64 * 256);
		sim_destroy(s);
		cell_destroy(&c);
	}
}

static void test_native__what_needs_a_guest_is_refused(void **state)
{
	/* Files and records exist in guests only; the message says so. */
	static const struct workload_ops *const rows[] = {
		&page_fault2_workload, &fork_storm_workload,
		&file_read_workload,
	};

	(void)state;
	for (unsigned int i = 0; i < ARRAY_SIZE(rows); i++) {
		char why[256] = "";
		struct cell c;
		struct sim *s;

		native_setup(&c, rows[i], 16 * MIB, "always");
		c.phases[0].opt.duration = NSEC_PER_SEC;
		assert_int_equal(sim_create(&s, &c.cfg, why, sizeof(why)), 0);
		assert_int_equal(sim_run_phase(s, 0, NULL, why, sizeof(why)),
				 -EINVAL);
		if (!strstr(why, "needs a guest"))
			fail_msg("row %u: '%s'", i, why);
		sim_destroy(s);
		cell_destroy(&c);
	}
}

static void test_native__a_full_host_is_an_error(void **state)
{
	/* 128 MiB beside a guest of some 50 on a host of 144, and more than the
	 * host has. */
	static const struct { uint64_t size; int err; } rows[] = {
		{ 128 * MIB, -ENOMEM }, { 1024 * MIB, -EINVAL },
	};

	(void)state;
	for (unsigned int i = 0; i < ARRAY_SIZE(rows); i++) {
		char why[256] = "";
		struct cell c;
		struct sim *s;

		native_setup(&c, &memhog_workload, rows[i].size, "never");
		set(&mock_hypervisor.options, c.hypervisor_options, "memory",
		    "160M");
		set(&mock_hypervisor.options, c.hypervisor_options, "base",
		    "16M");
		assert_int_equal(sim_create(&s, &c.cfg, why, sizeof(why)), 0);
		assert_int_equal(sim_run_phase(s, 0, NULL, why, sizeof(why)),
				 rows[i].err);
		if (!strstr(why, "host"))
			fail_msg("row %u: '%s'", i, why);
		sim_destroy(s);
		cell_destroy(&c);
	}
}

static void test_native__a_larger_guest_is_killed_for_it(void **state)
{
	/* Two guests have grown to 100 MiB, and a process asks for 32 more than
	 * the host has: one guest goes, and the process ends as it would have. */
	const struct sim_result *r;
	struct cell c;
	struct sim *s;

	(void)state;
	cell_setup(&c, &none_reporter, 1);
	c.cfg.host.guests = 2;
	set(&mock_hypervisor.options, c.hypervisor_options, "memory", "240M");
	set(&mock_hypervisor.options, c.hypervisor_options, "base", "16M");
	set(&mock_hypervisor.options, c.hypervisor_options, "thp", "never");
	add_phase(&c, "fill", &memhog_workload, 1, UNTIL_TASKS);
	c.phases[0].opt.size = (struct option_share){ .value = 48 * MIB };
	add_phase(&c, "process", &memhog_workload, 1, UNTIL_TASKS);
	c.phases[1].opt.native = true;
	c.phases[1].opt.size = (struct option_share){ .value = 32 * MIB };
	s = cell_run(&c);
	r = sim_result(s);
	ASSERT_U64("killed", phase_counter(r, "host.oom_kill"), 1);
	ASSERT_U64("pages", r->phases[1].iterations, 32 * 256);
	sim_destroy(s);
	cell_destroy(&c);
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(test_native__faults_by_place_of_the_buffer),
	cmocka_unit_test(test_native__hugetlbfs),
	cmocka_unit_test(test_native__where_it_starts_is_all_the_same),
	cmocka_unit_test(test_native__estimates_walks_by_mapping),
	cmocka_unit_test(test_native__is_no_guests_business),
	cmocka_unit_test(test_native__memory_is_seen_while_it_is_held),
	cmocka_unit_test(test_native__holes_are_calls_of_one_page),
	cmocka_unit_test(test_native__laps_are_the_passes),
	cmocka_unit_test(test_native__passes_over_mapped_memory_in_a_guest),
	cmocka_unit_test(test_native__what_needs_a_guest_is_refused),
	cmocka_unit_test(test_native__a_full_host_is_an_error),
	cmocka_unit_test(test_native__a_larger_guest_is_killed_for_it),
};

TEST_MAIN(cases)
