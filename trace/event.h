/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One event of any trace, whatever the file it came from: a record of the
 * request stream, a stock page-allocator event of a kernel (kmem:mm_page_*),
 * or an operation of a program on its memory. Importers produce them, .blt
 * files store them, replay and workloads consume them.
 */
#ifndef TRACE_EVENT_H
#define TRACE_EVENT_H

#include "include/types.h"
#include "trace/request.h"

/* The values are stored in .blt files: append, never renumber. */
enum trace_kind {
	TRACE_REQUEST = 0,      /* u.req */
	TRACE_ALLOC = 1,        /* u.kmem: mm_page_alloc */
	TRACE_FREE = 2,         /* u.kmem: mm_page_free */
	TRACE_FREE_BATCHED = 3, /* u.kmem: mm_page_free_batched */
	TRACE_ZONE_LOCKED = 4,  /* u.kmem: mm_page_alloc_zone_locked */
	TRACE_PCPU_DRAIN = 5,   /* u.kmem: mm_page_pcpu_drain */
	TRACE_EXTFRAG = 6,      /* u.kmem: mm_page_alloc_extfrag */
	TRACE_LOST = 7,         /* u.lost: events that the recorder dropped */
	TRACE_MEM = 8,          /* u.mem: what a program did to its memory */
	TRACE_NR_KINDS,
};

/* Which fields an event has, is told by its kind (Documentation of the
 * tracepoints: include/trace/events/kmem.h of the release). */
struct trace_kmem {
	pfn_t pfn;              /* PFN_NONE: the allocation failed */
	uint32_t gfp;           /* ALLOC: canonical mask, see trace/gfp.h */
	uint8_t order;          /* EXTFRAG: alloc_order */
	uint8_t mt;             /* EXTFRAG: alloc_migratetype */
	bool refill;            /* ZONE_LOCKED: percpu_refill */
	uint8_t fallback_order; /* EXTFRAG */
	uint8_t fallback_mt;    /* EXTFRAG */
	bool change_ownership;  /* EXTFRAG */
};

enum trace_mem_op {
	TRACE_MEM_MAP = 0,      /* anonymous memory appears */
	TRACE_MEM_UNMAP = 1,    /* it is given back */
	TRACE_MEM_TOUCH = 2,    /* first write to [addr, addr + len) */
	TRACE_MEM_DONTNEED = 3, /* madvise(MADV_DONTNEED) */
	TRACE_MEM_FREE = 4,     /* madvise(MADV_FREE) */
	TRACE_MEM_HUGEPAGE = 5, /* madvise(MADV_HUGEPAGE) */
	TRACE_MEM_NOHUGEPAGE = 6,
	TRACE_MEM_FORK = 7,
	TRACE_MEM_EXIT = 8,
	TRACE_MEM_NR_OPS,
};

struct trace_mem {
	uint64_t addr, len;     /* bytes, page aligned */
	uint8_t op;             /* enum trace_mem_op */
};

struct trace_event {
	uint64_t ns;            /* of the recorder's clock; 0 = no clock */
	uint32_t task;          /* index for trace_task(); 0 = not known */
	uint32_t line;          /* 1-based line or record of the input */
	uint16_t cpu;           /* REQUEST: the same as u.req.cpu */
	uint8_t kind;           /* enum trace_kind */
	union {
		struct req_record req;
		struct trace_kmem kmem;
		struct trace_mem mem;
		uint64_t lost;  /* events; 0 = an unknown number */
	} u;
};

#endif
