/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Time from a discard to the next use of the block (reuse.h). Uses are seen
 * where the host sees them: at an access that it has to do something for. So a
 * block that the host did not drop, or has backed again on its own account,
 * counts as never used.
 */
#include "sim/reuse.h"

#include <errno.h>
#include <stdlib.h>

#include "include/sparse.h"

#define STAMP_ORDER_BITS 4

int reuse_init(struct reuse_map *m, pfn_t nr_pages)
{
	*m = (struct reuse_map){ .nr_regions = pfn_region(nr_pages - 1) + 1 };
	m->region = sparse_alloc(m->nr_regions, sizeof(*m->region));
	m->pages = sparse_alloc(m->nr_regions, sizeof(*m->pages));
	return m->region && m->pages ? 0 : -ENOMEM;
}

void reuse_destroy(struct reuse_map *m)
{
	/* What was never noted in was never committed: leave it so. */
	for (uint32_t i = 0; m->any && m->pages && i < m->nr_regions; i++)
		free(m->pages[i]);
	if (m->pages)
		sparse_free(m->pages, m->nr_regions, sizeof(*m->pages));
	if (m->region)
		sparse_free(m->region, m->nr_regions, sizeof(*m->region));
	*m = (struct reuse_map){ 0 };
}

static unsigned int stamp_order(uint64_t stamp)
{
	return stamp & ((1u << STAMP_ORDER_BITS) - 1);
}

/* The block of this stamp is used: forget it, and count if that was soon. */
static void used(struct reuse_map *m, uint64_t stamp, sim_ns_t now)
{
	m->wasted += now - (stamp >> STAMP_ORDER_BITS) <= REUSE_SOON_NS;
}

static void set_pages(uint64_t *pages, pfn_t pfn, unsigned int order,
		      uint64_t stamp)
{
	const uint32_t first = pfn_align_down(pfn, order) % HPAGE_PMD_NR;

	for (uint32_t i = 0; i < order_nr_pages(order); i++)
		pages[first + i] = stamp;
}

static void set_regions(struct reuse_map *m, pfn_t pfn, unsigned int order,
			uint64_t stamp)
{
	const uint32_t first = pfn_region(pfn_align_down(pfn, order));
	const uint32_t nr = order_nr_pages(order - HPAGE_PMD_ORDER);

	for (uint32_t i = 0; i < nr; i++) {
		m->region[first + i] = stamp;
		if (stamp && m->pages[first + i])
			set_pages(m->pages[first + i], 0, HPAGE_PMD_ORDER, 0);
	}
}

int reuse_discarded(struct reuse_map *m, pfn_t pfn, unsigned int order,
		    sim_ns_t now)
{
	const uint64_t stamp = now << STAMP_ORDER_BITS | order;
	const uint32_t region = pfn_region(pfn);

	m->any = true;
	m->reported++;
	if (order >= HPAGE_PMD_ORDER) {
		set_regions(m, pfn, order, stamp);
		return 0;
	}
	if (!m->pages[region])
		m->pages[region] = calloc(HPAGE_PMD_NR, sizeof(uint64_t));
	if (!m->pages[region])
		return -ENOMEM;
	set_pages(m->pages[region], pfn, order, stamp);
	return 0;
}

static void touch_pages(struct reuse_map *m, pfn_t pfn, uint32_t nr,
			sim_ns_t now)
{
	uint64_t *pages = m->pages[pfn_region(pfn)];

	for (uint32_t i = 0; i < nr; i++) {
		const uint64_t stamp = pages[(pfn + i) % HPAGE_PMD_NR];

		if (!stamp)
			continue;
		used(m, stamp, now);
		set_pages(pages, pfn + i, stamp_order(stamp), 0);
	}
}

void reuse_touched(struct reuse_map *m, pfn_t pfn, unsigned int order,
		   sim_ns_t now)
{
	const pfn_t end = pfn + order_nr_pages(order);

	while (pfn < end) {
		const uint32_t region = pfn_region(pfn);
		const uint64_t stamp = m->region[region];
		uint32_t nr = HPAGE_PMD_NR - pfn % HPAGE_PMD_NR;

		if (nr > end - pfn)
			nr = end - pfn;
		if (stamp) {
			used(m, stamp, now);
			set_regions(m, pfn, stamp_order(stamp), 0);
		}
		if (m->pages[region])
			touch_pages(m, pfn, nr, now);
		pfn += nr;
	}
}
