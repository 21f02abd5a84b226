/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Pages go from a CPU's lists to the buddy: models free_pcppages_bulk, 5.3 to
 * 6.18. When, and how many, is pcp_flush.c's.
 *
 * The kernel gives back page after page. Pages of order 0 are taken off the
 * list as a group (free_page_group()); nothing else can look at the zone in
 * between. Events, which name each page, go the long way.
 */
#include "alloc/pcp.h"
#include "include/minmax.h"

/* Return the oldest block of a list to the buddy. */
static inline __attribute__((always_inline))
void flush_tail(struct alloc *a, struct zone *z, struct per_cpu_pages *pcp,
		unsigned int pindex, unsigned int order)
{
	struct page_list *list = &pcp->lists[pindex];
	const pfn_t pfn = list_last(a, list, order);
	struct page_rec *rec = rec_of(a, pfn, order);
	enum migratetype mt = (enum migratetype)rec->aux;

	list_del(a, list, pfn, order);
	rec_clear(rec);
	pcp->count -= order_nr_pages(order);
	/* A pageblock may have been isolated since the type was cached. */
	if (a->prof.pcp_type_reread || z->nr_isolate_pageblock != 0)
		mt = pageblock_mt(a, pfn);
	free_one_page(a, z, pfn, order, mt, 0);
	a->work->pcp_ops++;
	a->work->buddy_pages += order_nr_pages(order);
	a->cnt.pcp_flush_pages += order_nr_pages(order);
	if (__builtin_expect(a->hooks.event != NULL, 0)) {
		const struct alloc_event ev = {
			.kind = ALLOC_EVENT_PCPU_DRAIN,
			.pfn = pfn,
			.order = (uint8_t)order,
			.migratetype = (uint8_t)mt,
		};

		emit_event(a, &ev);
	}
}

/* Pages taken off a per-CPU list before they are given to the buddy. */
#define FLUSH_GROUP 64u

struct flush_group {
	pfn_t pfn[FLUSH_GROUP];
	uint8_t mt[FLUSH_GROUP];
	unsigned int nr;
};

/* Buddies that a free of this page may look at, once for each cache line. */
static inline void prefetch_buddies(const struct page_rec *pages, pfn_t pfn)
{
	__builtin_prefetch(&pages[pfn ^ 8], 1);
	__builtin_prefetch(&pages[pfn ^ 16], 1);
	__builtin_prefetch(&pages[pfn ^ 32], 1);
}

/* Pages of the list's last chunk, last one first; the group has room for nr. */
static void take_tail_row(struct alloc *a, struct page_list *list,
			  struct flush_group *out, unsigned int nr)
{
	const uint32_t chunk = chunk_of(list->tail);
	struct page_rec *pages = a->pages;
	uint32_t *words = a->words;
	const uint32_t count = words[chunk + CHUNK_COUNT];
	unsigned int to = out->nr, end;
	uint32_t place = list->tail;

	if (nr > count)
		nr = count;
	for (end = to + nr; to < end; place--) {
		const pfn_t pfn = words[place];

		if (unlikely(pfn == PFN_NONE))
			continue;
		if (pfn % 8 == 0)
			prefetch_buddies(pages, pfn);
		words[place] = PFN_NONE;
		out->pfn[to] = pfn;
		out->mt[to++] = pages[pfn].aux;
		rec_clear(&pages[pfn]);
	}
	out->nr = to;
	words[chunk + CHUNK_COUNT] = count - nr;
	if (nr == count) {
		chunk_emptied(a, list, chunk);
		return;
	}
	while (words[place] == PFN_NONE)
		place--;
	list->tail = place;
}

/* The oldest pages of a list of order 0, up to nr of them. */
static void take_tail_pages(struct alloc *a, struct page_list *list,
			    struct flush_group *out, unsigned int nr)
{
	out->nr = 0;
	while (out->nr < nr && !list_empty(list))
		take_tail_row(a, list, out, nr - out->nr);
}

/* Models the inner loop of free_pcppages_bulk for up to nr pages of a list. */
static uint32_t flush_pages(struct alloc *a, struct zone *z,
			    struct per_cpu_pages *pcp, unsigned int pindex,
			    uint32_t nr)
{
	const bool reread = a->prof.pcp_type_reread ||
			    z->nr_isolate_pageblock != 0;
	struct flush_group g;

	take_tail_pages(a, &pcp->lists[pindex], &g,
			min_u32(nr, FLUSH_GROUP));
	if (reread)
		for (unsigned int i = 0; i < g.nr; i++)
			g.mt[i] = (uint8_t)pageblock_mt(a, g.pfn[i]);
	free_page_group(a, z, g.pfn, g.mt, g.nr);
	pcp->count -= g.nr;
	a->work->pcp_ops += g.nr;
	a->work->buddy_pages += g.nr;
	a->cnt.pcp_flush_pages += g.nr;
	return g.nr;
}

/*
 * Give up to `left` pages, in up to `share` blocks, of a list that is not empty
 * back to the buddy, oldest first; the last block goes whole, even if that is
 * too much. Returns the blocks.
 */
static uint32_t flush_list(struct alloc *a, struct zone *z,
			   struct per_cpu_pages *pcp, unsigned int pindex,
			   int64_t *left, int64_t share)
{
	const unsigned int order = pindex_to_order(a, pindex);
	uint32_t blocks = 0;

	if (order == 0 && a->hooks.event == NULL) {
		blocks = flush_pages(a, z, pcp, pindex, (uint32_t)
				     (*left < share ? *left : share));
		*left -= blocks;
		return blocks;
	}
	do {
		flush_tail(a, z, pcp, pindex, order);
		*left -= order_nr_pages(order);
		blocks++;
	} while (*left > 0 && blocks < share &&
		 !list_empty(&pcp->lists[pindex]));
	return blocks;
}

/*
 * Up to 5.17: round robin over the lists, more from the next one for each empty
 * one that was passed over. The search starts behind list 0, so movable pages
 * go first. `share` is deliberately kept from one round to the next.
 */
static void flush_alternating(struct alloc *a, struct zone *z,
			      struct per_cpu_pages *pcp, uint32_t nr)
{
	const unsigned int nr_lists = pcp_nr_lists(a);
	unsigned int pindex = 0;
	int64_t left = nr, share = 0;

	while (left > 0) {
		do {
			share++;
			pindex = (pindex + 1) % nr_lists;
		} while (list_empty(&pcp->lists[pindex]));
		/* The only list left: no need to come back for more. */
		if (share == nr_lists)
			share = left;
		do
			share -= flush_list(a, z, pcp, pindex, &left, share);
		while (left > 0 && share > 0 &&
		       !list_empty(&pcp->lists[pindex]));
	}
}

/* From 5.18 on: empty a list before going on to the next. */
static void flush_whole_lists(struct alloc *a, struct zone *z,
			      struct per_cpu_pages *pcp, uint32_t nr,
			      unsigned int pindex)
{
	const unsigned int nr_lists = pcp_nr_lists(a);
	int64_t left = nr;

	while (left > 0) {
		if (list_empty(&pcp->lists[pindex]))
			pindex = (pindex + 1) % nr_lists;
		else
			flush_list(a, z, pcp, pindex, &left, left);
	}
}

/*
 * Deviation: 5.3 and 5.7 do not clamp nr to the pages there are and would spin
 * if asked for more; no caller of theirs does, but a test script may. See
 * docs/fidelity.md.
 */
void pcp_flush(struct alloc *a, struct zone *z, unsigned int cpu,
	       uint32_t nr_pages, unsigned int pindex)
{
	struct per_cpu_pages *pcp = &z->pcp[cpu];

	if (nr_pages > pcp->count)
		nr_pages = pcp->count;
	if (nr_pages == 0)
		return;
	CHECK_LT(pindex, pcp_nr_lists(a));
	if (__builtin_expect(a->hooks.pcp_flush != NULL, 0) &&
	    a->hooks.pcp_flush(a->hooks.ctx, z->idx, cpu, nr_pages, pindex))
		return;
	note_lock(a, z);
	a->cnt.pcp_flushes++;
	pcp->stat_changed = true;
	if (a->prof.pcp_flush_alternates)
		flush_alternating(a, z, pcp, nr_pages);
	else
		flush_whole_lists(a, z, pcp, nr_pages, pindex);
}
