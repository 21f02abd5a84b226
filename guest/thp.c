/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Transparent huge pages of the guest: the huge anonymous fault with its gfp
 * mask and its deposited PTE page, and the split of a huge mapping. Models
 * do_huge_pmd_anonymous_page, vma_thp_gfp_mask, vma_alloc_folio (the two tries
 * on a machine of several nodes) and __split_huge_pmd, 5.3 to 6.18.
 *
 * Left out: the huge zero page (a read maps the small one, as with
 * use_zero_page=0), and smaller folios (mTHP, all sizes off as by default).
 */
#include "guest/deferred_split.h"
#include "guest/rmap.h"

bool thp_fits(const struct guest *g, const struct vma *vma, uint64_t addr)
{
	const uint64_t haddr = addr & ~(HPAGE_PMD_SIZE - 1);

	if (vma->flags & (GUEST_MAP_FILE | GUEST_MAP_NOHUGEPAGE))
		return false;
	if (g->cfg.thp_enabled == THP_NEVER ||
	    (g->cfg.thp_enabled == THP_MADVISE &&
	     !(vma->flags & GUEST_MAP_HUGEPAGE)))
		return false;
	return haddr >= vma->start && haddr + HPAGE_PMD_SIZE <= vma->end;
}

/* Models vma_thp_gfp_mask. */
static gfp_t thp_gfp(const struct guest *g, const struct vma *vma)
{
	const bool madvised = vma->flags & GUEST_MAP_HUGEPAGE;

	switch (g->cfg.thp_defrag) {
	case THP_DEFRAG_ALWAYS:
		return GFP_TRANSHUGE | (madvised ? 0 : GFP_BIT_NORETRY);
	case THP_DEFRAG_DEFER:
		return GFP_TRANSHUGE_LIGHT | GFP_BIT_KSWAPD_RECLAIM;
	case THP_DEFRAG_DEFER_MADVISE:
		return GFP_TRANSHUGE_LIGHT | (madvised ?
					      GFP_BIT_DIRECT_RECLAIM :
					      GFP_BIT_KSWAPD_RECLAIM);
	case THP_DEFRAG_MADVISE:
		return GFP_TRANSHUGE_LIGHT |
		       (madvised ? GFP_BIT_DIRECT_RECLAIM : 0);
	case THP_DEFRAG_NEVER:
		break;
	}
	return GFP_TRANSHUGE_LIGHT;
}

/*
 * On several nodes the first try stays on the local one and does not insist;
 * only a request that may reclaim gets a second try.
 */
static pfn_t huge_page_get(struct run *r, const struct vma *vma)
{
	const gfp_t gfp = thp_gfp(r->g, vma);
	const gfp_t local = gfp | GFP_BIT_THISNODE | GFP_BIT_NORETRY;
	const uint64_t waits_for = r->op->scratch[SCRATCH_SLOW] >> 32;
	pfn_t pfn;

	if (r->g->several_nodes && waits_for != gfp) {
		pfn = get_page(r, HPAGE_PMD_ORDER, local);
		if (pfn != PFN_NONE || r->status == GUEST_WAIT ||
		    !(gfp & GFP_BIT_DIRECT_RECLAIM))
			return pfn;
	}
	return get_page(r, HPAGE_PMD_ORDER, gfp);
}

static bool huge_page_known_zero(const struct guest *g, pfn_t huge)
{
	return g->cfg.known_zero &&
	       bitmap_count_range(g->cfg.known_zero, huge, HPAGE_PMD_NR) ==
	       HPAGE_PMD_NR;
}

/*
 * What the kernel does not clear the program still writes: its part of the
 * page only, see docs/fidelity.md.
 */
static void huge_page_clear(struct run *r, pfn_t huge)
{
	struct guest *g = r->g;

	if (huge_page_known_zero(g, huge)) {
		touch_add(g->cfg.touches, huge, HPAGE_PMD_ORDER, TOUCH_WRITE);
		g->counters.pages_zero_skipped += HPAGE_PMD_NR;
		r->work->zero_skipped_thp++;
		return;
	}
	touch_add(g->cfg.touches, huge, HPAGE_PMD_ORDER, TOUCH_ZERO);
	g->counters.pages_zeroed += HPAGE_PMD_NR;
	r->work->zeroed_pages += HPAGE_PMD_NR;
}

static void huge_page_map(struct run *r, struct pmd_table *pmd, uint64_t addr,
			  pfn_t huge, pfn_t table)
{
	struct guest *g = r->g;

	huge_page_clear(r, huge);
	pmd->huge[pmd_index(addr)] = huge;
	rmap_set(g, huge, OWNER_HUGE, r->op->mm, bytes_to_pages(addr));
	pgtable_deposit(pmd, table);
	lru_add_huge(g, r->cpu, huge, r->work);
	g->gauges.anon_pages += HPAGE_PMD_NR;
	g->gauges.anon_thp++;
	g->counters.pgfault++;
	g->counters.thp_fault_alloc++;
	r->work->faults_thp++;
}

enum guest_status fault_huge(struct run *r, const struct vma *vma,
			     struct pmd_table *pmd, uint64_t addr)
{
	pfn_t huge = held_page(r);
	pfn_t table;

	if (huge == PFN_NONE) {
		huge = huge_page_get(r, vma);
		if (huge == PFN_NONE && r->status == GUEST_WAIT)
			return GUEST_WAIT;
		if (huge == PFN_NONE) {
			r->g->counters.thp_fault_fallback++;
			r->work->thp_fallback++;
			return GUEST_MORE;
		}
		hold_page(r, huge);
	}
	table = table_page_get(r);
	if (table == PFN_NONE)
		return hold_failed(r, HPAGE_PMD_ORDER);
	hold_end(r);
	huge_page_map(r, pmd, addr, huge, table);
	return GUEST_DONE;
}

/*
 * The huge page stays what it is, but PTEs map it: each of them holds one
 * reference.
 */
void split_huge_pmd(struct run *r, struct pmd_table *pmd, uint64_t addr,
		    struct pte_table *t)
{
	const unsigned int i = pmd_index(addr);
	const pfn_t huge = pmd->huge[i];

	t->pfn = pgtable_withdraw(pmd);
	for (unsigned int k = 0; k < PTRS_PER_TABLE; k++)
		t->pte[k] = huge + k;
	t->nr = PTRS_PER_TABLE;
	t->nr_pieces = PTRS_PER_TABLE;
	r->g->piece_refs[pfn_region(huge)] = HPAGE_PMD_NR;
	deferred_split_mapped(r->g, huge, r->op->mm,
			      addr & ~(HPAGE_PMD_SIZE - 1));
	r->g->gauges.anon_thp--;
	pmd->huge[i] = PFN_NONE;
	pmd->table[i] = t;
}
