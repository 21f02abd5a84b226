/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A start state with recorded free counts (/proc/pagetypeinfo or buddyinfo,
 * sizes from zoneinfo). Where the blocks are, nobody recorded, so it is
 * assumed: pageblocks that are not movable lie lowest in their zone, free
 * blocks highest, the largest first, in pageblocks of their type as long as
 * there are such, no two of them buddies; lists ascend, as after boot (5.10
 * on). Per-CPU lists are empty: what was on them counts as in use.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "include/bitmap.h"
#include "include/sparse.h"
#include "replay/assume.h"
#include "trace/procstats.h"

#define BIOS_HOLE_START ((pfn_t)159)
#define BIOS_HOLE_END ((pfn_t)256)

/* In both tables together: 64 GiB of single pages. */
#define MAX_COUNTED_BLOCKS (UINT64_C(1) << 25)

struct placer {
	struct snapshot *s;
	const struct procstats *p;
	const uint64_t *in_use;
	uint64_t *used;      /* bit per PFN: in a free block */
	uint64_t *heads;     /* bit per PFN: such a block of this order */
	uint8_t *types;      /* per pageblock */
	pfn_t end;
	uint32_t room;
	uint64_t unplaced;
};

static const char *const zone_names[] = {
	"DMA", "DMA32", "Normal", "Movable", "Device",
};

static int zone_id(const char *name)
{
	for (unsigned int i = 0; i < TRACE_MAX_ZONES; i++)
		if (!strcmp(name, zone_names[i]))
			return (int)i;
	return -1;
}

/* A sentence, or NULL: the zones make a guest. */
static const char *wrong_zones(const struct procstats *p)
{
	uint64_t end = 0;
	int zid = -1;

	if (!p->nr_zones)
		return "no zoneinfo: the sizes of the zones are not known";
	for (unsigned int i = 0; i < p->nr_zones; i++) {
		const struct proc_zone *z = &p->zones[i];

		if (z->node)
			return "several nodes: a replay has one";
		if (zone_id(z->name) <= zid)
			return "zoneinfo names its zones out of order";
		zid = zone_id(z->name);
		if (z->start < end || z->spanned > TRACE_MAX_PFN ||
		    z->start + z->spanned > TRACE_MAX_PFN ||
		    z->present > z->spanned || z->managed > z->present)
			return "zoneinfo has a zone of impossible size";
		end = z->start + z->spanned;
		if (!z->nr_cpus || z->nr_cpus != p->zones[0].nr_cpus)
			return "zoneinfo does not show the same CPUs in all zones";
	}
	return NULL;
}

static void fill_pagesets(struct snap_zone *out, const struct proc_zone *z)
{
	for (unsigned int c = 0; c < z->nr_cpus; c++)
		out->pagesets[c] = (struct snap_pageset){
			.present = true,
			.high = z->pagesets[c].high,
			.batch = z->pagesets[c].batch,
			.has_range = z->pagesets[c].high_max &&
				     z->pagesets[c].high_min <=
					     z->pagesets[c].high_max,
			.high_min = z->pagesets[c].high_min,
			.high_max = z->pagesets[c].high_max,
			.flags = SNAP_PCP_FREE_HIGH_BATCH,
		};
}

static bool fill_zone(struct snap_zone *out, const struct proc_zone *z)
{
	snprintf(out->name, sizeof(out->name), "%s", z->name);
	out->zid = (uint8_t)zone_id(z->name);
	out->start = z->start;
	out->end = (pfn_t)(z->start + z->spanned);
	out->spanned = z->spanned;
	out->present = z->present;
	out->managed = z->managed;
	/* zoneinfo prints them with the boost. */
	out->wmark_min = z->min - (z->boost < z->min ? z->boost : z->min);
	out->wmark_low = z->low - (z->boost < z->low ? z->boost : z->low);
	out->wmark_high = z->high - (z->boost < z->high ? z->boost : z->high);
	out->boost = z->boost;
	memcpy(out->lowmem_reserve, z->protection,
	       sizeof(out->lowmem_reserve));
	out->pagesets = calloc(z->nr_cpus, sizeof(*out->pagesets));
	if (!out->pagesets)
		return false;
	fill_pagesets(out, z);
	return true;
}

static const struct proc_row *row_of(const struct procstats *p,
				     enum proc_table table, const char *zone,
				     const char *type)
{
	struct proc_row like = { .table = (uint8_t)table };

	snprintf(like.zone, sizeof(like.zone), "%s", zone);
	snprintf(like.type, sizeof(like.type), "%s", type);
	return procstats_find(p, &like);
}

/* Movable ones fill what the others leave. */
static void fill_pageblocks(struct placer *w, unsigned int zone)
{
	static const unsigned int order_of[] = { 0, 2, 3, 4, 5 };
	const struct snap_zone *z = &w->s->zones[zone];
	const unsigned int order = w->s->pageblock_order;
	const struct proc_row *row = row_of(w->p, PROC_BLOCKS, z->name, "");
	unsigned int k = 0;
	uint64_t done = 0;

	for (uint64_t p = pfn_align_down(z->start, order); p < z->end;
	     p += order_nr_pages(order)) {
		const pfn_t pfn = p < z->start ? z->start : (pfn_t)p;
		unsigned int mt = MIGRATE_MOVABLE;

		while (row && k < ARRAY_SIZE(order_of) &&
		       (order_of[k] >= row->nr ||
			done == row->values[order_of[k]])) {
			k++;
			done = 0;
		}
		if (row && k < ARRAY_SIZE(order_of)) {
			mt = order_of[k];
			done++;
		}
		w->types[pfn >> order] = (uint8_t)mt;
		w->s->pageblocks[w->s->nr_pageblocks++] =
			(struct snap_pageblock){ .pfn = pfn,
						 .zone = (uint8_t)zone,
						 .mt = (uint8_t)mt };
	}
}

static bool may_be_free(const struct placer *w, const struct snap_zone *z,
			pfn_t pfn, unsigned int order)
{
	const uint32_t nr = order_nr_pages(order);

	if (bitmap_count_range(w->used, pfn, nr) ||
	    bitmap_count_range(w->in_use, pfn, nr))
		return false;
	/* Buddies would have merged. */
	if (order < MAX_PAGE_ORDER && (pfn ^ nr) < w->end &&
	    bitmap_test(w->heads, pfn ^ nr))
		return false;
	return z->zid != 0 || z->present == z->spanned ||
	       pfn >= BIOS_HOLE_END || pfn + nr <= BIOS_HOLE_START;
}

static void place_block(struct placer *w, pfn_t pfn, unsigned int order,
			unsigned int mt)
{
	bitmap_set_range(w->used, pfn, order_nr_pages(order));
	bitmap_set(w->heads, pfn);
	w->s->free_blocks[w->s->nr_free_blocks++] = (struct snap_block){
		.pfn = pfn,
		.order = (uint8_t)order,
		.mt = (uint8_t)mt,
	};
}

/* From the top down; blocks that found no place. */
static uint64_t place_some(struct placer *w, const struct snap_zone *z,
			   unsigned int order, unsigned int mt, uint64_t nr,
			   bool own_type)
{
	const uint32_t step = order_nr_pages(order);
	uint64_t pfn = pfn_align_down(z->end, order);

	while (nr && pfn >= (uint64_t)z->start + step) {
		pfn -= step;
		if (own_type &&
		    w->types[pfn >> w->s->pageblock_order] != mt)
			continue;
		if (!may_be_free(w, z, (pfn_t)pfn, order))
			continue;
		if (w->s->nr_free_blocks == w->room)
			break;
		place_block(w, (pfn_t)pfn, order, mt);
		nr--;
	}
	return nr;
}

static int by_pfn(const void *a, const void *b)
{
	const struct snap_block *x = a, *y = b;

	return x->pfn < y->pfn ? -1 : x->pfn > y->pfn;
}

static void place_list(struct placer *w, unsigned int zone, unsigned int order,
		       unsigned int mt, uint64_t nr)
{
	struct snap_zone *z = &w->s->zones[zone];
	struct snap_list *l = &z->free[order][mt];

	l->first = w->s->nr_free_blocks;
	nr = place_some(w, z, order, mt, nr, true);
	nr = place_some(w, z, order, mt, nr, false);
	l->nr = w->s->nr_free_blocks - l->first;
	qsort(w->s->free_blocks + l->first, l->nr, sizeof(struct snap_block),
	      by_pfn);
	w->unplaced += nr * order_nr_pages(order);
	z->free_pages += (uint64_t)l->nr * order_nr_pages(order);
}

static void place_zone(struct placer *w, unsigned int zone)
{
	static const char *const types[] = {
		"Unmovable", "Movable", "Reclaimable", "HighAtomic", "CMA",
		"Isolate",
	};
	const char *name = w->s->zones[zone].name;
	const bool typed = row_of(w->p, PROC_TYPES, name, "Movable");

	for (unsigned int o = NR_PAGE_ORDERS; o-- > 0;) {
		memset(w->heads, 0, BITMAP_WORDS(w->end) * sizeof(uint64_t));
		for (unsigned int t = 0; t < w->s->nr_types; t++) {
			const struct proc_row *row = typed ?
				row_of(w->p, PROC_TYPES, name, types[t]) :
				t == MIGRATE_MOVABLE ?
				row_of(w->p, PROC_BUDDYINFO, name, "") : NULL;

			if (row && o < row->nr)
				place_list(w, zone, o, t, row->values[o]);
		}
	}
}

/*
 * Free blocks that the tables count, at most; a few lines could ask for all
 * pages of 4 TiB one by one, so there is a bound.
 */
static uint64_t counted_blocks(const struct procstats *p, pfn_t end)
{
	uint64_t blocks = 1;

	for (uint32_t i = 0; i < p->nr_rows; i++)
		for (unsigned int o = 0; o < p->rows[i].nr; o++)
			if (p->rows[i].table != PROC_BLOCKS)
				blocks += p->rows[i].values[o] < end ?
						  p->rows[i].values[o] : end;
	return blocks;
}

static pfn_t last_pfn(const struct procstats *p)
{
	const struct proc_zone *last = &p->zones[p->nr_zones - 1];

	return (pfn_t)(last->start + last->spanned);
}

static bool make_room(struct placer *w)
{
	uint64_t blocks;

	w->end = last_pfn(w->p);
	blocks = counted_blocks(w->p, w->end);
	w->room = blocks < w->end ? (uint32_t)blocks : w->end;
	w->used = calloc(BITMAP_WORDS(w->end), sizeof(uint64_t));
	w->heads = calloc(BITMAP_WORDS(w->end), sizeof(uint64_t));
	w->types = calloc((w->end >> w->s->pageblock_order) + 1, 1);
	w->s->free_blocks = calloc(w->room, sizeof(struct snap_block));
	w->s->pageblocks = calloc((w->end >> w->s->pageblock_order) +
					  2 * w->p->nr_zones + 1,
				  sizeof(struct snap_pageblock));
	return w->used && w->heads && w->types && w->s->free_blocks &&
	       w->s->pageblocks;
}

static bool build(struct placer *w)
{
	const struct proc_row *blocks =
		row_of(w->p, PROC_BLOCKS, w->p->zones[0].name, "");

	w->s->nr_cpus = w->p->zones[0].nr_cpus;
	w->s->pageblock_order = w->p->pageblock_order == 10 ? 10 : 9;
	w->s->nr_types = blocks && blocks->nr > 4 &&
			 blocks->nr <= TRACE_MAX_TYPES ? blocks->nr : 4;
	if (!make_room(w))
		return false;
	for (unsigned int i = 0; i < w->p->nr_zones; i++) {
		w->s->nr_zones++;
		if (!fill_zone(&w->s->zones[i], &w->p->zones[i]))
			return false;
		fill_pageblocks(w, i);
		place_zone(w, i);
	}
	return true;
}

static void describe(struct replay *r, const struct placer *w)
{
	uint64_t pcp = 0;

	for (unsigned int i = 0; i < w->p->nr_zones; i++)
		for (unsigned int c = 0; c < w->p->zones[i].nr_cpus; c++)
			pcp += w->p->zones[i].pagesets[c].count;
	r->res.assumed.unplaced = w->unplaced;
	snprintf(r->res.assumed.text, sizeof(r->res.assumed.text),
		 "the free counts of %.200s: pageblocks not movable lowest, "
		 "free blocks highest, lists ascending, per-CPU lists empty "
		 "(%llu pages of theirs in use)",
		 r->opt.free_counts, (unsigned long long)pcp);
}

int assume_proc(struct replay *r, const uint64_t *in_use,
		struct snapshot **out)
{
	const struct diag_place at = { .file = r->opt.free_counts };
	struct procstats *p = NULL;
	struct placer w = { .in_use = in_use };
	const char *why;
	int err = procstats_read(&p, r->opt.free_counts, "before", r->diag);

	if (err)
		return err;
	why = wrong_zones(p);
	if (!why && counted_blocks(p, last_pfn(p)) > MAX_COUNTED_BLOCKS)
		why = "buddyinfo and pagetypeinfo count more than 33554432 free "
		      "blocks; a replay takes a start state of at most that";
	if (why) {
		diag_error(r->diag, at, "%s", why);
		err = -EINVAL;
	}
	w.p = p;
	w.s = err ? NULL : calloc(1, sizeof(*w.s));
	if (!err && (!w.s || !build(&w))) {
		diag_error(r->diag, (struct diag_place){ 0 }, "out of memory");
		snapshot_free(w.s);
		err = -ENOMEM;
	}
	if (!err) {
		describe(r, &w);
		*out = w.s;
	}
	free(w.used);
	free(w.heads);
	free(w.types);
	procstats_free(p);
	return err;
}
