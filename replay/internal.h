/* SPDX-License-Identifier: GPL-2.0-or-later */
/* State of one replay; only the replay sources and their tests include it. */
#ifndef REPLAY_INTERNAL_H
#define REPLAY_INTERNAL_H

#include "replay/names.h"
#include "replay/replay.h"
#include "trace/source.h"

/* A compactor that waits for a block (K), until the free that builds it. */
struct waiting_capture {
	pfn_t observed;   /* kernel's page whose free is captured */
	pfn_t block;      /* twin's block */
	uint64_t born;    /* replay.nr_operations then */
	uint16_t cpu;
	uint8_t order;
};

/* A block that a free gave to a compactor, until its AK. */
struct capture {
	pfn_t pfn;
	uint16_t cpu;
	uint8_t order;
};

#define MAX_CAPTURES 64 /* one per CPU that compacts */
#define MAX_PENDING 4096 /* T, M and K records beside one record */

struct coin {
	pfn_t freed;      /* twin's page */
	uint64_t born;
	bool tail, used;
};

struct lru_count {
	pfn_t pfn;
	uint32_t movable;
	uint64_t born;
	bool used;
};

/* What a CPU drained last, while it may go on. */
struct drainer {
	uint16_t cpu;     /* whose pageset */
	uint8_t zone;     /* index in the allocator */
	bool running;
	bool whole;       /* nothing was left in it */
};

/* Free pages that a CPU has not told a zone's counter of. */
struct kept {
	int32_t pages, threshold;
};

struct ahead;

struct stock;

struct replay_reporter;

struct replay {
	struct replay_options opt;
	struct diag *diag;
	struct alloc *alloc;
	struct snapshot *before, *after;
	struct trace_source *source;
	struct trace_event first; /* read to learn what the trace holds */
	int first_ret;           /* what reading it returned */
	bool first_taken;
	struct ahead *ahead;     /* records read and not yet handed out */
	struct stock *stock;     /* a trace of tracepoints, else NULL */
	uint64_t *in_use;        /* without a snapshot: bit per PFN */
	unsigned int line;       /* of the record handed out last */
	struct names names;
	struct replay_result res;
	uint8_t zone_of_zid[TRACE_MAX_ZONES]; /* index in the allocator */
	uint64_t *reported;      /* Q: bit per observed PFN, cleared by R */
	uint64_t *prepared;      /* P: bit per observed PFN, cleared by C */
	struct capture captures[MAX_CAPTURES];
	unsigned int nr_captures;
	struct waiting_capture waiting[MAX_CAPTURES];
	unsigned int nr_waiting;
	int armed;               /* of waiting, during a free; -1 = none */
	/* T and M records, see hints.c. */
	struct coin *coins;
	struct lru_count *lru_counts;
	uint32_t nr_coins, nr_lru_counts;
	struct drainer drainers[TRACE_MAX_CPUS]; /* by the CPU that drains */
	uint64_t nr_operations;  /* allocations, frees and drains so far */
	/* The lag of the free counter, see lag.c. */
	struct kept *kept;       /* by zone and CPU */
	uint64_t zone_free[TRACE_MAX_ZONES];
	int32_t lag[TRACE_MAX_ZONES]; /* sums of kept */
	bool follow_lag;         /* the snapshot has thresholds */
	bool lag_matters;        /* plain.c: as of the last change */
	/* Watermark boost, see boost.c; times are nr_operations then. */
	uint64_t nr_boosts, boosted_at, reclaim_at;
	uint64_t nr_wakes, woken_at; /* of kswapd, since there is a boost */
	bool kswapd_woken;
	bool boosted;            /* some zone may have a boost */
	bool boost_lasts;        /* it had one from the start */
	bool boost_recorded;     /* the stream has G records */
	struct replay_reporter *reporter; /* options.reporter, running */
};

/* ---- twin.c ---- */

/* Migratetype of the allocator for a type index of the snapshot's kernel. */
enum migratetype twin_type(const struct snapshot *s, unsigned int mt);
/* Index of the pcp list for this order and type, or -1. */
int twin_pindex(const struct alloc *a, unsigned int order,
		enum migratetype mt);
unsigned int twin_zone(const struct replay *r, const struct req_record *rec);

/* ---- hints.c ---- */

int hints_init(struct replay *r);
void hints_destroy(struct replay *r);
/* Remember a T, M or K record; false if it is none. */
bool hints_take_up(struct replay *r, const struct req_record *rec);
/* An allocation, a free or a drain is over. */
void hints_age(struct replay *r);
/* A free begins: it may build the block that a compactor waits for. */
void capture_arm(struct replay *r, const struct req_record *rec);
/* It is over: the compactor has its block, or not. */
void capture_collect(struct replay *r);
/* The stream is over: captures that did not come are counted. */
void capture_finish(struct replay *r);
/* The oldest captured block of this order, PFN_NONE if there is none. */
pfn_t capture_take(struct replay *r, unsigned int cpu, unsigned int order);

/* ---- replay.c ---- */

/* As trace_next(), from the first event on. */
int next_event(struct replay *r, struct trace_event *out);
/* One record of a request stream. */
void apply_record(struct replay *r, const struct req_record *rec,
		  struct replay_step *step);

/* ---- lag.c ---- */

/* What the snapshot's CPUs kept; 0 or -ENOMEM. */
int lag_init(struct replay *r);
void lag_destroy(struct replay *r);
/* After a record, if follow_lag. */
void lag_follow(struct replay *r, const struct req_record *rec);
/* May what the counters lag behind decide whether a zone serves? */
bool lag_matters(const struct replay *r);
/* The kernel served from this zone: had the CPUs handed over what they kept? */
void lag_refuted(struct replay *r, unsigned int zone, unsigned int order,
		 unsigned int highest);

/* ---- boost.c ---- */

/* The snapshot may have boosted zones. */
void boost_start(struct replay *r);
/* After each operation. */
void boost_watch(struct replay *r);
/* W: reclaim begins, or is over. */
void boost_reclaim(struct replay *r, bool active);
/* G: what kswapd has worked off, of what was there when it began. */
void boost_given_back(struct replay *r, const struct req_record *rec);
/* The kernel served from this zone: had it no boost any more? */
void boost_refuted(struct replay *r, unsigned int zone, unsigned int order,
		   unsigned int highest);

/* ---- ahead.c ---- */

struct ahead *ahead_create(void);
void ahead_destroy(struct ahead *a);
/* The next record but T, M and K; NULL if there is none, or it is far. */
const struct req_record *ahead_peek(const struct replay *r);
/* The next allocation of this CPU that may reclaim; NULL if it is far. */
const struct req_record *ahead_reclaimer(struct replay *r, unsigned int cpu);
/* As req_next(). */
int ahead_next(struct replay *r, struct req_record *out);

/* ---- apply_alloc.c, apply_free.c, apply_block.c: one record each ---- */

/* The twin's answer to an allocation; nothing is compared or named. */
pfn_t serve(struct replay *r, const struct req_record *rec);
/* An allocation differs: cause, place, and the lists if it is the first. */
enum replay_cause count_miss(struct replay *r, const struct req_record *rec,
			     pfn_t got);
/* The same if alloc_page_fast() has just failed. */
pfn_t serve_after_first(struct replay *r, const struct req_record *rec);
/* The twin's answer is compared, counted and named. */
void finish_alloc(struct replay *r, const struct req_record *rec, pfn_t got,
		  struct replay_step *step);

/* GFP_BIT_MOVABLE alone: user pages and page cache, which go to the LRU. */
static inline bool is_lru_gfp(gfp_t gfp)
{
	return (gfp & (GFP_BIT_MOVABLE | GFP_BIT_RECLAIMABLE)) ==
	       GFP_BIT_MOVABLE;
}

/* What was handed out is on the LRU, or not. */
void mark_lru(struct replay *r, const struct req_record *rec, pfn_t pfn);

void apply_alloc(struct replay *r, const struct req_record *rec,
		 struct replay_step *step);
void apply_free(struct replay *r, const struct req_record *rec,
		struct replay_step *step);
void apply_prepare(struct replay *r, const struct req_record *rec,
		   struct replay_step *step);
void apply_drain(struct replay *r, const struct req_record *rec,
		 struct replay_step *step);
/* This CPU does something else. */
void drain_is_over(struct replay *r, unsigned int cpu);
void apply_isolate(struct replay *r, const struct req_record *rec,
		   struct replay_step *step);
void apply_putback(struct replay *r, const struct req_record *rec,
		   struct replay_step *step);
void apply_rotate(struct replay *r, const struct req_record *rec,
		  struct replay_step *step);
void apply_report(struct replay *r, const struct req_record *rec);

static inline void step_skip(struct replay *r, enum replay_skip why)
{
	r->res.skipped[why]++;
}

/* ---- plain.c ---- */

/* All of the trace, by its pipe; if replay_is_plain(). As replay_run(). */
int replay_run_plain(struct replay *r);

/* ---- explain.c ---- */

#define SHOWN_BLOCKS 8 /* of a list, in explanations */

/* "o3/U": order and type letter. */
const char *list_name(unsigned int order, enum migratetype mt, char out[16]);
/* The list from `first` on, at most SHOWN_BLOCKS: "1024 1040r ... 17 in all" */
void print_blocks(const struct alloc *a, pfn_t first, FILE *out);

/* The first miss: why, and the lists concerned as they are now. */
void explain_miss(struct replay *r, const struct req_record *rec,
		  pfn_t expected, pfn_t got, enum replay_cause cause);

/* Where the twin has the kernel's page; not for a failed allocation. */
enum replay_place place_of(const struct replay *r,
			   const struct req_record *rec);

/* ---- assist.c ---- */

/*
 * Take every page of the block off the lists, pcp lists of `cpu` first. Number
 * of pages that were on one; the others were in use already.
 */
uint32_t take_out(struct alloc *a, pfn_t pfn, unsigned int order,
		  unsigned int cpu);
/* Give `got` back and take `expected` out of the twin's lists instead. */
bool assist_force(struct replay *r, const struct req_record *rec,
		  pfn_t expected, pfn_t got);

/* ---- act.c: a reporter that acts itself ---- */

/* Add the design's hooks to the replay's own and start it. */
int act_init(struct replay *r, struct alloc_hooks *hooks);
void act_destroy(struct replay *r);
/* Compare an I, R, TF, TB or Q record with what the reporter did. */
void act_expect(struct replay *r, const struct req_record *rec);

#endif
