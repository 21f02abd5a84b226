/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * kswapd of a node: reclaims until a zone is above its high watermark, and takes
 * off the boost that it found. Models kswapd, balance_pgdat, pgdat_balanced,
 * kswapd_shrink_node and the tests of wakeup_kswapd, 5.3 to 6.18.
 *
 * Left out: the second look after 100 ms before it sleeps for long, throttled
 * tasks, and the laptop and writeback modes.
 */
#include "guest/compact.h"
#include "guest/deferred_split.h"

#define DEF_PRIORITY 12
#define SWAP_CLUSTER_MAX 32u
#define MAX_RECLAIM_RETRIES 16u

bool zone_of_helper(const struct alloc_zone_info *z, const struct helper *h)
{
	return z->node == h->node && z->type <= h->reach.highest && z->managed;
}

/* Models pgdat_balanced. */
static bool pgdat_balanced(const struct guest *g, const struct helper *h,
			   unsigned int order)
{
	struct alloc_zone_info z;
	bool any = false;

	for (unsigned int i = 0; i < alloc_nr_zones(g->alloc); i++) {
		alloc_zone_info(g->alloc, i, &z);
		if (!zone_of_helper(&z, h))
			continue;
		any = true;
		if (alloc_watermark_ok(g->alloc, i, order,
				       z.wmark_high + z.boost,
				       h->reach.highest))
			return true;
	}
	return !any;
}

/* Sum over the node's zones of what a pass may reclaim at most. */
static uint64_t pass_target(const struct guest *g, const struct helper *h)
{
	struct alloc_zone_info z;
	uint64_t sum = 0;

	for (unsigned int i = 0; i < alloc_nr_zones(g->alloc); i++) {
		uint64_t high;

		alloc_zone_info(g->alloc, i, &z);
		high = z.wmark_high + z.boost;
		if (zone_of_helper(&z, h))
			sum += high > SWAP_CLUSTER_MAX ? high :
							 SWAP_CLUSTER_MAX;
	}
	return sum;
}

static void set_active(const struct guest *g, const struct helper *h, bool on)
{
	struct alloc_zone_info z;

	for (unsigned int i = 0; i < alloc_nr_zones(g->alloc); i++) {
		alloc_zone_info(g->alloc, i, &z);
		if (zone_of_helper(&z, h))
			alloc_set_reclaim_active(g->alloc, i, on);
	}
}

/* Models the start of balance_pgdat: the boost that is to be worked off. */
static void balance_start(struct run *r, struct helper *h)
{
	struct alloc_zone_info z;

	r->g->counters.pageoutrun++;
	h->boost_left = 0;
	for (unsigned int i = 0; i < alloc_nr_zones(r->g->alloc); i++) {
		alloc_zone_info(r->g->alloc, i, &z);
		h->boost[i] = zone_of_helper(&z, h) ? z.boost : 0;
		h->boost_left += h->boost[i];
	}
	h->boosted = h->boost_left > 0;
	h->priority = DEF_PRIORITY;
	h->reclaimed = 0;
	h->running = false;
	set_active(r->g, h, true);
}

/* The boost is gone, as far as it was there at the start. */
static void balance_end(struct run *r, struct helper *h)
{
	struct alloc_zone_info z;

	for (unsigned int i = 0; h->boosted && i < alloc_nr_zones(r->g->alloc);
	     i++) {
		alloc_zone_info(r->g->alloc, i, &z);
		if (h->boost[i])
			alloc_set_boost(r->g->alloc, i,
					z.boost > h->boost[i] ?
						z.boost - h->boost[i] : 0);
	}
	set_active(r->g, h, false);
}

void kswapd_stop(struct run *r, struct helper *h)
{
	if (h->balancing)
		balance_end(r, h);
}

/* After a pass: is another one worth it? Lowers the priority. */
static bool pass_end(struct helper *h, uint64_t target)
{
	h->running = false;
	h->reclaimed += h->pass_reclaimed;
	/* Enough for compaction to make the block. */
	if (h->order && h->reclaimed >= UINT64_C(2) << h->order)
		h->order = 0;
	if (h->boost_left) {
		if (!h->pass_reclaimed)
			return false;
		h->boost_left -= h->pass_reclaimed < h->boost_left ?
					 h->pass_reclaimed : h->boost_left;
	}
	if (h->pass_scanned < target || !h->pass_reclaimed)
		h->priority--;
	return h->priority >= 1;
}

/*
 * Models balance_pgdat. progress: the order to compact for, + 1, or 0; the
 * order that it still thinks of is in h->order.
 */
enum guest_status kswapd_balance(struct run *r, struct helper *h)
{
	struct guest *g = r->g;
	struct node_state *n = &g->mem->nodes[h->node];
	const uint64_t target = pass_target(g, h);

	if (!h->balancing)
		balance_start(r, h);
	h->balancing = true;
	for (;;) {
		if (!h->running) {
			const bool balanced = pgdat_balanced(g, h, h->order);

			if (balanced && !h->boost_left)
				break;
			/* Short of memory: the boost is nothing to that. */
			if (!balanced && h->boost_left) {
				h->boost_left = 0;
				h->priority = DEF_PRIORITY;
			}
			reclaim_pass_start(r, h);
		}
		if (!shrink_node(r, h, target))
			return GUEST_MORE;
		deferred_split_shrink(r, h->priority);
		if (pass_end(h, target))
			continue;
		if (!h->reclaimed)
			n->kswapd_failures++;
		break;
	}
	balance_end(r, h);
	h->balancing = false;
	return GUEST_DONE;
}

/* kswapd's own order: what it was woken for, or 0 after it gave up on that. */
static bool may_sleep(struct guest *g, const struct helper *h)
{
	return g->mem->nodes[h->node].kswapd_failures >= MAX_RECLAIM_RETRIES ||
	       pgdat_balanced(g, h, h->order);
}

static bool node_boosted(const struct guest *g, const struct helper *h)
{
	struct alloc_zone_info z;

	for (unsigned int i = 0; i < alloc_nr_zones(g->alloc); i++) {
		alloc_zone_info(g->alloc, i, &z);
		if (zone_of_helper(&z, h) && z.boost)
			return true;
	}
	return false;
}

static void reset_node_skip(struct guest *g, unsigned int node)
{
	for (unsigned int i = 0; i < alloc_nr_zones(g->alloc); i++)
		if (g->mem->zones[i].blockskip_flush &&
		    zone_node(g, i) == node)
			reset_isolation_suitable(g, i);
}

/*
 * Models wakeup_kswapd and kswapd: addr becomes the order that kcompactd is to
 * be woken for, 0 = it is not.
 */
enum guest_status kswapd_run(struct run *r)
{
	struct guest *g = r->g;
	struct guest_op *op = r->op;
	struct helper *h = op->helper ? helper_of(g, op) : NULL;

	if (!h) {
		h = helper_new(g, op, HELP_KSWAPD);
		if (!h)
			return GUEST_NOMEM;
		h->order = op->flags;
		h->node = op->file;
		h->reach.highest = (unsigned int)op->len;
		op->addr = op->flags;
		if (may_sleep(g, h) && !node_boosted(g, h)) {
			/* Who reclaims directly compacts directly, too. */
			if (op->cursor)
				op->addr = 0;
			helper_delete(g, op);
			return GUEST_DONE;
		}
	}
	for (;;) {
		const enum guest_status status = kswapd_balance(r, h);

		if (status != GUEST_DONE)
			return status;
		if (h->boosted && op->addr < alloc_pageblock_order(g->alloc))
			op->addr = alloc_pageblock_order(g->alloc);
		if (may_sleep(g, h))
			break;
		/* It reads its order anew: nobody has asked again. */
		h->order = 0;
	}
	reset_node_skip(g, h->node);
	helper_delete(g, op);
	return GUEST_DONE;
}
