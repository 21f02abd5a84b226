/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The checks of the designs that learn of frees: each promise, once broken on
 * purpose, is noticed. First by hand, in the state of a design; then by faults
 * of the seam, which the random guest of the contract tests has to find.
 */
#include <string.h>

#include "include/bitmap.h"
#include "reporter/percpu_array.h"
#include "reporter/zone_bitmap.h"
#include "tests/alloc/fixture.h"
#include "tests/reporter/rig.h"
#include "tests/reporter/world.h"
#include "tests/test.h"

#define SPARE 31744

static struct rig *start(const struct reporter_ops *ops, const char *options)
{
	static const struct sync_env_config cfg = {
		.ack_latency_ns = NSEC_PER_SEC,
	};
	struct alloc *a = fixture_create("5.3", 0, 65536);

	fixture_put(a, SPARE, 10);
	return rig_start(a, ops, options, &cfg);
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

static void test_capture_check__percpu_array(void **state)
{
	/* One member of the state at a time is wrong, and put right again. */
	struct rig *rig = start(&percpu_array_reporter, "capacity=3");
	struct percpu_array *s = rig->env.reporter.state;
	struct array_cpu *c = &s->cpus[0];
	struct array_cpu good;

	(void)state;
	for (pfn_t pfn = 100; pfn <= 300; pfn += 100)
		alloc_free(rig->a, 0, pfn, 0);
	good = *c;
	ASSERT_U64("woken", c->state, ARRAY_WAKING);
	c->captured[2].pfn = c->captured[1].pfn;
	assert_noticed(rig, "twice", "remembered twice");
	c->captured[2].pfn = 300;
	c->captured[2].zone = 1;
	assert_noticed(rig, "zone", "wrong zone");
	c->captured[2].zone = 0;
	c->nr = 2;
	assert_noticed(rig, "too few", "woken for nothing");
	c->nr = 4;
	assert_noticed(rig, "too many", "than fit");
	*c = good;
	c->state = ARRAY_CAPTURE;
	assert_noticed(rig, "asleep", "nobody looks");
	*c = good;
	s->frees++;
	assert_noticed(rig, "uncounted", "neither remembered nor lost");
	s->frees--;
	sync_env_advance(&rig->env, 0);
	good = *c;
	ASSERT_U64("out", c->state, ARRAY_WITH_HOST);
	c->state = ARRAY_WAKING;
	assert_noticed(rig, "kept", "not with the host");
	*c = good;
	c->isolated[0].pfn = SPARE;
	assert_noticed(rig, "on a list", "in flight is free");
	c->isolated[0].pfn = 100;
	s->registered = false;
	c->state = ARRAY_CAPTURE;
	c->nr_isolated = 0;
	c->nr = 1;
	assert_noticed(rig, "no device", "without a device");
	s->registered = true;
	*c = good;
	finish(rig);
}

static void test_capture_check__zone_bitmap(void **state)
{
	/* The same for the bitmap. */
	struct rig *rig = start(&zone_bitmap_reporter,
				"capacity=2 threshold=2");
	struct zone_bitmap *s = rig->env.reporter.state;
	struct bitmap_area *area = &s->areas[0];

	(void)state;
	alloc_free_buddy(rig->a, 1024, 9);
	alloc_free_buddy(rig->a, 3072, 9);
	sync_env_advance(&rig->env, 0);
	ASSERT_U64("out", s->nr, 2);
	rig_assert_valid(rig);
	bitmap_set(area->bits, 7);
	assert_noticed(rig, "bit", "free_bits");
	bitmap_clear(area->bits, 7);
	s->refcount++;
	assert_noticed(rig, "refcount", "refcount");
	s->refcount--;
	s->armed = true;
	assert_noticed(rig, "armed", "armed while");
	s->armed = false;
	s->running = false;
	assert_noticed(rig, "not armed", "armed must mean");
	s->armed = true;
	assert_noticed(rig, "not running", "waits for a batch");
	s->armed = false;
	s->running = true;
	s->capacity = 1;
	assert_noticed(rig, "full", "more blocks in flight");
	s->capacity = 2;
	s->sg[0].order = 8;
	assert_noticed(rig, "order", "wrong order");
	s->sg[0].order = 9;
	s->sg[0].pfn = SPARE;
	assert_noticed(rig, "on a list", "in flight is free");
	s->sg[0].pfn = 1024;
	finish(rig);
}

static void test_capture_check__per_free(void **state)
{
	/* A report that nobody was asked for. */
	struct rig *rig = start(&per_free_reporter, "");

	(void)state;
	alloc_free_buddy(rig->a, 1024, 9);
	rig_assert_valid(rig);
	rig->env.reporter.counters.report_calls++;
	assert_noticed(rig, "unasked", "not answered");
	rig->env.reporter.counters.report_calls--;
	finish(rig);
}

/* ---- faults of the seam, to be found by the random guest ---- */

struct fault {
	const char *name;
	const struct reporter_ops *ops;
	const char *options, *found;
	void (*plant)(struct world *w);
};

/* Every fifth region is never put back. */
static void forgetful_putback(void *ctx, pfn_t pfn, unsigned int order,
			      enum migratetype mt)
{
	if (pfn / 512 % 5)
		alloc_putback(((struct sync_env *)ctx)->alloc, pfn, order, mt);
}

static void plant_forgetful_putback(struct world *w)
{
	w->env.env.putback = forgetful_putback;
}

/* An isolation that leaves the block where it was. */
static bool pretend_isolate(void *ctx, pfn_t pfn)
{
	(void)ctx;
	(void)pfn;
	return true;
}

static void plant_pretended_isolation(struct world *w)
{
	w->env.env.isolate = pretend_isolate;
}

/* A host that has taken the request and then says it has not. */
static int denying_send(void *ctx, const struct host_request *rq)
{
	struct sync_env *e = ctx;

	if (e->cfg.watch.report)
		e->cfg.watch.report(e->cfg.watch.ctx, rq->entries, rq->nr);
	return -1;
}

static void plant_denied_request(struct world *w)
{
	w->env.env.send = denying_send;
}

/* A call that is made for the pages next door. */
static int wrong_call(void *ctx, const struct host_request *rq,
		      struct host_reply *reply)
{
	struct sync_env *e = ctx;
	struct page_report entry = rq->entries[0];
	struct host_request other = *rq;

	entry.pfn ^= order_nr_pages(entry.order);
	other.entries = &entry;
	*reply = (struct host_reply){ .err = 0 };
	e->cfg.watch.request(e->cfg.watch.ctx, &other);
	e->cfg.watch.report(e->cfg.watch.ctx, &entry, 1);
	return 0;
}

static void plant_wrong_call(struct world *w)
{
	w->env.env.call = wrong_call;
}

static const struct fault faults[] = {
	{ "forgetful putback", &percpu_array_reporter,
	  "capacity=9 threshold=4", "not with the host",
	  plant_forgetful_putback },
	{ "forgetful putback", &zone_bitmap_reporter,
	  "capacity=3 threshold=2", "not with the host",
	  plant_forgetful_putback },
	{ "pretended isolation", &percpu_array_reporter,
	  "capacity=9 threshold=4", "does not have",
	  plant_pretended_isolation },
	{ "pretended isolation", &zone_bitmap_reporter,
	  "capacity=3 threshold=2", "does not have",
	  plant_pretended_isolation },
	{ "denied request", &percpu_array_reporter,
	  "variant=v9 order=7 threshold=2", "counters",
	  plant_denied_request },
	{ "wrong call", &per_free_reporter, "order=4", "does not have",
	  plant_wrong_call },
};

static void test_capture_check__random_guest_finds_faults(void **state)
{
	/* Without the fault 1200 events are fine (the contract tests). */
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(faults); i++) {
		const struct fault *f = &faults[i];
		const struct world_config cfg = {
			.ops = f->ops, .options = f->options, .kernel = "5.7",
			.seed = 1, .ack_latency_ns = 4 * NSEC_PER_SEC,
		};
		struct world *w = world_create(&cfg);
		unsigned int events = 0;

		f->plant(w);
		while (events < 1200 && world_step(w))
			events++;
		if (!w->broken[0])
			world_finish(w);
		if (!strstr(w->broken, f->found))
			fail_msg("%s of %s: found \"%s\"", f->name,
				 f->ops->name, w->broken);
		/* Whatever is with the host may be wrong: leave it there. */
		w->env.nr_batches = 0;
		world_destroy(w);
	}
}

/*
 * A record of frees behind the state of zone_bitmap: a bit that is set must
 * stand for a free since it was cleared.
 */
struct freed {
	uint64_t bits[ALLOC_MAX_ZONES][BITMAP_WORDS(WORLD_PAGES)];
};

static struct freed *freed_of(const struct reporter *r)
{
	return (struct freed *)(void *)((char *)r->state + r->ops->state_size -
					sizeof(struct freed));
}

static void recorded_free(struct reporter *r, unsigned int zone, pfn_t pfn,
			  unsigned int order)
{
	const struct zone_bitmap *s = r->state;
	const struct bitmap_area *area = &s->areas[s->area_of[zone]];

	if (s->registered)
		bitmap_set(freed_of(r)->bits[s->area_of[zone]],
			   (pfn - area->base) >> s->order);
	zone_bitmap_reporter.free_notify(r, zone, pfn, order);
}

/* It sets the bit of the other half of a large block, too. */
static void generous_free(struct reporter *r, unsigned int zone, pfn_t pfn,
			  unsigned int order)
{
	recorded_free(r, zone, pfn, order);
	if (order == MAX_PAGE_ORDER)
		zone_bitmap_reporter.free_notify(r, zone, pfn +
						 order_nr_pages(order - 1),
						 order - 1);
}

static const char *recorded_check(const struct reporter *r)
{
	const struct zone_bitmap *s = r->state;

	for (unsigned int i = 0; i < s->nr_areas; i++) {
		uint64_t *freed = freed_of(r)->bits[i];

		for (uint32_t b = 0; b < s->areas[i].nr_bits; b++) {
			if (!bitmap_test(s->areas[i].bits, b))
				bitmap_clear(freed, b);
			else if (!bitmap_test(freed, b))
				return "a bit without a free";
		}
	}
	return zone_bitmap_reporter.check(r);
}

static void test_capture_check__a_bit_is_a_free(void **state)
{
	/* On random guests, both variants; one that sets too many is found. */
	static const char *const options[] = {
		"capacity=3 threshold=2",
		"variant=v11 capacity=4 threshold=3 clear=if_free",
	};
	struct reporter_ops ops = zone_bitmap_reporter;

	(void)state;
	ops.state_size += sizeof(struct freed);
	ops.check = recorded_check;
	for (unsigned int i = 0; i < 4; i++) {
		const struct world_config cfg = {
			.ops = &ops, .options = options[i % 2], .kernel = "5.7",
			.seed = 3, .ack_latency_ns = NSEC_PER_SEC,
		};
		struct world *w;

		ops.free_notify = i < 2 ? recorded_free : generous_free;
		w = world_create(&cfg);
		for (int n = 0; n < 1200 && world_step(w); n++)
			;
		if (!strstr(w->broken, i < 2 ? "" : "a bit without a free") ||
		    (i < 2 && w->broken[0]))
			fail_msg("%s: \"%s\"", options[i % 2], w->broken);
		w->env.nr_batches = 0;
		world_destroy(w);
	}
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(test_capture_check__a_bit_is_a_free),
	cmocka_unit_test(test_capture_check__percpu_array),
	cmocka_unit_test(test_capture_check__zone_bitmap),
	cmocka_unit_test(test_capture_check__per_free),
	cmocka_unit_test(test_capture_check__random_guest_finds_faults),
};

TEST_MAIN(cases)
