/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Injections that do something of their own: races with a request that the
 * host has, memory that goes away, and what the host does to a guest's memory.
 */
#include <errno.h>

#include "sim/inject.h"

#define NO_FLIGHT UINT32_MAX
/* khugepaged: pages of one round, and the time to the next. */
#define SCAN_PAGES 4096
#define SCAN_NS (10 * NSEC_PER_MSEC)

static bool in_flight(const struct sim_guest *g, pfn_t pfn, unsigned int order)
{
	unsigned int i, k;

	for (i = 0; i < MAX_FLIGHTS; i++) {
		const struct host_request *rq = &g->dev.flights[i].rq;

		for (k = 0; g->dev.flights[i].used && k < rq->nr; k++) {
			const struct page_report *e = &rq->entries[k];

			if (e->pfn < pfn + order_nr_pages(order) &&
			    pfn < e->pfn + order_nr_pages(e->order))
				return true;
		}
	}
	return false;
}

static pfn_t take_block(struct sim_guest *g, unsigned int order)
{
	struct alloc_request rq = { .cpu = g->dev.worker_cpu,
				    .node = -1, .zone = -1,
				    .order = (uint8_t)order,
				    .gfp = GFP_HIGHUSER_MOVABLE |
					   GFP_BIT_NOWARN };
	const struct alloc_work saved = g->work;
	struct alloc_result res;

	rq.gfp &= ~GFP_BIT_DIRECT_RECLAIM;
	res = alloc_pages(g->alloc, &rq);
	g->work = saved;
	return res.status == ALLOC_OK ? res.pfn : PFN_NONE;
}

static void give_block(struct sim_guest *g, pfn_t pfn, unsigned int order)
{
	const struct alloc_work saved = g->work;

	alloc_free_buddy(g->alloc, pfn, order);
	g->work = saved;
}

/* A pair of halves: one is free, to be reported, the other is kept. */
void race_prepare(struct sim_guest *g, struct inject_state *st)
{
	const struct inject_options *o = inject_options_of(g, st);
	const unsigned int half = alloc_pageblock_order(g->alloc);
	pfn_t pfn;

	if (o->kind == INJECT_FREE_STORM) {
		st->order = MAX_PAGE_ORDER;
		st->pfn = take_block(g, st->order);
		return;
	}
	if (half >= MAX_PAGE_ORDER)
		return;
	pfn = take_block(g, half + 1);
	if (pfn == PFN_NONE)
		return;
	st->order = half;
	st->pfn = pfn + order_nr_pages(half);
	give_block(g, pfn, half);
}

void race_release(struct sim_guest *g, struct inject_state *st)
{
	if (st->pfn != PFN_NONE)
		give_block(g, st->pfn, st->order);
	st->pfn = PFN_NONE;
}

static bool request_has(const struct host_request *rq, pfn_t pfn)
{
	unsigned int i;

	for (i = 0; i < rq->nr; i++)
		if (rq->entries[i].pfn == pfn)
			return true;
	return false;
}

/* The allocator serves somebody while the lock is dropped. */
static void race_alloc(struct sim_guest *g, unsigned int flight)
{
	unsigned int order = alloc_pageblock_order(g->alloc);
	struct inject_state *st;
	pfn_t pfn;

	/* What is in an answer stays on the lists; whoever takes it waits. */
	if (g->dev.flights[flight].rq.kind == REQUEST_ANSWER)
		return;
	st = inject_hit(g, INJECT_ALLOC_RACE);
	if (!st)
		return;
	pfn = take_block(g, order);
	if (pfn == PFN_NONE)
		return;
	saw(st, EXPECT_NOT_IN_FLIGHT, !in_flight(g, pfn, order));
	give_block(g, pfn, order);
}

static void race_types(struct sim_guest *g, unsigned int flight)
{
	const struct host_request *rq = &g->dev.flights[flight].rq;
	const unsigned int block = alloc_pageblock_order(g->alloc);
	struct inject_state *st;
	pfn_t pfn, end;

	/* Of blocks that a design keeps, no list has to follow. */
	if (rq->kind != REQUEST_REPORT || !rq->nr)
		return;
	st = inject_hit(g, INJECT_TYPE_RACE);
	if (!st || st->racing)
		return;
	st->racing = true;
	st->flight = flight;
	st->pfn = rq->entries[0].pfn;
	st->order = rq->entries[0].order;
	st->mt = alloc_pageblock_type(g->alloc, st->pfn) ==
		 MIGRATE_RECLAIMABLE ? MIGRATE_MOVABLE : MIGRATE_RECLAIMABLE;
	end = st->pfn + order_nr_pages(st->order);
	for (pfn = pfn_align_down(st->pfn, block); pfn < end;
	     pfn += order_nr_pages(block))
		alloc_set_pageblock_type(g->alloc, pfn, st->mt);
}

static void race_buddy(struct sim_guest *g, unsigned int flight)
{
	const struct host_request *rq = &g->dev.flights[flight].rq;
	unsigned int i;

	for (i = 0; i < g->sim->cfg.nr_injects; i++) {
		struct inject_state *st = &g->inject[i];

		if (!st->begun || st->over || st->racing ||
		    inject_options_of(g, st)->kind != INJECT_BUDDY_RACE ||
		    st->pfn == PFN_NONE ||
		    !request_has(rq, st->pfn - order_nr_pages(st->order)))
			continue;
		st->opportunities++;
		st->hits++;
		st->racing = true;
		st->flight = flight;
		give_block(g, st->pfn, st->order);
		st->pfn -= order_nr_pages(st->order);
	}
}

static void race_storm(struct sim_guest *g, unsigned int flight)
{
	struct inject_state *st = inject_hit(g, INJECT_FREE_STORM);
	pfn_t pfn;
	uint64_t n;

	if (!st || st->racing || st->pfn == PFN_NONE)
		return;
	st->racing = true;
	st->flight = flight;
	st->requests_before = g->dev.r.counters.requests;
	for (n = 0; n < inject_options_of(g, st)->value;
	     n += pages_to_bytes(order_nr_pages(st->order))) {
		give_block(g, st->pfn, st->order);
		pfn = take_block(g, st->order);
		st->pfn = pfn;
		if (pfn == PFN_NONE)
			break;
	}
}

/* Compaction comes upon a page of the balloon while its worker is busy. */
static void race_migrate(struct sim_guest *g, unsigned int flight)
{
	const struct host_request *rq = &g->dev.flights[flight].rq;
	struct reporter *r = &g->dev.r;
	struct inject_state *st;
	uint64_t moved;
	pfn_t to;

	if (rq->kind != REQUEST_INFLATE || !rq->nr || rq->entries[0].order ||
	    !device_owns_page(g, rq->entries[0].pfn))
		return;
	st = inject_hit(g, INJECT_MIGRATE_RACE);
	to = st ? take_block(g, 0) : PFN_NONE;
	if (to == PFN_NONE)
		return;
	moved = r->counters.balloon_migrate;
	saw(st, EXPECT_AGAIN,
	    device_migrate_page(g, rq->entries[0].pfn, to) == -EAGAIN &&
	    r->counters.balloon_migrate == moved);
	give_block(g, to, 0);
}

void race_begin(struct sim_guest *g, unsigned int flight)
{
	race_alloc(g, flight);
	race_types(g, flight);
	race_buddy(g, flight);
	race_storm(g, flight);
	race_migrate(g, flight);
}

/* The free block that the page is in now. */
static pfn_t free_block_of(const struct sim_guest *g, pfn_t pfn,
			   unsigned int *order)
{
	pfn_t head;

	for (*order = 0; *order <= MAX_PAGE_ORDER; ++*order) {
		head = pfn_align_down(pfn, *order);
		if (alloc_is_free_head(g->alloc, head) &&
		    alloc_block_order(g->alloc, head) == *order)
			return head;
	}
	return PFN_NONE;
}

/* After the drain: what became of the block that the race was about? */
static void race_result(struct sim_guest *g, struct inject_state *st)
{
	unsigned int order;
	pfn_t head = free_block_of(g, st->pfn, &order);

	switch ((enum inject_kind)inject_options_of(g, st)->kind) {
	case INJECT_BUDDY_RACE:
		/* It may be on its way to the host again already. */
		if (head == PFN_NONE || order > st->order)
			saw(st, EXPECT_MERGE_UNMARKED, head == PFN_NONE ||
			    !alloc_block_marks(g->alloc, head));
		st->pfn = PFN_NONE;
		break;
	case INJECT_TYPE_RACE:
		saw(st, EXPECT_TYPE_FOLLOWED, head != PFN_NONE &&
		    alloc_block_type(g->alloc, head) ==
			    alloc_pageblock_type(g->alloc, head));
		st->pfn = PFN_NONE;
		break;
	case INJECT_FREE_STORM:
		saw(st, EXPECT_ONE_MORE_PASS, g->dev.r.counters.requests <=
		    st->requests_before + 1);
		break;
	default:
		break;
	}
}

void race_acknowledged(struct sim_guest *g, unsigned int flight)
{
	unsigned int i;

	for (i = 0; i < g->sim->cfg.nr_injects; i++) {
		struct inject_state *st = &g->inject[i];

		if (!st->racing || st->flight != flight)
			continue;
		st->racing = false;
		st->flight = NO_FLIGHT;
		race_result(g, st);
	}
}

void seen_marked(struct sim_guest *g, pfn_t pfn)
{
	unsigned int i;

	for (i = 0; i < g->sim->cfg.nr_injects; i++) {
		struct inject_state *st = &g->inject[i];

		/* Without its buddy, if that was taken, it may be. */
		if (st->racing && pfn == pfn_align_down(st->pfn,
							st->order + 1) &&
		    inject_options_of(g, st)->kind == INJECT_BUDDY_RACE &&
		    alloc_block_order(g->alloc, pfn) > st->order)
			saw(st, EXPECT_MERGE_UNMARKED, false);
	}
}

uint64_t inject_marked_pages(const struct sim_guest *g, bool backed)
{
	const struct alloc *a = g->alloc;
	uint64_t sum = 0;
	unsigned int z, o, mt;
	pfn_t pfn, i;

	for (z = 0; z < alloc_nr_zones(a); z++)
		for (o = 0; o < NR_PAGE_ORDERS; o++)
			for (mt = 0; mt < MIGRATE_TYPES; mt++)
				for (pfn = alloc_list_first(a, z, o, mt);
				     pfn != PFN_NONE;
				     pfn = alloc_list_next(a, pfn)) {
					if (!alloc_block_marks(a, pfn))
						continue;
					for (i = 0; i < order_nr_pages(o); i++)
						sum += !backed ||
						       hv_block_mapped(g->hv_map,
								       pfn + i,
								       0);
				}
	return sum;
}

/* Whole blocks of the largest order, from the end of memory down. */
void inject_hot_remove(struct sim_guest *g, struct inject_state *st)
{
	const pfn_t block = order_nr_pages(MAX_PAGE_ORDER);
	const uint64_t want = bytes_to_pages(inject_options_of(g, st)->value);
	uint64_t got = 0;
	pfn_t pfn = pfn_align_down(alloc_end_pfn(g->alloc), MAX_PAGE_ORDER);

	st->removed_to = st->removed_from = 0;
	while (pfn >= block && got < want) {
		pfn -= block;
		if (!alloc_is_free_head(g->alloc, pfn) ||
		    alloc_block_order(g->alloc, pfn) != MAX_PAGE_ORDER) {
			if (got)
				break;
			continue;
		}
		alloc_isolate_allowed(g->alloc, pfn);
		st->removed_to = got ? st->removed_to : pfn + block;
		st->removed_from = pfn;
		got += block;
	}
}

static void khugepaged_event(void *ctx, uint64_t arg)
{
	struct sim_guest *g = ctx;
	inject_khugepaged(g, &g->inject[arg]);
}

/*
 * The host's khugepaged with max_ptes_none = 511: holes become memory again.
 * Simplified: page by page; the huge page that would result is not made.
 */
void inject_khugepaged(struct sim_guest *g, struct inject_state *st)
{
	struct hypervisor *hv = g->sim->hv;
	struct engine *e = &g->sim->engine;
	struct hv_events ev = { 0 };
	struct hv_gauges now;
	unsigned int n;

	if (!guest_runs(g))
		return;
	for (n = 0; n < SCAN_PAGES && st->scan < g->hv_map->nr_pages;
	     n++, st->scan++) {
		if (hv_block_mapped(g->hv_map, st->scan, 0))
			continue;
		/* A hole is what it needs to do anything. */
		st->opportunities++;
		if (hv->ops->access(hv, g->hv_id, st->scan, 0, HV_ACCESS_READ,
				    &ev))
			return;
		st->hits++;
	}
	host_gauges(g, &now);
	if (now.rss_pages > st->rss_most)
		st->rss_most = now.rss_pages;
	if (g->sim->cfg.host.pull_below)
		pull_if_short(g->sim);
	if (st->scan < g->hv_map->nr_pages && !st->over)
		engine_at(e, e->now + SCAN_NS, khugepaged_event, g, st->index);
}

/*
 * Another process of the host touches so much memory, at once. The swap device
 * is then busy with what had to go, and who is short of memory may ask for it.
 */
void inject_host_pressure(struct sim_guest *g, struct inject_state *st)
{
	struct sim *s = g->sim;
	struct hypervisor *hv = s->hv;
	const pfn_t nr = (pfn_t)bytes_to_pages(inject_options_of(g, st)->value);
	const int id = hv->ops->guest_add(hv, pfn_align_down(nr +
					  HPAGE_PMD_NR - 1, HPAGE_PMD_ORDER));
	struct hv_events ev = { 0 };
	pfn_t pfn;

	if (id < 0)
		return;
	st->hv_guest = (uint32_t)id;
	st->has_hv_guest = true;
	/* Pressure may take what a run of a vCPU found mapped. */
	if (s->nr_ahead)
		ahead_settle(s, s->engine.now, 0);
	for (pfn = 0; pfn < nr; pfn++)
		if (hv->ops->access(hv, st->hv_guest, pfn, 0, HV_ACCESS_WRITE,
				    &ev))
			break;
	hv_events_add(&g->host, &ev);
	host_swap_price(s, s->engine.now, &ev);
	if (s->cfg.host.pull_below)
		pull_if_short(s);
}
