/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Processes of the host: the anonymous faults, unmapping and MADV_DONTNEED of a
 * native Linux (do_anonymous_page, do_huge_pmd_anonymous_page, zap_pte_range,
 * 5.3 to 6.18), as far as they decide what the host has to back. The rules of
 * huge pages are the back end's; prices are those of a guest's faults, without
 * what the host adds to them.
 *
 * TLB misses are estimated: the first access of an operation to each mapping of
 * 4 KiB or 2 MiB is one, with as many references as the table has levels.
 *
 * Left out: files, page-table pages, and reads of pages that were never
 * written, which would find the shared zero page.
 */
#include "sim/native.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "include/check.h"
#include "sim/machine.h"
#include "sim/walk.h"

/* Tag of digest words, in the top byte; host*.c have others. */
#define DIGEST_NATIVE (UINT64_C(0xf1) << 56)
enum { DIGEST_MAP, DIGEST_UNMAP, DIGEST_TOUCH, DIGEST_DROP };

#define REGIONS_OF_1G (1u << (HV_ORDER_1G - HPAGE_PMD_ORDER))

int native_create(struct sim_guest *g, struct task *t)
{
	t->native = calloc(1, sizeof(*t->native));
	if (!t->native)
		return -ENOMEM;
	rng_init(&t->native->rng, g->sim->cfg.seed, "native", t->nr);
	return 0;
}

/* What the host was asked for: of which mapping, and where. */
static void note(struct sim *s, unsigned int what, uint32_t hv_id,
		 unsigned int order, pfn_t pfn)
{
	digest_u64(&s->digest, DIGEST_NATIVE | (uint64_t)what << 54 |
		   (uint64_t)hv_id << 40 | (uint64_t)order << 36 | pfn);
}

/* ---- mapping ---- */

/* Order of the pages of hugetlbfs that mappings are made of, or 0. */
static unsigned int hugetlb_order(const struct sim *s)
{
	const unsigned int order = host_backing_order(&s->cfg);

	return order >= HPAGE_PMD_ORDER && s->hv->ops->guest_add_hugetlb ?
	       order : 0;
}

static int part_add(struct sim *s, struct native_part *p, pfn_t nr_pages)
{
	const unsigned int order = hugetlb_order(s);
	int id;

	if (!nr_pages)
		return 0;
	id = order ? s->hv->ops->guest_add_hugetlb(s->hv, nr_pages, order) :
		     s->hv->ops->guest_add(s->hv, nr_pages);
	if (id < 0)
		return id;
	*p = (struct native_part){
		.hv_id = (uint32_t)id, .nr_pages = nr_pages,
		.map = s->hv->ops->guest_map(s->hv, (uint32_t)id),
	};
	note(s, DIGEST_MAP, p->hv_id, 0, nr_pages);
	return 0;
}

/* What the process gives back, 4 KiB mappings and huge ones. */
static uint64_t part_remove(struct sim *s, struct native_part *p)
{
	const struct price_now *price = &s->price;
	struct hv_gauges had;
	uint64_t huge, small;

	if (!p->nr_pages)
		return 0;
	s->hv->ops->gauges(s->hv, p->hv_id, &had);
	s->hv->ops->guest_remove(s->hv, p->hv_id);
	note(s, DIGEST_UNMAP, p->hv_id, 0, p->nr_pages);
	p->nr_pages = 0;
	huge = had.anon_huge_regions + (had.hugetlb_pages >> hugetlb_order(s));
	small = had.rss_pages - had.hugetlb_pages -
		had.anon_huge_regions * HPAGE_PMD_NR;
	return huge * price->ps[PRICE_ZAP_THP] +
	       small * price->ps[PRICE_ZAP_4K];
}

static uint64_t native_munmap(struct sim *s, struct native_mapping *m)
{
	uint64_t ps = 0;

	for (unsigned int i = 0; i < NATIVE_PARTS; i++)
		ps += part_remove(s, &m->part[i]);
	return ps;
}

static uint64_t native_exit(struct sim *s, struct native_mm *mm)
{
	uint64_t ps = 0;

	for (unsigned int i = 0; i < WORKLOAD_MAX_SLOTS; i++)
		ps += native_munmap(s, &mm->slots[i]);
	return ps;
}

/*
 * An unaligned mapping starts anywhere but on the boundary. If all of it lies
 * before the first boundary, there is no second part. A mapping of hugetlbfs is
 * always aligned, and whole pages long.
 */
static void native_mmap(struct sim *s, struct task *t,
			struct native_mapping *m)
{
	const unsigned int order = hugetlb_order(s);
	pfn_t nr = (pfn_t)bytes_to_pages(t->op.len), head = 0;
	int err;

	if (order)
		nr = pfn_align_down(nr + order_nr_pages(order) - 1, order);
	else if (t->op.flags & GUEST_MAP_UNALIGNED)
		head = 1 + rng_below(&t->native->rng, HPAGE_PMD_NR - 1);
	head = head < nr ? head : nr;
	err = part_add(s, &m->part[NATIVE_HEAD], head);
	if (!err)
		err = part_add(s, &m->part[NATIVE_BODY], nr - head);
	if (err == -ENOSPC)
		sim_fail(s, -EINVAL, "more than %d mappings of guests and "
			 "processes: fewer tasks, please", HV_MAX_GUESTS);
	else if (err)
		sim_fail(s, err, "no memory for a mapping of %u pages%s", nr,
			 order ? ": hugetlbfs has not got as many; give [host] "
				 "more memory or a larger hugetlb_pool" : "");
}

void native_destroy(struct sim *s, struct task *t)
{
	if (!t->native)
		return;
	native_exit(s, t->native);
	free(t->native);
	t->native = NULL;
}

/* ---- access ---- */

/* Page `index` of the mapping; *index is then that of the part. */
static struct native_part *part_of_page(struct native_mapping *m, pfn_t *index)
{
	struct native_part *head = &m->part[NATIVE_HEAD];

	if (*index < head->nr_pages)
		return head;
	*index -= head->nr_pages;
	CHECK_LT(*index, m->part[NATIVE_BODY].nr_pages);
	return &m->part[NATIVE_BODY];
}

/*
 * Count and price what the host did. A page that is there is mapped, lazy or
 * not: only what was absent or on swap is a fault of the process.
 */
static uint64_t take_events(struct sim *s, struct hv_events *ev)
{
	static const enum hv_violation faults[] = {
		HV_VIOLATION_ZERO, HV_VIOLATION_SWAP_IN
	};
	const struct price_now *p = &s->price;
	struct native_counters *c = &s->native;
	const uint64_t touches = HPAGE_PMD_NR * p->ps[PRICE_TOUCH];
	const uint64_t huge_ps = p->ps[PRICE_FAULT_THP] > touches ?
				 p->ps[PRICE_FAULT_THP] - touches : 0;
	uint64_t small = 0, huge = 0, giant = 0;

	for (size_t i = 0; i < ARRAY_SIZE(faults); i++) {
		small += ev->ept_violation[faults[i]][HV_LEVEL_4K];
		huge += ev->ept_violation[faults[i]][HV_LEVEL_2M];
		giant += ev->ept_violation[faults[i]][HV_LEVEL_1G];
	}
	memset(ev->ept_violation, 0, sizeof(ev->ept_violation));
	memset(ev->ept_zap, 0, sizeof(ev->ept_zap));
	hv_events_add(&c->host, ev);
	c->pgfault += small + huge + giant;
	c->pgfault_huge += huge + giant;
	/* A page of 1 GiB takes as long as its 512 regions. */
	return small * p->ps[PRICE_FAULT_ANON] +
	       (huge + giant * REGIONS_OF_1G) * huge_ps;
}

static uint64_t resident_pages(const struct sim *s, const struct native_mm *mm)
{
	uint64_t sum = 0;

	for (unsigned int i = 0; i < WORKLOAD_MAX_SLOTS * NATIVE_PARTS; i++) {
		const struct native_part *p =
			&mm->slots[i / NATIVE_PARTS].part[i % NATIVE_PARTS];
		struct hv_gauges hv;

		if (!p->nr_pages)
			continue;
		s->hv->ops->gauges(s->hv, p->hv_id, &hv);
		sum += hv.rss_pages;
	}
	return sum;
}

/*
 * A host without a page kills the largest guest for it. If the process is
 * larger the run fails: it would have to be the process, and nothing that the
 * experiment asks for would be left.
 */
static uint64_t access_page(struct sim *s, const struct task *t,
			    const struct native_part *p, pfn_t pfn)
{
	const bool write = !(t->op.flags & GUEST_TOUCH_READ);
	struct hv_events ev = { 0 };
	int err;

	do {
		err = s->hv->ops->access(s->hv, p->hv_id, pfn, 0,
					 write ? HV_ACCESS_WRITE :
						 HV_ACCESS_READ, &ev);
	} while (err && s->cfg.host.oom == HOST_OOM_KILL &&
		 guests_make_room_for_process(s, resident_pages(s,
								t->native)));
	note(s, DIGEST_TOUCH, p->hv_id, 0, pfn);
	if (err)
		sim_fail(s, err, "the host is out of memory: a process of its "
			 "own cannot be backed; give [host] more memory");
	if (s->cfg.host.pull_below)
		pull_if_short(s);
	if (ev.pressure)
		guests_note_peak(s);
	return host_swap_price(s, s->engine.now, &ev) + take_events(s, &ev);
}

/* A host that wants to hear of each access shows no bits. */
static bool mapped_huge(const struct sim *s, const struct native_part *p,
			pfn_t pfn)
{
	const struct hypervisor_ops *ops = s->hv->ops;

	return bitmap_test(p->map->regions, pfn_region(pfn)) ||
	       (ops->level && ops->level(s->hv, p->hv_id, pfn) != HV_LEVEL_4K);
}

/* `nr` pages of one region are written or read, `misses` TLB entries. */
static uint64_t price_touches(struct sim *s, const struct task *t, uint64_t nr,
			      uint64_t misses, unsigned int levels)
{
	const struct price_now *p = &s->price;
	const uint64_t refs = misses * walk_refs_native(levels);

	s->native.tlb_misses += misses;
	s->native.walk_refs += refs;
	return nr * p->ps[t->op_fill ? PRICE_FILL_4K : PRICE_TOUCH] +
	       refs * p->ps[PRICE_WALK_REF];
}

/*
 * Pages from the cursor on: up to the end of the region or to the first fault,
 * which is a step of its own.
 */
static uint64_t native_touch(struct sim *s, struct task *t,
			     struct native_mapping *m, uint32_t *touched)
{
	pfn_t pfn = (pfn_t)bytes_to_pages(t->op.addr + t->op.cursor);
	pfn_t left = (pfn_t)bytes_to_pages(t->op.len - t->op.cursor);
	const struct native_part *p = part_of_page(m, &pfn);
	const pfn_t stop = pfn_align_down(pfn, HPAGE_PMD_ORDER) + HPAGE_PMD_NR;
	const bool first = !t->op.cursor;
	uint64_t ps = 0;
	pfn_t nr = 0;

	left = left < p->nr_pages - pfn ? left : p->nr_pages - pfn;
	left = left < stop - pfn ? left : stop - pfn;
	while (nr < left && hv_block_mapped(p->map, pfn + nr, 0))
		nr++;
	if (!nr) {
		ps = access_page(s, t, p, pfn);
		nr = mapped_huge(s, p, pfn) ? left : 1;
	}
	*touched = nr;
	t->op.cursor += pages_to_bytes(nr);
	if (!mapped_huge(s, p, pfn))
		return ps + price_touches(s, t, nr, nr, WALK_LEVELS_4K);
	if (hugetlb_order(s) != HV_ORDER_1G)
		return ps + price_touches(s, t, nr, 1, WALK_LEVELS_2M);
	/* One entry serves all steps within 1 GiB. */
	return ps + price_touches(s, t, nr,
				  first || pfn_aligned(pfn, HV_ORDER_1G),
				  WALK_LEVELS_1G);
}

/* ---- discard ---- */

/* The largest block that starts at pfn and is not longer than nr pages. */
static unsigned int block_order(pfn_t pfn, pfn_t nr)
{
	unsigned int order = 0;

	while (order < HPAGE_PMD_ORDER && pfn_aligned(pfn, order + 1) &&
	       order_nr_pages(order + 1) <= nr)
		order++;
	return order;
}

static void discard_part(struct sim *s, const struct native_part *p, pfn_t pfn,
			 pfn_t nr, struct hv_events *ev)
{
	while (nr) {
		const unsigned int order = block_order(pfn, nr);

		s->hv->ops->discard(s->hv, p->hv_id, pfn, order,
				    HV_ORIGIN_BALLOON, ev);
		note(s, DIGEST_DROP, p->hv_id, order, pfn);
		pfn += order_nr_pages(order);
		nr -= order_nr_pages(order);
	}
}

/* One call, whatever number of blocks the back end is told of. */
static uint64_t native_dontneed(struct sim *s, const struct task *t,
				struct native_mapping *m)
{
	const struct price_now *p = &s->price;
	struct hv_events ev = { 0 };
	pfn_t at = (pfn_t)bytes_to_pages(t->op.addr);
	pfn_t left = (pfn_t)bytes_to_pages(t->op.len);

	while (left) {
		pfn_t pfn = at;
		const struct native_part *part = part_of_page(m, &pfn);
		const pfn_t nr = left < part->nr_pages - pfn ?
				 left : part->nr_pages - pfn;

		discard_part(s, part, pfn, nr, &ev);
		at += nr;
		left -= nr;
	}
	ev.discard_calls = 1;
	ev.tlb_flush_rounds = ev.tlb_flush_rounds ? 1 : 0;
	return take_events(s, &ev) + p->ps[PRICE_DISCARD_CALL] +
	       ev.zap_pmd * p->ps[PRICE_DISCARD_2M] +
	       ev.zap_pte * p->ps[PRICE_DISCARD_4K];
}

/* ---- steps ---- */

uint64_t native_step(struct vcpu *v, struct task *t, bool *done)
{
	struct sim *s = v->guest->sim;
	struct native_mapping *m = &t->native->slots[t->native_slot];
	const uint64_t call = s->price.ps[PRICE_SYSCALL];
	uint32_t touched = 0;
	uint64_t ps;

	*done = true;
	switch (t->op.kind) {
	case GUEST_MMAP:
		native_mmap(s, t, m);
		return call;
	case GUEST_MUNMAP:
		return call + native_munmap(s, m);
	case GUEST_MADV_DONTNEED:
		return native_dontneed(s, t, m);
	case GUEST_EXIT:
		return native_exit(s, t->native);
	default:
		break;
	}
	CHECK_EQ(t->op.kind, GUEST_TOUCH);
	ps = native_touch(s, t, m, &touched);
	*done = t->op.cursor == t->op.len;
	if (t->op_counted) {
		t->iterations += touched;
		phase_note_iterations(s, touched);
	}
	return ps;
}

void native_gauges(const struct sim *s, struct sim_sample *out)
{
	const struct sim_guest *g = &s->guests[0];

	for (uint32_t i = 0; i < g->nr_tasks; i++) {
		const struct native_mm *mm = g->tasks[i].native;

		for (unsigned int n = 0; mm && n < WORKLOAD_MAX_SLOTS *
						   NATIVE_PARTS; n++) {
			const struct native_part *p =
				&mm->slots[n / NATIVE_PARTS].part[n %
								  NATIVE_PARTS];
			struct hv_gauges hv;

			if (!p->nr_pages)
				continue;
			s->hv->ops->gauges(s->hv, p->hv_id, &hv);
			out->host_rss_pages += hv.rss_pages;
			out->host_anon_huge_pages +=
				hv.anon_huge_regions * HPAGE_PMD_NR;
			out->host_lazy_pages += hv.lazy_pages;
		}
	}
}
