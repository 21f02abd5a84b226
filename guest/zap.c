/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * munmap, MADV_DONTNEED and exit: what is unmapped in which order, and when it
 * is freed. Models unmap_region, zap_page_range (zap_pte_range, zap_huge_pmd),
 * free_pgtables, exit_mmap and tlb_finish_mmu, 5.3 to 6.18.
 *
 *     START --> ZAP --> TABLES --> FLUSH --> ARRAYS --> LAST --> done
 *                |                  ^  MADV_DONTNEED keeps the tables, and so
 *                |                  |  does who has no host memory for one
 *                +------------------+
 *
 *     ZAP     mapped pages are gathered, addresses ascending; the PTE page that
 *             was deposited for a huge page is freed at once
 *     TABLES  page-table pages are gathered
 *     FLUSH   what is gathered is freed, array by array
 *     ARRAYS  the pages of the gather arrays are freed
 *     LAST    VMAs go; at exit the PGD too
 *
 * In ZAP and TABLES, arrays that are all full are flushed before anything else
 * is gathered.
 *
 * Left out: empty PTE pages that MADV_DONTNEED frees in 6.14 and later
 * (CONFIG_PT_RECLAIM).
 */
#include <stdlib.h>
#include <string.h>

#include "guest/deferred_split.h"
#include "guest/rmap.h"
#include "include/minmax.h"

enum unmap_stage {
	UNMAP_START,
	UNMAP_ZAP,
	UNMAP_TABLES,
	UNMAP_FLUSH,
	UNMAP_ARRAYS,
	UNMAP_LAST,
};

#define PTES_AT_ONCE 8u

/* Touches that one step may add: the page of a new gather array. */
#define TOUCHES_PER_STEP 1u

static struct gather *unmap_gather(const struct guest *g,
				   const struct guest_op *op)
{
	const uint64_t id = op->scratch[SCRATCH_GATHER];

	CHECK(id > 0 && id <= g->nr_gathers);
	return g->gathers[id - 1];
}

static enum guest_status unmap_start(struct run *r)
{
	struct guest_op *op = r->op;
	struct gather *ga;

	if (op->kind == GUEST_EXIT) {
		op->addr = 0;
		op->len = TASK_SIZE;
	}
	CHECK(op->addr % PAGE_SIZE == 0 && op->len % PAGE_SIZE == 0);
	CHECK(op->len <= TASK_SIZE && op->addr <= TASK_SIZE - op->len);
	r->work->syscalls++;
	if (op->kind == GUEST_MUNMAP &&
	    vma_split_for_unmap(r->g, r->mm, op->addr, op->addr + op->len))
		return GUEST_NOMEM;
	ga = gather_new(r->g);
	if (!ga)
		return GUEST_NOMEM;
	if (!gather_spares_get(r, ga)) {
		gather_delete(r->g, ga);
		return GUEST_NOMEM;
	}
	op->scratch[SCRATCH_GATHER] = (uint64_t)ga->id + 1;
	r->mm->nr_unmapping++;
	if (op->kind == GUEST_EXIT)
		held_free_all(r);
	lru_add_drain(r->g, r->cpu, r->work);
	op->stage = UNMAP_ZAP;
	return GUEST_DONE;
}

/* False: the budget is spent. */
static bool flush_if_full(struct run *r, struct gather *ga, bool full)
{
	if (full)
		gather_flush_begin(r, ga);
	return gather_flush(r, ga);
}

/* Models zap_huge_pmd. */
static bool zap_huge(struct run *r, struct gather *ga, struct pmd_table *pmd,
		     uint64_t addr)
{
	struct guest *g = r->g;
	const unsigned int i = pmd_index(addr);
	const pfn_t huge = pmd->huge[i];

	alloc_free(g->alloc, r->cpu, pgtable_withdraw(pmd), 0);
	pmd->huge[i] = PFN_NONE;
	g->gauges.table_pages--;
	g->gauges.anon_pages -= HPAGE_PMD_NR;
	g->gauges.anon_thp--;
	g->counters.thp_zap++;
	r->work->freed_pages++;
	r->work->freed_blocks++;
	r->work->zapped_thp++;
	r->budget--;
	return gather_add(r, ga, huge, GATHER_HUGE);
}

static bool zap_file(struct run *r, struct gather *ga, struct pte_table *t,
		     unsigned int i, pfn_t pfn, uint64_t addr)
{
	const struct vma *vma = vma_find(r->mm, addr);

	CHECK(vma != NULL && vma->flags & GUEST_MAP_FILE);
	bitmap_clear(t->file, i);
	filemap_map(r->g, vma->file,
		    vma->pgoff + bytes_to_pages(addr - vma->start), -1);
	return gather_add(r, ga, pfn, GATHER_CACHE);
}

static bool zap_pte(struct run *r, struct gather *ga, struct pte_table *t,
		    unsigned int i, uint64_t addr)
{
	enum gather_kind kind = GATHER_PAGE;
	const pfn_t pfn = t->pte[i];

	t->pte[i] = PTE_NONE;
	t->nr--;
	r->work->zapped_pages++;
	r->budget--;
	if (unlikely(pfn == PTE_ZERO))
		return false;
	if (unlikely(bitmap_test(t->file, i)))
		return zap_file(r, ga, t, i, pfn, addr);
	if (unlikely(t->nr_pieces) && r->g->piece_refs[pfn_region(pfn)]) {
		t->nr_pieces--;
		deferred_split_add(r->g, pfn);
		kind = GATHER_PIECE;
	}
	r->g->gauges.anon_pages--;
	return gather_add(r, ga, pfn, kind);
}

/* Does the table map nothing but small anonymous pages and the zero page? */
static bool maps_anon_only(const struct pte_table *t)
{
	uint64_t file = 0;

	for (unsigned int i = 0; i < BITMAP_WORDS(PTRS_PER_TABLE); i++)
		file |= t->file[i];
	return !file && !t->nr_pieces;
}

/* Entries from pte on that map a small page, at most nr. */
static uint32_t pages_in_row(const pfn_t *pte, uint32_t nr)
{
	uint32_t n = 0;

	for (; n + PTES_AT_ONCE <= nr; n += PTES_AT_ONCE) {
		bool all = true;

		for (unsigned int k = 0; k < PTES_AT_ONCE; k++)
			all &= pte[n + k] < PTE_ZERO;
		if (!all)
			break;
	}
	while (n < nr && pte[n] < PTE_ZERO)
		n++;
	return n;
}

/* n entries from pte on go into the array, which has room for them. */
static void zap_row(struct guest *g, struct gather_array *a,
		    struct pte_table *t, pfn_t *pte, uint32_t n)
{
	memcpy(&a->pfn[a->nr], pte, n * sizeof(*pte));
	memset(&a->kind[a->nr], GATHER_PAGE, n);
	memset(pte, 0xff, n * sizeof(*pte));
	a->nr += n;
	t->nr = (uint16_t)(t->nr - n);
	g->gauges.anon_pages -= n;
}

/* Pages that may be gathered without filling the array. */
static uint32_t room_in_array(const struct gather *ga)
{
	CHECK_LT(ga->active->nr, ga->active->max);
	return ga->active->max - ga->active->nr - 1;
}

/*
 * The same as zap_pte() for one page after the other, while they are anonymous
 * and do not fill the array. Returns where it stopped.
 */
static uint64_t zap_anon_run(struct run *r, struct gather *ga,
			     struct pte_table *t, uint64_t addr, uint64_t stop)
{
	uint32_t room = room_in_array(ga);

	while (addr < stop && t->nr && r->budget && room) {
		pfn_t *pte = &t->pte[pte_index(addr)];
		uint32_t n = (uint32_t)bytes_to_pages(stop - addr);

		if (*pte == PTE_NONE) {
			addr += PAGE_SIZE;
			continue;
		}
		if (n > room)
			n = room;
		n = pages_in_row(pte, n < r->budget ? n : r->budget);
		if (n == 0)
			break;
		zap_row(r->g, ga->active, t, pte, n);
		r->work->zapped_pages += n;
		r->budget -= n;
		room -= n;
		addr += pages_to_bytes(n);
	}
	return addr;
}

/* Models zap_pte_range. Returns where to go on. */
static uint64_t zap_ptes(struct run *r, struct gather *ga,
			 struct pte_table *t, uint64_t addr, uint64_t stop,
			 bool *full)
{
	if (likely(maps_anon_only(t)))
		addr = zap_anon_run(r, ga, t, addr, stop);
	for (; addr < stop && t->nr; addr += PAGE_SIZE) {
		if (t->pte[pte_index(addr)] == PTE_NONE)
			continue;
		if (!r->budget)
			return addr;
		*full = zap_pte(r, ga, t, pte_index(addr), addr);
		if (*full || !touch_room(r->g->cfg.touches, TOUCHES_PER_STEP))
			return addr + PAGE_SIZE;
	}
	return stop;
}

/*
 * A step is such a one if it ends before a page that is mapped, behind the same
 * table: then it goes on nowhere else.
 */
uint32_t zap_ahead_look(const struct guest *g, const struct guest_op *op,
			uint32_t budget)
{
	const uint64_t addr = op->addr + op->cursor;
	const struct gather *ga;
	const struct pte_table *t;
	struct pmd_table *pmd;
	uint64_t end;
	uint32_t n;

	if (op->stage != UNMAP_ZAP || op->cursor >= op->len)
		return 0;
	ga = unmap_gather(g, op);
	t = pte_table_at(g->mms[op->mm], addr, &pmd);
	if (ga->phase != FLUSH_NONE || !t || !maps_anon_only(t))
		return 0;
	end = min_u64(entry_end(addr, PMD_SHIFT), op->addr + op->len);
	n = (uint32_t)min_u64(bytes_to_pages(end - addr),
			      (uint64_t)room_in_array(ga) + 1);
	n = pages_in_row(&t->pte[pte_index(addr)], n);
	return n ? (n - 1) / budget : 0;
}

void zap_ahead_run(struct guest *g, struct guest_op *op, uint32_t nr)
{
	const uint64_t addr = op->addr + op->cursor;
	struct pmd_table *pmd;
	struct pte_table *t = pte_table_at(g->mms[op->mm], addr, &pmd);

	zap_row(g, unmap_gather(g, op)->active, t, &t->pte[pte_index(addr)],
		nr);
	op->cursor += pages_to_bytes(nr);
}

/* What one PMD entry maps of [addr, end). Returns where to go on. */
static uint64_t zap_pmd(struct run *r, struct gather *ga, uint64_t addr,
			uint64_t end, bool *full)
{
	const uint64_t next = entry_end(addr, PMD_SHIFT);
	const uint64_t stop = next < end ? next : end;
	const struct pud_table *pud = r->mm->pud[pgd_index(addr)];
	struct pmd_table *pmd;
	struct pte_table *t;

	if (!pud)
		return entry_end(addr, PGDIR_SHIFT);
	pmd = pud->table[pud_index(addr)];
	if (!pmd)
		return entry_end(addr, PUD_SHIFT);
	t = pmd->table[pmd_index(addr)];
	if (pmd->huge[pmd_index(addr)] != PFN_NONE) {
		if (stop - addr == HPAGE_PMD_SIZE) {
			*full = zap_huge(r, ga, pmd, addr);
			return stop;
		}
		t = gather_spare_take(r->g, ga);
		if (!t) {
			ga->gave_up = true;
			return end;
		}
		split_huge_pmd(r, pmd, addr, t);
	}
	return t ? zap_ptes(r, ga, t, addr, stop, full) : next;
}

static bool unmap_zap(struct run *r, struct gather *ga)
{
	struct guest_op *op = r->op;
	const uint64_t end = op->addr + op->len;

	while (op->cursor < op->len) {
		const uint64_t addr = op->addr + op->cursor;
		bool full = false;

		if (!r->budget ||
		    !touch_room(r->g->cfg.touches, TOUCHES_PER_STEP))
			return false;
		op->cursor = zap_pmd(r, ga, addr, end, &full) - op->addr;
		if (full && !flush_if_full(r, ga, true))
			return false;
	}
	op->cursor = 0;
	op->stage = op->kind == GUEST_MADV_DONTNEED || ga->gave_up ?
			    UNMAP_FLUSH : UNMAP_TABLES;
	if (op->stage == UNMAP_FLUSH)
		gather_flush_begin(r, ga);
	return true;
}

static bool unmap_tables(struct run *r, struct gather *ga)
{
	struct guest_op *op = r->op;
	const uint64_t end = op->addr + op->len;
	uint64_t floor = 0, ceiling = UINT64_MAX, at = op->addr + op->cursor;
	bool full = false, more = true;

	if (op->kind == GUEST_MUNMAP)
		vma_bounds(r->mm, op->addr, end, &floor, &ceiling);
	while (more) {
		if (!r->budget ||
		    !touch_room(r->g->cfg.touches, TOUCHES_PER_STEP))
			return false;
		more = pgtable_free_next(r, ga, &at, end, floor, ceiling,
					 &full);
		op->cursor = at - op->addr;
		r->budget -= more;
		if (full && !flush_if_full(r, ga, true))
			return false;
		full = false;
	}
	op->stage = UNMAP_FLUSH;
	gather_flush_begin(r, ga);
	return true;
}

static void mm_drop(struct run *r)
{
	struct guest *g = r->g;
	struct guest_mm *mm = r->mm;

	alloc_free(g->alloc, r->cpu, mm->pgd, 0);
	g->gauges.table_pages--;
	r->work->freed_pages++;
	r->work->freed_blocks++;
	g->mms[r->op->mm] = NULL;
	free(mm->vmas);
	free(mm);
}

static enum guest_status unmap_last(struct run *r, struct gather *ga)
{
	const bool gave_up = ga->gave_up;

	gather_delete(r->g, ga);
	r->mm->nr_unmapping--;
	if (gave_up)
		return GUEST_NOMEM;
	if (r->op->kind == GUEST_MADV_DONTNEED)
		return GUEST_DONE;
	vma_remove(r, r->op->addr, r->op->addr + r->op->len);
	if (r->op->kind == GUEST_EXIT)
		mm_drop(r);
	return GUEST_DONE;
}

enum guest_status unmap_run(struct run *r)
{
	struct guest_op *op = r->op;
	struct gather *ga;

	if (op->stage == UNMAP_START) {
		const enum guest_status status = unmap_start(r);

		if (status != GUEST_DONE)
			return status;
	}
	ga = unmap_gather(r->g, op);
	/* A flush that an earlier call began. */
	if (!gather_flush(r, ga))
		return GUEST_MORE;
	if (op->stage == UNMAP_ZAP && !unmap_zap(r, ga))
		return GUEST_MORE;
	if (op->stage == UNMAP_TABLES && !unmap_tables(r, ga))
		return GUEST_MORE;
	if (op->stage == UNMAP_FLUSH) {
		if (!gather_flush(r, ga))
			return GUEST_MORE;
		op->stage = UNMAP_ARRAYS;
	}
	if (op->stage == UNMAP_ARRAYS) {
		if (!gather_free_arrays(r, ga))
			return GUEST_MORE;
		op->stage = UNMAP_LAST;
	}
	return unmap_last(r, ga);
}
