/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What guests become on machines that an XML of hwloc describes. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "sim/guest_boot.h"
#include "tests/test.h"

#define ORDER_SIZE 32
#define GIB (UINT64_C(1) << 30)
#define XML(name) "file:" TEST_DATA_DIR "/topologies/" name ".xml"

static void resolve(const char *text, char *out, struct topology *t)
{
	char why[300];

	if (sim_topology_resolve(text, out, OPTION_STRING_SIZE, why,
				 sizeof(why)) ||
	    topology_load(t, out, why, sizeof(why)))
		fail_msg("%s", why);
}

static struct alloc *boot_topology(const char *kernel, struct topology *t,
				   uint64_t memory)
{
	const struct alloc_hooks hooks = { .notify_order = NR_PAGE_ORDERS };
	struct guest_options opt;
	struct guest_map map;
	struct alloc *a = NULL;
	char why[300];

	option_defaults(&guest_option_table, &opt);
	assert_int_equal(option_parse(option_find(&guest_option_table,
						  "kernel"),
				      kernel, &opt, why, sizeof(why)), 0);
	opt.memory = memory;
	if (guest_map_build(&map, &opt, t->nr_nodes, why, sizeof(why)) ||
	    guest_boot(&a, &opt, &map, t, &hooks, why, sizeof(why)))
		fail_msg("%s", why);
	return a;
}

static struct alloc *boot_on(const char *kernel, const char *topology,
			     uint64_t memory)
{
	char text[OPTION_STRING_SIZE];
	struct topology t;

	resolve(topology, text, &t);
	return boot_topology(kernel, &t, memory);
}

/* Nodes in the order in which a CPU's requests come to them. */
static void node_order(struct alloc *a, unsigned int node, char *out)
{
	struct alloc_request req = { .gfp = GFP_HIGHUSER_MOVABLE, .order = 9,
				     .node = (int8_t)node, .zone = -1 };
	bool seen[ALLOC_MAX_NODES] = { false };
	struct alloc_zone_info z;
	size_t used = 0;

	for (;;) {
		const struct alloc_result r = alloc_pages_nowait(a, &req);

		if (r.status != ALLOC_OK)
			return;
		alloc_zone_info(a, (unsigned int)alloc_zone_of(a, r.pfn), &z);
		if (seen[z.node])
			continue;
		seen[z.node] = true;
		used += (size_t)snprintf(out + used, ORDER_SIZE - used, "%s%u",
					 used ? " " : "", z.node);
	}
}

static void test_topology_guest__resolved_text(void **state)
{
	/* What a cell id is made of: lists unless hwloc's line says it all. */
	static const struct { const char *text, *resolved; } rows[] = {
		{ "core:2 pu:1", "[NUMANode] Core:2 PU:1" },
		{ "pack:2 [numa(memory=4GB)] core:2 pu:2",
		  "Package:2 [NUMANode] Core:2 PU:2" },
		{ "pack:2 [numa] core:4 pu:1 distances:21",
		  "Package:2 [NUMANode] Core:4 PU:1 distances:21" },
		{ "pack:2 [numa] core:4 pu:1 distances:20",
		  "Package:2 [NUMANode] Core:4 PU:1" },
		{ "pack:2 [numa] core:2 pu:2(indexes=2*4:1*2)",
		  "nodes:2 cores:4 cpus:0..1*2,0..1*2" },
		{ "pack:2 [numa] l3:2(size=4MiB) core:2 pu:1",
		  "nodes:2 cores:8 cpus:0..1*4 caches:4M*4 "
		  "cpu_caches:0..3*2" },
		{ "nodes:2  cpus:0,1", "nodes:2 cores:2 cpus:0..1" },
		{ "nodes:3 cpus:0..1 distances:10,12,13,22,10,23,32,31,10",
		  "nodes:3 cores:2 cpus:0..1 "
		  "distances:10,12..13,22,10,23,32,31,10" },
		{ XML("uneven"), "nodes:2 cores:6 cpus:0*4,1*2 distances:21 "
		  "caches:16M,1M cpu_caches:0*4,1*2" },
		{ XML("square"), "nodes:4 cores:8 cpus:0..3*2,0..3*2 "
		  "distances:32,16,32*2,16,32 caches:8M*4 "
		  "cpu_caches:0..3*2,0..3*2" },
		/* Its sets of CPUs have no end: two CPUs are there. */
		{ XML("endless"), "[NUMANode] Core:2 PU:1" },
	};
	char text[OPTION_STRING_SIZE], again[OPTION_STRING_SIZE];
	struct topology t;

	(void)state;
	for (unsigned int i = 0; i < ARRAY_SIZE(rows); i++) {
		resolve(rows[i].text, text, &t);
		assert_string_equal(text, rows[i].resolved);
		assert_int_equal(sim_topology_cpus(text), t.nr_cpus);
		resolve(text, again, &t);
		assert_string_equal(again, text);
	}
}

static void test_topology_guest__node_order(void **state)
{
	/*
	 * find_next_best_node: the near node first; of equal ones the next by
	 * number, then the one that fewer took as their next best (set to a
	 * falling number by 5.3, counted by 6.1).
	 */
	static const struct {
		const char *kernel, *topology;
		const char *order[4];
	} rows[] = {
		{ "6.1", XML("square"),
		  { "0 2 1 3", "1 3 2 0", "2 0 3 1", "3 1 0 2" } },
		{ "5.3", XML("square"),
		  { "0 2 1 3", "1 3 2 0", "2 0 3 1", "3 1 2 0" } },
		{ "6.1", "pack:4 [numa] core:2 pu:2",
		  { "0 1 2 3", "1 2 3 0", "2 3 0 1", "3 0 1 2" } },
		/* A line: each node is 10 farther than the one before. */
		{ "6.18", "nodes:4 cpus:0..3 distances:20,30,40,20,30,20",
		  { "0 1 2 3", "1 2 0 3", "2 3 1 0", "3 2 1 0" } },
	};

	(void)state;
	for (unsigned int i = 0; i < ARRAY_SIZE(rows); i++) {
		for (unsigned int node = 0; node < 4; node++) {
			struct alloc *a = boot_on(rows[i].kernel,
						  rows[i].topology, 2 * GIB);
			char order[ORDER_SIZE] = "";

			node_order(a, node, order);
			if (strcmp(order, rows[i].order[node]) != 0)
				fail_msg("row %u, node %u: %s instead of %s",
					 i, node, order, rows[i].order[node]);
			alloc_destroy(a);
		}
	}
}

static void test_topology_guest__pcp_sizes(void **state)
{
	/* zone_highsize: the low watermark is shared by the CPUs of a node. */
	struct alloc *a = boot_on("6.1", XML("uneven"), 16 * GIB);
	struct alloc_pcp_info info;
	struct alloc_zone_info z;
	unsigned int checked = 0;

	(void)state;
	for (unsigned int i = 0; i < alloc_nr_zones(a); i++) {
		alloc_zone_info(a, i, &z);
		alloc_pcp_info(a, i, 0, &info);
		if (z.type != ZONE_NORMAL)
			continue;
		assert_int_equal(info.batch, 63);
		ASSERT_U64("high", info.high,
			   z.wmark_low / (z.node == 0 ? 4 : 2));
		checked |= 1u << z.node;
	}
	assert_int_equal(checked, 3);
	alloc_destroy(a);
}

/* Frees blocks of order 2 on a CPU; how many pages its list has then. */
static uint32_t kept(struct alloc *a, unsigned int zone, unsigned int cpu)
{
	struct alloc_request req = { .gfp = GFP_KERNEL, .order = 2,
				     .cpu = (uint16_t)cpu, .node = -1,
				     .zone = -1 };
	struct alloc_pcp_info info;
	pfn_t pfns[60];

	for (unsigned int i = 0; i < ARRAY_SIZE(pfns); i++) {
		const struct alloc_result r = alloc_pages_nowait(a, &req);

		assert_int_equal(r.status, ALLOC_OK);
		assert_int_equal(alloc_zone_of(a, r.pfn), zone);
		pfns[i] = r.pfn;
	}
	for (unsigned int i = 0; i < ARRAY_SIZE(pfns); i++)
		alloc_free(a, cpu, pfns[i], 2);
	alloc_pcp_info(a, zone, cpu, &info);
	return info.count;
}

static void test_topology_guest__big_caches(void **state)
{
	/*
	 * zone_pcp_update_cacheinfo, 6.7: 4 MiB a CPU on node 0 are more than
	 * 3 * 63 pages, 512 KiB on node 1 are not, unless one of its CPUs is
	 * offline. Only a CPU with little cache gives all back at once.
	 */
	static const struct { unsigned int cpus, cpu; bool big; } rows[] = {
		{ 6, 0, true }, { 6, 3, true }, { 6, 4, false },
		{ 6, 5, false }, { 5, 4, true },
	};
	char text[OPTION_STRING_SIZE];
	struct alloc_pcp_info info;
	struct topology t;

	(void)state;
	for (unsigned int i = 0; i < ARRAY_SIZE(rows); i++) {
		struct alloc *a;
		unsigned int zone;

		resolve(XML("uneven"), text, &t);
		t.nr_cpus = rows[i].cpus;
		a = boot_topology("6.12", &t, 16 * GIB);
		zone = alloc_nr_zones(a) - (rows[i].cpu < 4 ? 2 : 1);
		alloc_pcp_info(a, zone, rows[i].cpu, &info);
		ASSERT_U64(test_row(i), info.batch, 63);
		ASSERT_U64(test_row(i), info.big_cache, rows[i].big);
		if (rows[i].big)
			assert_in_range(kept(a, zone, rows[i].cpu), 32, 1000);
		else
			assert_in_range(kept(a, zone, rows[i].cpu), 0, 4);
		alloc_destroy(a);
	}
}

static void test_topology_guest__wrong_words(void **state)
{
	/* The reason names the word. */
	static const struct { const char *text, *why; } rows[] = {
		{ "elephants:3", "'elephants:3' is no kind of object" },
		{ "pack:2 core", "'core' needs ':' and a number" },
		{ "pack:0 core:1", "'pack:0' needs ':' and a number" },
		{ "", "it is empty" },
		{ "core:1 pu:1 nodes:1", "instead of another description" },
		{ "nodes:17 cpus:0", "nodes: has to be 1 to 16" },
		{ "cpus:0", "nodes: is missing" },
		{ "nodes:1", "cpus: is missing" },
		{ "nodes:1 cpus:0 x", "words are nodes:" },
		{ "nodes:1 cpus:0*2000", "a list is numbers" },
		{ "nodes:1 cpus:4294967290..4294967295*1", "names a node" },
		{ "nodes:1 cpus:", "a list is numbers" },
		{ "nodes:1 cpus:1", "names a node" },
		{ "nodes:2 cpus:0 distances:9", "are 10 from a node" },
		{ "nodes:2 cpus:0 distances:10,255,20,10",
		  "are 10 from a node" },
		{ "nodes:2 cpus:0 distances:20,21", "one of each pair" },
		{ "nodes:1 cpus:0 caches:1M", "need each other" },
		{ "nodes:1 cpus:0 cpu_caches:0", "name a cache" },
		{ "nodes:1 cpus:0 caches:1M cpu_caches:2", "name a cache" },
		{ "nodes:1 nodes:1 cpus:0", "words come once" },
	};
	char why[300], text[OPTION_STRING_SIZE];

	(void)state;
	for (unsigned int i = 0; i < ARRAY_SIZE(rows); i++) {
		assert_int_equal(sim_topology_resolve(rows[i].text, text,
				sizeof(text), why, sizeof(why)), -EINVAL);
		if (!strstr(why, rows[i].why))
			fail_msg("'%s' gives: %s", rows[i].text, why);
	}
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(test_topology_guest__resolved_text),
	cmocka_unit_test(test_topology_guest__node_order),
	cmocka_unit_test(test_topology_guest__pcp_sizes),
	cmocka_unit_test(test_topology_guest__big_caches),
	cmocka_unit_test(test_topology_guest__wrong_words),
};

TEST_MAIN(cases)
