/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Memory that cells may take. A guest's tables are committed as it breaks up
 * its blocks, so this is what the worst workload makes of it and most need far
 * less: a guest of 8 TiB of which 1 GiB is used takes 80 MB.
 */
#include "bench/demand.h"

#include <sys/resource.h>
#include <unistd.h>

uint64_t demand_of_cell(const struct cell *c)
{
	/* 2^31 pages, 64 guests: no overflow. */
	return bytes_to_pages(c->body->guest.memory) * c->body->host.guests *
	       DEMAND_BYTES_PER_PAGE;
}

const struct cell *demand_largest(const struct experiment *e)
{
	const struct cell *largest = NULL;

	for (size_t i = 0; i < e->nr_cells; i++)
		if (!largest || demand_of_cell(&e->cells[i]) >
				demand_of_cell(largest))
			largest = &e->cells[i];
	return largest;
}

uint64_t demand_available(void)
{
	const long pages = sysconf(_SC_PHYS_PAGES);
	const long size = sysconf(_SC_PAGESIZE);
	uint64_t bytes = pages > 0 && size > 0 ?
			 (uint64_t)pages * (uint64_t)size : UINT64_MAX;
	struct rlimit limit;

	if (!getrlimit(RLIMIT_AS, &limit) && limit.rlim_cur != RLIM_INFINITY &&
	    limit.rlim_cur < bytes)
		bytes = limit.rlim_cur;
	return bytes;
}
