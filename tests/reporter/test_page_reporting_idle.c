/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * page_reporting on an idle guest, whose one list has N blocks of order 10, all
 * unreported: passes, time, report calls and list visits are those of a model
 * that knows nothing but a list. 32 GiB take 16 passes, as Duyck measured
 * ("about 30 seconds"); without rotation the same work costs 45 times the
 * visits.
 */
#include "tests/alloc/fixture.h"
#include "tests/reporter/rig.h"
#include "tests/test.h"

static const struct row {
	const char *name, *kernel, *options;
	uint32_t nr;               /* blocks of order 10 */
	uint32_t passes, calls;
	uint32_t full_pass;        /* blocks reported in the first pass */
	uint64_t visits;
} rows[] = {
	{ "1 GiB, 5.7", "5.7", "", 256, 4, 8, 64, 682 },
	{ "8 GiB, 5.7", "5.7", "", 2048, 13, 64, 160, 6123 },
	{ "32 GiB, 5.7", "5.7", "", 8192, 16, 256, 544, 24782 },
	{ "1 GiB, 5.10", "5.10", "", 256, 4, 8, 64, 490 },
	{ "8 GiB, 5.10", "5.10", "", 2048, 13, 64, 160, 4139 },
	{ "32 GiB, 5.10", "5.10", "", 8192, 16, 256, 544, 16622 },
	{ "1 GiB, 6.1", "6.1", "", 256, 4, 8, 64, 490 },
	{ "32 GiB, 6.18", "6.18", "", 8192, 16, 256, 544, 16622 },
	{ "5.7 with tail placement", "5.7", "placement=tail",
	  2048, 13, 64, 160, 4139 },
	{ "6.1 with head placement", "6.1", "placement=head",
	  2048, 13, 64, 160, 6123 },
	{ "no rotation", "5.7", "rotation=off",
	  8192, 16, 256, 544, 1118222 },
	{ "no budget", "6.1", "budget=0", 8192, 1, 256, 8192, 16607 },
	{ "no gate", "6.1", "watermark_gate=off", 256, 4, 8, 64, 490 },
	{ "no isolation check", "6.1", "isolate_check=off",
	  256, 4, 8, 64, 490 },
};

static struct alloc *idle_guest(const char *kernel, uint32_t nr)
{
	const uint32_t step = order_nr_pages(MAX_PAGE_ORDER);
	struct alloc *a = fixture_create(kernel, 0, nr * step);

	for (uint32_t i = 0; i < nr; i++)
		fixture_put(a, i * step, MAX_PAGE_ORDER);
	return a;
}

static uint64_t count_reported(const struct alloc *a)
{
	uint64_t nr = 0;

	for (int mt = 0; mt < MIGRATE_TYPES; mt++) {
		pfn_t pfn = alloc_list_first(a, 0, MAX_PAGE_ORDER, mt);

		for (; pfn != PFN_NONE; pfn = alloc_list_next(a, pfn))
			nr += alloc_block_marks(a, pfn) == BLOCK_REPORTED;
	}
	return nr;
}

static void run_row(const struct row *row)
{
	struct alloc *a = idle_guest(row->kernel, row->nr);
	struct rig *rig = rig_start(a, &page_reporting_reporter, row->options,
				    NULL);
	const struct reporter_counters *c = rig_counters(rig);

	assert_true(sync_env_run_pass(&rig->env));
	ASSERT_U64(row->name, c->blocks[MAX_PAGE_ORDER], row->full_pass);
	ASSERT_U64(row->name, 1 + rig_run(rig), row->passes);
	ASSERT_U64(row->name, c->passes, row->passes);
	ASSERT_U64(row->name, rig->env.now_ns, row->passes * 2 * NSEC_PER_SEC);
	ASSERT_U64(row->name, c->report_calls, row->calls);
	ASSERT_U64(row->name, c->list_visits, row->visits);
	ASSERT_U64(row->name, c->blocks[MAX_PAGE_ORDER], row->nr);
	ASSERT_U64(row->name, c->pages, (uint64_t)row->nr << MAX_PAGE_ORDER);
	ASSERT_U64(row->name, c->lists_visited, row->passes);
	ASSERT_U64(row->name, c->requests, row->passes);
	ASSERT_U64(row->name, c->budget_stops, row->passes - 1);
	ASSERT_U64(row->name, count_reported(a), row->nr);
	rig_stop(rig);
	alloc_destroy(a);
}

static void test_page_reporting_idle__list_model(void **state)
{
	/* Each row to idle; the counters are those of the list model. */
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		run_row(&rows[i]);
}

/* Visits of the hold that just ended, from the counter. */
struct holds {
	const struct rig *rig;
	uint64_t visits_before, last_visits;
	uint32_t last_touches;
};

static void see_unlock(void *ctx, unsigned int zone, uint32_t list_touches)
{
	struct holds *h = ctx;
	const uint64_t visits = h->rig ? rig_counters(h->rig)->list_visits : 0;

	(void)zone;
	if (visits != h->visits_before) {
		h->last_visits = visits - h->visits_before;
		h->last_touches = list_touches;
	}
	h->visits_before = visits;
}

static void ignore_report(void *ctx, const struct page_report *entries,
			  unsigned int nr)
{
	(void)ctx;
	(void)entries;
	(void)nr;
}

static void run_last_hold(const struct row *row)
{
	struct alloc *a = idle_guest(row->kernel, row->nr);
	struct holds holds = { .rig = NULL };
	uint32_t touches = row->nr;
	const struct sync_env_config cfg = {
		.watch = { .ctx = &holds, .report = ignore_report,
			   .unlock = see_unlock },
	};
	struct rig *rig = rig_start(a, &page_reporting_reporter, row->options,
				    &cfg);

	holds.rig = rig;
	rig_run(rig);
	ASSERT_U64(row->name, holds.last_visits, row->nr);
	/* It began by putting 32 blocks back, unless they are the last. */
	if (row->nr - (row->passes - 1) * row->full_pass > 32)
		touches += 32;
	ASSERT_U64(row->name, holds.last_touches, touches);
	assert_true(rig_counters(rig)->longest_hold >= touches);
	rig_stop(rig);
	alloc_destroy(a);
}

static void test_page_reporting_idle__last_hold_visits_all(void **state)
{
	/* The last walk of the last pass looks at all N blocks in one hold. */
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		run_last_hold(&rows[i]);
}

static void test_page_reporting_idle__next_pass_finds_nothing(void **state)
{
	/* All reported; a request brings one pass of N skips and no report. */
	struct alloc *a = idle_guest("6.1", 256);
	struct rig *rig = rig_start(a, &page_reporting_reporter, "", NULL);
	const struct reporter_counters *c = rig_counters(rig);
	uint64_t visits;

	(void)state;
	rig_run(rig);
	visits = c->list_visits;
	sync_env_start(&rig->env);
	ASSERT_U64("passes", rig_run(rig), 1);
	ASSERT_U64("visits", c->list_visits - visits, 256);
	ASSERT_U64("calls", c->report_calls, 8);
	rig_stop(rig);
	alloc_destroy(a);
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(test_page_reporting_idle__list_model),
	cmocka_unit_test(test_page_reporting_idle__last_hold_visits_all),
	cmocka_unit_test(test_page_reporting_idle__next_pass_finds_nothing),
};

TEST_MAIN(cases)
