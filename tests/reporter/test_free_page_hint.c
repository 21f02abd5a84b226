/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Free page hints: runs and their markers, what ends them, a queue that is
 * full, and who gets the blocks back. Requests are kept as text: "[id" and "]"
 * for the markers, the pfn for a block.
 */
#include <errno.h>
#include <string.h>

#include "reporter/free_page_hint.h"
#include "tests/alloc/fixture.h"
#include "tests/reporter/rig.h"
#include "tests/test.h"

#define HINT &free_page_hint_reporter
#define BY_HAND "rounds=0 "

struct log {
	struct rig *rig;
	char text[4096];
	size_t used;
};

static void no_report(void *ctx, const struct page_report *entries,
		      unsigned int nr)
{
	(void)ctx;
	(void)entries;
	(void)nr;
	fail_msg("hints are no reports");
}

static void keep_request(void *ctx, const struct host_request *rq)
{
	struct log *log = ctx;
	char *to = log->text + log->used;
	const size_t room = sizeof(log->text) - log->used;

	assert_int_equal(rq->kind, REQUEST_HINT);
	if (rq->nr)
		log->used += (size_t)snprintf(to, room, " %u",
					      rq->entries[0].pfn);
	else if (rq->id)
		log->used += (size_t)snprintf(to, room, "[%u", rq->id);
	else
		log->used += (size_t)snprintf(to, room, "]");
	assert_true(log->used < sizeof(log->text));
}

/* Blocks of order 10 from 1024 on are free, and one of order 9. */
static void begin(struct log *log, unsigned int blocks, const char *options,
		  sim_ns_t latency)
{
	const struct sync_env_config cfg = {
		.watch = { .ctx = log, .request = keep_request,
			   .report = no_report },
		.ack_latency_ns = latency,
	};
	struct alloc *a = fixture_create("5.7", 0, 65536);

	*log = (struct log){ 0 };
	fixture_put(a, 512, 9);
	for (unsigned int i = blocks; i; i--)
		fixture_put(a, 1024 * i, 10);
	log->rig = rig_start(a, HINT, options, &cfg);
}

static void finish(struct log *log)
{
	struct alloc *a = log->rig->a;

	rig_stop(log->rig);
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

static const struct free_page_hint *state_of(const struct log *log)
{
	return log->rig->env.reporter.state;
}

static void command(struct log *log, enum host_command_kind kind, uint32_t id)
{
	const struct host_command c = { .kind = kind, .id = id };

	assert_int_equal(sync_env_host_request(&log->rig->env, &c), 0);
	rig_run(log->rig);
}

static void test_free_page_hint__a_run(void **state)
{
	/* Largest blocks only, held after STOP, freed by DONE. */
	struct log log;

	(void)state;
	begin(&log, 3, BY_HAND, 0);
	command(&log, HOST_HINT_START, 7);
	expect(&log, "start", "[7 1024 2048 3072]");
	ASSERT_U64("held", state_of(&log)->held.nr, 3072);
	ASSERT_U64("left", alloc_free_pages(log.rig->a), 512);
	command(&log, HOST_HINT_STOP, 0);
	expect(&log, "stop", "");
	ASSERT_U64("stop", state_of(&log)->held.nr, 3072);
	/* A second run has what came since. */
	fixture_put(log.rig->a, 8192, 10);
	command(&log, HOST_HINT_START, 8);
	expect(&log, "again", "[8 8192]");
	command(&log, HOST_HINT_DONE, 0);
	expect(&log, "done", "");
	ASSERT_U64("done", state_of(&log)->held.nr, 0);
	ASSERT_U64("done", alloc_free_pages(log.rig->a), 512 + 4096);
	ASSERT_U64("sent", rig_counters(log.rig)->hint_sent, 4096);
	finish(&log);
}

static void test_free_page_hint__another_id_ends_a_run(void **state)
{
	/* In the middle of 60 blocks: marker, marker, and on it goes. */
	struct log log;

	(void)state;
	begin(&log, 60, BY_HAND, 0);
	sync_env_host_request(&log.rig->env,
		&(struct host_command){ .kind = HOST_HINT_START, .id = 2 });
	/* One turn of the work, at the time it was asked for. */
	log.rig->env.work[WORK_REPORT].due_ns = 0;
	assert_true(sync_env_run_pass(&log.rig->env));
	assert_true(state_of(&log)->running);
	ASSERT_U64("first turn", state_of(&log)->held.nr, 32 * 1024);
	log.used = 0;
	log.text[0] = '\0';
	command(&log, HOST_HINT_START, 3);
	assert_true(strncmp(log.text, "][3 33792 ", 10) == 0);
	assert_true(log.text[log.used - 1] == ']');
	ASSERT_U64("all", state_of(&log)->held.nr, 60 * 1024);
	finish(&log);
}

static void test_free_page_hint__full_queue(void **state)
{
	/* One descriptor stays free: blocks come and go until one returns. */
	struct log log;

	(void)state;
	begin(&log, 6, BY_HAND "queue=4", 10 * NSEC_PER_USEC);
	sync_env_host_request(&log.rig->env,
		&(struct host_command){ .kind = HOST_HINT_START, .id = 2 });
	sync_env_advance(&log.rig->env, 9 * NSEC_PER_USEC);
	/* Marker and two blocks. */
	expect(&log, "full", "[2 1024 2048");
	ASSERT_U64("full", rig_counters(log.rig)->hint_polled, 1);
	assert_true(state_of(&log)->running);
	sync_env_advance(&log.rig->env, 10 * NSEC_PER_USEC);
	expect(&log, "on", " 3072 4096 5120");
	sync_env_advance(&log.rig->env, NSEC_PER_SEC);
	expect(&log, "end", " 6144]");
	finish(&log);
}

static void test_free_page_hint__shrinker_gets_blocks_back(void **state)
{
	/* The newest first, one at least. */
	static const struct { uint64_t want, pages; } rows[] = {
		{ 128, 1024 }, { 1024, 1024 }, { 2500, 2048 }, { 1 << 20, 0 },
	};
	struct log log;
	struct reporter *r;

	(void)state;
	begin(&log, 4, BY_HAND, 0);
	command(&log, HOST_HINT_START, 2);
	r = &log.rig->env.reporter;
	for (unsigned int i = 0; i < ARRAY_SIZE(rows); i++) {
		ASSERT_U64(test_row(i), r->ops->shrink(r, rows[i].want),
			   rows[i].pages);
		rig_assert_valid(log.rig);
	}
	ASSERT_U64("shrunk", rig_counters(log.rig)->hint_shrunk, 4096);
	finish(&log);
}

static void test_free_page_hint__limit(void **state)
{
	/* Two blocks and a half are two. */
	struct log log;

	(void)state;
	begin(&log, 4, BY_HAND "limit=10M", 0);
	command(&log, HOST_HINT_START, 2);
	expect(&log, "limit", "[2 1024 2048]");
	finish(&log);
}

static void test_free_page_hint__script_of_options(void **state)
{
	/* By itself: two runs, a second apart, and DONE. */
	struct log log;

	(void)state;
	begin(&log, 2, "start_at=2s rounds=2", 0);
	sync_env_advance(&log.rig->env, 2 * NSEC_PER_SEC - 1);
	expect(&log, "early", "");
	sync_env_advance(&log.rig->env, 1);
	expect(&log, "first", "[2147483648 1024 2048]");
	assert_false(log.rig->env.reporter.ops->idle(&log.rig->env.reporter));
	sync_env_advance(&log.rig->env, NSEC_PER_SEC);
	expect(&log, "second", "[2147483649]");
	ASSERT_U64("second", state_of(&log)->held.nr, 2048);
	sync_env_advance(&log.rig->env, NSEC_PER_SEC);
	ASSERT_U64("done", state_of(&log)->held.nr, 0);
	assert_true(log.rig->env.reporter.ops->idle(&log.rig->env.reporter));
	finish(&log);
}

static void test_free_page_hint__refuses_ids_that_are_commands(void **state)
{
	/* 0 and 1 have a meaning of their own; other commands are not its. */
	struct log log;
	struct sync_env *e;

	(void)state;
	begin(&log, 1, BY_HAND, 0);
	e = &log.rig->env;
	assert_int_equal(sync_env_host_request(e, &(struct host_command){
		.kind = HOST_HINT_START, .id = 1 }), -EINVAL);
	assert_int_equal(sync_env_host_request(e, &(struct host_command){
		.kind = HOST_WANTS_PAGES }), -EOPNOTSUPP);
	finish(&log);
}

static void test_free_page_hint__check(void **state)
{
	/* One promise at a time is broken, and mended again. */
	static const char *const found[] = {
		"more with the host", "run without work", "after DONE",
		"number differ", "that has nothing", "held block is free",
	};
	struct log log;
	struct free_page_hint *s;

	(void)state;
	begin(&log, 3, BY_HAND, 0);
	command(&log, HOST_HINT_START, 2);
	s = log.rig->env.reporter.state;
	for (size_t i = 0; i < ARRAY_SIZE(found); i++) {
		const struct free_page_hint *good = s;
		struct free_page_hint saved = *good;
		const char *broken;

		if (i == 0)
			s->in_flight = 130;
		else if (i == 1)
			s->running = true;
		else if (i == 2)
			s->received = HINT_ID_DONE;
		else if (i == 3)
			s->held.nr -= 1024;
		else if (i == 4)
			s->full = true;
		else
			fixture_put(log.rig->a, s->held.newest, 9);
		broken = log.rig->env.reporter.ops->check(
			&log.rig->env.reporter);
		if (!broken || !strstr(broken, found[i]))
			fail_msg("%s: check() says \"%s\"", found[i],
				 broken ? broken : "(nothing)");
		*s = saved;
	}
	assert_int_equal(fixture_take(log.rig->a, MIGRATE_UNMOVABLE, 9, 0),
			 s->held.newest);
	finish(&log);
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(test_free_page_hint__a_run),
	cmocka_unit_test(test_free_page_hint__another_id_ends_a_run),
	cmocka_unit_test(test_free_page_hint__full_queue),
	cmocka_unit_test(test_free_page_hint__shrinker_gets_blocks_back),
	cmocka_unit_test(test_free_page_hint__limit),
	cmocka_unit_test(test_free_page_hint__script_of_options),
	cmocka_unit_test(test_free_page_hint__refuses_ids_that_are_commands),
	cmocka_unit_test(test_free_page_hint__check),
};

TEST_MAIN(cases)
