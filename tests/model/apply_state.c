/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Random operations on both allocators: drains, isolation, and what is set
 * from outside.
 */
#include "include/check.h"
#include "tests/model/ops.h"

bool apply_drain(struct world *w, const struct op *op)
{
	int cpu;

	if (op->kind == OP_DRAIN_CPU) {
		op_script(w, "drain cpu=%d", op->cpu);
		naive_drain_cpu(w->m, op->cpu);
		alloc_drain_cpu(w->a, op->cpu);
		return true;
	}
	op_script(w, "drain");
	for (cpu = 0; cpu < w->m->nr_cpus; cpu++)
		naive_drain_cpu(w->m, cpu);
	alloc_drain_all(w->a);
	return true;
}

bool apply_drain_pageset(struct world *w, const struct op *op)
{
	int zone = op_pick_zone(w, op), nr = (int)(op->nr % (64 * w->scale)) + 1;
	int pindex = w->kernel < K61 ? 0 : (int)(op->nr / 4096 % 14);

	op_script(w, "# drain %d pages of zone %d cpu %d from list %d", nr,
		  zone, op->cpu, pindex);
	naive_drain_pageset(w->m, zone, op->cpu, nr, pindex);
	alloc_drain_pageset(w->a, (unsigned int)zone, op->cpu, (uint32_t)nr,
			    (unsigned int)pindex);
	return true;
}

/* A block this far from the head or the tail of a free list, at most. */
#define PICK_DEPTH 32

static struct block pick_on(const struct world *w, const struct naive_list *l,
			    uint32_t pick, int order)
{
	uint32_t steps = (pick >> 1) % PICK_DEPTH % (uint32_t)l->nr;
	uint32_t pfn = pick & 1 ? l->head : l->tail;

	for (; steps > 0; steps--)
		pfn = pick & 1 ? w->m->page[pfn].next : w->m->page[pfn].prev;
	return (struct block){ pfn, order };
}

/* A random free block of the model; false if nothing is free. */
static bool pick_free(const struct world *w, uint32_t pick, struct block *out)
{
	int nr_lists = w->m->nr_zones * NAIVE_ORDERS * NAIVE_TYPES, i;

	for (i = 0; i < nr_lists; i++) {
		int at = (int)((pick + (uint32_t)i * 7) % (uint32_t)nr_lists);
		int o = at / NAIVE_TYPES % NAIVE_ORDERS;
		const struct naive_list *l =
			&w->m->zone[at / NAIVE_TYPES / NAIVE_ORDERS]
				 .free[o][at % NAIVE_TYPES];

		if (l->nr) {
			*out = pick_on(w, l, pick >> 12, o);
			return true;
		}
	}
	return false;
}

bool apply_isolate(struct world *w, const struct op *op)
{
	struct block b;
	bool want = true, got = true;

	if (!pick_free(w, op->pick, &b) || w->nr_isolated == NAIVE_PAGES)
		return true;
	op_script(w, "isolate %u %d%s", b.pfn, b.order,
		  op->kind == OP_ISOLATE_RAW ? " # without a test" : "");
	if (op->kind == OP_ISOLATE_RAW) {
		naive_isolate_raw(w->m, b.pfn, b.order);
		alloc_isolate_raw(w->a, b.pfn);
	} else {
		want = naive_isolate(w->m, b.pfn, b.order);
		if (want && (op->flags & FLAG_FAST))
			alloc_isolate_allowed(w->a, b.pfn);
		else
			got = alloc_isolate(w->a, b.pfn);
	}
	if (got != want)
		return op_differ(w, "isolate", got, want);
	if (got)
		w->isolated[w->nr_isolated++] = b;
	return true;
}

bool apply_putback(struct world *w, const struct op *op)
{
	bool tail = op->kind == OP_PUTBACK_TAIL;
	enum migratetype mt;
	struct block b;
	int i;

	if (!w->nr_isolated)
		return true;
	i = (int)(op->pick % (uint32_t)w->nr_isolated);
	b = w->isolated[i];
	w->isolated[i] = w->isolated[--w->nr_isolated];
	op_script(w, "putback %u %d%s", b.pfn, b.order,
		  tail ? " # to the tail" : "");
	mt = alloc_pageblock_type(w->a, b.pfn);
	if (tail) {
		naive_putback_tail(w->m, b.pfn, b.order);
		alloc_putback_tail(w->a, b.pfn, (unsigned int)b.order, mt);
	} else {
		naive_putback(w->m, b.pfn, b.order);
		alloc_putback(w->a, b.pfn, (unsigned int)b.order, mt);
	}
	return true;
}

static uint32_t end_pfn(const struct world *w)
{
	return w->m->zone[w->m->nr_zones - 1].end;
}

/*
 * From 6.12 on the kernel moves what is free in a pageblock whenever its type
 * changes, so only pageblocks without free pages are changed alone.
 */
bool apply_pageblock(struct world *w, const struct op *op)
{
	uint32_t nr = (end_pfn(w) + NAIVE_PB - 1) / NAIVE_PB;
	uint32_t block = op->pick % nr;
	static const uint8_t special[] = { NC, NC, NH, NI };
	int type = op->nr % 8 < 6 ? op->type : special[op->nr / 8 % 4];

	if (w->kernel >= K612_0 &&
	    naive_pageblock_has_free(w->m, block * NAIVE_PB))
		return true;
	op_script(w, "pageblock %u %c", block, "UMRHCI"[type]);
	naive_write_type(w->m, block * NAIVE_PB, type);
	alloc_set_pageblock_type(w->a, block * NAIVE_PB,
				 (enum migratetype)type);
	return true;
}

bool apply_lru(struct world *w, const struct op *op)
{
	uint32_t first = op->pick % end_pfn(w), nr = op->nr % 600 + 1, i;
	bool on = op->flags & FLAG_ON;

	if (nr > end_pfn(w) - first)
		nr = end_pfn(w) - first;
	op_script(w, "%slru %u %u", on ? "" : "# off: ", first, first + nr);
	for (i = first; i < first + nr; i++)
		w->m->page[i].lru = on;
	alloc_set_lru(w->a, first, nr, on);
	return true;
}

bool apply_watermark(struct world *w, const struct op *op)
{
	struct naive_zone *z = &w->m->zone[op_pick_zone(w, op)];
	bool on = op->flags & FLAG_ON;

	z->wmark[0] = on ? op->nr % 40 : 0;
	z->wmark[1] = z->wmark[0] + (on ? op->nr / 100 % 60 : 0);
	z->wmark[2] = z->wmark[1] + (on ? op->nr / 10000 % 200 : 0);
	op_script(w, "watermark %s %d %d %d",
		  world_zone_name((unsigned int)z->type), (int)z->wmark[0],
		  (int)z->wmark[1], (int)z->wmark[2]);
	alloc_set_watermarks(w->a, (unsigned int)op_pick_zone(w, op),
			     (uint64_t)z->wmark[0], (uint64_t)z->wmark[1],
			     (uint64_t)z->wmark[2]);
	return true;
}

bool apply_reserve(struct world *w, const struct op *op)
{
	int zone = op_pick_zone(w, op), j = op->flags & FLAG_FAST ? 3 : 2;
	struct naive_zone *z = &w->m->zone[zone];

	z->reserve[j] = op->flags & FLAG_ON ? op->nr % 60 : 0;
	op_script(w, "reserve %s %s %d", world_zone_name((unsigned int)z->type),
		  world_zone_name((unsigned int)j), (int)z->reserve[j]);
	alloc_set_reserve(w->a, (unsigned int)zone, (unsigned int)j,
			  (uint64_t)z->reserve[j]);
	return true;
}

bool apply_boost(struct world *w, const struct op *op)
{
	int zone = op_pick_zone(w, op);

	w->m->zone[zone].boost = op->nr % 4 ? 0 : op->nr % 100;
	op_script(w, "# boost of zone %d = %d", zone,
		  (int)w->m->zone[zone].boost);
	alloc_set_boost(w->a, (unsigned int)zone,
			(uint64_t)w->m->zone[zone].boost);
	return true;
}

bool apply_reclaim(struct world *w, const struct op *op)
{
	int zone = op_pick_zone(w, op);
	bool on = op->flags & FLAG_ON;

	op_script(w, "# reclaim in zone %d %s", zone, on ? "on" : "off");
	w->m->zone[zone].reclaim = on;
	alloc_set_reclaim_active(w->a, (unsigned int)zone, on);
	return true;
}

bool apply_tick(struct world *w, const struct op *op)
{
	if (op->flags & FLAG_BUDDY) {
		const int zone = op_pick_zone(w, op);

		naive_decay_high(w->m, zone, op->cpu);
		alloc_decay_pcp_high(w->a, (unsigned int)zone, op->cpu);
		return true;
	}
	op_script(w, "# vmstat tick cpu=%d", op->cpu);
	naive_vmstat_tick(w->m, op->cpu);
	alloc_vmstat_tick(w->a, op->cpu);
	return true;
}

/* Both kinds of rotation keep the order around the ring. */
bool apply_rotate(struct world *w, const struct op *op)
{
	bool front = op->flags & FLAG_ON;
	struct block b;

	if (!pick_free(w, op->pick, &b))
		return true;
	op_script(w, "# rotate %u to the %s", b.pfn, front ? "front" : "back");
	naive_rotate(w->m, b.pfn, front);
	if (front)
		alloc_list_rotate_to_front(w->a, b.pfn);
	else
		alloc_list_rotate_to_back(w->a, b.pfn);
	return true;
}

bool apply_mark(struct world *w, const struct op *op)
{
	enum block_mark m = op->flags & FLAG_ON ? BLOCK_REPORTED :
			    BLOCK_HINTED;
	struct block b;

	if (!pick_free(w, op->pick, &b))
		return true;
	op_script(w, "# mark %u with %d", b.pfn, m);
	w->m->page[b.pfn].marks |= (uint8_t)m;
	alloc_block_set_mark(w->a, b.pfn, m);
	return true;
}

bool apply_switch(struct world *w, const struct op *op)
{
	bool on = op->flags & FLAG_ON;

	if (op->kind == OP_GROUPING) {
		op_script(w, "grouping %s", on ? "on" : "off");
		w->m->grouping = on;
		alloc_set_grouping(w->a, on);
	} else {
		op_script(w, "# shuffle %s", on ? "on" : "off");
		w->m->shuffle = on;
		alloc_set_shuffle(w->a, on);
	}
	return true;
}

bool apply_pcp(struct world *w, const struct op *op)
{
	static const uint8_t batches[] = { 1, 2, 3, 7, 15, 31, 63 };
	uint32_t batch = batches[op->nr % ARRAY_SIZE(batches)];
	uint32_t low = batch + op->nr / 8 % (batch * 6), high;
	int zone = op_pick_zone(w, op);

	/* Small batches below a high limit: the flush factor grows to its end. */
	if (op->flags & FLAG_NOFRAGMENT)
		low += op->nr / 4096 % 300;
	high = low;
	if (w->kernel >= K612_0 && (op->flags & FLAG_ON))
		high += op->nr / 512 % 400;
	op_script(w, "# pcp %u %u %u of zone %d cpu=%d", batch, low, high, zone,
		  op->cpu);
	naive_set_pcp(w->m, zone, op->cpu, (int)batch, (int)low, (int)high);
	alloc_set_pcp(w->a, (unsigned int)zone, op->cpu, batch, low, high, 0);
	return true;
}
