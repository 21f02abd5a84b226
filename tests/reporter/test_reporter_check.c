/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The checks themselves: each promise, once broken on purpose, is noticed.
 * First by hand, in the state of a design; then by faults of the seam, which
 * the random guest of the contract tests has to find.
 */
#include <string.h>

#include "reporter/hinted_boundary.h"
#include "reporter/page_reporting.h"
#include "tests/alloc/fixture.h"
#include "tests/reporter/rig.h"
#include "tests/reporter/world.h"
#include "tests/test.h"

/* Forty blocks of order 9, one report in flight. */
static struct rig *in_flight(const struct reporter_ops *ops)
{
	struct alloc *a = fixture_create("5.7", 0, 65536);
	struct rig *rig;

	fixture_put(a, 256, 8);
	for (pfn_t pfn = 1024; pfn <= 40960; pfn += 1024)
		fixture_put(a, pfn, 9);
	rig = rig_start(a, ops, "capacity=4", NULL);
	sync_env_process(&rig->env);
	sync_env_ack(&rig->env, 0);
	rig_assert_valid(rig);
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

static void test_reporter_check__page_reporting(void **state)
{
	/* One member of the state at a time is wrong, and put right again. */
	struct rig *rig = in_flight(&page_reporting_reporter);
	struct page_reporting *s = rig->env.reporter.state;
	const struct page_reporting good = *s;

	(void)state;
	s->state = PAGE_REPORTING_IDLE;
	assert_noticed(rig, "idle", "IDLE, but");
	s->running = false;
	s->armed = true;
	assert_noticed(rig, "idle and armed", "IDLE, but");
	*s = good;
	s->running = false;
	assert_noticed(rig, "no pass", "ACTIVE without");
	*s = good;
	s->state = PAGE_REPORTING_REQUESTED;
	s->armed = true;
	assert_noticed(rig, "both", "one of pass and timer");
	*s = good;
	s->offset = s->limit;
	assert_noticed(rig, "empty", "waits for no report");
	*s = good;
	s->offset++;
	assert_noticed(rig, "partial", "partial array");
	*s = good;
	s->budget = -2;
	assert_noticed(rig, "budget", "more reports than allowed");
	*s = good;
	s->sg[1].order = 8;
	assert_noticed(rig, "order", "wrong order");
	s->sg[1].order = MAX_PAGE_ORDER + 1;
	assert_noticed(rig, "no order", "wrong order");
	*s = good;
	s->sg[1].pfn = alloc_list_first(rig->a, 0, 9, MIGRATE_MOVABLE);
	assert_noticed(rig, "on a list", "in flight is free");
	*s = good;
	alloc_block_set_mark(rig->a, 256, BLOCK_REPORTED);
	assert_noticed(rig, "small mark", "below the reporting order");
	s->old_marks = true;
	assert_noticed(rig, "not counted", "not the blocks marked");
	s->nr_marked[0][8]++;
	assert_noticed(rig, "pages not counted", "not the pages marked");
	s->marked[0] += 256;
	fixture_take(rig->a, MIGRATE_MOVABLE, 8, 0);
	s->state = PAGE_REPORTING_IDLE;
	s->running = false;
	assert_noticed(rig, "kept", "outside a pass");
	*s = good;
	finish(rig);
}

static void test_reporter_check__hinted_boundary(void **state)
{
	/* The same for the boundary design; lists are corrupted, too. */
	struct rig *rig = in_flight(&hinted_boundary_reporter);
	struct hinted_boundary *s = rig->env.reporter.state;
	const struct hinted_boundary good = *s;
	const pfn_t head = alloc_list_first(rig->a, 0, 9, MIGRATE_MOVABLE);
	pfn_t *boundary = &s->boundary[9][MIGRATE_MOVABLE];

	(void)state;
	s->refcount++;
	assert_noticed(rig, "refcount", "refcount");
	*s = good;
	s->armed = true;
	assert_noticed(rig, "armed", "armed while");
	*s = good;
	s->running = false;
	assert_noticed(rig, "not armed", "armed must mean");
	*s = good;
	s->active = NO_ZONE;
	assert_noticed(rig, "active", "active zone");
	*s = good;
	s->nr = 0;
	assert_noticed(rig, "nothing out", "has a batch out");
	*s = good;
	s->membranes[0][9].pfn = s->sg[0].pfn;
	assert_noticed(rig, "membrane", "membrane is not on");
	s->membranes[0][9] = (struct hinted_membrane){
		.pfn = head, .mt = MIGRATE_MOVABLE,
	};
	assert_noticed(rig, "raw membrane", "membrane is not hinted");
	s->membranes[0][9].mt = MIGRATE_UNMOVABLE;
	assert_noticed(rig, "membrane's type", "membrane is not on");
	*s = good;
	s->membranes[0][8] = (struct hinted_membrane){
		.pfn = head, .mt = MIGRATE_MOVABLE,
	};
	assert_noticed(rig, "membrane's order", "membrane is not on");
	*s = good;
	s->capacity = 3;
	assert_noticed(rig, "full", "more blocks in flight");
	*s = good;
	s->zones[0].hinted_count[9]--;
	assert_noticed(rig, "count", "hinted_count");
	*s = good;
	*boundary = s->sg[0].pfn;
	assert_noticed(rig, "lost", "not on its list");
	*s = good;
	*boundary = head;
	assert_noticed(rig, "unhinted", "boundary is not hinted");
	*boundary = 256;
	assert_noticed(rig, "boundary's order", "boundary is not on");
	*s = good;
	s->boundary[9][MIGRATE_UNMOVABLE] = head;
	assert_noticed(rig, "boundary's type", "boundary is not on");
	*s = good;
	*boundary = PFN_NONE;
	s->sg[0].order = 8;
	assert_noticed(rig, "order", "wrong order");
	*s = good;
	s->sg[0].pfn = head;
	assert_noticed(rig, "on a list", "in flight is free");
	*s = good;
	alloc_list_rotate_to_front(rig->a, *boundary);
	assert_noticed(rig, "rotated", "behind the boundary");
	alloc_list_rotate_to_front(rig->a, head);
	finish(rig);
}

static void test_reporter_check__hint_below_the_order(void **state)
{
	/* A hint on a smaller block, even if it is counted. */
	struct rig *rig = in_flight(&hinted_boundary_reporter);
	struct hinted_boundary *s = rig->env.reporter.state;

	(void)state;
	alloc_block_set_mark(rig->a, 256, BLOCK_HINTED);
	assert_noticed(rig, "not counted", "hinted_count");
	s->zones[0].hinted_count[8]++;
	assert_noticed(rig, "counted", "below the hinting order");
	fixture_take(rig->a, MIGRATE_MOVABLE, 8, 0);
	finish(rig);
}

static void test_reporter_check__none(void **state)
{
	/* The design that does nothing has done something. */
	struct reporter r = { .ops = &none_reporter };

	(void)state;
	assert_null(r.ops->check(&r));
	r.counters.report_calls = 1;
	assert_string_equal(r.ops->check(&r),
			    "none: it has reported something");
	r.counters = (struct reporter_counters){ .requests = 1 };
	assert_string_equal(r.ops->check(&r),
			    "none: it has reported something");
}

/* ---- faults of the seam, to be found by the random guest ---- */

struct fault {
	const char *name;
	const struct reporter_ops *ops;
	const char *options, *found;
	void (*plant)(struct world *w);
};

/* Every fifth block is never put back. */
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

static void plant_lost_unmark(struct world *w)
{
	w->hooks.block_unmark = NULL;
	alloc_set_hooks(w->a, &w->hooks);
}

static void plant_lost_mark_move(struct world *w)
{
	w->hooks.unmark_on_move = false;
	alloc_set_hooks(w->a, &w->hooks);
}

static void plant_lost_split_mark(struct world *w)
{
	w->hooks.block_marked = NULL;
	alloc_set_hooks(w->a, &w->hooks);
}

static void ignore_mark(void *ctx, pfn_t pfn, enum block_mark m)
{
	(void)ctx;
	(void)pfn;
	(void)m;
}

static void plant_lost_mark(struct world *w)
{
	w->env.env.set_mark = ignore_mark;
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

/* A host that says yes to what it refused, so that drain() marks it. */
static void plant_lying_host(struct world *w)
{
	w->env.cfg.fail_every = 0;
	memset(w->accepted, 0, sizeof(w->accepted));
	w->env.cfg.watch.report = NULL;
}

static const struct fault faults[] = {
	{ "forgetful putback", &page_reporting_reporter, "capacity=4",
	  "not with the host", plant_forgetful_putback },
	{ "lost unmark", &hinted_boundary_reporter, "capacity=4 threshold=2",
	  "hinted", plant_lost_unmark },
	{ "marks that move", &hinted_boundary_reporter,
	  "capacity=4 threshold=2", "boundary", plant_lost_mark_move },
	{ "lost mark of a part", &hinted_boundary_reporter,
	  "variant=may2019 capacity=2", "hinted_count",
	  plant_lost_split_mark },
	{ "lost unmark", &hinted_boundary_reporter,
	  "variant=v10 capacity=4 threshold=2", "hinted",
	  plant_lost_unmark },
	{ "lost mark", &hinted_boundary_reporter, "capacity=4 threshold=2",
	  "hinted_count", plant_lost_mark },
	{ "pretended isolation", &page_reporting_reporter, "capacity=4",
	  "does not have", plant_pretended_isolation },
	{ "pretended isolation", &skeleton_reporter, "capacity=2",
	  "does not have", plant_pretended_isolation },
	{ "lying host", &page_reporting_reporter, "capacity=4",
	  "did not take", plant_lying_host },
	{ "lying host", &hinted_boundary_reporter, "capacity=4 threshold=2",
	  "did not take", plant_lying_host },
};

static void test_reporter_check__random_guest_finds_faults(void **state)
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
		if (!strstr(w->broken, f->found))
			fail_msg("%s of %s: found \"%s\"", f->name,
				 f->ops->name, w->broken);
		world_abandon(w);
	}
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(test_reporter_check__page_reporting),
	cmocka_unit_test(test_reporter_check__hinted_boundary),
	cmocka_unit_test(test_reporter_check__hint_below_the_order),
	cmocka_unit_test(test_reporter_check__none),
	cmocka_unit_test(test_reporter_check__random_guest_finds_faults),
};

TEST_MAIN(cases)
