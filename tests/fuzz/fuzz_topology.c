/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Topologies: hwloc's synthetic strings, our own words, and the XML of another
 * machine. What one resolves to is the description that results keep, so it
 * has to mean the same machine again.
 */
#include <string.h>

#include "include/check.h"
#include "sim/sim.h"
#include "sim/topology.h"
#include "tests/fuzz/fuzz.h"

#define LARGEST_INPUT 16384

static void check_machine(const struct topology *t)
{
	unsigned int i;

	CHECK(t->nr_cpus && t->nr_cpus <= ALLOC_MAX_CPUS);
	CHECK(t->nr_nodes && t->nr_nodes <= ALLOC_MAX_NODES);
	for (i = 0; i < t->nr_cpus; i++) {
		CHECK_LT(t->cpu_node[i], t->nr_nodes);
		CHECK(!t->nr_caches || t->cpu_cache[i] == TOPOLOGY_NO_CACHE ||
		      t->cpu_cache[i] < t->nr_caches);
	}
	for (i = 0; t->has_distances && i < t->nr_nodes; i++)
		CHECK_EQ(t->distance[i * (t->nr_nodes + 1)],
			 TOPOLOGY_LOCAL_DISTANCE);
}

static void resolve(const char *text)
{
	char first[OPTION_STRING_SIZE], again[OPTION_STRING_SIZE], why[400];
	struct topology t;

	why[0] = '\0';
	if (sim_topology_resolve(text, first, sizeof(first), why,
				 sizeof(why))) {
		CHECK(why[0]);
		return;
	}
	CHECK_MSG(!topology_load(&t, first, why, sizeof(why)), "%s", why);
	check_machine(&t);
	CHECK_EQ(sim_topology_cpus(first), t.nr_cpus);
	CHECK_MSG(!sim_topology_resolve(first, again, sizeof(again), why,
					sizeof(why)), "%s", why);
	CHECK_MSG(!strcmp(first, again), "'%s' became '%s'", first, again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char text[OPTION_STRING_SIZE];
	struct fuzz_file f;

	if (!size || size > LARGEST_INPUT)
		return 0;
	if (data[0] == '<') {
		fuzz_file_open(&f, data, size);
		snprintf(text, sizeof(text), "file:%s", f.path);
		resolve(text);
		fuzz_file_close(&f);
		return 0;
	}
	snprintf(text, sizeof(text), "%.*s", (int)size, (const char *)data);
	/* This machine, and its files, are not the same everywhere. */
	if (!strstr(text, "this") && !strstr(text, "file:"))
		resolve(text);
	return 0;
}
