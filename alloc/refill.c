/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Refill of a per-CPU list: models rmqueue_bulk and nr_pcp_alloc, 5.3 to 6.18.
 *
 * The kernel takes block after block, and splits a larger one for the first of
 * them. As smallest fit then goes on with what that split left, until it is
 * used up, the outcome of the whole run is known beforehand, and only the
 * outcome is written: the blocks on the per-CPU list, and the rest of the large
 * block in the fewest parts. Splits and touches are counted as the kernel makes
 * them; the random differential test holds the two equal.
 */
#include "alloc/free_list.h"
#include "alloc/pcp.h"
#include "include/minmax.h"

/* Blocks of one refill; more than one is scaled down with the order. */
static uint32_t scale_refill(uint32_t batch, unsigned int order)
{
	if (batch <= 1)
		return batch;
	return max_u32(batch >> order, 2);
}

/* Models nr_pcp_alloc: allocations without frees double the refill. */
static uint32_t ramped_refill(const struct zone *z, struct per_cpu_pages *pcp,
			      unsigned int order)
{
	const uint32_t base = pcp->batch;
	uint32_t high = clamp_u32(pcp->high, pcp->high_min, pcp->high_max);
	uint32_t batch = base;
	int64_t room;

	pcp->high = high;
	if (high < base)
		return 1;
	if (order == 0)
		batch <<= pcp->alloc_factor;
	/* A higher high now saves a trip to the zone later. */
	if (pcp->high_min != pcp->high_max && !z->below_high) {
		high = min_u32(high + batch, pcp->high_max);
		pcp->high = high;
	}
	if (order == 0) {
		room = (int64_t)high - pcp->count - base;
		if (room < base)
			room = base;
		if (batch <= room && pcp->alloc_factor < PCP_BATCH_SCALE_MAX)
			pcp->alloc_factor++;
		if (batch > room)
			batch = (uint32_t)room;
	}
	return scale_refill(batch, order);
}

static uint32_t refill_blocks(const struct alloc *a, const struct zone *z,
			      struct per_cpu_pages *pcp, unsigned int order)
{
	switch (a->prof.pcp_refill) {
	case PCP_REFILL_BATCH:
		return pcp->batch;
	case PCP_REFILL_SHIFTED:
		return scale_refill(pcp->batch, order);
	default:
		return ramped_refill(z, pcp, order);
	}
}

/* Blocks of `order` at pfn and behind it go to the tail of a pcp list. */
static void append_run(struct alloc *a, struct page_list *list, pfn_t pfn,
		       uint32_t nr, const struct page_rec *rec)
{
	const uint32_t step = order_nr_pages(rec->order);
	const uint32_t tag = rec->tag;
	struct page_rec *pages = a->pages;

	while (nr > 0) {
		uint32_t place = chunk_tail_room(a, list);
		uint32_t room = CHUNK_WORDS - place % CHUNK_WORDS;

		if (room > nr)
			room = nr;
		nr -= room;
		a->words[chunk_of(place) + CHUNK_COUNT] += room;
		for (const uint32_t end = place + room; place < end; place++) {
			a->words[place] = pfn;
			pages[pfn].place = place;
			pages[pfn].tag = tag;
			pfn += step;
		}
		list->tail = place - 1;
	}
}

/*
 * What is left of a block of nr blocks of `order`, the first `from` gone; the
 * number of parts.
 */
static uint32_t put_rest(struct alloc *a, struct zone *z, pfn_t pfn,
			 unsigned int order, uint32_t from, uint32_t nr,
			 enum migratetype mt)
{
	uint32_t parts = 0;

	for (; from < nr; from += from & -from, parts++)
		add_block_head(a, z, pfn + (from << order),
			       order + (unsigned int)__builtin_ctz(from), mt);
	return parts;
}

/*
 * The first block of a list, of which the first `nr` blocks of `order` go to
 * the per-CPU list. Their records are written there.
 */
static inline pfn_t take_for_run(struct alloc *a, struct zone *z,
				 unsigned int order, unsigned int high,
				 uint32_t nr, enum migratetype mt)
{
	struct page_list *list = &z->free_area[high].free_list[mt];
	pfn_t pfn;

	if (likely(!order_is_large(high))) {
		pfn = a->words[list->head];
		prefetch_next(a, list, 0);
		/* Its record is not at hand, and says nothing else. */
		if (unlikely(a->marked_orders >> high & 1) &&
		    a->pages[pfn].aux)
			drop_marks(a, z, pfn, high, UNMARK_ALLOC);
		chunk_del(a, list, list->head);
		z->free_area[high].nr_free--;
		return pfn;
	}
	pfn = list_first(a, list, high);
	prefetch_next(a, list, high);
	del_block(a, z, pfn, high, UNMARK_ALLOC);
	break_region(a, pfn);
	break_region(a, pfn + ((nr - 1) << order));
	return pfn;
}

/*
 * Put up to `wanted` blocks on the pcp list, each from the smallest block that
 * serves. As none that is split leaves anything unless it is the last, the
 * search never has to go back to smaller ones. Returns how many; less than
 * wanted if the lists of mt are exhausted.
 */
static uint32_t refill_runs(struct alloc *a, struct zone *z,
			    struct page_list *to, const struct page_rec *rec,
			    enum migratetype mt, uint32_t wanted)
{
	const unsigned int order = rec->order;
	unsigned int high = order;
	uint32_t got = 0, splits = 0;

	while (got < wanted) {
		const uint32_t nr = UINT32_C(1) << (high - order);
		const uint32_t take = nr < wanted - got ? nr : wanted - got;
		pfn_t pfn;

		if (list_empty(&z->free_area[high].free_list[mt])) {
			if (++high == NR_PAGE_ORDERS)
				break;
			continue;
		}
		pfn = take_for_run(a, z, order, high, take, mt);
		append_run(a, to, pfn, take, rec);
		/* Each split makes one part more. */
		splits += take - 1 + put_rest(a, z, pfn, order, take, nr, mt);
		if (unlikely(a->split_marks))
			keep_split_marks(a, z, pfn, high, pfn,
					 pfn + (take << order));
		got += take;
	}
	a->work->splits += splits;
	a->cnt.buddy_splits += splits;
	note_touches(a, got + splits);
	account_free_pages(a, z, -(int64_t)(got << order), mt);
	return got;
}

/* May a refill go by runs? Not if each block is traced, or CMA has a say. */
static bool refill_by_runs(const struct alloc *a, const struct zone *z,
			   unsigned int order)
{
	return order < HPAGE_PMD_ORDER && a->hooks.event == NULL &&
	       z->nr_free_cma == 0;
}

/*
 * Models rmqueue_bulk. Blocks go to the tail, so that they come out again in
 * the order in which the buddy gave them: ascending inside a split block.
 */
void pcp_refill(struct alloc *a, struct zone *z, struct per_cpu_pages *pcp,
		unsigned int order, enum migratetype mt,
		unsigned int alloc_flags)
{
	const unsigned int pindex = order_to_pindex(a, order, mt);
	const uint32_t wanted = refill_blocks(a, z, pcp, order);
	const bool by_runs = refill_by_runs(a, z, order);
	struct page_list *list = &pcp->lists[pindex];
	const struct page_rec rec = {
		.state = PAGE_PCP,
		.order = (uint8_t)order,
		.list = (uint8_t)pindex,
		.aux = (uint8_t)mt,
	};
	enum rmqueue_mode mode = RMQUEUE_NORMAL;
	uint32_t got = 0;

	if (__builtin_expect(a->hooks.pcp_refill != NULL, 0) &&
	    a->hooks.pcp_refill(a->hooks.ctx, z->idx,
				(unsigned int)(pcp - z->pcp), order, mt))
		return;
	note_lock(a, z);
	while (got < wanted) {
		pfn_t pfn;

		if (by_runs && mode == RMQUEUE_NORMAL)
			got += refill_runs(a, z, list, &rec, mt, wanted - got);
		if (got == wanted)
			break;
		pfn = rmqueue_block(a, z, order, mt, alloc_flags, &mode);
		if (pfn == PFN_NONE)
			break;
		list_add_tail(a, list, pfn, order);
		pcp_rec_set(rec_of(a, pfn, order), order, pindex);
		got++;
	}
	pcp->count += got << order;
	pcp->stat_changed = true;
	a->cnt.pcp_refills++;
	a->cnt.pcp_refill_pages += got << order;
	a->work->buddy_pages += got << order;
	a->work->pcp_ops += got;
}
