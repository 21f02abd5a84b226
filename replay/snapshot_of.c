/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An allocator's state as a snapshot, so that a state that was made and one
 * that was recorded start a replay alike. Types are those of a kernel without
 * CMA and isolation.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "replay/internal.h"

static uint32_t list_length(const struct alloc *a, pfn_t pfn)
{
	uint32_t nr = 0;

	for (; pfn != PFN_NONE; pfn = alloc_list_next(a, pfn))
		nr++;
	return nr;
}

static void copy_free_list(struct snapshot *s, const struct alloc *a,
			   unsigned int zone, unsigned int order,
			   enum migratetype mt)
{
	struct snap_list *l = &s->zones[zone].free[order][mt];

	l->first = s->nr_free_blocks;
	for (pfn_t p = alloc_list_first(a, zone, order, mt); p != PFN_NONE;
	     p = alloc_list_next(a, p))
		s->free_blocks[s->nr_free_blocks++] = (struct snap_block){
			.pfn = p,
			.order = (uint8_t)order,
			.mt = (uint8_t)mt,
			.reported = alloc_block_marks(a, p) & BLOCK_REPORTED,
		};
	l->nr = s->nr_free_blocks - l->first;
}

static void copy_pageset(struct snapshot *s, const struct alloc *a,
			 unsigned int zone, unsigned int cpu)
{
	struct snap_pageset *ps = &s->zones[zone].pagesets[cpu];
	struct alloc_pcp_info info;

	alloc_pcp_info(a, zone, cpu, &info);
	ps->present = true;
	ps->count = info.count;
	ps->high = info.high;
	ps->batch = info.batch;
	ps->free_factor = info.free_factor;
	ps->has_range = true;
	ps->high_min = info.high_min;
	ps->high_max = info.high_max;
	ps->alloc_factor = info.alloc_factor;
	ps->free_count = info.free_count;
	/* As a guest boots by default: a large cache. */
	ps->flags = SNAP_PCP_FREE_HIGH_BATCH;
	for (unsigned int i = 0; i < info.nr_lists; i++) {
		enum migratetype mt;
		unsigned int order;

		alloc_pindex_decode(a, i, &order, &mt);
		ps->lists[i].first = s->nr_pcp_blocks;
		for (pfn_t p = alloc_pcp_first(a, zone, cpu, i);
		     p != PFN_NONE; p = alloc_list_next(a, p))
			s->pcp_blocks[s->nr_pcp_blocks++] =
				(struct snap_block){ .pfn = p,
						     .order = (uint8_t)order,
						     .mt = (uint8_t)mt };
		ps->lists[i].nr = s->nr_pcp_blocks - ps->lists[i].first;
	}
}

static void copy_zone(struct snap_zone *z, const struct alloc *a,
		      unsigned int zone)
{
	struct alloc_zone_info info;

	alloc_zone_info(a, zone, &info);
	snprintf(z->name, sizeof(z->name), "%s", info.name);
	z->zid = (uint8_t)info.type;
	z->start = info.start;
	z->end = info.end;
	z->spanned = info.spanned;
	z->present = info.present;
	z->managed = info.managed;
	z->wmark_min = info.wmark_min;
	z->wmark_low = info.wmark_low;
	z->wmark_high = info.wmark_high;
	z->boost = info.boost;
	z->reserved_highatomic = info.reserved_highatomic;
	z->free_pages = info.free;
	for (unsigned int j = 0; j < TRACE_MAX_ZONES; j++)
		z->lowmem_reserve[j] = info.lowmem_reserve[j];
}

static void copy_pageblocks(struct snapshot *s, const struct alloc *a,
			    unsigned int zone)
{
	const struct snap_zone *z = &s->zones[zone];
	const unsigned int order = s->pageblock_order;

	for (uint64_t p = pfn_align_down(z->start, order); p < z->end;
	     p += order_nr_pages(order)) {
		const pfn_t pfn = p < z->start ? z->start : (pfn_t)p;

		s->pageblocks[s->nr_pageblocks++] = (struct snap_pageblock){
			.pfn = pfn,
			.zone = (uint8_t)zone,
			.mt = (uint8_t)alloc_pageblock_type(a, pfn),
		};
	}
}

/* Blocks of all lists, to know how much room they take. */
static void count_blocks(const struct alloc *a, uint32_t *nr_free,
			 uint32_t *nr_pcp)
{
	struct alloc_pcp_info info;

	for (unsigned int z = 0; z < alloc_nr_zones(a); z++) {
		for (unsigned int o = 0; o < NR_PAGE_ORDERS; o++)
			*nr_free += (uint32_t)alloc_nr_free(a, z, o);
		for (unsigned int c = 0; c < alloc_nr_cpus(a); c++) {
			alloc_pcp_info(a, z, c, &info);
			for (unsigned int i = 0; i < info.nr_lists; i++)
				*nr_pcp += list_length(
					a, alloc_pcp_first(a, z, c, i));
		}
	}
}

static bool make_room(struct snapshot *s, const struct alloc *a)
{
	uint32_t nr_free = 1, nr_pcp = 1;
	const uint32_t blocks = (alloc_end_pfn(a) >> s->pageblock_order) +
				2 * s->nr_zones + 1;

	count_blocks(a, &nr_free, &nr_pcp);
	s->free_blocks = calloc(nr_free, sizeof(*s->free_blocks));
	s->pcp_blocks = calloc(nr_pcp, sizeof(*s->pcp_blocks));
	s->pageblocks = calloc(blocks, sizeof(*s->pageblocks));
	for (unsigned int i = 0; i < s->nr_zones; i++) {
		s->zones[i].pagesets = calloc(s->nr_cpus,
					      sizeof(*s->zones[i].pagesets));
		if (!s->zones[i].pagesets)
			return false;
	}
	return s->free_blocks && s->pcp_blocks && s->pageblocks;
}

static void copy_lists(struct snapshot *s, const struct alloc *a,
		       unsigned int zone)
{
	copy_zone(&s->zones[zone], a, zone);
	copy_pageblocks(s, a, zone);
	for (unsigned int o = 0; o < NR_PAGE_ORDERS; o++)
		for (unsigned int t = 0; t < s->nr_types; t++)
			copy_free_list(s, a, zone, o, (enum migratetype)t);
	for (unsigned int cpu = 0; cpu < s->nr_cpus; cpu++)
		copy_pageset(s, a, zone, cpu);
}

int replay_snapshot_of(struct snapshot **out, const struct alloc *a)
{
	struct snapshot *s = calloc(1, sizeof(*s));

	*out = NULL;
	if (!s)
		return -ENOMEM;
	s->nr_cpus = alloc_nr_cpus(a);
	snprintf(s->kernel, sizeof(s->kernel), "%s",
		 alloc_profile_of(a)->name);
	s->pageblock_order = alloc_pageblock_order(a);
	s->nr_types = MIGRATE_HIGHATOMIC + 1;
	s->nr_zones = alloc_nr_zones(a);
	if (s->nr_zones > TRACE_MAX_ZONES || !make_room(s, a)) {
		const bool fits = s->nr_zones <= TRACE_MAX_ZONES;

		s->nr_zones = fits ? s->nr_zones : 0;
		snapshot_free(s);
		return fits ? -ENOMEM : -EINVAL;
	}
	for (unsigned int i = 0; i < s->nr_zones; i++)
		copy_lists(s, a, i);
	*out = s;
	return 0;
}
