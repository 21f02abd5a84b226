/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The host pulls: Wei Wang's counter-proposal of 12 February 2019 to guest-side
 * free page hinting (in the thread of Lal's v8), and the variant with a bitmap
 * for each CPU that Lal asked about. A bit says that a page is free and may be
 * handed over. Nothing happens until the host is short and asks; then runs of
 * set bits are cleared and sent. Pages never leave the free lists: whoever
 * allocates one that is with the host waits for the acknowledgement.
 *
 *   a page:   ALLOCATED <----- alloc ------- FREE <--------------+
 *                 |                           ^ |                |
 *                 +----------- free ----------+ | get_hints      | ack, not
 *                                               v                | taken
 *             ALLOCATED <-- ack, taken --- IN_FLIGHT ------------+
 *                                               |  ^
 *                                               +--+ alloc: taken, waits
 *
 *   the pull: IDLE --HOST_WANTS_PAGES--> WITH_HOST --+  ack, more is wanted
 *              ^                             |  ^    |
 *              +--- enough, or one round ----+  +----+
 *                   without anything new
 *
 * Promises, encoded in check():
 * - A page is in one state: its bit is set in at most one map, and in none
 *   while it is with the host. (With lazy clearing bits may be stale, and mean
 *   nothing until a pull has looked at the page.)
 * - Pages in flight are those of the one answer that the host has: sent minus
 *   acknowledged.
 * - While the device is there, every page on a free list or a CPU's list has a
 *   bit or is in flight. So nothing waits that was not handed over.
 * - An allocation that met a page in flight does not return before that page
 *   is acknowledged: it is noted as taken, and taken pages are in flight.
 * Beyond check(): a pull never hands over what is allocated (the contract test
 * keeps books), and the free lists are those of a guest without the design.
 *
 * Settled here, as the mail leaves it open: bits come from the lists when the
 * device appears; an acknowledged page that somebody waits for goes to him, not
 * back to the map; one round over the map ends a pull that finds too little.
 * Simplified: one answer is under way at a time, and a run goes as aligned
 * blocks. Deviation: pages that compaction has isolated are passed over; see
 * docs/fidelity.md.
 */
#include <errno.h>
#include <stdio.h>

#include "include/check.h"
#include "reporter/pull_bitmap.h"

static const char *const variant_names[] = { "global", "per_cpu", NULL };
static const char *const clear_names[] = { "atomic", "lazy_validate", NULL };
static const char *const cursor_names[] = { "resume", "restart", NULL };

#define OFFSET(member) offsetof(struct pull_bitmap_options, member)

static const struct option_desc pull_bitmap_descs[] = {
	{ .name = "variant", .type = OPTION_NAME, .offset = OFFSET(variant),
	  .names = variant_names, .def = "global", .unit = "",
	  .help = "one bitmap for all CPUs, or one for each" },
	{ .name = "remote_clear", .type = OPTION_NAME,
	  .offset = OFFSET(remote_clear), .names = clear_names,
	  .def = "atomic", .unit = "",
	  .help = "variant per_cpu: an allocation clears the bit in the map of "
		  "the CPU that freed, or a pull finds out" },
	{ .name = "cursor", .type = OPTION_NAME, .offset = OFFSET(cursor),
	  .names = cursor_names, .def = "resume", .unit = "",
	  .help = "where a pull begins: where the last one ended, or at the "
		  "first page" },
	{ .name = "order", .type = OPTION_UINT, .offset = OFFSET(order),
	  .min = 0, .max = MAX_PAGE_ORDER, .def = "0", .unit = "",
	  .help = "runs are trimmed to aligned blocks of this order" },
	{ .name = "capacity", .type = OPTION_UINT, .offset = OFFSET(capacity),
	  .min = 1, .max = REPORTER_MAX_CAPACITY, .def = "32",
	  .unit = "blocks", .help = "blocks per answer to the host" },
	{ .name = NULL },
};

static int pull_init(struct reporter *r, char *why, size_t why_size)
{
	const struct pull_bitmap_options *o = pull_options(r);
	struct pull_bitmap *s = r->state;
	int err;

	if (o->remote_clear == CLEAR_LAZY && o->variant == PULL_GLOBAL) {
		snprintf(why, why_size, "remote_clear = lazy_validate is for "
			 "variant = per_cpu: a global bitmap has no remote CPU");
		return -EINVAL;
	}
	s->lazy = o->remote_clear == CLEAR_LAZY;
	err = pull_maps_create(r);
	if (err)
		snprintf(why, why_size, "out of memory for bitmaps");
	return err;
}

static void pull_start(struct reporter *r)
{
	struct pull_bitmap *s = r->state;

	if (s->started)
		return;
	s->started = true;
	pull_maps_fill(r);
}

static void count_answer(struct reporter *r)
{
	const struct pull_bitmap *s = r->state;

	r->counters.report_calls++;
	for (unsigned int i = 0; i < s->nr; i++) {
		r->counters.blocks[s->sg[i].order]++;
		r->counters.pages += order_nr_pages(s->sg[i].order);
	}
}

/* Hand over what the round comes to next; nothing, or refused: it is over. */
static void answer(struct reporter *r)
{
	struct pull_bitmap *s = r->state;
	struct host_request rq = {
		.kind = REQUEST_ANSWER, .id = s->id,
		.discard_order = DISCARD_WHOLE, .entries = s->sg,
	};

	rq.nr = pull_get_hints(r);
	if (!rq.nr) {
		s->wanted = 0;
		return;
	}
	if (!r->env->send(r->env->ctx, &rq)) {
		count_answer(r);
		return;
	}
	r->counters.report_errors++;
	pull_put_hints(r);
	r->env->wake_stalled(r->env->ctx);
	s->wanted = 0;
}

/* A command while one is under way asks for so much from now on. */
static int pull_host_request(struct reporter *r, const struct host_command *c)
{
	const struct pull_bitmap_options *o = pull_options(r);
	struct pull_bitmap *s = r->state;

	if (c->kind != HOST_WANTS_PAGES)
		return -EOPNOTSUPP;
	if (!s->started)
		return 0;
	r->counters.requests++;
	s->id = c->id;
	s->wanted = c->pages;
	s->left = (uint64_t)s->nr_maps * s->nr_pages;
	if (o->cursor == CURSOR_RESTART) {
		s->map = 0;
		s->cursor = 0;
	}
	if (!s->nr)
		answer(r);
	return 0;
}

static void pull_reply(struct reporter *r, const struct host_request *rq,
		       const struct host_reply *reply)
{
	struct pull_bitmap *s = r->state;

	CHECK(s->nr > 0);
	CHECK_EQ(rq->nr, s->nr);
	if (reply->err)
		r->counters.report_errors++;
	pull_put_hints(r);
	r->env->wake_stalled(r->env->ctx);
	if (reply->err)
		s->wanted = 0;
	if (s->wanted)
		answer(r);
}

static void pull_stop(struct reporter *r)
{
	struct pull_bitmap *s = r->state;

	s->started = false;
	s->wanted = 0;
}

/* Nothing is ever scheduled. */
static void pull_process(struct reporter *r)
{
	(void)r;
	CHECK(false);
}

static void pull_drain(struct reporter *r, struct page_report *entries,
		       unsigned int nr, int err)
{
	(void)r;
	(void)entries;
	(void)nr;
	(void)err;
	CHECK(false);
}

static bool pull_idle(const struct reporter *r)
{
	const struct pull_bitmap *s = r->state;

	return !s->nr;
}

const struct reporter_ops pull_bitmap_reporter = {
	.name = "pull_bitmap",
	.summary = "the host pulls from a bitmap of free pages (Wang, 2019)",
	.options = { .descs = pull_bitmap_descs,
		     .size = sizeof(struct pull_bitmap_options) },
	.state_size = sizeof(struct pull_bitmap),
	.init = pull_init,
	.start = pull_start,
	.process = pull_process,
	.drain = pull_drain,
	.stop = pull_stop,
	.idle = pull_idle,
	.check = pull_bitmap_check,
	.destroy = pull_maps_destroy,
	.reply = pull_reply,
	.host_request = pull_host_request,
	.free_capture = pull_free_capture,
	.alloc_stall = pull_alloc_stall,
};
