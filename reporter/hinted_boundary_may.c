/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hinted_boundary as it began: models mm/aeration.c of the RFC "mm / virtio:
 * Provide support for paravirtual waste page treatment", 30 May 2019. "Treated"
 * is called hinted here, "raw" unhinted, and the membrane is what the boundary
 * became.
 *
 *              raw blocks of an order >= 2 * capacity
 *   idle ------------------------------------------------> fill
 *    ^                                                      |
 *    |   no zone is requested any more         react: the host works
 *    |                                                      |
 *    +-------------- settle <----------- drain <------------+
 *                       |                              its interrupt
 *                       +--------> fill, with what is raw now
 *
 * There is no timer and no worker: the free that reaches the high-water mark
 * fills the first batch, the completion interrupt drains it and fills the next.
 * A batch is filled from all requested zones, orders downward; of each order
 * one list at a time, in turn, because there is one membrane for an order: the
 * hinted blocks of the list worked on last are behind it. As in v2 the block in
 * front of the membrane is taken, else the head of the list, and with both
 * hinted the list is done. Splitting a hinted block leaves its parts hinted.
 * Ordinary insertions at the tail go behind the membrane. A zone whose raw
 * blocks that were left behind are fewer than a batch is not requested any
 * more.
 *
 * Simplified: the first batch is filled by work at the same moment, not inside
 * the free, whose zone lock the posting drops for it.
 *
 * Deviation: a zone whose raw blocks cannot be reached, between hinted ones, is
 * given up, where the posting looks for ever; see docs/fidelity.md.
 */
#include "include/check.h"
#include "reporter/hinted_boundary.h"
#include "reporter/hold.h"

static void lock_zone(struct reporter *r, unsigned int zone)
{
	struct hinted_boundary *s = r->state;

	r->env->lock(r->env->ctx, zone);
	s->touches = 0;
}

static void unlock_zone(struct reporter *r, unsigned int zone)
{
	struct hinted_boundary *s = r->state;

	hold_end(r, zone, s->touches);
}

static bool visit(struct reporter *r, pfn_t pfn)
{
	struct hinted_boundary *s = r->state;

	s->touches++;
	r->counters.list_visits++;
	if (!is_hinted(r->env->view, pfn))
		return true;
	r->counters.skipped_marked++;
	return false;
}

/* Models get_raw_page_from_free_area. PFN_NONE: the list settles. */
static pfn_t get_raw_page(struct reporter *r, unsigned int zone,
			  unsigned int order, enum migratetype mt)
{
	const struct alloc *a = r->env->view;
	struct hinted_boundary *s = r->state;
	struct hinted_membrane *m = &s->membranes[zone][order];
	pfn_t pfn;

	if (m->mt != mt) {
		m->mt = (uint8_t)mt;
		m->pfn = PFN_NONE;
	}
	pfn = m->pfn == PFN_NONE ? alloc_list_last(a, zone, order, mt) :
				   alloc_list_prev(a, m->pfn);
	if (pfn == PFN_NONE || visit(r, pfn))
		return pfn;
	pfn = alloc_list_first(a, zone, order, mt);
	if (visit(r, pfn))
		return pfn;
	m->pfn = pfn;
	return PFN_NONE;
}

/* Take raw blocks of one list; returns how many. */
static unsigned int fill_from(struct reporter *r, unsigned int zone,
			      unsigned int order, enum migratetype mt)
{
	struct hinted_boundary *s = r->state;
	unsigned int count = 0;

	while (s->nr < s->capacity) {
		const pfn_t pfn = get_raw_page(r, zone, order, mt);

		if (pfn == PFN_NONE)
			break;
		r->env->isolate_raw(r->env->ctx, pfn);
		s->sg[s->nr++] = (struct page_report){
			.pfn = pfn, .order = (uint8_t)order,
			.migratetype = (uint8_t)mt, .zone = (uint8_t)zone,
		};
		count++;
	}
	return count;
}

/* The next list of this order that has something. */
static void fill_order(struct reporter *r, unsigned int zone,
		       unsigned int order)
{
	struct hinted_boundary *s = r->state;
	unsigned int mt = s->membranes[zone][order].mt;

	for (unsigned int i = 0; i < MIGRATE_TYPES; i++) {
		if (!hinted_boundary_raw(r, zone, order))
			return;
		mt = (mt + 1) % MIGRATE_TYPES;
		/* Isolated blocks count as treated. */
		if (mt == MIGRATE_ISOLATE)
			continue;
		r->counters.lists_visited++;
		if (fill_from(r, zone, order, mt))
			return;
	}
}

/* Models __aerator_fill. */
static void fill_zone(struct reporter *r, unsigned int zone)
{
	struct hinted_boundary *s = r->state;
	uint64_t left = 0;

	for (unsigned int o = NR_PAGE_ORDERS; o-- > s->order;) {
		fill_order(r, zone, o);
		if (s->nr == s->capacity)
			return;
		left += hinted_boundary_raw(r, zone, o);
	}
	if (left < s->capacity)
		hinted_boundary_clear_request(s, zone);
}

static void fill(struct reporter *r)
{
	const unsigned int nr_zones = alloc_nr_zones(r->env->view);
	struct hinted_boundary *s = r->state;

	for (unsigned int zone = 0; zone < nr_zones; zone++) {
		if (!s->zones[zone].requested || s->nr == s->capacity)
			continue;
		lock_zone(r, zone);
		fill_zone(r, zone);
		unlock_zone(r, zone);
	}
}

static void clear_all_requests(struct hinted_boundary *s)
{
	for (unsigned int zone = 0; zone < ALLOC_MAX_ZONES; zone++)
		hinted_boundary_clear_request(s, zone);
}

/* Models free_treated_page: in front of the membrane, which moves to it. */
static void put_treated(struct reporter *r, const struct page_report *e,
			int err)
{
	const struct alloc *a = r->env->view;
	struct hinted_boundary *s = r->state;
	struct hinted_membrane *m = &s->membranes[e->zone][e->order];

	s->decanting = true;
	r->env->putback_tail(r->env->ctx, e->pfn, e->order, e->migratetype);
	s->decanting = false;
	s->touches++;
	if (!alloc_is_free_head(a, e->pfn) ||
	    alloc_block_order(a, e->pfn) != e->order) {
		r->counters.putback_merged++;
		return;
	}
	if (err)
		return;
	r->env->set_mark(r->env->ctx, e->pfn, BLOCK_HINTED);
	s->zones[e->zone].hinted_count[e->order]++;
	hinted_count_changes(r, e->order);
	r->counters.marked_pages += order_nr_pages(e->order);
	if (alloc_block_type(a, e->pfn) == (enum migratetype)m->mt)
		m->pfn = e->pfn;
}

/* Models aerator_decant. */
static void decant(struct reporter *r, int err)
{
	struct hinted_boundary *s = r->state;

	for (unsigned int i = 0; i < s->nr; i++) {
		lock_zone(r, s->sg[i].zone);
		put_treated(r, &s->sg[i], err);
		unlock_zone(r, s->sg[i].zone);
	}
	s->nr = 0;
}

static bool react(struct reporter *r)
{
	struct hinted_boundary *s = r->state;
	const int err = r->env->report(r->env->ctx, s->sg, s->nr);

	if (err) {
		r->counters.report_errors++;
		decant(r, err);
		clear_all_requests(s);
		return false;
	}
	r->counters.report_calls++;
	for (unsigned int i = 0; i < s->nr; i++) {
		r->counters.blocks[s->sg[i].order]++;
		r->counters.pages += order_nr_pages(s->sg[i].order);
	}
	return true;
}

/* Models aerator_fill_and_react. */
bool hinted_boundary_may_cycle(struct reporter *r)
{
	struct hinted_boundary *s = r->state;

	CHECK_EQ(s->nr, 0);
	fill(r);
	if (s->nr)
		return react(r);
	clear_all_requests(s);
	return false;
}

/* Models aerator_cycle. */
bool hinted_boundary_may_resume(struct reporter *r, int err)
{
	struct hinted_boundary *s = r->state;

	decant(r, err);
	if (err)
		clear_all_requests(s);
	return s->refcount && hinted_boundary_may_cycle(r);
}
