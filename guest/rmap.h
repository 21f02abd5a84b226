/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The reverse map: from a page to who holds it. One word per page, written
 * where a page is mapped or cached and not cleared when it goes; rmap_find()
 * believes it only if the page table or the page cache agrees. So nobody needs it
 * before the first question: it is built from tables and caches then, and kept
 * up to date from there on, one store for each page fault.
 */
#ifndef GUEST_RMAP_H
#define GUEST_RMAP_H

#include "guest/internal.h"

enum owner_kind {
	OWNER_NONE,           /* nobody who could be told that it moves */
	OWNER_ANON,           /* one PTE of an address space */
	OWNER_FILE,           /* page cache, and the PTEs that map it */
	OWNER_OTHER,          /* user page of a task that is not simulated */
	OWNER_DRIVER,         /* guest_movable_add() */
	OWNER_HUGE,           /* first page of a huge page */
};

struct owner {
	enum owner_kind kind;
	uint32_t id;          /* of the address space or the file */
	uint64_t index;       /* page number within it */
	/* Where the page's number stands. */
	pfn_t *slot;
	uint32_t mapped;      /* PTEs that map a page of a file */
};

#define RMAP_KIND_BITS 3
#define RMAP_ID_BITS 20

/* What the words of two pages that follow each other differ by. */
#define RMAP_NEXT_INDEX (UINT64_C(1) << (RMAP_KIND_BITS + RMAP_ID_BITS))

static inline uint64_t rmap_word(enum owner_kind kind, uint32_t id,
				 uint64_t index)
{
	return (uint64_t)kind | (uint64_t)id << RMAP_KIND_BITS |
	       index << (RMAP_KIND_BITS + RMAP_ID_BITS);
}

/* The page now belongs to page `index` of this address space or file. */
static inline void rmap_set(struct guest *g, pfn_t pfn, enum owner_kind kind,
			    uint32_t id, uint64_t index)
{
	if (unlikely(g->rmap != NULL))
		g->rmap[pfn] = rmap_word(kind, id, index);
}

/* Write down who holds what; the first question does. */
void rmap_build(struct guest *g);
/* Who holds the page, OWNER_NONE if nobody is known to. */
void rmap_find(struct guest *g, pfn_t pfn, struct owner *out);
/* Point the owner to another page. */
void rmap_move(struct guest *g, const struct owner *o, pfn_t from, pfn_t to);
/* The huge page that contains pfn, or PFN_NONE. */
pfn_t rmap_huge(struct guest *g, pfn_t pfn);
/* The PTE table of an address, or NULL. */
struct pte_table *pte_table_at(const struct guest_mm *mm, uint64_t addr,
			       struct pmd_table **pmd);

#endif
