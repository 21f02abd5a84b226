/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Guest memory from hugetlbfs: pages of 2 MiB or 1 GiB from a pool that nobody
 * else gets. Models hugetlb_reserve_pages(), hugetlb_no_page(),
 * alloc_huge_page() and hugetlbfs_punch_hole() of 5.6 for a shared mapping, as
 * QEMU makes it with share=on.
 *
 * A mapping reserves its pages when it is made; a fault takes a page and clears
 * it as a whole. No page of the pool is split, swapped or lazily freed. A
 * discard punches a hole: whole pages go back to the pool, and their
 * reservation with them, so that another guest can have them; a part of a page
 * cannot be given back. The state byte of a page's first region stands for all
 * of it.
 *
 * Left out: surplus pages, pools per node, dissolving of pages, page tables
 * shared between processes.
 */
#include <errno.h>

#include "hypervisor/mock.h"
#include "include/check.h"

/* The first region of page i of the guest. */
static struct region_ref page_ref(struct mock_host *h, struct mock_guest *g,
				  uint32_t i, struct hv_events *ev)
{
	return (struct region_ref){
		.host = h, .guest = g, .ev = ev,
		.region = i << (g->hugetlb_order - HPAGE_PMD_ORDER)
	};
}

static enum hv_level leaf_level(const struct mock_guest *g)
{
	return g->hugetlb_order > HPAGE_PMD_ORDER ? HV_LEVEL_1G : HV_LEVEL_2M;
}

/* Leaf and callers' bits come and go together. */
static void set_leaf(const struct region_ref *r, bool on)
{
	struct mock_guest *g = r->guest;
	const uint32_t nr = 1u << (g->hugetlb_order - HPAGE_PMD_ORDER);
	uint64_t *leaves = leaf_level(g) == HV_LEVEL_1G ?
				   &g->gauges.ept_1g_leaves :
				   &g->gauges.ept_2m_leaves;

	*leaves += on ? 1 : UINT64_MAX;
	for (uint32_t i = r->region; i < r->region + nr; i++) {
		if (on)
			bitmap_set(g->regions, i);
		else
			bitmap_clear(g->regions, i);
	}
}

/* hugetlb_acct_memory(), 5.6: the pool grows for it only without an option. */
int hugetlb_guest_add(struct mock_host *h, struct mock_guest *g,
		      unsigned int order)
{
	const uint64_t available = h->pool_free - h->pool_reserved;
	const uint64_t missing = g->nr_pages > available ?
					 g->nr_pages - available : 0;

	if (missing && (h->opt->hugetlb_pool.value ||
			missing > host_free_pages(h)))
		return -ENOMEM;
	h->pool_pages += missing;
	h->pool_free += missing;
	h->pool_reserved += g->nr_pages;
	g->hugetlb_order = order;
	for (uint32_t i = 0; i < g->nr_pages >> order; i++)
		g->state[page_ref(h, g, i, NULL).region] = REGION_RESERVED;
	return 0;
}

static bool take_page(const struct region_ref *r)
{
	struct mock_host *h = r->host;
	const uint32_t nr = order_nr_pages(r->guest->hugetlb_order);
	uint8_t *state = &r->guest->state[r->region];

	if (*state & REGION_RESERVED)
		h->pool_reserved -= nr;
	else if (h->pool_free - h->pool_reserved < nr)
		return false;
	h->pool_free -= nr;
	h->taken_pages += nr;
	h->zeroed_pages += nr;
	*state = REGION_HUGE | REGION_EPT;
	r->guest->gauges.rss_pages += nr;
	r->guest->gauges.hugetlb_pages += nr;
	r->ev->zeroed_pages += nr;
	r->ev->hugetlb_alloc++;
	r->ev->ept_violation[HV_VIOLATION_ZERO][leaf_level(r->guest)]++;
	set_leaf(r, true);
	return true;
}

int hugetlb_access(struct mock_host *h, struct mock_guest *g, pfn_t pfn,
		   uint32_t nr_pages, struct hv_events *ev)
{
	const uint32_t last = (pfn + nr_pages - 1) >> g->hugetlb_order;

	for (uint32_t i = pfn >> g->hugetlb_order; i <= last; i++) {
		const struct region_ref r = page_ref(h, g, i, ev);

		if (region_state(g, r.region) == REGION_HUGE || take_page(&r))
			continue;
		ev->host_oom++;
		return -ENOMEM;
	}
	return 0;
}

static void put_page(const struct region_ref *r)
{
	struct mock_host *h = r->host;
	const uint32_t nr = order_nr_pages(r->guest->hugetlb_order);

	r->guest->state[r->region] = REGION_NONE;
	h->pool_free += nr;
	h->freed_pages += nr;
	r->guest->gauges.rss_pages -= nr;
	r->guest->gauges.hugetlb_pages -= nr;
	r->ev->rss_reclaimed_pages += nr;
	r->ev->hugetlb_free++;
	r->ev->zap_pmd++;
	r->ev->ept_zap[leaf_level(r->guest)]++;
	set_leaf(r, false);
}

/* A range of whole pages, one call; what is reserved is given up, too. */
bool hugetlb_discard(struct mock_host *h, struct mock_guest *g, pfn_t pfn,
		     unsigned int order, struct hv_events *ev)
{
	const uint32_t nr = order_nr_pages(g->hugetlb_order);
	const pfn_t end = pfn + order_nr_pages(order);
	bool flush = false;

	if (order < g->hugetlb_order || h->opt->granularity == DISCARD_PER_4K) {
		ev->discard_ignored++;
		ev->discard_partial++;
		return false;
	}
	ev->discards[HV_DONTNEED][order]++;
	ev->discard_calls++;
	for (; pfn < end; pfn += nr) {
		const struct region_ref r =
			page_ref(h, g, pfn >> g->hugetlb_order, ev);

		if (region_state(g, r.region) == REGION_HUGE) {
			put_page(&r);
			ev->discard_backed_pages += nr;
			flush = true;
		} else {
			ev->discard_unbacked_pages += nr;
		}
	}
	ev->tlb_flush_rounds += flush;
	return true;
}

void hugetlb_guest_remove(struct mock_host *h, struct mock_guest *g)
{
	struct hv_events unused = { 0 };

	for (uint32_t i = 0; i < g->nr_pages >> g->hugetlb_order; i++) {
		const struct region_ref r = page_ref(h, g, i, &unused);

		if (region_state(g, r.region) == REGION_HUGE)
			put_page(&r);
		else if (g->state[r.region] & REGION_RESERVED)
			h->pool_reserved -= order_nr_pages(g->hugetlb_order);
	}
}
