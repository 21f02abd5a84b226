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
 *
 * In the variant of September 2019 (get_unreported_page, v10) the walk goes on
 * past them with the boundary instead.
 */
#include "include/check.h"
#include "reporter/hinted_boundary.h"
#include "reporter/hold.h"

static void lock_zone(struct reporter *r)
{
	struct hinted_boundary *s = r->state;

	r->env->lock(r->env->ctx, s->zone);
	s->touches = 0;
}

static void unlock_zone(struct reporter *r)
{
	struct hinted_boundary *s = r->state;

	hold_end(r, s->zone, s->touches);
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

static bool is_v10(const struct reporter *r)
{
	return hinted_boundary_options(r)->variant == BOUNDARY_V10;
}

/* The block in front of the boundary of this list; PFN_NONE: none is. */
static pfn_t before_boundary(const struct reporter *r, unsigned int order,
			     enum migratetype mt)
{
	const struct alloc *a = r->env->view;
	const struct hinted_boundary *s = r->state;
	const pfn_t boundary = s->boundary[order][mt];

	if (boundary == PFN_NONE)
		return alloc_list_last(a, s->zone, order, mt);
	return alloc_list_prev(a, boundary);
}

/* Models get_unreported_page of v10, without taking it. */
static pfn_t get_unreported(struct reporter *r, unsigned int order,
			    enum migratetype mt)
{
	struct hinted_boundary *s = r->state;
	pfn_t pfn = before_boundary(r, order, mt);

	while (pfn != PFN_NONE && !visit(r, pfn)) {
		s->boundary[order][mt] = pfn;
		pfn = alloc_list_prev(r->env->view, pfn);
	}
	return pfn;
}

/* Models get_unhinted_page, without taking it; PFN_NONE: the list is done. */
static pfn_t get_unhinted(struct reporter *r, unsigned int order,
			  enum migratetype mt)
{
	const struct alloc *a = r->env->view;
	struct hinted_boundary *s = r->state;
	pfn_t pfn = before_boundary(r, order, mt);

	if (pfn == PFN_NONE || visit(r, pfn))
		return pfn;
	pfn = alloc_list_first(a, s->zone, order, mt);
	if (visit(r, pfn))
		return pfn;
	s->boundary[order][mt] = pfn;
	s->gave_up[order][mt] = true;
	return PFN_NONE;
}

/* False: the watermark refuses, which ends the list. */
static bool take(struct reporter *r, pfn_t pfn)
{
	if (!is_v10(r)) {
		r->env->isolate_raw(r->env->ctx, pfn);
		return true;
	}
	if (r->env->isolate(r->env->ctx, pfn))
		return true;
	r->counters.isolate_refused++;
	return false;
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
		const pfn_t pfn = is_v10(r) ? get_unreported(r, order, mt) :
					      get_unhinted(r, order, mt);

		if (pfn == PFN_NONE || !take(r, pfn))
			return;
		s->sg[s->nr++] = (struct page_report){
			.pfn = pfn,
			.order = (uint8_t)order,
			.migratetype = (uint8_t)mt,
			.zone = (uint8_t)s->zone,
		};
	}
}

/* v3 on leaves out lists that somebody else has plans for. */
static bool list_wanted(const struct reporter *r, enum migratetype mt)
{
	return !is_v10(r) || (mt != MIGRATE_ISOLATE && mt != MIGRATE_CMA);
}

static void fill(struct reporter *r)
{
	struct hinted_boundary *s = r->state;

	s->nr = 0;
	for (unsigned int o = NR_PAGE_ORDERS; o-- > s->order;)
		for (unsigned int mt = MIGRATE_TYPES; mt-- > 0;)
			if (s->nr < s->capacity && list_wanted(r, mt))
				fill_from(r, o, mt);
	/* Not enough for a whole batch: the last one, then quiet. */
	if (s->nr < s->capacity)
		hinted_boundary_clear_request(s, s->zone);
}

/* The list is the one it is on: later kernels correct a stale type. */
static void mark_hinted(struct reporter *r, pfn_t pfn, unsigned int order)
{
	const enum migratetype mt = alloc_block_type(r->env->view, pfn);
	struct hinted_boundary *s = r->state;

	r->env->set_mark(r->env->ctx, pfn, BLOCK_HINTED);
	s->zones[s->zone].hinted_count[order]++;
	hinted_count_changes(r, order);
	s->boundary[order][mt] = pfn;
	r->counters.marked_pages += order_nr_pages(order);
}

/* Models put_hinted_page for every block of the batch. */
static void drain(struct reporter *r, int err)
{
	const struct alloc *a = r->env->view;
	struct hinted_boundary *s = r->state;

	for (unsigned int i = 0; i < s->nr; i++) {
		const struct page_report *e = &s->sg[i];
		const enum migratetype mt = is_v10(r) ?
			alloc_pageblock_type(a, e->pfn) : e->migratetype;

		r->env->putback_tail(r->env->ctx, e->pfn, e->order, mt);
		s->touches++;
		if (!alloc_is_free_head(a, e->pfn) ||
		    alloc_block_order(a, e->pfn) != e->order) {
			r->counters.putback_merged++;
			continue;
		}
		if (err)
			continue;
		mark_hinted(r, e->pfn, e->order);
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

/* v13: is there enough that a full batch may be away for a while? */
static bool gate_passes(struct reporter *r, unsigned int zone)
{
	const struct hinted_boundary *s = r->state;
	struct alloc_zone_info info;
	uint64_t mark;

	if (!hinted_boundary_options(r)->watermark_gate)
		return true;
	alloc_zone_info(r->env->view, zone, &info);
	mark = info.wmark_low + info.boost +
	       ((uint64_t)s->capacity << s->order);
	if (alloc_watermark_ok(r->env->view, zone, 0, mark, 0))
		return true;
	r->counters.gate_skips++;
	return false;
}

bool hinted_boundary_cycle_begin(struct reporter *r, unsigned int zone)
{
	struct hinted_boundary *s = r->state;

	CHECK_EQ(s->active, NO_ZONE);
	CHECK_EQ(s->nr, 0);
	if (!gate_passes(r, zone)) {
		hinted_boundary_clear_request(s, zone);
		return false;
	}
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
