/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The shape of a simulated machine: CPUs, caches, NUMA nodes; via hwloc. */
#ifndef SIM_TOPOLOGY_H
#define SIM_TOPOLOGY_H

#include "alloc/alloc.h"

#define TOPOLOGY_NO_CACHE UINT16_MAX
#define TOPOLOGY_LOCAL_DISTANCE 10   /* LOCAL_DISTANCE */
#define TOPOLOGY_REMOTE_DISTANCE 20  /* REMOTE_DISTANCE */

struct topology {
	unsigned int nr_cpus, nr_nodes, nr_cores;
	uint8_t cpu_node[ALLOC_MAX_CPUS];
	/* Known, or the kernel's defaults (10 and 20). Rows of nr_nodes. */
	bool has_distances;
	uint8_t distance[ALLOC_MAX_NODES * ALLOC_MAX_NODES];
	/* Last-level data caches: how many (0 = nothing is known of caches),
	 * bytes of each, and which of them a CPU has. */
	unsigned int nr_caches;
	uint32_t cache_size[ALLOC_MAX_CPUS];
	uint16_t cpu_cache[ALLOC_MAX_CPUS];
};

/* From a resolved description (sim_topology_resolve). 0 or -EINVAL. */
int topology_load(struct topology *t, const char *text, char *why,
		  size_t why_size);
/* The share of a CPU in its last cache, in pages; each of nr_cpus. */
void topology_cache_slices(const struct topology *t, uint32_t *pages);

#endif
