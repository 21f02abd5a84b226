/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * LRU batches: a page that was just faulted in waits in an array of its CPU
 * with a reference of its own and without the LRU flag, until the array is
 * full, a huge page is added, or the CPU drains. Models lru_cache_add,
 * __pagevec_lru_add (folio_batch_move_lru), lru_add_drain and release_pages
 * (folios_put_refs), 5.3 to 6.18.
 *
 * What follows from it: such a page does not count as movable when a pageblock
 * is claimed, and one that is unmapped by another CPU stays allocated until the
 * array's CPU drains, and is then freed by that CPU.
 *
 * Left out: the lists themselves, activation, deactivation and lru_add_drain
 * on other CPUs by work items.
 */
#include "guest/internal.h"

static bool frees_forward(const struct guest *g)
{
	return g->prof->gather_order == GATHER_FORWARD;
}

void release_pages(struct guest *g, unsigned int cpu, const pfn_t *pfns,
		   unsigned int nr, struct guest_work *work)
{
	const bool forward = frees_forward(g);
	pfn_t order[LRU_BATCH_MAX];

	CHECK_LE(nr, LRU_BATCH_MAX);
	for (unsigned int i = 0; i < nr; i++)
		order[i] = pfns[forward ? i : nr - 1 - i];
	alloc_free_list(g->alloc, cpu, order, nr);
	work->freed_pages += nr;
	work->freed_blocks += nr;
}

/* Pages that nobody else refers to are noted and stay off the LRU. */
static unsigned int lru_sort_out(struct guest *g, const struct lru_batch *b,
				 pfn_t *orphans)
{
	unsigned int nr_orphans = 0;

	for (unsigned int i = 0; i < b->nr; i++) {
		if (b->orphans >> i & 1)
			orphans[nr_orphans++] = b->pfn[i];
		else
			alloc_set_lru(g->alloc, b->pfn[i],
				      b->last_is_huge && i == b->nr - 1 ?
					      HPAGE_PMD_NR : 1, true);
	}
	return nr_orphans;
}

void lru_flush(struct guest *g, unsigned int cpu, struct guest_work *work)
{
	struct lru_batch *b = &g->lru[cpu];
	pfn_t orphans[LRU_BATCH_MAX];
	unsigned int nr_orphans = 0;

	if (likely(!b->orphans && !b->last_is_huge))
		alloc_set_lru_list(g->alloc, b->pfn, b->nr);
	else
		nr_orphans = lru_sort_out(g, b, orphans);
	b->nr = 0;
	b->orphans = 0;
	b->last_is_huge = false;
	g->counters.lru_drains++;
	if (unlikely(nr_orphans))
		release_pages(g, cpu, orphans, nr_orphans, work);
}

void lru_add_huge(struct guest *g, unsigned int cpu, pfn_t pfn,
		  struct guest_work *work)
{
	struct lru_batch *b = &g->lru[cpu];

	if (!b->nr) {
		alloc_set_lru(g->alloc, pfn, HPAGE_PMD_NR, true);
		g->counters.lru_drains++;
		return;
	}
	b->pfn[b->nr++] = pfn;
	b->last_is_huge = true;
	lru_flush(g, cpu, work);
}

void lru_orphan(struct guest *g, pfn_t pfn)
{
	for (unsigned int cpu = 0; cpu < g->cfg.nr_cpus; cpu++) {
		struct lru_batch *b = &g->lru[cpu];

		for (unsigned int i = 0; i < b->nr; i++) {
			if (b->pfn[i] != pfn)
				continue;
			CHECK(!(b->orphans >> i & 1));
			b->orphans |= UINT32_C(1) << i;
			return;
		}
	}
	CHECK_MSG(false, "page %u is neither on the LRU nor in a batch", pfn);
}
