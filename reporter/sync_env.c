/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The environment of a reporter on a bare allocator (sync_env.h): its clock,
 * its host, and what it asks of the design.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "include/bitmap.h"
#include "include/check.h"
#include "reporter/sync_env_calls.h"

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

/* One item even for designs without any: NULL means out of memory. */
static size_t ops_nr_work(const struct reporter_ops *ops)
{
	return ops->work ? REPORTER_MAX_WORK : 1;
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
	e->env = sync_env_calls;
	e->env.ctx = e;
	e->env.view = a;
	e->env.host = &e->cfg.host;
	e->work = calloc(ops_nr_work(cfg->ops), sizeof(*e->work));
	if (!e->work)
		goto no_memory;
	if (!cfg->options) {
		err = default_options(e);
		if (err)
			goto no_memory;
	}
	e->reporter.ops = cfg->ops;
	e->reporter.env = &e->env;
	e->reporter.options = e->cfg.options;
	if (cfg->ops->knows_zero) {
		e->env.known_zero = calloc(BITMAP_WORDS(alloc_end_pfn(a)),
					   sizeof(uint64_t));
		if (!e->env.known_zero)
			goto no_memory;
	}
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
	free(e->env.known_zero);
	free(e->work);
	memset(e, 0, sizeof(*e));
}

void sync_env_hooks(struct sync_env *e, struct alloc_hooks *h)
{
	reporter_fill_hooks(&e->reporter, h);
}

/* The design has returned: it holds no lock. */
static void check_returned(const struct sync_env *e)
{
	CHECK_EQ(e->locked_zone, -1);
	CHECK_EQ(e->own_locked, 0);
}

void sync_env_start(struct sync_env *e)
{
	e->reporter.ops->start(&e->reporter);
	check_returned(e);
}

bool sync_env_process(struct sync_env *e)
{
	if (!e->scheduled)
		return false;
	e->scheduled = false;
	e->reporter.ops->process(&e->reporter);
	check_returned(e);
	return true;
}

bool sync_env_ack(struct sync_env *e, int err)
{
	const struct reporter_ops *ops = e->reporter.ops;
	struct sync_env_batch b;
	struct host_reply reply;

	if (!e->nr_batches)
		return false;
	b = e->batches[e->first_batch];
	e->first_batch = (e->first_batch + 1) % SYNC_ENV_MAX_BATCHES;
	e->nr_batches--;
	e->acks++;
	sync_env_answer(e, &b.rq, err, &reply);
	if (b.is_report) {
		ops->drain(&e->reporter, b.rq.entries, b.rq.nr, err);
	} else {
		e->cpu = ops->work ? e->work[b.rq.work].cpu : 0;
		ops->reply(&e->reporter, &b.rq, &reply);
		e->cpu = 0;
	}
	check_returned(e);
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
	check_returned(e);
	while (e->nr_batches)
		ack_next(e);
}

/* The work item that is due first; SYNC_ENV_NO_WORK if there is none. */
static unsigned int next_work(const struct sync_env *e)
{
	unsigned int best = SYNC_ENV_NO_WORK;

	for (unsigned int i = 0; i < e->nr_work; i++)
		if (e->work[i].armed && (best == SYNC_ENV_NO_WORK ||
		    e->work[i].due_ns < e->work[best].due_ns))
			best = i;
	return best;
}

/* When process() or work() is due; UINT64_MAX = never. */
static sim_ns_t next_run(const struct sync_env *e)
{
	const unsigned int nr = next_work(e);
	sim_ns_t at = e->scheduled ? e->scheduled_ns : UINT64_MAX;

	if (nr != SYNC_ENV_NO_WORK && e->work[nr].due_ns < at)
		at = e->work[nr].due_ns;
	return at;
}

static void run_next(struct sync_env *e, sim_ns_t at)
{
	unsigned int nr;

	if (e->now_ns < at)
		e->now_ns = at;
	if (e->scheduled && e->scheduled_ns == at) {
		sync_env_process(e);
		return;
	}
	nr = next_work(e);
	e->work[nr].armed = false;
	e->cpu = e->work[nr].cpu;
	e->reporter.ops->work(&e->reporter, nr);
	e->cpu = 0;
	check_returned(e);
}

bool sync_env_run_pass(struct sync_env *e)
{
	const sim_ns_t at = next_run(e);

	if (at == UINT64_MAX && !e->nr_batches)
		return false;
	if (!e->nr_batches)
		run_next(e, at);
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
		const sim_ns_t run = next_run(e);

		if (ack > end && run > end)
			break;
		if (ack <= run)
			ack_next(e);
		else
			run_next(e, run);
	}
	e->now_ns = end;
}

void sync_env_set_target(struct sync_env *e, uint64_t pages)
{
	e->reporter.ops->set_target(&e->reporter, pages);
	check_returned(e);
}

int sync_env_host_request(struct sync_env *e, const struct host_command *c)
{
	const int ret = e->reporter.ops->host_request(&e->reporter, c);

	check_returned(e);
	return ret;
}

void sync_env_set_host(struct sync_env *e, const struct host_status *host)
{
	e->cfg.host = *host;
	if (e->reporter.ops->host_changed)
		e->reporter.ops->host_changed(&e->reporter);
	check_returned(e);
}

uint64_t sync_env_oom_notify(struct sync_env *e)
{
	const uint64_t freed = e->reporter.ops->oom_notify(&e->reporter);

	check_returned(e);
	return freed;
}

int sync_env_migrate_page(struct sync_env *e, pfn_t from, pfn_t to)
{
	const int ret = e->reporter.ops->migrate_page(&e->reporter, from, to);

	check_returned(e);
	return ret;
}

/* Isolated blocks are with the host in these; other kinds isolate none. */
static uint64_t isolated_pages(const struct sync_env_batch *b)
{
	uint64_t pages = 0;

	if (b->rq.kind != REQUEST_REPORT)
		return 0;
	for (unsigned int j = 0; j < b->rq.nr; j++)
		pages += order_nr_pages(b->rq.entries[j].order);
	return pages;
}

const char *sync_env_check(const struct sync_env *e)
{
	const char *broken = e->reporter.ops->check(&e->reporter);
	uint64_t in_flight = 0;

	if (broken)
		return broken;
	for (unsigned int i = 0; i < e->nr_batches; i++)
		in_flight += isolated_pages(
			&e->batches[(e->first_batch + i) %
				    SYNC_ENV_MAX_BATCHES]);
	if (in_flight != e->out_pages)
		return "isolated blocks that are not with the host";
	return NULL;
}
