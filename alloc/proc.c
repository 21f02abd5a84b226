/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * /proc/buddyinfo and /proc/pagetypeinfo, byte for byte. Models
 * frag_show_print, pagetypeinfo_showfree_print and
 * pagetypeinfo_showblockcount_print, the same in all releases.
 *
 * Left out: the third part of pagetypeinfo, which needs page_owner.
 */
#include "alloc/lists.h"
#include "alloc/proc.h"

/* Where pagetypeinfo stops counting, for the sake of the zone lock. */
#define FREECOUNT_MAX 100000u

static const char *const mt_names[MIGRATE_TYPES] = {
	"Unmovable", "Movable", "Reclaimable", "HighAtomic", "CMA", "Isolate",
};

static const char *const zone_names[MAX_NR_ZONES] = {
	"DMA", "DMA32", "Normal", "Movable", "Device",
};

const char *zone_type_name(unsigned int type)
{
	CHECK_LT(type, MAX_NR_ZONES);
	return zone_names[type];
}

const struct zone *proc_zone(const struct alloc *a, unsigned int node,
			     unsigned int type)
{
	for (unsigned int i = 0; i < a->nr_zones; i++) {
		const struct zone *z = zone_at(a, i);

		if (z->node == node && z->type == type)
			return z;
	}
	return NULL;
}

static void print_zone_name(const struct zone *z, FILE *out)
{
	fprintf(out, "Node %d, zone %8s ", z->node, zone_type_name(z->type));
}

static void print_zone_frag(const struct zone *z, FILE *out)
{
	print_zone_name(z, out);
	for (unsigned int order = 0; order < NR_PAGE_ORDERS; order++)
		fprintf(out, "%6llu ",
			(unsigned long long)z->free_area[order].nr_free);
	fputc('\n', out);
}

void alloc_print_buddyinfo(const struct alloc *a, FILE *out)
{
	for (unsigned int node = 0; node < a->nr_nodes; node++) {
		for (unsigned int type = 0; type < MAX_NR_ZONES; type++) {
			const struct zone *z = proc_zone(a, node, type);

			if (z != NULL)
				print_zone_frag(z, out);
		}
	}
}

/* The types that this kernel was configured with, in index order. */
static unsigned int printed_types(const struct alloc *a, unsigned int *types)
{
	unsigned int nr = 0;

	for (unsigned int mt = 0; mt < MIGRATE_TYPES; mt++) {
		if (mt == MIGRATE_CMA && !a->cma)
			continue;
		if (mt == MIGRATE_ISOLATE && !a->isolation)
			continue;
		types[nr++] = mt;
	}
	return nr;
}

static void print_list_length(const struct alloc *a, const struct zone *z,
			      unsigned int order, unsigned int mt, FILE *out)
{
	const struct page_list *list = &z->free_area[order].free_list[mt];
	unsigned int nr = 0;

	for (pfn_t pfn = list_first(a, list, order);
	     pfn != PFN_NONE && nr < FREECOUNT_MAX;
	     pfn = list_next(a, pfn, order))
		nr++;
	fprintf(out, "%s%6u ", nr == FREECOUNT_MAX ? ">" : "", nr);
}

static void print_free_by_type(const struct alloc *a, const struct zone *z,
			       FILE *out)
{
	unsigned int types[MIGRATE_TYPES];
	const unsigned int nr = printed_types(a, types);

	for (unsigned int i = 0; i < nr; i++) {
		fprintf(out, "Node %4d, zone %8s, type %12s ", z->node,
			zone_type_name(z->type), mt_names[types[i]]);
		for (unsigned int order = 0; order < NR_PAGE_ORDERS; order++)
			print_list_length(a, z, order, types[i], out);
		fputc('\n', out);
	}
}

/* Steps from the zone's start, even if that is inside a pageblock. */
static void print_blocks_by_type(const struct alloc *a, const struct zone *z,
				 FILE *out)
{
	const uint32_t step = order_nr_pages(a->pageblock_order);
	unsigned int types[MIGRATE_TYPES];
	const unsigned int nr = printed_types(a, types);
	uint64_t count[MIGRATE_TYPES] = { 0 };

	for (uint64_t pfn = z->start; pfn < z->end; pfn += step)
		count[pageblock_mt(a, (pfn_t)pfn)]++;
	print_zone_name(z, out);
	for (unsigned int i = 0; i < nr; i++)
		fprintf(out, "%12llu ", (unsigned long long)count[types[i]]);
	fputc('\n', out);
}

static void print_node_free(const struct alloc *a, unsigned int node,
			    FILE *out)
{
	fprintf(out, "%-43s ", "Free pages count per migrate type at order");
	for (unsigned int order = 0; order < NR_PAGE_ORDERS; order++)
		fprintf(out, "%6u ", order);
	fputc('\n', out);
	for (unsigned int type = 0; type < MAX_NR_ZONES; type++) {
		const struct zone *z = proc_zone(a, node, type);

		if (z != NULL)
			print_free_by_type(a, z, out);
	}
}

static void print_node_blocks(const struct alloc *a, unsigned int node,
			      FILE *out)
{
	unsigned int types[MIGRATE_TYPES];
	const unsigned int nr = printed_types(a, types);

	fprintf(out, "\n%-23s", "Number of blocks type ");
	for (unsigned int i = 0; i < nr; i++)
		fprintf(out, "%12s ", mt_names[types[i]]);
	fputc('\n', out);
	for (unsigned int type = 0; type < MAX_NR_ZONES; type++) {
		const struct zone *z = proc_zone(a, node, type);

		if (z != NULL)
			print_blocks_by_type(a, z, out);
	}
}

void alloc_print_pagetypeinfo(const struct alloc *a, FILE *out)
{
	for (unsigned int node = 0; node < a->nr_nodes; node++) {
		/* A node without memory prints nothing. */
		if (a->local[node].nr == 0)
			continue;
		fprintf(out, "Page block order: %u\n", a->pageblock_order);
		fprintf(out, "Pages per block:  %u\n",
			order_nr_pages(a->pageblock_order));
		fputc('\n', out);
		print_node_free(a, node, out);
		print_node_blocks(a, node, out);
	}
}
