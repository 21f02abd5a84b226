/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The two scanners of compaction: one walks up and isolates what can be moved,
 * the other walks down and isolates free blocks to move it to. Models
 * isolate_migratepages with isolate_migratepages_block, isolate_freepages with
 * isolate_freepages_block, compaction_alloc and compaction_free,
 * split_map_pages and release_freepages, 5.3 to 6.18.
 *
 * Left out: the migrate scanner's short cut over the free lists
 * (fast_find_migrateblock, 5.1 and later; the free scanner's is in
 * compaction_fast.c), too_many_isolated, lock contention and the rescan of a
 * pageblock that was left half done. Large folios are never moved: all of them are of
 * order 9, which no compaction for a block of order 9 or less touches.
 */
#include "guest/compact.h"

static pfn_t order_end(pfn_t pfn, unsigned int order)
{
	return pfn_align_down(pfn, order) + order_nr_pages(order);
}

bool compact_scanners_met(const struct guest *g,
			  const struct compact_control *cc)
{
	return pageblock_start(g, cc->free_pfn) <=
	       pageblock_start(g, cc->migrate_pfn);
}

/* ---- the migrate scanner ---- */

static void update_cached_migrate(struct guest *g,
				  const struct compact_control *cc, pfn_t pfn)
{
	struct compact_zone *cz = &g->mem->zones[cc->zone];

	pfn = pageblock_end(g, pfn - 1);
	if (pfn > cz->cached_migrate[COMPACT_ASYNC])
		cz->cached_migrate[COMPACT_ASYNC] = pfn;
	if (cc->mode != COMPACT_ASYNC &&
	    pfn > cz->cached_migrate[COMPACT_SYNC_LIGHT])
		cz->cached_migrate[COMPACT_SYNC_LIGHT] = pfn;
}

/* Pages from pfn on that the scanner passes at once: free, or a huge page. */
static pfn_t unit_pages(struct guest *g, pfn_t pfn, bool *fails)
{
	*fails = false;
	if (alloc_is_free_head(g->alloc, pfn))
		return order_nr_pages(alloc_block_order(g->alloc, pfn));
	*fails = true;
	if (alloc_test_lru(g->alloc, pfn) && rmap_huge(g, pfn) != PFN_NONE)
		return order_end(pfn, HPAGE_PMD_ORDER) - pfn;
	return 1;
}

static bool isolate_lru_page(struct run *r, struct compact_control *cc,
			     pfn_t pfn)
{
	struct owner o;

	if (!alloc_test_lru(r->g->alloc, pfn))
		return false;
	rmap_find(r->g, pfn, &o);
	if (o.kind == OWNER_NONE)
		return false;
	/* A driver's page stays marked until it has moved. */
	if (o.kind != OWNER_DRIVER)
		alloc_clear_lru(r->g->alloc, pfn);
	cc->migrate[cc->nr_migrate++] = pfn;
	r->g->counters.compact_isolated++;
	return true;
}

/*
 * An asynchronous direct compactor gives up an aligned block of its order with
 * the first page that cannot move.
 */
static pfn_t isolate_failed(struct run *r, struct compact_control *cc,
			    pfn_t next, pfn_t *skip_to)
{
	putback_pages(r, cc);
	if (next < *skip_to) {
		next = *skip_to;
		*skip_to += order_nr_pages(cc->order);
	}
	return next;
}

/* Models isolate_migratepages_block. Returns where to go on. */
static pfn_t isolate_block(struct run *r, struct compact_control *cc,
			   pfn_t low, pfn_t end)
{
	const bool gives_up = cc->direct && cc->mode == COMPACT_ASYNC;
	pfn_t skip_to = order_end(low, cc->order);

	while (low < end) {
		pfn_t next;
		bool fails;

		if (gives_up && low >= skip_to) {
			if (cc->nr_migrate)
				break;
			skip_to = order_end(low, cc->order);
		}
		r->work->compact_scanned++;
		r->g->counters.compact_migrate_scanned++;
		next = low + unit_pages(r->g, low, &fails);
		if (next == low + 1 && fails &&
		    isolate_lru_page(r, cc, low)) {
			low = next;
			if (cc->nr_migrate == COMPACT_CLUSTER)
				break;
			continue;
		}
		if (fails && gives_up)
			next = isolate_failed(r, cc, next, &skip_to);
		low = next;
	}
	low = low < end ? low : end;
	if (low == end && !cc->nr_migrate) {
		compaction_set_skip(r->g, end - 1);
		update_cached_migrate(r->g, cc, end);
	}
	return low;
}

static bool suitable_source(const struct guest *g,
			    const struct compact_control *cc, pfn_t pfn)
{
	enum migratetype mt;

	if (cc->mode != COMPACT_ASYNC || !cc->direct)
		return true;
	mt = alloc_pageblock_type(g->alloc, pfn);
	if (cc->mt == MIGRATE_MOVABLE)
		return mt == MIGRATE_MOVABLE || mt == MIGRATE_CMA;
	return mt == cc->mt;
}

bool isolate_migratepages(struct run *r, struct compact_control *cc)
{
	struct guest *g = r->g;
	const struct compact_zone *cz = &g->mem->zones[cc->zone];
	pfn_t low = cc->migrate_pfn, end = pageblock_end(g, low);

	cc->nr_migrate = 0;
	for (; end <= cc->free_pfn; low = end, end = pageblock_end(g, end)) {
		cc->migrate_pfn = low;
		if ((low == pageblock_start(g, low) || low == cz->start) &&
		    compaction_skipped(g, low))
			continue;
		if (!suitable_source(g, cc, low)) {
			update_cached_migrate(g, cc, end);
			continue;
		}
		low = isolate_block(r, cc, low, end);
		break;
	}
	cc->migrate_pfn = low;
	return cc->nr_migrate > 0;
}

/* ---- the free scanner ---- */

static void free_push(struct compact_control *cc, pfn_t pfn,
		      unsigned int order)
{
	CHECK_LT(cc->nr_blocks, COMPACT_FREE_MAX);
	cc->free[cc->nr_blocks++] = (struct free_block){ pfn, (uint8_t)order };
}

/* Behind all others of its list. */
static void free_append(struct compact_control *cc, pfn_t pfn,
			unsigned int order)
{
	free_push(cc, pfn, order);
	for (uint32_t i = cc->nr_blocks - 1; i > 0; i--)
		cc->free[i] = cc->free[i - 1];
	cc->free[0] = (struct free_block){ pfn, (uint8_t)order };
}

/*
 * Up to 6.8 all blocks are cut into pages, of which the last one found is used
 * first; later releases keep blocks whole and use the smallest, oldest first.
 */
void free_isolated(const struct guest *g, struct compact_control *cc,
		   pfn_t pfn, unsigned int order)
{
	cc->nr_free += order_nr_pages(order);
	if (g->prof->compact_any_order) {
		free_append(cc, pfn, order);
		return;
	}
	for (uint32_t i = 0; i < order_nr_pages(order); i++)
		free_push(cc, pfn + i, 0);
}

/* Models isolate_freepages_block. */
pfn_t isolate_free_block(struct run *r, struct compact_control *cc, pfn_t pfn,
			 pfn_t end, uint32_t stride, uint32_t *found)
{
	struct alloc *a = r->g->alloc;

	*found = 0;
	for (; pfn < end; pfn += stride) {
		unsigned int order;

		r->work->compact_scanned++;
		r->g->counters.compact_free_scanned++;
		if (!alloc_is_free_head(a, pfn))
			continue;
		order = alloc_block_order(a, pfn);
		if (!alloc_isolate(a, pfn))
			break;
		free_isolated(r->g, cc, pfn, order);
		r->g->counters.compact_isolated += order_nr_pages(order);
		*found += order_nr_pages(order);
		pfn += order_nr_pages(order) - 1;
		if (cc->nr_migrate <= cc->nr_free) {
			pfn++;
			break;
		}
	}
	return pfn < end ? pfn : end;
}

/* Models suitable_migration_target. */
static bool suitable_target(const struct guest *g, pfn_t block)
{
	enum migratetype mt;

	if (alloc_is_free_head(g->alloc, block) &&
	    alloc_block_order(g->alloc, block) >=
		    alloc_pageblock_order(g->alloc))
		return false;
	mt = alloc_pageblock_type(g->alloc, block);
	return mt == MIGRATE_MOVABLE || mt == MIGRATE_CMA;
}

static void full_block_scanned(struct guest *g, struct compact_control *cc,
			       pfn_t block, pfn_t below)
{
	struct compact_zone *cz = &g->mem->zones[cc->zone];

	compaction_set_skip(g, block);
	if (below < cz->cached_free)
		cz->cached_free = below;
}

/* The pageblock below, or the zone's first page: the scanners have met. */
static pfn_t block_below(const struct guest *g,
			 const struct compact_control *cc, pfn_t block)
{
	const pfn_t start = g->mem->zones[cc->zone].start;

	return block > start ? pageblock_start(g, block - 1) : start;
}

static void isolate_freepages(struct run *r, struct compact_control *cc)
{
	struct guest *g = r->g;
	const struct compact_zone *cz = &g->mem->zones[cc->zone];
	const pfn_t low = pageblock_end(g, cc->migrate_pfn);
	uint32_t stride = cc->mode == COMPACT_ASYNC ? COMPACT_CLUSTER : 1;
	pfn_t at = cc->free_pfn, block = pageblock_start(g, at);

	for (; block >= low; at = block = block_below(g, cc, block)) {
		const pfn_t next = pageblock_end(g, block);
		const pfn_t end = next < cz->end ? next : cz->end;
		uint32_t found;

		if (!suitable_target(g, block) || compaction_skipped(g, block))
			continue;
		at = isolate_free_block(r, cc, at, end, stride, &found);
		if (at == end)
			full_block_scanned(g, cc, block,
					   block_below(g, cc, block));
		if (cc->nr_free >= cc->nr_migrate) {
			if (at >= end)
				at = block_below(g, cc, block);
			break;
		}
		if (at < end)
			break;
		stride = found ? 1 : stride * 2;
		if (stride > COMPACT_CLUSTER)
			stride = COMPACT_CLUSTER;
	}
	cc->free_pfn = at;
}

static pfn_t take_page(struct compact_control *cc)
{
	uint32_t best = cc->nr_blocks - 1;
	struct free_block b;

	for (uint32_t i = cc->nr_blocks; i-- > 0 && cc->free[best].order;)
		if (cc->free[i].order < cc->free[best].order)
			best = i;
	b = cc->free[best];
	for (cc->nr_blocks--; best < cc->nr_blocks; best++)
		cc->free[best] = cc->free[best + 1];
	while (b.order > 0) {
		b.order--;
		free_push(cc, b.pfn + order_nr_pages(b.order), b.order);
	}
	return b.pfn;
}

/* A target for one page; PFN_NONE if there is none left. */
pfn_t compaction_alloc(struct run *r, struct compact_control *cc)
{
	if (!cc->nr_free)
		fast_isolate_freepages(r, cc);
	if (!cc->nr_free)
		isolate_freepages(r, cc);
	if (!cc->nr_free)
		return PFN_NONE;
	cc->nr_free--;
	return take_page(cc);
}

void compaction_free(struct compact_control *cc, pfn_t pfn)
{
	free_push(cc, pfn, 0);
	cc->nr_free++;
}

void release_freepages(struct run *r, struct compact_control *cc)
{
	struct compact_zone *cz = &r->g->mem->zones[cc->zone];
	pfn_t high = 0;

	if (!cc->nr_free)
		return;
	while (cc->nr_blocks) {
		const struct free_block b = cc->free[--cc->nr_blocks];

		alloc_free(r->g->alloc, r->cpu, b.pfn, b.order);
		high = b.pfn > high ? b.pfn : high;
	}
	cc->nr_free = 0;
	high = pageblock_start(r->g, high);
	if (high > cz->cached_free)
		cz->cached_free = high;
}
