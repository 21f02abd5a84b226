/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Naive buddy: merging, splitting, and moving blocks between types. Rules as
 * in __free_one_page, expand, move_to_free_list and __isolate_free_page of the
 * release.
 */
#include <stddef.h>

#include "include/check.h"
#include "tests/model/naive_alloc.h"

struct naive_zone *naive_zone_of(struct naive *m, uint32_t pfn)
{
	int i;

	for (i = 0; i < m->nr_zones; i++)
		if (pfn >= m->zone[i].start && pfn < m->zone[i].end)
			return &m->zone[i];
	return NULL;
}

int64_t naive_free_pages(const struct naive_zone *z)
{
	int64_t sum = 0;
	int t;

	for (t = 0; t < NI; t++)
		sum += z->free_pages[t];
	return sum;
}

int naive_find(const struct naive *m, const struct naive_zone *z, uint32_t pfn,
	       int order)
{
	if (pfn < z->start || pfn >= z->end ||
	    m->page[pfn].place != ON_FREE_LIST || m->page[pfn].order != order)
		return -1;
	return m->page[pfn].type;
}

/* Is pfn the head of a free block of exactly this order in the zone? */
static bool heads(const struct naive *m, const struct naive_zone *z,
		  uint32_t pfn, int order)
{
	return naive_find(m, z, pfn, order) >= 0;
}

void naive_add_free(struct naive *m, struct naive_zone *z, uint32_t pfn,
		    int order, int type, bool tail)
{
	struct naive_page *p = &m->page[pfn];

	p->place = ON_FREE_LIST;
	p->order = (uint8_t)order;
	p->type = (uint8_t)type;
	p->marks = 0;
	if (tail)
		nl_add_tail(m, &z->free[order][type], pfn);
	else
		nl_add_head(m, &z->free[order][type], pfn);
	z->free_pages[type] += 1 << order;
}

void naive_take_free(struct naive *m, struct naive_zone *z, uint32_t pfn)
{
	struct naive_page *p = &m->page[pfn];

	CHECK_EQ(p->place, ON_FREE_LIST);
	nl_remove(m, &z->free[p->order][p->type], pfn);
	z->free_pages[p->type] -= 1 << p->order;
	p->place = IN_USE;
}

static int type_of(const struct naive *m, uint32_t pfn)
{
	return m->pageblock[pfn / NAIVE_PB];
}

void naive_write_type(struct naive *m, uint32_t pfn, int type)
{
	m->nr_isolated += (type == NI) - (type_of(m, pfn) == NI);
	m->pageblock[pfn / NAIVE_PB] = (uint8_t)type;
}

void naive_set_type(struct naive *m, uint32_t pfn, int type)
{
	if (!m->grouping && type < NH)
		type = NU;
	naive_write_type(m, pfn, type);
}

int naive_nr_isolated(const struct naive *m, const struct naive_zone *z)
{
	uint32_t b;
	int nr = 0;

	if (m->nr_isolated == 0)
		return 0;
	for (b = z->start / NAIVE_PB; b * NAIVE_PB < z->end; b++)
		nr += m->pageblock[b] == NI;
	return nr;
}

/* Order 9 and above: may type t merge with the pageblock at buddy? */
static bool may_merge(struct naive *m, const struct naive_zone *z, int t,
		      uint32_t buddy)
{
	int b = type_of(m, buddy);

	if (m->kernel >= K61)
		return b == t || (b < NH && t < NH);
	return naive_nr_isolated(m, z) == 0 || b == t ||
	       (b != NI && t != NI);
}

static void retype(struct naive *m, uint32_t buddy, int order, int t)
{
	uint32_t p, nr = 1u << order;

	if (m->kernel < K612_0 || type_of(m, buddy) == t)
		return;
	if (m->kernel != K612)
		nr = NAIVE_PB;
	for (p = buddy; p < buddy + nr; p += NAIVE_PB)
		naive_set_type(m, p, t);
}

static bool coin_says_tail(struct naive *m)
{
	bool bit;

	if (m->nr_shuffle_bits == 0) {
		m->shuffle_bits = m->word(m->nr_words++);
		m->nr_shuffle_bits = 64;
	}
	bit = m->shuffle_bits & 1;
	m->shuffle_bits >>= 1;
	m->nr_shuffle_bits--;
	return m->kernel == K53 ? !bit : bit;
}

static bool place_at_tail(struct naive *m, struct naive_zone *z, uint32_t pfn,
			  int order, bool tail)
{
	uint32_t pair = pfn & ~(1u << order);

	if (tail)
		return true;
	if (m->shuffle && order >= 10)
		return coin_says_tail(m);
	if (order >= 9)
		return false;
	return heads(m, z, pair ^ (2u << order), order + 1);
}

/* Does a compactor wait for this block? */
static bool is_captured(struct naive *m, uint32_t pfn, int order, int type)
{
	if (m->captured || m->capture_pfn != pfn || m->capture_order != order)
		return false;
	m->captured = true;
	m->page[pfn].cached = (uint8_t)type;
	return true;
}

void naive_free_to_buddy(struct naive *m, struct naive_zone *z, uint32_t pfn,
			 int order, int type, bool tail)
{
	m->nr_inserts++;
	for (; order < 10; order++) {
		uint32_t buddy = pfn ^ (1u << order);

		if (is_captured(m, pfn, order, type))
			return;
		if (!heads(m, z, buddy, order))
			break;
		if (order >= NAIVE_PB_ORDER && !may_merge(m, z, type, buddy))
			break;
		naive_take_free(m, z, buddy);
		if (order >= NAIVE_PB_ORDER)
			retype(m, buddy, order, type);
		pfn &= buddy;
	}
	naive_add_free(m, z, pfn, order, type,
		       place_at_tail(m, z, pfn, order, tail));
}

/* A free past the pcp: types are read now; 6.12 cuts what spans pageblocks. */
void naive_free_pageblocks(struct naive *m, struct naive_zone *z,
			   uint32_t pfn, int order)
{
	uint32_t end = pfn + (1u << order);
	int piece = m->kernel >= K612_0 && order > NAIVE_PB_ORDER ?
		    NAIVE_PB_ORDER : order;

	for (; pfn < end; pfn += 1u << piece)
		naive_free_to_buddy(m, z, pfn, piece, type_of(m, pfn), false);
}

void naive_put(struct naive *m, uint32_t pfn, int order)
{
	naive_free_pageblocks(m, naive_zone_of(m, pfn), pfn, order);
}

void naive_boot(struct naive *m, uint32_t start, uint32_t end)
{
	while (start < end) {
		struct naive_zone *z = naive_zone_of(m, start);
		uint32_t stop = end < z->end ? end : z->end;
		int o = 10;

		while ((start & ((1u << o) - 1)) || start + (1u << o) > stop)
			o--;
		naive_free_to_buddy(m, z, start, o, type_of(m, start),
				    m->kernel >= K510);
		start += 1u << o;
	}
}

/* Halves go to the head of the type's lists; the low part is the caller's. */
uint32_t naive_split(struct naive *m, struct naive_zone *z, uint32_t pfn,
		     int have, int want, int type)
{
	while (have > want) {
		have--;
		naive_add_free(m, z, pfn + (1u << have), have, type, false);
	}
	m->page[pfn].cached = (uint8_t)type;
	return pfn;
}

uint32_t naive_smallest(struct naive *m, struct naive_zone *z, int order,
			int type)
{
	uint32_t pfn;
	int o;

	for (o = order; o < NAIVE_ORDERS; o++) {
		pfn = z->free[o][type].head;
		if (pfn == NAIVE_NONE)
			continue;
		naive_take_free(m, z, pfn);
		return naive_split(m, z, pfn, o, order, type);
	}
	return NAIVE_NONE;
}

/* To the head of the other list before 5.10, to its tail since. */
void naive_move_block(struct naive *m, struct naive_zone *z, uint32_t pfn,
		      int to)
{
	uint8_t marks = m->page[pfn].marks;

	naive_take_free(m, z, pfn);
	naive_add_free(m, z, pfn, m->page[pfn].order, to, m->kernel >= K510);
	m->page[pfn].marks = marks;
}

static bool is_free_in(const struct naive *m, const struct naive_zone *z,
		       uint32_t pfn)
{
	return pfn >= z->start && pfn < z->end &&
	       m->page[pfn].place == ON_FREE_LIST;
}

void naive_move_pageblock(struct naive *m, struct naive_zone *z, uint32_t from,
			  uint32_t end, int type)
{
	uint32_t p = from;

	while (p < end) {
		if (!is_free_in(m, z, p)) {
			p++;
			continue;
		}
		naive_move_block(m, z, p, type);
		p += 1u << m->page[p].order;
	}
}

void naive_count(struct naive *m, struct naive_zone *z, uint32_t from,
		 uint32_t end, int *nr_free, int *nr_movable)
{
	uint32_t p = from;

	*nr_free = *nr_movable = 0;
	while (p < end) {
		const struct naive_page *page = &m->page[p];

		if (is_free_in(m, z, p)) {
			*nr_free += 1 << page->order;
			p += 1u << page->order;
		} else if (page->place == ON_PCP_LIST) {
			p += 1u << page->order;
		} else {
			*nr_movable += page->lru;
			p++;
		}
	}
}

bool naive_pageblock_has_free(struct naive *m, uint32_t pfn)
{
	uint32_t start = pfn / NAIVE_PB * NAIVE_PB, p;

	/* A block of order 10 may begin one pageblock earlier. */
	for (p = start & ~1023u; p < start + NAIVE_PB; p++)
		if (m->page[p].place == ON_FREE_LIST &&
		    p + (1u << m->page[p].order) > start)
			return true;
	return false;
}

/* ---- isolation ---- */

static void isolate_retype(struct naive *m, struct naive_zone *z, uint32_t pfn,
			   int order)
{
	uint32_t end = pfn + (1u << order), p;

	for (p = pfn; p < end; p += NAIVE_PB) {
		uint32_t start = p / NAIVE_PB * NAIVE_PB;

		if (type_of(m, p) > NR)
			continue;
		if (m->kernel >= K612_0) {
			if (start < z->start || start + NAIVE_PB > z->end)
				continue;
			naive_move_pageblock(m, z, start, start + NAIVE_PB,
					     NM);
		}
		naive_set_type(m, p, NM);
	}
}

bool naive_isolate(struct naive *m, uint32_t pfn, int order)
{
	struct naive_zone *z = naive_zone_of(m, pfn);

	CHECK(heads(m, z, pfn, order));
	if (type_of(m, pfn) != NI &&
	    !naive_watermark(m, z, 0, z->wmark[0] + (1 << order), 0, true,
			     false))
		return false;
	naive_take_free(m, z, pfn);
	if (order >= NAIVE_PB_ORDER - 1)
		isolate_retype(m, z, pfn, order);
	return true;
}

void naive_isolate_raw(struct naive *m, uint32_t pfn, int order)
{
	struct naive_zone *z = naive_zone_of(m, pfn);

	CHECK(heads(m, z, pfn, order));
	naive_take_free(m, z, pfn);
}

void naive_putback(struct naive *m, uint32_t pfn, int order)
{
	naive_free_to_buddy(m, naive_zone_of(m, pfn), pfn, order,
			    type_of(m, pfn), m->kernel >= K510);
}

void naive_putback_tail(struct naive *m, uint32_t pfn, int order)
{
	naive_free_to_buddy(m, naive_zone_of(m, pfn), pfn, order,
			    type_of(m, pfn), true);
}
