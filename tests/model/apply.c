/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Random operations on both allocators: requests and frees, and the table. */
#include <stdarg.h>

#include "include/check.h"
#include "tests/model/ops.h"

void op_script(const struct world *w, const char *fmt, ...)
{
	va_list ap;

	if (!w->script)
		return;
	va_start(ap, fmt);
	vfprintf(w->script, fmt, ap);
	va_end(ap);
	fputc('\n', w->script);
}

bool op_differ(struct world *w, const char *what, uint32_t alloc,
		   uint32_t naive)
{
	snprintf(w->why, sizeof(w->why), "%s gave %d, the model says %d", what,
		 (int)alloc, (int)naive);
	return false;
}

void op_add_live(struct world *w, uint32_t pfn, int order)
{
	CHECK_LT(w->nr_live, NAIVE_PAGES);
	w->live[w->nr_live++] = (struct block){ pfn, order };
	w->live_pages += 1u << order;
}

struct block op_take_live(struct world *w, uint32_t pick)
{
	int i = (int)(pick % (uint32_t)w->nr_live);
	struct block b = w->live[i];

	w->live[i] = w->live[--w->nr_live];
	w->live_pages -= 1u << b.order;
	return b;
}

gfp_t op_gfp(const struct op *op)
{
	static const gfp_t gfps[] = {
		GFP_KERNEL, GFP_HIGHUSER_MOVABLE,
		GFP_KERNEL | GFP_BIT_RECLAIMABLE,
	};

	return gfps[op->type];
}

bool op_answer(struct world *w, const char *what, uint32_t alloc,
	       uint32_t naive)
{
	digest_u64(&w->got, alloc);
	digest_u64(&w->want, naive);
	return alloc == naive || op_differ(w, what, alloc, naive);
}

static pfn_t alloc_one(struct world *w, const struct op *op)
{
	struct alloc_request req = {
		.gfp = op_gfp(op), .order = op->order, .cpu = op->cpu,
		.node = -1, .zone = -1, .flags = ALLOC_REQ_NO_SLOWPATH,
	};

	if (op->flags & FLAG_BUDDY)
		req.flags |= ALLOC_REQ_BUDDY;
	if (op->flags & FLAG_HIGHATOMIC)
		req.flags |= ALLOC_REQ_HIGHATOMIC;
	if ((op->flags & FLAG_FAST) && req.flags == ALLOC_REQ_NO_SLOWPATH) {
		pfn_t pfn = alloc_page_fast(w->a, op->cpu, op->order, req.gfp);

		if (pfn != PFN_NONE)
			return pfn;
		req.flags |= ALLOC_REQ_TRIED;
	}
	return alloc_pages(w->a, &req).pfn;
}

bool apply_alloc(struct world *w, const struct op *op)
{
	unsigned int flags = 0;
	uint32_t want, got;

	if (op->flags & FLAG_BUDDY)
		flags |= NAIVE_BUDDY;
	if (op->flags & FLAG_HIGHATOMIC)
		flags |= NAIVE_HIGHATOMIC;
	op_script(w, "alloc %c %d cpu=%d%s%s", "UMR"[op->type], op->order,
		  op->cpu, op->flags & FLAG_HIGHATOMIC ? " highatomic" : "",
		  op->flags & FLAG_BUDDY ? " # past the pcp" : "");
	want = naive_alloc(w->m, op->cpu, op->type, op->order, flags);
	got = alloc_one(w, op);
	if (!op_answer(w, "alloc", got, want))
		return false;
	if (got != PFN_NONE)
		op_add_live(w, got, op->order);
	return true;
}

int op_pick_zone(const struct world *w, const struct op *op)
{
	return (int)(op->pick % (uint32_t)w->m->nr_zones);
}

bool apply_alloc_buddy(struct world *w, const struct op *op)
{
	int zone = op_pick_zone(w, op);
	bool nofragment = op->flags & FLAG_NOFRAGMENT;
	uint32_t want, got;

	op_script(w, "alloc %c %d buddy zone=%s%s", "UMR"[op->type], op->order,
		  world_zone_name((unsigned int)w->m->zone[zone].type),
		  nofragment ? " nofragment" : "");
	want = naive_alloc_buddy(w->m, zone, op->type, op->order, nofragment);
	got = alloc_buddy(w->a, (unsigned int)zone, op->order,
			  (enum migratetype)op->type, nofragment);
	if (!op_answer(w, "alloc buddy", got, want))
		return false;
	if (got != PFN_NONE)
		op_add_live(w, got, op->order);
	return true;
}

bool apply_put(struct world *w, const struct op *op)
{
	struct block b;

	if (!w->nr_live)
		return true;
	b = op_take_live(w, op->pick);
	op_script(w, "put %u %d", b.pfn, b.order);
	naive_put(w->m, b.pfn, b.order);
	alloc_free_buddy(w->a, b.pfn, (unsigned int)b.order);
	return true;
}

/* Up to 64 times the same, to leave a zone with little. */
bool apply_many(struct world *w, const struct op *op)
{
	struct op one = *op;
	uint32_t i;

	for (i = 0; i < op->nr % 64 + 1; i++) {
		bool same;

		if (op->kind == OP_ALLOC_MANY) {
			same = apply_alloc_buddy(w, &one);
		} else {
			one.pick = op->pick + i * 7919;
			same = apply_put(w, &one);
		}
		if (!same)
			return false;
	}
	return true;
}

bool apply_free(struct world *w, const struct op *op)
{
	struct block b;

	if (!w->nr_live)
		return true;
	b = op_take_live(w, op->pick);
	op_script(w, "free %u %d cpu=%d", b.pfn, b.order, op->cpu);
	naive_free(w->m, op->cpu, b.pfn, b.order);
	alloc_free(w->a, op->cpu, b.pfn, (unsigned int)b.order);
	return true;
}

/* A live block becomes two, freed one by one later. */
bool apply_split(struct world *w, const struct op *op)
{
	struct block *b;

	if (!w->nr_live || w->nr_live == NAIVE_PAGES)
		return true;
	b = &w->live[op->pick % (uint32_t)w->nr_live];
	if (b->order > 0) {
		b->order--;
		w->live_pages -= 1u << b->order;
		op_add_live(w, b->pfn + (1u << b->order), b->order);
	}
	return true;
}

bool op_apply(struct world *w, const struct op *op)
{
	static bool (*const apply[NR_OP_KINDS])(struct world *,
						const struct op *) = {
		[OP_ALLOC] = apply_alloc, [OP_ALLOC_BUDDY] = apply_alloc_buddy,
		[OP_ALLOC_BULK] = apply_bulk, [OP_FREE] = apply_free,
		[OP_PUT] = apply_put, [OP_FREE_LIST] = apply_free_list,
		[OP_SPLIT] = apply_split, [OP_DRAIN_CPU] = apply_drain,
		[OP_DRAIN_ALL] = apply_drain,
		[OP_DRAIN_PAGESET] = apply_drain_pageset,
		[OP_ISOLATE] = apply_isolate,
		[OP_ISOLATE_RAW] = apply_isolate,
		[OP_PUTBACK] = apply_putback,
		[OP_PUTBACK_TAIL] = apply_putback,
		[OP_PAGEBLOCK] = apply_pageblock, [OP_LRU] = apply_lru,
		[OP_WATERMARK] = apply_watermark,
		[OP_RESERVE] = apply_reserve, [OP_BOOST] = apply_boost,
		[OP_RECLAIM] = apply_reclaim, [OP_TICK] = apply_tick,
		[OP_ROTATE] = apply_rotate, [OP_MARK] = apply_mark,
		[OP_GROUPING] = apply_switch, [OP_SHUFFLE] = apply_switch,
		[OP_PCP] = apply_pcp, [OP_ALLOC_MANY] = apply_many,
		[OP_PUT_MANY] = apply_many, [OP_RUN] = apply_run,
		[OP_GATHER] = apply_gather,
		[OP_GATHER_LIST] = apply_gather_list,
		[OP_PCP_TAKE] = apply_pcp_take,
		[OP_PCP_MOVE] = apply_pcp_move,
		[OP_PCP_PUSH] = apply_pcp_push,
		[OP_PCP_STATE] = apply_pcp_state,
		[OP_OFF_BUDDY] = apply_off_buddy,
		[OP_UNRESERVE] = apply_unreserve, [OP_CAPTURE] = apply_capture,
		[OP_COLLECT] = apply_collect,
		[OP_BELOW_HIGH] = apply_below_high, [OP_LAG] = apply_lag,
		[OP_SHUFFLE_ZONE] = apply_shuffle_zone,
		[OP_CLEAR_LRU] = apply_clear_lru,
	};

	CHECK_LT(op->kind, NR_OP_KINDS);
	return apply[op->kind](w, op);
}
