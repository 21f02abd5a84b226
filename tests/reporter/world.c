/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A busy guest with a reporter; see world.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "include/bitmap.h"
#include "tests/reporter/rig.h"
#include "tests/reporter/world.h"
#include "tests/test.h"

#define NR_CPUS 2
#define ALLOC_CHECK_EVERY 32

static const struct alloc_zone_config zones[] = {
	{ .type = ZONE_DMA32, .start = 0, .end = 8192 },
	{ .type = ZONE_NORMAL, .start = 8192, .end = WORLD_PAGES },
};

static void broken(struct world *w, const char *what)
{
	if (w->broken[0])
		return;
	snprintf(w->broken, sizeof(w->broken),
		 "%s (%s) on %s, seed %" PRIu64 ", event %u: %s",
		 w->cfg.ops->name, w->cfg.options, w->cfg.kernel, w->cfg.seed,
		 w->events, what);
}

/* Every page of the block changes hands. */
static void hand_over(struct world *w, pfn_t pfn, unsigned int order,
		      enum page_owner from, enum page_owner to,
		      const char *what)
{
	for (uint32_t i = 0; i < order_nr_pages(order); i++) {
		if (w->owner[pfn + i] != from)
			broken(w, what);
		w->owner[pfn + i] = (uint8_t)to;
	}
}

static void note(struct world *w, unsigned int what, pfn_t pfn,
		 unsigned int order)
{
	digest_u64(&w->digest, (uint64_t)pfn << 16 | order << 8 | what);
}

static void see_isolate(void *ctx, pfn_t pfn, unsigned int order,
			enum migratetype mt)
{
	struct world *w = ctx;

	(void)mt;
	note(w, 1, pfn, order);
	w->accepted[pfn] = 0;
	hand_over(w, pfn, order, PAGE_GUEST_FREE, PAGE_REPORTER,
		  "isolated what is not free");
}

static void see_putback(void *ctx, pfn_t pfn, unsigned int order,
			enum migratetype mt)
{
	struct world *w = ctx;

	note(w, 2, pfn, order << 4 | mt);
	hand_over(w, pfn, order, PAGE_REPORTER, PAGE_GUEST_FREE,
		  "put back what it does not have");
}

/*
 * Blocks of report() and of a sent REPORT are isolated; the others stay with
 * the allocator, and nobody may use them.
 */
static void see_request(void *ctx, const struct host_request *rq)
{
	struct world *w = ctx;

	w->in_place = rq->kind == REQUEST_ANSWER || rq->hypercall;
	for (unsigned int i = 0; i < rq->nr; i++)
		note(w, 6 + (unsigned int)rq->kind, rq->entries[i].pfn,
		     rq->entries[i].order);
}

static void see_report(void *ctx, const struct page_report *entries,
		       unsigned int nr)
{
	struct world *w = ctx;
	const enum page_owner owner = w->in_place ? PAGE_GUEST_FREE :
						    PAGE_REPORTER;

	w->in_place = false;
	w->reports++;
	w->blocks += nr;
	for (unsigned int i = 0; i < nr; i++) {
		const struct page_report *e = &entries[i];

		note(w, 3, e->pfn, e->order);
		w->pages += order_nr_pages(e->order);
		w->accepted[e->pfn] = (uint8_t)(e->order + 1);
		memset(w->dirty + e->pfn, 0, order_nr_pages(e->order));
		if (alloc_zone_of(w->a, e->pfn) != e->zone)
			broken(w, "an entry names the wrong zone");
		hand_over(w, e->pfn, e->order, owner, owner,
			  "reported what it does not have");
	}
}

/* Only blocks that the host took, whole, and from a good acknowledgement. */
static bool all_clean(const struct world *w, pfn_t pfn, unsigned int order)
{
	for (uint32_t i = 0; i < order_nr_pages(order); i++)
		if (w->dirty[pfn + i])
			return false;
	return true;
}

static void see_mark(void *ctx, pfn_t pfn, enum block_mark m)
{
	struct world *w = ctx;
	const unsigned int fail_every = w->env.cfg.fail_every;

	note(w, 4, pfn, m);
	w->marks++;
	if (!alloc_is_free_head(w->a, pfn)) {
		broken(w, "marked what heads no free block");
		return;
	}
	/* Parts of what the host took may be marked again. */
	if (w->cfg.ops->knows_zero) {
		if (!all_clean(w, pfn, alloc_block_order(w->a, pfn)))
			broken(w, "marked what was used since");
		return;
	}
	if (w->accepted[pfn] != alloc_block_order(w->a, pfn) + 1)
		broken(w, "marked what the host did not take");
	if (fail_every && w->env.acks % fail_every == 0)
		broken(w, "marked after a failed acknowledgement");
}

static void see_allocate(void *ctx, pfn_t pfn, unsigned int order)
{
	note(ctx, 12, pfn, order);
	hand_over(ctx, pfn, order, PAGE_GUEST_FREE, PAGE_BALLOON,
		  "the design was given what is not free");
}

static void see_free(void *ctx, pfn_t pfn, unsigned int order)
{
	note(ctx, 13, pfn, order);
	hand_over(ctx, pfn, order, PAGE_BALLOON, PAGE_GUEST_FREE,
		  "the design freed what it does not have");
}

static uint64_t shuffle_word(void *ctx)
{
	struct world *w = ctx;

	return rng_next(&w->rng);
}

static struct alloc *create_guest(const struct world_config *cfg)
{
	const struct alloc_config config = {
		.profile = alloc_profile_find(cfg->kernel),
		.nr_cpus = NR_CPUS, .nr_nodes = 1,
		.zones = zones, .nr_zones = ARRAY_SIZE(zones),
		.pageblock_order = 9, .cma = true, .isolation = true,
		.watermark_boost_factor = UINT32_MAX,
	};
	const char *why = "no reason";
	struct alloc *a = NULL;

	if (alloc_create(&a, &config, &why))
		fail_msg("guest: %s", why);
	alloc_boot_range(a, 0, WORLD_PAGES);
	for (unsigned int i = 0; i < ARRAY_SIZE(zones); i++)
		alloc_set_managed(a, i, zones[i].end - zones[i].start);
	alloc_setup_zonelists(a);
	alloc_setup_pcp(a);
	alloc_setup_watermarks(a, 1024);
	return a;
}

/* The host gives zeroes for most of what it takes. */
static bool zeroes(void *ctx, const struct page_report *e)
{
	(void)ctx;
	return e->pfn / HPAGE_PMD_NR % 4 != 3;
}

static int attach(struct world *w)
{
	const struct sync_env_config cfg = {
		.ops = w->cfg.ops, .options = w->options,
		.watch = { .ctx = w, .report = see_report,
			   .isolate = see_isolate, .putback = see_putback,
			   .mark = see_mark, .request = see_request,
			   .allocate = see_allocate, .free = see_free },
		.zeroes = zeroes,
		.ack_latency_ns = w->cfg.ack_latency_ns,
		.fail_every = w->cfg.fail_every,
		.refuse_every = w->cfg.refuse_every,
	};
	char why[256] = "";
	const int err = sync_env_init(&w->env, w->a, &cfg, why, sizeof(why));

	if (err == -EINVAL)
		return err;
	if (err)
		fail_msg("%s: %s", w->cfg.ops->name, why);
	w->hooks.ctx = w;
	w->hooks.shuffle_word = shuffle_word;
	sync_env_hooks(&w->env, &w->hooks);
	alloc_set_hooks(w->a, &w->hooks);
	if (w->cfg.shuffle)
		alloc_set_shuffle(w->a, true);
	sync_env_start(&w->env);
	return 0;
}

struct world *world_create(const struct world_config *cfg)
{
	struct world *w = calloc(1, sizeof(*w));

	assert_non_null(w);
	w->cfg = *cfg;
	w->held = PFN_NONE;
	memset(w->dirty, 1, sizeof(w->dirty));
	rng_init(&w->rng, cfg->seed, "world", 0);
	assert_int_equal(digest_init(&w->digest), 0);
	w->options = rig_options(cfg->ops, cfg->options);
	w->a = create_guest(cfg);
	if (!attach(w))
		return w;
	world_destroy(w);
	return NULL;
}

void world_destroy(struct world *w)
{
	alloc_set_hooks(w->a, NULL);
	sync_env_destroy(&w->env);
	alloc_destroy(w->a);
	digest_destroy(&w->digest);
	free(w->options);
	free(w);
}

void world_abandon(struct world *w)
{
	struct reporter *r = &w->env.reporter;

	/* What is broken may be out there; the design's memory is its own. */
	r->ops->destroy(r);
	free(r->state);
	r->state = NULL;
	world_destroy(w);
}

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
		broken(w, "an allocation waits for nothing");
	if (!wait && with_host(w, pfn, order))
		broken(w, "an allocation got what the host has");
	return wait;
}

/* What the guest would not clear has to be what nobody wrote. */
static void use(struct world *w, pfn_t pfn, unsigned int order)
{
	const uint64_t *known = w->env.env.known_zero;

	for (uint32_t i = 0; i < order_nr_pages(order); i++) {
		if (known && bitmap_test(known, pfn + i) && w->dirty[pfn + i])
			broken(w, "a page that was used is known to be zero");
		w->known += known && bitmap_test(known, pfn + i);
		w->dirty[pfn + i] = 1;
	}
}

static void keep_used(struct world *w, pfn_t pfn, unsigned int order,
		      enum page_owner from)
{
	use(w, pfn, order);
	hand_over(w, pfn, order, from, PAGE_GUEST_USED,
		  "an allocation returned what is not free");
	w->used[w->nr_used].pfn = pfn;
	w->used[w->nr_used].order = (uint8_t)order;
	w->nr_used++;
}

/* The allocation is parked; some are given up at once, as of a killed task. */
static void park(struct world *w, pfn_t pfn, unsigned int order,
		 unsigned int cpu)
{
	note(w, 14, pfn, order);
	if (w->nr_parked == WORLD_MAX_PARKED || rng_below(&w->rng, 4) == 0) {
		alloc_free(w->a, cpu, pfn, order);
		return;
	}
	hand_over(w, pfn, order, PAGE_GUEST_FREE, PAGE_PARKED,
		  "an allocation returned what is not free");
	w->parked[w->nr_parked].pfn = pfn;
	w->parked[w->nr_parked].order = (uint8_t)order;
	w->nr_parked++;
}

static void ask_parked(struct world *w)
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
		.cpu = (uint16_t)rng_below(&w->rng, NR_CPUS),
		.node = -1, .zone = -1,
	};
	struct alloc_result res;

	if (w->nr_used == WORLD_MAX_BLOCKS)
		return;
	res = alloc_pages_nowait(w->a, &req);
	note(w, 5, res.pfn, req.order);
	if (res.status != ALLOC_OK)
		return;
	if (has_to_wait(w, res.pfn, req.order, req.cpu))
		park(w, res.pfn, req.order, req.cpu);
	else
		keep_used(w, res.pfn, req.order, PAGE_GUEST_FREE);
}

static void free_one(struct world *w, unsigned int i)
{
	const pfn_t pfn = w->used[i].pfn;
	const unsigned int order = w->used[i].order;

	w->used[i] = w->used[--w->nr_used];
	hand_over(w, pfn, order, PAGE_GUEST_USED, PAGE_GUEST_FREE,
		  "the books of this test are wrong");
	alloc_free(w->a, rng_below(&w->rng, NR_CPUS), pfn, order);
}

static void event_free(struct world *w)
{
	if (w->nr_used)
		free_one(w, rng_below(&w->rng, w->nr_used));
}

/* Pages that compaction isolated count as allocated to who asks about them. */
static void release_held(struct world *w)
{
	const pfn_t pfn = w->held;

	hand_over(w, pfn, w->held_order, PAGE_HELD, PAGE_GUEST_FREE,
		  "a held block was touched");
	w->held = PFN_NONE;
	if (w->cfg.ops->alloc_stall)
		alloc_free_buddy(w->a, pfn, w->held_order);
	else
		alloc_putback(w->a, pfn, w->held_order,
			      alloc_pageblock_type(w->a, pfn));
}

/* Compaction isolates some free block, or puts it back. */
static void event_hold(struct world *w)
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
	hand_over(w, head, order, PAGE_GUEST_FREE, PAGE_HELD,
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
	hand_over(w, res.pfn, 0, PAGE_GUEST_FREE, PAGE_GUEST_USED,
		  "an allocation returned what is not free");
	w->used[w->nr_used].pfn = res.pfn;
	w->used[w->nr_used].order = 0;
	if (!sync_env_migrate_page(&w->env, from, res.pfn)) {
		hand_over(w, from, 0, PAGE_BALLOON, PAGE_GUEST_USED,
			  "moved what the design does not have");
		hand_over(w, res.pfn, 0, PAGE_GUEST_USED, PAGE_BALLOON,
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

static void random_event(struct world *w)
{
	const uint32_t dice = rng_below(&w->rng, 100);

	ask_parked(w);
	if (asking_event(w))
		return;
	if (dice < 38)
		event_alloc(w);
	else if (dice < 76)
		event_free(w);
	else if (dice < 80)
		alloc_drain_cpu(w->a, rng_below(&w->rng, NR_CPUS));
	else if (dice < 84)
		event_hold(w);
	else if (dice < 86)
		event_retype(w);
	else
		sync_env_advance(&w->env, rng_next(&w->rng) %
				 (3 * NSEC_PER_SEC >> rng_below(&w->rng, 8)));
}

/* What is out by our books is out by the environment's. */
static void check_books(struct world *w)
{
	uint64_t out = 0, held = 0, guest = 0, own = 0;

	for (pfn_t pfn = 0; pfn < WORLD_PAGES; pfn++) {
		out += w->owner[pfn] == PAGE_REPORTER;
		held += w->owner[pfn] == PAGE_HELD;
		own += w->owner[pfn] == PAGE_BALLOON;
		guest += w->owner[pfn] == PAGE_GUEST_USED ||
			 w->owner[pfn] == PAGE_PARKED;
	}
	for (unsigned int i = 0; i < ARRAY_SIZE(zones); i++) {
		struct alloc_zone_info info;

		alloc_zone_info(w->a, i, &info);
		guest += info.free + info.pcp;
	}
	if (out != w->env.out_pages)
		broken(w, "pages in flight do not add up");
	if (own != w->env.own_pages)
		broken(w, "pages of the design do not add up");
	if (out + held + guest + own != WORLD_PAGES)
		broken(w, "a page was lost");
}

bool world_step(struct world *w)
{
	const char *error;

	w->events++;
	if (w->events == w->cfg.stop_after && !w->stopped) {
		w->env.reporter.ops->stop(&w->env.reporter);
		w->stopped = true;
	}
	random_event(w);
	error = sync_env_check(&w->env);
	if (!error && w->events % ALLOC_CHECK_EVERY == 0) {
		check_books(w);
		error = alloc_check(w->a);
	}
	if (error)
		broken(w, error);
	return !w->broken[0];
}

void world_run(struct world *w, unsigned int nr_events)
{
	for (unsigned int i = 0; i < nr_events; i++)
		if (!world_step(w))
			fail_msg("%s", w->broken);
}

void world_release(struct world *w, unsigned int keep)
{
	while (w->nr_used > keep)
		free_one(w, w->nr_used - 1);
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
			free_one(w, i);
}

static void check_counters(struct world *w)
{
	const struct reporter_counters *c = &w->env.reporter.counters;
	uint64_t blocks = 0, pages = 0;

	for (unsigned int o = 0; o < NR_PAGE_ORDERS; o++) {
		blocks += c->blocks[o];
		pages += c->blocks[o] << o;
	}
	if (c->report_calls != w->reports || blocks != w->blocks ||
	    pages != w->pages || c->pages != w->pages)
		broken(w, "the counters are not what was reported");
	if (c->skipped_marked + c->isolate_refused > c->list_visits)
		broken(w, "more visits skipped or refused than made");
}

bool world_finish(struct world *w)
{
	const char *error;

	w->env.cfg.fail_every = 0;
	if (!w->stopped)
		w->env.reporter.ops->stop(&w->env.reporter);
	while (sync_env_ack(&w->env, 0))
		;
	if (!w->env.reporter.ops->idle(&w->env.reporter) || w->env.scheduled)
		broken(w, "stopped, but not idle");
	if (w->env.out_pages || w->env.own_pages)
		broken(w, "stopped, but blocks are out");
	ask_parked(w);
	if (w->nr_parked)
		broken(w, "stopped, but an allocation waits");
	world_release(w, 0);
	if (w->held != PFN_NONE)
		event_hold(w);
	alloc_drain_all(w->a);
	check_books(w);
	error = alloc_check(w->a);
	if (!error)
		error = sync_env_check(&w->env);
	if (error)
		broken(w, error);
	if (alloc_free_pages(w->a) != WORLD_PAGES)
		broken(w, "pages are missing in the end");
	check_counters(w);
	return !w->broken[0];
}

uint64_t world_unmarked(const struct world *w, unsigned int order)
{
	uint64_t nr = 0;

	for (unsigned int zone = 0; zone < ARRAY_SIZE(zones); zone++) {
		for (unsigned int i = order * MIGRATE_TYPES;
		     i < NR_PAGE_ORDERS * MIGRATE_TYPES; i++) {
			pfn_t pfn = alloc_list_first(w->a, zone,
						     i / MIGRATE_TYPES,
						     i % MIGRATE_TYPES);

			for (; pfn != PFN_NONE;
			     pfn = alloc_list_next(w->a, pfn))
				nr += !alloc_block_marks(w->a, pfn);
		}
	}
	return nr;
}
