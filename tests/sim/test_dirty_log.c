/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A migration's dirty log in virtual time, with hints of free pages. */
#include <errno.h>

#include "sim/machine.h"
#include "tests/sim/cell.h"

struct machine {
	struct cell c;
	struct sim_event_config events[3];
};

static void add_event(struct machine *m, enum event_action action,
		      sim_ns_t at, sim_ns_t every)
{
	struct sim_event_config *e = &m->events[m->c.cfg.nr_events++];

	option_defaults(&event_option_table, &e->opt);
	snprintf(e->name, sizeof(e->name), "event %u", m->c.cfg.nr_events);
	e->phase = 1;
	e->opt.enabled = true;
	e->opt.action = action;
	e->opt.at = at;
	e->opt.every = every;
	e->opt.request = HOST_HINT_START;
	e->opt.id = 2;
}

/* Tasks that fault page by page, of whom the log knows each write. */
static void setup(struct machine *m, bool logged)
{
	memset(m, 0, sizeof(*m));
	cell_setup(&m->c, &free_page_hint_reporter, 3);
	m->c.cfg.events = m->events;
	add_phase(&m->c, "fill", &memhog_workload, 1, UNTIL_TASKS);
	m->c.phases[0].opt.size = (struct option_share){ .value = 150 * MIB };
	add_phase(&m->c, "migrate", &page_fault1_workload, 4, UNTIL_TASKS);
	m->c.phases[1].opt.duration = 60 * NSEC_PER_MSEC;
	option_parse(option_find(&page_fault1_workload.options, "map_size"),
		     "4M", m->c.workload_options[1], (char[64]){ 0 }, 64);
	if (!logged)
		return;
	add_event(m, EVENT_DIRTY_LOG_ON, NSEC_PER_MSEC, 7 * NSEC_PER_MSEC);
	add_event(m, EVENT_HOST_REQUEST, 2 * NSEC_PER_MSEC, 0);
	add_event(m, EVENT_DIRTY_LOG_OFF, 45 * NSEC_PER_MSEC, 0);
}

static void test_dirty_log__the_guest_is_mapped_in_single_pages(void **state)
{
	/* With a log that is read every 7 ms, and without. */
	struct machine m;
	struct sim *s;
	uint64_t zapped;

	(void)state;
	setup(&m, false);
	s = cell_run(&m.c);
	ASSERT_U64("no log", counter(sim_result(s), "host.dirty_logged_pages"),
		   0);
	ASSERT_U64("no log", counter(sim_result(s), "host.ept_zap_2m"), 0);
	sim_destroy(s);
	cell_destroy(&m.c);
	setup(&m, true);
	m.c.cfg.check_every = 500;
	s = cell_run(&m.c);
	zapped = counter(sim_result(s), "host.ept_zap_2m");
	/* All that memhog had, and the kernel's. */
	assert_true(zapped >= 75);
	assert_true(counter(sim_result(s), "host.dirty_logged_pages") > 5000);
	assert_true(counter(sim_result(s), "host.ept_violation_remap_4k") >
		    5000);
	/* Ends while tasks run on. */
	assert_true(counter(sim_result(s), "host.ept_violation_remap_2m") > 0);
	/* Free pages that memhog had used need not be sent. */
	assert_true(counter(sim_result(s), "reporter.hint_pages") > 0);
	sim_destroy(s);
	cell_destroy(&m.c);
}

static void test_dirty_log__running_ahead_changes_nothing(void **state)
{
	/* Runs of faults, and the same step by step. */
	char digest[2][DIGEST_HEX_SIZE];
	uint64_t logged[2], refs[2];

	(void)state;
	for (int step = 0; step < 2; step++) {
		struct machine m;
		struct sim *s;

		setup(&m, true);
		m.c.cfg.step_by_step = step;
		s = cell_run(&m.c);
		logged[step] = counter(sim_result(s),
				       "host.dirty_logged_pages");
		refs[step] = counter(sim_result(s), "guest.walk_refs");
		memcpy(digest[step], sim_result(s)->digest, DIGEST_HEX_SIZE);
		sim_destroy(s);
		cell_destroy(&m.c);
	}
	ASSERT_U64("logged", logged[0], logged[1]);
	ASSERT_U64("references", refs[0], refs[1]);
	assert_string_equal(digest[0], digest[1]);
}

static void test_dirty_log__refused(void **state)
{
	/* Memory of hugetlbfs is not logged: the run ends and says so. */
	struct machine m;
	struct sim *s;
	char why[256];

	(void)state;
	setup(&m, true);
	m.c.cfg.host.backing = 2; /* 2M */
	assert_int_equal(sim_create(&s, &m.c.cfg, why, sizeof(why)), 0);
	assert_int_equal(sim_run_phase(s, 0, NULL, why, sizeof(why)), 0);
	assert_int_equal(sim_run_phase(s, 1, NULL, why, sizeof(why)),
			 -EOPNOTSUPP);
	assert_non_null(strstr(why, "backing = 4K"));
	sim_destroy(s);
	cell_destroy(&m.c);
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(test_dirty_log__the_guest_is_mapped_in_single_pages),
	cmocka_unit_test(test_dirty_log__running_ahead_changes_nothing),
	cmocka_unit_test(test_dirty_log__refused),
};

TEST_MAIN(cases)
