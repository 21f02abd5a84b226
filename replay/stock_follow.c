/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Internal tracepoints drive the twin in assisted mode: a page of
 * mm_page_alloc_zone_locked leaves the buddy then and there, for the pcp list
 * that is refilled or for the request that follows; a page of
 * mm_page_pcpu_drain goes back. Both stand in the order in which the zone lock
 * was held (rmqueue_bulk and free_pcppages_bulk, 6.1). Before each of them the
 * twin's rules are asked, which page it would have been.
 *
 * Left out: the number of blocks that a refill takes is the kernel's.
 */
#include "replay/stock.h"

static void count_internal(struct replay *r, enum replay_internal kind,
			   bool predicted)
{
	r->res.stock.internal[kind].predicted += predicted;
}

/* Head of the list from which the smallest fit comes, or PFN_NONE. */
static pfn_t smallest_fit(const struct alloc *a, unsigned int zone,
			  unsigned int order, enum migratetype mt)
{
	for (; order < NR_PAGE_ORDERS; order++) {
		const pfn_t pfn = alloc_list_first(a, zone, order, mt);

		if (pfn != PFN_NONE)
			return pfn;
	}
	return PFN_NONE;
}

/*
 * The twin's choice. It is taken off the lists if it is the kernel's page too;
 * lists from which no request is served (highatomic, CMA) are only looked at.
 */
static pfn_t choose(struct alloc *a, unsigned int zone,
		    const struct trace_kmem *k, enum migratetype mt)
{
	pfn_t choice = smallest_fit(a, zone, k->order, mt);

	if (mt >= MIGRATE_PCPTYPES ||
	    (choice != PFN_NONE && choice != k->pfn))
		return choice;
	choice = alloc_buddy(a, zone, k->order, mt, false);
	if (choice != PFN_NONE && choice != k->pfn)
		alloc_free_buddy(a, choice, k->order);
	return choice;
}

/* Pages that the twin has in use and the kernel on its lists. */
static void note_in_use(struct replay *r, const struct trace_kmem *k,
			uint32_t nr)
{
	const uint32_t bulk = stock_forget_bulk(r, k->pfn, k->order);

	stock_count(r, STOCK_BULK_REFUTED, bulk);
	stock_count(r, STOCK_UNSEEN_FREES, nr > bulk ? nr - bulk : 0);
	alloc_set_lru(r->alloc, k->pfn, order_nr_pages(k->order), false);
	names_drop(&r->names, k->pfn, k->order);
}

/* The kernel's page leaves the twin's lists; what the twin would have taken. */
static pfn_t take_chosen(struct replay *r, unsigned int zone,
			 const struct trace_event *ev)
{
	const struct trace_kmem *k = &ev->u.kmem;
	const enum migratetype mt = twin_type(r->before, k->mt);
	const pfn_t choice = choose(r->alloc, zone, k, mt);
	uint32_t nr;

	if (choice == k->pfn && mt < MIGRATE_PCPTYPES)
		return choice;
	nr = order_nr_pages(k->order) -
	     take_out(r->alloc, k->pfn, k->order, ev->cpu);
	if (nr)
		note_in_use(r, k, nr);
	return choice;
}

/* The pageblock's type, where the kernel's event says that it changed. */
static void settle_steal(struct replay *r, unsigned int cpu)
{
	struct extfrag_note *n = &r->stock->steals[cpu];

	if (n->set && alloc_pageblock_type(r->alloc, n->pfn) !=
			      twin_type(r->before, n->mt)) {
		alloc_set_pageblock_type(r->alloc, n->pfn,
					 twin_type(r->before, n->mt));
		stock_count(r, STOCK_PAGEBLOCKS, 1);
	}
	n->set = false;
}

void follow_extfrag(struct replay *r, const struct trace_event *ev)
{
	const struct trace_kmem *k = &ev->u.kmem;
	struct trace_event choice = *ev;

	r->stock->steals[ev->cpu] = (struct extfrag_note){
		.set = k->change_ownership,
		.pfn = k->pfn,
		.mt = k->mt,
	};
	/* From 6.12 on the page itself, which no zone_locked shows. */
	if (!alloc_profile_of(r->alloc)->extfrag_after)
		return;
	choice.u.kmem.refill = twin_pindex(r->alloc, k->order,
					   twin_type(r->before, k->mt)) >= 0;
	follow_zone_locked(r, &choice);
}

/* Its first page is at the tail: what is in front was taken unseen. */
static void clear_in_front(struct replay *r, struct stock_run *run,
			   unsigned int cpu)
{
	if (run->cleared)
		return;
	run->cleared = true;
	stock_take_bulk(r, run->zone, cpu, run->pindex, run->first);
}

static void note_run(struct replay *r, unsigned int zone, unsigned int pindex,
		     const struct trace_event *ev)
{
	struct stock_run *run = &r->stock->runs[ev->cpu];

	if (run->open && run->zone == zone && run->pindex == pindex) {
		clear_in_front(r, run, ev->cpu);
		return;
	}
	*run = (struct stock_run){
		.open = true,
		.zone = (uint8_t)zone,
		.pindex = (uint8_t)pindex,
		.first = ev->u.kmem.pfn,
	};
}

void follow_zone_locked(struct replay *r, const struct trace_event *ev)
{
	const struct trace_kmem *k = &ev->u.kmem;
	const unsigned int zone = (unsigned int)alloc_zone_of(r->alloc, k->pfn);
	const enum migratetype mt = twin_type(r->before, k->mt);
	const int pindex = k->refill ? twin_pindex(r->alloc, k->order, mt) : -1;
	const pfn_t choice = take_chosen(r, zone, ev);

	count_internal(r, ev->kind == TRACE_EXTFRAG ? STOCK_EXTFRAG :
						      STOCK_ZONE_LOCKED,
		       choice == k->pfn);
	settle_steal(r, ev->cpu);
	if (pindex < 0) {
		follow_other(r, ev->cpu);
		r->stock->hand[k->pfn] =
			choice == PFN_NONE ? UINT32_MAX : choice + 1;
		return;
	}
	alloc_load_pcp(r->alloc, zone, ev->cpu, (unsigned int)pindex, k->pfn,
		       mt);
	note_run(r, zone, (unsigned int)pindex, ev);
}

void follow_other(struct replay *r, unsigned int cpu)
{
	r->stock->runs[cpu].open = false;
}

bool follow_refill(void *replay, unsigned int zone, unsigned int cpu,
		   unsigned int order, enum migratetype mt)
{
	struct replay *r = replay;

	(void)zone;
	(void)cpu;
	(void)order;
	(void)mt;
	r->stock->refused_refill |= r->stock->follow_refills;
	return r->stock->follow_refills;
}

static struct stock_flush *flush_of(struct replay *r, unsigned int zone,
				    unsigned int cpu)
{
	return &r->stock->flushes[zone * alloc_nr_cpus(r->alloc) + cpu];
}

bool follow_flush(void *replay, unsigned int zone, unsigned int cpu,
		  uint32_t nr_pages, unsigned int pindex)
{
	struct replay *r = replay;
	struct stock_flush *f = flush_of(r, zone, cpu);

	if (!r->stock->follow_drains)
		return false;
	/* The kernel has not done what the last free should have. */
	stock_count(r, STOCK_LATE_FLUSHES, f->nr);
	*f = (struct stock_flush){ .nr = nr_pages, .pindex = pindex };
	return true;
}

/* Would the twin's flush have taken this block now? Then it is one less. */
static bool flush_comes_to(struct replay *r, unsigned int cpu,
			   unsigned int pindex, pfn_t pfn)
{
	const unsigned int zone = (unsigned int)alloc_zone_of(r->alloc, pfn);
	struct stock_flush *f = flush_of(r, zone, cpu);
	struct alloc_pcp_info info;
	enum migratetype mt;
	unsigned int order;
	uint32_t nr;

	if (!f->nr)
		return false;
	alloc_pcp_info(r->alloc, zone, cpu, &info);
	for (unsigned int i = 0; i < info.nr_lists &&
	     alloc_pcp_first(r->alloc, zone, cpu, f->pindex) == PFN_NONE; i++)
		f->pindex = (f->pindex + 1) % info.nr_lists;
	alloc_pindex_decode(r->alloc, pindex, &order, &mt);
	nr = order_nr_pages(order);
	f->nr -= nr < f->nr ? nr : f->nr;
	/* Up to 5.17 the lists take turns; the end of any may be next. */
	return alloc_list_next(r->alloc, pfn) == PFN_NONE &&
	       (alloc_profile_of(r->alloc)->pcp_flush_alternates ||
		pindex == f->pindex);
}

static void drain_unlisted(struct replay *r, const struct trace_event *ev)
{
	const struct trace_kmem *k = &ev->u.kmem;
	const uint32_t nr = order_nr_pages(k->order) -
			    take_out(r->alloc, k->pfn, k->order, ev->cpu);

	if (nr)
		note_in_use(r, k, nr);
	alloc_free_buddy(r->alloc, k->pfn, k->order);
}

void follow_pcpu_drain(struct replay *r, const struct trace_event *ev)
{
	const struct trace_kmem *k = &ev->u.kmem;
	pfn_t head = PFN_NONE;
	unsigned int order = 0, pindex, cpu;

	if (alloc_page_lookup(r->alloc, k->pfn, &head, &order) !=
		    ALLOC_PAGE_PCP || head != k->pfn || order != k->order) {
		drain_unlisted(r, ev);
		return;
	}
	cpu = alloc_pcp_owner(r->alloc, k->pfn, ev->cpu, &pindex);
	count_internal(r, STOCK_PCPU_DRAIN,
		       flush_comes_to(r, cpu, pindex, k->pfn));
	alloc_pcp_flush_block(r->alloc, cpu, k->pfn);
}
