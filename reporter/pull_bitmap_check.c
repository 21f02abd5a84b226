/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The promises of pull_bitmap (pull_bitmap.c), looked up in maps and lists. */
#include "reporter/pull_bitmap.h"

static const char *check_answer(const struct pull_bitmap *s)
{
	uint64_t pages = 0;

	for (unsigned int i = 0; i < s->nr; i++) {
		const struct page_report *e = &s->sg[i];
		const uint32_t nr = order_nr_pages(e->order);

		if (bitmap_count_range(s->flight, e->pfn, nr) != nr)
			return "pull_bitmap: an answer has pages that are not "
			       "in flight";
		pages += nr;
	}
	if (bitmap_count_range(s->flight, 0, s->nr_pages) != pages)
		return "pull_bitmap: pages in flight without an answer";
	if (s->sent - s->acknowledged != pages)
		return "pull_bitmap: in flight is not sent minus acknowledged";
	return NULL;
}

static const char *check_states(const struct pull_bitmap *s)
{
	for (size_t w = 0; w < BITMAP_WORDS(s->nr_pages); w++) {
		uint64_t seen = s->lazy ? 0 : s->flight[w];

		if (s->taken[w] & ~s->flight[w])
			return "pull_bitmap: taken, but not in flight";
		for (unsigned int m = 0; !s->lazy && m < s->nr_maps; m++) {
			if (seen & s->maps[m][w])
				return "pull_bitmap: a page in two states";
			seen |= s->maps[m][w];
		}
	}
	return NULL;
}

/* Pages of a free block that have neither a bit nor are in flight? */
static bool forgotten(const struct pull_bitmap *s, pfn_t pfn,
		      unsigned int order)
{
	/* One page in one state: most blocks are counted at once. */
	if (!s->owner) {
		const uint32_t nr = order_nr_pages(order);

		return bitmap_count_range(s->maps[0], pfn, nr) +
		       bitmap_count_range(s->flight, pfn, nr) -
		       bitmap_count_range(s->taken, pfn, nr) != nr;
	}
	for (uint32_t i = 0; i < order_nr_pages(order); i++) {
		bool known = bitmap_test(s->flight, pfn + i) &&
			     !bitmap_test(s->taken, pfn + i);

		for (unsigned int m = 0; m < s->nr_maps && !known; m++)
			known = bitmap_test(s->maps[m], pfn + i);
		if (!known)
			return true;
	}
	return false;
}

static bool list_forgotten(const struct pull_bitmap *s, const struct alloc *a,
			   unsigned int zone, unsigned int order)
{
	for (int mt = 0; mt < MIGRATE_TYPES; mt++) {
		pfn_t pfn = alloc_list_first(a, zone, order, mt);

		for (; pfn != PFN_NONE; pfn = alloc_list_next(a, pfn))
			if (forgotten(s, pfn, order))
				return true;
	}
	return false;
}

static bool pcp_forgotten(const struct pull_bitmap *s, const struct alloc *a,
			  unsigned int zone, unsigned int cpu)
{
	struct alloc_pcp_info info;

	alloc_pcp_info(a, zone, cpu, &info);
	for (unsigned int i = 0; info.count && i < info.nr_lists; i++) {
		pfn_t pfn = alloc_pcp_first(a, zone, cpu, i);
		enum migratetype mt;
		unsigned int order;

		alloc_pindex_decode(a, i, &order, &mt);
		for (; pfn != PFN_NONE; pfn = alloc_list_next(a, pfn))
			if (forgotten(s, pfn, order))
				return true;
	}
	return false;
}

/* Every free page, by the allocator's own lists. */
static const char *check_lists(const struct pull_bitmap *s,
			       const struct alloc *a)
{
	bool broken = false;

	for (unsigned int z = 0; z < alloc_nr_zones(a); z++) {
		for (unsigned int o = 0; o < NR_PAGE_ORDERS; o++)
			broken |= list_forgotten(s, a, z, o);
		for (unsigned int cpu = 0; cpu < alloc_nr_cpus(a); cpu++)
			broken |= pcp_forgotten(s, a, z, cpu);
	}
	return broken ? "pull_bitmap: a free page has no bit" : NULL;
}

const char *pull_bitmap_check(const struct reporter *r)
{
	const struct pull_bitmap *s = r->state;
	const char *broken = check_answer(s);

	if (!broken)
		broken = check_states(s);
	if (!broken && s->wanted && !s->nr)
		broken = "pull_bitmap: pages are wanted, and nothing is sent";
	if (!broken && s->started)
		broken = check_lists(s, r->env->view);
	return broken;
}
