/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Memory maps: every page is counted once, and the sums are those of the samples
 * that they were taken with.
 */
#include "tests/sim/cell.h"

static struct sim *run(struct cell *c, sim_ns_t map_ns)
{
	cell_setup(c, &page_reporting_reporter, 1);
	c->cfg.guest.shuffle = true;
	c->cfg.map_ns = map_ns;
	add_phase(c, "fill", &memhog_workload, 1, UNTIL_TASKS);
	c->phases[0].opt.size = (struct option_share){ 8000, true };
	add_phase(c, "settle", &idle_workload, 1, UNTIL_DURATION);
	c->phases[1].opt.duration = 10 * NSEC_PER_SEC;
	return cell_run(c);
}

/* The sample of the same time. */
static const struct sim_sample *sample_at(const struct sim_result *r,
					  sim_ns_t at)
{
	for (unsigned int i = 0; i < r->nr_samples; i++)
		if (r->samples[i].at == at)
			return &r->samples[i];
	fail_msg("no sample at %llu", (unsigned long long)at);
	return NULL;
}

static void check_map(const struct sim_result *r, const struct sim_map *m)
{
	const struct sim_sample *s = sample_at(r, m->at);
	struct sim_map_bin sum = { 0 };
	uint64_t blocks = 0;

	for (unsigned int i = 0; i < m->nr_bins; i++) {
		const struct sim_map_bin *b = &m->bins[i];

		assert_true(b->free <= b->pages && b->mapped <= b->pages);
		assert_true(b->reported <= b->free && b->huge <= b->mapped);
		sum.pages += b->pages;
		sum.free += b->free;
		sum.reported += b->reported;
		sum.mapped += b->mapped;
		sum.huge += b->huge;
	}
	for (unsigned int o = 0; o < NR_PAGE_ORDERS; o++)
		blocks += s->free_blocks[o] << o;
	/* Pages on pcp lists are free and on no free list. */
	ASSERT_U64("free", sum.free, blocks);
	assert_true(sum.free <= s->guest_free_pages);
	assert_true(s->guest_free_pages - sum.free < 4096);
	assert_true(sum.mapped <= s->host_rss_pages);
	ASSERT_U64("huge", sum.huge, s->host_anon_huge_pages);
	assert_true(sum.pages >= s->guest_free_pages + s->guest_used_pages);
}

static void test_map__sums_are_those_of_the_sample(void **state)
{
	/* Filled, given back and reported. */
	struct cell c;
	struct sim *s = run(&c, NSEC_PER_SEC);
	const struct sim_result *r = sim_result(s);
	const struct sim_map *last;
	uint32_t reported = 0;

	(void)state;
	assert_true(r->nr_maps >= 10);
	for (unsigned int i = 0; i < r->nr_maps; i++) {
		check_map(r, &r->maps[i]);
		if (i)
			assert_true(r->maps[i].at - r->maps[i - 1].at >=
				    NSEC_PER_SEC);
	}
	last = &r->maps[r->nr_maps - 1];
	for (unsigned int i = 0; i < last->nr_bins; i++)
		reported += last->bins[i].reported;
	assert_true(reported > 30000);
	sim_destroy(s);
	cell_destroy(&c);
}

static void test_map__looking_changes_nothing(void **state)
{
	/* With maps and without: the same digest. */
	char digest[DIGEST_HEX_SIZE];
	struct cell c;
	struct sim *s = run(&c, 0);

	(void)state;
	ASSERT_U64("maps", sim_result(s)->nr_maps, 0);
	memcpy(digest, sim_result(s)->digest, sizeof(digest));
	sim_destroy(s);
	cell_destroy(&c);
	s = run(&c, 100 * NSEC_PER_MSEC);
	assert_string_equal(sim_result(s)->digest, digest);
	sim_destroy(s);
	cell_destroy(&c);
}

static void test_map__lock_holds_are_in_one_bucket_each(void **state)
{
	/* Buckets add up to the locks taken. */
	static const char *const names[] = {
		"lock.holds_to_250ns", "lock.holds_to_1us",
		"lock.holds_to_4us", "lock.holds_to_16us",
		"lock.holds_to_64us", "lock.holds_to_256us",
		"lock.holds_longer",
	};
	struct cell c;
	struct sim *s = run(&c, 0);
	uint64_t sum = 0;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		sum += counter(sim_result(s), names[i]);
	ASSERT_U64("holds", sum, counter(sim_result(s), "lock.acquisitions"));
	assert_true(sum > 100);
	sim_destroy(s);
	cell_destroy(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_map__sums_are_those_of_the_sample),
		cmocka_unit_test(test_map__looking_changes_nothing),
		cmocka_unit_test(test_map__lock_holds_are_in_one_bucket_each),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
