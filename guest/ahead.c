/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Steps in runs. Faults: what do_anonymous_page and do_cow_fault (guest/fault.c) do
 * for page after page when the PTE page is there, the CPU's own list has free
 * pages and the page cache has what is to be copied. Such a fault reads and
 * writes the address space of its task, the page list and the LRU batch of its
 * CPU, and the LRU bits of the pages that it takes: nothing that a fault on
 * another CPU looks at, unless it counts the pages of a pageblock, which the
 * allocator announces (alloc_hooks.look_around).
 *
 * Left to the ordinary way: everything else, and batches with pages that are
 * freed when the batch is full.
 *
 * Unmapping: zap_pte_range (guest/zap.c), while it does nothing but move small
 * anonymous pages from a table to a gather array.
 */
#include <string.h>

#include "guest/rmap.h"
#include "include/minmax.h"

#define PTES_AT_ONCE 8u
/* A run is about as long as a refill. */
#define PFNS_PREFETCHED 64u
#define PFNS_PER_LINE 16u

/* What stands from i on in a table or a chunk is for the next run. */
static void prefetch_row(const pfn_t *row, unsigned int i)
{
	const unsigned int end = i + PFNS_PREFETCHED;

	for (; i < end && i < PTRS_PER_TABLE; i += PFNS_PER_LINE)
		__builtin_prefetch(&row[i]);
}

/* PTEs from i on that are empty, at most nr. */
static uint32_t empty_ptes(const struct pte_table *t, unsigned int i,
			   uint32_t nr)
{
	const pfn_t *pte = &t->pte[i];
	uint32_t n = 0;

	/* All bits of an empty PTE are set. */
	for (; n + PTES_AT_ONCE <= nr; n += PTES_AT_ONCE) {
		pfn_t all = PTE_NONE;

		for (unsigned int k = 0; k < PTES_AT_ONCE; k++)
			all &= pte[n + k];
		if (all != PTE_NONE)
			break;
	}
	while (n < nr && pte[n] == PTE_NONE)
		n++;
	prefetch_row(t->pte, i + n);
	return n;
}

/* Pages of the file from index on that are cached, at most nr. */
static uint32_t cached_pages(const struct guest *g, uint32_t file,
			     uint64_t index, uint32_t nr, pfn_t *out)
{
	const struct guest_file *f = &g->files[file];
	uint32_t n = 0;

	CHECK_LE(index + nr, f->nr_pages);
	while (n < nr) {
		const struct cache_chunk *c =
			f->chunks[(index + n) / PTRS_PER_TABLE];
		const uint32_t first = (index + n) % PTRS_PER_TABLE;
		uint32_t end = n + PTRS_PER_TABLE - first;

		if (!c)
			break;
		if (end > nr)
			end = nr;
		memcpy(out + n, &c->pfn[first], (end - n) * sizeof(*out));
		prefetch_row(c->pfn, first + (end - n));
		while (n < end && out[n] != PFN_NONE)
			n++;
		if (n < end)
			break;
	}
	return n;
}

/* Pages of the file from index on that are not, within one chunk. */
static uint32_t missing_pages(const struct guest *g, uint32_t file,
			      uint64_t index, uint32_t nr)
{
	const struct guest_file *f = &g->files[file];
	const struct cache_chunk *c = f->chunks[index / PTRS_PER_TABLE];
	const uint32_t first = index % PTRS_PER_TABLE;
	uint32_t n = 0;

	CHECK_LE(index + nr, f->nr_pages);
	if (!c)
		return 0;
	if (nr > PTRS_PER_TABLE - first)
		nr = PTRS_PER_TABLE - first;
	while (n < nr && c->pfn[first + n] == PFN_NONE)
		n++;
	return n;
}

static uint64_t file_page(const struct vma *vma, uint64_t addr)
{
	return vma->pgoff + bytes_to_pages(addr - vma->start);
}

/* Pages from addr on behind the same table, in the VMA and in the operation. */
static uint32_t pages_in_reach(const struct guest_op *op,
			       const struct vma *vma, uint64_t addr)
{
	uint64_t end = min_u64(entry_end(addr, PMD_SHIFT), vma->end);

	end = min_u64(end, op->addr + op->len);
	return (uint32_t)min_u64(bytes_to_pages(end - addr), GUEST_AHEAD_MAX);
}

/* The VMA found last, if it is the one; the search would note what it found. */
static const struct vma *vma_hinted(const struct guest_mm *mm, uint64_t addr)
{
	const struct vma *vma;

	if (mm->vma_hint >= mm->nr_vmas)
		return NULL;
	vma = &mm->vmas[mm->vma_hint];
	return addr >= vma->start && addr < vma->end ? vma : NULL;
}

/* Of a GUEST_TOUCH. */
static bool is_plain_write(const struct guest_op *op)
{
	return !(op->flags & GUEST_TOUCH_READ) &&
	       op->scratch[SCRATCH_SLOW] == 0 &&
	       op->scratch[SCRATCH_HELD] == 0;
}

static uint32_t anon_look(const struct guest *g, const struct pte_table *t,
			  uint64_t addr, unsigned int cpu, uint32_t nr,
			  struct guest_ahead *ahead)
{
	ahead->kind = GUEST_AHEAD_ANON;
	nr = alloc_run_look(g->alloc, cpu, g->gfp_anon, ahead->pfn, nr);
	return empty_ptes(t, pte_index(addr), nr);
}

/* Write faults of a private file mapping: all cached, or none. */
static uint32_t copies_look(const struct guest *g, const struct pte_table *t,
			    uint64_t addr, unsigned int cpu,
			    const struct vma *vma, uint32_t nr,
			    struct guest_ahead *ahead)
{
	const uint64_t index = file_page(vma, addr);

	if (filemap_get(g, vma->file, index) != PFN_NONE) {
		ahead->kind = GUEST_AHEAD_COPY;
		nr = alloc_run_look(g->alloc, cpu, g->gfp_copy, ahead->pfn,
				    nr);
		nr = empty_ptes(t, pte_index(addr), nr);
		return cached_pages(g, vma->file, index, nr, ahead->from);
	}
	ahead->kind = GUEST_AHEAD_FILL;
	nr = missing_pages(g, vma->file, index,
			   nr < GUEST_AHEAD_MAX / 2 ? nr : GUEST_AHEAD_MAX / 2);
	nr = empty_ptes(t, pte_index(addr), nr);
	return alloc_run_look(g->alloc, cpu, g->gfp_copy, ahead->pfn, 2 * nr) /
	       2;
}

static uint32_t faults_look(const struct guest *g, const struct guest_op *op,
			    unsigned int cpu, struct guest_ahead *ahead)
{
	const struct guest_mm *mm = g->mms[op->mm];
	const uint64_t addr = op->addr + op->cursor;
	const struct vma *vma;

	if (!is_plain_write(op) || op->cursor >= op->len ||
	    mm->walk_base != (addr & ~(HPAGE_PMD_SIZE - 1)) ||
	    g->lru[cpu].orphans)
		return 0;
	/* Most that fail do so at the first page. */
	vma = vma_hinted(mm, addr);
	if (!vma || mm->walk_table->pte[pte_index(addr)] != PTE_NONE)
		return 0;
	if (!(vma->flags & GUEST_MAP_FILE))
		return anon_look(g, mm->walk_table, addr, cpu,
				 pages_in_reach(op, vma, addr), ahead);
	return copies_look(g, mm->walk_table, addr, cpu, vma,
			   pages_in_reach(op, vma, addr), ahead);
}

uint32_t guest_ahead_look(const struct guest *g, const struct guest_op *op,
			  unsigned int cpu, uint32_t budget,
			  struct guest_ahead *ahead)
{
	switch (op->kind) {
	case GUEST_TOUCH:
		ahead->nr = faults_look(g, op, cpu, ahead);
		break;
	case GUEST_MUNMAP:
	case GUEST_MADV_DONTNEED:
	case GUEST_EXIT:
		ahead->kind = GUEST_AHEAD_ZAP;
		ahead->budget = budget;
		ahead->nr = zap_ahead_look(g, op, budget);
		break;
	default:
		ahead->nr = 0;
	}
	return ahead->nr;
}

static void lru_add_run(struct guest *g, unsigned int cpu, const pfn_t *pfn,
			uint32_t nr, struct guest_work *work)
{
	struct lru_batch *b = &g->lru[cpu];

	while (nr) {
		uint32_t part = g->lru_batch_size - b->nr;

		if (part > nr)
			part = nr;
		memcpy(&b->pfn[b->nr], pfn, part * sizeof(*pfn));
		b->nr += part;
		pfn += part;
		nr -= part;
		if (b->nr == g->lru_batch_size)
			lru_flush(g, cpu, work);
	}
}

static void rmap_run(struct guest *g, uint32_t mm, uint64_t addr,
		     const pfn_t *pfn, uint32_t nr)
{
	const uint64_t word = rmap_word(OWNER_ANON, mm, bytes_to_pages(addr));

	for (uint32_t i = 0; i < nr; i++)
		g->rmap[pfn[i]] = word + i * RMAP_NEXT_INDEX;
}

/* Every other page goes to the cache, the one before it is its copy. */
static void file_fill(struct guest *g, const struct guest_mm *mm, uint64_t addr,
		      const struct guest_ahead *ahead, uint32_t nr,
		      pfn_t *copies, pfn_t *lru)
{
	const struct vma *vma = vma_hinted(mm, addr);
	struct guest_file *f;
	uint64_t index;
	pfn_t *cache;

	/* The look found it there, and nothing has happened since. */
	CHECK(vma);
	f = &g->files[vma->file];
	index = file_page(vma, addr);
	cache = &f->chunks[index / PTRS_PER_TABLE]
			 ->pfn[index % PTRS_PER_TABLE];
	for (uint32_t i = 0; i < nr; i++) {
		rmap_set(g, ahead->pfn[2 * i + 1], OWNER_FILE, vma->file,
			 index + i);
		copies[i] = lru[2 * i + 1] = ahead->pfn[2 * i];
		cache[i] = lru[2 * i] = ahead->pfn[2 * i + 1];
	}
	f->nr_cached += nr;
	g->gauges.file_pages += nr;
	g->counters.pages_zeroed += nr;
}

static void faults_run(struct guest *g, struct guest_op *op, unsigned int cpu,
		       const struct guest_ahead *ahead, uint32_t nr)
{
	const bool anon = ahead->kind == GUEST_AHEAD_ANON;
	const bool fill = ahead->kind == GUEST_AHEAD_FILL;
	const uint64_t addr = op->addr + op->cursor;
	struct guest_mm *mm = g->mms[op->mm];
	struct pte_table *t = mm->walk_table;
	pfn_t copies[GUEST_AHEAD_MAX / 2], lru[GUEST_AHEAD_MAX];
	struct guest_work work = { 0 };

	alloc_run_take(g->alloc, cpu, anon ? g->gfp_anon : g->gfp_copy,
		       ahead->pfn, fill ? 2 * nr : nr);
	if (fill)
		file_fill(g, mm, addr, ahead, nr, copies, lru);
	memcpy(&t->pte[pte_index(addr)], fill ? copies : ahead->pfn,
	       nr * sizeof(*copies));
	t->nr = (uint16_t)(t->nr + nr);
	if (unlikely(g->rmap != NULL))
		rmap_run(g, op->mm, addr, fill ? copies : ahead->pfn, nr);
	lru_add_run(g, cpu, fill ? lru : ahead->pfn, fill ? 2 * nr : nr, &work);
	g->gauges.anon_pages += nr;
	g->counters.pgfault += nr;
	if (anon)
		g->counters.pages_zeroed += nr;
	else
		g->counters.pages_copied += nr;
	op->cursor += pages_to_bytes(nr);
	op->stage = 0;
}

void guest_ahead_run(struct guest *g, struct guest_op *op, unsigned int cpu,
		     const struct guest_ahead *ahead, uint32_t nr)
{
	CHECK(nr > 0 && nr <= ahead->nr);
	if (ahead->kind == GUEST_AHEAD_ZAP)
		zap_ahead_run(g, op, nr * ahead->budget);
	else
		faults_run(g, op, cpu, ahead, nr);
}

bool guest_ahead_allowed(const struct guest *g)
{
	/* Both kinds of fault ask for pages of the same zones. */
	return alloc_run_allowed(g->alloc, g->gfp_anon);
}
