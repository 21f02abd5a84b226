/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a guest costs on the machine that simulates it: memory for what was
 * touched, not for what there is. Each guest runs in a process of its own; its
 * growth is resident memory and page tables as the kernel counts them.
 */
#define _GNU_SOURCE
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sim/machine.h"
#include "tests/sim/cell.h"

#define GIB (UINT64_C(1) << 30)
#define TIB (UINT64_C(1) << 40)
#define KIB_PER_MIB 1024u

/* KiB that a step added to the process. */
struct growth {
	uint64_t boot, sweep, reports;
	uint64_t faults, visits;
	bool done;
};

/* Resident memory and page tables of this process, in KiB. */
static uint64_t process_kib(void)
{
	FILE *f = fopen("/proc/self/status", "r");
	unsigned long long n;
	char line[128];
	uint64_t sum = 0;

	assert_non_null(f);
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, "VmRSS: %llu", &n) == 1 ||
		    sscanf(line, "VmPTE: %llu", &n) == 1)
			sum += n;
	fclose(f);
	assert_true(sum > 0);
	return sum;
}

static uint64_t since(uint64_t before)
{
	const uint64_t now = process_kib();

	return now > before ? now - before : 0;
}

static void set(const struct option_table *t, void *base, const char *name,
		const char *value)
{
	char why[128] = "";

	if (option_parse(option_find(t, name), value, base, why, sizeof(why)))
		fail_msg("%s = %s: %s", name, value, why);
}

/* One GiB in single pages, given back; then all that is free is reported. */
static void sparse_cell(struct cell *c, uint64_t memory)
{
	cell_setup(c, &page_reporting_reporter, 1);
	set(&guest_option_table, &c->cfg.guest, "kernel", "6.1");
	set(&mock_hypervisor.options, c->hypervisor_options, "memory", "8T");
	c->cfg.guest.memory = memory;
	add_phase(c, "sweep", &memhog_workload, 1, UNTIL_TASKS);
	c->phases[0].opt.size = (struct option_share){ GIB, false };
	add_phase(c, "report", &idle_workload, 1, UNTIL_REPORTER_IDLE);
	c->phases[1].opt.duration = 3600 * NSEC_PER_SEC;
}

static void phase(struct sim *s, unsigned int i)
{
	char why[256] = "";

	if (sim_run_phase(s, i, NULL, why, sizeof(why)))
		fail_msg("phase %u: %s", i, why);
}

static void measure_here(uint64_t memory, struct growth *g)
{
	char why[256] = "";
	uint64_t before = process_kib();
	struct cell c;
	struct sim *s;

	sparse_cell(&c, memory);
	if (sim_create(&s, &c.cfg, why, sizeof(why)))
		fail_msg("sim_create: %s", why);
	g->boot = since(before);
	before = process_kib();
	phase(s, 0);
	g->sweep = since(before);
	before = process_kib();
	phase(s, 1);
	g->reports = since(before);
	g->faults = counter(sim_result(s), "guest.pgfault");
	g->visits = counter(sim_result(s), "reporter.list_visits");
	g->done = true;
	sim_destroy(s);
	cell_destroy(&c);
}

static struct growth measure(uint64_t memory)
{
	struct growth *g = mmap(NULL, sizeof(*g), PROT_READ | PROT_WRITE,
				MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct growth result;
	int status;
	pid_t pid;

	assert_true(g != MAP_FAILED);
	fflush(NULL);
	pid = fork();
	assert_true(pid >= 0);
	if (!pid) {
		measure_here(memory, g);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	result = *g;
	munmap(g, sizeof(*g));
	assert_true(result.done);
	printf("%" PRIu64 " GiB: boot %" PRIu64 " KiB, 1 GiB touched %" PRIu64
	       " KiB, reported %" PRIu64 " KiB, %" PRIu64 " list visits\n",
	       memory / GIB, result.boot, result.sweep, result.reports,
	       result.visits);
	return result;
}

/* Guests larger than the machine boot in a corner of it. */
static void test_large_guests__large_guests_boot_under_200_mib(void **state)
{
	static const uint64_t sizes[] = { TIB, 4 * TIB - GIB };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		const struct growth g = measure(sizes[i]);

		assert_true(g.boot < 200 * KIB_PER_MIB);
		/* Every block of 4 MiB was marked: a record each on both
		 * sides, 16 bytes and less. */
		assert_true(g.boot + g.sweep + g.reports < 200 * KIB_PER_MIB);
	}
}

/*
 * The same GiB, touched in single pages, costs the same in any guest: at most
 * some pages of tables that happen to be cut differently.
 */
static void test_large_guests__touched_memory_costs_the_same(void **state)
{
	const struct growth small = measure(2 * GIB);
	static const uint64_t sizes[] = { 128 * GIB, TIB, 4 * TIB - GIB };

	(void)state;
	assert_true(small.sweep > 0);
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		const struct growth g = measure(sizes[i]);

		ASSERT_U64("faults", g.faults, small.faults);
		assert_true(g.sweep <= small.sweep * 5 / 4 + KIB_PER_MIB);
	}
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(test_large_guests__large_guests_boot_under_200_mib),
	cmocka_unit_test(test_large_guests__touched_memory_costs_the_same),
};

TEST_MAIN(cases)
