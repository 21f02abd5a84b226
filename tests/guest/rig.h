/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A guest kernel on a booted allocator of one zone a node, for tests of guest/. Every
 * allocator event and every touch is recorded:
 *
 *     t p h    a page was allocated: unmovable order 0 (tables and gather
 *              pages), movable order 0, movable order 9
 *     T P H    such a page was freed (as prepared)
 *
 * rig_stream() spells the events as runs, "t3 p512 t1 p7".
 */
#ifndef TESTS_GUEST_RIG_H
#define TESTS_GUEST_RIG_H

#include "guest/guest.h"
#include "tests/test.h"

#define RIG_START 1024u /* first PFN of the guest */
#define KIB UINT64_C(1024)
#define MIB (1024 * KIB)

struct rig_event {
	char what;            /* see above */
	pfn_t pfn;
};

struct rig {
	struct alloc *alloc;
	struct guest *guest;
	struct touch_buffer touches;
	struct guest_work work;
	char *kind;           /* per PFN: t, p, h of its last allocation */
	struct rig_event *events;
	size_t nr_events, capacity;
	struct touch *log;    /* touches drained so far */
	size_t nr_log, log_capacity;
	uint32_t budget;      /* steps of one guest_run() call */
	uint64_t free_at_start;
	char text[4096];
};

struct rig_options {
	const char *kernel;
	uint32_t mib;         /* guest memory */
	unsigned int cpus;    /* 0 = 1 */
	enum thp_enabled thp;
	enum thp_defrag defrag;
	bool aligned;
	bool compaction, reclaim;
	uint32_t others;      /* pages of tasks that are not simulated */
	unsigned int nodes;   /* with a zone each of the same size; 0 = 1 */
	const uint64_t *known_zero;
	/* As in alloc_hooks: the host still has the block. */
	bool (*stall)(void *ctx, unsigned int zone, pfn_t pfn,
		      unsigned int order, unsigned int cpu);
	/* As in guest_config. */
	int (*migrate)(void *ctx, unsigned int cpu, pfn_t from, pfn_t to);
	bool (*with_host)(void *ctx, pfn_t from, pfn_t to);
	void *ctx;
};

/* Fails the test on any error. Defaults: THP madvise and defrag madvise. */
void rig_open(struct rig *r, const struct rig_options *opt);
/* Also asserts that the invariants hold. */
void rig_close(struct rig *r);
/* The same for a guest that was broken on purpose. */
void rig_abandon(struct rig *r);

/* Run one operation to its end; fails the test unless it is GUEST_DONE. */
void rig_op(struct rig *r, struct guest_op *op, unsigned int cpu);
uint32_t rig_mm(struct rig *r, unsigned int cpu);
uint64_t rig_mmap(struct rig *r, uint32_t mm, uint64_t len, uint32_t flags);
uint64_t rig_mmap_file(struct rig *r, uint32_t mm, uint32_t file,
		       uint64_t len);
void rig_touch(struct rig *r, uint32_t mm, uint64_t addr, uint64_t len);
void rig_read(struct rig *r, uint32_t mm, uint64_t addr, uint64_t len);
void rig_munmap(struct rig *r, uint32_t mm, uint64_t addr, uint64_t len);
void rig_dontneed(struct rig *r, uint32_t mm, uint64_t addr, uint64_t len);
void rig_exit(struct rig *r, uint32_t mm);

/* Forget what was recorded. */
void rig_forget(struct rig *r);
/* The events since then as runs; valid until the next call. */
const char *rig_stream(struct rig *r);
/* PFN of the nth event spelled `what`. */
pfn_t rig_event_pfn(const struct rig *r, char what, size_t nth);
size_t rig_count(const struct rig *r, char what);
/* Free pages, those on pcp lists included. */
uint64_t rig_free_pages(const struct rig *r);
void rig_assert_valid(const struct rig *r);

/* All profiles, oldest first; NULL-ended. */
extern const char *const rig_kernels[];

#endif
