/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A busy guest with a reporter, its life and its books; see world.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tests/reporter/rig.h"
#include "tests/reporter/world_parts.h"
#include "tests/test.h"

#define ALLOC_CHECK_EVERY 32

static const struct alloc_zone_config zones[] = {
	{ .type = ZONE_DMA32, .start = 0, .end = 8192 },
	{ .type = ZONE_NORMAL, .start = 8192, .end = WORLD_PAGES },
};

static uint64_t shuffle_word(void *ctx)
{
	struct world *w = ctx;

	return rng_next(&w->rng);
}

static struct alloc *create_guest(const struct world_config *cfg)
{
	const struct alloc_config config = {
		.profile = alloc_profile_find(cfg->kernel),
		.nr_cpus = WORLD_NR_CPUS, .nr_nodes = 1,
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
		.watch = world_watch(w),
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

/* Free pages that do not count as such: those of isolated pageblocks. */
static uint64_t free_isolated(const struct world *w)
{
	uint64_t nr = 0;

	for (unsigned int i = 0; i < ARRAY_SIZE(zones) * NR_PAGE_ORDERS; i++) {
		const unsigned int order = i % NR_PAGE_ORDERS;
		pfn_t pfn = alloc_list_first(w->a, i / NR_PAGE_ORDERS, order,
					     MIGRATE_ISOLATE);

		for (; pfn != PFN_NONE; pfn = alloc_list_next(w->a, pfn))
			nr += order_nr_pages(order);
	}
	return nr;
}

/* What is out by our books is out by the environment's. */
static void check_books(struct world *w)
{
	uint64_t nr[NR_PAGE_OWNERS] = { 0 }, guest;

	for (pfn_t pfn = 0; pfn < WORLD_PAGES; pfn++)
		nr[w->owner[pfn]]++;
	guest = nr[PAGE_GUEST_USED] + nr[PAGE_PARKED];
	for (unsigned int i = 0; i < ARRAY_SIZE(zones); i++) {
		struct alloc_zone_info info;

		alloc_zone_info(w->a, i, &info);
		guest += info.free + info.pcp;
	}
	guest += free_isolated(w);
	if (nr[PAGE_REPORTER] != w->env.out_pages)
		world_broken(w, "pages in flight do not add up");
	if (nr[PAGE_BALLOON] != w->env.own_pages)
		world_broken(w, "pages of the design do not add up");
	if (nr[PAGE_REPORTER] + nr[PAGE_HELD] + nr[PAGE_BALLOON] + guest !=
	    WORLD_PAGES)
		world_broken(w, "a page was lost");
}

bool world_step(struct world *w)
{
	const char *error;

	w->events++;
	if (w->events == w->cfg.stop_after && !w->stopped) {
		w->env.reporter.ops->stop(&w->env.reporter);
		w->stopped = true;
	}
	world_random_event(w);
	error = sync_env_check(&w->env);
	if (!error && w->events % ALLOC_CHECK_EVERY == 0) {
		check_books(w);
		error = alloc_check(w->a);
	}
	if (error)
		world_broken(w, error);
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
		world_free_one(w, w->nr_used - 1);
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
		world_broken(w, "the counters are not what was reported");
	if (c->skipped_marked + c->isolate_refused > c->list_visits)
		world_broken(w, "more visits skipped or refused than made");
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
		world_broken(w, "stopped, but not idle");
	if (w->env.out_pages || w->env.own_pages)
		world_broken(w, "stopped, but blocks are out");
	world_ask_parked(w);
	if (w->nr_parked)
		world_broken(w, "stopped, but an allocation waits");
	world_release(w, 0);
	if (w->held != PFN_NONE)
		world_hold(w);
	alloc_drain_all(w->a);
	check_books(w);
	error = alloc_check(w->a);
	if (!error)
		error = sync_env_check(&w->env);
	if (error)
		world_broken(w, error);
	if (alloc_free_pages(w->a) + free_isolated(w) != WORLD_PAGES)
		world_broken(w, "pages are missing in the end");
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
