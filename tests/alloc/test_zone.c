/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Zones of a guest: their borders, and what makes no guest. */
#include <errno.h>
#include <string.h>

#include "tests/alloc/fixture.h"
#include "tests/test.h"

static void test_zone__zones_do_not_merge(void **state)
{
	/*
	 * Zone DMA ends at 1536+8, inside a region and between two buddies:
	 *   DMA [1 .. 1544)  DMA32 [1544 .. 4000)
	 */
	const struct alloc_zone_config zones[] = {
		{ .type = ZONE_DMA, .start = 1, .end = 1544 },
		{ .type = ZONE_DMA32, .start = 1544, .end = 4000 },
	};
	const struct alloc_config config = {
		.profile = alloc_profile_find("6.1"), .nr_cpus = 1,
		.nr_nodes = 1, .zones = zones, .nr_zones = 2,
		.pageblock_order = 9,
	};
	struct alloc *a = fixture_create_config(&config);

	(void)state;
	fixture_put(a, 1536, 3);
	fixture_put(a, 1544, 3);
	fixture_assert_lists("DMA", a, 0, "o3/M[1536]");
	fixture_assert_lists("DMA32", a, 1, "o3/M[1544]");
	fixture_put(a, 1552, 4);
	fixture_assert_lists("DMA32", a, 1, "o3/M[1544] o4/M[1552]");
	ASSERT_U64("zone of 1543", alloc_zone_of(a, 1543), 0);
	ASSERT_U64("zone of 1544", alloc_zone_of(a, 1544), 1);
	ASSERT_U64("zone of 0", alloc_zone_of(a, 0), (uint64_t)-1);
	ASSERT_U64("zone of 4000", alloc_zone_of(a, 4000), (uint64_t)-1);
	alloc_destroy(a);
}

static void test_zone__creation_refuses_what_makes_no_guest(void **state)
{
	/* One wrong value at a time; the reason names it. */
	const struct alloc_zone_config good = {
		.type = ZONE_DMA32, .end = 4096,
	};
	const struct alloc_config base = {
		.profile = alloc_profile_find("6.1"), .nr_cpus = 1,
		.nr_nodes = 1, .zones = &good, .nr_zones = 1,
		.pageblock_order = 9,
	};
	const struct alloc_zone_config overlap[] = {
		good, { .type = ZONE_NORMAL, .start = 4095, .end = 8192 },
	};
	const struct alloc_zone_config twice[] = {
		good, { .type = ZONE_DMA32, .start = 4096, .end = 8192 },
	};
	const struct alloc_zone_config empty = { .start = 5, .end = 5 };
	const struct alloc_zone_config far = { .node = 1, .end = 4096 };
	const struct alloc_zone_config high = { .end = PFN_NONE };
	const struct alloc_zone_config type = { .type = MAX_NR_ZONES,
						.end = 4096 };
	const struct alloc_zone_config present = {
		.type = ZONE_DMA32, .end = 4096, .present = 4097,
	};
	static const uint8_t far_cpu[] = { 1 };
	struct alloc_config bad[16];
	const char *const reasons[] = {
		"profile", "CPUs", "pageblock", "overlap", "two zones",
		"empty", "node", "largest page frame", "zone type",
		"present than it spans", "CPUs", "of nodes", "of nodes",
		"of zones", "of zones", "a CPU is on a node",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		bad[i] = base;
	bad[0].profile = NULL;
	bad[1].nr_cpus = ALLOC_MAX_CPUS + 1;
	bad[2].pageblock_order = 8;
	bad[3].zones = overlap;
	bad[3].nr_zones = 2;
	bad[4].zones = twice;
	bad[4].nr_zones = 2;
	bad[5].zones = &empty;
	bad[6].zones = &far;
	bad[7].zones = &high;
	bad[8].zones = &type;
	bad[9].zones = &present;
	bad[10].nr_cpus = 0;
	bad[11].nr_nodes = 0;
	bad[12].nr_nodes = ALLOC_MAX_NODES + 1;
	bad[13].nr_zones = 0;
	bad[14].nr_zones = ALLOC_MAX_ZONES + 1;
	bad[15].cpu_node = far_cpu;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		const char *why = NULL;
		struct alloc *a = NULL;

		assert_int_equal(alloc_create(&a, &bad[i], &why), -EINVAL);
		assert_null(a);
		assert_int_equal(alloc_create(&a, &bad[i], NULL), -EINVAL);
		assert_non_null(why);
		if (!strstr(why, reasons[i]))
			fail_msg("reason is \"%s\", expected \"%s\" in it", why,
				 reasons[i]);
	}
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(test_zone__zones_do_not_merge),
	cmocka_unit_test(test_zone__creation_refuses_what_makes_no_guest),
};

TEST_MAIN(cases)
