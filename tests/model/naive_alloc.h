/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A plain and obvious page allocator: doubly linked lists of pages, one record
 * for each page, nothing remembered that a list or a record says. It shares no
 * code with alloc/ and knows kernels by their release, not by switches, so that
 * the two can only agree if both follow the rules.
 *
 * One node, pageblock_order 9, up to 128 MiB. No slow path. Nothing is checked
 * here: a caller must not free what is free.
 */
#ifndef TESTS_MODEL_NAIVE_ALLOC_H
#define TESTS_MODEL_NAIVE_ALLOC_H

#include <stdbool.h>
#include <stdint.h>

#define NAIVE_ORDERS 11
#define NAIVE_TYPES 6       /* U M R H C I */
#define NAIVE_PCP_LISTS 14  /* 3 * order + type, then order 9: two lists */
#define NAIVE_ZONES 4
#define NAIVE_CPUS 4
#define NAIVE_PAGES 33792   /* no layout has more */
#define NAIVE_PB_ORDER 9
#define NAIVE_PB 512
#define NAIVE_NONE UINT32_MAX

enum { NU, NM, NR, NH, NC, NI };

/* Releases in order: `kernel >= K61` reads as "6.1 or later". */
enum naive_kernel { K53, K57, K510, K61, K612_0, K612, K618 };

enum naive_place { IN_USE, ON_FREE_LIST, ON_PCP_LIST };

/* Of the first page of a block, what place, order and type say. */
struct naive_page {
	uint32_t prev, next;    /* on its list; NAIVE_NONE at the ends */
	uint8_t place;          /* enum naive_place */
	uint8_t order;
	uint8_t type;           /* of the free list; number of the pcp list */
	uint8_t cached;         /* pageblock type remembered by a pcp page */
	uint8_t marks;
	bool lru;
};

struct naive_list {
	uint32_t head, tail;
	int nr;
};

struct naive_pcp {
	int count, batch, high, high_min, high_max;
	int free_factor, alloc_factor, free_count;
	bool prev_free_high, big_cache;
	struct naive_list list[NAIVE_PCP_LISTS];
};

struct naive_zone {
	int type;               /* 0 DMA, 1 DMA32, 2 Normal, 3 Movable */
	uint32_t start, end;
	int64_t managed;
	int64_t wmark[3], boost;
	int64_t reserve[5];
	int64_t reserved_highatomic;
	int64_t lag;            /* of the free count that tests read */
	bool below_high, reclaim;
	struct naive_list free[NAIVE_ORDERS][NAIVE_TYPES];
	int64_t free_pages[NAIVE_TYPES]; /* on the lists of the type */
	struct naive_pcp pcp[NAIVE_CPUS];
};

struct naive {
	enum naive_kernel kernel;
	int nr_zones, nr_cpus;
	struct naive_zone zone[NAIVE_ZONES];
	uint8_t pageblock[NAIVE_PAGES / NAIVE_PB];
	int nr_isolated;        /* pageblocks of type NI */
	uint64_t nr_inserts;    /* blocks given to the buddy so far */
	struct naive_page page[NAIVE_PAGES + 1]; /* one to swap through */
	bool grouping, shuffle;
	uint32_t capture_pfn;   /* NAIVE_NONE: nobody waits */
	int capture_order;
	bool captured;
	uint64_t shuffle_bits;
	int nr_shuffle_bits;
	uint64_t nr_words;      /* shuffle words drawn so far */
	uint64_t (*word)(uint64_t index);
};

struct naive *naive_create(enum naive_kernel kernel, int nr_cpus);
void naive_destroy(struct naive *m);
/* Zones ascending by page frame. */
void naive_add_zone(struct naive *m, int type, uint32_t start, uint32_t end);
void naive_set_pcp(struct naive *m, int zone, int cpu, int batch, int high_min,
		   int high_max);

#define NAIVE_BUDDY 1u
#define NAIVE_HIGHATOMIC 2u

/* First attempt through the zones; type NU, NM or NR. */
uint32_t naive_alloc(struct naive *m, int cpu, int type, int order,
		     unsigned int flags);
uint32_t naive_alloc_buddy(struct naive *m, int zone, int type, int order,
			   bool nofragment);
int naive_alloc_bulk(struct naive *m, int cpu, int type, int nr,
		     uint32_t *out);

/* Give one reserved pageblock back, as direct reclaim does. */
bool naive_unreserve_highatomic(struct naive *m, int type);
void naive_reserve_highatomic(struct naive *m, struct naive_zone *z,
			      uint32_t pfn, int order);

void naive_boot(struct naive *m, uint32_t start, uint32_t end);
void naive_put(struct naive *m, uint32_t pfn, int order);
void naive_free(struct naive *m, int cpu, uint32_t pfn, int order);
void naive_free_list(struct naive *m, int cpu, const uint32_t *pfns, int nr);

/* The two passes of a batched free: the type is read in the first. */
void naive_free_prepare(struct naive *m, uint32_t pfn);
void naive_free_commit(struct naive *m, int cpu, uint32_t pfn, int order,
		       bool past_pcp);

void naive_drain_cpu(struct naive *m, int cpu);
void naive_drain_pageset(struct naive *m, int zone, int cpu, int nr,
			 int pindex);
void naive_decay_high(struct naive *m, int zone, int cpu);
void naive_vmstat_tick(struct naive *m, int cpu);

/* Single blocks, moved from outside. */
uint32_t naive_pcp_take(struct naive *m, int zone, int cpu, int order,
			int type);
void naive_pcp_remove(struct naive *m, int cpu, uint32_t pfn);
void naive_pcp_flush_block(struct naive *m, int cpu, uint32_t pfn);
void naive_pcp_push(struct naive *m, int cpu, int list, int order,
		    uint32_t pfn, int cached);
bool naive_take_off_buddy(struct naive *m, uint32_t pfn, int order);
void naive_shuffle_zone(struct naive *m, int zone);

bool naive_isolate(struct naive *m, uint32_t pfn, int order);
void naive_isolate_raw(struct naive *m, uint32_t pfn, int order);
void naive_putback(struct naive *m, uint32_t pfn, int order);
void naive_putback_tail(struct naive *m, uint32_t pfn, int order);

struct naive_zone *naive_zone_of(struct naive *m, uint32_t pfn);
int64_t naive_free_pages(const struct naive_zone *z);
/* Type of the list that holds the free block, or -1 if there is none such. */
int naive_find(const struct naive *m, const struct naive_zone *z, uint32_t pfn,
	       int order);
/* Write a pageblock's type, whatever grouping says. */
void naive_write_type(struct naive *m, uint32_t pfn, int type);
/* pfn becomes first (last) without a change of order around the ring. */
void naive_rotate(struct naive *m, uint32_t pfn, bool to_front);
/* Is any page of the pageblock on a free list? */
bool naive_pageblock_has_free(struct naive *m, uint32_t pfn);

/* ---- inside ---- */

void nl_init(struct naive_list *l);
void nl_add_head(struct naive *m, struct naive_list *l, uint32_t pfn);
void nl_add_tail(struct naive *m, struct naive_list *l, uint32_t pfn);
void nl_remove(struct naive *m, struct naive_list *l, uint32_t pfn);
/* `new` takes the place of `old`. */
void nl_replace(struct naive *m, struct naive_list *l, uint32_t old,
		uint32_t new);

/* A block comes to rest on a free list, or leaves the one it is on. */
void naive_add_free(struct naive *m, struct naive_zone *z, uint32_t pfn,
		    int order, int type, bool tail);
void naive_take_free(struct naive *m, struct naive_zone *z, uint32_t pfn);

void naive_free_to_buddy(struct naive *m, struct naive_zone *z, uint32_t pfn,
			 int order, int type, bool tail);
void naive_free_pageblocks(struct naive *m, struct naive_zone *z,
			   uint32_t pfn, int order);
int naive_preferred(const struct naive *m, int highest);
int naive_nr_isolated(const struct naive *m, const struct naive_zone *z);
void naive_set_type(struct naive *m, uint32_t pfn, int type);
void naive_move_pageblock(struct naive *m, struct naive_zone *z, uint32_t from,
			  uint32_t end, int type);
/* Free pages (F) and movable allocated pages (V) in [from, end). */
void naive_count(struct naive *m, struct naive_zone *z, uint32_t from,
		 uint32_t end, int *nr_free, int *nr_movable);
void naive_move_block(struct naive *m, struct naive_zone *z, uint32_t pfn,
		      int to);
uint32_t naive_split(struct naive *m, struct naive_zone *z, uint32_t pfn,
		     int have, int want, int type);
uint32_t naive_smallest(struct naive *m, struct naive_zone *z, int order,
			int type);

/* Where a 6.12-stable refill goes on with its next page. */
enum naive_mode { MODE_NORMAL, MODE_CMA, MODE_CLAIM, MODE_STEAL };
uint32_t naive_rmqueue(struct naive *m, struct naive_zone *z, int order,
		       int type, bool nofragment, enum naive_mode *mode);

int naive_pcp_list(int order, int type);
int naive_pcp_list_order(int list);
bool naive_pcp_order(const struct naive *m, int order);
uint32_t naive_pcp_alloc(struct naive *m, struct naive_zone *z, int cpu,
			 int order, int type, bool nofragment, bool bulk);
void naive_pcp_free(struct naive *m, struct naive_zone *z, int cpu,
		    uint32_t pfn, int order, int type);

bool naive_watermark(const struct naive *m, const struct naive_zone *z,
		     int order, int64_t mark, int j, bool cma, bool rights);

#endif
