/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The mock host once more, slow and obvious: a struct per page, every sum
 * counted afresh, one page at a time, no bitmaps, no slab and no queues but a
 * time stamp per region. It shares no code with the mock but its interface.
 */
#ifndef TESTS_HYPERVISOR_NAIVE_HOST_H
#define TESTS_HYPERVISOR_NAIVE_HOST_H

#include "hypervisor/hypervisor.h"

#define NAIVE_GUESTS 3
#define NAIVE_REGIONS 6
#define NAIVE_PAGES (NAIVE_REGIONS * HPAGE_PMD_NR)
#define NAIVE_SLOTS 4096

struct naive_config {
	uint64_t total_pages, base_pages, huge_limit;
	bool lazy_reports; /* discard = free */
	bool page_by_page; /* discard_granularity = page */
	bool thp, direct;  /* huge pages allowed; reclaims for them */
	bool drop_whole;   /* lazy_drop = whole */
	bool free_tables;  /* free_empty_tables */
	bool shrink;       /* shrink_underused */
	bool fixed_pool;   /* hugetlb_pool is not 0 */
	bool khugepaged, pte_mapped; /* khugepaged, khugepaged_pte_mapped */
	uint64_t scan, max_none;     /* ... pages_to_scan, max_ptes_none */
	uint64_t max_swap;           /* ... max_ptes_swap */
	uint64_t min_pages, high_pages; /* watermarks */
	uint64_t limit;    /* pages of memcg_limit, 0 = none */
	uint32_t slots;    /* of swap, 0 = none */
	bool strict;       /* lru */
	bool thp_swap;
};

struct naive_page {
	bool present, ept, lazy, thp;
	bool old;          /* not accessed since reclaim looked */
	bool swapped;
	uint32_t slot;     /* if swapped */
	uint64_t since;    /* place on the list; of a huge page, page 0's */
	bool written; /* not zeroes, of a huge page */
};

struct naive_region {
	bool table;          /* a page table exists */
	bool pmd;            /* or else one huge mapping */
	bool pmd_ept;        /* with a huge leaf */
	bool thp_exists;     /* a huge page is held, whole or in part */
	bool pool_page;      /* a page of hugetlbfs, mapped */
	bool reserved;       /* the pool has one for it */
	uint64_t lazy_since; /* stamps; 0 = not */
	uint64_t split_since;
	uint64_t new_since;  /* a huge page to be looked at */
	struct naive_page page[HPAGE_PMD_NR];
};

struct naive_host {
	struct naive_config config;
	uint64_t clock;      /* last stamp given */
	uint64_t cache_pages; /* left */
	bool slot_used[NAIVE_SLOTS];
	uint32_t filling, next_slot; /* cluster and slot; filling 0 = none,
				      * else its number + 1 */
	uint32_t turn;
	uint64_t turn_left;
	uint64_t pool;       /* pages kept for hugetlbfs */
	pfn_t nr_pages[NAIVE_GUESTS];
	bool hugetlb[NAIVE_GUESTS];
	bool logging[NAIVE_GUESTS];
	bool dirty[NAIVE_GUESTS][NAIVE_PAGES];
	struct naive_region region[NAIVE_GUESTS][NAIVE_REGIONS];
	uint32_t scan_guest, scan_region; /* khugepaged's next */
	bool scanning, waited;
	uint64_t scan_left;
	unsigned int scan_rounds;
};

/* What khugepaged does until it sleeps. */
enum naive_sleep { NAIVE_SLEEP_NEVER, NAIVE_SLEEP_SCAN, NAIVE_SLEEP_ALLOC };

int naive_access(struct naive_host *h, uint32_t guest, pfn_t pfn,
		 unsigned int order, enum hv_access kind,
		 struct hv_events *ev);
bool naive_discard(struct naive_host *h, uint32_t guest, pfn_t pfn,
		   unsigned int order, enum hv_origin origin,
		   struct hv_events *ev);
uint64_t naive_dirty_log(struct naive_host *h, uint32_t guest, bool on,
			 struct hv_events *ev);
enum naive_sleep naive_khugepaged(struct naive_host *h, struct hv_events *ev);
bool naive_reclaim(struct naive_host *h, struct hv_events *ev);
void naive_gauges(const struct naive_host *h, uint32_t guest,
		  struct hv_gauges *out);
/* The page can be accessed without a call. */
bool naive_mapped(const struct naive_host *h, uint32_t guest, pfn_t pfn);
/* The guest is gone; its place holds a new one of nr_pages. */
void naive_replace(struct naive_host *h, uint32_t guest, pfn_t nr_pages);
/* Then, with memory of hugetlbfs; 0 or -ENOMEM. */
int naive_replace_hugetlb(struct naive_host *h, uint32_t guest, pfn_t nr_pages);

#endif
