/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Kernel profiles: every behaviour that differs between releases is one
 * independent switch, and a profile is a set of switches. No code asks "which
 * kernel"; it asks for the switch. Tests flip single switches.
 */
#ifndef ALLOC_PROFILE_H
#define ALLOC_PROFILE_H

#include "include/types.h"

enum pcp_orders {
	PCP_ORDER_0,          /* order 0 only, three lists */
	PCP_COSTLY_THP_ONE,   /* orders 0..3 and 9, one list for order 9 (6.1-rc) */
	PCP_COSTLY_THP_TWO,   /* the same, order 9 split into non-movable, movable */
};

enum pcp_high {
	PCP_HIGH_BATCH,       /* 6 * unclamped batch */
	PCP_HIGH_WATERMARK,   /* low watermark / CPUs */
	PCP_HIGH_AUTO,        /* floats in [high_min, high_max] */
};

enum pcp_refill {
	PCP_REFILL_BATCH,     /* batch blocks */
	PCP_REFILL_SHIFTED,   /* max(batch >> order, 2) */
	PCP_REFILL_RAMPED,    /* nr_pcp_alloc: doubles with alloc_factor */
};

enum pcp_flush {
	PCP_FLUSH_BATCH,      /* batch pages at count >= high */
	PCP_FLUSH_FACTOR,     /* batch << free_factor */
	PCP_FLUSH_COUNT,      /* free_count based, nr_pcp_free of 6.7+ */
};

enum merge_retype {
	MERGE_RETYPE_NONE,    /* a merged foreign pageblock keeps its type */
	MERGE_RETYPE_BUDDY,   /* the one pageblock at the buddy is rewritten */
	MERGE_RETYPE_ALL,     /* all pageblocks of the buddy block are */
};

enum fallback_search {
	FALLBACK_LARGEST,     /* one search, largest first (movable: smallest) */
	FALLBACK_CLAIM_STEAL, /* claim largest..smallest, then steal smallest */
};

enum reserve_rights {
	RIGHTS_HARDER,        /* HIGH halves, HARDER quarters (up to 6.1-rc) */
	RIGHTS_MIN_RESERVE,   /* MIN_RESERVE / NON_BLOCK / HIGHATOMIC (6.1.y on) */
};

enum highatomic_limit {
	HIGHATOMIC_PERCENT_PLUS,  /* managed/100 + pageblock */
	HIGHATOMIC_PERCENT_ROUND, /* none below a pageblock, else rounded up */
};

enum boost_retest {
	BOOST_RETEST_NONE,
	BOOST_RETEST_ATOMIC,      /* requests with __GFP_ATOMIC (5.9 to 6.2) */
	BOOST_RETEST_MIN_RESERVE, /* requests with ALLOC_MIN_RESERVE */
};

enum gather_order {
	GATHER_REVERSE,       /* order-0 pages of an array freed highest first */
	GATHER_FORWARD,       /* groups of 31, forward */
};

struct alloc_profile {
	const char *name;          /* as in `kernel =` and `step` */
	const char *release;       /* kernel the switches were read from */
	bool confirmed;            /* by recorded runs, not by examples only */

	/* Boot and placement. */
	bool boot_to_tail;         /* memblock, deferred and onlined memory */
	bool shuffle_one_is_tail;  /* random bit 1 means tail */
	bool shuffle_zone_checked; /* boot shuffle tests the zone of page i */
	bool move_to_tail;         /* blocks moved between types */
	bool putback_to_tail;      /* isolated blocks put back */

	/* Merging (3.2). */
	bool merge_any_foreign;    /* any non-U/M/R type stops a merge >= pageblock */
	enum merge_retype merge_retype;
	bool free_by_pageblock;    /* multi-pageblock frees are cut first */

	/* Per-CPU lists (5). */
	enum pcp_orders pcp_orders;
	bool pcp_thp_pmd_order;    /* the large pcp order is 9, not the pageblock's */
	enum pcp_high pcp_high;
	enum pcp_refill pcp_refill;
	enum pcp_flush pcp_flush;
	bool pcp_factor_capped;    /* free_factor stops at 5 */
	bool pcp_free_high_late;   /* free_high waits for batch + high_min/2 */
	bool pcp_flush_alternates; /* round robin over lists, starting at M */
	bool pcp_type_reread;      /* pageblock re-read at flush */
	bool pcp_falls_to_buddy;   /* an empty pcp-able request tries the buddy */
	bool pcp_cma_bypass;       /* M order 0 without ALLOC_CMA skips the pcp */
	bool pcp_decays;           /* vmstat worker lowers high */
	bool pcp_decay_pieces;     /* it frees a batch at a time (6.12.y) */
	bool pcp_drain_pieces;     /* a full drain takes the lock per batch << 5 */
	bool pcp_bulk;             /* bulk allocation exists (5.9) */
	bool pcp_deferred_resize;  /* batch/high recomputed after deferred init */

	/* Fallback (4.5, 4.6). */
	enum fallback_search fallback_search;
	bool steal_remainder_to_owner;  /* remainder stays on the owner's lists */
	bool steal_moves_below_threshold; /* free blocks move, type kept */
	bool cma_half_rule;
	bool nofragment_bound_always;   /* bound 9 also for order >= 9 requests */
	bool isolate_moves_pageblock;   /* setting M at isolation moves its lists */
	bool boost_small_zone_test;     /* no boost if 4*512 > managed */
	bool boost_flag_only_if_boosted;
	bool boost_wake_needs_kswapd;   /* only requests that may wake it do */
	bool defrag_mode;               /* vm.defrag_mode exists */

	/* Watermarks and reserves (1.6 to 1.10). */
	uint32_t min_free_kbytes_max;
	bool movable_min_capped;        /* Movable zone's min as for highmem */
	bool reserve_uses_highest_allowed; /* lowmem_reserve index */
	bool reserve_zero_for_empty;    /* 0 towards unpopulated zones */
	bool has_promo;                 /* promo watermark printed */
	bool boost_zeroed_first;        /* boost cleared before low/high */
	enum reserve_rights rights;
	enum highatomic_limit highatomic_limit;
	bool highatomic_free_only;      /* unusable = free highatomic pages */
	bool highatomic_fast_path;      /* order-0 fast test subtracts it */
	bool highatomic_last_resort;    /* OOM / NON_BLOCK may take H */
	bool highatomic_needs_reserve;  /* rights only with MIN_RESERVE */
	enum boost_retest boost_retest; /* order 0 tested against raw min */
	bool awake_nodes_last;          /* first pass skips nodes with kswapd up */
	bool below_high_flag;           /* zone tested against HIGH, 6.7+ */
	bool numa_load_increments;      /* zonelist node load += 1 */
	bool thp_min_free_reapplied;    /* khugepaged value survives 1.6 */
	bool thisnode_thp_no_reclaim;   /* THP on one node: compaction only */

	/* Layout of /proc/zoneinfo and vmstat (9). */
	bool zoneinfo_boost_cma;        /* boost and cma lines */
	bool zoneinfo_high_range;       /* pagesets with high_min, high_max */
	bool free_pages_blocks;         /* nr_free_pages_blocks */
	bool vmstat_unstable_last;      /* ends with nr_unstable */

	/* Tracepoints (8.2). */
	bool zone_locked_on_failure;
	bool zone_locked_list_type;
	bool extfrag_after;             /* pfn = page returned */

	/* Frees of the guest kernel above (7.4); read by guest/. */
	enum gather_order gather_order;
	uint16_t gather_stack;          /* entries of the on-stack array: 8 / 7 */
	uint16_t gather_heap;           /* entries of a heap array: 510 / 509 */
	uint16_t lru_batch;             /* 15 / 31 */
	bool compact_any_order;         /* free blocks keep their order (6.9) */
	/* User pages, and page tables, are asked for with __GFP_COMP. */
	bool user_pages_comp;           /* vma_alloc_folio, 5.18 */
	bool tables_comp;               /* pagetable_alloc, 6.6 */

	/*
	 * Rules that all these releases have. They are switches so that a
	 * replay can show what one of them is worth; where a test would cost
	 * on the way of every page, there is none (tests/replay/rules.txt has
	 * those).
	 */
	bool merge_likely_to_tail;      /* a block that will soon merge waits */
	bool pcp_factor_doubles;        /* free_factor grows with each flush */
	bool pcp_flush_clamped;         /* to [batch, limit - batch] */
	bool pcp_free_high;             /* high-order frees flush all */
	bool pcp_reclaim_limit;         /* limit 4 * batch under reclaim */
	bool fallback_prefers_alike;    /* U and R before M, R before U */
	bool claim_threshold;           /* half a pageblock free or alike */
	bool boost_watermark;           /* by steals below pageblock order */

	/* Reporting (13); read by reporter/. */
	bool reporting;                 /* free page reporting exists */
};

/* Profile called `name` (5.3, 5.7, 5.10, 6.1, 6.12.0, 6.12, 6.18), or NULL. */
const struct alloc_profile *alloc_profile_find(const char *name);
/* For a release as `uname -r` has it: 6.12.117-amd64 is 6.12; or NULL. */
const struct alloc_profile *alloc_profile_of_release(const char *release);
/* "recorded runs" or "worked examples only": what it stands on. */
const char *alloc_profile_standing(const struct alloc_profile *p);
/* NULL-ended list of the names, oldest first. */
const char *const *alloc_profile_names(void);

#endif
