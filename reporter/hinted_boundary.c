/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Free page hinting with a boundary on every list: models mm/page_hinting.c
 * and the hooks of the series "mm / virtio: Provide support for page hinting",
 * v2, 24 July 2019 (against 5.3-rc). Hinted blocks are kept at the tail of
 * their list, behind a boundary, so that the walk never meets them again and
 * allocations take them last.
 *
 * Of each zone:
 *
 *           free_notify: nr_free >= hinted_count + threshold; start
 *   quiet ------------------------------------------------------> REQUESTED
 *    ^                                                                |
 *    |   a batch was not full, the host refused, or stop              |
 *    +----------------------------------------------------------------+
 *
 * Of the worker, of which there is one:
 *
 *            first zone requested           delay is over
 *   IDLE --------------------------> ARMED ---------------> RUNNING
 *    ^  ^                              |                       |
 *    |  +------------- stop -----------+                       |
 *    +---------------------------------------------------------+
 *                      no zone is REQUESTED any more
 *
 *   quiet     -> REQUESTED   request_zone; refcount counts the zones
 *   REQUESTED -> quiet       hinted_boundary_clear_request
 *   IDLE      -> ARMED       request_zone
 *   ARMED     -> RUNNING     hinted_boundary_process
 *   RUNNING   -> IDLE        worker_run, after a round without requests
 *   ARMED     -> IDLE        hinted_boundary_stop
 *
 * While RUNNING at most one zone is ACTIVE: the boundaries belong to it, and
 * whatever goes to the tail of its lists goes in front of them.
 *
 * Promises, encoded in check():
 * - refcount is the number of zones REQUESTED. It is above 0 while the worker
 *   is armed; when the worker stops it is 0 and nothing is armed.
 * - hinted_count is the number of blocks of that order marked HINTED; none is
 *   below the hinting order, and blocks with the host are on no list.
 * - A boundary of the active zone is a HINTED block on its own list, or the
 *   end. From it to the tail everything is HINTED, except on a list that was
 *   given up with both ends HINTED (below).
 * - A batch holds at most `capacity` blocks.
 *
 * Option variant = v10 is the "reported boundary" of September 2019, when the
 * series was called unused page reporting. The walk skips marked blocks and
 * takes the boundary along instead of trying the head, so no list is given up.
 * Blocks are isolated with the watermark test of compaction, a refusal ends the
 * walk of the list, and they return to the list of their pageblock. Isolate and
 * CMA lists are left out. watermark_gate is of v13 (November 2019), the last
 * with boundaries: no zone without low watermark + a full batch free.
 *
 * Option variant = may2019 is the RFC "waste page treatment" of 30 May 2019, with
 * which it began; see hinted_boundary_may.c.
 *
 * Known properties of v2 that are kept: no watermark is looked at when
 * blocks are taken; unhinted blocks between hinted ones are never found, and
 * they may let every free of a large block start another, fruitless cycle;
 * isolate and CMA lists are hinted, too. Compaction that rotates a list of the
 * active zone (5.1 on) can break the hinted run.
 *
 * Simplified: hinted_count is allocated before every batch of a zone, not before
 * its first; the endless loop of v2 when that fails is kept. A request while
 * the worker runs does not arm it a
 * second time: the worker sees it before it ends.
 */
#include <string.h>

#include "include/check.h"
#include "reporter/hinted_boundary.h"

/* HZ = 250 */
#define SPIN_NS (4 * NSEC_PER_MSEC)

static const char *const variant_names[] = { "v2", "v10", "may2019", NULL };

static const char *const counts_names[] = { "apart", "free_area", NULL };

static const char *const order_names[] = {
	"pageblock", "0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10",
	NULL,
};

#define OFFSET(member) offsetof(struct hinted_boundary_options, member)

static const struct option_desc hinted_boundary_descs[] = {
	{ .name = "order", .type = OPTION_NAME, .offset = OFFSET(order),
	  .names = order_names, .def = "pageblock", .unit = "",
	  .help = "smallest block order that is hinted" },
	{ .name = "capacity", .type = OPTION_UINT, .offset = OFFSET(capacity),
	  .min = 1, .max = REPORTER_MAX_CAPACITY, .def = "32",
	  .unit = "blocks", .help = "blocks per report call" },
	{ .name = "delay", .type = OPTION_TIME, .offset = OFFSET(delay_ns),
	  .max = 24 * 3600 * NSEC_PER_SEC, .def = "100ms", .unit = "",
	  .help = "time from the first request to the work" },
	{ .name = "threshold", .type = OPTION_UINT,
	  .offset = OFFSET(threshold), .min = 1, .max = UINT32_MAX,
	  .def = "32", .unit = "blocks",
	  .help = "unhinted blocks of one order that make a zone request" },
	{ .name = "variant", .type = OPTION_NAME, .offset = OFFSET(variant),
	  .names = variant_names, .def = "v2", .unit = "",
	  .help = "posting that is followed: v2 of July, v10 of September or "
		  "the RFC of May 2019" },
	{ .name = "watermark_gate", .type = OPTION_BOOL,
	  .offset = OFFSET(watermark_gate), .def = "off", .unit = "",
	  .help = "skip zones without low watermark + a full batch free" },
	{ .name = "counts", .type = OPTION_NAME, .offset = OFFSET(counts),
	  .names = counts_names, .def = "apart", .unit = "",
	  .help = "free_area: the count of the largest order is on a line "
		  "with the zone lock, and costs what a shared line costs" },
	{ .name = NULL },
};

uint64_t hinted_boundary_raw(const struct reporter *r, unsigned int zone,
			     unsigned int order)
{
	const struct hinted_boundary *s = r->state;
	const uint64_t hinted = s->zones[zone].hinted_count[order];
	const uint64_t all = alloc_nr_free(r->env->view, zone, order);

	return all > hinted ? all - hinted : 0;
}

/* Unhinted blocks of one order that make a zone request. */
static uint64_t threshold(const struct reporter *r)
{
	const struct hinted_boundary *s = r->state;

	return is_may(r) ? UINT64_C(2) * s->capacity :
			   hinted_boundary_options(r)->threshold;
}

/* Models __page_hinting_request. */
static void request_zone(struct reporter *r, unsigned int zone)
{
	struct hinted_boundary *s = r->state;

	if (s->zones[zone].requested)
		return;
	s->zones[zone].requested = true;
	r->counters.requests++;
	if (s->refcount++ || s->running)
		return;
	s->armed = true;
	r->env->schedule(r->env->ctx, is_may(r) ? 0 :
			 hinted_boundary_options(r)->delay_ns);
}

void hinted_boundary_clear_request(struct hinted_boundary *s,
				   unsigned int zone)
{
	if (!s->zones[zone].requested)
		return;
	CHECK_LE(1, s->refcount);
	s->zones[zone].requested = false;
	s->refcount--;
}

static unsigned int hinted_boundary_order(const struct reporter *r)
{
	const struct hinted_boundary *s = r->state;

	return s->order;
}

/* Models page_hinting_notify_free. */
static void hinted_boundary_notify_free(struct reporter *r, unsigned int zone,
					pfn_t pfn, unsigned int order)
{
	const struct hinted_boundary *s = r->state;

	(void)pfn;
	if (!s->registered || s->zones[zone].requested)
		return;
	if (hinted_boundary_raw(r, zone, order) >= threshold(r))
		request_zone(r, zone);
}

/*
 * Deviation: v2 takes the next block, whatever it is. On a list that was given
 * up it may be an unhinted one, which then leaves without a word and takes the
 * boundary with it; see docs/fidelity.md.
 */
static pfn_t next_hinted(const struct alloc *a, pfn_t pfn)
{
	do {
		pfn = alloc_list_next(a, pfn);
	} while (pfn != PFN_NONE && !is_hinted(a, pfn));
	return pfn;
}

/* Models clear_page_hinted and page_hinting_del_from_boundary. */
static void hinted_boundary_unmark(struct reporter *r, unsigned int zone,
				   pfn_t pfn, unsigned int order,
				   enum migratetype mt, enum unmark_reason why)
{
	struct hinted_boundary *s = r->state;
	const struct alloc *a = r->env->view;

	(void)why;
	if (!is_hinted(a, pfn))
		return;
	CHECK_LE(1, s->zones[zone].hinted_count[order]);
	s->zones[zone].hinted_count[order]--;
	hinted_count_changes(r, order);
	r->counters.refault_pages += order_nr_pages(order);
	if (s->active == (int)zone && s->boundary[order][mt] == pfn)
		s->boundary[order][mt] = next_hinted(a, pfn);
	if (is_may(r) && s->membranes[zone][order].pfn == pfn)
		s->membranes[zone][order].pfn = next_hinted(a, pfn);
}

/* May 2019: the parts of a split block are as hinted as the whole was. */
static void hinted_boundary_marked(struct reporter *r, unsigned int zone,
				   pfn_t pfn, unsigned int order,
				   enum migratetype mt)
{
	struct hinted_boundary *s = r->state;

	(void)pfn;
	(void)mt;
	s->zones[zone].hinted_count[order]++;
	hinted_count_changes(r, order);
	r->counters.marked_pages += order_nr_pages(order);
}

/* v10: compaction resets the boundary of a list that it rotates. */
static void hinted_boundary_rotated(struct reporter *r, unsigned int zone,
				    unsigned int order, enum migratetype mt)
{
	struct hinted_boundary *s = r->state;

	if (s->active == (int)zone)
		s->boundary[order][mt] = PFN_NONE;
}

static void hinted_boundary_trim_hooks(const struct reporter *r,
				       struct alloc_hooks *h)
{
	if (!is_may(r)) {
		h->marks_kept_on_split = 0;
		h->block_marked = NULL;
	}
	if (hinted_boundary_options(r)->variant != BOUNDARY_V10)
		h->list_rotated = NULL;
}

/* Models get_unhinted_tail: the tail ends where the hinted blocks begin. */
static pfn_t hinted_boundary_tail_position(struct reporter *r,
					   unsigned int zone,
					   unsigned int order,
					   enum migratetype mt)
{
	const struct hinted_boundary *s = r->state;
	const struct hinted_membrane *m = &s->membranes[zone][order];

	if (is_may(r))
		return s->decanting && m->mt == mt ? m->pfn : PFN_NONE;
	return s->active == (int)zone ? s->boundary[order][mt] : PFN_NONE;
}

static bool hinted_boundary_position(const struct reporter *r,
				     unsigned int zone, unsigned int order,
				     enum migratetype mt, pfn_t *pfn)
{
	const struct hinted_boundary *s = r->state;

	if (is_may(r) && s->membranes[zone][order].mt == mt) {
		*pfn = s->membranes[zone][order].pfn;
		return order >= s->order;
	}
	if (s->active != (int)zone || order < s->order)
		return false;
	*pfn = s->boundary[order][mt];
	return true;
}

static int hinted_boundary_init(struct reporter *r, char *why, size_t why_size)
{
	const struct hinted_boundary_options *o = hinted_boundary_options(r);
	struct hinted_boundary *s = r->state;

	(void)why;
	(void)why_size;
	s->order = o->order ? o->order - 1 :
			      alloc_pageblock_order(r->env->view);
	s->capacity = (unsigned int)o->capacity;
	s->active = NO_ZONE;
	for (unsigned int zone = 0; zone < ALLOC_MAX_ZONES; zone++)
		for (unsigned int order = 0; order < NR_PAGE_ORDERS; order++)
			s->membranes[zone][order].pfn = PFN_NONE;
	hinted_boundary_take_over(r);
	return 0;
}

/* Models page_hinting_startup: every populated zone, unconditionally. */
static void hinted_boundary_start(struct reporter *r)
{
	struct hinted_boundary *s = r->state;
	const unsigned int nr_zones = alloc_nr_zones(r->env->view);

	s->registered = true;
	/* May 2019 waits for the first free. */
	for (unsigned int zone = 0; zone < nr_zones; zone++) {
		struct alloc_zone_info info;

		alloc_zone_info(r->env->view, zone, &info);
		if (info.present && !is_may(r))
			request_zone(r, zone);
	}
}

/*
 * v2 allocates the counters of a zone when it first hints it. If it gets none
 * the request stays, and the worker comes back to it at once, for ever.
 * Simplified: a lap of that loop takes as long as a tick.
 */
static bool counters_missing(struct reporter *r)
{
	struct hinted_boundary *s = r->state;

	if (hinted_boundary_options(r)->variant != BOUNDARY_V2 ||
	    r->env->kmalloc_ok(r->env->ctx, NR_PAGE_ORDERS * sizeof(uint64_t)))
		return false;
	s->running = false;
	s->armed = true;
	r->env->schedule(r->env->ctx, SPIN_NS);
	return true;
}

/* Round robin over the zones, from s->zone on, until none is requested. */
static void worker_run(struct reporter *r)
{
	struct hinted_boundary *s = r->state;
	const unsigned int nr_zones = alloc_nr_zones(r->env->view);

	while (s->refcount) {
		if (s->zones[s->zone].requested && counters_missing(r))
			return;
		if (s->zones[s->zone].requested &&
		    hinted_boundary_cycle_begin(r, s->zone))
			return;
		s->zone = (s->zone + 1) % nr_zones;
	}
	s->running = false;
}

/* Models page_hinting_process. */
static void hinted_boundary_process(struct reporter *r)
{
	struct hinted_boundary *s = r->state;

	CHECK(!s->running);
	s->armed = false;
	if (!s->refcount)
		return;
	s->running = true;
	s->zone = 0;
	r->counters.passes++;
	if (is_may(r))
		s->running = hinted_boundary_may_cycle(r);
	else
		worker_run(r);
}

static void hinted_boundary_drain(struct reporter *r,
				  struct page_report *entries,
				  unsigned int nr, int err)
{
	struct hinted_boundary *s = r->state;

	CHECK(s->running);
	CHECK(entries == s->sg);
	CHECK_EQ(nr, s->nr);
	if (err)
		r->counters.report_errors++;
	if (is_may(r)) {
		s->running = hinted_boundary_may_resume(r, err);
		return;
	}
	if (hinted_boundary_cycle_resume(r, err))
		return;
	s->zone = (s->zone + 1) % alloc_nr_zones(r->env->view);
	worker_run(r);
}

/* A worker that runs is waited for, and finishes what was requested. */
static void hinted_boundary_stop(struct reporter *r)
{
	struct hinted_boundary *s = r->state;

	s->registered = false;
	if (s->running)
		return;
	for (unsigned int zone = 0; zone < ALLOC_MAX_ZONES; zone++)
		hinted_boundary_clear_request(s, zone);
	if (s->armed)
		r->env->cancel(r->env->ctx);
	s->armed = false;
}

static bool hinted_boundary_idle(const struct reporter *r)
{
	const struct hinted_boundary *s = r->state;

	return !s->running && !s->armed && !s->refcount;
}

/* Nothing beyond state_size; what is with the host goes with the guest. */
static void hinted_boundary_destroy(struct reporter *r)
{
	(void)r;
}

const struct reporter_ops hinted_boundary_reporter = {
	.name = "hinted_boundary",
	.summary = "hinting with a boundary per list, as posted in July 2019",
	.options = { .descs = hinted_boundary_descs,
		     .size = sizeof(struct hinted_boundary_options) },
	.state_size = sizeof(struct hinted_boundary),
	.init = hinted_boundary_init,
	.start = hinted_boundary_start,
	.process = hinted_boundary_process,
	.drain = hinted_boundary_drain,
	.stop = hinted_boundary_stop,
	.idle = hinted_boundary_idle,
	.check = hinted_boundary_check,
	.destroy = hinted_boundary_destroy,
	.notify_order = hinted_boundary_order,
	.free_notify = hinted_boundary_notify_free,
	.unmark_on_move = true,
	.marks_kept_on_split = BLOCK_HINTED,
	.block_marked = hinted_boundary_marked,
	.list_rotated = hinted_boundary_rotated,
	.trim_hooks = hinted_boundary_trim_hooks,
	.block_unmark = hinted_boundary_unmark,
	.tail_position = hinted_boundary_tail_position,
	.boundary = hinted_boundary_position,
};
