/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Zonelists: which zones a request sees, in which order; mobility grouping. */
#include <string.h>

#include "alloc/walk.h"
#include "tests/alloc/fixture.h"
#include "tests/test.h"

#define MAX_CONFIG_ZONES 12
#define ZONE_PAGES 4096

/* Zones as written: node and type, ascending in memory. */
struct layout {
	unsigned int nr_nodes;
	unsigned int nr_zones;
	struct {
		unsigned int node;
		enum zone_type type;
	} zones[MAX_CONFIG_ZONES];
	const uint8_t *distance;
	const uint8_t *cpu_node;
	unsigned int nr_cpus;
};

static struct alloc *create_layout(const char *kernel,
				   const struct layout *layout)
{
	struct alloc_zone_config zones[MAX_CONFIG_ZONES] = { 0 };
	const struct alloc_config config = {
		.profile = alloc_profile_find(kernel),
		.nr_cpus = layout->nr_cpus,
		.nr_nodes = layout->nr_nodes,
		.cpu_node = layout->cpu_node,
		.distance = layout->distance,
		.zones = zones,
		.nr_zones = layout->nr_zones,
		.pageblock_order = 9,
	};

	for (unsigned int i = 0; i < layout->nr_zones; i++) {
		zones[i].node = layout->zones[i].node;
		zones[i].type = layout->zones[i].type;
		zones[i].start = i * ZONE_PAGES;
		zones[i].end = (i + 1) * ZONE_PAGES;
	}
	return fixture_create_config(&config);
}

/* "0N 0D" = node 0 zone Normal, then node 0 zone DMA32. */
static void assert_zonelist(const char *row, const struct alloc *a,
			    const struct zonelist *zl, const char *expected)
{
	char text[128] = "";
	size_t used = 0;

	for (unsigned int i = 0; i < zl->nr; i++) {
		const struct zone *z = zone_at(a, zl->zones[i]);

		used += (size_t)snprintf(text + used, sizeof(text) - used,
					 "%s%u%c", used ? " " : "", z->node,
					 "aDNMd"[z->type]);
	}
	if (strcmp(text, expected) != 0)
		fail_msg("%s: zonelist is %s, expected %s", row, text,
			 expected);
}

static const uint8_t one_cpu[] = { 0 };
static const uint8_t cpu_each[] = { 0, 1, 2, 3 };

static const struct layout pc = {
	.nr_nodes = 1, .nr_zones = 4,
	.zones = { { 0, ZONE_DMA }, { 0, ZONE_DMA32 }, { 0, ZONE_NORMAL },
		   { 0, ZONE_MOVABLE } },
	.cpu_node = one_cpu, .nr_cpus = 1,
};

static const struct layout two_nodes = {
	.nr_nodes = 2, .nr_zones = 4,
	.zones = { { 0, ZONE_DMA }, { 0, ZONE_DMA32 }, { 0, ZONE_NORMAL },
		   { 1, ZONE_NORMAL } },
	.cpu_node = cpu_each, .nr_cpus = 2,
};

static const struct layout four_nodes = {
	.nr_nodes = 4, .nr_zones = 4,
	.zones = { { 0, ZONE_NORMAL }, { 1, ZONE_NORMAL }, { 2, ZONE_NORMAL },
		   { 3, ZONE_NORMAL } },
	.cpu_node = cpu_each, .nr_cpus = 4,
};

/* A square: neighbours at 20, the corner across at 30. */
static const uint8_t square[] = {
	10, 20, 30, 20,
	20, 10, 20, 30,
	30, 20, 10, 20,
	20, 30, 20, 10,
};

static const struct layout four_in_a_square = {
	.nr_nodes = 4, .nr_zones = 4,
	.zones = { { 0, ZONE_NORMAL }, { 1, ZONE_NORMAL }, { 2, ZONE_NORMAL },
		   { 3, ZONE_NORMAL } },
	.cpu_node = cpu_each, .nr_cpus = 4, .distance = square,
};

/* Node 0 in the middle of the others. */
static const uint8_t star[] = {
	10, 20, 20, 20,
	20, 10, 30, 30,
	20, 30, 10, 30,
	20, 30, 30, 10,
};

static const struct layout four_in_a_star = {
	.nr_nodes = 4, .nr_zones = 4,
	.zones = { { 0, ZONE_NORMAL }, { 1, ZONE_NORMAL }, { 2, ZONE_NORMAL },
		   { 3, ZONE_NORMAL } },
	.cpu_node = cpu_each, .nr_cpus = 4, .distance = star,
};

/* Node 2 has memory but no CPU, node 3 neither. */
static const uint8_t cpus_on_0_and_1[] = { 0, 1 };
static const struct layout headless = {
	.nr_nodes = 4, .nr_zones = 3,
	.zones = { { 0, ZONE_NORMAL }, { 1, ZONE_NORMAL },
		   { 2, ZONE_NORMAL } },
	.cpu_node = cpus_on_0_and_1, .nr_cpus = 2,
};

static const struct order_row {
	const char *name, *kernel;
	const struct layout *layout;
	unsigned int node;
	const char *fallback, *local;
} order_rows[] = {
	{ "highest zone first", "6.1", &pc, 0, "0M 0N 0D 0a", "0M 0N 0D 0a" },
	{ "whole node first", "6.1", &two_nodes, 0, "0N 0D 0a 1N",
	  "0N 0D 0a" },
	{ "from node 1", "6.1", &two_nodes, 1, "1N 0N 0D 0a", "1N" },
	/* Equal distances: the next node, not the first; load breaks ties. */
	{ "next node, node 0", "6.1", &four_nodes, 0, "0N 1N 2N 3N", "0N" },
	{ "next node, node 1", "6.1", &four_nodes, 1, "1N 2N 3N 0N", "1N" },
	{ "next node, node 2", "6.1", &four_nodes, 2, "2N 3N 0N 1N", "2N" },
	{ "next node, node 3", "6.1", &four_nodes, 3, "3N 0N 1N 2N", "3N" },
	{ "next node, node 3", "5.7", &four_nodes, 3, "3N 0N 1N 2N", "3N" },
	/* How the load of nodes placed before is counted changes node 3. */
	{ "star", "6.1", &four_in_a_star, 2, "2N 0N 3N 1N", "2N" },
	{ "star", "5.7", &four_in_a_star, 2, "2N 0N 3N 1N", "2N" },
	{ "star", "5.3", &four_in_a_star, 3, "3N 0N 2N 1N", "3N" },
	{ "star", "5.7", &four_in_a_star, 3, "3N 0N 2N 1N", "3N" },
	{ "star", "6.1", &four_in_a_star, 3, "3N 0N 1N 2N", "3N" },
	{ "star", "6.18", &four_in_a_star, 3, "3N 0N 1N 2N", "3N" },
	{ "distance first", "6.1", &four_in_a_square, 0, "0N 1N 3N 2N", "0N" },
	{ "distance first", "6.1", &four_in_a_square, 2, "2N 3N 1N 0N", "2N" },
	{ "memory without CPUs", "6.1", &headless, 0, "0N 2N 1N", "0N" },
	{ "CPUs' node without memory", "6.1", &headless, 3, "2N 1N 0N", "" },
};

static void test_zonelist__order_of_zones_and_nodes(void **state)
{
	/* Layouts and distances in, fallback and local list of a node out. */
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(order_rows); i++) {
		const struct order_row *row = &order_rows[i];
		struct alloc *a = create_layout(row->kernel, row->layout);

		assert_zonelist(row->name, a, &a->fallback[row->node],
				row->fallback);
		assert_zonelist(row->name, a, &a->local[row->node],
				row->local);
		alloc_destroy(a);
	}
}

static void test_zonelist__highest_zone_and_type(void **state)
{
	/* gfp bits decide the zone and the pageblock type. */
	static const struct {
		const char *name;
		gfp_t gfp;
		enum zone_type highest;
		enum migratetype mt;
	} rows[] = {
		{ "GFP_KERNEL", GFP_KERNEL, ZONE_NORMAL, MIGRATE_UNMOVABLE },
		{ "GFP_ATOMIC", GFP_ATOMIC, ZONE_NORMAL, MIGRATE_UNMOVABLE },
		{ "GFP_DMA", GFP_KERNEL | GFP_BIT_DMA, ZONE_DMA,
		  MIGRATE_UNMOVABLE },
		{ "GFP_DMA32", GFP_KERNEL | GFP_BIT_DMA32, ZONE_DMA32,
		  MIGRATE_UNMOVABLE },
		{ "HIGHMEM alone", 0x100cc2, ZONE_NORMAL, MIGRATE_UNMOVABLE },
		{ "MOVABLE alone", 0x100cc8, ZONE_NORMAL, MIGRATE_MOVABLE },
		{ "anonymous", GFP_ANON_FAULT, ZONE_MOVABLE, MIGRATE_MOVABLE },
		{ "huge page", GFP_TRANSHUGE, ZONE_MOVABLE, MIGRATE_MOVABLE },
		{ "page table", GFP_PAGE_TABLE, ZONE_NORMAL,
		  MIGRATE_UNMOVABLE },
		{ "inode", 0xcd0, ZONE_NORMAL, MIGRATE_RECLAIMABLE },
	};
	struct alloc *a = create_layout("6.1", &pc);

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		ASSERT_U64(rows[i].name, gfp_highest_zone(rows[i].gfp),
			   rows[i].highest);
		ASSERT_U64(rows[i].name, gfp_mt(a, rows[i].gfp), rows[i].mt);
	}
	alloc_set_grouping(a, false);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		ASSERT_U64(rows[i].name, gfp_mt(a, rows[i].gfp),
			   MIGRATE_UNMOVABLE);
	alloc_destroy(a);
}

static void test_zonelist__preferred_zone_and_reserve_index(void **state)
{
	/* Without a Movable zone, 5.x takes the reserve for the zone there is,
	 * later releases that for the zone the request might use. */
	static const struct layout no_movable = {
		.nr_nodes = 1, .nr_zones = 2,
		.zones = { { 0, ZONE_DMA32 }, { 0, ZONE_NORMAL } },
		.cpu_node = one_cpu, .nr_cpus = 1,
	};
	struct alloc_request req = {
		.gfp = GFP_HIGHUSER_MOVABLE, .node = -1, .zone = -1,
	};
	struct alloc_context ac;

	(void)state;
	for (const char *const *k = fixture_kernels; *k; k++) {
		const bool old = strcmp(*k, "5.3") == 0 ||
				 strcmp(*k, "5.7") == 0;
		struct alloc *a = create_layout(*k, &no_movable);

		assert_true(alloc_context_init(a, &ac, &req));
		ASSERT_U64(*k, ac.preferred->type, ZONE_NORMAL);
		ASSERT_U64(*k, ac.reserve_j, old ? ZONE_NORMAL : ZONE_MOVABLE);
		req.gfp = GFP_KERNEL | GFP_BIT_DMA;
		assert_false(alloc_context_init(a, &ac, &req));
		ASSERT_U64(*k, alloc_pages(a, &req).status, ALLOC_FAIL);
		req.gfp = GFP_HIGHUSER_MOVABLE;
		alloc_destroy(a);
	}
}

static void test_zonelist__grouping_needs_a_pageblock_of_each_type(void **state)
{
	/* 4 types of 512 pages, one more with CMA, one more with isolation. */
	static const struct {
		bool cma, isolation;
		uint64_t managed, high;
		bool grouping;
	} rows[] = {
		{ false, false, 2047, 0, false },
		{ false, false, 2048, 0, true },
		{ false, false, 2148, 101, false },
		{ true, false, 2559, 0, false },
		{ true, false, 2560, 0, true },
		{ true, true, 3071, 0, false },
		{ true, true, 3072, 0, true },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct alloc_zone_config zone = {
			.type = ZONE_NORMAL, .end = 8192,
		};
		const struct alloc_config config = {
			.profile = alloc_profile_find("6.1"),
			.nr_cpus = 1, .nr_nodes = 1,
			.zones = &zone, .nr_zones = 1, .pageblock_order = 9,
			.cma = rows[i].cma, .isolation = rows[i].isolation,
		};
		struct alloc *a = fixture_create_config(&config);
		char name[32];

		snprintf(name, sizeof(name), "row %zu", i);
		alloc_set_managed(a, 0, rows[i].managed);
		alloc_set_watermarks(a, 0, 0, 0, rows[i].high);
		alloc_setup_zonelists(a);
		ASSERT_U64(name, a->grouping, rows[i].grouping);
		alloc_destroy(a);
	}
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(test_zonelist__order_of_zones_and_nodes),
	cmocka_unit_test(test_zonelist__highest_zone_and_type),
	cmocka_unit_test(test_zonelist__preferred_zone_and_reserve_index),
	cmocka_unit_test(
		test_zonelist__grouping_needs_a_pageblock_of_each_type),
};

TEST_MAIN(cases)
