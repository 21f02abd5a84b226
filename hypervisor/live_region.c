/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the difference between two looks at a region means. Measured: pages
 * mapped and unmapped, huge mappings made, removed and split. Derived, by the
 * rules of Linux since 5.6 applied to what was measured: lazy-free pages,
 * parts of huge pages that are unmapped but not free yet, page tables, and
 * what KVM would have mapped in an EPT that follows the mapping.
 */
#include "hypervisor/live.h"

#include "include/check.h"

static struct page_set all_pages(void)
{
	return set_range(0, HPAGE_PMD_NR);
}

/* ---- sums ---- */

static void gauge(uint64_t *sum, uint64_t nr, bool add)
{
	*sum = add ? *sum + nr : *sum - nr;
}

/* Put the region's share into the gauges, or take it out. */
static void count_region(const struct live_ref *r, bool add)
{
	const struct live_region *s = region_of(r);
	const uint32_t thp = set_nr(&s->thp);
	struct hv_gauges *g = &r->guest->gauges;

	gauge(&g->rss_pages, set_nr(&s->is.present), add);
	gauge(&g->anon_huge_regions, s->is.huge, add);
	gauge(&g->small_regions, s->table, add);
	gauge(&g->lazy_pages, set_nr(&s->lazy), add);
	gauge(&g->partial_thps, thp != 0, add);
	gauge(&g->partial_unmapped_pages, thp ? HPAGE_PMD_NR - thp : 0, add);
	gauge(&g->ept_2m_leaves, s->ept_huge, add);
	gauge(&g->ept_4k_leaves, set_nr(&s->ept), add);
	gauge(&g->swapped_pages, set_nr(&s->is.swapped), add);
}

/* The callers' bitmaps follow. */
static void publish(const struct live_ref *r)
{
	const struct live_region *s = region_of(r);
	const struct page_set fresh = set_minus(&s->is.present, &s->lazy);
	struct live_guest *g = r->guest;

	if (s->ept_huge && !set_nr(&s->lazy))
		bitmap_set(g->mapped_regions, r->region);
	else
		bitmap_clear(g->mapped_regions, r->region);
	g->slots[r->region] = r->region + 1;
	for (uint32_t w = 0; w < PAGE_WORDS; w++)
		g->pages[r->region + 1][w] = fresh.w[w] & s->ept.w[w];
}

/* ---- pieces ---- */

static void zap_ept(const struct live_ref *r, const struct page_set *pages)
{
	struct live_region *s = region_of(r);
	const struct page_set gone = set_and(&s->ept, pages);

	r->ev->ept_zap[HV_LEVEL_4K] += set_nr(&gone);
	s->ept = set_minus(&s->ept, &gone);
}

static void zap_ept_huge(const struct live_ref *r)
{
	struct live_region *s = region_of(r);

	r->ev->ept_zap[HV_LEVEL_2M] += s->ept_huge;
	s->ept_huge = false;
}

/* Pages that are mapped no more. Those of a split huge page are free when the
 * last of them goes, other ones at once. */
static void pages_gone(const struct live_ref *r, const struct page_set *gone)
{
	struct live_region *s = region_of(r);
	const struct page_set held = set_and(gone, &s->thp);
	const uint32_t nr = set_nr(gone);

	zap_ept(r, gone);
	s->lazy = set_minus(&s->lazy, gone);
	r->ev->rss_reclaimed_pages += nr;
	r->ev->phys_reclaimed_pages += nr - set_nr(&held);
	if (!set_nr(&held))
		return;
	/* A memory file's pages are nobody else's: none is held back. */
	if (set_nr(&s->thp) == HPAGE_PMD_NR)
		r->ev->thp_deferred_split_page++;
	s->thp = set_minus(&s->thp, gone);
	if (!set_nr(&s->thp))
		r->ev->phys_reclaimed_pages += HPAGE_PMD_NR;
}

/* The huge page becomes small ones; those that nobody maps are free. */
static void split_page(const struct live_ref *r)
{
	struct live_region *s = region_of(r);
	const struct page_set thp = s->thp;
	const struct page_set dirty = set_minus(&thp, &s->lazy);

	r->ev->thp_split_page++;
	r->ev->thp_split_page_by[HV_SPLIT_LAZY_FREE]++;
	/* A page that was written since makes all of them dirty. */
	if (set_nr(&dirty))
		s->lazy = set_minus(&s->lazy, &thp);
	r->ev->phys_reclaimed_pages += HPAGE_PMD_NR - set_nr(&thp);
	zap_ept(r, &thp);
	s->thp = (struct page_set){ { 0 } };
}

/* A huge mapping was seen to have become small ones. */
static void mapping_split(const struct live_ref *r, enum hv_split_cause cause)
{
	struct live_region *s = region_of(r);

	zap_ept_huge(r);
	r->ev->thp_split_pmd++;
	r->ev->thp_split_pmd_by[cause]++;
	s->thp = all_pages();
	s->table = true;
}

/* ---- what the kernel did on its own ---- */

static void collapsed(const struct live_ref *r)
{
	struct live_region *s = region_of(r);
	const uint32_t had = set_nr(&s->is.present);

	/* khugepaged clears what was a hole. */
	zap_ept(r, &s->ept);
	r->ev->zeroed_pages += HPAGE_PMD_NR - had;
	r->ev->thp_collapse_alloc++;
	r->ev->khugepaged_collapsed++;
	r->ev->khugepaged_copied_pages += had;
	r->ev->reinflated_pages += HPAGE_PMD_NR - had;
	r->ev->tlb_flush_rounds++;
	s->thp = s->lazy = (struct page_set){ { 0 } };
	s->table = false;
}

static void vanished(const struct live_ref *r, const struct region_view *v)
{
	struct live_region *s = region_of(r);
	const struct page_set gone = set_minus(&s->is.present, &v->present);
	const struct page_set lazy = set_and(&gone, &s->lazy);
	const struct page_set swapped = set_minus(&v->swapped, &s->is.swapped);
	const uint32_t nr = set_nr(&lazy);

	if (!set_nr(&gone))
		return;
	/* A caller that trusted the bitmaps has to look again. */
	r->ev->pressure++;
	r->ev->pglazyfreed += nr;
	r->host->real.background_lazy_drops += nr;
	r->ev->pswpout += set_nr(&swapped);
	r->host->real.background_swap_outs += set_nr(&swapped);
	pages_gone(r, &gone);
}

void region_refresh(const struct live_ref *r)
{
	struct live_region *s = region_of(r);
	struct region_view v;

	kernel_view(r->host, r->guest, r->region, &v);
	count_region(r, false);
	if (v.huge && !s->is.huge) {
		collapsed(r);
		r->host->real.background_collapses++;
	} else if (s->is.huge && !v.huge) {
		mapping_split(r, HV_SPLIT_RECLAIM);
		r->host->real.background_splits++;
		vanished(r, &v);
	} else {
		vanished(r, &v);
	}
	s->is = v;
	count_region(r, true);
	publish(r);
}

void region_collapsed(const struct live_ref *r)
{
	struct live_region *s = region_of(r);
	uint64_t faults;

	count_region(r, false);
	collapsed(r);
	/* The holes are full of zeroes: a split would drop them again. */
	kernel_touch(r->host, r->guest, r->region << HPAGE_PMD_ORDER,
		     HPAGE_PMD_NR, true, &faults);
	kernel_view(r->host, r->guest, r->region, &s->is);
	CHECK(s->is.huge);
	count_region(r, true);
	publish(r);
}

/* ---- accesses ---- */

static void huge_accessed(const struct live_ref *r, bool was_huge, bool write)
{
	struct live_region *s = region_of(r);
	const bool reuse = write && set_nr(&s->lazy);

	if (!was_huge) {
		r->ev->thp_fault_alloc++;
		r->ev->zeroed_pages += HPAGE_PMD_NR;
		r->ev->ept_violation[HV_VIOLATION_ZERO][HV_LEVEL_2M]++;
		zap_ept(r, &s->ept);
		s->table = false;
	} else if (!s->ept_huge) {
		r->ev->ept_violation[reuse ? HV_VIOLATION_LAZY :
					     HV_VIOLATION_REMAP][HV_LEVEL_2M]++;
	}
	if (reuse) {
		r->ev->lazy_reused_pages += HPAGE_PMD_NR;
		s->lazy = (struct page_set){ { 0 } };
	}
	s->ept_huge = true;
}

/* Returns how many faults the pages must have taken. */
static uint32_t small_accessed(const struct live_ref *r,
			       const struct region_view *was,
			       const struct page_set *bits, bool write)
{
	struct live_region *s = region_of(r);
	uint64_t (*violation)[NR_HV_LEVELS] = r->ev->ept_violation;
	const struct page_set new = set_minus(&s->is.present, &was->present);
	const struct page_set back = set_and(&new, &was->swapped);
	const struct page_set zero = set_minus(&s->is.zero, &was->zero);
	const struct page_set copied = set_and(&new, &was->zero);
	struct page_set mapped = set_and(bits, &was->present);
	struct page_set lazy = set_and(bits, &s->lazy);

	if (!write)
		lazy = (struct page_set){ { 0 } };
	zap_ept(r, &copied);
	r->ev->pswpin += set_nr(&back);
	violation[HV_VIOLATION_SWAP_IN][HV_LEVEL_4K] += set_nr(&back);
	violation[HV_VIOLATION_ZERO][HV_LEVEL_4K] += set_nr(&new) -
						     set_nr(&back);
	r->ev->zeroed_pages += set_nr(&new) - set_nr(&back);
	violation[HV_VIOLATION_REMAP][HV_LEVEL_4K] += set_nr(&zero);
	r->ev->lazy_reused_pages += set_nr(&lazy);

	mapped = set_minus(&mapped, &s->ept);
	violation[HV_VIOLATION_REMAP][HV_LEVEL_4K] += set_nr(&mapped);
	mapped = set_and(&mapped, &lazy);
	violation[HV_VIOLATION_REMAP][HV_LEVEL_4K] -= set_nr(&mapped);
	violation[HV_VIOLATION_LAZY][HV_LEVEL_4K] += set_nr(&mapped);
	s->lazy = set_minus(&s->lazy, &lazy);
	mapped = set_or(&s->is.present, &s->is.zero);
	mapped = set_and(bits, &mapped);
	s->ept = set_or(&s->ept, &mapped);
	if (!s->table && set_nr(&new) && r->host->wants_huge &&
	    (r->region + 1) * HPAGE_PMD_NR <= r->guest->nr_pages) {
		r->ev->thp_fault_fallback++;
		r->host->real.fallbacks++;
	}
	s->table = true;
	return set_nr(&new) + set_nr(&zero);
}

static void note_strays(struct live_host *h, uint64_t seen, uint64_t explained)
{
	h->real.stray_faults += seen > explained ? seen - explained :
						   explained - seen;
}

void region_accessed(const struct live_ref *r, uint32_t first, uint32_t nr,
		     bool write)
{
	const pfn_t base = r->region << HPAGE_PMD_ORDER;
	const struct page_set bits = set_range(first, nr);
	struct live_region *s = region_of(r);
	const struct region_view was = s->is;
	uint64_t faults, more;

	/* Only the first fault of an empty region can bring a huge page. */
	if (!set_nr(&was.present))
		kernel_allow_huge(r->host, r->guest, r->region, true);
	kernel_touch(r->host, r->guest, base + first, 1, write, &faults);
	if (!set_nr(&was.present))
		kernel_allow_huge(r->host, r->guest, r->region, false);
	if (nr > 1) {
		kernel_touch(r->host, r->guest, base + first + 1, nr - 1,
			     write, &more);
		faults += more;
	}
	count_region(r, false);
	kernel_view(r->host, r->guest, r->region, &s->is);
	if (s->is.huge) {
		huge_accessed(r, was.huge, write);
		note_strays(r->host, faults, !was.huge);
	} else {
		note_strays(r->host, faults,
			    small_accessed(r, &was, &bits, write));
	}
	/* What a guest has in it is not known, but it is not nothing. */
	if (s->is.huge && !was.huge)
		kernel_touch(r->host, r->guest, base, HPAGE_PMD_NR, true,
			     &more);
	count_region(r, true);
	publish(r);
}

/* ---- discards ---- */

static bool dontneed_done(const struct live_ref *r,
			  const struct region_view *was, uint32_t nr)
{
	struct live_region *s = region_of(r);
	const struct page_set gone = set_minus(&was->present, &s->is.present);
	const struct page_set zero = set_minus(&was->zero, &s->is.zero);
	const bool all = nr == HPAGE_PMD_NR;

	if (was->huge && !set_nr(&s->is.present) && all) {
		zap_ept_huge(r);
		r->ev->zap_pmd++;
		s->table = false;
	} else {
		if (was->huge && !s->is.huge)
			mapping_split(r, HV_SPLIT_DISCARD);
		r->ev->zap_pte += set_nr(&gone);
		if (all && r->host->frees_tables)
			s->table = false;
	}
	zap_ept(r, &zero);
	pages_gone(r, &gone);
	return set_nr(&gone);
}

static bool touches(const struct page_set *a, const struct page_set *b)
{
	const struct page_set both = set_and(a, b);

	return set_nr(&both);
}

static bool free_done(const struct live_ref *r, const struct region_view *was,
		      const struct page_set *bits)
{
	struct live_region *s = region_of(r);
	const struct page_set gone = set_minus(&was->present, &s->is.present);
	const struct page_set backed = set_and(bits, &s->is.present);
	struct page_set fresh;
	bool flush = touches(&backed, &s->ept) || (s->is.huge && s->ept_huge);

	if (was->huge && !s->is.huge) {
		mapping_split(r, HV_SPLIT_LAZY_FREE);
		flush = true;
	}
	if (touches(&s->thp, bits)) {
		split_page(r);
		flush = true;
	}
	fresh = set_minus(&backed, &s->lazy);
	flush |= set_nr(&fresh) != 0;
	r->ev->pglazyfree += set_nr(&fresh);
	if (s->is.huge)
		zap_ept_huge(r);
	else
		zap_ept(r, &backed);
	pages_gone(r, &gone);
	s->lazy = set_or(&s->lazy, &fresh);
	return flush;
}

bool region_discarded(const struct live_ref *r, enum hv_advice advice,
		      uint32_t first, uint32_t nr)
{
	struct live_region *s = region_of(r);
	const struct region_view was = s->is;
	const struct page_set bits = set_range(first, nr);
	const struct page_set backed = set_and(&bits, &was.present);
	const struct page_set swapped = set_and(&bits, &was.swapped);
	bool flush;

	count_region(r, false);
	kernel_view(r->host, r->guest, r->region, &s->is);
	r->ev->discard_backed_pages += set_nr(&backed);
	r->ev->discard_swapped_pages += set_nr(&swapped);
	r->ev->discard_unbacked_pages += nr - set_nr(&backed) -
					 set_nr(&swapped);
	flush = advice == HV_FREE ? free_done(r, &was, &bits) :
				    dontneed_done(r, &was, nr);
	count_region(r, true);
	publish(r);
	return flush;
}
