/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * guest_check(): every invariant of the guest kernel's state against a full
 * walk. What is mapped is allocated and mapped once, what is mapped lies in a
 * mapping, LRU marks and batches complete each other, gauges equal the walk.
 *
 * Pages on their way out (gathered by an operation that is not done) belong to
 * nobody here; they may still carry their LRU mark.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "guest/deferred_split.h"

struct walk {
	const struct guest *g;
	uint64_t *seen;       /* bit per PFN: has an owner */
	uint64_t *batched;    /* bit per PFN: waits in an LRU batch */
	uint64_t *anon;       /* bit per PFN: mapped for a task; or NULL */
	pfn_t end;
	struct guest_gauges found;
	const char *error;
};

__attribute__((format(printf, 2, 3)))
static void complain(struct walk *w, const char *fmt, ...)
{
	static _Thread_local char text[160];
	va_list ap;

	if (w->error)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	w->error = text;
}

/* This page has exactly one owner, and the allocator agrees that it has one. */
static void own(struct walk *w, pfn_t pfn, unsigned int order,
		const char *what)
{
	if (pfn >= w->end || order_nr_pages(order) > w->end - pfn) {
		complain(w, "%s %u is beyond the end", what, pfn);
		return;
	}
	if (!alloc_block_is_allocated(w->g->alloc, pfn, order))
		complain(w, "%s %u order %u is not allocated", what, pfn,
			 order);
	if (bitmap_count_range(w->seen, pfn, order_nr_pages(order)))
		complain(w, "%s %u order %u is owned twice", what, pfn, order);
	bitmap_set_range(w->seen, pfn, order_nr_pages(order));
}

static void note_anon(struct walk *w, pfn_t pfn, unsigned int order)
{
	if (w->anon && pfn < w->end && order_nr_pages(order) <= w->end - pfn)
		bitmap_set_range(w->anon, pfn, order_nr_pages(order));
}

/* A user or cache page is on the LRU, or waits in exactly one batch. */
static void check_lru(struct walk *w, pfn_t pfn, const char *what)
{
	if (pfn < w->end && alloc_test_lru(w->g->alloc, pfn) ==
				    bitmap_test(w->batched, pfn))
		complain(w, "%s %u: LRU mark %d, batched %d", what, pfn,
			 alloc_test_lru(w->g->alloc, pfn),
			 bitmap_test(w->batched, pfn));
}

static void check_batch(struct walk *w, const struct lru_batch *b)
{
	if (b->nr >= w->g->lru_batch_size)
		complain(w, "LRU batch holds %u pages", b->nr);
	for (unsigned int i = 0; i < b->nr; i++) {
		if (bitmap_test(w->batched, b->pfn[i]))
			complain(w, "page %u is batched twice", b->pfn[i]);
		bitmap_set(w->batched, b->pfn[i]);
		if (b->orphans >> i & 1)
			own(w, b->pfn[i], 0, "orphan");
	}
}

static void check_cache(struct walk *w, const struct guest_file *f)
{
	uint64_t found = 0;

	for (uint64_t i = 0; f->used && i < f->nr_pages; i++) {
		const struct cache_chunk *c = f->chunks[i / PTRS_PER_TABLE];
		const pfn_t pfn = c ? c->pfn[i % PTRS_PER_TABLE] : PFN_NONE;

		if (pfn == PFN_NONE)
			continue;
		own(w, pfn, 0, "cache page");
		check_lru(w, pfn, "cache page");
		found++;
	}
	if (found != f->nr_cached)
		complain(w, "file has %llu cached pages, its count is %llu",
			 (unsigned long long)found,
			 (unsigned long long)f->nr_cached);
	w->found.file_pages += found;
}

static const struct vma *vma_at(const struct guest_mm *mm, uint64_t addr)
{
	for (uint32_t i = 0; i < mm->nr_vmas; i++)
		if (mm->vmas[i].start <= addr && addr < mm->vmas[i].end)
			return &mm->vmas[i];
	return NULL;
}

static void check_piece(struct walk *w, pfn_t pfn)
{
	const pfn_t huge = pfn_align_down(pfn, HPAGE_PMD_ORDER);

	/* The block is owned by all its pieces: only the page is marked. */
	if (bitmap_test(w->seen, pfn))
		complain(w, "piece %u is owned twice", pfn);
	bitmap_set(w->seen, pfn);
	if (!alloc_block_is_allocated(w->g->alloc, huge, HPAGE_PMD_ORDER))
		complain(w, "split huge page %u is not allocated", huge);
}

static void check_pte(struct walk *w, const struct pte_table *t,
		      unsigned int i, unsigned int *pieces)
{
	const pfn_t pfn = t->pte[i];

	if (pfn == PTE_ZERO || bitmap_test(t->file, i))
		return;
	w->found.anon_pages++;
	note_anon(w, pfn, 0);
	if (pfn < w->end && t->nr_pieces &&
	    w->g->piece_refs[pfn_region(pfn)]) {
		check_piece(w, pfn);
		++*pieces;
	} else {
		own(w, pfn, 0, "anonymous page");
	}
	check_lru(w, pfn, "anonymous page");
}

static void check_pte_table(struct walk *w, const struct guest_mm *mm,
			    const struct pte_table *t, uint64_t base)
{
	unsigned int found = 0, pieces = 0;

	own(w, t->pfn, 0, "PTE page");
	w->found.table_pages++;
	for (unsigned int i = 0; i < PTRS_PER_TABLE; i++) {
		if (t->pte[i] == PTE_NONE)
			continue;
		found++;
		check_pte(w, t, i, &pieces);
		if (!vma_at(mm, base + pages_to_bytes(i)))
			complain(w, "page %u is mapped outside every mapping",
				 t->pte[i]);
	}
	if (found != t->nr || pieces != t->nr_pieces)
		complain(w, "PTE page %u: %u entries and %u pieces, counted "
			 "%u and %u", t->pfn, found, pieces, t->nr,
			 t->nr_pieces);
}

static void check_pmd_table(struct walk *w, const struct guest_mm *mm,
			    const struct pmd_table *t, uint64_t base)
{
	unsigned int nr_huge = 0;

	own(w, t->pfn, 0, "PMD page");
	for (unsigned int i = 0; i < PTRS_PER_TABLE; i++) {
		if (t->table[i])
			check_pte_table(w, mm, t->table[i],
					base + ((uint64_t)i << PMD_SHIFT));
		if (t->huge[i] == PFN_NONE)
			continue;
		if (t->table[i])
			complain(w, "PMD page %u: entry %u is huge and a table",
				 t->pfn, i);
		nr_huge++;
		own(w, t->huge[i], HPAGE_PMD_ORDER, "huge page");
		note_anon(w, t->huge[i], HPAGE_PMD_ORDER);
		check_lru(w, t->huge[i], "huge page");
	}
	if (nr_huge != t->nr_deposit)
		complain(w, "PMD page %u: %u huge pages, %u deposited tables",
			 t->pfn, nr_huge, t->nr_deposit);
	for (unsigned int i = 0; i < t->nr_deposit; i++)
		own(w, t->deposit[(t->deposit_first + i) % PTRS_PER_TABLE], 0,
		    "deposited page");
	w->found.anon_thp += nr_huge;
	w->found.anon_pages += (uint64_t)nr_huge * HPAGE_PMD_NR;
	w->found.table_pages += 1 + t->nr_deposit;
}

static void check_vmas(struct walk *w, const struct guest_mm *mm)
{
	for (uint32_t i = 0; i < mm->nr_vmas; i++) {
		const struct vma *v = &mm->vmas[i];

		if (v->start >= v->end || v->end > TASK_SIZE ||
		    (i && mm->vmas[i - 1].end > v->start))
			complain(w, "mapping %u is out of order", i);
	}
}

static void check_mm(struct walk *w, const struct guest_mm *mm)
{
	check_vmas(w, mm);
	own(w, mm->pgd, 0, "PGD");
	for (uint32_t i = 0; i < mm->nr_held; i++)
		own(w, mm->held[i].pfn, mm->held[i].order, "held page");
	w->found.table_pages++;
	for (unsigned int i = 0; i < PGD_USER_PTRS; i++) {
		const struct pud_table *pud = mm->pud[i];

		if (!pud)
			continue;
		own(w, pud->pfn, 0, "PUD page");
		w->found.table_pages++;
		for (unsigned int j = 0; j < PTRS_PER_TABLE; j++)
			if (pud->table[j])
				check_pmd_table(w, mm, pud->table[j],
						(uint64_t)i << PGDIR_SHIFT |
						(uint64_t)j << PUD_SHIFT);
	}
}

static void check_gauges(struct walk *w)
{
	const struct guest_gauges *g = &w->g->gauges;

	if (w->found.anon_pages != g->anon_pages ||
	    w->found.anon_thp != g->anon_thp ||
	    w->found.file_pages != g->file_pages ||
	    w->found.table_pages != g->table_pages)
		complain(w, "gauges: walk finds anon %llu thp %llu file %llu "
			 "tables %llu, counted %llu %llu %llu %llu",
			 (unsigned long long)w->found.anon_pages,
			 (unsigned long long)w->found.anon_thp,
			 (unsigned long long)w->found.file_pages,
			 (unsigned long long)w->found.table_pages,
			 (unsigned long long)g->anon_pages,
			 (unsigned long long)g->anon_thp,
			 (unsigned long long)g->file_pages,
			 (unsigned long long)g->table_pages);
}

static void check_all(struct walk *w)
{
	const struct guest *g = w->g;

	for (unsigned int cpu = 0; cpu < g->cfg.nr_cpus; cpu++)
		check_batch(w, &g->lru[cpu]);
	for (uint32_t i = 0; i < g->nr_mms; i++)
		if (g->mms[i])
			check_mm(w, g->mms[i]);
	for (uint32_t i = 0; i < g->nr_files; i++)
		check_cache(w, &g->files[i]);
	check_gauges(w);
	if (deferred_split_check(g))
		complain(w, "%s", deferred_split_check(g));
}

const char *guest_check_anon(const struct guest *g, uint64_t *anon)
{
	struct walk w = { .g = g, .anon = anon,
			  .end = alloc_end_pfn(g->alloc) };
	const size_t words = BITMAP_WORDS(w.end);

	w.seen = calloc(words, sizeof(*w.seen));
	w.batched = calloc(words, sizeof(*w.batched));
	if (w.seen && w.batched)
		check_all(&w);
	else
		complain(&w, "no host memory for the check");
	free(w.seen);
	free(w.batched);
	return w.error;
}

const char *guest_check(const struct guest *g)
{
	return guest_check_anon(g, NULL);
}
