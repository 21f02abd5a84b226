/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The shape of a simulated machine: vCPUs, cores and NUMA nodes, via hwloc. */
#ifndef SIM_TOPOLOGY_H
#define SIM_TOPOLOGY_H

#include "alloc/alloc.h"

struct topology {
	unsigned int nr_cpus, nr_nodes, nr_cores;
	uint8_t cpu_node[ALLOC_MAX_CPUS];
};

/* From a synthetic description (sim_topology_resolve). 0 or -EINVAL. */
int topology_load(struct topology *t, const char *synthetic, char *why,
		  size_t why_size);

#endif
