/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Replay: the request stream of a recorded kernel is run on an allocator that
 * starts from the kernel's snapshot, and every page frame number that the
 * allocator hands out is compared with the one that the kernel handed out.
 * docs/replay.md describes formats, hints and results.
 *
 * Either replay_run() does all of it, or a caller that has more to do between
 * records (sim/ drives a host beside it) takes the steps itself:
 *   replay_open -> { replay_next -> replay_apply }* -> replay_finish
 *   -> replay_close
 */
#ifndef REPLAY_REPLAY_H
#define REPLAY_REPLAY_H

#include <stdio.h>

#include "alloc/alloc.h"
#include "include/diag.h"
#include "trace/request.h"
#include "trace/snapshot.h"

enum replay_mode {
	REPLAY_PREDICT,  /* observed PFNs are only compared */
	REPLAY_ASSISTED, /* after a miss the observed page is forced */
};

/* Observations that the recorded state cannot determine; a set of bits. */
#define REPLAY_HINT_COIN 0x1u  /* T: placement of order-10 blocks */
#define REPLAY_HINT_LRU 0x2u   /* M: movable pages counted by a steal */
#define REPLAY_HINT_ZONE 0x4u  /* zone of the page, where the twin differs */
#define REPLAY_HINT_BELOW 0x8u /* L: zone is below its high mark (6.7+) */
#define REPLAY_HINTS_ALL 0xfu
#define REPLAY_NR_HINTS 4

struct blt_plain_batch;
struct reporter_ops;

struct replay_options {
	const char *stream;   /* any trace; "-" = standard input */
	const char *before;   /* snapshot to start from */
	const char *after;    /* snapshot to compare with; NULL = none */
	const char *proc;     /* recorded /proc files to compare with, or NULL */
	/* Instead of `before`, which then only names it in messages: */
	const struct alloc *booted; /* a guest that has just booted */
	const char *free_counts;    /* recorded /proc files of the start */
	const char *kernel;   /* NULL = the snapshot's, the trace's, or 6.1 */
	const char *without;  /* rules taken away (rules.h); NULL = none */
	enum replay_mode mode;
	unsigned int hints;   /* REPLAY_HINT_* allowed */
	unsigned int limit;   /* stop after this many records; 0 = all */
	/* Of a .blt of plain requests: 2 read ahead, 1 does not, 0 = by CPUs. */
	unsigned int threads;
	/*
	 * The design acts itself, and the stream's I, R, TF, TB and Q records
	 * are what it is expected to do.
	 */
	const struct reporter_ops *reporter;
	/*
	 * The caller runs a reporter of its own on replay_alloc(): the same
	 * records are skipped, and the allocator's hooks are the caller's.
	 */
	bool external_reporter;
};

enum replay_cause {
	REPLAY_OTHER_PAGE,   /* another page of the same zone */
	REPLAY_OTHER_ZONE,
	REPLAY_NO_PAGE,      /* the twin failed, the kernel did not */
	REPLAY_NOT_FAILED,   /* the kernel failed, the twin did not */
	REPLAY_NR_CAUSES,
};

/* Records that could not be carried out on the twin. */
enum replay_skip {
	REPLAY_NEVER_HANDED_OUT, /* F P C R: the twin has no such page */
	REPLAY_NOT_FREE,         /* I TF TB: not a free block of the twin */
	REPLAY_NO_PAGESET,       /* D: no pageset has that count */
	REPLAY_NOT_CAPTURED,     /* K: the free never came to that block */
	REPLAY_NR_SKIPS,
};

/* Where the twin had the page that the kernel handed out, at a miss. */
enum replay_place {
	REPLAY_AT_SAME_LIST,   /* deeper on the pcp list that is asked */
	REPLAY_AT_OTHER_LIST,  /* on another pcp list of this CPU */
	REPLAY_AT_OTHER_CPU,   /* on a pcp list of another CPU */
	REPLAY_AT_BUDDY,
	REPLAY_AT_HANDED_OUT,  /* in use: the twin gave it away before */
	REPLAY_AT_OLDER,       /* in use since before the first event */
	REPLAY_NR_PLACES,
};

/*
 * Traces of the kernel's tracepoints: what was done by which rule
 * (docs/replay.md), and what such a trace cannot tell.
 */
enum replay_stock_count {
	STOCK_FREES,           /* mm_page_free alone: freed at once */
	STOCK_PREPARED,        /* mm_page_free of a batch: type read */
	STOCK_COMMITTED,       /* mm_page_free_batched: put on its list */
	STOCK_LONE_COMMITS,    /* of these, without a mm_page_free */
	STOCK_FAILED,          /* mm_page_alloc without a page */
	STOCK_ORPHANS,         /* frees of pages older than the trace */
	STOCK_UNSEEN_ALLOCS,   /* frees of pages that were free */
	STOCK_UNSEEN_FREES,    /* pages that came back while in use */
	STOCK_BULK,            /* taken as handed out by bulk allocation */
	STOCK_BULK_CONFIRMED,  /* of these, freed later */
	STOCK_BULK_REFUTED,    /* of these, seen elsewhere later */
	STOCK_LATE_FLUSHES,    /* the twin would have flushed, in pages */
	STOCK_PAGEBLOCKS,      /* types set to what extfrag said */
	STOCK_TYPE_DIFFERS,    /* migratetype is not the mask's */
	STOCK_FAILED_CHOICES,  /* zone_locked without a page */
	STOCK_FOREIGN,         /* CPU or page that the guest has not */
	STOCK_LOST,            /* events that the recorder lost */
	STOCK_LOST_MARKERS,
	STOCK_OTHER_EVENTS,    /* neither of the allocator's tracepoints */
	STOCK_OTHER_LINES,     /* events of others, told by the reader */
	STOCK_UNKNOWN_GFP,     /* masks with unknown names, by the reader */
	STOCK_BACKWARDS,       /* time stamps that went back, by the reader */
	STOCK_NR_COUNTS,
};

/* Internal events: in the trace, made by the twin, and foreseen by it. */
enum replay_internal {
	STOCK_ZONE_LOCKED,
	STOCK_PCPU_DRAIN,
	STOCK_EXTFRAG,
	STOCK_NR_INTERNAL,
};

struct replay_stock {
	bool present;             /* the trace is one of tracepoints */
	uint64_t counts[STOCK_NR_COUNTS];
	struct replay_stock_internal {
		uint64_t kernel;
		uint64_t twin;      /* predict mode: the twin's own */
		uint64_t predicted; /* assisted mode: foreseen */
		bool followed;      /* assisted mode: these events drive */
	} internal[STOCK_NR_INTERNAL];
};

struct replay_miss {
	unsigned int event;   /* 1-based line of the stream; 0 = no miss */
	struct req_record record;
	pfn_t expected, got;  /* PFN_NONE = no page */
	enum replay_cause cause;
	char reason[256];     /* where the expected page was */
	char lists[2048];     /* state of the lists concerned, several lines */
};

/* The twin's buddyinfo and pagetypeinfo beside recorded ones. */
struct replay_proc {
	bool compared;
	uint32_t cells, differing;
	char first[256];          /* the first that differs */
};

/* A start state that nobody recorded. */
struct replay_assumed {
	bool present;
	char text[512];           /* what is assumed */
	uint64_t preallocated;    /* pages in use as the trace frees them first */
	uint64_t unplaced;        /* free pages for which no place was left */
};

struct replay_result {
	char kernel[16];          /* profile that was used */
	unsigned int events;      /* records applied */
	uint64_t passed_over;     /* tracepoints beside a request stream */
	uint64_t allocations;     /* A, AB, AK, B */
	uint64_t predicted;
	struct replay_miss first_miss;
	uint64_t misses[REPLAY_NR_CAUSES];
	uint64_t missed_at[REPLAY_NR_PLACES]; /* where its page was */
	uint64_t hints_used[REPLAY_NR_HINTS]; /* bit number of REPLAY_HINT_* */
	uint64_t skipped[REPLAY_NR_SKIPS];
	uint64_t forced;          /* assisted: observed pages taken */
	unsigned int format;      /* enum trace_format of the stream */
	struct replay_stock stock;
	/* options.reporter: Q records, and all of I, R, TF, TB and Q. */
	uint64_t reports, reports_matched;
	uint64_t expectations, expectations_matched;

	bool compared;            /* an AFTER snapshot was given */
	uint32_t lists;           /* not empty in either state */
	uint32_t lists_differing;
	uint32_t pageblocks, pageblocks_differing;
	uint32_t pagesets_differing; /* count, high, batch or free_factor */
	char first_list[512];     /* the first list that differs, explained */

	struct replay_proc proc;
	struct replay_assumed assumed;

	uint64_t wall_ns;         /* measured by the caller; 0 = not */
};

/* What one record did. */
struct replay_step {
	pfn_t pfn;            /* twin's page or block; PFN_NONE = none */
	uint8_t order;
	bool applied;         /* false: skipped, or only an expectation */
	bool miss;            /* an allocation that differs */
};

struct replay;

/*
 * Read the snapshots, build the allocator, open the stream. 0, or a negative
 * errno after messages on `d`, which must outlive the replay.
 */
int replay_open(struct replay **out, const struct replay_options *o,
		struct diag *d);
/*
 * 1 and the next record, 0 at the end or the limit, or as trace_next(). A trace
 * of tracepoints yields A, F, P and C records; in assisted mode its internal
 * events act on the twin before the record after them is handed out.
 */
int replay_next(struct replay *r, struct req_record *rec);
void replay_apply(struct replay *r, const struct req_record *rec,
		  struct replay_step *step);
/*
 * Compare with AFTER and recorded /proc files, if given, and hand out the
 * result. 0, or a negative errno after messages.
 */
int replay_finish(struct replay *r, struct replay_result *out);
void replay_close(struct replay *r);


/*
 * Is the trace a .blt of plain requests only (trace/blt_plain.h)? Then
 * replay_run() takes it in batches, and a caller that has them in memory may:
 * from the first record on, in place of replay_next() and replay_apply().
 */
bool replay_is_plain(const struct replay *r);
void replay_batch(struct replay *r, const struct blt_plain_batch *b);

struct alloc *replay_alloc(struct replay *r);
const struct snapshot *replay_before(const struct replay *r);
/*
 * For a caller with hooks of its own: what their shuffle_coin and
 * movable_count have to return. `replay` is a struct replay.
 */
int replay_shuffle_coin(void *replay, pfn_t pfn);
int replay_movable_count(void *replay, unsigned int zone, pfn_t pageblock);

/* What replay_run() does between opening and finishing. */
int replay_run_opened(struct replay *r);
/* All of the above. 0, or a negative errno after messages. */
int replay_run(const struct replay_options *o, struct diag *d,
	       struct replay_result *out);
/* Everything predicted, and equal to AFTER where one was given? */
bool replay_exact(const struct replay_result *r);

/*
 * An allocator in the state of a snapshot. 0, -EINVAL (the snapshot does not
 * fit the profile; reported) or -ENOMEM.
 */
int replay_build(struct alloc **out, const struct snapshot *s,
		 const struct alloc_profile *profile, const char *path,
		 struct diag *d);
/* Fill the comparison part of *out. */
void replay_compare(const struct alloc *a, const struct snapshot *after,
		    struct replay_result *out);

/*
 * The twin's free counts against the "after" sections of a file of recorded
 * /proc files. 0 or a negative errno after messages.
 */
int replay_compare_proc(const struct alloc *a, const char *path, struct diag *d,
			struct replay_proc *out);
/* An allocator's state as a snapshot. 0 or -ENOMEM. */
int replay_snapshot_of(struct snapshot **out, const struct alloc *a);

/*
 * "none", "all" or a comma list of T, M, zone, L. 0, or -EINVAL with a sentence
 * in `why`.
 */
int replay_parse_hints(const char *text, unsigned int *hints, char *why,
		       size_t why_size);
const char *replay_cause_name(enum replay_cause c);
const char *replay_hint_name(unsigned int bit);
const char *replay_skip_name(enum replay_skip s);
const char *replay_place_name(enum replay_place p);
const char *replay_stock_name(enum replay_stock_count c);
const char *replay_internal_name(enum replay_internal i);

/* One JSON object and a newline; 0 or -ENOMEM / -EIO. */
int replay_print_json(const struct replay_result *r, FILE *out);
void replay_print_text(const struct replay_options *o,
		       const struct replay_result *r, FILE *out);

#endif
