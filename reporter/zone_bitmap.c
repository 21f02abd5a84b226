/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Bitmaps of freed blocks: models "mm: Support for page hinting / reporting" by
 * Nitesh Narayan Lal, v11 (10 July 2019) and v12 (12 August 2019). A free of a
 * large block sets the bit of its first page; a worker looks at the bits when
 * enough are set, and reports what is free still.
 *
 * Of each bitmap:
 *
 *           free_notify: free_bits >= threshold
 *   quiet ------------------------------------> REQUESTED
 *    ^                                              |
 *    +----------------------------------------------+
 *           every bit was looked at, or stop
 *
 * Of the worker, of which there is one:
 *
 *           first bitmap requested          at once
 *   IDLE --------------------------> ARMED ---------> RUNNING
 *    ^  ^                              |                 |
 *    |  +------------- stop -----------+                 |
 *    +---------------------------------------------------+
 *                     no bitmap is REQUESTED any more
 *
 *   quiet     -> REQUESTED   zone_bitmap_free_notify
 *   REQUESTED -> quiet       zone_bitmap_clear_request
 *   IDLE      -> ARMED       zone_bitmap_free_notify
 *   ARMED     -> RUNNING     zone_bitmap_process
 *   RUNNING   -> IDLE        worker_run
 *   ARMED     -> IDLE        zone_bitmap_stop
 *
 * In v12 every zone has its bitmap. v11 has one for each kind of zone, from its
 * first to its last page on any node. A block of twice the order sets one bit,
 * that of its first half. Bits are not cleared by allocation; putting blocks
 * back sets none. One tree of the author cleared a bit only if its block was
 * free (clear = if_free): the others are looked at in every scan.
 *
 * Promises, encoded in check():
 * - free_bits is the number of bits set in a bitmap.
 * - refcount is the number of bitmaps REQUESTED. It is above 0 while the worker
 *   is armed; when the worker stops it is 0 and nothing is armed.
 * - A batch has at most `capacity` blocks, of at least the order of the bitmap,
 *   and they are on no list.
 *
 * Nothing is marked. What is free when the device appears is never reported.
 *
 * Left out: the hook of a later tree that clears bits on allocation.
 * Simplified: the worker of the tree went round for ever if a bitmap was
 * requested with too few bits; here such a request is taken back.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "include/bitmap.h"
#include "include/check.h"
#include "reporter/in_flight.h"
#include "reporter/zone_bitmap.h"

static const char *const variant_names[] = { "v11", "v12", NULL };
static const char *const clear_names[] = { "always", "if_free", NULL };

static const char *const order_names[] = {
	"pageblock", "0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10",
	NULL,
};

#define OFFSET(member) offsetof(struct zone_bitmap_options, member)

static const struct option_desc zone_bitmap_descs[] = {
	{ .name = "variant", .type = OPTION_NAME, .offset = OFFSET(variant),
	  .names = variant_names, .def = "v12", .unit = "",
	  .help = "posting that is followed: v11 has a bitmap for each kind of "
		  "zone, v12 one for each zone" },
	{ .name = "order", .type = OPTION_NAME, .offset = OFFSET(order),
	  .names = order_names, .def = "pageblock", .unit = "",
	  .help = "smallest block order that is reported; a bit is so large" },
	{ .name = "capacity", .type = OPTION_UINT, .offset = OFFSET(capacity),
	  .min = 1, .max = REPORTER_MAX_CAPACITY, .def = "16",
	  .unit = "blocks", .help = "blocks per report call" },
	{ .name = "threshold", .type = OPTION_UINT,
	  .offset = OFFSET(threshold), .min = 1, .max = UINT32_MAX,
	  .def = "16", .unit = "bits",
	  .help = "bits set in a bitmap that start the worker" },
	{ .name = "clear", .type = OPTION_NAME, .offset = OFFSET(clear),
	  .names = clear_names, .def = "always", .unit = "",
	  .help = "which bits a scan clears: all, or those of free blocks" },
	{ .name = NULL },
};

void zone_bitmap_clear_request(struct zone_bitmap *s, unsigned int area)
{
	if (!s->areas[area].requested)
		return;
	CHECK_LE(1, s->refcount);
	s->areas[area].requested = false;
	s->refcount--;
}

static unsigned int zone_bitmap_order(const struct reporter *r)
{
	const struct zone_bitmap *s = r->state;

	return s->order;
}

static void request(struct reporter *r, struct bitmap_area *area)
{
	struct zone_bitmap *s = r->state;

	area->requested = true;
	r->counters.requests++;
	if (s->refcount++ || s->running)
		return;
	s->armed = true;
	r->env->schedule(r->env->ctx, 0);
}

/* Models page_reporting_enqueue: the end of __free_one_page. */
static void zone_bitmap_free_notify(struct reporter *r, unsigned int zone,
				    pfn_t pfn, unsigned int order)
{
	struct zone_bitmap *s = r->state;
	struct bitmap_area *area = &s->areas[s->area_of[zone]];
	const uint32_t bit = (pfn - area->base) >> s->order;

	(void)order;
	if (!s->registered)
		return;
	CHECK_LT(bit, area->nr_bits);
	if (!bitmap_test(area->bits, bit)) {
		bitmap_set(area->bits, bit);
		area->free_bits++;
		r->counters.captured++;
		r->env->charge(r->env->ctx, COST_SHARED, 1);
	}
	if (!area->requested &&
	    area->free_bits >= zone_bitmap_options(r)->threshold)
		request(r, area);
}

/* The bitmap of a zone; v11 finds that of an earlier zone of its kind. */
static unsigned int find_area(const struct reporter *r, unsigned int zone)
{
	const struct zone_bitmap *s = r->state;
	struct alloc_zone_info mine, other;

	alloc_zone_info(r->env->view, zone, &mine);
	for (unsigned int i = 0; i < zone; i++) {
		alloc_zone_info(r->env->view, i, &other);
		if (zone_bitmap_options(r)->variant == BITMAP_V11 &&
		    other.type == mine.type)
			return s->area_of[i];
	}
	return s->nr_areas;
}

static void add_zone(struct reporter *r, unsigned int zone)
{
	struct zone_bitmap *s = r->state;
	const unsigned int nr = find_area(r, zone);
	struct bitmap_area *area = &s->areas[nr];
	struct alloc_zone_info info;

	alloc_zone_info(r->env->view, zone, &info);
	s->area_of[zone] = (uint8_t)nr;
	if (nr == s->nr_areas) {
		s->nr_areas++;
		/* A bit is a block: it begins where a block can. */
		area->base = info.start & ~(order_nr_pages(s->order) - 1);
		area->end = info.end;
	}
	if (area->end < info.end)
		area->end = info.end;
}

static void zone_bitmap_destroy(struct reporter *r)
{
	struct zone_bitmap *s = r->state;

	for (unsigned int i = 0; i < s->nr_areas; i++)
		free(s->areas[i].bits);
}

static int zone_bitmap_init(struct reporter *r, char *why, size_t why_size)
{
	const struct zone_bitmap_options *o = zone_bitmap_options(r);
	const unsigned int nr_zones = alloc_nr_zones(r->env->view);
	struct zone_bitmap *s = r->state;

	s->order = o->order ? o->order - 1 :
			      alloc_pageblock_order(r->env->view);
	s->capacity = (unsigned int)o->capacity;
	for (unsigned int zone = 0; zone < nr_zones; zone++)
		add_zone(r, zone);
	for (unsigned int i = 0; i < s->nr_areas; i++) {
		struct bitmap_area *area = &s->areas[i];

		area->nr_bits = ((area->end - area->base - 1) >> s->order) + 1;
		area->bits = calloc(BITMAP_WORDS(area->nr_bits),
				    sizeof(*area->bits));
		if (area->bits)
			continue;
		zone_bitmap_destroy(r);
		snprintf(why, why_size, "out of memory");
		return -ENOMEM;
	}
	return 0;
}

static void zone_bitmap_start(struct reporter *r)
{
	struct zone_bitmap *s = r->state;

	s->registered = true;
}

/* Round robin over the bitmaps, from s->area on, until none is requested. */
static void worker_run(struct reporter *r)
{
	const uint64_t threshold = zone_bitmap_options(r)->threshold;
	struct zone_bitmap *s = r->state;

	while (s->refcount) {
		if (s->areas[s->area].free_bits < threshold) {
			zone_bitmap_clear_request(s, s->area);
		} else if (s->areas[s->area].requested) {
			s->cursor = 0;
			if (zone_bitmap_scan(r))
				return;
		}
		s->area = (s->area + 1) % s->nr_areas;
	}
	s->running = false;
}

static void zone_bitmap_process(struct reporter *r)
{
	struct zone_bitmap *s = r->state;

	CHECK(!s->running);
	s->armed = false;
	if (!s->refcount)
		return;
	s->running = true;
	s->area = 0;
	r->counters.passes++;
	worker_run(r);
}

static void zone_bitmap_drain(struct reporter *r, struct page_report *entries,
			      unsigned int nr, int err)
{
	struct zone_bitmap *s = r->state;

	CHECK(s->running);
	CHECK(entries == s->sg);
	CHECK_EQ(nr, s->nr);
	if (err)
		r->counters.report_errors++;
	if (zone_bitmap_resume(r))
		return;
	s->area = (s->area + 1) % s->nr_areas;
	worker_run(r);
}

/* A worker that runs is waited for, and finishes what was requested. */
static void zone_bitmap_stop(struct reporter *r)
{
	struct zone_bitmap *s = r->state;

	s->registered = false;
	if (s->running)
		return;
	for (unsigned int i = 0; i < s->nr_areas; i++)
		zone_bitmap_clear_request(s, i);
	if (s->armed)
		r->env->cancel(r->env->ctx);
	s->armed = false;
}

static bool zone_bitmap_idle(const struct reporter *r)
{
	const struct zone_bitmap *s = r->state;

	return !s->running && !s->armed && !s->refcount;
}

static const char *check_requests(const struct zone_bitmap *s)
{
	unsigned int requested = 0;

	for (unsigned int i = 0; i < s->nr_areas; i++)
		requested += s->areas[i].requested;
	if (requested != s->refcount)
		return "zone_bitmap: refcount is not the bitmaps requested";
	if (s->armed && s->running)
		return "zone_bitmap: armed while the worker runs";
	if (!s->running && s->armed != (s->refcount > 0))
		return "zone_bitmap: armed must mean a bitmap is requested";
	if (s->running != (s->nr > 0))
		return "zone_bitmap: a worker that runs waits for a batch";
	if (s->nr > s->capacity)
		return "zone_bitmap: more blocks in flight than fit";
	return NULL;
}

static const char *zone_bitmap_check(const struct reporter *r)
{
	const struct zone_bitmap *s = r->state;
	const char *broken = check_requests(s);

	if (broken)
		return broken;
	for (unsigned int i = 0; i < s->nr_areas; i++) {
		const struct bitmap_area *area = &s->areas[i];

		if (area->free_bits !=
		    bitmap_count_range(area->bits, 0, area->nr_bits))
			return "zone_bitmap: free_bits is not the bits set";
	}
	return in_flight_check(r, s->sg, s->nr, s->order);
}

const struct reporter_ops zone_bitmap_reporter = {
	.name = "zone_bitmap",
	.summary = "a bit per freed large block, as posted in August 2019",
	.options = { .descs = zone_bitmap_descs,
		     .size = sizeof(struct zone_bitmap_options) },
	.state_size = sizeof(struct zone_bitmap),
	.init = zone_bitmap_init,
	.start = zone_bitmap_start,
	.process = zone_bitmap_process,
	.drain = zone_bitmap_drain,
	.stop = zone_bitmap_stop,
	.idle = zone_bitmap_idle,
	.check = zone_bitmap_check,
	.destroy = zone_bitmap_destroy,
	.notify_order = zone_bitmap_order,
	.free_notify = zone_bitmap_free_notify,
};
