/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What becomes of remembered frees: models compaction, scan and return of the
 * per-CPU arrays, v8 (guest_free_page_hinting, hinting_fn) and v9.
 *
 *   compact: an entry inside a free block becomes that block, once
 *   scan:    v8 looks at every page of every entry, and takes and drops the
 *            zone lock for each; v9 goes zone by zone over heads of blocks
 *   return:  every block to the list of its pageblock, merging
 *
 * Simplified: an entry all of which is in use again is taken to be one compound
 * page, which the scan skips as a whole. A block that the watermark keeps is
 * left as a whole, not page by page.
 */
#include <string.h>

#include "include/check.h"
#include "reporter/hold.h"
#include "reporter/percpu_array.h"

/* Is it new? Enters it. */
static bool first_seen(struct percpu_array *s, pfn_t pfn)
{
	const unsigned int mask = s->nr_seen - 1;
	unsigned int slot = (pfn * UINT32_C(2654435761)) & mask;

	for (; s->seen[slot]; slot = (slot + 1) & mask)
		if (s->seen[slot] == pfn + 1)
			return false;
	s->seen[slot] = pfn + 1;
	return true;
}

/* The entry after compaction; false: there is none. */
static bool compact_entry(struct reporter *r, struct captured_block *e)
{
	const bool snapshot = percpu_array_options(r)->variant ==
			      ARRAY_V8_SNAPSHOT;
	struct percpu_array *s = r->state;
	unsigned int order;
	pfn_t head;

	if (alloc_page_lookup(r->env->view, e->pfn, &head, &order) !=
	    ALLOC_PAGE_BUDDY) {
		if (!snapshot)
			r->counters.captures_stale++;
		return snapshot;
	}
	if (!first_seen(s, head)) {
		r->counters.captures_doubled++;
		return false;
	}
	/* The tree leaves an entry alone that heads a free block. */
	if (!snapshot || head != e->pfn)
		e->order = (uint8_t)order;
	e->pfn = head;
	return true;
}

void percpu_array_compact(struct reporter *r, unsigned int cpu)
{
	struct percpu_array *s = r->state;
	struct array_cpu *c = &s->cpus[cpu];
	unsigned int kept = 0;
	uint64_t looked_at = 0;

	memset(s->seen, 0, s->nr_seen * sizeof(*s->seen));
	for (unsigned int i = 0; i < c->nr; i++) {
		struct captured_block e = c->captured[i];

		/* The posting searches what it has kept from the start. */
		looked_at += 1 + kept;
		/* The newest is on its way, and not in the buddy yet. */
		if (i == c->nr - 1 || compact_entry(r, &e))
			c->captured[kept++] = e;
	}
	c->nr = kept;
	c->compacted = true;
	r->env->charge(r->env->ctx, COST_SCAN, looked_at);
}

static void lock_zone(struct reporter *r, unsigned int zone)
{
	struct percpu_array *s = r->state;

	r->env->lock(r->env->ctx, zone);
	s->touches = 0;
}

static void unlock_zone(struct reporter *r, unsigned int zone)
{
	struct percpu_array *s = r->state;

	hold_end(r, zone, s->touches);
}

/* Take a free block; false: the watermark keeps it. */
static bool take(struct reporter *r, struct array_cpu *c, pfn_t head,
		 unsigned int order, unsigned int zone)
{
	const enum migratetype mt = alloc_block_type(r->env->view, head);

	if (!r->env->isolate(r->env->ctx, head)) {
		r->counters.isolate_refused++;
		return false;
	}
	c->isolated[c->nr_isolated++] = (struct page_report){
		.pfn = head, .order = (uint8_t)order,
		.migratetype = (uint8_t)mt, .zone = (uint8_t)zone,
	};
	return true;
}

/* Is all of an entry in use again? */
static bool all_used(const struct alloc *a, const struct captured_block *e)
{
	unsigned int order;
	pfn_t head;

	for (uint32_t i = 0; i < order_nr_pages(e->order); i++)
		if (alloc_page_lookup(a, e->pfn + i, &head, &order) !=
		    ALLOC_PAGE_USED)
			return false;
	return true;
}

/*
 * Look at one page of an entry, zone lock held. Returns how many pages need
 * not be looked at one by one; *found: some of it was free.
 */
static uint32_t look_at_page(struct reporter *r, struct array_cpu *c,
			     const struct captured_block *e, pfn_t pfn,
			     bool *found)
{
	struct percpu_array *s = r->state;
	unsigned int order;
	pfn_t head;

	s->touches++;
	r->counters.list_visits++;
	switch (alloc_page_lookup(r->env->view, pfn, &head, &order)) {
	case ALLOC_PAGE_BUDDY:
		*found = true;
		take(r, c, head, order, e->zone);
		return head + order_nr_pages(order) - pfn;
	case ALLOC_PAGE_USED:
		if (pfn == e->pfn && all_used(r->env->view, e))
			return order_nr_pages(e->order);
		return 1;
	default:
		return 1;
	}
}

static void scan_entry(struct reporter *r, struct array_cpu *c,
		       const struct captured_block *e)
{
	const struct percpu_array *s = r->state;
	const pfn_t end = e->pfn + order_nr_pages(e->order);
	bool found = false;
	pfn_t pfn = e->pfn;

	while (pfn < end && c->nr_isolated < s->capacity) {
		lock_zone(r, e->zone);
		pfn += look_at_page(r, c, e, pfn, &found);
		unlock_zone(r, e->zone);
	}
	if (pfn < end)
		r->counters.captures_cut++;
	else if (!found)
		r->counters.captures_stale++;
}

/* v9: blocks of one zone, in the order in which they were remembered. */
static void scan_zone(struct reporter *r, struct array_cpu *c,
		      unsigned int zone)
{
	const struct alloc *a = r->env->view;
	struct percpu_array *s = r->state;

	lock_zone(r, zone);
	for (unsigned int i = 0; i < c->nr; i++) {
		const struct captured_block *e = &c->captured[i];

		if (e->zone != zone)
			continue;
		s->touches++;
		r->counters.list_visits++;
		if (alloc_is_free_head(a, e->pfn) &&
		    alloc_block_order(a, e->pfn) >= s->order)
			take(r, c, e->pfn, alloc_block_order(a, e->pfn), zone);
		else
			r->counters.captures_stale++;
	}
	unlock_zone(r, zone);
}

static void scan_by_zone(struct reporter *r, struct array_cpu *c)
{
	uint64_t zones = 0;

	/* The list of isolated blocks is allocated for each run. */
	if (!r->env->kmalloc_ok(r->env->ctx, c->nr * sizeof(*c->isolated))) {
		r->counters.captures_cut += c->nr;
		return;
	}
	for (unsigned int i = 0; i < c->nr; i++)
		zones |= UINT64_C(1) << c->captured[i].zone;
	r->env->charge(r->env->ctx, COST_SCAN, c->nr);
	for (; zones; zones &= zones - 1)
		scan_zone(r, c, (unsigned int)__builtin_ctzll(zones));
}

void percpu_array_scan(struct reporter *r, unsigned int cpu)
{
	struct percpu_array *s = r->state;
	struct array_cpu *c = &s->cpus[cpu];

	CHECK_EQ(c->nr_isolated, 0);
	if (percpu_array_options(r)->variant == ARRAY_V9) {
		scan_by_zone(r, c);
		return;
	}
	for (unsigned int i = 0; i < c->nr; i++)
		scan_entry(r, c, &c->captured[i]);
}

void percpu_array_put_back(struct reporter *r, unsigned int cpu)
{
	const struct alloc *a = r->env->view;
	struct percpu_array *s = r->state;
	struct array_cpu *c = &s->cpus[cpu];

	for (unsigned int i = 0; i < c->nr_isolated; i++) {
		const struct page_report *e = &c->isolated[i];

		lock_zone(r, e->zone);
		s->touches++;
		r->env->putback(r->env->ctx, e->pfn, e->order,
				alloc_pageblock_type(a, e->pfn));
		if (!alloc_is_free_head(a, e->pfn) ||
		    alloc_block_order(a, e->pfn) != e->order)
			r->counters.putback_merged++;
		unlock_zone(r, e->zone);
	}
	c->nr_isolated = 0;
}
