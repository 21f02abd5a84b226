/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * When and where a design's work runs: process() after a delay, numbered work
 * items on a CPU of their own, allocations that wait for the host, and the
 * future for designs that may know it.
 */
#include "include/check.h"
#include "sim/inject.h"
#include "sim/machine.h"

static void process_event(void *ctx, uint64_t arg)
{
	struct sim_guest *g = ctx;

	(void)arg;
	g->dev.timer_armed = false;
	if (!guest_runs(g))
		return;
	if (g->inject)
		seen_process(g);
	device_enter(g, g->dev.worker_cpu);
	g->dev.r.ops->process(&g->dev.r);
	device_leave(g);
}

void device_timer_expires(struct sim_guest *g)
{
	struct engine *e = &g->sim->engine;

	engine_cancel(e, g->dev.timer_seq);
	g->dev.timer_seq = engine_at(e, e->now, process_event, g, 0);
}

static void dev_cancel(void *ctx)
{
	struct sim_guest *g = ctx;

	if (g->dev.timer_armed)
		engine_cancel(&g->sim->engine, g->dev.timer_seq);
	g->dev.timer_armed = false;
}

static void dev_schedule(void *ctx, sim_ns_t delay_ns)
{
	struct sim_guest *g = ctx;
	struct device *d = &g->dev;

	dev_cancel(ctx);
	if (!d->in_callback)
		d->worker_cpu = g->running_cpu;
	d->timer_armed = true;
	d->timer_seq = engine_at(&g->sim->engine, device_now(g) + delay_ns,
				 process_event, g, 0);
}

static void work_event(void *ctx, uint64_t nr)
{
	struct sim_guest *g = ctx;
	struct device *d = &g->dev;
	struct work_item *w = &d->work[nr];

	if (!guest_runs(g))
		return;
	if (w->busy_until > g->sim->engine.now) {
		w->seq = engine_at(&g->sim->engine, w->busy_until, work_event,
				   g, nr);
		return;
	}
	w->armed = false;
	device_enter(g, w->cpu);
	d->r.ops->work(&d->r, (unsigned int)nr);
	w->busy_until = d->now;
	device_leave(g);
}

void device_work_expires(struct sim_guest *g, unsigned int nr)
{
	struct engine *e = &g->sim->engine;
	struct work_item *w = &g->dev.work[nr];

	if (!w->armed)
		return;
	engine_cancel(e, w->seq);
	w->seq = engine_at(e, e->now, work_event, g, nr);
}

static bool dev_cancel_work(void *ctx, unsigned int nr)
{
	struct sim_guest *g = ctx;
	struct work_item *w = &g->dev.work[nr];

	CHECK_LT(nr, REPORTER_MAX_WORK);
	if (!w->armed)
		return false;
	engine_cancel(&g->sim->engine, w->seq);
	w->armed = false;
	return true;
}

static void dev_queue_work(void *ctx, unsigned int nr, unsigned int cpu,
			   sim_ns_t delay_ns)
{
	struct sim_guest *g = ctx;
	struct work_item *w = &g->dev.work[nr];

	dev_cancel_work(ctx, nr);
	if (cpu == REPORTER_THIS_CPU)
		cpu = g->dev.in_callback ? g->dev.cpu : g->running_cpu;
	CHECK_LT(cpu, g->topo.nr_cpus);
	w->cpu = (uint16_t)cpu;
	w->armed = true;
	w->seq = engine_at(&g->sim->engine, device_now(g) + delay_ns,
			   work_event, g, nr);
}

/* Its vCPU may be due later, for a task that sleeps. */
static void wake_vcpu(struct vcpu *v, sim_ns_t at)
{
	if (!v->scheduled)
		vcpu_wake(v, at);
	else if (!v->ahead.nr &&
		 engine_slot_at(&v->guest->sim->engine, &v->slot) > at)
		engine_soon(&v->guest->sim->engine, &v->slot, at);
}

static void dev_wake_stalled(void *ctx)
{
	struct sim_guest *g = ctx;
	const sim_ns_t now = device_now(g);
	uint32_t i;

	for (i = 0; i < g->nr_tasks; i++) {
		struct task *t = &g->tasks[i];

		if (!t->stalled)
			continue;
		t->stalled = false;
		if (g->inject)
			seen_stall(g, now - t->stalled_at);
		t->wake_at = now;
		g->alloc_stall_ns += now - t->stalled_at;
		wake_vcpu(&g->vcpus[i % g->topo.nr_cpus], now);
	}
}

static sim_ns_t dev_next_use(void *ctx, pfn_t pfn, unsigned int order)
{
	return first_pass_next_use(ctx, pfn, order);
}

void device_work_fill(struct reporter_env *env)
{
	env->schedule = dev_schedule;
	env->cancel = dev_cancel;
	env->queue_work = dev_queue_work;
	env->cancel_work = dev_cancel_work;
	env->wake_stalled = dev_wake_stalled;
	env->next_use = dev_next_use;
}
