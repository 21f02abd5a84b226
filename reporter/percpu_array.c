/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Per-CPU arrays of freed pages: models "KVM: Guest page hinting" by Nitesh
 * Narayan Lal, v8 (4 February 2019) and v9 (6 March 2019). Frees are remembered
 * where they happen; when a CPU has enough of them its own thread looks which
 * are free still, and reports those.
 *
 * Of each CPU:
 *
 *             enough entries             the thread runs, something is free
 *   CAPTURE ------------------> WAKING ------------------------> WITH_HOST
 *    ^  ^                        |  |                                 |
 *    |  +---- stop --------------+  | nothing is free any more        |
 *    |  +---------------------------+ or the host refused             |
 *    +----------------------------------------------------------------+
 *                              the host has answered
 *
 *   CAPTURE   -> WAKING     wake; v8: the array is full, and still is after
 *                           its pcp lists were drained and it was compacted
 *   WAKING    -> WITH_HOST  percpu_array_work
 *   WAKING    -> CAPTURE    percpu_array_work, percpu_array_stop
 *   WITH_HOST -> CAPTURE    percpu_array_reply; v9 may wake at once
 *
 * In v8 every free of the guest is remembered, whatever its order, before the
 * CPU's lists see it (arch_free_page); the array is emptied when the cycle is
 * over, and until then all frees of that CPU are lost. Its mail says that
 * compaction keeps only what is in the buddy; the author's tree of those days
 * (v8-snapshot) only joins entries of one free block and keeps pages that are
 * in use again until the scan. v9 remembers blocks of the largest order as they
 * come to rest, takes the zone lock once for all blocks of a zone, and empties
 * the array before it reports.
 *
 * Promises, encoded in check():
 * - No array has more than `capacity` entries, nor a report more blocks.
 * - Every free that the design was told of was remembered or lost, and counted
 *   as such.
 * - WAKING: there is something to look at; in v8 no two entries are of the same
 *   free block.
 * - Blocks are isolated in WITH_HOST only, and are on no list.
 *
 * Nothing is marked: a block that stays free and merges is reported again.
 * What is free when the device appears is never reported.
 *
 * Left out: the sysctl that switches it (stop and start do), and more than
 * `capacity` isolated blocks, which the tree had no check for: they are left
 * where they are and counted.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "include/check.h"
#include "reporter/percpu_array.h"

#define V9_THRESHOLD 16

static const char *const variant_names[] = { "v8", "v8-snapshot", "v9", NULL };

static const char *const order_names[] = {
	"variant", "0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10",
	NULL,
};

#define OFFSET(member) offsetof(struct percpu_array_options, member)

static const struct option_desc percpu_array_descs[] = {
	{ .name = "variant", .type = OPTION_NAME, .offset = OFFSET(variant),
	  .names = variant_names, .def = "v8", .unit = "",
	  .help = "posting that is followed: v8 as its mail says or as the "
		  "author's tree was, or v9" },
	{ .name = "order", .type = OPTION_NAME, .offset = OFFSET(order),
	  .names = order_names, .def = "variant", .unit = "",
	  .help = "smallest block order that is remembered; variant: 0 in v8, "
		  "10 in v9" },
	{ .name = "capacity", .type = OPTION_UINT, .offset = OFFSET(capacity),
	  .min = 1, .max = REPORTER_MAX_CAPACITY, .def = "1000",
	  .unit = "blocks", .help = "entries of the array of each CPU" },
	{ .name = "threshold", .type = OPTION_UINT,
	  .offset = OFFSET(threshold), .max = REPORTER_MAX_CAPACITY,
	  .def = "0", .unit = "blocks",
	  .help = "entries that wake the CPU's thread; 0: a full array in v8, "
		  "16 in v9" },
	{ .name = "wake_latency", .type = OPTION_TIME,
	  .offset = OFFSET(wake_ns), .max = 24 * 3600 * NSEC_PER_SEC,
	  .def = "0ns", .unit = "",
	  .help = "time from waking a thread until it runs" },
	{ .name = NULL },
};

static bool is_v9(const struct reporter *r)
{
	return percpu_array_options(r)->variant == ARRAY_V9;
}

static void set_sizes(struct reporter *r)
{
	const struct percpu_array_options *o = percpu_array_options(r);
	struct percpu_array *s = r->state;
	const unsigned int lowest = is_v9(r) ? MAX_PAGE_ORDER : 0;

	s->order = o->order ? o->order - 1 : lowest;
	s->capacity = (unsigned int)o->capacity;
	s->threshold = (unsigned int)o->threshold;
	if (!s->threshold)
		s->threshold = is_v9(r) ? V9_THRESHOLD : s->capacity;
	/* Less than half full, so that a search ends soon. */
	s->nr_seen = 1;
	while (s->nr_seen < 2 * s->capacity)
		s->nr_seen *= 2;
}

static void percpu_array_destroy(struct reporter *r)
{
	struct percpu_array *s = r->state;

	free(s->cpus);
	free(s->captured);
	free(s->isolated);
	free(s->seen);
}

static int percpu_array_init(struct reporter *r, char *why, size_t why_size)
{
	struct percpu_array *s = r->state;

	set_sizes(r);
	if (s->threshold > s->capacity) {
		snprintf(why, why_size,
			 "threshold %u is more than fits: capacity is %u",
			 s->threshold, s->capacity);
		return -EINVAL;
	}
	s->nr_cpus = alloc_nr_cpus(r->env->view);
	s->cpus = calloc(s->nr_cpus, sizeof(*s->cpus));
	s->captured = calloc((size_t)s->nr_cpus * s->capacity,
			     sizeof(*s->captured));
	s->isolated = calloc((size_t)s->nr_cpus * s->capacity,
			     sizeof(*s->isolated));
	s->seen = calloc(s->nr_seen, sizeof(*s->seen));
	if (!s->cpus || !s->captured || !s->isolated || !s->seen) {
		percpu_array_destroy(r);
		snprintf(why, why_size, "out of memory");
		return -ENOMEM;
	}
	for (unsigned int cpu = 0; cpu < s->nr_cpus; cpu++) {
		const size_t first = (size_t)cpu * s->capacity;

		s->cpus[cpu].captured = s->captured + first;
		s->cpus[cpu].isolated = s->isolated + first;
	}
	return 0;
}

static void percpu_array_start(struct reporter *r)
{
	struct percpu_array *s = r->state;

	s->registered = true;
}

static void wake(struct reporter *r, unsigned int cpu)
{
	struct percpu_array *s = r->state;

	CHECK_EQ(s->cpus[cpu].state, ARRAY_CAPTURE);
	s->cpus[cpu].state = ARRAY_WAKING;
	r->counters.requests++;
	r->env->queue_work(r->env->ctx, cpu, cpu,
			   percpu_array_options(r)->wake_ns);
}

/* Remember a free. False: it is lost. */
static bool capture(struct reporter *r, unsigned int cpu, unsigned int zone,
		    pfn_t pfn, unsigned int order)
{
	struct percpu_array *s = r->state;
	struct array_cpu *c = &s->cpus[cpu];

	s->frees++;
	if (c->nr == s->capacity || (c->state != ARRAY_CAPTURE && !is_v9(r))) {
		r->counters.captures_lost++;
		return false;
	}
	c->captured[c->nr++] = (struct captured_block){
		.pfn = pfn, .order = (uint8_t)order, .zone = (uint8_t)zone,
	};
	c->compacted = false;
	r->counters.captured++;
	r->env->charge(r->env->ctx, COST_LOCAL, 1);
	return true;
}

/* Models arch_free_page of v8, interrupts off. */
static void percpu_array_free_capture(struct reporter *r, unsigned int zone,
				      pfn_t pfn, unsigned int order,
				      unsigned int cpu)
{
	struct percpu_array *s = r->state;
	struct array_cpu *c = &s->cpus[cpu];

	if (!s->registered || order < s->order)
		return;
	if (!capture(r, cpu, zone, pfn, order) || c->nr < s->threshold)
		return;
	/* Pages on the CPU's own lists do not look free. */
	r->env->drain_pcp(r->env->ctx, cpu);
	percpu_array_compact(r, cpu);
	if (c->nr >= s->threshold)
		wake(r, cpu);
}

static unsigned int percpu_array_order(const struct reporter *r)
{
	const struct percpu_array *s = r->state;

	return is_v9(r) ? s->order : NR_PAGE_ORDERS;
}

/* v9: the end of __free_one_page, zone lock held. */
static void percpu_array_free_notify(struct reporter *r, unsigned int zone,
				     pfn_t pfn, unsigned int order)
{
	struct percpu_array *s = r->state;
	const unsigned int cpu = r->env->cpu(r->env->ctx);
	struct array_cpu *c = &s->cpus[cpu];

	if (!s->registered || !capture(r, cpu, zone, pfn, order))
		return;
	if (c->state == ARRAY_CAPTURE && c->nr >= s->threshold)
		wake(r, cpu);
}

static void percpu_array_trim_hooks(const struct reporter *r,
				    struct alloc_hooks *h)
{
	if (is_v9(r))
		h->free_capture = NULL;
	else
		h->free_notify = NULL;
}

static void cycle_over(struct reporter *r, unsigned int cpu)
{
	struct percpu_array *s = r->state;
	struct array_cpu *c = &s->cpus[cpu];

	c->state = ARRAY_CAPTURE;
	if (!is_v9(r) || !s->registered)
		c->nr = 0;
	else if (c->nr >= s->threshold)
		wake(r, cpu);
}

static void count_report(struct reporter *r, const struct array_cpu *c)
{
	r->counters.report_calls++;
	for (unsigned int i = 0; i < c->nr_isolated; i++) {
		r->counters.blocks[c->isolated[i].order]++;
		r->counters.pages += order_nr_pages(c->isolated[i].order);
	}
}

/* The thread of one CPU. */
static void percpu_array_work(struct reporter *r, unsigned int cpu)
{
	struct percpu_array *s = r->state;
	struct array_cpu *c = &s->cpus[cpu];
	struct host_request rq = {
		.kind = REQUEST_REPORT, .work = cpu,
		.discard_order = DISCARD_WHOLE, .entries = c->isolated,
	};

	CHECK_EQ(c->state, ARRAY_WAKING);
	r->counters.passes++;
	percpu_array_scan(r, cpu);
	if (is_v9(r))
		c->nr = 0;
	rq.nr = c->nr_isolated;
	if (rq.nr && !r->env->send(r->env->ctx, &rq)) {
		c->state = ARRAY_WITH_HOST;
		count_report(r, c);
		return;
	}
	if (rq.nr) {
		r->counters.report_errors++;
		percpu_array_put_back(r, cpu);
	}
	cycle_over(r, cpu);
}

static void percpu_array_reply(struct reporter *r,
			       const struct host_request *rq,
			       const struct host_reply *reply)
{
	struct percpu_array *s = r->state;
	const struct array_cpu *c = &s->cpus[rq->work];

	CHECK_EQ(c->state, ARRAY_WITH_HOST);
	CHECK_EQ(rq->nr, c->nr_isolated);
	if (reply->err)
		r->counters.report_errors++;
	percpu_array_put_back(r, rq->work);
	cycle_over(r, rq->work);
}

/* Threads that wait for the host are waited for. */
static void percpu_array_stop(struct reporter *r)
{
	struct percpu_array *s = r->state;

	s->registered = false;
	for (unsigned int cpu = 0; cpu < s->nr_cpus; cpu++) {
		struct array_cpu *c = &s->cpus[cpu];

		if (c->state == ARRAY_WAKING) {
			r->env->cancel_work(r->env->ctx, cpu);
			c->state = ARRAY_CAPTURE;
		}
		c->nr = 0;
	}
}

/* An array that is not full is nothing that anybody waits for. */
static bool percpu_array_idle(const struct reporter *r)
{
	const struct percpu_array *s = r->state;

	for (unsigned int cpu = 0; cpu < s->nr_cpus; cpu++)
		if (s->cpus[cpu].state != ARRAY_CAPTURE)
			return false;
	return true;
}

/* Its work is numbered by CPU; nothing is scheduled. */
static void percpu_array_process(struct reporter *r)
{
	(void)r;
}

/* Nothing goes through report(). */
static void percpu_array_drain(struct reporter *r, struct page_report *entries,
			       unsigned int nr, int err)
{
	(void)r;
	(void)entries;
	(void)nr;
	(void)err;
}

const struct reporter_ops percpu_array_reporter = {
	.name = "percpu_array",
	.summary = "frees remembered per CPU, as posted in February 2019",
	.options = { .descs = percpu_array_descs,
		     .size = sizeof(struct percpu_array_options) },
	.state_size = sizeof(struct percpu_array),
	.init = percpu_array_init,
	.start = percpu_array_start,
	.process = percpu_array_process,
	.drain = percpu_array_drain,
	.work = percpu_array_work,
	.reply = percpu_array_reply,
	.stop = percpu_array_stop,
	.idle = percpu_array_idle,
	.check = percpu_array_check,
	.destroy = percpu_array_destroy,
	.notify_order = percpu_array_order,
	.free_notify = percpu_array_free_notify,
	.free_capture = percpu_array_free_capture,
	.trim_hooks = percpu_array_trim_hooks,
};
