/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The hinting cycle on one zone: models page_hinting_cycle, page_hinting_fill,
 * page_hinting_drain and get_unhinted_page of the July 2019 series, cut in two
 * where the worker sleeps in the device's react callback.
 *
 *   fill:  orders downward, types downward; on each list the block just in
 *          front of the boundary, the coldest that is not hinted
 *   react: the host works, the lock is dropped
 *   drain: first taken, first put back, in front of the boundary, which then
 *          moves to it; so a drained list keeps its order
 *   idle:  a batch that was not full ends the request, after it is drained
 *
 * Boundaries begin at the end of every list. Blocks hinted in an earlier cycle
 * may then be in front of them: there the head of the list is tried instead,
 * and a list with both ends hinted is taken to be done.
 */
#include "include/check.h"
#include "reporter/hinted_boundary.h"

static void lock_zone(struct reporter *r)
{
	struct hinted_boundary *s = r->state;

	r->env->lock(r->env->ctx, s->zone);
	s->touches = 0;
}

static void unlock_zone(struct reporter *r)
{
	struct hinted_boundary *s = r->state;

	if (r->counters.longest_hold < s->touches)
		r->counters.longest_hold = s->touches;
	r->env->unlock(r->env->ctx, s->zone, s->touches);
}

static void reset_boundaries(struct hinted_boundary *s)
{
	for (unsigned int order = 0; order < NR_PAGE_ORDERS; order++) {
		for (int mt = 0; mt < MIGRATE_TYPES; mt++) {
			s->boundary[order][mt] = PFN_NONE;
			s->gave_up[order][mt] = false;
		}
	}
}

/* Look at a block; true if the host may have it. */
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

/* Models get_unhinted_page, without taking it; PFN_NONE: the list is done. */
static pfn_t get_unhinted(struct reporter *r, unsigned int order,
			  enum migratetype mt)
{
	const struct alloc *a = r->env->view;
	struct hinted_boundary *s = r->state;
	const pfn_t boundary = s->boundary[order][mt];
	pfn_t pfn;

	if (boundary == PFN_NONE)
		pfn = alloc_list_last(a, s->zone, order, mt);
	else
		pfn = alloc_list_prev(a, boundary);
	if (pfn == PFN_NONE || visit(r, pfn))
		return pfn;
	pfn = alloc_list_first(a, s->zone, order, mt);
	if (visit(r, pfn))
		return pfn;
	s->boundary[order][mt] = pfn;
	s->gave_up[order][mt] = true;
	return PFN_NONE;
}

/* Take blocks of one list until it is done or the batch is full. */
static void fill_from(struct reporter *r, unsigned int order,
		      enum migratetype mt)
{
	struct hinted_boundary *s = r->state;

	if (alloc_list_first(r->env->view, s->zone, order, mt) == PFN_NONE)
		return;
	r->counters.lists_visited++;
	while (s->nr < s->capacity) {
		const pfn_t pfn = get_unhinted(r, order, mt);

		if (pfn == PFN_NONE)
			return;
		r->env->isolate_raw(r->env->ctx, pfn);
		s->sg[s->nr++] = (struct page_report){
			.pfn = pfn,
			.order = (uint8_t)order,
			.migratetype = (uint8_t)mt,
			.zone = (uint8_t)s->zone,
		};
	}
}

static void fill(struct reporter *r)
{
	struct hinted_boundary *s = r->state;

	s->nr = 0;
	for (unsigned int o = NR_PAGE_ORDERS; o-- > s->order;)
		for (unsigned int mt = MIGRATE_TYPES; mt-- > 0;)
			if (s->nr < s->capacity)
				fill_from(r, o, mt);
	/* Not enough for a whole batch: the last one, then quiet. */
	if (s->nr < s->capacity)
		hinted_boundary_clear_request(s, s->zone);
}

/* Models put_hinted_page for every block of the batch. */
static void drain(struct reporter *r, int err)
{
	const struct alloc *a = r->env->view;
	struct hinted_boundary *s = r->state;

	for (unsigned int i = 0; i < s->nr; i++) {
		const struct page_report *e = &s->sg[i];

		r->env->putback_tail(r->env->ctx, e->pfn, e->order,
				     e->migratetype);
		s->touches++;
		if (!alloc_is_free_head(a, e->pfn) ||
		    alloc_block_order(a, e->pfn) != e->order) {
			r->counters.putback_merged++;
			continue;
		}
		if (err)
			continue;
		r->env->set_mark(r->env->ctx, e->pfn, BLOCK_HINTED);
		s->zones[s->zone].hinted_count[e->order]++;
		s->boundary[e->order][e->migratetype] = e->pfn;
	}
	s->nr = 0;
}

static void go_idle(struct reporter *r)
{
	struct hinted_boundary *s = r->state;

	s->active = NO_ZONE;
	unlock_zone(r);
}

static int react(struct reporter *r)
{
	struct hinted_boundary *s = r->state;
	const int err = r->env->report(r->env->ctx, s->sg, s->nr);

	if (err) {
		r->counters.report_errors++;
		return err;
	}
	r->counters.report_calls++;
	for (unsigned int i = 0; i < s->nr; i++) {
		r->counters.blocks[s->sg[i].order]++;
		r->counters.pages += order_nr_pages(s->sg[i].order);
	}
	return 0;
}

/*
 * Deviation: in v2 react() cannot fail, and a batch that the queue did not
 * take is marked all the same. Here it goes back unmarked and the zone waits
 * for its next request; see docs/fidelity.md.
 */
static void give_up(struct reporter *r, int err)
{
	struct hinted_boundary *s = r->state;

	drain(r, err);
	hinted_boundary_clear_request(s, s->zone);
	go_idle(r);
}

/* Locked. Fill and send one batch; true if the host has it. */
static bool fill_and_react(struct reporter *r)
{
	struct hinted_boundary *s = r->state;
	int err;

	fill(r);
	if (!s->nr) {
		go_idle(r);
		return false;
	}
	unlock_zone(r);
	err = react(r);
	if (!err)
		return true;
	lock_zone(r);
	give_up(r, err);
	return false;
}

bool hinted_boundary_cycle_begin(struct reporter *r, unsigned int zone)
{
	struct hinted_boundary *s = r->state;

	CHECK_EQ(s->active, NO_ZONE);
	CHECK_EQ(s->nr, 0);
	reset_boundaries(s);
	lock_zone(r);
	s->active = (int)zone;
	return fill_and_react(r);
}

bool hinted_boundary_cycle_resume(struct reporter *r, int err)
{
	struct hinted_boundary *s = r->state;

	lock_zone(r);
	if (err) {
		give_up(r, err);
		return false;
	}
	drain(r, 0);
	if (s->zones[s->zone].requested)
		return fill_and_react(r);
	go_idle(r);
	return false;
}
