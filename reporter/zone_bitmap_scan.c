/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The work on one bitmap: models scan_zone_bitmap and page_reporting_wq of the
 * zone bitmaps of July and August 2019, cut in two where the worker sleeps in
 * the device's report callback.
 *
 * Bits are looked at in order of address; for each the zone lock is taken, and
 * a block that is free, large enough and not being isolated by somebody else
 * is isolated whole. A full batch is reported and put back before the scan goes
 * on, what is left at the end is reported as well. Bits that are set meanwhile
 * behind the cursor wait for the next scan.
 */
#include "include/bitmap.h"
#include "include/check.h"
#include "reporter/hold.h"
#include "reporter/zone_bitmap.h"

static void lock_zone(struct reporter *r, unsigned int zone)
{
	struct zone_bitmap *s = r->state;

	r->env->lock(r->env->ctx, zone);
	s->touches = 0;
}

static void unlock_zone(struct reporter *r, unsigned int zone)
{
	struct zone_bitmap *s = r->state;

	hold_end(r, zone, s->touches);
}

/* Next set bit from the cursor on, which moves past it. False: none. */
static bool next_bit(struct reporter *r, uint32_t *bit)
{
	struct zone_bitmap *s = r->state;
	const struct bitmap_area *area = &s->areas[s->area];
	uint32_t at = s->cursor, words = 1;
	uint64_t word = 0;

	for (; at < area->nr_bits; at = (at / 64 + 1) * 64, words++) {
		word = area->bits[at / 64] >> (at % 64);
		if (word)
			break;
	}
	r->env->charge(r->env->ctx, COST_SCAN, words);
	s->cursor = area->nr_bits;
	if (!word)
		return false;
	*bit = at + (uint32_t)__builtin_ctzll(word);
	s->cursor = *bit + 1;
	return true;
}

/* Isolate the block that begins at pfn; false: it is none to report. */
static bool take_block(struct reporter *r, unsigned int zone, pfn_t pfn)
{
	const struct alloc *a = r->env->view;
	struct zone_bitmap *s = r->state;
	struct page_report e = { .pfn = pfn, .zone = (uint8_t)zone };

	s->touches++;
	r->counters.list_visits++;
	if (!alloc_is_free_head(a, pfn) ||
	    alloc_block_order(a, pfn) < s->order ||
	    alloc_pageblock_type(a, pfn) == MIGRATE_ISOLATE) {
		r->counters.captures_stale++;
		return false;
	}
	e.order = (uint8_t)alloc_block_order(a, pfn);
	e.migratetype = (uint8_t)alloc_block_type(a, pfn);
	if (r->env->isolate(r->env->ctx, pfn))
		s->sg[s->nr++] = e;
	else
		r->counters.isolate_refused++;
	return true;
}

static void look_at_bit(struct reporter *r, uint32_t bit)
{
	const bool always = zone_bitmap_options(r)->clear == CLEAR_ALWAYS;
	struct zone_bitmap *s = r->state;
	struct bitmap_area *area = &s->areas[s->area];
	const pfn_t pfn = area->base + (bit << s->order);
	const int zone = alloc_zone_of(r->env->view, pfn);
	bool was_free;

	/* A block is in one zone, and heads no smaller part of it. */
	CHECK(zone >= 0);
	lock_zone(r, (unsigned int)zone);
	was_free = take_block(r, (unsigned int)zone, pfn);
	if (was_free || always) {
		bitmap_clear(area->bits, bit);
		area->free_bits--;
		r->env->charge(r->env->ctx, COST_SHARED, 1);
	}
	unlock_zone(r, (unsigned int)zone);
}

static void put_back(struct reporter *r)
{
	const struct alloc *a = r->env->view;
	struct zone_bitmap *s = r->state;

	for (unsigned int i = 0; i < s->nr; i++) {
		const struct page_report *e = &s->sg[i];

		/* One hold for the blocks of a zone. */
		if (!i || s->sg[i - 1].zone != e->zone) {
			if (i)
				unlock_zone(r, s->sg[i - 1].zone);
			lock_zone(r, e->zone);
		}
		s->touches++;
		r->env->putback(r->env->ctx, e->pfn, e->order,
				alloc_pageblock_type(a, e->pfn));
		if (!alloc_is_free_head(a, e->pfn) ||
		    alloc_block_order(a, e->pfn) != e->order)
			r->counters.putback_merged++;
	}
	if (s->nr)
		unlock_zone(r, s->sg[s->nr - 1].zone);
	s->nr = 0;
}

/* True: the host has the batch. */
static bool send(struct reporter *r)
{
	struct zone_bitmap *s = r->state;

	if (r->env->report(r->env->ctx, s->sg, s->nr)) {
		r->counters.report_errors++;
		put_back(r);
		return false;
	}
	r->counters.report_calls++;
	for (unsigned int i = 0; i < s->nr; i++) {
		r->counters.blocks[s->sg[i].order]++;
		r->counters.pages += order_nr_pages(s->sg[i].order);
	}
	return true;
}

bool zone_bitmap_scan(struct reporter *r)
{
	struct zone_bitmap *s = r->state;
	uint32_t bit;

	while (next_bit(r, &bit)) {
		look_at_bit(r, bit);
		if (s->nr == s->capacity && send(r))
			return true;
	}
	if (s->nr && send(r))
		return true;
	zone_bitmap_clear_request(s, s->area);
	return false;
}

bool zone_bitmap_resume(struct reporter *r)
{
	put_back(r);
	return zone_bitmap_scan(r);
}
