/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Private to guest/: what the guest keeps of each zone for compaction, one
 * compaction that is going on, and the work that an operation does while its
 * allocation waits.
 */
#ifndef GUEST_COMPACT_H
#define GUEST_COMPACT_H

#include "guest/rmap.h"

/* Pages isolated for one round of migration (COMPACT_CLUSTER_MAX). */
#define COMPACT_CLUSTER 32u
/* A block of the largest order, and what was isolated before and put back. */
#define COMPACT_FREE_MAX (1024u + 4 * COMPACT_CLUSTER)
/* Touches of one round: from and to of each page. */
#define COMPACT_TOUCHES (2 * COMPACT_CLUSTER)

/* Worst first, as the kernel orders them. */
enum compact_result {
	COMPACT_SKIPPED,
	COMPACT_DEFERRED,
	COMPACT_CONTINUE,
	COMPACT_COMPLETE,        /* the whole zone was looked at in vain */
	COMPACT_PARTIAL_SKIPPED, /* the scanners met, but not the whole zone */
	COMPACT_CONTENDED,
	COMPACT_SUCCESS,
};

enum compact_mode { COMPACT_ASYNC, COMPACT_SYNC_LIGHT };

/* The compact_* members of the kernel's struct zone. */
struct compact_zone {
	pfn_t start, end;
	pfn_t cached_migrate[2]; /* by enum compact_mode */
	pfn_t cached_free;
	pfn_t init_free;         /* where a reset sent the free scanner; 0 */
	uint32_t considered, defer_shift;
	uint32_t order_failed;
	bool blockskip_flush;
};

struct free_block {
	pfn_t pfn;
	uint8_t order;
};

/* struct compact_control: one zone being compacted. */
struct compact_control {
	unsigned int zone, order;
	enum compact_mode mode;
	enum migratetype mt;
	bool direct;             /* by a task that wants the block */
	bool everything;         /* order is 0: to the end of the zone */
	bool whole_zone, update_cached;
	pfn_t migrate_pfn, free_pfn, last_migrated;
	int search_order;        /* of the free scanner's short cut */
	uint32_t fast_fail;
	/* Isolated in this round, in the order of the scanner. */
	uint32_t nr_migrate;
	pfn_t migrate[COMPACT_CLUSTER];
	/* Isolated targets; the list's head is the last entry. */
	uint32_t nr_free;        /* pages */
	uint32_t nr_blocks;
	struct free_block free[COMPACT_FREE_MAX];
	pfn_t captured;
};

enum help_kind { HELP_COMPACT, HELP_KCOMPACTD, HELP_RECLAIM, HELP_KSWAPD };

/* What an operation does before it can go on. */
struct helper {
	uint32_t id;
	bool in_use, answered;
	enum help_kind kind;
	unsigned int order;
	gfp_t gfp;
	bool async;
	bool everything;         /* asked for by compact_memory */
	/* Zones to compact, and the one at hand. */
	struct alloc_reach reach;
	unsigned int at;
	bool running;
	enum compact_result best;
	struct compact_control cc;
	/* Reclaim. */
	int priority;
	uint64_t reclaimed;
	unsigned int node;
	uint32_t nodes_done;     /* bits, at this priority */
	bool compaction_ready;
	/* One priority of one node. */
	uint64_t scan_left, pass_scanned, pass_reclaimed;
	/* kswapd. */
	bool balancing, boosted;
	uint64_t boost[ALLOC_MAX_ZONES], boost_left;
	/* The answer. */
	uint64_t progress;
	pfn_t captured;
	struct helper *next_free;
};

struct node_state {
	uint32_t kswapd_failures;
	uint64_t file_cursor;    /* page after the one reclaimed last */
	uint32_t file;
};

struct guest_mem {
	struct compact_zone zones[ALLOC_MAX_ZONES];
	uint64_t *skip;          /* bit per pageblock */
	struct node_state nodes[ALLOC_MAX_NODES];
	struct helper **helpers; /* all, by id */
	struct helper *free_helpers;
	uint32_t nr_helpers;
};

/* compaction_zone.c: positions, skip bits, deferral, suitability */
pfn_t pageblock_start(const struct guest *g, pfn_t pfn);
pfn_t pageblock_end(const struct guest *g, pfn_t pfn);
bool compaction_skipped(const struct guest *g, pfn_t pfn);
void compaction_set_skip(struct guest *g, pfn_t pfn);
void reset_isolation_suitable(struct guest *g, unsigned int zone);
void compaction_zone_reset_cached(struct compact_zone *cz,
				  const struct guest *g);
void defer_compaction(struct compact_zone *cz, unsigned int order);
bool compaction_deferred(struct compact_zone *cz, unsigned int order);
void compaction_defer_reset(struct compact_zone *cz, unsigned int order,
			    bool success);
bool compaction_restarting(const struct compact_zone *cz, unsigned int order);
/* Is there enough to compact, and does the request need it? */
bool compaction_suitable(const struct guest *g, unsigned int zone,
			 unsigned int order, uint64_t mark, unsigned int j);

/* compaction_scan.c: the two scanners */
/* True if pages were isolated for migration. */
bool isolate_migratepages(struct run *r, struct compact_control *cc);
pfn_t compaction_alloc(struct run *r, struct compact_control *cc);
void compaction_free(struct compact_control *cc, pfn_t pfn);
void release_freepages(struct run *r, struct compact_control *cc);
void free_isolated(const struct guest *g, struct compact_control *cc,
		   pfn_t pfn, unsigned int order);
/* Isolate free blocks of one pageblock; returns where it stopped. */
pfn_t isolate_free_block(struct run *r, struct compact_control *cc, pfn_t pfn,
			 pfn_t end, uint32_t stride, uint32_t *found);
/* compaction_fast.c: isolates some from the free lists, if it can */
void fast_isolate_freepages(struct run *r, struct compact_control *cc);
bool compact_scanners_met(const struct guest *g,
			  const struct compact_control *cc);

/* migrate.c */
/* Pages that did not move; *nomem if targets ran out. All are back in place. */
uint32_t migrate_pages(struct run *r, struct compact_control *cc, bool *nomem);
bool migrate_page_to(struct run *r, pfn_t from, pfn_t to);
void putback_pages(struct run *r, struct compact_control *cc);

/* compaction.c */
void compact_start(struct helper *h);
/* GUEST_DONE, or GUEST_MORE. */
enum guest_status compact_run(struct run *r, struct helper *h);

/* vmscan.c */
void reclaim_start(struct helper *h);
enum guest_status reclaim_run(struct run *r, struct helper *h);
enum guest_status kswapd_balance(struct run *r, struct helper *h);
void kswapd_stop(struct run *r, struct helper *h);
unsigned int zone_node(const struct guest *g, unsigned int zone);
/* One priority of h->node begins. */
void reclaim_pass_start(struct run *r, struct helper *h);
/* It goes on until so much is reclaimed. False: the budget is spent. */
bool shrink_node(struct run *r, struct helper *h, uint64_t target);

/* kswapd.c: one of the zones that the thread looks after */
bool zone_of_helper(const struct alloc_zone_info *z, const struct helper *h);

/* help.c */
struct helper *helper_new(struct guest *g, struct guest_op *op,
			  enum help_kind kind);
void helper_delete(struct guest *g, struct guest_op *op);
struct helper *helper_of(const struct guest *g, const struct guest_op *op);

#endif
