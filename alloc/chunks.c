/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The rare part of the chunk lists: chunks come and go, lists are cut and
 * joined. Models nothing of the kernel, whose lists are linked through struct
 * page; the order of blocks is the same.
 *
 * Chunks are never more than there are blocks on lists, so the words' mapping,
 * one chunk a page, cannot run out; what has been given back is used first.
 */
#include <string.h>

#include "alloc/lists.h"

static uint32_t chunk_take(struct alloc *a)
{
	uint32_t chunk = a->chunk_free;

	if (chunk != LINK_NONE) {
		a->chunk_free = a->words[chunk + CHUNK_NEXT];
		/* Given back long ago, as a rule. */
		if (a->chunk_free != LINK_NONE)
			__builtin_prefetch(&a->words[a->chunk_free], 1);
	} else {
		CHECK_LT(a->chunk_top, a->chunk_end);
		chunk = a->chunk_top;
		a->chunk_top += CHUNK_WORDS;
	}
	memset(&a->words[chunk], 0xff, CHUNK_WORDS * sizeof(uint32_t));
	a->words[chunk + CHUNK_COUNT] = 0;
	return chunk;
}

static void chunk_give_back(struct alloc *a, uint32_t chunk)
{
	a->words[chunk + CHUNK_NEXT] = a->chunk_free;
	a->chunk_free = chunk;
}

/* Make two chunks neighbours; either may be LINK_NONE. */
static void chunk_join(struct alloc *a, uint32_t one, uint32_t two)
{
	if (one != LINK_NONE)
		a->words[one + CHUNK_NEXT] = two;
	if (two != LINK_NONE)
		a->words[two + CHUNK_PREV] = one;
}

static uint32_t first_place(const struct alloc *a, uint32_t chunk)
{
	uint32_t place = chunk + CHUNK_FIRST;

	while (a->words[place] == PFN_NONE)
		place++;
	return place;
}

static uint32_t last_place(const struct alloc *a, uint32_t chunk)
{
	uint32_t place = chunk + CHUNK_LAST;

	while (a->words[place] == PFN_NONE)
		place--;
	return place;
}

uint32_t chunk_place_front(struct alloc *a, struct page_list *list)
{
	const uint32_t chunk = chunk_take(a);

	if (list->head != LINK_NONE)
		chunk_join(a, chunk, chunk_of(list->head));
	else
		list->tail = chunk + CHUNK_LAST;
	return chunk + CHUNK_LAST;
}

uint32_t chunk_place_back(struct alloc *a, struct page_list *list)
{
	const uint32_t chunk = chunk_take(a);

	if (list->tail != LINK_NONE)
		chunk_join(a, chunk_of(list->tail), chunk);
	else
		list->head = chunk + CHUNK_FIRST;
	return chunk + CHUNK_FIRST;
}

void chunk_emptied(struct alloc *a, struct page_list *list, uint32_t chunk)
{
	const uint32_t next = a->words[chunk + CHUNK_NEXT];
	const uint32_t prev = a->words[chunk + CHUNK_PREV];

	chunk_join(a, prev, next);
	if (prev == LINK_NONE)
		list->head = next == LINK_NONE ? LINK_NONE :
						 first_place(a, next);
	if (next == LINK_NONE)
		list->tail = prev == LINK_NONE ? LINK_NONE :
						 last_place(a, prev);
	chunk_give_back(a, chunk);
}

/* Move what is at `place` and behind it in this chunk to a chunk of its own. */
static void chunk_cut(struct alloc *a, struct page_list *list, uint32_t place)
{
	const uint32_t chunk = chunk_of(place);
	const uint32_t end = chunk + CHUNK_WORDS;
	const uint32_t behind = chunk_take(a);
	const uint32_t shift = behind - chunk;

	chunk_join(a, behind, a->words[chunk + CHUNK_NEXT]);
	chunk_join(a, chunk, behind);
	if (chunk_of(list->tail) == chunk)
		list->tail += shift;
	for (; place < end; place++) {
		const pfn_t pfn = a->words[place];

		if (pfn == PFN_NONE)
			continue;
		a->words[place] = PFN_NONE;
		a->words[chunk + CHUNK_COUNT]--;
		chunk_put(a, place + shift, pfn);
	}
}

void chunk_insert_before(struct alloc *a, struct page_list *list, pfn_t pos,
			 pfn_t pfn)
{
	const uint32_t place = a->pages[pos].place;

	if (place == list->head) {
		chunk_add_head(a, list, pfn);
	} else if (place % CHUNK_WORDS != CHUNK_FIRST &&
		   a->words[place - 1] == PFN_NONE) {
		chunk_put(a, place - 1, pfn);
	} else {
		chunk_cut(a, list, place);
		chunk_put(a, place, pfn);
	}
}

void chunk_rotate_to_front(struct alloc *a, struct page_list *list, pfn_t pfn)
{
	uint32_t place = a->pages[pfn].place;
	uint32_t before;

	if (place == list->head)
		return;
	if (place != first_place(a, chunk_of(place))) {
		chunk_cut(a, list, place);
		place = a->pages[pfn].place;
	}
	before = a->words[chunk_of(place) + CHUNK_PREV];
	chunk_join(a, chunk_of(list->tail), chunk_of(list->head));
	a->words[before + CHUNK_NEXT] = LINK_NONE;
	a->words[chunk_of(place) + CHUNK_PREV] = LINK_NONE;
	list->head = place;
	list->tail = last_place(a, before);
}

uint32_t chunk_next(const struct alloc *a, uint32_t place)
{
	const uint32_t chunk = chunk_of(place);
	const uint32_t next = a->words[chunk + CHUNK_NEXT];

	while (++place < chunk + CHUNK_WORDS)
		if (a->words[place] != PFN_NONE)
			return place;
	return next == LINK_NONE ? LINK_NONE : first_place(a, next);
}

uint32_t chunk_prev(const struct alloc *a, uint32_t place)
{
	const uint32_t chunk = chunk_of(place);
	const uint32_t prev = a->words[chunk + CHUNK_PREV];

	while (--place >= chunk + CHUNK_FIRST)
		if (a->words[place] != PFN_NONE)
			return place;
	return prev == LINK_NONE ? LINK_NONE : last_place(a, prev);
}
