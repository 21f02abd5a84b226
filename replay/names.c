/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Map of observed to twin's pages; memory is committed as pages are named. */
#include "replay/names.h"

#include <errno.h>
#include <string.h>

#include "include/bitmap.h"
#include "include/check.h"
#include "include/sparse.h"

int names_init(struct names *n, pfn_t end)
{
	memset(n, 0, sizeof(*n));
	n->end = end;
	n->twin = sparse_alloc(end, sizeof(*n->twin));
	n->fresh = sparse_alloc(BITMAP_WORDS(end), sizeof(*n->fresh));
	n->live = sparse_alloc(BITMAP_WORDS(end), sizeof(*n->live));
	if (n->twin && n->fresh && n->live)
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
	if (n->live)
		sparse_free(n->live, BITMAP_WORDS(n->end), sizeof(*n->live));
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
	bitmap_clear(n->live, pfn);
}

bool names_is_old(const struct names *n, pfn_t observed)
{
	return !bitmap_test(n->live, observed) &&
	       !bitmap_test(n->fresh, observed);
}

void names_bind(struct names *n, pfn_t observed, pfn_t twin,
		unsigned int order)
{
	CHECK_LE((uint64_t)observed + order_nr_pages(order), n->end);
	if (order == 0) {
		n->twin[observed] = twin + 1;
		bitmap_set(n->fresh, observed);
		bitmap_set(n->live, observed);
		return;
	}
	for (uint32_t i = 0; i < order_nr_pages(order); i++)
		n->twin[observed + i] = twin + i + 1;
	bitmap_set_range(n->fresh, observed, order_nr_pages(order));
	bitmap_set_range(n->live, observed, order_nr_pages(order));
}

void names_drop(struct names *n, pfn_t observed, unsigned int order)
{
	CHECK_LE((uint64_t)observed + order_nr_pages(order), n->end);
	if (order == 0) {
		bitmap_set(n->fresh, observed);
		bitmap_clear(n->live, observed);
		return;
	}
	bitmap_set_range(n->fresh, observed, order_nr_pages(order));
	bitmap_clear_range(n->live, observed, order_nr_pages(order));
}

static pfn_t find_page(const struct names *n, pfn_t observed)
{
	if (bitmap_test(n->live, observed))
		return n->twin[observed] - 1;
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
	return n->twin[observed] - 1;
}
