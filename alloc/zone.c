/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Creation of a guest's page allocator: zones, page and region tables, boot
 * pagesets. Corresponds to what free_area_init and memmap_init leave behind
 * (6.1): nothing is free, every pageblock is movable, all watermarks are 0.
 *
 * Left out: holes in the memmap. Pages outside every zone have records that
 * nothing looks at, and they are never free. Zones do not overlap, so that a
 * page is in a zone exactly if the zone spans it.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "alloc/lists.h"
#include "include/sparse.h"

/* Arrays are rounded up so that every buddy of a page has a record. */
#define TABLE_ALIGN (1u << MAX_PAGE_ORDER)
#define DEFAULT_SCALE_FACTOR 10
#define DEFAULT_BOOST_FACTOR 15000

static const uint32_t default_reserve_ratio[MAX_NR_ZONES] = {
	[ZONE_DMA] = 256, [ZONE_DMA32] = 256, [ZONE_NORMAL] = 32,
};

static const char *zone_config_error(const struct alloc_config *cfg,
				     unsigned int idx)
{
	const struct alloc_zone_config *z = &cfg->zones[idx];

	if (z->start >= z->end)
		return "a zone is empty";
	if (z->end > PFN_NONE - TABLE_ALIGN)
		return "a zone ends above the largest page frame number";
	if (idx > 0 && z->start < cfg->zones[idx - 1].end)
		return "zones overlap or are not in ascending order";
	if (z->node >= cfg->nr_nodes)
		return "a zone is on a node that does not exist";
	if ((unsigned int)z->type >= MAX_NR_ZONES)
		return "unknown zone type";
	if (z->present > z->end - z->start)
		return "a zone has more pages present than it spans";
	for (unsigned int i = 0; i < idx; i++)
		if (cfg->zones[i].node == z->node &&
		    cfg->zones[i].type == z->type)
			return "a node has two zones of one type";
	return NULL;
}

static const char *config_error(const struct alloc_config *cfg)
{
	const char *error = NULL;

	if (!cfg->profile)
		return "no kernel profile";
	if (cfg->nr_cpus < 1 || cfg->nr_cpus > ALLOC_MAX_CPUS)
		return "number of CPUs out of range (1 to 1024)";
	if (cfg->nr_nodes < 1 || cfg->nr_nodes > ALLOC_MAX_NODES)
		return "number of nodes out of range (1 to 16)";
	if (cfg->nr_zones < 1 || cfg->nr_zones > ALLOC_MAX_ZONES)
		return "number of zones out of range (1 to 64)";
	if (cfg->pageblock_order != HPAGE_PMD_ORDER &&
	    cfg->pageblock_order != MAX_PAGE_ORDER)
		return "pageblock order must be 9 or 10";
	for (unsigned int i = 0; cfg->cpu_node && i < cfg->nr_cpus; i++)
		if (cfg->cpu_node[i] >= cfg->nr_nodes)
			return "a CPU is on a node that does not exist";
	for (unsigned int i = 0; i < cfg->nr_zones && !error; i++)
		error = zone_config_error(cfg, i);
	return error;
}

static void copy_reserve_ratio(struct alloc *a, const uint32_t *ratio)
{
	bool given = false;

	for (unsigned int i = 0; i < MAX_NR_ZONES; i++)
		given |= ratio[i] != 0;
	memcpy(a->lowmem_reserve_ratio, given ? ratio : default_reserve_ratio,
	       sizeof(a->lowmem_reserve_ratio));
}

static void copy_distances(struct alloc *a, const uint8_t *distance)
{
	for (unsigned int i = 0; i < a->nr_nodes; i++)
		for (unsigned int j = 0; j < a->nr_nodes; j++)
			a->distance[i][j] =
				distance ? distance[i * a->nr_nodes + j]
					 : (i == j ? 10 : 20);
}

static void copy_config(struct alloc *a, const struct alloc_config *cfg)
{
	a->prof = *cfg->profile;
	a->work = &a->own_work;
	a->nr_cpus = cfg->nr_cpus;
	a->nr_nodes = cfg->nr_nodes;
	a->nr_zones = cfg->nr_zones;
	a->pageblock_order = cfg->pageblock_order;
	a->grouping = true;
	a->pcp_disabled = cfg->pcp_disabled;
	a->cma = cfg->cma;
	a->isolation = cfg->isolation;
	a->watermark_scale_factor = cfg->watermark_scale_factor ?
				    cfg->watermark_scale_factor :
				    DEFAULT_SCALE_FACTOR;
	a->watermark_boost_factor = cfg->watermark_boost_factor != UINT32_MAX ?
				    cfg->watermark_boost_factor :
				    DEFAULT_BOOST_FACTOR;
	a->end_pfn = cfg->zones[cfg->nr_zones - 1].end;
	a->nr_regions = ((a->end_pfn + TABLE_ALIGN - 1) &
			 ~(TABLE_ALIGN - 1)) >> HPAGE_PMD_ORDER;
	copy_reserve_ratio(a, cfg->lowmem_reserve_ratio);
	copy_distances(a, cfg->distance);
}

static size_t table_pages(const struct alloc *a)
{
	return (size_t)a->nr_regions << HPAGE_PMD_ORDER;
}

/*
 * A chunk for each page: every chunk in use holds a block. 32 bits reach to
 * 2^28 - 1 of them; a larger guest would need 16 GiB of chunks first. The
 * first one is not used.
 */
static size_t table_words(const struct alloc *a)
{
	const size_t words = (table_pages(a) + 1) * CHUNK_WORDS;
	const size_t most = LINK_NONE & ~(CHUNK_WORDS - 1);

	return words < most ? words : most;
}

static void take_words(struct alloc *a)
{
	a->words = sparse_alloc(table_words(a), sizeof(*a->words));
	a->chunk_free = LINK_NONE;
	a->chunk_top = CHUNK_WORDS;
	a->chunk_end = (uint32_t)table_words(a);
}

/*
 * Chunks are used from the front on. Page records lie all over a large guest,
 * whose untouched parts are to cost nothing; in a small one huge pages cannot
 * take more than this.
 */
#define HUGE_RECORDS_MAX (UINT64_C(128) << 20)

static void prefer_huge(struct alloc *a)
{
	sparse_prefer_huge(a->words, table_words(a), sizeof(*a->words));
	if (table_pages(a) * sizeof(*a->pages) > HUGE_RECORDS_MAX)
		return;
	sparse_prefer_huge(a->pages, table_pages(a), sizeof(*a->pages));
	sparse_prefer_huge(a->lru, BITMAP_WORDS(table_pages(a)),
			   sizeof(*a->lru));
}

static bool take_tables(struct alloc *a)
{
	const size_t nr_pcp = (size_t)a->nr_zones * a->nr_cpus;
	struct per_cpu_pages *pcp;

	a->pages = sparse_alloc(table_pages(a), sizeof(*a->pages));
	a->regions = sparse_alloc(a->nr_regions, sizeof(*a->regions));
	a->links = sparse_alloc(a->nr_regions, sizeof(*a->links));
	take_words(a);
	a->lru = sparse_alloc(BITMAP_WORDS(table_pages(a)), sizeof(*a->lru));
	prefer_huge(a);
	a->region_zone = malloc(a->nr_regions);
	a->pageblock_mt = malloc(a->nr_regions);
	a->cpu_node = calloc(a->nr_cpus, 1);
	a->zones = calloc(a->nr_zones, sizeof(*a->zones));
	pcp = calloc(nr_pcp, sizeof(*pcp));
	if (!a->pages || !a->regions || !a->links || !a->words || !a->lru ||
	    !a->region_zone || !a->pageblock_mt || !a->cpu_node || !a->zones ||
	    !pcp) {
		free(pcp);
		return false;
	}
	for (unsigned int i = 0; i < a->nr_zones; i++)
		a->zones[i].pcp = pcp + (size_t)i * a->nr_cpus;
	return true;
}

/* The boot pageset: batch 1 and high 0 pass every freed page straight on. */
static void init_boot_pageset(struct per_cpu_pages *pcp, bool big_cache)
{
	pcp->batch = 1;
	pcp->big_cache = big_cache;
	for (unsigned int i = 0; i < NR_PCP_LISTS; i++)
		list_init(&pcp->lists[i]);
}

static void init_zone(struct alloc *a, unsigned int idx,
		      const struct alloc_config *c)
{
	const struct alloc_zone_config *cfg = &c->zones[idx];
	struct zone *z = &a->zones[idx];

	z->idx = (uint8_t)idx;
	z->node = (uint8_t)cfg->node;
	z->type = (uint8_t)cfg->type;
	z->start = cfg->start;
	z->end = cfg->end;
	z->present = cfg->present ? cfg->present : cfg->end - cfg->start;
	for (unsigned int order = 0; order < NR_PAGE_ORDERS; order++)
		for (unsigned int mt = 0; mt < MIGRATE_TYPES; mt++)
			list_init(&z->free_area[order].free_list[mt]);
	for (unsigned int cpu = 0; cpu < a->nr_cpus; cpu++)
		init_boot_pageset(&z->pcp[cpu], c->big_cache);
	zone_limits_changed(a, z);
}

/* Regions that lie wholly in one zone need no search. */
static void map_regions(struct alloc *a)
{
	memset(a->region_zone, REGION_NONE, a->nr_regions);
	for (unsigned int i = 0; i < a->nr_zones; i++) {
		const struct zone *z = &a->zones[i];
		const uint32_t last = pfn_region(z->end - 1);

		for (uint32_t r = pfn_region(z->start); r <= last; r++) {
			const pfn_t start = r << HPAGE_PMD_ORDER;
			bool whole = start >= z->start &&
				     start + HPAGE_PMD_NR <= z->end;

			a->region_zone[r] = whole ? (uint8_t)i : REGION_MIXED;
		}
	}
}

int zone_lookup_slow(const struct alloc *a, pfn_t pfn)
{
	for (unsigned int i = 0; i < a->nr_zones; i++)
		if (zone_spans_pfn(&a->zones[i], pfn))
			return (int)i;
	return -1;
}

static int refuse(const char **why, const char *reason, int error)
{
	if (why)
		*why = reason;
	return error;
}

int alloc_create(struct alloc **out, const struct alloc_config *cfg,
		 const char **why)
{
	const char *error = config_error(cfg);
	struct alloc *a;

	if (error)
		return refuse(why, error, -EINVAL);
	a = calloc(1, sizeof(*a));
	if (!a)
		return refuse(why, "out of memory", -ENOMEM);
	copy_config(a, cfg);
	if (!take_tables(a)) {
		alloc_destroy(a);
		return refuse(why, "out of memory", -ENOMEM);
	}
	if (cfg->cpu_node)
		memcpy(a->cpu_node, cfg->cpu_node, a->nr_cpus);
	memset(a->pageblock_mt, MIGRATE_MOVABLE, a->nr_regions);
	for (unsigned int i = 0; i < a->nr_zones; i++)
		init_zone(a, i, cfg);
	map_regions(a);
	a->capture_order = CAPTURE_EMPTY;
	alloc_set_hooks(a, NULL);
	build_zonelists(a);
	*out = a;
	return 0;
}

void alloc_destroy(struct alloc *a)
{
	if (!a)
		return;
	sparse_free(a->pages, table_pages(a), sizeof(*a->pages));
	sparse_free(a->regions, a->nr_regions, sizeof(*a->regions));
	sparse_free(a->links, a->nr_regions, sizeof(*a->links));
	sparse_free(a->words, table_words(a), sizeof(*a->words));
	sparse_free(a->lru, BITMAP_WORDS(table_pages(a)), sizeof(*a->lru));
	if (a->zones)
		free(a->zones[0].pcp);
	free(a->zones);
	free(a->region_zone);
	free(a->pageblock_mt);
	free(a->cpu_node);
	free(a);
}

void sum_bare_counts(struct alloc *a)
{
	for (unsigned int i = 0; a->bare && i < a->nr_zones; i++) {
		struct zone *z = zone_at(a, i);

		for (unsigned int cpu = 0; cpu < a->nr_cpus; cpu++) {
			struct per_cpu_pages *pcp = &z->pcp[cpu];

			a->cnt.pgalloc[z->type] += pcp->bare_allocs;
			a->cnt.allocs[0] += pcp->bare_allocs;
			a->cnt.pgfree += pcp->bare_frees;
			a->cnt.frees[0] += pcp->bare_frees;
			pcp->bare_allocs = 0;
			pcp->bare_frees = 0;
		}
	}
}

static void decide_plain(struct alloc *a)
{
	a->plain_alloc = !a->hooks.event && !a->pcp_disabled &&
			 (a->nr_nodes == 1 || !a->prof.awake_nodes_last);
	a->plain_free = !a->hooks.event && !a->hooks.free_capture &&
			!a->pcp_disabled;
	sum_bare_counts(a);
	a->bare = a->plain_alloc && a->plain_free && !a->hooks.digest &&
		  !a->hooks.cpu_digests && a->work == &a->own_work;
	a->bare_gfp = BARE_NONE;
}

void alloc_set_free_lag(struct alloc *a, unsigned int zone, int32_t lag)
{
	CHECK_LT(zone, a->nr_zones);
	zone_at(a, zone)->free_lag = lag;
	zone_limits_changed(a, zone_at(a, zone));
}

void alloc_set_hooks(struct alloc *a, const struct alloc_hooks *hooks)
{
	if (hooks)
		a->hooks = *hooks;
	else
		memset(&a->hooks, 0, sizeof(a->hooks));
	decide_plain(a);
	/* One comparison on the order then covers the unused hooks, too. */
	if (!a->hooks.free_notify && !a->hooks.tail_position &&
	    !a->hooks.list_rotated)
		a->hooks.notify_order = NR_PAGE_ORDERS;
}

void alloc_set_work(struct alloc *a, struct alloc_work *w)
{
	a->work = w ? w : &a->own_work;
	decide_plain(a);
}

void alloc_set_managed(struct alloc *a, unsigned int zone, uint64_t pages)
{
	zone_at(a, zone)->managed = pages;
}
