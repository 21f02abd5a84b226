/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A design that has taken nothing has changed nothing: the same operations on a
 * guest with every design, and on one without, leave the same blocks on the
 * same lists in the same order, up to the first call by which the design takes
 * a block, moves one or drains a CPU's lists. pull_bitmap never makes one, so
 * its guest is that of no design at all, whatever the host has in hand.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "include/rng.h"
#include "reporter/sync_env_calls.h"
#include "tests/alloc/fixture.h"
#include "tests/reporter/designs.h"
#include "tests/reporter/rig.h"
#include "tests/test.h"

#define NR_PAGES 16384
#define NR_CPUS 2
#define NR_EVENTS 900
#define MAX_USED 512

static const char *const kernels[] = { "5.3", "5.7", "6.1", "6.12", "6.18" };

struct pair {
	struct alloc *plain;       /* without a design */
	struct alloc *a;           /* with it */
	struct sync_env env;
	void *options;
	struct alloc_hooks plain_hooks, hooks;
	struct rng rng, words[2];  /* of operations, and of each shuffle */
	struct { pfn_t pfn; uint8_t order; } used[MAX_USED];
	unsigned int nr_used;
	bool touched;              /* the design has made such a call */
	uint64_t pages;            /* handed to the host */
	uint64_t waited;           /* allocations that had to */
	bool differ;
};

/* The calls that change lists, in front of the environment's own. */
static struct pair *pair_of(void *ctx)
{
	const struct sync_env *e = ctx;

	return e->cfg.watch.ctx;
}

static bool touch_isolate(void *ctx, pfn_t pfn)
{
	pair_of(ctx)->touched = true;
	return sync_env_calls.isolate(ctx, pfn);
}

static void touch_isolate_raw(void *ctx, pfn_t pfn)
{
	pair_of(ctx)->touched = true;
	sync_env_calls.isolate_raw(ctx, pfn);
}

static void touch_rotate(void *ctx, pfn_t pfn)
{
	pair_of(ctx)->touched = true;
	sync_env_calls.rotate_to_front(ctx, pfn);
}

static enum alloc_status touch_allocate(void *ctx, struct alloc_request *rq,
					pfn_t *pfn)
{
	pair_of(ctx)->touched = true;
	return sync_env_calls.allocate(ctx, rq, pfn);
}

static void touch_drain(void *ctx, unsigned int cpu)
{
	pair_of(ctx)->touched = true;
	sync_env_calls.drain_pcp(ctx, cpu);
}

static void see_report(void *ctx, const struct page_report *entries,
		       unsigned int nr)
{
	struct pair *p = ctx;

	for (unsigned int i = 0; i < nr; i++)
		p->pages += order_nr_pages(entries[i].order);
}

static uint64_t shuffle_word(void *ctx)
{
	return rng_next(ctx);
}

static struct alloc *create_guest(const char *kernel)
{
	static const struct alloc_zone_config zones[] = {
		{ .type = ZONE_DMA32, .start = 0, .end = 4096 },
		{ .type = ZONE_NORMAL, .start = 4096, .end = NR_PAGES },
	};
	const struct alloc_config config = {
		.profile = alloc_profile_find(kernel), .nr_cpus = NR_CPUS,
		.nr_nodes = 1, .zones = zones, .nr_zones = ARRAY_SIZE(zones),
		.pageblock_order = 9, .watermark_boost_factor = UINT32_MAX,
	};
	struct alloc *a = fixture_create_config(&config);

	alloc_boot_range(a, 0, NR_PAGES);
	for (unsigned int i = 0; i < ARRAY_SIZE(zones); i++)
		alloc_set_managed(a, i, zones[i].end - zones[i].start);
	alloc_setup_zonelists(a);
	alloc_setup_pcp(a);
	alloc_setup_watermarks(a, 512);
	return a;
}

static void watch_calls(struct pair *p)
{
	struct reporter_env *env = &p->env.env;

	env->isolate = touch_isolate;
	env->isolate_raw = touch_isolate_raw;
	env->rotate_to_front = touch_rotate;
	env->allocate = touch_allocate;
	env->drain_pcp = touch_drain;
}

static void set_hooks(struct pair *p, bool shuffle)
{
	p->plain_hooks.ctx = &p->words[0];
	p->plain_hooks.shuffle_word = shuffle_word;
	alloc_set_hooks(p->plain, &p->plain_hooks);
	p->hooks.ctx = &p->words[1];
	p->hooks.shuffle_word = shuffle_word;
	sync_env_hooks(&p->env, &p->hooks);
	alloc_set_hooks(p->a, &p->hooks);
	alloc_set_shuffle(p->plain, shuffle);
	alloc_set_shuffle(p->a, shuffle);
}

static void end(struct pair *p)
{
	if (p->env.reporter.state)
		sync_env_stop(&p->env);
	alloc_set_hooks(p->a, NULL);
	alloc_set_hooks(p->plain, NULL);
	sync_env_destroy(&p->env);
	alloc_destroy(p->a);
	alloc_destroy(p->plain);
	free(p->options);
}

/* False: the design does not run on this kernel. */
static bool begin(struct pair *p, const struct design *d, const char *kernel,
		  bool shuffle)
{
	struct sync_env_config cfg = {
		.ops = d->ops,
		.watch = { .ctx = p, .report = see_report },
		.ack_latency_ns = 300 * NSEC_PER_MSEC,
	};
	char why[256] = "";
	int err;

	memset(p, 0, sizeof(*p));
	rng_init(&p->rng, 3, "pair", 0);
	rng_init(&p->words[0], 3, "words", 0);
	rng_init(&p->words[1], 3, "words", 0);
	p->plain = create_guest(kernel);
	p->a = create_guest(kernel);
	p->options = rig_options(d->ops, d->options);
	cfg.options = p->options;
	err = sync_env_init(&p->env, p->a, &cfg, why, sizeof(why));
	if (err == -EINVAL) {
		end(p);
		return false;
	}
	if (err)
		fail_msg("%s: %s", d->ops->name, why);
	watch_calls(p);
	set_hooks(p, shuffle);
	sync_env_start(&p->env);
	return true;
}

static bool same_list(const struct pair *p, unsigned int zone,
		      unsigned int order, enum migratetype mt)
{
	const struct alloc *a = p->a;
	pfn_t x = alloc_list_first(a, zone, order, mt);
	pfn_t y = alloc_list_first(p->plain, zone, order, mt);

	while (x == y && x != PFN_NONE) {
		x = alloc_list_next(a, x);
		y = alloc_list_next(p->plain, y);
	}
	return x == y;
}

static bool same_pcp(const struct pair *p, unsigned int zone, unsigned int cpu)
{
	const struct alloc *a = p->a;
	struct alloc_pcp_info x, y;

	alloc_pcp_info(a, zone, cpu, &x);
	alloc_pcp_info(p->plain, zone, cpu, &y);
	for (unsigned int i = 0; i < x.nr_lists; i++) {
		pfn_t v = alloc_pcp_first(a, zone, cpu, i);
		pfn_t w = alloc_pcp_first(p->plain, zone, cpu, i);

		while (v == w && v != PFN_NONE) {
			v = alloc_list_next(a, v);
			w = alloc_list_next(p->plain, w);
		}
		if (v != w)
			return false;
	}
	return x.count == y.count;
}

static bool same_lists(const struct pair *p)
{
	for (unsigned int z = 0; z < alloc_nr_zones(p->plain); z++) {
		for (unsigned int i = 0; i < NR_PAGE_ORDERS * MIGRATE_TYPES;
		     i++)
			if (!same_list(p, z, i / MIGRATE_TYPES,
				       i % MIGRATE_TYPES))
				return false;
		for (unsigned int cpu = 0; cpu < NR_CPUS; cpu++)
			if (!same_pcp(p, z, cpu))
				return false;
	}
	return true;
}

/* The host answers until the allocation need not wait. */
static void wait_for_host(struct pair *p, pfn_t pfn, unsigned int order,
			  unsigned int cpu)
{
	if (!alloc_stalled(p->a, cpu, pfn, order))
		return;
	p->waited++;
	while (alloc_stalled(p->a, cpu, pfn, order))
		assert_true(sync_env_ack(&p->env, 0));
}

static void event_alloc(struct pair *p)
{
	static const uint8_t orders[] = { 0, 0, 0, 1, 3, 7, 9, 9, 10 };
	static const gfp_t gfps[] = {
		GFP_KERNEL, GFP_HIGHUSER_MOVABLE, GFP_HIGHUSER_MOVABLE,
		GFP_KERNEL | GFP_BIT_RECLAIMABLE,
	};
	struct alloc_request rq[2], req = {
		.gfp = gfps[rng_below(&p->rng, ARRAY_SIZE(gfps))] |
		       GFP_BIT_NORETRY | GFP_BIT_NOWARN,
		.order = orders[rng_below(&p->rng, ARRAY_SIZE(orders))],
		.cpu = (uint16_t)rng_below(&p->rng, NR_CPUS),
		.node = -1, .zone = -1,
	};
	struct alloc_result with, without;

	if (p->nr_used == MAX_USED)
		return;
	rq[0] = rq[1] = req;
	without = alloc_pages_nowait(p->plain, &rq[0]);
	with = alloc_pages_nowait(p->a, &rq[1]);
	p->differ |= with.status != without.status || with.pfn != without.pfn;
	if (with.status != ALLOC_OK)
		return;
	wait_for_host(p, with.pfn, req.order, req.cpu);
	p->used[p->nr_used].pfn = with.pfn;
	p->used[p->nr_used++].order = req.order;
}

static void event_free(struct pair *p)
{
	const unsigned int cpu = rng_below(&p->rng, NR_CPUS);
	unsigned int i;

	if (!p->nr_used)
		return;
	i = rng_below(&p->rng, p->nr_used);
	alloc_free(p->plain, cpu, p->used[i].pfn, p->used[i].order);
	alloc_free(p->a, cpu, p->used[i].pfn, p->used[i].order);
	p->used[i] = p->used[--p->nr_used];
}

static void event_drain(struct pair *p)
{
	const unsigned int cpu = rng_below(&p->rng, NR_CPUS);

	alloc_drain_cpu(p->plain, cpu);
	alloc_drain_cpu(p->a, cpu);
}

/* The host wants pages, if the design knows what that is. */
static void event_host(struct pair *p)
{
	const struct host_command c = {
		.kind = HOST_WANTS_PAGES, .pages = 1 + rng_below(&p->rng, 3000),
	};

	if (p->env.reporter.ops->host_request)
		sync_env_host_request(&p->env, &c);
}

static void random_event(struct pair *p)
{
	const uint32_t dice = rng_below(&p->rng, 100);

	if (dice < 42)
		event_alloc(p);
	else if (dice < 80)
		event_free(p);
	else if (dice < 84)
		event_drain(p);
	else if (dice < 88)
		event_host(p);
	else
		sync_env_advance(&p->env, rng_next(&p->rng) %
				 (200 * NSEC_PER_MSEC));
}

/* Until the lists differ, the design has made such a call, or for all events.
 * Returns how many there were. */
static unsigned int run(struct pair *p)
{
	unsigned int events = 0;

	while (events < NR_EVENTS && !p->differ) {
		random_event(p);
		if (p->touched)
			break;
		p->differ |= !same_lists(p);
		events++;
	}
	/* What differs because the design has begun is no difference. */
	p->differ &= !p->touched;
	return events;
}

static void check_design(const struct design *d, const char *kernel)
{
	const bool stays = d->ops == &pull_bitmap_reporter ||
			   d->ops == &none_reporter;
	unsigned int events;
	struct pair p;

	if (!begin(&p, d, kernel, kernel != kernels[0]))
		return;
	events = run(&p);
	if (p.differ)
		fail_msg("%s (%s) on %s: other lists after %u events",
			 d->ops->name, d->options, kernel, events);
	if (stays && p.touched)
		fail_msg("%s (%s) takes blocks", d->ops->name, d->options);
	if (d->ops == &pull_bitmap_reporter)
		assert_true(p.pages > 1000 && p.waited > 0);
	end(&p);
}

static void test_lists_untouched__as_without_the_design(void **state)
{
	/* Every design and kernel: the same lists until it takes a block. */
	struct design designs[MAX_DESIGNS];
	const size_t nr = all_designs(designs);

	(void)state;
	for (size_t d = 0; d < nr; d++)
		for (size_t k = 0; k < ARRAY_SIZE(kernels); k++)
			check_design(&designs[d], kernels[k]);
}

/* Not through the calls that are watched, which would be a beginning. */
static void wrong_capture(struct reporter *r, unsigned int zone, pfn_t pfn,
			  unsigned int order, unsigned int cpu)
{
	(void)zone;
	(void)pfn;
	(void)order;
	sync_env_calls.drain_pcp(r->env->ctx, cpu);
}

static void test_lists_untouched__notices(void **state)
{
	/* A design that drains a CPU's lists behind everybody's back. */
	struct reporter_ops ops = none_reporter;
	const struct design d = { &ops, "", false };
	struct pair p;

	(void)state;
	ops.free_capture = wrong_capture;
	assert_true(begin(&p, &d, "6.1", false));
	run(&p);
	assert_true(p.differ);
	end(&p);
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(test_lists_untouched__as_without_the_design),
	cmocka_unit_test(test_lists_untouched__notices),
};

TEST_MAIN(cases)
