/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Moving single blocks where a recorded kernel is known to have moved them:
 * what replay's assisted mode does instead of guessing. A page is taken out of
 * the middle of a free block as take_page_off_buddy and
 * break_down_buddy_pages of 5.11 to 6.18 do it, except that the parts go to
 * the lists of the block, not of the pageblock; nothing of the rest is modelled
 * after a kernel function.
 */
#include "alloc/pcp.h"

/* Lists that the pageset of the guess shows without a walk. */
static bool ends_list(const struct alloc *a, const struct per_cpu_pages *pcp,
		      const struct page_rec *rec, pfn_t pfn)
{
	const struct page_list *list = &pcp->lists[rec->list];

	return list_first(a, list, rec->order) == pfn ||
	       list_last(a, list, rec->order) == pfn;
}

/* The nearer end of the list that holds the block. */
static pfn_t nearer_end(const struct alloc *a, pfn_t pfn, unsigned int order)
{
	pfn_t up = pfn, down = pfn;

	for (;;) {
		const pfn_t prev = list_prev(a, up, order);
		const pfn_t next = list_next(a, down, order);

		if (prev == PFN_NONE)
			return up;
		if (next == PFN_NONE)
			return down;
		up = prev;
		down = next;
	}
}

unsigned int alloc_pcp_owner(const struct alloc *a, pfn_t pfn,
			     unsigned int guess, unsigned int *pindex)
{
	const struct page_rec *rec = head_rec(a, pfn);
	const struct zone *z = pfn_zone(a, pfn);

	CHECK_MSG(rec && rec->state == PAGE_PCP, "pfn %u heads no pcp block",
		  pfn);
	*pindex = rec->list;
	if (guess < a->nr_cpus && ends_list(a, &z->pcp[guess], rec, pfn))
		return guess;
	pfn = nearer_end(a, pfn, rec->order);
	for (unsigned int cpu = 0; cpu < a->nr_cpus; cpu++)
		if (ends_list(a, &z->pcp[cpu], rec, pfn))
			return cpu;
	CHECK_MSG(false, "pfn %u is on no CPU's list", pfn);
	return 0;
}

/* Take the block off its list; its order. */
static unsigned int remove_block(struct alloc *a, struct zone *z,
				 unsigned int cpu, pfn_t pfn)
{
	struct per_cpu_pages *pcp = &z->pcp[cpu];
	struct page_rec *rec = head_rec(a, pfn);
	unsigned int order;

	CHECK_MSG(rec && rec->state == PAGE_PCP, "pfn %u heads no pcp block",
		  pfn);
	order = rec->order;
	list_del(a, &pcp->lists[rec->list], pfn, order);
	rec_clear(rec);
	pcp->count -= order_nr_pages(order);
	return order;
}

void alloc_pcp_remove(struct alloc *a, unsigned int cpu, pfn_t pfn)
{
	CHECK_LT(cpu, a->nr_cpus);
	remove_block(a, pfn_zone(a, pfn), cpu, pfn);
}

void alloc_pcp_flush_block(struct alloc *a, unsigned int cpu, pfn_t pfn)
{
	struct zone *z = pfn_zone(a, pfn);
	enum migratetype mt;
	unsigned int order;

	CHECK_LT(cpu, a->nr_cpus);
	order = remove_block(a, z, cpu, pfn);
	mt = (enum migratetype)rec_of(a, pfn, order)->aux;
	if (a->prof.pcp_type_reread || z->nr_isolate_pageblock != 0)
		mt = pageblock_mt(a, pfn);
	free_one_page(a, z, pfn, order, mt, 0);
	a->cnt.pcp_flush_pages += order_nr_pages(order);
}

void alloc_pcp_push(struct alloc *a, unsigned int cpu, unsigned int pindex,
		    pfn_t pfn, enum migratetype cached)
{
	struct per_cpu_pages *pcp = &pfn_zone(a, pfn)->pcp[cpu];
	const unsigned int order = pindex_to_order(a, pindex);
	struct page_rec *rec = rec_of(a, pfn, order);

	CHECK_LT(cpu, a->nr_cpus);
	CHECK_LT(pindex, pcp_nr_lists(a));
	CHECK_EQ(rec->state, PAGE_NONE);
	list_add_head(a, &pcp->lists[pindex], pfn, order);
	pcp_rec_set(rec, order, pindex);
	rec->aux = (uint8_t)cached;
	pcp->count += order_nr_pages(order);
}

/* The parts beside the wanted one stay free, at the heads of their lists. */
static void break_down(struct alloc *a, struct zone *z, pfn_t head,
		       unsigned int high, pfn_t pfn, unsigned int low,
		       enum migratetype mt)
{
	while (high > low) {
		const pfn_t upper = head + order_nr_pages(--high);

		if (pfn >= upper) {
			add_to_free_list(a, z, head, high, mt, false);
			head = upper;
		} else {
			add_to_free_list(a, z, upper, high, mt, false);
		}
		a->cnt.buddy_splits++;
	}
}

bool alloc_take_off_buddy(struct alloc *a, pfn_t pfn, unsigned int order)
{
	struct zone *z;
	enum migratetype mt;
	unsigned int high = 0;
	pfn_t head = PFN_NONE;

	if (alloc_page_lookup(a, pfn, &head, &high) != ALLOC_PAGE_BUDDY ||
	    high < order || !pfn_aligned(pfn, order))
		return false;
	z = pfn_zone(a, pfn);
	mt = (enum migratetype)rec_of(a, head, high)->list;
	del_from_free_list(a, z, head, high, UNMARK_ALLOC);
	break_down(a, z, head, high, pfn, order, mt);
	if (a->split_marks)
		keep_split_marks(a, z, head, high, pfn,
				 pfn + order_nr_pages(order));
	rec_of(a, pfn, order)->aux = (uint8_t)mt;
	account_free_pages(a, z, -(int64_t)order_nr_pages(order), mt);
	return true;
}
