/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The memory map: the first guest's memory in so many bins of equal size, and of
 * each bin how many pages are free, how many of these are marked as reported,
 * and how many the guest can access without the host having to do anything.
 *
 * Pages on pcp lists count as used: the lists are not in order of address, and
 * there are few of them. "Mapped" is what the map of the host says
 * (hv_block_mapped()), so pages that are backed but not in the EPT are missing.
 */
#include <errno.h>
#include <stdlib.h>

#include "sim/machine.h"

static void count_block(struct sim_map *m, pfn_t pfn, uint32_t nr,
			bool reported)
{
	while (nr) {
		const uint32_t bin = pfn / m->bin_pages;
		const uint32_t room = (bin + 1) * m->bin_pages - pfn;
		const uint32_t part = nr < room ? nr : room;

		m->bins[bin].free += part;
		m->bins[bin].reported += reported ? part : 0;
		pfn += part;
		nr -= part;
	}
}

static void count_list(struct sim_map *m, const struct alloc *a,
		       unsigned int zone, unsigned int order,
		       enum migratetype mt)
{
	pfn_t pfn = alloc_list_first(a, zone, order, mt);

	for (; pfn != PFN_NONE; pfn = alloc_list_next(a, pfn))
		count_block(m, pfn, order_nr_pages(order),
			    alloc_block_marks(a, pfn));
}

static void count_free(struct sim_map *m, const struct alloc *a)
{
	for (unsigned int z = 0; z < alloc_nr_zones(a); z++)
		for (unsigned int o = 0; o < NR_PAGE_ORDERS; o++)
			for (unsigned int t = 0; t < MIGRATE_TYPES; t++)
				count_list(m, a, z, o, (enum migratetype)t);
}

/* A bin is of whole regions. */
static void count_mapped(struct sim_map *m, const struct hv_guest_map *map)
{
	const uint32_t nr = map->nr_pages >> HPAGE_PMD_ORDER;

	for (uint32_t r = 0; r < nr; r++) {
		struct sim_map_bin *b =
			&m->bins[(r << HPAGE_PMD_ORDER) / m->bin_pages];
		uint32_t pages = 0;

		if (bitmap_test(map->regions, r)) {
			b->mapped += HPAGE_PMD_NR;
			b->huge += HPAGE_PMD_NR;
			continue;
		}
		if (!map->slots || !map->slots[r])
			continue;
		for (unsigned int w = 0; w < BITMAP_WORDS(HPAGE_PMD_NR); w++)
			pages += (uint32_t)__builtin_popcountll(
				map->pages[map->slots[r]][w]);
		b->mapped += pages;
	}
}

static uint32_t overlap(pfn_t a, pfn_t a_end, pfn_t b, pfn_t b_end)
{
	const pfn_t start = a > b ? a : b, end = a_end < b_end ? a_end : b_end;

	return start < end ? end - start : 0;
}

/* Pages of the range that lie in a zone: there is a hole below 4 GiB. */
static uint32_t zone_pages(const struct alloc *a, pfn_t start, pfn_t end)
{
	struct alloc_zone_info z;
	uint32_t nr = 0;

	for (unsigned int i = 0; i < alloc_nr_zones(a); i++) {
		alloc_zone_info(a, i, &z);
		nr += overlap(start, end, z.start, z.end);
	}
	return nr;
}

static void set_bins(struct sim_map *m, const struct alloc *a)
{
	const pfn_t end = alloc_end_pfn(a);
	const uint32_t regions = (end + HPAGE_PMD_NR - 1) >> HPAGE_PMD_ORDER;
	const uint32_t each = (regions + SIM_MAP_BINS - 1) / SIM_MAP_BINS;

	m->bin_pages = (each ? each : 1) << HPAGE_PMD_ORDER;
	m->nr_bins = (regions + each - 1) / each;
	for (unsigned int i = 0; i < m->nr_bins; i++) {
		const pfn_t start = i * m->bin_pages;

		m->bins[i].pages = zone_pages(a, start,
					      start + m->bin_pages);
	}
}

static bool is_due(const struct sim *s)
{
	const struct sim_map *last = s->nr_maps ? &s->maps[s->nr_maps - 1] :
						  NULL;

	return s->cfg.map_ns && guest_runs(&s->guests[0]) &&
	       (!last || s->engine.now - last->at >= s->cfg.map_ns);
}

void map_sample(struct sim *s)
{
	const struct sim_guest *g = &s->guests[0];
	struct sim_map *m;

	if (!is_due(s))
		return;
	if (s->nr_maps == SIM_MAX_MAPS) {
		sim_fail(s, -EINVAL, "more than %d memory maps; [experiment] "
			 "map = %lluns is too short for this run",
			 SIM_MAX_MAPS, (unsigned long long)s->cfg.map_ns);
		return;
	}
	m = realloc(s->maps, (s->nr_maps + 1) * sizeof(*m));
	if (!m) {
		sim_fail(s, -ENOMEM, "out of memory for memory maps");
		return;
	}
	s->maps = m;
	m += s->nr_maps++;
	*m = (struct sim_map){ .at = s->engine.now };
	set_bins(m, g->alloc);
	count_free(m, g->alloc);
	count_mapped(m, g->hv_map);
}
