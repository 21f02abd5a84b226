/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reclaim: clean page cache of files on a disk goes, partly unmapped huge pages
 * are split. Models try_to_free_pages with do_try_to_free_pages and
 * shrink_zones, 5.3 to 6.18; kswapd's part is in guest/kswapd.c. A step is one
 * cluster of pages (SWAP_CLUSTER_MAX).
 *
 * Simplified: drivers' shrinkers are called once, by direct reclaim that has
 * found less than a cluster elsewhere. There are no LRU lists: the file pages of
 * a node are scanned in a circle, by file and by index, which is the order in
 * which a sequential reader brought them in; mapped pages count as referenced
 * and stay. Left out: anonymous memory and memory files (there is no swap),
 * writeback, working-set estimates, throttling, multi-generational LRU.
 */
#include "guest/compact.h"
#include "guest/deferred_split.h"

#define DEF_PRIORITY 12
#define SWAP_CLUSTER_MAX 32u
#define PAGE_ALLOC_COSTLY_ORDER 3u

static bool node_is(const struct guest *g, pfn_t pfn, unsigned int node)
{
	struct alloc_zone_info z;

	if (!g->several_nodes)
		return true;
	alloc_zone_info(g->alloc, (unsigned int)alloc_zone_of(g->alloc, pfn),
			&z);
	return z.node == node;
}

static uint64_t reclaimable_pages(const struct guest *g)
{
	uint64_t sum = 0;

	for (uint32_t i = 0; i < g->nr_files; i++)
		if (g->files[i].used && g->files[i].on_disk)
			sum += g->files[i].nr_cached;
	return sum;
}

/* Take one page of the file out of the cache if it is clean and unmapped. */
static bool shrink_page(struct run *r, struct guest_file *f, uint64_t index,
			pfn_t *out)
{
	struct cache_chunk *c = f->chunks[index / PTRS_PER_TABLE];
	const uint32_t i = index % PTRS_PER_TABLE;

	/* Pages of an LRU batch are not on the LRU yet. */
	if (c->mapped[i] || !alloc_clear_lru(r->g->alloc, c->pfn[i]))
		return false;
	*out = c->pfn[i];
	c->pfn[i] = PFN_NONE;
	f->nr_cached--;
	r->g->gauges.file_pages--;
	return true;
}

/* Where the scan of this node stands; false: no file has cached pages. */
static struct guest_file *scan_at(struct guest *g, struct node_state *n,
				  uint32_t *files_left)
{
	for (; *files_left; --*files_left, n->file++, n->file_cursor = 0) {
		struct guest_file *f;

		if (n->file >= g->nr_files)
			n->file = 0;
		f = &g->files[n->file];
		if (f->used && f->on_disk && f->nr_cached &&
		    n->file_cursor < f->nr_pages)
			return f;
	}
	return NULL;
}

/* In as many parts as an LRU batch holds. */
static void free_batch(struct run *r, const pfn_t *pfns, uint32_t nr)
{
	while (nr) {
		const uint32_t part = nr < LRU_BATCH_MAX ? nr : LRU_BATCH_MAX;

		release_pages(r->g, r->cpu, pfns, part, r->work);
		pfns += part;
		nr -= part;
	}
}

/* Scan at most nr cached pages of a node; the reclaimed ones are freed. */
static uint32_t shrink_cluster(struct run *r, unsigned int node, uint32_t nr,
			       uint32_t *scanned)
{
	struct guest *g = r->g;
	struct node_state *n = &g->mem->nodes[node];
	/* Once around, and the rest of the file in the middle of which it is. */
	uint32_t files_left = g->nr_files + 1, freed = 0;
	pfn_t batch[SWAP_CLUSTER_MAX];
	struct guest_file *f;

	*scanned = 0;
	while (*scanned < nr && (f = scan_at(g, n, &files_left))) {
		const uint64_t index = n->file_cursor;
		const struct cache_chunk *c = f->chunks[index / PTRS_PER_TABLE];
		pfn_t pfn;

		if (!c) {
			n->file_cursor += PTRS_PER_TABLE -
					  index % PTRS_PER_TABLE;
			continue;
		}
		n->file_cursor++;
		pfn = c->pfn[index % PTRS_PER_TABLE];
		if (pfn == PFN_NONE || !node_is(g, pfn, node))
			continue;
		++*scanned;
		if (shrink_page(r, f, index, &batch[freed]))
			freed++;
	}
	free_batch(r, batch, freed);
	r->work->reclaim_scanned += *scanned;
	return freed;
}

unsigned int zone_node(const struct guest *g, unsigned int zone)
{
	struct alloc_zone_info z;

	alloc_zone_info(g->alloc, zone, &z);
	return z.node;
}

/* ---- direct reclaim ---- */

void reclaim_start(struct helper *h)
{
	h->priority = DEF_PRIORITY;
	h->reclaimed = 0;
	h->at = 0;
	h->nodes_done = 0;
	h->compaction_ready = false;
}

/*
 * Models compaction_ready: more free pages would not help a costly order, as
 * compaction has what it needs.
 */
static bool compaction_ready(const struct guest *g, const struct helper *h,
			     unsigned int zone)
{
	struct alloc_zone_info z;
	uint64_t high;

	if (h->order <= PAGE_ALLOC_COSTLY_ORDER || !g->cfg.compaction)
		return false;
	alloc_zone_info(g->alloc, zone, &z);
	if (alloc_watermark_ok(g->alloc, zone, h->order, z.wmark_min + z.boost,
			       h->reach.reserve_j))
		return true;
	high = z.wmark_high + z.boost + (UINT64_C(2) << h->order);
	return compaction_suitable(g, zone, h->order, z.wmark_min + z.boost,
				   h->reach.reserve_j) &&
	       alloc_watermark_ok(g->alloc, zone, 0, high, h->reach.reserve_j);
}

/* The next node of the zonelist that is to be shrunk. */
static bool next_node(const struct guest *g, struct helper *h)
{
	for (; h->at < h->reach.nr; h->at++) {
		const unsigned int zone = h->reach.zones[h->at];

		if (compaction_ready(g, h, zone)) {
			h->compaction_ready = true;
			continue;
		}
		h->node = zone_node(g, zone);
		if (!(h->nodes_done >> h->node & 1))
			return true;
	}
	return false;
}

/* One priority of one node. False: the budget is spent. */
bool shrink_node(struct run *r, struct helper *h, uint64_t target)
{
	struct guest *g = r->g;
	const bool kswapd = h->kind == HELP_KSWAPD;

	while (h->scan_left && h->pass_reclaimed < target) {
		const uint32_t nr = h->scan_left < SWAP_CLUSTER_MAX ?
			(uint32_t)h->scan_left : SWAP_CLUSTER_MAX;
		uint32_t scanned, freed;

		if (!r->budget)
			return false;
		r->budget--;
		freed = shrink_cluster(r, h->node, nr, &scanned);
		h->scan_left = scanned < nr ? 0 : h->scan_left - nr;
		h->pass_scanned += scanned;
		h->pass_reclaimed += freed;
		if (kswapd) {
			g->counters.pgscan_kswapd += scanned;
			g->counters.pgsteal_kswapd += freed;
		} else {
			g->counters.pgscan_direct += scanned;
			g->counters.pgsteal_direct += freed;
		}
		if (freed)
			g->mem->nodes[h->node].kswapd_failures = 0;
	}
	return true;
}

void reclaim_pass_start(struct run *r, struct helper *h)
{
	h->scan_left = reclaimable_pages(r->g) >> h->priority;
	h->pass_scanned = 0;
	h->pass_reclaimed = 0;
	h->running = true;
}

/* Models do_try_to_free_pages. */
enum guest_status reclaim_run(struct run *r, struct helper *h)
{
	for (; h->priority >= 0 && h->reclaimed < SWAP_CLUSTER_MAX;
	     h->priority--, h->at = 0) {
		for (; h->running || next_node(r->g, h); h->at++) {
			if (!h->running)
				reclaim_pass_start(r, h);
			if (!shrink_node(r, h, SWAP_CLUSTER_MAX))
				return GUEST_MORE;
			deferred_split_shrink(r, h->priority);
			h->running = false;
			h->nodes_done |= 1u << h->node;
			h->reclaimed += h->pass_reclaimed;
		}
		h->nodes_done = 0;
	}
	if (h->reclaimed < SWAP_CLUSTER_MAX && r->g->cfg.shrink)
		h->reclaimed += r->g->cfg.shrink(r->g->cfg.ctx);
	h->progress = h->reclaimed;
	if (!h->reclaimed && h->compaction_ready)
		h->progress = 1;
	if (!h->reclaimed) {
		r->g->counters.reclaim_rounds++;
		r->work->reclaim_rounds++;
	}
	return GUEST_DONE;
}
