/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How memory first reaches the free lists: the memblock hand-over (models
 * __free_pages_memory and __free_pages_core, 5.3 to 6.18) and deferred
 * initialisation of struct pages by one thread (deferred_free_pages).
 *
 * Left out: deferred initialisation by several threads, whose interleaving is
 * not deterministic, and growing a zone on demand before it has run.
 */
#include "alloc/internal.h"
#include "alloc/pageblock.h"

/* Models __free_pages_core: the pages count as managed from now on. */
static void free_pages_core(struct alloc *a, struct zone *z, pfn_t pfn,
			    unsigned int order)
{
	z->managed += order_nr_pages(order);
	a->cnt.pgfree += order_nr_pages(order);
	free_to_buddy(a, z, pfn, order,
		      a->prof.boot_to_tail ? FPI_TO_TAIL : 0);
}

/* Largest aligned block at pfn that ends at or before end. */
static unsigned int largest_order(pfn_t pfn, pfn_t end)
{
	unsigned int order = MAX_PAGE_ORDER;

	while (!pfn_aligned(pfn, order) || order_nr_pages(order) > end - pfn)
		order--;
	return order;
}

static void boot_zone_range(struct alloc *a, struct zone *z, pfn_t pfn,
			    pfn_t end)
{
	while (pfn < end) {
		const unsigned int order = largest_order(pfn, end);

		free_pages_core(a, z, pfn, order);
		pfn += order_nr_pages(order);
	}
}

/*
 * Before 5.10 single pages took the ordinary route, so that those freed after
 * the per-CPU pagesets exist land there. The thread runs on the zone's node.
 */
static bool takes_pcp_route(const struct alloc *a)
{
	return !a->prof.boot_to_tail && a->pcp_ready && !a->pcp_disabled;
}

static unsigned int first_cpu_of(const struct alloc *a, unsigned int node)
{
	for (unsigned int cpu = 0; cpu < a->nr_cpus; cpu++)
		if (a->cpu_node[cpu] == node)
			return cpu;
	return 0;
}

static void deferred_free_page(struct alloc *a, struct zone *z, pfn_t pfn)
{
	if (!takes_pcp_route(a)) {
		free_pages_core(a, z, pfn, 0);
		return;
	}
	z->managed++;
	a->cnt.pgfree++;
	pcp_free(a, z, first_cpu_of(a, z->node), pfn, 0, pageblock_mt(a, pfn));
}

/* Models deferred_free_range: whole pageblocks at once, parts by the page. */
static void deferred_zone_range(struct alloc *a, struct zone *z, pfn_t pfn,
				pfn_t end)
{
	while (pfn < end) {
		const bool aligned = pfn_aligned(pfn, a->pageblock_order);

		if (aligned)
			set_pageblock_mt(a, pfn, MIGRATE_MOVABLE);
		if (aligned && end - pfn >= pageblock_nr_pages(a)) {
			free_pages_core(a, z, pfn, a->pageblock_order);
			pfn += pageblock_nr_pages(a);
		} else {
			deferred_free_page(a, z, pfn);
			pfn++;
		}
	}
}

typedef void range_fn(struct alloc *a, struct zone *z, pfn_t pfn, pfn_t end);

/* No block spans zones, so a range is cut where zones meet. */
static void for_zones(struct alloc *a, pfn_t start, pfn_t end, range_fn *fn)
{
	for (unsigned int i = 0; i < a->nr_zones; i++) {
		struct zone *z = &a->zones[i];
		const pfn_t from = start > z->start ? start : z->start;
		const pfn_t to = end < z->end ? end : z->end;

		if (from < to)
			fn(a, z, from, to);
	}
}

void alloc_boot_range(struct alloc *a, pfn_t start, pfn_t end)
{
	for_zones(a, start, end, boot_zone_range);
}

void alloc_deferred_range(struct alloc *a, pfn_t start, pfn_t end)
{
	for_zones(a, start, end, deferred_zone_range);
}
