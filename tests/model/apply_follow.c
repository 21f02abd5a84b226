/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Random operations on both allocators: single blocks moved as a recorded
 * kernel moved them, the capture slot, and state that a recording sets.
 */
#include "include/check.h"
#include "tests/model/ops.h"

bool apply_pcp_take(struct world *w, const struct op *op)
{
	static const uint8_t orders[] = { 0, 0, 0, 1, 2, 3, 9 };
	const int order = w->kernel < K61 ? 0 :
			  orders[op->nr % ARRAY_SIZE(orders)];
	const int zone = op_pick_zone(w, op);
	const int type = w->m->grouping ? op->type : NU;
	uint32_t want, got;

	op_script(w, "# from the pcp: zone %d cpu=%d %c %d", zone, op->cpu,
		  "UMR"[type], order);
	want = naive_pcp_take(w->m, zone, op->cpu, order, type);
	got = alloc_pcp_take(w->a, (unsigned int)zone, op->cpu,
			     (unsigned int)order, (enum migratetype)type);
	if (!op_answer(w, "pcp take", got, want))
		return false;
	if (got != PFN_NONE)
		op_add_live(w, got, order);
	return true;
}

/* A block near the end of a CPU's list; false if that is empty. */
static bool pick_pcp(const struct world *w, const struct op *op,
		     struct block *out)
{
	const struct naive_zone *z = &w->m->zone[op_pick_zone(w, op)];
	const struct naive_list *l =
		&z->pcp[op->cpu].list[op->nr % NAIVE_PCP_LISTS];
	int steps;

	if (l->nr == 0)
		return false;
	out->pfn = l->head;
	for (steps = (int)(op->nr / 64 % 16) % l->nr; steps > 0; steps--)
		out->pfn = w->m->page[out->pfn].next;
	out->order = w->m->page[out->pfn].order;
	return true;
}

/* Out of a pcp list: to the buddy, or to whoever asked. */
bool apply_pcp_move(struct world *w, const struct op *op)
{
	const unsigned int guess = op->nr / 4096 % NAIVE_CPUS;
	unsigned int pindex, owner;
	struct block b;

	if (!pick_pcp(w, op, &b) || w->nr_live == NAIVE_PAGES)
		return true;
	op_script(w, "# pcp block %u of cpu=%d %s", b.pfn, op->cpu,
		  op->flags & FLAG_ON ? "to the buddy" : "handed out");
	owner = alloc_pcp_owner(w->a, b.pfn, guess, &pindex);
	if (owner != op->cpu)
		return op_differ(w, "pcp owner", owner, op->cpu);
	if (op->flags & FLAG_ON) {
		naive_pcp_flush_block(w->m, op->cpu, b.pfn);
		alloc_pcp_flush_block(w->a, op->cpu, b.pfn);
	} else {
		naive_pcp_remove(w->m, op->cpu, b.pfn);
		alloc_pcp_remove(w->a, op->cpu, b.pfn);
		op_add_live(w, b.pfn, b.order);
	}
	return true;
}

bool apply_pcp_push(struct world *w, const struct op *op)
{
	const int cached = (int)(op->nr % 4);
	struct block b;
	int list;

	if (!w->nr_live)
		return true;
	b = w->live[op->pick % (uint32_t)w->nr_live];
	if (!naive_pcp_order(w->m, b.order))
		return true;
	op_take_live(w, op->pick);
	list = naive_pcp_list(b.order, op->type);
	op_script(w, "# push %u %d to pcp list %d of cpu=%d, type %d", b.pfn,
		  b.order, list, op->cpu, cached);
	naive_pcp_push(w->m, op->cpu, list, b.order, b.pfn, cached);
	alloc_pcp_push(w->a, op->cpu, (unsigned int)list, b.pfn,
		       (enum migratetype)cached);
	return true;
}

bool apply_pcp_state(struct world *w, const struct op *op)
{
	const int zone = op_pick_zone(w, op);
	struct naive_pcp *p = &w->m->zone[zone].pcp[op->cpu];
	const struct alloc_pcp_state s = {
		.high = (uint32_t)p->high_min + op->nr % 256,
		.free_count = op->nr / 256 % 128,
		.alloc_factor = (uint8_t)(op->nr / 65536 % 6),
		.prev_free_high_order = op->flags & FLAG_ON,
		.big_cache = op->flags & FLAG_FAST,
	};

	if (w->kernel < K612_0)
		return true;
	op_script(w, "# pcp state of zone %d cpu=%d: %u %u %u %d %d", zone,
		  op->cpu, s.high, s.free_count, s.alloc_factor,
		  s.prev_free_high_order, s.big_cache);
	p->high = (int)s.high;
	p->free_count = (int)s.free_count;
	p->alloc_factor = s.alloc_factor;
	p->prev_free_high = s.prev_free_high_order;
	p->big_cache = s.big_cache;
	alloc_set_pcp_state(w->a, (unsigned int)zone, op->cpu, &s);
	return true;
}

static uint32_t random_pfn(const struct world *w, const struct op *op)
{
	const struct naive_zone *z = &w->m->zone[op_pick_zone(w, op)];

	return z->start + (op->pick >> 4) % (z->end - z->start);
}

bool apply_off_buddy(struct world *w, const struct op *op)
{
	const uint32_t pfn = random_pfn(w, op) & ~((1u << op->order) - 1);
	bool want, got;

	if (!naive_zone_of(w->m, pfn) || w->nr_live == NAIVE_PAGES)
		return true;
	op_script(w, "# take %u %d out of its free block", pfn, op->order);
	want = naive_take_off_buddy(w->m, pfn, op->order);
	got = alloc_take_off_buddy(w->a, pfn, op->order);
	if (got != want)
		return op_differ(w, "take off buddy", got, want);
	if (got)
		op_add_live(w, pfn, op->order);
	return true;
}

bool apply_unreserve(struct world *w, const struct op *op)
{
	const bool want = naive_unreserve_highatomic(w->m, op->type);
	const bool got = alloc_unreserve_highatomic(w->a, op->cpu, op_gfp(op));

	op_script(w, "# unreserve %c", "UMR"[op->type]);
	return got == want || op_differ(w, "unreserve", got, want);
}

/* A compactor waits for a block that is about to be freed. */
bool apply_capture(struct world *w, const struct op *op)
{
	const int order = op->order < 10 ? op->order : 9;
	struct block b;

	if (!w->nr_live || w->m->capture_pfn != NAIVE_NONE)
		return true;
	b = w->live[op->pick % (uint32_t)w->nr_live];
	w->m->capture_order = b.order > order || b.order == 10 ? b.order :
			      order;
	w->m->capture_pfn = b.pfn & ~((1u << w->m->capture_order) - 1);
	op_script(w, "# wait for %u %d", w->m->capture_pfn,
		  w->m->capture_order);
	alloc_capture_arm(w->a, w->m->capture_pfn,
			  (unsigned int)w->m->capture_order);
	return true;
}

bool apply_collect(struct world *w, const struct op *op)
{
	const uint32_t want = w->m->captured ? w->m->capture_pfn : NAIVE_NONE;
	const uint32_t got = alloc_capture_collect(w->a);

	(void)op;
	op_script(w, "# collect %d", (int)want);
	if (!op_answer(w, "capture", got, want))
		return false;
	if (want != NAIVE_NONE)
		op_add_live(w, want, w->m->capture_order);
	w->m->capture_pfn = NAIVE_NONE;
	w->m->captured = false;
	return true;
}

bool apply_below_high(struct world *w, const struct op *op)
{
	const int zone = op_pick_zone(w, op);
	const bool on = op->flags & FLAG_ON;

	op_script(w, "# below high in zone %d: %d", zone, on);
	w->m->zone[zone].below_high = on;
	alloc_set_below_high(w->a, (unsigned int)zone, on);
	return true;
}

bool apply_lag(struct world *w, const struct op *op)
{
	const int zone = op_pick_zone(w, op);
	const int lag = op->flags & FLAG_ON ? (int)(op->nr % 64) - 32 : 0;

	op_script(w, "# lag of zone %d = %d", zone, lag);
	w->m->zone[zone].lag = lag;
	alloc_set_free_lag(w->a, (unsigned int)zone, lag);
	return true;
}

bool apply_shuffle_zone(struct world *w, const struct op *op)
{
	const int zone = op_pick_zone(w, op);

	op_script(w, "# shuffle zone %d", zone);
	naive_shuffle_zone(w->m, zone);
	alloc_shuffle_zone(w->a, (unsigned int)zone);
	return true;
}

static bool clear_one(struct world *w, uint32_t pfn)
{
	const bool want = w->m->page[pfn].lru;
	const bool test = alloc_test_lru(w->a, pfn);
	const bool got = alloc_clear_lru(w->a, pfn);

	w->m->page[pfn].lru = false;
	return (got == want && test == want) ||
	       op_differ(w, "LRU bit", got, want);
}

#define MAX_LRU_LIST 100

/* Some pages from pfn on, ascending or descending, all of one zone. */
static int lru_list(const struct world *w, const struct op *op, uint32_t pfn,
		    uint32_t *pfns)
{
	const struct naive_zone *z = naive_zone_of(w->m, pfn);
	const uint32_t step = op->nr / 128 % 3 + 1;
	const int wanted = (int)(op->nr % MAX_LRU_LIST) + 1;
	int nr;

	for (nr = 0; nr < wanted && pfn >= z->start && pfn < z->end; nr++) {
		pfns[nr] = pfn;
		pfn = op->nr & 0x1000 ? pfn + step : pfn - step;
	}
	return nr;
}

static bool clear_list(struct world *w, const uint32_t *pfns, int nr)
{
	const int got = (int)alloc_clear_lru_list(w->a, pfns,
						  (unsigned int)nr);
	int want;

	for (want = 0; want < nr && w->m->page[pfns[want]].lru; want++)
		w->m->page[pfns[want]].lru = false;
	return got == want || op_differ(w, "LRU list", (uint32_t)got,
					(uint32_t)want);
}

bool apply_clear_lru(struct world *w, const struct op *op)
{
	uint32_t pfns[MAX_LRU_LIST], pfn = random_pfn(w, op);
	int nr, i;

	if (!(op->flags & FLAG_FAST)) {
		op_script(w, "# off the LRU: %u", pfn);
		return clear_one(w, pfn);
	}
	nr = lru_list(w, op, pfn, pfns);
	op_script(w, "# %d pages from %u to %u %s the LRU", nr, pfn,
		  pfns[nr - 1], op->flags & FLAG_ON ? "on" : "off");
	if (!(op->flags & FLAG_ON))
		return clear_list(w, pfns, nr);
	for (i = 0; i < nr; i++)
		w->m->page[pfns[i]].lru = true;
	alloc_set_lru_list(w->a, pfns, (unsigned int)nr);
	return true;
}
