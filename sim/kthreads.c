/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The vmstat worker: refresh_cpu_vm_stats (5.3 to 6.18), once a second on every
 * CPU; only releases whose pcp high decays notice it. The threads that reclaim
 * and compact are in sim/kthread_mem.c.
 */
#include "sim/machine.h"

#define VMSTAT_INTERVAL_NS NSEC_PER_SEC

static void vmstat_run(void *ctx, uint64_t arg)
{
	struct sim_guest *g = ctx;
	struct engine *e = &g->sim->engine;
	unsigned int cpu;

	(void)arg;
	if (!guest_runs(g))
		return;
	g->work = (struct alloc_work){ 0 };
	for (cpu = 0; cpu < g->topo.nr_cpus; cpu++)
		alloc_vmstat_tick(g->alloc, cpu);
	engine_at(e, e->now + VMSTAT_INTERVAL_NS, vmstat_run, g, 0);
}

void kthreads_start(struct sim_guest *g)
{
	/* A recorded run brings its own: D records. */
	if (!g->replay)
		kthread_khugepaged_start(g);
	if (!g->replay)
		engine_at(&g->sim->engine, g->sim->engine.now +
			  VMSTAT_INTERVAL_NS, vmstat_run, g, 0);
}
