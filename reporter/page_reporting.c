/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Free page reporting as merged in 5.7 (series v17) and in use since: models
 * mm/page_reporting.c up to 6.18. A free of a large block only raises a flag;
 * two seconds later a pass walks the lists of large blocks and gives a share of
 * what is not yet marked to the host.
 *
 *        free_notify, start          delay is over
 *   IDLE -------------> REQUESTED ----------------> ACTIVE
 *    ^                    ^   |                        |
 *    |                    |   +- stop                  |
 *    |                    +----------------------------+
 *    |                    |  free_notify, or a list is left with its
 *    |                    |  budget spent; waits until the pass ends
 *    +--------------------|----------------------------+
 *                             the pass ended, still ACTIVE
 *
 *   IDLE      -> REQUESTED  page_reporting_request; the delay is armed
 *   REQUESTED -> ACTIVE     page_reporting_process
 *   ACTIVE    -> REQUESTED  page_reporting_request, page_reporting_want_more
 *   ACTIVE    -> IDLE       pass_end
 *   REQUESTED -> REQUESTED  pass_end; the delay is armed again
 *   REQUESTED -> IDLE       page_reporting_stop, no pass running
 *
 * A pass is one process() and the drain() calls that follow it: zones in index
 * order, orders upward, types upward without isolate. Every full array goes to
 * report() with the lock dropped, and drain() goes on from there; what is left
 * in the array at the end of a zone goes as one partial batch ("leftover").
 *
 * Promises, encoded in check():
 * - IDLE: nothing is scheduled, isolated or with the host.
 * - REQUESTED: process() is scheduled, or a pass is running that will schedule
 *   it when it ends; never both. So passes do not overlap and are a delay
 *   apart, measured from the end of a pass.
 * - ACTIVE: a pass is running; seen from outside, its array is with the host:
 *   a full one, or the leftover of a zone. Its blocks are on no list.
 * - Marked blocks head free blocks of at least the reporting order.
 * - One list costs at most ceil(nr_free / (capacity * budget)) + 1 reports a
 *   pass.
 * - marked[] of a zone is the number of pages of its marked blocks, nr_marked[]
 *   that of the blocks themselves, by order.
 *
 * Two options are of the series "mm/page_reporting: Some knobs and fixes"
 * (26 March 2021, not merged): a zone is left as soon as `factor` percent of
 * it are marked, and with scale_capacity the array is halved for every order
 * from the first one on of which a full array is more than what is free above
 * the low watermark; what was collected for one order is then reported before
 * the next. Its two sysfs files are the counters marked_pages - refault_pages
 * and refault_pages.
 *
 * Left out: the scatter array is part of the state, so that its allocation at
 * the start of a pass cannot fail. stop() lets a running pass end, as waiting
 * for the work item does.
 */
#include <errno.h>
#include <stdio.h>

#include "include/check.h"
#include "reporter/page_reporting.h"

static const char *const order_names[] = {
	"pageblock", "0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10",
	NULL,
};

static const char *const placement_names[] = {
	"profile", "head", "tail", NULL,
};

#define OFFSET(member) offsetof(struct page_reporting_options, member)

const struct option_desc page_reporting_descs[] = {
	{ .name = "order", .type = OPTION_NAME, .offset = OFFSET(order),
	  .names = order_names, .def = "pageblock", .unit = "",
	  .help = "smallest block order that is reported" },
	{ .name = "capacity", .type = OPTION_UINT, .offset = OFFSET(capacity),
	  .min = 1, .max = REPORTER_MAX_CAPACITY, .def = "32",
	  .unit = "blocks", .help = "blocks per report call" },
	{ .name = "delay", .type = OPTION_TIME, .offset = OFFSET(delay_ns),
	  .max = 24 * 3600 * NSEC_PER_SEC, .def = "2s", .unit = "",
	  .help = "time from a request to its pass" },
	{ .name = "watermark_gate", .type = OPTION_BOOL,
	  .offset = OFFSET(watermark_gate), .def = "on", .unit = "",
	  .help = "skip zones without low watermark + a full array free" },
	{ .name = "isolate_check", .type = OPTION_BOOL,
	  .offset = OFFSET(isolate_check), .def = "on", .unit = "",
	  .help = "isolate as the kernel does; off: no watermark test and no "
		  "change of pageblock types" },
	{ .name = "rotation", .type = OPTION_BOOL, .offset = OFFSET(rotation),
	  .def = "on", .unit = "",
	  .help = "the block to go on with becomes the head of its list" },
	{ .name = "budget", .type = OPTION_UINT, .offset = OFFSET(budget),
	  .min = 0, .max = 65536, .def = "16", .unit = "",
	  .help = "a pass reports about 1/n of a list; 0 = all of it" },
	{ .name = "placement", .type = OPTION_NAME,
	  .offset = OFFSET(placement), .names = placement_names,
	  .def = "profile", .unit = "",
	  .help = "where reported blocks go: as the kernel profile puts them "
		  "back, list head, or list tail" },
	{ .name = "scale_capacity", .type = OPTION_BOOL,
	  .offset = OFFSET(scale_capacity), .def = "off", .unit = "",
	  .help = "halve the array for each order of which a full one is more "
		  "than what is free above the low watermark" },
	{ .name = "factor", .type = OPTION_UINT, .offset = OFFSET(factor),
	  .min = 0, .max = 100, .def = "100", .unit = "percent",
	  .help = "share of a zone that may be reported at a time" },
	{ .name = NULL },
};

static void arm(struct reporter *r)
{
	struct page_reporting *s = r->state;

	s->armed = true;
	r->env->schedule(r->env->ctx, page_reporting_options(r)->delay_ns);
}

/* Models __page_reporting_request: one read if work is wanted already. */
static void page_reporting_request(struct reporter *r)
{
	struct page_reporting *s = r->state;
	const enum page_reporting_state old = s->state;

	if (old == PAGE_REPORTING_REQUESTED)
		return;
	s->state = PAGE_REPORTING_REQUESTED;
	r->counters.requests++;
	if (old == PAGE_REPORTING_IDLE)
		arm(r);
}

void page_reporting_want_more(struct reporter *r)
{
	struct page_reporting *s = r->state;

	CHECK(s->state != PAGE_REPORTING_IDLE);
	page_reporting_request(r);
}

static unsigned int page_reporting_order(const struct reporter *r)
{
	const struct page_reporting *s = r->state;

	return s->order;
}

/* Models page_reporting_notify_free: the caller has tested the order. */
static void page_reporting_notify_free(struct reporter *r, unsigned int zone,
				       pfn_t pfn, unsigned int order)
{
	const struct page_reporting *s = r->state;

	(void)zone;
	(void)pfn;
	(void)order;
	if (s->registered)
		page_reporting_request(r);
}

/* Models page_reporting_update_refault of the series of 2021. */
static void page_reporting_unmark(struct reporter *r, unsigned int zone,
				  pfn_t pfn, unsigned int order,
				  enum migratetype mt, enum unmark_reason why)
{
	struct page_reporting *s = r->state;
	const uint32_t nr = order_nr_pages(order);

	(void)mt;
	(void)why;
	if (!(alloc_block_marks(r->env->view, pfn) & BLOCK_REPORTED))
		return;
	CHECK_LE(nr, s->marked[zone]);
	s->marked[zone] -= nr;
	s->nr_marked[zone][order]--;
	r->counters.refault_pages += nr;
}

/* In front of which block an insertion at the tail goes. */
static pfn_t page_reporting_tail_position(struct reporter *r,
					  unsigned int zone,
					  unsigned int order,
					  enum migratetype mt)
{
	const struct page_reporting *s = r->state;

	if (!s->placing_head)
		return PFN_NONE;
	return alloc_list_first(r->env->view, zone, order, mt);
}

static int page_reporting_init(struct reporter *r, char *why, size_t why_size)
{
	const struct page_reporting_options *o = page_reporting_options(r);
	const struct alloc *a = r->env->view;
	struct page_reporting *s = r->state;

	if (!alloc_profile_of(a)->reporting) {
		snprintf(why, why_size,
			 "kernel %s has no free page reporting; it came in 5.7",
			 alloc_profile_of(a)->name);
		return -EINVAL;
	}
	s->state = PAGE_REPORTING_IDLE;
	s->order = o->order ? o->order - 1 : alloc_pageblock_order(a);
	s->capacity = (unsigned int)o->capacity;
	s->offset = s->limit = s->capacity;
	page_reporting_take_over(r);
	return 0;
}

/* Models page_reporting_register: everything that is free is looked at. */
static void page_reporting_start(struct reporter *r)
{
	struct page_reporting *s = r->state;

	s->registered = true;
	page_reporting_request(r);
}

uint64_t page_reporting_allowance(const struct reporter *r, unsigned int zone)
{
	const uint64_t percent = page_reporting_options(r)->factor;
	struct alloc_zone_info info;

	if (percent == 100)
		return UINT64_MAX;
	alloc_zone_info(r->env->view, zone, &info);
	return info.managed * percent / 100;
}

/*
 * Models calculate_zone_order_threshold of 2021: the first order of which a
 * full array is more than what is free above the low watermark.
 */
static unsigned int shrink_order(const struct reporter *r, unsigned int zone)
{
	const struct page_reporting *s = r->state;
	struct alloc_zone_info info;
	unsigned int order = s->order;
	uint64_t mark, spare;

	if (!page_reporting_options(r)->scale_capacity)
		return NR_PAGE_ORDERS;
	alloc_zone_info(r->env->view, zone, &info);
	mark = info.wmark_low + info.boost;
	spare = info.free > mark ? info.free - mark : 0;
	while (order < NR_PAGE_ORDERS && (uint64_t)s->capacity << order <= spare)
		order++;
	return order;
}

/* Enough memory that a full array in flight leaves the zone above low? */
static bool gate_passes(struct reporter *r, unsigned int zone)
{
	const struct page_reporting *s = r->state;
	struct alloc_zone_info info;
	uint64_t mark;

	if (!page_reporting_options(r)->watermark_gate)
		return true;
	alloc_zone_info(r->env->view, zone, &info);
	mark = info.wmark_low + info.boost +
	       ((uint64_t)s->capacity << s->order);
	if (alloc_watermark_ok(r->env->view, zone, 0, mark, 0))
		return true;
	r->counters.gate_skips++;
	return false;
}

/* May the zone be looked at in this pass? */
static bool zone_wanted(struct reporter *r, unsigned int zone)
{
	const struct page_reporting *s = r->state;

	if (s->marked[zone] < page_reporting_allowance(r, zone))
		return gate_passes(r, zone);
	r->counters.factor_stops++;
	return false;
}

/* First zone from `zone` on that may be reported from; false: none. */
static bool enter_zone(struct reporter *r, unsigned int zone)
{
	struct page_reporting *s = r->state;
	const unsigned int nr_zones = alloc_nr_zones(r->env->view);

	while (zone < nr_zones && !zone_wanted(r, zone))
		zone++;
	if (zone >= nr_zones)
		return false;
	s->zone = zone;
	s->list_order = s->order;
	s->mt = MIGRATE_UNMOVABLE;
	s->offset = s->limit = s->capacity;
	s->factor_reached = false;
	s->shrink_order = shrink_order(r, zone);
	if (!s->counted)
		r->counters.passes++;
	s->counted = true;
	return true;
}

/* Step to the next list; past the last one list_order is NR_PAGE_ORDERS. */
static void next_list(struct reporter *r)
{
	struct page_reporting *s = r->state;

	if (s->factor_reached) {
		r->counters.factor_stops++;
		s->list_order = NR_PAGE_ORDERS;
		return;
	}
	do {
		if (++s->mt < MIGRATE_TYPES)
			continue;
		s->mt = MIGRATE_UNMOVABLE;
		s->list_order++;
		return;
	} while (s->mt == MIGRATE_ISOLATE);
}

/* What the lists so far left in the array goes as a partial batch. */
static enum cycle_result report_leftover(struct reporter *r)
{
	struct page_reporting *s = r->state;
	int err;

	if (s->offset == s->limit)
		return CYCLE_DONE;
	err = page_reporting_send(r);
	if (!err) {
		s->leftover = true;
		return CYCLE_WAIT;
	}
	page_reporting_lock(r);
	page_reporting_drain(r, err);
	page_reporting_unlock(r);
	return CYCLE_ERROR;
}

/*
 * The array for the order that begins. A smaller one starts empty, so that
 * the leftover of the order before goes first.
 */
static enum cycle_result begin_order(struct reporter *r)
{
	struct page_reporting *s = r->state;
	unsigned int limit = s->capacity;
	enum cycle_result res;

	if (s->mt != MIGRATE_UNMOVABLE || s->list_order < s->shrink_order)
		return CYCLE_DONE;
	res = report_leftover(r);
	if (res != CYCLE_DONE)
		return res;
	limit >>= s->list_order - s->shrink_order + 1;
	s->offset = s->limit = limit ? limit : 1;
	return CYCLE_DONE;
}

/* Models page_reporting_process_zone, from the list the pass stands at. */
static enum cycle_result process_zone(struct reporter *r)
{
	struct page_reporting *s = r->state;

	while (s->list_order < NR_PAGE_ORDERS) {
		enum cycle_result res = begin_order(r);

		if (res == CYCLE_DONE)
			res = page_reporting_cycle_begin(r);
		if (res != CYCLE_DONE)
			return res;
		next_list(r);
	}
	return report_leftover(r);
}

static void pass_end(struct reporter *r)
{
	struct page_reporting *s = r->state;

	CHECK_EQ(s->offset, s->limit);
	s->running = false;
	if (!s->registered || s->state == PAGE_REPORTING_ACTIVE) {
		s->state = PAGE_REPORTING_IDLE;
		return;
	}
	CHECK_EQ(s->state, PAGE_REPORTING_REQUESTED);
	arm(r);
}

/* Go on after the current zone came to `res`; an error ends the pass. */
static void pass_run(struct reporter *r, enum cycle_result res)
{
	struct page_reporting *s = r->state;

	while (res == CYCLE_DONE) {
		if (!enter_zone(r, s->zone + 1))
			break;
		res = process_zone(r);
	}
	if (res != CYCLE_WAIT)
		pass_end(r);
}

/* Models page_reporting_process. */
static void page_reporting_process(struct reporter *r)
{
	struct page_reporting *s = r->state;

	CHECK(!s->running);
	s->armed = false;
	if (!s->registered)
		return;
	s->state = PAGE_REPORTING_ACTIVE;
	s->running = true;
	s->counted = false;
	/* The array of each pass is allocated; without it nothing is done. */
	if (r->env->kmalloc_ok(r->env->ctx, s->capacity * sizeof(s->sg[0])) &&
	    enter_zone(r, 0))
		pass_run(r, process_zone(r));
	else
		pass_end(r);
}

static void page_reporting_acknowledged(struct reporter *r,
					struct page_report *entries,
					unsigned int nr, int err)
{
	struct page_reporting *s = r->state;
	enum cycle_result res;

	CHECK(s->running);
	CHECK(entries == s->sg + s->offset);
	CHECK_EQ(nr, s->limit - s->offset);
	if (err)
		r->counters.report_errors++;
	if (s->leftover) {
		s->leftover = false;
		page_reporting_lock(r);
		page_reporting_drain(r, err);
		page_reporting_unlock(r);
		res = err ? CYCLE_ERROR : process_zone(r);
	} else {
		res = page_reporting_cycle_resume(r, err);
		if (res == CYCLE_DONE) {
			next_list(r);
			res = process_zone(r);
		}
	}
	pass_run(r, res);
}

static void page_reporting_stop(struct reporter *r)
{
	struct page_reporting *s = r->state;

	s->registered = false;
	if (s->armed)
		r->env->cancel(r->env->ctx);
	s->armed = false;
	if (!s->running)
		s->state = PAGE_REPORTING_IDLE;
}

static bool page_reporting_idle(const struct reporter *r)
{
	const struct page_reporting *s = r->state;

	return s->state == PAGE_REPORTING_IDLE && !s->running && !s->armed;
}

/* Nothing beyond state_size; what is with the host goes with the guest. */
static void page_reporting_destroy(struct reporter *r)
{
	(void)r;
}

const struct reporter_ops page_reporting_reporter = {
	.name = "page_reporting",
	.summary = "free page reporting as merged in 5.7: a pass every 2 s",
	.options = { .descs = page_reporting_descs,
		     .size = sizeof(struct page_reporting_options) },
	.state_size = sizeof(struct page_reporting),
	.init = page_reporting_init,
	.start = page_reporting_start,
	.process = page_reporting_process,
	.drain = page_reporting_acknowledged,
	.stop = page_reporting_stop,
	.idle = page_reporting_idle,
	.check = page_reporting_check,
	.destroy = page_reporting_destroy,
	.withdraws_if_poisoned = true,
	.notify_order = page_reporting_order,
	.free_notify = page_reporting_notify_free,
	.block_unmark = page_reporting_unmark,
	.tail_position = page_reporting_tail_position,
};
