/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The design that knows the future: what it reports for a future that is
 * written down, that lists are as before, and that its promises are tested.
 */
#include <string.h>

#include "reporter/ideal.h"
#include "tests/alloc/fixture.h"
#include "tests/reporter/rig.h"
#include "tests/reporter/world.h"
#include "tests/test.h"

#define NR_REGIONS 128

/* Seconds until each region is used; 0 = never. */
struct oracle {
	unsigned int in_s[NR_REGIONS];
	char text[4096];
	size_t used;
};

static sim_ns_t ask(void *ctx, pfn_t pfn, unsigned int order)
{
	const struct oracle *o = ctx;
	sim_ns_t next = UINT64_MAX;

	for (pfn_t p = pfn; p < pfn + order_nr_pages(order); p += HPAGE_PMD_NR)
		if (o->in_s[pfn_region(p)] &&
		    o->in_s[pfn_region(p)] * NSEC_PER_SEC < next)
			next = o->in_s[pfn_region(p)] * NSEC_PER_SEC;
	return next;
}

static void keep(void *ctx, const struct page_report *entries, unsigned int nr)
{
	struct oracle *o = ctx;

	for (unsigned int i = 0; i < nr; i++)
		o->used += (size_t)snprintf(o->text + o->used,
					    sizeof(o->text) - o->used,
					    "%s%u", i ? "," : "{",
					    entries[i].pfn);
	o->used += (size_t)snprintf(o->text + o->used,
				    sizeof(o->text) - o->used, "}");
	assert_true(o->used < sizeof(o->text));
}

static struct rig *start(struct alloc *a, struct oracle *o,
			 const char *options)
{
	const struct sync_env_config cfg = {
		.watch = { .ctx = o, .report = keep }, .next_use = ask,
	};

	return rig_start(a, &ideal_reporter, options, &cfg);
}

static void finish(struct rig *rig)
{
	struct alloc *a = rig->a;

	rig_stop(rig);
	alloc_destroy(a);
}

static void test_ideal__reports_what_rests(void **state)
{
	/* Blocks of order 9 at regions 2, 4 .. 12 and one of order 10 at 16;
	 * from which time to the next use on is a report worth it? */
	static const struct {
		const char *options;
		struct { uint32_t region; unsigned int in_s; } use[4];
		const char *reports;
	} rows[] = {
		{ "", { { 0, 0 } }, "{6144,5120,4096,3072,2048,1024,8192}" },
		{ "payback=3s", { { 4, 3 }, { 6, 4 }, { 8, 1 } },
		  "{6144,5120,3072,1024,8192}" },
		{ "payback=3s", { { 17, 2 }, { 2, 1 } },
		  "{6144,5120,4096,3072,2048}" },
		{ "payback=3s order=10", { { 2, 9 } }, "{8192}" },
		{ "capacity=3", { { 6, 1 } },
		  "{6144,5120,4096}{2048,1024,8192}" },
		{ "payback=0s", { { 4, 1 } },
		  "{6144,5120,4096,3072,2048,1024,8192}" },
	};

	(void)state;
	for (unsigned int i = 0; i < ARRAY_SIZE(rows); i++) {
		struct alloc *a = fixture_create("6.1", 0, 65536);
		struct oracle o = { .used = 0 };
		struct rig *rig;

		for (pfn_t pfn = 1024; pfn <= 6144; pfn += 1024)
			fixture_put(a, pfn, 9);
		fixture_put(a, 8192, 10);
		fixture_put(a, 20480, 8);
		for (unsigned int k = 0; k < ARRAY_SIZE(rows[i].use); k++)
			o.in_s[rows[i].use[k].region] = rows[i].use[k].in_s;
		rig = start(a, &o, rows[i].options);
		rig_run(rig);
		if (strcmp(o.text, rows[i].reports) != 0)
			fail_msg("row %u: reports are %s, expected %s", i,
				 o.text, rows[i].reports);
		finish(rig);
	}
}

static void test_ideal__leaves_the_lists_alone(void **state)
{
	/* Two of three blocks are reported, in batches of four; every kernel.
	 * The order on the lists is that of a guest without a reporter. */
	(void)state;
	for (unsigned int k = 0; fixture_kernels[k]; k++) {
		struct alloc *a = fixture_create(fixture_kernels[k], 0, 65536);
		struct oracle o = { .used = 0 };
		pfn_t before[64];
		unsigned int nr = 0, i = 0;
		struct rig *rig;
		pfn_t pfn;

		for (pfn = 1024; pfn < 40960; pfn += 1024)
			fixture_put(a, pfn, 9);
		pfn = alloc_list_first(a, 0, 9, MIGRATE_MOVABLE);
		for (; pfn != PFN_NONE; pfn = alloc_list_next(a, pfn)) {
			o.in_s[pfn_region(pfn)] = nr % 3 ? 0 : 1;
			before[nr++] = pfn;
		}
		rig = start(a, &o, "capacity=4");
		rig_run(rig);
		ASSERT_U64(fixture_kernels[k], rig_counters(rig)->blocks[9],
			   nr - (nr + 2) / 3);
		pfn = alloc_list_first(a, 0, 9, MIGRATE_MOVABLE);
		for (; pfn != PFN_NONE; pfn = alloc_list_next(a, pfn), i++) {
			ASSERT_U64(fixture_kernels[k], pfn, before[i]);
			ASSERT_U64(fixture_kernels[k],
				   alloc_block_marks(a, pfn),
				   i % 3 ? BLOCK_REPORTED : 0);
		}
		ASSERT_U64(fixture_kernels[k], i, nr);
		finish(rig);
	}
}

static void test_ideal__decides_at_every_free(void **state)
{
	/* A block that was kept warm is looked at again after it was used. */
	struct alloc *a = fixture_create("6.1", 0, 65536);
	struct oracle o = { .in_s = { [2] = 1 } };
	struct rig *rig;

	(void)state;
	fixture_put(a, 1024, 9);
	rig = start(a, &o, "");
	rig_run(rig);
	assert_string_equal(o.text, "");
	ASSERT_U64("kept", rig_counters(rig)->kept_warm, 1);
	ASSERT_U64("taken", fixture_take(a, MIGRATE_MOVABLE, 9, 0), 1024);
	o.in_s[2] = 0;
	fixture_put(a, 1024, 9);
	rig_run(rig);
	assert_string_equal(o.text, "{1024}");
	finish(rig);
}

static void test_ideal__believes_a_wrong_forecast_once(void **state)
{
	/* Never used, it was said, and then it is: reported once. One that was
	 * used as foretold is reported as often as that is worth it. */
	struct alloc *a = fixture_create("6.1", 0, 65536);
	struct oracle o = { .used = 0 };
	struct rig *rig;

	(void)state;
	fixture_put(a, 1024, 9);
	rig = start(a, &o, "");
	rig_run(rig);
	ASSERT_U64("taken", fixture_take(a, MIGRATE_MOVABLE, 9, 0), 1024);
	ASSERT_U64("misjudged", rig_counters(rig)->misjudged, 1);
	fixture_put(a, 1024, 9);
	fixture_put(a, 4096, 9);
	rig_run(rig);
	assert_string_equal(o.text, "{1024}{4096}");
	o.in_s[8] = 1;
	ASSERT_U64("taken", fixture_take(a, MIGRATE_MOVABLE, 9, 0), 4096);
	ASSERT_U64("misjudged", rig_counters(rig)->misjudged, 1);
	o.in_s[8] = 0;
	fixture_put(a, 4096, 9);
	rig_run(rig);
	assert_string_equal(o.text, "{1024}{4096}{4096}");
	finish(rig);
}

static void test_ideal__more_frees_than_the_queue_holds(void **state)
{
	/* What the queue has no room for is found on the lists. */
	struct alloc *a = fixture_create("6.1", 0, 65536);
	struct oracle o = { .used = 0 };
	struct ideal *s;
	struct rig *rig = start(a, &o, "");

	(void)state;
	rig_run(rig);
	s = rig->env.reporter.state;
	assert_false(s->rescan);
	for (unsigned int i = 0; i < IDEAL_QUEUE; i++) {
		fixture_put(a, 1024, 9);
		fixture_take(a, MIGRATE_MOVABLE, 9, 0);
	}
	assert_false(s->rescan);
	fixture_put(a, 4096, 9);
	assert_true(s->rescan);
	rig_run(rig);
	assert_string_equal(o.text, "{4096}");
	finish(rig);
}

static void assert_noticed(const struct rig *rig, const char *expected)
{
	const char *broken = ideal_reporter.check(&rig->env.reporter);

	if (!broken || !strstr(broken, expected))
		fail_msg("check() says \"%s\", expected \"%s\"",
			 broken ? broken : "(nothing)", expected);
}

static void test_ideal__check_notices(void **state)
{
	/* One member of the state at a time is wrong, and put right again. */
	struct alloc *a = fixture_create("6.1", 0, 65536);
	struct oracle o = { .used = 0 };
	struct ideal *s, good;
	struct rig *rig;

	(void)state;
	fixture_put(a, 256, 8);
	for (pfn_t pfn = 1024; pfn <= 8192; pfn += 1024)
		fixture_put(a, pfn, 9);
	rig = start(a, &o, "capacity=4");
	sync_env_process(&rig->env);
	s = rig->env.reporter.state;
	good = *s;
	rig_assert_valid(rig);
	s->state = IDEAL_IDLE;
	assert_noticed(rig, "not with the host");
	*s = good;
	s->nr = 0;
	assert_noticed(rig, "no block is");
	*s = good;
	s->nr = 5;
	assert_noticed(rig, "more blocks in flight");
	*s = good;
	s->sg[2].order = 8;
	assert_noticed(rig, "wrong order");
	*s = good;
	s->place[1].next_use = NSEC_PER_SEC;
	assert_noticed(rig, "used soon");
	*s = good;
	s->sg[0].pfn = alloc_list_first(a, 0, 9, MIGRATE_MOVABLE);
	assert_noticed(rig, "is free");
	*s = good;
	s->put_before = 1024;
	assert_noticed(rig, "outside of a putback");
	*s = good;
	alloc_block_set_mark(a, 256, BLOCK_REPORTED);
	assert_noticed(rig, "below the reporting order");
	fixture_take(a, MIGRATE_MOVABLE, 8, 0);
	finish(rig);
}

static void pretend_isolate(void *ctx, pfn_t pfn)
{
	(void)ctx;
	(void)pfn;
}

static void test_ideal__random_guest_finds_a_fault(void **state)
{
	/* Blocks that stay on their lists while the host has them. */
	const struct world_config cfg = {
		.ops = &ideal_reporter, .options = "capacity=4",
		.kernel = "5.7", .seed = 1, .ack_latency_ns = NSEC_PER_SEC,
	};
	struct world *w = world_create(&cfg);
	unsigned int events = 0;

	(void)state;
	w->env.env.isolate_raw = pretend_isolate;
	while (events < 1200 && world_step(w))
		events++;
	assert_non_null(strstr(w->broken, "does not have"));
	world_abandon(w);
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(test_ideal__reports_what_rests),
	cmocka_unit_test(test_ideal__leaves_the_lists_alone),
	cmocka_unit_test(test_ideal__decides_at_every_free),
	cmocka_unit_test(test_ideal__believes_a_wrong_forecast_once),
	cmocka_unit_test(test_ideal__more_frees_than_the_queue_holds),
	cmocka_unit_test(test_ideal__check_notices),
	cmocka_unit_test(test_ideal__random_guest_finds_a_fault),
};

TEST_MAIN(cases)
