/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Changes of one region of a guest: what zap_huge_pmd(), zap_pte_range(),
 * __split_huge_pmd() and split_huge_page_to_list() do to mappings and pages
 * (5.6), and what KVM's MMU notifier does to the EPT. Every change of a state
 * byte, a bitmap, a gauge or a queue is made here and nowhere else, so that
 * what mock_check.c promises can be seen in one place.
 *
 * Left out: the physical place of host pages, and the memory of page tables.
 */
#include "hypervisor/mock.h"

#include "include/check.h"

/* ---- host pages ---- */

static void host_take(const struct region_ref *r, uint32_t nr)
{
	struct mock_host *h = r->host;

	h->used_pages += nr;
	h->taken_pages += nr;
	CHECK_LE(h->used_pages + h->pool_pages + h->base_pages + h->cache_pages,
		 h->total_pages);
	r->guest->gauges.rss_pages += nr;
}

/* The host clears a page before a guest can see it, or fills it. */
static void host_zero(const struct region_ref *r, uint32_t nr)
{
	r->host->zeroed_pages += nr;
	r->ev->zeroed_pages += nr;
}

/* Not by a guest that gives up memory: nothing is reclaimed. */
static void host_put(const struct region_ref *r, uint32_t nr)
{
	struct mock_host *h = r->host;

	CHECK_LE(nr, h->used_pages);
	h->used_pages -= nr;
	h->freed_pages += nr;
}

static void host_give_back(const struct region_ref *r, uint32_t nr)
{
	host_put(r, nr);
	r->ev->phys_reclaimed_pages += nr;
}

static void rss_sub(const struct region_ref *r, uint32_t nr)
{
	CHECK_LE(nr, r->guest->gauges.rss_pages);
	r->guest->gauges.rss_pages -= nr;
	r->ev->rss_reclaimed_pages += nr;
}

/* ---- records of SMALL regions ---- */

struct small_region *small_get(const struct region_ref *r)
{
	struct mock_guest *g = r->guest;
	uint32_t slot = g->slots[r->region];

	CHECK_EQ(region_state(g, r->region), REGION_SMALL);
	if (!slot) {
		slot = g->free_slot;
		if (slot)
			g->free_slot = g->small[slot].next_free;
		else
			slot = g->next_slot++;
		CHECK_LT(slot, g->nr_slots);
		g->slots[r->region] = slot;
	}
	return &g->small[slot];
}

/* Every bitmap is a part of `present` or of `swapped`: an empty record is all
 * zeroes. */
void small_put_if_empty(const struct region_ref *r)
{
	struct mock_guest *g = r->guest;
	const uint32_t slot = g->slots[r->region];

	if (!slot || g->small[slot].nr_present || g->small[slot].nr_swapped)
		return;
	CHECK_EQ(g->small[slot].nr_lazy, 0);
	CHECK_EQ(g->small[slot].nr_thp, 0);
	g->small[slot].next_free = g->free_slot;
	g->free_slot = slot;
	g->slots[r->region] = 0;
}

/* ---- states ---- */

static void set_state(const struct region_ref *r, enum region_state state)
{
	struct mock_guest *g = r->guest;

	g->gauges.small_regions -= region_state(g, r->region) == REGION_SMALL;
	g->gauges.anon_huge_regions -=
		region_state(g, r->region) == REGION_HUGE;
	g->state[r->region] = (uint8_t)state;
	g->gauges.small_regions += state == REGION_SMALL;
	g->gauges.anon_huge_regions += state == REGION_HUGE;
}

void region_set_none(const struct region_ref *r)
{
	CHECK_EQ(r->guest->slots[r->region], 0);
	set_state(r, REGION_NONE);
}

void region_set_small(const struct region_ref *r)
{
	CHECK_EQ(r->guest->state[r->region], REGION_NONE);
	set_state(r, REGION_SMALL);
}

static void underused_queue(const struct region_ref *r);

void region_set_huge(const struct region_ref *r)
{
	CHECK_EQ(r->guest->state[r->region], REGION_NONE);
	CHECK_EQ(region_pages(r->guest, r->region), HPAGE_PMD_NR);
	set_state(r, REGION_HUGE);
	for (uint32_t w = 0; r->guest->shrinks && w < PAGE_WORDS; w++)
		r->guest->written[r->region][w] = 0;
	host_take(r, HPAGE_PMD_NR);
	host_zero(r, HPAGE_PMD_NR);
	r->host->huge_held++;
	mock_lru_add_huge(r);
	underused_queue(r);
}

/* ---- HUGE regions ---- */

/* Set or clear flags of a HUGE region; the callers' bitmap follows. */
static uint32_t nr_written(const struct region_ref *r)
{
	uint32_t nr = 0;

	for (uint32_t w = 0; w < PAGE_WORDS; w++)
		nr += nr_bits(r->guest->written[r->region][w]);
	return nr;
}

static void huge_change(const struct region_ref *r, unsigned int set,
			unsigned int clear)
{
	struct mock_guest *g = r->guest;
	unsigned int state = g->state[r->region];

	CHECK_EQ(state & REGION_STATE, REGION_HUGE);
	state = (state & ~clear) | set;
	g->state[r->region] = (uint8_t)state;
	if ((state & (REGION_EPT | REGION_LAZY | REGION_OLD)) == REGION_EPT &&
	    !g->strict && !g->logging &&
	    (!g->shrinks || nr_written(r) == HPAGE_PMD_NR))
		bitmap_set(g->regions, r->region);
	else
		bitmap_clear(g->regions, r->region);
}

void huge_set_ept(const struct region_ref *r)
{
	if (r->guest->state[r->region] & REGION_EPT)
		return;
	huge_change(r, REGION_EPT, 0);
	r->guest->gauges.ept_2m_leaves++;
}

/* While writes are logged: leaves for pages of a huge page. */
void huge_set_small_leaves(const struct region_ref *r, uint32_t w,
			   uint64_t bits)
{
	uint64_t *leaves = r->guest->log_ept[r->region];

	CHECK(r->guest->logging);
	r->guest->gauges.ept_4k_leaves += nr_bits(bits & ~leaves[w]);
	leaves[w] |= bits;
	huge_change(r, REGION_EPT, 0);
}

static void zap_small_leaves(const struct region_ref *r)
{
	uint64_t *leaves = r->guest->log_ept[r->region];

	for (uint32_t w = 0; w < PAGE_WORDS; w++) {
		r->guest->gauges.ept_4k_leaves -= nr_bits(leaves[w]);
		r->ev->ept_zap[HV_LEVEL_4K] += nr_bits(leaves[w]);
		leaves[w] = 0;
	}
}

void huge_zap_ept(const struct region_ref *r)
{
	if (!(r->guest->state[r->region] & REGION_EPT))
		return;
	huge_change(r, 0, REGION_EPT);
	if (r->guest->logging) {
		zap_small_leaves(r);
		return;
	}
	r->guest->gauges.ept_2m_leaves--;
	r->ev->ept_zap[HV_LEVEL_2M]++;
}

/* With shrink_underused: these are not zero any more. */
void huge_set_written(const struct region_ref *r, uint32_t first, uint32_t nr)
{
	if (!r->guest->shrinks)
		return;
	for (uint32_t w = first / 64; w * 64 < first + nr; w++)
		r->guest->written[r->region][w] |= page_mask(w, first, nr);
	huge_change(r, 0, 0);
}

/* deferred_split_folio() of a new huge page, 6.12. */
static void underused_queue(const struct region_ref *r)
{
	if (!r->guest->shrinks)
		return;
	huge_change(r, REGION_QUEUED, 0);
	queue_add(r, QUEUE_UNDERUSED);
}

static void underused_dequeue(const struct region_ref *r)
{
	if (!(r->guest->state[r->region] & REGION_QUEUED))
		return;
	huge_change(r, 0, REGION_QUEUED);
	queue_del(r, QUEUE_UNDERUSED);
}

void huge_set_lazy(const struct region_ref *r)
{
	CHECK(!(r->guest->state[r->region] & REGION_LAZY));
	huge_change(r, REGION_LAZY, 0);
	r->guest->gauges.lazy_pages += HPAGE_PMD_NR;
	queue_add(r, QUEUE_LAZY);
}

void huge_clear_lazy(const struct region_ref *r)
{
	if (!(r->guest->state[r->region] & REGION_LAZY))
		return;
	huge_change(r, 0, REGION_LAZY);
	r->guest->gauges.lazy_pages -= HPAGE_PMD_NR;
	queue_del(r, QUEUE_LAZY);
}

/* The bit that an access sets is in the leaf: without one it was not. */
bool huge_set_old(const struct region_ref *r)
{
	const unsigned int state = r->guest->state[r->region];

	if ((state & (REGION_EPT | REGION_OLD)) != REGION_EPT)
		return false;
	huge_change(r, REGION_OLD, 0);
	return true;
}

void huge_clear_old(const struct region_ref *r)
{
	if (r->guest->state[r->region] & REGION_OLD)
		huge_change(r, 0, REGION_OLD);
}

void huge_unmap(const struct region_ref *r)
{
	underused_dequeue(r);
	huge_zap_ept(r);
	huge_clear_lazy(r);
	mock_lru_del_huge(r);
	rss_sub(r, HPAGE_PMD_NR);
	host_give_back(r, HPAGE_PMD_NR);
	r->host->huge_held--;
	region_set_none(r);
}

/*
 * __split_huge_pmd(), 5.6: the mapping becomes 512 small ones of the same huge
 * page. KVM's leaf goes; the pages come back one by one without being cleared.
 */
void split_region_pmd(const struct region_ref *r, enum hv_split_cause cause)
{
	const bool lazy = r->guest->state[r->region] & REGION_LAZY;
	const bool old = r->guest->state[r->region] & REGION_OLD;
	struct small_region *s;

	underused_dequeue(r);
	huge_zap_ept(r);
	set_state(r, REGION_SMALL);
	s = small_get(r);
	for (uint32_t w = 0; w < PAGE_WORDS; w++) {
		s->present[w] = s->thp[w] = UINT64_MAX;
		s->lazy[w] = lazy ? UINT64_MAX : 0;
		s->old[w] = old ? UINT64_MAX : 0;
	}
	s->nr_present = s->nr_thp = HPAGE_PMD_NR;
	s->nr_lazy = lazy ? HPAGE_PMD_NR : 0;
	mock_lru_split_huge(r);
	count_split_pmd(r->ev, cause);
}

/* ---- the partial huge page of a SMALL region ---- */

static void partial_queue(const struct region_ref *r)
{
	queue_add(r, QUEUE_DEFERRED);
	r->guest->gauges.partial_thps++;
	r->ev->thp_deferred_split_page++;
}

static void partial_dequeue(const struct region_ref *r)
{
	queue_del(r, QUEUE_DEFERRED);
	r->guest->gauges.partial_thps--;
}

/* The huge page is gone, as a whole or split: its unmapped pages are free. */
static void partial_end(const struct region_ref *r, uint32_t nr_unmapped)
{
	if (nr_unmapped)
		partial_dequeue(r);
	r->guest->gauges.partial_unmapped_pages -= nr_unmapped;
	r->host->huge_held--;
	host_give_back(r, nr_unmapped);
}

/* No mapped page of the partial huge page was written since it became lazy. */
bool thp_is_lazy(const struct small_region *s)
{
	for (uint32_t w = 0; w < PAGE_WORDS; w++) {
		if (s->thp[w] & ~s->lazy[w])
			return false;
	}
	return true;
}

/*
 * split_huge_page_to_list(), 5.6: the huge page becomes small pages, and those
 * that nobody maps are freed. The others are unmapped and mapped again on the
 * way, so that their EPT leaves go. A dirty page makes all of the huge page
 * dirty, and each part inherits that: none stays lazy (try_to_unmap_one() and
 * __split_huge_page_tail(), 5.6; seen on 6.18).
 */
void split_huge_page(const struct region_ref *r, enum hv_split_cause cause)
{
	struct small_region *s = small_get(r);
	const uint32_t nr_unmapped = HPAGE_PMD_NR - s->nr_thp;
	const bool lazy = thp_is_lazy(s);

	CHECK(s->nr_thp);
	for (uint32_t w = 0; w < PAGE_WORDS; w++) {
		if (!lazy)
			small_clear_lazy(r, w, s->thp[w]);
		small_zap_ept(r, w, s->thp[w]);
		s->thp[w] = 0;
	}
	s->nr_thp = 0;
	partial_end(r, nr_unmapped);
	r->ev->thp_split_page++;
	r->ev->thp_split_page_by[cause]++;
}

/* Pages of the huge page lose their mapping, but are not freed yet. */
static void partial_unmap(const struct region_ref *r, struct small_region *s,
			  uint32_t w, uint64_t bits)
{
	const uint32_t before = HPAGE_PMD_NR - s->nr_thp;

	if (!bits)
		return;
	s->thp[w] &= ~bits;
	s->nr_thp = (uint16_t)(s->nr_thp - nr_bits(bits));
	r->guest->gauges.partial_unmapped_pages += nr_bits(bits);
	if (!before)
		partial_queue(r);
	if (!s->nr_thp)
		partial_end(r, HPAGE_PMD_NR);
}

/* ---- pages of SMALL regions ---- */

/* The callers' bitmap of word w follows. */
static void small_sync(const struct region_ref *r, const struct small_region *s,
		       uint32_t w)
{
	uint64_t bits = s->ept[w] & ~s->lazy[w] & ~s->old[w];

	if (r->guest->logging)
		bits &= r->guest->dirty[r->region][w];
	if (!r->guest->strict)
		r->guest->pages[r->guest->slots[r->region]][w] = bits;
}

void small_sync_all(const struct region_ref *r)
{
	for (uint32_t w = 0; w < PAGE_WORDS; w++)
		small_sync(r, small_of(r->guest, r->region), w);
}

void small_set_ept(const struct region_ref *r, uint32_t w, uint64_t bits)
{
	struct small_region *s = small_get(r);

	CHECK_EQ(bits & ~s->present[w], 0);
	r->guest->gauges.ept_4k_leaves += nr_bits(bits & ~s->ept[w]);
	s->ept[w] |= bits;
	small_sync(r, s, w);
}

void small_zap_ept(const struct region_ref *r, uint32_t w, uint64_t bits)
{
	struct small_region *s = small_get(r);
	const uint32_t nr = nr_bits(bits & s->ept[w]);

	r->guest->gauges.ept_4k_leaves -= nr;
	r->ev->ept_zap[HV_LEVEL_4K] += nr;
	s->ept[w] &= ~bits;
	small_sync(r, s, w);
}

void small_set_lazy(const struct region_ref *r, uint32_t w, uint64_t bits)
{
	struct small_region *s = small_get(r);
	const uint32_t nr = nr_bits(bits);

	CHECK_EQ(bits & ~(s->present[w] & ~s->lazy[w]), 0);
	if (nr && !s->nr_lazy)
		queue_add(r, QUEUE_LAZY);
	s->lazy[w] |= bits;
	s->nr_lazy = (uint16_t)(s->nr_lazy + nr);
	r->guest->gauges.lazy_pages += nr;
	small_sync(r, s, w);
}

void small_clear_lazy(const struct region_ref *r, uint32_t w, uint64_t bits)
{
	struct small_region *s = small_get(r);
	const uint32_t nr = nr_bits(bits & s->lazy[w]);

	if (!nr)
		return;
	s->lazy[w] &= ~bits;
	s->nr_lazy = (uint16_t)(s->nr_lazy - nr);
	r->guest->gauges.lazy_pages -= nr;
	if (!s->nr_lazy)
		queue_del(r, QUEUE_LAZY);
	small_sync(r, s, w);
}

/* True if the page had been accessed; the bit is in its leaf. */
bool small_set_old(const struct region_ref *r, uint32_t page)
{
	struct small_region *s = small_get(r);
	const uint64_t bit = UINT64_C(1) << (page % 64);
	const uint32_t w = page / 64;

	if (!(s->ept[w] & ~s->old[w] & bit))
		return false;
	s->old[w] |= bit;
	small_sync(r, s, w);
	return true;
}

void small_clear_old(const struct region_ref *r, uint32_t w, uint64_t bits)
{
	struct small_region *s = small_get(r);

	if (!(s->old[w] & bits))
		return;
	s->old[w] &= ~bits;
	small_sync(r, s, w);
}

static void add_pages(const struct region_ref *r, uint32_t w, uint64_t bits)
{
	struct small_region *s = small_get(r);

	CHECK_EQ(bits & (s->present[w] | s->swapped[w]), 0);
	s->present[w] |= bits;
	s->nr_present = (uint16_t)(s->nr_present + nr_bits(bits));
	host_take(r, nr_bits(bits));
	mock_lru_add_pages(r, w, bits);
}

void small_add_pages(const struct region_ref *r, uint32_t w, uint64_t bits)
{
	add_pages(r, w, bits);
	host_zero(r, nr_bits(bits));
}

void small_unmap(const struct region_ref *r, uint32_t w, uint64_t bits)
{
	struct small_region *s = small_get(r);
	const uint64_t thp = bits & s->thp[w];

	CHECK_EQ(bits & ~s->present[w], 0);
	small_zap_ept(r, w, bits);
	small_clear_lazy(r, w, bits);
	mock_lru_del_pages(r, w, bits);
	s->old[w] &= ~bits;
	s->present[w] &= ~bits;
	s->nr_present = (uint16_t)(s->nr_present - nr_bits(bits));
	rss_sub(r, nr_bits(bits));
	host_give_back(r, nr_bits(bits & ~thp));
	partial_unmap(r, s, w, thp);
}

/* ---- collapse ---- */

/*
 * collapse_huge_page(), 5.6, from where it has its huge page on: the region's
 * mappings go, its pages are copied, its holes cleared, the old pages freed.
 * The next access maps the huge page as a whole.
 */
void collapse_region(const struct region_ref *r)
{
	struct small_region *s = small_get(r);
	const uint32_t nr = s->nr_present, nr_thp = s->nr_thp;

	CHECK_EQ(s->nr_swapped, 0);
	for (uint32_t w = 0; w < PAGE_WORDS; w++) {
		if (r->guest->shrinks)
			r->guest->written[r->region][w] = s->present[w];
		small_zap_ept(r, w, s->ept[w]);
		small_clear_lazy(r, w, s->lazy[w]);
		mock_lru_del_pages(r, w, s->present[w]);
		s->present[w] = s->thp[w] = s->old[w] = 0;
	}
	s->nr_present = s->nr_thp = 0;
	small_put_if_empty(r);
	set_state(r, REGION_HUGE);
	host_take(r, HPAGE_PMD_NR);
	mock_lru_add_huge(r);
	host_zero(r, HPAGE_PMD_NR - nr);
	r->host->copied_pages += nr;
	r->host->huge_held++;
	r->guest->gauges.rss_pages -= nr;
	host_put(r, nr - nr_thp);
	if (nr_thp) {
		partial_dequeue(r);
		r->guest->gauges.partial_unmapped_pages -=
			HPAGE_PMD_NR - nr_thp;
		r->host->huge_held--;
		host_put(r, HPAGE_PMD_NR);
	}
	underused_queue(r);
	r->ev->khugepaged_collapsed++;
	r->ev->khugepaged_copied_pages += nr;
	r->ev->reinflated_pages += HPAGE_PMD_NR - nr;
	r->ev->tlb_flush_rounds++;
}

/* ---- swapped pages of SMALL regions ---- */

void small_mark_swapped(const struct region_ref *r, uint32_t w, uint64_t bits)
{
	struct small_region *s = small_get(r);

	CHECK_EQ(bits & (s->present[w] | s->swapped[w]), 0);
	s->swapped[w] |= bits;
	s->nr_swapped = (uint16_t)(s->nr_swapped + nr_bits(bits));
	r->guest->gauges.swapped_pages += nr_bits(bits);
}

void small_swap_out(const struct region_ref *r, uint32_t w, uint64_t bits)
{
	small_unmap(r, w, bits);
	small_mark_swapped(r, w, bits);
}

void small_forget_swapped(const struct region_ref *r, uint32_t w,
			  uint64_t bits)
{
	struct small_region *s = small_get(r);

	CHECK_EQ(bits & ~s->swapped[w], 0);
	s->swapped[w] &= ~bits;
	s->nr_swapped = (uint16_t)(s->nr_swapped - nr_bits(bits));
	r->guest->gauges.swapped_pages -= nr_bits(bits);
}

void small_swap_in(const struct region_ref *r, uint32_t w, uint64_t bits)
{
	small_forget_swapped(r, w, bits);
	add_pages(r, w, bits);
	r->host->read_pages += nr_bits(bits);
}

/* ---- under-used huge pages ---- */

/*
 * thp_underused() and what split_folio() does then, 6.12: pages of zeroes are
 * not kept. A page that is in use leaves the queue.
 */
void huge_consider(const struct region_ref *r)
{
	const uint64_t max = r->host->opt->khugepaged_max_ptes_none;

	if (max == HPAGE_PMD_NR - 1 || HPAGE_PMD_NR - nr_written(r) <= max) {
		underused_dequeue(r);
		return;
	}
	split_region_pmd(r, HV_SPLIT_RECLAIM);
	split_huge_page(r, HV_SPLIT_RECLAIM);
	for (uint32_t w = 0; w < PAGE_WORDS; w++)
		small_unmap(r, w, ~r->guest->written[r->region][w]);
	small_put_if_empty(r);
	r->ev->thp_underused_split_page++;
	r->ev->tlb_flush_rounds++;
}
