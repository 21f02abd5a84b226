/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Per-CPU lists seen from outside: reading and setting their sizes, loading and
 * dumping their contents. No kernel function stands behind these.
 */
#include "alloc/pcp.h"

static struct per_cpu_pages *pcp_at(const struct alloc *a, unsigned int zone,
				    unsigned int cpu)
{
	CHECK_LT(zone, a->nr_zones);
	CHECK_LT(cpu, a->nr_cpus);
	return &a->zones[zone].pcp[cpu];
}

void alloc_set_reclaim_active(struct alloc *a, unsigned int zone, bool on)
{
	CHECK_LT(zone, a->nr_zones);
	zone_at(a, zone)->reclaim_active = on;
}

void alloc_set_below_high(struct alloc *a, unsigned int zone, bool on)
{
	CHECK_LT(zone, a->nr_zones);
	zone_at(a, zone)->below_high = on;
	zone_limits_changed(a, zone_at(a, zone));
}

void alloc_follow_below_high(struct alloc *a)
{
	a->below_high_given = true;
}

bool alloc_below_high(const struct alloc *a, unsigned int zone)
{
	CHECK_LT(zone, a->nr_zones);
	return a->zones[zone].below_high;
}

void alloc_pcp_info(const struct alloc *a, unsigned int zone, unsigned int cpu,
		    struct alloc_pcp_info *out)
{
	const struct per_cpu_pages *pcp = pcp_at(a, zone, cpu);

	*out = (struct alloc_pcp_info){
		.count = pcp->count,
		.high = pcp->high,
		.batch = pcp->batch,
		.high_min = pcp->high_min,
		.high_max = pcp->high_max,
		.free_factor = pcp->free_factor,
		.alloc_factor = pcp->alloc_factor,
		.free_count = pcp->free_count,
		.prev_free_high_order = pcp->prev_free_high_order,
		.big_cache = pcp->big_cache,
		.nr_lists = pcp_nr_lists(a),
	};
}

void alloc_set_pcp(struct alloc *a, unsigned int zone, unsigned int cpu,
		   uint32_t batch, uint32_t high_min, uint32_t high_max,
		   uint32_t free_factor)
{
	struct per_cpu_pages *pcp = pcp_at(a, zone, cpu);

	CHECK_LE(high_min, high_max);
	CHECK_LE(free_factor, UINT8_MAX);
	pcp->batch = batch > 0 ? batch : 1;
	pcp->high_min = high_min;
	pcp->high_max = high_max;
	pcp->high = a->prof.pcp_high == PCP_HIGH_AUTO ? high_min : high_max;
	pcp->free_factor = (uint8_t)free_factor;
	a->pcp_ready = true;
}

void alloc_set_pcp_state(struct alloc *a, unsigned int zone, unsigned int cpu,
			 const struct alloc_pcp_state *state)
{
	struct per_cpu_pages *pcp = pcp_at(a, zone, cpu);

	CHECK_LE(state->alloc_factor, PCP_BATCH_SCALE_MAX);
	pcp->high = state->high;
	pcp->alloc_factor = state->alloc_factor;
	pcp->free_count = state->free_count;
	pcp->prev_free_high_order = state->prev_free_high_order;
	pcp->big_cache = state->big_cache;
}

void alloc_load_pcp(struct alloc *a, unsigned int zone, unsigned int cpu,
		    unsigned int pindex, pfn_t pfn, enum migratetype cached)
{
	struct per_cpu_pages *pcp = pcp_at(a, zone, cpu);
	const unsigned int order = pindex_to_order(a, pindex);
	struct page_rec *rec = rec_of(a, pfn, order);

	CHECK_LT(pindex, pcp_nr_lists(a));
	CHECK_EQ(rec->state, PAGE_NONE);
	list_add_tail(a, &pcp->lists[pindex], pfn, order);
	pcp_rec_set(rec, order, pindex);
	rec->aux = (uint8_t)cached;
	pcp->count += order_nr_pages(order);
}

pfn_t alloc_pcp_first(const struct alloc *a, unsigned int zone,
		      unsigned int cpu, unsigned int pindex)
{
	const struct per_cpu_pages *pcp = pcp_at(a, zone, cpu);

	CHECK_LT(pindex, pcp_nr_lists(a));
	return list_first(a, &pcp->lists[pindex], pindex_to_order(a, pindex));
}

/* The list for large non-movable blocks is spelled U; it holds R as well. */
void alloc_pindex_decode(const struct alloc *a, unsigned int pindex,
			 unsigned int *order, enum migratetype *mt)
{
	CHECK_LT(pindex, pcp_nr_lists(a));
	*order = pindex_to_order(a, pindex);
	if (pindex < PCP_THP_PINDEX)
		*mt = (enum migratetype)(pindex % MIGRATE_PCPTYPES);
	else if (pindex == PCP_THP_PINDEX &&
		 a->prof.pcp_orders == PCP_COSTLY_THP_TWO)
		*mt = MIGRATE_UNMOVABLE;
	else
		*mt = MIGRATE_MOVABLE;
}
