/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Map of observed to twin's pages; memory is committed as pages are named. */
#include "replay/names.h"

#include <errno.h>
#include <string.h>

#include "include/bitmap.h"
#include "include/check.h"
#include "include/sparse.h"

/* Up to 64 GiB of guest the host's huge pages cost little at worst. */
#define HUGE_NAMES_MAX (UINT32_C(1) << 24)

int names_init(struct names *n, pfn_t end)
{
	CHECK_LE(end, NAME_PFN + 1);
	memset(n, 0, sizeof(*n));
	n->end = end;
	n->twin = sparse_alloc(end, sizeof(*n->twin));
	n->fresh = sparse_alloc(BITMAP_WORDS(end), sizeof(*n->fresh));
	/* Read at random, as the allocator's records are. */
	if (end <= HUGE_NAMES_MAX) {
		sparse_prefer_huge(n->twin, end, sizeof(*n->twin));
		sparse_prefer_huge(n->fresh, BITMAP_WORDS(end),
				   sizeof(*n->fresh));
	}
	if (n->twin && n->fresh)
		return 0;
	names_destroy(n);
	return -ENOMEM;
}

void names_destroy(struct names *n)
{
	if (n->twin)
		sparse_free(n->twin, n->end, sizeof(*n->twin));
	if (n->fresh)
		sparse_free(n->fresh, BITMAP_WORDS(n->end), sizeof(*n->fresh));
	memset(n, 0, sizeof(*n));
}

void names_mark_free(struct names *n, pfn_t pfn, unsigned int order)
{
	CHECK_LE((uint64_t)pfn + order_nr_pages(order), n->end);
	bitmap_set_range(n->fresh, pfn, order_nr_pages(order));
}

void names_mark_old(struct names *n, pfn_t pfn)
{
	CHECK_LT(pfn, n->end);
	bitmap_clear(n->fresh, pfn);
	n->twin[pfn] = 0;
}

bool names_is_old(const struct names *n, pfn_t observed)
{
	return !n->twin[observed] && !bitmap_test(n->fresh, observed);
}

void names_bind(struct names *n, pfn_t observed, pfn_t twin,
		unsigned int order)
{
	CHECK_LE((uint64_t)observed + order_nr_pages(order), n->end);
	for (uint32_t i = 0; i < order_nr_pages(order); i++)
		names_bind_page(n, observed + i, twin + i);
}

void names_drop(struct names *n, pfn_t observed, unsigned int order)
{
	CHECK_LE((uint64_t)observed + order_nr_pages(order), n->end);
	for (uint32_t i = 0; i < order_nr_pages(order); i++)
		names_drop_page(n, observed + i);
}

static pfn_t find_page(const struct names *n, pfn_t observed)
{
	const uint32_t name = n->twin[observed];

	if (name)
		return name & NAME_LIVE ? name & NAME_PFN : PFN_NONE;
	return bitmap_test(n->fresh, observed) ? PFN_NONE : observed;
}

pfn_t names_find(const struct names *n, pfn_t observed, unsigned int order)
{
	pfn_t first;

	if ((uint64_t)observed + order_nr_pages(order) > n->end)
		return PFN_NONE;
	first = find_page(n, observed);
	if (first == PFN_NONE || !pfn_aligned(first, order))
		return PFN_NONE;
	for (uint32_t i = 1; i < order_nr_pages(order); i++)
		if (find_page(n, observed + i) != first + i)
			return PFN_NONE;
	return first;
}

pfn_t names_last(const struct names *n, pfn_t observed)
{
	if (observed >= n->end || !n->twin[observed])
		return observed;
	return n->twin[observed] & NAME_PFN;
}
