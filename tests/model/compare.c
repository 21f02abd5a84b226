/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Differences between the allocator and the naive model. */
#include <inttypes.h>
#include <stdarg.h>

#include "tests/model/differential.h"

__attribute__((format(printf, 2, 3)))
static bool differ(struct world *w, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(w->why, sizeof(w->why), fmt, ap);
	va_end(ap);
	return false;
}

static bool equal(struct world *w, const char *what, int zone, int64_t alloc,
		  int64_t naive)
{
	if (alloc == naive)
		return true;
	return differ(w, "zone %d: %s is %" PRId64 ", the model says %" PRId64,
		      zone, what, alloc, naive);
}

static bool compare_pageset(struct world *w, int zone, int cpu)
{
	const struct naive_pcp *p = &w->m->zone[zone].pcp[cpu];
	struct alloc_pcp_info pi;

	alloc_pcp_info(w->a, (unsigned int)zone, (unsigned int)cpu, &pi);
	if (!equal(w, "pcp count", zone, pi.count, p->count))
		return false;
	if (w->kernel == K61 &&
	    !equal(w, "free_factor", zone, pi.free_factor, p->free_factor))
		return false;
	if (w->kernel < K612_0)
		return true;
	return equal(w, "alloc_factor", zone, pi.alloc_factor,
		     p->alloc_factor) &&
	       equal(w, "free_count", zone, pi.free_count, p->free_count) &&
	       equal(w, "pcp high", zone, pi.high, p->high);
}

bool world_compare_counts(struct world *w)
{
	const char *broken = alloc_check(w->a);
	int i, cpu;

	if (broken)
		return differ(w, "alloc_check: %s", broken);
	for (i = 0; i < w->m->nr_zones; i++) {
		const struct naive_zone *z = &w->m->zone[i];
		struct alloc_zone_info zi;

		alloc_zone_info(w->a, (unsigned int)i, &zi);
		if (!equal(w, "free", i, (int64_t)zi.free,
			   naive_free_pages(z)) ||
		    !equal(w, "boost", i, (int64_t)zi.boost, z->boost) ||
		    !equal(w, "reserved_highatomic", i,
			   (int64_t)zi.reserved_highatomic,
			   z->reserved_highatomic))
			return false;
		for (cpu = 0; cpu < w->m->nr_cpus; cpu++)
			if (!compare_pageset(w, i, cpu))
				return false;
	}
	return true;
}

/* Walk one list of both, from the head. */
static bool compare_list(struct world *w, const char *name, int zone,
			 int index, int type, pfn_t pfn,
			 const struct naive_list *l, bool marks)
{
	const struct naive_page *page = w->m->page;
	uint32_t want;
	int i = 0;

	for (want = l->head; want != NAIVE_NONE || pfn != PFN_NONE;
	     want = page[want].next) {

		if (pfn != want)
			return differ(w, "zone %d: %s %d/%d: place %d has %d, "
				      "the model says %d", zone, name, index,
				      type, i, (int)pfn, (int)want);
		if (marks && alloc_block_marks(w->a, pfn) != page[want].marks)
			return differ(w, "zone %d: block %u: marks %u, the "
				      "model says %u", zone, pfn,
				      alloc_block_marks(w->a, pfn),
				      page[want].marks);
		pfn = alloc_list_next(w->a, pfn);
		i++;
	}
	return true;
}

static bool compare_free_lists(struct world *w, int zone)
{
	int o, t;

	for (o = 0; o < NAIVE_ORDERS; o++)
		for (t = 0; t < NAIVE_TYPES; t++)
			if (!compare_list(w, "list", zone, o, t,
					  alloc_list_first(
						  w->a, (unsigned int)zone,
						  (unsigned int)o,
						  (enum migratetype)t),
					  &w->m->zone[zone].free[o][t], true))
				return false;
	return true;
}

static bool compare_pcp_lists(struct world *w, int zone, int cpu)
{
	const struct naive_pcp *p = &w->m->zone[zone].pcp[cpu];
	struct alloc_pcp_info pi;
	unsigned int l;

	alloc_pcp_info(w->a, (unsigned int)zone, (unsigned int)cpu, &pi);
	for (l = 0; l < pi.nr_lists; l++)
		if (!compare_list(w, "pcp list", zone, cpu, (int)l,
				  alloc_pcp_first(w->a, (unsigned int)zone,
						  (unsigned int)cpu, l),
				  &p->list[l], false))
			return false;
	return true;
}

bool world_compare_lists(struct world *w)
{
	uint32_t pfn, end = w->m->zone[w->m->nr_zones - 1].end;
	int i, cpu;

	for (i = 0; i < w->m->nr_zones; i++) {
		if (!compare_free_lists(w, i))
			return false;
		for (cpu = 0; cpu < w->m->nr_cpus; cpu++)
			if (!compare_pcp_lists(w, i, cpu))
				return false;
	}
	for (pfn = 0; pfn < end; pfn++)
		if (alloc_test_lru(w->a, pfn) != w->m->page[pfn].lru)
			return differ(w, "page %u: LRU bit is %d, the model "
				      "says %d", pfn, alloc_test_lru(w->a, pfn),
				      w->m->page[pfn].lru);
	for (pfn = 0; pfn < end; pfn += NAIVE_PB)
		if (alloc_pageblock_type(w->a, pfn) !=
		    w->m->pageblock[pfn / NAIVE_PB])
			return differ(w, "pageblock %u is %u, the model says "
				      "%u", pfn / NAIVE_PB,
				      alloc_pageblock_type(w->a, pfn),
				      w->m->pageblock[pfn / NAIVE_PB]);
	return true;
}
