/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The short cut of the free scanner: instead of walking pageblocks it looks for
 * a block in the upper part of the zone on the free lists. Models
 * fast_isolate_freepages with next_search_order, move_freelist_head and
 * fast_isolate_around, 5.3 to 6.18 (there since 5.1).
 *
 * The lists are searched from their tails, orders downwards from the one that
 * succeeded last. A list that was searched is turned so that the next search
 * sees other blocks.
 */
#include "guest/compact.h"

struct search {
	pfn_t low;            /* good enough: the upper quarter */
	pfn_t min;            /* acceptable: the upper half */
	pfn_t highest;        /* pageblock of the highest block seen */
	uint32_t limit, scanned;
	bool start;           /* nothing has been scanned since a reset */
};

static uint32_t scan_limit(const struct compact_control *cc)
{
	const uint32_t shift = cc->fast_fail < 31 ? cc->fast_fail : 31;
	const uint32_t limit = ((COMPACT_CLUSTER >> shift) + 1) / 2;

	return limit ? limit : 1;
}

static void search_init(const struct guest *g, const struct compact_control *cc,
			struct search *s)
{
	const pfn_t distance = cc->free_pfn - cc->migrate_pfn;

	*s = (struct search){
		.low = pageblock_start(g, cc->free_pfn - distance / 4),
		.min = pageblock_start(g, cc->free_pfn - distance / 2),
		.limit = scan_limit(cc),
		.start = cc->free_pfn >= g->mem->zones[cc->zone].init_free,
	};
	if (s->start)
		s->limit = order_nr_pages(alloc_pageblock_order(g->alloc)) / 2;
}

static int next_search_order(struct compact_control *cc, int order)
{
	if (--order < 0)
		order = (int)cc->order - 1;
	if (order != cc->search_order)
		return order;
	if (--cc->search_order < 0)
		cc->search_order = (int)cc->order - 1;
	return -1;
}

/* The next search begins behind what this one has seen. */
static void turn_list(struct guest *g, const struct compact_control *cc,
		      unsigned int order, pfn_t at)
{
	if (at != alloc_list_last(g->alloc, cc->zone, order, MIGRATE_MOVABLE))
		alloc_list_rotate_to_front(g->alloc, at);
}

static void note_highest(const struct guest *g, struct search *s, pfn_t pfn)
{
	if (pfn >= s->highest)
		s->highest = pageblock_start(g, pfn);
}

/* A block of this order above s->low, else the highest above s->min. */
static pfn_t search_list(struct guest *g, struct compact_control *cc,
			 unsigned int order, struct search *s)
{
	pfn_t pfn = alloc_list_last(g->alloc, cc->zone, order, MIGRATE_MOVABLE);
	pfn_t best = 0, found = PFN_NONE;
	uint32_t seen = 0;

	while (pfn != PFN_NONE) {
		seen++;
		note_highest(g, s, pfn);
		if (pfn >= s->low) {
			cc->fast_fail = 0;
			cc->search_order = (int)order;
			found = pfn;
			break;
		}
		if (pfn >= s->min && pfn > best) {
			best = pfn;
			s->limit /= 2;
		}
		if (seen >= s->limit)
			break;
		pfn = alloc_list_prev(g->alloc, pfn);
	}
	if (found == PFN_NONE && best)
		found = pfn = best;
	if (pfn != PFN_NONE)
		turn_list(g, cc, order, pfn);
	s->scanned += seen;
	if (seen >= s->limit)
		s->limit = s->limit > 1 ? s->limit / 2 : 1;
	return found;
}

/* Other free pages of its pageblock are as good. */
static void fast_isolate_around(struct run *r, struct compact_control *cc,
				pfn_t pfn)
{
	const struct compact_zone *cz = &r->g->mem->zones[cc->zone];
	pfn_t start = pageblock_start(r->g, pfn), end = pageblock_end(r->g, pfn);
	uint32_t found;

	if (cc->nr_free >= cc->nr_migrate ||
	    (cc->direct && cc->mode == COMPACT_ASYNC))
		return;
	start = start > cz->start ? start : cz->start;
	end = end < cz->end ? end : cz->end;
	if (isolate_free_block(r, cc, start, end, 1, &found) == end)
		compaction_set_skip(r->g, pfn);
}

/* Nothing was found: where the linear scan is to begin after a reset. */
static pfn_t search_failed(struct compact_control *cc, const struct search *s)
{
	cc->fast_fail++;
	if (!s->start)
		return PFN_NONE;
	if (s->highest >= s->min)
		return cc->free_pfn = s->highest;
	if (cc->direct)
		return cc->free_pfn = s->min;
	return PFN_NONE;
}

static pfn_t search_lists(struct run *r, struct compact_control *cc,
			  struct search *s)
{
	struct guest *g = r->g;
	pfn_t found = PFN_NONE;
	int order;

	if (cc->search_order > (int)cc->order - 1)
		cc->search_order = (int)cc->order - 1;
	for (order = cc->search_order; found == PFN_NONE && order >= 0;
	     order = next_search_order(cc, order)) {
		if (!alloc_nr_free(g->alloc, cc->zone, (unsigned int)order))
			continue;
		found = search_list(g, cc, (unsigned int)order, s);
		if (found == PFN_NONE)
			continue;
		if (!alloc_isolate(g->alloc, found)) {
			found = PFN_NONE;
			break;
		}
		free_isolated(g, cc, found, (unsigned int)order);
		g->counters.compact_isolated +=
			order_nr_pages((unsigned int)order);
	}
	return found;
}

void fast_isolate_freepages(struct run *r, struct compact_control *cc)
{
	struct guest *g = r->g;
	struct compact_zone *cz = &g->mem->zones[cc->zone];
	const uint32_t block = order_nr_pages(alloc_pageblock_order(g->alloc));
	struct search s;
	pfn_t found;

	if (cc->order == 0 || cc->free_pfn <= cc->migrate_pfn)
		return;
	search_init(g, cc, &s);
	found = search_lists(r, cc, &s);
	if (found == PFN_NONE)
		found = search_failed(cc, &s);
	if (s.highest && s.highest >= cz->cached_free &&
	    s.highest >= cz->start + block)
		cz->cached_free = s.highest - block;
	r->work->compact_scanned += s.scanned;
	g->counters.compact_free_scanned += s.scanned;
	if (found != PFN_NONE)
		fast_isolate_around(r, cc, found);
}
