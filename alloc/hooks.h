/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the allocator tells the outside: events, hooks, the record of its work
 * and its counters. alloc.h includes it.
 */
#ifndef ALLOC_HOOKS_H
#define ALLOC_HOOKS_H

#include "alloc/gfp.h"
#include "include/digest.h"

enum alloc_event_kind {
	ALLOC_EVENT_PAGE_ALLOC,   /* mm_page_alloc; pfn may be PFN_NONE */
	ALLOC_EVENT_PAGE_FREE,    /* mm_page_free: free is prepared */
	ALLOC_EVENT_ZONE_LOCKED,  /* mm_page_alloc_zone_locked */
	ALLOC_EVENT_EXTFRAG,      /* mm_page_alloc_extfrag */
	ALLOC_EVENT_PCPU_DRAIN,   /* mm_page_pcpu_drain */
	ALLOC_EVENT_MERGE,        /* pfn/order: the block after one merge step */
};

struct alloc_event {
	enum alloc_event_kind kind;
	pfn_t pfn;
	uint8_t order;
	uint8_t migratetype;       /* as the kernel's event prints it */
	uint8_t fallback_order;    /* EXTFRAG */
	uint8_t fallback_type;     /* EXTFRAG */
	bool change_ownership;     /* EXTFRAG */
	bool percpu_refill;        /* ZONE_LOCKED */
	gfp_t gfp;                 /* PAGE_ALLOC */
};

/* Why a marked block loses its mark. */
enum unmark_reason {
	UNMARK_ALLOC,    /* taken for an allocation or a pcp refill, or split */
	UNMARK_MERGE,
	UNMARK_ISOLATE,
	UNMARK_MOVE,     /* moved to another migratetype's list */
};

/*
 * Any pointer may be NULL; an unused hook costs one predictable branch on a
 * path of order >= notify_order only. Hooks run with the zone lock modelled as
 * held: they may record and ask to be scheduled, and must not call back into
 * the allocator, except block_unmark, which may read the list.
 */
struct alloc_hooks {
	/* First argument of the reporter's hooks: free_notify to alloc_stall. */
	void *reporter_ctx;
	/* A free block of order >= notify_order came to rest on a list. */
	unsigned int notify_order;
	void (*free_notify)(void *ctx, unsigned int zone, pfn_t pfn,
			    unsigned int order);
	/* A marked block is leaving its list (called before it is unlinked). */
	void (*block_unmark)(void *ctx, unsigned int zone, pfn_t pfn,
			     unsigned int order, enum migratetype mt,
			     enum unmark_reason why);
	/*
	 * A part of a block that was split has its marks: those of
	 * marks_kept_on_split. block_unmark has been called for the whole.
	 */
	void (*block_marked)(void *ctx, unsigned int zone, pfn_t pfn,
			     unsigned int order, enum migratetype mt);
	/*
	 * A list of blocks of order >= notify_order was rotated (compaction
	 * does that): what was behind a block may be in front of it now.
	 */
	void (*list_rotated)(void *ctx, unsigned int zone, unsigned int order,
			     enum migratetype mt);
	/* Marks survive a move between types unless this is set. */
	bool unmark_on_move;
	/*
	 * Tail insertion of a block of order >= notify_order: return the block
	 * in front of which it goes, or PFN_NONE for the true tail.
	 */
	pfn_t (*tail_position)(void *ctx, unsigned int zone, unsigned int order,
			       enum migratetype mt);
	/* A free of any order, before the pcp or buddy sees it. */
	void (*free_capture)(void *ctx, unsigned int zone, pfn_t pfn,
			     unsigned int order, unsigned int cpu);
	/*
	 * A block was taken and is about to be used: true = not yet. Whoever
	 * allocates asks through alloc_stalled(); the paths inside do not.
	 */
	bool (*alloc_stall)(void *ctx, unsigned int zone, pfn_t pfn,
			    unsigned int order, unsigned int cpu);
	/* Mask of enum block_mark: what the free parts of a split block keep. */
	unsigned int marks_kept_on_split;
	/* First argument of every hook from here on. */
	void *ctx;
	/* Slow path and boost wake kswapd of a node. */
	void (*kswapd_wake)(void *ctx, unsigned int node, unsigned int order,
			    unsigned int highest, gfp_t gfp);
	/* Tracepoints; off (NULL) outside replay, step and tests. */
	void (*event)(void *ctx, const struct alloc_event *ev);
	/*
	 * A steal counts the LRU/movable pages of a pageblock: return the
	 * count to use, or a negative number to use our own (replay's M hint).
	 */
	int (*movable_count)(void *ctx, unsigned int zone, pfn_t pageblock);
	/* Runtime shuffle needs a word (shuffle_pick_tail). Required if shuffle is on. */
	uint64_t (*shuffle_word)(void *ctx);
	/*
	 * Overrides the coin for one order-10 placement (replay's T hint):
	 * 0 head, 1 tail, negative = use our own bit.
	 */
	int (*shuffle_coin)(void *ctx, pfn_t pfn);
	/*
	 * A pageset is about to be flushed or refilled: true = the caller does
	 * it, block by block, as a recorded kernel did (replay's assisted mode).
	 */
	bool (*pcp_flush)(void *ctx, unsigned int zone, unsigned int cpu,
			  uint32_t nr_pages, unsigned int pindex);
	bool (*pcp_refill)(void *ctx, unsigned int zone, unsigned int cpu,
			   unsigned int order, enum migratetype mt);
	/*
	 * A pageblock's pages are about to be counted, or other CPUs' lists
	 * emptied: whatever a CPU was spared so far has to be done now. Page
	 * lists and LRU bits may change in the call, the buddy may not.
	 */
	void (*look_around)(void *ctx);
	/* Ordered stream of allocations and frees, NULL = not kept. */
	struct digest *digest;
	/*
	 * One stream per CPU for the allocations that its own lists served; the
	 * order of two CPUs that do not meet cannot be seen. NULL: all of them
	 * are in `digest` too.
	 */
	struct digest *cpu_digests;
};

/*
 * What one call did that costs time; the caller zeroes it, every call adds.
 * sim/ turns it into nanoseconds and lock waits.
 */
struct alloc_work {
	uint64_t zones_locked;    /* bit per zone index whose lock was taken */
	uint32_t lock_acquisitions;
	uint32_t list_touches;    /* list nodes touched under zone locks */
	uint32_t pcp_ops;         /* blocks put on or taken from a pcp list */
	uint32_t buddy_pages;     /* pages moved between pcp and buddy lists */
	uint32_t merges, splits;
};

/* Cumulative counters with the kernel's names. */
struct alloc_counters {
	uint64_t pgalloc[MAX_NR_ZONES]; /* pages */
	uint64_t pgfree;                /* pages */
	uint64_t allocs[NR_PAGE_ORDERS], frees[NR_PAGE_ORDERS]; /* calls */
	uint64_t alloc_failures;
	uint64_t pcp_refills, pcp_flushes, pcp_refill_pages, pcp_flush_pages;
	uint64_t buddy_merges, buddy_splits;
	uint64_t extfrag, extfrag_changed; /* steals; of these, type changed */
	uint64_t isolated, isolate_refused, putbacks;
	uint64_t zone_lock_acquisitions, zone_list_touches;
	uint64_t kswapd_wakes, watermark_boosts;
	uint64_t allocstall[MAX_NR_ZONES]; /* by highest zone allowed */
	uint64_t cold_allocs[NR_PAGE_ORDERS]; /* marked blocks taken for alloc */
};

#endif
