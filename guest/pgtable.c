/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Page tables: mirrors of the guest's PUD, PMD and PTE pages and the guest
 * pages that hold them. Models pud_alloc, pmd_alloc, pte_alloc, the deposit of
 * PTE pages for huge pages (pgtable_trans_huge_deposit and _withdraw) and
 * free_pgd_range, 5.3 to 6.18.
 *
 * Left out: five-level tables, and the second PGD page that page-table
 * isolation needs.
 */
#include <stdlib.h>
#include <string.h>

#include "guest/internal.h"

pfn_t table_page_get(struct run *r)
{
	const pfn_t pfn = get_page(r, 0, r->g->gfp_table);

	if (pfn == PFN_NONE)
		return PFN_NONE;
	touch_add(r->g->cfg.touches, pfn, 0, TOUCH_TABLE);
	r->work->table_pages++;
	r->g->gauges.table_pages++;
	return pfn;
}

struct pte_table *pte_table_new(struct guest *g, pfn_t pfn)
{
	struct pte_table *t = g->free_pte;

	if (t) {
		/* Emptied entry by entry before it was given back. */
		g->free_pte = t->next_free;
	} else {
		t = host_memory(g, calloc(1, sizeof(*t)));
		if (!t)
			return NULL;
		memset(t->pte, 0xff, sizeof(t->pte));
	}
	t->pfn = pfn;
	t->next_free = NULL;
	return t;
}

void pte_tables_put(struct guest *g, struct pte_table *list)
{
	while (list) {
		struct pte_table *t = list;

		list = t->next_free;
		t->next_free = g->free_pte;
		g->free_pte = t;
	}
}

static struct pmd_table *pmd_table_new(struct guest *g)
{
	struct pmd_table *t = g->free_pmd;

	if (t) {
		g->free_pmd = t->next_free;
		return t;
	}
	t = host_memory(g, calloc(1, sizeof(*t)));
	if (t)
		memset(t->huge, 0xff, sizeof(t->huge));
	return t;
}

static struct pud_table *pud_table_new(struct guest *g)
{
	struct pud_table *t = g->free_pud;

	if (t) {
		g->free_pud = t->next_free;
		return t;
	}
	return host_memory(g, calloc(1, sizeof(*t)));
}

/* A table of ours cannot be had from the host: as if the guest had no page. */
static void *no_mirror(struct run *r)
{
	r->status = GUEST_NOMEM;
	return NULL;
}

static struct pud_table *pud_alloc(struct run *r, uint64_t addr)
{
	struct pud_table **slot = &r->mm->pud[pgd_index(addr)];
	struct pud_table *t = *slot;
	pfn_t pfn;

	if (likely(t != NULL))
		return t;
	t = pud_table_new(r->g);
	if (!t)
		return no_mirror(r);
	pfn = table_page_get(r);
	if (pfn == PFN_NONE) {
		t->next_free = r->g->free_pud;
		r->g->free_pud = t;
		return NULL;
	}
	t->pfn = pfn;
	*slot = t;
	return t;
}

struct pmd_table *pmd_alloc(struct run *r, uint64_t addr)
{
	struct pud_table *pud = pud_alloc(r, addr);
	struct pmd_table *t;
	pfn_t pfn;

	if (!pud)
		return NULL;
	t = pud->table[pud_index(addr)];
	if (likely(t != NULL))
		return t;
	t = pmd_table_new(r->g);
	if (!t)
		return no_mirror(r);
	pfn = table_page_get(r);
	if (pfn == PFN_NONE) {
		t->next_free = r->g->free_pmd;
		r->g->free_pmd = t;
		return NULL;
	}
	t->pfn = pfn;
	pud->table[pud_index(addr)] = t;
	return t;
}

struct pte_table *pte_alloc(struct run *r, struct pmd_table *pmd,
			    uint64_t addr)
{
	struct pte_table *t = pmd->table[pmd_index(addr)];
	pfn_t pfn;

	if (t)
		return t;
	t = pte_table_new(r->g, PFN_NONE);
	if (!t)
		return no_mirror(r);
	pfn = table_page_get(r);
	if (pfn == PFN_NONE) {
		t->next_free = r->g->free_pte;
		r->g->free_pte = t;
		return NULL;
	}
	t->pfn = pfn;
	pmd->table[pmd_index(addr)] = t;
	return t;
}

static unsigned int ring(unsigned int i)
{
	return i % PTRS_PER_TABLE;
}

/*
 * The kernel links a new PTE page behind the one that would be withdrawn next
 * and then makes the new one the next; so the last page deposited comes out
 * first, and after it the others, oldest first.
 */
void pgtable_deposit(struct pmd_table *pmd, pfn_t pfn)
{
	const unsigned int first = pmd->deposit_first;

	CHECK_LT(pmd->nr_deposit, PTRS_PER_TABLE);
	if (pmd->nr_deposit)
		pmd->deposit[ring(first + pmd->nr_deposit)] =
			pmd->deposit[first];
	pmd->deposit[first] = pfn;
	pmd->nr_deposit++;
}

pfn_t pgtable_withdraw(struct pmd_table *pmd)
{
	const unsigned int first = pmd->deposit_first;

	CHECK(pmd->nr_deposit > 0);
	pmd->nr_deposit--;
	pmd->deposit_first = (uint16_t)ring(first + 1);
	return pmd->deposit[first];
}

static bool within(uint64_t addr, unsigned int shift, uint64_t floor,
		   uint64_t ceiling)
{
	return (addr >> shift) << shift >= floor &&
	       entry_end(addr, shift) <= ceiling;
}

static void table_gathered(struct run *r, struct gather *ga, pfn_t pfn,
			   bool *full)
{
	*full = gather_add(r, ga, pfn, GATHER_TABLE);
	r->g->gauges.table_pages--;
}

static void pte_table_free(struct run *r, struct pmd_table *pmd, uint64_t addr)
{
	struct pte_table *t = pmd->table[pmd_index(addr)];

	CHECK_EQ(t->nr, 0);
	pmd->table[pmd_index(addr)] = NULL;
	if (r->mm->walk_table == t)
		r->mm->walk_base = UINT64_MAX;
	t->next_free = r->g->free_pte;
	r->g->free_pte = t;
}

/* The next PTE page of this PMD page in [*cursor, end) that may go. */
static bool free_pte_next(struct run *r, struct gather *ga,
			  struct pmd_table *pmd, uint64_t *cursor,
			  uint64_t end, uint64_t floor, uint64_t ceiling,
			  bool *full)
{
	const uint64_t stop = entry_end(*cursor, PUD_SHIFT);
	uint64_t addr = *cursor;

	for (; addr < end && addr < stop; addr = entry_end(addr, PMD_SHIFT)) {
		const struct pte_table *t = pmd->table[pmd_index(addr)];

		if (!t || !within(addr, PMD_SHIFT, floor, ceiling))
			continue;
		table_gathered(r, ga, t->pfn, full);
		pte_table_free(r, pmd, addr);
		*cursor = addr;
		return true;
	}
	return false;
}

static void pmd_table_free(struct guest *g, struct pmd_table *t)
{
	CHECK_EQ(t->nr_deposit, 0);
	t->next_free = g->free_pmd;
	g->free_pmd = t;
}

/*
 * PTE pages of a PMD page ascending, then the PMD page; after the last PMD
 * page of a PUD page the PUD page. The cursor moves on when a PMD range is
 * through.
 */
bool pgtable_free_next(struct run *r, struct gather *ga, uint64_t *cursor,
		       uint64_t end, uint64_t floor, uint64_t ceiling,
		       bool *full)
{
	while (*cursor < end) {
		const uint64_t addr = *cursor;
		struct pud_table **pud = &r->mm->pud[pgd_index(addr)];
		struct pmd_table *pmd;
		uint64_t next = entry_end(addr, PUD_SHIFT);

		if (!*pud) {
			*cursor = entry_end(addr, PGDIR_SHIFT);
			continue;
		}
		pmd = (*pud)->table[pud_index(addr)];
		if (pmd && free_pte_next(r, ga, pmd, cursor, end, floor,
					 ceiling, full))
			return true;
		if (pmd && within(addr, PUD_SHIFT, floor, ceiling)) {
			(*pud)->table[pud_index(addr)] = NULL;
			table_gathered(r, ga, pmd->pfn, full);
			pmd_table_free(r->g, pmd);
			return true;
		}
		if ((next >= end || next == entry_end(addr, PGDIR_SHIFT)) &&
		    within(addr, PGDIR_SHIFT, floor, ceiling)) {
			table_gathered(r, ga, (*pud)->pfn, full);
			(*pud)->next_free = r->g->free_pud;
			r->g->free_pud = *pud;
			*pud = NULL;
			return true;
		}
		*cursor = next;
	}
	return false;
}

void pgtable_free_mirrors(struct guest_mm *mm)
{
	for (unsigned int i = 0; i < PGD_USER_PTRS; i++) {
		struct pud_table *pud = mm->pud[i];

		for (unsigned int j = 0; pud && j < PTRS_PER_TABLE; j++) {
			struct pmd_table *pmd = pud->table[j];

			for (unsigned int k = 0; pmd && k < PTRS_PER_TABLE;
			     k++)
				free(pmd->table[k]);
			free(pmd);
		}
		free(pud);
	}
}

void pgtable_free_pools(struct guest *g)
{
	while (g->free_pte) {
		struct pte_table *t = g->free_pte;

		g->free_pte = t->next_free;
		free(t);
	}
	while (g->free_pmd) {
		struct pmd_table *t = g->free_pmd;

		g->free_pmd = t->next_free;
		free(t);
	}
	while (g->free_pud) {
		struct pud_table *t = g->free_pud;

		g->free_pud = t->next_free;
		free(t);
	}
}
