/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hugetlbfs of the naive host, pages of 2 MiB; written from
 * docs/host-model.md. */
#include "tests/hypervisor/naive_internal.h"

#include <errno.h>

/* Pages of the pool, in 4 KiB pages, that are in use or spoken for. */
static uint64_t in_use(const struct naive_host *h, bool spoken_for)
{
	uint64_t nr = 0;

	for (uint32_t g = 0; g < NAIVE_GUESTS; g++)
		for (uint32_t i = 0; i < NAIVE_REGIONS; i++) {
			const struct naive_region *r = &h->region[g][i];

			nr += r->pool_page || (spoken_for && r->reserved);
		}
	return nr * HPAGE_PMD_NR;
}

uint64_t naive_pool_free(const struct naive_host *h)
{
	return h->pool - in_use(h, false);
}

int naive_replace_hugetlb(struct naive_host *h, uint32_t guest, pfn_t nr_pages)
{
	const uint64_t free_pages = h->pool - in_use(h, true);
	uint64_t missing;

	missing = nr_pages > free_pages ? nr_pages - free_pages : 0;
	if (missing && (h->config.fixed_pool ||
			missing > naive_free(h)))
		return -ENOMEM;
	h->pool += missing;
	h->nr_pages[guest] = nr_pages;
	h->hugetlb[guest] = true;
	for (uint32_t i = 0; i < nr_pages / HPAGE_PMD_NR; i++)
		h->region[guest][i].reserved = true;
	return 0;
}

int naive_touch_hugetlb(struct naive_host *h, struct naive_region *r,
			struct hv_events *ev)
{
	if (r->pool_page)
		return 0;
	if (!r->reserved && h->pool - in_use(h, true) < HPAGE_PMD_NR) {
		ev->host_oom++;
		return -ENOMEM;
	}
	r->reserved = false;
	r->pool_page = true;
	ev->zeroed_pages += HPAGE_PMD_NR;
	ev->hugetlb_alloc++;
	ev->ept_violation[HV_VIOLATION_ZERO][HV_LEVEL_2M]++;
	return 0;
}

bool naive_punch(struct naive_host *h, uint32_t guest, pfn_t pfn,
		 unsigned int order, struct hv_events *ev)
{
	bool flush = false;

	if (order < HPAGE_PMD_ORDER || h->config.page_by_page) {
		ev->discard_ignored++;
		ev->discard_partial++;
		return false;
	}
	ev->discards[HV_DONTNEED][order]++;
	ev->discard_calls++;
	for (uint32_t i = 0; i < order_nr_pages(order); i += HPAGE_PMD_NR) {
		struct naive_region *r = &h->region[guest][pfn_region(pfn + i)];

		if (!r->pool_page) {
			ev->discard_unbacked_pages += HPAGE_PMD_NR;
			continue;
		}
		r->pool_page = false;
		flush = true;
		ev->discard_backed_pages += HPAGE_PMD_NR;
		ev->rss_reclaimed_pages += HPAGE_PMD_NR;
		ev->hugetlb_free++;
		ev->zap_pmd++;
		ev->ept_zap[HV_LEVEL_2M]++;
	}
	ev->tlb_flush_rounds += flush;
	return true;
}
