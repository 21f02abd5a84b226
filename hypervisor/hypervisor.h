/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A hypervisor is a host: it backs the guest-physical pages of its guests and
 * counts what that costs. It knows nothing of what a guest does inside; all it
 * sees is accesses to pages and requests to discard blocks of them. One back
 * end per family of files; docs/host-model.md describes the mock.
 *
 * Order of calls:
 *   init -> guest_add+ -> { access | discard | reclaim | gauges | check }*
 *        -> guest_remove* -> destroy
 * Guests may come and go at any time. Every call returns at once and reads no
 * clock: what happened is added to a struct hv_events that the caller gives,
 * so that sim/ can price each access by the events it caused. Back ends only
 * count; the caller must not expect a counter to be set to zero for it.
 *
 * The common case needs no call: hv_block_mapped() says from a bitmap that an
 * access would cost nothing and change nothing.
 */
#ifndef HYPERVISOR_HYPERVISOR_H
#define HYPERVISOR_HYPERVISOR_H

#include "include/bitmap.h"
#include "include/option.h"
#include "include/types.h"

#define HV_MAX_GUESTS 256
/* Instead of a guest id: the sum over all guests. */
#define HV_ALL_GUESTS UINT32_MAX

/* What a guest does to a block; the values are those of enum touch_kind. */
enum hv_access {
	HV_ACCESS_ZERO,  /* guest kernel clears the block: a write */
	HV_ACCESS_READ,  /* data is read; a lazy page stays lazy */
	HV_ACCESS_WRITE, /* data is written */
	HV_ACCESS_TABLE, /* page-table page: a write */
};

/* Who asks for a discard; it decides the advice that the host uses. */
enum hv_origin {
	HV_ORIGIN_REPORT,  /* reported as free: advice of the `discard` option */
	HV_ORIGIN_BALLOON, /* inflated: always MADV_DONTNEED */
};

enum hv_advice { HV_DONTNEED, HV_FREE, NR_HV_ADVICES };

/* Why an EPT violation happened, that is, what resolving it took. */
enum hv_violation {
	HV_VIOLATION_ZERO,    /* no host page: allocated and cleared */
	HV_VIOLATION_LAZY,    /* write to a lazy-free page: kept, not cleared */
	HV_VIOLATION_REMAP,   /* host page present: only mapped again */
	HV_VIOLATION_SWAP_IN, /* host page swapped out: read back */
	NR_HV_VIOLATIONS
};

/* What made the host split a huge page or its mapping. A split never fails. */
enum hv_split_cause {
	HV_SPLIT_DISCARD,   /* MADV_DONTNEED of a part */
	HV_SPLIT_SWAP_OUT,  /* it was swapped out */
	HV_SPLIT_LAZY_FREE, /* MADV_FREE of a part, or lazy pages dropped */
	HV_SPLIT_RECLAIM,   /* the deferred split queue was worked off */
	NR_HV_SPLIT_CAUSES
};

/* Who reclaims: an allocation that needs a page, or the host's thread. */
enum hv_reclaimer { HV_DIRECT, HV_KSWAPD, NR_HV_RECLAIMERS };

/* Size of an EPT leaf. */
enum hv_level { HV_LEVEL_4K, HV_LEVEL_2M, HV_LEVEL_1G, NR_HV_LEVELS };

/* Order of a 1 GiB page. */
#define HV_ORDER_1G 18

/*
 * Events, cumulative. The caller owns the struct, zeroes it once, and may give
 * the same one to any number of calls. "Page" is 4 KiB, "region" an aligned
 * 2 MiB, "block" one discard request, whatever its order. A counter that has
 * the name of one in the kernel's /proc/vmstat counts the same event. Every
 * member is a uint64_t (hv_events_add() relies on it).
 */
struct hv_events {
	/* Violations, one per EPT leaf installed. */
	uint64_t ept_violation[NR_HV_VIOLATIONS][NR_HV_LEVELS];
	/* Pages the host cleared: 1 per small fault, 512 per huge one, all of a
	 * page from the pool, and what khugepaged fills. */
	uint64_t zeroed_pages;
	/* Host faults that found a huge page, and those that looked for one
	 * and had to take a small page. */
	uint64_t thp_fault_alloc;
	uint64_t thp_fault_fallback;
	/* Of the latter, those that the guest's limit did not allow. */
	uint64_t thp_fault_fallback_charge;

	/* Huge mappings turned into 512 small ones; the page stays huge. */
	uint64_t thp_split_pmd;
	/* Huge pages really split; pages of it that nobody maps are freed. */
	uint64_t thp_split_page;
	/* Both, by cause. */
	uint64_t thp_split_pmd_by[NR_HV_SPLIT_CAUSES];
	uint64_t thp_split_page_by[NR_HV_SPLIT_CAUSES];
	/* Huge pages put on the deferred split queue: partly unmapped. */
	uint64_t thp_deferred_split_page;

	/* Blocks discarded, by advice used and order asked for. */
	uint64_t discards[NR_HV_ADVICES][NR_PAGE_ORDERS];
	/* Blocks acknowledged but not discarded: inhibited, outside RAM, or, as
	 * `partial` counts, smaller than a page of the backing. */
	uint64_t discard_ignored;
	uint64_t discard_partial;
	/* madvise calls made for the discards; each is one MMU notifier round. */
	uint64_t discard_calls;
	/* Pages of discarded blocks that the host had, that it had in swap (the
	 * slot is freed, without I/O), and that it had not (discard of
	 * nothing). */
	uint64_t discard_backed_pages;
	uint64_t discard_swapped_pages;
	uint64_t discard_unbacked_pages;
	/* Host mappings removed by MADV_DONTNEED, by size. */
	uint64_t zap_pmd;
	uint64_t zap_pte;
	/* EPT leaves removed, for whatever reason. */
	uint64_t ept_zap[NR_HV_LEVELS];
	/* Rounds of remote TLB flushes: an IPI to each vCPU that runs. */
	uint64_t tlb_flush_rounds;

	/* Pages that left the resident set, and pages that became free host
	 * memory: a part of a huge page does the first without the second.
	 * Discards, lazy drops, deferred splits and swap-out count; a guest's
	 * end not. */
	uint64_t rss_reclaimed_pages;
	uint64_t phys_reclaimed_pages;

	/* Pages marked lazy-free, dropped under pressure, and saved from that
	 * by a write of the guest. */
	uint64_t pglazyfree;
	uint64_t pglazyfreed;
	uint64_t lazy_reused_pages;

	/* Huge pages split because most of them was never written. */
	uint64_t thp_underused_split_page;
	/* Pages whose first write since the log was read was logged. */
	uint64_t dirty_logged_pages;

	/* Pages of hugetlbfs that a fault took from the pool, and that went back
	 * to it because they were discarded. Each is 2 MiB or 1 GiB. */
	uint64_t hugetlb_alloc;
	uint64_t hugetlb_free;

	/* khugepaged: huge pages it got to collapse into and did not get,
	 * ranges it made huge, pages of ranges that it passed, rounds through
	 * all guests, and what became of the 512 pages of a huge page: copied
	 * from small ones, or cleared where there was none, so that memory
	 * which the guest had given back is there again. */
	uint64_t thp_collapse_alloc;
	uint64_t thp_collapse_alloc_failed;
	uint64_t khugepaged_collapsed;
	uint64_t khugepaged_scanned;
	uint64_t khugepaged_full_scans;
	uint64_t khugepaged_copied_pages;
	uint64_t reinflated_pages;

	/* Allocations that had to reclaim first: all, those for which the host
	 * had too little free memory, and those whose guest was at its limit. */
	uint64_t pressure;
	uint64_t allocstall;
	uint64_t memcg_max;
	/* Pages looked at and taken by reclaim: of the host's cache, lazy-free,
	 * or swapped out. */
	uint64_t pgscan[NR_HV_RECLAIMERS];
	uint64_t pgsteal[NR_HV_RECLAIMERS];
	uint64_t cache_dropped_pages; /* of the host's own page cache */
	/* Pages written to swap and read from it; huge pages that went as a
	 * whole, and those that were to, but found no cluster of slots. */
	uint64_t pswpout;
	uint64_t pswpin;
	uint64_t thp_swpout;
	uint64_t thp_swpout_fallback;
	/* Accesses that failed because nothing could be reclaimed: of the
	 * host, and within the guest's limit. */
	uint64_t host_oom;
	uint64_t memcg_oom;
};

#define NR_HV_EVENTS (sizeof(struct hv_events) / sizeof(uint64_t))

/* Name, unit and meaning of member i of struct hv_events as an array. */
struct hv_event_desc {
	const char *name; /* "thp_split_pmd", "ept_violation_zero_2m" */
	const char *unit; /* "pages", "regions", "blocks", "calls" ... */
	const char *help; /* one sentence */
};
const struct hv_event_desc *hv_event_desc(size_t i); /* i < NR_HV_EVENTS */

/* *to += *from. */
void hv_events_add(struct hv_events *to, const struct hv_events *from);

/* How things stand, of one guest or of all; the last group is the host's. */
struct hv_gauges {
	uint64_t rss_pages;         /* mapped in the VMM, lazy ones included */
	uint64_t anon_huge_regions; /* mapped by a huge mapping */
	uint64_t small_regions;     /* with a page table, possibly empty */
	uint64_t lazy_pages;        /* lazy-free, part of rss_pages */
	uint64_t partial_thps;      /* huge pages on the deferred split queue */
	uint64_t partial_unmapped_pages; /* of these, held but mapped nowhere */
	uint64_t ept_1g_leaves;
	uint64_t ept_2m_leaves;
	uint64_t ept_4k_leaves;
	uint64_t swapped_pages;     /* in swap, not part of rss_pages */
	uint64_t hugetlb_pages;     /* from the pool, part of rss_pages */

	uint64_t host_total_pages;
	uint64_t host_base_pages;   /* used by the host itself */
	uint64_t host_cache_pages;  /* of its page cache, droppable */
	uint64_t host_free_pages;   /* really free, MemFree */
	uint64_t host_swap_total_pages;
	uint64_t host_swap_free_pages;
	uint64_t host_pool_pages;   /* kept for hugetlbfs ... */
	uint64_t host_pool_free_pages; /* ... and not in use */
};

/*
 * Pages that can be accessed without any event, for the caller to look at
 * before it calls access(). Valid from guest_add() to guest_remove(); pointers
 * do not change in between, contents with every call of the back end. But an
 * access takes no other page away unless it counts `pressure`.
 */
struct hv_guest_map {
	const uint64_t *regions; /* bit set: whole region by a huge leaf */
	const uint32_t *slots;   /* per region: index into pages, 0 = none */
	/* Bit set: host page present, mapped in the EPT, not lazy-free, and
	 * accessed since reclaim last looked at it. */
	const uint64_t (*pages)[BITMAP_WORDS(HPAGE_PMD_NR)];
	pfn_t nr_pages;
};

/* Answer of khugepaged(): it is not to run again. */
#define HV_NEVER UINT64_MAX
/*
 * What a back end on real memory has seen, sums since init(). None of it is
 * sure to be the same in the next run: it goes where host times go.
 */
struct hv_real {
	uint64_t minor_faults;     /* of the thread, during accesses */
	uint64_t rss_pages;        /* of the guests' mappings, by smaps */
	uint64_t anon_huge_regions;
	uint64_t lazy_pages;
	/* Faults more or less than the changes explain. */
	uint64_t stray_faults;
	/* What the kernel did between two calls, in regions or pages: huge
	 * pages made and broken, lazy pages dropped, pages swapped out. */
	uint64_t background_collapses;
	uint64_t background_splits;
	uint64_t background_lazy_drops;
	uint64_t background_swap_outs;
	/* Huge faults that got a small page. */
	uint64_t fallbacks;
};

#define NR_HV_REAL (sizeof(struct hv_real) / sizeof(uint64_t))

/* Name of member i of struct hv_real as an array. */
const char *hv_real_name(size_t i);

struct hypervisor_ops;

/*
 * What a back end asks of its caller; every member may be NULL. They are called
 * in the midst of a change: they must not call the back end.
 */
struct hv_env {
	void *ctx;
	/* Pages first + i, for each bit i of mask, were swapped out; first is a
	 * multiple of 64. */
	void (*swapped_out)(void *ctx, uint32_t guest, pfn_t first,
			    uint64_t mask);
	/* Free memory is below the low mark: ops->reclaim() is to be called,
	 * soon, and again until it is false. Not asked twice meanwhile. */
	void (*wake_reclaim)(void *ctx);
};

struct hypervisor {
	const struct hypervisor_ops *ops;
	const void *options;     /* ops->options.size bytes */
	const struct hv_env *env; /* set before init(), or NULL */
	void *state;             /* ops->state_size bytes, zeroed before init */
};

struct hypervisor_ops {
	const char *name;        /* experiment spelling, unique */
	const char *summary;     /* one line for `buddylab list` */
	struct option_table options;
	size_t state_size;
	/* Its guests are memory of this very process: a fork of it does not
	 * have them, so that nothing can be run in one process and gone on with
	 * in another. */
	bool no_fork;
	/* 0, or -errno with a reason: bad combination of options; memory;
	 * -ENOTSUP: not on this machine as it is set up. */
	int (*init)(struct hypervisor *hv, char *why, size_t why_size);
	/*
	 * A guest of nr_pages (frame numbers 0..nr_pages-1) without backing.
	 * Its id (the smallest that is not in use), -EINVAL without pages,
	 * -ENOSPC above HV_MAX_GUESTS, -ENOMEM of the simulator itself,
	 * -E2BIG more than the back end may take, -ENOTSUP more than it can get.
	 */
	int (*guest_add)(struct hypervisor *hv, pfn_t nr_pages);
	/*
	 * The same with memory of hugetlbfs, of pages of the order: a region's
	 * or HV_ORDER_1G, of which nr_pages is a multiple. -ENOMEM: the pool has
	 * not got as many. NULL: a host without a pool.
	 */
	int (*guest_add_hugetlb)(struct hypervisor *hv, pfn_t nr_pages,
				 unsigned int order);
	/* A sentence on the guest_add() that failed last. NULL = none. */
	const char *(*refusal)(const struct hypervisor *hv);
	/* The VMM exits; all it held is free again. */
	void (*guest_remove)(struct hypervisor *hv, uint32_t guest);
	const struct hv_guest_map *(*guest_map)(const struct hypervisor *hv,
						uint32_t guest);
	/*
	 * The guest accesses all pages of an aligned block inside its memory,
	 * ascending. 0, or -ENOMEM: the host had no page left for one of them,
	 * or -EDQUOT: the guest is at its own limit, and none of its pages can
	 * go. Those before it are backed, and the host would kill somebody; the
	 * call can then be made again.
	 */
	int (*access)(struct hypervisor *hv, uint32_t guest, pfn_t pfn,
		      unsigned int order, enum hv_access kind,
		      struct hv_events *ev);
	/*
	 * Size of the leaf by which a page is mapped that was just accessed.
	 * NULL: 2 MiB where the map says so, else 4 KiB.
	 */
	enum hv_level (*level)(const struct hypervisor *hv, uint32_t guest,
			       pfn_t pfn);
	/* How many pages of an aligned block the host has, lazy ones included.
	 * NULL: those that are accessible without a call. */
	uint32_t (*backed)(const struct hypervisor *hv, uint32_t guest,
			   pfn_t pfn, unsigned int order);
	/*
	 * The guest does not need the contents of an aligned block any more.
	 * True if the block is sure to read as zeroes. A block that is not all
	 * inside the guest's memory is ignored.
	 */
	bool (*discard)(struct hypervisor *hv, uint32_t guest, pfn_t pfn,
			unsigned int order, enum hv_origin origin,
			struct hv_events *ev);
	/*
	 * Dirty logging of a guest: begin it or, while it is on, read and clear
	 * the log; end it. The answer is how many pages were written since the
	 * last call. Pages that were accessible without a call are not any
	 * more. NULL: a host without it; memory of hugetlbfs is not logged.
	 */
	uint64_t (*dirty_log)(struct hypervisor *hv, uint32_t guest, bool on,
			      struct hv_events *ev);
	/*
	 * khugepaged is awake once; the answer is how many ns it sleeps then,
	 * or HV_NEVER. NULL: a host without such a thread. It may unmap what
	 * was mapped; its events belong to no guest.
	 */
	uint64_t (*khugepaged)(struct hypervisor *hv, struct hv_events *ev);
	/* One turn of background reclaim, all guests: true if there is more to
	 * do. NULL: the back end has none. */
	bool (*reclaim)(struct hypervisor *hv, struct hv_events *ev);
	/* Of one guest, or of HV_ALL_GUESTS. Overwrites *out. */
	void (*gauges)(const struct hypervisor *hv, uint32_t guest,
		       struct hv_gauges *out);
	/* Every invariant, in time linear in touched memory. NULL or a
	 * description, valid until the thread's next check. */
	const char *(*check)(const struct hypervisor *hv);
	/* NULL, or look at what is real now. 0 or -errno. */
	int (*real)(const struct hypervisor *hv, struct hv_real *out);
	void (*destroy)(struct hypervisor *hv); /* accepts zeroed state */
};

extern const struct hypervisor_ops null_hypervisor;
extern const struct hypervisor_ops mock_hypervisor;
extern const struct hypervisor_ops live_hypervisor;

/*
 * True only if access() to the block would add no event and change no state.
 * Says false of blocks of orders 7 to 9 in regions with small pages.
 */
static inline bool hv_block_mapped(const struct hv_guest_map *m, pfn_t pfn,
				   unsigned int order)
{
	const uint32_t region = pfn_region(pfn);
	const uint32_t page = pfn & (HPAGE_PMD_NR - 1);
	uint64_t want;

	if (order > HPAGE_PMD_ORDER)
		return bitmap_test(m->regions, region) &&
		       bitmap_test(m->regions, region + 1);
	if (bitmap_test(m->regions, region))
		return true;
	if (!m->slots || !m->slots[region] || order > 6)
		return false;
	want = order == 6 ? UINT64_MAX :
			    ((UINT64_C(1) << order_nr_pages(order)) - 1) <<
				    (page % 64);
	return (m->pages[m->slots[region]][page / 64] & want) == want;
}

#endif
