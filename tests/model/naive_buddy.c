/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Naive buddy: arrays for lists, merging by search, splitting, and moving
 * blocks between types. Rules as in __free_one_page, expand, move_to_free_list
 * and __isolate_free_page of the release.
 */
#include <stdlib.h>
#include <string.h>

#include "include/check.h"
#include "tests/model/naive_alloc.h"

void nl_add_head(struct naive_list *l, struct naive_block b)
{
	CHECK_LT(l->nr, NAIVE_PAGES);
	memmove(l->b + 1, l->b, (size_t)l->nr * sizeof(b));
	l->b[0] = b;
	l->nr++;
}

void nl_add_tail(struct naive_list *l, struct naive_block b)
{
	CHECK_LT(l->nr, NAIVE_PAGES);
	l->b[l->nr++] = b;
}

struct naive_block nl_remove(struct naive_list *l, int at)
{
	struct naive_block b = l->b[at];

	CHECK_LT(at, l->nr);
	l->nr--;
	memmove(l->b + at, l->b + at + 1,
		(size_t)(l->nr - at) * sizeof(b));
	return b;
}

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
	int o, t;

	for (o = 0; o < NAIVE_ORDERS; o++)
		for (t = 0; t < NI; t++)
			sum += (int64_t)z->free[o][t].nr << o;
	return sum;
}

int naive_find(const struct naive_zone *z, uint32_t pfn, int order, int *at)
{
	int t;

	for (t = 0; t < NAIVE_TYPES; t++)
		for (*at = 0; *at < z->free[order][t].nr; (*at)++)
			if (z->free[order][t].b[*at].pfn == pfn)
				return t;
	return -1;
}

/* Is pfn the head of a free block of exactly this order in the zone? */
static bool heads(const struct naive_zone *z, uint32_t pfn, int order)
{
	int at;

	return naive_find(z, pfn, order, &at) >= 0;
}

static uint8_t *type_of(struct naive *m, uint32_t pfn)
{
	return &m->pageblock[pfn / NAIVE_PB];
}

void naive_set_type(struct naive *m, uint32_t pfn, int type)
{
	if (!m->grouping && type < NH)
		type = NU;
	*type_of(m, pfn) = (uint8_t)type;
}

int naive_nr_isolated(const struct naive *m, const struct naive_zone *z)
{
	uint32_t b;
	int nr = 0;

	for (b = z->start / NAIVE_PB; b * NAIVE_PB < z->end; b++)
		nr += m->pageblock[b] == NI;
	return nr;
}

/* Order 9 and above: may type t merge with the pageblock at buddy? */
static bool may_merge(struct naive *m, const struct naive_zone *z, int t,
		      uint32_t buddy)
{
	int b = *type_of(m, buddy);

	if (m->kernel >= K61)
		return b == t || (b < NH && t < NH);
	return naive_nr_isolated(m, z) == 0 || b == t ||
	       (b != NI && t != NI);
}

static void retype(struct naive *m, uint32_t buddy, int order, int t)
{
	uint32_t p, nr = 1u << order;

	if (m->kernel < K612_0 || *type_of(m, buddy) == t)
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
	return heads(z, pair ^ (2u << order), order + 1);
}

void naive_free_to_buddy(struct naive *m, struct naive_zone *z, uint32_t pfn,
			 int order, int type, bool tail)
{
	struct naive_block b = { .pfn = pfn };

	for (; order < 10; order++) {
		uint32_t buddy = pfn ^ (1u << order);
		int at, t = naive_find(z, buddy, order, &at);

		if (t < 0)
			break;
		if (order >= NAIVE_PB_ORDER && !may_merge(m, z, type, buddy))
			break;
		nl_remove(&z->free[order][t], at);
		if (order >= NAIVE_PB_ORDER)
			retype(m, buddy, order, type);
		pfn &= buddy;
	}
	b.pfn = pfn;
	if (place_at_tail(m, z, pfn, order, tail))
		nl_add_tail(&z->free[order][type], b);
	else
		nl_add_head(&z->free[order][type], b);
}

/* A free past the pcp: types are read now; 6.12 cuts what spans pageblocks. */
void naive_free_pageblocks(struct naive *m, struct naive_zone *z,
			   uint32_t pfn, int order)
{
	uint32_t end = pfn + (1u << order);
	int piece = m->kernel >= K612_0 && order > NAIVE_PB_ORDER ?
		    NAIVE_PB_ORDER : order;

	for (; pfn < end; pfn += 1u << piece)
		naive_free_to_buddy(m, z, pfn, piece, *type_of(m, pfn), false);
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
		naive_free_to_buddy(m, z, start, o, *type_of(m, start),
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
		nl_add_head(&z->free[have][type], (struct naive_block){
				    .pfn = pfn + (1u << have) });
	}
	m->cached[pfn] = (uint8_t)type;
	return pfn;
}

uint32_t naive_smallest(struct naive *m, struct naive_zone *z, int order,
			int type)
{
	int o;

	for (o = order; o < NAIVE_ORDERS; o++)
		if (z->free[o][type].nr)
			return naive_split(m, z,
					   nl_remove(&z->free[o][type], 0).pfn,
					   o, order, type);
	return NAIVE_NONE;
}

/* To the head of the other list before 5.10, to its tail since. */
void naive_move_block(struct naive *m, struct naive_zone *z, int order,
		      int from, int at, int to)
{
	struct naive_block b = nl_remove(&z->free[order][from], at);

	if (m->kernel >= K510)
		nl_add_tail(&z->free[order][to], b);
	else
		nl_add_head(&z->free[order][to], b);
}

struct found {
	uint32_t pfn;
	int order;
};

static int by_pfn(const void *a, const void *b)
{
	const struct found *x = a, *y = b;

	return (x->pfn > y->pfn) - (x->pfn < y->pfn);
}

/* Free blocks that begin in [from, end), ascending. */
static int free_blocks_in(const struct naive_zone *z, uint32_t from,
			  uint32_t end, struct found *out)
{
	int o, t, i, nr = 0;

	for (o = 0; o < NAIVE_ORDERS; o++)
		for (t = 0; t < NAIVE_TYPES; t++)
			for (i = 0; i < z->free[o][t].nr; i++) {
				uint32_t pfn = z->free[o][t].b[i].pfn;

				if (pfn >= from && pfn < end)
					out[nr++] = (struct found){ pfn, o };
			}
	qsort(out, (size_t)nr, sizeof(*out), by_pfn);
	return nr;
}

void naive_move_pageblock(struct naive *m, struct naive_zone *z, uint32_t from,
			  uint32_t end, int type)
{
	struct found blocks[NAIVE_PB];
	int i, at, t, nr = free_blocks_in(z, from, end, blocks);

	for (i = 0; i < nr; i++) {
		t = naive_find(z, blocks[i].pfn, blocks[i].order, &at);
		naive_move_block(m, z, blocks[i].order, t, at, type);
	}
}

static void mark_pcp_pages(const struct naive *m, const struct naive_zone *z,
			   uint32_t from, uint32_t end, bool *used)
{
	int cpu, l, i;
	uint32_t p;

	for (cpu = 0; cpu < m->nr_cpus; cpu++)
		for (l = 0; l < NAIVE_PCP_LISTS; l++) {
			const struct naive_list *list = &z->pcp[cpu].list[l];
			uint32_t size = 1u << (l < 12 ? l / 3 : 9);

			for (i = 0; i < list->nr; i++)
				for (p = list->b[i].pfn;
				     p < list->b[i].pfn + size; p++)
					if (p >= from && p < end)
						used[p - from] = false;
		}
}

void naive_count(struct naive *m, struct naive_zone *z, uint32_t from,
		 uint32_t end, int *nr_free, int *nr_movable)
{
	struct found blocks[NAIVE_PB];
	bool used[NAIVE_PB];
	int i, nr = free_blocks_in(z, from, end, blocks);
	uint32_t p;

	*nr_free = *nr_movable = 0;
	memset(used, true, sizeof(used));
	for (i = 0; i < nr; i++)
		for (p = 0; p < 1u << blocks[i].order; p++) {
			used[blocks[i].pfn - from + p] = false;
			(*nr_free)++;
		}
	mark_pcp_pages(m, z, from, end, used);
	for (p = from; p < end; p++)
		*nr_movable += used[p - from] && m->lru[p];
}

bool naive_pageblock_has_free(struct naive *m, uint32_t pfn)
{
	uint32_t start = pfn / NAIVE_PB * NAIVE_PB;
	struct found blocks[2 * NAIVE_PB];
	int i;

	/* A block of order 10 may begin one pageblock earlier. */
	for (i = 0; i < m->nr_zones; i++) {
		uint32_t from = start & ~1023u;
		int k, nr = free_blocks_in(&m->zone[i], from, start + NAIVE_PB,
					   blocks);

		for (k = 0; k < nr; k++)
			if (blocks[k].pfn + (1u << blocks[k].order) > start)
				return true;
	}
	return false;
}

/* ---- isolation ---- */

static void isolate_retype(struct naive *m, struct naive_zone *z, uint32_t pfn,
			   int order)
{
	uint32_t end = pfn + (1u << order), p;

	for (p = pfn; p < end; p += NAIVE_PB) {
		uint32_t start = p / NAIVE_PB * NAIVE_PB;

		if (*type_of(m, p) > NR)
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
	int at, t = naive_find(z, pfn, order, &at);

	CHECK(t >= 0);
	if (*type_of(m, pfn) != NI &&
	    !naive_watermark(m, z, 0, z->wmark[0] + (1 << order), 0, true,
			     false))
		return false;
	nl_remove(&z->free[order][t], at);
	if (order >= NAIVE_PB_ORDER - 1)
		isolate_retype(m, z, pfn, order);
	return true;
}

void naive_isolate_raw(struct naive *m, uint32_t pfn, int order)
{
	struct naive_zone *z = naive_zone_of(m, pfn);
	int at, t = naive_find(z, pfn, order, &at);

	CHECK(t >= 0);
	nl_remove(&z->free[order][t], at);
}

void naive_putback(struct naive *m, uint32_t pfn, int order)
{
	naive_free_to_buddy(m, naive_zone_of(m, pfn), pfn, order,
			    *type_of(m, pfn), m->kernel >= K510);
}

void naive_putback_tail(struct naive *m, uint32_t pfn, int order)
{
	naive_free_to_buddy(m, naive_zone_of(m, pfn), pfn, order,
			    *type_of(m, pfn), true);
}
