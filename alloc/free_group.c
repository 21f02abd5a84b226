/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Many single pages go back to the buddy while the zone lock is held: what one
 * __free_one_page after the other makes of them, 5.3 to 6.18.
 *
 * Of pages that are neighbours, merges that end inside their run leave nothing
 * behind; only its widest aligned blocks are put on lists. Free pages, merges
 * and touches are counted as the single pages make them, and written down when
 * all are done: nobody can look in between but hooks, which do not ask for
 * merges and touches.
 */
#include "alloc/merge.h"

/* Pages from pfn on that may be one run: those of its region. */
static unsigned int run_room(pfn_t pfn, bool ascending)
{
	const unsigned int inside = pfn % HPAGE_PMD_NR;

	return ascending ? HPAGE_PMD_NR - inside : inside + 1;
}

/* How many of nr pages from the first on are neighbours, in one direction. */
static unsigned int neighbours(const pfn_t *pfn, const uint8_t *mt,
			       unsigned int nr, bool *ascending)
{
	unsigned int n = 1, room;
	pfn_t step;

	*ascending = true;
	if (nr == 1 || (pfn[1] != pfn[0] + 1 && pfn[1] != pfn[0] - 1))
		return 1;
	*ascending = pfn[1] == pfn[0] + 1;
	step = *ascending ? 1 : (pfn_t)-1;
	room = run_room(pfn[0], *ascending);
	if (nr > room)
		nr = room;
	while (n < nr && pfn[n] == pfn[n - 1] + step && mt[n] == mt[0])
		n++;
	return n;
}

/* A run of nr pages, inside a region that is all one zone's. */
static void free_run(struct alloc *a, struct zone *z, pfn_t first,
		     unsigned int nr, bool ascending, enum migratetype mt,
		     struct merge_sum *sum)
{
	pfn_t start = ascending ? first : first - (nr - 1);
	pfn_t end = start + nr;

	while (start < end) {
		/* The widest block that ends the run, on the side it starts. */
		const pfn_t edge = (ascending ? start : end) | HPAGE_PMD_NR;
		unsigned int order = (unsigned int)__builtin_ctz(edge);
		uint32_t inner;
		pfn_t pfn, last;

		while (order_nr_pages(order) > end - start)
			order--;
		if (ascending) {
			pfn = start;
			start += order_nr_pages(order);
			last = start - 1;
		} else {
			end -= order_nr_pages(order);
			pfn = end;
			last = end;
		}
		inner = order_nr_pages(order) - 1;
		sum->merges += inner;
		sum->inserts += inner;
		merge_and_add(a, z, last, pfn, order, mt, 0, true, sum);
	}
}

/*
 * A region is whole only with the last page of a run: whoever hears of blocks
 * from order 9 on finds all counts of pages as the single frees leave them.
 * Smaller ones would be told of pages that are not free yet.
 */
static bool may_group(const struct alloc *a)
{
	return nobody_watches(a) && a->hooks.notify_order >= HPAGE_PMD_ORDER;
}

static void free_singly(struct alloc *a, struct zone *z, const pfn_t *pfn,
			const uint8_t *mt, unsigned int nr)
{
	for (unsigned int i = 0; i < nr; i++)
		free_one_page(a, z, pfn[i], 0, (enum migratetype)mt[i], 0);
}

void free_page_group(struct alloc *a, struct zone *z, const pfn_t *pfn,
		     const uint8_t *mt, unsigned int nr)
{
	struct merge_sum sum = { 0, 0 };

	if (unlikely(!may_group(a))) {
		free_singly(a, z, pfn, mt, nr);
		return;
	}
	for (unsigned int i = 0, run; i < nr; i += run) {
		const enum migratetype type = (enum migratetype)mt[i];
		bool ascending;

		run = 1;
		if (unlikely(a->region_zone[pfn_region(pfn[i])] >=
			     REGION_MIXED)) {
			free_one_page(a, z, pfn[i], 0, type, 0);
			continue;
		}
		run = neighbours(&pfn[i], &mt[i], nr - i, &ascending);
		account_free_pages(a, z, run, type);
		if (run == 1)
			merge_and_add(a, z, pfn[i], pfn[i], 0, type, 0, true,
				      &sum);
		else
			free_run(a, z, pfn[i], run, ascending, type, &sum);
	}
	note_merges(a, &sum);
}
