/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Requests to the host in virtual time. A request is kicked, waits until the
 * device thread of its guest is through with earlier ones, is worked on, and
 * the acknowledgement is a later event. A call that waits pays for all of it at
 * once: the host has then acted at the time of the call's beginning. Deviation:
 * see docs/fidelity.md, "waiting for the host".
 */
#include <errno.h>
#include <inttypes.h>

#include "include/check.h"
#include "sim/inject.h"
#include "sim/machine.h"

/*
 * Every busy vCPU of the guest takes the interrupts of `flushes` rounds. Where
 * processes of the host run in their place no vCPU is in guest mode.
 */
static void charge_flushes(struct sim_guest *g, uint64_t flushes)
{
	const uint64_t ps = flushes * g->sim->price.ps[PRICE_TLB_FLUSH_VCPU];
	unsigned int i;

	if (!ps || (g->sim->opt && g->sim->opt->native))
		return;
	for (i = 0; i < g->topo.nr_cpus; i++)
		if (g->vcpus[i].nr_tasks && g->vcpus[i].scheduled)
			g->vcpus[i].stolen_ps += ps;
}

/* The callback that the acknowledgement is: drain() or reply(). */
static void done_event(void *ctx, uint64_t arg)
{
	struct sim_guest *g = ctx;
	struct device *d = &g->dev;
	struct flight f = d->flights[arg];
	struct work_item *w = d->work ? &d->work[f.rq.work] : NULL;

	if (!guest_runs(g))
		return;
	/* The item that waits for it may be busy with something else. */
	if (!f.is_report && w && w->busy_until > g->sim->engine.now) {
		engine_at(&g->sim->engine, w->busy_until, done_event, g, arg);
		return;
	}
	d->flights[arg].used = false;
	d->in_flight--;
	if (g->inject)
		seen_trip(g, &f);
	if (f.is_report) {
		device_enter(g, d->worker_cpu);
		d->r.ops->drain(&d->r, f.rq.entries, f.rq.nr, f.reply.err);
	} else {
		device_enter(g, w ? w->cpu : d->worker_cpu);
		d->r.ops->reply(&d->r, &f.rq, &f.reply);
		if (w)
			w->busy_until = d->now;
	}
	device_leave(g);
	if (g->inject) {
		seen_drained(g, f.rq.entries, f.rq.nr, f.reply.err);
		race_acknowledged(g, (unsigned int)arg);
	}
}

/* The device thread on the host works through one request. */
static void host_event(void *ctx, uint64_t arg)
{
	struct sim_guest *g = ctx;
	struct sim *s = g->sim;
	struct device *d = &g->dev;
	struct flight *f = &d->flights[arg];
	uint64_t flushes = 0, ps = 0;
	sim_ns_t later = 0;
	bool hangs = false;

	if (!guest_runs(g))
		return;
	if (d->host_busy_until > s->engine.now) {
		engine_at(&s->engine, d->host_busy_until, host_event, g, arg);
		return;
	}
	if (g->inject)
		race_begin(g, (unsigned int)arg);
	if (!g->inject || !inject_serve(g, &f->reply, &later, &hangs))
		ps = host_serve(g, &f->rq, &f->reply, &flushes);
	/* Its answer never comes. */
	f->hangs = hangs;
	if (hangs)
		return;
	charge_flushes(g, flushes);
	d->host_busy_until = s->engine.now + ps / 1000;
	engine_at(&s->engine, s->engine.now + later +
		  (ps + s->price.ps[PRICE_COMPLETION]) / 1000,
		  done_event, g, arg);
}

static void count_batch(struct device *d, unsigned int nr)
{
	unsigned int bucket;

	d->batches++;
	if (!nr)
		return;
	bucket = (unsigned int)(31 - __builtin_clz(nr));
	d->batch_hist[bucket < ARRAY_SIZE(d->batch_hist) ? bucket :
		      ARRAY_SIZE(d->batch_hist) - 1]++;
}

static int submit(struct sim_guest *g, const struct host_request *rq,
		  bool is_report)
{
	struct device *d = &g->dev;
	struct sim *s = g->sim;
	unsigned int i;

	CHECK_LE(rq->nr, REPORTER_MAX_CAPACITY);
	for (i = 0; i < MAX_FLIGHTS && d->flights[i].used; i++)
		;
	if (i == MAX_FLIGHTS)
		return -ENOSPC;
	if (g->inject && inject_submit(g, rq))
		return -EIO;
	d->flights[i] = (struct flight){ .used = true, .is_report = is_report,
					 .sent = device_now(g), .rq = *rq };
	d->in_flight++;
	count_batch(d, rq->nr);
	engine_at(&s->engine, device_now(g) +
		  s->price.ps[PRICE_DOORBELL] / 1000, host_event, g, i);
	return 0;
}

static int dev_report(void *ctx, struct page_report *entries, unsigned int nr)
{
	const struct host_request rq = {
		.kind = REQUEST_REPORT, .discard_order = DISCARD_WHOLE,
		.entries = entries, .nr = nr,
	};

	return submit(ctx, &rq, true);
}

static int dev_send(void *ctx, const struct host_request *rq)
{
	struct sim_guest *g = ctx;

	CHECK(g->dev.r.ops->reply);
	return submit(g, rq, false);
}

/*
 * A CPU that waits inside the host runs nothing any more, nor does who waits
 * for its locks: the run is over.
 */
static void call_hangs(struct sim_guest *g, struct host_reply *reply)
{
	const sim_ns_t now = device_now(g);

	*reply = (struct host_reply){ .err = -EIO };
	sim_fail(g->sim, -EDEADLK, "CPU %u of guest %u waits for ever, since "
		 "%" PRIu64 ".%03u s: the host never answers a call of %s",
		 g->dev.in_callback ? g->dev.cpu : g->running_cpu, g->id + 1,
		 now / NSEC_PER_SEC,
		 (unsigned int)(now % NSEC_PER_SEC / NSEC_PER_MSEC),
		 g->dev.r.ops->name);
}

static int dev_call(void *ctx, const struct host_request *rq,
		    struct host_reply *reply)
{
	struct sim_guest *g = ctx;
	const struct price_now *p = &g->sim->price;
	const uint64_t way = rq->hypercall ? p->ps[PRICE_HYPERCALL] :
			     p->ps[PRICE_DOORBELL] + p->ps[PRICE_COMPLETION];
	uint64_t flushes = 0, ps = 0;
	sim_ns_t later = 0;
	bool hangs = false;

	CHECK_LE(rq->nr, REPORTER_MAX_CAPACITY);
	if (g->inject && inject_submit(g, rq))
		return -EIO;
	count_batch(&g->dev, rq->nr);
	if (rq->hypercall)
		g->dev.hypercalls++;
	/* Others may run ahead on memory that is about to go. */
	if (!g->dev.in_callback && g->nr_ahead)
		ahead_settle_guest(g, g->sim->engine.now,
				   g->vcpus[g->running_cpu].slot.rank);
	if (!g->inject || !inject_serve(g, reply, &later, &hangs))
		ps = host_serve(g, rq, reply, &flushes);
	if (hangs)
		call_hangs(g, reply);
	charge_flushes(g, flushes);
	device_spend(g, way + ps + later * 1000);
	return 0;
}

static void dev_host_issues(void *ctx, const struct host_command *command)
{
	host_commands(ctx, command);
}

void device_host_fill(struct reporter_env *env)
{
	env->report = dev_report;
	env->send = dev_send;
	env->call = dev_call;
	env->host_issues = dev_host_issues;
}
