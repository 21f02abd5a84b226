/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Processes of the modelled host against real memory: the live host, and a loop
 * of stores in this very process. Skipped where there are no huge pages.
 */
#define _GNU_SOURCE
#include <sys/mman.h>
#include <sys/resource.h>

#include "tests/sim/native_cell.h"

static uint64_t real_faults(void)
{
	struct rusage u;

	getrusage(RUSAGE_SELF, &u);
	return (uint64_t)(u.ru_minflt + u.ru_majflt);
}

/* Faults of a first pass over `size` bytes that start `offset` pages behind a
 * boundary; 0 if there is no memory. */
static uint64_t real_first_pass(size_t size, size_t offset, bool huge)
{
	const size_t all = size + 2 * HPAGE_PMD_SIZE;
	char *map = mmap(NULL, all, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), *p;
	uint64_t before;

	if (map == MAP_FAILED)
		return 0;
	p = map + (HPAGE_PMD_SIZE - (uintptr_t)map % HPAGE_PMD_SIZE) +
	    offset * PAGE_SIZE;
	/* The mapping ends where the buffer does, on both sides. */
	munmap(map, (size_t)(p - map));
	munmap(p + size, all - size - (size_t)(p - map));
	madvise(p, size, huge ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
	before = real_faults();
	for (size_t at = 0; at < size; at += PAGE_SIZE)
		*(volatile char *)(p + at) = 0;
	before = real_faults() - before;
	munmap(p, size);
	return before;
}

/*
 * The smallest of three: a sanitizer's shadow of these addresses is faulted in
 * with the first.
 */
static uint64_t real_faults_of(size_t size, size_t offset, bool huge)
{
	uint64_t least = UINT64_MAX;

	for (int i = 0; i < 3; i++) {
		const uint64_t nr = real_first_pass(size, offset, huge);

		if (nr < least)
			least = nr;
	}
	return least;
}

static uint64_t simulated_faults(size_t size, const char *buffer, bool huge)
{
	struct cell c;
	struct sim *s;
	uint64_t nr;

	native_setup(&c, &largepages3_workload, size,
		     huge ? "always" : "never");
	set(&largepages3_workload.options, c.workload_options[0], "buffer",
	    buffer);
	s = cell_run(&c);
	nr = phase_counter(sim_result(s), "host.native_pgfault");
	sim_destroy(s);
	cell_destroy(&c);
	return nr;
}

/* The counters of one workload on one host; false if it cannot do it here. */
static bool count_on(const struct hypervisor_ops *hv, bool huge,
		     const struct workload_ops *w, const char *key,
		     const char *value, uint64_t counts[4])
{
	static const char *const names[] = {
		"host.native_pgfault", "host.native_pgfault_huge",
		"host.zeroed_pages", "host.thp_split_pmd",
	};
	struct cell c;
	char why[256] = "";
	struct sim *s;
	int err;

	native_setup(&c, w, 32 * MIB, huge ? "always" : "never");
	free(c.hypervisor_options);
	c.hypervisor_options = defaults(&hv->options);
	c.cfg.hypervisor = hv;
	c.cfg.hypervisor_options = c.hypervisor_options;
	c.cfg.guest.memory = 64 * MIB;
	c.cfg.guest.base = 4 * MIB;
	set(&hv->options, c.hypervisor_options, "thp",
	    huge ? "always" : "never");
	set(&w->options, c.workload_options[0], key, value);
	err = sim_create(&s, &c.cfg, why, sizeof(why));
	if (err) {
		printf("%s: %s\n", hv->name, why);
		cell_destroy(&c);
		return false;
	}
	if (sim_run_phase(s, 0, NULL, why, sizeof(why)))
		fail_msg("%s: %s", hv->name, why);
	for (unsigned int i = 0; i < ARRAY_SIZE(names); i++)
		counts[i] = phase_counter(sim_result(s), names[i]);
	sim_destroy(s);
	cell_destroy(&c);
	return true;
}

static void test_native_real__mock_and_live_host_count_alike(void **state)
{
	/*
	 * The same programs on the modelled host and on real memory. A busy
	 * machine may be without a huge page for a moment: three tries.
	 */
	static const struct {
		const struct workload_ops *w;
		const char *key, *value;
		bool huge;
	} rows[] = {
		{ &largepages3_workload, "buffer", "aligned", true },
		{ &largepages3_workload, "buffer", "unaligned", true },
		{ &largepages3_workload, "buffer", "malloc", true },
		{ &largepages3_workload, "buffer", "malloc", false },
		{ &usemem_workload, "punch_holes", "on", true },
		{ &usemem_workload, "punch_holes", "on", false },
	};

	(void)state;
	for (unsigned int i = 0; i < ARRAY_SIZE(rows); i++) {
		uint64_t mock[4], live[4];

		assert_true(count_on(&mock_hypervisor, rows[i].huge, rows[i].w,
				     rows[i].key, rows[i].value, mock));
		for (unsigned int n = 0; n < 3; n++) {
			if (!count_on(&live_hypervisor, rows[i].huge,
				      rows[i].w, rows[i].key, rows[i].value,
				      live))
				skip();
			if (!memcmp(live, mock, sizeof(mock)))
				break;
		}
		for (unsigned int k = 0; k < 4; k++)
			ASSERT_U64(test_row(i), live[k], mock[k]);
	}
}

static void test_native_real__faults_are_those_of_real_memory(void **state)
{
	/* 64 MiB written for the first time here and in the simulation. A fault
	 * or two of the program itself may come in between. */
	static const struct {
		const char *buffer;
		size_t offset;
		bool huge;
	} rows[] = {
		{ "aligned", 0, true }, { "unaligned", 1, true },
		{ "unaligned", 300, true }, { "unaligned", 511, true },
		{ "aligned", 0, false }, { "unaligned", 77, false },
	};
	const size_t size = 64 * MIB;

	(void)state;
	if (real_faults_of(size, 0, true) > 100) {
		printf("skipped: this host gives no huge pages\n");
		skip();
	}
	for (unsigned int i = 0; i < ARRAY_SIZE(rows); i++) {
		const uint64_t real = real_faults_of(size, rows[i].offset,
						     rows[i].huge);
		const uint64_t mine = simulated_faults(size, rows[i].buffer,
						       rows[i].huge);

		printf("%s %zu, huge %d: real %llu, simulated %llu\n",
		       rows[i].buffer, rows[i].offset, rows[i].huge,
		       (unsigned long long)real, (unsigned long long)mine);
		assert_true(real >= mine && real <= mine + 3);
	}
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(test_native_real__mock_and_live_host_count_alike),
	cmocka_unit_test(test_native_real__faults_are_those_of_real_memory),
};

TEST_MAIN(cases)
