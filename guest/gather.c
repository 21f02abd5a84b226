/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * mmu_gather: unmapped pages are collected and freed in a fixed order. Models
 * tlb_next_batch, __tlb_remove_page_size, tlb_batch_pages_flush,
 * tlb_batch_list_free and, inside an array, free_pages_and_swap_cache with
 * release_pages (folios_put_refs and free_unref_folios from 6.9 on), 5.3 to
 * 6.18.
 *
 *     NONE --gather_flush_begin--> RELEASE <--next group-- COMMIT
 *                                     |                      ^
 *                                     +--group prepared------+
 *     COMMIT --no array left--> NONE
 *
 * RELEASE drops references; up to 6.8 a huge page is freed there and then, and
 * the pages of order 0 of an array are freed together, last one first. Later
 * releases free groups of 31 in order, huge pages among them.
 *
 * Simplified: a huge page mapped by PTEs takes one entry for each of its pages
 * also where 6.9 and later take two for a run of them. Left out: the batch of
 * page-table pages that wait for RCU (paravirtual TLB flush, and 6.18 always).
 */
#include <stdlib.h>

#include "guest/internal.h"

static bool frees_forward(const struct guest *g)
{
	return g->prof->gather_order == GATHER_FORWARD;
}

/* A gather that no operation has used yet. */
static struct gather *gather_grow(struct guest *g)
{
	struct gather **all = realloc(g->gathers, (g->nr_gathers + 1) *
						  sizeof(struct gather *));
	struct gather *ga;

	if (!all)
		return NULL;
	g->gathers = all;
	ga = malloc(sizeof(*ga));
	if (!ga)
		return NULL;
	ga->id = g->nr_gathers;
	g->gathers[g->nr_gathers++] = ga;
	return ga;
}

/* Models tlb_gather_mmu. */
struct gather *gather_new(struct guest *g)
{
	struct gather *ga = g->free_gathers;

	if (ga)
		g->free_gathers = ga->next_free;
	else
		ga = gather_grow(g);
	if (!ga)
		return NULL;
	ga->local.next = NULL;
	ga->local.page = PFN_NONE;
	ga->local.nr = 0;
	ga->local.max = g->prof->gather_stack;
	ga->active = &ga->local;
	ga->nr_heap = 0;
	ga->phase = FLUSH_NONE;
	ga->in_use = true;
	return ga;
}

void gather_delete(struct guest *g, struct gather *ga)
{
	CHECK(ga->local.next == NULL);
	CHECK_EQ(ga->local.nr, 0);
	ga->in_use = false;
	ga->next_free = g->free_gathers;
	g->free_gathers = ga;
}

static struct gather_array *array_new(struct guest *g)
{
	struct gather_array *a = g->free_arrays;

	if (a)
		g->free_arrays = a->next;
	else
		a = malloc(sizeof(*a));
	return a;
}

/* Models tlb_next_batch. */
bool gather_next_array(struct run *r, struct gather *ga)
{
	struct guest *g = r->g;
	struct gather_array *a = ga->active->next;
	pfn_t page;

	if (a) {
		ga->active = a;
		return false;
	}
	if (ga->nr_heap == GATHER_HEAP_ARRAYS)
		return true;
	a = array_new(g);
	if (!a)
		return true;
	page = alloc_page_fast(g->alloc, r->cpu, 0, GFP_GATHER);
	if (page == PFN_NONE)
		page = get_page_atomic(g, r->cpu, GFP_GATHER,
				       ALLOC_REQ_TRIED);
	if (page == PFN_NONE) {
		a->next = g->free_arrays;
		g->free_arrays = a;
		return true;
	}
	touch_add(g->cfg.touches, page, 0, TOUCH_WRITE);
	a->next = NULL;
	a->page = page;
	a->nr = 0;
	a->max = g->prof->gather_heap;
	ga->active->next = a;
	ga->active = a;
	ga->nr_heap++;
	g->counters.gather_pages++;
	return false;
}

/* Entries between the one at hand and the one whose record is fetched. */
#define PREFETCH_AHEAD 8

static void group_begin(const struct run *r, struct gather *ga, uint32_t start)
{
	const uint32_t nr = ga->flushing->nr;

	ga->phase = FLUSH_RELEASE;
	ga->pos = start;
	ga->group_end = nr;
	if (frees_forward(r->g) && start + GATHER_FORWARD_GROUP < nr)
		ga->group_end = start + GATHER_FORWARD_GROUP;
	ga->freed_at = frees_forward(r->g) ? 0 : GATHER_MAX;
	ga->freed_huge = false;
	ga->nr_freed = 0;
	ga->nr_committed = 0;
}

/* Models the start of free_pages_and_swap_cache: each array drains the LRU. */
static void array_begin(struct run *r, struct gather *ga,
			struct gather_array *a)
{
	ga->flushing = a;
	if (!a || a->nr == 0) {
		ga->phase = FLUSH_NONE;
		ga->active = &ga->local;
		return;
	}
	lru_add_drain(r->g, r->cpu, r->work);
	group_begin(r, ga, 0);
}

void gather_flush_begin(struct run *r, struct gather *ga)
{
	CHECK_EQ(ga->phase, FLUSH_NONE);
	if (ga->local.nr)
		r->g->counters.gather_flushes++;
	array_begin(r, ga, &ga->local);
}

/* Drop the reference of one entry. True: *pfn, of *order, is to be freed. */
static bool entry_put(struct guest *g, const struct gather_entry *e,
		      pfn_t *pfn, uint32_t *order)
{
	*pfn = e->pfn;
	*order = 0;
	switch ((enum gather_kind)e->kind) {
	case GATHER_PAGE:
		return lru_put_page(g, e->pfn);
	case GATHER_TABLE:
		return true;
	case GATHER_CACHE:
		return false;
	case GATHER_PIECE:
		if (--g->piece_refs[pfn_region(e->pfn)])
			return false;
		break;
	case GATHER_HUGE:
		break;
	}
	*pfn = pfn_align_down(e->pfn, HPAGE_PMD_ORDER);
	*order = HPAGE_PMD_ORDER;
	alloc_set_lru(g->alloc, *pfn, HPAGE_PMD_NR, false);
	return true;
}

static void freed_note(struct run *r, uint32_t order)
{
	r->work->freed_pages += order_nr_pages(order);
	r->work->freed_blocks++;
	r->budget--;
}

/* One more block of the group is to be freed: behind, or before, the others. */
static void group_add(struct run *r, struct gather *ga, pfn_t pfn,
		      uint32_t order)
{
	if (frees_forward(r->g)) {
		ga->freed[ga->nr_freed] = pfn;
		ga->orders[ga->nr_freed] = (uint8_t)order;
		ga->freed_huge |= order != 0;
	} else {
		ga->freed[--ga->freed_at] = pfn;
	}
	ga->nr_freed++;
}

/* The group is known: what is free of it, in the order in which it is freed. */
static void group_prepare(struct run *r, struct gather *ga)
{
	struct alloc *a = r->g->alloc;

	if (likely(!ga->freed_huge))
		alloc_free_prepare_list(a, &ga->freed[ga->freed_at],
					ga->nr_freed);
	else
		for (uint32_t i = 0; i < ga->nr_freed; i++)
			alloc_free_prepare(a, ga->freed[i], ga->orders[i]);
	ga->phase = FLUSH_COMMIT;
}

/* Drop references of single anonymous pages, as long as there are such. */
static void release_pages_run(struct run *r, struct gather *ga)
{
	const struct gather_entry *entries = ga->flushing->entries;
	uint32_t pos = ga->pos;

	for (; pos < ga->group_end; pos++) {
		if (unlikely(entries[pos].kind != GATHER_PAGE))
			break;
		if (pos + PREFETCH_AHEAD < ga->group_end)
			alloc_prefetch(r->g->alloc,
				       entries[pos + PREFETCH_AHEAD].pfn);
		if (likely(lru_put_page(r->g, entries[pos].pfn)))
			group_add(r, ga, entries[pos].pfn, 0);
	}
	ga->pos = pos;
}

/* False: the budget is spent. */
static bool group_release(struct run *r, struct gather *ga)
{
	struct guest *g = r->g;
	const struct gather_entry *entries = ga->flushing->entries;
	const bool forward = frees_forward(g);
	const uint32_t end = ga->group_end;

	while (ga->pos < end) {
		uint32_t pos, order;
		pfn_t pfn;

		if (!r->budget)
			return false;
		release_pages_run(r, ga);
		if (ga->pos == end)
			break;
		pos = ga->pos;
		if (pos + PREFETCH_AHEAD < end)
			alloc_prefetch(g->alloc,
				       entries[pos + PREFETCH_AHEAD].pfn);
		ga->pos++;
		if (!entry_put(g, &entries[pos], &pfn, &order))
			continue;
		if (unlikely(order) && !forward) {
			alloc_free(g->alloc, r->cpu, pfn, order);
			freed_note(r, order);
		} else {
			group_add(r, ga, pfn, order);
		}
	}
	group_prepare(r, ga);
	return true;
}

/* Commit nr blocks of a group with huge pages in it; the number of pages. */
static uint32_t commit_blocks(struct run *r, const struct gather *ga,
			      uint32_t nr)
{
	uint32_t pages = 0;

	for (uint32_t i = ga->nr_committed; nr-- > 0; i++) {
		alloc_free_commit(r->g->alloc, r->cpu, ga->freed[i],
				  ga->orders[i]);
		pages += order_nr_pages(ga->orders[i]);
	}
	return pages;
}

static bool group_commit(struct run *r, struct gather *ga)
{
	const uint32_t left = ga->nr_freed - ga->nr_committed;
	const uint32_t nr = left < r->budget ? left : r->budget;
	uint32_t pages = nr;

	if (likely(!ga->freed_huge))
		alloc_free_commit_list(r->g->alloc, r->cpu,
				       &ga->freed[ga->freed_at +
						  ga->nr_committed], nr);
	else
		pages = commit_blocks(r, ga, nr);
	ga->nr_committed += nr;
	r->work->freed_pages += pages;
	r->work->freed_blocks += nr;
	r->budget -= nr;
	if (nr < left)
		return false;
	if (ga->pos < ga->flushing->nr) {
		group_begin(r, ga, ga->pos);
		return true;
	}
	ga->flushing->nr = 0;
	array_begin(r, ga, ga->flushing->next);
	return true;
}

bool gather_flush(struct run *r, struct gather *ga)
{
	while (ga->phase != FLUSH_NONE) {
		const bool done = ga->phase == FLUSH_RELEASE ?
					  group_release(r, ga) :
					  group_commit(r, ga);

		if (!done)
			return false;
	}
	return true;
}

/* Models tlb_batch_list_free: the arrays themselves, oldest first. */
bool gather_free_arrays(struct run *r, struct gather *ga)
{
	struct gather_array *a;

	while ((a = ga->local.next)) {
		if (!r->budget)
			return false;
		alloc_free(r->g->alloc, r->cpu, a->page, 0);
		freed_note(r, 0);
		ga->local.next = a->next;
		a->next = r->g->free_arrays;
		r->g->free_arrays = a;
	}
	ga->active = &ga->local;
	return true;
}

static void arrays_free(struct gather_array *a)
{
	while (a) {
		struct gather_array *next = a->next;

		free(a);
		a = next;
	}
}

void gather_free_all(struct guest *g)
{
	for (uint32_t i = 0; i < g->nr_gathers; i++) {
		if (g->gathers[i]->in_use)
			arrays_free(g->gathers[i]->local.next);
		free(g->gathers[i]);
	}
	free(g->gathers);
	arrays_free(g->free_arrays);
}
