/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One free list of a reporting pass: models page_reporting_cycle and
 * page_reporting_drain of mm/page_reporting.c, 5.7 to 6.18, cut in two where
 * the kernel sleeps in the device's report callback.
 *
 * The walk goes from the head. Marked blocks are skipped, others isolated into
 * the array from its end downwards, and an unmarked block that finds the array
 * full causes the report: it becomes the head first ("rotation"), so that
 * allocations meanwhile meet memory that the host still backs, and it is
 * looked at again after the drain. Blocks collected from an earlier list stay
 * in the array, so the first report on a list may mix orders and types.
 *
 * The three steps of the series are switches: rotation, budget and placement
 * (tail since 5.10); all off leaves its first patch.
 */
#include "include/check.h"
#include "reporter/hold.h"
#include "reporter/page_reporting.h"

/*
 * A walk over marked blocks alone changes nothing but counters, so it is
 * counted instead of made, if it is known how long the list is. 0: make every
 * walk, which is what a test compares with.
 */
#ifndef PAGE_REPORTING_COUNTED_WALKS
#define PAGE_REPORTING_COUNTED_WALKS 1
#endif
/* Blocks of other types to count at most in order to know that. */
#define MAX_OTHERS 64

void page_reporting_lock(struct reporter *r)
{
	struct page_reporting *s = r->state;

	r->env->lock(r->env->ctx, s->zone);
	s->touches = 0;
}

void page_reporting_unlock(struct reporter *r)
{
	struct page_reporting *s = r->state;

	hold_end(r, s->zone, s->touches);
}

static int hand_over(struct reporter *r, struct page_report *entries,
		     unsigned int nr)
{
	const struct page_reporting *s = r->state;
	const struct host_request rq = {
		.kind = REQUEST_REPORT, .discard_order = DISCARD_WHOLE,
		.entries = entries, .nr = nr,
	};

	if (!s->known_zero)
		return r->env->report(r->env->ctx, entries, nr);
	return r->env->send(r->env->ctx, &rq);
}

int page_reporting_send(struct reporter *r)
{
	struct page_reporting *s = r->state;
	const unsigned int nr = s->limit - s->offset;
	int err;

	err = hand_over(r, s->sg + s->offset, nr);
	if (err) {
		r->counters.report_errors++;
		return err;
	}
	r->counters.report_calls++;
	for (unsigned int i = s->offset; i < s->limit; i++) {
		r->counters.blocks[s->sg[i].order]++;
		r->counters.pages += order_nr_pages(s->sg[i].order);
	}
	return 0;
}

static void put_back(struct reporter *r, const struct page_report *e,
		     enum migratetype mt)
{
	struct page_reporting *s = r->state;
	const struct reporter_env *env = r->env;

	switch (page_reporting_options(r)->placement) {
	case PLACEMENT_HEAD:
		/* The tail is where page_reporting_tail_position() says. */
		s->placing_head = true;
		env->putback_tail(env->ctx, e->pfn, e->order, mt);
		s->placing_head = false;
		break;
	case PLACEMENT_TAIL:
		env->putback_tail(env->ctx, e->pfn, e->order, mt);
		break;
	default:
		env->putback(env->ctx, e->pfn, e->order, mt);
	}
}

static void mark_reported(struct reporter *r, const struct page_report *e)
{
	struct page_reporting *s = r->state;
	const uint32_t nr = order_nr_pages(e->order);

	r->env->set_mark(r->env->ctx, e->pfn, BLOCK_REPORTED);
	s->marked[e->zone] += nr;
	s->nr_marked[e->zone][e->order]++;
	r->counters.marked_pages += nr;
}

/* Before the block is put back, so that its merges find it known. */
static void note_zeroed(struct page_reporting *s, const struct page_report *e,
			unsigned int i)
{
	if (s->zeroed && bitmap_test(s->zeroed, i))
		bitmap_set_range(s->known_zero, e->pfn,
				 order_nr_pages(e->order));
}

void page_reporting_drain(struct reporter *r, int err)
{
	struct page_reporting *s = r->state;
	const struct alloc *a = r->env->view;
	const unsigned int first = s->offset;

	for (; s->offset < s->limit; s->offset++) {
		const struct page_report *e = &s->sg[s->offset];

		if (!err)
			note_zeroed(s, e, s->offset - first);
		/* The type may have changed while the host worked. */
		put_back(r, e, alloc_pageblock_type(a, e->pfn));
		s->touches++;
		r->counters.putbacks++;
		if (s->known_zero)
			page_reporting_settle_zero(r, e->pfn);
		if (!alloc_is_free_head(a, e->pfn) ||
		    alloc_block_order(a, e->pfn) != e->order)
			r->counters.putback_merged++;
		else if (!err)
			mark_reported(r, e);
	}
}

static bool isolate(struct reporter *r, pfn_t pfn)
{
	struct page_reporting *s = r->state;
	const struct reporter_env *env = r->env;

	if (!page_reporting_options(r)->isolate_check) {
		env->isolate_raw(env->ctx, pfn);
	} else if (!env->isolate(env->ctx, pfn)) {
		r->counters.isolate_refused++;
		return false;
	}
	/* Known in parts, if at all; and unknown until the answer. */
	if (s->known_zero)
		bitmap_clear_range(s->known_zero, pfn,
				   order_nr_pages(s->list_order));
	s->sg[--s->offset] = (struct page_report){
		.pfn = pfn,
		.order = (uint8_t)s->list_order,
		.migratetype = (uint8_t)s->mt,
		.zone = (uint8_t)s->zone,
	};
	return true;
}

/* pfn is where the next walk of this list should start. */
static void rotate(struct reporter *r, pfn_t pfn)
{
	struct page_reporting *s = r->state;

	if (!page_reporting_options(r)->rotation)
		return;
	if (alloc_list_first(r->env->view, s->zone, s->list_order, s->mt) ==
	    pfn)
		return;
	r->env->rotate_to_front(r->env->ctx, pfn);
	s->touches++;
	r->counters.rotations++;
}

static bool budget_spent(struct reporter *r)
{
	const struct page_reporting *s = r->state;

	return page_reporting_options(r)->budget && s->budget < 0;
}

/* Counted as the series of 2021 does: all slots as blocks of this order. */
static bool factor_reached(const struct reporter *r)
{
	const struct page_reporting *s = r->state;
	const uint64_t nr = (uint64_t)(s->limit - s->offset) << s->list_order;

	return s->marked[s->zone] + nr >= page_reporting_allowance(r, s->zone);
}

/* Is all of this free block known to read as zeroes? */
static bool known_zero(const struct reporter *r, pfn_t pfn)
{
	const struct page_reporting *s = r->state;
	const uint32_t nr = order_nr_pages(s->list_order);

	return bitmap_test(s->known_zero, pfn) &&
	       bitmap_count_range(s->known_zero, pfn, nr) == nr;
}

enum visit { VISIT_NEXT, VISIT_LEAVE, VISIT_FULL, VISIT_ENOUGH };

/* Look at one block: skip it, take it, or say why the walk ends at it. */
static enum visit visit(struct reporter *r, pfn_t pfn)
{
	struct page_reporting *s = r->state;

	s->touches++;
	r->counters.list_visits++;
	if (alloc_block_marks(r->env->view, pfn) & BLOCK_REPORTED) {
		r->counters.skipped_marked++;
		return VISIT_NEXT;
	}
	if (s->known_zero && known_zero(r, pfn)) {
		const struct page_report e = {
			.pfn = pfn, .order = (uint8_t)s->list_order,
			.zone = (uint8_t)s->zone,
		};

		/* Its mark went in a split or a merge: the host knows it. */
		mark_reported(r, &e);
		r->counters.marks_carried++;
		return VISIT_NEXT;
	}
	if (budget_spent(r)) {
		r->counters.budget_stops++;
		page_reporting_want_more(r);
		return VISIT_LEAVE;
	}
	if (!s->offset)
		return VISIT_FULL;
	/* Refused: no error, and no reason to come back either. */
	if (!isolate(r, pfn))
		return VISIT_LEAVE;
	s->factor_reached = factor_reached(r);
	return s->factor_reached ? VISIT_ENOUGH : VISIT_NEXT;
}

/* Blocks of this order in the zone, but on lists of other types. */
static uint64_t nr_others(const struct reporter *r)
{
	const struct page_reporting *s = r->state;
	const struct alloc *a = r->env->view;
	uint64_t nr = 0;

	for (enum migratetype mt = 0; mt < MIGRATE_TYPES; mt++) {
		pfn_t pfn = mt == s->mt ? PFN_NONE :
			    alloc_list_first(a, s->zone, s->list_order, mt);

		for (; pfn != PFN_NONE && nr <= MAX_OTHERS;
		     pfn = alloc_list_next(a, pfn))
			nr++;
	}
	return nr;
}

/*
 * The blocks of the list from the one on that follows `passed` others, if each
 * of them is marked for sure: as many blocks of this order are marked as there
 * are. 0: they have to be looked at. Isolation of smaller blocks may move what
 * the walk comes to next.
 */
static uint64_t marked_rest(const struct reporter *r, uint64_t passed)
{
	const struct page_reporting *s = r->state;
	const struct alloc *a = r->env->view;
	const uint64_t nr = alloc_nr_free(a, s->zone, s->list_order);
	uint64_t others;

	if (!PAGE_REPORTING_COUNTED_WALKS ||
	    s->list_order < alloc_pageblock_order(a) ||
	    s->nr_marked[s->zone][s->list_order] != nr)
		return 0;
	others = nr_others(r);
	return others > MAX_OTHERS ? 0 : nr - others - passed;
}

static void pass_marked(struct reporter *r, uint64_t nr)
{
	struct page_reporting *s = r->state;

	s->touches += (uint32_t)nr;
	r->counters.list_visits += nr;
	r->counters.skipped_marked += nr;
}

/* Walk from the head, locked; unlocks. VISIT_NEXT: the end was reached. */
static enum visit walk(struct reporter *r)
{
	const struct alloc *a = r->env->view;
	struct page_reporting *s = r->state;
	uint64_t passed = 0, rest = marked_rest(r, 0);
	enum visit last = VISIT_NEXT;
	pfn_t pfn, next = PFN_NONE;

	pfn = alloc_list_first(a, s->zone, s->list_order, s->mt);
	for (; pfn != PFN_NONE && !rest; pfn = next) {
		const unsigned int offset = s->offset;

		next = alloc_list_next(a, pfn);
		last = visit(r, pfn);
		if (last != VISIT_NEXT)
			break;
		if (s->offset == offset)
			passed++;
		else if (next != PFN_NONE)
			rest = marked_rest(r, passed);
	}
	pass_marked(r, rest);
	if (last == VISIT_ENOUGH)
		pfn = next;
	if (last != VISIT_NEXT && pfn != PFN_NONE)
		rotate(r, pfn);
	page_reporting_unlock(r);
	return last;
}

static enum cycle_result walk_and_report(struct reporter *r)
{
	struct page_reporting *s = r->state;
	int err;

	if (walk(r) != VISIT_FULL)
		return CYCLE_DONE;
	err = page_reporting_send(r);
	if (page_reporting_options(r)->budget)
		s->budget--;
	if (!err)
		return CYCLE_WAIT;
	page_reporting_lock(r);
	page_reporting_drain(r, err);
	page_reporting_unlock(r);
	return CYCLE_ERROR;
}

enum cycle_result page_reporting_cycle_begin(struct reporter *r)
{
	const struct alloc *a = r->env->view;
	struct page_reporting *s = r->state;
	const uint64_t share = s->limit *
			       page_reporting_options(r)->budget;

	/* An empty list is seen without the lock. */
	if (alloc_list_first(a, s->zone, s->list_order, s->mt) == PFN_NONE)
		return CYCLE_DONE;
	page_reporting_lock(r);
	r->counters.lists_visited++;
	s->budget = 0;
	if (share)
		s->budget = (int64_t)((alloc_nr_free(a, s->zone,
						     s->list_order) +
				       share - 1) / share);
	return walk_and_report(r);
}

enum cycle_result page_reporting_cycle_resume(struct reporter *r, int err)
{
	page_reporting_lock(r);
	page_reporting_drain(r, err);
	if (!err)
		return walk_and_report(r);
	page_reporting_unlock(r);
	return CYCLE_ERROR;
}
