/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Guests that are short of memory: kswapd, the OOM killer and khugepaged in
 * virtual time. Every cell is checked as it goes, and is the same with and
 * without run-ahead.
 */
#include "tests/sim/cell.h"

struct expected {
	const char *counter;
	uint64_t min, max;
};

struct row {
	const char *name;
	const struct workload_ops *workload;
	const char *guest[10];    /* key, value, ... NULL */
	const char *phase[6];
	const char *options[6];   /* of the workload */
	struct expected expected[6];
};

#define ANY UINT64_MAX

static const struct row rows[] = {
	{ "files on a disk: kswapd frees their cache", &page_fault2_workload,
	  { "files", "disk", NULL },
	  { "duration", "200ms", NULL },
	  { "map_size", "90M", NULL },
	  { { "guest.pgsteal_kswapd", 1000, ANY }, { "guest.oom_kill", 0, 0 },
	    { "guest.pageoutrun", 1, ANY } } },
	{ "files in memory: nothing can be freed", &page_fault2_workload,
	  { "files", "memory", NULL },
	  { "duration", "200ms", NULL },
	  { "map_size", "90M", NULL },
	  { { "guest.pgsteal_kswapd", 0, 0 }, { "guest.oom_kill", 1, 2 } } },
	{ "the larger one dies, the other's holes are collapsed",
	  &usemem_workload,
	  { "base", "60M", "thp", "always", "thp_defrag", "never",
	    "khugepaged_scan_sleep", "100ms", NULL },
	  { "size", "186M", NULL },
	  { "sleep", "2s", NULL },
	  { { "guest.oom_kill", 1, 1 }, { "guest.thp_collapse_alloc", 1, 4 },
	    { "guest.khugepaged_scanned", 4096, ANY } } },
	{ "no khugepaged: nothing is collapsed", &usemem_workload,
	  { "base", "60M", "thp", "always", "thp_defrag", "never",
	    "khugepaged", "off", NULL },
	  { "size", "186M", NULL },
	  { "sleep", "2s", NULL },
	  { { "guest.thp_collapse_alloc", 0, 0 },
	    { "guest.khugepaged_scanned", 0, 0 } } },
};

static void set_all(const struct option_table *t, void *base,
		    const char *const *pairs)
{
	char why[256];

	for (; pairs[0]; pairs += 2)
		if (option_parse(option_find(t, pairs[0]), pairs[1], base, why,
				 sizeof(why)))
			fail_msg("%s = %s: %s", pairs[0], pairs[1], why);
}

static struct sim *run(struct cell *c, const struct row *row, bool steps)
{
	cell_setup(c, &none_reporter, 1);
	snprintf(c->cfg.guest.topology, OPTION_STRING_SIZE, "core:2 pu:1");
	set_all(&guest_option_table, &c->cfg.guest, row->guest);
	add_phase(c, "measure", row->workload, 2, UNTIL_TASKS);
	set_all(&phase_option_table, &c->phases[0].opt, row->phase);
	set_all(&row->workload->options, c->workload_options[0],
		row->options);
	if (c->phases[0].opt.duration)
		c->phases[0].opt.until = UNTIL_DURATION;
	c->cfg.step_by_step = steps;
	c->cfg.check_every = 20011;
	return cell_run(c);
}

static void test_memory__short_of_it(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct cell a, b;
		struct sim *ahead = run(&a, &rows[i], false);
		struct sim *steps = run(&b, &rows[i], true);
		const struct sim_result *r = sim_result(ahead);

		for (const struct expected *e = rows[i].expected; e->counter;
		     e++) {
			const uint64_t value = counter(r, e->counter);

			if (value < e->min || value > e->max)
				fail_msg("%s: %s is %" PRIu64, rows[i].name,
					 e->counter, value);
		}
		assert_string_equal(r->digest, sim_result(steps)->digest);
		ASSERT_U64(rows[i].name, r->virtual_ns,
			   sim_result(steps)->virtual_ns);
		sim_destroy(ahead);
		sim_destroy(steps);
		cell_destroy(&a);
		cell_destroy(&b);
	}
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(test_memory__short_of_it),
};

int main(void)
{
	return cmocka_run_group_tests(cases, NULL, NULL) ? 1 : 0;
}
