/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * T, M and K records: what a kernel decided inside another operation. They
 * stand beside the record of that operation, several if it decided several
 * times, and recordings put them in front of it or behind it, as the locks
 * happened to be taken. So they are taken up when they are read, which is
 * before the operation they follow is applied (replay_next() reads ahead), and
 * forgotten when the operation after the next is over. Which of them belongs
 * to a decision is told by the block.
 */
#include <errno.h>
#include <stdlib.h>

#include "replay/internal.h"

/* Operations that a record may outlive: those on both sides of it. */
#define MAX_AGE 2

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
static void add_coin(struct replay *r, const struct req_record *rec)
{
	if (!(r->opt.hints & REPLAY_HINT_COIN) || r->nr_coins == MAX_PENDING)
		return;
	/* The page may have gone to a pcp list long ago. */
	r->coins[r->nr_coins++] = (struct coin){
		.freed = names_last(&r->names, rec->pfn),
		.tail = rec->on,
	};
}

static void add_lru(struct replay *r, const struct req_record *rec)
{
	if (!(r->opt.hints & REPLAY_HINT_LRU) ||
	    r->nr_lru_counts == MAX_PENDING)
		return;
	r->lru_counts[r->nr_lru_counts++] = (struct lru_count){
		.pfn = rec->pfn,
		.movable = rec->movable,
	};
}

static void add_capture(struct replay *r, const struct req_record *rec)
{
	if (r->nr_waiting == MAX_CAPTURES) {
		step_skip(r, REPLAY_NOT_CAPTURED);
		return;
	}
	r->waiting[r->nr_waiting++] = (struct waiting_capture){
		.observed = rec->freed,
		.block = pfn_align_down(names_last(&r->names, rec->freed),
					rec->order),
		.cpu = rec->cpu,
		.order = rec->order,
	};
}

bool hints_take_up(struct replay *r, const struct req_record *rec)
{
	switch (rec->kind) {
	case REQ_T:
		add_coin(r, rec);
		return true;
	case REQ_M:
		add_lru(r, rec);
		return true;
	case REQ_K:
		add_capture(r, rec);
		return true;
	default:
		return false;
	}
}

void hints_age_coins(struct replay *r)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < r->nr_coins; i++)
		if (!r->coins[i].used && ++r->coins[i].age < MAX_AGE)
			r->coins[kept++] = r->coins[i];
	r->nr_coins = kept;
}

void hints_age_lru(struct replay *r)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < r->nr_lru_counts; i++)
		if (!r->lru_counts[i].used &&
		    ++r->lru_counts[i].age < MAX_AGE)
			r->lru_counts[kept++] = r->lru_counts[i];
	r->nr_lru_counts = kept;
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

/* The capture that this free may satisfy; its own page is the surest sign. */
static int waiting_for(const struct replay *r, const struct req_record *rec)
{
	for (unsigned int i = 0; i < r->nr_waiting; i++)
		if (rec->kind != REQ_D && r->waiting[i].observed == rec->pfn)
			return (int)i;
	return r->nr_waiting ? 0 : -1;
}

void capture_arm(struct replay *r, const struct req_record *rec)
{
	const int i = waiting_for(r, rec);

	r->armed = i;
	if (i >= 0)
		alloc_capture_arm(r->alloc, r->waiting[i].block,
				  r->waiting[i].order);
}

static void drop_waiting(struct replay *r, unsigned int i)
{
	r->nr_waiting--;
	for (; i < r->nr_waiting; i++)
		r->waiting[i] = r->waiting[i + 1];
}

void capture_collect(struct replay *r)
{
	pfn_t pfn;

	if (r->armed >= 0) {
		const unsigned int i = (unsigned int)r->armed;

		pfn = alloc_capture_collect(r->alloc);
		if (pfn != PFN_NONE && r->nr_captures < MAX_CAPTURES) {
			r->captures[r->nr_captures++] = (struct capture){
				.pfn = pfn,
				.cpu = r->waiting[i].cpu,
				.order = r->waiting[i].order,
			};
			drop_waiting(r, i);
		}
	}
	for (unsigned int i = r->nr_waiting; i-- > 0;) {
		if (++r->waiting[i].age < MAX_AGE)
			continue;
		step_skip(r, REPLAY_NOT_CAPTURED);
		drop_waiting(r, i);
	}
}

static pfn_t remove_capture(struct replay *r, unsigned int i)
{
	const pfn_t pfn = r->captures[i].pfn;

	r->nr_captures--;
	for (; i < r->nr_captures; i++)
		r->captures[i] = r->captures[i + 1];
	return pfn;
}

pfn_t capture_take(struct replay *r, unsigned int cpu, unsigned int order)
{
	/* The compactor may have moved to another CPU: its own come first. */
	for (unsigned int i = 0; i < r->nr_captures; i++)
		if (r->captures[i].order == order && r->captures[i].cpu == cpu)
			return remove_capture(r, i);
	for (unsigned int i = 0; i < r->nr_captures; i++)
		if (r->captures[i].order == order)
			return remove_capture(r, i);
	return PFN_NONE;
}
