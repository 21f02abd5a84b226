/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Traces of the kernel's tracepoints (include/trace/events/kmem.h, 5.3 to
 * 6.18) as records of a request stream. mm_page_alloc is an A; mm_page_free is
 * an F, or the P of a batch whose C is a mm_page_free_batched, which is told by
 * reading ahead. docs/replay.md states every rule and counter.
 *
 * Left out, as no tracepoint shows it: bulk allocation, isolation, drains that
 * flush nothing, which CPU held a lock first.
 */
#include "replay/stock.h"

#include <errno.h>
#include <stdlib.h>

#include "include/bitmap.h"
#include "include/sparse.h"

static pfn_t end_of(const struct replay *r)
{
	return snapshot_end_pfn(r->before);
}

static bool allocate(struct replay *r, struct stock *s)
{
	const unsigned int cpus = alloc_nr_cpus(r->alloc);
	const size_t end = end_of(r);

	s->ring = calloc(STOCK_WINDOW, sizeof(*s->ring));
	s->free_at = sparse_alloc(end, sizeof(*s->free_at));
	if (!s->ring || !s->free_at)
		return false;
	if (!s->assisted)
		return true;
	s->hand = sparse_alloc(end, sizeof(*s->hand));
	s->bulk = sparse_alloc(BITMAP_WORDS(end), sizeof(*s->bulk));
	s->flushes = calloc((size_t)cpus * alloc_nr_zones(r->alloc),
			    sizeof(*s->flushes));
	s->runs = calloc(cpus, sizeof(*s->runs));
	s->steals = calloc(cpus, sizeof(*s->steals));
	return s->hand && s->bulk && s->flushes && s->runs && s->steals;
}

int stock_init(struct replay *r)
{
	r->stock = calloc(1, sizeof(*r->stock));
	if (!r->stock)
		return -ENOMEM;
	r->stock->assisted = r->opt.mode == REPLAY_ASSISTED;
	r->res.stock.present = true;
	return allocate(r, r->stock) ? 0 : -ENOMEM;
}

static void free_sparse(void *p, size_t nr, size_t size)
{
	if (p)
		sparse_free(p, nr, size);
}

void stock_destroy(struct replay *r)
{
	struct stock *s = r->stock;
	size_t end;

	if (!s)
		return;
	end = end_of(r);
	free_sparse(s->free_at, end, sizeof(*s->free_at));
	free_sparse(s->hand, end, sizeof(*s->hand));
	free_sparse(s->bulk, BITMAP_WORDS(end), sizeof(*s->bulk));
	free(s->ring);
	free(s->flushes);
	free(s->runs);
	free(s->steals);
	free(s);
	r->stock = NULL;
}

/* Predict mode: the twin's own refills and flushes beside the kernel's. */
static void count_own_event(void *replay, const struct alloc_event *ev)
{
	struct replay *r = replay;
	struct replay_stock_internal *in = r->res.stock.internal;

	if (ev->kind == ALLOC_EVENT_ZONE_LOCKED && ev->pfn != PFN_NONE)
		in[STOCK_ZONE_LOCKED].twin++;
	else if (ev->kind == ALLOC_EVENT_PCPU_DRAIN)
		in[STOCK_PCPU_DRAIN].twin++;
	else if (ev->kind == ALLOC_EVENT_EXTFRAG)
		in[STOCK_EXTFRAG].twin++;
}

void stock_hooks(struct replay *r, struct alloc_hooks *hooks)
{
	if (!r->stock->assisted) {
		hooks->event = count_own_event;
		return;
	}
	hooks->pcp_flush = follow_flush;
	hooks->pcp_refill = follow_refill;
}

static bool has_page(const struct trace_event *ev)
{
	return ev->u.kmem.pfn != PFN_NONE;
}

/* The guest's CPU and, if there is a page, one block inside one zone? */
static bool is_ours(const struct replay *r, const struct trace_event *ev)
{
	const struct trace_kmem *k = &ev->u.kmem;

	if (ev->cpu >= alloc_nr_cpus(r->alloc) || k->order > MAX_PAGE_ORDER ||
	    k->mt >= r->before->nr_types)
		return false;
	if (!has_page(ev))
		return true;
	if (!pfn_aligned(k->pfn, k->order) ||
	    (uint64_t)k->pfn + order_nr_pages(k->order) > end_of(r))
		return false;
	return alloc_zone_of(r->alloc, k->pfn) >= 0 &&
	       alloc_zone_of(r->alloc, k->pfn) ==
		       alloc_zone_of(r->alloc,
				     k->pfn + order_nr_pages(k->order) - 1);
}

static bool is_kmem(const struct trace_event *ev)
{
	return ev->kind >= TRACE_ALLOC && ev->kind <= TRACE_EXTFRAG;
}

/* The commit takes the order of its prepare: up to 6.18 it prints 0. */
static void pair_batched(struct stock *s, struct stock_entry *e)
{
	const uint32_t at = s->free_at[e->ev.u.kmem.pfn];
	struct stock_entry *p;

	e->lone = !at;
	if (!at)
		return;
	s->free_at[e->ev.u.kmem.pfn] = 0;
	p = &s->ring[at - 1];
	p->prepare = true;
	e->ev.u.kmem.order = p->ev.u.kmem.order;
}

static void note_read(struct replay *r, struct stock_entry *e, uint32_t at)
{
	struct stock *s = r->stock;

	e->prepare = e->lone = false;
	e->ours = is_kmem(&e->ev) && is_ours(r, &e->ev);
	if (!e->ours || !has_page(&e->ev))
		return;
	switch (e->ev.kind) {
	case TRACE_FREE:
		s->free_at[e->ev.u.kmem.pfn] = at + 1;
		break;
	case TRACE_FREE_BATCHED:
		pair_batched(s, e);
		break;
	case TRACE_ALLOC:
		s->free_at[e->ev.u.kmem.pfn] = 0;
		break;
	case TRACE_ZONE_LOCKED:
		s->follow_refills |= s->assisted && e->ev.u.kmem.refill;
		break;
	case TRACE_PCPU_DRAIN:
		s->follow_drains |= s->assisted;
		break;
	default:
		break;
	}
}

/* 1: the window is full or the trace is over; or what trace_next() said. */
static int read_ahead(struct replay *r)
{
	struct stock *s = r->stock;

	while (!s->over && s->nr < STOCK_WINDOW) {
		const uint32_t at = (s->first + s->nr) % STOCK_WINDOW;
		const int ret = next_event(r, &s->ring[at].ev);

		if (ret == -EINVAL)
			return ret;
		if (ret != 1) {
			s->over = true;
			s->last = ret;
			break;
		}
		note_read(r, &s->ring[at], at);
		s->nr++;
	}
	return 1;
}

static struct stock_entry *pop(struct stock *s)
{
	struct stock_entry *e = &s->ring[s->first];

	/* From here on it cannot become the prepare of a batch. */
	if (e->ours && e->ev.kind == TRACE_FREE && has_page(&e->ev) &&
	    !e->prepare &&
	    s->free_at[e->ev.u.kmem.pfn] == s->first + 1)
		s->free_at[e->ev.u.kmem.pfn] = 0;
	s->first = (s->first + 1) % STOCK_WINDOW;
	s->nr--;
	return e;
}

/* Models gfp_migratetype. */
static unsigned int type_of_mask(gfp_t gfp)
{
	return (gfp & (GFP_BIT_MOVABLE | GFP_BIT_RECLAIMABLE)) >> 3;
}

static void make_alloc(struct replay *r, const struct trace_event *ev,
		       struct req_record *out)
{
	const struct trace_kmem *k = &ev->u.kmem;

	*out = (struct req_record){
		.kind = REQ_A,
		.cpu = ev->cpu,
		.order = k->order,
		.mt = k->mt,
		.pfn = k->pfn,
		.gfp = k->gfp,
	};
	stock_count(r, STOCK_FAILED, !has_page(ev));
	stock_count(r, STOCK_TYPE_DIFFERS, k->mt != type_of_mask(k->gfp));
}

static void make_free(struct replay *r, const struct stock_entry *e,
		      struct req_record *out)
{
	const bool commit = e->ev.kind == TRACE_FREE_BATCHED;

	*out = (struct req_record){
		.kind = commit ? REQ_C : e->prepare ? REQ_P : REQ_F,
		.cpu = e->ev.cpu,
		.order = e->ev.u.kmem.order,
		.pfn = e->ev.u.kmem.pfn,
	};
	stock_count(r, STOCK_COMMITTED, commit);
	stock_count(r, STOCK_LONE_COMMITS, commit && e->lone);
	stock_count(r, STOCK_PREPARED, !commit && e->prepare);
	stock_count(r, STOCK_FREES, !commit && !e->prepare);
}

static enum replay_internal internal_of(unsigned int kind)
{
	return kind == TRACE_ZONE_LOCKED ? STOCK_ZONE_LOCKED :
	       kind == TRACE_PCPU_DRAIN ? STOCK_PCPU_DRAIN : STOCK_EXTFRAG;
}

static void take_internal(struct replay *r, const struct trace_event *ev)
{
	if (!has_page(ev)) {
		stock_count(r, STOCK_FAILED_CHOICES, 1);
		return;
	}
	r->res.stock.internal[internal_of(ev->kind)].kernel++;
	if (!r->stock->assisted)
		return;
	if (ev->kind == TRACE_ZONE_LOCKED)
		follow_zone_locked(r, ev);
	else if (ev->kind == TRACE_EXTFRAG)
		follow_extfrag(r, ev);
	else
		follow_pcpu_drain(r, ev);
}

static void take_lost(struct replay *r, const struct trace_event *ev)
{
	stock_count(r, STOCK_LOST, ev->u.lost);
	stock_count(r, STOCK_LOST_MARKERS, 1);
}

/* true: the event is a record. */
static bool take_event(struct replay *r, const struct stock_entry *e,
		       struct req_record *out)
{
	const struct trace_event *ev = &e->ev;

	if (ev->kind == TRACE_LOST) {
		take_lost(r, ev);
		return false;
	}
	if (!is_kmem(ev)) {
		stock_count(r, STOCK_OTHER_EVENTS, 1);
		return false;
	}
	if (!e->ours || (ev->kind != TRACE_ALLOC && !has_page(ev) &&
				ev->kind != TRACE_ZONE_LOCKED)) {
		stock_count(r, STOCK_FOREIGN, 1);
		return false;
	}
	switch (ev->kind) {
	case TRACE_ALLOC:
		make_alloc(r, ev, out);
		break;
	case TRACE_FREE:
	case TRACE_FREE_BATCHED:
		make_free(r, e, out);
		break;
	default:
		take_internal(r, ev);
		return false;
	}
	if (r->stock->assisted)
		follow_other(r, ev->cpu);
	return true;
}

int stock_next(struct replay *r, struct req_record *out)
{
	struct stock *s = r->stock;

	for (;;) {
		const struct stock_entry *e;
		const int ret = read_ahead(r);

		if (ret != 1)
			return ret;
		if (!s->nr)
			return s->last;
		if (r->opt.limit && r->res.events == r->opt.limit)
			return 0;
		e = pop(s);
		r->line = e->ev.line;
		if (take_event(r, e, out))
			return 1;
		r->res.events++;
	}
}

void stock_note_free(struct replay *r, const struct req_record *rec)
{
	if (names_is_old(&r->names, rec->pfn))
		stock_count(r, STOCK_ORPHANS, 1);
	else if (!names_is_live(&r->names, rec->pfn))
		stock_count(r, STOCK_UNSEEN_ALLOCS, 1);
}

void stock_finish(struct replay *r)
{
	const struct trace_stats *st = trace_source_stats(r->source);

	stock_count(r, STOCK_OTHER_LINES, st->other_lines);
	stock_count(r, STOCK_UNKNOWN_GFP, st->unknown_gfp);
	stock_count(r, STOCK_BACKWARDS, st->backwards);
	r->res.stock.internal[STOCK_ZONE_LOCKED].followed =
		r->stock->follow_refills;
	r->res.stock.internal[STOCK_PCPU_DRAIN].followed =
		r->stock->follow_drains;
	r->res.stock.internal[STOCK_EXTFRAG].followed =
		r->stock->assisted &&
		r->res.stock.internal[STOCK_EXTFRAG].kernel;
}
