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

#include "replay/internal.h"
#include "reporter/sync_env.h"

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
	struct sync_env env;
	bool running;         /* env is set up */
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

static void saw_isolate(void *ctx, pfn_t pfn, unsigned int order,
			enum migratetype mt)
{
	(void)mt;
	note_act(ctx, REQ_I, pfn, order);
}

static void saw_putback(void *ctx, pfn_t pfn, unsigned int order,
			enum migratetype mt)
{
	(void)mt;
	note_act(ctx, REQ_R, pfn, order);
}

/* The kernel rotates, and a stream shows it, only if the block is not first. */
static void saw_rotate(void *ctx, pfn_t pfn)
{
	struct replay *r = ctx;

	if (alloc_list_prev(r->alloc, pfn) != PFN_NONE)
		note_act(r, REQ_TF, pfn, alloc_block_order(r->alloc, pfn));
}

static void saw_report(void *ctx, const struct page_report *entries,
		       unsigned int nr)
{
	for (unsigned int i = 0; i < nr; i++)
		note_act(ctx, REQ_Q, entries[i].pfn, entries[i].order);
}

static int start_reporter(struct replay *r, struct alloc_hooks *hooks)
{
	const struct sync_env_config cfg = {
		.ops = r->opt.reporter,
		.watch = {
			.ctx = r,
			.isolate = saw_isolate,
			.putback = saw_putback,
			.rotate = saw_rotate,
			.report = saw_report,
		},
	};
	char why[256] = "out of memory";
	int err = -ENOMEM;

	r->reporter = calloc(1, sizeof(*r->reporter));
	if (r->reporter)
		err = sync_env_init(&r->reporter->env, r->alloc, &cfg, why,
				    sizeof(why));
	if (err) {
		diag_error(r->diag, (struct diag_place){ 0 }, "reporter %s: %s",
			   r->opt.reporter->name, why);
		return err;
	}
	r->reporter->running = true;
	sync_env_hooks(&r->reporter->env, hooks);
	return 0;
}

int act_init(struct replay *r, struct alloc_hooks *hooks)
{
	int err;

	if (!r->opt.reporter)
		return 0;
	err = start_reporter(r, hooks);
	if (err)
		return err;
	alloc_set_hooks(r->alloc, hooks);
	sync_env_start(&r->reporter->env);
	return 0;
}

void act_destroy(struct replay *r)
{
	struct replay_reporter *rr = r->reporter;

	if (!rr)
		return;
	if (rr->running) {
		sync_env_stop(&rr->env);
		alloc_set_hooks(r->alloc, NULL);
		sync_env_destroy(&rr->env);
	}
	free(rr);
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
	struct replay_reporter *rr = r->reporter;
	bool matched;

	/* The host's answer comes before another run. */
	if (!rr->nr && !sync_env_ack(&rr->env, 0))
		sync_env_process(&rr->env);
	matched = take_act(rr, rec);
	r->res.expectations++;
	r->res.expectations_matched += matched;
	if (rec->kind == REQ_Q) {
		r->res.reports++;
		r->res.reports_matched += matched;
	}
}
