/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The address space of a recorded process; only record/ includes it. */
#ifndef RECORD_SPACE_H
#define RECORD_SPACE_H

#include <sys/types.h>

#include "record/record.h"
#include "trace/blt.h"
#include "trace/ranges.h"

/* Where events go. After the first error nothing is written any more. */
struct record_sink {
	struct blt_writer *writer;
	struct record_counts counts;
	uint64_t start_ns;
	int err;
};

uint64_t record_clock(void);

#define REGION_PAGES 512u

/* 2 MiB of addresses: which of their pages are known to be touched. */
struct touched_region {
	uint64_t nr;             /* address / 2 MiB; 0 = no region */
	uint64_t bits[REGION_PAGES / 64];
};

struct space {
	struct record_sink *sink;
	pid_t pid;               /* of the process that made it */
	uint32_t task;           /* of the file */
	unsigned int users;      /* threads, and children by vfork */
	struct addr_ranges mapped; /* what is recorded */
	uint64_t brk;            /* the break, 0 = not known */
	uint64_t stack;          /* lowest address of the stack, 0 = none */
	struct touched_region *touched; /* hash table */
	uint64_t nr_touched, touched_capacity; /* a power of two */
	int pagemap, statm;      /* open files of /proc, or -1 */
	uint64_t rss;            /* pages, at the last sample */
	bool forked;             /* it may share pages with its parent */
	bool forking;            /* its pages have just become a child's too */
	struct space *next;      /* of all */
};

/* A new one for `pid`, which runs `comm`; NULL: no memory. */
struct space *space_new(struct record_sink *sink, pid_t pid, const char *comm);
void space_free(struct space *s);
/* An event of this process. */
void space_emit(struct space *s, enum trace_mem_op op, uint64_t addr,
		uint64_t len);
void space_map(struct space *s, uint64_t start, uint64_t end);
void space_unmap(struct space *s, uint64_t start, uint64_t end);
/* madvise: `op` for what of [start, end) is recorded. */
void space_advise(struct space *s, enum trace_mem_op op, uint64_t start,
		  uint64_t end);
/* The child, which exists by now, has what the parent has mapped. */
void space_fork(struct space *child, struct space *parent);
/* Look which pages of [start, end) are there; all: UINT64_MAX as end. */
void space_sample(struct space *s, uint64_t start, uint64_t end);
/* The same for all of it, if its size has changed since. */
void space_sample_if_changed(struct space *s);

/* maps.c: what /proc/PID/maps shows after execve(). */
void space_read_maps(struct space *s);
/* The stack grows without a call. */
void space_read_stack(struct space *s);
/* Name of the program, at most 15 bytes; "" if it cannot be read. */
void read_comm(pid_t pid, char comm[16]);
/* The process (thread group) of a thread, or -1. */
pid_t read_tgid(pid_t tid);

#endif
