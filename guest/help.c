/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What an operation does while its allocation waits: compaction or reclaim, in
 * rounds, one step each, so that other CPUs go on in between. The answer is
 * given to the request when the operation comes back to it. Kernel threads run
 * the same machines as operations of their own.
 *
 *     get_page_slow --help_start--> op->helper --help_run, rounds--> answered
 *           ^                                                           |
 *           +------------------------help_answer------------------------+
 *
 * Models the calls of __alloc_pages_direct_compact and
 * __alloc_pages_direct_reclaim, 5.3 to 6.18.
 */
#include <stdlib.h>

#include "guest/compact.h"

static struct helper *helper_grow(struct guest *g)
{
	struct guest_mem *m = g->mem;
	struct helper **all = host_memory(g, realloc(m->helpers,
			(m->nr_helpers + 1) * sizeof(struct helper *)));
	struct helper *h;

	if (!all)
		return NULL;
	m->helpers = all;
	h = host_memory(g, malloc(sizeof(*h)));
	if (!h)
		return NULL;
	h->id = m->nr_helpers;
	m->helpers[m->nr_helpers++] = h;
	return h;
}

/* NULL if the host has no memory for it: the request goes without help. */
struct helper *helper_new(struct guest *g, struct guest_op *op,
			  enum help_kind kind)
{
	struct guest_mem *m = g->mem;
	struct helper *h = m->free_helpers;

	if (h)
		m->free_helpers = h->next_free;
	else
		h = helper_grow(g);
	if (!h)
		return NULL;
	h->in_use = true;
	h->answered = false;
	h->running = false;
	h->kind = kind;
	h->async = h->everything = h->cc.everything = false;
	h->progress = 0;
	h->captured = PFN_NONE;
	h->balancing = false;
	op->helper = h->id + 1;
	return h;
}

struct helper *helper_of(const struct guest *g, const struct guest_op *op)
{
	CHECK(op->helper > 0 && op->helper <= g->mem->nr_helpers);
	return g->mem->helpers[op->helper - 1];
}

void helper_delete(struct guest *g, struct guest_op *op)
{
	struct helper *h = helper_of(g, op);

	CHECK(h->in_use);
	h->in_use = false;
	h->next_free = g->mem->free_helpers;
	g->mem->free_helpers = h;
	op->helper = 0;
}

void help_start(struct run *r, const struct alloc_request *req,
		enum alloc_reason reason)
{
	struct guest *g = r->g;
	const bool compact = reason == ALLOC_REASON_COMPACT;
	struct helper *h;

	if (!g->mem || (compact && !g->cfg.compaction) ||
	    (!compact && (reason != ALLOC_REASON_RECLAIM || !g->cfg.reclaim)))
		return;
	h = helper_new(g, r->op, compact ? HELP_COMPACT : HELP_RECLAIM);
	if (!h)
		return;
	h->order = req->order;
	h->gfp = req->gfp;
	h->async = alloc_wants_async_compact(req);
	if (!alloc_reach(g->alloc, r->cpu, req->order, req->gfp, &h->reach))
		h->reach.nr = 0;
	if (compact)
		compact_start(h);
	else
		reclaim_start(h);
}

enum guest_status help_run(struct run *r)
{
	struct helper *h = helper_of(r->g, r->op);
	enum guest_status status;

	if (h->answered)
		return GUEST_DONE;
	/* It looks at what other CPUs may have been spared so far. */
	if (r->g->cfg.look_around)
		r->g->cfg.look_around(r->g->cfg.ctx);
	/* Kernel threads run theirs themselves. */
	if (h->kind == HELP_COMPACT)
		status = compact_run(r, h);
	else
		status = reclaim_run(r, h);
	h->answered = status == GUEST_DONE;
	return status;
}

static void compact_result(struct run *r, unsigned int order, pfn_t pfn)
{
	struct guest *g = r->g;
	struct compact_zone *cz;

	if (pfn == PFN_NONE) {
		g->counters.compact_fail++;
		return;
	}
	cz = &g->mem->zones[alloc_zone_of(g->alloc, pfn)];
	cz->blockskip_flush = false;
	compaction_defer_reset(cz, order, true);
	g->counters.compact_success++;
}

pfn_t help_answer(struct run *r, const struct alloc_request *req,
		  bool *compacted)
{
	struct guest *g = r->g;
	const struct helper *h = helper_of(g, r->op);
	const bool mine = h->order == req->order && h->gfp == req->gfp;
	pfn_t pfn = h->captured;

	*compacted = mine && h->kind == HELP_COMPACT && h->progress;
	if (mine)
		r->work->progress = h->progress;
	if (pfn != PFN_NONE && !mine) {
		alloc_free(g->alloc, r->cpu, pfn, h->order);
		pfn = PFN_NONE;
	}
	helper_delete(g, r->op);
	if (pfn == PFN_NONE)
		return PFN_NONE;
	alloc_captured(g->alloc, r->cpu, req->order, req->gfp, pfn);
	compact_result(r, req->order, pfn);
	return pfn;
}

void help_outcome(struct run *r, unsigned int order, pfn_t pfn)
{
	compact_result(r, order, pfn);
}

enum guest_status help_after(struct run *r, enum guest_status status)
{
	if (status == GUEST_MORE)
		return status;
	/* The request did not come back for its answer. */
	if (status != GUEST_WAIT) {
		guest_op_cancel(r->g, r->op, r->cpu);
		return status;
	}
	/* The first round belongs to the step that found it needed. */
	help_run(r);
	return GUEST_MORE;
}

/* Pages that only the operation knows of: it belongs to no address space. */
static void free_own_pages(struct run *r)
{
	const struct guest_op *op = r->op;
	const bool collapse = op->kind == GUEST_KHUGEPAGED;
	const unsigned int order = collapse ? HPAGE_PMD_ORDER : op->flags;

	if (!collapse && op->kind != GUEST_ALLOC)
		return;
	if (op->scratch[SCRATCH_HELD])
		alloc_free(r->g->alloc, r->cpu, held_page(r), order);
	if (op->scratch[SCRATCH_STALLED])
		alloc_free(r->g->alloc, r->cpu,
			   (pfn_t)(op->scratch[SCRATCH_STALLED] - 1), order);
}

void guest_op_cancel(struct guest *g, struct guest_op *op, unsigned int cpu)
{
	struct run r = { .g = g, .op = op, .cpu = cpu };
	struct helper *h;

	free_own_pages(&r);
	if (!op->helper)
		return;
	h = helper_of(g, op);
	if (h->running && (h->kind == HELP_COMPACT ||
			   h->kind == HELP_KCOMPACTD)) {
		if (h->cc.captured != PFN_NONE)
			alloc_free(g->alloc, cpu, h->cc.captured, h->order);
		release_freepages(&r, &h->cc);
	}
	if (h->captured != PFN_NONE)
		alloc_free(g->alloc, cpu, h->captured, h->order);
	if (h->kind == HELP_KSWAPD)
		kswapd_stop(&r, h);
	helper_delete(g, op);
}
