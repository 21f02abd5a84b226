/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What every design promises of its device's life, whatever it is: it is idle
 * when nothing is pending and at no other time, a device that appears twice is
 * one device, and one that has gone reports nothing, whatever was due.
 */
#include <stdlib.h>

#include "include/rng.h"
#include "tests/alloc/fixture.h"
#include "tests/reporter/designs.h"
#include "tests/reporter/rig.h"
#include "tests/test.h"

#define MAX_HELD 48
#define END 65536u

struct life {
	const struct design *d;
	struct alloc *a;
	struct rig *rig;
	struct rng rng;
	struct { pfn_t pfn; uint8_t order; } held[MAX_HELD];
	unsigned int nr_held;
	unsigned int every;         /* how often the host fails; 0 = never */
	unsigned int idle, busy;    /* how often it was seen so */
};

/* every: how often the host fails, and refuses; 0 = never. */
static void life_open(struct life *l, const struct design *d,
		      unsigned int every)
{
	const struct sync_env_config cfg = {
		.ack_latency_ns = 30 * NSEC_PER_MSEC,
		.fail_every = every,
		.refuse_every = every ? every + 1 : 0,
		.kmalloc_fail_every = every,
		.host = { .thp_order = 9 },
	};

	*l = (struct life){ .d = d, .every = every };
	rng_init(&l->rng, 42, "life", 0);
	l->a = fixture_create("6.1", 0, END);
	for (pfn_t pfn = 1024; pfn < END; pfn += 2048)
		fixture_put(l->a, pfn, 10);
	l->rig = rig_start(l->a, d->ops, d->options, &cfg);
}

static void life_close(struct life *l)
{
	rig_stop(l->rig);
	alloc_destroy(l->a);
}

static void take_or_free(struct life *l)
{
	static const uint8_t orders[] = { 0, 4, 9, 10 };
	const uint8_t order = orders[rng_below(&l->rng, 4)];
	unsigned int i;
	pfn_t pfn;

	if (l->nr_held < MAX_HELD && rng_below(&l->rng, 2)) {
		pfn = alloc_page_fast(l->a, 0, order, GFP_HIGHUSER_MOVABLE);
		if (pfn == PFN_NONE)
			return;
		l->held[l->nr_held].pfn = pfn;
		l->held[l->nr_held++].order = order;
	} else if (l->nr_held) {
		i = rng_below(&l->rng, l->nr_held);
		alloc_free(l->a, 0, l->held[i].pfn, l->held[i].order);
		l->held[i] = l->held[--l->nr_held];
	}
}

/* The guest works, the host asks for this and that, and time passes. */
static void live(struct life *l)
{
	const struct reporter_ops *ops = l->d->ops;
	const struct host_command pull = {
		.kind = HOST_WANTS_PAGES, .id = 1, .pages = 4096,
	};

	for (unsigned int i = 0; i < 24; i++)
		take_or_free(l);
	/* Sometimes more than the guest has. */
	if (ops->set_target && rng_below(&l->rng, 4) == 0)
		sync_env_set_target(&l->rig->env,
				    rng_below(&l->rng, 4) << rng_below(&l->rng,
								      15));
	if (ops->host_request && rng_below(&l->rng, 4) == 0)
		sync_env_host_request(&l->rig->env, &pull);
	sync_env_advance(&l->rig->env,
			 rng_below(&l->rng, 250) * NSEC_PER_MSEC);
	rig_assert_valid(l->rig);
}

/* What the world outside knows of the design's work. */
static void check_idle(struct life *l)
{
	const struct sync_env *e = &l->rig->env;
	const bool idle = l->d->ops->idle(&e->reporter);
	bool armed = false;

	for (unsigned int i = 0; i < e->nr_work; i++)
		armed |= e->work[i].armed;
	if (idle && (e->scheduled || e->nr_batches || e->out_pages))
		fail_msg("%s (%s): idle, but not done", l->d->ops->name,
			 l->d->options);
	if (!idle && !e->scheduled && !e->nr_batches && !armed)
		fail_msg("%s (%s): busy, but nothing will go on",
			 l->d->ops->name, l->d->options);
	if (idle)
		l->idle++;
	else
		l->busy++;
}

static void each_design(void (*test)(struct life *l), unsigned int every)
{
	struct design all[MAX_DESIGNS];
	const size_t nr = all_designs(all);

	for (size_t i = 0; i < nr; i++) {
		struct life l;

		life_open(&l, &all[i], every);
		test(&l);
		life_close(&l);
	}
}

static void watch_idle(struct life *l)
{
	check_idle(l);
	for (unsigned int i = 0; i < 60; i++) {
		live(l);
		check_idle(l);
	}
	sync_env_advance(&l->rig->env, 100 * NSEC_PER_SEC);
	check_idle(l);
	/* One reports within the free itself, and has nothing to wait for. */
	if (l->d->reports && !l->every && !l->busy && l->d->ops != &per_free_reporter)
		fail_msg("%s (%s): never busy", l->d->ops->name,
			 l->d->options);
}

static void test_design_life__idle_is_when_nothing_is_pending(void **state)
{
	(void)state;
	each_design(watch_idle, 0);
}

static void test_design_life__a_host_that_fails_and_refuses(void **state)
{
	(void)state;
	each_design(watch_idle, 2);
	each_design(watch_idle, 5);
}

static void appear_again(struct life *l)
{
	sync_env_start(&l->rig->env);
	rig_assert_valid(l->rig);
	check_idle(l);
	for (unsigned int i = 0; i < 30; i++) {
		live(l);
		if (i % 4 == 0)
			sync_env_start(&l->rig->env);
		rig_assert_valid(l->rig);
		check_idle(l);
	}
}

static void test_design_life__appearing_twice_is_one_device(void **state)
{
	(void)state;
	each_design(appear_again, 0);
}

static void go_away(struct life *l)
{
	const struct reporter_counters *c = rig_counters(l->rig);
	const unsigned int stop_at = rng_below(&l->rng, 20);
	uint64_t calls, pages;

	for (unsigned int i = 0; i < stop_at; i++)
		live(l);
	sync_env_stop(&l->rig->env);
	calls = c->report_calls;
	pages = c->pages;
	assert_true(l->d->ops->idle(&l->rig->env.reporter));
	for (unsigned int i = 0; i < 20; i++) {
		live(l);
		ASSERT_U64(l->d->ops->name, l->rig->env.out_pages, 0);
	}
	sync_env_advance(&l->rig->env, 100 * NSEC_PER_SEC);
	ASSERT_U64(l->d->ops->name, c->report_calls, calls);
	ASSERT_U64(l->d->ops->name, c->pages, pages);
}

static void test_design_life__what_has_gone_reports_nothing(void **state)
{
	(void)state;
	each_design(go_away, 0);
	each_design(go_away, 3);
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(test_design_life__idle_is_when_nothing_is_pending),
	cmocka_unit_test(test_design_life__a_host_that_fails_and_refuses),
	cmocka_unit_test(test_design_life__appearing_twice_is_one_device),
	cmocka_unit_test(test_design_life__what_has_gone_reports_nothing),
};

TEST_MAIN(cases)
