/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Zonelists: in which order a request looks at the zones. Models
 * build_zonelists with find_next_best_node (node order: all zones of a node
 * before the next node), and the decision of build_all_zonelists on mobility
 * grouping.
 *
 * Left out: memory hotplug, cpusets and memory policies; a policy is the
 * preferred node of a request.
 */
#include "alloc/internal.h"
#include "alloc/walk.h"

#define PENALTY_FOR_NODE_WITH_CPUS 1u
/* Distances weigh more than any load: the load stays below this. */
#define LOAD_SCALE 1024u

struct node_order {
	uint32_t load[ALLOC_MAX_NODES]; /* kept from node to node */
	bool has_memory[ALLOC_MAX_NODES];
	bool has_cpus[ALLOC_MAX_NODES];
};

static void zonelist_add_node(const struct alloc *a, struct zonelist *zl,
			      unsigned int node)
{
	for (unsigned int type = MAX_NR_ZONES; type-- > 0;) {
		for (unsigned int i = 0; i < a->nr_zones; i++) {
			const struct zone *z = zone_at(a, i);

			if (z->node == node && z->type == type)
				zl->zones[zl->nr++] = z->idx;
		}
	}
}

static int find_next_best_node(const struct alloc *a,
			       const struct node_order *order,
			       unsigned int local, const bool *used)
{
	uint32_t best_value = UINT32_MAX;
	int best = -1;

	if (!used[local])
		return (int)local;
	for (unsigned int n = 0; n < a->nr_nodes; n++) {
		uint32_t value = a->distance[local][n];

		if (used[n] || !order->has_memory[n])
			continue;
		/* Prefer the next node over the one before. */
		value += n < local;
		if (order->has_cpus[n])
			value += PENALTY_FOR_NODE_WITH_CPUS;
		value = value * LOAD_SCALE + order->load[n];
		if (value < best_value) {
			best_value = value;
			best = (int)n;
		}
	}
	return best;
}

static void build_fallback_list(struct alloc *a, struct node_order *order,
				unsigned int local)
{
	bool used[ALLOC_MAX_NODES] = { false };
	unsigned int prev = local;
	uint32_t load = a->nr_nodes;
	int node;

	while ((node = find_next_best_node(a, order, local, used)) >= 0) {
		/* The first node of each distance serves fewer as next best. */
		if (a->distance[local][node] != a->distance[local][prev]) {
			if (a->prof.numa_load_increments)
				order->load[node]++;
			else
				order->load[node] = load;
		}
		used[node] = true;
		prev = (unsigned int)node;
		load--;
		zonelist_add_node(a, &a->fallback[local], prev);
	}
}

void build_zonelists(struct alloc *a)
{
	struct node_order order = { .load = { 0 } };

	a->last_freed = zone_at(a, 0);
	a->bare_gfp = BARE_NONE;
	for (unsigned int i = 0; i < a->nr_zones; i++)
		order.has_memory[zone_at(a, i)->node] = true;
	for (unsigned int cpu = 0; cpu < a->nr_cpus; cpu++)
		order.has_cpus[a->cpu_node[cpu]] = true;
	for (unsigned int node = 0; node < a->nr_nodes; node++) {
		a->fallback[node].nr = 0;
		a->local[node].nr = 0;
		build_fallback_list(a, &order, node);
		zonelist_add_node(a, &a->local[node], node);
		for (unsigned int type = 0; type < MAX_NR_ZONES; type++)
			a->preferred[node][type] =
				first_zone(a, &a->fallback[node], type);
	}
}

struct zone *first_zone(const struct alloc *a, const struct zonelist *zl,
			unsigned int highest)
{
	for (unsigned int i = 0; i < zl->nr; i++) {
		struct zone *z = zone_at(a, zl->zones[i]);

		if (z->type <= highest)
			return z;
	}
	return NULL;
}

void alloc_set_grouping(struct alloc *a, bool on)
{
	a->grouping = on;
	a->bare_gfp = BARE_NONE;
}

void alloc_setup_zonelists(struct alloc *a)
{
	const unsigned int nr_types = MIGRATE_PCPTYPES + 1u + a->cma +
				      a->isolation;
	uint64_t usable = 0;

	build_zonelists(a);
	for (unsigned int i = 0; i < a->nr_zones; i++) {
		const struct zone *z = zone_at(a, i);
		const uint64_t high = zone_wmark(z, AF_WMARK_HIGH);

		if (z->type <= ZONE_MOVABLE && z->managed > high)
			usable += z->managed - high;
	}
	/* Not even one pageblock of each type: sorting them is pointless. */
	a->grouping = usable >=
		      (uint64_t)order_nr_pages(a->pageblock_order) * nr_types;
	a->bare_gfp = BARE_NONE;
}
