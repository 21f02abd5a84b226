/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The guest kernel above the page allocator: address spaces, page faults,
 * huge pages, the page cache, LRU batches and the exact order in which unmap
 * and exit give pages back.
 *
 * Operations are resumable: guest_run() does at most `budget` steps, records
 * what they were in struct guest_work, appends every access to physical memory
 * to the touch buffer, and returns. It reads no clock; sim/ prices the work,
 * drains the touches and calls again. Nothing here allocates host memory while
 * an operation runs, except page-table mirrors at the first fault of a range.
 */
#ifndef GUEST_GUEST_H
#define GUEST_GUEST_H

#include "alloc/alloc.h"
#include "include/touch.h"
#include "include/types.h"

struct guest;

enum thp_enabled { THP_ALWAYS, THP_MADVISE, THP_NEVER };
enum thp_defrag {
	THP_DEFRAG_ALWAYS,
	THP_DEFRAG_DEFER,
	THP_DEFRAG_DEFER_MADVISE,
	THP_DEFRAG_MADVISE,      /* kernel default */
	THP_DEFRAG_NEVER,
};

struct guest_config {
	struct alloc *alloc;            /* borrowed, outlives the guest */
	struct touch_buffer *touches;   /* borrowed; drained by sim/ */
	unsigned int nr_cpus;
	enum thp_enabled thp_enabled;
	enum thp_defrag thp_defrag;
	/* Large anonymous mappings start on a 2 MiB boundary (6.7+). */
	bool mmap_thp_aligned;
	/*
	 * Mappings grow down from here, page aligned; 0 = 0x7ffff7fff000. The
	 * kernel draws it at random; a recorded run has one of its own.
	 */
	uint64_t mmap_base;
	/*
	 * Page migration and compaction (CONFIG_COMPACTION), and reclaim. Off:
	 * a request that waits for them is the caller's (GUEST_WAIT).
	 */
	bool compaction, reclaim;
	/* khugepaged/max_ptes_none: holes that a collapse may fill. */
	uint32_t max_ptes_none;
	/* First argument of the calls below. */
	void *ctx;
	/*
	 * Before anything is looked at or moved that belongs to other CPUs; as
	 * alloc_hooks.look_around. NULL = nobody has to know.
	 */
	void (*look_around)(void *ctx);
	/*
	 * Move the contents of a driver's page (guest_movable_add()) to `to`,
	 * which it owns from then on; 0, or -EAGAIN: not now. NULL = never.
	 */
	int (*movable_migrate)(void *ctx, unsigned int cpu, pfn_t from,
			       pfn_t to);
	/* Is a free page of [from, to) off its list, because the host has it? */
	bool (*with_host)(void *ctx, pfn_t from, pfn_t to);
	/* A shrinker: give back some of what drivers hold; pages freed. */
	uint64_t (*shrink)(void *ctx);
	/*
	 * Allocated pages may have to wait for the host before they are used
	 * (alloc_stalled): GUEST_WAIT with ALLOC_REASON_STALL.
	 */
	bool may_stall;
	/*
	 * Bit per page of memory: if it is set when the page is allocated, the
	 * page reads as zeroes and is not cleared. NULL = never.
	 */
	const uint64_t *known_zero;
};

/* 0, -EINVAL or -ENOMEM. destroy accepts NULL. */
int guest_create(struct guest **out, const struct guest_config *cfg);
void guest_destroy(struct guest *g);

/* ---- operations ---- */

enum guest_op_kind {
	GUEST_MMAP,           /* reserve len bytes; result in .addr */
	GUEST_TOUCH,          /* access every page of [addr, addr+len) ascending */
	GUEST_MUNMAP,         /* unmap [addr, addr+len) */
	GUEST_MADV_DONTNEED,  /* zap [addr, addr+len), keep the mapping */
	/* The pages may go if memory is short, which is never: see mm.c. */
	GUEST_MADV_FREE,
	/* MADV_HUGEPAGE or MADV_NOHUGEPAGE, as .flags say. */
	GUEST_MADV_THP,
	GUEST_EXIT,           /* exit_mmap and free of the address space */
	GUEST_DROP_CACHES,    /* free every clean page-cache page */
	/*
	 * Kernel threads of node .file, woken for order .flags by a request
	 * for zones up to type .len. kswapd: .cursor = 1 if the request can
	 * reclaim itself; .addr is then the order to wake kcompactd for, or 0.
	 */
	GUEST_KSWAPD,
	GUEST_KCOMPACTD,
	/* .len pages are to be scanned; .addr = 1: no huge page to be had. */
	GUEST_KHUGEPAGED,
	/* A driver's request for 2^flags pages with GFP .len; .addr is then
	 * the first of them. Compaction and reclaim for it are steps. */
	GUEST_ALLOC,
	/* Every zone is compacted from end to end. */
	GUEST_COMPACT_MEMORY,
	/*
	 * .len bytes in one piece, a power of two of 4 MiB or more, for a
	 * gigantic page or, with GUEST_RANGE_OFFLINE, to go away.
	 */
	GUEST_RANGE,
};

#define GUEST_RANGE_OFFLINE 0x1u

#define GUEST_MAP_HUGEPAGE 0x1u /* MADV_HUGEPAGE on the mapping */
#define GUEST_MAP_FILE 0x2u     /* private mapping of .file */
#define GUEST_TOUCH_READ 0x4u   /* read instead of write */
#define GUEST_MAP_UNALIGNED 0x8u /* not on 2 MiB, whatever the config says */
#define GUEST_MAP_FIXED 0x10u  /* at .addr; GUEST_NOMEM if that is taken */
#define GUEST_MAP_NOHUGEPAGE 0x20u /* MADV_NOHUGEPAGE on the mapping */

/* Start from zero; fill the first group, leave the second to the guest. */
struct guest_op {
	enum guest_op_kind kind;
	uint32_t flags;
	uint32_t mm;           /* from guest_mm_create */
	uint32_t file;         /* MMAP of a file */
	uint64_t addr, len;    /* bytes, page aligned */

	uint64_t cursor;       /* progress within [addr, addr+len) */
	uint32_t stage;        /* state of the operation's own machine */
	uint64_t scratch[4];   /* per-operation state, zero at the start */
	uint32_t helper;       /* what it does while it waits for memory */
};

enum guest_status {
	GUEST_DONE,
	GUEST_MORE,   /* budget or touch buffer spent: call again */
	GUEST_WAIT,   /* .reason: deal with it, set .progress, call again */
	GUEST_NOMEM,  /* the operation failed: the task is OOM-killed */
};

/* What one guest_run() call did; the caller zeroes it, the call adds. */
struct guest_work {
	enum alloc_reason reason; /* with GUEST_WAIT */
	uint64_t progress;        /* in: pages freed by what the caller did */
	/*
	 * In: the allocator's record of this call, empty, if the caller would
	 * call again at the same time after a call without price, touch and
	 * zone lock; such calls are then made one. NULL: one after the other.
	 */
	const struct alloc_work *alloc;
	uint32_t faults_anon;     /* 4 KiB anonymous faults */
	uint32_t faults_thp;      /* huge anonymous faults */
	uint32_t faults_cow;      /* write faults of a private file mapping */
	uint32_t faults_read;     /* faults served by the zero page or the cache */
	uint32_t thp_fallback;    /* huge page not had, 4 KiB fault instead */
	uint32_t touched_pages;   /* pages the program touched: its iterations */
	uint32_t zero_skipped;    /* anonymous 4 KiB faults without clearing */
	uint32_t zero_skipped_thp; /* huge faults without clearing */
	uint32_t zeroed_pages;    /* cleared by the guest kernel, 4 KiB units */
	uint32_t copied_pages;    /* copied by the guest kernel */
	uint32_t migrated_pages;  /* copied and mapped elsewhere */
	uint32_t compact_scanned; /* pages looked at by compaction */
	uint32_t reclaim_scanned; /* pages looked at by reclaim */
	uint32_t reclaim_rounds;  /* direct reclaims that found nothing */
	uint32_t table_pages;     /* page-table pages allocated */
	uint32_t zapped_pages;    /* 4 KiB mappings removed by unmap and exit */
	uint32_t zapped_thp;      /* huge mappings removed */
	uint32_t freed_pages;     /* user and table pages given back */
	uint32_t freed_blocks;    /* calls into the allocator's free path */
	uint32_t syscalls;
};

/*
 * Run `op` on `cpu` for at most `budget` steps (one step: one fault, one zapped
 * entry or one freed block). Alloc work goes to the record that was set with
 * alloc_set_work().
 */
enum guest_status guest_run(struct guest *g, struct guest_op *op,
			    unsigned int cpu, uint32_t budget,
			    struct guest_work *work);

/*
 * Give up an operation that is not done, before its task exits: what its
 * compaction has isolated is freed. Nothing of it may be run again.
 */
void guest_op_cancel(struct guest *g, struct guest_op *op, unsigned int cpu);

/* Has any address space a range that khugepaged would look at? */
bool guest_khugepaged_has_work(const struct guest *g);

/* The address space that the OOM killer takes, or -1. */
int guest_oom_select(const struct guest *g);

/*
 * A driver's page that can be moved (balloon_page_insert): counted as movable,
 * moved by cfg.movable_migrate. Undo it before the page is freed.
 */
void guest_movable_add(struct guest *g, pfn_t pfn);
void guest_movable_del(struct guest *g, pfn_t pfn);

/*
 * Steps ahead: of one kind, on consecutive pages behind one page-table page,
 * that touch nothing that another CPU can see. The guest does not do them
 * before guest_ahead_run(), but knows which pages the faults will take.
 */
#define GUEST_AHEAD_MAX 128

enum guest_ahead_kind {
	GUEST_AHEAD_ANON,               /* anonymous faults */
	GUEST_AHEAD_COPY,               /* faults that copy page cache */
	GUEST_AHEAD_FILL,               /* the same, the cache is filled first */
	GUEST_AHEAD_ZAP,                /* pages to be unmapped, a budget each */
};

struct guest_ahead {
	uint32_t nr;                    /* steps */
	enum guest_ahead_kind kind;
	uint32_t budget;                /* pages of each step, if ZAP */
	/*
	 * Zeroed or written, in this order; of FILL two for each fault, the copy
	 * and the page of the cache.
	 */
	pfn_t pfn[GUEST_AHEAD_MAX];
	pfn_t from[GUEST_AHEAD_MAX];    /* copied, if COPY */
};

/*
 * The steps that `op` could make next on `cpu` alone with this budget (one for
 * faults); their number, 0 if the next one is not of these kinds. The caller
 * may reduce it.
 */
uint32_t guest_ahead_look(const struct guest *g, const struct guest_op *op,
			  unsigned int cpu, uint32_t budget,
			  struct guest_ahead *ahead);
/*
 * Make the first nr of them: state and counters as after nr calls of
 * guest_run() with that budget, but without their touches. In between, the
 * guest may have run on other CPUs under the conditions of alloc_run_take().
 */
void guest_ahead_run(struct guest *g, struct guest_op *op, unsigned int cpu,
		     const struct guest_ahead *ahead, uint32_t nr);
/* Does the allocator still serve such faults of any CPU at sight? */
bool guest_ahead_allowed(const struct guest *g);

/* A new address space (allocates its PGD on `cpu`). Id, or -errno. */
int guest_mm_create(struct guest *g, unsigned int cpu);
/*
 * A file of `len` bytes on a memory file system without pages yet (page_fault2
 * uses an unlinked sparse temporary file). Id, or -errno.
 */
int guest_file_create(struct guest *g, uint64_t len);
/* The same on a disk: clean pages of it can be reclaimed. */
int guest_file_create_on_disk(struct guest *g, uint64_t len);
/* Drop the file's cached pages on `cpu` and the file. */
void guest_file_destroy(struct guest *g, uint32_t file, unsigned int cpu);

/* Gauges, in 4 KiB pages unless said otherwise. */
struct guest_gauges {
	uint64_t anon_pages;      /* mapped anonymous, huge ones included */
	uint64_t anon_thp;        /* huge mappings, in huge pages */
	uint64_t file_pages;      /* page cache */
	uint64_t table_pages;
	uint64_t lru_batched;     /* pages sitting in per-CPU LRU batches */
};
void guest_gauges(const struct guest *g, struct guest_gauges *out);

/* Cumulative, kernel's vmstat names. */
struct guest_counters {
	uint64_t pgfault, thp_fault_alloc, thp_fault_fallback;
	uint64_t thp_zap, gather_pages, gather_flushes, lru_drains;
	uint64_t pages_zeroed, pages_copied, pages_zero_skipped;
	/* Compaction and migration. */
	uint64_t compact_migrate_scanned, compact_free_scanned;
	uint64_t compact_isolated, compact_stall, compact_fail;
	uint64_t compact_success, kcompactd_wake;
	uint64_t pgmigrate_success, pgmigrate_fail;
	/* Reclaim. */
	uint64_t pgscan_kswapd, pgsteal_kswapd, pgscan_direct, pgsteal_direct;
	uint64_t reclaim_rounds, drop_pagecache, pageoutrun;
	/* Huge pages. */
	uint64_t thp_deferred_split_page, thp_split_page;
	uint64_t thp_collapse_alloc, thp_collapse_alloc_failed;
	uint64_t khugepaged_scanned;
	/* Ranges for gigantic pages and to go offline. */
	uint64_t range_tried, range_success, range_fail;
	uint64_t range_unmovable, range_with_host;
};
const struct guest_counters *guest_counters(const struct guest *g);

/*
 * True if this program lacked memory for an operation: it went on as if the
 * guest had none, so what came of the run is not what the experiment says.
 */
bool guest_host_is_short(const struct guest *g);

/* Every invariant (mapped pages are allocated, none mapped twice, LRU marks,
 * gauges against walks). NULL or a description. */
const char *guest_check(const struct guest *g);
/* The same; the bits in anon of pages that tasks have as anonymous memory are
 * set, those of others left. It has room for alloc_end_pfn() bits. */
const char *guest_check_anon(const struct guest *g, uint64_t *anon);

#endif
