/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * T, M and K records: what a kernel decided inside another operation. They
 * stand near the record of that operation, several if it decided several
 * times, and recordings put them in front of it or behind it, as the locks
 * happened to be taken. So they are taken up when they are read, which is
 * before the operation they follow is applied (replay_next() reads ahead).
 * Which of them belongs to a decision is told by the block, the oldest first.
 *
 * Between such a record and its operation other CPUs may have any number of
 * operations that need no zone lock, above all if the recorded CPU was a
 * virtual one that did not run for a while. So a record is kept until it is
 * used, or until it can only be that the twin went another way.
 */
#include <errno.h>
#include <stdlib.h>

#include "replay/internal.h"

/* Operations that a record may outlive. */
#define MAX_AGE 8192

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
		.born = r->nr_operations,
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
		.born = r->nr_operations,
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
		.born = r->nr_operations,
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

static bool too_old(const struct replay *r, uint64_t born)
{
	return r->nr_operations - born > MAX_AGE;
}

static void age_coins(struct replay *r)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < r->nr_coins; i++)
		if (!r->coins[i].used && !too_old(r, r->coins[i].born))
			r->coins[kept++] = r->coins[i];
	r->nr_coins = kept;
}

static void age_lru(struct replay *r)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < r->nr_lru_counts; i++)
		if (!r->lru_counts[i].used &&
		    !too_old(r, r->lru_counts[i].born))
			r->lru_counts[kept++] = r->lru_counts[i];
	r->nr_lru_counts = kept;
}

/* Lists are in order of age: the first tells whether any is too old. */
void hints_age(struct replay *r)
{
	r->nr_operations++;
	boost_watch(r);
	if (r->nr_coins &&
	    (r->coins[0].used || too_old(r, r->coins[0].born)))
		age_coins(r);
	if (r->nr_lru_counts &&
	    (r->lru_counts[0].used || too_old(r, r->lru_counts[0].born)))
		age_lru(r);
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
		if (!too_old(r, r->waiting[i].born))
			continue;
		step_skip(r, REPLAY_NOT_CAPTURED);
		drop_waiting(r, i);
	}
}

void capture_finish(struct replay *r)
{
	for (; r->nr_waiting; r->nr_waiting--)
		step_skip(r, REPLAY_NOT_CAPTURED);
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
