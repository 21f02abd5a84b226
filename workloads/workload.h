/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What tasks do: a pulled stream of operations per task. A workload knows
 * neither the guest kernel nor the host; a mapping is named by a slot number
 * that is private to the task. sim/ pulls the next operation when the previous
 * one is complete.
 *
 * Order: prepare -> next* (any task, any interleaving) -> cleanup.
 */
#ifndef WORKLOADS_WORKLOAD_H
#define WORKLOADS_WORKLOAD_H

#include "include/option.h"
#include "include/types.h"

struct req_record;

enum workload_op_kind {
	WORKLOAD_MMAP,        /* slot := new mapping of len bytes */
	WORKLOAD_TOUCH,       /* write every page of [offset, offset+len) */
	WORKLOAD_MUNMAP,      /* whole slot */
	WORKLOAD_MADV_DONTNEED, /* [offset, offset+len) of slot */
	WORKLOAD_MADV_FREE,     /* the same, lazily */
	/* WORKLOAD_MAP_HUGEPAGE or _NOHUGEPAGE for [offset, offset+len). */
	WORKLOAD_MADV_THP,
	/* The address space goes away with all slots, a new one takes its place. */
	WORKLOAD_EXEC,
	WORKLOAD_EXIT,        /* task exits, address space goes away */
	WORKLOAD_SLEEP,       /* ns of virtual time */
	WORKLOAD_RECORD,      /* apply one recorded allocator operation */
};

#define WORKLOAD_MAP_HUGEPAGE 0x1u  /* MADV_HUGEPAGE */
#define WORKLOAD_MAP_FILE 0x2u      /* private mapping of the task's own file */
#define WORKLOAD_TOUCH_READ 0x4u
/* Touched pages count as iterations; an operation of another kind as one. */
#define WORKLOAD_COUNTED 0x8u
#define WORKLOAD_MAP_UNALIGNED 0x10u /* do not align to 2 MiB */
/* Every byte of the touched pages is written, not one of each. */
#define WORKLOAD_TOUCH_FILL 0x20u
/* The time that the operation takes is a result: the task's next lap. */
#define WORKLOAD_LAP 0x40u
/*
 * There is no slot: `offset` is an address of the task. MMAP maps just there,
 * where nothing may be, MUNMAP takes away [offset, offset+len).
 */
#define WORKLOAD_AT 0x80u
#define WORKLOAD_MAP_NOHUGEPAGE 0x100u /* MADV_NOHUGEPAGE */

/* Addresses that WORKLOAD_AT may name, as the guest's user space. */
#define WORKLOAD_AT_MIN UINT64_C(0x10000)
#define WORKLOAD_AT_END UINT64_C(0x7ffffffff000)

/* Laps of a task that are told apart; later ones are not reported. */
#define WORKLOAD_MAX_LAPS 8

#define WORKLOAD_MAX_SLOTS 8

struct workload_op {
	enum workload_op_kind kind;
	uint32_t flags;
	uint32_t slot;
	uint64_t offset, len;  /* bytes */
	sim_ns_t ns;           /* SLEEP; given to next(): the time now */
	const struct req_record *record; /* RECORD; valid until next() */
	uint64_t record_nr;
};

struct workload_context {
	unsigned int nr_tasks;
	uint64_t size;         /* bytes; `size =` of the phase, resolved */
	uint64_t seed;         /* root seed; streams by rng_init */
	bool thp;              /* `thp =` of the phase */
};

struct workload {
	const struct workload_ops *ops;
	struct workload_context ctx;
	const void *options;   /* ops->options.size bytes, set by the caller */
	void *state;           /* ops->state_size bytes, zeroed, then ops' own */
	/*
	 * Set by next() that says false because it could not go on: -errno, and
	 * what that was, valid until cleanup, or NULL. The run is no result.
	 */
	int error;
	const char *why;
};

struct workload_ops {
	const char *name;
	const char *summary;
	struct option_table options;
	size_t state_size;
	bool needs_size;       /* `size =` is required */
	bool size_of_files;    /* it may be more than the guest's memory */
	bool anon_only;        /* no files, no records: can run without a guest */
	bool endless;          /* next() never says that a task is finished */
	/* 0, or -errno with a reason in why. */
	int (*prepare)(struct workload *w, char *why, size_t why_size);
	/*
	 * False: the task is finished. op->ns comes as the virtual time, for
	 * programs that act by the clock; all else comes as zeroes.
	 */
	bool (*next)(struct workload *w, unsigned int task,
		     struct workload_op *op);
	void (*cleanup)(struct workload *w);
};

/*
 * Options of trace_workload. sim/ reads `before` too: if there is one, the
 * guest's allocator starts from that snapshot instead of a boot. Paths are marked by the unit
 * "path"; the experiment reader resolves them against the experiment file.
 */
struct trace_workload_options {
	char file[OPTION_STRING_SIZE];   /* request stream, or a program */
	char before[OPTION_STRING_SIZE]; /* snapshot at its start */
	char after[OPTION_STRING_SIZE];  /* at its end; empty = not compared */
	/*
	 * Host-resident bytes when recording began. What was in use is touched
	 * anyway; free blocks that were never reported make up the rest.
	 */
	uint64_t resident;
	unsigned int pace;               /* of programs: enum trace_pace */
};

enum trace_pace { TRACE_PACE_RECORDED, TRACE_PACE_NONE };

extern const struct workload_ops brk1_workload;
extern const struct workload_ops file_read_workload;
extern const struct workload_ops fork_storm_workload;
extern const struct workload_ops idle_workload;
extern const struct workload_ops jemalloc_workload;
extern const struct workload_ops largepages3_workload;
extern const struct workload_ops malloc1_workload;
extern const struct workload_ops memhog_workload;
extern const struct workload_ops page_fault1_workload;
extern const struct workload_ops page_fault2_workload;
extern const struct workload_ops trace_workload;
extern const struct workload_ops usemem_workload;

#endif
