/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Blocks that were reported and used again soon: by hand, against a slow book
 * of every page, and in a whole cell.
 */
#include "include/rng.h"
#include "sim/machine.h"
#include "tests/sim/cell.h"

#define NR_PAGES 8192
#define MS NSEC_PER_MSEC

static const struct row {
	const char *what;
	struct { pfn_t pfn; unsigned int order; } discard;
	struct { pfn_t pfn; unsigned int order; sim_ns_t at; } use[2];
	uint64_t wasted;
} rows[] = {
	{ "page of a small block", { 8, 3 }, { { 9, 0, MS } }, 1 },
	{ "two pages of it are one block", { 8, 3 },
	  { { 9, 0, MS }, { 12, 0, 2 * MS } }, 1 },
	{ "neighbour", { 8, 3 }, { { 7, 0, MS }, { 16, 0, MS } }, 0 },
	{ "late", { 8, 3 }, { { 8, 0, 2000 * MS + 1 } }, 0 },
	{ "just in time", { 8, 3 }, { { 8, 0, 2000 * MS } }, 1 },
	{ "late, then again", { 8, 3 },
	  { { 8, 0, 2001 * MS }, { 8, 0, 2002 * MS } }, 0 },
	{ "huge use of a small block", { 520, 3 }, { { 512, 9, MS } }, 1 },
	{ "page of a huge block", { 1024, 9 }, { { 1100, 0, MS } }, 1 },
	{ "both halves of the largest", { 1024, 10 },
	  { { 1100, 0, MS }, { 1700, 0, MS } }, 1 },
	{ "second half", { 1024, 10 }, { { 1536, 9, MS } }, 1 },
};

static void test_reuse__counts_a_block_once(void **state)
{
	/* One discard, one or two uses. */
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct row *row = &rows[i];
		struct reuse_map m;

		assert_int_equal(reuse_init(&m, NR_PAGES), 0);
		assert_int_equal(reuse_discarded(&m, row->discard.pfn,
						 row->discard.order, 0), 0);
		for (size_t k = 0; k < ARRAY_SIZE(row->use); k++)
			if (row->use[k].at)
				reuse_touched(&m, row->use[k].pfn,
					      row->use[k].order,
					      row->use[k].at);
		ASSERT_U64(row->what, m.reported, 1);
		ASSERT_U64(row->what, m.wasted, row->wasted);
		reuse_destroy(&m);
	}
}

/* Every page: number of the last report that covers it, 0 = used since. */
struct book {
	uint32_t report[NR_PAGES];
	sim_ns_t at[4096];
	bool used[4096];
	uint64_t wasted;
};

static void book_touch(struct book *b, pfn_t pfn, unsigned int order,
		       sim_ns_t now)
{
	for (uint32_t i = 0; i < order_nr_pages(order); i++) {
		const uint32_t nr = b->report[pfn + i];

		if (nr && !b->used[nr]) {
			b->used[nr] = true;
			b->wasted += now - b->at[nr] <= 2000 * MS;
		}
		b->report[pfn + i] = 0;
	}
}

static void test_reuse__agrees_with_a_book_of_pages(void **state)
{
	/* Random discards of free blocks and uses; a block is never discarded
	 * in parts that overlap a block still out, as reports are of whole
	 * free blocks: what overlaps is used first. */
	struct book *b = calloc(1, sizeof(*b));
	struct reuse_map m;
	struct rng rng;
	sim_ns_t now = 0;
	uint32_t nr = 0;

	(void)state;
	rng_init(&rng, 7, "reuse", 0);
	assert_int_equal(reuse_init(&m, NR_PAGES), 0);
	for (unsigned int i = 0; i < 8000; i++) {
		const unsigned int order = rng_below(&rng, NR_PAGE_ORDERS);
		const pfn_t pfn = pfn_align_down(rng_below(&rng, NR_PAGES),
						 order);

		now += rng_below(&rng, 100 * MS);
		reuse_touched(&m, pfn, order, now);
		book_touch(b, pfn, order, now);
		if (rng_below(&rng, 2) && nr + 1 < ARRAY_SIZE(b->at)) {
			assert_int_equal(reuse_discarded(&m, pfn, order, now),
					 0);
			b->at[++nr] = now;
			for (uint32_t k = 0; k < order_nr_pages(order); k++)
				b->report[pfn + k] = nr;
		}
		ASSERT_U64("seed 7", m.wasted, b->wasted);
	}
	assert_true(b->wasted > 100);
	reuse_destroy(&m);
	free(b);
}

static void test_reuse__of_a_busy_cell(void **state)
{
	/* page_fault1 takes what it gave back: some reports are wasted. */
	const struct sim_result *r;
	struct cell c;
	struct sim *s;
	double share = 0;

	(void)state;
	cell_setup(&c, &page_reporting_reporter, 1);
	c.cfg.guest.kernel = 1;
	add_phase(&c, "busy", &page_fault1_workload, 1, UNTIL_DURATION);
	c.phases[0].opt.duration = 8 * NSEC_PER_SEC;
	s = cell_run(&c);
	r = sim_result(s);
	for (unsigned int i = 0; i < r->nr_metrics; i++)
		if (!strcmp(r->metrics[i].name, "wasted_report_share"))
			share = r->metrics[i].value;
	assert_true(counter(r, "reporter.wasted") > 0);
	assert_true(counter(r, "reporter.wasted") <=
		    counter(r, "reporter.discards"));
	assert_true(share > 0 && share <= 1);
	sim_destroy(s);
	cell_destroy(&c);
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(test_reuse__counts_a_block_once),
	cmocka_unit_test(test_reuse__agrees_with_a_book_of_pages),
	cmocka_unit_test(test_reuse__of_a_busy_cell),
};

TEST_MAIN(cases)
