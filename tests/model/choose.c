/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Random operations: which ones, and how often. */
#include "include/check.h"
#include "tests/model/ops.h"

#define MANY_ISOLATED 5

/* Of 1000 operations; what is left over allocates or frees. */
static const struct {
	uint8_t kind;
	uint8_t weight;
} rare_ops[] = {
	{ OP_ALLOC_BUDDY, 40 }, { OP_ALLOC_MANY, 15 }, { OP_PUT_MANY, 9 },
	{ OP_ALLOC_BULK, 15 }, { OP_PUT, 40 }, { OP_FREE_LIST, 20 },
	{ OP_SPLIT, 25 }, { OP_DRAIN_CPU, 6 },
	{ OP_DRAIN_ALL, 3 }, { OP_DRAIN_PAGESET, 8 }, { OP_ISOLATE, 25 },
	{ OP_ISOLATE_RAW, 3 }, { OP_PUTBACK, 30 }, { OP_PUTBACK_TAIL, 8 },
	{ OP_PAGEBLOCK, 5 }, { OP_LRU, 20 }, { OP_WATERMARK, 6 },
	{ OP_RESERVE, 2 }, { OP_BOOST, 8 }, { OP_RECLAIM, 3 }, { OP_TICK, 8 },
	{ OP_ROTATE, 10 }, { OP_MARK, 10 }, { OP_GROUPING, 1 },
	{ OP_SHUFFLE, 1 }, { OP_PCP, 2 }, { OP_RUN, 20 }, { OP_GATHER, 10 },
	{ OP_GATHER_LIST, 8 },
	{ OP_PCP_TAKE, 10 }, { OP_PCP_MOVE, 6 }, { OP_PCP_PUSH, 3 },
	{ OP_PCP_STATE, 1 }, { OP_OFF_BUDDY, 4 }, { OP_UNRESERVE, 2 },
	{ OP_CAPTURE, 5 }, { OP_COLLECT, 5 }, { OP_BELOW_HIGH, 1 },
	{ OP_LAG, 1 }, { OP_SHUFFLE_ZONE, 1 }, { OP_CLEAR_LRU, 10 },
};

static uint8_t choose_kind(struct rng *r, const struct world *w,
			   const struct mood *mood)
{
	unsigned int n = rng_below(r, 1000), i;

	for (i = 0; i < ARRAY_SIZE(rare_ops); i++) {
		if (n < rare_ops[i].weight && w->nr_isolated > MANY_ISOLATED &&
		    rare_ops[i].kind == OP_ISOLATE)
			return OP_PUTBACK;
		if (n < rare_ops[i].weight)
			return rare_ops[i].kind;
		n -= rare_ops[i].weight;
	}
	/* Fifteen of 16 steps go towards the wanted fill. */
	if ((w->live_pages * 256 < mood->fill * w->pages) ==
	    (rng_below(r, 16) > 0))
		return OP_ALLOC;
	return OP_FREE;
}

/* Small orders are common, all occur. */
static uint8_t choose_order(struct rng *r, const struct mood *mood)
{
	unsigned int n = rng_below(r, 256);

	if (mood->large && n % 4)
		return (uint8_t)(NAIVE_PB_ORDER - 2 + rng_below(r, 4));
	if (n < mood->single)
		return 0;
	if (n < 250)
		return (uint8_t)(1 + rng_below(r, 3));
	return (uint8_t)rng_below(r, NAIVE_ORDERS);
}

static uint8_t choose_type(struct rng *r, const struct mood *mood)
{
	if (rng_below(r, 2))
		return mood->type;
	return (uint8_t)rng_below(r, 3);
}

static uint32_t choose_flags(struct rng *r)
{
	uint32_t flags = 0;

	if (rng_below(r, 16) == 0)
		flags |= FLAG_BUDDY;
	if (rng_below(r, 100) == 0)
		flags |= FLAG_HIGHATOMIC;
	if (rng_below(r, 3) == 0)
		flags |= FLAG_NOFRAGMENT;
	if (rng_below(r, 2) == 0)
		flags |= FLAG_FAST;
	if (rng_below(r, 2) == 0)
		flags |= FLAG_ON;
	return flags;
}

#define MOOD_OPS 5000

void mood_update(struct mood *mood, const struct world *w, uint64_t seed,
		 unsigned int i)
{
	const unsigned int period = MOOD_OPS * w->scale;
	struct rng r;

	if (i % period)
		return;
	rng_init(&r, seed, "mood", i / period);
	*mood = (struct mood){
		.fill = rng_below(&r, 4) ? 100 + rng_below(&r, 156) : 0,
		.large = rng_below(&r, 4) == 0,
		.single = 100 + rng_below(&r, 150),
		.type = (uint8_t)rng_below(&r, 3),
	};
}

struct op op_random(struct rng *r, const struct world *w,
		    const struct mood *mood)
{
	return (struct op){
		.kind = choose_kind(r, w, mood),
		.cpu = (uint8_t)rng_below(r, NAIVE_CPUS),
		.type = choose_type(r, mood),
		.order = choose_order(r, mood),
		.flags = choose_flags(r),
		.pick = (uint32_t)rng_next(r),
		.nr = (uint32_t)rng_next(r),
	};
}
