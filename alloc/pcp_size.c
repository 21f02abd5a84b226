/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How long the per-CPU lists may become. Models zone_batchsize, zone_highsize
 * and zone_set_pageset_high_and_batch (pageset_set_high_and_batch up to 5.10),
 * and zone_pcp_update_cacheinfo of 6.7.
 *
 * Left out: the sysctls that set the sizes by hand (alloc_set_pcp() does) and
 * CPU hotplug; all CPUs of the guest are online.
 */
#include "alloc/pcp.h"

/* The kernel's batch before it is raised to 1: 0, 1, 3, 7, ... 63. */
static uint32_t zone_batchsize(const struct zone *z)
{
	uint64_t batch = z->managed / 1024;
	uint32_t power = 1;

	if (batch > 256)
		batch = 256;
	batch /= 4;
	if (batch < 1)
		batch = 1;
	batch += batch / 2;
	while (power * 2 <= batch)
		power *= 2;
	return power - 1;
}

/* A zone is shared by the CPUs of its node, or by all if it has none. */
static uint32_t nr_split_cpus(const struct alloc *a, const struct zone *z)
{
	uint32_t nr = 0;

	for (unsigned int cpu = 0; cpu < a->nr_cpus; cpu++)
		nr += a->cpu_node[cpu] == z->node;
	return nr != 0 ? nr : a->nr_cpus;
}

/* Models zone_highsize: a CPU's share, but room for a few batches. */
static uint32_t zone_highsize(const struct alloc *a, const struct zone *z,
			      uint32_t batch, uint64_t total)
{
	const uint64_t high = total / nr_split_cpus(a, z);

	if (high < 4 * batch)
		return 4 * batch;
	return high < UINT32_MAX / 2 ? (uint32_t)high : UINT32_MAX / 2;
}

static void zone_pcp_update(struct alloc *a, struct zone *z)
{
	const uint32_t raw_batch = zone_batchsize(z);
	const uint32_t batch = raw_batch > 0 ? raw_batch : 1;
	uint32_t high, high_max;

	if (a->prof.pcp_high == PCP_HIGH_BATCH)
		high = 6 * raw_batch;
	else
		high = zone_highsize(a, z, batch, zone_wmark(z, AF_WMARK_LOW));
	high_max = high;
	if (a->prof.pcp_high == PCP_HIGH_AUTO)
		high_max = zone_highsize(a, z, batch, z->managed / 8);
	for (unsigned int cpu = 0; cpu < a->nr_cpus; cpu++) {
		struct per_cpu_pages *pcp = &z->pcp[cpu];

		pcp->batch = batch;
		pcp->high_min = high;
		pcp->high_max = high_max;
		/* A floating high is brought into its range when it is used. */
		if (a->prof.pcp_high != PCP_HIGH_AUTO)
			pcp->high = high;
	}
}

void pcp_update_sizes(struct alloc *a)
{
	for (unsigned int i = 0; i < a->nr_zones; i++)
		zone_pcp_update(a, zone_at(a, i));
}

void alloc_setup_pcp(struct alloc *a)
{
	a->pcp_ready = true;
	pcp_update_sizes(a);
}

void alloc_setup_cacheinfo(struct alloc *a, const uint32_t *slice_pages)
{
	for (unsigned int i = 0; i < a->nr_zones; i++) {
		struct zone *z = zone_at(a, i);

		for (unsigned int cpu = 0; cpu < a->nr_cpus; cpu++)
			z->pcp[cpu].big_cache = slice_pages[cpu] >
						3 * z->pcp[cpu].batch;
	}
}
