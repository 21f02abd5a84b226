/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Private layout of the allocator; only alloc/ and its tests may include it.
 *
 * Two levels of page state. Blocks of order >= 9 live in the dense region
 * table (one record per 2 MiB); per-page records are touched, and so
 * committed, only inside regions that were broken below order 9. A list holds
 * blocks of one order: linked regions from order 9 on, chunks of PFNs below
 * (alloc/chunks.h). All list work goes through alloc/lists.h, which hides the
 * layout.
 */
#ifndef ALLOC_INTERNAL_H
#define ALLOC_INTERNAL_H

#include "alloc/alloc.h"
#include "include/bitmap.h"
#include "include/check.h"
#include "include/likely.h"

#define LINK_NONE UINT32_MAX

/* State of a block head; everything else of a block carries nothing. */
enum page_state {
	PAGE_NONE,   /* allocated, or inside a block */
	PAGE_BUDDY,  /* heads a block on a free list */
	PAGE_PCP,    /* heads a block on a pcp list */
};

/* One page below order 9, or one region at order >= 9. 8 bytes. */
struct page_rec {
	uint32_t place;       /* in alloc.words; not used by regions */
	union {
		struct {
			uint8_t state; /* enum page_state */
			uint8_t order; /* of a PAGE_NONE region: REGION_BROKEN
					* or 0 */
			uint8_t list;  /* migratetype of the list it is on;
					* PCP: pindex */
			uint8_t aux;   /* BUDDY: block_mark bits; else cached
					* type (1.1) */
		};
		uint32_t tag; /* the four at once, see rec_tag() */
	};
};

/* What page_rec.tag reads for these four. */
static inline uint32_t rec_tag(unsigned int state, unsigned int order,
			       unsigned int list, unsigned int aux)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	return state | order << 8 | list << 16 | aux << 24;
#else
	return state << 24 | order << 16 | list << 8 | aux;
#endif
}

/*
 * The block is on no list any more; what it was, and the cached type, stay.
 * One store of a word, which unlike bytes cannot alias the allocator's fields.
 */
static inline void rec_clear(struct page_rec *rec)
{
	rec->tag &= rec_tag(0, 0, UINT8_MAX, UINT8_MAX);
}

/* Neighbours of a region on a list of order >= 9. */
struct region_links {
	uint32_t next, prev;  /* LINK_NONE at the ends */
};

/* Regions at order >= 9, else places in alloc.words. */
struct page_list {
	uint32_t head, tail;  /* LINK_NONE if empty */
};

struct free_area {
	struct page_list free_list[MIGRATE_TYPES];
	uint64_t nr_free;     /* blocks, all types, including isolate */
};

/* orders 0..3 x 3 types, order 9 x 2 */
#define NR_PCP_LISTS 14
#define PCP_THP_PINDEX 12

struct per_cpu_pages {
	uint32_t count;       /* pages on all lists */
	uint32_t high, batch;
	uint32_t high_min, high_max;
	uint32_t free_count;  /* 6.7+: pages freed without an allocation */
	uint8_t free_factor;  /* 6.1: flush size doubles with it */
	uint8_t alloc_factor; /* 6.7+: refill size doubles with it */
	bool prev_free_high_order; /* 6.7+ */
	bool big_cache;       /* 6.7+: the CPU's data-cache slice > 3 * batch */
	bool stat_changed;    /* refilled or flushed since the last vmstat tick */
	uint8_t expire;       /* ticks until a remote node's pages are drained */
	uint64_t bare_allocs; /* not in alloc.cnt yet, see alloc.bare */
	uint64_t bare_frees;
	struct page_list lists[NR_PCP_LISTS];
};

struct zone {
	struct free_area free_area[NR_PAGE_ORDERS];
	struct per_cpu_pages *pcp;  /* nr_cpus entries */
	uint64_t free_pages;  /* NR_FREE_PAGES */
	int32_t free_lag;     /* free_pages minus what watermark tests read */
	uint64_t wmark[3];    /* min, low, high; raw */
	uint64_t boost;       /* added to each when read */
	uint64_t lowmem_reserve[MAX_NR_ZONES];
	uint64_t nr_reserved_highatomic, nr_free_highatomic, nr_free_cma;
	uint32_t nr_isolate_pageblock;
	bool boosted;         /* next rmqueue wakes kswapd */
	bool reclaim_active;  /* kswapd works here: smaller pcp limits */
	bool below_high;      /* 6.7+ */
	/*
	 * Free pages above which a pcp list serves a request at sight, by the
	 * highest zone type that it allows; see zone_limits_changed().
	 */
	uint64_t hit_limit[MAX_NR_ZONES];
	bool unmerged_ok;     /* big buddies may both be free: a type that
			       * stops merging was seen, or loaded so */
	pfn_t start, end;
	uint64_t present, managed;
	uint8_t idx;          /* index in alloc.zones */
	uint8_t node;
	uint8_t type;         /* enum zone_type */
};

struct zonelist {
	uint8_t nr;
	uint8_t zones[ALLOC_MAX_ZONES];
};

struct alloc {
	struct alloc_profile prof;
	struct alloc_hooks hooks;
	struct alloc_work *work;
	struct alloc_work own_work;
	struct alloc_counters cnt;

	struct page_rec *pages;   /* per PFN, sparse */
	struct page_rec *regions; /* per 2 MiB, sparse */
	struct region_links *links; /* per 2 MiB, sparse */
	uint32_t *words;          /* chunks of the lists below order 9, sparse */
	uint32_t chunk_free;      /* chunks given back, LINK_NONE = none */
	uint32_t chunk_top;       /* first word never used */
	uint32_t chunk_end;
	uint32_t marked_orders;   /* bit per order: such blocks were marked */
	uint8_t *region_zone;     /* zone index, REGION_MIXED, REGION_NONE */
	uint8_t *pageblock_mt;    /* per pageblock */
	uint64_t *lru;            /* bit per PFN, sparse */
	pfn_t end_pfn;
	uint32_t nr_regions;

	struct zone *zones;
	unsigned int nr_zones, nr_cpus, nr_nodes;
	uint8_t *cpu_node;
	uint8_t distance[ALLOC_MAX_NODES][ALLOC_MAX_NODES];
	struct zonelist fallback[ALLOC_MAX_NODES], local[ALLOC_MAX_NODES];
	/* First zone of fallback[] not above a type; NULL if none. */
	struct zone *preferred[ALLOC_MAX_NODES][MAX_NR_ZONES];
	struct zone *last_freed;  /* zone of the last free: the first guess */

	unsigned int pageblock_order;
	bool grouping;            /* mobility grouping enabled */
	bool pcp_ready;           /* per-CPU pagesets exist (else boot pageset) */
	bool pcp_disabled;
	bool below_high_given; /* told from outside, not found */
	/* Nothing but the ordinary can happen to an order-0 page. */
	bool plain_alloc, plain_free;
	/*
	 * Both, with no digest kept and no record of work asked for: then
	 * single pages that hit a per-CPU list are counted there, and summed up
	 * when somebody asks.
	 */
	bool bare;
	/* The last gfp that went such a way, and where it leads to. */
	gfp_t bare_gfp;           /* BARE_NONE: none */
	uint32_t bare_mt;
	struct zone *bare_zone;
	const uint64_t *bare_limit; /* in bare_zone->hit_limit */
	/* Marks of the block that is being split, for its free parts. */
	uint8_t split_marks;
	bool cma, isolation;
	bool defrag_mode;         /* vm.defrag_mode, where the profile has it */
	bool shuffle;
	uint64_t shuffle_bits;
	uint8_t shuffle_nr_bits;
	uint32_t min_free_kbytes, user_min_free_kbytes;
	bool thp_min_free;        /* khugepaged has raised min_free_kbytes */
	uint32_t watermark_scale_factor, watermark_boost_factor;
	uint32_t lowmem_reserve_ratio[MAX_NR_ZONES];
	/* Capture slot: order CAPTURE_EMPTY = nobody waits. */
	pfn_t capture_pfn;
	uint8_t capture_order;
	bool captured;
	/* With capture_pfn PFN_NONE: any block of this zone for that type. */
	uint8_t capture_zone;
	enum migratetype capture_wanted;
};

#define CAPTURE_EMPTY UINT8_MAX
#define BARE_NONE UINT32_MAX /* no gfp has all bits */

#define REGION_MIXED 0xfe /* several zones, or part of none: look up by PFN */
#define REGION_NONE 0xff

/* Free-path flags, as FPI_* of mm/page_alloc.c 6.1. */
#define FPI_SKIP_NOTIFY 0x1u
#define FPI_TO_TAIL 0x2u

/* alloc flags, as ALLOC_* of mm/internal.h 6.1 (mm/internal.h). */
#define AF_WMARK_MIN 0x0u
#define AF_WMARK_LOW 0x1u
#define AF_WMARK_HIGH 0x2u
#define AF_WMARK_MASK 0x3u
#define AF_NO_WATERMARKS 0x4u
#define AF_OOM 0x8u
#define AF_NON_BLOCK 0x10u   /* HARDER under RIGHTS_HARDER */
#define AF_MIN_RESERVE 0x20u /* HIGH under RIGHTS_HARDER */
#define AF_CMA 0x80u
#define AF_NOFRAGMENT 0x100u
#define AF_HIGHATOMIC 0x200u
#define AF_KSWAPD 0x800u

/* zone.c: what the CPUs have counted for themselves goes to alloc.cnt. */
void sum_bare_counts(struct alloc *a);

static inline struct zone *zone_at(const struct alloc *a, unsigned int idx)
{
	return &a->zones[idx];
}

/* zone.c: zone of a PFN whose region is mixed; -1 if none. */
int zone_lookup_slow(const struct alloc *a, pfn_t pfn);

/* zonelist.c: fill a->fallback and a->local from zones and distances; called
 * by alloc_create() and by alloc_setup_zonelists(), which then decides on
 * mobility grouping. All zones count as populated while nothing is managed. */
void build_zonelists(struct alloc *a);

static inline bool zone_spans_pfn(const struct zone *z, pfn_t pfn)
{
	return pfn >= z->start && pfn < z->end;
}

static inline struct zone *pfn_zone(const struct alloc *a, pfn_t pfn)
{
	uint8_t idx = a->region_zone[pfn_region(pfn)];

	if (__builtin_expect(idx >= REGION_MIXED, 0)) {
		int slow = zone_lookup_slow(a, pfn);

		CHECK(slow >= 0);
		idx = (uint8_t)slow;
	}
	return &a->zones[idx];
}

static inline enum migratetype pageblock_mt(const struct alloc *a, pfn_t pfn)
{
	return (enum migratetype)a->pageblock_mt[pfn >> a->pageblock_order];
}

/* ---- buddy.c (merge, split, insertion) ---- */

/* Models __free_one_page: merge and insert; the zone lock is accounted by the
 * caller. `fpi` is FPI_*. */
void free_one_page(struct alloc *a, struct zone *z, pfn_t pfn,
		   unsigned int order, enum migratetype mt, unsigned int fpi);
/*
 * free_group.c: what free_one_page() makes of nr single pages, one after the
 * other, each with the type of its list.
 */
void free_page_group(struct alloc *a, struct zone *z, const pfn_t *pfn,
		     const uint8_t *mt, unsigned int nr);
/* Models free_one_page's callers past the pcp: type lookup, cutting into
 * pageblocks where the profile does. Counts one acquisition of the lock. */
void free_to_buddy(struct alloc *a, struct zone *z, pfn_t pfn,
		   unsigned int order, unsigned int fpi);
/* Models __rmqueue_smallest: PFN_NONE if no list of mt serves. Takes the pages
 * off NR_FREE_PAGES, and sets the cached type (1.1) in the block's aux. */
pfn_t rmqueue_smallest(struct alloc *a, struct zone *z, unsigned int order,
		       enum migratetype mt);
/* Take a block off its list: clears state and marks, nr_free, free_pages
 * untouched. */
void del_from_free_list(struct alloc *a, struct zone *z, pfn_t pfn,
			unsigned int order, enum unmark_reason why);
void add_to_free_list(struct alloc *a, struct zone *z, pfn_t pfn,
		      unsigned int order, enum migratetype mt, bool tail);
void move_to_free_list(struct alloc *a, struct zone *z, pfn_t pfn,
		       unsigned int order, enum migratetype mt);
/* Models expand(): return the low part, halves go to the head of mt's lists. */
void expand(struct alloc *a, struct zone *z, pfn_t pfn, unsigned int low,
	    unsigned int high, enum migratetype mt);
/*
 * The free parts of the block `head` that was marked and taken off its list,
 * which are all but [used, used_end), keep split_marks, which is then none.
 */
void keep_split_marks(struct alloc *a, struct zone *z, pfn_t head,
		      unsigned int high, pfn_t used, pfn_t used_end);
/* Adjust NR_FREE_PAGES and the H/C sub-counts for pages that come to (nr > 0)
 * or leave a list of type mt; no effect for isolate. free_one_page and the
 * rmqueue functions do it themselves; add, del and expand do not. */
void account_special_pages(const struct alloc *a, struct zone *z, int64_t nr,
			   enum migratetype mt);
static inline void account_free_pages(struct alloc *a, struct zone *z,
				      int64_t nr, enum migratetype mt)
{
	if (__builtin_expect(mt < MIGRATE_PCPTYPES, 1))
		z->free_pages += (uint64_t)nr;
	else
		account_special_pages(a, z, nr, mt);
}

/* ---- rmqueue.c, pageblock.c ---- */

/* What served the last choice of a refill batch (rmqueue_mode, 6.12.y). */
enum rmqueue_mode { RMQUEUE_NORMAL, RMQUEUE_CMA, RMQUEUE_CLAIM, RMQUEUE_STEAL };

/* Models __rmqueue (__rmqueue). `mode` lives for one pcp refill; callers with a
 * single block pass a fresh RMQUEUE_NORMAL. No lock accounting; pages leave
 * NR_FREE_PAGES here. Emits extfrag and, by profile, zone_locked. */
pfn_t rmqueue_block(struct alloc *a, struct zone *z, unsigned int order,
		    enum migratetype mt, unsigned int alloc_flags,
		    enum rmqueue_mode *mode);
/* Models move_freepages_block: move every free block of pfn's pageblock to
 * mt's lists; the pageblock keeps its type. Returns pages moved. */
uint32_t move_freepages_block(struct alloc *a, struct zone *z, pfn_t pfn,
			      enum migratetype mt);
/* Type of one pageblock; U only while mobility grouping is disabled. */
void set_pageblock_mt(struct alloc *a, pfn_t pfn, enum migratetype mt);

/* ---- shuffle.c ---- */

/* Models shuffle_pick_tail: the coin for one order-10 placement, caused by the
 * free of the page `freed` (a T hint names that page, not the block). */
bool shuffle_pick_tail(struct alloc *a, pfn_t freed);

/* ---- watermark.c ---- */

bool zone_watermark_ok(const struct alloc *a, const struct zone *z,
		       unsigned int order, uint64_t mark, unsigned int j,
		       unsigned int alloc_flags);
void boost_watermark(struct alloc *a, struct zone *z, unsigned int alloc_flags);
/* Pages that zone->hit_limit has to say for requests up to `highest`. */
uint64_t zone_hit_limit(const struct alloc *a, const struct zone *z,
			unsigned int highest);
/*
 * To be called after a change of whatever a watermark test reads besides the
 * free pages: marks, boost, reserves, highatomic and CMA pages, `boosted`,
 * `below_high`, `free_lag`. alloc_check() finds who forgets it.
 */
void zone_limits_changed(const struct alloc *a, struct zone *z);
static inline uint64_t zone_wmark(const struct zone *z, unsigned int which)
{
	return z->wmark[which] + z->boost;
}

/* ---- highatomic.c ---- */

void reserve_highatomic(struct alloc *a, struct zone *z, pfn_t pfn,
			unsigned int order);
bool unreserve_highatomic(struct alloc *a, const struct zonelist *zl,
			  unsigned int highest, enum migratetype mt, bool force);

/* ---- pcp.c ---- */

void pcp_update_sizes(struct alloc *a); /* batch, high of every pageset */
/* pcp-able order under the profile? */
bool pcp_allowed_order(const struct alloc *a, unsigned int order);
pfn_t pcp_alloc(struct alloc *a, struct zone *z, unsigned int cpu,
		unsigned int order, enum migratetype mt,
		unsigned int alloc_flags);
/* `mt` = pageblock type when the free was prepared. */
void pcp_free(struct alloc *a, struct zone *z, unsigned int cpu, pfn_t pfn,
	      unsigned int order, enum migratetype mt);
/* Models free_pcppages_bulk. */
void pcp_flush(struct alloc *a, struct zone *z, unsigned int cpu,
	       uint32_t nr_pages, unsigned int pindex);

static inline void note_lock(struct alloc *a, const struct zone *z)
{
	a->work->zones_locked |= UINT64_C(1) << z->idx;
	a->work->lock_acquisitions++;
	a->cnt.zone_lock_acquisitions++;
}

static inline void note_touches(struct alloc *a, uint32_t nr)
{
	a->work->list_touches += nr;
	a->cnt.zone_list_touches += nr;
}

static inline void emit_event(struct alloc *a, const struct alloc_event *ev)
{
	if (__builtin_expect(a->hooks.event != NULL, 0))
		a->hooks.event(a->hooks.ctx, ev);
}

#endif
