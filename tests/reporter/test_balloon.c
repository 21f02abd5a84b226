/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The balloon, step by step: what it asks of the host and in which order, when
 * it gives up and tries again, what an OOM and compaction get from it, and what
 * larger units change. Requests are kept as text: kind, number of units, first
 * and last pfn.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "reporter/balloon.h"
#include "tests/alloc/fixture.h"
#include "tests/reporter/rig.h"
#include "tests/test.h"

#define BALLOON &balloon_reporter
#define LATENCY (10 * NSEC_PER_MSEC)

struct log {
	struct rig *rig;
	char text[4096];
	size_t used;
};

static void keep_request(void *ctx, const struct host_request *rq)
{
	static const char *const kinds[NR_REQUEST_KINDS] = {
		"report", "inflate", "deflate", "hint", "answer", "stats"
	};
	struct log *log = ctx;
	int n;

	n = snprintf(log->text + log->used, sizeof(log->text) - log->used,
		     "%s%s %u", log->used ? ", " : "", kinds[rq->kind],
		     rq->nr);
	log->used += (size_t)n;
	if (!rq->nr)
		return;
	n = snprintf(log->text + log->used, sizeof(log->text) - log->used,
		     " %u..%u", rq->entries[0].pfn,
		     rq->entries[rq->nr - 1].pfn);
	log->used += (size_t)n;
	assert_true(log->used < sizeof(log->text));
}

static void no_report(void *ctx, const struct page_report *entries,
		      unsigned int nr)
{
	(void)ctx;
	(void)entries;
	(void)nr;
	fail_msg("the balloon reported free pages");
}

/* The guest has these blocks of order 10 free, from pfn 1024 on. */
static void begin(struct log *log, const char *kernel, unsigned int blocks,
		  const char *options)
{
	const struct sync_env_config cfg = {
		.watch = { .ctx = log, .request = keep_request,
			   .report = no_report },
		.ack_latency_ns = LATENCY,
		.host = { .thp_order = 9 },
	};
	struct alloc *a = fixture_create(kernel, 0, 65536);

	*log = (struct log){ 0 };
	for (unsigned int i = blocks; i; i--)
		fixture_put(a, 1024 * i, 10);
	log->rig = rig_start(a, BALLOON, options, &cfg);
}

static void finish(struct log *log)
{
	struct alloc *a = log->rig->a;
	struct alloc_zone_info z;

	rig_stop(log->rig);
	alloc_zone_info(a, 0, &z);
	ASSERT_U64("managed in the end", z.managed, 65536);
	alloc_destroy(a);
}

static void expect(struct log *log, const char *row, const char *expected)
{
	if (strcmp(log->text, expected) != 0)
		fail_msg("%s: requests are\n\t%s\nexpected\n\t%s", row,
			 log->text, expected);
	log->used = 0;
	log->text[0] = '\0';
	rig_assert_valid(log->rig);
}

static const struct balloon *state_of(const struct log *log)
{
	return log->rig->env.reporter.state;
}

static uint64_t free_pages(const struct log *log)
{
	return alloc_free_pages(log->rig->a);
}

static void set_target(struct log *log, uint64_t pages)
{
	sync_env_set_target(&log->rig->env, pages);
	rig_run(log->rig);
}

static void test_balloon__inflates_and_deflates_in_requests(void **state)
{
	/* 1000 pages are 4 requests; the newest page comes and goes first. */
	struct log log;
	struct alloc_zone_info z;

	(void)state;
	begin(&log, "6.1", 4, "");
	set_target(&log, 1000);
	expect(&log, "in", "inflate 256 1279..1024, inflate 256 1535..1280, "
	       "inflate 256 1791..1536, inflate 232 2023..1792");
	ASSERT_U64("in", state_of(&log)->actual, 1000);
	ASSERT_U64("in", free_pages(&log), 3096);
	ASSERT_U64("in", rig_counters(log.rig)->balloon_inflate, 1000);
	alloc_zone_info(log.rig->a, 0, &z);
	ASSERT_U64("in", z.managed, 65536 - 1000);
	/* LIFO: 1792 was the last to be enqueued. */
	set_target(&log, 700);
	expect(&log, "out", "deflate 256 1792..1559, deflate 44 1560..1603");
	ASSERT_U64("out", free_pages(&log), 3396);
	ASSERT_U64("out", rig_counters(log.rig)->balloon_deflate, 300);
	finish(&log);
}

static void test_balloon__frees_after_the_host_knows(void **state)
{
	/* Until the acknowledgement nothing of a deflate request is free. */
	struct log log;

	(void)state;
	begin(&log, "5.7", 1, "");
	set_target(&log, 100);
	sync_env_set_target(&log.rig->env, 0);
	sync_env_advance(&log.rig->env, LATENCY - 1);
	assert_int_equal(state_of(&log)->state, BALLOON_DEFLATING);
	ASSERT_U64("asked", free_pages(&log), 924);
	rig_assert_valid(log.rig);
	sync_env_advance(&log.rig->env, 1);
	ASSERT_U64("answered", free_pages(&log), 1024);
	finish(&log);
}

static void test_balloon__sleeps_when_there_is_nothing(void **state)
{
	/* It has 1024 pages to get: the rest is asked for every 200 ms. */
	struct log log;

	(void)state;
	begin(&log, "6.1", 1, "batch=700");
	sync_env_set_target(&log.rig->env, 1500);
	sync_env_advance(&log.rig->env, 2 * LATENCY);
	expect(&log, "full", "inflate 700 1723..1024");
	assert_int_equal(state_of(&log)->state, BALLOON_SLEEPING);
	ASSERT_U64("full", state_of(&log)->nr, 324);
	ASSERT_U64("full", state_of(&log)->pages.nr, 700);
	/* It sleeps with what it has, and gives that to the host then. */
	sync_env_advance(&log.rig->env, 180 * NSEC_PER_MSEC);
	expect(&log, "later", "");
	sync_env_advance(&log.rig->env, 10 * NSEC_PER_MSEC);
	expect(&log, "awake", "inflate 324 2047..1724");
	sync_env_advance(&log.rig->env, 5 * NSEC_PER_SEC);
	expect(&log, "tries", "");
	ASSERT_U64("tries", rig_counters(log.rig)->balloon_alloc_failures,
		   1 + 25);
	fixture_put(log.rig->a, 8192, 10);
	sync_env_advance(&log.rig->env, NSEC_PER_SEC);
	expect(&log, "at last", "inflate 476 8667..8192");
	finish(&log);
}

static void test_balloon__oom_gets_256_pages(void **state)
{
	/* One notification, one request, and nobody inflates again. */
	struct log log;

	(void)state;
	begin(&log, "6.1", 1, "deflate_on_oom=notifier");
	set_target(&log, 600);
	log.used = 0;
	ASSERT_U64("1st", sync_env_oom_notify(&log.rig->env), 256);
	expect(&log, "1st", "deflate 256 1536..1447");
	ASSERT_U64("2nd", sync_env_oom_notify(&log.rig->env), 256);
	ASSERT_U64("3rd", sync_env_oom_notify(&log.rig->env), 88);
	ASSERT_U64("empty", sync_env_oom_notify(&log.rig->env), 0);
	ASSERT_U64("quiet", rig_run(log.rig), 0);
	ASSERT_U64("quiet", free_pages(&log), 1024);
	finish(&log);
}

static void test_balloon__oom_waits_for_the_lock(void **state)
{
	/* While the host has a request, the notifier is told to wait. */
	struct log log;

	(void)state;
	begin(&log, "6.1", 1, "deflate_on_oom=release");
	sync_env_set_target(&log.rig->env, 300);
	sync_env_advance(&log.rig->env, 0);
	assert_int_equal(state_of(&log)->state, BALLOON_INFLATING);
	ASSERT_U64("busy", sync_env_oom_notify(&log.rig->env), REPORTER_WAIT);
	ASSERT_U64("busy", log.rig->env.stall_wakes, 0);
	sync_env_advance(&log.rig->env, LATENCY);
	ASSERT_U64("woken", log.rig->env.stall_wakes, 1);
	rig_run(log.rig);
	ASSERT_U64("free", sync_env_oom_notify(&log.rig->env), 256);
	ASSERT_U64("once", log.rig->env.stall_wakes, 1);
	finish(&log);
}

static void test_balloon__oom_by_release(void **state)
{
	/* 5.3 has a shrinker and no notifier, 5.7 and later the reverse. */
	static const struct { const char *kernel, *option; bool notifier; }
	rows[] = {
		{ "5.3", "release", false }, { "5.7", "release", true },
		{ "6.18", "release", true }, { "5.3", "notifier", true },
		{ "6.1", "shrinker", false },
	};
	struct log log;
	char options[64];

	(void)state;
	for (unsigned int i = 0; i < ARRAY_SIZE(rows); i++) {
		struct reporter *r;

		snprintf(options, sizeof(options), "deflate_on_oom=%s",
			 rows[i].option);
		begin(&log, rows[i].kernel, 1, options);
		set_target(&log, 500);
		r = &log.rig->env.reporter;
		ASSERT_U64(test_row(i), r->ops->oom_notify(r),
			   rows[i].notifier ? 256 : 0);
		ASSERT_U64(test_row(i), r->ops->shrink(r, 128),
			   rows[i].notifier ? 0 : 128);
		finish(&log);
	}
}

static void test_balloon__migrates_one_for_one(void **state)
{
	/* New page in, old page out, both told with one pfn; else "again". */
	struct log log;
	struct sync_env *e;

	(void)state;
	begin(&log, "6.1", 1, "");
	e = &log.rig->env;
	sync_env_set_target(e, 10);
	sync_env_advance(e, 0);
	assert_int_equal(sync_env_migrate_page(e, 1030, 9000), -EAGAIN);
	sync_env_advance(e, LATENCY);
	expect(&log, "filled", "inflate 10 1033..1024");
	assert_true(e->reporter.ops->owns_page(&e->reporter, 1030));
	assert_int_equal(sync_env_migrate_page(e, 1030, 9000), 0);
	expect(&log, "moved", "inflate 1 9000..9000, deflate 1 1030..1030");
	assert_false(e->reporter.ops->owns_page(&e->reporter, 1030));
	assert_true(e->reporter.ops->owns_page(&e->reporter, 9000));
	ASSERT_U64("moved", state_of(&log)->pages.nr, 10);
	ASSERT_U64("moved", rig_counters(log.rig)->balloon_migrate, 1);
	assert_true(alloc_test_lru(log.rig->a, 9000));
	assert_false(alloc_test_lru(log.rig->a, 1030));
	/* The page that moved in is the newest. */
	set_target(&log, 9);
	expect(&log, "deflated", "deflate 1 9000..9000");
	finish(&log);
}

static void test_balloon__huge_units(void **state)
{
	/* Ten units and a half are ten; nothing smaller is taken instead. */
	struct log log;

	(void)state;
	begin(&log, "5.7", 3, "unit_order=9");
	sync_env_set_target(&log.rig->env, 512 * 10 + 300);
	sync_env_advance(&log.rig->env, 0);
	assert_int_equal(state_of(&log)->state, BALLOON_SLEEPING);
	ASSERT_U64("six", state_of(&log)->nr, 6);
	ASSERT_U64("floor", state_of(&log)->target, 512 * 10);
	sync_env_advance(&log.rig->env, NSEC_PER_SEC);
	ASSERT_U64("six", state_of(&log)->pages.nr, 512 * 6);
	ASSERT_U64("unmoved",
		   log.rig->env.reporter.ops->owns_page(
			   &log.rig->env.reporter, 1024), 0);
	set_target(&log, 1023);
	ASSERT_U64("one", state_of(&log)->pages.nr, 512);
	ASSERT_U64("one", free_pages(&log), 5 * 512);
	finish(&log);
}

static void test_balloon__answers_to_the_review(void **state)
{
	/*
	 * With all options: as large as the host's huge page, smaller blocks
	 * when they run out, movable page by page, blocks told as blocks.
	 */
	struct log log;
	struct sync_env *e;

	(void)state;
	begin(&log, "6.1", 2,
	      "unit_order=host fallback=on movable=on queue=range");
	e = &log.rig->env;
	/* A hole in the second half of the last huge page. */
	fixture_take(log.rig->a, MIGRATE_MOVABLE, 0, 0);
	set_target(&log, 2047 - 5);
	ASSERT_U64("all", state_of(&log)->pages.nr, 2047 - 5);
	ASSERT_U64("left", free_pages(&log), 5);
	assert_true(strncmp(log.text, "inflate ", 8) == 0);
	log.used = 0;
	log.text[0] = '\0';
	assert_true(e->reporter.ops->owns_page(&e->reporter, 2000));
	assert_int_equal(sync_env_migrate_page(e, 2000, 9000), 0);
	expect(&log, "moved", "inflate 1 9000..9000, deflate 1 2000..2000");
	set_target(&log, 3);
	ASSERT_U64("small", state_of(&log)->pages.nr, 3);
	/* A host with larger pages. */
	sync_env_set_host(e, &(struct host_status){ .thp_order = 10 });
	ASSERT_U64("10", balloon_unit_order(&e->reporter), 10);
	finish(&log);
}

static void test_balloon__target_and_stats_by_option(void **state)
{
	/* The host asks by itself, at the time of the options. */
	struct log log;

	(void)state;
	begin(&log, "6.1", 1, "target=64K target_at=3s stats=2s");
	assert_false(log.rig->env.reporter.ops->idle(&log.rig->env.reporter));
	sync_env_advance(&log.rig->env, 3 * NSEC_PER_SEC - 1);
	expect(&log, "2 s", "stats 0");
	ASSERT_U64("2 s", state_of(&log)->stats.free, 1024);
	sync_env_advance(&log.rig->env, NSEC_PER_SEC);
	expect(&log, "3 s", "inflate 16 1039..1024");
	sync_env_advance(&log.rig->env, NSEC_PER_SEC);
	expect(&log, "4 s", "stats 0");
	ASSERT_U64("4 s", state_of(&log)->stats.free, 1008);
	ASSERT_U64("4 s", state_of(&log)->stats.total, 65536 - 16);
	assert_int_equal(sync_env_host_request(&log.rig->env,
		&(struct host_command){ .kind = HOST_WANTS_STATS }), 0);
	expect(&log, "asked", "stats 0");
	assert_int_equal(sync_env_host_request(&log.rig->env,
		&(struct host_command){ .kind = HOST_WANTS_PAGES }),
		-EOPNOTSUPP);
	finish(&log);
}

static void test_balloon__device_goes_at_any_time(void **state)
{
	/* Asleep, inflating, deflating: everything comes back. */
	static const struct { uint64_t target; sim_ns_t after; } rows[] = {
		{ 0, 0 }, { 500, 0 }, { 500, LATENCY }, { 2000, NSEC_PER_SEC },
		{ 2000, 25 * NSEC_PER_MSEC }, { 1000, 15 * NSEC_PER_MSEC },
	};

	(void)state;
	for (unsigned int i = 0; i < ARRAY_SIZE(rows); i++) {
		struct log log;

		begin(&log, "6.1", 1, "");
		sync_env_set_target(&log.rig->env, rows[i].target);
		sync_env_advance(&log.rig->env, rows[i].after);
		sync_env_stop(&log.rig->env);
		ASSERT_U64(test_row(i), free_pages(&log), 1024);
		ASSERT_U64(test_row(i), log.rig->env.own_pages, 0);
		finish(&log);
	}
}

static void test_balloon__refuses_options_that_do_not_fit(void **state)
{
	/* Each with a reason that says what would do. */
	static const struct { const char *options, *why; } rows[] = {
		{ "queue=range", "unit_order = 9" },
		{ "stats=1ns", "the shortest is 100us" },
		{ "stats=99us", "the shortest is 100us" },
	};

	(void)state;
	for (unsigned int i = 0; i < ARRAY_SIZE(rows); i++) {
		struct alloc *a = fixture_create("6.1", 0, 8192);
		void *options = rig_options(BALLOON, rows[i].options);
		const struct sync_env_config cfg = { .ops = BALLOON,
						     .options = options };
		struct sync_env e;
		char why[128] = "";

		if (sync_env_init(&e, a, &cfg, why, sizeof(why)) != -EINVAL ||
		    !strstr(why, rows[i].why))
			fail_msg("%s: \"%s\"", rows[i].options, why);
		free(options);
		alloc_destroy(a);
	}
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(test_balloon__inflates_and_deflates_in_requests),
	cmocka_unit_test(test_balloon__frees_after_the_host_knows),
	cmocka_unit_test(test_balloon__sleeps_when_there_is_nothing),
	cmocka_unit_test(test_balloon__oom_gets_256_pages),
	cmocka_unit_test(test_balloon__oom_waits_for_the_lock),
	cmocka_unit_test(test_balloon__oom_by_release),
	cmocka_unit_test(test_balloon__migrates_one_for_one),
	cmocka_unit_test(test_balloon__huge_units),
	cmocka_unit_test(test_balloon__answers_to_the_review),
	cmocka_unit_test(test_balloon__target_and_stats_by_option),
	cmocka_unit_test(test_balloon__device_goes_at_any_time),
	cmocka_unit_test(test_balloon__refuses_options_that_do_not_fit),
};

TEST_MAIN(cases)
