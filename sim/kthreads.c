/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The guest's kernel threads that move allocator state without being asked by
 * a task: kswapd, and the vmstat worker.
 *
 * kswapd models the end of balance_pgdat (5.3 to 6.18): the boost that it saw
 * when it woke is taken off again. Deviation: see docs/fidelity.md, it reclaims
 * nothing. The vmstat worker models refresh_cpu_vm_stats, once a second on
 * every CPU; only releases whose pcp high decays notice it.
 */
#include "sim/machine.h"

/* From wake_up_interruptible() until the thread has looked at its zones. */
#define KSWAPD_LATENCY_NS (50 * NSEC_PER_USEC)
#define VMSTAT_INTERVAL_NS NSEC_PER_SEC

static void kswapd_run(void *ctx, uint64_t node)
{
	struct sim_guest *g = ctx;
	struct alloc_zone_info z;
	unsigned int i;

	g->kswapd_pending &= ~(1u << node);
	for (i = 0; i < alloc_nr_zones(g->alloc); i++) {
		alloc_zone_info(g->alloc, i, &z);
		if (z.node == node && z.boost)
			alloc_set_boost(g->alloc, i, 0);
	}
}

void kthread_kswapd_wake(void *ctx, unsigned int node, unsigned int order)
{
	struct sim_guest *g = ctx;
	struct engine *e = &g->sim->engine;

	(void)order;
	if (g->kswapd_pending & (1u << node))
		return;
	g->kswapd_pending |= 1u << node;
	engine_at(e, e->now + KSWAPD_LATENCY_NS, kswapd_run, g, node);
}

static void vmstat_run(void *ctx, uint64_t arg)
{
	struct sim_guest *g = ctx;
	struct engine *e = &g->sim->engine;
	unsigned int cpu;

	(void)arg;
	g->work = (struct alloc_work){ 0 };
	for (cpu = 0; cpu < g->topo.nr_cpus; cpu++)
		alloc_vmstat_tick(g->alloc, cpu);
	engine_at(e, e->now + VMSTAT_INTERVAL_NS, vmstat_run, g, 0);
}

void kthreads_start(struct sim_guest *g)
{
	/* A recorded run brings its own: D records. */
	if (!g->replay)
		engine_at(&g->sim->engine, VMSTAT_INTERVAL_NS, vmstat_run, g,
			  0);
}
