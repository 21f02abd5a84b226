/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Private to choose.c and the files that apply operations. */
#ifndef TESTS_MODEL_OPS_H
#define TESTS_MODEL_OPS_H

#include "tests/model/differential.h"

#define FLAG_BUDDY 0x1u
#define FLAG_HIGHATOMIC 0x2u
#define FLAG_NOFRAGMENT 0x4u
#define FLAG_FAST 0x8u       /* through alloc_page_fast() first */
#define FLAG_ON 0x10u

typedef bool apply_fn(struct world *w, const struct op *op);

/* apply.c: requests and frees */
apply_fn apply_alloc, apply_alloc_buddy, apply_many, apply_free, apply_put,
	 apply_split;
/* apply_runs.c: several requests or frees in one call */
apply_fn apply_bulk, apply_free_list, apply_run, apply_gather,
	 apply_gather_list;
/* apply_state.c: all else */
apply_fn apply_drain, apply_drain_pageset, apply_isolate, apply_putback,
	 apply_pageblock, apply_lru, apply_watermark, apply_reserve,
	 apply_boost, apply_reclaim, apply_tick, apply_rotate, apply_mark,
	 apply_switch, apply_pcp;

/* apply_follow.c: single blocks and what replay sets */
apply_fn apply_pcp_take, apply_pcp_move, apply_pcp_push, apply_pcp_state,
	 apply_off_buddy, apply_unreserve, apply_capture, apply_collect,
	 apply_below_high, apply_lag, apply_shuffle_zone, apply_clear_lru;

/* A line for the script, if one is written. */
__attribute__((format(printf, 2, 3)))
void op_script(const struct world *w, const char *fmt, ...);
/* The two answers differ: say so; false. */
bool op_differ(struct world *w, const char *what, uint32_t alloc,
	       uint32_t naive);
/* One page frame number handed out: the same by both? PFN_NONE is none. */
bool op_answer(struct world *w, const char *what, uint32_t alloc,
	       uint32_t naive);
void op_add_live(struct world *w, uint32_t pfn, int order);
struct block op_take_live(struct world *w, uint32_t pick);
gfp_t op_gfp(const struct op *op);
int op_pick_zone(const struct world *w, const struct op *op);

#endif
