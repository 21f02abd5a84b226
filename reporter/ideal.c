/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A design that knows the future: the upper bound that the others are measured
 * by. Of the free blocks it reports exactly those that will rest for longer
 * than the pay-back time, and leaves the free lists as they were, so that its
 * reports do not themselves decide what is used next.
 *
 *          free_notify, start           delay is over
 *   IDLE ---------------------> WAITING -------------> candidates
 *    ^                             ^                    |    |
 *    |       freed meanwhile, or   |                    |    | report()
 *    |       the array was full    +--------+           |    v
 *    +--------------------------------------|-----------+  WITH_HOST
 *    |     nothing that rests so long       |                |
 *    +--------------------------------------+----------------+
 *                                       drain()
 *
 *   IDLE -> WAITING               ideal_want
 *   WAITING -> WITH_HOST or IDLE  ideal_process
 *   WITH_HOST -> WAITING or IDLE  ideal_drain
 *   WAITING -> IDLE               ideal_stop
 *
 * A candidate is a block that came to rest on a list. It is decided once: what
 * remains until its next use only shrinks. The future comes from
 * env->next_use(): on a machine the times of use in a first pass of the same
 * cell without reporting. Reporting changes that future (refaults take time,
 * and tasks that meet at a lock take their turns otherwise), so a few blocks
 * are used although that was not foretold. Such a region is not reported again:
 * about it the first pass knows nothing. `reporter.misjudged` counts them.
 *
 * Promises, encoded in check():
 * - process() is scheduled exactly in WAITING, blocks are off the lists exactly
 *   in WITH_HOST, and all of them are with the host.
 * - A block with the host is of the reporting order or more, and its next use
 *   was further away than the pay-back time when it was taken.
 * - Marks are on blocks of at least the reporting order.
 * Beyond check(): a drained block goes back in front of the block that was
 * behind it, if that is still there; tests compare the lists.
 *
 * Left out: blocks below 2 MiB, and reporting a part of a free block.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "include/bitmap.h"
#include "include/check.h"
#include "reporter/hold.h"
#include "reporter/ideal.h"
#include "reporter/in_flight.h"

static const char *const order_names[] = { "pageblock", "9", "10", NULL };

#define OFFSET(member) offsetof(struct ideal_options, member)

static const struct option_desc ideal_descs[] = {
	{ .name = "order", .type = OPTION_NAME, .offset = OFFSET(order),
	  .names = order_names, .def = "pageblock", .unit = "",
	  .help = "smallest block order that is reported" },
	{ .name = "payback", .type = OPTION_TIME, .offset = OFFSET(payback_ns),
	  .max = 24 * 3600 * NSEC_PER_SEC, .def = "2s", .unit = "",
	  .help = "report blocks that will not be used for longer than this" },
	{ .name = "capacity", .type = OPTION_UINT, .offset = OFFSET(capacity),
	  .min = 1, .max = REPORTER_MAX_CAPACITY, .def = "32",
	  .unit = "blocks", .help = "blocks per report" },
	{ .name = "delay", .type = OPTION_TIME, .offset = OFFSET(delay_ns),
	  .max = 24 * 3600 * NSEC_PER_SEC, .def = "10ms", .unit = "",
	  .help = "time from a free to its decision, to fill the array" },
	{ .name = NULL },
};

static const struct ideal_options *ideal_options(const struct reporter *r)
{
	return r->options;
}

static void ideal_want(struct reporter *r)
{
	struct ideal *s = r->state;

	if (s->state == IDEAL_WITH_HOST)
		s->more = true;
	if (s->state != IDEAL_IDLE)
		return;
	s->state = IDEAL_WAITING;
	r->counters.requests++;
	r->env->schedule(r->env->ctx, ideal_options(r)->delay_ns);
}

static unsigned int ideal_order(const struct reporter *r)
{
	const struct ideal *s = r->state;

	return s->order;
}

static void ideal_notify(struct reporter *r, unsigned int zone, pfn_t pfn,
			 unsigned int order)
{
	struct ideal *s = r->state;

	(void)zone;
	(void)order;
	if (!s->started)
		return;
	if (s->nr_queue < IDEAL_QUEUE)
		s->queue[s->nr_queue++] = pfn;
	else
		s->rescan = true;
	ideal_want(r);
}

static pfn_t ideal_tail_position(struct reporter *r, unsigned int zone,
				 unsigned int order, enum migratetype mt)
{
	const struct ideal *s = r->state;
	const pfn_t pfn = s->put_before;
	const struct alloc *a = r->env->view;

	(void)zone;
	/* It may be gone, or on another list, or ours may have merged. */
	if (pfn == PFN_NONE || order != s->put_order ||
	    !alloc_is_free_head(a, pfn) || alloc_block_order(a, pfn) != order ||
	    alloc_block_type(a, pfn) != mt)
		return PFN_NONE;
	return pfn;
}

/* A reported block is being used. Was that foretold? */
static void ideal_unmark(struct reporter *r, unsigned int zone, pfn_t pfn,
			 unsigned int order, enum migratetype mt,
			 enum unmark_reason why)
{
	struct ideal *s = r->state;
	const uint32_t last = pfn_region(pfn + order_nr_pages(order) - 1);

	(void)zone;
	(void)mt;
	if (why != UNMARK_ALLOC ||
	    r->env->next_use(r->env->ctx, pfn, order) <=
	    ideal_options(r)->payback_ns)
		return;
	r->counters.misjudged++;
	for (uint32_t region = pfn_region(pfn); region <= last; region++)
		bitmap_set(s->misjudged, region);
}

static bool was_misjudged(const struct ideal *s, pfn_t pfn,
			  unsigned int order)
{
	const uint32_t last = pfn_region(pfn + order_nr_pages(order) - 1);

	return bitmap_test(s->misjudged, pfn_region(pfn)) ||
	       bitmap_test(s->misjudged, last);
}

static int ideal_init(struct reporter *r, char *why, size_t why_size)
{
	const struct ideal_options *o = ideal_options(r);
	struct ideal *s = r->state;

	s->misjudged_words =
		BITMAP_WORDS(pfn_region(alloc_end_pfn(r->env->view)) + 1);
	s->misjudged = calloc(s->misjudged_words, sizeof(*s->misjudged));
	if (!s->misjudged) {
		snprintf(why, why_size, "out of memory");
		return -ENOMEM;
	}
	s->order = o->order ? o->order + HPAGE_PMD_ORDER - 1 :
			      alloc_pageblock_order(r->env->view);
	s->capacity = (unsigned int)o->capacity;
	s->put_before = PFN_NONE;
	return 0;
}

static void ideal_start(struct reporter *r)
{
	struct ideal *s = r->state;

	s->started = true;
	s->rescan = true;
	ideal_want(r);
}

/* Decide on a free block, zone lock held; true: it is off its list. */
static bool consider(struct reporter *r, unsigned int zone, pfn_t pfn)
{
	const struct alloc *a = r->env->view;
	const unsigned int order = alloc_block_order(a, pfn);
	struct ideal *s = r->state;
	sim_ns_t next;

	r->counters.list_visits++;
	if (alloc_block_marks(a, pfn) & BLOCK_REPORTED) {
		r->counters.skipped_marked++;
		return false;
	}
	next = r->env->next_use(r->env->ctx, pfn, order);
	if (next <= ideal_options(r)->payback_ns ||
	    was_misjudged(s, pfn, order)) {
		r->counters.kept_warm++;
		return false;
	}
	s->place[s->nr] = (struct ideal_place){
		.before = alloc_list_next(a, pfn),
		.pageblock_mt = (uint8_t)alloc_pageblock_type(a, pfn),
		.next_use = next,
	};
	s->sg[s->nr++] = (struct page_report){
		.pfn = pfn, .order = (uint8_t)order,
		.migratetype = (uint8_t)alloc_block_type(a, pfn),
		.zone = (uint8_t)zone,
	};
	r->env->isolate_raw(r->env->ctx, pfn);
	return true;
}

/* The walk of one list; false: the array is full, something may be left. */
static bool scan_list(struct reporter *r, unsigned int zone,
		      unsigned int order, enum migratetype mt)
{
	const struct alloc *a = r->env->view;
	const struct ideal *s = r->state;
	pfn_t pfn = alloc_list_first(a, zone, order, mt);

	if (pfn != PFN_NONE)
		r->counters.lists_visited++;
	while (pfn != PFN_NONE && s->nr < s->capacity) {
		const pfn_t next = alloc_list_next(a, pfn);

		consider(r, zone, pfn);
		pfn = next;
	}
	return pfn == PFN_NONE;
}

static bool scan_zone(struct reporter *r, unsigned int zone)
{
	const struct ideal *s = r->state;
	const uint64_t before = r->counters.list_visits;
	bool all = true;
	uint64_t hold;

	r->env->lock(r->env->ctx, zone);
	for (unsigned int o = s->order; o < NR_PAGE_ORDERS; o++)
		for (int mt = 0; mt < MIGRATE_TYPES; mt++)
			if (mt != MIGRATE_ISOLATE)
				all &= scan_list(r, zone, o,
						 (enum migratetype)mt);
	hold = r->counters.list_visits - before;
	hold_end(r, zone, (uint32_t)hold);
	return all;
}

static void scan_all(struct reporter *r)
{
	struct ideal *s = r->state;
	bool all = true;

	for (unsigned int z = 0; z < alloc_nr_zones(r->env->view); z++)
		all &= scan_zone(r, z);
	s->rescan = !all;
	s->nr_queue = 0;
}

/* What the queue names may be gone by now, or part of something larger. */
static void consider_queued(struct reporter *r, pfn_t pfn)
{
	const struct alloc *a = r->env->view;
	const struct ideal *s = r->state;
	const unsigned int zone = (unsigned int)alloc_zone_of(a, pfn);

	r->env->lock(r->env->ctx, zone);
	if (alloc_is_free_head(a, pfn) &&
	    alloc_block_order(a, pfn) >= s->order &&
	    alloc_block_type(a, pfn) != MIGRATE_ISOLATE)
		consider(r, zone, pfn);
	r->env->unlock(r->env->ctx, zone, 1);
}

static void scan_queue(struct reporter *r)
{
	struct ideal *s = r->state;
	unsigned int i = 0;

	while (i < s->nr_queue && s->nr < s->capacity)
		consider_queued(r, s->queue[i++]);
	for (unsigned int k = i; k < s->nr_queue; k++)
		s->queue[k - i] = s->queue[k];
	s->nr_queue -= i;
}

/* Last taken first, so that each finds its neighbour in place again. */
static void put_back(struct reporter *r, int err)
{
	const struct alloc *a = r->env->view;
	struct ideal *s = r->state;

	while (s->nr) {
		const struct page_report *e = &s->sg[--s->nr];
		const struct ideal_place *p = &s->place[s->nr];
		enum migratetype mt = alloc_pageblock_type(a, e->pfn);

		/* It goes back where it was, unless it was retyped. */
		if (mt == p->pageblock_mt)
			mt = e->migratetype;
		r->env->lock(r->env->ctx, e->zone);
		s->put_before = p->before;
		s->put_order = e->order;
		r->env->putback_tail(r->env->ctx, e->pfn, e->order, mt);
		s->put_before = PFN_NONE;
		if (!alloc_is_free_head(a, e->pfn) ||
		    alloc_block_order(a, e->pfn) != e->order)
			r->counters.putback_merged++;
		else if (!err)
			r->env->set_mark(r->env->ctx, e->pfn, BLOCK_REPORTED);
		r->env->unlock(r->env->ctx, e->zone, 1);
	}
}

static void ideal_process(struct reporter *r)
{
	struct ideal *s = r->state;
	int err;

	CHECK_EQ(s->state, IDEAL_WAITING);
	s->state = IDEAL_IDLE;
	s->more = false;
	r->counters.passes++;
	if (s->rescan)
		scan_all(r);
	else
		scan_queue(r);
	if (!s->nr)
		return;
	err = r->env->report(r->env->ctx, s->sg, s->nr);
	if (err) {
		r->counters.report_errors++;
		put_back(r, err);
		s->rescan = true;
		return;
	}
	r->counters.report_calls++;
	for (unsigned int i = 0; i < s->nr; i++) {
		r->counters.blocks[s->sg[i].order]++;
		r->counters.pages += order_nr_pages(s->sg[i].order);
	}
	s->state = IDEAL_WITH_HOST;
}

static void ideal_drain(struct reporter *r, struct page_report *entries,
			unsigned int nr, int err)
{
	struct ideal *s = r->state;

	CHECK_EQ(s->state, IDEAL_WITH_HOST);
	CHECK(entries == s->sg);
	CHECK_EQ(nr, s->nr);
	if (err) {
		r->counters.report_errors++;
		s->rescan = true;
	}
	put_back(r, err);
	s->state = IDEAL_IDLE;
	if (s->started && (s->more || s->rescan || s->nr_queue))
		ideal_want(r);
}

static void ideal_stop(struct reporter *r)
{
	struct ideal *s = r->state;

	s->started = false;
	s->nr_queue = 0;
	if (s->state != IDEAL_WAITING)
		return;
	r->env->cancel(r->env->ctx);
	s->state = IDEAL_IDLE;
}

static bool ideal_idle(const struct reporter *r)
{
	const struct ideal *s = r->state;

	return s->state == IDEAL_IDLE;
}

static bool marks_below(const struct alloc *a, unsigned int order)
{
	for (unsigned int z = 0; z < alloc_nr_zones(a); z++)
		for (unsigned int i = 0; i < order * MIGRATE_TYPES; i++) {
			pfn_t pfn = alloc_list_first(a, z, i / MIGRATE_TYPES,
						     i % MIGRATE_TYPES);

			for (; pfn != PFN_NONE; pfn = alloc_list_next(a, pfn))
				if (alloc_block_marks(a, pfn) & BLOCK_REPORTED)
					return true;
		}
	return false;
}

static const char *ideal_check(const struct reporter *r)
{
	const struct ideal *s = r->state;
	const struct alloc *a = r->env->view;

	if (s->state == IDEAL_WITH_HOST && !s->nr)
		return "ideal: WITH_HOST, but no block is";
	if (s->state != IDEAL_WITH_HOST && s->nr)
		return "ideal: blocks off their lists, but not with the host";
	if (s->nr > s->capacity)
		return "ideal: more blocks in flight than a batch holds";
	if (s->put_before != PFN_NONE)
		return "ideal: a place is kept outside of a putback";
	for (unsigned int i = 0; i < s->nr; i++)
		if (s->place[i].next_use <= ideal_options(r)->payback_ns)
			return "ideal: a block that will be used soon";
	if (marks_below(a, s->order))
		return "ideal: a mark below the reporting order";
	return in_flight_check(r, s->sg, s->nr, s->order);
}

static void ideal_destroy(struct reporter *r)
{
	struct ideal *s = r->state;

	free(s->misjudged);
}

const struct reporter_ops ideal_reporter = {
	.name = "ideal",
	.summary = "knows the future: reports what will rest long enough",
	.options = { .descs = ideal_descs,
		     .size = sizeof(struct ideal_options) },
	.state_size = sizeof(struct ideal),
	.init = ideal_init,
	.start = ideal_start,
	.process = ideal_process,
	.drain = ideal_drain,
	.stop = ideal_stop,
	.idle = ideal_idle,
	.check = ideal_check,
	.destroy = ideal_destroy,
	.notify_order = ideal_order,
	.free_notify = ideal_notify,
	.block_unmark = ideal_unmark,
	.tail_position = ideal_tail_position,
	.needs_future = true,
};
