/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Between guests and the hypervisor: touches go in, events come out and are
 * priced. Most touches end at a bitmap that says they would cost nothing.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "include/check.h"
#include "include/likely.h"
#include "sim/machine.h"

/* Tag of digest words, in the top byte; host_serve.c has another. */
#define DIGEST_ACCESS (UINT64_C(0xa1) << 56)

_Static_assert((int)TOUCH_ZERO == (int)HV_ACCESS_ZERO &&
	       (int)TOUCH_READ == (int)HV_ACCESS_READ &&
	       (int)TOUCH_WRITE == (int)HV_ACCESS_WRITE &&
	       (int)TOUCH_TABLE == (int)HV_ACCESS_TABLE,
	       "touch kinds are passed on as they are");

unsigned int host_backing_order(const struct sim_config *cfg)
{
	/* Index: host_options.backing. */
	static const uint8_t orders[] = { 0, 4, HPAGE_PMD_ORDER, HV_ORDER_1G };

	return orders[cfg->host.backing];
}

/* Real memory that is not of hugetlbfs would pass for it. */
static int check_backing(const struct sim *s, char *why, size_t why_size)
{
	const struct hypervisor_ops *ops = s->cfg.hypervisor;

	if (host_backing_order(&s->cfg) < HPAGE_PMD_ORDER ||
	    ops->guest_add_hugetlb || !ops->real)
		return 0;
	snprintf(why, why_size, "hypervisor = %s has no pages of hugetlbfs; "
		 "set backing = 4K, or hypervisor = mock", ops->name);
	return -EINVAL;
}

int host_init(struct sim *s, char *why, size_t why_size)
{
	const struct hypervisor_ops *ops = s->cfg.hypervisor;
	const int err = check_backing(s, why, why_size);

	if (err)
		return err;
	s->hv = calloc(1, sizeof(*s->hv));
	if (!s->hv)
		return -ENOMEM;
	s->hv->ops = ops;
	s->hv->options = s->cfg.hypervisor_options;
	s->hv->state = calloc(1, ops->state_size ? ops->state_size : 1);
	if (!s->hv->state)
		return -ENOMEM;
	host_swap_init(s);
	return ops->init(s->hv, why, why_size);
}

void host_destroy(struct sim *s)
{
	if (!s->hv)
		return;
	if (s->hv->state)
		s->hv->ops->destroy(s->hv);
	free(s->hv->state);
	free(s->hv);
	s->hv = NULL;
}

int host_add_guest(struct sim_guest *g, char *why, size_t why_size)
{
	struct hypervisor *hv = g->sim->hv;
	const unsigned int backing = host_backing_order(&g->sim->cfg);
	const bool pool = backing >= HPAGE_PMD_ORDER &&
			  hv->ops->guest_add_hugetlb;
	/* A VMM maps whole huge pages; firmware keeps the end of the last. */
	const unsigned int order = pool ? backing : HPAGE_PMD_ORDER;
	const pfn_t end = pfn_align_down(alloc_end_pfn(g->alloc) +
					 order_nr_pages(order) - 1, order);
	const int id = pool ? hv->ops->guest_add_hugetlb(hv, end, order) :
			      hv->ops->guest_add(hv, end);

	if (id < 0) {
		const char *text = hv->ops->refusal ? hv->ops->refusal(hv) :
						      NULL;

		if (pool && id == -ENOMEM)
			text = "not enough pages for hugetlbfs; give [host] "
			       "more memory or a larger hugetlb_pool";
		snprintf(why, why_size, "the host cannot take guest %u: %s",
			 g->id, text ? text : strerror(-id));
		return id;
	}
	g->hv_id = (uint32_t)id;
	g->hv_map = hv->ops->guest_map(hv, g->hv_id);
	g->walk.huge = order == HV_ORDER_1G ? HV_LEVEL_1G : HV_LEVEL_2M;
	return reuse_init(&g->reuse, end);
}

static uint64_t price_violations(const struct sim *s,
				 const struct hv_events *ev)
{
	const struct price_now *p = &s->price;
	uint64_t nr = 0, huge = ev->thp_fault_alloc;
	unsigned int i, level;

	for (i = 0; i < NR_HV_VIOLATIONS; i++)
		for (level = 0; level < NR_HV_LEVELS; level++)
			nr += ev->ept_violation[i][level];
	/* Regions of huge pages, cleared as a whole. */
	if (ev->hugetlb_alloc)
		huge += ev->hugetlb_alloc << (host_backing_order(&s->cfg) -
					      HPAGE_PMD_ORDER);
	return nr * p->ps[PRICE_VIOLATION] + huge * p->ps[PRICE_ZERO_2M] +
	       (ev->zeroed_pages - HPAGE_PMD_NR * huge) *
		       p->ps[PRICE_ZERO_4K];
}

/*
 * The guest clears pages that the host cleared for this very access, or some of
 * them: their lines are still in the cache. Its own price, which is paid with
 * the fault, is that of cold pages.
 */
static uint64_t saved_clearing(const struct price_now *p,
			       const struct hv_events *ev, unsigned int order)
{
	const bool huge = order >= HPAGE_PMD_ORDER;
	const uint64_t cold = p->ps[huge ? PRICE_GUEST_ZERO_2M :
					   PRICE_GUEST_ZERO_4K];
	const uint64_t again = p->ps[huge ? PRICE_GUEST_REZERO_2M :
					    PRICE_GUEST_REZERO_4K];
	uint64_t pages = ev->zeroed_pages;

	if (again >= cold)
		return 0;
	pages = pages < order_nr_pages(order) ? pages : order_nr_pages(order);
	return (cold - again) * pages / (huge ? HPAGE_PMD_NR : 1);
}

/*
 * The slow half of host_touch(): the host has something to do, so many
 * picoseconds after the step began.
 */
static uint64_t host_access(struct sim_guest *g, pfn_t pfn, unsigned int order,
			    enum touch_kind kind, uint64_t since)
{
	struct sim *s = g->sim;
	struct hv_events ev = { 0 };
	uint64_t ps, saved;
	int ret;

	/* What is killed in the midst of a step ends it without a host. */
	if (!guest_runs(g))
		return 0;
	s->swap.user = g;
	do {
		ret = s->hv->ops->access(s->hv, g->hv_id, pfn, order,
					 (enum hv_access)kind, &ev);
	} while (ret && guests_make_room(g, ret));
	s->swap.user = NULL;

	digest_u64(&s->digest, DIGEST_ACCESS | (uint64_t)kind << 48 |
		   (uint64_t)order << 40 | pfn);
	hv_events_add(&g->host, &ev);
	if (s->cfg.host.pull_below)
		pull_if_short(s);
	if (g->reuse.any)
		reuse_touched(&g->reuse, pfn, order, s->engine.now);
	/* The host was full. */
	if (ev.pressure)
		guests_note_peak(s);
	/* Reclaim may have taken what a run found mapped. */
	if (ev.pressure && s->nr_ahead)
		ahead_settle(s, s->engine.now,
			     g->vcpus[g->running_cpu].slot.rank);
	ps = price_violations(s, &ev) +
	     host_swap_price(s, s->engine.now + since / 1000, &ev);
	host_swap_note_access(g, kind, &ev);
	if (kind != TOUCH_ZERO || !ev.zeroed_pages)
		return ps;
	saved = saved_clearing(&s->price, &ev, order);
	return ps > saved ? ps - saved : 0;
}

uint64_t host_touch(struct sim_guest *g, pfn_t pfn, unsigned int order,
		    enum touch_kind kind)
{
	if (g->sim->recorder)
		first_pass_note(g, pfn, order);
	if (g->hv_map && hv_block_mapped(g->hv_map, pfn, order))
		return 0;
	return host_access(g, pfn, order, kind, 0);
}

static void note_touches(struct sim_guest *g)
{
	const struct touch_buffer *b = g->touches;
	uint32_t i;

	for (i = 0; i < b->nr; i++)
		first_pass_note(g, b->entries[i].pfn, b->entries[i].order);
}

/*
 * Count the access, which has been made, of a block. `mapped`: it needed no
 * call. Returns the price of its walks.
 */
static inline uint64_t note_walk(struct sim_guest *g, const struct touch *t,
				 bool mapped)
{
	const struct hypervisor *hv = g->sim->hv;
	const uint64_t price = g->sim->price.ps[PRICE_GUEST_WALK_REF];
	enum hv_level level = HV_LEVEL_4K;

	if (bitmap_test(g->hv_map->regions, pfn_region(t->pfn)))
		level = g->walk.huge;
	else if (!mapped && hv->ops->level)
		level = hv->ops->level(hv, g->hv_id, t->pfn);
	walk_note(&g->walk, t->order, (enum touch_kind)t->kind, level);
	return unlikely(price) && t->kind != TOUCH_TABLE ?
	       price * walk_refs_of(walk_guest_page(t->order, t->kind), level,
				    order_nr_pages(t->order)) : 0;
}

uint64_t host_drain_touches(struct sim_guest *g)
{
	struct touch_buffer *b = g->touches;
	uint64_t ps = 0;
	uint32_t i;

	if (g->sim->recorder)
		note_touches(g);
	for (i = 0; i < b->nr && guest_runs(g); i++) {
		const struct touch *t = &b->entries[i];

		const bool mapped = hv_block_mapped(g->hv_map, t->pfn,
						    t->order);

		if (!mapped)
			ps += host_access(g, t->pfn, t->order,
					  (enum touch_kind)t->kind, ps);
		if (mapped || guest_runs(g))
			ps += note_walk(g, t, mapped);
	}
	b->nr = 0;
	return ps;
}

void host_dirty_log(struct sim_guest *g, bool on)
{
	struct sim *s = g->sim;
	struct hv_events ev = { 0 };

	if (!guest_runs(g))
		return;
	if (!s->hv->ops->dirty_log || host_backing_order(&s->cfg) >=
					      HPAGE_PMD_ORDER) {
		sim_fail(s, -EOPNOTSUPP, "dirty_log_on: this host does not log "
			 "the writes of a guest; hypervisor = mock with "
			 "backing = 4K does");
		return;
	}
	s->hv->ops->dirty_log(s->hv, g->hv_id, on, &ev);
	hv_events_add(&g->host, &ev);
}

void host_gauges(const struct sim_guest *g, struct hv_gauges *out)
{
	if (guest_runs(g))
		g->sim->hv->ops->gauges(g->sim->hv, g->hv_id, out);
	else
		*out = (struct hv_gauges){ 0 };
}

bool sim_host_real(const struct sim *s, struct hv_real *out)
{
	const struct hypervisor_ops *ops = s->hv->ops;

	return ops->real && !ops->real(s->hv, out);
}

void host_check(struct sim *s)
{
	const char *what = s->hv->ops->check(s->hv);

	CHECK_MSG(!what, "hypervisor: %s", what);
}
