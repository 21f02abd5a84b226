/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The device end on the host: what QEMU's virtio-balloon does with a request.
 * Models virtio_balloon_handle_report, virtio_balloon_handle_output with
 * balloon_inflate_page and balloon_deflate_page, and the free page hint queue
 * (QEMU 5.1 to 9.0).
 *
 * Reports are ignored where they would be wrong: a range that is not made of
 * whole pages of the backing, or a guest that expects its poison in free
 * pages. A balloon page that is smaller than a page of the backing is noted,
 * and the backing page is dropped once all of it is in the same request.
 */
#include <errno.h>

#include "include/bitmap.h"
#include "include/check.h"
#include "sim/machine.h"

/* Tag of digest words, in the top byte. */
#define DIGEST_DISCARD (UINT64_C(0xd1) << 56)

#define BACKING_MAX_PAGES HPAGE_PMD_NR

/* A page of the backing of which some pages are in the balloon. */
struct partial_page {
	pfn_t base;               /* PFN_NONE: there is none */
	uint32_t nr;
	uint64_t pages[BITMAP_WORDS(BACKING_MAX_PAGES)];
};

/* One request being served. */
struct service {
	struct sim_guest *g;
	enum hv_origin origin;
	unsigned int backing;     /* order of the pages of the backing */
	struct hv_events ev;
	struct partial_page partial;
};

static bool discard(struct service *v, pfn_t pfn, unsigned int order)
{
	struct sim *s = v->g->sim;

	digest_u64(&s->digest, DIGEST_DISCARD | (uint64_t)order << 40 | pfn);
	return s->hv->ops->discard(s->hv, v->g->hv_id, pfn, order, v->origin,
				   &v->ev);
}

/* Models balloon_inflate_page for a backing of larger pages. */
static void inflate_part(struct service *v, pfn_t pfn)
{
	struct partial_page *p = &v->partial;
	const pfn_t base = pfn_align_down(pfn, v->backing);

	/* Deviation: nobody looks for a request with all of 1 GiB; see
	 * docs/fidelity.md. */
	if (v->backing > HPAGE_PMD_ORDER) {
		v->ev.discard_ignored++;
		v->ev.discard_partial++;
		return;
	}
	/* A page of another backing page: what was noted is forgotten. */
	if (p->base != base)
		*p = (struct partial_page){ .base = base };
	if (!bitmap_test(p->pages, pfn - base)) {
		bitmap_set(p->pages, pfn - base);
		p->nr++;
	}
	if (p->nr < order_nr_pages(v->backing)) {
		v->ev.discard_ignored++;
		v->ev.discard_partial++;
		return;
	}
	discard(v, base, v->backing);
	p->base = PFN_NONE;
}

static bool inflate_entry(struct service *v, const struct page_report *e,
			  unsigned int step)
{
	const pfn_t end = e->pfn + order_nr_pages(e->order);
	bool zeroed = true;
	pfn_t pfn;

	if (step > e->order)
		step = e->order;
	if (!v->backing || step >= v->backing) {
		for (pfn = e->pfn; pfn < end; pfn += order_nr_pages(step))
			zeroed &= discard(v, pfn, step);
		return zeroed;
	}
	for (pfn = e->pfn; pfn < end; pfn++)
		inflate_part(v, pfn);
	return false;
}

static bool report_entry(struct service *v, const struct page_report *e)
{
	struct sim_guest *g = v->g;
	struct sim *s = g->sim;
	bool zeroed;

	/* Blocks are aligned to their size: a smaller one is no multiple. */
	if (g->dev.host.poison || e->order < v->backing) {
		v->ev.discard_ignored++;
		v->ev.discard_partial += !g->dev.host.poison;
		return false;
	}
	zeroed = discard(v, e->pfn, e->order);
	/* What is beyond the guest's memory the host has ignored. */
	if (e->pfn >= g->hv_map->nr_pages ||
	    order_nr_pages(e->order) > g->hv_map->nr_pages - e->pfn)
		return false;
	if (reuse_discarded(&g->reuse, e->pfn, e->order, s->engine.now))
		sim_fail(s, -ENOMEM, "out of memory for what was reported");
	return zeroed;
}

/* What a discard has taken from a guest shows best at once. */
static void check_after_discard(struct sim *s, const struct hv_events *ev)
{
	uint64_t nr;

	if (!ev->discard_backed_pages)
		return;
	/* Often at first, then now and then. */
	nr = ++s->discards_served;
	s->check_soon |= s->cfg.check_every && (nr <= 32 || !(nr % 32));
}

static uint64_t serve_pages(struct service *v, const struct host_request *rq,
			    struct host_reply *reply, uint64_t *flushes)
{
	const struct price_now *p = &v->g->sim->price;
	const struct hv_events *ev = &v->ev;
	unsigned int i;
	bool zeroed;

	reclaim_before_discard(v->g->sim);
	for (i = 0; i < rq->nr; i++) {
		const struct page_report *e = &rq->entries[i];

		if (v->g->dev.host.discards_inhibited) {
			v->ev.discard_ignored++;
			continue;
		}
		zeroed = v->origin == HV_ORIGIN_BALLOON ?
			 inflate_entry(v, e, rq->discard_order) :
			 report_entry(v, e);
		reply->zeroed[i / 64] |= (uint64_t)zeroed << (i % 64);
	}
	reclaim_after_discard(v->g->sim);
	check_after_discard(v->g->sim, ev);
	hv_events_add(&v->g->host, ev);
	*flushes = ev->tlb_flush_rounds;
	return ev->discard_calls * p->ps[PRICE_DISCARD_CALL] +
	       ev->zap_pmd * p->ps[PRICE_DISCARD_2M] +
	       ev->zap_pte * p->ps[PRICE_DISCARD_4K];
}

/*
 * MADV_WILLNEED of each page that comes back: memory that was discarded and is
 * not swapped is not brought back by it.
 */
static uint64_t serve_deflate(const struct sim_guest *g,
			      const struct host_request *rq)
{
	uint64_t calls = 0;
	unsigned int i;

	for (i = 0; i < rq->nr; i++) {
		const unsigned int order = rq->entries[i].order;

		calls += order > rq->discard_order ?
			 order_nr_pages(order - rq->discard_order) : 1;
	}
	return calls * g->sim->price.ps[PRICE_SYSCALL];
}

/* Pages of the block that the host has: a migration would have to send them. */
static uint32_t backed_pages(const struct sim_guest *g,
			     const struct page_report *e)
{
	const struct hypervisor *hv = g->sim->hv;
	const struct hv_guest_map *m = g->hv_map;
	const pfn_t end = e->pfn + order_nr_pages(e->order);
	uint32_t nr = 0;
	pfn_t pfn;

	if (hv->ops->backed)
		return hv->ops->backed(hv, g->hv_id, e->pfn, e->order);
	for (pfn = e->pfn; pfn < end; pfn++)
		nr += hv_block_mapped(m, pfn, 0);
	return nr;
}

/* Models get_free_page_hints: markers open and close a run of hints. */
static uint64_t serve_hint(struct sim_guest *g, const struct host_request *rq)
{
	struct device *d = &g->dev;
	unsigned int i;

	if (!rq->nr)
		d->hint_open = d->hint_id && rq->id == d->hint_id;
	for (i = 0; i < rq->nr; i++) {
		const struct page_report *e = &rq->entries[i];

		if (!d->hint_open || rq->id != d->hint_id) {
			d->hint_stale_pages += order_nr_pages(e->order);
			continue;
		}
		d->hint_pages += order_nr_pages(e->order);
		d->hint_saved_pages += backed_pages(g, e);
	}
	/* The dirty bitmap's lock, and words of it to clear. */
	return (rq->nr + 1) * g->sim->price.ps[PRICE_LOCK];
}

uint64_t host_serve(struct sim_guest *g, const struct host_request *rq,
		    struct host_reply *reply, uint64_t *flushes)
{
	struct service v = { .g = g, .origin = HV_ORIGIN_REPORT,
			     .backing = g->dev.host.backing_order,
			     .partial = { .base = PFN_NONE } };

	*reply = (struct host_reply){ 0 };
	*flushes = 0;
	/* It was killed in the callback that asks. */
	if (!guest_runs(g))
		return 0;
	switch (rq->kind) {
	case REQUEST_INFLATE:
		v.origin = HV_ORIGIN_BALLOON;
		return serve_pages(&v, rq, reply, flushes);
	case REQUEST_REPORT:
	case REQUEST_ANSWER:
		return serve_pages(&v, rq, reply, flushes);
	case REQUEST_DEFLATE:
		return serve_deflate(g, rq);
	case REQUEST_HINT:
		return serve_hint(g, rq);
	case REQUEST_STATS:
	case NR_REQUEST_KINDS:
		break;
	}
	return 0;
}

void host_commands(struct sim_guest *g, const struct host_command *c)
{
	struct device *d = &g->dev;

	switch (c->kind) {
	case HOST_HINT_START:
		d->hint_id = c->id;
		d->hint_open = false;
		break;
	case HOST_HINT_STOP:
	case HOST_HINT_DONE:
		d->hint_id = 0;
		d->hint_open = false;
		break;
	case HOST_WANTS_PAGES:
	case HOST_WANTS_FLUSH:
	case HOST_WANTS_STATS:
		break;
	}
}
