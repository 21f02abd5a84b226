/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Naive per-CPU lists: refill, flush and drain as rmqueue_pcplist,
 * free_unref_page_commit and free_pcppages_bulk of the release do.
 */
#include "include/check.h"
#include "tests/model/naive_alloc.h"

static int min(int a, int b)
{
	return a < b ? a : b;
}

static int max(int a, int b)
{
	return a > b ? a : b;
}

static int clamp(int v, int lo, int hi)
{
	return min(max(v, lo), hi);
}

bool naive_pcp_order(const struct naive *m, int order)
{
	if (m->kernel < K61)
		return order == 0;
	return order <= 3 || order == 9;
}

int naive_pcp_list(int order, int type)
{
	if (order == 9)
		return type == NM ? 13 : 12;
	return 3 * order + type;
}

int naive_pcp_list_order(int list)
{
	return list < 12 ? list / 3 : 9;
}

static int clamp_high(struct naive_pcp *p)
{
	p->high = clamp(p->high, p->high_min, p->high_max);
	return p->high;
}

/* ---- refill ---- */

/* Blocks to take from the buddy, 6.12 on (nr_pcp_alloc). */
static int refill_ramped(const struct naive_zone *z, struct naive_pcp *p,
			 int order)
{
	int n = p->batch, high = clamp_high(p), room;

	if (high < p->batch)
		return 1;
	if (order == 0)
		n <<= p->alloc_factor;
	if (p->high_min != p->high_max && !z->below_high) {
		high = min(high + n, p->high_max);
		p->high = high;
	}
	if (order == 0) {
		room = max(high - p->count - p->batch, p->batch);
		if (n <= room && p->alloc_factor < 5)
			p->alloc_factor++;
		n = min(n, room);
	}
	return n > 1 ? max(n >> order, 2) : n;
}

static int refill_size(const struct naive *m, const struct naive_zone *z,
		       struct naive_pcp *p, int order)
{
	if (m->kernel >= K612_0)
		return refill_ramped(z, p, order);
	if (m->kernel == K61 && p->batch > 1)
		return max(p->batch >> order, 2);
	return p->batch;
}

/* The type that the page remembers is not touched. */
static void put_on(struct naive *m, struct naive_pcp *p, uint32_t pfn,
		   int order, int list, bool tail)
{
	struct naive_page *page = &m->page[pfn];

	page->place = ON_PCP_LIST;
	page->order = (uint8_t)order;
	page->type = (uint8_t)list;
	if (tail)
		nl_add_tail(m, &p->list[list], pfn);
	else
		nl_add_head(m, &p->list[list], pfn);
}

static uint32_t take_off(struct naive *m, struct naive_list *l, uint32_t pfn)
{
	nl_remove(m, l, pfn);
	m->page[pfn].place = IN_USE;
	return pfn;
}

static void refill(struct naive *m, struct naive_zone *z, struct naive_pcp *p,
		   int order, int type, bool nofragment)
{
	enum naive_mode mode = MODE_NORMAL;
	int n = refill_size(m, z, p, order), got = 0;

	while (got < n) {
		uint32_t pfn = naive_rmqueue(m, z, order, type, nofragment,
					     &mode);

		if (pfn == NAIVE_NONE)
			break;
		put_on(m, p, pfn, order, naive_pcp_list(order, type), true);
		got++;
	}
	p->count += got << order;
}

uint32_t naive_pcp_alloc(struct naive *m, struct naive_zone *z, int cpu,
			 int order, int type, bool nofragment, bool bulk)
{
	struct naive_pcp *p = &z->pcp[cpu];
	struct naive_list *l = &p->list[naive_pcp_list(order, type)];

	if (!bulk && m->kernel == K61)
		p->free_factor >>= 1;
	if (!bulk && m->kernel >= K612_0)
		p->free_count >>= 1;
	if (l->nr == 0)
		refill(m, z, p, order, type, nofragment);
	if (l->nr == 0)
		return NAIVE_NONE;
	p->count -= 1 << order;
	return take_off(m, l, l->head);
}

/* ---- flush ---- */

static void to_buddy(struct naive *m, struct naive_zone *z, uint32_t pfn,
		     int order)
{
	int type = m->page[pfn].cached;

	if (m->kernel >= K612_0 || naive_nr_isolated(m, z))
		type = m->pageblock[pfn / NAIVE_PB];
	naive_free_to_buddy(m, z, pfn, order, type, false);
}

/* Up to 5.10: lists take turns, and a list gains a turn per empty neighbour. */
static void flush_by_turns(struct naive *m, struct naive_zone *z,
			   struct naive_pcp *p, int n)
{
	uint32_t taken[NAIVE_PAGES];
	int i = 0, c = 0, nr = 0, k;

	n = min(n, p->count);
	p->count -= n;
	while (n > 0) {
		do {
			c++;
			i = (i + 1) % 3;
		} while (p->list[i].nr == 0);
		if (c == 3)
			c = n;
		do {
			taken[nr++] = take_off(m, &p->list[i],
					       p->list[i].tail);
			n--;
			if (n == 0)
				break;
			c--;
		} while (c > 0 && p->list[i].nr > 0);
	}
	for (k = 0; k < nr; k++)
		to_buddy(m, z, taken[k], 0);
}

/* 5.18 on: one list after the other, oldest blocks first. */
static void flush_lists(struct naive *m, struct naive_zone *z,
			struct naive_pcp *p, int n, int list)
{
	n = min(n, p->count);
	while (n > 0) {
		struct naive_list *l = &p->list[list];
		int order = naive_pcp_list_order(list);

		while (n > 0 && l->nr > 0) {
			to_buddy(m, z, take_off(m, l, l->tail), order);
			n -= 1 << order;
			p->count -= 1 << order;
		}
		list = (list + 1) % NAIVE_PCP_LISTS;
	}
}

static void flush(struct naive *m, struct naive_zone *z, struct naive_pcp *p,
		  int n, int list)
{
	if (m->kernel < K61)
		flush_by_turns(m, z, p, n);
	else
		flush_lists(m, z, p, n, list);
}

void naive_drain_pageset(struct naive *m, int zone, int cpu, int nr,
			 int pindex)
{
	struct naive_zone *z = &m->zone[zone];

	flush(m, z, &z->pcp[cpu], nr, pindex);
}

void naive_drain_cpu(struct naive *m, int cpu)
{
	int i;

	for (i = 0; i < m->nr_zones; i++)
		naive_drain_pageset(m, i, cpu, m->zone[i].pcp[cpu].count, 0);
}

/* ---- free ---- */

static void after_free_6_1(struct naive *m, struct naive_zone *z,
			   struct naive_pcp *p, int order, int list)
{
	bool free_high = p->free_factor && order >= 1 && order <= 3;
	int limit = p->high, n;

	if (limit == 0 || free_high)
		limit = 0;
	else if (z->reclaim)
		limit = min(4 * p->batch, limit);
	if (p->count < limit)
		return;
	if (free_high) {
		n = p->count;
	} else if (limit < p->batch) {
		n = 1;
	} else {
		n = p->batch << p->free_factor;
		if (n < limit - p->batch && p->free_factor < 5)
			p->free_factor++;
		n = min(max(n, p->batch), limit - p->batch);
	}
	flush(m, z, p, n, list);
}

/* The fill at which to flush (nr_pcp_high). */
static int limit_6_12(const struct naive_zone *z, struct naive_pcp *p,
		      bool free_high)
{
	int high = clamp_high(p), drop = max(p->free_count, p->batch);

	if (high == 0)
		return 0;
	if (free_high) {
		p->high = max(high - (p->batch << 5), p->high_min);
		return 0;
	}
	if (z->reclaim) {
		p->high = max(high - drop, p->high_min);
		return min(4 * p->batch, p->high);
	}
	if (p->high_min == p->high_max)
		return high;
	if (z->below_high) {
		p->high = max(high - drop, p->high_min);
		return max(p->count, p->high_min);
	}
	if (p->count >= high && high < p->free_count + p->batch)
		p->high = clamp(p->free_count + p->batch, p->high_min,
				p->high_max);
	return high;
}

static void after_free_6_12(struct naive *m, struct naive_zone *z,
			    struct naive_pcp *p, int order, int list)
{
	bool high_order = order >= 1 && order <= 3, free_high;
	int enough = p->batch + (m->kernel == K618 ? p->high_min / 2 : 0);
	int limit, n;

	p->alloc_factor >>= 1;
	free_high = high_order && p->free_count >= enough &&
		    p->prev_free_high &&
		    (!p->big_cache || p->count >= p->batch);
	p->prev_free_high = high_order;
	if (p->free_count < p->batch << 5)
		p->free_count += 1 << order;
	limit = limit_6_12(z, p, free_high);
	if (p->count < limit)
		return;
	if (free_high)
		n = min(p->count, p->batch << 5);
	else if (limit < p->batch)
		n = 1;
	else
		n = min(max(p->free_count, p->batch), limit - p->batch);
	flush(m, z, p, n, list);
	if (z->below_high &&
	    naive_watermark(m, z, 0, z->wmark[2] + z->boost, 3, false, false))
		z->below_high = false;
}

void naive_pcp_free(struct naive *m, struct naive_zone *z, int cpu,
		    uint32_t pfn, int order, int type)
{
	struct naive_pcp *p = &z->pcp[cpu];
	int list = naive_pcp_list(order, type < NH ? type : NM);

	m->page[pfn].cached = (uint8_t)type;
	put_on(m, p, pfn, order, list, false);
	p->count += 1 << order;
	if (m->kernel >= K612_0)
		after_free_6_12(m, z, p, order, list);
	else if (m->kernel == K61)
		after_free_6_1(m, z, p, order, list);
	else if (p->count >= p->high)
		flush(m, z, p, p->batch, list);
}

/* ---- single blocks ---- */

uint32_t naive_pcp_take(struct naive *m, int zone, int cpu, int order,
			int type)
{
	return naive_pcp_alloc(m, &m->zone[zone], cpu, order, type, false,
			       true);
}

void naive_pcp_remove(struct naive *m, int cpu, uint32_t pfn)
{
	struct naive_pcp *p = &naive_zone_of(m, pfn)->pcp[cpu];

	take_off(m, &p->list[m->page[pfn].type], pfn);
	p->count -= 1 << m->page[pfn].order;
}

void naive_pcp_flush_block(struct naive *m, int cpu, uint32_t pfn)
{
	naive_pcp_remove(m, cpu, pfn);
	to_buddy(m, naive_zone_of(m, pfn), pfn, m->page[pfn].order);
}

void naive_pcp_push(struct naive *m, int cpu, int list, int order,
		    uint32_t pfn, int cached)
{
	struct naive_pcp *p = &naive_zone_of(m, pfn)->pcp[cpu];

	m->page[pfn].cached = (uint8_t)cached;
	put_on(m, p, pfn, order, list, false);
	p->count += 1 << order;
}

/* ---- the vmstat worker ---- */

void naive_decay_high(struct naive *m, int zone, int cpu)
{
	struct naive_pcp *p = &m->zone[zone].pcp[cpu];

	if (m->kernel >= K612_0 && p->high > p->high_min)
		p->high = max(max(p->count - (p->batch << 5),
				  p->high - p->high / 8), p->high_min);
}

void naive_vmstat_tick(struct naive *m, int cpu)
{
	int i;

	if (m->kernel < K612_0)
		return;
	for (i = 0; i < m->nr_zones; i++) {
		struct naive_pcp *p = &m->zone[i].pcp[cpu];
		int over, piece;

		naive_decay_high(m, i, cpu);
		over = p->count - p->high;
		piece = m->kernel == K612 ? p->batch : over;
		for (; over > 0; over -= piece)
			flush(m, &m->zone[i], p, over < piece ? over : piece,
			      0);
	}
}
