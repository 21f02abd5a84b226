/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The promises of the mock host, each recomputed from the regions:
 *   1. pages mapped by guests + pages held in partial huge pages + free + base
 *      + page cache = the host's memory;
 *   2. every page taken from the host was cleared or filled by a copy or from
 *      swap once, and is held or freed;
 *   3. AnonHugePages counts the HUGE regions, and huge pages that exist are
 *      these and the partial ones, within the limit;
 *   4. a HUGE region is lazy as a whole or not at all, and has no record;
 *   5. what is in the EPT is present, and a 2 MiB leaf means HUGE;
 *   6. what callers may access without a call is in the EPT, not lazy and not
 *      old;
 *      While a guest's writes are logged, it has been written, too, since the
 *      log was read;
 *   7. pages of hugetlbfs in use and free are the pool, which has a page for
 *      each that is reserved.
 * And that the queues hold exactly the regions they are for. What concerns swap
 * and limits is in mock_check_swap.c.
 */
#include <stdio.h>
#include <string.h>

#include "hypervisor/mock.h"

/* Where a walk stands and what it has summed up; text is empty while all is
 * well. */
struct walk {
	const struct mock_host *host;
	const struct mock_guest *guest;
	uint32_t guest_id;
	uint32_t region;
	struct hv_gauges sum;      /* of this guest */
	uint64_t nr_queued[NR_MOCK_QUEUES]; /* regions of this guest */
	uint64_t used, huge;       /* of all guests */
	uint64_t pool_used, reserved;
	char *text;
	size_t text_size;
};

static void expect(struct walk *k, const char *what, uint64_t is,
		   uint64_t should_be)
{
	if (is == should_be || k->text[0])
		return;
	snprintf(k->text, k->text_size,
		 "guest %u region %u: %s is %llu, should be %llu", k->guest_id,
		 k->region, what, (unsigned long long)is,
		 (unsigned long long)should_be);
}

/* Of a huge page, while writes are logged. */
static void check_small_leaves(struct walk *k, bool mapped)
{
	uint64_t nr = 0;

	for (uint32_t w = 0; w < PAGE_WORDS; w++)
		nr += nr_bits(k->guest->log_ept[k->region][w]);
	expect(k, "small leaves of a huge page", nr != 0, mapped);
	k->sum.ept_4k_leaves += nr;
}

static void check_huge(struct walk *k)
{
	const unsigned int state = k->guest->state[k->region];

	expect(k, "record of a HUGE region", k->guest->slots[k->region], 0);
	expect(k, "size of a HUGE region",
	       region_pages(k->guest, k->region), HPAGE_PMD_NR);
	expect(k, "mapped bit of a HUGE region",
	       bitmap_test(k->guest->regions, k->region),
	       (state & (REGION_EPT | REGION_LAZY | REGION_OLD)) == REGION_EPT &&
		       !k->guest->strict && !k->guest->logging &&
		       (!k->guest->shrinks ||
			bitmap_count_range(k->guest->written[k->region], 0,
					   HPAGE_PMD_NR) == HPAGE_PMD_NR));
	k->nr_queued[QUEUE_UNDERUSED] += (state & REGION_QUEUED) != 0;
	if (k->guest->logging)
		check_small_leaves(k, state & REGION_EPT);
	k->sum.anon_huge_regions++;
	k->sum.rss_pages += HPAGE_PMD_NR;
	k->sum.ept_2m_leaves += (state & REGION_EPT) && !k->guest->logging;
	if (state & REGION_LAZY) {
		k->sum.lazy_pages += HPAGE_PMD_NR;
		k->nr_queued[QUEUE_LAZY]++;
	}
	k->used += HPAGE_PMD_NR;
	k->huge++;
}

/* One word of a record; counts of its bits are added to nr[4]. */
static void check_word(struct walk *k, const struct small_region *s,
		       uint32_t w, uint32_t nr[4])
{
	const uint64_t inside = page_mask(w, 0, region_pages(k->guest,
							      k->region));

	expect(k, "pages outside of the guest", s->present[w] & ~inside, 0);
	expect(k, "EPT leaves without page", s->ept[w] & ~s->present[w], 0);
	expect(k, "lazy without page", s->lazy[w] & ~s->present[w], 0);
	expect(k, "huge page's part without page",
	       s->thp[w] & ~s->present[w], 0);
	expect(k, "mapped bits",
	       k->guest->pages[k->guest->slots[k->region]][w],
	       k->guest->strict ? 0 : s->ept[w] & ~s->lazy[w] & ~s->old[w] &
	       (k->guest->logging ? k->guest->dirty[k->region][w] : UINT64_MAX));
	nr[0] += nr_bits(s->present[w]);
	nr[1] += nr_bits(s->lazy[w]);
	nr[2] += nr_bits(s->thp[w]);
	nr[3] += nr_bits(s->ept[w]);
}

static void check_record(struct walk *k, const struct small_region *s)
{
	uint32_t nr[4] = { 0 }; /* present, lazy, thp, ept */

	for (uint32_t w = 0; w < PAGE_WORDS; w++)
		check_word(k, s, w, nr);
	expect(k, "nr_present", s->nr_present, nr[0]);
	expect(k, "nr_lazy", s->nr_lazy, nr[1]);
	expect(k, "nr_thp", s->nr_thp, nr[2]);
	expect(k, "empty record", s->nr_present + s->nr_swapped == 0, false);
	expect(k, "partial huge page that is whole",
	       s->nr_thp == HPAGE_PMD_NR, false);
	k->sum.rss_pages += nr[0];
	k->sum.swapped_pages += s->nr_swapped;
	k->sum.lazy_pages += nr[1];
	k->sum.ept_4k_leaves += nr[3];
	k->nr_queued[QUEUE_LAZY] += nr[1] != 0;
	k->used += nr[0];
	if (nr[2]) {
		k->sum.partial_thps++;
		k->sum.partial_unmapped_pages += HPAGE_PMD_NR - nr[2];
		k->nr_queued[QUEUE_DEFERRED]++;
		k->used += HPAGE_PMD_NR - nr[2];
		k->huge++;
	}
}

/* A region of a page of hugetlbfs; the first of them stands for the page. */
static void check_pool_page(struct walk *k)
{
	const struct mock_guest *g = k->guest;
	const uint32_t nr = 1u << (g->hugetlb_order - HPAGE_PMD_ORDER);
	const uint32_t head = k->region & ~(nr - 1);
	const unsigned int state = g->state[head];
	const bool huge = (state & REGION_STATE) == REGION_HUGE;

	expect(k, "record of a page of hugetlbfs", g->slots[k->region], 0);
	expect(k, "mapped bit of hugetlbfs",
	       bitmap_test(g->regions, k->region), huge);
	if (k->region != head) {
		expect(k, "state inside of a page", g->state[k->region], 0);
		return;
	}
	expect(k, "state of a page of hugetlbfs", state & ~REGION_RESERVED,
	       huge ? REGION_HUGE | REGION_EPT : 0);
	expect(k, "reserved and there", huge && (state & REGION_RESERVED),
	       false);
	k->reserved += state & REGION_RESERVED ? nr * HPAGE_PMD_NR : 0;
	k->pool_used += huge ? nr * HPAGE_PMD_NR : 0;
	k->sum.hugetlb_pages += huge ? nr * HPAGE_PMD_NR : 0;
	k->sum.rss_pages += huge ? nr * HPAGE_PMD_NR : 0;
	k->sum.ept_1g_leaves += huge && nr > 1;
	k->sum.ept_2m_leaves += huge && nr == 1;
}

static void check_region(struct walk *k)
{
	const struct mock_guest *g = k->guest;
	const unsigned int state = g->state[k->region];

	if (g->hugetlb_order) {
		check_pool_page(k);
		return;
	}
	if (region_state(g, k->region) == REGION_HUGE) {
		check_huge(k);
		return;
	}
	if (g->logging)
		check_small_leaves(k, false);
	expect(k, "flags of a region that is not HUGE",
	       state & ~REGION_STATE, 0);
	expect(k, "mapped bit of a region that is not HUGE",
	       bitmap_test(g->regions, k->region), 0);
	if (region_state(g, k->region) == REGION_NONE) {
		expect(k, "record of a region in NONE", g->slots[k->region], 0);
		return;
	}
	k->sum.small_regions++;
	if (g->slots[k->region])
		check_record(k, small_of(g, k->region));
}

static void check_gauges(struct walk *k)
{
	const struct hv_gauges *g = &k->guest->gauges;

	expect(k, "rss_pages", g->rss_pages, k->sum.rss_pages);
	expect(k, "anon_huge_regions", g->anon_huge_regions,
	       k->sum.anon_huge_regions);
	expect(k, "small_regions", g->small_regions, k->sum.small_regions);
	expect(k, "lazy_pages", g->lazy_pages, k->sum.lazy_pages);
	expect(k, "partial_thps", g->partial_thps, k->sum.partial_thps);
	expect(k, "partial_unmapped_pages", g->partial_unmapped_pages,
	       k->sum.partial_unmapped_pages);
	expect(k, "hugetlb_pages", g->hugetlb_pages, k->sum.hugetlb_pages);
	expect(k, "ept_1g_leaves", g->ept_1g_leaves, k->sum.ept_1g_leaves);
	expect(k, "ept_2m_leaves", g->ept_2m_leaves, k->sum.ept_2m_leaves);
	expect(k, "ept_4k_leaves", g->ept_4k_leaves, k->sum.ept_4k_leaves);
	expect(k, "swapped_pages", g->swapped_pages, k->sum.swapped_pages);
}

/* Whether the region belongs on queue `id`. */
static bool wanted(const struct mock_guest *g, uint32_t region,
		   enum mock_queue_id id)
{
	const struct small_region *s;

	if (region >= g->nr_regions)
		return false;
	s = small_of(g, region);
	if (id == QUEUE_UNDERUSED)
		return g->state[region] & REGION_QUEUED;
	if (id == QUEUE_DEFERRED)
		return s->nr_thp;
	return s->nr_lazy || (g->state[region] & REGION_LAZY);
}

static void check_queue(struct walk *k, enum mock_queue_id id)
{
	const struct region_queue *q = &k->guest->queues[id];
	uint32_t nr = 0, region = q->head, prev = REGION_NIL;
	uint64_t since = 0;

	expect(k, "queue length", q->nr, k->nr_queued[id]);
	while (region != REGION_NIL && nr < q->nr && !k->text[0]) {
		const struct region_link *link;

		k->region = region;
		expect(k, "place on a queue", true,
		       wanted(k->guest, region, id));
		if (k->text[0])
			return;
		link = &k->guest->links[id][region];
		expect(k, "previous on the queue", link->prev, prev);
		expect(k, "order of the queue", link->since > since, true);
		since = link->since;
		prev = region;
		region = link->next;
		nr++;
	}
	expect(k, "last on the queue", q->tail, prev);
	expect(k, "end of the queue", region, REGION_NIL);
}

static void check_host(struct walk *k)
{
	const struct mock_host *h = k->host;

	expect(k, "used_pages", h->used_pages, k->used);
	expect(k, "huge_held", h->huge_held, k->huge);
	expect(k, "huge pages above the limit", h->huge_held > h->huge_limit,
	       false);
	expect(k, "memory exceeded",
	       h->used_pages + h->base_pages + h->cache_pages + h->pool_pages >
		       h->total_pages, false);
	expect(k, "pool", h->pool_free + k->pool_used, h->pool_pages);
	expect(k, "pool_reserved", h->pool_reserved, k->reserved);
	expect(k, "reserved but not there", h->pool_reserved > h->pool_free,
	       false);
	expect(k, "pages cleared, copied and read",
	       h->zeroed_pages + h->copied_pages + h->read_pages,
	       h->taken_pages);
	expect(k, "taken - freed", h->taken_pages - h->freed_pages,
	       h->used_pages + k->pool_used);
}

static void check_swap(struct walk *k)
{
	uint64_t is, should_be;
	const char *what = swap_check(k->host, &k->guest_id, &is, &should_be);

	k->region = 0;
	if (what)
		expect(k, what, is, should_be);
}

static void check_guest(struct walk *k)
{
	memset(&k->sum, 0, sizeof(k->sum));
	memset(k->nr_queued, 0, sizeof(k->nr_queued));
	for (k->region = 0; k->region < k->guest->nr_regions; k->region++)
		check_region(k);
	check_gauges(k);
	for (unsigned int id = 0; id < NR_MOCK_QUEUES; id++)
		check_queue(k, (enum mock_queue_id)id);
}

const char *mock_check(const struct hypervisor *hv)
{
	static _Thread_local char text[128];
	struct walk k = { .host = hv->state, .text = text,
			  .text_size = sizeof(text) };

	text[0] = '\0';
	for (k.guest_id = 0; k.guest_id < k.host->nr_ids; k.guest_id++) {
		k.guest = &k.host->guests[k.guest_id];
		if (k.guest->nr_pages)
			check_guest(&k);
	}
	check_host(&k);
	check_swap(&k);
	return text[0] ? text : NULL;
}
