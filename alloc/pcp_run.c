/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Several order-0 allocations of one CPU at once, as far as its own list serves
 * them. Looking and taking are two calls: who looks may let time pass before it
 * takes, and has to know that nobody came in between (alloc_run_allowed(), and
 * the hook look_around).
 *
 * Each page costs and counts what alloc_page_fast() makes of it when the list
 * is not empty; no other function of the kernel is modelled here.
 */
#include "alloc/pcp.h"

static unsigned int node_of(const struct alloc *a, unsigned int cpu)
{
	return a->nr_nodes == 1 ? 0 : a->cpu_node[cpu];
}

bool alloc_run_allowed(const struct alloc *a, gfp_t gfp)
{
	const unsigned int highest = gfp_highest_zone(gfp);

	for (unsigned int node = 0; node < a->nr_nodes; node++) {
		const struct zone *z = a->preferred[node][highest];

		if (z != NULL && !pcp_hit_allowed(z, highest))
			return false;
	}
	return true;
}

/*
 * Blocks from `place` on that stand side by side, at most nr. `first`: none of
 * the chunk's blocks are in front of it.
 */
static unsigned int blocks_in_row(const struct alloc *a,
				  const struct page_list *list, uint32_t place,
				  unsigned int nr, bool first)
{
	const uint32_t chunk = chunk_of(place);
	const uint32_t end = chunk == chunk_of(list->tail) ?
				     list->tail + 1 : chunk + CHUNK_WORDS;
	const uint32_t most = end - place < nr ? end - place : nr;
	uint32_t n = 1;

	/* No holes, as a rule: then the chunk has as many blocks as places. */
	if (first && a->words[chunk + CHUNK_COUNT] == end - place)
		return most;
	while (n < most && a->words[place + n] != PFN_NONE)
		n++;
	return n;
}

/* Copy what the list holds from its head on. */
static unsigned int list_copy(const struct alloc *a,
			      const struct page_list *list, pfn_t *out,
			      unsigned int nr)
{
	uint32_t place = list->head, chunk = LINK_NONE;
	unsigned int n = 0;

	while (n < nr && place != LINK_NONE) {
		const unsigned int row = blocks_in_row(a, list, place, nr - n,
						       chunk_of(place) !=
						       chunk);

		chunk = chunk_of(place);
		for (unsigned int i = 0; i < row; i++)
			out[n + i] = a->words[place + i];
		n += row;
		place = chunk_next(a, place + row - 1);
	}
	return n;
}

unsigned int alloc_run_look(const struct alloc *a, unsigned int cpu, gfp_t gfp,
			    pfn_t *out, unsigned int nr)
{
	const struct zone *z = pcp_hit_zone(a, node_of(a, cpu), gfp);

	if (z == NULL || !pcp_hit_allowed(z, gfp_highest_zone(gfp)))
		return 0;
	return list_copy(a, &z->pcp[cpu].lists[gfp_mt(a, gfp)], out, nr);
}

/* Take the row at the list's head, which is these; the list is not empty. */
static void cut_row(struct alloc *a, struct page_list *list, const pfn_t *pfns,
		    unsigned int row)
{
	const uint32_t chunk = chunk_of(list->head);
	uint32_t *words = a->words;
	uint32_t place = list->head;

	for (unsigned int i = 0; i < row; i++) {
		CHECK(words[place] == pfns[i]);
		words[place++] = PFN_NONE;
		rec_clear(&a->pages[pfns[i]]);
	}
	words[chunk + CHUNK_COUNT] -= row;
	if (words[chunk + CHUNK_COUNT] == 0) {
		chunk_emptied(a, list, chunk);
		return;
	}
	while (words[place] == PFN_NONE)
		place++;
	list->head = place;
}

/* Take the first nr blocks, which are these. */
static void list_cut(struct alloc *a, struct page_list *list,
		     const pfn_t *pfns, unsigned int nr)
{
	while (nr > 0) {
		unsigned int row;

		CHECK(!list_empty(list));
		row = blocks_in_row(a, list, list->head, nr, true);
		cut_row(a, list, pfns, row);
		pfns += row;
		nr -= row;
	}
}

static void note_allocs(const struct alloc *a, struct per_cpu_pages *pcp,
			unsigned int nr)
{
	const unsigned int shift = nr < 31 ? nr : 31;

	if (a->prof.pcp_flush == PCP_FLUSH_FACTOR)
		pcp->free_factor = (uint8_t)(pcp->free_factor >> shift);
	else if (a->prof.pcp_flush == PCP_FLUSH_COUNT)
		pcp->free_count >>= shift;
}

void alloc_run_take(struct alloc *a, unsigned int cpu, gfp_t gfp,
		    const pfn_t *pfns, unsigned int nr)
{
	struct zone *z = a->preferred[node_of(a, cpu)][gfp_highest_zone(gfp)];
	struct per_cpu_pages *pcp = &z->pcp[cpu];
	struct page_list *list = &pcp->lists[gfp_mt(a, gfp)];
	struct digest *d = cpu_digest(a, cpu);

	note_allocs(a, pcp, nr);
	list_cut(a, list, pfns, nr);
	if (d != NULL)
		digest_u32s(d, DIGEST_ALLOC, pfns, nr);
	pcp->count -= nr;
	a->cnt.pgalloc[z->type] += nr;
	a->cnt.allocs[0] += nr;
	a->work->pcp_ops += nr;
}
