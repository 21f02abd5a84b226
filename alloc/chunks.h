/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Ordered lists of blocks below order 9, for the buddy and the per-CPU lists.
 *
 * A list is a chain of chunks of one cache line: the links to the next and the
 * previous chunk, the number of blocks, and up to 13 PFNs in list order. A
 * block's record keeps the place of its PFN. Thus taking and adding at an end
 * touches the record of that block alone, not those of its neighbours, which
 * are anywhere in memory; a removal from the middle leaves a hole in one
 * cache line; and what comes next is known early enough to be prefetched.
 *
 * A place is a word's index in alloc.words; the list's head and tail are the
 * places of its first and last block. Every chunk of a list holds a block, and
 * all words that hold none are PFN_NONE. Only alloc/lists.h includes this.
 */
#ifndef ALLOC_CHUNKS_H
#define ALLOC_CHUNKS_H

#include "alloc/internal.h"

#define CHUNK_WORDS 16u
/* Words of a chunk. */
#define CHUNK_NEXT 0u  /* first word of the next chunk, LINK_NONE at the end */
#define CHUNK_PREV 1u
#define CHUNK_COUNT 2u /* blocks; of a chunk that is not in use: 0 */
#define CHUNK_FIRST 3u /* from here on PFNs */
#define CHUNK_LAST (CHUNK_WORDS - 1)

static inline uint32_t chunk_of(uint32_t place)
{
	return place & ~(CHUNK_WORDS - 1);
}

/* chunks.c: what happens once in 13 times, or is rare altogether. */

/* A place in a new chunk at the list's front, or at its back. */
uint32_t chunk_place_front(struct alloc *a, struct page_list *list);
uint32_t chunk_place_back(struct alloc *a, struct page_list *list);
/* The chunk's last block has gone. */
void chunk_emptied(struct alloc *a, struct page_list *list, uint32_t chunk);
void chunk_insert_before(struct alloc *a, struct page_list *list, pfn_t pos,
			 pfn_t pfn);
void chunk_rotate_to_front(struct alloc *a, struct page_list *list, pfn_t pfn);
/* Place of the neighbour, LINK_NONE if there is none. */
uint32_t chunk_next(const struct alloc *a, uint32_t place);
uint32_t chunk_prev(const struct alloc *a, uint32_t place);

static inline void chunk_put(struct alloc *a, uint32_t place, pfn_t pfn)
{
	a->words[place] = pfn;
	a->words[chunk_of(place) + CHUNK_COUNT]++;
	a->pages[pfn].place = place;
}

/* The free place before the first block, in a new chunk if need be. */
static inline uint32_t chunk_head_room(struct alloc *a, struct page_list *list)
{
	const uint32_t place = list->head;

	if (place == LINK_NONE || place % CHUNK_WORDS == CHUNK_FIRST)
		return chunk_place_front(a, list);
	return place - 1;
}

static inline void chunk_add_head(struct alloc *a, struct page_list *list,
				  pfn_t pfn)
{
	const uint32_t place = chunk_head_room(a, list);

	list->head = place;
	chunk_put(a, place, pfn);
}

/* The free place behind the last block, in a new chunk if need be. */
static inline uint32_t chunk_tail_room(struct alloc *a, struct page_list *list)
{
	const uint32_t place = list->tail;

	if (place == LINK_NONE || place % CHUNK_WORDS == CHUNK_LAST)
		return chunk_place_back(a, list);
	return place + 1;
}

static inline void chunk_add_tail(struct alloc *a, struct page_list *list,
				  pfn_t pfn)
{
	const uint32_t place = chunk_tail_room(a, list);

	list->tail = place;
	chunk_put(a, place, pfn);
}

/* Take out what is at `place`; an end that has gone moves on. */
static inline void chunk_del(struct alloc *a, struct page_list *list,
			     uint32_t place)
{
	const uint32_t chunk = chunk_of(place);
	uint32_t *words = a->words;

	words[place] = PFN_NONE;
	if (--words[chunk + CHUNK_COUNT] == 0) {
		chunk_emptied(a, list, chunk);
	} else if (place == list->head) {
		do
			place++;
		while (words[place] == PFN_NONE);
		list->head = place;
	} else if (place == list->tail) {
		do
			place--;
		while (words[place] == PFN_NONE);
		list->tail = place;
	}
}

#endif
