/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Naive allocator, from a request to a zone: the walk over zones, the
 * watermark test, the highatomic reserve, and frees by CPU. Rules as in
 * get_page_from_freelist and __zone_watermark_ok of the release.
 */
#include <stdlib.h>

#include "include/check.h"
#include "tests/model/naive_alloc.h"

struct naive *naive_create(enum naive_kernel kernel, int nr_cpus)
{
	struct naive *m = calloc(1, sizeof(*m));
	int i;

	if (!m)
		return NULL;
	CHECK_LE(nr_cpus, NAIVE_CPUS);
	m->kernel = kernel;
	m->nr_cpus = nr_cpus;
	m->grouping = true;
	m->capture_pfn = NAIVE_NONE;
	for (i = 0; i < NAIVE_PAGES / NAIVE_PB; i++)
		m->pageblock[i] = NM;
	return m;
}

void naive_add_zone(struct naive *m, int type, uint32_t start, uint32_t end)
{
	struct naive_zone *z = &m->zone[m->nr_zones++];
	int cpu, o, t, l;

	CHECK_LE(end, NAIVE_PAGES);
	*z = (struct naive_zone){
		.type = type, .start = start, .end = end,
		.managed = end - start,
	};
	for (o = 0; o < NAIVE_ORDERS; o++)
		for (t = 0; t < NAIVE_TYPES; t++)
			nl_init(&z->free[o][t]);
	for (cpu = 0; cpu < m->nr_cpus; cpu++)
		for (l = 0; l < NAIVE_PCP_LISTS; l++)
			nl_init(&z->pcp[cpu].list[l]);
}

void naive_destroy(struct naive *m)
{
	free(m);
}

void naive_set_pcp(struct naive *m, int zone, int cpu, int batch, int high_min,
		   int high_max)
{
	struct naive_pcp *p = &m->zone[zone].pcp[cpu];

	p->batch = batch;
	p->high_min = high_min;
	p->high_max = high_max;
	p->high = m->kernel >= K612_0 ? high_min : high_max;
	p->free_factor = 0;
}

/* ---- watermarks ---- */

static int64_t unusable(const struct naive *m, const struct naive_zone *z,
			int order, bool cma, bool rights)
{
	int64_t n = (1 << order) - 1;

	if (!rights)
		n += m->kernel >= K612_0 ? z->free_pages[NH] :
		     z->reserved_highatomic;
	if (!cma)
		n += z->free_pages[NC];
	return n;
}

/* The counter that tests read lags behind, but never says less than 0. */
static int64_t counted(const struct naive_zone *z)
{
	int64_t n = naive_free_pages(z) - z->lag;

	return n > 0 ? n : 0;
}

bool naive_watermark(const struct naive *m, const struct naive_zone *z,
		     int order, int64_t mark, int j, bool cma, bool rights)
{
	int64_t free = counted(z), min = mark;
	int o, t;

	if (rights) {
		min -= min / 2;
		min -= min / 4;
	}
	if (free - unusable(m, z, order, cma, rights) <= min + z->reserve[j])
		return false;
	if (order == 0)
		return true;
	for (o = order; o < NAIVE_ORDERS; o++) {
		for (t = 0; t < NH; t++)
			if (z->free[o][t].nr)
				return true;
		if (cma && z->free[o][NC].nr)
			return true;
		if (rights && z->free[o][NH].nr)
			return true;
	}
	return false;
}

static bool watermark_fast(const struct naive *m, const struct naive_zone *z,
			   int order, int64_t mark, int j, bool cma,
			   bool rights)
{
	int64_t usable = counted(z);

	if (order == 0) {
		/* 5.9: the fast test, too, sees the highatomic reserve. */
		if (m->kernel >= K510)
			usable -= unusable(m, z, 0, cma, rights);
		else if (!cma)
			usable -= z->free_pages[NC];
		if (usable > mark + z->reserve[j])
			return true;
	}
	return naive_watermark(m, z, order, mark, j, cma, rights);
}

/* ---- allocation ---- */

static uint32_t from_buddy(struct naive *m, struct naive_zone *z, int order,
			   int type, bool nofragment, bool atomic)
{
	enum naive_mode mode = MODE_NORMAL;
	uint32_t pfn = NAIVE_NONE;

	if (atomic && order > 0)
		pfn = naive_smallest(m, z, order, NH);
	if (pfn == NAIVE_NONE)
		pfn = naive_rmqueue(m, z, order, type, nofragment, &mode);
	if (pfn == NAIVE_NONE && atomic && m->kernel >= K61)
		pfn = naive_smallest(m, z, order, NH);
	return pfn;
}

static uint32_t from_zone(struct naive *m, struct naive_zone *z, int cpu,
			  int order, int type, bool nofragment,
			  unsigned int flags)
{
	bool atomic = flags & NAIVE_HIGHATOMIC;
	uint32_t pfn = NAIVE_NONE;

	if (!(flags & NAIVE_BUDDY) && naive_pcp_order(m, order)) {
		pfn = naive_pcp_alloc(m, z, cpu, order, type, nofragment,
				      false);
		if (pfn != NAIVE_NONE || m->kernel < K61)
			return pfn;
	}
	return from_buddy(m, z, order, type, nofragment, atomic);
}

static bool admits(struct naive *m, struct naive_zone *z, int order, int type,
		   int j, bool rights)
{
	bool cma = type == NM;

	if (m->kernel >= K612_0 && !z->below_high) {
		if (watermark_fast(m, z, order, z->wmark[2] + z->boost, j, cma,
				   rights))
			return true;
		z->below_high = true;
	}
	return watermark_fast(m, z, order, z->wmark[1] + z->boost, j, cma,
			      rights);
}

/* Preferred zone of a request, or -1. */
int naive_preferred(const struct naive *m, int highest)
{
	int i = m->nr_zones - 1;

	while (i >= 0 && m->zone[i].type > highest)
		i--;
	return i;
}

static int reserve_index(const struct naive *m, int highest)
{
	if (m->kernel >= K510)
		return highest;
	return m->zone[naive_preferred(m, highest)].type;
}

uint32_t naive_alloc(struct naive *m, int cpu, int type, int order,
		     unsigned int flags)
{
	int highest = type == NM ? 3 : 2, first = naive_preferred(m, highest), i;
	bool nofragment, rights = flags & NAIVE_HIGHATOMIC;

	if (first < 0)
		return NAIVE_NONE;
	nofragment = m->zone[first].type == 2;
	if (!m->grouping)
		type = NU;
	for (;;) {
		for (i = first; i >= 0; i--) {
			struct naive_zone *z = &m->zone[i];
			uint32_t pfn;

			if (!admits(m, z, order, type,
				    reserve_index(m, highest), rights))
				continue;
			pfn = from_zone(m, z, cpu, order, type, nofragment,
					flags);
			if (pfn == NAIVE_NONE)
				continue;
			if (rights && order > 0)
				naive_reserve_highatomic(m, z, pfn,
							 order);
			return pfn;
		}
		if (!nofragment)
			return NAIVE_NONE;
		nofragment = false;
	}
}

uint32_t naive_alloc_buddy(struct naive *m, int zone, int type, int order,
			   bool nofragment)
{
	enum naive_mode mode = MODE_NORMAL;

	if (!m->grouping)
		type = NU;
	return naive_rmqueue(m, &m->zone[zone], order, type, nofragment,
			     &mode);
}

/*
 * Order-0 pages of the first zone with room for all of them. Its watermark
 * test takes the reserve against the preferred zone, not the highest allowed.
 */
int naive_alloc_bulk(struct naive *m, int cpu, int type, int nr, uint32_t *out)
{
	int highest = type == NM ? 3 : 2, i, got = 0, t = type;

	if (!m->grouping)
		t = NU;
	for (i = naive_preferred(m, highest); nr > 1 && i >= 0; i--) {
		struct naive_zone *z = &m->zone[i];

		if (!watermark_fast(m, z, 0, z->wmark[1] + z->boost + nr,
				    m->zone[naive_preferred(m, highest)].type,
				    t == NM, false))
			continue;
		for (; got < nr; got++) {
			out[got] = naive_pcp_alloc(m, z, cpu, 0, t, false,
						   true);
			if (out[got] == NAIVE_NONE)
				break;
		}
		break;
	}
	if (got == 0) {
		out[0] = naive_alloc(m, cpu, type, 0, 0);
		got = out[0] != NAIVE_NONE;
	}
	return got;
}

/* ---- free ---- */

static void free_as(struct naive *m, int cpu, uint32_t pfn, int order,
		    int type)
{
	struct naive_zone *z = naive_zone_of(m, pfn);

	if (!naive_pcp_order(m, order) || type == NI)
		naive_free_pageblocks(m, z, pfn, order);
	else
		naive_pcp_free(m, z, cpu, pfn, order, type);
}

void naive_free(struct naive *m, int cpu, uint32_t pfn, int order)
{
	free_as(m, cpu, pfn, order, m->pageblock[pfn / NAIVE_PB]);
}

void naive_free_prepare(struct naive *m, uint32_t pfn)
{
	m->page[pfn].cached = m->pageblock[pfn / NAIVE_PB];
}

/* 6.12 reads the type again, and so do others past the pcp under isolation. */
void naive_free_commit(struct naive *m, int cpu, uint32_t pfn, int order,
		       bool past_pcp)
{
	struct naive_zone *z = naive_zone_of(m, pfn);
	bool reread = m->kernel >= K612_0;
	int type = m->page[pfn].cached;

	if (!past_pcp)
		free_as(m, cpu, pfn, order,
			reread ? m->pageblock[pfn / NAIVE_PB] : type);
	else if (reread || naive_nr_isolated(m, z))
		naive_free_pageblocks(m, z, pfn, order);
	else
		naive_free_to_buddy(m, z, pfn, order, type, false);
}

void naive_free_list(struct naive *m, int cpu, const uint32_t *pfns, int nr)
{
	int i;

	for (i = 0; i < nr; i++)
		naive_free_prepare(m, pfns[i]);
	for (i = 0; i < nr; i++)
		naive_free_commit(m, cpu, pfns[i], 0, false);
}
