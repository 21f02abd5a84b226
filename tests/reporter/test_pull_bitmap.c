/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The host pulls: which runs it gets, who waits for what, that the free lists
 * do not notice, and that each promise is tested.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "reporter/pull_bitmap.h"
#include "tests/alloc/fixture.h"
#include "tests/reporter/rig.h"
#include "tests/reporter/world.h"
#include "tests/test.h"

static struct rig *start(const char *options)
{
	struct alloc *a = fixture_create("6.1", 0, 65536);

	/* Pages 1024..1026, 1028..1035, and 2 MiB at 2048 and 3072. */
	fixture_put(a, 1024, 1);
	fixture_put(a, 1026, 0);
	fixture_put(a, 1028, 2);
	fixture_put(a, 1032, 2);
	fixture_put(a, 2048, 9);
	fixture_put(a, 3072, 9);
	return rig_start(a, &pull_bitmap_reporter, options, NULL);
}

static void finish(struct rig *rig)
{
	struct alloc *a = rig->a;

	rig_stop(rig);
	alloc_destroy(a);
}

static void pull(struct rig *rig, uint64_t pages)
{
	const struct host_command c = { .kind = HOST_WANTS_PAGES,
					.pages = pages };

	assert_int_equal(sync_env_host_request(&rig->env, &c), 0);
	rig_assert_valid(rig);
	while (sync_env_ack(&rig->env, 0))
		rig_assert_valid(rig);
}

static void test_pull_bitmap__runs_in_address_order(void **state)
{
	/* Two pulls each; runs go as aligned blocks, and a pull goes on where
	 * the last one ended, or not. */
	static const struct {
		const char *options;
		uint64_t pages[2];
		const char *reports;
	} rows[] = {
		{ "", { 3, 8 }, "{1024,1026} {1028,1032}" },
		{ "cursor=restart", { 3, 8 },
		  "{1024,1026} {1024,1026,1028,1032}" },
		{ "", { 5, 0 }, "{1024,1026,1028}" },
		{ "", { 1035, 0 }, "{1024,1026,1028,1032,2048,3072}" },
		/* A round ends a pull that finds too little. */
		{ "", { 99999, 0 }, "{1024,1026,1028,1032,2048,3072}" },
		{ "capacity=2", { 11, 0 }, "{1024,1026} {1028,1032}" },
		{ "order=2", { 11, 0 }, "{1028,1032,2048}" },
		{ "order=9", { 512, 512 }, "{2048} {3072}" },
		{ "order=9", { 1, 0 }, "{2048}" },
		/* Round again: nothing remembers what was reported. */
		{ "order=9", { 1024, 512 }, "{2048,3072} {2048}" },
		{ "variant=per_cpu", { 3, 8 }, "{1024,1026} {1028,1032}" },
	};

	(void)state;
	for (unsigned int i = 0; i < ARRAY_SIZE(rows); i++) {
		struct rig *rig = start(rows[i].options);

		for (unsigned int k = 0; k < 2; k++)
			if (rows[i].pages[k])
				pull(rig, rows[i].pages[k]);
		rig_assert_reports(test_row(i), rig, rows[i].reports);
		finish(rig);
	}
}

static void test_pull_bitmap__waits_for_the_last_page(void **state)
{
	/* A block of order 2, of which the host has one page: it is given out
	 * when that page is acknowledged, and not pulled again before. */
	struct rig *rig = start("capacity=1");
	const struct host_command c = { .kind = HOST_WANTS_PAGES, .pages = 4 };
	struct pull_bitmap *s = rig->env.reporter.state;

	(void)state;
	sync_env_host_request(&rig->env, &c);
	rig_assert_reports("first", rig, "{1024}");
	/* Behind the host's pages nobody waits. */
	ASSERT_U64("2048", fixture_take(rig->a, MIGRATE_MOVABLE, 9, 0), 3072);
	assert_false(alloc_stalled(rig->a, 0, 3072, 9));
	ASSERT_U64("1026", fixture_take(rig->a, MIGRATE_MOVABLE, 0, 0), 1026);
	assert_false(alloc_stalled(rig->a, 0, 1026, 0));
	ASSERT_U64("1024", fixture_take(rig->a, MIGRATE_MOVABLE, 1, 0), 1024);
	assert_true(alloc_stalled(rig->a, 0, 1024, 1));
	assert_true(alloc_stalled(rig->a, 0, 1024, 1));
	ASSERT_U64("wakes", rig->env.stall_wakes, 0);
	sync_env_ack(&rig->env, 0);
	ASSERT_U64("wakes", rig->env.stall_wakes, 1);
	/* The pull went on with what follows. */
	rig_assert_reports("second", rig, "{1028}");
	assert_false(alloc_stalled(rig->a, 0, 1024, 1));
	while (sync_env_ack(&rig->env, 0))
		;
	/* It is in use: no bit. */
	assert_false(bitmap_test(s->maps[0], 1024));
	assert_false(bitmap_test(s->maps[0], 1025));
	rig_assert_valid(rig);
	finish(rig);
}

static void test_pull_bitmap__given_up_while_waiting(void **state)
{
	/* The task is killed: its page is free, and with the host until it
	 * answers; then it has its bit again. */
	struct rig *rig = start("capacity=1");
	const struct host_command c = { .kind = HOST_WANTS_PAGES, .pages = 1 };
	struct pull_bitmap *s = rig->env.reporter.state;

	(void)state;
	sync_env_host_request(&rig->env, &c);
	ASSERT_U64("1026", fixture_take(rig->a, MIGRATE_MOVABLE, 0, 0), 1026);
	assert_false(alloc_stalled(rig->a, 0, 1026, 0));
	ASSERT_U64("1024", fixture_take(rig->a, MIGRATE_MOVABLE, 1, 0), 1024);
	assert_true(alloc_stalled(rig->a, 0, 1024, 1));
	rig_assert_valid(rig);
	alloc_free_buddy(rig->a, 1024, 1);
	rig_assert_valid(rig);
	assert_true(bitmap_test(s->flight, 1024));
	sync_env_ack(&rig->env, 0);
	assert_true(bitmap_test(s->maps[0], 1024));
	rig_assert_valid(rig);
	finish(rig);
}

static struct alloc *two_cpus(void)
{
	static const struct alloc_zone_config zone = {
		.type = ZONE_NORMAL, .start = 0, .end = 65536,
	};
	const struct alloc_config config = {
		.profile = alloc_profile_find("6.1"), .nr_cpus = 2,
		.nr_nodes = 1, .zones = &zone, .nr_zones = 1,
		.pageblock_order = 9, .pcp_disabled = true,
	};

	return fixture_create_config(&config);
}

static void test_pull_bitmap__stale_bits_of_another_cpu(void **state)
{
	/* 1024 and 1025 were freed by both CPUs in turn, 1026 is in use: a lazy
	 * pull takes each free page once and drops the other bits. */
	struct alloc *a = two_cpus();
	struct rig *rig;
	struct pull_bitmap *s;

	(void)state;
	fixture_put(a, 1024, 1);
	fixture_put(a, 1026, 0);
	rig = rig_start(a, &pull_bitmap_reporter, "variant=per_cpu "
			"remote_clear=lazy_validate", NULL);
	s = rig->env.reporter.state;
	ASSERT_U64("1026", fixture_take(a, MIGRATE_MOVABLE, 0, 0), 1026);
	assert_false(alloc_stalled(a, 0, 1026, 0));
	ASSERT_U64("1024", fixture_take(a, MIGRATE_MOVABLE, 1, 0), 1024);
	assert_false(alloc_stalled(a, 1, 1024, 1));
	alloc_free(a, 1, 1024, 1);
	assert_true(bitmap_test(s->maps[0], 1024));
	assert_true(bitmap_test(s->maps[1], 1024));
	pull(rig, 99999);
	rig_assert_reports("lazy", rig, "{1024}");
	ASSERT_U64("stale", rig_counters(rig)->stale_bits, 3);
	finish(rig);
}

static void test_pull_bitmap__clears_in_the_map_of_the_other_cpu(void **state)
{
	/* The same with remote clears: one bit for each page, none stale. */
	struct alloc *a = two_cpus();
	struct rig *rig;
	struct pull_bitmap *s;

	(void)state;
	fixture_put(a, 1024, 1);
	rig = rig_start(a, &pull_bitmap_reporter, "variant=per_cpu", NULL);
	s = rig->env.reporter.state;
	ASSERT_U64("1024", fixture_take(a, MIGRATE_MOVABLE, 1, 0), 1024);
	assert_false(alloc_stalled(a, 1, 1024, 1));
	ASSERT_U64("shared", rig->env.charged[COST_SHARED], 1);
	alloc_free(a, 1, 1024, 1);
	assert_false(bitmap_test(s->maps[0], 1024));
	assert_true(bitmap_test(s->maps[1], 1024));
	pull(rig, 99999);
	rig_assert_reports("atomic", rig, "{1024}");
	ASSERT_U64("stale", rig_counters(rig)->stale_bits, 0);
	finish(rig);
}

static void test_pull_bitmap__lists_do_not_notice(void **state)
{
	/* The same operations with and without pulls: the same pages. */
	static const char *const options[] = {
		"", "variant=per_cpu",
		"variant=per_cpu remote_clear=lazy_validate order=1",
	};

	(void)state;
	for (unsigned int o = 0; o < ARRAY_SIZE(options); o++) {
		struct alloc *plain = fixture_create("6.12", 0, 65536);
		struct alloc *a = fixture_create("6.12", 0, 65536);
		struct rig *rig;
		struct rng rng;

		alloc_boot_range(plain, 1024, 60000);
		alloc_boot_range(a, 1024, 60000);
		rig = rig_start(a, &pull_bitmap_reporter, options[o], NULL);
		rng_init(&rng, 5, "pull", o);
		for (unsigned int i = 0; i < 3000; i++) {
			const unsigned int order = rng_below(&rng, 10);
			const uint32_t dice = rng_below(&rng, 100);
			pfn_t pfn;

			if (dice < 5)
				pull(rig, rng_below(&rng, 3000));
			pfn = fixture_take(plain, MIGRATE_MOVABLE, order, 0);
			ASSERT_U64(options[o], fixture_take(a, MIGRATE_MOVABLE,
							    order, 0), pfn);
			if (pfn == PFN_NONE)
				continue;
			assert_false(alloc_stalled(a, 0, pfn, order));
			if (dice >= 30) {
				alloc_free_buddy(plain, pfn, order);
				alloc_free_buddy(a, pfn, order);
			}
		}
		rig_assert_valid(rig);
		finish(rig);
		alloc_destroy(plain);
	}
}

static void test_pull_bitmap__other_commands(void **state)
{
	/* What it does not know, and options that do not fit together. */
	const struct host_command flush = { .kind = HOST_WANTS_FLUSH };
	struct sync_env_config cfg = { .ops = &pull_bitmap_reporter };
	struct alloc *a = fixture_create("6.1", 0, 65536);
	struct rig *rig = start("");
	struct sync_env e;
	char why[256] = "";
	void *options = rig_options(&pull_bitmap_reporter,
				    "remote_clear=lazy_validate");

	(void)state;
	assert_int_equal(sync_env_host_request(&rig->env, &flush),
			 -EOPNOTSUPP);
	finish(rig);
	cfg.options = options;
	assert_int_equal(sync_env_init(&e, a, &cfg, why, sizeof(why)),
			 -EINVAL);
	assert_non_null(strstr(why, "per_cpu"));
	free(options);
	alloc_destroy(a);
}

static void assert_noticed(const struct rig *rig, const char *expected)
{
	const char *broken = pull_bitmap_check(&rig->env.reporter);

	if (!broken || !strstr(broken, expected))
		fail_msg("check() says \"%s\", expected \"%s\"",
			 broken ? broken : "(nothing)", expected);
}

static void test_pull_bitmap__check_notices(void **state)
{
	/* One bit or number at a time is wrong, and put right again. */
	struct rig *rig = start("capacity=1");
	const struct host_command c = { .kind = HOST_WANTS_PAGES, .pages = 4 };
	struct pull_bitmap *s = rig->env.reporter.state;

	(void)state;
	sync_env_host_request(&rig->env, &c);
	rig_assert_valid(rig);
	bitmap_clear(s->flight, 1025);
	assert_noticed(rig, "not in flight");
	bitmap_set(s->flight, 1025);
	bitmap_set(s->flight, 5000);
	assert_noticed(rig, "without an answer");
	bitmap_clear(s->flight, 5000);
	s->acknowledged++;
	assert_noticed(rig, "sent minus acknowledged");
	s->acknowledged--;
	bitmap_set(s->maps[0], 1024);
	assert_noticed(rig, "two states");
	bitmap_clear(s->maps[0], 1024);
	bitmap_set(s->taken, 1028);
	assert_noticed(rig, "taken, but");
	bitmap_clear(s->taken, 1028);
	bitmap_clear(s->maps[0], 2100);
	assert_noticed(rig, "no bit");
	bitmap_set(s->maps[0], 2100);
	bitmap_set(s->taken, 1024);
	assert_noticed(rig, "no bit");
	bitmap_clear(s->taken, 1024);
	rig_assert_valid(rig);
	finish(rig);
}

static void test_pull_bitmap__check_notices_per_cpu(void **state)
{
	/* A free page is known to one CPU's map, or with the host and free. */
	struct rig *rig = start("capacity=1 variant=per_cpu");
	const struct host_command c = { .kind = HOST_WANTS_PAGES, .pages = 4 };
	struct pull_bitmap *s = rig->env.reporter.state;
	unsigned int map = 0;

	(void)state;
	sync_env_host_request(&rig->env, &c);
	rig_assert_valid(rig);
	while (!bitmap_test(s->maps[map], 2100))
		assert_true(++map < s->nr_maps);
	bitmap_clear(s->maps[map], 2100);
	assert_noticed(rig, "no bit");
	bitmap_set(s->maps[map], 2100);
	bitmap_set(s->taken, 1024);
	assert_noticed(rig, "no bit");
	bitmap_clear(s->taken, 1024);
	rig_assert_valid(rig);
	finish(rig);
}

/* ---- faults of the seam, to be found by the random guest ---- */

static bool never_stall(void *ctx, unsigned int zone, pfn_t pfn,
			unsigned int order, unsigned int cpu)
{
	struct reporter *r = ctx;

	r->ops->alloc_stall(r, zone, pfn, order, cpu);
	return false;
}

static bool stall_first_page(void *ctx, unsigned int zone, pfn_t pfn,
			     unsigned int order, unsigned int cpu)
{
	struct reporter *r = ctx;

	(void)order;
	return r->ops->alloc_stall(r, zone, pfn, 0, cpu);
}

static void test_pull_bitmap__random_guest_finds_faults(void **state)
{
	/* An allocation that never waits, one that looks at its first page
	 * only, and frees that nobody hears of. */
	static const struct {
		const char *what, *found;
		bool (*stall)(void *ctx, unsigned int zone, pfn_t pfn,
			      unsigned int order, unsigned int cpu);
		bool deaf;
	} faults[] = {
		{ "never waits", "got what the host has", never_stall, false },
		{ "first page", "pull_bitmap", stall_first_page, false },
		{ "deaf", "no bit", NULL, true },
	};

	(void)state;
	for (unsigned int i = 0; i < ARRAY_SIZE(faults); i++) {
		const struct world_config cfg = {
			.ops = &pull_bitmap_reporter, .options = "capacity=5",
			.kernel = "6.1", .seed = 1,
			.ack_latency_ns = 4 * NSEC_PER_SEC,
		};
		struct world *w = world_create(&cfg);
		unsigned int events = 0;

		if (faults[i].stall)
			w->hooks.alloc_stall = faults[i].stall;
		if (faults[i].deaf)
			w->hooks.free_capture = NULL;
		alloc_set_hooks(w->a, &w->hooks);
		while (events < 1200 && world_step(w))
			events++;
		if (!strstr(w->broken, faults[i].found))
			fail_msg("%s: found \"%s\"", faults[i].what,
				 w->broken);
		world_abandon(w);
	}
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(test_pull_bitmap__runs_in_address_order),
	cmocka_unit_test(test_pull_bitmap__waits_for_the_last_page),
	cmocka_unit_test(test_pull_bitmap__given_up_while_waiting),
	cmocka_unit_test(test_pull_bitmap__stale_bits_of_another_cpu),
	cmocka_unit_test(test_pull_bitmap__clears_in_the_map_of_the_other_cpu),
	cmocka_unit_test(test_pull_bitmap__lists_do_not_notice),
	cmocka_unit_test(test_pull_bitmap__other_commands),
	cmocka_unit_test(test_pull_bitmap__check_notices),
	cmocka_unit_test(test_pull_bitmap__check_notices_per_cpu),
	cmocka_unit_test(test_pull_bitmap__random_guest_finds_faults),
};

TEST_MAIN(cases)
