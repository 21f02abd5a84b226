/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A program touches a range, page by page upwards, and the guest kernel serves
 * the faults. Models handle_mm_fault with do_anonymous_page, do_cow_fault,
 * do_read_fault and wp_page_copy, 5.3 to 6.18: which pages are allocated, with
 * which gfp, in which order.
 *
 * A fault that has to wait is run again from its start: tables and cache pages
 * it got are in place by then, and the one page that is not (a huge page, or
 * the copy of a file page) is held in the operation.
 *
 * Left out: the slab objects of a mapping's first fault (anon_vma), fault-around
 * of cached pages, swap, NUMA hinting and userfaultfd.
 */
#include "guest/rmap.h"

#define STAGE_SMALL 1u /* this fault got no huge page and takes small ones */

/* Touches that one fault or one gathered page may add at most. */
#define TOUCHES_PER_STEP 8u

static bool writes(const struct run *r)
{
	return !(r->op->flags & GUEST_TOUCH_READ);
}

static void touch_data(const struct run *r, pfn_t pfn, unsigned int order)
{
	touch_add(r->g->cfg.touches, pfn, order,
		  writes(r) ? TOUCH_WRITE : TOUCH_READ);
}

/* The page is new and clean: put it into the table and on its way to the LRU. */
static inline void anon_map(struct run *r, struct pte_table *t,
			    unsigned int i, pfn_t pfn)
{
	struct guest *g = r->g;

	t->nr = (uint16_t)(t->nr + (t->pte[i] == PTE_NONE));
	t->pte[i] = pfn;
	rmap_set(g, pfn, OWNER_ANON, r->op->mm,
		 bytes_to_pages(r->op->addr + r->op->cursor));
	lru_add(g, r->cpu, pfn, r->work);
	g->gauges.anon_pages++;
	g->counters.pgfault++;
}

/* Models do_anonymous_page behind its PTE page; also a write to the zero page. */
static inline enum guest_status fault_anon(struct run *r, struct pte_table *t,
					   unsigned int i)
{
	struct guest *g = r->g;
	const pfn_t pfn = get_page(r, 0, r->g->gfp_anon);

	if (unlikely(pfn == PFN_NONE))
		return r->status;
	anon_map(r, t, i, pfn);
	r->work->faults_anon++;
	if (unlikely(g->cfg.known_zero != NULL) &&
	    bitmap_test(g->cfg.known_zero, pfn)) {
		touch_add(g->cfg.touches, pfn, 0, TOUCH_WRITE);
		g->counters.pages_zero_skipped++;
		r->work->zero_skipped++;
		return GUEST_DONE;
	}
	touch_add(g->cfg.touches, pfn, 0, TOUCH_ZERO);
	g->counters.pages_zeroed++;
	r->work->zeroed_pages++;
	return GUEST_DONE;
}

static enum guest_status fault_zero_page(struct run *r, struct pte_table *t,
					 unsigned int i)
{
	t->pte[i] = PTE_ZERO;
	t->nr++;
	r->g->counters.pgfault++;
	r->work->faults_read++;
	return GUEST_DONE;
}

static uint64_t file_index(const struct vma *vma, uint64_t addr)
{
	return vma->pgoff + bytes_to_pages(addr - vma->start);
}

static void file_unmap(struct run *r, const struct vma *vma,
		       struct pte_table *t, uint64_t addr)
{
	const unsigned int i = pte_index(addr);

	bitmap_clear(t->file, i);
	filemap_map(r->g, vma->file, file_index(vma, addr), -1);
}

/* The copy of a fault, which an earlier try may have got already. */
static inline pfn_t copy_page_get(struct run *r)
{
	if (unlikely(r->op->scratch[SCRATCH_HELD] != 0))
		return held_page(r);
	return get_page(r, 0, r->g->gfp_copy);
}

/* The fault waits or fails after it got its copy. */
static enum guest_status copy_failed(struct run *r, pfn_t copy)
{
	hold_page(r, copy);
	return hold_failed(r, 0);
}

static inline void copy_map(struct run *r, struct pte_table *t, unsigned int i,
		     pfn_t from, pfn_t copy)
{
	struct guest *g = r->g;

	touch_add(g->cfg.touches, from, 0, TOUCH_READ);
	touch_add(g->cfg.touches, copy, 0, TOUCH_WRITE);
	anon_map(r, t, i, copy);
	g->counters.pages_copied++;
	r->work->copied_pages++;
	r->work->faults_cow++;
	if (unlikely(r->op->scratch[SCRATCH_HELD] != 0))
		hold_end(r);
}

/*
 * Models do_cow_fault: the copy first, then the PTE page, then the page of the
 * file, if it is not cached.
 */
static enum guest_status fault_cow(struct run *r, const struct vma *vma,
				   struct pmd_table *pmd, uint64_t addr)
{
	const pfn_t copy = copy_page_get(r);
	struct pte_table *t;
	pfn_t from;

	if (copy == PFN_NONE)
		return r->status;
	t = pte_alloc(r, pmd, addr);
	if (!t)
		return copy_failed(r, copy);
	from = filemap_fault(r, vma->file, file_index(vma, addr));
	if (from == PFN_NONE)
		return copy_failed(r, copy);
	copy_map(r, t, pte_index(addr), from, copy);
	return GUEST_DONE;
}

/* The same behind a PTE page that is there. */
static inline enum guest_status fault_cow_pte(struct run *r,
					      const struct vma *vma,
					      struct pte_table *t,
					      uint64_t addr)
{
	const uint64_t index = file_index(vma, addr);
	const pfn_t copy = copy_page_get(r);
	pfn_t from;

	if (unlikely(copy == PFN_NONE))
		return r->status;
	from = filemap_get(r->g, vma->file, index);
	if (unlikely(from == PFN_NONE)) {
		from = filemap_fault(r, vma->file, index);
		if (from == PFN_NONE)
			return copy_failed(r, copy);
	}
	copy_map(r, t, pte_index(addr), from, copy);
	return GUEST_DONE;
}

/* Models wp_page_copy of a cached page that was mapped by a read. */
static enum guest_status fault_wp(struct run *r, const struct vma *vma,
				  struct pte_table *t, uint64_t addr)
{
	const unsigned int i = pte_index(addr);
	const pfn_t copy = copy_page_get(r);

	if (copy == PFN_NONE)
		return r->status;
	file_unmap(r, vma, t, addr);
	copy_map(r, t, i, t->pte[i], copy);
	return GUEST_DONE;
}

/* Models do_read_fault. */
static enum guest_status fault_read_file(struct run *r, const struct vma *vma,
					 struct pte_table *t, uint64_t addr)
{
	const uint64_t index = file_index(vma, addr);
	const pfn_t pfn = filemap_fault(r, vma->file, index);
	const unsigned int i = pte_index(addr);

	if (pfn == PFN_NONE)
		return r->status;
	t->pte[i] = pfn;
	t->nr++;
	bitmap_set(t->file, i);
	filemap_map(r->g, vma->file, index, 1);
	touch_data(r, pfn, 0);
	r->g->counters.pgfault++;
	r->work->faults_read++;
	return GUEST_DONE;
}

static inline struct vma *vma_of(struct run *r, uint64_t addr)
{
	struct vma *vma = vma_find(r->mm, addr);

	CHECK_MSG(vma != NULL, "access to %#llx outside every mapping",
		  (unsigned long long)addr);
	return vma;
}

/* One page of a range that a PTE table covers. */
static inline enum guest_status touch_pte(struct run *r, const struct vma *vma,
				   struct pte_table *t, uint64_t addr)
{
	const unsigned int i = pte_index(addr);
	const pfn_t pfn = t->pte[i];
	const bool is_file = vma->flags & GUEST_MAP_FILE;

	if (pfn == PTE_NONE) {
		if (!is_file)
			return likely(writes(r)) ? fault_anon(r, t, i) :
						   fault_zero_page(r, t, i);
		if (!writes(r))
			return fault_read_file(r, vma, t, addr);
		return fault_cow_pte(r, vma, t, addr);
	}
	if (pfn == PTE_ZERO)
		return writes(r) ? fault_anon(r, t, i) : GUEST_DONE;
	if (writes(r) && is_file && bitmap_test(t->file, i))
		return fault_wp(r, vma, t, addr);
	touch_data(r, pfn, 0);
	return GUEST_DONE;
}

static inline void pages_touched(struct run *r, uint32_t nr)
{
	r->op->cursor += pages_to_bytes(nr);
	r->op->stage = 0;
	r->work->touched_pages += nr;
	r->budget--;
}

/* Data access to what a huge page maps of [addr, end). */
static enum guest_status touch_huge(struct run *r, pfn_t huge, uint64_t addr,
				    uint64_t end)
{
	const uint32_t first = pte_index(addr);
	const uint32_t nr = (uint32_t)bytes_to_pages(end - addr);

	if (nr == HPAGE_PMD_NR) {
		touch_data(r, huge, HPAGE_PMD_ORDER);
	} else {
		if (!touch_room(r->g->cfg.touches, nr))
			return GUEST_MORE;
		for (uint32_t i = 0; i < nr; i++)
			touch_data(r, huge + first + i, 0);
	}
	pages_touched(r, nr);
	return GUEST_DONE;
}

/*
 * The first fault of a PMD range, or a range that a huge page maps. Where PTEs
 * map it this only finds their table: the caller comes back with it.
 */
static enum guest_status touch_pmd(struct run *r, uint64_t addr, uint64_t end)
{
	struct vma *vma = vma_of(r, addr);
	struct pmd_table *pmd = pmd_alloc(r, addr);
	enum guest_status status;
	struct pte_table *t;

	if (!pmd)
		return r->status;
	if (pmd->huge[pmd_index(addr)] != PFN_NONE)
		return touch_huge(r, pmd->huge[pmd_index(addr)], addr, end);
	if (writes(r) && !(r->op->stage & STAGE_SMALL) &&
	    !pmd->table[pmd_index(addr)] && thp_fits(r->g, vma, addr)) {
		status = fault_huge(r, vma, pmd, addr);
		if (status == GUEST_DONE)
			pages_touched(r, (uint32_t)bytes_to_pages(end - addr));
		if (status != GUEST_MORE)
			return status;
		r->op->stage |= STAGE_SMALL;
	}
	if ((vma->flags & GUEST_MAP_FILE) && writes(r) &&
	    !pmd->table[pmd_index(addr)]) {
		status = fault_cow(r, vma, pmd, addr);
		if (status == GUEST_DONE)
			pages_touched(r, 1);
		return status;
	}
	t = pte_alloc(r, pmd, addr);
	if (!t)
		return r->status;
	r->mm->walk_base = addr & ~(HPAGE_PMD_SIZE - 1);
	r->mm->walk_table = t;
	return GUEST_DONE;
}

static inline bool walk_covers(const struct guest_mm *mm, uint64_t addr)
{
	return (addr & ~(HPAGE_PMD_SIZE - 1)) == mm->walk_base;
}

enum guest_status fault_run(struct run *r)
{
	const struct guest_op *op = r->op;
	const uint64_t end = op->addr + op->len;

	while (op->cursor < op->len) {
		const uint64_t addr = op->addr + op->cursor;
		enum guest_status status;

		if (!r->budget ||
		    !touch_room(r->g->cfg.touches, TOUCHES_PER_STEP))
			return GUEST_MORE;
		if (likely(walk_covers(r->mm, addr))) {
			status = touch_pte(r, vma_of(r, addr),
					   r->mm->walk_table, addr);
			if (likely(status == GUEST_DONE))
				pages_touched(r, 1);
		} else {
			const uint64_t stop = entry_end(addr, PMD_SHIFT);

			status = touch_pmd(r, addr, stop < end ? stop : end);
		}
		if (status != GUEST_DONE)
			return status;
	}
	return GUEST_DONE;
}
