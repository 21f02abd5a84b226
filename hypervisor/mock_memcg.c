/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The memory cgroup of a guest's VMM and its limit (`memcg_limit`): what
 * try_charge() and mem_cgroup_oom() make of a page too many (5.6). Charged is
 * what the guest holds, the unmapped part of its partial huge pages included;
 * pages in swap are not, nor those of hugetlbfs.
 *
 * Simplified: charges are exact, not in batches of a CPU's stock; there is no
 * memory.high or memory.low; swap is not limited. What happens to a guest that
 * can charge nothing more is for the caller to decide.
 */
#include "hypervisor/mock.h"

uint64_t memcg_charged(const struct mock_guest *g)
{
	return g->gauges.rss_pages - g->gauges.hugetlb_pages +
	       g->gauges.partial_unmapped_pages;
}

uint64_t memcg_room(const struct mock_host *h, const struct mock_guest *g)
{
	const uint64_t charged = memcg_charged(g);

	if (!h->memcg_pages)
		return UINT64_MAX;
	return charged < h->memcg_pages ? h->memcg_pages - charged : 0;
}

bool memcg_make_room(const struct region_ref *r, uint64_t nr_pages,
		     bool may_swap)
{
	if (memcg_room(r->host, r->guest) >= nr_pages)
		return true;
	r->ev->memcg_max++;
	return reclaim_direct(r->host, r->guest_id, nr_pages, may_swap, r->ev);
}
