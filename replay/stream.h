/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The page-allocator calls of one task as a stream that two kernels can be
 * compared by: operation, order, migratetype and gfp class of every call, and
 * for a free which allocation of the same stream it takes back. Page frame
 * numbers are gone. docs/stream-diff.md is the reference.
 *
 *     stream_init -> stream_put for every event of the trace -> stream_diff
 */
#ifndef REPLAY_STREAM_H
#define REPLAY_STREAM_H

#include <stdio.h>

#include "trace/event.h"

/* What an allocation is for, as far as order, type and gfp tell it. */
enum stream_class {
	STREAM_HUGE,       /* anonymous huge page */
	STREAM_ANON,       /* anonymous page, cleared */
	STREAM_COPY,       /* copy of a page, or page of the cache */
	STREAM_TABLE,      /* page-table page */
	STREAM_GATHER,     /* array of pages that an unmap frees */
	STREAM_CACHE,      /* page read from a file */
	STREAM_SLAB,       /* slab page, tried without reclaim */
	STREAM_MOVABLE,    /* other movable or reclaimable memory */
	STREAM_KERNEL,     /* other memory of the kernel */
	STREAM_ELSEWHERE,  /* free of a page that the task did not allocate */
	STREAM_NR_CLASSES,
};

#define STREAM_NONE UINT32_MAX

struct stream_call {
	uint32_t gfp;      /* allocation: canonical mask */
	uint32_t other;    /* allocation: its free; free: the allocation */
	uint8_t order, mt; /* of the allocation, for its free too */
	uint8_t cls;       /* enum stream_class, likewise */
	bool is_free, failed;
};

struct page_map;

struct stream {
	struct stream_call *calls;
	uint32_t nr, capacity;
	struct page_map *pages;      /* who has which page */
	/* Calls of others that concern this task's pages. */
	uint32_t freed_elsewhere;    /* its pages, freed by another task */
	uint32_t batched;            /* repeats of frees; not calls */
};

/* Calls that one stream may hold. */
#define STREAM_MAX_CALLS (1u << 26)

/* 0 or -ENOMEM. */
int stream_init(struct stream *s);
void stream_free(struct stream *s);
/*
 * Take an event into account; `mine` says that the task made it. Events of
 * other tasks are needed too, to know whose pages are freed. 0, -ENOMEM, or
 * -EFBIG (more than STREAM_MAX_CALLS).
 */
int stream_put(struct stream *s, const struct trace_event *e, bool mine);

enum stream_class stream_classify(unsigned int order, unsigned int mt,
				  uint32_t gfp);
const char *stream_class_name(enum stream_class c); /* "page table" */

/* ---- comparison ---- */

/* One class of calls on both sides, in the window. */
struct stream_count {
	uint32_t recorded, ours, matched;
};

struct stream_diff {
	const struct stream *recorded, *ours;
	/* The call of the other stream that this one is matched with. */
	uint32_t *mate;              /* of recorded calls; or STREAM_NONE */
	uint32_t *mate_ours;
	/* Window: calls [first, end) of each. */
	uint32_t first, end, first_ours, end_ours;
	uint32_t matched;            /* in the window */
	uint32_t matched_all;
	uint32_t moved;              /* frees that both have, elsewhere in order */
	uint32_t gfp_differs;        /* matched, but not bit for bit */
	struct stream_count allocs[STREAM_NR_CLASSES];
	struct stream_count frees[STREAM_NR_CLASSES];
	bool exact;                  /* the alignment is a longest one */
};

/* 0 or -ENOMEM. The streams outlive the result; free it in any case. */
int stream_diff(struct stream_diff *d, const struct stream *recorded,
		const struct stream *ours);
void stream_diff_free(struct stream_diff *d);

/*
 * 2 * matched / (recorded + ours) in parts per million, rounded down; of the
 * window or of everything. Two empty streams are equal.
 */
uint32_t stream_similarity(const struct stream_diff *d, bool all);

/*
 * Pages (0 to 511) by which our mappings have to lie higher to end at the
 * recorded place of their 2 MiB range; 0 also if a stream does not tell.
 */
uint32_t stream_range_shift(const struct stream *recorded,
			    const struct stream *ours);

/* Pages of the program that its exit seems to have passed before ours. */
uint32_t stream_image_pages(const struct stream_diff *d);

struct stream_names {
	const char *recorded;        /* file and task */
	const char *ours;            /* workload and machine */
};

struct stream_print_options {
	unsigned int context;        /* matched lines around a difference */
	unsigned int max_lines;      /* of differences */
};

/* 0 or -ENOMEM. */
int stream_print_text(const struct stream_diff *d,
		      const struct stream_names *n,
		      const struct stream_print_options *o, FILE *out);
int stream_print_json(const struct stream_diff *d,
		      const struct stream_names *n,
		      const struct stream_print_options *o, FILE *out);

#endif
