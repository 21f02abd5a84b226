/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What happens to the guest: programs, compaction, the host, time. */
#include <errno.h>

#include "include/bitmap.h"
#include "tests/reporter/world_parts.h"
#include "tests/test.h"

/* Does the host have a page of this block, which is on our lists all along? */
static bool with_host(const struct world *w, pfn_t pfn, unsigned int order)
{
	const pfn_t end = pfn + order_nr_pages(order);

	for (unsigned int i = 0; i < w->env.nr_batches; i++) {
		const struct host_request *rq =
			&w->env.batches[(w->env.first_batch + i) %
					SYNC_ENV_MAX_BATCHES].rq;

		for (unsigned int k = 0; k < rq->nr; k++) {
			const struct page_report *e = &rq->entries[k];

			if (rq->kind == REQUEST_ANSWER && e->pfn < end &&
			    pfn < e->pfn + order_nr_pages(e->order))
				return true;
		}
	}
	return false;
}

/* Has the allocation to wait? If and only if the host has a part of it. */
static bool has_to_wait(struct world *w, pfn_t pfn, unsigned int order,
			unsigned int cpu)
{
	const bool wait = alloc_stalled(w->a, cpu, pfn, order);

	if (wait && !with_host(w, pfn, order))
		world_broken(w, "an allocation waits for nothing");
	if (!wait && with_host(w, pfn, order))
		world_broken(w, "an allocation got what the host has");
	return wait;
}

/* What the guest would not clear has to be what nobody wrote. */
static void use(struct world *w, pfn_t pfn, unsigned int order)
{
	const uint64_t *known = w->env.env.known_zero;

	for (uint32_t i = 0; i < order_nr_pages(order); i++) {
		if (known && bitmap_test(known, pfn + i) && w->dirty[pfn + i])
			world_broken(w, "a used page is known to be zero");
		w->known += known && bitmap_test(known, pfn + i);
		w->dirty[pfn + i] = 1;
	}
}

static void keep_used(struct world *w, pfn_t pfn, unsigned int order,
		      enum page_owner from)
{
	use(w, pfn, order);
	world_hand_over(w, pfn, order, from, PAGE_GUEST_USED,
			"an allocation returned what is not free");
	w->used[w->nr_used].pfn = pfn;
	w->used[w->nr_used].order = (uint8_t)order;
	w->nr_used++;
}

/* The allocation is parked; some are given up at once, as of a killed task. */
static void park(struct world *w, pfn_t pfn, unsigned int order,
		 unsigned int cpu)
{
	world_note(w, 14, pfn, order);
	if (w->nr_parked == WORLD_MAX_PARKED || rng_below(&w->rng, 4) == 0) {
		alloc_free(w->a, cpu, pfn, order);
		return;
	}
	world_hand_over(w, pfn, order, PAGE_GUEST_FREE, PAGE_PARKED,
			"an allocation returned what is not free");
	w->parked[w->nr_parked].pfn = pfn;
	w->parked[w->nr_parked].order = (uint8_t)order;
	w->nr_parked++;
}

void world_ask_parked(struct world *w)
{
	unsigned int kept = 0;

	for (unsigned int i = 0; i < w->nr_parked; i++) {
		const pfn_t pfn = w->parked[i].pfn;
		const unsigned int order = w->parked[i].order;

		if (w->nr_used == WORLD_MAX_BLOCKS ||
		    has_to_wait(w, pfn, order, 0))
			w->parked[kept++] = w->parked[i];
		else
			keep_used(w, pfn, order, PAGE_PARKED);
	}
	w->nr_parked = kept;
}

static void event_alloc(struct world *w)
{
	static const uint8_t orders[] = { 0, 0, 0, 1, 3, 4, 7, 9, 9, 9, 10 };
	static const gfp_t gfps[] = {
		GFP_KERNEL, GFP_HIGHUSER_MOVABLE, GFP_HIGHUSER_MOVABLE,
		GFP_KERNEL | GFP_BIT_RECLAIMABLE, GFP_ATOMIC,
		GFP_KERNEL | GFP_BIT_DMA32,
	};
	struct alloc_request req = {
		.gfp = gfps[rng_below(&w->rng, ARRAY_SIZE(gfps))] |
		       GFP_BIT_NORETRY | GFP_BIT_NOWARN,
		.order = orders[rng_below(&w->rng, ARRAY_SIZE(orders))],
		.cpu = (uint16_t)rng_below(&w->rng, WORLD_NR_CPUS),
		.node = -1, .zone = -1,
	};
	struct alloc_result res;

	if (w->nr_used == WORLD_MAX_BLOCKS)
		return;
	res = alloc_pages_nowait(w->a, &req);
	world_note(w, 5, res.pfn, req.order);
	if (res.status != ALLOC_OK)
		return;
	if (has_to_wait(w, res.pfn, req.order, req.cpu))
		park(w, res.pfn, req.order, req.cpu);
	else
		keep_used(w, res.pfn, req.order, PAGE_GUEST_FREE);
}

void world_free_one(struct world *w, unsigned int i)
{
	const unsigned int cpu = rng_below(&w->rng, WORLD_NR_CPUS);
	const pfn_t pfn = w->used[i].pfn;
	const unsigned int order = w->used[i].order;

	w->used[i] = w->used[--w->nr_used];
	world_hand_over(w, pfn, order, PAGE_GUEST_USED, PAGE_GUEST_FREE,
			"the books of this test are wrong");
	/* Hooks may ask where they run. */
	w->env.cpu = cpu;
	alloc_free(w->a, cpu, pfn, order);
	w->env.cpu = 0;
}

void world_perforate(struct world *w, unsigned int order, unsigned int nr)
{
	const unsigned int first = w->nr_used;

	for (unsigned int i = 0; i < nr && w->nr_used < WORLD_MAX_BLOCKS; i++) {
		struct alloc_request req = {
			.gfp = GFP_HIGHUSER_MOVABLE | GFP_BIT_NORETRY |
			       GFP_BIT_NOWARN,
			.order = (uint8_t)order, .node = -1, .zone = -1,
		};
		const struct alloc_result res = alloc_pages_nowait(w->a, &req);

		if (res.status != ALLOC_OK)
			break;
		if (has_to_wait(w, res.pfn, order, 0)) {
			park(w, res.pfn, order, 0);
			break;
		}
		keep_used(w, res.pfn, order, PAGE_GUEST_FREE);
	}
	for (unsigned int i = w->nr_used; i-- > first;)
		if (i % 2)
			world_free_one(w, i);
}

static void event_free(struct world *w)
{
	if (w->nr_used)
		world_free_one(w, rng_below(&w->rng, w->nr_used));
}

/* Pages that compaction isolated count as allocated to who asks about them. */
static void release_held(struct world *w)
{
	const pfn_t pfn = w->held;

	world_hand_over(w, pfn, w->held_order, PAGE_HELD, PAGE_GUEST_FREE,
			"a held block was touched");
	w->held = PFN_NONE;
	if (w->cfg.ops->alloc_stall)
		alloc_free_buddy(w->a, pfn, w->held_order);
	else
		alloc_putback(w->a, pfn, w->held_order,
			      alloc_pageblock_type(w->a, pfn));
}

void world_hold(struct world *w)
{
	const pfn_t pfn = rng_below(&w->rng, WORLD_PAGES);
	pfn_t head;
	unsigned int order;

	if (w->held != PFN_NONE) {
		release_held(w);
		return;
	}
	if (alloc_page_lookup(w->a, pfn, &head, &order) != ALLOC_PAGE_BUDDY ||
	    !alloc_isolate(w->a, head))
		return;
	world_hand_over(w, head, order, PAGE_GUEST_FREE, PAGE_HELD,
			"a free block belongs to the reporter");
	w->held = head;
	w->held_order = order;
	if (has_to_wait(w, head, order, 0))
		release_held(w);
}

/* Somebody retypes a pageblock; later kernels move its free blocks along. */
static void event_retype(struct world *w)
{
	const pfn_t pfn = rng_below(&w->rng, WORLD_PAGES);

	if (alloc_profile_of(w->a)->isolate_moves_pageblock)
		return;
	alloc_set_pageblock_type(w->a, pfn, rng_below(&w->rng,
						      MIGRATE_PCPTYPES));
}

/* The host asks for a balloon of another size. */
static void event_target(struct world *w)
{
	const uint32_t most = WORLD_PAGES / 12;

	sync_env_set_target(&w->env, rng_below(&w->rng, 4) ?
			    rng_below(&w->rng, most) : 0);
}

/* ... or for something else, if need be for what the design knows. */
static void event_command(struct world *w)
{
	for (unsigned int tries = 0; tries < 8; tries++) {
		struct host_command c = {
			.kind = rng_below(&w->rng, HOST_WANTS_STATS + 1),
			.pages = rng_below(&w->rng, 2048),
		};

		if (c.kind == HOST_HINT_START)
			c.id = 2 + w->events;
		if (sync_env_host_request(&w->env, &c) != -EOPNOTSUPP)
			return;
	}
}

/* Compaction wants a page of the balloon. */
static void event_migrate(struct world *w)
{
	struct reporter *r = &w->env.reporter;
	struct alloc_request req = { .gfp = GFP_HIGHUSER_MOVABLE, .node = -1,
				     .zone = -1 };
	struct alloc_result res;
	pfn_t from = rng_below(&w->rng, WORLD_PAGES), i;

	for (i = 0; i < WORLD_PAGES && !r->ops->owns_page(r, from); i++)
		from = from + 1 < WORLD_PAGES ? from + 1 : 0;
	if (i == WORLD_PAGES)
		return;
	res = alloc_pages_nowait(w->a, &req);
	if (res.status != ALLOC_OK)
		return;
	world_hand_over(w, res.pfn, 0, PAGE_GUEST_FREE, PAGE_GUEST_USED,
			"an allocation returned what is not free");
	w->used[w->nr_used].pfn = res.pfn;
	w->used[w->nr_used].order = 0;
	if (!sync_env_migrate_page(&w->env, from, res.pfn)) {
		world_hand_over(w, from, 0, PAGE_BALLOON, PAGE_GUEST_USED,
				"moved what the design does not have");
		world_hand_over(w, res.pfn, 0, PAGE_GUEST_USED, PAGE_BALLOON,
				"the books of this test are wrong");
		w->used[w->nr_used].pfn = from;
	}
	w->nr_used++;
}

/* Designs that host and guest can ask for something are asked. */
static bool asking_event(struct world *w)
{
	const struct reporter_ops *ops = w->cfg.ops;
	uint32_t dice;

	if (!ops->set_target && !ops->host_request && !ops->oom_notify)
		return false;
	dice = rng_below(&w->rng, 100);
	if (dice < 3 && ops->set_target && !w->stopped)
		event_target(w);
	else if (dice < 6 && ops->host_request && !w->stopped)
		event_command(w);
	else if (dice < 8 && ops->oom_notify)
		sync_env_oom_notify(&w->env);
	else if (dice < 16 && ops->owns_page &&
		 w->nr_used < WORLD_MAX_BLOCKS)
		event_migrate(w);
	else
		return false;
	return true;
}

void world_random_event(struct world *w)
{
	const uint32_t dice = rng_below(&w->rng, 100);

	world_ask_parked(w);
	if (asking_event(w))
		return;
	if (dice < 38)
		event_alloc(w);
	else if (dice < 76)
		event_free(w);
	else if (dice < 80)
		alloc_drain_cpu(w->a, rng_below(&w->rng, WORLD_NR_CPUS));
	else if (dice < 84)
		world_hold(w);
	else if (dice < 86)
		event_retype(w);
	else
		sync_env_advance(&w->env, rng_next(&w->rng) %
				 (3 * NSEC_PER_SEC >> rng_below(&w->rng, 8)));
}
