/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * State of zones, pageblocks and pages: reading it for output, checks and
 * reporters, and loading what was recorded on a kernel.
 */
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "alloc/lists.h"
#include "alloc/pageblock.h"

unsigned int alloc_nr_zones(const struct alloc *a)
{
	return a->nr_zones;
}

unsigned int alloc_nr_cpus(const struct alloc *a)
{
	return a->nr_cpus;
}

const struct alloc_profile *alloc_profile_of(const struct alloc *a)
{
	return &a->prof;
}

/* Summing up changes what is counted where, and nothing that can be seen. */
const struct alloc_counters *alloc_counters(const struct alloc *a)
{
	sum_bare_counts((struct alloc *)(uintptr_t)a);
	return &a->cnt;
}

const struct alloc_counters *alloc_rare_counters(const struct alloc *a)
{
	return &a->cnt;
}

pfn_t alloc_end_pfn(const struct alloc *a)
{
	return a->end_pfn;
}

uint64_t alloc_free_pages(const struct alloc *a)
{
	uint64_t sum = 0;

	for (unsigned int i = 0; i < a->nr_zones; i++)
		sum += a->zones[i].free_pages;
	return sum;
}

uint64_t alloc_zone_free_pages(const struct alloc *a, unsigned int zone)
{
	return zone_at(a, zone)->free_pages;
}

void alloc_zone_info(const struct alloc *a, unsigned int zone,
		     struct alloc_zone_info *out)
{
	static const char *const names[MAX_NR_ZONES] = {
		"DMA", "DMA32", "Normal", "Movable", "Device",
	};
	const struct zone *z = zone_at(a, zone);

	*out = (struct alloc_zone_info){
		.name = names[z->type],
		.type = (enum zone_type)z->type,
		.node = z->node,
		.start = z->start,
		.end = z->end,
		.spanned = z->end - z->start,
		.present = z->present,
		.managed = z->managed,
		.free = z->free_pages,
		.wmark_min = z->wmark[0],
		.wmark_low = z->wmark[1],
		.wmark_high = z->wmark[2],
		.boost = z->boost,
		.reserved_highatomic = z->nr_reserved_highatomic,
	};
	memcpy(out->lowmem_reserve, z->lowmem_reserve,
	       sizeof(out->lowmem_reserve));
	for (unsigned int order = 0; order < NR_PAGE_ORDERS; order++)
		out->nr_free[order] = z->free_area[order].nr_free;
	for (unsigned int cpu = 0; cpu < a->nr_cpus; cpu++)
		out->pcp += z->pcp[cpu].count;
}

int alloc_zone_of(const struct alloc *a, pfn_t pfn)
{
	uint8_t idx;

	if (pfn >= a->end_pfn)
		return -1;
	idx = a->region_zone[pfn_region(pfn)];
	return idx < REGION_MIXED ? idx : zone_lookup_slow(a, pfn);
}

enum migratetype alloc_pageblock_type(const struct alloc *a, pfn_t pfn)
{
	return pageblock_mt(a, pfn);
}

void alloc_set_pageblock_type(struct alloc *a, pfn_t pfn, enum migratetype mt)
{
	store_pageblock_mt(a, pfn, mt);
}

unsigned int alloc_pageblock_order(const struct alloc *a)
{
	return a->pageblock_order;
}

void alloc_set_lru(struct alloc *a, pfn_t pfn, uint32_t nr, bool on)
{
	if (on && nr == 1)
		bitmap_set(a->lru, pfn);
	else if (on)
		bitmap_set_range(a->lru, pfn, nr);
	else
		bitmap_clear_range(a->lru, pfn, nr);
}

bool alloc_test_lru(const struct alloc *a, pfn_t pfn)
{
	return bitmap_test(a->lru, pfn);
}

bool alloc_clear_lru(struct alloc *a, pfn_t pfn)
{
	const uint64_t bit = UINT64_C(1) << (pfn % 64);
	uint64_t *word = &a->lru[pfn / 64];
	const uint64_t old = *word;

	*word = old & ~bit;
	return old & bit;
}

/* The pages from *at on whose marks are in one word, which moves *at on. */
static inline uint64_t lru_word(const pfn_t *pfns, unsigned int nr,
				unsigned int *at)
{
	const pfn_t word = pfns[*at] / 64;
	unsigned int i = *at;
	uint64_t bits = 0;

	do
		bits |= UINT64_C(1) << (pfns[i++] % 64);
	while (i < nr && pfns[i] / 64 == word);
	*at = i;
	return bits;
}

void alloc_set_lru_list(struct alloc *a, const pfn_t *pfns, unsigned int nr)
{
	for (unsigned int i = 0; i < nr;) {
		uint64_t *word = &a->lru[pfns[i] / 64];

		*word |= lru_word(pfns, nr, &i);
	}
}

unsigned int alloc_clear_lru_list(struct alloc *a, const pfn_t *pfns,
				  unsigned int nr)
{
	unsigned int at = 0, end = 0;

	/* Who takes pages off the LRU has use for their records, too. */
	for (unsigned int i = 0; i < nr; i++) {
		__builtin_prefetch(&a->lru[pfns[i] / 64], 1);
		__builtin_prefetch(&a->pages[pfns[i]], 1);
	}
	while (end < nr) {
		uint64_t *word = &a->lru[pfns[at] / 64];
		const uint64_t bits = lru_word(pfns, nr, &end);

		if (__builtin_expect((*word & bits) != bits, 0))
			break;
		*word &= ~bits;
		at = end;
	}
	while (at < end && alloc_clear_lru(a, pfns[at]))
		at++;
	return at;
}

/* The free or pcp block that contains pfn; its record and head, or NULL. */
static const struct page_rec *containing_block(const struct alloc *a,
					       pfn_t pfn, pfn_t *head)
{
	for (unsigned int order = MAX_PAGE_ORDER + 1; order-- > 0;) {
		const struct page_rec *rec;

		*head = pfn_align_down(pfn, order);
		if (order == HPAGE_PMD_ORDER - 1 &&
		    !region_broken(a, pfn_region(pfn)))
			return NULL;
		rec = rec_of(a, *head, order);
		if (rec->state != PAGE_NONE && rec->order == order)
			return rec;
	}
	return NULL;
}

enum alloc_page_state alloc_page_lookup(const struct alloc *a, pfn_t pfn,
					pfn_t *head, unsigned int *order)
{
	const struct page_rec *rec;
	pfn_t start;

	if (pfn >= a->end_pfn)
		return ALLOC_PAGE_USED;
	rec = containing_block(a, pfn, &start);
	if (!rec)
		return ALLOC_PAGE_USED;
	*head = start;
	*order = rec->order;
	return rec->state == PAGE_BUDDY ? ALLOC_PAGE_BUDDY : ALLOC_PAGE_PCP;
}

/* Does any block on a list start in [pfn, end)? */
static bool any_head_inside(const struct alloc *a, pfn_t pfn, pfn_t end)
{
	while (pfn < end) {
		const uint32_t region = pfn_region(pfn);
		pfn_t stop = (region + 1) << HPAGE_PMD_ORDER;

		if (stop > end)
			stop = end;
		if (a->regions[region].state != PAGE_NONE)
			return true;
		if (!region_broken(a, region))
			pfn = stop;
		for (; pfn < stop; pfn++)
			if (a->pages[pfn].state != PAGE_NONE)
				return true;
	}
	return false;
}

bool alloc_block_is_allocated(const struct alloc *a, pfn_t pfn,
			      unsigned int order)
{
	const uint32_t nr = order_nr_pages(order);
	pfn_t head;
	int zone;

	if (!pfn_aligned(pfn, order) || pfn >= a->end_pfn)
		return false;
	zone = alloc_zone_of(a, pfn);
	if (zone < 0 || nr > a->zones[zone].end - pfn)
		return false;
	return !containing_block(a, pfn, &head) &&
	       !any_head_inside(a, pfn, pfn + nr);
}

/* A kernel may have left two buddies so; they stay until freed again. */
static bool buddy_is_free(const struct alloc *a, pfn_t pfn, unsigned int order)
{
	const struct page_rec *buddy;

	if (order >= MAX_PAGE_ORDER)
		return false;
	buddy = rec_of(a, pfn ^ order_nr_pages(order), order);
	return buddy->state == PAGE_BUDDY && buddy->order == order;
}

void alloc_load_free(struct alloc *a, unsigned int zone, unsigned int order,
		     enum migratetype mt, pfn_t pfn, unsigned int marks)
{
	struct zone *z = zone_at(a, zone);
	struct page_rec *rec = rec_of(a, pfn, order);

	CHECK(zone_spans_pfn(z, pfn) && pfn_aligned(pfn, order));
	CHECK_EQ(rec->state, PAGE_NONE);
	if (buddy_is_free(a, pfn, order))
		z->unmerged_ok = true;
	list_add_tail(a, &z->free_area[order].free_list[mt], pfn, order);
	rec->state = PAGE_BUDDY;
	rec->order = (uint8_t)order;
	rec->list = (uint8_t)mt;
	rec->aux = (uint8_t)marks;
	if (marks)
		a->marked_orders |= 1u << order;
	z->free_area[order].nr_free++;
	account_free_pages(a, z, order_nr_pages(order), mt);
}

#define CHUNK_PAGES 4096

/* Bytes of an untouched-until-used mapping that the host has given us. */
static uint64_t committed_bytes(const void *map, size_t bytes)
{
	const size_t page = (size_t)sysconf(_SC_PAGESIZE);
	const size_t nr = (bytes + page - 1) / page;
	unsigned char resident[CHUNK_PAGES];
	uint64_t committed = 0;

	for (size_t i = 0; i < nr; i += CHUNK_PAGES) {
		const size_t n = nr - i < CHUNK_PAGES ? nr - i : CHUNK_PAGES;
		char *at = (char *)(uintptr_t)map + i * page;

		if (mincore(at, n * page, resident) != 0)
			return bytes;
		for (size_t j = 0; j < n; j++)
			committed += (resident[j] & 1) * page;
	}
	return committed;
}

uint64_t alloc_metadata_bytes(const struct alloc *a)
{
	const size_t pages = (size_t)a->nr_regions << HPAGE_PMD_ORDER;

	return committed_bytes(a->pages, pages * sizeof(*a->pages)) +
	       committed_bytes(a->regions,
			       a->nr_regions * sizeof(*a->regions)) +
	       committed_bytes(a->links, a->nr_regions * sizeof(*a->links)) +
	       (uint64_t)a->chunk_top * sizeof(*a->words) +
	       committed_bytes(a->lru, BITMAP_WORDS(pages) * 8) +
	       a->nr_regions * 2 +
	       a->nr_zones * sizeof(*a->zones) +
	       a->nr_zones * a->nr_cpus * sizeof(*a->zones->pcp);
}
