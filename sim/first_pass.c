/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A design that may know the future gets it from a first pass: the same cell
 * with the same seed, in which no reporter appears. What is recorded is when
 * each region is used (sim/future.h); the pass itself leaves nothing else.
 *
 * The future is that of the unreported run. Reporting changes it: refaults take
 * time, phases that wait for the reporter take longer, and blocks that were put
 * back are taken in another order. Phases are therefore aligned at their
 * starts, and a stream without a clock by the time that it did not wait; the
 * rest stays an error of the bound (docs/designs/ideal.md).
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "include/check.h"
#include "sim/machine.h"

bool first_pass_wanted(const struct sim *s)
{
	return s->cfg.reporter_enabled && s->cfg.reporter->needs_future &&
	       !s->future;
}

/* The pages of the largest guest; guests are alike. */
static pfn_t guest_pages(const struct sim *s)
{
	pfn_t end = 0;
	unsigned int i;

	for (i = 0; i < s->nr_guests; i++)
		if (s->guests[i].alloc &&
		    alloc_end_pfn(s->guests[i].alloc) > end)
			end = alloc_end_pfn(s->guests[i].alloc);
	/* The host's map ends with a whole huge page. */
	return pfn_align_down(end + HPAGE_PMD_NR - 1, HPAGE_PMD_ORDER);
}

static int run_phases(struct sim *first, const volatile sig_atomic_t *stop,
		      char *why, size_t why_size)
{
	struct future *f = first->recorder;
	unsigned int i;
	int ret = 0;

	for (i = 0; i < first->cfg.nr_phases && !ret; i++) {
		ret = sim_run_phase(first, i, stop, why, why_size);
		f->phases[i].from = first->phases[i].start;
		f->phases[i].to = first->phases[i].end;
	}
	if (!ret && f->failed)
		ret = -ENOMEM;
	return ret;
}

/* Run-ahead would hide accesses, so every step is made on its own. */
static struct sim_config unreported(const struct sim *s)
{
	struct sim_config cfg = s->cfg;

	cfg.reporter_enabled = false;
	cfg.step_by_step = true;
	cfg.sample_ns = cfg.map_ns = 0;
	cfg.check_every = 0;
	cfg.nr_injects = 0;
	cfg.tap = NULL;
	return cfg;
}

int first_pass_run(struct sim *s, const volatile sig_atomic_t *stop, char *why,
		   size_t why_size)
{
	const struct sim_config cfg = unreported(s);
	char reason[200] = "out of memory";
	struct sim *first = NULL;
	int ret = -ENOMEM;

	s->future = calloc(1, sizeof(*s->future));
	if (s->future)
		ret = future_init(s->future, s->nr_guests, guest_pages(s),
				  cfg.nr_phases);
	if (!ret)
		ret = sim_create(&first, &cfg, reason, sizeof(reason));
	if (!ret) {
		first->recorder = s->future;
		ret = run_phases(first, stop, reason, sizeof(reason));
	}
	sim_destroy(first);
	if (ret)
		snprintf(why, why_size, "first pass of design %s, without "
			 "reporting: %s", s->cfg.reporter->name, reason);
	return ret;
}

void first_pass_destroy(struct sim *s)
{
	if (!s->future)
		return;
	future_destroy(s->future);
	free(s->future);
	s->future = NULL;
}

void first_pass_note(struct sim_guest *g, pfn_t pfn, unsigned int order)
{
	struct sim *s = g->sim;

	future_note(s->recorder, g->id, pfn, order, s->engine.now);
}

sim_ns_t first_pass_next_use(const struct sim_guest *g, pfn_t pfn,
			     unsigned int order)
{
	const struct sim *s = g->sim;
	sim_ns_t since;

	/* Outside of phases nothing happens that a first pass would show. */
	if (!s->future || !s->opt)
		return FUTURE_NEVER;
	since = s->engine.now - s->phase_began;
	since -= since < g->record_waited ? since : g->record_waited;
	return future_next_use(s->future, g->id, pfn, order,
			       future_time(s->future, s->nr_phases_run,
					   since));
}
