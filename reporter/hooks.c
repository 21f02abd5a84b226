/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The seam between a design and the allocator: thunks that turn the first
 * argument of struct alloc_hooks, which knows no reporters, into one. A design
 * without a hook leaves the pointer NULL, so that it costs nothing.
 */
#include "reporter/reporter.h"

static void call_free_notify(void *ctx, unsigned int zone, pfn_t pfn,
			     unsigned int order)
{
	struct reporter *r = ctx;

	r->ops->free_notify(r, zone, pfn, order);
}

static void call_block_unmark(void *ctx, unsigned int zone, pfn_t pfn,
			      unsigned int order, enum migratetype mt,
			      enum unmark_reason why)
{
	struct reporter *r = ctx;

	r->ops->block_unmark(r, zone, pfn, order, mt, why);
}

static void call_block_marked(void *ctx, unsigned int zone, pfn_t pfn,
			      unsigned int order, enum migratetype mt)
{
	struct reporter *r = ctx;

	r->ops->block_marked(r, zone, pfn, order, mt);
}

static void call_list_rotated(void *ctx, unsigned int zone, unsigned int order,
			      enum migratetype mt)
{
	struct reporter *r = ctx;

	r->ops->list_rotated(r, zone, order, mt);
}

static pfn_t call_tail_position(void *ctx, unsigned int zone,
				unsigned int order, enum migratetype mt)
{
	struct reporter *r = ctx;

	return r->ops->tail_position(r, zone, order, mt);
}

static void call_free_capture(void *ctx, unsigned int zone, pfn_t pfn,
			      unsigned int order, unsigned int cpu)
{
	struct reporter *r = ctx;

	r->ops->free_capture(r, zone, pfn, order, cpu);
}

static bool call_alloc_stall(void *ctx, unsigned int zone, pfn_t pfn,
			     unsigned int order, unsigned int cpu)
{
	struct reporter *r = ctx;

	return r->ops->alloc_stall(r, zone, pfn, order, cpu);
}

void reporter_fill_hooks(struct reporter *r, struct alloc_hooks *h)
{
	const struct reporter_ops *ops = r->ops;

	h->reporter_ctx = r;
	h->notify_order = ops->notify_order ? ops->notify_order(r) :
					      NR_PAGE_ORDERS;
	h->free_notify = ops->free_notify ? call_free_notify : NULL;
	h->block_unmark = ops->block_unmark ? call_block_unmark : NULL;
	h->block_marked = ops->block_marked ? call_block_marked : NULL;
	h->list_rotated = ops->list_rotated ? call_list_rotated : NULL;
	h->unmark_on_move = ops->unmark_on_move;
	h->tail_position = ops->tail_position ? call_tail_position : NULL;
	h->free_capture = ops->free_capture ? call_free_capture : NULL;
	h->alloc_stall = ops->alloc_stall ? call_alloc_stall : NULL;
	h->marks_kept_on_split = ops->marks_kept_on_split;
	if (ops->trim_hooks)
		ops->trim_hooks(r, h);
}
