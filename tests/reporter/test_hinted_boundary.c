/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hinted_boundary, rule by rule: which blocks a cycle takes, where it puts
 * them, when a zone requests one, and what other operations do to boundaries.
 */
#include "reporter/hinted_boundary.h"
#include "tests/alloc/fixture.h"
#include "tests/reporter/rig.h"
#include "tests/test.h"

#define HINTING &hinted_boundary_reporter

static const char *const kernels[] = { "5.3", "5.7", "6.1" };

static const struct hinted_boundary *state_of(const struct rig *rig)
{
	return rig->env.reporter.state;
}

static void finish(struct rig *rig)
{
	struct alloc *a = rig->a;

	rig_stop(rig);
	alloc_destroy(a);
}

static struct alloc *idle_guest(const char *kernel, uint32_t nr)
{
	const uint32_t step = order_nr_pages(MAX_PAGE_ORDER);
	struct alloc *a = fixture_create(kernel, 0, nr * step);

	for (uint32_t i = 0; i < nr; i++)
		fixture_put(a, i * step, MAX_PAGE_ORDER);
	return a;
}

static void run_idle(const char *kernel, uint32_t nr, uint32_t capacity)
{
	struct alloc *a = idle_guest(kernel, nr);
	const pfn_t first = alloc_list_first(a, 0, 10, MIGRATE_MOVABLE);
	const pfn_t last = alloc_list_last(a, 0, 10, MIGRATE_MOVABLE);
	char options[32];
	const struct reporter_counters *c;
	struct rig *rig;

	snprintf(options, sizeof(options), "capacity=%u", capacity);
	rig = rig_start(a, HINTING, options, NULL);
	c = rig_counters(rig);
	ASSERT_U64(kernel, rig_run(rig), 1);
	ASSERT_U64(kernel, rig->env.now_ns, 100 * NSEC_PER_MSEC);
	ASSERT_U64(kernel, c->passes, 1);
	ASSERT_U64(kernel, c->report_calls, (nr + capacity - 1) / capacity);
	ASSERT_U64(kernel, rig->env.max_in_flight,
		   nr < capacity ? nr : capacity);
	ASSERT_U64(kernel, c->blocks[10], nr);
	/* No list is walked: one look per block, and none at the end. */
	ASSERT_U64(kernel, c->list_visits, nr);
	ASSERT_U64(kernel, state_of(rig)->zones[0].hinted_count[10], nr);
	ASSERT_U64(kernel, state_of(rig)->boundary[10][MIGRATE_MOVABLE],
		   first);
	/* Order is kept: what was coldest is so still. */
	ASSERT_U64(kernel, alloc_list_first(a, 0, 10, MIGRATE_MOVABLE), first);
	ASSERT_U64(kernel, alloc_list_last(a, 0, 10, MIGRATE_MOVABLE), last);
	finish(rig);
}

static void test_hinted_boundary__idle_guest(void **state)
{
	/* N blocks of order 10, batches of 32: all in one run, in order. */
	static const uint32_t sizes[] = { 1, 31, 32, 33, 64, 100, 256, 2048 };

	(void)state;
	for (size_t k = 0; k < ARRAY_SIZE(kernels); k++) {
		for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
			run_idle(kernels[k], sizes[i], 32);
			run_idle(kernels[k], sizes[i], 7);
		}
	}
}

static void test_hinted_boundary__high_to_low(void **state)
{
	/* Orders downward, types downward, each list from its tail. */
	struct alloc *a = fixture_create("5.3", 0, 16384);
	struct rig *rig;

	(void)state;
	alloc_set_pageblock_type(a, 1024, MIGRATE_UNMOVABLE);
	alloc_set_pageblock_type(a, 2048, MIGRATE_RECLAIMABLE);
	fixture_put(a, 1024, 9);
	fixture_put(a, 2048, 9);
	fixture_put(a, 3072, 9);
	fixture_put(a, 4096, 9);
	fixture_put(a, 8192, 10);
	fixture_put(a, 10240, 10);
	fixture_assert_lists("before", a, 0, "o9/U[1024] o9/M[4096 3072] "
			     "o9/R[2048] o10/M[10240 8192]");
	rig = rig_start(a, HINTING, "capacity=4", NULL);
	rig_run(rig);
	rig_assert_reports("order", rig,
			   "{8192,10240,2048,3072} {4096,1024}");
	fixture_assert_lists("after", a, 0, "o9/U[1024h] o9/M[4096h 3072h] "
			     "o9/R[2048h] o10/M[10240h 8192h]");
	/* Raw removal: pageblocks keep their types. */
	ASSERT_U64("type", alloc_pageblock_type(a, 1024), MIGRATE_UNMOVABLE);
	finish(rig);
}

static void test_hinted_boundary__threshold(void **state)
{
	/* After the first cycle, 32 unhinted blocks of one order request. */
	static const struct {
		const char *options;
		unsigned int threshold;
	} rows[] = { { "", 32 }, { "threshold=5", 5 } };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct alloc *a = fixture_create("5.7", 0, 262144);
		struct rig *rig =
			rig_start(a, HINTING, rows[i].options, NULL);
		const struct reporter_counters *c = rig_counters(rig);

		/* Start-up requests a zone that has nothing free, too. */
		ASSERT_U64("start", c->requests, 1);
		ASSERT_U64("start", rig_run(rig), 1);
		for (unsigned int n = 1; n < rows[i].threshold; n++) {
			fixture_put(a, n * 1024, 9);
			fixture_put(a, 131072 + n * 1024, 10);
			assert_false(rig->env.scheduled);
		}
		ASSERT_U64("below", c->requests, 1);
		fixture_put(a, 128 * 1024 - 1024, 9);
		ASSERT_U64("reached", c->requests, 2);
		ASSERT_U64("delay", rig->env.scheduled_ns - rig->env.now_ns,
			   100 * NSEC_PER_MSEC);
		/* Both orders are hinted, whichever requested. */
		rig_run(rig);
		ASSERT_U64("9", c->blocks[9], rows[i].threshold);
		ASSERT_U64("10", c->blocks[10], rows[i].threshold - 1);
		/* Hinted blocks do not count towards the next request. */
		fixture_put(a, 126 * 1024, 9);
		ASSERT_U64("again", c->requests, 2);
		finish(rig);
	}
}

static void test_hinted_boundary__no_watermark(void **state)
{
	/* Whatever the watermarks say, the last block is taken. */
	struct alloc *a = idle_guest("5.7", 4);
	struct rig *rig;

	(void)state;
	alloc_set_watermarks(a, 0, 1 << 20, 1 << 20, 1 << 20);
	rig = rig_start(a, HINTING, "", NULL);
	sync_env_process(&rig->env);
	ASSERT_U64("free", alloc_free_pages(a), 0);
	rig_run(rig);
	ASSERT_U64("blocks", rig_counters(rig)->blocks[10], 4);
	finish(rig);
}

static void test_hinted_boundary__warm_blocks_first(void **state)
{
	/* An unhinted block freed later is allocated before hinted ones. */
	struct alloc *a = fixture_create("5.7", 0, 16384);
	struct rig *rig;

	(void)state;
	fixture_put(a, 1024, 9);
	fixture_put(a, 2048, 9);
	rig = rig_start(a, HINTING, "", NULL);
	rig_run(rig);
	fixture_put(a, 3072, 9);
	fixture_assert_lists("mixed", a, 0, "o9/M[3072 2048h 1024h]");
	ASSERT_U64("warm", fixture_take(a, MIGRATE_MOVABLE, 9, 0), 3072);
	ASSERT_U64("cold", fixture_take(a, MIGRATE_MOVABLE, 9, 0), 2048);
	ASSERT_U64("cold", alloc_counters(a)->cold_allocs[9], 1);
	ASSERT_U64("count", state_of(rig)->zones[0].hinted_count[9], 1);
	rig_assert_valid(rig);
	finish(rig);
}

/* A list in mid-cycle: [3072 | 2048h 1024h], 5120 and 4096 with the host. */
static struct rig *mid_cycle(const char *kernel)
{
	struct alloc *a = fixture_create(kernel, 0, 16384);
	struct rig *rig;

	for (pfn_t pfn = 1024; pfn <= 5120; pfn += 1024)
		fixture_put(a, pfn, 9);
	fixture_take(a, MIGRATE_MOVABLE, 9, 0);
	fixture_take(a, MIGRATE_MOVABLE, 9, 0);
	fixture_put(a, 6144, 9);
	fixture_put(a, 7168, 9);
	fixture_assert_lists("start", a, 0, "o9/M[7168 6144 3072 2048 1024]");
	rig = rig_start(a, HINTING, "capacity=2", NULL);
	sync_env_process(&rig->env);
	sync_env_ack(&rig->env, 0);
	rig_assert_reports("two batches", rig, "{1024,2048} {3072,6144}");
	fixture_assert_lists("mid", a, 0, "o9/M[7168 2048h 1024h]");
	rig_assert_valid(rig);
	return rig;
}

static pfn_t boundary9(const struct rig *rig)
{
	const struct reporter *r = &rig->env.reporter;
	pfn_t pfn = 0;

	assert_true(r->ops->boundary(r, 0, 9, MIGRATE_MOVABLE, &pfn));
	return pfn;
}

static void test_hinted_boundary__boundary_moves_on(void **state)
{
	/* The boundary block leaves: the boundary is the next, then the end. */
	struct rig *rig = mid_cycle("5.3");
	struct alloc *a = rig->a;

	(void)state;
	ASSERT_U64("set", boundary9(rig), 2048);
	fixture_take(a, MIGRATE_MOVABLE, 9, 0);
	ASSERT_U64("unhinted left", boundary9(rig), 2048);
	ASSERT_U64("taken", fixture_take(a, MIGRATE_MOVABLE, 9, 0), 2048);
	ASSERT_U64("next", boundary9(rig), 1024);
	fixture_put(a, 1536, 9);
	ASSERT_U64("merged away", boundary9(rig), PFN_NONE);
	rig_assert_valid(rig);
	rig_run(rig);
	fixture_assert_lists("end", a, 0, "o9/M[6144h 3072h] o10/M[1024h]");
	finish(rig);
}

static void test_hinted_boundary__tail_is_before_the_boundary(void **state)
{
	/* ACTIVE: tail insertions go in front of the hinted blocks. */
	struct rig *rig = mid_cycle("6.1");
	struct alloc *a = rig->a;

	(void)state;
	alloc_set_pageblock_type(a, 8192, MIGRATE_RECLAIMABLE);
	fixture_put(a, 8192, 9);
	move_to_free_list(a, zone_at(a, 0), 8192, 9, MIGRATE_MOVABLE);
	fixture_assert_lists("active", a, 0, "o9/M[7168 8192 2048h 1024h]");
	rig_assert_valid(rig);
	/* The batch comes back in front; 8192 is next, as the coldest. */
	sync_env_ack(&rig->env, 0);
	rig_assert_reports("next", rig, "{8192,7168}");
	rig_run(rig);
	fixture_assert_lists("end", a, 0,
			     "o9/M[7168h 8192h 6144h 3072h 2048h 1024h]");
	/* Not ACTIVE: the true tail, to be found there by the next cycle. */
	alloc_set_pageblock_type(a, 9216, MIGRATE_RECLAIMABLE);
	fixture_put(a, 9216, 9);
	move_to_free_list(a, zone_at(a, 0), 9216, 9, MIGRATE_MOVABLE);
	fixture_put(a, 10240, 9);
	fixture_assert_lists("idle", a, 0, "o9/M[10240 7168h 8192h 6144h "
			     "3072h 2048h 1024h 9216]");
	finish(rig);
}

static void test_hinted_boundary__tail_then_head_then_done(void **state)
{
	/* Hinted in an earlier cycle: tail blocks first, then from the head. */
	struct alloc *a = fixture_create("6.1", 0, 16384);
	struct rig *rig;

	(void)state;
	fixture_put(a, 1024, 9);
	fixture_put(a, 2048, 9);
	rig = rig_start(a, HINTING, "capacity=1", NULL);
	rig_run(rig);
	rig_assert_reports("first", rig, "{1024} {2048}");
	alloc_set_pageblock_type(a, 3072, MIGRATE_RECLAIMABLE);
	fixture_put(a, 3072, 9);
	move_to_free_list(a, zone_at(a, 0), 3072, 9, MIGRATE_MOVABLE);
	fixture_put(a, 4096, 9);
	fixture_put(a, 5120, 9);
	fixture_assert_lists("before", a, 0,
			     "o9/M[5120 4096 2048h 1024h 3072]");
	sync_env_start(&rig->env);
	sync_env_process(&rig->env);
	rig_assert_reports("tail", rig, "{3072}");
	sync_env_ack(&rig->env, 0);
	rig_assert_reports("head", rig, "{5120}");
	fixture_assert_lists("head", a, 0, "o9/M[4096 2048h 1024h 3072h]");
	rig_assert_valid(rig);
	sync_env_ack(&rig->env, 0);
	rig_assert_reports("head", rig, "{4096}");
	/* The drained block went in front of 3072, its predecessor. */
	fixture_assert_lists("drained", a, 0,
			     "o9/M[2048h 1024h 5120h 3072h]");
	sync_env_ack(&rig->env, 0);
	assert_true(state_of(rig)->gave_up[9][MIGRATE_MOVABLE]);
	ASSERT_U64("at the head",
		   state_of(rig)->boundary[9][MIGRATE_MOVABLE], 2048);
	fixture_assert_lists("end", a, 0,
			     "o9/M[2048h 1024h 4096h 5120h 3072h]");
	finish(rig);
}

static void test_hinted_boundary__trapped_blocks(void **state)
{
	/*
	 * Unhinted blocks between hinted ones are never found, and each large
	 * free after enough of them starts a cycle that finds only itself.
	 */
	struct alloc *a = fixture_create("5.7", 0, 16384);
	struct rig *rig;

	(void)state;
	for (pfn_t pfn = 1024; pfn <= 4096; pfn += 1024)
		fixture_put(a, pfn, 9);
	alloc_block_set_mark(a, 1024, BLOCK_HINTED);
	alloc_block_set_mark(a, 4096, BLOCK_HINTED);
	rig = rig_start(a, HINTING, "threshold=2", NULL);
	rig_run(rig);
	rig_assert_reports("trapped", rig, "");
	fixture_assert_lists("trapped", a, 0, "o9/M[4096h 3072 2048 1024h]");
	for (unsigned int i = 0; i < 3; i++) {
		fixture_put(a, 5120 + 1024 * i, 9);
		ASSERT_U64("cycle", rig_run(rig), 1);
	}
	rig_assert_reports("found", rig, "{5120} {6144} {7168}");
	ASSERT_U64("requests", rig_counters(rig)->requests, 4);
	finish(rig);
}

static void test_hinted_boundary__moved_block_is_unhinted(void **state)
{
	/* A move between types drops the mark; in 5.x it goes to the head. */
	struct rig *rig = mid_cycle("5.3");
	struct alloc *a = rig->a;

	(void)state;
	move_to_free_list(a, zone_at(a, 0), 2048, 9, MIGRATE_UNMOVABLE);
	fixture_assert_lists("moved", a, 0, "o9/U[2048] o9/M[7168 1024h]");
	ASSERT_U64("boundary", boundary9(rig), 1024);
	ASSERT_U64("count", state_of(rig)->zones[0].hinted_count[9], 1);
	rig_assert_valid(rig);
	rig_run(rig);
	fixture_assert_lists("end", a, 0, "o9/U[2048h] "
			     "o9/M[7168h 6144h 3072h 1024h]");
	finish(rig);
}

static void test_hinted_boundary__merge_on_drain(void **state)
{
	/* The buddy is free and hinted: the merged block is unhinted. */
	struct rig *rig = mid_cycle("5.7");
	struct alloc *a = rig->a;

	(void)state;
	fixture_put(a, 3584, 9);
	rig_run(rig);
	ASSERT_U64("merged", rig_counters(rig)->putback_merged, 1);
	/* The merged block appeared on a list that was done already; the
	 * last full batch looks there again. */
	fixture_assert_lists("end", a, 0,
			     "o9/M[7168h 6144h 2048h 1024h] o10/M[3072h]");
	ASSERT_U64("9", state_of(rig)->zones[0].hinted_count[9], 4);
	ASSERT_U64("10", state_of(rig)->zones[0].hinted_count[10], 1);
	finish(rig);
}

static void test_hinted_boundary__marks_outlive_the_device(void **state)
{
	/* The next device counts what is hinted, and finds nothing to do. */
	struct alloc *a = idle_guest("5.7", 40);
	struct rig *rig = rig_start(a, HINTING, "", NULL);

	(void)state;
	rig_run(rig);
	rig_stop(rig);
	rig = rig_start(a, HINTING, "order=10", NULL);
	ASSERT_U64("taken over", state_of(rig)->zones[0].hinted_count[10], 40);
	rig_run(rig);
	ASSERT_U64("calls", rig_counters(rig)->report_calls, 0);
	finish(rig);
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(test_hinted_boundary__idle_guest),
	cmocka_unit_test(test_hinted_boundary__high_to_low),
	cmocka_unit_test(test_hinted_boundary__threshold),
	cmocka_unit_test(test_hinted_boundary__no_watermark),
	cmocka_unit_test(test_hinted_boundary__warm_blocks_first),
	cmocka_unit_test(test_hinted_boundary__boundary_moves_on),
	cmocka_unit_test(test_hinted_boundary__tail_is_before_the_boundary),
	cmocka_unit_test(test_hinted_boundary__tail_then_head_then_done),
	cmocka_unit_test(test_hinted_boundary__trapped_blocks),
	cmocka_unit_test(test_hinted_boundary__moved_block_is_unhinted),
	cmocka_unit_test(test_hinted_boundary__merge_on_drain),
	cmocka_unit_test(test_hinted_boundary__marks_outlive_the_device),
};

TEST_MAIN(cases)
