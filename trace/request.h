/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The request stream: page-allocator operations of a recorded kernel, in the
 * order in which the allocator's locks were taken, one per line. docs/replay.md
 * describes the records.
 */
#ifndef TRACE_REQUEST_H
#define TRACE_REQUEST_H

#include "include/diag.h"
#include "include/types.h"

/* Bounds of the format: what a file may ask for. */
#define TRACE_MAX_PFN (1u << 30) /* exclusive; 4 TiB of guest memory */
#define TRACE_MAX_CPUS 1024u
#define TRACE_MAX_ZONES 5u       /* ZID: DMA DMA32 Normal Movable Device */
#define TRACE_MAX_TYPES 6u       /* U M R H, and with CMA or isolation more */
#define TRACE_MAX_PINDEX 14u

enum req_kind {
	REQ_A,  /* allocation */
	REQ_AB, /* allocation that bypassed the pcp */
	REQ_AK, /* allocation served by compaction capture */
	REQ_B,  /* page taken from the pcp by bulk allocation */
	REQ_F,  /* free */
	REQ_FB, /* free that bypassed the pcp */
	REQ_P,  /* batched free: prepare */
	REQ_C,  /* batched free: commit */
	REQ_D,  /* pcp drain not caused by a free */
	REQ_W,  /* reclaim active on a zone, or over */
	REQ_I,  /* free block isolated */
	REQ_R,  /* block put back to the list tail */
	REQ_TF, /* list rotated: the block is first */
	REQ_TB, /* list rotated: the block is last */
	REQ_K,  /* free captured by compaction */
	REQ_T,  /* placement of an order-10 block */
	REQ_M,  /* a steal moved a pageblock */
	REQ_Q,  /* block handed to the hypervisor */
	REQ_L,  /* zone is below its high mark, or above it (6.7+) */
	REQ_V,  /* the vmstat worker lowers a pageset's high (6.7+) */
	REQ_G,  /* kswapd gives back watermark boost */
	REQ_NR_KINDS,
};

/* GFP_BIT_MOVABLE and GFP_BIT_RECLAIMABLE: a request has one type. */
#define GFP_BOTH_TYPES 0x18u

/* Fields that a kind does not have are zero; `zone` is the file's ZID. */
struct req_record {
	uint8_t kind;      /* enum req_kind */
	uint8_t order;
	uint8_t mt;
	uint8_t zone;
	uint16_t cpu;
	uint8_t pindex;    /* D */
	bool on;           /* W: active; T: tail; L: below */
	pfn_t pfn;         /* PFN_NONE: `-`, the allocation failed */
	pfn_t freed;       /* K: page whose free was captured */
	union {
		uint32_t gfp;      /* A, AB, AK: raw 6.1 mask */
		uint32_t nr_pages; /* D: pages to free; G: pages of boost */
		uint32_t moved;    /* M: pages moved */
	};
	union {
		uint32_t count;    /* D: pages in the pageset before */
		uint32_t movable;  /* M: LRU and movable pages counted */
	};
};

_Static_assert(sizeof(struct req_record) <= 24, "records stay dense");

/* What the stream's fields are checked against; 0 = bounds of the format. */
struct req_limits {
	unsigned int nr_cpus;
	unsigned int nr_types; /* migratetypes of the kernel */
	unsigned int zones;   /* bit per ZID that exists */
	pfn_t end_pfn;        /* exclusive */
};

struct line_reader;
struct req_stream;

/* `path` and `d` must outlive the stream. 0 or a negative errno. */
int req_open(struct req_stream **out, const char *path,
	     const struct req_limits *limits, struct diag *d);
/* The same on an open reader, which the stream owns if all went well. */
int req_open_reader(struct req_stream **out, struct line_reader *reader,
		    const char *path, const struct req_limits *limits,
		    struct diag *d);
void req_close(struct req_stream *s);
/*
 * 1 and the next record; 0 at the end; -EINVAL: this line is wrong and was
 * reported, calling on reads the next one; any other negative errno: the file
 * is broken here and nothing more can be read. Empty lines and lines that
 * begin with # are passed over.
 */
int req_next(struct req_stream *s, struct req_record *out);
/* Line of the record read last, counting from 1. */
unsigned int req_line(const struct req_stream *s);

/* "A", "TF", ... */
const char *req_kind_name(enum req_kind kind);
/* The record as it stands in a stream. */
void req_format(const struct req_record *r, char *out, size_t size);

#endif
