/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The environment of a reporter on a bare allocator (sync_env.h).
 *
 * Every call checks the contract of reporter.h from the environment's side:
 * lists change only under the lock of their zone, the lock is not held while
 * the host is called or when the design returns, entries are inside one guest.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "include/check.h"
#include "reporter/sync_env.h"

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
				 SYNC_ENV_MAX_BATCHES].nr;
	return nr;
}

static int env_report(void *ctx, struct page_report *entries, unsigned int nr)
{
	struct sync_env *e = ctx;
	struct sync_env_batch *b;

	CHECK_EQ(e->locked_zone, -1);
	CHECK_LE(1, nr);
	CHECK_LE(nr, REPORTER_MAX_CAPACITY);
	e->reports++;
	if (e->cfg.refuse_every && e->reports % e->cfg.refuse_every == 0)
		return -ENOSPC;
	if (e->nr_batches == SYNC_ENV_MAX_BATCHES)
		return -EBUSY;
	b = &e->batches[(e->first_batch + e->nr_batches) %
			SYNC_ENV_MAX_BATCHES];
	*b = (struct sync_env_batch){
		.entries = entries, .nr = nr,
		.due_ns = e->now_ns + e->cfg.ack_latency_ns,
	};
	e->nr_batches++;
	if (e->max_in_flight < blocks_in_flight(e))
		e->max_in_flight = blocks_in_flight(e);
	if (e->cfg.watch.report)
		e->cfg.watch.report(e->cfg.watch.ctx, entries, nr);
	return 0;
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

static const struct reporter_env sync_calls = {
	.lock = env_lock,
	.unlock = env_unlock,
	.isolate = env_isolate,
	.isolate_raw = env_isolate_raw,
	.putback = env_putback,
	.putback_tail = env_putback_tail,
	.set_mark = env_set_mark,
	.rotate_to_front = env_rotate_to_front,
	.report = env_report,
	.schedule = env_schedule,
	.cancel = env_cancel,
};

static int default_options(struct sync_env *e)
{
	const struct option_table *t = &e->cfg.ops->options;

	if (!t->size)
		return 0;
	e->own_options = calloc(1, t->size);
	if (!e->own_options)
		return -ENOMEM;
	option_defaults(t, e->own_options);
	e->cfg.options = e->own_options;
	return 0;
}

int sync_env_init(struct sync_env *e, struct alloc *a,
		  const struct sync_env_config *cfg, char *why,
		  size_t why_size)
{
	int err;

	memset(e, 0, sizeof(*e));
	e->alloc = a;
	e->cfg = *cfg;
	e->locked_zone = -1;
	e->env = sync_calls;
	e->env.ctx = e;
	e->env.view = a;
	if (!cfg->options) {
		err = default_options(e);
		if (err)
			goto no_memory;
	}
	e->reporter.ops = cfg->ops;
	e->reporter.env = &e->env;
	e->reporter.options = e->cfg.options;
	/* One byte for designs without state: NULL means out of memory. */
	e->reporter.state = calloc(1, cfg->ops->state_size + 1);
	if (!e->reporter.state)
		goto no_memory;
	err = cfg->ops->init(&e->reporter, why, why_size);
	if (!err)
		return 0;
	free(e->reporter.state);
	e->reporter.state = NULL;
	sync_env_destroy(e);
	return err;
no_memory:
	sync_env_destroy(e);
	if (why_size)
		snprintf(why, why_size, "out of memory");
	return -ENOMEM;
}

void sync_env_destroy(struct sync_env *e)
{
	if (e->reporter.state) {
		CHECK_EQ(e->nr_batches, 0);
		e->reporter.ops->destroy(&e->reporter);
	}
	free(e->reporter.state);
	free(e->own_options);
	memset(e, 0, sizeof(*e));
}

void sync_env_hooks(struct sync_env *e, struct alloc_hooks *h)
{
	reporter_fill_hooks(&e->reporter, h);
}

void sync_env_start(struct sync_env *e)
{
	e->reporter.ops->start(&e->reporter);
	CHECK_EQ(e->locked_zone, -1);
}

bool sync_env_process(struct sync_env *e)
{
	if (!e->scheduled)
		return false;
	e->scheduled = false;
	e->reporter.ops->process(&e->reporter);
	CHECK_EQ(e->locked_zone, -1);
	return true;
}

bool sync_env_ack(struct sync_env *e, int err)
{
	struct sync_env_batch b;

	if (!e->nr_batches)
		return false;
	b = e->batches[e->first_batch];
	e->first_batch = (e->first_batch + 1) % SYNC_ENV_MAX_BATCHES;
	e->nr_batches--;
	e->acks++;
	e->reporter.ops->drain(&e->reporter, b.entries, b.nr, err);
	CHECK_EQ(e->locked_zone, -1);
	return true;
}

static int next_ack_error(const struct sync_env *e)
{
	if (e->cfg.fail_every && (e->acks + 1) % e->cfg.fail_every == 0)
		return -EIO;
	return 0;
}

static void ack_next(struct sync_env *e)
{
	if (e->now_ns < e->batches[e->first_batch].due_ns)
		e->now_ns = e->batches[e->first_batch].due_ns;
	sync_env_ack(e, next_ack_error(e));
}

void sync_env_stop(struct sync_env *e)
{
	e->reporter.ops->stop(&e->reporter);
	CHECK_EQ(e->locked_zone, -1);
	while (e->nr_batches)
		ack_next(e);
}

bool sync_env_run_pass(struct sync_env *e)
{
	if (!e->scheduled && !e->nr_batches)
		return false;
	if (!e->nr_batches) {
		if (e->now_ns < e->scheduled_ns)
			e->now_ns = e->scheduled_ns;
		sync_env_process(e);
	}
	while (e->nr_batches)
		ack_next(e);
	return true;
}

unsigned int sync_env_run_until_idle(struct sync_env *e,
				     unsigned int max_passes)
{
	unsigned int passes = 0;

	while (passes < max_passes && sync_env_run_pass(e))
		passes++;
	return passes;
}

void sync_env_advance(struct sync_env *e, sim_ns_t delta_ns)
{
	const sim_ns_t end = e->now_ns + delta_ns;

	for (;;) {
		const sim_ns_t ack = e->nr_batches ?
			e->batches[e->first_batch].due_ns : UINT64_MAX;
		const sim_ns_t run = e->scheduled ?
			e->scheduled_ns : UINT64_MAX;

		if (ack > end && run > end)
			break;
		if (ack <= run) {
			ack_next(e);
		} else {
			if (e->now_ns < run)
				e->now_ns = run;
			sync_env_process(e);
		}
	}
	e->now_ns = end;
}

const char *sync_env_check(const struct sync_env *e)
{
	const char *broken = e->reporter.ops->check(&e->reporter);
	uint64_t in_flight = 0;

	if (broken)
		return broken;
	for (unsigned int i = 0; i < e->nr_batches; i++) {
		const struct sync_env_batch *b =
			&e->batches[(e->first_batch + i) %
				    SYNC_ENV_MAX_BATCHES];

		for (unsigned int j = 0; j < b->nr; j++)
			in_flight += order_nr_pages(b->entries[j].order);
	}
	if (in_flight != e->out_pages)
		return "isolated blocks that are not with the host";
	return NULL;
}
