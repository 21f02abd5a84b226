/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Inside of the mock host, shared by the files mock*.c. docs/host-model.md has
 * the picture of the states and the table of transitions.
 *
 * A region is in one of three states:
 *   NONE   no page table. The first fault may take a huge page.
 *   HUGE   one huge page behind one huge mapping, all 512 pages present.
 *   SMALL  a page table, possibly empty. Faults take small pages only.
 * A SMALL region without any page has no record; else its record holds bitmaps
 * of its pages. A huge page whose mapping was split and of which a part was
 * unmapped is "partial": the region is SMALL, `thp` holds its pages that are
 * still mapped, and the host cannot use the others until the last of them goes
 * or the page itself is split.
 */
#ifndef HYPERVISOR_MOCK_H
#define HYPERVISOR_MOCK_H

#include "hypervisor/hypervisor.h"

enum region_state { REGION_NONE, REGION_HUGE, REGION_SMALL };

/* A region's byte: its state, and for HUGE what follows. */
#define REGION_STATE 0x03u
#define REGION_EPT 0x04u  /* HUGE: mapped by a 2 MiB EPT leaf, or small ones */
/* First region of a page of hugetlbfs, no page yet: the pool has one for it. */
#define REGION_RESERVED 0x20u
#define REGION_QUEUED 0x40u /* HUGE: on QUEUE_UNDERUSED */
#define REGION_LAZY 0x08u /* HUGE: lazy-free as a whole */
#define REGION_OLD 0x10u  /* HUGE: not accessed since reclaim looked at it */

#define PAGE_WORDS BITMAP_WORDS(HPAGE_PMD_NR)

/* Pages of one SMALL region; [first page of the region + bit]. */
struct small_region {
	uint64_t present[PAGE_WORDS]; /* host page present and mapped */
	uint64_t ept[PAGE_WORDS];     /* of these: has a 4 KiB EPT leaf */
	uint64_t lazy[PAGE_WORDS];    /* of these: lazy-free */
	uint64_t thp[PAGE_WORDS];     /* of these: part of the partial THP */
	uint64_t old[PAGE_WORDS];     /* of these: not accessed since reclaim
				       * looked at them */
	uint64_t swapped[PAGE_WORDS]; /* not present, but in swap */
	uint16_t nr_present, nr_lazy, nr_thp, nr_swapped; /* bits set */
	uint32_t next_free;           /* while the record is not in use */
};

#define REGION_NIL UINT32_MAX

struct region_link {
	uint32_t next, prev; /* regions, REGION_NIL at the ends */
	uint64_t since;      /* when it was put on the queue */
};

enum mock_queue_id {
	QUEUE_LAZY,     /* regions with lazy pages, by first marking */
	QUEUE_DEFERRED, /* regions with a partial THP, by first unmapping */
	QUEUE_UNDERUSED, /* huge pages to be looked at, by their allocation */
	NR_MOCK_QUEUES
};

/* Regions of one guest, first in, first out. */
struct region_queue {
	uint32_t head, tail; /* REGION_NIL if empty */
	uint32_t nr;
};

/* A page's place: on the list while it is mapped (of a huge page, the first),
 * else `next` is its slot, if it is swapped out. */
struct mock_page {
	uint32_t next, prev;
};

/* Entries by last access, or last look at it; see mock_lru.c. */
struct mock_lru {
	pfn_t oldest, newest;
	uint32_t nr;
};

struct mock_guest {
	pfn_t nr_pages;           /* 0: id not in use */
	uint32_t nr_regions;      /* the last one may be incomplete */
	unsigned int hugetlb_order; /* of its pages, 0: anonymous memory */
	struct hv_guest_map map;  /* what callers see of the arrays below */

	/* Owned arrays, [nr_regions] or [nr_slots], committed when touched. */
	uint8_t *state;
	uint64_t *regions;
	uint32_t *slots;
	uint64_t (*pages)[PAGE_WORDS];
	struct small_region *small;
	/* While its writes are logged: pages that were written, and of HUGE
	 * regions those with a 4 KiB leaf. */
	bool logging;
	uint64_t (*dirty)[PAGE_WORDS], (*log_ept)[PAGE_WORDS];
	/* With shrink_underused: pages of HUGE regions that are not zero. */
	bool shrinks;
	uint64_t (*written)[PAGE_WORDS];
	struct region_link *links[NR_MOCK_QUEUES];

	/* Slab of records: slot 0 is never used. */
	uint32_t nr_slots, next_slot, free_slot;

	struct region_queue queues[NR_MOCK_QUEUES];

	/* [nr_pages], where there is swap; used_at: strict, by the clock. */
	struct mock_page *page;
	uint64_t *used_at;
	struct mock_lru lru;
	bool strict;              /* callers are told of no mapped page */

	struct hv_gauges gauges;  /* host_ members unused */
};

/* Values of [host]. */
struct mock_options {
	uint64_t memory;          /* bytes of the host */
	uint64_t base;            /* bytes of it not for guests */
	unsigned int discard;     /* enum hv_advice, for reports */
	unsigned int granularity; /* enum discard_granularity */
	unsigned int thp;         /* enum host_thp */
	bool madv_hugepage;       /* the VMM advises huge pages */
	struct option_share huge_pages; /* of memory - base */
	unsigned int lazy_drop;   /* enum lazy_drop */
	uint64_t cache;           /* bytes of page cache, beside base */
	uint64_t watermark_min, watermark_low, watermark_high; /* bytes */
	uint64_t memcg_limit;     /* bytes of each guest; 0 = none */
	uint64_t swap;            /* bytes; 0 = none */
	unsigned int lru;         /* enum mock_lru_mode */
	bool thp_swap;            /* huge pages are swapped out whole */
	bool free_empty_tables;
	bool shrink_underused;
	struct option_share hugetlb_pool; /* of memory - base; 0 = by need */
	bool inhibit;             /* acknowledge, but do not discard */
	/* /sys/kernel/mm/transparent_hugepage/khugepaged of the host. */
	bool khugepaged;
	bool khugepaged_pte_mapped; /* collapses parts of huge pages, too */
	uint64_t khugepaged_pages_to_scan;
	uint64_t khugepaged_scan_sleep, khugepaged_alloc_sleep; /* ns */
	uint64_t khugepaged_max_ptes_none, khugepaged_max_ptes_swap;
};

enum discard_granularity { DISCARD_RANGE, DISCARD_PER_4K };
enum host_thp { HOST_THP_ALWAYS, HOST_THP_MADVISE, HOST_THP_NEVER };
enum lazy_drop { LAZY_DROP_SPLIT, LAZY_DROP_WHOLE };
enum mock_lru_mode { LRU_STRICT, LRU_SAMPLED };

/* Slots of 4 KiB, in clusters of 512. */
struct swap_area {
	uint32_t nr_slots, nr_used;
	uint32_t nr_clusters;     /* the last may be incomplete */
	uint32_t nr_whole_free;   /* complete ones without a used slot */
	uint64_t *used;           /* owned bitmap of slots */
	uint16_t *in_cluster;     /* owned, slots used */
	uint32_t cluster, offset; /* that is being filled, or none */
	uint32_t lowest_word;     /* no free slot below it */
};

/* Where the host's khugepaged stands. */
struct mock_khugepaged {
	uint32_t guest, region;   /* to be looked at next, if scanning */
	bool scanning;            /* in the midst of a round */
	bool resumes;             /* it slept for want of a huge page; then: */
	uint64_t left;            /* pages that this wake-up has yet to pass */
	unsigned int rounds;      /* that it has begun */
};

struct mock_host {
	const struct mock_options *opt;
	const struct hv_env *env; /* NULL: nobody listens */
	uint64_t total_pages, base_pages;
	uint64_t cache_pages;     /* of the host's own, droppable */
	uint64_t min_pages, low_pages, high_pages;
	uint64_t memcg_pages;     /* limit of each guest; 0 = none */
	struct swap_area swap;
	uint64_t used_pages;      /* by guests: mapped, or held in a THP */
	uint64_t huge_limit;      /* huge pages that can exist at once */
	uint64_t huge_held;       /* that exist: HUGE regions, partial THPs */
	/* For check(): pages taken and given back since init. */
	uint64_t taken_pages, freed_pages, zeroed_pages, read_pages;
	uint64_t clock;           /* last stamp given */
	uint32_t nr_ids;          /* guest ids ever used */
	/* Of hugetlbfs, not part of used_pages: all, free, and spoken for. */
	uint64_t pool_pages, pool_free, pool_reserved;
	uint64_t copied_pages;    /* taken and filled from another page */
	struct mock_khugepaged khugepaged;
	uint32_t turn;            /* whose pages reclaim looks at ... */
	uint64_t turn_left;       /* ... and how many more of them */
	bool kswapd_awake;
	struct mock_guest guests[HV_MAX_GUESTS];
};

/* One region of one guest and the events of the call that works on it. */
struct region_ref {
	struct mock_host *host;
	struct mock_guest *guest;
	uint32_t guest_id;
	uint32_t region;
	struct hv_events *ev;
};

static inline enum region_state region_state(const struct mock_guest *g,
					     uint32_t region)
{
	return (enum region_state)(g->state[region] & REGION_STATE);
}

static inline struct small_region *small_of(const struct mock_guest *g,
					    uint32_t region)
{
	return &g->small[g->slots[region]];
}

/* Huge pages are on for the VMM's mapping. */
static inline bool vma_thp_allowed(const struct mock_options *opt)
{
	return opt->thp == HOST_THP_ALWAYS ||
	       (opt->thp == HOST_THP_MADVISE && opt->madv_hugepage);
}

/* Pages of the region that belong to the guest: 512 but for the last. */
static inline uint32_t region_pages(const struct mock_guest *g, uint32_t region)
{
	const pfn_t left = g->nr_pages - (region << HPAGE_PMD_ORDER);

	return left < HPAGE_PMD_NR ? left : HPAGE_PMD_NR;
}

static inline uint64_t host_free_pages(const struct mock_host *h)
{
	return h->total_pages - h->base_pages - h->cache_pages -
	       h->pool_pages - h->used_pages;
}

/* Free pages that an allocation may take without reclaim. */
static inline uint64_t host_room(const struct mock_host *h)
{
	const uint64_t nr = host_free_pages(h);

	return nr > h->min_pages ? nr - h->min_pages : 0;
}

static inline uint32_t nr_bits(uint64_t bits)
{
	return (uint32_t)__builtin_popcountll(bits);
}

/* Bits of word w that lie in [first, first + nr), nr > 0. */
static inline uint64_t page_mask(uint32_t w, uint32_t first, uint32_t nr)
{
	const uint32_t end = first + nr;
	uint64_t mask = UINT64_MAX;

	if (end <= w * 64 || first >= (w + 1) * 64)
		return 0;
	if (first > w * 64)
		mask <<= first % 64;
	if (end < (w + 1) * 64)
		mask &= (UINT64_C(1) << (end % 64)) - 1;
	return mask;
}

/* mock.c */
struct mock_guest *mock_guest(const struct hypervisor *hv, uint32_t id);

/* mock_queue.c */
void queue_init(struct region_queue *q);
void queue_add(const struct region_ref *r, enum mock_queue_id id);
void queue_del(const struct region_ref *r, enum mock_queue_id id);
/* The region that has waited longest, of one guest or of HV_ALL_GUESTS; false
 * if there is none. Fills all of *out but its events. */
bool queue_first(struct mock_host *h, uint32_t only, enum mock_queue_id id,
		 struct region_ref *out);

static inline void count_split_pmd(struct hv_events *ev,
				   enum hv_split_cause cause)
{
	ev->thp_split_pmd++;
	ev->thp_split_pmd_by[cause]++;
}

/* mock_region.c: changes of a region that keep every gauge and queue true. */
bool thp_is_lazy(const struct small_region *s);
struct small_region *small_get(const struct region_ref *r);
void small_put_if_empty(const struct region_ref *r);
void region_set_none(const struct region_ref *r);
void region_set_small(const struct region_ref *r);
void region_set_huge(const struct region_ref *r);
void huge_set_ept(const struct region_ref *r);
void huge_set_small_leaves(const struct region_ref *r, uint32_t w,
			   uint64_t bits);
void huge_zap_ept(const struct region_ref *r);
void huge_set_written(const struct region_ref *r, uint32_t first, uint32_t nr);
void huge_consider(const struct region_ref *r);
void huge_set_lazy(const struct region_ref *r);
void huge_clear_lazy(const struct region_ref *r);
void huge_unmap(const struct region_ref *r);
bool huge_set_old(const struct region_ref *r); /* true if it was not */
void huge_clear_old(const struct region_ref *r);
void split_region_pmd(const struct region_ref *r, enum hv_split_cause cause);
void split_huge_page(const struct region_ref *r, enum hv_split_cause cause);
void collapse_region(const struct region_ref *r);
void small_sync_all(const struct region_ref *r);
void small_set_ept(const struct region_ref *r, uint32_t w, uint64_t bits);
void small_zap_ept(const struct region_ref *r, uint32_t w, uint64_t bits);
void small_set_lazy(const struct region_ref *r, uint32_t w, uint64_t bits);
void small_clear_lazy(const struct region_ref *r, uint32_t w, uint64_t bits);
void small_add_pages(const struct region_ref *r, uint32_t w, uint64_t bits);
void small_unmap(const struct region_ref *r, uint32_t w, uint64_t bits);

bool small_set_old(const struct region_ref *r, uint32_t page);
void small_clear_old(const struct region_ref *r, uint32_t w, uint64_t bits);
void small_swap_out(const struct region_ref *r, uint32_t w, uint64_t bits);
void small_swap_in(const struct region_ref *r, uint32_t w, uint64_t bits);
void small_mark_swapped(const struct region_ref *r, uint32_t w, uint64_t bits);
void small_forget_swapped(const struct region_ref *r, uint32_t w,
			  uint64_t bits);

/* mock_lru.c: nothing happens there for a guest without `page`. */
int mock_lru_init(const struct mock_host *h, struct mock_guest *g);
void mock_lru_destroy(struct mock_guest *g);
void mock_lru_add_pages(const struct region_ref *r, uint32_t w, uint64_t bits);
void mock_lru_del_pages(const struct region_ref *r, uint32_t w, uint64_t bits);
void mock_lru_add_huge(const struct region_ref *r);
void mock_lru_del_huge(const struct region_ref *r);
void mock_lru_split_huge(const struct region_ref *r);
void mock_lru_access_huge(const struct region_ref *r);
void mock_lru_access_pages(const struct region_ref *r, uint32_t w,
			   uint64_t bits);
/* The page to swap out next, of one guest or of HV_ALL_GUESTS: fills the guest
 * and region of *r and *pfn, the first page of a huge one. False: none. */
bool mock_lru_select(struct region_ref *r, uint32_t only, pfn_t *pfn,
		     uint64_t *scanned);

/* mock_swap.c */
int swap_init(struct swap_area *a, uint64_t nr_slots);
void swap_destroy(struct swap_area *a);
/* There is a free slot. Pages that were written out, of a huge page perhaps
 * not all. */
uint32_t swap_out(const struct region_ref *r, pfn_t pfn);
void swap_in(const struct region_ref *r, uint32_t w, uint64_t bits);
/* Slots of swapped pages among `mask` are freed; how many. */
uint32_t swap_forget(const struct region_ref *r, uint32_t w, uint64_t mask);

/* mock_memcg.c */
uint64_t memcg_charged(const struct mock_guest *g);
uint64_t memcg_room(const struct mock_host *h, const struct mock_guest *g);
bool memcg_make_room(const struct region_ref *r, uint64_t nr_pages,
		     bool may_swap);

/* mock_reclaim.c */
bool reclaim_direct(struct mock_host *h, uint32_t only, uint64_t nr_pages,
		    bool may_swap, struct hv_events *ev);
bool host_make_room(struct mock_host *h, uint64_t nr_pages, bool may_swap,
		    struct hv_events *ev);
void host_wake_reclaim(struct mock_host *h);
bool mock_reclaim(struct hypervisor *hv, struct hv_events *ev);

/* mock_dirty.c */
void dirty_mark(const struct region_ref *r, uint32_t w, uint64_t bits);

/* mock_hugetlb.c */
int hugetlb_guest_add(struct mock_host *h, struct mock_guest *g,
		      unsigned int order);
void hugetlb_guest_remove(struct mock_host *h, struct mock_guest *g);
int hugetlb_access(struct mock_host *h, struct mock_guest *g, pfn_t pfn,
		   uint32_t nr_pages, struct hv_events *ev);
bool hugetlb_discard(struct mock_host *h, struct mock_guest *g, pfn_t pfn,
		     unsigned int order, struct hv_events *ev);

/* mock_khugepaged.c */
void khugepaged_exit(struct mock_host *h, uint32_t guest);

/* mock_fault.c, mock_discard.c, mock_check.c, mock_khugepaged.c: members of
 * the ops table. */
int mock_access(struct hypervisor *hv, uint32_t guest, pfn_t pfn,
		unsigned int order, enum hv_access kind, struct hv_events *ev);
enum hv_level mock_level(const struct hypervisor *hv, uint32_t guest,
			 pfn_t pfn);
uint32_t mock_backed(const struct hypervisor *hv, uint32_t guest, pfn_t pfn,
		     unsigned int order);
bool mock_discard(struct hypervisor *hv, uint32_t guest, pfn_t pfn,
		  unsigned int order, enum hv_origin origin,
		  struct hv_events *ev);
const char *mock_check(const struct hypervisor *hv);
uint64_t mock_dirty_log(struct hypervisor *hv, uint32_t guest, bool on,
			struct hv_events *ev);
uint64_t mock_khugepaged(struct hypervisor *hv, struct hv_events *ev);

/* mock_check_swap.c: what is wrong with swap and the list, or NULL. `guest` is
 * where, if it is a guest's. */
const char *swap_check(const struct mock_host *h, uint32_t *guest,
		       uint64_t *is, uint64_t *should_be);

#endif
