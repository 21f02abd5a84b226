/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The guest page allocator: a twin of the Linux zoned buddy allocator that
 * hands out the page frame numbers that the kernel would.
 *
 * It knows no time, no host, no reporter and no task. Everything it has to say
 * to the outside goes through struct alloc_hooks and struct alloc_work; a
 * request that cannot be served at once comes back as ALLOC_AGAIN with a
 * reason, and is re-entered by the caller when the reason is dealt with.
 *
 * Modelled rules are those of 5.3, 5.7, 5.10, 6.1, 6.12 and 6.18 as switches
 * (alloc/profile.h); docs/fidelity.md lists what is simplified.
 */
#ifndef ALLOC_ALLOC_H
#define ALLOC_ALLOC_H

#include <stdio.h>

#include "alloc/gfp.h"
#include "alloc/hooks.h"
#include "alloc/profile.h"
#include "include/types.h"

#define ALLOC_MAX_NODES 16
#define ALLOC_MAX_ZONES 64 /* all nodes together */
#define ALLOC_MAX_CPUS 1024

/* Marks that a reporter design puts on a free block; dropped as hooks say. */
enum block_mark {
	BLOCK_REPORTED = 1,
	BLOCK_HINTED = 2,
};

struct alloc;

/* ---- set-up ---- */

struct alloc_zone_config {
	unsigned int node;
	enum zone_type type;
	pfn_t start, end;         /* spanned, end exclusive */
	uint32_t present;         /* 0 = end - start */
};

struct alloc_config {
	const struct alloc_profile *profile; /* copied */
	unsigned int nr_cpus;
	unsigned int nr_nodes;
	const uint8_t *cpu_node;  /* node of each CPU; NULL = all on node 0 */
	const uint8_t *distance;  /* nr_nodes^2, NULL = 10 local, 20 remote */
	const struct alloc_zone_config *zones; /* ascending by start */
	unsigned int nr_zones;
	unsigned int pageblock_order; /* 9 or 10 */
	bool pcp_disabled;        /* buddy only (`pcp off`) */
	bool big_cache;           /* 6.12+: data-cache slice > 3 * batch */
	bool cma, isolation;      /* configured: MIGRATE_TYPES as printed */
	uint32_t watermark_scale_factor; /* 0 = default 10 */
	uint32_t watermark_boost_factor; /* UINT32_MAX = default 15000 */
	uint32_t lowmem_reserve_ratio[MAX_NR_ZONES]; /* all 0 = defaults */
};

/*
 * A guest whose pages are all allocated (nothing free yet), watermarks 0, every
 * pageblock M. 0, -EINVAL (with a reason in *why if not NULL) or -ENOMEM.
 */
int alloc_create(struct alloc **out, const struct alloc_config *cfg,
		 const char **why);
void alloc_destroy(struct alloc *a);
/* Hooks are copied; call again to change them. NULL = none. */
void alloc_set_hooks(struct alloc *a, const struct alloc_hooks *hooks);
/* Work records go to *w from now on; never NULL (alloc owns a default). */
void alloc_set_work(struct alloc *a, struct alloc_work *w);

/* Boot hand-over of [start, end) (__free_pages_memory); counts as managed if asked. */
void alloc_boot_range(struct alloc *a, pfn_t start, pfn_t end);
/* Deferred struct-page init of [start, end), one thread (deferred_init_memmap). */
void alloc_deferred_range(struct alloc *a, pfn_t start, pfn_t end);
/* Managed pages of a zone; boot hand-over adds to it. */
void alloc_set_managed(struct alloc *a, unsigned int zone, uint64_t pages);
/*
 * Per-CPU pagesets replace the boot pagesets: zone_batchsize, zone_highsize
 * with the watermarks as they are. Boot ranges before it bypass the pcp.
 */
void alloc_setup_pcp(struct alloc *a);
/*
 * 6.7 on, once pagesets have their sizes: the share of each of nr_cpus CPUs in
 * its last-level cache decides on big_cache (setup_pcp_cacheinfo).
 */
void alloc_setup_cacheinfo(struct alloc *a, const uint32_t *slice_pages);
/*
 * The watermark initcall (init_per_zone_wmark_min): min_free_kbytes, watermarks,
 * lowmem reserves, pcp sizes. user_kbytes 0 = computed.
 */
void alloc_setup_watermarks(struct alloc *a, uint32_t user_kbytes);
/* khugepaged raises min_free_kbytes (set_recommended_min_free_kbytes). */
void alloc_raise_min_free_for_thp(struct alloc *a);
uint32_t alloc_min_free_kbytes(const struct alloc *a);
/* Boot shuffle of one zone; words from hooks.shuffle_word (__shuffle_zone). */
void alloc_shuffle_zone(struct alloc *a, unsigned int zone);
void alloc_set_shuffle(struct alloc *a, bool on);
/* page_group_by_mobility_disabled; else alloc_setup_zonelists() decides. */
void alloc_set_grouping(struct alloc *a, bool on);
/* vm.defrag_mode; CHECKs that the profile has it. Off by default. */
void alloc_set_defrag_mode(struct alloc *a, bool on);
/* Zonelist build time: decides grouping from managed and high watermarks. */
void alloc_setup_zonelists(struct alloc *a);

/* ---- allocation ---- */

enum alloc_status {
	ALLOC_OK,
	ALLOC_FAIL,
	ALLOC_AGAIN,  /* deal with .reason, then call alloc_pages again */
};

enum alloc_reason {
	ALLOC_REASON_NONE,
	ALLOC_REASON_COMPACT,   /* direct compaction of req->order wanted */
	ALLOC_REASON_RECLAIM,   /* direct reclaim wanted; set req->progress */
	ALLOC_REASON_OOM,       /* OOM killer wanted; set req->progress */
	/*
	 * The block taken may not be used yet. alloc_pages() never says so: its
	 * callers do, to theirs, after they asked alloc_stalled().
	 */
	ALLOC_REASON_STALL,
};

#define ALLOC_REQ_BUDDY 0x1u      /* bypass the pcp (as under trylock failure) */
#define ALLOC_REQ_NO_SLOWPATH 0x2u/* first attempt only (4.2, 4.3) */
#define ALLOC_REQ_MEMALLOC 0x4u   /* PF_MEMALLOC: no watermarks in slow path */
#define ALLOC_REQ_OOM_VICTIM 0x8u
#define ALLOC_REQ_HIGHATOMIC 0x10u/* step's `highatomic`: rights at once */
#define ALLOC_REQ_NOFRAGMENT 0x20u/* step's `nofragment` with BUDDY */
#define ALLOC_REQ_TRIED 0x40u     /* alloc_page_fast() has just failed */

/* One request; zero .slow before the first call, then leave it alone. */
struct alloc_request {
	gfp_t gfp;
	uint8_t order;
	uint16_t cpu;
	int8_t node;              /* preferred node, -1 = node of cpu */
	uint32_t flags;           /* ALLOC_REQ_* */
	int16_t zone;             /* >= 0: only this zone (BUDDY in step) */
	/* In, after AGAIN: pages freed; COMPACT: 0 = skipped, else it ran. */
	uint64_t progress;
	struct {                  /* owned by alloc_pages between calls */
		uint8_t stage;
		uint8_t no_progress_loops;
		bool progressed; /* the last reclaim freed pages */
		bool compact_deferred;
	} slow;
};

struct alloc_result {
	enum alloc_status status;
	enum alloc_reason reason;
	pfn_t pfn;                /* PFN_NONE unless ALLOC_OK */
	unsigned int zone;        /* zone index of pfn */
};

/* Models __alloc_pages. Order 0 .. MAX_PAGE_ORDER. */
struct alloc_result alloc_pages(struct alloc *a, struct alloc_request *req);
/*
 * The hot case: order and gfp known good, first attempt only, no slow path.
 * Returns the PFN or PFN_NONE; on PFN_NONE call alloc_pages with
 * ALLOC_REQ_TRIED: the first attempt is over and may have changed the lists.
 */
pfn_t alloc_page_fast(struct alloc *a, unsigned int cpu, unsigned int order,
		      gfp_t gfp);

/*
 * What the next calls of alloc_page_fast() for order 0 would return, as far as
 * the CPU's own list serves them at sight: up to nr PFNs. Nothing changes.
 */
unsigned int alloc_run_look(const struct alloc *a, unsigned int cpu, gfp_t gfp,
			    pfn_t *out, unsigned int nr);
/*
 * Make the first nr of these calls at once. Others may have used the allocator
 * since the look, if alloc_run_allowed() was true after each of their calls and
 * the hook look_around was not called.
 */
void alloc_run_take(struct alloc *a, unsigned int cpu, gfp_t gfp,
		    const pfn_t *pfns, unsigned int nr);
bool alloc_run_allowed(const struct alloc *a, gfp_t gfp);

/*
 * Bulk allocation of order-0 pages (__alloc_pages_bulk). Returns how many; never enters
 * the slow path, so after 0 the caller goes on with alloc_pages.
 */
unsigned int alloc_pages_bulk(struct alloc *a, struct alloc_request *req,
			      pfn_t *out, unsigned int nr);
/* One page from the pcp list (zone, cpu, order, mt), as a B record needs it. */
pfn_t alloc_pcp_take(struct alloc *a, unsigned int zone, unsigned int cpu,
		     unsigned int order, enum migratetype mt);
/* Choosing a block (__rmqueue) in one zone, no watermark test. */
pfn_t alloc_buddy(struct alloc *a, unsigned int zone, unsigned int order,
		  enum migratetype mt, bool nofragment);

/*
 * Reclaim policies for callers without a guest kernel: ALLOC_AGAIN is answered
 * by "nothing happened", so requests fail where the kernel would go on.
 */
struct alloc_result alloc_pages_nowait(struct alloc *a,
				       struct alloc_request *req);

/*
 * What direct reclaim does for this request before it drains the per-CPU
 * lists: give one reserved pageblock to the request's type, and keep the last
 * (unreserve_highatomic_pageblock). Did anything move?
 */
bool alloc_unreserve_highatomic(struct alloc *a, unsigned int cpu, gfp_t gfp);

/*
 * With the hook alloc_stall: may this block, which the caller has just
 * allocated, not be used yet? Ask again after the design has said that waiting
 * is over; the block may be freed instead. Always false without the hook.
 */
bool alloc_stalled(const struct alloc *a, unsigned int cpu, pfn_t pfn,
		   unsigned int order);

/* ---- free ---- */

/* Drop of the last reference by `cpu` (free_unref_page, __free_pages). */
void alloc_free(struct alloc *a, unsigned int cpu, pfn_t pfn,
		unsigned int order);
/* The same past the pcp. */
void alloc_free_buddy(struct alloc *a, pfn_t pfn, unsigned int order);
/*
 * Batched free (free_unref_page_list): prepare reads and keeps the pageblock type, commit
 * inserts. The _list calls make one pass over an array of order-0 pages, which
 * is cheaper than page by page; alloc_free_list makes both.
 */
void alloc_free_prepare(struct alloc *a, pfn_t pfn, unsigned int order);
void alloc_free_commit(struct alloc *a, unsigned int cpu, pfn_t pfn,
		       unsigned int order);
/* Commit past the pcp, with the type that prepare read. */
void alloc_free_commit_buddy(struct alloc *a, pfn_t pfn, unsigned int order);
void alloc_free_prepare_list(struct alloc *a, const pfn_t *pfns,
			     unsigned int nr);
void alloc_free_commit_list(struct alloc *a, unsigned int cpu,
			    const pfn_t *pfns, unsigned int nr);
void alloc_free_list(struct alloc *a, unsigned int cpu, const pfn_t *pfns,
		     unsigned int nr);
/*
 * Like alloc_free_commit_list(), but it ends behind a page whose free took a
 * zone lock. How many were committed: more than none.
 */
unsigned int alloc_free_commit_some(struct alloc *a, unsigned int cpu,
				    const pfn_t *pfns, unsigned int nr);

/*
 * The page will be allocated or freed soon: start loading its record. For
 * callers that know the next pages of a batch; it changes nothing else.
 */
void alloc_prefetch(const struct alloc *a, pfn_t pfn);
/*
 * The same for the lists that a merge on its free would touch. Some records
 * after alloc_prefetch() of the page, which has to be one of less than 2 MiB
 * that is in use, and before it is freed past the per-CPU lists.
 */
void alloc_prefetch_merge(const struct alloc *a, pfn_t pfn);

/* Would freeing this block be right: inside one zone, and no page of it free? */
bool alloc_block_is_allocated(const struct alloc *a, pfn_t pfn,
			      unsigned int order);
/* State of one page. */
enum alloc_page_state { ALLOC_PAGE_USED, ALLOC_PAGE_BUDDY, ALLOC_PAGE_PCP };
/*
 * The free or pcp block that contains pfn: its state, and head, order in
 * *head, *order (unchanged for USED). Slow; for checks, dumps and reporters.
 */
enum alloc_page_state alloc_page_lookup(const struct alloc *a, pfn_t pfn,
					pfn_t *head, unsigned int *order);

/* ---- pcp draining ---- */

void alloc_drain_cpu(struct alloc *a, unsigned int cpu);
void alloc_drain_all(struct alloc *a);
/* Flush nr pages of one pageset starting at list `pindex` (a D record). */
void alloc_drain_pageset(struct alloc *a, unsigned int zone, unsigned int cpu,
			 uint32_t nr_pages, unsigned int pindex);
/* One tick of the vmstat worker on a CPU: decay where the profile has it. */
void alloc_vmstat_tick(struct alloc *a, unsigned int cpu);
/* What it does to `high`, without the drains that follow (a V record). */
void alloc_decay_pcp_high(struct alloc *a, unsigned int zone, unsigned int cpu);
/* A walk has found the zone below its high mark, or a flush above it (6.7+). */
void alloc_set_below_high(struct alloc *a, unsigned int zone, bool on);
bool alloc_below_high(const struct alloc *a, unsigned int zone);
/* From now on only alloc_set_below_high() changes the flag (replay's L hint). */
void alloc_follow_below_high(struct alloc *a);
void alloc_set_reclaim_active(struct alloc *a, unsigned int zone, bool on);

/* ---- single blocks, moved as a recorded kernel moved them ---- */

/*
 * CPU whose pcp list holds the block that pfn heads, and the list's number;
 * the guess is looked at first.
 */
unsigned int alloc_pcp_owner(const struct alloc *a, pfn_t pfn,
			     unsigned int guess, unsigned int *pindex);
/* Take a block off the list of `cpu` that it is on: it is allocated then. */
void alloc_pcp_remove(struct alloc *a, unsigned int cpu, pfn_t pfn);
/* Give it to the buddy instead, as a flush that has come to it. */
void alloc_pcp_flush_block(struct alloc *a, unsigned int cpu, pfn_t pfn);
/* Put an allocated block in front of a pcp list; nothing is flushed. */
void alloc_pcp_push(struct alloc *a, unsigned int cpu, unsigned int pindex,
		    pfn_t pfn, enum migratetype cached);
/*
 * Take the block out of the free block that contains it, the rest of which
 * stays on the same lists. False if no free block contains all of it.
 */
bool alloc_take_off_buddy(struct alloc *a, pfn_t pfn, unsigned int order);

/* ---- isolation, lists and marks: what reporters and compaction use ---- */

/*
 * Take the free block headed by pfn off its list (__isolate_free_page). False
 * if the watermark test refuses; CHECKs that pfn heads a free block.
 */
bool alloc_isolate(struct alloc *a, pfn_t pfn);
/* The same for one whose watermark test is known to have passed. */
void alloc_isolate_allowed(struct alloc *a, pfn_t pfn);
/* The raw variant of the 2019 designs: no watermark test, no type change. */
void alloc_isolate_raw(struct alloc *a, pfn_t pfn);
/* Put an isolated block back: merge, no notification (__putback_isolated_page). */
void alloc_putback(struct alloc *a, pfn_t pfn, unsigned int order,
		   enum migratetype mt);
/* The 2019 drain: generic free forced to the tail, no notification. */
void alloc_putback_tail(struct alloc *a, pfn_t pfn, unsigned int order,
			enum migratetype mt);

/*
 * The capture slot of a direct compactor (compaction_capture, 6.1): the next
 * free whose merging comes to this block hands it over instead of putting it
 * on a list. collect() empties the slot: the block, or PFN_NONE.
 */
void alloc_capture_arm(struct alloc *a, pfn_t pfn, unsigned int order);
pfn_t alloc_capture_collect(struct alloc *a);
/*
 * The same for the first block of this order that a free in the zone makes,
 * whichever it is, if the request may have it.
 */
void alloc_capture_any(struct alloc *a, unsigned int zone, unsigned int order,
		       enum migratetype wanted);
/* The captured block is what the request (order, gfp) gets. */
void alloc_captured(struct alloc *a, unsigned int cpu, unsigned int order,
		    gfp_t gfp, pfn_t pfn);

/* What a request may use: its zonelist, and how watermarks are read for it. */
struct alloc_reach {
	uint8_t nr;
	uint8_t zones[ALLOC_MAX_ZONES]; /* indices, preferred one first */
	unsigned int highest;           /* enum zone_type */
	unsigned int reserve_j;         /* index of lowmem_reserve */
	enum migratetype mt;
};
/* False if no zone can serve it. */
bool alloc_reach(const struct alloc *a, unsigned int cpu, unsigned int order,
		 gfp_t gfp, struct alloc_reach *out);
unsigned int alloc_node_of_cpu(const struct alloc *a, unsigned int cpu);
/*
 * After ALLOC_AGAIN for compaction: is the cheap, asynchronous one meant? Later
 * rounds want one that may wait.
 */
bool alloc_wants_async_compact(const struct alloc_request *req);

/* Walk a free list: first/last/next/prev return PFN_NONE at the end. */
pfn_t alloc_list_first(const struct alloc *a, unsigned int zone,
		       unsigned int order, enum migratetype mt);
pfn_t alloc_list_last(const struct alloc *a, unsigned int zone,
		      unsigned int order, enum migratetype mt);
pfn_t alloc_list_next(const struct alloc *a, pfn_t pfn);
pfn_t alloc_list_prev(const struct alloc *a, pfn_t pfn);
/* Free blocks of one order in a zone, all types together. */
uint64_t alloc_nr_free(const struct alloc *a, unsigned int zone,
		       unsigned int order);
/* O(1): pfn becomes the head (or the tail) by moving the sentinel. */
void alloc_list_rotate_to_front(struct alloc *a, pfn_t pfn);
void alloc_list_rotate_to_back(struct alloc *a, pfn_t pfn);

bool alloc_is_free_head(const struct alloc *a, pfn_t pfn);
unsigned int alloc_block_order(const struct alloc *a, pfn_t pfn); /* of a head */
enum migratetype alloc_block_type(const struct alloc *a, pfn_t pfn); /* its list */
unsigned int alloc_block_marks(const struct alloc *a, pfn_t pfn);
void alloc_block_set_mark(struct alloc *a, pfn_t pfn, enum block_mark m);

/* ---- state: zones, pageblocks, LRU ---- */

struct alloc_zone_info {
	const char *name;         /* "DMA", "DMA32", "Normal", "Movable" */
	enum zone_type type;
	unsigned int node;
	pfn_t start, end;
	uint64_t spanned, present, managed;
	uint64_t free;            /* NR_FREE_PAGES, exact; without pcp pages */
	uint64_t pcp;             /* pages on pcp lists */
	uint64_t wmark_min, wmark_low, wmark_high; /* raw, without boost */
	uint64_t boost;
	uint64_t reserved_highatomic;
	uint64_t lowmem_reserve[MAX_NR_ZONES];
	uint64_t nr_free[NR_PAGE_ORDERS];
};

unsigned int alloc_nr_zones(const struct alloc *a);
unsigned int alloc_nr_cpus(const struct alloc *a);
const struct alloc_profile *alloc_profile_of(const struct alloc *a);
void alloc_zone_info(const struct alloc *a, unsigned int zone,
		     struct alloc_zone_info *out);
/* Zone index that contains pfn, or -1. */
int alloc_zone_of(const struct alloc *a, pfn_t pfn);
/* One past the last PFN of the guest. */
pfn_t alloc_end_pfn(const struct alloc *a);
uint64_t alloc_free_pages(const struct alloc *a); /* all zones */
uint64_t alloc_zone_free_pages(const struct alloc *a, unsigned int zone);
/*
 * Order-0 watermark test as the reporting gate and kswapd use it: free pages
 * above mark + reserve (__zone_watermark_ok) for highest zone index j.
 */
bool alloc_watermark_ok(const struct alloc *a, unsigned int zone,
			unsigned int order, uint64_t mark, unsigned int j);

void alloc_set_watermarks(struct alloc *a, unsigned int zone, uint64_t min,
			  uint64_t low, uint64_t high);
void alloc_set_boost(struct alloc *a, unsigned int zone, uint64_t boost);
/*
 * Pages by which the free counter that watermark tests read lags behind the
 * pages there are. The allocator itself has no lag: 0.
 */
void alloc_set_free_lag(struct alloc *a, unsigned int zone, int32_t lag);
void alloc_set_reserve(struct alloc *a, unsigned int zone, unsigned int j,
		       uint64_t pages);
void alloc_set_highatomic_reserved(struct alloc *a, unsigned int zone,
				   uint64_t pages);

enum migratetype alloc_pageblock_type(const struct alloc *a, pfn_t pfn);
/* Sets the type only; moves nothing. */
void alloc_set_pageblock_type(struct alloc *a, pfn_t pfn, enum migratetype mt);
unsigned int alloc_pageblock_order(const struct alloc *a);

/* LRU / movable-ops mark of [pfn, pfn + nr): counted by the claim rule. */
void alloc_set_lru(struct alloc *a, pfn_t pfn, uint32_t nr, bool on);
bool alloc_test_lru(const struct alloc *a, pfn_t pfn);
/* One page leaves the LRU. False: it was not on it. */
bool alloc_clear_lru(struct alloc *a, pfn_t pfn);
/* The same for single pages all over memory. */
void alloc_set_lru_list(struct alloc *a, const pfn_t *pfns, unsigned int nr);
/* Up to the first page that was not on the LRU: how many were. */
unsigned int alloc_clear_lru_list(struct alloc *a, const pfn_t *pfns,
				  unsigned int nr);

/* ---- loading a recorded state ---- */

/* Append a free block to the tail of its list, without merging. */
void alloc_load_free(struct alloc *a, unsigned int zone, unsigned int order,
		     enum migratetype mt, pfn_t pfn, unsigned int marks);
/* Append a block to the tail of a pcp list. */
void alloc_load_pcp(struct alloc *a, unsigned int zone, unsigned int cpu,
		    unsigned int pindex, pfn_t pfn, enum migratetype cached);

struct alloc_pcp_info {
	uint32_t count;           /* pages on all lists */
	uint32_t high, batch;
	uint32_t high_min, high_max;
	uint32_t free_factor;     /* 6.1 */
	uint32_t alloc_factor, free_count; /* 6.12 */
	bool prev_free_high_order, big_cache; /* 6.12 */
	unsigned int nr_lists;
};
void alloc_pcp_info(const struct alloc *a, unsigned int zone, unsigned int cpu,
		    struct alloc_pcp_info *out);
void alloc_set_pcp(struct alloc *a, unsigned int zone, unsigned int cpu,
		   uint32_t batch, uint32_t high_min, uint32_t high_max,
		   uint32_t free_factor);

/* What a pageset of 6.7 on remembers; alloc_set_pcp() leaves it alone. */
struct alloc_pcp_state {
	uint32_t high, free_count;
	uint8_t alloc_factor;     /* at most 5 */
	bool prev_free_high_order;
	bool big_cache;           /* of this CPU, for this pageset's batch */
};
void alloc_set_pcp_state(struct alloc *a, unsigned int zone, unsigned int cpu,
			 const struct alloc_pcp_state *state);
/* First block of a pcp list; go on with alloc_list_next. */
pfn_t alloc_pcp_first(const struct alloc *a, unsigned int zone,
		      unsigned int cpu, unsigned int pindex);
/* Order and migratetype letter index of a pcp list. */
void alloc_pindex_decode(const struct alloc *a, unsigned int pindex,
			 unsigned int *order, enum migratetype *mt);

/* ---- output and checking ---- */

/* Layouts of /proc (mm/vmstat.c). vmstat: the allocator's own lines. */
void alloc_print_buddyinfo(const struct alloc *a, FILE *out);
void alloc_print_pagetypeinfo(const struct alloc *a, FILE *out);
void alloc_print_zoneinfo(const struct alloc *a, FILE *out);
void alloc_print_vmstat(const struct alloc *a, FILE *out);

const struct alloc_counters *alloc_counters(const struct alloc *a);
/*
 * The same without summing up what each CPU has counted: pgalloc, pgfree,
 * allocs[0] and frees[0] may lag. For those who look at the others often.
 */
const struct alloc_counters *alloc_rare_counters(const struct alloc *a);

/*
 * Every invariant: counts against list walks, lists against page state, pcp,
 * accounting. NULL if all hold, else a description (static per thread).
 */
const char *alloc_check(const struct alloc *a);
/* Bytes of metadata committed for pages, regions and lists. */
uint64_t alloc_metadata_bytes(const struct alloc *a);

#endif
