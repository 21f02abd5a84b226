/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The twin's end state against a snapshot: every list of every zone, order and
 * type and of every pageset, block by block, and every pageblock's type. Leaves
 * out what a snapshot cannot show of a kernel: LRU batches, the shuffle bits.
 */
#include <string.h>

#include "replay/internal.h"

struct comparison {
	const struct alloc *a;
	const struct snapshot *s;
	struct replay_result *out;
};

/* One list of the snapshot beside one of the twin. */
struct list_pair {
	const struct snap_block *kernel;
	uint32_t nr_kernel;
	pfn_t twin_first;
	char name[64];
};

static bool block_equal(const struct alloc *a, const struct snap_block *b,
			pfn_t twin)
{
	if (b->pfn != twin)
		return false;
	if (!alloc_is_free_head(a, twin))
		return !b->reported;
	return b->reported ==
	       ((alloc_block_marks(a, twin) & BLOCK_REPORTED) != 0);
}

/* Number of leading blocks that agree; *equal if that is all of both. */
static uint32_t common_prefix(const struct comparison *c,
			      const struct list_pair *l, bool *equal)
{
	pfn_t twin = l->twin_first;
	uint32_t i;

	for (i = 0; i < l->nr_kernel && twin != PFN_NONE; i++) {
		if (!block_equal(c->a, &l->kernel[i], twin))
			break;
		twin = alloc_list_next(c->a, twin);
	}
	*equal = i == l->nr_kernel && twin == PFN_NONE;
	return i;
}

static void explain_list(const struct comparison *c, const struct list_pair *l,
			 uint32_t at)
{
	FILE *out = fmemopen(c->out->first_list, sizeof(c->out->first_list),
			     "w");
	pfn_t twin = l->twin_first;
	uint32_t i;

	if (!out)
		return;
	for (i = 0; i < at; i++)
		twin = alloc_list_next(c->a, twin);
	fprintf(out, "%s differs from block %u on: kernel has", l->name,
		at + 1);
	for (i = at; i < l->nr_kernel && i < at + SHOWN_BLOCKS; i++)
		fprintf(out, " %u%s", l->kernel[i].pfn,
			l->kernel[i].reported ? "r" : "");
	fprintf(out, "%s, twin has ", i == at ? " none" : "");
	print_blocks(c->a, twin, out);
	if (twin == PFN_NONE)
		fprintf(out, "none");
	fclose(out);
	c->out->first_list[sizeof(c->out->first_list) - 1] = '\0';
}

/* true if the lists are equal. */
static bool compare_list(const struct comparison *c, const struct list_pair *l)
{
	bool equal;
	uint32_t at;

	if (!l->nr_kernel && l->twin_first == PFN_NONE)
		return true;
	c->out->lists++;
	at = common_prefix(c, l, &equal);
	if (equal)
		return true;
	if (!c->out->lists_differing)
		explain_list(c, l, at);
	c->out->lists_differing++;
	return false;
}

/* Type index of the snapshot's kernel for a type of the twin, or -1. */
static int snapshot_type(const struct snapshot *s, enum migratetype mt)
{
	for (unsigned int t = 0; t < s->nr_types; t++)
		if (twin_type(s, t) == mt)
			return (int)t;
	return -1;
}

static void compare_free(const struct comparison *c, unsigned int zone)
{
	const struct snap_zone *z = &c->s->zones[zone];
	struct list_pair l;
	char name[16];

	for (unsigned int o = 0; o < NR_PAGE_ORDERS; o++)
		for (unsigned int t = 0; t < MIGRATE_TYPES; t++) {
			const enum migratetype mt = (enum migratetype)t;
			const int k = snapshot_type(c->s, mt);

			l.nr_kernel = k < 0 ? 0 : z->free[o][k].nr;
			l.kernel = c->s->free_blocks +
				   (k < 0 ? 0 : z->free[o][k].first);
			l.twin_first = alloc_list_first(c->a, zone, o, mt);
			snprintf(l.name, sizeof(l.name), "%s %s", z->name,
				 list_name(o, mt, name));
			compare_list(c, &l);
		}
}

static void pcp_pair(const struct comparison *c, unsigned int zone,
		     unsigned int cpu, unsigned int pindex, bool twin_has,
		     struct list_pair *l)
{
	const struct snap_zone *z = &c->s->zones[zone];
	const struct snap_list *k = &z->pagesets[cpu].lists[pindex];
	enum migratetype mt = MIGRATE_UNMOVABLE;
	unsigned int order = 0;
	char name[16];

	l->kernel = c->s->pcp_blocks + k->first;
	l->nr_kernel = k->nr;
	l->twin_first = PFN_NONE;
	if (twin_has) {
		l->twin_first = alloc_pcp_first(c->a, zone, cpu, pindex);
		alloc_pindex_decode(c->a, pindex, &order, &mt);
	}
	snprintf(l->name, sizeof(l->name), "%s cpu%u pcp %s", z->name, cpu,
		 list_name(order, mt, name));
}

/* What only kernels from 6.7 on have. */
static bool same_state(const struct alloc_pcp_info *info,
		       const struct snap_pageset *ps)
{
	const uint32_t flags =
		(info->prev_free_high_order ? SNAP_PCP_PREV_FREE_HIGH_ORDER :
					      0) |
		(info->big_cache ? SNAP_PCP_FREE_HIGH_BATCH : 0);

	return info->high_min == ps->high_min &&
	       info->high_max == ps->high_max &&
	       info->alloc_factor == ps->alloc_factor &&
	       info->free_count == ps->free_count && flags == ps->flags;
}

/* The lists, and the numbers that decide what the pageset does next. */
static void compare_pageset(const struct comparison *c, unsigned int zone,
			    unsigned int cpu)
{
	const struct snap_pageset *ps = &c->s->zones[zone].pagesets[cpu];
	struct alloc_pcp_info info;
	bool equal = true;

	alloc_pcp_info(c->a, zone, cpu, &info);
	for (unsigned int i = 0; i < TRACE_MAX_PINDEX; i++) {
		struct list_pair l;

		pcp_pair(c, zone, cpu, i, i < info.nr_lists, &l);
		equal &= compare_list(c, &l);
	}
	/* Equal lists under a different count: the list set differs. */
	if (equal && info.count != ps->count)
		c->out->lists_differing++;
	if (info.count != ps->count || info.high != ps->high ||
	    info.batch != (ps->batch ? ps->batch : 1) ||
	    (ps->present && info.free_factor != ps->free_factor) ||
	    (ps->has_range && !same_state(&info, ps)))
		c->out->pagesets_differing++;
}

static void compare_pageblocks(const struct comparison *c)
{
	const struct snapshot *s = c->s;

	for (uint32_t i = 0; i < s->nr_pageblocks; i++) {
		const struct snap_pageblock *pb = &s->pageblocks[i];

		c->out->pageblocks++;
		if (alloc_pageblock_type(c->a, pb->pfn) !=
		    twin_type(s, pb->mt))
			c->out->pageblocks_differing++;
	}
}

void replay_compare(const struct alloc *a, const struct snapshot *after,
		    struct replay_result *out)
{
	const struct comparison c = { .a = a, .s = after, .out = out };

	out->compared = true;
	out->first_list[0] = '\0';
	out->lists = out->lists_differing = 0;
	out->pageblocks = out->pageblocks_differing = 0;
	out->pagesets_differing = 0;
	for (unsigned int z = 0; z < after->nr_zones; z++) {
		compare_free(&c, z);
		for (unsigned int cpu = 0; cpu < after->nr_cpus; cpu++)
			compare_pageset(&c, z, cpu);
	}
	compare_pageblocks(&c);
}
