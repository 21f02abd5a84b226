/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the list of mapped pages and the map of swap slots promise, for
 * mock_check(): every mapped page is on the list of its guest once, a huge one
 * with its first page; every swapped page has a slot, and no slot has two
 * pages; clusters count their slots; a guest is within its limit.
 */
#include "hypervisor/mock.h"

struct swap_walk {
	const struct mock_host *host;
	const struct mock_guest *guest;
	const char *what;      /* the first that is wrong */
	uint64_t is, should_be;
	uint64_t slots, sum;   /* of all guests' pages; sum of their numbers */
	uint64_t entries;      /* that this guest's list should have */
};

static void expect(struct swap_walk *k, const char *what, uint64_t is,
		   uint64_t should_be)
{
	if (is == should_be || k->what)
		return;
	k->what = what;
	k->is = is;
	k->should_be = should_be;
}

static void check_slots(struct swap_walk *k, uint32_t region, uint32_t w)
{
	const struct swap_area *a = &k->host->swap;
	uint64_t bits = small_of(k->guest, region)->swapped[w];

	for (; bits; bits &= bits - 1) {
		const pfn_t pfn = (region << HPAGE_PMD_ORDER) + w * 64 +
				  (pfn_t)__builtin_ctzll(bits);
		const uint32_t slot = k->guest->page[pfn].next;

		expect(k, "slot inside of swap", slot < a->nr_slots, true);
		if (slot < a->nr_slots)
			expect(k, "slot in use", bitmap_test(a->used, slot),
			       true);
		k->slots++;
		k->sum += slot;
	}
}

static void check_region(struct swap_walk *k, uint32_t region)
{
	const struct mock_guest *g = k->guest;
	const struct small_region *s = small_of(g, region);
	uint32_t swapped = 0;

	k->entries += region_state(g, region) == REGION_HUGE;
	if (!g->slots[region])
		return;
	k->entries += s->nr_present;
	for (uint32_t w = 0; w < PAGE_WORDS; w++) {
		expect(k, "swapped and present", s->swapped[w] & s->present[w],
		       0);
		expect(k, "old without page", s->old[w] & ~s->present[w], 0);
		swapped += nr_bits(s->swapped[w]);
		if (g->page)
			check_slots(k, region, w);
	}
	expect(k, "nr_swapped", s->nr_swapped, swapped);
}

/* A place on the list: mapped, and of a huge page the first. */
static bool is_entry(const struct mock_guest *g, pfn_t pfn)
{
	const uint32_t region = pfn_region(pfn);
	const uint32_t page = pfn & (HPAGE_PMD_NR - 1);

	if (pfn >= g->nr_pages)
		return false;
	if (region_state(g, region) == REGION_HUGE)
		return !page;
	return bitmap_test(small_of(g, region)->present, page);
}

static void check_list(struct swap_walk *k)
{
	const struct mock_guest *g = k->guest;
	pfn_t pfn = g->lru.oldest, prev = UINT32_MAX;
	uint64_t at = 0;

	expect(k, "length of the LRU list", g->lru.nr, k->entries);
	for (uint32_t n = 0; n < g->lru.nr && !k->what; n++) {
		expect(k, "entry of the LRU list", is_entry(g, pfn), true);
		if (k->what)
			return;
		expect(k, "link of the LRU list", g->page[pfn].prev, prev);
		if (g->strict)
			expect(k, "order of the LRU list",
			       g->used_at[pfn] >= at, true);
		at = g->strict ? g->used_at[pfn] : 0;
		prev = pfn;
		pfn = g->page[pfn].next;
	}
	expect(k, "end of the LRU list", pfn, UINT32_MAX);
	expect(k, "newest of the LRU list", g->lru.newest, prev);
}

static void check_guest(struct swap_walk *k)
{
	const struct mock_host *h = k->host;

	k->entries = 0;
	/* Nothing of hugetlbfs is on a list or in swap. */
	for (uint32_t region = 0; !k->guest->hugetlb_order &&
				  region < k->guest->nr_regions; region++)
		check_region(k, region);
	if (k->guest->page)
		check_list(k);
	if (h->memcg_pages)
		expect(k, "guest above its limit",
		       memcg_charged(k->guest) > h->memcg_pages, false);
}

static uint64_t sum_of_slots(const struct swap_area *a)
{
	uint64_t sum = 0;

	for (uint32_t w = 0; w < BITMAP_WORDS(a->nr_slots); w++) {
		for (uint64_t bits = a->used[w]; bits; bits &= bits - 1)
			sum += w * 64 + (uint64_t)__builtin_ctzll(bits);
	}
	return sum;
}

/* Each page's slot is in use; if their number and their sum are right, too, no
 * two pages have the same. */
static void check_area(struct swap_walk *k)
{
	const struct swap_area *a = &k->host->swap;
	uint64_t used = 0, whole = 0;

	for (uint32_t c = 0; c < a->nr_clusters; c++) {
		const uint32_t first = c * HPAGE_PMD_NR;
		const uint32_t left = a->nr_slots - first;
		const uint32_t nr = left < HPAGE_PMD_NR ? left : HPAGE_PMD_NR;
		const size_t in = bitmap_count_range(a->used, first, nr);

		expect(k, "slots of a cluster", a->in_cluster[c], in);
		whole += !in && nr == HPAGE_PMD_NR;
		used += in;
	}
	expect(k, "slots in use", a->nr_used, used);
	expect(k, "clusters that are free", a->nr_whole_free, whole);
	expect(k, "pages in swap", k->slots, used);
	expect(k, "sum of their slots", k->sum, sum_of_slots(a));
}

const char *swap_check(const struct mock_host *h, uint32_t *guest,
		       uint64_t *is, uint64_t *should_be)
{
	struct swap_walk k = { .host = h };

	for (uint32_t id = 0; id < h->nr_ids && !k.what; id++) {
		*guest = id;
		k.guest = &h->guests[id];
		if (k.guest->nr_pages)
			check_guest(&k);
	}
	if (h->swap.nr_slots)
		check_area(&k);
	*is = k.is;
	*should_be = k.should_be;
	return k.what;
}
