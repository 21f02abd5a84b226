/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * When pages leave the per-CPU lists for the buddy, and how many: when a free
 * makes the lists too long, when they are drained, and when the vmstat worker
 * looks at them. Models nr_pcp_high, nr_pcp_free, drain_all_pages,
 * decay_pcp_high and the pageset part of refresh_cpu_vm_stats, 5.3 to 6.18.
 * How they leave is alloc/pcp_bulk.c.
 *
 * A full drain visits the CPUs in ascending order in every release. Up to 5.10
 * it is work queued on each CPU, whose order the scheduler decides; see
 * docs/fidelity.md.
 */
#include "alloc/pcp.h"
#include "include/minmax.h"

/* Ticks of the vmstat worker that a remote node's pageset must be idle. */
#define PCP_EXPIRE_TICKS 3

static bool costly_order_above_0(unsigned int order)
{
	return order > 0 && order <= PAGE_ALLOC_COSTLY_ORDER;
}

/* 5.14 to 6.6: consecutive flushes without an allocation double in size. */
static void flush_by_factor(struct alloc *a, struct zone *z, unsigned int cpu,
			    unsigned int order, unsigned int pindex)
{
	struct per_cpu_pages *pcp = &z->pcp[cpu];
	const bool free_high = a->prof.pcp_free_high && pcp->free_factor &&
			       costly_order_above_0(order);
	const uint32_t batch = pcp->batch;
	uint32_t limit = pcp->high;
	uint32_t nr;

	if (free_high)
		limit = 0;
	else if (z->reclaim_active && a->prof.pcp_reclaim_limit)
		limit = min_u32(4 * batch, limit);
	if (pcp->count < limit)
		return;
	if (free_high) {
		nr = pcp->count;
	} else if (limit < batch) {
		nr = 1;
	} else {
		nr = batch << pcp->free_factor;
		if (nr < limit - batch && a->prof.pcp_factor_doubles &&
		    (pcp->free_factor < PCP_BATCH_SCALE_MAX ||
		     !a->prof.pcp_factor_capped))
			pcp->free_factor++;
		/* The upper bound wins if the two contradict. */
		if (a->prof.pcp_flush_clamped)
			nr = clamp_u32(nr, batch, limit - batch);
	}
	pcp_flush(a, z, cpu, nr, pindex);
}

/* Lower high by what was freed lately; the reserve must stay in the zone. */
static uint32_t shrunk_high(const struct per_cpu_pages *pcp, uint32_t high)
{
	const uint32_t freed = max_u32(pcp->free_count, pcp->batch);

	return max_u32(high > freed ? high - freed : 0, pcp->high_min);
}

/* Models nr_pcp_high of 6.7 on: the count at which a free flushes. */
static uint32_t auto_high(const struct alloc *a, const struct zone *z,
			  struct per_cpu_pages *pcp, bool free_high)
{
	const uint32_t step = pcp->batch << PCP_BATCH_SCALE_MAX;
	const uint32_t high =
		clamp_u32(pcp->high, pcp->high_min, pcp->high_max);

	pcp->high = high;
	if (high == 0)
		return 0;
	if (free_high) {
		pcp->high = max_u32(high > step ? high - step : 0,
				    pcp->high_min);
		return 0;
	}
	if (z->reclaim_active && a->prof.pcp_reclaim_limit) {
		pcp->high = shrunk_high(pcp, high);
		return min_u32(pcp->batch * 4, pcp->high);
	}
	if (pcp->high_min == pcp->high_max)
		return high;
	if (z->below_high) {
		pcp->high = shrunk_high(pcp, high);
		return max_u32(pcp->count, pcp->high_min);
	}
	if (pcp->count >= high && high < pcp->free_count + pcp->batch)
		pcp->high = clamp_u32(pcp->free_count + pcp->batch,
				      pcp->high_min, pcp->high_max);
	return high;
}

/* Is this the second high-order free of a CPU that keeps freeing? */
static bool frees_high_orders(const struct alloc *a, struct per_cpu_pages *pcp,
			      unsigned int order)
{
	const uint32_t start = a->prof.pcp_free_high_late ?
			pcp->batch + pcp->high_min / 2 : pcp->batch;
	bool free_high = false;

	if (costly_order_above_0(order) && a->prof.pcp_free_high)
		free_high = pcp->free_count >= start &&
			    pcp->prev_free_high_order &&
			    (!pcp->big_cache || pcp->count >= pcp->batch);
	pcp->prev_free_high_order = costly_order_above_0(order);
	return free_high;
}

/* 6.7 on: flush as much as was freed without an allocation in between. */
static void flush_by_count(struct alloc *a, struct zone *z, unsigned int cpu,
			   unsigned int order, unsigned int pindex)
{
	struct per_cpu_pages *pcp = &z->pcp[cpu];
	const uint32_t batch = pcp->batch;
	const bool free_high = frees_high_orders(a, pcp, order);
	uint32_t limit, nr;

	pcp->alloc_factor >>= 1;
	if (pcp->free_count < batch << PCP_BATCH_SCALE_MAX)
		pcp->free_count += order_nr_pages(order);
	limit = auto_high(a, z, pcp, free_high);
	if (pcp->count < limit)
		return;
	if (free_high)
		nr = min_u32(pcp->count, batch << PCP_BATCH_SCALE_MAX);
	else if (limit < batch)
		nr = 1;
	else if (a->prof.pcp_flush_clamped)
		nr = clamp_u32(pcp->free_count, batch, limit - batch);
	else
		nr = pcp->free_count;
	pcp_flush(a, z, cpu, nr, pindex);
	if (z->below_high && !a->below_high_given &&
	    zone_watermark_ok(a, z, 0, zone_wmark(z, AF_WMARK_HIGH),
			      ZONE_MOVABLE, 0)) {
		z->below_high = false;
		zone_limits_changed(a, z);
	}
}

void pcp_flush_if_high(struct alloc *a, struct zone *z, unsigned int cpu,
		       unsigned int order, unsigned int pindex)
{
	struct per_cpu_pages *pcp = &z->pcp[cpu];

	switch (a->prof.pcp_flush) {
	case PCP_FLUSH_BATCH:
		if (pcp->count >= pcp->high)
			pcp_flush(a, z, cpu, pcp->batch, pindex);
		break;
	case PCP_FLUSH_FACTOR:
		flush_by_factor(a, z, cpu, order, pindex);
		break;
	case PCP_FLUSH_COUNT:
		flush_by_count(a, z, cpu, order, pindex);
		break;
	}
}

void pcp_free(struct alloc *a, struct zone *z, unsigned int cpu, pfn_t pfn,
	      unsigned int order, enum migratetype mt)
{
	/* Isolated pages must not hide from whoever isolated them. */
	if (__builtin_expect(mt == MIGRATE_ISOLATE, 0)) {
		free_to_buddy(a, z, pfn, order, 0);
		return;
	}
	pcp_commit(a, z, cpu, pfn, order, mt);
}

static void drain_zone(struct alloc *a, struct zone *z, unsigned int cpu)
{
	struct per_cpu_pages *pcp = &z->pcp[cpu];

	while (pcp->count > 0) {
		uint32_t nr = pcp->count;

		/* In pieces, for the sake of those who wait for the lock. */
		if (a->prof.pcp_drain_pieces)
			nr = min_u32(nr, pcp->batch << PCP_BATCH_SCALE_MAX);
		pcp_flush(a, z, cpu, nr, 0);
	}
}

void alloc_drain_cpu(struct alloc *a, unsigned int cpu)
{
	CHECK_LT(cpu, a->nr_cpus);
	for (unsigned int i = 0; i < a->nr_zones; i++)
		drain_zone(a, zone_at(a, i), cpu);
}

void alloc_drain_all(struct alloc *a)
{
	look_around(a);
	for (unsigned int cpu = 0; cpu < a->nr_cpus; cpu++)
		alloc_drain_cpu(a, cpu);
}

void alloc_drain_pageset(struct alloc *a, unsigned int zone, unsigned int cpu,
			 uint32_t nr_pages, unsigned int pindex)
{
	CHECK_LT(zone, a->nr_zones);
	CHECK_LT(cpu, a->nr_cpus);
	pcp_flush(a, zone_at(a, zone), cpu, nr_pages, pindex);
}

/* Give back slowly what an idle CPU does not need. */
static void decay_high(struct per_cpu_pages *pcp)
{
	const uint32_t step = pcp->batch << PCP_BATCH_SCALE_MAX;

	if (pcp->high > pcp->high_min) {
		const uint32_t kept = pcp->count > step ? pcp->count - step : 0;

		pcp->high = max_u32(kept, pcp->high - (pcp->high >> 3));
		pcp->high = max_u32(pcp->high, pcp->high_min);
	}
}

/*
 * Models decay_pcp_high. In 6.12.117 the surplus goes a batch at a time, each
 * from list 0 on: a batch that ends inside a large block takes all of it, and
 * the rest of the surplus is not made smaller by that. 6.12 and 6.18.2 flush
 * it at once.
 */
static void decay_pageset(struct alloc *a, struct zone *z, unsigned int cpu)
{
	struct per_cpu_pages *pcp = &z->pcp[cpu];
	uint32_t surplus, nr;

	decay_high(pcp);
	surplus = pcp->count > pcp->high ? pcp->count - pcp->high : 0;
	for (; surplus > 0; surplus -= nr) {
		nr = a->prof.pcp_decay_pieces ? min_u32(surplus, pcp->batch) :
						surplus;
		pcp_flush(a, z, cpu, nr, 0);
	}
}

/* Pages of other nodes go home in batches once they are not used any more. */
static void expire_remote(struct alloc *a, struct zone *z, unsigned int cpu)
{
	struct per_cpu_pages *pcp = &z->pcp[cpu];

	if (pcp->stat_changed) {
		pcp->stat_changed = false;
		pcp->expire = PCP_EXPIRE_TICKS;
	}
	if (pcp->expire == 0 || pcp->count == 0)
		return;
	if (z->node == a->cpu_node[cpu]) {
		pcp->expire = 0;
		return;
	}
	if (--pcp->expire == 0)
		pcp_flush(a, z, cpu, pcp->batch, 0);
}

void alloc_vmstat_tick(struct alloc *a, unsigned int cpu)
{
	CHECK_LT(cpu, a->nr_cpus);
	for (unsigned int i = 0; i < a->nr_zones; i++) {
		if (a->prof.pcp_decays)
			decay_pageset(a, zone_at(a, i), cpu);
		expire_remote(a, zone_at(a, i), cpu);
	}
}

void alloc_decay_pcp_high(struct alloc *a, unsigned int zone, unsigned int cpu)
{
	CHECK_LT(zone, a->nr_zones);
	CHECK_LT(cpu, a->nr_cpus);
	if (a->prof.pcp_decays)
		decay_high(&zone_at(a, zone)->pcp[cpu]);
}
