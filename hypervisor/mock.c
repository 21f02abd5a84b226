/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The mock host: guest memory as one private anonymous mapping per guest on a
 * Linux host with transparent huge pages, and a KVM that maps what the host
 * has mapped. This file has its options, its guests and its gauges; the model
 * is in the other files mock_*.c and in docs/host-model.md.
 *
 * Left out: NUMA, KSM, file-backed guest memory, and the memory
 * that page tables take.
 */
#include <errno.h>
#include <stdio.h>

#include "hypervisor/mock.h"
#include "include/check.h"
#include "include/sparse.h"

static const char *const discard_names[] = { "dontneed", "free", NULL };
static const char *const granularity_names[] = { "range", "page", NULL };
static const char *const thp_names[] = { "always", "madvise", "never", NULL };
static const char *const lazy_drop_names[] = { "split", "whole", NULL };
static const char *const lru_names[] = { "strict", "sampled", NULL };

#define SWAP_MAX (UINT64_C(8) << 40)

#define OPTION(field) offsetof(struct mock_options, field)
#define DAY_NS (UINT64_C(86400) * NSEC_PER_SEC)

static const struct option_desc mock_option_descs[] = {
	{ .name = "memory", .type = OPTION_SIZE, .offset = OPTION(memory),
	  .min = 4096, .def = "126G", .unit = "bytes",
	  .help = "Memory of the host." },
	{ .name = "base", .type = OPTION_SIZE, .offset = OPTION(base),
	  .def = "1G", .unit = "bytes",
	  .help = "Part of it that guests cannot have: host kernel, VMMs and "
		  "other programs." },
	{ .name = "cache", .type = OPTION_SIZE, .offset = OPTION(cache),
	  .def = "0", .unit = "bytes",
	  .help = "Beside base: page cache of the host, which it drops when "
		  "memory is short." },
	{ .name = "watermark_min", .type = OPTION_SIZE,
	  .offset = OPTION(watermark_min), .def = "0", .unit = "bytes",
	  .help = "An allocation that would leave less free has to reclaim." },
	{ .name = "watermark_low", .type = OPTION_SIZE,
	  .offset = OPTION(watermark_low), .def = "0", .unit = "bytes",
	  .help = "An allocation that leaves less free wakes the host's kswapd." },
	{ .name = "watermark_high", .type = OPTION_SIZE,
	  .offset = OPTION(watermark_high), .def = "0", .unit = "bytes",
	  .help = "kswapd of the host reclaims until so much is free." },
	{ .name = "memcg_limit", .type = OPTION_SIZE,
	  .offset = OPTION(memcg_limit), .def = "0", .unit = "bytes",
	  .help = "memory.max of each guest's VMM; 0 = none." },
	{ .name = "swap", .type = OPTION_SIZE, .offset = OPTION(swap),
	  .max = SWAP_MAX, .def = "0", .unit = "bytes",
	  .help = "Swap of the host; 0 = none." },
	{ .name = "lru", .type = OPTION_NAME, .offset = OPTION(lru),
	  .names = lru_names, .def = "sampled", .unit = "",
	  .help = "What is swapped out: strict is the page whose last access is "
		  "longest ago, sampled is what accessed bits tell, as in Linux." },
	{ .name = "thp_swap", .type = OPTION_BOOL, .offset = OPTION(thp_swap),
	  .def = "off", .unit = "",
	  .help = "Huge pages are swapped out whole while 2 MiB of swap in a "
		  "row is free (CONFIG_THP_SWAP, Linux 4.13); off splits them." },
	{ .name = "discard", .type = OPTION_NAME, .offset = OPTION(discard),
	  .names = discard_names, .def = "dontneed", .unit = "",
	  .help = "Advice for reported blocks; balloon pages always get "
		  "dontneed." },
	{ .name = "discard_granularity", .type = OPTION_NAME,
	  .offset = OPTION(granularity), .names = granularity_names,
	  .def = "range", .unit = "",
	  .help = "One madvise call per reported block, or one per 4 KiB "
		  "page." },
	{ .name = "thp", .type = OPTION_NAME, .offset = OPTION(thp),
	  .names = thp_names, .def = "always", .unit = "",
	  .help = "Transparent huge pages of the host." },
	{ .name = "madv_hugepage", .type = OPTION_BOOL,
	  .offset = OPTION(madv_hugepage), .def = "on", .unit = "",
	  .help = "The VMM advises huge pages for guest memory; a fault then "
		  "reclaims for one." },
	{ .name = "huge_pages", .type = OPTION_SHARE,
	  .offset = OPTION(huge_pages), .def = "100%", .unit = "bytes",
	  .help = "Part of the guests' memory that the host has unfragmented: "
		  "the most that huge pages can take." },
	{ .name = "lazy_drop", .type = OPTION_NAME,
	  .offset = OPTION(lazy_drop), .names = lazy_drop_names,
	  .def = "split", .unit = "",
	  .help = "How reclaim drops a lazy huge page: after splitting its "
		  "mapping, or as a whole (Linux 6.11 and later)." },
	{ .name = "free_empty_tables", .type = OPTION_BOOL,
	  .offset = OPTION(free_empty_tables), .def = "off", .unit = "",
	  .help = "A dontneed of a whole region frees its page table (Linux "
		  "6.14 and later), so that it can fault huge again." },
	{ .name = "shrink_underused", .type = OPTION_BOOL,
	  .offset = OPTION(shrink_underused), .def = "off", .unit = "",
	  .help = "Reclaim splits huge pages with more than "
		  "khugepaged_max_ptes_none pages of zeroes (Linux 6.12 and "
		  "later), unless that is 511." },
	{ .name = "hugetlb_pool", .type = OPTION_SHARE,
	  .offset = OPTION(hugetlb_pool), .def = "0", .unit = "bytes",
	  .help = "Part of the guests' memory that is kept for hugetlbfs "
		  "(backing = 2M or 1G); 0: as much as the guests need." },
	{ .name = "inhibit", .type = OPTION_BOOL, .offset = OPTION(inhibit),
	  .def = "off", .unit = "",
	  .help = "Acknowledge discards without doing them, as with an "
		  "assigned device." },
	{ .name = "khugepaged", .type = OPTION_BOOL,
	  .offset = OPTION(khugepaged), .def = "on", .unit = "",
	  .help = "The host's khugepaged runs, unless thp = never." },
	{ .name = "khugepaged_pages_to_scan", .type = OPTION_UINT,
	  .offset = OPTION(khugepaged_pages_to_scan), .min = 1,
	  .max = 1 << 30, .def = "4096", .unit = "pages",
	  .help = "Pages that it looks at in one go." },
	{ .name = "khugepaged_scan_sleep", .type = OPTION_TIME,
	  .offset = OPTION(khugepaged_scan_sleep), .min = NSEC_PER_MSEC,
	  .max = DAY_NS, .def = "10s", .unit = "time",
	  .help = "Its sleep between two scans." },
	{ .name = "khugepaged_alloc_sleep", .type = OPTION_TIME,
	  .offset = OPTION(khugepaged_alloc_sleep), .min = NSEC_PER_MSEC,
	  .max = DAY_NS, .def = "60s", .unit = "time",
	  .help = "Its sleep after it found no huge page to collapse into." },
	{ .name = "khugepaged_max_ptes_none", .type = OPTION_UINT,
	  .offset = OPTION(khugepaged_max_ptes_none),
	  .max = HPAGE_PMD_NR - 1, .def = "511", .unit = "pages",
	  .help = "Holes of a region that a collapse may fill." },
	{ .name = "khugepaged_max_ptes_swap", .type = OPTION_UINT,
	  .offset = OPTION(khugepaged_max_ptes_swap),
	  .max = HPAGE_PMD_NR - 1, .def = "64", .unit = "pages",
	  .help = "Pages of a region that it may read from swap." },
	{ .name = "khugepaged_pte_mapped", .type = OPTION_BOOL,
	  .offset = OPTION(khugepaged_pte_mapped), .def = "off", .unit = "",
	  .help = "It also collapses what is left of a huge page that was "
		  "partly discarded (Linux 5.8 and later)." },
	{ .name = NULL },
};

/* A share of memory - base. */
static uint64_t share_of(const struct mock_options *o,
			 const struct option_share *share)
{
	const uint64_t pages = bytes_to_pages(o->memory - o->base);

	if (!share->is_percent)
		return bytes_to_pages(share->value);
	return pages / 10000 * share->value +
	       pages % 10000 * share->value / 10000;
}

/* `less` has to be no more than `more`; else says so. */
static bool in_order(const char *less, uint64_t a, const char *more, uint64_t b,
		     char *why, size_t why_size)
{
	if (a > b)
		snprintf(why, why_size, "%s (%llu) is more than %s (%llu)",
			 less, (unsigned long long)a, more,
			 (unsigned long long)b);
	return a <= b;
}

static bool fits_together(const struct mock_options *o, char *why,
			  size_t why_size)
{
	if (o->memcg_limit && o->memcg_limit < pages_to_bytes(1)) {
		snprintf(why, why_size, "memcg_limit (%llu) is less than a page",
			 (unsigned long long)o->memcg_limit);
		return false;
	}
	return in_order("base", o->base, "memory", o->memory, why, why_size) &&
	       in_order("cache", o->cache, "memory without base",
			o->memory - o->base, why, why_size) &&
	       in_order("watermark_min", o->watermark_min, "watermark_low",
			o->watermark_low, why, why_size) &&
	       in_order("watermark_low", o->watermark_low, "watermark_high",
			o->watermark_high, why, why_size) &&
	       in_order("watermark_high", o->watermark_high,
			"memory without base", o->memory - o->base, why,
			why_size) &&
	       in_order("hugetlb_pool",
			pages_to_bytes(share_of(o, &o->hugetlb_pool)),
			"memory without base and cache",
			o->memory - o->base - o->cache, why, why_size);
}

static int mock_init(struct hypervisor *hv, char *why, size_t why_size)
{
	struct mock_host *h = hv->state;
	const struct mock_options *opt = hv->options;

	if (!fits_together(opt, why, why_size))
		return -EINVAL;
	h->opt = opt;
	h->env = hv->env;
	h->total_pages = bytes_to_pages(opt->memory);
	h->base_pages = h->total_pages -
			bytes_to_pages(opt->memory - opt->base);
	h->cache_pages = bytes_to_pages(opt->cache);
	h->min_pages = bytes_to_pages(opt->watermark_min);
	h->low_pages = bytes_to_pages(opt->watermark_low);
	h->high_pages = bytes_to_pages(opt->watermark_high);
	h->memcg_pages = bytes_to_pages(opt->memcg_limit);
	h->huge_limit = share_of(opt, &opt->huge_pages) / HPAGE_PMD_NR;
	h->pool_pages = h->pool_free = share_of(opt, &opt->hugetlb_pool);
	if (swap_init(&h->swap, bytes_to_pages(opt->swap))) {
		snprintf(why, why_size, "no memory for the map of swap");
		return -ENOMEM;
	}
	return 0;
}

/* Accepts a guest of which only some arrays could be had. */
static void guest_free(struct mock_guest *g)
{
	sparse_free(g->state, g->nr_regions, sizeof(*g->state));
	sparse_free(g->regions, BITMAP_WORDS(g->nr_regions),
		    sizeof(*g->regions));
	sparse_free(g->slots, g->nr_regions, sizeof(*g->slots));
	sparse_free(g->pages, g->nr_slots, sizeof(*g->pages));
	sparse_free(g->small, g->nr_slots, sizeof(*g->small));
	sparse_free(g->written, g->nr_regions, sizeof(*g->written));
	sparse_free(g->dirty, g->nr_regions, sizeof(*g->dirty));
	sparse_free(g->log_ept, g->nr_regions, sizeof(*g->log_ept));
	for (unsigned int id = 0; id < NR_MOCK_QUEUES; id++)
		sparse_free(g->links[id], g->nr_regions,
			    sizeof(*g->links[id]));
	mock_lru_destroy(g);
	*g = (struct mock_guest){ 0 };
}

static int guest_alloc(const struct mock_host *h, struct mock_guest *g,
		       pfn_t nr_pages)
{
	const uint32_t nr = (uint32_t)(((uint64_t)nr_pages + HPAGE_PMD_NR - 1) /
				       HPAGE_PMD_NR);
	bool ok;

	*g = (struct mock_guest){ .nr_pages = nr_pages, .nr_regions = nr,
				  .nr_slots = nr + 1, .next_slot = 1 };
	g->state = sparse_alloc(nr, sizeof(*g->state));
	g->regions = sparse_alloc(BITMAP_WORDS(nr), sizeof(*g->regions));
	g->slots = sparse_alloc(nr, sizeof(*g->slots));
	g->pages = sparse_alloc(g->nr_slots, sizeof(*g->pages));
	g->small = sparse_alloc(g->nr_slots, sizeof(*g->small));
	g->written = sparse_alloc(nr, sizeof(*g->written));
	g->dirty = sparse_alloc(nr, sizeof(*g->dirty));
	g->log_ept = sparse_alloc(nr, sizeof(*g->log_ept));
	ok = g->state && g->regions && g->slots && g->pages && g->small &&
	     g->dirty && g->log_ept && g->written;
	g->shrinks = h->opt->shrink_underused;
	ok = !mock_lru_init(h, g) && ok;
	for (unsigned int id = 0; id < NR_MOCK_QUEUES; id++) {
		queue_init(&g->queues[id]);
		g->links[id] = sparse_alloc(nr, sizeof(*g->links[id]));
		ok = ok && g->links[id];
	}
	if (!ok) {
		guest_free(g);
		return -ENOMEM;
	}
	g->map = (struct hv_guest_map){
		.regions = g->regions, .slots = g->slots,
		.pages = (const uint64_t (*)[PAGE_WORDS])g->pages,
		.nr_pages = nr_pages };
	return 0;
}

static int mock_guest_add(struct hypervisor *hv, pfn_t nr_pages)
{
	struct mock_host *h = hv->state;
	uint32_t id = 0;
	int err;

	if (!nr_pages)
		return -EINVAL;
	while (id < HV_MAX_GUESTS && h->guests[id].nr_pages)
		id++;
	if (id == HV_MAX_GUESTS)
		return -ENOSPC;
	err = guest_alloc(h, &h->guests[id], nr_pages);
	if (!err && id >= h->nr_ids)
		h->nr_ids = id + 1;
	return err ? err : (int)id;
}

struct mock_guest *mock_guest(const struct hypervisor *hv, uint32_t id)
{
	struct mock_host *h = hv->state;

	CHECK_LT(id, HV_MAX_GUESTS);
	CHECK(h->guests[id].nr_pages);
	return &h->guests[id];
}

static int mock_guest_add_hugetlb(struct hypervisor *hv, pfn_t nr_pages,
				  unsigned int order)
{
	struct mock_host *h = hv->state;
	int id, err;

	if ((order != HPAGE_PMD_ORDER && order != HV_ORDER_1G) ||
	    !pfn_aligned(nr_pages, order))
		return -EINVAL;
	id = mock_guest_add(hv, nr_pages);
	if (id < 0)
		return id;
	err = hugetlb_guest_add(h, &h->guests[id], order);
	if (err)
		guest_free(&h->guests[id]);
	return err ? err : id;
}

/* exit_mmap() of the VMM: nothing of it is counted as an event. */
static void mock_guest_remove(struct hypervisor *hv, uint32_t guest)
{
	struct hv_events unused = { 0 };
	struct region_ref r = { .host = hv->state,
				.guest = mock_guest(hv, guest),
				.guest_id = guest, .ev = &unused };

	if (r.guest->hugetlb_order)
		hugetlb_guest_remove(r.host, r.guest);
	for (r.region = 0; r.region < r.guest->nr_regions; r.region++) {
		const struct small_region *s = small_of(r.guest, r.region);

		if (region_state(r.guest, r.region) == REGION_HUGE)
			huge_unmap(&r);
		for (uint32_t w = 0; s->nr_present && w < PAGE_WORDS; w++)
			small_unmap(&r, w, s->present[w]);
		for (uint32_t w = 0; s->nr_swapped && w < PAGE_WORDS; w++)
			swap_forget(&r, w, UINT64_MAX);
		small_put_if_empty(&r);
	}
	khugepaged_exit(r.host, guest);
	guest_free(r.guest);
}

static const struct hv_guest_map *mock_guest_map(const struct hypervisor *hv,
						 uint32_t guest)
{
	return &mock_guest(hv, guest)->map;
}

static void gauges_add(struct hv_gauges *to, const struct hv_gauges *from)
{
	to->rss_pages += from->rss_pages;
	to->anon_huge_regions += from->anon_huge_regions;
	to->small_regions += from->small_regions;
	to->lazy_pages += from->lazy_pages;
	to->partial_thps += from->partial_thps;
	to->partial_unmapped_pages += from->partial_unmapped_pages;
	to->ept_1g_leaves += from->ept_1g_leaves;
	to->ept_2m_leaves += from->ept_2m_leaves;
	to->hugetlb_pages += from->hugetlb_pages;
	to->ept_4k_leaves += from->ept_4k_leaves;
	to->swapped_pages += from->swapped_pages;
}

static void mock_gauges(const struct hypervisor *hv, uint32_t guest,
			struct hv_gauges *out)
{
	const struct mock_host *h = hv->state;

	*out = (struct hv_gauges){
		.host_total_pages = h->total_pages,
		.host_base_pages = h->base_pages,
		.host_cache_pages = h->cache_pages,
		.host_free_pages = host_free_pages(h),
		.host_pool_pages = h->pool_pages,
		.host_pool_free_pages = h->pool_free,
		.host_swap_total_pages = h->swap.nr_slots,
		.host_swap_free_pages = h->swap.nr_slots - h->swap.nr_used,
	};
	if (guest != HV_ALL_GUESTS) {
		gauges_add(out, &mock_guest(hv, guest)->gauges);
		return;
	}
	for (uint32_t id = 0; id < h->nr_ids; id++)
		gauges_add(out, &h->guests[id].gauges);
}

static void mock_destroy(struct hypervisor *hv)
{
	struct mock_host *h = hv->state;

	for (uint32_t id = 0; id < h->nr_ids; id++) {
		if (h->guests[id].nr_pages)
			guest_free(&h->guests[id]);
	}
	swap_destroy(&h->swap);
}

const struct hypervisor_ops mock_hypervisor = {
	.name = "mock",
	.summary = "a Linux host with KVM and transparent huge pages, modelled",
	.options = { .descs = mock_option_descs,
		     .size = sizeof(struct mock_options) },
	.state_size = sizeof(struct mock_host),
	.init = mock_init,
	.guest_add = mock_guest_add,
	.guest_add_hugetlb = mock_guest_add_hugetlb,
	.guest_remove = mock_guest_remove,
	.guest_map = mock_guest_map,
	.access = mock_access,
	.level = mock_level,
	.backed = mock_backed,
	.discard = mock_discard,
	.dirty_log = mock_dirty_log,
	.khugepaged = mock_khugepaged,
	.reclaim = mock_reclaim,
	.gauges = mock_gauges,
	.check = mock_check,
	.destroy = mock_destroy,
};
