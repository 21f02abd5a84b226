/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A tap: the page-allocator calls of one guest as trace events, each with the
 * task that made it, like the mm_page_alloc and mm_page_free tracepoints of a
 * recorded kernel. Without a tap the allocator has no event hook at all.
 *
 * Left out: mm_page_free_batched, which repeats frees that mm_page_free has
 * told already, and the tracepoints of the lists behind the calls.
 */
#include "sim/machine.h"

static void tap_event(void *ctx, const struct alloc_event *ev)
{
	const struct sim_guest *g = ctx;
	const struct sim_tap *tap = g->sim->cfg.tap;
	const bool is_alloc = ev->kind == ALLOC_EVENT_PAGE_ALLOC;
	struct trace_event e;

	if (!is_alloc && ev->kind != ALLOC_EVENT_PAGE_FREE)
		return;
	e = (struct trace_event){
		.ns = g->sim->engine.now,
		.task = g->running ? g->running->nr + 1u : 0,
		.cpu = g->running_cpu,
		.kind = is_alloc ? TRACE_ALLOC : TRACE_FREE,
		.u.kmem = {
			.pfn = ev->pfn,
			.gfp = ev->gfp,
			.order = ev->order,
			.mt = ev->migratetype,
		},
	};
	tap->event(tap->ctx, &e);
}

void tap_fill_hooks(struct sim_guest *g, struct alloc_hooks *h)
{
	const struct sim_tap *tap = g->sim->cfg.tap;

	if (tap && tap->guest == g->id)
		h->event = tap_event;
}
