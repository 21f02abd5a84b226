/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The reporter's environment in virtual time, the guest's side: locks are
 * waited for, list touches are paid for, and pages that a design allocates cost
 * it what they cost anybody.
 */
#include "include/check.h"
#include "sim/inject.h"
#include "sim/machine.h"

static struct sim_guest *guest_of(void *ctx)
{
	return ctx;
}

void device_spend(struct sim_guest *g, uint64_t ps)
{
	struct device *d = &g->dev;

	if (!d->in_callback) {
		g->vcpus[g->running_cpu].stolen_ps += ps;
		return;
	}
	d->ps += ps;
	d->now += d->ps / 1000;
	d->ps %= 1000;
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
	zone_locks_hold(g, UINT64_C(1) << zone, g->dev.lock_start, ps, 1);
	g->dev.now += ps / 1000;
}

static bool dev_isolate(void *ctx, pfn_t pfn)
{
	struct sim_guest *g = guest_of(ctx);
	const unsigned int order = alloc_block_order(g->alloc, pfn);

	if (!(g->inject ? inject_isolate(g, pfn) :
			  alloc_isolate(g->alloc, pfn)))
		return false;
	g->dev.isolated_pages += order_nr_pages(order);
	return true;
}

static void dev_isolate_raw(void *ctx, pfn_t pfn)
{
	struct sim_guest *g = guest_of(ctx);

	g->dev.isolated_pages +=
		order_nr_pages(alloc_block_order(g->alloc, pfn));
	if (g->inject)
		seen_isolated(g, pfn, alloc_block_marks(g->alloc, pfn));
	alloc_isolate_raw(g->alloc, pfn);
}

static void dev_putback(void *ctx, pfn_t pfn, unsigned int order,
			enum migratetype mt)
{
	struct sim_guest *g = guest_of(ctx);

	g->dev.isolated_pages -= order_nr_pages(order);
	if (g->inject)
		seen_put_back(g);
	alloc_putback(g->alloc, pfn, order, mt);
}

static void dev_putback_tail(void *ctx, pfn_t pfn, unsigned int order,
			     enum migratetype mt)
{
	struct sim_guest *g = guest_of(ctx);

	g->dev.isolated_pages -= order_nr_pages(order);
	if (g->inject)
		seen_put_back(g);
	alloc_putback_tail(g->alloc, pfn, order, mt);
}

static void dev_set_mark(void *ctx, pfn_t pfn, enum block_mark m)
{
	struct sim_guest *g = guest_of(ctx);

	if (g->inject)
		seen_marked(g, pfn);
	alloc_block_set_mark(g->alloc, pfn, m);
}

static void dev_rotate(void *ctx, pfn_t pfn)
{
	alloc_list_rotate_to_front(guest_of(ctx)->alloc, pfn);
}

/* Work of allocator calls in a callback; a task's step prices its own. */
static struct alloc_work begin_pages(struct sim_guest *g)
{
	const struct alloc_work saved = g->work;

	if (g->dev.in_callback)
		g->work = (struct alloc_work){ 0 };
	return saved;
}

static void end_pages(struct sim_guest *g, const struct alloc_work *saved)
{
	const struct price_now *p = &g->sim->price;
	struct device *d = &g->dev;
	const struct alloc_work *w = &g->work;
	uint64_t hold;

	if (!d->in_callback)
		return;
	if (w->zones_locked) {
		hold = w->lock_acquisitions * p->ps[PRICE_LOCK] +
		       w->list_touches * p->ps[PRICE_LIST_TOUCH];
		d->now += zone_locks_hold(g, w->zones_locked, d->now, hold,
					  w->lock_acquisitions);
		device_spend(g, hold);
	}
	g->work = *saved;
}

/* Rounds of compaction or reclaim between two answers. */
#define ALLOC_BUDGET 4

/* The design has given up what it asked for before, or goes on with it. */
static void alloc_op_begin(struct sim_guest *g, const struct alloc_request *rq)
{
	struct device *d = &g->dev;

	if (d->alloc_for == rq && rq->progress)
		return;
	if (d->alloc_for)
		guest_op_cancel(g->mm, &d->alloc_op, d->cpu);
	d->alloc_for = rq;
	d->alloc_op = (struct guest_op){ .kind = GUEST_ALLOC, .len = rq->gfp,
					 .flags = rq->order };
}

/* One run of it, at its price. A fruitless round if nobody helps. */
static enum guest_status alloc_op_run(struct sim_guest *g)
{
	struct device *d = &g->dev;
	const struct price_now *p = &g->sim->price;
	const struct alloc_work saved = begin_pages(g);
	struct guest_work w = { 0 };
	enum guest_status status;

	g->running_cpu = d->cpu;
	status = guest_run(g->mm, &d->alloc_op, d->cpu, ALLOC_BUDGET, &w);
	end_pages(g, &saved);
	device_spend(g, price_of_help(p, &w) + host_drain_touches(g));
	if (status != GUEST_WAIT)
		return status;
	if (w.reason == ALLOC_REASON_OOM) {
		guest_op_cancel(g->mm, &d->alloc_op, d->cpu);
		return GUEST_NOMEM;
	}
	g->reclaim_rounds++;
	device_spend(g, p->ps[PRICE_RECLAIM_ROUND]);
	return status;
}

/*
 * Deviation: see docs/fidelity.md, a driver that runs out of memory fails
 * where the kernel would call the OOM killer for it.
 */
static enum alloc_status dev_allocate(void *ctx, struct alloc_request *rq,
				      pfn_t *pfn)
{
	struct sim_guest *g = guest_of(ctx);
	struct device *d = &g->dev;
	enum guest_status status;

	CHECK(d->in_callback);
	if (g->inject)
		seen_allocate(g);
	alloc_op_begin(g, rq);
	status = alloc_op_run(g);
	if (status == GUEST_WAIT || status == GUEST_MORE) {
		rq->progress = 1;
		*pfn = PFN_NONE;
		return ALLOC_AGAIN;
	}
	d->alloc_for = NULL;
	if (g->inject && status != GUEST_DONE)
		seen_allocation_failed(g);
	*pfn = status == GUEST_DONE ? (pfn_t)d->alloc_op.addr : PFN_NONE;
	return status == GUEST_DONE ? ALLOC_OK : ALLOC_FAIL;
}

static unsigned int dev_cpu(void *ctx)
{
	const struct sim_guest *g = guest_of(ctx);

	return g->dev.in_callback ? g->dev.cpu : g->running_cpu;
}

static void dev_free(void *ctx, pfn_t pfn, unsigned int order)
{
	struct sim_guest *g = guest_of(ctx);
	const struct alloc_work saved = begin_pages(g);

	/* The host has nothing behind a page that was in the balloon. */
	if (g->sim->cfg.guest.poison != POISON_OFF)
		device_spend(g, host_touch(g, pfn, order, TOUCH_WRITE) +
			     order_nr_pages(order) *
			     g->sim->price.ps[PRICE_ZERO_4K]);
	alloc_free(g->alloc, dev_cpu(ctx), pfn, order);
	end_pages(g, &saved);
}

static void dev_drain_pcp(void *ctx, unsigned int cpu)
{
	struct sim_guest *g = guest_of(ctx);
	const struct alloc_work saved = begin_pages(g);

	alloc_drain_cpu(g->alloc, cpu);
	end_pages(g, &saved);
}

static void dev_set_movable(void *ctx, pfn_t pfn, uint32_t nr, bool on)
{
	struct sim_guest *g = guest_of(ctx);

	for (; nr; nr--, pfn++) {
		if (on)
			guest_movable_add(g->mm, pfn);
		else
			guest_movable_del(g->mm, pfn);
	}
}

static void dev_adjust_managed(void *ctx, pfn_t pfn, int64_t pages)
{
	struct alloc *a = guest_of(ctx)->alloc;
	const unsigned int zone = (unsigned int)alloc_zone_of(a, pfn);
	struct alloc_zone_info z;

	alloc_zone_info(a, zone, &z);
	CHECK(pages >= 0 || (uint64_t)-pages <= z.managed);
	alloc_set_managed(a, zone, z.managed + (uint64_t)pages);
}

static bool dev_kmalloc_ok(void *ctx, size_t bytes)
{
	struct sim_guest *g = guest_of(ctx);

	(void)bytes;
	return !g->inject || inject_kmalloc_ok(g);
}

static void dev_own_lock(void *ctx, unsigned int nr)
{
	struct sim_guest *g = guest_of(ctx);
	const struct zone_lock *l = &g->dev.own_locks[nr];
	const sim_ns_t now = device_now(g);

	CHECK_LT(nr, REPORTER_MAX_LOCKS);
	g->dev.own_start[nr] = l->free_at > now ? l->free_at : now;
	if (l->free_at > now)
		device_spend(g, (l->free_at - now) * 1000);
}

static void dev_own_unlock(void *ctx, unsigned int nr, uint32_t touches)
{
	struct sim_guest *g = guest_of(ctx);
	const struct price_now *p = &g->sim->price;
	const uint64_t ps = p->ps[PRICE_LOCK] +
			    touches * p->ps[PRICE_LIST_TOUCH];

	lock_hold(&g->dev.own_locks[nr], g->dev.own_start[nr], ps / 1000);
	device_spend(g, ps);
}

static void dev_charge(void *ctx, enum reporter_cost what, uint64_t n)
{
	static const enum price_id prices[NR_REPORTER_COSTS] = {
		[COST_LOCAL] = PRICE_DESIGN_LOCAL,
		[COST_SHARED] = PRICE_DESIGN_SHARED,
		[COST_SCAN] = PRICE_DESIGN_SCAN,
	};
	struct sim_guest *g = guest_of(ctx);

	device_spend(g, n * g->sim->price.ps[prices[what]]);
}

static void dev_guest_stats(void *ctx, struct reporter_guest_stats *out)
{
	const struct sim_guest *g = guest_of(ctx);
	struct alloc_zone_info z;
	struct guest_gauges gauges;
	unsigned int i;

	*out = (struct reporter_guest_stats){
		.minor_faults = guest_counters(g->mm)->pgfault,
	};
	guest_gauges(g->mm, &gauges);
	out->caches = gauges.file_pages;
	for (i = 0; i < alloc_nr_zones(g->alloc); i++) {
		alloc_zone_info(g->alloc, i, &z);
		out->free += z.free + z.pcp;
		out->total += z.managed;
	}
	out->available = out->free + out->caches;
}

void device_env_fill(struct reporter_env *env)
{
	env->lock = dev_lock;
	env->unlock = dev_unlock;
	env->isolate = dev_isolate;
	env->isolate_raw = dev_isolate_raw;
	env->putback = dev_putback;
	env->putback_tail = dev_putback_tail;
	env->set_mark = dev_set_mark;
	env->rotate_to_front = dev_rotate;
	env->allocate = dev_allocate;
	env->free = dev_free;
	env->drain_pcp = dev_drain_pcp;
	env->set_movable = dev_set_movable;
	env->adjust_managed = dev_adjust_managed;
	env->kmalloc_ok = dev_kmalloc_ok;
	env->own_lock = dev_own_lock;
	env->own_unlock = dev_own_unlock;
	env->charge = dev_charge;
	env->cpu = dev_cpu;
	env->guest_stats = dev_guest_stats;
}
