/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Events and injections of a run: when they happen, in which order, and that
 * they do what they say.
 */
#include <errno.h>

#include "tests/sim/cell.h"

struct moments {
	struct sim_event_config events[4];
	unsigned int nr;
};

static struct event_options *add_event(struct moments *m, const char *name,
				       enum event_action action, sim_ns_t at)
{
	struct sim_event_config *e = &m->events[m->nr++];

	*e = (struct sim_event_config){ 0 };
	snprintf(e->name, sizeof(e->name), "%s", name);
	option_defaults(&event_option_table, &e->opt);
	e->opt.action = action;
	e->opt.at = at;
	return &e->opt;
}

static void idle_cell(struct cell *c, const struct reporter_ops *reporter,
		      struct moments *m)
{
	*m = (struct moments){ 0 };
	cell_setup(c, reporter, 1);
	add_phase(c, "wait", &idle_workload, 1, UNTIL_DURATION);
	c->phases[0].opt.duration = 5 * NSEC_PER_SEC;
	c->cfg.events = m->events;
}

static void finish(struct cell *c, struct sim *s)
{
	sim_destroy(s);
	cell_destroy(c);
}

/* Two targets at the same time: the section that comes later decides. */
static void test_event__same_time_goes_by_section(void **state)
{
	const uint64_t targets[2][2] = { { 8 * MIB, 4 * MIB },
					 { 4 * MIB, 8 * MIB } };

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct moments m;
		struct cell c;
		struct sim *s;
		const struct sim_result *r;
		char why[256];

		idle_cell(&c, &balloon_reporter, &m);
		for (int k = 0; k < 2; k++)
			add_event(&m, "t", EVENT_BALLOON_TARGET,
				  NSEC_PER_SEC)->value = targets[i][k];
		c.cfg.nr_events = m.nr;
		s = cell_run(&c);
		r = sim_result(s);
		ASSERT_U64("balloon", counter(r, "reporter.balloon_inflate") -
			   counter(r, "reporter.balloon_deflate"),
			   bytes_to_pages(targets[i][1]));
		assert_int_equal(sim_verdict(s, why, sizeof(why)), 0);
		finish(&c, s);
	}
}

/* every and count; and a time after the end of the phase. */
static void test_event__repeats_as_often_as_asked(void **state)
{
	struct event_options *o;
	struct moments m;
	struct cell c;
	struct sim *s;

	(void)state;
	idle_cell(&c, &none_reporter, &m);
	o = add_event(&m, "drop", EVENT_DROP_CACHES, NSEC_PER_SEC);
	o->value = 1;
	o->every = 500 * NSEC_PER_MSEC;
	o->count = 3;
	o = add_event(&m, "late", EVENT_DROP_CACHES, NSEC_PER_SEC);
	o->value = 3;
	o->from = FROM_PHASE_END;
	c.cfg.nr_events = m.nr;
	add_phase(&c, "after", &idle_workload, 1, UNTIL_DURATION);
	c.phases[1].opt.duration = 2 * NSEC_PER_SEC;
	s = cell_run(&c);
	ASSERT_U64("drops", counter(sim_result(s), "guest.drop_pagecache"), 4);
	finish(&c, s);
}

/* One that the run leaves no time for is an error that names it. */
static void test_event__that_never_comes_is_an_error(void **state)
{
	char why[256] = "";
	struct moments m;
	struct cell c;
	struct sim *s;

	(void)state;
	idle_cell(&c, &none_reporter, &m);
	add_event(&m, "too_late", EVENT_COMPACT_MEMORY, 60 * NSEC_PER_SEC);
	c.cfg.nr_events = m.nr;
	s = cell_run(&c);
	assert_int_equal(sim_verdict(s, why, sizeof(why)), -EINVAL);
	assert_non_null(strstr(why, "too_late"));
	assert_non_null(strstr(why, "phase wait"));
	finish(&c, s);
}

/* Memory in one piece, in a guest that reports; then a block goes away. */
static void test_event__range_of_memory(void **state)
{
	const struct sim_result *r;
	struct moments m;
	struct cell c;
	struct sim *s;

	(void)state;
	idle_cell(&c, &page_reporting_reporter, &m);
	add_event(&m, "page", EVENT_GIGANTIC_PAGE,
		  NSEC_PER_SEC)->value = 64 * MIB;
	add_event(&m, "block", EVENT_MEMORY_OFFLINE,
		  2 * NSEC_PER_SEC)->value = 32 * MIB;
	c.cfg.nr_events = m.nr;
	s = cell_run(&c);
	r = sim_result(s);
	ASSERT_U64("had", counter(r, "guest.range_success"), 2);
	ASSERT_U64("not had", counter(r, "guest.range_fail"), 0);
	finish(&c, s);
}

/* Stopped before its first pass the reporter sends nothing; started, it does. */
static void test_event__reporter_stops_and_starts(void **state)
{
	(void)state;
	for (int start = 0; start < 2; start++) {
		struct moments m;
		struct cell c;
		struct sim *s;

		idle_cell(&c, &page_reporting_reporter, &m);
		add_event(&m, "stop", EVENT_REPORTER_STOP, NSEC_PER_SEC);
		if (start)
			add_event(&m, "start", EVENT_REPORTER_START,
				  2 * NSEC_PER_SEC);
		c.cfg.nr_events = m.nr;
		s = cell_run(&c);
		ASSERT_U64("reports", counter(sim_result(s),
			   "reporter.report_calls") > 0, start);
		finish(&c, s);
	}
}

/* An event that is off is not there: the same digest. */
static void test_event__off_is_absent(void **state)
{
	char digests[3][DIGEST_HEX_SIZE];

	(void)state;
	for (int i = 0; i < 3; i++) {
		struct moments m;
		struct cell c;
		struct sim *s;

		idle_cell(&c, &balloon_reporter, &m);
		if (i) {
			struct event_options *o = add_event(&m, "t",
				EVENT_BALLOON_TARGET, NSEC_PER_SEC);

			o->value = 8 * MIB;
			o->enabled = i == 2;
		}
		c.cfg.nr_events = m.nr;
		s = cell_run(&c);
		memcpy(digests[i], sim_result(s)->digest, DIGEST_HEX_SIZE);
		finish(&c, s);
	}
	assert_string_equal(digests[0], digests[1]);
	assert_string_not_equal(digests[0], digests[2]);
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(test_event__same_time_goes_by_section),
	cmocka_unit_test(test_event__range_of_memory),
	cmocka_unit_test(test_event__repeats_as_often_as_asked),
	cmocka_unit_test(test_event__that_never_comes_is_an_error),
	cmocka_unit_test(test_event__reporter_stops_and_starts),
	cmocka_unit_test(test_event__off_is_absent),
};

TEST_MAIN(cases)
