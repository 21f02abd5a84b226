/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The calls of a reporter_env without a machine.
 *
 * Every call checks the contract of reporter.h from the environment's side:
 * lists change only under the lock of their zone, the lock is not held while
 * the host is called or when the design returns, entries are inside one guest.
 */
#include <errno.h>

#include "include/check.h"
#include "reporter/sync_env_calls.h"

static void env_lock(void *ctx, unsigned int zone)
{
	struct sync_env *e = ctx;

	CHECK_EQ(e->locked_zone, -1);
	e->locked_zone = (int)zone;
}

static void env_unlock(void *ctx, unsigned int zone, uint32_t list_touches)
{
	struct sync_env *e = ctx;

	CHECK_EQ(e->locked_zone, zone);
	e->locked_zone = -1;
	if (e->cfg.watch.unlock)
		e->cfg.watch.unlock(e->cfg.watch.ctx, zone, list_touches);
}

static void check_locked(const struct sync_env *e, pfn_t pfn)
{
	CHECK(e->locked_zone >= 0);
	CHECK_EQ(alloc_zone_of(e->alloc, pfn), e->locked_zone);
}

static void note_isolated(struct sync_env *e, pfn_t pfn, unsigned int order,
			  enum migratetype mt)
{
	e->out_pages += order_nr_pages(order);
	if (e->cfg.watch.isolate)
		e->cfg.watch.isolate(e->cfg.watch.ctx, pfn, order, mt);
}

static bool env_isolate(void *ctx, pfn_t pfn)
{
	struct sync_env *e = ctx;
	const unsigned int order = alloc_block_order(e->alloc, pfn);
	const enum migratetype mt = alloc_block_type(e->alloc, pfn);

	check_locked(e, pfn);
	if (!alloc_isolate(e->alloc, pfn))
		return false;
	note_isolated(e, pfn, order, mt);
	return true;
}

static void env_isolate_raw(void *ctx, pfn_t pfn)
{
	struct sync_env *e = ctx;
	const unsigned int order = alloc_block_order(e->alloc, pfn);
	const enum migratetype mt = alloc_block_type(e->alloc, pfn);

	check_locked(e, pfn);
	alloc_isolate_raw(e->alloc, pfn);
	note_isolated(e, pfn, order, mt);
}

static void note_putback(struct sync_env *e, pfn_t pfn, unsigned int order,
			 enum migratetype mt)
{
	check_locked(e, pfn);
	CHECK_LE(order_nr_pages(order), e->out_pages);
	e->out_pages -= order_nr_pages(order);
	if (e->cfg.watch.putback)
		e->cfg.watch.putback(e->cfg.watch.ctx, pfn, order, mt);
}

static void env_putback(void *ctx, pfn_t pfn, unsigned int order,
			enum migratetype mt)
{
	struct sync_env *e = ctx;

	note_putback(e, pfn, order, mt);
	alloc_putback(e->alloc, pfn, order, mt);
}

static void env_putback_tail(void *ctx, pfn_t pfn, unsigned int order,
			     enum migratetype mt)
{
	struct sync_env *e = ctx;

	note_putback(e, pfn, order, mt);
	alloc_putback_tail(e->alloc, pfn, order, mt);
}

static void env_set_mark(void *ctx, pfn_t pfn, enum block_mark m)
{
	struct sync_env *e = ctx;

	check_locked(e, pfn);
	if (e->cfg.watch.mark)
		e->cfg.watch.mark(e->cfg.watch.ctx, pfn, m);
	alloc_block_set_mark(e->alloc, pfn, m);
}

static void env_rotate_to_front(void *ctx, pfn_t pfn)
{
	struct sync_env *e = ctx;

	check_locked(e, pfn);
	if (e->cfg.watch.rotate)
		e->cfg.watch.rotate(e->cfg.watch.ctx, pfn);
	alloc_list_rotate_to_front(e->alloc, pfn);
}

static unsigned int blocks_in_flight(const struct sync_env *e)
{
	unsigned int nr = 0;

	for (unsigned int i = 0; i < e->nr_batches; i++)
		nr += e->batches[(e->first_batch + i) %
				 SYNC_ENV_MAX_BATCHES].rq.nr;
	return nr;
}

static struct sync_env_batch *nth_batch(struct sync_env *e, unsigned int i)
{
	return &e->batches[(e->first_batch + i) % SYNC_ENV_MAX_BATCHES];
}

static void tell_watch(const struct sync_env *e, const struct host_request *rq,
		       bool is_report)
{
	const struct sync_env_watch *w = &e->cfg.watch;

	if (!is_report && w->request)
		w->request(w->ctx, rq);
	if (w->report && rq->nr && (rq->kind == REQUEST_REPORT ||
				    rq->kind == REQUEST_ANSWER))
		w->report(w->ctx, rq->entries, rq->nr);
}

static int submit(struct sync_env *e, const struct host_request *rq,
		  bool is_report)
{
	CHECK_EQ(e->locked_zone, -1);
	CHECK_LE(rq->nr, REPORTER_MAX_CAPACITY);
	e->reports++;
	if (e->cfg.refuse_every && e->reports % e->cfg.refuse_every == 0)
		return -ENOSPC;
	if (e->nr_batches == SYNC_ENV_MAX_BATCHES)
		return -EBUSY;
	*nth_batch(e, e->nr_batches++) = (struct sync_env_batch){
		.is_report = is_report, .rq = *rq,
		.due_ns = e->now_ns + e->cfg.ack_latency_ns,
	};
	if (e->max_in_flight < blocks_in_flight(e))
		e->max_in_flight = blocks_in_flight(e);
	tell_watch(e, rq, is_report);
	return 0;
}

static int env_report(void *ctx, struct page_report *entries, unsigned int nr)
{
	const struct host_request rq = {
		.kind = REQUEST_REPORT, .discard_order = DISCARD_WHOLE,
		.entries = entries, .nr = nr,
	};

	CHECK_LE(1, nr);
	return submit(ctx, &rq, true);
}

static int env_send(void *ctx, const struct host_request *rq)
{
	struct sync_env *e = ctx;

	CHECK(e->reporter.ops->reply);
	return submit(e, rq, false);
}

void sync_env_answer(const struct sync_env *e, const struct host_request *rq,
		     int err, struct host_reply *reply)
{
	*reply = (struct host_reply){ .err = err };
	for (unsigned int i = 0; !err && e->cfg.zeroes && i < rq->nr; i++)
		if (e->cfg.zeroes(e->cfg.watch.ctx, &rq->entries[i]))
			reply->zeroed[i / 64] |= UINT64_C(1) << (i % 64);
}

static int env_call(void *ctx, const struct host_request *rq,
		    struct host_reply *reply)
{
	struct sync_env *e = ctx;

	/* From a hook nobody has taken the lock through this environment. */
	CHECK(e->locked_zone == -1 || rq->hypercall);
	CHECK_LE(rq->nr, REPORTER_MAX_CAPACITY);
	e->calls++;
	if (e->cfg.refuse_every && e->calls % e->cfg.refuse_every == 0)
		return -ENOSPC;
	tell_watch(e, rq, false);
	sync_env_answer(e, rq, 0, reply);
	return 0;
}

/* This host takes every answer. */
static void env_host_issues(void *ctx, const struct host_command *command)
{
	(void)ctx;
	(void)command;
}

static void env_schedule(void *ctx, sim_ns_t delay_ns)
{
	struct sync_env *e = ctx;

	e->scheduled = true;
	e->scheduled_ns = e->now_ns + delay_ns;
}

static void env_cancel(void *ctx)
{
	struct sync_env *e = ctx;

	e->scheduled = false;
}

static void env_queue_work(void *ctx, unsigned int nr, unsigned int cpu,
			   sim_ns_t delay_ns)
{
	struct sync_env *e = ctx;

	CHECK_LT(nr, REPORTER_MAX_WORK);
	if (cpu == REPORTER_THIS_CPU)
		cpu = e->cpu;
	CHECK_LT(cpu, alloc_nr_cpus(e->alloc));
	e->work[nr] = (struct sync_env_work){
		.armed = true, .cpu = cpu, .due_ns = e->now_ns + delay_ns,
	};
	if (e->nr_work <= nr)
		e->nr_work = nr + 1;
}

static bool env_cancel_work(void *ctx, unsigned int nr)
{
	struct sync_env *e = ctx;
	bool armed;

	CHECK_LT(nr, REPORTER_MAX_WORK);
	armed = e->work[nr].armed;
	e->work[nr].armed = false;
	return armed;
}

static unsigned int env_cpu(void *ctx)
{
	const struct sync_env *e = ctx;

	return e->cpu;
}

static enum alloc_status env_allocate(void *ctx, struct alloc_request *rq,
				      pfn_t *pfn)
{
	struct sync_env *e = ctx;
	struct alloc_result res;

	CHECK_EQ(e->locked_zone, -1);
	rq->cpu = (uint16_t)e->cpu;
	rq->node = -1;
	rq->zone = -1;
	res = alloc_pages_nowait(e->alloc, rq);
	*pfn = res.pfn;
	if (res.status != ALLOC_OK)
		return ALLOC_FAIL;
	e->own_pages += order_nr_pages(rq->order);
	if (e->cfg.watch.allocate)
		e->cfg.watch.allocate(e->cfg.watch.ctx, res.pfn, rq->order);
	return ALLOC_OK;
}

static void env_free(void *ctx, pfn_t pfn, unsigned int order)
{
	struct sync_env *e = ctx;

	CHECK_EQ(e->locked_zone, -1);
	CHECK_LE(order_nr_pages(order), e->own_pages);
	e->own_pages -= order_nr_pages(order);
	if (e->cfg.watch.free)
		e->cfg.watch.free(e->cfg.watch.ctx, pfn, order);
	alloc_free(e->alloc, e->cpu, pfn, order);
}

static void env_drain_pcp(void *ctx, unsigned int cpu)
{
	struct sync_env *e = ctx;

	CHECK_EQ(e->locked_zone, -1);
	alloc_drain_cpu(e->alloc, cpu);
}

static void env_set_movable(void *ctx, pfn_t pfn, uint32_t nr, bool on)
{
	struct sync_env *e = ctx;

	alloc_set_lru(e->alloc, pfn, nr, on);
}

static void env_adjust_managed(void *ctx, pfn_t pfn, int64_t pages)
{
	struct sync_env *e = ctx;
	const unsigned int zone = (unsigned int)alloc_zone_of(e->alloc, pfn);
	struct alloc_zone_info z;

	alloc_zone_info(e->alloc, zone, &z);
	CHECK(pages >= 0 || (uint64_t)-pages <= z.managed);
	alloc_set_managed(e->alloc, zone, z.managed + (uint64_t)pages);
}

static bool env_kmalloc_ok(void *ctx, size_t bytes)
{
	struct sync_env *e = ctx;

	(void)bytes;
	e->kmallocs++;
	return !e->cfg.kmalloc_fail_every ||
	       e->kmallocs % e->cfg.kmalloc_fail_every != 0;
}

static void env_own_lock(void *ctx, unsigned int nr)
{
	struct sync_env *e = ctx;

	CHECK_LT(nr, REPORTER_MAX_LOCKS);
	CHECK(!(e->own_locked & (1u << nr)));
	e->own_locked |= 1u << nr;
}

static void env_own_unlock(void *ctx, unsigned int nr, uint32_t touches)
{
	struct sync_env *e = ctx;

	(void)touches;
	CHECK_LT(nr, REPORTER_MAX_LOCKS);
	CHECK(e->own_locked & (1u << nr));
	e->own_locked &= ~(1u << nr);
}

static void env_charge(void *ctx, enum reporter_cost what, uint64_t n)
{
	struct sync_env *e = ctx;

	CHECK_LT(what, NR_REPORTER_COSTS);
	e->charged[what] += n;
}

static void env_wake_stalled(void *ctx)
{
	struct sync_env *e = ctx;

	CHECK_EQ(e->locked_zone, -1);
	e->stall_wakes++;
	if (e->cfg.watch.wake_stalled)
		e->cfg.watch.wake_stalled(e->cfg.watch.ctx);
}

static void env_guest_stats(void *ctx, struct reporter_guest_stats *out)
{
	const struct sync_env *e = ctx;
	struct alloc_zone_info z;

	*out = (struct reporter_guest_stats){ 0 };
	for (unsigned int i = 0; i < alloc_nr_zones(e->alloc); i++) {
		alloc_zone_info(e->alloc, i, &z);
		out->free += z.free + z.pcp;
		out->total += z.managed;
	}
	out->available = out->free;
}

/* A bare allocator has no future but what its user says. */
static sim_ns_t env_next_use(void *ctx, pfn_t pfn, unsigned int order)
{
	const struct sync_env *e = ctx;

	if (!e->cfg.next_use)
		return UINT64_MAX;
	return e->cfg.next_use(e->cfg.watch.ctx, pfn, order);
}

const struct reporter_env sync_env_calls = {
	.lock = env_lock,
	.unlock = env_unlock,
	.isolate = env_isolate,
	.isolate_raw = env_isolate_raw,
	.putback = env_putback,
	.putback_tail = env_putback_tail,
	.set_mark = env_set_mark,
	.rotate_to_front = env_rotate_to_front,
	.allocate = env_allocate,
	.free = env_free,
	.set_movable = env_set_movable,
	.adjust_managed = env_adjust_managed,
	.kmalloc_ok = env_kmalloc_ok,
	.drain_pcp = env_drain_pcp,
	.report = env_report,
	.send = env_send,
	.call = env_call,
	.host_issues = env_host_issues,
	.schedule = env_schedule,
	.cancel = env_cancel,
	.queue_work = env_queue_work,
	.cancel_work = env_cancel_work,
	.cpu = env_cpu,
	.own_lock = env_own_lock,
	.own_unlock = env_own_unlock,
	.charge = env_charge,
	.wake_stalled = env_wake_stalled,
	.next_use = env_next_use,
	.guest_stats = env_guest_stats,
};
