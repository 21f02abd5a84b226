/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The reporter's environment in virtual time: zone locks are waited for, list
 * touches are paid for, a report travels to the host and back, and the
 * acknowledgement is a later event. Worker time is charged to the vCPU whose
 * free asked for the pass, as a workqueue item runs where it was queued.
 */
#include "sim/machine.h"

#include <errno.h>
#include <stdlib.h>

#include "include/check.h"

static struct sim_guest *guest_of(void *ctx)
{
	return ctx;
}

static void dev_lock(void *ctx, unsigned int zone)
{
	struct device *d = &guest_of(ctx)->dev;
	const struct zone_lock *l = &guest_of(ctx)->locks[zone];

	if (l->free_at > d->now)
		d->now = l->free_at;
	d->lock_start = d->now;
}

static void dev_unlock(void *ctx, unsigned int zone, uint32_t list_touches)
{
	struct sim_guest *g = guest_of(ctx);
	const struct price_now *p = &g->sim->price;
	const uint64_t ps = p->ps[PRICE_LOCK] +
			    list_touches * p->ps[PRICE_LIST_TOUCH];

	/* dev_lock() has waited: the hold starts at once. */
	zone_locks_hold(g, UINT64_C(1) << zone, g->dev.lock_start, ps);
	g->dev.now += ps / 1000;
}

static bool dev_isolate(void *ctx, pfn_t pfn)
{
	return alloc_isolate(guest_of(ctx)->alloc, pfn);
}

static void dev_isolate_raw(void *ctx, pfn_t pfn)
{
	alloc_isolate_raw(guest_of(ctx)->alloc, pfn);
}

static void dev_putback(void *ctx, pfn_t pfn, unsigned int order,
			enum migratetype mt)
{
	alloc_putback(guest_of(ctx)->alloc, pfn, order, mt);
}

static void dev_putback_tail(void *ctx, pfn_t pfn, unsigned int order,
			     enum migratetype mt)
{
	alloc_putback_tail(guest_of(ctx)->alloc, pfn, order, mt);
}

static void dev_set_mark(void *ctx, pfn_t pfn, enum block_mark m)
{
	alloc_block_set_mark(guest_of(ctx)->alloc, pfn, m);
}

static void dev_rotate(void *ctx, pfn_t pfn)
{
	alloc_list_rotate_to_front(guest_of(ctx)->alloc, pfn);
}

/* The worker runs from `at`; its allocator work is priced by unlock(). */
static void worker_enter(struct sim_guest *g)
{
	struct device *d = &g->dev;

	CHECK(!d->in_callback);
	d->in_callback = true;
	d->now = g->sim->engine.now;
	g->work = (struct alloc_work){ 0 };
}

static void worker_leave(struct sim_guest *g)
{
	struct device *d = &g->dev;
	struct vcpu *v = &g->vcpus[d->worker_cpu];

	d->in_callback = false;
	d->busy_until = d->now;
	if (v->nr_tasks)
		v->stolen_ps += (d->now - g->sim->engine.now) * 1000;
	g->work = (struct alloc_work){ 0 };
}

static void process_event(void *ctx, uint64_t arg)
{
	struct sim_guest *g = ctx;

	(void)arg;
	g->dev.timer_armed = false;
	worker_enter(g);
	g->dev.r.ops->process(&g->dev.r);
	worker_leave(g);
}

static void done_event(void *ctx, uint64_t arg)
{
	struct sim_guest *g = ctx;
	struct flight f = g->dev.flights[arg];

	g->dev.flights[arg].used = false;
	g->dev.in_flight--;
	worker_enter(g);
	g->dev.r.ops->drain(&g->dev.r, f.entries, f.nr, 0);
	worker_leave(g);
}

/* Every busy vCPU of the guest takes the interrupts of `flushes` rounds. */
static void charge_flushes(struct sim_guest *g, uint64_t flushes)
{
	const uint64_t ps = flushes * g->sim->price.ps[PRICE_TLB_FLUSH_VCPU];
	unsigned int i;

	if (!ps)
		return;
	for (i = 0; i < g->topo.nr_cpus; i++)
		if (g->vcpus[i].nr_tasks && g->vcpus[i].scheduled)
			g->vcpus[i].stolen_ps += ps;
}

/* The device thread on the host works through one batch. */
static void host_event(void *ctx, uint64_t arg)
{
	struct sim_guest *g = ctx;
	struct sim *s = g->sim;
	const struct flight *f = &g->dev.flights[arg];
	uint64_t flushes = 0;
	const uint64_t ps = host_discard(g, f->entries, f->nr, &flushes);

	charge_flushes(g, flushes);
	engine_at(&s->engine, s->engine.now +
		  (ps + s->price.ps[PRICE_COMPLETION]) / 1000,
		  done_event, g, arg);
}

static int dev_report(void *ctx, struct page_report *entries, unsigned int nr)
{
	struct sim_guest *g = guest_of(ctx);
	struct device *d = &g->dev;
	struct sim *s = g->sim;
	unsigned int i, bucket;

	for (i = 0; i < MAX_FLIGHTS && d->flights[i].used; i++)
		;
	if (i == MAX_FLIGHTS)
		return -ENOSPC;
	d->flights[i] = (struct flight){ true, entries, nr };
	d->in_flight++;
	d->batches++;
	bucket = (unsigned int)(31 - __builtin_clz(nr));
	d->batch_hist[bucket < ARRAY_SIZE(d->batch_hist) ? bucket :
		      ARRAY_SIZE(d->batch_hist) - 1]++;
	engine_at(&s->engine, d->now + s->price.ps[PRICE_DOORBELL] / 1000,
		  host_event, g, i);
	return 0;
}

static void dev_cancel(void *ctx)
{
	struct sim_guest *g = guest_of(ctx);

	if (g->dev.timer_armed)
		engine_cancel(&g->sim->engine, g->dev.timer_seq);
	g->dev.timer_armed = false;
}

static void dev_schedule(void *ctx, sim_ns_t delay_ns)
{
	struct sim_guest *g = guest_of(ctx);
	struct device *d = &g->dev;
	const sim_ns_t from = d->in_callback ? d->now : g->sim->engine.now;

	dev_cancel(ctx);
	if (!d->in_callback)
		d->worker_cpu = g->running_cpu;
	d->timer_armed = true;
	d->timer_seq = engine_at(&g->sim->engine, from + delay_ns,
				 process_event, g, 0);
}

int device_init(struct sim_guest *g, char *why, size_t why_size)
{
	const struct sim_config *cfg = &g->sim->cfg;
	struct device *d = &g->dev;

	d->env = (struct reporter_env){
		.ctx = g, .view = g->alloc,
		.lock = dev_lock, .unlock = dev_unlock,
		.isolate = dev_isolate, .isolate_raw = dev_isolate_raw,
		.putback = dev_putback, .putback_tail = dev_putback_tail,
		.set_mark = dev_set_mark, .rotate_to_front = dev_rotate,
		.report = dev_report, .schedule = dev_schedule,
		.cancel = dev_cancel,
	};
	d->r = (struct reporter){ .ops = cfg->reporter, .env = &d->env,
				  .options = cfg->reporter_options };
	d->r.state = calloc(1, cfg->reporter->state_size ?
			       cfg->reporter->state_size : 1);
	if (!d->r.state)
		return -ENOMEM;
	return cfg->reporter->init(&d->r, why, why_size);
}

void device_fill_hooks(struct sim_guest *g, struct alloc_hooks *h)
{
	if (g->sim->cfg.reporter_enabled)
		reporter_fill_hooks(&g->dev.r, h);
}

void device_start(struct sim_guest *g)
{
	if (!g->sim->cfg.reporter_enabled)
		return;
	g->dev.present = true;
	if (g->dev.r.ops->start)
		g->dev.r.ops->start(&g->dev.r);
}

bool device_idle(const struct sim_guest *g)
{
	return !g->dev.present || g->dev.r.ops->idle(&g->dev.r);
}

void device_destroy(struct sim_guest *g)
{
	if (g->dev.r.state && g->dev.r.ops->destroy)
		g->dev.r.ops->destroy(&g->dev.r);
	free(g->dev.r.state);
	g->dev.r.state = NULL;
}
