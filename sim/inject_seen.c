/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What designs do while something fails: each call here is made where it
 * happens, and notes for every injection in force whether it kept a word.
 */
#include <string.h>

#include "sim/inject.h"

/* The balloon sleeps 200 ms after a failed allocation, unless told otherwise. */
static sim_ns_t retry_ns(const struct reporter *r)
{
	const struct option_desc *o = option_find(&r->ops->options, "retry");
	sim_ns_t ns = 200 * NSEC_PER_MSEC;

	if (o && o->type == OPTION_TIME)
		memcpy(&ns, (const char *)r->options + o->offset, sizeof(ns));
	return ns;
}

#define for_each_begun(st, g)						\
	for (st = (g)->inject;						\
	     st < (g)->inject + (g)->sim->cfg.nr_injects; st++)		\
		if (st->begun)

void seen_isolated(struct sim_guest *g, pfn_t pfn, unsigned int marks)
{
	struct inject_state *st;

	for_each_begun(st, g) {
		if (++st->withheld > st->withheld_most)
			st->withheld_most = st->withheld;
		if (st->restarted)
			saw(st, EXPECT_MARKS_HONOURED, !marks);
		if (st->removed_to)
			saw(st, EXPECT_REMOVED_IS_LEFT,
			    pfn < st->removed_from || pfn >= st->removed_to);
		if (st->kmalloc_failed)
			saw(st, EXPECT_PASS_ENDS, false);
		if (!st->refused ||
		    st->refused_pass != g->dev.r.counters.passes)
			continue;
		saw(st, EXPECT_LIST_LEFT,
		    st->refused_order != alloc_block_order(g->alloc, pfn) ||
		    st->refused_type != alloc_block_type(g->alloc, pfn) ||
		    (int)st->refused_zone != alloc_zone_of(g->alloc, pfn));
	}
}

void seen_put_back(struct sim_guest *g)
{
	struct inject_state *st;

	for_each_begun(st, g)
		st->withheld -= st->withheld != 0;
}

void seen_submit(struct sim_guest *g)
{
	struct inject_state *st;

	for_each_begun(st, g) {
		if (st->hung)
			saw(st, EXPECT_BLOCKED, false);
		if (st->kmalloc_failed)
			saw(st, EXPECT_PASS_ENDS, false);
		if (st->erred)
			saw(st, EXPECT_NO_RETRY, st->erred_pass !=
			    g->dev.r.counters.passes);
		st->erred = false;
	}
}

void seen_process(struct sim_guest *g)
{
	struct inject_state *st;

	/* A pass that the host has not answered yet is not over. */
	for_each_begun(st, g)
		saw(st, EXPECT_ONE_PASS, !g->dev.in_flight);
}

void seen_trip(struct sim_guest *g, const struct flight *f)
{
	const sim_ns_t trip = g->sim->engine.now - f->sent;
	struct inject_state *st;

	for_each_begun(st, g)
		if (trip > st->longest_trip)
			st->longest_trip = trip;
}

void seen_drained(struct sim_guest *g, const struct page_report *entries,
		  unsigned int nr, int err)
{
	struct inject_state *st;
	bool marked = false;
	unsigned int i;

	if (!err)
		return;
	for (i = 0; i < nr; i++)
		marked |= alloc_is_free_head(g->alloc, entries[i].pfn) &&
			  alloc_block_marks(g->alloc, entries[i].pfn);
	for_each_begun(st, g)
		saw(st, EXPECT_UNMARKED, !marked);
}

void seen_stall(struct sim_guest *g, sim_ns_t ns)
{
	struct inject_state *st;

	/* A request under way may have been sent before the stall began. */
	for_each_begun(st, g)
		saw(st, EXPECT_STALL_IS_WAIT, ns <= st->longest_trip);
}

void seen_allocate(struct sim_guest *g)
{
	const sim_ns_t now = device_now(g);
	struct inject_state *st;

	for_each_begun(st, g) {
		if (st->failed_at)
			saw(st, EXPECT_RETRY_PAUSE, now >= st->failed_at +
			    retry_ns(&g->dev.r));
		st->failed_at = 0;
	}
}

void seen_allocation_failed(struct sim_guest *g)
{
	struct inject_state *st;

	for_each_begun(st, g)
		st->failed_at = device_now(g);
}

void seen_invariants(struct sim_guest *g)
{
	const struct reporter *r = &g->dev.r;
	const char *what = alloc_check(g->alloc);
	struct inject_state *st;

	if (!what)
		what = guest_check(g->mm);
	if (!what && g->dev.present && r->ops->check)
		what = r->ops->check(r);
	if (!what)
		what = g->sim->hv->ops->check(g->sim->hv);
	for_each_begun(st, g)
		if (what && !st->broken)
			st->broken = what;
}
