/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The memory balloon: the host names a size, the guest allocates pages until
 * it holds as many, and the host discards what is behind them.
 *
 *           set_target, target_at
 *    IDLE ------------------------> QUEUED <-----------------------------+
 *     ^ ^                           |    |                               |
 *     | |          too few pages    |    |   too many                    |
 *     | |     +---------------------+    +-------------+                 |
 *     | |     | up to 256 units are                    | up to 256, the  |
 *     | |     | allocated                              | newest first    |
 *     | |     |                                        v                 |
 *     | |     |--- none to be had --> SLEEPING     DEFLATING --reply()-->|
 *     | |     |                          | 200 ms   the pages are freed  |
 *     | |     v                          v                               |
 *     | |   INFLATING <--- with what it has, or QUEUED again             |
 *     | |     |                                                          |
 *     | +-----+ reply(), at the target          reply(), not there yet --+
 *     +------------------------------------------------------------------+
 *
 *   * -> QUEUED                  balloon_set_target, balloon_step_done
 *   QUEUED, SLEEPING -> ...      balloon_size_func
 *   INFLATING, DEFLATING -> ...  balloon_step_done
 *
 * In INFLATING and DEFLATING the balloon's mutex is held: compaction is told to
 * try again, and an OOM notifier waits.
 *
 * Promises: no page of the balloon is free, none is freed before the host knows;
 * a request has at most `batch` units; the host is told the size after every
 * step; managed pages and balloon pages add up; a balloon page that is moved is
 * exchanged one for one.
 *
 * Models drivers/virtio/virtio_balloon.c and mm/balloon_compaction.c (5.3 to
 * 6.18): fill_balloon, leak_balloon, update_balloon_size_func,
 * virtballoon_oom_notify (5.7 on), virtio_balloon_shrinker_scan (5.3),
 * virtballoon_migratepage, stats_handle_request. unit_order = 9 is the RFC
 * "virtio-balloon: Add VIRTIO_BALLOON_F_THP_ORDER" (12 March 2020); the
 * options fallback, movable, direct_compaction, queue and unit_order = host are
 * what CONT_PAGES (v2 to v4, to July 2020) and the review made of it. Left out:
 * freezing for suspend, the config lock, rate limits of messages.
 */
#include "reporter/balloon.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "include/check.h"

#define OFFSET(member) offsetof(struct balloon_options, member)

static const char *const order_names[] = {
	"0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "host", NULL
};
static const char *const movable_names[] = { "auto", "on", "off", NULL };
static const char *const queue_names[] = { "pfn", "range", NULL };
static const char *const oom_names[] = {
	"off", "notifier", "shrinker", "release", NULL
};

/* A host that asked more often would do nothing else. */
#define STATS_MIN_NS (100 * NSEC_PER_USEC)

_Static_assert(ARRAY_SIZE(order_names) == UNIT_ORDER_HOST + 2,
	       "one name an order, then the host's");

static const struct option_desc balloon_descs[] = {
	{ .name = "target", .type = OPTION_SIZE, .offset = OFFSET(target),
	  .def = "0", .unit = "bytes",
	  .help = "memory that the balloon is to hold" },
	{ .name = "target_at", .type = OPTION_TIME,
	  .offset = OFFSET(target_at_ns), .max = 24 * 3600 * NSEC_PER_SEC,
	  .def = "0s", .unit = "",
	  .help = "when the host asks for it, from the start of the device" },
	{ .name = "unit_order", .type = OPTION_NAME,
	  .offset = OFFSET(unit_order), .names = order_names, .def = "0",
	  .unit = "order",
	  .help = "block that counts as one unit; host: as large as the "
		  "host's huge page" },
	{ .name = "batch", .type = OPTION_UINT, .offset = OFFSET(batch),
	  .min = 1, .max = REPORTER_MAX_CAPACITY, .def = "256",
	  .unit = "units", .help = "units of one request" },
	{ .name = "fallback", .type = OPTION_BOOL, .offset = OFFSET(fallback),
	  .def = "off", .unit = "",
	  .help = "take smaller blocks where none of unit_order is left" },
	{ .name = "movable", .type = OPTION_NAME, .offset = OFFSET(movable),
	  .names = movable_names, .def = "auto", .unit = "",
	  .help = "compaction can move the pages, larger blocks are split for "
		  "it; auto: units of order 0 only" },
	{ .name = "direct_compaction", .type = OPTION_BOOL,
	  .offset = OFFSET(direct_compaction), .def = "off", .unit = "",
	  .help = "blocks above order 0 may be compacted for" },
	{ .name = "queue", .type = OPTION_NAME, .offset = OFFSET(queue),
	  .names = queue_names, .def = "pfn", .unit = "",
	  .help = "the host discards 4 KiB at a time (pfn) or each block in "
		  "one call (range)" },
	{ .name = "deflate_on_oom", .type = OPTION_NAME, .offset = OFFSET(oom),
	  .names = oom_names, .def = "off", .unit = "",
	  .help = "give pages back to a guest without memory; release: as the "
		  "kernel does it, shrinker in 5.3, notifier from 5.7 on" },
	{ .name = "oom_pages", .type = OPTION_UINT,
	  .offset = OFFSET(oom_pages), .min = 1, .max = 1u << 20,
	  .def = "256", .unit = "pages",
	  .help = "given back for one OOM notification" },
	{ .name = "retry", .type = OPTION_TIME, .offset = OFFSET(retry_ns),
	  .min = 100 * NSEC_PER_USEC, .max = 3600 * NSEC_PER_SEC,
	  .def = "200ms",
	  .unit = "", .help = "sleep after an allocation failed" },
	{ .name = "stats", .type = OPTION_TIME, .offset = OFFSET(stats_ns),
	  .max = 24 * 3600 * NSEC_PER_SEC, .def = "0s", .unit = "",
	  .help = "how often the host asks for statistics; 0s = never" },
	{ .name = NULL },
};

static void choose_oom(const struct reporter *r)
{
	const bool old = !alloc_profile_of(r->env->view)->reporting;
	struct balloon *s = r->state;

	switch ((enum balloon_oom)balloon_options(r)->oom) {
	case OOM_OFF:
		break;
	case OOM_NOTIFIER:
		s->notifier = true;
		break;
	case OOM_SHRINKER:
		s->shrinker = true;
		break;
	case OOM_RELEASE:
		/* 4.20 to 5.5 had the shrinker: as old as no reporting. */
		s->shrinker = old;
		s->notifier = !old;
		break;
	}
}

static int balloon_init(struct reporter *r, char *why, size_t why_size)
{
	const struct balloon_options *o = balloon_options(r);
	struct balloon *s = r->state;
	int err;

	if (o->queue == QUEUE_RANGE && !o->unit_order) {
		snprintf(why, why_size, "queue = range is for units above "
			 "order 0; give unit_order = 9 or host");
		return -EINVAL;
	}
	if (o->stats_ns && o->stats_ns < STATS_MIN_NS) {
		snprintf(why, why_size, "stats = %" PRIu64 "ns: the shortest "
			 "is 100us; 0s asks for none", o->stats_ns);
		return -EINVAL;
	}
	s->movable = o->movable == MOVABLE_ON ||
		     (o->movable == MOVABLE_AUTO && !o->unit_order);
	choose_oom(r);
	err = balloon_pages_init(&s->pages, alloc_end_pfn(r->env->view));
	if (err)
		snprintf(why, why_size, "no memory for a balloon");
	return err;
}

static void balloon_destroy(struct reporter *r)
{
	struct balloon *s = r->state;

	balloon_pages_destroy(&s->pages);
}

/* Models virtballoon_changed: the size work looks at the target itself. */
static void balloon_set_target(struct reporter *r, uint64_t pages)
{
	struct balloon *s = r->state;
	const uint64_t unit = order_nr_pages(balloon_unit_order(r));

	/* The configuration counts units: a remainder cannot be asked for. */
	s->target = balloon_options(r)->fallback ? pages : pages / unit * unit;
	r->counters.balloon_target = s->target;
	r->counters.requests++;
	if (s->state != BALLOON_IDLE || !s->started ||
	    s->pages.nr == s->target)
		return;
	s->state = BALLOON_QUEUED;
	r->env->queue_work(r->env->ctx, WORK_SIZE, REPORTER_THIS_CPU, 0);
}

static void balloon_start(struct reporter *r)
{
	const struct balloon_options *o = balloon_options(r);
	struct balloon *s = r->state;

	if (s->started)
		return;
	s->started = true;
	s->managed = balloon_managed_pages(r);
	if (balloon_options(r)->oom == OOM_OFF)
		s->managed += s->pages.nr;
	if (o->target) {
		s->waits_for_target = true;
		r->env->queue_work(r->env->ctx, WORK_TARGET,
				   REPORTER_THIS_CPU, o->target_at_ns);
	}
	if (o->stats_ns)
		r->env->queue_work(r->env->ctx, WORK_STATS,
				   REPORTER_THIS_CPU, o->stats_ns);
}

/* Models stats_handle_request: the buffer goes back with fresh values. */
static void balloon_stats(struct reporter *r)
{
	struct balloon *s = r->state;
	const struct host_request rq = { .kind = REQUEST_STATS,
					 .work = WORK_STATS };

	if (s->stats_busy)
		return;
	r->env->guest_stats(r->env->ctx, &s->stats);
	s->stats_busy = !r->env->send(r->env->ctx, &rq);
}

static void balloon_work(struct reporter *r, unsigned int nr)
{
	const struct balloon_options *o = balloon_options(r);
	struct balloon *s = r->state;

	switch ((enum balloon_work)nr) {
	case WORK_SIZE:
		balloon_size_func(r);
		break;
	case WORK_TARGET:
		s->waits_for_target = false;
		balloon_set_target(r, bytes_to_pages(o->target));
		break;
	case WORK_STATS:
		balloon_stats(r);
		if (o->stats_ns)
			r->env->queue_work(r->env->ctx, WORK_STATS,
					   REPORTER_THIS_CPU, o->stats_ns);
		break;
	}
}

/* The queues have no status: what the host made of it is not known. */
static void balloon_reply(struct reporter *r, const struct host_request *rq,
			  const struct host_reply *reply)
{
	struct balloon *s = r->state;

	if (reply->err)
		r->counters.report_errors++;
	if (rq->kind == REQUEST_STATS)
		s->stats_busy = false;
	else
		balloon_step_done(r, rq->kind);
}

static int balloon_host_request(struct reporter *r,
				const struct host_command *command)
{
	if (command->kind != HOST_WANTS_STATS)
		return -EOPNOTSUPP;
	balloon_stats(r);
	return 0;
}

static bool lock_held(const struct balloon *s)
{
	return s->state == BALLOON_INFLATING || s->state == BALLOON_DEFLATING;
}

/* Models virtballoon_oom_notify. */
static uint64_t balloon_oom_notify(struct reporter *r)
{
	struct balloon *s = r->state;

	if (!s->notifier || !s->pages.nr)
		return 0;
	if (lock_held(s)) {
		s->oom_waits = true;
		return REPORTER_WAIT;
	}
	return balloon_leak_now(r, balloon_options(r)->oom_pages);
}

/* Models virtio_balloon_shrinker_scan of 5.3. */
static uint64_t balloon_shrink(struct reporter *r, uint64_t nr_pages)
{
	struct balloon *s = r->state;
	uint64_t freed = 0, step;

	if (!s->shrinker || lock_held(s))
		return 0;
	while (freed < nr_pages && s->pages.nr) {
		step = balloon_leak_now(r, nr_pages - freed);
		if (!step)
			break;
		freed += step;
	}
	return freed;
}

static bool balloon_owns_page(const struct reporter *r, pfn_t pfn)
{
	const struct balloon *s = r->state;

	return s->movable && balloon_pages_has(&s->pages, pfn);
}

/* One page, and the host is told and waited for. */
static void tell_one(struct reporter *r, enum request_kind kind, pfn_t pfn)
{
	struct balloon *s = r->state;
	const struct host_request rq = { .kind = kind, .entries = s->now,
					 .nr = 1 };
	struct host_reply reply;

	s->now[0] = (struct page_report){
		.pfn = pfn, .zone = (uint8_t)alloc_zone_of(r->env->view, pfn),
	};
	if (r->env->call(r->env->ctx, &rq, &reply))
		r->counters.report_errors++;
}

/* Models virtballoon_migratepage: two round trips a page. */
static int balloon_migrate_page(struct reporter *r, pfn_t from, pfn_t to)
{
	struct balloon *s = r->state;

	if (lock_held(s))
		return -EAGAIN;
	balloon_adjust_managed(r, from, 0, true);
	balloon_adjust_managed(r, to, 0, false);
	balloon_pages_del(&s->pages, from);
	balloon_pages_add(&s->pages, to, 0);
	r->env->set_movable(r->env->ctx, to, 1, true);
	r->counters.balloon_migrate++;
	tell_one(r, REQUEST_INFLATE, to);
	tell_one(r, REQUEST_DEFLATE, from);
	r->env->set_movable(r->env->ctx, from, 1, false);
	return 0;
}

/* Models virtballoon_remove: what is in the balloon goes back. */
static void balloon_stop(struct reporter *r)
{
	struct balloon *s = r->state;

	s->started = false;
	s->waits_for_target = false;
	r->env->cancel_work(r->env->ctx, WORK_TARGET);
	r->env->cancel_work(r->env->ctx, WORK_STATS);
	if (lock_held(s))
		return;
	r->env->cancel_work(r->env->ctx, WORK_SIZE);
	s->in_request = false;
	balloon_drop_batch(r);
	s->state = BALLOON_IDLE;
	balloon_leak_all(r);
}

static void balloon_process(struct reporter *r)
{
	(void)r;
}

static void balloon_drain(struct reporter *r, struct page_report *entries,
			  unsigned int nr, int err)
{
	(void)r;
	(void)entries;
	(void)nr;
	(void)err;
	CHECK_MSG(false, "the balloon reports nothing");
}

static bool balloon_idle(const struct reporter *r)
{
	const struct balloon *s = r->state;

	return s->state == BALLOON_IDLE && !s->stats_busy &&
	       !s->waits_for_target;
}

const struct reporter_ops balloon_reporter = {
	.name = "balloon",
	.summary = "virtio balloon: the guest gives up pages as the host asks",
	.options = { .descs = balloon_descs,
		     .size = sizeof(struct balloon_options) },
	.state_size = sizeof(struct balloon),
	.init = balloon_init,
	.start = balloon_start,
	.process = balloon_process,
	.drain = balloon_drain,
	.stop = balloon_stop,
	.idle = balloon_idle,
	.check = balloon_check,
	.destroy = balloon_destroy,
	.work = balloon_work,
	.reply = balloon_reply,
	.set_target = balloon_set_target,
	.host_request = balloon_host_request,
	.oom_notify = balloon_oom_notify,
	.shrink = balloon_shrink,
	.owns_page = balloon_owns_page,
	.migrate_page = balloon_migrate_page,
};
