/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The promises of the balloon, each broken on purpose: by hand in its state,
 * then by faults of its environment that the busy guest has to find.
 */
#include <stdlib.h>
#include <string.h>

#include "reporter/balloon.h"
#include "reporter/sync_env_calls.h"
#include "tests/alloc/fixture.h"
#include "tests/reporter/rig.h"
#include "tests/reporter/world.h"
#include "tests/test.h"

#define BALLOON &balloon_reporter

static struct rig *with_balloon(const char *options, uint64_t target)
{
	const struct sync_env_config cfg = {
		.ack_latency_ns = NSEC_PER_MSEC,
	};
	struct alloc *a = fixture_create("6.1", 0, 65536);
	struct rig *rig;

	fixture_put(a, 1024, 10);
	rig = rig_start(a, BALLOON, options, &cfg);
	sync_env_set_target(&rig->env, target);
	rig_run(rig);
	return rig;
}

static void finish(struct rig *rig)
{
	struct alloc *a = rig->a;

	rig_stop(rig);
	alloc_destroy(a);
}

static void assert_noticed(const struct rig *rig, const char *what,
			   const char *expected)
{
	const char *broken = rig->env.reporter.ops->check(&rig->env.reporter);

	if (!broken || !strstr(broken, expected))
		fail_msg("%s: check() says \"%s\"", what,
			 broken ? broken : "(nothing)");
}

static void test_balloon_check__state(void **state)
{
	/* One member at a time is wrong, and put right again. */
	struct rig *rig = with_balloon("batch=64", 200);
	struct balloon *s = rig->env.reporter.state, good = *s;

	(void)state;
	s->actual--;
	assert_noticed(rig, "actual", "told another size");
	*s = good;
	s->pages.nr++;
	s->actual++;
	s->managed++;
	assert_noticed(rig, "number", "their number differ");
	*s = good;
	s->pages.nr--;
	s->actual--;
	s->managed--;
	assert_noticed(rig, "one too many", "their number differ");
	*s = good;
	alloc_free(rig->a, 0, 1030, 0);
	assert_noticed(rig, "freed", "a page of the balloon is free");
	assert_int_equal(alloc_page_fast(rig->a, 0, 0, GFP_HIGHUSER_MOVABLE),
			 1030);
	alloc_set_lru(rig->a, 1030, 1, true);
	s->managed++;
	assert_noticed(rig, "managed", "managed pages");
	*s = good;
	s->nr = 1;
	assert_noticed(rig, "idle", "IDLE, but");
	s->state = BALLOON_QUEUED;
	s->nr = 65;
	assert_noticed(rig, "batch", "more than one request may hold");
	*s = good;
	s->state = BALLOON_INFLATING;
	assert_noticed(rig, "empty", "nothing is with the host");
	*s = good;
	alloc_set_lru(rig->a, 1024, 1, false);
	assert_noticed(rig, "fixed", "cannot be moved");
	alloc_set_lru(rig->a, 1024, 1, true);
	s->pages.orders[1030] = 0;
	assert_noticed(rig, "foreign", "not its own");
	s->pages.orders[1030] = 1;
	finish(rig);
}

static void test_balloon_check__units(void **state)
{
	/* Half a unit in a balloon of whole ones. */
	struct rig *rig = with_balloon("unit_order=9", 512);
	struct balloon *s = rig->env.reporter.state;

	(void)state;
	s->pages.nr = s->actual = 256;
	assert_noticed(rig, "half", "whole number of units");
	s->pages.nr = s->actual = 512;
	finish(rig);
}

static void test_balloon_check__step(void **state)
{
	/* A request is under way, and not of the pages that it names. */
	struct rig *rig = with_balloon("", 200);
	struct balloon *s = rig->env.reporter.state;

	(void)state;
	sync_env_set_target(&rig->env, 100);
	sync_env_advance(&rig->env, 0);
	assert_int_equal(s->state, BALLOON_DEFLATING);
	rig_assert_valid(rig);
	balloon_pages_add(&s->pages, s->batch[3].pfn, 0);
	s->managed++;
	assert_noticed(rig, "kept", "in the balloon and should not be");
	s->managed--;
	balloon_pages_del(&s->pages, s->batch[3].pfn);
	rig_run(rig);
	finish(rig);
}

/* ---- faults that the random guest has to find ---- */

/* E.g. a driver that frees the pages and tells the host afterwards. */
static int free_first(void *ctx, const struct host_request *rq)
{
	struct sync_env *e = ctx;

	if (rq->kind == REQUEST_DEFLATE)
		for (unsigned int i = 0; i < rq->nr; i++)
			alloc_free(e->alloc, 0, rq->entries[i].pfn,
				   rq->entries[i].order);
	return sync_env_calls.send(ctx, rq);
}

static void plant_free_first(struct world *w)
{
	w->env.env.send = free_first;
}

/* An allocation that hands out what stays free. */
static enum alloc_status borrow(void *ctx, struct alloc_request *rq, pfn_t *pfn)
{
	struct sync_env *e = ctx;
	const struct balloon *s = e->reporter.state;

	for (unsigned int o = rq->order; o < NR_PAGE_ORDERS; o++) {
		*pfn = alloc_list_first(e->alloc, 1, o, MIGRATE_MOVABLE);
		if (*pfn != PFN_NONE && !balloon_pages_has(&s->pages, *pfn))
			return ALLOC_OK;
	}
	return ALLOC_FAIL;
}

static void plant_borrow(struct world *w)
{
	w->env.env.allocate = borrow;
}

static void ignore_managed(void *ctx, pfn_t pfn, int64_t pages)
{
	(void)ctx;
	(void)pfn;
	(void)pages;
}

static void plant_lost_adjustment(struct world *w)
{
	w->env.env.adjust_managed = ignore_managed;
}

static void ignore_movable(void *ctx, pfn_t pfn, uint32_t nr, bool on)
{
	(void)ctx;
	(void)pfn;
	(void)nr;
	(void)on;
}

static void plant_immovable(struct world *w)
{
	w->env.env.set_movable = ignore_movable;
}

/* Pages leave the balloon and are not freed. */
static void lose_page(void *ctx, pfn_t pfn, unsigned int order)
{
	(void)ctx;
	(void)pfn;
	(void)order;
}

static void plant_lost_pages(struct world *w)
{
	w->env.env.free = lose_page;
}

static const struct fault {
	const char *name, *options, *found;
	void (*plant)(struct world *w);
} faults[] = {
	{ "freed before the host knows", "batch=40",
	  "free before the host knows", plant_free_first },
	{ "the balloon's page is free", "batch=1", "is free", plant_borrow },
	{ "managed pages", "", "managed pages", plant_lost_adjustment },
	{ "pages that cannot be moved", "", "cannot be moved",
	  plant_immovable },
	{ "lost pages", "deflate_on_oom=notifier", "blocks are out",
	  plant_lost_pages },
};

static void test_balloon_check__random_guest_finds_faults(void **state)
{
	/* Without the fault 1200 events are fine (the contract tests). */
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(faults); i++) {
		const struct fault *f = &faults[i];
		const struct world_config cfg = {
			.ops = BALLOON, .options = f->options,
			.kernel = "5.7", .seed = 1,
			/* Longer than an event: the check comes first. */
			.ack_latency_ns = 20 * NSEC_PER_SEC,
		};
		struct world *w = world_create(&cfg);
		unsigned int events = 0;

		f->plant(w);
		while (events < 1200 && world_step(w))
			events++;
		if (!w->broken[0])
			world_finish(w);
		if (!strstr(w->broken, f->found))
			fail_msg("%s: found \"%s\" after %u events", f->name,
				 w->broken, events);
		world_abandon(w);
	}
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(test_balloon_check__state),
	cmocka_unit_test(test_balloon_check__units),
	cmocka_unit_test(test_balloon_check__step),
	cmocka_unit_test(test_balloon_check__random_guest_finds_faults),
};

TEST_MAIN(cases)
