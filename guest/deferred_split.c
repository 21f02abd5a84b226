/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Huge pages that are only partly mapped wait in a queue; under memory pressure
 * they are split, and what nobody maps is freed. Models deferred_split_folio,
 * deferred_split_scan, the split of an anonymous huge page
 * (split_huge_page_to_list) and do_shrink_slab for this one shrinker, 5.3 to
 * 6.18.
 *
 * A page joins the queue when the first of its PTEs goes, and leaves it when it
 * is split or its last piece is freed. One that a gather still refers to is
 * not split but goes to the end of the queue.
 *
 * Simplified: one queue for all nodes. Left out: the split of huge pages that
 * are mapped whole but mostly zero (6.12 and later).
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "guest/compact.h"
#include "guest/deferred_split.h"

#define SHRINK_BATCH 128u
#define NO_REGION UINT32_MAX

struct split_node {
	uint32_t next, prev;  /* regions; ends are NO_REGION */
	bool queued;
	uint32_t mm;          /* whose PTEs map it ... */
	uint64_t addr;        /* ... from here on */
};

struct split_queue {
	uint32_t head, tail;
	uint64_t nr, deferred;
	struct split_node *nodes; /* by region, sparse */
};

int deferred_split_create(struct guest *g)
{
	const uint32_t nr = pfn_region(alloc_end_pfn(g->alloc)) + 1;

	g->splits = calloc(1, sizeof(*g->splits));
	if (!g->splits)
		return -ENOMEM;
	g->splits->head = g->splits->tail = NO_REGION;
	g->splits->nodes = calloc(nr, sizeof(*g->splits->nodes));
	return g->splits->nodes ? 0 : -ENOMEM;
}

void deferred_split_destroy(struct guest *g)
{
	if (g->splits)
		free(g->splits->nodes);
	free(g->splits);
}

void deferred_split_mapped(struct guest *g, pfn_t huge, uint32_t mm,
			   uint64_t addr)
{
	struct split_node *n;

	if (!g->splits)
		return;
	n = &g->splits->nodes[pfn_region(huge)];
	n->mm = mm;
	n->addr = addr;
}

static void queue_add(struct split_queue *q, uint32_t region)
{
	struct split_node *n = &q->nodes[region];

	n->queued = true;
	n->next = NO_REGION;
	n->prev = q->tail;
	if (q->tail == NO_REGION)
		q->head = region;
	else
		q->nodes[q->tail].next = region;
	q->tail = region;
	q->nr++;
}

static void queue_del(struct split_queue *q, uint32_t region)
{
	struct split_node *n = &q->nodes[region];

	if (n->prev == NO_REGION)
		q->head = n->next;
	else
		q->nodes[n->prev].next = n->next;
	if (n->next == NO_REGION)
		q->tail = n->prev;
	else
		q->nodes[n->next].prev = n->prev;
	n->queued = false;
	q->nr--;
}

void deferred_split_add(struct guest *g, pfn_t piece)
{
	const uint32_t region = pfn_region(piece);

	if (!g->splits || g->splits->nodes[region].queued)
		return;
	queue_add(g->splits, region);
	g->counters.thp_deferred_split_page++;
}

void deferred_split_forget(struct guest *g, pfn_t piece)
{
	const uint32_t region = pfn_region(piece);

	if (g->splits && g->splits->nodes[region].queued)
		queue_del(g->splits, region);
}

static uint32_t count_mapped(const struct pte_table *t, pfn_t huge)
{
	uint32_t nr = 0;

	for (unsigned int i = 0; i < PTRS_PER_TABLE; i++)
		nr += t->pte[i] == huge + i;
	return nr;
}

/* What is mapped becomes pages of its own, the rest is freed, upwards. */
static void split_page(struct run *r, const struct split_node *n,
		       struct pte_table *t, pfn_t huge)
{
	struct guest *g = r->g;
	uint32_t mapped = 0;

	g->piece_refs[pfn_region(huge)] = 0;
	for (unsigned int i = 0; i < PTRS_PER_TABLE; i++) {
		if (t->pte[i] == huge + i) {
			rmap_set(g, huge + i, OWNER_ANON, n->mm,
				 bytes_to_pages(n->addr) + i);
			mapped++;
			continue;
		}
		alloc_clear_lru(g->alloc, huge + i);
		rmap_set(g, huge + i, OWNER_NONE, 0, 0);
		alloc_free(g->alloc, r->cpu, huge + i, 0);
		r->work->freed_pages++;
		r->work->freed_blocks++;
	}
	t->nr_pieces = (uint16_t)(t->nr_pieces - mapped);
	g->counters.thp_split_page++;
}

/* Models split_folio of one entry: -EAGAIN if somebody else refers to it. */
static int try_split(struct run *r, uint32_t region)
{
	struct guest *g = r->g;
	const struct split_node *n = &g->splits->nodes[region];
	const pfn_t huge = region << HPAGE_PMD_ORDER;
	struct pmd_table *pmd;
	struct pte_table *t;

	if (!g->mms[n->mm])
		return -EAGAIN;
	t = pte_table_at(g->mms[n->mm], n->addr, &pmd);
	if (!t || count_mapped(t, huge) != g->piece_refs[region])
		return -EAGAIN;
	queue_del(g->splits, region);
	split_page(r, n, t, huge);
	return 0;
}

/* Models deferred_split_scan: at most nr entries from the head on. */
static void scan(struct run *r, uint64_t nr)
{
	struct split_queue *q = r->g->splits;

	for (nr = nr < q->nr ? nr : q->nr; nr; nr--) {
		const uint32_t region = q->head;

		if (try_split(r, region) == 0)
			continue;
		queue_del(q, region);
		queue_add(q, region);
	}
}

/* Models do_shrink_slab. */
void deferred_split_shrink(struct run *r, int priority)
{
	struct split_queue *q = r->g->splits;
	const uint64_t freeable = q ? q->nr : 0;
	uint64_t total, scanned = 0;

	if (!freeable)
		return;
	total = q->deferred + (freeable >> priority) * 4 / 2;
	if (total > 2 * freeable)
		total = 2 * freeable;
	q->deferred = 0;
	while (total >= SHRINK_BATCH || (total && total >= freeable)) {
		const uint64_t nr = total < SHRINK_BATCH ? total :
							   SHRINK_BATCH;

		scan(r, nr);
		scanned += nr;
		total -= nr;
	}
	q->deferred = total;
	r->work->reclaim_scanned += (uint32_t)scanned;
}

const char *deferred_split_check(const struct guest *g)
{
	const struct split_queue *q = g->splits;
	uint64_t nr = 0;

	for (uint32_t i = q ? q->head : NO_REGION; i != NO_REGION;
	     i = q->nodes[i].next) {
		const uint32_t refs = g->piece_refs[i];

		if (!q->nodes[i].queued)
			return "the split queue has a page that is not queued";
		if (refs == 0 || refs > HPAGE_PMD_NR)
			return "the split queue has a page without pieces";
		nr++;
	}
	return q && nr != q->nr ? "the split queue's length is wrong" : NULL;
}
