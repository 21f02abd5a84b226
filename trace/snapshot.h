/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Snapshot of a kernel's page allocator: zones, free lists and per-CPU lists
 * in order, pageblock types, and which allocated pages are on the LRU. The
 * format is described in docs/replay.md.
 */
#ifndef TRACE_SNAPSHOT_H
#define TRACE_SNAPSHOT_H

#include "include/diag.h"
#include "include/types.h"
#include "trace/request.h"

/* A block on a free list or on a per-CPU list. */
struct snap_block {
	pfn_t pfn;
	uint8_t order;
	uint8_t mt;       /* free: list; pcp: cached type of the page */
	bool reported;    /* free lists only */
};

/* Blocks of one list, head first: blocks[first] .. blocks[first + nr - 1]. */
struct snap_list {
	uint32_t first, nr;
};

/* struct zone's flags. */
enum snap_zone_flag {
	SNAP_ZONE_BOOSTED = 0x1,
	SNAP_ZONE_RECLAIM_ACTIVE = 0x2,
	SNAP_ZONE_BELOW_HIGH = 0x4,       /* 6.7 on */
};

/* struct per_cpu_pages' flags, 6.7 on. */
enum snap_pcp_flag {
	SNAP_PCP_PREV_FREE_HIGH_ORDER = 0x1,
	SNAP_PCP_FREE_HIGH_BATCH = 0x2,   /* the CPU's cache holds 3 batches */
};

struct snap_pageset {
	bool present;     /* the file has its pcphdr */
	uint32_t count, high, batch, free_factor;
	int32_t stat_diff; /* of the free counter, not yet in it */
	uint32_t stat_threshold;
	/* 6.7 on; has_range says that the file gave high_min and high_max. */
	bool has_range;
	uint32_t high_min, high_max, alloc_factor, free_count, flags;
	struct snap_list lists[TRACE_MAX_PINDEX];
};

struct snap_zone {
	char name[16];
	uint8_t zid;
	pfn_t start, end; /* spanned, end exclusive */
	uint64_t spanned, present, managed;
	uint64_t wmark_min, wmark_low, wmark_high; /* raw, without boost */
	uint64_t boost, reserved_highatomic;
	uint64_t free_pages;      /* exact: with the per-CPU deltas */
	uint64_t flags;           /* enum snap_zone_flag */
	uint64_t lowmem_reserve[TRACE_MAX_ZONES]; /* by ZID of the request */
	uint32_t pageset_high, pageset_batch;
	struct snap_list free[NR_PAGE_ORDERS][TRACE_MAX_TYPES];
	struct snap_pageset *pagesets; /* nr_cpus entries */
};

struct snap_pageblock {
	pfn_t pfn;
	uint8_t zone;     /* index in zones */
	uint8_t mt;
	bool skip;        /* compaction skips it */
};

/* Allocated pages that the fallback code counts as movable. */
struct snap_movable {
	pfn_t pfn;
	uint32_t nr;
};

struct snapshot {
	bool after;               /* "snap after" */
	char kernel[32];          /* release; empty: the file does not say */
	unsigned int nr_cpus;
	unsigned int pageblock_order;
	unsigned int nr_types;    /* migratetypes of the kernel's free lists */
	unsigned int nr_zones;
	struct snap_zone zones[TRACE_MAX_ZONES]; /* ascending */
	struct snap_block *free_blocks, *pcp_blocks;
	uint32_t nr_free_blocks, nr_pcp_blocks;
	struct snap_pageblock *pageblocks;
	uint32_t nr_pageblocks;
	struct snap_movable *movable;
	uint32_t nr_movable;
};

/*
 * Read a snapshot, plain or zstd. 0, or a negative errno after every mistake
 * of the file was reported on `d`: -EINVAL (wrong content), -EBADMSG (cut
 * short or damaged), others as line_reader_open() gives them.
 */
int snapshot_read(struct snapshot **out, const char *path, struct diag *d);
/* NULL is accepted. */
void snapshot_free(struct snapshot *s);

/* One past the last PFN of the last zone. */
pfn_t snapshot_end_pfn(const struct snapshot *s);
/* Index of the zone with this ZID, or -1. */
int snapshot_zone_index(const struct snapshot *s, unsigned int zid);

#endif
