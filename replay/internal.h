/* SPDX-License-Identifier: GPL-2.0-or-later */
/* State of one replay; only the replay sources and their tests include it. */
#ifndef REPLAY_INTERNAL_H
#define REPLAY_INTERNAL_H

#include "replay/names.h"
#include "replay/replay.h"

/* A block that a free gave to a waiting compactor (K), until its AK. */
struct capture {
	pfn_t pfn;
	uint16_t cpu;
	uint8_t order;
};

#define MAX_CAPTURES 64 /* one per CPU that compacts */
#define MAX_PENDING 4096 /* T and M records in front of one record */

struct coin {
	pfn_t freed;      /* twin's page */
	bool tail, used;
};

struct lru_count {
	pfn_t pfn;
	uint32_t movable;
	bool used;
};

struct replay_reporter;

struct replay {
	struct replay_options opt;
	struct diag *diag;
	struct alloc *alloc;
	struct snapshot *before, *after;
	struct req_stream *stream;
	struct names names;
	struct replay_result res;
	uint8_t zone_of_zid[TRACE_MAX_ZONES]; /* index in the allocator */
	uint64_t *reported;      /* Q: bit per observed PFN, cleared by R */
	struct capture captures[MAX_CAPTURES];
	unsigned int nr_captures;
	struct req_record armed; /* K that waits for its free; kind K if so */
	/* T and M records waiting for the record that they belong to. */
	struct coin *coins;
	struct lru_count *lru_counts;
	uint32_t nr_coins, nr_lru_counts;
	struct replay_reporter *reporter; /* options.reporter, running */
};

/* ---- twin.c ---- */

/* Migratetype of the allocator for a type index of the snapshot's kernel. */
enum migratetype twin_type(const struct snapshot *s, unsigned int mt);
unsigned int twin_zone(const struct replay *r, const struct req_record *rec);

/* ---- hints.c ---- */

int hints_init(struct replay *r);
void hints_destroy(struct replay *r);
void hints_add_coin(struct replay *r, const struct req_record *rec);
void hints_add_lru(struct replay *r, const struct req_record *rec);
void hints_drop_coins(struct replay *r);
void hints_drop_lru(struct replay *r);

/* ---- apply_alloc.c, apply_free.c, apply_block.c: one record each ---- */

void apply_alloc(struct replay *r, const struct req_record *rec,
		 struct replay_step *step);
void apply_free(struct replay *r, const struct req_record *rec,
		struct replay_step *step);
void apply_prepare(struct replay *r, const struct req_record *rec,
		   struct replay_step *step);
void apply_drain(struct replay *r, const struct req_record *rec,
		 struct replay_step *step);
void apply_isolate(struct replay *r, const struct req_record *rec,
		   struct replay_step *step);
void apply_putback(struct replay *r, const struct req_record *rec,
		   struct replay_step *step);
void apply_rotate(struct replay *r, const struct req_record *rec,
		  struct replay_step *step);
void apply_capture(struct replay *r, const struct req_record *rec,
		   struct replay_step *step);
void apply_report(struct replay *r, const struct req_record *rec);
/* A free is over: the capture that was waiting for it has a block, or not. */
void capture_collect(struct replay *r);
/* The oldest captured block of this order, PFN_NONE if there is none. */
pfn_t capture_take(struct replay *r, unsigned int cpu, unsigned int order);

static inline void step_skip(struct replay *r, enum replay_skip why)
{
	r->res.skipped[why]++;
}

/* ---- explain.c ---- */

#define SHOWN_BLOCKS 8 /* of a list, in explanations */

/* "o3/U": order and type letter. */
const char *list_name(unsigned int order, enum migratetype mt, char out[16]);
/* The list from `first` on, at most SHOWN_BLOCKS: "1024 1040r ... 17 in all" */
void print_blocks(const struct alloc *a, pfn_t first, FILE *out);

/* The first miss: why, and the lists concerned as they are now. */
void explain_miss(struct replay *r, const struct req_record *rec,
		  pfn_t expected, pfn_t got, enum replay_cause cause);

/* ---- assist.c ---- */

/* Give `got` back and take `expected` out of the twin's lists instead. */
bool assist_force(struct replay *r, const struct req_record *rec,
		  pfn_t expected, pfn_t got);

/* ---- act.c: a reporter that acts itself ---- */

int act_init(struct replay *r);
void act_destroy(struct replay *r);
/* Compare an I, R, TF, TB or Q record with what the reporter did. */
void act_expect(struct replay *r, const struct req_record *rec);

#endif
