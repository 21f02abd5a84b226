/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Run-ahead. Most steps of a busy vCPU are faults that no other vCPU can see:
 * the page comes from the CPU's own list and is mapped on the host. Such a run
 * of faults is one event. When it begins, only its number of faults and its
 * times are fixed; they are carried out together when the run ends.
 *
 * If something that could see or change them happens earlier, at time T, the
 * run is settled: the faults that began before T are carried out, the rest is
 * not part of the run any more, and the vCPU is due when the first of these
 * begins. So everybody finds the state of one fault after the other. Who calls
 * for it:
 *
 *     a timer, a sample, the reporter, the host   phase.c, before each of them
 *     the allocator counts a pageblock's pages
 *     or empties other CPUs' lists                its hook look_around
 *     a zone comes near its mark, or is boosted   vcpu.c, after each step
 *     the host is short of memory                 host.c, after the access
 *
 * docs/decisions/0006-run-ahead.md has the argument that this is complete.
 */
#include "include/check.h"
#include "sim/machine.h"

#define PS_PER_NS 1000
/* A shorter run is not worth its event. */
#define AHEAD_MIN 2

/* When fault i begins, or the run ends. The first bears no earlier fraction. */
static sim_ns_t fault_begins(const struct run_ahead *r, uint32_t i)
{
	return i ? r->start + (r->ps + i * r->price) / PS_PER_NS : r->start;
}

/* Faults of the run that begin before `at`. */
static uint32_t begun_before(const struct run_ahead *r, sim_ns_t at)
{
	uint64_t ps, nr;

	if (at <= r->start)
		return 0;
	if (at > r->end)
		return r->nr;
	ps = (at - r->start) * PS_PER_NS;
	if (ps <= r->ps)
		return 1;
	if (!r->price)
		return r->nr;
	nr = 1 + (ps - r->ps - 1) / r->price;
	return nr < r->nr ? (uint32_t)nr : r->nr;
}

#define ALL_PAGES UINT64_MAX
#define ODD_PAGES UINT64_C(0xaaaaaaaaaaaaaaaa)

/* Of the first nr pages all, or those with odd numbers. */
static void note_pages(struct walk_counts *w, const struct page_levels *l,
		       uint32_t nr, uint64_t which)
{
	const unsigned int odd = which == ODD_PAGES;
	const uint32_t first = nr < l->first_huge ? nr : l->first_huge;
	uint64_t huge = first >> odd;

	for (uint32_t i = 0; first < nr && i * 64 < nr; i++) {
		const uint64_t below = nr - i * 64 < 64 ?
				(UINT64_C(1) << (nr - i * 64)) - 1 : UINT64_MAX;

		huge += (uint64_t)__builtin_popcountll(l->huge[i] & below &
						       which);
	}
	w->pages[WALK_GUEST_4K][w->huge] += huge;
	w->pages[WALK_GUEST_4K][HV_LEVEL_4K] += (nr >> odd) - huge;
}

/* The accesses of the first nr faults, as host.c counts those of a step. */
static void note_walks(struct walk_counts *w, const struct run_ahead *r,
		       uint32_t nr)
{
	switch (r->faults.kind) {
	case GUEST_AHEAD_ANON:
		note_pages(w, &r->levels[0], nr, ALL_PAGES);
		break;
	case GUEST_AHEAD_COPY:
		note_pages(w, &r->levels[0], nr, ALL_PAGES);
		note_pages(w, &r->levels[1], nr, ALL_PAGES);
		break;
	case GUEST_AHEAD_FILL:
		/* The page of the cache is filled, then copied. */
		note_pages(w, &r->levels[0], 2 * nr, ALL_PAGES);
		note_pages(w, &r->levels[0], 2 * nr, ODD_PAGES);
		break;
	case GUEST_AHEAD_ZAP:
		break;
	}
}

/* Carry out the first nr faults; the rest is forgotten. */
static void carry_out(struct vcpu *v, uint32_t nr)
{
	struct sim_guest *g = v->guest;
	struct run_ahead *r = &v->ahead;
	struct task *t = r->task;
	const uint64_t ps = r->ps + nr * r->price;

	r->nr = 0;
	g->nr_ahead--;
	g->sim->nr_ahead--;
	if (!nr)
		return;
	guest_ahead_run(g->mm, &t->op, v->cpu, &r->faults, nr);
	note_walks(&g->walk, r, nr);
	v->ps = ps % PS_PER_NS;
	if (t->op_counted && r->faults.kind != GUEST_AHEAD_ZAP) {
		t->iterations += nr;
		phase_note_iterations(g->sim, nr);
	}
	if (t->op.cursor == t->op.len)
		t->op_active = false;
}

void ahead_finish(struct vcpu *v)
{
	carry_out(v, v->ahead.nr);
}

static void settle(struct vcpu *v, sim_ns_t at, uint32_t rank)
{
	struct run_ahead *r = &v->ahead;
	uint32_t nr;
	sim_ns_t next;

	if (!r->nr)
		return;
	/* At the same time the lower rank comes first. */
	nr = begun_before(r, at + (v->slot.rank < rank));
	next = fault_begins(r, nr);
	if (nr < r->nr)
		engine_soon(&v->guest->sim->engine, &v->slot, next);
	carry_out(v, nr);
}

void ahead_settle_guest(struct sim_guest *g, sim_ns_t at, uint32_t rank)
{
	unsigned int i;

	for (i = 0; g->nr_ahead && i < g->topo.nr_cpus; i++)
		settle(&g->vcpus[i], at, rank);
}

void ahead_settle(struct sim *s, sim_ns_t at, uint32_t rank)
{
	unsigned int i;

	for (i = 0; s->nr_ahead && i < s->nr_guests; i++)
		ahead_settle_guest(&s->guests[i], at, rank);
}

void ahead_look_around(void *ctx)
{
	struct sim_guest *g = ctx;

	if (g->nr_ahead)
		ahead_settle_guest(g, g->sim->engine.now,
				   g->vcpus[g->running_cpu].slot.rank);
}

void ahead_fill_hooks(struct alloc_hooks *h)
{
	h->look_around = ahead_look_around;
}

#define PAGES_AT_ONCE 8u

/* Are they all in regions that the host has mapped whole? */
static inline bool regions_mapped(const struct hv_guest_map *m,
				  const pfn_t *pfn)
{
	uint64_t all = 1;

	for (unsigned int i = 0; i < PAGES_AT_ONCE; i++) {
		const uint32_t region = pfn_region(pfn[i]);

		all &= m->regions[region / 64] >> (region % 64);
	}
	return all;
}

/* How many pages, up to the first that is not, are mapped on the host. */
static uint32_t mapped_pages(const struct hv_guest_map *m, const pfn_t *pfn,
			     uint32_t nr, struct page_levels *l)
{
	uint32_t n = 0;

	*l = (struct page_levels){ 0 };
	while (n + PAGES_AT_ONCE <= nr && regions_mapped(m, &pfn[n]))
		n += PAGES_AT_ONCE;
	l->first_huge = n;
	for (; n < nr && hv_block_mapped(m, pfn[n], 0); n++)
		if (bitmap_test(m->regions, pfn_region(pfn[n])))
			bitmap_set(l->huge, n);
	return n;
}

/* The steps at the start of the run that cost the host nothing. */
static uint32_t faults_mapped(const struct sim_guest *g, struct run_ahead *r)
{
	const struct guest_ahead *f = &r->faults;
	uint32_t nr;

	if (f->kind == GUEST_AHEAD_ZAP)
		return f->nr;
	if (f->kind == GUEST_AHEAD_FILL)
		return mapped_pages(g->hv_map, f->pfn, 2 * f->nr,
				    &r->levels[0]) / 2;
	nr = mapped_pages(g->hv_map, f->pfn, f->nr, &r->levels[0]);
	return f->kind == GUEST_AHEAD_COPY ?
		       mapped_pages(g->hv_map, f->from, nr, &r->levels[1]) :
		       nr;
}

static uint64_t step_price(const struct price_now *p,
			   const struct guest_ahead *f)
{
	switch (f->kind) {
	case GUEST_AHEAD_ANON:
		return p->ps[PRICE_FAULT_ANON];
	case GUEST_AHEAD_COPY:
	case GUEST_AHEAD_FILL:
		return p->ps[PRICE_FAULT_COW];
	case GUEST_AHEAD_ZAP:
		break;
	}
	return f->budget * p->ps[PRICE_ZAP_4K];
}

/* The first thing that is known to end the run. */
static sim_ns_t known_end(const struct vcpu *v)
{
	const sim_ns_t timer = engine_heap_next(&v->guest->sim->engine);

	return v->nr_tasks > 1 && v->slice_end < timer ? v->slice_end : timer;
}

bool ahead_begin(struct vcpu *v, struct task *t, sim_ns_t now)
{
	struct sim_guest *g = v->guest;
	const struct price_now *p = &g->sim->price;
	struct run_ahead *r = &v->ahead;
	uint32_t nr;

	if (g->sim->cfg.step_by_step || g->may_stall || g->known_zero ||
	    p->ps[PRICE_GUEST_WALK_REF] ||
	    !t->op_active || t->native || t->op_fill || t->op_lap ||
	    guest_ahead_look(g->mm, &t->op, v->cpu, FREE_BUDGET,
			     &r->faults) < AHEAD_MIN)
		return false;
	nr = faults_mapped(g, r);
	if (nr < AHEAD_MIN)
		return false;
	r->nr = nr;
	r->task = t;
	r->start = now;
	r->ps = v->ps + v->stolen_ps;
	r->price = step_price(p, &r->faults);
	r->end = fault_begins(r, nr);
	r->nr = begun_before(r, known_end(v));
	if (r->nr < AHEAD_MIN) {
		r->nr = 0;
		return false;
	}
	r->end = fault_begins(r, r->nr);
	v->ps = r->ps;
	v->stolen_ps = 0;
	g->nr_ahead++;
	g->sim->nr_ahead++;
	return true;
}
