/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Scenario: cells in which passes of page_reporting come again and again to
 * lists of blocks that are reported already. Prints every counter, the longest
 * hold of the lock and the digest among them. Built twice, with walks that are
 * counted and with walks that are made: test_reporting_walks compares.
 */
#include "sim/machine.h"
#include "tests/sim/cell.h"

struct row {
	const char *kernel;
	uint64_t memory;
	const char *option, *value;    /* of the reporter; may be NULL */
	bool shuffle;
};

static const struct row rows[] = {
	{ "5.7", 2048 * MIB, NULL, NULL, false },
	{ "5.7", 1536 * MIB, "rotation", "off", false },
	{ "5.10", 2048 * MIB, "budget", "1", false },
	{ "6.1", 2048 * MIB, NULL, NULL, true },
	{ "6.1", 5000 * MIB, "order", "8", false },
	{ "6.1", 1024 * MIB, "order", "0", false },
	{ "6.1", 2048 * MIB, "capacity", "3", false },
	{ "6.1", 2048 * MIB, "factor", "60", false },
	{ "6.12.0", 2048 * MIB, "placement", "head", false },
	{ "6.12", 6000 * MIB, NULL, NULL, true },
	{ "6.12", 2048 * MIB, "order", "7", false },
	{ "6.18", 2048 * MIB, "budget", "0", false },
};

static void set(const struct option_table *t, void *base, const char *name,
		const char *value)
{
	char why[128] = "";

	if (option_parse(option_find(t, name), value, base, why, sizeof(why)))
		fail_msg("%s = %s: %s", name, value, why);
}

static void add_phases(struct cell *c)
{
	add_phase(c, "fill", &memhog_workload, 1, UNTIL_TASKS);
	c->phases[0].opt.size = (struct option_share){ 8000, true };
	add_phase(c, "settle", &idle_workload, 1, UNTIL_REPORTER_IDLE);
	c->phases[1].opt.duration = 60 * NSEC_PER_SEC;
	add_phase(c, "churn", &page_fault1_workload, 3, 0);
	c->phases[2].opt.duration = 9 * NSEC_PER_SEC / 10;
	c->phases[2].opt.thp = true;
	add_phase(c, "again", &idle_workload, 1, UNTIL_REPORTER_IDLE);
	c->phases[3].opt.duration = 60 * NSEC_PER_SEC;
}

static void run_row(const struct row *row, uint64_t seed)
{
	const struct sim_result *r;
	struct cell c;
	struct sim *s;

	cell_setup(&c, &page_reporting_reporter, seed);
	set(&guest_option_table, &c.cfg.guest, "kernel", row->kernel);
	c.cfg.guest.memory = row->memory;
	c.cfg.guest.shuffle = row->shuffle;
	set(&page_reporting_reporter.options, c.reporter_options, "delay",
	    "100ms");
	if (row->option)
		set(&page_reporting_reporter.options, c.reporter_options,
		    row->option, row->value);
	add_phases(&c);
	s = cell_run(&c);
	r = sim_result(s);
	printf("%s %s %s: digest %s\n", row->kernel,
	       row->option ? row->option : "-", row->value ? row->value : "-",
	       r->digest);
	for (unsigned int i = 0; i < r->nr_counters; i++)
		printf("%s %" PRIu64 "\n", r->counters[i].name,
		       r->counters[i].value);
	assert_true(counter(r, "reporter.skipped_marked") > 100);
	sim_destroy(s);
	cell_destroy(&c);
}

static void walks(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		run_row(&rows[i], i + 1);
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(walks),
};

TEST_MAIN(cases)
