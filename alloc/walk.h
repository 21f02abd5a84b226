/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the zone walk, the slow path and the per-CPU lists share among
 * themselves; the rest of alloc/ uses alloc/internal.h.
 */
#ifndef ALLOC_WALK_H
#define ALLOC_WALK_H

#include "alloc/internal.h"

/* pcp->free_factor, alloc_factor and drain pieces are scaled by at most 2^5. */
#define PCP_BATCH_SCALE_MAX 5

/* Largest order that the allocator promises not to find costly. */
#define PAGE_ALLOC_COSTLY_ORDER 3

/* One request, decoded: what the kernel keeps in struct alloc_context. */
struct alloc_context {
	const struct zonelist *zl;
	gfp_t gfp;
	unsigned int order;
	unsigned int cpu;
	enum migratetype mt;
	unsigned int highest;        /* zone type, from gfp */
	unsigned int reserve_j;      /* index into lowmem_reserve */
	const struct zone *preferred;/* NULL if no zone of zl serves */
	int only_zone;               /* >= 0: no other zone */
	bool bypass_pcp;
};

/* Words of the digest: what happened to which block. */
#define DIGEST_ALLOC (UINT64_C(1) << 40)
#define DIGEST_FREE (UINT64_C(2) << 40)

static inline void digest_block(struct alloc *a, pfn_t pfn, unsigned int order,
				uint64_t what)
{
	if (__builtin_expect(a->hooks.digest != NULL, 0))
		digest_u64(a->hooks.digest,
			   what | (uint64_t)order << 32 | pfn);
}

/* A block of the buddy has been handed out. */
static inline void alloc_count(struct alloc *a, const struct zone *z,
			       pfn_t pfn, unsigned int order)
{
	a->cnt.pgalloc[z->type] += order_nr_pages(order);
	a->cnt.allocs[order]++;
	digest_block(a, pfn, order, DIGEST_ALLOC);
}

/* Where the allocations that the lists of this CPU served are written down. */
static inline struct digest *cpu_digest(const struct alloc *a, unsigned int cpu)
{
	struct digest *all = a->hooks.cpu_digests;

	return __builtin_expect(all != NULL, 1) ? &all[cpu] : a->hooks.digest;
}

/* A block of a CPU's list has been handed out. */
static inline void alloc_count_cpu(struct alloc *a, const struct zone *z,
				   unsigned int cpu, pfn_t pfn,
				   unsigned int order)
{
	struct digest *d = cpu_digest(a, cpu);

	a->cnt.pgalloc[z->type] += order_nr_pages(order);
	a->cnt.allocs[order]++;
	if (__builtin_expect(d != NULL, 1))
		digest_u64(d, DIGEST_ALLOC | (uint64_t)order << 32 | pfn);
}

/* See alloc_hooks.look_around. */
static inline void look_around(const struct alloc *a)
{
	if (a->hooks.look_around)
		a->hooks.look_around(a->hooks.ctx);
}

/* ---- zonelist.c ---- */

/*
 * Type of the highest zone that gfp allows (gfp_zone), by the bits DMA, HIGHMEM,
 * DMA32 and MOVABLE: the lowest zone named wins, HIGHMEM alone is Normal.
 */
static inline unsigned int gfp_highest_zone(gfp_t gfp)
{
	static const uint8_t highest[16] = {
		ZONE_NORMAL, ZONE_DMA, ZONE_NORMAL, ZONE_DMA,
		ZONE_DMA32,  ZONE_DMA, ZONE_DMA32,  ZONE_DMA,
		ZONE_NORMAL, ZONE_DMA, ZONE_MOVABLE, ZONE_DMA,
		ZONE_DMA32,  ZONE_DMA, ZONE_DMA32,  ZONE_DMA,
	};

	return highest[gfp & 0xf];
}

/* Pageblock type that gfp asks for (gfp_migratetype); callers check that
 * MOVABLE and RECLAIMABLE are not both set. */
static inline enum migratetype gfp_mt(const struct alloc *a, gfp_t gfp)
{
	if (!a->grouping)
		return MIGRATE_UNMOVABLE;
	return (enum migratetype)((gfp >> 3) & 3);
}

/* First zone of the list not above `highest`, or NULL. */
struct zone *first_zone(const struct alloc *a, const struct zonelist *zl,
			unsigned int highest);

/* ---- watermark.c ---- */

/* Models zone_watermark_fast; mark with the boost included. */
bool zone_watermark_fast(const struct alloc *a, const struct zone *z,
			 unsigned int order, uint64_t mark, unsigned int j,
			 unsigned int alloc_flags, gfp_t gfp);

/* Has the zone a block of at least this order that the request may take? */
bool zone_has_block(const struct alloc *a, const struct zone *z,
		    unsigned int order, unsigned int alloc_flags);

/* ---- page_alloc.c ---- */

/* Decode a request. False: no zone of the guest can serve it. */
bool alloc_context_init(const struct alloc *a, struct alloc_context *ac,
			const struct alloc_request *req);
/* Models get_page_from_freelist: PFN_NONE if no zone gives a block. */
pfn_t get_page_from_freelist(struct alloc *a, const struct alloc_context *ac,
			     unsigned int alloc_flags);
/* First attempt of a request for `order` pages; no slow path. */
pfn_t alloc_first_attempt(struct alloc *a, unsigned int cpu,
			  unsigned int order, gfp_t gfp);
/* kswapd of one node is wanted for blocks of `order`. */
void wake_kswapd(struct alloc *a, unsigned int node, unsigned int order,
		 unsigned int highest, gfp_t gfp);

/* ---- slowpath.c ---- */

/* Models __alloc_pages_slowpath, up to the next question to the caller. */
struct alloc_result alloc_slowpath(struct alloc *a, struct alloc_request *req,
				   const struct alloc_context *ac);

#endif
