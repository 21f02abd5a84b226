/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Swap: where pages go (get_swap_page(), scan_swap_map_try_ssd_cluster(), 5.6),
 * how they leave (shrink_page_list(), add_to_swap(), try_to_unmap_one()) and
 * how they return (do_swap_page()).
 *
 * A huge page is split and its pages go one by one, unless `thp_swap` is on and
 * a cluster of 512 slots is free (4.13): then its mapping is split, and the
 * page goes whole. Pages return one by one in any case.
 *
 * Simplified: the slot is free as soon as its page has been read; Linux keeps
 * it beside a page that is read only while half of the swap is free. Left out:
 * readahead, the swap cache, zswap, several areas and their priorities, bad
 * slots. When pages are written and read is for the caller to price.
 */
#include <errno.h>
#include <stdlib.h>

#include "hypervisor/mock.h"
#include "include/check.h"

#define SLOT_NONE UINT32_MAX

int swap_init(struct swap_area *a, uint64_t nr_slots)
{
	*a = (struct swap_area){ .nr_slots = (uint32_t)nr_slots,
				 .cluster = SLOT_NONE };
	if (!nr_slots)
		return 0;
	a->nr_clusters = (uint32_t)((nr_slots + HPAGE_PMD_NR - 1) /
				    HPAGE_PMD_NR);
	a->nr_whole_free = a->nr_slots / HPAGE_PMD_NR;
	a->used = calloc(BITMAP_WORDS(nr_slots), sizeof(*a->used));
	a->in_cluster = calloc(a->nr_clusters, sizeof(*a->in_cluster));
	return a->used && a->in_cluster ? 0 : -ENOMEM;
}

void swap_destroy(struct swap_area *a)
{
	free(a->used);
	free(a->in_cluster);
}

static uint32_t cluster_size(const struct swap_area *a, uint32_t cluster)
{
	const uint32_t left = a->nr_slots - cluster * HPAGE_PMD_NR;

	return left < HPAGE_PMD_NR ? left : HPAGE_PMD_NR;
}

static void slot_take(struct swap_area *a, uint32_t slot)
{
	const uint32_t c = slot / HPAGE_PMD_NR;

	CHECK(!bitmap_test(a->used, slot));
	bitmap_set(a->used, slot);
	if (!a->in_cluster[c] && cluster_size(a, c) == HPAGE_PMD_NR)
		a->nr_whole_free--;
	a->in_cluster[c]++;
	a->nr_used++;
}

static void slot_free(struct swap_area *a, uint32_t slot)
{
	const uint32_t c = slot / HPAGE_PMD_NR;

	CHECK_LT(slot, a->nr_slots);
	CHECK(bitmap_test(a->used, slot));
	bitmap_clear(a->used, slot);
	a->in_cluster[c]--;
	a->nr_used--;
	if (!a->in_cluster[c] && cluster_size(a, c) == HPAGE_PMD_NR)
		a->nr_whole_free++;
	if (slot / 64 < a->lowest_word)
		a->lowest_word = slot / 64;
}

/* The first cluster of which no slot is used. */
static uint32_t free_cluster(const struct swap_area *a)
{
	for (uint32_t c = 0; a->nr_whole_free && c < a->nr_clusters; c++) {
		if (!a->in_cluster[c] && cluster_size(a, c) == HPAGE_PMD_NR)
			return c;
	}
	return SLOT_NONE;
}

/* The next free slot of the cluster that is being filled. */
static uint32_t slot_of_cluster(struct swap_area *a)
{
	const uint32_t base = a->cluster * HPAGE_PMD_NR;

	while (a->offset < cluster_size(a, a->cluster)) {
		const uint32_t slot = base + a->offset++;

		if (!bitmap_test(a->used, slot))
			return slot;
	}
	return SLOT_NONE;
}

static uint32_t lowest_slot(struct swap_area *a)
{
	while (a->used[a->lowest_word] == UINT64_MAX)
		a->lowest_word++;
	return a->lowest_word * 64 +
	       (uint32_t)__builtin_ctzll(~a->used[a->lowest_word]);
}

/* A slot for a small page; there is one. */
static uint32_t slot_get(struct swap_area *a)
{
	uint32_t slot = SLOT_NONE;

	CHECK_LT(a->nr_used, a->nr_slots);
	if (a->cluster != SLOT_NONE)
		slot = slot_of_cluster(a);
	if (slot == SLOT_NONE) {
		a->cluster = free_cluster(a);
		a->offset = 0;
		slot = a->cluster == SLOT_NONE ? lowest_slot(a) :
						 slot_of_cluster(a);
	}
	slot_take(a, slot);
	return slot;
}

static pfn_t first_of(const struct region_ref *r, uint32_t w)
{
	return (r->region << HPAGE_PMD_ORDER) + w * 64;
}

static void tell(const struct region_ref *r, uint32_t w, uint64_t bits)
{
	const struct hv_env *env = r->host->env;

	if (bits && env && env->swapped_out)
		env->swapped_out(env->ctx, r->guest_id, first_of(r, w), bits);
}

/* One page of a SMALL region leaves. */
static void out_small(const struct region_ref *r, uint32_t page)
{
	const uint32_t w = page / 64;
	const uint64_t bit = UINT64_C(1) << (page % 64);
	const struct small_region *s = small_of(r->guest, r->region);

	CHECK(!(s->thp[w] & bit));
	r->ev->tlb_flush_rounds += (s->ept[w] & bit) != 0;
	small_swap_out(r, w, bit);
	r->guest->page[first_of(r, 0) + page].next = slot_get(&r->host->swap);
	r->ev->pswpout++;
}

/* The page in one piece: 512 slots in a row, one write. */
static void out_whole(const struct region_ref *r, uint32_t cluster)
{
	uint32_t slot = cluster * HPAGE_PMD_NR;

	huge_unmap(r);
	region_set_small(r);
	count_split_pmd(r->ev, HV_SPLIT_SWAP_OUT);
	for (uint32_t i = 0; i < HPAGE_PMD_NR; i++, slot++) {
		slot_take(&r->host->swap, slot);
		r->guest->page[first_of(r, 0) + i].next = slot;
	}
	for (uint32_t w = 0; w < PAGE_WORDS; w++)
		small_mark_swapped(r, w, UINT64_MAX);
	r->ev->tlb_flush_rounds++;
	r->ev->pswpout += HPAGE_PMD_NR;
	r->ev->thp_swpout++;
}

/* As many as there are slots for; those that stay are small pages. */
static void out_split(const struct region_ref *r)
{
	const struct swap_area *a = &r->host->swap;

	split_region_pmd(r, HV_SPLIT_SWAP_OUT);
	split_huge_page(r, HV_SPLIT_SWAP_OUT);
	r->ev->tlb_flush_rounds++;
	for (uint32_t i = 0; i < HPAGE_PMD_NR && a->nr_used < a->nr_slots; i++)
		out_small(r, i);
}

static void out_huge(const struct region_ref *r)
{
	uint32_t cluster = SLOT_NONE;

	if (r->host->opt->thp_swap) {
		cluster = free_cluster(&r->host->swap);
		r->ev->thp_swpout_fallback += cluster == SLOT_NONE;
	}
	if (cluster == SLOT_NONE)
		out_split(r);
	else
		out_whole(r, cluster);
	for (uint32_t w = 0; w < PAGE_WORDS; w++)
		tell(r, w, small_of(r->guest, r->region)->swapped[w]);
}

uint32_t swap_out(const struct region_ref *r, pfn_t pfn)
{
	const uint64_t before = r->ev->pswpout;
	const uint32_t page = pfn & (HPAGE_PMD_NR - 1);

	if (region_state(r->guest, r->region) == REGION_HUGE) {
		out_huge(r);
	} else {
		out_small(r, page);
		tell(r, page / 64, UINT64_C(1) << (page % 64));
	}
	return (uint32_t)(r->ev->pswpout - before);
}

static void free_slots(const struct region_ref *r, uint32_t w, uint64_t bits)
{
	for (; bits; bits &= bits - 1) {
		const pfn_t pfn = first_of(r, w) +
				  (pfn_t)__builtin_ctzll(bits);

		slot_free(&r->host->swap, r->guest->page[pfn].next);
	}
}

void swap_in(const struct region_ref *r, uint32_t w, uint64_t bits)
{
	free_slots(r, w, bits);
	small_swap_in(r, w, bits);
	r->ev->pswpin += nr_bits(bits);
}

uint32_t swap_forget(const struct region_ref *r, uint32_t w, uint64_t mask)
{
	const uint64_t bits = mask & small_of(r->guest, r->region)->swapped[w];

	if (!bits)
		return 0;
	free_slots(r, w, bits);
	small_forget_swapped(r, w, bits);
	return nr_bits(bits);
}
