/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Balloons on a whole machine: what the host makes of their requests, with
 * small and large pages behind the guest, and what a guest without memory gets
 * back before a task is killed. Hints of free pages come from the same device.
 */
#include <errno.h>

#include "sim/machine.h"
#include "tests/sim/cell.h"

static void set(const struct option_table *t, void *base, const char *key,
		const char *value)
{
	char why[256];

	if (option_parse(option_find(t, key), value, base, why, sizeof(why)))
		fail_msg("%s = %s: %s", key, value, why);
}

static void set_reporter(struct cell *c, const char *key, const char *value)
{
	set(&c->cfg.reporter->options, c->reporter_options, key, value);
}

/* Fill the guest, then wait for the balloon. */
static void setup(struct cell *c, const char *target)
{
	cell_setup(c, &balloon_reporter, 1);
	set_reporter(c, "target", target);
	set_reporter(c, "target_at", "2s");
	c->cfg.check_every = 1000;
	add_phase(c, "fill", &memhog_workload, 1, UNTIL_TASKS);
	set(&phase_option_table, &c->phases[0].opt, "size", "90%");
	add_phase(c, "inflate", &idle_workload, 1, UNTIL_REPORTER_IDLE);
	c->phases[1].opt.duration = 30 * NSEC_PER_SEC;
}

static const struct row {
	const char *what, *backing, *unit_order, *queue;
	/* For 64 MiB; calls may be fewer where pages are not in a row. */
	uint64_t discards, fewer, ignored, backed;
} rows[] = {
	{ "4 KiB", "4K", "0", "pfn", 16384, 0, 0, 16384 },
	{ "2 MiB in pieces", "4K", "9", "pfn", 16384, 0, 0, 16384 },
	{ "2 MiB at once", "4K", "9", "range", 32, 0, 0, 16384 },
	/* 256 pfns cover 16 pages of 64 KiB, the last of which completes one. */
	{ "4 KiB of 64 KiB", "64K", "0", "pfn", 1024, 100, 15360, 16384 },
	{ "2 MiB of 64 KiB", "64K", "9", "pfn", 1024, 0, 15360, 16384 },
	{ "2 MiB of 2 MiB", "2M", "9", "pfn", 32, 0, 16352, 16384 },
	{ "2 MiB block of 2 MiB", "2M", "9", "range", 32, 0, 0, 16384 },
	/* A request never has all 512 pfns of a page. */
	{ "4 KiB of 2 MiB", "2M", "0", "pfn", 0, 0, 16384, 0 },
	{ "4 KiB of 1 GiB", "1G", "0", "pfn", 0, 0, 16384, 0 },
	{ "2 MiB of 1 GiB", "1G", "9", "range", 0, 0, 16384, 0 },
};

static void test_balloon_machine__backing(void **state)
{
	/* Pages of the backing go when all of them is in one request. */
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct row *row = &rows[i];
		const struct sim_result *r;
		struct cell c;
		struct sim *s;
		uint64_t few;

		setup(&c, "64M");
		set(&host_option_table, &c.cfg.host, "backing", row->backing);
		set_reporter(&c, "unit_order", row->unit_order);
		set_reporter(&c, "queue", row->queue);
		s = cell_run(&c);
		r = sim_result(s);
		ASSERT_U64(row->what, counter(r, "reporter.balloon_inflate"),
			   16384);
		few = row->discards - counter(r, "host.discard_calls");
		assert_true(few <= row->fewer);
		ASSERT_U64(row->what, counter(r, "host.discard_ignored"),
			   row->ignored + few);
		/* A part of the guest may never have been touched. */
		assert_true(counter(r, "host.discard_backed_pages") <=
			    row->backed);
		assert_true(counter(r, "host.discard_backed_pages") >=
			    row->backed / 10 * 8);
		sim_destroy(s);
		cell_destroy(&c);
	}
}

static void test_balloon_machine__host_that_ignores(void **state)
{
	/* Inhibited: acknowledged, counted in the guest, and nothing happens. */
	const struct host_status inhibited = { .discards_inhibited = true };
	struct cell c;
	struct sim *s;
	char why[256];

	(void)state;
	setup(&c, "64M");
	assert_int_equal(sim_create(&s, &c.cfg, why, sizeof(why)), 0);
	sim_guest_set_host_status(s, 0, &inhibited);
	assert_int_equal(sim_run_phase(s, 0, NULL, why, sizeof(why)), 0);
	assert_int_equal(sim_run_phase(s, 1, NULL, why, sizeof(why)), 0);
	ASSERT_U64("guest", counter(sim_result(s), "reporter.balloon_inflate"),
		   16384);
	ASSERT_U64("host", counter(sim_result(s), "host.discard_calls"), 0);
	ASSERT_U64("host", counter(sim_result(s), "host.discard_ignored"),
		   16384);
	sim_destroy(s);
	cell_destroy(&c);
}

static void test_balloon_machine__target_from_outside(void **state)
{
	/* What an experiment does in the middle of a run. */
	const struct host_command stats = { .kind = HOST_WANTS_STATS };
	const struct host_command pages = { .kind = HOST_WANTS_PAGES };
	struct cell c;
	struct sim *s;
	char why[256];

	(void)state;
	setup(&c, "0");
	assert_int_equal(sim_create(&s, &c.cfg, why, sizeof(why)), 0);
	assert_int_equal(sim_run_phase(s, 0, NULL, why, sizeof(why)), 0);
	sim_guest_set_balloon_target(s, 0, 32 * MIB);
	assert_int_equal(sim_guest_host_request(s, 0, &stats), 0);
	assert_int_equal(sim_guest_host_request(s, 0, &pages), -EOPNOTSUPP);
	assert_int_equal(sim_run_phase(s, 1, NULL, why, sizeof(why)), 0);
	ASSERT_U64("in", counter(sim_result(s), "reporter.balloon_inflate"),
		   8192);
	sim_guest_reporter_stop(s, 0);
	assert_int_equal(sim_guest_host_request(s, 0, &stats), -ENODEV);
	while (engine_step(&s->engine) &&
	       !s->guests[0].dev.r.ops->idle(&s->guests[0].dev.r))
		;
	ASSERT_U64("out", counter(sim_result(s), "reporter.balloon_deflate"),
		   8192);
	sim_check(s);
	sim_destroy(s);
	cell_destroy(&c);
}

/* The guest has 96 MiB in the balloon and wants more than is left. */
static uint64_t kills(const char *kernel, const char *oom, uint64_t *deflated)
{
	struct cell c;
	struct sim *s;
	uint64_t nr;

	cell_setup(&c, &balloon_reporter, 1);
	set(&guest_option_table, &c.cfg.guest, "kernel", kernel);
	set_reporter(&c, "target", "96M");
	set_reporter(&c, "deflate_on_oom", oom);
	c.cfg.check_every = 10000;
	add_phase(&c, "inflate", &idle_workload, 1, UNTIL_REPORTER_IDLE);
	c.phases[0].opt.duration = 30 * NSEC_PER_SEC;
	add_phase(&c, "fill", &memhog_workload, 1, UNTIL_TASKS);
	set(&phase_option_table, &c.phases[1].opt, "size", "180M");
	s = cell_run(&c);
	nr = counter(sim_result(s), "guest.oom_kill");
	*deflated = counter(sim_result(s), "reporter.balloon_deflate");
	sim_check(s);
	sim_destroy(s);
	cell_destroy(&c);
	return nr;
}

static void test_balloon_machine__deflates_instead_of_killing(void **state)
{
	/* No task dies while the balloon holds pages. */
	static const struct { const char *kernel, *oom; bool kill; } kinds[] = {
		{ "6.1", "off", true },
		{ "6.1", "notifier", false },
		{ "6.1", "release", false },
		{ "5.3", "release", false },
	};
	uint64_t deflated;

	(void)state;
	for (unsigned int i = 0; i < ARRAY_SIZE(kinds); i++) {
		const uint64_t nr = kills(kinds[i].kernel, kinds[i].oom,
					  &deflated);

		if (kinds[i].kill) {
			assert_true(nr > 0);
			ASSERT_U64(test_row(i), deflated, 0);
		} else {
			ASSERT_U64(test_row(i), nr, 0);
			assert_true(deflated > 0);
		}
	}
}

static void test_balloon_machine__poison_brings_pages_back(void **state)
{
	/* A guest that fills freed pages touches those that it deflates. */
	static const char *const poison[] = { "off", "zero", "pattern" };
	uint64_t zeroed[ARRAY_SIZE(poison)];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(poison); i++) {
		struct cell c;
		struct sim *s;
		uint64_t before;
		char why[256];

		setup(&c, "64M");
		set(&guest_option_table, &c.cfg.guest, "poison", poison[i]);
		s = cell_run(&c);
		before = counter(sim_result(s), "host.zeroed_pages");
		sim_guest_set_balloon_target(s, 0, 0);
		assert_int_equal(sim_set_phases(s, c.phases, 3), 0);
		add_phase(&c, "deflate", &idle_workload, 1,
			  UNTIL_REPORTER_IDLE);
		c.phases[2].opt.duration = NSEC_PER_SEC;
		assert_int_equal(sim_run_phase(s, 2, NULL, why, sizeof(why)),
				 0);
		zeroed[i] = counter(sim_result(s), "host.zeroed_pages") -
			    before;
		sim_destroy(s);
		cell_destroy(&c);
	}
	assert_true(zeroed[0] < 1024);
	ASSERT_U64("zero", zeroed[1], zeroed[2]);
	assert_true(zeroed[1] >= 16384);
}

static void test_balloon_machine__poison_and_reports(void **state)
{
	/* A pattern: reports are ignored; a host that cannot know: no device. */
	static const struct {
		const char *poison, *offered;
		bool device, discards;
	} kinds[] = {
		{ "off", "on", true, true },
		{ "zero", "on", true, true },
		{ "pattern", "on", true, false },
		{ "off", "off", true, true },
		{ "zero", "off", false, false },
		{ "pattern", "off", false, false },
	};

	(void)state;
	for (unsigned int i = 0; i < ARRAY_SIZE(kinds); i++) {
		const struct sim_result *r;
		struct cell c;
		struct sim *s;

		cell_setup(&c, &page_reporting_reporter, 1);
		set(&guest_option_table, &c.cfg.guest, "poison",
		    kinds[i].poison);
		set(&host_option_table, &c.cfg.host, "page_poison",
		    kinds[i].offered);
		add_phase(&c, "wait", &idle_workload, 1, UNTIL_REPORTER_IDLE);
		c.phases[0].opt.duration = 60 * NSEC_PER_SEC;
		s = cell_run(&c);
		r = sim_result(s);
		ASSERT_U64(test_row(i), counter(r, "reporter.pages") != 0,
			   kinds[i].device);
		ASSERT_U64(test_row(i), counter(r, "host.discard_calls") != 0,
			   kinds[i].discards);
		sim_destroy(s);
		cell_destroy(&c);
	}
}

static void test_balloon_machine__hints_of_an_old_run(void **state)
{
	/*
	 * A migration skips what is hinted in its run; what the guest sent
	 * before it heard of the next one is ignored. DONE gives all back.
	 */
	const struct host_command first = { HOST_HINT_START, 5, 0 };
	const struct host_command second = { HOST_HINT_START, 6, 0 };
	const struct host_command done = { HOST_HINT_DONE, 0, 0 };
	const struct sim_result *r;
	struct device *d;
	struct cell c;
	struct sim *s;
	uint64_t free, sent;
	char why[256];

	(void)state;
	cell_setup(&c, &free_page_hint_reporter, 1);
	set_reporter(&c, "rounds", "0");
	add_phase(&c, "fill", &memhog_workload, 1, UNTIL_TASKS);
	set(&phase_option_table, &c.phases[0].opt, "size", "90%");
	assert_int_equal(sim_create(&s, &c.cfg, why, sizeof(why)), 0);
	assert_int_equal(sim_run_phase(s, 0, NULL, why, sizeof(why)), 0);
	d = &s->guests[0].dev;
	free = alloc_free_pages(s->guests[0].alloc);
	assert_int_equal(sim_guest_host_request(s, 0, &first), 0);
	while (!d->hint_pages)
		assert_true(engine_step(&s->engine));
	assert_int_equal(sim_guest_host_request(s, 0, &second), 0);
	while (!d->r.ops->idle(&d->r))
		assert_true(engine_step(&s->engine));
	r = sim_result(s);
	sent = counter(r, "reporter.hint_sent");
	assert_true(sent > free / 2);
	assert_true(counter(r, "reporter.hint_stale_pages") > 0);
	ASSERT_U64("hints", counter(r, "reporter.hint_stale_pages") +
		   counter(r, "reporter.hint_pages"), sent);
	/* Nearly all of it was touched by memhog. */
	assert_true(counter(r, "reporter.hint_saved_pages") >
		    counter(r, "reporter.hint_pages") / 10 * 7);
	ASSERT_U64("held", alloc_free_pages(s->guests[0].alloc), free - sent);
	assert_int_equal(sim_guest_host_request(s, 0, &done), 0);
	while (!d->r.ops->idle(&d->r))
		assert_true(engine_step(&s->engine));
	ASSERT_U64("done", alloc_free_pages(s->guests[0].alloc), free);
	sim_check(s);
	sim_destroy(s);
	cell_destroy(&c);
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(test_balloon_machine__backing),
	cmocka_unit_test(test_balloon_machine__host_that_ignores),
	cmocka_unit_test(test_balloon_machine__target_from_outside),
	cmocka_unit_test(test_balloon_machine__deflates_instead_of_killing),
	cmocka_unit_test(test_balloon_machine__poison_brings_pages_back),
	cmocka_unit_test(test_balloon_machine__poison_and_reports),
	cmocka_unit_test(test_balloon_machine__hints_of_an_old_run),
};

TEST_MAIN(cases)
