/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * T and M records: what a kernel decided that no recorded state determines.
 * They stand in front of the record whose operation took the decision, several
 * if it took several, and are forgotten after it. The hooks below hand them to
 * the allocator when it comes to the same decision, if the user allows it.
 */
#include <errno.h>
#include <stdlib.h>

#include "replay/internal.h"

int hints_init(struct replay *r)
{
	r->coins = calloc(MAX_PENDING, sizeof(*r->coins));
	r->lru_counts = calloc(MAX_PENDING, sizeof(*r->lru_counts));
	return r->coins && r->lru_counts ? 0 : -ENOMEM;
}

void hints_destroy(struct replay *r)
{
	free(r->coins);
	free(r->lru_counts);
}

/* The record names the page that was freed, not the block it became. */
void hints_add_coin(struct replay *r, const struct req_record *rec)
{
	struct coin *c;

	if (!(r->opt.hints & REPLAY_HINT_COIN) || r->nr_coins == MAX_PENDING)
		return;
	c = &r->coins[r->nr_coins++];
	/* It may have gone to a pcp list long ago. */
	c->freed = names_last(&r->names, rec->pfn);
	c->tail = rec->on;
	c->used = false;
}

void hints_add_lru(struct replay *r, const struct req_record *rec)
{
	struct lru_count *m;

	if (!(r->opt.hints & REPLAY_HINT_LRU) ||
	    r->nr_lru_counts == MAX_PENDING)
		return;
	m = &r->lru_counts[r->nr_lru_counts++];
	m->pfn = rec->pfn;
	m->movable = rec->movable;
	m->used = false;
}

void hints_drop_coins(struct replay *r)
{
	r->nr_coins = 0;
}

void hints_drop_lru(struct replay *r)
{
	r->nr_lru_counts = 0;
}

/* The block that merged must contain the page that the record names. */
int replay_shuffle_coin(void *replay, pfn_t pfn)
{
	struct replay *r = replay;

	for (uint32_t i = 0; i < r->nr_coins; i++) {
		struct coin *c = &r->coins[i];

		if (c->used ||
		    pfn_align_down(c->freed, MAX_PAGE_ORDER) !=
			    pfn_align_down(pfn, MAX_PAGE_ORDER))
			continue;
		c->used = true;
		r->res.hints_used[0]++;
		return c->tail;
	}
	return -1;
}

int replay_movable_count(void *replay, unsigned int zone, pfn_t pageblock)
{
	struct replay *r = replay;
	const unsigned int order = alloc_pageblock_order(r->alloc);

	(void)zone;
	for (uint32_t i = 0; i < r->nr_lru_counts; i++) {
		struct lru_count *m = &r->lru_counts[i];

		if (m->used || pfn_align_down(m->pfn, order) !=
				       pfn_align_down(pageblock, order))
			continue;
		m->used = true;
		r->res.hints_used[1]++;
		return (int)m->movable;
	}
	return -1;
}
