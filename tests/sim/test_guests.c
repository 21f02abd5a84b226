/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Several guests on one host: when they are launched, who is killed, what is
 * left of those that are gone. All checks of all parts run after every event.
 */
#include <errno.h>

#include "sim/machine.h"
#include "tests/sim/cell.h"

static void set(const struct option_table *t, void *base, const char *name,
		const char *value)
{
	char why[256];

	if (option_parse(option_find(t, name), value, base, why, sizeof(why)))
		fail_msg("%s = %s: %s", name, value, why);
}

#define SET_HOST(c, name, value) \
	set(&host_option_table, &(c)->cfg.host, name, value)
#define SET_MOCK(c, name, value) \
	set(&mock_hypervisor.options, (c)->hypervisor_options, name, value)

/* So many guests of 64 MiB, each of which writes 32 MiB and exits. */
static void setup(struct cell *c, const struct reporter_ops *reporter,
		  unsigned int guests, const char *host_memory)
{
	cell_setup(c, reporter, 1);
	c->cfg.guest.memory = 64 * MIB;
	c->cfg.guest.base = 4 * MIB;
	snprintf(c->cfg.guest.topology, OPTION_STRING_SIZE, "core:1 pu:1");
	c->cfg.host.guests = guests;
	SET_MOCK(c, "memory", host_memory);
	SET_MOCK(c, "base", "0");
	add_phase(c, "fill", &memhog_workload, 1, UNTIL_TASKS);
	c->phases[0].opt.size.value = 32 * MIB;
	c->cfg.sample_ns = 10 * NSEC_PER_MSEC;
	c->cfg.check_every = 1;
}

/* Another workload, for so long. */
static void instead(struct cell *c, const struct workload_ops *w, sim_ns_t ns)
{
	free(c->workload_options[0]);
	c->cfg.nr_phases = 0;
	add_phase(c, w->name, w, 1, UNTIL_DURATION);
	c->phases[0].opt.duration = ns;
}

static void finish(struct cell *c, struct sim *s)
{
	sim_destroy(s);
	cell_destroy(c);
}

static uint64_t host_counter(struct sim *s, const char *name)
{
	return counter(sim_result(s), name);
}

/* Time of the first sample in which the guest is there, in ms. */
static uint64_t seen_at(struct sim *s, unsigned int guest)
{
	const struct sim_result *r = sim_result(s);
	unsigned int i;

	for (i = 0; i < r->nr_samples; i++)
		if (r->guest_samples[i * r->nr_guests + guest].rss_pages)
			return r->samples[i].at / NSEC_PER_MSEC;
	return UINT64_MAX;
}

/* Each policy: how many are there at once, and when the third is seen. */
static void test_guests__launch_policies(void **state)
{
	static const struct {
		const char *policy, *gap;
		uint64_t launched, third_from, third_to, fit;
	} rows[] = {
		{ "together", "0ms", 3, 0, 0, 3 },
		{ "interval", "70ms", 3, 140, 150, 3 },
		{ "sequence", "500ms", 3, 1000, 1500, 3 },
		{ "events", "0ms", 1, UINT64_MAX, UINT64_MAX, 1 },
	};

	(void)state;
	for (unsigned int i = 0; i < ARRAY_SIZE(rows); i++) {
		struct cell c;
		struct sim *s;

		setup(&c, &none_reporter, 3, "1G");
		SET_HOST(&c, "launch", rows[i].policy);
		SET_HOST(&c, "launch_gap", rows[i].gap);
		s = cell_run(&c);
		ASSERT_U64(rows[i].policy, host_counter(s,
			   "host.guests_launched"), rows[i].launched);
		ASSERT_U64(rows[i].policy, host_counter(s, "host.guests_fit"),
			   rows[i].fit);
		assert_true(seen_at(s, 2) >= rows[i].third_from);
		assert_true(seen_at(s, 2) <= rows[i].third_to);
		finish(&c, s);
	}
}

/* In a sequence, a guest's tasks are done before the next one boots. */
static void test_guests__sequence_is_one_after_the_other(void **state)
{
	const struct sim_result *r;
	struct cell c;
	struct sim *s;
	uint64_t before = 0;

	(void)state;
	setup(&c, &none_reporter, 4, "1G");
	SET_HOST(&c, "launch", "sequence");
	SET_HOST(&c, "launch_gap", "20ms");
	s = cell_run(&c);
	r = sim_result(s);
	for (unsigned int i = 0; i < r->nr_samples; i++) {
		const struct sim_guest_sample *g = &r->guest_samples[i * 4];
		unsigned int busy = 0;

		for (unsigned int n = 0; n < 4; n++)
			busy += g[n].used_pages > bytes_to_pages(20 * MIB);
		assert_true(busy <= 1);
		assert_true(r->samples[i].guests_running >= before);
		before = r->samples[i].guests_running;
	}
	ASSERT_U64("running", before, 4);
	finish(&c, s);
}

/* The peaks of guests that start together and apart. */
static void test_guests__stagger_moves_the_peaks(void **state)
{
	(void)state;
	for (unsigned int apart = 0; apart < 2; apart++) {
		struct cell c;
		struct sim *s;
		const struct sim_result *r;
		uint64_t most = 0;

		setup(&c, &none_reporter, 2, "1G");
		instead(&c, &usemem_workload, 0);
		c.phases[0].opt.until = UNTIL_TASKS;
		c.phases[0].opt.size.value = 32 * MIB;
		set(&usemem_workload.options, c.workload_options[0], "sleep",
		    "300ms");
		c.phases[0].opt.stagger = apart * NSEC_PER_SEC;
		s = cell_run(&c);
		r = sim_result(s);
		for (unsigned int i = 0; i < r->nr_samples; i++)
			if (r->samples[i].guest_used_pages > most)
				most = r->samples[i].guest_used_pages;
		assert_true((most > bytes_to_pages(60 * MIB)) == !apart);
		ASSERT_U64("fit", host_counter(s, "host.guests_fit"), 2);
		finish(&c, s);
	}
}

/* The first guest has most when the host is full: it is killed, others go on. */
static void test_guests__the_largest_is_killed(void **state)
{
	struct cell c;
	struct sim *s;
	const struct sim_result *r;

	(void)state;
	setup(&c, &none_reporter, 3, "72M");
	c.phases[0].opt.stagger = 400 * NSEC_PER_MSEC;
	s = cell_run(&c);
	r = sim_result(s);
	ASSERT_U64("first", s->guests[0].state, GUEST_GONE);
	ASSERT_U64("launched", counter(r, "host.guests_launched"), 3);
	ASSERT_U64("killed", counter(r, "host.guests_killed"), 2);
	ASSERT_U64("oom_kill", counter(r, "host.oom_kill"), 2);
	/* It had finished before; what it counted stays. */
	ASSERT_U64("tasks", counter(r, "guest.tasks_started"), 3);
	assert_true(guest_counters(s->guests[0].mm)->pgfault >
		    bytes_to_pages(16 * MIB));
	ASSERT_U64("running", s->nr_guests_running, 1);
	finish(&c, s);
}

/* Of two that are equal the one that was launched later dies. */
static void test_guests__of_equals_the_youngest_is_killed(void **state)
{
	struct cell c;
	struct sim *s;

	(void)state;
	setup(&c, &none_reporter, 3, "1G");
	instead(&c, &idle_workload, NSEC_PER_SEC);
	c.cfg.guest.base = 0;
	s = cell_run(&c);
	assert_true(guests_make_room(&s->guests[0], -ENOMEM));
	ASSERT_U64("third", s->guests[2].state, GUEST_GONE);
	assert_true(guests_make_room(&s->guests[0], -ENOMEM));
	ASSERT_U64("second", s->guests[1].state, GUEST_GONE);
	/* There is no other left. */
	assert_false(guests_make_room(&s->guests[0], -ENOMEM));
	assert_true(s->failed);
	finish(&c, s);
}

/* Who is alone, or may not be killed, makes the run fail. */
static void test_guests__without_a_victim_the_run_fails(void **state)
{
	static const struct { unsigned int guests; const char *oom; } rows[] = {
		{ 1, "kill" }, { 2, "fail" },
	};
	char why[256];

	(void)state;
	for (unsigned int i = 0; i < ARRAY_SIZE(rows); i++) {
		struct cell c;
		struct sim *s;

		setup(&c, &none_reporter, rows[i].guests, "30M");
		SET_HOST(&c, "oom", rows[i].oom);
		assert_int_equal(sim_create(&s, &c.cfg, why, sizeof(why)), 0);
		assert_int_equal(sim_run_phase(s, 0, NULL, why, sizeof(why)),
				 -ENOMEM);
		assert_non_null(strstr(why, "give [host] more memory"));
		finish(&c, s);
	}
}

/* The mock host, with a limit of 20 MiB for the second guest. */
static int limited_access(struct hypervisor *hv, uint32_t guest, pfn_t pfn,
			  unsigned int order, enum hv_access kind,
			  struct hv_events *ev)
{
	struct hv_gauges now;

	mock_hypervisor.gauges(hv, guest, &now);
	if (guest == 1 && now.rss_pages >= bytes_to_pages(20 * MIB))
		return -EDQUOT;
	return mock_hypervisor.access(hv, guest, pfn, order, kind, ev);
}

/* At its own limit a guest dies itself, in a fault or while it boots. */
static void test_guests__over_its_limit_it_is_killed_itself(void **state)
{
	struct hypervisor_ops limited = mock_hypervisor;

	(void)state;
	limited.access = limited_access;
	for (unsigned int boot = 0; boot < 2; boot++) {
		struct cell c;
		struct sim *s;

		setup(&c, &page_reporting_reporter, 3, "1G");
		c.cfg.hypervisor = &limited;
		if (boot)
			c.cfg.guest.base = 30 * MIB;
		c.phases[0].opt.size.value = 16 * MIB;
		s = cell_run(&c);
		ASSERT_U64("first", s->guests[0].state, GUEST_RUNS);
		ASSERT_U64("second", s->guests[1].state, GUEST_GONE);
		/* The host gives the number, and so the limit, once more. */
		ASSERT_U64("third", s->guests[2].state,
			   boot ? GUEST_GONE : GUEST_RUNS);
		ASSERT_U64("fit", host_counter(s, "host.guests_fit"),
			   boot ? 1 : 2);
		ASSERT_U64("tasks", host_counter(s, "guest.tasks_started"),
			   boot ? 1 : 3);
		finish(&c, s);
	}
}

/* Launching stops at a kill, and who finishes later does not count. */
static void test_guests__launching_stops_at_a_kill(void **state)
{
	(void)state;
	for (unsigned int stop = 0; stop < 2; stop++) {
		struct cell c;
		struct sim *s;

		setup(&c, &none_reporter, 6, "100M");
		SET_HOST(&c, "launch", "sequence");
		SET_HOST(&c, "launch_gap", "10ms");
		SET_HOST(&c, "stop_at", stop ? "kill" : "never");
		s = cell_run(&c);
		ASSERT_U64("launched", host_counter(s, "host.guests_launched"),
			   stop ? 3 : 6);
		ASSERT_U64("killed", host_counter(s, "host.guests_killed"),
			   stop ? 1 : 4);
		ASSERT_U64("fit", host_counter(s, "host.guests_fit"),
			   stop ? 2 : 6);
		finish(&c, s);
	}
}

/* The third guest makes the host swap: launching is over, nobody dies. */
static void test_guests__launching_stops_at_swap(void **state)
{
	(void)state;
	for (unsigned int stop = 0; stop < 2; stop++) {
		struct cell c;
		struct sim *s;
		const struct sim_result *r;

		setup(&c, &none_reporter, 6, "100M");
		SET_MOCK(&c, "swap", "1G");
		SET_HOST(&c, "launch", "sequence");
		SET_HOST(&c, "launch_gap", "10ms");
		SET_HOST(&c, "stop_at", stop ? "swap" : "never");
		s = cell_run(&c);
		r = sim_result(s);
		assert_true(counter(r, "host.pswpout"));
		ASSERT_U64("launched", counter(r, "host.guests_launched"),
			   stop ? 3 : 6);
		ASSERT_U64("killed", counter(r, "host.guests_killed"), 0);
		ASSERT_U64("fit", counter(r, "host.guests_fit"), stop ? 2 : 6);
		assert_true(r->guest_samples[(r->nr_samples - 1) * 6]
				    .swapped_pages);
		finish(&c, s);
	}
}

/* A full swap: what is in it counts when the largest guest is looked for. */
static void test_guests__what_is_swapped_counts(void **state)
{
	struct cell c;
	struct sim *s;

	(void)state;
	setup(&c, &none_reporter, 3, "60M");
	SET_MOCK(&c, "swap", "20M");
	c.phases[0].opt.stagger = 400 * NSEC_PER_MSEC;
	s = cell_run(&c);
	assert_true(host_counter(s, "host.oom_kill"));
	ASSERT_U64("first", s->guests[0].state, GUEST_GONE);
	ASSERT_U64("last", s->guests[2].state, GUEST_RUNS);
	finish(&c, s);
}

struct moments {
	struct sim_event_config events[4];
	unsigned int nr;
};

static void add_event(struct cell *c, struct moments *m,
		      enum event_action action, unsigned int guest,
		      sim_ns_t at)
{
	struct sim_event_config *e = &m->events[m->nr++];

	*e = (struct sim_event_config){ .name = "e" };
	option_defaults(&event_option_table, &e->opt);
	e->opt.action = action;
	e->opt.guest = guest;
	e->opt.at = at;
	c->cfg.events = m->events;
	c->cfg.nr_events = m->nr;
}

/* A guest that exits or is killed by an event: its memory is the host's. */
static void test_guests__events_end_and_launch_guests(void **state)
{
	struct moments m = { .nr = 0 };
	const struct sim_result *r;
	struct cell c;
	struct sim *s;

	(void)state;
	setup(&c, &page_reporting_reporter, 3, "1G");
	SET_HOST(&c, "launch", "events");
	c.phases[0].opt.duration = 4 * NSEC_PER_SEC;
	c.phases[0].opt.until = UNTIL_DURATION;
	add_event(&c, &m, EVENT_LAUNCH, 3, NSEC_PER_SEC);
	add_event(&c, &m, EVENT_LAUNCH, 0, NSEC_PER_SEC);
	add_event(&c, &m, EVENT_KILL, 3, 2 * NSEC_PER_SEC);
	add_event(&c, &m, EVENT_EXIT, 1, 3 * NSEC_PER_SEC);
	s = cell_run(&c);
	r = sim_result(s);
	ASSERT_U64("launched", counter(r, "host.guests_launched"), 3);
	ASSERT_U64("killed", counter(r, "host.guests_killed"), 1);
	ASSERT_U64("oom_kill", counter(r, "host.oom_kill"), 0);
	ASSERT_U64("exited", counter(r, "host.guests_exited"), 1);
	for (unsigned int i = 0; i < r->nr_samples; i++) {
		const struct sim_guest_sample *g = &r->guest_samples[i * 3];
		const uint64_t at = r->samples[i].at / NSEC_PER_MSEC;

		if (at > 3000)
			assert_true(!g[0].rss_pages && !g[0].used_pages);
		if (at > 1000 && at < 2000)
			ASSERT_U64("three", r->samples[i].guests_running, 3);
		if (at > 2000)
			assert_true(!g[2].rss_pages && g[1].rss_pages);
		ASSERT_U64("rss", r->samples[i].host_rss_pages,
			   g[0].rss_pages + g[1].rss_pages + g[2].rss_pages);
	}
	finish(&c, s);
}

/* One that is there already cannot be launched. */
static void test_guests__a_guest_is_launched_once(void **state)
{
	struct moments m = { .nr = 0 };
	char why[256];
	struct cell c;
	struct sim *s;

	(void)state;
	setup(&c, &none_reporter, 2, "1G");
	c.phases[0].opt.duration = NSEC_PER_SEC;
	add_event(&c, &m, EVENT_LAUNCH, 2, 0);
	assert_int_equal(sim_create(&s, &c.cfg, why, sizeof(why)), 0);
	assert_int_equal(sim_run_phase(s, 0, NULL, why, sizeof(why)), -EINVAL);
	assert_non_null(strstr(why, "guest 2 has been launched already"));
	finish(&c, s);
}

/* Any design, killed at any moment, with requests at the host or without. */
static void test_guests__designs_survive_the_end_of_their_guest(void **state)
{
	static const struct reporter_ops *const designs[] = {
		&page_reporting_reporter, &hinted_boundary_reporter,
		&percpu_array_reporter, &zone_bitmap_reporter,
		&per_free_reporter, &balloon_reporter, &pull_bitmap_reporter,
	};
	static const sim_ns_t at[] = { 30, 63, 101, 137, 2001, 2100 };

	(void)state;
	for (unsigned int i = 0; i < ARRAY_SIZE(designs); i++) {
		for (unsigned int k = 0; k < ARRAY_SIZE(at); k++) {
			struct moments m = { .nr = 0 };
			struct cell c;
			struct sim *s;

			setup(&c, designs[i], 2, "80M");
			c.cfg.check_every = 64;
			c.cfg.host.pull_below = 30 * MIB;
			instead(&c, &page_fault1_workload,
				2500 * NSEC_PER_MSEC);
			c.phases[0].opt.thp = true;
			set(&page_fault1_workload.options,
			    c.workload_options[0], "map_size", "8M");
			if (k % 2)
				c.cfg.step_by_step = true;
			add_event(&c, &m, EVENT_BALLOON_TARGET, 0,
				  at[k] * NSEC_PER_MSEC / 2);
			m.events[0].opt.value = 20 * MIB;
			add_event(&c, &m, EVENT_KILL, 1,
				  at[k] * NSEC_PER_MSEC);
			s = cell_run(&c);
			assert_true(host_counter(s, "host.guests_killed"));
			finish(&c, s);
		}
	}
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(test_guests__launch_policies),
	cmocka_unit_test(test_guests__sequence_is_one_after_the_other),
	cmocka_unit_test(test_guests__stagger_moves_the_peaks),
	cmocka_unit_test(test_guests__the_largest_is_killed),
	cmocka_unit_test(test_guests__of_equals_the_youngest_is_killed),
	cmocka_unit_test(test_guests__without_a_victim_the_run_fails),
	cmocka_unit_test(test_guests__over_its_limit_it_is_killed_itself),
	cmocka_unit_test(test_guests__launching_stops_at_a_kill),
	cmocka_unit_test(test_guests__launching_stops_at_swap),
	cmocka_unit_test(test_guests__what_is_swapped_counts),
	cmocka_unit_test(test_guests__events_end_and_launch_guests),
	cmocka_unit_test(test_guests__a_guest_is_launched_once),
	cmocka_unit_test(test_guests__designs_survive_the_end_of_their_guest),
};

int main(void)
{
	return cmocka_run_group_tests(cases, NULL, NULL) ? 1 : 0;
}
