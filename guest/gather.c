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
#include <string.h>

#include "guest/deferred_split.h"
#include "guest/rmap.h"

#define FORWARD_GROUP 31u /* PAGEVEC_SIZE since 6.9 */

static bool frees_forward(const struct guest *g)
{
	return g->prof->gather_order == GATHER_FORWARD;
}

/* A gather that no operation has used yet. */
static struct gather *gather_grow(struct guest *g)
{
	struct gather **all = host_memory(g, realloc(g->gathers,
			(g->nr_gathers + 1) * sizeof(struct gather *)));
	struct gather *ga;

	if (!all)
		return NULL;
	g->gathers = all;
	ga = host_memory(g, malloc(sizeof(*ga)));
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
	ga->local.mixed = false;
	ga->any_huge = true; /* what freed_huge says is not known */
	ga->local.max = g->prof->gather_stack;
	ga->active = &ga->local;
	ga->nr_heap = 0;
	ga->phase = FLUSH_NONE;
	ga->in_use = true;
	ga->spare = NULL;
	ga->gave_up = false;
	return ga;
}

void gather_delete(struct guest *g, struct gather *ga)
{
	CHECK(ga->local.next == NULL);
	CHECK_EQ(ga->local.nr, 0);
	ga->in_use = false;
	pte_tables_put(g, ga->spare);
	ga->next_free = g->free_gathers;
	g->free_gathers = ga;
}

/* Does a huge page lie on both sides of addr? */
static bool cuts_huge(const struct guest_mm *mm, uint64_t addr)
{
	struct pmd_table *pmd;

	if (addr % HPAGE_PMD_SIZE == 0)
		return false;
	pte_table_at(mm, addr, &pmd);
	return pmd && pmd->huge[pmd_index(addr)] != PFN_NONE;
}

/* What is half zapped cannot be given up: host memory for it is had before. */
bool gather_spares_get(struct run *r, struct gather *ga)
{
	const uint64_t ends[] = { r->op->addr, r->op->addr + r->op->len };

	for (unsigned int i = 0; i < 2; i++) {
		struct pte_table *t;

		if (!cuts_huge(r->mm, ends[i]))
			continue;
		t = pte_table_new(r->g, PFN_NONE);
		if (!t)
			return false;
		t->next_free = ga->spare;
		ga->spare = t;
	}
	return true;
}

/* A fault may have put a huge page there since the operation began. */
struct pte_table *gather_spare_take(struct guest *g, struct gather *ga)
{
	struct pte_table *t = ga->spare;

	if (!t)
		return pte_table_new(g, PFN_NONE);
	ga->spare = t->next_free;
	t->next_free = NULL;
	return t;
}

static struct gather_array *array_new(struct guest *g)
{
	struct gather_array *a = g->free_arrays;

	if (a)
		g->free_arrays = a->next;
	else
		a = host_memory(g, malloc(sizeof(*a)));
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
	if (page != PFN_NONE)
		alloc_stalled(g->alloc, r->cpu, page, 0);
	else
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
	a->mixed = false;
	a->max = g->prof->gather_heap;
	ga->active->next = a;
	ga->active = a;
	ga->nr_heap++;
	g->counters.gather_pages++;
	return false;
}

/*
 * May another budget be spent at once? A step that took no lock, touched
 * nothing and has no price takes no time: the next one begins when it does.
 */
static bool budget_renew(struct run *r)
{
	const struct guest_work *w = r->work;

	if (!w->alloc || w->alloc->zones_locked || r->g->cfg.touches->nr ||
	    w->zapped_pages || w->zapped_thp || w->syscalls)
		return false;
	r->budget = r->quantum;
	return true;
}

static void group_begin(const struct run *r, struct gather *ga, uint32_t start)
{
	const uint32_t nr = ga->flushing->nr;

	ga->phase = FLUSH_RELEASE;
	ga->pos = start;
	ga->group_end = nr;
	if (frees_forward(r->g) && start + FORWARD_GROUP < nr)
		ga->group_end = start + FORWARD_GROUP;
	ga->nr_freed = 0;
	ga->nr_committed = 0;
	if (ga->any_huge)
		memset(ga->freed_huge, 0, sizeof(ga->freed_huge));
	ga->any_huge = false;
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

static void freed_note(struct run *r, uint32_t order)
{
	r->work->freed_pages += order_nr_pages(order);
	r->work->freed_blocks++;
	r->budget--;
}

/* The last reference of a huge page: up to 6.8 it is freed at once. */
static void huge_put(struct run *r, struct gather *ga, pfn_t huge)
{
	struct guest *g = r->g;

	alloc_set_lru(g->alloc, huge, HPAGE_PMD_NR, false);
	if (frees_forward(g)) {
		ga->any_huge = true;
		bitmap_set(ga->freed_huge, ga->nr_freed);
		ga->freed[ga->nr_freed++] = huge;
		return;
	}
	alloc_free(g->alloc, r->cpu, huge, HPAGE_PMD_ORDER);
	freed_note(r, HPAGE_PMD_ORDER);
}

/* Drop the reference of one entry. */
static void entry_put(struct run *r, struct gather *ga, pfn_t pfn,
		      enum gather_kind kind)
{
	switch (kind) {
	case GATHER_PAGE:
		if (!lru_put_page(r->g, pfn))
			break;
		/* fall through */
	case GATHER_TABLE:
		ga->freed[ga->nr_freed++] = pfn;
		break;
	case GATHER_CACHE:
		break;
	case GATHER_PIECE:
		if (--r->g->piece_refs[pfn_region(pfn)])
			break;
		deferred_split_forget(r->g, pfn);
		/* fall through */
	case GATHER_HUGE:
		huge_put(r, ga, pfn_align_down(pfn, HPAGE_PMD_ORDER));
		break;
	}
}

/* Drop references of single anonymous pages, as long as there are such. */
static void release_pages_run(struct run *r, struct gather *ga)
{
	const struct gather_array *a = ga->flushing;
	uint32_t end = ga->pos, n;

	if (likely(!a->mixed))
		end = ga->group_end;
	while (end < ga->group_end && a->kind[end] == GATHER_PAGE)
		end++;
	n = alloc_clear_lru_list(r->g->alloc, &a->pfn[ga->pos], end - ga->pos);
	memcpy(&ga->freed[ga->nr_freed], &a->pfn[ga->pos],
	       n * sizeof(*ga->freed));
	ga->nr_freed += n;
	ga->pos += n;
}

static void reverse(pfn_t *pfn, uint32_t nr)
{
	for (uint32_t i = 0; i < nr / 2; i++) {
		const pfn_t other = pfn[nr - 1 - i];

		pfn[nr - 1 - i] = pfn[i];
		pfn[i] = other;
	}
}

static unsigned int freed_order(const struct gather *ga, uint32_t i)
{
	return bitmap_test(ga->freed_huge, i) ? HPAGE_PMD_ORDER : 0;
}

/* The group is known: what is free of it, in the order in which it is freed. */
static void group_prepare(struct run *r, struct gather *ga)
{
	struct alloc *alloc = r->g->alloc;

	ga->phase = FLUSH_COMMIT;
	if (!frees_forward(r->g))
		reverse(ga->freed, ga->nr_freed);
	if (likely(!ga->any_huge)) {
		alloc_free_prepare_list(alloc, ga->freed, ga->nr_freed);
		return;
	}
	for (uint32_t i = 0; i < ga->nr_freed; i++)
		alloc_free_prepare(alloc, ga->freed[i], freed_order(ga, i));
}

/* False: the budget is spent. */
static bool group_release(struct run *r, struct gather *ga)
{
	const struct gather_array *a = ga->flushing;

	while (ga->pos < ga->group_end) {
		if (!r->budget && !budget_renew(r))
			return false;
		release_pages_run(r, ga);
		if (ga->pos == ga->group_end)
			break;
		entry_put(r, ga, a->pfn[ga->pos],
			  (enum gather_kind)a->kind[ga->pos]);
		ga->pos++;
	}
	group_prepare(r, ga);
	return true;
}

/* Commit up to nr blocks, which may end early. Returns the number of pages. */
static uint32_t commit_some(struct run *r, struct gather *ga, uint32_t nr)
{
	struct alloc *alloc = r->g->alloc;
	const uint32_t i = ga->nr_committed;
	unsigned int order;

	if (likely(!ga->any_huge)) {
		const unsigned int done =
			alloc_free_commit_some(alloc, r->cpu, &ga->freed[i],
					       nr);

		ga->nr_committed += done;
		return done;
	}
	order = freed_order(ga, i);
	alloc_free_commit(alloc, r->cpu, ga->freed[i], order);
	ga->nr_committed++;
	return order_nr_pages(order);
}

static bool group_commit(struct run *r, struct gather *ga)
{
	while (ga->nr_committed < ga->nr_freed) {
		const uint32_t left = ga->nr_freed - ga->nr_committed;
		const uint32_t at = ga->nr_committed;

		if (!r->budget && !budget_renew(r))
			return false;
		r->work->freed_pages +=
			commit_some(r, ga, left < r->budget ? left : r->budget);
		r->work->freed_blocks += ga->nr_committed - at;
		r->budget -= ga->nr_committed - at;
	}
	if (ga->pos < ga->flushing->nr) {
		group_begin(r, ga, ga->pos);
		return true;
	}
	ga->flushing->nr = 0;
	ga->flushing->mixed = false;
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
		if (g->gathers[i]->in_use) {
			arrays_free(g->gathers[i]->local.next);
			pte_tables_put(g, g->gathers[i]->spare);
		}
		free(g->gathers[i]);
	}
	free(g->gathers);
	arrays_free(g->free_arrays);
}
