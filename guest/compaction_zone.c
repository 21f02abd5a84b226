/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a zone remembers of its compactions: where the scanners stopped, which
 * pageblocks are not worth a look, and how long to leave it alone after a
 * failure. Models compaction_suitable, fragmentation_index, defer_compaction,
 * compaction_deferred, compaction_defer_reset, compaction_restarting and
 * __reset_isolation_suitable, 5.3 to 6.18.
 *
 * Simplified: a reset sends both scanners to the ends of the zone, not to the
 * first pageblock that looks promising (5.1 and later).
 */
#include <errno.h>
#include <stdlib.h>

#include "guest/compact.h"

#define COMPACT_MAX_DEFER_SHIFT 6u
#define EXTFRAG_THRESHOLD 500
#define PAGE_ALLOC_COSTLY_ORDER 3u

pfn_t pageblock_start(const struct guest *g, pfn_t pfn)
{
	return pfn_align_down(pfn, alloc_pageblock_order(g->alloc));
}

pfn_t pageblock_end(const struct guest *g, pfn_t pfn)
{
	return pageblock_start(g, pfn) +
	       order_nr_pages(alloc_pageblock_order(g->alloc));
}

static uint32_t pageblock_nr(const struct guest *g, pfn_t pfn)
{
	return pfn >> alloc_pageblock_order(g->alloc);
}

bool compaction_skipped(const struct guest *g, pfn_t pfn)
{
	return bitmap_test(g->mem->skip, pageblock_nr(g, pfn));
}

void compaction_set_skip(struct guest *g, pfn_t pfn)
{
	bitmap_set(g->mem->skip, pageblock_nr(g, pfn));
}

void compaction_zone_reset_cached(struct compact_zone *cz,
				  const struct guest *g)
{
	cz->cached_migrate[COMPACT_ASYNC] = cz->start;
	cz->cached_migrate[COMPACT_SYNC_LIGHT] = cz->start;
	cz->cached_free = pageblock_start(g, cz->end - 1);
}

int compaction_create(struct guest *g)
{
	const uint32_t blocks = pageblock_nr(g, alloc_end_pfn(g->alloc)) + 1;

	g->mem = calloc(1, sizeof(*g->mem));
	if (!g->mem)
		return -ENOMEM;
	g->mem->skip = calloc(BITMAP_WORDS(blocks), sizeof(*g->mem->skip));
	if (!g->mem->skip)
		return -ENOMEM;
	for (unsigned int i = 0; i < alloc_nr_zones(g->alloc); i++) {
		struct compact_zone *cz = &g->mem->zones[i];
		struct alloc_zone_info z;

		alloc_zone_info(g->alloc, i, &z);
		cz->start = z.start;
		cz->end = z.end;
		compaction_zone_reset_cached(cz, g);
	}
	return 0;
}

void compaction_destroy(struct guest *g)
{
	if (!g->mem)
		return;
	for (uint32_t i = 0; i < g->mem->nr_helpers; i++)
		free(g->mem->helpers[i]);
	free(g->mem->helpers);
	free(g->mem->skip);
	free(g->mem);
}

/* Models __reset_isolation_suitable. */
void reset_isolation_suitable(struct guest *g, unsigned int zone)
{
	struct compact_zone *cz = &g->mem->zones[zone];

	cz->blockskip_flush = false;
	for (uint32_t i = pageblock_nr(g, cz->start);
	     i <= pageblock_nr(g, cz->end - 1); i++)
		bitmap_clear(g->mem->skip, i);
	compaction_zone_reset_cached(cz, g);
	cz->init_free = cz->cached_free;
}

void defer_compaction(struct compact_zone *cz, unsigned int order)
{
	cz->considered = 0;
	if (cz->defer_shift < COMPACT_MAX_DEFER_SHIFT)
		cz->defer_shift++;
	if (order < cz->order_failed)
		cz->order_failed = order;
}

bool compaction_deferred(struct compact_zone *cz, unsigned int order)
{
	const uint32_t limit = 1u << cz->defer_shift;

	if (order < cz->order_failed)
		return false;
	if (++cz->considered >= limit) {
		cz->considered = limit;
		return false;
	}
	return true;
}

void compaction_defer_reset(struct compact_zone *cz, unsigned int order,
			    bool success)
{
	if (success) {
		cz->considered = 0;
		cz->defer_shift = 0;
	}
	if (order >= cz->order_failed)
		cz->order_failed = order + 1;
}

bool compaction_restarting(const struct compact_zone *cz, unsigned int order)
{
	return order >= cz->order_failed &&
	       cz->defer_shift == COMPACT_MAX_DEFER_SHIFT &&
	       cz->considered >= 1u << cz->defer_shift;
}

/*
 * Models fragmentation_index: towards 0 a block is missing for lack of memory,
 * towards 1000 for fragmentation; negative if there is one.
 */
static int fragmentation_index(const struct alloc_zone_info *z,
			       unsigned int order)
{
	uint64_t blocks = 0, pages = 0;

	for (unsigned int o = 0; o < NR_PAGE_ORDERS; o++) {
		blocks += z->nr_free[o];
		pages += z->nr_free[o] << o;
		if (o >= order && z->nr_free[o])
			return -1000;
	}
	if (!blocks)
		return 0;
	return 1000 - (int)((1000 + (pages * 1000 >> order)) / blocks);
}

bool compaction_suitable(const struct guest *g, unsigned int zone,
			 unsigned int order, uint64_t mark, unsigned int j)
{
	struct alloc_zone_info z;
	uint64_t need;
	int index;

	if (alloc_watermark_ok(g->alloc, zone, order, mark, j))
		return false;
	alloc_zone_info(g->alloc, zone, &z);
	need = order > PAGE_ALLOC_COSTLY_ORDER ? z.wmark_low : z.wmark_min;
	need += z.boost + (UINT64_C(2) << order);
	if (!alloc_watermark_ok(g->alloc, zone, 0, need, j))
		return false;
	if (order <= PAGE_ALLOC_COSTLY_ORDER)
		return true;
	index = fragmentation_index(&z, order);
	return index < 0 || index > EXTFRAG_THRESHOLD;
}
