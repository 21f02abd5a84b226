/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is left on the host after a 32 GiB guest was used once and given back:
 * with reporting, exactly the regions that hold something the design cannot
 * report; without, everything.
 */
#include "sim/machine.h"
#include "tests/sim/cell.h"

#define GIB (UINT64_C(1) << 30)

static void footprint_init(struct cell *c, const struct reporter_ops *reporter)
{
	cell_setup(c, reporter, 1);
	c->cfg.guest.kernel = 1;
	c->cfg.guest.memory = 32 * GIB;
	c->cfg.guest.base = 128 * MIB;
	add_phase(c, "fill", &memhog_workload, 1, UNTIL_TASKS);
	c->phases[0].opt.size = (struct option_share){ 10000, true };
	add_phase(c, "settle", &idle_workload, 1, UNTIL_REPORTER_IDLE);
	c->phases[1].opt.duration = 120 * NSEC_PER_SEC;
}

/* One free block of an order that is reported covers the region. */
static bool reportable(const struct alloc *a, pfn_t pfn)
{
	unsigned int order = 0;
	pfn_t head = pfn;

	return alloc_page_lookup(a, pfn, &head, &order) == ALLOC_PAGE_BUDDY &&
	       order >= HPAGE_PMD_ORDER;
}

/*
 * Regions of RAM that hold anything else: base use, small free blocks, pcp
 * pages. Zone DMA is too small for the watermark gate, but no task is ever
 * given its pages either, so its free blocks were never backed.
 */
static uint64_t unreportable_regions(const struct sim_guest *g)
{
	uint64_t nr = 0;
	unsigned int i;

	for (i = 0; i < g->map.nr_zones; i++) {
		pfn_t pfn = pfn_align_down(g->map.zones[i].start,
					   HPAGE_PMD_ORDER);

		for (; pfn < g->map.zones[i].end; pfn += HPAGE_PMD_NR)
			nr += !reportable(g->alloc, pfn);
	}
	return nr;
}

/* Times at which resident memory fell. */
static unsigned int count_falls(const struct sim_result *r)
{
	unsigned int i, nr = 0;

	for (i = 1; i < r->nr_samples; i++)
		nr += r->samples[i].host_rss_pages <
		      r->samples[i - 1].host_rss_pages;
	return nr;
}

static void test_footprint__falls_to_what_cannot_be_reported(void **state)
{
	/* page_reporting as merged; sampled often enough to see every pass. */
	const struct sim_sample *last;
	const struct sim_result *r;
	uint64_t floor_pages;
	struct cell c;
	struct sim *s;

	(void)state;
	footprint_init(&c, &page_reporting_reporter);
	c.cfg.sample_ns = NSEC_PER_SEC;
	s = cell_run(&c);
	r = sim_result(s);
	last = &r->samples[r->nr_samples - 1];
	floor_pages = unreportable_regions(&s->guests[0]) * HPAGE_PMD_NR;
	printf("falls %u, resident %llu of %llu MiB, floor %llu MiB\n",
	       count_falls(r), (unsigned long long)last->host_rss_pages / 256,
	       (unsigned long long)c.cfg.guest.memory / MIB,
	       (unsigned long long)floor_pages / 256);
	assert_in_range(count_falls(r), 15, 17);
	assert_true(last->host_rss_pages * 100 <= floor_pages * 101);
	assert_true(last->host_rss_pages * 101 >= floor_pages * 100);
	sim_destroy(s);
	cell_destroy(&c);
}

static void test_footprint__stays_without_reporting(void **state)
{
	/* The baseline never shrinks, and nearly all memory was touched. */
	const struct sim_sample *last;
	const struct sim_result *r;
	struct cell c;
	struct sim *s;

	(void)state;
	footprint_init(&c, &none_reporter);
	s = cell_run(&c);
	r = sim_result(s);
	last = &r->samples[r->nr_samples - 1];
	assert_int_equal(count_falls(r), 0);
	assert_true(pages_to_bytes(last->host_rss_pages) >
		    c.cfg.guest.memory / 100 * 98);
	sim_destroy(s);
	cell_destroy(&c);
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(test_footprint__falls_to_what_cannot_be_reported),
	cmocka_unit_test(test_footprint__stays_without_reporting),
};

TEST_MAIN(cases)
