/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The memory map of a guest, and what boot hands to the allocator. */
#include <string.h>

#include "sim/guest_boot.h"
#include "tests/test.h"

#define MIB (UINT64_C(1) << 20)
#define GIB (UINT64_C(1) << 30)

static void options(struct guest_options *opt, uint64_t memory)
{
	option_defaults(&guest_option_table, opt);
	opt->memory = memory;
}

static uint64_t ranges_pages(const struct guest_map *m)
{
	uint64_t sum = 0;
	unsigned int i;

	for (i = 0; i < m->nr_free; i++)
		sum += m->free[i].end - m->free[i].start;
	for (i = 0; i < m->nr_reserved; i++)
		sum += m->reserved[i].end - m->reserved[i].start;
	return sum;
}

static void test_guest_boot__map_adds_up(void **state)
{
	/* RAM = free + reserved + page 0 + the BIOS hole, for many sizes. */
	static const struct { uint64_t memory; unsigned int nodes, zones; }
	rows[] = {
		{ 16 * MIB, 1, 1 }, { 64 * MIB, 1, 2 }, { 1 * GIB, 1, 2 },
		{ 3 * GIB, 1, 2 }, { 4 * GIB, 1, 3 }, { 32 * GIB, 1, 3 },
		{ 32 * GIB, 2, 4 }, { 64 * GIB, 4, 6 },
	};
	struct guest_options opt;
	struct guest_map m;
	char why[256];
	unsigned int i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		options(&opt, rows[i].memory);
		assert_int_equal(guest_map_build(&m, &opt, rows[i].nodes, why,
						 sizeof(why)), 0);
		ASSERT_U64(test_row(i), m.nr_zones, rows[i].zones);
		ASSERT_U64(test_row(i), ranges_pages(&m),
			   bytes_to_pages(rows[i].memory) - 1 - 96);
	}
}

static void test_guest_boot__memory_above_the_hole(void **state)
{
	/* 8 GiB: 3 GiB below the PCI hole, the rest from 4 GiB on. */
	struct guest_options opt;
	struct guest_map m;
	char why[256];

	(void)state;
	options(&opt, 8 * GIB);
	assert_int_equal(guest_map_build(&m, &opt, 1, why, sizeof(why)), 0);
	assert_int_equal(m.nr_zones, 3);
	assert_int_equal(m.zones[1].end, 3 * GIB >> PAGE_SHIFT);
	assert_int_equal(m.zones[2].start, 4 * GIB >> PAGE_SHIFT);
	assert_int_equal(m.end, 9 * GIB >> PAGE_SHIFT);
}


static void count_page(void *ctx, pfn_t pfn, unsigned int order, bool movable)
{
	(void)pfn;
	(void)movable;
	*(uint64_t *)ctx += order_nr_pages(order);
}

static void test_guest_boot__boots_and_takes_its_base(void **state)
{
	/* Every profile boots 1 GiB with all invariants and gives up 64 MiB. */
	const char *const *names = alloc_profile_names();
	unsigned int i;

	(void)state;
	for (i = 0; names[i]; i++) {
		struct alloc_hooks hooks = { 0 };
		struct guest_options opt;
		struct topology t;
		struct guest_map m;
		struct alloc *a;
		struct rng rng;
		uint64_t taken = 0, free;
		char why[256];

		options(&opt, 1 * GIB);
		opt.kernel = i;
		opt.base = 64 * MIB;
		rng_init(&rng, 1, "boot", 0);
		assert_int_equal(topology_load(&t, "core:2 pu:1", why,
					       sizeof(why)), 0);
		assert_int_equal(guest_map_build(&m, &opt, 1, why,
						 sizeof(why)), 0);
		assert_int_equal(guest_boot(&a, &opt, &m, &t, &hooks, why,
					    sizeof(why)), 0);
		assert_null(alloc_check(a));
		free = alloc_free_pages(a);
		ASSERT_U64(test_row(i), guest_take_base(a, &opt, &rng, count_page,
					      &taken), taken);
		assert_in_range(taken, 64 * MIB >> PAGE_SHIFT,
				(64 * MIB >> PAGE_SHIFT) + 7);
		assert_null(alloc_check(a));
		alloc_drain_all(a);
		ASSERT_U64(test_row(i), alloc_free_pages(a), free - taken);
		alloc_destroy(a);
	}
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(test_guest_boot__map_adds_up),
	cmocka_unit_test(test_guest_boot__memory_above_the_hole),
	cmocka_unit_test(test_guest_boot__boots_and_takes_its_base),
};

TEST_MAIN(cases)
