/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Memory that cells may take. A guest's tables are committed as it breaks up
 * its blocks, so this is what the worst workload makes of it and most need far
 * less: a guest of 8 TiB of which 1 GiB is used takes 80 MB.
 */
#include "bench/demand.h"

#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "bench/memory_limit.h"

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

static int larger_first(const void *a, const void *b)
{
	const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x > y ? -1 : x < y;
}

/* Of each cell, the largest first; NULL without memory or cells. */
static uint64_t *all_demands(const struct experiment *e)
{
	uint64_t *all = e->nr_cells ? malloc(e->nr_cells * sizeof(*all)) :
				      NULL;

	for (size_t i = 0; all && i < e->nr_cells; i++)
		all[i] = demand_of_cell(&e->cells[i]);
	if (all)
		qsort(all, e->nr_cells, sizeof(*all), larger_first);
	return all;
}

uint64_t demand_of_jobs(const struct experiment *e, unsigned int jobs)
{
	uint64_t *all = all_demands(e), sum = 0;

	/* 1,024 times 2^42: no overflow. */
	for (size_t i = 0; all && i < e->nr_cells && i < jobs; i++)
		sum += all[i];
	free(all);
	return sum;
}

unsigned int demand_jobs_that_fit(const struct experiment *e,
				  unsigned int jobs, uint64_t bytes)
{
	uint64_t *all = all_demands(e), sum = 0;
	unsigned int fit = jobs;

	for (size_t i = 0; all && i < e->nr_cells && i < fit; i++) {
		sum += all[i];
		if (sum > bytes)
			fit = i ? (unsigned int)i : 1;
	}
	free(all);
	return fit;
}

uint64_t demand_available_to_all(void)
{
	const long pages = sysconf(_SC_PHYS_PAGES);
	const long size = sysconf(_SC_PAGESIZE);
	const uint64_t bytes = pages > 0 && size > 0 ?
			       (uint64_t)pages * (uint64_t)size : UINT64_MAX;
	const uint64_t most = memory_limit("/proc/self/cgroup",
					   "/sys/fs/cgroup");

	return most < bytes ? most : bytes;
}

uint64_t demand_available(void)
{
	uint64_t bytes = demand_available_to_all();
	struct rlimit limit;

	if (!getrlimit(RLIMIT_AS, &limit) && limit.rlim_cur != RLIM_INFINITY &&
	    limit.rlim_cur < bytes)
		bytes = limit.rlim_cur;
	return bytes;
}
