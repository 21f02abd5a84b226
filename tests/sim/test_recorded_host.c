/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A run recorded on a real kernel and a real host goes through page_reporting
 * and the mock host: blocks per pass, their times, and resident memory.
 */
#include "tests/sim/cell.h"

#define FOLDER TEST_DATA_DIR "/traces/host-reporting-memhog/"

#define KIB UINT64_C(1024)

static void recorded_init(struct cell *c)
{
	struct trace_workload_options *o;

	cell_setup(c, &page_reporting_reporter, 1);
	add_phase(c, "recorded", &trace_workload, 1, UNTIL_REPORTER_IDLE);
	o = c->workload_options[0];
	snprintf(o->file, OPTION_STRING_SIZE, "%s",
		 FOLDER "req.txt.zst");
	snprintf(o->before, OPTION_STRING_SIZE, "%s",
		 FOLDER "before.snap.zst");
	snprintf(o->after, OPTION_STRING_SIZE, "%s",
		 FOLDER "after.snap.zst");
	o->resident = 51200 * KIB;
	c->phases[0].opt.duration = 60 * NSEC_PER_SEC;
	c->cfg.sample_ns = 10 * NSEC_PER_MSEC;
}

#define MAX_STEPS 16

/* Resident memory each time it fell, and blocks reported by then. */
struct step {
	uint64_t rss_kib, blocks;
	double at_s;
};

/* The host's log: the peak, and every fall after it. */
static unsigned int read_host_csv(struct step *steps)
{
	FILE *f = fopen(FOLDER "host.csv", "r");
	long long rss, last = 0;
	unsigned long long blocks;
	unsigned int nr = 0;
	char line[256];
	double at;

	assert_non_null(f);
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%lf,%*d,%lld,%*d,%*d,%*d,%llu", &at, &rss,
			   &blocks) != 3 || rss < 0)
			continue;
		if (nr == 0 || rss > last)
			nr = 0;
		else if (rss == last)
			continue;
		assert_true(nr < MAX_STEPS);
		steps[nr++] = (struct step){ (uint64_t)rss, blocks, at };
		last = rss;
	}
	fclose(f);
	return nr;
}

static unsigned int read_samples(const struct sim_result *r,
				 struct step *steps)
{
	uint64_t last = 0;
	unsigned int i, nr = 0;

	for (i = 0; i < r->nr_samples; i++) {
		const uint64_t rss = pages_to_kib(r->samples[i].host_rss_pages);

		if (nr == 0 || rss > last)
			nr = 0;
		else if (rss == last)
			continue;
		assert_true(nr < MAX_STEPS);
		steps[nr++] = (struct step){
			rss, 0, (double)r->samples[i].at / 1e9 };
		last = rss;
	}
	return nr;
}

static void test_recorded_host__memory_falls_as_the_host_saw(void **state)
{
	/* Peak and three passes, two seconds apart; every PFN as recorded. */
	struct step want[MAX_STEPS], got[MAX_STEPS];
	const struct sim_result *r;
	struct cell c;
	struct sim *s;
	unsigned int i, nr;

	(void)state;
	nr = read_host_csv(want);
	assert_int_equal(nr, 4);
	recorded_init(&c);
	s = cell_run(&c);
	r = sim_result(s);
	assert_int_equal(read_samples(r, got), nr);
	for (i = 0; i < nr; i++)
		ASSERT_U64(test_row(i), got[i].rss_kib, want[i].rss_kib);
	for (i = 2; i < nr; i++) {
		assert_true(got[i].at_s - got[i - 1].at_s > 1.99);
		assert_true(got[i].at_s - got[i - 1].at_s < 2.05);
	}
	assert_int_equal(counter(r, "reporter.passes"), 3);
	assert_int_equal(counter(r, "reporter.blocks_order9") +
			 counter(r, "reporter.blocks_order10"),
			 want[nr - 1].blocks);
	assert_int_equal(counter(r, "guest.record_misses"), 0);
	assert_true(counter(r, "guest.records_applied") > 600000);
	sim_destroy(s);
	cell_destroy(&c);
}

static void test_recorded_host__without_a_reporter_nothing_falls(void **state)
{
	/* The same records, the kernel's own isolations included. */
	struct step got[MAX_STEPS];
	struct cell c;
	struct sim *s;

	(void)state;
	recorded_init(&c);
	c.cfg.reporter_enabled = false;
	s = cell_run(&c);
	assert_int_equal(read_samples(sim_result(s), got), 1);
	assert_int_equal(counter(sim_result(s), "guest.record_misses"), 0);
	sim_destroy(s);
	cell_destroy(&c);
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(
		test_recorded_host__memory_falls_as_the_host_saw),
	cmocka_unit_test(
		test_recorded_host__without_a_reporter_nothing_falls),
};

TEST_MAIN(cases)
