/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * /proc/zoneinfo and the allocator's part of /proc/vmstat, in the layouts of
 * zoneinfo_show_print and vmstat_show, 5.3 to 6.18.
 *
 * Left out: every counter of somebody else (LRU, slab, dirty pages, NUMA
 * statistics, per-node stats); printing zeroes for them would be a lie. Zone
 * Device is not modelled and not printed, as without CONFIG_ZONE_DEVICE.
 */
#include "alloc/pcp.h"
#include "alloc/proc.h"

#define NR_PRINTED_ZONES ZONE_DEVICE
/* Stat threshold: at most this, and one step up per 128 MiB doubled. */
#define STAT_THRESHOLD_MAX 125u
#define STAT_MEMORY_SHIFT (27 - PAGE_SHIFT)

static unsigned long long llu(uint64_t value)
{
	return value;
}

/* Position of the highest set bit, counted from 1; 0 for 0. */
static unsigned int fls64(uint64_t x)
{
	unsigned int bits = 0;

	for (; x != 0; x >>= 1)
		bits++;
	return bits;
}

/* Models calculate_normal_threshold. */
static unsigned int stat_threshold(const struct alloc *a, const struct zone *z)
{
	const unsigned int memory = fls64(z->managed >> STAT_MEMORY_SHIFT);
	const unsigned int threshold = 2 * fls64(a->nr_cpus) * (1 + memory);

	return threshold < STAT_THRESHOLD_MAX ? threshold :
						STAT_THRESHOLD_MAX;
}

static uint64_t cma_pages(const struct alloc *a, const struct zone *z)
{
	const uint32_t step = order_nr_pages(a->pageblock_order);
	uint64_t nr = 0;

	if (!a->cma)
		return 0;
	for (uint64_t pfn = z->start; pfn < z->end; pfn += step) {
		if (pageblock_mt(a, (pfn_t)pfn) == MIGRATE_CMA)
			nr += step;
	}
	return nr;
}

static uint64_t free_pages_blocks(const struct alloc *a, const struct zone *z)
{
	uint64_t nr = 0;

	for (unsigned int o = a->pageblock_order; o < NR_PAGE_ORDERS; o++)
		nr += z->free_area[o].nr_free << o;
	return nr;
}

static void print_marks(const struct alloc *a, const struct zone *z, FILE *out)
{
	const uint64_t gap = z->wmark[AF_WMARK_HIGH] - z->wmark[AF_WMARK_LOW];

	fprintf(out, "\n  pages free     %llu", llu(z->free_pages));
	if (a->prof.zoneinfo_boost_cma)
		fprintf(out, "\n        boost    %llu", llu(z->boost));
	fprintf(out, "\n        min      %llu\n        low      %llu"
		"\n        high     %llu", llu(zone_wmark(z, AF_WMARK_MIN)),
		llu(zone_wmark(z, AF_WMARK_LOW)),
		llu(zone_wmark(z, AF_WMARK_HIGH)));
	if (a->prof.has_promo)
		fprintf(out, "\n        promo    %llu",
			llu(zone_wmark(z, AF_WMARK_HIGH) + gap));
	fprintf(out, "\n        spanned  %llu\n        present  %llu"
		"\n        managed  %llu", llu(z->end - z->start),
		llu(z->present), llu(z->managed));
	if (a->prof.zoneinfo_boost_cma)
		fprintf(out, "\n        cma      %llu", llu(cma_pages(a, z)));
	fprintf(out, "\n        protection: (%llu", llu(z->lowmem_reserve[0]));
	for (unsigned int j = 1; j < NR_PRINTED_ZONES; j++)
		fprintf(out, ", %llu", llu(z->lowmem_reserve[j]));
	fputc(')', out);
}

static void print_counters(const struct alloc *a, const struct zone *z,
			   FILE *out)
{
	fprintf(out, "\n      %-12s %llu", "nr_free_pages",
		llu(z->free_pages));
	if (a->prof.free_pages_blocks)
		fprintf(out, "\n      %-12s %llu", "nr_free_pages_blocks",
			llu(free_pages_blocks(a, z)));
	fprintf(out, "\n      %-12s %llu", "nr_free_cma",
		llu(z->nr_free_cma));
}

static void print_pageset(const struct alloc *a, const struct zone *z,
			  unsigned int cpu, FILE *out)
{
	const struct per_cpu_pages *pcp = &z->pcp[cpu];

	fprintf(out, "\n    cpu: %u", cpu);
	if (a->prof.zoneinfo_high_range)
		fprintf(out, "\n              count:    %u"
			"\n              high:     %u"
			"\n              batch:    %u"
			"\n              high_min: %u"
			"\n              high_max: %u",
			pcp->count, pcp->high, pcp->batch, pcp->high_min,
			pcp->high_max);
	else
		fprintf(out, "\n              count: %u"
			"\n              high:  %u\n              batch: %u",
			pcp->count, pcp->high, pcp->batch);
	fprintf(out, "\n  vm stats threshold: %u", stat_threshold(a, z));
}

static void print_zone(const struct alloc *a, const struct zone *z, FILE *out)
{
	print_marks(a, z, out);
	print_counters(a, z, out);
	fputs("\n  pagesets", out);
	for (unsigned int cpu = 0; cpu < a->nr_cpus; cpu++)
		print_pageset(a, z, cpu, out);
	/* Reclaim's failures are not the allocator's to count. */
	fprintf(out, "\n  node_unreclaimable:  0"
		"\n  start_pfn:           %u\n", z->start);
}

/* A zone that has no memory still prints its marks. */
static void print_unpopulated(const struct alloc *a, FILE *out)
{
	const struct zone none = { .managed = 0 };

	print_marks(a, &none, out);
	fputc('\n', out);
}

void alloc_print_zoneinfo(const struct alloc *a, FILE *out)
{
	for (unsigned int node = 0; node < a->nr_nodes; node++) {
		for (unsigned int type = 0; type < NR_PRINTED_ZONES; type++) {
			const struct zone *z = proc_zone(a, node, type);

			fprintf(out, "Node %u, zone %8s", node,
				zone_type_name(type));
			if (z != NULL)
				print_zone(a, z, out);
			else
				print_unpopulated(a, out);
		}
	}
}

/* One line for each zone type, as FOR_ALL_ZONES names them. */
static void print_by_zone(const char *name, const uint64_t *counts, FILE *out)
{
	static const char *const zones[NR_PRINTED_ZONES] = {
		"dma", "dma32", "normal", "movable",
	};

	for (unsigned int type = 0; type < NR_PRINTED_ZONES; type++)
		fprintf(out, "%s_%s %llu\n", name, zones[type],
			llu(counts[type]));
}

void alloc_print_vmstat(const struct alloc *a, FILE *out)
{
	uint64_t nr_free = 0, blocks = 0, nr_free_cma = 0;

	for (unsigned int i = 0; i < a->nr_zones; i++) {
		nr_free += zone_at(a, i)->free_pages;
		blocks += free_pages_blocks(a, zone_at(a, i));
		nr_free_cma += zone_at(a, i)->nr_free_cma;
	}
	fprintf(out, "nr_free_pages %llu\n", llu(nr_free));
	if (a->prof.free_pages_blocks)
		fprintf(out, "nr_free_pages_blocks %llu\n", llu(blocks));
	fprintf(out, "nr_free_cma %llu\n", llu(nr_free_cma));
	print_by_zone("pgalloc", alloc_counters(a)->pgalloc, out);
	print_by_zone("allocstall", alloc_counters(a)->allocstall, out);
	fprintf(out, "pgfree %llu\n", llu(alloc_counters(a)->pgfree));
	if (a->prof.vmstat_unstable_last)
		fputs("nr_unstable 0\n", out);
}
