/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Topologies from synthetic strings, files and this machine. */
#include <string.h>

#include "sim/sim.h"
#include "sim/topology.h"
#include "tests/test.h"

static void test_topology__synthetic_shapes(void **state)
{
	/* Processing units and nodes of some descriptions. */
	static const struct {
		const char *text;
		unsigned int cpus, nodes, cores;
	} rows[] = {
		{ "core:1 pu:1", 1, 1, 1 },
		{ "pack:1 core:8 pu:2", 16, 1, 8 },
		{ "pack:2 [numa] core:4 pu:2", 16, 2, 8 },
		{ "pack:4 [numa] core:8 pu:1", 32, 4, 32 },
	};
	char why[256], text[256];
	struct topology t;
	unsigned int i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		assert_int_equal(sim_topology_resolve(rows[i].text, text,
						      sizeof(text), why,
						      sizeof(why)), 0);
		assert_int_equal(topology_load(&t, text, why, sizeof(why)), 0);
		ASSERT_U64(test_row(i), t.nr_cpus, rows[i].cpus);
		ASSERT_U64(test_row(i), t.nr_nodes, rows[i].nodes);
		ASSERT_U64(test_row(i), t.nr_cores, rows[i].cores);
		ASSERT_U64(test_row(i), t.cpu_node[t.nr_cpus - 1], t.nr_nodes - 1);
	}
}

static void test_topology__resolving_is_stable(void **state)
{
	/* What resolve returns resolves to itself; this machine has a shape. */
	char why[256], once[256], twice[256];
	struct topology t;

	(void)state;
	assert_int_equal(sim_topology_resolve("this", once, sizeof(once), why,
					      sizeof(why)), 0);
	assert_int_equal(sim_topology_resolve(once, twice, sizeof(twice), why,
					      sizeof(why)), 0);
	assert_string_equal(once, twice);
	assert_int_equal(topology_load(&t, once, why, sizeof(why)), 0);
	assert_true(t.nr_cpus >= 1);
}

static void test_topology__impossible_ones_are_refused(void **state)
{
	/* The message repeats the text and shows what is possible. */
	static const char *const rows[] = { "", "elephants:3", "pu:0",
					    "file:no-such-file.xml",
					    /* These took all memory, or never
					     * came to an end. */
					    "pu:100000000", "pu:0x7fffffff",
					    "core:4096 pu:4096",
					    "99999999999999999999",
					    "core:+100000000 pu:1",
					    "core:\t100000000 pu:1",
					    "pu:2(indexes=0,2000000000)",
					    "file:/dev/zero", "file:." };
	char why[256], text[256];
	unsigned int i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		why[0] = '\0';
		assert_int_not_equal(sim_topology_resolve(rows[i], text,
				sizeof(text), why, sizeof(why)), 0);
		assert_true(strstr(why, "pack:1 core:8 pu:2") != NULL);
	}
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(test_topology__synthetic_shapes),
	cmocka_unit_test(test_topology__resolving_is_stable),
	cmocka_unit_test(test_topology__impossible_ones_are_refused),
};

TEST_MAIN(cases)
