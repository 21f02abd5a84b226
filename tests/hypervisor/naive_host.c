/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See naive_host.h. Written from docs/host-model.md, not from the mock. */
#include "tests/hypervisor/naive_internal.h"

#include <errno.h>
#include <string.h>

/* ---- counting ---- */

uint32_t naive_present(const struct naive_region *r)
{
	uint32_t nr = 0;

	for (uint32_t i = 0; i < HPAGE_PMD_NR; i++)
		nr += r->page[i].present;
	return nr;
}

uint32_t naive_lazy(const struct naive_region *r)
{
	uint32_t nr = 0;

	for (uint32_t i = 0; i < HPAGE_PMD_NR; i++)
		nr += r->page[i].lazy;
	return nr;
}

/* Pages of the region's huge page that are mapped. */
static uint32_t thp_pages(const struct naive_region *r)
{
	uint32_t nr = 0;

	for (uint32_t i = 0; i < HPAGE_PMD_NR; i++)
		nr += r->page[i].thp;
	return nr;
}

/* Pages held for a huge page but mapped nowhere. */
uint32_t naive_held(const struct naive_region *r)
{
	return r->thp_exists ? HPAGE_PMD_NR - thp_pages(r) : 0;
}

uint64_t naive_free(const struct naive_host *h)
{
	uint64_t used = h->config.base_pages + h->cache_pages +
			h->pool;

	for (uint32_t g = 0; g < NAIVE_GUESTS; g++) {
		for (uint32_t i = 0; i < NAIVE_REGIONS; i++)
			used += naive_present(&h->region[g][i]) +
				naive_held(&h->region[g][i]);
	}
	return h->config.total_pages - used;
}

uint64_t naive_huge_pages(const struct naive_host *h)
{
	uint64_t nr = 0;

	for (uint32_t g = 0; g < NAIVE_GUESTS; g++) {
		for (uint32_t i = 0; i < NAIVE_REGIONS; i++)
			nr += h->region[g][i].thp_exists;
	}
	return nr;
}

/* ---- changes ---- */

void naive_drop_leaf(struct naive_region *r, uint32_t i, struct hv_events *ev)
{
	ev->ept_zap[HV_LEVEL_4K] += r->page[i].ept;
	r->page[i].ept = false;
}

bool naive_huge_leaf(const struct naive_region *r)
{
	bool any = r->pmd_ept;

	for (uint32_t i = 0; i < HPAGE_PMD_NR; i++)
		any |= r->page[i].ept;
	return any;
}

bool naive_drop_huge_leaf(struct naive_region *r, struct hv_events *ev)
{
	const bool any = naive_huge_leaf(r);

	ev->ept_zap[HV_LEVEL_2M] += r->pmd_ept;
	r->pmd_ept = false;
	for (uint32_t i = 0; i < HPAGE_PMD_NR; i++)
		naive_drop_leaf(r, i, ev);
	return any;
}

void naive_restamp(struct naive_host *h, struct naive_region *r,
		   struct hv_events *ev)
{
	const bool partial = r->thp_exists && !r->pmd;

	if (!r->pmd)
		r->new_since = 0;
	if (!naive_lazy(r))
		r->lazy_since = 0;
	else if (!r->lazy_since)
		r->lazy_since = ++h->clock;
	if (!partial) {
		r->split_since = 0;
	} else if (!r->split_since) {
		r->split_since = ++h->clock;
		ev->thp_deferred_split_page++;
	}
}

/* One page out of the mapping; the huge page goes with its last page. */
void naive_unmap_page(struct naive_region *r, uint32_t i,
		       struct hv_events *ev)
{
	const bool thp = r->page[i].thp;

	naive_drop_leaf(r, i, ev);
	r->page[i] = (struct naive_page){ 0 };
	ev->rss_reclaimed_pages++;
	if (!thp) {
		ev->phys_reclaimed_pages++;
	} else if (!thp_pages(r)) {
		r->thp_exists = false;
		ev->phys_reclaimed_pages += HPAGE_PMD_NR;
	}
}

/* The whole huge mapping and its page. */
void naive_unmap_huge(struct naive_region *r, struct hv_events *ev)
{
	naive_drop_huge_leaf(r, ev);
	memset(r, 0, sizeof(*r));
	ev->rss_reclaimed_pages += HPAGE_PMD_NR;
	ev->phys_reclaimed_pages += HPAGE_PMD_NR;
}

void naive_split_mapping(struct naive_region *r, enum hv_split_cause cause,
			  struct hv_events *ev)
{
	naive_drop_huge_leaf(r, ev);
	r->pmd = false;
	r->table = true;
	ev->thp_split_pmd++;
	ev->thp_split_pmd_by[cause]++;
}

bool naive_thp_lazy(const struct naive_region *r)
{
	for (uint32_t i = 0; i < HPAGE_PMD_NR; i++) {
		if (r->page[i].thp && !r->page[i].lazy)
			return false;
	}
	return true;
}

void naive_split_page(struct naive_region *r, enum hv_split_cause cause,
		       struct hv_events *ev)
{
	const bool lazy = naive_thp_lazy(r);

	ev->phys_reclaimed_pages += naive_held(r);
	ev->thp_split_page++;
	ev->thp_split_page_by[cause]++;
	r->thp_exists = false;
	for (uint32_t i = 0; i < HPAGE_PMD_NR; i++) {
		if (r->page[i].thp) {
			naive_drop_leaf(r, i, ev);
			r->page[i].lazy = r->page[i].lazy && lazy;
		}
		r->page[i].thp = false;
	}
}

/* ---- accesses ---- */

static bool get_huge(struct naive_host *h, uint32_t guest,
		     struct hv_events *ev)
{
	const bool direct = h->config.direct;
	const int g = (int)guest;

	if (naive_room(h, -1, h->config.min_pages) < HPAGE_PMD_NR &&
	    !(direct && naive_make_room(h, -1, HPAGE_PMD_NR, false, ev)))
		return false;
	if (naive_huge_pages(h) >= h->config.huge_limit)
		return false;
	if (naive_room(h, g, 0) < HPAGE_PMD_NR &&
	    !(direct && naive_make_room(h, g, HPAGE_PMD_NR, false, ev))) {
		ev->thp_fault_fallback_charge++;
		return false;
	}
	return true;
}

static void fault_huge(struct naive_host *h, uint32_t guest,
		       struct naive_region *r, uint32_t page,
		       struct hv_events *ev)
{
	r->pmd = r->thp_exists = true;
	r->pmd_ept = !h->logging[guest];
	for (uint32_t i = 0; i < HPAGE_PMD_NR; i++)
		r->page[i] = (struct naive_page){ .present = true,
						  .thp = true };
	r->page[page].ept = h->logging[guest];
	if (h->config.shrink)
		r->new_since = ++h->clock;
	naive_renew(h, r, 0);
	ev->zeroed_pages += HPAGE_PMD_NR;
	ev->thp_fault_alloc++;
	ev->ept_violation[HV_VIOLATION_ZERO][h->logging[guest] ?
					     HV_LEVEL_4K : HV_LEVEL_2M]++;
}

static void touch_huge(struct naive_region *r, uint32_t page, bool logging,
		       bool write, struct hv_events *ev)
{
	const bool lazy = naive_lazy(r);
	const enum hv_level level = logging ? HV_LEVEL_4K : HV_LEVEL_2M;
	bool *leaf = logging ? &r->page[page].ept : &r->pmd_ept;

	if (!*leaf) {
		if (write && lazy)
			ev->ept_violation[HV_VIOLATION_LAZY][level]++;
		else
			ev->ept_violation[HV_VIOLATION_REMAP][level]++;
	}
	*leaf = true;
	for (uint32_t i = 0; i < HPAGE_PMD_NR; i++)
		r->page[i].old = false;
	if (!write || !lazy)
		return;
	ev->lazy_reused_pages += HPAGE_PMD_NR;
	for (uint32_t i = 0; i < HPAGE_PMD_NR; i++)
		r->page[i].lazy = false;
}

static int new_page(struct naive_host *h, uint32_t guest,
		    struct naive_region *r, uint32_t i, struct hv_events *ev)
{
	struct naive_page *p = &r->page[i];
	bool swapped;

	if (!naive_make_room(h, -1, 1, true, ev)) {
		ev->host_oom++;
		return -ENOMEM;
	}
	if (!naive_make_room(h, (int)guest, 1, true, ev)) {
		ev->memcg_oom++;
		return -EDQUOT;
	}
	swapped = naive_drop_swapped(h, p);
	*p = (struct naive_page){ .present = true, .ept = true };
	naive_renew(h, r, i);
	ev->pswpin += swapped;
	ev->zeroed_pages += !swapped;
	ev->ept_violation[swapped ? HV_VIOLATION_SWAP_IN : HV_VIOLATION_ZERO]
			 [HV_LEVEL_4K]++;
	return 0;
}

static int touch_small(struct naive_host *h, uint32_t guest,
		       struct naive_region *r, uint32_t i, bool write,
		       struct hv_events *ev)
{
	struct naive_page *p = &r->page[i];

	if (!p->present)
		return new_page(h, guest, r, i, ev);
	p->old = false;
	if (h->config.strict)
		naive_renew(h, r, i);
	if (!p->ept) {
		if (write && p->lazy)
			ev->ept_violation[HV_VIOLATION_LAZY][HV_LEVEL_4K]++;
		else
			ev->ept_violation[HV_VIOLATION_REMAP][HV_LEVEL_4K]++;
	}
	p->ept = true;
	if (write && p->lazy) {
		p->lazy = false;
		ev->lazy_reused_pages++;
	}
	return 0;
}

static void note_write(struct naive_host *h, uint32_t guest, pfn_t pfn,
		       bool write, struct hv_events *ev)
{
	struct naive_region *r = &h->region[guest][pfn_region(pfn)];

	if (write && r->pmd)
		r->page[pfn % HPAGE_PMD_NR].written = true;
	if (!write || !h->logging[guest])
		return;
	ev->dirty_logged_pages += !h->dirty[guest][pfn];
	h->dirty[guest][pfn] = true;
}

uint64_t naive_dirty_log(struct naive_host *h, uint32_t guest, bool on,
			 struct hv_events *ev)
{
	bool flush = false;
	uint64_t nr = 0;

	if (h->hugetlb[guest])
		return 0;
	for (uint32_t i = 0; i < NAIVE_PAGES; i++) {
		nr += h->dirty[guest][i];
		h->dirty[guest][i] = false;
	}
	for (uint32_t i = 0; i < NAIVE_REGIONS; i++) {
		if (h->region[guest][i].pmd && on != h->logging[guest])
			flush |= naive_drop_huge_leaf(&h->region[guest][i], ev);
	}
	ev->tlb_flush_rounds += flush || nr;
	h->logging[guest] = on;
	return nr;
}

static int touch_page(struct naive_host *h, uint32_t guest, pfn_t pfn,
		      bool write, struct hv_events *ev)
{
	struct naive_region *r = &h->region[guest][pfn_region(pfn)];
	const bool whole = (pfn_region(pfn) + 1) * HPAGE_PMD_NR <=
			   h->nr_pages[guest];
	int err = 0;

	if (h->hugetlb[guest])
		return naive_touch_hugetlb(h, r, ev);
	if (!r->table && !r->pmd) {
		if (h->config.thp && whole && get_huge(h, guest, ev)) {
			fault_huge(h, guest, r, pfn % HPAGE_PMD_NR, ev);
			note_write(h, guest, pfn, write, ev);
			return 0;
		}
		ev->thp_fault_fallback += h->config.thp && whole;
		r->table = true;
	}
	if (r->pmd && h->config.strict)
		naive_renew(h, r, 0);
	if (r->pmd)
		touch_huge(r, pfn % HPAGE_PMD_NR, h->logging[guest], write, ev);
	else
		err = touch_small(h, guest, r, pfn % HPAGE_PMD_NR, write, ev);
	naive_restamp(h, r, ev);
	if (!err)
		note_write(h, guest, pfn, write, ev);
	return err;
}

int naive_access(struct naive_host *h, uint32_t guest, pfn_t pfn,
		 unsigned int order, enum hv_access kind, struct hv_events *ev)
{
	int err = 0;

	for (uint32_t i = 0; !err && i < order_nr_pages(order); i++)
		err = touch_page(h, guest, pfn + i, kind != HV_ACCESS_READ,
				 ev);
	return err;
}

/* ---- discards ---- */

static bool dontneed(struct naive_host *h, struct naive_region *r,
		     uint32_t first, uint32_t nr, struct hv_events *ev)
{
	bool flush = false;

	if (r->pmd && nr == HPAGE_PMD_NR) {
		ev->zap_pmd++;
		naive_unmap_huge(r, ev);
		return true;
	}
	if (r->pmd)
		naive_split_mapping(r, HV_SPLIT_DISCARD, ev);
	for (uint32_t i = first; i < first + nr; i++) {
		naive_drop_swapped(h, &r->page[i]);
		if (!r->page[i].present)
			continue;
		ev->zap_pte++;
		naive_unmap_page(r, i, ev);
		flush = true;
	}
	if (nr == HPAGE_PMD_NR && h->config.free_tables)
		r->table = false;
	return flush;
}

static bool lazyfree(struct naive_host *h, struct naive_region *r,
		     uint32_t first, uint32_t nr, struct hv_events *ev)
{
	bool flush = false;

	if (r->pmd && nr == HPAGE_PMD_NR) {
		flush = naive_drop_huge_leaf(r, ev);
	} else if (r->pmd) {
		naive_split_mapping(r, HV_SPLIT_LAZY_FREE, ev);
	}
	for (uint32_t i = first; !r->pmd && i < first + nr; i++) {
		if (!r->page[i].thp)
			continue;
		naive_split_page(r, HV_SPLIT_LAZY_FREE, ev);
		flush = true;
		break;
	}
	for (uint32_t i = first; i < first + nr; i++) {
		naive_drop_swapped(h, &r->page[i]);
		if (!r->page[i].present)
			continue;
		flush |= !r->page[i].lazy || r->page[i].ept;
		ev->pglazyfree += !r->page[i].lazy;
		naive_drop_leaf(r, i, ev);
		r->page[i].lazy = true;
	}
	return flush;
}

static void advise(struct naive_host *h, uint32_t guest, pfn_t pfn,
		   uint32_t nr, bool lazy, struct hv_events *ev)
{
	bool flush = false;

	ev->discard_calls++;
	while (nr) {
		struct naive_region *r = &h->region[guest][pfn_region(pfn)];
		const uint32_t first = pfn % HPAGE_PMD_NR;
		const uint32_t n = nr > HPAGE_PMD_NR ? HPAGE_PMD_NR : nr;

		for (uint32_t i = first; i < first + n; i++) {
			ev->discard_backed_pages += r->page[i].present;
			ev->discard_swapped_pages += r->page[i].swapped;
			ev->discard_unbacked_pages += !r->page[i].present &&
						      !r->page[i].swapped;
		}
		flush |= lazy ? lazyfree(h, r, first, n, ev) :
				dontneed(h, r, first, n, ev);
		naive_restamp(h, r, ev);
		pfn += n;
		nr -= n;
	}
	ev->tlb_flush_rounds += flush;
}

bool naive_discard(struct naive_host *h, uint32_t guest, pfn_t pfn,
		   unsigned int order, enum hv_origin origin,
		   struct hv_events *ev)
{
	const bool lazy = origin == HV_ORIGIN_REPORT && h->config.lazy_reports;
	const uint32_t nr = order_nr_pages(order);

	if (pfn + nr > h->nr_pages[guest]) {
		ev->discard_ignored++;
		return false;
	}
	if (h->hugetlb[guest])
		return naive_punch(h, guest, pfn, order, ev);
	ev->discards[lazy ? HV_FREE : HV_DONTNEED][order]++;
	for (uint32_t i = 0; i < nr; i += h->config.page_by_page ? 1 : nr)
		advise(h, guest, pfn + i, h->config.page_by_page ? 1 : nr,
		       lazy, ev);
	return !lazy;
}

/* ---- reading back ---- */

bool naive_mapped(const struct naive_host *h, uint32_t guest, pfn_t pfn)
{
	const struct naive_region *r = &h->region[guest][pfn_region(pfn)];
	const struct naive_page *p = &r->page[pfn % HPAGE_PMD_NR];

	if (r->pool_page)
		return true;
	for (uint32_t i = 0; h->config.shrink && r->pmd && i < HPAGE_PMD_NR;
	     i++)
		if (!r->page[i].written)
			return false;
	if (h->logging[guest] && (r->pmd || !h->dirty[guest][pfn]))
		return false;
	return p->present && !p->lazy && !p->old && !h->config.strict &&
	       (r->pmd ? r->pmd_ept : p->ept);
}

void naive_gauges(const struct naive_host *h, uint32_t guest,
		  struct hv_gauges *out)
{
	*out = (struct hv_gauges){ .host_total_pages = h->config.total_pages,
				   .host_base_pages = h->config.base_pages,
				   .host_cache_pages = h->cache_pages,
				   .host_free_pages = naive_free(h),
				   .host_pool_pages = h->pool,
				   .host_pool_free_pages = naive_pool_free(h),
				   .host_swap_total_pages = h->config.slots,
				   .host_swap_free_pages =
					   h->config.slots - naive_swap_used(h) };
	for (uint32_t i = 0; i < NAIVE_REGIONS; i++) {
		const struct naive_region *r = &h->region[guest][i];

		out->rss_pages += naive_present(r) +
				  (r->pool_page ? HPAGE_PMD_NR : 0);
		out->anon_huge_regions += r->pmd;
		out->small_regions += r->table;
		out->lazy_pages += naive_lazy(r);
		out->partial_thps += r->thp_exists && !r->pmd;
		out->partial_unmapped_pages += naive_held(r);
		out->ept_2m_leaves += r->pmd_ept || r->pool_page;
		out->hugetlb_pages += r->pool_page ? HPAGE_PMD_NR : 0;
		for (uint32_t p = 0; p < HPAGE_PMD_NR; p++) {
			out->ept_4k_leaves += r->page[p].ept;
			out->swapped_pages += r->page[p].swapped;
		}
	}
}

void naive_replace(struct naive_host *h, uint32_t guest, pfn_t nr_pages)
{
	for (uint32_t i = 0; i < NAIVE_PAGES; i++)
		naive_drop_swapped(h, &h->region[guest][pfn_region(i)]
				       .page[i % HPAGE_PMD_NR]);
	memset(h->region[guest], 0, sizeof(h->region[guest]));
	h->nr_pages[guest] = nr_pages;
	h->hugetlb[guest] = h->logging[guest] = false;
	memset(h->dirty[guest], 0, sizeof(h->dirty[guest]));
	/* khugepaged goes on behind it, where a later guest has its turn. */
	if (h->scanning && h->scan_guest == guest) {
		h->scan_region = 0;
		if (++h->scan_guest == NAIVE_GUESTS)
			h->scanning = false;
	}
}
