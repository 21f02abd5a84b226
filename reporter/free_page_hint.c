/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Free page hints for live migration: the guest takes its largest free blocks
 * away from itself and names them, so that the host need not send them.
 *
 *                       START, a new id: marker
 *    STOPPED ------------------------------------------> RUNNING
 *     ^  ^  |                                            |  |  | a block is
 *     |  |  | DONE: all blocks are freed                 |  +--+ allocated,
 *     |  +--+                                            |       held, sent
 *     +--------------------------------------------------+
 *        nothing more to be had, STOP or another id: marker; blocks stay held
 *
 *   a new id                 hint_host_request, hint_script
 *   STOPPED -> RUNNING       begin_run
 *   RUNNING -> STOPPED       end_run
 *   blocks freed             return_blocks: DONE, shrinker, end of the device
 *
 * While the queue has but one descriptor left, a block is allocated and freed
 * again, and the run waits for the host. Deviation: see docs/fidelity.md, the
 * kernel goes round this loop until then.
 *
 * Promises: held blocks are allocated, and as many as counted; after DONE there
 * is none; no more descriptors are with the host than the queue has; hints are
 * sent between two markers only.
 *
 * Models VIRTIO_BALLOON_F_FREE_PAGE_HINT of drivers/virtio/virtio_balloon.c
 * (5.3 to 6.18): virtballoon_changed, report_free_page_func,
 * get_free_page_and_send, return_free_pages_to_mm, shrink_free_pages. When the
 * host asks is QEMU's side (virtio_balloon_free_page_hint_notify, 5.1): a run
 * after each synchronisation of its dirty bitmap, DONE at the end. Left out: the
 * wait of the last run for the host's I/O thread, and that postcopy forbids it.
 */
#include "reporter/free_page_hint.h"

#include <errno.h>
#include <stdio.h>

#include "include/check.h"

/* Largest block; no reclaim, no reserves, no warning: what is free, at once. */
#define HINT_ORDER MAX_PAGE_ORDER
#define HINT_GFP (GFP_BIT_NORETRY | GFP_BIT_NOWARN | GFP_BIT_NOMEMALLOC)
/* Blocks of one callback; others may have their turn then. */
#define BLOCKS_PER_TURN 32

#define OFFSET(member) offsetof(struct hint_options, member)

static const struct option_desc hint_descs[] = {
	{ .name = "start_at", .type = OPTION_TIME,
	  .offset = OFFSET(start_at_ns), .max = 24 * 3600 * NSEC_PER_SEC,
	  .def = "1s", .unit = "",
	  .help = "when the host begins to migrate, from the start of the "
		  "device" },
	{ .name = "rounds", .type = OPTION_UINT, .offset = OFFSET(rounds),
	  .max = 1000, .def = "1", .unit = "runs",
	  .help = "runs of hints that the host asks for, then it is done; 0 "
		  "leaves it to the experiment's events" },
	{ .name = "round", .type = OPTION_TIME, .offset = OFFSET(round_ns),
	  .min = NSEC_PER_USEC, .max = 24 * 3600 * NSEC_PER_SEC,
	  .def = "1s", .unit = "",
	  .help = "from one run to the next, or to the end" },
	{ .name = "queue", .type = OPTION_UINT, .offset = OFFSET(queue),
	  .min = 2, .max = REPORTER_MAX_CAPACITY, .def = "128",
	  .unit = "descriptors", .help = "size of the queue for hints" },
	{ .name = "limit", .type = OPTION_SIZE, .offset = OFFSET(limit),
	  .def = "0", .unit = "bytes",
	  .help = "memory held at most; 0 = all that there is" },
	{ .name = NULL },
};

static const struct hint_options *hint_options(const struct reporter *r)
{
	return r->options;
}

static void queue_report(struct reporter *r)
{
	struct free_page_hint *s = r->state;

	s->queued = true;
	s->full = false;
	r->env->queue_work(r->env->ctx, WORK_REPORT, REPORTER_THIS_CPU, 0);
}

/* Models return_free_pages_to_mm: the newest first. Returns pages. */
static uint64_t return_blocks(struct reporter *r, uint64_t max_blocks)
{
	struct free_page_hint *s = r->state;
	uint64_t pages = 0;

	for (; max_blocks && s->held.newest != PFN_NONE; max_blocks--) {
		const pfn_t pfn = s->held.newest;

		balloon_pages_del(&s->held, pfn);
		r->env->free(r->env->ctx, pfn, HINT_ORDER);
		pages += order_nr_pages(HINT_ORDER);
	}
	return pages;
}

/* Models send_cmd_id_start and send_cmd_id_stop: an error is only told. */
static void send_marker(struct reporter *r, uint32_t id)
{
	struct free_page_hint *s = r->state;
	const struct host_request rq = { .kind = REQUEST_HINT, .id = id,
					 .work = WORK_REPORT };

	if (s->in_flight >= hint_options(r)->queue ||
	    r->env->send(r->env->ctx, &rq))
		r->counters.report_errors++;
	else
		s->in_flight++;
}

static void begin_run(struct reporter *r)
{
	struct free_page_hint *s = r->state;

	s->active = s->received;
	s->running = true;
	r->counters.requests++;
	send_marker(r, s->active);
}

static void end_run(struct reporter *r)
{
	struct free_page_hint *s = r->state;

	s->running = false;
	send_marker(r, HINT_ID_STOP);
}

static pfn_t take_block(struct reporter *r)
{
	const struct hint_options *o = hint_options(r);
	const struct free_page_hint *s = r->state;
	struct alloc_request rq = { .gfp = HINT_GFP, .order = HINT_ORDER };
	pfn_t pfn;

	if (o->limit && pages_to_bytes(s->held.nr +
				       order_nr_pages(HINT_ORDER)) > o->limit)
		return PFN_NONE;
	/* It may not reclaim, so there is nothing to be repeated. */
	if (r->env->allocate(r->env->ctx, &rq, &pfn) != ALLOC_OK)
		return PFN_NONE;
	return pfn;
}

enum sent { SENT, SENT_NOTHING, QUEUE_FULL };

/* Models get_free_page_and_send. */
static enum sent get_free_page_and_send(struct reporter *r)
{
	struct free_page_hint *s = r->state;
	const pfn_t pfn = take_block(r);
	struct host_request rq = { .kind = REQUEST_HINT, .nr = 1,
				   .id = s->active, .work = WORK_REPORT };
	uint16_t slot;

	if (pfn == PFN_NONE)
		return SENT_NOTHING;
	if (s->in_flight + 1 >= hint_options(r)->queue) {
		r->env->free(r->env->ctx, pfn, HINT_ORDER);
		r->counters.hint_polled++;
		return QUEUE_FULL;
	}
	slot = s->free_slots[s->nr_free - 1];
	s->slots[slot] = (struct page_report){
		.pfn = pfn, .order = HINT_ORDER,
		.zone = (uint8_t)alloc_zone_of(r->env->view, pfn),
	};
	rq.entries = &s->slots[slot];
	if (r->env->send(r->env->ctx, &rq)) {
		r->counters.report_errors++;
		r->env->free(r->env->ctx, pfn, HINT_ORDER);
		return SENT_NOTHING;
	}
	s->nr_free--;
	s->in_flight++;
	balloon_pages_add(&s->held, pfn, HINT_ORDER);
	r->counters.hint_sent += order_nr_pages(HINT_ORDER);
	return SENT;
}

/* Models report_free_page_func, a part of its loop at a time. */
static void report_free_page_func(struct reporter *r)
{
	struct free_page_hint *s = r->state;
	enum sent sent = SENT;

	s->queued = false;
	if (s->running && s->received != s->active)
		end_run(r);
	if (s->received == HINT_ID_DONE)
		return_blocks(r, UINT64_MAX);
	else if (!s->running && s->received != HINT_ID_STOP &&
		 s->received != s->active)
		begin_run(r);
	if (!s->running)
		return;
	for (unsigned int i = 0; i < BLOCKS_PER_TURN && sent == SENT; i++)
		sent = get_free_page_and_send(r);
	if (sent == SENT_NOTHING)
		end_run(r);
	else if (sent == QUEUE_FULL)
		s->full = true;
	else
		queue_report(r);
}

/* Models virtballoon_changed. */
static void set_command_id(struct reporter *r, uint32_t id)
{
	struct free_page_hint *s = r->state;

	s->received = id;
	if (!s->queued)
		queue_report(r);
}

static int hint_host_request(struct reporter *r,
			     const struct host_command *command)
{
	const struct free_page_hint *s = r->state;

	if (!s->started)
		return -ENODEV;
	switch (command->kind) {
	case HOST_HINT_START:
		if (command->id <= HINT_ID_DONE)
			return -EINVAL;
		set_command_id(r, command->id);
		return 0;
	case HOST_HINT_STOP:
		set_command_id(r, HINT_ID_STOP);
		return 0;
	case HOST_HINT_DONE:
		set_command_id(r, HINT_ID_DONE);
		return 0;
	default:
		return -EOPNOTSUPP;
	}
}

static void arm_script(struct reporter *r, sim_ns_t delay_ns)
{
	struct free_page_hint *s = r->state;

	s->script_armed = true;
	r->env->queue_work(r->env->ctx, WORK_SCRIPT, REPORTER_THIS_CPU,
			   delay_ns);
}

/* The host: a synchronisation of its dirty bitmap, or the end. */
static void hint_script(struct reporter *r)
{
	const struct hint_options *o = hint_options(r);
	struct free_page_hint *s = r->state;
	struct host_command c = { .kind = HOST_HINT_DONE };

	s->script_armed = false;
	if (s->rounds_begun < o->rounds) {
		c.kind = HOST_HINT_START;
		c.id = HINT_ID_FIRST + (uint32_t)s->rounds_begun++;
		arm_script(r, o->round_ns);
	}
	r->env->host_issues(r->env->ctx, &c);
	hint_host_request(r, &c);
}

static void hint_work(struct reporter *r, unsigned int nr)
{
	if (nr == WORK_SCRIPT)
		hint_script(r);
	else
		report_free_page_func(r);
}

static void hint_reply(struct reporter *r, const struct host_request *rq,
		       const struct host_reply *reply)
{
	struct free_page_hint *s = r->state;

	if (reply->err)
		r->counters.report_errors++;
	s->in_flight--;
	if (rq->nr)
		s->free_slots[s->nr_free++] =
			(uint16_t)(rq->entries - s->slots);
	if (s->full)
		queue_report(r);
}

/* Models shrink_free_pages. */
static uint64_t hint_shrink(struct reporter *r, uint64_t nr_pages)
{
	const uint64_t blocks = nr_pages / order_nr_pages(HINT_ORDER);
	const uint64_t freed = return_blocks(r, blocks ? blocks : 1);

	r->counters.hint_shrunk += freed;
	return freed;
}

static int hint_init(struct reporter *r, char *why, size_t why_size)
{
	struct free_page_hint *s = r->state;
	int err;

	for (unsigned int i = 0; i < REPORTER_MAX_CAPACITY; i++)
		s->free_slots[i] = (uint16_t)i;
	s->nr_free = REPORTER_MAX_CAPACITY;
	err = balloon_pages_init(&s->held, alloc_end_pfn(r->env->view));
	if (err)
		snprintf(why, why_size, "no memory for free page hints");
	return err;
}

static void hint_destroy(struct reporter *r)
{
	struct free_page_hint *s = r->state;

	balloon_pages_destroy(&s->held);
}

static void hint_start(struct reporter *r)
{
	const struct hint_options *o = hint_options(r);
	struct free_page_hint *s = r->state;

	if (s->started)
		return;
	s->started = true;
	s->rounds_begun = 0;
	if (o->rounds)
		arm_script(r, o->start_at_ns);
}

static void hint_stop(struct reporter *r)
{
	struct free_page_hint *s = r->state;

	s->started = s->running = s->queued = s->script_armed = false;
	s->full = false;
	s->received = s->active = HINT_ID_STOP;
	r->env->cancel_work(r->env->ctx, WORK_REPORT);
	r->env->cancel_work(r->env->ctx, WORK_SCRIPT);
	return_blocks(r, UINT64_MAX);
}

static void hint_process(struct reporter *r)
{
	(void)r;
}

static void hint_drain(struct reporter *r, struct page_report *entries,
		       unsigned int nr, int err)
{
	(void)r;
	(void)entries;
	(void)nr;
	(void)err;
	CHECK_MSG(false, "hints are no reports");
}

static bool hint_idle(const struct reporter *r)
{
	const struct free_page_hint *s = r->state;

	return !s->queued && !s->running && !s->in_flight && !s->script_armed;
}

static const char *hint_check(const struct reporter *r)
{
	const struct free_page_hint *s = r->state;
	uint64_t nr = 0;

	if (s->full && !s->in_flight)
		return "free_page_hint: waits for a host that has nothing";
	if (s->in_flight > hint_options(r)->queue)
		return "free_page_hint: more with the host than the queue has";
	if (s->running && !s->queued && !s->full)
		return "free_page_hint: a run without work";
	if (s->received == HINT_ID_DONE && !s->queued && s->held.nr)
		return "free_page_hint: blocks are held after DONE";
	for (pfn_t pfn = s->held.newest; pfn != PFN_NONE;
	     pfn = s->held.links[pfn].next) {
		nr += order_nr_pages(HINT_ORDER);
		if (nr > s->held.nr)
			break;
		if (!alloc_block_is_allocated(r->env->view, pfn, HINT_ORDER))
			return "free_page_hint: a held block is free";
	}
	if (nr != s->held.nr)
		return "free_page_hint: blocks and their number differ";
	return NULL;
}

const struct reporter_ops free_page_hint_reporter = {
	.name = "free_page_hint",
	.summary = "blocks that a live migration need not send, as it asks",
	.options = { .descs = hint_descs,
		     .size = sizeof(struct hint_options) },
	.state_size = sizeof(struct free_page_hint),
	.init = hint_init,
	.start = hint_start,
	.process = hint_process,
	.drain = hint_drain,
	.stop = hint_stop,
	.idle = hint_idle,
	.check = hint_check,
	.destroy = hint_destroy,
	.work = hint_work,
	.reply = hint_reply,
	.host_request = hint_host_request,
	.shrink = hint_shrink,
};
