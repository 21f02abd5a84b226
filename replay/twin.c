/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The twin: an allocator in exactly the state of a snapshot. What a snapshot
 * does not hold stays at its default: the shuffle switch and its bits.
 */
#include <errno.h>

#include "replay/internal.h"

enum migratetype twin_type(const struct snapshot *s, unsigned int mt)
{
	/* With five types the fifth is isolation: CMA alone brings both. */
	if (s->nr_types == 5 && mt == 4)
		return MIGRATE_ISOLATE;
	return (enum migratetype)mt;
}

int twin_pindex(const struct alloc *a, unsigned int order,
		enum migratetype mt)
{
	struct alloc_pcp_info info;
	enum migratetype list_mt;
	unsigned int list_order;

	if (mt >= MIGRATE_PCPTYPES)
		return -1;
	alloc_pcp_info(a, 0, 0, &info);
	for (unsigned int i = 0; i < info.nr_lists; i++) {
		alloc_pindex_decode(a, i, &list_order, &list_mt);
		/* Order 9 has one list for movable, one for all others. */
		if (list_order == order &&
		    (list_mt == mt ||
		     (order == HPAGE_PMD_ORDER && mt != MIGRATE_MOVABLE &&
		      list_mt != MIGRATE_MOVABLE)))
			return (int)i;
	}
	return -1;
}

unsigned int twin_zone(const struct replay *r, const struct req_record *rec)
{
	return r->zone_of_zid[rec->zone];
}

static int create(struct alloc **out, const struct snapshot *s,
		  const struct alloc_profile *profile, const char *path,
		  struct diag *d)
{
	struct alloc_zone_config zones[TRACE_MAX_ZONES];
	struct alloc_config cfg = {
		.profile = profile,
		.nr_cpus = s->nr_cpus,
		.nr_nodes = 1,
		.zones = zones,
		.nr_zones = s->nr_zones,
		.pageblock_order = s->pageblock_order,
		.big_cache = true,
		.cma = s->nr_types == 6,
		.isolation = s->nr_types >= 5,
		.watermark_boost_factor = UINT32_MAX,
	};
	const char *why = "out of memory";
	int err;

	for (unsigned int i = 0; i < s->nr_zones; i++)
		zones[i] = (struct alloc_zone_config){
			.type = (enum zone_type)s->zones[i].zid,
			.start = s->zones[i].start,
			.end = s->zones[i].end,
			.present = (uint32_t)s->zones[i].present,
		};
	err = alloc_create(out, &cfg, &why);
	if (err)
		diag_error(d, (struct diag_place){ .file = path }, "%s", why);
	return err;
}

static void load_zone(struct alloc *a, unsigned int idx,
		      const struct snap_zone *z)
{
	alloc_set_managed(a, idx, z->managed);
	alloc_set_watermarks(a, idx, z->wmark_min, z->wmark_low, z->wmark_high);
	alloc_set_boost(a, idx, z->boost);
	alloc_set_highatomic_reserved(a, idx, z->reserved_highatomic);
	for (unsigned int j = 0; j < TRACE_MAX_ZONES; j++)
		alloc_set_reserve(a, idx, j, z->lowmem_reserve[j]);
	alloc_set_reclaim_active(a, idx, z->flags & SNAP_ZONE_RECLAIM_ACTIVE);
	if (alloc_profile_of(a)->below_high_flag)
		alloc_set_below_high(a, idx, z->flags & SNAP_ZONE_BELOW_HIGH);
}

static void load_free_lists(struct alloc *a, unsigned int idx,
			    const struct snapshot *s)
{
	for (unsigned int o = 0; o < NR_PAGE_ORDERS; o++)
		for (unsigned int t = 0; t < s->nr_types; t++) {
			const struct snap_list l = s->zones[idx].free[o][t];
			const struct snap_block *b = s->free_blocks + l.first;

			for (uint32_t i = 0; i < l.nr; i++)
				alloc_load_free(a, idx, o, twin_type(s, t),
						b[i].pfn,
						b[i].reported ? BLOCK_REPORTED
							      : 0);
		}
}

/* Lists of the snapshot's kernel that this profile's pagesets do not have. */
static bool lists_fit(const struct snap_pageset *ps, unsigned int nr_lists)
{
	for (unsigned int i = nr_lists; i < TRACE_MAX_PINDEX; i++)
		if (ps->lists[i].nr)
			return false;
	return true;
}

static void load_pcp_state(struct alloc *a, unsigned int idx, unsigned int cpu,
			   const struct snap_pageset *ps)
{
	const struct alloc_pcp_state state = {
		.high = ps->high,
		.free_count = ps->free_count,
		.alloc_factor = (uint8_t)ps->alloc_factor,
		.prev_free_high_order =
			ps->flags & SNAP_PCP_PREV_FREE_HIGH_ORDER,
		.big_cache = ps->flags & SNAP_PCP_FREE_HIGH_BATCH,
	};

	alloc_set_pcp_state(a, idx, cpu, &state);
}

static int load_pageset(struct alloc *a, unsigned int idx, unsigned int cpu,
			const struct snapshot *s, const char *path,
			struct diag *d)
{
	const struct snap_pageset *ps = &s->zones[idx].pagesets[cpu];
	struct alloc_pcp_info info;

	alloc_set_pcp(a, idx, cpu, ps->batch ? ps->batch : 1,
		      ps->has_range ? ps->high_min : ps->high,
		      ps->has_range ? ps->high_max : ps->high,
		      ps->free_factor);
	if (ps->has_range)
		load_pcp_state(a, idx, cpu, ps);
	alloc_pcp_info(a, idx, cpu, &info);
	if (!lists_fit(ps, info.nr_lists)) {
		diag_error(d, (struct diag_place){ .file = path },
			   "zone %s, CPU %u: pages on per-CPU lists that kernel %s has not",
			   s->zones[idx].name, cpu,
			   alloc_profile_of(a)->name);
		return -EINVAL;
	}
	for (unsigned int i = 0; i < info.nr_lists; i++)
		for (uint32_t k = 0; k < ps->lists[i].nr; k++) {
			const struct snap_block *b =
				s->pcp_blocks + ps->lists[i].first + k;

			alloc_load_pcp(a, idx, cpu, i, b->pfn,
				       twin_type(s, b->mt));
		}
	return 0;
}

static int load_state(struct alloc *a, const struct snapshot *s,
		      const char *path, struct diag *d)
{
	int err = 0;

	/* Sizes of the pagesets are those of the snapshot, set per CPU. */
	alloc_setup_pcp(a);
	for (unsigned int i = 0; i < s->nr_zones; i++)
		load_zone(a, i, &s->zones[i]);
	for (uint32_t i = 0; i < s->nr_pageblocks; i++)
		alloc_set_pageblock_type(a, s->pageblocks[i].pfn,
					 twin_type(s, s->pageblocks[i].mt));
	for (uint32_t i = 0; i < s->nr_movable; i++)
		alloc_set_lru(a, s->movable[i].pfn, s->movable[i].nr, true);
	for (unsigned int i = 0; i < s->nr_zones && !err; i++) {
		load_free_lists(a, i, s);
		for (unsigned int c = 0; c < s->nr_cpus && !err; c++)
			err = load_pageset(a, i, c, s, path, d);
	}
	return err;
}

int replay_build(struct alloc **out, const struct snapshot *s,
		 const struct alloc_profile *profile, const char *path,
		 struct diag *d)
{
	int err = create(out, s, profile, path, d);

	if (err)
		return err;
	err = load_state(*out, s, path, d);
	if (err) {
		alloc_destroy(*out);
		*out = NULL;
	}
	return err;
}
