/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where watermarks and lowmem reserves come from. Models calculate_min_free_kbytes
 * (init_per_zone_wmark_min up to 5.7), setup_per_zone_wmarks,
 * setup_per_zone_lowmem_reserve and khugepaged's set_recommended_min_free_kbytes.
 *
 * Left out: the promotion mark (no memory tiers) and the unmapped and slab
 * ratios of node reclaim, which no profile turns on.
 */
#include "alloc/internal.h"
#include "alloc/walk.h"

#define MIN_FREE_KBYTES_MIN 128u
/* Marks of a zone that kernel allocations never use are kept this small. */
#define CAPPED_MIN_LOWEST 32u
#define CAPPED_MIN_HIGHEST 128u

/* Integer square root, rounded down. */
static uint32_t int_sqrt(uint64_t x)
{
	uint64_t root = 0;

	for (uint64_t bit = UINT64_C(1) << 31; bit != 0; bit >>= 1) {
		if ((root + bit) * (root + bit) <= x)
			root += bit;
	}
	return (uint32_t)root;
}

/*
 * nr_free_buffer_pages: pages above the high marks that a kernel allocation
 * could reach. The local zonelist holds every node, so every zone counts.
 */
static uint64_t nr_free_buffer_pages(const struct alloc *a)
{
	uint64_t sum = 0;

	for (unsigned int i = 0; i < a->nr_zones; i++) {
		const struct zone *z = zone_at(a, i);
		const uint64_t high = zone_wmark(z, AF_WMARK_HIGH);

		if (z->type <= ZONE_NORMAL && z->managed > high)
			sum += z->managed - high;
	}
	return sum;
}

static uint32_t compute_min_free_kbytes(const struct alloc *a)
{
	const uint64_t lowmem_kib = pages_to_kib(nr_free_buffer_pages(a));
	const uint32_t kib = int_sqrt(lowmem_kib * 16);

	if (kib < MIN_FREE_KBYTES_MIN)
		return MIN_FREE_KBYTES_MIN;
	if (kib > a->prof.min_free_kbytes_max)
		return a->prof.min_free_kbytes_max;
	return kib;
}

static uint64_t lowmem_pages(const struct alloc *a)
{
	uint64_t sum = 0;

	for (unsigned int i = 0; i < a->nr_zones; i++) {
		const struct zone *z = zone_at(a, i);

		if (z->type != ZONE_MOVABLE || !a->prof.movable_min_capped)
			sum += z->managed;
	}
	return sum;
}

static uint64_t capped_min(uint64_t managed)
{
	const uint64_t min = managed / 1024;

	if (min < CAPPED_MIN_LOWEST)
		return CAPPED_MIN_LOWEST;
	return min > CAPPED_MIN_HIGHEST ? CAPPED_MIN_HIGHEST : min;
}

static void setup_zone_wmarks(const struct alloc *a, struct zone *z,
			      uint64_t pages_min, uint64_t lowmem)
{
	const uint64_t scale = a->watermark_scale_factor;
	const uint64_t share =
		lowmem != 0 ? pages_min * z->managed / lowmem : 0;
	uint64_t gap = z->managed * scale / 10000;
	uint64_t base;

	z->wmark[AF_WMARK_MIN] = share;
	if (z->type == ZONE_MOVABLE && a->prof.movable_min_capped)
		z->wmark[AF_WMARK_MIN] = capped_min(z->managed);
	if (gap < share / 4)
		gap = share / 4;
	/* Up to 5.7 a boost that stands leaks into low and high. */
	if (a->prof.boost_zeroed_first)
		z->boost = 0;
	base = zone_wmark(z, AF_WMARK_MIN);
	z->wmark[AF_WMARK_LOW] = base + gap;
	z->wmark[AF_WMARK_HIGH] = base + 2 * gap;
	z->boost = 0;
	zone_limits_changed(a, z);
}

/* Steps that a change of min_free_kbytes repeats. */
static void setup_per_zone_wmarks(struct alloc *a)
{
	const uint64_t lowmem = lowmem_pages(a);
	const uint64_t pages_min = a->min_free_kbytes >> (PAGE_SHIFT - 10);

	for (unsigned int i = 0; i < a->nr_zones; i++)
		setup_zone_wmarks(a, zone_at(a, i), pages_min, lowmem);
	/*
	 * Sizes by batch follow no watermark, but deferred initialisation,
	 * which is over by now, made them stale where it has them recomputed.
	 */
	if (!a->pcp_ready)
		return;
	if (a->prof.pcp_high != PCP_HIGH_BATCH || a->prof.pcp_deferred_resize)
		pcp_update_sizes(a);
}

static uint64_t managed_of(const struct alloc *a, unsigned int node,
			   unsigned int type)
{
	uint64_t sum = 0;

	for (unsigned int i = 0; i < a->nr_zones; i++) {
		const struct zone *z = zone_at(a, i);

		if (z->node == node && z->type == type)
			sum += z->managed;
	}
	return sum;
}

static void setup_per_zone_lowmem_reserve(struct alloc *a)
{
	for (unsigned int i = 0; i < a->nr_zones; i++) {
		struct zone *z = zone_at(a, i);
		const uint32_t ratio = a->lowmem_reserve_ratio[z->type];
		uint64_t above = 0;

		for (unsigned int j = 0; j < MAX_NR_ZONES; j++) {
			uint64_t managed = managed_of(a, z->node, j);

			z->lowmem_reserve[j] = 0;
			if (j <= z->type)
				continue;
			above += managed;
			if (ratio == 0 || z->managed == 0)
				continue;
			if (managed == 0 && a->prof.reserve_zero_for_empty)
				continue;
			z->lowmem_reserve[j] = above / ratio;
		}
		zone_limits_changed(a, z);
	}
}

/* Models set_recommended_min_free_kbytes. */
static void recommend_min_free_kbytes(struct alloc *a)
{
	const uint64_t pageblock_nr = order_nr_pages(a->pageblock_order);
	const uint64_t cap = nr_free_buffer_pages(a) / 20;
	uint64_t nr_zones = 0, pages;

	for (unsigned int i = 0; i < a->nr_zones; i++) {
		const struct zone *z = zone_at(a, i);

		if (z->type <= ZONE_NORMAL && z->managed != 0)
			nr_zones++;
	}
	/* Two free pageblocks a zone, and one for each pair of types. */
	pages = pageblock_nr * nr_zones *
		(2 + MIGRATE_PCPTYPES * MIGRATE_PCPTYPES);
	if (pages > cap)
		pages = cap;
	if (pages_to_kib(pages) > a->min_free_kbytes)
		a->min_free_kbytes = (uint32_t)pages_to_kib(pages);
	setup_per_zone_wmarks(a);
}

void alloc_setup_watermarks(struct alloc *a, uint32_t user_kbytes)
{
	a->user_min_free_kbytes = user_kbytes;
	a->min_free_kbytes = user_kbytes != 0 ? user_kbytes :
						compute_min_free_kbytes(a);
	setup_per_zone_wmarks(a);
	setup_per_zone_lowmem_reserve(a);
	if (a->thp_min_free && a->prof.thp_min_free_reapplied)
		recommend_min_free_kbytes(a);
}

void alloc_raise_min_free_for_thp(struct alloc *a)
{
	a->thp_min_free = true;
	recommend_min_free_kbytes(a);
}

uint32_t alloc_min_free_kbytes(const struct alloc *a)
{
	return a->min_free_kbytes;
}

void alloc_set_watermarks(struct alloc *a, unsigned int zone, uint64_t min,
			  uint64_t low, uint64_t high)
{
	struct zone *z = zone_at(a, zone);

	CHECK_LT(zone, a->nr_zones);
	z->wmark[AF_WMARK_MIN] = min;
	z->wmark[AF_WMARK_LOW] = low;
	z->wmark[AF_WMARK_HIGH] = high;
	zone_limits_changed(a, z);
}

void alloc_set_boost(struct alloc *a, unsigned int zone, uint64_t boost)
{
	CHECK_LT(zone, a->nr_zones);
	zone_at(a, zone)->boost = boost;
	zone_limits_changed(a, zone_at(a, zone));
}

void alloc_set_reserve(struct alloc *a, unsigned int zone, unsigned int j,
		       uint64_t pages)
{
	CHECK_LT(zone, a->nr_zones);
	CHECK_LT(j, MAX_NR_ZONES);
	zone_at(a, zone)->lowmem_reserve[j] = pages;
	zone_limits_changed(a, zone_at(a, zone));
}

void alloc_set_highatomic_reserved(struct alloc *a, unsigned int zone,
				   uint64_t pages)
{
	CHECK_LT(zone, a->nr_zones);
	zone_at(a, zone)->nr_reserved_highatomic = pages;
	zone_limits_changed(a, zone_at(a, zone));
}
