/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The verdict on injections when all phases have run: did each happen, is every
 * invariant whole, and was there what has to come of it?
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "sim/inject.h"

/* Of the design, in blocks; a design without such an option: as it likes. */
static uint64_t capacity_of(const struct sim_guest *g)
{
	const struct reporter *r = &g->dev.r;
	const struct option_desc *o = option_find(&r->ops->options, "capacity");
	uint64_t n;

	if (!o || o->type != OPTION_UINT)
		return REPORTER_MAX_CAPACITY;
	memcpy(&n, (const char *)r->options + o->offset, sizeof(n));
	return n;
}

static uint64_t in_flight_blocks(const struct sim_guest *g)
{
	uint64_t n = 0;
	unsigned int i;

	for (i = 0; i < MAX_FLIGHTS; i++)
		if (g->dev.flights[i].used)
			n += g->dev.flights[i].rq.nr;
	return n;
}

/* A number that a word is about, for the message, and whether it holds. */
static bool word_about_host(struct sim_guest *g, const struct inject_state *st,
			    enum expect_word word, char *saw_text, size_t size)
{
	uint64_t from = st->rss_begun, to = st->rss_over;

	switch (word) {
	case EXPECT_NOT_DISCARDED:
		to = st->discards_over - st->discards_begun;
		snprintf(saw_text, size, "%" PRIu64 " blocks discarded", to);
		return !to;
	case EXPECT_NO_REFAULTS:
		/* What the host had never had is no refault. */
		from = g->hv_map->nr_pages - st->rss_begun;
		to = st->zeroing_over - st->zeroing_begun;
		snprintf(saw_text, size, "%" PRIu64 " pages given, %" PRIu64
			 " of them at most for the first time", to, from);
		return to <= from;
	case EXPECT_COLD_BUT_BACKED:
		to = inject_marked_pages(g, true);
		snprintf(saw_text, size, "%" PRIu64 " marked pages that the "
			 "host has", to);
		return to > 0;
	case EXPECT_GUEST_RUNS:
		to = st->allocs_over - st->allocs_begun;
		snprintf(saw_text, size, "%" PRIu64 " pages allocated", to);
		return to > 0;
	case EXPECT_FOOTPRINT_RISES:
		/* A design may have given back since what was filled. */
		if (st->rss_most > to)
			to = st->rss_most;
		snprintf(saw_text, size, "resident pages went from %" PRIu64
			 " to %" PRIu64, from, to);
		return to > from;
	default:
		snprintf(saw_text, size, "resident pages went from %" PRIu64
			 " to %" PRIu64, from, to);
		return word == EXPECT_FOOTPRINT_KEPT ? to >= from : to < from;
	}
}

static bool word_about_design(const struct sim_guest *g,
			      const struct inject_state *st,
			      enum expect_word word, char *text, size_t size)
{
	const uint64_t away = in_flight_blocks(g);
	const struct sight *s = &st->seen[word];
	uint64_t most;

	switch (word) {
	case EXPECT_BOUNDED:
		most = capacity_of(g) * (g->dev.work ? g->topo.nr_cpus : 1);
		snprintf(text, size, "up to %" PRIu64 " blocks away from the "
			 "lists, %" PRIu64 " are allowed", st->withheld_most,
			 most);
		return st->withheld_most <= most;
	case EXPECT_NONE_LOST:
		snprintf(text, size, "%" PRIu64 " blocks not put back, %"
			 PRIu64 " with the host", st->withheld, away);
		return st->withheld <= (device_idle(g) ? 0 :
					away + capacity_of(g));
	case EXPECT_NOT_IDLE:
		snprintf(text, size, "the design is %s", device_idle(g) ?
			 "idle" : "not idle");
		return !device_idle(g);
	case EXPECT_SPINS:
		snprintf(text, size, "%" PRIu64 " tries in a row",
			 st->kmalloc_worst);
		return st->kmalloc_worst >= 10;
	/* Nothing seen is nothing wrong. */
	case EXPECT_NO_RETRY:
	case EXPECT_BLOCKED:
	case EXPECT_PASS_ENDS:
	case EXPECT_LIST_LEFT:
	case EXPECT_MARKS_KEPT:
	case EXPECT_MARKS_HONOURED:
	case EXPECT_REMOVED_IS_LEFT:
	case EXPECT_RETRY_PAUSE:
	case EXPECT_ONE_PASS:
	case EXPECT_STALL_IS_WAIT:
	case EXPECT_UNMARKED:
		snprintf(text, size, "broken %" PRIu64 " times, kept %" PRIu64,
			 s->broken, s->kept);
		return !s->broken;
	default:
		snprintf(text, size, "broken %" PRIu64 " times, kept %" PRIu64,
			 s->broken, s->kept);
		return !s->broken && s->kept;
	}
}

static bool counter_holds(struct sim *s, const struct inject_state *st,
			  const struct expect_item *item, char *text,
			  size_t size)
{
	uint64_t now[SIM_MAX_COUNTERS], n;

	stats_read(s, now);
	n = now[item->counter] - st->counters[item->counter];
	snprintf(text, size, "%" PRIu64, n);
	switch (item->how) {
	case LESS:
		return n < item->number;
	case LESS_EQUAL:
		return n <= item->number;
	case EQUAL:
		return n == item->number;
	case NOT_EQUAL:
		return n != item->number;
	case GREATER_EQUAL:
		return n >= item->number;
	case GREATER:
		return n > item->number;
	}
	return false;
}

static bool item_holds(struct sim_guest *g, const struct inject_state *st,
		       const struct expect_item *item, char *text, size_t size)
{
	bool holds;

	if (item->is_counter)
		holds = counter_holds(g->sim, st, item, text, size);
	else if ((item->word >= EXPECT_NOT_DISCARDED &&
		  item->word <= EXPECT_NO_REFAULTS) ||
		 item->word == EXPECT_GUEST_RUNS)
		holds = word_about_host(g, st, item->word, text, size);
	else
		holds = word_about_design(g, st, item->word, text, size);
	return holds != item->negated;
}

static int check_state(struct sim_guest *g, struct inject_state *st, char *why,
		       size_t why_size)
{
	const struct sim_inject_config *c = &g->sim->cfg.injects[st->index];
	const char *kind = inject_kind_name(c->opt.kind);
	const char *words = c->opt.expect[0] ? c->opt.expect :
			    expect_default(c->opt.kind, g->dev.r.ops->name);
	struct expectation e;
	char text[160];
	unsigned int i;

	if (st->broken) {
		snprintf(why, why_size, "injection %s (%s): invariant broken: "
			 "%s", c->name, kind, st->broken);
		return -EPROTO;
	}
	if (!st->hits && c->opt.kind != INJECT_WATCH) {
		snprintf(why, why_size, "injection %s (%s) did not happen: "
			 "nothing gave it an opportunity in %" PRIu64 " ms",
			 c->name, kind, st->begun ? (st->ended - st->began) /
			 NSEC_PER_MSEC : 0);
		return -EPROTO;
	}
	if (expect_parse(&e, words, why, why_size))
		return -EINVAL;
	for (i = 0; i < e.nr; i++) {
		if (item_holds(g, st, &e.items[i], text, sizeof(text)))
			continue;
		snprintf(why, why_size, "injection %s (%s): expected %s, but "
			 "saw: %s", c->name, kind, e.items[i].text, text);
		return -EPROTO;
	}
	return 0;
}

int inject_verdict(struct sim *s, char *why, size_t why_size)
{
	unsigned int i, n;
	int ret = 0;

	for (i = 0; i < s->cfg.nr_injects && !ret; i++) {
		const struct inject_options *o = &s->cfg.injects[i].opt;

		for (n = 0; n < s->nr_guests && o->enabled && !ret; n++) {
			struct sim_guest *g = &s->guests[n];

			if ((o->guest && o->guest != n + 1) || !guest_runs(g))
				continue;
			inject_finish(g, &g->inject[i]);
			ret = check_state(g, &g->inject[i], why, why_size);
		}
	}
	return ret;
}
