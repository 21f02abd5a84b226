/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Compaction of one zone after the other, by a task that wants a block (direct)
 * or by kcompactd. Models try_to_compact_pages with compact_zone_order,
 * kcompactd_do_work, compact_zone and __compact_finished, 5.3 to 6.18. One
 * step is one round: a cluster of pages is isolated and migrated.
 *
 *     zone: deferred? suitable? --no--> next zone
 *       |yes
 *       v
 *     finished? --met, or a block is there--> leftovers freed, next zone
 *       |no  ^                                (direct: stop at success)
 *       v    |
 *     isolate, migrate, drain this CPU's lists, captured? --yes--> done
 *
 * Left out: proactive compaction (off), the priority that ignores skip bits
 * (only requests of order 1 to 3 reach it), and the end of an
 * asynchronous run because somebody else wants the CPU.
 */
#include "guest/compact.h"

/* Migrate types that a request may fall back to; find_suitable_fallback. */
static bool some_list_has(const struct guest *g, unsigned int zone,
			  unsigned int order, enum migratetype not)
{
	for (enum migratetype mt = 0; mt < MIGRATE_PCPTYPES; mt++)
		if (mt != not && alloc_list_first(g->alloc, zone, order, mt) !=
					 PFN_NONE)
			return true;
	return false;
}

static bool block_is_there(const struct guest *g,
			   const struct compact_control *cc)
{
	const unsigned int steal = alloc_pageblock_order(g->alloc) / 2;

	for (unsigned int o = cc->order; o <= MAX_PAGE_ORDER; o++) {
		if (alloc_list_first(g->alloc, cc->zone, o, cc->mt) !=
		    PFN_NONE)
			return true;
		if (cc->mt == MIGRATE_MOVABLE &&
		    alloc_list_first(g->alloc, cc->zone, o, MIGRATE_CMA) !=
			    PFN_NONE)
			return true;
		/* Movable requests claim from half a pageblock on. */
		if ((cc->mt != MIGRATE_MOVABLE || o >= steal) &&
		    some_list_has(g, cc->zone, o, cc->mt))
			return true;
	}
	return false;
}

/* Models __compact_finished. */
static enum compact_result compact_finished(struct guest *g,
					    struct compact_control *cc)
{
	struct compact_zone *cz = &g->mem->zones[cc->zone];

	if (compact_scanners_met(g, cc)) {
		compaction_zone_reset_cached(cz, g);
		if (cc->direct)
			cz->blockskip_flush = true;
		return cc->whole_zone ? COMPACT_COMPLETE :
					COMPACT_PARTIAL_SKIPPED;
	}
	/* A pageblock is finished first: what is left of it would be stolen. */
	if (cc->migrate_pfn != pageblock_start(g, cc->migrate_pfn))
		return COMPACT_CONTINUE;
	return !cc->everything && block_is_there(g, cc) ? COMPACT_SUCCESS :
							  COMPACT_CONTINUE;
}

/* Where the scanners begin. Models the start of compact_zone. */
static void compact_zone_start(struct run *r, struct compact_control *cc)
{
	struct guest *g = r->g;
	struct compact_zone *cz = &g->mem->zones[cc->zone];

	if (cc->everything || compaction_restarting(cz, cc->order))
		reset_isolation_suitable(g, cc->zone);
	cc->migrate_pfn = cz->cached_migrate[cc->mode];
	cc->free_pfn = cz->cached_free;
	if (cc->free_pfn < cz->start || cc->free_pfn >= cz->end)
		cc->free_pfn = cz->cached_free =
			pageblock_start(g, cz->end - 1);
	if (cc->migrate_pfn < cz->start || cc->migrate_pfn >= cz->end)
		cc->migrate_pfn = cz->cached_migrate[COMPACT_ASYNC] =
			cz->cached_migrate[COMPACT_SYNC_LIGHT] = cz->start;
	cc->whole_zone = cc->migrate_pfn <= cz->start;
	cc->update_cached = cc->mode == COMPACT_ASYNC &&
			    cz->cached_migrate[COMPACT_ASYNC] ==
				    cz->cached_migrate[COMPACT_SYNC_LIGHT];
	cc->last_migrated = 0;
	cc->search_order = (int)cc->order;
	cc->fast_fail = 0;
	cc->nr_migrate = cc->nr_free = cc->nr_blocks = 0;
	lru_add_drain(g, r->cpu, r->work);
}

/* The direct compactor takes a block of its order before it reaches a list. */
static void drain_and_capture(struct run *r, struct compact_control *cc)
{
	struct guest *g = r->g;
	const pfn_t block = pfn_align_down(cc->migrate_pfn, cc->order);

	if (cc->everything || !cc->last_migrated || cc->last_migrated >= block)
		return;
	lru_add_drain(g, r->cpu, r->work);
	if (cc->direct)
		alloc_capture_any(g->alloc, cc->zone, cc->order, cc->mt);
	alloc_drain_cpu(g->alloc, r->cpu);
	if (cc->direct)
		cc->captured = alloc_capture_collect(g->alloc);
	cc->last_migrated = 0;
}

static void round_failed(struct compact_control *cc)
{
	if (!cc->direct || cc->mode != COMPACT_ASYNC)
		return;
	cc->migrate_pfn = pfn_align_down(cc->migrate_pfn - 1, cc->order) +
			  order_nr_pages(cc->order);
	cc->last_migrated = 0;
}

/* One round of compact_zone. */
static enum compact_result compact_round(struct run *r,
					 struct compact_control *cc)
{
	struct guest *g = r->g;
	struct compact_zone *cz = &g->mem->zones[cc->zone];
	enum compact_result ret = compact_finished(g, cc);
	bool nomem = false;

	if (ret != COMPACT_CONTINUE)
		return ret;
	if (isolate_migratepages(r, cc)) {
		cc->update_cached = false;
		cc->last_migrated = pageblock_start(g, cc->migrate_pfn - 1);
		if (cc->last_migrated < cz->start)
			cc->last_migrated = cz->start;
		if (migrate_pages(r, cc, &nomem)) {
			if (nomem && !compact_scanners_met(g, cc))
				return COMPACT_CONTENDED;
			round_failed(cc);
		}
	} else if (cc->update_cached) {
		cz->cached_migrate[COMPACT_SYNC_LIGHT] =
			cz->cached_migrate[COMPACT_ASYNC];
	}
	drain_and_capture(r, cc);
	return cc->captured != PFN_NONE ? COMPACT_SUCCESS : COMPACT_CONTINUE;
}

static uint64_t request_mark(const struct guest *g, unsigned int zone)
{
	struct alloc_zone_info z;

	alloc_zone_info(g->alloc, zone, &z);
	return z.wmark_min + z.boost;
}

/* The next zone that is worth it becomes h->cc. False: none is left. */
static bool next_zone(struct run *r, struct helper *h)
{
	struct guest *g = r->g;

	for (; h->at < h->reach.nr; h->at++) {
		const unsigned int zone = h->reach.zones[h->at];

		if (!h->everything &&
		    compaction_deferred(&g->mem->zones[zone], h->order)) {
			if (h->best < COMPACT_DEFERRED)
				h->best = COMPACT_DEFERRED;
			continue;
		}
		if (!h->everything &&
		    !compaction_suitable(g, zone, h->order,
					 request_mark(g, zone),
					 h->reach.reserve_j))
			continue;
		h->cc.everything = h->everything;
		h->cc.zone = zone;
		h->cc.order = h->order;
		h->cc.direct = h->kind == HELP_COMPACT;
		h->cc.mode = h->async ? COMPACT_ASYNC : COMPACT_SYNC_LIGHT;
		h->cc.mt = h->reach.mt;
		h->cc.captured = PFN_NONE;
		compact_zone_start(r, &h->cc);
		return true;
	}
	return false;
}

/* The zone is through with this result. True: so is the whole. */
static bool zone_done(struct run *r, struct helper *h,
		      enum compact_result result)
{
	struct guest *g = r->g;
	struct compact_zone *cz = &g->mem->zones[h->cc.zone];
	const bool vain = result == COMPACT_COMPLETE ||
			  result == COMPACT_PARTIAL_SKIPPED;

	release_freepages(r, &h->cc);
	h->running = false;
	h->at++;
	if (result > h->best)
		h->best = result;
	if (result == COMPACT_SUCCESS)
		compaction_defer_reset(cz, h->order, false);
	else if (vain && h->kind == HELP_KCOMPACTD)
		alloc_drain_all(g->alloc);
	if (vain && !h->async && !h->everything)
		defer_compaction(cz, h->order);
	if (h->kind != HELP_COMPACT || result != COMPACT_SUCCESS)
		return false;
	h->captured = h->cc.captured;
	return true;
}

void compact_start(struct helper *h)
{
	h->at = 0;
	h->running = false;
	h->best = COMPACT_SKIPPED;
	h->captured = PFN_NONE;
}

enum guest_status compact_run(struct run *r, struct helper *h)
{
	for (;;) {
		enum compact_result result;

		if (!r->budget ||
		    !touch_room(r->g->cfg.touches, COMPACT_TOUCHES))
			return GUEST_MORE;
		if (!h->running && !next_zone(r, h))
			break;
		h->running = true;
		result = compact_round(r, &h->cc);
		r->budget--;
		if (result != COMPACT_CONTINUE && zone_done(r, h, result))
			break;
	}
	h->progress = h->best > COMPACT_DEFERRED;
	if (h->kind == HELP_COMPACT && h->progress)
		r->g->counters.compact_stall++;
	return GUEST_DONE;
}
