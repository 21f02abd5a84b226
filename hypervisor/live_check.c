/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Promises of the live host: what it believes of every page is what the kernel
 * says now, but for what the kernel may do at any time on its own (drop a lazy
 * page, swap, make or break a huge page); nothing is derived that contradicts
 * what was measured; the sums are the sums.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "hypervisor/live.h"

struct walk {
	struct live_host *host;
	const struct live_guest *guest;
	uint32_t id, region;
	struct hv_gauges sum;
	char *text;
	size_t text_size;
};

static void expect(struct walk *k, const char *what, uint64_t is,
		   uint64_t should)
{
	if (is == should || k->text[0])
		return;
	snprintf(k->text, k->text_size, "guest %u, region %u: %s is %" PRIu64
		 ", expected %" PRIu64, k->id, k->region, what, is, should);
}

static void expect_none(struct walk *k, const char *what, struct page_set s)
{
	expect(k, what, set_nr(&s), 0);
}

/* Against the kernel as it is now. */
static void check_view(struct walk *k, const struct live_region *s)
{
	struct page_set gone, sure;
	struct region_view v;

	kernel_view(k->host, k->guest, k->region, &v);
	if (v.huge != s->is.huge)
		return;
	gone = set_minus(&s->is.present, &v.present);
	gone = set_minus(&gone, &v.swapped);
	expect_none(k, "pages that have gone", set_minus(&gone, &s->lazy));
	sure = set_minus(&v.present, &s->is.swapped);
	expect_none(k, "pages from nowhere", set_minus(&sure, &s->is.present));
}

static void check_derived(struct walk *k, const struct live_region *s)
{
	const struct page_set mapped = set_or(&s->is.present, &s->is.zero);
	const uint32_t lazy = set_nr(&s->lazy), thp = set_nr(&s->thp);
	const struct page_set fresh = set_minus(&s->ept, &s->lazy);
	const struct page_set known = set_and(&fresh, &s->is.present);
	const uint64_t *words = k->guest->pages[k->region + 1];

	expect_none(k, "EPT leaves without page", set_minus(&s->ept, &mapped));
	expect_none(k, "lazy without page",
		    set_minus(&s->lazy, &s->is.present));
	expect_none(k, "huge page's part without page",
		    set_minus(&s->thp, &s->is.present));
	expect(k, "EPT 2M without huge page", s->ept_huge && !s->is.huge, 0);
	if (s->is.huge) {
		expect(k, "pages of a huge mapping", set_nr(&s->is.present),
		       HPAGE_PMD_NR);
		expect(k, "a part of a huge page lazy",
		       lazy && lazy != HPAGE_PMD_NR, 0);
		expect(k, "split and huge", thp, 0);
	}
	expect(k, "mapped bit of the region",
	       bitmap_test(k->guest->mapped_regions, k->region),
	       s->ept_huge && !lazy);
	for (uint32_t w = 0; k->guest->slots[k->region] && w < PAGE_WORDS; w++)
		expect(k, "mapped bits", words[w], known.w[w]);
}

static void check_region(struct walk *k)
{
	const struct live_region *s = &k->guest->regions[k->region];
	const uint32_t thp = set_nr(&s->thp);

	check_view(k, s);
	check_derived(k, s);
	k->sum.rss_pages += set_nr(&s->is.present);
	k->sum.anon_huge_regions += s->is.huge;
	k->sum.small_regions += s->table;
	k->sum.lazy_pages += set_nr(&s->lazy);
	k->sum.partial_thps += thp != 0;
	k->sum.partial_unmapped_pages += thp ? HPAGE_PMD_NR - thp : 0;
	k->sum.ept_2m_leaves += s->ept_huge;
	k->sum.ept_4k_leaves += set_nr(&s->ept);
	k->sum.swapped_pages += set_nr(&s->is.swapped);
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
	expect(k, "ept_2m_leaves", g->ept_2m_leaves, k->sum.ept_2m_leaves);
	expect(k, "ept_4k_leaves", g->ept_4k_leaves, k->sum.ept_4k_leaves);
	expect(k, "swapped_pages", g->swapped_pages, k->sum.swapped_pages);
}

const char *live_check(const struct hypervisor *hv)
{
	static _Thread_local char text[128];
	struct walk k = { .host = hv->state, .text = text,
			  .text_size = sizeof(text) };

	text[0] = '\0';
	for (k.id = 0; k.id < HV_MAX_GUESTS; k.id++) {
		k.guest = &k.host->guests[k.id];
		memset(&k.sum, 0, sizeof(k.sum));
		for (k.region = 0; k.region < k.guest->nr_regions; k.region++)
			check_region(&k);
		check_gauges(&k);
	}
	return text[0] ? text : NULL;
}
