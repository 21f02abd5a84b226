/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reported pages that are known to be zero: after Michael Tsirkin's series of
 * 2026 ("the host zeroes pages", unmerged). Free page reporting as merged
 * (page_reporting.c: states, passes, options), with an answer that says of each
 * block whether it is sure to read as zeroes. The guest kernel then does not
 * clear such a page again before a program gets it.
 *
 *   a page:  UNKNOWN --- reported, and the answer says zeroed ---> ZERO
 *               ^                                                   |
 *               +--- freed after use; or its block merges with -----+
 *                    one that is not all zero
 *
 * The mark of the series is a flag of the free block, carried along when the
 * block is split, and kept by a merge if both halves have it. Here it is a bit
 * of every page, and after each merge that is not all zero none of the block's
 * pages has it: the same pages are known, and nobody has to carry anything.
 * A block whose pages are all known zero but that has lost its reported mark
 * to a split or a merge is marked again, not reported again.
 *
 * The flush of the series (a deterministic trigger with a budget of pages) is
 * the host's command HOST_WANTS_FLUSH: passes follow each other without delay
 * until so many pages are reported, or nothing is left.
 *
 * Promises, encoded in check():
 * - All of page_reporting's.
 * - No page of a block that is with the host is known to be zero.
 * - Of a free block on a list either all pages are known to be zero, or none;
 *   but for blocks that compaction put back, of which nobody hears.
 * Beyond check(): a page that was used since is never known to be zero (the
 * tests keep books).
 *
 * Left out: the feature bit for inflated pages, and the bitmap in the queue:
 * the answer is part of the reply. docs/designs/host_zeroed.md
 */
#include <errno.h>

#include "include/check.h"
#include "reporter/page_reporting.h"

/* All the options are those of page_reporting. */
struct host_zeroed {
	struct page_reporting base; /* first: the base's functions use it */
	uint64_t flush_to;  /* counters.pages at which a flush ends; 0 = none */
};

#define BASE page_reporting_reporter

static int zeroed_init(struct reporter *r, char *why, size_t why_size)
{
	struct host_zeroed *s = r->state;

	s->base.known_zero = r->env->known_zero;
	return BASE.init(r, why, why_size);
}

/* A flush does not wait between passes. */
static void hurry(struct reporter *r)
{
	struct host_zeroed *s = r->state;

	if (!s->flush_to)
		return;
	if (r->counters.pages >= s->flush_to ||
	    s->base.state == PAGE_REPORTING_IDLE)
		s->flush_to = 0;
	else if (s->base.armed)
		r->env->schedule(r->env->ctx, 0);
}

static void zeroed_process(struct reporter *r)
{
	BASE.process(r);
	hurry(r);
}

static void zeroed_drain(struct reporter *r, struct page_report *entries,
			 unsigned int nr, int err)
{
	(void)r;
	(void)entries;
	(void)nr;
	(void)err;
	CHECK_MSG(false, "host_zeroed sends requests, not reports");
}

static void count_zeroed(struct reporter *r, const struct host_request *rq,
			 const struct host_reply *reply)
{
	for (unsigned int i = 0; i < rq->nr; i++)
		if (bitmap_test(reply->zeroed, i))
			r->counters.zeroed_pages +=
				order_nr_pages(rq->entries[i].order);
}

static void zeroed_reply(struct reporter *r, const struct host_request *rq,
			 const struct host_reply *reply)
{
	struct host_zeroed *s = r->state;

	if (!reply->err)
		count_zeroed(r, rq, reply);
	s->base.zeroed = reply->zeroed;
	BASE.drain(r, rq->entries, rq->nr, reply->err);
	s->base.zeroed = NULL;
	hurry(r);
}

static int zeroed_host_request(struct reporter *r,
			       const struct host_command *c)
{
	struct host_zeroed *s = r->state;

	if (c->kind != HOST_WANTS_FLUSH)
		return -EOPNOTSUPP;
	if (!s->base.registered)
		return 0;
	s->flush_to = c->pages ? r->counters.pages + c->pages : UINT64_MAX;
	BASE.start(r);
	hurry(r);
	return 0;
}

static void zeroed_stop(struct reporter *r)
{
	struct host_zeroed *s = r->state;

	s->flush_to = 0;
	BASE.stop(r);
}

static unsigned int zeroed_order(const struct reporter *r)
{
	(void)r;
	/* Merges of any order decide what is known. */
	return 0;
}

/* The free block that contains pfn is known as a whole, or not at all. */
void page_reporting_settle_zero(struct reporter *r, pfn_t pfn)
{
	struct page_reporting *s = r->state;
	unsigned int order = 0;
	pfn_t head = pfn;
	uint32_t nr;
	size_t known;

	if (alloc_page_lookup(r->env->view, pfn, &head, &order) !=
	    ALLOC_PAGE_BUDDY)
		return;
	nr = order_nr_pages(order);
	known = bitmap_count_range(s->known_zero, head, nr);
	if (known && known != nr)
		bitmap_clear_range(s->known_zero, head, nr);
}

static void zeroed_notify(struct reporter *r, unsigned int zone, pfn_t pfn,
			  unsigned int order)
{
	struct page_reporting *s = r->state;
	const uint32_t nr = order_nr_pages(order);
	const size_t known = bitmap_count_range(s->known_zero, pfn, nr);

	if (known && known != nr)
		bitmap_clear_range(s->known_zero, pfn, nr);
	if (order >= s->order)
		BASE.free_notify(r, zone, pfn, order);
}

/* Whoever frees it has used it. */
static void zeroed_free_capture(struct reporter *r, unsigned int zone,
				pfn_t pfn, unsigned int order,
				unsigned int cpu)
{
	struct page_reporting *s = r->state;

	(void)zone;
	(void)cpu;
	bitmap_clear_range(s->known_zero, pfn, order_nr_pages(order));
}

static void zeroed_unmark(struct reporter *r, unsigned int zone, pfn_t pfn,
			  unsigned int order, enum migratetype mt,
			  enum unmark_reason why)
{
	BASE.block_unmark(r, zone, pfn, order, mt, why);
}

static pfn_t zeroed_tail_position(struct reporter *r, unsigned int zone,
				  unsigned int order, enum migratetype mt)
{
	return BASE.tail_position(r, zone, order, mt);
}

static void zeroed_start(struct reporter *r)
{
	BASE.start(r);
}

static bool zeroed_idle(const struct reporter *r)
{
	return BASE.idle(r);
}

static const char *check_list(const struct page_reporting *s,
			      const struct alloc *a, pfn_t pfn)
{
	for (; pfn != PFN_NONE; pfn = alloc_list_next(a, pfn)) {
		const uint32_t nr = order_nr_pages(alloc_block_order(a, pfn));
		const size_t known = bitmap_count_range(s->known_zero, pfn,
							nr);

		if (known && known != nr)
			return "host_zeroed: a part of a free block is known";
	}
	return NULL;
}

static const char *check_lists(const struct reporter *r)
{
	const struct page_reporting *s = r->state;
	const struct alloc *a = r->env->view;
	const char *broken = NULL;

	for (unsigned int z = 0; z < alloc_nr_zones(a); z++)
		for (unsigned int i = 0;
		     i < NR_PAGE_ORDERS * MIGRATE_TYPES && !broken; i++)
			broken = check_list(s, a, alloc_list_first(a, z,
					    i / MIGRATE_TYPES,
					    i % MIGRATE_TYPES));
	return broken;
}

static const char *zeroed_check(const struct reporter *r)
{
	const struct page_reporting *s = r->state;
	const char *broken = BASE.check(r);

	if (broken)
		return broken;
	for (unsigned int i = s->offset; s->running && i < s->limit; i++)
		if (bitmap_count_range(s->known_zero, s->sg[i].pfn,
				       order_nr_pages(s->sg[i].order)))
			return "host_zeroed: known before the host has "
			       "answered";
	/* Others' putbacks merge without a word. */
	if (alloc_counters(r->env->view)->putbacks == r->counters.putbacks)
		return check_lists(r);
	return NULL;
}

static void zeroed_destroy(struct reporter *r)
{
	BASE.destroy(r);
}

const struct reporter_ops host_zeroed_reporter = {
	.name = "host_zeroed",
	.summary = "page_reporting, and the guest does not clear what is zero",
	.options = { .descs = page_reporting_descs,
		     .size = sizeof(struct page_reporting_options) },
	.state_size = sizeof(struct host_zeroed),
	.init = zeroed_init,
	.start = zeroed_start,
	.process = zeroed_process,
	.drain = zeroed_drain,
	.stop = zeroed_stop,
	.idle = zeroed_idle,
	.check = zeroed_check,
	.destroy = zeroed_destroy,
	.withdraws_if_poisoned = true,
	.notify_order = zeroed_order,
	.free_notify = zeroed_notify,
	.block_unmark = zeroed_unmark,
	.tail_position = zeroed_tail_position,
	.reply = zeroed_reply,
	.host_request = zeroed_host_request,
	.free_capture = zeroed_free_capture,
	.knows_zero = true,
};
