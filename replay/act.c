/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A reporter that acts itself on the twin. The stream has no clock: the
 * design's next step is taken when the stream shows the kernel's doing
 * something and the design has nothing left to show; what it then does is
 * compared, one by one, with the records that follow. Between a report and its
 * acknowledgement the stream's other records run, as they did in the kernel.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "replay/internal.h"
#include "reporter/reporter.h"

/* Something the reporter did and the stream has not shown yet. */
struct act {
	uint8_t kind; /* REQ_I, REQ_R, REQ_TF, REQ_Q */
	uint8_t order;
	pfn_t pfn;
};

/*
 * Acts that wait: those of one step, which ends with a report of at most
 * REPORTER_MAX_CAPACITY blocks (isolated, reported, put back, and rotations).
 */
#define MAX_ACTS (8 * REPORTER_MAX_CAPACITY)

struct replay_reporter {
	struct reporter rep;
	struct reporter_env env;
	struct page_report *in_flight;
	unsigned int nr_in_flight;
	bool scheduled;
	uint32_t first, nr;   /* ring of acts */
	struct act acts[MAX_ACTS];
};

static void note_act(struct replay *r, enum req_kind kind, pfn_t pfn,
		     unsigned int order)
{
	struct replay_reporter *rr = r->reporter;

	/* The oldest goes: the stream never showed it. */
	if (rr->nr == MAX_ACTS) {
		rr->first = (rr->first + 1) % MAX_ACTS;
		rr->nr--;
	}
	rr->acts[(rr->first + rr->nr++) % MAX_ACTS] = (struct act){
		.kind = (uint8_t)kind,
		.order = (uint8_t)order,
		.pfn = pfn,
	};
}

static void env_lock(void *ctx, unsigned int zone)
{
	(void)ctx;
	(void)zone;
}

static void env_unlock(void *ctx, unsigned int zone, uint32_t list_touches)
{
	(void)ctx;
	(void)zone;
	(void)list_touches;
}

static bool env_isolate(void *ctx, pfn_t pfn)
{
	struct replay *r = ctx;
	const unsigned int order = alloc_block_order(r->alloc, pfn);

	if (!alloc_isolate(r->alloc, pfn))
		return false;
	note_act(r, REQ_I, pfn, order);
	return true;
}

static void env_isolate_raw(void *ctx, pfn_t pfn)
{
	struct replay *r = ctx;

	note_act(r, REQ_I, pfn, alloc_block_order(r->alloc, pfn));
	alloc_isolate_raw(r->alloc, pfn);
}

static void env_putback(void *ctx, pfn_t pfn, unsigned int order,
			enum migratetype mt)
{
	struct replay *r = ctx;

	note_act(r, REQ_R, pfn, order);
	alloc_putback(r->alloc, pfn, order, mt);
}

static void env_putback_tail(void *ctx, pfn_t pfn, unsigned int order,
			     enum migratetype mt)
{
	struct replay *r = ctx;

	note_act(r, REQ_R, pfn, order);
	alloc_putback_tail(r->alloc, pfn, order, mt);
}

static void env_set_mark(void *ctx, pfn_t pfn, enum block_mark m)
{
	struct replay *r = ctx;

	alloc_block_set_mark(r->alloc, pfn, m);
}

/* The kernel rotates, and a stream shows it, only if the block is not first. */
static void env_rotate_to_front(void *ctx, pfn_t pfn)
{
	struct replay *r = ctx;

	if (alloc_list_prev(r->alloc, pfn) == PFN_NONE)
		return;
	note_act(r, REQ_TF, pfn, alloc_block_order(r->alloc, pfn));
	alloc_list_rotate_to_front(r->alloc, pfn);
}

static int env_report(void *ctx, struct page_report *entries, unsigned int nr)
{
	struct replay *r = ctx;

	r->reporter->in_flight = entries;
	r->reporter->nr_in_flight = nr;
	for (unsigned int i = 0; i < nr; i++)
		note_act(r, REQ_Q, entries[i].pfn, entries[i].order);
	return 0;
}

static void env_schedule(void *ctx, sim_ns_t delay_ns)
{
	struct replay *r = ctx;

	(void)delay_ns;
	r->reporter->scheduled = true;
}

static void env_cancel(void *ctx)
{
	struct replay *r = ctx;

	r->reporter->scheduled = false;
}

static void fill_env(struct replay *r)
{
	r->reporter->env = (struct reporter_env){
		.ctx = r,
		.view = r->alloc,
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
}

/* Memory and options of the design; options stay at their defaults. */
static int create_reporter(struct replay *r, char *why, size_t why_size)
{
	const struct reporter_ops *ops = r->opt.reporter;
	struct reporter *rep = &r->reporter->rep;
	void *options = calloc(1, ops->options.size ? ops->options.size : 1);

	rep->ops = ops;
	rep->env = &r->reporter->env;
	rep->options = options;
	rep->state = calloc(1, ops->state_size ? ops->state_size : 1);
	if (!options || !rep->state) {
		snprintf(why, why_size, "out of memory");
		return -ENOMEM;
	}
	option_defaults(&ops->options, options);
	return ops->init ? ops->init(rep, why, why_size) : 0;
}

static int coin_or_head(void *ctx, pfn_t pfn)
{
	const int coin = replay_shuffle_coin(ctx, pfn);

	return coin < 0 ? 0 : coin;
}

static uint64_t no_word(void *ctx)
{
	(void)ctx;
	return 0;
}

int act_init(struct replay *r)
{
	struct alloc_hooks hooks = {
		.ctx = r,
		.notify_order = NR_PAGE_ORDERS,
		.movable_count = replay_movable_count,
		.shuffle_coin = coin_or_head,
		.shuffle_word = no_word,
	};
	char why[256] = "out of memory";
	int err = -ENOMEM;

	if (!r->opt.reporter)
		return 0;
	r->reporter = calloc(1, sizeof(*r->reporter));
	if (r->reporter) {
		fill_env(r);
		err = create_reporter(r, why, sizeof(why));
	}
	if (err) {
		diag_error(r->diag, (struct diag_place){ 0 }, "reporter %s: %s",
			   r->opt.reporter->name, why);
		return err;
	}
	reporter_fill_hooks(&r->reporter->rep, &hooks);
	alloc_set_hooks(r->alloc, &hooks);
	if (r->opt.reporter->start)
		r->opt.reporter->start(&r->reporter->rep);
	return 0;
}

void act_destroy(struct replay *r)
{
	struct replay_reporter *rr = r->reporter;

	if (!rr)
		return;
	if (rr->rep.state && rr->rep.ops->destroy)
		rr->rep.ops->destroy(&rr->rep);
	free(rr->rep.state);
	free((void *)rr->rep.options);
	free(rr);
}

/* One step of the design: the host's answer, or the run that was due. */
static void advance(struct replay *r)
{
	struct replay_reporter *rr = r->reporter;

	if (rr->in_flight) {
		struct page_report *entries = rr->in_flight;

		rr->in_flight = NULL;
		rr->rep.ops->drain(&rr->rep, entries, rr->nr_in_flight, 0);
	} else if (rr->scheduled) {
		rr->scheduled = false;
		rr->rep.ops->process(&rr->rep);
	}
}

/* Is this record among the acts that wait? Those in front of it are dropped. */
static bool take_act(struct replay_reporter *rr, const struct req_record *rec)
{
	for (uint32_t i = 0; i < rr->nr; i++) {
		const struct act *a = &rr->acts[(rr->first + i) % MAX_ACTS];

		if (a->kind != rec->kind || a->pfn != rec->pfn ||
		    a->order != rec->order)
			continue;
		rr->first = (rr->first + i + 1) % MAX_ACTS;
		rr->nr -= i + 1;
		return true;
	}
	return false;
}

void act_expect(struct replay *r, const struct req_record *rec)
{
	bool matched;

	if (!r->reporter->nr)
		advance(r);
	matched = take_act(r->reporter, rec);
	r->res.expectations++;
	r->res.expectations_matched += matched;
	if (rec->kind == REQ_Q) {
		r->res.reports++;
		r->res.reports_matched += matched;
	}
}
