/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * khugepaged: looks at 2 MiB ranges of anonymous mappings that may have huge
 * pages and copies their small pages into one. Models khugepaged_do_scan,
 * khugepaged_scan_mm_slot, hpage_collapse_scan_pmd, collapse_huge_page and
 * __collapse_huge_page_copy, 5.3 to 6.18.
 *
 * Simplified: every mapped page counts as young, as there are no accessed bits;
 * a range that PTEs of a huge page map is left alone (5.8 and later would copy
 * it); an address space that unmaps something is passed over where the kernel
 * waits for its lock. Left out: file and shmem ranges, swapped pages
 * (max_ptes_swap) and shared ones (max_ptes_shared).
 */
#include "guest/deferred_split.h"
#include "guest/rmap.h"

/* Touches of one collapse: every page read, the huge page written. */
#define COLLAPSE_TOUCHES (HPAGE_PMD_NR + 1)

enum scan_stage {
	SCAN_START,
	SCAN_NEXT,            /* find the next range */
	SCAN_ALLOC,           /* get a huge page for the range at the cursor */
	SCAN_COPY,
};

/* May this VMA have huge pages, and where? */
static bool vma_range(const struct guest *g, const struct vma *v,
		      uint64_t *start, uint64_t *end)
{
	if ((v->flags & (GUEST_MAP_FILE | GUEST_MAP_NOHUGEPAGE)) ||
	    g->cfg.thp_enabled == THP_NEVER ||
	    (g->cfg.thp_enabled == THP_MADVISE &&
	     !(v->flags & GUEST_MAP_HUGEPAGE)))
		return false;
	*start = (v->start + HPAGE_PMD_SIZE - 1) & ~(HPAGE_PMD_SIZE - 1);
	*end = v->end & ~(HPAGE_PMD_SIZE - 1);
	return *start < *end;
}

/*
 * The next range at or after the cursor of this address space. False: none is
 * left.
 */
static bool next_range(const struct guest *g, const struct guest_mm *mm,
		       uint64_t *addr)
{
	for (uint32_t i = 0; i < mm->nr_vmas; i++) {
		uint64_t start, end;

		if (!vma_range(g, &mm->vmas[i], &start, &end) || *addr >= end)
			continue;
		if (*addr < start)
			*addr = start;
		return true;
	}
	return false;
}

bool guest_khugepaged_has_work(const struct guest *g)
{
	for (uint32_t i = 0; i < g->nr_mms; i++) {
		uint64_t addr = 0;

		if (g->mms[i] && next_range(g, g->mms[i], &addr))
			return true;
	}
	return false;
}

/* Models hpage_collapse_scan_pmd. */
static bool worth_collapsing(const struct guest *g, const struct pmd_table *pmd,
			     uint64_t addr)
{
	const struct pte_table *t = pmd ? pmd->table[pmd_index(addr)] : NULL;
	uint32_t none = 0;

	if (!t || t->nr_pieces || pmd->huge[pmd_index(addr)] != PFN_NONE)
		return false;
	for (unsigned int i = 0; i < PTRS_PER_TABLE; i++) {
		const pfn_t pfn = t->pte[i];

		if (pfn == PTE_NONE || pfn == PTE_ZERO) {
			if (++none > g->cfg.max_ptes_none)
				return false;
			continue;
		}
		if (bitmap_test(t->file, i) || !alloc_test_lru(g->alloc, pfn))
			return false;
	}
	return none < PTRS_PER_TABLE;
}

static struct guest_mm *scanned_mm(const struct guest *g)
{
	return g->scan_mm < g->nr_mms ? g->mms[g->scan_mm] : NULL;
}

static bool range_ok(const struct guest *g, struct pmd_table **pmd)
{
	const struct guest_mm *mm = scanned_mm(g);
	uint64_t addr = g->scan_addr;

	*pmd = NULL;
	if (!mm || mm->nr_unmapping || !next_range(g, mm, &addr) ||
	    addr != g->scan_addr)
		return false;
	pte_table_at(mm, addr, pmd);
	return worth_collapsing(g, *pmd, addr);
}

/* The copied page goes by way of the LRU batch, which holds it for a while. */
static void old_page_free(struct run *r, pfn_t pfn)
{
	struct guest *g = r->g;

	alloc_clear_lru(g->alloc, pfn);
	lru_add(g, r->cpu, pfn, r->work);
	if (!lru_put_page(g, pfn))
		return;
	alloc_free(g->alloc, r->cpu, pfn, 0);
	r->work->freed_pages++;
	r->work->freed_blocks++;
}

/* Models __collapse_huge_page_copy. Returns the pages that were not there. */
static uint32_t copy_pages(struct run *r, struct pte_table *t)
{
	struct guest *g = r->g;
	uint32_t none = 0;

	for (unsigned int i = 0; i < PTRS_PER_TABLE; i++) {
		const pfn_t pfn = t->pte[i];

		t->pte[i] = PTE_NONE;
		if (pfn == PTE_NONE || pfn == PTE_ZERO) {
			none++;
			continue;
		}
		touch_add(g->cfg.touches, pfn, 0, TOUCH_READ);
		old_page_free(r, pfn);
	}
	t->nr = 0;
	g->counters.pages_zeroed += none;
	g->counters.pages_copied += HPAGE_PMD_NR - none;
	r->work->zeroed_pages += none;
	r->work->migrated_pages += HPAGE_PMD_NR - none;
	return none;
}

/* Models the second half of collapse_huge_page. */
static void collapse(struct run *r, struct pmd_table *pmd, pfn_t huge)
{
	struct guest *g = r->g;
	struct guest_mm *mm = scanned_mm(g);
	const unsigned int i = pmd_index(g->scan_addr);
	struct pte_table *t = pmd->table[i];

	g->gauges.anon_pages += copy_pages(r, t);
	g->gauges.anon_thp++;
	touch_add(g->cfg.touches, huge, HPAGE_PMD_ORDER, TOUCH_WRITE);
	pgtable_deposit(pmd, t->pfn);
	pmd->table[i] = NULL;
	pmd->huge[i] = huge;
	if (mm->walk_table == t)
		mm->walk_base = UINT64_MAX;
	t->next_free = g->free_pte;
	g->free_pte = t;
	rmap_set(g, huge, OWNER_HUGE, g->scan_mm,
		 bytes_to_pages(g->scan_addr));
	lru_add_huge(g, r->cpu, huge, r->work);
}

static gfp_t collapse_gfp(const struct guest *g)
{
	return GFP_TRANSHUGE | (g->several_nodes ? GFP_BIT_THISNODE : 0);
}

/* Go to the next range. False: pages_to_scan are done, or all was seen. */
static bool scan_next(struct run *r)
{
	struct guest *g = r->g;
	struct guest_op *op = r->op;
	const struct guest_mm *mm = scanned_mm(g);
	struct pmd_table *pmd;

	if (op->cursor >= op->len)
		return false;
	if (!mm || mm->nr_unmapping || !next_range(g, mm, &g->scan_addr)) {
		g->scan_addr = 0;
		/* Once around in a call is enough. */
		if (++g->scan_mm >= g->nr_mms) {
			g->scan_mm = 0;
			if (op->scratch[SCRATCH_FILE]++)
				return false;
		}
		op->cursor++;
		return true;
	}
	op->cursor += HPAGE_PMD_NR;
	g->counters.khugepaged_scanned += HPAGE_PMD_NR;
	r->work->compact_scanned += HPAGE_PMD_NR;
	if (range_ok(g, &pmd))
		op->stage = SCAN_ALLOC;
	else
		g->scan_addr += HPAGE_PMD_SIZE;
	return true;
}

static enum guest_status scan_alloc(struct run *r)
{
	struct guest *g = r->g;
	const pfn_t huge = get_page(r, HPAGE_PMD_ORDER, collapse_gfp(g));

	if (huge == PFN_NONE && r->status == GUEST_WAIT)
		return GUEST_WAIT;
	if (huge == PFN_NONE) {
		g->counters.thp_collapse_alloc_failed++;
		g->scan_addr += HPAGE_PMD_SIZE;
		r->op->addr = 1;
		return GUEST_DONE;
	}
	g->counters.thp_collapse_alloc++;
	hold_page(r, huge);
	r->op->stage = SCAN_COPY;
	return GUEST_MORE;
}

/* The range may have changed while the huge page was waited for. */
static void scan_copy(struct run *r)
{
	struct guest *g = r->g;
	const pfn_t huge = held_page(r);
	struct pmd_table *pmd;

	r->op->scratch[SCRATCH_HELD] = 0;
	if (range_ok(g, &pmd))
		collapse(r, pmd, huge);
	else
		alloc_free(g->alloc, r->cpu, huge, HPAGE_PMD_ORDER);
	g->scan_addr += HPAGE_PMD_SIZE;
	r->op->stage = SCAN_NEXT;
}

/*
 * One wake-up: op->len pages are scanned. op->addr becomes 1 if there was no
 * huge page to be had: the thread is to sleep longer.
 */
enum guest_status khugepaged_run(struct run *r)
{
	struct guest *g = r->g;
	enum guest_status status;

	if (r->op->stage == SCAN_START) {
		for (unsigned int cpu = 0; cpu < g->cfg.nr_cpus; cpu++)
			lru_add_drain(g, cpu, r->work);
		r->op->stage = SCAN_NEXT;
	}
	for (;;) {
		if (!r->budget ||
		    !touch_room(g->cfg.touches, COLLAPSE_TOUCHES))
			return GUEST_MORE;
		r->budget--;
		switch (r->op->stage) {
		case SCAN_NEXT:
			if (!scan_next(r))
				return GUEST_DONE;
			break;
		case SCAN_ALLOC:
			status = scan_alloc(r);
			if (status != GUEST_MORE)
				return status;
			break;
		default:
			scan_copy(r);
			break;
		}
	}
}
