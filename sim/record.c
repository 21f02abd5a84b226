/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * workload = trace: a recorded run goes through the configured reporter and
 * the host. The guest starts from the recorded snapshot instead of a boot; one
 * task carries out the recorded operations, each on the CPU that it names.
 *
 * A request stream has no clock. Its operations follow each other at the price
 * of the faults they stand for; where the stream holds a step of the kernel's
 * own reporter (I, R, TF, TB, Q), the task waits until the configured design
 * has given as many blocks to the host as the stream has by then, or until
 * nothing was reported for RECORD_PATIENCE_NS.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "include/check.h"
#include "replay/replay.h"
#include "sim/machine.h"

#define RECORD_POLL_NS (10 * NSEC_PER_MSEC)
#define RECORD_PATIENCE_NS (5 * NSEC_PER_SEC)
#define TOUCH_ALL 0

/* The phase of a recorded kernel. */
static const struct sim_phase_config *record_phase(const struct sim *s)
{
	unsigned int i;

	for (i = 0; i < s->cfg.nr_phases; i++) {
		const struct trace_workload_options *opt =
			s->cfg.phases[i].workload_options;

		/* Recorded programs begin in a guest that has booted. */
		if (s->cfg.phases[i].workload == &trace_workload &&
		    (opt->before[0] || !opt->file[0]))
			return &s->cfg.phases[i];
	}
	return NULL;
}

bool record_wanted(const struct sim *s)
{
	return record_phase(s) != NULL;
}

/* Of that phase; only asked for if a recording is wanted. */
static const struct trace_workload_options *record_options(const struct sim *s)
{
	const struct sim_phase_config *c = record_phase(s);

	CHECK(c);
	return c->workload_options;
}

/* The recorded machine decides CPUs; nodes are not recorded. */
static void record_topology(struct sim_guest *g)
{
	unsigned int cpu;

	g->topo.nr_cpus = alloc_nr_cpus(g->alloc);
	g->topo.nr_nodes = 1;
	g->topo.nr_cores = g->topo.nr_cpus;
	for (cpu = 0; cpu < g->topo.nr_cpus; cpu++)
		g->topo.cpu_node[cpu] = 0;
}

int record_boot(struct sim_guest *g, char *why, size_t why_size)
{
	const struct trace_workload_options *opt = record_options(g->sim);
	struct replay_options ro = {
		.stream = opt->file,
		.before = opt->before,
		.after = opt->after[0] ? opt->after : NULL,
		.kernel = alloc_profile_names()[g->sim->cfg.guest.kernel],
		.external_reporter = g->sim->cfg.reporter_enabled,
	};
	struct diag *d = &g->replay_diag;
	int ret;

	if (!opt->file[0] || !opt->before[0]) {
		snprintf(why, why_size, "workload trace needs 'file = ' and "
			 "'before = ': a request stream and the snapshot it "
			 "starts from");
		return -EINVAL;
	}
	*d = (struct diag){ .out = NULL };
	ret = replay_open(&g->replay, &ro, d);
	if (ret) {
		snprintf(why, why_size, "%.250s", d->last);
		return ret;
	}
	g->alloc = replay_alloc(g->replay);
	record_topology(g);
	return 0;
}

void record_fill_hooks(struct sim_guest *g, struct alloc_hooks *h)
{
	/* Coins and LRU counts that were recorded are not used: hints off. */
	(void)g;
	(void)h;
}

/* Every page that is in no free block: it was in use when recording began. */
static void touch_used(struct sim_guest *g)
{
	unsigned int order = 0;
	pfn_t pfn = 0, head;

	while (pfn < alloc_end_pfn(g->alloc)) {
		if (alloc_page_lookup(g->alloc, pfn, &head, &order) !=
		    ALLOC_PAGE_USED) {
			pfn = head + order_nr_pages(order);
			continue;
		}
		/* Holes inside a zone's span are few and count as used. */
		if (alloc_zone_of(g->alloc, pfn) >= 0)
			host_touch(g, pfn, 0, TOUCH_WRITE);
		pfn++;
	}
}

/*
 * Free blocks that were never reported may be backed: somebody used them
 * before the recording. Which ones no snapshot knows; the lowest are taken.
 */
static void touch_unreported(struct sim_guest *g, uint64_t resident)
{
	struct hv_gauges now;
	pfn_t pfn;

	for (pfn = 0; pfn < alloc_end_pfn(g->alloc); pfn += HPAGE_PMD_NR) {
		pfn_t head = pfn;
		unsigned int order = 0;

		host_gauges(g, &now);
		if (pages_to_bytes(now.rss_pages) >= resident)
			return;
		if (alloc_page_lookup(g->alloc, pfn, &head, &order) !=
			    ALLOC_PAGE_BUDDY || order < HPAGE_PMD_ORDER ||
		    alloc_block_marks(g->alloc, head))
			continue;
		host_touch(g, pfn, HPAGE_PMD_ORDER, TOUCH_WRITE);
	}
}

void record_touch_allocated(struct sim_guest *g)
{
	touch_used(g);
	touch_unreported(g, record_options(g->sim)->resident);
}

void record_destroy(struct sim_guest *g)
{
	replay_close(g->replay);
	g->replay = NULL;
	g->alloc = NULL;
}

static bool is_reporter_step(const struct req_record *r)
{
	return r->kind == REQ_I || r->kind == REQ_R || r->kind == REQ_TF ||
	       r->kind == REQ_TB || r->kind == REQ_Q;
}

static bool is_allocation(const struct req_record *r)
{
	return r->kind == REQ_A || r->kind == REQ_AB || r->kind == REQ_AK ||
	       r->kind == REQ_B;
}

static uint64_t reported_blocks(const struct sim_guest *g)
{
	uint64_t sum = 0;
	unsigned int order;

	for (order = 0; order < NR_PAGE_ORDERS; order++)
		sum += g->dev.r.counters.blocks[order];
	return sum;
}

/* What the design has done by now, and the stream has shown of it so far. */
static bool is_ahead(const struct sim_guest *g, const struct req_record *r)
{
	if (r->kind == REQ_R)
		return alloc_counters(g->alloc)->putbacks > g->record_putbacks;
	return reported_blocks(g) > g->record_reports;
}

/*
 * True while the task has to wait before this step of the kernel's reporter:
 * the design has not come as far. A design that does nothing for a while is
 * not waited for, since it may never do what the kernel did.
 */
static bool must_wait(struct sim_guest *g, const struct req_record *r,
		      sim_ns_t now)
{
	const uint64_t putbacks = alloc_counters(g->alloc)->putbacks;
	const uint64_t have = reported_blocks(g) + putbacks;

	/* A design that reports in place has nothing to put back. */
	if (r->kind == REQ_R && !putbacks &&
	    reported_blocks(g) > g->record_reports)
		return false;
	if (have != g->record_seen || g->record_since == 0) {
		g->record_seen = have;
		g->record_since = now;
	}
	return !is_ahead(g, r) && now - g->record_since < RECORD_PATIENCE_NS;
}

static uint64_t record_price(const struct price_now *p,
			     const struct req_record *r)
{
	if (is_allocation(r))
		return r->order >= HPAGE_PMD_ORDER ? p->ps[PRICE_FAULT_THP] :
						     p->ps[PRICE_FAULT_ANON];
	if (r->kind == REQ_F || r->kind == REQ_FB || r->kind == REQ_C)
		return r->order >= HPAGE_PMD_ORDER ? p->ps[PRICE_ZAP_THP] :
						     p->ps[PRICE_ZAP_4K];
	return 0;
}

bool record_apply(struct sim_guest *g, struct task *t,
		  const struct workload_op *op, sim_ns_t now)
{
	const struct req_record *r = op->record;
	struct replay_step step = { .pfn = PFN_NONE };
	struct vcpu *v = &g->vcpus[t->nr % g->topo.nr_cpus];

	if (!g->replay) {
		sim_fail(g->sim, -EINVAL, "workload trace needs 'before = ' "
			 "for a request stream: the snapshot it starts from");
		return false;
	}
	if (g->dev.present && is_reporter_step(r) && must_wait(g, r, now)) {
		/* The same record comes again: the workload is not asked. */
		t->record = *op;
		t->record_waits = true;
		t->wake_at = now + RECORD_POLL_NS;
		g->record_waited += RECORD_POLL_NS;
		return false;
	}
	t->record_waits = false;
	if (is_reporter_step(r) && g->dev.present) {
		g->record_reports += r->kind == REQ_Q;
		g->record_putbacks += r->kind == REQ_R;
		return false;
	}
	replay_apply(g->replay, r, &step);
	g->records_applied += step.applied;
	g->record_misses += step.miss;
	v->ps += record_price(&g->sim->price, r);
	if (is_allocation(r) && step.pfn != PFN_NONE &&
	    alloc_stalled(g->alloc, r->cpu, step.pfn, step.order)) {
		t->stalled = true;
		t->stalled_at = now;
		g->alloc_stalls++;
	}
	if (is_allocation(r) && step.pfn != PFN_NONE &&
	    g->sim->opt->touch == TOUCH_ALL)
		touch_add(g->touches, step.pfn, step.order,
			  r->gfp & GFP_BIT_ZERO ? TOUCH_ZERO : TOUCH_WRITE);
	return false;
}
