/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Snapshot parser, last step: blocks become lists, and what the file says
 * about its lists is compared with them.
 */
#include <errno.h>
#include <stdlib.h>

#include "trace/snapshot_internal.h"

/*
 * Stable counting sort of `raw` by key. lists[k] receives where key k went.
 */
static struct snap_block *sort_blocks(const struct raw_array *raw,
				      struct snap_list *lists, uint32_t nr_keys)
{
	struct snap_block *out = calloc((size_t)raw->nr + 1, sizeof(*out));
	uint32_t first = 0;

	if (!out)
		return NULL;
	for (uint32_t i = 0; i < raw->nr; i++)
		lists[raw->at[i].key].nr++;
	for (uint32_t k = 0; k < nr_keys; k++) {
		lists[k].first = first;
		first += lists[k].nr;
		lists[k].nr = 0;
	}
	for (uint32_t i = 0; i < raw->nr; i++) {
		struct snap_list *l = &lists[raw->at[i].key];

		out[l->first + l->nr++] = raw->at[i].block;
	}
	return out;
}

static int build_free(struct snap_parser *p)
{
	struct snapshot *s = p->s;
	const uint32_t nr_keys = free_key(TRACE_MAX_ZONES, 0, 0);
	struct snap_list *lists = calloc(nr_keys, sizeof(*lists));

	if (!lists)
		return -ENOMEM;
	s->free_blocks = sort_blocks(&p->free, lists, nr_keys);
	s->nr_free_blocks = p->free.nr;
	for (unsigned int z = 0; z < s->nr_zones; z++)
		for (unsigned int o = 0; o < NR_PAGE_ORDERS; o++)
			for (unsigned int t = 0; t < TRACE_MAX_TYPES; t++)
				s->zones[z].free[o][t] =
					lists[free_key(z, o, t)];
	free(lists);
	return s->free_blocks ? 0 : -ENOMEM;
}

static int build_pcp(struct snap_parser *p)
{
	struct snapshot *s = p->s;
	const uint32_t nr_keys = pcp_key(s, s->nr_zones, 0, 0);
	struct snap_list *lists = calloc((size_t)nr_keys + 1, sizeof(*lists));

	if (!lists)
		return -ENOMEM;
	s->pcp_blocks = sort_blocks(&p->pcp, lists, nr_keys);
	s->nr_pcp_blocks = p->pcp.nr;
	for (unsigned int z = 0; z < s->nr_zones; z++)
		for (unsigned int c = 0; c < s->nr_cpus; c++)
			for (unsigned int i = 0; i < TRACE_MAX_PINDEX; i++)
				s->zones[z].pagesets[c].lists[i] =
					lists[pcp_key(s, z, c, i)];
	free(lists);
	return s->pcp_blocks ? 0 : -ENOMEM;
}

int snap_build_lists(struct snap_parser *p)
{
	const int err = build_free(p);

	return err ? err : build_pcp(p);
}

__attribute__((format(printf, 3, 4)))
static void zone_error(struct snap_parser *p, unsigned int zone,
		       const char *fmt, ...)
{
	char text[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	diag_error(p->f.diag,
		   (struct diag_place){ .file = p->f.file,
					.line = p->claims[zone].line },
		   "zone %s: %s", p->s->zones[zone].name, text);
}

static void check_free(struct snap_parser *p, unsigned int zone)
{
	const struct snap_zone *z = &p->s->zones[zone];
	const struct zone_claims *c = &p->claims[zone];
	uint64_t pages = 0;

	for (unsigned int o = 0; o < NR_PAGE_ORDERS; o++) {
		uint64_t blocks = 0;

		for (unsigned int t = 0; t < TRACE_MAX_TYPES; t++) {
			blocks += z->free[o][t].nr;
			/* The last of six types is isolation: not counted. */
			if (t < TRACE_MAX_TYPES - 1)
				pages += (uint64_t)z->free[o][t].nr << o;
		}
		if (((c->nr_free_given >> o) & 1) && c->nr_free[o] != blocks)
			zone_error(p, zone,
				   "nr_free[%u] is %llu, but its lists have %llu blocks",
				   o, (unsigned long long)c->nr_free[o],
				   (unsigned long long)blocks);
	}
	if (c->has_free && p->s->nr_types == 4 && z->free_pages != pages)
		zone_error(p, zone,
			   "nr_free_pages_exact is %llu, but its lists have %llu pages",
			   (unsigned long long)z->free_pages,
			   (unsigned long long)pages);
}

static void check_pageset(struct snap_parser *p, unsigned int zone,
			  unsigned int cpu)
{
	struct snap_zone *z = &p->s->zones[zone];
	struct snap_pageset *ps = &z->pagesets[cpu];
	uint64_t pages = 0;

	for (unsigned int i = 0; i < TRACE_MAX_PINDEX; i++)
		pages += (uint64_t)ps->lists[i].nr
			 << (i < 12 ? i / 3 : HPAGE_PMD_ORDER);
	if (!ps->present) {
		ps->count = (uint32_t)pages;
		ps->high = z->pageset_high;
		ps->batch = z->pageset_batch;
		return;
	}
	if (ps->count != pages)
		zone_error(p, zone,
			   "the pageset of CPU %u has count %u, but its lists have %llu pages",
			   cpu, ps->count, (unsigned long long)pages);
}

void snap_check_totals(struct snap_parser *p)
{
	struct snapshot *s = p->s;

	if (!s->nr_zones)
		diag_error(p->f.diag,
			   (struct diag_place){ .file = p->f.file },
			   "the snapshot has no zone");
	for (unsigned int i = 0; i < s->nr_zones; i++) {
		struct snap_zone *z = &s->zones[i];

		if (!p->claims[i].has_spanned)
			zone_error(p, i, "its zval spanned is missing");
		if (!p->claims[i].has_present)
			z->present = z->spanned;
		if (!p->claims[i].has_managed)
			z->managed = z->present;
		if (z->present > z->spanned || z->managed > z->present)
			zone_error(p, i,
				   "managed <= present <= spanned does not hold");
		check_free(p, i);
		for (unsigned int c = 0; c < s->nr_cpus; c++)
			check_pageset(p, i, c);
	}
}
