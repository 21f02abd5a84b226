/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the guest believes against what the host has: a page of a task's
 * anonymous memory was written when it was faulted in, so the host has it, or
 * has it in swap. If not, somebody told the host that it was free while it was
 * in use, and what was in it is lost.
 *
 * Left out: guests that know which of their free pages read as zeroes, and so
 * hand out pages that nobody has touched; recorded guests, whose calls are
 * followed and not their tasks; pages of files.
 */
#include <stdlib.h>

#include "include/check.h"
#include "sim/machine.h"

/* Anonymous pages of a region of which the host has nothing. */
static uint64_t missing_in(const struct sim_guest *g, const uint64_t *anon,
			   pfn_t first, pfn_t end)
{
	const struct hypervisor *hv = g->sim->hv;
	uint64_t missing = 0;
	pfn_t pfn;

	for (pfn = first; pfn < end; pfn++) {
		if (!bitmap_test(anon, pfn))
			continue;
		missing += hv->ops->backed ?
			!hv->ops->backed(hv, g->hv_id, pfn, 0) :
			!hv_block_mapped(g->hv_map, pfn, 0);
	}
	return missing;
}

static bool region_is_whole(const struct sim_guest *g, pfn_t first, pfn_t end)
{
	const struct hypervisor *hv = g->sim->hv;

	if (end - first != HPAGE_PMD_NR)
		return false;
	return hv->ops->backed ?
		hv->ops->backed(hv, g->hv_id, first, HPAGE_PMD_ORDER) ==
			HPAGE_PMD_NR :
		hv_block_mapped(g->hv_map, first, HPAGE_PMD_ORDER);
}

static uint64_t missing_pages(const struct sim_guest *g, const uint64_t *anon,
			      pfn_t *where)
{
	const pfn_t last = alloc_end_pfn(g->alloc);
	uint64_t missing = 0, here;
	pfn_t first, end;

	for (first = 0; first < last; first = end) {
		end = last - first > HPAGE_PMD_NR ? first + HPAGE_PMD_NR : last;
		if (!bitmap_count_range(anon, first, end - first) ||
		    region_is_whole(g, first, end))
			continue;
		here = missing_in(g, anon, first, end);
		if (here)
			*where = first;
		missing += here;
	}
	return missing;
}

void conserve_check(const struct sim_guest *g, const uint64_t *anon)
{
	struct hv_gauges host;
	uint64_t missing;
	pfn_t where = 0;

	/* A run that failed may have ended with an access that did. */
	if (g->known_zero || g->replay || g->sim->failed)
		return;
	missing = missing_pages(g, anon, &where);
	if (!missing)
		return;
	g->sim->hv->ops->gauges(g->sim->hv, g->hv_id, &host);
	CHECK_MSG(missing <= host.swapped_pages,
		  "conservation: guest %u: %llu pages of tasks are neither on "
		  "the host nor in its swap, which has %llu; the last near "
		  "page %u", g->id + 1, (unsigned long long)missing,
		  (unsigned long long)host.swapped_pages, where);
}
