/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Injections: when one is in force, and what the device is told then. In force
 * is the time from `at` on, for `for`; of the opportunities in it each
 * `every`-th is taken, `count` at most.
 */
#include <errno.h>
#include <stdlib.h>

#include "include/check.h"
#include "sim/inject.h"

const struct inject_options *inject_options_of(const struct sim_guest *g,
					       const struct inject_state *st)
{
	return &g->sim->cfg.injects[st->index].opt;
}

int inject_init(struct sim_guest *g)
{
	const unsigned int nr = g->sim->cfg.nr_injects;
	unsigned int i;

	if (!nr)
		return 0;
	g->inject = calloc(nr, sizeof(*g->inject));
	if (!g->inject)
		return -ENOMEM;
	for (i = 0; i < nr; i++)
		g->inject[i] = (struct inject_state){ .index = i,
						      .pfn = PFN_NONE };
	return 0;
}

void inject_destroy(struct sim_guest *g)
{
	free(g->inject);
	g->inject = NULL;
}

static bool in_force(const struct inject_state *st)
{
	return st->begun && !st->over;
}

/* One opportunity passes: is it taken? */
static bool take(struct sim_guest *g, struct inject_state *st)
{
	const struct inject_options *o = inject_options_of(g, st);

	st->opportunities++;
	if (st->opportunities % o->every || (o->count && st->hits >= o->count))
		return false;
	st->hits++;
	return true;
}

struct inject_state *inject_hit(struct sim_guest *g, enum inject_kind kind)
{
	unsigned int i;

	for (i = 0; i < g->sim->cfg.nr_injects; i++) {
		struct inject_state *st = &g->inject[i];

		if (in_force(st) && inject_options_of(g, st)->kind == kind &&
		    take(g, st))
			return st;
	}
	return NULL;
}

static uint64_t sum_discards(const struct sim_guest *g)
{
	uint64_t sum = 0;
	unsigned int a, o;

	for (a = 0; a < NR_HV_ADVICES; a++)
		for (o = 0; o < NR_PAGE_ORDERS; o++)
			sum += g->host.discards[a][o];
	return sum;
}

static void look(struct sim_guest *g, uint64_t *rss, uint64_t *discards,
		 uint64_t *zeroing, uint64_t *allocs)
{
	const struct alloc_counters *c = alloc_counters(g->alloc);
	struct hv_gauges hv;
	unsigned int i;

	host_gauges(g, &hv);
	*rss = hv.rss_pages;
	*discards = sum_discards(g);
	*zeroing = g->host.zeroed_pages;
	*allocs = 0;
	for (i = 0; i < MAX_NR_ZONES; i++)
		*allocs += c->pgalloc[i];
}

/* The device's configuration changes: a new status, or the one before. */
static void change_host(struct sim_guest *g, struct inject_state *st, bool on)
{
	const struct inject_options *o = inject_options_of(g, st);
	struct host_status status = on ? g->dev.host : st->host;

	st->host = g->dev.host;
	if (on && o->kind == INJECT_VFIO)
		status.discards_inhibited = true;
	if (on && o->kind == INJECT_POISON)
		status.poison = 0xaaaaaaaau;
	sim_guest_set_host_status(g->sim, g->id, &status);
}

static void jump_clock(struct sim_guest *g)
{
	struct device *d = &g->dev;
	unsigned int i;

	/* Whatever was due within the jump is due now. */
	if (d->timer_armed)
		device_timer_expires(g);
	for (i = 0; d->work && i < REPORTER_MAX_WORK; i++)
		device_work_expires(g, i);
}

/* What an injection does by itself when it begins. */
static void act(struct sim_guest *g, struct inject_state *st)
{
	const struct inject_options *o = inject_options_of(g, st);

	switch ((enum inject_kind)o->kind) {
	case INJECT_POISON:
	case INJECT_VFIO:
		change_host(g, st, true);
		break;
	case INJECT_UNREGISTER:
		st->marked_at_stop = inject_marked_pages(g, false);
		device_stop(g);
		break;
	case INJECT_CLOCK_JUMP:
		jump_clock(g);
		break;
	case INJECT_OOM_INFLATE:
		device_set_target(g, bytes_to_pages(o->value));
		break;
	case INJECT_HOST_PRESSURE:
		inject_host_pressure(g, st);
		break;
	case INJECT_HOST_KHUGEPAGED:
		inject_khugepaged(g, st);
		return;
	case INJECT_HOT_REMOVE:
		inject_hot_remove(g, st);
		break;
	case INJECT_BUDDY_RACE:
	case INJECT_FREE_STORM:
		race_prepare(g, st);
		return;
	default:
		return;
	}
	st->opportunities++;
	st->hits++;
}

/* What it undoes when its time is over. */
static void undo(struct sim_guest *g, struct inject_state *st)
{
	switch ((enum inject_kind)inject_options_of(g, st)->kind) {
	case INJECT_POISON:
	case INJECT_VFIO:
		change_host(g, st, false);
		break;
	case INJECT_UNREGISTER:
		saw(st, EXPECT_MARKS_KEPT, inject_marked_pages(g, false) >=
		    st->marked_at_stop - (st->marked_at_stop >> 3));
		st->restarted = true;
		device_start(g);
		break;
	case INJECT_HOST_PRESSURE:
		if (st->has_hv_guest)
			g->sim->hv->ops->guest_remove(g->sim->hv,
						      st->hv_guest);
		st->has_hv_guest = false;
		break;
	case INJECT_BUDDY_RACE:
	case INJECT_FREE_STORM:
		race_release(g, st);
		break;
	default:
		break;
	}
}

/* A run may end before. */
void inject_finish(struct sim_guest *g, struct inject_state *st)
{
	if (!st->begun)
		return;
	if (!st->over) {
		st->ended = g->sim->engine.now;
		look(g, &st->rss_over, &st->discards_over, &st->zeroing_over,
		     &st->allocs_over);
	}
	seen_invariants(g);
}

static void over_event(void *ctx, uint64_t arg)
{
	struct sim_guest *g = ctx;
	struct inject_state *st = &g->inject[arg];

	if (!guest_runs(g))
		return;
	undo(g, st);
	st->over = true;
	st->ended = g->sim->engine.now;
	look(g, &st->rss_over, &st->discards_over, &st->zeroing_over,
	     &st->allocs_over);
	seen_invariants(g);
}

static void begin_event(void *ctx, uint64_t arg)
{
	struct sim_guest *g = ctx;
	struct inject_state *st = &g->inject[arg];
	struct sim *s = g->sim;
	sim_ns_t span;

	if (!guest_runs(g))
		return;
	span = inject_options_of(g, st)->span;
	st->begun = true;
	st->began = s->engine.now;
	stats_read(s, st->counters);
	look(g, &st->rss_begun, &st->discards_begun, &st->zeroing_begun,
	     &st->allocs_begun);
	act(g, st);
	seen_invariants(g);
	if (span)
		engine_at(&s->engine, s->engine.now + span, over_event, g, arg);
}

void inject_arm(struct sim *s, unsigned int i, sim_ns_t at)
{
	const uint64_t guest = s->cfg.injects[i].opt.guest;
	unsigned int n;

	for (n = 0; n < s->nr_guests; n++)
		if (!guest || guest == n + 1)
			engine_at(&s->engine, at, begin_event, &s->guests[n],
				  i);
}

int inject_submit(struct sim_guest *g, const struct host_request *rq)
{
	struct inject_state *st;

	(void)rq;
	seen_submit(g);
	st = inject_hit(g, INJECT_REPORT_ERROR);
	if (!st)
		return 0;
	st->erred = true;
	st->erred_pass = g->dev.r.counters.passes;
	return -EIO;
}

bool inject_isolate(struct sim_guest *g, pfn_t pfn)
{
	const unsigned int marks = alloc_block_marks(g->alloc, pfn);
	struct inject_state *st = inject_hit(g, INJECT_ISOLATE_REFUSED);

	if (st) {
		st->refused = true;
		st->refused_pass = g->dev.r.counters.passes;
		st->refused_zone = (unsigned int)alloc_zone_of(g->alloc, pfn);
		st->refused_order = alloc_block_order(g->alloc, pfn);
		st->refused_type = alloc_block_type(g->alloc, pfn);
		return false;
	}
	seen_isolated(g, pfn, marks);
	if (alloc_isolate(g->alloc, pfn))
		return true;
	seen_put_back(g);
	return false;
}

bool inject_kmalloc_ok(struct sim_guest *g)
{
	struct inject_state *st = inject_hit(g, INJECT_ALLOC_FAILS);
	unsigned int i;

	if (st) {
		st->kmalloc_failed = true;
		if (++st->kmalloc_failures > st->kmalloc_worst)
			st->kmalloc_worst = st->kmalloc_failures;
		return false;
	}
	for (i = 0; i < g->sim->cfg.nr_injects; i++) {
		g->inject[i].kmalloc_failed = false;
		g->inject[i].kmalloc_failures = 0;
	}
	return true;
}

bool inject_serve(struct sim_guest *g, struct host_reply *reply,
		  sim_ns_t *later, bool *hangs)
{
	struct inject_state *st = inject_hit(g, INJECT_HOST_HANGS);

	*later = 0;
	*hangs = st != NULL;
	if (st) {
		st->hung = true;
		return true;
	}
	st = inject_hit(g, INJECT_HOST_SLOW);
	if (st)
		*later = inject_options_of(g, st)->latency;
	st = inject_hit(g, INJECT_HOST_REJECTS);
	if (st) {
		*reply = (struct host_reply){ .err = -EIO };
		st->erred = true;
		st->erred_pass = g->dev.r.counters.passes;
		return true;
	}
	st = inject_hit(g, INJECT_HOST_IGNORES);
	if (st)
		*reply = (struct host_reply){ 0 };
	return st != NULL;
}
