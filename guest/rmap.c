/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who holds a page, and telling them that it has moved. Models what
 * rmap_walk_anon and rmap_walk_file find and what remove_migration_ptes does
 * to it, 5.3 to 6.18. An anonymous page has one mapping, as nothing forks with
 * memory here; the mappings of a file are found through its VMAs.
 */
#include <errno.h>
#include <stdlib.h>

#include "guest/rmap.h"

/*
 * Whatever is on the LRU when the guest starts belongs to tasks that are not
 * simulated: it can be moved, and nobody has to be told.
 */
static void adopt_lru_pages(struct guest *g)
{
	const pfn_t end = alloc_end_pfn(g->alloc);
	pfn_t pfn = 0;

	while (pfn < end) {
		if (alloc_zone_of(g->alloc, pfn) < 0) {
			pfn = pfn_align_down(pfn, HPAGE_PMD_ORDER) +
			      HPAGE_PMD_NR;
			continue;
		}
		if (alloc_is_free_head(g->alloc, pfn)) {
			pfn += order_nr_pages(alloc_block_order(g->alloc,
								pfn));
			continue;
		}
		if (alloc_test_lru(g->alloc, pfn))
			g->rmap_words[pfn] = rmap_word(OWNER_OTHER, 0, 0);
		pfn++;
	}
}

int rmap_create(struct guest *g)
{
	g->rmap_words = calloc(alloc_end_pfn(g->alloc),
			       sizeof(*g->rmap_words));
	if (!g->rmap_words)
		return -ENOMEM;
	adopt_lru_pages(g);
	return 0;
}

static void words_of_table(struct guest *g, uint32_t id,
			   const struct pte_table *t, uint64_t page)
{
	for (unsigned int i = 0; i < PTRS_PER_TABLE; i++) {
		const pfn_t pfn = t->pte[i];

		/* PTEs of a huge page say nothing: it is found by its region. */
		if (pfn < PTE_ZERO && !bitmap_test(t->file, i) &&
		    !g->piece_refs[pfn_region(pfn)])
			g->rmap[pfn] = rmap_word(OWNER_ANON, id, page + i);
	}
}

static void words_of_pmd(struct guest *g, uint32_t id,
			 const struct pmd_table *pmd, uint64_t page)
{
	for (unsigned int i = 0; i < PTRS_PER_TABLE; i++) {
		const pfn_t huge = pmd->huge[i];

		if (pmd->table[i])
			words_of_table(g, id, pmd->table[i], page);
		else if (huge != PFN_NONE)
			g->rmap[huge] = rmap_word(OWNER_HUGE, id, page);
		page += HPAGE_PMD_NR;
	}
}

static void words_of_mm(struct guest *g, uint32_t id)
{
	const struct guest_mm *mm = g->mms[id];

	for (uint32_t i = 0; mm && i < PGD_USER_PTRS; i++) {
		const struct pud_table *pud = mm->pud[i];

		for (uint32_t k = 0; pud && k < PTRS_PER_TABLE; k++)
			if (pud->table[k])
				words_of_pmd(g, id, pud->table[k],
					     bytes_to_pages(
						(uint64_t)i << PGDIR_SHIFT |
						(uint64_t)k << PUD_SHIFT));
	}
}

static void words_of_file(struct guest *g, uint32_t id)
{
	const struct guest_file *f = &g->files[id];

	for (uint64_t i = 0; f->used && i < f->nr_pages; i++) {
		const struct cache_chunk *c = f->chunks[i / PTRS_PER_TABLE];

		if (!c)
			i += PTRS_PER_TABLE - 1;
		else if (c->pfn[i % PTRS_PER_TABLE] != PFN_NONE)
			g->rmap[c->pfn[i % PTRS_PER_TABLE]] =
				rmap_word(OWNER_FILE, id, i);
	}
}

/*
 * What tables and caches say now is all that a word written earlier could be
 * believed in.
 */
void rmap_build(struct guest *g)
{
	g->rmap = g->rmap_words;
	for (uint32_t id = 0; id < g->nr_mms; id++)
		words_of_mm(g, id);
	for (uint32_t id = 0; id < g->nr_files; id++)
		words_of_file(g, id);
}

static void rmap_need(struct guest *g)
{
	if (unlikely(g->rmap == NULL))
		rmap_build(g);
}

/* Drivers name their pages once; that need not wait. */
static void set_driver(struct guest *g, pfn_t pfn, enum owner_kind kind)
{
	if (g->rmap_words)
		g->rmap_words[pfn] = rmap_word(kind, 0, 0);
}

struct pte_table *pte_table_at(const struct guest_mm *mm, uint64_t addr,
			       struct pmd_table **pmd)
{
	const struct pud_table *pud = mm->pud[pgd_index(addr)];

	*pmd = pud ? pud->table[pud_index(addr)] : NULL;
	return *pmd ? (*pmd)->table[pmd_index(addr)] : NULL;
}

void guest_movable_add(struct guest *g, pfn_t pfn)
{
	set_driver(g, pfn, OWNER_DRIVER);
	alloc_set_lru(g->alloc, pfn, 1, true);
}

void guest_movable_del(struct guest *g, pfn_t pfn)
{
	set_driver(g, pfn, OWNER_NONE);
	alloc_clear_lru(g->alloc, pfn);
}

static bool find_anon(struct guest *g, pfn_t pfn, struct owner *o)
{
	const uint64_t addr = pages_to_bytes(o->index);
	const struct guest_mm *mm = g->mms[o->id];
	struct pmd_table *pmd;
	struct pte_table *t;

	if (!mm)
		return false;
	t = pte_table_at(mm, addr, &pmd);
	if (!t || t->pte[pte_index(addr)] != pfn ||
	    bitmap_test(t->file, pte_index(addr)))
		return false;
	o->slot = &t->pte[pte_index(addr)];
	return true;
}

static bool find_file(struct guest *g, pfn_t pfn, struct owner *o)
{
	struct cache_chunk *c;

	if (!g->files[o->id].used ||
	    o->index >= g->files[o->id].nr_pages)
		return false;
	c = g->files[o->id].chunks[o->index / PTRS_PER_TABLE];
	if (!c || c->pfn[o->index % PTRS_PER_TABLE] != pfn)
		return false;
	o->slot = &c->pfn[o->index % PTRS_PER_TABLE];
	o->mapped = c->mapped[o->index % PTRS_PER_TABLE];
	return true;
}

void rmap_find(struct guest *g, pfn_t pfn, struct owner *out)
{
	bool found = false;
	uint64_t word;

	rmap_need(g);
	word = g->rmap[pfn];
	*out = (struct owner){
		.kind = word & ((1u << RMAP_KIND_BITS) - 1),
		.id = word >> RMAP_KIND_BITS & ((1u << RMAP_ID_BITS) - 1),
		.index = word >> (RMAP_KIND_BITS + RMAP_ID_BITS),
	};
	switch (out->kind) {
	case OWNER_ANON:
		found = find_anon(g, pfn, out);
		break;
	case OWNER_FILE:
		found = find_file(g, pfn, out);
		break;
	case OWNER_OTHER:
	case OWNER_DRIVER:
		found = true;
		break;
	case OWNER_HUGE:
	case OWNER_NONE:
		break;
	}
	if (!found)
		out->kind = OWNER_NONE;
}

pfn_t rmap_huge(struct guest *g, pfn_t pfn)
{
	const pfn_t huge = pfn_align_down(pfn, HPAGE_PMD_ORDER);
	const struct guest_mm *mm;
	struct pmd_table *pmd;
	uint64_t word, addr;

	if (g->piece_refs[pfn_region(pfn)])
		return huge;
	rmap_need(g);
	word = g->rmap[huge];
	addr = pages_to_bytes(word >> (RMAP_KIND_BITS + RMAP_ID_BITS));
	if ((word & ((1u << RMAP_KIND_BITS) - 1)) != OWNER_HUGE)
		return PFN_NONE;
	mm = g->mms[word >> RMAP_KIND_BITS & ((1u << RMAP_ID_BITS) - 1)];
	if (!mm)
		return PFN_NONE;
	pte_table_at(mm, addr, &pmd);
	return pmd && pmd->huge[pmd_index(addr)] == huge ? huge : PFN_NONE;
}

/* The PTE of this VMA that maps page `index` of the file, if it does. */
static void move_mapping(const struct guest_mm *mm, const struct vma *v,
			 uint64_t index, pfn_t from, pfn_t to)
{
	struct pmd_table *pmd;
	struct pte_table *t;
	uint64_t addr;

	if (index < v->pgoff ||
	    index - v->pgoff >= bytes_to_pages(v->end - v->start))
		return;
	addr = v->start + pages_to_bytes(index - v->pgoff);
	t = pte_table_at(mm, addr, &pmd);
	if (t && t->pte[pte_index(addr)] == from &&
	    bitmap_test(t->file, pte_index(addr)))
		t->pte[pte_index(addr)] = to;
}

static void move_mappings(struct guest *g, const struct owner *o, pfn_t from,
			  pfn_t to)
{
	for (uint32_t i = 0; i < g->nr_mms; i++) {
		const struct guest_mm *mm = g->mms[i];

		for (uint32_t k = 0; mm && k < mm->nr_vmas; k++)
			if ((mm->vmas[k].flags & GUEST_MAP_FILE) &&
			    mm->vmas[k].file == o->id)
				move_mapping(mm, &mm->vmas[k], o->index, from,
					     to);
	}
}

void rmap_move(struct guest *g, const struct owner *o, pfn_t from, pfn_t to)
{
	if (o->slot)
		*o->slot = to;
	if (o->mapped)
		move_mappings(g, o, from, to);
	g->rmap[to] = g->rmap[from];
	g->rmap[from] = 0;
}
