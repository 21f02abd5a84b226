/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * kswapd, kcompactd and khugepaged in virtual time: each is an operation of the
 * guest kernel that is run in slices, on the CPU that woke it. Models
 * wakeup_kswapd, wakeup_kcompactd, khugepaged_wait_work and the loops around
 * balance_pgdat, kcompactd_do_work and khugepaged_do_scan, 5.3 to 6.18; what
 * they do is in guest/vmscan.c, guest/compaction.c and guest/khugepaged.c.
 *
 * Simplified: a thread's time delays the next step of its vCPU; it is not
 * preempted, and does not change its CPU while it runs. khugepaged runs on CPU
 * 0, and looks for work every scan_sleep, not at once for the first mapping.
 */
#include "sim/machine.h"

/* From wake_up_interruptible() until the thread has looked at its zones. */
#define WAKE_LATENCY_NS (50 * NSEC_PER_USEC)
/* Clusters of pages, or rounds of compaction, between two events. */
#define SLICE_BUDGET 4
#define PS_PER_NS 1000

static void thread_event(void *ctx, uint64_t arg);

static struct kthread *thread_at(struct sim_guest *g, uint64_t arg)
{
	return &g->kthreads[arg % NR_KTHREADS][arg / NR_KTHREADS];
}

static void thread_arm(struct sim_guest *g, enum kthread_kind kind,
		       unsigned int node, sim_ns_t delay)
{
	struct engine *e = &g->sim->engine;

	engine_at(e, e->now + delay, thread_event, g,
		  (uint64_t)node * NR_KTHREADS + kind);
}

static void thread_wake(struct sim_guest *g, enum kthread_kind kind,
			unsigned int node, unsigned int order,
			unsigned int highest, bool compacts)
{
	struct kthread *t = &g->kthreads[kind][node];

	if (order > t->order)
		t->order = order;
	if (highest > t->highest)
		t->highest = highest;
	t->compacts |= compacts;
	t->wanted = true;
	if (t->running)
		return;
	t->running = true;
	t->cpu = g->running_cpu;
	thread_arm(g, kind, node, WAKE_LATENCY_NS);
}

void kthread_kswapd_wake(void *ctx, unsigned int node, unsigned int order,
			 unsigned int highest, gfp_t gfp)
{
	thread_wake(ctx, KTHREAD_KSWAPD, node, order, highest,
		    !(gfp & GFP_BIT_DIRECT_RECLAIM));
}

void kthread_khugepaged_start(struct sim_guest *g)
{
	const struct guest_options *o = &g->sim->cfg.guest;

	if (o->khugepaged && o->thp != THP_NEVER)
		thread_arm(g, KTHREAD_KHUGEPAGED, 0, o->khugepaged_scan_sleep);
}

/* False: khugepaged finds nothing to do and sleeps on. */
static bool khugepaged_begin(struct sim_guest *g, struct kthread *t)
{
	const struct guest_options *o = &g->sim->cfg.guest;

	if (!guest_khugepaged_has_work(g->mm)) {
		thread_arm(g, KTHREAD_KHUGEPAGED, 0, o->khugepaged_scan_sleep);
		return false;
	}
	t->op = (struct guest_op){ .kind = GUEST_KHUGEPAGED,
				   .len = o->khugepaged_pages_to_scan };
	t->begun = true;
	return true;
}

static void khugepaged_end(struct sim_guest *g, struct kthread *t)
{
	const struct guest_options *o = &g->sim->cfg.guest;

	t->begun = false;
	thread_arm(g, KTHREAD_KHUGEPAGED, 0, t->op.addr ?
		   o->khugepaged_alloc_sleep : o->khugepaged_scan_sleep);
}

/* What it was woken for becomes its operation. */
static void thread_begin(struct kthread *t, enum guest_op_kind kind,
			 unsigned int node)
{
	t->op = (struct guest_op){
		.kind = kind, .file = node, .flags = t->order,
		.len = t->highest, .cursor = !t->compacts,
	};
	t->order = 0;
	t->highest = 0;
	t->compacts = false;
	t->wanted = false;
	t->begun = true;
}

uint64_t kthread_slice(struct sim_guest *g, struct guest_op *op,
		       unsigned int cpu, uint32_t budget,
		       enum guest_status *status)
{
	const struct price_now *p = &g->sim->price;
	struct guest_work w = { 0 };
	uint64_t ps, hold;

	g->work = (struct alloc_work){ 0 };
	g->running_cpu = (uint16_t)cpu;
	*status = guest_run(g->mm, op, cpu, budget, &w);
	ps = price_of_help(p, &w) + w.syscalls * p->ps[PRICE_SYSCALL] +
	     host_drain_touches(g);
	if (g->work.zones_locked) {
		hold = g->work.lock_acquisitions * p->ps[PRICE_LOCK] +
		       g->work.list_touches * p->ps[PRICE_LIST_TOUCH];
		ps += hold + PS_PER_NS *
		      zone_locks_hold(g, g->work.zones_locked,
				      g->sim->engine.now, hold,
				      g->work.lock_acquisitions);
	}
	if (vcpu_has_work(&g->vcpus[cpu]))
		g->vcpus[cpu].stolen_ps += ps;
	return ps;
}

static void thread_event(void *ctx, uint64_t arg)
{
	static const enum guest_op_kind kinds[NR_KTHREADS] = {
		GUEST_KSWAPD, GUEST_KCOMPACTD, GUEST_KHUGEPAGED
	};
	struct sim_guest *g = ctx;
	struct kthread *t = thread_at(g, arg);
	const enum kthread_kind kind = arg % NR_KTHREADS;
	const unsigned int node = (unsigned int)(arg / NR_KTHREADS);
	enum guest_status status;
	uint64_t ps;

	if (!guest_runs(g))
		return;
	if (!t->begun && kind == KTHREAD_KHUGEPAGED && !khugepaged_begin(g, t))
		return;
	if (!t->begun)
		thread_begin(t, kinds[kind], node);
	ps = kthread_slice(g, &t->op, t->cpu, SLICE_BUDGET, &status);
	if (status == GUEST_MORE || status == GUEST_WAIT) {
		/* A block that is still with the host: ask again later. */
		thread_arm(g, kind, node, status == GUEST_WAIT ?
			   NSEC_PER_MSEC : 1 + ps / PS_PER_NS);
		return;
	}
	if (kind == KTHREAD_KHUGEPAGED) {
		khugepaged_end(g, t);
		return;
	}
	t->begun = t->running = false;
	if (kind == KTHREAD_KSWAPD && t->op.addr && g->sim->cfg.guest.compaction)
		thread_wake(g, KTHREAD_KCOMPACTD, node,
			    (unsigned int)t->op.addr, (unsigned int)t->op.len,
			    false);
	if (t->wanted)
		thread_wake(g, kind, node, 0, 0, false);
}
