/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Swap of the host in virtual time, and what it is wasted on. The swap device is
 * a FIFO of `swap_bandwidth`: a page that is read waits for what was to be
 * written before, and an allocation that had to swap pages out waits for them,
 * as reclaim throttles it while its pages are under writeback. The host's kswapd
 * works in turns; between two of them it waits for what it wrote, too.
 *
 * Who joins what the guest knows with what the host does is here: a page that is
 * free in the guest need not have been swapped out, and one that the guest is
 * about to clear need not have been read.
 *
 * Simplified: requests queue in the order of the steps that make them; the
 * host's threads have CPUs of their own.
 */
#include "include/check.h"
#include "sim/machine.h"

/* From wake_up_interruptible() until the thread has looked at its zones. */
#define WAKE_LATENCY_NS (50 * NSEC_PER_USEC)
#define PS_PER_NS 1000
/* Tag of digest words, in the top byte; host*.c have others. */
#define DIGEST_RECLAIM (UINT64_C(0xb1) << 56)

static struct sim_guest *guest_of_hv(struct sim *s, uint32_t hv_id)
{
	unsigned int i;

	for (i = 0; i < s->nr_guests; i++)
		if (guest_runs(&s->guests[i]) && s->guests[i].hv_id == hv_id)
			return &s->guests[i];
	return NULL;
}

/* Of the guest's pages [first, first + 64) those of `mask` have just gone. */
static void swapped_out(void *ctx, uint32_t hv_id, pfn_t first, uint64_t mask)
{
	struct sim *s = ctx;
	struct sim_guest *g = guest_of_hv(s, hv_id);
	const struct sim_guest *by = s->swap.user;
	unsigned int order;
	pfn_t head;

	/* Pages that runs of others took before now are not free. */
	if (by && s->nr_ahead)
		ahead_settle(s, s->engine.now,
			     by->vcpus[by->running_cpu].slot.rank);
	for (; g && mask; mask &= mask - 1)
		if (alloc_page_lookup(g->alloc, first +
				      (pfn_t)__builtin_ctzll(mask), &head,
				      &order) != ALLOC_PAGE_USED)
			g->swap_out_of_guest_free_pages++;
}

static uint64_t ps_per_page(const struct sim *s)
{
	const uint64_t bytes = s->cfg.host.swap_bandwidth;

	return bytes ? (UINT64_C(4096) * 1000000000 * PS_PER_NS) / bytes : 0;
}

/* Picoseconds from `at` until the device is through with nr more pages. */
static uint64_t device_wait(struct sim *s, sim_ns_t at, uint64_t nr)
{
	struct host_swap *w = &s->swap;
	const uint64_t page = ps_per_page(s);

	if (!page || !nr)
		return 0;
	if (w->free_at < at) {
		w->free_at = at;
		w->free_ps = 0;
	}
	w->free_ps += nr * page;
	w->free_at += w->free_ps / PS_PER_NS;
	w->free_ps %= PS_PER_NS;
	return (w->free_at - at) * PS_PER_NS + w->free_ps;
}

uint64_t host_swap_price(struct sim *s, sim_ns_t at, const struct hv_events *ev)
{
	const struct price_now *p = &s->price;
	uint64_t wait;

	if (!ev->pswpout && !ev->pswpin)
		return 0;
	if (ev->pswpout)
		guests_swapped(s);
	wait = device_wait(s, at, ev->pswpout + ev->pswpin);
	s->swap.wait_ns += wait / PS_PER_NS;
	return ev->pswpin * p->ps[PRICE_SWAP_IN_4K] +
	       ev->pswpout * p->ps[PRICE_SWAP_OUT_4K] + wait;
}

void host_swap_note_access(struct sim_guest *g, enum touch_kind kind,
			   const struct hv_events *ev)
{
	if (kind == TOUCH_ZERO || kind == TOUCH_TABLE)
		g->swap_in_dead += ev->pswpin;
}

static void kswapd_event(void *ctx, uint64_t arg)
{
	struct sim *s = ctx;
	struct hv_events ev = { 0 };
	const bool more = s->hv->ops->reclaim(s->hv, &ev);
	const uint64_t ps = host_swap_price(s, s->engine.now, &ev);

	(void)arg;
	hv_events_add(&s->host_own, &ev);
	digest_u64(&s->digest, DIGEST_RECLAIM | (uint64_t)more << 48 |
		   ev.pgsteal[HV_KSWAPD]);
	/* Without a price it would never let anybody else run. */
	if (more)
		engine_at(&s->engine, s->engine.now + 1 + ps / PS_PER_NS,
			  kswapd_event, s, 0);
}

static void wake_reclaim(void *ctx)
{
	struct sim *s = ctx;

	engine_at(&s->engine, s->engine.now + WAKE_LATENCY_NS, kswapd_event, s,
		  0);
}

void host_swap_init(struct sim *s)
{
	s->swap.env = (struct hv_env){ .ctx = s, .swapped_out = swapped_out,
				       .wake_reclaim = wake_reclaim };
	s->hv->env = &s->swap.env;
}
