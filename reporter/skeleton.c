/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Copy this file to start a design; docs/writing-a-reporter.md goes through it.
 * As it stands it looks at the lists whenever large blocks were freed, and
 * reports nothing, so that it can be built and tested and do no harm. With
 * `capacity` above 0 it is the smallest reporter that works.
 *
 * Start a design's file with its states, what moves it from one to the next,
 * and what it promises; check() then encodes the promises.
 *
 *          free_notify, start           delay is over
 *   IDLE ---------------------> WAITING -------------> a pass
 *    ^                             ^                    | | |
 *    |        the batch was full   |                    | | |
 *    |        or the pass was told |                    | | |
 *    |        of more frees        +--------------------+ | |
 *    +----------------------------------------------------+ |
 *    |     nothing to report       |                        | report()
 *    |                             |                        v
 *    +-----------------------------+--------------------- WITH_HOST
 *                      drain()
 *
 *   IDLE, WITH_HOST -> WAITING    want_pass; WITH_HOST only notes it
 *   WAITING -> WITH_HOST or IDLE  skeleton_process
 *   WITH_HOST -> WAITING or IDLE  skeleton_drain
 *   WAITING -> IDLE               skeleton_stop
 *
 * Promises: process() is scheduled exactly in WAITING; blocks are isolated
 * exactly in WITH_HOST; only blocks that the host acknowledged are marked.
 *
 * Say here, too, what is modelled (which kernel function, which release or
 * posting) and what is left out.
 */
#include "include/check.h"
#include "reporter/reporter.h"

/* Every option once: experiment files, help and manual come from the table. */
struct skeleton_options {
	uint64_t capacity; /* blocks per report; 0 = report nothing */
	uint64_t delay_ns;
};

#define OFFSET(member) offsetof(struct skeleton_options, member)

static const struct option_desc skeleton_descs[] = {
	{ .name = "capacity", .type = OPTION_UINT, .offset = OFFSET(capacity),
	  .min = 0, .max = REPORTER_MAX_CAPACITY, .def = "0",
	  .unit = "blocks", .help = "blocks per report; 0 reports nothing" },
	{ .name = "delay", .type = OPTION_TIME, .offset = OFFSET(delay_ns),
	  .min = NSEC_PER_MSEC, .max = 24 * 3600 * NSEC_PER_SEC,
	  .def = "1s", .unit = "",
	  .help = "time from a free to the pass that looks for it" },
	{ .name = NULL },
};

enum skeleton_state { IDLE, WAITING, WITH_HOST };

/*
 * All memory of a design: state_size bytes, zeroed before init(). There are
 * no static variables, because several guests live in one process.
 */
struct skeleton {
	enum skeleton_state state;
	bool started;      /* between start() and stop() */
	bool more;         /* another pass is wanted after this one */
	unsigned int nr;   /* blocks in entries, all with the host */
	struct page_report entries[REPORTER_MAX_CAPACITY];
};

static const struct skeleton_options *skeleton_options(const struct reporter *r)
{
	return r->options;
}

static void want_pass(struct reporter *r)
{
	struct skeleton *s = r->state;

	if (s->state == WITH_HOST)
		s->more = true;
	if (s->state != IDLE)
		return;
	s->state = WAITING;
	r->counters.requests++;
	r->env->schedule(r->env->ctx, skeleton_options(r)->delay_ns);
}

/*
 * Smallest order that the design wants to hear of. The allocator's paths below
 * it never call a hook, so choose the largest that does.
 */
static unsigned int skeleton_order(const struct reporter *r)
{
	return alloc_pageblock_order(r->env->view);
}

/*
 * A block of at least that order came to rest on a list. The zone lock is
 * held: change your own state, ask to be scheduled, and no more. The block may
 * be gone when process() runs.
 */
static void skeleton_notify(struct reporter *r, unsigned int zone, pfn_t pfn,
			    unsigned int order)
{
	const struct skeleton *s = r->state;

	(void)zone;
	(void)pfn;
	(void)order;
	if (s->started)
		want_pass(r);
}

/* Options are parsed and in range; refuse here what does not fit together. */
static int skeleton_init(struct reporter *r, char *why, size_t why_size)
{
	struct skeleton *s = r->state;

	(void)why;
	(void)why_size;
	s->state = IDLE;
	return 0;
}

static void skeleton_start(struct reporter *r)
{
	struct skeleton *s = r->state;

	s->started = true;
	want_pass(r);
}

/* Take unmarked blocks from one list, zone lock held. Returns visits. */
static uint32_t collect_list(struct reporter *r, unsigned int zone,
			     unsigned int order, enum migratetype mt)
{
	const struct alloc *a = r->env->view;
	struct skeleton *s = r->state;
	pfn_t pfn = alloc_list_first(a, zone, order, mt);
	uint32_t visits = 0;

	if (pfn != PFN_NONE)
		r->counters.lists_visited++;
	while (pfn != PFN_NONE && s->nr < skeleton_options(r)->capacity) {
		/* isolate() unlinks the block, so look ahead first. */
		const pfn_t next = alloc_list_next(a, pfn);

		visits++;
		if (alloc_block_marks(a, pfn) & BLOCK_REPORTED) {
			r->counters.skipped_marked++;
		} else if (!r->env->isolate(r->env->ctx, pfn)) {
			r->counters.isolate_refused++;
			break;
		} else {
			s->entries[s->nr++] = (struct page_report){
				.pfn = pfn, .order = (uint8_t)order,
				.migratetype = (uint8_t)mt,
				.zone = (uint8_t)zone,
			};
		}
		pfn = next;
	}
	return visits;
}

/* Lists are read and changed under the lock; unlock() is told the work. */
static void collect_zone(struct reporter *r, unsigned int zone)
{
	uint32_t visits = 0;

	r->env->lock(r->env->ctx, zone);
	for (unsigned int o = skeleton_order(r); o < NR_PAGE_ORDERS; o++)
		for (int mt = 0; mt < MIGRATE_ISOLATE; mt++)
			visits += collect_list(r, zone, o, mt);
	r->env->unlock(r->env->ctx, zone, visits);
	r->counters.list_visits += visits;
	if (r->counters.longest_hold < visits)
		r->counters.longest_hold = visits;
}

/* Put every block back, mark what the host has dropped. */
static void put_back(struct reporter *r, int err)
{
	const struct alloc *a = r->env->view;
	struct skeleton *s = r->state;

	for (unsigned int i = 0; i < s->nr; i++) {
		const struct page_report *e = &s->entries[i];

		r->env->lock(r->env->ctx, e->zone);
		r->env->putback(r->env->ctx, e->pfn, e->order,
				alloc_pageblock_type(a, e->pfn));
		/* It may have merged: the larger block is not all reported. */
		if (!alloc_is_free_head(a, e->pfn) ||
		    alloc_block_order(a, e->pfn) != e->order)
			r->counters.putback_merged++;
		else if (!err)
			r->env->set_mark(r->env->ctx, e->pfn, BLOCK_REPORTED);
		r->env->unlock(r->env->ctx, e->zone, 1);
	}
	s->nr = 0;
}

static void count_report(struct reporter *r)
{
	const struct skeleton *s = r->state;

	r->counters.report_calls++;
	for (unsigned int i = 0; i < s->nr; i++) {
		r->counters.blocks[s->entries[i].order]++;
		r->counters.pages += order_nr_pages(s->entries[i].order);
	}
}

/*
 * The delay is over. Never wait here: hand over a batch and return; what comes
 * next happens in drain(). A refused report() is over at once, without drain().
 */
static void skeleton_process(struct reporter *r)
{
	struct skeleton *s = r->state;
	const unsigned int nr_zones = alloc_nr_zones(r->env->view);
	int err;

	CHECK_EQ(s->state, WAITING);
	s->state = IDLE;
	r->counters.passes++;
	for (unsigned int zone = 0; zone < nr_zones; zone++)
		collect_zone(r, zone);
	if (!s->nr)
		return;
	err = r->env->report(r->env->ctx, s->entries, s->nr);
	if (err) {
		r->counters.report_errors++;
		put_back(r, err);
		return;
	}
	count_report(r);
	s->state = WITH_HOST;
	s->more = s->nr == skeleton_options(r)->capacity;
}

/* The host is done with the batch, or has failed: err is not 0. */
static void skeleton_drain(struct reporter *r, struct page_report *entries,
			   unsigned int nr, int err)
{
	struct skeleton *s = r->state;

	CHECK_EQ(s->state, WITH_HOST);
	CHECK(entries == s->entries);
	CHECK_EQ(nr, s->nr);
	if (err)
		r->counters.report_errors++;
	put_back(r, err);
	s->state = IDLE;
	if (s->more && s->started && !err)
		want_pass(r);
}

/* No new work from now on. A batch with the host still comes to drain(). */
static void skeleton_stop(struct reporter *r)
{
	struct skeleton *s = r->state;

	s->started = false;
	if (s->state != WAITING)
		return;
	r->env->cancel(r->env->ctx);
	s->state = IDLE;
}

static bool skeleton_idle(const struct reporter *r)
{
	const struct skeleton *s = r->state;

	return s->state == IDLE;
}

/*
 * Every promise of the comment on top, looked up in the real lists where it
 * can be. Tests call this after every event, so that a broken promise is found
 * where it breaks. NULL, or which promise it was.
 */
static const char *skeleton_check(const struct reporter *r)
{
	const struct skeleton *s = r->state;

	if (s->state == WITH_HOST && !s->nr)
		return "skeleton: WITH_HOST, but no block is";
	if (s->state != WITH_HOST && s->nr)
		return "skeleton: blocks isolated, but not with the host";
	for (unsigned int i = 0; i < s->nr; i++)
		if (alloc_is_free_head(r->env->view, s->entries[i].pfn))
			return "skeleton: a block with the host is on a list";
	return NULL;
}

/*
 * What init() took beyond state_size goes back here. At the end of a run a
 * batch may still be with the host; it goes with the guest.
 */
static void skeleton_destroy(struct reporter *r)
{
	(void)r;
}

const struct reporter_ops skeleton_reporter = {
	.name = "skeleton",
	.summary = "start of a design of your own; reports nothing",
	.options = { .descs = skeleton_descs,
		     .size = sizeof(struct skeleton_options) },
	.state_size = sizeof(struct skeleton),
	.init = skeleton_init,
	.start = skeleton_start,
	.process = skeleton_process,
	.drain = skeleton_drain,
	.stop = skeleton_stop,
	.idle = skeleton_idle,
	.check = skeleton_check,
	.destroy = skeleton_destroy,
	/* Hooks: leave out what the design does not need. */
	.notify_order = skeleton_order,
	.free_notify = skeleton_notify,
};
